//! The tokens of SQL text, in which names may stand in any quotes that an engine knows.

/// Words, numbers, quoted things and single signs; blanks and comments fall away. What is quoted
/// keeps its quotes and letters, so it is never taken for a keyword.
pub(super) struct Tokens<'t>(&'t str);

impl<'t> Tokens<'t> {
    /// Those of this text.
    pub(super) fn of(sql: &'t str) -> Self {
        Self(sql)
    }

    /// Takes so many bytes, which end at a letter's end.
    fn take(&mut self, bytes: usize) -> &str {
        let (taken, rest) = self.0.split_at(bytes);
        self.0 = rest;
        taken
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            self.0 = self.0.trim_start();
            let end = match self.0 {
                text if text.starts_with("--") => text.find('\n'),
                text if text.starts_with("/*") => text.find("*/").map(|at| at + 2),
                _ => return,
            };
            self.take(end.unwrap_or(self.0.len()));
        }
    }
}

impl Iterator for Tokens<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.skip_blanks_and_comments();
        let first = self.0.chars().next()?;
        let closing = match first {
            '[' => Some(']'),
            '\'' | '"' | '`' => Some(first),
            _ => None,
        };
        if let Some(closing) = closing {
            return Some(self.take(quoted(self.0, closing)).to_owned());
        }
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii();
        let is_sign = |c: char| matches!(c, '<' | '>' | '=' | '!' | '|');
        let end_of = |belongs: &dyn Fn(char) -> bool| self.0.find(|c| !belongs(c)).unwrap_or(self.0.len());
        let length = match first {
            first if is_word(first) => end_of(&is_word),
            first if is_sign(first) => end_of(&is_sign),
            first => first.len_utf8(),
        };
        Some(self.take(length).to_lowercase())
    }
}

/// How long a quoted thing is at the beginning of a text. A doubled closing quote is one
/// of the text.
fn quoted(text: &str, closing: char) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == closing && (closing == ']' || letters.next_if(|(_, next)| *next == closing).is_none()) {
            return at + letter.len_utf8();
        }
    }
    text.len()
}
