//! The reader says the same as an independent strict parser, over mutated documents and for windows
//! of all sizes. CI tries the same few documents each time; `--ignored` many, and others each time.

use super::{Limits, Opened, records, skim};
use crate::document::tape::{Kind, NodeRef, Tape};
use crate::finding::{FileId, Finding};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A JSON value with every member in order and every number as it is written.
#[derive(Debug, Clone, PartialEq)]
enum Doc {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Doc>),
    Object(Vec<(String, Doc)>),
}

/// The other parser: serde_json, with the checks that it leaves out.
mod independent {
    use super::Doc;
    use crate::source::limits::DEFAULT_DEPTH;
    use serde::de::{Deserializer as _, Error, MapAccess, SeqAccess, Visitor};
    use serde_json::value::RawValue;

    /// The document of a file; `None` when it is not valid.
    pub(super) fn parse(bytes: &[u8]) -> Option<Doc> {
        let text = std::str::from_utf8(bytes).ok()?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        value(serde_json::from_str::<&RawValue>(text).ok()?.get(), 0).ok()
    }

    /// A `RawValue` was checked for its brackets and numbers alone: its depth, its strings and the
    /// names of its members are checked here.
    fn value(text: &str, depth: u32) -> serde_json::Result<Doc> {
        let depth = depth + u32::from(text.starts_with(['{', '[']));
        if depth > DEFAULT_DEPTH {
            return Err(Error::custom("too deep"));
        }
        Ok(match text.as_bytes()[0] {
            b'{' => serde_json::Deserializer::from_str(text).deserialize_map(Members(depth))?,
            b'[' => serde_json::Deserializer::from_str(text).deserialize_seq(Elements(depth))?,
            b'"' => Doc::Text(serde_json::from_str(text)?),
            b'n' => Doc::Null,
            b't' | b'f' => Doc::Bool(serde_json::from_str(text)?),
            _ => Doc::Number(text.to_owned()),
        })
    }

    struct Members(u32);

    impl<'de> Visitor<'de> for Members {
        type Value = Doc;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Doc, A::Error> {
            let mut members: Vec<(String, Doc)> = Vec::new();
            while let Some((name, raw)) = map.next_entry::<String, &RawValue>()? {
                if members.iter().any(|(known, _)| *known == name) {
                    return Err(Error::custom("a member twice"));
                }
                members.push((name, value(raw.get(), self.0).map_err(Error::custom)?));
            }
            Ok(Doc::Object(members))
        }
    }

    struct Elements(u32);

    impl<'de> Visitor<'de> for Elements {
        type Value = Doc;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Doc, A::Error> {
            let mut elements = Vec::new();
            while let Some(raw) = seq.next_element::<&RawValue>()? {
                elements.push(value(raw.get(), self.0).map_err(Error::custom)?);
            }
            Ok(Doc::Array(elements))
        }
    }
}

/// What this reader makes of a file: the document, or the code and offset of each finding.
fn read(bytes: &[u8], window: usize) -> Result<Doc, Vec<(&'static str, u64)>> {
    let mut opened = Opened::of_bytes(FileId(0), bytes.to_vec(), Limits { window, ..Limits::default() });
    let place = |finding: &Finding| (finding.code.id, finding.place.map_or(u64::MAX, |place| place.offset));
    skim(&mut opened, &[], false).map_err(|findings| findings.iter().map(place).collect::<Vec<_>>())?;
    let mut records = records(&mut opened, None).map_err(|finding| vec![place(&finding)])?;
    let record = records.take(Tape::new(false)).map_err(|finding| vec![place(&finding)])?;
    Ok(doc(record.expect("the document is a record").tape.root()))
}

fn doc(node: NodeRef<'_>) -> Doc {
    match node.kind() {
        Kind::Null => Doc::Null,
        Kind::Bool(value) => Doc::Bool(value),
        Kind::Number => Doc::Number(node.text().to_owned()),
        Kind::String => Doc::Text(node.text().to_owned()),
        Kind::Array => Doc::Array(node.children().map(doc).collect()),
        Kind::Object => {
            let member = |child: NodeRef<'_>| (child.name().unwrap_or_default().to_owned(), doc(child));
            Doc::Object(node.children().map(member).collect())
        }
        Kind::Record(_) => unreachable!("nothing was selected"),
    }
}

/// The text of a document, in one of many ways to write it.
fn documents() -> impl Strategy<Value = String> {
    let blank = || select(vec!["", "", "", " ", "\n  ", "\t", "\r\n"]);
    let number = select(
        "0 -0 7 -12 1.50 0.1 1e5 1E+05 2.5e-3 9007199254740993 1e400 123456789012345678901234567890 -0.0"
            .split(' ')
            .collect::<Vec<_>>(),
    );
    let escapes = r#"\n \" \\ \/ \u0041 \u00e9 \ud83d\ude00 \u0000"#;
    let plain = "a Z 9 ü € 😀 \u{2028} \u{7f} { ] , :";
    let character = select(plain.split(' ').chain(escapes.split(' ')).chain([" "]).collect::<Vec<_>>());
    let text =
        move || proptest::collection::vec(character.clone(), 0..6).prop_map(|parts| format!("\"{}\"", parts.concat()));
    let scalar = prop_oneof![
        select(vec!["null", "true", "false"]).prop_map(str::to_owned),
        number.prop_map(str::to_owned),
        text(),
    ];
    let value = scalar.prop_recursive(5, 40, 6, move |inner| {
        let spaced = (blank(), inner, blank()).prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        let member = (blank(), text(), blank(), spaced.clone())
            .prop_map(|(before, name, after, value)| format!("{before}{name}{after}:{value}"));
        prop_oneof![
            proptest::collection::vec(spaced, 0..6).prop_map(|elements| format!("[{}]", elements.join(","))),
            proptest::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    });
    let mark = select(vec!["", "", "", "", "\u{feff}"]);
    let nesting = prop_oneof![9 => Just(0_usize), 1 => 55..70_usize];
    (mark, nesting, value)
        .prop_map(|(mark, depth, value)| format!("{mark}{}{value}{}", "[".repeat(depth), "]".repeat(depth)))
}

/// A change to the bytes of a document.
#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    Replace(Index, u8),
    Delete(Index, usize),
    Insert(Index, &'static [u8]),
    Truncate(Index),
    /// A part of the document once more, somewhere else.
    Splice(Index, Index, usize),
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        match self {
            Mutation::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Mutation::Replace(at, byte) => bytes[at.index(length)] = *byte,
            Mutation::Delete(at, count) => {
                let start = at.index(length);
                bytes.drain(start..(start + count).min(length));
            }
            Mutation::Insert(at, part) => {
                let at = at.index(length + 1);
                bytes.splice(at..at, part.iter().copied());
            }
            Mutation::Truncate(at) => bytes.truncate(at.index(length)),
            Mutation::Splice(from, to, count) => {
                let start = from.index(length);
                let part = bytes[start..(start + count).min(length)].to_vec();
                let to = to.index(length + 1);
                bytes.splice(to..to, part);
            }
        }
    }
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let at = any::<Index>;
    let parts: Vec<&'static [u8]> = vec![
        b"\"",
        b"\\",
        b",",
        b":",
        b"[",
        b"]",
        b"{",
        b"}",
        b"0",
        b"-",
        b".",
        b"e",
        b"\\u",
        b"\\ud800",
        b"\\udc00",
        b"\0",
        b"\n",
        b"\x1f",
        b"\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xe2\x82",
        b"\xef\xbb\xbf",
        b"//",
        b"NaN",
        b"null",
        b"\"a\":1,",
        b",\"a\":1",
        b" ",
        b"\xc2\xa0",
    ];
    let one = prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        (at(), 1..5_usize).prop_map(|(at, length)| Mutation::Delete(at, length)),
        (at(), select(parts)).prop_map(|(at, part)| Mutation::Insert(at, part)),
        at().prop_map(Mutation::Truncate),
        (at(), at(), 1..12_usize).prop_map(|(from, to, length)| Mutation::Splice(from, to, length)),
    ];
    proptest::collection::vec(one, 0..4)
}

/// The law, for one document, its mutations and a window.
fn same_verdict((text, mutations, window): &(String, Vec<Mutation>, usize)) -> Result<(), TestCaseError> {
    let mut bytes = text.clone().into_bytes();
    mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
    let expected = independent::parse(&bytes);
    let whole = read(&bytes, Limits::default().window);
    prop_assert_eq!(whole.as_ref().ok(), expected.as_ref(), "{}", bytes.escape_ascii());
    for window in [1, 2, 3, *window] {
        prop_assert_eq!(&read(&bytes, window), &whole, "window of {}: {}", window, bytes.escape_ascii());
    }
    Ok(())
}

fn hold(cases: u32, rng: Option<TestRng>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = match rng {
        Some(rng) => TestRunner::new_with_rng(config, rng),
        None => TestRunner::new(config),
    };
    let held = runner.run(&(documents(), mutations(), 4..100_usize), |input| same_verdict(&input));
    held.unwrap_or_else(|broken| panic!("{broken}"));
}

#[test]
fn the_reader_agrees_with_an_independent_strict_parser() {
    hold(50, Some(TestRng::deterministic_rng(RngAlgorithm::ChaCha)));
}

#[test]
#[ignore = "takes about 15 seconds"]
fn the_reader_agrees_with_an_independent_strict_parser_often() {
    hold(20_000, None);
}

#[test]
fn the_independent_parser_is_strict() {
    for valid in ["[1,1.0,1e400]", "{\"a\":{\"a\":1}}", "\u{feff}\"\\ud83d\\ude00\"", " null "] {
        assert!(independent::parse(valid.as_bytes()).is_some(), "{valid}");
    }
    for invalid in [
        "",
        "{\"a\":1,\"\\u0061\":2}",
        "[\"\\ud800\"]",
        "[01]",
        "[1,]",
        "[1] 2",
        "{\"\\ud800\":1}",
        "[\"\n\"]",
        "[nul]",
        "[1.]",
    ] {
        assert!(independent::parse(invalid.as_bytes()).is_none(), "{invalid}");
    }
    assert!(independent::parse("[".repeat(65).as_bytes()).is_none());
    assert!(independent::parse([b"[".repeat(64), b"]".repeat(64)].concat().as_slice()).is_some());
    assert!(independent::parse([b"[".repeat(65), b"]".repeat(65)].concat().as_slice()).is_none());
}
