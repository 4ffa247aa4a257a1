//! Rows, keys and the ledger.

use super::*;
use crate::database::Cell;
use crate::database::contract::tests::ledger::{file, row, run};
use crate::database::ledger::RowRecord;
use crate::database::rejection::{Rejected, Rejection};

fn stored(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn a_time_that_is_stored_in_another_form_is_found_and_its_row_changed() {
    let bench = Bench::new();
    drop(bench.make(&format!(
        "{SQL} INSERT INTO people VALUES ('bob', 'b'); INSERT INTO notes (id, owner, at) VALUES (4, 'bob', '2025-05-07 15:09:12');"
    )));
    let mut transaction = bench.begin(Mode::Real).unwrap();
    let (by, key) = (["owner", "at"], vec![text("bob"), time("2025-05-07T15:09:12")]);
    let found = transaction.find("notes", &by, &["id"], std::slice::from_ref(&key)).unwrap();
    assert_eq!(found, [Some(vec![Cell::Integer(4)])]);
    assert_eq!(transaction.update("notes", &["title".into()], &[text("new")], &by, &key).unwrap(), None);
    assert_eq!(transaction.select("notes", &["title"], None).unwrap(), [[stored("new")]]);
}

#[test]
fn an_update_whose_key_matches_several_rows_is_a_rejection_and_no_bug() {
    let bench = Bench::of(vec![migration("001_words", "CREATE TABLE words (word TEXT COLLATE NOCASE, size INTEGER);")]);
    let mut transaction = bench.begin(Mode::Real).unwrap();
    let rows = ["a", "A"].map(|word| vec![text(word), Value::Integer(1)]);
    let batch = batch("words", &["word", "size"], rows.into());
    assert_eq!(transaction.insert(&batch).unwrap(), []);
    let update = transaction.update("words", &["size".into()], &[Value::Integer(2)], &["word"], &[text("a")]).unwrap();
    let rejection = update.unwrap();
    assert_eq!(
        (rejection.code().id, rejection.message("words").as_str()),
        ("R012", "the key of a row of `words` matches 2 rows in the database, expected 1")
    );
}

#[test]
fn a_trigger_on_updates_that_rolls_back_at_a_duplicate_ends_the_transaction() {
    let bench = Bench::new();
    let rolls_back = "CREATE TRIGGER t AFTER UPDATE ON people BEGIN SELECT RAISE(ROLLBACK, 'all of it'); END;";
    drop(bench.make(&format!("{SQL} INSERT INTO people VALUES ('bob', 'ann@example.org'); {rolls_back}")));
    let mut transaction = bench.begin(Mode::Real).unwrap();
    let rows = vec![vec![text("ann"), text("ann@example.org")], vec![text("eve"), text("eve@example.org")]];
    let rejected = transaction.insert(&batch("people", &["id", "email"], rows)).unwrap();
    assert_eq!(rejected, [Rejected { row: 0, why: Rejection::RolledBack { names: vec!["t".into()] } }]);
    drop(transaction);
    // What came after would have been outside of a transaction, and stayed.
    assert_eq!(bench.ask("SELECT id FROM people"), ["Text(\"bob\")"]);
}

#[test]
fn a_ledger_row_costs_little_beside_its_key() {
    let bench = Bench::new();
    let mut transaction = bench.begin(Mode::Real).unwrap();
    transaction.begin_run(&run("r1")).unwrap();
    transaction.record_files(&[file(1, "a.json")]).unwrap();
    let key = |i: u64| format!("{i:036}");
    let rows: Vec<RowRecord> = (0..50_000).map(|i| row("notes", &key(i), 1, i * 300)).collect();
    transaction.record_rows(&rows).unwrap();
    transaction.commit().unwrap();
    let beside = fs::metadata(bench.path()).unwrap().len() / 50_000 - 36;
    assert!((45..55).contains(&beside), "the head of ledger.rs does not say {beside}");
}

#[test]
fn rows_without_an_index_are_found_one_by_one_also_those_that_come_and_change() {
    for rowids in ["", "WITHOUT ROWID"] {
        let bench = Bench::of(vec![migration(
            "001",
            &format!("CREATE TABLE words (id TEXT PRIMARY KEY NOT NULL, _rowid_ TEXT, at DATETIME) {rowids};"),
        )]);
        let mut transaction = bench.begin(Mode::Real).unwrap();
        let word = |id: &str, name: &str, at: &str| vec![text(id), text(name), time(at)];
        let columns = ["id", "_rowid_", "at"];
        transaction.insert(&batch("words", &columns, vec![word("1", "a", "2025-05-07T10:00:00")])).unwrap();
        let find = |transaction: &mut dyn Transaction, name: &str, at: &str| {
            let found = transaction.find("words", &["_rowid_", "at"], &["id"], &[vec![text(name), time(at)]]).unwrap();
            found.into_iter().next().flatten()
        };
        let is = |id: &str| Some(vec![stored(id)]);
        assert_eq!(find(&mut *transaction, "a", "2025-05-07T10:00:00"), is("1"));
        assert_eq!(find(&mut *transaction, "b", "2025-05-07T11:00:00"), None);
        let more = vec![word("2", "b", "2025-05-07T11:00:00"), word("3", "b", "2025-05-07T11:00:00")];
        transaction.insert(&batch("words", &columns, more)).unwrap();
        assert_eq!(find(&mut *transaction, "b", "2025-05-07T11:00:00"), is("2"), "{rowids}: the first of a key");
        transaction.update("words", &["_rowid_".into()], &[text("c")], &["id"], &[text("2")]).unwrap();
        assert_eq!(find(&mut *transaction, "c", "2025-05-07T11:00:00"), is("2"));
        assert_eq!(find(&mut *transaction, "b", "2025-05-07T11:00:00"), is("3"));
    }
}

/// Looks for so many rows of one owner, so many at once, by the owner and a title, where this index leads to
/// the owner alone, or none at all. Gives the steps of SQLite's program.
fn steps_to_find_each(rows: i64, index: &str, at_once: usize) -> u64 {
    let mut migrations = vec![migration("001_notes", SQL)];
    migrations.push(migration("002", index));
    let bench = Bench::of(migrations);
    let fill = format!(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows})
         INSERT INTO notes (id, owner, title, pinned) SELECT i, 'bob', 'title ' || (i % ({rows} - 1)), (i = 0) FROM n"
    );
    drop(bench.make(&format!("{SQL} {index} INSERT INTO people VALUES ('bob', 'b'); {fill}")));
    let (transaction, steps) = counted(&bench);
    let all: Vec<i64> = (0..rows).collect();
    for some in all.chunks(at_once) {
        let keys: Vec<Vec<Value>> = some.iter().map(|row| vec![text("bob"), text(&format!("title {row}"))]).collect();
        let found = transaction.find("notes", &["owner", "title"], &["id"], &keys).unwrap();
        // Of two rows with one key it is the one that comes first in the index, before and after the pass.
        let id = |row: &i64| match *row {
            0 if !index.is_empty() => Some(rows - 1),
            row if row == rows - 1 => None,
            row => Some(row),
        };
        let expected: Vec<_> = some.iter().map(|row| id(row).map(|id| vec![Cell::Integer(id)])).collect();
        assert_eq!(found, expected, "{some:?} of {rows}");
    }
    steps.load(Ordering::Relaxed)
}

#[test]
fn rows_are_found_in_proportion_where_an_index_leads_to_a_part_of_their_key_or_none_at_all() {
    for (index, at_once) in [("CREATE INDEX notes_owner ON notes (owner, pinned);", 1), ("", 1), ("", 100)] {
        let [few, many] = [500, 2_000].map(|rows| steps_to_find_each(rows, index, at_once));
        assert!(many < few * 9 / 2, "{few} steps for 500 rows, {many} for 2,000, {at_once} at once: {index}");
        assert!(many < 2_000 * 400, "{many} steps for 2,000 rows, {at_once} at once: {index}");
    }
}
