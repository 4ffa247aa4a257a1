//! The commands for credentials, on databases after an import.

mod backup;
mod kill;
mod triggers;
mod words;

use crate::house::independent::Tree;
use crate::house::safe::{Given, python};
use crate::house::site::{self, Site};
use crate::house::{DATABASE, House, KEY_FILE, PASSPHRASE_FILE, Ran, listing, project, sample};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

/// A database of each engine with the sample imported under its passphrase, which lies in `pass.txt`.
fn imported() -> Vec<Site> {
    let sites = site::every();
    sites.iter().for_each(import);
    sites
}

fn import(site: &Site) {
    site.house.file("pass.txt", fs::read(project(PASSPHRASE_FILE)).unwrap());
    let (source, name) = (sample(), site.name());
    let arguments =
        ["import", "--reread", source.to_str().unwrap(), "--passphrase-file", "pass.txt", "--database", name];
    site.house.run(arguments).status(0);
}

/// Runs a command for credentials on the file, answering yes.
fn credentials(house: &House, command: &str, more: &[&str]) -> Ran {
    let mut arguments = vec!["credentials", command, "--database", DATABASE];
    if !["status", "verify"].contains(&command) {
        arguments.push("--yes");
    }
    if ["encrypt", "rotate", "hand-over"].contains(&command) {
        arguments.extend(["--backup-dir", "../backups"]);
    }
    arguments.extend(more);
    house.run(arguments)
}

/// A value as the independent reader opens it: table, column, key, key id, text.
type Opened = (String, String, Vec<String>, String, String);

fn read_by_python(site: &Site, kind: &str, secret: &str) -> Vec<Opened> {
    let ran = Ran::of(&mut site.python("tests/interop/database.py", "open", &[kind, secret])).status(0);
    serde_json::from_value(ran.json()).unwrap()
}

fn texts(values: &[Opened]) -> BTreeSet<(Vec<String>, String, String)> {
    values.iter().map(|(_, column, key, _, text)| (key.clone(), column.clone(), text.clone())).collect()
}

fn tokens(site: &Site) -> Vec<Vec<String>> {
    site.rows("SELECT encrypted_username, encrypted_password FROM user_credentials ORDER BY id")
}

#[test]
fn an_imported_database_is_rekeyed_and_rotated() {
    for site in imported() {
        site.credentials("status", &[]).status(0);
        // The mail account's name and password are settings.
        let values = 2 * Tree::read(&sample()).logins().len() + 2;
        let verified = site.credentials("verify", &["--passphrase-file", "pass.txt"]).status(0);
        assert_eq!(verified.last_line(), format!("verified: {values} values of {} opened", site.name()));
        let first = read_by_python(&site, "passphrase", "pass.txt");
        assert_eq!(first.len(), values);
        let sealed = tokens(&site);
        let wrapped = site.one("SELECT wrapped_key FROM treelift_keys");

        site.house.file("new.txt", "an altogether new passphrase\n");
        let change = ["--passphrase-file", "pass.txt", "--new-passphrase-file", "new.txt"];
        site.credentials("rekey", &change).status(0);
        let refused = site.credentials("verify", &["--passphrase-file", "pass.txt"]).status(3);
        assert!(refused.stderr.starts_with("error: the passphrase does not open key `"), "{}", refused.stderr);
        site.credentials("verify", &["--passphrase-file", "new.txt"]).status(0);
        assert_eq!(tokens(&site), sealed, "no value changed");
        assert_eq!(read_by_python(&site, "passphrase", "new.txt"), first);
        assert!(!holds(&site, &wrapped), "the old wrapping is in no byte of the file");

        let (old_key, wrapped) =
            (site.one("SELECT id FROM treelift_keys"), site.one("SELECT wrapped_key FROM treelift_keys"));
        let rotated = site.credentials("rotate", &["--passphrase-file", "new.txt", "--json"]).status(0).json();
        assert_eq!((&rotated["values"], &rotated["opened_again"]), (&json!(values), &json!(values)));
        let new_key = site.one("SELECT id FROM treelift_keys");
        assert_ne!(new_key, old_key);
        assert!(tokens(&site).concat().iter().all(|token| token.starts_with(&format!("tl2.{new_key}."))));
        assert!(!holds(&site, &wrapped), "the old key is in no byte of the file");
        site.credentials("verify", &["--passphrase-file", "new.txt"]).status(0);
        let last = read_by_python(&site, "passphrase", "new.txt");
        assert_eq!(texts(&last), texts(&first));
        assert_eq!(site.one("SELECT seal_count FROM treelift_keys"), values.to_string());

        site.credentials("rekey", &["--passphrase-file", "new.txt", "--new-key-file", KEY_FILE]).status(0);
        assert_eq!(read_by_python(&site, "key_file", KEY_FILE), last);
    }
}

#[test]
fn values_whose_key_is_gone_are_reported_with_its_id() {
    for site in imported() {
        let key = site.one("SELECT id FROM treelift_keys");
        site.sql("DELETE FROM treelift_keys");
        let name = site.name();
        let values = 2 * Tree::read(&sample()).logins().len() + 2;
        let lost = format!("{values} values are sealed under key `{key}`, which is not registered");
        let hint = "hint: restore a backup that has the key; without it they cannot be opened\n";

        let status = site.credentials("status", &[]).status(1);
        assert!(status.stdout.contains(&format!("error: {lost}: global_settings.setting_value")), "{}", status.stdout);
        assert!(status.stdout.contains(hint), "{}", status.stdout);
        let whole = "error: `treelift_keys` has no key, and `treelift_state` has an HMAC of keys\n";
        assert!(status.stdout.contains(whole), "{}", status.stdout);
        let status = site.credentials("status", &["--json"]).status(1).json();
        assert_eq!((&status["lost"], &status["plain"]), (&json!(values), &json!(0)));
        for (command, more) in [("verify", None), ("rotate", None), ("rekey", Some(["--new-key-file", KEY_FILE]))] {
            let mut arguments = vec!["--passphrase-file", "pass.txt"];
            arguments.extend(more.into_iter().flatten());
            let run = site.credentials(command, &arguments).status(3);
            assert_eq!(run.stderr, format!("error: {lost}\n  at {name}\n{hint}"));
        }
        let validate = ["schema", "validate", "--category", "security", "--database", name];
        let run = site.house.run(validate).status(1);
        assert!(run.stdout.contains("FAILED      the key of every sealed value is registered\n"), "{}", run.stdout);
        let of = format!("values of `user_credentials.encrypted_password` are sealed under key `{key}`, which is not");
        assert!(run.stdout.contains(&of), "{}", run.stdout);
    }
}

/// Whether the file has the text; a server's files are its own.
fn holds(site: &Site, text: &str) -> bool {
    let bytes = if site.is_file() { fs::read(site.url()).unwrap() } else { Vec::new() };
    memchr::memmem::find(&bytes, text.as_bytes()).is_some()
}

#[test]
fn the_example_reader_opens_a_login() {
    let site = Site::on_file();
    import(&site);
    let house = &site.house;
    let login = Tree::read(&sample()).logins().into_iter().find(|(_, login)| login.0 == "workfossa").unwrap();
    let mut command = python("docs/reader.py");
    command.args([DATABASE, "pass.txt", "user_credentials", "encrypted_password", &login.0, "workfossa"]);
    let ran = Ran::of(command.current_dir(house.work())).status(0);
    assert_eq!(ran.stdout, format!("{}\n", login.1.2));
    assert_eq!(fs::read_to_string(project("docs/reader.py")).unwrap().lines().count(), 42);
}

#[test]
fn what_python_sealed_opens_and_rotates() {
    for (kind, flag, secret) in [("passphrase", "--passphrase-file", "pass.txt"), ("key_file", "--key-file", KEY_FILE)]
    {
        for site in site::every() {
            site.house.file("pass.txt", "a passphrase of the test\r\n");
            let made = Ran::of(&mut site.python("tests/interop/database.py", "make", &[kind, secret])).status(0);
            let made: Vec<Opened> = serde_json::from_value(made.json()).unwrap();
            let verified = site.credentials("verify", &[flag, secret, "--json"]).status(0).json();
            assert_eq!((&verified["opened"], &verified["empty"]), (&json!(8), &json!(1)));
            site.credentials("rotate", &[flag, secret]).status(0);
            assert_eq!(texts(&read_by_python(&site, kind, secret)), texts(&made));
        }
    }
}

#[test]
fn a_dry_run_says_what_would_be_done_and_changes_nothing() {
    for site in imported() {
        site.house.file("new.txt", "an altogether new passphrase\n");
        let before = site.state();
        let secret = ["--passphrase-file", "pass.txt", "--dry-run"];
        let new = ["--new-passphrase-file", "new.txt"];
        for (command, more) in
            [("rotate", &[][..]), ("rekey", &new), ("hand-over", &["--to", "fernet"]), ("encrypt", &[])]
        {
            let name = site.name();
            let mut arguments = vec!["credentials", command, "--database", name];
            arguments.extend(secret.iter().chain(more));
            let ran = Ran::of(site.house.command(arguments).env("SECRET_KEY", "the application's")).status(0);
            let said = ran.stdout.contains("dry run: ") || ran.stdout.starts_with("nothing to seal");
            assert!(said, "{command}: {}", ran.stdout);
            assert_eq!(site.state(), before, "{command}");
            assert_eq!(fs::read_dir(site.house.tmp()).unwrap().count(), 0, "{command}");
        }
    }
}

// Clear text.

const PLAIN: [(&str, &str, &str, &str); 4] = [
    ("ann", "mail", "ann@example.org", "first canary of ann"),
    ("ann", "door", "", "second canary of ann"),
    ("bob", "mail", "bob@example.org", "canary of bob: \"quoted\\\""),
    ("eve", "mail", "", ""),
];

/// A database that another program filled, with a third of what it once held in freed pages.
fn filled_by_another(house: &House, journal_mode: &str) {
    let database = Connection::open(house.path(DATABASE)).unwrap();
    database.pragma_update(None, "secure_delete", "OFF").unwrap();
    database.query_row(&format!("PRAGMA journal_mode = {journal_mode}"), [], |_| Ok(())).unwrap();
    database
        .execute_batch(
            "CREATE TABLE logins (id INTEGER PRIMARY KEY, person TEXT NOT NULL, service TEXT NOT NULL,
                 encrypted_name TEXT, encrypted_password TEXT, password_hint_count INTEGER, UNIQUE (person, service));
             CREATE INDEX by_password ON logins (encrypted_password);
             CREATE TABLE people (name TEXT PRIMARY KEY, password_hash TEXT, pinned TEXT);
             INSERT INTO people VALUES ('ann', '$2b$12$abcdefghijklmnopqrstuuKGjkqYVpNnZ6vYpBpJ8cT7p4p8m9qGe', 'x');",
        )
        .unwrap();
    let insert = "INSERT INTO logins (person, service, encrypted_name, encrypted_password) VALUES (?1, ?2, ?3, ?4)";
    for (person, service, name, password) in PLAIN {
        database.execute(insert, (person, service, name, password)).unwrap();
    }
    for round in 0..400 {
        let filler = format!("first canary of ann {}", "x".repeat(500));
        database.execute(insert, (format!("gone {round}"), "mail", "", filler)).unwrap();
    }
    database.execute_batch("DELETE FROM logins WHERE person LIKE 'gone %'").unwrap();
    // A journal that is kept, and a log that is not emptied at the end.
    std::mem::forget(database);
}

/// The files of the working directory that hold plaintext.
fn with_plaintext(house: &House) -> Vec<String> {
    let files = fs::read_dir(house.work()).unwrap().map(|entry| entry.unwrap().path());
    let holds = |path: &std::path::PathBuf| {
        let bytes = fs::read(path).unwrap();
        let passwords = PLAIN.iter().map(|(.., password)| password).filter(|password| !password.is_empty());
        passwords.into_iter().any(|password| memchr::memmem::find(&bytes, password.as_bytes()).is_some())
    };
    files.filter(holds).map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn plaintext_is_reported_then_sealed_and_in_no_byte_of_any_file() {
    for journal_mode in ["DELETE", "PERSIST", "TRUNCATE", "WAL"] {
        let site = Site::on_file();
        let house = &site.house;
        filled_by_another(house, journal_mode);
        assert!(!with_plaintext(house).is_empty());
        let before = listing(&house.work());
        let status = credentials(house, "status", &[]).status(1);
        assert!(status.stdout.contains("logins.encrypted_password  not registered"), "{}", status.stdout);
        assert!(status.stdout.contains("error: 5 values are stored in plaintext in target.db\n"), "{}", status.stdout);
        assert!(!status.stdout.contains("canary") && !status.stdout.contains("example.org"));
        assert_eq!(listing(&house.work()), before, "to look changes nothing ({journal_mode})");

        let sealed = credentials(house, "encrypt", &["--key-file", KEY_FILE, "--json"]).status(0).json();
        // Of Ann's door the empty name is sealed with the password; of Eve's row nothing is.
        assert_eq!((&sealed["sealed"], &sealed["opened_again"]), (&json!(6), &json!(6)), "{sealed}");
        assert_eq!(sealed["traces"], json!({ "own": [], "copies": [] }));
        assert_eq!(with_plaintext(house), Vec::<String>::new(), "{journal_mode}");
        credentials(house, "status", &[]).status(0);
        credentials(house, "verify", &["--key-file", KEY_FILE]).status(0);
        let read = texts(&read_by_python(&site, "key_file", KEY_FILE));
        for (person, service, name, password) in PLAIN.iter().take(3) {
            let key = vec![(*person).to_owned(), (*service).to_owned()];
            assert!(read.contains(&(key.clone(), "encrypted_name".to_owned(), (*name).to_owned())));
            assert!(read.contains(&(key, "encrypted_password".to_owned(), (*password).to_owned())));
        }
        assert_eq!(read.len(), 6);
        let again = credentials(house, "encrypt", &["--key-file", KEY_FILE]).status(0);
        assert_eq!(again.stdout, "nothing to seal in target.db\n");
    }
}

#[test]
fn plaintext_that_was_added_later_is_sealed() {
    for site in site::every() {
        site.make(&Given::KeyFile(site.house.path(KEY_FILE)), 3);
        site.sql("INSERT INTO logins VALUES ('late', 'a late canary', 'a late canary')");
        let status = site.credentials("status", &["--json"]).status(1).json();
        assert_eq!((&status["columns"][0]["column"], &status["columns"][0]["plain"]), (&json!("password"), &json!(1)));
        let rotate = site.credentials("rotate", &["--key-file", KEY_FILE]).status(3);
        assert!(format!("\n{}", rotate.stderr).contains("\nerror: a value is not sealed"), "{}", rotate.stderr);

        let sealed = site.credentials("encrypt", &["--key-file", KEY_FILE]).status(0);
        assert!(
            sealed.stdout.contains("warning: a sealed value is also stored in plaintext in 1 cell of logins.note\n")
        );
        assert_eq!(site.one("SELECT seal_count FROM treelift_keys"), "4");
        site.credentials("verify", &["--key-file", KEY_FILE]).status(0);
    }
}

#[test]
fn a_copy_that_still_holds_plaintext_is_named() {
    let house = House::new();
    filled_by_another(&house, "DELETE");
    fs::copy(house.path(DATABASE), house.path("yesterday.sqlite")).unwrap();
    let sealed = credentials(&house, "encrypt", &["--key-file", KEY_FILE]).status(0);
    assert!(sealed.stdout.contains("warning: plaintext is still in a copy: "), "{}", sealed.stdout);
    assert!(sealed.stdout.contains("yesterday.sqlite\n"), "{}", sealed.stdout);
}

#[test]
fn columns_are_selected_on_the_command_line_or_by_a_mapping_set_or_skipped() {
    for site in site::every() {
        site.sql(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, pin TEXT); INSERT INTO notes VALUES (7, 'canary', 'abcdefg')",
    );
        let key = ["--key-file", KEY_FILE];
        let with = |more: &[&'static str]| site.credentials("encrypt", &[&key, more].concat());
        let refused = with(&[]).status(2);
        assert!(refused.stderr.contains("`notes.pin` has no unique key to seal its values for"), "{}", refused.stderr);
        with(&["--except", "notes.pin"]).status(0);
        site.credentials("status", &["--except", "notes.pin"]).status(0);
        with(&["--column", "notes.missing", "--key", "id"]).status(2);
        with(&["--column", "notes.body", "--key", "id"]).status(0);
        let token = site.one("SELECT body || '' FROM notes WHERE pin = 'abcdefg'");
        assert!(token.starts_with("tl2."));
        with(&["--column", "notes.pin", "--key", "id"]).status(0);
        site.credentials("status", &[]).status(0);

        site.sql(
        "DROP TABLE notes; DROP TABLE treelift_keys; DROP TABLE treelift_sealed_columns; DROP TABLE treelift_state;
         CREATE TABLE user_credentials (id INTEGER PRIMARY KEY, user_id TEXT, service_name TEXT, encrypted_username TEXT,
             encrypted_password TEXT, app_token TEXT, UNIQUE (service_name, user_id));
         INSERT INTO user_credentials VALUES (1, 'u', 's', 'a name', 'a canary', 'left alone')",
    );
        with(&["--mappings", "fossawork"]).status(0);
        let registered = site.rows("SELECT column_name, key_columns FROM treelift_sealed_columns ORDER BY 1");
        let key_columns = "[\"user_id\",\"service_name\"]";
        assert_eq!(registered, [["encrypted_password", key_columns], ["encrypted_username", key_columns]]);
        assert_eq!(site.one("SELECT app_token FROM user_credentials"), "left alone");
    }
}

#[test]
fn of_a_table_of_settings_only_the_rows_of_the_filter_are_sealed() {
    for site in site::every() {
        site.make(&Given::KeyFile(site.house.path(KEY_FILE)), 0);
        site.sql(
            "DROP TABLE treelift_state; -- as an earlier version left it
             CREATE TABLE settings (name TEXT PRIMARY KEY, kind INTEGER, value JSON);
             INSERT INTO settings VALUES ('theme', 1, '\"dark\"'), ('mail', 2, '\"a canary\"'), ('phone', 2, NULL);
             INSERT INTO treelift_sealed_columns VALUES ('settings', 'value', '[\"name\"]', 'tl1', '{\"kind\":\"2\"}');",
    );
        let key = ["--key-file", KEY_FILE];
        site.credentials("status", &[]).status(1);
        site.credentials("encrypt", &key).status(0);
        site.credentials("status", &[]).status(0);
        site.credentials("rotate", &key).status(0);
        site.credentials("verify", &key).status(0);
        let values = site.rows("SELECT substr(CAST(value AS TEXT), 1, 5) FROM settings ORDER BY name");
        assert_eq!(values, [["\"tl2."], ["NULL"], ["\"dark"]], "JSON stays JSON, the other rows stay");
        let read = texts(&read_by_python(&site, "key_file", KEY_FILE));
        assert!(read.contains(&(vec!["mail".to_owned()], "value".to_owned(), "a canary".to_owned())));
    }
}

// Hand-over.

#[test]
fn what_the_application_alone_wrote_is_sealed() {
    for site in imported() {
        let application =
            |command: &str, more: &[&str]| Ran::of(site.command(command, more).env("SECRET_KEY", "the application's"));
        application("hand-over", &["--to", "fernet", "--passphrase-file", "pass.txt"]).status(0);
        site.sql("DROP TABLE treelift_keys; DROP TABLE treelift_sealed_columns; DROP TABLE treelift_state");
        let status = site.credentials("status", &[]).status(0);
        assert!(status.stdout.contains("user_credentials.encrypted_password  not registered"), "{}", status.stdout);
        let plain = site.credentials("encrypt", &["--key-file", KEY_FILE]).status(0);
        assert_eq!(plain.stdout, format!("nothing to seal in {}\n", site.name()), "tokens are not plaintext");
        let mut wrong =
            site.command("encrypt", &["--from", "fernet", "--mappings", "fossawork", "--key-file", KEY_FILE]);
        let wrong = Ran::of(wrong.env("SECRET_KEY", "not the application's")).status(3);
        assert!(wrong.stderr.contains("it was changed, or made under another password or salt"), "{}", wrong.stderr);
        application("encrypt", &["--from", "fernet", "--key-file", KEY_FILE]).status(0);
        assert_eq!(opened(&read_by_python(&site, "key_file", KEY_FILE)), Tree::read(&sample()).logins());
    }
}

#[test]
fn the_application_reads_what_was_handed_over_and_what_it_writes_comes_back() {
    let salts = [None, Some("short"), Some("a salt that is longer than sixteen bytes")];
    for (salt, is_first) in salts.into_iter().zip([true, false, false]) {
        // What the salt does is the same in every database.
        for site in site::every().into_iter().take(if is_first { usize::MAX } else { 1 }) {
            import(&site);
            let logins = Tree::read(&sample()).logins();
            let run = |command: &str, more: &[&str]| {
                let mut command = site.command(command, &[&["--passphrase-file", "pass.txt"], more].concat());
                command.env("ENCRYPTION_PASSWORD", "the application's password");
                salt.map(|salt| command.env("ENCRYPTION_SALT", salt));
                Ran::of(&mut command)
            };
            let application = |action: &str| -> BTreeSet<(String, (String, String, String))> {
                let mut command = site.python("tests/interop/fernet_application.py", action, &[]);
                command.env_remove("SECRET_KEY").env_remove("ENCRYPTION_SALT");
                command.env("ENCRYPTION_PASSWORD", "the application's password");
                salt.map(|salt| command.env("ENCRYPTION_SALT", salt));
                let read: Vec<(String, String, String, String)> =
                    serde_json::from_value(Ran::of(&mut command).status(0).json()).unwrap();
                read.into_iter().map(|(user, service, name, password)| (user, (service, name, password))).collect()
            };
            let done = run("hand-over", &["--to", "fernet"]).status(0);
            let words = format!("18 values of {} written as fernet, 18 opened again, 2 empty\n", site.name());
            assert!(done.stdout.contains(&words), "{}", done.stdout);
            // The application leaves an empty half of a login empty.
            let form = "SELECT count(*) FROM user_credentials WHERE encrypted_password NOT LIKE 'Z0FBQUFB%' AND encrypted_password <> ''";
            assert_eq!(site.one(form), "0");
            assert_eq!(application("read"), logins);
            let verified = run("verify", &["--json"]).status(0).json();
            assert_eq!(verified["opened"], json!(2 * logins.len()));
            site.credentials("status", &[]).status(0);
            let unset = site.credentials("verify", &["--passphrase-file", "pass.txt"]).status(1);
            assert!(unset.stdout.contains("not opened: the application's password is not set"), "{}", unset.stdout);
            let last = format!("not verified: none of {} values of {} was opened\n", verified["opened"], site.name());
            assert!(unset.stdout.ends_with(&last), "{}", unset.stdout);

            assert_eq!(application("write"), logins);
            run("encrypt", &["--from", "fernet"]).status(0);
            assert_eq!(opened(&read_by_python(&site, "passphrase", "pass.txt")), logins);
            let formats = site.rows("SELECT DISTINCT format FROM treelift_sealed_columns");
            assert_eq!(formats, [["tl2"]]);
        }
    }
}

/// What was opened, login by login.
fn opened(values: &[Opened]) -> BTreeSet<(String, (String, String, String))> {
    let find = |key: &[String], column: &str| {
        values.iter().find(|value| value.2 == key && value.1 == column).unwrap().4.clone()
    };
    let login = |key: &Vec<String>| {
        (key[0].clone(), (key[1].clone(), find(key, "encrypted_username"), find(key, "encrypted_password")))
    };
    // The mail account's name and password are settings, and no login.
    values.iter().filter(|value| value.1.starts_with("encrypted_")).map(|(_, _, key, _, _)| login(key)).collect()
}

#[test]
fn an_import_into_a_column_that_was_handed_over_is_refused() {
    for site in imported() {
        let mut hand_over = site.command("hand-over", &["--to", "fernet", "--passphrase-file", "pass.txt"]);
        Ran::of(hand_over.env("SECRET_KEY", "the application's")).status(0);
        let before = site.state();
        let (source, name) = (sample(), site.name());
        let import = [
            "import",
            "--reread",
            source.to_str().unwrap(),
            "--passphrase-file",
            "pass.txt",
            "--database",
            name,
            "--yes",
        ];
        let ran = site.house.run(import.into_iter().chain(["--no-backup", "--json"])).status(1);
        let words = "`encrypted_password` (handed over to the application as `fernet`, which treelift does not compare; \
                     `credentials encrypt --from fernet` undoes the hand-over)";
        assert!(ran.stdout.contains(words), "{}", ran.stdout);
        assert_eq!(site.state(), before);
    }
}

// Refusals.

/// Three sealed logins under a passphrase in a database of each engine, and something done to it.
fn damaged(sql: &str) -> Vec<Site> {
    let sites = site::every();
    for site in &sites {
        site.house.file("pass.txt", "a passphrase of the test");
        site.house.file("other.txt", "another passphrase of the test");
        site.make(&Given::Passphrase("a passphrase of the test"), 3);
        site.sql(sql);
    }
    sites
}

#[test]
fn each_kind_of_damage_has_its_own_message_and_nothing_changes() {
    let cases = [
        ("the passphrase does not open key `", "other.txt", ""),
        (
            "` in `treelift_keys` is damaged: `id` or `wrapped_key` was changed",
            "pass.txt",
            "UPDATE treelift_keys SET wrapped_key = 'A' || substr(wrapped_key, 2, 39) || 'AAAA' || substr(wrapped_key, 45)",
        ),
        (
            "a value is damaged: it was changed since it was sealed",
            "pass.txt",
            "UPDATE logins SET password = substr(password, 1, 40) || 'AAAA' || substr(password, 45) WHERE person = 'person 1'",
        ),
        (
            "a value was moved here: it was sealed for logins.password, row person 2",
            "pass.txt",
            "UPDATE logins SET password = (SELECT password FROM logins WHERE person = 'person 2') WHERE person = 'person 1'",
        ),
        (
            "has key derivation parameters outside the allowed range",
            "pass.txt",
            "UPDATE treelift_keys SET kdf = replace(kdf, 'm=8192', 'm=4294967295')",
        ),
    ];
    let mut messages = BTreeSet::new();
    for (words, passphrase, sql) in cases {
        for site in damaged(sql) {
            let before = site.state();
            let ran = site.credentials("verify", &["--passphrase-file", passphrase]).status(3);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains(words), "{words}: {said}");
            messages.insert(said.lines().next().unwrap().replace(|letter: char| letter.is_ascii_hexdigit(), ""));
            for (command, more) in [("rotate", &[][..]), ("hand-over", &["--to", "fernet", "--mappings", "fossawork"])]
            {
                let more = [&["--passphrase-file", passphrase], more].concat();
                let ran = Ran::of(site.command(command, &more).env("SECRET_KEY", "the application's")).status(3);
                let message = ran.stderr.lines().find(|line| line.starts_with("error: ")).unwrap();
                assert!(message.contains(words), "{command}: {words}: {}", ran.stderr);
            }
            assert_eq!(site.state(), before, "{words}");
        }
    }
    assert_eq!(messages.len(), cases.len(), "{messages:?}");
}

#[test]
fn usage_errors_are_reported_before_anything_is_opened() {
    let site = damaged("").remove(0);
    let house = &site.house;
    let before = listing(&house.work());
    let pass = ["--passphrase-file", "pass.txt"];
    let requests: [&[&str]; 9] = [
        &["status"],
        &["verify", "--database", DATABASE],
        &["rotate", "--database", DATABASE, pass[0], pass[1]],
        &["rotate", "--database", DATABASE, pass[0], pass[1], "--key-file", KEY_FILE, "--yes"],
        &["rekey", "--database", DATABASE, pass[0], pass[1], "--yes"],
        &[
            "rekey",
            "--database",
            DATABASE,
            pass[0],
            pass[1],
            "--yes",
            "--new-key-file",
            KEY_FILE,
            "--new-passphrase-file",
            "x",
        ],
        &["encrypt", "--database", DATABASE, "--column", "logins", "--yes"],
        &["hand-over", "--database", DATABASE, pass[0], pass[1], "--to", "gpg"],
        &["hand-over", "--database", DATABASE, pass[0], pass[1], "--to", "fernet", "--yes"],
    ];
    for request in requests {
        house.run(["credentials"].iter().chain(request)).status(2);
    }
    house.run(["credentials", "status", "--database", "none.db"]).status(3);
    assert_eq!(listing(&house.work()), before);
}

#[test]
fn with_json_only_the_document_is_printed() {
    for site in imported() {
        let expected: [(&str, &[&str], &[&str]); 2] = [
            (
                "status",
                &[],
                &["target", "keys", "columns", "plain", "lost", "not_active", "disagreements", "differences"],
            ),
            (
                "verify",
                &["--passphrase-file", "pass.txt"],
                &["target", "opened", "empty", "columns", "differences", "problems"],
            ),
        ];
        for (command, more, members) in expected {
            let document = site.credentials(command, &[&["--json"], more].concat()).status(0).json();
            let names: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, members);
        }
        let key: Value = site.credentials("status", &["--json"]).json()["keys"][0].clone();
        assert_eq!(key["opens_with"], "passphrase");
        assert_eq!(site.rows("SELECT id FROM treelift_keys"), [[key["id"].as_str().unwrap()]]);
    }
}
