//! Explaining where values go, and where rows came from. Nothing is written, no secret is shown.

mod answer;
mod asked;
mod find;
mod needed;
mod pages;
mod row;
mod show;
mod story;
mod way;

pub use answer::{By, Explained, Fate, LeafStory, MOST_LEAVES, MOST_WAYS, NameStory, StepStory, Way};
pub use asked::AskedRow;
pub use find::RowQuestion;
pub use pages::page;
pub use row::{RowSource, origin, row};

use crate::config::Quiet;
use crate::database;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::import::plan::{Disposition, Plan, everything, optional};
use crate::import::rehearsal::rehearse;
use crate::import::run::Import;
use crate::mapping::model::{Pattern, PatternSegment, Set};
use crate::report::{FileStatus, OwnerReport, Shared};
use crate::source::locate::{locate, span_of};
use crate::source::{SourceFile, walk};
use crate::table::Schema;
use needed::needed;
use std::ops::Range;
use std::path::{Path, PathBuf};
use story::{Asked, Heard, Listener};

/// What is asked: a file of a tree, and which part of it.
#[derive(Debug)]
pub struct Question {
    /// The mapping set.
    pub set: Set,
    /// The tables it writes into.
    pub schema: Schema,
    /// The folder of the tree that the set is about.
    pub root: PathBuf,
    /// The file's path below it, with `/` between segments.
    pub file: String,
    /// A JSON Pointer; empty for the whole document.
    pub pointer: String,
    /// Only what goes into this row.
    pub row: Option<AskedRow>,
    /// How deep values may be nested.
    pub depth: u32,
}

/// Says where the leaves of a file go: what an import of the tree into a new database does with them, with every
/// optional mapping and every reject allowed. It is done, into a database that keeps nothing.
///
/// # Errors
/// When there is no such file or pointer. That a file is broken is in the answer.
pub fn explain(question: Question) -> Result<Explained> {
    let Question { set, schema, root, file, pointer, row, depth } = question;
    let with = optional(&set);
    let plan = Plan::new(set, schema, walk::walk(&root)?, &everything(&with))?;
    let Some(number) = plan.tree.files.iter().position(|of| *of.path == *file) else {
        return Err(Error::request("the tree has no such file")
            .at(root.join(&file).display())
            .hint("symbolic links and files with odd names are not read"));
    };
    let source = &plan.tree.files[number];
    let mut explained = Explained { file: printable(&source.path), ..Explained::default() };
    let mapping = match &plan.dispositions[number] {
        Disposition::Unmapped => return Ok(Explained { status: "unmapped", ..explained }),
        Disposition::Ignored(why) => {
            let reason = Some(format!("{} (`{}`)", why.reason, why.what.as_deref().unwrap_or_default()));
            return Ok(Explained { status: "ignored", reason, ..explained });
        }
        Disposition::Mapped { mapping, .. } => *mapping,
    };
    explained.mapping = Some(plan.set.mappings[mapping].name.clone());
    explained.mapping_file = Some(plan.set.mappings[mapping].file.clone());
    let span: Range<u64> = match pointer.as_str() {
        "" => 0..u64::MAX,
        pointer => span_of(source, pointer).map_err(|error| unreadable(source, &error))?.ok_or_else(|| {
            let error = Error::request(format!("the file has no value at `{}`", printable(pointer)));
            let error = error.at(source.absolute().display());
            if source.form().lines {
                error.hint("the number of a line comes first: `FILE#17/user/name`")
            } else {
                error
            }
        })?,
    };
    if let Some(row) = &row {
        let located = locate(source, &[row.at]).map_err(|error| unreadable(source, &error))?;
        explained.origin = located.into_iter().next().map(|located| located.pointer).unwrap_or_default();
    }
    let (needed, started) = (needed(&plan, mapping)?, database::now());
    let asked = Asked { file: number, mapping, span, needed, row, started };
    let watcher = |secrets| Listener::new(&plan, secrets, &asked);
    rehearse(&plan, depth, started, &Quiet, watcher, |run, listener| tell(run, listener, &asked, explained))
}

fn unreadable(source: &SourceFile, error: &std::io::Error) -> Error {
    Error::environment(format!("the file cannot be read: {}", error.kind())).at(source.absolute().display())
}

/// What an import, once everything is read, did with a file and its leaves.
fn tell(run: &Import<'_>, listener: &Listener<'_>, asked: &Asked, mut explained: Explained) -> Result<Explained> {
    let (plan, state) = (run.plan, &run.files[asked.file]);
    let (mapping, source) = (&plan.set.mappings[asked.mapping], &plan.tree.files[asked.file]);
    let Heard { mut leaves, names, more, tally, broken, alike, .. } = listener.take();
    explained.alike = alike;
    explained.shape = state.shape().and_then(|shape| mapping.shape_name(shape)).map(str::to_owned);
    let directory = plan.directory_of(asked.file).unwrap_or_default();
    let directory = &*directory;
    let owner = run.directories.iter().find(|found| found.directory == directory);
    explained.owner = owner.and_then(|found| Some((found.id.clone()?, found.how.clone())));
    let (status, reason) = match state.status {
        Some(FileStatus::Imported) => ("mapped", None),
        Some(FileStatus::Ignored) => ("ignored", state.reason().map(Shared::to_string)),
        Some(FileStatus::Rejected) if broken.is_some() => ("broken", broken),
        Some(FileStatus::Rejected) => ("rejected", state.reason().map(Shared::to_string)),
        Some(FileStatus::Unmapped) => ("unmapped", Some(without_owner(owner, directory))),
        Some(FileStatus::Unread) | None => {
            return Err(Error::bug("nothing became of a file that a mapping should have read"));
        }
    };
    let optional = mapping.source.optional.as_ref();
    let optional = optional.map(|reason| format!("read only with `--with {}`: {reason}", mapping.name));
    let reasons: Vec<String> = optional.into_iter().chain(reason).collect();
    let reason = reasons.join("; ");
    (explained.status, explained.reason) =
        (status, (!reason.is_empty()).then(|| run.writer.vault.or_withheld(&reason).to_owned()));
    (explained.counts, explained.more) = (tally.leaves, more);
    let mut offsets: Vec<u64> = leaves.keys().copied().chain(names.iter().map(|(offset, _)| *offset)).collect();
    offsets.sort_unstable();
    offsets.dedup();
    for at in locate(source, &offsets).map_err(|error| unreadable(source, &error))? {
        // A member's name may be a secret too.
        let pointer = if listener.holds_copy(&at.pointer) { "(hidden)".to_owned() } else { at.pointer };
        let of_names = names.iter().filter(|(offset, _)| *offset == at.offset);
        explained.names.extend(of_names.map(|(_, fate)| NameStory {
            pointer: pointer.clone(),
            line: at.line,
            fate: fate.clone(),
        }));
        if let Some(leaf) = leaves.remove(&at.offset) {
            explained.leaves.push(LeafStory { pointer, line: at.line, ..leaf });
        }
    }
    Ok(explained)
}

/// Why a file of this directory is not imported.
fn without_owner(owner: Option<&OwnerReport>, directory: &str) -> String {
    let several = owner.is_some_and(|found| found.how == "several");
    match directory {
        "" => "it has no owner, and needs one".to_owned(),
        name if several => format!("several owners match directory `{}`", printable(name)),
        name => format!("no owner matches directory `{}`", printable(name)),
    }
}

/// The folder above a file that a set is about: the nearest one below which one of its file patterns
/// names the file, and where the files that it recognises a tree by are there, if it has some.
pub fn root_above(set: &Set, file: &Path) -> Option<(PathBuf, String)> {
    // Others can match anywhere.
    let begins_plainly = |pattern: &Pattern| pattern.segments.first().is_some_and(PatternSegment::has_literal);
    let patterns = || set.mappings.iter().flat_map(|mapping| &mapping.source.files);
    let mut fallback = None;
    for root in file.ancestors().skip(1) {
        let below = file.strip_prefix(root).ok()?.to_string_lossy().replace('\\', "/");
        if let Some(recognise) = &set.recognise {
            if recognise.files.iter().all(|name| root.join(name).is_file()) {
                return Some((root.to_owned(), below));
            }
        } else if patterns().any(|pattern| pattern.matches(&below) && begins_plainly(pattern)) {
            return Some((root.to_owned(), below));
        } else if fallback.is_none() && patterns().any(|pattern| pattern.matches(&below)) {
            fallback = Some((root.to_owned(), below));
        }
    }
    fallback
}
