//! Undoes a run: removes the rows it inserted and empties the columns it filled, if they are as
//! it left them.
//!
//! First everything is checked, and what is to be done noted in a temporary table; then it is done,
//! and looked at again. Foreign keys are off, so nothing cascades; what refers to nothing is compared
//! before and after, row by row. A trigger that is not the set's own might do anything: none may be
//! on the tables.

use super::location::Location;
use super::open::{self, Start};
use super::unchanged::{Disposition, Judge, Noted, columns};
use super::{astray, audit, catalog, ledger, ledger_tables, sql, survey, triggers};
use crate::database::Mode;
use crate::database::audit::AuditEntry;
use crate::database::catalog::Other;
use crate::database::kept::ForeignTrigger;
use crate::database::ledger::{RunRecord, key_parts};
use crate::database::undo::{Keys, Obstacle, Taken, Undo, Undone, choose};
use crate::error::Result;
use crate::table::Table;
use rusqlite::{Connection, ErrorCode};
use std::collections::BTreeMap;

/// What the run wrote, and whether it is to be removed (1) or emptied (2).
const TAKEN: &str = "
    CREATE TEMP TABLE taken (
        number INTEGER PRIMARY KEY, \"table\" INTEGER, row_key TEXT, columns INTEGER, digest BLOB, own BLOB, fate INTEGER
    );
    INSERT INTO temp.taken SELECT number, \"table\", row_key, columns, digest, own, NULL FROM treelift_rows
        WHERE file IN (SELECT id FROM temp.files_taken);
    CREATE INDEX temp.taken_key ON taken (\"table\", row_key)";

/// How many keys are held at once.
const PAGE: usize = 1_000;

/// Carries an order out.
pub(super) fn undo(location: &Location, order: &Undo<'_>) -> Result<Undone> {
    let (store, conn) = open::begin(location, &Start { mode: order.mode, run_id: order.run_id, bytes: 0 })?;
    let mut undone = Work { conn: &conn, location, order }.all()?;
    if !undone.obstacles.is_empty() {
        undone.tables.clear();
    }
    if order.mode == Mode::Dry || undone.rows() == 0 {
        open::roll_back(location, store, conn)?;
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

impl Work<'_> {
    fn on<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(self.conn).map_err(|error| self.location.fault(&error))
    }

    fn all(&self) -> Result<Undone> {
        ledger_tables::set_up(self.conn, self.location)?;
        let runs = self.on(ledger::runs)?;
        let run = choose(&runs, self.order.run)?;
        self.on(|conn| note_run(conn, run))?;
        let tables = self.on(tables)?;
        let before = self.on(|conn| survey::counted(conn, None))?;
        let parents: Vec<&str> = tables.iter().map(|(_, name)| name.as_str()).collect();
        astray::note(self.conn, astray::BEFORE, self.order.references, &parents, self.location)?;
        let mut undone = Undone { tables: Vec::new(), obstacles: self.on(|conn| later(conn, run))? };
        undone.obstacles.extend(self.foreign_triggers(&tables)?);
        for (number, name) in &tables {
            let (taken, obstacle) = self.judge(*number, name, run)?;
            undone.tables.push(taken);
            undone.obstacles.extend(obstacle);
        }
        undone.tables.sort_by(|one, other| one.name.cmp(&other.name));
        if !undone.obstacles.iter().any(|obstacle| matches!(obstacle, Obstacle::Trigger { .. })) {
            undone.obstacles.extend(self.take_all(&tables)?);
        }
        if self.conn.is_autocommit() {
            return Ok(undone); // a trigger rolled the transaction back, and there is nothing to look at
        }
        astray::note(self.conn, astray::AFTER, self.order.references, &parents, self.location)?;
        undone.obstacles.extend(self.on(astray::new)?);
        if undone.obstacles.is_empty() {
            let after = self.on(|conn| survey::counted(conn, None))?;
            undone.obstacles.extend(further(&before, &after, &undone.tables));
        }
        if undone.obstacles.is_empty() && undone.rows() > 0 {
            self.record(run, &undone)?;
        }
        Ok(undone)
    }

    /// The live table, if it is there.
    fn live(&self, name: &str) -> Result<Option<Table>> {
        catalog::table(self.conn, name, &|error| self.location.fault(error))
    }

    /// Triggers that may reach the tables and that no migration of the set makes.
    fn foreign_triggers(&self, tables: &[(i64, String)]) -> Result<Vec<Obstacle>> {
        let is_own = |name: &str, live: &Other| self.order.triggers.get(name).is_some_and(|known| known.same_as(live));
        let is_taken = |table: &str| tables.iter().any(|(_, name)| name.eq_ignore_ascii_case(table));
        let foreign = self.on(|conn| triggers::foreign_triggers(conn, &is_own, &is_taken))?;
        Ok(foreign.into_iter().map(|ForeignTrigger { name, table }| Obstacle::Trigger { name, table }).collect())
    }

    /// Checks the run's rows of one table, and notes what is to become of them.
    fn judge(&self, number: i64, name: &str, run: &RunRecord) -> Result<(Taken, Option<Obstacle>)> {
        let mut taken = Taken { name: name.to_owned(), ..Taken::default() };
        let (table, rows) = (name.to_owned(), self.on(|conn| written(conn, number))?);
        let Some(live) = self.live(name)? else {
            return Ok((taken, Some(Obstacle::Missing { table, rows })));
        };
        if live.primary_key().is_empty() {
            return Ok((taken, Some(Obstacle::Nameless { table, rows })));
        }
        let columns = self.on(|conn| columns(conn, number, name))?;
        let judge = Judge::new(self.conn, &live, &columns, run);
        let (mut changed, mut nameless) = (Keys::default(), 0);
        self.each_key(number, None, &mut |key| {
            match self.on(|conn| note(conn, number, key, &judge))? {
                Disposition::Gone => taken.gone += 1,
                Disposition::Remove { sealed_alike, judged } => {
                    taken.removed += 1;
                    taken.resealed += u64::from(!sealed_alike);
                    taken.unjudged += u64::from(!judged);
                }
                Disposition::Empty => taken.emptied += 1,
                Disposition::Changed => changed.add(key),
                Disposition::Nameless => nameless += 1,
            }
            Ok(())
        })?;
        let obstacle = match (nameless, changed.rows) {
            (0, 0) => None,
            (0, _) => Some(Obstacle::Changed { table, keys: changed }),
            _ => Some(Obstacle::Nameless { table, rows: nameless }),
        };
        Ok((taken, obstacle))
    }

    /// Hands over the keys of a table's rows, or of those with a fate, page by page.
    fn each_key(&self, number: i64, fate: Option<i64>, take: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let mut last = None;
        loop {
            if self.conn.is_autocommit() {
                return Ok(()); // a trigger rolled everything back
            }
            let page = self.on(|conn| keys(conn, number, fate, last.as_deref()))?;
            page.iter().try_for_each(|key| take(key))?;
            (self.order.progress)(page.len() as u64)?;
            if page.len() < PAGE { return Ok(()) } else { last = page.into_iter().next_back() }
        }
    }

    /// Does what was noted, the rows of later tables first: they refer to those of earlier ones. Ends
    /// at the first that the database refuses.
    fn take_all(&self, tables: &[(i64, String)]) -> Result<Option<Obstacle>> {
        let mut refused = None;
        for (number, name) in tables {
            let Some(live) = self.live(name)? else { continue }; // reported when it was checked
            let key_is = sql::is(&live.primary_key(), 1);
            let delete = format!("DELETE FROM {} WHERE {key_is}", sql::name(name));
            let mut take = |key: &str, text: &str| {
                if refused.is_none() && !self.on(|conn| takes(conn, &live, key, text))? {
                    refused = Some(Obstacle::Forbidden { table: name.clone(), key: key.to_owned() });
                }
                Ok(())
            };
            self.each_key(*number, Some(REMOVE), &mut |key| take(key, &delete))?;
            self.each_key(*number, Some(EMPTY), &mut |key| {
                let filled = self.on(|conn| filled(conn, *number, key))?;
                let nulls: Vec<String> = filled.iter().map(|column| format!("{} = NULL", sql::name(column))).collect();
                take(key, &format!("UPDATE {} SET {} WHERE {key_is}", sql::name(name), nulls.join(", ")))
            })?;
            if refused.is_some() {
                break; // what comes after it says nothing any more
            }
        }
        Ok(refused)
    }

    /// The ledger forgets the rows and remembers that; so does the audit trail.
    fn record(&self, run: &RunRecord, undone: &Undone) -> Result<()> {
        self.on(|conn| conn.execute("DELETE FROM treelift_rows WHERE file IN (SELECT id FROM temp.files_taken)", []))?;
        let sum = |of: fn(&Taken) -> u64| undone.tables.iter().map(of).sum::<u64>();
        let (removed, emptied) = (sum(|table| table.removed), sum(|table| table.emptied));
        let record = RunRecord {
            id: self.order.run_id.to_owned(),
            kind: "undo".to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.order.started,
            finished: jiff::Timestamp::now(),
            files: 0,
            leaves: 0,
            inserted: 0,
            updated: emptied,
            unchanged: 0,
            rejected: 0,
            removed,
            undoes: Some(run.id.clone()),
            ..run.clone()
        };
        ledger::insert_run(self.conn, &record, self.location)?;
        let details = serde_json::json!({ "undo": record.id, "removed": removed, "emptied": emptied });
        let entry =
            AuditEntry::new("undo", "database", "an import was undone", self.order.started)?.of(&run.id).with(details);
        self.on(|conn| audit::write(conn, &entry, self.order.audit))
    }
}

const REMOVE: i64 = 1;
const EMPTY: i64 = 2;

/// Notes what the run wrote in temporary tables.
fn note_run(conn: &Connection, run: &RunRecord) -> rusqlite::Result<()> {
    conn.execute_batch("CREATE TEMP TABLE files_taken (id INTEGER PRIMARY KEY)")?;
    conn.execute(
        "INSERT INTO temp.files_taken SELECT f.id FROM treelift_files f JOIN treelift_runs u ON u.number = f.run
         WHERE u.id = ?1",
        [&run.id],
    )?;
    conn.execute_batch(TAKEN)
}

/// Later runs that wrote into rows of this one. Rows of a table without a key cannot be identified.
fn later(conn: &Connection, run: &RunRecord) -> rusqlite::Result<Vec<Obstacle>> {
    conn.prepare(
        "SELECT u.id, count(DISTINCT r.\"table\" || ' ' || r.row_key) FROM treelift_runs u
         JOIN treelift_files f ON f.run = u.number JOIN treelift_rows r ON r.file = f.id
         WHERE u.number > (SELECT number FROM treelift_runs WHERE id = ?1) AND r.row_key <> '[]'
           AND EXISTS (SELECT 1 FROM temp.taken t WHERE t.\"table\" = r.\"table\" AND t.row_key = r.row_key)
         GROUP BY u.number ORDER BY u.number",
    )?
    .query_map([&run.id], |row| Ok(Obstacle::Later { run: row.get(0)?, rows: row.get::<_, i64>(1)?.unsigned_abs() }))?
    .collect()
}

/// The tables that the run wrote into, the one that it came to last first: the ledger's number and
/// the name of each.
fn tables(conn: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    conn.prepare(
        "SELECT t.id, t.name FROM treelift_tables t JOIN temp.taken r ON r.\"table\" = t.id
         GROUP BY t.id ORDER BY min(r.number) DESC",
    )?
    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// How many rows of a table the run inserted or filled.
fn written(conn: &Connection, table: i64) -> rusqlite::Result<u64> {
    let text = "SELECT count(*) FROM temp.taken WHERE \"table\" = ?1";
    conn.query_row(text, [table], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

/// The next page of keys.
fn keys(conn: &Connection, table: i64, fate: Option<i64>, last: Option<&str>) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached(&format!(
        "SELECT DISTINCT row_key FROM temp.taken WHERE \"table\" = ?1 AND (?2 IS NULL OR fate = ?2)
           AND (?3 IS NULL OR row_key > ?3) ORDER BY row_key LIMIT {PAGE}"
    ))?
    .query_map((table, fate, last), |row| row.get(0))?
    .collect()
}

/// Checks a row and notes what is to become of it. One that was changed is removed too, before all is
/// undone: else what it references would be reported as lost.
fn note(conn: &Connection, table: i64, key: &str, judge: &Judge<'_>) -> rusqlite::Result<Disposition> {
    let noted: Vec<Noted> = conn
        .prepare_cached(
            "SELECT columns, digest, own FROM temp.taken WHERE \"table\" = ?1 AND row_key = ?2 ORDER BY number",
        )?
        .query_map((table, key), Noted::read)?
        .collect::<rusqlite::Result<_>>()?;
    let fate = judge.row(conn, key, &noted)?;
    let number = match fate {
        Disposition::Remove { .. } | Disposition::Changed => REMOVE,
        Disposition::Empty => EMPTY,
        Disposition::Gone | Disposition::Nameless => return Ok(fate),
    };
    conn.prepare_cached("UPDATE temp.taken SET fate = ?3 WHERE \"table\" = ?1 AND row_key = ?2")?
        .execute((table, key, number))?;
    Ok(fate)
}

/// The columns of a row that the run filled.
fn filled(conn: &Connection, table: i64, key: &str) -> rusqlite::Result<Vec<String>> {
    let lists: Vec<String> = conn
        .prepare_cached(
            "SELECT c.digested FROM temp.taken t JOIN treelift_columns c ON c.id = t.columns
             WHERE t.\"table\" = ?1 AND t.row_key = ?2",
        )?
        .query_map((table, key), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(lists.iter().flat_map(|list| serde_json::from_str::<Vec<String>>(list).unwrap_or_default()).collect())
}

/// Whether a statement about one row changed it: a constraint or a trigger of the set may say no, or
/// keep it in silence.
fn takes(conn: &Connection, table: &Table, key: &str, text: &str) -> rusqlite::Result<bool> {
    let parts = key_parts(key, table.primary_key().len()).unwrap_or_default();
    match conn.prepare_cached(text).and_then(|mut statement| statement.execute(rusqlite::params_from_iter(parts))) {
        Ok(changed) => Ok(changed == 1),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation | ErrorCode::Unknown) => Ok(false),
            _ => Err(error),
        },
    }
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
