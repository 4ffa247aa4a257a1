//! The content of JSON strings, decoded only on request.

use super::limits::Nul;

/// The content of a string between its quotes, checked and not yet decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    pub(super) raw: &'a str,
    pub(super) escaped: bool,
    /// What becomes of U+0000.
    pub(super) nul: Nul,
}

/// A string may be a secret, so `Debug` shows its length alone.
impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({} bytes)", self.raw.len())
    }
}

impl<'a> Text<'a> {
    /// The content as written, escapes included.
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// The content; `scratch` holds it if there are escapes.
    #[inline]
    pub fn decode<'s>(self, scratch: &'s mut String) -> &'s str
    where
        'a: 's,
    {
        if !self.escaped {
            return self.raw;
        }
        scratch.clear();
        self.unescape(scratch);
        scratch
    }

    /// Where, in the text as it is written, something is that not every database keeps: half a surrogate pair, and (with
    /// `true`) U+0000 where the set says what becomes of it.
    pub fn odd(self) -> impl Iterator<Item = (u64, bool)> {
        let (mut at, escaped, tells_nul) = (0, self.escaped, self.nul != Nul::Reject);
        let raw = self.raw.as_bytes();
        std::iter::from_fn(move || {
            if !escaped {
                return None;
            }
            loop {
                at += memchr::memchr(b'\\', &raw[at..])?;
                let (c, length) = escape(&raw[at..]);
                let (here, is_lone) = (at, c == char::REPLACEMENT_CHARACTER && is_surrogate(&raw[at..]));
                at += length;
                if is_lone || c == '\0' && tells_nul {
                    return Some((here as u64, !is_lone));
                }
            }
        })
    }

    fn unescape(self, out: &mut String) {
        // Nothing decodes to more bytes than it is written with.
        out.reserve(self.raw.len());
        let mut rest = self.raw;
        while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
            out.push_str(&rest[..at]);
            let (c, length) = escape(&rest.as_bytes()[at..]);
            out.push(if c == '\0' && self.nul == Nul::Replace { char::REPLACEMENT_CHARACTER } else { c });
            rest = &rest[at + length..];
        }
        out.push_str(rest);
    }
}

/// Whether an escape is one of a surrogate.
fn is_surrogate(bytes: &[u8]) -> bool {
    bytes.get(2..6).and_then(hex).is_some_and(|unit| (0xd800..0xe000).contains(&unit))
}

/// The character of a checked escape, and how many bytes it is written with; of half a surrogate pair U+FFFD.
pub(super) fn escape(bytes: &[u8]) -> (char, usize) {
    const CHECKED: &str = "the scanner checked the escape";
    let simple = match bytes[1] {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = u32::from(hex(&bytes[2..6]).expect(CHECKED));
            if !(0xd800..0xe000).contains(&unit) {
                return (char::from_u32(unit).expect(CHECKED), 6);
            }
            let low = bytes.get(6..12).filter(|next| unit < 0xdc00 && next.starts_with(b"\\u"));
            let low = low.and_then(|next| hex(&next[2..])).map(u32::from);
            let Some(low) = low.filter(|low| (0xdc00..0xe000).contains(low)) else {
                return (char::REPLACEMENT_CHARACTER, 6);
            };
            return (char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).expect(CHECKED), 12);
        }
        quoted => char::from(quoted),
    };
    (simple, 2)
}

/// The value of four hexadecimal digits.
pub(super) fn hex(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |unit, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(value).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &str) -> String {
        Text { raw, escaped: raw.contains('\\'), nul: Nul::Reject }.decode(&mut String::new()).to_owned()
    }

    #[test]
    fn every_escape_is_decoded() {
        assert_eq!(decoded(r#"a\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00 ü"#), "a\"\\/\u{8}\u{c}\n\r\tAé€😀 ü");
        assert_eq!(decoded("plain"), "plain");
        assert_eq!(decoded(r"\u0000\uffff\udbff\udfff"), "\0\u{ffff}\u{10ffff}");
    }

    #[test]
    fn what_is_no_character_is_replaced_and_told_by_its_place() {
        let of = |raw, nul| {
            let text = Text { raw, escaped: true, nul };
            (text.decode(&mut String::new()).to_owned(), text.odd().collect::<Vec<_>>())
        };
        assert_eq!(
            of(r"a\ud83dx\ude00\ufffd", Nul::Replace),
            ("a\u{fffd}x\u{fffd}\u{fffd}".to_owned(), vec![(1, false), (8, false)])
        );
        assert_eq!(
            of(r"\ud83d\ud83d\ude00\n\ud83d", Nul::Reject),
            ("\u{fffd}\u{1f600}\n\u{fffd}".to_owned(), vec![(0, false), (20, false)])
        );
        assert_eq!(of(r"\u0000\\u0000", Nul::Replace), ("\u{fffd}\\u0000".to_owned(), vec![(0, true)]));
        assert_eq!(of(r"\u0000", Nul::Reject), ("\0".to_owned(), vec![]));
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", Text { raw: "hidden", escaped: false, nul: Nul::Reject }), "Text(6 bytes)");
    }
}
