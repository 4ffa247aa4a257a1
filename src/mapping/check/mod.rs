//! Checks a mapping set against the schema it writes into, without data.

mod columns;
mod kept;
mod literals;
mod losses;
mod made;
mod references;
mod secrets;
mod shapes;
mod spot;
mod type_words;
mod types;

#[cfg(test)]
mod tests;

pub use columns::follows;
pub use secrets::check_secret_names;
pub use type_words::TYPE_WORDS;

use crate::error::Error;
use crate::mapping::model::{Mapping, OnDuplicate, Owners, Precedence, Rule, Set};
use crate::mapping::own::makes_owners;
use crate::mapping::uses::uses;
use crate::mapping::{codes, order, suggest};
use crate::table::{Schema, declares};
use crate::written::WrittenAs;
use spot::{Errors, Spot, columns_of, set_file, tables};
use std::collections::BTreeMap;

/// Everything that can be known to go wrong before a file is read: all of it, in the order of
/// set.toml and the mappings.
pub fn check(set: &Set, schema: &Schema) -> Vec<Error> {
    let errors = Errors::default();
    check_set(set, schema, &errors);
    made::check(set, schema, &errors);
    for mapping in &set.mappings {
        for rule in &mapping.rules {
            let Some(table) = schema.table(&rule.into) else {
                let hint = suggest::hint(&rule.into, tables(schema));
                let message =
                    format!("rule `{}` writes into table `{}`, which the schema does not have", rule.name, rule.into);
                errors.refuse(&codes::TABLE_UNKNOWN, &mapping.file, rule.line_of("into"), message, hint);
                continue; // Nothing more can be checked without the table.
            };
            let spot = Spot { set, schema, mapping, rule, table, errors: &errors };
            columns::check(&spot);
            types::check(&spot);
            references::check(&spot);
            secrets::check_rule(&spot);
            losses::check(&spot);
        }
        secrets::check_clear_uses(mapping, &errors);
        secrets::check_declassified(mapping, &errors);
        shapes::check(mapping, &errors);
        kept::check(mapping, &errors);
    }
    secrets::check_names(set, &errors);
    check_order(set, schema, &errors);
    errors.sorted(set)
}

/// Rules that have no order.
fn check_order(set: &Set, schema: &Schema, errors: &Errors) {
    for fault in order::faults(set, schema) {
        let code = match fault {
            order::Fault::Cycle(_) => &codes::RULES_CIRCLE,
            order::Fault::OwnersCycle(_) | order::Fault::Folding(_) => &codes::OWNERS_CYCLE,
            order::Fault::Late(..) => &codes::RULE_LATE,
        };
        let (mapping, rule) = fault.at().of(set);
        errors.refuse(code, &mapping.file, rule.line, fault.message(set), code.help);
    }
}

/// What set.toml says of tables and columns.
fn check_set(set: &Set, schema: &Schema, errors: &Errors) {
    let file = set_file(set);
    for entry in &set.precedence {
        if schema.table(&entry.table).is_none() {
            let message =
                format!("`[precedence]` orders the feeders of table `{}`, which the schema does not have", entry.table);
            errors.refuse(
                &codes::TABLE_UNKNOWN,
                &file,
                entry.line,
                message,
                suggest::hint(&entry.table, tables(schema)),
            );
        } else {
            entry.feeders.iter().for_each(|feeder| feeds(set, schema, entry, feeder, errors));
        }
    }
    check_isolation(set, schema, &file, errors);
    check_reads(set, schema, &file, errors);
    check_written(set, schema, &file, errors);
    check_record(set, schema, &file, errors);
    if let Some(owners) = &set.owners {
        check_owners(owners, schema, &file, errors);
        owners_have_ids(set, owners, schema, errors);
    }
    ids_have_one_giver(set, schema, errors);
}

/// A feeder in `[precedence]` writes into the table, as far as it is known what it writes into.
fn feeds(set: &Set, schema: &Schema, entry: &Precedence, feeder: &str, errors: &Errors) {
    let (name, rule) = feeder.split_once('.').map_or((feeder, None), |(name, rule)| (name, Some(rule)));
    let Some(mapping) = set.mappings.iter().find(|mapping| mapping.name == name) else {
        return; // The loader reports it.
    };
    let mut rules = mapping.rules.iter().filter(|known| rule.is_none_or(|rule| known.name == rule)).peekable();
    let may_feed = |known: &Rule| known.into == entry.table || schema.table(&known.into).is_none();
    let is_known = rule.is_none() || rules.peek().is_some(); // The loader reports a rule that is not.
    if is_known && !rules.any(may_feed) {
        let message = format!("`{feeder}` does not feed `{}`", entry.table);
        let hint = format!("none of its rules goes `into` table `{}`", entry.table);
        errors.refuse(&codes::FEEDER_UNKNOWN, &set_file(set), entry.line, message, hint);
    }
}

/// The column of tenants is that of some table.
fn check_isolation(set: &Set, schema: &Schema, file: &str, errors: &Errors) {
    let Some(isolation) = &set.isolation else { return };
    let column = &isolation.column;
    if schema.tables.values().any(|table| table.column(column).is_some()) {
        return;
    }
    let names = schema.tables.values().flat_map(|table| table.columns.iter().map(|column| column.name.as_str()));
    let message = format!("`[isolation]` names the column `{column}`, which no table has");
    errors.refuse(&codes::COLUMN_UNKNOWN, file, isolation.line, message, suggest::hint(column, names));
}

/// A declared type that values are read as is that of some column.
fn check_reads(set: &Set, schema: &Schema, file: &str, errors: &Errors) {
    let columns = || schema.tables.values().flat_map(|table| &table.columns);
    for reads in &set.reads {
        if !columns().any(|column| declares(&column.declared, &reads.declared)) {
            let message = format!("no column is declared as `{}`", reads.declared);
            let hint = suggest::hint(&reads.declared, columns().map(|column| column.declared.as_str()));
            errors.refuse(&codes::READS_UNUSED, file, reads.line, message, hint);
        }
    }
}

/// A form is for a type of times that some column has, and can be used there.
fn check_written(set: &Set, schema: &Schema, file: &str, errors: &Errors) {
    let columns = || schema.tables.values().flat_map(|table| &table.columns);
    for WrittenAs { declared, form, line } in &set.written {
        let Some(column) = columns().find(|column| declares(&column.declared, declared)) else {
            let message = format!("no column is declared as `{declared}`");
            let hint = suggest::hint(declared, columns().map(|column| column.declared.as_str()));
            errors.refuse(&codes::WRITTEN_UNUSED, file, *line, message, hint);
            continue;
        };
        match column.kind.written_as(form) {
            None => {
                let message = format!("`{declared}` keeps no time as text");
                errors.refuse(&codes::WRITTEN_UNFIT, file, *line, message, codes::WRITTEN_UNFIT.help);
            }
            Some(Err(why)) => errors.refuse(&codes::FORM_UNFIT, file, *line, why, codes::FORM_UNFIT.help),
            Some(Ok(_)) => {}
        }
    }
}

/// The record of migrations is a table of its own.
fn check_record(set: &Set, schema: &Schema, file: &str, errors: &Errors) {
    let Some(record) = &set.migrations_table else { return };
    let is_it = |name: &str| record.name.eq_ignore_ascii_case(name);
    let why = if let Some((mapping, rule)) = set.rules().find(|(_, rule)| is_it(&rule.into)) {
        format!("rule `{}.{}` writes into it", mapping.name, rule.name)
    } else if schema.tables.keys().any(|name| is_it(name)) {
        "the set's migrations make it".to_owned()
    } else if set.audit.as_ref().is_some_and(|audit| is_it(&audit.table)) {
        "it is the table of `[audit]`".to_owned()
    } else {
        return;
    };
    let message = format!("migrations cannot be recorded in table `{}`: {why}", record.name);
    errors.refuse(&codes::RECORD_NAME, file, record.line, message, codes::RECORD_NAME.help);
}

/// An owner is known by a key of one column, and a directory by something that finds its owner.
fn owners_have_ids(set: &Set, owners: &Owners, schema: &Schema, errors: &Errors) {
    let Some(table) = schema.table(&owners.table) else {
        return; // `check_owners` reports that it is missing.
    };
    let [_] = table.primary_key()[..] else {
        let message = format!("owners are rows of table `{}`, whose primary key is not one column", table.name);
        return errors.refuse(&codes::OWNERS_KEYLESS, &set_file(set), owners.line, message, None);
    };
    let makers = || (0..set.mappings.len()).filter(|at| makes_owners(set, *at));
    for mapping in makers().map(|at| &set.mappings[at]) {
        let asks = |name: &str| name == "owner" || name.starts_with("owner.");
        for rule in mapping.rules.iter().filter(|rule| uses(rule).contexts.iter().any(|name| asks(name))) {
            let message = format!(
                "rule `{}` uses `#owner` in a mapping that makes owners of the folders of its files",
                rule.name
            );
            let hint = "use the captures themselves: the owner is known when its row is made";
            errors.refuse(&codes::OWNERS_MADE, &mapping.file, rule.line, message, hint);
        }
    }
    if owners.find.is_empty() && makers().next().is_none() {
        let message =
            "nothing says whose a directory is: `find` is left out, and no mapping of files in it makes owners";
        let hint = format!("write `find`, or a mapping whose files lie there and that writes into `{}`", table.name);
        errors.refuse(&codes::OWNERS_MADE, &set_file(set), owners.line, message, hint);
    }
}

/// An integer key comes either from the source or from the database's counting: of both in one table
/// some would meet.
fn ids_have_one_giver(set: &Set, schema: &Schema, errors: &Errors) {
    let owners = set.owners.as_ref().map(|owners| owners.table.as_str());
    let mut by_table: BTreeMap<&str, Vec<(&Mapping, &Rule)>> = BTreeMap::new();
    for (mapping, rule) in all_givers(set) {
        by_table.entry(&rule.into).or_default().push((mapping, rule));
    }
    for table in schema.tables.values().filter(|table| owners != Some(&table.name)) {
        let (Some(key), Some(givers)) = (table.integer_key(), by_table.get(table.name.as_str())) else {
            continue; // nothing is counted on
        };
        let (giving, counted): (Vec<_>, Vec<_>) =
            givers.iter().copied().partition(|(_, rule)| rule.column(key).is_some());
        for (mapping, rule) in counted {
            if let Some((other, one)) = giving.first() {
                let message = format!(
                    "rule `{}` leaves `{}.{key}` to be counted on, and rule `{}.{}` gives it: the two would meet",
                    rule.name, table.name, other.name, one.name
                );
                let hint = format!("give `{key}` a value in every rule of the table, or in none");
                errors.refuse(&codes::ID_TWO_GIVERS, &mapping.file, rule.line, message, hint);
            }
        }
    }
}

/// The rules that make rows.
fn all_givers(set: &Set) -> impl Iterator<Item = (&Mapping, &Rule)> {
    set.rules().filter(|(_, rule)| rule.on_duplicate != OnDuplicate::Fill)
}

fn check_owners(owners: &Owners, schema: &Schema, file: &str, errors: &Errors) {
    let Some(table) = schema.table(&owners.table) else {
        let message = format!("owners are rows of table `{}`, which the schema does not have", owners.table);
        return errors.refuse(
            &codes::TABLE_UNKNOWN,
            file,
            owners.line,
            message,
            suggest::hint(&owners.table, tables(schema)),
        );
    };
    for by in owners.compared() {
        if table.column(&by.column).is_none() {
            let message =
                format!("owners are found by column `{}`, which table `{}` does not have", by.column, table.name);
            errors.refuse(
                &codes::COLUMN_UNKNOWN,
                file,
                owners.line,
                message,
                suggest::hint(&by.column, columns_of(table)),
            );
        }
    }
}
