//! What holds for the search for leaks.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;

fn search_for(secrets: &[&str]) -> LeakSearch {
    let mut set = SecretSet::new();
    for secret in secrets {
        set.add(secret);
    }
    set.freeze()
}

fn found(secrets: &[&str], text: &str) -> Option<(usize, usize)> {
    search_for(secrets).search(text).map(|hit| (hit.secret, hit.offset))
}

#[test]
fn a_secret_is_found_at_the_beginning_in_the_middle_and_at_the_end() {
    for (text, offset) in
        [("hunter2", 0), ("hunter2 x", 0), ("x hunter2", 2), ("my hunter2, really", 3), ("x hhunter2", 3)]
    {
        assert_eq!(found(&["hunter2"], text), Some((0, offset)), "{text}");
    }
    for text in ["", "hunter", "Hunter2", "hunter 2", "unter2", "hunter3 hunter4"] {
        assert_eq!(found(&["hunter2"], text), None, "{text}");
    }
    assert_eq!(found(&["sixsix"], "sixsix"), Some((0, 0)));
    assert_eq!(found(&["sixsix"], "_sixsix"), Some((0, 1)));
    assert_eq!(found(&[], "anything at all"), None);
}

#[test]
fn zero_bytes_at_the_end_of_a_secret_are_part_of_it() {
    assert_eq!(found(&["sixsix\0"], "sixsix"), None);
    assert_eq!(found(&["sixsix\0"], "sixsix\0"), Some((0, 0)));
}

#[test]
fn short_secrets_are_not_numbered_and_equal_ones_share_a_number() {
    let mut set = SecretSet::new();
    let numbers: Vec<_> =
        ["short", "secret one", "", "secret two", "secret one", "sixsix"].map(|text| set.add(text)).into();
    assert_eq!(numbers, [None, Some(0), None, Some(1), Some(0), Some(2)]);
    assert_eq!(set.len(), 3);
    assert_eq!(set.freeze().search("a secret two"), Some(Hit { secret: 1, offset: 2 }));
}

#[test]
fn of_secrets_that_begin_alike_the_shortest_is_reported() {
    assert_eq!(found(&["password2024", "password", "password1"], "password1"), Some((1, 0)));
    assert_eq!(found(&["password2024", "password1"], "password1, password2024"), Some((1, 0)));
    assert_eq!(found(&["password2024", "password1"], "password2, password2024"), Some((0, 11)));
}

#[test]
fn a_thousand_secrets_with_the_same_prefix_are_distinguished() {
    let secrets: Vec<_> = (1000..2000).map(|number| format!("password{number}")).collect();
    let secrets: Vec<_> = secrets.iter().map(String::as_str).collect();
    let search = search_for(&secrets);
    assert_eq!(
        search.search("password password999 password2000 password150 password1776"),
        Some(Hit { secret: 776, offset: 46 })
    );
    assert_eq!(search.search(&"password0999 ".repeat(100)), None);
}

/// How many bytes a pass through the text compares, and what it finds.
fn cost(search: &LeakSearch, text: &[u8], first_only: bool) -> (usize, BTreeSet<usize>) {
    let mut work = Work::new(text);
    search.scan(text, &mut work, first_only);
    (work.spent, work.found)
}

#[test]
fn long_secrets_of_one_period_cost_a_fixed_number_of_comparisons_for_each_byte_of_text() {
    let long = |unit: &str, end: &str| unit.repeat(32 * 1024 / unit.len()) + end;
    let secrets = [long("a", "b"), long("ab", "b"), long("xyz", "!"), long("a", "c"), long("a", "d")];
    let refs: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let search = search_for(&refs);
    for unit in ["a", "ab", "xyz", "aaaaaab"] {
        let text = unit.repeat((1 << 20) / unit.len());
        let (compared, found) = cost(&search, text.as_bytes(), true);
        assert!(found.is_empty());
        // The bound, then one search for all of them, and a beginning at each position.
        let most = text.len() * (COMPARED_PER_BYTE + 4 + 4 * HEAD);
        assert!(compared < most, "{unit}: {compared} bytes compared for {} of text", text.len());
    }
    // What is there is found, at the end too, with all its neighbours.
    let text = "a".repeat(1 << 19) + &secrets[4] + &"a".repeat(1 << 19) + &secrets[0] + &secrets[2];
    let (compared, found) = cost(&search, text.as_bytes(), false);
    assert_eq!(found, BTreeSet::from([0, 2, 4]));
    assert!(compared < text.len() * (COMPARED_PER_BYTE + 4 + 4 * HEAD), "{compared}");
    assert_eq!(search.search(&text).map(|hit| (hit.secret, hit.offset)), Some((4, 1 << 19)));
}

#[test]
fn the_search_for_long_secrets_of_one_period_does_not_grow_with_their_number() {
    // Each of them is shorter than the last, and ends alike: `aaa…ab`.
    let secrets: Vec<String> = (0..1_000).map(|number| "a".repeat(100 + number) + "b").collect();
    let text = "a".repeat(1 << 14) + "c" + &"a".repeat(1 << 14);
    let compared = |many: usize| {
        let refs: Vec<&str> = secrets[secrets.len() - many..].iter().map(String::as_str).collect();
        let search = search_for(&refs);
        let whole: usize = search.patterns.iter().map(Pattern::length).sum();
        let (compared, found) = cost(&search, text.as_bytes(), false);
        assert!(found.is_empty());
        // Once its automaton is made, another text costs no more for it.
        let (again, _) = cost(&search, text.as_bytes(), false);
        assert!(again < compared);
        (compared, again, whole)
    };
    let (few, many) = (compared(10), compared(1_000));
    assert!(many.1 < 2 * few.1, "{few:?} {many:?}");
    assert!(many.0 - many.1 < 4 * many.2, "{few:?} {many:?}");
    let refs: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let text = format!("{}{}", "a".repeat(1 << 14), "b");
    assert_eq!(cost(&search_for(&refs), text.as_bytes(), false).1, (0..1_000).collect());
}

#[test]
fn a_text_that_repeats_a_secret_is_searched_once() {
    let secret = "a".repeat(4096);
    let text = "a".repeat(1 << 20);
    let (compared, found) = cost(&search_for(&[&secret]), text.as_bytes(), false);
    assert_eq!(found, BTreeSet::from([0]));
    assert!(compared < text.len() * (COMPARED_PER_BYTE + 4 + 2 * HEAD), "{compared}");
}

#[test]
fn many_keys_with_a_long_common_beginning_are_found_without_the_bound() {
    let head =
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW";
    let keys: Vec<String> = (0..300).map(|number| format!("{head}{:0>900}", number * 7919)).collect();
    let refs: Vec<&str> = keys.iter().map(String::as_str).collect();
    let search = search_for(&refs);
    let text = format!("{}\n{head}{}\n{}", keys[17], "0".repeat(890) + "1", keys[211]);
    let (compared, found) = cost(&search, text.as_bytes(), false);
    assert_eq!(found, BTreeSet::from([17, 211]));
    assert!(compared < 16 * text.len() + 4096, "{compared}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_bounded_search_finds_what_the_plain_one_finds(
        secrets in prop::collection::vec("[ab]{6,9}|(ab){40,70}[abc]|a{70,90}[bc]?", 1..5), text in "([ab]{0,9}|(ab){30,80}c?|a{60,99}b?){0,6}",
    ) {
        let refs: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let search = search_for(&refs);
        let run = |budget: usize, first_only: bool| {
            let mut work = Work { budget, ..Work::new(text.as_bytes()) };
            let hit = search.scan(text.as_bytes(), &mut work, first_only);
            (hit, work.found)
        };
        prop_assert_eq!(run(0, true), run(usize::MAX, true));
        prop_assert_eq!(run(0, false).1, run(usize::MAX, false).1);
    }
}

#[test]
fn debug_tells_counts_alone() {
    let mut set = SecretSet::new();
    set.add("hunter2");
    assert_eq!(format!("{set:?}"), "SecretSet(1 secrets)");
    assert_eq!(format!("{:?}", set.freeze()), "LeakSearch(16 patterns)");
}

/// Every way in which a program might write a secret, made by other means than the search's own.
fn planted(secret: &str, before: &str, after: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let quoted = serde_json::to_string(secret).expect("is written");
    let json = quoted[1..quoted.len() - 1].to_owned();
    let python: String = json
        .encode_utf16()
        .map(|unit| match char::from_u32(u32::from(unit)) {
            Some(character) if character < '\u{7f}' => character.to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect();
    let mut texts = vec![secret.to_owned(), hex.to_uppercase(), hex, json, python];
    for whole in [secret.to_owned(), format!("{before}{secret}{after}")] {
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            texts.push(engine.encode(&whole));
        }
    }
    texts
}

/// Whether any form is in the text, found the slow way.
fn naive(secrets: &[String], text: &str) -> bool {
    let holds = |form: &Form| text.as_bytes().windows(form.len()).any(|window| window == form.as_slice());
    secrets.iter().filter(|secret| secret.len() >= MIN_BYTES).any(|secret| forms(secret).iter().any(holds))
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_planted_form_is_found_wherever_it_is(
        secrets in prop::collection::vec(any::<String>(), 1..6), more in "[ -~]{6,9}", chosen in any::<prop::sample::Index>(),
        before in ".{0,9}", after in ".{0,9}",
    ) {
        let mut secrets: Vec<_> = secrets.into_iter().filter(|secret| secret.len() >= MIN_BYTES).collect();
        secrets.push(more);
        let search = search_for(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
        let secret = chosen.get(&secrets);
        for text in planted(secret, &before, &after) {
            prop_assert!(search.search(&text).is_some(), "alone: {text:?}");
            prop_assert!(search.search(&format!("{before}{text}{after}")).is_some(), "inside: {text:?}");
        }
    }

    #[test]
    fn nothing_is_found_or_missed_that_a_plain_comparison_would_not(
        secrets in prop::collection::vec("[ab\"é]{4,9}", 0..8), text in "[ab\"\\\\é]{0,60}",
    ) {
        let search = search_for(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
        let hit = search.search(&text);
        prop_assert_eq!(hit.is_some(), naive(&secrets, &text));
        if let Some(hit) = hit {
            let mut numbered: Vec<&String> = Vec::new();
            for secret in secrets.iter().filter(|secret| secret.len() >= MIN_BYTES) {
                if !numbered.contains(&secret) {
                    numbered.push(secret);
                }
            }
            let here = &text.as_bytes()[hit.offset..];
            prop_assert!(forms(numbered[hit.secret]).iter().any(|form| here.starts_with(form)));
            prop_assert!(!naive(&secrets, &String::from_utf8_lossy(&text.as_bytes()[..hit.offset])));
        }
    }
}
