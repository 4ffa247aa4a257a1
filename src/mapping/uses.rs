//! What a rule reads besides its record: other tables, and the context.

use super::model::{Expr, PathExpr, Root, Rule, Sought};
use super::walk::{self, Read, Visit};

/// What a rule reads besides its record.
#[derive(Debug, Default)]
pub struct Uses<'m> {
    /// Rows of tables: every `lookup` and `exists`.
    pub rows: Vec<&'m Sought>,
    /// Context names: `owner`, `owner.id`, captures.
    pub contexts: Vec<&'m str>,
}

/// What a rule reads besides its record.
pub fn uses(rule: &Rule) -> Uses<'_> {
    let mut uses = Uses::default();
    walk::rule(rule, &mut |visit| uses.note(&visit));
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
            Read::Path(PathExpr { root: Root::Context(name), .. })
            | Read::Test(PathExpr { root: Root::Context(name), .. })
            | Read::Key(PathExpr { root: Root::Context(name), .. }) => self.contexts.push(name),
            Read::Row(row) => self.rows.push(row),
            _ => {}
        }
    }
}
