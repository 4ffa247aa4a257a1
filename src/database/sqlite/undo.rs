//! Undoes a run: removes the rows it inserted and empties the columns it filled, if they are as
//! it left them.
//!
//! First everything is checked, and what is to be done noted in a temporary table; then it is done,
//! and looked at again. Foreign keys are off, so nothing cascades; what refers to nothing is compared
//! before and after, row by row. A trigger that is not the set's own might do anything: none may be
//! on the tables.

mod fates;
mod meant;

use super::location::{Location, Tried};
use super::open::{self, Start};
use super::unchanged::{Disposition, Judge, Noted, columns};
use super::{audit, catalog, forms, ledger, ledger_tables, read, record, references, sql, survey};
use crate::database::Mode;
use crate::database::audit::AuditEntry;
use crate::database::catalog::Other;
use crate::database::kept::ForeignTrigger;
use crate::database::ledger::{RunRecord, Written, key_parts};
use crate::database::undo::{Keys, Obstacle, Taken, Undo, Undone, choose};
use crate::table::Table;
use fates::Fates;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the run wrote, by table, in the order in which it was written.
const TAKEN: &str = "
    CREATE TEMP TABLE treelift_taken (
        \"table\" INTEGER, file INTEGER, number INTEGER, row_key TEXT, columns INTEGER, digest BLOB, own BLOB,
        PRIMARY KEY (\"table\", file, number)
    ) WITHOUT ROWID;
    INSERT INTO temp.treelift_taken SELECT \"table\", file, number, row_key, columns, digest, own FROM treelift_rows
        WHERE file IN (SELECT id FROM temp.treelift_files_taken) ORDER BY 1, 2, 3";

/// Every so many rows progress is told.
const PAGE: u64 = 1_000;

/// Carries an order out.
pub(super) fn undo(location: &Location, order: &Undo<'_>) -> Tried<Undone> {
    let (store, conn) = open::begin(location, &Start { mode: order.mode, run_id: order.run_id, bytes: 0 })?;
    let mut undone = Work { conn: &conn, location, order }.all()?;
    if !undone.obstacles.is_empty() {
        undone.tables.clear();
    }
    if order.mode == Mode::Dry || undone.rows() == 0 {
        open::roll_back(store, conn)?;
    } else {
        open::commit(location, store, conn)?;
    }
    Ok(undone)
}

/// An undo, in its transaction.
struct Work<'w> {
    conn: &'w Connection,
    location: &'w Location,
    order: &'w Undo<'w>,
}

impl<'w> Work<'w> {
    fn all(&self) -> Tried<Undone> {
        ledger_tables::set_up(self.conn, self.location)?;
        let runs = ledger::runs(self.conn)?;
        let run = choose(&runs, self.order.run)?;
        note_run(self.conn, run)?;
        let tables = tables(self.conn)?;
        let before = survey::counted(self.conn, None)?;
        let parents: Vec<&str> = tables.iter().map(|(_, name)| name.as_str()).collect();
        references::note_astray(self.conn, references::BEFORE, self.order.references, &parents, self.location)?;
        let mut fates = Fates::new(self.conn)?;
        let mut undone = Undone { tables: Vec::new(), obstacles: later(self.conn, run)? };
        undone.obstacles.extend(self.foreign_triggers(&tables)?);
        let mut live = catalog::tables(self.conn, parents.iter().copied())?;
        forms::note(self.conn, &mut live, self.location)?;
        for (number, name) in &tables {
            let (taken, obstacle) = self.judge((*number, name), live.get(name), run, &mut fates)?;
            undone.tables.push(taken);
            undone.obstacles.extend(obstacle);
        }
        undone.tables.sort_by(|one, other| one.name.cmp(&other.name));
        if !undone.obstacles.iter().any(|obstacle| matches!(obstacle, Obstacle::Trigger { .. })) {
            undone.obstacles.extend(self.take_all(&tables, &live, &fates)?);
        }
        if self.conn.is_autocommit() {
            return Ok(undone); // a trigger rolled the transaction back, and there is nothing to look at
        }
        references::note_astray(self.conn, references::AFTER, self.order.references, &parents, self.location)?;
        undone.obstacles.extend(references::new_astray(self.conn)?);
        if undone.obstacles.is_empty() {
            let after = survey::counted(self.conn, None)?;
            undone.obstacles.extend(further(&before, &after, &undone.tables));
        }
        if undone.obstacles.is_empty() && undone.rows() > 0 {
            self.record(run, &undone)?;
        }
        Ok(undone)
    }

    /// Triggers that may reach the tables and that no migration of the set makes.
    fn foreign_triggers(&self, tables: &[(i64, String)]) -> rusqlite::Result<Vec<Obstacle>> {
        let is_own = |name: &str, live: &Other| self.order.triggers.get(name).is_some_and(|known| known.same_as(live));
        let is_taken = |table: &str| tables.iter().any(|(_, name)| name.eq_ignore_ascii_case(table));
        let foreign = catalog::foreign_triggers(self.conn, &record::table(self.conn, None)?.name, &is_own, &is_taken)?;
        Ok(foreign.into_iter().map(|ForeignTrigger { name, table }| Obstacle::Trigger { name, table }).collect())
    }

    /// Checks the run's rows of one table, and notes what is to become of them.
    fn judge(
        &self,
        (number, name): (i64, &str),
        live: Option<&Table>,
        run: &RunRecord,
        fates: &mut Fates<'_>,
    ) -> Tried<(Taken, Option<Obstacle>)> {
        let mut taken = Taken { name: name.to_owned(), ..Taken::default() };
        let (table, written) = (name.to_owned(), || written(self.conn, number));
        let Some(live) = live else {
            let by = self.order.changes.took_table(name);
            return Ok((taken, Some(Obstacle::Missing { table, rows: written()?, by })));
        };
        if live.primary_key().is_empty() {
            return Ok((taken, Some(Obstacle::Nameless { table, rows: written()? })));
        }
        if let Some(obstacle) = self.altered(number, live)? {
            return Ok((taken, Some(obstacle)));
        }
        let columns = columns(self.conn, (number, name), self.location)?;
        let rowid = read::rowid(self.conn, name)?;
        let judge = Judge::new(self.conn, live, &columns, Some(run));
        let (mut changed, mut nameless, mut rows) = (Keys::default(), 0, 0);
        let listed = fates.list(number, (live, rowid))?;
        judge.each(self.conn, &listed.ledger(), &mut |key, noted, fate| {
            match fate {
                Disposition::Gone => taken.gone += 1,
                Disposition::Remove { sealed_alike, judged } => {
                    taken.removed += 1;
                    taken.resealed += u64::from(!sealed_alike);
                    taken.unjudged += u64::from(!judged);
                }
                Disposition::Empty => taken.emptied += 1,
                Disposition::Changed => changed.add_in_order(key),
                Disposition::Nameless => nameless += 1,
            }
            // One that was changed is removed too, before all is undone: else what it references would be
            // reported as lost.
            match fate {
                Disposition::Remove { .. } | Disposition::Changed => fates.remove(number),
                Disposition::Empty => fates.empty(number, key, filled(noted, &columns))?,
                Disposition::Gone | Disposition::Nameless => fates.leave(number, key)?,
            }
            rows += 1;
            if rows % PAGE == 0 { Ok((self.order.progress)(PAGE)?) } else { Ok(()) }
        })?;
        (self.order.progress)(rows % PAGE)?;
        // What is not there under its key is deleted for sure only where all that is there is known.
        let found = taken.removed + taken.emptied + changed.rows;
        if taken.gone > 0 && fates.unknown(number, live, (&listed, found))? > 0 {
            taken.unfound = std::mem::take(&mut taken.gone);
        }
        let obstacle = match (nameless, changed.rows) {
            (0, 0) => None,
            (0, _) => Some(Obstacle::Changed { table, keys: changed }),
            _ => Some(Obstacle::Nameless { table, rows: nameless }),
        };
        Ok((taken, obstacle))
    }

    /// What keeps the rows of the run from being found or judged: columns that are gone, or another primary key.
    fn altered(&self, number: i64, live: &Table) -> Tried<Option<Obstacle>> {
        let (conn, changes, table) = (self.conn, self.order.changes, live.name.clone());
        let key: Vec<String> = live.primary_key().into_iter().map(str::to_owned).collect();
        let before = changes.key_before(&table).filter(|(before, _)| *before != key);
        let by = before.map(|(_, by)| by.to_owned());
        if by.is_some() || has_other_parts(conn, number, key.len())? {
            return Ok(Some(Obstacle::Rekeyed { rows: written(conn, number)?, table, key, by }));
        }
        let is_there = |name: &String| live.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        let lists = columns(conn, (number, &table), self.location)?;
        let used: Vec<i64> =
            sql::column(conn, "SELECT DISTINCT columns FROM temp.treelift_taken WHERE \"table\" = ?1", [number])?;
        let used = used.iter().filter_map(|list| lists.get(list));
        let names = used.flat_map(|list| [&list.digested, &list.clock, &list.sealed]).flatten();
        let gone: BTreeSet<String> = names.filter(|name| !is_there(name)).cloned().collect();
        let Some(first) = gone.first() else { return Ok(None) };
        let by = changes.took_column(&table, first).map(str::to_owned);
        let columns = gone.into_iter().collect();
        Ok(Some(Obstacle::Narrowed { rows: written(conn, number)?, table, columns, by }))
    }

    /// Does what was noted, the rows of later tables first: they refer to those of earlier ones. Ends
    /// at the first that the database refuses: what comes after it says nothing any more.
    fn take_all(
        &self,
        tables: &[(i64, String)],
        live: &BTreeMap<String, Table>,
        fates: &Fates<'_>,
    ) -> Tried<Option<Obstacle>> {
        for (number, name) in tables {
            let Some(live) = live.get(name) else { continue }; // reported when it was checked
            let rowid = read::rowid(self.conn, name)?;
            if let Some(key) = fates.carry_out(*number, (live, rowid), self.order.progress)? {
                return Ok(Some(Obstacle::Forbidden { table: name.clone(), key }));
            }
        }
        Ok(None)
    }

    /// The ledger forgets the rows and remembers that; so does the audit trail.
    fn record(&self, run: &RunRecord, undone: &Undone) -> Tried<()> {
        forget(self.conn)?;
        let sum = |of: fn(&Taken) -> u64| undone.tables.iter().map(of).sum::<u64>();
        let (removed, emptied) = (sum(|table| table.removed), sum(|table| table.emptied));
        let record = RunRecord {
            id: self.order.run_id.to_owned(),
            kind: "undo".to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.order.started,
            finished: jiff::Timestamp::now(),
            updated: emptied,
            removed,
            undoes: Some(run.id.clone()),
            set: run.set.clone(),
            set_digest: run.set_digest.clone(),
            set_folder: run.set_folder.clone(),
            source: run.source.clone(),
            ..RunRecord::default()
        };
        ledger::write_run(self.conn, None, &record)?;
        let details = serde_json::json!({ "undo": record.id, "removed": removed, "emptied": emptied });
        let entry =
            AuditEntry::new("undo", "database", "an import was undone", self.order.started)?.of(&run.id).with(details);
        Ok(audit::write(self.conn, &entry, self.order.audit)?)
    }
}

/// Notes what the run wrote in temporary tables.
fn note_run(conn: &Connection, run: &RunRecord) -> rusqlite::Result<()> {
    conn.execute_batch("CREATE TEMP TABLE treelift_files_taken (id INTEGER PRIMARY KEY)")?;
    conn.execute(
        "INSERT INTO temp.treelift_files_taken SELECT f.id FROM treelift_files f JOIN treelift_runs u ON u.number = f.run
         WHERE u.id = ?1",
        [&run.id],
    )?;
    conn.execute_batch(TAKEN)
}

/// Later runs that wrote into rows of this one. Rows of a table without a key cannot be identified.
fn later(conn: &Connection, run: &RunRecord) -> rusqlite::Result<Vec<Obstacle>> {
    // Each file of a later run leads to its rows.
    const ROWS: &str = "treelift_files f JOIN treelift_runs u ON u.number = f.run
         CROSS JOIN treelift_rows r ON r.file = f.id
         WHERE f.run > (SELECT number FROM treelift_runs WHERE id = ?1) AND r.row_key <> '[]'";
    if !conn.prepare(&format!("SELECT 1 FROM {ROWS}"))?.exists([&run.id])? {
        return Ok(Vec::new());
    }
    conn.execute_batch("CREATE INDEX temp.treelift_taken_key ON treelift_taken (\"table\", row_key)")?;
    conn.prepare(&format!(
        "SELECT u.id, count(DISTINCT r.\"table\" || ' ' || r.row_key) FROM {ROWS}
           AND EXISTS (SELECT 1 FROM temp.treelift_taken t WHERE t.\"table\" = r.\"table\" AND t.row_key = r.row_key)
         GROUP BY u.number ORDER BY u.number"
    ))?
    .query_map([&run.id], |row| Ok(Obstacle::Later { run: row.get(0)?, rows: row.get(1)? }))?
    .collect()
}

/// The tables that the run wrote into, the one that it came to last first: the ledger's number and
/// the name of each.
fn tables(conn: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let text = "SELECT t.id, t.name FROM treelift_tables t JOIN temp.treelift_taken r ON r.\"table\" = t.id
                GROUP BY t.id ORDER BY min(r.number) DESC";
    sql::all(conn, text, [])
}

/// How many rows of a table the run inserted or filled.
fn written(conn: &Connection, table: i64) -> rusqlite::Result<u64> {
    conn.query_row("SELECT count(*) FROM temp.treelift_taken WHERE \"table\" = ?1", [table], |row| row.get(0))
}

/// Whether the ledger knows a row of the run by another number of key parts. A key of one part may say anything.
fn has_other_parts(conn: &Connection, table: i64, parts: usize) -> rusqlite::Result<bool> {
    if parts == 1 {
        return Ok(false);
    }
    let mut keys = conn.prepare("SELECT row_key FROM temp.treelift_taken WHERE \"table\" = ?1")?;
    let mut keys = keys.query([table])?;
    while let Some(row) = keys.next()? {
        if key_parts(&row.get::<_, String>(0)?, parts).is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The columns of a row that the run filled.
fn filled(noted: &[Noted], columns: &HashMap<i64, Written>) -> Vec<String> {
    let lists = noted.iter().filter_map(|one| columns.get(&one.columns));
    lists.flat_map(|written| written.digested.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Removes the run's rows from the ledger; all of it at a stroke where no other run wrote any.
fn forget(conn: &Connection) -> rusqlite::Result<()> {
    let taken: u64 = conn.query_row("SELECT count(*) FROM temp.treelift_taken", [], |row| row.get(0))?;
    let is_all = read::count(conn, "treelift_rows")? == taken;
    let of_run = if is_all { "" } else { " WHERE file IN (SELECT id FROM temp.treelift_files_taken)" };
    conn.execute(&format!("DELETE FROM treelift_rows{of_run}"), []).map(drop)
}

/// Rows that went besides the run's own.
fn further(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, tables: &[Taken]) -> Vec<Obstacle> {
    let of = |name: &str| tables.iter().find(|table| table.name.eq_ignore_ascii_case(name));
    let gone = before.iter().filter_map(|(table, was)| {
        let stays = was.saturating_sub(of(table).map_or(0, |table| table.removed));
        let rows = stays.saturating_sub(after.get(table).copied().unwrap_or(0));
        (rows > 0).then(|| Obstacle::Further { table: table.clone(), rows })
    });
    gone.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Cell;
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
        let location = Location { path: "/x.db".into(), shown: "x.db".to_owned(), record: None };
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
            run_id: "undo",
            run: RUN,
            started: jiff::Timestamp::UNIX_EPOCH,
            references: &[],
            changes: &Changes::default(),
            triggers: &BTreeMap::new(),
            audit: None,
            progress: &|_| Ok(()),
        };
        let undone = Work { conn: &conn, location: &location, order: &order }.all().unwrap();
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
