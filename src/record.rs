//! A JSON value as read: a flat list of nodes, each with the place of its first byte.
//!
//! A [`Tape`] holds one record, or the frame of a file. Its nodes lie in document order and a node
//! knows where its subtree ends, so that "everything below" is a range of numbers. Strings and
//! names are decoded; numbers keep the text they were written with.

use zeroize::Zeroize;

/// The number of a node in its [`Tape`]; the root is 0.
pub type NodeId = u32;

/// The number of a path in [`Paths`]; the root is 0.
pub type PathId = u32;

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
        Self { text: String::new(), nodes: Vec::new(), sensitive }
    }

    /// Forgets the content and keeps the memory for the next record.
    pub fn clear(&mut self) {
        if self.sensitive {
            self.text.zeroize();
        }
        self.text.clear();
        self.nodes.clear();
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

    fn keep(&mut self, text: &str) -> (u32, u32) {
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
    /// Its member name, when it stands in an object.
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
            Kind::Object => self.children().find(|child| child.name() == Some(name)),
            _ => None,
        }
    }

    /// Appends the value as compact JSON; members that `leave_out` names are left out.
    pub fn write_json(self, out: &mut String, leave_out: &dyn Fn(NodeRef<'t>) -> bool) {
        match self.node.kind {
            Kind::Null | Kind::Record(_) => out.push_str("null"),
            Kind::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Kind::Number => out.push_str(self.text()),
            Kind::String => write_json_string(out, self.text()),
            Kind::Array => {
                out.push('[');
                let mut first = true;
                for child in self.children().filter(|child| !leave_out(*child)) {
                    if !std::mem::take(&mut first) {
                        out.push(',');
                    }
                    child.write_json(out, leave_out);
                }
                out.push(']');
            }
            Kind::Object => {
                out.push('{');
                let mut first = true;
                for child in self.children().filter(|child| !leave_out(*child)) {
                    if !std::mem::take(&mut first) {
                        out.push(',');
                    }
                    write_json_string(out, child.name().unwrap_or_default());
                    out.push(':');
                    child.write_json(out, leave_out);
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
    while let Some(at) = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20) {
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

/// One step of a [`Selection`], or of an interned path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// The member of this name.
    Name(String),
    /// Every member of an object (`.*`).
    Members,
    /// Every element of an array (`[*]`).
    Elements,
}

/// Says which values of a document are meant: names, `.*` and `[*]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Selection(pub Vec<Segment>);

impl std::fmt::Display for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for (i, segment) in self.0.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            match segment {
                Segment::Elements => f.write_str("[*]")?,
                Segment::Members => write!(f, "{dot}*")?,
                Segment::Name(name) if is_plain(name) => write!(f, "{dot}{name}")?,
                Segment::Name(name) => write!(f, "['{}']", crate::finding::printable(name))?,
            }
        }
        Ok(())
    }
}

/// Whether a member name can stand in a path without quotes.
pub fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// The most names that are told apart below one path; later ones count as one path, `…`.
const MOST_NAMES: usize = 2_000;

#[derive(Debug)]
struct PathNode {
    parent: PathId,
    segment: Segment,
    children: Vec<(String, PathId)>,
    elements: Option<PathId>,
    other: Option<PathId>,
    guess: usize,
}

/// Interned paths of one shape: every member name is a step, every array element is `[*]`.
///
/// The reader gives each node the number of its path, so that what is known of a path is worked
/// out once and not once per node.
#[derive(Debug)]
pub struct Paths {
    nodes: Vec<PathNode>,
}

impl Default for Paths {
    fn default() -> Self {
        Self::new()
    }
}

impl Paths {
    /// Only the root.
    pub fn new() -> Self {
        Self { nodes: vec![PathNode::new(0, Segment::Elements)] }
    }

    /// How many paths are known.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: the root is always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The path of a member below `parent`.
    pub fn member(&mut self, parent: PathId, name: &str) -> PathId {
        let node = &mut self.nodes[parent as usize];
        // Siblings come in much the same order in every record, so the next one is tried first.
        if let Some((known, id)) = node.children.get(node.guess)
            && known == name
        {
            node.guess += 1;
            return *id;
        }
        if let Some(at) = node.children.iter().position(|(known, _)| known == name) {
            node.guess = at + 1;
            return node.children[at].1;
        }
        if node.children.len() >= MOST_NAMES {
            return self.other(parent);
        }
        let id = self.add(parent, Segment::Name(name.to_owned()));
        let node = &mut self.nodes[parent as usize];
        node.children.push((name.to_owned(), id));
        node.guess = node.children.len();
        id
    }

    /// The path of the elements below `parent`.
    pub fn element(&mut self, parent: PathId) -> PathId {
        if let Some(id) = self.nodes[parent as usize].elements {
            return id;
        }
        let id = self.add(parent, Segment::Elements);
        self.nodes[parent as usize].elements = Some(id);
        id
    }

    fn other(&mut self, parent: PathId) -> PathId {
        if let Some(id) = self.nodes[parent as usize].other {
            return id;
        }
        let id = self.add(parent, Segment::Members);
        self.nodes[parent as usize].other = Some(id);
        id
    }

    fn add(&mut self, parent: PathId, segment: Segment) -> PathId {
        let id = PathId::try_from(self.nodes.len()).expect("fewer paths than bytes");
        self.nodes.push(PathNode::new(parent, segment));
        id
    }

    /// The steps from the root to this path.
    pub fn steps(&self, path: PathId) -> Vec<&Segment> {
        let mut steps = Vec::new();
        let mut at = path;
        while at != 0 {
            let node = &self.nodes[at as usize];
            steps.push(&node.segment);
            at = node.parent;
        }
        steps.reverse();
        steps
    }

    /// The path as the user writes it.
    pub fn show(&self, path: PathId) -> String {
        Selection(self.steps(path).into_iter().cloned().collect()).to_string()
    }
}

impl PathNode {
    fn new(parent: PathId, segment: Segment) -> Self {
        Self { parent, segment, children: Vec::new(), elements: None, other: None, guess: 0 }
    }
}
