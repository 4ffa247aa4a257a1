//! Rows that earlier runs wrote and that get other values: how they stand, and what they held.

use super::location::Tried;
use super::session::SqliteTransaction;
use super::unchanged::by_key;
use super::undo::Engine;
use super::{catalog, sql};
use crate::database::ledger::{Earlier, EarlierLine};
use crate::database::lines::{self, Left};
use crate::database::undo::engine::Listed;
use crate::error::{Error, Result};
use rusqlite::{Connection, OptionalExtension};

impl SqliteTransaction {
    pub(super) fn left_of(&mut self, table: &str, keys: &[String]) -> Result<Vec<Left>> {
        let found = self.of_lines(table, |engine, listed| lines::left(engine, listed, keys))?;
        Ok(found.unwrap_or_else(|| vec![Left::Foreign; keys.len()]))
    }

    pub(super) fn last_files(&mut self, table: &str, keys: &[String]) -> Result<Vec<Option<i64>>> {
        let found = self.of_lines(table, |engine, listed| lines::last_files(engine, listed, keys))?;
        Ok(found.unwrap_or_else(|| vec![None; keys.len()]))
    }

    /// Asks something about the lines of a table; none where it has no key.
    fn of_lines<T>(
        &mut self,
        table: &str,
        ask: impl FnOnce(&mut Engine<'_>, Listed<'_>) -> Tried<T>,
    ) -> Result<Option<T>> {
        let number = self.table_number(table)?;
        let live = self.schema.table(table).filter(|live| !live.primary_key().is_empty());
        let Some(live) = live else { return Ok(None) };
        let (is_lined, before) = (self.ledger.lined.contains(&number), self.ledger.first_file.unwrap_or(i64::MAX));
        let mut engine = Engine { conn: &self.conn, location: &self.location };
        if !is_lined {
            self.said(lines::index(&mut engine, number, before))?;
        }
        let answer = self.said(ask(&mut engine, Listed { number, table: live }))?;
        self.ledger.lined.insert(number);
        Ok(Some(answer))
    }

    pub(super) fn earlier_lines(&mut self, path: &str) -> Result<Vec<EarlierLine>> {
        let before = self.ledger.first_file.unwrap_or(i64::MAX);
        let text = "SELECT t.name, r.row_key, r.file, r.\"offset\" FROM treelift_files f
             JOIN treelift_rows r ON r.file = f.id JOIN treelift_columns c ON c.id = r.columns
             JOIN treelift_tables t ON t.id = r.\"table\"
             WHERE f.path = ?1 AND f.id < ?2 AND NOT c.filled ORDER BY r.file, r.number";
        let lines: Vec<(String, String, i64, u64)> = self.on(|conn| sql::all(conn, text, (path, before)))?;
        let line = |(table, row_key, file, offset)| EarlierLine { table, row_key, file, offset };
        Ok(lines.into_iter().map(line).collect())
    }

    pub(super) fn forget_seen(&mut self) -> Result<()> {
        self.on(|conn| conn.execute("DELETE FROM treelift_seen", []).map(drop))
    }

    pub(super) fn put_seen(&mut self, part: u64, bytes: &[u8]) -> Result<()> {
        let run = self.run_number()?;
        self.on(|conn| {
            conn.prepare_cached("INSERT INTO treelift_seen VALUES (?1, ?2, ?3)")?.execute((run, part, bytes)).map(drop)
        })
    }

    pub(super) fn keep_earlier(&mut self, earlier: &[Earlier]) -> Result<()> {
        let run = self.run_number()?;
        for Earlier { number, table, row_key, column, sealed } in earlier {
            let of = self.table_number(table)?;
            let live = self.schema.table(table).ok_or_else(|| Error::bug(format!("there is no table `{table}`")))?;
            let value = if sealed.is_some() { "NULL".to_owned() } else { format!("t.{}", sql::name(column)) };
            let text = format!(
                "INSERT INTO treelift_earlier (run, number, \"table\", row_key, column_name, value, sealed)
                 SELECT ?1, ?2, ?3, ?4, ?5, {value}, ?6 FROM main.{} t WHERE {}",
                sql::name(table),
                by_key(live, "?4")
            );
            let kept =
                self.on(|conn| conn.prepare_cached(&text)?.execute((run, number, of, row_key, column, sealed)))?;
            if kept != 1 {
                return Err(Error::bug(format!("what `{table}.{column}` held was not kept")));
            }
        }
        Ok(())
    }
}

/// A part of what the last import kept of its source.
pub(super) fn seen(conn: &Connection, part: u64) -> rusqlite::Result<Option<Vec<u8>>> {
    if !catalog::has_table(conn, "treelift_seen")? {
        return Ok(None);
    }
    let text = "SELECT bytes FROM treelift_seen WHERE run = (SELECT max(run) FROM treelift_seen) AND part = ?1";
    conn.prepare_cached(text)?.query_row([part], |row| row.get(0)).optional()
}
