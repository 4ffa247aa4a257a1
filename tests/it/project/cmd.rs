//! Words: each file of `tests/cmd/` is a command line with everything it prints and its exit status, and a test.
//!
//! `TREELIFT_BLESS=1` writes what is printed into the files, to be read before it is committed.

use crate::house::{House, Ran, copy_tree, project};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of `tests/cmd/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Files to write into the working directory.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Trees of the project to copy into the working directory.
    #[serde(default)]
    trees: BTreeMap<String, String>,
    status: i32,
    stdout: String,
    stderr: String,
}

/// The name of the test of a file.
fn test_name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().replace('-', "_")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<_> = fs::read_dir(project("tests/cmd")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    cases
}

/// Prints what its file says.
fn check(name: &str) {
    let path = cases().into_iter().find(|path| test_name(path) == name);
    let path = path.unwrap_or_else(|| panic!("tests/cmd has no file for the test `{name}`"));
    let differs = replay(&path, std::env::var_os("TREELIFT_BLESS").is_some());
    assert!(differs.is_none(), "{}", differs.unwrap_or_default());
}

/// A test for each file of `tests/cmd/`, named like it, with `_` for `-`.
macro_rules! cases {
    ($($name:ident)*) => {
        $( #[test] fn $name() { check(stringify!($name)); } )*
        const CASES: &[&str] = &[$(stringify!($name)),*];
    };
}

cases! {
    backup_create_nothing
    backup_list_none
    backup_promote_no_file
    backup_restore_no_file
    backup_restore_none
    credentials_encrypt_no_column
    credentials_hand_over_unknown
    credentials_no_database
    credentials_rekey_two_new
    credentials_set_names_database
    credentials_status_not_a_database
    credentials_status_not_there
    explain_json
    explain_known
    explain_unknown
    export_no_database
    export_set_names_database
    help
    help_backup
    help_backup_restore
    help_credentials
    help_credentials_encrypt
    help_credentials_hand_over
    help_credentials_new_key_file
    help_credentials_rekey
    help_credentials_rotate
    help_credentials_status
    help_credentials_verify
    help_explain
    help_export
    help_import
    help_runs
    help_schema
    help_schema_migrate
    help_schema_tidy
    help_schema_validate
    help_transfer
    help_undo
    help_verify
    import_broken_bad_date
    import_broken_bad_date_allowed
    import_broken_secret_undecided
    import_broken_truncated
    import_broken_unmapped_file
    import_dry_run
    import_empty_passphrase
    import_key_file_is_none
    import_no_secret
    import_no_source
    import_passphrase_file_not_there
    import_report_ending
    import_sample
    import_sample_quiet
    import_source_not_there
    import_two_secrets
    import_two_secrets_environment
    import_unknown_mapping
    import_url
    import_weak_passphrase
    new_key_file_exists
    no_command
    runs_no_database
    runs_not_there
    schema_migrate_unknown
    schema_new_bundled
    schema_rollback_nothing
    schema_status_no_database
    schema_status_not_a_database
    schema_status_nothing
    schema_status_nothing_named
    schema_test
    unbuilt_import_exit_code
    undo_no_database
    unknown_command
    unknown_flag
    verify_not_there
    version
}

#[test]
fn every_file_is_a_test() {
    let mut files: Vec<_> = cases().iter().map(|path| test_name(path)).collect();
    files.sort();
    assert_eq!(files, CASES, "the files of tests/cmd against the list of tests");
}

/// What is different, in words.
fn replay(path: &Path, bless: bool) -> Option<String> {
    let text = fs::read_to_string(path).unwrap();
    let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let ran = run(&case);
    if bless {
        fs::write(path, blessed(&text, &ran)).unwrap();
        return None;
    }
    let printed = [("stdout", &case.stdout, &ran.stdout), ("stderr", &case.stderr, &ran.stderr)];
    let mut differs = String::new();
    if ran.status != Some(case.status) {
        let _infallible = writeln!(differs, "status {:?} instead of {}", ran.status, case.status);
    }
    for (stream, expected, found) in printed.into_iter().filter(|(_, expected, found)| expected != found) {
        let _infallible = writeln!(differs, "--- {stream} expected\n{expected}--- {stream} found\n{found}---");
    }
    (!differs.is_empty()).then(|| format!("{}:\n{differs}", path.display()))
}

fn run(case: &Case) -> Ran {
    let house = House::new();
    for (name, content) in &case.files {
        house.file(name, content);
    }
    for (name, tree) in &case.trees {
        copy_tree(&project(tree), &house.path(name));
    }
    let ran = Ran::of(house.command(&case.args).envs(&case.env));
    Ran { stdout: redacted(&ran.stdout), stderr: redacted(&ran.stderr), ..ran }
}

/// The only words that change with every edit of a mapping set: its digest, and the plan that has it.
fn redacted(text: &str) -> String {
    let is_set = |line: &&str| line.starts_with("set ") && line.ends_with(')');
    let line = |line: &str| {
        if line.starts_with("plan  ") {
            return "plan     …\n".to_owned();
        }
        if is_set(&line.trim_end()) { format!("{}(…)\n", &line[..line.rfind('(').unwrap()]) } else { line.to_owned() }
    };
    text.split_inclusive('\n').map(line).collect()
}

/// The file with its head as it is, and what was printed.
fn blessed(text: &str, ran: &Ran) -> String {
    let head = text.split("\nstatus =").next().unwrap().trim_end();
    let literal = |text: &str| {
        assert!(!text.contains("'''"), "a TOML literal cannot hold {text}");
        if text.is_empty() { "''".to_owned() } else { format!("'''\n{text}'''") }
    };
    let (status, stdout, stderr) = (ran.status.unwrap(), literal(&ran.stdout), literal(&ran.stderr));
    format!("{head}\nstatus = {status}\nstdout = {stdout}\nstderr = {stderr}\n")
}
