//! The import of the sample: every row that an independent reader counts, and leaf counts that add up.

mod embed;
mod replay;

use crate::house::independent::Tree;
use crate::house::{House, PASSPHRASE_FILE, application_dump, findings, open, project, row_counts, sample, tables};
use serde_json::Value;

const CLASSES: [&str; 6] = ["column", "json", "sealed", "ignored", "rejected", "unmapped"];

/// The sample imported with the passphrase that comes with it, and the report.
fn imported() -> (House, Value) {
    let house = House::new();
    let (source, passphrase) = (sample(), project(PASSPHRASE_FILE));
    let arguments = ["import", "--reread", source.to_str().unwrap(), "--passphrase-file", passphrase.to_str().unwrap()];
    let report =
        house.run(arguments.into_iter().chain(["--database", "sqlite:///./target.db", "--json"])).status(0).json();
    (house, report)
}

#[test]
fn every_row_that_an_independent_reader_counts_is_inserted() {
    let (house, report) = imported();
    let expected = Tree::read(&sample()).rows();
    assert_eq!(row_counts(&open(&house.path("target.db"))), expected);
    assert_eq!(tables(&report, "inserted"), expected);
    for other in ["updated", "unchanged", "rejected"] {
        assert_eq!(tables(&report, other), Default::default(), "{other}");
    }
}

/// The sample's page lists the row counts; this keeps it true.
#[test]
fn the_page_of_the_sample_lists_the_same_counts() {
    let page = std::fs::read_to_string(project("sample_data/README.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('|');
        let table = cells.next()?.trim().strip_suffix('`')?.to_owned();
        Some((table, cells.next()?.trim().parse::<u64>().ok()?))
    });
    assert_eq!(rows.collect::<std::collections::BTreeMap<_, _>>(), Tree::read(&sample()).rows());
}

#[test]
fn every_file_is_imported_or_ignored_with_a_reason() {
    let (_house, report) = imported();
    let tree = Tree::read(&sample());
    let files = report["files"].as_array().unwrap();
    let paths: Vec<_> = files.iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths, tree.files.keys().map(String::as_str).collect::<Vec<_>>());
    for file in files {
        let path = file["path"].as_str().unwrap();
        assert_eq!(file["bytes"], tree.files[path].len(), "{path}");
        match file["status"].as_str().unwrap() {
            "imported" => assert!(file["mapping"].is_string(), "{path}"),
            "ignored" => assert!(file["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{path}"),
            status => panic!("{path} is {status}"),
        }
    }
}

#[test]
fn leaf_counts_add_up_for_each_file_and_in_total() {
    let (_house, report) = imported();
    let tree = Tree::read(&sample());
    let number = |leaves: &Value, class: &str| leaves[class].as_u64().unwrap();
    let closes =
        |leaves: &Value| number(leaves, "seen") == CLASSES.iter().map(|class| number(leaves, class)).sum::<u64>();
    let files = report["files"].as_array().unwrap();
    for file in files {
        let path = file["path"].as_str().unwrap();
        assert!(closes(&file["leaves"]), "{path}: {}", file["leaves"]);
        let seen = if file["status"] == "imported" { tree.leaves(path) } else { 0 };
        assert_eq!(number(&file["leaves"], "seen"), seen, "{path}");
    }
    let total = &report["leaves"];
    assert!(closes(total), "{total}");
    for class in CLASSES.iter().chain(["seen"].iter()) {
        let sum: u64 = files.iter().map(|file| number(&file["leaves"], class)).sum();
        assert_eq!(number(total, class), sum, "{class}");
    }
    assert_eq!(number(total, "unmapped"), 0);
    assert_eq!(number(total, "rejected"), 0);
    assert_eq!(report["caught_all"], Value::Array(Vec::new()));
}

#[test]
fn nothing_in_the_sample_is_an_error_and_all_checks_pass() {
    let (_house, report) = imported();
    let errors: Vec<_> = findings(&report).into_iter().filter(|(_, severity, _)| severity == "error").collect();
    assert_eq!(errors, []);
    let checks = report["checks"].as_array().unwrap();
    assert!(!checks.is_empty());
    for check in checks {
        assert_ne!(check["status"], "failed", "{check}");
    }
    assert_eq!((&report["outcome"], &report["verdict"]), (&"committed".into(), &"acceptable".into()));
}

#[test]
fn every_directory_has_the_right_owner_or_none() {
    let (_house, report) = imported();
    let tree = Tree::read(&sample());
    for owner in report["owners"].as_array().unwrap() {
        let directory = owner["directory"].as_str().unwrap().trim_end_matches('/').rsplit('/').next().unwrap();
        assert_eq!(owner["id"].as_str().map(str::to_owned), tree.owner(directory), "{directory}");
    }
}

/// Row by row for one order: what V2's own scraper would have written.
#[test]
fn a_work_order_looks_as_if_v2_had_scraped_it() {
    let (house, _report) = imported();
    let row = house.rows(
        "SELECT external_id, site_name, store_number, street, city_state, county, address, scheduled_date, status, work_type, \
         notes, visit_id, visit_number, visit_url, service_code, service_name, service_description, service_items, created_by, \
         created_date, sync_status, sync_retry_count, length(id) FROM work_orders WHERE external_id = '100102'",
    );
    let expected = [
        "100102",
        "Sample’s\u{a0}“Quick Stop” #2077",
        "#2077",
        "100 Sample Rd",
        "Exampleville FL 00501-1234",
        "Demo County",
        "100 Sample Rd, Exampleville FL 00501-1234, Demo County",
        "2025-05-13 00:00:00.000000",
        "pending",
        "NULL",
        "NULL",
        "200103",
        "200103",
        "https://app.example.com/app/work/100102/visits/200103/",
        "2862",
        "AccuMeasure",
        "Specific Dispenser(s)",
        r#"["2 x Specific Dispenser(s)","3 x Breakaway"]"#,
        "Jordan Ames",
        "2025-04-29 16:05:00.000000",
        "synced",
        "0",
        "36",
    ];
    assert_eq!(row, [expected.map(str::to_owned)]);
}

/// Whatever is kept as JSON is what the files say: member for member, digit for digit.
#[test]
fn what_is_kept_as_json_is_what_the_files_say() {
    let (house, _report) = imported();
    let tree = Tree::read(&sample());
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let read = |path: &str| serde_json::from_slice::<Value>(&tree.files[path]).unwrap();

    let orders = house
        .rows("SELECT user_id, external_id, scraped_data, instructions FROM work_orders ORDER BY user_id, external_id");
    for row in &orders {
        let names = ["scraped_content.json", "scraped_content.previous.json", "previous_scraped_content.json"];
        let files = names.into_iter().flat_map(|name| tree.owned(name)).filter(|(owner, _)| *owner == row[0]);
        let id = format!("W-{}", row[1]);
        let mut order = files
            .filter_map(|(_, scrape)| {
                let time = scrape["metadata"]["timestamp"].as_str().or(scrape["metadata"]["extractedAt"].as_str());
                let orders = scrape["workOrders"].as_array().cloned().unwrap_or_default();
                Some((time?.to_owned(), orders.into_iter().find(|order| order["id"] == id.as_str())?))
            })
            .max_by(|a, b| a.0.cmp(&b.0))
            .unwrap_or_else(|| panic!("{id} is in a file"))
            .1;
        let html = order.as_object_mut().unwrap().shift_remove("rawHtml").unwrap();
        let kept = json(&row[2]);
        assert_eq!(kept["v1"], order, "{id}");
        assert_eq!(kept["raw_html"], html, "{id}");
        assert_eq!(kept["address_components"], order["customer"]["address"], "{id}");
        assert_eq!(kept["service_info"], order["services"], "{id}");
        assert_eq!(kept["visit_info"], order["visits"], "{id}");
        assert_eq!(row[3], order["instructions"].as_str().unwrap_or("NULL"), "{id}");
    }
    assert_eq!(orders.len(), tree.work_orders().len());

    for row in house.rows("SELECT user_id, work_order_id, dispenser_data, meta_data FROM user_dispenser_data") {
        let stores = tree.owned("dispenser_store.json").into_iter();
        let mut stores = stores.filter(|(owner, of)| *owner == row[0] && of["dispenserData"][&row[1]].is_object());
        let store = stores.next().unwrap().1;
        assert_eq!(json(&row[2]), store["dispenserData"][&row[1]]["dispensers"], "{}", row[1]);
        assert_eq!(json(&row[3])["metadata"], store["metadata"], "{}", row[1]);
    }
    for person in tree.people() {
        let id = person["id"].as_str().unwrap();
        let row = house
            .rows(&format!("SELECT notification_settings, preferences_json, email FROM users WHERE id = '{id}'"))
            .remove(0);
        for (kept, member) in [(&row[0], "notificationSettings"), (&row[1], "preferences")] {
            // What the list does not say, the one a level up may.
            let legacy = tree.legacy(person).and_then(|legacy| legacy.get(member).cloned());
            match person.get(member).cloned().or(legacy) {
                Some(value) => assert_eq!(json(kept), value, "{id}"),
                None => assert_eq!(kept, "NULL", "{id}"),
            }
        }
        assert_eq!(row[2], person["email"].as_str().unwrap().trim());
    }
    for row in house.rows("SELECT user_id, details FROM user_activities") {
        let log = read(&format!("users/{}/activity_log.json", row[0]));
        assert!(log.as_array().unwrap().contains(&json(&row[1])), "{}", row[1]);
    }
}

/// Of two names for one file the newer one counts, whichever name it has.
#[test]
fn of_two_email_settings_the_newer_ones_stand() {
    let (house, _report) = imported();
    let tree = Tree::read(&sample());
    for row in house.rows("SELECT user_id, settings FROM user_preferences WHERE category = 'email'") {
        let files = ["email_settings.json", "email-settings.json"].map(|name| format!("users/{}/{name}", row[0]));
        let read = files.iter().filter_map(|path| serde_json::from_slice::<Value>(tree.files.get(path)?).ok());
        let newest = read.max_by_key(|settings| settings["lastUpdated"].as_str().unwrap_or_default().to_owned());
        let mut expected = newest.unwrap();
        for secret in ["username", "password"] {
            expected.as_object_mut().unwrap().shift_remove(secret);
        }
        assert_eq!(serde_json::from_str::<Value>(&row[1]).unwrap(), expected, "{}", row[0]);
    }
}

#[test]
fn the_same_tree_gives_the_same_rows_in_another_database() {
    let (one, two) = (House::new(), House::new());
    let columns = "SELECT id, user_id, external_id, scraped_data FROM work_orders ORDER BY id";
    let dump = |house: &House| {
        house.import(&sample(), &[]).status(0);
        (house.rows(columns), application_dump(&open(&house.path("target.db")))["dispensers"].len())
    };
    assert_eq!(dump(&one), dump(&two));
}
