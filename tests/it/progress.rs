//! Programs follow a job by lines of JSON, and applications by the same numbers.

use crate::undo::house;
use serde_json::Value;
use std::collections::BTreeMap;

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
        let ran = house
            .run([
                "import",
                "tree",
                "--mappings",
                "set",
                "--database",
                "sqlite:///./x.db",
                "--yes",
                "--dry-run",
                "--progress",
                how,
            ])
            .status(0);
        assert!(!ran.stderr.contains("{\""), "{}", ran.stderr);
    }
}
