//! Rows of tables without a primary key: nothing names them. What the ledger says of them is compared with what the
//! table holds, row by row, so that of rows that are alike as many are known as there are.

use super::location::Tried;
use super::session::{Said, SqliteTransaction, Unnamed};
use super::unchanged;
use super::{form, read, sql};
use crate::database::ledger::{RowRecord, Written, digest};
use crate::error::Result;
use crate::table::{ColumnType, Table};
use rusqlite::{Connection, Row};
use std::collections::{BTreeMap, HashMap, HashSet};

impl SqliteTransaction {
    /// Those of the ledger's rows for which the table has one that says the same, with its rowid for a key.
    pub(super) fn standing_alike(&self, table: &Table, rows: Vec<RowRecord>) -> Result<Vec<RowRecord>> {
        let mut unnamed = self.unnamed.borrow_mut();
        if !unnamed.contains_key(&table.name) {
            unnamed.insert(table.name.clone(), self.said(self.unnamed_of(table))?);
        }
        let (known, mut taken) = (&unnamed[&table.name], HashMap::<Said, usize>::new());
        let standing = rows.into_iter().filter_map(|row| {
            let said = (row.file, row.digest, row.columns);
            let next = taken.entry(said).or_default();
            let rowid = known.get(&said)?.get(*next)?;
            *next += 1;
            Some(RowRecord { row_key: rowid.to_string(), ..row })
        });
        Ok(standing.collect())
    }

    /// Finds for each row that an earlier run wrote one that the table had before this run, each for one.
    fn unnamed_of(&self, table: &Table) -> Tried<Unnamed> {
        let (conn, mut unnamed, mut taken) = (&self.conn, Unnamed::new(), HashSet::new());
        let (Some(number), Some(rowid)) = (self.ledger.tables.get(&table.name), read::rowid(conn, &table.name)?) else {
            return Ok(unnamed);
        };
        let lists: BTreeMap<i64, Written> =
            unchanged::columns(conn, (*number, &table.name), &self.location)?.into_iter().collect();
        for (columns, written) in lists.iter().filter(|(_, written)| !written.filled) {
            let mut rows = self.rows_by_digest(conn, (table, rowid), written)?;
            let before = self.ledger.first_file.unwrap_or(i64::MAX);
            let mut all = conn.prepare_cached(
                "SELECT file, digest FROM treelift_rows WHERE \"table\" = ?1 AND columns = ?2 AND file < ?3
                 ORDER BY file, number",
            )?;
            let mut all = all.query((number, columns, before))?;
            while let Some(row) = all.next()? {
                let said: [u8; 16] = row.get::<_, Option<_>>(1)?.unwrap_or_default();
                let alike = rows.get_mut(&said).into_iter().flat_map(|rows| std::iter::from_fn(|| rows.pop()));
                if let Some(rowid) = alike.into_iter().find(|rowid| taken.insert(*rowid)) {
                    unnamed.entry((row.get(0)?, said, *columns)).or_default().push(rowid);
                }
            }
        }
        Ok(unnamed)
    }

    /// The rowids of the rows that the table had before the run, the last first, by the digest of these columns; none
    /// where one of them is gone.
    fn rows_by_digest(
        &self,
        conn: &Connection,
        (table, rowid): (&Table, &str),
        written: &Written,
    ) -> Tried<HashMap<[u8; 16], Vec<i64>>> {
        let (names, mut rows) = (&written.digested, HashMap::<_, Vec<i64>>::new());
        if names.iter().any(|name| table.column(name).is_none()) {
            return Ok(rows);
        }
        // What the run has inserted since stands behind.
        let before = self.rows_before(&table.name);
        let kinds: Vec<ColumnType> = names.iter().map(|name| self.schema.kind(&table.name, name)).collect();
        let wanted: Vec<String> = names.iter().map(|name| sql::name(name)).chain([rowid.to_owned()]).collect();
        let text = format!(
            "SELECT * FROM (SELECT {} FROM {} ORDER BY {rowid} LIMIT {before}) ORDER BY {} DESC",
            wanted.join(", "),
            sql::name(&table.name),
            wanted.len()
        );
        let mut all = conn.prepare(&text)?;
        let mut all = all.query([])?;
        while let Some(row) = all.next()? {
            let texts = kinds
                .iter()
                .enumerate()
                .map(|(at, kind)| text_of(row, at, *kind))
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let digest = digest(names.iter().map(String::as_str).zip(texts));
            rows.entry(digest).or_default().push(row.get(names.len())?);
        }
        Ok(rows)
    }
}

/// The text of a cell, as the ledger's digests have it.
fn text_of(row: &Row<'_>, at: usize, kind: ColumnType) -> rusqlite::Result<Option<String>> {
    Ok(form::text_of(&read::cell(row.get_ref(at)?), kind))
}
