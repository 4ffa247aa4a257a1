//! Triggers of the application on columns that `credentials encrypt` seals.

use crate::house::{DATABASE, House, KEY_FILE, Ran};
use rusqlite::Connection;

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
