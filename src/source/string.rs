//! The content of JSON strings, decoded only on request.

/// The content of a string between its quotes, checked and not yet decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    pub(super) raw: &'a str,
    pub(super) escaped: bool,
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

    fn unescape(self, out: &mut String) {
        // Nothing decodes to more bytes than it is written with.
        out.reserve(self.raw.len());
        let mut rest = self.raw;
        while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
            out.push_str(&rest[..at]);
            let (c, length) = escape(&rest.as_bytes()[at..]);
            out.push(c);
            rest = &rest[at + length..];
        }
        out.push_str(rest);
    }
}

/// The character of a checked escape, and how many bytes it is written with.
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
            let low = u32::from(hex(&bytes[8..12]).expect(CHECKED));
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
        Text { raw, escaped: raw.contains('\\') }.decode(&mut String::new()).to_owned()
    }

    #[test]
    fn every_escape_is_decoded() {
        assert_eq!(decoded(r#"a\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00 ü"#), "a\"\\/\u{8}\u{c}\n\r\tAé€😀 ü");
        assert_eq!(decoded("plain"), "plain");
        assert_eq!(decoded(r"\u0000\uffff\udbff\udfff"), "\0\u{ffff}\u{10ffff}");
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", Text { raw: "hidden", escaped: false }), "Text(6 bytes)");
    }
}
