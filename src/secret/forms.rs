//! The forms in which a secret may occur in a text: raw, base64, hex, percent-encoded, escaped in JSON
//! (also in JSON that is a string in JSON, or in base64), in HTML and XML.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

/// Bytes that would reveal a secret, wiped when dropped.
pub(super) type Form = Zeroizing<Vec<u8>>;

/// Every form of a secret that is searched for, each once.
///
/// Buffers are sized at once: one that grows leaves copies of the secret behind.
pub(super) fn forms(secret: &str) -> Vec<Form> {
    let escaped = [
        json(secret, NonAscii::Kept),
        json(secret, NonAscii::Escaped),
        replaced(&json(secret, NonAscii::Escaped), &[(b'/', b"\\/")]), // as PHP writes it
        replaced(&json(secret, NonAscii::Kept), &[(b'&', b"\\u0026"), (b'<', b"\\u003c"), (b'>', b"\\u003e")]), // Go, Rails
    ];
    let mut forms: Vec<Form> = Vec::with_capacity(64);
    forms.push(copy(secret.as_bytes()));
    forms.extend(base64(secret.as_bytes()));
    for digits in [LOWER, UPPER] {
        forms.extend(HEX.iter().map(|(before, between)| hex(secret, digits, before, between)));
    }
    forms.extend(KEPT.iter().flat_map(|kept| [percent(secret, kept, UPPER), percent(secret, kept, LOWER)]));
    forms.extend(ENTITIES.iter().map(|entities| entity_encoded(secret, entities)));
    forms.push(character_references(secret));
    for once in &escaped {
        forms.extend(base64(once).into_iter().filter(|_| once.as_slice() != secret.as_bytes()));
        forms.extend(std::str::from_utf8(once).ok().map(|once| json(once, NonAscii::Kept)));
    }
    forms.extend(escaped);
    forms.sort_unstable_by(|one, two| one.as_slice().cmp(two.as_slice()));
    forms.dedup_by(|one, two| one.as_slice() == two.as_slice());
    forms
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// What stands before the digits of each byte in hex, and between two bytes.
const HEX: [(&[u8], &[u8]); 6] = [
    (b"", b""),
    (b"", b" "),    // dumps
    (b"", b":"),    // fingerprints
    (b"", b"-"),    // .NET's `BitConverter`
    (b"\\x", b""),  // strings in C, Python and shells
    (b"0x", b", "), // arrays of bytes
];

/// What writers of HTML and XML make of `&`, `<`, `>`, `"` and `'`; nothing where they keep it.
const ENTITIES: [[&[u8]; 5]; 7] = [
    [b"&amp;", b"&lt;", b"&gt;", b"", b""],             // contents of XML
    [b"&amp;", b"&lt;", b"&gt;", b"&quot;", b""],       // attributes of XML
    [b"&amp;", b"&lt;", b"&gt;", b"&quot;", b"&apos;"], // XML
    [b"&amp;", b"&lt;", b"&gt;", b"&quot;", b"&#x27;"], // Python's `html.escape`
    [b"&amp;", b"&lt;", b"&gt;", b"&quot;", b"&#39;"],  // JavaScript, Java, Rails
    [b"&amp;", b"&lt;", b"&gt;", b"&quot;", b"&#039;"], // PHP's `htmlspecialchars`
    [b"&amp;", b"&lt;", b"&gt;", b"&#34;", b"&#39;"],   // Go, MarkupSafe
];

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

/// The bytes with some of them replaced by others, at most six for one.
fn replaced(bytes: &[u8], others: &[(u8, &[u8])]) -> Form {
    let mut form = Zeroizing::new(Vec::with_capacity(bytes.len() * 6));
    for byte in bytes {
        match others.iter().find(|(replaced, _)| replaced == byte) {
            Some((_, other)) => form.extend_from_slice(other),
            None => form.push(*byte),
        }
    }
    form
}

fn copy(bytes: &[u8]) -> Form {
    Zeroizing::new(bytes.to_vec())
}

/// The base64 of bytes in both alphabets, wherever they begin in what was encoded.
fn base64(bytes: &[u8]) -> Vec<Form> {
    let mut forms = Vec::with_capacity(6);
    for before in 0..3 {
        let standard = base64_behind(bytes, before);
        forms.push(replaced(&standard, &[(b'+', b"-"), (b'/', b"_")]));
        forms.push(standard);
    }
    forms
}

/// The digits that depend on the bytes alone when `before` others (modulo 3) precede them.
///
/// Digits that they share with their neighbours, and padding, are left out. So the form is found in the
/// base64 of the bytes alone, padded or not, and of any text that holds them.
fn base64_behind(bytes: &[u8], before: usize) -> Form {
    let mut plain = Zeroizing::new(Vec::with_capacity(before + bytes.len()));
    plain.resize(before, 0);
    plain.extend_from_slice(bytes);
    let mut digits = Zeroizing::new(vec![0; plain.len().div_ceil(3) * 4]);
    let written = STANDARD_NO_PAD.encode_slice(&*plain, &mut digits).expect("4 digits hold 3 bytes");
    let decided = (before * 8).div_ceil(6)..plain.len() * 8 / 6;
    copy(&digits[..written][decided])
}

fn hex(secret: &str, digits: &[u8; 16], before: &[u8], between: &[u8]) -> Form {
    let mut form = Zeroizing::new(Vec::with_capacity(secret.len() * (2 + before.len() + between.len())));
    for (at, byte) in secret.bytes().enumerate() {
        form.extend_from_slice(if at > 0 { between } else { b"" });
        form.extend_from_slice(before);
        form.extend([digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
    }
    form
}

/// The secret as it stands in HTML or XML.
fn entity_encoded(secret: &str, entities: &[&'static [u8]; 5]) -> Form {
    let entities = b"&<>\"'".iter().copied().zip(*entities).filter(|(_, entity)| !entity.is_empty());
    replaced(secret.as_bytes(), &entities.collect::<Vec<_>>())
}

/// As [`entity_encoded`], with decimal references for characters beyond ASCII.
fn character_references(secret: &str) -> Form {
    let encoded = entity_encoded(secret, &ENTITIES[3]);
    // No byte of UTF-8 gives more than five of a reference.
    let mut form = Zeroizing::new(Vec::with_capacity(encoded.len() * 5));
    for character in std::str::from_utf8(&encoded).unwrap_or_default().chars() {
        if character.is_ascii() {
            form.push(character as u8);
            continue;
        }
        let mut digits = [0; 7];
        let (mut at, mut rest) = (digits.len(), u32::from(character));
        while rest > 0 {
            at -= 1;
            digits[at] = LOWER[(rest % 10) as usize];
            rest /= 10;
        }
        form.extend_from_slice(b"&#");
        form.extend_from_slice(&digits[at..]);
        form.push(b';');
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
    fn an_ordinary_secret_has_these_forms() {
        let expected = [
            "0x6F, 0x70, 0x65, 0x6E, 0x20, 0x73, 0x61, 0xC3, 0xBF",
            "0x6f, 0x70, 0x65, 0x6e, 0x20, 0x73, 0x61, 0xc3, 0xbf",
            "6F 70 65 6E 20 73 61 C3 BF",
            "6F-70-65-6E-20-73-61-C3-BF",
            "6F70656E207361C3BF",
            "6F:70:65:6E:20:73:61:C3:BF",
            "6f 70 65 6e 20 73 61 c3 bf",
            "6f-70-65-6e-20-73-61-c3-bf",
            "6f70656e207361c3bf",
            "6f:70:65:6e:20:73:61:c3:bf",
            "9wZW4gc2FcdTAwZm",
            "9wZW4gc2HDv",
            "\\x6F\\x70\\x65\\x6E\\x20\\x73\\x61\\xC3\\xBF",
            "\\x6f\\x70\\x65\\x6e\\x20\\x73\\x61\\xc3\\xbf",
            "b3BlbiBzYVx1MDBmZ",
            "b3BlbiBzYcO/",
            "b3BlbiBzYcO_",
            "open sa&#255;",
            "open sa\\\\u00ff",
            "open sa\\u00ff",
            "open saÿ",
            "open%20sa%C3%BF",
            "open%20sa%c3%bf",
            "open+sa%C3%BF",
            "open+sa%c3%bf",
            "vcGVuIHNhXHUwMGZm",
            "vcGVuIHNhw7",
        ];
        assert_eq!(shown("open saÿ"), expected);
    }

    #[test]
    fn a_secret_stands_in_html_and_xml_as_the_usual_writers_write_it() {
        let shown = shown("a&b<\"c'é");
        for form in [
            "a&amp;b&lt;\"c'é",
            "a&amp;b&lt;&quot;c'é",
            "a&amp;b&lt;&quot;c&apos;é",
            "a&amp;b&lt;&quot;c&#x27;é",
            "a&amp;b&lt;&quot;c&#x27;&#233;",
            "a&amp;b&lt;&quot;c&#39;é",
            "a&amp;b&lt;&quot;c&#039;é",
            "a&amp;b&lt;&#34;c&#39;é",
            r#"a\u0026b\u003c\"c'é"#,
        ] {
            assert!(shown.contains(&form.to_owned()), "{form}: {shown:?}");
        }
    }

    #[test]
    fn bytes_of_a_secret_in_hex_may_stand_apart() {
        let shown = shown("ok");
        for form in ["6f6b", "6F 6B", "6f:6b", "6F-6B", r"\x6f\x6b", "0x6f, 0x6b"] {
            assert!(shown.contains(&form.to_owned()), "{form}: {shown:?}");
        }
    }

    #[test]
    fn base64_of_json_that_escapes_a_secret_has_a_form() {
        let forms = forms("pa\"ss\\wö/rd");
        for escaped in [r#"pa\"ss\\wö/rd"#, r#"pa\"ss\\w\u00f6/rd"#, r#"pa\"ss\\w\u00f6\/rd"#] {
            for before in ["", "x", "xy"] {
                let text = STANDARD_NO_PAD.encode(format!("{before}{{\"a\":\"{escaped}\"}}"));
                let is_in = |form: &Form| memchr::memmem::find(text.as_bytes(), form).is_some();
                assert!(forms.iter().any(is_in), "{text}");
            }
        }
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
