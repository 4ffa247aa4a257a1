//! Copies of databases that killed commands left in the temporary folder.

use super::log;
use super::output::Output;
use crate::database;

/// Removes them, and says which.
pub(super) fn remove(output: &Output) {
    for folder in database::remove_stale() {
        let line = format!("removed a database copy that a killed command left: {}", folder.display());
        log::said(&line);
        output.note(&line);
    }
}
