//! Paths into a document: how they are written ([`Selection`]) and how they are numbered ([`Paths`]).

use std::collections::HashMap;

/// The number of a path in [`Paths`]; the root is 0.
pub type PathId = u32;

/// One step of a [`Selection`], or of an interned path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// The member of this name.
    Name(String),
    /// Every member of an object (`.*`).
    Members,
    /// Every element of an array (`[*]`).
    Elements,
    /// The members of these names, in the order of the document (`['a', 'b']`).
    Names(Vec<String>),
    /// Any number of members and elements, none too (`**`); only in patterns of places.
    AnyDepth,
    /// The elements of an array, else the value itself; only in patterns of places.
    Spread,
}

/// Selects values of a document: names, several names, `.*` and `[*]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Selection(pub Vec<Segment>);

impl Selection {
    /// Whether the last name that it selects by is any (`.*`).
    pub fn ends_in_any_member(&self) -> bool {
        self.0.iter().rev().find(|step| **step != Segment::Elements) == Some(&Segment::Members)
    }

    /// The selections of single names that select together what this one does: one for each choice of its unions.
    pub fn choices(&self) -> Vec<Selection> {
        let mut choices = vec![Vec::with_capacity(self.0.len())];
        for segment in &self.0 {
            let Segment::Names(names) = segment else {
                choices.iter_mut().for_each(|choice| choice.push(segment.clone()));
                continue;
            };
            let with = |choice: &Vec<Segment>, name: &String| {
                let mut choice = choice.clone();
                choice.push(Segment::Name(name.clone()));
                choice
            };
            choices = choices.iter().flat_map(|choice| names.iter().map(move |name| with(choice, name))).collect();
        }
        choices.into_iter().map(Selection).collect()
    }

    /// The names before the first star, and that star.
    pub fn before_star(&self) -> (&[Segment], Option<&Segment>) {
        let star = self.0.iter().position(|step| !matches!(step, Segment::Name(_))).unwrap_or(self.0.len());
        (&self.0[..star], self.0.get(star))
    }
}

/// Which texts of a document hold JSON, which stands in their place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FromJson {
    /// Selected from the record.
    pub record: Vec<Selection>,
    /// Selected from the document without its records.
    pub frame: Vec<Selection>,
}

impl FromJson {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.record.is_empty() && self.frame.is_empty()
    }
}

impl std::fmt::Display for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for (i, segment) in self.0.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            match segment {
                Segment::Elements | Segment::Spread => f.write_str("[*]")?,
                Segment::Members => write!(f, "{dot}*")?,
                Segment::AnyDepth => write!(f, "{dot}**")?,
                Segment::Names(names) => {
                    let names: Vec<String> = names.iter().map(|name| format!("'{}'", quoted(name))).collect();
                    write!(f, "[{}]", names.join(", "))?;
                }
                Segment::Name(name) if is_plain(name) => write!(f, "{dot}{name}")?,
                Segment::Name(name) => write!(f, "['{}']", quoted(name))?,
            }
        }
        Ok(())
    }
}

/// A name as it is written between single quotes: a path that is shown can be read back, and is safe for a terminal.
fn quoted(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            c if crate::finding::is_unprintable(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Whether a member name can be written in a path without quotes.
pub fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// The most names that are distinguished below one path; later ones count as one path, `…`.
const MOST_NAMES: usize = 2_000;

/// Up to so many names, comparing them one by one is faster than hashing.
const FEW_NAMES: usize = 16;

#[derive(Debug)]
struct PathNode {
    parent: PathId,
    segment: Segment,
    children: Vec<(String, PathId)>,
    /// Positions in `children`, once there are more than [`FEW_NAMES`].
    index: HashMap<String, usize>,
    elements: Option<PathId>,
    /// What names beyond the most share, those that are kept apart in the second.
    others: [Option<PathId>; 2],
    guess: usize,
}

/// Interned paths of one shape: every member name is a step, every array element is `[*]`.
///
/// The reader gives each node the number of its path, so that what is known of a path is worked
/// out once and not once per node. Names beyond the first 2,000 below one path share one path, so
/// whoever asks for certain names interns those first, or says which are kept apart.
#[derive(Debug)]
pub struct Paths {
    nodes: Vec<PathNode>,
    apart: fn(&str) -> bool,
    /// Whether names share a path.
    shares: bool,
}

impl Default for Paths {
    fn default() -> Self {
        Self::new()
    }
}

impl Paths {
    /// Only the root.
    pub fn new() -> Self {
        Self::keeping_apart(|_| false)
    }

    /// Only the root. Names for which `apart` holds never share a path with others: they have paths of
    /// their own up to 4,000 siblings, and beyond those one that only they share.
    pub fn keeping_apart(apart: fn(&str) -> bool) -> Self {
        Self { nodes: vec![PathNode::new(0, Segment::Elements)], apart, shares: false }
    }

    /// How many paths are known.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: the root is always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether names share a path, so that its number depends on the names before.
    pub fn shares(&self) -> bool {
        self.shares
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
        if let Some(at) = node.position(name) {
            node.guess = at + 1;
            return node.children[at].1;
        }
        if node.children.len() >= MOST_NAMES {
            let siblings = node.children.len();
            let apart = (self.apart)(name);
            if !apart || siblings >= 2 * MOST_NAMES {
                return self.other(parent, apart);
            }
        }
        let id = self.add(parent, Segment::Name(name.to_owned()));
        let node = &mut self.nodes[parent as usize];
        node.children.push((name.to_owned(), id));
        node.guess = node.children.len();
        node.reindex();
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

    fn other(&mut self, parent: PathId, apart: bool) -> PathId {
        let at = usize::from(apart);
        if let Some(id) = self.nodes[parent as usize].others[at] {
            return id;
        }
        self.shares = true;
        let id = self.add(parent, Segment::Members);
        self.nodes[parent as usize].others[at] = Some(id);
        id
    }

    /// Whether the last name of the path is one that is kept apart, and shares the path with such.
    pub fn is_apart(&self, path: PathId) -> bool {
        let mut at = path;
        while at != 0 && self.nodes[at as usize].segment == Segment::Elements {
            at = self.nodes[at as usize].parent;
        }
        at != 0 && self.nodes[self.nodes[at as usize].parent as usize].others[1] == Some(at)
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

    /// Whether some value was met where this leads, or below it; a `.*` in it may be any member.
    pub fn holds(&self, segments: &[Segment], met: &dyn Fn(PathId) -> bool) -> bool {
        self.holds_below(0, segments, met)
    }

    fn holds_below(&self, at: PathId, segments: &[Segment], met: &dyn Fn(PathId) -> bool) -> bool {
        let node = &self.nodes[at as usize];
        let members = || node.children.iter().map(|(_, id)| *id).chain(node.others.into_iter().flatten());
        let all = || members().chain(node.elements);
        let Some((first, rest)) = segments.split_first() else {
            return met(at) || all().any(|id| self.holds_below(id, &[], met));
        };
        match first {
            Segment::Elements => node.elements.is_some_and(|id| self.holds_below(id, rest, met)),
            Segment::Members => members().any(|id| self.holds_below(id, rest, met)),
            Segment::Name(name) => self.holds_named(at, name, rest, met),
            Segment::Names(names) => names.iter().any(|name| self.holds_named(at, name, rest, met)),
            Segment::AnyDepth => self.holds_below(at, rest, met) || all().any(|id| self.holds_below(id, segments, met)),
            Segment::Spread => {
                self.holds_below(at, rest, met) || node.elements.is_some_and(|id| self.holds_below(id, rest, met))
            }
        }
    }

    fn holds_named(&self, at: PathId, name: &str, rest: &[Segment], met: &dyn Fn(PathId) -> bool) -> bool {
        let node = &self.nodes[at as usize];
        match node.position(name) {
            Some(position) => self.holds_below(node.children[position].1, rest, met),
            // Of a name beyond the most that are distinguished nothing is known.
            None => node.others.into_iter().flatten().any(met),
        }
    }

    /// The path as the user writes it.
    pub fn show(&self, path: PathId) -> String {
        Selection(self.steps(path).into_iter().cloned().collect()).to_string()
    }
}

impl PathNode {
    fn new(parent: PathId, segment: Segment) -> Self {
        let (elements, others) = (None, [None; 2]);
        Self { parent, segment, children: Vec::new(), index: HashMap::new(), elements, others, guess: 0 }
    }

    fn position(&self, name: &str) -> Option<usize> {
        if self.children.len() > FEW_NAMES {
            self.index.get(name).copied()
        } else {
            self.children.iter().position(|(known, _)| known == name)
        }
    }

    /// Takes up the names in the index that are not in it yet, once it is needed.
    fn reindex(&mut self) {
        if self.children.len() > FEW_NAMES {
            for at in self.index.len()..self.children.len() {
                self.index.insert(self.children[at].0.clone(), at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_path_however_many_siblings_it_has() {
        let mut paths = Paths::new();
        let first: Vec<_> = (0..100).map(|i| paths.member(0, &format!("n{i}"))).collect();
        let again: Vec<_> = (0..100).rev().map(|i| paths.member(0, &format!("n{i}"))).rev().collect();
        assert_eq!(first, again);
        assert_eq!(paths.len(), 101);
    }

    #[test]
    fn names_beyond_the_most_share_one_path() {
        let mut paths = Paths::new();
        for i in 0..MOST_NAMES {
            paths.member(0, &i.to_string());
        }
        let other = paths.member(0, "one more");
        assert_eq!(paths.member(0, "and another"), other);
        assert_eq!(paths.show(other), "*");
        let early = paths.member(0, "7");
        assert_eq!(paths.show(early), "7");
    }

    #[test]
    fn names_that_are_kept_apart_share_no_path_with_others() {
        let mut paths = Paths::keeping_apart(|name| name.starts_with("pin"));
        for i in 0..MOST_NAMES {
            paths.member(0, &i.to_string());
        }
        let other = paths.member(0, "one more");
        let pins: Vec<_> = (0..=MOST_NAMES).map(|i| paths.member(0, &format!("pin{i}"))).collect();
        assert_eq!(paths.show(pins[7]), "pin7");
        assert_eq!(paths.member(0, "pin7"), pins[7]);
        let last = pins[MOST_NAMES];
        assert_eq!(paths.member(0, "pin of another"), last);
        assert!(last != other && paths.is_apart(last) && !paths.is_apart(other) && !paths.is_apart(pins[7]));
        let element = paths.element(last);
        assert!(paths.is_apart(element));
    }

    #[test]
    fn what_was_found_is_distinguished_from_what_was_not() {
        let name = |name: &str| Segment::Name(name.to_owned());
        let mut paths = Paths::new();
        let list = paths.member(0, "items");
        let element = paths.element(list);
        let size = paths.member(element, "size");
        paths.member(element, "colour"); // numbered and not met
        let holds = |segments: &[Segment]| paths.holds(segments, &|path| path == size);
        assert!(holds(&[]));
        assert!(holds(&[name("items"), Segment::Elements, name("size")]));
        assert!(holds(&[Segment::Members, Segment::Elements, Segment::Members]));
        assert!(!holds(&[name("items"), Segment::Elements, name("colour")]));
        assert!(!holds(&[name("items"), Segment::Elements, name("weight")]));
        assert!(!holds(&[Segment::Elements]));
    }

    #[test]
    fn a_path_is_shown_as_it_is_written() {
        let mut paths = Paths::new();
        let list = paths.member(0, "items");
        let element = paths.element(list);
        let odd = paths.member(element, "odd key");
        assert_eq!(paths.show(odd), "items[*]['odd key']");
        assert_eq!(paths.show(0), ".");
    }
}
