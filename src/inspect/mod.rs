//! Profiles a tree that has no mapping set yet: which types of files it has, and what they hold.
//! Values are shown only on request, and never below a name that looks like a secret.

pub mod facts;
pub mod group;
pub mod head;
pub mod look;
mod merge;
mod naming;
pub mod profile;
mod read;
pub mod scaffold;
mod stamp;

use crate::error::Result;
use crate::finding::{FILE_CASE_TWINS, Finding, printable};
use crate::interrupt;
use crate::mapping::model::Pattern;
use crate::source::walk::{self, Tree};
use profile::{Profile, Stats};
use read::{Form, are_lines, has_half_characters, head, measure, outline};
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

/// So many files of a type are looked at to tell whether their lines are documents.
const MOST_LOOKED_AT: usize = 8;

/// What is in a tree.
#[derive(Debug, serde::Serialize)]
pub struct Inspection {
    /// The folder.
    pub root: String,
    /// How many files it has.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is not a regular file, or has an unusable name, in words.
    pub skipped: Vec<String>,
    /// The types of files, by their patterns.
    pub types: Vec<FileType>,
    /// Whether names of files differ in case only.
    #[serde(skip)]
    pub case_twins: bool,
}

/// Files that seem to be of one type.
#[derive(Debug, Default, serde::Serialize)]
pub struct FileType {
    /// The pattern of their paths.
    pub pattern: String,
    /// The pattern of those that are packed, if others are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed: Option<String>,
    /// How many they are.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether every line of them is a document.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lines: bool,
    /// How many of them are not JSON.
    pub other: u64,
    /// Files that are broken: path and what is wrong.
    pub broken: Vec<(String, String)>,
    /// The forms of the documents, each with the number of files.
    pub shapes: Vec<(String, u64)>,
    /// The paths of their values.
    pub paths: Vec<PathReport>,
    /// The full profile, for the scaffold.
    #[serde(skip)]
    pub profile: Profile,
    /// The paths of files that are in no profile, as they are.
    #[serde(skip)]
    pub unread: Vec<(String, Unread)>,
    /// Whether strings have half a surrogate pair.
    #[serde(skip)]
    pub half_characters: bool,
    /// The captures of the pattern, each with the hashes of its values.
    #[serde(skip)]
    pub captures: Vec<(String, HashSet<u64>)>,
}

/// Why a file is in no profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It is something else than JSON.
    NotJson,
    /// Its JSON is invalid, or it cannot be read.
    Broken,
}

/// The values at a path.
#[derive(Debug, serde::Serialize)]
pub struct PathReport {
    /// The path.
    pub path: String,
    /// How many values there are.
    pub count: u64,
    /// Of so many times that it could.
    pub of: u64,
    /// How often of which type.
    pub types: Vec<(&'static str, u64)>,
    /// Empty strings.
    pub empty: u64,
    /// The least and the most characters of a string.
    pub chars: Option<(u64, u64)>,
    /// How many different short values there are, when they are few.
    pub distinct: Option<u64>,
    /// Those values with their numbers, when they were asked for.
    pub values: Option<BTreeMap<String, u64>>,
    /// What the strings look like.
    pub looks: Vec<(&'static str, u64)>,
    /// Whether no value occurs twice.
    pub unique: bool,
    /// Whether its name, or that of a container around it, looks like a secret.
    pub secret: bool,
}

/// How a tree is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Whether short values may be shown.
    pub show_values: bool,
    /// How deep values may be nested.
    pub depth: u32,
}

/// Looks at a tree. Every file is read three times at most: its beginning, its names, its values; nothing is written.
///
/// # Errors
/// When the folder cannot be read. What is wrong with files is in the answer.
pub fn inspect(root: &Path, manner: Manner) -> Result<Inspection> {
    let tree = walk::walk(root)?;
    let groups = group::group(tree.files.iter().map(|file| &*file.path), &|file| head(&tree, file, manner.depth));
    // One for all types, so that values of different types can be compared.
    let state = RandomState::new();
    let types = groups.into_iter().map(|group| file_type(&tree, &group, manner, &state));
    let mut types = types.collect::<Result<Vec<FileType>>>()?;
    Profile::mark_copies(types.iter_mut().map(|of| &mut of.profile));
    Ok(Inspection {
        root: printable(&root.display().to_string()),
        files: tree.files.len() as u64,
        bytes: tree.files.iter().map(|file| file.bytes).sum(),
        skipped: tree.skipped.iter().map(|skipped| skipped.finding.message.clone()).collect(),
        types,
        case_twins: tree.findings.iter().any(|finding| finding.code == &FILE_CASE_TWINS),
    })
}

fn file_type(tree: &Tree, group: &merge::Group, manner: Manner, state: &RandomState) -> Result<FileType> {
    let mut of = FileType {
        pattern: group.pattern.clone(),
        packed: group.packed.clone(),
        files: group.files.len() as u64,
        bytes: group.files.iter().map(|file| tree.files[*file].bytes).sum(),
        profile: Profile::new(state.clone()),
        ..FileType::default()
    };
    of.lines = group.files.iter().take(MOST_LOOKED_AT).any(|file| are_lines(tree, *file, manner.depth));
    let mut forms: BTreeMap<Form, u64> = BTreeMap::new();
    let mut whole: Vec<usize> = Vec::new();
    for file in &group.files {
        interrupt::check()?;
        let path = &tree.files[*file].path;
        match outline(tree, *file, manner.depth, of.lines, &mut of.profile) {
            Ok(Some((found, broken))) => {
                found.into_iter().for_each(|form| *forms.entry(form).or_default() += 1);
                whole.push(*file);
                of.broken.extend(broken.map(|finding| broken_words(path, &finding)));
            }
            Ok(None) => {
                of.other += 1;
                of.unread.push((path.to_string(), Unread::NotJson));
            }
            Err(finding) => of.break_off(path, &finding),
        }
    }
    of.profile.end_outline();
    let patterns = [Some(&group.pattern), group.packed.as_ref()];
    let patterns: Vec<Pattern> = patterns.into_iter().flatten().filter_map(|text| Pattern::parse(text).ok()).collect();
    for file in &whole {
        let file = *file;
        interrupt::check()?;
        if let Err(finding) = measure(tree, file, manner.depth, of.lines, &mut of.profile) {
            of.break_off(&tree.files[file].path, &finding);
        }
        of.note_captures(&patterns, &tree.files[file].path, state);
    }
    of.half_characters =
        of.profile.has_replaced && whole.iter().any(|file| has_half_characters(tree, *file, manner.depth, of.lines));
    let mut shapes: BTreeMap<String, u64> = BTreeMap::new();
    for (form, files) in forms {
        *shapes.entry(form.words(&of.profile)).or_default() += files;
    }
    of.shapes = shapes.into_iter().collect();
    of.shapes.sort_by_key(|(_, files)| std::cmp::Reverse(*files));
    let walked = of.profile.walk();
    of.paths = walked
        .iter()
        .filter(|(_, at, _)| of.profile.stats[*at].count > 0)
        .map(|(path, at, outer)| {
            let outer = outer.map(|outer| &of.profile.stats[outer]);
            report(path.to_string(), &of.profile.stats[*at], outer, manner)
        })
        .collect();
    Ok(of)
}

/// A file that is broken, and what is wrong with it.
fn broken_words(path: &str, finding: &Finding) -> (String, String) {
    (printable(path), format!("{}: {}", finding.code.id, finding.message))
}

impl FileType {
    /// Whether none of its files can be read.
    pub fn is_unread(&self) -> bool {
        self.unread.len() as u64 == self.files
    }

    fn break_off(&mut self, path: &str, finding: &Finding) {
        self.broken.push(broken_words(path, finding));
        self.unread.push((path.to_owned(), Unread::Broken));
    }

    /// Remembers what the captures of its pattern are.
    fn note_captures(&mut self, patterns: &[Pattern], path: &str, state: &RandomState) {
        for (name, value) in patterns.iter().find_map(|pattern| pattern.captures_of(path)).unwrap_or_default() {
            let hash = state.hash_one(value);
            match self.captures.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => _ = values.insert(hash),
                None => self.captures.push((name.to_owned(), HashSet::from([hash]))),
            }
        }
    }
}

fn report(path: String, stats: &Stats, outer: Option<&Stats>, manner: Manner) -> PathReport {
    let facts = &stats.facts;
    let types = [
        ("object", stats.objects),
        ("array", stats.arrays),
        ("string", facts.strings),
        ("integer", facts.integers),
        ("number", facts.fractions),
        ("boolean", stats.booleans),
        ("null", stats.nulls),
    ];
    let scalars = facts.scalars();
    let few = facts.values.as_ref().filter(|values| scalars > 0 && !values.is_empty());
    let of = outer.map_or(stats.count, |outer| {
        if path.ends_with("[*]") || path.ends_with('*') { stats.count } else { outer.objects }
    });
    PathReport {
        path,
        count: stats.count,
        of,
        types: types.into_iter().filter(|(_, count)| *count > 0).collect(),
        empty: facts.empty,
        chars: facts.chars.filter(|_| !stats.secret),
        distinct: few.map(|values| values.len() as u64),
        values: few.filter(|_| manner.show_values && !stats.secret).cloned(),
        looks: if stats.secret {
            Vec::new()
        } else {
            facts.looks.iter().map(|(look, count)| (look.words(), *count)).collect()
        },
        unique: scalars > 1 && scalars == stats.count && !facts.repeats && stats.is_scalar(),
        secret: stats.secret,
    }
}
