//! Copying a database into another one: a backup that is restored there, and removed then.

use super::create::{Making, create, withdraw};
use super::identity::Identity;
use super::manifest::Packing;
use super::restore::{Restoring, restore};
use super::safety::Before;
use crate::config::Ui;
use crate::database::Database;
use crate::error::{Error, Result};

/// Makes one database a copy of another of the same engine. Asks, and makes a backup, before it replaces what is there.
///
/// # Errors
/// When both are the same database, or there is none to copy.
pub fn copy(from: &dyn Database, to: &mut dyn Database, before: &Before<'_>, ui: &dyn Ui) -> Result<()> {
    if from.engine() == to.engine() && Identity::of(from)?.path == Identity::of(to)?.path {
        return Err(Error::request("the copy would be the database itself").at(to.url()));
    }
    if from.engine() != to.engine() {
        let message = format!("a copy is one of the same engine, and {} is one of {}", to.url(), to.engine());
        return Err(Error::request(message).hint("`treelift transfer` copies a database into one of another engine"));
    }
    let making = Making {
        folder: before.folder,
        packing: Packing::None,
        reason: "for a copy",
        set: before.set,
        is_changed_next: false,
    };
    let made = create(from, &making)?;
    let restoring = Restoring { backup: &made.path, set: before.set, audit: None, dry: false, before: before.clone() };
    let done = restore(to, &restoring, ui);
    withdraw(&made.path, &made.folders);
    done.map(drop)
}
