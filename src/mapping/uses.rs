//! What a rule reads besides its record: other tables, and the context.

use super::model::{Expr, KeyPart, PathExpr, Root, Rule};
use super::walk::{self, Read, Visit};

/// One `lookup`, `exists` or `absent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableUse {
    /// The table.
    pub table: String,
    /// The columns it is looked up by.
    pub by: Vec<String>,
    /// The column that a lookup gives.
    pub column: Option<String>,
    /// Whether letters are compared without their case.
    pub ignore_case: bool,
}

/// What a rule reads besides its record.
#[derive(Debug, Default)]
pub struct Uses {
    /// Other tables.
    pub tables: Vec<TableUse>,
    /// Context names: `owner`, `owner.id`, captures.
    pub contexts: Vec<String>,
}

/// What a rule reads besides its record.
pub fn uses(rule: &Rule) -> Uses {
    let mut uses = Uses::default();
    rule.exprs().for_each(|expr| walk::expr(expr, &mut |visit| uses.note(&visit)));
    if let Some(when) = &rule.when {
        walk::condition(when, rule.line, &mut |visit| uses.note(&visit));
    }
    for part in &rule.key {
        if let KeyPart::Path(path) = part {
            uses.path(path);
        }
    }
    uses
}

/// What a single expression reads besides its record.
pub fn uses_of(expr: &Expr) -> Uses {
    let mut uses = Uses::default();
    walk::expr(expr, &mut |visit| uses.note(&visit));
    uses
}

impl Uses {
    fn note(&mut self, visit: &Visit) {
        match visit.read {
            Read::Path(path) => self.path(path),
            Read::Row { table, column, by, ignore_case } => self.tables.push(TableUse {
                table: table.to_owned(),
                by: by.iter().map(|(name, _)| name.clone()).collect(),
                column: column.map(str::to_owned),
                ignore_case,
            }),
            Read::Each(_) | Read::Without(..) | Read::Namespace => {}
        }
    }

    fn path(&mut self, path: &PathExpr) {
        if let Root::Context(name) = &path.root {
            self.contexts.push(name.clone());
        }
    }
}
