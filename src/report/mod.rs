//! The run report: every file, leaf and row accounted for, and the verdict.
//!
//! [`Report`] is the JSON report itself (additions are allowed, renames are not); [`text`] and
//! [`html`] render it, [`write`] writes the files, [`findings`] collects its findings.

mod counts;
pub mod diff;
mod files;
pub mod findings;
pub mod html;
mod parts;
pub mod table;
pub mod text;
mod texts;
mod weight;
pub mod words;
pub mod write;

pub use crate::shared::Shared;
pub use counts::Counts;
pub(crate) use counts::PackedCounts;
pub use files::Files;
pub(crate) use files::{File, Kind};
pub use parts::*;

use crate::finding::Severity;
use crate::plan_id::PlanId;
use serde::{Deserialize, Serialize};
use std::io::Write;

/// The version of the report's format, its member `report_version`.
pub const VERSION: u32 = 1;

/// The report of a run: its fields, in this order, are the JSON report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`VERSION`].
    pub report_version: u32,
    /// UUID text.
    pub run_id: String,
    /// When it ran, where, and by whom.
    #[serde(default)]
    pub run: RunReport,
    /// The mode of the run.
    pub mode: RunMode,
    /// Its outcome.
    pub outcome: Outcome,
    /// Whether the result may be committed.
    pub verdict: Verdict,
    /// The tree that was read.
    pub source: SourceReport,
    /// The mapping set that was used.
    pub mappings: MappingsReport,
    /// The database.
    pub target: TargetReport,
    /// Every file of the tree, by path.
    pub files: Files,
    /// The leaf counts of all files together.
    pub leaves: LeafCounts,
    /// Paths that only a catch-all kept.
    pub caught_all: Vec<CaughtReport>,
    /// Directories and their owners.
    pub owners: Vec<OwnerReport>,
    /// How much of the mapping set and of the owners had files.
    #[serde(default)]
    pub coverage: CoverageReport,
    /// What was ignored, and why: the list to sign off.
    pub ignored: Vec<IgnoredReport>,
    /// What is kept, and not whole, for the sign-off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lossy: Vec<LossyReport>,
    /// Rows written, by table.
    pub tables: Vec<TableReport>,
    /// How the rows compare, by table: of a verification.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compared: Vec<ComparedReport>,
    /// Rows that cannot be verified, by why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unverified: Vec<UnverifiedReport>,
    /// How columns with alternatives were filled.
    pub columns: Vec<ColumnReport>,
    /// The findings, worst first.
    pub findings: Vec<FindingReport>,
    /// The counts of secrets.
    pub secrets: SecretsReport,
    /// The checks of the target.
    pub checks: Vec<CheckReport>,
    /// The duration of each phase.
    pub timings: Timings,
    /// What the migrations that the run applied first lost, or would have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
    /// What the application still needs after the import, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// The id of the plan: of a dry run that an import may be held to, or of an import that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanId>,
    /// How much was set aside, with `--set-aside`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<SetAsideReport>,
    /// The runs whose rejects the run imported again, with `--replay`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replays: Vec<String>,
    /// The run whose counts these are as far as nothing was read, because the source is as that run read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_in: Option<AsInReport>,
}

impl Report {
    /// The report as the JSON document that `--json` prints and `--report FILE.json` holds.
    pub fn json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("strings, numbers and lists are always JSON");
        json.push('\n');
        json
    }

    /// Writes [`Report::json`] without holding it as a whole.
    pub fn write_json(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let mut out = std::io::BufWriter::new(out);
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Whether rows were inserted or updated, and committed.
    pub fn changed_rows(&self) -> bool {
        self.outcome == Outcome::Committed && self.tables.iter().any(|table| table.inserted + table.updated > 0)
    }

    /// How many findings have this severity.
    pub fn found(&self, severity: Severity) -> u64 {
        self.findings.iter().filter(|finding| finding.severity == severity).map(|finding| finding.count).sum()
    }

    /// How many checks failed.
    pub fn failed_checks(&self) -> u64 {
        self.checks.iter().filter(|check| check.status == CheckStatus::Failed).count() as u64
    }

    /// How many records were rejected; a broken file, or one whose owner was rejected, counts as one.
    pub fn rejected(&self) -> u64 {
        self.files.sizes().map(|(_, _, counts)| counts.rejected).sum()
    }

    /// Acceptable, with no finding at error level and no failed check. With rejects allowed a run may be
    /// acceptable and yet not clean.
    pub fn is_clean(&self) -> bool {
        self.verdict == Verdict::Acceptable && self.found(Severity::Error) == 0 && self.failed_checks() == 0
    }

    /// The exit status. `signal` is the one that interrupted the run.
    pub fn status(&self, signal: Option<i32>) -> u8 {
        match self.outcome {
            Outcome::Interrupted => u8::try_from(128 + signal.unwrap_or(SIGINT)).unwrap_or(130),
            Outcome::Failed => 3,
            _ if !self.leaves.closes() => 70,
            Outcome::RolledBack | Outcome::Differs => 1,
            Outcome::Committed | Outcome::DryRun | Outcome::Verified => u8::from(!self.is_clean()),
        }
    }
}

/// The number of the signal that Ctrl-C sends, the same on every Unix.
const SIGINT: i32 = 2;

#[cfg(test)]
pub(crate) mod sample;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_report_reads_back_as_it_was() {
        let report = sample::refused();
        let read: Report = serde_json::from_str(&report.json()).expect("our own report is readable");
        assert_eq!(read, report);
    }

    #[test]
    fn the_json_report_has_the_published_keys_in_order() {
        let value: serde_json::Value = serde_json::from_str(&sample::committed().json()).expect("valid JSON");
        let keys: Vec<_> = value.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "report_version",
                "run_id",
                "run",
                "mode",
                "outcome",
                "verdict",
                "source",
                "mappings",
                "target",
                "files",
                "leaves",
                "caught_all",
                "owners",
                "coverage",
                "ignored",
                "lossy",
                "tables",
                "columns",
                "findings",
                "secrets",
                "checks",
                "timings",
                "after"
            ]
        );
    }

    #[test]
    fn unknown_members_are_omitted_but_a_missing_mapping_is_null() {
        let file = sample::committed().files.get(2).expect("three files");
        assert_eq!(
            serde_json::to_string(&file).expect("serializable"),
            r#"{"path":"people/7/cache.json","mapping":null,"status":"ignored","reason":"rebuilt by itself","bytes":900,"records":0,"rejected":0,"leaves":{"seen":0,"column":0,"json":0,"sealed":0,"ignored":0,"rejected":0,"unmapped":0}}"#
        );
    }

    #[test]
    fn the_exit_status_tells_the_truth() {
        let clean = sample::committed();
        let refused = sample::refused();
        let with_rejects = sample::with_rejects();
        let interrupted = Report { outcome: Outcome::Interrupted, ..sample::refused() };
        let failed = Report { outcome: Outcome::Failed, ..sample::refused() };
        let mut miscounted = sample::committed();
        miscounted.leaves.seen += 1;
        let mut failed_check = sample::committed();
        failed_check.checks[0].status = CheckStatus::Failed;
        let dry = |report: &Report| Report { mode: RunMode::DryRun, outcome: Outcome::DryRun, ..report.clone() };

        assert_eq!(clean.status(None), 0);
        assert_eq!(refused.status(None), 1);
        assert_eq!(with_rejects.status(None), 1);
        assert_eq!(interrupted.status(Some(2)), 130);
        assert_eq!(interrupted.status(Some(15)), 143);
        assert_eq!(failed.status(None), 3);
        assert_eq!(miscounted.status(None), 70);
        assert_eq!(failed_check.status(None), 1);
        for report in [clean, refused, with_rejects] {
            assert_eq!(dry(&report).status(None), report.status(None));
        }
    }
}
