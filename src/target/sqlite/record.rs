//! The record of migrations, `schema_migrations`, column for column as SQLAlchemy applications keep it;
//! where another program's table has that name, `treelift_migrations`.

use super::catalog;
use super::{form, words};
use crate::error::Result;
use crate::target::Migration;
use crate::target::history::{OWN_RECORD, Origin, RECORD, Recorded, Status};
use jiff::Timestamp;
use rusqlite::{Connection, Row};

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

const COLUMNS: [&str; 11] = [
    "id",
    "version",
    "description",
    "applied_at",
    "execution_time_ms",
    "checksum",
    "rollback_applied",
    "rollback_at",
    "status",
    "error_message",
    "metadata_json",
];

/// The table that records migrations, or would where there is none yet: [`RECORD`], unless something
/// else has that name.
pub(super) fn table_name(conn: &Connection) -> rusqlite::Result<&'static str> {
    if catalog::has_table(conn, OWN_RECORD)? {
        return Ok(OWN_RECORD);
    }
    let taken = conn.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE")?.exists([RECORD])?;
    let columns: Vec<String> = conn
        .prepare_cached("SELECT lower(name) FROM pragma_table_info(?1)")?
        .query_map([RECORD], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let is_ours =
        catalog::has_table(conn, RECORD)? && COLUMNS.iter().all(|wanted| columns.iter().any(|column| column == wanted));
    Ok(if taken && !is_ours { OWN_RECORD } else { RECORD })
}

/// What is recorded, in the order it was; nothing where there is no record yet.
pub(super) fn read(conn: &Connection, place: &str) -> Result<Vec<Recorded>> {
    let read = || -> rusqlite::Result<Vec<Recorded>> {
        let table = table_name(conn)?;
        if !catalog::has_table(conn, table)? {
            return Ok(Vec::new());
        }
        let text = format!(
            "SELECT version, description, status, applied_at, execution_time_ms, checksum, rollback_at, error_message,
                 metadata_json
             FROM {table} ORDER BY applied_at, id"
        );
        conn.prepare(&text)?.query_map([], recorded)?.collect()
    };
    read().map_err(|error| words::fault(&error, place))
}

fn recorded(row: &Row<'_>) -> rusqlite::Result<Recorded> {
    let status: Option<String> = row.get(2)?;
    let metadata: Option<String> = row.get(8)?;
    Ok(Recorded {
        version: row.get(0)?,
        description: row.get(1)?,
        status: Status::of(&status.unwrap_or_default()),
        applied_at: row.get(3)?,
        took_ms: row.get(4)?,
        checksum: row.get(5)?,
        rolled_back_at: row.get(6)?,
        error: row.get(7)?,
        origin: origin(metadata.as_deref()),
    })
}

fn origin(metadata: Option<&str>) -> Origin {
    let metadata: Option<serde_json::Value> = metadata.and_then(|text| serde_json::from_str(text).ok());
    let word = |key: &str| metadata.as_ref().and_then(|metadata| metadata.get(key)?.as_str().map(str::to_owned));
    match (word("by"), word("origin").as_deref()) {
        (Some(by), origin) if by.starts_with("treelift ") => match origin {
            Some("found") => Origin::Found,
            Some("stamped") => Origin::Stamped,
            _ => Origin::Ran,
        },
        _ => Origin::Foreign,
    }
}

/// Makes the table where it is not there.
pub(super) fn set_up(conn: &Connection) -> rusqlite::Result<()> {
    let table = table_name(conn)?;
    if catalog::has_table(conn, table)? { Ok(()) } else { conn.execute_batch(&format!("CREATE TABLE {table} {TABLE}")) }
}

/// When and for how long something was done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) at: Timestamp,
    pub(super) took_ms: i64,
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

/// Records that a migration failed. One that is recorded as applied is left as it is.
pub(super) fn failed(conn: &Connection, migration: &Migration, timing: Timing, why: &str) -> rusqlite::Result<()> {
    write(conn, migration, "failed", Origin::Ran, timing, Some(why))
}

/// Records that an applied migration was rolled back.
pub(super) fn rolled_back(conn: &Connection, migration: &Migration, at: Timestamp) -> rusqlite::Result<()> {
    let table = table_name(conn)?;
    conn.execute(
        &format!(
            "UPDATE {table} SET status = 'rolled_back', rollback_applied = 1, rollback_at = ?2 WHERE version = ?1"
        ),
        (&migration.version, form::clock_text(at)),
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
    let mut metadata = serde_json::json!({
        "by": concat!("treelift ", env!("CARGO_PKG_VERSION")),
        "dependencies": migration.depends,
        "path": migration.path,
    });
    match origin {
        Origin::Found => metadata["origin"] = "found".into(),
        Origin::Stamped => metadata["origin"] = "stamped".into(),
        Origin::Ran | Origin::Foreign => {}
    }
    // A migration that failed or was rolled back has a row already.
    let table = table_name(conn)?;
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
            form::clock_text(timing.at),
            timing.took_ms,
            &migration.checksum,
            status,
            error,
            metadata.to_string(),
        ),
    )
    .map(drop)
}
