//! Nodes that wait for each other.

use std::collections::{BTreeSet, VecDeque};

/// Cycles of nodes that wait for each other, each once and from its lowest node on.
pub(super) fn cycles(edges: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
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
