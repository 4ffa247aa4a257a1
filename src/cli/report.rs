//! `treelift report diff`

use super::args::report::{DiffArgs, ReportCommand};
use super::output::Output;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::report::diff::{Difference, Side, compare, page, words};
use serde_json::json;
use std::fs;
use std::io::Write;
use std::path::Path;

/// Does what is asked with reports.
pub(super) fn run(command: &ReportCommand, output: &Output) -> Result<u8> {
    let ReportCommand::Diff(args) = command;
    diff(args, output)
}

/// Says what changed from one report to another; status 1 where something did.
fn diff(args: &DiffArgs, output: &Output) -> Result<u8> {
    let difference = compare(&read(&args.before)?, &read(&args.after)?);
    args.outputs.iter().try_for_each(|path| write(path, &difference))?;
    let words = words(&difference, output.is_verbose());
    output.result(if output.is_quiet() { last(&words) } else { &words }, &json!(difference))?;
    Ok(u8::from(!difference.same))
}

fn last(words: &str) -> &str {
    words.trim_end().rfind('\n').map_or(words, |at| &words[at + 1..])
}

fn read(path: &Path) -> Result<Side> {
    let place = path.display();
    let bytes = fs::read(path)
        .map_err(|error| Error::environment(format!("the report cannot be read: {}", error.kind())).at(&place))?;
    Side::parse(&bytes).map_err(|error| error.at(&place))
}

/// Writes the comparison into a new file.
fn write(path: &Path, difference: &Difference) -> Result<()> {
    let text = match path.extension().and_then(|ending| ending.to_str()) {
        Some("html") => page(difference)?,
        Some("json") => format!("{:#}\n", json!(difference)),
        _ => {
            let message =
                format!("`{}` ends neither with `.html` nor with `.json`", printable(&path.display().to_string()));
            return Err(Error::request(message).hint("the ending is the form of the comparison"));
        }
    };
    let cannot = |error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::request("the file exists already").at(path.display()).hint("name a new one, or remove it")
        }
        kind => Error::environment(format!("the comparison cannot be written: {kind}")).at(path.display()),
    };
    let mut file = fs::File::create_new(path).map_err(|error| cannot(&error))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| cannot(&error))
}
