//! What migrations make, before they are run on a database.

use crate::database::catalog::Catalog;
use crate::error::{Error, Result};
use crate::table::Migration;

/// What can tell what migrations make: an engine that needs no database for it, or what is open of one.
///
/// Nothing of it stays: the migrations run in a place of their own.
pub trait Stages {
    /// What there is after each migration, or after the last alone, up to the first that does not run by itself; and
    /// why that one does not.
    fn stages(&self, migrations: &[Migration], only_last: bool) -> Result<(Vec<Catalog>, Option<Error>)>;
}
