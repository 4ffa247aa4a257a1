//! Keys that no index leads to, or only with many others: one pass over the table remembers where each row
//! stands.
//!
//! Rows of a second import are looked for by the chunk; a pass for each of them would take the square
//! of the table's size.

use super::form::Form;
use super::read::{cells, digest_of_cells, digest_of_forms};
use super::{read, sql};
use crate::database::Cell;
use crate::table::ColumnType;
use rusqlite::{Connection, OptionalExtension};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// A row's cells, where there is such a row.
type Found = Option<Vec<Cell>>;

/// The passes that were made, by table and key columns.
#[derive(Default)]
pub(super) struct Passes {
    passes: Vec<Pass>,
}

struct Pass {
    table: String,
    key_columns: Vec<String>,
    rowid: &'static str,
    /// The rowid by a digest of the key, since the keys themselves may be long.
    rows: HashMap<[u8; 16], i64>,
    /// The keys that several rows have.
    repeated: HashSet<[u8; 16]>,
}

impl Passes {
    /// The `wanted` cells of the rows with these keys; `None` for a table without rowids. Its rows are gone
    /// through by the index, where one is given.
    pub(super) fn find(
        &mut self,
        conn: &Connection,
        (table, index): (&str, Option<&str>),
        (key_columns, kinds): (&[&str], &[ColumnType]),
        wanted: &[&str],
        keys: &[Option<Vec<Form<'_>>>],
    ) -> rusqlite::Result<Option<Vec<Found>>> {
        let Some(pass) = self.over(conn, (table, index), (key_columns, kinds))? else { return Ok(None) };
        let text = format!("SELECT {} FROM {} WHERE {} = ?1", sql::names(wanted), sql::name(table), pass.rowid);
        let mut statement = conn.prepare_cached(&text)?;
        let mut find = |key: &Option<Vec<Form<'_>>>| {
            let row = key.as_ref().and_then(|key| pass.rows.get(&digest_of_forms(key)));
            row.map_or(Ok(None), |row| statement.query_row([row], |row| cells(row, 0..wanted.len())).optional())
        };
        keys.iter().map(&mut find).collect::<rusqlite::Result<_>>().map(Some)
    }

    /// The rowid, by its name, of the one row with a key; `None` where there is none, or several.
    pub(super) fn only(
        &mut self,
        conn: &Connection,
        of: (&str, Option<&str>),
        by: (&[&str], &[ColumnType]),
        key: &[Form<'_>],
    ) -> rusqlite::Result<Option<(&'static str, i64)>> {
        let Some(pass) = self.over(conn, of, by)? else { return Ok(None) };
        let key = digest_of_forms(key);
        Ok(pass.rows.get(&key).filter(|_| !pass.repeated.contains(&key)).map(|row| (pass.rowid, *row)))
    }

    /// The pass over a table by these columns, made where it is not known.
    fn over(
        &mut self,
        conn: &Connection,
        (table, index): (&str, Option<&str>),
        (key_columns, kinds): (&[&str], &[ColumnType]),
    ) -> rusqlite::Result<Option<&Pass>> {
        let known = self.passes.iter().position(|pass| pass.table == table && pass.key_columns == key_columns);
        if let Some(at) = known {
            return Ok(self.passes.get(at));
        }
        let Some(rowid) = read::rowid(conn, table)? else { return Ok(None) };
        let names = key_columns.iter().map(|&name| name.to_owned()).collect();
        let (rows, repeated) = Default::default();
        let mut pass = Pass { table: table.to_owned(), key_columns: names, rowid, rows, repeated };
        // Of rows with the same key the first is found, as a search of the index would find it.
        let by = index.map_or(String::new(), |index| format!(" INDEXED BY {}", sql::name(index)));
        let text = format!("SELECT {}, {rowid} FROM {}{by}", sql::names(key_columns), sql::name(table));
        let mut statement = conn.prepare_cached(&text)?;
        let mut all = statement.query([])?;
        while let Some(row) = all.next()? {
            let key = cells(row, 0..key_columns.len())?;
            pass.add(digest_of_cells(&key, kinds), row.get(key_columns.len())?);
        }
        self.passes.push(pass);
        Ok(self.passes.last())
    }

    /// Whether none was made yet.
    pub(super) fn is_empty(&self) -> bool {
        self.passes.is_empty()
    }

    /// Takes in a row that was inserted.
    pub(super) fn inserted(&mut self, table: &str, columns: &[String], forms: &[Form<'_>], rowid: i64) {
        self.passes.retain_mut(|pass| {
            if pass.table != table {
                return true;
            }
            let part = |name: &String| columns.iter().position(|column| column == name).map(|at| &forms[at]);
            // A column that the database fills is not known here: the next question makes a new pass.
            let Some(key) = pass.key_columns.iter().map(part).collect::<Option<Vec<_>>>() else { return false };
            pass.add(digest_of_forms(key), rowid);
            true
        });
    }

    /// Forgets what is known of a table by these columns, which change in some row.
    pub(super) fn forget(&mut self, table: &str, columns: &[String]) {
        self.passes.retain(|pass| pass.table != table || !pass.key_columns.iter().any(|name| columns.contains(name)));
    }
}

impl Pass {
    /// Of rows with the same key the first is found.
    fn add(&mut self, key: [u8; 16], rowid: i64) {
        match self.rows.entry(key) {
            Entry::Vacant(new) => drop(new.insert(rowid)),
            Entry::Occupied(_) => drop(self.repeated.insert(key)),
        }
    }
}
