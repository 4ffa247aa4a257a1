//! Which rules must be done before which.

use super::turn::Stage;
use crate::mapping::model::{Mapping, OnDuplicate, Rule, Set, Sought};
use crate::mapping::own::{Own, RuleAt};
use crate::mapping::uses::uses;
use crate::table::Schema;
use std::collections::{BTreeMap, BTreeSet};

/// Why a group waits for another one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    /// The rule that waits.
    pub(super) after: RuleAt,
    /// The rule that it waits for.
    pub(super) before: RuleAt,
    /// Whether it waits until that one is done for every owner.
    pub(super) all_owners: bool,
}

/// Why a group waits for another one, or for itself, where it need not: the rows may come later.
#[derive(Debug, Clone)]
pub(super) struct Soft {
    /// The groups of the rule that waits, and of the one that it waits for.
    pub(super) after: usize,
    pub(super) before: usize,
    pub(super) why: Why,
}

/// What may be answered, or kept, once everything was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// The `lookup` of this number.
    Lookup(usize),
    /// The rule's references to rows of this table.
    Reference(RuleAt, String),
}

/// What is not waited for.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// Lookups, by number.
    pub(super) lookups: BTreeSet<usize>,
    /// References of a rule's rows, by the table that they lead to.
    pub(super) references: BTreeSet<(RuleAt, String)>,
}

/// Rules that depend on each other by `parent` run together: a group is what is ordered.
pub(super) struct Graph {
    /// The group of each rule, by mapping and rule.
    pub(super) groups: Vec<Vec<usize>>,
    owned: Vec<bool>,
    /// For each group the groups that must be done before it.
    pub(super) needs: Vec<BTreeMap<usize, Need>>,
    /// What of that need not be waited for.
    pub(super) soft: Vec<Soft>,
}

impl Graph {
    /// What is `late` is not waited for.
    pub(super) fn new(set: &Set, schema: &Schema, late: &Late) -> Self {
        let own = Own::new(set, schema);
        let mut graph = Graph { groups: Vec::new(), owned: Vec::new(), needs: Vec::new(), soft: Vec::new() };
        for (m, mapping) in set.mappings.iter().enumerate() {
            let mut groups = vec![usize::MAX; mapping.rules.len()];
            for rule in 0..mapping.rules.len() {
                let top = top_of(mapping, rule);
                if groups[top] == usize::MAX {
                    groups[top] = graph.needs.len();
                    graph.needs.push(BTreeMap::new());
                    graph.owned.push(own.is_owned(m));
                }
                groups[rule] = groups[top];
            }
            graph.groups.push(groups);
        }
        graph.link(set, schema, &own, late);
        graph
    }

    fn link(&mut self, set: &Set, schema: &Schema, own: &Own<'_>, late: &Late) {
        let all: Vec<RuleAt> = RuleAt::all(set).collect();
        for after in all.iter().copied() {
            let lookups: Vec<_> =
                uses(after.of(set).1).rows.into_iter().filter(|row| !late.lookups.contains(&row.number)).collect();
            for before in in_reach(set, schema, own, after, &lookups) {
                let refers = !late.references.contains(&(after, before.of(set).1.into.clone()));
                let asking = Asking { at: after, lookups: &lookups, refers };
                let (all_owners, soft) = needs(set, schema, own, &asking, before);
                if let Some(all_owners) = all_owners {
                    self.edge(Need { after, before, all_owners });
                }
                let group = |at: RuleAt| self.groups[at.mapping][at.rule];
                let (after, before) = (group(after), group(before));
                self.soft.extend(soft.into_iter().map(|why| Soft { after, before, why }));
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
                    for after in &pair[1] {
                        self.edge(Need { after: *after, before: *before, all_owners: false });
                    }
                }
            }
        }
        // Owners are resolved before anything of theirs is read.
        if let Some(owners) = &set.owners {
            let feeds = |at: &&RuleAt| {
                let rule = at.of(set).1;
                rule.into == owners.table && starts_rows(rule, schema) && !own.is_owned(at.mapping)
            };
            for before in all.iter().copied().filter(|at| feeds(&at)) {
                for after in all.iter().copied().filter(|rule| own.is_owned(rule.mapping)) {
                    self.edge(Need { after, before, all_owners: false });
                }
            }
        }
    }

    fn edge(&mut self, need: Need) {
        let group = |at: RuleAt| self.groups[at.mapping][at.rule];
        let (waiting, needed) = (group(need.after), group(need.before));
        if waiting != needed {
            let known = self.needs[waiting].entry(needed).or_insert(need);
            if need.all_owners && !known.all_owners {
                *known = need;
            }
        }
    }

    /// Every group with one that must be done before it, and why.
    pub(super) fn edges(&self) -> impl Iterator<Item = (usize, usize, &Need)> {
        self.needs
            .iter()
            .enumerate()
            .flat_map(|(after, needs)| needs.iter().map(move |(before, need)| (after, *before, need)))
    }

    /// All groups that one waits for, by way of others too.
    pub(super) fn reach(&self, from: usize) -> BTreeSet<usize> {
        let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(group) = next.pop() {
            next.extend(self.needs[group].keys().copied().filter(|before| reached.insert(*before)));
        }
        reached
    }

    /// The stage of each group.
    pub(super) fn stages(&self) -> Vec<Stage> {
        let mut stages: Vec<Stage> =
            self.owned.iter().map(|owned| if *owned { Stage::Owners } else { Stage::Before }).collect();
        loop {
            let mut moved = false;
            for (after, before, _) in self.edges() {
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
        match mapping.rules[top].parent.as_deref().and_then(|parent| mapping.rule(parent)) {
            Some(parent) => top = parent,
            None => return top,
        }
    }
    rule
}

/// The rules that a rule can wait for at all, in the order of the set: those that feed a table that it looks
/// rows up in, references or writes into.
fn in_reach(set: &Set, schema: &Schema, own: &Own<'_>, at: RuleAt, lookups: &[&Sought]) -> BTreeSet<RuleAt> {
    let into = at.of(set).1.into.as_str();
    let referenced = schema.table(into).into_iter().flat_map(|table| &table.foreign_keys).map(|key| key.table.as_str());
    let tables: BTreeSet<&str> =
        lookups.iter().map(|used| used.table.as_str()).chain(referenced).chain([into]).collect();
    tables.into_iter().flat_map(|table| own.feeding(table)).collect()
}

/// A rule with what it asks for.
struct Asking<'a> {
    at: RuleAt,
    lookups: &'a [&'a Sought],
    /// Whether it waits for the rows that it references.
    refers: bool,
}

/// Whether a rule waits for what another one feeds: it looks rows up there, references them, or adds to
/// them. `Some(true)` where those may be rows of any owner. And why it does, where it need not.
fn needs(set: &Set, schema: &Schema, own: &Own<'_>, asking: &Asking<'_>, before: RuleAt) -> (Option<bool>, Vec<Why>) {
    let at = asking.at;
    let (rule, feeding) = (at.of(set).1, before.of(set).1);
    let starts = starts_rows(feeding, schema);
    let of_owners = own.is_owned(at.mapping) && own.is_owned(before.mapping);
    // A row's key is there before anything is added to it.
    let key = feeding.key_columns().unwrap_or_default();
    let fills = |column: &str| !key.contains(&column) && feeding.column(column).is_some();
    let wanted = asking.lookups.iter().filter(|used| {
        let added = || used.column.as_deref().is_some_and(fills) || used.columns().any(fills);
        used.table == feeding.into && (starts || added())
    });
    let looked_up = wanted.clone().filter(|_| at != before).map(|used| of_owners && !own.key(at, used)).max();
    let refers = || {
        let gives = |name: &String| rule.column(name).is_some();
        schema.table(&rule.into).is_some_and(|table| {
            let keys = table.foreign_keys.iter().filter(|key| key.table != rule.into && key.table == feeding.into);
            keys.into_iter().any(|key| key.columns.iter().any(gives))
        })
    };
    let refers = asking.refers && starts && refers();
    // What only adds to rows runs when all that start them are done.
    let adds = starts && at != before && feeding.into == rule.into && !starts_rows(rule, schema);
    let adds = adds.then(|| of_owners && !own.rows(at));
    let mut soft: Vec<Why> = wanted.filter(|used| used.column.is_some()).map(|used| Why::Lookup(used.number)).collect();
    soft.extend(refers.then(|| Why::Reference(at, feeding.into.clone())));
    // `None` is less than everything.
    (looked_up.max(adds).max(refers.then_some(false)), soft)
}

/// Whether a rule can make a row that is not there yet: one that fills only, and does not give every
/// column that must have a value, cannot.
fn starts_rows(rule: &Rule, schema: &Schema) -> bool {
    let gives = |name: &str| rule.column(name).is_some();
    rule.on_duplicate != OnDuplicate::Fill
        || schema.table(&rule.into).is_none_or(|table| table.columns_needed().all(|column| gives(&column.name)))
}

/// Whether a `[precedence]` entry (`mapping` or `mapping.rule`) means this rule.
pub(super) fn is_named(mapping: &Mapping, rule: &Rule, entry: &str) -> bool {
    match entry.split_once('.') {
        Some((of, name)) => of == mapping.name && name == rule.name,
        None => entry == mapping.name,
    }
}
