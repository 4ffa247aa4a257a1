//! Explaining where values go, and where rows came from. Nothing is written, no secret is shown.

mod answer;
mod row;
mod story;

pub use answer::{Explained, LeafStory, MOST_LEAVES, StepStory, Way};
pub use row::{RowQuestion, row};

use crate::config::Quiet;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::import::aliases::same_file_elsewhere;
use crate::import::plan::{Disposition, Plan, everything, optional};
use crate::import::probe::Probe;
use crate::import::sweep::sweep;
use crate::mapping::model::{PatternPiece, PatternSegment, Set};
use crate::mapping::uses::uses;
use crate::source::locate::{locate, span_of};
use crate::source::walk;
use crate::table::Schema;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use story::{Asked, Listener};

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
    /// Only what goes into the row of this table that the element at this offset makes.
    pub row: Option<(String, u64)>,
    /// How deep values may be nested.
    pub depth: u32,
}

/// Says where the leaves of a file go.
///
/// # Errors
/// When there is no such file or pointer. That a file is broken is in the answer.
pub fn explain(question: Question) -> Result<Explained> {
    let Question { set, schema, root, file, pointer, row, depth } = question;
    let with = optional(&set);
    let plan = Plan::new(set, schema, walk::walk(&root)?, &everything(&with))?;
    let Some(number) = plan.tree.files.iter().position(|of| of.path == file) else {
        return Err(Error::request("the tree has no such file")
            .at(root.join(&file).display())
            .hint("symbolic links and files with odd names are not read"));
    };
    let source = &plan.tree.files[number];
    let unreadable = |error: std::io::Error| {
        Error::environment(format!("the file cannot be read: {}", error.kind())).at(source.absolute.display())
    };
    let mut explained = Explained {
        file: printable(&source.path),
        status: "mapped",
        reason: None,
        mapping: None,
        mapping_file: None,
        shape: None,
        owner: None,
        leaves: Vec::new(),
        more: 0,
    };
    let mapping = match &plan.dispositions[number] {
        Disposition::Unmapped => return Ok(Explained { status: "unmapped", ..explained }),
        Disposition::Ignored { what, reason } => {
            let reason = Some(format!("{reason} (`{what}`)"));
            return Ok(Explained { status: "ignored", reason, ..explained });
        }
        Disposition::Mapped { mapping, .. } => *mapping,
    };
    explained.mapping = Some(plan.set.mappings[mapping].name.clone());
    explained.mapping_file = Some(plan.set.mappings[mapping].file.clone());
    explained.reason = plan.set.mappings[mapping]
        .source
        .optional
        .as_ref()
        .map(|reason| format!("read only with `--with {}`: {reason}", plan.set.mappings[mapping].name));
    let span: Range<u64> = match pointer.as_str() {
        "" => 0..u64::MAX,
        pointer => span_of(source, pointer).map_err(unreadable)?.ok_or_else(|| {
            Error::request(format!("the file has no value at `{}`", printable(pointer))).at(source.absolute.display())
        })?,
    };
    let secrets = sweep(&plan, depth, &Quiet)?.secrets.freeze();
    let listener = Listener::new(&plan, &secrets, Asked { file: number, span, needed: needed(&plan, number), row });
    let probe = Probe::read(&plan, depth, &listener);
    if let Some(name) = plan.directory_of(number) {
        match probe.directories.get(name) {
            Some(Ok(owner)) => explained.owner = Some(owner.clone()),
            Some(Err(why)) => explained.reason = Some(format!("{why} directory `{}`", printable(name))),
            None => {}
        }
    }
    if let Some(twin) = same_file_elsewhere(&plan, number) {
        let folded =
            format!("read only once if the directory of `{}` is of the same owner: same bytes", printable(twin));
        explained.reason =
            Some(explained.reason.map_or_else(|| folded.clone(), |reason| format!("{reason}; {folded}")));
    }
    if let Some(findings) = probe.findings.get(&number) {
        explained.status = "broken";
        explained.reason = findings.first().map(|finding| format!("{}: {}", finding.code.id, finding.message));
    }
    if let Some(shape) = probe.shape_of.get(&number).map(|shape| &plan.set.mappings[mapping].source.shapes[*shape]) {
        explained.shape = Some(shape.name.clone()).filter(|name| !name.is_empty());
        if let Some(reason) = &shape.ignore {
            (explained.status, explained.reason) = ("ignored", Some(reason.clone()));
        }
    }
    let (leaves, more) = listener.into_leaves();
    explained.more = more;
    let offsets: Vec<u64> = leaves.iter().map(|(offset, _)| *offset).collect();
    let located = locate(source, &offsets).map_err(unreadable)?;
    explained.leaves = leaves
        .into_iter()
        .zip(located)
        .map(|((_, leaf), at)| {
            // A member's name may be a secret too.
            let hidden = secrets.search(&at.pointer).is_some();
            let pointer = if hidden { "(hidden)".to_owned() } else { at.pointer };
            LeafStory { pointer, line: at.line, ..leaf }
        })
        .collect();
    Ok(explained)
}

/// The files that must be read so that lookups and the owner of this file are found: those that feed
/// the tables that are asked, directly and by way of others.
fn needed(plan: &Plan, file: usize) -> BTreeSet<usize> {
    let Disposition::Mapped { mapping, .. } = &plan.dispositions[file] else { return BTreeSet::new() };
    let mut tables: BTreeSet<String> = plan.set.owners.iter().map(|owners| owners.table.clone()).collect();
    let mut mappings = BTreeSet::from([*mapping]);
    loop {
        let before = (tables.len(), mappings.len());
        for of in &mappings {
            for rule in &plan.set.mappings[*of].rules {
                tables.extend(uses(rule).tables.into_iter().map(|used| used.table));
            }
        }
        for (number, of) in plan.set.mappings.iter().enumerate() {
            if of.rules.iter().any(|rule| tables.contains(&rule.into)) {
                mappings.insert(number);
            }
        }
        if before == (tables.len(), mappings.len()) {
            break;
        }
    }
    let directory = plan.directory_of(file);
    // A rule that may look up rows of other owners needs their files too.
    let one_round = plan.turns().iter().all(|turn| turn.round == 0);
    let is_at_hand = |name: &str| !one_round || directory == Some(name);
    let wanted = |number: &usize| match &plan.dispositions[*number] {
        _ if *number == file => true,
        Disposition::Mapped { mapping, .. } => {
            mappings.contains(mapping) && plan.directory_of(*number).is_none_or(is_at_hand)
        }
        _ => false,
    };
    (0..plan.dispositions.len()).filter(wanted).collect()
}

/// The folder above a file that a set is about: the nearest one below which one of its file patterns
/// names the file, and where the files that it recognises a tree by are there, if it has some.
pub fn root_above(set: &Set, file: &Path) -> Option<(PathBuf, String)> {
    let patterns = || set.mappings.iter().flat_map(|mapping| &mapping.source.files);
    let mut fallback = None;
    for root in file.ancestors().skip(1) {
        let below = file.strip_prefix(root).ok()?.to_string_lossy().replace('\\', "/");
        if let Some(recognise) = &set.recognise {
            if recognise.files.iter().all(|name| root.join(name).is_file()) {
                return Some((root.to_owned(), below));
            }
        } else if patterns().any(|pattern| pattern.matches(&below).is_some() && begins_plainly(&pattern.segments)) {
            return Some((root.to_owned(), below));
        } else if fallback.is_none() && patterns().any(|pattern| pattern.matches(&below).is_some()) {
            fallback = Some((root.to_owned(), below));
        }
    }
    fallback
}

/// Whether a pattern begins with a literal segment, so that it cannot match anywhere.
fn begins_plainly(segments: &[PatternSegment]) -> bool {
    match segments.first() {
        Some(PatternSegment::Literal(_)) => true,
        Some(PatternSegment::Mixed(pieces)) => pieces.iter().any(|piece| matches!(piece, PatternPiece::Literal(_))),
        _ => false,
    }
}
