//! Checking a mapping set, by itself or against a tree it is written for.

use crate::config::Quiet;
use crate::database::{self, schema};
use crate::error::{Error, Result};
use crate::finding::{Finding, printable};
use crate::import::plan::{Disposition, Plan, everything, optional};
use crate::import::rehearsal::rehearse;
use crate::import::watch::Watch;
use crate::mapping::load::{self, SetSource};
use crate::mapping::model::Set;
use crate::mapping::usage::Unused;
use crate::mapping::{bundled, check};
use crate::source::walk;
use crate::table::Schema;
use crate::validate::gather;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

/// Loads a set and checks all of it: the files themselves, and against the schema it writes into.
///
/// # Errors
/// All that is wrong, as one error with more behind it.
pub fn judge(source: &SetSource) -> Result<(Set, Schema)> {
    let (set, mut errors) = load::read(source)?;
    let schema = match schema::expected(&set.migrations) {
        Ok(schema) => schema,
        Err(error) => {
            errors.push(error);
            return Err(Error::all(errors).unwrap_or_else(|| Error::bug("an error is gone")));
        }
    };
    errors.extend(check::check(&set, &schema));
    errors.extend(gather::check_assertions(&set)?);
    match Error::all(errors) {
        Some(error) => Err(error),
        None => Ok((set, schema)),
    }
}

/// What a tree shows about a set.
#[derive(Debug)]
pub struct Judgement {
    /// The set.
    pub set: Set,
    /// The files that some mapping reads, those ignored with a reason, and those that nothing names.
    pub files: [u64; 3],
    /// What of the set the tree never used.
    pub unused: Vec<Unused>,
    /// Files that cannot be read, each with the first thing that is wrong with it.
    pub broken: Vec<(String, Finding)>,
}

/// Reads a tree through a set and says what of the set it never used: it is imported, with every optional mapping, into
/// a database that keeps nothing.
pub fn against(set: Set, schema: Schema, root: &Path, depth: u32) -> Result<Judgement> {
    let with = optional(&set);
    let plan = Plan::new(set, schema, walk::walk(root)?, &everything(&with))?;
    let (unused, broken) = rehearse(
        &plan,
        depth,
        database::now(),
        &Quiet,
        |_| Broken::default(),
        |run, broken| {
            let broken = broken.0.take().into_iter().map(|(file, mut finding)| {
                finding.message = run.writer.vault.or_withheld(&finding.message).to_owned();
                (printable(&plan.tree.files[file].path), finding)
            });
            Ok((run.leaves.unused(&run.files, run.options), broken.collect()))
        },
    )?;
    let count = |counts: fn(&Disposition) -> bool| plan.dispositions.iter().filter(|file| counts(file)).count() as u64;
    let files = [
        count(|file| matches!(file, Disposition::Mapped { .. })),
        count(|file| matches!(file, Disposition::Ignored(_))),
        count(|file| matches!(file, Disposition::Unmapped)),
    ];
    Ok(Judgement { files, unused, broken, set: plan.set })
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

/// The bundled set that recognises a tree, or the one that is named, and the folder it is about.
pub fn choose(mappings: Option<&str>, source: &Path) -> Result<(SetSource, std::path::PathBuf)> {
    match mappings {
        Some(name) => {
            let set = bundled::resolve(name)?;
            let root = bundled::import_root(&load::read(&set)?.0, source);
            Ok((set, root.unwrap_or_else(|| source.to_owned())))
        }
        None => bundled::recognise(source)?.ok_or_else(|| bundled::unrecognised(source)),
    }
}
