//! What V1 really wrote, oddity by oddity: the importer's checklist, each entry a test. A heading is a line of
//! the list, and the tests below it are its entries, in their order.

use crate::house::{DATABASE, House, KEY_FILE, edit, findings, open, row_counts, sample, tables};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use treelift::secret::keys::Secret;

const DANA: &str = "838292413927eeea974aad707290121f";
const OMAR: &str = "6c754a650d08c60226666cec198e126f";
const LUCIA: &str = "867fa2ea4413a9ed011c33b45f17a2aa";
const SAM: &str = "d1e543df89367c250524fbde4eca5fb7";
const PRIYA: &str = "299c92b453769c8805a14f3044157f22";
/// The only user of a small tree; the MD5 of her address.
const KIM: &str = "f54f1277d4302156852ea5c16f018783";

/// The sample, imported, and the report.
fn imported() -> (House, Value) {
    let house = House::new();
    let report = house.import(&sample(), &["--json"]).status(0).json();
    (house, report)
}

/// A tree of one user and these files.
fn small(house: &House, files: &[(&str, &str)]) -> PathBuf {
    let kim = json!([{ "id": KIM, "email": "kim.doe@example.com", "password": "kD7!uv2+Rw", "label": "Kim Doe",
        "lastUsed": "2025-05-01T00:00:00.000Z", "friendlyName": "Kim" }]);
    house.file("source/users/users.json", kim.to_string());
    for (path, content) in files {
        house.file(&format!("source/{}", path.replace("KIM", KIM)), content);
    }
    house.path("source")
}

/// Imports a tree that must be accepted, and gives the report.
#[track_caller]
fn accepted(house: &House, source: &Path) -> Value {
    let report = house.import(source, &["--json", "--allow-empty"]).status(0).json();
    assert_eq!(report["leaves"]["unmapped"], 0);
    report
}

/// Imports a tree that is refused: code and place of each error.
#[track_caller]
fn refused(house: &House, source: &Path) -> Vec<(String, String)> {
    let report = house.import(source, &["--json"]).status(1).json();
    assert!(!house.path(DATABASE).exists());
    let errors = findings(&report).into_iter().filter(|finding| finding.1 == "error");
    errors.map(|finding| (finding.0, finding.2)).collect()
}

/// How often a report has a finding of this code about this file.
fn has(report: &Value, code: &str, file: &str) -> bool {
    findings(report).iter().any(|finding| finding.0 == code && finding.2.split(':').next() == Some(file))
}

/// The report's entry for a file: status and reason.
#[track_caller]
fn disposition(report: &Value, path: &str) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let files = report["files"].as_array().unwrap();
    let file = files.iter().find(|file| file["path"] == path).unwrap_or_else(|| panic!("{path}"));
    (text(&file["status"]), text(&file["reason"]))
}

/// The report's entry for a directory: owner and how it was found.
#[track_caller]
fn owner(report: &Value, directory: &str) -> (Value, String) {
    let owners = report["owners"].as_array().unwrap();
    let found = owners.iter().find(|owner| owner["directory"] == directory).unwrap_or_else(|| panic!("{directory}"));
    (found["id"].clone(), found["how"].as_str().unwrap().to_owned())
}

/// Logins as they open: user, service, name, password.
fn logins(house: &House) -> Vec<[String; 4]> {
    let secret = Secret::from_key_file(&house.path(KEY_FILE)).unwrap();
    let opened = crate::promises::secrets::sealed::opened(house, &secret).into_iter();
    opened.map(|(user, (service, name, password))| [user, service, name, password]).collect()
}

fn strings<const N: usize>(row: [&str; N]) -> [String; N] {
    row.map(str::to_owned)
}

// users.json as array / {users} / dict; user without directory; directory without user; alias directory
// identical and diverged; symlink alias; email-named directory; tutorial; main.

#[test]
fn the_list_of_users_is_an_array_a_wrapped_array_or_an_object_by_id() {
    let person = |id: &str| json!({ "id": id, "email": format!("{id}@example.com"), "password": "kD7!uv2+Rw" });
    let (one, two) = ("00000000000000000000000000000001", "00000000000000000000000000000002");
    let without_id = json!({ "email": "2@example.com", "password": "kD7!uv2+Rw" });
    for list in [
        json!([person(one), person(two)]),
        json!({ "users": [person(one), person(two)] }),
        json!({ one: person(one), two: without_id }),
    ] {
        let house = House::new();
        let source = small(&house, &[]);
        fs::write(source.join("users/users.json"), list.to_string()).unwrap();
        accepted(&house, &source);
        assert_eq!(house.rows("SELECT id FROM users ORDER BY id"), [[one], [two]], "{list}");
    }
}

/// The form that V2's first importer expects, with the tutorial's entry in it.
#[test]
fn a_list_by_id_may_hold_the_tutorial() {
    let tutorial = json!({ "id": "tutorial", "email": "demo@example.com", "password": "x", "isTutorial": true });
    let without_id = json!({ "email": "demo@example.com", "password": "x" });
    for entry in [tutorial, without_id] {
        let house = House::new();
        let source = small(&house, &[]);
        let kim = json!({ "id": KIM, "email": "kim.doe@example.com", "password": "kD7!uv2+Rw" });
        fs::write(source.join("users/users.json"), json!({ KIM: kim, "tutorial": entry }).to_string()).unwrap();
        accepted(&house, &source);
        assert_eq!(house.rows("SELECT id FROM users"), [[KIM]]);
        assert_eq!(house.rows("SELECT data_type, description FROM tutorial_data"), [["user", "tutorial"]]);
    }
}

#[test]
fn a_user_without_a_directory_is_a_user() {
    let house = House::new();
    let source = small(&house, &[]);
    let report = accepted(&house, &source);
    assert_eq!(report["owners"], json!([]));
    assert_eq!(house.rows("SELECT email FROM users"), [["kim.doe@example.com"]]);
}

#[test]
fn a_directory_without_a_user_is_ignored_by_the_sets_rule_and_listed() {
    let (house, report) = imported();
    assert_eq!(owner(&report, "test-user"), (Value::Null, "none".to_owned()));
    assert_eq!(disposition(&report, "users/test-user/scraped_content.json").0, "ignored");
    assert!(has(&report, "O004", "users/test-user/scraped_content.json"));
    assert_eq!(house.one("SELECT count(*) FROM work_orders WHERE external_id = '100009'"), "0");
}

#[test]
fn a_directory_without_a_user_refuses_the_run_where_the_set_has_no_rule() {
    let house = House::new();
    crate::house::copy_tree(&crate::house::project("mappings/fossawork"), &house.path("set"));
    let set = house.path("set/set.toml");
    let text = fs::read_to_string(&set).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("unknown "));
    fs::write(&set, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let source = small(&house, &[("users/stranger/activity_log.json", "[]")]);
    let report = house.import(&source, &["--json", "--mappings", "set"]).status(1).json();
    assert!(has(&report, "O001", "users/stranger/activity_log.json"), "{report}");
}

#[test]
fn an_identical_alias_directory_folds() {
    let (_house, report) = imported();
    assert_eq!(owner(&report, "Dana"), (DANA.into(), "by friendly_name (alias)".to_owned()));
    for name in ["email_settings.json", "dispenser_store.json", "activity_log.json", "change_history.json"] {
        let reason = format!("the same bytes as users/{DANA}/{name}");
        assert_eq!(disposition(&report, &format!("users/Dana/{name}")), ("ignored".to_owned(), reason));
    }
}

#[test]
fn a_diverged_alias_directory_is_read_newest_first_and_gives_only_what_is_new() {
    let (house, report) = imported();
    assert_eq!(owner(&report, "Luc_a_B_"), (LUCIA.into(), "by friendly_name (alias)".to_owned()));
    let dates = format!("SELECT external_id, scheduled_date FROM work_orders WHERE user_id = '{LUCIA}' ORDER BY 1");
    let expected = [
        ["100301", "2025-05-22 00:00:00.000000"],
        ["100302", "2025-05-23 00:00:00.000000"],
        ["100303", "2025-05-19 00:00:00.000000"],
    ];
    assert_eq!(house.rows(&dates), expected);
    assert_eq!(house.one("SELECT count(*) FROM user_dispenser_data WHERE work_order_id = 'W-100303'"), "1");
}

#[test]
fn a_diverged_alias_directory_gives_a_warning_with_both_names() {
    let (_house, report) = imported();
    let both = |finding: &&Value| {
        let said = finding["message"].as_str().unwrap_or_default();
        finding["severity"] == "warning" && said.contains("Luc_a_B_") && said.contains(LUCIA)
    };
    assert!(report["findings"].as_array().unwrap().iter().any(|finding| both(&finding)));
}

/// The other way round: V1 once wrote under the first name, so the copy may be the fresher one.
#[test]
fn an_alias_directory_that_is_newer_wins() {
    let scrape = |date: &str, time: &str| {
        json!({ "workOrders": [{ "id": "W-100001", "customer": { "name": "Example Fuels", "storeNumber": "#1" }, "services": [],
            "visits": { "nextVisit": { "date": date, "time": "anytime", "visitId": "1" } } }], "metadata": { "timestamp": time, "user": "Kim" } })
        .to_string()
    };
    let house = House::new();
    let (older, newer) =
        (scrape("05/01/2025", "2025-05-01T00:00:00.000Z"), scrape("05/02/2025", "2025-05-02T00:00:00.000Z"));
    let source =
        small(&house, &[("users/KIM/scraped_content.json", &older), ("users/Kim/scraped_content.json", &newer)]);
    accepted(&house, &source);
    assert_eq!(house.rows("SELECT scheduled_date FROM work_orders"), [["2025-05-02 00:00:00.000000"]]);
}

#[test]
fn a_symlink_alias_is_reported_and_not_followed() {
    let (_house, report) = imported();
    let noted = findings(&report).iter().any(|finding| finding.0 == "F007");
    assert!(noted);
    let of = |name: &str| {
        report["files"].as_array().unwrap().iter().filter(|file| file["path"].as_str().unwrap().contains(name)).count()
    };
    assert_eq!(of("Whitfield"), 0);

    let house = House::new();
    let source = small(&house, &[("users/KIM/activity_log.json", r#"[{"activity":"login"}]"#)]);
    symlink(KIM, source.join("users/Kim")).unwrap();
    accepted(&house, &source);
    assert_eq!(house.one("SELECT count(*) FROM user_activities"), "1");
}

/// V1 makes its links with absolute paths, so those of a copied tree point to the original or nowhere.
#[test]
fn an_absolute_symlink_alias_stays_an_alias_in_a_copied_tree() {
    let house = House::new();
    let original = small(&house, &[("users/KIM/activity_log.json", r#"[{"activity":"login"}]"#)]);
    symlink(original.join("users").join(KIM), original.join("users/Kim")).unwrap();
    let copy = house.path("copy");
    crate::house::copy_tree(&original, &copy);
    for gone in [false, true] {
        if gone {
            fs::rename(&original, house.path("elsewhere")).unwrap();
        }
        let report = house.import(&copy, &["--json", "--dry-run"]).status(0).json();
        let links = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "F007");
        let said: Vec<_> = links.map(|finding| finding["message"].as_str().unwrap()).collect();
        let expected = format!(
            "`users/Kim`: a symbolic link, not followed; its target has the name of `users/{KIM}`, which is read"
        );
        assert_eq!(said, [expected], "{report:#}");
    }
    // Anywhere else, and to a folder that is not beside it, a link out of the tree is refused.
    symlink(format!("/gone/{KIM}"), copy.join(KIM)).unwrap();
    symlink("/gone/users/other", copy.join("users/Other")).unwrap();
    let errors = refused(&house, &copy);
    assert_eq!(errors.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), ["F008", "F008"]);
}

#[test]
fn an_empty_alias_directory_and_empty_directories_are_valid() {
    let house = House::new();
    let source = small(&house, &[]);
    for name in ["Kim", &format!("{KIM}/archive"), &format!("{KIM}/changes_archive")] {
        fs::create_dir_all(source.join("users").join(name)).unwrap();
    }
    accepted(&house, &source);
    assert_eq!(house.one("SELECT count(*) FROM users"), "1");
}

#[test]
fn an_email_named_directory_belongs_to_the_hash_of_its_name() {
    let (_house, report) = imported();
    assert_eq!(owner(&report, "priya.nair@example.com"), (PRIYA.into(), "by id (alias)".to_owned()));
    let house = House::new();
    let source = small(&house, &[("users/ Kim.Doe@Example.COM /activity_log.json", r#"[{"activity":"login"}]"#)]);
    accepted(&house, &source);
    assert_eq!(house.rows("SELECT user_id, username FROM user_activities"), [[KIM, "kim.doe@example.com"]]);
}

#[test]
fn the_tutorial_goes_to_its_own_table_and_is_not_a_user() {
    let (house, _report) = imported();
    let kinds = "SELECT data_type FROM tutorial_data WHERE data LIKE '%tutorial%' OR data_type LIKE '%notification' OR \
                 data_type = 'schedule_changes' OR data_type = 'metadata' ORDER BY 1";
    let expected = [
        "batch_history",
        "change_history",
        "completed_jobs",
        "dispenser_store",
        "dispenser_store",
        "email_settings",
        "last_notification",
        "metadata",
        "previous_scraped_content",
        "prover_preferences",
        "pushover_settings",
        "schedule_changes",
        "scraped_content",
        "user",
    ];
    assert_eq!(house.rows(kinds).concat(), expected);
    let text = "SELECT data FROM tutorial_data WHERE data_type = 'schedule_changes'";
    assert_eq!(house.one(text), r#"{"text":"One visit of the tour was moved to Monday.\r\n"}"#);
    assert_eq!(house.one("SELECT count(*) FROM users WHERE id = 'tutorial' OR email LIKE 'tutorial%'"), "0");
    assert_eq!(house.one("SELECT count(*) FROM work_orders WHERE external_id LIKE '%TUT%'"), "0");
}

#[test]
fn main_is_the_user_with_the_same_address_and_fills_what_is_null() {
    let (house, report) = imported();
    let row = format!(
        "SELECT json_extract(notification_settings, '$.email.frequency'), preferences_json FROM users WHERE id = '{OMAR}'"
    );
    let own = r#"{"notifications":{"scheduleChanges":true,"filters":{"stores":[],"locations":[],"severity":["critical","high"]}}}"#;
    assert_eq!(house.rows(&row), [["immediate", own]]);
    assert!(has(&report, "R008", "users.json"), "other preferences give way, and that is said");
    assert_eq!(house.one("SELECT count(*) FROM users WHERE id = 'main'"), "0");
    let key = [OMAR, "pushover", "uInventedLegacyKeyOfOmar000001", ""];
    assert!(logins(&house).contains(&strings(key)));
}

#[test]
fn main_without_a_match_is_a_user_of_its_own_if_it_has_an_address() {
    let house = House::new();
    let source = small(
        &house,
        &[(
            "users.json",
            r#"[{"id":"main","email":"lee.roy@example.com","preferences":{"notifications":{"scheduleChanges":false}}}]"#,
        )],
    );
    accepted(&house, &source);
    assert_eq!(
        house.rows("SELECT id, email FROM users ORDER BY 1"),
        [[KIM, "kim.doe@example.com"], ["main", "lee.roy@example.com"]]
    );

    let house = House::new();
    let source = small(&house, &[("users.json", r#"[{"id":"main"}]"#)]);
    assert_eq!(refused(&house, &source), [("V001".to_owned(), "users.json:1:8 /0/id".to_owned())]);
}

// id≠md5(email); upper-case or space-padded e-mail; two list entries with one e-mail; activeUserId null / unknown / tutorial.

#[test]
fn an_id_that_is_not_the_md5_of_the_address_is_kept_and_the_users_are_named() {
    let (house, report) = imported();
    assert_eq!(house.rows(&format!("SELECT email FROM users WHERE id = '{LUCIA}'")), [["lucia.new@example.com"]]);
    let noted = findings(&report)
        .into_iter()
        .filter(|finding| finding.0 == "V009" && finding.2.starts_with("users/users.json"));
    let noted: Vec<_> = noted.map(|finding| finding.2.rsplit_once(' ').unwrap().1.to_owned()).collect();
    assert_eq!(noted, ["/2/id", "/3/id"]);
    let named = report["after"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    let named: Vec<_> = named.filter(|line| line.starts_with("V2 finds a user at login")).collect();
    assert_eq!(named.len(), 1);
    assert!(named[0].ends_with(&format!(": {LUCIA}, {SAM}")), "{}", named[0]);
}

#[test]
fn an_address_in_capitals_with_spaces_still_agrees_with_its_id() {
    let (house, report) = imported();
    assert_eq!(house.one(&format!("SELECT email FROM users WHERE id = '{OMAR}'")), "Omar.Reyes@Example.COM");
    assert!(!findings(&report).iter().any(|finding| finding.0 == "V009" && finding.2.ends_with("/1/id")));
}

#[test]
fn two_entries_with_one_address_are_refused() {
    let house = House::new();
    let source = small(&house, &[]);
    let list = r#"[{"id":"1","email":"kim.doe@example.com"},{"id":"2","email":"kim.doe@example.com"}]"#;
    fs::write(source.join("users/users.json"), list).unwrap();
    assert_eq!(refused(&house, &source), [("R002".to_owned(), "users/users.json:1:43 /1".to_owned())]);
}

#[test]
fn no_user_is_active_when_the_id_is_null_unknown_or_the_tutorials() {
    for (id, kept) in [
        ("null", r#"{"value":null}"#),
        ("\"00ff\"", r#"{"value":"00ff"}"#),
        ("\"tutorial\"", r#"{"value":"tutorial"}"#),
    ] {
        let house = House::new();
        let source = small(&house, &[("settings.json", &format!("{{\"activeUserId\":{id}}}"))]);
        accepted(&house, &source);
        assert_eq!(house.one("SELECT count(*) FROM user_sessions"), "0", "{id}");
        assert_eq!(house.one("SELECT setting_value FROM global_settings"), kept);
    }
}

// 0-byte, 1-byte, CRLF, invalid JSON, BOM, U+00A0 and typographic quotes, JSON in .txt, wrapped-object-in-array
// history, missing trailing newline, *.tmp, *.new, .gz.

#[test]
fn an_empty_file_is_ignored_with_a_warning_where_the_mapping_has_a_reason_and_refused_elsewhere() {
    let (_house, report) = imported();
    let path = format!("users/{OMAR}/change_history.json");
    assert_eq!(disposition(&report, &path).0, "ignored");
    assert!(has(&report, "F005", &path));

    let house = House::new();
    let source = small(&house, &[("users/KIM/email_settings.json", "")]);
    assert_eq!(refused(&house, &source), [("F004".to_owned(), format!("users/{KIM}/email_settings.json:1:1 "))]);
}

#[test]
fn a_file_of_one_space_is_a_placeholder() {
    let (_house, report) = imported();
    for path in
        [format!("users/{SAM}/schedule_changes.txt"), "users/tutorial/last_pushover_notification.json".to_owned()]
    {
        assert_eq!(disposition(&report, &path).0, "ignored");
        assert!(has(&report, "F005", &path));
    }
}

#[test]
fn crlf_and_indents_of_four_change_nothing() {
    let (house, _report) = imported();
    let bytes = fs::read(sample().join("users").join(LUCIA).join("email_settings.json")).unwrap();
    assert!(bytes.windows(2).any(|pair| pair == b"\r\n"));
    let port = format!(
        "SELECT json_extract(settings, '$.smtpPort') FROM user_preferences WHERE user_id = '{LUCIA}' AND category = 'email'"
    );
    assert_eq!(house.one(&port), "587");
}

/// Seen in the global mail account: a typo in a literal.
#[test]
fn invalid_json_is_refused_with_its_place() {
    let house = House::new();
    let source =
        small(&house, &[("email-settings.json", "{\n  \"smtpServer\": \"smtp.example.com\",\n  \"useSSL\": ture\n}")]);
    assert_eq!(refused(&house, &source), [("J001".to_owned(), "email-settings.json:3:13 /useSSL".to_owned())]);
}

#[test]
fn a_byte_order_mark_is_skipped_and_noted() {
    let house = House::new();
    let source = small(&house, &[("settings.json", "\u{feff}{\"activeUserId\":null}")]);
    let report = accepted(&house, &source);
    assert!(has(&report, "J007", "settings.json"));
}

#[test]
fn no_break_spaces_and_typographic_quotes_are_kept() {
    let (house, _report) = imported();
    assert_eq!(
        house.one("SELECT site_name FROM work_orders WHERE external_id = '100102'"),
        "Sample’s\u{a0}“Quick Stop” #2077"
    );
    let text = house.one("SELECT full_text FROM prover_settings WHERE prover_id = '00-00000-01'");
    assert_eq!(text, "00-00000-01\n\n\u{a0} S/N: 00-00000-01\n\u{a0} MAKE: Example Prover\n\n");
}

#[test]
fn json_in_a_txt_and_text_in_a_txt_are_distinguished() {
    let (house, _report) = imported();
    let rows = house.rows(
        "SELECT user_id, change_text, detected_at FROM user_schedule_changes WHERE change_type = 'summary' ORDER BY detected_at LIMIT 1",
    );
    assert_eq!(rows.len(), 1);
    let counts = format!(
        "SELECT change_text, change_data, detected_at FROM user_schedule_changes WHERE change_type = 'summary' AND user_id = '{OMAR}'"
    );
    let data = r#"{"text":"3","detailedText":"3 removed","timestamp":"5/7/2025, 2:50:00 PM","generated":"2025-05-07T18:50:00.000Z"}"#;
    assert_eq!(house.rows(&counts), [["3 removed", data, "2025-05-07 18:50:00.000000"]]);
    let texts = format!(
        "SELECT change_text, change_data FROM user_schedule_changes WHERE change_type = 'summary' AND user_id = '{DANA}' ORDER BY 1"
    );
    let of = |name: &str| fs::read_to_string(sample().join("users").join(DANA).join(name)).unwrap();
    let older = of("changes_archive/schedule_changes_2025-05-02T08-12-31.txt");
    let format = r#"{"format":"text"}"#.to_owned();
    assert_eq!(house.rows(&texts), [[older, format.clone()], [of("schedule_changes.txt"), format]]);
}

#[test]
fn a_heading_without_a_change_is_ignored() {
    let (_house, report) = imported();
    let expected = ("ignored".to_owned(), "headings without changes below them".to_owned());
    assert_eq!(disposition(&report, &format!("users/{LUCIA}/schedule_changes.txt")), expected);
}

#[test]
fn a_history_that_v1_wrapped_to_repair_it_is_read() {
    let (_house, report) = imported();
    assert_eq!(disposition(&report, &format!("users/{LUCIA}/change_history.json")).0, "imported");
    // Whatever was wrapped: a bare report, and a list of items.
    let house = House::new();
    let history = r#"[{"allChanges":[{"type":"removed","jobId":"W-1","date":"05/01/2025"}],"summary":{"removed":1}},
        {"changes":[{"id":"1","timestamp":"2025-05-02T00:00:00.000Z","type":"visit_completed","description":"d"}],"lastUpdated":"2025-05-03T00:00:00.000Z"}]"#;
    let source = small(&house, &[("users/KIM/change_history.json", history)]);
    accepted(&house, &source);
    assert_eq!(
        house.rows("SELECT change_type FROM user_schedule_changes ORDER BY 1"),
        [["removed"], ["visit_completed"]]
    );
}

#[test]
fn a_missing_newline_at_the_end_is_the_rule() {
    let bytes = fs::read(sample().join("users/users.json")).unwrap();
    assert_eq!(bytes.last(), Some(&b']'));
    imported();
}

#[test]
fn leftover_files_are_ignored_with_a_reason() {
    let (_house, report) = imported();
    for path in [
        "settings.json.tmp",
        "backups/2025-05-06T10-00-00-000Z/users.json.new",
        "backups/2025-05-06T10-00-00-000Z/users.json",
        "archive/scraped_content_2025-04-18T09-00-00-000Z.json.gz",
        "templates/email-settings.template.json",
        "fuel_grades.js",
        "metadata.json",
    ] {
        let (status, reason) = disposition(&report, path);
        assert_eq!(status, "ignored", "{path}");
        assert!(reason.len() > 20, "{path}: {reason}");
    }
}

// address 3-line / 4-line / null / ZIP+4 both ways; storeNumber #a/b; nextVisit null; time anytime; services[0]=CAL-SERV;
// quantity 0 / null; {error} service; multi-line instructions; duplicate visit in a file; order present only in archive.

#[track_caller]
fn order(house: &House, number: &str, columns: &str) -> Vec<String> {
    house.rows(&format!("SELECT {columns} FROM work_orders WHERE external_id = '{number}'")).remove(0)
}

#[test]
fn an_address_is_decoded_whatever_lines_it_had() {
    let (house, _report) = imported();
    let of = |number: &str| order(&house, number, "street, city_state, county, address");
    assert_eq!(
        of("100101"),
        ["7 Elm St", "Exampleville FL 00501", "Demo County", "7 Elm St, Exampleville FL 00501, Demo County"]
    );
    let four = "100 Sample Rd, Exampleville FL 00501-1234, Demo County";
    assert_eq!(of("100102"), ["100 Sample Rd", "Exampleville FL 00501-1234", "Demo County", four]);
    assert_eq!(of("100103"), ["NULL"; 4]);
    let plain = "12 Oak Ave, Sampleton GA 000029876, Placeholder County";
    assert_eq!(of("100104"), ["12 Oak Ave", "Sampleton GA 000029876", "Placeholder County", plain]);
}

#[test]
fn store_numbers_stay_as_they_are() {
    let (house, _report) = imported();
    assert_eq!(order(&house, "100103", "store_number, site_name"), ["#12077/4410", "Example Fuels #12077/4410"]);
    assert_eq!(order(&house, "10105", "store_number"), ["NULL"]);
}

#[test]
fn an_order_without_a_next_visit_has_no_date() {
    let (house, _report) = imported();
    assert_eq!(order(&house, "100104", "scheduled_date, visit_id, visit_url"), ["NULL"; 3]);
}

#[test]
fn the_time_anytime_is_kept_as_v1_had_it() {
    let (house, _report) = imported();
    assert_eq!(
        order(&house, "100101", "scheduled_date, json_extract(scraped_data, '$.visit_info.nextVisit.time')"),
        ["2025-05-12 00:00:00.000000", "anytime"]
    );
}

#[test]
fn the_service_is_the_reason_and_described_by_the_calibration_and_not_the_first_line() {
    let (house, _report) = imported();
    let first = "json_extract(scraped_data, '$.service_info[0].code')";
    assert_eq!(
        order(&house, "100101", &format!("{first}, service_code, service_name, service_description")),
        ["CAL-SERV", "2861", "AccuMeasure", "All Dispensers"]
    );
    assert_eq!(order(&house, "100103", "service_name"), ["Inspections & Parts"]);
    assert_eq!(order(&house, "10105", "service_name"), ["Meter Calibration"]);
}

#[test]
fn the_reason_is_read_from_any_markup_and_from_nothing_else() {
    let forms = [
        ("<p><strong>Reason</strong> AccuMeasure</p>", "AccuMeasure"),
        ("<div>Reason: AccuMeasure</div>", "AccuMeasure"),
        ("<span>Reason:</span>\u{a0}<span class=\"x\"> Open Neck Prover </span>", "Open Neck Prover"),
        ("<div>Reason</div>\n<div><b>AccuMeasure</b></div>", "AccuMeasure"),
        ("<b>Reason</b>: A&nbsp;&amp;&nbsp;B<br>", "A & B"),
        ("Reason: AccuMeasure", "AccuMeasure"),
        ("<div><strong>Reason</strong> </div>\n<div class=\"county\">Demo County</div>", "Meter Calibration"),
        ("<div>Reason for the visit</div>", "Meter Calibration"),
        ("<div title=\"Reason: none\">x</div>", "Meter Calibration"),
        ("<div>No Reason: x</div>", "Meter Calibration"),
        ("<div></div>", "Meter Calibration"),
    ];
    let orders: Vec<Value> = (0..forms.len())
        .map(|at| {
            let services = json!([{ "type": "Combo", "quantity": 1, "description": "d", "code": "CAL-SERV" },
                { "type": "Meter Calibration", "quantity": 1, "description": "d", "code": "2861" }]);
            json!({ "id": format!("W-1000{at:02}"), "customer": { "name": "Example Fuels" }, "services": services,
                "visits": { "nextVisit": null }, "rawHtml": forms[at].0 })
        })
        .collect();
    let house = House::new();
    let scrape = json!({ "workOrders": orders, "metadata": { "timestamp": "2025-05-01T00:00:00.000Z", "user": KIM } });
    let source = small(&house, &[("users/KIM/scraped_content.json", &scrape.to_string())]);
    accepted(&house, &source);
    let names = house.rows("SELECT service_name FROM work_orders ORDER BY external_id");
    assert_eq!(names, forms.map(|(_, name)| [name]));
}

#[test]
fn the_address_of_a_visit_is_absolute_whatever_v1_had() {
    let store = "https://app.example.com/app/customers/locations/54321/";
    let visit = |url: Value| json!({ "date": "05/01/2025", "time": "anytime", "url": url, "visitId": "2001" });
    let without = |names: &[&str]| {
        let mut visit = visit(Value::Null);
        names.iter().for_each(|name| _ = visit.as_object_mut().unwrap().remove(*name));
        visit
    };
    let here = "https://app.example.com/app/work/";
    let forms = [
        (json!(store), visit("/app/work/1/visits/2/".into()), format!("{here}1/visits/2/")),
        (
            json!(store),
            visit("https://old.example.com/app/work/1/".into()),
            "https://old.example.com/app/work/1/".into(),
        ),
        (json!(store), visit("HTTP://old.example.com/w".into()), "HTTP://old.example.com/w".into()),
        (json!(store), visit("//old.example.com/w".into()), "https://old.example.com/w".into()),
        (json!(store), visit("app/work/1/visits/2/".into()), format!("{here}1/visits/2/")),
        (json!(store), visit("javascript:void(0)".into()), format!("{here}100005/visits/2001/")),
        (json!(store), visit("".into()), format!("{here}100006/visits/2001/")),
        (json!(store), visit(Value::Null), format!("{here}100007/visits/2001/")),
        (json!(store), without(&["url"]), format!("{here}100008/visits/2001/")),
        (json!(store), without(&["url", "visitId"]), format!("{here}100009/")),
        (Value::Null, visit("/app/work/1/".into()), "https://app.workfossa.com/app/work/1/".into()),
        (json!("/app/customers/locations/54321/"), visit("/w".into()), "https://app.workfossa.com/w".into()),
        (json!("http://127.0.0.1:8080/x?y"), visit("/w".into()), "http://127.0.0.1:8080/w".into()),
        (json!(store), Value::Null, "NULL".into()),
    ];
    let orders: Vec<Value> = (0..forms.len())
        .map(|at| {
            json!({ "id": format!("W-1000{at:02}"), "customer": { "name": "Example Fuels", "storeUrl": forms[at].0 },
                "services": [], "visits": { "nextVisit": forms[at].1 } })
        })
        .collect();
    let house = House::new();
    let scrape = json!({ "workOrders": orders, "metadata": { "timestamp": "2025-05-01T00:00:00.000Z", "user": KIM } });
    let source = small(&house, &[("users/KIM/scraped_content.json", &scrape.to_string())]);
    accepted(&house, &source);
    let urls = house.rows("SELECT visit_url FROM work_orders ORDER BY external_id");
    assert_eq!(urls, forms.map(|(_, _, url)| [url]));
}

#[test]
fn quantities_of_zero_and_null_keep_their_description() {
    let (house, _report) = imported();
    let items = r#"["1 x Example Calibration Services","0 x All Dispensers","Open Neck Prover"]"#;
    assert_eq!(order(&house, "100104", "service_items"), [items]);
}

#[test]
fn a_service_that_could_not_be_read_is_kept() {
    let (house, _report) = imported();
    assert!(order(&house, "10105", "json_extract(scraped_data, '$.service_info')")[0].contains("\"error\""));
}

#[test]
fn instructions_keep_their_lines() {
    let (house, _report) = imported();
    assert_eq!(
        order(&house, "100101", "instructions"),
        ["Call ahead: 555-0100.\nUse the rear gate.\n\nAsk for the manager."]
    );
}

#[test]
fn two_orders_with_one_visit_are_two_orders() {
    let (house, _report) = imported();
    let twice =
        "SELECT count(*) FROM work_orders GROUP BY user_id, visit_id HAVING count(*) > 1 AND visit_id IS NOT NULL";
    assert_eq!(house.rows(twice), [["2"]]);
}

#[test]
fn an_order_that_only_the_archive_has_makes_no_row() {
    let (house, report) = imported();
    assert_eq!(house.one("SELECT count(*) FROM work_orders WHERE external_id = '99871'"), "0");
    let path = format!("users/{DANA}/archive/scraped_content_2025-05-01T06-00-00-000Z.json");
    assert!(disposition(&report, &path).1.contains("--with archive"));
}

#[test]
fn the_archive_is_imported_on_request_and_folds_equal_lists() {
    let house = House::new();
    let report = house.import(&sample(), &["--json", "--with", "archive"]).status(0).json();
    assert_eq!(tables(&report, "inserted")["user_scraped_content"], 2);
    let kept = "SELECT content_type, length(checksum), created_at, json_extract(content, '$.workOrders[0].id') FROM user_scraped_content ORDER BY created_at";
    assert_eq!(
        house.rows(kept),
        [
            ["work_order", "64", "2025-05-01 05:00:00.000000", "W-99871"],
            ["work_order", "64", "2025-05-01 07:00:00.000000", "W-99871"],
        ]
    );
    assert_eq!(house.one("SELECT count(*) FROM work_orders WHERE external_id = '99871'"), "0");
}

// dispenser entry without visitId; stale isEmpty; serial empty/duplicate/odd; model empty; missing Meter Type; Stand
// Alone Code as a word; single-number title; orphan work order key.

/// The dispensers of an order, in their order.
fn dispensers(house: &House, number: &str, columns: &str) -> Vec<Vec<String>> {
    house.rows(&format!(
        "SELECT {columns} FROM dispensers d JOIN work_orders w ON w.id = d.work_order_id WHERE w.external_id = '{number}' ORDER BY d.rowid"
    ))
}

#[test]
fn a_dispenser_entry_without_a_visit_is_kept() {
    let (house, _report) = imported();
    assert_eq!(
        house.rows(
            "SELECT visit_id FROM user_dispenser_data WHERE work_order_id IN ('W-100101', 'W-100102') ORDER BY 1"
        ),
        [["NULL"], ["VISIT-200102"]]
    );
}

#[test]
fn stale_flags_hide_no_data() {
    let (house, _report) = imported();
    let stale = format!(
        "SELECT json_extract(meta_data, '$.metadata.isEmpty'), json_array_length(dispenser_data) FROM user_dispenser_data WHERE user_id = '{DANA}' AND work_order_id = 'W-100101'"
    );
    assert_eq!(house.rows(&stale), [["1", "3"]]);
}

#[test]
fn serial_numbers_that_are_empty_repeated_or_odd_are_not_keys() {
    let (house, _report) = imported();
    let serials = |number| dispensers(&house, number, "d.serial_number").concat();
    assert_eq!(serials("100101"), ["EX00000001", "EX00000001", "OTHR000002"]);
    assert_eq!(serials("100102")[0], "NULL");
    assert_eq!(serials("100103"), ["9-9", "A", "EX 0123456b"]);
}

#[test]
fn what_a_dispenser_lacks_is_null_or_empty_as_v1_had_it() {
    let (house, _report) = imported();
    let rows = dispensers(&house, "100102", "d.model, d.meter_type, json_extract(d.form_data, '$.stand_alone_code')");
    assert_eq!(rows, [["X2", "NULL", "Receipt"], ["", "Mechanical", "NULL"]]);
}

#[test]
fn a_title_may_have_a_single_number() {
    let (house, _report) = imported();
    assert_eq!(dispensers(&house, "100101", "d.dispenser_number").concat(), ["1/2", "3/4", "5"]);
}

#[test]
fn dispensers_of_an_order_that_is_gone_stay_in_the_store_alone() {
    let (house, _report) = imported();
    assert_eq!(
        house.one("SELECT json_array_length(dispenser_data) FROM user_dispenser_data WHERE work_order_id = 'W-99871'"),
        "2"
    );
    assert_eq!(
        house.one("SELECT count(*) FROM dispensers WHERE work_order_id NOT IN (SELECT id FROM work_orders)"),
        "0"
    );
}

#[test]
fn dispensers_inside_an_order_count_only_where_the_store_has_no_entry() {
    let (house, _report) = imported();
    assert_eq!(dispensers(&house, "100202", "d.id").len(), 0);
    assert_eq!(
        dispensers(&house, "100203", "d.dispenser_number, d.serial_number, d.number_of_nozzles"),
        [["1/2", "EX00000031", "2"]]
    );
}

// change G1 and G2, swap, replacement vs replaced, empty history, same event in three feeds, digest pending.

/// Changes of one kind of one person: text of the item, and whether it was sent.
fn changes(house: &House, kind: &str, columns: &str) -> Vec<Vec<String>> {
    house.rows(&format!("SELECT {columns} FROM user_schedule_changes WHERE user_id = '{DANA}' AND change_type = '{kind}' ORDER BY detected_at"))
}

#[test]
fn both_generations_of_changes_are_imported() {
    let (house, _report) = imported();
    let of = |kind| {
        changes(
            &house,
            kind,
            "json_extract(change_data, '$.item.jobId'), json_extract(change_data, '$.severity'), detected_at, notified",
        )
    };
    assert_eq!(of("removed")[1], ["W-99871", "critical", "2025-05-06 08:10:00.000000", "1"]);
    assert_eq!(
        of("added").iter().find(|row| row[0] == "W-100106").unwrap(),
        &["W-100106", "NULL", "2025-05-07 14:50:00.000000", "1"]
    );
}

#[test]
fn an_exchange_keeps_both_orders() {
    let (house, _report) = imported();
    let row = changes(
        &house,
        "swap",
        "json_extract(change_data, '$.item.job1Id'), json_extract(change_data, '$.item.job2Id')",
    );
    assert_eq!(row, [["W-100101", "W-100102"]]);
    assert_eq!(
        house.rows("SELECT entity_id, before_data FROM user_change_history WHERE change_reason = 'swap'"),
        [["NULL", "NULL"]]
    );
}

#[test]
fn a_replacement_is_imported_in_either_generations_form() {
    let (house, _report) = imported();
    assert_eq!(changes(&house, "replacement", "json_extract(change_data, '$.item.removedJobId')"), [["W-99868"]]);
    assert_eq!(changes(&house, "replaced", "json_extract(change_data, '$.item.oldJobId')"), [["W-99870"]]);
}

#[test]
fn an_empty_history_makes_no_row_and_loses_nothing() {
    for history in [
        "[]",
        r#"{"changes":[]}"#,
        r#"[{"timestamp":"2025-05-01T00:00:00.000Z","changes":{"critical":[],"high":[],"medium":[],"low":[],"summary":{"removed":0,"added":0,"modified":0,"swapped":0}}}]"#,
    ] {
        let house = House::new();
        let source = small(&house, &[("users/KIM/change_history.json", history)]);
        let report = accepted(&house, &source);
        assert!(!tables(&report, "inserted").contains_key("user_schedule_changes"), "{history}");
    }
}

#[test]
fn one_event_in_three_feeds_is_one_row() {
    let (house, _report) = imported();
    let item = |kind: &str, job: &str, what: &str| {
        house.one(&format!("SELECT count(*) FROM {what} WHERE user_id = '{DANA}' AND {kind} AND job = '{job}'"))
    };
    let schedule = "(SELECT *, json_extract(change_data, '$.item.jobId') job FROM user_schedule_changes)";
    let history = "(SELECT *, entity_id job FROM user_change_history)";
    assert_eq!(item("change_type = 'date_changed'", "W-100103", schedule), "1");
    assert_eq!(item("change_reason = 'date_changed'", "W-100103", history), "1");
    assert_eq!(item("change_type = 'removed'", "W-99871", schedule), "1");
    // What happened twice is in one feed twice, and stays two.
    assert_eq!(item("change_type = 'added'", "W-100103", schedule), "2");
    assert_eq!(item("change_reason = 'added'", "W-100103", history), "2");
}

#[test]
fn what_waits_for_the_daily_mail_stays_unsent() {
    let (house, _report) = imported();
    let pending = "SELECT change_type, json_extract(change_data, '$.item.jobId') FROM user_schedule_changes WHERE notified = 0 ORDER BY 1";
    assert_eq!(house.rows(pending), [["added", "W-100107"], ["date_changed", "W-100103"]]);
    assert_eq!(house.one("SELECT count(*) FROM user_change_history WHERE entity_id = 'W-100107'"), "0");
}

#[test]
fn a_report_that_the_history_lacks_comes_from_the_archives() {
    let (house, _report) = imported();
    let row =
        format!("SELECT entity_id, change_reason, length(change_id) FROM user_change_history WHERE user_id = '{OMAR}'");
    assert_eq!(house.rows(&row), [["W-100203", "added", "32"]]);
}

#[test]
fn a_report_without_a_time_has_that_of_its_files_name() {
    let (house, _report) = imported();
    let row = "SELECT created_at, before_data, after_data FROM user_change_history WHERE entity_id = 'W-99860'";
    assert_eq!(
        house.rows(row),
        [["2025-04-20 08:00:00.000000", r#"{"date":"04/21/2025"}"#, r#"{"date":"04/28/2025"}"#]]
    );
}

// secrets: none of them in any JSON column, log, report or error text; passwords with spaces, quotes, non-ASCII.
// (That no value of them is in anything a run leaves: `credentials`.)

#[test]
fn every_secret_of_v1_opens_again_or_is_dropped() {
    let (house, _report) = imported();
    let logins = logins(&house);
    let expected = [
        [DANA, "pushover", "uInventedUserKeyOfDana00000001", "aInventedAppTokenOfDana0000001"],
        [DANA, "pushover_open_client", "invented-device-of-dana-01", "invented-open-client-secret-of-dana"],
        [DANA, "workfossa", "dana.whitfield@example.com", "q\"7\\Lm zw!Kd"],
        [LUCIA, "email", "monitor@example.com", "wkzr qpfm xtvh ybnd"],
        [LUCIA, "workfossa", "lucia.new@example.com", "kŒ9-ñßvĦ27"],
        [OMAR, "pushover", "uInventedLegacyKeyOfOmar000001", ""],
        [SAM, "pushover", "uInventedUserKeyOfSam000000001", ""],
    ];
    for login in expected {
        assert!(logins.contains(&strings(login)), "{} {}", login[0], login[1]);
    }
    assert_eq!(logins.len(), 9);
    // Removed keys do not come back from an older copy.
    assert!(!logins.iter().any(|login| login[0] == LUCIA && login[1] == "pushover"));
    let leaky = "SELECT count(*) FROM tutorial_data WHERE data LIKE '%userKey%' OR data LIKE '%assword%'";
    assert_eq!(house.one(leaky), "0");
}

#[test]
fn the_mail_accounts_login_is_sealed_as_a_json_string() {
    let (house, _report) = imported();
    let settings = "SELECT setting_key, json_type(setting_value), substr(json_extract(setting_value, '$'), 1, 4) FROM global_settings WHERE setting_key LIKE 'smtp\\__%' ESCAPE '\\' ORDER BY 1";
    assert_eq!(house.rows(settings), [["smtp_password", "text", "tl2."], ["smtp_username", "text", "tl2."]]);
    let account = house.one("SELECT setting_value FROM global_settings WHERE setting_key = 'smtp'");
    let account: Value = serde_json::from_str(&account).unwrap();
    assert_eq!(account["smtpPort"], 587, "the wrapped file counts");
    assert!(account.get("username").is_none() && account.get("password").is_none());
}

#[test]
fn a_pushover_file_wins_over_the_list_one_level_up() {
    let house = House::new();
    let keys = ["aPlantedTokenOf30Characters000", "uPlantedUserKeyOf30Characters0"];
    let file = json!({ "appToken": keys[0], "userKey": keys[1], "preferences": {}, "lastUpdated": "2025-04-29T09:00:00.000Z" });
    let list =
        json!([{ "id": "main", "email": "KIM.DOE@example.com", "pushoverKey": "uAnotherUserKeyOf30Characters0" }]);
    let source =
        small(&house, &[("users/KIM/pushover_settings.json", &file.to_string()), ("users.json", &list.to_string())]);
    accepted(&house, &source);
    assert!(logins(&house).contains(&strings([KIM, "pushover", keys[1], keys[0]])));
}

#[test]
fn a_fork_of_the_list_with_passwords_leaks_none() {
    let house = House::new();
    let source = small(&house, &[]);
    let list = fs::read_to_string(source.join("users/users.json")).unwrap();
    fs::write(source.join("users.json"), list.replace("Kim Doe", "Kim D.")).unwrap();
    let report = accepted(&house, &source);
    assert!(has(&report, "R008", "users.json"), "another label gives way");
    assert_eq!(logins(&house), [strings([KIM, "workfossa", "kim.doe@example.com", "kD7!uv2+Rw"])]);
    let bytes = fs::read(house.path(DATABASE)).unwrap();
    assert!(memchr::memmem::find(&bytes, b"kD7!uv2+Rw").is_none());
}

#[test]
fn ignored_files_that_hold_secrets_are_named() {
    let house = House::new();
    let copy = format!(r#"[{{"id":"{KIM}","note":"kD7!uv2+Rw"}}]"#);
    let template = r#"{"smtpServer":"smtp.example.com","password":"invented-4711-of-a-template"}"#;
    let (backup, template_path) =
        ("backups/2025-05-06T10-00-00-000Z/users.json", "templates/email-settings.template.json");
    let source =
        small(&house, &[(backup, &copy), (template_path, template), ("templates/metadata.template.json", "{}")]);
    let report = accepted(&house, &source);
    assert!(has(&report, "X005", backup), "the same value as in the list");
    assert!(has(&report, "X005", template_path), "a name that sounds secret");
    assert!(!has(&report, "X005", "templates/metadata.template.json"));
}

// idempotence: second run inserts 0 rows; deterministic ids; `W-` stripped in work_orders.external_id, kept in
// user_dispenser_data/user_completed_jobs.

#[test]
fn a_second_run_inserts_nothing() {
    let (house, first) = imported();
    let before = row_counts(&open(&house.path(DATABASE)));
    let second = house.import(&sample(), &["--json"]).status(0).json();
    for changed in ["inserted", "updated", "rejected"] {
        assert_eq!(tables(&second, changed), Default::default(), "{changed}");
    }
    assert_eq!(tables(&second, "unchanged"), before);
    assert_eq!(tables(&first, "inserted"), before);
}

#[test]
fn ids_are_the_same_in_every_database() {
    let ids = |house: &House| {
        house.rows("SELECT id FROM work_orders UNION ALL SELECT id FROM dispensers UNION ALL SELECT change_id FROM user_change_history ORDER BY 1")
    };
    let ((one, _), (two, _)) = (imported(), imported());
    assert_eq!(ids(&one), ids(&two));
}

#[test]
fn the_prefix_is_stripped_where_v2_compares_digits_and_kept_elsewhere() {
    let (house, _report) = imported();
    assert_eq!(house.one("SELECT count(*) FROM work_orders WHERE external_id GLOB '*[^0-9]*'"), "0");
    assert_eq!(house.one("SELECT count(*) FROM user_dispenser_data WHERE work_order_id NOT LIKE 'W-%'"), "0");
    let jobs = format!(
        "SELECT job_id, work_order_id, completion_date, job_data FROM user_completed_jobs WHERE user_id = '{DANA}' ORDER BY 1"
    );
    let row = |job: &str| strings([job, job, "NULL", r#"{"v1":"id only"}"#]).to_vec();
    assert_eq!(house.rows(&jobs), [row("W-100106"), row("W-10105"), row("W-99871")]);
    let completed = "SELECT external_id FROM work_orders WHERE status = 'completed' ORDER BY 1";
    assert_eq!(house.rows(completed), [["100106"], ["100201"], ["10105"]]);
}

// volume: rawHtml 82 % of bytes; 240+ archive files per user.

#[test]
fn an_archive_of_many_hours_folds_to_what_differs() {
    let house = House::new();
    let source = small(&house, &[]);
    let html = "<div>x</div>".repeat(400);
    for hour in 0..250 {
        let orders = json!([{ "id": "W-100001", "customer": { "name": "Example Fuels" }, "services": [], "visits": { "nextVisit": null },
            "instructions": format!("day {}", hour / 24), "rawHtml": html }]);
        let snapshot = json!({ "workOrders": orders, "metadata": { "extractedAt": format!("2025-04-{:02}T{:02}:00:00.000Z", 1 + hour / 24, hour % 24), "count": 1, "userId": KIM } });
        house.file(&format!("source/users/{KIM}/archive/scraped_content_{hour:03}.json"), snapshot.to_string());
    }
    let report = house.import(&source, &["--json", "--with", "archive"]).status(0).json();
    assert_eq!(tables(&report, "inserted")["user_scraped_content"], 11);
}

// The root: V1's first version had one user and no folders.

#[test]
fn files_at_the_root_belong_to_the_only_user() {
    let house = House::new();
    let source = small(
        &house,
        &[("completed_jobs.json", r#"[{"jobId":"W-100001","completedTimestamp":"2025-05-01T23:00:00.000Z"}]"#)],
    );
    accepted(&house, &source);
    let row = "SELECT user_id, job_id, completion_date FROM user_completed_jobs";
    assert_eq!(house.rows(row), [[KIM, "W-100001", "2025-05-01 23:00:00.000000"]]);
}

#[test]
fn files_at_the_root_have_no_owner_among_several_users_unless_one_is_named() {
    let (house, report) = imported();
    assert_eq!(disposition(&report, "completed_jobs.json").0, "ignored");
    assert_eq!(house.one("SELECT count(*) FROM user_completed_jobs WHERE job_id = 'W-100104'"), "0");
    let house = House::new();
    house.import(&sample(), &["--owner", OMAR]).status(0);
    assert_eq!(house.one("SELECT user_id FROM user_completed_jobs WHERE job_id = 'W-100104'"), OMAR);
}

// The rest of the catalogue: the smaller files.

#[test]
fn provers_are_rows_and_the_whole_object_is_a_preference() {
    let (house, _report) = imported();
    let rows = "SELECT prover_id, priority, preferred_fuel_type, preferred_fuel_types FROM prover_settings ORDER BY 1";
    assert_eq!(
        house.rows(rows),
        [
            ["00-00000-01", "1", "Regular", r#"["Regular","Plus"]"#],
            ["00-00000-02", "3", "NULL", "NULL"],
            ["unknown", "2", "Diesel", r#"["Diesel"]"#],
        ]
    );
    let whole = format!(
        "SELECT json_extract(settings, '$.autoPositionEthanolFree'), json_array_length(settings, '$.provers') FROM user_preferences WHERE user_id = '{DANA}' AND category = 'prover'"
    );
    assert_eq!(house.rows(&whole), [["1", "4"]]);
}

#[test]
fn a_failed_batch_stays_twice_and_a_checkpoint_is_interrupted() {
    let (house, _report) = imported();
    let rows = "SELECT status, completed_at FROM user_batch_history WHERE batch_id = 'batch_1746950400000' ORDER BY 1";
    assert_eq!(
        house.rows(rows),
        [
            ["completed", "2025-05-11 08:20:02.000000"],
            ["failed", "2025-05-11 08:20:01.000000"],
            ["interrupted", "NULL"],
        ]
    );
    assert_eq!(house.one("SELECT count(*) FROM user_batch_history WHERE batch_id LIKE 'v1-%'"), "1");
}

#[test]
fn a_users_first_day_comes_from_the_set_up_script_or_is_the_last_use() {
    let (house, _report) = imported();
    let days = format!("SELECT id, created_at, last_used FROM users WHERE id IN ('{SAM}', '{PRIYA}') ORDER BY 1");
    assert_eq!(
        house.rows(&days),
        [
            [PRIYA, "2025-04-30 11:11:11.111000", "2025-04-30 11:11:11.111000"],
            [SAM, "2025-04-20 10:00:00.000000", "2025-04-22 06:15:30.450000"],
        ]
    );
}

#[test]
fn a_file_that_names_another_owner_than_its_folder_is_noted() {
    let (_house, report) = imported();
    assert!(has(&report, "V009", &format!("users/{OMAR}/metadata.json")));
}

// Nothing is decided silently: one unknown item of each kind.

#[test]
fn an_unknown_file_shape_or_member_is_refused_with_its_place() {
    let log = r#"[{"activity":"login"}]"#;
    let cases = [
        ("users/KIM/notes.json", "{}", "F001", "users/KIM/notes.json:1:1 "),
        ("users/KIM/prover_preferences.json", r#"{"list":[]}"#, "S001", "users/KIM/prover_preferences.json:1:1 "),
        ("users/KIM/completed_jobs.json", r#"{"completedJobs":["W-1"],"metadata":{"mood":"good"}}"#, "S002", ""),
    ];
    for (path, content, code, place) in cases {
        let house = House::new();
        let source = small(&house, &[("users/KIM/activity_log.json", log), (path, content)]);
        let errors = refused(&house, &source);
        assert_eq!(errors.len(), 1, "{path}: {errors:?}");
        assert_eq!(errors[0].0, code, "{path}");
        assert!(errors[0].1.starts_with(&place.replace("KIM", KIM)), "{path}: {}", errors[0].1);
    }
}

#[test]
fn an_unknown_member_that_a_catch_all_keeps_is_listed_or_refused() {
    let house = House::new();
    let log = json!([{ "activity": "login", "mood": "good" }]);
    let source = small(&house, &[("users/KIM/activity_log.json", &log.to_string())]);
    let report = accepted(&house, &source);
    assert_eq!(report["caught_all"], json!([{ "mapping": "activity_log", "path": "mood", "count": 1 }]));

    let house = House::new();
    crate::house::copy_tree(&crate::house::project("mappings/fossawork"), &house.path("set"));
    edit(&house.path("set/set.toml"), "[owners]", "unknown_members = \"refuse\"\n\n[owners]");
    let source = small(&house, &[("users/KIM/activity_log.json", &log.to_string())]);
    let report = house.import(&source, &["--json", "--mappings", "set"]).status(1).json();
    assert!(has(&report, "S003", &format!("users/{KIM}/activity_log.json")));
}

/// All of it together: the sample as V1 keeps it, with the links and the list of users of other versions.
#[test]
fn a_copied_tree_with_a_renamed_user_and_a_list_by_id_is_imported_whole() {
    let house = House::new();
    let original = house.path("v1/data");
    crate::house::copy_tree(&sample(), &original);
    let list = original.join("users/users.json");
    let mut users: Vec<Value> = serde_json::from_slice(&fs::read(&list).unwrap()).unwrap();
    // V1 renames a user by a new name in the list and a new link; the old one stays.
    let omar = users.iter_mut().find(|user| user["id"] == OMAR).unwrap();
    omar["friendlyName"] = json!("Omar R");
    symlink(original.join("users").join(OMAR), original.join("users/Omar_R")).unwrap();
    let by_id: serde_json::Map<String, Value> =
        users.into_iter().map(|user| (user["id"].as_str().unwrap().to_owned(), user)).collect();
    assert!(by_id.contains_key("tutorial"));
    fs::write(&list, serde_json::to_vec(&by_id).unwrap()).unwrap();
    let copied =
        std::process::Command::new("cp").arg("-a").arg(&original).arg(house.path("old_data")).status().unwrap();
    assert!(copied.success());
    fs::remove_dir_all(house.path("v1")).unwrap();

    let report = house.import(&house.path("old_data"), &["--json"]).status(0).json();
    assert_eq!((&report["outcome"], &report["leaves"]["unmapped"]), (&json!("committed"), &json!(0)));
    assert_eq!(house.one("SELECT count(*) FROM users"), "5");
    assert_eq!(house.one("SELECT friendly_name FROM users WHERE id = '6c754a650d08c60226666cec198e126f'"), "Omar R");
    assert_eq!(house.one("SELECT count(*) FROM tutorial_data WHERE data_type = 'user'"), "1");
    let visits =
        "SELECT count(*) FROM work_orders WHERE json_extract(scraped_data, '$.visit_info.nextVisit') IS NOT NULL";
    let absolute = "SELECT count(*) FROM work_orders WHERE visit_url LIKE 'https://_%/_%'";
    assert_eq!(house.one(visits), house.one(absolute));
    assert_eq!(house.one(absolute), "12");
}
