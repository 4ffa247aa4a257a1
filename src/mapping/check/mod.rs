//! Judges a mapping set against the schema it writes into, without data.

mod columns;
mod kept;
mod references;
mod secrets;
mod shapes;
mod types;

#[cfg(test)]
mod tests;

pub use secrets::check_secret_names;

use crate::error::Error;
use crate::finding::Code;
use crate::mapping::model::{ColumnRule, Expr, Mapping, OnDuplicate, Owners, Rule, Set};
use crate::mapping::{codes, order, suggest};
use crate::table::{Schema, Table};

/// Everything that can be known to go wrong before a file is read: all of it, in the order of
/// set.toml and the mappings.
pub fn check(set: &Set, schema: &Schema) -> Vec<Error> {
    let mut told = Told::default();
    check_set(set, schema, &mut told);
    for mapping in &set.mappings {
        for rule in &mapping.rules {
            let Some(table) = schema.table(&rule.into) else {
                let hint = suggest::hint(&rule.into, tables(schema));
                let message =
                    format!("rule `{}` writes into table `{}`, which the schema does not have", rule.name, rule.into);
                told.refuse(&codes::TABLE_UNKNOWN, &mapping.file, rule.line, message, hint);
                continue; // Nothing more can be judged without the table.
            };
            let spot = Spot { set, schema, mapping, rule, table };
            columns::check(&spot, &mut told);
            types::check(&spot, &mut told);
            references::check(&spot, &mut told);
            secrets::check_rule(&spot, &mut told);
        }
        secrets::check_clear_uses(mapping, &mut told);
        secrets::check_declassified(mapping, &mut told);
        shapes::check(mapping, &mut told);
        kept::check(mapping, &mut told);
    }
    secrets::check_names(set, &mut told);
    check_order(set, schema, &mut told);
    told.sorted(set)
}

/// One rule with all that is known around it.
#[derive(Clone, Copy)]
struct Spot<'c> {
    set: &'c Set,
    schema: &'c Schema,
    mapping: &'c Mapping,
    rule: &'c Rule,
    table: &'c Table,
}

impl<'c> Spot<'c> {
    fn refuse(&self, told: &mut Told, code: &Code, line: u32, message: impl Into<String>, hint: Option<String>) {
        told.refuse(code, &self.mapping.file, line, message, hint);
    }

    /// The expression of a column or `let`.
    fn named(&self, name: &str) -> Option<&'c Expr> {
        let column = self.rule.columns.iter().find(|column| column.name == name).map(|column| &column.expr);
        column.or_else(|| self.rule.lets.iter().find(|(other, _)| other == name).map(|(_, expr)| expr))
    }

    fn column(&self, name: &str) -> Option<&'c ColumnRule> {
        self.rule.columns.iter().find(|column| column.name == name)
    }

    fn parent(&self) -> Option<&'c Rule> {
        let parent = self.rule.parent.as_deref()?;
        self.mapping.rules.iter().find(|rule| rule.name == parent)
    }
}

/// Errors with what sorts them.
#[derive(Default)]
struct Told {
    errors: Vec<(String, u32, Error)>,
}

impl Told {
    fn refuse(&mut self, code: &Code, file: &str, line: u32, message: impl Into<String>, hint: Option<String>) {
        let error = Error::request(message).coded(code.id).at(format_args!("{file}:{line}"));
        let error = match hint {
            Some(hint) => error.hint(hint),
            None => error,
        };
        self.errors.push((file.to_owned(), line, error));
    }

    fn sorted(mut self, set: &Set) -> Vec<Error> {
        let place = |file: &str| set.mappings.iter().position(|mapping| mapping.file == file);
        self.errors.sort_by_key(|(file, line, _)| (place(file), *line));
        self.errors.into_iter().map(|(_, _, error)| error).collect()
    }
}

/// Rules that have no order.
fn check_order(set: &Set, schema: &Schema, told: &mut Told) {
    for fault in order::faults(set, schema) {
        let code = match fault {
            order::Fault::Cycle(_) => &codes::RULES_CIRCLE,
            order::Fault::Late(..) => &codes::RULE_LATE,
        };
        let (mapping, rule) = fault.at().of(set);
        told.refuse(code, &mapping.file, rule.line, fault.message(set), Some(code.help.to_owned()));
    }
}

fn set_file(set: &Set) -> String {
    format!("{}/set.toml", set.folder)
}

fn tables(schema: &Schema) -> Vec<&str> {
    schema.tables.keys().map(String::as_str).collect()
}

fn columns_of(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|column| column.name.as_str()).collect()
}

/// What set.toml says of tables and columns.
fn check_set(set: &Set, schema: &Schema, told: &mut Told) {
    let file = set_file(set);
    for entry in &set.precedence {
        if schema.table(&entry.table).is_none() {
            let message =
                format!("`[precedence]` orders the feeders of table `{}`, which the schema does not have", entry.table);
            told.refuse(&codes::TABLE_UNKNOWN, &file, entry.line, message, suggest::hint(&entry.table, tables(schema)));
        }
    }
    if let Some(owners) = &set.owners {
        check_owners(owners, schema, &file, told);
        owners_have_ids(set, owners, schema, told);
    }
    ids_have_one_giver(set, schema, told);
}

/// An owner is known by a key that the source gives: one that the database counts on is not known
/// while the directories are told apart.
fn owners_have_ids(set: &Set, owners: &Owners, schema: &Schema, told: &mut Told) {
    let Some(table) = schema.table(&owners.table) else {
        return; // `check_owners` tells that it is not there.
    };
    let [key] = table.primary_key()[..] else {
        let message = format!("owners are rows of table `{}`, whose primary key is not one column", table.name);
        return told.refuse(&codes::OWNERS_KEYLESS, &set_file(set), owners.line, message, None);
    };
    for (mapping, rule) in givers(set, &table.name).filter(|(_, rule)| !gives(rule, key)) {
        let message =
            format!("rule `{}` gives no value for `{}.{key}`, by which owners are known", rule.name, table.name);
        let hint = "an owner's key must come from the source, so that it is known before the row is written";
        told.refuse(&codes::OWNERS_KEYLESS, &mapping.file, rule.line, message, Some(hint.to_owned()));
    }
}

/// An integer key comes either from the source or from the database's counting: of both in one table
/// some would meet.
fn ids_have_one_giver(set: &Set, schema: &Schema, told: &mut Told) {
    let owners = set.owners.as_ref().map(|owners| owners.table.as_str());
    for table in schema.tables.values().filter(|table| owners != Some(&table.name)) {
        let Some(key) = table.integer_key() else {
            continue; // nothing is counted on
        };
        let (giving, counted): (Vec<_>, Vec<_>) = givers(set, &table.name).partition(|(_, rule)| gives(rule, key));
        for (mapping, rule) in counted {
            if let Some((other, one)) = giving.first() {
                let message = format!(
                    "rule `{}` leaves `{}.{key}` to be counted on, and rule `{}.{}` gives it: the two would meet",
                    rule.name, table.name, other.name, one.name
                );
                let hint = format!("give `{key}` a value in every rule of the table, or in none");
                told.refuse(&codes::ID_TWO_GIVERS, &mapping.file, rule.line, message, Some(hint));
            }
        }
    }
}

/// The rules that make rows of a table.
fn givers<'s>(set: &'s Set, table: &'s str) -> impl Iterator<Item = (&'s Mapping, &'s Rule)> {
    let rules = set.mappings.iter().flat_map(|mapping| mapping.rules.iter().map(move |rule| (mapping, rule)));
    rules.filter(move |(_, rule)| rule.into == table && rule.on_duplicate != OnDuplicate::Fill)
}

fn gives(rule: &Rule, column: &str) -> bool {
    rule.columns.iter().any(|of| of.name == column)
}

fn check_owners(owners: &Owners, schema: &Schema, file: &str, told: &mut Told) {
    let Some(table) = schema.table(&owners.table) else {
        let message = format!("owners are rows of table `{}`, which the schema does not have", owners.table);
        return told.refuse(
            &codes::TABLE_UNKNOWN,
            file,
            owners.line,
            message,
            suggest::hint(&owners.table, tables(schema)),
        );
    };
    for find in &owners.find {
        if table.column(&find.by).is_none() {
            let message =
                format!("owners are found by column `{}`, which table `{}` does not have", find.by, table.name);
            told.refuse(&codes::COLUMN_UNKNOWN, file, owners.line, message, suggest::hint(&find.by, columns_of(table)));
        }
    }
}
