//! A JSON value as read: a flat list of nodes, each with the place of its first byte.
//!
//! A [`Tape`] holds one record, or the frame of a file. Its nodes lie in document order and a node
//! knows where its subtree ends, so that "everything below" is a range of numbers. Strings and
//! names are decoded; numbers keep the text they were written with.

pub use crate::document::path::{FromJson, PathId, Paths, Segment, Selection, is_plain};
use crate::document::picks::{FEW, Picks, Scalar};
use zeroize::Zeroize;

/// The number of a node in its [`Tape`]; the root is 0.
pub type NodeId = u32;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; its text is kept as written.
    Number,
    /// A string, decoded.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
    /// In a frame: an element that is a record, so that only its place and kind are kept here.
    Record(Outer),
}

/// The kind of a value whose content was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outer {
    /// `null`, boolean, number or string.
    Scalar,
    /// An array.
    Array,
    /// An object.
    Object,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    named: bool,
    /// JSON needs no escape for its name nor for its text.
    plain: bool,
    next: NodeId,
    path: PathId,
    /// Where in the tape's text its name begins, its text behind that begins, and both end.
    text: [u32; 3],
    at: u64,
}

impl Node {
    /// Whether this is what it is called.
    #[inline]
    fn is_named(&self, text: &str, name: &str) -> bool {
        let [start, end, _] = self.text;
        (end - start) as usize == name.len()
            && self.named
            && text.as_bytes()[start as usize..end as usize] == *name.as_bytes()
    }

    fn name<'t>(&self, text: &'t str) -> &'t str {
        &text[self.text[0] as usize..self.text[1] as usize]
    }
}

/// One JSON value, flat.
#[derive(Default)]
pub struct Tape {
    text: String,
    nodes: Vec<Node>,
    sensitive: bool,
    picks: Picks,
    /// How many more leaves there are than its document has as it is written: those of texts that hold JSON.
    more_leaves: u64,
    /// Texts that should hold JSON and do not: where they break, and why.
    broken: Vec<(u64, String)>,
    /// Where texts that hold JSON have something that not every database keeps, U+0000 with `true`.
    odd: Vec<(u64, bool)>,
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tape({} nodes)", self.nodes.len())
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Tape {
    /// An empty tape; one that is `sensitive` overwrites its text when it is cleared or dropped.
    pub fn new(sensitive: bool) -> Self {
        let mut tape = Self::default();
        tape.sensitive = sensitive;
        tape
    }

    /// An empty tape with room for so many bytes of text and so many nodes.
    pub fn with_room(sensitive: bool, text: usize, nodes: usize) -> Self {
        let mut tape = Self::new(sensitive);
        tape.text.reserve_exact(text);
        tape.nodes.reserve_exact(nodes);
        tape
    }

    /// Whether it overwrites its text when it is cleared or dropped.
    pub fn is_sensitive(&self) -> bool {
        self.sensitive
    }

    /// Forgets the content and keeps the memory for the next record.
    pub fn clear(&mut self) {
        if self.sensitive {
            self.text.zeroize();
        }
        self.text.clear();
        self.nodes.clear();
        self.picks.clear();
        self.broken.clear();
        self.odd.clear();
        self.more_leaves = 0;
    }

    /// About how many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        self.text.capacity() + self.nodes.capacity() * size_of::<Node>()
    }

    /// How many more leaves it has than its document has as it is written.
    pub fn more_leaves(&self) -> u64 {
        self.more_leaves
    }

    /// Notes a text that holds JSON of so many leaves, which stands in its place.
    pub(crate) fn note_unfolded(&mut self, leaves: u64) {
        self.more_leaves += leaves.saturating_sub(1);
    }

    /// Texts that should hold JSON and do not: where they break, and why.
    pub fn broken(&self) -> &[(u64, String)] {
        &self.broken
    }

    /// Notes a text that should hold JSON and does not.
    pub(crate) fn note_broken(&mut self, at: u64, why: String) {
        self.broken.push((at, why));
    }

    /// Where texts that hold JSON have half a surrogate pair, or (with `true`) U+0000, of which the set says what becomes.
    pub fn odd(&self) -> &[(u64, bool)] {
        &self.odd
    }

    /// Notes such a place.
    pub(crate) fn note_odd(&mut self, at: u64, is_nul: bool) {
        self.odd.push((at, is_nul));
    }

    /// Whether nothing was put on the tape yet.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many nodes lie on the tape.
    pub fn len(&self) -> u32 {
        u32::try_from(self.nodes.len()).expect("push refuses more than u32::MAX nodes")
    }

    /// Appends a node in document order; `at` is the offset of its first byte in the file.
    /// `text` is a string's decoded content or a number as written, else empty.
    /// A container is closed by [`Tape::close`].
    /// The paths are numbered when all of it is read ([`Tape::number_paths`]).
    pub fn push(&mut self, kind: Kind, name: Option<&str>, text: &str, at: u64) -> NodeId {
        self.push_plain(kind, name, text, at, false)
    }

    /// As [`Tape::push`]; where name and text were read without an escape (`plain`), none is looked for when they
    /// are written.
    pub(crate) fn push_plain(&mut self, kind: Kind, name: Option<&str>, text: &str, at: u64, plain: bool) -> NodeId {
        let start = self.end();
        self.keep(name.unwrap_or_default());
        let text_start = self.end();
        self.keep(text);
        let id = self.len();
        let next = id.checked_add(1).expect("a record is smaller than 4 GiB");
        let named = name.is_some();
        self.nodes.push(Node { kind, named, plain, next, path: 0, text: [start, text_start, self.end()], at });
        id
    }

    /// Ends a container: all nodes pushed since it are below it.
    pub fn close(&mut self, container: NodeId) {
        self.nodes[container as usize].next = self.len();
        self.picks.clear();
    }

    /// Gives every node the number of its path; that of the root is 0.
    pub fn number_paths(&mut self, paths: &mut Paths) {
        let mut open: Vec<(NodeId, PathId)> = Vec::new();
        for id in 0..self.nodes.len() {
            while open.last().is_some_and(|(end, _)| *end as usize <= id) {
                open.pop();
            }
            let node @ Node { kind, named, next, .. } = self.nodes[id];
            let path = match open.last() {
                None => 0,
                Some((_, parent)) if named => paths.member(*parent, node.name(&self.text)),
                Some((_, parent)) => paths.element(*parent),
            };
            self.nodes[id].path = path;
            if matches!(kind, Kind::Array | Kind::Object) {
                open.push((next, path));
            }
        }
    }

    /// Gives its values other places.
    pub(crate) fn move_places(&mut self, place: impl Fn(u64) -> u64) {
        self.nodes.iter_mut().for_each(|node| node.at = place(node.at));
        self.broken.iter_mut().for_each(|(at, _)| *at = place(*at));
        self.odd.iter_mut().for_each(|(at, _)| *at = place(*at));
    }

    /// How many of its values are scalars or empty containers.
    pub(crate) fn leaves(&self) -> u64 {
        self.nodes().filter(|node| node.is_leaf()).count() as u64
    }

    /// An empty tape with room for as much as this one has.
    pub fn another(&self) -> Self {
        let mut tape = Self::new(self.sensitive);
        tape.text.reserve(self.text.len());
        tape.nodes.reserve(self.nodes.len());
        tape
    }

    /// The root.
    ///
    /// # Panics
    /// On an empty tape.
    pub fn root(&self) -> NodeRef<'_> {
        self.node(0)
    }

    /// The node of this number.
    pub fn node(&self, id: NodeId) -> NodeRef<'_> {
        NodeRef { tape: self, id, node: &self.nodes[id as usize] }
    }

    /// All nodes in document order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeRef<'_>> {
        (0..self.len()).map(|id| self.node(id))
    }

    /// Whether a node with so many bytes of name and text can still be pushed.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.nodes.len() < u32::MAX as usize && bytes <= (u32::MAX as usize).saturating_sub(self.text.len())
    }

    /// How much text there is.
    fn end(&self) -> u32 {
        u32::try_from(self.text.len()).expect("a record is smaller than 4 GiB")
    }

    fn keep(&mut self, text: &str) {
        if self.sensitive && self.text.capacity() - self.text.len() < text.len() {
            // A plain reallocation would leave the old text behind in freed memory.
            let mut larger = String::with_capacity(2 * (self.text.len() + text.len()));
            larger.push_str(&self.text);
            self.text.zeroize();
            self.text = larger;
        }
        self.text.push_str(text);
    }
}

/// A node on its tape.
#[derive(Clone, Copy)]
pub struct NodeRef<'t> {
    tape: &'t Tape,
    id: NodeId,
    node: &'t Node,
}

impl std::fmt::Debug for NodeRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "node {} ({:?})", self.id, self.node.kind)
    }
}

impl<'t> NodeRef<'t> {
    /// Whether both lie in one document.
    pub fn is_beside(self, other: NodeRef<'_>) -> bool {
        std::ptr::eq(self.tape, other.tape)
    }

    /// Its number.
    pub fn id(self) -> NodeId {
        self.id
    }
    /// What it is.
    pub fn kind(self) -> Kind {
        self.node.kind
    }
    /// The first node behind its subtree.
    pub fn next(self) -> NodeId {
        self.node.next
    }
    /// The numbers of the node and everything below it.
    pub fn span(self) -> std::ops::Range<NodeId> {
        self.id..self.node.next
    }
    /// The offset of its first byte in the file.
    pub fn at(self) -> u64 {
        self.node.at
    }
    /// Its path, as interned when it was read.
    pub fn path(self) -> PathId {
        self.node.path
    }
    /// Its member name, when it is in an object.
    pub fn name(self) -> Option<&'t str> {
        self.node.named.then(|| self.node.name(&self.tape.text))
    }
    /// A string's content, or a number as it was written; empty for every other kind.
    pub fn text(self) -> &'t str {
        let [_, start, end] = self.node.text;
        &self.tape.text[start as usize..end as usize]
    }
    /// How many bytes the names and texts below it have, to make room for what is written of it.
    pub fn text_len(self) -> usize {
        let last = &self.tape.nodes[self.node.next as usize - 1];
        (last.text[2] - self.node.text[1]) as usize
    }
    /// Whether JSON needs no escape for its name nor for its text; `false` where that is not known.
    pub(super) fn is_plain(self) -> bool {
        self.node.plain
    }
    /// A scalar or an empty container.
    pub fn is_leaf(self) -> bool {
        match self.node.kind {
            Kind::Array | Kind::Object => self.node.next == self.id + 1,
            Kind::Record(_) => false,
            _ => true,
        }
    }
    /// Another node of the same tape.
    pub fn sibling(self, id: NodeId) -> NodeRef<'t> {
        self.tape.node(id)
    }
    /// Whether it stands for a record, whose content is elsewhere.
    pub(super) fn is_record(self) -> bool {
        matches!(self.node.kind, Kind::Record(_))
    }
    /// Whether it is an array or an object.
    pub fn is_container(self) -> bool {
        matches!(self.node.kind, Kind::Array | Kind::Object)
    }
    /// Its elements or members, in the order of the file.
    pub fn children(self) -> impl Iterator<Item = NodeRef<'t>> {
        let tape = self.tape;
        let end = self.node.next;
        let mut at = self.id + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let child = tape.node(at);
                at = child.next();
                child
            })
        })
    }
    /// The element at this place, if it is an array that has one: from 0, or from -1 for the last.
    pub fn element(self, place: i64) -> Option<NodeRef<'t>> {
        if self.node.kind != Kind::Array {
            return None;
        }
        let elements = self.children().map(NodeRef::id);
        self.tape.picks.at(self.id, elements, place).map(|id| self.tape.node(id))
    }
    /// What it is, read as a value of the same kind as another one.
    fn scalar(self, like: Scalar<'_>) -> Option<Scalar<'t>> {
        Some(match (self.node.kind, like) {
            (Kind::Bool(value), Scalar::Bool(_)) => Scalar::Bool(value),
            (Kind::String, Scalar::Text(_)) => Scalar::Text(self.text()),
            (Kind::Number, Scalar::Integer(_)) => Scalar::Integer(self.text().parse().ok()?),
            (Kind::Number, Scalar::Real(_)) => Scalar::Real(self.text().parse().ok()?),
            _ => return None,
        })
    }
    /// Whether it has this value; numbers are compared by what they mean.
    pub fn equals(self, wanted: Scalar<'_>) -> bool {
        self.scalar(wanted).is_some_and(|found| found == wanted)
    }
    /// The first element whose member has this value, if it is an array that has one.
    pub fn pick(self, member: &str, wanted: Scalar<'_>) -> Option<NodeRef<'t>> {
        if self.node.kind != Kind::Array {
            return None;
        }
        let elements = || self.children().map(NodeRef::id);
        let value_of = |element: NodeId| self.tape.node(element).member(member)?.scalar(wanted);
        let asked = (self.id, Some((member.to_owned(), wanted.kind())));
        self.tape.picks.first(asked, elements, value_of, wanted, Scalar::order).map(|id| self.tape.node(id))
    }
    /// The member of this name, if it is an object that has one. No two members of what was read have one name.
    pub fn member(self, name: &str) -> Option<NodeRef<'t>> {
        if self.node.kind != Kind::Object {
            return None;
        }
        let (tape, first, end) = (self.tape, self.id + 1, self.node.next);
        let last = tape.picks.last(self.id);
        let start = match last.get() {
            (container, behind) if container == self.id && (first..end).contains(&behind) => behind,
            _ => first,
        };
        let mut left = FEW;
        let mut look = |mut at: NodeId, end: NodeId| {
            while at < end && left > 0 {
                let node = &tape.nodes[at as usize];
                if node.is_named(&tape.text, name) {
                    last.set((self.id, node.next));
                    return Some(at);
                }
                at = node.next;
                left -= 1;
            }
            None
        };
        if let Some(found) = look(start, end).or_else(|| look(first, start)) {
            return Some(tape.node(found));
        }
        if left > 0 {
            return None;
        }
        let members = || self.children().map(NodeRef::id);
        let name_of = |member: NodeId| self.tape.node(member).name();
        self.tape.picks.first((self.id, None), members, name_of, name, Ord::cmp).map(|id| self.tape.node(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensitive_tape_keeps_its_text_while_it_grows() {
        let mut tape = Tape::new(true);
        let root = tape.push(Kind::Array, None, "", 0);
        for _ in 0..100 {
            tape.push(Kind::String, None, "0123456789", 0);
        }
        tape.close(root);
        assert!(tape.root().children().all(|child| child.text() == "0123456789"));
    }
}
