//! Finds rows of the database that a run writes into.

use super::form::{self, Form};
use super::read::{cells, digest_of_cells, digest_of_forms};
use super::session::SqliteTransaction;
use super::way::{Way, is_compared_alike, steps};
use super::{read, sql};
use crate::database::Cell;
use crate::error::Result;
use crate::row::Value;
use crate::table::ColumnType;
use rusqlite::{OptionalExtension, Statement};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// From so many keys on the first pass over a table is made for them alone; a later one is remembered.
const FEW: usize = 64;

impl SqliteTransaction {
    pub(super) fn rows_before(&self, table: &str) -> u64 {
        self.before.get(table).copied().unwrap_or(0)
    }

    pub(super) fn highest_id(&self, table: &str, column: &str) -> Result<i64> {
        let has_sequences = self.declared()?.has_sequences;
        self.on(|conn| read::highest(conn, (table, column), has_sequences))
    }

    /// Through an index, or in one pass over the table where none leads to the key, or where many rows share the
    /// part that it leads to.
    pub(super) fn find(
        &self,
        table: &str,
        key_columns: &[&str],
        wanted: &[&str],
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Vec<Cell>>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let kinds: Vec<ColumnType> =
            key_columns.iter().map(|column| self.kind(table, column)).collect::<Result<_>>()?;
        let keys: Vec<Option<Vec<Form>>> = keys.iter().map(|key| key_form(key, &kinds)).collect();
        let declared = self.declared()?;
        self.on(|conn| {
            let mut columns = key_columns.to_vec();
            columns.extend(wanted);
            let all = format!("SELECT {} FROM {}", sql::names(&columns), sql::name(table));
            let one = format!("{all} WHERE {} LIMIT 1", sql::equal(key_columns, 1));
            let mut ways = self.ways.borrow_mut();
            let way = match ways.entry(one.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(Way::of(conn, (table, declared), &one, &kinds)?),
            };
            let again = way.ask_again();
            let costly = way.too_costly(self.rows_before(table));
            let is_passed = if way.is_search { costly.is_some() } else { keys.len() < FEW || again };
            if is_passed
                && let Some(found) =
                    self.passes.borrow_mut().find(conn, (table, costly), (key_columns, &kinds), wanted, &keys)?
            {
                return Ok(found);
            }
            let wanted = key_columns.len()..columns.len();
            if way.is_search {
                let mut statement = conn.prepare_cached(&one)?;
                let found = keys.iter().map(|key| lookup(&mut statement, key.as_deref(), wanted.clone())).collect();
                way.searched(keys.len(), steps(&statement));
                return found;
            }
            among_all(&mut *conn.prepare_cached(&all)?, &kinds, &keys, wanted)
        })
    }

    pub(super) fn select(&self, table: &str, wanted: &[&str], scope: Option<(&str, &Value)>) -> Result<Vec<Vec<Cell>>> {
        let mut text = format!("SELECT {} FROM {}", sql::names(wanted), sql::name(table));
        let mut parameter = None;
        if let Some((column, value)) = scope {
            let Some(form) = form::of(value, self.kind(table, column)?) else { return Ok(Vec::new()) };
            text.push_str(&format!(" WHERE {} IS ?1", sql::name(column)));
            parameter = Some(form);
        }
        self.on(|conn| {
            let mut statement = conn.prepare_cached(&text)?;
            let rows = statement.query_map(rusqlite::params_from_iter(parameter), |row| cells(row, 0..wanted.len()))?;
            rows.collect()
        })
    }
}

/// What an update looks for: rows of a table by a key.
#[derive(Clone, Copy)]
pub(super) struct Sought<'s> {
    pub(super) table: &'s str,
    pub(super) columns: &'s [&'s str],
    pub(super) kinds: &'s [ColumnType],
}

impl Sought<'_> {
    fn statement(self) -> String {
        format!("SELECT 1 FROM {} WHERE {}", sql::name(self.table), sql::equal(self.columns, 1))
    }

    /// The rowid, by its name, of the one row with this key, where it costs less than to search for it: no index leads
    /// to the key, or only with many other rows. `None` where the search itself must tell.
    pub(super) fn only(self, this: &SqliteTransaction, key: &[Form<'_>]) -> Result<Option<(&'static str, i64)>> {
        let (of, declared) = ((self.columns, self.kinds), this.declared()?);
        if key.contains(&Form::Null) || !is_compared_alike((self.table, declared), self.kinds) {
            return Ok(None);
        }
        this.on(|conn| {
            let (one, mut ways) = (self.statement(), this.ways.borrow_mut());
            let way = match ways.entry(one.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(Way::of(conn, (self.table, declared), &one, self.kinds)?),
            };
            let costly = way.too_costly(this.rows_before(self.table));
            if way.is_search && costly.is_none() {
                return Ok(None);
            }
            this.passes.borrow_mut().only(conn, (self.table, costly), of, key)
        })
    }

    /// Notes how many steps the search for one key took.
    pub(super) fn searched(self, this: &SqliteTransaction, steps: u64) {
        if let Some(way) = this.ways.borrow_mut().get_mut(&self.statement()) {
            way.searched(1, steps);
        }
    }
}

/// The `wanted` cells of the rows with these keys, in one pass over a statement's rows, which begin with
/// the key.
fn among_all(
    statement: &mut Statement<'_>,
    kinds: &[ColumnType],
    keys: &[Option<Vec<Form<'_>>>],
    wanted: std::ops::Range<usize>,
) -> rusqlite::Result<Vec<Option<Vec<Cell>>>> {
    let mut sought: HashMap<[u8; 16], Vec<usize>> = HashMap::new();
    for (i, key) in keys.iter().enumerate() {
        if let Some(key) = key {
            sought.entry(digest_of_forms(key)).or_default().push(i);
        }
    }
    let mut found = vec![None; keys.len()];
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key = cells(row, 0..wanted.start)?;
        for &i in sought.get(&digest_of_cells(&key, kinds)).into_iter().flatten() {
            if found[i].is_none() {
                found[i] = Some(cells(row, wanted.clone())?);
            }
        }
    }
    Ok(found)
}

/// A key as it is stored; `None` for one that no row can have: a value the column does not keep.
fn key_form<'v>(key: &'v [Value], kinds: &[ColumnType]) -> Option<Vec<Form<'v>>> {
    key.iter().zip(kinds).map(|(value, kind)| Some(form::of(value, *kind)?.stored(*kind))).collect()
}

fn lookup(
    statement: &mut Statement<'_>,
    key: Option<&[Form<'_>]>,
    wanted: std::ops::Range<usize>,
) -> rusqlite::Result<Option<Vec<Cell>>> {
    match key {
        None => Ok(None),
        Some(key) => statement.query_row(rusqlite::params_from_iter(key), |row| cells(row, wanted.clone())).optional(),
    }
}
