//! Work that grows with what there is, and not with its square: counted in steps of SQLite's virtual machine.

use super::super::migrate;
use super::*;
use crate::database::rejection::Rejection;

/// How many steps of SQLite's virtual machine it takes to find and write a row of each of so many tables.
fn steps_of_rows(tables: usize) -> u64 {
    let names: Vec<String> = (0..tables).map(|number| format!("kind_{number}")).collect();
    let sql = names.iter().fold(String::new(), |sql, name| {
        sql + &format!("CREATE TABLE {name} (id INTEGER PRIMARY KEY, owner TEXT, n INTEGER, UNIQUE (owner, n));")
    });
    let bench = Bench::of(vec![migration("001_kinds", &sql)]);
    let (mut transaction, steps) = counted(&bench);
    migrate::read(&transaction.conn, &bench.schema).unwrap();
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

/// How many steps it takes to change each of so many rows that an index leads to only all together, or not at all.
fn steps_of_updates(rows: i64, index: &str) -> u64 {
    let sql = format!("CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT, n INTEGER, title TEXT);{index}");
    let bench = Bench::of(vec![migration("001_notes", &sql)]);
    let (mut transaction, steps) = counted(&bench);
    let row = |n: i64| vec![text("Ann"), Value::Integer(n), Value::Null];
    let all = (0..rows).map(row).collect();
    assert!(transaction.insert(&batch("notes", &["owner", "n", "title"], all)).unwrap().is_empty());
    let before = steps.load(Ordering::Relaxed);
    let mut change = |n: i64, title: &str| {
        let key = [text("Ann"), Value::Integer(n)];
        transaction.update("notes", &["title".to_owned()], &[text(title)], &["owner", "n"], &key).unwrap()
    };
    (0..rows).for_each(|n| assert_eq!(change(n, "new"), None));
    let steps = steps.load(Ordering::Relaxed) - before;
    assert_eq!(change(-1, "none"), Some(Rejection::Discarded));
    let again = vec![row(0)];
    assert!(transaction.insert(&batch("notes", &["owner", "n", "title"], again)).unwrap().is_empty());
    let twice = [text("Ann"), Value::Integer(0)];
    let changed = transaction.update("notes", &["title".to_owned()], &[text("x")], &["owner", "n"], &twice);
    assert_eq!(changed.unwrap(), Some(Rejection::Several(2)));
    steps
}

#[test]
fn the_work_of_filling_rows_grows_with_their_number_whatever_leads_to_their_key() {
    for index in ["", "CREATE INDEX notes_owner ON notes (owner);", "CREATE INDEX notes_whole ON notes (owner, n);"] {
        let (few, many) = (steps_of_updates(200, index), steps_of_updates(1_600, index));
        assert!(many < 9 * few, "{few} steps for 200 rows, {many} for 1,600: {index}");
    }
}
