//! Groups the files of a tree by what their paths have in common: names of people, dates and numbers
//! in a path become captures of one file pattern.

use super::look::Look;
use std::collections::{BTreeMap, BTreeSet};

/// Files that seem to be of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The file pattern, as a mapping writes it.
    pub pattern: String,
    /// The numbers of the files.
    pub files: Vec<usize>,
}

#[derive(Default)]
struct Folder {
    folders: BTreeMap<String, Folder>,
    files: BTreeMap<String, usize>,
}

/// Groups paths (with `/` between segments) by their patterns, in the order of those.
pub fn group<'p>(paths: impl IntoIterator<Item = &'p str>) -> Vec<Group> {
    let mut root = Folder::default();
    for (number, path) in paths.into_iter().enumerate() {
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
    groups.sort_by(|a, b| a.pattern.cmp(&b.pattern));
    groups
}

/// Folders that stand for each other are walked as one.
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

/// A name with its numbers, dates and ids as holes.
fn skeleton(name: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        let hex = word.len() >= 8
            && word.bytes().all(|byte| byte.is_ascii_hexdigit())
            && word.bytes().any(|byte| byte.is_ascii_digit());
        let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        if hex || digits {
            out.push('\0');
        } else {
            out.push_str(word);
        }
        word.clear();
    };
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            word.push(letter);
        } else {
            flush(&mut word, &mut out);
            out.push(letter);
        }
    }
    flush(&mut word, &mut out);
    // A date or an id is one hole, however many marks stand in it.
    for mark in ["-", ":", ".", "T", "_"] {
        while out.contains(&format!("\0{mark}\0")) {
            out = out.replace(&format!("\0{mark}\0"), "\0");
        }
    }
    out
}

/// Whether a name has a number in it that is surely no version: a date, or an id.
fn has_stamp(name: &str) -> bool {
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_digit())
            || (word.len() >= 8 && Look::of(word).is_some())
    })
}

fn captures(skeleton: &str) -> String {
    let mut out = String::new();
    let mut number = 0;
    for letter in skeleton.chars() {
        if letter == '\0' {
            number += 1;
            out.push_str(&if number == 1 { "{part}".to_owned() } else { format!("{{part{number}}}") });
        } else {
            out.push_str(&literal(&letter.to_string()));
        }
    }
    out
}

/// A name as a literal part of a pattern; what a pattern cannot say is any character.
fn literal(name: &str) -> String {
    name.chars().map(|letter| if matches!(letter, '{' | '}' | '*') { '*' } else { letter }).collect()
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
}
