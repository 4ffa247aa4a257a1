//! The registered keys, which columns hold what was sealed with them, and what those hold.

use super::location::{Location, Tried};
use super::session::SqliteTransaction;
use super::{catalog, cells, sql, state};
use crate::database::cells::{FERNET, KeyedCell, Registered};
use crate::database::own::{COLUMNS_TABLE, KEYS_TABLE};
use crate::database::sealed::SealRecord;
use crate::database::sealing::Sealing;
use crate::database::{Cell, SealedColumn, SealedState};
use crate::error::{Error, Result};
use crate::secret::cipher::{FORMAT, is_ours};
use crate::secret::keys::KeyRow;
use crate::secret::registry::{Registry, RegistryRow};
use rusqlite::{Connection, OptionalExtension};

/// The registered keys, oldest first.
pub(super) fn all(conn: &Connection) -> rusqlite::Result<Vec<KeyRow>> {
    if !catalog::has_table(conn, KEYS_TABLE)? {
        return Ok(Vec::new());
    }
    conn.prepare(
        "SELECT id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at FROM treelift_keys
         ORDER BY created_at, id",
    )?
    .query_map([], |row| {
        let (id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at) = row.try_into()?;
        Ok(KeyRow { id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at })
    })?
    .collect()
}

/// Writes the proof, with the digest of the same.
fn put_proof(conn: &Connection, counts: &str, hmac: &str) -> rusqlite::Result<()> {
    state::put(conn, state::COUNTS_NAME, counts)?;
    state::put(conn, state::HMAC_NAME, hmac)?;
    state::put(conn, state::DIGEST_NAME, &registry(conn)?.digest_now())
}

fn put_key(conn: &Connection, key: &KeyRow) -> rusqlite::Result<()> {
    let KeyRow { id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at } = key;
    let text = "INSERT OR REPLACE INTO treelift_keys
                    (id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = (id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at);
    conn.execute(text, values).map(drop)
}

/// The sealed values of an open database whose schema is changed.
pub(super) struct Seals<'s> {
    pub(super) conn: &'s Connection,
    pub(super) location: &'s Location,
}

impl Seals<'_> {
    fn on<T>(&self, done: rusqlite::Result<T>) -> Result<T> {
        done.map_err(|error| fault(&error, self.location))
    }

    fn said<T>(&self, done: Tried<T>) -> Result<T> {
        done.map_err(|fault| self.location.words(fault))
    }
}

impl Sealing for Seals<'_> {
    fn seal_record(&self) -> Result<SealRecord> {
        record(self.conn, self.location)
    }

    fn registered(&self) -> Result<Vec<Registered>> {
        self.said(registered(self.conn, self.location))
    }

    fn cells(&self, column: &SealedColumn) -> Result<Vec<KeyedCell>> {
        self.said(cells::read(self.conn, column, self.location))
    }

    fn every_text(&self, visit: &mut dyn FnMut(&str, &str, &[u8])) -> Result<()> {
        self.on(cells::every_text(self.conn, visit))
    }

    fn write_cell(&mut self, column: &SealedColumn, key: &[Cell], text: &str) -> Result<()> {
        self.said(cells::write(self.conn, column, key, text, self.location))
    }

    fn put_key(&mut self, key: &KeyRow) -> Result<()> {
        self.on(put_key(self.conn, key))
    }

    fn register(&mut self, column: &Registered) -> Result<()> {
        self.on(register(self.conn, column))
    }

    fn unregister(&mut self, column: &SealedColumn) -> Result<()> {
        let text = "DELETE FROM treelift_sealed_columns
                    WHERE table_name = ?1 AND column_name = ?2 AND row_filter IS ?3";
        self.on(self.conn.execute(text, (&column.table, &column.column, filter_text(column))).map(drop))
    }

    fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()> {
        self.on(put_proof(self.conn, counts, hmac))
    }
}

impl SqliteTransaction {
    pub(super) fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()> {
        self.on(|conn| put_proof(conn, counts, hmac))
    }

    pub(super) fn put_key(&mut self, key: &KeyRow) -> Result<()> {
        self.on(|conn| put_key(conn, key))
    }

    pub(super) fn remove_key(&mut self, id: &str) -> Result<()> {
        self.on(|conn| conn.execute("DELETE FROM treelift_keys WHERE id = ?1", [id]).map(drop))
    }

    pub(super) fn put_sealed_columns(&mut self, columns: &[SealedColumn]) -> Result<()> {
        self.said(columns.iter().try_for_each(|column| put_sealed_column(&self.conn, column, &self.location)))
    }

    pub(super) fn register(&mut self, column: &Registered) -> Result<()> {
        self.on(|conn| register(conn, column))
    }

    pub(super) fn write_cell(&mut self, column: &SealedColumn, key: &[Cell], text: &str) -> Result<()> {
        self.said(cells::write(&self.conn, column, key, text, &self.location))
    }
}

/// The registered columns, by name.
pub(super) fn registered(conn: &Connection, location: &Location) -> Tried<Vec<Registered>> {
    let mut rows = registry_rows(conn)?;
    rows.sort();
    let read = |row: RegistryRow| {
        let (column, mut damaged) = SealedColumn::of(&row);
        if !is_ours(&row.format) && row.format != FERNET {
            damaged.push("format");
        }
        match damaged.first() {
            None => Ok(Registered { column, format: row.format }),
            Some(what) => {
                let name = format!("`{what}` of `{}.{}`", row.table, row.column);
                Err(Error::environment(format!("`treelift_sealed_columns` is damaged: {name}"))
                    .at(&location.shown)
                    .hint("restore it from a backup; docs/credentials.md describes its contents")
                    .into())
            }
        }
    };
    rows.into_iter().map(read).collect()
}

/// Registers a column in a format, or changes the format of one that is registered.
fn register(conn: &Connection, column: &Registered) -> rusqlite::Result<()> {
    let Registered { column, format } = column;
    let row_filter = filter_text(column);
    let changed = conn.execute(
        "UPDATE treelift_sealed_columns SET format = ?1
         WHERE table_name = ?2 AND column_name = ?3 AND row_filter IS ?4",
        (format, &column.table, &column.column, &row_filter),
    )?;
    if changed > 0 {
        return Ok(());
    }
    conn.execute(
        "INSERT INTO treelift_sealed_columns (table_name, column_name, key_columns, format, row_filter)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        (&column.table, &column.column, key_text(column), format, row_filter),
    )
    .map(drop)
}

fn key_text(column: &SealedColumn) -> String {
    serde_json::Value::from_iter(column.key_columns.iter().cloned()).to_string()
}

fn filter_text(column: &SealedColumn) -> Option<String> {
    column.row_filter.as_ref().map(|filter| serde_json::json!(filter).to_string())
}

/// Whether every value of a column is one that treelift sealed.
fn holds_ours_alone(conn: &Connection, column: &SealedColumn) -> rusqlite::Result<bool> {
    let state = SealedState { column: column.clone(), format: FORMAT.to_owned(), ..SealedState::default() };
    Ok(values(conn, state, &[])?.plain == 0)
}

/// Registers a sealed column. One column may be registered with several row filters; the columns
/// that identify its rows are part of each value's proof and cannot change under it.
fn put_sealed_column(conn: &Connection, column: &SealedColumn, location: &Location) -> Tried<()> {
    let known: Option<(String, String)> = conn
        .query_row(
            "SELECT key_columns, format FROM treelift_sealed_columns
             WHERE table_name = ?1 AND column_name = ?2 AND row_filter IS ?3",
            (&column.table, &column.column, filter_text(column)),
            |row| row.try_into(),
        )
        .optional()?;
    if let Some((known, format)) = known
        // Where nothing of a hand-over is left, the column is ours again.
        && !(known == key_text(column) && (is_ours(&format) || holds_ours_alone(conn, column)?))
    {
        let name = format!("column `{}.{}`", column.table, column.column);
        let error = if is_ours(&format) {
            Error::environment(format!("{name} holds values that were sealed for other key columns"))
                .hint("keep the key columns of the mapping that sealed them")
        } else {
            Error::environment(format!("{name} was handed over to the application"))
                .hint("seal it again first with `credentials encrypt --from fernet`")
        };
        return Err(error.at(&location.shown).into());
    }
    // New values have the new format.
    Ok(register(conn, &Registered { column: column.clone(), format: FORMAT.to_owned() })?)
}

/// The keys, the registry with its proof, and what the registered columns hold.
pub(super) fn record(conn: &Connection, location: &Location) -> Result<SealRecord> {
    let read = || {
        let registry = registry(conn)?;
        let columns = sealed(conn, &registry)?;
        Ok(SealRecord { registry, columns, place: location.shown.clone() })
    };
    read().map_err(|error| fault(&error, location))
}

/// The keys and the registry with its proof.
pub(super) fn registry(conn: &Connection) -> rusqlite::Result<Registry> {
    let (keys, columns) = (all(conn)?, registry_rows(conn)?);
    let (counts, hmac) = (state::value(conn, state::COUNTS_NAME)?, state::value(conn, state::HMAC_NAME)?);
    Ok(Registry { keys, columns, counts, hmac, digest: state::value(conn, state::DIGEST_NAME)? })
}

fn registry_rows(conn: &Connection) -> rusqlite::Result<Vec<RegistryRow>> {
    if !catalog::has_table(conn, COLUMNS_TABLE)? {
        return Ok(Vec::new());
    }
    conn.prepare("SELECT table_name, column_name, row_filter, key_columns, format FROM treelift_sealed_columns")?
        .query_map([], |row| {
            let (table, column, row_filter, key_columns, format) = row.try_into()?;
            Ok(RegistryRow { table, column, row_filter, key_columns, format })
        })?
        .collect()
}

/// The registered columns and what they hold.
pub(super) fn sealed(conn: &Connection, registry: &Registry) -> rusqlite::Result<Vec<SealedState>> {
    let keys: Vec<String> = registry.keys.iter().map(|key| key.id.clone()).collect();
    let mut rows: Vec<_> = registry.columns.iter().collect();
    rows.sort();
    let all = rows.into_iter().map(|row| {
        let (column, _) = SealedColumn::of(row);
        let has = catalog::column_names(conn, &column.table)?;
        let is_there = |name: &String| has.iter().any(|one| one.eq_ignore_ascii_case(name));
        let mut state = SealedState { column, format: row.format.clone(), ..SealedState::default() };
        if !is_there(&state.column.column) {
            return Ok(state);
        }
        let filtered = || state.column.row_filter.iter().flatten().map(|(name, _)| name);
        let can_be_read = filtered().all(is_there);
        state.missing =
            state.column.key_columns.iter().chain(filtered()).filter(|name| !is_there(name)).cloned().collect();
        if can_be_read { values(conn, state, &keys) } else { Ok(state) }
    });
    all.collect()
}

/// Counts the values of a sealed column: those that do not look sealed, and those whose key is gone.
fn values(conn: &Connection, mut state: SealedState, keys: &[String]) -> rusqlite::Result<SealedState> {
    let SealedState { column, .. } = &state;
    let name = sql::name(&column.column);
    let mut text = format!("SELECT {name} FROM {} WHERE {name} IS NOT NULL", sql::name(&column.table));
    let (conditions, filtered) = cells::filter(column, 1);
    text.extend(conditions.iter().map(|condition| format!(" AND {condition}")));
    let mut statement = conn.prepare(&text)?;
    let mut rows = statement.query(rusqlite::params_from_iter(filtered))?;
    while let Some(row) = rows.next()? {
        state.count(row.get_ref(0)?.as_str().unwrap_or_default(), keys);
    }
    Ok(state)
}

/// The words for a column of another type than treelift writes: damage, not a fault of treelift.
pub(super) fn fault(error: &rusqlite::Error, location: &Location) -> Error {
    match error {
        rusqlite::Error::InvalidColumnType(_, name, _) => {
            Error::environment(format!("a row of `treelift_keys` is damaged: `{name}` has the wrong type"))
                .at(&location.shown)
                .hint("restore `treelift_keys` from a backup; without it the sealed values cannot be opened")
        }
        error => location.fault(error),
    }
}
