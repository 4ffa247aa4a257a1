//! How rows that the server rejects are found, and at what price.

use super::{connect, new_database};
use crate::database::contract::tests::{batch, text};
use crate::database::rejection::{Rejected, Rejection};
use crate::database::schema::tests::migration;
use crate::database::{Mode, Opening, Transaction, schema};
use crate::row::{Batch, Value};
use std::collections::BTreeSet;

/// A table that counts the statements which write into it, in a sequence that no rollback sets back.
const SQL: &str = "
    CREATE TABLE items (id INTEGER PRIMARY KEY, label TEXT CHECK (label <> 'weird'));
    CREATE UNIQUE INDEX items_label ON items (lower(label)) WHERE label LIKE 'x%';
    CREATE SEQUENCE copies;
    CREATE FUNCTION count_copy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('copies'); RETURN NULL; END $$;
    CREATE TRIGGER count_copy BEFORE INSERT ON items FOR EACH STATEMENT EXECUTE FUNCTION count_copy();
    CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.label = 'gone' THEN RETURN NULL; END IF; RETURN NEW; END $$;
    CREATE TRIGGER swallow BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION swallow();
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.label LIKE '%!' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NULL; END $$;
    CREATE TRIGGER refuse AFTER INSERT ON items FOR EACH ROW EXECUTE FUNCTION refuse();
    CREATE TABLE blanks (id SERIAL PRIMARY KEY, note TEXT DEFAULT 'none', CHECK (id <> 2));
    CREATE TABLE ticks (id SERIAL PRIMARY KEY, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);";

/// What a new transaction does with the tables, and how many COPYs it took.
fn written(work: impl FnOnce(&mut dyn Transaction)) -> i64 {
    let (url, migrations) = (new_database(), vec![migration("001_items", SQL)]);
    let schema = schema::expected(&*crate::database::open(&url).unwrap(), &migrations).unwrap();
    let written: BTreeSet<String> = schema.tables.keys().cloned().collect();
    let begin = || {
        let opening = Opening {
            mode: Mode::Real,
            run_id: "run-1",
            migrations: &migrations,
            schema: &schema,
            written: &written,
            bytes: 1_000,
            started: "2025-05-07T15:09:12Z".parse().unwrap(),
            audit: None,
            version: None,
        };
        crate::database::open(&url).unwrap().begin(&opening).unwrap()
    };
    // Another connection sees a sequence only once it is committed.
    begin().commit().unwrap();
    let mut transaction = begin();
    work(&mut *transaction);
    let row = connect(&url).query_one("SELECT last_value, is_called FROM copies", &[]).unwrap();
    transaction.commit().unwrap();
    if row.get(1) { row.get(0) } else { 0 }
}

/// A thousand rows with these labels among them.
fn rows(odd: &[(usize, &str)]) -> Batch {
    let label =
        |id: usize| odd.iter().find(|(at, _)| *at == id).map_or_else(|| format!("l{id}"), |(_, label)| (*label).into());
    let row = |id: usize| vec![Value::Integer(i64::try_from(id).unwrap()), text(&label(id))];
    batch("items", &["id", "label"], (0..1_000).map(row).collect())
}

/// The rows that were rejected, and how many COPYs it took to know it.
fn rejected(odd: &[(usize, &str)]) -> (Vec<usize>, i64) {
    let mut rejected = Vec::new();
    let copies = written(|transaction| {
        rejected = transaction.insert(&rows(odd)).unwrap();
        let there = transaction.select("items", &["id"], None).unwrap().len();
        assert_eq!(there + rejected.len(), 1_000, "every other row is there");
    });
    (rejected.into_iter().map(|one| one.row).collect(), copies)
}

#[test]
fn a_row_that_has_a_line_costs_two_copies_and_one_behind_it_one() {
    assert_eq!(rejected(&[]), (vec![], 1));
    let apart = [100, 300, 500, 700, 900].map(|at| (at, "weird"));
    assert_eq!(rejected(&apart), (vec![100, 300, 500, 700, 900], 11));
    let together = [100, 101, 102].map(|at| (at, "weird"));
    assert_eq!(rejected(&together), (vec![100, 101, 102], 5));
    assert_eq!(rejected(&[(0, "weird"), (999, "weird")]), (vec![0, 999], 3));
}

#[test]
fn rows_without_a_line_and_many_bad_ones_are_found_by_halves() {
    let (found, copies) = rejected(&[(5, "gone"), (250, "no!"), (999, "gone")]);
    assert_eq!(found, [5, 250, 999]);
    assert!((20..80).contains(&copies), "{copies}");
    let many: Vec<(usize, &str)> = (0..40).map(|n| (n * 25 + 3, "weird")).collect();
    let (found, copies) = rejected(&many);
    assert_eq!(found, many.iter().map(|(at, _)| *at).collect::<Vec<_>>());
    assert!(copies < 350, "{copies}");
}

#[test]
fn a_row_is_judged_without_those_before_it_that_are_rejected() {
    // The first is rejected at the end of the statement; only then is its label free for the second.
    assert_eq!(rejected(&[(10, "x!"), (20, "X!")]).0, [10, 20]);
    let mut first = Vec::new();
    written(|transaction| {
        let two = |one: &str, other: &str| {
            batch(
                "items",
                &["id", "label"],
                vec![vec![Value::Integer(1), text(one)], vec![Value::Integer(2), text(other)]],
            )
        };
        first = transaction.insert(&two("gone", "x")).unwrap();
        assert_eq!(transaction.insert(&two("y", "z")).unwrap().len(), 2 - first.len());
    });
    assert_eq!(first, [Rejected { row: 0, why: Rejection::Discarded }]);
}

#[test]
fn rows_of_nothing_but_defaults_are_rejected_one_by_one_and_clocks_are_the_start_of_the_run() {
    written(|transaction| {
        let rejected = transaction.insert(&batch("blanks", &[], vec![vec![]; 3])).unwrap();
        assert_eq!(rejected, [Rejected { row: 1, why: Rejection::Check("id <> 2".to_owned()) }]);
        let kept = transaction.select("blanks", &["id", "note"], None).unwrap();
        assert_eq!(kept.iter().map(|row| row[0].text().unwrap()).collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!(transaction.insert(&batch("ticks", &[], vec![vec![]; 2])).unwrap(), []);
        let ticks = transaction.select("ticks", &["at"], None).unwrap();
        assert_eq!(ticks.len(), 2);
        assert!(ticks.iter().all(|row| row[0].text().as_deref() == Some("2025-05-07 15:09:12.000000")));
    });
}
