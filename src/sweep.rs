//! The sweep: before anything is written, every secret value of the tree is collected for the leak
//! proof.

use crate::config::{Companion, ImportOptions, Phase};
use crate::error::{Error, Result};
use crate::mapping::apply::shape_fits;
use crate::mapping::declared::Doc;
use crate::plan::{Fate, Plan};
use crate::reading::path_table;
use crate::record::{Kind, Paths, Selection, Tape};
use crate::run::PathTable;
use crate::secret::proof::SecretSet;
use crate::source::{self, Limits};
use std::collections::HashMap;

/// Collects the values at every secret path of every mapped file.
///
/// A file that cannot be read is passed over here: reading finds the same fault again and tells it.
pub fn sweep(plan: &Plan, options: &ImportOptions, companion: &dyn Companion) -> Result<SecretSet> {
    let mut secrets = SecretSet::new();
    let mut tables = HashMap::new();
    let files: Vec<(usize, usize)> = plan
        .fates
        .iter()
        .enumerate()
        .filter_map(|(file, fate)| match fate {
            Fate::Mapped { mapping, .. } if plan.has_secrets(*mapping) => Some((file, *mapping)),
            _ => None,
        })
        .collect();
    let bytes = files.iter().map(|(file, _)| plan.tree.files[*file].bytes).sum();
    companion.phase(Phase::Sweep, files.len() as u64, bytes);
    for (file, mapping) in files {
        if let Some(signal) = companion.interrupted() {
            return Err(Error::interrupted(signal));
        }
        sweep_file(plan, options, file, mapping, &mut tables, &mut secrets);
        companion.advance(1, plan.tree.files[file].bytes);
    }
    Ok(secrets)
}

fn sweep_file(
    plan: &Plan,
    options: &ImportOptions,
    file: usize,
    number: usize,
    tables: &mut HashMap<(usize, usize), PathTable>,
    secrets: &mut SecretSet,
) -> Option<()> {
    let mapping = &plan.set.mappings[number];
    let limits = Limits { depth: options.max_depth, sensitive: true, ..Limits::default() };
    let mut opened = source::open(&plan.tree.files[file], limits).ok()?;
    let all: Vec<&Selection> = mapping.source.shapes.iter().filter_map(|shape| shape.records.as_ref()).collect();
    let outline = source::skim(&mut opened, &all, &mut Paths::new()).ok()?;
    let root = outline.tape.root();
    let shape =
        mapping.source.shapes.iter().position(|shape| shape.when.as_ref().is_none_or(|when| shape_fits(when, root)))?;
    let table = path_table(tables, number, mapping, shape);
    let records = mapping.source.shapes[shape].records.as_ref();
    if let Some(records) = records {
        let outline = source::skim(&mut opened, &[records], &mut table.frame).ok()?;
        table.declared.learn(Doc::Frame, &table.frame);
        collect(&outline.tape, table, Doc::Frame, secrets);
    }
    let mut tape = Tape::new(true);
    let mut reader = source::records(&mut opened, records).ok()?;
    while reader.next(&mut table.record, &mut tape).ok()?.is_some() {
        table.declared.learn(Doc::Record, &table.record);
        collect(&tape, table, Doc::Record, secrets);
    }
    Some(())
}

fn collect(tape: &Tape, table: &PathTable, doc: Doc, secrets: &mut SecretSet) {
    for node in tape.nodes() {
        if matches!(node.kind(), Kind::String | Kind::Number) && table.declared.facts(doc, node.path()).secret {
            // A value too short to search for is not one of the set; sealing it is not affected.
            secrets.add(node.text());
        }
    }
}
