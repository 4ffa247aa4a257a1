//! A window onto a source of bytes: the whole of a small one, a rolling part of a large one.

use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Read, Result, Seek, SeekFrom};
use zeroize::Zeroize;

/// What a window looks onto: a file, or bytes in memory.
pub trait Bytes: Read + Seek + Send {}

impl<T: Read + Seek + Send> Bytes for T {}

/// No window grows beyond this for a single token.
const MOST: usize = 1 << 30;

/// A part of a source of bytes, from the next byte to be scanned onwards.
///
/// Consumed bytes may be dropped; the others stay, and the window grows if one
/// token does not fit. A SHA-256 of everything is computed as it first comes by.
pub struct Window {
    source: Box<dyn Bytes>,
    buffer: Vec<u8>,
    /// The next byte to be scanned, and the end of what was read, both in the buffer.
    next: usize,
    end: usize,
    /// The offset of the buffer's first byte in the source.
    base: u64,
    /// The offset of the first byte of all.
    start: u64,
    /// What it is over, in a word.
    unit: &'static str,
    ended: bool,
    most: usize,
    sensitive: bool,
    hash: Hash,
}

/// The digest, as far as it is known.
enum Hash {
    /// Not asked for.
    Unasked,
    /// It covers the source's first `upto` bytes.
    Upto { upto: u64, state: Box<Sha256> },
    /// The whole source was read.
    Whole([u8; 32]),
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Window(at byte {})", self.offset())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if self.sensitive {
            self.buffer.zeroize();
        }
    }
}

impl Window {
    /// A window of `size` bytes; a `sensitive` one overwrites what it held.
    pub fn new(source: Box<dyn Bytes>, size: usize, sensitive: bool) -> Self {
        Self {
            source,
            buffer: vec![0; size.clamp(1, MOST)],
            next: 0,
            end: 0,
            base: 0,
            start: 0,
            unit: "file",
            ended: false,
            most: MOST,
            sensitive,
            hash: Hash::Unasked,
        }
    }

    /// A window over a line of a file that begins there, which is all at hand.
    pub(crate) fn of_line(text: Vec<u8>, at: u64, sensitive: bool) -> Self {
        let mut window = Self::new(Box::new(std::io::empty()), 0, sensitive);
        (window.end, window.buffer) = (text.len(), text);
        (window.base, window.start, window.unit, window.ended) = (at, at, "line", true);
        window
    }

    /// A window over the content of a text.
    pub(crate) fn of_text(content: Vec<u8>, sensitive: bool) -> Self {
        let mut window = Self::of_line(content, 0, sensitive);
        window.unit = "text";
        window
    }

    /// The offset of the first byte of all.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// What it is over, in a word.
    pub(crate) fn unit(&self) -> &'static str {
        self.unit
    }

    /// Computes the SHA-256 along.
    #[must_use]
    pub(crate) fn hashing(mut self) -> Self {
        self.hash = Hash::Upto { upto: 0, state: Box::default() };
        self
    }

    /// Refuses to grow beyond `most` bytes.
    #[cfg(test)]
    pub(crate) fn at_most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// The bytes at hand that were not consumed yet.
    #[inline]
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.next..self.end]
    }

    /// The offset of the next byte in the source.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.base + self.next as u64
    }

    /// Consumes so many of the bytes at hand.
    #[inline]
    pub(crate) fn pass(&mut self, bytes: usize) {
        self.next += bytes;
        debug_assert!(self.next <= self.end);
    }

    /// Consumes so many of the bytes at hand and returns them.
    #[inline]
    pub(crate) fn take(&mut self, bytes: usize) -> &[u8] {
        let start = self.next;
        self.next += bytes;
        &self.buffer[start..self.next]
    }

    /// Makes so many bytes available, or all that there are: then `false`.
    #[inline]
    pub(crate) fn ensure(&mut self, bytes: usize) -> Result<bool> {
        while self.rest().len() < bytes {
            if !self.more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads on; [`Window::rest`] then starts with the same bytes as before. `false` at the end.
    ///
    /// # Errors
    /// Those of the source; [`ErrorKind::FileTooLarge`] when one token would fill the memory.
    pub fn more(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.end == self.buffer.len() {
            self.make_room()?;
        }
        let read = loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        self.end += read;
        self.ended = read == 0;
        self.note_read(read);
        Ok(!self.ended)
    }

    /// Goes back to the start; a source that is wholly at hand is not read again.
    pub fn rewind(&mut self) -> Result<()> {
        self.next = 0;
        let is_at_hand = self.base == self.start && (self.ended || self.end == 0);
        if !is_at_hand {
            self.source.seek(SeekFrom::Start(0))?;
            (self.end, self.base, self.ended) = (0, 0, false);
        }
        Ok(())
    }

    /// Reads to the end and returns how many bytes the source has.
    pub(crate) fn drain(&mut self) -> Result<u64> {
        loop {
            self.next = self.end;
            if !self.more()? {
                return Ok(self.offset());
            }
        }
    }

    /// The SHA-256 of the whole source, once it was read to its end.
    pub(crate) fn digest(&self) -> Option<[u8; 32]> {
        match &self.hash {
            Hash::Whole(digest) => Some(*digest),
            _ => None,
        }
    }

    /// Drops what was consumed, or grows where a token fills the buffer.
    fn make_room(&mut self) -> Result<()> {
        if self.next > 0 {
            self.buffer.copy_within(self.next..self.end, 0);
            self.base += self.next as u64;
            self.end -= self.next;
            self.next = 0;
            return Ok(());
        }
        if self.buffer.len() >= self.most {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let mut larger = vec![0; (2 * self.buffer.len()).min(self.most)];
        larger[..self.end].copy_from_slice(&self.buffer);
        if self.sensitive {
            self.buffer.zeroize();
        }
        self.buffer = larger;
        Ok(())
    }

    /// Takes the last `read` bytes into the digest, unless they came by before.
    fn note_read(&mut self, read: usize) {
        let Hash::Upto { upto, state } = &mut self.hash else { return };
        let fresh = (self.base + self.end as u64).saturating_sub(*upto).min(read as u64);
        let fresh = usize::try_from(fresh).expect("at most `read`, which is a usize");
        state.update(&self.buffer[self.end - fresh..self.end]);
        *upto += fresh as u64;
        if self.ended {
            self.hash = Hash::Whole(std::mem::take(state).finalize().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn over(bytes: &[u8], size: usize) -> Window {
        Window::new(Box::new(Cursor::new(bytes.to_vec())), size, true).hashing()
    }

    #[test]
    fn bytes_that_were_not_consumed_stay_at_hand() {
        let mut window = over(b"abcdefghij", 4);
        assert!(window.ensure(3).unwrap());
        assert_eq!(window.take(3), b"abc");
        assert!(window.ensure(6).unwrap(), "it grows");
        assert_eq!((window.rest().starts_with(b"defghi"), window.offset()), (true, 3));
        assert!(!window.ensure(8).unwrap());
    }

    #[test]
    fn the_digest_is_that_of_the_whole_however_it_was_read() {
        let bytes: Vec<u8> = (0..1_000_u32).map(|i| (i % 251) as u8).collect();
        let expected: [u8; 32] = Sha256::digest(&bytes).into();
        for size in [1, 7, 16, 999, 1_000, 1_001, 4_096] {
            let mut window = over(&bytes, size);
            window.ensure(300).unwrap();
            window.pass(13);
            window.rewind().unwrap();
            assert_eq!(window.digest(), None);
            assert_eq!((window.drain().unwrap(), window.digest()), (1_000, Some(expected)), "{size}");
            window.rewind().unwrap();
            window.ensure(5).unwrap();
            assert_eq!((&window.rest()[..5], window.offset()), (&bytes[..5], 0));
        }
    }

    #[test]
    fn one_token_cannot_fill_the_memory() {
        let mut window = over(&[b'x'; 100], 16).at_most(64);
        assert_eq!(window.ensure(65).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
