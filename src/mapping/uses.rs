//! What a rule reads besides its record: other tables, and the context.

use super::model::{Expr, KeyPart, PathExpr, Root, Rule, Sought};
use super::walk::{self, Read, Visit};

/// What a rule reads besides its record.
#[derive(Debug, Default)]
pub struct Uses<'m> {
    /// Rows of tables: every `lookup`, `exists` and `absent`.
    pub rows: Vec<&'m Sought>,
    /// Context names: `owner`, `owner.id`, captures.
    pub contexts: Vec<&'m str>,
}

/// What a rule reads besides its record.
pub fn uses(rule: &Rule) -> Uses<'_> {
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
pub fn uses_of(expr: &Expr) -> Uses<'_> {
    let mut uses = Uses::default();
    walk::expr(expr, &mut |visit| uses.note(&visit));
    uses
}

impl<'m> Uses<'m> {
    fn note(&mut self, visit: &Visit<'m, '_>) {
        match visit.read {
            Read::Path(path) => self.path(path),
            Read::Row(row) => self.rows.push(row),
            Read::Each(_) | Read::Without(..) | Read::Namespace => {}
        }
    }

    fn path(&mut self, path: &'m PathExpr) {
        if let Root::Context(name) = &path.root {
            self.contexts.push(name);
        }
    }
}
