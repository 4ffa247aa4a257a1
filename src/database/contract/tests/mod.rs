//! What holds of every engine. Each test runs on a new database of each of them, through the traits
//! alone.

pub(in crate::database) mod ledger;
mod orders;
mod rows;
mod whole;

use super::{Database, Transaction};
use crate::database::schema::tests::migration;
use crate::database::{Dialect, Migration, Mode, Opening, schema};
use crate::error::Error;
use crate::finding::{FileId, Place};
use crate::row::{Batch, Row, Value};
use crate::table::Schema;
use std::collections::BTreeSet;
use std::path::Path;
use tempfile::TempDir;

const SQL: &str = "
    CREATE TABLE people (id VARCHAR(32) NOT NULL, email VARCHAR(80) NOT NULL, PRIMARY KEY (id));
    CREATE UNIQUE INDEX people_email ON people (email);
    CREATE TABLE notes (
        id INTEGER NOT NULL, owner VARCHAR(32) NOT NULL, title VARCHAR(80), at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        body JSON, pinned BOOLEAN, PRIMARY KEY (id), FOREIGN KEY (owner) REFERENCES people (id)
    );
    CREATE TABLE tags (note INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (note, name));";

/// The URL of a new database of an engine.
fn url(dialect: Dialect, folder: &Path) -> String {
    match dialect {
        Dialect::Sqlite => folder.join("x.db").to_str().unwrap().to_owned(),
        #[cfg(feature = "postgres")]
        Dialect::Postgresql => crate::database::postgres::tests::new_database(),
    }
}

/// A trigger `big` that refuses a row of `sizes` with a size over 9.
fn too_big(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "CREATE TRIGGER big AFTER INSERT ON sizes WHEN NEW.size > 9 BEGIN SELECT RAISE(ABORT, 'too big'); END;"
        }
        #[cfg(feature = "postgres")]
        Dialect::Postgresql => {
            "CREATE FUNCTION big() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too big'; END $$;
             CREATE TRIGGER big AFTER INSERT ON sizes FOR EACH ROW WHEN (NEW.size > 9) EXECUTE FUNCTION big();"
        }
    }
}

/// Runs a test on a new database of every engine, with the migrations of [`SQL`]; on a server also where our own tables have
/// a schema of their own.
fn on_every_engine(test: impl Fn(&Bench)) {
    on_every_engine_with(SQL, test);
}

/// The same with other migrations.
fn on_every_engine_with(sql: &str, test: impl Fn(&Bench)) {
    let migrations = || vec![migration("001_notes", sql)];
    for dialect in Dialect::ALL {
        test(&Bench::new(dialect, migrations()));
    }
    #[cfg(feature = "postgres")]
    test(&Bench::apart(migrations()));
}

/// Runs a test on a new database of every engine whose databases are files, for what no other one does yet.
fn on_every_file(test: impl Fn(&Bench)) {
    test(&Bench::new(Dialect::Sqlite, vec![migration("001_notes", SQL)]));
}

/// A mapping set's migrations and where the database is.
struct Bench {
    _folder: Option<TempDir>,
    dialect: Dialect,
    url: String,
    migrations: Vec<Migration>,
    schema: Schema,
    /// The tables that mappings would write into.
    written: BTreeSet<String>,
}

impl Bench {
    fn new(dialect: Dialect, migrations: Vec<Migration>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = url(dialect, folder.path());
        Self { _folder: Some(folder), ..Self::of(dialect, url, migrations) }
    }

    /// One of a server whose address has a schema of its own for our tables.
    #[cfg(feature = "postgres")]
    fn apart(migrations: Vec<Migration>) -> Self {
        let url = format!("{}&ledger_schema=kept", crate::database::postgres::tests::new_database());
        Self::of(Dialect::Postgresql, url, migrations)
    }

    /// The same database with other migrations.
    fn at(other: &Self, migrations: Vec<Migration>) -> Self {
        Self::of(other.dialect, other.url.clone(), migrations)
    }

    fn of(dialect: Dialect, url: String, migrations: Vec<Migration>) -> Self {
        let schema = schema::expected(&*crate::database::open(&url).unwrap(), &migrations).unwrap();
        let written = schema.tables.keys().cloned().collect();
        Self { _folder: None, dialect, url, migrations, schema, written }
    }

    fn database(&self) -> Box<dyn Database> {
        crate::database::open(&self.url).unwrap()
    }

    fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction>, Error> {
        self.begin_as(mode, "run-1")
    }

    fn begin_as(&self, mode: Mode, run_id: &str) -> Result<Box<dyn Transaction>, Error> {
        self.begin_on(&mut *self.database(), mode, run_id)
    }

    fn begin_on(&self, database: &mut dyn Database, mode: Mode, run_id: &str) -> Result<Box<dyn Transaction>, Error> {
        let opening = Opening {
            mode,
            run_id,
            migrations: &self.migrations,
            schema: &self.schema,
            written: &self.written,
            bytes: 1_000,
            started: "2025-05-07T15:09:12Z".parse().unwrap(),
            audit: None,
            version: None,
        };
        database.begin(&opening)
    }

    /// A transaction that is committed after this was done in it.
    fn commit(&self, work: impl FnOnce(&mut dyn Transaction)) {
        let mut transaction = self.begin(Mode::Real).unwrap();
        work(&mut *transaction);
        assert!(transaction.commit().unwrap().is_none());
    }
}

pub(in crate::database) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub(in crate::database) fn time(text: &str) -> Value {
    Value::Civil(text.parse().unwrap())
}

pub(in crate::database) fn batch(table: &str, columns: &[&str], rows: Vec<Vec<Value>>) -> Batch {
    let place = Place { file: FileId(0), offset: 0 };
    Batch {
        table: table.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        rows: rows.into_iter().map(|values| Row { values, place, record: 0 }).collect(),
    }
}

pub(in crate::database) fn person(id: &str) -> Batch {
    batch("people", &["id", "email"], vec![vec![text(id), text(&format!("{id}@example.org"))]])
}

pub(in crate::database) fn note(id: i64, owner: &str) -> Batch {
    batch("notes", &["id", "owner"], vec![vec![Value::Integer(id), text(owner)]])
}
