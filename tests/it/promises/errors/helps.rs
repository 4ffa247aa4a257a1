//! Helps that say what to do about the very thing that was found.

use crate::house::House;
use serde_json::json;

const TABLES: &str = "CREATE TABLE items (id INTEGER PRIMARY KEY NOT NULL, a TEXT, at DATETIME, icon BLOB);";

fn items(columns: &str) -> House {
    let rules = format!("[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\n{columns}\n");
    House::new().schema(TABLES).list("items", "items.json", &rules)
}

/// The code, the message and the help of the first finding about a file of these bytes.
fn about(bytes: &[u8]) -> (String, String, String) {
    let house = items("a = \"a\"");
    house.put("items.json", bytes);
    first(&house)
}

fn first(house: &House) -> (String, String, String) {
    let report = house.lift(&[]).ends(1, "rolled-back").report();
    let text = |name: &str| report["findings"][0][name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"), text("help"))
}

#[test]
fn a_file_of_another_format_is_named_with_what_to_do() {
    const UNPACK: &str = "unpack it into the tree, or ignore it with a reason in set.toml under [ignore]";
    const OLDER: &str = "look for an older copy of the file";
    let cases: [(&[u8], &str, &str, &str); 9] = [
        (
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
            "J001",
            "the file is gzip, not JSON",
            "let its pattern under `files` end in `.gz`, so that it is unpacked as it is read, or ignore it with a reason in set.toml under [ignore]",
        ),
        (b"PK\x03\x04\x14\0\0\0", "J001", "the file is ZIP, not JSON", UNPACK),
        (b"\x28\xb5\x2f\xfd\x04", "J001", "the file is zstd, not JSON", UNPACK),
        (
            b"SQLite format 3\0\x10\0",
            "J001",
            "the file is an SQLite database, not JSON",
            "export it as JSON, or ignore it with a reason in set.toml under [ignore]",
        ),
        (&[0; 4096], "J001", "the file begins with NUL bytes, as a power failure leaves them", OLDER),
        (&[0; 3], "J001", "the file begins with NUL bytes, as a power failure leaves them", OLDER),
        (
            b"[]\0\0\0\0",
            "J009",
            "NUL bytes after the end of the document, as a power failure leaves them",
            "look for an older copy of the file, or remove the NUL bytes",
        ),
        (
            b"[{\"id\": \0\0\0\0\0\0\0\0",
            "J001",
            "expected a value, found NUL bytes, as a power failure leaves them",
            OLDER,
        ),
        (
            b"[{\"id\": 1, \"a\": \"x\0y\"}]",
            "J010",
            "unescaped zero byte in a string",
            "remove it in the source: databases do not store U+0000 in text",
        ),
    ];
    for (bytes, code, message, help) in cases {
        assert_eq!(about(bytes), (code.to_owned(), message.to_owned(), help.to_owned()));
    }
}

/// Whoever follows the help has a file that can be read.
#[test]
fn the_command_for_another_encoding_converts_it() {
    let text = r#"[{"id": 1, "a": "ü"}]"#;
    let (utf16, utf32) = (|| text.encode_utf16(), || text.chars().map(u32::from));
    let cases: [(Vec<u8>, &str, &str); 6] = [
        (utf16().flat_map(u16::to_le_bytes).collect(), "UTF-16", "UTF-16LE"),
        (utf16().flat_map(u16::to_be_bytes).collect(), "UTF-16", "UTF-16BE"),
        (std::iter::once(0xfeff).chain(utf16()).flat_map(u16::to_le_bytes).collect(), "UTF-16", "UTF-16"),
        (utf32().flat_map(u32::to_le_bytes).collect(), "UTF-32", "UTF-32LE"),
        (utf32().flat_map(u32::to_be_bytes).collect(), "UTF-32", "UTF-32BE"),
        (std::iter::once(0xfeff).chain(utf32()).flat_map(u32::to_be_bytes).collect(), "UTF-32", "UTF-32"),
    ];
    for (bytes, encoding, from) in cases {
        let message = format!("the file is {encoding}, not UTF-8");
        assert_eq!(about(&bytes), ("J008".to_owned(), message, format!("convert it with `iconv -f {from} -t UTF-8`")));
    }
}

#[test]
fn json_inside_of_a_string_is_named_where_a_path_leads_into_it() {
    let house = items("a = \"cfg.theme\"").source("items.json", &json!([{"id": 1, "cfg": "{\"theme\": \"dark\"}"}]));
    let help = "it is JSON inside of a string: name it under `from_json` to read what it holds, or keep it in a text column as it is";
    assert_eq!((first(&house).0, first(&house).2), ("S002".to_owned(), help.to_owned()));
}

#[test]
fn a_list_that_is_joined_is_named_with_what_makes_strings_of_it() {
    let house =
        items("a = { join = [\"tags\"], with = \",\" }").source("items.json", &json!([{"id": 1, "tags": ["x", "y"]}]));
    let help = "name a value below it, or make a string of each of its elements: `{ each = …, item = … }`";
    let message = "`join` takes strings and numbers, found an array";
    assert_eq!(first(&house), ("V005".to_owned(), message.to_owned(), help.to_owned()));
}

/// What `check` says of a set with this column.
fn refused(column: &str) -> String {
    items(column).run(["check", "set"]).status(2).stderr
}

#[test]
fn what_this_version_cannot_do_is_refused_once_and_plainly() {
    for (column, expected, hint) in [
        (
            "at = { from = \"t\", steps = [{ time = \"%s\" }] }",
            "error M012: `%s` reads seconds since 1970 (`%s`), which is the form `epoch_s`\n  at set/items.toml:12\n",
            "",
        ),
        (
            "at = { from = \"t\", steps = [{ time = [\"%Y-%m-%dT%H:%M:%S%z\", \"%Y-%m-%d\"] }] }",
            "error M012: `%Y-%m-%dT%H:%M:%S%z` reads a zone and `%Y-%m-%d` none: `zone = \"Europe/Berlin\"` would say whose clocks \
             are meant, `zone = \"none\"` takes the clock times as they are written\n  at set/items.toml:12\n",
            "",
        ),
        (
            "icon = \"icon\"",
            "error M105: `items.icon` is `BLOB`, and this gives a value of the source\n  at set/items.toml:12\n",
            "hint: add the step that reads bytes: `base64` or `hex`\n",
        ),
    ] {
        let told = refused(column);
        assert!(told.starts_with(expected) && told.ends_with(hint), "{told}");
        assert_eq!(told.matches("error ").count(), 1, "{told}");
    }
}

#[test]
fn sql_that_a_migration_cannot_run_is_named_with_its_line() {
    let of = |sql: &str| {
        let house = items("a = \"a\"").schema(sql);
        let error = house.run(["check", "set"]).status(2).stderr;
        error.lines().take(2).collect::<Vec<_>>().join("")
    };
    // The file has two lines of comments before this.
    for (sql, expected) in [
        (
            "CREATE TABLE a (x TEXT);\n\nCREATE INDX i ON a(x);",
            "error M135: migration `001` is not valid SQL: near \"INDX\": syntax error  at set/schema/001_test.up.sql:5",
        ),
        (
            "CREATE TABLE a (\n  x TEXT,\n  y TEXT;\n",
            "error M135: migration `001` is not valid SQL: near \";\": syntax error  at set/schema/001_test.up.sql:5",
        ),
        (
            "CREATE TABLE a (x TEXT UNIQUE);\nINSERT INTO a VALUES ('1');\n-- twice\nINSERT INTO a VALUES ('1');",
            "error M135: migration `001` is not valid SQL: UNIQUE constraint failed: a.x  at set/schema/001_test.up.sql:6",
        ),
        (
            "CREATE TABLE a (x TEXT);\nINSERT INTO none VALUES (1);",
            "error M135: migration `001` is not valid SQL: no such table: none  at set/schema/001_test.up.sql:4",
        ),
        (
            "CREATE TABLE a (x TEXT);\nPRAGMA user_version = 3;",
            "error M136: migration `001` does more than create and fill tables: a migration must not use PRAGMA, ATTACH, BEGIN or COMMIT, nor make or change the record of migrations or a `treelift_…` table  at set/schema/001_test.up.sql:4",
        ),
    ] {
        assert_eq!(of(sql), expected);
    }
}
