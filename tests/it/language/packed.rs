//! Files that are packed: read as what they unpack to, with places in that text, and refused where they are damaged.

use crate::house::House;
use crate::house::inline::{fate, told};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

const NOTES: &str = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nbody = \"body\"\n";

fn notes() -> House {
    House::new().schema("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL);").list(
        "notes",
        "{name}.json.gz",
        NOTES,
    )
}

#[test]
fn a_packed_file_gives_the_rows_of_the_plain_one_and_none_again() {
    let text = r#"[{"id": 1, "body": "one"},
 {"id": 2, "body": "two"}]"#;
    let house = notes().text("a.json.gz", packed(text.as_bytes()));
    let report = house.report(0, &[]);
    assert_eq!((&report["leaves"]["seen"], &report["leaves"]["column"]), (&4.into(), &4.into()));
    let rows = || house.rows("SELECT * FROM notes ORDER BY id");
    let first = rows();
    assert_eq!(first, [["1", "one"], ["2", "two"]]);
    let again = house.report(0, &[]);
    assert_eq!((&again["tables"][0]["inserted"], &again["tables"][0]["unchanged"]), (&0.into(), &2.into()));
    assert_eq!(rows(), first);
}

#[test]
fn places_are_those_of_the_unpacked_text() {
    let text = "[{\"id\": 1, \"body\": \"one\"},\n {\"id\": \"x\", \"body\": \"two\"}]";
    let report = notes().text("a.json.gz", packed(text.as_bytes())).report(1, &[]);
    let place = &report["findings"].as_array().unwrap().iter().find(|one| one["severity"] == "error").unwrap()["place"];
    assert_eq!(
        (&place["file"], &place["pointer"], &place["line"], &place["column"]),
        (&"a.json.gz".into(), &"/1/id".into(), &2.into(), &9.into())
    );
}

/// A megabyte and more, so that it rolls by; and the same bytes with each kind of damage.
#[test]
fn a_large_packed_file_is_read_whole_and_a_damaged_one_is_rejected_whole() {
    let records: Vec<String> =
        (0..30_000).map(|i| format!("{{\"id\": {i}, \"body\": \"note {}\"}}", i * 7_919)).collect();
    let whole = packed(format!("[{}]", records.join(",")).as_bytes());
    let house = notes().text("a.json.gz", &whole);
    let report = house.report(0, &[]);
    assert_eq!((&report["tables"][0]["inserted"], &report["leaves"]["column"]), (&30_000.into(), &60_000.into()));

    let mut checksum = whole.clone();
    let last = checksum.len() - 6;
    checksum[last] ^= 1;
    for (bytes, message) in [
        (whole[..whole.len() / 2].to_vec(), "the file ends before its packed data do"),
        (checksum, "the packed data are damaged from about here on"),
        ([&whole[..], b"not gzip at all"].concat(), "15 bytes after the end of the compressed data"),
        (b"[{\"id\": 1, \"body\": \"plain\"}]".to_vec(), "the file is called `.gz` and is not gzip"),
    ] {
        let house = notes().text("a.json.gz", bytes);
        let report = house.report(1, &["--allow-empty"]);
        assert_eq!(told(&report), [format!("error F022 {message}")]);
        assert_eq!(fate(&report, "a.json.gz").split(':').next(), Some("rejected"));
    }
}

#[test]
fn a_file_that_unpacks_to_far_more_than_its_size_or_than_allowed_is_rejected() {
    let blank = [b"[".to_vec(), vec![b' '; 4 << 20], b"]".to_vec()].concat();
    let report = notes().text("a.json.gz", packed(&blank)).report(1, &["--allow-empty"]);
    assert_eq!(told(&report), ["error F023 the file unpacks to more than 200 times its size"]);

    let text = br#"[{"id": 1, "body": "one"}]"#;
    let report = notes().text("a.json.gz", packed(text)).report(1, &["--allow-empty", "--max-unpacked", "20B"]);
    assert_eq!(told(&report), ["error F023 the file unpacks to more than 20 bytes"]);
    notes().text("a.json.gz", packed(text)).report(0, &["--max-unpacked", "1kB"]);
}

#[test]
fn a_packed_text_is_sniffed_and_an_ignored_one_searched_for_secrets() {
    let sniffed = "format = \"sniff\"\n[table.notes]\nkey = [\"body\"]\n[table.notes.columns]\nbody = \".\"\n";
    let schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE);";
    let set = "[ignore]\n\"old/*\" = \"of before\"\n";
    let house = House::new()
        .schema(schema)
        .set(set)
        .reads("notes", "{name}.txt.gz", sniffed)
        .text("a.txt.gz", packed(b"only a text"))
        .text("old/b.json.gz", packed(br#"{"password": "open-sesame"}"#));
    let report = house.report(0, &[]);
    assert_eq!(
        told(&report),
        ["warning X005 this file is ignored, and secrets or what looks like secrets remain in it"]
    );
    assert_eq!(house.rows("SELECT body FROM notes"), [["only a text"]]);
}

#[test]
fn inspect_looks_into_packed_files_and_its_scaffold_reads_them() {
    let house = notes().text("a.json.gz", packed(br#"[{"id": 1, "body": "one"}]"#));
    let tree = house.tree();
    let shown = house.run(["inspect", tree.to_str().unwrap(), "--json"]).status(0).json();
    let paths: Vec<_> = shown["types"][0]["paths"].as_array().unwrap().iter().map(|path| &path["path"]).collect();
    assert!(paths.contains(&&"[*].body".into()), "{paths:?}");
}
