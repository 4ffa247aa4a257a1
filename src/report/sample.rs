//! Hand-made reports for the tests of rendering.

use super::*;

fn leaves(column: u64, json: u64, sealed: u64, ignored: u64, rejected: u64, unmapped: u64) -> LeafCounts {
    let seen = column + json + sealed + ignored + rejected + unmapped;
    LeafCounts { seen, column, json, sealed, ignored, rejected, unmapped }
}

fn file(path: &str, status: FileStatus, records: u64, leaves: LeafCounts) -> FileReport {
    FileReport {
        path: path.into(),
        mapping: Some("notebook".into()),
        status,
        reason: None,
        shape: None,
        owner: Some("7".into()),
        bytes: 10_000,
        records,
        rejected: 0,
        leaves,
    }
}

fn table(name: &str, inserted: u64, updated: u64, rejected: u64) -> TableReport {
    TableReport { name: name.to_owned(), inserted, updated, unchanged: 0, kept: 0, gone: 0, rejected }
}

fn check(name: &str, category: &str, status: CheckStatus, detail: Option<&str>) -> CheckReport {
    CheckReport { name: name.to_owned(), category: category.to_owned(), status, detail: detail.map(str::to_owned) }
}

/// A finding at a place in `people/7/notes.json`.
pub(crate) fn finding(code: &str, severity: Severity, line: u64, message: &str) -> FindingReport {
    FindingReport {
        code: code.to_owned(),
        severity,
        message: message.to_owned(),
        place: Some(PlaceReport {
            file: "people/7/notes.json".to_owned(),
            record: Some(line),
            pointer: Some(format!("/notes/{line}/id")),
            line: Some(line),
            column: Some(7),
        }),
        help: Some("fix the source, or add a step that converts it".to_owned()),
        count: 1,
        subject: "notebook.notes.id".to_owned(),
        mapping: None,
    }
}

/// A clean real run.
pub(crate) fn committed() -> Report {
    let files = [
        file("people/7/notes.json", FileStatus::Imported, 1_200, leaves(12_000, 300, 0, 40, 0, 0)),
        file("people/7/profile.json", FileStatus::Imported, 1, leaves(12, 0, 2, 0, 0, 0)),
        FileReport {
            mapping: None,
            reason: Some("rebuilt by itself".into()),
            owner: None,
            bytes: 900,
            ..file("people/7/cache.json", FileStatus::Ignored, 0, LeafCounts::default())
        },
    ];
    Report {
        report_version: VERSION,
        run_id: "0e8f6c1e-5f0a-4c3f-9a77-2b1d6d3c9e55".to_owned(),
        run: RunReport {
            started: "2026-01-02T03:04:05Z".parse().ok(),
            finished: "2026-01-02T03:04:09Z".parse().ok(),
            host: Some("mill".to_owned()),
            user: Some("ann".to_owned()),
            program: Some("0.2.0".to_owned()),
        },
        mode: RunMode::Import,
        outcome: Outcome::Committed,
        verdict: Verdict::Acceptable,
        source: SourceReport { root: "./old".to_owned(), files: 3, bytes: 20_900 },
        mappings: MappingsReport {
            set: "notes".to_owned(),
            digest: "3f2a9c1b0d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8".to_owned(),
        },
        target: TargetReport { url: "sqlite:///./notes.db".to_owned(), engine: "sqlite".to_owned() },
        leaves: leaves(12_012, 300, 2, 40, 0, 0),
        files: files.into_iter().collect(),
        caught_all: vec![CaughtReport { mapping: "notebook".to_owned(), path: "extra.mood".to_owned(), count: 3 }],
        owners: vec![OwnerReport {
            directory: "people/7".to_owned(),
            id: Some("7".to_owned()),
            how: "name".to_owned(),
            files: 3,
        }],
        coverage: CoverageReport { mappings: 3, mappings_without_files: 1, owners: 1, owners_without_files: 0 },
        ignored: vec![
            IgnoredReport {
                what: "people/*/cache.json".to_owned(),
                reason: "rebuilt by itself".to_owned(),
                files: 1,
                leaves: 0,
            },
            IgnoredReport {
                what: "notebook: metadata.version".to_owned(),
                reason: "says nothing about a note".to_owned(),
                files: 0,
                leaves: 40,
            },
        ],
        lossy: vec![LossyReport {
            what: "notebook.notes.title".to_owned(),
            reason: "how an accent is written".to_owned(),
            leaves: 7,
        }],
        tables: vec![table("people", 1, 0, 0), table("notes", 1_200, 0, 0)],
        compared: Vec::new(),
        unverified: Vec::new(),
        columns: vec![ColumnReport {
            table: "notes".to_owned(),
            column: "title".to_owned(),
            alternatives: vec![
                AlternativeReport { path: "title".to_owned(), hits: 1_150 },
                AlternativeReport { path: "heading".to_owned(), hits: 50 },
            ],
            defaulted: 0,
            nulled: 4,
        }],
        findings: Vec::new(),
        secrets: SecretsReport {
            hashed: 0,
            sealed: 2,
            opened_again: 2,
            plaintext_hits: 0,
            plaintext_warned: 0,
            plaintext_declassified: 0,
            declassified: vec![DeclassifiedReport {
                path: "token_kind".to_owned(),
                reason: "a word from a list of three".to_owned(),
            }],
        },
        checks: vec![
            check("references", "target", CheckStatus::Passed, None),
            check("sealed values open", "secrets", CheckStatus::Passed, None),
        ],
        timings: Timings { walk: 4, sweep: 20, import: 1_400, check: 80, finish: 12, total: 1_530 },
        losses: Vec::new(),
        after: vec!["sign everybody in again".to_owned()],
        plan: None,
        set_aside: None,
        replays: Vec::new(),
        as_in: None,
    }
}

/// A real run that was refused.
pub(crate) fn refused() -> Report {
    let mut notes = file("people/7/notes.json", FileStatus::Imported, 1_200, leaves(11_980, 300, 0, 40, 20, 0));
    notes.rejected = 2;
    let broken = FileReport {
        reason: Some("J002".into()),
        rejected: 1,
        ..file("people/7/more.json", FileStatus::Rejected, 0, LeafCounts::default())
    };
    Report {
        outcome: Outcome::RolledBack,
        verdict: Verdict::Refused,
        source: SourceReport { root: "./old".to_owned(), files: 2, bytes: 20_000 },
        files: [notes, broken].into_iter().collect(),
        leaves: leaves(11_980, 300, 0, 40, 20, 0),
        tables: vec![table("people", 1, 0, 0), table("notes", 1_198, 0, 2)],
        findings: vec![
            FindingReport {
                place: Some(PlaceReport {
                    file: "people/7/more.json".to_owned(),
                    line: Some(88),
                    column: Some(1),
                    ..PlaceReport::default()
                }),
                help: Some("look for an older copy of it".to_owned()),
                subject: String::new(),
                ..finding("J002", Severity::Error, 88, "the file ends in the middle of a value")
            },
            finding("V004", Severity::Error, 12, "expected a number, found \"x\""),
            finding("V004", Severity::Error, 40, "expected a number, found true"),
            FindingReport {
                place: None,
                subject: String::new(),
                help: Some("destroy the source once the import is signed off".to_owned()),
                ..finding("X005", Severity::Warning, 0, "secrets remain in plaintext in 1 file of the source")
            },
        ],
        checks: vec![
            check("references", "target", CheckStatus::Failed, Some("2 rows of `notes` reference a missing row")),
            check("sealed values open", "secrets", CheckStatus::NotChecked, None),
        ],
        secrets: SecretsReport::default(),
        after: Vec::new(),
        ..committed()
    }
}

/// The same findings, committed because rejects were allowed.
pub(crate) fn with_rejects() -> Report {
    Report {
        outcome: Outcome::Committed,
        verdict: Verdict::Acceptable,
        checks: committed().checks,
        after: committed().after,
        ..refused()
    }
}
