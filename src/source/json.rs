//! A strict pull scanner of JSON (RFC 8259): no recursion, no tree, exact places.

use super::bytes::{begins_character, shown, starts_value, white_space};
pub use super::fault::Fault;
use super::fault::{invalid_utf8, unreadable};
use super::formats::{LOST, format_of};
use super::limits::Replace;
use super::string::Text;
use super::window::Window;
use crate::finding::{FILE_EMPTY, JSON_DEPTH, JSON_ENCODING, JSON_SIZE, JSON_SYNTAX, JSON_TRAILING, JSON_TRUNCATED};
use std::io::ErrorKind;

/// The greatest limit on nesting that can be asked for.
pub const GREATEST_DEPTH: u32 = 127;

/// What the scanner found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// `{`
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`
    ArrayEnd,
    /// The name of a member, whose value comes next.
    Name(Text<'a>),
    /// A string.
    String(Text<'a>),
    /// A number as written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// An [`Event`] with the place of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub event: Event<'a>,
    /// The offset of its first byte.
    pub at: u64,
    /// The offset after its last byte.
    pub end: u64,
}

/// What must come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The file's first byte.
    Begin,
    /// The document.
    Document,
    /// An element, or the end of the array.
    FirstElement,
    /// An element.
    Element,
    /// A member name, or the end of the object.
    FirstName,
    /// A member name.
    Name,
    /// The colon behind a name.
    Colon,
    /// A member's value.
    Member,
    /// A comma, or the end of the container.
    Rest,
    /// Only white space.
    Done,
}

/// Scans one JSON document through a window, from its start to the end of the file.
///
/// After a [`Fault`] it must not be read further.
#[derive(Debug)]
pub struct Scanner<'w> {
    pub(super) window: &'w mut Window,
    pub(super) progress: Progress,
}

/// How far a scanner has come, apart from its window: another one goes on from there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    pub(super) state: State,
    depth: u32,
    limit: u32,
    /// Bit `n` is set where the container at depth `n + 1` is an object.
    objects: u128,
    mark: bool,
    /// Whether the last token asked for is a value: then so is what a fault lies in.
    in_value: bool,
    pub(super) replace: Replace,
}

impl Progress {
    /// Nothing was scanned yet; see [`Scanner::new`].
    pub(super) fn start(limit: u32) -> Self {
        let limit = limit.clamp(1, GREATEST_DEPTH);
        Self {
            state: State::Begin,
            depth: 0,
            limit,
            objects: 0,
            mark: false,
            in_value: false,
            replace: Replace::default(),
        }
    }

    /// The same, with something replaced.
    pub(super) fn replacing(self, replace: Replace) -> Self {
        Self { replace, ..self }
    }

    /// For those who only look: what a string holds is no fault.
    pub(super) fn lenient(limit: u32) -> Self {
        Self::start(limit).replacing(Replace { lone_surrogate: true, ..Replace::default() })
    }
}

impl<'w> Scanner<'w> {
    /// Scans what the window looks onto; values nested deeper than `limit` (1 to 127) are a fault.
    pub fn new(window: &'w mut Window, limit: u32) -> Self {
        Self::resume(window, Progress::start(limit))
    }

    /// The same, with something in strings replaced.
    pub(super) fn within(window: &'w mut Window, depth: u32, replace: Replace) -> Self {
        Self::resume(window, Progress::start(depth).replacing(replace))
    }

    /// Goes on where the scanner stopped that scanned this window before.
    pub(super) fn resume(window: &'w mut Window, progress: Progress) -> Self {
        Self { window, progress }
    }

    /// Whether the file began with a byte-order mark.
    pub fn had_byte_order_mark(&self) -> bool {
        self.progress.mark
    }

    /// Whether the last token, or the fault that came in its place, is a value.
    pub(super) fn in_value(&self) -> bool {
        self.progress.in_value
    }

    /// The next token; `None` after the document, when only white space is left.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "a token borrows from the window, which an iterator cannot say")]
    pub fn next(&mut self) -> Result<Option<Token<'_>>, Fault> {
        if self.progress.state == State::Begin {
            self.begin()?;
        }
        self.progress.in_value = false;
        loop {
            let Some(byte) = self.skip_white_space()? else { return self.at_end() };
            match (self.progress.state, byte) {
                (State::Rest, b',') => {
                    self.window.pass(1);
                    self.progress.state = if self.in_object() { State::Name } else { State::Element };
                }
                (State::Colon, b':') => {
                    self.window.pass(1);
                    self.progress.state = State::Member;
                }
                (State::FirstName | State::Name, b'"') => {
                    let at = self.window.offset();
                    let name = self.string(State::Colon)?;
                    return Ok(Some(Token { event: Event::Name(name), at, end: at + name.raw().len() as u64 + 2 }));
                }
                (State::Rest | State::FirstName, b'}') if self.in_object() => return Ok(Some(self.close())),
                (State::Rest | State::FirstElement, b']') if !self.in_object() => return Ok(Some(self.close())),
                (State::Document | State::FirstElement | State::Element | State::Member, byte) => {
                    self.progress.in_value = true;
                    return self.value(byte).map(Some);
                }
                (_, byte) => return Err(self.unexpected(byte)),
            }
        }
    }

    #[inline]
    fn value(&mut self, byte: u8) -> Result<Token<'_>, Fault> {
        let at = self.window.offset();
        match byte {
            b'"' => {
                let text = self.string(self.following())?;
                Ok(Token { event: Event::String(text), at, end: at + text.raw().len() as u64 + 2 })
            }
            b'-' | b'0'..=b'9' => {
                let number = self.number(self.following())?;
                Ok(Token { event: Event::Number(number), at, end: at + number.len() as u64 })
            }
            b'{' => self.open(State::FirstName),
            b'[' => self.open(State::FirstElement),
            b't' => self.literal(b"true", Event::Bool(true)),
            b'f' => self.literal(b"false", Event::Bool(false)),
            b'n' => self.literal(b"null", Event::Null),
            _ => Err(self.unexpected(byte)),
        }
    }

    fn open(&mut self, state: State) -> Result<Token<'_>, Fault> {
        let at = self.window.offset();
        if self.progress.depth == self.progress.limit {
            let limit = self.progress.limit;
            let message = format!("values are nested deeper than {limit} level{}", if limit == 1 { "" } else { "s" });
            return Err(Fault::new(&JSON_DEPTH, at, message));
        }
        let bit = 1 << self.progress.depth;
        let object = state == State::FirstName;
        self.progress.objects = if object { self.progress.objects | bit } else { self.progress.objects & !bit };
        self.progress.depth += 1;
        self.progress.state = state;
        self.window.pass(1);
        let event = if object { Event::ObjectStart } else { Event::ArrayStart };
        Ok(Token { event, at, end: at + 1 })
    }

    fn close(&mut self) -> Token<'_> {
        let at = self.window.offset();
        let event = if self.in_object() { Event::ObjectEnd } else { Event::ArrayEnd };
        self.window.pass(1);
        self.progress.depth -= 1;
        self.progress.state = self.following();
        Token { event, at, end: at + 1 }
    }

    fn literal(&mut self, word: &'static [u8], event: Event<'static>) -> Result<Token<'_>, Fault> {
        let at = self.window.offset();
        self.ensure(word.len())?;
        let rest = self.window.rest();
        if rest.starts_with(word) {
            self.window.pass(word.len());
            self.progress.state = self.following();
            return Ok(Token { event, at, end: at + word.len() as u64 });
        }
        if word.starts_with(rest) {
            return Err(self.truncated("inside a value"));
        }
        Err(Fault::new(&JSON_SYNTAX, at, "expected a JSON value, found a word"))
    }

    /// What comes after a value at this depth.
    #[inline]
    fn following(&self) -> State {
        if self.progress.depth == 0 { State::Done } else { State::Rest }
    }

    #[inline]
    fn in_object(&self) -> bool {
        self.progress.depth > 0 && self.progress.objects >> (self.progress.depth - 1) & 1 == 1
    }

    /// Skips white space and returns the byte after it.
    #[inline]
    fn skip_white_space(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            let width = white_space(self.window.rest());
            self.window.pass(width);
            if let Some(byte) = self.window.rest().first() {
                return Ok(Some(*byte));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Looks at the first bytes: a byte-order mark is skipped, other encodings and formats are refused.
    fn begin(&mut self) -> Result<(), Fault> {
        self.ensure(16)?;
        self.progress.state = State::Document;
        let (at, unit) = (self.window.offset(), self.window.unit());
        let (encoding, help) = match self.window.rest() {
            [0xef, 0xbb, 0xbf, ..] => {
                self.progress.mark = true;
                self.window.pass(3);
                return Ok(());
            }
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => ("UTF-32", "convert it with `iconv -f UTF-32 -t UTF-8`"),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("UTF-16", "convert it with `iconv -f UTF-16 -t UTF-8`"),
            // RFC 4627 section 3: JSON begins with ASCII, so zeros reveal the encoding.
            [0, 0, 0, 1..=0x7f, ..] => ("UTF-32", "convert it with `iconv -f UTF-32BE -t UTF-8`"),
            [1..=0x7f, 0, 0, 0, ..] => ("UTF-32", "convert it with `iconv -f UTF-32LE -t UTF-8`"),
            [0, 1..=0x7f, 0, 1..=0xff, ..] | [0, 1..=0x7f] => {
                ("UTF-16", "convert it with `iconv -f UTF-16BE -t UTF-8`")
            }
            [1..=0x7f, 0, 1..=0xff, 0, ..] | [1..=0x7f, 0] => {
                ("UTF-16", "convert it with `iconv -f UTF-16LE -t UTF-8`")
            }
            rest => return format_of(rest, at, unit).map_or(Ok(()), Err),
        };
        Err(Fault::new(&JSON_ENCODING, at, format!("the {unit} is {encoding}, not UTF-8")).helped_by(help))
    }

    /// The file ends, which is correct only after the document.
    fn at_end(&self) -> Result<Option<Token<'_>>, Fault> {
        match self.progress.state {
            State::Done => Ok(None),
            State::Begin | State::Document if self.window.offset() == 0 => {
                Err(Fault::new(&FILE_EMPTY, 0, "the file is empty"))
            }
            State::Begin | State::Document => Err(Fault::new(&FILE_EMPTY, 0, "the file holds nothing but white space")),
            _ if self.in_object() => Err(self.truncated("inside an object")),
            _ => Err(self.truncated("inside an array")),
        }
    }

    pub(super) fn truncated(&self, inside: &str) -> Fault {
        let end = self.window.offset() + self.window.rest().len() as u64;
        Fault::new(&JSON_TRUNCATED, end, format!("the {} ends {inside}", self.window.unit()))
    }

    /// Describes a byte that cannot come here.
    fn unexpected(&mut self, byte: u8) -> Fault {
        if let Err(fault) = self.ensure(8) {
            return fault;
        }
        let at = self.window.offset();
        let rest = self.window.rest();
        if !byte.is_ascii() && !begins_character(rest) {
            return invalid_utf8(at);
        }
        let message = match (self.progress.state, rest) {
            (_, [b'/', b'/' | b'*', ..]) => "JSON does not allow comments".to_owned(),
            (State::Done, [0, ..]) => {
                let message = "NUL bytes after the end of the document, as a power failure leaves them";
                return Fault::new(&JSON_TRAILING, at, message)
                    .helped_by("look for an older copy of the file, or remove the NUL bytes");
            }
            (_, [0, ..]) => {
                let message = format!("expected {}, found NUL bytes, as a power failure leaves them", self.wanted());
                return Fault::new(&JSON_SYNTAX, at, message).helped_by(LOST);
            }
            (State::Done, _) => {
                let what = if starts_value(byte) { "a second document" } else { "trailing characters" };
                return Fault::new(&JSON_TRAILING, at, format!("{what} after the end of the document"));
            }
            (State::Name, [b'}', ..]) => "trailing comma before the end of the object".to_owned(),
            (State::Element, [b']', ..]) => "trailing comma before the end of the array".to_owned(),
            (_, [b'N', b'a', b'N', ..]) => "`NaN` is not a JSON number".to_owned(),
            (_, rest) if rest.starts_with(b"Infinity") => "`Infinity` is not a JSON number".to_owned(),
            (_, [b'\'', ..]) => "found a single quote, JSON strings use double quotes".to_owned(),
            _ => format!("expected {}, found {}", self.wanted(), shown(byte)),
        };
        Fault::new(&JSON_SYNTAX, at, message)
    }

    fn wanted(&self) -> &'static str {
        match self.progress.state {
            State::FirstName | State::Name => "a member name in double quotes",
            State::Colon => "`:`",
            State::Rest if self.in_object() => "`,` or `}`",
            State::Rest => "`,` or `]`",
            _ => "a value",
        }
    }

    /// Reads on, see [`Window::more`].
    pub(super) fn more(&mut self) -> Result<bool, Fault> {
        self.window.more().map_err(|error| self.unreadable(&error))
    }

    /// Makes so many bytes available, or all that there are.
    #[inline]
    pub(super) fn ensure(&mut self, bytes: usize) -> Result<bool, Fault> {
        self.window.ensure(bytes).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &std::io::Error) -> Fault {
        let at = self.window.offset();
        match error.kind() {
            ErrorKind::FileTooLarge => Fault::new(&JSON_SIZE, at, "a single string or number is larger than 1 GiB"),
            _ => unreadable(at, error),
        }
    }
}
