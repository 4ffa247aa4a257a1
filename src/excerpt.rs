//! The line of a file that an error is about, with the place that is meant.

use std::ops::Range;

/// What names something in general where a message goes on to name what is wrong: it is looked for last.
const AROUND: [&str; 6] = ["rule", "rules", "table", "shape", "mapping", "migration"];

/// A line of a file with the place in it that an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line's number, from 1.
    pub line: u32,
    /// The line, without its end.
    pub text: String,
    /// The bytes of it that are meant. Where something is missing they are none: it belongs before them.
    pub span: Range<usize>,
}

impl Excerpt {
    /// The line that a span of a text begins in; what is behind its end is left out.
    pub fn of_span(text: &str, span: Range<usize>) -> Self {
        let start = floor(text, span.start);
        let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[begin..].lines().next().unwrap_or_default();
        let number = text[..begin].matches('\n').count() + 1;
        let start = (start - begin).min(line.len());
        let end = floor(line, span.end.saturating_sub(begin)).max(start);
        let end = start + line[start..end].trim_end().len();
        Self { line: u32::try_from(number).unwrap_or(u32::MAX), text: line.to_owned(), span: start..end }
    }

    /// A line of a text, with what a message says of it: of the names in its backticks the first that stands there, else
    /// the line's key, else all of it. A line that is not there, or blank, has nothing to show.
    pub fn of_line(text: &str, number: u32, message: &str) -> Option<Self> {
        let line = text.lines().nth(number.checked_sub(1)? as usize)?;
        let start = line.len() - line.trim_start().len();
        let whole = start..line.trim_end().len();
        if whole.is_empty() {
            return None;
        }
        let span = named(line, whole.clone(), message).unwrap_or_else(|| key(line, whole));
        Some(Self { line: number, text: line.to_owned(), span })
    }

    /// The same with what a message names in so many bytes from the place on, if it names something there.
    #[must_use]
    pub fn naming(mut self, message: &str, length: usize) -> Self {
        let end = floor(&self.text, self.span.start + length);
        if let Some(span) = named(&self.text, self.span.start..end, message) {
            self.span = span;
        }
        self
    }
}

/// The last boundary of characters at or before an offset.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// Where in a part of a line one of the names stands that a message has in backticks.
fn named(line: &str, within: Range<usize>, message: &str) -> Option<Range<usize>> {
    let parts: Vec<&str> = message.split('`').collect();
    let names = || parts.iter().enumerate().skip(1).step_by(2).filter(|(_, name)| !name.is_empty());
    let is_around = |at: usize| parts[at - 1].split_whitespace().next_back().is_some_and(|word| AROUND.contains(&word));
    let of = |name: &str| find(line, within.clone(), name);
    let own = || names().filter(|(at, _)| !is_around(*at)).map(|(_, name)| *name);
    own()
        .find_map(of)
        .or_else(|| names().map(|(_, name)| *name).find_map(of))
        .or_else(|| own().filter_map(|name| name.rsplit_once('.')).find_map(|(_, last)| of(last)))
}

/// Where a name stands in a part of a line, not within a longer one.
fn find(line: &str, within: Range<usize>, name: &str) -> Option<Range<usize>> {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let begins = name.starts_with(is_of_name);
    let ends = name.ends_with(is_of_name);
    let part = line.get(within.clone())?;
    let found = part.match_indices(name).find(|(at, _)| {
        let before = line[..within.start + at].chars().next_back();
        let behind = line[within.start + at + name.len()..].chars().next();
        !(begins && before.is_some_and(is_of_name) || ends && behind.is_some_and(is_of_name))
    });
    found.map(|(at, _)| within.start + at..within.start + at + name.len())
}

/// The key of a line `KEY = VALUE`, else all of it.
fn key(line: &str, whole: Range<usize>) -> Range<usize> {
    let text = &line[whole.clone()];
    let end = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].find(quote).map_or(0, |at| at + 2),
        _ => text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))).unwrap_or_default(),
    };
    if end > 0 && text[end..].trim_start().starts_with('=') { whole.start..whole.start + end } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_line(line: &str, message: &str) -> String {
        let Excerpt { text, span, .. } = Excerpt::of_line(line, 1, message).expect("a line that is not blank");
        text[span].to_owned()
    }

    #[test]
    fn a_message_is_about_what_it_names_first_that_stands_in_the_line() {
        for (line, message, expected) in [
            ("on_dupe = \"x\"", "`table.people` has no key `on_dupe`", "on_dupe"),
            ("  id = { from = \"idd\" }", "column `people.id` is NOT NULL", "id"),
            ("[table.x]", "rule `x` writes into table `people`, which is not there", "x"),
            ("into = \"peple\"", "rule `x` writes into table `peple`", "peple"),
            ("name = \"=n\"", "`=n` is neither a column nor a `let`", "=n"),
            ("\"a b\" = \"c\"", "nothing of it is named", "\"a b\""),
            ("\tnotes = 1 ", "nothing of it is named", "notes"),
            ("CREATE TABLE a (b) ", "it is not valid SQL: `x`", "CREATE TABLE a (b)"),
            ("ids = \"id\"", "`id` is not there", "id"),
        ] {
            assert_eq!(of_line(line, message), expected, "{line}: {message}");
        }
        assert_eq!(Excerpt::of_line("a\n  \nb", 2, ""), None);
        assert_eq!(Excerpt::of_line("a", 2, ""), None);
    }

    #[test]
    fn a_span_is_shown_in_the_line_that_it_begins_in() {
        let text = "a = 1\r\nbö = [\n 2\n]";
        let of = |span| {
            let Excerpt { line, text, span } = Excerpt::of_span(text, span);
            (line, text[span.clone()].to_owned(), span)
        };
        assert_eq!(of(7..9), (2, "b".to_owned(), 0..1)); // never half of a character
        assert_eq!(of(13..20), (2, "[".to_owned(), 6..7));
        assert_eq!(of(5..5), (1, String::new(), 5..5));
        assert_eq!(of(100..101), (4, String::new(), 1..1));
    }
}
