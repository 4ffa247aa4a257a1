//! The report as text for a screen: what was read, what was written, the findings, and the verdict as the last line. Pure:
//! `cli` says how wide it is, and adds the colors.

mod compared;
mod findings;
mod layout;
mod tables;

pub use findings::place_words;
pub use layout::{Detail, Layout, WIDTH};

use super::words::{bytes, count, duration, thousands, wrap};
use super::{CheckStatus, Outcome, Report, RunMode, SetAsideReport, Verdict};
use crate::finding::printable;
use findings::kinds;
use layout::{MARGIN, against, line, more};
use tables::{MOST_TABLES, files, tables};

/// The summary at the end of a run; its last line is the verdict.
pub fn summary(report: &Report, layout: Layout) -> String {
    let Layout { detail, width } = layout;
    let mut sections = Vec::new();
    if detail != Detail::Brief {
        sections.push(heading(report, layout));
        sections.push(files(report, width));
        sections.push(tables(report, if detail == Detail::All { usize::MAX } else { MOST_TABLES }, width));
        sections.push(compared::tables(report, if detail == Detail::All { usize::MAX } else { MOST_TABLES }, width));
        sections.push(accounts(report, layout));
    }
    sections.push(kinds(&report.findings, layout));
    if detail != Detail::Brief {
        sections.push(after(report, width));
    }
    sections.push(format!("{}\n", verdict(report)));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

/// The run in one line: what is in the target now, and why.
pub fn verdict(report: &Report) -> String {
    let line = match (report.outcome, report.verdict) {
        (Outcome::Committed, _) => committed(report),
        (Outcome::DryRun, Verdict::Acceptable) => match (set_aside(report), report.rejected()) {
            (Some(set_aside), _) => format!("dry run: acceptable with {set_aside}, nothing was written"),
            (None, 0) => "dry run: acceptable, nothing was written".to_owned(),
            (None, _) => format!("dry run: acceptable with {}, nothing was written", rejects(report)),
        },
        (Outcome::DryRun, Verdict::Refused) => {
            format!("dry run: would be refused: {}nothing was written", against(report))
        }
        (Outcome::RolledBack, _) => format!("refused: {}nothing was written", against(report)),
        (Outcome::Verified | Outcome::Differs, _) => compared::verdict(report),
        (Outcome::Interrupted, _) => "interrupted: nothing was written".to_owned(),
        (Outcome::Failed, _) => "failed: nothing was written".to_owned(),
    };
    printable(&line)
}

fn committed(report: &Report) -> String {
    let sum = |rows: fn(&super::TableReport) -> u64| report.tables.iter().map(rows).sum::<u64>();
    let (inserted, updated, unchanged) = (sum(|t| t.inserted), sum(|t| t.updated), sum(|t| t.unchanged));
    let kept = sum(|t| t.kept);
    let url = &report.target.url;
    if let Some(as_in) = report.as_in.as_ref().filter(|as_in| as_in.files_read == 0) {
        let run = as_in.run.get(..8).unwrap_or(&as_in.run);
        return format!("committed: no changes, the source is as run {run} read it and was not read again");
    }
    let what = match (inserted, updated) {
        (0, 0) if kept > 0 => {
            format!("no changes, {} already up to date, {} kept that differ", count(unchanged, "row"), thousands(kept))
        }
        (0, 0) => format!("no changes, {} already up to date", count(unchanged, "row")),
        (_, 0) => format!("{} into {url}", count(inserted, "row")),
        _ => format!("{} inserted and {} updated in {url}", count(inserted, "row"), thousands(updated)),
    };
    match (set_aside(report), report.rejected()) {
        (Some(set_aside), _) => format!("committed with {set_aside}: {what}"),
        (None, 0) => format!("committed: {what}"),
        (None, _) => format!("committed without {}: {what}", rejects(report)),
    }
}

/// How much was set aside, if anything was: `3 set aside (2 records, 1 file)`.
fn set_aside(report: &Report) -> Option<String> {
    let SetAsideReport { records, files } = report.set_aside.filter(|aside| aside.records + aside.files > 0)?;
    let kinds = [(records, "record"), (files, "file")];
    let kinds: Vec<_> = kinds.into_iter().filter(|(many, _)| *many > 0).map(|(many, of)| count(many, of)).collect();
    Some(format!("{} set aside ({})", thousands(records + files), kinds.join(", ")))
}

fn rejects(report: &Report) -> String {
    count(report.rejected(), "rejected record")
}

fn heading(report: &Report, Layout { detail, width }: Layout) -> String {
    let source = &report.source;
    let digest: String = report.mappings.digest.chars().take(12).collect();
    let mode = if report.mode == RunMode::DryRun { " (dry run)" } else { "" };
    let run = report.run.words().filter(|_| detail == Detail::All);
    [
        line("source", &format!("{} ({}, {})", source.root, count(source.files, "file"), bytes(source.bytes)), width),
        line("set", &format!("{} ({digest})", report.mappings.set), width),
        line("target", &format!("{}{mode}", report.target.url), width),
        run.map_or_else(String::new, |run| line("run", &run, width)),
        report.plan.as_ref().map_or_else(String::new, |plan| line("plan", &plan.to_string(), width)),
    ]
    .concat()
}

fn accounts(report: &Report, Layout { detail, width }: Layout) -> String {
    let mut text = leaves(report, width);
    text += &coverage(report, width);
    // Both lists together have four lines.
    let most = if report.lossy.is_empty() { 4 } else { 2 };
    let most = if detail == Detail::All { usize::MAX } else { most };
    text += &ignored(report, most, width);
    text += &lossy(report, most, width);
    text += &secrets(report, width);
    text += &checks(report, width);
    if detail == Detail::All {
        let t = &report.timings;
        let phases =
            [("walk", t.walk), ("sweep", t.sweep), ("import", t.import), ("check", t.check), ("finish", t.finish)];
        let phases = phases.map(|(name, took)| format!("{name} {}", duration(took))).join(", ");
        text += &line("time", &format!("{} ({phases})", duration(t.total)), width);
    }
    text
}

fn leaves(report: &Report, width: u16) -> String {
    let classes = report.leaves.classes().map(|(name, number)| format!("{name} {}", thousands(number)));
    let mut text = line("leaves", &format!("seen {} = {}", thousands(report.leaves.seen), classes.join(" + ")), width);
    if !report.leaves.closes() {
        let accounted = thousands(report.leaves.accounted());
        text += &line(
            "",
            &format!("leaf counts do not add up: {accounted} are accounted for; this is a bug in treelift"),
            width,
        );
    }
    text
}

/// Mappings and owners without a file, if there are any.
fn coverage(report: &Report, width: u16) -> String {
    let files = &report.coverage;
    let parts = [
        (files.mappings_without_files, files.mappings, "mapping"),
        (files.owners_without_files, files.owners, "owner"),
    ];
    let words: Vec<_> = parts
        .into_iter()
        .filter(|(without, ..)| *without > 0)
        .map(|(without, all, thing)| format!("{} of {}", thousands(without), count(all, thing)))
        .collect();
    if words.is_empty() { String::new() } else { line("no files", &format!("for {}", words.join(" and ")), width) }
}

/// The reasons that ignore the most; the whole list is in the report.
fn ignored(report: &Report, most: usize, width: u16) -> String {
    let mut reasons: Vec<_> = report.ignored.iter().collect();
    reasons.sort_by_key(|ignored| std::cmp::Reverse((ignored.files, ignored.leaves)));
    let shown = if reasons.len() > most { most - 1 } else { most };
    let mut text = String::new();
    for (at, ignored) in reasons.iter().take(shown).enumerate() {
        let amount = match (ignored.files, ignored.leaves) {
            (0, leaves) => count(leaves, "leaf"),
            (files, 0) => count(files, "file"),
            (files, leaves) => format!("{}, {}", count(files, "file"), count(leaves, "leaf")),
        };
        let name = if at == 0 { "ignored" } else { "" };
        text += &line(name, &format!("{}: {} ({amount})", ignored.what, ignored.reason), width);
    }
    more(&mut text, reasons.len().saturating_sub(shown), "reason", &" ".repeat(MARGIN));
    text
}

/// What is not kept whole, where that is most; the whole list is in the report.
fn lossy(report: &Report, most: usize, width: u16) -> String {
    let mut reasons: Vec<_> = report.lossy.iter().collect();
    reasons.sort_by_key(|lossy| std::cmp::Reverse(lossy.leaves));
    let shown = if reasons.len() > most { most - 1 } else { most };
    let mut text = String::new();
    for (at, lossy) in reasons.iter().take(shown).enumerate() {
        let name = if at == 0 { "lossy" } else { "" };
        text += &line(name, &format!("{}: {} ({})", lossy.what, lossy.reason, count(lossy.leaves, "leaf")), width);
    }
    more(&mut text, reasons.len().saturating_sub(shown), "reason", &" ".repeat(MARGIN));
    text
}

fn secrets(report: &Report, width: u16) -> String {
    let secrets = &report.secrets;
    let counts = [
        (secrets.plaintext_hits, "refused"),
        (secrets.plaintext_warned, "warned of"),
        (secrets.plaintext_declassified, "declassified"),
    ];
    let total: u64 = counts.iter().map(|(count, _)| count).sum();
    if secrets.sealed == 0 && secrets.hashed == 0 && total == 0 {
        return String::new();
    }
    let opened = match secrets.opened_again {
        opened if opened == secrets.sealed => "all opened again".to_owned(),
        opened => format!("{} opened again", thousands(opened)),
    };
    let kinds = counts.iter().filter(|(count, _)| *count > 0);
    let kinds: Vec<String> = kinds.map(|(count, kind)| format!("{} {kind}", thousands(*count))).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let sealed = count(secrets.sealed, "value");
    let hashed = if secrets.hashed == 0 { String::new() } else { format!("{} hashed, ", thousands(secrets.hashed)) };
    line("secrets", &format!("{sealed} sealed, {opened}, {hashed}{} in plaintext{kinds}", thousands(total)), width)
}

fn checks(report: &Report, width: u16) -> String {
    if report.checks.is_empty() {
        return String::new();
    }
    let words =
        [(CheckStatus::Passed, "passed"), (CheckStatus::Failed, "failed"), (CheckStatus::NotChecked, "not checked")];
    let counts: Vec<_> = words
        .into_iter()
        .filter_map(|(status, word)| {
            let number = report.checks.iter().filter(|check| check.status == status).count() as u64;
            (number > 0).then(|| format!("{} {word}", thousands(number)))
        })
        .collect();
    let mut text = line("checks", &counts.join(", "), width);
    for check in report.checks.iter().filter(|check| check.status == CheckStatus::Failed) {
        let detail = check.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
        text += &line("", &format!("failed: {}{detail}", check.name), width);
    }
    text
}

fn after(report: &Report, width: u16) -> String {
    if report.after.is_empty() || report.verdict == Verdict::Refused {
        return String::new();
    }
    let needs = report.after.iter().map(|need| wrap(&printable(&format!("  - {need}")), usize::from(width), 4));
    format!("the application still needs:\n{}\n", needs.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::super::{FindingReport, PlaceReport, sample};
    use super::*;
    use crate::finding::Severity;

    fn at(detail: Detail) -> Layout {
        Layout { detail, width: WIDTH }
    }

    #[test]
    fn every_place_of_a_secret_in_plaintext_is_counted_in_the_summary() {
        let mut report = sample::committed();
        assert!(secrets(&report, WIDTH).ends_with("2 values sealed, all opened again, 0 in plaintext\n"));
        report.secrets.plaintext_warned = 1;
        report.secrets.plaintext_declassified = 2;
        let line = secrets(&report, WIDTH).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(line, "secrets 2 values sealed, all opened again, 3 in plaintext (1 warned of, 2 declassified)");
    }

    #[test]
    fn a_clean_run_as_a_whole() {
        assert_eq!(
            summary(&sample::committed(), at(Detail::Screen)),
            "\
source   ./old (3 files, 20.9 kB)
set      notes (3f2a9c1b0d4e)
target   sqlite:///./notes.db

files     number  records       size
imported       2    1,201    20.0 kB
ignored        1        0  900 bytes

table   inserted  updated  unchanged  rejected
people         1        0          0         0
notes      1,200        0          0         0

leaves   seen 12,354 = column 12,012 + json 300 + sealed 2 + ignored 40 +
         rejected 0 + unmapped 0
no files for 1 of 3 mappings
ignored  people/*/cache.json: rebuilt by itself (1 file)
         notebook: metadata.version: says nothing about a note (40 leaves)
lossy    notebook.notes.title: how an accent is written (7 leaves)
secrets  2 values sealed, all opened again, 0 in plaintext
checks   2 passed

the application still needs:
  - sign everybody in again

committed: 1,201 rows into sqlite:///./notes.db
"
        );
    }

    #[test]
    fn a_refused_run_as_a_whole() {
        assert_eq!(
            summary(&sample::refused(), at(Detail::Screen)),
            "\
source   ./old (2 files, 20.0 kB)
set      notes (3f2a9c1b0d4e)
target   sqlite:///./notes.db

files     number  records     size
imported       1    1,200  10.0 kB
rejected       1        0  10.0 kB

table (nothing written)  inserted  updated  unchanged  rejected
notes                       1,198        0          0         2
people                          1        0          0         0

leaves   seen 12,340 = column 11,980 + json 300 + sealed 0 + ignored 40 +
         rejected 20 + unmapped 0
no files for 1 of 3 mappings
ignored  people/*/cache.json: rebuilt by itself (1 file)
         notebook: metadata.version: says nothing about a note (40 leaves)
lossy    notebook.notes.title: how an accent is written (7 leaves)
checks   1 failed, 1 not checked
         failed: references: 2 rows of `notes` reference a missing row

error J002 people/7/more.json:88:1: the file ends in the middle of a value
  help: look for an older copy of it
error V004 people/7/notes.json:12:7 /notes/12/id: expected a number, found \"x\"
error V004 people/7/notes.json:40:7 /notes/40/id: expected a number, found true
  help: fix the source, or add a step that converts it
warning X005: secrets remain in plaintext in 1 file of the source

refused: 3 errors and 1 failed check, nothing was written
"
        );
    }

    #[test]
    fn quiet_shows_errors_and_the_verdict() {
        assert_eq!(
            summary(&sample::with_rejects(), at(Detail::Brief)),
            "\
error J002 people/7/more.json:88:1: the file ends in the middle of a value
  help: look for an older copy of it
error V004 people/7/notes.json:12:7 /notes/12/id: expected a number, found \"x\"
error V004 people/7/notes.json:40:7 /notes/40/id: expected a number, found true
  help: fix the source, or add a step that converts it

committed without 3 rejected records: 1,199 rows into sqlite:///./notes.db
"
        );
        assert_eq!(
            summary(&sample::committed(), at(Detail::Brief)),
            "committed: 1,201 rows into sqlite:///./notes.db\n"
        );
    }

    #[test]
    fn the_verdict_says_what_is_in_the_target() {
        let dry = |report| Report { mode: RunMode::DryRun, outcome: Outcome::DryRun, ..report };
        let mut again = sample::committed();
        for table in &mut again.tables {
            table.unchanged = std::mem::take(&mut table.inserted);
        }
        let mut changed = sample::committed();
        changed.tables[0].updated = 34;
        let interrupted = Report { outcome: Outcome::Interrupted, ..sample::refused() };
        let unsaid = Report { findings: Vec::new(), checks: Vec::new(), ..sample::refused() };
        let said = [
            dry(sample::committed()),
            dry(sample::with_rejects()),
            dry(sample::refused()),
            again,
            changed,
            interrupted,
            unsaid,
        ];
        assert_eq!(
            said.map(|report| verdict(&report)),
            [
                "dry run: acceptable, nothing was written",
                "dry run: acceptable with 3 rejected records, nothing was written",
                "dry run: would be refused: 3 errors and 1 failed check, nothing was written",
                "committed: no changes, 1,201 rows already up to date",
                "committed: 1,201 rows inserted and 34 updated in sqlite:///./notes.db",
                "interrupted: nothing was written",
                "refused: nothing was written",
            ]
        );
    }

    #[test]
    fn a_great_deal_of_everything_is_cut_but_for_errors() {
        let mut report = sample::committed();
        report.tables = vec![report.tables[1].clone(); 50];
        report.tables[49].rejected = 7;
        report.ignored = vec![report.ignored[0].clone(); 50];
        report.findings = (0..50)
            .map(|n| FindingReport { subject: format!("s{n}"), ..sample::finding("V004", Severity::Error, n, "m") })
            .collect();
        let text = summary(&report, at(Detail::Screen));
        assert!(text.lines().all(|line| line.chars().count() <= usize::from(WIDTH)), "{text}");
        assert_eq!(text.matches("\nnotes ").count(), 39, "{text}");
        let first = text.lines().find(|line| line.starts_with("notes ")).expect("a table");
        assert!(first.ends_with(" 7"), "{text}");
        assert!(text.contains("+ 11 more tables in the report\n"), "{text}");
        assert!(text.contains("         + 49 more reasons in the report\n"), "{text}");
        assert_eq!(text.matches("\nerror V004 ").count(), 50, "{text}");
        assert_eq!(summary(&report, at(Detail::All)).matches("\nnotes ").count(), 50);
    }

    #[test]
    fn text_takes_the_width_that_there_is() {
        for width in [60, 200] {
            let text = summary(&sample::refused(), Layout { detail: Detail::Screen, width });
            let longest = text.lines().map(|line| line.chars().count()).max().expect("lines");
            assert!(longest <= usize::from(width) && longest + 25 > usize::from(width).min(90), "{longest}: {text}");
        }
    }

    #[test]
    fn hostile_names_do_not_reach_the_terminal() {
        let hostile = "a\u{1b}[31m\n\u{202e}b";
        let mut report = sample::refused();
        hostile.clone_into(&mut report.source.root);
        hostile.clone_into(&mut report.target.url);
        hostile.clone_into(&mut report.tables[0].name);
        hostile.clone_into(&mut report.ignored[0].what);
        hostile.clone_into(&mut report.checks[0].name);
        hostile.clone_into(&mut report.findings[0].message);
        report.findings[1].place = Some(PlaceReport { file: hostile.to_owned(), ..PlaceReport::default() });
        let text = summary(&report, at(Detail::All));
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert_eq!(text.matches("a\\u{1b}[31m\\u{a}\\u{202e}b").count(), 7, "{text}");
    }
}
