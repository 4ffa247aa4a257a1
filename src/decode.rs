//! Bytes out of the usual text encodings, as leniently as readers take them.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Base64 in the standard or else in the URL alphabet (RFC 4648 sections 4 and 5), padded or not.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok().or_else(|| base64_url(text))
}

/// Base64 in the URL alphabet (RFC 4648 section 5), padded or not.
pub(crate) fn base64_url(text: &str) -> Option<Vec<u8>> {
    BASE64_URL.decode(text).ok()
}

/// Hexadecimal of either case; `None` for an empty text.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks_exact(2);
    let whole = !text.is_empty() && pairs.remainder().is_empty();
    let bytes = pairs.map(|pair| Some(digit(pair.first())? << 4 | digit(pair.get(1))?)).collect::<Option<Vec<u8>>>();
    bytes.filter(|_| whole)
}

/// Hexadecimal whose bytes stand apart: `68 75`, `68:75`, `68-75`, `0x68, 0x75` or `\x68\x75`.
pub(crate) fn spaced_hex(text: &str) -> Option<Vec<u8>> {
    let parts = text.split([' ', ':', '-', ',', '\\']).filter(|part| !part.is_empty());
    let byte = |part: &str| {
        let digits = part.strip_prefix("0x").or_else(|| part.strip_prefix('x')).unwrap_or(part);
        hex(digits).filter(|_| digits.len() == 2).map(|bytes| bytes[0])
    };
    parts.map(byte).collect::<Option<Vec<u8>>>().filter(|bytes| bytes.len() > 1)
}

/// The text with character references of HTML and XML decoded, of names only those of XML (XML 1.0,
/// section 4.6); `None` where there is none.
pub(crate) fn entities(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut rest, mut any) = (String::with_capacity(text.len()), text, false);
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.bytes().take(LONGEST_REFERENCE).position(|byte| byte == b';');
        match end.and_then(|end| Some((reference(&rest[..end])?, end))) {
            Some((character, end)) => {
                out.push(character);
                any = true;
                rest = &rest[end + 1..];
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    any.then(|| out.into_bytes())
}

/// `#x10ffff;`, with zeros.
const LONGEST_REFERENCE: usize = 12;

/// The characters of XML that have names.
const NAMED: [(&str, char); 5] = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];

fn reference(name: &str) -> Option<char> {
    match name.strip_prefix('#') {
        Some(number) => char::from_u32(match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        }),
        None => NAMED.iter().find_map(|(known, character)| (*known == name).then_some(*character)),
    }
}

/// The bytes with every `%XX` (RFC 3986 section 2.1) decoded; `None` where there is none.
pub(crate) fn percent(text: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut done) = (Vec::new(), 0);
    for at in memchr::memchr_iter(b'%', text) {
        if at < done {
            continue; // a digit's place
        }
        if let (Some(high), Some(low)) = (digit(text.get(at + 1)), digit(text.get(at + 2))) {
            out.extend_from_slice(&text[done..at]);
            out.push(high << 4 | low);
            done = at + 3;
        }
    }
    if done == 0 {
        return None;
    }
    out.extend_from_slice(&text[done..]);
    Some(out)
}

fn digit(byte: Option<&u8>) -> Option<u8> {
    char::from(*byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_in_either_alphabet_padded_or_not() {
        for text in ["+/+/YQ==", "+/+/YQ", "-_-_YQ==", "-_-_YQ"] {
            assert_eq!(base64(text).as_deref(), Some([0xfb, 0xff, 0xbf, b'a'].as_slice()), "{text}");
        }
        assert_eq!(base64("no base64"), None);
        assert_eq!(base64_url("+/+/YQ"), None);
    }

    #[test]
    fn hex_and_percent_encoding_are_read_in_either_case() {
        assert_eq!(hex("4aFf").as_deref(), Some([0x4a, 0xff].as_slice()));
        assert_eq!([hex(""), hex("4"), hex("4g")], [None, None, None]);
        assert_eq!(percent(b"a%2Fb%2f%zz%").as_deref(), Some(b"a/b/%zz%".as_slice()));
        assert_eq!(percent(b"100 %"), None);
    }

    #[test]
    fn hex_whose_bytes_stand_apart_is_read() {
        for text in ["68 75", "68:75", "68-75", "0x68, 0x75", r"\x68\x75"] {
            assert_eq!(spaced_hex(text).as_deref(), Some(b"hu".as_slice()), "{text}");
        }
        for text in ["6875", "68 7", "", "12:30 h", "68"] {
            assert_eq!(spaced_hex(text), None, "{text}");
        }
    }

    #[test]
    fn character_references_are_decoded() {
        let text = "a&amp;&lt;&gt;&quot;&apos;&#39;&#x27;&#039;&#233;&nbsp;&;&";
        assert_eq!(entities(text).as_deref(), Some("a&<>\"''''é&nbsp;&;&".as_bytes()));
        assert_eq!(entities("a & b"), None);
    }
}
