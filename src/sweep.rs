//! The sweep: before anything is written, every secret value of the tree is collected for the leak
//! proof.

use crate::config::{Companion, ImportOptions, Phase};
use crate::error::{Error, Result};
use crate::mapping::declared::Doc;
use crate::plan::{Fate, Plan};
use crate::record::{Kind, Tape};
use crate::secret::proof::SecretSet;
use crate::shaping::{PathTable, PathTables, shape};
use crate::source::{self, Limits};

/// Collects the values at every secret path of every mapped file.
///
/// A file that cannot be read is passed over here: reading finds the same fault again and tells it.
pub fn sweep(plan: &Plan, options: &ImportOptions, companion: &dyn Companion) -> Result<SecretSet> {
    let mut secrets = SecretSet::new();
    let mut tables = PathTables::default();
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
    tables: &mut PathTables,
    secrets: &mut SecretSet,
) -> Option<()> {
    let mapping = &plan.set.mappings[number];
    let limits = Limits { depth: options.max_depth, sensitive: true, ..Limits::default() };
    let mut opened = source::open(&plan.tree.files[file], limits).ok()?;
    let shaped = shape(&mut opened, number, mapping, tables).ok()?;
    let mut table = tables.take(number, mapping, shaped.shape);
    collect(&shaped.frame, &table, Doc::Frame, secrets);
    let records = mapping.source.shapes[shaped.shape].records.as_ref();
    let mut tape = Tape::new(true);
    let mut reader = source::records(&mut opened, records).ok()?;
    while let Ok(Some(_)) = reader.next(&mut table.record, &mut tape) {
        table.declared.learn(Doc::Record, &table.record);
        collect(&tape, &table, Doc::Record, secrets);
    }
    tables.put_back(number, shaped.shape, table);
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
