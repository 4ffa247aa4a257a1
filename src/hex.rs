//! Lower-case hexadecimal, as digests and ids are written.

use std::fmt::Write as _;

/// Two lower-case digits for each byte.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of lower-case digits, two for each; `None` for any other text.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !is_lower(text) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// The 32 bytes of 64 lower-case digits; `None` for any other text.
pub fn decode_32(text: &str) -> Option<[u8; 32]> {
    decode(text)?.try_into().ok()
}

/// Whether a text has only lower-case digits.
pub fn is_lower(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_lower_case_and_whole() {
        let text = encode([0xa5; 32]);
        assert_eq!(decode_32(&text), Some([0xa5; 32]));
        assert_eq!(decode_32(&text.to_uppercase()), None);
        assert_eq!(decode_32(&text[2..]), None);
        assert_eq!(decode_32(&text.replacen('a', "+", 1)), None);
    }
}
