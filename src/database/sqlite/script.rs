//! Runs the SQL of a migration.

use super::{catalog, connect, record, words};
use crate::excerpt::Excerpt;
use crate::table::Migration;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Batch, Connection, ErrorCode};

/// A statement of a migration that did not run.
#[derive(Debug)]
pub(super) struct Failure {
    /// Which one, from 1.
    pub(super) statement: usize,
    /// Whether it was refused by the parser, which has not seen a row yet.
    unparsed: bool,
    /// The offset in the SQL at which the parser stopped, or else at which the statement begins.
    pub(super) offset: usize,
    pub(super) error: rusqlite::Error,
}

impl Failure {
    /// One that comes before the first statement.
    fn before(error: rusqlite::Error) -> Self {
        Self { statement: 0, unparsed: false, offset: 0, error }
    }

    /// SQLite's words as far as they can only speak of names: those of the parser, and of constraints.
    pub(super) fn why(&self) -> String {
        match &self.error {
            rusqlite::Error::SqlInputError { error, .. }
                if error.code == ErrorCode::AuthorizationForStatementDenied =>
            {
                FORBIDDEN.to_owned()
            }
            rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
            rusqlite::Error::SqliteFailure(_, Some(text)) if text.starts_with("cannot VACUUM") => text.clone(),
            rusqlite::Error::SqliteFailure(error, Some(text))
                if self.unparsed && error.code != ErrorCode::AuthorizationForStatementDenied =>
            {
                text.clone()
            }
            error => match error.sqlite_error_code() {
                Some(ErrorCode::AuthorizationForStatementDenied) => FORBIDDEN.to_owned(),
                Some(ErrorCode::ConstraintViolation) => match error {
                    rusqlite::Error::SqliteFailure(_, Some(text)) if text.contains(" constraint failed: ") => {
                        format!("existing rows violate it ({})", text.replace("failed: ", "on "))
                    }
                    _ => "existing rows violate it".to_owned(),
                },
                _ => words::fault(error, "").message,
            },
        }
    }
}

impl Failure {
    /// The line of the SQL, from 1, past blanks and comments.
    pub(super) fn line(&self, sql: &str) -> usize {
        let mut rest = sql.get(self.offset..).unwrap_or_default();
        loop {
            let trimmed = rest.trim_start();
            let end = match trimmed.get(..2) {
                Some("--") => trimmed.split_once('\n'),
                Some("/*") => trimmed.split_once("*/"),
                _ => None,
            };
            rest = end.map_or(trimmed, |(_, after)| after);
            if end.is_none() {
                break;
            }
        }
        sql[..sql.len() - rest.len()].matches('\n').count() + 1
    }

    /// That line, with what a message says of it; none where no statement failed.
    pub(super) fn excerpt(&self, sql: &str, message: &str) -> Option<Excerpt> {
        let line = (self.statement > 0).then(|| self.line(sql))?;
        Excerpt::of_line(sql, u32::try_from(line).ok()?, message)
    }
}

/// What a migration may not do: it would leave the transaction or the database, or forge the record.
pub(super) const FORBIDDEN: &str = "a migration must not use PRAGMA, ATTACH, BEGIN or COMMIT, nor make or change the record of migrations or a `treelift_…` table";

/// Applies a migration where it is needed; whether it is. Migrations are recorded in `record`.
pub(super) fn up(conn: &mut Connection, record: &str, migration: &Migration) -> Result<bool, Failure> {
    let is_needed = is_needed(conn, migration)?;
    if is_needed { run_seen(conn, record, &migration.up, |_| {}).map(|()| true) } else { Ok(false) }
}

/// Whether the table that a migration is for is there, where it is for one.
pub(super) fn is_needed(conn: &Connection, migration: &Migration) -> Result<bool, Failure> {
    migration.only_with.as_ref().map_or(Ok(true), |table| catalog::has_table(conn, table)).map_err(Failure::before)
}

/// Runs a migration's SQL, statement by statement.
pub(super) fn run(conn: &mut Connection, sql: &str) -> Result<(), Failure> {
    let record = record::table(conn, None).map_err(Failure::before)?.name;
    run_seen(conn, &record, sql, |_| {})
}

/// The same where migrations are recorded in `record`; `sees` is told of everything that its statements do.
pub(super) fn run_seen(
    conn: &mut Connection,
    record: &str,
    sql: &str,
    mut sees: impl FnMut(&AuthContext<'_>) + Send + 'static,
) -> Result<(), Failure> {
    let record = record.to_owned();
    let may = move |context: AuthContext<'_>| {
        sees(&context);
        match context.action {
            AuthAction::Attach { .. }
            | AuthAction::Detach { .. }
            | AuthAction::Transaction { .. }
            | AuthAction::Savepoint { .. }
            | AuthAction::Pragma { pragma_value: Some(_), .. } => Authorization::Deny,
            AuthAction::CreateTable { table_name }
            | AuthAction::DropTable { table_name }
            | AuthAction::AlterTable { table_name, .. }
            | AuthAction::Insert { table_name }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Delete { table_name }
                if catalog::is_records(table_name, &record) =>
            {
                Authorization::Deny
            }
            _ => Authorization::Allow,
        }
    };
    connect::authorized(conn, may, |conn| each_statement(conn, sql)).map_err(Failure::before)?
}

fn each_statement(conn: &Connection, sql: &str) -> Result<(), Failure> {
    let fault = |statement, offset, error| Failure { statement, unparsed: false, offset, error };
    let (mut statement, mut done) = (0, 0);
    let mut statements = Batch::new(conn, sql);
    loop {
        statement += 1;
        match statements.next() {
            Ok(None) => return Ok(()),
            Ok(Some(mut one)) => {
                // Its text in the SQL, unless it has parameters: then the place stays that of the one before.
                let text = one.expanded_sql().unwrap_or_default();
                let found = sql[done..].find(text.trim_start());
                let start = done + found.unwrap_or_default();
                done = found.map_or(done, |_| start + text.trim_start().len());
                let mut rows = one.raw_query();
                while rows.next().map_err(|error| fault(statement, start, error))?.is_some() {}
            }
            Err(error) => {
                let offset = parser_stop(sql, &error).unwrap_or(done);
                return Err(Failure { statement, unparsed: true, offset, error });
            }
        }
    }
}

/// Where in the SQL the parser stopped: it was given what is left of it.
fn parser_stop(sql: &str, error: &rusqlite::Error) -> Option<usize> {
    let rusqlite::Error::SqlInputError { sql: rest, offset, .. } = error else { return None };
    let start = sql.len().checked_sub(rest.len()).filter(|_| sql.ends_with(rest.as_str()))?;
    Some(start + usize::try_from(*offset).unwrap_or_else(|_| rest.len() - rest.trim_start().len()))
}
