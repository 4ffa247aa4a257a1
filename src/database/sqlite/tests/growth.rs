//! Work that grows with what there is, and not with its square: counted in steps of SQLite's virtual machine.

use super::super::location::Location;
use super::super::migrate;
use super::super::session::SqliteTransaction;
use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many steps of SQLite's virtual machine it takes to find and write a row of each of so many tables.
fn steps_of_rows(tables: usize) -> u32 {
    let names: Vec<String> = (0..tables).map(|number| format!("kind_{number}")).collect();
    let sql = names.iter().fold(String::new(), |sql, name| {
        sql + &format!("CREATE TABLE {name} (id INTEGER PRIMARY KEY, owner TEXT, n INTEGER, UNIQUE (owner, n));")
    });
    let bench = Bench::of(vec![migration("001_kinds", &sql)]);
    let opening = Opening {
        mode: Mode::Real,
        run_id: "run-1",
        migrations: &bench.migrations,
        schema: &bench.schema,
        written: &bench.written,
        bytes: 1_000,
        started: "2025-05-07T15:09:12Z".parse().unwrap(),
        audit: None,
    };
    let location = Location { path: bench.path(), shown: "x.db".to_owned(), record: None };
    let mut transaction = SqliteTransaction::begin(location, &opening).unwrap();
    let steps = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    transaction.conn.progress_handler(1, Some(count)).unwrap();
    migrate::read(&transaction.conn, &bench.schema, &|error| Error::bug(error.to_string())).unwrap();
    let mut inserted = Vec::new();
    for name in names {
        assert_eq!(transaction.highest_id(&name, "id").unwrap(), 0);
        let key = [vec![text("Ann"), Value::Integer(1)]];
        assert_eq!(transaction.find(&name, &["owner", "n"], &["id"], &key).unwrap(), [None]);
        let rows = vec![vec![Value::Integer(1), text("Ann"), Value::Integer(1)]];
        assert!(transaction.insert(&batch(&name, &["id", "owner", "n"], rows)).unwrap().is_empty());
        let key = [Value::Integer(1)];
        let changed = transaction.update(&name, &["owner".to_owned()], &[text("Bob")], &["id"], &key);
        assert_eq!(changed.unwrap(), None);
        inserted.push((name, 1));
    }
    assert!(transaction.unkept(&inserted).unwrap().is_empty());
    steps.load(Ordering::Relaxed)
}

#[test]
fn the_work_of_writing_into_many_tables_grows_with_their_number_and_not_with_its_square() {
    let (few, many) = (steps_of_rows(50), steps_of_rows(400));
    assert!(many < 9 * few, "{few} steps for 50 tables, {many} for 400");
}
