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

/// The 32 bytes of 64 lower-case digits; `None` for any other text.
pub fn decode_32(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !is_lower(text) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
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
