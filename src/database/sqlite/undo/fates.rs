//! What is to become of an undone run's rows, and doing it: in sets, so that SQLite goes through a table once.

use super::super::location::Tried;
use super::super::{read, sql};
use crate::database::ledger::key_parts;
use crate::error::Result;
use crate::table::Table;
use rusqlite::{Connection, ErrorCode, Statement};

/// What is to become of a row: it is removed, or a list of its columns is emptied.
const FATES: &str = "
    CREATE TEMP TABLE fates (
        \"table\" INTEGER, fate INTEGER, number INTEGER, row INTEGER, row_key TEXT, PRIMARY KEY (\"table\", fate, number)
    ) WITHOUT ROWID";

/// Rows of this fate are removed; any higher one empties columns.
const REMOVE: usize = 0;

/// How many keys are held at once.
const PAGE: usize = 1_000;

/// What is to become of the rows, noted in a temporary table.
pub(super) struct Fates<'f> {
    conn: &'f Connection,
    note: Statement<'f>,
    noted: i64,
    /// The columns that each fate empties.
    emptied: Vec<Vec<String>>,
    /// Whether something of the schema rolls everything back when a row is not to its liking: then only the
    /// row itself tells which it was.
    may_roll_back: bool,
}

impl<'f> Fates<'f> {
    pub(super) fn new(conn: &'f Connection) -> rusqlite::Result<Self> {
        conn.execute_batch(FATES)?;
        let note = conn.prepare("INSERT INTO temp.fates VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let may_roll_back = conn.prepare("SELECT 1 FROM sqlite_schema WHERE sql LIKE '%ROLLBACK%'")?.exists([])?;
        Ok(Self { conn, note, noted: 0, emptied: vec![Vec::new()], may_roll_back })
    }

    /// Notes that a row is to be removed.
    pub(super) fn remove(&mut self, table: i64, row: Option<i64>, key: &str) -> rusqlite::Result<()> {
        self.note(table, REMOVE, row, key)
    }

    /// Notes that these columns of a row are to be emptied.
    pub(super) fn empty(
        &mut self,
        table: i64,
        row: Option<i64>,
        key: &str,
        columns: Vec<String>,
    ) -> rusqlite::Result<()> {
        let known = self.emptied.iter().skip(1).position(|list| *list == columns);
        let fate = known.map_or(self.emptied.len(), |at| at + 1);
        if known.is_none() {
            self.emptied.push(columns);
        }
        self.note(table, fate, row, key)
    }

    fn note(&mut self, table: i64, fate: usize, row: Option<i64>, key: &str) -> rusqlite::Result<()> {
        self.noted += 1;
        self.note.execute((table, fate as i64, self.noted, row, key)).map(drop)
    }

    /// Does what was noted for a table, and tells how many rows are done. Ends at the first row that the
    /// database refuses, and gives its key.
    pub(super) fn carry_out(
        &self,
        number: i64,
        (table, rowid): (&Table, Option<&str>),
        done: &dyn Fn(u64) -> Result<()>,
    ) -> Tried<Option<String>> {
        for fate in 0..self.emptied.len() {
            let rows = self.rows(number, fate)?;
            if rows == 0 {
                continue; // nothing of the table has this fate
            }
            let is_done = match rowid.filter(|_| !self.may_roll_back) {
                Some(rowid) => self.as_a_set((number, fate), (table, rowid), rows)?,
                None => false,
            };
            if is_done {
                done(rows)?;
            } else if let Some(refused) = self.one_by_one((number, fate), table, done)? {
                return Ok(Some(refused));
            }
        }
        Ok(None)
    }

    /// Does it with one statement; `false`, and nothing is done, where one of the rows is refused.
    fn as_a_set(
        &self,
        (number, fate): (i64, usize),
        (table, rowid): (&Table, &str),
        rows: u64,
    ) -> rusqlite::Result<bool> {
        let noted = format!("(SELECT row FROM temp.fates WHERE \"table\" = {number} AND fate = {fate})");
        // SQLite empties a table at a stroke ("The Truncate Optimization").
        let text = if fate == REMOVE && self.are_all(&noted, (table, rowid), rows)? {
            self.statement(fate, table)
        } else {
            format!("{} WHERE {rowid} IN {noted}", self.statement(fate, table))
        };
        self.conn.execute_batch("SAVEPOINT fates")?;
        let done = is_done(self.conn.execute(&text, []), rows as usize)?;
        self.conn.execute_batch(if done { "RELEASE fates" } else { "ROLLBACK TO fates; RELEASE fates" })?;
        Ok(done)
    }

    /// Whether so many noted rows are all that the table has.
    fn are_all(&self, noted: &str, (table, rowid): (&Table, &str), rows: u64) -> rusqlite::Result<bool> {
        let name = sql::name(&table.name);
        let others = format!("SELECT 1 FROM {name} WHERE {rowid} NOT IN {noted}");
        Ok(read::count(self.conn, &table.name)? == rows && !self.conn.prepare(&others)?.exists([])?)
    }

    /// Does it row by row, in the order of their keys: so the one that is refused has a name.
    fn one_by_one(
        &self,
        (number, fate): (i64, usize),
        table: &Table,
        done: &dyn Fn(u64) -> Result<()>,
    ) -> Tried<Option<String>> {
        let key = table.primary_key();
        let text = format!("{} WHERE {}", self.statement(fate, table), sql::is(&key, 1));
        let mut take = self.conn.prepare(&text)?;
        let mut last = 0;
        loop {
            let page = self.page((number, fate), last)?;
            for (number, row_key) in &page {
                let parts = key_parts(row_key, key.len()).unwrap_or_default();
                if !is_done(take.execute(rusqlite::params_from_iter(parts)), 1)? {
                    return Ok(Some(row_key.clone()));
                }
                last = *number;
            }
            done(page.len() as u64)?;
            if page.len() < PAGE {
                return Ok(None);
            }
        }
    }

    fn page(&self, (table, fate): (i64, usize), last: i64) -> rusqlite::Result<Vec<(i64, String)>> {
        let text = format!(
            "SELECT number, row_key FROM temp.fates WHERE \"table\" = ?1 AND fate = ?2 AND number > ?3
             ORDER BY number LIMIT {PAGE}"
        );
        sql::all(self.conn, &text, (table, fate as i64, last))
    }

    fn rows(&self, number: i64, fate: usize) -> rusqlite::Result<u64> {
        let text = "SELECT count(*) FROM temp.fates WHERE \"table\" = ?1 AND fate = ?2";
        self.conn.query_row(text, (number, fate as i64), |row| row.get(0))
    }

    /// The statement up to its condition.
    fn statement(&self, fate: usize, table: &Table) -> String {
        let name = sql::name(&table.name);
        if fate == REMOVE {
            return format!("DELETE FROM {name}");
        }
        let nulls: Vec<String> = self.emptied[fate].iter().map(|one| format!("{} = NULL", sql::name(one))).collect();
        format!("UPDATE {name} SET {}", nulls.join(", "))
    }
}

/// Whether a statement changed so many rows: a constraint or a trigger of the set may say no, or keep one
/// in silence.
fn is_done(changed: rusqlite::Result<usize>, rows: usize) -> rusqlite::Result<bool> {
    match changed {
        Ok(changed) => Ok(changed == rows),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation | ErrorCode::Unknown) => Ok(false),
            _ => Err(error),
        },
    }
}
