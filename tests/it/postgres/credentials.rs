//! Work on credentials in databases of a server: what is there only, and what a server cannot give.

use crate::house::proxy::{Cut, Proxy, is_commit};
use crate::house::safe::{Given, login, verified_at};
use crate::house::site::Site;
use crate::house::{KEY_FILE, Ran};
use crate::postgres::backup::programs;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use treelift::secret::key_file::new_key_file;

const SECRET: [&str; 2] = ["--key-file", KEY_FILE];
const PASSWORD: &str = "opens-the-cellar-door";

/// Logins in plaintext.
fn plain() -> Site {
    let site = Site::on_server();
    site.sql(&format!(
        "CREATE TABLE logins (id integer PRIMARY KEY, person varchar(40) NOT NULL UNIQUE, \"Pass word\" text, password varchar(200),
                              note text);
         INSERT INTO logins VALUES (1, 'ann', NULL, '{PASSWORD}', 'x'), (2, 'bob', NULL, NULL, 'y')"
    ));
    site
}

/// Three sealed logins under the house's key file, with a second one beside it.
fn sealed() -> Site {
    let site = Site::on_server();
    site.make(&Given::KeyFile(site.house.path(KEY_FILE)), 3);
    new_key_file(&site.house.path("new.key")).unwrap();
    site
}

#[test]
fn what_a_server_keeps_of_plaintext_is_said_with_the_statement_that_rewrites_the_table() {
    let site = plain();
    let ran = site.credentials("encrypt", &SECRET).status(0);
    let words = "warning: plaintext may still be on the server: in dead rows, its write-ahead log, its log, replicas and \
                 backups; nothing of that was erased\nhint: `VACUUM FULL \"logins\"` removes the dead rows, and locks the table meanwhile\n";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
    site.sql("VACUUM FULL \"logins\"");
    site.credentials("verify", &SECRET).status(0);
    assert_eq!(site.one("SELECT count(*) FROM logins WHERE password LIKE 'tl2.%'"), "1");

    new_key_file(&site.house.path("new.key")).unwrap();
    let ran = site.credentials("rotate", &SECRET).status(0);
    assert!(ran.stdout.contains("opened again; the old key is registered no more\n"), "{}", ran.stdout);
    let copies = "none was found in the folder of backups, other places were not searched\n";
    assert!(ran.stdout.contains("warning: the old key may still be on the server: ") && ran.stdout.ends_with(copies));
    let ran = site.credentials("rekey", &[&SECRET[..], &["--new-key-file", "new.key", "--json"]].concat()).status(0);
    let traces = json!({ "own": [], "copies": [], "rewriting": ["VACUUM FULL \"treelift_keys\""] });
    assert_eq!(ran.json()["traces"], traces);
    let dry = site.credentials("rotate", &["--key-file", "new.key", "--dry-run"]).status(0);
    assert!(!dry.stdout.contains("VACUUM") && dry.stdout.contains("; nothing was changed\n"), "{}", dry.stdout);
}

#[test]
fn backups_that_hold_plaintext_or_an_old_key_are_named() {
    let site = plain();
    let run = |command: &mut Command| Ran::of(command.envs(programs(site.name()))).status(0).stdout;
    let create = || {
        let json = run(&mut site.house.command(["backup", "create", "--json", "--database", site.name()]));
        let made: serde_json::Value = serde_json::from_str(&json).unwrap();
        made["backup"]["path"].as_str().unwrap().to_owned()
    };
    let plaintext = create();
    let encrypted = run(&mut site.command("encrypt", &[&SECRET[..], &["--backup-dir", "backups", "--json"]].concat()));
    let encrypted: serde_json::Value = serde_json::from_str(&encrypted).unwrap();
    let absolute = |path: &str| site.house.path(path).canonicalize().unwrap().display().to_string();
    assert_eq!(encrypted["traces"]["copies"], json!([absolute(&plaintext)]), "but not the one that it made itself");
    let sealed = create();
    new_key_file(&site.house.path("new.key")).unwrap();
    let rotated = run(&mut site.command("rotate", &SECRET));
    let warned: Vec<&str> = rotated.lines().filter(|line| line.contains(" in a copy: ")).collect();
    assert_eq!(warned, [format!("warning: the old key is still in a copy: {}", absolute(&sealed))]);
    assert!(rotated.contains("; those found are listed above, other places were not searched\n"), "{rotated}");
}

#[test]
fn that_no_backup_can_be_made_is_said_before_anything_is_asked_for() {
    let site = plain();
    let nothing = site.house.path("nothing");
    let refused = |command: &str, more: &[&str]| {
        let name = site.name();
        // Neither `--yes` nor a secret nor the application's password is given.
        let arguments = ["credentials", command, "--database", name];
        let mut program = site.house.command(arguments.iter().chain(more));
        let ran = Ran::of(program.env("TREELIFT_PG_BIN", &nothing)).status(3);
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("`--no-backup`"), "{command}: {}", ran.stderr);
    };
    refused("encrypt", &[]);
    site.credentials("encrypt", &SECRET).status(0);
    refused("rotate", &[]);
    refused("hand-over", &["--to", "fernet", "--mappings", "fossawork"]);
    // What has no key has nothing to be rotated: no backup would help.
    let other = Site::on_server();
    other.sql("CREATE TABLE others (id integer)");
    let ran = other.house.run(["credentials", "rotate", "--database", other.name()]).status(3);
    assert!(ran.stderr.contains("the database has no key"), "{}", ran.stderr);
}

#[test]
fn a_column_that_is_too_short_for_what_is_sealed_is_named_and_nothing_is_changed() {
    let site = plain();
    site.sql("ALTER TABLE logins ALTER COLUMN password TYPE varchar(40)");
    let before = site.state();
    let ran = site.credentials("encrypt", &SECRET).status(3);
    let words =
        "error: a value for `logins.password` has 87 characters as it is to be written, and the column takes 40\n";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: make it longer: `ALTER TABLE \"logins\" ALTER COLUMN \"password\" TYPE text`"));
    assert_eq!(site.state(), before);
}

#[test]
fn columns_of_every_type_are_sealed_or_refused_by_name() {
    for (kind, value, refused) in [
        ("citext", "'a canary'", ""),
        ("json", "'\"a canary\"'", ""),
        ("jsonb", "'\"a canary\"'", ""),
        ("bytea", "'\\x61'", "a value is bytes, and only text can be sealed"),
        ("integer", "7", "a value is an integer, and only text can be sealed"),
        ("text[]", "'{a canary}'", "a value is a list, and only text can be sealed"),
        ("jsonb", "'{\"a\": \"canary\"}'", "a value is JSON that is not a string, and only text can be sealed"),
    ] {
        let site = Site::on_server();
        site.sql(&format!(
            "CREATE EXTENSION IF NOT EXISTS citext; CREATE TABLE keys (id uuid PRIMARY KEY, at timestamptz NOT NULL UNIQUE, pin {kind});
             INSERT INTO keys VALUES ('0a000000-0000-0000-0000-000000000001', '2025-05-07 13:09:12.5+02', {value})"
        ));
        for key in ["id", "at"] {
            let column = ["--column", "keys.pin", "--key", key, "--dry-run"];
            let status = if refused.is_empty() { 0 } else { 3 };
            let ran = site.credentials("encrypt", &[&SECRET[..], &column].concat()).status(status);
            assert!(refused.is_empty() || ran.stderr.contains(refused), "{kind}: {}", ran.stderr);
        }
        if refused.is_empty() {
            site.credentials("encrypt", &[&SECRET[..], &["--column", "keys.pin", "--key", "at"]].concat()).status(0);
            site.credentials("verify", &SECRET).status(0);
            site.credentials("rotate", &SECRET).status(0);
            site.credentials("verify", &SECRET).status(0);
        }
    }
}

#[test]
fn a_trigger_that_sees_the_plaintext_is_refused_and_one_that_undoes_the_sealing_ends_it() {
    let site = plain();
    site.sql(
        "CREATE TABLE audit (old text);
         CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (OLD.password); RETURN NEW; END $$;
         CREATE TRIGGER keep AFTER UPDATE OF password ON logins FOR EACH ROW EXECUTE FUNCTION keep()",
    );
    let before = site.state();
    let ran = site.credentials("encrypt", &SECRET).status(2);
    assert!(ran.stderr.contains("may copy the plaintext elsewhere: `keep` on `logins.password`\n"), "{}", ran.stderr);
    assert_eq!(site.state(), before);
    let copied = site.credentials("encrypt", &[&SECRET[..], &["--with-triggers", "--json"]].concat()).status(1).json();
    assert_eq!(copied["elsewhere"], json!([{ "table": "audit", "column": "old", "cells": 1 }]));
    site.sql(
        "DROP TRIGGER keep ON logins;
         CREATE FUNCTION swap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.password := OLD.password; RETURN NEW; END $$;
         CREATE TRIGGER swap BEFORE UPDATE ON logins FOR EACH ROW EXECUTE FUNCTION swap()",
    );
    let before = site.state();
    site.credentials("rotate", &SECRET).status(3);
    assert_eq!(site.state(), before);
    // What a trigger says is not repeated: it may hold a value.
    site.sql(
        "CREATE OR REPLACE FUNCTION swap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'canary %', OLD; END $$",
    );
    let ran = site.credentials("rotate", &[&SECRET[..], &["-v"]].concat()).status(3);
    assert!(ran.stderr.contains("a trigger of the database rejected a row"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("canary") && !ran.stderr.contains("tl2."), "{}", ran.stderr);
}

#[test]
fn rows_that_a_policy_hides_are_an_error_and_not_left_in_plaintext() {
    let site = plain();
    let user = format!("plain_{}", site.name().split_once("/it_").unwrap().1.split('?').next().unwrap());
    site.sql(&format!(
        "CREATE ROLE {user} LOGIN; GRANT ALL ON SCHEMA public TO {user}; GRANT ALL ON logins TO {user};
         ALTER TABLE logins ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON logins USING (id = 2)"
    ));
    let before = site.state();
    let (_, behind) = site.url().split_once('@').map(|(one, other)| (one.to_owned(), other.to_owned())).unwrap();
    let url = format!("postgresql://{user}@{behind}");
    let ran =
        site.house.run(["credentials", "encrypt", "--database", &url, "--no-backup", "--yes", SECRET[0], SECRET[1]]);
    let ran = ran.status(3);
    assert!(ran.stderr.contains("row-level security"), "{}", ran.stderr);
    assert_eq!(site.state(), before);
    site.sql(&format!("DROP OWNED BY {user}; DROP ROLE {user}"));
}

#[test]
fn whoever_has_a_lock_is_named_with_the_table() {
    let site = sealed();
    let mut other = site.server().client();
    let process: i32 = other.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    other.batch_execute("SET application_name = 'the application'; BEGIN; UPDATE logins SET note = 'x'").unwrap();
    let rotate = |more: &[&str]| site.credentials("rotate", &[&SECRET[..], more].concat());
    let ran = rotate(&["--lock-timeout", "1"]).status(3);
    let words = format!(
        "the database is locked by another program: `the application` (process {process} of the server) has a lock on `logins`\n"
    );
    assert!(ran.stderr.contains(&words), "{}", ran.stderr);
    assert!(ran.stderr.contains("`--lock-timeout SECONDS` waits longer"), "{}", ran.stderr);
    other.batch_execute("ROLLBACK; BEGIN; SELECT FROM logins WHERE person = 'person 1' FOR UPDATE").unwrap();
    let ran = rotate(&["--lock-timeout", "1"]).status(3);
    let words = "the database is locked by another program: it has a lock on a row of `logins`\n";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    let letters = i64::from_be_bytes(*b"treelift");
    other.batch_execute(&format!("ROLLBACK; BEGIN; SELECT pg_advisory_xact_lock({letters})")).unwrap();
    let ran = rotate(&["--lock-timeout", "1"]).status(3);
    let words = format!("another treelift is at work on this database (process {process} of the server)\n");
    assert!(ran.stderr.contains(&words), "{}", ran.stderr);
    other.batch_execute("ROLLBACK").unwrap();
    rotate(&[]).status(0);
}

/// A rotation or a rekey by a way to the server.
fn on_the_way(site: &Site, url: &str, command: &str) -> std::process::Command {
    let mut arguments = vec!["credentials", command, "--database", url, "--yes", SECRET[0], SECRET[1]];
    arguments.extend(match command {
        "rekey" => &["--new-key-file", "new.key"][..],
        "hand-over" => &["--to", "fernet", "--mappings", "fossawork", "--no-backup"],
        _ => &["--no-backup"],
    });
    let mut command = site.house.command(arguments);
    command.env("SECRET_KEY", "the application's");
    command
}

/// Which of the two key files opens all three logins.
fn opens(site: &Site) -> Vec<&'static str> {
    let all = |file: &&str| {
        let found = verified_at(&site.url(), &Given::KeyFile(site.house.path(file)));
        found.is_ok_and(|found| (found.opened, found.problems.len()) == (3, 0))
    };
    [KEY_FILE, "new.key"].into_iter().filter(|file| all(file)).collect()
}

#[test]
fn a_connection_that_is_lost_at_the_commit_changed_all_or_nothing_and_so_it_is_said() {
    for command in ["rekey", "rotate", "hand-over"] {
        for (cut, status) in [(Cut::Before, 3), (Cut::After, 0)] {
            let site = sealed();
            let (key, token) =
                (site.one("SELECT wrapped_key FROM treelift_keys"), site.one("SELECT max(password) FROM logins"));
            let is_cut = AtomicBool::new(false);
            let proxy = Proxy::start(site.server(), move |kind, content| {
                if !is_commit(kind, content) || is_cut.swap(true, Ordering::SeqCst) { Cut::Not } else { cut }
            });
            let ran = Ran::of(&mut on_the_way(&site, &proxy.url(site.server()), command)).status(status);
            let is_same = key == site.one("SELECT wrapped_key FROM treelift_keys")
                && token == site.one("SELECT max(password) FROM logins");
            assert_eq!(is_same, cut == Cut::Before, "{command}");
            if cut == Cut::Before {
                assert!(
                    ran.stderr.contains("the connection to the server was lost; nothing was written"),
                    "{}",
                    ran.stderr
                );
                assert_eq!(opens(&site), [KEY_FILE], "{command}");
            }
        }
    }
}

#[test]
fn a_client_that_is_killed_at_any_message_of_a_rekey_leaves_the_old_or_the_new_secret() {
    let (mut number, mut outcomes) = (0, Vec::new());
    loop {
        let site = sealed();
        let process = Arc::new(AtomicI32::new(0));
        let (of, seen) = (Arc::clone(&process), AtomicI32::new(0));
        let proxy = Proxy::start(site.server(), move |_, _| {
            if seen.fetch_add(1, Ordering::SeqCst) != number {
                return Cut::Not;
            }
            while of.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            _ = kill_process(Pid::from_raw(of.load(Ordering::SeqCst)).unwrap(), Signal::KILL);
            // What was sent may arrive all the same.
            if number % 2 == 0 { Cut::Before } else { Cut::Not }
        });
        let mut client = on_the_way(&site, &proxy.url(site.server()), "rekey");
        let mut client =
            client.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        process.store(client.id().cast_signed(), Ordering::SeqCst);
        let is_killed = client.wait().unwrap().code().is_none();
        let opens = opens(&site);
        assert_eq!(opens.len(), 1, "message {number}: {opens:?}");
        outcomes.push(opens[0]);
        if !is_killed {
            break;
        }
        number += 17;
    }
    assert!(outcomes.len() > 5 && outcomes[0] == KEY_FILE && outcomes.last() == Some(&"new.key"), "{outcomes:?}");
}

/// What is sent can be logged by the server, and seen by whoever may see what it does.
#[test]
fn no_plaintext_passphrase_or_key_is_sent_to_the_server() {
    let site = Site::on_server();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&sent);
    let proxy = Proxy::start(site.server(), move |_, content| {
        heard.lock().unwrap().extend_from_slice(content);
        Cut::Not
    });
    site.sql(&format!(
        "CREATE TABLE logins (person text PRIMARY KEY, password text); INSERT INTO logins VALUES ('ann', '{PASSWORD}'), ('bob', '{}')",
        login(1)
    ));
    site.house.file("pass.txt", "a passphrase of the test\n");
    site.house.file("new.txt", "a new passphrase of the test\n");
    let url = proxy.url(site.server());
    for (command, secret, more) in [
        ("encrypt", "pass.txt", &["--no-backup"][..]),
        ("verify", "pass.txt", &[]),
        ("rekey", "pass.txt", &["--new-passphrase-file", "new.txt"]),
        ("rotate", "new.txt", &["--no-backup"]),
        ("hand-over", "new.txt", &["--to", "fernet", "--mappings", "fossawork", "--no-backup"]),
        ("encrypt", "new.txt", &["--from", "fernet", "--mappings", "fossawork", "--no-backup"]),
    ] {
        let mut arguments = vec!["credentials", command, "--database", &url, "--passphrase-file", secret];
        arguments.extend(more);
        if command != "verify" {
            arguments.push("--yes");
        }
        let ran = Ran::of(site.house.command(arguments).env("SECRET_KEY", "the password of the application")).status(0);
        for canary in [PASSWORD, &login(1), "passphrase of the test", "password of the application"] {
            assert!(!ran.stdout.contains(canary) && !ran.stderr.contains(canary), "{command}");
            let sent = sent.lock().unwrap();
            assert!(
                sent.len() > 1_000 && memchr::memmem::find(&sent, canary.as_bytes()).is_none(),
                "{command}: {canary}"
            );
        }
    }
}

#[test]
fn a_key_row_of_other_types_is_read_and_one_with_nothing_in_it_is_told_as_damaged() {
    let site = sealed();
    let given = Given::KeyFile(site.house.path(KEY_FILE));
    site.sql("ALTER TABLE treelift_keys ALTER seal_count TYPE integer, ALTER id TYPE varchar(16)");
    assert_eq!(site.verified(&given).unwrap().opened, 3);
    site.sql("ALTER TABLE treelift_keys ALTER kdf DROP NOT NULL; UPDATE treelift_keys SET kdf = NULL");
    let ran = site.credentials("verify", &SECRET).status(3);
    assert!(ran.stderr.contains("a row of `treelift_keys` is damaged: something in it is NULL"), "{}", ran.stderr);
}
