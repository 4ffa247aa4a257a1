//! Writes values as JSON text.

use super::tape::{Kind, NodeRef};

impl<'t> NodeRef<'t> {
    /// Appends the value as compact JSON; members that `skipped` selects are omitted.
    pub fn write_json(self, out: &mut String, skipped: &dyn Fn(NodeRef<'t>) -> bool) {
        match self.kind() {
            Kind::Null | Kind::Record(_) => out.push_str("null"),
            Kind::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Kind::Number => out.push_str(self.text()),
            Kind::String => write_string(out, self.text(), self.is_plain()),
            kind @ (Kind::Array | Kind::Object) => {
                let (open, close) = if kind == Kind::Array { ('[', ']') } else { ('{', '}') };
                out.push(open);
                let mut first = true;
                for child in self.children().filter(|child| !child.is_record() && !skipped(*child)) {
                    if !std::mem::take(&mut first) {
                        out.push(',');
                    }
                    // Elements have none.
                    if let Some(name) = child.name() {
                        write_string(out, name, child.is_plain());
                        out.push(':');
                    }
                    child.write_json(out, skipped);
                }
                out.push(close);
            }
        }
    }
}

fn write_string(out: &mut String, text: &str, plain: bool) {
    if plain {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        write_json_string(out, text);
    }
}

/// Appends a JSON string: quotes, and the escapes of RFC 8259 section 7 that are required.
pub fn write_json_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = special(rest.as_bytes()) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            control => {
                out.push_str("\\u00");
                out.push(char::from(b"0123456789abcdef"[usize::from(control >> 4)]));
                out.push(char::from(b"0123456789abcdef"[usize::from(control & 15)]));
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// The first byte that a JSON string must escape: a quote, a backslash or a control
/// character below U+0020.
#[inline]
pub(crate) fn special(bytes: &[u8]) -> Option<usize> {
    /// Most strings are shorter; beyond, the wider registers of `memchr` pay for its call.
    const NEAR: usize = 64;

    let mut at = 0;
    while let Some(word) = bytes.get(at..at + 8) {
        let flags = flags(u64::from_le_bytes(word.try_into().expect("eight bytes")));
        if flags != 0 {
            return Some(at + flags.trailing_zeros() as usize / 8);
        }
        at += 8;
        if at == NEAR {
            return far_special(&bytes[at..]).map(|further| at + further);
        }
    }
    bytes[at..].iter().position(|byte| is_special(*byte)).map(|further| at + further)
}

/// Flags the highest bit of each special byte, of eight at once: the lowest flag raised is exact, a borrow can only
/// raise those above it.
#[inline]
fn flags(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = word ^ (ONES * u64::from(b'"'));
    let backslash = word ^ (ONES * u64::from(b'\\'));
    (control | (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash)) & HIGHS
}

fn far_special(bytes: &[u8]) -> Option<usize> {
    let end = memchr::memchr2(b'"', b'\\', bytes);
    let plain = &bytes[..end.unwrap_or(bytes.len())];
    if plain.iter().fold(false, |found, byte| found | (*byte < 0x20)) {
        plain.iter().position(|byte| *byte < 0x20)
    } else {
        end
    }
}

fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tape::Tape;

    #[test]
    fn the_first_special_byte_is_found_at_every_position() {
        for length in [0, 1, 7, 8, 9, 63, 64, 65, 200] {
            for at in 0..length {
                for byte in [b'"', b'\\', 0, 0x1f] {
                    let mut bytes = vec![0xc3_u8; length];
                    bytes[at] = byte;
                    bytes[length - 1] = if at == length - 1 { byte } else { b'"' };
                    assert_eq!(special(&bytes), Some(at), "{byte} at {at} of {length}");
                }
            }
            assert_eq!(special(&vec![b' '; length]), None);
        }
    }

    #[test]
    fn json_is_written_compact_with_the_required_escapes() {
        let mut tape = Tape::new(false);
        let root = tape.push(Kind::Object, None, "", 0);
        tape.push(Kind::String, Some("a\"b"), "\u{8}\u{c}\n\r\t\u{1}\\ü", 0);
        tape.push(Kind::Number, Some("n"), "1.50", 0);
        let list = tape.push(Kind::Array, Some("l"), "", 0);
        tape.push(Kind::Null, None, "", 0);
        tape.push(Kind::Bool(true), None, "", 0);
        tape.close(list);
        tape.close(root);
        let mut out = String::new();
        tape.root().write_json(&mut out, &|node| node.name() == Some("n"));
        assert_eq!(out, r#"{"a\"b":"\b\f\n\r\t\u0001\\ü","l":[null,true]}"#);
    }
}
