//! Groups the files of a tree by what their paths have in common: names of people, dates, numbers and ids
//! in a path become captures of one file pattern.
//!
//! Names that are words could be of the format or data. Then the beginnings of the files decide, of a bounded
//! sample of them: files of one folder whose documents have the same members are of one type.

#[cfg(test)]
mod tests;

use super::head::{Core, Head};
use super::look::Look;
use super::merge::{Group, merge};
use super::naming;
use super::stamp::{file_skeleton, has_stamp, is_id, skeleton, split_ending};
use std::collections::{BTreeMap, BTreeSet};

/// The ending of what is packed (gzip, RFC 1952).
const PACKED: &str = ".gz";
/// So many beginnings are looked at to judge names of one folder.
const MOST_HEADS: usize = 64;
/// Fewer files or folders whose names are words are never taken for one type.
const FEWEST_ALIKE: usize = 3;
/// More forms of names, or names alone, of one ending in a folder are one type, whatever they hold.
const MOST_TYPES: usize = 100;

/// The beginning of the file of a number; nothing where it is not JSON.
pub type Heads<'h> = &'h dyn Fn(usize) -> Option<Head>;

#[derive(Default)]
struct Folder {
    folders: BTreeMap<String, Folder>,
    files: BTreeMap<String, usize>,
}

/// Groups paths (with `/` between segments) by their patterns, in the order of those. No file
/// matches two patterns of equal precedence.
pub fn group<'p>(paths: impl IntoIterator<Item = &'p str>, heads: Heads) -> Vec<Group> {
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
    let mut walk = Walk { heads, groups: Vec::new() };
    walk.walk(&[&root], "", None, &[]);
    let mut groups = join_packed(merge(walk.groups, &paths), &paths);
    groups.sort_by(|a, b| a.pattern.cmp(&b.pattern));
    groups
}

/// Makes one type of files that differ only in whether they are packed, unless one file is there in both forms.
fn join_packed(groups: Vec<Group>, paths: &[&str]) -> Vec<Group> {
    let (packed, mut groups): (Vec<Group>, Vec<Group>) =
        groups.into_iter().partition(|group| group.pattern.ends_with(PACKED));
    let by_pattern: BTreeMap<String, usize> =
        groups.iter().enumerate().map(|(at, group)| (group.pattern.clone(), at)).collect();
    for of in packed {
        let plain = of.pattern.strip_suffix(PACKED).and_then(|pattern| by_pattern.get(pattern));
        let is_twice = |group: &Group| {
            let plain: BTreeSet<&str> = group.files.iter().map(|file| paths[*file]).collect();
            of.files.iter().any(|file| paths[*file].strip_suffix(PACKED).is_some_and(|path| plain.contains(path)))
        };
        match plain.filter(|at| !is_twice(&groups[**at])) {
            Some(at) => {
                groups[*at].files.extend(of.files);
                groups[*at].files.sort_unstable();
                groups[*at].packed = Some(of.pattern);
            }
            None => groups.push(of),
        }
    }
    groups
}

struct Walk<'h> {
    heads: Heads<'h>,
    groups: Vec<Group>,
}

/// Names of files of one form: with holes.
struct Wild<'n> {
    skeleton: String,
    names: Vec<&'n str>,
    files: Vec<usize>,
}

impl Walk<'_> {
    /// Equivalent folders are walked as one.
    fn walk(&mut self, folders: &[&Folder], prefix: &str, parent: Option<&str>, taken: &[String]) {
        self.files(folders, prefix, parent, taken);
        let mut below: BTreeMap<&str, Vec<&Folder>> = BTreeMap::new();
        for (name, folder) in folders.iter().flat_map(|folder| &folder.folders) {
            below.entry(name).or_default().push(folder);
        }
        let variable = self.variable(&below);
        let alike: Vec<&Folder> =
            below.iter().filter(|(name, _)| variable.contains(*name)).flat_map(|(_, of)| of.iter().copied()).collect();
        if let Some(one) = variable.first() {
            let dates = variable.iter().take(MOST_HEADS).all(|name| Look::of(name) == Some(Look::Date));
            let capture = naming::capture(parent, if dates { "day" } else { "folder" }, dates, taken);
            debug_assert!(!one.is_empty());
            let taken: Vec<String> = taken.iter().cloned().chain([capture.clone()]).collect();
            // What lies in folders of days is called as the folder around them.
            self.walk(&alike, &format!("{prefix}{{{capture}}}/"), parent.filter(|_| dates), &taken);
        }
        for (name, of) in below.iter().filter(|(name, _)| !variable.contains(*name)) {
            self.walk(of, &format!("{prefix}{}/", literal(name)), Some(name), taken);
        }
    }

    fn files(&mut self, folders: &[&Folder], prefix: &str, parent: Option<&str>, taken: &[String]) {
        // What is packed is of one type with what is not.
        let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut packed: BTreeSet<usize> = BTreeSet::new();
        for (name, number) in folders.iter().flat_map(|folder| &folder.files) {
            let plain = name.strip_suffix(PACKED).filter(|plain| !plain.is_empty());
            packed.extend(plain.map(|_| *number));
            names.entry(plain.unwrap_or(name)).or_default().push(*number);
        }
        let mut by_skeleton: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        names.keys().for_each(|name| by_skeleton.entry(file_skeleton(name)).or_default().push(name));
        // By their endings: forms with holes, and names that are words.
        let mut wild: BTreeMap<&str, Vec<Wild>> = BTreeMap::new();
        let mut words: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (skeleton, of) in by_skeleton {
            let ending = split_ending(of[0]).1;
            // One name alone is its own pattern, unless its hole is surely data.
            if skeleton.contains('\0') && (of.len() > 1 || of.iter().any(|name| has_stamp(name))) {
                let files = of.iter().flat_map(|name| &names[name]).copied().collect();
                wild.entry(ending).or_default().push(Wild { skeleton, names: of, files });
            } else {
                words.entry(ending).or_default().extend(of);
            }
        }
        for (ending, of) in words {
            let rare: Vec<&str> = of
                .iter()
                .copied()
                .filter(|name| names[name].len() == 1 || names[name].len() * 4 <= folders.len())
                .collect();
            let folded = self.alike_names(&rare, &names, ending);
            if !folded.is_empty() {
                let files = folded.iter().flat_map(|name| &names[name]).copied().collect();
                let names = folded.iter().copied().collect();
                wild.entry(ending).or_default().push(Wild { skeleton: format!("\0{ending}"), names, files });
            }
            for name in of.into_iter().filter(|name| !folded.contains(name)) {
                self.add(format!("{prefix}{}", literal(name)), names[name].clone(), &packed);
            }
        }
        for (ending, mut of) in wild {
            if of.len() > MOST_TYPES {
                let all = std::mem::take(&mut of).into_iter();
                let mut one = Wild { skeleton: format!("\0{ending}"), names: Vec::new(), files: Vec::new() };
                all.for_each(|wild| (one.names.extend(wild.names), one.files.extend(wild.files)).1);
                of.push(one);
            }
            let alone = of.len() == 1;
            for mut wild in of {
                // An id is captured with its prefix, where no other form is beside it.
                if alone && wild.names.iter().all(|name| is_bare_id(split_ending(name).0)) {
                    wild.skeleton = format!("\0{ending}");
                }
                let dates = wild.names.iter().take(MOST_HEADS).all(|name| is_date_in(name, &wild.skeleton));
                let capture = naming::capture(parent, if dates { "day" } else { "part" }, dates, taken);
                let pattern = format!("{prefix}{}", captures(&wild.skeleton, &capture, taken));
                self.add(pattern, wild.files, &packed);
            }
        }
    }

    fn add(&mut self, pattern: String, files: Vec<usize>, packed: &BTreeSet<usize>) {
        let (packed, plain): (Vec<usize>, Vec<usize>) = files.into_iter().partition(|file| packed.contains(file));
        for (pattern, files) in [(format!("{pattern}{PACKED}"), packed), (pattern, plain)] {
            if !files.is_empty() {
                self.groups.push(Group { pattern, packed: None, files });
            }
        }
    }

    /// The names among these, which are words, whose files are of one type.
    fn alike_names<'n>(
        &self,
        names: &[&'n str],
        files: &BTreeMap<&str, Vec<usize>>,
        ending: &str,
    ) -> BTreeSet<&'n str> {
        if names.len() < FEWEST_ALIKE {
            return BTreeSet::new();
        }
        let heads: Vec<(&str, Option<Head>)> =
            sample(names, MOST_HEADS).map(|name| (*name, (self.heads)(files[name][0]))).collect();
        let core = Core::of(heads.iter().filter_map(|(_, head)| head.as_ref()));
        let all = || names.iter().copied().collect();
        let known = heads.iter().filter(|(_, head)| head.is_some()).count();
        if known == 0 {
            // Pictures and the like; files without an ending may be anything.
            return if ending.is_empty() && names.len() <= MOST_TYPES { BTreeSet::new() } else { all() };
        }
        let like = |head: &Option<Head>| head.as_ref().is_some_and(|head| core.is_like(head));
        let alike = heads.iter().filter(|(_, head)| like(head)).count();
        let tells = heads.iter().filter(|(_, head)| head.as_ref().is_some_and(Head::tells)).count();
        if names.len() > MOST_TYPES {
            return all();
        }
        if alike < FEWEST_ALIKE || 2 * tells < heads.len() || 5 * alike < 4 * heads.len() {
            return BTreeSet::new();
        }
        names.iter().copied().filter(|name| like(&(self.heads)(files[name][0]))).collect()
    }

    /// The names of folders that are data: they look like ids, or hold the same files as others.
    fn variable<'n>(&self, below: &BTreeMap<&'n str, Vec<&Folder>>) -> BTreeSet<&'n str> {
        let holds: BTreeMap<&str, BTreeMap<String, Option<usize>>> =
            below.iter().map(|(name, folders)| (*name, entries(folders))).collect();
        let mut forms: BTreeMap<String, usize> = BTreeMap::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, entries) in &holds {
            *forms.entry(skeleton(name)).or_default() += 1;
            entries.keys().for_each(|entry| *counts.entry(entry).or_default() += 1);
        }
        let by_form = |name: &&str| {
            Look::of(name).is_some_and(Look::is_data)
                || (is_id(name) && (has_stamp(name) || forms[&skeleton(name)] > 1))
        };
        let mut found: BTreeSet<&'n str> = below.keys().copied().filter(by_form).collect();
        let shared = |name: &str| holds[name].keys().filter(|entry| counts[entry.as_str()] > 1).count();
        let mut twins: Vec<&'n str> =
            below.keys().copied().filter(|name| 2 * shared(name) >= holds[name].len() && shared(name) > 0).collect();
        // What most of those hold makes one of them, too, of a folder with more in it.
        let mut usual: BTreeMap<&str, usize> = BTreeMap::new();
        for name in twins.iter().chain(&found) {
            holds[name].keys().for_each(|entry| *usual.entry(entry).or_default() += 1);
        }
        let of = twins.len().max(1);
        let more = |name: &&&str| {
            !twins.contains(*name)
                && holds[**name].keys().any(|entry| usual.get(entry.as_str()).is_some_and(|n| 2 * n >= of))
        };
        let more: Vec<&'n str> =
            if twins.len() <= MOST_HEADS { below.keys().filter(more).copied().collect() } else { Vec::new() };
        twins.extend(more);
        if twins.is_empty() && below.len() - found.len() >= FEWEST_ALIKE {
            // Folders of files that are called by words.
            let rest = below.keys().filter(|name| !found.contains(**name));
            twins = rest.filter(|name| below[**name].iter().all(|folder| folder.folders.is_empty())).copied().collect();
            if twins.len() < FEWEST_ALIKE {
                twins.clear();
            }
        }
        twins.retain(|name| !found.contains(name));
        found.extend(self.alike_folders(&twins, &holds, !found.is_empty()));
        found
    }

    /// The folders among these that hold files of the same beginnings.
    fn alike_folders<'n>(
        &self,
        names: &[&'n str],
        holds: &BTreeMap<&str, BTreeMap<String, Option<usize>>>,
        others: bool,
    ) -> Vec<&'n str> {
        // Of each folder the file of an entry that most of them have, else its first.
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        names.iter().flat_map(|name| holds[name].keys()).for_each(|entry| *counts.entry(entry).or_default() += 1);
        let head = |name: &str| {
            let files = holds[name].iter().filter_map(|(entry, file)| Some((counts[entry.as_str()], file.as_ref()?)));
            files.max_by_key(|(count, _)| *count).map(|(_, file)| *file).and_then(|file| (self.heads)(file))
        };
        let heads: Vec<(&&str, Option<Head>)> = sample(names, MOST_HEADS).map(|name| (name, head(name))).collect();
        let core = Core::of(heads.iter().filter_map(|(_, head)| head.as_ref()));
        // That two folders have a file of the same name is a sign; that both have numbered ones is none.
        let named = |name: &str| holds[name].keys().any(|entry| !entry.contains('\0') && counts[entry.as_str()] > 1);
        let like = |name: &str, head: &Option<Head>| match head {
            Some(head) if head.tells() => core.is_like(head),
            _ => named(name),
        };
        if names.len() > MOST_HEADS {
            let alike = heads.iter().filter(|(name, head)| like(name, head)).count();
            return if 5 * alike >= 3 * heads.len() { names.to_vec() } else { Vec::new() };
        }
        let alike: Vec<&str> = heads.iter().filter(|(name, head)| like(name, head)).map(|(name, _)| **name).collect();
        if alike.len() > 1 || others { alike } else { Vec::new() }
    }
}

/// Evenly spread ones, so many at most.
fn sample<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(most).max(1))
}

/// What folders of one name hold: the forms of names, each with one of its files.
fn entries(folders: &[&Folder]) -> BTreeMap<String, Option<usize>> {
    let mut found = BTreeMap::new();
    for folder in folders {
        for (name, file) in &folder.files {
            found.entry(file_skeleton(name)).or_insert(Some(*file));
        }
        for name in folder.folders.keys() {
            found.entry(skeleton(name) + "/").or_insert(None);
        }
    }
    found
}

/// Whether a name is an id whose prefix belongs to it: `ses_01JT…`, `f1`, but not `log_2024`.
fn is_bare_id(name: &str) -> bool {
    let form = skeleton(name);
    let prefix = form.split('\0').next().unwrap_or_default();
    let letters = name[prefix.len()..].bytes().filter(u8::is_ascii_alphabetic).count();
    is_id(name) && (letters >= 3 || prefix.chars().count() <= 2)
}

/// Whether the name's one hole is a day.
fn is_date_in(name: &str, skeleton: &str) -> bool {
    let Some((before, after)) = skeleton.split_once('\0') else { return false };
    let hole = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    hole.is_some_and(|hole| Look::of(hole) == Some(Look::Date))
}

fn captures(skeleton: &str, name: &str, taken: &[String]) -> String {
    let mut out = String::new();
    let mut taken: Vec<String> = taken.to_vec();
    for letter in skeleton.chars() {
        if letter == '\0' {
            let capture = naming::free(name, &taken);
            // A capture takes in its neighbours that no pattern can express.
            out.truncate(out.trim_end_matches('*').len());
            out.push_str(&format!("{{{capture}}}"));
            taken.push(capture);
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
