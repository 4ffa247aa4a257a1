//! Files of lines: every line that is not blank is a document of its own. A file is read in blocks of whole lines, so
//! that none is ever held whole, and blocks can be looked at by several threads.

use super::read::Opened;
use crate::finding::{FileId, Finding, JSON_SIZE};
use memchr::{memchr, memchr_iter, memrchr};
use std::io::ErrorKind;
use zeroize::Zeroizing;

/// So many bytes of lines are given together, or one line that is longer.
const BLOCK: usize = 1 << 17;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The blocks of a file, in its order.
#[derive(Debug)]
pub struct Blocks {
    opened: Opened,
}

/// Some whole lines of a file.
pub struct Block {
    /// The number of the file.
    pub file: FileId,
    /// Where it begins.
    at: u64,
    bytes: Zeroizing<Vec<u8>>,
    /// It is a line that is longer than can be held, with so many bytes, which were passed over.
    passed: Option<u64>,
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Block(at byte {})", self.at)
    }
}

/// A line without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'b> {
    /// Where it begins.
    pub at: u64,
    /// What is in it.
    pub text: &'b [u8],
    /// Whether a line feed ends it.
    pub has_end: bool,
}

impl Line<'_> {
    /// Whether it holds nothing but white space.
    pub fn is_blank(&self) -> bool {
        let text = self.text.strip_prefix(BYTE_ORDER_MARK).filter(|_| self.at == 0).unwrap_or(self.text);
        text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
    }
}

impl Block {
    /// Its lines, blank ones too.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let ends = memchr_iter(b'\n', &self.bytes).map(|end| (end, true));
        let rest = self.bytes.last().filter(|last| **last != b'\n').map(|_| (self.bytes.len(), false));
        let mut from = 0;
        ends.chain(rest).map(move |(end, has_end)| {
            let line = Line { at: self.at + from as u64, text: &self.bytes[from..end], has_end };
            from = end + 1;
            line
        })
    }

    /// The line that was too long to be held: its bytes, and what is wrong.
    pub fn too_long(&self) -> Option<(std::ops::Range<u64>, Finding)> {
        let place = crate::finding::Place { file: self.file, offset: self.at };
        let finding = Finding::new(&JSON_SIZE, "a single line is larger than 1 GiB").at(place);
        self.passed.map(|bytes| (self.at..self.at + bytes, finding))
    }
}

impl Blocks {
    /// Those of a file, from its start.
    ///
    /// # Errors
    /// A finding when it cannot be read from its start.
    pub fn of(mut opened: Opened) -> Result<Self, Finding> {
        opened.rewind()?;
        Ok(Self { opened })
    }

    /// Whether the file is still as the walk saw it. To be asked when it was read.
    ///
    /// # Errors
    /// A finding when it is not.
    pub fn unchanged(&self) -> Result<(), Finding> {
        self.opened.unchanged()
    }

    /// The next block; none at the end of the file.
    ///
    /// # Errors
    /// A finding when the file cannot be read on.
    pub fn next_block(&mut self) -> Result<Option<Block>, Finding> {
        let mut searched = 0;
        let length = loop {
            let is_more = match self.opened.window.ensure(BLOCK.max(searched + 1)) {
                Err(error) if error.kind() == ErrorKind::FileTooLarge => return self.pass_line().map(Some),
                more => more.map_err(|error| self.opened.failed(&error))?,
            };
            let rest = self.opened.window.rest();
            if !is_more {
                break rest.len();
            }
            if let Some(end) = memrchr(b'\n', &rest[searched..]) {
                break searched + end + 1;
            }
            searched = rest.len();
        };
        let (file, at) = (self.opened.file(), self.opened.window.offset());
        let bytes = Zeroizing::new(self.opened.window.take(length).to_vec());
        Ok((length > 0).then_some(Block { file, at, bytes, passed: None }))
    }

    /// Passes over a line that is too long, and its end.
    fn pass_line(&mut self) -> Result<Block, Finding> {
        let at = self.opened.window.offset();
        loop {
            let rest = self.opened.window.rest();
            let (end, length) = (memchr(b'\n', rest), rest.len());
            self.opened.window.pass(end.map_or(length, |end| end + 1));
            let is_more = end.is_none() && self.opened.window.more().map_err(|error| self.opened.failed(&error))?;
            if !is_more {
                let passed = Some(self.opened.window.offset() - at);
                return Ok(Block { file: self.opened.file(), at, bytes: Zeroizing::default(), passed });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Limits;

    fn blocks(text: &[u8], window: usize) -> Vec<Block> {
        let opened = Opened::of_bytes(FileId(0), text.to_vec(), Limits { window, ..Limits::default() });
        let mut blocks = Blocks::of(opened).unwrap();
        std::iter::from_fn(|| blocks.next_block().unwrap()).collect()
    }

    #[test]
    fn lines_are_given_with_their_places_and_whether_they_end() {
        let blocks = blocks(b"\xef\xbb\xbf\n{}\r\n \t\n[1]", 4);
        let lines: Vec<_> = blocks.iter().flat_map(Block::lines).collect();
        let line = |at, text, has_end| Line { at, text, has_end };
        assert_eq!(
            lines,
            [line(0, BYTE_ORDER_MARK, true), line(4, b"{}\r", true), line(8, b" \t", true), line(11, b"[1]", false)]
        );
        assert_eq!(lines.iter().map(Line::is_blank).collect::<Vec<_>>(), [true, false, true, false]);
    }

    #[test]
    fn blocks_are_of_whole_lines_however_long_these_are() {
        for (lines, length) in [(4_000, 99), (3, 3 * BLOCK), (1, 10), (50, BLOCK / 3)] {
            let text: Vec<u8> = (0..lines).flat_map(|_| [vec![b'1'; length], vec![b'\n']].concat()).collect();
            for window in [16, 1 << 12, 1 << 23] {
                let blocks = blocks(&text, window);
                let starts: Vec<u64> = blocks.iter().flat_map(Block::lines).map(|line| line.at).collect();
                let expected: Vec<u64> = (0..lines).map(|line| (line * (length + 1)) as u64).collect();
                assert_eq!(starts, expected, "{lines} of {length} in {window}");
                let longest = (length + 1).max(BLOCK);
                assert!(
                    blocks.iter().all(|block| block.bytes.len() <= 4 * longest.max(window)),
                    "{length} in {window}"
                );
            }
        }
        assert_eq!(blocks(b"", 16).len(), 0);
    }

    #[test]
    fn a_line_that_cannot_be_held_is_passed_over() {
        let text = [b"1\n".to_vec(), vec![b' '; 3 * BLOCK], b"\n2\n".to_vec()].concat();
        let mut opened = Opened::of_bytes(FileId(0), text, Limits { window: 16, ..Limits::default() });
        opened.window = opened.window.at_most(2 * BLOCK);
        let mut blocks = Blocks::of(opened).unwrap();
        let mut found = Vec::new();
        while let Some(block) = blocks.next_block().unwrap() {
            found.extend(block.lines().map(|line| format!("{} {}", line.at, line.text.len())));
            found.extend(block.too_long().map(|(span, finding)| format!("{span:?} {}", finding.code.id)));
        }
        assert_eq!(found, ["0 1".to_owned(), format!("2..{} J011", 3 * BLOCK + 3), format!("{} 1", 3 * BLOCK + 3)]);
    }
}
