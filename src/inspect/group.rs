//! Groups the files of a tree by what their paths have in common: names of people, dates and numbers
//! in a path become captures of one file pattern.

use super::look::Look;
use super::merge::{Group, merge};
use super::stamp::{has_stamp, skeleton};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
struct Folder {
    folders: BTreeMap<String, Folder>,
    files: BTreeMap<String, usize>,
}

/// Groups paths (with `/` between segments) by their patterns, in the order of those. No file
/// matches two patterns of equal precedence.
pub fn group<'p>(paths: impl IntoIterator<Item = &'p str>) -> Vec<Group> {
    let paths: Vec<&str> = paths.into_iter().collect();
    let mut root = Folder::default();
    for (number, path) in paths.iter().enumerate() {
        let mut at = &mut root;
        let mut segments: Vec<&str> = path.split('/').collect();
        let name = segments.pop().unwrap_or_default();
        for segment in segments {
            at = at.folders.entry(segment.to_owned()).or_default();
        }
        at.files.insert(name.to_owned(), number);
    }
    let mut groups = Vec::new();
    walk(&[&root], "", 0, &mut groups);
    let mut groups = merge(groups, &paths);
    groups.sort_by(|a, b| a.pattern.cmp(&b.pattern));
    groups
}

/// Equivalent folders are walked as one.
fn walk(folders: &[&Folder], prefix: &str, depth: usize, groups: &mut Vec<Group>) {
    let mut files: BTreeMap<String, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for folder in folders {
        for (name, number) in &folder.files {
            files.entry(skeleton(name)).or_default().entry(name).or_default().push(*number);
        }
    }
    for (skeleton, names) in files {
        // One name alone is its own pattern, unless its hole is surely data.
        if names.len() == 1 && !names.keys().any(|name| has_stamp(name)) {
            for (name, files) in names {
                groups.push(Group { pattern: format!("{prefix}{}", literal(name)), files });
            }
        } else {
            let files = names.into_values().flatten().collect();
            groups.push(Group { pattern: format!("{prefix}{}", captures(&skeleton)), files });
        }
    }
    let mut below: BTreeMap<&str, Vec<&Folder>> = BTreeMap::new();
    for (name, folder) in folders.iter().flat_map(|folder| &folder.folders) {
        below.entry(name).or_default().push(folder);
    }
    let variable = variable(&below);
    let alike: Vec<&Folder> =
        below.iter().filter(|(name, _)| variable.contains(*name)).flat_map(|(_, of)| of.iter().copied()).collect();
    if !alike.is_empty() {
        let capture = if depth == 0 { "{folder}".to_owned() } else { format!("{{folder{}}}", depth + 1) };
        walk(&alike, &format!("{prefix}{capture}/"), depth + 1, groups);
    }
    for (name, of) in below.iter().filter(|(name, _)| !variable.contains(*name)) {
        walk(of, &format!("{prefix}{}/", literal(name)), depth, groups);
    }
}

/// The names of folders that are data: they look like ids, or hold the same files as another one.
fn variable<'n>(below: &BTreeMap<&'n str, Vec<&Folder>>) -> BTreeSet<&'n str> {
    let holds: BTreeMap<&str, BTreeSet<String>> = below
        .iter()
        .map(|(name, folders)| {
            let names = folders.iter().flat_map(|folder| folder.files.keys().chain(folder.folders.keys()));
            (*name, names.map(|name| skeleton(name)).collect())
        })
        .collect();
    let is = |name: &str| {
        let mine = &holds[name];
        let twin = holds.iter().any(|(other, theirs)| {
            *other != name
                && !mine.is_empty()
                && 2 * mine.intersection(theirs).count() >= mine.len().min(theirs.len()).max(1)
        });
        twin || Look::of(name).is_some_and(Look::is_data)
    };
    below.keys().copied().filter(|name| is(name)).collect()
}

fn captures(skeleton: &str) -> String {
    let mut out = String::new();
    let mut number = 0;
    for letter in skeleton.chars() {
        if letter == '\0' {
            number += 1;
            // A capture takes in its neighbours that no pattern can express.
            out.truncate(out.trim_end_matches('*').len());
            out.push_str(&if number == 1 { "{part}".to_owned() } else { format!("{{part{number}}}") });
        } else {
            push(&mut out, letter);
        }
    }
    out
}

/// A name as a literal part of a pattern; what a pattern cannot say is any text.
fn literal(name: &str) -> String {
    let mut out = String::new();
    name.chars().for_each(|letter| push(&mut out, letter));
    out
}

fn push(out: &mut String, letter: char) {
    match letter {
        // Two in a row would be ambiguous.
        '{' | '}' | '*' | '\\' if out.ends_with(['*', '}']) => {}
        '{' | '}' | '*' | '\\' => out.push('*'),
        letter => out.push(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(paths: &[&str]) -> Vec<String> {
        group(paths.iter().copied())
            .into_iter()
            .map(|group| format!("{} {}", group.pattern, group.files.len()))
            .collect()
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
                "people/{folder}/notes.json 2",
                "people/{folder}/old/notes.json 1",
                "people/{folder}/tags.json 1",
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
            ["batch_{part}.json 2", "log_{part}.json 1", "page_3.json 1", "v2.json 1"]
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
}
