//! The registered keys, which columns hold what was sealed with them, and what those hold.

use super::connect::Session;
use super::judged::Judged;
use super::opened::PostgresTransaction;
use super::place::Tried;
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
use postgres::Row;
use std::collections::BTreeMap;

/// The registered keys, oldest first.
pub(super) fn all(session: &Session) -> Tried<Vec<KeyRow>> {
    if !catalog::has_table(session, KEYS_TABLE)? {
        return Ok(Vec::new());
    }
    let text = "SELECT id::text, state::text, kdf::text, key_check::text, wrapped_key::text, seal_count::int8,
                       created_at::text, retired_at::text FROM treelift_keys ORDER BY created_at, id";
    let key = |row: &Row| {
        Ok(KeyRow {
            id: row.try_get(0)?,
            state: row.try_get(1)?,
            kdf: row.try_get(2)?,
            key_check: row.try_get(3)?,
            wrapped_key: row.try_get(4)?,
            seal_count: row.try_get(5)?,
            created_at: row.try_get(6)?,
            retired_at: row.try_get(7)?,
        })
    };
    let rows: Result<Vec<KeyRow>, postgres::Error> = session.query(text, &[])?.iter().map(key).collect();
    Ok(rows.map_err(|_| {
        Error::environment("a row of `treelift_keys` is damaged: something in it is NULL")
            .at(session.place.shown())
            .hint("restore `treelift_keys` from a backup; without it the sealed values cannot be opened")
    })?)
}

/// Writes the proof, with the digest of the same: what that was, and what it is.
fn put_proof(session: &Session, counts: &str, hmac: &str) -> Tried<(Option<String>, String)> {
    let before = state::value(session, state::DIGEST_NAME)?;
    state::put(session, state::COUNTS_NAME, counts)?;
    state::put(session, state::HMAC_NAME, hmac)?;
    let now = registry(session)?.digest_now();
    state::put(session, state::DIGEST_NAME, &now)?;
    Ok((before, now))
}

fn put_key(session: &Session, key: &KeyRow) -> Tried<()> {
    let text = "INSERT INTO treelift_keys (id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at)
                VALUES ($1, $2, $3, $4, $5, $6::int8, $7, $8)
                ON CONFLICT (id) DO UPDATE SET state = excluded.state, kdf = excluded.kdf,
                    key_check = excluded.key_check, wrapped_key = excluded.wrapped_key,
                    seal_count = excluded.seal_count, created_at = excluded.created_at,
                    retired_at = excluded.retired_at";
    let count = key.seal_count.to_string();
    let values = [
        Some(key.id.as_str()),
        Some(&key.state),
        Some(&key.kdf),
        Some(&key.key_check),
        Some(&key.wrapped_key),
        Some(&count),
        Some(&key.created_at),
        key.retired_at.as_deref(),
    ];
    session.execute(text, &values).map(drop)
}

/// The sealed values of an open database whose schema is changed.
pub(super) struct Seals<'s> {
    session: &'s Session,
    /// The types of the columns that were written.
    judged: BTreeMap<SealedColumn, Judged>,
}

impl<'s> Seals<'s> {
    pub(super) fn of(session: &'s Session) -> Self {
        Self { session, judged: BTreeMap::new() }
    }

    fn said<T>(&self, done: Tried<T>) -> Result<T> {
        done.map_err(|fault| self.session.place.words(fault))
    }
}

impl Sealing for Seals<'_> {
    fn seal_record(&self) -> Result<SealRecord> {
        self.said(record(self.session))
    }

    fn registered(&self) -> Result<Vec<Registered>> {
        self.said(registered(self.session))
    }

    fn cells(&self, column: &SealedColumn) -> Result<Vec<KeyedCell>> {
        self.said(cells::read(self.session, column))
    }

    fn every_text(&self, visit: &mut dyn FnMut(&str, &str, &[u8])) -> Result<()> {
        self.said(cells::every_text(self.session, visit))
    }

    fn write_cell(&mut self, column: &SealedColumn, key: &[Cell], text: &str) -> Result<()> {
        if !self.judged.contains_key(column) {
            let judged = self.said(cells::judge(self.session, column))?;
            self.judged.insert(column.clone(), judged);
        }
        self.said(cells::write(self.session, (column, &self.judged[column]), key, text))
    }

    fn put_key(&mut self, key: &KeyRow) -> Result<()> {
        self.said(put_key(self.session, key))
    }

    fn register(&mut self, column: &Registered) -> Result<()> {
        self.said(register(self.session, column))
    }

    fn unregister(&mut self, column: &SealedColumn) -> Result<()> {
        let text = "DELETE FROM treelift_sealed_columns
                    WHERE table_name = $1 AND column_name = $2 AND row_filter IS NOT DISTINCT FROM $3";
        let filter = filter_text(column);
        let values = [Some(column.table.as_str()), Some(&column.column), filter.as_deref()];
        self.said(self.session.execute(text, &values).map(drop))
    }

    fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()> {
        self.said(put_proof(self.session, counts, hmac).map(drop))
    }
}

impl PostgresTransaction {
    pub(super) fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()> {
        let (before, now) = self.on(|session| put_proof(session, counts, hmac))?;
        let first = self.state.proof.take().map_or(before, |(first, _)| first);
        self.state.proof = Some((first, now));
        Ok(())
    }

    pub(super) fn put_key(&mut self, key: &KeyRow) -> Result<()> {
        self.on(|session| put_key(session, key))
    }

    pub(super) fn remove_key(&mut self, id: &str) -> Result<()> {
        self.on(|session| session.execute("DELETE FROM treelift_keys WHERE id = $1", &[Some(id)]).map(drop))
    }

    pub(super) fn put_sealed_columns(&mut self, columns: &[SealedColumn]) -> Result<()> {
        self.on(|session| columns.iter().try_for_each(|column| put_sealed_column(session, column)))
    }

    pub(super) fn register(&mut self, column: &Registered) -> Result<()> {
        self.on(|session| register(session, column))
    }

    pub(super) fn write_cell(&mut self, column: &SealedColumn, key: &[Cell], text: &str) -> Result<()> {
        if !self.state.judged.contains_key(column) {
            let judged = self.on(|session| cells::judge(session, column))?;
            self.state.judged.insert(column.clone(), judged);
        }
        let judged = &self.state.judged[column];
        self.on(|session| cells::write(session, (column, judged), key, text))
    }
}

/// The registered columns, by name.
pub(super) fn registered(session: &Session) -> Tried<Vec<Registered>> {
    let mut rows = registry_rows(session)?;
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
                    .at(session.place.shown())
                    .hint("restore it from a backup; docs/credentials.md describes its contents")
                    .into())
            }
        }
    };
    rows.into_iter().map(read).collect()
}

/// Registers a column in a format, or changes the format of one that is registered.
fn register(session: &Session, column: &Registered) -> Tried<()> {
    let Registered { column, format } = column;
    let filter = filter_text(column);
    let values = [Some(format.as_str()), Some(&column.table), Some(&column.column), filter.as_deref()];
    let text = "UPDATE treelift_sealed_columns SET format = $1
                WHERE table_name = $2 AND column_name = $3 AND row_filter IS NOT DISTINCT FROM $4";
    if session.execute(text, &values)? > 0 {
        return Ok(());
    }
    let text = "INSERT INTO treelift_sealed_columns (format, table_name, column_name, row_filter, key_columns)
                VALUES ($1, $2, $3, $4, $5)";
    let key = key_text(column);
    let [format, table, name, filter] = values;
    session.execute(text, &[format, table, name, filter, Some(&key)]).map(drop)
}

fn key_text(column: &SealedColumn) -> String {
    serde_json::Value::from_iter(column.key_columns.iter().cloned()).to_string()
}

fn filter_text(column: &SealedColumn) -> Option<String> {
    column.row_filter.as_ref().map(|filter| serde_json::json!(filter).to_string())
}

/// Whether every value of a column is one that treelift sealed.
fn holds_ours_alone(session: &Session, column: &SealedColumn) -> Tried<bool> {
    let state = SealedState { column: column.clone(), format: FORMAT.to_owned(), ..SealedState::default() };
    Ok(values(session, state, &[])?.plain == 0)
}

/// Registers a sealed column. One column may be registered with several row filters; the columns
/// that identify its rows are part of each value's proof and cannot change under it.
fn put_sealed_column(session: &Session, column: &SealedColumn) -> Tried<()> {
    let filter = filter_text(column);
    let text = "SELECT key_columns, format FROM treelift_sealed_columns
                WHERE table_name = $1 AND column_name = $2 AND row_filter IS NOT DISTINCT FROM $3";
    let known = session.first(text, &[Some(&column.table), Some(&column.column), filter.as_deref()])?;
    if let Some((known, format)) = known.map(|row| (row.get::<_, String>(0), row.get::<_, String>(1)))
        // Where nothing of a hand-over is left, the column is ours again.
        && !(known == key_text(column) && (is_ours(&format) || holds_ours_alone(session, column)?))
    {
        let name = format!("column `{}.{}`", column.table, column.column);
        let error = if is_ours(&format) {
            Error::environment(format!("{name} holds values that were sealed for other key columns"))
                .hint("keep the key columns of the mapping that sealed them")
        } else {
            Error::environment(format!("{name} was handed over to the application"))
                .hint("seal it again first with `credentials encrypt --from fernet`")
        };
        return Err(error.at(session.place.shown()).into());
    }
    // New values have the new format.
    register(session, &Registered { column: column.clone(), format: FORMAT.to_owned() })
}

/// The keys, the registry with its proof, and what the registered columns hold.
pub(super) fn record(session: &Session) -> Tried<SealRecord> {
    let registry = registry(session)?;
    let columns = sealed(session, &registry)?;
    Ok(SealRecord { registry, columns, place: session.place.shown().to_owned() })
}

/// The keys and the registry with its proof.
pub(super) fn registry(session: &Session) -> Tried<Registry> {
    let (keys, columns) = (all(session)?, registry_rows(session)?);
    let (counts, hmac) = (state::value(session, state::COUNTS_NAME)?, state::value(session, state::HMAC_NAME)?);
    Ok(Registry { keys, columns, counts, hmac, digest: state::value(session, state::DIGEST_NAME)? })
}

fn registry_rows(session: &Session) -> Tried<Vec<RegistryRow>> {
    if !catalog::has_table(session, COLUMNS_TABLE)? {
        return Ok(Vec::new());
    }
    let text = "SELECT table_name::text, column_name::text, row_filter::text, key_columns::text, format::text
                FROM treelift_sealed_columns";
    let registered = |row: &Row| {
        Ok(RegistryRow {
            table: row.try_get(0)?,
            column: row.try_get(1)?,
            row_filter: row.try_get(2)?,
            key_columns: row.try_get(3)?,
            format: row.try_get(4)?,
        })
    };
    let rows: Result<Vec<RegistryRow>, postgres::Error> = session.query(text, &[])?.iter().map(registered).collect();
    Ok(rows.map_err(|_| {
        Error::environment("`treelift_sealed_columns` is damaged: something in it is NULL")
            .at(session.place.shown())
            .hint("restore it from a backup; docs/credentials.md describes its contents")
    })?)
}

/// The registered columns and what they hold.
pub(super) fn sealed(session: &Session, registry: &Registry) -> Tried<Vec<SealedState>> {
    let keys: Vec<String> = registry.keys.iter().map(|key| key.id.clone()).collect();
    let mut rows: Vec<_> = registry.columns.iter().collect();
    rows.sort();
    let all = rows.into_iter().map(|row| {
        let (column, _) = SealedColumn::of(row);
        let has = cells::columns(session, &column.table)?;
        let is_there = |name: &String| has.iter().any(|(one, _)| one == name);
        let mut state = SealedState { column, format: row.format.clone(), ..SealedState::default() };
        if !is_there(&state.column.column) {
            return Ok(state);
        }
        let filtered = || state.column.row_filter.iter().flatten().map(|(name, _)| name);
        let can_be_read = filtered().all(is_there);
        state.missing =
            state.column.key_columns.iter().chain(filtered()).filter(|name| !is_there(name)).cloned().collect();
        if can_be_read { values(session, state, &keys) } else { Ok(state) }
    });
    all.collect()
}

/// Counts the values of a sealed column: those that do not look sealed, and those whose key is gone.
fn values(session: &Session, mut state: SealedState, keys: &[String]) -> Tried<SealedState> {
    let SealedState { column, .. } = &state;
    let name = sql::name(&column.column);
    let mut text = format!("SELECT {name}::text FROM {} WHERE {name} IS NOT NULL", sql::name(&column.table));
    let (conditions, filtered) = cells::filter(column, 1);
    text.extend(conditions.iter().map(|condition| format!(" AND {condition}")));
    let filtered: Vec<Option<&str>> = filtered.into_iter().map(|value| Some(value.as_str())).collect();
    for row in session.query(&text, &filtered)? {
        state.count(row.get(0), keys);
    }
    Ok(state)
}
