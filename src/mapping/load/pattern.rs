//! File patterns: what they match and capture, and which of two takes precedence.

use crate::mapping::model::{Pattern, PatternPiece, PatternSegment};
use std::cmp::Ordering;

impl Pattern {
    /// Parses a pattern such as `people/{owner}/notes_{year}.json`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let segments = text.split('/').map(|segment| parse_segment(text, segment)).collect::<Result<Vec<_>, _>>()?;
        let pattern = Self { text: text.to_owned(), segments };
        let mut seen = Vec::new();
        for capture in pattern.captures() {
            if seen.contains(&capture) {
                return Err(format!("`{text}` captures `{capture}` twice"));
            }
            seen.push(capture);
        }
        Ok(pattern)
    }

    /// The names of its captures, from the left.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flat_map(PatternSegment::captures)
    }

    /// Whether it matches a path (`/` between segments).
    pub fn matches(&self, path: &str) -> bool {
        match_segments(&self.segments, Some(path), &mut |_| {})
    }

    /// The captures of a path by name, or `None` if it is no such path.
    ///
    /// Of several ways to match, the one whose captures are shortest from the left is taken.
    pub fn captures_of<'p>(&'p self, path: &'p str) -> Option<Vec<(&'p str, &'p str)>> {
        let mut captures = Vec::new();
        let matches = match_segments(&self.segments, Some(path), &mut |found| match found {
            Found::Capture(name, text) => captures.push((name, text)),
            Found::Less => drop(captures.pop()),
        });
        matches.then_some(captures)
    }

    /// Which of two patterns takes a file that both match: `Less` when it is this one.
    ///
    /// Segments are compared from the left: a literal comes before a literal with a capture or star,
    /// this before a bare capture or `*`, and `**` last. The first difference decides.
    pub fn more_specific(&self, other: &Pattern) -> Ordering {
        for (mine, theirs) in self.segments.iter().zip(&other.segments) {
            match rank(mine).cmp(&rank(theirs)) {
                Ordering::Equal => {}
                decided => return decided,
            }
        }
        other.segments.len().cmp(&self.segments.len())
    }

    /// Whether some path is matched by both.
    pub fn overlaps(&self, other: &Pattern) -> bool {
        meet(&self.segments, &other.segments, &|segment| *segment == PatternSegment::Any, &|a, b| {
            let (a, b) = (tokens(a), tokens(b));
            meet(&a, &b, &|token| *token == Token::Run, &|a, b| match (a, b) {
                (Token::Char(a), Token::Char(b)) => a == b,
                _ => true,
            })
        })
    }
}

impl PatternSegment {
    /// The pieces of one with holes; none of others.
    fn pieces(&self) -> &[PatternPiece] {
        match self {
            PatternSegment::Mixed(pieces) => pieces,
            PatternSegment::Literal(_) | PatternSegment::Any => &[],
        }
    }

    /// The names of its captures, from the left.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.pieces().iter().filter_map(|piece| match piece {
            PatternPiece::Capture(name) => Some(name.as_str()),
            PatternPiece::Literal(_) | PatternPiece::Star => None,
        })
    }

    /// The literal beginning and end of one with holes.
    pub fn ends(&self) -> [&str; 2] {
        [self.pieces().first(), self.pieces().last()].map(|piece| match piece {
            Some(PatternPiece::Literal(text)) => text.as_str(),
            _ => "",
        })
    }

    /// Whether a part of it is literal, so that it does not match any name.
    pub fn has_literal(&self) -> bool {
        let is_literal = |piece: &PatternPiece| matches!(piece, PatternPiece::Literal(_));
        matches!(self, PatternSegment::Literal(_)) || self.pieces().iter().any(is_literal)
    }
}

fn parse_segment(text: &str, segment: &str) -> Result<PatternSegment, String> {
    match segment {
        "" => return Err(format!("`{text}` has an empty segment; patterns are relative to the import root")),
        "." | ".." => return Err(format!("`{text}` has `{segment}`; patterns go down from the import root")),
        "**" => return Ok(PatternSegment::Any),
        _ if segment.contains('\\') => return Err(format!("`{text}` has a backslash; segments are separated by `/`")),
        _ if segment.contains("**") => return Err(format!("`**` must be a whole segment, unlike in `{text}`")),
        _ => {}
    }
    let mut pieces = Vec::new();
    let mut rest = segment;
    while let Some(at) = rest.find(['{', '}', '*']) {
        if at > 0 {
            pieces.push(PatternPiece::Literal(rest[..at].to_owned()));
        }
        let wild = if let Some(after) = rest[at..].strip_prefix('*') {
            rest = after;
            PatternPiece::Star
        } else {
            let capture = rest[at..].strip_prefix('{').and_then(|open| open.split_once('}'));
            let Some((name, after)) = capture else {
                return Err(format!("`{text}` has an unmatched brace"));
            };
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(format!("`{{{name}}}` in `{text}` is not a capture; a name has letters, digits and `_`"));
            }
            rest = after;
            PatternPiece::Capture(name.to_owned())
        };
        if !matches!(pieces.last(), None | Some(PatternPiece::Literal(_))) {
            return Err(format!("two captures or stars are adjacent in `{text}`, so it is ambiguous where one ends"));
        }
        pieces.push(wild);
    }
    if pieces.is_empty() {
        return Ok(PatternSegment::Literal(segment.to_owned()));
    }
    if !rest.is_empty() {
        pieces.push(PatternPiece::Literal(rest.to_owned()));
    }
    Ok(PatternSegment::Mixed(pieces))
}

/// 0 for a literal, 1 for a literal with something else, 2 for a bare capture or star, 3 for `**`.
fn rank(segment: &PatternSegment) -> u8 {
    match segment {
        PatternSegment::Literal(_) => 0,
        PatternSegment::Mixed(_) if segment.has_literal() => 1,
        PatternSegment::Mixed(_) => 2,
        PatternSegment::Any => 3,
    }
}

/// What is told while a path is matched.
enum Found<'p> {
    /// A capture by name; it may turn out to be too short.
    Capture(&'p str, &'p str),
    /// The last one is taken back.
    Less,
}

/// Whether the segments match what is left of a path, `None` behind its last segment. What they capture is told;
/// of what does not match everything is taken back.
fn match_segments<'p>(pattern: &'p [PatternSegment], path: Option<&'p str>, tell: &mut dyn FnMut(Found<'p>)) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return path.is_none() };
    if *first == PatternSegment::Any {
        let mut left = path;
        loop {
            if match_segments(rest, left, tell) {
                return true;
            }
            let Some(path) = left else { return false };
            left = path.split_once('/').map(|(_, behind)| behind);
        }
    }
    let Some(path) = path else { return false };
    let (name, left) = path.split_once('/').map_or((path, None), |(name, left)| (name, Some(left)));
    match first {
        PatternSegment::Literal(literal) => literal == name && match_segments(rest, left, tell),
        PatternSegment::Mixed(pieces) => {
            if !match_pieces(pieces, name, tell) {
                return false;
            }
            let matched = match_segments(rest, left, tell);
            if !matched {
                first.captures().for_each(|_| tell(Found::Less));
            }
            matched
        }
        PatternSegment::Any => unreachable!("it was seen to above"),
    }
}

fn match_pieces<'p>(pieces: &'p [PatternPiece], name: &'p str, tell: &mut dyn FnMut(Found<'p>)) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return name.is_empty() };
    let (least, capture) = match first {
        PatternPiece::Literal(literal) => {
            return name.strip_prefix(literal.as_str()).is_some_and(|name| match_pieces(rest, name, tell));
        }
        PatternPiece::Capture(capture) => (1, Some(capture.as_str())),
        PatternPiece::Star => (0, None),
    };
    let mut fits = |end: usize| {
        capture.iter().for_each(|capture| tell(Found::Capture(capture, &name[..end])));
        let fits = match_pieces(rest, &name[end..], tell);
        if !fits {
            capture.iter().for_each(|_| tell(Found::Less));
        }
        fits
    };
    let is_long_enough = |end: &usize| *end > 0 || least == 0;
    match rest {
        // Only one end is possible where nothing else is open.
        [] => is_long_enough(&name.len()) && fits(name.len()),
        [PatternPiece::Literal(last)] => {
            name.strip_suffix(last.as_str()).map(str::len).filter(is_long_enough).is_some_and(fits)
        }
        _ => name.char_indices().map(|(at, _)| at).chain([name.len()]).filter(is_long_enough).any(fits),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Char(char),
    /// Any one character.
    One,
    /// Any characters, none included.
    Run,
}

fn tokens(segment: &PatternSegment) -> Vec<Token> {
    match segment {
        PatternSegment::Literal(literal) => literal.chars().map(Token::Char).collect(),
        PatternSegment::Mixed(pieces) => pieces
            .iter()
            .flat_map(|piece| match piece {
                PatternPiece::Literal(literal) => literal.chars().map(Token::Char).collect(),
                PatternPiece::Capture(_) => vec![Token::One, Token::Run],
                PatternPiece::Star => vec![Token::Run],
            })
            .collect(),
        PatternSegment::Any => vec![Token::Run],
    }
}

/// Whether two sequences with wild runs in them have an instance in common.
fn meet<T>(a: &[T], b: &[T], is_run: &dyn Fn(&T) -> bool, alike: &dyn Fn(&T, &T) -> bool) -> bool {
    // row[j]: whether the parts of `a` so far meet the first j parts of `b`.
    let mut row = vec![true];
    for part in b {
        let last = row[row.len() - 1];
        row.push(last && is_run(part));
    }
    for mine in a {
        let mut next = vec![row[0] && is_run(mine)];
        for (j, theirs) in b.iter().enumerate() {
            let met = match (is_run(mine), is_run(theirs)) {
                (false, false) => row[j] && alike(mine, theirs),
                // A run takes nothing, or one more of the other side.
                _ => row[j + 1] || next[j],
            };
            next.push(met);
        }
        row = next;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).expect("a good pattern")
    }

    fn captured(text: &str, path: &str) -> Option<String> {
        let pattern = pattern(text);
        let captures = pattern.captures_of(path);
        assert_eq!(pattern.matches(path), captures.is_some(), "{text} on {path}");
        let captures = captures?;
        Some(captures.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_pattern_matches_whole_paths_and_returns_its_captures() {
        let cases = [
            ("people/people.json", "people/people.json", Some("")),
            ("people/people.json", "people/people.json.bak", None),
            ("people/{owner}/notes.json", "people/ann/notes.json", Some("owner=ann")),
            ("people/{owner}/notes.json", "people/notes.json", None),
            ("people/{owner}/notes.json", "people/a/b/notes.json", None),
            ("{a}_{b}.json", "x_y_z.json", Some("a=x b=y_z")),
            ("notes_{year}.json", "notes_.json", None),
            ("notes_{year}.json", "notes_2019.json", Some("year=2019")),
            ("*.json", ".json", Some("")),
            ("*.json", "a.txt", None),
            ("old/**", "old/a/b.json", Some("")),
            ("old/**", "old", Some("")),
            ("**/{name}.json", "a/b/c.json", Some("name=c")),
            ("**/{name}.json", "c.json", Some("name=c")),
            ("**/{a}_{b}/x", "p_q/x_y_z/x", Some("a=x b=y_z")),
            ("{a}_{b}/**/{c}.json", "x_y/z.json", Some("a=x b=y c=z")),
            ("**/{a}/b/{c}", "b/b/b/b/c", Some("a=b c=c")),
            ("**/{a}-*/{b}.json", "x/y-/z.json", Some("a=y b=z")),
            ("a*b*c", "abbcc", Some("")),
            ("{x}", "", None),
            ("{ä}.json", "x.json", None),
        ];
        for (text, path, expected) in cases {
            if text.contains('ä') {
                assert!(Pattern::parse(text).is_err());
            } else {
                assert_eq!(captured(text, path).as_deref(), expected, "{text} on {path}");
            }
        }
        assert_eq!(captured("{x}.json", "äöü.json").as_deref(), Some("x=äöü"));
    }

    #[test]
    fn the_first_difference_from_the_left_decides() {
        let ordered = ["a/b", "a/b_{x}", "a/{x}", "a/**", "a_*/b", "{x}/b", "*/b_{x}", "**/b", "**"];
        for (i, first) in ordered.iter().enumerate() {
            for (j, second) in ordered.iter().enumerate() {
                assert_eq!(pattern(first).more_specific(&pattern(second)), i.cmp(&j), "{first} and {second}");
            }
        }
        assert_eq!(pattern("a/{x}").more_specific(&pattern("b/*")), Ordering::Equal);
    }

    #[test]
    fn patterns_overlap_when_a_path_fits_both() {
        let cases = [
            ("a/{x}.json", "a/{y}.json", true),
            ("a/{x}.json", "b/{y}.json", false),
            ("{x}_a.json", "b_{y}.json", true),
            ("{x}.json", "{y}.txt", false),
            ("a/**", "**/b", true),
            ("a/**/c", "a/**/d", false),
            ("**", "x", true),
            ("a{x}", "a", false),
            ("a*", "a", true),
        ];
        for (a, b, expected) in cases {
            assert_eq!(pattern(a).overlaps(&pattern(b)), expected, "{a} and {b}");
            assert_eq!(pattern(b).overlaps(&pattern(a)), expected, "{b} and {a}");
        }
    }

    #[test]
    fn invalid_patterns_are_refused() {
        for text in ["", "/a", "a//b", "../a", "a\\b", "a**", "{a", "a}", "{}", "{a}{b}", "{a}*", "{a}/{a}"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
