//! What a directory contains before and after, and what a database holds.

mod clock;
mod files;
mod growth;
mod rows;
mod set_up;

use crate::database::contract::tests::{batch, person, text, time};
use crate::database::health::Health;
use crate::database::schema::tests::migration;
use crate::database::{Database, Dialect, Migration, Mode, Opening, Transaction, schema};
use crate::error::Error;
use crate::row::Value;
use crate::table::Schema;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

const SQL: &str = "
    CREATE TABLE people (id VARCHAR(32) NOT NULL, email VARCHAR(80) NOT NULL, PRIMARY KEY (id));
    CREATE UNIQUE INDEX people_email ON people (email);
    CREATE TABLE notes (
        id INTEGER NOT NULL, owner VARCHAR(32) NOT NULL, title VARCHAR(80), at DATETIME DEFAULT CURRENT_TIMESTAMP,
        body JSON, pinned BOOLEAN, PRIMARY KEY (id), FOREIGN KEY (owner) REFERENCES people (id)
    );
    CREATE TABLE tags (note INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (note, name));";

/// A mapping set's migrations and a folder for the database.
struct Bench {
    folder: TempDir,
    migrations: Vec<Migration>,
    schema: Schema,
    /// The tables that mappings would write into.
    written: BTreeSet<String>,
}

impl Bench {
    fn new() -> Self {
        Self::of(vec![migration("001_notes", SQL)])
    }

    fn of(migrations: Vec<Migration>) -> Self {
        let schema = schema::expected(&Dialect::default(), &migrations).unwrap();
        let written = schema.tables.keys().cloned().collect();
        Self { folder: tempfile::tempdir().unwrap(), migrations, schema, written }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("x.db")
    }

    fn database(&self) -> Box<dyn Database> {
        crate::database::open(self.path().to_str().unwrap()).unwrap()
    }

    fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction>, Error> {
        self.begin_as(mode, "run-1", 1_000)
    }

    fn begin_as(&self, mode: Mode, run_id: &str, bytes: u64) -> Result<Box<dyn Transaction>, Error> {
        let opening = Opening {
            mode,
            run_id,
            migrations: &self.migrations,
            schema: &self.schema,
            written: &self.written,
            bytes,
            started: "2025-05-07T15:09:12Z".parse().unwrap(),
            audit: None,
            version: None,
        };
        self.database().begin(&opening)
    }

    /// The whole text of the error, the folder's name left out, and its exit status.
    fn refused(&self, mode: Mode) -> (String, u8) {
        let error = self.begin(mode).map(drop).expect_err(&format!("{:?}", self.names()));
        (error.to_string().replace(self.folder.path().to_str().unwrap(), "DIR"), error.status())
    }

    /// Makes the database with this SQL, as an application would.
    fn make(&self, sql: &str) -> Connection {
        let conn = Connection::open(self.path()).unwrap();
        conn.execute_batch(sql).unwrap();
        conn
    }

    fn ask(&self, sql: &str) -> Vec<String> {
        let conn = Connection::open(self.path()).unwrap();
        let mut statement = conn.prepare(sql).unwrap();
        let width = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cells = (0..width).map(|i| row.get::<_, rusqlite::types::Value>(i).map(|cell| format!("{cell:?}")));
            Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
        });
        rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    /// Every name in the folder with mode, size, time and content.
    fn state(&self) -> Vec<String> {
        let mut state: Vec<String> = names(self.folder.path())
            .into_iter()
            .map(|name| {
                let path = self.folder.path().join(&name);
                let is = fs::symlink_metadata(&path).unwrap();
                let bytes = if is.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
                let hash = Sha256::digest(&bytes);
                format!("{name} {:o} {} {}.{} {hash:?}", is.mode(), is.len(), is.mtime(), is.mtime_nsec())
            })
            .collect();
        state.sort();
        state
    }

    fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A transaction whose steps are counted from now on.
fn counted(bench: &Bench) -> (super::session::SqliteTransaction, Arc<AtomicU64>) {
    let opening = Opening {
        mode: Mode::Real,
        run_id: "run-1",
        migrations: &bench.migrations,
        schema: &bench.schema,
        written: &bench.written,
        bytes: 1_000,
        started: "2025-05-07T15:09:12Z".parse().unwrap(),
        audit: None,
        version: None,
    };
    let location = super::location::Location::of(bench.path(), "x.db");
    let mut transaction = super::session::SqliteTransaction::begin(&location, &opening).unwrap();
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    transaction.conn.progress_handler(1, Some(count)).unwrap();
    (transaction, steps)
}
