//! Reads a mapping set: a folder, or the same files bundled into the program.
//!
//! All errors of all files are reported at once, each with its place. What the set says of a schema is
//! checked by [`check`](crate::mapping::check).

mod condition;
mod doc;
mod expr;
mod hand_over;
mod key_as;
pub mod keys;
mod known;
mod like;
mod loaded;
mod mapping;
mod migration;
mod named;
mod names;
mod owners;
mod parts;
pub mod path;
mod path_scanner;
mod pattern;
mod policies;
mod precedence;
mod rule;
mod set;
mod slip;
mod tree;

#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::excerpt::Excerpt;
use crate::hex;
use crate::mapping::codes;
use crate::mapping::model::{Expr, Set};
use crate::table::IdsLine;
use doc::Doc;
use loaded::Loaded;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use toml::de::DeValue;
use tree::Fields;

/// Where a mapping set lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetSource {
    /// A folder on disk.
    Folder(PathBuf),
    /// Files in memory.
    Files {
        /// The folder as messages name it.
        folder: String,
        /// Relative name (`set.toml`, `schema/001_people.up.sql`) and text.
        files: Vec<(String, String)>,
    },
}

/// Loads a set that is free of errors.
pub fn load(source: &SetSource) -> Result<Set> {
    let (set, mut errors) = read(source)?;
    show_lines(source, &mut errors);
    match Error::all(errors) {
        Some(error) => Err(error),
        None => Ok(set),
    }
}

/// The expression of a migration's `ids` line.
///
/// # Errors
/// What is wrong with it; nothing is for the lines of a set that was loaded without errors.
pub fn id_expression(line: &IdsLine) -> Result<Expr> {
    match migration::id_expression(line) {
        (Some(expr), errors) if errors.is_empty() => Ok(expr),
        (_, errors) => Err(Error::all(errors).unwrap_or_else(|| Error::bug("an expression is wrong without an error"))),
    }
}

/// Loads what can be understood of a set, with everything that is wrong with it, so that `check`
/// can go on and report the rest as well.
pub fn read(source: &SetSource) -> Result<(Set, Vec<Error>)> {
    let (folder, mut files) = named_files(source)?;
    files.sort();
    let mut errors = Vec::new();
    let shown = format!("{folder}/set.toml");
    let Some((_, text)) = files.iter().find(|(name, _)| name == "set.toml") else {
        return Err(Error::request("this is not a mapping set: it has no set.toml")
            .coded(codes::NO_SET.id)
            .at(&folder)
            .hint(
                "name the folder in which set.toml lies; `treelift import SOURCE --scaffold DIR` makes a first set",
            ));
    };
    let lookups = Rc::default();
    let set_doc = Doc::new(shown, text, &lookups);
    let parsed = set_doc.parse(text).map(DeValue::Table);
    let top = parsed.as_ref().and_then(|value| Fields::top(&set_doc, value, &keys::SET));
    let whole = top.is_some();
    let (mut set, ignore_lines) = top
        .map_or_else(|| (Set { folder: folder.clone(), ..Set::default() }, Vec::new()), |top| set::set(&top, &folder));

    let mut loaded = Vec::new();
    let mut all_whole = whole;
    for (name, text) in &files {
        if !part_of_a_set(name) {
            let hint = if name.ends_with(".toml") {
                "a set's mappings lie beside its set.toml, not in a folder below"
            } else {
                "a set has set.toml, mappings (`*.toml`), `schema/*.sql` and `*.md`"
            };
            let error = Error::request(format!("`{name}` does not belong to a mapping set")).coded(codes::NO_SET.id);
            errors.push(error.at(&folder).hint(hint));
            continue; // It is not read.
        }
        let Some(stem) = name.strip_suffix(".toml").filter(|stem| *stem != "set") else {
            continue; // set.toml is read already, migrations are read below.
        };
        let file = format!("{folder}/{name}");
        let doc = Doc::new(file.clone(), text, &lookups);
        let parsed = doc.parse(text).map(DeValue::Table);
        match parsed.as_ref().and_then(|value| Fields::top(&doc, value, &keys::MAPPING)) {
            Some(top) => {
                let (mapping, lines) = mapping::mapping(&top, stem, &file);
                let knows_patterns = lines.iter().all(Option::is_some);
                let pattern_lines = lines.into_iter().flatten().collect();
                loaded.push(Loaded { doc, mapping, pattern_lines, knows_patterns });
            }
            None => {
                all_whole = false;
                errors.extend(doc.into_errors());
            }
        }
    }
    for one in &loaded {
        names::check(&set, whole, one);
    }
    precedence::check_files(&set, &ignore_lines, &loaded, &set_doc);
    if all_whole {
        precedence::check_feeders(&set, &loaded, &set_doc);
        owners::check(&set, &loaded, &set_doc);
    }
    let mut told = set_doc.into_errors();
    told.append(&mut errors);
    for one in loaded {
        told.extend(one.doc.into_errors());
        set.mappings.push(one.mapping);
    }
    let (migrations, errors) = migration::migrations(&folder, &files);
    told.extend(errors);
    (set.migrations, set.variants) = (migrations.first, migrations.variants);
    set.digest = digest(&files);
    if let SetSource::Folder(folder) = source {
        set.lies_in = Some(std::path::absolute(folder).unwrap_or_else(|_| folder.clone()));
    }
    Ok((set, told))
}

/// Adds the lines of a set's files to errors that were found after it was read, where they have a `file:line` of it.
pub fn show_lines(source: &SetSource, errors: &mut [Error]) {
    let is_without = |error: &Error| error.place.is_some() && error.excerpt.is_none() || !error.more.is_empty();
    if !errors.iter().any(is_without) {
        return;
    }
    // A set that can no longer be read has no lines to show.
    if let Ok((folder, files)) = named_files(source) {
        errors.iter_mut().for_each(|error| show_line(error, &folder, &files));
    }
}

fn show_line(error: &mut Error, folder: &str, files: &[(String, String)]) {
    let line = || {
        let (file, line) = error.place.as_deref()?.rsplit_once(':')?;
        let name = file.strip_prefix(folder)?.strip_prefix('/')?;
        let (_, text) = files.iter().find(|(known, _)| known == name)?;
        Excerpt::of_line(text, line.parse().ok()?, &error.message).map(Box::new)
    };
    if error.excerpt.is_none() {
        error.excerpt = line();
    }
    error.more.iter_mut().for_each(|error| show_line(error, folder, files));
}

/// The folder as messages name it, with the names and texts of its files.
fn named_files(source: &SetSource) -> Result<(String, Vec<(String, String)>)> {
    Ok(match source {
        SetSource::Folder(folder) => (folder.display().to_string(), files_of(folder)?),
        SetSource::Files { folder, files } => (folder.clone(), files.clone()),
    })
}

fn part_of_a_set(name: &str) -> bool {
    match name.split_once('/') {
        None => name.ends_with(".toml") || name.ends_with(".md"),
        Some(("schema", file)) => file.ends_with(".sql") || file.ends_with(".md"),
        Some(_) => false,
    }
}

/// Every file of a set's folder but hidden ones, with `/` in its relative name.
fn files_of(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let entries = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.'));
    for entry in entries {
        let entry = entry.map_err(|error| {
            let why = error.io_error().map_or_else(|| "it loops".to_owned(), ToString::to_string);
            Error::request(format!("the mapping set cannot be read: {why}"))
                .coded(codes::NO_SET.id)
                .at(folder.display())
        })?;
        if entry.file_type().is_dir() {
            continue; // Its files follow.
        }
        let path = entry.path();
        let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
        // A file that does not belong to a set is reported by its name and not read.
        let text = if part_of_a_set(&name) {
            std::fs::read_to_string(path).map_err(|error| {
                let message = format!("the file cannot be read: {error}");
                Error::request(message).coded(codes::NO_SET.id).at(path.display())
            })?
        } else {
            String::new()
        };
        files.push((name, text));
    }
    Ok(files)
}

/// SHA-256 over names and contents, each behind its length (8 bytes, big-endian).
fn digest(files: &[(String, String)]) -> String {
    let mut hash = Sha256::new();
    for part in files.iter().flat_map(|(name, text)| [name, text]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}
