//! Queries that a mapping set brings: they read, and do nothing else.

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

/// How many rows a query gave; or why it could not be asked of this database.
pub type Asked = std::result::Result<u64, String>;
