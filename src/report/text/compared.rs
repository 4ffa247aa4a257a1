//! What a verification says: a table of its counts, and the last line.

use super::super::words::{count, thousands};
use super::super::{ComparedReport, Report};
use super::layout::{against, more, table};
use crate::finding::Severity;

/// The counts by table.
pub(super) fn tables(report: &Report, most: usize, width: u16) -> String {
    let shown = if report.compared.len() > most { most - 1 } else { most };
    // What differs is shown first where not all are.
    let mut all: Vec<&ComparedReport> = report.compared.iter().collect();
    if all.len() > most {
        all.sort_by_key(|table| !table.differs());
    }
    let rows = all.iter().take(shown).map(|table| {
        let numbers = [table.equal, table.missing, table.extra, table.different, table.unverified].map(thousands);
        std::iter::once(table.name.clone()).chain(numbers).collect()
    });
    let mut text = table(&["table", "equal", "missing", "extra", "different", "not verified"], rows, width);
    more(&mut text, report.compared.len().saturating_sub(shown), "table", "");
    text
}

/// What is true of the database.
pub(super) fn verdict(report: &Report) -> String {
    let sum = |of: fn(&ComparedReport) -> u64| report.compared.iter().map(of).sum::<u64>();
    let (equal, unverified) = (sum(|table| table.equal), sum(|table| table.unverified));
    let unverified = match unverified {
        0 => String::new(),
        rows => format!(", {} cannot be verified", count(rows, "row")),
    };
    let kinds = [
        (sum(|table| table.wrong), "imported wrong"),
        (sum(|table| table.edited), "edited since"),
        (sum(|table| table.source_changed), "changed in the source since"),
        (sum(|table| table.edited_and_source_changed), "changed in both since"),
        (sum(|table| table.unrecorded), "that no import recorded"),
    ];
    let kinds: Vec<String> =
        kinds.iter().filter(|(rows, _)| *rows > 0).map(|(rows, kind)| format!("{} {kind}", thousands(*rows))).collect();
    let (different, missing, extra) =
        (sum(|table| table.different), sum(|table| table.missing), sum(|table| table.extra));
    let mut parts = Vec::new();
    if different > 0 {
        let verb = if different == 1 { "is" } else { "are" };
        parts.push(format!("{} {verb} different ({})", count(different, "row"), kinds.join(", ")));
    }
    if missing > 0 {
        parts.push(format!("{} missing", thousands(missing)));
    }
    if extra > 0 {
        parts.push(format!("{} extra", thousands(extra)));
    }
    let errors = report.found(Severity::Error);
    match (parts.is_empty(), errors) {
        (true, 0) => format!("verified: {} equal to the source{unverified}", count(equal, "row")),
        (true, _) => {
            let errors = against(report);
            let errors = errors.trim_end_matches(", ");
            format!("not verified as a whole: {errors} in the source; {} equal to it{unverified}", count(equal, "row"))
        }
        (false, _) => format!("differs: {}; {} equal{unverified}", parts.join(", "), count(equal, "row")),
    }
}
