//! The order in which rules run, derived from what they need.
//!
//! Three stages: rules without an owner that feed the owner table and what those look up; then
//! owner by owner; then rules without an owner that come after. Inside a stage, levels: a rule
//! runs after every rule that makes what it looks up, references, or ranks after in `[precedence]`.
//! `check` reports [`faults`], and a run relies on there being none.

use super::compile::CompiledRule;
use super::model::{Mapping, OnDuplicate, PatternPiece, PatternSegment, Rule, Set};
use super::uses::uses;
use crate::error::{Error, Result};
use crate::table::Schema;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// When a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Before owners are known.
    Before,
    /// Owner by owner.
    Owners,
    /// After all owners.
    After,
}

/// When a rule runs: its stage, and its level inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Turn {
    /// The stage.
    pub stage: Stage,
    /// From 0; a level is complete before the next begins.
    pub level: u32,
}

/// When every rule runs, by mapping and rule.
#[derive(Debug)]
pub struct Order {
    turns: Vec<Vec<Turn>>,
}

impl Order {
    /// When a rule runs.
    pub fn turn(&self, rule: &CompiledRule) -> Turn {
        self.turns[rule.mapping][rule.rule]
    }

    /// All turns that occur, in order.
    pub fn turns(&self) -> Vec<Turn> {
        let mut all: Vec<Turn> = self.turns.iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The rules of a mapping that run in a turn, parents first.
    pub fn rules_of<'r>(&self, rules: &'r [CompiledRule], turn: Turn) -> Vec<&'r CompiledRule> {
        let mut mine: Vec<&CompiledRule> = rules.iter().filter(|rule| self.turn(rule) == turn).collect();
        mine.sort_by_key(|rule| depth(rule, rules));
        mine
    }
}

fn depth(rule: &CompiledRule, rules: &[CompiledRule]) -> usize {
    rule.parent.map_or(0, |parent| 1 + depth(&rules[parent], rules))
}

/// Whether a mapping's files belong to owners: by their pattern, or because a rule asks for the owner.
pub fn is_owned(set: &Set, mapping: usize) -> bool {
    let Some(owners) = &set.owners else { return false };
    let mapping = &set.mappings[mapping];
    let captured = mapping.source.files.iter().any(|pattern| {
        pattern.segments.iter().any(|segment| match segment {
            PatternSegment::Mixed(pieces) => {
                pieces.iter().any(|piece| matches!(piece, PatternPiece::Capture(name) if *name == owners.capture))
            }
            _ => false,
        })
    });
    captured
        || mapping
            .rules
            .iter()
            .any(|rule| uses(rule).contexts.iter().any(|name| name == "owner" || name.starts_with("owner.")))
}

/// Derives when each rule runs. The set must have passed [`super::check::check`].
pub fn order(set: &Set, schema: &Schema) -> Result<Order> {
    let graph = Graph::new(set, schema);
    let stages = graph.stages();
    let mut levels = vec![0_u32; graph.needs.len()];
    // Every round moves each group behind what it needs; more rounds than groups mean a cycle.
    for _ in 0..=graph.needs.len() {
        let mut moved = false;
        for (after, before) in graph.edges() {
            if stages[before] == stages[after] && levels[after] <= levels[before] {
                levels[after] = levels[before] + 1;
                moved = true;
            }
        }
        if !moved {
            let turn = |group: usize| Turn { stage: stages[group], level: levels[group] };
            let turns = graph.groups.iter().map(|groups| groups.iter().map(|group| turn(*group)).collect()).collect();
            return Ok(Order { turns });
        }
    }
    Err(Error::bug("rules wait for each other, which `check` reports first"))
}

/// Why there is no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// These rules wait for each other, each for the next one and the last for the first.
    Cycle(Vec<RuleAt>),
    /// The first runs owner by owner and needs the second, which runs only after all owners.
    Late(RuleAt, RuleAt),
}

/// A rule's position: its mapping in the set, and itself in the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleAt {
    /// The index of the mapping.
    pub mapping: usize,
    /// The index of the rule.
    pub rule: usize,
}

impl RuleAt {
    /// The mapping, and the rule itself.
    pub fn of(self, set: &Set) -> (&Mapping, &Rule) {
        let mapping = &set.mappings[self.mapping];
        (mapping, &mapping.rules[self.rule])
    }

    fn name(self, set: &Set) -> String {
        let (mapping, rule) = self.of(set);
        format!("`{}.{}`", mapping.name, rule.name)
    }
}

impl Fault {
    /// The rule at whose line it is reported.
    pub fn at(&self) -> RuleAt {
        match self {
            Fault::Cycle(cycle) => cycle[0],
            Fault::Late(rule, _) => *rule,
        }
    }

    /// It in words.
    pub fn message(&self, set: &Set) -> String {
        match self {
            Fault::Cycle(cycle) => {
                let names: Vec<_> = cycle.iter().chain(cycle.first()).map(|at| at.name(set)).collect();
                format!("these rules wait for each other: {}", names.join(" for "))
            }
            Fault::Late(rule, late) => {
                format!("{} needs {}, which runs only after all owners", rule.name(set), late.name(set))
            }
        }
    }
}

/// Everything that keeps the rules from having an order: each cycle once, by its shortest path.
pub fn faults(set: &Set, schema: &Schema) -> Vec<Fault> {
    let graph = Graph::new(set, schema);
    let next: Vec<BTreeSet<usize>> = graph.needs.iter().map(|needs| needs.keys().copied().collect()).collect();
    let mut faults: Vec<Fault> = cycles(&next)
        .into_iter()
        .map(|cycle| {
            let ends = cycle.iter().skip(1).chain(cycle.first());
            Fault::Cycle(cycle.iter().zip(ends).map(|(group, needed)| graph.needs[*group][needed].0).collect())
        })
        .collect();
    if faults.is_empty() {
        let stages = graph.stages();
        let late = graph.edges().filter(|(after, before)| stages[*before] > stages[*after]);
        faults.extend(late.map(|(after, before)| {
            let (rule, needed) = graph.needs[after][&before];
            Fault::Late(rule, needed)
        }));
    }
    faults
}

/// Rules that depend on each other by `parent` run together: a group is what is ordered.
struct Graph {
    groups: Vec<Vec<usize>>,
    owned: Vec<bool>,
    /// For each group the groups that must be done before it, each with the rules that make it so.
    needs: Vec<BTreeMap<usize, (RuleAt, RuleAt)>>,
}

impl Graph {
    fn new(set: &Set, schema: &Schema) -> Self {
        let mut graph = Graph { groups: Vec::new(), owned: Vec::new(), needs: Vec::new() };
        for (m, mapping) in set.mappings.iter().enumerate() {
            let mut groups = vec![usize::MAX; mapping.rules.len()];
            for rule in 0..mapping.rules.len() {
                let top = top_of(mapping, rule);
                if groups[top] == usize::MAX {
                    groups[top] = graph.needs.len();
                    graph.needs.push(BTreeMap::new());
                    graph.owned.push(is_owned(set, m));
                }
                groups[rule] = groups[top];
            }
            graph.groups.push(groups);
        }
        graph.link(set, schema);
        graph
    }

    fn link(&mut self, set: &Set, schema: &Schema) {
        let all: Vec<RuleAt> = set
            .mappings
            .iter()
            .enumerate()
            .flat_map(|(mapping, of)| (0..of.rules.len()).map(move |rule| RuleAt { mapping, rule }))
            .collect();
        for rule in &all {
            for feeder in all.iter().filter(|feeder| needs(set, schema, *rule, **feeder)) {
                self.edge(*rule, *feeder);
            }
        }
        for precedence in &set.precedence {
            let ranked: Vec<Vec<RuleAt>> = precedence
                .feeders
                .iter()
                .map(|entry| {
                    let feeds = |at: &RuleAt| {
                        let (mapping, rule) = at.of(set);
                        rule.into == precedence.table && is_named(mapping, rule, entry)
                    };
                    all.iter().copied().filter(feeds).collect()
                })
                .collect();
            for pair in ranked.windows(2) {
                for before in &pair[0] {
                    pair[1].iter().for_each(|after| self.edge(*after, *before));
                }
            }
        }
        // Owners are resolved before anything of theirs is read.
        if let Some(owners) = &set.owners {
            let feeds = |at: &&RuleAt| {
                let rule = at.of(set).1;
                rule.into == owners.table && starts_rows(rule, schema) && !is_owned(set, at.mapping)
            };
            for feeder in all.iter().filter(feeds) {
                for rule in all.iter().filter(|rule| is_owned(set, rule.mapping)) {
                    self.edge(*rule, *feeder);
                }
            }
        }
    }

    fn edge(&mut self, after: RuleAt, before: RuleAt) {
        let group = |at: RuleAt| self.groups[at.mapping][at.rule];
        let (waiting, needed) = (group(after), group(before));
        if waiting != needed {
            self.needs[waiting].entry(needed).or_insert((after, before));
        }
    }

    /// Every group with one that must be done before it.
    fn edges(&self) -> impl Iterator<Item = (usize, usize)> {
        self.needs.iter().enumerate().flat_map(|(after, needs)| needs.keys().map(move |before| (after, *before)))
    }

    fn stages(&self) -> Vec<Stage> {
        let mut stages: Vec<Stage> =
            self.owned.iter().map(|owned| if *owned { Stage::Owners } else { Stage::Before }).collect();
        loop {
            let mut moved = false;
            for (after, before) in self.edges() {
                if !self.owned[after] && stages[after] == Stage::Before && stages[before] >= Stage::Owners {
                    stages[after] = Stage::After;
                    moved = true;
                }
            }
            if !moved {
                return stages;
            }
        }
    }
}

/// The topmost parent of a rule; a cycle of parents is reported by the loader.
fn top_of(mapping: &Mapping, rule: usize) -> usize {
    let mut top = rule;
    for _ in 0..mapping.rules.len() {
        let parent = mapping.rules[top].parent.as_ref();
        match parent.and_then(|parent| mapping.rules.iter().position(|other| other.name == *parent)) {
            Some(parent) => top = parent,
            None => return top,
        }
    }
    rule
}

/// Whether a rule waits for what another one feeds: it looks rows up there, or refers to them.
fn needs(set: &Set, schema: &Schema, at: RuleAt, feeder: RuleAt) -> bool {
    let (rule, feeding) = (at.of(set).1, feeder.of(set).1);
    let starts = || starts_rows(feeding, schema);
    // A row's key is there before anything is added to it.
    let key = feeding.key_columns().unwrap_or_default();
    let fills = |column: &str| !key.contains(&column) && feeding.columns.iter().any(|other| other.name == column);
    let looked_up = uses(rule).tables.iter().any(|used| {
        used.table == feeding.into && at != feeder && (starts() || used.column.as_deref().is_some_and(fills))
    });
    let refers = || {
        let gives = |name: &String| rule.columns.iter().any(|column| column.name == *name);
        schema.table(&rule.into).is_some_and(|table| {
            let keys = table.foreign_keys.iter().filter(|key| key.table != rule.into && key.table == feeding.into);
            keys.into_iter().any(|key| key.columns.iter().any(gives))
        })
    };
    // What only adds to rows runs when all that start them are done.
    let adds = || at != feeder && feeding.into == rule.into && !starts_rows(rule, schema);
    looked_up || ((refers() || adds()) && starts())
}

/// Whether a rule can make a row that is not there yet: one that fills only, and does not give every
/// column that must have a value, cannot.
fn starts_rows(rule: &Rule, schema: &Schema) -> bool {
    let gives = |name: &str| {
        rule.columns.iter().any(|column| column.name == name) || rule.secrets.iter().any(|secret| secret.name == name)
    };
    rule.on_duplicate != OnDuplicate::Fill
        || schema.table(&rule.into).is_none_or(|table| table.columns_needed().all(|column| gives(&column.name)))
}

/// Whether a `[precedence]` entry (`mapping` or `mapping.rule`) means this rule.
fn is_named(mapping: &Mapping, rule: &Rule, entry: &str) -> bool {
    match entry.split_once('.') {
        Some((of, name)) => of == mapping.name && name == rule.name,
        None => entry == mapping.name,
    }
}

/// Whether a `[precedence]` entry means this compiled rule.
pub fn feeds(set: &Set, rule: &CompiledRule, entry: &str) -> bool {
    is_named(rule.mapping_of(set), rule.model(set), entry)
}

/// Cycles of nodes that wait for each other, each once and from its lowest node on.
fn cycles(edges: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let mut cycles = Vec::new();
    let mut found = BTreeSet::new();
    for start in 0..edges.len() {
        if found.contains(&start) {
            continue; // it is part of a cycle that was found
        }
        if let Some(cycle) = path_back(edges, start) {
            found.extend(cycle.iter().copied());
            cycles.push(cycle);
        }
    }
    cycles
}

/// The shortest path from a node back to itself.
fn path_back(edges: &[BTreeSet<usize>], start: usize) -> Option<Vec<usize>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let last = way.last().copied().unwrap_or(start);
        for next in &edges[last] {
            if *next == start {
                return Some(way);
            }
            if seen.insert(*next) {
                ways.push_back(way.iter().copied().chain([*next]).collect());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(edges: &[&[usize]]) -> Vec<BTreeSet<usize>> {
        edges.iter().map(|next| next.iter().copied().collect()).collect()
    }

    #[test]
    fn a_cycle_is_reported_once_by_its_shortest_path() {
        assert_eq!(cycles(&edges(&[&[1], &[2], &[0], &[0]])), [vec![0, 1, 2]]);
        assert_eq!(cycles(&edges(&[&[1, 2], &[2], &[]])), Vec::<Vec<usize>>::new());
        assert_eq!(cycles(&edges(&[&[], &[2], &[1], &[4], &[3]])), [vec![1, 2], vec![3, 4]]);
    }
}
