//! Runs the SQL of a migration.

use super::connect::Session;
use super::words;
use crate::excerpt::Excerpt;
use crate::finding::printable;
use crate::table::Migration;
use postgres::error::{DbError, ErrorPosition, SqlState};

/// A migration that did not run.
pub(super) struct Failure {
    /// The line of its file, where the server tells it.
    line: Option<usize>,
    pub(super) error: postgres::Error,
}

/// What a migration may not do: it would leave the transaction.
pub(super) const FORBIDDEN: &str = "a migration must not use BEGIN, COMMIT, ROLLBACK or SAVEPOINT";

impl Failure {
    /// The server's words as far as they can only speak of names: those about SQL, and of constraints.
    pub(super) fn why(&self) -> String {
        let Some(server) = self.error.as_db_error() else { return words::fault(&self.error, "").message };
        match server.code() {
            // The part of the server that executes what a function puts together; its words follow the language.
            &SqlState::FEATURE_NOT_SUPPORTED if server.routine() == Some("exec_stmt_dynexecute") => {
                FORBIDDEN.to_owned()
            }
            code if code.code().starts_with("P0") => "it raises an error".to_owned(),
            _ if words::is_of_server(&self.error) => words::fault(&self.error, "").message,
            _ if !is_about_the_file(server) => {
                format!("it meets rows that it cannot change (SQLSTATE {})", server.code().code())
            }
            &SqlState::ACTIVE_SQL_TRANSACTION => format!(
                "{}; everything is one transaction, so CREATE INDEX without CONCURRENTLY, and VACUUM by hand afterwards",
                printable(server.message())
            ),
            &SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE => {
                "a value that ALTER TYPE added is used in the same transaction; make the type with all of its values"
                    .to_owned()
            }
            _ if words::is_of_sql(server) => printable(server.message()),
            code if code.code().starts_with("23") => match server.constraint() {
                Some(name) => format!("existing rows violate it (`{}`)", printable(name)),
                None => "existing rows violate it".to_owned(),
            },
            _ => words::fault(&self.error, "").message,
        }
    }

    /// Whether a signal, or the way to the server, ended it.
    pub(super) fn is_lost(&self) -> bool {
        words::is_lost(&self.error)
    }

    /// `file:line`, where the line is known.
    pub(super) fn place(&self, path: &str) -> String {
        self.line.map_or_else(|| path.to_owned(), |line| format!("{path}:{line}"))
    }

    /// That line of the file's SQL, with what a message says of it.
    pub(super) fn excerpt(&self, sql: &str, message: &str) -> Option<Excerpt> {
        Excerpt::of_line(sql, u32::try_from(self.line?).ok()?, message)
    }
}

/// Whether the server speaks of the file alone: a function that it calls, or a trigger, may put values of rows into its
/// words. What executes the file is the one function that there always is.
fn is_about_the_file(server: &DbError) -> bool {
    server.where_().is_none_or(|context| context.matches("PL/pgSQL").count() <= 1)
}

/// Applies a migration where it is needed; whether it is.
pub(super) fn up(session: &Session, migration: &Migration) -> Result<bool, Failure> {
    let is_needed = is_needed(session, migration)?;
    if is_needed { run(session, &migration.up).map(|()| true) } else { Ok(false) }
}

/// Whether the table that a migration is for is there, where it is for one: in the schema that is searched first alone.
pub(super) fn is_needed(session: &Session, migration: &Migration) -> Result<bool, Failure> {
    let Some(table) = &migration.only_with else { return Ok(true) };
    let text = "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname = $1 AND relkind IN ('r', 'p')
                               AND relnamespace = current_schema()::regnamespace)";
    let found = session.try_query(text, &[Some(table)]);
    let found = found.map_err(|error| Failure { line: None, error })?;
    Ok(found.first().is_some_and(|row| row.get(0)))
}

/// Runs a migration's SQL. A function executes it, so that no statement in it can end the transaction.
pub(super) fn run(session: &Session, sql: &str) -> Result<(), Failure> {
    let free = |word: &str| {
        let mut tags = (0..=sql.len()).map(|at| format!("${word}{at}$"));
        tags.find(|tag| !sql.contains(tag.as_str())).expect("a text has fewer tags than letters")
    };
    let (body, file) = (free("treelift_do"), free("treelift"));
    let text = format!("DO {body} BEGIN EXECUTE {file}{sql}{file}; END {body}");
    let ran = session.try_run(&text).map_err(|error| {
        let line = match error.as_db_error().and_then(|server| server.position()) {
            Some(ErrorPosition::Internal { position, query }) if query == sql => {
                let before = query.chars().take((*position as usize).saturating_sub(1));
                Some(before.filter(|letter| *letter == '\n').count() + 1)
            }
            _ => None,
        };
        Failure { line, error }
    });
    // What a file sets, as the first lines of a dump do, is not for those that follow it.
    ran.and_then(|()| session.settle_in().map_err(|error| Failure { line: None, error }))
}
