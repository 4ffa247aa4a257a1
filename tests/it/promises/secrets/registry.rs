//! Keys and the registry of sealed columns are proved together: what another program changed of them is
//! refused, and databases of the first format are read, proved and rewritten.

use crate::house::safe::{Attendant, Given, make, verified};
use crate::house::{House, KEY_FILE, open, project, rows};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use treelift::backup::Before;
use treelift::credentials::Job;
use treelift::credentials::application::Application;
use treelift::credentials::choice::Choice;
use treelift::credentials::encrypt::encrypt;
use treelift::credentials::hand_over::hand_over;
use treelift::credentials::rotate::rotate;
use treelift::credentials::status::status;
use treelift::database::{self, Mode};
use treelift::error::Result;
use treelift::import::vault::KeySource;
use treelift::mapping::load::{SetSource, load};
use treelift::mapping::model::FernetForm;
use treelift::report::CheckStatus;
use treelift::validate;

/// A database of three sealed logins, under the house's key file.
fn sealed() -> (House, PathBuf, Given) {
    let house = House::new();
    let (path, given) = (house.path("sealed.db"), Given::KeyFile(house.path(KEY_FILE)));
    make(&path, &given, 3);
    (house, path, given)
}

fn change(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

/// Does a job on the database, without a backup.
fn work<T>(path: &Path, given: &Given, job: impl FnOnce(&Job<'_>) -> Result<T>) -> Result<T> {
    let database = database::open(path.to_str().unwrap()).unwrap();
    let (ui, before) = (Attendant(given.clone()), Before { skip: true, ..Before::default() });
    job(&Job { database: &*database, mode: Mode::Real, ui: &ui, before, audit: None })
}

fn application() -> Application {
    let form = FernetForm {
        password: vec!["PASSWORD".into()],
        salt_variable: None,
        salt: "salt".into(),
        salt_fit: None,
        rounds: 1,
        base64: false,
        keep_empty: true,
        message: None,
    };
    Application::new(&form, &|_| Ok(Some("a password".into()))).unwrap().unwrap()
}

/// What each command that opens says of a database, where it refuses.
fn refusals(path: &Path, given: &Given) -> Vec<String> {
    change(path, "INSERT OR REPLACE INTO logins VALUES ('plain', 'a new password in plaintext', NULL)");
    let before = fs::read(path).unwrap();
    let import = || {
        let record = database::open(path.to_str().unwrap())?.seal_record()?;
        KeySource::Given(given.secret()).opens(&record)
    };
    let outcomes = [
        ("import", import()),
        ("encrypt", work(path, given, |job| encrypt(job, &Choice::default())).map(drop)),
        ("verify", verified(path, given).map(drop)),
        ("rekey", work(path, given, treelift::credentials::rekey::rekey).map(drop)),
        ("rotate", work(path, given, rotate).map(drop)),
        ("hand-over", work(path, given, |job| hand_over(job, &|| Ok(application()))).map(drop)),
    ];
    assert!(fs::read(path).unwrap() == before, "nothing was changed");
    outcomes
        .into_iter()
        .map(|(command, outcome)| match outcome {
            Ok(()) => panic!("{command} accepted it"),
            Err(error) => error.to_string(),
        })
        .collect()
}

const MISMATCH: &str = "the keys or the registry of sealed columns were changed by another program";

#[test]
fn an_old_key_row_that_is_put_back_after_a_rotation_is_refused_by_every_command() {
    let (_house, path, given) = sealed();
    let columns = "id, state, kdf, key_check, wrapped_key, seal_count, created_at, retired_at";
    let read = format!("SELECT {columns} FROM treelift_keys");
    let old = rows(&open(&path), &read).remove(0);
    let rotated = work(&path, &given, rotate).unwrap();
    assert_eq!((rotated.values, verified(&path, &given).unwrap().opened), (3, 3));
    let quoted: Vec<String> =
        old.iter().map(|cell| if cell == "NULL" { cell.clone() } else { format!("'{cell}'") }).collect();
    change(&path, &format!("DELETE FROM treelift_keys; INSERT INTO treelift_keys VALUES ({})", quoted.join(", ")));
    for refusal in refusals(&path, &given) {
        assert!(refusal.contains(MISMATCH), "{refusal}");
    }
    let database = database::open(path.to_str().unwrap()).unwrap();
    assert_eq!(status(&*database, &[]).unwrap().lost, 3, "reported without a key too");

    // Beside the new one it is not trusted either, nor where the proof was removed with it.
    let beside = quoted.join(", ").replace("'active'", "'retired'");
    change(
        &path,
        &format!(
            "DELETE FROM treelift_keys; INSERT INTO treelift_keys VALUES ({beside});
             UPDATE treelift_keys SET state = 'active'; DROP TABLE treelift_state"
        ),
    );
    for refusal in refusals(&path, &given) {
        assert!(refusal.contains("is missing from `treelift_state`"), "{refusal}");
    }
    assert!(status(&*database, &[]).unwrap().proof.unwrap().contains("is missing"));
}

#[test]
fn an_edited_registry_key_table_or_proof_is_refused() {
    let (_house, path, given) = sealed();
    let whole = fs::read(&path).unwrap();
    let other_key = "INSERT INTO treelift_keys SELECT '0011223344556677', 'retired', kdf, key_check, wrapped_key, 0, \
                     created_at, created_at FROM treelift_keys";
    let cases = [
        ("UPDATE treelift_sealed_columns SET key_columns = '[\"note\"]'", MISMATCH),
        ("UPDATE treelift_sealed_columns SET key_columns = '[\"person\" ]'", MISMATCH),
        ("UPDATE treelift_sealed_columns SET row_filter = '{\"person\":\"person 1\"}'", MISMATCH),
        ("UPDATE treelift_sealed_columns SET format = 'fernet'", MISMATCH),
        ("DELETE FROM treelift_sealed_columns", MISMATCH),
        ("INSERT INTO treelift_sealed_columns VALUES ('logins', 'note', '[\"person\"]', 'tl2', NULL)", MISMATCH),
        (other_key, MISMATCH),
        ("UPDATE treelift_state SET value = '{\"logins\":2}' WHERE name = 'sealed_counts'", MISMATCH),
        ("UPDATE treelift_state SET value = replace(value, 'a', 'b') || '0' WHERE name = 'registry_hmac'", MISMATCH),
        ("DELETE FROM treelift_state WHERE name = 'registry_hmac'", "is missing from `treelift_state`"),
        ("DROP TABLE treelift_state", "is missing from `treelift_state`"),
        ("UPDATE treelift_keys SET state = 'retired'", "`treelift_keys` is damaged: no key is active"),
    ];
    for (sql, words) in cases {
        fs::write(&path, &whole).unwrap();
        change(&path, sql);
        let refusal = verified(&path, &given).map(|found| found.problems).unwrap_err().to_string();
        assert!(refusal.contains(words), "{sql}: {refusal}");
    }
}

/// The checks of the security category that fail, with their details, and what `credentials status` says of
/// keys, registry and values: what shows without a key.
fn without_key(path: &Path) -> (Vec<String>, Vec<String>) {
    let files = vec![("set.toml".to_owned(), "name = \"logins\"\n".to_owned())];
    let set = load(&SetSource::Files { folder: "set".into(), files }).unwrap();
    let database = database::open(path.to_str().unwrap()).unwrap();
    let checks = validate::database(&*database, &set, &[validate::Category::Security]).unwrap();
    let failed = checks.into_iter().filter(|check| check.status == CheckStatus::Failed);
    let of_file = "the database file is closed to other users";
    let failed = failed.filter(|check| check.name != of_file).map(|check| check.detail.unwrap_or_default()).collect();
    let found = status(&*database, &[]).unwrap();
    (failed, [found.disagreements, found.proof.into_iter().collect()].concat())
}

/// The exit status of `credentials status`, and its words.
fn status_command(path: &Path) -> (Option<i32>, String) {
    let house = House::new();
    let run = house.run(["credentials", "status", "--database", path.to_str().unwrap()]);
    (run.status, run.stdout)
}

#[test]
fn what_does_not_belong_together_fails_without_a_key() {
    let (_house, path, _given) = sealed();
    let whole = fs::read(&path).unwrap();
    assert_eq!(without_key(&path), (Vec::new(), Vec::new()));
    assert_eq!(status_command(&path).0, Some(0));
    let unlisted = "3 values of `logins.password` look sealed, and `treelift_sealed_columns` does not list them";
    let edited = "their digest does not match";
    let counts = "`logins` had 3 sealed values when treelift last sealed, and `treelift_sealed_columns` lists none of its columns";
    let lost = "which is not registered";
    let no_proof = "is missing from `treelift_state`";
    // What validate says, and what `credentials status` says beside its counts.
    let cases: [(&str, &[&str], &[&str]); 15] = [
        ("DROP TABLE treelift_keys", &[lost, "has an HMAC of keys", edited], &["has an HMAC of keys", edited]),
        ("DROP TABLE treelift_sealed_columns", &[unlisted, counts, edited], &[unlisted, counts, edited]),
        ("DROP TABLE treelift_state", &[no_proof], &[no_proof]),
        (
            "DROP TABLE treelift_keys; DROP TABLE treelift_sealed_columns; DROP TABLE treelift_state",
            &[unlisted],
            &[unlisted],
        ),
        ("DROP TABLE treelift_sealed_columns; DROP TABLE treelift_state", &[unlisted], &[unlisted]),
        ("DROP TABLE treelift_keys; DROP TABLE treelift_state", &[lost, no_proof], &[no_proof]),
        ("DELETE FROM treelift_sealed_columns", &[unlisted, counts, edited], &[unlisted, counts, edited]),
        ("UPDATE treelift_sealed_columns SET key_columns = '[\"note\"]'", &[edited], &[edited]),
        (
            "UPDATE treelift_sealed_columns SET key_columns = '[\"gone\"]'; DROP TABLE treelift_state",
            &["names the column `logins.gone`, which does not exist"],
            &["names the column `logins.gone`, which does not exist"],
        ),
        (
            "UPDATE treelift_sealed_columns SET key_columns = 'person'",
            &["is damaged: `key_columns` of `logins.password`", edited],
            &["is damaged: `key_columns` of `logins.password`", edited],
        ),
        (
            "UPDATE treelift_sealed_columns SET row_filter = '{\"person\":\"person 1\"}'",
            &["2 values of `logins.password` look sealed", edited],
            &["2 values of `logins.password` look sealed", edited],
        ),
        (
            "UPDATE treelift_sealed_columns SET format = 'fernet'",
            &["`treelift_sealed_columns` has the column as `fernet`", edited],
            &["`treelift_sealed_columns` has the column as `fernet`", edited],
        ),
        ("UPDATE treelift_keys SET wrapped_key = replace(wrapped_key, 'A', 'B') || 'A'", &[edited], &[edited]),
        ("UPDATE treelift_keys SET state = 'retired'", &["no key is active", edited], &["no key is active", edited]),
        (
            "ALTER TABLE logins RENAME COLUMN password TO secret_word",
            &["3 values of `logins.secret_word` look sealed"],
            &["3 values of `logins.secret_word` look sealed"],
        ),
    ];
    for (sql, by_validate, by_status) in cases {
        fs::write(&path, &whole).unwrap();
        change(&path, sql);
        let (failed, disagreements) = without_key(&path);
        let (failed, disagreements) = (failed.join("\n"), disagreements.join("\n"));
        assert!(by_validate.iter().all(|words| failed.contains(words)), "{sql}: {failed}");
        assert!(by_status.iter().all(|words| disagreements.contains(words)), "{sql}: {disagreements}");
        let (code, words) = status_command(&path);
        assert_eq!(code, Some(1), "{sql}: {words}");
        assert!(words.contains("hint: restore a backup of the whole database"), "{sql}: {words}");
        assert!(!words.contains("nothing is stored in plaintext"), "{sql}: {words}");
    }
}

#[test]
fn values_in_a_json_column_or_a_copy_of_the_table_are_found_without_a_key() {
    let (_house, path, _given) = sealed();
    change(
        &path,
        "CREATE TABLE copies (data JSON, word TEXT, other BLOB);
         INSERT INTO copies SELECT json_quote(password), 'tl2.is no sealed value', x'00' FROM logins",
    );
    let words = "3 values of `copies.data` look sealed, and `treelift_sealed_columns` does not list them";
    let (failed, disagreements) = without_key(&path);
    assert_eq!((failed.len(), disagreements), (1, vec![words.to_owned()]));
}

#[test]
fn rows_that_an_application_deletes_and_a_database_without_secrets_agree() {
    let (_house, path, given) = sealed();
    change(&path, "DELETE FROM logins");
    assert_eq!(without_key(&path), (Vec::new(), Vec::new()));
    let (_house, path, given_first) = first_format();
    assert_eq!(without_key(&path), (Vec::new(), Vec::new()), "the first format has neither proof nor digest");
    drop((given, given_first));
    let house = House::new();
    change(&house.path("plain.db"), "CREATE TABLE words (word TEXT); INSERT INTO words VALUES ('tl1.'), ('tl2.00')");
    assert_eq!(without_key(&house.path("plain.db")), (Vec::new(), Vec::new()));
}

#[test]
fn a_row_filter_compares_texts_with_what_a_column_holds() {
    let (_house, path, given) = sealed();
    change(&path, "ALTER TABLE logins ADD COLUMN kind; UPDATE logins SET kind = 7, note = NULL");
    let database = database::open(path.to_str().unwrap()).unwrap();
    change(&path, "UPDATE treelift_sealed_columns SET row_filter = '{\"kind\":\"7\"}'");
    let states = database.seal_record().unwrap().columns;
    assert_eq!(states.iter().map(|state| state.values).sum::<u64>(), 3, "an integer has the text of its digits");
    drop(given);
}

#[test]
fn a_table_of_very_many_keys_is_refused_before_one_is_derived() {
    let (_house, path, given) = sealed();
    change(
        &path,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO treelift_keys SELECT printf('%016x', i), 'retired', '$argon2id$v=19$m=1048576,t=16,p=1$AAAAAAAAAAAAAAAAAAAAAA',
             key_check, wrapped_key, 0, created_at, created_at FROM treelift_keys, n",
    );
    for refusal in refusals(&path, &given) {
        assert!(
            refusal.contains("`treelift_keys` is damaged: it has 5001 keys, and at most 16 are opened"),
            "{refusal}"
        );
    }
}

#[test]
fn rows_that_the_application_deleted_are_reported_and_refuse_nothing() {
    let (_house, path, given) = sealed();
    change(&path, "DELETE FROM logins WHERE person = 'person 1'");
    let shown = |path: &Path| -> Vec<String> {
        verified(path, &given).unwrap().differences.iter().map(ToString::to_string).collect()
    };
    let difference = "`logins` has 2 sealed values, and had 3 when treelift last sealed";
    assert_eq!(shown(&path), [difference]);
    let database = database::open(path.to_str().unwrap()).unwrap();
    assert_eq!(status(&*database, &[]).unwrap().differences[0].to_string(), difference);
    work(&path, &given, rotate).unwrap();
    assert_eq!(shown(&path), [""; 0], "written anew with every proof");
}

/// A database as the first version left it, and its key file.
fn first_format() -> (House, PathBuf, Given) {
    let house = House::new();
    let sql = fs::read_to_string(project("tests/vectors/first-format.sql")).unwrap();
    let line = sql.lines().find_map(|line| line.strip_prefix("-- ").filter(|text| text.starts_with("treelift-key-1.")));
    let (key, path) = (house.path("first.key"), house.path("first.db"));
    let mut options = fs::OpenOptions::new();
    std::io::Write::write_all(
        &mut options.write(true).create_new(true).mode(0o600).open(&key).unwrap(),
        line.unwrap().as_bytes(),
    )
    .unwrap();
    change(&path, &sql);
    (house, path, Given::KeyFile(key))
}

/// The formats of the sealed values, and whether there is a proof.
fn formats(path: &Path) -> (BTreeSet<String>, bool) {
    let database = open(path);
    let formats = rows(&database, "SELECT substr(password, 1, 4) FROM logins WHERE password IS NOT NULL").concat();
    let has_state = !rows(&database, "SELECT 1 FROM sqlite_schema WHERE name = 'treelift_state'").is_empty();
    let proof = "SELECT 1 FROM treelift_state WHERE name = 'registry_hmac'";
    (formats.into_iter().collect(), has_state && !rows(&database, proof).is_empty())
}

fn of(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn values_of_the_first_format_open_are_kept_by_what_changes_no_value_and_rewritten_by_rotate() {
    let (_house, path, given) = first_format();
    let before = fs::read(&path).unwrap();
    assert_eq!(verified(&path, &given).unwrap().opened, 3);
    assert!(fs::read(&path).unwrap() == before, "reading upgrades nothing");
    assert_eq!(formats(&path), (of(&["tl1."]), false));

    work(&path, &given, treelift::credentials::rekey::rekey).unwrap_err(); // asks for a new secret, and gets none
    change(&path, "INSERT INTO logins VALUES ('new', 'mail', 'a new password')");
    assert_eq!(work(&path, &given, |job| encrypt(job, &Choice::default())).unwrap().sealed, 1);
    assert_eq!(
        formats(&path),
        (of(&["tl1.", "tl2."]), true),
        "the proof is there now, the old values are as they were"
    );
    assert_eq!(verified(&path, &given).unwrap().opened, 4);
    change(&path, "UPDATE treelift_sealed_columns SET key_columns = '[\"service\",\"person\"]'");
    assert!(verified(&path, &given).unwrap_err().to_string().contains(MISMATCH));
    change(&path, "UPDATE treelift_sealed_columns SET key_columns = '[\"person\",\"service\"]'");

    assert_eq!(work(&path, &given, rotate).unwrap().values, 4);
    assert_eq!(formats(&path), (of(&["tl2."]), true));
    assert_eq!(verified(&path, &given).unwrap().opened, 4);
    assert_eq!(rows(&open(&path), "SELECT format FROM treelift_sealed_columns"), [["tl2"]]);
}

#[test]
fn in_a_database_of_the_first_format_values_under_another_key_are_refused() {
    let (_house, path, given) = first_format();
    change(
        &path,
        "UPDATE logins SET password = replace(password, substr(password, 5, 16), '0011223344556677') WHERE service = 'shop'",
    );
    let refusal = work(&path, &given, rotate).unwrap_err().to_string();
    let words = "1 value of `logins.password` is sealed under key `0011223344556677`, which is not in `treelift_keys`";
    assert!(refusal.contains(words), "{refusal}");
}
