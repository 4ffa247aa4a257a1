//! Asks a database for everything that is validated.

use super::answers;
use super::aside;
use super::checks::Evidence;
use super::isolation::with_isolation;
use super::places;
use crate::database::history::Standing;
use crate::database::query::BadQuery;
use crate::database::reference::Reference;
use crate::database::upkeep::Survey;
use crate::database::{Database, Dialect, Migration, Reader, Rehearsal, ddl, schema};
use crate::error::{Error, Result};
use crate::mapping::model::{Assertion, Expr, From, Root, Set};
use crate::mapping::{codes, suggest};
use crate::table::Schema;
use std::collections::{BTreeMap, BTreeSet};

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

/// The migrations that make the schema of the database, in the set's order.
pub fn applied(migrations: &[Migration], standing: &Standing) -> Vec<Migration> {
    standing.applied().into_iter().map(|at| migrations[at].alone()).collect()
}

/// Assertions of a set that could never be asked, each prepared against the tables that its migrations
/// make, up to the last with which it is asked; `made` is what all of them make.
pub fn check_assertions(set: &Set, made: &mut Rehearsal<'_>) -> Result<Vec<Error>> {
    let dialect = Dialect::default();
    judged(set, dialect.engine(), &mut |migrations, queries| {
        let record = set.record_table();
        if migrations.len() == set.migrations.len() {
            made.refused(record, queries)
        } else {
            dialect.rehearsal(migrations, false)?.refused(record, queries)
        }
    })
}

/// The same for a set that speaks to the engine of this database.
pub fn check_assertions_on(set: &Set, database: &dyn Database) -> Result<Vec<Error>> {
    judged(set, database.engine(), &mut |migrations, queries| database.refused(migrations, queries))
}

/// What an engine says of queries, asked of the tables that migrations make.
type Refused<'r> = &'r mut dyn FnMut(&[Migration], &[&str]) -> Result<Vec<Option<BadQuery>>>;

fn judged(set: &Set, engine: &str, refused: Refused<'_>) -> Result<Vec<Error>> {
    let mut wrong: Vec<Error> = set.assertions.iter().filter_map(|assertion| unknown_version(set, assertion)).collect();
    wrong.extend(unknown_isolation(set));
    wrong.extend(unknown_names(set));
    wrong.extend(unkept_version(set, refused)?);
    let mut by_last: BTreeMap<usize, Vec<&Assertion>> = BTreeMap::new();
    for assertion in set.assertions.iter().filter(|one| one.engine.as_deref().is_none_or(|only| only == engine)) {
        let last = assertion.until.as_ref().map(|until| place_of(set, until));
        let migrations = match last {
            Some(Some(at)) => at + 1,
            Some(None) => continue, // told above
            None => set.migrations.len(),
        };
        by_last.entry(migrations).or_default().push(assertion);
    }
    for (migrations, assertions) in by_last {
        let queries: Vec<&str> = assertions.iter().map(|assertion| assertion.sql.as_str()).collect();
        let refused = refused(&set.migrations[..migrations], &queries)?;
        wrong.extend(assertions.iter().zip(refused).filter_map(|(assertion, bad)| {
            let bad = bad?;
            let code = match bad {
                BadQuery::Invalid(_) => &codes::ASSERT_INVALID,
                BadQuery::Several => &codes::ASSERT_SEVERAL,
                BadQuery::Forbidden => &codes::ASSERT_WRITES,
                BadQuery::Parameter => &codes::ASSERT_PARAMETER,
            };
            let message = format!("the assertion `{}` cannot be asked: {bad}", assertion.name);
            Some(Error::request(message).coded(code.id).at(line_of(set, assertion)).hint(code.help))
        }));
    }
    Ok(wrong)
}

fn line_of(set: &Set, assertion: &Assertion) -> String {
    format!("{}/set.toml:{}", set.folder, assertion.line)
}

fn place_of(set: &Set, version: &str) -> Option<usize> {
    set.migrations.iter().position(|migration| migration.version == version)
}

/// A version of `[isolation]` that no migration has.
fn unknown_isolation(set: &Set) -> Option<Error> {
    let isolation = set.isolation.as_ref()?;
    let version = isolation.since.as_ref().filter(|version| place_of(set, version).is_none())?;
    let place = format!("{}/set.toml:{}", set.folder, isolation.line);
    Some(no_version(set, "`since` of `[isolation]`", version).at(place))
}

/// A version under `names` of `[version]` that no migration has.
fn unknown_names(set: &Set) -> Option<Error> {
    let record = set.version.as_ref()?;
    let (version, _) = record.names.iter().find(|(version, _)| place_of(set, version).is_none())?;
    let place = format!("{}/set.toml:{}", set.folder, record.line);
    Some(no_version(set, "a version under `names` of `[version]`", version).at(place))
}

/// A column of `[version]` that its table does not have, where a migration makes the table.
fn unkept_version(set: &Set, refused: Refused<'_>) -> Result<Option<Error>> {
    let Some(record) = &set.version else { return Ok(None) };
    let columns = [&record.column].into_iter().chain(record.row.iter().map(|(column, _)| column));
    let queries =
        [&[][..], &columns.map(String::as_str).collect::<Vec<_>>()].map(|columns| ddl::query(&record.table, columns));
    let answers = refused(&set.migrations, &[&queries[0], &queries[1]])?;
    let [None, Some(bad)] = answers.as_slice() else { return Ok(None) };
    let place = format!("{}/set.toml:{}", set.folder, record.line);
    let message = format!("`[version]` cannot be kept in `{}`: {bad}", record.table);
    Ok(Some(Error::request(message).coded(codes::ASSERT_INVALID.id).at(place).hint("name columns of the table")))
}

/// A version that no migration has.
fn unknown_version(set: &Set, assertion: &Assertion) -> Option<Error> {
    let named = [("since", &assertion.since), ("until", &assertion.until)].into_iter();
    let mut unknown = named.filter_map(|(key, version)| Some((key, version.as_ref()?)));
    let (key, version) = unknown.find(|(_, version)| place_of(set, version).is_none())?;
    let what = format!("`{key}` of the assertion `{}`", assertion.name);
    Some(no_version(set, &what, version).at(line_of(set, assertion)))
}

fn no_version(set: &Set, what: &str, version: &str) -> Error {
    let versions = set.migrations.iter().map(|migration| migration.version.as_str());
    let message = format!("{what} is no version of the set: `{version}`");
    let hint = suggest::nearest(version, versions)
        .map_or_else(|| codes::ASSERT_VERSION.help.to_owned(), |nearest| format!("did you mean `{nearest}`?"));
    Error::request(message).coded(codes::ASSERT_VERSION.id).hint(hint)
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
    evidence.aside = aside::plaintext(reader, &survey, set)?;
    let assertions = with_isolation(set, &survey.catalog.schema.tables.values().collect::<Vec<_>>());
    evidence.answers = answers::ask(&assertions, standing, reader.dialect().engine(), reader)?;
    places::note(&mut evidence.answers, reader)?;
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
             [[assert]]\nname = \"b\"\nsql = \"SELECT 1\"\ngives = \"rows\"\nsince = \"002_later\"\n";
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
}
