//! Why SQLite rejected a row: from its result code, the names in its message, and the triggers.

use super::form::Form;
use super::session::SqliteTransaction;
use super::{catalog, read, sql, words};
use crate::database::rejection::Rejection;
use crate::database::{Cell, ledger};
use rusqlite::{Connection, ErrorCode, ffi};

/// A statement that writes one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement<'s> {
    pub(super) table: &'s str,
    pub(super) columns: &'s [String],
    /// The values of an INSERT; none for an UPDATE.
    pub(super) inserted: Option<&'s [Form<'s>]>,
}

/// Why the row was rejected; `None` for an error that is not about the row.
pub(super) fn of(this: &SqliteTransaction, error: &rusqlite::Error, statement: Statement<'_>) -> Option<Rejection> {
    let conn = &this.conn;
    let code = error.sqlite_error()?;
    let is_about_the_row = match code.code {
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig => true,
        // SQLITE_ERROR: a function in a condition, an index or a trigger failed on the values.
        ErrorCode::Unknown => code.extended_code == ffi::SQLITE_ERROR,
        _ => false,
    };
    if !is_about_the_row {
        return None;
    }
    if conn.is_autocommit() {
        return Some(Rejection::RolledBack { names: raising(conn, statement.table, "ROLLBACK") });
    }
    let names = || words::names(error);
    Some(match code.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            let other = statement.inserted.and_then(|values| conflicting_key(this, statement, values));
            // The question is an update, and a trigger on those may end the transaction.
            if conn.is_autocommit() {
                return Some(Rejection::RolledBack { names: raising(conn, statement.table, "ROLLBACK") });
            }
            Rejection::Unique { index: names(), other }
        }
        ffi::SQLITE_CONSTRAINT_CHECK => Rejection::Check(names()),
        ffi::SQLITE_CONSTRAINT_TRIGGER => raised(conn, statement.table, error),
        ffi::SQLITE_CONSTRAINT_NOTNULL => Rejection::Constraint(format!("NOT NULL constraint on `{}`", names())),
        ffi::SQLITE_CONSTRAINT_DATATYPE => Rejection::Constraint("the type of a column of a STRICT table".to_owned()),
        _ => Rejection::Constraint(words::of_values(error)),
    })
}

/// The key of the row that has the value already.
///
/// An upsert without a target meets whichever unique index is in the way, also one over expressions
/// or some rows, and returns the row that is there ("UPSERT", "RETURNING"). It is undone at once.
fn conflicting_key(this: &SqliteTransaction, statement: Statement<'_>, values: &[Form<'_>]) -> Option<String> {
    let key = this.schema.table(statement.table)?.primary_key();
    let first = sql::name(statement.columns.first()?);
    if key.is_empty() {
        return None;
    }
    let text = format!(
        "{} ON CONFLICT DO UPDATE SET {first} = {first} RETURNING {}",
        sql::insert(statement.table, statement.columns),
        sql::names(&key)
    );
    this.conn.execute_batch("SAVEPOINT conflicting").ok()?;
    let found = this.conn.prepare_cached(&text).and_then(|mut upsert| {
        upsert.query_row(rusqlite::params_from_iter(values), |row| read::cells(row, 0..key.len()))
    });
    this.conn.execute_batch("ROLLBACK TO conflicting; RELEASE conflicting").ok()?;
    Some(ledger::row_key(found.ok()?.iter().map(Cell::text).collect()))
}

/// A trigger's error. Its message is shown only where a trigger's own SQL says it word for word: one
/// that is put together at run time may hold the value of any row.
fn raised(conn: &Connection, table: &str, error: &rusqlite::Error) -> Rejection {
    let message = words::text(error).unwrap_or_default();
    let is_written_out = |sql: &str| {
        ['\'', '"'].iter().any(|quote| {
            let doubled = message.replace(*quote, &format!("{quote}{quote}"));
            sql.contains(&format!("{quote}{doubled}{quote}"))
        })
    };
    let names: Vec<String> = triggers(conn).filter(|(_, _, sql)| is_written_out(sql)).map(|(name, ..)| name).collect();
    if names.is_empty() {
        return Rejection::Trigger { names: raising(conn, table, "RAISE"), message: None };
    }
    Rejection::Trigger { names, message: Some(message.to_owned()) }
}

/// Whether a trigger, on whatever table, may roll the transaction back.
pub(super) fn may_roll_back(conn: &Connection) -> bool {
    triggers(conn).any(|(_, _, sql)| raises(&sql, "ROLLBACK"))
}

/// The triggers of a table in whose SQL this word is.
fn raising(conn: &Connection, table: &str, word: &str) -> Vec<String> {
    let of_table = |(_, of, sql): &(String, String, String)| of.eq_ignore_ascii_case(table) && raises(sql, word);
    triggers(conn).filter(of_table).map(|(name, ..)| name).collect()
}

fn raises(trigger: &str, word: &str) -> bool {
    let sql = trigger.to_ascii_uppercase();
    sql.contains("RAISE") && sql.contains(word)
}

/// Name, table and SQL of every trigger; none where they cannot be read.
fn triggers(conn: &Connection) -> impl Iterator<Item = (String, String, String)> {
    catalog::triggers(conn).unwrap_or_default().into_iter()
}
