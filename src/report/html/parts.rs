//! What the page shows, as its template wants it.

use crate::finding::{CODES, Severity, printable};
use crate::report::weight::weight;
use crate::report::{FileReport, FileStatus, LossKind, Report, Shared, TableReport, words};
use serde::Serialize;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Findings of one code.
#[derive(Debug, Serialize)]
pub(super) struct Kind<'f> {
    severity: &'f Value,
    code: &'f Value,
    /// What the code means.
    title: &'static str,
    /// What to do about all of them.
    help: Option<&'f Value>,
    count: u64,
    sayings: Vec<Saying<'f>>,
}

/// What findings say alike, with their places.
#[derive(Debug, Serialize)]
struct Saying<'f> {
    /// The first of them.
    first: &'f Value,
    places: Vec<&'f Value>,
    count: u64,
    /// How many have no place here.
    more: u64,
}

/// Findings by code, the worst first, and of those alike that one which matters most.
pub(super) fn kinds(findings: &Value) -> Vec<Kind<'_>> {
    let all = findings.as_array().map(Vec::as_slice).unwrap_or_default();
    let alike =
        |names: &'static [&str]| move |a: &Value, b: &Value| names.iter().all(|name| a.get(name) == b.get(name));
    let count = |of: &[Value]| of.iter().filter_map(|finding| finding["count"].as_u64()).sum();
    let mut kinds: Vec<Kind<'_>> = all
        .chunk_by(alike(&["severity", "code"]))
        .map(|of| {
            let help = of[0].get("help").filter(|help| of.iter().all(|one| one.get("help") == Some(help)));
            let sayings = of.chunk_by(alike(&["message", "subject", "mapping", "help"])).map(|alike| {
                let places: Vec<&Value> = alike.iter().filter_map(|one| one.get("place")).collect();
                let count: u64 = count(alike);
                Saying { first: &alike[0], more: count.saturating_sub(places.len() as u64), places, count }
            });
            let title = CODES.iter().find(|code| of[0]["code"] == code.id).map_or("", |code| code.title);
            let sayings = sayings.collect();
            Kind { severity: &of[0]["severity"], code: &of[0]["code"], title, help, count: count(of), sayings }
        })
        .collect();
    kinds.sort_by_key(|kind| {
        let severity: Severity = serde_json::from_value(kind.severity.clone()).unwrap_or(Severity::Error);
        (Reverse(severity), weight(severity, kind.code.as_str().unwrap_or_default()))
    });
    kinds
}

/// The columns that were not always filled from one and the same place.
pub(super) fn columns(columns: &Value) -> Vec<&Value> {
    let all = columns.as_array().map(Vec::as_slice).unwrap_or_default();
    let matters = |column: &&Value| {
        let some = |name: &str| column[name].as_u64().is_some_and(|count| count > 0);
        some("defaulted") || some("nulled") || column["alternatives"].as_array().is_some_and(|ways| ways.len() > 1)
    };
    all.iter().filter(matters).collect()
}

/// A piece of the stacked bar.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Segment {
    name: &'static str,
    count: u64,
}

/// The classes of leaves that there are, side by side.
pub(super) fn bar(report: &Report) -> Vec<Segment> {
    let classes = report.leaves.classes().into_iter().filter(|(_, count)| *count > 0);
    classes.map(|(name, count)| Segment { name, count }).collect()
}

/// For each table how long the parts of its bar are, in hundredths of the longest bar: rows that were inserted, updated,
/// unchanged, kept, gone and rejected.
pub(super) fn tracks(tables: &[TableReport]) -> Vec<[String; 6]> {
    let counts =
        |table: &TableReport| [table.inserted, table.updated, table.unchanged, table.kept, table.gone, table.rejected];
    let most = tables.iter().map(|table| counts(table).iter().sum::<u64>()).max().unwrap_or(0).max(1);
    // Thousandths in whole numbers: no count is shown through a float.
    let length = |count: u64| {
        let thousandths = u128::from(count) * 1_000 / u128::from(most);
        format!("{}.{}", thousandths / 10, thousandths % 10)
    };
    tables.iter().map(|table| counts(table).map(length)).collect()
}

/// Things of one kind that somebody is to agree to.
#[derive(Debug, Serialize)]
pub(super) struct Part {
    title: &'static str,
    /// What its columns are called.
    what: &'static str,
    why: &'static str,
    counted: &'static str,
    has_files: bool,
    has_leaves: bool,
    lines: Vec<Line>,
}

/// One of them.
#[derive(Debug, Serialize)]
struct Line {
    what: String,
    why: String,
    files: u64,
    leaves: u64,
}

/// Everything that is not in the database as it was in the source, and why.
pub(super) fn sign_off(report: &Report) -> Vec<Part> {
    let line =
        |what: &str, why: &str, files, leaves| Line { what: printable(what), why: printable(why), files, leaves };
    let part = |title, what, why, lines: Vec<Line>| Part {
        title,
        what,
        why,
        counted: "Leaves",
        has_files: lines.iter().any(|line| line.files > 0),
        has_leaves: lines.iter().any(|line| line.leaves > 0),
        lines,
    };
    let ignored = report.ignored.iter().map(|one| line(&one.what, &one.reason, one.files, one.leaves));
    let lossy = report.lossy.iter().map(|one| line(&one.what, &one.reason, 0, one.leaves));
    let caught = report.caught_all.iter().map(|one| line(&one.path, &one.mapping, 0, one.count));
    let declassified = report.secrets.declassified.iter().map(|one| line(&one.path, &one.reason, 0, 0));
    let losses = report.losses.iter().map(|one| {
        let what = match one.kind {
            LossKind::Table => "the table goes",
            LossKind::Column => "the column goes",
            LossKind::Rows => "rows go",
        };
        let of = format!("{what}; the table has {} before and {} after", words::count(one.before, "row"), one.after);
        line(&one.what, &of, 0, one.rows)
    });
    let parts = [
        part("Left out", "What", "Reason", ignored.collect()),
        part("Not kept whole", "What", "Reason", lossy.collect()),
        part("Kept by a catch-all only", "Path", "Mapping", caught.collect()),
        part("Secrets that are written in plaintext", "Path", "Reason", declassified.collect()),
        Part { counted: "Rows", ..part("Lost by migrations", "What", "How", losses.collect()) },
    ];
    parts.into_iter().filter(|part| !part.lines.is_empty()).collect()
}

/// Files of one status that one mapping reads.
#[derive(Debug, Serialize)]
pub(super) struct FileKind {
    status: FileStatus,
    mapping: Option<Shared>,
    bytes: u64,
    files: Vec<FileLine>,
}

/// A file.
#[derive(Debug, Serialize)]
struct FileLine {
    path: Shared,
    /// Its shape, or why nothing of it counts.
    about: Option<Shared>,
    bytes: u64,
    records: u64,
    rejected: u64,
    leaves: u64,
}

/// All files by what became of them and what read them; those first that somebody should look at.
pub(super) fn files(report: &Report) -> Vec<FileKind> {
    let rank = |status| match status {
        FileStatus::Rejected => 0,
        FileStatus::Unmapped => 1,
        FileStatus::Unread => 2,
        FileStatus::Imported => 3,
        FileStatus::Ignored => 4,
    };
    let mut kinds: BTreeMap<(u8, Option<String>), FileKind> = BTreeMap::new();
    for file in report.files.iter() {
        let FileReport { path, mapping, status, reason, shape, bytes, records, rejected, leaves, .. } = file;
        let key = (rank(status), mapping.as_deref().map(str::to_owned));
        let kind = kinds.entry(key).or_insert_with(|| FileKind { status, mapping, bytes: 0, files: Vec::new() });
        kind.bytes += bytes;
        let about = reason.or(shape).map(|about| printable(&about).into());
        let path = printable(&path).into();
        kind.files.push(FileLine { path, about, bytes, records, rejected, leaves: leaves.seen });
    }
    kinds.into_values().collect()
}
