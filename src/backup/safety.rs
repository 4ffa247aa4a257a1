//! The automatic backup before something changes a database.

use super::create::{Made, Making, create, withdraw};
use super::manifest::Packing;
use crate::config::Ui;
use crate::database::Database;
use crate::error::Result;
use crate::report::words::bytes;
use std::path::Path;

/// What is done about a backup before a database is changed.
#[derive(Debug, Clone, Default)]
pub struct Before<'a> {
    /// `--no-backup`: none is made.
    pub skip: bool,
    /// `--backup-dir`; else `backups` beside the database, or in the working directory.
    pub folder: Option<&'a Path>,
    /// The mapping set that the database belongs to.
    pub set: Option<&'a str>,
}

impl Before<'_> {
    /// What is done, for a question: `after a backup`.
    pub fn in_words(&self) -> &'static str {
        if self.skip { "without a backup" } else { "after a backup" }
    }
}

/// The backup that was made, if one was. Dropped without [`Safety::keep`] it is removed again, and
/// that is said: what it was made for changed no row.
#[must_use = "a backup that is not kept is removed at once"]
pub struct Safety<'c> {
    made: Option<Made>,
    ui: &'c dyn Ui,
}

impl std::fmt::Debug for Safety<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Safety({:?})", self.made.as_ref().map(|made| &made.path))
    }
}

impl Safety<'_> {
    /// Whether what is changed must be what the backup has: whoever lets go of it in between makes another one.
    pub fn is_of_a_server(&self) -> bool {
        self.made.as_ref().is_some_and(|made| made.manifest.server.is_some())
    }

    /// Keeps it, unless it is certain that nothing was changed after it.
    pub fn keep_unless(self, nothing_was_changed: bool) {
        if !nothing_was_changed {
            self.keep();
        }
    }

    /// Keeps it. Where a commit may fail, this comes before it: whatever that gives, it may have been
    /// done.
    pub fn keep(mut self) -> Option<Made> {
        self.made.take()
    }
}

impl Drop for Safety<'_> {
    fn drop(&mut self) {
        if let Some(made) = &self.made {
            withdraw(&made.path, &made.folders);
            self.ui.say("no row was changed: the backup was removed");
        }
    }
}

/// The reason in the manifest of a backup that is made by itself.
pub(super) fn reason(what: &str) -> String {
    format!("before {what}")
}

/// Makes sure, before anything is asked or begun, that a backup can be made where one is to be made.
pub fn able(database: &dyn Database, how: &Before<'_>) -> Result<()> {
    let Some(dumps) = database.dumps().filter(|_| !how.skip) else { return Ok(()) };
    if !database.exists()? {
        return Ok(());
    }
    dumps.program().map(drop).map_err(|error| {
        let hint = error.hint.as_ref().map_or_else(String::new, |hint| format!("{hint}; "));
        error.hint(format!("{hint}`--no-backup` makes none"))
    })
}

/// Makes the backup before an import into an existing database, a migration, a restore, an
/// encryption, a rotation. None is made where nothing is there yet, or none was wanted.
///
/// `what` completes "before …".
pub fn before<'c>(database: &dyn Database, what: &str, how: &Before<'_>, ui: &'c dyn Ui) -> Result<Safety<'c>> {
    if how.skip || !database.exists()? {
        return Ok(Safety { made: None, ui });
    }
    let reason = reason(what);
    let making =
        Making { folder: how.folder, packing: Packing::None, reason: &reason, set: how.set, is_changed_next: true };
    let made = create(database, &making)?;
    ui.say(&format!("backup: {} ({})", made.path.display(), bytes(made.manifest.bytes)));
    Ok(Safety { made: Some(made), ui })
}
