//! Files that are packed (gzip, RFC 1952), unpacked as they are read.

use crate::finding::{Code, FILE_DAMAGED, FILE_UNPACKED};
use flate2::bufread::GzDecoder;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Seek, SeekFrom};

/// A file may unpack to so many times its size: texts do not come near it.
pub const MOST_TIMES: u64 = 200;

/// A file may unpack to so many bytes unless something else is asked for.
pub const DEFAULT_UNPACKED: u64 = 4 << 30;

/// Why bytes cannot be unpacked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// They are not gzip.
    NotPacked,
    /// So many bytes follow the last packed part, and are none.
    Trailing(u64),
    /// They end too early.
    Cut,
    /// They contradict themselves: a checksum or a length is wrong.
    Damaged,
    /// More than [`MOST_TIMES`] their size.
    Times,
    /// More than was allowed.
    Bytes(u64),
}

impl std::error::Error for Damage {}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotPacked => f.write_str("the file is called `.gz` and is not gzip"),
            Self::Trailing(1) => f.write_str("1 byte after the end of the compressed data"),
            Self::Trailing(bytes) => write!(f, "{bytes} bytes after the end of the compressed data"),
            Self::Cut => f.write_str("the file ends before its packed data do"),
            Self::Damaged => f.write_str("the packed data are damaged from about here on"),
            Self::Times => write!(f, "the file unpacks to more than {MOST_TIMES} times its size"),
            Self::Bytes(most) => write!(f, "the file unpacks to more than {most} bytes"),
        }
    }
}

impl Damage {
    pub(super) fn code(self) -> &'static Code {
        match self {
            Self::Times | Self::Bytes(_) => &FILE_UNPACKED,
            Self::NotPacked | Self::Trailing(_) | Self::Cut | Self::Damaged => &FILE_DAMAGED,
        }
    }

    /// The damage that an error of an [`Unpacked`] tells of.
    pub(super) fn of(error: &Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

/// What the bytes of a packed source unpack to. It can be read again from its start, and from nowhere else.
pub(super) struct Unpacked<R: Read> {
    /// Of the part that is being read: parts in a row are one text (RFC 1952, section 2.2). None after a failed way back
    /// to the start.
    decoder: Option<GzDecoder<BufReader<Counted<R>>>>,
    /// How many bytes the packed source has, and how many it gave unpacked.
    packed: u64,
    given: u64,
    /// Where the part that is being read begins, and how much was unpacked before it.
    part: u64,
    given_before: u64,
    most: u64,
    /// What ended it: asked again, it gives the same answer.
    damage: Option<Damage>,
}

impl<R: Read> Unpacked<R> {
    /// Unpacks a source of so many bytes, to at most `most`.
    pub(super) fn new(source: R, packed: u64, most: u64) -> Self {
        let decoder = Some(GzDecoder::new(BufReader::new(Counted { source, read: 0 })));
        Self { decoder, packed, given: 0, part: 0, given_before: 0, most, damage: None }
    }

    fn end(&mut self, damage: Damage) -> Error {
        self.damage = Some(damage);
        Error::new(ErrorKind::InvalidData, damage)
    }

    fn damage(&self, error: &Error) -> Damage {
        let left = self.packed - self.part;
        let is_none = match error.kind() {
            // The least that gzip can be has 18 bytes.
            ErrorKind::UnexpectedEof => self.given == self.given_before && left < 18,
            ErrorKind::InvalidInput => error.to_string().contains("header") && self.given == self.given_before,
            _ => false,
        };
        match error.kind() {
            _ if is_none && self.part == 0 => Damage::NotPacked,
            _ if is_none => Damage::Trailing(left),
            ErrorKind::UnexpectedEof => Damage::Cut,
            _ => Damage::Damaged,
        }
    }

    /// Goes on to the next part, if there is one; what else follows is none.
    fn next_part(&mut self) -> Result<bool> {
        let Some(decoder) = self.decoder.take() else { return Ok(false) };
        let mut source = decoder.into_inner();
        let first = source.fill_buf()?.first().copied();
        self.part = source.get_ref().read - source.buffer().len() as u64;
        self.given_before = self.given;
        self.decoder = Some(GzDecoder::new(source));
        match first {
            None => Ok(false),
            Some(FIRST) => Ok(true),
            Some(_) => {
                let damage = Damage::Trailing(self.packed.saturating_sub(self.part));
                Err(self.end(damage))
            }
        }
    }
}

/// What every packed part begins with (RFC 1952, section 2.3.1).
const FIRST: u8 = 0x1f;

/// A source, and how many bytes were read from it.
struct Counted<R> {
    source: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.source.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if let Some(damage) = self.damage {
            return Err(self.end(damage));
        }
        let read = loop {
            let Some(decoder) = self.decoder.as_mut().filter(|_| self.packed > 0) else { return Ok(0) };
            match decoder.read(buffer) {
                Ok(0) if !buffer.is_empty() && self.next_part()? => {}
                read => break read,
            }
        };
        let read = match read {
            Ok(read) => read as u64,
            // The file system's own errors are no damage.
            Err(error) if error.raw_os_error().is_some() || error.kind() == ErrorKind::Interrupted => {
                return Err(error);
            }
            Err(error) => {
                let damage = self.damage(&error);
                return Err(self.end(damage));
            }
        };
        self.given += read;
        if self.given > self.packed.saturating_mul(MOST_TIMES) {
            return Err(self.end(Damage::Times));
        }
        if self.given > self.most {
            return Err(self.end(Damage::Bytes(self.most)));
        }
        Ok(usize::try_from(read).expect("no more than the buffer holds"))
    }
}

impl<R: Read + Seek> Seek for Unpacked<R> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        if to != SeekFrom::Start(0) {
            return Err(ErrorKind::Unsupported.into());
        }
        let Some(decoder) = self.decoder.take() else { return Err(ErrorKind::Other.into()) };
        let mut source = decoder.into_inner().into_inner().source;
        source.seek(to)?;
        *self = Self::new(source, self.packed, self.most);
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::{Cursor, Write};

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What bytes unpack to, or why they do not.
    fn unpacked(bytes: &[u8], most: u64) -> std::result::Result<Vec<u8>, Damage> {
        let mut out = Vec::new();
        let mut source = Unpacked::new(Cursor::new(bytes.to_vec()), bytes.len() as u64, most);
        match source.read_to_end(&mut out) {
            Ok(_) => Ok(out),
            Err(error) => {
                let again = source.read(&mut [0; 8]).unwrap_err();
                assert_eq!(Damage::of(&again), Damage::of(&error), "it does not get better");
                Err(Damage::of(&error).unwrap())
            }
        }
    }

    #[test]
    fn parts_in_a_row_unpack_to_one_text_and_again_from_the_start() {
        let both = [packed(b"one, "), packed(b"two")].concat();
        assert_eq!(unpacked(&both, 100).as_deref(), Ok(&b"one, two"[..]));
        assert_eq!(unpacked(b"", 100).as_deref(), Ok(&b""[..]));
        let mut source = Unpacked::new(Cursor::new(both.clone()), both.len() as u64, 100);
        for _ in 0..2 {
            let mut text = String::new();
            source.read_to_string(&mut text).unwrap();
            assert_eq!(text, "one, two");
            source.seek(SeekFrom::Start(0)).unwrap();
        }
        assert_eq!(source.seek(SeekFrom::Start(3)).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn damage_is_told_by_its_kind() {
        let text: Vec<u8> = (0..20_000_u32).flat_map(u32::to_le_bytes).collect();
        let whole = packed(&text);
        assert_eq!(unpacked(b"{\"a\": 1}", 100), Err(Damage::NotPacked));
        assert_eq!(unpacked(&whole[..whole.len() - 1], u64::MAX), Err(Damage::Cut));
        assert_eq!(unpacked(&whole[..whole.len() / 2], u64::MAX), Err(Damage::Cut));
        // RFC 1952, section 2.2: further parts are read; anything else that follows is none, however it begins.
        for beyond in [&b"garbage beyond"[..], b"\n", b"\0\0\0", b"\x1f", b"\x1f\x8b", b"\x1fx 01234567890123456789"] {
            let bytes = [&whole[..], beyond].concat();
            assert_eq!(unpacked(&bytes, u64::MAX), Err(Damage::Trailing(beyond.len() as u64)), "{beyond:?}");
            let twice = [&whole[..], &whole[..], beyond].concat();
            assert_eq!(unpacked(&twice, u64::MAX), Err(Damage::Trailing(beyond.len() as u64)), "{beyond:?}");
        }
        assert_eq!(unpacked(&[&whole[..], &whole[..whole.len() / 2]].concat(), u64::MAX), Err(Damage::Cut));
        assert_eq!(unpacked(&[packed(b""), whole.clone()].concat(), u64::MAX).as_deref(), Ok(&text[..]));
        let mut checksum = whole.clone();
        let at = checksum.len() - 6;
        checksum[at] ^= 1;
        assert_eq!(unpacked(&checksum, u64::MAX), Err(Damage::Damaged));
        assert_eq!(unpacked(&whole, 10), Err(Damage::Bytes(10)));
        assert_eq!(unpacked(&packed(&[b' '; 1 << 20]), u64::MAX), Err(Damage::Times));
    }
}
