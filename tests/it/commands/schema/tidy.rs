//! A database that is put in order, and keeps every row.

use crate::house::site::{Site, every};
use crate::house::{Ran, project};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::process::Stdio;

fn tidy(site: &Site, more: &[&str]) -> Ran {
    let name = site.name();
    site.house.run([&["schema", "tidy", "--database", name], more].concat())
}

/// Two tables, of which one lost most of its rows.
fn notes(site: &Site) {
    let blob = if site.is_file() { "hex(zeroblob(500))" } else { "repeat('0', 1000)" };
    let numbers = if site.is_file() {
        "(WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 2000) SELECT n FROM g)"
    } else {
        "generate_series(1, 2000) n"
    };
    site.sql(&format!(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, body TEXT); CREATE INDEX titles ON notes (title);
         CREATE TABLE tags (name TEXT);
         INSERT INTO notes SELECT n, 'title ' || n, {blob} FROM {numbers};
         INSERT INTO tags VALUES ('a'), ('b');"
    ));
    site.sql("DELETE FROM notes WHERE id > 10");
}

/// The statements, in the words of the engine.
fn statements(site: &Site, what: &[&str]) -> Vec<String> {
    if site.is_file() {
        return what.iter().map(|&one| one.to_owned()).collect();
    }
    let of = |one: &&str| ["notes", "tags"].map(|table| format!("{one} \"public\".\"{table}\""));
    what.iter().flat_map(of).collect()
}

fn all(site: &Site) -> Vec<String> {
    statements(
        site,
        if site.is_file() { &["REINDEX", "VACUUM", "ANALYZE"] } else { &["REINDEX TABLE", "VACUUM (ANALYZE)"] },
    )
}

fn said(statements: &[String]) -> String {
    statements.iter().map(|one| format!("done: {one}\n")).collect()
}

#[test]
fn every_engine_runs_its_own_statements_and_no_row_changes() {
    for site in every() {
        notes(&site);
        let rows = || [site.rows("SELECT * FROM notes ORDER BY id"), site.rows("SELECT * FROM tags ORDER BY name")];
        let (before, all) = (rows(), all(&site));
        let ran = tidy(&site, &["--yes", "--json"]).status(0);
        assert_eq!(ran.stderr, said(&all));
        let told = ran.json();
        let bytes = |name: &str| told[name].as_u64().unwrap();
        assert!(bytes("after") < bytes("before"), "{told}");
        let chore = |statement: &String| {
            let table = statement.rsplit('.').next().unwrap().trim_matches('"');
            if site.is_file() {
                json!({ "statement": statement })
            } else {
                json!({ "statement": statement, "table": table })
            }
        };
        assert_eq!(
            told,
            json!({
                "target": told["target"],
                "chores": all.iter().map(chore).collect::<Vec<_>>(),
                "left": [],
                "before": bytes("before"),
                "after": bytes("after"),
                "dry_run": false,
            })
        );
        assert_eq!(rows(), before);
        if site.is_file() {
            assert_eq!(site.house.path("target.db").metadata().unwrap().len(), bytes("after"));
            assert_eq!(site.one("SELECT stat FROM sqlite_stat1 WHERE idx = 'titles'"), "10 1");
            assert_eq!(site.one("PRAGMA freelist_count"), "0");
        } else {
            assert_eq!(site.one("SELECT reltuples FROM pg_class WHERE relname = 'notes'"), "10");
        }
        // Nothing of treelift's own comes into a database that it has never written into.
        let ran = tidy(&site, &["--yes"]).status(0);
        let (size, count) = (ran.last_line().rsplit_once(", ").unwrap().1.to_owned(), all.len());
        let target = told["target"].as_str().unwrap();
        assert_eq!(ran.stdout, format!("tidied: {count} statements in {target}, {size}\n"));
        let tables = if site.is_file() {
            "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'treelift%'"
        } else {
            "SELECT count(*) FROM pg_class WHERE relname LIKE 'treelift%'"
        };
        assert_eq!(site.one(tables), "0");
    }
}

#[test]
fn a_part_is_done_alone_and_a_dry_run_does_nothing() {
    for site in every() {
        notes(&site);
        let parts: [(&[&str], &[&str]); 4] = if site.is_file() {
            [
                (&["--analyze"], &["ANALYZE"]),
                (&["--vacuum"], &["VACUUM"]),
                (&["--reindex"], &["REINDEX"]),
                (&["--analyze", "--reindex"], &["REINDEX", "ANALYZE"]),
            ]
        } else {
            [
                (&["--analyze"], &["ANALYZE"]),
                (&["--vacuum"], &["VACUUM"]),
                (&["--reindex"], &["REINDEX TABLE"]),
                (&["--analyze", "--reindex"], &["REINDEX TABLE", "ANALYZE"]),
            ]
        };
        for (flags, what) in parts {
            let before = site.state();
            let dry = tidy(&site, &[flags, &["--dry-run"]].concat()).status(0);
            let would: String = statements(&site, what).iter().map(|one| format!("would run: {one}\n")).collect();
            assert!(dry.stdout.starts_with(&would) && dry.last_line().ends_with("), nothing was changed"), "{dry:?}");
            assert_eq!(site.state(), before);
            let asked = tidy(&site, flags).status(2);
            assert!(asked.stderr.contains("that change no row, without a backup?"), "{}", asked.stderr);
            assert_eq!(site.state(), before);
            assert_eq!(tidy(&site, &[flags, &["--yes"]].concat()).status(0).stderr, said(&statements(&site, what)));
        }
    }
}

#[test]
fn a_full_text_index_over_rows_that_were_numbered_anew_finds_them() {
    let site = Site::on_file();
    site.sql(
        "CREATE TABLE notes (title TEXT); INSERT INTO notes VALUES ('one'), ('two'), ('three'), ('four');
         CREATE VIRTUAL TABLE found USING fts5(title, content='notes');
         CREATE VIRTUAL TABLE own USING fts5(title); INSERT INTO own VALUES ('kept');
         INSERT INTO found (found) VALUES ('rebuild');
         DELETE FROM notes WHERE title < 'three'; INSERT INTO found (found) VALUES ('rebuild');",
    );
    let finds = || {
        site.rows("SELECT n.rowid, n.title FROM found f JOIN notes n ON n.rowid = f.rowid WHERE found MATCH 'three OR two' ORDER BY 2")
    };
    assert_eq!(finds(), [["3", "three"], ["2", "two"]]);
    let ran = tidy(&site, &["--vacuum", "--yes"]).status(0);
    assert_eq!(ran.stderr, "done: VACUUM\ndone: INSERT INTO \"found\" (\"found\") VALUES ('rebuild')\n");
    assert_eq!(finds(), [["2", "three"], ["1", "two"]]);
    assert_eq!(tidy(&site, &["--analyze", "--yes"]).status(0).stderr, "done: ANALYZE\n");
}

#[test]
fn it_is_in_the_audit_trail_of_a_database_that_has_one() {
    for site in every() {
        let name = site.name();
        site.house.import(&project("sample_data/notes"), &["--database", name]).status(0);
        tidy(&site, &["--yes"]).status(0);
        let rows = site.rows("SELECT action, subject, reason, details FROM treelift_audit WHERE action = 'tidy'");
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0][..3], ["tidy", "database", "statistics, files and indexes were put in order"]);
        let details: serde_json::Value = serde_json::from_str(&rows[0][3]).unwrap();
        assert!(details["statements"][0].as_str().unwrap().starts_with("REINDEX"), "{details}");
        site.house.run(["schema", "validate", "--database", name]).status(0);
        let runs = site.house.run(["runs", "--json", "--database", name]).status(0).json();
        let run = runs["runs"][0]["id"].as_str().unwrap();
        let undone = site.house.run(["undo", run, "--dry-run", "--database", name]).status(0);
        assert!(undone.last_line().starts_with("dry run: "), "{}", undone.stdout);
    }
}

/// Keeps writers out until it is dropped: of the file, or of the table `tags`.
enum Holder {
    File(#[expect(dead_code, reason = "its end is what counts")] rusqlite::Connection),
    #[cfg(feature = "postgres")]
    Server(#[expect(dead_code, reason = "its end is what counts")] postgres::Client),
}

fn hold(site: &Site) -> Holder {
    if site.is_file() {
        let other = rusqlite::Connection::open(site.house.path("target.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        return Holder::File(other);
    }
    #[cfg(feature = "postgres")]
    {
        let mut client = site.server().client();
        client.batch_execute("BEGIN; LOCK TABLE tags IN SHARE UPDATE EXCLUSIVE MODE").unwrap();
        Holder::Server(client)
    }
    #[cfg(not(feature = "postgres"))]
    unreachable!("there is no other engine")
}

#[test]
fn a_lock_of_another_program_ends_it_with_what_was_done() {
    for site in every() {
        notes(&site);
        let holder = hold(&site);
        let part = if site.is_file() { "--reindex" } else { "--vacuum" };
        let ran = tidy(&site, &["--yes", part, "--lock-timeout", "1"]).status(3);
        assert!(ran.stderr.contains("error: the database is locked by another program"), "{}", ran.stderr);
        let done = if site.is_file() {
            "0 of 1 statement done, and the database is sound"
        } else {
            "1 of 2 statements done, and the database is sound"
        };
        assert!(ran.stderr.contains(done), "{}", ran.stderr);
        drop(holder);
        tidy(&site, &["--yes", part]).status(0);
    }
}

#[test]
fn a_signal_ends_it_with_what_was_done() {
    for site in every() {
        notes(&site);
        let _holder = hold(&site);
        let name = site.name();
        let arguments = ["schema", "tidy", "--yes", "--lock-timeout", "0", "--database", name];
        let mut child = site.house.command(arguments).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        if site.is_file() {
            std::thread::sleep(std::time::Duration::from_millis(1_500)); // nothing tells that it waits
        } else {
            let mut reader = std::io::BufReader::new(child.stderr.as_mut().unwrap());
            std::io::BufRead::read_line(&mut reader, &mut said).unwrap();
            assert_eq!(said, "done: REINDEX TABLE \"public\".\"notes\"\n");
        }
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let ended = child.wait_with_output().unwrap();
        let done = if site.is_file() { "0 of 3 statements" } else { "1 of 4 statements" };
        assert_eq!(
            (ended.status.code(), String::from_utf8(ended.stderr).unwrap()),
            (
                Some(130),
                format!(
                    "error: interrupted: {done} done, and the database is sound\nhint: run it again for the rest\n"
                )
            )
        );
    }
}

#[cfg(feature = "postgres")]
#[test]
fn tables_of_another_role_are_named_and_partitions_go_with_their_table() {
    let site = Site::on_server();
    let role = format!("{}_app", site.server().name());
    site.sql(&format!(
        "CREATE TABLE theirs (id integer PRIMARY KEY); CREATE ROLE {role} LOGIN;
         GRANT USAGE, CREATE ON SCHEMA public TO {role}; SET ROLE {role};
         CREATE TABLE parts (id integer PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9); INSERT INTO parts VALUES (1);"
    ));
    let url = site.server().url_as(&role);
    let ran = site.house.run(["schema", "tidy", "--yes", "--database", &url]).status(0);
    assert_eq!(ran.stderr, "done: REINDEX TABLE \"public\".\"parts\"\ndone: VACUUM (ANALYZE) \"public\".\"parts\"\n");
    assert!(
        ran.stdout
            .starts_with("note: `theirs` is left out: it belongs to the role `postgres`\ntidied: 2 statements in ")
    );
    assert_eq!(site.one("SELECT reltuples FROM pg_class WHERE relname = 'part'"), "1");
    site.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_database_that_is_not_there_is_told() {
    let site = Site::on_file();
    let ran = tidy(&site, &["--yes"]).status(3);
    assert!(ran.stderr.contains("there is no database"), "{}", ran.stderr);
    assert!(!site.house.path("target.db").exists());
}
