//! The second pass over a file: its records, one after the other.

use super::build::Builder;
use super::json::{Event, Fault, Scanner};
use super::read::Opened;
use super::select::Matcher;
use crate::document::tape::{FromJson, Segment, Selection, Tape};
use crate::finding::{FileId, Finding};
use std::ops::Range;
use zeroize::Zeroizing;

/// The selection that selects the document itself.
static DOCUMENT: Selection = Selection(Vec::new());

/// A record of a file.
#[derive(Debug)]
pub struct Record {
    /// The record; its root is path 0.
    pub tape: Tape,
    /// Its number in the file, from 1; in a file of lines see [`Record::of_line`].
    pub number: u64,
    /// The member names that the selection's `.*` matched, from the outermost to the innermost.
    pub names: Vec<String>,
    /// The bytes of the file it is written with.
    pub span: Range<u64>,
}

impl Record {
    /// The member name that the selection's last `.*` matched.
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(String::as_str)
    }

    /// The number of the record of this number in a line: of one that is its line, 0.
    pub fn of_line(line: u64, number: u64) -> u64 {
        line << 32 | number
    }

    /// Its place in what selects it, from 1: the records of its document, or the lines where it is one.
    pub fn position(&self) -> u64 {
        match self.number & u64::from(u32::MAX) {
            0 => self.number >> 32,
            number => number,
        }
    }

    /// The number of the line that it is a part of, where it is one.
    pub fn in_line(&self) -> Option<u64> {
        Some(self.number >> 32).filter(|line| *line > 0 && self.number & u64::from(u32::MAX) > 0)
    }

    /// About how many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        self.tape.memory() + size_of::<Self>()
    }
}

/// The records of a file, in its order.
pub struct Records<'o> {
    scanner: Scanner<'o>,
    selection: &'o Selection,
    matcher: Matcher<'o>,
    builder: Builder<'o>,
    file: FileId,
    number: u64,
    scratch: Zeroizing<String>,
    names: Vec<String>,
}

impl std::fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Records({} so far)", self.number)
    }
}

/// Reads what the selection selects, record by record; without one the document is the one record.
///
/// Duplicate members are not looked for again: a file is [skimmed](super::skim::skim) first.
///
/// # Errors
/// A finding when the file cannot be read from its start.
pub fn records<'o>(opened: &'o mut Opened, selection: Option<&'o Selection>) -> Result<Records<'o>, Finding> {
    opened.rewind()?;
    let FromJson { record, frame } = &*opened.from_json;
    let of_frame = frame.iter().filter(|_| selection.is_none());
    let builder = Builder::unfolding(record.iter().chain(of_frame), opened.limits);
    let selection = selection.unwrap_or(&DOCUMENT);
    Ok(Records {
        file: opened.file(),
        scanner: Scanner::within(&mut opened.window, opened.limits.depth, opened.limits.replace),
        selection,
        matcher: Matcher::new(vec![selection]),
        builder,
        number: 0,
        scratch: Zeroizing::default(),
        names: vec![String::new(); members(&selection.0)],
    })
}

impl Records<'_> {
    /// The next record, on this tape, whose content is forgotten before; `None` after the last.
    ///
    /// # Errors
    /// A finding when the file cannot be read on. It must not be read further then.
    pub fn take(&mut self, mut tape: Tape) -> Result<Option<Record>, Finding> {
        tape.clear();
        let span = self.advance(&mut tape).map_err(|fault| fault.finding(self.file))?;
        Ok(span.map(|span| {
            self.number += 1;
            Record { tape, number: self.number, names: self.names.clone(), span }
        }))
    }

    fn advance(&mut self, tape: &mut Tape) -> Result<Option<Range<u64>>, Fault> {
        loop {
            let Some(token) = self.scanner.next()? else { return Ok(None) };
            let opens = match token.event {
                Event::Name(text) => {
                    self.matcher.name(text.decode(&mut self.scratch));
                    continue;
                }
                Event::ObjectEnd | Event::ArrayEnd => {
                    self.matcher.close();
                    continue;
                }
                Event::ObjectStart => Some(true),
                Event::ArrayStart => Some(false),
                _ => None,
            };
            let mut is_record = false;
            self.matcher.value(|_| is_record = true);
            if let Some(name) = self.matcher.last_name(is_record) {
                keep_name(&mut self.names, &self.selection.0[..self.matcher.depth()], name);
            }
            if is_record {
                self.builder.token(&token, tape)?;
                let start = token.at;
                let mut end = token.end;
                while !self.builder.is_complete() {
                    let token = self.scanner.next()?.expect("a document does not end inside a value");
                    self.builder.token(&token, tape)?;
                    end = token.end;
                }
                return Ok(Some(start..end));
            }
            if let Some(object) = opens {
                self.matcher.open(object);
            }
        }
    }
}

/// Notes the name of a member that these segments of the selection led to, if the last is a `.*`.
pub(super) fn keep_name(names: &mut [String], segments: &[Segment], name: &str) {
    if segments.last() == Some(&Segment::Members) {
        name.clone_into(&mut names[members(segments) - 1]);
    }
}

/// How many of the segments are `.*`.
pub(super) fn members(segments: &[Segment]) -> usize {
    segments.iter().filter(|segment| **segment == Segment::Members).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tape::Paths;
    use crate::source::read::{Limits, skim};

    fn selection(path: &str) -> Selection {
        Selection(
            path.split_whitespace()
                .map(|segment| match segment {
                    "*" => Segment::Members,
                    "[*]" => Segment::Elements,
                    name => Segment::Name(name.to_owned()),
                })
                .collect(),
        )
    }

    /// Each record as `names: JSON @ span`.
    fn read(text: &str, path: Option<&str>) -> Vec<String> {
        let selection = path.map(selection);
        let mut opened = Opened::of_bytes(FileId(0), text.as_bytes().to_vec(), Limits::default());
        let mut records = records(&mut opened, selection.as_ref()).unwrap();
        let mut read = Vec::new();
        while let Some(record) = records.take(Tape::new(false)).unwrap() {
            let mut json = String::new();
            record.tape.root().write_json(&mut json, &|_| false);
            assert_eq!(record.number, read.len() as u64 + 1);
            assert_eq!(record.tape.root().name(), None);
            read.push(format!("{}: {json} @ {:?}", record.names.join("/"), record.span));
        }
        read
    }

    #[test]
    fn without_a_selection_the_document_is_the_record() {
        assert_eq!(read(" [1, 2] ", None), [": [1,2] @ 1..7"]);
        assert_eq!(read("7", Some("")), [": 7 @ 0..1"]);
    }

    #[test]
    fn elements_and_members_are_selected() {
        let text = r#"{"a": [1, {"b": 2}], "c": {"x": 3, "y\n": [4]}}"#;
        assert_eq!(read(text, Some("a [*]")), [": 1 @ 7..8", ": {\"b\":2} @ 10..18"]);
        assert_eq!(read(text, Some("c *")), ["x: 3 @ 32..33", "y\n: [4] @ 42..45"]);
        assert_eq!(read(text, Some("* [*]")), ["a: 1 @ 7..8", "a: {\"b\":2} @ 10..18"]);
        assert_eq!(read(text, Some("* *")), ["c/x: 3 @ 32..33", "c/y\n: [4] @ 42..45"]);
        assert_eq!(read(text, Some("c * [*]")), ["y\n: 4 @ 43..44"]);
        assert_eq!(read(text, Some("c")).len(), 1);
    }

    /// What a skim keeps is what is read afterwards, whichever of several selections it belongs to.
    #[test]
    fn records_that_a_skim_keeps_are_those_that_are_read() {
        let text =
            r#"{"a": {"x": [1, {"b": 2}], "y": []}, "c": {"x": 3, "y\n": [4, {"z": {}}]}, "d": [[5], {"e": null}]}"#;
        let said = |record: &Record| {
            let mut json = String::new();
            record.tape.root().write_json(&mut json, &|_| false);
            (record.number, record.names.clone(), json, record.span.clone())
        };
        for (path, others) in [
            ("c *", &["none *"][..]),
            ("d [*]", &["none", "x [*]"]),
            ("a * [*]", &["* q"]),
            ("* y", &["a none *"]),
            ("none *", &["c q", "* q *"]),
        ] {
            let all: Vec<Selection> = [path].iter().chain(others).map(|path| selection(path)).collect();
            let mut opened = Opened::of_bytes(FileId(0), text.as_bytes().to_vec(), Limits::default());
            let outline = skim(&mut opened, &all.iter().collect::<Vec<_>>(), true).unwrap();
            assert!(outline.selected[1..].iter().all(|count| *count == 0), "{path}");
            let kept: Vec<_> = outline.records.unwrap().iter().map(said).collect();
            let (mut records, mut read) = (records(&mut opened, Some(&all[0])).unwrap(), Vec::new());
            while let Some(record) = records.take(Tape::new(false)).unwrap() {
                read.push(said(&record));
            }
            assert_eq!(kept, read, "{path}");
        }
    }

    #[test]
    fn records_that_take_many_times_the_memory_of_their_file_are_not_kept() {
        let text = format!("[{}1]", "1,".repeat(100_000));
        let elements = selection("[*]");
        let mut opened = Opened::of_bytes(FileId(0), text.into_bytes(), Limits::default());
        let outline = skim(&mut opened, &[&elements], true).unwrap();
        assert_eq!((outline.selected, outline.records.is_none()), (vec![100_001], true));
    }

    #[test]
    fn a_selection_of_another_kind_selects_nothing() {
        for path in ["[*]", "a *", "a x", "c [*]", "none", "a [*] b c", "c x *"] {
            assert_eq!(read(r#"{"a": [1, {"b": 2}], "c": {"x": 3}}"#, Some(path)), [""; 0], "{path}");
        }
    }

    #[test]
    fn paths_begin_at_the_record() {
        let mut opened = Opened::of_bytes(FileId(0), br#"[{"a": [1]}, {"a": [2]}]"#.to_vec(), Limits::default());
        let elements = selection("[*]");
        let mut records = records(&mut opened, Some(&elements)).unwrap();
        let mut paths = Paths::new();
        while let Some(mut record) = records.take(Tape::new(false)).unwrap() {
            record.tape.number_paths(&mut paths);
            let shown: Vec<_> = record.tape.nodes().map(|node| paths.show(node.path())).collect();
            assert_eq!(shown, [".", "a", "a[*]"]);
        }
        assert_eq!(paths.len(), 3);
    }
}
