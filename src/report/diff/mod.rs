//! What changed between two reports.
//!
//! Reports are read loosely: members that are missing count as empty, others that are not known are left alone, so that
//! reports of earlier and later versions can be compared. Ids, times, places of files on this machine and who ran it are
//! told, and are no difference.

mod page;
mod words;

pub use page::page;
pub use words::words;

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A report, as far as it is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Side {
    run_id: String,
    mode: String,
    outcome: String,
    verdict: String,
    run: Ran,
    source: Source,
    mappings: Mappings,
    target: Target,
    files: Vec<File>,
    leaves: BTreeMap<String, u64>,
    tables: Vec<Table>,
    findings: Vec<Finding>,
    secrets: BTreeMap<String, serde_json::Value>,
    checks: Vec<Check>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Ran {
    started: Option<String>,
    program: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Source {
    root: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Mappings {
    set: String,
    digest: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Target {
    url: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct File {
    path: String,
    status: String,
    mapping: Option<String>,
    reason: Option<String>,
    owner: Option<String>,
    bytes: u64,
    records: u64,
    rejected: u64,
    leaves: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Table {
    name: String,
    #[serde(flatten)]
    counts: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Finding {
    code: String,
    severity: String,
    message: String,
    subject: String,
    mapping: Option<String>,
    place: Option<Place>,
    count: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default)]
struct Place {
    file: String,
    pointer: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Check {
    name: String,
    category: String,
    status: String,
}

impl Side {
    /// Reads the bytes of a JSON report.
    ///
    /// # Errors
    /// When they are none: the error says what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let not_one = |why: &str| {
            Error::request(format!("this is no JSON report: {why}"))
                .hint("`treelift import … --report FILE.json` writes one")
        };
        if bytes.trim_ascii_start().starts_with(b"<") {
            return Err(not_one("it looks like a page; the JSON report of the same run is needed"));
        }
        let value: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|error| not_one(&format!("it is not valid JSON ({error})")))?;
        let Some(members) = value.as_object() else { return Err(not_one("it is no JSON object")) };
        for name in ["report_version", "run_id", "files", "findings"] {
            if !members.contains_key(name) {
                return Err(not_one(&format!("it has no member `{name}`")));
            }
        }
        serde_json::from_value(value).map_err(|error| not_one(&error.to_string()))
    }

    /// What a report is about, for whoever reads the comparison.
    fn about(&self) -> About {
        About {
            run: self.run_id.clone(),
            mode: self.mode.clone(),
            outcome: self.outcome.clone(),
            verdict: self.verdict.clone(),
            started: self.run.started.clone(),
            source: self.source.root.clone(),
            target: self.target.url.clone(),
        }
    }
}

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    /// The id of its run.
    pub run: String,
    /// The mode of the run.
    pub mode: String,
    /// Its outcome.
    pub outcome: String,
    /// Whether it may be committed.
    pub verdict: String,
    /// When it started.
    pub started: Option<String>,
    /// The tree.
    pub source: String,
    /// The database.
    pub target: String,
}

/// Something that both have, and that is not the same; nothing where one does not have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What.
    pub what: String,
    /// In the first report.
    pub before: Option<String>,
    /// In the second.
    pub after: Option<String>,
}

/// A file of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileOf {
    /// Its path.
    pub path: String,
    /// What became of it.
    pub status: String,
}

/// Something with a name, and what of it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The path of a file, or the name of a table.
    pub name: String,
    /// What of it.
    pub changes: Vec<Change>,
}

/// Findings of one code, rule and place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingOf {
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// The code.
    pub code: String,
    /// The rule or column that it is about.
    pub subject: String,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Where in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The first of them in words.
    pub message: String,
    /// How many the first report has.
    pub before: u64,
    /// How many the second has.
    pub after: u64,
}

/// What changed from one report to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Whether nothing changed that counts.
    pub same: bool,
    /// The first report.
    pub a: About,
    /// The second.
    pub b: About,
    /// Verdict, outcome, mapping set and version.
    pub run: Vec<Change>,
    /// Files that only the second has.
    pub added: Vec<FileOf>,
    /// Files that only the first has.
    pub removed: Vec<FileOf>,
    /// Files of which something changed.
    pub changed: Vec<Changed>,
    /// Leaves by class.
    pub leaves: Vec<Change>,
    /// Rows by table.
    pub tables: Vec<Changed>,
    /// Findings that only the second has.
    pub appeared: Vec<FindingOf>,
    /// Findings that only the first has.
    pub gone: Vec<FindingOf>,
    /// Findings that both have, and not as often.
    pub counted: Vec<FindingOf>,
    /// Counts of secrets.
    pub secrets: Vec<Change>,
    /// Checks.
    pub checks: Vec<Change>,
}

/// Compares two reports.
pub fn compare(a: &Side, b: &Side) -> Difference {
    let (added, removed, changed) = files(a, b);
    let (appeared, gone, counted) = findings(a, b);
    let mut difference = Difference {
        same: false,
        a: a.about(),
        b: b.about(),
        run: run(a, b),
        added,
        removed,
        changed,
        leaves: maps(&a.leaves, &b.leaves, u64::to_string),
        tables: tables(a, b),
        appeared,
        gone,
        counted,
        secrets: maps(&a.secrets, &b.secrets, plain),
        checks: checks(a, b),
    };
    difference.same = difference.run.is_empty()
        && difference.added.is_empty()
        && difference.removed.is_empty()
        && difference.changed.is_empty()
        && difference.leaves.is_empty()
        && difference.tables.is_empty()
        && difference.appeared.is_empty()
        && difference.gone.is_empty()
        && difference.counted.is_empty()
        && difference.secrets.is_empty()
        && difference.checks.is_empty();
    difference
}

fn change(what: &str, before: Option<String>, after: Option<String>) -> Option<Change> {
    (before != after).then(|| Change { what: what.to_owned(), before, after })
}

fn texts(what: &str, before: &str, after: &str) -> Option<Change> {
    change(what, Some(before.to_owned()), Some(after.to_owned()))
}

/// A dry run ends otherwise than the real one, whatever they find.
fn run(a: &Side, b: &Side) -> Vec<Change> {
    let outcome = if a.mode == b.mode { texts("outcome", &a.outcome, &b.outcome) } else { None };
    let digest = |side: &Side| side.mappings.digest.chars().take(12).collect::<String>();
    let set = |side: &Side| format!("{} ({})", side.mappings.set, digest(side));
    let version = match (&a.run.program, &b.run.program) {
        (Some(before), Some(after)) => texts("treelift", before, after),
        _ => None, // an earlier version did not say
    };
    let verdict = texts("verdict", &a.verdict, &b.verdict);
    [verdict, outcome, texts("set", &set(a), &set(b)), version].into_iter().flatten().collect()
}

/// The changes of members that are counts, or other values without members.
fn maps<V: PartialEq>(a: &BTreeMap<String, V>, b: &BTreeMap<String, V>, text: impl Fn(&V) -> String) -> Vec<Change> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let of = |map: &BTreeMap<String, V>, name: &String| map.get(name).map(&text);
    names.into_iter().filter_map(|name| change(name, of(a, name), of(b, name))).collect()
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(values) => format!("{} listed", values.len()),
        other => other.to_string(),
    }
}

fn files(a: &Side, b: &Side) -> (Vec<FileOf>, Vec<FileOf>, Vec<Changed>) {
    let by_path = |side: &'_ Side| -> BTreeMap<String, File> {
        side.files.iter().map(|file| (file.path.clone(), file.clone())).collect()
    };
    let (mut before, after) = (by_path(a), by_path(b));
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    for (path, file) in after {
        match before.remove(&path) {
            None => added.push(FileOf { path, status: file.status }),
            Some(was) if was == file => {}
            Some(was) => changed.push(Changed { name: path, changes: file_changes(&was, &file) }),
        }
    }
    let removed = before.into_values().map(|file| FileOf { path: file.path, status: file.status }).collect();
    (added, removed, changed)
}

fn file_changes(a: &File, b: &File) -> Vec<Change> {
    let number = |what: &str, before: u64, after: u64| texts(what, &before.to_string(), &after.to_string());
    let mut changes: Vec<Change> = [
        texts("status", &a.status, &b.status),
        change("mapping", a.mapping.clone(), b.mapping.clone()),
        change("reason", a.reason.clone(), b.reason.clone()),
        change("owner", a.owner.clone(), b.owner.clone()),
        number("bytes", a.bytes, b.bytes),
        number("records", a.records, b.records),
        number("rejected", a.rejected, b.rejected),
    ]
    .into_iter()
    .flatten()
    .collect();
    changes.extend(
        maps(&a.leaves, &b.leaves, u64::to_string)
            .into_iter()
            .map(|change| Change { what: format!("leaves {}", change.what), ..change }),
    );
    changes
}

fn tables(a: &Side, b: &Side) -> Vec<Changed> {
    let empty = BTreeMap::new();
    let names: BTreeSet<&str> = a.tables.iter().chain(&b.tables).map(|table| table.name.as_str()).collect();
    let of = |side: &'_ Side, name: &str| -> BTreeMap<String, serde_json::Value> {
        side.tables.iter().find(|table| table.name == name).map_or_else(|| empty.clone(), |table| table.counts.clone())
    };
    let changed = names.into_iter().map(|name| {
        let changes = maps(&of(a, name), &of(b, name), plain);
        Changed { name: name.to_owned(), changes }
    });
    changed.filter(|table| !table.changes.is_empty()).collect()
}

/// What makes findings of two reports the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    severity: String,
    code: String,
    subject: String,
    mapping: Option<String>,
    place: Option<Place>,
}

fn findings(a: &Side, b: &Side) -> (Vec<FindingOf>, Vec<FindingOf>, Vec<FindingOf>) {
    let mut all: BTreeMap<Key, (String, u64, u64)> = BTreeMap::new();
    let mut note = |side: &Side, is_first: bool| {
        for finding in &side.findings {
            let key = Key {
                severity: finding.severity.clone(),
                code: finding.code.clone(),
                subject: finding.subject.clone(),
                mapping: finding.mapping.clone(),
                place: finding.place.clone(),
            };
            let known = all.entry(key).or_insert_with(|| (finding.message.clone(), 0, 0));
            *if is_first { &mut known.1 } else { &mut known.2 } += finding.count;
        }
    };
    note(a, true);
    note(b, false);
    let (mut appeared, mut gone, mut counted) = (Vec::new(), Vec::new(), Vec::new());
    for (key, (message, before, after)) in all {
        let list = match (before, after) {
            _ if before == after => continue, // nothing to tell
            (0, _) => &mut appeared,
            (_, 0) => &mut gone,
            _ => &mut counted,
        };
        let Key { severity, code, subject, place, .. } = key;
        let (file, pointer) = place.map_or((None, None), |place| (Some(place.file), place.pointer));
        list.push(FindingOf { severity, code, subject, file, pointer, message, before, after });
    }
    (appeared, gone, counted)
}

fn checks(a: &Side, b: &Side) -> Vec<Change> {
    let by_name = |side: &Side| -> BTreeMap<String, String> {
        side.checks.iter().map(|check| (format!("{}: {}", check.category, check.name), check.status.clone())).collect()
    };
    maps(&by_name(a), &by_name(b), String::clone)
}

#[cfg(test)]
mod tests {
    use super::super::{Report, sample};
    use super::*;

    fn side(report: &Report) -> Side {
        serde_json::from_str(&report.json()).expect("our own report")
    }

    #[test]
    fn a_report_is_the_same_as_itself_and_as_the_dry_run_of_the_same() {
        let report = side(&sample::committed());
        assert!(compare(&report, &report).same);
        let dry = Side {
            mode: "dry-run".to_owned(),
            outcome: "dry-run".to_owned(),
            run_id: "other".to_owned(),
            ..report.clone()
        };
        assert!(compare(&report, &dry).same);
        assert!(!compare(&report, &Side { outcome: "failed".to_owned(), ..report.clone() }).same);
    }

    #[test]
    fn every_kind_of_change_is_found() {
        let (a, b) = (side(&sample::committed()), side(&sample::refused()));
        let found = compare(&a, &b);
        let names = |changes: &[Change]| changes.iter().map(|change| change.what.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found.run), ["verdict", "outcome"]);
        assert_eq!(found.added.iter().map(|file| &*file.path).collect::<Vec<_>>(), ["people/7/more.json"]);
        assert_eq!(found.removed.len(), 2);
        assert_eq!(found.changed.iter().map(|file| &*file.name).collect::<Vec<_>>(), ["people/7/notes.json"]);
        assert!(names(&found.leaves).contains(&"rejected".to_owned()));
        assert!(found.tables.iter().any(|table| table.name == "notes"));
        assert!(found.appeared.iter().any(|finding| finding.code == "J002" && finding.before == 0));
        assert!(!found.secrets.is_empty() && !found.checks.is_empty());
        let back = compare(&b, &a);
        assert_eq!((&back.appeared.len(), &back.added.len()), (&found.gone.len(), &found.removed.len()));
    }

    #[test]
    fn members_of_later_versions_are_left_alone() {
        let mut value: serde_json::Value = serde_json::from_str(&sample::committed().json()).expect("JSON");
        value["new"] = serde_json::json!([1]);
        value["outcome"] = "verified".into();
        value["files"][0]["new"] = true.into();
        let read: Side = serde_json::from_value(value).expect("readable");
        assert_eq!(compare(&read, &read).a.outcome, "verified");
    }
}
