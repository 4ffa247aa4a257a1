//! Reading the files of a type: their beginnings, their names, their values.

use super::head::Head;
use super::look;
use super::profile::Profile;
use crate::finding::{FileId, Finding, JSON_SURROGATE, printable};
use crate::source::json::Event;
use crate::source::lines::{Block, Blocks};
use crate::source::scan::{begin, begins_as_json, scan};
use crate::source::walk::Tree;
use crate::source::{self, Limits, Opened, Replace};
use std::collections::BTreeSet;

/// So much of a file is looked at to tell whether it is like another one.
const HEAD_TOKENS: usize = 200;

/// It is not known yet where secrets are, so all buffers are wiped.
fn limits(depth: u32) -> Limits {
    // Half a character is read as the set will read it.
    let replace = Replace { lone_surrogate: true, ..Replace::default() };
    Limits { depth, sensitive: true, replace, ..Limits::default() }
}

/// Whether a string of the file has half a surrogate pair.
pub(super) fn has_half_characters(tree: &Tree, file: usize, depth: u32, lines: bool) -> bool {
    let strict = Limits { replace: Replace::default(), ..limits(depth) };
    let is_half = |finding: &Finding| finding.code == &JSON_SURROGATE;
    let Ok(opened) = source::open(&plain(tree, file).1, strict) else { return false };
    match documents(opened, lines, strict, &mut |document| scan(document, &mut |_| {})) {
        Ok(first) => first.is_some_and(|finding| is_half(&finding)),
        Err(finding) => is_half(&finding),
    }
}

/// A file's name in small letters, without the ending of what is packed, and the file as it is to be opened.
fn plain(tree: &Tree, file: usize) -> (String, source::SourceFile) {
    let name = tree.files[file].path.to_ascii_lowercase();
    let (name, packed) = name.strip_suffix(".gz").map_or((name.as_str(), None), |name| (name, Some(u64::MAX)));
    (name.to_owned(), tree.files[file].in_form(source::Form { packed, lines: false }))
}

/// The names at a file's beginning; nothing for one that is not JSON.
pub(super) fn head(tree: &Tree, file: usize, depth: u32) -> Option<Head> {
    // No more than the beginning is read.
    let mut opened = source::open(&plain(tree, file).1, Limits { window: 0, ..limits(depth) }).ok()?;
    if !begins_as_json(&mut opened).ok()? {
        return None;
    }
    let mut head = Head::default();
    let mut depth: usize = 0;
    let mut arrays = 0;
    begin(&mut opened, HEAD_TOKENS, &mut |token| match token.event {
        Event::ObjectStart => depth += 1,
        // Elements are looked at as what holds them would be.
        Event::ArrayStart => arrays += 1,
        Event::ObjectEnd => depth = depth.saturating_sub(1),
        Event::ArrayEnd => arrays -= 1,
        Event::Name(text) if depth <= 2 && arrays <= 1 => head.note(depth - 1, text.decode(&mut String::new())),
        _ => {}
    })
    .ok()?;
    Some(head)
}

/// The forms of the documents of a file, and what is wrong with the first line that is no document, where others are.
pub(super) type Outlined = (BTreeSet<Form>, Option<Finding>);

/// Notes the names in a file and gives the forms of its documents; nothing for one that is not JSON.
pub(super) fn outline(
    tree: &Tree,
    file: usize,
    depth: u32,
    lines: bool,
    profile: &mut Profile,
) -> Result<Option<Outlined>, Finding> {
    let (name, source) = plain(tree, file);
    let mut opened = source::open(&source, limits(depth))?;
    let json = lines || name.ends_with(".json");
    if !json && !begins_as_json(&mut opened)? {
        return Ok(None);
    }
    let mut forms = BTreeSet::new();
    profile.begin_file();
    let scanned = documents(opened, lines, limits(depth), &mut |document| {
        profile.begin_document();
        let mut form = Form::default();
        scan(document, &mut |token| {
            form.event(token.event);
            profile.outline(token);
        })?;
        forms.insert(form);
        Ok(())
    });
    match scanned {
        Ok(Some(first)) if forms.is_empty() => Err(first),
        Ok(broken) => Ok(Some((forms, broken))),
        // A file that is not named or formed like JSON is plain text.
        Err(_) if !json => Ok(None),
        Err(finding) => Err(finding),
    }
}

/// Counts what is in a file.
pub(super) fn measure(tree: &Tree, file: usize, depth: u32, lines: bool, profile: &mut Profile) -> Result<(), Finding> {
    let opened = source::open(&plain(tree, file).1, limits(depth))?;
    profile.begin_file();
    // A line that is broken was reported by the outline.
    documents(opened, lines, limits(depth), &mut |document| {
        profile.begin_document();
        scan(document, &mut |token| profile.measure(token))
    })
    .map(drop)
}

/// Shows the one document of a file, or every line that is one; gives what is wrong with the first other line.
fn documents(
    mut opened: Opened,
    lines: bool,
    limits: Limits,
    see: &mut dyn FnMut(&mut Opened) -> Result<(), Finding>,
) -> Result<Option<Finding>, Finding> {
    if !lines {
        return see(&mut opened).map(|()| None);
    }
    let mut broken = None;
    let mut blocks = Blocks::of(opened)?;
    while let Some(block) = blocks.next_block()? {
        if let Some((_, finding)) = block.too_long() {
            return Err(finding);
        }
        for line in block.lines().filter(|line| !line.is_blank()) {
            let open = || Opened::of_bytes(block.file, line.text.to_vec(), limits);
            // Nothing of a line is seen that is broken behind it.
            match scan(&mut open(), &mut |_| {}) {
                Ok(()) => see(&mut open())?,
                Err(finding) => _ = broken.get_or_insert(finding),
            }
        }
    }
    Ok(broken)
}

/// Whether a file is no one document, and its first lines are.
pub(super) fn are_lines(tree: &Tree, file: usize, depth: u32) -> bool {
    let (name, source) = plain(tree, file);
    if name.ends_with(".jsonl") || name.ends_with(".ndjson") {
        return true;
    }
    let Ok(mut opened) = source::open(&source, limits(depth)) else { return false };
    if !begins_as_json(&mut opened).unwrap_or(false) || scan(&mut opened, &mut |_| {}).is_ok() {
        return false;
    }
    let first = |opened| -> Result<bool, Finding> {
        let block = Blocks::of(opened)?.next_block()?;
        let lines = block.iter().flat_map(Block::lines).filter(|line| !line.is_blank()).take(2);
        let whole = lines.filter(|line| {
            let mut document = Opened::of_bytes(FileId(0), line.text.to_vec(), limits(depth));
            begins_as_json(&mut document).unwrap_or(false) && scan(&mut document, &mut |_| {}).is_ok()
        });
        Ok(whole.count() == 2)
    };
    first(opened).unwrap_or(false)
}

/// The form of a document: what it is, and the names of its members where they are few.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
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
    pub(super) fn words(&self, profile: &Profile) -> String {
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
