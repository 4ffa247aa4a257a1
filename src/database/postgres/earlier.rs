//! Rows that earlier runs wrote and that get other values: how they stand, and what they held.

use super::connect::Session;
use super::opened::PostgresTransaction;
use super::place::Tried;
use super::undo::{By, Engine, by_key};
use super::{catalog, sql};
use crate::database::ledger::{Earlier, EarlierLine};
use crate::database::lines::{self, Left};
use crate::database::undo::engine::Listed;
use crate::error::{Error, Result};
use crate::hex;

impl PostgresTransaction {
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
        let live = self.state.schema.table(table).filter(|live| !live.primary_key().is_empty());
        let Some(live) = live else { return Ok(None) };
        let ledger = &self.state.ledger;
        let (is_lined, before) = (ledger.lined.contains(&number), ledger.first_file.unwrap_or(i64::MAX));
        let answer = self.on(|session| {
            let mut engine = Engine::of(session);
            if !is_lined {
                lines::index(&mut engine, number, before)?;
            }
            ask(&mut engine, Listed { number, table: live })
        })?;
        self.state.ledger.lined.insert(number);
        Ok(Some(answer))
    }

    pub(super) fn earlier_lines(&mut self, path: &str) -> Result<Vec<EarlierLine>> {
        let before = self.state.ledger.first_file.unwrap_or(i64::MAX).to_string();
        let text = "SELECT t.name, r.row_key, r.file, r.\"offset\" FROM treelift_files f
             JOIN treelift_rows r ON r.file = f.id JOIN treelift_columns c ON c.id = r.columns
             JOIN treelift_tables t ON t.id = r.\"table\"
             WHERE f.path = $1 AND f.id < $2::int8 AND NOT c.filled ORDER BY r.file, r.number";
        let rows = self.on(|session| session.query(text, &[Some(path), Some(&before)]))?;
        let line = |row: &postgres::Row| EarlierLine {
            table: row.get(0),
            row_key: row.get(1),
            file: row.get(2),
            offset: row.get::<_, i64>(3).unsigned_abs(),
        };
        Ok(rows.iter().map(line).collect())
    }

    pub(super) fn forget_seen(&mut self) -> Result<()> {
        self.on(|session| session.run("DELETE FROM treelift_seen"))
    }

    pub(super) fn put_seen(&mut self, part: u64, bytes: &[u8]) -> Result<()> {
        let (run, part) = (self.run_number()?.to_string(), part.to_string());
        let bytes = format!("\\x{}", hex::encode(bytes));
        let text = "INSERT INTO treelift_seen VALUES ($1::int8, $2::int8, $3::bytea)";
        self.on(|session| session.execute(text, &[Some(&run), Some(&part), Some(&bytes)]).map(drop))
    }

    /// Those of one column at once.
    pub(super) fn keep_earlier(&mut self, earlier: &[Earlier]) -> Result<()> {
        let run = self.run_number()?;
        let alike = earlier.chunk_by(|one, next| {
            one.table == next.table && one.column == next.column && one.sealed.is_some() == next.sealed.is_some()
        });
        for alike in alike {
            let Earlier { table, column, sealed, .. } = &alike[0];
            let of = self.table_number(table)?;
            let live = self.state.schema.table(table);
            let live = live.ok_or_else(|| Error::bug(format!("there is no table `{table}`")))?;
            let value = if sealed.is_some() { "NULL".to_owned() } else { format!("t.{}::text", sql::name(column)) };
            let lists = vec![
                alike.iter().map(|one| Some(one.number.to_string())).collect(),
                alike.iter().map(|one| Some(one.row_key.clone())).collect(),
                alike.iter().map(|one| one.sealed.clone()).collect(),
                vec![Some(column.clone()); alike.len()],
            ];
            let kept = self.on(|session| {
                let types = catalog::cast_types(session, table)?;
                let text = format!(
                    "INSERT INTO treelift_earlier (run, number, \"table\", row_key, column_name, value, sealed)
                     SELECT {run}, k.n::int8, {of}, k.row_key, k.name, {value}, k.sealed
                     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) k(n, row_key, sealed, name)
                     JOIN {} t ON {} RETURNING 1",
                    sql::name(table),
                    by_key(live, &types, "k.row_key", By::Value)
                );
                Ok(session.query_lists(&text, &lists)?.len())
            })?;
            if kept != alike.len() {
                return Err(Error::bug(format!("what `{table}.{column}` held was not kept")));
            }
        }
        Ok(())
    }
}

/// A part of what the last import kept of its source.
pub(super) fn seen(session: &Session, part: u64) -> Tried<Option<Vec<u8>>> {
    if !catalog::has_table(session, "treelift_seen")? {
        return Ok(None);
    }
    let text = "SELECT bytes FROM treelift_seen WHERE run = (SELECT max(run) FROM treelift_seen) AND part = $1::int8";
    Ok(session.first(text, &[Some(&part.to_string())])?.map(|row| row.get(0)))
}
