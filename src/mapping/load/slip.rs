//! What is wrong with a file that is no TOML, where a person would look for it: the parser only knows where it could not
//! go on, which for a bracket that is not closed is lines later.

use std::ops::Range;

/// A slip of the pen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slip {
    /// What is wrong.
    pub(super) message: String,
    /// Where.
    pub(super) span: Range<usize>,
    /// What to do.
    pub(super) hint: Option<String>,
}

/// What is meant by quotes and brackets, as far as the parser came.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// The brackets that are open, with their places.
    open: Vec<(char, usize)>,
}

/// Why a scan ends.
enum End {
    /// It knows what is wrong.
    Slip(Slip),
    /// The parser knows it better.
    Parser,
}

/// The first bracket or quote that is missing, in a text that the parser does not get beyond an offset of.
pub(super) fn find(text: &str, until: usize) -> Option<Slip> {
    let mut scan = Scan { text, at: 0, open: Vec::new() };
    match scan.statements() {
        Err(End::Slip(slip)) if slip.span.start <= until => Some(slip),
        _ => None,
    }
}

/// The line that gives a key or table which is given again at a span.
pub(super) fn first_given(text: &str, span: &Range<usize>) -> Option<usize> {
    let of_line = |line: &str| {
        let line = line.trim_start();
        let header = line.starts_with('[').then(|| line.split(']').next());
        let key = || line.split_once('=').map(|(key, _)| key.trim());
        header.flatten().or_else(key).map(str::to_owned)
    };
    let again = text[..span.start].matches('\n').count();
    let wanted = of_line(text.lines().nth(again)?)?;
    let before: Vec<&str> = text.lines().take(again).collect();
    // A key is that of its own table.
    let from = if wanted.starts_with('[') {
        0
    } else {
        before.iter().rposition(|line| line.trim_start().starts_with('[')).unwrap_or(0)
    };
    (from..again).find(|at| of_line(before[*at]).as_ref() == Some(&wanted)).map(|at| at + 1)
}

fn closing(open: char) -> char {
    if open == '[' { ']' } else { '}' }
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn slip(message: String, span: Range<usize>, hint: String) -> End {
        End::Slip(Slip { message, span, hint: Some(hint) })
    }

    fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    /// Skips blanks and comments, and ends of lines where they mean nothing.
    fn skip(&mut self, lines: bool) {
        loop {
            let blank = |c: char| c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'));
            let rest = self.rest();
            let length = rest.len() - rest.trim_start_matches(blank).len();
            self.at += length;
            if !self.rest().starts_with('#') {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn statements(&mut self) -> Result<(), End> {
        loop {
            self.skip(true);
            match self.next() {
                None => return Ok(()),
                Some('[') => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                Some(_) => {
                    self.key()?;
                    self.value()?;
                    self.skip(false);
                    match self.next() {
                        None | Some('\n' | '\r') => {}
                        Some(c @ (']' | '}')) => return Err(self.closes_nothing(c)),
                        Some(_) => return Err(End::Parser),
                    }
                }
            }
        }
    }

    /// A key and its `=`.
    fn key(&mut self) -> Result<(), End> {
        while let Some(c) = self.next() {
            match c {
                '=' => {
                    self.at += 1;
                    return Ok(());
                }
                '\n' | '#' | '[' | ']' | '{' | '}' | ',' => return Err(End::Parser),
                '"' | '\'' => self.string()?,
                _ => self.at += c.len_utf8(),
            }
        }
        Err(End::Parser)
    }

    fn value(&mut self) -> Result<(), End> {
        let equals = self.at.saturating_sub(1);
        self.skip(self.open.last().is_some_and(|(open, _)| *open == '['));
        match self.next() {
            // A string without its first quote may begin with `#`.
            Some('\n' | '\r') => {
                let hint =
                    "write it behind the `=`; a string stands in quotes, and outside of them `#` begins a comment";
                Err(Self::slip("a value is missing".to_owned(), equals..equals + 1, hint.to_owned()))
            }
            Some('"' | '\'') => self.string(),
            Some(open @ ('[' | '{')) => {
                self.open.push((open, self.at));
                self.at += 1;
                self.inside(open)?;
                self.open.pop();
                Ok(())
            }
            Some(_) => self.bare(),
            None => Err(self.unclosed()),
        }
    }

    /// What stands between brackets, with the closing one.
    fn inside(&mut self, open: char) -> Result<(), End> {
        loop {
            self.skip(true);
            if self.begins_statement(open) {
                return Err(self.unclosed());
            }
            match self.next() {
                Some(c) if c == closing(open) => break,
                Some(c @ (']' | '}')) => return Err(self.mismatch(c)),
                None => return Err(self.unclosed()),
                Some(_) => {}
            }
            if open == '{' {
                self.key()?;
            }
            self.value()?;
            self.skip(true);
            match self.next() {
                Some(',') => self.at += 1,
                Some(c) if c == closing(open) => break,
                Some(c @ (']' | '}')) => return Err(self.mismatch(c)),
                None => return Err(self.unclosed()),
                Some(_) if self.begins_statement(open) => return Err(self.unclosed()),
                Some(_) => return Err(End::Parser), // a comma is missing
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Whether the next line begins something of its own, though a bracket is open: a table, or a key with its value.
    fn begins_statement(&self, open: char) -> bool {
        let begin = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
        if begin == 0 || !self.text[begin..self.at].trim().is_empty() {
            return false;
        }
        let line = self.rest().lines().next().unwrap_or_default();
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        let is_name = |text: &str| {
            let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'' | ' ');
            !text.trim().is_empty() && text.chars().all(is_of_name)
        };
        let header = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        let header = header.map(|name| name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name));
        // A list of one text could stand in a list.
        let is_header = header.is_some_and(|name| is_name(name) && !name.starts_with(['"', '\'']));
        // The members of a table may have lines of their own, where its bracket ends one.
        let spreads = open == '{'
            && self
                .open
                .last()
                .is_some_and(|(_, at)| self.text[at + 1..].lines().next().is_none_or(|rest| rest.trim().is_empty()));
        is_header || (!spreads && line.split_once('=').is_some_and(|(key, _)| is_name(key)))
    }

    fn string(&mut self) -> Result<(), End> {
        let start = self.at;
        let quote = if self.rest().starts_with('"') { '"' } else { '\'' };
        let long = quote.to_string().repeat(3);
        let is_long = self.rest().starts_with(&long);
        self.at += if is_long { 3 } else { 1 };
        loop {
            match self.next() {
                Some('\\') if quote == '"' => {
                    self.at += 1;
                    self.at += self.next().map_or(0, char::len_utf8);
                }
                Some(_) if is_long && self.rest().starts_with(&long) => {
                    // Up to two quotes may stand before the last three.
                    let quotes = self.rest().chars().take_while(|c| *c == quote).count();
                    self.at += quotes.min(5);
                    return Ok(());
                }
                Some(c) if !is_long && c == quote => {
                    self.at += 1;
                    return Ok(());
                }
                None | Some('\n') if !is_long => {
                    let end = start + self.text[start..self.at].trim_end().len();
                    let message = "a string is not closed".to_owned();
                    let hint = format!("write `{quote}` where it ends");
                    return Err(Self::slip(message, start..end, hint));
                }
                None => {
                    let message = format!("`{long}` is not closed");
                    let hint = format!("write `{long}` where the text ends");
                    return Err(Self::slip(message, start..start + 3, hint));
                }
                Some(c) => self.at += c.len_utf8(),
            }
        }
    }

    /// A number, a boolean or a time; anything else would be a string.
    fn bare(&mut self) -> Result<(), End> {
        let start = self.at;
        let rest = self.rest();
        let length = rest.find([',', ']', '}', '#', '\n', '\r']).unwrap_or(rest.len());
        let word = rest[..length].trim_end();
        if word.is_empty() {
            return Err(End::Parser);
        }
        if word.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && !matches!(word, "true" | "false" | "inf" | "nan")
        {
            // A URL may have a password in it.
            let (message, hint) = if word.contains("://") {
                ("this is no value".to_owned(), "a string stands in quotes".to_owned())
            } else {
                let text = word.trim_matches(['"', '\'']);
                (format!("`{word}` is no value"), format!("a string stands in quotes: `\"{text}\"`"))
            };
            return Err(Self::slip(message, start..start + word.len(), hint));
        }
        self.at += length;
        Ok(())
    }

    /// The innermost bracket has no counterpart before this place.
    fn unclosed(&self) -> End {
        let Some((open, at)) = self.open.last().copied() else { return End::Parser };
        let close = closing(open);
        let hint = match self.next() {
            None => format!("write `{close}` behind what belongs into it"),
            Some(_) => format!("write `{close}` before line {}", self.line(self.at)),
        };
        Self::slip(format!("`{open}` is not closed"), at..at + 1, hint)
    }

    fn mismatch(&self, found: char) -> End {
        let Some((open, at)) = self.open.last().copied() else { return End::Parser };
        let close = closing(open);
        if self.line(at) != self.line(self.at) {
            let hint = format!("write `{close}` before the `{found}` in line {}", self.line(self.at));
            return Self::slip(format!("`{open}` is not closed"), at..at + 1, hint);
        }
        let message = format!("`{found}` stands where `{close}` is missing");
        Self::slip(message, self.at..self.at + 1, format!("write `{close}` before it"))
    }

    fn closes_nothing(&self, found: char) -> End {
        let open = if found == ']' { '[' } else { '{' };
        let message = format!("`{found}` closes nothing");
        let hint = format!("write `{open}` where it begins, or remove it");
        Self::slip(message, self.at..self.at + 1, hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        match find(text, text.len()) {
            Some(Slip { message, span, hint }) => {
                let line = text[..span.start].matches('\n').count() + 1;
                format!("{line} `{}`: {message}; {}", &text[span], hint.unwrap_or_default())
            }
            None => String::new(),
        }
    }

    #[test]
    fn a_bracket_or_quote_that_is_missing_is_found_where_it_was_opened() {
        for (text, expected) in [
            ("[a]\nkey = [\"id\"\n\n[a.b]\nc = 1\n", "2 `[`: `[` is not closed; write `]` before line 4"),
            ("key = [\n  \"id\",\nnext = 1\n", "1 `[`: `[` is not closed; write `]` before line 3"),
            ("key = [\"id\"", "1 `[`: `[` is not closed; write `]` behind what belongs into it"),
            ("a = { b = 1\nc = 2\n", "1 `{`: `{` is not closed; write `}` before line 2"),
            ("a = [{ b = { c = 1 }]\n", "1 `]`: `]` stands where `}` is missing; write `}` before it"),
            ("a = [\n  { b = 1\n]\n", "2 `{`: `{` is not closed; write `}` before the `]` in line 3"),
            ("a = \"b\nc = 1\n", "1 `\"b`: a string is not closed; write `\"` where it ends"),
            ("a = ['b, 'c']\n", ""),
            ("a = [\"b]\nc = 1\n", "1 `\"b]`: a string is not closed; write `\"` where it ends"),
            ("a = b\"\n", "1 `b\"`: `b\"` is no value; a string stands in quotes: `\"b\"`"),
            ("a = \"\"\"\nb\nc = 1\n", "1 `\"\"\"`: `\"\"\"` is not closed; write `\"\"\"` where the text ends"),
            (
                "a = { b = #c\" }\n",
                "1 `=`: a value is missing; write it behind the `=`; a string stands in quotes, and outside of them `#` begins a comment",
            ),
            ("a = \"id\"]\n", "1 `]`: `]` closes nothing; write `[` where it begins, or remove it"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_sound_or_better_known_by_the_parser_is_left_to_it() {
        for text in [
            "a = 1 # ]\nb = '[' # x\n\"c d\" = \"\\\"[\"\n[[e.f]]\ng = [\n  [\"x\"],\n  { h = true }, # y\n]\n",
            "a = {\n  b = 1,\n  c = 2026-01-01,\n}\nd = \"\"\"\n[x\n\"\"\"\"\n",
            "a = [\"b\" \"c\"]\n",
            "a = [\n  [\"b\"]\n  [\"c\"]\n]\n",
            "[a\nb = 1\n",
        ] {
            assert_eq!(said(text), "", "{text}");
        }
    }

    #[test]
    fn the_line_is_known_that_gave_a_key_before() {
        let given = |text: &str, word: &str| first_given(text, &(text.rfind(word).unwrap_or(0)..text.len()));
        assert_eq!(given("a = 1\n[b]\nc = 1\n a = 2\n a = 3\n", "a"), Some(4));
        assert_eq!(given("[b]\nc = 1\n[d]\n[b]\n", "b]"), Some(1));
        assert_eq!(given("a = { b = 1, b = 2 }\n", "b"), None);
    }
}
