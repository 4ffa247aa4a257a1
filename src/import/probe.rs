//! Reading a tree through a mapping set without any target: what `check --against` and `explain` see.
//!
//! Shapes, owners, records and values are those of an import, by the same functions and in the same
//! order of turns. Rows are not settled: of rows with one key the first that is read is the one that
//! lookups find, as in an import, but nothing is compared, rejected or written.

use crate::document::tape::{Paths, Tape};
use crate::finding::{Finding, Place};
use crate::import::files::file_id;
use crate::import::owners::{Matcher, OwnerMatch, OwnerTable, owner_of};
use crate::import::plan::{Disposition, Plan};
use crate::import::shaping::{PathTable, PathTables, record_scope, shape};
use crate::mapping::apply::{Draft, Mapped, Owner, Trace, apply};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::keyindex::{Entry, KeyIndex};
use crate::mapping::model::Ownerless;
use crate::mapping::order::{Stage, Turn};
use crate::source::{self, Limits, RecordRef};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A record as it was read for the rules of one turn.
#[derive(Debug)]
pub struct Read<'r> {
    /// The file's number.
    pub file: usize,
    /// The index of its mapping.
    pub mapping: usize,
    /// The index of its shape.
    pub shape: usize,
    /// The record.
    pub record: &'r RecordRef<'r>,
    /// The document without its records; empty where the document is the record.
    pub frame: &'r Tape,
    /// Paths of the record, and what the mapping says of all paths.
    pub table: &'r PathTable,
    /// Paths of the frame.
    pub frame_paths: &'r Paths,
    /// The rows.
    pub mapped: &'r Mapped,
    /// Whose it is.
    pub owner: Option<&'r Owner>,
}

/// Receives records, and how their values are made.
pub trait Watch {
    /// Whether a file is to be read at all.
    fn wants(&self, file: usize) -> bool;
    /// The receiver of how a file's values are made.
    fn trace(&self, file: usize) -> Option<&dyn Trace>;
    /// A record was read.
    fn record(&self, read: &Read<'_>);
}

/// A tree that is being read.
#[derive(Debug)]
pub struct Probe<'p> {
    plan: &'p Plan,
    depth: u32,
    index: KeyIndex,
    owners: OwnerTable,
    owner_columns: Vec<String>,
    /// By mapping and shape: the paths that were found.
    pub tables: PathTables,
    /// The mappings and shapes that were found, ignored ones included.
    pub shapes: BTreeSet<(usize, usize)>,
    /// The shape of each file that was read.
    pub shape_of: BTreeMap<usize, usize>,
    /// The owners of the directories that were looked at: the owner's id and how it was found, or why
    /// there is none.
    pub directories: BTreeMap<String, Result<(String, String), &'static str>>,
    /// What is wrong with files, by their number.
    pub findings: BTreeMap<usize, Vec<Finding>>,
}

type Files = BTreeMap<usize, Vec<usize>>;

impl<'p> Probe<'p> {
    /// Reads what is wanted of a tree.
    pub fn read(plan: &'p Plan, depth: u32, watch: &dyn Watch) -> Self {
        let mut probe = Self {
            plan,
            depth,
            index: KeyIndex::new(plan.specs.clone()),
            owners: OwnerTable::default(),
            owner_columns: plan.owner_columns.clone(),
            tables: PathTables::default(),
            shapes: BTreeSet::new(),
            shape_of: BTreeMap::new(),
            directories: BTreeMap::new(),
            findings: BTreeMap::new(),
        };
        probe.read_all(watch);
        probe
    }

    fn read_all(&mut self, watch: &dyn Watch) {
        let plan = self.plan;
        let turns = plan.order.turns();
        let (mut ownerless, mut owned) = (Files::new(), BTreeMap::<Option<String>, Files>::new());
        for (file, disposition) in plan.dispositions.iter().enumerate() {
            let Disposition::Mapped { mapping, .. } = disposition else { continue }; // nothing to map
            if !watch.wants(file) {
                continue; // not needed for the question
            }
            let files = if plan.owned(*mapping) {
                owned.entry(plan.directory_of(file).map(str::to_owned)).or_default()
            } else {
                &mut ownerless
            };
            files.entry(*mapping).or_default().push(file);
        }
        for turn in turns.iter().filter(|turn| turn.stage == Stage::Before) {
            self.take_turn(*turn, &ownerless, None, watch);
        }
        let of_owners: Vec<Turn> = turns.iter().copied().filter(|turn| turn.stage == Stage::Owners).collect();
        let owned: Vec<(Option<Owner>, Files)> =
            owned.into_iter().map(|(directory, files)| (self.owner_of(directory.as_deref()), files)).collect();
        for round in of_owners.chunk_by(|turn, next| turn.round == next.round) {
            for (owner, files) in &owned {
                for turn in round {
                    self.take_turn(*turn, files, owner.as_ref(), watch);
                }
                self.index.end_owner();
            }
        }
        for turn in turns.iter().filter(|turn| turn.stage == Stage::After) {
            self.take_turn(*turn, &ownerless, None, watch);
        }
    }

    fn owner_of(&mut self, directory: Option<&str>) -> Option<Owner> {
        let owners = self.plan.set.owners.as_ref()?;
        let matched = match (directory, owners.ownerless) {
            (Some(name), _) => Matcher::new(&self.plan.set, owners, &self.owners).find(name),
            (None, Some(Ownerless::OnlyUser)) => self.owners.only(),
            (None, None) => OwnerMatch::None,
        };
        let found = match matched {
            OwnerMatch::One(found) => Ok((found.id, found.how)),
            OwnerMatch::Ambiguous => Err("several owners match"),
            OwnerMatch::Rejected | OwnerMatch::Unread(_) | OwnerMatch::None => {
                Err("no owner with a readable record matches")
            }
        };
        let owner = found.as_ref().ok().and_then(|(id, _)| self.owners.get(id)).cloned();
        if let Some(name) = directory {
            self.directories.insert(name.to_owned(), found);
        }
        owner
    }

    fn take_turn(&mut self, turn: Turn, files: &Files, owner: Option<&Owner>, watch: &dyn Watch) {
        for (mapping, of_mapping) in files {
            let rules = self.plan.order.rules_of(&self.plan.rules[*mapping], turn);
            if rules.is_empty() && self.plan.turns_of(*mapping).0 != turn {
                continue; // read in another turn
            }
            for file in of_mapping.iter().filter(|_| owner.is_some() || !self.plan.owned(*mapping)) {
                if self.findings.contains_key(file) {
                    continue; // reported already
                }
                if let Err(findings) = self.read_file(*file, *mapping, &rules, owner, watch) {
                    if self.plan.feeds_owners(*mapping) {
                        let at = findings.first().and_then(|finding| finding.place);
                        self.owners.lose(file_id(*file), at.unwrap_or(self.plan.tree.files[*file].place(0)));
                    }
                    self.findings.insert(*file, findings);
                }
            }
        }
    }

    fn read_file(
        &mut self,
        file: usize,
        number: usize,
        rules: &[&CompiledRule],
        owner: Option<&Owner>,
        watch: &dyn Watch,
    ) -> Result<(), Vec<Finding>> {
        let plan = self.plan;
        let mapping = &plan.set.mappings[number];
        let sensitive = plan.has_secrets(number);
        let limits = Limits { depth: self.depth, sensitive, ..Limits::default() };
        let source = &plan.tree.files[file];
        let mut opened = source::open_as(source, limits, mapping.source.format).map_err(|finding| vec![finding])?;
        let shaped = shape(&mut opened, number, mapping, &mut self.tables)?;
        let (at, frame) = (shaped.shape, shaped.frame);
        self.shapes.insert((number, at));
        self.shape_of.insert(file, at);
        let shape = &mapping.source.shapes[at];
        if shape.ignore.is_some() {
            return Ok(());
        }
        let context = plan.file_context(file, owner, Timestamp::UNIX_EPOCH);
        let mut table = self.tables.take(number, mapping, at);
        let frame_paths = self.tables.frame(number, mapping);
        let (index, mut placed) = (&self.index, Vec::new());
        let mut tape = Tape::new(sensitive);
        let read = (|| {
            let mut records = source::records(&mut opened, shape.records.as_ref())?;
            while let Some(record) = records.next(&mut table.record, &mut tape)? {
                table.declared.learn(Doc::Record, &table.record);
                let scope = record_scope(&context, &table.declared, index, shape, &record, &frame, watch.trace(file));
                let mapped = apply(&plan.set, rules, &shape.name, &scope);
                let (table, frame, record, frame_paths) = (&table, &frame, &record, &*frame_paths);
                let shape = at;
                let mapped_ = &mapped;
                watch.record(&Read {
                    file,
                    mapping: number,
                    shape,
                    record,
                    frame,
                    table,
                    frame_paths,
                    mapped: mapped_,
                    owner,
                });
                placed.extend(mapped.drafts);
            }
            Ok(())
        })();
        self.tables.put_back(number, at, table);
        // Lookups find rows of finished levels only, so that a file's own can wait.
        for draft in &placed {
            self.place(&plan.rules[number][draft.rule], file, draft);
        }
        read.map_err(|finding: Finding| vec![finding])
    }

    /// Makes a row known to lookups, and an owner to the directories.
    fn place(&mut self, rule: &CompiledRule, file: usize, draft: &Draft) {
        let place = Some(Place { file: file_id(file), offset: draft.at });
        let entry = Entry {
            place,
            feeder: 0,
            values: Vec::new(),
            existing: false,
            present: !draft.empty,
            counted: false,
            says: std::sync::Arc::default(),
        };
        let source = |source: &crate::mapping::keyindex::Source| {
            source.field.map_or(&crate::row::Value::Null, |at| &draft.values[at])
        };
        self.index.enter(&self.plan.keys.of(rule).feeds, draft.key.as_ref(), &source, &entry);
        self.index.keep();
        if let Some(owner) = owner_of(self.plan, &self.owner_columns, rule, draft).filter(|owner| !owner.id.is_empty())
        {
            self.owners.add(owner, file_id(file));
        }
    }
}
