//! What is recorded of runs, and what stays of those that are forgotten.

use crate::commands::undo::house;
use crate::house::site::{Site, on_every_engine};
use crate::house::{Ran, listing};
use serde_json::{Value, json};
use std::process::Command;

/// What a command of the system prints.
fn told(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn runs(site: &Site, more: &[&str]) -> Ran {
    let backups = site.house.backups();
    let mut arguments = vec!["runs", "--mappings", "set", "--database", site.name()];
    if more.contains(&"--forget") {
        let place = ["--backup-dir", backups.to_str().unwrap()];
        arguments.extend(if site.is_file() { &place[..] } else { &["--no-backup"] });
    }
    arguments.extend(more);
    site.house.run(arguments)
}

fn listed(site: &Site) -> Vec<Value> {
    runs(site, &["--json"]).status(0).json()["runs"].as_array().unwrap().clone()
}

#[test]
fn a_run_is_recorded_with_when_where_and_by_whom_and_the_newest_comes_first() {
    on_every_engine(house, |site| {
        let report = site.house.lift(&["--database", site.name(), "--no-backup"]).ends(0, "committed").report();
        let run = report["run_id"].as_str().unwrap();
        site.undo(run, &[]).status(0);
        let listed = listed(site);
        let kinds: Vec<&str> = listed.iter().map(|run| run["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["undo", "import"]);
        let (user, host) = (told("id", &["-un"]), told("uname", &["-n"]));
        for known in &listed {
            assert_eq!((&known["user"], &known["host"]), (&json!(user), &json!(host)));
            assert_eq!(known["program"], env!("CARGO_PKG_VERSION"));
        }
        assert_eq!((&report["run"]["user"], &report["run"]["host"]), (&json!(user), &json!(host)));
        let time = |text: &Value| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let recorded = &listed[1];
        assert_eq!(time(&report["run"]["started"]), time(&recorded["started"]));
        let (finished, told) = (time(&report["run"]["finished"]), time(&recorded["finished"]));
        assert!(finished.duration_since(told).as_micros() <= 1, "{finished} {told}");
        let words = runs(site, &[]).status(0).stdout;
        assert!(words.starts_with("run ") && words.contains(&format!(", by {user} on {host}\n")), "{words}");
        assert!(words.contains("source  tree (3 files") || words.contains("tree (2 files"), "{words}");
    });
}

#[test]
fn a_forgotten_run_keeps_its_line_and_nothing_claims_to_know_what_it_wrote() {
    on_every_engine(house, |site| {
        let house = &site.house;
        let first = site.imported();
        house.file("tree/mails.json", json!([{"id": "1", "mail": "ann@example.org"}]).to_string());
        let second = site.imported();
        let before = (listing(&house.work()), site.content(), listed(site));

        // The second filled a column of a row of the first.
        let refused = runs(site, &["--forget", &first, "--yes"]).status(1).stdout;
        let needs =
            format!("blocked: run {second}, which is kept, wrote into 1 row of run {first}: forget both, or neither\n");
        assert!(refused.starts_with(&needs), "{refused}");
        runs(site, &["--forget", &second, "--yes"]).status(1);
        let dry = runs(site, &["--forget", "--all", "--dry-run", "--json"]).status(0).json();
        assert_eq!(dry["outcome"], "dry-run");
        let tables =
            json!([{"table": "notes", "rows": 3}, {"table": "people", "rows": 2}, {"table": "tags", "rows": 1}]);
        assert_eq!(
            dry["runs"],
            json!([
                {"run": first, "files": 2, "tables": tables},
                {"run": second, "files": 1, "tables": [{"table": "people", "rows": 1}]}
            ])
        );
        assert_eq!((listing(&house.work()), site.content(), listed(site)), before);
        if site.is_file() {
            runs(site, &["--forget", "--all"]).status(2); // nobody is asked
            assert_eq!((listing(&house.work()), site.content(), listed(site)), before);
        }

        let done = runs(site, &["--forget", "--all", "--yes", "--json"]).status(0).json();
        assert_eq!((&done["outcome"], &done["runs"]), (&json!("committed"), &dry["runs"]));
        assert_eq!(done["backup"].is_string(), site.is_file());
        assert_eq!((site.count("treelift_rows"), site.count("treelift_files"), site.count("treelift_runs")), (0, 0, 2));
        assert_eq!(site.content(), before.1);
        for (now, then) in listed(site).iter().zip(&before.2) {
            assert!(now["forgotten"].is_string() && now["forgotten_by"].is_string(), "{now:#}");
            for member in ["id", "kind", "source", "inserted", "updated", "files", "leaves", "started", "finished"] {
                assert_eq!(now[member], then[member]);
            }
        }
        assert!(runs(site, &[]).stdout.contains("\n  ledger  forgotten 2"));
        assert_eq!(
            runs(site, &["--forget", "--all", "--yes"]).status(0).last_line().split(" in ").next(),
            Some("nothing to forget")
        );
        let again = runs(site, &["--forget", &first, "--yes"]).status(2).stderr;
        assert!(again.contains(&format!("the ledger of run {first} was forgotten on 2")), "{again}");

        let undo = site.undo(&first, &[]).status(2).stderr;
        assert!(
            undo.contains(&format!("run {first} cannot be undone: the ledger of run {first} was forgotten on ")),
            "{undo}"
        );
        let asked =
            ["explain", "--row", "people", "1", "--source", "tree", "--mappings", "set", "--database", site.name()];
        let explained = house.run(asked).status(2).stderr;
        assert!(explained.contains("no run that the ledger still tells of recorded a row of `people`"), "{explained}");
        assert!(explained.contains(&format!("the ledger of run {second} was forgotten on ")), "{explained}");

        // Notes have no key: nothing tells any more which of them are there.
        let import = |more: &[&str]| {
            let fixed = ["import", "tree", "--mappings", "set", "--database", site.name(), "--no-backup", "--yes"];
            house.run([&fixed[..], more].concat())
        };
        for more in [&["--dry-run"][..], &[]] {
            let refused = import(more).status(2).stderr;
            assert!(
                refused.contains("it alone says which rows of rules without a key are there (3 rows of `notes`)"),
                "{refused}"
            );
        }
        assert_eq!(site.content(), before.1);
        let keyed = import(&["--only-mapping", "tags", "--json"]).status(0).json();
        assert_eq!((&keyed["tables"][0]["inserted"], &keyed["tables"][0]["unchanged"]), (&json!(0), &json!(1)));
        assert_eq!(site.content(), before.1);
    });
}

#[test]
fn runs_of_which_nothing_is_kept_are_not_forgotten_and_what_is_asked_is_said() {
    on_every_engine(house, |site| {
        let first = site.imported();
        site.undo(&first, &[]).status(0);
        let undo = listed(site)[0]["id"].as_str().unwrap().to_owned();
        let words = runs(site, &["--forget", &undo, "--yes"]).status(2).stderr;
        assert!(words.contains("is of the kind `undo`: only of an import something is kept"), "{words}");
        assert!(runs(site, &["--forget", "--yes"]).status(2).stderr.contains("no run is named"));
        assert!(runs(site, &["--forget", "no", "--yes"]).status(2).stderr.contains("no run `no` is recorded"));
        assert!(runs(site, &["--dry-run"]).status(2).stderr.contains("give `--forget` too"));
        // Undone: its rows are gone, and it may be imported again although it is forgotten.
        runs(site, &["--forget", &first[..8], "--yes"]).status(0);
        site.imported();
    });
}
