//! What belongs to one owner alone, as far as the set proves it without any data.
//!
//! Two owners never share such a value: it is the owner's id, or made from it by steps that can be
//! undone or by a hash that takes it in.

use super::model::{By, Expr, From, Mapping, OnDuplicate, Root, Rule, Set, Sought};
use super::uses::uses;
use crate::table::Schema;
use std::collections::HashMap;

/// A rule's position: its mapping in the set, and itself in the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleAt {
    /// The index of the mapping.
    pub mapping: usize,
    /// The index of the rule.
    pub rule: usize,
}

impl RuleAt {
    /// Every rule of a set, in its order.
    pub fn all(set: &Set) -> impl Iterator<Item = Self> {
        let mappings = set.mappings.iter().enumerate();
        mappings.flat_map(|(mapping, of)| (0..of.rules.len()).map(move |rule| Self { mapping, rule }))
    }

    /// The mapping, and the rule itself.
    pub fn of(self, set: &Set) -> (&Mapping, &Rule) {
        let mapping = &set.mappings[self.mapping];
        (mapping, &mapping.rules[self.rule])
    }

    /// `` `mapping.rule` ``.
    pub fn name(self, set: &Set) -> String {
        let (mapping, rule) = self.of(set);
        format!("`{}.{}`", mapping.name, rule.name)
    }
}

/// Whether a mapping makes the owners of the folders that its files lie in: it starts rows of the owner table. It is
/// read before owners are resolved.
pub fn makes_owners(set: &Set, mapping: usize) -> bool {
    let Some(owners) = &set.owners else { return false };
    let mapping = &set.mappings[mapping];
    let starts = |rule: &Rule| rule.into == owners.table && rule.on_duplicate != OnDuplicate::Fill;
    mapping.rules.iter().any(starts) && mapping.source.files.iter().any(|pattern| owners.are_captured_by(pattern))
}

/// Whether a mapping's files belong to owners: by their pattern, or because a rule asks for the owner.
pub fn is_owned(set: &Set, mapping: usize) -> bool {
    let Some(owners) = &set.owners else { return false };
    if makes_owners(set, mapping) {
        return false;
    }
    let mapping = &set.mappings[mapping];
    let asks = |name: &&str| *name == "owner" || name.starts_with("owner.");
    mapping.source.files.iter().any(|pattern| owners.are_captured_by(pattern))
        || mapping.rules.iter().any(|rule| uses(rule).contexts.iter().any(asks))
}

/// How many columns a value may be followed through; columns that refer to each other in a cycle
/// belong to no owner.
const MOST_DEPTH: u32 = 16;

/// Proves what belongs to one owner alone.
pub struct Own<'s> {
    set: &'s Set,
    schema: &'s Schema,
    /// Whether the files of a mapping belong to owners, by its index.
    owned: Vec<bool>,
    /// The rules that write into each table.
    feeding: HashMap<&'s str, Vec<RuleAt>>,
}

impl<'s> Own<'s> {
    /// Over a set and the schema it writes into.
    pub fn new(set: &'s Set, schema: &'s Schema) -> Self {
        let owned = (0..set.mappings.len()).map(|mapping| is_owned(set, mapping)).collect();
        let mut feeding: HashMap<&str, Vec<RuleAt>> = HashMap::new();
        for at in RuleAt::all(set) {
            feeding.entry(&at.of(set).1.into).or_default().push(at);
        }
        Self { set, schema, owned, feeding }
    }

    /// Whether the files of a mapping belong to owners.
    pub fn is_owned(&self, mapping: usize) -> bool {
        self.owned[mapping]
    }

    /// Whether a row that this key finds was made from a file of the asking rule's own owner, or of none.
    pub fn key(&self, asking: RuleAt, row: &Sought) -> bool {
        self.is_own_key(asking, &row.table, &row.by, 0)
    }

    /// Whether a row of this rule's own key was made from a file of its own owner, or of none.
    pub fn rows(&self, rule: RuleAt) -> bool {
        let (_, model) = rule.of(self.set);
        model.key_columns().unwrap_or_default().iter().any(|column| self.column(&model.into, column))
    }

    /// Whether every rule that fills the column from files of owners does so with something of its
    /// owner's, and there is such a rule.
    pub fn column(&self, table: &str, column: &str) -> bool {
        self.is_own_column(table, column, 0)
    }

    /// Whether every rule of the table reads files of owners.
    pub fn only_owned(&self, table: &str) -> bool {
        self.feeding(table).all(|rule| self.owned[rule.mapping])
    }

    /// The rules that write into a table, in the order of the set.
    pub fn feeding(&self, table: &str) -> impl Iterator<Item = RuleAt> {
        self.feeding.get(table).into_iter().flatten().copied()
    }

    fn is_own_key(&self, asking: RuleAt, table: &str, by: &[By], depth: u32) -> bool {
        by.iter().any(|by| {
            // Ids that differ in case only would be one key.
            by.form.is_plain()
                && self.is_own_column(table, &by.column, depth)
                && self.is_own_value(asking, &by.expr, depth)
        })
    }

    fn is_own_column(&self, table: &str, column: &str, depth: u32) -> bool {
        let mut owned = self.feeding(table).filter(|rule| self.owned[rule.mapping]).peekable();
        depth < MOST_DEPTH / 2
            && owned.peek().is_some()
            && owned.all(|rule| self.is_filled_own(rule, column, depth + 1))
    }

    fn is_filled_own(&self, rule: RuleAt, column: &str, depth: u32) -> bool {
        let (_, model) = rule.of(self.set);
        model.named(column).is_some_and(|expr| self.is_own_value(rule, expr, depth))
    }

    fn is_own_value(&self, rule: RuleAt, expr: &Expr, depth: u32) -> bool {
        if depth > MOST_DEPTH || expr.steps.iter().any(|step| !step.keeps()) {
            return false;
        }
        let depth = depth + 1;
        match &expr.from {
            From::Path(path) => match &path.root {
                Root::Context(name) => self.is_owners_id(name),
                Root::Column(name) => self.is_filled_own(rule, name, depth),
                Root::Parent(name) => {
                    let (mapping, model) = rule.of(self.set);
                    let parent = model.parent.as_deref().and_then(|of| mapping.rule(of));
                    parent.is_some_and(|parent| self.is_filled_own(RuleAt { rule: parent, ..rule }, name, depth))
                }
                Root::Above { rule: above, column } => {
                    let above = rule.of(self.set).0.rule(above);
                    above.is_some_and(|above| self.is_filled_own(RuleAt { rule: above, ..rule }, column, depth))
                }
                Root::Element | Root::Record | Root::Frame | Root::Outside => false,
            },
            From::First(all) => all.iter().all(|part| self.is_own_value(rule, part, depth)),
            From::Digest { of, .. } => of.iter().any(|part| self.is_own_value(rule, part, depth)),
            From::Lookup(ways) => ways.iter().all(|row| {
                self.only_owned(&row.table)
                    && self.is_own_key(rule, &row.table, &row.by, depth)
                    && row.column.as_ref().is_some_and(|column| self.is_own_column(&row.table, column, depth))
            }),
            _ => false,
        }
    }

    fn is_owners_id(&self, context: &str) -> bool {
        let Some(owners) = &self.set.owners else { return false };
        let Some(column) = context.strip_prefix("owner.") else { return false };
        self.schema.table(&owners.table).is_some_and(|table| table.primary_key() == [column])
    }
}
