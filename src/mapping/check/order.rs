//! No two rules wait for each other.

use super::Told;
use crate::mapping::model::{Mapping, OnDuplicate, Rule, Set};
use crate::mapping::walk::{self, Read};
use crate::table::Schema;
use std::collections::BTreeSet;

struct Node<'c> {
    mapping: &'c Mapping,
    rule: &'c Rule,
    /// Whether it can make a row that is not there yet.
    starts: bool,
}

pub(super) fn check(set: &Set, schema: &Schema, told: &mut Told) {
    let nodes: Vec<_> = set
        .mappings
        .iter()
        .flat_map(|mapping| {
            mapping.rules.iter().map(move |rule| Node { mapping, rule, starts: starts_rows(rule, schema) })
        })
        .collect();
    let edges: Vec<_> = (0..nodes.len()).map(|at| edges(set, schema, &nodes, at)).collect();
    for ring in rings(&edges) {
        let names: Vec<_> = ring
            .iter()
            .chain(ring.first())
            .map(|at| format!("`{}.{}`", nodes[*at].mapping.name, nodes[*at].rule.name))
            .collect();
        let first = &nodes[ring[0]];
        let message = format!("these rules wait for each other: {}", names.join(" for "));
        let hint =
            "a rule waits for its parent, for what feeds the tables it looks up or refers to, and by `[precedence]`";
        told.refuse(&first.mapping.file, first.rule.line, message, Some(hint.to_owned()));
    }
}

fn starts_rows(rule: &Rule, schema: &Schema) -> bool {
    let gives = |name: &str| {
        rule.columns.iter().any(|column| column.name == name) || rule.secrets.iter().any(|secret| secret.name == name)
    };
    rule.on_duplicate != OnDuplicate::Fill
        || schema.table(&rule.into).is_none_or(|table| table.columns_needed().all(|column| gives(&column.name)))
}

/// The rules that must be done before this one.
fn edges(set: &Set, schema: &Schema, nodes: &[Node<'_>], at: usize) -> BTreeSet<usize> {
    let Node { mapping, rule, .. } = nodes[at];
    let mut before = BTreeSet::new();
    let feeders = |table: &str, column: Option<&str>| -> Vec<usize> {
        let feeds = |node: &Node<'_>| {
            node.rule.into == table
                && (node.starts
                    || column.is_some_and(|column| node.rule.columns.iter().any(|other| other.name == column)))
        };
        (0..nodes.len()).filter(|other| *other != at && feeds(&nodes[*other])).collect()
    };
    if let Some(parent) = &rule.parent {
        before.extend((0..nodes.len()).filter(|other| {
            *other != at && nodes[*other].mapping.name == mapping.name && nodes[*other].rule.name == *parent
        }));
    }
    let mut see = |visit: walk::Visit<'_, '_>| {
        if let Read::Row { table, column, .. } = visit.read {
            before.extend(feeders(table, column));
        }
    };
    if let Some(when) = &rule.when {
        walk::condition(when, rule.line, &mut see);
    }
    for expr in rule.exprs() {
        walk::expr(expr, &mut see);
    }
    if let Some(table) = schema.table(&rule.into) {
        for key in table.foreign_keys.iter().filter(|key| key.table != rule.into) {
            if key.columns.iter().any(|name| rule.columns.iter().any(|column| column.name == *name)) {
                before.extend(feeders(&key.table, None));
            }
        }
    }
    for entry in set.precedence.iter().filter(|entry| entry.table == rule.into) {
        let names = |feeder: &str, node: &Node<'_>| {
            node.rule.into == entry.table
                && (feeder == node.mapping.name || feeder == format!("{}.{}", node.mapping.name, node.rule.name))
        };
        if let Some(place) = entry.feeders.iter().position(|feeder| names(feeder, &nodes[at])) {
            let earlier = &entry.feeders[..place];
            before.extend(
                (0..nodes.len())
                    .filter(|other| *other != at && earlier.iter().any(|feeder| names(feeder, &nodes[*other]))),
            );
        }
    }
    before
}

/// Rings of nodes that wait for each other, each told once and from its lowest node on.
fn rings(edges: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let mut rings = Vec::new();
    let mut told = BTreeSet::new();
    for start in 0..edges.len() {
        if told.contains(&start) {
            continue; // It stands in a ring that was told.
        }
        if let Some(ring) = way_back(edges, start) {
            told.extend(ring.iter().copied());
            rings.push(ring);
        }
    }
    rings
}

/// The shortest way from a node back to itself.
fn way_back(edges: &[BTreeSet<usize>], start: usize) -> Option<Vec<usize>> {
    let mut ways = std::collections::VecDeque::from([vec![start]]);
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
    fn a_ring_is_told_once_by_its_shortest_way() {
        assert_eq!(rings(&edges(&[&[1], &[2], &[0], &[0]])), [vec![0, 1, 2]]);
        assert_eq!(rings(&edges(&[&[1, 2], &[2], &[]])), Vec::<Vec<usize>>::new());
        assert_eq!(rings(&edges(&[&[], &[2], &[1], &[4], &[3]])), [vec![1, 2], vec![3, 4]]);
    }
}
