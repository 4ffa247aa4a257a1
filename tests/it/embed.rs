//! The example of an application that embeds the import does what it says.

#[path = "../../examples/embed.rs"]
#[allow(dead_code, reason = "its own `main` is run by `cargo run --example embed`")]
mod example;

use crate::house::House;
use example::{Application, import_tree};
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
