//! Where a database is, and why work on it ended.

use super::address::Address;
use super::words;
use crate::database::catalog::Catalog;
use crate::error::Error;
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long another treelift, or a writer of a table, is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest time that the server's settings take, in milliseconds.
const MOST_MILLIS: u128 = i32::MAX as u128;

/// A schema that stands for the whole database, as long as this is there.
pub(super) trait StandIn: fmt::Debug + Send + Sync {
    /// Its name.
    fn schema(&self) -> &str;
    /// Where names are looked for: in it, then in the schemas of extensions.
    fn search_path(&self) -> &str;
    /// Drops it; its name, where that does not succeed. The next test does it then.
    fn end(&self) -> Option<&str>;
}

/// What was outside of a schema, and of that of our own tables, before something ran, but for the server's own.
pub(super) struct Outside {
    pub(super) schemas: [String; 2],
    /// The tables, views, indexes and sequences by number.
    pub(super) relations: BTreeMap<u32, String>,
    /// What else there is, by what it is and its number: its row of the catalog, and its name.
    pub(super) others: BTreeMap<(String, u32), (String, String)>,
}

/// A database as the user named it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) address: Arc<Address>,
    /// The table for the record of migrations that the set names.
    pub(super) record: Option<String>,
    /// The schema that stands for the whole database, where migrations are tested.
    pub(super) bench: Option<Arc<dyn StandIn>>,
    /// How long locks are waited for, where the user says so; zero is without end.
    pub(super) patience: Option<Duration>,
    /// What migrations make, by their checksums: it is asked several times in a run.
    pub(super) stages: Arc<Mutex<HashMap<Vec<String>, Vec<Catalog>>>>,
    /// Where a backup was made in a transaction that goes on.
    pub(super) aside: Aside,
    /// The connection of the last one who looked.
    pub(super) idle: Aside,
}

/// A connection, as its own module knows it, between two who use it.
#[derive(Clone, Default)]
pub(super) struct Aside(Arc<Mutex<Option<Box<dyn Any + Send>>>>);

impl Aside {
    pub(super) fn put(&self, what: Box<dyn Any + Send>) {
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(what);
        drop(before); // it may end a connection, which takes its time
    }

    pub(super) fn take(&self) -> Option<Box<dyn Any + Send>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aside")
    }
}

impl Place {
    /// How long locks are waited for; zero is without end.
    pub(super) fn patience(&self) -> Duration {
        self.patience.or(self.address.options.lock_timeout).unwrap_or(PATIENCE)
    }

    /// The same in milliseconds, as far as the server's settings go.
    pub(super) fn patience_millis(&self) -> u128 {
        self.patience().as_micros().div_ceil(1_000).min(MOST_MILLIS)
    }

    pub(super) fn shown(&self) -> &str {
        &self.address.shown
    }

    /// What a fault of the server means, in a sentence.
    pub(super) fn words_of(&self, error: &postgres::Error) -> String {
        words::fault(error, self.shown()).message
    }

    /// The words for a fault on it.
    pub(super) fn words(&self, fault: Fault) -> Error {
        match fault {
            Fault::Postgres(error) => words::fault(&error, self.shown()),
            Fault::Said(error) => error,
        }
    }
}

/// A fault of the server or the way to it, which gets its words where the database is known; or one that is in words
/// already. The server's own `Debug` shows values of rows.
pub(super) enum Fault {
    Postgres(postgres::Error),
    Said(Error),
}

/// What came of work on an open database.
pub(super) type Tried<T> = Result<T, Fault>;

impl From<postgres::Error> for Fault {
    fn from(error: postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Said(error)
    }
}
