//! Hostile JSON by kind, as the public parser test suites sort it: structure, numbers, strings,
//! encodings, depth, trailing bytes, duplicates. Every input has one verdict, at one byte, whatever
//! the size of the window it is read through.

use super::{Limits, Opened, skim};
use crate::finding::{FileId, Finding};

/// Sizes at which tokens are cut at every byte, at some, and never.
const WINDOWS: [usize; 5] = [1, 2, 5, 16, 8 << 20];

/// The code and byte offset of everything that is reported, and whether the document is accepted.
type Outcome = (bool, Vec<(&'static str, u64)>);

fn read(bytes: &[u8], window: usize) -> Outcome {
    let limits = Limits { window, ..Limits::default() };
    let mut opened = Opened::of_bytes(FileId(0), bytes.to_vec(), limits);
    let places = |findings: Vec<Finding>| {
        findings.iter().map(|finding| (finding.code.id, finding.place.expect("a place").offset)).collect()
    };
    match skim(&mut opened, &[], false) {
        Ok(outline) => (true, places(outline.notes)),
        Err(findings) => (false, places(findings)),
    }
}

#[track_caller]
fn accepts(inputs: &[&[u8]]) {
    for input in inputs {
        for window in WINDOWS {
            assert_eq!(read(input, window), (true, vec![]), "`{}`, window of {window}", input.escape_ascii());
        }
    }
}

#[track_caller]
fn rejects(code: &'static str, inputs: &[(&[u8], u64)]) {
    for (input, at) in inputs {
        for window in WINDOWS {
            let expected = (false, vec![(code, *at)]);
            assert_eq!(read(input, window), expected, "`{}`, window of {window}", input.escape_ascii());
        }
    }
}

#[test]
fn every_form_of_structure_is_accepted() {
    accepts(&[
        b"[]",
        b"{}",
        b" \t\r\n[ \t\r\n] \t\r\n",
        b"[[],{},[[]]]",
        b"{\"\":0}",
        b"{\"a\" : [ 1 , 2 ] , \"b\" : { } }",
        b"{\"a\\u0000b\":1}",
        b"{\"a\":{\"a\":{\"a\":1}}}",
        b"[null,true,false,null]",
        b"[[[[1]]],[[{\"a\":[[]]}]]]",
        b"null",
        b"true",
        b"false",
        b"7",
        b"\"alone\"",
        b"\"\"",
        b" 7 ",
        b"7\n",
        b"{\"__proto__\":1,\"constructor\":2,\"$serde_json::private::Number\":\"3\"}",
    ]);
}

#[test]
fn every_form_of_number_is_accepted() {
    accepts(&[
        b"0",
        b"-0",
        b"-0.0",
        b"[0,-1,10,9007199254740993]",
        b"0e1",
        b"0e+1",
        b"0E-01",
        b"1E22",
        b"1e-2",
        b"1e+2",
        b"123.456e78",
        b"0.000000000000000000000000000000000001",
        b"123456789012345678901234567890",
        b"-123456789012345678901234567890.5",
        b"1e400",
        b"-1e-9999",
        b"1e99999999999999999999",
        b"[1,1.0,1.00]",
    ]);
}

#[test]
fn every_form_of_string_is_accepted() {
    accepts(&[
        br#""\"\\\/\b\f\n\r\t""#,
        br#""\u0041\u00e9\u20AC""#,
        br#""\ud83d\ude00\uDBFF\uDFFF""#,
        br#""\u0000""#,
        br#""\uffff\ufffe""#,
        br#""a/b // c /* d */""#,
        br#""\\\\""#,
        br#""\\u0041""#,
        b"\"\x7f\"",
        "\"ü€😀\u{80}\"".as_bytes(),
        "\"\u{2028}\u{2029}\u{feff}\u{fffe}\u{10ffff}\"".as_bytes(),
        "{\"ü\u{feff}\":\"\"}".as_bytes(),
        b"[\"]\",\"}\",\",\",\":\"]",
    ]);
}

#[test]
fn names_may_repeat_in_different_objects() {
    accepts(&[
        b"[{\"a\":1},{\"a\":2}]",
        b"{\"a\":{\"a\":1},\"b\":{\"a\":2}}",
        b"{\"a\":1,\"A\":2}",
        b"{\"\":1,\" \":2}",
        // Canonically equivalent, and two names all the same.
        "{\"\u{e9}\":1,\"e\u{301}\":2}".as_bytes(),
    ]);
}

#[test]
fn documents_that_end_early_are_truncated_at_their_last_byte() {
    let cut: [&[u8]; 39] = [
        b"[",
        b"{",
        b"[[",
        b"[1",
        b"[1,",
        b"[1, ",
        b"[\"a\"",
        b"[true",
        b"{\"a\"",
        b"{\"a\":",
        b"{\"a\":1",
        b"{\"a\":1,",
        b"{\"a\":{",
        b"{\"a\":[]",
        b"[{}",
        b"\"",
        b"\"abc",
        b"\"abc\\",
        b"\"\\u",
        b"\"\\u00",
        b"\"\\ud83d",
        b"\"\\ud83d\\",
        b"\"\\ud83d\\u",
        b"\"\\ud83d\\ude",
        b"[\"a]",
        b"{\"a",
        b"{\"a\\",
        b"t",
        b"tru",
        b"[fals",
        b"nul",
        b"-",
        b"[-",
        b"1.",
        b"[0.",
        b"1e",
        b"1e+",
        b"[\"\xe2\x82",
        b"\"\xf0\x9f\x98",
    ];
    for input in cut {
        rejects("J002", &[(input, input.len() as u64)]);
    }
}

#[test]
fn files_without_a_document_are_empty() {
    rejects("F004", &[(b"", 0), (b" ", 0), (b"\n\r\t \n", 0)]);
}

#[test]
fn broken_structure_is_rejected_at_the_first_wrong_byte() {
    rejects(
        "J001",
        &[
            (b"]", 0),
            (b"}", 0),
            (b",", 0),
            (b":", 0),
            (b"[}", 1),
            (b"{]", 1),
            (b"[1}", 2),
            (b"{\"a\":1]", 6),
            (b"[,1]", 1),
            (b"[,]", 1),
            (b"[1,]", 3),
            (b"[1,,2]", 3),
            (b"[[],]", 4),
            (b"{,}", 1),
            (b"{,\"a\":1}", 1),
            (b"{\"a\":1,}", 7),
            (b"{\"a\":1,,\"b\":2}", 7),
            (b"{\"a\":1 \"b\":2}", 7),
            (b"{\"a\",1}", 4),
            (b"{\"a\" 1}", 5),
            (b"{\"a\"::1}", 5),
            (b"{\"a\":}", 5),
            (b"{\"a\":,}", 5),
            (b"{\"a\":1:2}", 6),
            (b"{\"a\"}", 4),
            (b"{a:1}", 1),
            (b"{'a':1}", 1),
            (b"{1:1}", 1),
            (b"{null:1}", 1),
            (b"{[]:1}", 1),
            (b"{{}:1}", 1),
            (b"{\"a\":1,2}", 7),
            (b"[\"a\":1]", 4),
            (b"[1 2]", 3),
            (b"[1:2]", 2),
            (b"[\"a\" \"b\"]", 5),
            (b"[\"a\"b]", 4),
            (b"[a]", 1),
            (b"[*]", 1),
            (b"['a']", 1),
            (b"[`a`]", 1),
            (b"[(1)]", 1),
            (b"<a>", 0),
            (b"a: 1", 0),
            (b"[1;2]", 2),
        ],
    );
}

#[test]
fn words_that_are_not_literals_are_rejected() {
    rejects(
        "J001",
        &[
            (b"True", 0),
            (b"FALSE", 0),
            (b"[Null]", 1),
            (b"None", 0),
            (b"undefined", 0),
            (b"yes", 0),
            (b"[nil]", 1),
            (b"[truth]", 1),
            (b"[trueish]", 5),
            (b"NaN", 0),
            (b"[nan]", 1),
            (b"Infinity", 0),
            (b"-Infinity", 0),
            (b"[-NaN]", 2),
            (b"[Inf]", 1),
        ],
    );
}

#[test]
fn numbers_of_other_languages_are_rejected() {
    rejects(
        "J001",
        &[
            (b"+1", 0),
            (b".5", 0),
            (b"[-.5]", 2),
            (b"[1.]", 3),
            (b"[1.e1]", 3),
            (b"[1e]", 3),
            (b"[1e+]", 4),
            (b"[1e-,2]", 4),
            (b"[01]", 2),
            (b"[-01]", 3),
            (b"[00]", 2),
            (b"[012.5]", 2),
            (b"[--1]", 2),
            (b"[1-2]", 2),
            (b"[1+2]", 2),
            (b"[- 1]", 2),
            (b"[0x1F]", 2),
            (b"[0b11]", 2),
            (b"[1_000]", 2),
            (b"[1,000]", 4),
            (b"[1 000]", 3),
            (b"[1.2.3]", 4),
            (b"[1e1.5]", 4),
            (b"[1E2E3]", 4),
            (b"[1e1e1]", 4),
            (b"[1a]", 2),
            (b"[-a]", 2),
            (b"[1L]", 2),
            (b"[1f]", 2),
            (b"[12n]", 3),
            (b"[1/2]", 2),
            ("[\u{ff11}]".as_bytes(), 1),
            ("[\u{2212}1]".as_bytes(), 1),
            ("[1\u{66b}5]".as_bytes(), 2),
        ],
    );
}

#[test]
fn unknown_escapes_are_rejected_at_their_backslash() {
    rejects(
        "J001",
        &[
            (br#"["\a"]"#, 2),
            (br#"["\x41"]"#, 2),
            (br#"["\'"]"#, 2),
            (br#"["\0"]"#, 2),
            (br#"["\U0041"]"#, 2),
            (br#"["a\ b"]"#, 3),
            (b"[\"a\\\nb\"]", 3),
            (br#"["\u12G4"]"#, 2),
            (br#"["\u 123"]"#, 2),
            (br#"["\u{41}"]"#, 2),
            (br#"["\u004"]"#, 2),
            (br#"["\u+041"]"#, 2),
            (br#"["\ud83d\ude0x"]"#, 2),
            (br#"{"\q":1}"#, 2),
            (b"[\"\\\xe2\x82\xac\"]", 2),
        ],
    );
}

#[test]
fn unpaired_surrogates_are_rejected_at_their_backslash() {
    rejects(
        "J006",
        &[
            (br#"["\ud800"]"#, 2),
            (br#"["\udbff"]"#, 2),
            (br#"["\udc00"]"#, 2),
            (br#"["\udfff"]"#, 2),
            (br#"["\ud800x"]"#, 2),
            (br#"["\ud800\n"]"#, 2),
            (br#"["\ud800\u0041"]"#, 2),
            (br#"["\ud800\ud800"]"#, 2),
            (br#"["\udc00\ud800"]"#, 2),
            (br#"["ok\ud83d\ude00\ud83d"]"#, 16),
            (br#"{"\ud800":1}"#, 2),
        ],
    );
}

#[test]
fn control_characters_in_strings_are_rejected() {
    for control in (0..0x20_u8).filter(|control| *control != b'"') {
        rejects("J010", &[(&[b'[', b'"', b'a', control, b'"', b']'], 3), (&[b'{', b'"', control, b'"'], 2)]);
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_rejected_where_they_begin() {
    rejects(
        "J005",
        &[
            (b"[\"\xff\"]", 2),
            (b"[\"\xfe\"]", 2),
            (b"[\"\x80\"]", 2),
            (b"[\"a\xe9b\"]", 3),
            (b"[\"\xc0\xaf\"]", 2),
            (b"[\"\xc1\xbf\"]", 2),
            (b"[\"\xe0\x80\xaf\"]", 2),
            (b"[\"\xf0\x80\x80\xaf\"]", 2),
            (b"[\"\xed\xa0\x80\"]", 2),
            (b"[\"\xed\xa0\xbd\xed\xb8\x80\"]", 2),
            (b"[\"\xf4\x90\x80\x80\"]", 2),
            (b"[\"\xf5\x80\x80\x80\"]", 2),
            (b"[\"\xf8\x88\x80\x80\x80\"]", 2),
            (b"[\"\xe2\x82\"]", 2),
            (b"[\"\xe2\x28\xa1\"]", 2),
            (b"[\"ok\\n\xff", 6),
            (b"{\"\xff\":1}", 2),
            (b"[\xff]", 1),
            (b"\xff", 0),
            (b"\xe9[]", 0),
            (b"\xef\xbb[]", 0),
        ],
    );
}

#[test]
fn other_white_space_is_rejected() {
    rejects(
        "J001",
        &[
            (b"[\x0c]", 1),
            (b"[\x0b1]", 1),
            (b"[1\x00]", 2),
            (b"[\x1f]", 1),
            (b"[\x7f]", 1),
            ("[\u{a0}1]".as_bytes(), 1),
            ("[\u{2028}]".as_bytes(), 1),
            ("[\u{3000}]".as_bytes(), 1),
            ("[\u{200b}1]".as_bytes(), 1),
            ("[\u{feff}]".as_bytes(), 1),
        ],
    );
}

#[test]
fn comments_are_rejected() {
    rejects(
        "J001",
        &[
            (b"/**/[]", 0),
            (b"//x\n[]", 0),
            (b"#x\n[]", 0),
            (b"[/*x*/]", 1),
            (b"[1,//x\n2]", 3),
            (b"{\"a\":/*x*/1}", 5),
            (b"{/*x*/\"a\":1}", 1),
            (b"[]//x", 2),
            (b"[]/*x*/", 2),
            (b"null/**/", 4),
        ],
    );
}

#[test]
fn anything_after_the_document_is_trailing() {
    rejects(
        "J009",
        &[
            (b"[] []", 3),
            (b"[][]", 2),
            (b"{}{}", 2),
            (b"{}\n{}", 3),
            (b"1 2", 2),
            (b"\"a\" \"b\"", 4),
            (b"\"a\"b", 3),
            (b"[]]", 2),
            (b"{}}", 2),
            (b"[1],", 3),
            (b"{\"a\":1}#", 7),
            (b"[1]x", 3),
            (b"[]\x00", 2),
            (b"[]/", 2),
            (b"nulll", 4),
            (b"1true", 1),
            (b"truefalse", 4),
            (b"null,", 4),
            ("[]\u{a0}".as_bytes(), 2),
        ],
    );
    rejects("J005", &[(b"[]\xff", 2), (b"1\xe9", 1)]);
}

#[test]
fn a_byte_order_mark_is_skipped_once() {
    for window in WINDOWS {
        assert_eq!(read(b"\xef\xbb\xbf[1]", window), (true, vec![("J007", 0)]));
        assert_eq!(read(b"\xef\xbb\xbf \n{}", window), (true, vec![("J007", 0)]));
        assert_eq!(read(b"\xef\xbb\xbf\xef\xbb\xbf[]", window), (false, vec![("J007", 0), ("J001", 3)]));
        assert_eq!(read(b"\xef\xbb\xbf", window), (false, vec![("J007", 0), ("F004", 0)]));
        assert_eq!(read(b"\xef\xbb\xbf[1", window), (false, vec![("J007", 0), ("J002", 5)]));
    }
}

#[test]
fn other_encodings_are_named() {
    let text = "{\"a\":1}";
    let utf_16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let utf_32 = |order: fn(u32) -> [u8; 4]| text.chars().flat_map(|c| order(c.into())).collect::<Vec<u8>>();
    let (le_16, be_16) = (utf_16(u16::to_le_bytes), utf_16(u16::to_be_bytes));
    let (le_32, be_32) = (utf_32(u32::to_le_bytes), utf_32(u32::to_be_bytes));
    for (mark, bytes) in [
        (&b""[..], &le_16),
        (b"", &be_16),
        (b"", &le_32),
        (b"", &be_32),
        (b"\xff\xfe", &le_16),
        (b"\xfe\xff", &be_16),
        (b"\xff\xfe\0\0", &le_32),
        (b"\0\0\xfe\xff", &be_32),
        (b"7\0", &Vec::new()),
        (b"\x007", &Vec::new()),
    ] {
        rejects("J008", &[(&[mark, bytes].concat(), 0)]);
    }
}

#[test]
fn duplicate_members_are_all_named() {
    rejects(
        "J003",
        &[
            (br#"{"a":1,"a":2}"#, 7),
            (br#"{"a":1,"a":1}"#, 7),
            (br#"{"a":1,"\u0061":1}"#, 7),
            (r#"{"\ud83d\ude00":1,"😀":1}"#.as_bytes(), 18),
            (br#"{"":1,"b":2,"":3}"#, 12),
            (br#"[{"a":{"b":1,"c":2,"b":3}}]"#, 19),
        ],
    );
    for window in WINDOWS {
        let twice = read(br#"{"a":1,"a":2,"b":{"c":1,"c":2},"a":3}"#, window);
        assert_eq!(twice, (false, vec![("J003", 7), ("J003", 24), ("J003", 31)]));
        let and_broken = read(br#"{"a":1,"a":2,]"#, window);
        assert_eq!(and_broken, (false, vec![("J003", 7), ("J001", 13)]));
    }
}

#[test]
fn the_limit_on_depth_is_exact_and_stops_reading() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        [open.repeat(depth), inner.to_owned(), close.repeat(depth)].concat().into_bytes()
    };
    accepts(&[&nested("[", "", "]", 64), &nested("{\"a\":", "1", "}", 64), &nested("[{\"a\":", "[]", "}]", 31)]);
    rejects(
        "J004",
        &[
            (&nested("[", "", "]", 65), 64),
            (&nested("{\"a\":", "1", "}", 65), 5 * 64),
            (&nested("[{\"a\":", "[]", "}]", 32), 6 * 32),
            (&nested("[", "", "", 100_000), 64),
            (&nested("[{\"a\":", "", "", 50_000), 6 * 32),
        ],
    );
}
