//! Applications and programs follow a job: the example of one that embeds the import does what it says, and lines of JSON
//! have the same numbers.

#[path = "../../../../examples/embed.rs"]
#[allow(dead_code, reason = "its own `main` is run by `cargo run --example embed`")]
mod example;

use crate::commands::undo::house;
use crate::house::House;
use example::{Application, import_tree};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use treelift::error::ErrorKind;
use treelift::report::Outcome;

#[test]
fn an_application_imports_a_tree_with_its_own_progress_questions_secret_and_cancel_button() {
    let house = House::new();
    let tree = house.sample_copy();
    let (tree, database) = (tree.to_str().unwrap(), format!("sqlite:///{}", house.path("app.db").display()));
    let (shown, asked) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let (answer, cancelled) = (AtomicBool::new(false), AtomicBool::new(false));
    let app = Application {
        show: &|line| shown.lock().unwrap().push(line.to_owned()),
        answer: &|question| {
            asked.lock().unwrap().push(question.to_owned());
            answer.load(Ordering::Relaxed)
        },
        passphrase: "correct horse battery staple",
        cancelled: &cancelled,
    };
    let import = || import_tree(&app, tree, "fossawork", &database);

    let report = import().unwrap();
    assert_eq!(report.outcome, Outcome::Committed);
    assert!(report.secrets.sealed > 0, "the passphrase was used");
    let lines = std::mem::take(&mut *shown.lock().unwrap());
    let importing: Vec<&String> = lines.iter().filter(|line| line.starts_with("importing: ")).collect();
    let (begun, ended) = (importing[0], importing[importing.len() - 1]);
    assert!(begun.contains(", 0 of ") && !ended.contains(", 0 of "), "{importing:#?}");
    assert!(asked.lock().unwrap().is_empty(), "a new database asks nothing");

    // As it was, it would not be read.
    let users = format!("{tree}/users.json");
    std::fs::write(&users, format!("{}\n", std::fs::read_to_string(&users).unwrap())).unwrap();
    let refused = import().unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::Request) && refused.message.contains("not confirmed"), "{refused}");
    assert_eq!(asked.lock().unwrap().len(), 1);

    answer.store(true, Ordering::Relaxed);
    cancelled.store(true, Ordering::Relaxed);
    match import() {
        Ok(report) => assert_eq!(report.outcome, Outcome::Interrupted),
        Err(error) => assert!(matches!(error.kind, ErrorKind::Interrupted(_)), "{error}"),
    }
    cancelled.store(false, Ordering::Relaxed);
    assert!(import().unwrap().tables.iter().all(|table| table.inserted == 0), "it is there already");
}

#[test]
fn progress_is_a_json_object_a_line_and_the_last_of_each_phase_is_always_there() {
    let house = house();
    let arguments = ["import", "tree", "--mappings", "set", "--database", "sqlite:///./x.db", "--progress", "json"];
    let ran = house.run(arguments).status(0);
    let lines = ran.stderr.lines().filter(|line| line.starts_with('{'));
    let told: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut last: BTreeMap<&str, &Value> = BTreeMap::new();
    for (one, next) in told.iter().zip(told.iter().skip(1)) {
        if one["phase"] != next["phase"] {
            assert_eq!(one["last"], true, "{one}");
        }
    }
    last.extend(told.iter().filter(|line| line["last"] == true).map(|line| (line["phase"].as_str().unwrap(), line)));
    for phase in ["walk", "import", "check", "finish"] {
        assert!(last.contains_key(phase), "{phase} in {}", ran.stderr);
    }
    let import = last["import"];
    assert_eq!((&import["counts"], &import["done"], &import["total"]), (&"files".into(), &2.into(), &2.into()));
    assert_eq!(import["bytes_done"], import["bytes_total"]);
    let names: Vec<&String> = import.as_object().unwrap().keys().collect();
    let all =
        ["phase", "counts", "done", "total", "bytes_done", "bytes_total", "seconds", "rate", "seconds_left", "last"];
    assert_eq!(names, all);
    assert!(ran.stdout.contains("committed"), "the result is where it always is");

    for how in ["auto", "none"] {
        let line = format!("import tree --mappings set --database sqlite:///./x.db --yes --dry-run --progress {how}");
        let ran = house.run(line.split(' ')).status(0);
        assert!(!ran.stderr.contains("{\""), "{}", ran.stderr);
    }
}
