//! What is done to a database in a transaction of its own: migrations, an undo, rows moved aside, a note.

use super::ledger::{file, run};
use super::*;
use crate::database::audit::AuditEntry;
use crate::database::changes::Changes;
use crate::database::done::{Altered, Move, What};
use crate::database::history::{Standing, Status};
use crate::database::ledger::{RowRecord, Written, digest};
use crate::database::order::Order;
use crate::database::reference::Reference;
use crate::database::undo::{Obstacle, Undo, Undone};
use crate::database::upkeep::{MoveOrphans, Moved};
use std::cell::Cell;
use std::collections::BTreeMap;

const ORDER: &str = "order-1";

/// Changes the schema as it is decided; gives what was done and how many rows the survey after it counted.
fn alter(bench: &Bench, mode: Mode, decide: &dyn Fn(&Standing) -> Result<Vec<Move>, Error>) -> (Altered, u64) {
    let rows = Cell::new(0);
    let order = Order {
        mode,
        run_id: ORDER,
        migrations: &bench.migrations,
        started: "2025-05-07T15:09:12Z".parse().unwrap(),
        decide,
        progress: &|_| {},
        ids: &|_, rows| Ok(rows),
        sealed: None,
        around: None,
        after: Some(&|reader| {
            rows.set(reader.survey()?.counts.values().sum());
            Ok(())
        }),
        warn: &|fault| panic!("{fault}"),
        audit: None,
        version: None,
    };
    (bench.database().alter(&order).unwrap(), rows.get())
}

#[test]
fn migrations_are_applied_and_rolled_back() {
    on_every_engine(|bench| {
        let mut grown = migration("002_colour", "ALTER TABLE notes ADD COLUMN colour TEXT;");
        grown.down = Some("ALTER TABLE notes DROP COLUMN colour;".to_owned());
        bench.commit(|transaction| drop(transaction.insert(&person("ann")).unwrap()));
        let bench = &Bench::at(bench, vec![bench.migrations[0].clone(), grown]);
        let has_colour = || {
            let schema = bench.database().read().unwrap().unwrap().catalog().unwrap().schema;
            schema.tables["notes"].column("colour").is_some()
        };
        let what = |(altered, rows): (Altered, u64)| {
            let steps = altered.steps.into_iter().map(|step| (step.version, step.what)).collect::<Vec<_>>();
            (steps, rows)
        };
        let colour = |done| (vec![("002_colour".to_owned(), done)], 1);
        let up = |standing: &Standing| Ok(standing.pending().into_iter().map(Move::Up).collect());
        assert_eq!(what(alter(bench, Mode::Dry, &up)), colour(What::Applied));
        assert!(!has_colour());
        assert_eq!(what(alter(bench, Mode::Real, &up)), colour(What::Applied));
        assert!(has_colour());
        assert_eq!(what(alter(bench, Mode::Real, &up)).0, [], "nothing is pending any more");
        assert_eq!(what(alter(bench, Mode::Real, &|_| Ok(vec![Move::Down(1)]))), colour(What::RolledBack));
        assert!(!has_colour());
        let recorded = bench.database().recorded().unwrap();
        let applied = recorded.iter().filter(|one| one.status == Status::Applied);
        assert_eq!(applied.map(|one| one.version.as_str()).collect::<Vec<_>>(), ["001_notes"]);
        assert_eq!(bench.database().rows().unwrap(), 1);
    });
}

#[test]
fn rows_without_what_they_reference_are_moved_aside_with_those_that_reference_them() {
    const TABLES: &str = "
        CREATE TABLE people (id VARCHAR(32) NOT NULL, email VARCHAR(80) NOT NULL, PRIMARY KEY (id));
        CREATE TABLE notes (
            id INTEGER NOT NULL, owner VARCHAR(32) NOT NULL, mark INTEGER, PRIMARY KEY (id), UNIQUE (id, owner)
        );
        CREATE TABLE tags (
            note INTEGER NOT NULL, owner VARCHAR(32) NOT NULL, name TEXT NOT NULL, PRIMARY KEY (note, name),
            FOREIGN KEY (note, owner) REFERENCES notes (id, owner) ON DELETE SET NULL
        );
        CREATE TABLE marks (tag INTEGER NOT NULL, name TEXT NOT NULL, seen INTEGER, PRIMARY KEY (tag, name),
            FOREIGN KEY (tag, name) REFERENCES tags (note, name));";
    on_every_engine_with(TABLES, |bench| {
        bench.commit(|transaction| {
            let number = |number: i64| Value::Integer(number);
            transaction.insert(&person("ann")).unwrap();
            let notes = vec![vec![number(1), text("ann")], vec![number(2), text("nobody")]];
            transaction.insert(&batch("notes", &["id", "owner"], notes)).unwrap();
            let tags = vec![vec![number(1), text("ann"), text("x")], vec![number(2), text("nobody"), text("x")]];
            transaction.insert(&batch("tags", &["note", "owner", "name"], tags)).unwrap();
            let marks = vec![vec![number(1), text("x")], vec![number(2), text("x")]];
            transaction.insert(&batch("marks", &["tag", "name"], marks)).unwrap();
        });
        let references =
            [Reference { table: "notes".into(), column: "owner".into(), parent: "people".into(), to: "id".into() }];
        let moved = |mode| {
            let started = "2025-05-07T15:09:12Z".parse().unwrap();
            let order = MoveOrphans { mode, run_id: ORDER, started, references: &references, audit: None };
            let moved = bench.database().move_orphans(&order).unwrap();
            let words = |moved: Moved| format!("{}: {}, {}", moved.table, moved.reference, moved.rows);
            moved.into_iter().map(words).collect::<Vec<_>>()
        };
        let dangling = || bench.database().read().unwrap().unwrap().dangling(&references[0]).unwrap();
        let all = [
            "notes: owner → people.id (mapped), 1",
            "tags: (note, owner) → notes (id, owner), 1",
            "marks: (tag, name) → tags (note, name), 1",
        ];
        let sorted = |mut words: Vec<String>| {
            words.sort();
            words
        };
        let all = sorted(all.map(str::to_owned).to_vec());
        assert_eq!((sorted(moved(Mode::Dry)), dangling()), (all.clone(), 1));
        assert_eq!((sorted(moved(Mode::Real)), dangling()), (all, 0));
        assert_eq!(moved(Mode::Real), [] as [&str; 0]);
        assert_eq!(bench.database().rows().unwrap(), 4);
        let mut kept = Vec::new();
        let reader = bench.database().read().unwrap().unwrap();
        reader
            .each_row("treelift_orphans", &["table_name", "row"], None, &mut |cells| {
                kept.extend(cells.iter().filter_map(crate::database::Cell::text));
            })
            .unwrap();
        let of_note = kept.iter().position(|cell| cell == "notes").map(|at| kept[at + 1].clone());
        let of_note: serde_json::Value = serde_json::from_str(&of_note.unwrap()).unwrap();
        assert_eq!(of_note, serde_json::json!({ "id": 2, "owner": "nobody", "mark": null }));
    });
}

#[test]
fn a_run_is_undone_if_its_rows_are_as_it_left_them() {
    on_every_engine(|bench| {
        bench.commit(|earlier| drop(earlier.insert(&person("bob")).unwrap()));
        let written =
            Written { table: "people".into(), digested: vec!["id".into(), "email".into()], ..Written::default() };
        bench.commit(|transaction| {
            transaction.begin_run(&run("r1")).unwrap();
            transaction.record_files(&[file(1, "a.json")]).unwrap();
            let columns = transaction.record_columns(&written).unwrap();
            for id in ["ann", "eve"] {
                transaction.insert(&person(id)).unwrap();
                let cells = [("id", id.to_owned()), ("email", format!("{id}@example.org"))];
                let digest = digest(cells.into_iter().map(|(column, text)| (column, Some(text))));
                let (table, row_key) = ("people".to_owned(), id.to_owned());
                let row = RowRecord { table, row_key, file: 1, offset: 0, digest, own: None, columns };
                transaction.record_rows(&[row]).unwrap();
            }
            transaction.finish_run(&run("r1")).unwrap();
        });
        let undo = |mode| -> Undone {
            let order = Undo {
                force_edited: false,
                reseal: None,
                mode,
                run_id: ORDER,
                run: "r1",
                started: "2025-05-07T15:09:12Z".parse().unwrap(),
                references: &[],
                changes: &Changes::default(),
                triggers: &BTreeMap::new(),
                audit: None,
                progress: &|_| Ok(()),
            };
            bench.database().undo(&order).unwrap()
        };
        let people = || bench.database().rows().unwrap();
        let email = |to: &str| {
            bench.commit(|transaction| {
                let update = transaction.update("people", &["email".into()], &[text(to)], &["id"], &[text("ann")]);
                assert_eq!(update.unwrap(), None);
            });
        };
        email("changed@example.org");
        assert!(matches!(&*undo(Mode::Real).obstacles, [Obstacle::Changed { keys, .. }] if keys.keys == ["ann"]));
        assert_eq!(people(), 3);
        email("ann@example.org");
        for (mode, left) in [(Mode::Dry, 3), (Mode::Real, 1)] {
            let undone = undo(mode);
            assert_eq!((undone.rows(), undone.obstacles, people()), (2, vec![], left), "{mode:?}");
        }
        let runs = bench.database().runs().unwrap();
        assert_eq!(
            runs.last().map(|run| (&*run.kind, run.undoes.as_deref(), run.removed)),
            Some(("undo", Some("r1"), 2))
        );
        assert_eq!(bench.database().read().unwrap().unwrap().origins("people", "ann").unwrap(), []);
    });
}

#[test]
fn a_note_is_one_row_of_the_audit_trail() {
    on_every_engine(|bench| {
        bench.commit(|_| {});
        let trail = || bench.database().read().unwrap().unwrap().survey().unwrap().own["treelift_audit"];
        let before = trail();
        let entry = AuditEntry::new("restore", "database", "a test", "2025-05-07T15:09:12Z".parse().unwrap()).unwrap();
        bench.database().note(&entry, None).unwrap();
        assert_eq!(trail(), before + 1);
    });
}
