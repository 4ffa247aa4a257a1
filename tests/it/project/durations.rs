//! The tests that run by `tests/run --long` alone say how long they take.

use crate::house::project;
use regex::Regex;
use std::fs;

#[test]
fn every_long_test_says_how_long_it_takes() {
    let (ignored, time) = (r#"^\s*#\[ignore\b(.*)\]$"#, r#"^ = ".*\b\d+ (second|minute)s?\b.*"$"#);
    let (ignored, time) = (Regex::new(ignored).unwrap(), Regex::new(time).unwrap());
    let files = ["tests", "src"].map(project).into_iter().flat_map(walkdir::WalkDir::new).map(Result::unwrap);
    let mut found = 0;
    for file in files.filter(|file| file.path().extension().is_some_and(|extension| extension == "rs")) {
        for line in fs::read_to_string(file.path()).unwrap().lines() {
            let Some(reason) = ignored.captures(line) else { continue };
            found += 1;
            assert!(time.is_match(&reason[1]), "{}: {line}", file.path().display());
        }
    }
    assert!(found > 20, "only {found} are long");
}
