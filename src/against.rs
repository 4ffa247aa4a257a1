//! Checking a mapping set against a tree it is written for, and against another engine.

use crate::config::Quiet;
use crate::database::variants::{Variance, variances};
use crate::database::{self, Database, Dialect, schema};
use crate::error::{Error, Result};
use crate::finding::{Code, Finding, ROW_DANGLING, ROW_ORPHAN, ROW_REFERENCE, Severity, VALUE_MISSING, printable};
use crate::import::plan::{Disposition, Plan, everything, optional};
use crate::import::rehearsal::rehearse;
use crate::import::summary::{self, Ending};
use crate::import::watch::Watch;
use crate::mapping::load::{self, SetSource};
use crate::mapping::model::Set;
use crate::mapping::usage::Unused;
use crate::mapping::walk::{self, Read, Visit};
use crate::mapping::{bundled, check, codes};
use crate::report::FindingReport;
use crate::source::walk::Tree;
use crate::table::Schema;
use crate::validate::gather;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is wrong with a set for the engine of a database, on which its migrations are tried: what they make otherwise than
/// those of the first engine, and what of the mappings the types of its columns cannot take.
///
/// # Errors
/// Where the set cannot be loaded, or the database not be asked.
pub fn varies(source: &SetSource, database: &mut dyn Database) -> Result<Vec<Error>> {
    let mut set = load::load(source)?;
    let first = schema::stages(&Dialect::default(), &set.migrations)?;
    set.speak(database.engine());
    database.wish(set.wishes());
    let (other, fault) = database.stages(&set.migrations, false)?;
    if let Some(fault) = fault {
        return Ok(vec![fault]);
    }
    let (Some(last), Some(of_server)) = (first.last(), other.last()) else { return Ok(Vec::new()) };
    let path = |variance: &Variance| {
        let differs = |at: &usize| variances(&first[*at], &other[*at]).contains(variance);
        let at = (0..first.len()).rev().take_while(differs).last();
        at.map(|at| set.migrations[at].path.as_str()).unwrap_or_default()
    };
    let engines = [Dialect::default().engine(), database.engine()];
    let mut errors: Vec<Error> =
        variances(last, of_server).iter().map(|found| varying(found, engines).at(path(found))).collect();
    errors.extend(check::check(&set, &of_server.schema));
    errors.extend(gather::check_assertions_on(&set, database)?);
    load::show_lines(source, &mut errors);
    Ok(errors)
}

fn varying(found: &Variance, [first, second]: [&str; 2]) -> Error {
    let Variance { table, column, one, other } = found;
    let what = column.as_ref().map_or_else(|| format!("table `{table}`"), |name| format!("column `{table}.{name}`"));
    let message = format!("{what} differs between engines: `{first}` {one}, `{second}` {other}");
    Error::request(message).coded(codes::MIGRATION_VARIES.id).hint(codes::MIGRATION_VARIES.help)
}

/// What a tree shows about a set.
#[derive(Debug)]
pub struct Judgement {
    /// The set.
    pub set: Set,
    /// The files that some mapping reads, those ignored with a reason, and those that nothing names.
    pub files: [u64; 3],
    /// How many files were read, where not all were.
    pub sample: Option<u64>,
    /// What is wrong or undecided, the weightiest first.
    pub undecided: Vec<Undecided>,
    /// What of the set the tree never used.
    pub unused: Vec<Unused>,
    /// Files that cannot be read, each with the first thing that is wrong with it.
    pub broken: Vec<(String, Finding)>,
}

/// Findings of one kind about one part of a set.
#[derive(Debug)]
pub struct Undecided {
    /// The first of them.
    pub first: FindingReport,
    /// How many there are.
    pub count: u64,
}

/// How a tree is read.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How deep values may be nested.
    pub depth: u32,
    /// So many files of each kind are read at most; else all.
    pub sample: Option<usize>,
}

/// What the other files of a tree may give to one that is in a sample.
const NOT_OF_A_SAMPLE: [&Code; 3] = [&ROW_REFERENCE, &ROW_DANGLING, &ROW_ORPHAN];

/// Reads a tree through a set and says what of it is undecided, and what of the set it never used: it is imported, with
/// every optional mapping, into a database that keeps nothing.
pub fn against(set: Set, schema: Schema, tree: Tree, manner: Manner) -> Result<Judgement> {
    let with = optional(&set);
    let mut plan = Plan::new(set, schema, tree, &everything(&with))?;
    let count = |counts: fn(&Disposition) -> bool| plan.dispositions.iter().filter(|file| counts(file)).count() as u64;
    let files = [
        count(|file| matches!(file, Disposition::Mapped { .. })),
        count(|file| matches!(file, Disposition::Ignored(_))),
        count(|file| matches!(file, Disposition::Unmapped)),
    ];
    let mut sample = None;
    if let Some(most) = manner.sample {
        let chosen = chosen(&plan, most);
        if chosen.len() < plan.tree.files.len() {
            let part = plan.tree.part(&chosen);
            plan = Plan::new(plan.set, plan.schema, part, &everything(&with))?;
            sample = Some(chosen.len() as u64);
        }
    }
    let (unused, broken, findings) = rehearse(
        &plan,
        manner.depth,
        database::now(),
        &Quiet,
        |_| Broken::default(),
        |run, broken| {
            let broken: Vec<(String, Finding)> = broken
                .0
                .take()
                .into_iter()
                .map(|(file, mut finding)| {
                    finding.message = run.writer.vault.or_withheld(&finding.message).to_owned();
                    (printable(&plan.tree.files[file].path), finding)
                })
                .collect();
            let unused = run.leaves.unused(&run.files, run.options);
            run.report_all(&[], &[], &[])?;
            Ok((unused, broken, summary::report(run, &Ending::of_rehearsal()).findings))
        },
    )?;
    let is_broken = |finding: &FindingReport| {
        let file = finding.place.as_ref().map(|place| printable(&place.file));
        broken.iter().any(|(path, first)| first.code.id == finding.code && file.as_ref() == Some(path))
    };
    let looked_up = if sample.is_some() { looked_up(&plan.set) } else { BTreeSet::new() };
    // What a reference finds may lie in another file.
    let is_of_others = |finding: &FindingReport| {
        sample.is_some()
            && (NOT_OF_A_SAMPLE.iter().any(|code| code.id == finding.code)
                || (finding.code == VALUE_MISSING.id && looked_up.contains(&finding.subject)))
    };
    let findings = findings
        .into_iter()
        .filter(|finding| finding.severity > Severity::Note && !is_broken(finding) && !is_of_others(finding));
    Ok(Judgement { files, sample, undecided: grouped(findings), unused, broken, set: plan.set })
}

/// The columns that rows elsewhere give, as findings name them: `rule.column`, with the mapping or without it.
fn looked_up(set: &Set) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (mapping, rule) in set.rules() {
        for column in &rule.columns {
            let mut see = |visit: Visit<'_, '_>| {
                if matches!(visit.read, Read::Row(..)) {
                    let name = format!("{}.{}", rule.name, column.name);
                    found.extend([format!("{}.{name}", mapping.name), name]);
                }
            };
            column.exprs().for_each(|expr| walk::through(rule, expr, &mut see));
        }
    }
    found
}

/// Files of each kind, spread over all of them: of each mapping, of what is ignored, of what nothing names. Those that
/// make owners are all there.
fn chosen(plan: &Plan, most: usize) -> Vec<usize> {
    let mut kinds: BTreeMap<Option<usize>, [Vec<usize>; 2]> = BTreeMap::new();
    for (file, disposition) in plan.dispositions.iter().enumerate() {
        let (kind, list) = match disposition {
            Disposition::Mapped { mapping, .. } => (Some(*mapping), 0),
            Disposition::Ignored(_) => (None, 0),
            Disposition::Unmapped => (None, 1),
        };
        kinds.entry(kind).or_default()[list].push(file);
    }
    let spread = |files: &Vec<usize>| -> Vec<usize> {
        let many = files.len().min(most);
        (0..many).map(|at| files[at * files.len() / many]).collect()
    };
    let makes_owners = |kind: &Option<usize>| {
        let (Some(mapping), Some(owners)) = (kind, &plan.set.owners) else { return false };
        plan.set.mappings[*mapping].rules.iter().any(|rule| rule.into == owners.table)
    };
    let of_kind = |(kind, lists): (&Option<usize>, &[Vec<usize>; 2])| -> Vec<usize> {
        if makes_owners(kind) { lists.concat() } else { lists.iter().flat_map(spread).collect() }
    };
    let mut chosen: Vec<usize> = kinds.iter().flat_map(of_kind).collect();
    chosen.sort_unstable();
    chosen
}

/// Findings of one code about one part of the set as one, the weightiest first.
fn grouped(findings: impl Iterator<Item = FindingReport>) -> Vec<Undecided> {
    let mut groups: BTreeMap<(String, String), Undecided> = BTreeMap::new();
    for finding in findings {
        let key = (finding.code.clone(), finding.subject.clone());
        let count = finding.count;
        groups.entry(key).or_insert(Undecided { first: finding, count: 0 }).count += count;
    }
    let mut groups: Vec<Undecided> = groups.into_values().collect();
    groups.sort_by_key(|group| (Reverse(group.first.severity), Reverse(group.count)));
    groups
}

/// The first thing that is wrong with each broken file, by the file's number.
#[derive(Default)]
struct Broken(RefCell<BTreeMap<usize, Finding>>);

impl Watch for Broken {
    fn broken(&self, file: usize, findings: &[Finding]) {
        if let Some(first) = findings.first() {
            self.0.borrow_mut().insert(file, first.clone());
        }
    }
}

/// How a set is named that is checked against a tree.
pub const BY_NAME: &str = "`treelift check SET|DIR --against SOURCE`";

/// The bundled set that recognises a tree, or the one that is named, and the folder it is about; `by` says how the
/// command names a set.
pub fn choose(mappings: Option<&str>, source: &Path, by: &str) -> Result<(SetSource, std::path::PathBuf)> {
    match mappings {
        Some(name) => {
            let set = bundled::resolve(name)?;
            let root = bundled::import_root(&load::read(&set)?.0, source);
            Ok((set, root.unwrap_or_else(|| source.to_owned())))
        }
        None => bundled::recognise(source, by)?.ok_or_else(|| bundled::unrecognised(source, by)),
    }
}
