//! Profiles a tree that has no mapping set yet: which types of files it has, and what they hold.
//! Values are shown only on request, and never below a name that looks like a secret.

pub mod group;
pub mod look;
mod merge;
pub mod profile;
pub mod scaffold;
mod stamp;

use crate::error::Result;
use crate::finding::{Finding, printable};
use crate::source::json::Event;
use crate::source::scan::{begins_as_json, scan};
use crate::source::walk::{self, Tree};
use crate::source::{self, Limits};
use profile::{Profile, Stats};
use std::collections::BTreeMap;
use std::path::Path;

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
}

/// Files that seem to be of one type.
#[derive(Debug, Default, serde::Serialize)]
pub struct FileType {
    /// The pattern of their paths.
    pub pattern: String,
    /// How many they are.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
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

/// Looks at a tree. Every file is read once, in one pass; nothing is written.
///
/// # Errors
/// When the folder cannot be read. What is wrong with files is in the answer.
pub fn inspect(root: &Path, manner: Manner) -> Result<Inspection> {
    let tree = walk::walk(root)?;
    let groups = group::group(tree.files.iter().map(|file| &*file.path));
    let types = groups.into_iter().map(|group| file_type(&tree, &group, manner)).collect();
    Ok(Inspection {
        root: printable(&root.display().to_string()),
        files: tree.files.len() as u64,
        bytes: tree.files.iter().map(|file| file.bytes).sum(),
        skipped: tree.skipped.iter().map(|skipped| skipped.finding.message.clone()).collect(),
        types,
    })
}

fn file_type(tree: &Tree, group: &merge::Group, manner: Manner) -> FileType {
    let mut of = FileType {
        pattern: group.pattern.clone(),
        files: group.files.len() as u64,
        bytes: group.files.iter().map(|file| tree.files[*file].bytes).sum(),
        ..FileType::default()
    };
    let mut forms: Vec<Form> = Vec::new();
    for file in &group.files {
        match read(tree, *file, manner, &mut of.profile) {
            Ok(Some(form)) => forms.push(form),
            Ok(None) => of.other += 1,
            Err(finding) => {
                let what = format!("{}: {}", finding.code.id, finding.message);
                of.broken.push((printable(&tree.files[*file].path), what));
            }
        }
    }
    of.profile.fold_maps();
    let mut shapes: BTreeMap<String, u64> = BTreeMap::new();
    for form in forms {
        *shapes.entry(form.words(&of.profile)).or_default() += 1;
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
    of
}

/// Reads a file into the profile and gives its form; nothing for one that is not JSON.
fn read(tree: &Tree, file: usize, manner: Manner, profile: &mut Profile) -> Result<Option<Form>, Finding> {
    // It is not known yet where secrets are, so all buffers are wiped.
    let limits = Limits { depth: manner.depth, sensitive: true, ..Limits::default() };
    let name = tree.files[file].path.to_ascii_lowercase();
    let (name, packed) = name.strip_suffix(".gz").map_or((name.as_str(), None), |name| (name, Some(u64::MAX)));
    let mut opened = source::open(&tree.files[file].in_form(source::Form { packed, lines: false }), limits)?;
    let json = name.ends_with(".json");
    if !json && !begins_as_json(&mut opened)? {
        return Ok(None);
    }
    // What is broken adds nothing to the profile, so the whole file is checked first.
    match scan(&mut opened, &mut |_| {}) {
        Ok(()) => {}
        // A file that is not named or formed like JSON is plain text.
        Err(_) if !json => return Ok(None),
        Err(finding) => return Err(finding),
    }
    profile.begin_file();
    let mut form = Form::default();
    scan(&mut opened, &mut |token| {
        form.event(token.event);
        profile.token(token);
    })?;
    Ok(Some(form))
}

/// The form of a document: what it is, and the names of its members where they are few.
#[derive(Default)]
struct Form {
    depth: u32,
    object: bool,
    root: &'static str,
    names: std::collections::BTreeSet<String>,
    more: bool,
}

impl Form {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::ObjectStart | Event::ArrayStart => {
                if self.depth == 0 {
                    self.object = event == Event::ObjectStart;
                    self.root = if self.object { "object" } else { "array" };
                }
                self.depth += 1;
            }
            Event::ObjectEnd | Event::ArrayEnd => self.depth = self.depth.saturating_sub(1),
            Event::Name(text) if self.depth == 1 && self.object => {
                let mut scratch = String::new();
                let name = text.decode(&mut scratch);
                let word = look::Look::of(name).is_none() && name.chars().count() <= 40;
                if word && self.names.len() < 12 {
                    self.names.insert(name.to_owned());
                } else {
                    self.more = true;
                }
            }
            _ if self.depth == 0 => self.root = "one value",
            _ => {}
        }
    }

    /// Names that turned out to be data are left out.
    fn words(&self, profile: &Profile) -> String {
        if self.root != "object" {
            return self.root.to_owned();
        }
        let known = |name: &&String| profile.stats[0].members.iter().any(|(known, _)| known == *name);
        let mut names: Vec<String> = self.names.iter().filter(known).map(|name| printable(name)).collect();
        if self.more || names.len() < self.names.len() {
            names.push("…".to_owned());
        }
        if names.is_empty() { "empty object".to_owned() } else { format!("object of {}", names.join(", ")) }
    }
}

fn report(path: String, stats: &Stats, outer: Option<&Stats>, manner: Manner) -> PathReport {
    let types = [
        ("object", stats.objects),
        ("array", stats.arrays),
        ("string", stats.strings),
        ("integer", stats.integers),
        ("number", stats.fractions),
        ("boolean", stats.booleans),
        ("null", stats.nulls),
    ];
    let scalars = stats.strings + stats.integers + stats.fractions;
    let few = stats.values.as_ref().filter(|values| scalars > 0 && !values.is_empty());
    let of = outer.map_or(stats.count, |outer| {
        if path.ends_with("[*]") || path.ends_with('*') { stats.count } else { outer.objects }
    });
    PathReport {
        path,
        count: stats.count,
        of,
        types: types.into_iter().filter(|(_, count)| *count > 0).collect(),
        empty: stats.empty_strings,
        chars: stats.chars.filter(|_| !stats.secret),
        distinct: few.map(|values| values.len() as u64),
        values: few.filter(|_| manner.show_values && !stats.secret).cloned(),
        looks: if stats.secret {
            Vec::new()
        } else {
            stats.looks.iter().map(|(look, count)| (look.words(), *count)).collect()
        },
        unique: scalars > 1 && scalars == stats.count && !stats.repeats && stats.is_scalar(),
        secret: stats.secret,
    }
}
