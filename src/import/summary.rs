//! From a run to its report.

use crate::database::Mode;
use crate::database::ledger::RunRecord;
use crate::document::tape::{Segment, Selection};
use crate::finding::{Place, printable};
use crate::import::files::FileState;
use crate::import::plan::Disposition;
use crate::import::run::Import;
use crate::import::signing;
use crate::import::vault::WITHHELD;
use crate::mapping::compile::CompiledRule;
use crate::mapping::model::{Expr, From, Mapping, Parts, PathExpr, PathStep, Root};
use crate::report::findings::Findings;
use crate::report::{
    AlternativeReport, CaughtReport, CheckReport, ColumnReport, DeclassifiedReport, FileReport, FileStatus, Files,
    FindingReport, LeafCounts, MappingsReport, Outcome, PlaceReport, Report, RunMode, RunReport, SecretsReport, Shared,
    SourceReport, TargetReport, Timings, VERSION, Verdict,
};
use crate::secret::proof::LeakSearch;
use crate::source::{self, SourceFile};
use std::collections::{BTreeMap, HashMap};

/// What the report needs and the run itself does not know.
#[derive(Debug)]
pub struct Ending {
    /// The run's id.
    pub run_id: String,
    /// When it ran, where, and by whom.
    pub run: RunReport,
    /// Its outcome.
    pub outcome: Outcome,
    /// Whether it may be committed.
    pub acceptable: bool,
    /// The target's URL, without a password.
    pub url: String,
    /// Its engine.
    pub engine: String,
    /// What was checked.
    pub checks: Vec<CheckReport>,
    /// How long it took so far.
    pub timings: Timings,
}

impl Ending {
    /// That of a run into a database that nobody sees.
    pub(crate) fn of_rehearsal() -> Self {
        Self {
            run_id: String::new(),
            run: RunReport::default(),
            outcome: Outcome::DryRun,
            acceptable: false,
            url: String::new(),
            engine: String::new(),
            checks: Vec::new(),
            timings: Timings::default(),
        }
    }
}

/// The report of a run. Every text in it is searched for secrets.
pub fn report(run: &mut Import<'_>, ending: &Ending) -> Report {
    let plan = run.plan;
    // The keys are not needed any more, and the report itself takes memory.
    run.resolver.forget_keys();
    let findings = std::mem::take(&mut run.findings);
    let (ignored, lossy) = signing::lists(run);
    let set_aside = run.set_aside();
    let files = files(run);
    let mut leaves = LeafCounts::default();
    files.sizes().for_each(|(_, _, counts)| leaves.add(&counts.leaves));
    let sealed = run.writer.vault.count();
    let mut report = Report {
        report_version: VERSION,
        run_id: ending.run_id.clone(),
        run: ending.run.clone(),
        mode: match run.options.mode {
            _ if run.writer.is_verifying() => RunMode::Verify,
            Mode::Dry => RunMode::DryRun,
            Mode::Real => RunMode::Import,
        },
        outcome: ending.outcome,
        verdict: if ending.acceptable { Verdict::Acceptable } else { Verdict::Refused },
        source: SourceReport {
            root: plan.tree.root.display().to_string(),
            files: plan.tree.files.len() as u64,
            bytes: plan.tree.files.iter().map(|file| file.bytes).sum(),
        },
        mappings: MappingsReport { set: plan.set.name.clone(), digest: plan.set.digest.clone() },
        target: TargetReport { url: ending.url.clone(), engine: ending.engine.clone() },
        leaves,
        caught_all: run
            .leaves
            .caught
            .iter()
            .map(|((mapping, path), count)| CaughtReport {
                mapping: mapping.clone(),
                path: path.clone(),
                count: *count,
            })
            .collect(),
        owners: run.directories.clone(),
        coverage: run.coverage(),
        ignored,
        lossy,
        tables: run.writer.counts(),
        compared: Vec::new(),
        unverified: Vec::new(),
        columns: columns(run),
        findings: located(findings, &plan.tree.files),
        secrets: SecretsReport {
            sealed,
            opened_again: run.opened_again,
            hashed: run.writer.vault.hashed(),
            plaintext_hits: run.leaves.leaks.hits,
            plaintext_warned: run.leaves.leaks.warned,
            plaintext_declassified: run.leaves.leaks.declassified,
            declassified: declassified(run),
        },
        checks: ending.checks.clone(),
        timings: ending.timings,
        losses: Vec::new(),
        after: after(run),
        plan: None,
        set_aside,
        replays: plan.taken.replays.as_ref().map(|replays| replays.runs.clone()).unwrap_or_default(),
        as_in: None,
        files,
    };
    run.left.complete(&mut report, plan.mapped_files());
    withhold(&mut report, run);
    report
}

/// What the application still needs: in general, where a set that seals has sealed something, and because of single rows.
fn after(run: &Import<'_>) -> Vec<String> {
    let shown = |row: &str| if run.writer.vault.finds_secret(row) { WITHHELD.to_owned() } else { row.to_owned() };
    let is_needed = !run.plan.set.seals() || run.writer.vault.has_sealed();
    let general = run.plan.set.after.clone().filter(|_| is_needed);
    general.into_iter().chain(run.leaves.follow_ups.lines(shown)).collect()
}

/// The run's record with the report's counts.
pub fn run_record(report: &Report, record: RunRecord) -> RunRecord {
    let sum = |count: fn(&crate::report::TableReport) -> u64| report.tables.iter().map(count).sum();
    let imported = || report.files.sizes().filter(|(status, ..)| *status == FileStatus::Imported).count() as u64;
    RunRecord {
        finished: report.run.finished.unwrap_or_else(jiff::Timestamp::now),
        files: report.as_in.as_ref().map_or_else(imported, |as_in| as_in.files_read),
        leaves: report.leaves.seen,
        inserted: sum(|table| table.inserted),
        updated: sum(|table| table.updated),
        unchanged: sum(|table| table.unchanged),
        rejected: report.rejected(),
        ..record
    }
}

/// The report of each file; consumes the files' states.
fn files(run: &mut Import<'_>) -> Files {
    let plan = run.plan;
    let mut states = std::mem::take(&mut run.files);
    let names: Vec<Named> = plan.set.mappings.iter().map(Named::of).collect();
    let mut owners: HashMap<u32, Shared> = HashMap::new();
    let left = &run.left;
    let mut report = |at: usize, state: &FileState| {
        if let Some(report) = left.file(at) {
            return report;
        }
        let counts = state.counts();
        let mapping = match plan.dispositions[at] {
            Disposition::Mapped { mapping, .. } => Some(&names[mapping]),
            Disposition::Ignored(_) | Disposition::Unmapped => None,
        };
        let shape = mapping.zip(state.shape()).and_then(|(mapping, shape)| mapping.shapes[shape].clone());
        let status = state.status.unwrap_or(FileStatus::Unread);
        let owner = state.owner().and_then(|owner| Some((owner, run.resolver.owners.id_of(owner)?)));
        FileReport {
            path: printable_path(&plan.tree.files[at].path),
            mapping: mapping.map(|mapping| mapping.name.clone()),
            status,
            reason: state.reason().cloned(),
            shape,
            owner: owner.map(|(owner, id)| owners.entry(owner).or_insert_with(|| id.into()).clone()),
            bytes: plan.tree.files[at].bytes,
            records: counts.records,
            rejected: counts.rejected,
            leaves: if status == FileStatus::Imported { counts.leaves } else { LeafCounts::default() },
        }
    };
    // From the last to the first, so that states need not all be kept until the last report is made.
    let mut reports = Files::with_capacity(states.len());
    while !states.is_empty() {
        let rest = states.len().saturating_sub(1 + states.capacity() / 16);
        states.drain(rest..).enumerate().rev().for_each(|(at, state)| reports.push(report(rest + at, &state)));
        states.shrink_to_fit();
    }
    reports.reverse();
    reports
}

/// The names of a mapping and of its shapes, for all of its files.
struct Named {
    name: Shared,
    /// Those that say more than the name of the mapping.
    shapes: Vec<Option<Shared>>,
}

impl Named {
    fn of(mapping: &Mapping) -> Self {
        let shapes = 0..mapping.source.shapes.len();
        let shapes = shapes.map(|shape| mapping.shape_name(shape).map(Shared::from)).collect();
        Self { name: mapping.name.as_str().into(), shapes }
    }
}

/// The path of a file, safe for a terminal; most are as they are.
pub(super) fn printable_path(path: &Shared) -> Shared {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if is_plain { path.clone() } else { printable(path).into() }
}

fn columns(run: &Import<'_>) -> Vec<ColumnReport> {
    let mut rules: Vec<&CompiledRule> = run.plan.rules.iter().flatten().collect();
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    let mut found = Vec::new();
    for rule in rules {
        let counts = rule.fields.iter().zip(&run.leaves.columns[rule.number as usize]);
        let mut counted: Vec<_> = counts.filter(|(_, counts)| counts.is_any()).collect();
        counted.sort_by(|(one, _), (other, _)| one.column.name.cmp(&other.column.name));
        for (field, counts) in counted {
            let Some(model) = rule.model(&run.plan.set).column(&field.column.name) else { continue }; // as it has fields
            let paths = match &model.expr.from {
                From::First(all) => all.iter().map(describe).collect(),
                _ => vec![describe(&model.expr)],
            };
            let hits = |at: usize| counts.hits.get(at).copied().unwrap_or(0);
            let alternatives =
                paths.into_iter().enumerate().map(|(at, path)| AlternativeReport { path, hits: hits(at) });
            found.push(ColumnReport {
                table: rule.table.name.clone(),
                column: field.column.name.clone(),
                alternatives: alternatives.collect(),
                defaulted: counts.defaulted,
                nulled: counts.nulled,
            });
        }
    }
    found
}

fn declassified(run: &Import<'_>) -> Vec<DeclassifiedReport> {
    let mut found = Vec::new();
    for mapping in &run.plan.set.mappings {
        for column in mapping.rules.iter().flat_map(|rule| &rule.columns) {
            if let Some(reason) = &column.declassify {
                let path = format!("{}: {}", mapping.name, describe(&column.expr));
                found.push(DeclassifiedReport { path, reason: reason.clone() });
            }
        }
    }
    found
}

/// An expression as the mapping writes it.
fn describe(expr: &Expr) -> String {
    match &expr.from {
        From::Path(path) => describe_path(path),
        From::Literal(_) => "value".to_owned(),
        From::Null => "null".to_owned(),
        From::First(all) => all.iter().map(describe).collect::<Vec<_>>().join(", else "),
        From::Selected(rooted) => rooted.to_string(),
        From::Template(_) => "template".to_owned(),
        From::Join { parts: Parts::Of(parts), .. } => {
            format!("join({})", parts.iter().map(describe).collect::<Vec<_>>().join(", "))
        }
        From::Join { parts: Parts::In(list), .. } => format!("join({})", describe(list)),
        From::Object(_) => "object".to_owned(),
        From::Each(each) => format!("each {}", describe(&each.each)),
        From::Digest { how, .. } => format!("{how:?}").to_lowercase(),
        From::Lookup(ways) => ways.first().map_or_else(String::new, |row| {
            format!("lookup {}.{}", row.table, row.column.as_deref().unwrap_or_default())
        }),
    }
}

fn describe_path(path: &PathExpr) -> String {
    let mut out = match &path.root {
        Root::Element => String::new(),
        Root::Record => "@".to_owned(),
        Root::Frame => "$".to_owned(),
        Root::Parent(name) => format!("^{name}"),
        Root::Above { rule, column } => format!("^{rule}.{column}"),
        Root::Outside => String::new(),
        Root::Column(name) => format!("={name}"),
        Root::Context(name) => format!("#{name}"),
    };
    for step in &path.steps {
        match step {
            PathStep::Name(name) => {
                let name = Selection(vec![Segment::Name(name.clone())]).to_string();
                if !out.is_empty() && !name.starts_with('[') {
                    out.push('.');
                }
                out.push_str(&name);
            }
            PathStep::Index(place) => out.push_str(&format!("[{place}]")),
            PathStep::Pick { member, .. } => out.push_str(&format!("[{member} = …]")),
        }
    }
    if out.is_empty() { ".".to_owned() } else { out }
}

/// Findings with file, pointer, line and column; each file is read once for all of its places.
fn located(findings: Findings, files: &[SourceFile]) -> Vec<FindingReport> {
    let mut asked: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for place in findings.places() {
        asked.entry(place.file.0).or_default().push(place.offset);
    }
    let mut found: HashMap<Place, PlaceReport> = HashMap::new();
    for (file, offsets) in asked {
        let source = &files[file as usize];
        // A file that cannot be read again still has its name.
        for located in source::locate::locate(source, &offsets).unwrap_or_default() {
            let place = Place { file: source.id, offset: located.offset };
            let report = PlaceReport {
                file: source.path.to_string(),
                record: None,
                pointer: Some(located.pointer),
                line: Some(located.line),
                column: Some(located.column),
            };
            found.insert(place, report);
        }
    }
    findings.into_reports(&mut |place| {
        found.get(place).cloned().unwrap_or_else(|| PlaceReport {
            file: files[place.file.0 as usize].path.to_string(),
            ..PlaceReport::default()
        })
    })
}

/// A text of the report that contains the value of a secret is withheld: the report may be mailed.
///
/// What was known before any secret was read, such as the paths of files, is not withheld, and is cut
/// out of a message before it is searched: to hide it would only tell that it is a secret.
fn withhold(report: &mut Report, run: &Import<'_>) {
    run.writer.vault.with_withheld(|search| {
        if search.is_empty() {
            return;
        }
        let known = known_before(run, search);
        report.each_text(&mut |text| {
            if search.search(text).is_some() {
                let rest = known.iter().fold(text.clone(), |rest, known| rest.replace(known, " "));
                if search.search(&rest).is_some() {
                    WITHHELD.clone_into(text);
                }
            }
        });
    });
}

/// What was known before any secret was read and contains one all the same: paths of files and what
/// they are made of, and the reasons of the mapping set. The longest first.
fn known_before(run: &Import<'_>, search: &LeakSearch) -> Vec<String> {
    let plan = run.plan;
    let paths = plan.tree.files.iter().map(|file| &*file.path);
    let root = plan.tree.root.display().to_string();
    let known = paths.chain([root.as_str()]).chain(plan.set.reasons());
    let parts = known.filter(|text| search.search(text).is_some()).flat_map(|text| text.split('/').chain([text]));
    let mut known: Vec<String> = parts.filter(|text| search.search(text).is_some()).map(printable).collect();
    known.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    known.dedup();
    known
}
