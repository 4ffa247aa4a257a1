//! Backups of a database that is no file: the server's own programs make them and put them back.

use super::Reader;
use crate::database::audit::{AuditEntry, AuditTable};
use crate::error::Result;
use crate::secret::proof::LeakSearch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// What is looked at in an open database; an error of it ends what goes on there.
pub type Look<'l> = &'l mut dyn FnMut(&dyn Reader) -> Result<()>;

/// What a dump was made of, for whoever puts it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The engine: `postgresql`.
    pub engine: String,
    /// The server's version, such as `15.18`.
    pub version: String,
    /// The program that made the dump, with its version. One as new as it puts the dump back.
    pub program: String,
    /// The schema that was dumped.
    pub schema: String,
    /// The schema of treelift's own tables, which was dumped as well, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_schema: Option<String>,
    /// The extensions of the database, which are in no dump.
    pub extensions: Vec<Extension>,
}

impl Served {
    /// The schemas that were dumped.
    pub fn schemas(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.schema).chain(&self.ledger_schema)
    }
}

/// An installed extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// Where its objects are.
    pub schema: String,
}

/// What tells a database from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name of the database.
    pub name: String,
    /// The same with the server and the schema.
    pub path: String,
}

/// How a dump is put back.
#[derive(Debug)]
pub struct PutBack<'p> {
    /// The dump.
    pub dump: &'p Path,
    /// What it was made of.
    pub served: &'p Served,
    /// The id for a database that has none.
    pub id: Option<&'p str>,
    /// The entry of the audit trail.
    pub entry: &'p AuditEntry,
    /// The application's own audit table.
    pub audit: Option<&'p AuditTable>,
}

/// A database of a server. What it does in several steps, it does with the programs of [`Dumps::programs`].
pub trait Dumps {
    /// The program that makes dumps of this server, with its version. An error where it is not there, or too old.
    fn program(&self) -> Result<String>;
    /// What tells this database from others.
    fn named(&self) -> Result<Named>;
    /// Writes the database as it is at one moment into a file that is there and empty. `look` sees it at that moment. To be
    /// changed next, it is locked, and stays as it is until it is: the next transaction of this database goes on in the
    /// one of the dump.
    fn dump(&self, to: &Path, is_changed_next: bool, look: Look<'_>) -> Result<Served>;
    /// Reads a dump from its beginning to its end.
    fn read_through(&self, dump: &Path, served: &Served) -> Result<()>;
    /// Which secrets of a search a dump holds, by their numbers.
    fn search(&self, dump: &Path, served: &Served, search: &LeakSearch) -> Result<BTreeSet<usize>>;
    /// Puts a dump into a database that is made for it and dropped again. Why that cannot be done, where it is no fault of
    /// the dump.
    fn try_out(&self, dump: &Path, served: &Served, look: Look<'_>) -> Result<Option<String>>;
    /// Replaces what there is with a dump, in one transaction; an error of `look`, which sees the result, leaves all as it
    /// was.
    fn put_back(&self, order: &PutBack<'_>, look: Look<'_>) -> Result<()>;
}
