//! Migrations that have run in memory, for all that is asked of what they make without a database.

use super::location::Location;
use super::script::{FORBIDDEN, Failure, up};
use super::{after_rows, assertion, bodies, catalog, connect, ledger_tables, record, sql, words};
use crate::database::catalog::Catalog;
use crate::database::history;
use crate::database::query::BadQuery;
use crate::database::schema::check_order;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::mapping::codes;
use crate::table::Migration;
use rusqlite::{Connection, ErrorCode};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Migrations, and a database in memory in which they have run.
#[derive(Debug)]
pub struct Rehearsal<'m> {
    pub(super) conn: Connection,
    pub(super) migrations: Vec<&'m Migration>,
    /// What there was before each, where they are to be rolled back.
    pub(super) before: Option<Vec<Text>>,
}

/// The SQL of everything but the engine's own, by kind and name.
pub(super) type Text = BTreeMap<(String, String), Option<String>>;

impl<'m> Rehearsal<'m> {
    /// Runs migrations; `both_ways` where they are to be rolled back.
    ///
    /// # Errors
    /// What is wrong with the first that does not run.
    pub(in crate::database) fn of(migrations: &'m [Migration], both_ways: bool) -> Result<Self> {
        Self { before: both_ways.then(Vec::new), ..Self::begin()? }.with(migrations)
    }

    /// Nothing has run yet.
    pub(super) fn begin() -> Result<Self> {
        Ok(Self { conn: connect::in_memory().map_err(fault)?, migrations: Vec::new(), before: None })
    }

    /// Runs these.
    pub(super) fn with(mut self, migrations: impl IntoIterator<Item = &'m Migration>) -> Result<Self> {
        let mut earlier = BTreeSet::new();
        for migration in migrations {
            check_order(migration, &mut earlier)?;
            self.run(migration)?.map_or(Ok(()), Err)?;
        }
        Ok(self)
    }

    /// Runs one more; gives what is wrong where its SQL does not run.
    pub(super) fn run(&mut self, migration: &'m Migration) -> Result<Option<Error>> {
        if let Some(before) = &mut self.before {
            before.push(text(&self.conn).map_err(fault)?);
        }
        if let Err(failure) = up(&mut self.conn, history::RECORD, migration) {
            interrupt::check()?;
            return Ok(Some(wrong(migration, &failure)));
        }
        self.migrations.push(migration);
        Ok(None)
    }

    /// Everything that they make.
    pub(super) fn catalog(&self) -> Result<Catalog> {
        catalog::whole(&self.conn, history::RECORD).map_err(fault)
    }

    /// Everything that all migrations of a set make.
    ///
    /// # Errors
    /// When one that is to run after the rows cannot.
    pub fn whole(&mut self) -> Result<Catalog> {
        let whole = self.catalog()?;
        after_rows::check(&mut self.conn, &self.migrations, &whole)?;
        Ok(whole)
    }

    /// What is wrong with triggers and views: those that name what is not there.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn broken_bodies(&self) -> Result<Vec<Error>> {
        bodies::broken(&self.conn, &self.migrations).map_err(fault)
    }

    /// What is wrong with each of these queries, asked of what they make and of treelift's own tables; migrations are
    /// recorded in `record`.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn refused(&mut self, record: Option<&str>, queries: &[&str]) -> Result<Vec<Option<BadQuery>>> {
        let own = ["treelift_".to_owned(), record.unwrap_or(history::RECORD).to_ascii_lowercase()];
        let names_own = |query: &&str| own.iter().any(|name| query.to_ascii_lowercase().contains(name));
        if !queries.iter().any(names_own) {
            return assertion::refused(&mut self.conn, queries).map_err(fault);
        }
        let location = Location { record: record.map(str::to_owned), ..Location::of(PathBuf::new(), IN_MEMORY) };
        self.conn.execute_batch("SAVEPOINT asked").map_err(fault)?;
        let is_set_up =
            record::set_up(&self.conn, &location).and_then(|()| ledger_tables::set_up(&self.conn, &location)).is_ok();
        // Where they make the table of the record themselves, that is told of them.
        let refused = if is_set_up {
            assertion::refused(&mut self.conn, queries).map_err(fault)?
        } else {
            vec![None; queries.len()]
        };
        self.conn.execute_batch("ROLLBACK TO asked; RELEASE asked").map_err(fault)?;
        Ok(refused)
    }
}

/// What there is after each migration, or after the last alone, up to the first that does not run by itself; and why that
/// one does not.
pub(in crate::database) fn stages(migrations: &[Migration], only_last: bool) -> Result<(Vec<Catalog>, Option<Error>)> {
    let (mut made, mut stages) = (Rehearsal::begin()?, Vec::with_capacity(migrations.len()));
    let mut earlier = BTreeSet::new();
    for (at, migration) in migrations.iter().enumerate() {
        check_order(migration, &mut earlier)?;
        if let Some(wrong) = made.run(migration)? {
            return Ok((stages, Some(wrong)));
        }
        if !only_last || at + 1 == migrations.len() {
            stages.push(made.catalog()?);
        }
    }
    Ok((stages, None))
}

/// What there is after each migration, or after the last alone: that is not made again where an import knows it.
pub(super) fn stages_of(
    location: &Location,
    migrations: &[Migration],
    only_last: bool,
) -> Result<(Vec<Catalog>, Option<Error>)> {
    if only_last {
        return Ok(location.made.by(migrations).map_or_else(|| last(migrations), |made| (vec![made], None)));
    }
    stages(migrations, false)
}

/// What there is after the last migration, where those that are made after the rows can be; or why one does not run.
pub(in crate::database) fn last(migrations: &[Migration]) -> (Vec<Catalog>, Option<Error>) {
    match Rehearsal::of(migrations, false).and_then(|mut made| made.whole()) {
        Ok(whole) => (vec![whole], None),
        Err(wrong) => (Vec::new(), Some(wrong)),
    }
}

/// Why a migration does not run.
pub(super) fn wrong(migration: &Migration, failure: &Failure) -> Error {
    let version = &migration.version;
    let (code, message) = match failure.error.sqlite_error_code() {
        Some(ErrorCode::AuthorizationForStatementDenied) => {
            let message = format!("migration `{version}` does more than create and fill tables: {FORBIDDEN}");
            (&codes::MIGRATION_FORBIDDEN, message)
        }
        // SQLite's own words may be shown here: in memory there is nothing but the set's SQL.
        _ => {
            let text = match &failure.error {
                rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
                other => other.to_string(),
            };
            (&codes::MIGRATION_SQL, format!("migration `{version}` is not valid SQL: {text}"))
        }
    };
    let excerpt = failure.excerpt(&migration.up, &message);
    let place = format!("{}:{}", migration.path, failure.line(&migration.up));
    Error::request(message).coded(code.id).at(place).showing(excerpt)
}

pub(super) fn text(conn: &Connection) -> rusqlite::Result<Text> {
    let all: Vec<(String, String, Option<String>)> = sql::all(conn, "SELECT type, name, sql FROM sqlite_schema", [])?;
    let own = all.into_iter().filter(|(_, name, _)| !name.starts_with("sqlite_"));
    Ok(own.map(|(kind, name, sql)| ((kind, name), sql)).collect())
}

const IN_MEMORY: &str = "the schema in memory";

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
pub(super) fn fault(error: rusqlite::Error) -> Error {
    words::fault(&error, IN_MEMORY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::schema::tests::migration;

    #[test]
    fn queries_are_asked_of_own_tables_too_however_they_are_written() {
        let migrations = [migration("001", "CREATE TABLE notes (id INTEGER PRIMARY KEY);")];
        let mut made = Rehearsal::of(&migrations, false).unwrap();
        let mut refused = |queries: &[&str]| -> Vec<String> {
            let refused = made.refused(Some("migs"), queries).unwrap();
            refused.into_iter().map(|bad| bad.map_or_else(String::new, |bad| bad.to_string())).collect()
        };
        let missing = |table: &str| format!("no such table: {table}");
        for own in ["SELECT id FROM \"TREELIFT_Runs\"", "SELECT version FROM MIGS"] {
            let other = refused(&[own, "SELECT id FROM notes", "SELECT 1 FROM gone"]);
            assert!(other[..2] == ["", ""] && other[2].ends_with(&missing("gone")), "{other:?}");
        }
        assert_eq!(refused(&["SELECT id FROM notes"]), [""]);
        assert!(refused(&["SELECT 1 FROM migs_of_another"])[0].ends_with(&missing("migs_of_another")));
    }
}
