//! `treelift schema history`

use crate::cli::args::schema::HistoryArgs;
use crate::cli::managed;
use crate::cli::output::Output;
use crate::database::history::Recorded;
use crate::error::Result;
use crate::finding::printable;
use crate::migrations::Event;
use crate::report::table::table;
use crate::report::words::duration;
use serde_json::json;

/// Lists the record of migrations, newest first.
pub(super) fn run(args: &HistoryArgs, output: &Output) -> Result<u8> {
    let managed = managed::open(&args.managed)?;
    let url = managed.database().url();
    if output.is_verbose() {
        let events = managed.events(args.limit)?;
        output.result(&events_words(&events, url), &json!({ "target": url, "events": events }))?;
        return Ok(0);
    }
    let history = managed.history(args.limit)?;
    output.result(&words(&history, url), &json!({ "target": url, "history": history }))?;
    Ok(0)
}

fn events_words(events: &[Event], url: &str) -> String {
    if events.is_empty() {
        return format!("the audit trail of {} tells of no migration\n", printable(url));
    }
    let rows = events.iter().map(|event| {
        let took = event.took_ms.and_then(|took| u64::try_from(took).ok()).map(duration);
        let at = event.at.as_deref().unwrap_or_default().split('.').next().unwrap_or_default();
        vec![
            at.to_owned(),
            event.version.clone(),
            event.what.clone().unwrap_or_default(),
            took.unwrap_or_default(),
            event.depends.join(", "),
            event.by.clone().unwrap_or_default(),
        ]
    });
    table(&["at", "version", "what", "took", "depends on", "by"], rows, usize::MAX, None)
}

fn words(history: &[Recorded], url: &str) -> String {
    if history.is_empty() {
        return format!("no migration is recorded in {}\n", printable(url));
    }
    let rows = history.iter().map(|record| {
        let took = record.took_ms.and_then(|took| u64::try_from(took).ok()).map(duration);
        let at = record.rolled_back_at.as_ref().or(record.applied_at.as_ref()).cloned().unwrap_or_default();
        let said = record.error.clone().or_else(|| record.description.clone());
        vec![
            record.version.clone(),
            record.status.to_string(),
            at.split('.').next().unwrap_or_default().to_owned(),
            took.unwrap_or_default(),
            said.unwrap_or_default(),
        ]
    });
    table(&["version", "status", "at", "took", "what"], rows, usize::MAX, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::history::{Origin, Status};

    #[test]
    fn a_failure_shows_its_reason_and_a_rollback_its_time() {
        let record = |version: &str, status| Recorded {
            version: version.to_owned(),
            description: Some("makes it".to_owned()),
            status,
            applied_at: Some("2025-05-07 15:09:12.000000".to_owned()),
            took_ms: Some(12),
            checksum: None,
            rolled_back_at: None,
            error: None,
            origin: Origin::Ran,
        };
        let failed = Recorded { error: Some("no such table: x".to_owned()), ..record("002_b", Status::Failed) };
        let back = Recorded {
            rolled_back_at: Some("2025-05-08 10:00:00.000000".to_owned()),
            ..record("001_a", Status::RolledBack)
        };
        assert_eq!(
            words(&[failed, back], "x.db"),
            "\
version  status       at                   took   what
002_b    failed       2025-05-07 15:09:12  12 ms  no such table: x
001_a    rolled back  2025-05-08 10:00:00  12 ms  makes it
"
        );
        assert_eq!(words(&[], "x.db"), "no migration is recorded in x.db\n");
    }
}
