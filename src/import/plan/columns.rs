//! What is known of the columns that the rules write into.

use crate::mapping::compile::CompiledRule;
use crate::mapping::model::{Expr, From, OnDuplicate, Root, Set};
use crate::step::{OutputType, Step};
use std::collections::{HashMap, HashSet};

/// Columns by table.
pub(super) type Columns = HashMap<String, HashSet<String>>;

/// What is known of the columns that the rules write into, collected once.
#[derive(Debug)]
pub(super) struct WrittenColumns {
    /// Those into which a rule writes instants, rather than times without a zone.
    pub(super) instants: Columns,
    /// Those into which a `fill` rule writes.
    pub(super) filled: Columns,
}

impl WrittenColumns {
    pub(super) fn of(set: &Set, rules: &[Vec<CompiledRule>]) -> Self {
        let (mut instants, mut filled) = (Columns::new(), Columns::new());
        let note = |columns: &mut Columns, rule: &CompiledRule, column: &str| {
            columns.entry(rule.table.name.clone()).or_default().insert(column.to_owned());
        };
        for rule in rules.iter().flatten() {
            let model = rule.model(set);
            for column in model.columns.iter().filter(|of| gives_instant(&of.expr)) {
                note(&mut instants, rule, &column.name);
            }
            for field in rule.fields.iter().filter(|_| model.on_duplicate == OnDuplicate::Fill) {
                note(&mut filled, rule, &field.column.name);
            }
        }
        Self { instants, filled }
    }
}

/// Whether a table's column is one of them.
pub(super) fn has(columns: &Columns, table: &str, column: &str) -> bool {
    columns.get(table).is_some_and(|columns| columns.contains(column))
}

fn gives_instant(expr: &Expr) -> bool {
    match expr.steps.iter().rev().map(Step::output).find(|output| *output != OutputType::Same) {
        Some(output) => output == OutputType::Instant,
        None => match &expr.from {
            From::Path(path) => matches!(&path.root, Root::Context(name) if name == "started"),
            From::First(all) => all.iter().any(gives_instant),
            _ => false,
        },
    }
}
