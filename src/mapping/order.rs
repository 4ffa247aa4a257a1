//! The order in which rules run, derived from what they need.
//!
//! Three stages: rules without an owner that feed the owner table and what those look up; then
//! owner by owner; then rules without an owner that come after. Inside a stage, levels: a rule
//! runs after every rule that feeds what it looks up, refers to, or must give way to.

use super::compile::CompiledRule;
use super::model::{PatternPiece, PatternSegment, Set};
use super::uses::uses;
use crate::error::{Error, Result};

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

/// Derives when each rule runs.
pub fn order(set: &Set, compiled: &[Vec<CompiledRule>]) -> Result<Order> {
    let graph = Graph::new(set, compiled);
    let stages = graph.stages();
    let mut levels = vec![0_u32; graph.groups];
    // Every round moves each group behind what it needs; more rounds than groups mean a circle.
    for round in 0..=graph.groups {
        let mut moved = false;
        for &(before, after) in &graph.edges {
            if stages[before] == stages[after] && levels[after] <= levels[before] {
                levels[after] = levels[before] + 1;
                moved = true;
            }
            if stages[before] > stages[after] {
                return Err(graph.circle(set, compiled, after));
            }
        }
        if !moved {
            break;
        }
        if round == graph.groups {
            let deepest = (0..graph.groups).max_by_key(|group| levels[*group]).unwrap_or(0);
            return Err(graph.circle(set, compiled, deepest));
        }
    }
    let turns = graph
        .group_of
        .iter()
        .map(|rules| rules.iter().map(|group| Turn { stage: stages[*group], level: levels[*group] }).collect())
        .collect();
    Ok(Order { turns })
}

/// Rules that hang on each other by `parent` run together: a group is what is ordered.
struct Graph {
    group_of: Vec<Vec<usize>>,
    groups: usize,
    owned: Vec<bool>,
    edges: Vec<(usize, usize)>,
}

impl Graph {
    fn new(set: &Set, compiled: &[Vec<CompiledRule>]) -> Self {
        let mut graph = Graph { group_of: Vec::new(), groups: 0, owned: Vec::new(), edges: Vec::new() };
        for (m, rules) in compiled.iter().enumerate() {
            let mut groups: Vec<usize> = vec![usize::MAX; rules.len()];
            for rule in rules {
                let mut top = rule.rule;
                while let Some(parent) = rules[top].parent {
                    top = parent;
                }
                if groups[top] == usize::MAX {
                    groups[top] = graph.groups;
                    graph.groups += 1;
                    graph.owned.push(is_owned(set, m));
                }
                groups[rule.rule] = groups[top];
            }
            graph.group_of.push(groups);
        }
        graph.link(set, compiled);
        graph
    }

    fn link(&mut self, set: &Set, compiled: &[Vec<CompiledRule>]) {
        let all: Vec<&CompiledRule> = compiled.iter().flatten().collect();
        for rule in &all {
            let model = rule.model(set);
            let looked_up = uses(model).tables.into_iter().map(|used| (used.table, used.column));
            let referred = rule.references().filter(|key| key.table != rule.table.name);
            let mut needs: Vec<_> = looked_up.chain(referred.map(|key| (key.table.clone(), None))).collect();
            if !rule.starts {
                needs.push((rule.table.name.clone(), None));
            }
            for (table, column) in &needs {
                for feeder in all.iter().filter(|feeder| feeder.table.name == *table) {
                    // What only adds to rows is waited for by those who ask for what it adds.
                    let adds = column.as_ref().is_some_and(|column| feeder.field(column).is_some());
                    if feeder.starts || adds {
                        self.edge(feeder, rule);
                    }
                }
            }
        }
        for precedence in &set.precedence {
            let table = &precedence.table;
            let ranked: Vec<Vec<&CompiledRule>> = precedence
                .feeders
                .iter()
                .map(|name| {
                    all.iter().copied().filter(|rule| rule.table.name == *table && feeds(set, rule, name)).collect()
                })
                .collect();
            for pair in ranked.windows(2) {
                for before in &pair[0] {
                    pair[1].iter().for_each(|after| self.edge(before, after));
                }
            }
        }
        // Owners are resolved before anything of theirs is read.
        if let Some(owners) = &set.owners {
            let feeds = |rule: &&&CompiledRule| rule.starts && rule.table.name == owners.table;
            for feeder in all.iter().filter(feeds).filter(|rule| !is_owned(set, rule.mapping)) {
                for rule in all.iter().filter(|rule| is_owned(set, rule.mapping)) {
                    self.edge(feeder, rule);
                }
            }
        }
        self.edges.sort_unstable();
        self.edges.dedup();
    }

    fn edge(&mut self, before: &CompiledRule, after: &CompiledRule) {
        let edge = (self.group_of[before.mapping][before.rule], self.group_of[after.mapping][after.rule]);
        if edge.0 != edge.1 {
            self.edges.push(edge);
        }
    }

    fn stages(&self) -> Vec<Stage> {
        let mut stages: Vec<Stage> =
            self.owned.iter().map(|owned| if *owned { Stage::Owners } else { Stage::Before }).collect();
        loop {
            let mut moved = false;
            for &(before, after) in &self.edges {
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

    fn circle(&self, set: &Set, compiled: &[Vec<CompiledRule>], group: usize) -> Error {
        let rule = compiled.iter().flatten().find(|rule| self.group_of[rule.mapping][rule.rule] == group);
        let (name, place) = rule.map_or((String::new(), String::new()), |rule| {
            (rule.name.clone(), format!("{}:{}", rule.mapping_of(set).file, rule.model(set).line))
        });
        Error::request(format!("rule `{name}` needs, by way of others, what comes after it"))
            .at(place)
            .hint("look at its lookups, references and [precedence]: one of them must go the other way")
    }
}

/// Whether a `[precedence]` entry (`mapping` or `mapping.rule`) means this rule.
pub fn feeds(set: &Set, rule: &CompiledRule, entry: &str) -> bool {
    entry == rule.name || entry == rule.mapping_of(set).name
}
