//! Rows that are written down for other programs to read.

mod places;

use crate::house::site::{Site, every};
use crate::house::{House, KEY_FILE, Ran, application_tables, open, project, row_counts, sample};
use serde_json::Value;

/// People who refer to each other, with a column of each kind, on every engine.
pub(crate) fn people(site: &Site) {
    let (bytes, photo) = if site.is_file() { ("BLOB", "X'00ff'") } else { ("bytea", "'\\x00ff'") };
    site.sql(&format!(
        "CREATE TABLE people (
             id INTEGER PRIMARY KEY, name TEXT NOT NULL, is_admin BOOLEAN, height DOUBLE PRECISION, balance NUMERIC,
             settings JSON, joined_at TIMESTAMP, photo {bytes}, boss INTEGER REFERENCES people (id)
         );
         CREATE TABLE notes (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES people (id), title TEXT);
         INSERT INTO people (id, name, boss) VALUES (2, '', NULL);
         INSERT INTO people VALUES (1, 'Ada, \"Countess\" of
Lovelace', true, 1.5, 12.5, '{{\"a\": [1,  2.50],
 \"b\": \"x y\"}}', '2025-05-07 15:09:12.5', {photo}, 2);
         INSERT INTO notes VALUES (7, 1, 'it''s; -- \\'), (3, 2, NULL);"
    ));
}

pub(crate) fn export(site: &Site, more: &[&str]) -> Ran {
    let name = site.name();
    site.house.run([&["export"], more, &["--database", name]].concat())
}

#[test]
fn every_engine_gives_the_same_rows_as_csv_and_as_json() {
    for site in every() {
        people(&site);
        let csv = export(&site, &["people", "--as", "csv"]).status(0);
        assert_eq!(
            csv.stdout,
            "id,name,is_admin,height,balance,settings,joined_at,photo,boss\r\n\
             1,\"Ada, \"\"Countess\"\" of\nLovelace\",true,1.5,12.5,\"{\"\"a\"\": [1,  2.50],\n \"\"b\"\": \"\"x y\"\"}\",\
             2025-05-07 15:09:12.5,AP8=,2\r\n\
             2,\"\",,,,,,,\r\n"
        );
        assert_eq!(csv.stderr, format!("exported: 2 rows of `people` in {} as csv\n", shown(&site)));
        let json = export(&site, &["people", "--as", "jsonl"]).status(0);
        assert_eq!(
            json.stdout,
            "{\"id\":1,\"name\":\"Ada, \\\"Countess\\\" of\\nLovelace\",\"is_admin\":true,\"height\":1.5,\"balance\":12.5,\
             \"settings\":{\"a\":[1,2.50],\"b\":\"x y\"},\"joined_at\":\"2025-05-07 15:09:12.5\",\"photo\":\"AP8=\",\
             \"boss\":2}\n\
             {\"id\":2,\"name\":\"\",\"is_admin\":null,\"height\":null,\"balance\":null,\"settings\":null,\"joined_at\":null,\
             \"photo\":null,\"boss\":null}\n"
        );
        let both = export(&site, &["notes", "people", "--as", "jsonl", "-q"]).status(0);
        let lines: Vec<&str> = both.stdout.lines().collect();
        assert_eq!(lines[0], "{\"table\":\"notes\",\"row\":{\"id\":3,\"person_id\":2,\"title\":null}}");
        assert!(
            lines.len() == 4 && lines[2].starts_with("{\"table\":\"people\",\"row\":{\"id\":1,"),
            "{}",
            both.stdout
        );
        assert_eq!(both.stderr, format!("exported: 4 rows of 2 tables in {} as jsonl\n", shown(&site)));
    }
}

/// The database as it is named in words.
pub(crate) fn shown(site: &Site) -> String {
    let runs = site.house.run(["runs", "--json", "--database", site.name()]).status(0).json();
    runs["target"].as_str().unwrap().to_owned()
}

#[test]
fn a_script_is_written_in_the_words_of_the_engine_with_parents_first() {
    for site in every() {
        people(&site);
        let script = export(&site, &["notes", "people", "--as", "sql"]).status(0).stdout;
        let (before, over, between, after, photo) = if site.is_file() {
            ("BEGIN;\nPRAGMA defer_foreign_keys = ON;\n", "", "", "", "X'00ff'")
        } else {
            (
                "BEGIN;\nSET LOCAL client_encoding = 'UTF8';\nSET LOCAL standard_conforming_strings = on;\n\
                 ALTER TABLE \"people\" ALTER CONSTRAINT \"people_boss_fkey\" DEFERRABLE INITIALLY DEFERRED;\n\
                 SET CONSTRAINTS ALL DEFERRED;\n",
                "OVERRIDING SYSTEM VALUE ",
                "SET CONSTRAINTS ALL IMMEDIATE;\n",
                "ALTER TABLE \"people\" ALTER CONSTRAINT \"people_boss_fkey\" NOT DEFERRABLE;\n",
                "'\\x00ff'",
            )
        };
        let truth = if site.is_file() { "1" } else { "true" };
        let columns = "(\"id\", \"name\", \"is_admin\", \"height\", \"balance\", \"settings\", \"joined_at\", \"photo\", \"boss\")";
        let notes = "INSERT INTO \"notes\" (\"id\", \"person_id\", \"title\")";
        let expected = format!(
            "{before}\
             INSERT INTO \"people\" {columns} {over}VALUES (1, 'Ada, \"Countess\" of\nLovelace', {truth}, 1.5, 12.5, \
             '{{\"a\": [1,  2.50],\n \"b\": \"x y\"}}', '2025-05-07 15:09:12.5', {photo}, 2);\n\
             INSERT INTO \"people\" {columns} {over}VALUES (2, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL);\n\
             {notes} {over}VALUES (3, 2, NULL);\n\
             {notes} {over}VALUES (7, 1, 'it''s; -- \\');\n\
             {between}{after}COMMIT;\n"
        );
        assert_eq!(script, expected);
    }
}

/// Loads a script into a database of the same schema; its own references are held to.
fn load(site: &Site, script: &str) {
    site.sql(&if site.is_file() { format!("PRAGMA foreign_keys = ON;\n{script}") } else { script.to_owned() });
}

#[test]
fn a_script_makes_the_same_rows_elsewhere_and_numbers_go_on_behind_them() {
    const NAME: &str = "\"odd \"\"name\"\", it's\"";
    let tables = |site: &Site| {
        let (counted, always) = if site.is_file() {
            ("INTEGER PRIMARY KEY AUTOINCREMENT", "INTEGER PRIMARY KEY")
        } else {
            ("serial PRIMARY KEY", "integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
        };
        site.sql(&format!(
            "CREATE TABLE one (id {counted}, other INTEGER, text TEXT);
             CREATE TABLE {NAME} (id {always}, one INTEGER REFERENCES one (id), number DOUBLE PRECISION);
             CREATE TABLE bare (a TEXT, \"order\" TEXT);"
        ));
        if !site.is_file() {
            site.sql(&format!("ALTER TABLE one ADD FOREIGN KEY (other) REFERENCES {NAME} (id)"));
        }
    };
    for (from, to) in every().into_iter().zip(every()) {
        [&from, &to].into_iter().for_each(tables);
        let over = if from.is_file() { "" } else { "OVERRIDING SYSTEM VALUE" };
        from.sql(&format!(
            "INSERT INTO one (id, text) VALUES (5, 'a'), (41, 'it''s\\'), (6, '');
             INSERT INTO {NAME} (id, one, number) {over} VALUES (1, 41, 1e300), (2, 5, -0.1), (3, NULL, 5e-324);
             UPDATE one SET other = 3 WHERE id = 5;
             INSERT INTO bare VALUES ('b', NULL), (NULL, '1'), ('a', 'x'), ('b', NULL), ('', NULL);"
        ));
        let all = ["bare", "odd \"name\", it's", "one", "--as", "sql"];
        let script = export(&from, &all).status(0).stdout;
        load(&to, &script);
        assert_eq!(export(&to, &all).status(0).stdout, script);
        for query in ["SELECT * FROM one ORDER BY id", &format!("SELECT * FROM {NAME} ORDER BY id")] {
            assert_eq!(from.rows(query), to.rows(query));
        }
        to.sql(&format!("INSERT INTO one (text) VALUES ('next'); INSERT INTO {NAME} (one) VALUES (5)"));
        assert_eq!(to.one("SELECT id FROM one WHERE text = 'next'"), "42");
        assert_eq!(to.one(&format!("SELECT max(id) FROM {NAME}")), "4");
    }
}

#[test]
fn the_rows_of_an_import_with_sealed_values_go_elsewhere_by_a_script() {
    for (from, to) in every().into_iter().zip(every()) {
        let url = from.name();
        from.house.import(&sample(), &["--database", url, "--mappings", "fossawork"]).status(0);
        let url = to.name();
        to.house.run(["schema", "migrate", "--yes", "--mappings", "fossawork", "--database", url]).status(0);
        // What is written by migrations and by the import itself is there already, or another's.
        let house = House::new();
        house.import(&sample(), &[]).status(0);
        let database = open(&house.path("target.db"));
        let tables = application_tables(&database);
        let mut all: Vec<&str> = tables.iter().map(String::as_str).collect();
        assert!(all.len() > 15);
        all.extend(["--as", "sql"]);
        let script = export(&from, &all).status(0);
        load(&to, &script.stdout);
        let again = export(&to, &all).status(0);
        assert_eq!(again.stdout, script.stdout);
        assert!(script.stdout.matches("tl2.").count() > 10);
        for form in ["csv", "jsonl"] {
            for table in row_counts(&database).keys() {
                let arguments = [table, "--as", form];
                let (one, other) = (export(&from, &arguments).status(0), export(&to, &arguments).status(0));
                assert_eq!(one.stdout, other.stdout, "{table}");
            }
        }
    }
}

#[test]
fn rows_come_in_one_order_whatever_the_order_they_were_written_in() {
    let mut seen = Vec::new();
    for site in every() {
        let collated = if site.is_file() { "TEXT COLLATE NOCASE" } else { "text" };
        site.sql(&format!(
            "CREATE TABLE keyed (id INTEGER PRIMARY KEY, name {collated}); CREATE TABLE bare (a {collated}, b INTEGER);"
        ));
        let both = |site: &Site| {
            let keyed = export(site, &["keyed", "--as", "csv", "--order-by", "name"]).status(0).stdout;
            keyed + &export(site, &["bare", "--as", "csv"]).status(0).stdout
        };
        let rows = ["(1, 'b')", "(2, 'ä')", "(3, NULL)", "(4, 'B')", "(5, 'b')", "(6, '')"];
        let bare = ["('b', 2)", "('b', 1)", "(NULL, 3)", "('B', 1)", "('a', NULL)", "('b', 1)"];
        site.sql(&format!("INSERT INTO keyed VALUES {}; INSERT INTO bare VALUES {};", rows.join(","), bare.join(",")));
        let first = both(&site);
        let turned = |rows: &[&str]| rows.iter().rev().copied().collect::<Vec<_>>().join(",");
        site.sql(&format!(
            "DELETE FROM keyed; DELETE FROM bare; INSERT INTO keyed VALUES {}; INSERT INTO bare VALUES {};",
            turned(&rows),
            turned(&bare)
        ));
        assert_eq!(both(&site), first);
        seen.push(first);
    }
    for one in seen {
        assert_eq!(
            one,
            "id,name\r\n3,\r\n6,\"\"\r\n4,B\r\n1,b\r\n5,b\r\n2,ä\r\n\
             a,b\r\n,3\r\nB,1\r\na,\r\nb,1\r\nb,1\r\nb,2\r\n"
        );
    }
}

#[test]
fn what_cannot_be_exported_is_refused_with_a_way_out() {
    for site in every() {
        people(&site);
        site.sql("CREATE VIEW few AS SELECT id FROM people; CREATE TABLE treelift_runs_like (id INTEGER PRIMARY KEY);");
        let shown = shown(&site);
        let refused = |arguments: &[&str], message: &str, hint: &str| {
            let ran = export(&site, arguments).status(2);
            let hint = if hint.is_empty() { String::new() } else { format!("hint: {hint}\n") };
            assert_eq!((ran.stdout.as_str(), ran.stderr), ("", format!("error: {message}\n  at {shown}\n{hint}")));
        };
        refused(&["peolpe", "--as", "csv"], "there is no table `peolpe`", "did you mean `people`?");
        refused(&["x", "--as", "csv"], "there is no table `x`", "known: `notes` and `people`");
        refused(
            &["treelift_keys", "--as", "sql"],
            "`treelift_keys` is treelift's own, and not exported: it means nothing elsewhere",
            "`treelift credentials status` tells what it holds",
        );
        refused(
            &["schema_migrations", "--as", "sql"],
            "`schema_migrations` is the record of migrations, and not exported",
            "`treelift schema history` lists it",
        );
        refused(&["few", "--as", "jsonl"], "`few` is a view, and only tables are exported", "");
        refused(&["notes", "notes", "--as", "jsonl"], "the table `notes` is named twice", "");
        refused(
            &["notes", "--as", "csv", "--order-by", "titel"],
            "the table `notes` has no column `titel` to be ordered by",
            "did you mean `title`?",
        );
        let ran = export(&site, &["people", "notes", "--as", "csv"]).status(2);
        assert!(ran.stderr.starts_with("error: a CSV file holds one table, and 2 are named\nhint: name a folder"));
        let ran = export(&site, &["people", "--as", "csv", "--json"]).status(2);
        assert_eq!(ran.json()["error"]["kind"], "request");
        let ran = export(&site, &["people", "--as", "xml"]).status(2);
        assert!(ran.stderr.contains("[possible values: csv, jsonl, sql]"), "{}", ran.stderr);
    }
    let house = House::new();
    let none = house.run(["export", "people", "--as", "csv", "--database", "none.db"]).status(3);
    assert!(none.stderr.contains("there is no database"), "{}", none.stderr);
}

#[test]
fn values_that_their_form_does_not_say_are_counted() {
    let site = Site::on_file();
    site.sql(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, body JSON, title TEXT, length INTEGER AS (length(title)));
         INSERT INTO notes (id, body, title) VALUES (1, 'soon', CAST(X'ff' AS TEXT)), (2, 'never', 'a' || char(0)), (3, '[ ]', 'b');",
    );
    let ran = export(&site, &["notes", "--as", "jsonl"]).status(0);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        (
            "{\"id\":1,\"body\":\"soon\",\"title\":\"/w==\"}\n{\"id\":2,\"body\":\"never\",\"title\":\"a\\u0000\"}\n\
             {\"id\":3,\"body\":[],\"title\":\"b\"}\n",
            "note: 2 values of `notes.body` are not JSON, and written as a string\n\
             note: 1 value of `notes.title` is bytes, and written as base64\n\
             note: `notes.length` is left out: the database computes it\n\
             exported: 3 rows of `notes` in target.db as jsonl\n"
        )
    );
    let script = export(&site, &["notes", "--as", "sql"]).status(0).stdout;
    let before = site.rows("SELECT typeof(title), hex(title), length FROM notes ORDER BY id");
    site.sql(&format!("DELETE FROM notes;\n{script}"));
    assert_eq!(site.rows("SELECT typeof(title), hex(title), length FROM notes ORDER BY id"), before);
}

/// More rows than any buffer between holds, in 30 MB.
pub(crate) fn many(site: &Site) {
    let numbers = if site.is_file() {
        "WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 30000) SELECT n, n % 7, hex(zeroblob(500)) FROM g"
    } else {
        "SELECT n, n % 7, repeat('0', 1000) FROM generate_series(1, 30000) n"
    };
    site.sql(&format!(
        "CREATE TABLE many (id INTEGER PRIMARY KEY, rest INTEGER, text TEXT); INSERT INTO many {numbers};"
    ));
}

/// Writes into the table that comes last while the first is written.
#[cfg(feature = "postgres")]
#[test]
fn all_tables_are_of_one_moment() {
    use treelift::export::{Form, To, Wanted};
    struct Meddler<'m>(&'m Site, bool, Vec<u8>);
    impl std::io::Write for Meddler<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if !std::mem::replace(&mut self.1, true) {
                self.0.sql("INSERT INTO zoo VALUES (2)");
            }
            self.2.extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let site = Site::on_server();
    many(&site);
    site.sql("CREATE TABLE zoo (id INTEGER PRIMARY KEY); INSERT INTO zoo VALUES (1);");
    let database = treelift::database::open(&site.url()).unwrap();
    let wanted = Wanted { tables: vec!["many".to_owned(), "zoo".to_owned()], form: Form::Jsonl, order_by: Vec::new() };
    let mut meddler = Meddler(&site, false, Vec::new());
    let done =
        treelift::export::export(&*database, &wanted, To::Stream(&mut meddler), &[], &treelift::config::Quiet).unwrap();
    assert_eq!(done.unwrap().tables[1].rows, 1);
    assert!(meddler.2.ends_with(b"{\"table\":\"zoo\",\"row\":{\"id\":1}}\n"));
    assert_eq!(site.one("SELECT count(*) FROM zoo"), "2");
}

/// What another program makes of it, with a parser of its own.
#[cfg(feature = "postgres")]
#[test]
fn the_server_reads_the_csv_as_it_was() {
    let site = Site::on_server();
    site.sql(
        "CREATE TABLE odd (id integer PRIMARY KEY, a text, b text, c timestamptz, d integer[], e interval, f real, g uuid, h jsonb, i numeric(9,2));
         INSERT INTO odd VALUES (1, '', NULL, '2025-05-07 15:09:12.5+02', '{1,NULL}', '1 day 02:00', 0.1,
             '0f0e0d0c-0b0a-0908-0706-050403020100', '{\"b\": 1.0, \"a\": null}', 12.5),
             (2, '\\.', E'a\\r\\n\\\\N', NULL, NULL, NULL, 'NaN', NULL, NULL, 'NaN'), (3, ',', '\"', NULL, '{}', NULL, '-Infinity', NULL, NULL, -0.1),
             (4, ' x ', 'NULL', NULL, NULL, NULL, 3e38, NULL, '\"x\"', 1000000);
         CREATE TABLE copy (LIKE odd);
         CREATE TABLE lone (a text); INSERT INTO lone VALUES ('\\.'), (NULL), (''), ('x');
         CREATE TABLE lone_copy (a text);",
    );
    for (table, copy) in [("odd", "copy"), ("lone", "lone_copy")] {
        let csv = export(&site, &[table, "--as", "csv"]).status(0).stdout;
        let mut client = site.server().client();
        let mut writer = client.copy_in(&format!("COPY {copy} FROM STDIN WITH (FORMAT csv, HEADER match)")).unwrap();
        // A list is a JSON text there.
        let csv = csv.replace("\"[1,null]\"", "\"{1,NULL}\"").replace("[]", "{}");
        std::io::Write::write_all(&mut writer, csv.as_bytes()).unwrap();
        writer.finish().unwrap();
        let all = |table: &str| site.rows(&format!("SELECT t::text FROM {table} t ORDER BY 1"));
        assert_eq!(all(copy), all(table));
    }
}

#[test]
fn a_bundled_sample_is_read_by_the_json_that_every_program_knows() {
    let house = House::new();
    house.import(&project("sample_data/notes"), &["--database", "one.db", "--mappings", "notes"]).status(0);
    assert!(house.path(KEY_FILE).is_file());
    let ran = house.run(["export", "people", "--as", "jsonl", "--database", "one.db"]).status(0);
    let rows: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids = crate::house::rows(&open(&house.path("one.db")), "SELECT id FROM people ORDER BY id");
    assert_eq!(rows.iter().map(|row| vec![row["id"].as_str().unwrap().to_owned()]).collect::<Vec<_>>(), ids);
}
