//! Documents, and the paths that they have.

use super::*;
use crate::finding::FileId;
use crate::source::{Limits, Opened, scan::scan};

fn profile(files: &[&str]) -> Profile {
    let mut profile = Profile::default();
    for text in files {
        let mut opened = Opened::of_bytes(FileId(0), text.as_bytes().to_vec(), Limits::default());
        profile.begin_file();
        profile.begin_document();
        scan(&mut opened, &mut |token| profile.outline(token)).expect("it is valid");
    }
    profile.end_outline();
    for text in files {
        let mut opened = Opened::of_bytes(FileId(0), text.as_bytes().to_vec(), Limits::default());
        profile.begin_file();
        profile.begin_document();
        scan(&mut opened, &mut |token| profile.measure(token)).expect("it is valid");
    }
    profile
}

fn shown(profile: &Profile) -> Vec<String> {
    profile.walk().into_iter().map(|(path, at, _)| format!("{path} {}", profile.stats[at].count)).collect()
}

#[test]
fn every_path_is_counted() {
    let profile = profile(&[r#"[{"a": 1, "b": [true, null]}, {"a": "x"}]"#, r#"[{"a": 2}]"#]);
    assert_eq!(shown(&profile), [". 2", "[*] 3", "[*].a 3", "[*].b 1", "[*].b[*] 2"]);
    let a = &profile.stats[2];
    assert_eq!((a.facts.integers, a.facts.strings, a.facts.chars, a.facts.repeats), (2, 1, Some((1, 1)), false));
}

#[test]
fn names_that_are_data_become_one_path() {
    let profile = profile(&[r#"{"2024-01-01": {"n": 1}, "2024-01-02": {"n": 2, "m": 3}}"#]);
    assert_eq!(shown(&profile), [". 1", "* 2", "*.n 2", "*.m 1"]);
}

#[test]
fn values_below_a_name_that_looks_like_a_secret_are_not_kept() {
    let profile = profile(&[r#"{"credentials": {"name": "ada"}, "colour": "red", "feed": "https://bob:hunter22@h/"}"#]);
    let of = |path: &str| {
        let (_, at, _) = profile.walk().into_iter().find(|(of, _, _)| of.to_string() == path).expect("it is there");
        (profile.stats[at].secret, profile.stats[at].facts.values.clone().map(|values| values.len()))
    };
    assert_eq!(of("credentials.name"), (true, None));
    assert_eq!(of("colour"), (false, Some(1)));
    assert_eq!(of("feed"), (true, None));
}

#[test]
fn maps_of_maps_are_two_paths_and_lines_of_an_address_stay_members() {
    let profile = profile(&[
        r#"{"habits": {"h1": {"name": "Run", "days": {"2025-05-07": true}}, "h2": {"name": "Swim", "days": {"2025-05-08": 1}}},
            "address": {"line1": "a", "line2": "b"}}"#,
    ]);
    assert_eq!(
        shown(&profile),
        [
            ". 1",
            "habits 1",
            "habits.* 2",
            "habits.*.name 2",
            "habits.*.days 2",
            "habits.*.days.* 2",
            "address 1",
            "address.line1 1",
            "address.line2 1"
        ]
    );
}

#[test]
fn values_repeat_in_a_list_in_a_file_or_in_all() {
    let of = |files: &[&str], path: &str| {
        let profile = profile(files);
        let (_, at, _) = profile.walk().into_iter().find(|(of, _, _)| of.to_string() == path).expect("it is there");
        let facts = &profile.stats[at].facts;
        (facts.repeats_in_list, facts.repeats_in_file, facts.repeats)
    };
    let two = r#"[{"n": [{"id": 1}, {"id": 2}]}, {"n": [{"id": 1}]}]"#;
    assert_eq!(of(&[two], "[*].n[*].id"), (false, true, true));
    assert_eq!(of(&[r#"[{"id": "a"}]"#, r#"[{"id": "a"}]"#], "[*].id"), (false, false, true));
    assert_eq!(of(&[r#"[{"id": "a"}, {"id": "a"}]"#], "[*].id"), (true, true, true));
    assert_eq!(of(&[r#"{"2025-01-01": {"id": "a"}, "2025-01-02": {"id": "b"}}"#], "*.id"), (false, false, false));
}

#[test]
fn a_list_and_a_wrapped_list_of_the_same_records_are_one() {
    let profile =
        profile(&[r#"[{"id": 1, "name": "a"}]"#, r#"{"version": 2, "people": [{"id": 2, "name": "b", "x": 1}]}"#]);
    assert_eq!(profile.stats[0].elements, profile.stats[profile.stats[0].members[1].1].elements);
    assert_eq!(profile.stats[profile.stats[0].elements.expect("there is a list")].count, 2);
}
