//! Checking a mapping set, by itself or against a tree it is written for.

use crate::database::schema;
use crate::document::tape::NodeId;
use crate::error::{Error, Result};
use crate::finding::{Finding, printable};
use crate::import::plan::{Disposition, Plan, everything, optional};
use crate::import::probe::{Probe, Read, Watch};
use crate::mapping::apply::{Made, StepTaken, Trace};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::load::{self, SetSource};
use crate::mapping::model::Set;
use crate::mapping::usage::{Found, Mapped, Met, Unused, note, unused};
use crate::mapping::{bundled, check};
use crate::source::walk;
use crate::table::Schema;
use crate::validate::gather;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

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

/// Reads a tree through a set and says what of the set it never used. Nothing is written.
pub fn against(set: Set, schema: Schema, root: &Path, depth: u32) -> Result<Judgement> {
    let with = optional(&set);
    let plan = Plan::new(set, schema, walk::walk(root)?, &everything(&with))?;
    let entries = Entries::default();
    let probe = Probe::read(&plan, depth, &entries);
    let heard = entries.heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    let nothing = Met::default();
    let found: Vec<Found<'_>> = probe
        .shapes
        .iter()
        .filter_map(|&(mapping, shape)| {
            let (table, frame) = probe.tables.known(mapping, shape)?;
            let met = heard.met.get(&(mapping, shape)).unwrap_or(&nothing);
            Some(Found { mapping, shape, paths: [&table.record, frame], met })
        })
        .collect();
    let unused = unused(&plan.set, &found, Some(&heard.mapped));
    let broken = probe
        .findings
        .iter()
        .filter(|(file, findings)| match plan.dispositions[**file] {
            Disposition::Mapped { mapping, .. } => plan.set.mappings[mapping].excuse(findings).is_none(),
            Disposition::Ignored { .. } | Disposition::Unmapped => true,
        })
        .filter_map(|(file, findings)| Some((printable(&plan.tree.files[*file].path), findings.first()?.clone())))
        .collect();
    let count = |counts: fn(&Disposition) -> bool| plan.dispositions.iter().filter(|file| counts(file)).count() as u64;
    let files = [
        count(|file| matches!(file, Disposition::Mapped { .. })),
        count(|file| matches!(file, Disposition::Ignored { .. })),
        count(|file| matches!(file, Disposition::Unmapped)),
    ];
    Ok(Judgement { files, unused, broken, set: plan.set })
}

/// The bundled set that recognises a tree, or the one that is named, and the folder it is about.
pub fn choose(mappings: Option<&str>, source: &Path) -> Result<(SetSource, std::path::PathBuf)> {
    match mappings {
        Some(name) => {
            let set = bundled::resolve(name)?;
            let root = bundled::import_root(&set, source)?.unwrap_or_else(|| source.to_owned());
            Ok((set, root))
        }
        None => bundled::recognise(source)?.ok_or_else(|| bundled::unrecognised(source)),
    }
}

/// Collects the paths that exist, and the values that reach each `map`.
#[derive(Default)]
struct Entries {
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    mapped: Mapped,
    met: HashMap<(usize, usize), Met>,
}

impl Watch for Entries {
    fn wants(&self, _: usize) -> bool {
        true
    }
    fn trace(&self, _: usize) -> Option<&dyn Trace> {
        Some(self)
    }
    fn record(&self, read: &Read<'_>) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let met = heard.met.entry((read.mapping, read.shape)).or_default();
        read.record.tape.nodes().for_each(|node| met.note(Doc::Record, node.path()));
        // The frame is the same for all records of a file.
        if read.record.number == 1 {
            read.frame.nodes().for_each(|node| met.note(Doc::Frame, node.path()));
        }
    }
}

impl Trace for Entries {
    fn begin(&self, _: &CompiledRule, _: &str, _: u64) {}
    fn read(&self, _: Doc, _: NodeId) {}
    fn step(&self, taken: &StepTaken<'_>) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut heard.mapped, taken, taken.before);
    }
    fn end(&self, _: &Made<'_>) {}
}
