//! No command for credentials prints a secret, whatever fails.

use crate::house::safe::{Given, make};
use crate::house::{DATABASE, House, KEY_FILE, Ran, hex, listing};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rusqlite::Connection;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;

const PASSPHRASE: &str = "canary passphrase of the test";
const OTHER: &str = "canary wrong passphrase";
const NEW: &str = "canary new";
const VALUE: &str = "canary value in a cell";
const APPLICATION: &str = "canary of the application";

/// Something that goes wrong: what is done to the house, the request, its status.
#[derive(Clone, Copy)]
struct Case {
    sql: &'static str,
    request: &'static str,
    variables: &'static [(&'static str, &'static str)],
    status: i32,
}

const fn case(sql: &'static str, request: &'static str, status: i32) -> Case {
    Case { sql, request, variables: &[], status }
}

const fn with(variables: &'static [(&'static str, &'static str)], case: Case) -> Case {
    Case { variables, ..case }
}

const PLAIN: &str = "UPDATE logins SET password = 'canary value in a cell' WHERE person = 'person 1'";
const APP: &[(&str, &str)] = &[("SECRET_KEY", APPLICATION)];

static CASES: [Case; 34] = [
    case(PLAIN, "status", 1),
    case(PLAIN, "verify --passphrase-file pass.txt", 3),
    case(PLAIN, "rotate --passphrase-file pass.txt --yes", 3),
    case("", "verify --passphrase-file other.txt", 3),
    case("", "rekey --passphrase-file other.txt --new-key-file test.key --yes", 3),
    case("", "verify --key-file test.key", 3),
    case("", "verify --key-file pass.txt", 3),
    case("", "verify --passphrase-file pass.txt --key-file test.key", 2),
    with(&[("TREELIFT_PASSPHRASE", OTHER)], case("", "verify", 3)),
    with(&[("TREELIFT_PASSPHRASE", OTHER)], case("", "verify --passphrase-file pass.txt", 2)),
    case("", "verify", 2),
    case("", "rekey --passphrase-file pass.txt --new-passphrase-file new.txt --yes", 2),
    case("", "rekey --passphrase-file pass.txt --yes", 2),
    case("", "rotate --passphrase-file pass.txt", 2),
    case("UPDATE logins SET password = CAST('canary value in a cell' AS BLOB)", "verify --passphrase-file pass.txt", 3),
    case("UPDATE logins SET password = substr(password, 1, 60)", "rotate --passphrase-file pass.txt --yes", 3),
    case("UPDATE logins SET password = substr(password, 1, 30)", "verify --passphrase-file pass.txt", 3),
    case("UPDATE logins SET password = replace(password, 'tl2.', 'tl9.')", "verify --passphrase-file pass.txt", 3),
    case("UPDATE treelift_keys SET wrapped_key = 'canary value in a cell'", "verify --passphrase-file pass.txt", 3),
    case("UPDATE treelift_keys SET kdf = 'canary value in a cell'", "verify --passphrase-file pass.txt", 3),
    case("UPDATE treelift_keys SET kdf = replace(kdf, 't=1', 't=99')", "verify --passphrase-file pass.txt", 3),
    case("UPDATE treelift_keys SET key_check = 7", "verify --passphrase-file pass.txt", 3),
    case("UPDATE treelift_keys SET state = 'canary value in a cell'", "status", 1),
    case("DELETE FROM treelift_keys", "verify --passphrase-file pass.txt", 3),
    case("UPDATE treelift_sealed_columns SET key_columns = '[\"canary value in a cell'", "status", 1),
    case(
        "UPDATE treelift_sealed_columns SET row_filter = '{\"canary value in a cell'",
        "verify --passphrase-file pass.txt",
        3,
    ),
    case(
        "UPDATE logins SET note = 'canary value in a cell'",
        "encrypt --column logins.notes --passphrase-file pass.txt --yes",
        2,
    ),
    case(
        "UPDATE logins SET note = 'canary value in a cell'",
        "encrypt --column logins.note --key password --passphrase-file pass.txt",
        2,
    ),
    case(
        "UPDATE logins SET note = x'63616e61727920'",
        "encrypt --column logins.note --passphrase-file pass.txt --yes",
        3,
    ),
    case(
        "CREATE TRIGGER no BEFORE UPDATE ON logins BEGIN SELECT RAISE(ABORT, 'canary value in a cell'); END",
        "rotate --passphrase-file pass.txt --yes",
        3,
    ),
    case("", "hand-over --to fernet --mappings fossawork --passphrase-file pass.txt --yes", 2),
    with(APP, case(PLAIN, "hand-over --to fernet --mappings fossawork --passphrase-file pass.txt --yes", 3)),
    with(
        APP,
        case(
            "UPDATE treelift_sealed_columns SET format = 'fernet'",
            "encrypt --from fernet --mappings fossawork --passphrase-file pass.txt --yes",
            3,
        ),
    ),
    with(
        APP,
        case(
            "UPDATE treelift_sealed_columns SET format = 'fernet'; UPDATE logins SET password = 'canary value in a cell'",
            "verify --mappings fossawork --passphrase-file pass.txt",
            3,
        ),
    ),
];

#[test]
fn no_secret_is_printed_however_a_command_fails() {
    for case in &CASES {
        for more in [&["-v"][..], &["--json"]] {
            let house = damaged(case.sql);
            let before = listing(&house.work());
            let mut command = request(&house, case.request, more);
            command.envs(case.variables.iter().copied());
            let ran = Ran::of(&mut command).status(case.status);
            assert_silent(&house, case.request, &ran);
            assert_eq!(listing(&house.work()), before, "{}: nothing was changed or left", case.request);
            assert_eq!(fs::read_dir(house.tmp()).unwrap().count(), 0, "{}", case.request);
        }
    }
}

#[test]
fn no_secret_is_printed_for_a_database_that_cannot_be_written() {
    let house = damaged("");
    let rotate = "rotate --passphrase-file pass.txt --yes";
    let holder = Connection::open(house.path(DATABASE)).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_silent(&house, "locked", &Ran::of(&mut request(&house, rotate, &[])).status(3));
    drop(holder);
    fs::set_permissions(house.path(DATABASE), fs::Permissions::from_mode(0o400)).unwrap();
    assert_silent(&house, "read-only", &Ran::of(&mut request(&house, rotate, &[])).status(3));
}

#[test]
fn no_secret_is_printed_for_a_variable_that_is_not_text() {
    let house = damaged("");
    let value = OsString::from_vec([APPLICATION.as_bytes(), b"\xff"].concat());
    for (variable, line) in [
        ("TREELIFT_PASSPHRASE", "verify"),
        ("SECRET_KEY", "hand-over --to fernet --mappings fossawork --passphrase-file pass.txt --yes"),
    ] {
        let mut command = request(&house, line, &[]);
        assert_silent(&house, line, &Ran::of(command.env(variable, &value)).status(2));
    }
}

fn damaged(sql: &str) -> House {
    let house = House::new();
    for (name, text) in [("pass.txt", PASSPHRASE), ("other.txt", OTHER), ("new.txt", NEW)] {
        let path = house.file(name, text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    make(&house.path(DATABASE), &Given::Passphrase(PASSPHRASE), 3);
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(sql).unwrap();
    house
}

fn request(house: &House, line: &str, more: &[&str]) -> std::process::Command {
    let words = ["credentials"].into_iter().chain(line.split(' ')).chain(["--database", DATABASE]);
    house.command(words.chain(more.iter().copied()))
}

/// Neither stream has a canary in any of its forms, nor the content of the key file.
#[track_caller]
fn assert_silent(house: &House, context: &str, ran: &Ran) {
    let key_file = fs::read_to_string(house.path(KEY_FILE)).unwrap();
    let planted = [PASSPHRASE, OTHER, NEW, VALUE, APPLICATION, key_file.trim(), &crate::house::safe::login(1)];
    let said = format!("{}{}", ran.stdout, ran.stderr);
    for canary in planted {
        let forms = [
            canary.to_owned(),
            hex(canary.as_bytes()),
            STANDARD.encode(canary).trim_end_matches('=').to_owned(),
            URL_SAFE_NO_PAD.encode(canary),
        ];
        for form in forms {
            assert!(!said.contains(&form), "{context}: {said}");
        }
    }
    assert!(!said.contains("tl2."), "{context}: no sealed value is shown either: {said}");
}
