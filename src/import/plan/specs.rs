//! What the key index must know: the keys of rules, what is unique, what references point at, what
//! is looked up.

use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::{IndexSpec, Need, Site};
use crate::mapping::model::{Form, From, OnDuplicate, Policy, Rule, Set, Sought};
use crate::mapping::order::{Order, Stage};
use crate::mapping::own::Own;
use crate::mapping::uses::uses;
use crate::table::Schema;
use std::collections::{HashMap, HashSet};

/// What a key is of: its table and columns, and the form in which they are compared, as text.
type KeyOf = (String, Vec<String>, String);

/// What the key index must know, and where it is.
#[derive(Debug, Default)]
pub struct Specs {
    /// By number.
    pub all: Vec<IndexSpec>,
    /// Where each `lookup` and `exists` finds its row, by its number in the set.
    pub sites: Vec<Option<Site>>,
    known: HashMap<KeyOf, usize>,
    of_table: HashMap<String, Vec<usize>>,
}

impl Specs {
    /// The number of the spec for these columns, letters compared as they are.
    pub(super) fn find(&self, table: &str, by: &[String]) -> Option<usize> {
        self.known.get(&(table.to_owned(), by.to_vec(), String::new())).copied()
    }

    /// The numbers of the specs of a table.
    pub(crate) fn of_table(&self, table: &str) -> &[usize] {
        self.of_table.get(table).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, table: &str, by: &[String], wanted: Option<&String>, forms: &[Form]) -> usize {
        let next = self.all.len();
        let shown = if forms.is_empty() { String::new() } else { format!("{forms:?}") };
        let at = *self.known.entry((table.to_owned(), by.to_vec(), shown)).or_insert(next);
        if at == next {
            self.of_table.entry(table.to_owned()).or_default().push(at);
            self.all.push(IndexSpec {
                table: table.to_owned(),
                by: by.to_vec(),
                wanted: Vec::new(),
                forms: forms.into(),
                is_looked_up: false,
                of_one_owner: false,
                of_own_table: false,
                is_late: false,
            });
        }
        let known = &mut self.all[at].wanted;
        known.extend(wanted.filter(|column| !known.contains(column)).cloned());
        at
    }

    fn add_sought(&mut self, rule: &CompiledRule, row: &Sought, is_late: bool, needed: Need) {
        let by: Vec<String> = row.columns().map(str::to_owned).collect();
        let forms: Vec<Form> = row.by.iter().map(|by| by.form.clone()).collect();
        let forms = if forms.iter().all(Form::is_plain) { &[][..] } else { &forms };
        let spec = self.add(&row.table, &by, row.column.as_ref(), forms);
        let asked = &mut self.all[spec];
        // What was read before is a question only where not everything is seen.
        let of_own_table = rule.table.name == row.table && !is_late;
        asked.is_looked_up = true;
        asked.of_own_table |= of_own_table;
        asked.is_late |= is_late;
        let wanted = row.column.as_ref().and_then(|column| asked.wanted.iter().position(|known| known == column));
        self.sites.resize(self.sites.len().max(row.number + 1), None);
        self.sites[row.number] = Some(Site { spec, wanted, of_own_table, is_late, needed });
    }
}

/// Works out what the key index must know: the keys of rules, what is unique, what references
/// point at, what is looked up.
pub(super) struct Needed<'p> {
    pub(super) set: &'p Set,
    pub(super) rules: &'p [Vec<CompiledRule>],
    pub(super) order: &'p Order,
    pub(super) schema: &'p Schema,
}

/// A rule with the rows that it looks for.
struct Asking<'p> {
    rule: &'p CompiledRule,
    rows: Vec<&'p Sought>,
}

impl Needed<'_> {
    pub(super) fn specs(&self) -> Specs {
        let mut specs = Specs::default();
        let asking: Vec<Asking> =
            self.rules.iter().flatten().map(|rule| Asking { rule, rows: uses(rule.model(self.set)).rows }).collect();
        for Asking { rule, rows } in &asking {
            let table = &rule.table.name;
            if !rule.model(self.set).key.is_empty() {
                specs.add(table, &rule.key_names, None, &[]);
                if rule.model(self.set).on_duplicate == OnDuplicate::Fill {
                    for field in &rule.fields {
                        specs.add(table, &rule.key_names, Some(&field.column.name), &[]);
                    }
                }
            }
            rule.unique_lists().for_each(|columns| _ = specs.add(table, columns, None, &[]));
            rule.references().for_each(|key| _ = specs.add(&key.table, &key.to, None, &[]));
            for row in rows {
                let needed = needed_for(rule, rule.model(self.set), row);
                specs.add_sought(rule, row, self.order.is_late(row.number), needed);
            }
        }
        let own = Own::new(self.set, self.schema);
        let touching = touching(&asking);
        for spec in &mut specs.all {
            let touching = touching.get(spec.table.as_str()).map_or(&[][..], Vec::as_slice);
            spec.of_one_owner = !spec.is_late && self.of_one_owner(&own, spec, touching);
        }
        specs
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

/// What of a rule's is not made where a lookup finds no row: of one that is all of a column, as its policy says.
fn needed_for(rule: &CompiledRule, model: &Rule, row: &Sought) -> Need {
    let is_it =
        |from: &From| matches!(from, From::Lookup(ways) if matches!(&ways[..], [way] if way.number == row.number));
    let Some(column) = model.columns.iter().find(|column| column.expr.is_bare() && is_it(&column.expr.from)) else {
        return Need::ForNothing;
    };
    let field = rule.field(&column.name).map(|at| &rule.fields[at]).filter(|field| field.protection.is_none());
    match (column.policies.dangling, field) {
        (Some(Policy::Reject), Some(_)) => Need::ForRecord,
        (Some(Policy::Null) | None, Some(field)) if field.column.not_null => Need::ForRecord,
        (Some(Policy::Skip), Some(_)) => Need::ForRow,
        _ => Need::ForNothing,
    }
}

/// The rules that make, reference or look up rows of each table.
fn touching<'a>(asking: &'a [Asking]) -> HashMap<&'a str, Vec<&'a Asking<'a>>> {
    let mut touching: HashMap<&str, Vec<&Asking>> = HashMap::new();
    for one in asking {
        let referenced = one.rule.references().map(|key| key.table.as_str());
        let used = one.rows.iter().map(|row| row.table.as_str());
        let tables: HashSet<&str> = referenced.chain(used).chain([one.rule.table.name.as_str()]).collect();
        for table in tables {
            touching.entry(table).or_default().push(one);
        }
    }
    touching
}

#[cfg(test)]
mod tests {
    use crate::database::{Dialect, schema};
    use crate::mapping::order::order;
    use crate::mapping::{bundled, load};

    /// A second round over all owners costs a second reading of their files, and looking ahead one of all.
    #[test]
    fn most_bundled_sets_are_read_once_in_one_round_over_the_owners() {
        let sets = bundled::sets();
        let is_read_once = sets.iter().filter(|bundled| {
            let (set, errors) = load::read(&bundled.source()).unwrap();
            assert!(errors.is_empty());
            let order = order(&set, &schema::expected(&Dialect::default(), &set.migrations).unwrap()).unwrap();
            order.turns().iter().all(|turn| turn.round == 0) && !order.looks_ahead()
        });
        // One whose tables refer to each other is not.
        assert!(is_read_once.count() + 1 >= sets.len());
    }
}
