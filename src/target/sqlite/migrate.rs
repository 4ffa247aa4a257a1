//! Schema set-up: which migrations a database has, and what is done about the others.
//!
//! A database is judged by its tables, not by its records alone: one that its application made by
//! itself has the tables and no record, and is taken as it is when they are the right ones.

use super::catalog::{self, Unknown};
use super::{form, words};
use crate::error::{Error, Result};
use crate::table::Schema;
use crate::target::schema::first_difference;
use crate::target::{Migration, Opening};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, ErrorCode};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// The record of migrations, column for column as SQLAlchemy applications keep it.
const RECORD: &str = "CREATE TABLE schema_migrations (
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

const RECORD_COLUMNS: [&str; 11] = [
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

/// The tables after each migration, all in memory.
pub(in crate::target) fn stages(migrations: &[Migration]) -> Result<Vec<Schema>> {
    let fault = |error: &rusqlite::Error| words::fault(error, "the schema in memory");
    let mut conn = Connection::open_in_memory().map_err(|error| fault(&error))?;
    conn.execute_batch("PRAGMA foreign_keys = OFF; BEGIN").map_err(|error| fault(&error))?;
    let mut earlier = BTreeSet::new();
    let mut stages = Vec::with_capacity(migrations.len());
    for migration in migrations {
        judge_order(migration, &mut earlier)?;
        run(&mut conn, migration).map_err(|error| wrong(migration, &error))?;
        let mut schema = Schema::default();
        let names = catalog::table_names(&conn).map_err(|error| fault(&error))?;
        for name in names.into_iter().filter(|name| !catalog::is_reserved(name)) {
            if let Some(table) =
                catalog::table(&conn, &name, Unknown::Refuse, &fault).map_err(|error| error.at(&migration.path))?
            {
                schema.tables.insert(name, table);
            }
        }
        stages.push(schema);
    }
    Ok(stages)
}

fn judge_order<'m>(migration: &'m Migration, earlier: &mut BTreeSet<&'m str>) -> Result<()> {
    let version = &migration.version;
    if let Some(missing) = migration.depends.iter().find(|depends| !earlier.contains(depends.as_str())) {
        let message = format!("migration `{version}` depends on `{missing}`, which does not come before it");
        return Err(Error::request(message).at(&migration.path));
    }
    if !earlier.insert(version) {
        return Err(Error::request(format!("two migrations have the version `{version}`")).at(&migration.path));
    }
    Ok(())
}

/// Runs a migration's SQL. What would leave the transaction or the database is not allowed in it.
fn run(conn: &mut Connection, migration: &Migration) -> rusqlite::Result<()> {
    let judge = |context: AuthContext<'_>| match context.action {
        AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        | AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. }
        | AuthAction::Pragma { pragma_value: Some(_), .. } => Authorization::Deny,
        _ => Authorization::Allow,
    };
    conn.authorizer(Some(judge))?;
    let done = conn.execute_batch(&migration.up);
    conn.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
    done
}

/// SQLite's own words may be shown here: in a database in memory there is nothing but the set's SQL.
fn wrong(migration: &Migration, error: &rusqlite::Error) -> Error {
    let version = &migration.version;
    let message = match error.sqlite_error_code() {
        Some(ErrorCode::AuthorizationForStatementDenied) => format!(
            "migration `{version}` does more than make and fill tables: no PRAGMA, ATTACH, BEGIN or COMMIT may stand in it"
        ),
        _ => {
            let text = match error {
                rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
                other => other.to_string(),
            };
            format!("migration `{version}` is no valid SQL: {text}")
        }
    };
    Error::request(message).at(&migration.path)
}

/// Makes what is missing, records what is there, and gives back the live tables.
pub(super) fn set_up(conn: &mut Connection, opening: &Opening, place: &str) -> Result<Schema> {
    let fault = |error: &rusqlite::Error| words::fault(error, place);
    let stages = stages(opening.migrations)?;
    let records = records(conn, place)?;
    judge_records(&records, opening.migrations, place)?;
    for (i, migration) in opening.migrations.iter().enumerate() {
        if records.get(&migration.version).is_some_and(|record| record.status == "applied") {
            continue; // Nothing is to be done: its tables are compared below like all others.
        }
        let started = Instant::now();
        if !is_there(conn, &stages, i, &fault)? {
            run(conn, migration).map_err(|error| cannot(migration, &error, place))?;
        }
        let took = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        record(conn, migration, opening, took).map_err(|error| fault(&error))?;
    }
    let live = read(conn, opening.schema, &fault)?;
    match first_difference(opening.schema, &live) {
        None => Ok(live),
        Some(difference) => Err(Error::environment(format!(
            "the database's tables are not the ones that the migrations make: {difference}"
        ))
        .at(place)
        .hint("import into a new file, or bring the database to the expected form first")),
    }
}

/// The live tables of those that are expected.
pub(super) fn read(conn: &Connection, expected: &Schema, fault: &dyn Fn(&rusqlite::Error) -> Error) -> Result<Schema> {
    let mut live = Schema::default();
    for name in expected.tables.keys() {
        if let Some(table) = catalog::table(conn, name, Unknown::Blob, fault)? {
            live.tables.insert(name.clone(), table);
        }
    }
    Ok(live)
}

/// Whether a migration's work is done already although no record says so.
fn is_there(conn: &Connection, stages: &[Schema], i: usize, fault: &dyn Fn(&rusqlite::Error) -> Error) -> Result<bool> {
    let nothing = Schema::default();
    let before = i.checked_sub(1).map_or(&nothing, |before| &stages[before]);
    let changed: Vec<&String> = stages[i]
        .tables
        .iter()
        .filter(|(name, table)| before.table(name) != Some(*table))
        .map(|(name, _)| name)
        .collect();
    let made: Vec<&String> = changed.iter().copied().filter(|name| before.table(name).is_none()).collect();
    let live = read(conn, &stages[i], fault)?;
    if !made.is_empty() {
        // One of them is enough: should another be missing, the comparison at the end says which.
        return Ok(made.iter().any(|name| live.table(name).is_some()));
    }
    // Tables that exist were changed: it is done if the live ones are of this stage or a later one.
    let only_changed = |stage: &Schema| Schema {
        tables: changed
            .iter()
            .filter_map(|&name| stage.tables.get_key_value(name))
            .map(|(name, table)| (name.clone(), table.clone()))
            .collect(),
    };
    Ok(!changed.is_empty() && stages[i..].iter().any(|stage| first_difference(&only_changed(stage), &live).is_none()))
}

fn cannot(migration: &Migration, error: &rusqlite::Error, place: &str) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::Unknown | ErrorCode::ConstraintViolation) | None => Error::environment(format!(
            "migration `{}` cannot be applied to this database: something that it makes is there already, or something that it needs is not",
            migration.version
        ))
        .at(place)
        .hint("import into a new file, or bring the database to the expected form first"),
        _ => words::fault(error, place),
    }
}

/// A row of `schema_migrations`.
struct Record {
    status: String,
    checksum: Option<String>,
    /// treelift wrote it; another program's checksum is of a file of its own.
    ours: bool,
}

fn records(conn: &Connection, place: &str) -> Result<BTreeMap<String, Record>> {
    let fault = |error: rusqlite::Error| words::fault(&error, place);
    let Some(table) = catalog::table(conn, "schema_migrations", Unknown::Blob, &|error| words::fault(error, place))?
    else {
        conn.execute_batch(RECORD).map_err(fault)?;
        return Ok(BTreeMap::new());
    };
    if let Some(missing) = RECORD_COLUMNS.into_iter().find(|column| table.column(column).is_none()) {
        return Err(Error::environment(format!(
            "the database was made by something else: its table `schema_migrations` has no column `{missing}`"
        ))
        .at(place)
        .hint("name another file; treelift never writes over one that it does not know"));
    }
    conn.prepare("SELECT version, status, checksum, metadata_json FROM schema_migrations")
        .and_then(|mut statement| {
            statement
                .query_map([], |row| {
                    let metadata: Option<String> = row.get(3)?;
                    let metadata: Option<serde_json::Value> =
                        metadata.and_then(|text| serde_json::from_str(&text).ok());
                    let ours =
                        metadata.is_some_and(|metadata| metadata.get("by").is_some_and(|by| is_ours(by.as_str())));
                    let status: Option<String> = row.get(1)?;
                    Ok((row.get(0)?, Record { status: status.unwrap_or_default(), checksum: row.get(2)?, ours }))
                })?
                .collect()
        })
        .map_err(fault)
}

fn is_ours(by: Option<&str>) -> bool {
    by.is_some_and(|by| by.starts_with("treelift "))
}

fn judge_records(records: &BTreeMap<String, Record>, migrations: &[Migration], place: &str) -> Result<()> {
    for (version, record) in records.iter().filter(|(_, record)| record.ours && record.status == "applied") {
        let Some(migration) = migrations.iter().find(|migration| migration.version == *version) else {
            return Err(Error::environment(format!(
                "the database is newer than the mapping set: it has the migration `{version}`, which the set does not"
            ))
            .at(place)
            .hint("use the mapping set that made it, or a newer one"));
        };
        if record.checksum.as_deref() != Some(&migration.checksum) {
            return Err(Error::environment(format!(
                "migration `{version}` was changed after it had been applied to this database"
            ))
            .at(place)
            .hint("undo the change, and make a new migration of it"));
        }
    }
    Ok(())
}

fn record(conn: &Connection, migration: &Migration, opening: &Opening, took: i64) -> rusqlite::Result<()> {
    let metadata = serde_json::json!({
        "by": concat!("treelift ", env!("CARGO_PKG_VERSION")),
        "dependencies": migration.depends,
        "path": migration.path,
    });
    let values = (
        &migration.version,
        &migration.description,
        form::clock_text(opening.started),
        took,
        &migration.checksum,
        metadata.to_string(),
    );
    // A migration that failed or was rolled back has a row already.
    let known = conn.execute(
        "UPDATE schema_migrations SET description = ?2, applied_at = ?3, execution_time_ms = ?4, checksum = ?5,
             rollback_applied = 0, rollback_at = NULL, status = 'applied', error_message = NULL, metadata_json = ?6
         WHERE version = ?1",
        values.clone(),
    )?;
    if known == 0 {
        conn.execute(
            "INSERT INTO schema_migrations
                 (version, description, applied_at, execution_time_ms, checksum, rollback_applied, status, metadata_json)
             VALUES (?1, ?2, ?3, ?4, ?5, 0, 'applied', ?6)",
            values,
        )?;
    }
    Ok(())
}
