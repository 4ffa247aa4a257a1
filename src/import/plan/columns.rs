//! What is known of the columns that the rules write into.

use crate::mapping::compile::CompiledRule;
use crate::mapping::model::{Expr, From, OnDuplicate, ReadAs, Root, Rule, Set};
use crate::mapping::walk::{self, Read};
use crate::step::{OutputType, Step};
use std::collections::{HashMap, HashSet};

/// Columns by table.
pub(super) type Columns = HashMap<String, HashSet<String>>;

/// What is known of the columns that the rules write into, collected once.
#[derive(Debug)]
pub(super) struct WrittenColumns {
    /// Those into which a rule writes instants, rather than times without a zone; and those that no rule writes, where
    /// instants are compared with them.
    pub(super) instants: Columns,
    /// Those into which a `fill` rule writes.
    pub(super) filled: Columns,
}

impl WrittenColumns {
    pub(super) fn of(set: &Set, rules: &[Vec<CompiledRule>]) -> Self {
        let (mut instants, mut filled, mut written) = (Columns::new(), Columns::new(), Columns::new());
        let note = |columns: &mut Columns, table: &str, column: &str| {
            columns.entry(table.to_owned()).or_default().insert(column.to_owned());
        };
        for rule in rules.iter().flatten() {
            let model = rule.model(set);
            for column in &model.columns {
                let reads = rule.field(&column.name).and_then(|field| rule.fields[field].reads.as_ref());
                let is_read = reads_instants(reads);
                if gives_instant(model, &column.expr, is_read, 0) {
                    note(&mut instants, &rule.table.name, &column.name);
                }
                note(&mut written, &rule.table.name, &column.name);
            }
            for field in rule.fields.iter().filter(|_| model.on_duplicate == OnDuplicate::Fill) {
                note(&mut filled, &rule.table.name, &field.column.name);
            }
        }
        for rule in rules.iter().flatten() {
            let model = rule.model(set);
            walk::rule(model, &mut |visit| {
                let Read::Row(row) = visit.read else { return };
                for (at, by) in row.by.iter().enumerate().filter(|(_, by)| !has(&written, &row.table, &by.column)) {
                    let is_read = reads_instants(rule.by_reads(row.number, at));
                    if gives_instant(model, &by.expr, is_read, 0) {
                        note(&mut instants, &row.table, &by.column);
                    }
                }
            });
        }
        Self { instants, filled }
    }
}

/// Whether a table's column is one of them.
pub(super) fn has(columns: &Columns, table: &str, column: &str) -> bool {
    columns.get(table).is_some_and(|columns| columns.contains(column))
}

/// Whether what is no time yet is read as a moment.
fn reads_instants(reads: Option<&ReadAs>) -> bool {
    reads.and_then(|reads| reads.steps.last()).map(Step::output) == Some(OutputType::Instant)
}

/// `is_read`: whether the column reads a moment from what is no time yet.
fn gives_instant(rule: &Rule, expr: &Expr, is_read: bool, depth: u32) -> bool {
    match expr.steps.iter().rev().map(Step::output).find(|output| *output != OutputType::Same) {
        Some(OutputType::Instant) => true,
        Some(OutputType::Civil | OutputType::Day | OutputType::Time) => false,
        Some(_) => is_read,
        None => match &expr.from {
            From::Path(path) => match &path.root {
                Root::Context(name) => name == "started" || is_read,
                Root::Element | Root::Record | Root::Frame => is_read,
                // The loader reports a cycle of names.
                Root::Column(name) if depth < 16 => {
                    rule.named(name).is_some_and(|expr| gives_instant(rule, expr, is_read, depth + 1))
                }
                Root::Parent(_) | Root::Above { .. } | Root::Outside | Root::Column(_) => false,
            },
            From::First(all) => all.iter().any(|one| gives_instant(rule, one, is_read, depth)),
            From::Template { .. } | From::Join { .. } => is_read,
            _ => false,
        },
    }
}
