//! PostgreSQL as the target: the same rows, the same report, and nothing of a password anywhere.

use crate::house::server::Server;
use crate::house::v1_tree;
use crate::house::{House, age, application_tables, comparable, open, project, rows, sample, tables};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A cell in one written form for both engines.
fn plain(text: &str, kind: &str) -> String {
    match (kind, text) {
        (_, text) if text.starts_with("tl2.") || text.starts_with("\"tl2.") => "sealed".to_owned(),
        ("boolean", "true") => "1".to_owned(),
        ("boolean", "false") => "0".to_owned(),
        ("timestamp without time zone" | "timestamp with time zone", text) if text != "NULL" => {
            let text = text.strip_suffix("+00").unwrap_or(text);
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            format!("{whole}.{fraction:0<6}")
        }
        ("double precision", text) if text != "NULL" => format!("{:?}", text.parse::<f64>().unwrap()),
        (_, text) => text.to_owned(),
    }
}

/// Every application table of both databases with its rows, in one form.
pub(crate) fn dumps(house: &House, file: &str, server: &Server) -> [BTreeMap<String, Vec<Vec<String>>>; 2] {
    let database = open(&house.path(file));
    let (mut one, mut other) = (BTreeMap::new(), BTreeMap::new());
    let time = |rows: Vec<Vec<String>>| plain(&rows[0][0], "timestamp without time zone");
    let started = [
        time(rows(&database, "SELECT started FROM treelift_runs")),
        time(server.rows("SELECT started::text FROM treelift_runs")),
    ];
    for table in application_tables(&database) {
        let columns = server.rows(&format!(
            "SELECT a.attname::text, format_type(a.atttypid, NULL) FROM pg_attribute a
             WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0 ORDER BY a.attnum"
        ));
        let named = columns.iter().map(|column| format!("\"{}\"", column[0])).collect::<Vec<_>>().join(", ");
        let texts = columns.iter().map(|column| format!("\"{}\"::text", column[0])).collect::<Vec<_>>().join(", ");
        let form = |rows: Vec<Vec<String>>, started: &str| {
            let cell = |(text, column): (String, &Vec<String>)| {
                let text = plain(&text, &column[1]);
                if text == started { "the start".to_owned() } else { text }
            };
            let mut rows: Vec<Vec<String>> =
                rows.into_iter().map(|row| row.into_iter().zip(&columns).map(cell).collect()).collect();
            rows.sort();
            rows
        };
        one.insert(table.clone(), form(rows(&database, &format!("SELECT {named} FROM \"{table}\"")), &started[0]));
        let stored = format!("SET TimeZone = 'UTC'; SET extra_float_digits = 1; SELECT {texts} FROM \"{table}\"");
        let (set, query) = stored.rsplit_once("; ").unwrap();
        let mut client = server.client();
        client.batch_execute(set).unwrap();
        let found = client.query(query, &[]).unwrap();
        let cell = |row: &postgres::Row, at| row.get::<_, Option<String>>(at).unwrap_or_else(|| "NULL".to_owned());
        let found = found.iter().map(|row| (0..row.len()).map(|at| cell(row, at)).collect()).collect();
        other.insert(table, form(found, &started[1]));
    }
    [one, other]
}

/// What both engines say alike of a run.
fn alike(report: &Value) -> Value {
    let mut report = comparable(report.clone());
    // Each has its own check of full text, and one is about a file.
    let of_one = ["the full-text index has every order", "the database file is intact"];
    let checks = report["checks"].as_array_mut().unwrap();
    // Full text is an index there, and a table with triggers here.
    let indexes = checks.iter_mut().filter(|check| check["name"] == "every index exists");
    indexes.for_each(|check| check["detail"] = "all".into());
    checks.retain(|check| !of_one.iter().any(|name| check["name"] == *name));
    report
}

pub(crate) fn imported(house: &House, tree: &Path, url: &str, more: &[&str]) -> Value {
    let ran = house.import(tree, &[&["--database", url, "--json"], more].concat());
    let report = ran.json();
    ran.status(0);
    report
}

#[test]
fn both_engines_hold_the_same_rows_and_tell_the_same() {
    hold_the_same(&sample(), "sample.db", &Server::new());
    hold_the_same(&project("sample_data/notes"), "notes.db", &Server::apart());
}

#[test]
fn both_engines_hold_the_same_rows_of_a_larger_tree() {
    people(12);
}

#[test]
#[ignore = "200 people take about 5 minutes in a build that is not optimised"]
fn both_engines_hold_the_same_rows_of_two_hundred_people() {
    people(200);
}

/// An invented tree of so many people.
fn people(users: u32) {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("v1");
    v1_tree::write(&tree, &v1_tree::Plan { users, ..v1_tree::Plan::default() }).unwrap();
    age(&tree);
    hold_the_same(&tree, "people.db", &Server::new());
}

fn hold_the_same(tree: &Path, file: &str, server: &Server) {
    let house = House::new();
    let one = imported(&house, tree, &format!("sqlite:///./{file}"), &[]);
    let dry = imported(&house, tree, &server.url, &["--dry-run"]);
    assert_eq!(server.things(), "0", "a dry run leaves nothing");
    let other = imported(&house, tree, &server.url, &[]);
    assert_eq!(other["outcome"], "committed");
    assert_eq!(alike(&one), alike(&other));
    assert_eq!(comparable(dry), comparable(other.clone()));
    let [left, right] = dumps(&house, file, server);
    assert!(left.values().map(Vec::len).sum::<usize>() > 10);
    for (table, rows) in &left {
        assert_eq!(rows, &right[table], "{table}");
    }
    let again = imported(&house, tree, &server.url, &["--no-backup"]);
    assert_eq!((tables(&again, "inserted"), tables(&again, "updated")), Default::default());
    assert_eq!(tables(&again, "unchanged"), tables(&other, "inserted"));
    house.run(["schema", "validate", "--database", &server.url]).status(0);
}

#[test]
fn a_given_id_moves_the_sequence_on_and_a_dry_run_does_not() {
    let (house, server) = (House::new(), Server::new());
    imported(&house, &sample(), &server.url, &[]);
    let highest = server.rows("SELECT max(id)::text FROM user_change_history");
    let next = server.rows("SELECT nextval('user_change_history_id_seq')::text");
    assert_eq!(next[0][0].parse::<u64>().unwrap(), highest[0][0].parse::<u64>().unwrap() + 1);
    imported(&house, &sample(), &server.url, &["--dry-run"]);
    let after = server.rows("SELECT nextval('user_change_history_id_seq')::text");
    assert_eq!(after[0][0].parse::<u64>().unwrap(), next[0][0].parse::<u64>().unwrap() + 1);
}

#[test]
fn a_password_is_in_no_word_that_is_written() {
    let (house, server) = (House::new(), Server::new());
    let user = format!("canary_{}", &server.name()[3..]);
    server.run(&format!("CREATE ROLE {user} LOGIN PASSWORD 'hunter2canary'; GRANT CREATE ON SCHEMA public TO {user}"));
    let (_, behind) = server.url.split_once('@').unwrap();
    let url = format!("postgresql://{user}:hunter2canary@{behind}");
    let report = house.path("report.json");
    let ran = house.import(&project("sample_data/notes"), &["--database", &url, "--report", report.to_str().unwrap()]);
    let ran = ran.status(0);
    let mut words = vec![ran.stdout, ran.stderr, std::fs::read_to_string(&report).unwrap()];
    words.push(server.rows("SELECT string_agg(r::text, ' ') FROM treelift_runs r")[0][0].clone());
    for command in [&["runs"][..], &["schema", "status"], &["schema", "validate"]] {
        let ran = house.run(command.iter().copied().chain(["--database", url.as_str()]));
        words.extend([ran.stdout, ran.stderr]);
    }
    let nowhere = url.replace("host=", "host=/nowhere");
    for wrong in [nowhere, url.replace("@/it_", "@/no_"), format!("{url}&hunter2canary"), url.replace("//", "//%zz")] {
        let ran = house.run(["schema", "status", "--mappings", "notes", "--database", &wrong]);
        assert!(matches!(ran.status, Some(2 | 3)), "{}", ran.stderr);
        words.extend([ran.stdout, ran.stderr]);
    }
    assert!(words.iter().all(|text| !text.contains("hunter2canary")), "{words:?}");
    server.run(&format!("DROP OWNED BY {user}; DROP ROLE {user}"));
}

#[test]
fn a_server_that_is_not_there_is_told_and_so_is_a_wrong_option() {
    let house = House::new();
    let told = |url: &str, status| house.import(&sample(), &["--database", url]).status(status).stderr;
    let unreached = told("postgresql://me:hidden@/db?host=/nowhere", 3);
    let words =
        "the server cannot be reached: No such file or directory (os error 2)\n  at postgresql://me@/db?host=/nowhere";
    assert!(unreached.contains(words), "{unreached}");
    let wrong = told("postgresql://me:hidden@host/db?sslmode=maybe", 2);
    assert!(wrong.contains("`sslmode` has no `maybe`") && !wrong.contains("hidden"), "{wrong}");
}

#[test]
fn a_user_without_rights_is_refused_by_name_and_nothing_is_changed() {
    let (house, server) = (House::new(), Server::new());
    let user = format!("plain_{}", &server.name()[3..]);
    server.run(&format!("CREATE ROLE {user} LOGIN"));
    let ran = house.import(&project("sample_data/notes"), &["--database", &server.url_as(&user)]).status(3);
    assert!(ran.stderr.contains("permission denied for schema public"), "{}", ran.stderr);
    assert_eq!(server.things(), "0");
    server.run(&format!("DROP ROLE {user}"));
}
