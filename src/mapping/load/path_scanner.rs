//! Reads the parts of a path.

use crate::mapping::model::{Literal, Root};
use crate::mapping::suggest;

/// Why a path is invalid, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The message.
    pub message: String,
    /// The hint.
    pub hint: Option<String>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A part of a path, after its root.
pub(super) enum Part {
    Name(String),
    Members,
    Elements,
    /// `**`: any number of members and elements.
    Below,
    /// `['a', 'b']`: the members of these names.
    Names(Vec<String>),
    /// `[0]`: the element at this place.
    Index(i64),
    Pick {
        member: String,
        equals: Compared,
    },
}

/// What a pick compares a member with.
pub(super) enum Compared {
    Literal(Literal),
    /// A path, as it is written.
    Path(String),
}

/// Reads a path as it is written.
pub(super) struct Scanner<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, rest: text }
    }

    pub(super) fn run(mut self) -> Result<(Root, Vec<Part>), Wrong> {
        let first = self.rest.chars().next().ok_or_else(|| {
            Wrong::new("an empty string is not a path")
                .hint("write `.` for the element, `{ value = \"\" }` for an empty string")
        })?;
        let root = match first {
            '.' => Root::Element,
            '@' => Root::Record,
            '$' => Root::Frame,
            '^' | '=' | '#' => return self.named(first).map(|root| (root, Vec::new())),
            '[' | '*' => return Ok((Root::Element, self.parts(true)?)),
            _ if plain(first) => return Ok((Root::Element, self.parts(true)?)),
            _ => {
                return Err(Wrong::new(format!("`{}` starts with `{first}`, which is not a path prefix", self.text))
                    .hint("a path starts with a name, `.`, `@`, `$`, `^column`, `=name` or `#name`; a literal is `{ value = … }`"));
            }
        };
        // After `.` the first name follows at once; after `@` and `$` another dot or a bracket does.
        self.rest = &self.rest[first.len_utf8()..];
        let parts = if self.rest.is_empty() { Vec::new() } else { self.parts(root == Root::Element)? };
        Ok((root, parts))
    }

    fn named(&mut self, prefix: char) -> Result<Root, Wrong> {
        let name = &self.rest[1..];
        let mut words = name.split('.');
        let good = |word: Option<&str>| word.is_some_and(|word| !word.is_empty() && word.chars().all(plain));
        if let ('^', Some((rule, column))) = (prefix, name.split_once('.'))
            && good(Some(rule))
            && good(Some(column))
        {
            return Ok(Root::Above { rule: rule.to_owned(), column: column.to_owned() });
        }
        let whole = good(words.next())
            && match (prefix, words.next()) {
                (_, None) => true,
                ('#', Some(column)) => good(Some(column)) && name.starts_with("owner.") && words.next().is_none(),
                ('=', Some(column)) => good(Some(column)) && words.next().is_none(),
                _ => false,
            };
        if !whole {
            let (what, form) = match prefix {
                '^' => ("a column of a row above", "`^column` or `^rule.column`"),
                '=' => ("a column or `let` of the rule", "`=name`, or `=row.column` where it is a row"),
                _ => ("a context name", "`#name` or `#owner.column`"),
            };
            let is_owners = |word: &str| prefix == '#' && suggest::nearest(word, ["owner"]).is_some();
            let hint = match name.split_once('.') {
                Some((word, column)) if is_owners(word) && good(Some(column)) => {
                    suggest::meant(&format!("#owner.{column}"))
                }
                _ => format!("it is written {form}"),
            };
            return Err(Wrong::new(format!("`{}` does not name {what}", self.text)).hint(hint));
        }
        let name = name.to_owned();
        Ok(match prefix {
            '^' => Root::Parent(name),
            '=' => Root::Column(name),
            _ => Root::Context(name),
        })
    }

    /// The parts that are left; `bare` when a name may follow without a dot.
    fn parts(&mut self, bare: bool) -> Result<Vec<Part>, Wrong> {
        let mut parts = Vec::new();
        let mut bare = bare;
        while let Some(next) = self.rest.chars().next() {
            if next == '[' {
                parts.push(self.bracket()?);
            } else if next == '.' && !bare {
                self.rest = &self.rest[1..];
                parts.push(self.name()?);
            } else if bare {
                parts.push(self.name()?);
            } else {
                return Err(self.odd());
            }
            bare = false;
        }
        Ok(parts)
    }

    fn odd(&self) -> Wrong {
        match self.rest.chars().next() {
            Some(next) => Wrong::new(format!("`{}` has `{next}` where a path continues or ends", self.text))
                .hint("quote a name with other characters than letters, digits, `_` and `-`: `['odd name']`"),
            None => Wrong::new(format!("`{}` ends where a name should follow", self.text)),
        }
    }

    fn name(&mut self) -> Result<Part, Wrong> {
        if let Some(rest) = self.rest.strip_prefix("**") {
            self.rest = rest;
            return Ok(Part::Below);
        }
        if let Some(rest) = self.rest.strip_prefix('*') {
            self.rest = rest;
            return Ok(Part::Members);
        }
        if self.rest.starts_with('.') {
            return Err(Wrong::new(format!("`{}` has `..`, where a name should stand", self.text))
                .hint("name every member on the way; in `expected` and `[ignore]`, `**` is any of them"));
        }
        let end = self.rest.find(|c| !plain(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(self.odd());
        }
        self.rest = rest;
        Ok(Part::Name(name.to_owned()))
    }

    fn bracket(&mut self) -> Result<Part, Wrong> {
        self.rest = self.rest[1..].trim_start();
        let part = if let Some(rest) = self.rest.strip_prefix('*') {
            self.rest = rest;
            Part::Elements
        } else if self.rest.starts_with(['\'', '"']) {
            let name = self.quoted()?;
            self.rest = self.rest.trim_start();
            match self.rest.chars().next() {
                Some('=') => self.pick(name)?,
                Some(',') => self.names(name)?,
                _ => Part::Name(name),
            }
        } else {
            let end = self.rest.find(|c| !plain(c)).unwrap_or(self.rest.len());
            let (name, rest) = self.rest.split_at(end);
            if name.is_empty() {
                return Err(self.odd_bracket());
            }
            if !rest.trim_start().starts_with('=')
                && let Ok(place) = name.parse::<i64>()
            {
                self.rest = rest;
                Part::Index(place)
            } else {
                self.rest = rest;
                self.pick(name.to_owned())?
            }
        };
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(']') {
            Some(rest) => {
                self.rest = rest;
                Ok(part)
            }
            None => Err(self.odd_bracket()),
        }
    }

    fn odd_bracket(&self) -> Wrong {
        Wrong::new(format!("`{}` has an invalid bracket", self.text))
            .hint("brackets hold `*`, a number, quoted names, or `member = value`")
    }

    /// The rest of a union after its first name.
    fn names(&mut self, first: String) -> Result<Part, Wrong> {
        let mut names = vec![first];
        while let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest.trim_start();
            if !self.rest.starts_with(['\'', '"']) {
                return Err(self.odd_bracket());
            }
            let name = self.quoted()?;
            if names.contains(&name) {
                return Err(Wrong::new(format!("`{}` names `{name}` twice", self.text)));
            }
            names.push(name);
            self.rest = self.rest.trim_start();
        }
        Ok(Part::Names(names))
    }

    fn pick(&mut self, member: String) -> Result<Part, Wrong> {
        self.rest = self.rest.trim_start();
        let Some(rest) = self.rest.strip_prefix('=') else {
            return Err(self.odd_bracket());
        };
        self.rest = rest.trim_start();
        if self.rest.starts_with(['\'', '"']) {
            return Ok(Part::Pick { member, equals: Compared::Literal(Literal::Text(self.quoted()?)) });
        }
        if self.rest.starts_with(['.', '@', '$', '^', '=', '#']) {
            let end = end_of_path(self.rest);
            let (path, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(Part::Pick { member, equals: Compared::Path(path.trim_end().to_owned()) });
        }
        let end = self.rest.find(']').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let word = word.trim_end();
        let equals = match word {
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            _ => match (word.parse::<i64>(), word.parse::<f64>()) {
                (Ok(value), _) => Literal::Integer(value),
                (_, Ok(value)) if value.is_finite() => Literal::Real(value),
                _ => {
                    return Err(Wrong::new(format!("`{word}` in `{}` is not a literal", self.text))
                        .hint("a string is written in quotes, and a path with its prefix: `.name`"));
                }
            },
        };
        self.rest = rest;
        Ok(Part::Pick { member, equals: Compared::Literal(equals) })
    }

    /// A string in quotes of either kind. `\'`, `\"` and `\\` are these characters, and `\u{1b}` is the character of
    /// this number.
    fn quoted(&mut self) -> Result<String, Wrong> {
        let mut chars = self.rest.char_indices();
        let quote = chars.next().map(|(_, quote)| quote);
        let mut name = String::new();
        while let Some((at, c)) = chars.next() {
            if Some(c) == quote {
                self.rest = &self.rest[at + 1..];
                return Ok(name);
            }
            if let Some((escaped, length)) = unicode_escape(&self.rest[at..]) {
                name.push(escaped);
                // The escape is ASCII, so that its characters are its bytes.
                chars.by_ref().take(length - 1).for_each(drop);
            } else if c == '\\' {
                match chars.next() {
                    Some((_, escaped @ ('\'' | '"' | '\\'))) => name.push(escaped),
                    Some((_, other)) => {
                        return Err(Wrong::new(format!("`\\{other}` in `{}` is not an escape", self.text))
                            .hint("a backslash stands before a quote, before another backslash, or in `\\u{1b}`"));
                    }
                    None => {}
                }
            } else {
                name.push(c);
            }
        }
        Err(Wrong::new(format!("`{}` opens a quote and does not close it", self.text)))
    }
}

/// Where a path that stands in a bracket ends: before the bracket that closes it.
fn end_of_path(text: &str) -> usize {
    let (mut depth, mut quote, mut escaped) = (0_u32, None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return at,
            (None, ']') => depth -= 1,
            (None, _) => {}
        }
    }
    text.len()
}

/// The character of an escape `\u{…}` at the start of the text, and the length of the escape.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix("\\u{")?.split_once('}')?.0;
    let number =
        u32::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    Some((char::from_u32(number)?, digits.len() + "\\u{}".len()))
}

fn plain(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}
