//! The ledger's tables as they are made.

use super::location::{Location, Tried};
use super::{catalog, sql, state};
use crate::database::own::no_ledger;
use crate::database::own_table::{self, OwnTable};
use crate::database::state::FORMAT;
use crate::error::Error;
use rusqlite::{Connection, OptionalExtension};

/// The SQL of every table, without references: the check for orphans is about the application's
/// rows. What a version adds comes at the end of the columns and takes NULL, so that it can be added to a table of an
/// earlier one; a database that has one in another form was made by a later version.
const LEDGER: [&str; 7] = [
    "CREATE TABLE treelift_runs (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, program TEXT NOT NULL,
        mapping_set TEXT NOT NULL, set_digest TEXT NOT NULL, set_folder TEXT, source TEXT NOT NULL,
        started DATETIME NOT NULL, finished DATETIME NOT NULL, files INTEGER NOT NULL, leaves INTEGER NOT NULL,
        inserted INTEGER NOT NULL, updated INTEGER NOT NULL, unchanged INTEGER NOT NULL, rejected INTEGER NOT NULL,
        removed INTEGER NOT NULL, undoes TEXT, host TEXT, user_name TEXT, plan TEXT, forgotten DATETIME,
        forgotten_by TEXT
    )",
    "CREATE TABLE treelift_files (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL,
        path TEXT NOT NULL, sha256 BLOB NOT NULL, bytes INTEGER NOT NULL, UNIQUE (path, id)
    )",
    "CREATE TABLE treelift_tables (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE treelift_columns (
        id INTEGER PRIMARY KEY, \"table\" INTEGER NOT NULL, digested TEXT NOT NULL, clock TEXT NOT NULL,
        sealed TEXT NOT NULL, filled INTEGER NOT NULL, UNIQUE (\"table\", digested, clock, sealed, filled)
    )",
    "CREATE TABLE treelift_rows (
        file INTEGER NOT NULL, \"table\" INTEGER NOT NULL, number INTEGER NOT NULL, row_key TEXT NOT NULL,
        \"offset\" INTEGER NOT NULL, columns INTEGER NOT NULL, digest BLOB, own BLOB,
        PRIMARY KEY (file, \"table\", number)
    ) WITHOUT ROWID",
    // What the last import that read a whole tree found there, so that the same tree need not be read again.
    "CREATE TABLE treelift_seen (
        run INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (run, part)
    )",
    // What columns held before a run gave them other values, as they held it; a secret is sealed for its place here.
    "CREATE TABLE treelift_earlier (
        run INTEGER NOT NULL, number INTEGER NOT NULL, \"table\" INTEGER NOT NULL, row_key TEXT NOT NULL,
        column_name TEXT NOT NULL, value, sealed TEXT,
        PRIMARY KEY (run, number), UNIQUE (\"table\", row_key, run, column_name)
    )",
];

/// The two that sealed values hang on.
const KEYS: [&str; 2] = [
    "CREATE TABLE treelift_keys (
        id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, kdf TEXT NOT NULL, key_check TEXT NOT NULL,
        wrapped_key TEXT NOT NULL, seal_count INTEGER NOT NULL, created_at DATETIME NOT NULL, retired_at DATETIME
    )",
    "CREATE TABLE treelift_sealed_columns (
        table_name TEXT NOT NULL, column_name TEXT NOT NULL, key_columns TEXT NOT NULL, format TEXT NOT NULL,
        row_filter TEXT
    )",
];

/// Makes treelift's tables, or sees that they are the ones this version writes.
pub(super) fn set_up(conn: &Connection, location: &Location) -> Tried<()> {
    set_up_tables(conn, location, &LEDGER)?;
    set_up_keys(conn, location)
}

/// Refuses a database without a ledger, of which nothing can be told.
pub(super) fn must_be_there(conn: &Connection, location: &Location) -> Tried<()> {
    let is_there = |text: &&str| catalog::has_table(conn, name_of(text));
    for text in &LEDGER {
        if !is_there(text)? {
            return Err(no_ledger(&location.shown).into());
        }
    }
    Ok(())
}

/// Makes or sees the two tables that sealed values hang on: all that a database needs that has no ledger.
pub(super) fn set_up_keys(conn: &Connection, location: &Location) -> Tried<()> {
    set_up_tables(conn, location, &KEYS)?;
    set_up_state(conn, location, None)
}

/// Brings a database to the format of this version, as every transaction does that writes. One without
/// an id gets `id`, else a new one.
pub(super) fn set_up_state(conn: &Connection, location: &Location, id: Option<&str>) -> Tried<()> {
    set_up_tables(conn, location, &[state::TABLE])?;
    if state::read(conn, location)?.format < FORMAT {
        complete(conn, location)?;
    }
    state::upgrade(conn, location, id)
}

/// Adds to the tables of ours that there are what they lack.
fn complete(conn: &Connection, location: &Location) -> Tried<()> {
    for text in LEDGER.iter().chain(&KEYS) {
        if catalog::has_table(conn, name_of(text))? {
            set_up_tables(conn, location, &[text])?;
        }
    }
    Ok(())
}

/// The columns of this list of a table of ours that may be of an earlier version: what it lacks is NULL.
pub(super) fn selected(conn: &Connection, table: &str, list: &[&str]) -> rusqlite::Result<String> {
    let there: Vec<String> = sql::column(conn, "SELECT name FROM pragma_table_info(?1)", [table])?;
    Ok(own_table::selected(list, &there, ""))
}

fn name_of(text: &str) -> &str {
    // CREATE TABLE name (
    text.split_whitespace().nth(2).unwrap_or_default()
}

fn set_up_tables(conn: &Connection, location: &Location, tables: &[&str]) -> Tried<()> {
    for text in tables {
        let name = name_of(text);
        let stored: Option<(String, Option<String>)> = conn
            .query_row(
                "SELECT type, sql FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type <> 'trigger'",
                [name],
                |row| row.try_into(),
            )
            .optional()?;
        let wanted = OwnTable::of(text);
        let error = match stored {
            None => {
                conn.execute_batch(text)?;
                continue; // made
            }
            Some((kind, _)) if kind != "table" => Error::environment(format!(
                "the name `{name}` is taken in the database by {} of another program",
                if kind == "view" { "a view".to_owned() } else { format!("an {kind}") }
            ))
            .hint("treelift needs a table of this name: rename what has it"),
            Some((_, stored)) => {
                if let Some(missing) = wanted.missing_in(&OwnTable::of(&stored.unwrap_or_default())) {
                    for column in missing {
                        conn.execute_batch(&format!("ALTER TABLE {name} ADD COLUMN {column}"))?;
                    }
                    continue; // as it must be
                }
                Error::environment(format!(
                    "the database was written by another version of treelift: its table `{name}` has other columns"
                ))
                .hint("use the version that `treelift_runs` names in `program`, or a newer one")
            }
        };
        return Err(error.at(&location.shown).into());
    }
    Ok(())
}
