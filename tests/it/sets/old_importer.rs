//! The thirteen ways in which the replaced script lost data, each with its own test: on the
//! sample, or on a copy of it with one thing added.

use crate::house::independent::Tree;
use crate::house::{DATABASE, House, KEY_FILE, edit, findings, open, row_counts, sample, tables};
use serde_json::Value;
use std::fs;
use std::path::Path;
use treelift::secret::keys::Secret;

const DANA: &str = "838292413927eeea974aad707290121f";
const LUCIA: &str = "867fa2ea4413a9ed011c33b45f17a2aa";

/// The sample, imported.
fn imported() -> House {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    house
}

/// A file that no mapping reads yet is refused by its name: not a row is made of it, and not one lost.
#[track_caller]
fn is_imported_whole_or_refused_by_name(name: &str, content: &str, table: &str, rows: u64) {
    let house = House::new();
    let source = house.sample_copy();
    let path = format!("users/{DANA}/{name}");
    fs::write(source.join(&path), content).unwrap();
    let run = house.import(&source, &["--json"]);
    let report = run.json();
    if run.status == Some(0) {
        let of_dana = format!("SELECT count(*) FROM {table} WHERE user_id = '{DANA}'");
        assert_eq!(house.one(&of_dana), rows.to_string());
    } else {
        assert_eq!(run.status, Some(1));
        let errors: Vec<_> = findings(&report).into_iter().filter(|finding| finding.1 == "error").collect();
        assert_eq!(errors, [("F001".to_owned(), "error".to_owned(), format!("{path}:1:1 "))]);
        assert!(!house.path(DATABASE).exists());
    }
}

/// 1: it asked a list for its keys, and nothing came in.
#[test]
fn a_list_of_users_is_imported() {
    let house = imported();
    assert_eq!(house.one("SELECT count(*) FROM users"), Tree::read(&sample()).people().count().to_string());
    // The form that it expected, by id, comes in as well, and so does the wrapped one.
    for wrapped in [true, false] {
        let house = House::new();
        let source = house.sample_copy();
        let path = source.join("users/users.json");
        let mut people: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        people.retain(|person| person["id"] != "tutorial");
        let count = people.len().to_string();
        let by_id = |person: Value| (person["id"].as_str().unwrap().to_owned(), person);
        let other =
            if wrapped { serde_json::json!({ "users": people }) } else { people.into_iter().map(by_id).collect() };
        fs::write(path, other.to_string()).unwrap();
        house.import(&source, &[]).status(0);
        assert_eq!(house.one("SELECT count(*) FROM users"), count);
    }
}

/// 2: it skipped users whose id is not the hash of their address, with all their data.
#[test]
fn a_user_whose_address_changed_keeps_everything() {
    let house = imported();
    assert_eq!(house.rows(&format!("SELECT email FROM users WHERE id = '{LUCIA}'")), [["lucia.new@example.com"]]);
    for (table, count) in
        [("work_orders", "3"), ("user_credentials", "2"), ("user_activities", "1"), ("user_preferences", "3")]
    {
        assert_eq!(house.one(&format!("SELECT count(*) FROM {table} WHERE user_id = '{LUCIA}'")), count, "{table}");
    }
}

/// 3: one bad user rolled back the ones before, which its counters still claimed.
#[test]
fn a_bad_record_affects_no_other_user_and_the_counts_are_of_committed_rows() {
    let bad = |source: &Path| {
        edit(&source.join("users/users.json"), "\"email\": \"sam.ortega@example.com\",", "\"email\": \"\",");
    };
    let house = House::new();
    let source = house.sample_copy();
    bad(&source);
    let report = house.import(&source, &["--json"]).status(1).json();
    assert_eq!(report["outcome"], "rolled-back");
    assert!(!house.path(DATABASE).exists());

    let report = house.import(&source, &["--json", "--max-rejects", "9", "--rejects", "rejects"]).status(1).json();
    assert_eq!(report["outcome"], "committed");
    let counts = row_counts(&open(&house.path(DATABASE)));
    assert_eq!(counts["users"], 4);
    assert_eq!(tables(&report, "inserted"), counts);
}

/// 4: it could read times that end in `Z` with some versions of Python only.
#[test]
fn times_that_end_in_z_are_kept_to_the_millisecond() {
    let house = imported();
    assert_eq!(house.one(&format!("SELECT last_used FROM users WHERE id = '{DANA}'")), "2025-05-07 14:41:41.123000");
    assert_eq!(house.one("SELECT count(*) FROM users WHERE last_used NOT LIKE '____-__-__ __:__:__.______'"), "0");
}

/// 5: it hashed the password of the remote site, which must be typed there again.
#[test]
fn the_remote_password_opens_again_and_no_hash_is_made_of_it() {
    let house = imported();
    assert_eq!(house.one("SELECT count(*) FROM users WHERE password_hash IS NOT NULL"), "0");
    let secret = Secret::from_key_file(&house.path(KEY_FILE)).unwrap();
    let password = "q\"7\\Lm zw!Kd";
    let login = ("workfossa".to_owned(), "dana.whitfield@example.com".to_owned(), password.to_owned());
    assert!(crate::promises::secrets::sealed::opened(&house, &secret).contains(&(DANA.to_owned(), login)));
}

/// 6: it looked for names that no file has, and imported no work order without an error.
#[test]
fn work_orders_are_imported() {
    let house = imported();
    let expected = Tree::read(&sample()).work_orders().len().to_string();
    assert_eq!(house.one("SELECT count(*) FROM work_orders"), expected);
    assert_eq!(
        house.one("SELECT count(*) FROM work_orders WHERE site_name IN ('', 'Unknown') OR external_id LIKE 'W-%'"),
        "0"
    );
    let undated = "SELECT count(*) FROM work_orders WHERE scheduled_date IS NULL";
    assert_eq!(house.one(undated), "1", "one order has no next visit");
}

/// 7: it took the object around the provers for a prover, and made one empty row.
#[test]
fn provers_are_never_one_empty_row() {
    let provers = r#"{"provers":[{"full_text":"00-00000-01","prover_id":"00-00000-01","serial":"00-00000-01","make":"Example Prover","preferred_fuel_type":"Regular","preferred_fuel_types":["Regular"],"priority":1},{"prover_id":"00-00000-02","serial":"00-00000-02","make":"Example Prover"}],"last_updated":"2025-04-25T08:00:00.000Z"}"#;
    is_imported_whole_or_refused_by_name("prover_preferences.json", provers, "prover_settings", 2);
}

/// 8: it read the members of the object around the completed jobs, and failed at each.
#[test]
fn completed_jobs_are_the_list_and_not_its_wrapper() {
    let jobs = r#"{"completedJobs":["W-100001","W-100002"],"metadata":{"timestamp":"2025-05-01T23:00:00.000Z","user":"838292413927eeea974aad707290121f","lastScrapeCount":2}}"#;
    is_imported_whole_or_refused_by_name("completed_jobs.json", jobs, "user_completed_jobs", 2);
}

/// 9: it copied the keys of a message service in plaintext into a settings column.
#[test]
fn message_keys_are_not_stored_in_plaintext() {
    let keys = ["aPlantedTokenOf30Characters000", "uPlantedUserKeyOf30Characters0"];
    let content = format!(
        r#"{{"appToken":"{}","userKey":"{}","preferences":{{"showJobId":true}},"lastUpdated":"2025-04-29T09:00:00.000Z"}}"#,
        keys[0], keys[1]
    );
    let house = House::new();
    let source = house.sample_copy();
    fs::write(source.join("users").join(DANA).join("pushover_settings.json"), content).unwrap();
    let run = house.import(&source, &["--json", "--report", "report.html"]);
    for entry in fs::read_dir(house.work()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = fs::read(&entry).unwrap();
        assert!(keys.iter().all(|key| memchr::memmem::find(&bytes, key.as_bytes()).is_none()), "{}", entry.display());
    }
    assert!(keys.iter().all(|key| !run.stdout.contains(key) && !run.stderr.contains(key)));
    let refused = findings(&run.json())
        .iter()
        .any(|finding| finding.0 == "F001" && finding.2.contains("pushover_settings.json:"));
    assert_eq!(run.status, Some(i32::from(refused)));
}

/// 10: a second run ended at the first address that was there already.
#[test]
fn a_second_run_is_no_error() {
    let house = imported();
    house.import(&sample(), &[]).status(0);
    assert_eq!(row_counts(&open(&house.path(DATABASE))), Tree::read(&sample()).rows());
}

/// 11: it kept the active user as a setting only, so that no user was active.
#[test]
fn the_active_user_stays_active() {
    let house = imported();
    assert_eq!(house.rows("SELECT user_id, is_active FROM user_sessions"), [[DANA, "1"]]);
    assert_eq!(
        house.one("SELECT setting_value FROM global_settings WHERE setting_key = 'scrapeIntervalHours'"),
        r#"{"value":1.10}"#
    );
}

/// 12: its dry run counted directories, links and unknown ones included, and read none of their files.
#[test]
fn a_dry_run_counts_users_and_reads_their_files() {
    let house = House::new();
    let source = house.sample_copy();
    // A plain copy of a person's folder under V1's name for it: the same person, once.
    crate::house::copy_tree(&source.join("users").join(DANA), &source.join("users/Dana"));
    let report = house.import(&source, &["--dry-run", "--json"]).status(0).json();
    assert_eq!(tables(&report, "inserted"), Tree::read(&sample()).rows());
    fs::write(source.join("users").join(DANA).join("activity_log.json"), "[{]").unwrap();
    house.import(&source, &["--dry-run"]).status(1);
}

/// 13: it made no dispenser rows, and counted the items of a list instead.
#[test]
fn dispensers_are_rows_and_counted_as_rows() {
    let house = House::new();
    let report = house.import(&sample(), &["--json"]).status(0).json();
    let expected = Tree::read(&sample()).rows()["dispensers"];
    assert_eq!(tables(&report, "inserted")["dispensers"], expected);
    assert_eq!(
        house.one("SELECT count(*) FROM dispensers d JOIN work_orders w ON w.id = d.work_order_id"),
        expected.to_string()
    );
    let first = "SELECT dispenser_number, make, model, serial_number, meter_type, number_of_nozzles, fuel_grades FROM dispensers \
                 WHERE serial_number = 'OTHR000002'";
    assert_eq!(
        house.rows(first),
        [["5", "Othermake", "D-9", "OTHR000002", "HD Meter", "2", r#"{"diesel":{"name":"Diesel"}}"#]]
    );
}
