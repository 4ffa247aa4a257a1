//! What the commands on credentials print.

use crate::credentials::erase::Traces;
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
pub(super) fn trace_words(traces: &Traces, what: &str) -> String {
    let mut words = String::new();
    for one in &traces.own {
        words.push_str(&format!("warning: {what} may still be in {}\n", printable(one)));
    }
    for copy in &traces.copies {
        words.push_str(&format!("warning: {what} is still in a copy: {}\n", printable(copy)));
    }
    if !traces.rewriting.is_empty() {
        let statements: Vec<String> =
            traces.rewriting.iter().map(|statement| format!("`{}`", printable(statement))).collect();
        words.push_str(&format!(
            "warning: {what} may still be on the server: in dead rows, its write-ahead log, its log, replicas and backups; \
             nothing of that was erased\nhint: {} removes the dead rows, and locks the table meanwhile\n",
            statements.join(", ")
        ));
    }
    words
}

/// The last line, about the backup that was made first.
pub(super) fn backup_hint(backup: Option<&Path>, what: &str) -> String {
    let path = |path: &Path| printable(&path.display().to_string());
    backup.map_or_else(String::new, |backup| format!("hint: the backup {what}: {}\n", path(backup)))
}

/// The line about copies that were and were not found.
pub(super) fn copies_hint(traces: &Traces, what: &str) -> String {
    let whose = if traces.rewriting.is_empty() { "beside the database" } else { "in the folder of backups" };
    let found = if traces.copies.is_empty() {
        format!("none was found {whose}")
    } else {
        "those found are listed above".to_owned()
    };
    format!("hint: {what}; {found}, other places were not searched\n")
}

pub(super) fn rekeyed_words(done: &Rekeyed) -> String {
    let mut words = trace_words(&done.traces, "the old wrapped key");
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
            &done.traces,
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
    words.push_str(&trace_words(&done.traces, "the old key"));
    let (values, opened) = (count(done.values, "value"), thousands(done.opened_again));
    words.push_str(&ending(
        done.dry_run,
        &format!(
            "{values} of {} sealed again under key {}, {opened} opened again; the old key is {}",
            printable(&done.target),
            done.new_key,
            // Where dead rows may have it, it is not gone.
            if done.traces.rewriting.is_empty() { "gone" } else { "registered no more" }
        ),
    ));
    if !done.dry_run {
        words.push_str(&copies_hint(
            &done.traces,
            "earlier copies still open with the passphrase or key file that was in use then",
        ));
        words.push_str(&backup_hint(done.backup.as_deref(), "made before the rotation still opens with the old key"));
    }
    words
}
