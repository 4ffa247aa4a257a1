//! The forms in which a secret may occur in a text: raw, base64, hex, percent-encoded, escaped in JSON
//! (also in JSON that is a string in JSON).

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

/// Bytes that would reveal a secret, wiped when dropped.
pub(super) type Form = Zeroizing<Vec<u8>>;

/// Every form of a secret that is searched for, each once.
///
/// Buffers are sized at once: one that grows leaves copies of the secret behind.
pub(super) fn forms(secret: &str) -> Vec<Form> {
    let mut forms = vec![copy(secret.as_bytes())];
    forms.extend((0..3).map(|before| base64(secret, before)));
    let url_forms: Vec<_> = forms[1..].iter().map(to_url_alphabet).collect();
    forms.extend(url_forms);
    forms.push(hex(secret, LOWER));
    forms.push(hex(secret, UPPER));
    forms.extend(KEPT.iter().flat_map(|kept| [percent(secret, kept, UPPER), percent(secret, kept, LOWER)]));
    let escaped = [json(secret, NonAscii::Kept), json(secret, NonAscii::Escaped), slashes(secret)];
    forms.extend(
        escaped.iter().filter_map(|form| std::str::from_utf8(form).ok()).map(|once| json(once, NonAscii::Kept)),
    );
    forms.extend(escaped);
    forms.sort_unstable_by(|one, two| one.as_slice().cmp(two.as_slice()));
    forms.dedup_by(|one, two| one.as_slice() == two.as_slice());
    forms
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// What percent-encoders keep beside letters and digits; a `+` in it is what they write for a blank.
const KEPT: [&[u8]; 6] = [
    b"-._~",                // RFC 3986 section 2.3; Python's `quote(safe="")`
    b"-._~/",               // Python's `quote`
    b"-._~!*'()",           // JavaScript's `encodeURIComponent`
    b"-._~!*'();/?:@&=$,#", // JavaScript's `encodeURI`, but for `+`
    b"*-._+",               // forms, in the WHATWG URL standard
    b"-._~!$&'()*,;=:",     // user information in a URL, RFC 3986 section 3.2.1
];

/// The secret as it stands in a URL.
fn percent(secret: &str, kept: &[u8], digits: &[u8; 16]) -> Form {
    let mut form = Zeroizing::new(Vec::with_capacity(secret.len() * 3));
    for byte in secret.bytes() {
        if byte == b' ' && kept.contains(&b'+') {
            form.push(b'+');
        } else if byte.is_ascii_alphanumeric() || (byte != b'+' && kept.contains(&byte)) {
            form.push(byte);
        } else {
            form.extend([b'%', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
        }
    }
    form
}

/// The content of a JSON string as PHP writes it, with escaped slashes.
fn slashes(secret: &str) -> Form {
    let escaped = json(secret, NonAscii::Escaped);
    let mut form = Zeroizing::new(Vec::with_capacity(escaped.len() * 2));
    for byte in escaped.iter() {
        if *byte == b'/' {
            form.push(b'\\');
        }
        form.push(*byte);
    }
    form
}

fn copy(bytes: &[u8]) -> Form {
    Zeroizing::new(bytes.to_vec())
}

/// The digits that depend on the secret alone when `before` other bytes (modulo 3) precede it.
///
/// Digits that it shares with its neighbours, and padding, are left out. So the form is found in the
/// base64 of the secret alone, padded or not, and of any text that holds the secret.
fn base64(secret: &str, before: usize) -> Form {
    let mut plain = Zeroizing::new(Vec::with_capacity(before + secret.len()));
    plain.resize(before, 0);
    plain.extend_from_slice(secret.as_bytes());
    let mut digits = Zeroizing::new(vec![0; plain.len().div_ceil(3) * 4]);
    let written = STANDARD_NO_PAD.encode_slice(&*plain, &mut digits).expect("4 digits hold 3 bytes");
    let decided = (before * 8).div_ceil(6)..plain.len() * 8 / 6;
    copy(&digits[..written][decided])
}

fn to_url_alphabet(digits: &Form) -> Form {
    let mut digits = copy(digits);
    for digit in digits.iter_mut() {
        *digit = match *digit {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        };
    }
    digits
}

fn hex(secret: &str, digits: &[u8; 16]) -> Form {
    let mut form = Zeroizing::new(Vec::with_capacity(secret.len() * 2));
    for byte in secret.bytes() {
        form.push(digits[usize::from(byte >> 4)]);
        form.push(digits[usize::from(byte & 15)]);
    }
    form
}

/// What a JSON writer does with characters beyond ASCII.
#[derive(Clone, Copy, PartialEq)]
enum NonAscii {
    /// Writes them as they are, as serde_json does.
    Kept,
    /// Escapes them and DEL, as Python's `json.dumps` does by default.
    Escaped,
}

/// The content of a JSON string, with the escapes that must be and the short ones where there are any.
fn json(secret: &str, non_ascii: NonAscii) -> Form {
    // No byte of UTF-8 gives more than one escape of six.
    let mut form = Zeroizing::new(Vec::with_capacity(secret.len() * 6));
    for character in secret.chars() {
        let short = match character {
            '"' | '\\' => character as u8,
            '\u{8}' => b'b',
            '\t' => b't',
            '\n' => b'n',
            '\u{c}' => b'f',
            '\r' => b'r',
            _ if character < ' ' || (non_ascii == NonAscii::Escaped && character > '~') => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    form.extend_from_slice(b"\\u");
                    form.extend([12, 8, 4, 0].map(|bits| b"0123456789abcdef"[usize::from(*unit >> bits & 15)]));
                }
                continue;
            }
            _ => {
                form.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
        };
        form.extend([b'\\', short]);
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(secret: &str) -> Vec<String> {
        forms(secret).iter().map(|form| String::from_utf8(form.to_vec()).expect("is text")).collect()
    }

    #[test]
    fn an_ordinary_secret_has_its_raw_base64_and_hex_forms() {
        let expected = [
            "6F70656E207361C3BF",
            "6f70656e207361c3bf",
            "9wZW4gc2HDv",
            "b3BlbiBzYcO/",
            "b3BlbiBzYcO_",
            "open sa\\\\u00ff",
            "open sa\\u00ff",
            "open saÿ",
            "open%20sa%C3%BF",
            "open%20sa%c3%bf",
            "open+sa%C3%BF",
            "open+sa%c3%bf",
            "vcGVuIHNhw7",
        ];
        assert_eq!(shown("open saÿ"), expected);
    }

    #[test]
    fn a_secret_is_percent_encoded_as_the_usual_encoders_do() {
        let shown = shown("a /&'é");
        for form in [
            "a%20%2F%26%27%C3%A9",
            "a%20%2f%26%27%c3%a9",
            "a%20/%26%27%C3%A9",
            "a%20%2F%26'%C3%A9",
            "a+%2F%26%27%C3%A9",
        ] {
            assert!(shown.contains(&form.to_owned()), "{form}: {shown:?}");
        }
    }

    #[test]
    fn a_secret_is_escaped_twice_where_json_is_a_string_in_json() {
        let shown = shown("a\"b/c12");
        for form in [r#"a\"b/c12"#, r#"a\\\"b/c12"#, r#"a\"b\/c12"#, r#"a\\\"b\\/c12"#] {
            assert!(shown.contains(&form.to_owned()), "{form}: {shown:?}");
        }
    }

    #[test]
    fn json_escapes_are_those_that_writers_write() {
        let secret = "a\"b\\c\u{1}\t\n\r\u{8}\u{c}\u{7f}é\u{1f511}";
        let kept = json(secret, NonAscii::Kept);
        let serde = serde_json::to_string(secret).expect("is written");
        assert_eq!(format!("\"{}\"", String::from_utf8_lossy(&kept)), serde);
        let escaped = json(secret, NonAscii::Escaped);
        let python = r#"a\"b\\c\u0001\t\n\r\b\f\u007f\u00e9\ud83d\udd11"#;
        assert_eq!(String::from_utf8_lossy(&escaped), python);
    }

    #[test]
    fn no_form_outgrows_its_buffer() {
        let secret = "\u{1}".repeat(9);
        assert_eq!(json(&secret, NonAscii::Kept).len(), 54);
        assert_eq!(json(&secret, NonAscii::Kept).capacity(), 54);
    }
}
