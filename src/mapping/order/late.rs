//! What is not waited for: lookups and references whose rows may come later, because rules would wait for themselves
//! or for each other.
//!
//! A lookup can be late if nothing decides by its value whether there is a row or which key it has, and if what it
//! asks for is not itself such a value. Then the keys of all rows can be known before the first of them is written.

use super::graph::{Graph, Late, Soft, Why};
use crate::mapping::model::{PathExpr, Root, Set, Sought};
use crate::mapping::own::RuleAt;
use crate::mapping::uses::uses;
use crate::mapping::walk::{self, Read, Visit};
use crate::table::Schema;
use std::collections::{BTreeMap, BTreeSet};

/// What is late in a set.
pub(super) fn late(set: &Set, schema: &Schema) -> Late {
    let mut never = BTreeSet::new();
    loop {
        let late = in_cycles(set, schema, &never);
        let unfit = unfit(set, &late.lookups);
        if unfit.is_empty() {
            return late;
        }
        never.extend(unfit);
    }
}

/// All that stands in a cycle of rules that wait, or waits for a later stage, but lookups that can `never` be late.
fn in_cycles(set: &Set, schema: &Schema, never: &BTreeSet<usize>) -> Late {
    let mut late = Late::default();
    loop {
        let graph = Graph::new(set, schema, &late);
        let stages = graph.stages();
        let mut reach: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut is_cyclic = |soft: &&Soft| {
            soft.after == soft.before
                || stages[soft.before] > stages[soft.after]
                || reach.entry(soft.before).or_insert_with(|| graph.reach(soft.before)).contains(&soft.after)
        };
        let mut moved = false;
        for soft in graph.soft.iter().filter(&mut is_cyclic) {
            moved |= match &soft.why {
                Why::Lookup(number) => !never.contains(number) && late.lookups.insert(*number),
                Why::Reference(at, table) => soft.after != soft.before && late.references.insert((*at, table.clone())),
            };
        }
        if !moved {
            return late;
        }
    }
}

/// Those of these lookups that cannot be late.
fn unfit(set: &Set, late: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut unfit = BTreeSet::new();
    let lookups: Vec<(RuleAt, &Sought)> = RuleAt::all(set)
        .flat_map(|at| uses(at.of(set).1).rows.into_iter().map(move |row| (at, row)))
        .filter(|(_, row)| late.contains(&row.number))
        .collect();
    if lookups.is_empty() {
        return unfit;
    }
    let depends = Depends { set, late };
    for at in RuleAt::all(set) {
        // What decides whether there are rows, and which.
        let (rule, mut found) = (at.of(set).1, Found::default());
        let key = rule.key_columns().unwrap_or_default();
        key.into_iter().for_each(|column| depends.column(at, column, &mut found));
        walk::tests(rule, &mut |visit| depends.visit(at, &visit, &mut found));
        walk::deletion(rule, &mut |visit| depends.visit(at, &visit, &mut found));
        walk::each(rule, &mut |visit| depends.visit(at, &visit, &mut found));
        unfit.extend(found.lookups);
    }
    for (_, row) in &lookups {
        let feeding = RuleAt::all(set).filter(|at| at.of(set).1.into == row.table);
        for at in feeding {
            let mut found = Found::default();
            row.columns().chain(row.column.as_deref()).for_each(|column| depends.column(at, column, &mut found));
            if !found.lookups.is_empty() {
                unfit.insert(row.number);
            }
        }
    }
    unfit
}

/// What a value depends on.
#[derive(Default)]
struct Found<'s> {
    lookups: BTreeSet<usize>,
    seen: BTreeSet<(RuleAt, &'s str)>,
}

/// Which late lookups a value depends on.
struct Depends<'s> {
    set: &'s Set,
    late: &'s BTreeSet<usize>,
}

impl<'s> Depends<'s> {
    fn column(&self, at: RuleAt, name: &'s str, found: &mut Found<'s>) {
        let rule = at.of(self.set).1;
        if let Some(column) = rule.column(name)
            && found.seen.insert((at, name))
        {
            walk::through(rule, &column.expr, &mut |visit| self.visit(at, &visit, found));
        }
    }

    fn visit(&self, at: RuleAt, visit: &Visit<'s, '_>, found: &mut Found<'s>) {
        let path = match visit.read {
            Read::Row(row) => {
                found.lookups.extend(Some(row.number).filter(|number| self.late.contains(number)));
                return;
            }
            Read::Path(path) | Read::Test(path) | Read::Key(path) => path,
            _ => return,
        };
        self.path(at, path, found);
    }

    fn path(&self, at: RuleAt, path: &'s PathExpr, found: &mut Found<'s>) {
        let (mapping, rule) = at.of(self.set);
        match &path.root {
            Root::Column(name) => self.column(at, name, found),
            Root::Parent(name) => {
                let parent = rule.parent.as_deref().and_then(|of| mapping.rule(of));
                parent.into_iter().for_each(|rule| self.column(RuleAt { rule, ..at }, name, found));
            }
            Root::Above { rule, column } => {
                let above = mapping.rule(rule);
                above.into_iter().for_each(|rule| self.column(RuleAt { rule, ..at }, column, found));
            }
            _ => {}
        }
    }
}
