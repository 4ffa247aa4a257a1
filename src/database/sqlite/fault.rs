//! Why work on an open database ended.

use crate::error::Error;

/// A fault of SQLite, which gets its words where the database is known; or one that is in words already.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Said(Error),
}

/// What came of work on an open database.
pub(super) type Tried<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Said(error)
    }
}
