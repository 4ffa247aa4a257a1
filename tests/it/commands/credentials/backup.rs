//! Side effects of work on credentials: a backup, a row in the audit trail, and the names of copies
//! that still open with the old key.

use crate::house::safe::{Given, make, verified};
use crate::house::{DATABASE, House, KEY_FILE, Ran, listing, open, rows, sample};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const PASSWORD: &str = "the password of the application";
const CANARY: &str = "a canary in plaintext";

/// A house with three sealed logins under its key file.
fn sealed() -> House {
    let house = House::new();
    make(&house.path(DATABASE), &Given::KeyFile(house.path(KEY_FILE)), 3);
    house
}

fn sql(house: &House, text: &str) {
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(text).unwrap();
}

/// Adds a login in plaintext.
fn add_plaintext(house: &House) {
    sql(house, &format!("INSERT INTO logins VALUES ('late', '{CANARY}', NULL)"));
}

/// Runs a command for credentials under the key file, answering yes, with the application's password set.
fn credentials(house: &House, command: &str, more: &[&str]) -> Ran {
    let arguments = ["credentials", command, "--database", DATABASE, "--key-file", KEY_FILE, "--yes"];
    Ran::of(house.command(arguments.iter().chain(more)).env("SECRET_KEY", PASSWORD))
}

const TO_FERNET: [&str; 4] = ["--to", "fernet", "--mappings", "fossawork"];

/// The backups beside the database, oldest first.
fn backups(house: &House) -> Vec<PathBuf> {
    let listed = fs::read_dir(house.path("backups/daily")).into_iter().flatten();
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension != "json"));
    paths.sort();
    paths
}

fn holds(path: &Path, text: &str) -> bool {
    memchr::memmem::find(&fs::read(path).unwrap(), text.as_bytes()).is_some()
}

#[test]
fn the_backup_made_first_holds_the_old_state_and_the_last_line_names_it() {
    let house = sealed();
    add_plaintext(&house);
    let shown = |path: &Path| path.strip_prefix(house.work().canonicalize().unwrap()).unwrap().display().to_string();
    let last = |ran: &Ran, what: &str, number: usize| {
        let made = backups(&house);
        assert_eq!(made.len(), number + 1);
        let made = made[number].canonicalize().unwrap();
        assert_eq!(ran.last_line(), format!("hint: the backup {what}: {}", shown(&made)));
        made
    };
    let reason = |path: &Path| -> String {
        let manifest = fs::read(format!("{}.json", path.display())).unwrap();
        serde_json::from_slice::<Value>(&manifest).unwrap()["reason"].as_str().unwrap().to_owned()
    };

    let ran = credentials(&house, "encrypt", &[]).status(0);
    let what = "made before the encryption still holds the plaintext; delete it when you no longer need it";
    let made = last(&ran, what, 0);
    assert_eq!(reason(&made), "before encrypt");
    assert!(holds(&made, CANARY) && !holds(&house.path(DATABASE), CANARY));
    assert!(!ran.stdout.contains("in a copy"), "it is named once: {}", ran.stdout);

    let old_key = house.one("SELECT id FROM treelift_keys");
    let ran = credentials(&house, "rotate", &[]).status(0);
    let made = last(&ran, "made before the rotation still opens with the old key", 1);
    assert_eq!(reason(&made), "before rotate");
    assert_eq!(rows(&open(&made), "SELECT id FROM treelift_keys"), [[old_key]]);
    assert_eq!(verified(&made, &Given::KeyFile(house.path(KEY_FILE))).unwrap().opened, 4);

    let ran = credentials(&house, "hand-over", &TO_FERNET).status(0);
    let made = last(&ran, "made before the hand-over still opens with the passphrase or key file", 2);
    assert_eq!(reason(&made), "before hand-over");
    assert_eq!(verified(&made, &Given::KeyFile(house.path(KEY_FILE))).unwrap().opened, 4);
}

#[test]
fn no_backup_is_left_by_a_dry_run_a_failure_or_no_backup() {
    let commands: [(&str, &[&str]); 3] = [("encrypt", &[]), ("rotate", &[]), ("hand-over", &TO_FERNET)];
    for (command, more) in commands {
        let house = sealed();
        if command == "encrypt" {
            add_plaintext(&house);
        }
        let before = listing(&house.work());
        credentials(&house, command, &[more, &["--dry-run"]].concat()).status(0);
        assert_eq!(listing(&house.work()), before, "{command}: dry run");

        sql(&house, "CREATE TRIGGER no BEFORE UPDATE ON logins BEGIN SELECT RAISE(ABORT, 'no'); END");
        let before = listing(&house.work());
        let allowed: &[&str] = if command == "encrypt" { &["--with-triggers"] } else { &[] };
        credentials(&house, command, &[more, allowed].concat()).status(3);
        assert_eq!(listing(&house.work()), before, "{command}: failed");

        sql(&house, "DROP TRIGGER no");
        let ran = credentials(&house, command, &[more, &["--no-backup", "--json"]].concat()).status(0);
        assert_eq!(ran.json()["backup"], json!(null), "{command}");
        assert!(!house.path("backups").exists(), "{command}");
    }
}

#[test]
fn copies_on_the_shelves_are_named_including_packed_ones() {
    let house = sealed();
    add_plaintext(&house);
    let elsewhere = house.backups();
    let create = ["backup", "create", "--database", DATABASE, "--compress", "--mappings", "notes"];
    house.run(create).status(0);
    house.run(create.iter().chain(&["--backup-dir", elsewhere.to_str().unwrap()])).status(0);
    let beside = backups(&house).remove(0).canonicalize().unwrap().display().to_string();

    let encrypted = credentials(&house, "encrypt", &["--backup-dir", "kept", "--json"]).status(0).json();
    assert_eq!(encrypted["traces"], json!({ "own": [], "copies": [beside] }), "it is unpacked and searched");
    let first = house.path(encrypted["backup"].as_str().unwrap()).canonicalize().unwrap();

    // Rewrapped, the key is in these backups under another wrapping than the one that goes next.
    for new in ["one.key", "two.key"] {
        treelift::secret::key_file::new_key_file(&house.path(new)).unwrap();
        let ran = credentials(&house, "rekey", &["--new-key-file", new]).status(0);
        assert!(ran.stdout.contains(&format!("warning: the old wrapped key is still in a copy: {beside}\n")));
        fs::copy(house.path(new), house.path(KEY_FILE)).unwrap();
    }

    let kept = elsewhere.to_str().unwrap();
    let rotated = credentials(&house, "rotate", &["--backup-dir", kept, "--json"]).status(0).json();
    let copies: Vec<&str> =
        rotated["traces"]["copies"].as_array().unwrap().iter().map(|copy| copy.as_str().unwrap()).collect();
    assert_eq!(copies.len(), 2, "the one beside and the one that was there before: {copies:?}");
    assert!(copies.contains(&beside.as_str()) && copies.iter().any(|copy| copy.ends_with(".db.gz")));
    assert!(!copies.contains(&first.to_str().unwrap()), "an unnamed folder is not searched");
    assert!(!copies.contains(&rotated["backup"].as_str().unwrap()), "the one just made is reported by itself");
}

#[test]
fn what_was_done_is_in_the_audit_trail_without_a_secret() {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    let values = house.one("SELECT seal_count FROM treelift_keys");
    let first = house.one("SELECT id FROM treelift_keys");
    treelift::secret::key_file::new_key_file(&house.path("new.key")).unwrap();
    credentials(&house, "rekey", &["--new-key-file", "new.key"]).status(0);
    fs::copy(house.path("new.key"), house.path(KEY_FILE)).unwrap();
    credentials(&house, "rotate", &[]).status(0);
    let second = house.one("SELECT id FROM treelift_keys");
    credentials(&house, "hand-over", &["--to", "fernet"]).status(0);
    credentials(&house, "encrypt", &["--from", "fernet"]).status(0);

    let trail = house
        .rows("SELECT action, table_name, record_id FROM audit_trail WHERE table_name = 'credentials' ORDER BY id");
    let expected = [("rekey", &first), ("rotate", &second), ("hand-over", &second), ("encrypt", &second)];
    assert_eq!(trail, expected.map(|(action, key)| [action, "credentials", key]));
    let details = house.one("SELECT after_json FROM audit_trail WHERE action = 'rotate'");
    let number: u64 = values.parse().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&details).unwrap(), json!({ "old_keys": [first], "values": number }));
    let wrapped = house.one("SELECT wrapped_key FROM treelift_keys");
    let all = house.rows("SELECT * FROM audit_trail").concat().join("\n");
    assert!(!all.contains("tl2.") && !all.contains(&wrapped) && !all.contains(PASSWORD), "{all}");
}

#[test]
fn a_database_of_another_program_gets_its_own_audit_trail() {
    let house = House::new();
    sql(
        &house,
        &format!(
            "CREATE TABLE logins (person TEXT PRIMARY KEY, password TEXT); INSERT INTO logins VALUES ('ann', '{CANARY}')"
        ),
    );
    credentials(&house, "encrypt", &["--no-backup"]).status(0);
    let trail = house.rows("SELECT action, subject, reason, details FROM treelift_audit");
    let details = r#"{"from":null,"values":1,"columns":["logins.password"]}"#;
    assert_eq!(trail, [["encrypt", "credentials", "values were sealed", details]]);
    credentials(&house, "encrypt", &[]).status(0);
    assert_eq!(house.one("SELECT count(*) FROM treelift_audit"), "1", "nothing was sealed, nothing is recorded");
    assert!(!house.path("backups").exists());
}
