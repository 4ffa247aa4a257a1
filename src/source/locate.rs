//! Resolves places: which value of a file a byte belongs to, and on which line it is.

use super::inside::{self, Raw};
use super::json::{Event, GREATEST_DEPTH, Progress, Scanner};
use super::limits::Nul;
use super::read::SourceFile;
use super::trail::{Reach, Trail};
use super::window::{Bytes, Window};
use crate::finding::FileId;
use std::io::Result;
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
const WINDOW: usize = 1 << 14;

/// Finds all the offsets of one file, in the order they are given.
///
/// # Errors
/// Those of the file system. That the file is broken is none.
pub fn locate(file: &SourceFile, offsets: &[u64]) -> Result<Vec<Located>> {
    Cursor::of(file)?.find_all(offsets)
}

/// The bytes that the value of a JSON Pointer is written with; `None` where there is no such value. In a file of
/// lines the number of a line, from 1, comes before the pointer.
///
/// # Errors
/// Those of the file system. In a broken file what comes before the fault is found.
pub fn span_of(file: &SourceFile, pointer: &str) -> Result<Option<Range<u64>>> {
    Ok(if file.form().lines { span_in_lines(file.bytes()?, pointer) } else { span_in(file.bytes()?, pointer) })
}

/// Finds places one at a time. As long as those of a file come in order, as records are read, the file is
/// read once for all of them.
#[derive(Debug, Default)]
pub struct Locator {
    open: Option<(FileId, Cursor)>,
}

impl Locator {
    /// Where a byte of a file is.
    ///
    /// # Errors
    /// Those of the file system. That the file is broken is none.
    pub fn find(&mut self, file: &SourceFile, offset: u64) -> Result<Located> {
        let open = self.open.take().filter(|(of, cursor)| *of == file.id && cursor.last <= offset);
        let mut cursor = match open {
            Some((_, cursor)) => cursor,
            None => Cursor::of(file)?,
        };
        let located = cursor.find(offset)?;
        self.open = Some((file.id, cursor));
        Ok(located)
    }
}

/// Goes through a file from its start: what is asked for must not lie before what was asked for last.
struct Cursor {
    lines: Lines,
    values: Values,
    last: u64,
}

/// What follows the values of a file: one document, or one on every line.
enum Values {
    Document(Pointers),
    Lines(PointersOfLines),
}

impl std::fmt::Debug for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cursor(at byte {})", self.last)
    }
}

impl Cursor {
    fn of(file: &SourceFile) -> Result<Self> {
        Ok(if file.form().lines {
            Self::of_lines(file.bytes()?, file.bytes()?)
        } else {
            Self::new(file.bytes()?, file.bytes()?)
        })
    }

    /// Over the same bytes twice: lines are counted in bytes, values in tokens.
    fn new(lines: Box<dyn Bytes>, pointers: Box<dyn Bytes>) -> Self {
        let values = Values::Document(Pointers::new(Window::new(pointers, WINDOW, true)));
        Self { lines: Lines::new(lines), values, last: 0 }
    }

    /// The same of a file every line of which is a document.
    fn of_lines(lines: Box<dyn Bytes>, pointers: Box<dyn Bytes>) -> Self {
        let values = Values::Lines(PointersOfLines { window: Window::new(pointers, WINDOW, true), line: None });
        Self { lines: Lines::new(lines), values, last: 0 }
    }

    fn find(&mut self, offset: u64) -> Result<Located> {
        self.last = offset;
        let (line, column) = self.lines.find(offset)?;
        let pointer = match &mut self.values {
            Values::Document(pointers) => pointers.find(offset),
            Values::Lines(pointers) => pointers.find(offset),
        };
        Ok(Located { offset, pointer, line, column })
    }

    fn find_all(&mut self, offsets: &[u64]) -> Result<Vec<Located>> {
        let mut order: Vec<usize> = (0..offsets.len()).collect();
        order.sort_by_key(|at| offsets[*at]);
        let mut located: Vec<(usize, Located)> =
            order.into_iter().map(|at| Ok((at, self.find(offsets[at])?))).collect::<Result<_>>()?;
        located.sort_by_key(|(at, _)| *at);
        Ok(located.into_iter().map(|(_, located)| located).collect())
    }
}

/// Counts lines and columns.
struct Lines {
    source: Box<dyn Bytes>,
    buffer: Zeroizing<Vec<u8>>,
    /// How many bytes of the buffer were read, and how many of those were counted.
    filled: usize,
    counted: usize,
    /// The offset of the buffer's first byte.
    base: u64,
    line: u64,
    column: u64,
}

impl Lines {
    fn new(source: Box<dyn Bytes>) -> Self {
        let buffer = Zeroizing::new(vec![0; WINDOW]);
        Self { source, buffer, filled: 0, counted: 0, base: 0, line: 1, column: 1 }
    }

    /// Line and column of an offset; of one beyond the end, those of the end.
    fn find(&mut self, offset: u64) -> Result<(u64, u64)> {
        while offset >= self.base + self.filled as u64 && self.more()? {}
        let to = usize::try_from(offset - self.base).map_or(self.filled, |to| to.min(self.filled));
        self.count(to);
        Ok((self.line, self.column))
    }

    /// Reads on; `false` at the end.
    fn more(&mut self) -> Result<bool> {
        self.count(self.filled);
        let read = self.source.read(&mut self.buffer)?;
        if read == 0 {
            return Ok(false);
        }
        self.base += self.filled as u64;
        (self.filled, self.counted) = (read, 0);
        if self.base == 0 && self.buffer.starts_with(b"\xef\xbb\xbf") {
            // Editors do not show a byte-order mark, so its bytes begin no character.
            self.buffer[..3].fill(0x80);
        }
        Ok(true)
    }

    fn count(&mut self, to: usize) {
        (self.line, self.column) = advance(self.line, self.column, &self.buffer[self.counted..to]);
        self.counted = to;
    }
}

/// Line and column behind these bytes.
fn advance(line: u64, column: u64, bytes: &[u8]) -> (u64, u64) {
    let line_feeds = memchr::memchr_iter(b'\n', bytes).count() as u64;
    let last = memchr::memrchr(b'\n', bytes);
    let characters = bytes[last.map_or(0, |at| at + 1)..].iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64;
    (line + line_feeds, if last.is_some() { 1 } else { column } + characters)
}

/// Follows the values.
struct Pointers {
    window: Window,
    progress: Progress,
    trail: Trail,
    scratch: Zeroizing<String>,
    /// What reached beyond the last offset.
    reached: Option<Reached>,
}

/// Up to where a pointer is known.
enum Reached {
    /// The bytes of a token with its pointer, and that of what lies before the token.
    Token { bytes: Range<u64>, pointer: String, before: String, text: Option<Zeroizing<String>> },
    /// All the rest of the file.
    End(String),
}

impl Pointers {
    fn new(window: Window) -> Self {
        Self {
            window,
            progress: Progress::lenient(GREATEST_DEPTH),
            trail: Trail::default(),
            scratch: Zeroizing::default(),
            reached: None,
        }
    }

    fn find(&mut self, offset: u64) -> String {
        loop {
            match &self.reached {
                Some(Reached::Token { bytes, before, .. }) if offset < bytes.start => return before.clone(),
                Some(Reached::Token { bytes, pointer, text, .. }) if offset < bytes.end => {
                    let inner = text.as_ref().filter(|_| offset > bytes.start);
                    return pointer.clone()
                        + &inner.map_or_else(String::new, |raw| inside_of(raw, offset - bytes.start - 1));
                }
                Some(Reached::End(pointer)) => return pointer.clone(),
                _ => self.reached = Some(self.reach(offset)),
            }
        }
    }

    /// Goes on to the token that ends behind the offset.
    fn reach(&mut self, offset: u64) -> Reached {
        let mut scanner = Scanner::resume(&mut self.window, self.progress);
        let reached = loop {
            match scanner.next() {
                Ok(Some(token)) if token.end <= offset => self.trail.token(&token, &mut self.scratch),
                Ok(Some(token)) => {
                    // Between two tokens, the value of a member begins behind its name.
                    let before = self.trail.pointer(Reach::Named);
                    let pointer = self.trail.pointer_of(&token, &mut self.scratch);
                    let text = match token.event {
                        Event::String(text) => Some(Zeroizing::new(text.raw().to_owned())),
                        _ => None,
                    };
                    break Reached::Token { bytes: token.at..token.end, pointer, before, text };
                }
                Ok(None) => break Reached::End(String::new()),
                Err(_) => {
                    let reach = if scanner.in_value() { Reach::Next } else { Reach::Named };
                    break Reached::End(self.trail.pointer(reach));
                }
            }
        };
        self.progress = scanner.progress;
        reached
    }
}

/// The pointer inside of the JSON that a text holds to what is written so many bytes behind its quote.
fn inside_of(raw: &str, written: u64) -> String {
    let content = inside::content(raw, Nul::Replace);
    if !content.trim_start().starts_with(['{', '[']) {
        return String::new();
    }
    Pointers::new(inside::window_of(&content, true)).find(Raw::of(raw, Nul::Replace).decoded(written))
}

/// Follows the values of a file of lines.
struct PointersOfLines {
    /// From the first line that was not asked about yet.
    window: Window,
    /// The bytes of the line that was asked about last, and what follows its values.
    line: Option<(Range<u64>, Pointers)>,
}

impl PointersOfLines {
    /// Pointers begin at the line. Where the file cannot be read on they end there.
    fn find(&mut self, offset: u64) -> String {
        loop {
            if let Some((bytes, pointers)) = &mut self.line
                && bytes.contains(&offset)
            {
                return pointers.find(offset);
            }
            let Some(length) = next_line(&mut self.window) else { return String::new() };
            let bytes = self.window.offset()..self.window.offset() + length as u64;
            let text = self.window.take(length);
            if bytes.contains(&offset) {
                let window = Window::of_line(text.to_vec(), bytes.start, true);
                self.line = Some((bytes, Pointers::new(window)));
            }
        }
    }
}

/// The length of the line that the window is at, with its end; none at the end of the file, or where it cannot be
/// read on.
fn next_line(window: &mut Window) -> Option<usize> {
    let mut searched = 0;
    loop {
        if let Some(end) = memchr::memchr(b'\n', &window.rest()[searched..]) {
            return Some(searched + end + 1);
        }
        searched = window.rest().len();
        match window.more() {
            Ok(true) => {}
            Ok(false) => return (searched > 0).then_some(searched),
            Err(_) => return None,
        }
    }
}

/// In a file of lines a pointer is below the number of a line, from 1: `17/user/name`.
fn span_in_lines(source: Box<dyn Bytes>, pointer: &str) -> Option<Range<u64>> {
    let (line, pointer) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
    let line: u64 = line.parse().ok()?;
    let mut window = Window::new(source, WINDOW, true);
    for _ in 1..line {
        let length = next_line(&mut window)?;
        window.pass(length);
    }
    let (length, at) = (next_line(&mut window)?, window.offset());
    let window = Window::of_line(window.take(length).to_vec(), at, true);
    if pointer.is_empty() { Some(at..at + length as u64) } else { span_at(window, pointer) }
}

fn span_in(source: Box<dyn Bytes>, pointer: &str) -> Option<Range<u64>> {
    span_at(Window::new(source, WINDOW, true), pointer)
}

fn span_at(mut window: Window, pointer: &str) -> Option<Range<u64>> {
    let mut scanner = Scanner::resume(&mut window, Progress::lenient(GREATEST_DEPTH));
    let mut trail = Trail::default();
    let mut scratch = Zeroizing::new(String::new());
    let mut start = None;
    while let Ok(Some(token)) = scanner.next() {
        if matches!(token.event, Event::Name(_)) {
            trail.token(&token, &mut scratch);
            continue; // The value that it names follows.
        }
        let opens = matches!(token.event, Event::ObjectStart | Event::ArrayStart);
        let here = trail.pointer_of(&token, &mut scratch);
        if let (Event::String(text), Some(below)) = (token.event, pointer.strip_prefix(&here))
            && below.starts_with('/')
        {
            let content = inside::content(text.raw(), Nul::Replace);
            let span = span_at(inside::window_of(&content, true), below)?;
            let mut raw = Raw::of(text.raw(), Nul::Replace);
            let start = token.at + 1 + raw.written(span.start);
            return Some(start..token.at + 1 + raw.written(span.end));
        }
        if here == pointer {
            let start = *start.get_or_insert(token.at);
            if !opens {
                return Some(start..token.end);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::read::Base;
    use super::*;
    use std::io::{self, Read, Seek};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// `pointer line:column` of each offset.
    fn located(bytes: &[u8], offsets: &[u64]) -> Vec<String> {
        let bytes = || Box::new(io::Cursor::new(bytes.to_vec()));
        let located = Cursor::new(bytes(), bytes()).find_all(offsets).unwrap();
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
            let span = span_in(Box::new(io::Cursor::new(text.to_vec())), pointer)?;
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
    fn what_is_written_inside_of_a_text_that_holds_json_is_found_there() {
        let text = br#"{"a": "{\"b\": [1, {\"c\": \"x\"}]}", "d": "no {json"}"#;
        let at = |what: &str| find(text, what);
        assert_eq!(
            located(text, &[at("\"{"), at("{\\\"b"), at("1,"), at("x\\"), at("no"), at("{json")]),
            ["/a 1:7", "/a 1:8", "/a/b/0 1:17", "/a/b/1/c 1:30", "/d 1:45", "/d 1:48"]
        );
        let value = |pointer: &str| {
            let span = span_in(Box::new(io::Cursor::new(text.to_vec())), pointer)?;
            std::str::from_utf8(&text[span.start as usize..span.end as usize]).ok()
        };
        assert_eq!((value("/a/b/0"), value("/a/b/1/c"), value("/d/x")), (Some("1"), Some(r#"\"x\""#), None));
    }

    #[test]
    fn pointers_begin_at_the_line_where_each_is_a_document() {
        let text = b"{\"a\": [1, 2]}\n\n{\"b\": x}\r\n[true]";
        let source = || Box::new(io::Cursor::new(text.to_vec()));
        let offsets = [7, 10, 14, 15, 22, 26, 27, 31, 99];
        let located = Cursor::of_lines(source(), source()).find_all(&offsets).unwrap();
        let shown: Vec<_> = located.iter().map(|at| format!("{} {}:{}", at.pointer, at.line, at.column)).collect();
        assert_eq!(shown, ["/a/0 1:8", "/a/1 1:11", " 2:1", " 3:1", "/b 3:8", "/0 4:2", "/0 4:3", " 4:7", " 4:7"]);
        let value = |pointer: &str| {
            let span = span_in_lines(source(), pointer)?;
            std::str::from_utf8(&text[span.start as usize..span.end as usize]).ok()
        };
        assert_eq!((value("1/a/1"), value("4/0"), value("4")), (Some("2"), Some("true"), Some("[true]")));
        assert_eq!((value("9"), value("/a"), value("2/a")), (None, None, None));
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

    /// Counts the bytes that are read from it.
    struct Counted(io::Cursor<Vec<u8>>, Arc<AtomicUsize>);

    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            self.0.read(buffer).inspect(|read| {
                self.1.fetch_add(*read, Ordering::Relaxed);
            })
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: io::SeekFrom) -> Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn however_many_places_come_in_order_the_bytes_are_read_once_for_lines_and_once_for_values() {
        let text: String =
            (0..20_000).map(|i| format!("{}{{\"id\": {i}}}", if i == 0 { "[" } else { ",\n" })).collect();
        let bytes = text.into_bytes();
        let starts: Vec<u64> = memchr::memchr_iter(b'{', &bytes).map(|at| at as u64).collect();
        let read = Arc::new(AtomicUsize::new(0));
        let source = || Box::new(Counted(io::Cursor::new(bytes.clone()), Arc::clone(&read)));
        let mut cursor = Cursor::new(source(), source());
        for (number, start) in starts.iter().enumerate() {
            let found = cursor.find(*start).unwrap();
            let column = if number == 0 { 2 } else { 1 };
            let expected = Located { offset: *start, pointer: format!("/{number}"), line: number as u64 + 1, column };
            assert_eq!(found, expected);
        }
        assert_eq!((starts.len(), read.load(Ordering::Relaxed)), (20_000, 2 * bytes.len()));
    }

    #[test]
    fn places_are_found_one_at_a_time_in_any_order_of_files_and_offsets() {
        let folder = tempfile::tempdir().unwrap();
        let file = |number: u32, text: &str| {
            let path = folder.path().join(number.to_string());
            std::fs::write(&path, text).unwrap();
            let mut base = Base::new(folder.path(), 0);
            SourceFile::new(FileId(number), &mut base, number.to_string().into(), &path.metadata().unwrap())
        };
        let files = [file(0, "[1,\n 2]"), file(1, "{\"a\": {\"b\": x}}")];
        let mut locator = Locator::default();
        for (number, offset) in [(0, 1), (0, 1), (0, 5), (1, 13), (1, 9), (0, 5), (0, 2), (0, 99), (1, 0), (1, 14)] {
            let file = &files[number];
            assert_eq!(
                locator.find(file, offset).unwrap(),
                locate(file, &[offset]).unwrap()[0],
                "{number} at {offset}"
            );
        }
    }
}
