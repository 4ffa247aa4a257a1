//! The plan of a run: which mapping reads which file, in which order rules run, and what the key
//! index must know. Made from the tree's names and the mapping set alone; no file is read.

mod columns;
mod disposition;
mod keys;
mod specs;

use crate::database::SealedColumn;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::import::files::file_id;
use crate::import::taken::Taken;
use crate::mapping::apply::{FileContext, Owner};
use crate::mapping::compile::{CompiledRule, compile};
use crate::mapping::model::{From, Literal, OnDuplicate, Protection, ReadAs, Rule, Set, WhatOfNul};
use crate::mapping::order::{Order, Stage, Turn, order};
use crate::mapping::own::{is_owned, makes_owners};
use crate::mapping::suggest;
use crate::mapping::usage::has_maps;
use crate::mapping::uses::{uses, uses_of};
use crate::source::walk::Tree;
use crate::source::{Limits, Nul, Replace};
use crate::table::{ColumnType, Schema};
use columns::{WrittenColumns, has};
use disposition::Readers;
pub use disposition::{Chosen, Disposition, Dispositions};
use jiff::Timestamp;
pub use keys::{FieldKey, Keys};
use specs::{Needed, Specs};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// One entry of a mapping's `files` (mapping and entry) in one directory of an owner.
pub type SourcePattern = ((usize, usize), Option<String>);

/// The names of a set's optional mappings.
pub fn optional(set: &Set) -> Vec<String> {
    let optional = set.mappings.iter().filter(|mapping| mapping.source.optional.is_some());
    optional.map(|mapping| mapping.name.clone()).collect()
}

/// All mappings, with those that are optional.
pub fn everything(optional: &[String]) -> Chosen<'_> {
    Chosen { only: &[], with: optional, max_unpacked: u64::MAX }
}

/// The plan of a run.
#[derive(Debug)]
pub struct Plan {
    /// The mapping set.
    pub set: Set,
    /// The tables it writes into.
    pub schema: Schema,
    /// The tree as walked.
    pub tree: Tree,
    /// What happens to each file of the tree, by its number.
    pub dispositions: Dispositions,
    /// What is taken of the tree.
    pub(crate) taken: Taken,
    /// Every rule, by mapping.
    pub rules: Vec<Vec<CompiledRule>>,
    /// When each rule runs.
    pub order: Order,
    /// What the key index must hold.
    pub specs: Specs,
    /// The keys of each rule's rows.
    pub keys: Keys,
    /// The columns of the owner table that are kept.
    pub owner_columns: Vec<String>,
    /// How times are read that files are sorted by: as a TIMESTAMP column does.
    pub newest: Option<ReadAs>,
    /// Whether a mapping has a `map`, by its index.
    pub has_maps: Vec<bool>,
    /// Computed once: they are read at every record.
    turns: Vec<(Turn, Turn)>,
    sealed: HashMap<(u32, usize), SealedColumn>,
    may_drop: HashSet<String>,
    readers: Readers,
    columns: WrittenColumns,
    /// The tables in which a rule looks rows up that were read before, by its number.
    used_tables: Vec<Vec<String>>,
}

/// Why a mapping that is asked for cannot be read.
pub(super) fn no_mapping(set: &Set, name: &str) -> Error {
    let error = Error::request(format!("the set `{}` has no mapping `{}`", set.name, printable(name)));
    error.hint(suggest::hint(name, set.mappings.iter().map(|mapping| mapping.name.as_str())))
}

impl Plan {
    /// Makes the plan. The set must have passed `check`.
    pub fn new(set: Set, schema: Schema, mut tree: Tree, chosen: &Chosen) -> Result<Self> {
        if let Some(unknown) = chosen
            .only
            .iter()
            .chain(chosen.with)
            .find(|name| !set.mappings.iter().any(|mapping| mapping.name == **name))
        {
            return Err(no_mapping(&set, unknown));
        }
        let rules = compile(&set, &schema);
        let order = order(&set, &schema)?;
        let specs = Needed { set: &set, rules: &rules, order: &order, schema: &schema }.specs();
        let keys = Keys::new(&set, &rules, &specs, &order);
        let readers = Readers::new(&set);
        let dispositions = readers.dispositions(&set, tree.files.iter().map(|file| &*file.path), chosen);
        let mut before = None;
        for (file, disposition) in tree.files.iter_mut().zip(dispositions.iter()) {
            file.read_in(disposition.form(&set, chosen), &mut before);
        }
        let turns = (0..rules.len()).map(|mapping| turns(&set, &rules, &order, mapping)).collect();
        let sealed = sealed(&set, &rules);
        let drops =
            |rule: &&CompiledRule| matches!(rule.model(&set).on_duplicate, OnDuplicate::First | OnDuplicate::Across);
        let may_drop = rules.iter().flatten().filter(drops).map(|rule| rule.table.name.clone()).collect();
        let owner_columns = owner_columns(&set, &schema);
        let newest = ReadAs::of(&set.reads, "TIMESTAMP", ColumnType::Time(None));
        let has_maps = set.mappings.iter().map(has_maps).collect();
        let columns = WrittenColumns::of(&set, &rules);
        let tables = |rule: &CompiledRule| {
            let rows = uses(rule.model(&set)).rows.into_iter().filter(|row| !order.is_late(row.number));
            rows.map(|row| row.table.clone()).collect()
        };
        let used_tables = rules.iter().flatten().map(tables).collect();
        Ok(Self {
            set,
            schema,
            tree,
            dispositions,
            taken: Taken::default(),
            rules,
            order,
            specs,
            keys,
            owner_columns,
            newest,
            has_maps,
            turns,
            sealed,
            may_drop,
            readers,
            columns,
            used_tables,
        })
    }

    /// The owner's directory that a mapped file lies in: what the owners' capture captured.
    pub fn directory_of(&self, file: usize) -> Option<Cow<'_, str>> {
        match self.dispositions[file] {
            Disposition::Mapped { mapping, pattern } => {
                self.directory_in(mapping, pattern, &self.tree.files[file].path)
            }
            Disposition::Ignored(_) | Disposition::Unmapped => None,
        }
    }

    /// What the owners' capture captures where a mapping's pattern matches a path.
    fn directory_in<'p>(&'p self, mapping: usize, pattern: usize, path: &'p str) -> Option<Cow<'p, str>> {
        let owners = self.set.owners.as_ref()?;
        let captures = self.set.mappings[mapping].source.files[pattern].captures_of(path)?;
        owners.directory(&captures)
    }

    /// What the pattern of a mapped file captures in its path.
    fn captures_of(&self, file: usize) -> Vec<(&str, &str)> {
        let captures = match self.dispositions[file] {
            Disposition::Mapped { mapping, pattern } => {
                self.set.mappings[mapping].source.files[pattern].captures_of(&self.tree.files[file].path)
            }
            Disposition::Ignored(_) | Disposition::Unmapped => None,
        };
        captures.unwrap_or_default()
    }

    /// The mapping that would read a file of this path, and the owner's directory in it.
    pub fn reader_of(&self, path: &str) -> Option<(usize, Option<String>)> {
        let (mapping, pattern) = self.readers.reader(&self.set, path)?;
        Some((mapping, self.directory_in(mapping, pattern, path).map(Cow::into_owned)))
    }

    /// Whether the times of a column are instants, rather than times without a zone: for a column that rules write they
    /// say, else what it is compared with.
    pub fn writes_instants(&self, table: &str, column: &str) -> bool {
        has(&self.columns.instants, table, column)
    }

    /// Whether a `fill` rule may give the column a value after its row was made.
    pub fn is_filled(&self, table: &str, column: &str) -> bool {
        has(&self.columns.filled, table, column)
    }

    /// Whether a row of the table may be dropped for an earlier one of its key.
    pub fn may_drop(&self, table: &str) -> bool {
        self.may_drop.contains(table)
    }

    /// The rule of this number: rules are numbered in the order of `rules`.
    pub fn rule(&self, number: u32) -> Option<&CompiledRule> {
        self.rules.iter().flatten().nth(number as usize)
    }

    /// The column that a rule's sealed field is written into.
    ///
    /// # Errors
    /// Where the field is not a sealed one, which is a bug.
    pub fn sealed_column(&self, rule: &CompiledRule, field: usize) -> Result<&SealedColumn> {
        self.sealed.get(&(rule.number, field)).ok_or_else(|| Error::bug("a secret has no column to be sealed into"))
    }

    /// What rows of a mapped file may refer to; the owner is that of its directory.
    pub fn file_context<'f>(&'f self, file: usize, owner: Option<&'f Owner>, started: Timestamp) -> FileContext<'f> {
        let captures = self.captures_of(file);
        let directory = self.set.owners.as_ref().and_then(|owners| owners.directory(&captures));
        FileContext {
            id: file_id(file),
            path: &self.tree.files[file].path,
            directory,
            captures,
            owner,
            started,
            namespace: self.set.namespace,
            keeps_nul: self.set.strings.nul == WhatOfNul::Keep,
        }
    }

    /// The source pattern of a mapped file: the entry of `files` and the owner's directory it belongs to.
    pub fn source_pattern_of(&self, file: usize) -> SourcePattern {
        let entry = match self.dispositions[file] {
            Disposition::Mapped { mapping, pattern } => (mapping, pattern),
            Disposition::Ignored(_) | Disposition::Unmapped => (usize::MAX, usize::MAX),
        };
        (entry, self.directory_of(file).map(Cow::into_owned))
    }

    /// The first and the last turn in which a mapping's files are read. A mapping without rules is
    /// read once, for its leaves.
    pub fn turns_of(&self, mapping: usize) -> (Turn, Turn) {
        self.turns[mapping]
    }

    /// All turns in which something is read, in order.
    pub fn turns(&self) -> Vec<Turn> {
        let of_mappings = (0..self.rules.len()).map(|mapping| self.turns_of(mapping).0);
        let mut all: Vec<Turn> = self.order.turns().into_iter().chain(of_mappings).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether a rule of the mapping names a secret.
    pub fn has_secrets(&self, mapping: usize) -> bool {
        self.set.mappings[mapping].rules.iter().any(Rule::has_secrets)
    }

    /// How the files of a mapping are read, whose values may be nested `depth` deep.
    pub fn limits(&self, mapping: usize, depth: u32) -> Limits {
        Limits { depth, sensitive: self.has_secrets(mapping), replace: self.replace(), ..Limits::default() }
    }

    /// What in strings is replaced or told.
    pub fn replace(&self) -> Replace {
        let nul = match self.set.strings.nul {
            WhatOfNul::Reject => Nul::Reject,
            WhatOfNul::Replace => Nul::Replace,
            WhatOfNul::Keep => Nul::Keep,
        };
        Replace { lone_surrogate: self.set.strings.replace_lone_surrogates, nul }
    }

    /// The tables that the set's mappings write into.
    pub fn written_tables(&self) -> BTreeSet<String> {
        self.rules.iter().flatten().map(|rule| rule.table.name.clone()).collect()
    }

    /// How many files mappings read.
    pub fn mapped_files(&self) -> u64 {
        self.mapped().count() as u64
    }

    /// The bytes of the files that mappings read.
    pub fn mapped_bytes(&self) -> u64 {
        self.mapped().map(|file| self.tree.files[file].bytes).sum()
    }

    /// The numbers of the files that mappings read.
    pub fn mapped(&self) -> impl Iterator<Item = usize> {
        let dispositions = self.dispositions.iter().enumerate();
        dispositions.filter(|(_, disposition)| matches!(disposition, Disposition::Mapped { .. })).map(|(file, _)| file)
    }

    /// Whether the files of a mapping belong to owners.
    pub fn owned(&self, mapping: usize) -> bool {
        is_owned(&self.set, mapping)
    }

    /// Whether a mapping makes the owners of the folders that its files lie in.
    pub fn makes_owners(&self, mapping: usize) -> bool {
        makes_owners(&self.set, mapping)
    }

    /// Whether a mapping writes rows of the owner table.
    pub fn feeds_owners(&self, mapping: usize) -> bool {
        let Some(owners) = &self.set.owners else { return false };
        self.rules[mapping].iter().any(|rule| rule.table.name == owners.table)
    }

    /// Whether a rule makes owners and this column, or its whole row, is what directories find them by.
    pub fn names_owners(&self, rule: &CompiledRule, column: Option<&str>) -> bool {
        let Some(owners) = self.set.owners.as_ref().filter(|owners| owners.table == rule.table.name) else {
            return false;
        };
        let finds = |name: &str| {
            let mut compared = owners.compared();
            rule.table.primary_key().contains(&name) || compared.any(|by| by.column == name)
        };
        column.is_none_or(finds)
    }

    /// Whether one of these rules looks up rows that they make themselves: then a record sees those of the
    /// records before it.
    pub fn looks_up_own_rows(&self, rules: &[&CompiledRule]) -> bool {
        let made = |table: &String| rules.iter().any(|rule| rule.table.name == *table);
        rules.iter().any(|rule| self.used_tables[rule.number as usize].iter().any(made))
    }

    /// The pattern that finds an owner's directory, with the capture alone: `users/{owner}`.
    pub fn owner_folders(&self) -> Vec<String> {
        let Some(owners) = &self.set.owners else { return Vec::new() };
        let capture = format!("{{{}}}", owners.captures.last().map_or("", String::as_str));
        let mut found: Vec<String> = self
            .set
            .mappings
            .iter()
            .flat_map(|mapping| &mapping.source.files)
            .filter_map(|pattern| {
                let segments: Vec<&str> = pattern.text.split('/').collect();
                let at = segments.iter().position(|segment| *segment == capture)?;
                Some(segments[..at].join("/"))
            })
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// Whether file patterns have the owners' capture at this path: whether it is an owner's directory.
    pub fn is_owner_place(&self, path: &str) -> bool {
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        let is_above = |folder: &String| {
            let fits = |(wanted, segment): (&str, &str)| wanted.contains(['{', '*']) || wanted == segment;
            folder.split('/').count() == above.split('/').count() && folder.split('/').zip(above.split('/')).all(fits)
        };
        self.owner_folders().iter().any(is_above)
    }
}

/// The first and the last turn of a mapping.
fn turns(set: &Set, rules: &[Vec<CompiledRule>], order: &Order, mapping: usize) -> (Turn, Turn) {
    let turns = || rules[mapping].iter().map(|rule| order.turn(rule));
    let stage = if is_owned(set, mapping) { Stage::Owners } else { Stage::Before };
    let only = Turn { stage, round: 0, level: 0 };
    (turns().min().unwrap_or(only), turns().max().unwrap_or(only))
}

/// The columns that sealed fields are written into, by rule and field.
fn sealed(set: &Set, rules: &[Vec<CompiledRule>]) -> HashMap<(u32, usize), SealedColumn> {
    let mut sealed = HashMap::new();
    for rule in rules.iter().flatten() {
        let key_columns = rule.model(set).key_columns().unwrap_or_default();
        for (at, field) in rule.fields.iter().enumerate() {
            if field.protection == Some(Protection::Seal) {
                let column = SealedColumn {
                    table: rule.table.name.clone(),
                    column: field.column.name.clone(),
                    key_columns: key_columns.iter().map(|&column| column.to_owned()).collect(),
                    row_filter: row_filter(set, rules, rule, &field.column.name),
                };
                sealed.insert((rule.number, at), column);
            }
        }
    }
    sealed
}

/// Which rows of a sealed column are sealed, where another rule writes plaintext into the same
/// column: those that have the literals of the rule's key.
fn row_filter(
    set: &Set,
    rules: &[Vec<CompiledRule>],
    rule: &CompiledRule,
    column: &str,
) -> Option<BTreeMap<String, String>> {
    let in_plaintext = |other: &&CompiledRule| {
        let field = other.field(column).map(|at| other.fields[at].protection);
        other.table.name == rule.table.name && matches!(field, Some(None | Some(Protection::Hash)))
    };
    rules.iter().flatten().find(in_plaintext)?;
    let model = rule.model(set);
    let literals = model.columns.iter().filter_map(|of| match &of.expr.from {
        From::Literal(Literal::Text(text)) if model.key_columns()?.contains(&of.name.as_str()) => {
            Some((of.name.clone(), text.clone()))
        }
        _ => None,
    });
    Some(literals.collect())
}

fn owner_columns(set: &Set, schema: &Schema) -> Vec<String> {
    let Some(owners) = &set.owners else { return Vec::new() };
    let mut columns: Vec<String> = schema
        .table(&owners.table)
        .map(|table| table.primary_key().into_iter().map(str::to_owned).collect())
        .unwrap_or_default();
    let compared = || owners.compared();
    columns.extend(compared().map(|by| by.column.clone()));
    let of_rules = set.mappings.iter().flat_map(|mapping| &mapping.rules).map(uses);
    let of_owners = compared().map(|by| uses_of(&by.expr));
    for uses in of_rules.chain(of_owners) {
        columns.extend(uses.contexts.iter().filter_map(|name| name.strip_prefix("owner.").map(str::to_owned)));
    }
    let mut seen = HashSet::new();
    columns.retain(|column| seen.insert(column.clone()));
    columns
}
