//! What the key index must know: the keys of rules, what is unique, what references point at, what
//! is looked up.

use crate::keyindex::IndexSpec;
use crate::mapping::compile::{CompiledRule, FieldSource};
use crate::mapping::model::{Expr, From, OnDuplicate, Root, Set};
use crate::mapping::order::{Order, Stage};
use crate::mapping::uses::uses;
use crate::table::Schema;

/// Works out what the key index must know: the keys of rules, what is unique, what references
/// point at, what is looked up.
pub(super) struct Specs<'p> {
    pub(super) set: &'p Set,
    pub(super) rules: &'p [Vec<CompiledRule>],
    pub(super) order: &'p Order,
    pub(super) schema: &'p Schema,
    pub(super) specs: Vec<IndexSpec>,
}

impl Specs<'_> {
    pub(super) fn collect(mut self) -> Vec<IndexSpec> {
        for rule in self.rules.iter().flatten() {
            if !rule.model(self.set).key.is_empty() {
                self.add(&rule.table.name, rule.key_names.clone(), None, false);
                if rule.model(self.set).on_duplicate == OnDuplicate::Fill {
                    for field in &rule.fields {
                        self.add(&rule.table.name, rule.key_names.clone(), Some(field.column.name.clone()), false);
                    }
                }
            }
            for columns in rule.unique_lists() {
                self.add(&rule.table.name, columns.clone(), None, false);
            }
            for key in rule.references() {
                self.add(&key.table, key.to.clone(), None, false);
            }
            for used in uses(rule.model(self.set)).tables {
                self.add(&used.table, used.by, used.column, used.ignore_case);
            }
        }
        for at in 0..self.specs.len() {
            self.specs[at].of_one_owner = self.of_one_owner(&self.specs[at]);
        }
        self.specs
    }

    fn add(&mut self, table: &str, by: Vec<String>, wanted: Option<String>, ignore_case: bool) {
        let found =
            self.specs.iter_mut().find(|spec| spec.table == table && spec.by == by && spec.ignore_case == ignore_case);
        match found {
            Some(spec) => {
                if let Some(column) = wanted
                    && !spec.wanted.contains(&column)
                {
                    spec.wanted.push(column);
                }
            }
            None => self.specs.push(IndexSpec {
                table: table.to_owned(),
                by,
                wanted: wanted.into_iter().collect(),
                ignore_case,
                of_one_owner: false,
            }),
        }
    }

    /// A key belongs to one owner alone when one of its columns always does, and nothing that runs
    /// after the owners asks for it.
    fn of_one_owner(&self, spec: &IndexSpec) -> bool {
        let asked_after = self.rules.iter().flatten().any(|rule| {
            self.order.turn(rule).stage == Stage::After
                && (rule.table.name == spec.table
                    || rule.references().any(|key| key.table == spec.table)
                    || uses(rule.model(self.set)).tables.iter().any(|used| used.table == spec.table))
        });
        !asked_after && spec.by.iter().any(|column| self.owners_column(&spec.table, column, 0))
    }

    /// Whether every rule fills the column with something of its owner's.
    fn owners_column(&self, table: &str, column: &str, depth: u32) -> bool {
        let mut feeders = self.rules.iter().flatten().filter(|rule| rule.table.name == table).peekable();
        // Columns that refer to each other in a cycle belong to no owner.
        depth < 8
            && feeders.peek().is_some()
            && feeders.all(|rule| {
                self.order.turn(rule).stage == Stage::Owners && self.filled_with_owners(rule, column, depth + 1)
            })
    }

    fn filled_with_owners(&self, rule: &CompiledRule, column: &str, depth: u32) -> bool {
        let model = rule.model(self.set);
        let expr = match rule.field(column).map(|field| rule.fields[field].source) {
            Some(FieldSource::Column(at)) => Some(&model.columns[at].expr),
            Some(FieldSource::Secret(_)) => None,
            None => model.lets.iter().find(|(name, _)| name == column).map(|(_, expr)| expr),
        };
        expr.is_some_and(|expr| self.owners_value(rule, expr, depth))
    }

    fn owners_value(&self, rule: &CompiledRule, expr: &Expr, depth: u32) -> bool {
        if depth > 16 || expr.steps.iter().any(|step| !step.keeps()) {
            return false;
        }
        match &expr.from {
            From::Path(path) => match &path.root {
                Root::Context(name) => self.is_owner_key(name),
                Root::Column(name) => self.filled_with_owners(rule, name, depth + 1),
                Root::Parent(name) => rule
                    .parent
                    .is_some_and(|parent| self.filled_with_owners(&self.rules[rule.mapping][parent], name, depth + 1)),
                Root::Element | Root::Record | Root::Frame => false,
            },
            From::First(all) => all.iter().all(|one| self.owners_value(rule, one, depth + 1)),
            From::Digest { of, .. } => of.iter().any(|one| self.owners_value(rule, one, depth + 1)),
            From::Lookup { table, column, .. } => self.owners_column(table, column, depth + 1),
            _ => false,
        }
    }

    fn is_owner_key(&self, context: &str) -> bool {
        let Some(owners) = &self.set.owners else { return false };
        let Some(column) = context.strip_prefix("owner.") else { return false };
        self.schema.table(&owners.table).is_some_and(|table| table.primary_key() == [column])
    }
}
