//! The sweep: before anything is written, every secret value of the tree is collected for the leak
//! proof.

use crate::config::{Phase, Ui};
use crate::document::tape::{Kind, Tape};
use crate::error::{Error, Result};
use crate::finding::{Finding, Place, SECRET_REMAINS};
use crate::import::files::file_id;
use crate::import::look::{Looked, look, look_at_lines};
use crate::import::plan::{Disposition, Plan};
use crate::import::run::Import;
use crate::import::shaping::{PathTable, PathTables};
use crate::import::supply::Supply;
use crate::mapping::declared::{Declared, Doc};
use crate::mapping::secret_words::looks_secret;
use crate::report::FileStatus;
use crate::secret::proof::SecretSet;
use crate::source::lines::Blocks;
use crate::source::{self, Record, search};
use std::collections::BTreeSet;

/// What the sweep found.
#[derive(Debug)]
pub struct Swept {
    /// The values to search for.
    pub secrets: SecretSet,
    /// The files in which secrets are stored in plaintext, and stay so after the import.
    pub files: Vec<usize>,
}

impl Swept {
    /// A warning for each of the files: that they were imported does not make them safe.
    pub fn warnings(files: &[usize]) -> Vec<Finding> {
        let warning = |file: &usize| {
            let place = Place { file: file_id(*file), offset: 0 };
            Finding::new(&SECRET_REMAINS, "secrets remain in plaintext in this file").at(place).about("source")
        };
        files.iter().map(warning).collect()
    }
}

/// A warning for each ignored file that contains a secret that was found elsewhere, or a member whose
/// name looks like one: the report would not name the file otherwise.
pub fn ignored(run: &Import<'_>, with_secrets: &[usize]) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for (file, state) in run.files.iter().enumerate() {
        if state.status != Some(FileStatus::Ignored) || with_secrets.binary_search(&file).is_ok() {
            continue; // it is read, or reported already
        }
        let is_by_set = matches!(run.plan.dispositions[file], Disposition::Ignored(_));
        if run.left.has(file) || (is_by_set && run.left.is_known(file)) {
            continue; // what was found then is reported
        }
        run.heed_signals()?;
        let source = &run.plan.tree.files[file];
        let message = match search::holds(source, &|text| run.writer.vault.finds_secret(text), &looks_secret) {
            Ok(false) => continue, // nothing to warn of
            Ok(true) => "this file is ignored, and secrets or what looks like secrets remain in it",
            Err(_) => "this file is ignored and cannot be read: whether secrets remain in it is unknown",
        };
        found.push(Finding::new(&SECRET_REMAINS, message).at(source.place(0)).about("source"));
    }
    Ok(found)
}

/// Collects the values at every secret path of every mapped file, whose values may be nested `depth` deep.
///
/// A file that cannot be read is skipped here: reading finds the same fault again and reports it.
pub fn sweep(plan: &Plan, depth: u32, ui: &dyn Ui) -> Result<Swept> {
    let mut secrets = SecretSet::new();
    let mut with_secrets = Vec::new();
    let mut tables = PathTables::default();
    let files: Vec<(usize, usize)> = plan
        .dispositions
        .iter()
        .enumerate()
        .filter_map(|(file, fate)| match fate {
            Disposition::Mapped { mapping, .. } if plan.has_secrets(*mapping) => Some((file, *mapping)),
            _ => None,
        })
        .collect();
    let bytes = files.iter().map(|(file, _)| plan.tree.files[*file].bytes).sum();
    ui.phase(Phase::Sweep, files.len() as u64, bytes);
    for (file, mapping) in files {
        if let Some(signal) = ui.interrupted() {
            return Err(Error::interrupted(signal));
        }
        let mut found = Found { secrets: &mut secrets, any: false };
        if sweep_file(plan, depth, file, mapping, &mut tables, &mut found).is_none() {
            sweep_broken(plan, file, mapping, &mut found);
        }
        if found.any {
            with_secrets.push(file);
        }
        ui.advance(1, plan.tree.files[file].bytes);
    }
    Ok(Swept { secrets, files: with_secrets })
}

/// Where the values of a file go.
struct Found<'f> {
    secrets: &'f mut SecretSet,
    any: bool,
}

fn sweep_file(
    plan: &Plan,
    depth: u32,
    file: usize,
    number: usize,
    tables: &mut PathTables,
    found: &mut Found<'_>,
) -> Option<()> {
    let mapping = &plan.set.mappings[number];
    let (source, limits) = (&plan.tree.files[file], plan.limits(number, depth));
    if source.form().lines {
        let mut blocks = Blocks::of(source::open(source, limits).ok()?).ok()?;
        let (mut whole, mut count) = (Some(()), 0);
        while let Some(block) = blocks.next_block().ok()? {
            for line in look_at_lines(&block, limits, mapping).lines {
                count += 1;
                let of = Document { file, number, line: count, depth };
                let swept = line.looked.ok().and_then(|looked| sweep_document(plan, &of, looked, tables, found));
                whole = whole.and(swept);
            }
        }
        return whole;
    }
    let looked = look(source, limits, mapping).ok()?;
    sweep_document(plan, &Document { file, number, line: 0, depth }, looked, tables, found)
}

/// A document of a file, with the number of its mapping and, in a file of lines, that of its line.
struct Document {
    file: usize,
    number: usize,
    line: u64,
    depth: u32,
}

/// Collects the values at secret paths of a document; none where it breaks off.
fn sweep_document(
    plan: &Plan,
    of: &Document,
    (mut shaped, mut opened): Looked,
    tables: &mut PathTables,
    found: &mut Found<'_>,
) -> Option<()> {
    let number = of.number;
    let mapping = &plan.set.mappings[number];
    tables.number(number, mapping, &mut shaped);
    let mut table = tables.take(number, mapping, shaped.shape);
    collect(&shaped.frame, &table, Doc::Frame, found);
    let whole = (|| {
        let mut records = match shaped.records {
            Some(records) => Supply::kept(records),
            None => Supply::of(opened.as_mut()?, mapping.source.shapes[shaped.shape].records.as_ref()).ok()?,
        };
        while let Some(record) = records.next(true, &mut table.record).ok()? {
            // What was edited among rejects that come back is searched for beside what the file has.
            if let Some(mut edited) = edited(plan, of, shaped.shape, &record) {
                edited.tape.number_paths(&mut table.record);
                table.declared.learn(Doc::Record, &table.record);
                collect(&edited.tape, &table, Doc::Record, found);
            }
            table.declared.learn(Doc::Record, &table.record);
            collect(&record.tape, &table, Doc::Record, found);
            records.reuse([record]);
        }
        Some(())
    })();
    tables.put_back(number, shaped.shape, table);
    whole
}

/// The record as it was edited, where it was.
fn edited(plan: &Plan, of: &Document, shape: usize, record: &Record) -> Option<Record> {
    let shape = &plan.set.mappings[of.number].source.shapes[shape];
    let in_line = if shape.records.is_some() { record.number } else { 0 };
    let number = if of.line > 0 { Record::of_line(of.line, in_line) } else { record.number };
    let entry = plan.taken.part_of(of.file)?.entry(record.span.start, number).filter(|entry| entry.is_edited)?;
    plan.edited((of.file, of.number, of.depth), shape, entry, record).ok()
}

/// A file that breaks off has no records, and what is before the break is in it all the same: the values
/// of members that have the last name of a secret path, or a name that looks like a secret's.
fn sweep_broken(plan: &Plan, file: usize, number: usize, found: &mut Found<'_>) {
    let mapping = &plan.set.mappings[number];
    let declared: Vec<Declared> = mapping.source.shapes.iter().map(|shape| Declared::new(mapping, shape)).collect();
    let names: BTreeSet<&str> = declared.iter().flat_map(Declared::secret_names).collect();
    let named = |name: &str| names.contains(name) || looks_secret(name);
    search::values_of(&plan.tree.files[file], &named, &mut |value| {
        found.secrets.add(value);
        found.secrets.add(value.trim());
        found.any = true;
    });
}

fn collect(tape: &Tape, table: &PathTable, doc: Doc, found: &mut Found<'_>) {
    for node in tape.nodes() {
        if matches!(node.kind(), Kind::String | Kind::Number) && table.declared.facts(doc, node.path()).is_searched() {
            // A value too short to search for is not one of the set; sealing it is not affected.
            // Steps may trim what is sealed, and another text may contain the trimmed form.
            found.secrets.add(node.text());
            found.secrets.add(node.text().trim());
            found.any |= !node.text().is_empty();
        }
    }
}
