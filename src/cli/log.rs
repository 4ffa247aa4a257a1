//! `--log-file`: one JSON object per event and line. It never holds secrets or URLs with a password:
//! only what the terminal shows too.

use super::{database_url, mapping_set};
use crate::config::Phase;
use crate::database;
use crate::error::{Error, Result};
use crate::outputs::{Inputs, Stream};
use crate::platform;
use clap::ArgMatches;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

static LOG: OnceLock<Mutex<File>> = OnceLock::new();

/// Opens the file, or in a folder today's (UTC), and logs which command begins.
/// Returns its path.
///
/// An existing file that is not such a log, and whatever the command reads or changes, is never appended
/// to.
pub(super) fn open(path: &Path, command: &ArgMatches) -> Result<PathBuf> {
    let path = file_in(path, Timestamp::now());
    let opened = match Stream::at(&path) {
        Some(stream) => stream.open(),
        None => {
            inputs(command).check("--log-file", &path)?;
            refuse_other_files(&path)?;
            platform::private().append(true).create(true).open(&path)
        }
    };
    let file =
        opened.map_err(|error| Error::environment(format!("the log cannot be written: {error}")).at(path.display()))?;
    // A second call in the same process keeps the first file.
    let _ = LOG.set(Mutex::new(file));
    write("info", "begin", json!({ "command": name(command), "version": env!("CARGO_PKG_VERSION") }));
    Ok(path)
}

/// Refuses a file that is neither empty nor a log of treelift.
fn refuse_other_files(path: &Path) -> Result<()> {
    let refused = |what: &str| Err(Error::request(format!("the log file {what}")).at(path.display()));
    match std::fs::metadata(path) {
        Ok(is) if !is.is_file() => refused("is not a regular file"),
        Ok(is) if is.len() > 0 && !is_log(path) => {
            refused("exists and is not a log of treelift").map_err(|error| error.hint("choose another path"))
        }
        _ => Ok(()),
    }
}

/// Whether the file's first line is an event as [`line`] writes it.
fn is_log(path: &Path) -> bool {
    let mut first = Vec::new();
    // No event that treelift writes first is longer.
    let read = File::open(path).and_then(|file| BufReader::new(file.take(4_096)).read_until(b'\n', &mut first));
    let event: Value = serde_json::from_slice(&first).unwrap_or_default();
    read.is_ok() && ["time", "level", "event"].iter().all(|name| event[name].is_string())
}

/// What the command reads or changes, as far as its arguments say.
fn inputs(command: &ArgMatches) -> Inputs {
    let mut matches = command;
    while let Some((_, below)) = matches.subcommand() {
        matches = below;
    }
    let path = |id: &str| matches.try_get_one::<PathBuf>(id).ok().flatten().cloned();
    let text = |id: &str| matches.try_get_one::<String>(id).ok().flatten().cloned();
    let mut inputs = Inputs::default();
    for (id, what) in [("source", "the source tree"), ("against", "the source tree")] {
        path(id).iter().for_each(|path| inputs.folder(what, path));
    }
    let variable = std::env::var(mapping_set::VARIABLE).ok();
    let sets = ["mappings", "set"].into_iter().filter_map(text).chain(variable);
    for folder in sets.map(PathBuf::from).filter(|path| path.is_dir()) {
        inputs.folder("the mapping set", &folder);
    }
    for (id, what) in [
        ("key_file", "the key file"),
        ("new_key_file", "the key file"),
        ("passphrase_file", "the passphrase file"),
        ("new_passphrase_file", "the passphrase file"),
    ] {
        path(id).iter().for_each(|path| inputs.file(what, path));
    }
    let url = text("database").or_else(|| std::env::var(database_url::VARIABLE).ok());
    let database = url.and_then(|url| database::open(&url).ok());
    if let Some(database) = database {
        database.file().iter().for_each(|file| inputs.database(file, database.side_suffixes()));
    }
    inputs
}

/// The names of a command and those below it: its arguments may hold a password.
fn name(matches: &ArgMatches) -> String {
    let mut names = Vec::new();
    let mut at = matches.subcommand();
    while let Some((name, below)) = at {
        names.push(name);
        at = below.subcommand();
    }
    names.join(" ")
}

fn file_in(path: &Path, now: Timestamp) -> PathBuf {
    if path.is_dir() { path.join(now.strftime("treelift-%Y-%m-%d.log").to_string()) } else { path.to_owned() }
}

/// A phase of a job begins.
pub(super) fn phase(phase: Phase, files: u64, bytes: u64) {
    write("info", "phase", json!({ "phase": format!("{phase:?}").to_lowercase(), "files": files, "bytes": bytes }));
}

/// The user was shown a message.
pub(super) fn said(line: &str) {
    write("info", "said", json!({ "message": line }));
}

/// The user was asked a question.
pub(super) fn asked(question: &str, answer: bool) {
    write("info", "asked", json!({ "question": question, "answer": if answer { "yes" } else { "no" } }));
}

/// Something was completed.
pub(super) fn done(event: &str, fields: Value) {
    write("info", event, fields);
}

/// A fault that did not end the command.
pub(super) fn warning(fault: &Error) {
    write("warning", "warning", json!({ "message": fault.message, "place": fault.place, "hint": fault.hint }));
}

/// An error ended the command.
pub(super) fn error(error: &Error) {
    let fields = json!({ "message": error.message, "place": error.place, "hint": error.hint });
    write("error", "error", fields);
    error.more.iter().for_each(self::error);
}

/// The command ends.
pub(super) fn end(status: u8) {
    write(if status == 0 { "info" } else { "error" }, "end", json!({ "status": status }));
}

fn write(level: &str, event: &str, fields: Value) {
    let Some(log) = LOG.get() else { return };
    let line = line(Timestamp::now(), level, event, fields);
    let mut file = log.lock().unwrap_or_else(PoisonError::into_inner);
    // A full disk does not end the job here; the job itself will run into it.
    let _ = file.write_all(line.as_bytes());
}

fn line(now: Timestamp, level: &str, event: &str, fields: Value) -> String {
    let mut document = json!({ "time": now.to_string(), "level": level, "event": event });
    if let (Some(document), Value::Object(fields)) = (document.as_object_mut(), fields) {
        document.extend(fields);
    }
    format!("{document}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_with_its_time_first() {
        let now = "2025-05-07T15:09:12Z".parse().expect("a time");
        assert_eq!(
            line(now, "info", "said", json!({ "message": "two\nlines" })),
            "{\"time\":\"2025-05-07T15:09:12Z\",\"level\":\"info\",\"event\":\"said\",\"message\":\"two\\nlines\"}\n"
        );
    }

    #[test]
    fn a_folder_gets_a_file_for_each_day() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = "2025-05-07T15:09:12Z".parse().expect("a time");
        assert_eq!(file_in(folder.path(), now), folder.path().join("treelift-2025-05-07.log"));
        assert_eq!(file_in(&folder.path().join("x.log"), now), folder.path().join("x.log"));
    }
}
