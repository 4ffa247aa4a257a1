//! Rows, keys and the ledger.

use super::*;
use crate::database::ledger::{FileRecord, RowRecord, RunRecord, Written};
use crate::database::rejection::{Rejected, Rejection};
use crate::database::{Cell, Orphan, SealedColumn};
use crate::secret::keys::KeyRow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

fn stored(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn time(text: &str) -> Value {
    Value::Civil(text.parse().unwrap())
}

fn run(id: &str) -> RunRecord {
    RunRecord {
        id: id.into(),
        kind: "import".into(),
        program: "treelift 0.1.0".into(),
        set: "notebook".into(),
        set_digest: "ab".into(),
        source: "/data".into(),
        started: "2025-05-07T15:09:12.345Z".parse().unwrap(),
        finished: "2025-05-07T15:09:13Z".parse().unwrap(),
        ..RunRecord::default()
    }
}

fn file(id: i64, path: &str) -> FileRecord {
    FileRecord { id, path: path.into(), sha256: [7; 32], bytes: 12 }
}

fn row(table: &str, row_key: &str, file: i64, offset: u64) -> RowRecord {
    RowRecord { table: table.into(), row_key: row_key.into(), file, offset, digest: [9; 16], own: None, columns: 1 }
}

#[test]
fn rows_are_found_by_any_key() {
    let bench = Bench::new();
    drop(bench.make(&format!(
        "{SQL} INSERT INTO people VALUES ('bob', 'b'); INSERT INTO notes (id, owner, title, at) VALUES (4, 'bob', 't', '2025-05-07 15:09:12');"
    )));
    let mut transaction = bench.begin(Mode::Real).unwrap();
    transaction.insert(&person("ann")).unwrap();
    let rows = vec![
        vec![Value::Integer(7), text("ann"), text("a"), time("2025-05-07T10:00:00"), Value::Bool(true)],
        vec![Value::Integer(8), text("ann"), Value::Null, time("2025-05-07T11:00:00"), Value::Bool(false)],
    ];
    transaction.insert(&batch("notes", &["id", "owner", "title", "at", "pinned"], rows)).unwrap();

    // By primary key, by unique index, over the whole table, by a time in another form.
    let wanted = ["title", "pinned"];
    let seven = Some(vec![stored("a"), Cell::Integer(1)]);
    let found = transaction.find("notes", &["id"], &wanted, &[vec![Value::Integer(7)], vec![Value::Integer(9)]]);
    assert_eq!(found.unwrap(), [seven.clone(), None]);
    let found = transaction.find(
        "people",
        &["email"],
        &["id"],
        &[vec![text("ann@example.org")], vec![text("ANN@example.org")]],
    );
    assert_eq!(found.unwrap(), [Some(vec![stored("ann")]), None]);
    let found = transaction.find(
        "notes",
        &["owner", "title"],
        &wanted,
        &[vec![text("ann"), text("a")], vec![text("bob"), text("a")], vec![text("ann"), text("a")]],
    );
    assert_eq!(found.unwrap(), [seven.clone(), None, seven.clone()]);
    let found = transaction.find(
        "notes",
        &["owner", "at"],
        &["id"],
        &[vec![text("bob"), time("2025-05-07T15:09:12")], vec![text("ann"), time("2025-05-07T11:00:00")]],
    );
    assert_eq!(found.unwrap(), [Some(vec![Cell::Integer(4)]), Some(vec![Cell::Integer(8)])]);

    let selected = transaction.select("notes", &["id"], Some(("owner", &text("ann")))).unwrap();
    assert_eq!(selected, [[Cell::Integer(7)], [Cell::Integer(8)]]);
    assert_eq!(transaction.select("notes", &["id"], None).unwrap().len(), 3);
    assert_eq!(transaction.highest_id("notes", "id").unwrap(), 8);
    assert_eq!(transaction.highest_id("tags", "note").unwrap(), 0);
    assert_eq!((transaction.rows_before("notes"), transaction.rows_before("tags")), (1, 0));
    assert_eq!(transaction.written("notes", "at", &time("2025-05-07T10:00")).unwrap(), "2025-05-07 10:00:00.000000");
    assert!(transaction.same("notes", "pinned", &Cell::Integer(1), &Value::Bool(true)));
}

#[test]
fn an_update_that_changes_no_row_is_reported() {
    let bench = Bench::new();
    let mut transaction = bench.begin(Mode::Real).unwrap();
    transaction.insert(&person("ann")).unwrap();
    transaction.update("people", &["email".into()], &[text("new")], &["id"], &[text("ann")]).unwrap();
    assert_eq!(transaction.select("people", &["email"], None).unwrap(), [[stored("new")]]);
    let missed = transaction.update("people", &["email".into()], &[text("new")], &["id"], &[text("bob")]).unwrap();
    assert_eq!(missed, Some(Rejection::Discarded));
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
fn what_a_column_would_not_keep_is_refused() {
    let bench = Bench::new();
    let mut transaction = bench.begin(Mode::Real).unwrap();
    let error = transaction.insert(&batch("notes", &["id"], vec![vec![text("canary")]])).unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.status()),
        ("text reached column `notes.id`, which would not keep it", 70)
    );
    let error = transaction.insert(&batch("notes", &["ID\"; --"], vec![vec![text("canary")]])).unwrap_err();
    assert_eq!(error.message, "there is no column `notes.ID\"; --`");
    let error = transaction.insert(&batch("notes", &["id"], vec![vec![]])).unwrap_err();
    assert_eq!(error.message, "a row of `notes` has 0 values for 1 columns");
    transaction.insert(&person("ann")).unwrap();
    let rejected = transaction.insert(&person("ann")).unwrap();
    let why = Rejection::Unique { index: "people.email".into(), other: Some("ann".into()) };
    assert_eq!(rejected, [Rejected { row: 0, why }]);
}

#[test]
fn orphans_are_named_by_their_keys() {
    let bench = Bench::of(vec![migration(
        "001",
        &format!(
            "{SQL} CREATE TABLE links (a TEXT, rowid INTEGER, PRIMARY KEY (a, rowid), FOREIGN KEY (a) REFERENCES people (id));"
        ),
    )]);
    let mut transaction = bench.begin(Mode::Real).unwrap();
    transaction.insert(&note(7, "nobody")).unwrap();
    transaction.insert(&batch("links", &["a", "rowid"], vec![vec![text("no\"one"), Value::Integer(5)]])).unwrap();
    let mut found = transaction.orphans(10).unwrap();
    found.sort_by(|a, b| a.table.cmp(&b.table));
    let orphan =
        |table: &str, row_key: &str| Orphan { table: table.into(), row_key: row_key.into(), parent: "people".into() };
    assert_eq!(found, [orphan("links", r#"["no\"one","5"]"#), orphan("notes", "7")]);
    assert_eq!(transaction.orphans(1).unwrap().len(), 1);
    assert_eq!(transaction.health().unwrap(), Health::default());
}

#[test]
fn the_ledger_knows_where_rows_came_from() {
    let bench = Bench::new();
    let mut transaction = bench.begin(Mode::Real).unwrap();
    transaction.insert(&person("ann")).unwrap();
    transaction.insert(&note(7, "ann")).unwrap();
    transaction.insert(&batch("tags", &["note", "name"], vec![vec![Value::Integer(7), text("x")]])).unwrap();
    assert_eq!(transaction.record_file(&file(1, "a.json")).unwrap_err().message, "a row was recorded before its run");
    transaction.begin_run(&run("r1")).unwrap();
    assert_eq!(transaction.next_file_id().unwrap(), 1);
    transaction.record_file(&file(1, "a.json")).unwrap();
    transaction.record_file(&file(2, "b.json")).unwrap();
    let columns = |table: &str, filled| Written {
        table: table.into(),
        digested: vec!["title".into()],
        sealed: vec!["pin".into()],
        clock: Vec::new(),
        filled,
    };
    assert_eq!(transaction.record_columns(&columns("people", false)).unwrap(), 1);
    assert_eq!(transaction.record_columns(&columns("people", true)).unwrap(), 2);
    assert_eq!(transaction.record_columns(&columns("people", false)).unwrap(), 1);
    let plain = RowRecord { digest: [0; 16], ..row("notes", "7", 1, 50) };
    let filled = RowRecord { columns: 2, ..row("notes", "7", 1, 70) };
    transaction.record_rows(&[row("people", "ann", 1, 10), row("notes", "9", 1, 60), plain.clone(), filled]).unwrap();
    transaction.record_rows(&[row("tags", r#"["7","x"]"#, 2, 0), row("tags", r#"["7","gone"]"#, 2, 5)]).unwrap();
    assert_eq!(transaction.written_from("people", "ann").unwrap(), Some(row("people", "ann", 1, 10)));
    assert_eq!(transaction.written_from("people", "bob").unwrap(), None);
    transaction.record_rows(&[row("people", "bob", 2, 3)]).unwrap();
    assert_eq!(transaction.written_from("people", "bob").unwrap(), Some(row("people", "bob", 2, 3)));
    assert_eq!(transaction.earlier_rows("a.json", "people").unwrap(), []);
    let done = RunRecord { files: 2, leaves: 30, inserted: 3, updated: 1, unchanged: 4, rejected: 5, ..run("r1") };
    transaction.finish_run(&done).unwrap();
    transaction.commit().unwrap();
    assert_eq!(bench.database().runs().unwrap(), [done]);

    let mut transaction = bench.begin_as(Mode::Real, "run-2", 0).unwrap();
    transaction.begin_run(&run("r2")).unwrap();
    assert_eq!(transaction.next_file_id().unwrap(), 3);
    transaction.record_file(&file(3, "a.json")).unwrap();
    transaction.record_rows(&[row("people", "ann", 3, 99)]).unwrap();
    assert_eq!(transaction.record_columns(&columns("people", true)).unwrap(), 2);
    // Rows that were deleted since, or only filled, are left out.
    assert_eq!(transaction.earlier_rows("a.json", "people").unwrap(), [row("people", "ann", 1, 10)]);
    assert_eq!(transaction.earlier_rows("a.json", "notes").unwrap(), [plain]);
    assert_eq!(transaction.earlier_rows("b.json", "tags").unwrap(), [row("tags", r#"["7","x"]"#, 2, 0)]);
    assert_eq!(transaction.written_from("people", "ann").unwrap(), Some(row("people", "ann", 3, 99)));
    assert_eq!(transaction.written_from("notes", "7").unwrap(), None);
}

#[test]
fn a_ledger_row_costs_little_beside_its_key() {
    let bench = Bench::new();
    let mut transaction = bench.begin(Mode::Real).unwrap();
    transaction.begin_run(&run("r1")).unwrap();
    transaction.record_file(&file(1, "a.json")).unwrap();
    let key = |i: u64| format!("{i:036}");
    let rows: Vec<RowRecord> = (0..50_000).map(|i| row("notes", &key(i), 1, i * 300)).collect();
    transaction.record_rows(&rows).unwrap();
    transaction.commit().unwrap();
    let beside = fs::metadata(bench.path()).unwrap().len() / 50_000 - 36;
    assert!((45..55).contains(&beside), "the head of ledger.rs does not say {beside}");
}

#[test]
fn keys_and_sealed_columns_are_kept() {
    let bench = Bench::new();
    let key = KeyRow {
        id: "0123456789abcdef".into(),
        state: "active".into(),
        kdf: "hkdf-sha256".into(),
        key_check: "00".into(),
        wrapped_key: "AA".into(),
        seal_count: 0,
        created_at: "2025-05-07 15:09:12.000000".into(),
        retired_at: None,
    };
    let column = |filter: Option<&str>| SealedColumn {
        table: "notes".into(),
        column: "title".into(),
        key_columns: vec!["owner".into(), "at".into()],
        row_filter: filter.map(|kind| BTreeMap::from([("kind".to_owned(), kind.to_owned())])),
    };
    let mut transaction = bench.begin(Mode::Real).unwrap();
    transaction.put_key(&key).unwrap();
    let counted = KeyRow { seal_count: 5, ..key };
    transaction.put_key(&counted).unwrap();
    let all = [column(None), column(Some("a")), column(Some("b"))];
    transaction.put_sealed_columns(&all).unwrap();
    transaction.put_sealed_columns(&all).unwrap();
    let other = SealedColumn { key_columns: vec!["id".into()], ..column(None) };
    assert_eq!(
        transaction.put_sealed_columns(&[other]).unwrap_err().message,
        "column `notes.title` holds values that were sealed for other key columns"
    );
    assert_eq!(transaction.keys().unwrap(), std::slice::from_ref(&counted));
    transaction.commit().unwrap();
    assert_eq!(bench.database().keys().unwrap(), [counted]);
    let row = |filter: &str| format!(r#"Text("notes") Text("title") Text("[\"owner\",\"at\"]") Text("tl2") {filter}"#);
    assert_eq!(
        bench.ask("SELECT * FROM treelift_sealed_columns"),
        [row("Null"), row(r#"Text("{\"kind\":\"a\"}")"#), row(r#"Text("{\"kind\":\"b\"}")"#)]
    );
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

#[test]
fn a_value_is_written_as_the_text_of_its_cell() {
    let bench = Bench::of(vec![migration(
        "001",
        "CREATE TABLE cells (id INTEGER PRIMARY KEY, exact DECIMAL(10, 2), data JSON, real REAL, yes BOOLEAN, name TEXT, at DATETIME);",
    )]);
    let mut transaction = bench.begin(Mode::Real).unwrap();
    let (json, columns) = (|text: &str| Value::Json(text.into()), ["exact", "data", "real", "yes", "name", "at"]);
    let numbers = ["1.50", "2.0", "-0.0", "007", "-12", "9007199254740993", "0.1", "123456789.012345", "-2.50"];
    let mut rows: Vec<Vec<Value>> = numbers
        .iter()
        .map(|number| {
            let real = Value::Real(number.parse().unwrap());
            vec![text(number), json(number), real, Value::Bool(true), text(number), time("2025-05-07T10:00")]
        })
        .collect();
    let (whole, half) = (Value::Integer(3), Value::Real(0.5));
    rows.push(vec![half, json(r#"{"a":1.50}"#), whole.clone(), Value::Integer(0), whole.clone(), Value::Null]);
    rows.push(vec![whole, json("true"), Value::Null, Value::Null, Value::Real(2.0), Value::Null]);
    for (at, row) in rows.into_iter().enumerate() {
        let id = Value::Integer(i64::try_from(at).unwrap());
        let told: Vec<_> =
            columns.iter().zip(&row).map(|(column, value)| transaction.written("cells", column, value)).collect();
        let values = std::iter::once(id.clone()).chain(row).collect();
        let all: Vec<&str> = std::iter::once("id").chain(columns).collect();
        transaction.insert(&batch("cells", &all, vec![values])).unwrap();
        let stored = transaction.find("cells", &["id"], &columns, &[vec![id]]).unwrap().remove(0).unwrap();
        assert_eq!(told, stored.iter().map(Cell::text).collect::<Vec<_>>());
    }
}

/// Looks for so many rows of one owner one by one, by the owner and a title, where an index leads to the
/// owner alone. Gives the steps of SQLite's program.
fn steps_to_find_each(rows: i64) -> u64 {
    let mut migrations = vec![migration("001_notes", SQL)];
    migrations.push(migration("002", "CREATE INDEX notes_owner ON notes (owner, pinned);"));
    let bench = Bench::of(migrations);
    let fill = format!(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows})
         INSERT INTO notes (id, owner, title, pinned) SELECT i, 'bob', 'title ' || (i % ({rows} - 1)), (i = 0) FROM n"
    );
    drop(bench.make(&format!(
        "{SQL} CREATE INDEX notes_owner ON notes (owner, pinned); INSERT INTO people VALUES ('bob', 'b'); {fill}"
    )));
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
    let location =
        crate::database::sqlite::location::Location { path: bench.path(), shown: String::new(), record: None };
    let mut transaction = crate::database::sqlite::session::SqliteTransaction::begin(location, &opening).unwrap();
    let steps = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&steps);
    let count = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        false
    };
    transaction.conn.progress_handler(1, Some(count)).unwrap();
    for row in 0..rows {
        let key = vec![text("bob"), text(&format!("title {row}"))];
        let found = transaction.find("notes", &["owner", "title"], &["id"], &[key]).unwrap();
        // Of two rows with one key it is the one that comes first in the index, before and after the pass.
        let id = match row {
            0 => Some(rows - 1),
            row if row == rows - 1 => None,
            row => Some(row),
        };
        assert_eq!(found, [id.map(|id| vec![Cell::Integer(id)])], "{row} of {rows}");
    }
    steps.load(Ordering::Relaxed)
}

#[test]
fn rows_that_share_the_part_of_a_key_which_an_index_leads_to_are_found_in_proportion() {
    let [few, many] = [500, 2_000].map(steps_to_find_each);
    assert!(many < few * 9 / 2, "{few} steps for 500 rows, {many} for 2,000");
    assert!(many < 2_000 * 400, "{many} steps for 2,000 rows");
}
