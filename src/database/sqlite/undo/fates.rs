//! What is to become of an undone run's rows, and doing it: in sets and in the order of the rows, so that SQLite
//! goes through a table once.

use super::super::location::Tried;
use super::super::unchanged::{Ledger, bound, by_key};
use super::super::{checks, read, sql};
use super::meant;
use crate::database::ledger::key_parts;
use crate::error::Result;
use crate::table::{ColumnType, Table};
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, Statement};
use std::collections::HashMap;

/// Rows of the ledger that are not to be removed: of which nothing is left to be done, or a list of whose columns is
/// emptied.
const APART: &str = "
    CREATE TEMP TABLE treelift_apart (
        \"table\" INTEGER, row_key TEXT, fate INTEGER, PRIMARY KEY (\"table\", row_key)
    ) WITHOUT ROWID";

/// Rows of this fate are removed; any higher one empties columns.
const REMOVE: usize = 0;

/// Every so many rows progress is told.
const PAGE: u64 = 1_000;

/// What is to become of the rows, noted in temporary tables: one for each table, with the rows of the ledger in the
/// order in which they lie there, and one for those that are not removed.
pub(super) struct Fates<'f> {
    conn: &'f Connection,
    note: Statement<'f>,
    /// How many rows of a table are removed.
    removed: HashMap<i64, u64>,
    /// The columns that each fate empties.
    emptied: Vec<Vec<String>>,
    /// Whether something of the schema rolls everything back when a row is not to its liking: then only the
    /// row itself tells which it was.
    may_roll_back: bool,
}

/// Where the run's rows of a table are listed.
pub(super) struct Listed {
    name: String,
    from: String,
    joined: String,
}

impl Listed {
    /// The same for the one who judges them.
    pub(super) fn ledger(&self) -> Ledger<'_> {
        Ledger { from: &self.from, joined: &self.joined, order: "s.rowid" }
    }
}

impl<'f> Fates<'f> {
    pub(super) fn new(conn: &'f Connection) -> rusqlite::Result<Self> {
        conn.execute_batch(APART)?;
        let note = conn.prepare("INSERT INTO temp.treelift_apart VALUES (?1, ?2, ?3)")?;
        let may_roll_back = may_roll_back(conn)?;
        Ok(Self { conn, note, removed: HashMap::new(), emptied: vec![Vec::new()], may_roll_back })
    }

    /// Finds the rows of a table that the run wrote, and lists them.
    pub(super) fn list(&self, number: i64, (table, rowid): (&Table, Option<&str>)) -> rusqlite::Result<Listed> {
        let (listed, key) = (listed(number), by_key(table, "k.row_key"));
        let (row, found) = match rowid {
            Some(rowid) => (format!("t.{rowid}"), format!("LEFT JOIN main.{} t ON {key}", sql::name(&table.name))),
            None => ("NULL".to_owned(), String::new()),
        };
        self.conn.execute_batch(&format!(
            "CREATE TEMP TABLE {listed} (row INTEGER, row_key TEXT, live_key TEXT, columns INTEGER, digest BLOB, own BLOB);
             INSERT INTO temp.{listed} SELECT {row}, k.row_key, k.row_key, k.columns, k.digest, k.own
                 FROM temp.treelift_taken k {found} WHERE k.\"table\" = {number} ORDER BY 1, k.row_key, k.number"
        ))?;
        meant::find(self.conn, &listed, (table, rowid))?;
        let joined = rowid.map_or_else(|| by_key(table, "s.live_key"), |rowid| format!("t.{rowid} = s.row"));
        Ok(Listed { name: listed.clone(), from: format!("temp.{listed} s"), joined })
    }

    /// How many rows of a table no run is known to have written, where so many are of this one.
    pub(super) fn unknown(&self, number: i64, table: &Table, (listed, own): (&Listed, u64)) -> rusqlite::Result<u64> {
        let text = format!(
            "SELECT count(*) FROM (
                 SELECT DISTINCT r.row_key FROM treelift_rows r
                 WHERE r.\"table\" = {number} AND r.row_key NOT IN (SELECT row_key FROM temp.{})
             ) k JOIN main.{} t ON {}",
            listed.name,
            sql::name(&table.name),
            by_key(table, "k.row_key")
        );
        let others: u64 = self.conn.query_row(&text, [], |row| row.get(0))?;
        Ok(read::count(self.conn, &table.name)?.saturating_sub(others.saturating_add(own)))
    }

    /// Notes that a row is to be removed, as all that are listed are.
    pub(super) fn remove(&mut self, table: i64) {
        *self.removed.entry(table).or_default() += 1;
    }

    /// Notes that nothing is to be done about a row.
    pub(super) fn leave(&mut self, table: i64, key: &str) -> rusqlite::Result<()> {
        self.note.execute((table, key, None::<i64>)).map(drop)
    }

    /// Notes that these columns of a row are to be emptied.
    pub(super) fn empty(&mut self, table: i64, key: &str, columns: Vec<String>) -> rusqlite::Result<()> {
        let known = self.emptied.iter().skip(1).position(|list| *list == columns);
        let fate = known.map_or(self.emptied.len(), |at| at + 1);
        if known.is_none() {
            self.emptied.push(columns);
        }
        self.note.execute((table, key, fate as i64)).map(drop)
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
            } else if let Some(refused) = self.one_by_one((number, fate), (table, rowid), done)? {
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
        let noted = format!("(SELECT row FROM {})", self.noted(number, fate));
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
        (table, rowid): (&Table, Option<&str>),
        done: &dyn Fn(u64) -> Result<()>,
    ) -> Tried<Option<String>> {
        let key = table.primary_key();
        let kinds: Vec<ColumnType> = key.iter().filter_map(|column| Some(table.column(column)?.kind)).collect();
        let is_it = rowid.map_or_else(|| sql::is(&key, 1), |rowid| format!("{rowid} = ?1"));
        let mut take = self.conn.prepare(&format!("{} WHERE {is_it}", self.statement(fate, table)))?;
        let keys = format!("SELECT DISTINCT row_key, live_key, row FROM {} ORDER BY row_key", self.noted(number, fate));
        let mut keys = self.conn.prepare(&keys)?;
        let (mut keys, mut rows) = (keys.query([])?, 0);
        while let Some(next) = keys.next()? {
            let (row_key, live_key, row): (String, String, Option<i64>) = next.try_into()?;
            let parts = key_parts(&live_key, key.len()).unwrap_or_default().into_iter().zip(&kinds);
            let bound = match row {
                Some(row) => vec![Value::Integer(row)],
                None => parts.map(|(part, kind)| bound(part, *kind)).collect(),
            };
            if !is_done(take.execute(rusqlite::params_from_iter(bound)), 1)? {
                return Ok(Some(row_key));
            }
            rows += 1;
            if rows % PAGE == 0 {
                done(PAGE)?;
            }
        }
        done(rows % PAGE)?;
        Ok(None)
    }

    /// The rows of a fate: what stands behind FROM.
    fn noted(&self, number: i64, fate: usize) -> String {
        let (apart, listed) = (format!("FROM temp.treelift_apart WHERE \"table\" = {number}"), listed(number));
        if fate > REMOVE {
            format!("temp.{listed} WHERE row_key IN (SELECT row_key {apart} AND fate = {fate})")
        } else {
            format!("temp.{listed} WHERE row_key NOT IN (SELECT row_key {apart})")
        }
    }

    fn rows(&self, number: i64, fate: usize) -> rusqlite::Result<u64> {
        if fate == REMOVE {
            return Ok(self.removed.get(&number).copied().unwrap_or(0));
        }
        let text = format!("SELECT count(DISTINCT row_key) FROM {}", self.noted(number, fate));
        self.conn.query_row(&text, [], |row| row.get(0))
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

/// The temporary table in which the run's rows of a table are listed.
fn listed(number: i64) -> String {
    format!("treelift_taken_{number}")
}

/// Whether the schema has the keyword, in a trigger or behind ON CONFLICT. A name that holds the word is none.
fn may_roll_back(conn: &Connection) -> rusqlite::Result<bool> {
    let texts: Vec<String> = sql::column(conn, "SELECT sql FROM sqlite_schema WHERE sql LIKE '%ROLLBACK%'", [])?;
    Ok(texts.iter().any(|text| checks::has_word(text, |word| word == "rollback")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_rolls_back_where_it_has_the_keyword_and_not_where_a_name_or_a_text_has_it() {
        let trigger =
            |does: &str| format!("CREATE TABLE a (n INT); CREATE TRIGGER b AFTER DELETE ON a BEGIN {does}; END");
        let cases = [
            ("CREATE TABLE a (rollback_at TEXT, \"rollback\" INT DEFAULT 'ROLLBACK' /* ROLLBACK */)".to_owned(), false),
            (trigger("INSERT INTO a SELECT 1 WHERE old.n = 'rollback'"), false),
            (trigger("SELECT RAISE (ROLLBACK, 'no')"), true),
            (trigger("INSERT OR rollback INTO a VALUES (1)"), true),
            ("CREATE TABLE a (n INT UNIQUE ON CONFLICT ROLLBACK)".to_owned(), true),
        ];
        for (sql, expected) in cases {
            let conn = Connection::open_in_memory().unwrap();
            conn.execute_batch(&sql).unwrap();
            assert_eq!(may_roll_back(&conn).unwrap(), expected, "{sql}");
        }
    }
}
