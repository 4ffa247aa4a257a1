//! A JSON value as read: a flat list of nodes, each with the place of its first byte.
//!
//! A [`Tape`] holds one record, or the frame of a file. Its nodes lie in document order and a node
//! knows where its subtree ends, so that "everything below" is a range of numbers. Strings and
//! names are decoded; numbers keep the text they were written with.

pub use crate::document::path::{PathId, Paths, Segment, Selection, is_plain};
use crate::document::wide::WideObjects;
use std::cell::Cell;
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
    next: NodeId,
    path: PathId,
    name: (u32, u32),
    text: (u32, u32),
    at: u64,
}

/// One JSON value, flat.
#[derive(Default)]
pub struct Tape {
    text: String,
    nodes: Vec<Node>,
    sensitive: bool,
    wide: WideObjects,
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
        Self { text: String::new(), nodes: Vec::new(), sensitive, wide: WideObjects::default() }
    }

    /// Forgets the content and keeps the memory for the next record.
    pub fn clear(&mut self) {
        if self.sensitive {
            self.text.zeroize();
        }
        self.text.clear();
        self.nodes.clear();
        self.wide.clear();
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
    pub fn push(&mut self, kind: Kind, name: Option<&str>, text: &str, at: u64, path: PathId) -> NodeId {
        let name_span = self.keep(name.unwrap_or_default());
        let text_span = self.keep(text);
        let id = self.len();
        let next = id.checked_add(1).expect("a record is smaller than 4 GiB");
        self.nodes.push(Node { kind, named: name.is_some(), next, path, name: name_span, text: text_span, at });
        id
    }

    /// Ends a container: all nodes pushed since it are below it.
    pub fn close(&mut self, container: NodeId) {
        self.nodes[container as usize].next = self.len();
        self.wide.clear();
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

    fn keep(&mut self, text: &str) -> (u32, u32) {
        if self.sensitive && self.text.capacity() - self.text.len() < text.len() {
            // A plain reallocation would leave the old text behind in freed memory.
            let mut larger = String::with_capacity(2 * (self.text.len() + text.len()));
            larger.push_str(&self.text);
            self.text.zeroize();
            self.text = larger;
        }
        let start = u32::try_from(self.text.len()).expect("a record is smaller than 4 GiB");
        self.text.push_str(text);
        (start, u32::try_from(self.text.len()).expect("a record is smaller than 4 GiB"))
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
        let (start, end) = self.node.name;
        self.node.named.then(|| &self.tape.text[start as usize..end as usize])
    }
    /// A string's content, or a number as it was written; empty for every other kind.
    pub fn text(self) -> &'t str {
        let (start, end) = self.node.text;
        &self.tape.text[start as usize..end as usize]
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
    fn is_record(self) -> bool {
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
    /// The member of this name, if it is an object that has one.
    pub fn member(self, name: &str) -> Option<NodeRef<'t>> {
        match self.node.kind {
            Kind::Object => {
                let name_of = |id: NodeId| self.tape.node(id).name();
                let children = || self.children().map(NodeRef::id);
                self.tape.wide.member(self.id, children, name_of, name, &Cell::new(0)).map(|id| self.tape.node(id))
            }
            _ => None,
        }
    }

    /// Appends the value as compact JSON; members that `skipped` selects are omitted.
    pub fn write_json(self, out: &mut String, skipped: &dyn Fn(NodeRef<'t>) -> bool) {
        match self.node.kind {
            Kind::Null | Kind::Record(_) => out.push_str("null"),
            Kind::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Kind::Number => out.push_str(self.text()),
            Kind::String => write_json_string(out, self.text()),
            Kind::Array => {
                out.push('[');
                let mut first = true;
                for child in self.children().filter(|child| !child.is_record() && !skipped(*child)) {
                    if !std::mem::take(&mut first) {
                        out.push(',');
                    }
                    child.write_json(out, skipped);
                }
                out.push(']');
            }
            Kind::Object => {
                out.push('{');
                let mut first = true;
                for child in self.children().filter(|child| !child.is_record() && !skipped(*child)) {
                    if !std::mem::take(&mut first) {
                        out.push(',');
                    }
                    write_json_string(out, child.name().unwrap_or_default());
                    out.push(':');
                    child.write_json(out, skipped);
                }
                out.push('}');
            }
        }
    }
}

/// Appends a JSON string: quotes, and the escapes of RFC 8259 section 7 that are required.
pub fn write_json_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = special(rest.as_bytes()) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            control => {
                out.push_str("\\u00");
                out.push(char::from(b"0123456789abcdef"[usize::from(control >> 4)]));
                out.push(char::from(b"0123456789abcdef"[usize::from(control & 15)]));
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// The first byte that a JSON string must escape: a quote, a backslash or a control
/// character below U+0020.
pub(crate) fn special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    /// Most strings are shorter; beyond, the wider registers of `memchr` pay for its call.
    const NEAR: usize = 64;

    // Eight bytes at once: the lowest flag raised is exact, a borrow can only raise those above it.
    let (near, far) = bytes.split_at(bytes.len().min(NEAR));
    let (words, tail) = near.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = word ^ (ONES * u64::from(b'"'));
        let backslash = word ^ (ONES * u64::from(b'\\'));
        let flags =
            (control | (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash)) & HIGHS;
        if flags != 0 {
            return Some(8 * i + flags.trailing_zeros() as usize / 8);
        }
    }
    if let Some(at) = tail.iter().position(|byte| is_special(*byte)) {
        return Some(near.len() - tail.len() + at);
    }
    let end = memchr::memchr2(b'"', b'\\', far);
    let plain = &far[..end.unwrap_or(far.len())];
    let at = if plain.iter().fold(false, |found, byte| found | (*byte < 0x20)) {
        plain.iter().position(|byte| *byte < 0x20)
    } else {
        end
    };
    at.map(|at| near.len() + at)
}

fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_is_found_at_every_position() {
        for length in [0, 1, 7, 8, 9, 63, 64, 65, 200] {
            for at in 0..length {
                for byte in [b'"', b'\\', 0, 0x1f] {
                    let mut bytes = vec![0xc3_u8; length];
                    bytes[at] = byte;
                    bytes[length - 1] = if at == length - 1 { byte } else { b'"' };
                    assert_eq!(special(&bytes), Some(at), "{byte} at {at} of {length}");
                }
            }
            assert_eq!(special(&vec![b' '; length]), None);
        }
    }

    #[test]
    fn a_sensitive_tape_keeps_its_text_while_it_grows() {
        let mut tape = Tape::new(true);
        let root = tape.push(Kind::Array, None, "", 0, 0);
        for _ in 0..100 {
            tape.push(Kind::String, None, "0123456789", 0, 0);
        }
        tape.close(root);
        assert!(tape.root().children().all(|child| child.text() == "0123456789"));
    }

    #[test]
    fn json_is_written_compact_with_the_required_escapes() {
        let mut tape = Tape::new(false);
        let root = tape.push(Kind::Object, None, "", 0, 0);
        tape.push(Kind::String, Some("a\"b"), "\u{8}\u{c}\n\r\t\u{1}\\ü", 0, 0);
        tape.push(Kind::Number, Some("n"), "1.50", 0, 0);
        let list = tape.push(Kind::Array, Some("l"), "", 0, 0);
        tape.push(Kind::Null, None, "", 0, 0);
        tape.push(Kind::Bool(true), None, "", 0, 0);
        tape.close(list);
        tape.close(root);
        let mut out = String::new();
        tape.root().write_json(&mut out, &|node| node.name() == Some("n"));
        assert_eq!(out, r#"{"a\"b":"\b\f\n\r\t\u0001\\ü","l":[null,true]}"#);
    }
}
