//! A database as a whole: made, left as it was, looked into, changed, copied.

use super::*;
use crate::database::cells::{Registered, Stored};
use crate::database::history::{Origin, Status};
use crate::database::query::{Asking, Column, Unasked};
use crate::database::{Cell, SealedColumn};
use crate::secret::keys::KeyRow;
use secrecy::ExposeSecret;

/// How many people there are, in a database that is there.
fn people(database: &dyn Database) -> Option<u64> {
    database.read().unwrap().map(|reader| reader.survey().unwrap().counts["people"])
}

#[test]
fn a_database_that_is_not_there_is_made_by_the_commit_alone() {
    on_every_engine(|bench| {
        let database = bench.database();
        assert!(!database.exists().unwrap() && database.read().unwrap().is_none());
        assert!(
            database.change(Mode::Real, &BTreeSet::new()).unwrap().is_none()
                && database.change(Mode::Dry, &BTreeSet::new()).unwrap().is_none()
        );
        let nothing = (database.rows().unwrap(), database.runs().unwrap(), database.recorded().unwrap());
        assert_eq!(nothing, (0, vec![], vec![]));
        assert_eq!((database.keys().unwrap(), database.state().unwrap()), (vec![], None));

        let mut dropped = bench.begin(Mode::Real).unwrap();
        dropped.insert(&person("ann")).unwrap();
        drop(dropped);
        let mut rolled_back = bench.begin(Mode::Real).unwrap();
        rolled_back.insert(&person("ann")).unwrap();
        rolled_back.rollback().unwrap();
        assert!(!database.exists().unwrap());

        bench.commit(|transaction| drop(transaction.insert(&person("ann")).unwrap()));
        assert!(bench.database().exists().unwrap());
        assert_eq!(people(&*bench.database()), Some(1));
    });
}

#[test]
fn a_database_that_is_there_is_as_before_or_as_after() {
    on_every_engine(|bench| {
        bench.commit(|transaction| drop(transaction.insert(&person("ann")).unwrap()));
        let database = bench.database();
        let mut dry = bench.begin(Mode::Dry).unwrap();
        dry.insert(&person("bob")).unwrap();
        assert_eq!(dry.survey().unwrap().counts["people"], 2, "a transaction sees what it wrote");
        assert_eq!(people(&*database), Some(1));
        let error = dry.commit().unwrap_err();
        assert_eq!((error.message.as_str(), error.status()), ("a dry run was asked to commit", 70));
        drop(bench.begin(Mode::Real).unwrap());
        assert_eq!(people(&*database), Some(1));
        bench.commit(|transaction| drop(transaction.insert(&person("bob")).unwrap()));
        assert_eq!(people(&*database), Some(2));
    });
}

#[test]
fn what_a_later_migration_takes_back_is_made_in_a_database_at_an_earlier_version() {
    on_every_engine(|bench| {
        bench.commit(|_| {});
        let later = [
            migration("002_there", "ALTER TABLE notes ADD COLUMN colour TEXT;"),
            migration("003_back", "ALTER TABLE notes DROP COLUMN colour;"),
        ];
        let bench = &Bench::at(bench, [&bench.migrations[..], &later].concat());
        bench.commit(|_| {});
        let origins: Vec<_> = bench.database().recorded().unwrap().iter().map(|one| one.origin).collect();
        assert_eq!(origins, [Origin::Ran; 3]);
    });
}

#[test]
fn a_reader_sees_what_migrations_made_and_that_they_are_recorded() {
    on_every_engine(|bench| {
        bench.commit(|transaction| {
            assert_eq!(*transaction.schema(), bench.schema);
            assert_eq!(transaction.pending(), [] as [&str; 0]);
            assert_eq!(transaction.foreign_triggers(), []);
        });
        let reader = bench.database().read().unwrap().unwrap();
        let tables: Vec<String> = reader.catalog().unwrap().schema.tables.into_keys().collect();
        assert_eq!(tables, ["notes", "people", "tags"]);
        assert_eq!(reader.catalog().unwrap().schema, bench.schema);
        let recorded = reader.recorded().unwrap();
        assert_eq!(recorded.len(), 1);
        assert_eq!((recorded[0].version.as_str(), &recorded[0].status), ("001_notes", &Status::Applied));
        assert_eq!(reader.health().unwrap().damage, [] as [&str; 0]);
        assert_eq!(reader.state().unwrap().format, crate::database::state::FORMAT);
        assert_eq!(reader.rows().unwrap(), 0);
    });
}

#[test]
fn a_query_may_read_and_nothing_else() {
    on_every_engine(|bench| {
        bench.commit(|transaction| drop(transaction.insert(&person("ann")).unwrap()));
        let mut reader = bench.database().read().unwrap().unwrap();
        let mut transaction = bench.begin(Mode::Dry).unwrap();
        for asked in [&mut *reader as &mut dyn Asking, &mut *transaction] {
            let found = asked.ask("SELECT upper(email) AS e, id FROM people WHERE id <> '';").unwrap().unwrap();
            let origin = Some(("people".to_owned(), "id".to_owned()));
            let columns = [("e", None), ("id", origin)].map(|(name, origin)| Column { name: name.to_owned(), origin });
            assert_eq!(found.columns, columns);
            assert_eq!(found.rows, [[Some("ANN@EXAMPLE.ORG".to_owned()), Some("ann".to_owned())]]);
            assert_eq!(found.names().collect::<Vec<_>>(), [("people".to_owned(), "ann".to_owned())]);
            assert!(matches!(asked.ask("DELETE FROM people").unwrap(), Err(Unasked::Failed(_))));
            for missing in ["SELECT gone FROM people", "SELECT 1 FROM gone"] {
                let (asked, planned) = (asked.ask(missing).unwrap(), asked.plan(missing).unwrap());
                assert!(matches!(asked, Err(Unasked::Missing(_))), "{asked:?}");
                assert!(matches!(planned, Err(Unasked::Missing(_))), "{planned:?}");
            }
            let by_email = "SELECT id FROM people WHERE email = 'a'";
            assert_eq!(asked.plan(by_email).unwrap(), Ok(vec!["people_email".to_owned()]));
            assert!(matches!(asked.plan("DELETE FROM people").unwrap(), Err(Unasked::Failed(_))));
            assert_eq!(asked.ask("SELECT id FROM people").unwrap().unwrap().rows.len(), 1);
        }
    });
}

#[test]
fn sealed_cells_are_changed_without_a_mapping_set() {
    on_every_engine(|bench| {
        bench.commit(|transaction| {
            let rows = vec![
                vec![Value::Integer(1), text("ann"), text("plain")],
                vec![Value::Integer(2), text("ann"), Value::Null],
            ];
            transaction.insert(&person("ann")).unwrap();
            transaction.insert(&batch("notes", &["id", "owner", "title"], rows)).unwrap();
        });
        let title = SealedColumn {
            table: "notes".into(),
            column: "title".into(),
            key_columns: vec!["id".into()],
            row_filter: None,
        };
        let registered = Registered { column: title.clone(), format: "tl2".to_owned() };
        let key = KeyRow {
            id: "0123456789abcdef".into(),
            state: "active".into(),
            kdf: "hkdf-sha256".into(),
            key_check: "00".into(),
            wrapped_key: "AA".into(),
            seal_count: 1,
            created_at: "2025-05-07 15:09:12.000000".into(),
            retired_at: None,
        };
        let titles = || {
            let cells = bench.database().read().unwrap().unwrap().cells(&title).unwrap();
            let of = |value: &Stored| match value {
                Stored::Text(text) => Some(text.expose_secret().to_owned()),
                _ => None,
            };
            cells.iter().map(|cell| (cell.key.clone(), of(&cell.value))).collect::<Vec<_>>()
        };
        let is = |first: &str| [(vec![Cell::Integer(1)], Some(first.to_owned())), (vec![Cell::Integer(2)], None)];
        assert_eq!(titles(), is("plain"));
        for mode in [Mode::Dry, Mode::Real] {
            let mut transaction =
                bench.database().change(mode, &BTreeSet::from(["notes".to_owned()])).unwrap().unwrap();
            transaction.put_key(&key).unwrap();
            transaction.register(&registered).unwrap();
            transaction.write_cell(&title, &[Cell::Integer(1)], "sealed").unwrap();
            let missed = transaction.write_cell(&title, &[Cell::Integer(3)], "sealed").unwrap_err();
            assert_eq!(missed.message, "the database did not write a value of `notes`");
            match mode {
                Mode::Dry => transaction.rollback().unwrap(),
                Mode::Real => assert!(transaction.commit().unwrap().is_none()),
            }
            assert_eq!(titles(), is(if mode == Mode::Dry { "plain" } else { "sealed" }), "{mode:?}");
        }
        let reader = bench.database().read().unwrap().unwrap();
        assert_eq!((reader.keys().unwrap(), reader.registered().unwrap()), (vec![key.clone()], vec![registered]));
        let mut found = Vec::new();
        reader
            .every_text(&mut |table, column, bytes| found.push((table.to_owned(), column.to_owned(), bytes.to_vec())))
            .unwrap();
        assert!(found.contains(&("notes".to_owned(), "title".to_owned(), b"sealed".to_vec())));
        assert!(!found.iter().any(|(_, _, bytes)| bytes == b"plain"));
        drop(reader);
        let mut transaction = bench.database().change(Mode::Real, &BTreeSet::new()).unwrap().unwrap();
        transaction.remove_key(&key.id).unwrap();
        assert_eq!(transaction.keys().unwrap(), []);
    });
}

#[test]
fn a_trial_is_a_copy_that_nothing_leads_back_from() {
    on_every_file(|bench| {
        bench.commit(|transaction| drop(transaction.insert(&person("ann")).unwrap()));
        let mut trial = bench.database().trial().unwrap();
        assert_eq!(people(&*trial), Some(1));
        trial.fill_for_test().unwrap();
        assert_eq!(trial.rows().unwrap(), 3, "every empty table has a row");
        assert_eq!(bench.database().rows().unwrap(), 1);
    });
}

#[test]
fn an_id_is_given_once_and_kept() {
    on_every_engine(|bench| {
        bench.commit(|_| {});
        let own = bench.database().state().unwrap();
        assert!(own.as_ref().is_some_and(|state| state.id.is_some()));
        bench.commit(|_| {});
        bench.database().upgrade(Some("another")).unwrap();
        assert_eq!(bench.database().state().unwrap(), own);
    });
}

#[test]
fn what_a_new_database_gets_after_its_rows_is_not_there_while_they_are_written() {
    const INDEX: &str = "CREATE INDEX notes_title ON notes (title)";
    for dialect in Dialect::ALL {
        let mut late = migration("002_index", INDEX);
        (late.after_rows, late.down) = (true, Some("DROP INDEX notes_title".to_owned()));
        let bench = Bench::new(dialect, vec![migration("001_notes", SQL), late]);
        let has_index =
            |transaction: &dyn Transaction| transaction.catalog().unwrap().indexes.contains_key("notes_title");
        for is_there_meanwhile in [false, true] {
            let mut transaction = bench.begin(Mode::Real).unwrap();
            assert!(has_index(&*transaction));
            transaction.begin_rows().unwrap();
            assert_eq!(has_index(&*transaction), is_there_meanwhile);
            let name = if is_there_meanwhile { "bob" } else { "ann" };
            transaction.insert(&person(name)).unwrap();
            transaction.end_rows().unwrap();
            assert!(has_index(&*transaction));
            transaction.commit().unwrap();
        }
        assert_eq!(people(&*bench.database()), Some(2));
    }
}
