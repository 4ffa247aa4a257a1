//! What the key index must know: the keys of rules, what is unique, what references point at, what
//! is looked up.

use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::IndexSpec;
use crate::mapping::model::{OnDuplicate, Set};
use crate::mapping::order::{Order, Stage};
use crate::mapping::own::Own;
use crate::mapping::uses::{TableUse, uses};
use crate::table::Schema;
use std::collections::{HashMap, HashSet};

/// What a key is of: its table and columns, and whether letters are compared without their case.
type KeyOf = (String, Vec<String>, bool);

/// Works out what the key index must know: the keys of rules, what is unique, what references
/// point at, what is looked up.
pub(super) struct Specs<'p> {
    pub(super) set: &'p Set,
    pub(super) rules: &'p [Vec<CompiledRule>],
    pub(super) order: &'p Order,
    pub(super) schema: &'p Schema,
    specs: Vec<IndexSpec>,
    /// Where each of them is.
    known: HashMap<KeyOf, usize>,
}

/// A rule with the tables that it looks rows up in.
struct Asking<'p> {
    rule: &'p CompiledRule,
    uses: Vec<TableUse>,
}

impl<'p> Specs<'p> {
    pub(super) fn new(set: &'p Set, rules: &'p [Vec<CompiledRule>], order: &'p Order, schema: &'p Schema) -> Self {
        Self { set, rules, order, schema, specs: Vec::new(), known: HashMap::new() }
    }

    pub(super) fn collect(mut self) -> Vec<IndexSpec> {
        let asking: Vec<Asking> =
            self.rules.iter().flatten().map(|rule| Asking { rule, uses: uses(rule.model(self.set)).tables }).collect();
        for Asking { rule, uses } in &asking {
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
            for used in uses {
                self.add(&used.table, used.by.clone(), used.column.clone(), used.ignore_case);
            }
        }
        let own = Own::new(self.set, self.schema);
        let touching = touching(&asking);
        for at in 0..self.specs.len() {
            let spec = &self.specs[at];
            let touching = touching.get(spec.table.as_str()).map_or(&[][..], Vec::as_slice);
            let (of_one_owner, of_own_table) = (self.of_one_owner(&own, spec, touching), of_own_table(spec, touching));
            let spec = &mut self.specs[at];
            (spec.of_one_owner, spec.of_own_table) = (of_one_owner, of_own_table);
        }
        self.specs
    }

    fn add(&mut self, table: &str, by: Vec<String>, wanted: Option<String>, ignore_case: bool) {
        let at = *self.known.entry((table.to_owned(), by.clone(), ignore_case)).or_insert(self.specs.len());
        if at == self.specs.len() {
            let (of_one_owner, of_own_table) = (false, false);
            let table = table.to_owned();
            self.specs.push(IndexSpec { table, by, wanted: Vec::new(), ignore_case, of_one_owner, of_own_table });
        }
        let known = &mut self.specs[at].wanted;
        known.extend(wanted.filter(|column| !known.contains(column)));
    }

    /// A key belongs to one owner alone when one of its columns always does, and everything that makes
    /// or asks for such rows runs in one round over the owners.
    fn of_one_owner(&self, own: &Own, spec: &IndexSpec, touching: &[&Asking]) -> bool {
        let turns = || touching.iter().map(|asking| self.order.turn(asking.rule));
        let round = turns().map(|turn| turn.round).next();
        turns().all(|turn| turn.stage == Stage::Owners && Some(turn.round) == round)
            && spec.by.iter().any(|column| own.column(&spec.table, column))
    }
}

/// The rules that make, reference or look up rows of each table.
fn touching<'a>(asking: &'a [Asking]) -> HashMap<&'a str, Vec<&'a Asking<'a>>> {
    let mut touching: HashMap<&str, Vec<&Asking>> = HashMap::new();
    for one in asking {
        let referenced = one.rule.references().map(|key| key.table.as_str());
        let used = one.uses.iter().map(|used| used.table.as_str());
        let tables: HashSet<&str> = referenced.chain(used).chain([one.rule.table.name.as_str()]).collect();
        for table in tables {
            touching.entry(table).or_default().push(one);
        }
    }
    touching
}

/// Whether a rule looks up rows of its own table by the key.
fn of_own_table(spec: &IndexSpec, touching: &[&Asking]) -> bool {
    let asks = |used: &TableUse| used.table == spec.table && used.by == spec.by && used.ignore_case == spec.ignore_case;
    touching.iter().any(|one| one.rule.table.name == spec.table && one.uses.iter().any(asks))
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
