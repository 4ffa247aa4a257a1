//! Secrets: sealed so that they open again, and nowhere in plaintext.

use crate::house::independent::{Login, Tree};
use crate::house::{DATABASE, House, PASSPHRASE_FILE, hex, listing, open, project, rows, sample};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use rusqlite::Connection;
use secrecy::ExposeSecret;
use std::collections::BTreeSet;
use std::path::Path;
use treelift::secret::cipher::{SealPlace, Sealer};
use treelift::secret::keys::{KeyRow, Secret, unlock};
use treelift::secret::passphrase::Strength;

/// The sample imported with its passphrase and every kind of output that can be asked for.
fn imported() -> House {
    let house = House::new();
    let (source, passphrase) = (sample(), project(PASSPHRASE_FILE));
    let asked = ["--report", "report.json", "--report", "report.html", "--rejects", "rejects", "-v"];
    let run = house.run(
        ["import", "--reread", source.to_str().unwrap(), "--passphrase-file", passphrase.to_str().unwrap()]
            .into_iter()
            .chain(["--database", "sqlite:///./target.db"])
            .chain(asked),
    );
    let run = run.status(0);
    house.file("stdout", &run.stdout);
    house.file("stderr", &run.stderr);
    house
}

#[test]
fn no_secret_value_is_found_in_any_file_that_a_run_leaves() {
    let house = imported();
    let secrets = Tree::read(&sample()).secrets();
    assert!(secrets.len() > 5, "the sample has secrets to look for");
    assert_eq!(hits(&house.work(), &secrets), Vec::<String>::new());
    assert_eq!(hits(&house.tmp(), &secrets), Vec::<String>::new());
}

/// The search itself finds what it should: a test that finds nothing because it looks for nothing is none.
#[test]
fn the_search_finds_a_secret_in_each_form() {
    let house = House::new();
    let secret = "q\"7\\Lm zw!Kñ";
    for (name, content) in forms(secret) {
        house.file(&format!("planted/{name}"), format!("before{content}after"));
    }
    let secrets = BTreeSet::from([secret.to_owned()]);
    assert_eq!(hits(&house.work(), &secrets).len(), forms(secret).len());
}

#[test]
fn each_login_opens_again_with_the_passphrase() {
    let house = imported();
    let secret = Secret::from_passphrase_file(&project(PASSPHRASE_FILE), Strength::Any).unwrap();
    assert_eq!(opened(&house, &secret), Tree::read(&sample()).logins());
}

#[test]
fn each_login_opens_again_with_the_key_file() {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    let secret = Secret::from_key_file(&house.path(crate::house::KEY_FILE)).unwrap();
    assert_eq!(opened(&house, &secret), Tree::read(&sample()).logins());
}

#[test]
fn every_registered_value_is_sealed_and_nothing_else_is() {
    let house = imported();
    let database = open(&house.path(DATABASE));
    let sealed = rows(&database, "SELECT DISTINCT table_name, column_name FROM treelift_sealed_columns ORDER BY 1, 2");
    let expected = [
        ["global_settings", "setting_value"],
        ["user_credentials", "encrypted_password"],
        ["user_credentials", "encrypted_username"],
    ];
    assert_eq!(sealed, expected);
    let loose = "SELECT count(*) FROM user_credentials WHERE encrypted_password NOT LIKE 'tl2.%' OR encrypted_username NOT LIKE 'tl2.%'";
    assert_eq!(house.one(loose), "0");
    assert_eq!(
        house.one("SELECT seal_count FROM treelift_keys WHERE state = 'active'"),
        // The mail account's name and password are settings.
        (2 * Tree::read(&sample()).logins().len() + 2).to_string()
    );
}

#[test]
fn a_wrong_passphrase_says_so_and_changes_nothing() {
    let house = imported();
    let before = listing(&house.work());
    house.file("wrong.txt", "not the passphrase at all\n");
    let source = sample();
    let arguments = [
        "import",
        "--reread",
        source.to_str().unwrap(),
        "--passphrase-file",
        "wrong.txt",
        "--database",
        "sqlite:///./target.db",
        "--yes",
    ];
    let run = house.run(arguments).status(3);
    assert!(run.stderr.contains("the passphrase does not open key `"), "{}", run.stderr);
    assert!(!run.stderr.contains("not the passphrase at all"));
    std::fs::remove_file(house.path("wrong.txt")).unwrap();
    assert_eq!(listing(&house.work()), before);
}

#[test]
fn two_secrets_at_once_and_none_at_all_are_usage_errors() {
    let house = House::new();
    let (source, passphrase) = (sample(), project(PASSPHRASE_FILE));
    house.import(&source, &["--passphrase-file", passphrase.to_str().unwrap()]).status(2);
    // Without a terminal nobody can be asked; the test would hang if it were tried.
    house.run(["import", "--reread", source.to_str().unwrap(), "--database", "sqlite:///./target.db"]).status(2);
    assert!(!house.path(DATABASE).exists());
}

#[test]
fn a_passphrase_may_come_from_the_environment() {
    let house = House::new();
    let source = sample();
    let mut command =
        house.command(["import", "--reread", source.to_str().unwrap(), "--database", "sqlite:///./target.db"]);
    let run = crate::house::Ran::of(command.env("TREELIFT_PASSPHRASE", "a passphrase of the test")).status(0);
    assert!(!run.stdout.contains("a passphrase of the test") && !run.stderr.contains("a passphrase of the test"));
    house.file("same.txt", "a passphrase of the test\r\n");
    let secret = Secret::from_passphrase_file(&house.path("same.txt"), Strength::Any).unwrap();
    assert_eq!(opened(&house, &secret).len(), Tree::read(&sample()).logins().len());
}

/// Every login of the database, opened by the library alone: the key table, the column table, the value.
pub(crate) fn opened(house: &House, secret: &Secret) -> BTreeSet<(String, Login)> {
    let database = open(&house.path(DATABASE));
    let key = active_key(&database);
    let sealer = Sealer::new(unlock(&key, secret).expect("the secret opens the key"), &key).unwrap();
    let columns = rows(
        &database,
        "SELECT DISTINCT key_columns FROM treelift_sealed_columns WHERE table_name = 'user_credentials'",
    );
    assert_eq!(columns.len(), 1, "both halves hang on the same key");
    let columns: Vec<String> = serde_json::from_str(&columns[0][0]).unwrap();
    let sql = format!(
        "SELECT user_id, service_name, encrypted_username, encrypted_password, {} FROM user_credentials",
        columns.join(", ")
    );
    let open = |row: &[String], column: &str, token: &str| {
        let place = SealPlace { table: "user_credentials", column, key_columns: &columns, key: &row[4..] };
        sealer
            .open(&place, token)
            .unwrap_or_else(|error| panic!("{column} of {}: {error}", row[0]))
            .expose_secret()
            .to_owned()
    };
    let login = |row: Vec<String>| {
        let (name, password) = (open(&row, "encrypted_username", &row[2]), open(&row, "encrypted_password", &row[3]));
        (row[0].clone(), (row[1].clone(), name, password))
    };
    rows(&database, &sql).into_iter().map(login).collect()
}

fn active_key(database: &Connection) -> KeyRow {
    let sql = "SELECT id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at FROM treelift_keys WHERE state = 'active'";
    let row = |row: &rusqlite::Row<'_>| {
        Ok(KeyRow {
            id: row.get(0)?,
            state: row.get(1)?,
            kdf: row.get(2)?,
            key_check: row.get(3)?,
            wrapped_key: row.get(4)?,
            seal_count: row.get(5)?,
            created_at: row.get(6)?,
            retired_at: row.get(7)?,
        })
    };
    database.query_row(sql, [], row).unwrap()
}

/// The forms in which a value could stand somewhere.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let bytes = secret.as_bytes();
    let json = serde_json::to_string(secret).unwrap();
    let ascii: String = json[1..json.len() - 1]
        .encode_utf16()
        .map(|unit| if unit < 128 { char::from(unit as u8).to_string() } else { format!("\\u{unit:04x}") })
        .collect();
    let mut forms = vec![
        ("raw", secret.to_owned()),
        ("json", json[1..json.len() - 1].to_owned()),
        ("json-ascii", ascii),
        ("html", secret.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")),
        ("hex", hex(bytes)),
        ("hex-capitals", hex(bytes).to_uppercase()),
        ("base64", STANDARD.encode(bytes).trim_end_matches('=').to_owned()),
        ("base64url", URL_SAFE.encode(bytes).trim_end_matches('=').to_owned()),
    ];
    forms.dedup_by(|a, b| a.1 == b.1);
    forms
}

/// Which secrets stand in which files below a directory. Short ones would be found by accident.
pub(crate) fn hits(directory: &Path, secrets: &BTreeSet<String>) -> Vec<String> {
    let files =
        walkdir::WalkDir::new(directory).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    let mut hits = Vec::new();
    for file in files {
        let bytes = std::fs::read(file.path()).unwrap();
        for secret in secrets.iter().filter(|secret| secret.len() >= 6) {
            let found =
                forms(secret).into_iter().find(|(_, form)| memchr::memmem::find(&bytes, form.as_bytes()).is_some());
            if let Some((form, _)) = found {
                hits.push(format!("`{secret}` is in {} ({form})", file.path().display()));
            }
        }
    }
    hits
}

#[test]
fn the_status_tells_what_a_key_sealed_from_what_is_still_there() {
    let house = House::new();
    let run = house.import(&sample(), &["--json"]).status(0).json()["run_id"].as_str().unwrap().to_owned();
    let keys = || {
        let status = house.run(["credentials", "status", "--database", DATABASE]);
        status.stdout.lines().find(|line| line.starts_with("key ")).unwrap().to_owned()
    };
    assert!(keys().ends_with(" values"), "{}", keys());
    house.run(["undo", &run, "--database", DATABASE, "--yes"]).status(0);
    assert!(keys().ends_with(" values, 0 of them still there"), "{}", keys());
}
