//! Sealed cells of a database of SQLite.

use super::file::FileId;
use super::location::Location;
use super::open;
use super::{audit, catalog, connect, keys, ledger_tables, locks, read, record, sql, survey};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::cells::{Access, Cells, KeyedCell, Registered, Stored};
use crate::database::scratch::Scratch;
use crate::database::sealed::{SealRecord, Unregistered};
use crate::database::{Cell, SealedColumn};
use crate::error::{Error, Result};
use crate::secret::keys::KeyRow;
use crate::table::{ColumnType, Table};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension};
use secrecy::SecretString;

/// An open database. The connection is dropped before the folder of a private copy.
pub(super) struct SqliteCells {
    conn: Connection,
    location: Location,
    /// The file, where it is changed.
    id: Option<FileId>,
    _folder: Option<Scratch>,
}

impl SqliteCells {
    pub(super) fn open(location: Location, access: Access) -> Result<Self> {
        let none =
            || Error::environment("there is no database").at(&location.shown).hint("name one with `--database URL`");
        let (conn, id, folder) = match access {
            Access::Look => {
                let view = open::view(&location)?.ok_or_else(none)?;
                (view.conn, None, view.folder)
            }
            Access::Change => {
                let (conn, id) = open::to_change(&location)?.ok_or_else(none)?;
                (conn, Some(id), None)
            }
            Access::Rehearse => {
                let view = open::to_rehearse(&location)?.ok_or_else(none)?;
                (view.conn, None, view.folder)
            }
        };
        if access != Access::Look {
            ledger_tables::set_up_keys(&conn, &location)?;
        }
        Ok(Self { conn, location, id, _folder: folder })
    }

    fn on<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(&self.conn).map_err(|error| locks::named(self.location.fault(&error), &error, &self.location))
    }

    fn table(&self, name: &str) -> Result<Option<Table>> {
        if !self.on(|conn| catalog::has_table(conn, name))? {
            return Ok(None);
        }
        catalog::table(&self.conn, name, &|error| self.location.fault(error))
    }

    /// Whether the column keeps JSON; a column that is not there is the request's fault or the registry's.
    fn is_json(&self, column: &SealedColumn) -> Result<bool> {
        let missing = |what: String| Error::environment(format!("there is no {what}")).at(&self.location.shown);
        let table = self.table(&column.table)?.ok_or_else(|| missing(format!("table `{}`", column.table)))?;
        let filtered = column.row_filter.iter().flatten().map(|(name, _)| name);
        for name in column.key_columns.iter().chain(filtered).chain([&column.column]) {
            if table.column(name).is_none() {
                return Err(missing(format!("column `{}.{name}`", column.table)));
            }
        }
        Ok(table.column(&column.column).is_some_and(|column| column.kind == ColumnType::Json))
    }
}

/// ` AND CAST("kind" AS TEXT) IS ?1`, and the values to bind; nothing for a column without a filter.
fn filter(column: &SealedColumn, first: usize) -> (Vec<String>, Vec<&String>) {
    let filter = || column.row_filter.iter().flatten();
    (sql::texts_are(filter().map(|(name, _)| name), first), filter().map(|(_, value)| value).collect())
}

fn stored(value: ValueRef<'_>, is_json: bool) -> Stored {
    match value {
        ValueRef::Null => Stored::Null,
        ValueRef::Integer(_) => Stored::Other("an integer"),
        ValueRef::Real(_) => Stored::Other("a number"),
        ValueRef::Blob(_) => Stored::Other("bytes"),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Err(_) => Stored::Other("text that is not UTF-8"),
            Ok(text) if is_json => match serde_json::from_str::<serde_json::Value>(text) {
                Ok(serde_json::Value::String(text)) => Stored::Text(SecretString::from(text)),
                Ok(serde_json::Value::Null) => Stored::Null,
                Ok(_) => Stored::Other("JSON that is not a string"),
                Err(_) => Stored::Other("text that is not JSON"),
            },
            Ok(text) => Stored::Text(SecretString::from(text)),
        },
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Null => ValueRef::Null,
            Cell::Integer(value) => ValueRef::Integer(*value),
            Cell::Real(value) => ValueRef::Real(*value),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
            Cell::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Cells for SqliteCells {
    fn tables(&self) -> Result<Vec<Table>> {
        let names = self.on(catalog::table_names)?;
        let record = self.on(|conn| record::table(conn, self.location.record.as_deref()))?.name;
        let names = names.iter().filter(|name| !catalog::is_reserved(name, &record));
        names.filter_map(|name| self.table(name).transpose()).collect()
    }

    fn keys(&self) -> Result<Vec<KeyRow>> {
        keys::all(&self.conn).map_err(|error| keys::fault(&error, &self.location))
    }

    fn seal_record(&self) -> Result<SealRecord> {
        keys::record(&self.conn, &self.location)
    }

    fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()> {
        self.on(|conn| keys::put_proof(conn, counts, hmac))
    }

    fn put_key(&mut self, key: &KeyRow) -> Result<()> {
        self.on(|conn| keys::put(conn, key))
    }

    fn remove_key(&mut self, id: &str) -> Result<()> {
        self.on(|conn| conn.execute("DELETE FROM treelift_keys WHERE id = ?1", [id]).map(drop))
    }

    fn registered(&self) -> Result<Vec<Registered>> {
        keys::registered(&self.conn, &self.location)
    }

    fn unregistered(&self) -> Result<Vec<Unregistered>> {
        let record = self.on(|conn| record::table(conn, self.location.record.as_deref()))?.name;
        self.on(|conn| survey::unregistered(conn, &record))
    }

    fn register(&mut self, column: &Registered) -> Result<()> {
        keys::register(&self.conn, column, &self.location)
    }

    fn read(&self, column: &SealedColumn) -> Result<Vec<KeyedCell>> {
        let is_json = self.is_json(column)?;
        let (conditions, values) = filter(column, 1);
        let mut text = format!(
            "SELECT {}, {} FROM {}",
            sql::name(&column.column),
            sql::names(&column.key_columns),
            sql::name(&column.table)
        );
        if !conditions.is_empty() {
            text.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
        }
        let width = column.key_columns.len();
        self.on(|conn| {
            conn.prepare(&text)?
                .query_map(rusqlite::params_from_iter(values), |row| {
                    let key = (1..=width).map(|at| row.get_ref(at).map(read::cell)).collect::<rusqlite::Result<_>>()?;
                    Ok(KeyedCell { key, value: stored(row.get_ref(0)?, is_json) })
                })?
                .collect()
        })
    }

    fn write(&mut self, column: &SealedColumn, key: &[Cell], text: &str) -> Result<()> {
        let written = if self.is_json(column)? { serde_json::Value::from(text).to_string() } else { text.to_owned() };
        let equal = |(at, name): (usize, &String)| format!("{} IS ?{}", sql::name(name), at + 2);
        let mut conditions: Vec<String> = column.key_columns.iter().enumerate().map(equal).collect();
        let (filtered, values) = filter(column, key.len() + 2);
        conditions.extend(filtered);
        let statement = format!(
            "UPDATE {} SET {} = ?1 WHERE {}",
            sql::name(&column.table),
            sql::name(&column.column),
            conditions.join(" AND ")
        );
        let mut bound: Vec<&dyn ToSql> = vec![&written];
        bound.extend(key.iter().map(|cell| cell as &dyn ToSql));
        bound.extend(values.iter().map(|value| *value as &dyn ToSql));
        match self.on(|conn| conn.prepare_cached(&statement)?.execute(bound.as_slice()))? {
            1 => Ok(()),
            0 => Err(Error::environment(format!("the database did not write a value of `{}`", column.table))
                .at(&self.location.shown)
                .hint("look for a trigger that discards the statement")),
            // The column compares keys otherwise than byte by byte, as COLLATE NOCASE does.
            rows => Err(Error::environment(format!("a key of `{}` matches {rows} rows, expected 1", column.table))
                .at(&self.location.shown)
                .hint("choose key columns that identify a row, with `--key`")),
        }
    }

    fn triggers(&self, column: &SealedColumn) -> Result<Vec<String>> {
        let found: Vec<(String, String)> = self.on(|conn| {
            conn.prepare(
                "SELECT name, sql FROM sqlite_schema
                 WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE ORDER BY name",
            )?
            .query_map([&column.table], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
        })?;
        Ok(found.into_iter().filter(|(_, sql)| runs_on_update(sql, &column.column)).map(|(name, _)| name).collect())
    }

    fn every_text(&self, visit: &mut dyn FnMut(&str, &str, &[u8])) -> Result<()> {
        for name in self.on(catalog::table_names)? {
            let Some(table) = self.table(&name)? else { continue }; // SQLite's own
            let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            self.on(|conn| {
                let text = format!("SELECT {} FROM {}", sql::names(&columns), sql::name(&name));
                let mut statement = conn.prepare(&text)?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    for (at, column) in columns.iter().enumerate() {
                        if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(at)? {
                            visit(&name, column, bytes);
                        }
                    }
                }
                Ok(())
            })?;
        }
        // An index over an expression keeps texts of its own, such as an address in small letters.
        for (name, index) in self.on(|conn| catalog::indexes(conn, &record::table(conn, None)?.name))? {
            let Some(over) = index.over.strip_prefix('(').and_then(|over| over.strip_suffix(')')) else { continue }; // plain columns
            self.on(|conn| {
                let text = format!("SELECT {over} FROM {}", sql::name(&index.table));
                // One over some rows only, or in falling order, cannot be asked for like this.
                let Ok(mut statement) = conn.prepare(&text) else { return Ok(()) };
                let width = statement.column_count();
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    for at in 0..width {
                        if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(at)? {
                            visit(&index.table, &name, bytes);
                        }
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn audit(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()> {
        self.on(|conn| audit::write(conn, entry, table))
    }

    fn last_set(&self) -> Result<Option<String>> {
        self.on(|conn| {
            if !catalog::has_table(conn, "treelift_runs")? {
                return Ok(None);
            }
            let text = "SELECT mapping_set FROM treelift_runs ORDER BY number DESC LIMIT 1";
            conn.query_row(text, [], |row| row.get(0)).optional()
        })
    }

    fn commit(self: Box<Self>) -> Result<()> {
        let Self { mut conn, location, id, _folder, .. } = *self;
        let Some(id) = id else {
            return Err(Error::bug("a read-only or dry run was asked to commit"));
        };
        open::commit_in_place(&location, &mut conn, id)?;
        // Committed: what the log still holds is found by the search of the files.
        let _kept = empty_log(&conn);
        // Nor does a connection that does not close undo it.
        let _unclosed = conn.close();
        Ok(())
    }
}

/// Whether a trigger runs when a column is updated: on UPDATE, or UPDATE OF a list with it. One whose
/// SQL is not understood does.
fn runs_on_update(sql: &str, column: &str) -> bool {
    let sql = sql.to_ascii_lowercase();
    let words: Vec<&str> =
        sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    // The event comes before the first ` on `; the name of the trigger may be any word.
    let event = &words[..words.iter().position(|word| *word == "on").unwrap_or(words.len())];
    let Some(at) = event.iter().rposition(|word| *word == "update") else {
        return !event.iter().any(|word| ["insert", "delete"].contains(word));
    };
    match event.get(at + 1) {
        Some(&"of") => event[at + 2..].contains(&column.to_ascii_lowercase().as_str()),
        _ => true,
    }
}

/// Rewrites the whole file, so that no freed page and no gap in a page holds what was there.
pub(super) fn rewrite(location: &Location) -> Result<()> {
    let mut conn = connect::connect(&location.path).map_err(|error| location.fault(&error))?;
    // What it erases was replaced in a transaction that is committed: a signal does not keep it from ending.
    conn.progress_handler(0, None::<fn() -> bool>).map_err(|error| location.fault(&error))?;
    conn.execute_batch("PRAGMA secure_delete = ON; VACUUM")
        .and_then(|()| empty_log(&conn))
        .map_err(|error| locks::named(location.fault(&error), &error, location))?;
    // It is rewritten: a connection that does not close undoes nothing.
    let _unclosed = conn.close();
    Ok(())
}

/// Moves the write-ahead log into the file and cuts it to nothing; without one nothing happens.
fn empty_log(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
