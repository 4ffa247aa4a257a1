//! Paths, and the patterns that they become.

use super::*;

fn patterns_by(paths: &[&str], heads: Heads) -> Vec<String> {
    group(paths.iter().copied(), heads)
        .into_iter()
        .map(|group| {
            let packed = group.packed.map_or_else(String::new, |pattern| format!(" or {pattern}"));
            format!("{}{packed} {}", group.pattern, group.files.len())
        })
        .collect()
}

fn patterns(paths: &[&str]) -> Vec<String> {
    patterns_by(paths, &|_| Some(Head::default()))
}

/// Every file has one member, called as the text says whose number it is.
fn patterns_of(files: &[(&str, &str)]) -> Vec<String> {
    let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    patterns_by(&paths, &|file| {
        let mut head = Head::default();
        files[file].1.split(' ').for_each(|name| head.note(0, name));
        Some(head)
    })
}

#[test]
fn folders_of_people_become_one() {
    assert_eq!(
        patterns(&[
            "people.json",
            "people/ada/notes.json",
            "people/ada/old/notes.json",
            "people/bob/notes.json",
            "people/bob/tags.json",
            "themes/dark.json",
        ]),
        [
            "people.json 1",
            "people/{person}/notes.json 2",
            "people/{person}/old/notes.json 1",
            "people/{person}/tags.json 1",
            "themes/dark.json 1"
        ]
    );
}

#[test]
fn a_folder_that_is_called_like_an_id_is_one_even_alone() {
    assert_eq!(
        patterns(&["u/9e107d9d372bb6826bd81d3542a419d6/a.json", "u/list.json"]),
        ["u/list.json 1", "u/{folder}/a.json 1"]
    );
}

#[test]
fn numbers_and_dates_in_names_become_captures() {
    assert_eq!(
        patterns(&["log_2024-01-31.json", "batch_1.json", "batch_2.json", "v2.json", "page_3.json"]),
        ["batch_{part}.json 2", "log_{day}.json 1", "page_3.json 1", "v2.json 1"]
    );
}

#[test]
fn a_stamp_is_one_capture_however_it_is_written() {
    assert_eq!(
        patterns(&[
            "a/changes_2025-05-06T08-10-00.000Z.json",
            "a/changes_2025-05-07T14-50-00.002Z.json",
            "b/list_2025-05-01T05-00-00-000Z.json",
            "b/list_20250501T050000Z.json",
            "b/list_2025_05_01.json",
            "c/9e107d9d-372b-4682-abd8-1d3542a419d6-notes.json",
            "c/0e107d9d-372b-4682-abd8-1d3542a419d6-notes.json",
            "d/log_12.json.gz",
            "d/log_12:30.json.gz",
        ]),
        ["a/changes_{part}.json 2", "b/list_{part}.json 3", "c/{part}-notes.json 2", "d/log_{part}.json.gz 2"]
    );
}

#[test]
fn ids_of_every_make_are_one_type_with_their_prefix() {
    assert_eq!(
        patterns(&[
            "sessions/2025-05-07/ses_01JT3K9QWERTY8ZPX4V6B7N2MA.jsonl",
            "sessions/2025-05-08/ses_01JT5B7N2MA3K9QWERTY8ZPX4V.jsonl",
            "boxes/V1StGXR8_Z5jdHi6B-myT.json",
            "boxes/f5Rt9-kLzQ0pWx_Y7bN3a.json",
            "users/u_1/a.json",
            "users/u_2/b.json",
            "flows/f1.json",
            "flows/f2.json",
        ]),
        [
            "boxes/{box}.json 2",
            "flows/{flow}.json 2",
            "sessions/{day}/{session}.jsonl 2",
            "users/{user}/a.json 1",
            "users/{user}/b.json 1"
        ]
    );
}

#[test]
fn what_is_packed_is_of_one_type_with_what_is_not() {
    assert_eq!(
        patterns(&["s/2025-05-06/ses_01hp9.jsonl.gz", "s/2025-05-07/ses_01hq3.jsonl", "t/a.json", "t/a.json.gz"]),
        ["s/{day}/ses_{part}.jsonl or s/{day}/ses_{part}.jsonl.gz 2", "t/a.json 1", "t/a.json.gz 1"]
    );
}

#[test]
fn words_are_data_where_the_files_begin_alike() {
    assert_eq!(
        patterns_of(&[
            ("recipes/soup.json", "title steps"),
            ("recipes/cake.json", "title steps tags"),
            ("recipes/bread.json", "title steps"),
            ("recipes/index.json", "version count"),
            ("recipes/rice.json", "title steps"),
            ("settings.json", "theme size"),
            ("themes.json", "colours"),
            ("words.json", "terms"),
        ]),
        ["recipes/index.json 1", "recipes/{recipe}.json 4", "settings.json 1", "themes.json 1", "words.json 1"]
    );
}

#[test]
fn folders_of_files_called_by_ids_are_one_only_if_the_files_begin_alike() {
    assert_eq!(
        patterns_of(&[
            ("customers/1.json", "name mail"),
            ("customers/2.json", "name mail"),
            ("orders/1.json", "total lines"),
            ("orders/2.json", "total lines"),
        ]),
        ["customers/{customer}.json 2", "orders/{order}.json 2"]
    );
    assert_eq!(
        patterns_of(&[
            ("by/ada/1.json", "total lines"),
            ("by/bob/1.json", "total lines"),
            ("by/bob/7.json", "total lines")
        ]),
        ["by/{folder}/{part}.json 3"]
    );
}

#[test]
fn patterns_that_could_name_the_same_file_become_one() {
    assert_eq!(
        patterns(&["x/1_a_b.json", "x/2_a_b.json", "x/1_b.json", "x/2_b.json", "x/b.json"]),
        ["x/b.json 1", "x/{part}_b.json 4"]
    );
    assert_eq!(
        patterns(&["1_b.json", "2_b.json", "a_1.json", "a_2.json", "7.txt", "8.txt"]),
        ["{part}.json 4", "{part}.txt 2"]
    );
}

#[test]
fn what_no_pattern_can_say_is_any_text() {
    assert_eq!(patterns(&["a{}b.json", "{2024}.md", "c\\d.txt"]), ["a*b.json 1", "c*d.txt 1", "{part}.md 1"]);
}
