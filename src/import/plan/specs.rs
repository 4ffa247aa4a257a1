//! What the key index must know: the keys of rules, what is unique, what references point at, what
//! is looked up.

use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::IndexSpec;
use crate::mapping::model::{OnDuplicate, Set};
use crate::mapping::order::{Order, Stage};
use crate::mapping::own::Own;
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
            self.specs[at].of_own_table = self.of_own_table(&self.specs[at]);
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
                of_own_table: false,
            }),
        }
    }

    /// Whether a rule looks up rows of its own table by the key.
    fn of_own_table(&self, spec: &IndexSpec) -> bool {
        let asks = |rule: &CompiledRule| {
            let uses = uses(rule.model(self.set)).tables;
            uses.iter()
                .any(|used| used.table == spec.table && used.by == spec.by && used.ignore_case == spec.ignore_case)
        };
        self.rules.iter().flatten().any(|rule| rule.table.name == spec.table && asks(rule))
    }

    /// A key belongs to one owner alone when one of its columns always does, and everything that makes
    /// or asks for such rows runs in one round over the owners.
    fn of_one_owner(&self, spec: &IndexSpec) -> bool {
        let own = Own::new(self.set, self.schema);
        let touches = |rule: &&CompiledRule| {
            rule.table.name == spec.table
                || rule.references().any(|key| key.table == spec.table)
                || uses(rule.model(self.set)).tables.iter().any(|used| used.table == spec.table)
        };
        let turns = || self.rules.iter().flatten().filter(touches).map(|rule| self.order.turn(rule));
        let round = turns().map(|turn| turn.round).next();
        turns().all(|turn| turn.stage == Stage::Owners && Some(turn.round) == round)
            && spec.by.iter().any(|column| own.column(&spec.table, column))
    }
}

#[cfg(test)]
mod tests {
    use crate::database::schema;
    use crate::mapping::order::order;
    use crate::mapping::{bundled, load};

    /// A second round over all owners costs a second reading of their files.
    #[test]
    fn every_bundled_set_runs_in_one_round_over_the_owners() {
        for bundled in bundled::sets() {
            let (set, errors) = load::read(&bundled.source()).unwrap();
            assert!(errors.is_empty());
            let order = order(&set, &schema::expected(&set.migrations).unwrap()).unwrap();
            assert!(order.turns().iter().all(|turn| turn.round == 0), "{}", set.name);
        }
    }
}
