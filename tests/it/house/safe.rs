//! A small database with sealed logins, made by the library, and jobs on it in this process.

use crate::house::Ran;
use crate::house::site::Site;
use rusqlite::Connection;
use secrecy::SecretString;
use std::collections::BTreeSet;
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
use treelift::secret::keys::{DataKey, KeyRow, Secret, create};
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
    verified_at(database.to_str().unwrap(), given)
}

/// The same of a database of any engine.
pub(crate) fn verified_at(url: &str, given: &Given) -> Result<Verified> {
    let database = database::open(url)?;
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
    let run =
        |sql: &str| Connection::open(path).unwrap().execute_batch(&format!("PRAGMA synchronous = OFF; {sql}")).unwrap();
    make_at(path.to_str().unwrap(), true, &run, given, rows);
}

/// The same in a database of any engine, whose statements `run` runs.
pub(crate) fn make_at(url: &str, is_file: bool, run: &dyn Fn(&str), given: &Given, rows: usize) {
    let (moment, number, whole) =
        if is_file { ("DATETIME", "INTEGER", " WITHOUT ROWID") } else { ("text", "bigint", "") };
    let (key, row) = create(&given.secret(), Cost::cheap_for_tests(), jiff::Timestamp::now()).unwrap();
    let mut sealer = Sealer::new(key, &row).unwrap();
    let mut logins = String::new();
    for number in 0..rows {
        let key = [format!("person {number}")];
        let place = SealPlace { table: "logins", column: "password", key_columns: &["person".to_owned()], key: &key };
        let token = sealer.seal(&place, &login(number).into()).unwrap();
        logins.push_str(&format!("INSERT INTO logins VALUES ('{}', '{token}', NULL);\n", key[0]));
    }
    let KeyRow { id, state, kdf, key_check, wrapped_key, created_at, .. } = &row;
    let seals = sealer.sealed_count();
    run(&format!(
        "BEGIN;
         CREATE TABLE logins (person TEXT NOT NULL PRIMARY KEY, password TEXT NOT NULL, note TEXT);
         CREATE TABLE treelift_keys (
             id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, kdf TEXT NOT NULL, key_check TEXT NOT NULL,
             wrapped_key TEXT NOT NULL, seal_count {number} NOT NULL, created_at {moment} NOT NULL, retired_at {moment}
         );
         CREATE TABLE treelift_sealed_columns (
             table_name TEXT NOT NULL, column_name TEXT NOT NULL, key_columns TEXT NOT NULL, format TEXT NOT NULL,
             row_filter TEXT
         );
         INSERT INTO treelift_sealed_columns VALUES ('logins', 'password', '[\"person\"]', 'tl2', NULL);
         CREATE TABLE treelift_state (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL){whole};
         {logins}
         INSERT INTO treelift_keys
         VALUES ('{id}', '{state}', '{kdf}', '{key_check}', '{wrapped_key}', {seals}, '{created_at}', NULL);
         COMMIT"
    ));
    prove(url, sealer.data_key());
}

/// Writes the proof of keys and registry, and an id.
fn prove(url: &str, key: &DataKey) {
    let database = treelift::database::open(url).unwrap();
    let mut cells = database.change(Mode::Real, &BTreeSet::new()).unwrap().unwrap();
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

impl Site {
    /// `treelift credentials COMMAND` on the database, answering yes.
    pub(crate) fn command(&self, command: &str, more: &[&str]) -> Command {
        let name = self.name();
        let mut arguments = vec!["credentials", command, "--database", name];
        if !["status", "verify"].contains(&command) {
            arguments.push("--yes");
        }
        if ["encrypt", "rotate", "hand-over"].contains(&command) && !more.contains(&"--no-backup") {
            if self.is_file() {
                arguments.extend(["--backup-dir", "../backups"]);
            } else if !more.contains(&"--backup-dir") {
                arguments.push("--no-backup");
            }
        }
        arguments.extend(more);
        self.house.command(arguments)
    }

    pub(crate) fn credentials(&self, command: &str, more: &[&str]) -> Ran {
        Ran::of(&mut self.command(command, more))
    }

    /// What the database's own Python reader says: `tests/interop/database.py ACTION DATABASE …`.
    pub(crate) fn python(&self, program: &str, action: &str, more: &[&str]) -> Command {
        let mut command = python(program);
        command.arg(action).arg(self.name()).args(more).current_dir(self.house.work());
        command
    }

    /// Fills it with so many sealed logins ([`make`]).
    pub(crate) fn make(&self, given: &Given, rows: usize) {
        make_at(&self.url(), self.is_file(), &|sql| self.sql(sql), given, rows);
    }

    /// `credentials verify`, in this process.
    pub(crate) fn verified(&self, given: &Given) -> Result<Verified> {
        verified_at(&self.url(), given)
    }
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
