//! The leaves around the records of a file that are rejected with these: by their pointers, so that they are counted when
//! the records come back, and those that were counted already are not.

use super::sheet::{Class, Sheet, Tally};
use crate::document::name::NameLeaf;
use crate::document::tape::{NodeId, NodeRef, Tape};
use std::collections::{BTreeSet, HashSet};

/// The leaves of a document that are counted.
pub(super) struct Only {
    leaves: HashSet<NodeId>,
    names: HashSet<NodeId>,
}

impl Only {
    /// Those of these pointers; a name has `#` behind.
    pub(super) fn of(tape: &Tape, pointers: &BTreeSet<String>) -> Self {
        let mut only = Self { leaves: HashSet::new(), names: HashSet::new() };
        if pointers.is_empty() || tape.is_empty() {
            return only;
        }
        each(tape.root(), &mut String::new(), &mut |node, pointer| {
            if node.is_leaf() && pointers.contains(pointer) {
                only.leaves.insert(node.id());
            }
            if pointers.contains(&format!("{pointer}#")) {
                only.names.insert(node.id());
            }
        });
        only
    }

    pub(super) fn has(&self, leaf: NodeId) -> bool {
        self.leaves.contains(&leaf)
    }

    pub(super) fn has_name(&self, name: &NameLeaf) -> bool {
        matches!(name, NameLeaf::OfNode(node) if self.names.contains(node))
    }

    /// Counts them.
    pub(super) fn count(&self, sheet: &Sheet, tally: &mut Tally) {
        self.leaves.iter().for_each(|leaf| tally.add(sheet.mark(*leaf)));
        let names: Vec<_> = sheet.names().iter().filter(|(name, _)| self.has_name(name)).collect();
        names.iter().for_each(|(_, mark)| tally.add(**mark));
        tally.leaves.seen += (self.leaves.len() + names.len()) as u64;
    }
}

/// The pointers of the leaves and names of a document that count as rejected.
pub(super) fn rejected_in(
    tape: &Tape,
    sheet: &Sheet,
    is_counted: &dyn Fn(NodeId, Option<&NameLeaf>) -> bool,
) -> Vec<String> {
    let is_rejected = |mark: super::sheet::Mark| mark.class() == Class::Rejected;
    let any = tape.nodes().any(|node| node.is_leaf() && is_rejected(sheet.mark(node.id())));
    if !any && !sheet.names().values().any(|mark| is_rejected(*mark)) {
        return Vec::new();
    }
    let mut rejected = Vec::new();
    each(tape.root(), &mut String::new(), &mut |node, pointer| {
        if node.is_leaf() && is_rejected(sheet.mark(node.id())) && is_counted(node.id(), None) {
            rejected.push(pointer.to_owned());
        }
        let name = NameLeaf::OfNode(node.id());
        if sheet.names().get(&name).is_some_and(|mark| is_rejected(*mark)) && is_counted(node.id(), Some(&name)) {
            rejected.push(format!("{pointer}#"));
        }
    });
    rejected
}

/// Tells every value with its JSON Pointer.
fn each(node: NodeRef<'_>, pointer: &mut String, tell: &mut dyn FnMut(NodeRef<'_>, &str)) {
    tell(node, pointer);
    let length = pointer.len();
    for (number, child) in node.children().enumerate() {
        pointer.push('/');
        match child.name() {
            Some(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
            None => pointer.push_str(&number.to_string()),
        }
        each(child, pointer, tell);
        pointer.truncate(length);
    }
}
