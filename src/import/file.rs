//! A file that is being read in one turn.

use crate::finding::Place;
use crate::import::leaves::sheet::Sheet;
use crate::import::look::Shaped;
use crate::mapping::apply::FileContext;
use crate::mapping::compile::CompiledRule;
use crate::mapping::order::Turn;

/// What one reading of a file works with.
pub(crate) struct Reading<'r> {
    pub(crate) file: usize,
    pub(crate) turn: Turn,
    pub(crate) rules: &'r [&'r CompiledRule],
    pub(crate) context: FileContext,
    pub(crate) shaped: Shaped,
    pub(crate) frame_sheet: Sheet,
    /// Whether the database may reject rows of this turn by rules that no key says.
    pub(crate) may_reject: bool,
    /// The names on the way to the record before.
    pub(crate) last_names: Vec<String>,
}

impl Reading<'_> {
    /// Where a byte of the file is.
    pub(crate) fn place(&self, offset: u64) -> Place {
        Place { file: self.context.id, offset }
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
