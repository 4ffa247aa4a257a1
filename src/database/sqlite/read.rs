//! Reads rows and keys.

use super::form::{self, Form};
use super::transaction::SqliteTransaction;
use super::{sql, survey};
use crate::database::{Cell, Orphan, ledger};
use crate::error::Result;
use crate::row::Value;
use crate::table::ColumnType;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Statement};
use std::collections::HashMap;

/// A cell as it is stored. Text that is not UTF-8 stays bytes: it equals no text.
pub(super) fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Integer(value),
        ValueRef::Real(value) => Cell::Real(value),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Cell::Text(text.to_owned()),
            Err(_) => Cell::Blob(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
    }
}

pub(super) fn cells(row: &Row<'_>, columns: std::ops::Range<usize>) -> rusqlite::Result<Vec<Cell>> {
    columns.map(|column| row.get_ref(column).map(cell)).collect()
}

/// How many rows a table has.
pub(super) fn count(conn: &Connection, table: &str) -> rusqlite::Result<u64> {
    let rows: i64 = conn.query_row(&format!("SELECT count(*) FROM {}", sql::name(table)), [], |row| row.get(0))?;
    Ok(rows.unsigned_abs())
}

/// The highest id ever given, also where AUTOINCREMENT remembers one that was deleted.
pub(super) fn highest(conn: &Connection, table: &str, column: &str) -> rusqlite::Result<i64> {
    let of = |sql: &str, parameters: &[&str]| {
        conn.query_row(sql, rusqlite::params_from_iter(parameters), |row| row.get::<_, Option<i64>>(0))
    };
    let stored = of(&format!("SELECT max({}) FROM {}", sql::name(column), sql::name(table)), &[])?;
    let given = if super::catalog::has_table(conn, "sqlite_sequence")? {
        of("SELECT max(seq) FROM sqlite_sequence WHERE name = ?1", &[table])?
    } else {
        None
    };
    Ok(stored.max(given).unwrap_or(0).max(0))
}

/// From so many keys on a pass over the table is made for them alone.
const FEW: usize = 64;

/// The `wanted` cells of the rows with these keys: through an index, or in one pass over the table
/// where none leads to the key.
pub(super) fn find(
    this: &SqliteTransaction,
    table: &str,
    key_columns: &[&str],
    wanted: &[&str],
    keys: &[Vec<Value>],
) -> Result<Vec<Option<Vec<Cell>>>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let kinds: Vec<ColumnType> = key_columns.iter().map(|column| this.kind(table, column)).collect::<Result<_>>()?;
    let keys: Vec<Option<Vec<Form>>> = keys.iter().map(|key| key_form(key, &kinds)).collect();
    this.on(|conn| {
        let mut columns = key_columns.to_vec();
        columns.extend(wanted);
        let all = format!("SELECT {} FROM {}", sql::names(&columns), sql::name(table));
        let one = format!("{all} WHERE {} LIMIT 1", sql::equal(key_columns, 1));
        // A time may be stored in another form of the same meaning, which only a pass can find.
        let by_index = !kinds.contains(&ColumnType::Time) && is_search(conn, &one)?;
        let width = columns.len();
        if by_index {
            let mut statement = conn.prepare_cached(&one)?;
            return keys.iter().map(|key| lookup(&mut statement, key.as_deref(), key_columns.len()..width)).collect();
        }
        if keys.len() < FEW
            && let Some(found) = this.passes.borrow_mut().find(conn, table, (key_columns, &kinds), wanted, &keys)?
        {
            return Ok(found);
        }
        let mut sought: HashMap<Vec<Part>, Vec<usize>> = HashMap::new();
        for (i, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                sought.entry(key.iter().map(Part::of_form).collect()).or_default().push(i);
            }
        }
        let mut found = vec![None; keys.len()];
        let mut statement = conn.prepare_cached(&all)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = cells(row, 0..key_columns.len())?;
            let key: Vec<Part> = key.iter().zip(&kinds).map(|(cell, kind)| Part::of_cell(cell, *kind)).collect();
            for &i in sought.get(&key).into_iter().flatten() {
                if found[i].is_none() {
                    found[i] = Some(cells(row, key_columns.len()..width)?);
                }
            }
        }
        Ok(found)
    })
}

/// A key as it is stored; `None` for one that no row can have: a value the column does not keep.
fn key_form<'v>(key: &'v [Value], kinds: &[ColumnType]) -> Option<Vec<Form<'v>>> {
    key.iter().zip(kinds).map(|(value, kind)| form::of(value, *kind)).collect()
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

/// Whether SQLite would go through an index rather than over the whole table.
fn is_search(conn: &Connection, statement: &str) -> rusqlite::Result<bool> {
    let mut plan = conn.prepare_cached(&format!("EXPLAIN QUERY PLAN {statement}"))?;
    let mut rows = plan.raw_query();
    let detail: Option<String> = rows.next()?.map(|row| row.get(3)).transpose()?;
    Ok(detail.is_some_and(|detail| detail.starts_with("SEARCH")))
}

/// A part of a key in one form, whatever form it is stored in.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Part {
    Null,
    Integer(i64),
    Real(u64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Part {
    pub(super) fn of_form(form: &Form<'_>) -> Self {
        match form {
            Form::Null => Part::Null,
            Form::Integer(value) => Part::Integer(*value),
            Form::Real(value) => Part::of_real(*value),
            Form::Text(text) => Part::Text(text.to_string()),
        }
    }

    pub(super) fn of_cell(cell: &Cell, kind: ColumnType) -> Self {
        match cell {
            Cell::Null => Part::Null,
            Cell::Integer(value) => Part::Integer(*value),
            Cell::Real(value) => Part::of_real(*value),
            Cell::Text(text) if kind == ColumnType::Time => {
                let canonical = form::parse_time(text)
                    .and_then(|time| form::of(&Value::Civil(time), ColumnType::Time)?.into_text(ColumnType::Time));
                Part::Text(canonical.unwrap_or_else(|| text.clone()))
            }
            Cell::Text(text) => Part::Text(text.clone()),
            Cell::Blob(bytes) => Part::Bytes(bytes.clone()),
        }
    }

    /// SQLite stores 5.0 in a NUMERIC column as 5.
    fn of_real(value: f64) -> Self {
        let whole = value as i64;
        if whole as f64 == value && whole != i64::MAX { Part::Integer(whole) } else { Part::Real(value.to_bits()) }
    }
}

/// The `wanted` cells of every row, or of those whose `scope` column has a value.
pub(super) fn select(
    this: &SqliteTransaction,
    table: &str,
    wanted: &[&str],
    scope: Option<(&str, &Value)>,
) -> Result<Vec<Vec<Cell>>> {
    let mut text = format!("SELECT {} FROM {}", sql::names(wanted), sql::name(table));
    let mut parameter = None;
    if let Some((column, value)) = scope {
        let Some(form) = form::of(value, this.kind(table, column)?) else { return Ok(Vec::new()) };
        text.push_str(&format!(" WHERE {} IS ?1", sql::name(column)));
        parameter = Some(form);
    }
    this.on(|conn| {
        let mut statement = conn.prepare_cached(&text)?;
        let rows = statement.query_map(rusqlite::params_from_iter(parameter), |row| cells(row, 0..wanted.len()))?;
        rows.collect()
    })
}

/// Whether a reference is dangling.
pub(super) fn has_orphans(this: &SqliteTransaction) -> Result<bool> {
    let asked = this.conn.prepare("SELECT 1 FROM pragma_foreign_key_check").and_then(|mut all| all.exists([]));
    asked.map_err(|error| survey::unreferable(&error, "", &this.location))
}

/// Rows with a dangling reference, with the keys that the ledger knows them by: those of this run
/// first, so that however many the database had before, they hide none of them.
pub(super) fn orphans(this: &SqliteTransaction, most: usize) -> Result<Vec<Orphan>> {
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    let mut gather = |conn: &Connection| {
        let mut all = conn.prepare("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            if ours.len() == most {
                break; // no more are reported
            }
            let (table, rowid): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
            let row_key = rowid.map_or_else(|| Ok(String::new()), |rowid| row_key(conn, &table, rowid))?;
            let written = conn
                .prepare_cached(
                    "SELECT 1 FROM temp.origins o JOIN treelift_tables t ON t.id = o.\"table\"
                     WHERE t.name = ?1 AND o.row_key = ?2",
                )?
                .exists((&table, &row_key))?;
            let place = if written { &mut ours } else { &mut others };
            if place.len() < most {
                place.push(Orphan { table, row_key, parent: row.get(2)? });
            }
        }
        Ok(())
    };
    this.on(&mut gather)?;
    ours.append(&mut others);
    ours.truncate(most);
    Ok(ours)
}

/// What a table's rowid is called: a column may have one of its three names, and then it is that column.
pub(super) fn rowid_name(columns: &[&str]) -> Option<&'static str> {
    let taken = |name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    ["rowid", "_rowid_", "oid"].into_iter().find(|name| !taken(name))
}

/// The key of the row with this rowid; the rowid itself where the table has no primary key.
pub(super) fn row_key(conn: &Connection, table: &str, row: i64) -> rusqlite::Result<String> {
    let columns: Vec<(String, u32)> = conn
        .prepare_cached("SELECT name, pk FROM pragma_table_info(?1) ORDER BY pk")?
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let Some(rowid) = rowid_name(&names) else {
        return Ok(String::new());
    };
    let key: Vec<&str> = columns.iter().filter(|(_, place)| *place > 0).map(|(name, _)| name.as_str()).collect();
    if key.is_empty() {
        return Ok(row.to_string());
    }
    let text = format!("SELECT {} FROM {} WHERE {rowid} = ?1", sql::names(&key), sql::name(table));
    let parts = conn.prepare_cached(&text)?.query_row([row], |row| cells(row, 0..key.len()))?;
    Ok(ledger::row_key(parts.iter().map(Cell::text).collect()))
}
