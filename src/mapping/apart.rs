//! Which files of owners stand apart: what comes of them hangs on nothing of another owner, and nothing that comes of
//! other files hangs on them otherwise than through the rows that the database has of them.
//!
//! Where such files of an owner are as an import read them, another one comes to the same without reading them, whatever
//! changed about other owners. It is proved from the set alone.

use super::compile::CompiledRule;
use super::model::{Expr, From, KeyPart, Literal, OnDuplicate, PathExpr, Root, Rule, Set, Sought};
use super::order::{Order, feeds};
use super::own::{Own, RuleAt};
use super::uses::uses;
use crate::table::Schema;

/// Which mappings read files that stand apart.
#[derive(Debug, Default)]
pub struct Apart {
    /// By mapping.
    mappings: Vec<bool>,
    /// By the number of the rule, whether rows that the database has from another file may be of an owner who is not read.
    watched: Vec<bool>,
}

impl Apart {
    /// Proves it of a set.
    pub fn of(set: &Set, schema: &Schema, rules: &[Vec<CompiledRule>], order: &Order) -> Self {
        let rules: Vec<&CompiledRule> = rules.iter().flatten().collect();
        let proof = Proof { set, schema, own: Own::new(set, schema), rules };
        let is_possible = |mapping: usize| !order.looks_ahead() && proof.is_possible(mapping);
        let mut mappings: Vec<bool> = (0..set.mappings.len()).map(is_possible).collect();
        loop {
            let fails = |mapping: &usize| mappings[*mapping] && !proof.stands_apart(*mapping, &mappings);
            let failing: Vec<usize> = (0..mappings.len()).filter(fails).collect();
            if failing.is_empty() {
                break;
            }
            failing.into_iter().for_each(|mapping| mappings[mapping] = false);
        }
        let is_watched = |rule: &&CompiledRule| mappings[rule.mapping] && !proof.keeps_apart(rule, rule);
        let watched = proof.rules.iter().map(is_watched).collect();
        Self { mappings, watched }
    }

    /// Whether the files of a mapping do.
    pub fn has(&self, mapping: usize) -> bool {
        self.mappings.get(mapping).is_some_and(|is_apart| *is_apart)
    }

    /// Whether the files of any mapping do.
    pub fn is_any(&self) -> bool {
        self.mappings.contains(&true)
    }

    /// Whether a row of this rule that the database has may be of an owner who is not read: nothing in its key says whose
    /// it is.
    pub fn is_watched(&self, rule: u32) -> bool {
        self.watched.get(rule as usize).is_some_and(|is_watched| *is_watched)
    }
}

/// What a part of a key says of whose row it is: no two owners have the same.
#[derive(Debug, PartialEq, Eq)]
enum Whose {
    Owner,
    Directory,
    File,
}

struct Proof<'s> {
    set: &'s Set,
    schema: &'s Schema,
    own: Own<'s>,
    rules: Vec<&'s CompiledRule>,
}

impl<'s> Proof<'s> {
    /// Whether a mapping's files may stand apart, as far as that hangs on no other one. Secrets are searched for in all
    /// that is read, and what the application still needs is told of every row.
    fn is_possible(&self, mapping: usize) -> bool {
        let feeds_owners = |rule: &Rule| self.set.owners.as_ref().is_some_and(|owners| owners.table == rule.into);
        let needs_more =
            |rule: &Rule| rule.columns.iter().filter_map(|of| of.agrees.as_ref()).any(|agrees| agrees.after.is_some());
        let fails = |rule: &Rule| rule.has_secrets() || feeds_owners(rule) || needs_more(rule);
        self.own.is_owned(mapping) && !self.set.mappings[mapping].rules.iter().any(fails)
    }

    /// Whether a mapping's files stand apart, if those of these mappings do.
    fn stands_apart(&self, mapping: usize, apart: &[bool]) -> bool {
        let of_mapping = || self.rules.iter().copied().filter(|rule| rule.mapping == mapping);
        of_mapping()
            .all(|rule| self.finds_own(rule, apart) && self.meets_own(rule, apart) && self.is_found(rule, apart))
    }

    /// Whether the rows that a rule looks up are of its own owner, or of files that are always read.
    fn finds_own(&self, rule: &CompiledRule, apart: &[bool]) -> bool {
        let is_fed = |row: &&Sought| self.feeding(&row.table).any(|other| apart[other.mapping]);
        let at = RuleAt { mapping: rule.mapping, rule: rule.rule };
        uses(rule.model(self.set)).rows.into_iter().filter(is_fed).all(|row| self.own.key(at, row))
    }

    /// Whether no row of another owner, or of a file that is always read, has a say in what becomes of the rows of a rule,
    /// nor these in what becomes of that one.
    fn meets_own(&self, rule: &CompiledRule, apart: &[bool]) -> bool {
        // A key that does not stand in the database is known of what is read alone.
        let stands = rule.key_names.is_empty() || rule.key_fields.is_some() || self.keeps_apart(rule, rule);
        stands
            && self.feeding(&rule.table.name).all(|other| {
                if apart[other.mapping] {
                    let is_kept =
                        |later, earlier| !self.yields(later, earlier, false) || self.keeps_apart(later, earlier);
                    is_kept(rule, other) && is_kept(other, rule)
                } else {
                    let meets = self.yields(rule, other, true) || self.yields(other, rule, true);
                    !meets || self.differ(rule, other)
                }
            })
    }

    /// Whether rows that files which are always read look up are found alike where they were read now and where the
    /// database has them.
    fn is_found(&self, rule: &CompiledRule, apart: &[bool]) -> bool {
        let table = &rule.table.name;
        let others = self.rules.iter().filter(|other| !apart[other.mapping]);
        others
            .flat_map(|other| uses(other.model(self.set)).rows.into_iter().map(move |row| (other, row)))
            .all(|(other, row)| row.table != *table || (other.table.name != *table && self.is_of_one(row)))
    }

    /// Whether the rows that may be found are of one owner.
    fn is_of_one(&self, row: &Sought) -> bool {
        let plain = || row.by.iter().filter(|by| by.form.is_plain()).map(|by| by.column.as_str());
        let unique = self.schema.table(&row.table).into_iter().flat_map(|table| &table.unique);
        let mut keys = unique.filter(|columns| columns.iter().all(|column| plain().any(|by| by == column)));
        keys.next().is_some() || plain().any(|column| self.own.column(&row.table, column))
    }

    fn feeding<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'s CompiledRule> + 'a {
        self.rules.iter().copied().filter(move |rule| rule.table.name == table)
    }

    /// Whether a row of the first rule may give way, without an error, to one of the second with the same key, or add to it;
    /// `in_one` owner, too.
    fn yields(&self, later: &CompiledRule, earlier: &CompiledRule, in_one: bool) -> bool {
        let gives = |name: &String| earlier.field(name).is_some() || earlier.generated_id.as_ref() == Some(name);
        let has_key = later.key_names == earlier.key_names || later.key_names.iter().all(gives);
        if later.key_names.is_empty() || !has_key {
            return false;
        }
        match later.model(self.set).on_duplicate {
            OnDuplicate::First | OnDuplicate::Last | OnDuplicate::Fill => true,
            OnDuplicate::Across => in_one, // rows fold per owner
            OnDuplicate::Reject => self.set.precedence.iter().filter(|of| of.table == later.table.name).any(|of| {
                let rank = |rule| of.feeders.iter().position(|entry| feeds(self.set, rule, entry));
                rank(earlier).is_some() && rank(later).is_some()
            }),
        }
    }

    /// Whether the first rule's key is never that of a row of another owner which the second one makes.
    fn keeps_apart(&self, rule: &CompiledRule, other: &CompiledRule) -> bool {
        let (one, two) = (rule.model(self.set), other.model(self.set));
        one.key.iter().enumerate().any(|(at, part)| match part {
            KeyPart::Column(name) => {
                let whose = |model: &Rule| model.column(name).and_then(|column| self.whose_value(&column.expr));
                self.own.column(&one.into, name) || (whose(one).is_some() && whose(one) == whose(two))
            }
            KeyPart::Path(path) => {
                let of_other = two.key.get(at).filter(|_| rule.key_names == other.key_names);
                let whose = of_other.and_then(|part| match part {
                    KeyPart::Path(path) => self.whose(path),
                    KeyPart::Column(_) => None,
                });
                whose.is_some() && self.whose(path) == whose
            }
        })
    }

    fn whose_value(&self, expr: &Expr) -> Option<Whose> {
        match &expr.from {
            From::Path(path) if expr.is_bare() => self.whose(path),
            _ => None,
        }
    }

    fn whose(&self, path: &PathExpr) -> Option<Whose> {
        let Root::Context(name) = &path.root else { return None };
        let owners = self.set.owners.as_ref()?;
        let key = self.schema.table(&owners.table)?.primary_key();
        match name.as_str() {
            "owner" => Some(Whose::Directory),
            "file" => Some(Whose::File),
            name => name.strip_prefix("owner.").filter(|column| key == [*column]).map(|_| Whose::Owner),
        }
    }

    /// Whether two rules give different texts for a column of both of their keys.
    fn differ(&self, one: &CompiledRule, other: &CompiledRule) -> bool {
        let text = |rule: &CompiledRule, name: &String| {
            let expr = &rule.model(self.set).column(name)?.expr;
            match &expr.from {
                From::Literal(Literal::Text(text)) if expr.is_bare() => Some(text.clone()),
                _ => None,
            }
        };
        let differs = |name: &&String| {
            let (one, other) = (text(one, name), text(other, name));
            one.is_some() && other.is_some() && one != other
        };
        one.key_names.iter().filter(|name| other.key_names.contains(name)).any(|name| differs(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::{Dialect, schema};
    use crate::mapping::compile::compile;
    use crate::mapping::order::order;
    use crate::mapping::{bundled, load};

    #[test]
    fn in_a_bundled_set_some_files_of_owners_stand_apart_and_none_that_hold_secrets() {
        let mut some = 0;
        for bundled in bundled::sets() {
            let (set, errors) = load::read(&bundled.source()).unwrap();
            assert!(errors.is_empty());
            let schema = schema::expected(&Dialect::default(), &set.migrations).unwrap();
            let apart = Apart::of(&set, &schema, &compile(&set, &schema), &order(&set, &schema).unwrap());
            some += u64::from(apart.is_any());
            for mapping in set.mappings.iter().enumerate().filter(|(at, _)| apart.has(*at)).map(|(_, mapping)| mapping)
            {
                assert!(!mapping.rules.iter().any(Rule::has_secrets), "{}", mapping.name);
            }
            assert!(set.owners.is_some() || !apart.is_any());
        }
        assert!(some > 0);
    }
}
