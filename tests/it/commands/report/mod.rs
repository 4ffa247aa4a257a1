//! Reports, rejects and the log: they destroy nothing, and after the commit nothing that becomes of them
//! changes what the run says of itself.

mod diff;

use crate::house::{DATABASE, House, KEY_FILE, Ran, age, listing, open, project, rows};
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Mutex;
use treelift::config::{ImportOptions, Phase, SecretNeed, Ui};
use treelift::error::{Error, Result};
use treelift::import::import;
use treelift::report::Outcome;
use treelift::secret::keys::Secret;

const NOTES: &str = "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL);";
const NOTE: &str = "[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\n";

fn notes(content: &str) -> House {
    House::new().schema(NOTES).list("notes", "notes.json", NOTE).text("notes.json", content)
}

const GOOD: &str = r#"[{"id": "a"}, {"id": "b"}]"#;
const ONE_BAD: &str = r#"[{"id": "a"}, {"id": 1}]"#;

/// Runs with standard output on a full disk.
fn into_full_disk(house: &House, arguments: Vec<String>) -> Ran {
    let mut command = house.command(arguments);
    let ended = command.stdout(File::options().write(true).open("/dev/full").unwrap()).output().unwrap();
    Ran { status: ended.status.code(), stdout: String::new(), stderr: String::from_utf8(ended.stderr).unwrap() }
}

#[test]
fn a_committed_run_says_so_when_standard_output_is_full() {
    for json in [&[][..], &["--json"], &["-q"]] {
        let house = notes(GOOD);
        let mut more = vec!["--mappings", "set"];
        more.extend(json);
        let ran = into_full_disk(&house, house.import_arguments(&house.tree(), &more)).status(0);
        assert!(ran.stderr.contains("warning: cannot write to standard output: no storage space\n"), "{}", ran.stderr);
        assert_eq!(ran.last_line(), "committed: 2 rows into sqlite:///./target.db");
        assert_eq!(house.one("SELECT count(*) FROM notes"), "2");
    }
}

#[test]
fn a_committed_run_says_so_when_the_report_device_is_full() {
    let house = notes(ONE_BAD);
    symlink("/dev/full", house.path("full.html")).unwrap();
    let ran = house.lift(&["--max-rejects", "1", "--report", "full.html"]).ran.status(1);
    assert!(
        ran.stderr.contains("warning: cannot write the report: no storage space\n  at full.html\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.json()["outcome"], "committed");
    assert!(house.path("full.html").is_symlink());
}

/// The disk is a tmpfs of one page, filled up; it is gone with the mount namespace of the program.
#[test]
fn a_committed_run_says_so_when_the_reports_disk_is_full() {
    for report in ["full/report.json", "full/report.html"] {
        let house = notes(GOOD);
        fs::create_dir(house.path("full")).unwrap();
        let more = ["--mappings", "set", "--report", report];
        let plain = house.command(house.import_arguments(&house.tree(), &more));
        let mut command = std::process::Command::new("unshare");
        let is_root = rustix::process::geteuid().is_root();
        command.arg(if is_root { "--mount" } else { "--map-root-user" }).args((!is_root).then_some("--mount"));
        command.args([
            "sh",
            "-c",
            "mount -t tmpfs -o size=4k none full && { cat /dev/zero >full/rest 2>&-; \"$0\" \"$@\"; }",
        ]);
        command.arg(plain.get_program()).args(plain.get_args());
        command.current_dir(house.work()).env("TMPDIR", house.tmp());
        let ran = Ran::of(&mut command).status(0);
        assert!(
            ran.stderr.contains(&format!("warning: cannot write the report: no storage space\n  at {report}\n")),
            "{ran:?}"
        );
        assert_eq!(ran.last_line(), "committed: 2 rows into sqlite:///./target.db");
        assert_eq!(house.one("SELECT count(*) FROM notes"), "2");
    }
}

#[test]
fn a_command_that_changed_a_database_ends_well_when_standard_output_is_full() {
    let house = notes(GOOD);
    let line = "schema migrate --mappings set --database target.db";
    let ran = into_full_disk(&house, line.split(' ').map(str::to_owned).collect()).status(0);
    assert!(ran.stderr.contains("committed"), "{}", ran.stderr);
    assert_eq!(house.one("SELECT count(*) FROM notes"), "0");
    let read = into_full_disk(&house, ["runs", "--database", "target.db"].map(str::to_owned).to_vec());
    read.status(3);
}

/// Does something when a phase begins, and keeps the warnings.
struct Saboteur<'s> {
    at: Phase,
    act: &'s (dyn Fn() + Sync),
    warned: Mutex<Vec<String>>,
}

impl Ui for Saboteur<'_> {
    fn phase(&self, phase: Phase, _: u64, _: u64) {
        if self.at == phase {
            (self.act)();
        }
    }
    fn advance(&self, _: u64, _: u64) {}
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
    fn warn(&self, fault: &Error) {
        self.warned.lock().unwrap().push(fault.message.clone());
    }
}

fn options(house: &House) -> ImportOptions {
    ImportOptions {
        mappings: Some(house.path("set").to_str().unwrap().to_owned()),
        database: Some(house.path(DATABASE).to_str().unwrap().to_owned()),
        reports: vec![house.path("out/report.json")],
        rejects: Some(house.path("rejects")),
        max_rejects: 1,
        no_backup: true,
        reread: true,
        ..ImportOptions::of(house.tree())
    }
}

#[test]
fn a_run_whose_output_folders_vanish_is_committed_with_warnings() {
    let house = notes(ONE_BAD);
    fs::create_dir(house.path("out")).unwrap();
    let vanish = || {
        ["out", "rejects"].map(|name| house.path(name)).iter().for_each(|folder| fs::remove_dir_all(folder).unwrap());
    };
    let saboteur = Saboteur { at: Phase::Finish, act: &vanish, warned: Mutex::default() };
    let report = import(&options(&house), &saboteur).unwrap();
    assert_eq!((report.outcome, report.status(None)), (Outcome::Committed, 1));
    assert_eq!(
        *saboteur.warned.lock().unwrap(),
        [
            "the reject file cannot be renamed: entity not found",
            "the report cannot be renamed: No such file or directory (os error 2)"
        ]
    );
    assert_eq!(house.one("SELECT count(*) FROM notes"), "1");
}

#[test]
fn a_report_file_that_another_program_creates_meanwhile_is_spared() {
    let house = notes(GOOD);
    fs::create_dir(house.path("out")).unwrap();
    let create = || drop(house.file("out/report.json", "somebody was faster"));
    let saboteur = Saboteur { at: Phase::Finish, act: &create, warned: Mutex::default() };
    let report = import(&options(&house), &saboteur).unwrap();
    assert_eq!(report.outcome, Outcome::Committed);
    assert_eq!(fs::read_to_string(house.path("out/report.json")).unwrap(), "somebody was faster");
    let kept: Value = serde_json::from_slice(&fs::read(house.path("out/report.json.partial")).unwrap()).unwrap();
    assert_eq!(kept["outcome"], "committed");
}

#[test]
fn last_weeks_report_and_rejects_are_kept_under_numbers() {
    let house = notes(ONE_BAD);
    for mode in [&["--dry-run"][..], &[], &["--dry-run"]] {
        let mut more = vec!["--report", "report.json", "--report", "report.html", "--rejects", "rejects"];
        more.extend(mode);
        house.lift(&more).ran.status(1);
    }
    let kept =
        ["report.1.json", "report.1.html", "report.2.json", "rejects/rejects.1.jsonl", "rejects/rejects.2.jsonl"];
    for name in kept {
        assert!(house.path(name).is_file(), "{name}");
    }
    let first: Value = serde_json::from_slice(&fs::read(house.path("report.1.json")).unwrap()).unwrap();
    assert_eq!(first["mode"], "dry-run");
}

#[test]
fn what_is_not_ours_is_never_written_to() {
    let house = notes(GOOD);
    house.file("mine.json", "{\"mine\": true}");
    house.file("mine.html", "<p>mine</p>");
    house.file("mine.log", "a log of something else\n");
    house.file("folder/rejects.jsonl", "{\"mine\": true}\n");
    fs::hard_link(house.path("tree/notes.json"), house.path("hard.json")).unwrap();
    symlink("target.db", house.path("soft.json")).unwrap();
    symlink("tree", house.path("link")).unwrap();
    age(&house.tree());
    let before = listing(&house.work());
    let cases = [
        ("--report mine.json", "the file exists and is not a report of treelift"),
        ("--report mine.html", "the file exists and is not a report of treelift"),
        ("--report hard.json", "the file exists and is not a report of treelift"),
        ("--report tree/notes.json", "`--report` is in the source tree"),
        ("--report tree/new.json", "`--report` is in the source tree"),
        ("--report link/../tree/new.html", "`--report` is in the source tree"),
        ("--report set/new.json", "`--report` is in the mapping set"),
        ("--report soft.json", "`--report` is the database"),
        ("--report r.json --report ./r.json", "the same report file is given twice"),
        ("--report r.json --log-file r.json", "`--report` is the log file"),
        ("--rejects tree", "`--rejects` is in the source tree"),
        ("--rejects tree/new", "`--rejects` is in the source tree"),
        ("--rejects folder", "the file exists and does not hold rejects"),
        ("--rejects mine.json", "the reject folder is not a directory"),
        ("--log-file mine.log", "the log file exists and is not a log of treelift"),
        ("--log-file test.key", "`--log-file` is the key file"),
        ("--log-file tree/notes.json", "`--log-file` is in the source tree"),
        ("--log-file tree/new.log", "`--log-file` is in the source tree"),
        ("--log-file target.db", "`--log-file` is the database"),
        ("--log-file target.db-wal", "`--log-file` is a file of the database"),
        ("--log-file set/new.log", "`--log-file` is in the mapping set"),
    ];
    for mode in [&[][..], &["--dry-run"]] {
        for (line, words) in cases {
            let more: Vec<&str> = line.split(' ').chain(mode.iter().copied()).collect();
            let ran = house.lift(&more).ran.status(2);
            assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
            let _ = fs::remove_file(house.path("r.json"));
            assert_eq!(listing(&house.work()).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{line}");
        }
    }
    let after = listing(&house.work());
    let files = |all: &std::collections::BTreeMap<PathBuf, String>| {
        all.clone().into_iter().filter(|(_, what)| !what.starts_with("directory")).collect::<Vec<_>>()
    };
    assert_eq!(files(&after), files(&before));
}

#[test]
fn the_database_of_the_run_before_is_not_replaced_by_its_report() {
    let house = House::new();
    let notes = project("sample_data/notes");
    let database = "--database=all.json";
    let arguments =
        ["import", "--reread", notes.to_str().unwrap(), "--key-file", KEY_FILE, database, "--yes", "--no-backup"];
    house.run(arguments).status(0);
    let before = fs::read(house.path("all.json")).unwrap();
    let ran = house.run(arguments.into_iter().chain(["--report", "all.json"])).status(2);
    assert!(ran.stderr.contains("`--report` is the database"), "{}", ran.stderr);
    assert_eq!(fs::read(house.path("all.json")).unwrap(), before);
    assert!(!rows(&open(&house.path("all.json")), "SELECT id FROM people").is_empty());
}

#[test]
fn pipes_and_devices_are_written_straight() {
    let house = notes(GOOD);
    let ran =
        house.lift(&["--report", "/dev/stderr", "--report", "/dev/null", "--log-file", "/dev/null"]).ran.status(0);
    assert!(ran.stderr.contains("\"report_version\": 1"), "{}", ran.stderr);
    let pipe = house.path("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    let ran = house.lift(&["--report", "pipe"]).ran.status(0);
    assert!(ran.stderr.contains("warning: cannot write the report: no program reads the pipe\n"), "{}", ran.stderr);
    let ran = house.lift(&["--log-file", "pipe"]).ran.status(3);
    assert!(ran.stderr.contains("the log cannot be written: no program reads the pipe"), "{}", ran.stderr);
}

#[test]
fn a_log_goes_on_in_a_log_and_in_an_empty_file() {
    let house = notes(GOOD);
    house.file("empty.log", "");
    for _ in 0..2 {
        house.lift(&["--log-file", "empty.log"]).ran.status(0);
    }
    let log = fs::read_to_string(house.path("empty.log")).unwrap();
    assert_eq!(log.matches("\"event\":\"begin\"").count(), 2, "{log}");
}
