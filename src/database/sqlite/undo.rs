//! What SQLite does for an undo. Foreign keys are off, so nothing cascades; what refers to nothing is compared before and
//! after, row by row.

mod meant;
mod taking;

use super::location::{Fault, Location, Tried};
use super::open::{self, Start};
use super::unchanged::{self, Ledger, by_key};
use super::{audit, catalog, form, forms, keys, ledger, ledger_tables, read, record, references, sql, survey};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::catalog::Other;
use crate::database::follow::Following;
use crate::database::forget::{self, Forget, Forgotten};
use crate::database::kept::ForeignTrigger;
use crate::database::ledger::{RunRecord, Written};
use crate::database::sealing::Sealing;
use crate::database::undo::engine::{Fate, Listed, Take, Undoing, numbers};
use crate::database::undo::{Obstacle, Undo, Undone, work};
use crate::database::{Cell, Mode};
use crate::error::Result;
use crate::table::{ColumnType, Table};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The files of the run; what it wrote, by table, in the order in which it was written; and the rows that are not to be
/// removed: of which nothing is left to be done, or a list of whose columns is emptied.
const TABLES: &str = "
    CREATE TEMP TABLE treelift_files_taken (id INTEGER PRIMARY KEY);
    CREATE TEMP TABLE treelift_taken (
        \"table\" INTEGER, file INTEGER, number INTEGER, row_key TEXT, columns INTEGER, digest BLOB, own BLOB,
        run INTEGER, updated INTEGER,
        PRIMARY KEY (\"table\", file, number)
    ) WITHOUT ROWID;
    CREATE TEMP TABLE treelift_apart (
        \"table\" INTEGER, row_key TEXT, fate INTEGER, PRIMARY KEY (\"table\", row_key)
    ) WITHOUT ROWID";

/// Takes lines of the ledger into it, each with its run, and whether that found the row there and gave it other values.
const TAKE: &str = "
    INSERT INTO temp.treelift_taken
    SELECT r.\"table\", r.file, r.number, r.row_key, r.columns, r.digest, r.own, f.run,
        EXISTS (SELECT 1 FROM treelift_earlier e WHERE e.\"table\" = r.\"table\" AND e.row_key = r.row_key AND e.run = f.run)
            AND NOT EXISTS (SELECT 1 FROM treelift_columns c WHERE c.id = r.columns AND c.filled)
    FROM treelift_rows r JOIN treelift_files f ON f.id = r.file";

/// Carries an order out.
pub(super) fn undo(location: &Location, order: &Undo<'_>) -> Tried<Undone> {
    let (store, conn) = open::begin(location, &Start { mode: order.mode, run_id: order.run_id, bytes: 0 })?;
    let undone = work::undo(&mut Engine { conn: &conn, location }, order)?;
    if order.mode == Mode::Dry || undone.rows() == 0 {
        open::roll_back(store, conn)?;
    } else {
        open::commit(location, store, conn)?;
    }
    Ok(undone)
}

/// Forgets runs. The dry one works on a private copy.
pub(super) fn forget(location: &Location, order: &Forget<'_>) -> Tried<Forgotten> {
    let (store, conn) = open::begin(location, &Start { mode: order.mode, run_id: order.id, bytes: 0 })?;
    let forgotten = forget::forget(&mut Engine { conn: &conn, location }, order)?;
    if order.mode == Mode::Dry || forgotten.runs.is_empty() {
        open::roll_back(store, conn)?;
    } else {
        open::commit(location, store, conn)?;
    }
    Ok(forgotten)
}

/// An open database that is asked what runs wrote into it.
pub(super) struct Engine<'e> {
    pub(super) conn: &'e Connection,
    pub(super) location: &'e Location,
}

impl Undoing for Engine<'_> {
    type Fault = Fault;

    fn is_same(one: &str, other: &str) -> bool {
        unchanged::same_name(one, other)
    }

    fn run(&mut self, sql: &str) -> Tried<()> {
        Ok(self.conn.execute_batch(sql)?)
    }

    fn ask(&self, sql: &str) -> Tried<Vec<Vec<Cell>>> {
        let mut asked = self.conn.prepare(sql)?;
        let many = asked.column_count();
        let rows = asked.query_map([], |row| read::cells(row, 0..many))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn set_up(&mut self) -> Tried<()> {
        ledger_tables::set_up(self.conn, self.location)
    }

    fn runs(&self) -> Tried<Vec<RunRecord>> {
        Ok(ledger::runs(self.conn)?)
    }

    fn note_run(&mut self, run: &RunRecord) -> Tried<()> {
        self.conn.execute_batch(TABLES)?;
        self.conn.execute(
            "INSERT INTO temp.treelift_files_taken SELECT f.id FROM treelift_files f
             JOIN treelift_runs u ON u.number = f.run WHERE u.id = ?1",
            [&run.id],
        )?;
        self.run(&format!("{TAKE} WHERE r.file IN (SELECT id FROM temp.treelift_files_taken) ORDER BY 1, 2, 3"))
    }

    fn note_all(&mut self, tables: &[i64]) -> Tried<()> {
        self.conn.execute_batch(TABLES)?;
        self.run(&format!("{TAKE} WHERE r.\"table\" IN ({}) ORDER BY 1, 2, 3", numbers(tables)))
    }

    fn note_lines(&mut self, condition: &str) -> Tried<()> {
        self.run(TABLES)?;
        self.run(&format!("{TAKE} {condition}"))
    }

    fn same_row(&self, listed: Listed<'_>) -> Tried<String> {
        let rowid = read::rowid(self.conn, &listed.table.name)?;
        Ok(rowid.map_or_else(|| by_key(listed.table, "s.live_key"), |rowid| format!("t.{rowid} = s.row")))
    }

    fn sealing(&mut self) -> Box<dyn Sealing + '_> {
        Box::new(keys::Seals { conn: self.conn, location: self.location })
    }

    fn index_taken(&mut self) -> Tried<()> {
        self.run("CREATE INDEX temp.treelift_taken_key ON treelift_taken (\"table\", row_key)")
    }

    fn columns(&self, number: i64, table: &str) -> Tried<HashMap<i64, Written>> {
        unchanged::columns(self.conn, (number, table), self.location)
    }

    fn write_run(&mut self, run: &RunRecord) -> Tried<()> {
        ledger::write_run(self.conn, None, run)?;
        Ok(())
    }

    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Tried<()> {
        Ok(audit::write(self.conn, entry, table)?)
    }

    fn counts(&self) -> Tried<BTreeMap<String, u64>> {
        Ok(survey::counted(self.conn, None)?)
    }

    fn live(&self, names: &[&str]) -> Tried<BTreeMap<String, Table>> {
        let mut live = catalog::tables(self.conn, names.iter().copied())?;
        forms::note(self.conn, &mut live, self.location)?;
        Ok(live)
    }

    fn foreign_triggers(
        &self,
        is_own: &dyn Fn(&str, &Other) -> bool,
        is_taken: &dyn Fn(&str) -> bool,
    ) -> Tried<Vec<ForeignTrigger>> {
        let record = record::table(self.conn, None)?.name;
        Ok(catalog::foreign_triggers(self.conn, &record, is_own, is_taken)?)
    }

    fn list(&mut self, listed: Listed<'_>) -> Tried<()> {
        let (name, Listed { number, table }) = (listed.name(), listed);
        let (rowid, key) = (read::rowid(self.conn, &table.name)?, by_key(table, "k.row_key"));
        let (row, found) = match rowid {
            Some(rowid) => (format!("t.{rowid}"), format!("LEFT JOIN main.{} t ON {key}", sql::name(&table.name))),
            None => ("NULL".to_owned(), String::new()),
        };
        self.conn.execute_batch(&format!(
            "CREATE TEMP TABLE {name} (
                 row INTEGER, row_key TEXT, live_key TEXT, columns INTEGER, digest BLOB, own BLOB, updated INTEGER);
             INSERT INTO temp.{name} SELECT {row}, k.row_key, k.row_key, k.columns, k.digest, k.own, k.updated
                 FROM temp.treelift_taken k {found} WHERE k.\"table\" = {number} ORDER BY 1, k.row_key, k.run, k.number"
        ))?;
        Ok(meant::find(self.conn, &name, (table, rowid))?)
    }

    fn judge(
        &mut self,
        listed: Listed<'_>,
        columns: &HashMap<i64, Written>,
        run: Option<&RunRecord>,
        take: &mut Take<'_, Self>,
    ) -> Tried<()> {
        let (conn, table) = (self.conn, listed.table);
        let joined = self.same_row(listed)?;
        let from = format!("temp.{} s", listed.name());
        let ledger = Ledger { from: &from, joined: &joined, updated: "s.updated", order: "s.rowid" };
        let judge = unchanged::judge(conn, table, columns, run);
        let judge = if run.is_none() { judge.renewing() } else { judge };
        unchanged::each(conn, &judge, &ledger, &mut |key, noted, fate| take(self, key, noted, fate))
    }

    fn others(&self, listed: Listed<'_>) -> Tried<(u64, u64)> {
        let Listed { number, table } = listed;
        let text = format!(
            "SELECT count(*) FROM (
                 SELECT DISTINCT r.row_key FROM treelift_rows r
                 WHERE r.\"table\" = {number} AND r.row_key NOT IN (SELECT row_key FROM temp.{})
             ) k JOIN main.{} t ON {}",
            listed.name(),
            sql::name(&table.name),
            by_key(table, "k.row_key")
        );
        let others = self.conn.query_row(&text, [], |row| row.get(0))?;
        Ok((others, read::count(self.conn, &table.name)?))
    }

    fn note_apart(&mut self, table: i64, key: &str, fate: Option<usize>) -> Tried<()> {
        let text = "INSERT INTO temp.treelift_apart VALUES (?1, ?2, ?3)";
        self.conn.prepare_cached(text)?.execute((table, key, fate.map(|fate| fate as i64)))?;
        Ok(())
    }

    fn groups<'t>(&self, tables: Vec<Listed<'t>>) -> Tried<Vec<Vec<Listed<'t>>>> {
        Ok(tables.into_iter().map(|listed| vec![listed]).collect())
    }

    fn before_taking(&mut self, order: &Undo<'_>, tables: &[&str], _fates: &[Fate<'_>]) -> Tried<Vec<Obstacle>> {
        references::note_astray(self.conn, references::BEFORE, order.references, tables, self.location)?;
        Ok(Vec::new())
    }

    fn take(&mut self, group: &[Fate<'_>], done: &dyn Fn(u64) -> Result<()>) -> Tried<Option<Obstacle>> {
        let may_roll_back = taking::may_roll_back(self.conn)?;
        for fate in group {
            if let Some(key) = taking::take(self.conn, fate, may_roll_back, done)? {
                return Ok(Some(Obstacle::Forbidden { table: fate.listed.table.name.clone(), key }));
            }
        }
        Ok(None)
    }

    fn is_over(&self) -> bool {
        self.conn.is_autocommit()
    }

    fn after_taking(&mut self, order: &Undo<'_>, tables: &[&str]) -> Tried<Vec<Obstacle>> {
        references::note_astray(self.conn, references::AFTER, order.references, tables, self.location)?;
        Ok(references::new_astray(self.conn)?)
    }
}

impl Following for Engine<'_> {
    const TEMPORARY: &'static str = "";

    fn key_text(kind: ColumnType, cell: &Cell) -> Option<String> {
        form::text_of(cell, kind)
    }

    fn has_ledger(&self) -> Tried<bool> {
        Ok(catalog::has_table(self.conn, "treelift_rows")?)
    }

    fn put(&mut self, table: &str, types: &[&str], rows: Vec<Vec<Option<String>>>) -> Tried<()> {
        // Each is converted to what its column keeps ("Datatypes In SQLite", 3.1).
        let values: Vec<String> = (1..=types.len()).map(|at| format!("?{at}")).collect();
        let mut put = self.conn.prepare_cached(&format!("INSERT INTO temp.{table} VALUES ({})", values.join(", ")))?;
        for row in rows {
            put.execute(rusqlite::params_from_iter(row))?;
        }
        Ok(())
    }

    fn sealed(&self) -> Tried<BTreeSet<(String, String)>> {
        let all = keys::registered(self.conn, self.location)?.into_iter();
        Ok(all.map(|one| (one.column.table, one.column.column)).collect())
    }

    fn bytes(digits: &str) -> String {
        format!("unhex({digits})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::changes::Changes;
    use crate::database::ledger::digest;
    use crate::database::undo::tests::run;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    const RUN: &str = "6f9d0b4e-1c4f-4c57-9d0e-6c2b9f6f2a10";

    /// A database into which a run wrote so many people, each with a note that refers to one, and so much of
    /// the tables besides.
    fn database(people: i64, besides: &str, location: &Location) -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT); CREATE INDEX people_name ON people (name);
             CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT REFERENCES people (id));
             CREATE INDEX notes_owner ON notes (owner); BEGIN",
        )
        .unwrap();
        ledger_tables::set_up(&conn, location).unwrap();
        ledger::write_run(&conn, None, &run(RUN, "import", None)).unwrap();
        conn.execute_batch(
            r#"INSERT INTO treelift_files VALUES (1, 1, 'a.json', x'00', 0);
               INSERT INTO treelift_tables VALUES (1, 'people'), (2, 'notes');
               INSERT INTO treelift_columns VALUES (1, 1, '["id","name"]', '[]', '[]', 0), (2, 2, '["owner"]', '[]', '[]', 0)"#,
        )
        .unwrap();
        let mut note = conn.prepare("INSERT INTO treelift_rows VALUES (1, ?1, ?2, ?3, 0, ?1, ?4, NULL)").unwrap();
        for number in 0..people {
            // Keys in another order than the rows.
            let id = format!("{:08x}", number.wrapping_mul(2_654_435_761) as u32);
            conn.execute("INSERT INTO people VALUES (?1, 'Ann')", [&id]).unwrap();
            let told = digest([("id", Cell::Text(id.clone()).text()), ("name", Some("Ann".to_owned()))].into_iter());
            note.execute((1, 2 * number, &id, told.as_slice())).unwrap();
            conn.execute("INSERT INTO notes (owner) VALUES (?1)", [&id]).unwrap();
            let key = (number + 1).to_string();
            note.execute((2, 2 * number + 1, &key, digest([("owner", Some(id))].into_iter()).as_slice())).unwrap();
        }
        drop(note);
        conn.execute_batch(besides).unwrap();
        conn
    }

    /// What came of the undo, and how many steps of SQLite's virtual machine it took.
    fn undone(people: i64, besides: &str) -> (Undone, u64) {
        let location = Location::of("/x.db".into(), "x.db");
        let mut conn = database(people, besides, &location);
        let steps = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&steps);
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            false
        };
        conn.progress_handler(1, Some(count)).unwrap();
        let order = Undo {
            mode: Mode::Real,
            force_edited: false,
            reseal: None,
            run_id: "undo",
            run: RUN,
            started: jiff::Timestamp::UNIX_EPOCH,
            references: &[],
            changes: &Changes::default(),
            triggers: &BTreeMap::new(),
            audit: None,
            progress: &|_| Ok(()),
        };
        let undone = work::undo(&mut Engine { conn: &conn, location: &location }, &order).unwrap();
        let steps = steps.load(Ordering::Relaxed);
        let left: (u64, u64) = conn
            .query_row("SELECT (SELECT count(*) FROM people) + (SELECT count(*) FROM notes), (SELECT count(*) FROM treelift_rows)", [], |row| {
                Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs()))
            })
            .unwrap();
        assert_eq!(left, (if besides.contains("INSERT") { 2 } else { 0 }, 0));
        (undone, steps)
    }

    #[test]
    fn the_work_of_an_undo_grows_with_the_rows_and_not_with_their_square() {
        for besides in ["", "INSERT INTO people VALUES ('x', 'Bob'); INSERT INTO notes VALUES (-1, 'x')"] {
            let (few, many) = (undone(100, besides), undone(1_600, besides));
            assert_eq!((few.0.rows(), many.0.rows()), (200, 3_200));
            assert!(many.1 < 17 * few.1, "{} steps for 200 rows, {} for 3,200", few.1, many.1);
        }
    }

    #[test]
    fn a_column_whose_name_holds_a_keyword_makes_an_undo_no_longer() {
        let (plain, named) = (undone(400, ""), undone(400, "CREATE TABLE log (rollback_at TEXT)"));
        assert!(named.1 < plain.1 + plain.1 / 10, "{} steps, {} with the name", plain.1, named.1);
    }
}
