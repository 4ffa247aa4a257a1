//! Patterns that could name the same file, and of which neither is more specific, become one: which
//! of two mappings reads a file must not be a guess.

use crate::mapping::model::{Pattern, PatternPiece, PatternSegment};
use std::cmp::Ordering;

/// Files that seem to be of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The file pattern, as a mapping writes it.
    pub pattern: String,
    /// The pattern of those that are packed, if others are not.
    pub packed: Option<String>,
    /// The numbers of the files.
    pub files: Vec<usize>,
}

/// Merges groups until no two overlap, and gives each file to the most specific that is left.
pub(super) fn merge(groups: Vec<Group>, paths: &[&str]) -> Vec<Group> {
    // Patterns without a hole name one file each.
    let (wild, fixed): (Vec<Group>, Vec<Group>) =
        groups.into_iter().partition(|group| group.pattern.contains(['{', '*']));
    let before = wild.len();
    let mut kept: Vec<(Pattern, Vec<usize>)> = Vec::new();
    let mut done = fixed;
    for group in wild {
        // What cannot be said as a pattern cannot overlap either.
        let Ok(mut pattern) = Pattern::parse(&group.pattern) else {
            done.push(group);
            continue; // kept as it is
        };
        let mut files = group.files;
        // A wider pattern may overlap with more of them.
        while let Some(at) = kept.iter().position(|(other, _)| clash(&pattern, other)) {
            let (other, more) = kept.swap_remove(at);
            pattern = wider(&pattern, &other);
            files.extend(more);
        }
        kept.push((pattern, files));
    }
    if kept.len() < before {
        deal(&mut kept, paths);
    }
    done.extend(kept.into_iter().filter(|(_, files)| !files.is_empty()).map(|(pattern, mut files)| {
        files.sort_unstable();
        Group { pattern: pattern.text, packed: None, files }
    }));
    done
}

fn clash(a: &Pattern, b: &Pattern) -> bool {
    a.more_specific(b) == Ordering::Equal && a.overlaps(b)
}

/// Gives each file to the pattern that an import would give it to.
fn deal(groups: &mut [(Pattern, Vec<usize>)], paths: &[&str]) {
    let files: Vec<usize> = groups.iter_mut().flat_map(|(_, files)| std::mem::take(files)).collect();
    for file in files {
        let fitting = groups.iter_mut().filter(|(pattern, _)| pattern.matches(paths[file]));
        if let Some((_, of)) = fitting.min_by(|(a, _), (b, _)| a.more_specific(b)) {
            of.push(file);
        }
    }
}

/// A pattern of everything that two patterns match, which are alike in the kinds of their segments.
fn wider(a: &Pattern, b: &Pattern) -> Pattern {
    let mut segments: Vec<PatternSegment> = Vec::new();
    for (at, (mine, theirs)) in a.segments.iter().zip(&b.segments).enumerate() {
        let taken: Vec<&str> =
            segments.iter().chain(&a.segments[at + 1..]).flat_map(PatternSegment::captures).collect();
        let segment = if mine == theirs { mine.clone() } else { wider_segment(mine, theirs, &taken) };
        segments.push(segment);
    }
    let text: Vec<String> = segments.iter().map(show).collect();
    Pattern { text: text.join("/"), segments }
}

/// What both begin with, a capture, and what both end with.
fn wider_segment(a: &PatternSegment, b: &PatternSegment, taken: &[&str]) -> PatternSegment {
    let ([begins, ends_with], [other_begins, other_ends]) = (a.ends(), b.ends());
    let same = |(a, b): &(char, char)| a == b;
    let begin: String = begins.chars().zip(other_begins.chars()).take_while(same).map(|(a, _)| a).collect();
    let end: Vec<char> =
        ends_with.chars().rev().zip(other_ends.chars().rev()).take_while(same).map(|(a, _)| a).collect();
    let part = std::iter::once("part".to_owned()).chain((2..).map(|number| format!("part{number}")));
    let mut names = a.captures().map(str::to_owned).chain(part);
    let name = names.find(|name| !taken.contains(&name.as_str())).unwrap_or_default();
    let literal = |text: String| (!text.is_empty()).then_some(PatternPiece::Literal(text));
    let end = literal(end.into_iter().rev().collect());
    PatternSegment::Mixed(literal(begin).into_iter().chain([PatternPiece::Capture(name)]).chain(end).collect())
}

fn show(segment: &PatternSegment) -> String {
    let piece = |piece: &PatternPiece| match piece {
        PatternPiece::Literal(text) => text.clone(),
        PatternPiece::Capture(name) => format!("{{{name}}}"),
        PatternPiece::Star => "*".to_owned(),
    };
    match segment {
        PatternSegment::Literal(text) => text.clone(),
        PatternSegment::Mixed(pieces) => pieces.iter().map(piece).collect(),
        PatternSegment::Any => "**".to_owned(),
    }
}
