//! Faults of SQLite in our words. Its own texts can carry values, so only names are taken from them.

use super::sql::one_line;
use crate::error::Error;
use crate::interrupt;
use rusqlite::ErrorCode;
use rusqlite::ffi;
use std::fmt;

/// What a fault of SQLite means for the user. `place` is the database as the user wrote it.
pub(super) fn fault(error: &rusqlite::Error, place: impl fmt::Display) -> Error {
    if let Some(text) = about_schema(error) {
        return Error::environment(format!("the database's schema is not as expected: {text}"))
            .at(place)
            .hint("compare it with `schema validate`; restore a backup, or use another database");
    }
    let Some(sqlite) = error.sqlite_error() else {
        return not_of_sqlite(error).at(place);
    };
    if let Some(error) = interrupted(sqlite.code) {
        return error; // Where the work was when the signal came is of no use to anybody.
    }
    match sqlite.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            Error::environment("the database is locked by another program").hint("stop that program, then run again")
        }
        ErrorCode::ReadOnly => Error::environment("the database is read-only")
            .hint("check the permissions of the file, its directory and the file system"),
        ErrorCode::DiskFull => Error::environment("the disk is full").hint("make room, then run again"),
        ErrorCode::SystemIoFailure => Error::environment("the disk could not be read or written")
            .hint("check the disk and the file size limit (`ulimit -f`), then run again"),
        ErrorCode::DatabaseCorrupt => {
            Error::environment("the database is damaged").hint("restore a backup of it, or import into a new file")
        }
        ErrorCode::NotADatabase => Error::environment("the file is not an SQLite database")
            .hint("name another file; treelift never overwrites a file of another program"),
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Error::environment("the database cannot be opened")
            .hint("check the permissions of the file and its directory"),
        ErrorCode::OutOfMemory => Error::environment("SQLite found no memory left"),
        ErrorCode::TooBig => Error::environment("a value is larger than SQLite can keep"),
        ErrorCode::ConstraintViolation => constraint(error, sqlite.extended_code),
        // What only treelift can do wrong: a statement that is used against SQLite's rules.
        ErrorCode::ApiMisuse | ErrorCode::ParameterOutOfRange | ErrorCode::InternalMalfunction => {
            Error::bug(format!("SQLite rejected a statement (code {})", sqlite.extended_code))
        }
        // A trigger, a condition or an index of the database failed, or something of the system.
        _ => Error::environment(format!("SQLite could not carry out a statement (code {})", sqlite.extended_code))
            .hint("look for a trigger, a condition or an index that fails on a value, and see https://sqlite.org/rescode.html"),
    }
    .at(place)
}

/// A fault that SQLite itself did not report: a value that is not of the type that was expected was written
/// by another program, into a table of its own or of treelift.
fn not_of_sqlite(error: &rusqlite::Error) -> Error {
    let wrong = |column: &str| {
        Error::environment(format!("the database holds a value of the wrong type{column}"))
            .hint("another program wrote it; correct it there, or restore a backup")
    };
    match error {
        rusqlite::Error::InvalidColumnType(_, name, _) if is_name(name) => wrong(&format!(" in a column `{name}`")),
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => wrong(""),
        _ => Error::bug("a statement and the database do not fit together"),
    }
}

/// Whether the name that a statement gives a column is one, and not an expression of ours.
fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// SQLite's text where it is about what the database's schema has or has not: it names tables, columns
/// and functions.
fn about_schema(error: &rusqlite::Error) -> Option<&str> {
    const BEGINNINGS: [&str; 9] = [
        "no such table",
        "no such column",
        "no such function",
        "no such module",
        "no such collation",
        "table ",
        "there is already ",
        "error in ",
        "malformed database schema",
    ];
    text_of_sql(error).filter(|text| BEGINNINGS.iter().any(|beginning| text.starts_with(beginning)))
}

/// The error of what a signal ended: a statement, or the wait for a lock.
fn interrupted(code: ErrorCode) -> Option<Error> {
    match code {
        ErrorCode::OperationInterrupted | ErrorCode::DatabaseBusy => interrupt::error(),
        _ => None,
    }
}

/// SQLite's text. It may hold values: only what is known to hold none may be shown.
pub(super) fn text(error: &rusqlite::Error) -> Option<&str> {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => Some(text),
        _ => None,
    }
}

/// What SQLite says of a statement that it could not prepare: it has seen no row yet, so its words
/// are about names. `None` for every other fault.
pub(super) fn text_of_sql(error: &rusqlite::Error) -> Option<&str> {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => Some(msg),
        rusqlite::Error::SqliteFailure(code, Some(text)) if code.code == ErrorCode::Unknown => Some(text),
        _ => None,
    }
}

/// Messages of SQLite about a row's values that name none of them.
const WITHOUT_VALUES: [&str; 4] =
    ["malformed JSON", "integer overflow", "string or blob too big", "ESCAPE expression must be a single character"];

/// An error about the values of a row, in words that hold none of them.
pub(super) fn of_values(error: &rusqlite::Error) -> String {
    let code = error.sqlite_error().map_or(0, |code| code.extended_code);
    match text(error).filter(|text| WITHOUT_VALUES.contains(text)) {
        Some(text) => format!("an error of the database ({text})"),
        None => format!("an error of the database (code {code})"),
    }
}

/// What SQLite's text about a constraint ends with: names of columns or an index, or the condition of
/// a CHECK constraint. It says nothing of a row.
pub(super) fn names(error: &rusqlite::Error) -> String {
    let names = text(error).and_then(|text| text.split_once("constraint failed: ")).map_or("?", |(_, names)| names);
    one_line(names)
}

/// A constraint on a statement that writes no row of the source: those are answered row by row.
fn constraint(error: &rusqlite::Error, extended: i32) -> Error {
    let names = || names(error);
    // What treelift writes into its own tables is its own business; elsewhere a trigger or a rule of the
    // application's own table did it.
    let of_treelift = names().starts_with("treelift_");
    match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY if of_treelift => {
            Error::bug(format!("a row was written with a duplicate value in `{}`", names()))
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL if of_treelift => Error::bug(format!("NULL was written into `{}`", names())),
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
            Error::environment(format!("a UNIQUE constraint on `{}` rejected a row", names()))
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => {
            Error::environment(format!("the NOT NULL constraint on `{}` rejected a row", names()))
        }
        ffi::SQLITE_CONSTRAINT_CHECK => Error::environment(format!("CHECK constraint `{}` rejected a row", names())),
        ffi::SQLITE_CONSTRAINT_TRIGGER => Error::environment("a trigger of the database rejected a row"),
        _ => Error::environment(format!("a constraint of the database rejected a row (code {extended})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    fn words(sql: &str) -> (String, u8) {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE notes (id TEXT PRIMARY KEY, owner TEXT NOT NULL, size INTEGER CHECK (size > 0), UNIQUE (owner, size));
             INSERT INTO notes VALUES ('canary', 'ann', 1);
             CREATE TRIGGER closed BEFORE DELETE ON notes BEGIN SELECT RAISE(ABORT, 'canary'); END;",
        )
        .unwrap();
        let error = fault(&conn.execute(sql, []).unwrap_err(), "x.db");
        assert!(!error.to_string().contains("canary"));
        (error.message.clone(), error.status())
    }

    #[test]
    fn rejected_rows_name_columns_and_no_values() {
        let said = |text: &str, status| (text.to_owned(), status);
        assert_eq!(
            words("INSERT INTO notes VALUES ('canary', 'bob', 2)"),
            said("a UNIQUE constraint on `notes.id` rejected a row", 3)
        );
        assert_eq!(
            words("INSERT INTO notes VALUES ('b', 'ann', 1)"),
            said("a UNIQUE constraint on `notes.owner, notes.size` rejected a row", 3)
        );
        assert_eq!(
            words("INSERT INTO notes VALUES ('b', NULL, 1)"),
            said("the NOT NULL constraint on `notes.owner` rejected a row", 3)
        );
        assert_eq!(
            words("INSERT INTO notes VALUES ('b', 'bob', 0)"),
            said("CHECK constraint `size > 0` rejected a row", 3)
        );
        assert_eq!(words("DELETE FROM notes"), said("a trigger of the database rejected a row", 3));
        assert_eq!(words("DELETE FROM gone"), said("the database's schema is not as expected: no such table: gone", 3));
    }

    #[test]
    fn a_code_that_is_not_known_is_the_databases_and_shows_no_value() {
        assert_eq!(
            words("UPDATE notes SET size = json_extract('canary', '$.a')"),
            ("SQLite could not carry out a statement (code 1)".to_owned(), 3)
        );
        for (code, status) in
            [(ffi::SQLITE_SCHEMA, 3), (ffi::SQLITE_PROTOCOL, 3), (ffi::SQLITE_NOLFS, 3), (ffi::SQLITE_MISUSE, 70)]
        {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("canary".to_owned()));
            let error = fault(&error, "x.db");
            assert_eq!((error.status(), error.to_string().contains("canary")), (status, false), "{error}");
        }
    }

    #[test]
    fn a_rule_of_treelifts_own_tables_is_its_own_business() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE treelift_x (id TEXT PRIMARY KEY NOT NULL); INSERT INTO treelift_x VALUES ('canary')",
        )
        .unwrap();
        for sql in ["INSERT INTO treelift_x VALUES ('canary')", "INSERT INTO treelift_x VALUES (NULL)"] {
            assert_eq!(fault(&conn.execute(sql, []).unwrap_err(), "x.db").status(), 70);
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_names_its_column_and_blames_no_table() {
        let conn = Connection::open_in_memory().unwrap();
        let of = |sql: &str| {
            let error = conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap_err();
            fault(&error, "x.db").message.clone()
        };
        assert_eq!(of("SELECT 'canary' AS owner"), "the database holds a value of the wrong type in a column `owner`");
        assert_eq!(of("SELECT 'canary' || ''"), "the database holds a value of the wrong type");
    }

    #[test]
    fn a_full_disk_is_said_to_be_full() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE notes (body TEXT); PRAGMA max_page_count = 3").unwrap();
        let error = conn.execute("INSERT INTO notes VALUES (?1)", ["x".repeat(100_000)]).unwrap_err();
        let words = fault(&error, "x.db");
        assert_eq!(words.to_string(), "the disk is full\n  at x.db\nhint: make room, then run again");
        assert_eq!(words.status(), 3);
    }
}
