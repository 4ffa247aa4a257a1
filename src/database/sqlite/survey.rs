//! Reads what a database is like; `validate` compares it.

use super::location::{Location, Tried};
use super::{catalog, keys, read, record, sql};
use crate::database::catalog::Catalog;
use crate::database::clock::Clock;
use crate::database::sealed::{SealRecord, Unregistered};
use crate::database::upkeep::Survey;
use crate::database::{SealedState, ledger};
use crate::platform;
use crate::secret::cipher;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;

/// How many rows share the values of these columns with an earlier one; NULLs share nothing.
pub(super) fn repeated(conn: &Connection, table: &str, columns: &[String]) -> rusqlite::Result<u64> {
    let some: Vec<String> = columns.iter().map(|column| format!("{} IS NOT NULL", sql::name(column))).collect();
    let text = format!(
        "SELECT coalesce(sum(more), 0) FROM (SELECT count(*) - 1 AS more FROM {} WHERE {} GROUP BY {})",
        sql::name(table),
        some.join(" AND "),
        sql::names(columns)
    );
    conn.query_row(&text, [], |row| row.get(0))
}

/// How many rows a table has, and a sum over what they hold. It is one of digests, so that no order matters.
pub(super) fn content(
    conn: &Connection,
    table: &str,
    columns: &[String],
    clock: Clock,
) -> rusqlite::Result<(u64, u128)> {
    let wanted = if columns.is_empty() { "NULL".to_owned() } else { sql::names(columns) };
    let mut statement = conn.prepare(&format!("SELECT {wanted} FROM {}", sql::name(table)))?;
    let mut rows = statement.query([])?;
    let (mut many, mut sum) = (0, 0_u128);
    while let Some(row) = rows.next()? {
        let cells = read::cells(row, 0..columns.len())?;
        let texts = columns.iter().map(String::as_str).zip(cells.iter().map(|cell| clock.masked(cell)));
        sum = sum.wrapping_add(u128::from_be_bytes(ledger::digest(texts)));
        many += 1;
    }
    Ok((many, sum))
}

/// The live catalog.
pub(super) fn live(conn: &Connection, location: &Location) -> rusqlite::Result<Catalog> {
    catalog::whole(conn, &record::table(conn, location.record.as_deref())?.name)
}

/// Everything that is validated, but for what costs a pass over references.
pub(super) fn of(conn: &Connection, location: &Location) -> Tried<Survey> {
    let catalog = live(conn, location)?;
    let registry = keys::registry(conn)?;
    let own = catalog::table_names(conn)?;
    Ok(Survey {
        recorded: record::recorded(conn, location)?,
        record_table: record::judged(conn, location)?,
        counts: counts(conn, catalog.schema.tables.keys())?,
        virtual_tables: virtual_tables(conn, &catalog),
        own: counts(conn, own.iter().filter(|name| catalog::is_own(name)))?,
        seals: SealRecord { columns: keys::sealed(conn, &registry)?, registry, place: location.shown.clone() },
        nulls: nulls(conn, &catalog)?,
        loose: Vec::new(),
        mode: fs::metadata(&location.path).ok().map(|is| platform::mode(&is)),
        catalog,
    })
}

/// How many rows each table has, without treelift's own.
pub(super) fn counted(conn: &Connection, record: Option<&str>) -> rusqlite::Result<BTreeMap<String, u64>> {
    let names = catalog::table_names(conn)?;
    let record = record::table(conn, record)?.name;
    counts(conn, names.iter().filter(|name| !catalog::is_reserved(name, &record)))
}

fn counts<'t>(conn: &Connection, tables: impl Iterator<Item = &'t String>) -> rusqlite::Result<BTreeMap<String, u64>> {
    tables.map(|table| Ok((table.clone(), read::count(conn, table)?))).collect()
}

fn virtual_tables(conn: &Connection, catalog: &Catalog) -> BTreeMap<String, u64> {
    let virtuals = catalog.others.iter().filter(|(_, other)| other.kind == "virtual table");
    virtuals.map(|(name, _)| (name.clone(), read::count(conn, name).unwrap_or_default())).collect()
}

/// NULLs where none may be: a declaration that was changed behind SQLite's back lets them in.
fn nulls(conn: &Connection, catalog: &Catalog) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    for table in catalog.schema.tables.values() {
        let needed: Vec<String> = table
            .columns
            .iter()
            .filter(|column| column.not_null || (column.primary_key > 0 && table.integer_key() != Some(&column.name)))
            .map(|column| column.name.clone())
            .collect();
        if needed.is_empty() {
            continue; // Nothing of it must be there.
        }
        // `+` keeps SQLite from taking the declaration's word for it.
        let sums: Vec<String> = needed.iter().map(|column| format!("total(+{} IS NULL)", sql::name(column))).collect();
        let text = format!("SELECT {} FROM {}", sums.join(", "), sql::name(&table.name));
        let counted: Vec<f64> = conn.query_row(&text, [], |row| (0..needed.len()).map(|at| row.get(at)).collect())?;
        let some = needed.iter().zip(counted).filter(|(_, rows)| *rows > 0.0);
        found.extend(some.map(|(column, rows)| (format!("{}.{column}", table.name), rows as u64)));
    }
    Ok(found)
}

/// Columns with values that look sealed, of which no row of the registry tells: neither a command that
/// opens nor a rotation reaches them.
pub(super) fn unregistered(conn: &Connection, record: &str) -> rusqlite::Result<Vec<Unregistered>> {
    /// An expression of SQLite may not be deeper than 1,000 terms.
    const AT_ONCE: usize = 200;
    let registered = keys::sealed(conn, &keys::registry(conn)?)?;
    let mut found = Vec::new();
    for table in catalog::table_names(conn)?.into_iter().filter(|name| !catalog::is_reserved(name, record)) {
        let columns: Vec<String> = sql::column(conn, "SELECT name FROM pragma_table_info(?1)", [&table])?;
        for columns in columns.chunks(AT_ONCE) {
            for (column, values) in columns.iter().zip(looking_sealed(conn, &table, columns)?) {
                let is_it = |state: &&SealedState| {
                    state.column.table.eq_ignore_ascii_case(&table) && state.column.column.eq_ignore_ascii_case(column)
                };
                let known = || registered.iter().filter(is_it);
                let values = values - known().flat_map(|state| state.formats.values()).sum::<u64>().min(values);
                let format = known().map(|state| state.format.clone()).find(|format| !cipher::is_ours(format));
                if values > 0 {
                    found.push(Unregistered { table: table.clone(), column: column.clone(), values, format });
                }
            }
        }
    }
    Ok(found)
}

/// How many values of each column have the form of sealed ones.
fn looking_sealed(conn: &Connection, table: &str, columns: &[String]) -> rusqlite::Result<Vec<u64>> {
    let heads = |column: &String| {
        format!("substr({0}, 1, 4) IN ('tl1.', 'tl2.') OR substr({0}, 1, 5) IN ('\"tl1.', '\"tl2.')", sql::name(column))
    };
    let any: Vec<String> = columns.iter().map(heads).collect();
    let text = format!("SELECT {} FROM {} WHERE {}", sql::names(columns), sql::name(table), any.join(" OR "));
    let mut found = vec![0; columns.len()];
    let mut statement = conn.prepare(&text)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for (at, many) in found.iter_mut().enumerate() {
            let text = row.get_ref(at)?.as_str().map(cipher::token_in).unwrap_or_default();
            *many += u64::from(cipher::key_id_of(&text).is_some());
        }
    }
    Ok(found)
}
