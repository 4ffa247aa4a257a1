//! Invented rows for a schema that was made to test migrations in.

use super::connect::Session;
use super::opened;
use super::place::{Fault, Outside, Place, Tried};
use super::{catalog, find, sql, survey};
use crate::database::Cell;
use crate::database::fill::{self, Filling};
use crate::database::tokens::Tokens;
use crate::error::Error;
use crate::finding::printable;
use crate::table::{Column, ColumnType, Table};
use std::collections::{BTreeSet, HashMap};

/// Puts a row into every empty table.
pub(super) fn every_table(place: &Place) -> Tried<()> {
    let session = opened::begin(place, &BTreeSet::new())?;
    let outside = Outside::of_live(&session)?;
    let schema = survey::live(&session)?.schema;
    fill::every_table(&Filled { session: &session, types: types(&session)? }, &schema)?;
    // A trigger may do anything.
    if let Some(reached) = outside.reached(&session)? {
        let message = format!("a sample row reaches `{}`, which no migration of the set makes", printable(&reached));
        return Err(Error::request(message).hint("let triggers name tables without a schema").into());
    }
    opened::commit(&session)
}

/// A database that gets rows.
struct Filled<'s> {
    session: &'s Session,
    types: HashMap<(String, String), Type>,
}

/// The type of a column as the server writes it: the names of others' types are as they were given.
struct Type {
    name: String,
    /// The first value of an enumeration.
    label: Option<String>,
}

fn types(session: &Session) -> Tried<HashMap<(String, String), Type>> {
    let text = "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
                       (SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = a.atttypid ORDER BY e.enumsortorder LIMIT 1)
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')";
    let rows = session.query(text, &[Some(&session.schema)])?;
    Ok(rows.iter().map(|row| ((row.get(0), row.get(1)), Type { name: row.get(2), label: row.get(3) })).collect())
}

/// What the types of servers take that treelift does not know, one of which may do.
const GUESSES: [&str; 16] = [
    "1",
    "a",
    "2025-05-07 15:09:12",
    "15:09:12",
    "1 day",
    "127.0.0.1",
    "08:00:2b:01:02:03",
    "08:00:2b:01:02:03:04:05",
    "{}",
    "empty",
    "(1,1)",
    "(1,1),(2,2)",
    "((1,1),1)",
    "{1,2,3}",
    "$.a",
    "0/0",
];

/// The text that a cast to the type of a column takes.
fn text(value: &Cell) -> Option<String> {
    match value {
        Cell::Blob(bytes) => Some(format!("\\x{}", crate::hex::encode(bytes))),
        other => other.text(),
    }
}

impl Filled<'_> {
    /// `$1::integer`.
    fn place(&self, at: usize, table: &Table, column: &str) -> String {
        let known = self.types.get(&(table.name.clone(), column.to_owned()));
        format!("${}::{}", at + 1, known.map_or("text", |known| &known.name))
    }

    /// Whether the server takes a text for a value of a type. What came of it is undone.
    fn is_of(&self, text: &str, kind: &str) -> Tried<bool> {
        self.session.run("SAVEPOINT guessed")?;
        let query = format!("SELECT $1::{kind} IS NULL");
        let is_of = match self.session.try_query(&query, &[Some(text)]) {
            Ok(_) => true,
            Err(error) if error.as_db_error().is_some() => false,
            Err(error) => return Err(error.into()),
        };
        self.session.run("ROLLBACK TO guessed; RELEASE guessed")?;
        Ok(is_of)
    }
}

impl Filling for Filled<'_> {
    type Fault = Fault;
    const INSTEAD: &'static str = "leave the column free to be NULL, or give it a default";

    fn count(&self, table: &str) -> Tried<u64> {
        catalog::count(self.session, table)
    }

    fn some(&self, table: &str, columns: &[&str]) -> Tried<Option<Vec<Cell>>> {
        let query = format!("SELECT {} FROM {} LIMIT 1", sql::texts(columns), sql::name(table));
        let row = self.session.first(&query, &[])?;
        Ok(row.map(|row| find::cells(&row, 0, &vec![ColumnType::Unknown; columns.len()])))
    }

    fn counts(&self, key: &Column) -> bool {
        key.default.is_some()
    }

    /// The first value of an enumeration. For another type that treelift does not know NULL, where it may be; else what
    /// the server takes.
    fn odd(&self, table: &Table, column: &Column) -> Tried<Option<Cell>> {
        let known = self.types.get(&(table.name.clone(), column.name.clone()));
        let Some(known) = known.filter(|_| column.kind == ColumnType::Unknown) else { return Ok(None) };
        if let Some(label) = &known.label {
            return Ok(Some(Cell::Text(label.clone())));
        }
        if !table.must_have_value(column) {
            return Ok(Some(Cell::Null));
        }
        for guess in GUESSES {
            if self.is_of(guess, &known.name)? {
                return Ok(Some(Cell::Text(guess.to_owned())));
            }
        }
        Ok(None)
    }

    fn accepts(&self, table: &Table, check: &str, values: &[(String, Cell)]) -> bool {
        let columns: Vec<String> = (0..)
            .zip(values)
            .map(|(at, (name, _))| format!("{} AS {}", self.place(at, table, name), sql::name(name)))
            .collect();
        let query = format!("SELECT coalesce(({check}), true) FROM (SELECT {}) asked", columns.join(", "));
        let texts: Vec<Option<String>> = values.iter().map(|(_, value)| text(value)).collect();
        let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        if self.session.try_run("SAVEPOINT asked").is_err() {
            return true;
        }
        let accepted = match self.session.try_query(&query, &texts) {
            Ok(rows) => rows.first().is_some_and(|row| row.get(0)),
            // A value that is of no such type.
            Err(error) => error.as_db_error().is_none_or(|server| !server.code().code().starts_with("22")),
        };
        self.session.try_run("ROLLBACK TO asked; RELEASE asked").is_ok() && accepted
    }

    /// Brackets are lists here, and no names.
    fn tokens(&self, check: &str) -> Vec<String> {
        Tokens::of(&check.replace(['[', ']'], " ")).collect()
    }

    /// The server's words may be shown: the rows are invented.
    fn insert(&self, table: &Table, values: &[(String, Cell)]) -> Tried<()> {
        let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        let places: Vec<String> = (0..).zip(&names).map(|(at, name)| self.place(at, table, name)).collect();
        let into = sql::name(&table.name);
        let query = if names.is_empty() {
            format!("INSERT INTO {into} DEFAULT VALUES")
        } else {
            let (names, places) = (sql::names(&names), places.join(", "));
            format!("INSERT INTO {into} ({names}) OVERRIDING SYSTEM VALUE VALUES ({places})")
        };
        let texts: Vec<Option<String>> = values.iter().map(|(_, value)| text(value)).collect();
        let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        let inserted = self.session.try_execute(&query, &texts);
        inserted.map(drop).map_err(|error| match error.as_db_error() {
            Some(server) => fill::refused::<Self>(table, &printable(server.message())).into(),
            None => error.into(),
        })
    }
}
