//! The parts of a [`Report`](super::Report).

use super::Shared;
use super::words::is_zero;
use crate::finding::Severity;
use crate::who::Who;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The mode of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunMode {
    /// Import and commit.
    Import,
    /// Import and roll back.
    DryRun,
    /// Compare the target with the source.
    Verify,
}

/// The outcome of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything is in the target.
    Committed,
    /// A real run was refused; the target is as before.
    RolledBack,
    /// A dry run finished; the target is as before.
    DryRun,
    /// The target is as the source says, as far as it could be compared.
    Verified,
    /// The target is not as the source says.
    Differs,
    /// A signal interrupted the run; the target is as before.
    Interrupted,
    /// An error ended the run; the target is as before.
    Failed,
}

/// Whether the result may be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It may.
    Acceptable,
    /// It may not.
    Refused,
}

/// When a run ran, where, and by whom. What an earlier version did not say is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it was about to end: to commit, or to roll back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// The machine's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The account's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The version of treelift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

impl RunReport {
    /// Of a run by `who` that began then and ends now.
    pub fn ending(started: Timestamp, who: &Who) -> Self {
        Self {
            started: Some(started),
            finished: Some(Timestamp::now()),
            host: who.host.clone(),
            user: who.user.clone(),
            program: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }
    }

    /// In words: when, by whom, with which version.
    pub fn words(&self) -> Option<String> {
        let time = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let times = self.started.map(|started| match self.finished {
            Some(finished) => format!("{} to {}", time(started), time(finished)),
            None => time(started),
        });
        let who = Who::of(self.user.as_deref(), self.host.as_deref()).words().map(|who| format!("by {who}"));
        let program = self.program.as_ref().map(|version| format!("treelift {version}"));
        let known: Vec<String> = [times, who, program].into_iter().flatten().collect();
        (!known.is_empty()).then(|| known.join(", "))
    }
}

/// The tree that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// Its root, as given.
    pub root: String,
    /// Its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The mapping set that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingsReport {
    /// Its name.
    pub set: String,
    /// SHA-256 over its files, lower-case hex.
    pub digest: String,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetReport {
    /// Its URL, without a password.
    pub url: String,
    /// `sqlite` or `postgresql`.
    pub engine: String,
}

/// The status of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileStatus {
    /// A mapping read it.
    Imported,
    /// Ignored, with a reason.
    Ignored,
    /// No mapping reads it and no rule ignores it.
    Unmapped,
    /// It is broken, or its owner was rejected or could not be read.
    Rejected,
    /// It was not read to its end: the import was interrupted.
    Unread,
}

/// A file of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// Its path below the root, `/` between segments.
    pub path: Shared,
    /// The mapping that read it.
    pub mapping: Option<Shared>,
    /// Its status.
    pub status: FileStatus,
    /// Why it was ignored or rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Shared>,
    /// The shape it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shared>,
    /// The id of its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Shared>,
    /// Its size.
    pub bytes: u64,
    /// Records read from it.
    pub records: u64,
    /// Records rejected; a broken file, or one whose owner was rejected, counts as one.
    pub rejected: u64,
    /// Its leaf counts.
    pub leaves: LeafCounts,
}

/// Leaves by class. Each is counted once, in the most readable place it reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeafCounts {
    /// Leaves that were read.
    pub seen: u64,
    /// They are, or are part of, a column's value.
    pub column: u64,
    /// They are kept inside a JSON column only.
    pub json: u64,
    /// They are inside a sealed or hashed value only.
    pub sealed: u64,
    /// They were ignored, with a reason.
    pub ignored: u64,
    /// They belong to a rejected record.
    pub rejected: u64,
    /// No rule maps or ignores them.
    pub unmapped: u64,
}

impl LeafCounts {
    /// Adds the counts of another file.
    pub fn add(&mut self, other: &Self) {
        self.seen += other.seen;
        self.column += other.column;
        self.json += other.json;
        self.sealed += other.sealed;
        self.ignored += other.ignored;
        self.rejected += other.rejected;
        self.unmapped += other.unmapped;
    }

    /// Each class with its name, the most readable first.
    pub fn classes(&self) -> [(&'static str, u64); 6] {
        [
            ("column", self.column),
            ("json", self.json),
            ("sealed", self.sealed),
            ("ignored", self.ignored),
            ("rejected", self.rejected),
            ("unmapped", self.unmapped),
        ]
    }

    /// The sum of all classes.
    pub fn accounted(&self) -> u64 {
        self.classes().iter().map(|(_, count)| count).sum()
    }

    /// Whether the classes add up to the leaves that were read.
    pub fn closes(&self) -> bool {
        self.seen == self.accounted()
    }
}

/// Values that only a catch-all kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaughtReport {
    /// The mapping.
    pub mapping: String,
    /// The path below the record.
    pub path: String,
    /// How many leaves.
    pub count: u64,
}

/// A directory and its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerReport {
    /// The directory below the root.
    pub directory: String,
    /// The owner's id; `None` if no owner matches the directory.
    pub id: Option<String>,
    /// How the owner was found.
    pub how: String,
    /// The files below it.
    pub files: u64,
}

/// How much of the mapping set and of the owners had files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CoverageReport {
    /// Mappings that take part in the run.
    pub mappings: u64,
    /// Those that no file matches.
    pub mappings_without_files: u64,
    /// Owners that the source names.
    pub owners: u64,
    /// Those that no file belongs to.
    pub owners_without_files: u64,
}

/// How much was set aside: it is in the reject folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SetAsideReport {
    /// Records.
    pub records: u64,
    /// Files as a whole, and what is no file.
    pub files: u64,
}

/// Something that was ignored, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoredReport {
    /// A pattern of files, or a path in the records of a mapping.
    pub what: String,
    /// The reason.
    pub reason: String,
    /// How many files.
    pub files: u64,
    /// How many leaves.
    pub leaves: u64,
}

/// What is kept, and not so that it can be got back, and why that is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossyReport {
    /// The column: `mapping.rule.column`.
    pub what: String,
    /// The reason.
    pub reason: String,
    /// How many leaves nothing keeps whole; they count as *column* or *json*.
    pub leaves: u64,
}

/// A run that read the same source before: all of it, or what this run has not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsInReport {
    /// Its id.
    pub run: String,
    /// How many files this run has read.
    pub files_read: u64,
    /// How many warnings that one had.
    pub warnings: u64,
}

/// The row counts of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableReport {
    /// Its name.
    pub name: String,
    /// New rows.
    pub inserted: u64,
    /// Existing rows that were changed.
    pub updated: u64,
    /// Existing rows that match the source.
    pub unchanged: u64,
    /// Existing rows that differ from the source, and were kept as they are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub kept: u64,
    /// Existing rows that earlier runs wrote and that the source does not give any more; they were kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gone: u64,
    /// Rows that were rejected.
    pub rejected: u64,
}

/// How the rows of a table compare with the source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ComparedReport {
    /// The table's name.
    pub name: String,
    /// Rows that say what their records say.
    pub equal: u64,
    /// Rows that records give and the database has not: `removed` of them were removed since their import.
    pub missing: u64,
    /// Those of them that an import wrote.
    pub removed: u64,
    /// Rows that imports of this source wrote and that no record gives any more.
    pub extra: u64,
    /// Rows that differ from their records: the sum of the five kinds that follow.
    pub different: u64,
    /// Neither the row nor the source changed since: the import was wrong.
    pub wrong: u64,
    /// The row was edited since its import.
    pub edited: u64,
    /// The source changed since.
    pub source_changed: u64,
    /// Both.
    pub edited_and_source_changed: u64,
    /// No import recorded the row.
    pub unrecorded: u64,
    /// Rows that cannot be compared as a whole, and do not differ as far as they can.
    pub unverified: u64,
    /// Rows that no import wrote: the application's own, which are no difference.
    pub own: u64,
}

impl ComparedReport {
    /// Whether the table is not as the source says.
    pub fn differs(&self) -> bool {
        self.missing + self.extra + self.different > 0
    }
}

/// Rows that cannot be verified, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnverifiedReport {
    /// Why.
    pub reason: String,
    /// How many.
    pub rows: u64,
}

/// How a column was filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// How often each alternative was used.
    pub alternatives: Vec<AlternativeReport>,
    /// How often the default was used.
    pub defaulted: u64,
    /// How often it became NULL.
    pub nulled: u64,
}

/// One of the paths that can fill a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlternativeReport {
    /// The path.
    pub path: String,
    /// How often its value was used.
    pub hits: u64,
}

/// A finding at one place; or, without a place, how many more there are of its kind.
///
/// The first hundred places of a code and subject have an entry each (`count` 1). The rest is one entry
/// without a place, whose `count` says how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingReport {
    /// The stable code; `treelift explain CODE` says more.
    pub code: String,
    /// Its severity.
    pub severity: Severity,
    /// The message.
    pub message: String,
    /// Where in the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceReport>,
    /// How to fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// How many findings the entry stands for.
    pub count: u64,
    /// Which rule and column of the mapping (`mapping.rule.column`).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The line of the mapping (`file:line`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
}

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlaceReport {
    /// The file's path below the root.
    pub file: String,
    /// The record's number in the file, from 0 as in a JSON Pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// The JSON Pointer (RFC 6901) from the document's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
}

/// The counts of secrets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SecretsReport {
    /// Values that were sealed.
    pub sealed: u64,
    /// Sealed values that were opened again and compared.
    pub opened_again: u64,
    /// Passwords that were hashed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hashed: u64,
    /// Places where a secret was found in plaintext; more than 0 is refused.
    pub plaintext_hits: u64,
    /// Places where a secret was found in plaintext and only warned of: a rule names them, or the secret
    /// is a part of a longer text.
    #[serde(default)]
    pub plaintext_warned: u64,
    /// Places where a secret was found in plaintext that the mapping declassifies.
    #[serde(default)]
    pub plaintext_declassified: u64,
    /// Paths that the mapping declassifies.
    pub declassified: Vec<DeclassifiedReport>,
}

/// A path that looks like a secret and is declassified by the mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclassifiedReport {
    /// The path.
    pub path: String,
    /// Why it is not a secret.
    pub reason: String,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckStatus {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// It could not or need not be checked.
    NotChecked,
}

/// A check of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Its name.
    pub name: String,
    /// What it belongs to, such as `references` or `secrets`.
    pub category: String,
    /// Its result.
    pub status: CheckStatus,
    /// Details, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Milliseconds by phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timings {
    /// Walking the tree.
    pub walk: u64,
    /// Collecting secret values for the leak proof.
    pub sweep: u64,
    /// Reading, mapping and writing.
    pub import: u64,
    /// Checking the target.
    pub check: u64,
    /// Committing, or rolling back. A report file holds the times until just before the commit.
    pub finish: u64,
    /// The whole run.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_added_class_by_class() {
        let mut sum = LeafCounts { seen: 6, column: 1, json: 1, sealed: 1, ignored: 1, rejected: 1, unmapped: 1 };
        sum.add(&LeafCounts { seen: 27, column: 2, json: 3, sealed: 4, ignored: 5, rejected: 6, unmapped: 7 });
        assert_eq!(sum, LeafCounts { seen: 33, column: 3, json: 4, sealed: 5, ignored: 6, rejected: 7, unmapped: 8 });
        assert!(sum.closes());
    }

    #[test]
    fn a_leaf_without_a_class_or_with_two_does_not_add_up() {
        assert!(!LeafCounts { seen: 2, column: 1, ..LeafCounts::default() }.closes());
        assert!(!LeafCounts { seen: 1, column: 1, json: 1, ..LeafCounts::default() }.closes());
    }

    #[test]
    fn words_of_the_report_are_as_published() {
        let word = |value: serde_json::Value| value.as_str().map(str::to_owned).expect("a word");
        assert_eq!(word(serde_json::json!(RunMode::DryRun)), "dry-run");
        assert_eq!(word(serde_json::json!(Outcome::RolledBack)), "rolled-back");
        assert_eq!(word(serde_json::json!(CheckStatus::NotChecked)), "not-checked");
        assert_eq!(word(serde_json::json!(FileStatus::Unmapped)), "unmapped");
        assert_eq!(word(serde_json::json!(Severity::Error)), "error");
    }
}

/// What a rollback or a migration would lose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// What kind of thing goes.
    pub kind: LossKind,
    /// The table, or the column as `table.column`.
    pub what: String,
    /// How many rows are in the table, have the column, or are removed.
    pub rows: u64,
    /// How many rows the table has before.
    pub before: u64,
    /// How many it has after; 0 for a table that is dropped.
    pub after: u64,
}

/// What kind of thing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// A table with its rows.
    Table,
    /// A column of a table that stays.
    Column,
    /// Rows of a table that stays.
    Rows,
}
