//! How a schema of treelift's own tables is reached.
//!
//! Names stand in SQL without a schema. One of our own is looked into last, so that only what makes a table, or asks the
//! catalog about one, has to know it.

use super::connect::{Session, Text};
use super::place::Tried;
use super::sql;
use crate::database::history::OWN_RECORD;
use crate::database::own::is_own;
use crate::error::Error;
use crate::finding::printable;
use postgres::error::SqlState;

impl Session {
    /// The schema of a table: treelift's own may be in another one than the application's.
    pub(super) fn schema_of(&self, table: &str) -> &str {
        let is_ours = is_own(table) || table.eq_ignore_ascii_case(OWN_RECORD);
        if is_ours { &self.own } else { &self.schema }
    }

    /// The application's schema and that of treelift's own tables, which may be the same.
    pub(super) fn schemas(&self) -> [Text<'_>; 2] {
        [Some(&self.schema), Some(&self.own)]
    }

    /// Whether treelift's own tables are in a schema of their own.
    pub(super) fn is_apart(&self) -> bool {
        self.own != self.schema
    }

    /// Has all tables made and found in one schema.
    pub(super) fn stand_in(&mut self, schema: String) {
        self.own.clone_from(&schema);
        self.schema = schema;
    }

    /// Runs a `CREATE TABLE NAME (…)`, where a table of our own comes into the schema for those.
    pub(super) fn make(&self, text: &str) -> Tried<()> {
        let schema = self.schema_of(name_of(text));
        if schema == self.schema {
            return self.run(text);
        }
        self.make_own_schema()?;
        self.run(&text.replacen("CREATE TABLE ", &format!("CREATE TABLE {}.", sql::name(schema)), 1))
    }

    /// Makes the schema of our own tables where it is not there.
    pub(super) fn make_own_schema(&self) -> Tried<()> {
        // The server asks for the right to make one even where there is nothing to be made.
        if self.has("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[Some(&self.own)])? {
            return Ok(());
        }
        let (own, user) = (sql::name(&self.own), sql::name(&self.place.address.user));
        match self.try_run(&format!("CREATE SCHEMA {own}")) {
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                let shown = printable(&self.own);
                let message = format!(
                    "the schema `{shown}`, which the address names for treelift's own tables, is not there, and the user may not make it"
                );
                Err(Error::environment(message)
                    .at(self.place.shown())
                    .hint(format!("have it made: `CREATE SCHEMA {own} AUTHORIZATION {user}`"))
                    .into())
            }
            made => Ok(made?),
        }
    }
}

/// The name in a `CREATE TABLE NAME (…)`.
pub(super) fn name_of(text: &str) -> &str {
    text.split_whitespace().nth(2).unwrap_or_default().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_table_is_read_of_the_statement_that_makes_it() {
        assert_eq!(name_of("CREATE TABLE treelift_keys (\n id text)"), "treelift_keys");
        assert_eq!(name_of("CREATE TABLE \"treelift_migrations\" (id int)"), "treelift_migrations");
    }
}
