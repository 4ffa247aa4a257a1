//! Scanning a JSON string: where it ends, and whether it is one.

use super::fault::{Fault, invalid_utf8};
use super::json::{Scanner, State};
use super::string::{Text, hex};
use crate::document::json::special;
use crate::finding::{JSON_CONTROL, JSON_SURROGATE, JSON_SYNTAX};

impl Scanner<'_> {
    /// Scans the string that begins at the next byte; `following` is what must come after it.
    pub(super) fn string(&mut self, following: State) -> Result<Text<'_>, Fault> {
        let start = self.window.offset();
        let (length, escaped) = self.string_extent()?;
        self.progress.state = following;
        let nul = self.progress.replace.nul;
        let raw = self.window.take(length);
        match std::str::from_utf8(&raw[1..length - 1]) {
            Ok(raw) => Ok(Text { raw, escaped, nul }),
            Err(error) => Err(invalid_utf8(start + 1 + error.valid_up_to() as u64)),
        }
    }

    /// How many bytes the string has, quotes included, and whether it holds escapes.
    fn string_extent(&mut self) -> Result<(usize, bool), Fault> {
        let mut at = 1;
        let mut escaped = false;
        loop {
            let rest = self.window.rest();
            match special(&rest[at..]) {
                Some(further) => {
                    at += further;
                    match rest[at] {
                        b'"' => return Ok((at + 1, escaped)),
                        b'\\' => {
                            escaped = true;
                            at = match rest.get(at + 1) {
                                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at + 2,
                                _ => self.check_escape(at)?,
                            };
                        }
                        0 => {
                            let fault = self.string_fault(at, &JSON_CONTROL, control_message(0));
                            return Err(
                                fault.helped_by("remove it in the source: databases do not store U+0000 in text")
                            );
                        }
                        control => return Err(self.string_fault(at, &JSON_CONTROL, control_message(control))),
                    }
                }
                None => {
                    at = rest.len();
                    if !self.more()? {
                        return Err(self.string_cut());
                    }
                }
            }
        }
    }

    /// Checks the escape whose backslash is `at`, and returns where it ends.
    fn check_escape(&mut self, at: usize) -> Result<usize, Fault> {
        // A pair of surrogates has twelve bytes; a shorter rest is checked as it is.
        self.ensure(at + 12)?;
        let rest = &self.window.rest()[at..];
        match rest.get(1) {
            None => Err(self.string_cut()),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => match check_unicode(rest) {
                Ok(length) => Ok(at + length),
                Err(Unicode::Cut) => Err(self.string_cut()),
                Err(Unicode::NoDigits) => {
                    Err(self.string_fault(at, &JSON_SYNTAX, "expected four hexadecimal digits after `\\u`"))
                }
                Err(Unicode::Half) if self.progress.replace.lone_surrogate => Ok(at + 6),
                Err(Unicode::Half) => Err(self.string_fault(at, &JSON_SURROGATE, "unpaired surrogate escape")),
            },
            Some(_) => Err(self.string_fault(at, &JSON_SYNTAX, "invalid escape sequence")),
        }
    }

    /// A fault `at` bytes into the string, unless the bytes before it are not even UTF-8.
    fn string_fault(&self, at: usize, code: &'static crate::finding::Code, message: impl Into<String>) -> Fault {
        let start = self.window.offset();
        match std::str::from_utf8(&self.window.rest()[1..at]) {
            Err(error) => invalid_utf8(start + 1 + error.valid_up_to() as u64),
            Ok(_) => Fault::new(code, start + at as u64, message),
        }
    }

    /// The file ends inside the string.
    fn string_cut(&self) -> Fault {
        match std::str::from_utf8(&self.window.rest()[1..]) {
            Err(error) if error.error_len().is_some() => {
                invalid_utf8(self.window.offset() + 1 + error.valid_up_to() as u64)
            }
            _ => self.truncated("inside a string"),
        }
    }
}

/// Why `\u…` is not a character.
enum Unicode {
    Cut,
    NoDigits,
    Half,
}

/// Checks `\u…` at the start of `rest`, and returns how many bytes it is written with.
fn check_unicode(rest: &[u8]) -> Result<usize, Unicode> {
    let unit = unit(&rest[2..])?;
    match unit {
        0xd800..=0xdbff => {}
        0xdc00..=0xdfff => return Err(Unicode::Half),
        _ => return Ok(6),
    }
    match (rest.get(6), rest.get(7)) {
        (None, _) | (Some(b'\\'), None) => return Err(Unicode::Cut),
        (Some(b'\\'), Some(b'u')) => {}
        _ => return Err(Unicode::Half),
    }
    match self::unit(&rest[8..])? {
        0xdc00..=0xdfff => Ok(12),
        _ => Err(Unicode::Half),
    }
}

fn unit(digits: &[u8]) -> Result<u16, Unicode> {
    match digits.get(..4) {
        Some(four) => hex(four).ok_or(Unicode::NoDigits),
        None if digits.iter().all(u8::is_ascii_hexdigit) => Err(Unicode::Cut),
        None => Err(Unicode::NoDigits),
    }
}

fn control_message(control: u8) -> String {
    let name = match control {
        b'\n' => "line feed",
        b'\r' => "carriage return",
        b'\t' => "tab",
        0 => "zero byte",
        _ => return format!("unescaped control character U+{control:04X} in a string"),
    };
    format!("unescaped {name} in a string")
}
