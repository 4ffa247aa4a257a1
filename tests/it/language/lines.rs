//! Files of lines: every line is a document of its own, a broken one is one reject, and however large the file is, it
//! gives what the same documents in a list would give.

use crate::house::House;
use crate::house::inline::{fate, told};
use serde_json::{Value, json};
use std::fmt::Write as _;

const SCHEMA: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, line INTEGER NOT NULL, body TEXT);";
const SOURCE: &str = "format = \"lines\"\n";
const RULE: &str =
    "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nline = \"#position\"\nbody = \"body\"\n";

fn notes(text: &str) -> House {
    let house = House::new().schema(SCHEMA).reads("notes", "{name}.jsonl", &format!("{SOURCE}{RULE}"));
    house.put("a.jsonl", text);
    house
}

fn rows(house: &House) -> Vec<Vec<String>> {
    house.rows("SELECT * FROM notes ORDER BY id")
}

fn leaves(report: &Value) -> String {
    let counts = &report["leaves"];
    let names = ["seen", "column", "json", "sealed", "ignored", "rejected", "unmapped"];
    names.map(|name| counts[name].to_string()).join(" ")
}

/// The places of findings: `J012 a.jsonl#/b 3:7`.
fn places(report: &Value) -> Vec<String> {
    let found = report["findings"].as_array().unwrap().iter().filter(|one| one["place"]["line"].is_u64());
    let shown = |one: &Value| {
        let (code, place) = (one["code"].as_str().unwrap(), &one["place"]);
        let (file, pointer) = (place["file"].as_str().unwrap(), place["pointer"].as_str().unwrap());
        format!("{code} {file}#{pointer} {}:{}", place["line"], place["column"])
    };
    found.map(shown).collect()
}

#[test]
fn every_line_that_is_not_blank_is_a_document_and_is_counted() {
    let house = notes("{\"id\": 7, \"body\": \"one\"}\r\n\n  \t\n{\"id\": 8}\n");
    let report = house.report(0, &[]);
    assert_eq!(rows(&house), [["7", "1", "one"], ["8", "2", "NULL"]]);
    assert_eq!(leaves(&report), "3 3 0 0 0 0 0");
    assert_eq!(told(&report), ["note J014 2 blank lines, the first one here"]);
    assert_eq!(places(&report), ["J014 a.jsonl# 2:1"]);
    let again = house.report(0, &[]);
    assert_eq!((&again["tables"][0]["inserted"], &again["tables"][0]["unchanged"]), (&json!(0), &json!(2)));
}

#[test]
fn a_broken_line_is_one_reject_with_its_place() {
    let text = "{\"id\": 1, \"body\": \"one\"}\n{\"id\": 2, \"body\": tw}\n{\"id\": 3, \"body\": {\"x\": 1, \"x\": 2}}\n\
                {\"id\": 4} {\"id\": 5}\n{\"id\": \"six\"}\n{\"id\": 7, \"body\": \"seven\"}\n";
    let house = notes(text);
    let rejects = house.path("rejects");
    let report = house.report(1, &["--max-rejects", "4", "--rejects", rejects.to_str().unwrap()]);
    assert_eq!(rows(&house), [["1", "1", "one"], ["7", "6", "seven"]]);
    assert_eq!(
        places(&report),
        ["J001 a.jsonl#/body 2:19", "J003 a.jsonl#/body/x 3:28", "J009 a.jsonl# 4:11", "V004 a.jsonl#/id 5:8"]
    );
    assert_eq!(leaves(&report), "5 4 0 0 0 1 0");
    assert_eq!((&report["files"][0]["records"], &report["files"][0]["rejected"]), (&json!(6), &json!(4)));
    let written = std::fs::read_to_string(rejects.join("rejects.jsonl")).unwrap();
    let kept: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<_> =
        kept.iter().map(|one| (&one["record"], &one["line"], &one["span"]["start"], &one["value"])).collect();
    let null = Value::Null;
    assert_eq!(
        shown,
        [
            (&json!(1), &json!(2), &json!(25), &null),
            (&json!(2), &json!(3), &json!(47), &null),
            (&json!(3), &json!(4), &json!(83), &null),
            (&json!(4), &json!(5), &json!(103), &json!({"id": "six"}))
        ]
    );
}

#[test]
fn a_last_line_without_its_end_is_read_if_it_is_whole_and_named_if_it_was_cut_off() {
    let house = notes("{\"id\": 1}\n{\"id\": 2}");
    assert_eq!(told(&house.report(0, &[])), ["note J013 the last line has no end and is whole"]);
    assert_eq!(rows(&house).len(), 2);
    for cut in ["{\"id\": 2, \"bo", "{\"id\": 2", "{\"id\": 2, \"body\": \"\u{e4}"] {
        let house = notes(&format!("{{\"id\": 1}}\n{cut}"));
        let report = house.report(1, &["--max-rejects", "1"]);
        let message = "the last line has no end and is no whole document: it was cut off while it was written";
        assert_eq!(told(&report), [format!("error J012 {message}")]);
        assert_eq!(rows(&house), [["1", "1", "NULL"]], "{cut}");
    }
}

#[test]
fn a_file_without_a_line_is_blank() {
    for text in ["", "\n \n", "\u{feff}\n"] {
        let house = notes(text);
        assert_eq!(told(&house.report(1, &["--allow-empty"])), ["error F004 the file has no line that is not blank"]);
        let excused = format!("{SOURCE}blank = \"nothing happened that day\"\n{RULE}");
        let house = House::new().schema(SCHEMA).reads("notes", "{name}.jsonl", &excused).text("a.jsonl", text);
        let report = house.report(0, &["--allow-empty"]);
        assert_eq!(fate(&report, "a.jsonl"), "ignored: nothing happened that day");
    }
}

/// Each line has its shape: one carries nothing, one is a document around records, one is of no shape.
#[test]
fn every_line_has_its_own_shape_and_frame() {
    let shapes = "format = \"lines\"\n\
        [[source.shape]]\nname = \"mark\"\nwhen = { members = [\"mark\"] }\nignore = \"made anew by the program\"\n\
        [[source.shape]]\nname = \"page\"\nwhen = { members = [\"page\"] }\nrecords = \"page[*]\"\n\
        [[source.shape]]\nname = \"note\"\nwhen = { members = [\"id\"] }\n";
    let tables = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nline = \"#position\"\n\
        body = [\"$.of\", \"body\"]\n";
    let house = House::new()
        .schema(SCHEMA)
        .reads("notes", "a.jsonl", &format!("{shapes}{tables}"))
        .text(
            "a.jsonl",
            "{\"mark\": [1, 2]}\n{\"id\": 1, \"body\": \"b\"}\n{\"page\": [{\"id\": 2}, {\"id\": 3}], \"of\": \"p\"}\n\
         {\"id\": 4}\n{\"page\": [], \"of\": \"q\"}\n{\"other\": 1}\n{\"page\": [{\"id\": 5}], \"of\": \"r\", \"odd\": 1}\n");
    let report = house.report(1, &["--max-rejects", "1"]);
    assert_eq!(leaves(&report), "13 9 0 0 3 0 1", "{:#}", report["findings"]);
    let text = format!("{shapes}{tables}[ignore]\n\"$.odd\" = \"odd\"\n");
    let house = house.reads("notes", "a.jsonl", &text);
    let report = house.report(1, &["--max-rejects", "1"]);
    let expected = [["1", "2", "b"], ["2", "1", "p"], ["3", "2", "p"], ["4", "4", "NULL"], ["5", "1", "r"]];
    assert_eq!(rows(&house), expected);
    assert_eq!(places(&report), ["S001 a.jsonl# 6:1"]);
    let codes: Vec<_> = report["findings"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["S001"], "no shape and no path counts as unused");
    assert!(told(&report)[0].contains("the line matches none of the shapes mark, page, note"), "{:?}", told(&report));
    assert_eq!(leaves(&report), "13 9 0 0 4 0 0");
}

const TWO_TURNS: &str = "CREATE TABLE days (id TEXT PRIMARY KEY);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, day TEXT NOT NULL REFERENCES days (id), body TEXT, ref INTEGER REFERENCES notes (id));";

fn two_turns(source: &str) -> String {
    format!(
        "{source}[table.days]\nkey = [\"id\"]\non_duplicate = \"first\"\n[table.days.columns]\nid = \"day\"\n\
         [table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nday = {{ lookup = \"days.id\", by = {{ id = \"day\" }} }}\n\
         body = \"body\"\n"
    )
}

/// A generator of numbers, so that a law is tried with the same cases every time.
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
fn lines_give_what_a_list_of_the_same_documents_gives_with_any_number_of_jobs() {
    for seed in 1..=6 {
        let (mut state, mut documents) = (seed, Vec::new());
        let count = if seed == 1 { 3_000 } else { random(&mut state) % 400 };
        for id in 0..count {
            let body = "x\\n\u{e4}".repeat((random(&mut state) % 60) as usize);
            let day = random(&mut state) % 9;
            documents.push(match random(&mut state) % 40 {
                0 => format!("{{\"id\": {}, \"day\": \"d{day}\"}}", random(&mut state) % (id + 1)),
                1 => format!("{{\"id\": \"{id}\", \"day\": \"d{day}\", \"body\": {{\"a\": [1, 2]}}}}"),
                _ => format!("{{\"id\": {id}, \"day\": \"d{day}\", \"body\": \"{body}\"}}"),
            });
        }
        let told = |format: &str, text: &str, jobs: &str| {
            let house = House::new().schema(TWO_TURNS).reads("notes", "{name}.x", &two_turns(format)).text("a.x", text);
            let report = house.lift(&["--max-rejects", "100000", "--jobs", jobs, "--allow-empty"]).ran.json();
            let counts =
                (leaves(&report), report["files"][0]["records"].clone(), report["files"][0]["rejected"].clone());
            let codes: Vec<_> = report["findings"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
            let codes: Vec<_> = codes.into_iter().filter(|code| code != "J014" && code != "J013").collect();
            let tables =
                ["SELECT * FROM days ORDER BY id", "SELECT * FROM notes ORDER BY id"].map(|sql| house.rows(sql));
            (counts, codes, tables)
        };
        let list =
            told("[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"\n", &format!("[{}]", documents.join(",")), "1");
        let mut lines = String::new();
        for document in &documents {
            let blank = if random(&mut state).is_multiple_of(10) { "\n" } else { "" };
            writeln!(lines, "{blank}{document}").unwrap();
        }
        if lines.is_empty() {
            continue;
        }
        for jobs in ["1", "2", "4"] {
            assert_eq!(told(SOURCE, &lines, jobs), list, "seed {seed}, {jobs} jobs");
        }
    }
}

/// Damage far into a file that was written from in part: the file is one reject, and none of its rows stay.
#[test]
fn a_packed_file_of_lines_that_breaks_off_is_rejected_whole() {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;
    let text: String =
        (0..20_000).map(|i| format!("{{\"id\": {i}, \"body\": \"{}\"}}\n", i * 7_919 % 10_007)).collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    let house = || House::new().schema(SCHEMA).reads("notes", "{name}.jsonl.gz", &format!("{SOURCE}{RULE}"));
    let of = house();
    of.put("a.jsonl.gz", &whole);
    let report = of.report(0, &[]);
    assert_eq!(leaves(&report), "40000 40000 0 0 0 0 0");
    assert_eq!(of.one("SELECT max(line) FROM notes"), "20000");

    let of = house();
    of.put("a.jsonl.gz", &whole[..whole.len() * 9 / 10]);
    of.put("b.jsonl.gz", &{
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"{\"id\": 1}\n").unwrap();
        encoder.finish().unwrap()
    });
    // A row of `b` is in the way of one of `a` first: with `a` known to be damaged, it is not.
    let report = of.report(1, &["--max-rejects", "2"]);
    assert_eq!(told(&report), ["error F022 the file ends before its packed data do"]);
    assert_eq!(rows(&of), [["1", "1", "NULL"]]);
    assert_eq!(leaves(&report), "1 1 0 0 0 0 0");
}

#[test]
fn explain_finds_a_line_by_its_number_and_a_row_by_its_line() {
    let house = notes("{\"id\": 1, \"body\": \"one\"}\n\n{\"id\": 2, \"body\": \"two\"}\n");
    house.report(0, &[]);
    let explain = |what: &str| {
        let file = format!("tree/a.jsonl{what}");
        house.run(["explain", &file, "--mappings", "set", "--source", "tree", "--json"])
    };
    let of = |report: &Value| {
        let leaves = report["leaves"].as_array().unwrap().iter();
        leaves
            .map(|leaf| format!("{}{} {}", leaf["line"], leaf["pointer"].as_str().unwrap(), leaf["class"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&explain("#3/body").status(0).json()), ["3/body \"column\""]);
    assert_eq!(of(&explain("").status(0).json()).len(), 4);
    let none = explain("#/body").status(2);
    assert!(none.stderr.contains("the number of a line comes first"), "{}", none.stderr);
    let row = "explain --row notes 2 --database sqlite:///./target.db --mappings set --source tree --json";
    let row = house.run(row.split(' '));
    assert_eq!(of(&row.status(0).json()["explained"]), ["3/id \"column\"", "3/body \"column\""]);
}

#[test]
fn explain_tells_the_leaves_of_a_line_whose_shape_is_ignored() {
    let source = "[source]\nfiles = [\"{name}.jsonl\"]\nformat = \"lines\"\n\
                  [[source.shape]]\nname = \"beat\"\nwhen = { equals = { kind = \"beat\" } }\nignore = \"says that it runs\"\n\
                  [[source.shape]]\nname = \"note\"\n[table.notes]\nshapes = [\"note\"]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\nbody = \"body\"\n";
    let house =
        House::new().schema("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);").mapping("notes", source).text(
            "a.jsonl",
            "{\"id\": 1, \"body\": \"one\"}\n{\"kind\": \"beat\", \"password\": \"open-sesame\", \"at\": [7, {}]}\n",
        );
    let told = house.run(["explain", "tree/a.jsonl#2", "--mappings", "set", "--source", "tree", "--json"]).status(0);
    assert!(!told.stdout.contains("open-sesame"), "{}", told.stdout);
    let told = told.json();
    let leaves: Vec<String> = told["leaves"]
        .as_array()
        .unwrap()
        .iter()
        .map(|leaf| {
            format!(
                "{} {} {}",
                leaf["pointer"].as_str().unwrap(),
                leaf["class"].as_str().unwrap(),
                leaf["ignored"].as_str().unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        leaves,
        [
            "/kind ignored says that it runs",
            "/password ignored says that it runs",
            "/at/0 ignored says that it runs",
            "/at/1 ignored says that it runs",
        ]
    );
}

#[test]
fn a_secret_of_one_line_is_found_in_another_even_a_broken_one_and_never_shown() {
    let schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, line INTEGER, body TEXT);
        CREATE TABLE logins (id INTEGER PRIMARY KEY, password TEXT);";
    let rule = format!(
        "{RULE}[table.logins]\nkey = [\"id\"]\n[table.logins.columns]\nid = \"id\"\npassword = {{ seal = \"password\", on_absent = \"skip\" }}\n"
    );
    let house = House::new().schema(schema).reads("notes", "a.jsonl", &format!("{SOURCE}{rule}")).text(
        "a.jsonl",
        "{\"id\": 1, \"body\": \"it is open-sesame-4711 today\"}\n{\"id\": 2, \"password\": \"open-sesame-4711\"}\n\
         {\"id\": 3, \"password\": \"closed-barley-0815\", x}\n{\"id\": 4, \"body\": \"closed-barley-0815\"}\n",
    );
    let ran = house.lift(&["--max-rejects", "3"]).ran;
    let report = ran.json();
    let codes: Vec<_> = places(&report);
    assert!(codes.iter().any(|one| one.starts_with("J001 a.jsonl# 3:")), "{codes:?}");
    assert!(
        codes.iter().any(|one| one.starts_with("X002 a.jsonl#/body 1:") || one.starts_with("X003 a.jsonl#/body 1:")),
        "{codes:?}"
    );
    assert!(
        codes.iter().any(|one| one.starts_with("X002 a.jsonl#/body 4:") || one.starts_with("X003 a.jsonl#/body 4:")),
        "{codes:?}"
    );
    assert!(!report.to_string().contains("open-sesame") && !report.to_string().contains("closed-barley"));
}

#[test]
fn newest_is_refused_for_files_of_lines() {
    let text = format!("format = \"lines\"\nnewest = [\"at\"]\n{RULE}");
    let house = House::new().schema(SCHEMA).reads("notes", "a.jsonl", &text);
    let ran = house.run(["check", "set"]).status(2);
    assert!(ran.stderr.contains("M170") || ran.stdout.contains("M170"), "{} {}", ran.stdout, ran.stderr);
}
