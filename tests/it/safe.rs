//! A small database with sealed logins, made by the library, and jobs on it in this process.

use rusqlite::Connection;
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use treelift::backup::Before;
use treelift::config::{Phase, SecretNeed, Ui};
use treelift::credentials::Job;
use treelift::credentials::verify::{Verified, verify};
use treelift::database::{self, Mode};
use treelift::error::Result;
use treelift::secret::cipher::{SealPlace, Sealer};
use treelift::secret::kdf::Cost;
use treelift::secret::keys::{DataKey, Secret, create};
use treelift::secret::passphrase::Strength;

/// Somebody who answers yes and gives the passphrase that they were given.
pub(crate) struct Attendant(pub(crate) Given);

/// Where a secret comes from.
#[derive(Clone)]
pub(crate) enum Given {
    Passphrase(&'static str),
    KeyFile(PathBuf),
}

impl Given {
    pub(crate) fn secret(&self) -> Secret {
        match self {
            Self::Passphrase(text) => Secret::from_passphrase_text(SecretString::from(*text), Strength::Any).unwrap(),
            Self::KeyFile(path) => Secret::from_key_file(path).unwrap(),
        }
    }
}

impl Ui for Attendant {
    fn phase(&self, _: Phase, _: u64, _: u64) {}
    fn advance(&self, _: u64, _: u64) {}
    fn interrupted(&self) -> Option<i32> {
        None
    }
    fn confirm(&self, _: &str) -> Result<bool> {
        Ok(true)
    }
    fn secret(&self, _: SecretNeed) -> Result<Option<Secret>> {
        Ok(Some(self.0.secret()))
    }
    fn say(&self, _: &str) {}
}

/// `credentials verify`, in this process.
pub(crate) fn verified(database: &Path, given: &Given) -> Result<Verified> {
    let database = database::open(database.to_str().unwrap())?;
    let attendant = Attendant(given.clone());
    let before = Before::default();
    verify(&Job { database: &*database, mode: Mode::Dry, ui: &attendant, before, audit: None }, None)
}

/// The text that is sealed for a row.
pub(crate) fn login(row: usize) -> String {
    format!("the password of person {row}, at home in row {row}")
}

/// Makes a database with so many sealed logins in the form of docs/credentials.md.
pub(crate) fn make(path: &Path, given: &Given, rows: usize) {
    let database = Connection::open(path).unwrap();
    database
        .execute_batch(
            "PRAGMA synchronous = OFF; BEGIN;
             CREATE TABLE logins (person TEXT NOT NULL PRIMARY KEY, password TEXT NOT NULL, note TEXT);
             CREATE TABLE treelift_keys (
                 id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, kdf TEXT NOT NULL, key_check TEXT NOT NULL,
                 wrapped_key TEXT NOT NULL, seal_count INTEGER NOT NULL, created_at DATETIME NOT NULL, retired_at DATETIME
             );
             CREATE TABLE treelift_sealed_columns (
                 table_name TEXT NOT NULL, column_name TEXT NOT NULL, key_columns TEXT NOT NULL, format TEXT NOT NULL,
                 row_filter TEXT
             );
             INSERT INTO treelift_sealed_columns VALUES ('logins', 'password', '[\"person\"]', 'tl2', NULL);
             CREATE TABLE treelift_state (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
        )
        .unwrap();
    let (key, row) = create(&given.secret(), Cost::cheap_for_tests(), jiff::Timestamp::now()).unwrap();
    let mut sealer = Sealer::new(key, &row).unwrap();
    for number in 0..rows {
        let key = [format!("person {number}")];
        let place = SealPlace { table: "logins", column: "password", key_columns: &["person".to_owned()], key: &key };
        let token = sealer.seal(&place, &login(number).into()).unwrap();
        database.execute("INSERT INTO logins VALUES (?1, ?2, NULL)", (&key[0], token)).unwrap();
    }
    let insert = "INSERT INTO treelift_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL)";
    let seals = sealer.sealed_count();
    database
        .execute(insert, (&row.id, &row.state, &row.kdf, &row.key_check, &row.wrapped_key, seals, &row.created_at))
        .unwrap();
    database.execute_batch("COMMIT").unwrap();
    drop(database);
    prove(path, sealer.data_key());
}

/// Writes the proof of keys and registry, and an id.
fn prove(path: &Path, key: &DataKey) {
    let database = treelift::database::open(path.to_str().unwrap()).unwrap();
    let mut cells = database.change(Mode::Real).unwrap().unwrap();
    let (counts, hmac) = cells.seal_record().unwrap().proof(key).unwrap();
    cells.put_proof(&counts, &hmac).unwrap();
    cells.commit().unwrap();
}

/// Python with the packages of tests/interop/requirements.txt, installed when they are first needed.
pub(crate) fn python(program: &str) -> Command {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    let interpreter = INTERPRETER.get_or_init(|| {
        let output = Command::new(crate::house::project("tests/interop/install")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        crate::house::project(String::from_utf8(output.stdout).unwrap().trim())
    });
    let mut command = Command::new(interpreter);
    command.arg(crate::house::project(program)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Numbers that look random and come again for the same seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }
}
