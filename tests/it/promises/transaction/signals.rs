//! Signals, limits and replaced files: a command ends at once, cleans up, and says what is true.

use crate::house::keeping::{URL, backup, change, schema, small_set};
use crate::house::{DATABASE, House, Ran, dump, open, rows};
use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use treelift::backup::Before;
use treelift::config::{Phase, SecretNeed, Ui};
use treelift::error::Result;
use treelift::migrations::{ManagedDatabase, Options};
use treelift::secret::keys::Secret;

/// Runs for hours in a database whose file has this name and whose `notes` have a row, else a moment.
fn slow_in(file: &str) -> String {
    format!(
        "CREATE TABLE slow (most INTEGER);
         INSERT INTO slow WITH RECURSIVE n (i) AS (
             SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000 AND EXISTS (SELECT 1 FROM notes)
                 AND (SELECT file FROM pragma_database_list WHERE name = 'main') LIKE '%/{file}'
         ) SELECT max(i) FROM n;\n"
    )
}

/// A database at 001 with a row, and a 002 that is slow in a file of this name.
fn slow(file: &str) -> (House, String) {
    let house = House::new();
    let set = small_set(&house);
    schema(&house, &format!("migrate --to 001 {set}")).status(0);
    change(&house, "INSERT INTO notes (title) VALUES ('a')");
    house.file("set/schema/002_more.up.sql", slow_in(file));
    house.file("set/schema/002_more.down.sql", "DROP TABLE slow;\n");
    (house, set)
}

fn start(house: &House, line: &str) -> Child {
    let backups = house.backups();
    let mut arguments: Vec<&str> = line.split(' ').collect();
    arguments.extend(["--database", URL, "--mappings", "set"]);
    if !line.contains("--dry-run") {
        arguments.extend(["--backup-dir", backups.to_str().unwrap()]);
    }
    house.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Everything below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
        all.push(path.clone());
        all.extend(below(&path));
    }
    all.sort();
    all
}

/// Waits until a file of this ending is there, and a moment longer.
fn wait_for(folder: &Path, ending: &str) {
    let begun = Instant::now();
    while !below(folder).iter().any(|path| path.to_string_lossy().ends_with(ending)) {
        assert!(begun.elapsed() < Duration::from_secs(60), "no `{ending}` below {}", folder.display());
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(50));
}

/// Sends a signal, and waits for the end, which must come soon.
fn signalled(mut child: Child, signal: Signal) -> Ran {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
            panic!("{signal:?} waited for the statement");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    Ran {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_signal_ends_a_running_migration_at_once_and_leaves_the_database_and_no_copy() {
    let cases = [
        ("schema migrate --yes", DATABASE),
        ("schema migrate --yes", "copy.db"),
        ("schema migrate --dry-run", "copy.db"),
    ];
    for ((signal, status), (line, file)) in
        [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)].into_iter().zip(cases)
    {
        let (house, set) = slow(file);
        let before = dump(&open(&house.path(DATABASE)));
        let child = start(&house, line);
        wait_for(house.work().parent().unwrap(), &format!("{file}-journal"));
        let ran = signalled(child, signal).status(status);
        assert!(ran.stderr.ends_with("error: interrupted, nothing was written\n"), "{line}: {}", ran.stderr);
        assert_eq!(dump(&open(&house.path(DATABASE))), before, "{line}");
        assert_eq!(below(&house.tmp()), [] as [PathBuf; 0], "{line}");
        assert_eq!(below(&house.backups()), [] as [PathBuf; 0], "{line}");
        // Nothing is recorded as failed: the file is not to blame.
        assert!(!schema(&house, &format!("history {set}")).status(0).stdout.contains("failed"));
    }
}

#[test]
fn a_signal_ends_what_only_explains_or_checks_and_leaves_no_copy() {
    let slow = "CREATE TABLE slow (most INTEGER);
         INSERT INTO slow WITH RECURSIVE n (i) AS (
             SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000
                 AND (SELECT file FROM pragma_database_list WHERE name = 'main') LIKE '%/copy.db'
         ) SELECT max(i) FROM n;";
    let rules = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"";
    let house = House::new()
        .schema(&format!("CREATE TABLE notes (id INTEGER PRIMARY KEY);\n{slow}"))
        .list("notes", "notes.json", rules)
        .source("notes.json", &serde_json::json!([{"id": 1}]));
    let explain = ["explain", "tree/notes.json", "--source", "tree", "--mappings", "set"];
    for line in [&explain[..], &["check", "set", "--against", "tree"]] {
        let child = house.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for(&house.tmp(), "copy.db");
        let ran = signalled(child, Signal::INT).status(130);
        assert_eq!(ran.stderr, "error: interrupted, nothing was written\n", "{line:?}");
        assert_eq!(below(&house.tmp()), [] as [PathBuf; 0], "{line:?}");
    }
}

#[test]
fn a_signal_ends_an_import_within_a_second_while_a_statement_of_another_thread_runs() {
    let schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY);
         CREATE TABLE slow (most INTEGER);
         CREATE TRIGGER takes_hours AFTER INSERT ON notes WHEN new.id = 2 BEGIN
             INSERT INTO slow SELECT max(one.value * two.value * three.value * four.value) FROM
                 json_each('[1,2,3,4,5,6,7,8,9]') one, json_each('[1,2,3,4,5,6,7,8,9]') two,
                 json_each('[1,2,3,4,5,6,7,8,9]') three, json_each('[1,2,3,4,5,6,7,8,9]') four,
                 json_each('[1,2,3,4,5,6,7,8,9]') five, json_each('[1,2,3,4,5,6,7,8,9]') six,
                 json_each('[1,2,3,4,5,6,7,8,9]') seven, json_each('[1,2,3,4,5,6,7,8,9]') eight,
                 json_each('[1,2,3,4,5,6,7,8,9]') nine, json_each('[1,2,3,4,5,6,7,8,9]') ten;
         END;";
    let rules = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"";
    let house = House::new()
        .schema(schema)
        .list("notes", "notes.json", rules)
        .source("notes.json", &serde_json::json!([{"id": 1}, {"id": 2}, {"id": 3}]));
    for jobs in ["1", "4"] {
        let arguments = house
            .import_arguments(&house.path("tree"), &["--mappings", "set", "--jobs", jobs, "--report", "report.json"]);
        let child = house.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for(&house.work(), "-journal");
        let begun = Instant::now();
        let ran = signalled(child, Signal::INT).status(130);
        assert!(begun.elapsed() < Duration::from_secs(1), "--jobs {jobs}: {:?}", begun.elapsed());
        assert!(ran.last_line().contains("nothing was written"), "--jobs {jobs}: {}", ran.last_line());
        let report: serde_json::Value = serde_json::from_slice(&fs::read(house.path("report.json")).unwrap()).unwrap();
        assert_eq!(report["outcome"], "interrupted");
        assert_ne!(report["files"][0]["status"], "rejected");
        fs::remove_file(house.path("report.json")).unwrap();
        assert!(!house.path(DATABASE).exists());
    }
}

#[test]
fn a_signal_ends_a_migration_that_is_slow_before_it_reaches_the_database() {
    let house = House::new();
    small_set(&house);
    house.file(
        "set/schema/002_more.up.sql",
        "CREATE TABLE slow (most INTEGER); INSERT INTO slow WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000)
         SELECT max(i) AS most FROM n;\n",
    );
    let child = start(&house, "schema migrate --yes");
    wait_for(&house.work(), "-journal");
    signalled(child, Signal::TERM).status(143);
    assert!(!house.path(DATABASE).exists());
    let is_unfinished = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().contains("treelift-");
    assert!(!below(&house.work()).iter().any(is_unfinished));
}

#[test]
fn a_signal_ends_a_running_rollback_at_once() {
    let (house, set) = slow("none");
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    house.file("set/schema/002_more.down.sql", format!("{} DROP TABLE slow; DROP TABLE more;\n", slow_in("copy.db")));
    schema(&house, &format!("migrate {set}")).status(0);
    let before = dump(&open(&house.path(DATABASE)));
    let kept = below(&house.backups());
    let child = start(&house, "schema rollback --steps 1 --yes");
    wait_for(&house.tmp(), "-journal");
    signalled(child, Signal::TERM).status(143);
    assert_eq!(dump(&open(&house.path(DATABASE))), before);
    assert_eq!((below(&house.tmp()), below(&house.backups())), (Vec::new(), kept));
}

#[test]
fn a_signal_during_a_backup_leaves_no_part_of_it() {
    let (house, set) = slow("none");
    change(
        &house,
        "CREATE TABLE large AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
                    SELECT i, randomblob(1000000) AS bytes FROM n",
    );
    let child = start(&house, "backup create");
    wait_for(&house.backups(), ".part");
    signalled(child, Signal::INT).status(130);
    assert_eq!((below(&house.tmp()), below(&house.backups())), (Vec::new(), Vec::new()));
    backup(&house, &format!("create {set}")).status(0);
}

#[test]
fn a_file_size_limit_is_a_failed_write_that_is_cleaned_up() {
    let (house, _) = slow("none");
    change(&house, "CREATE TABLE large AS SELECT randomblob(3000000) AS bytes");
    for line in ["backup create", "schema validate", "schema rollback --all --dry-run"] {
        let command = house.command(line.split(' '));
        let mut limited = Command::new("sh");
        limited.arg("-c").arg("ulimit -f 1024; exec \"$@\"").arg("sh").arg(command.get_program());
        limited.args(command.get_args()).args(["--database", URL, "--mappings", "set"]);
        limited.current_dir(house.work()).env_clear().env("TMPDIR", house.tmp()).env("HOME", house.work());
        limited.env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        let ran = Ran::of(&mut limited);
        if line != "schema validate" {
            assert_eq!(ran.status, Some(3), "{line}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stderr.contains("file size limit"), "{line}: {}", ran.stderr);
        }
        assert_eq!(below(&house.tmp()), [] as [PathBuf; 0], "{line}");
        assert!(!house.path("backups").exists(), "{line}");
    }
}

#[test]
fn a_copy_that_a_killed_rehearsal_left_is_removed_by_the_next_command_and_a_living_ones_is_not() {
    let (house, set) = slow("copy.db");
    let mut child = start(&house, "schema migrate --dry-run");
    wait_for(&house.tmp(), "copy.db-journal");
    let folders: Vec<PathBuf> = fs::read_dir(house.tmp()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [folder] = folders.as_slice() else { panic!("{folders:?}") };
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with("treelift-") && name.len() > "treelift-0011223344556677-".len(), "{name}");
    assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);

    let said = "removed a database copy that a killed command left: ";
    let ran = schema(&house, &format!("status {set}")).status(0);
    assert!(!ran.stderr.contains(said) && folder.exists(), "{}", ran.stderr);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(folder.join("copy.db").exists());
    let ran = schema(&house, &format!("status {set}")).status(0);
    assert!(ran.stderr.contains(&format!("{said}{}", folder.display())), "{}", ran.stderr);
    assert_eq!(below(&house.tmp()), [] as [PathBuf; 0]);
}

/// Replaces the database by a copy of it when the first step is done.
struct Replacer(PathBuf);

impl Ui for Replacer {
    fn phase(&self, _: Phase, _: u64, _: u64) {}
    fn advance(&self, _: u64, _: u64) {
        let other = self.0.with_extension("other");
        fs::copy(&self.0, &other).unwrap();
        fs::rename(other, &self.0).unwrap();
    }
    fn interrupted(&self) -> Option<i32> {
        None
    }
    fn confirm(&self, _: &str) -> Result<bool> {
        Ok(true)
    }
    fn secret(&self, _: SecretNeed) -> Result<Option<Secret>> {
        Ok(None)
    }
    fn say(&self, _: &str) {}
}

#[test]
fn a_database_that_is_replaced_during_a_command_is_an_error_and_not_a_commit() {
    let (house, set) = slow("none");
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER);\n");
    let database = house.path(DATABASE);
    let before = dump(&open(&database));
    let folder = house.path("set");
    let mut managed = ManagedDatabase::open(folder.to_str(), Some(database.to_str().unwrap())).unwrap();
    let options = Options { before: Before { skip: true, ..Before::default() }, ..Options::default() };
    let error = managed.migrate(None, &options, &Replacer(database.clone())).unwrap_err();
    assert_eq!(error.status(), 3);
    assert_eq!(
        error.to_string().replace(database.to_str().unwrap(), "PATH"),
        "the database's file was replaced or removed by another program during the command\n  at PATH\n\
         hint: nothing was written into the file that has this name now; stop that program, then run again"
    );
    assert_eq!(dump(&open(&database)), before);
    schema(&house, &format!("migrate {set}")).status(0);
}

#[test]
fn a_restore_through_a_link_keeps_the_link_and_owner_and_mode_of_the_file() {
    let (house, set) = slow("none");
    let (link, real) = (house.path(DATABASE), house.path("data/real.db"));
    fs::create_dir(house.path("data")).unwrap();
    fs::rename(&link, &real).unwrap();
    symlink("data/real.db", &link).unwrap();
    Connection::open(&link).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap();
    backup(&house, &format!("create {set}")).status(0);
    change(&house, "DELETE FROM notes");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    if rustix::process::geteuid().is_root() {
        chown(&real, Some(4_242), Some(4_243)).unwrap();
    }
    let kept = fs::metadata(&real).unwrap();
    let ran = backup(&house, &format!("restore --latest --yes {set}"));
    assert!(ran.stdout.contains("restored to"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("data/real.db"));
    let now = fs::metadata(&real).unwrap();
    assert_ne!(now.ino(), kept.ino());
    assert_eq!((now.mode(), now.uid(), now.gid()), (kept.mode(), kept.uid(), kept.gid()));
    assert_eq!(rows(&Connection::open(&real).unwrap(), "SELECT title FROM notes"), [["a"]]);
}
