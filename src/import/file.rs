//! A file that is being read in one turn.

use crate::document::tape::Tape;
use crate::finding::Place;
use crate::import::leaves::sheet::{Mark, Sheet};
use crate::import::look::Shaped;
use crate::mapping::apply::{FileContext, LeafSpan, Mapped};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::order::Turn;
use crate::source::Record;

/// What a file is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Which record of a key is the last one. What is wrong with the file is reported when its rows are made.
    Lasts,
    /// Which rows there will be.
    Ahead,
    /// Its rows.
    Rows,
}

/// What one reading of a file works with.
pub(crate) struct Reading<'r> {
    pub(crate) file: usize,
    pub(crate) pass: Pass,
    pub(crate) turn: Turn,
    pub(crate) rules: &'r [&'r CompiledRule],
    pub(crate) context: FileContext<'r>,
    pub(crate) shaped: Shaped,
    pub(crate) frame_sheet: Sheet,
    /// Whether the database may reject rows of this turn by rules that no key says.
    pub(crate) may_reject: bool,
    /// The names on the way to the record before.
    pub(crate) last_names: Vec<String>,
    /// What is made already of the records that come next.
    pub(crate) made: std::vec::IntoIter<Mapped>,
    /// In a file of lines the number of the line that is the document, from 1; else 0.
    pub(crate) line: u64,
}

impl Reading<'_> {
    /// Where a byte of the file is.
    pub(crate) fn place(&self, offset: u64) -> Place {
        Place { file: self.context.id, offset }
    }

    /// The number under which the frame is known among the records.
    pub(crate) fn frame_number(&self) -> u64 {
        Record::of_line(self.line, 0)
    }

    /// Whether the document is the record.
    pub(crate) fn is_whole(&self) -> bool {
        self.shaped.frame.is_empty()
    }

    /// What the rules of a record see as this document.
    pub(crate) fn tape<'t>(&'t self, doc: Doc, record: &'t Record) -> &'t Tape {
        if doc == Doc::Frame && !self.is_whole() { &self.shaped.frame } else { &record.tape }
    }

    /// Marks leaves, on the sheet of their record or on that of the frame.
    pub(crate) fn mark(&mut self, touch: &LeafSpan, mark: Mark, sheet: &mut Sheet) {
        match touch {
            // A name that an earlier record of the same member brought is counted there.
            LeafSpan::Name(name) if sheet.names().contains_key(name) => sheet.claim_name(*name, mark),
            // One that a row below the part's own claims is not known to have a row for every part.
            LeafSpan::Name(_) | LeafSpan::Part(..) | LeafSpan::Lossy(..) => {}
            LeafSpan::Nodes(Doc::Frame, nodes) if !self.is_whole() => self.frame_sheet.claim(nodes.clone(), mark),
            LeafSpan::Nodes(_, nodes) => sheet.claim(nodes.clone(), mark),
        }
    }

    /// Which of the names on the way to a record were not there for the record before: several
    /// records below one member share its name.
    pub(crate) fn new_names(&mut self, names: &[String]) -> Vec<u32> {
        let shared = names.iter().zip(&self.last_names).take_while(|(new, old)| new == old).count();
        // Two records of one array have all names alike, two members of one object the last never.
        self.last_names = names.to_vec();
        (shared..names.len()).filter_map(|i| u32::try_from(i).ok()).collect()
    }
}
