//! Backups of a schema: `pg_dump` makes them of one moment, `pg_restore` reads them, and treelift's own connection puts
//! them back, so that all of that is one transaction.
//!
//! `programs` finds the two, `child` runs them, `make` makes a dump, `script` sends what `pg_restore` gives, `contents`
//! drops what is replaced, `put_back` replaces, `trial` does that in a database which is dropped again.

mod child;
mod contents;
mod make;
mod programs;
mod put_back;
pub(super) mod script;
mod trial;

use super::database::PostgresDatabase;
use crate::database::dumps::{Dumps, Look, Named, PutBack, Served};
use crate::error::Result;
use crate::secret::proof::LeakSearch;
use std::collections::BTreeSet;
use std::path::Path;

impl Dumps for PostgresDatabase {
    fn program(&self) -> Result<String> {
        self.said(make::program(&self.place))
    }

    fn named(&self) -> Result<Named> {
        self.said(make::named(&self.place))
    }

    fn dump(&self, to: &Path, is_changed_next: bool, look: Look<'_>) -> Result<Served> {
        self.said(make::dump(&self.place, to, is_changed_next, look))
    }

    fn read_through(&self, dump: &Path, served: &Served) -> Result<()> {
        script::read_through(dump, served)
    }

    fn search(&self, dump: &Path, served: &Served, search: &LeakSearch) -> Result<BTreeSet<usize>> {
        script::search(dump, served, search)
    }

    fn try_out(&self, dump: &Path, served: &Served, look: Look<'_>) -> Result<Option<String>> {
        self.said(trial::try_out(&self.place, dump, served, look))
    }

    fn put_back(&self, order: &PutBack<'_>, look: Look<'_>) -> Result<()> {
        self.said(put_back::put_back(&self.place, order, look))
    }
}
