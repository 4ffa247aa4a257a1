//! The first pass over a file: it checks the whole and keeps what is outside the records.

use super::build::Builder;
use super::json::{Event, Fault, Scanner, Token};
use super::names::Names;
use super::read::Opened;
use super::select::Matcher;
use crate::document::tape::{Outer, Paths, Selection, Tape};
use crate::finding::{FileId, Finding, JSON_BOM, JSON_DUPLICATE, Place, printable};
use zeroize::Zeroizing;

/// So many duplicates of one file are reported one by one, the rest as a number.
const MOST_DUPLICATES: usize = 1_000;

/// What a skim keeps of a file.
#[derive(Debug)]
pub struct Outline {
    /// The document without what the selections select.
    ///
    /// A selected member is a [`Kind::Record`](crate::document::tape::Kind::Record) node; of the selected
    /// elements of one array there is one such node per kind, so that their number does not count.
    pub tape: Tape,
    /// Notes about a valid file.
    pub notes: Vec<Finding>,
    /// How many leaves the whole file has, records included: scalars and empty containers.
    pub leaves: u64,
    /// How many values each selection selects, in the order they were given.
    pub selected: Vec<u64>,
}

/// Checks a whole file, and keeps all of it that none of the selections selects.
///
/// The outline's root is path 0 of `paths`. To be called again with fewer selections is fine.
///
/// # Errors
/// Findings, sorted by place: everything that is wrong up to the first fault that ends reading.
pub fn skim(opened: &mut Opened, selections: &[&Selection], paths: &mut Paths) -> Result<Outline, Vec<Finding>> {
    opened.rewind().map_err(|finding| vec![finding])?;
    let file = opened.file();
    let mut skimmer = Skimmer::new(selections, opened.limits.sensitive);
    let mut scanner = Scanner::new(&mut opened.window, opened.limits.depth);
    let fault = loop {
        match scanner.next() {
            Ok(None) => break None,
            Err(fault) => break Some(fault),
            Ok(Some(token)) => {
                if let Err(fault) = skimmer.token(&token, paths) {
                    break Some(fault);
                }
            }
        }
    };
    let mark = scanner
        .had_byte_order_mark()
        .then(|| Finding::new(&JSON_BOM, "the file begins with a byte-order mark").at(Place { file, offset: 0 }));
    let mut findings = skimmer.duplicates.findings(file);
    findings.extend(fault.map(|fault| fault.finding(file)));
    if findings.is_empty() {
        return Ok(Outline {
            tape: skimmer.tape,
            notes: mark.into_iter().collect(),
            leaves: skimmer.leaves,
            selected: skimmer.selected,
        });
    }
    findings.splice(0..0, mark);
    Err(findings)
}

/// What the first pass gathers.
struct Skimmer<'s> {
    matcher: Matcher<'s>,
    names: Names,
    duplicates: Duplicates,
    builder: Builder,
    tape: Tape,
    selected: Vec<u64>,
    leaves: u64,
    /// Whether the token before this one opened a container.
    opened: bool,
    /// How many containers lie around the record that the scanner is in, which is checked but not kept.
    record: Option<usize>,
    scratch: Zeroizing<String>,
}

impl<'s> Skimmer<'s> {
    fn new(selections: &[&'s Selection], sensitive: bool) -> Self {
        Self {
            matcher: Matcher::new(selections.to_vec()),
            names: Names::default(),
            duplicates: Duplicates::default(),
            builder: Builder::default(),
            tape: Tape::new(sensitive),
            selected: vec![0; selections.len()],
            leaves: 0,
            opened: false,
            record: None,
            scratch: Zeroizing::default(),
        }
    }

    #[inline]
    fn token(&mut self, token: &Token<'_>, paths: &mut Paths) -> Result<(), Fault> {
        self.count_leaf(token);
        match token.event {
            Event::Name(text) => {
                let name = text.decode(&mut self.scratch);
                if let Some(first) = self.names.insert(name, token.at) {
                    self.duplicates.note(name, first, token.at);
                }
                if self.record.is_none() {
                    self.builder.name(name);
                }
                self.matcher.name(name);
                Ok(())
            }
            Event::ObjectStart => {
                self.value(token, Outer::Object, paths)?;
                self.names.open();
                self.matcher.open(true);
                Ok(())
            }
            Event::ArrayStart => {
                self.value(token, Outer::Array, paths)?;
                self.matcher.open(false);
                Ok(())
            }
            Event::ObjectEnd => {
                self.names.close();
                self.close(token, paths)
            }
            Event::ArrayEnd => self.close(token, paths),
            _ => self.value(token, Outer::Scalar, paths),
        }
    }

    /// A scalar is a leaf, and so is a container that closes right after it opened.
    #[inline]
    fn count_leaf(&mut self, token: &Token<'_>) {
        let opened = std::mem::replace(&mut self.opened, false);
        match token.event {
            Event::ObjectStart | Event::ArrayStart => self.opened = true,
            Event::ObjectEnd | Event::ArrayEnd => self.leaves += u64::from(opened),
            Event::Name(_) => {}
            _ => self.leaves += 1,
        }
    }

    #[inline]
    fn value(&mut self, token: &Token<'_>, outer: Outer, paths: &mut Paths) -> Result<(), Fault> {
        let mut is_record = false;
        self.matcher.value(|number| {
            is_record = true;
            self.selected[number] += 1;
        });
        if self.record.is_some() {
            return Ok(());
        }
        if !is_record {
            return self.builder.token(token, &mut self.tape, paths);
        }
        if outer != Outer::Scalar {
            self.record = Some(self.matcher.depth());
        }
        self.builder.record(outer, token.at, &mut self.tape, paths)
    }

    #[inline]
    fn close(&mut self, token: &Token<'_>, paths: &mut Paths) -> Result<(), Fault> {
        self.matcher.close();
        match self.record {
            Some(depth) if depth == self.matcher.depth() => self.record = None,
            Some(_) => {}
            None => self.builder.token(token, &mut self.tape, paths)?,
        }
        Ok(())
    }
}

/// Members of one name.
#[derive(Default)]
struct Duplicates {
    /// Each with the offset of the first member of its name.
    faults: Vec<(Fault, u64)>,
    more: u64,
}

impl Duplicates {
    fn note(&mut self, name: &str, first: u64, at: u64) {
        if self.faults.len() == MOST_DUPLICATES {
            self.more += 1;
            return;
        }
        let message = format!("duplicate member `{}`", shortened(name));
        self.faults.push((Fault::new(&JSON_DUPLICATE, at, message), first));
    }

    fn findings(self, file: FileId) -> Vec<Finding> {
        let last = self.faults.last().map_or(0, |(fault, _)| fault.at);
        let located = |(fault, first): (Fault, u64)| fault.finding(file).also(Some(Place { file, offset: first }));
        let mut findings: Vec<_> = self.faults.into_iter().map(located).collect();
        if self.more > 0 {
            let message = format!("{} more duplicate members follow", self.more);
            findings.push(Fault::new(&JSON_DUPLICATE, last, message).finding(file));
        }
        findings
    }
}

/// A member name for a message: printable, and not longer than a line can hold.
fn shortened(name: &str) -> String {
    const MOST: usize = 60;
    let cut = name.char_indices().nth(MOST).map_or(name.len(), |(at, _)| at);
    format!("{}{}", printable(&name[..cut]), if cut < name.len() { "…" } else { "" })
}
