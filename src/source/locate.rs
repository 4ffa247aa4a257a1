//! Resolves places: which value of a file a byte belongs to, and on which line it is.

use super::json::{Event, GREATEST_DEPTH, Scanner, Token};
use super::read::{SourceFile, open_handle};
use super::window::Window;
use std::io::{Read, Result, Seek, SeekFrom};
use std::ops::Range;
use zeroize::Zeroizing;

/// Where a byte of a file is, as an editor shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The offset that was asked for.
    pub offset: u64,
    /// The value it belongs to, as a JSON Pointer (RFC 6901). In a broken file, as far as the way to
    /// it could be followed.
    pub pointer: String,
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
}

/// How much of the file is at hand at once.
const WINDOW: usize = 1 << 16;

/// Finds all the offsets of one file, in the order they are given.
///
/// # Errors
/// Those of the file system. That the file is broken is none.
pub fn locate(file: &SourceFile, offsets: &[u64]) -> Result<Vec<Located>> {
    locate_in(open_handle(&file.absolute)?, offsets)
}

/// The bytes that the value of a JSON Pointer is written with; `None` where there is no such value.
///
/// # Errors
/// Those of the file system. In a broken file what comes before the fault is found.
pub fn span_of(file: &SourceFile, pointer: &str) -> Result<Option<Range<u64>>> {
    Ok(span_in(open_handle(&file.absolute)?, pointer))
}

fn span_in(source: impl Read + Seek + Send + 'static, pointer: &str) -> Option<Range<u64>> {
    let mut window = Window::new(Box::new(source), WINDOW, true);
    let mut scanner = Scanner::new(&mut window, GREATEST_DEPTH);
    let mut trail = Trail::default();
    let mut scratch = Zeroizing::new(String::new());
    let mut start = None;
    while let Ok(Some(token)) = scanner.next() {
        if matches!(token.event, Event::Name(_)) {
            trail.token(&token, &mut scratch);
            continue; // The value that it names follows.
        }
        let opens = matches!(token.event, Event::ObjectStart | Event::ArrayStart);
        if trail.pointer_of(&token, &mut scratch) == pointer {
            let start = *start.get_or_insert(token.at);
            if !opens {
                return Some(start..token.end);
            }
        }
    }
    None
}

fn locate_in(mut source: impl Read + Seek + Send + 'static, offsets: &[u64]) -> Result<Vec<Located>> {
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by_key(|at| offsets[*at]);
    let sorted: Vec<u64> = order.iter().map(|at| offsets[*at]).collect();
    let lines = lines(&mut source, &sorted)?;
    source.seek(SeekFrom::Start(0))?;
    let pointers = pointers(&mut Window::new(Box::new(source), WINDOW, true), &sorted);
    let mut located: Vec<_> = order.into_iter().zip(sorted).zip(pointers.into_iter().zip(lines)).collect();
    located.sort_by_key(|((at, _), _)| *at);
    Ok(located
        .into_iter()
        .map(|((_, offset), (pointer, (line, column)))| Located { offset, pointer, line, column })
        .collect())
}

/// Line and column of each of the sorted offsets.
fn lines(source: &mut impl Read, sorted: &[u64]) -> Result<Vec<(u64, u64)>> {
    let mut found = Vec::with_capacity(sorted.len());
    let mut buffer = Zeroizing::new(vec![0; WINDOW]);
    let (mut base, mut line, mut column) = (0_u64, 1_u64, 1_u64);
    while found.len() < sorted.len() {
        let read = source.read(&mut buffer)?;
        if base == 0 && buffer.starts_with(b"\xef\xbb\xbf") {
            // Editors do not show a byte-order mark, so its bytes begin no character.
            buffer[..3].fill(0x80);
        }
        let chunk = &buffer[..read];
        let mut at = 0;
        while let Some(offset) = sorted.get(found.len())
            && (read == 0 || *offset < base + read as u64)
        {
            let to = usize::try_from(offset.saturating_sub(base)).map_or(read, |to| to.min(read));
            (line, column) = advance(line, column, &chunk[at..to]);
            at = to;
            found.push((line, column));
        }
        (line, column) = advance(line, column, &chunk[at..]);
        base += read as u64;
    }
    Ok(found)
}

/// Line and column behind these bytes.
fn advance(line: u64, column: u64, bytes: &[u8]) -> (u64, u64) {
    let line_feeds = memchr::memchr_iter(b'\n', bytes).count() as u64;
    let last = memchr::memrchr(b'\n', bytes);
    let characters = bytes[last.map_or(0, |at| at + 1)..].iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64;
    (line + line_feeds, if last.is_some() { 1 } else { column } + characters)
}

/// The pointer of each of the sorted offsets.
fn pointers(window: &mut Window, sorted: &[u64]) -> Vec<String> {
    let mut scanner = Scanner::new(window, GREATEST_DEPTH);
    let mut trail = Trail::default();
    let mut found = Vec::with_capacity(sorted.len());
    let mut scratch = Zeroizing::new(String::new());
    while let Some(offset) = sorted.get(found.len()).copied() {
        match scanner.next() {
            Ok(Some(token)) if token.end <= offset => trail.token(&token, &mut scratch),
            Ok(Some(token)) => {
                // Between two tokens, the value of a member begins behind its name.
                let between = trail.pointer(Reach::Named);
                while sorted.get(found.len()).is_some_and(|offset| *offset < token.at) {
                    found.push(between.clone());
                }
                let pointer = trail.pointer_of(&token, &mut scratch);
                while sorted.get(found.len()).is_some_and(|offset| *offset < token.end) {
                    found.push(pointer.clone());
                }
            }
            Ok(None) => found.resize(sorted.len(), String::new()),
            Err(_) => {
                let reach = if scanner.in_value() { Reach::Next } else { Reach::Named };
                found.resize(sorted.len(), trail.pointer(reach));
            }
        }
    }
    found
}

/// The open containers, each with the child that the scanner is at.
#[derive(Default)]
struct Trail {
    steps: Vec<Step>,
    depth: usize,
}

#[derive(Default)]
struct Step {
    object: bool,
    /// The last member's name, as long as its value is not complete.
    name: String,
    named: bool,
    /// How many elements have begun.
    elements: u64,
}

/// How far into the innermost container a pointer goes.
#[derive(Clone, Copy)]
enum Reach {
    /// To the container itself.
    Container,
    /// To the member whose name was read, else to the container.
    Named,
    /// To the member whose name was read, or to the element that has not begun.
    Next,
}

impl Trail {
    fn token(&mut self, token: &Token<'_>, scratch: &mut String) {
        match token.event {
            Event::Name(text) => {
                if let Some(step) = self.innermost() {
                    step.named = true;
                    text.decode(scratch).clone_into(&mut step.name);
                }
            }
            Event::ObjectStart | Event::ArrayStart => {
                if self.steps.len() == self.depth {
                    self.steps.push(Step::default());
                }
                let step = &mut self.steps[self.depth];
                (step.object, step.named, step.elements) = (token.event == Event::ObjectStart, false, 0);
                self.depth += 1;
            }
            Event::ObjectEnd | Event::ArrayEnd => {
                self.depth -= 1;
                self.complete();
            }
            _ => self.complete(),
        }
    }

    /// The pointer of what the token belongs to; takes the token.
    fn pointer_of(&mut self, token: &Token<'_>, scratch: &mut String) -> String {
        match token.event {
            Event::Name(_) => {
                self.token(token, scratch);
                self.pointer(Reach::Named)
            }
            Event::ObjectEnd | Event::ArrayEnd => {
                let pointer = self.pointer(Reach::Container);
                self.token(token, scratch);
                pointer
            }
            _ => {
                let pointer = self.pointer(Reach::Next);
                self.token(token, scratch);
                pointer
            }
        }
    }

    /// A value of the innermost container is complete.
    fn complete(&mut self) {
        if let Some(step) = self.innermost() {
            step.named = false;
            step.elements += 1;
        }
    }

    fn innermost(&mut self) -> Option<&mut Step> {
        self.steps[..self.depth].last_mut()
    }

    fn pointer(&self, reach: Reach) -> String {
        let mut pointer = String::new();
        for (at, step) in self.steps[..self.depth].iter().enumerate() {
            let goes_on = at + 1 < self.depth;
            if step.named && (goes_on || !matches!(reach, Reach::Container)) {
                pointer.push('/');
                pointer.push_str(&step.name.replace('~', "~0").replace('/', "~1"));
            } else if !step.object && (goes_on || matches!(reach, Reach::Next)) {
                pointer.push('/');
                pointer.push_str(&step.elements.to_string());
            }
        }
        pointer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// `pointer line:column` of each offset.
    fn located(bytes: &[u8], offsets: &[u64]) -> Vec<String> {
        let located = locate_in(Cursor::new(bytes.to_vec()), offsets).unwrap();
        assert_eq!(located.iter().map(|located| located.offset).collect::<Vec<_>>(), offsets);
        located.into_iter().map(|at| format!("{} {}:{}", at.pointer, at.line, at.column)).collect()
    }

    /// The offset of the first occurrence of this text.
    fn find(bytes: &[u8], text: &str) -> u64 {
        memchr::memmem::find(bytes, text.as_bytes()).unwrap() as u64
    }

    #[test]
    fn values_names_and_brackets_are_found_in_any_order() {
        let text = "{\n  \"ä\": [10, {\"b/c~d\": \"é x\"}],\n  \"e\": {}\n}\n".as_bytes();
        let at = |what| find(text, what);
        assert_eq!(
            located(text, &[at("\"e\""), at("x\""), at("10"), at("{\"b"), at("\"b/c"), at("],"), 0, at("{}"), 1]),
            [
                "/e 3:3",
                "/ä/1/b~1c~0d 2:26",
                "/ä/0 2:9",
                "/ä/1 2:13",
                "/ä/1/b~1c~0d 2:14",
                "/ä 2:29",
                " 1:1",
                "/e 3:8",
                " 1:2"
            ]
        );
    }

    #[test]
    fn the_value_of_a_pointer_is_found() {
        let text = br#"{"a": [1, {"b/c": [2, 3]}], "d": {}}"#;
        let value = |pointer: &str| {
            let span = span_in(Cursor::new(text.to_vec()), pointer)?;
            let (start, end) = (usize::try_from(span.start).ok()?, usize::try_from(span.end).ok()?);
            std::str::from_utf8(&text[start..end]).ok()
        };
        assert_eq!(value("/a/1/b~1c"), Some("[2, 3]"));
        assert_eq!(value("/a/1/b~1c/1"), Some("3"));
        assert_eq!(value("/d"), Some("{}"));
        assert_eq!(value("").map(str::len), Some(text.len()));
        assert_eq!(value("/a/7"), None);
    }

    #[test]
    fn the_end_of_the_file_and_what_lies_beyond_belong_to_the_document() {
        assert_eq!(located(b"[1]\n", &[3, 4, 99]), [" 1:4", " 2:1", " 2:1"]);
        assert_eq!(located(b"", &[0]), [" 1:1"]);
    }

    #[test]
    fn broken_files_are_followed_as_far_as_they_go() {
        assert_eq!(located(b"{\"a\": {\"b\": [1, 2, x]}}", &[19, 21]), ["/a/b/2 1:20", "/a/b/2 1:22"]);
        assert_eq!(located(b"{\"a\": \"cut", &[10]), ["/a 1:11"]);
        assert_eq!(located(b"{\"a\": [1, 2", &[11]), ["/a 1:12"]);
        assert_eq!(located(b"{\"a\" 1}", &[5]), ["/a 1:6"]);
        assert_eq!(located(b"[1 2]", &[3]), [" 1:4"]);
        assert_eq!(located(b"[[1], \"\xff\"]", &[7]), ["/1 1:8"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        assert_eq!(located(b"\xef\xbb\xbf[1,\n2]", &[0, 3, 4, 7]), [" 1:1", " 1:1", "/0 1:2", "/1 2:1"]);
    }

    #[test]
    fn places_far_into_a_large_file_are_found() {
        let mut text = String::from("\u{feff}[");
        for i in 0..50_000 {
            text.push_str(if i % 10 == 0 { "\n" } else { " " });
            text.push_str("\"ü\",");
        }
        let last = text.len() as u64;
        text.push_str("true]");
        assert_eq!(located(text.as_bytes(), &[last - 4, last]), ["/49999 5001:47", "/50000 5001:50"]);
        let one_line = format!("\u{feff}[{}1]", " ".repeat(2 * WINDOW));
        assert_eq!(located(one_line.as_bytes(), &[one_line.len() as u64 - 2]), [format!("/0 1:{}", 2 * WINDOW + 2)]);
    }
}
