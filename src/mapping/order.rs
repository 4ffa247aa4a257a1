//! The order in which rules run, derived from what they need.
//!
//! Three stages: rules without an owner that feed the owner table and what those look up; then
//! owner by owner; then rules without an owner that come after. Inside a stage, levels: a rule
//! runs after every rule that makes what it looks up, references, or ranks after in `[precedence]`.
//! Where it may look up rows of other owners, it runs in a later round over all owners, so that
//! what it finds does not depend on the order of owners. What would make rules wait for themselves or for each
//! other is [`late`], where it can be. `check` reports [`faults`], and a run relies on there being none.

mod cycles;
mod graph;
mod late;
mod turn;

pub use turn::{Stage, Turn};

use super::compile::CompiledRule;
use super::model::{OnDuplicate, Set};
use super::own::RuleAt;
use crate::error::{Error, Result};
use crate::table::Schema;
use cycles::cycles;
use graph::{Graph, Late, is_named};
use late::late;
use std::collections::{BTreeMap, BTreeSet};

/// When every rule runs, by mapping and rule.
#[derive(Debug)]
pub struct Order {
    turns: Vec<Vec<Turn>>,
    late: Late,
}

impl Order {
    /// When a rule runs.
    pub fn turn(&self, rule: &CompiledRule) -> Turn {
        self.turns[rule.mapping][rule.rule]
    }

    /// Whether the `lookup` of this number is answered by all rows of the run, also those that are read later.
    pub fn is_late(&self, lookup: usize) -> bool {
        self.late.lookups.contains(&lookup)
    }

    /// Whether any is.
    pub fn looks_ahead(&self) -> bool {
        !self.late.lookups.is_empty()
    }

    /// Whether rows that a rule's rows reference in this table may be read after them.
    pub fn may_come_later(&self, rule: &CompiledRule, table: &str) -> bool {
        let of_it = |(at, to): &(RuleAt, String)| at.mapping == rule.mapping && at.rule == rule.rule && to == table;
        self.late.references.iter().any(of_it)
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

/// Derives when each rule runs. The set must have passed [`super::check::check`].
pub fn order(set: &Set, schema: &Schema) -> Result<Order> {
    let late = late(set, schema);
    let graph = Graph::new(set, schema, &late);
    let turns = turns(&graph, &folding(set))
        .ok_or_else(|| Error::bug("rules wait for each other, which `check` reports first"))?;
    let of_rules = |groups: &Vec<usize>| groups.iter().map(|group| turns[*group]).collect();
    Ok(Order { turns: graph.groups.iter().map(of_rules).collect(), late })
}

/// The rules that fold rows across source patterns, by table: they count the rows of a key together, so they run in
/// one round.
fn folding(set: &Set) -> Vec<Vec<RuleAt>> {
    let mut folding: BTreeMap<&str, Vec<RuleAt>> = BTreeMap::new();
    for (m, mapping) in set.mappings.iter().enumerate() {
        for (r, rule) in mapping.rules.iter().enumerate().filter(|(_, rule)| rule.on_duplicate == OnDuplicate::Across) {
            folding.entry(&rule.into).or_default().push(RuleAt { mapping: m, rule: r });
        }
    }
    folding.into_values().filter(|rules| rules.len() > 1).collect()
}

/// When each group runs; `None` where some wait for each other.
fn turns(graph: &Graph, folding: &[Vec<RuleAt>]) -> Option<Vec<Turn>> {
    let group = |at: &RuleAt| graph.groups[at.mapping][at.rule];
    let mut turns: Vec<Turn> = graph.stages().into_iter().map(|stage| Turn { stage, round: 0, level: 0 }).collect();
    // Every pass moves each group behind what it needs. Without a cycle a round and a level are settled per group at
    // the latest, and so often a group is raised to the others of its table.
    for _ in 0..=turns.len() * (2 + folding.len()) {
        let mut moved = false;
        for (after, before, need) in graph.edges() {
            let (waiting, needed) = (turns[after], turns[before]);
            if waiting.stage != needed.stage {
                continue; // the stages are in order already
            }
            let round = needed.round + u32::from(need.all_owners);
            if waiting.round < round {
                turns[after] = Turn { round, level: 0, ..waiting };
                moved = true;
            } else if waiting.round == needed.round && waiting.level <= needed.level {
                turns[after].level = needed.level + 1;
                moved = true;
            }
        }
        for rules in folding {
            let groups: Vec<usize> = rules.iter().map(group).filter(|at| turns[*at].stage == Stage::Owners).collect();
            let round = groups.iter().map(|at| turns[*at].round).max().unwrap_or(0);
            for at in groups {
                if turns[at].round < round {
                    turns[at] = Turn { round, level: 0, ..turns[at] };
                    moved = true;
                }
            }
        }
        if !moved {
            return Some(turns);
        }
    }
    None
}

/// Why there is no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// These rules wait for each other, each for the next one and the last for the first.
    Cycle(Vec<RuleAt>),
    /// A cycle in which a rule waits for another one's rows of all owners.
    OwnersCycle(Vec<RuleAt>),
    /// The first runs owner by owner and needs the second, which runs only after all owners.
    Late(RuleAt, RuleAt),
    /// These fold rows of one table across source patterns, and one waits for another one's rows of every owner.
    Folding(Vec<RuleAt>),
}

impl Fault {
    /// The rule at whose line it is reported.
    pub fn at(&self) -> RuleAt {
        match self {
            Fault::Cycle(cycle) | Fault::OwnersCycle(cycle) | Fault::Folding(cycle) => cycle[0],
            Fault::Late(rule, _) => *rule,
        }
    }

    /// It in words.
    pub fn message(&self, set: &Set) -> String {
        let names = |cycle: &[RuleAt]| {
            let names: Vec<_> = cycle.iter().chain(cycle.first()).map(|at| at.name(set)).collect();
            names.join(" for ")
        };
        match self {
            Fault::Cycle(cycle) => format!("these rules wait for each other: {}", names(cycle)),
            Fault::OwnersCycle(cycle) => {
                format!("these rules wait for each other's rows of every owner: {}", names(cycle))
            }
            Fault::Late(rule, late) => {
                format!("{} needs {}, which runs only after all owners", rule.name(set), late.name(set))
            }
            Fault::Folding(rules) => {
                let names: Vec<_> = rules.iter().map(|at| at.name(set)).collect();
                format!(
                    "{} fold rows across source patterns, and one of them waits for rows of every owner that another feeds",
                    names.join(" and ")
                )
            }
        }
    }
}

/// Everything that keeps the rules from having an order: each cycle once, by its shortest path.
pub fn faults(set: &Set, schema: &Schema) -> Vec<Fault> {
    let graph = Graph::new(set, schema, &late(set, schema));
    let next: Vec<BTreeSet<usize>> = graph.needs.iter().map(|needs| needs.keys().copied().collect()).collect();
    let mut faults: Vec<Fault> = cycles(&next)
        .into_iter()
        .map(|cycle| {
            let ends = cycle.iter().skip(1).chain(cycle.first());
            let needs: Vec<_> = cycle.iter().zip(ends).map(|(group, needed)| &graph.needs[*group][needed]).collect();
            let rules = needs.iter().map(|need| need.after).collect();
            if needs.iter().any(|need| need.all_owners) { Fault::OwnersCycle(rules) } else { Fault::Cycle(rules) }
        })
        .collect();
    if faults.is_empty() {
        let stages = graph.stages();
        let late = graph.edges().filter(|(after, before, _)| stages[*before] > stages[*after]);
        faults.extend(late.map(|(_, _, need)| Fault::Late(need.after, need.before)));
    }
    if faults.is_empty() {
        let folding = folding(set);
        let ends = |rules: &&Vec<RuleAt>| turns(&graph, std::slice::from_ref(rules)).is_some();
        let endless: Vec<_> = folding.iter().filter(|rules| !ends(rules)).cloned().collect();
        // Each table alone may have an order where all together have none.
        let all = || if turns(&graph, &folding).is_none() { folding.concat() } else { Vec::new() };
        let endless = if endless.is_empty() { vec![all()] } else { endless };
        faults.extend(endless.into_iter().filter(|rules| !rules.is_empty()).map(Fault::Folding));
    }
    faults
}

/// Whether a `[precedence]` entry means this compiled rule.
pub fn feeds(set: &Set, rule: &CompiledRule, entry: &str) -> bool {
    is_named(rule.mapping_of(set), rule.model(set), entry)
}
