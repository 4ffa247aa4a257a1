//! The first pass over a file: it checks the whole and keeps what is outside the records. Of a small file it keeps
//! the records too, so that it is the only pass.

use super::build::Builder;
use super::json::{Event, Fault, Scanner, Token};
use super::limits::Replace;
use super::names::Names;
use super::read::Opened;
use super::records::{Record, keep_name, members};
use super::select::Matcher;
use super::string::Text;
use crate::document::tape::{FromJson, Outer, Selection, Tape};
use crate::finding::{FileId, Finding, JSON_BOM, JSON_DUPLICATE, Place, STRING_ODD, printable};
use std::ops::Range;
use zeroize::Zeroizing;

/// Kept records may take so many times the memory of their file: those of long lists of short values would take more.
const MOST_MEMORY: usize = 16;

/// So many duplicates, and odd characters, of one file are reported one by one, the rest as a number.
const MOST_TOLD: usize = 1_000;

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
    /// What the selections select, where that was to be kept and did not take too much memory. Where two select one
    /// value, or one inside another, it is no use to any of them.
    pub records: Option<Vec<Record>>,
    /// Where the document is.
    pub span: Range<u64>,
}

/// Checks a whole file, and keeps all of it that none of the selections selects.
///
/// To be called again with fewer selections is fine. What the selections select is kept if `keep` asks for it.
///
/// # Errors
/// Findings, sorted by place: everything that is wrong up to the first fault that ends reading.
pub fn skim(opened: &mut Opened, selections: &[&Selection], keep: bool) -> Result<Outline, Vec<Finding>> {
    opened.rewind().map_err(|finding| vec![finding])?;
    let file = opened.file();
    let (FromJson { record, frame }, limits) = (&*opened.from_json, opened.limits);
    let of_record = record.iter().filter(|_| opened.whole);
    let builder = Builder::unfolding(frame.iter().chain(of_record), limits);
    let mut skimmer = Skimmer::new(selections, opened.limits.sensitive, builder);
    let most = MOST_MEMORY * opened.extent() + (1 << 16);
    skimmer.odd = limits.replace.tells().then(|| Odd { replace: limits.replace, places: Vec::new(), more: 0 });
    skimmer.expect(opened.extent());
    let of_records = || Builder::unfolding(record.iter(), limits);
    skimmer.keeper = keep.then(|| Keeper::new(selections, opened.limits.sensitive, most, of_records()));
    let (mut end, start) = (0, opened.window.start());
    let mut scanner = Scanner::within(&mut opened.window, limits.depth, limits.replace);
    let fault = loop {
        match scanner.next() {
            Ok(None) => break None,
            Err(fault) => break Some(fault),
            Ok(Some(token)) => {
                end = token.end;
                if let Err(fault) = skimmer.token(&token) {
                    break Some(fault);
                }
            }
        }
    };
    let mark = scanner
        .had_byte_order_mark()
        .then(|| Finding::new(&JSON_BOM, "the file begins with a byte-order mark").at(Place { file, offset: start }));
    let mut findings = skimmer.duplicates.findings(file);
    findings.extend(fault.map(|fault| fault.finding(file)));
    skimmer.names.put_back();
    if findings.is_empty() {
        return Ok(Outline {
            span: skimmer.tape.root().at()..end,
            tape: skimmer.tape,
            notes: mark.into_iter().chain(skimmer.odd.into_iter().flat_map(|odd| odd.findings(file))).collect(),
            leaves: skimmer.leaves,
            selected: skimmer.selected,
            records: skimmer.keeper.map(|keeper| keeper.records),
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
    /// What in strings not every database keeps, where the set says what becomes of it.
    odd: Option<Odd>,
    builder: Builder<'s>,
    tape: Tape,
    selected: Vec<u64>,
    leaves: u64,
    /// Whether the token before this one opened a container.
    opened: bool,
    /// How many containers lie around the record that the scanner is in, which is checked but not kept.
    record: Option<usize>,
    /// Where records are kept, if they are.
    keeper: Option<Keeper<'s>>,
    scratch: Zeroizing<String>,
}

impl<'s> Skimmer<'s> {
    fn new(selections: &[&'s Selection], sensitive: bool, builder: Builder<'s>) -> Self {
        Self {
            matcher: Matcher::new(selections.to_vec()),
            names: Names::spare(),
            duplicates: Duplicates::default(),
            odd: None,
            builder,
            tape: Tape::new(sensitive),
            selected: vec![0; selections.len()],
            leaves: 0,
            opened: false,
            record: None,
            keeper: None,
            scratch: Zeroizing::default(),
        }
    }

    /// Makes room for a small document of so many bytes that is one record: its tape does not grow in many steps then.
    fn expect(&mut self, bytes: usize) {
        const SMALL: usize = 1 << 14;
        if self.selected.is_empty() && bytes <= SMALL {
            self.tape = Tape::with_room(self.tape.is_sensitive(), bytes, bytes / 32);
        }
    }

    #[inline]
    fn token(&mut self, token: &Token<'_>) -> Result<(), Fault> {
        self.count_leaf(token);
        if let (Some(odd), Event::Name(text) | Event::String(text)) = (&mut self.odd, token.event) {
            odd.note(text, token.at + 1);
        }
        match token.event {
            Event::Name(text) => {
                let name = text.decode(&mut self.scratch);
                if let Some(first) = self.names.insert(name, token.at) {
                    self.duplicates.note(name, first, token.at);
                }
                match (&self.record, &mut self.keeper) {
                    (None, _) => self.builder.name(name, !text.escaped),
                    (Some(_), Some(keeper)) => keeper.builder.name(name, !text.escaped),
                    (Some(_), None) => {}
                }
                self.matcher.name(name);
                Ok(())
            }
            Event::ObjectStart => {
                self.value(token, Outer::Object)?;
                self.names.open();
                self.matcher.open(true);
                Ok(())
            }
            Event::ArrayStart => {
                self.value(token, Outer::Array)?;
                self.matcher.open(false);
                Ok(())
            }
            Event::ObjectEnd => {
                self.names.close();
                self.close(token)
            }
            Event::ArrayEnd => self.close(token),
            _ => self.value(token, Outer::Scalar),
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
    fn value(&mut self, token: &Token<'_>, outer: Outer) -> Result<(), Fault> {
        let mut record = None;
        self.matcher.value(|number| {
            record = Some(number);
            self.selected[number] += 1;
        });
        if self.record.is_some() {
            return self.keeper.as_mut().map_or(Ok(()), |keeper| keeper.token(token));
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.reach(&self.matcher, record.is_some());
        }
        let Some(number) = record else { return self.builder.token(token, &mut self.tape) };
        if self.keeper.as_ref().is_some_and(|keeper| keeper.memory > keeper.most) {
            self.keeper = None;
        }
        if let Some(keeper) = &mut self.keeper {
            (keeper.number, keeper.start) = (number, token.at);
            keeper.token(token)?;
        }
        if outer != Outer::Scalar {
            self.record = Some(self.matcher.depth());
        }
        self.builder.record(outer, token.at, &mut self.tape)
    }

    #[inline]
    fn close(&mut self, token: &Token<'_>) -> Result<(), Fault> {
        self.matcher.close();
        let Some(depth) = self.record else { return self.builder.token(token, &mut self.tape) };
        if depth == self.matcher.depth() {
            self.record = None;
        }
        self.keeper.as_mut().map_or(Ok(()), |keeper| keeper.token(token))
    }
}

/// Keeps records as they come by.
struct Keeper<'s> {
    selections: Vec<&'s Selection>,
    builder: Builder<'s>,
    /// That of the record at hand.
    tape: Tape,
    /// The number of its selection.
    number: usize,
    /// Where it begins.
    start: u64,
    /// By selection, the names on the way.
    names: Vec<Vec<String>>,
    records: Vec<Record>,
    /// How many bytes of memory they take, and how many they may take.
    memory: usize,
    most: usize,
}

impl<'s> Keeper<'s> {
    fn new(selections: &[&'s Selection], sensitive: bool, most: usize, builder: Builder<'s>) -> Self {
        Self {
            selections: selections.to_vec(),
            builder,
            tape: Tape::new(sensitive),
            number: 0,
            start: 0,
            names: selections.iter().map(|selection| vec![String::new(); members(&selection.0)]).collect(),
            records: Vec::new(),
            memory: 0,
            most,
        }
    }

    /// Notes the name of a member on the way to a record.
    fn reach(&mut self, matcher: &Matcher<'_>, is_record: bool) {
        let Some(name) = matcher.last_name(is_record) else { return };
        for (names, selection) in self.names.iter_mut().zip(&self.selections) {
            keep_name(names, selection.0.get(..matcher.depth()).unwrap_or_default(), name);
        }
    }

    /// Takes a token of a record.
    fn token(&mut self, token: &Token<'_>) -> Result<(), Fault> {
        self.builder.token(token, &mut self.tape)?;
        if self.builder.is_complete() {
            let next = self.tape.another();
            let tape = std::mem::replace(&mut self.tape, next);
            let number = self.records.len() as u64 + 1;
            let names = self.names.get(self.number).cloned().unwrap_or_default();
            let record = Record { tape, number, names, span: self.start..token.end };
            self.memory += record.memory();
            self.records.push(record);
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
        if self.faults.len() == MOST_TOLD {
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

/// Half surrogate pairs, and U+0000, in the order of the file.
struct Odd {
    replace: Replace,
    places: Vec<(u64, bool)>,
    more: u64,
}

impl Odd {
    fn note(&mut self, text: Text<'_>, start: u64) {
        for (at, is_nul) in text.odd() {
            if self.places.len() == MOST_TOLD {
                self.more += 1;
            } else {
                self.places.push((start + at, is_nul));
            }
        }
    }

    fn findings(self, file: FileId) -> Vec<Finding> {
        let last = self.places.last().map_or(0, |(at, _)| *at);
        let mut findings: Vec<Finding> =
            self.places.into_iter().map(|place| self.replace.finding(file, place)).collect();
        if self.more > 0 {
            let message = format!("{} more such characters follow", self.more);
            findings.push(Finding::new(&STRING_ODD, message).at(Place { file, offset: last }));
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
