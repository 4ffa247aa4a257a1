//! `treelift schema status`

use crate::cli::args::schema::StatusArgs;
use crate::cli::managed;
use crate::cli::output::Output;
use crate::database::history::{Fault, Origin};
use crate::error::Result;
use crate::finding::printable;
use crate::migrations::Status;
use crate::report::table::table;
use crate::report::words::{count, duration};

/// Exit status when migrations are pending, for scripts.
const SOMETHING_TO_DO: u8 = 4;

/// Prints the state of the schema.
pub(super) fn run(args: &StatusArgs, output: &Output) -> Result<u8> {
    let status = managed::open(&args.managed)?.status()?;
    let document = serde_json::to_value(&status).expect("strings, numbers and lists are always JSON");
    output.result(&words(&status), &document)?;
    let disagrees = status.standing.faults.iter().any(Fault::is_fatal);
    Ok(match (args.exit_code, disagrees, status.is_needed()) {
        (true, true, _) => 1,
        (true, false, true) => SOMETHING_TO_DO,
        _ => 0,
    })
}

fn words(status: &Status) -> String {
    let mut words = String::new();
    let mut line = |name: &str, text: &str| words.push_str(&format!("{name:9}{}\n", printable(text)));
    line("set", &format!("{}, {}", status.set, count(status.standing.steps.len() as u64, "migration")));
    line("target", &format!("{}{}", status.target, if status.exists { "" } else { " (does not exist yet)" }));
    line("current", status.current.as_deref().unwrap_or("nothing applied"));
    line("pending", &status.pending.to_string());
    for note in [&status.record_note, &status.version_note].into_iter().flatten() {
        line("note", note);
    }
    line("took", &duration(u64::try_from(status.took_ms).unwrap_or(0)));
    for fault in &status.standing.faults {
        line(if fault.is_fatal() { "error" } else { "note" }, &fault.to_string());
    }
    for difference in &status.drift {
        line("drift", difference);
    }
    let rows = status.standing.steps.iter().map(|step| {
        let by = match step.origin {
            None => "",
            Some(Origin::Ran) => "treelift",
            Some(Origin::Found) => "already there",
            Some(Origin::Stamped) => "stamped",
            Some(Origin::Foreign) => "another program",
        };
        vec![step.version.clone(), step.state.to_string(), by.to_owned(), step.description.clone()]
    });
    words + "\n" + &table(&["version", "state", "by", "what"], rows, usize::MAX, None)
}
