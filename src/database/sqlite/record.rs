//! The record of migrations, column for column as SQLAlchemy applications keep it: in the table that the
//! set names, else in `schema_migrations`; where another program's table has that name, in
//! `treelift_migrations`. Which one the set named is kept in `treelift_state`, so that a database never
//! has two.

use super::location::{Location, Tried};
use super::{catalog, ledger_tables, sql, state, times};
use crate::database::Migration;
use crate::database::done::Timing;
use crate::database::history::{NOT_NEEDED, OWN_RECORD, Origin, RECORD, RecordReason, RecordTable, Recorded, Status};
use crate::error::Error;
use jiff::Timestamp;
use rusqlite::Connection;

/// What the table is made of.
const TABLE: &str = "(
    id INTEGER NOT NULL,
    version VARCHAR(50) NOT NULL,
    description TEXT,
    applied_at DATETIME NOT NULL,
    execution_time_ms INTEGER,
    checksum VARCHAR(64),
    rollback_applied BOOLEAN,
    rollback_at DATETIME,
    status VARCHAR(20),
    error_message TEXT,
    metadata_json TEXT,
    PRIMARY KEY (id),
    UNIQUE (version)
)";

/// Its columns.
const COLUMNS: &str = "id version description applied_at execution_time_ms checksum rollback_applied rollback_at status \
                       error_message metadata_json";

/// The table that records migrations, or would where there is none yet. `named` is the one that the set
/// names; within a transaction that has set the record up, the database knows it.
pub(super) fn table(conn: &Connection, named: Option<&str>) -> rusqlite::Result<RecordTable> {
    let is_named = |name: &str| named.is_some_and(|named| named.eq_ignore_ascii_case(name));
    let of = |name: &str, why| Ok(RecordTable { name: name.to_owned(), why });
    let kept = |name: &str| match named {
        _ if is_named(name) => of(name, RecordReason::Named),
        None if name.eq_ignore_ascii_case(RECORD) => of(name, RecordReason::Usual),
        _ => of(name, RecordReason::Kept(named.map(str::to_owned))),
    };
    if let Some(stored) = state::value(conn, state::RECORD_NAME)?
        && (named.is_none() || catalog::has_table(conn, &stored)?)
    {
        return kept(&stored);
    }
    match named {
        None if catalog::has_table(conn, OWN_RECORD)? => of(OWN_RECORD, RecordReason::Foreign),
        None if is_taken(conn, RECORD)? && !is_record(conn, RECORD)? => of(OWN_RECORD, RecordReason::Foreign),
        None => Ok(RecordTable::default()),
        Some(_) if catalog::has_table(conn, OWN_RECORD)? => kept(OWN_RECORD),
        Some(_) if is_record(conn, RECORD)? && is_written_by_us(conn, RECORD)? => kept(RECORD),
        Some(named) => of(named, RecordReason::Named),
    }
}

fn is_taken(conn: &Connection, name: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE")?.exists([name])
}

/// Whether a table has all columns of a record.
fn is_record(conn: &Connection, name: &str) -> rusqlite::Result<bool> {
    let columns: Vec<String> = sql::column(conn, "SELECT lower(name) FROM pragma_table_info(?1)", [name])?;
    Ok(catalog::has_table(conn, name)?
        && COLUMNS.split(' ').all(|wanted| columns.iter().any(|column| column == wanted)))
}

/// Whether treelift recorded a migration in it. A record that only an application writes does not keep the
/// set from naming another.
fn is_written_by_us(conn: &Connection, name: &str) -> rusqlite::Result<bool> {
    let text = format!("SELECT 1 FROM {} WHERE metadata_json LIKE '%\"by\":\"treelift %'", sql::name(name));
    conn.prepare(&text)?.exists([])
}

/// As [`table`], with the name that the set gives. One that something else has is refused.
pub(super) fn judged(conn: &Connection, location: &Location) -> Tried<RecordTable> {
    let table = table(conn, location.record.as_deref())?;
    if !is_taken(conn, &table.name)? || is_record(conn, &table.name)? {
        return Ok(table);
    }
    let error = Error::environment(format!(
        "`{}`, where migrations are to be recorded, belongs to another program: it is not a table with the columns of a record of migrations",
        table.name
    ))
    .at(&location.shown);
    let hint = match table.why {
        RecordReason::Named => "name another table with `migrations_table` in set.toml",
        _ => "restore the database from a backup, or rename what has this name",
    };
    Err(error.hint(hint).into())
}

/// What is recorded, in the order it was; nothing where there is no record yet.
pub(super) fn recorded(conn: &Connection, location: &Location) -> Tried<Vec<Recorded>> {
    let table = judged(conn, location)?.name;
    if !catalog::has_table(conn, &table)? {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT version, description, applied_at, execution_time_ms, checksum, rollback_at, error_message,
             status, metadata_json
         FROM {} ORDER BY applied_at, id",
        sql::name(&table)
    );
    let mut statement = conn.prepare(&text)?;
    let rows = statement.query_map([], |row| {
        let (version, description, applied_at, took_ms, checksum, rolled_back_at, error) =
            <(_, _, _, _, _, _, _)>::try_from(row)?;
        let [status, metadata]: [Option<String>; 2] = [row.get(7)?, row.get(8)?];
        let (status, origin) = (Status::of(&status.unwrap_or_default()), Origin::of(metadata.as_deref()));
        Ok(Recorded { version, description, status, applied_at, took_ms, checksum, rolled_back_at, error, origin })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Makes the table where it is not there. Where the set names one, the database remembers which it is.
pub(super) fn set_up(conn: &Connection, location: &Location) -> Tried<()> {
    let table = judged(conn, location)?.name;
    if !catalog::has_table(conn, &table)? {
        conn.execute_batch(&format!("CREATE TABLE {} {TABLE}", sql::name(&table)))?;
    }
    if location.record.is_some() {
        ledger_tables::set_up_state(conn, location, None)?;
        state::put(conn, state::RECORD_NAME, &table)?;
    }
    Ok(())
}

/// Records a migration as applied.
pub(super) fn applied(
    conn: &Connection,
    migration: &Migration,
    origin: Origin,
    timing: Timing,
) -> rusqlite::Result<()> {
    write(conn, migration, "applied", origin, timing, None)
}

/// Records that a migration is not needed.
pub(super) fn not_needed(conn: &Connection, migration: &Migration, timing: Timing) -> rusqlite::Result<()> {
    write(conn, migration, NOT_NEEDED, Origin::Ran, timing, None)
}

/// Records that a migration failed, over what was recorded of it.
pub(super) fn failed(conn: &Connection, migration: &Migration, timing: Timing, why: &str) -> rusqlite::Result<()> {
    write(conn, migration, "failed", Origin::Ran, timing, Some(why))
}

/// Records that an applied migration was rolled back.
pub(super) fn rolled_back(conn: &Connection, migration: &Migration, at: Timestamp) -> rusqlite::Result<()> {
    let table = sql::name(&table(conn, None)?.name);
    conn.execute(
        &format!(
            "UPDATE {table} SET status = 'rolled_back', rollback_applied = 1, rollback_at = ?2 WHERE version = ?1"
        ),
        (&migration.version, times::clock_text(at)),
    )
    .map(drop)
}

fn write(
    conn: &Connection,
    migration: &Migration,
    status: &str,
    origin: Origin,
    timing: Timing,
    error: Option<&str>,
) -> rusqlite::Result<()> {
    // A migration that failed or was rolled back has a row already.
    let table = sql::name(&table(conn, None)?.name);
    let text = format!(
        "INSERT INTO {table}
             (version, description, applied_at, execution_time_ms, checksum, rollback_applied, status, error_message,
              metadata_json)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8)
         ON CONFLICT (version) DO UPDATE SET
             description = excluded.description, applied_at = excluded.applied_at,
             execution_time_ms = excluded.execution_time_ms, checksum = excluded.checksum, rollback_applied = 0,
             rollback_at = NULL, status = excluded.status, error_message = excluded.error_message,
             metadata_json = excluded.metadata_json"
    );
    conn.execute(
        &text,
        (
            &migration.version,
            &migration.description,
            times::clock_text(timing.at),
            timing.took_ms,
            &migration.checksum,
            status,
            error,
            origin.metadata(migration),
        ),
    )
    .map(drop)
}
