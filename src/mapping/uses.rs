//! What a rule reads besides its record: other tables, and the context.

use super::model::{Condition, Expr, From, JsonExpr, KeyPart, PathExpr, Root, Rule, TemplatePiece};

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
    uses.when(rule.when.as_ref());
    for part in &rule.key {
        if let KeyPart::Path(path) = part {
            uses.path(path);
        }
    }
    rule.lets.iter().for_each(|(_, expr)| uses.expr(expr));
    for column in &rule.columns {
        uses.expr(&column.expr);
        if let Some((agrees, _)) = &column.agrees {
            uses.expr(agrees);
        }
    }
    rule.secrets.iter().for_each(|secret| uses.expr(&secret.expr));
    uses
}

/// What a single expression reads besides its record.
pub fn uses_of(expr: &Expr) -> Uses {
    let mut uses = Uses::default();
    uses.expr(expr);
    uses
}

impl Uses {
    fn path(&mut self, path: &PathExpr) {
        if let Root::Context(name) = &path.root {
            self.contexts.push(name.clone());
        }
    }

    fn table(&mut self, table: &str, by: &[(String, Expr)], column: Option<&String>, ignore_case: bool) {
        self.tables.push(TableUse {
            table: table.to_owned(),
            by: by.iter().map(|(name, _)| name.clone()).collect(),
            column: column.cloned(),
            ignore_case,
        });
        by.iter().for_each(|(_, expr)| self.expr(expr));
    }

    fn when(&mut self, condition: Option<&Condition>) {
        let Some(condition) = condition else { return };
        match condition {
            Condition::Members(paths) => paths.iter().for_each(|path| self.path(path)),
            Condition::Equals(pairs) => pairs.iter().for_each(|(path, _)| self.path(path)),
            Condition::Type(_) | Condition::Matches(_) | Condition::Root(_) => {}
            Condition::Exists { table, by, .. } => self.table(table, by, None, false),
            Condition::Any(all) | Condition::All(all) => all.iter().for_each(|one| self.when(Some(one))),
            Condition::Not(one) => self.when(Some(one)),
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.from {
            From::Path(path) => self.path(path),
            From::Literal(_) | From::Null => {}
            From::First(all) | From::Join { parts: all, .. } | From::Digest { of: all, .. } => {
                all.iter().for_each(|one| self.expr(one));
            }
            From::Template { pieces, .. } => {
                for piece in pieces {
                    if let TemplatePiece::Path(path) = piece {
                        self.path(path);
                    }
                }
            }
            From::Json(json) => self.json(json),
            From::Lookup { table, column, by, ignore_case } => self.table(table, by, Some(column), *ignore_case),
            From::Exists { table, by, ignore_case, .. } => self.table(table, by, None, *ignore_case),
        }
    }

    fn json(&mut self, json: &JsonExpr) {
        match json {
            JsonExpr::Value { of, .. } => self.expr(of),
            JsonExpr::Table(members) => members.iter().for_each(|(_, one)| self.json(one)),
            JsonExpr::Each { each, key, value } => {
                self.expr(each);
                self.expr(key);
                self.json(value);
            }
        }
    }
}
