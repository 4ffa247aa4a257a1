//! The record of migrations, column for column as SQLAlchemy applications keep it: in the table that the set names,
//! else in `schema_migrations`; where another program's table has that name, in `treelift_migrations`. Which one the set
//! named is kept in `treelift_state`, so that a database never has two.

use super::connect::Session;
use super::place::Tried;
use super::{catalog, form, ledger_tables, sql, state};
use crate::database::Migration;
use crate::database::done::Timing;
use crate::database::history::{NOT_NEEDED, OWN_RECORD, Origin, RECORD, RecordReason, RecordTable, Recorded, Status};
use crate::error::Error;
use jiff::Timestamp;

/// What the table is made of.
const TABLE: &str = "(
    id SERIAL PRIMARY KEY,
    version VARCHAR(50) NOT NULL UNIQUE,
    description TEXT,
    applied_at TIMESTAMP NOT NULL,
    execution_time_ms INTEGER,
    checksum VARCHAR(64),
    rollback_applied BOOLEAN,
    rollback_at TIMESTAMP,
    status VARCHAR(20),
    error_message TEXT,
    metadata_json TEXT
)";

/// Its columns.
const COLUMNS: &str = "id version description applied_at execution_time_ms checksum rollback_applied rollback_at status \
                       error_message metadata_json";

/// The table that records migrations, or would where there is none yet. `named` is the one that the set names; within a
/// transaction that has set the record up, the database knows it.
pub(super) fn table(session: &Session, named: Option<&str>) -> Tried<RecordTable> {
    let of = |name: &str, why| Ok(RecordTable { name: name.to_owned(), why });
    let kept = |name: &str| match named {
        Some(named) if named == name => of(name, RecordReason::Named),
        None if name == RECORD => of(name, RecordReason::Usual),
        _ => of(name, RecordReason::Kept(named.map(str::to_owned))),
    };
    if let Some(stored) = state::value(session, state::RECORD_NAME)?
        && (named.is_none() || catalog::has_table(session, &stored)?)
    {
        return kept(&stored);
    }
    match named {
        None if catalog::has_table(session, OWN_RECORD)? => of(OWN_RECORD, RecordReason::Foreign),
        None if catalog::taken(session, RECORD)?.is_some() && !is_record(session, RECORD)? => {
            of(OWN_RECORD, RecordReason::Foreign)
        }
        None => Ok(RecordTable::default()),
        Some(_) if catalog::has_table(session, OWN_RECORD)? => kept(OWN_RECORD),
        Some(_) if is_record(session, RECORD)? && is_written_by_us(session, RECORD)? => kept(RECORD),
        Some(named) => of(named, RecordReason::Named),
    }
}

/// Whether a table has all columns of a record.
fn is_record(session: &Session, name: &str) -> Tried<bool> {
    if !catalog::has_table(session, name)? {
        return Ok(false);
    }
    let text = "SELECT a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped";
    let rows = session.query(text, &[Some(session.schema_of(name)), Some(name)])?;
    let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    Ok(COLUMNS.split(' ').all(|wanted| columns.iter().any(|column| column == wanted)))
}

/// Whether treelift recorded a migration in it. A record that only an application writes does not keep the set from
/// naming another.
fn is_written_by_us(session: &Session, name: &str) -> Tried<bool> {
    let text = format!("SELECT 1 FROM {} WHERE metadata_json::text LIKE '%\"by\":\"treelift %'", sql::name(name));
    session.has(&text, &[])
}

/// As [`table`], with the name that the set gives. One that something else has is refused.
pub(super) fn judged(session: &Session) -> Tried<RecordTable> {
    let table = table(session, session.place.record.as_deref())?;
    if catalog::taken(session, &table.name)?.is_none() || is_record(session, &table.name)? {
        return Ok(table);
    }
    let error = Error::environment(format!(
        "`{}`, where migrations are to be recorded, belongs to another program: it is not a table with the columns of a record of migrations",
        table.name
    ))
    .at(session.place.shown());
    let hint = match table.why {
        RecordReason::Named => "name another table with `migrations_table` in set.toml",
        _ => "restore the database from a backup, or rename what has this name",
    };
    Err(error.hint(hint).into())
}

/// What is recorded, in the order it was; nothing where there is no record yet.
pub(super) fn recorded(session: &Session) -> Tried<Vec<Recorded>> {
    let table = judged(session)?.name;
    if !catalog::has_table(session, &table)? {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT version::text, description::text, applied_at::text, execution_time_ms::int8, checksum::text,
                rollback_at::text, error_message::text, status::text, metadata_json::text
         FROM {} ORDER BY applied_at, id",
        sql::name(&table)
    );
    let recorded = session.query(&text, &[])?.into_iter().map(|row| {
        let [status, metadata]: [Option<String>; 2] = [row.get(7), row.get(8)];
        Recorded {
            version: row.get(0),
            description: row.get(1),
            status: Status::of(&status.unwrap_or_default()),
            applied_at: row.get(2),
            took_ms: row.get(3),
            checksum: row.get(4),
            rolled_back_at: row.get(5),
            error: row.get(6),
            origin: Origin::of(metadata.as_deref()),
        }
    });
    Ok(recorded.collect())
}

/// Makes the table where it is not there. Where the set names one, the database remembers which it is.
pub(super) fn set_up(session: &Session) -> Tried<()> {
    let table = judged(session)?.name;
    if !catalog::has_table(session, &table)? {
        session.make(&format!("CREATE TABLE {} {TABLE}", sql::name(&table)))?;
    }
    if session.place.record.is_some() {
        ledger_tables::set_up_state(session, None)?;
        state::put(session, state::RECORD_NAME, &table)?;
    }
    Ok(())
}

/// Records a migration as applied.
pub(super) fn applied(session: &Session, migration: &Migration, origin: Origin, timing: Timing) -> Tried<()> {
    write(session, migration, "applied", origin, timing, None)
}

/// Records that a migration is not needed.
pub(super) fn not_needed(session: &Session, migration: &Migration, timing: Timing) -> Tried<()> {
    write(session, migration, NOT_NEEDED, Origin::Ran, timing, None)
}

/// Records that a migration failed, over what was recorded of it.
pub(super) fn failed(session: &Session, migration: &Migration, timing: Timing, why: &str) -> Tried<()> {
    write(session, migration, "failed", Origin::Ran, timing, Some(why))
}

/// Records that an applied migration was rolled back.
pub(super) fn rolled_back(session: &Session, migration: &Migration, at: Timestamp) -> Tried<()> {
    let table = sql::name(&table(session, None)?.name);
    let text = format!(
        "UPDATE {table} SET status = 'rolled_back', rollback_applied = TRUE, rollback_at = $2::timestamp WHERE version = $1"
    );
    session.execute(&text, &[Some(&migration.version), Some(&form::clock_text(at))]).map(drop)
}

fn write(
    session: &Session,
    migration: &Migration,
    status: &str,
    origin: Origin,
    timing: Timing,
    error: Option<&str>,
) -> Tried<()> {
    // A migration that failed or was rolled back has a row already.
    let table = sql::name(&table(session, None)?.name);
    let text = format!(
        "INSERT INTO {table}
             (version, description, applied_at, execution_time_ms, checksum, rollback_applied, status, error_message,
              metadata_json)
         VALUES ($1, $2, $3::timestamp, $4::int8, $5, FALSE, $6, $7, $8)
         ON CONFLICT (version) DO UPDATE SET
             description = excluded.description, applied_at = excluded.applied_at,
             execution_time_ms = excluded.execution_time_ms, checksum = excluded.checksum, rollback_applied = FALSE,
             rollback_at = NULL, status = excluded.status, error_message = excluded.error_message,
             metadata_json = excluded.metadata_json"
    );
    let (at, took, metadata) = (form::clock_text(timing.at), timing.took_ms.to_string(), origin.metadata(migration));
    let values = [
        Some(migration.version.as_str()),
        Some(&migration.description),
        Some(&at),
        Some(&took),
        Some(&migration.checksum),
        Some(status),
        error,
        Some(&metadata),
    ];
    session.execute(&text, &values).map(drop)
}
