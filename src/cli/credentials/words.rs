//! What the commands on credentials print.

use crate::credentials::rekey::Rekeyed;
use crate::credentials::rotate::Rotated;
use crate::finding::printable;
use crate::report::words::{count, thousands};
use std::path::Path;

/// The last line, which says so in a dry run.
pub(super) fn ending(dry_run: bool, words: &str) -> String {
    if dry_run { format!("dry run: {words}; nothing was changed\n") } else { format!("{words}\n") }
}

/// Where old secrets remain, line by line.
pub(super) fn trace_words(own: &[String], copies: &[String], what: &str) -> String {
    let mut words = String::new();
    for one in own {
        words.push_str(&format!("warning: {what} may still be in {}\n", printable(one)));
    }
    for copy in copies {
        words.push_str(&format!("warning: {what} is still in a copy: {}\n", printable(copy)));
    }
    words
}

/// The last line, about the backup that was made first.
pub(super) fn backup_hint(backup: Option<&Path>, what: &str) -> String {
    let path = |path: &Path| printable(&path.display().to_string());
    backup.map_or_else(String::new, |backup| format!("hint: the backup {what}: {}\n", path(backup)))
}

/// The line about copies that were and were not found.
pub(super) fn copies_hint(found: &[String], what: &str) -> String {
    let found = if found.is_empty() { "none was found beside the database" } else { "those found are listed above" };
    format!("hint: {what}; {found}, other places were not searched\n")
}

pub(super) fn rekeyed_words(done: &Rekeyed) -> String {
    let mut words = trace_words(&done.traces.own, &done.traces.copies, "the old wrapped key");
    let keys = count(done.keys.len() as u64, "key");
    words.push_str(&ending(
        done.dry_run,
        &format!(
            "{keys} of {} rewrapped: {} opens with the new {}",
            printable(&done.target),
            it(done.keys.len()),
            done.opens_with
        ),
    ));
    if !done.dry_run {
        words.push_str(&copies_hint(
            &done.traces.copies,
            "earlier copies open with the passphrase or key file that was in use then",
        ));
    }
    words
}

pub(super) fn it(count: usize) -> &'static str {
    if count == 1 { "it" } else { "each" }
}

pub(super) fn rotated_words(done: &Rotated) -> String {
    let mut words = String::new();
    for column in &done.handed_over {
        words.push_str(&format!("note: {} was handed over to the application and is unchanged\n", printable(column)));
    }
    words.push_str(&trace_words(&done.traces.own, &done.traces.copies, "the old key"));
    let (values, opened) = (count(done.values, "value"), thousands(done.opened_again));
    words.push_str(&ending(
        done.dry_run,
        &format!(
            "{values} of {} sealed again under key {}, {opened} opened again; the old key is gone",
            printable(&done.target),
            done.new_key
        ),
    ));
    if !done.dry_run {
        words.push_str(&copies_hint(
            &done.traces.copies,
            "earlier copies still open with the passphrase or key file that was in use then",
        ));
        words.push_str(&backup_hint(done.backup.as_deref(), "made before the rotation still opens with the old key"));
    }
    words
}
