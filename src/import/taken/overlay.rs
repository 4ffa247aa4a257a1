//! A record as it was edited in the reject folder, laid over that of its file: what was edited wins, secrets are those
//! of the file, and every value has the place of the one that it stands for.

use super::entry::Entry;
use crate::document::json::write_json_string;
use crate::document::tape::{FromJson, Kind, NodeRef, Selection, Tape};
use crate::finding::{FileId, Finding};
use crate::hex;
use crate::source::{self, Limits, Opened, Record};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The member in whose place a secret stood.
const SECRET_AT: &str = "secret_at";

/// How the records of a file are read.
pub(crate) struct How<'h> {
    pub(crate) file: FileId,
    pub(crate) limits: Limits,
    pub(crate) from_json: &'h Arc<FromJson>,
    /// Whether the document is the record.
    pub(crate) is_whole: bool,
    /// The path of the file.
    pub(crate) path: &'h str,
}

/// JSON as a reject is written, however it is written here; else why it is none.
pub(crate) fn compact(json: &str) -> Result<String, &'static str> {
    let tape = parsed(json).map_err(|findings| findings.first().map_or("", |finding| finding.code.title))?;
    let mut out = String::new();
    tape.root().write_json(&mut out, &|_| false);
    Ok(out)
}

/// The digest of what [`compact`] gives.
pub(crate) fn digest_of(compact: &str) -> String {
    hex::encode(Sha256::digest(compact.as_bytes()))
}

fn parsed(json: &str) -> Result<Tape, Vec<Finding>> {
    let limits = Limits { depth: GREATEST_DEPTH, ..Limits::default() };
    let mut opened = Opened::of_bytes(FileId(0), json.as_bytes().to_vec(), limits);
    Ok(source::skim(&mut opened, &[], false)?.tape)
}

/// Deeper values are in no record.
const GREATEST_DEPTH: u32 = 127;

/// The record as it was edited. What is said where it cannot be made never holds a value.
pub(crate) fn overlaid(entry: &Entry, record: &Record, how: &How<'_>) -> Result<Record, String> {
    let fault = |finding: Finding| finding.code.title.to_owned();
    let edited = entry.value.as_deref().unwrap_or("null");
    let edited = parsed(edited).map_err(|mut all| all.pop().map_or(String::new(), fault))?;
    let root = record.tape.root();
    let (text, places) = Default::default();
    let mut over = Over { source: root, below: format!("{}#{}", how.path, entry.pointer), text, places };
    over.write(edited.root(), Some(root), root.at())?;
    let Over { mut text, places, .. } = over;
    let mut opened = Opened::of_line(how.file, 0, std::mem::take(&mut *text).into_bytes(), how.limits);
    opened.unfold(how.from_json, how.is_whole);
    let selection = Selection(Vec::new());
    let mut records = source::records(&mut opened, Some(&selection).filter(|_| !how.is_whole)).map_err(fault)?;
    let read = records.take(Tape::new(record.tape.is_sensitive())).map_err(fault)?;
    let mut tape = read.map(|read| read.tape).ok_or_else(|| "the value is empty".to_owned())?;
    // What a text holds has the place of the text.
    tape.move_places(|at| {
        let last = places.partition_point(|(written, _)| *written <= at).saturating_sub(1);
        places.get(last).map_or(at, |(_, place)| *place)
    });
    Ok(Record { tape, number: record.number, names: record.names.clone(), span: record.span.clone() })
}

/// A record that is being written over another one.
struct Over<'o> {
    source: NodeRef<'o>,
    /// What the places of its secrets begin with.
    below: String,
    text: Zeroizing<String>,
    /// Where each value begins in the text, and its place in the file.
    places: Vec<(u64, u64)>,
}

impl<'o> Over<'o> {
    /// Writes a value; `beside` is the one of the file at its place, `above` where the value around it is.
    fn write(&mut self, edited: NodeRef<'_>, beside: Option<NodeRef<'o>>, above: u64) -> Result<(), String> {
        let at = beside.map_or(above, NodeRef::at);
        self.places.push((self.text.len() as u64, at));
        if let Some(place) = secret_at(edited) {
            let secret = place.strip_prefix(&self.below).and_then(|pointer| find(self.source, pointer));
            let secret = secret.ok_or_else(|| format!("`{SECRET_AT}` leads to nothing of this record"))?;
            self.copy(secret);
            return Ok(());
        }
        match edited.kind() {
            kind @ (Kind::Array | Kind::Object) => {
                let (open, close) = if kind == Kind::Array { ('[', ']') } else { ('{', '}') };
                self.text.push(open);
                let mut elements =
                    beside.filter(|beside| beside.kind() == Kind::Array).into_iter().flat_map(NodeRef::children);
                for (number, child) in edited.children().enumerate() {
                    if number > 0 {
                        self.text.push(',');
                    }
                    let beside = match child.name() {
                        Some(name) => {
                            write_json_string(&mut self.text, name);
                            self.text.push(':');
                            beside.and_then(|beside| beside.member(name))
                        }
                        None => elements.next(),
                    };
                    self.write(child, beside, at)?;
                }
                self.text.push(close);
            }
            _ => edited.write_json(&mut self.text, &|_| false),
        }
        Ok(())
    }

    fn copy(&mut self, secret: NodeRef<'_>) {
        // The text grows as it is needed, and what it leaves behind in memory is not overwritten: make room first.
        let mut larger = Zeroizing::new(String::with_capacity(2 * (self.text.len() + 6 * secret.text_len() + 64)));
        larger.push_str(&self.text);
        secret.write_json(&mut larger, &|_| false);
        self.text = larger;
    }
}

/// The place of the secret in whose place this stands.
pub(crate) fn secret_at<'n>(node: NodeRef<'n>) -> Option<&'n str> {
    let mut members = node.children();
    let only = members.next().filter(|member| node.kind() == Kind::Object && member.name() == Some(SECRET_AT))?;
    (members.next().is_none() && only.kind() == Kind::String).then(|| only.text())
}

/// The value of a JSON Pointer.
fn find<'n>(root: NodeRef<'n>, pointer: &str) -> Option<NodeRef<'n>> {
    if pointer.is_empty() {
        return Some(root);
    }
    pointer.strip_prefix('/')?.split('/').try_fold(root, |node, step| match node.kind() {
        Kind::Array => node.element(step.parse().ok()?),
        _ => node.member(&step.replace("~1", "/").replace("~0", "~")),
    })
}

/// Whether at least half of what a reject holds stands at the same places of a record.
pub(super) fn is_alike(value: &str, record: NodeRef<'_>) -> bool {
    let Ok(value) = parsed(value) else { return false };
    let (mut alike, mut all) = (0_u64, 0_u64);
    compare(value.root(), Some(record), &mut |same| {
        alike += u64::from(same);
        all += 1;
    });
    alike * 2 >= all
}

fn compare(one: NodeRef<'_>, other: Option<NodeRef<'_>>, tell: &mut impl FnMut(bool)) {
    if secret_at(one).is_some() {
        return tell(other.is_some());
    }
    if one.is_leaf() {
        return tell(other.is_some_and(|other| (one.kind(), one.text()) == (other.kind(), other.text())));
    }
    let mut elements = other.filter(|other| other.kind() == Kind::Array).into_iter().flat_map(NodeRef::children);
    for child in one.children() {
        let beside = match child.name() {
            Some(name) => other.and_then(|other| other.member(name)),
            None => elements.next(),
        };
        compare(child, beside, tell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: &str) -> Entry {
        let (line, text, span, number, written) = (1, String::new(), None, 1, None);
        Entry { line, text, pointer: "/0".into(), span, number, value: Some(value.into()), written, is_edited: true }
    }

    /// The record as it is laid over the only one of a file, each leaf with its place.
    fn over(file: &str, value: &str) -> Result<Vec<String>, String> {
        let elements = Selection(vec![crate::document::tape::Segment::Elements]);
        let mut opened = Opened::of_bytes(FileId(0), file.as_bytes().to_vec(), Limits::default());
        let record = source::records(&mut opened, Some(&elements)).unwrap().take(Tape::new(true)).unwrap().unwrap();
        let from_json = Arc::default();
        let (limits, path) = (Limits::default(), "a.json");
        let how = How { file: FileId(0), limits, from_json: &from_json, is_whole: false, path };
        let merged = overlaid(&entry(value), &record, &how)?;
        let shown = |node: NodeRef<'_>| format!("{} {:?} {}", node.at(), node.name(), node.text());
        Ok(merged.tape.nodes().map(shown).collect())
    }

    #[test]
    fn what_was_edited_wins_and_has_the_place_of_what_it_stands_for() {
        let found = over(r#"[{"a": "x", "b": [1, 2]}]"#, r#"{"b": [1, 3, {"n": 1.50}], "a": "y"}"#).unwrap();
        let expected = [
            "1 None ",
            "17 Some(\"b\") ",
            "18 None 1",
            "21 None 3",
            "17 None ",
            "17 Some(\"n\") 1.50",
            "7 Some(\"a\") y",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_secret_is_that_of_the_file() {
        let found = over(r#"[{"p": {"q/": "pass\n"}}]"#, r#"{"p": {"q/": {"secret_at": "a.json#/0/p/q~1"}}}"#).unwrap();
        assert_eq!(found.last().unwrap(), "14 Some(\"q/\") pass\n");
        for wrong in ["a.json#/0/x", "b.json#/0/p", "a.json#/1/p", "/0/p"] {
            let said = over(r#"[{"p": 1}]"#, &format!(r#"{{"p": {{"secret_at": "{wrong}"}}}}"#)).unwrap_err();
            assert_eq!(said, "`secret_at` leads to nothing of this record", "{wrong}");
        }
    }

    #[test]
    fn a_value_is_known_by_what_it_says_and_not_by_how_it_is_written() {
        assert_eq!(compact(" { \"a\" : [ 1.50 , \"\\u0061\" ] } ").unwrap(), r#"{"a":[1.50,"a"]}"#);
        assert_eq!(compact("{\"a\": 1, \"a\": 2}").unwrap_err(), "an object has two members with the same name");
        assert!(compact("{").is_err());
    }

    #[test]
    fn records_are_alike_where_half_of_them_is() {
        let tape = parsed(r#"{"id": 1, "name": "Ann", "at": "x"}"#).unwrap();
        for (value, alike) in [
            (r#"{"id": 1, "name": "Ann"}"#, true),
            (r#"{"id": 1, "name": "Bob"}"#, true),
            (r#"{"id": 2, "name": "Bob", "at": "x"}"#, false),
            (r#"{"id": 1, "name": {"secret_at": "f#/name"}}"#, true),
        ] {
            assert_eq!(is_alike(value, tape.root()), alike, "{value}");
        }
    }
}
