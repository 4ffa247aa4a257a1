//! Takes a run back: removes the rows it inserted and empties the columns it filled, if they are as
//! it left them.
//!
//! First everything is judged, and what is to be done noted in a temporary table; then it is done,
//! and looked at again. Foreign keys are off, so nothing cascades; references are compared before and
//! after.

use super::open::{self, Location, Start};
use super::survey::Looking;
use super::unchanged::{Fate, Judge};
use super::{audit, catalog, ledger, ledger_tables, read, sql};
use crate::error::Result;
use crate::table::Table;
use crate::target::Mode;
use crate::target::audit::AuditEntry;
use crate::target::ledger::{RunRecord, Written};
use crate::target::undo::{Obstacle, Taken, Undo, Undone, choose};
use crate::target::upkeep::Look as _;
use rusqlite::{Connection, ErrorCode};
use std::collections::{BTreeMap, HashMap};

/// What the run wrote, and whether it is to be removed (1) or emptied (2).
const TAKEN: &str = "
    CREATE TEMP TABLE taken (
        number INTEGER PRIMARY KEY, \"table\" INTEGER, row_key TEXT, columns INTEGER, digest BLOB, fate INTEGER
    );
    INSERT INTO temp.taken SELECT number, \"table\", row_key, columns, digest, NULL FROM treelift_rows
        WHERE file IN (SELECT id FROM temp.files_taken);
    CREATE INDEX temp.taken_key ON taken (\"table\", row_key)";

/// So many keys are held at once.
const PAGE: usize = 1_000;

/// Carries an order out.
pub(super) fn undo(location: &Location, order: &Undo<'_>) -> Result<Undone> {
    let (store, conn) = open::begin(location, &Start { mode: order.mode, run_id: order.run_id, bytes: 0 })?;
    let undone = Work { conn: &conn, location, order }.all()?;
    if order.mode == Mode::Dry || !undone.obstacles.is_empty() || undone.rows() == 0 {
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

/// What must not grow less or more than the run's own rows explain.
struct Tally {
    /// Rows by table.
    rows: BTreeMap<String, u64>,
    /// Rows that refer to nothing, by table and parent.
    astray: BTreeMap<(String, String), u64>,
}

impl Work<'_> {
    fn on<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(self.conn).map_err(|error| self.location.fault(&error))
    }

    fn all(&self) -> Result<Undone> {
        ledger_tables::set_up(self.conn, self.location)?;
        let runs = self.on(ledger::runs)?;
        let run = choose(&runs, self.order.run)?;
        self.on(|conn| gather(conn, run))?;
        let before = self.tally()?;
        let mut undone = Undone { tables: Vec::new(), obstacles: self.on(|conn| later(conn, run))? };
        let tables = self.on(tables)?;
        for (number, name) in &tables {
            let (taken, obstacle) = self.judge(*number, name, run)?;
            undone.tables.push(taken);
            undone.obstacles.extend(obstacle);
        }
        for (number, name) in &tables {
            undone.obstacles.extend(self.take(*number, name)?);
        }
        let after = self.tally()?;
        undone.obstacles.extend(lost(&before, &after, &undone.tables));
        if undone.obstacles.is_empty() && undone.rows() > 0 {
            self.record(run, &undone)?;
        }
        Ok(undone)
    }

    /// The live table, if it is there.
    fn live(&self, name: &str) -> Result<Option<Table>> {
        catalog::table(self.conn, name, catalog::Unknown::Blob, &|error| self.location.fault(error))
    }

    /// Judges the run's rows of one table, and notes what is to become of them.
    fn judge(&self, number: i64, name: &str, run: &RunRecord) -> Result<(Taken, Option<Obstacle>)> {
        let mut taken = Taken { name: name.to_owned(), ..Taken::default() };
        let rows = self.on(|conn| written(conn, number))?;
        let Some(live) = self.live(name)? else {
            taken.gone = rows;
            return Ok((taken, None));
        };
        if live.primary_key().is_empty() {
            return Ok((taken, Some(Obstacle::Nameless { table: name.to_owned(), rows })));
        }
        let columns = self.on(|conn| columns(conn, number, name))?;
        let judge = Judge::new(&live, &columns, run);
        let (mut changed, mut named) = (0, Vec::new());
        self.each_key(number, None, &mut |key| {
            match self.on(|conn| note(conn, number, key, &judge))? {
                Fate::Gone => taken.gone += 1,
                Fate::Remove => taken.removed += 1,
                Fate::Empty => taken.emptied += 1,
                Fate::Changed => {
                    changed += 1;
                    if named.len() < Obstacle::KEYS {
                        named.push(key.to_owned());
                    }
                }
            }
            Ok(())
        })?;
        let obstacle = Obstacle::Changed { table: name.to_owned(), rows: changed, keys: named };
        Ok((taken, (changed > 0).then_some(obstacle)))
    }

    /// Hands over the keys of a table's rows, or of those with a fate, page by page.
    fn each_key(&self, number: i64, fate: Option<i64>, take: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let mut last = None;
        loop {
            let page = self.on(|conn| keys(conn, number, fate, last.as_deref()))?;
            page.iter().try_for_each(|key| take(key))?;
            (self.order.told)(page.len() as u64)?;
            match page.len() < PAGE {
                true => return Ok(()),
                false => last = page.into_iter().next_back(),
            }
        }
    }

    /// Does what was noted.
    fn take(&self, number: i64, name: &str) -> Result<Option<Obstacle>> {
        let Some(live) = self.live(name)? else { return Ok(None) };
        let mut forbidden = 0;
        let delete = format!("DELETE FROM {} WHERE {}", sql::name(name), sql::equal(&live.primary_key(), 1));
        self.each_key(number, Some(REMOVE), &mut |key| {
            forbidden += self.on(|conn| allowed(execute(conn, &live, key, &delete)))?;
            Ok(())
        })?;
        self.each_key(number, Some(EMPTY), &mut |key| {
            let filled = self.on(|conn| filled(conn, number, key))?;
            let nulls: Vec<String> = filled.iter().map(|column| format!("{} = NULL", sql::name(column))).collect();
            let key_is = sql::equal(&live.primary_key(), 1);
            let update = format!("UPDATE {} SET {} WHERE {key_is}", sql::name(name), nulls.join(", "));
            forbidden += self.on(|conn| allowed(execute(conn, &live, key, &update)))?;
            Ok(())
        })?;
        Ok((forbidden > 0).then(|| Obstacle::Forbidden { table: name.to_owned(), rows: forbidden }))
    }

    fn tally(&self) -> Result<Tally> {
        let mut look = Looking { conn: self.conn, location: self.location };
        let rows = self.on(|conn| {
            let names = catalog::table_names(conn)?.into_iter().filter(|name| !catalog::is_reserved(name));
            names.map(|name| read::count(conn, &name).map(|rows| (name, rows))).collect()
        })?;
        let mut astray: BTreeMap<_, u64> =
            look.orphans()?.into_iter().map(|broken| ((broken.table, broken.parent), broken.rows)).collect();
        for reference in self.order.references {
            let rows = look.dangling(reference)?;
            *astray.entry((reference.table.clone(), reference.parent.clone())).or_default() += rows;
        }
        Ok(Tally { rows, astray })
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
        let entry = AuditEntry::new("undo", "database", "an import was taken back", self.order.started)?
            .of(&run.id)
            .with(details);
        self.on(|conn| audit::write(conn, &entry, self.order.audit))
    }
}

const REMOVE: i64 = 1;
const EMPTY: i64 = 2;

/// Gathers what the run wrote in temporary tables.
fn gather(conn: &Connection, run: &RunRecord) -> rusqlite::Result<()> {
    conn.execute_batch("CREATE TEMP TABLE files_taken (id INTEGER PRIMARY KEY)")?;
    conn.execute(
        "INSERT INTO temp.files_taken SELECT f.id FROM treelift_files f JOIN treelift_runs u ON u.number = f.run
         WHERE u.id = ?1",
        [&run.id],
    )?;
    conn.execute_batch(TAKEN)
}

/// Later runs that wrote into rows of this one.
fn later(conn: &Connection, run: &RunRecord) -> rusqlite::Result<Vec<Obstacle>> {
    conn.prepare(
        "SELECT u.id, count(DISTINCT r.\"table\" || ' ' || r.row_key) FROM treelift_runs u
         JOIN treelift_files f ON f.run = u.number JOIN treelift_rows r ON r.file = f.id
         WHERE u.number > (SELECT number FROM treelift_runs WHERE id = ?1)
           AND EXISTS (SELECT 1 FROM temp.taken t WHERE t.\"table\" = r.\"table\" AND t.row_key = r.row_key)
         GROUP BY u.number ORDER BY u.number",
    )?
    .query_map([&run.id], |row| Ok(Obstacle::Later { run: row.get(0)?, rows: row.get::<_, i64>(1)?.unsigned_abs() }))?
    .collect()
}

/// The tables that the run wrote into: the ledger's number and the name of each.
fn tables(conn: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    conn.prepare("SELECT id, name FROM treelift_tables WHERE id IN (SELECT \"table\" FROM temp.taken) ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// How many rows of a table the run wrote.
fn written(conn: &Connection, table: i64) -> rusqlite::Result<u64> {
    let text = "SELECT count(DISTINCT row_key) FROM temp.taken WHERE \"table\" = ?1";
    conn.query_row(text, [table], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

/// The lists of columns in which runs wrote rows of a table.
fn columns(conn: &Connection, number: i64, table: &str) -> rusqlite::Result<HashMap<i64, Written>> {
    let list = |text: String| serde_json::from_str(&text).unwrap_or_default();
    conn.prepare("SELECT id, digested, others, filled FROM treelift_columns WHERE \"table\" = ?1")?
        .query_map([number], |row| {
            let (digested, others) = (list(row.get(1)?), list(row.get(2)?));
            Ok((row.get(0)?, Written { table: table.to_owned(), digested, others, filled: row.get(3)? }))
        })?
        .collect()
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

/// Judges a row and notes what is to become of it.
fn note(conn: &Connection, table: i64, key: &str, judge: &Judge<'_>) -> rusqlite::Result<Fate> {
    let noted: Vec<(i64, Option<Vec<u8>>)> = conn
        .prepare_cached("SELECT columns, digest FROM temp.taken WHERE \"table\" = ?1 AND row_key = ?2 ORDER BY number")?
        .query_map((table, key), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let fate = judge.row(conn, key, &noted)?;
    let number = match fate {
        Fate::Remove => REMOVE,
        Fate::Empty => EMPTY,
        Fate::Gone | Fate::Changed => return Ok(fate),
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

fn execute(conn: &Connection, table: &Table, key: &str, text: &str) -> rusqlite::Result<usize> {
    let parts = read::split_key(table, key).unwrap_or_default();
    conn.prepare_cached(text)?.execute(rusqlite::params_from_iter(parts))
}

/// How many rows were refused: by a constraint, or by a trigger that says no.
fn allowed(done: rusqlite::Result<usize>) -> rusqlite::Result<u64> {
    match done {
        Ok(_) => Ok(0),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(1),
        Err(error) => Err(error),
    }
}

/// What would be lost besides the run's own rows.
fn lost(before: &Tally, after: &Tally, tables: &[Taken]) -> Vec<Obstacle> {
    let removed = |name: &str| tables.iter().find(|table| table.name == name).map_or(0, |table| table.removed);
    let further = before.rows.iter().filter_map(|(table, was)| {
        let stays = was.saturating_sub(removed(table));
        let rows = stays.saturating_sub(after.rows.get(table).copied().unwrap_or(0));
        (rows > 0).then(|| Obstacle::Further { table: table.clone(), rows })
    });
    let astray = after.astray.iter().filter_map(|(reference, rows)| {
        let (table, parent) = reference.clone();
        let rows = rows.saturating_sub(before.astray.get(reference).copied().unwrap_or(0));
        (rows > 0).then_some(Obstacle::Referred { table, parent, rows })
    });
    further.chain(astray).collect()
}
