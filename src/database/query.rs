//! Queries that a mapping set brings: they read, and do nothing else.

use super::ledger::row_key;
use crate::error::Result;
use std::fmt;

/// What is wrong with a query, whatever the database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadQuery {
    /// It cannot be prepared; the engine's words, which are about the query.
    Invalid(String),
    /// It is more than one statement.
    Several,
    /// It does something else than reading tables.
    Forbidden,
    /// It has a parameter, and nothing gives it a value.
    Parameter,
}

impl fmt::Display for BadQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(why) => write!(f, "it is not a valid query: {why}"),
            Self::Several => f.write_str("it is more than one statement"),
            Self::Forbidden => f.write_str("it does more than read: no INSERT, UPDATE, DELETE, ATTACH or PRAGMA"),
            Self::Parameter => f.write_str("it has a parameter, and nothing gives it a value"),
        }
    }
}

/// So many rows of a query are read.
pub const MOST: usize = 1_000;

/// What a query gave. Its cells may be personal, so `Debug` shows nothing of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its first rows as text, at most [`MOST`]; what is NULL is none.
    pub rows: Vec<Vec<Option<String>>>,
    /// The table whose primary key the rows hold, and the positions of its columns.
    pub key: Option<(String, Vec<usize>)>,
}

impl Found {
    /// The rows by table and key as the ledger writes it, where they hold one.
    pub fn names(&self) -> impl Iterator<Item = (String, String)> {
        let of = |(table, at): &(String, Vec<usize>), cells: &Vec<Option<String>>| {
            (table.clone(), row_key(at.iter().map(|at| cells[*at].clone()).collect()))
        };
        self.key.iter().flat_map(move |key| self.rows.iter().map(move |cells| of(key, cells)))
    }
}

/// The first table whose whole primary key is among these columns, and where it is. `primary` tells the key of a table.
pub(super) fn key_of<E>(
    columns: &[Column],
    mut primary: impl FnMut(&str) -> std::result::Result<Vec<String>, E>,
) -> std::result::Result<Option<(String, Vec<usize>)>, E> {
    let mut seen = Vec::new();
    for (table, _) in columns.iter().filter_map(|column| column.origin.as_ref()) {
        if seen.contains(&table) {
            continue;
        }
        seen.push(table);
        let key = primary(table)?;
        let is =
            |column: &Column, part: &String| column.origin.as_ref().is_some_and(|of| of.0 == *table && of.1 == *part);
        let places: Option<Vec<usize>> =
            key.iter().map(|part| columns.iter().position(|column| is(column, part))).collect();
        if let Some(places) = places.filter(|places| !places.is_empty()) {
            return Ok(Some((table.clone(), places)));
        }
    }
    Ok(None)
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Found({} rows)", self.rows.len())
    }
}

/// A column of what a query gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The table and the column whose values it gives as they are, if it does.
    pub origin: Option<(String, String)>,
}

/// Why a query gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unasked {
    /// A table or column of it is not there: the engine's words.
    Missing(String),
    /// Anything else.
    Failed(String),
}

/// What a query gave; or why it could not be asked of this database.
pub type Asked = std::result::Result<Found, Unasked>;

/// The names of the indexes that a query goes by.
pub type Planned = std::result::Result<Vec<String>, Unasked>;

/// What a set's queries are asked of.
pub trait Asking {
    /// What a query gives. It may read and nothing else.
    fn ask(&mut self, query: &str) -> Result<Asked>;
    /// By which indexes the engine would go to answer a query, were tables costly to read from end to end.
    fn plan(&mut self, query: &str) -> Result<Planned>;
    /// Indexes that are there, and by which the engine can go only once this transaction is committed.
    fn not_yet(&mut self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}
