//! Triggers of the application on columns that `credentials encrypt` seals.

use crate::house::safe::{Attendant, Given};
use crate::house::{DATABASE, House, KEY_FILE, Ran};
use rusqlite::Connection;
use std::path::PathBuf;
use treelift::backup::Before;
use treelift::config::{Phase, SecretNeed, Ui};
use treelift::credentials::Job;
use treelift::credentials::choice::Choice;
use treelift::credentials::columns::ColumnName;
use treelift::database::{self, Mode};
use treelift::error::Result;
use treelift::secret::keys::Secret;

/// A database with two logins in plaintext, and this trigger.
fn house(trigger: &str) -> House {
    let house = House::new();
    let sql = format!(
        "CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, door TEXT, password TEXT);
         INSERT INTO logins VALUES ('a', 'x', 'opens-the-door'), ('b', 'y', 'opens-the-cellar');
         CREATE TABLE audit (old TEXT); {trigger}"
    );
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(&sql).unwrap();
    house
}

fn encrypt(house: &House, more: &[&str]) -> Ran {
    let fixed = ["credentials", "encrypt", "--database", DATABASE, "--column", "logins.password", "--yes"];
    let fixed = fixed.into_iter().chain(["--key-file", KEY_FILE, "--no-backup"]);
    house.run(fixed.chain(more.iter().copied()))
}

const COPY: &str = "CREATE TRIGGER keep AFTER UPDATE ON logins BEGIN INSERT INTO audit VALUES (OLD.password); END;";

#[test]
fn a_trigger_that_sees_the_plaintext_is_named_and_refused() {
    let house = house(COPY);
    let before = std::fs::read(house.path(DATABASE)).unwrap();
    let ran = encrypt(&house, &[]).status(2);
    let words = "error: triggers run when these columns are sealed, and may copy the plaintext elsewhere: \
                 `keep` on `logins.password`\n";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert_eq!(std::fs::read(house.path(DATABASE)).unwrap(), before);
}

#[test]
fn copies_that_an_allowed_trigger_makes_are_counted_and_end_with_one() {
    let house = house(COPY);
    let report = encrypt(&house, &["--with-triggers", "--json"]).status(1).json();
    assert_eq!(report["triggers"], serde_json::json!(["`keep` on `logins.password`"]));
    assert_eq!(report["elsewhere"], serde_json::json!([{"table": "audit", "column": "old", "cells": 2}]));
    assert_eq!(house.one("SELECT count(*) FROM logins WHERE password LIKE 'tl%'"), "2");
}

#[test]
fn a_trigger_that_does_not_run_on_the_column_is_no_obstacle() {
    let others = [
        "CREATE TRIGGER a AFTER INSERT ON logins BEGIN INSERT INTO audit VALUES (NEW.password); END;",
        "CREATE TRIGGER b AFTER UPDATE OF door, id ON logins BEGIN INSERT INTO audit VALUES (OLD.password); END;",
        "CREATE TRIGGER c AFTER UPDATE ON audit BEGIN SELECT 1; END;",
    ];
    encrypt(&house(&others.concat()), &[]).status(0);
    let of = "CREATE TRIGGER d AFTER UPDATE OF door, Password ON logins BEGIN SELECT 1; END;";
    encrypt(&house(of), &[]).status(2);
    encrypt(&house(of), &["--with-triggers"]).status(0);
}

#[test]
fn a_trigger_on_a_column_that_is_sealed_wholly_is_no_obstacle_to_sealing_another() {
    let house = house("");
    encrypt(&house, &[]).status(0);
    let more = "ALTER TABLE logins ADD COLUMN pin TEXT; UPDATE logins SET pin = '4711-opens' WHERE id = 'a';
                CREATE TRIGGER p AFTER UPDATE OF password ON logins BEGIN INSERT INTO audit VALUES (NEW.password); END;";
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(more).unwrap();
    let report = encrypt(&house, &["--column", "logins.pin", "--json"]).status(0).json();
    assert_eq!((&report["sealed"], &report["triggers"]), (&serde_json::json!(1), &serde_json::json!([])));
    // With one value in plaintext again it is one.
    let plain = "DROP TRIGGER p; UPDATE logins SET password = 'opens-again' WHERE id = 'b';
                 CREATE TRIGGER p AFTER UPDATE OF password ON logins BEGIN INSERT INTO audit VALUES (NEW.password); END;";
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(plain).unwrap();
    let ran = encrypt(&house, &["--column", "logins.pin"]).status(2);
    assert!(ran.stderr.contains("`p` on `logins.password`") && !ran.stderr.contains("logins.pin"), "{}", ran.stderr);
}

/// Somebody who answers, and while they look for the key another program makes a trigger.
struct Slow {
    attendant: Attendant,
    database: PathBuf,
}

impl Ui for Slow {
    fn phase(&self, _: Phase, _: u64, _: u64) {}
    fn advance(&self, _: u64, _: u64) {}
    fn interrupted(&self) -> Option<i32> {
        None
    }
    fn confirm(&self, _: &str) -> Result<bool> {
        Ok(true)
    }
    fn secret(&self, need: SecretNeed) -> Result<Option<Secret>> {
        Connection::open(&self.database).unwrap().execute_batch(COPY).unwrap();
        self.attendant.secret(need)
    }
    fn say(&self, _: &str) {}
}

#[test]
fn a_trigger_that_is_made_while_the_command_asks_is_refused_as_well() {
    let house = house("");
    let database = house.path(DATABASE);
    let ui = Slow { attendant: Attendant(Given::KeyFile(house.path(KEY_FILE))), database: database.clone() };
    let database = database::open(database.to_str().unwrap()).unwrap();
    let before = Before { skip: true, ..Before::default() };
    let job = Job { database: &*database, mode: Mode::Real, ui: &ui, before, audit: None };
    let password = ColumnName { table: "logins".into(), column: "password".into() };
    let choice = Choice { columns: vec![password], ..Choice::default() };
    let refusal = treelift::credentials::encrypt::encrypt(&job, &choice).unwrap_err().to_string();
    assert!(refusal.contains("may copy the plaintext elsewhere: `keep` on `logins.password`"), "{refusal}");
    assert_eq!(house.rows("SELECT password FROM logins"), [["opens-the-door"], ["opens-the-cellar"]]);
    assert_eq!(house.one("SELECT count(*) FROM audit"), "0");
}

#[test]
fn a_trigger_that_undoes_or_refuses_the_sealing_ends_the_command_and_changes_nothing() {
    let triggers = [
        "CREATE TRIGGER e BEFORE UPDATE ON logins BEGIN SELECT RAISE(IGNORE); END;",
        "CREATE TRIGGER f AFTER UPDATE ON logins WHEN NEW.password LIKE 'tl%' BEGIN UPDATE logins SET password = OLD.password WHERE id = NEW.id; END;",
        "CREATE TRIGGER g AFTER UPDATE ON logins BEGIN DELETE FROM logins WHERE id = NEW.id; END;",
        "CREATE TRIGGER h BEFORE UPDATE ON logins BEGIN SELECT RAISE(ROLLBACK, 'no'); END;",
    ];
    for trigger in triggers {
        let house = house(trigger);
        let ran = encrypt(&house, &["--with-triggers"]);
        assert_eq!(ran.status, Some(3), "{trigger}: {}", ran.stderr);
        assert_eq!(house.rows("SELECT password FROM logins"), [["opens-the-door"], ["opens-the-cellar"]], "{trigger}");
    }
}

#[test]
fn a_trigger_that_removes_what_is_sealed_again_ends_the_rotation_and_changes_nothing() {
    let house = house("");
    encrypt(&house, &[]).status(0);
    let conn = Connection::open(house.path(DATABASE)).unwrap();
    conn.execute_batch("CREATE TRIGGER g AFTER UPDATE ON logins BEGIN DELETE FROM logins WHERE id = NEW.id; END")
        .unwrap();
    drop(conn);
    let before = house.rows("SELECT password FROM logins");
    let fixed = ["credentials", "rotate", "--database", DATABASE, "--yes", "--key-file", KEY_FILE, "--no-backup"];
    let ran = house.run(fixed).status(3);
    let words = "error: a value of `logins.password` was changed or removed while it was written\n";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert_eq!(house.rows("SELECT password FROM logins"), before);
}

#[test]
fn a_trigger_that_changes_another_sealed_value_ends_the_hand_over_and_changes_nothing() {
    let house = house("ALTER TABLE logins ADD COLUMN pin TEXT; UPDATE logins SET pin = '4711-' || id;");
    encrypt(&house, &["--column", "logins.pin"]).status(0);
    let undo = "CREATE TRIGGER u AFTER UPDATE OF pin ON logins BEGIN UPDATE logins SET password = 'of a trigger' WHERE id = NEW.id; END";
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(undo).unwrap();
    house.file("set/set.toml", "name = \"doors\"\n[hand_over.fernet]\npassword = [\"APP_PASSWORD\"]\nsalt = { default = \"doors\", bytes = 16, fill = \"0\" }\nrounds = 1000\n");
    let before = house.rows("SELECT password, pin FROM logins");
    let fixed = ["credentials", "hand-over", "--to", "fernet", "--mappings", "set", "--database", DATABASE, "--yes"];
    let mut command = house.command(fixed.iter().chain(&["--key-file", KEY_FILE, "--no-backup"]));
    let ran = Ran::of(command.env("APP_PASSWORD", "the application's")).status(3);
    let words =
        "error: a value does not open: this is not a Fernet token in the given form\n  at logins.password, row a\n";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert_eq!(house.rows("SELECT password, pin FROM logins"), before);
}
