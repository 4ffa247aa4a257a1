//! Rows: inserted, found, changed, refused.

use super::ledger::{file, row, run};
use super::*;
use crate::database::Cell;
use crate::database::health::Health;
use crate::database::ledger::{RowRecord, Written};
use crate::database::rejection::{Rejected, Rejection};
use crate::database::upkeep::{Orphan, WrittenFrom};
use crate::table::ColumnType;
use std::borrow::Cow;
use std::time::Duration;

fn stored(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn rows_are_found_by_any_key() {
    on_every_engine(|bench| {
        bench.commit(|earlier| {
            earlier.insert(&person("bob")).unwrap();
            let bobs = vec![vec![Value::Integer(4), text("bob"), text("t"), time("2025-05-07T15:09:12")]];
            earlier.insert(&batch("notes", &["id", "owner", "title", "at"], bobs)).unwrap();
        });
        let mut transaction = bench.begin(Mode::Real).unwrap();
        transaction.insert(&person("ann")).unwrap();
        let rows = vec![
            vec![Value::Integer(7), text("ann"), text("a"), time("2025-05-07T10:00:00"), Value::Bool(true)],
            vec![Value::Integer(8), text("ann"), Value::Null, time("2025-05-07T11:00:00"), Value::Bool(false)],
        ];
        transaction.insert(&batch("notes", &["id", "owner", "title", "at", "pinned"], rows)).unwrap();
        let find = |table: &str, by: &[&str], keys: &[Vec<Value>]| {
            let found = transaction.find(table, by, &["id"], keys).unwrap();
            found.into_iter().map(|row| row.map(|cells| cells[0].text().unwrap())).collect::<Vec<_>>()
        };
        let is = |id: &str| Some(id.to_owned());

        // By primary key, by unique index, by several columns without one, by a time.
        assert_eq!(find("notes", &["id"], &[vec![Value::Integer(7)], vec![Value::Integer(9)]]), [is("7"), None]);
        let emails = ["ann@example.org", "ANN@example.org"].map(|email| vec![text(email)]);
        assert_eq!(find("people", &["email"], &emails), [is("ann"), None]);
        let titles = [("ann", "a"), ("bob", "a"), ("ann", "a")].map(|(owner, title)| vec![text(owner), text(title)]);
        assert_eq!(find("notes", &["owner", "title"], &titles), [is("7"), None, is("7")]);
        let times = [("bob", "2025-05-07T15:09:12"), ("ann", "2025-05-07T11:00:00"), ("ann", "2025-05-07T11:00:01")]
            .map(|(owner, at)| vec![text(owner), time(at)]);
        assert_eq!(find("notes", &["owner", "at"], &times), [is("4"), is("8"), None]);
        assert_eq!(find("notes", &["id"], &[]), []);

        let selected = transaction.select("notes", &["id"], Some(("owner", &text("ann")))).unwrap();
        assert_eq!(selected, [[Cell::Integer(7)], [Cell::Integer(8)]]);
        assert_eq!(transaction.select("notes", &["id"], None).unwrap().len(), 3);
        assert_eq!(transaction.highest_id("notes", "id").unwrap(), 8);
        assert_eq!(transaction.highest_id("tags", "note").unwrap(), 0);
        assert_eq!((transaction.rows_before("notes"), transaction.rows_before("tags")), (1, 0));
    });
}

#[test]
fn an_update_that_changes_no_row_is_reported() {
    on_every_engine(|bench| {
        let mut transaction = bench.begin(Mode::Real).unwrap();
        transaction.insert(&person("ann")).unwrap();
        let mut update =
            |id: &str| transaction.update("people", &["email".into()], &[text("new")], &["id"], &[text(id)]).unwrap();
        assert_eq!((update("ann"), update("bob")), (None, Some(Rejection::Discarded)));
        assert_eq!(transaction.select("people", &["email"], None).unwrap(), [[stored("new")]]);
    });
}

#[test]
fn each_of_several_rows_that_are_changed_at_once_has_its_own_verdict() {
    on_every_engine(|bench| {
        let mut transaction = bench.begin(Mode::Real).unwrap();
        for id in ["ann", "bob", "eve"] {
            transaction.insert(&person(id)).unwrap();
        }
        let mut update = |changes: &[(&str, &str)]| {
            let values: Vec<_> = changes.iter().map(|(id, email)| ([text(email)], [text(id)])).collect();
            let rows: Vec<_> = values.iter().map(|(values, key)| (&values[..], &key[..])).collect();
            let verdicts = transaction.update_all("people", &["email".into()], &["id"], &rows).unwrap();
            let words = |why: Rejection| why.code().id;
            let verdicts: Vec<_> = verdicts.into_iter().map(|why| why.map(words)).collect();
            let emails = transaction.select("people", &["email"], None).unwrap().concat();
            let mut emails: Vec<_> = emails.iter().filter_map(Cell::text).collect();
            emails.sort_unstable();
            (verdicts, emails.join(" "))
        };
        let emails = |emails: &str| emails.to_owned();
        assert_eq!(update(&[("ann", "1"), ("eve", "2")]), (vec![None; 2], emails("1 2 bob@example.org")));
        // The good ones are changed, whatever stands beside them.
        assert_eq!(
            update(&[("ann", "3"), ("nobody", "4"), ("bob", "2"), ("eve", "5")]),
            (vec![None, Some("R012"), Some("R002"), None], emails("3 5 bob@example.org"))
        );
        assert_eq!(update(&[("ann", "6"), ("ann", "7")]), (vec![None; 2], emails("5 7 bob@example.org")));
        assert_eq!(update(&[]), (Vec::new(), emails("5 7 bob@example.org")));
    });
}

#[test]
fn what_a_column_would_not_keep_is_a_fault_of_who_wrote_it() {
    on_every_engine(|bench| {
        let mut transaction = bench.begin(Mode::Real).unwrap();
        let mut refused = |columns: &[&str], row| {
            let error = transaction.insert(&batch("notes", columns, vec![row])).unwrap_err();
            (error.status(), error.message)
        };
        let unkept = "text reached column `notes.id`, which would not keep it";
        assert_eq!(refused(&["id"], vec![text("canary")]), (70, unkept.to_owned()));
        let unknown = "there is no column `notes.ID\"; --`";
        assert_eq!(refused(&["ID\"; --"], vec![text("canary")]), (70, unknown.to_owned()));
        assert_eq!(refused(&["id"], vec![]), (70, "a row of `notes` has 0 values for 1 columns".to_owned()));
    });
}

#[test]
fn a_row_that_another_one_excludes_is_rejected_and_the_transaction_goes_on() {
    on_every_engine(|bench| {
        let mut transaction = bench.begin(Mode::Real).unwrap();
        transaction.insert(&person("ann")).unwrap();
        let two = vec![vec![text("eve"), text("ann@example.org")], vec![text("bob"), text("bob@example.org")]];
        let rejected = transaction.insert(&batch("people", &["id", "email"], two)).unwrap();
        let why = Rejection::Unique { index: "people.email".into(), other: Some("ann".into()) };
        assert_eq!(rejected, [Rejected { row: 0, why }]);
        assert_eq!(transaction.select("people", &["id"], None).unwrap().len(), 2);
    });
}

#[test]
fn batches_that_belong_together_are_inserted_all_or_none() {
    on_every_engine(|bench| {
        let mut transaction = bench.begin(Mode::Real).unwrap();
        transaction.insert(&person("ann")).unwrap();
        let twice = batch("people", &["id", "email"], vec![vec![text("eve"), text("ann@example.org")]]);
        let rejected = transaction.insert_together(&[person("bob"), note(1, "bob"), twice]).unwrap();
        let why = Rejection::Unique { index: "people.email".into(), other: Some("ann".into()) };
        assert_eq!(rejected, [(2, Rejected { row: 0, why })]);
        let ids = |transaction: &mut dyn Transaction| transaction.select("people", &["id"], None).unwrap();
        assert_eq!(ids(&mut *transaction), [[stored("ann")]]);
        assert_eq!(transaction.select("notes", &["id"], None).unwrap(), [] as [Vec<Cell>; 0]);
        // What was rejected does not keep anything else from being committed.
        assert_eq!(transaction.insert_together(&[person("bob"), note(1, "bob")]).unwrap(), []);
        assert_eq!(ids(&mut *transaction), [[stored("ann")], [stored("bob")]]);
        assert!(transaction.commit().unwrap().is_none());
        assert_eq!(bench.database().rows().unwrap(), 3);
    });
}

#[test]
fn a_table_may_reject_what_no_key_says() {
    let sql = format!("{SQL} CREATE TABLE sizes (id INTEGER PRIMARY KEY, size INTEGER, CHECK (size > 0));");
    on_every_engine_with(&sql, |bench| {
        let mut transaction = bench.begin(Mode::Real).unwrap();
        let may = ["people", "notes", "sizes"].map(|table| transaction.may_reject(table).unwrap());
        assert_eq!(may, [false, false, true]);
        let size = |size| batch("sizes", &["id", "size"], vec![vec![Value::Integer(1), Value::Integer(size)]]);
        let rejected = transaction.insert_together(&[size(0)]).unwrap();
        assert!(matches!(&*rejected, [(0, Rejected { row: 0, why: Rejection::Check(_) })]), "{rejected:?}");
        assert_eq!(transaction.insert_together(&[size(1)]).unwrap(), []);
    });
}

#[test]
fn what_the_database_would_reject_without_the_row_in_the_way_is_known_and_nothing_changes() {
    for dialect in Dialect::ALL {
        let sql = format!(
            "{SQL} CREATE TABLE sizes (id INTEGER PRIMARY KEY, size INTEGER UNIQUE, CHECK (size > 0)); {}",
            too_big(dialect)
        );
        let bench = Bench::new(dialect, vec![migration("001_notes", &sql)]);
        let mut transaction = bench.begin(Mode::Real).unwrap();
        let size = |id, size| batch("sizes", &["id", "size"], vec![vec![Value::Integer(id), Value::Integer(size)]]);
        assert_eq!(transaction.insert_together(&[size(1, 1), size(2, 2)]).unwrap(), []);
        let rows = |transaction: &mut dyn Transaction| transaction.select("sizes", &["id", "size"], None).unwrap();
        let before = rows(&mut *transaction);
        assert_eq!(transaction.would_reject(&[size(1, 3), size(3, 2), size(1, 2)]).unwrap(), []);
        let rejected = transaction.would_reject(&[size(1, 0), size(4, 4), size(2, 10)]).unwrap();
        let why: Vec<_> = rejected.iter().map(|(batch, one)| (*batch, one.why.message("sizes"))).collect();
        assert_eq!(
            why,
            [
                (0, "CHECK constraint `size > 0` rejected a row of `sizes`".to_owned()),
                (2, "trigger `big` rejected a row of `sizes`: too big".to_owned())
            ]
        );
        let mut update = |size| {
            let (columns, values) = (["size".to_owned()], [Value::Integer(size)]);
            let why =
                transaction.would_reject_update("sizes", &columns, &values, &["id"], &[Value::Integer(1)]).unwrap();
            why.map(|why| why.message("sizes"))
        };
        let check = "CHECK constraint `size > 0` rejected a row of `sizes`".to_owned();
        assert_eq!([3, 2, 0].map(&mut update), [None, None, Some(check)]);
        assert_eq!(rows(&mut *transaction), before);
    }
}

#[test]
fn a_row_may_come_before_the_one_that_it_references_and_is_found_and_changed_meanwhile() {
    on_every_engine(|bench| {
        bench.commit(|_| {});
        bench.commit(|transaction| {
            assert_eq!(transaction.insert(&note(1, "late")).unwrap(), []);
            let one = [vec![Value::Integer(1)]];
            let found = transaction.find("notes", &["id"], &["owner", "title"], &one).unwrap();
            assert_eq!(found, [Some(vec![stored("late"), Cell::Null])]);
            let update = transaction.update("notes", &["title".into()], &[text("x")], &["id"], &one[0]);
            assert_eq!(update.unwrap(), None);
            transaction.insert(&person("late")).unwrap();
            assert_eq!(transaction.orphans(9).unwrap(), []);
            assert_eq!(
                transaction.select("notes", &["owner", "title"], None).unwrap(),
                [[stored("late"), stored("x")]]
            );
        });
    });
}

#[test]
fn orphans_are_named_by_their_keys() {
    let sql = format!(
        "{SQL} CREATE TABLE links (a TEXT, rowid INTEGER, PRIMARY KEY (a, rowid), FOREIGN KEY (a) REFERENCES people (id));"
    );
    on_every_engine_with(&sql, |bench| {
        let mut transaction = bench.begin(Mode::Real).unwrap();
        transaction.insert(&note(7, "nobody")).unwrap();
        transaction.insert(&batch("links", &["a", "rowid"], vec![vec![text("no\"one"), Value::Integer(5)]])).unwrap();
        let mut found = transaction.orphans(10).unwrap();
        found.sort_by(|a, b| a.table.cmp(&b.table));
        let orphan = |table: &str, column: &str, row_key: &str| Orphan {
            table: table.into(),
            row_key: row_key.into(),
            parent: "people".into(),
            columns: vec![column.into()],
            origin: None,
        };
        assert_eq!(found, [orphan("links", "a", r#"["no\"one","5"]"#), orphan("notes", "owner", "7")]);
        assert_eq!(transaction.orphans(1).unwrap().len(), 1);
        assert_eq!(transaction.broken().unwrap().iter().map(|broken| broken.rows).sum::<u64>(), 2);
        let health = transaction.health().unwrap();
        assert_eq!(health, Health { without_file: health.without_file, ..Health::default() });
    });
}

#[test]
fn what_filled_a_reference_that_leads_nowhere_is_named_and_the_row_stays() {
    let sql = format!(
        "{SQL} CREATE TABLE seats (id INTEGER PRIMARY KEY, owner VARCHAR(32) REFERENCES people (id));
         CREATE TABLE legs (seat INTEGER NOT NULL REFERENCES seats (id), number INTEGER NOT NULL, PRIMARY KEY (seat, number));"
    );
    on_every_engine_with(&sql, |bench| {
        let mut transaction = bench.begin(Mode::Real).unwrap();
        transaction.begin_run(&run("r1")).unwrap();
        transaction.record_files(&[file(1, "a.json"), file(2, "b.json")]).unwrap();
        transaction.insert(&batch("seats", &["id"], vec![vec![Value::Integer(1)]])).unwrap();
        let leg = vec![vec![Value::Integer(1), Value::Integer(4)]];
        transaction.insert(&batch("legs", &["seat", "number"], leg)).unwrap();
        let mut columns = |table: &str, column: &str, filled| {
            let digested = vec![column.to_owned()];
            transaction
                .record_columns(&Written { table: table.into(), digested, filled, ..Written::default() })
                .unwrap()
        };
        let (made, filled, of_legs) =
            (columns("seats", "id", false), columns("seats", "owner", true), columns("legs", "seat", false));
        let record = |table: &str, key: &str, file, columns| RowRecord { columns, ..row(table, key, file, 10) };
        let records = [
            record("seats", "1", 1, made),
            record("legs", r#"["1","4"]"#, 1, of_legs),
            record("seats", "1", 2, filled),
        ];
        transaction.record_rows(&records).unwrap();
        let nobody = [text("nobody")];
        transaction.update("seats", &["owner".into()], &nobody, &["id"], &[Value::Integer(1)]).unwrap();
        let origin = Some(WrittenFrom { file: 2, offset: 10 });
        let columns = vec!["owner".into()];
        let orphan = Orphan { table: "seats".into(), row_key: "1".into(), parent: "people".into(), columns, origin };
        assert_eq!(transaction.orphans(9).unwrap(), [orphan]);
    });
}

#[test]
fn what_is_read_once_it_is_held_is_of_one_moment() {
    on_every_engine(|bench| {
        bench.commit(|transaction| drop(transaction.insert(&person("ann")).unwrap()));
        let reader = bench.database().read().unwrap().unwrap();
        reader.hold().unwrap();
        assert_eq!(reader.rows().unwrap(), 1);
        // Another one waits for the reader, and is refused in the end; or goes on, and is not seen.
        let mut database = bench.database();
        database.wait_for_locks(Some(Duration::from_millis(100)));
        let written = bench.begin_on(&mut *database, Mode::Real, "run-2").and_then(|mut other| {
            other.insert(&person("bob"))?;
            other.commit()
        });
        assert_eq!(reader.rows().unwrap(), 1);
        drop(reader);
        let now = bench.database().read().unwrap().unwrap().rows().unwrap();
        assert_eq!(now, if written.is_ok() { 2 } else { 1 });
    });
}

/// What the dialect says without a database is what the database does.
#[test]
fn a_value_is_written_as_the_text_of_its_cell_and_is_the_same() {
    let sql = "CREATE TABLE cells (id INTEGER PRIMARY KEY, exact NUMERIC(24, 6), data JSON, real DOUBLE PRECISION, yes BOOLEAN, name TEXT, at TIMESTAMP);";
    on_every_engine_with(sql, |bench| {
        let mut transaction = bench.begin(Mode::Real).unwrap();
        let (json, columns) = (|text: &str| Value::Json(text.into()), ["exact", "data", "real", "yes", "name", "at"]);
        let table = bench.schema.table("cells").unwrap();
        let kinds: Vec<ColumnType> = columns.iter().map(|column| table.column(column).unwrap().kind).collect();
        let numbers = ["1.50", "2.0", "-0.0", "007", "-12", "9007199254740993", "0.1", "123456789.012345", "-2.50"];
        let mut rows: Vec<Vec<Value>> = numbers
            .iter()
            .map(|number| {
                let real = Value::Real(number.parse().unwrap());
                // A number in JSON has no zero in front (RFC 8259, 6).
                vec![
                    text(number),
                    json(number.trim_start_matches("00")),
                    real,
                    Value::Bool(true),
                    text(number),
                    time("2025-05-07T10:00"),
                ]
            })
            .collect();
        let (whole, half) = (Value::Integer(3), Value::Real(0.5));
        rows.push(vec![half, json(r#"{"a":1.50}"#), whole.clone(), Value::Integer(0), whole.clone(), Value::Null]);
        rows.push(vec![whole, json("true"), Value::Null, Value::Null, Value::Real(2.0), Value::Null]);
        for (at, row) in rows.into_iter().enumerate() {
            assert!(row.iter().zip(&kinds).all(|(value, kind)| bench.dialect.keeps(*kind, value)), "row {at}");
            let told: Vec<_> = kinds
                .iter()
                .zip(&row)
                .map(|(kind, value)| bench.dialect.written(*kind, value).map(Cow::into_owned))
                .collect();
            let id = Value::Integer(i64::try_from(at).unwrap());
            let values = std::iter::once(id.clone()).chain(row.clone()).collect();
            let all: Vec<&str> = std::iter::once("id").chain(columns).collect();
            transaction.insert(&batch("cells", &all, vec![values])).unwrap();
            let stored = transaction.find("cells", &["id"], &columns, &[vec![id]]).unwrap().remove(0).unwrap();
            assert_eq!(told, stored.iter().map(Cell::text).collect::<Vec<_>>());
            for ((kind, cell), value) in kinds.iter().zip(&stored).zip(&row) {
                assert!(bench.dialect.same(*kind, cell, value), "row {at}: {value:?}");
                let other = text("another");
                assert!(!bench.dialect.same(*kind, cell, &other), "row {at}");
            }
        }
    });
}
