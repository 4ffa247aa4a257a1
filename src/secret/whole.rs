//! Whether a value as a whole is a secret, in plaintext or in one of the usual encodings.

use super::proof::SecretSet;
use crate::decode;
use serde_json::Value;
use zeroize::Zeroizing;

/// An encoding inside of an encoding is looked through so deep.
const DEEPEST: u8 = 3;

/// Secrets of fewer characters are ordinary values by chance.
const FEWEST: usize = 6;

/// The secret of the set that the whole text is: as it is, with space around it, in quotes, in base64,
/// hex, percent-encoding or HTML, or a value or name in JSON that is the text.
pub fn whole(set: &SecretSet, text: &str) -> Option<Zeroizing<String>> {
    let mut found = None;
    read(text, 0, &mut |reading| {
        if found.is_none() && reading.chars().count() >= FEWEST && set.holds(reading) {
            found = Some(Zeroizing::new(reading.to_owned()));
        }
        found.is_some()
    });
    found
}

/// Whether a secret can hardly be an ordinary value by chance: it has at least eight characters, of
/// at least two kinds.
pub fn is_strong(secret: &str) -> bool {
    let kinds: [fn(char) -> bool; 3] = [char::is_lowercase, char::is_uppercase, char::is_numeric];
    let other = |letter: char| !kinds.iter().any(|is_of| is_of(letter));
    let present =
        kinds.iter().filter(|is_of| secret.chars().any(**is_of)).count() + usize::from(secret.chars().any(other));
    secret.chars().count() >= 8 && present >= 2
}

/// Shows every reading of a text until one is what was looked for.
fn read(text: &str, depth: u8, see: &mut dyn FnMut(&str) -> bool) -> bool {
    if see(text) || see(text.trim()) {
        return true;
    }
    if depth == DEEPEST {
        return false;
    }
    let text = text.trim();
    if quoted(text).is_some_and(|inside| read(inside, depth + 1, see)) {
        return true;
    }
    let decoded = [
        decode::base64(text),
        decode::hex(text),
        decode::spaced_hex(text),
        decode::entities(text),
        percent(text, false),
        percent(text, true),
    ];
    for bytes in decoded.into_iter().flatten() {
        let Ok(plain) = String::from_utf8(bytes).map(Zeroizing::new) else { continue };
        if plain.as_str() != text && read(&plain, depth + 1, see) {
            return true;
        }
    }
    let is_json = text.starts_with(['{', '[', '"']);
    is_json && serde_json::from_str(text).is_ok_and(|value| read_json(&value, depth + 1, see))
}

/// What stands in quotes.
fn quoted(text: &str) -> Option<&str> {
    ['"', '\'', '`'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
}

fn read_json(value: &Value, depth: u8, see: &mut dyn FnMut(&str) -> bool) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(number) => see(&number.to_string()),
        Value::String(text) => read(text, depth, see),
        Value::Array(elements) => elements.iter().any(|element| read_json(element, depth, see)),
        Value::Object(members) => members.iter().any(|(name, value)| see(name) || read_json(value, depth, see)),
    }
}

/// Percent-decodes a text that has something to decode; `plus`: a `+` is a blank.
fn percent(text: &str, plus: bool) -> Option<Vec<u8>> {
    let has_blank = plus && text.contains('+');
    match decode::percent(text.as_bytes()) {
        None if !has_blank => None,
        decoded => {
            let plain = if plus { text.replace('+', " ") } else { text.to_owned() };
            Some(decoded.filter(|_| !plus).or_else(|| decode::percent(plain.as_bytes())).unwrap_or(plain.into_bytes()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        let mut set = SecretSet::new();
        set.add("Tr0ub4dor&3-zz");
        set.add("123456");
        set.add("pass word/1");
        whole(&set, text).map(|secret| secret.to_string())
    }

    #[test]
    fn a_whole_value_is_recognised_in_every_usual_encoding() {
        for text in [
            "Tr0ub4dor&3-zz",
            "  Tr0ub4dor&3-zz\n",
            "VHIwdWI0ZG9yJjMteno=",
            "VHIwdWI0ZG9yJjMteno",
            "5472307562346 46f7226332d7a7a",
            "54723075623464 6F7226332D7A7A",
            "Tr0ub4dor%263-zz",
            r#"{"a": [{"b": "Tr0ub4dor&3-zz"}]}"#,
            r#"{"Tr0ub4dor&3-zz": 1}"#,
            r#""Tr0ub4dor&3-zz""#,
            r#"{"a": "VHIwdWI0ZG9yJjMteno="}"#,
            "'Tr0ub4dor&3-zz'",
            "`Tr0ub4dor&3-zz`",
            "Tr0ub4dor&amp;3-zz",
            "Tr0ub4dor&#38;3-zz",
            "\"Tr0ub4dor&#x26;3-zz\"",
            "54 72 30 75 62 34 64 6f 72 26 33 2d 7a 7a",
            "54:72:30:75:62:34:64:6F:72:26:33:2D:7A:7A",
            r"\x54\x72\x30\x75\x62\x34\x64\x6f\x72\x26\x33\x2d\x7a\x7a",
            "0x54,0x72,0x30,0x75,0x62,0x34,0x64,0x6f,0x72,0x26,0x33,0x2d,0x7a,0x7a",
        ] {
            let text = if text.starts_with('5') { text.replace(' ', "") } else { text.to_owned() };
            assert_eq!(found(&text).as_deref(), Some("Tr0ub4dor&3-zz"), "{text}");
        }
        assert_eq!(found("pass+word%2F1").as_deref(), Some("pass word/1"));
        assert_eq!(found("123456").as_deref(), Some("123456"));
        assert_eq!(found("[123456]").as_deref(), Some("123456"));
    }

    #[test]
    fn a_part_of_a_longer_text_is_not_a_whole_value() {
        for text in ["my Tr0ub4dor&3-zz", "https://bob:Tr0ub4dor%263-zz@h/", "1234567", "", "%", "%zz", "{", "a+b"] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_strong_secret_has_eight_characters_of_two_kinds() {
        for secret in ["hunter22", "Password", "pass word", "1234-567", "пароль12"] {
            assert!(is_strong(secret), "{secret}");
        }
        for secret in ["tutorial", "12345678", "PASSWORD", "hunter2", ""] {
            assert!(!is_strong(secret), "{secret}");
        }
    }
}
