//! Asks a database for everything that is validated.

use super::checks::{Answer, Evidence, Outcome};
use crate::database::history::{Standing, State};
use crate::database::query::{Asked, BadQuery};
use crate::database::reference::Reference;
use crate::database::upkeep::Survey;
use crate::database::{Database, Dialect, Migration, Reader, schema};
use crate::error::{Error, Result};
use crate::mapping::codes;
use crate::mapping::model::{Assertion, Expr, From, Root, Set};
use crate::table::Schema;
use std::collections::BTreeSet;

/// The references that mappings follow to a row's key and that the tables do not declare.
pub fn references(set: &Set, schema: &Schema) -> Vec<Reference> {
    let mut found = BTreeSet::new();
    for rule in set.mappings.iter().flat_map(|mapping| &mapping.rules) {
        for column in &rule.columns {
            targets(set, &column.expr, &mut |parent, to| {
                found.insert(Reference {
                    table: rule.into.clone(),
                    column: column.name.clone(),
                    parent: parent.to_owned(),
                    to: to.to_owned(),
                });
            });
        }
    }
    found.into_iter().filter(|reference| leads_to_a_key(reference, schema) && !declared(reference, schema)).collect()
}

/// The columns of other tables that an expression may give as they are.
fn targets(set: &Set, expr: &Expr, tell: &mut dyn FnMut(&str, &str)) {
    if !expr.steps.is_empty() {
        return; // What is changed on the way is a reference no more.
    }
    match &expr.from {
        From::Lookup(ways) => {
            ways.iter().take(1).for_each(|row| row.column.iter().for_each(|column| tell(&row.table, column)));
        }
        From::Path(path) => {
            if let (Root::Context(name), Some(owners)) = (&path.root, &set.owners)
                && let Some(column) = name.strip_prefix("owner.")
            {
                tell(&owners.table, column);
            }
        }
        From::First(all) => all.iter().for_each(|one| targets(set, one, tell)),
        _ => {}
    }
}

/// Only what names a row lastingly: an owner's address that was copied may differ later.
fn leads_to_a_key(reference: &Reference, schema: &Schema) -> bool {
    let parent = schema.table(&reference.parent);
    parent.is_some_and(|parent| parent.primary_key() == [reference.to.as_str()])
        && schema.table(&reference.table).is_some_and(|table| table.column(&reference.column).is_some())
}

fn declared(reference: &Reference, schema: &Schema) -> bool {
    let keys = schema.table(&reference.table).map(|table| table.foreign_keys.as_slice()).unwrap_or_default();
    keys.iter().any(|key| {
        key.columns == [reference.column.as_str()] && key.table == reference.parent && key.to == [reference.to.as_str()]
    })
}

/// The lists that must be unique and that the live tables do not guard; those that they do are the
/// engine's own check's business.
pub fn unguarded(expected: &Schema, live: &Schema) -> Vec<(String, Vec<String>)> {
    let sorted = |list: &[String]| {
        let mut list = list.to_vec();
        list.sort();
        list
    };
    let mut found = Vec::new();
    for table in expected.tables.values() {
        let Some(there) = live.table(&table.name) else { continue }; // That it is missing is reported elsewhere.
        let guarded: Vec<Vec<String>> = there.unique.iter().map(|list| sorted(list)).collect();
        let open = table.unique.iter().filter(|list| !guarded.contains(&sorted(list)));
        let whole = open.filter(|list| list.iter().all(|column| there.column(column).is_some()));
        found.extend(whole.map(|list| (table.name.clone(), list.clone())));
    }
    found
}

/// The migrations that stand in the database, in the set's order.
pub fn applied(migrations: &[Migration], standing: &Standing) -> Vec<Migration> {
    standing.applied().into_iter().map(|at| migrations[at].clone()).collect()
}

/// The assertions that can be asked, asked.
pub fn ask(set: &Set, standing: &Standing, ask: &mut dyn FnMut(&str) -> Result<Asked>) -> Result<Vec<Answer>> {
    set.assertions
        .iter()
        .map(|assertion| {
            let outcome = match missing(assertion.needs.as_deref(), standing) {
                Some(version) => Outcome::NotAsked(format!("`{version}` is not applied")),
                None => match ask(&assertion.sql)? {
                    Ok(found) => Outcome::Rows { found, expected: assertion.gives_rows },
                    Err(why) => Outcome::Failed(why),
                },
            };
            Ok(Answer { name: assertion.name.clone(), category: assertion.category, outcome })
        })
        .collect()
}

/// Assertions of a set that could never be asked, each prepared against the tables that its migrations
/// make.
pub fn check_assertions(set: &Set) -> Result<Vec<Error>> {
    let dialect = Dialect::default();
    judged(set, dialect.engine(), &|queries| dialect.refused(&set.migrations, set.record_table(), queries))
}

/// The same for a set that speaks to the engine of this database.
pub fn check_assertions_on(set: &Set, database: &dyn Database) -> Result<Vec<Error>> {
    judged(set, database.engine(), &|queries| database.refused(&set.migrations, queries))
}

/// What an engine says of queries.
type Refused<'r> = &'r dyn Fn(&[&str]) -> Result<Vec<Option<BadQuery>>>;

fn judged(set: &Set, engine: &str, refused: Refused<'_>) -> Result<Vec<Error>> {
    let is_asked = |assertion: &&Assertion| assertion.engine.as_deref().is_none_or(|only| only == engine);
    let assertions: Vec<&Assertion> = set.assertions.iter().filter(is_asked).collect();
    let queries: Vec<&str> = assertions.iter().map(|assertion| assertion.sql.as_str()).collect();
    if queries.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = assertions.iter().zip(refused(&queries)?).filter_map(|(assertion, bad)| Some((assertion, bad?)));
    Ok(wrong
        .map(|(assertion, bad)| {
            let code = match bad {
                BadQuery::Invalid(_) => &codes::ASSERT_INVALID,
                BadQuery::Several => &codes::ASSERT_SEVERAL,
                BadQuery::Forbidden => &codes::ASSERT_WRITES,
                BadQuery::Parameter => &codes::ASSERT_PARAMETER,
            };
            let message = format!("the assertion `{}` cannot be asked: {bad}", assertion.name);
            let place = format!("{}/set.toml:{}", set.folder, assertion.line);
            Error::request(message).coded(code.id).at(place).hint(code.help)
        })
        .collect())
}

/// The migration without which an assertion has nothing to ask: the named one, else any at all.
fn missing(needs: Option<&str>, standing: &Standing) -> Option<String> {
    match needs {
        Some(version) => {
            let step = standing.steps.iter().find(|step| step.version == version);
            step.is_none_or(|step| step.state != State::Applied).then(|| version.to_owned())
        }
        None => standing.current().is_none().then(|| standing.steps.first().map(|step| step.version.clone()))?,
    }
}

/// Everything, of a database at rest.
pub fn all(reader: &mut dyn Reader, survey: Survey, set: &Set, standing: &Standing) -> Result<Evidence> {
    let schema = schema::expected(&*reader, &applied(&set.migrations, standing))?;
    let schema = Schema {
        tables: schema.tables.into_iter().filter(|(name, _)| survey.catalog.schema.table(name).is_some()).collect(),
    };
    let has = |table: &str, column: &str| {
        survey.catalog.schema.table(table).is_some_and(|table| table.column(column).is_some())
    };
    let mut evidence = Evidence { orphans: reader.broken()?, health: reader.health()?, ..Evidence::default() };
    for reference in references(set, &schema) {
        if has(&reference.table, &reference.column) && has(&reference.parent, &reference.to) {
            let rows = reader.dangling(&reference)?;
            evidence.dangling.push((reference, rows));
        }
    }
    for (table, columns) in unguarded(&schema, &survey.catalog.schema) {
        let rows = reader.repeated(&table, &columns)?;
        evidence.repeated.push((format!("`{table}`: {}", columns.join(", ")), rows));
    }
    evidence.unregistered = reader.unregistered()?;
    evidence.answers = ask(set, standing, &mut |sql| reader.ask(sql))?;
    evidence.survey = survey;
    Ok(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::load::{SetSource, load};

    fn set() -> Set {
        let mapping = "[source]\nfiles = [\"{owner}/notes.json\"]\n\
             [table.notes]\nkey = [\"id\"]\n\
             [table.notes.columns]\nid = \"id\"\nowner = \"#owner.id\"\nby = \"#owner.email\"\n\
             tag = { lookup = \"tags.id\", by = { name = \"tag\" } }\n";
        let schema = "CREATE TABLE people (id TEXT PRIMARY KEY, email TEXT UNIQUE);\n\
             CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT UNIQUE);\n\
             CREATE TABLE notes (id TEXT PRIMARY KEY, owner TEXT, by TEXT, tag INTEGER REFERENCES tags (id));\n";
        let set = "name = \"notes\"\n[owners]\ncapture = \"owner\"\ntable = \"people\"\nfind = [{ by = { id = \"#owner\" } }]\n\
             [[assert]]\nname = \"a\"\nsql = \"SELECT 1 FROM notes WHERE id = ''\"\n\
             [[assert]]\nname = \"b\"\nsql = \"SELECT 1\"\ngives = \"rows\"\nneeds = \"002_later\"\n";
        let files = [("set.toml", set), ("notes.toml", mapping), ("schema/001_notes.up.sql", schema)];
        let files = files.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        match load(&SetSource::Files { folder: "notes".into(), files }) {
            Ok(set) => set,
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn references_are_those_to_keys_that_no_table_declares() {
        let set = set();
        let schema = schema::expected(&Dialect::default(), &set.migrations).expect("valid SQL");
        let found: Vec<String> = references(&set, &schema).iter().map(ToString::to_string).collect();
        // `tag` is declared, and `by` is a copy that may differ one day.
        assert_eq!(found, ["`notes.owner` → `people.id`"]);
    }

    #[test]
    fn an_assertion_waits_for_its_migration() {
        use crate::database::history::compare;
        let set = set();
        let standing = compare(&[], &set.migrations);
        let asked = ask(&set, &standing, &mut |_| panic!("nothing is there to ask")).expect("judged");
        let said: Vec<_> = asked.into_iter().map(|answer| answer.outcome).collect();
        let not_asked = |why: &str| Outcome::NotAsked(why.to_owned());
        assert_eq!(said, [not_asked("`001_notes` is not applied"), not_asked("`002_later` is not applied")]);
    }
}
