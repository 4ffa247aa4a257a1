//! Invented rows for a schema that was made to test migrations in.

use super::connect::Session;
use super::opened;
use super::place::{Fault, Place, Tried};
use super::{catalog, find, sql, survey};
use crate::database::Cell;
use crate::database::fill::{self, Filling};
use crate::database::tokens::Tokens;
use crate::finding::printable;
use crate::table::{Column, ColumnType, Table};
use std::collections::BTreeSet;

/// Puts a row into every empty table.
pub(super) fn every_table(place: &Place) -> Tried<()> {
    let session = opened::begin(place, &BTreeSet::new())?;
    let schema = survey::live(&session)?.schema;
    fill::every_table(&session, &schema)?;
    opened::commit(&session)
}

/// The text that a cast to the type of a column takes.
fn text(value: &Cell) -> Option<String> {
    match value {
        Cell::Blob(bytes) => Some(format!("\\x{}", crate::hex::encode(bytes))),
        other => other.text(),
    }
}

/// `$1::INTEGER`, whose type a column declares.
fn place(at: usize, table: &Table, column: &str) -> String {
    let declared = table.column(column).map_or("TEXT", |column| column.declared.as_str());
    format!("${}::{}", at + 1, sql::base(declared))
}

impl Filling for Session {
    type Fault = Fault;

    fn count(&self, table: &str) -> Tried<u64> {
        catalog::count(self, table)
    }

    fn some(&self, table: &str, column: &str) -> Tried<Option<Cell>> {
        let row = self.first(&format!("SELECT {} FROM {} LIMIT 1", sql::texts(&[column]), sql::name(table)), &[])?;
        Ok(row.and_then(|row| find::cells(&row, 0, &[ColumnType::Unknown]).pop()))
    }

    fn counts(&self, key: &Column) -> bool {
        key.default.is_some()
    }

    /// The first value of an enumeration; NULL for another type that treelift does not know, where it may be.
    fn odd(&self, column: &Column) -> Tried<Option<Cell>> {
        if column.kind != ColumnType::Unknown {
            return Ok(None);
        }
        let text = "SELECT enumlabel::text FROM pg_enum WHERE enumtypid = to_regtype($1)::oid ORDER BY enumsortorder";
        let label = self.first(text, &[Some(&column.declared.to_lowercase())])?.map(|row| Cell::Text(row.get(0)));
        Ok(label.or_else(|| (!column.not_null).then_some(Cell::Null)))
    }

    fn accepts(&self, table: &Table, check: &str, values: &[(String, Cell)]) -> bool {
        let columns: Vec<String> = (0..)
            .zip(values)
            .map(|(at, (name, _))| format!("{} AS {}", place(at, table, name), sql::name(name)))
            .collect();
        let query = format!("SELECT coalesce(({check}), true) FROM (SELECT {}) asked", columns.join(", "));
        let texts: Vec<Option<String>> = values.iter().map(|(_, value)| text(value)).collect();
        let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        if self.try_run("SAVEPOINT asked").is_err() {
            return true;
        }
        let accepted = match self.try_query(&query, &texts) {
            Ok(rows) => rows.first().is_some_and(|row| row.get(0)),
            // A value that is of no such type.
            Err(error) => error.as_db_error().is_none_or(|server| !server.code().code().starts_with("22")),
        };
        self.try_run("ROLLBACK TO asked; RELEASE asked").is_ok() && accepted
    }

    /// Brackets are lists here, and no names.
    fn tokens(&self, check: &str) -> Vec<String> {
        Tokens::of(&check.replace(['[', ']'], " ")).collect()
    }

    /// The server's words may be shown: the rows are invented.
    fn insert(&self, table: &Table, values: &[(String, Cell)]) -> Tried<()> {
        let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        let places: Vec<String> = (0..).zip(&names).map(|(at, name)| place(at, table, name)).collect();
        let into = sql::name(&table.name);
        let query = if names.is_empty() {
            format!("INSERT INTO {into} DEFAULT VALUES")
        } else {
            let (names, places) = (sql::names(&names), places.join(", "));
            format!("INSERT INTO {into} ({names}) OVERRIDING SYSTEM VALUE VALUES ({places})")
        };
        let texts: Vec<Option<String>> = values.iter().map(|(_, value)| text(value)).collect();
        let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        let inserted = self.try_execute(&query, &texts);
        inserted.map(drop).map_err(|error| match error.as_db_error() {
            Some(server) => fill::refused(table, &printable(server.message())).into(),
            None => error.into(),
        })
    }
}
