//! Reads what a database is like; `validate` compares it.

use super::alter;
use super::clock::Clock;
use super::open::{self, Location};
use super::{assertion, catalog, health, keys, read, record, sql};
use crate::database::drift::Catalog;
use crate::database::health::Health;
use crate::database::query::Asked;
use crate::database::sealed::Unregistered;
use crate::database::upkeep::{Broken, Look, Reference, SealedState, Survey};
use crate::database::{SealedColumn, ledger};
use crate::error::{Error, Result};
use crate::secret::cipher;
use crate::secret::registry::Registry;
use jiff::Timestamp;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A connection that is looked through.
pub(super) struct Looking<'a> {
    pub(super) conn: &'a mut Connection,
    pub(super) location: &'a Location,
}

impl Look for Looking<'_> {
    fn survey(&mut self) -> Result<Survey> {
        of(self.conn, self.location)
    }

    fn rows(&mut self) -> Result<u64> {
        let counts =
            counted(self.conn, self.location.record.as_deref()).map_err(|error| self.location.fault(&error))?;
        Ok(counts.values().sum())
    }

    fn catalog(&mut self) -> Result<Catalog> {
        alter::live(self.conn, self.location)
    }

    fn orphans(&mut self) -> Result<Vec<Broken>> {
        let found = alter::violations(self.conn).map_err(|error| unreferable(&error, "", self.location))?;
        Ok(found.into_iter().map(|((table, parent), rows)| Broken { table, parent, rows }).collect())
    }

    fn dangling(&mut self, reference: &Reference) -> Result<u64> {
        dangling(self.conn, reference).map_err(|error| self.location.fault(&error))
    }

    fn repeated(&mut self, table: &str, columns: &[String]) -> Result<u64> {
        let some: Vec<String> = columns.iter().map(|column| format!("{} IS NOT NULL", sql::name(column))).collect();
        let text = format!(
            "SELECT coalesce(sum(more), 0) FROM (SELECT count(*) - 1 AS more FROM {} WHERE {} GROUP BY {})",
            sql::name(table),
            some.join(" AND "),
            sql::names(columns)
        );
        let counted = self.conn.query_row(&text, [], |row| row.get::<_, i64>(0));
        counted.map(i64::unsigned_abs).map_err(|error| self.location.fault(&error))
    }

    fn content(&mut self, table: &str, columns: &[String], since: Timestamp) -> Result<(u64, u128)> {
        content(self.conn, table, columns, Clock::since(since)).map_err(|error| self.location.fault(&error))
    }

    fn ask(&mut self, query: &str) -> Result<Asked> {
        assertion::ask(self.conn, query, self.location)
    }

    fn unregistered(&mut self) -> Result<Vec<Unregistered>> {
        let fault = |error: rusqlite::Error| self.location.fault(&error);
        let record = record::table(self.conn, self.location.record.as_deref()).map_err(fault)?.name;
        unregistered(self.conn, &record).map_err(fault)
    }

    fn health(&mut self) -> Result<Health> {
        let fault = |error: rusqlite::Error| self.location.fault(&error);
        if self.conn.is_readonly("main").map_err(fault)? {
            health::of(&open::to_check(self.location)?.conn, self.location)
        } else {
            health::of(self.conn, self.location)
        }
    }
}

/// The sum is one of digests, so that no order matters.
fn content(conn: &Connection, table: &str, columns: &[String], clock: Clock) -> rusqlite::Result<(u64, u128)> {
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

/// A reference to columns that are not unique cannot be checked; SQLite calls that a mismatch.
pub(super) fn is_unreferable(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::Unknown)
}

/// The words for it; `whose` names the references.
pub(super) fn unreferable(error: &rusqlite::Error, whose: &str, location: &Location) -> Error {
    if is_unreferable(error) {
        Error::environment(format!(
            "the foreign keys{whose} cannot be checked: one references columns that are not unique"
        ))
        .at(&location.shown)
    } else {
        location.fault(error)
    }
}

/// Everything that is validated, but for what costs a pass over references.
pub(super) fn of(conn: &Connection, location: &Location) -> Result<Survey> {
    let fault = |error: rusqlite::Error| location.fault(&error);
    let catalog = alter::live(conn, location)?;
    let registry = keys::registry(conn).map_err(fault)?;
    let active_key = registry.active().ok().flatten().map(|row| row.id.clone());
    Ok(Survey {
        recorded: record::read(conn, location)?,
        record_table: record::judged(conn, location)?,
        counts: counts(conn, catalog.schema.tables.keys()).map_err(fault)?,
        virtual_tables: virtual_tables(conn, &catalog),
        own: counts(conn, catalog::table_names(conn).map_err(fault)?.iter().filter(|name| catalog::is_own(name)))
            .map_err(fault)?,
        sealed: sealed(conn, &registry).map_err(fault)?,
        keys: registry.keys.iter().map(|key| key.id.clone()).collect(),
        active_key,
        registry,
        nulls: nulls(conn, &catalog).map_err(fault)?,
        mode: fs::metadata(&location.path).ok().map(|is| is.permissions().mode() & 0o7777),
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

/// The registered columns and what they hold.
pub(super) fn sealed(conn: &Connection, registry: &Registry) -> rusqlite::Result<Vec<SealedState>> {
    let keys: Vec<String> = registry.keys.iter().map(|key| key.id.clone()).collect();
    let mut rows: Vec<_> = registry.columns.iter().collect();
    rows.sort();
    let all = rows.into_iter().map(|row| {
        let column = SealedColumn {
            table: row.table.clone(),
            column: row.column.clone(),
            key_columns: serde_json::from_str(&row.key_columns).unwrap_or_default(),
            row_filter: row.row_filter.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        };
        let has = catalog::column_names(conn, &column.table)?;
        let is_there = |name: &String| has.iter().any(|one| one.eq_ignore_ascii_case(name));
        let mut state = SealedState { column, format: row.format.clone(), ..SealedState::default() };
        if !is_there(&state.column.column) {
            return Ok(state);
        }
        let filtered = || state.column.row_filter.iter().flatten().map(|(name, _)| name);
        let missing: Vec<String> =
            state.column.key_columns.iter().chain(filtered()).filter(|name| !is_there(name)).cloned().collect();
        let can_be_read = filtered().all(is_there);
        state.missing = missing;
        if can_be_read { values(conn, state, &keys) } else { Ok(state) }
    });
    all.collect()
}

/// Columns with values that look sealed, of which no row of the registry tells: neither a command that
/// opens nor a rotation reaches them.
pub(super) fn unregistered(conn: &Connection, record: &str) -> rusqlite::Result<Vec<Unregistered>> {
    /// An expression of SQLite may not be deeper than 1,000 terms.
    const AT_ONCE: usize = 200;
    let registered = sealed(conn, &keys::registry(conn)?)?;
    let mut found = Vec::new();
    for table in catalog::table_names(conn)?.into_iter().filter(|name| !catalog::is_reserved(name, record)) {
        let columns: Vec<String> = conn
            .prepare_cached("SELECT name FROM pragma_table_info(?1)")?
            .query_map([&table], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
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

/// Counts the values of a sealed column: those that do not look sealed, and those whose key is gone.
pub(super) fn values(conn: &Connection, mut state: SealedState, keys: &[String]) -> rusqlite::Result<SealedState> {
    let SealedState { column, .. } = &state;
    let name = sql::name(&column.column);
    let mut text = format!("SELECT {name} FROM {} WHERE {name} IS NOT NULL", sql::name(&column.table));
    let filter: Vec<(String, String)> = column.row_filter.clone().into_iter().flatten().collect();
    if !filter.is_empty() {
        text.push_str(&format!(" AND {}", sql::texts_are(filter.iter().map(|(name, _)| name), 1).join(" AND ")));
    }
    let mut statement = conn.prepare(&text)?;
    let mut rows = statement.query(rusqlite::params_from_iter(filter.iter().map(|(_, value)| value)))?;
    while let Some(row) = rows.next()? {
        state.values += 1;
        if !cipher::is_ours(&state.format) {
            continue; // Another program knows the format.
        }
        let token = row.get_ref(0)?.as_str().map(cipher::token_in).unwrap_or_default();
        match cipher::key_id_of(&token) {
            None => state.plain += 1,
            Some(key) => {
                let format = cipher::format_of(&token).unwrap_or_default();
                *state.formats.entry(format.to_owned()).or_default() += 1;
                *state.sealed.entry(key.to_owned()).or_default() += 1;
                if !keys.iter().any(|known| known == key) {
                    *state.lost.entry(key.to_owned()).or_default() += 1;
                }
            }
        }
    }
    Ok(state)
}

/// How many rows of a table have a dangling reference.
pub(super) fn dangling(conn: &Connection, reference: &Reference) -> rusqlite::Result<u64> {
    let text = format!("SELECT count(*) FROM {}", astray(reference));
    conn.query_row(&text, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

/// `table WHERE …`: the rows with a dangling reference.
pub(super) fn astray(reference: &Reference) -> String {
    let (column, to) = (sql::name(&reference.column), sql::name(&reference.to));
    format!(
        "{} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT {to} FROM {} WHERE {to} IS NOT NULL)",
        sql::name(&reference.table),
        sql::name(&reference.parent)
    )
}
