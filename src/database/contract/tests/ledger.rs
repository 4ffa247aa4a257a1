//! What runs leave behind beside rows: the ledger, keys, the registry of sealed columns.

use super::*;
use crate::database::SealedColumn;
use crate::database::cells::Registered;
use crate::database::ledger::{FileRecord, RowRecord, RunRecord, Written};
use crate::secret::keys::KeyRow;
use std::collections::BTreeMap;

pub(in crate::database) fn run(id: &str) -> RunRecord {
    RunRecord {
        id: id.into(),
        kind: "import".into(),
        program: "treelift 0.1.0".into(),
        set: "notebook".into(),
        set_digest: "ab".into(),
        set_folder: Some("/sets/notebook".into()),
        source: "/data".into(),
        started: "2025-05-07T15:09:12.345Z".parse().unwrap(),
        finished: "2025-05-07T15:09:13Z".parse().unwrap(),
        ..RunRecord::default()
    }
}

pub(in crate::database) fn file(id: i64, path: &str) -> FileRecord {
    FileRecord { id, path: path.into(), sha256: [7; 32], bytes: 12 }
}

pub(in crate::database) fn row(table: &str, row_key: &str, file: i64, offset: u64) -> RowRecord {
    RowRecord { table: table.into(), row_key: row_key.into(), file, offset, digest: [9; 16], own: None, columns: 1 }
}

#[test]
fn the_ledger_knows_where_rows_came_from() {
    on_every_engine(|bench| {
        let mut transaction = bench.begin(Mode::Real).unwrap();
        transaction.insert(&person("ann")).unwrap();
        transaction.insert(&note(7, "ann")).unwrap();
        transaction.insert(&batch("tags", &["note", "name"], vec![vec![Value::Integer(7), text("x")]])).unwrap();
        assert_eq!(
            transaction.record_files(&[file(1, "a.json")]).unwrap_err().message,
            "a row was recorded before its run"
        );
        transaction.begin_run(&run("r1")).unwrap();
        assert_eq!(transaction.next_file_id().unwrap(), 1);
        transaction.record_files(&[file(1, "a.json")]).unwrap();
        transaction.record_files(&[file(2, "b.json")]).unwrap();
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
        transaction
            .record_rows(&[row("people", "ann", 1, 10), row("notes", "9", 1, 60), plain.clone(), filled])
            .unwrap();
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
        let origins = bench.database().read().unwrap().unwrap().origins("people", "bob").unwrap();
        assert_eq!(
            origins.iter().map(|one| (&*one.run, &*one.path, one.offset)).collect::<Vec<_>>(),
            [("r1", "b.json", 3)]
        );

        let mut transaction = bench.begin_as(Mode::Real, "run-2").unwrap();
        transaction.begin_run(&run("r2")).unwrap();
        assert_eq!(transaction.next_file_id().unwrap(), 3);
        transaction.record_files(&[file(3, "a.json")]).unwrap();
        transaction.record_rows(&[row("people", "ann", 3, 99)]).unwrap();
        assert_eq!(transaction.record_columns(&columns("people", true)).unwrap(), 2);
        // Rows that were deleted since, or only filled, are left out.
        assert_eq!(transaction.earlier_rows("a.json", "people").unwrap(), [row("people", "ann", 1, 10)]);
        assert_eq!(transaction.earlier_rows("a.json", "notes").unwrap(), [plain]);
        assert_eq!(transaction.earlier_rows("b.json", "tags").unwrap(), [row("tags", r#"["7","x"]"#, 2, 0)]);
        assert_eq!(transaction.written_from("people", "ann").unwrap(), Some(row("people", "ann", 3, 99)));
        assert_eq!(transaction.written_from("notes", "7").unwrap(), None);
    });
}

#[test]
fn keys_and_sealed_columns_are_kept() {
    on_every_engine(|bench| {
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
        let registered = bench.database().read().unwrap().unwrap().registered().unwrap();
        let ours = all.map(|column| Registered { column, format: "tl2".to_owned() });
        assert_eq!(registered, ours);
    });
}
