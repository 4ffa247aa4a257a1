//! Many patterns at once: which of them may match a path, or a path that another one matches, found by
//! what is literal in them.

use super::model::{Pattern, PatternSegment};
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

/// Patterns by number. What it finds are candidates: whether they match is for [`Pattern::matches`] and
/// [`Pattern::overlaps`] to say.
#[derive(Debug, Default)]
pub struct Patterns {
    root: Node,
}

/// The patterns that begin alike: a tree of their segments, up to the first `**`.
#[derive(Debug, Default)]
struct Node {
    /// The patterns that end here.
    ends: Vec<usize>,
    literals: HashMap<String, Node>,
    /// Segments with a capture or star: by what they begin with, then by what they end with, last letter first.
    mixed: BTreeMap<String, BTreeMap<String, Node>>,
    /// Where a `**` comes next: what follows the last one of the pattern, last segment first.
    tails: Option<Box<Node>>,
}

impl Patterns {
    /// Adds a pattern. Numbers may come in any order.
    pub fn add(&mut self, number: usize, pattern: &Pattern) {
        let (head, tail) = parts(pattern);
        let mut node = head.iter().fold(&mut self.root, |node, segment| node.below(segment));
        if let Some(tail) = tail {
            let tails: &mut Node = node.tails.get_or_insert_default();
            node = tail.iter().rev().fold(tails, |node, segment| node.below(segment));
        }
        node.ends.push(number);
    }

    /// The patterns that may match a path, in the order of their numbers: each that does is among them.
    pub fn near(&self, path: &str) -> Vec<usize> {
        let segments: Vec<&str> = path.split('/').collect();
        let mut found = Vec::new();
        self.root.near(&segments, false, &mut found);
        found.sort_unstable();
        found
    }

    /// The patterns that may match a path of this one and are as specific, in the order of their numbers:
    /// each for which [`Pattern::overlaps`] holds and [`Pattern::more_specific`] says `Equal` is among them.
    pub fn rivals(&self, pattern: &Pattern) -> Vec<usize> {
        let (head, tail) = parts(pattern);
        let mut nodes = steps(vec![&self.root], head.iter());
        if let Some(tail) = tail {
            let tails = nodes.into_iter().filter_map(|node| node.tails.as_deref()).collect();
            nodes = steps(tails, tail.iter().rev());
        }
        let mut found: Vec<usize> = nodes.into_iter().flat_map(|node| &node.ends).copied().collect();
        found.sort_unstable();
        found
    }
}

/// The segments before the first `**`, and those behind the last one, if there is one.
fn parts(pattern: &Pattern) -> (&[PatternSegment], Option<&[PatternSegment]>) {
    let segments = &pattern.segments;
    let is_any = |segment: &PatternSegment| *segment == PatternSegment::Any;
    match (segments.iter().position(is_any), segments.iter().rposition(is_any)) {
        (Some(first), Some(last)) => (&segments[..first], Some(&segments[last + 1..])),
        _ => (segments, None),
    }
}

/// What a segment begins with, and what it ends with, last letter first.
fn ends(segment: &PatternSegment) -> (&str, String) {
    let [begins, ends] = segment.ends();
    (begins, ends.chars().rev().collect())
}

/// The nodes to which a pattern's segments lead that may have a name in common with these.
fn steps<'n, 's>(from: Vec<&'n Node>, segments: impl Iterator<Item = &'s PatternSegment>) -> Vec<&'n Node> {
    segments.fold(from, |nodes, segment| nodes.into_iter().flat_map(|node| node.alike(segment)).collect())
}

impl Node {
    fn below(&mut self, segment: &PatternSegment) -> &mut Node {
        match segment {
            PatternSegment::Literal(name) => self.literals.entry(name.clone()).or_default(),
            PatternSegment::Mixed(_) => {
                let (begins, ends) = ends(segment);
                self.mixed.entry(begins.to_owned()).or_default().entry(ends).or_default()
            }
            PatternSegment::Any => self.tails.get_or_insert_default(),
        }
    }

    /// `open`: whether something may lie between the pattern's end and the path's.
    fn near(&self, path: &[&str], open: bool, found: &mut Vec<usize>) {
        if open || path.is_empty() {
            found.extend(&self.ends);
        }
        if let Some(tails) = &self.tails {
            let reversed: Vec<&str> = path.iter().rev().copied().collect();
            tails.near(&reversed, true, found);
        }
        let Some((name, rest)) = path.split_first() else { return };
        if let Some(node) = self.literals.get(*name) {
            node.near(rest, open, found);
        }
        if self.mixed.is_empty() {
            return;
        }
        // A few keys are compared sooner than all beginnings and ends are looked up.
        let is_few = |keys: usize| keys < name.len();
        let mut visit = |by_end: &BTreeMap<String, Node>| {
            if is_few(by_end.len()) {
                let nodes =
                    by_end.iter().filter(|(end, _)| end.chars().eq(name.chars().rev().take(end.chars().count())));
                nodes.for_each(|(_, node)| node.near(rest, open, found));
            } else {
                let backwards: String = name.chars().rev().collect();
                let nodes = beginnings(&backwards).filter_map(|end| by_end.get(end));
                nodes.for_each(|node| node.near(rest, open, found));
            }
        };
        if is_few(self.mixed.len()) {
            let begins = self.mixed.iter().filter(|(beginning, _)| name.starts_with(beginning.as_str()));
            begins.for_each(|(_, by_end)| visit(by_end));
        } else {
            beginnings(name).filter_map(|beginning| self.mixed.get(beginning)).for_each(visit);
        }
    }

    /// The nodes below for segments of the same rank that may have a name in common with this one.
    fn alike(&self, segment: &PatternSegment) -> Vec<&Node> {
        match segment {
            PatternSegment::Literal(name) => self.literals.get(name).into_iter().collect(),
            PatternSegment::Mixed(_) => {
                let (begins, ends) = ends(segment);
                compatible(&self.mixed, begins).flat_map(|by_end| compatible(by_end, &ends)).collect()
            }
            PatternSegment::Any => self.tails.as_deref().into_iter().collect(),
        }
    }
}

/// Every beginning of a text, the empty one and the whole among them.
fn beginnings(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, _)| &text[..at]).chain([text])
}

/// The values whose keys begin with this text, or are a beginning of it.
fn compatible<'m, T>(map: &'m BTreeMap<String, T>, text: &str) -> impl Iterator<Item = &'m T> {
    let shorter = beginnings(text).filter(|beginning| beginning.len() < text.len()).filter_map(|key| map.get(key));
    let longer = map.range::<str, _>((Bound::Included(text), Bound::Unbounded));
    shorter.chain(longer.take_while(move |(key, _)| key.starts_with(text)).map(|(_, value)| value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    fn indexed(patterns: &[Pattern]) -> Patterns {
        let mut index = Patterns::default();
        patterns.iter().enumerate().for_each(|(number, pattern)| index.add(number, pattern));
        index
    }

    #[test]
    fn the_number_of_candidates_does_not_grow_with_the_number_of_patterns() {
        let forms = [
            "kind_N.json",
            "people/{owner}/kind_N/{x}.json",
            "N_{x}.json",
            "data_{x}_N.json",
            "**/N.json",
            "a/**/N_{x}",
        ];
        let patterns: Vec<Pattern> = (1_000..1_400)
            .flat_map(|number| forms.map(|form| Pattern::parse(&form.replace('N', &number.to_string())).unwrap()))
            .collect();
        let index = indexed(&patterns);
        for (number, pattern) in patterns.iter().enumerate() {
            assert_eq!(index.rivals(pattern), [number], "{}", pattern.text);
            let path = pattern.text.replace("{owner}", "ann").replace("{x}", "7").replace("**", "b/c");
            assert_eq!(index.near(&path), [number], "{path}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_pattern_is_missed(
            texts in prop::collection::vec("(a|b|ab|ä|\\{x\\}|\\*|a\\{x\\}|\\{x\\}b|a\\*b|ab\\*ä|\\*\\*)(/(a|b|ab|\\*|a\\*|\\*b|\\*\\*)){0,3}", 1..20),
            path in "(a|b|ab|ä|aab|abä)(/(a|b|ab|aab)){0,3}",
        ) {
            let patterns: Vec<Pattern> = texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
            let index = indexed(&patterns);
            let near = index.near(&path);
            prop_assert!(near.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice: {near:?}");
            for (number, pattern) in patterns.iter().enumerate() {
                prop_assert!(!pattern.matches(&path) || near.contains(&number), "{} on {path}", pattern.text);
                let rivals = index.rivals(pattern);
                for (other, rival) in patterns.iter().enumerate() {
                    let is_rival = pattern.more_specific(rival) == Ordering::Equal && pattern.overlaps(rival);
                    prop_assert!(!is_rival || rivals.contains(&other), "{} and {}", pattern.text, rival.text);
                }
            }
        }
    }
}
