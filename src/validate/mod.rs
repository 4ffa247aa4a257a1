//! Validate: the database checked by itself, inside an import's transaction before it is committed, or
//! at rest. `gather` and `answers` ask, `checks` compares.

pub mod answers;
mod aside;
pub mod check;
pub mod checks;
pub mod gather;
pub mod isolation;
pub mod places;

use crate::database::drift::Leave;
use crate::database::{Database, Reader, Transaction, history, schema};
use crate::error::{Error, Result};
use crate::mapping::model::Set;
use crate::report::CheckReport;
use answers::Answer;
pub use check::Category;
use std::collections::BTreeMap;

/// Judges a database at rest, in the wanted categories (none for all).
///
/// # Errors
/// When there is no database, or it cannot be read. What is wrong with it is in the checks.
pub fn database(database: &dyn Database, set: &Set, wanted: &[Category]) -> Result<Vec<CheckReport>> {
    opened(&mut *database.read()?.ok_or_else(|| database.missing())?, set, wanted)
}

/// The same for one that is open, as a change that is not committed yet has made it.
pub fn opened(reader: &mut dyn Reader, set: &Set, wanted: &[Category]) -> Result<Vec<CheckReport>> {
    let survey = reader.survey()?;
    let has = |table: &str| Ok::<_, Error>(survey.catalog.schema.table(table).is_some());
    let standing = history::compare(&survey.recorded, &set.migrations).wake(&set.migrations, has)?;
    let expected = schema::in_force(&*reader, &set.migrations, &standing, &survey.catalog)?;
    let leave = Leave { tables: &set.other_tables, additions: false };
    let mut checks = checks::form((&survey.catalog, &survey.recorded), &expected, &standing, leave);
    if wanted.is_empty() || wanted.iter().any(|one| matches!(one, Category::Data | Category::Security)) {
        let evidence = gather::all(reader, survey, set, &standing)?;
        checks.extend(checks::data(&evidence));
        checks.extend(checks::security(&evidence));
    }
    checks.retain(|check| wanted.is_empty() || wanted.iter().any(|category| category.name() == check.category));
    Ok(checks)
}

/// What the set's own checks say now: what they said before an import is not the import's fault.
pub fn ask(transaction: &mut dyn Transaction, set: &Set) -> Result<Vec<Answer>> {
    let standing = history::compare(&transaction.recorded()?, &set.migrations);
    // Only those of a set that keeps owners apart need the tables.
    let tables = if set.isolation.is_some() { transaction.catalog()?.schema.tables } else { BTreeMap::new() };
    let assertions = isolation::with_isolation(set, &tables.values().collect::<Vec<_>>());
    answers::ask(&assertions, &standing, transaction.dialect().engine(), transaction)
}
