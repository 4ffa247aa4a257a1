//! What a set's migrations make, as an engine tells: one without a database ([`Dialect`](super::Dialect)), or the one
//! of an open database.

use super::Opening;
use super::catalog::Catalog;
use super::contract::Stages;
use super::history::{Origin, Standing, State};
use super::presence::{Known, presence};
use crate::error::{Error, Result};
use crate::mapping::codes;
use crate::table::{IdsLine, Migration, Schema};
use std::collections::BTreeSet;

/// The tables that the migrations make.
///
/// treelift's own tables, `schema_migrations` and the engine's are not among them.
pub fn expected(engine: &dyn Stages, migrations: &[Migration]) -> Result<Schema> {
    Ok(catalog(engine, migrations)?.schema)
}

/// Everything that the migrations make, indexes, views and triggers included.
pub fn catalog(engine: &dyn Stages, migrations: &[Migration]) -> Result<Catalog> {
    let (mut stages, fault) = engine.stages(migrations, true)?;
    fault.map_or_else(|| Ok(stages.pop().unwrap_or_default()), Err)
}

/// Everything that the migrations in force make: those that are recorded as applied, and those of which `live` has all
/// already.
pub fn in_force(engine: &dyn Stages, migrations: &[Migration], standing: &Standing, live: &Catalog) -> Result<Catalog> {
    let of = |positions: &[usize]| -> Vec<Migration> { positions.iter().map(|&at| migrations[at].alone()).collect() };
    let (applied, pending) = (standing.applied(), standing.pending());
    let (stages, _) = engine.stages(migrations, false)?;
    let mut all = applied.clone();
    let known = Known::at_rest(&stages, live, standing);
    all.extend(pending.into_iter().filter(|&at| presence(known, at, live).may_be_there()));
    all.sort_unstable();
    // One that is there may need one that is not.
    catalog(engine, &of(&all)).or_else(|_| catalog(engine, &of(&applied)))
}

/// Everything there is after each migration.
pub fn stages(engine: &dyn Stages, migrations: &[Migration]) -> Result<Vec<Catalog>> {
    let (stages, fault) = engine.stages(migrations, false)?;
    fault.map_or(Ok(stages), Err)
}

/// Whether a migration may stand behind those of the versions `earlier`.
pub(super) fn check_order<'m>(migration: &'m Migration, earlier: &mut BTreeSet<&'m str>) -> Result<()> {
    let version = &migration.version;
    if let Some(missing) = migration.depends.iter().find(|depends| !earlier.contains(depends.as_str())) {
        let message = format!("migration `{version}` depends on `{missing}`, which does not come before it");
        return Err(Error::request(message).coded(codes::MIGRATION_WRONG.id).at(&migration.path));
    }
    if !earlier.insert(version) {
        let error = Error::request(format!("two migrations have the version `{version}`"));
        return Err(error.coded(codes::MIGRATION_WRONG.id).at(&migration.path));
    }
    Ok(())
}

/// The tables that must be as expected: those that mappings write into, and those of migrations that
/// treelift itself applied.
pub(super) fn must_be(opening: &Opening, stages: &[Catalog], standing: &Standing, pending: &[String]) -> Schema {
    let ours = |at: &usize| {
        let step = &standing.steps[*at];
        let was_pending = step.state != State::Applied;
        !pending.contains(&step.version) && (was_pending || step.origin != Some(Origin::Foreign))
    };
    let mut expected = (0..stages.len()).rfind(ours).map_or_else(Schema::default, |at| stages[at].schema.clone());
    for name in opening.written {
        if let Some(table) = opening.schema.table(name) {
            expected.tables.insert(name.clone(), table.clone());
        }
    }
    expected
}

/// That the tables are not those that the set writes into.
pub(super) fn cannot_compare(difference: &str, place: &str) -> Error {
    Error::environment(format!("the database's tables do not match the migrations: {difference}"))
        .at(place)
        .hint("bring the database to the expected schema with `schema migrate` first; nothing was changed")
}

/// A line of ids that an import would have to make: it knows nothing of the rows that are moved.
pub(super) fn ids_first(line: &IdsLine, place: &str) -> Error {
    Error::request(format!("an import does not make the ids of `{}`, for which there are rows", line.table))
        .at(format!("{}, {place}", line.place))
        .hint("make or change the database with `treelift schema migrate` first")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::database::Dialect;
    use crate::database::drift_tables::{Aspect, first_difference, table_differences};
    use crate::table::{Column, ForeignKey, Table};

    /// A migration of this SQL.
    pub(crate) fn migration(version: &str, up: &str) -> Migration {
        Migration {
            version: version.to_owned(),
            description: format!("makes {version}"),
            depends: Vec::new(),
            after_rows: false,
            only_with: None,
            irreversible: None,
            ids: Vec::new(),
            ledger: Vec::new(),
            down_ledger: Vec::new(),
            up: up.to_owned(),
            down: None,
            checksum: format!("checksum of {version}"),
            path: format!("schema/{version}.up.sql"),
            down_path: None,
        }
    }

    fn schema(sql: &str) -> Schema {
        expected(&Dialect::default(), &[migration("001", sql)]).unwrap()
    }

    #[test]
    fn a_fault_after_a_statement_with_a_parameter_has_its_line() {
        let sql = "CREATE TABLE a (b TEXT);\nINSERT INTO a VALUES (?);\nINSERT INTO a VALUES ('\u{2603}\u{2603}');\nCREATE TABLE a (c);";
        assert!(refused(sql).contains("schema/001.up.sql:4"), "{}", refused(sql));
    }

    fn refused(sql: &str) -> String {
        let error = expected(&Dialect::default(), &[migration("001", sql)]).unwrap_err();
        assert_eq!(error.status(), 2);
        error.to_string()
    }

    #[test]
    fn tables_are_read_back_whole() {
        let schema = schema(
            "CREATE TABLE people (id VARCHAR(32) NOT NULL, email TEXT NOT NULL DEFAULT 'a;b', PRIMARY KEY (id));
             CREATE UNIQUE INDEX people_email ON people (email);
             CREATE UNIQUE INDEX people_some ON people (email) WHERE id > '';
             CREATE UNIQUE INDEX people_lower ON people (lower(email));
             CREATE TABLE notes (id INTEGER PRIMARY KEY, owner VARCHAR(32) REFERENCES people ON DELETE CASCADE, title TEXT CHECK (title <> ''), loud TEXT AS (upper(title)), at DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE (owner, title));
             CREATE VIEW seen AS SELECT id FROM notes;
             CREATE TRIGGER t AFTER INSERT ON notes BEGIN UPDATE people SET email = ';'; DELETE FROM notes WHERE 0; END;",
        );
        let column = |name: &str, declared: &str, not_null, default: Option<&str>, primary_key| Column {
            name: name.into(),
            kind: Dialect::default().column_type(declared),
            declared: declared.into(),
            not_null,
            default: default.map(Into::into),
            primary_key,
        };
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let people = Table {
            name: "people".into(),
            columns: vec![column("id", "VARCHAR(32)", true, None, 1), column("email", "TEXT", true, Some("'a;b'"), 0)],
            unique: vec![list(&["id"]), list(&["email"])],
            ..Table::default()
        };
        let notes = Table {
            name: "notes".into(),
            columns: vec![
                column("id", "INTEGER", false, None, 1),
                column("owner", "VARCHAR(32)", false, None, 0),
                column("title", "TEXT", false, None, 0),
                column("at", "DATETIME", false, Some("CURRENT_TIMESTAMP"), 0),
            ],
            unique: vec![list(&["id"]), list(&["owner", "title"])],
            foreign_keys: vec![ForeignKey {
                columns: list(&["owner"]),
                table: "people".into(),
                to: list(&["id"]),
                on_delete: Some("CASCADE".into()),
                ..ForeignKey::default()
            }],
            computed: list(&["loud"]),
            checks: list(&["title <> ''"]),
        };
        assert_eq!(schema.tables.into_values().collect::<Vec<_>>(), [notes, people]);
    }

    #[test]
    fn migrations_build_on_each_other() {
        let made = migration("001", "CREATE TABLE notes (id INTEGER PRIMARY KEY);");
        let mut grown = migration("002", "ALTER TABLE notes ADD COLUMN title TEXT;");
        grown.depends = vec!["001".into()];
        let schema = expected(&Dialect::default(), &[made.clone(), grown.clone()]).unwrap();
        assert!(schema.tables["notes"].column("title").is_some());
        assert_eq!(
            expected(&Dialect::default(), &[grown, made.clone()]).unwrap_err().to_string(),
            "migration `002` depends on `001`, which does not come before it\n  at schema/002.up.sql"
        );
        assert_eq!(
            expected(&Dialect::default(), &[made.clone(), made]).unwrap_err().to_string(),
            "two migrations have the version `001`\n  at schema/001.up.sql"
        );
    }

    #[test]
    fn conditions_are_reported_and_do_not_block_writing() {
        const NOTES: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY);
            CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, owner INTEGER REFERENCES people (id), CHECK (title <> ''))";
        let change = |from: &str, to: &str| {
            let (expected, live) = (schema(NOTES), schema(&NOTES.replace(from, to)));
            assert_eq!(first_difference(&expected, &live), None);
            let found = table_differences(&expected.tables["notes"], &live.tables["notes"]);
            assert!(found.iter().all(|(aspect, _)| *aspect == Aspect::Condition));
            found.into_iter().map(|(_, message)| message).collect::<Vec<_>>()
        };
        assert_eq!(change("CHECK (title <> '')", "check( \"TITLE\"!='' )"), [] as [&str; 0]);
        assert_eq!(change(", CHECK (title <> '')", ""), ["table `notes` lacks CHECK (title <> '')"]);
        assert_eq!(
            change("CHECK (title <> '')", "CHECK (title <> ' ')"),
            ["table `notes` lacks CHECK (title <> '')", "table `notes` unexpectedly has CHECK (title <> ' ')"]
        );
        assert_eq!(
            change("people (id)", "people (id) ON DELETE CASCADE"),
            ["table `notes` has the foreign key (owner) → `people` (id) ON DELETE CASCADE, expected no action"]
        );
    }

    #[test]
    fn the_first_difference_is_reported_in_words() {
        const NOTES: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY);
            CREATE TABLE notes (id INTEGER PRIMARY KEY, title VARCHAR(80) NOT NULL, at DATETIME DEFAULT CURRENT_TIMESTAMP, owner INTEGER REFERENCES people (id), UNIQUE (title, at))";
        let change = |from: &str, to: &str| first_difference(&schema(NOTES), &schema(&NOTES.replace(from, to)));
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(change("VARCHAR", "varchar"), None);
        assert_eq!(change("UNIQUE (title, at)", "UNIQUE (at, title)"), None);
        assert_eq!(change(" CURRENT_TIMESTAMP", " current_timestamp"), None);
        assert_eq!(change("CREATE TABLE people", "CREATE TABLE more (a TEXT); CREATE TABLE people"), None);
        assert_eq!(change("TABLE notes", "TABLE pages"), said("table `notes` is missing"));
        assert_eq!(
            change("id INTEGER PRIMARY KEY, title", "nr INTEGER PRIMARY KEY, title"),
            said("column `notes.id` is missing")
        );
        assert_eq!(change("owner INTEGER", "more TEXT, owner INTEGER"), said("column `notes.more` is not expected"));
        assert_eq!(
            change("(80)", "(90)"),
            said("column `notes.title` is declared `VARCHAR(90)`, expected `VARCHAR(80)`")
        );
        assert_eq!(change(" NOT NULL", ""), said("column `notes.title` is NULL allowed, expected NOT NULL"));
        assert_eq!(
            change(" DEFAULT CURRENT_TIMESTAMP", ""),
            said("column `notes.at` has another default: none, expected `CURRENT_TIMESTAMP`")
        );
        assert_eq!(
            change(" PRIMARY KEY, title", ", title"),
            said("column `notes.id` is column 0 of the primary key, expected 1")
        );
        assert_eq!(
            change(" REFERENCES people (id)", ""),
            said("table `notes` lacks a foreign key (owner) → `people` (id)")
        );
        assert_eq!(
            change("UNIQUE (title, at)", "UNIQUE (title)"),
            said("table `notes` lacks a UNIQUE constraint (at, title)")
        );
        assert_eq!(
            change("UNIQUE (title, at)", "UNIQUE (title, at), UNIQUE (owner)"),
            said("table `notes` unexpectedly has a UNIQUE constraint (owner)")
        );
    }
}
