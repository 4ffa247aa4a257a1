//! Bytes of JSON, told apart.

/// How many bytes from the start are white space.
#[inline]
pub(super) fn white_space(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match bytes.get(at) {
            Some(b' ') => {
                at += 1;
                // Indentation comes in long runs.
                while bytes.get(at..at + 8).is_some_and(|eight| eight == b"        ") {
                    at += 8;
                }
            }
            Some(b'\n' | b'\r' | b'\t') => at += 1,
            _ => return at,
        }
    }
}

pub(super) fn begins_character(bytes: &[u8]) -> bool {
    match std::str::from_utf8(&bytes[..bytes.len().min(4)]) {
        Ok(_) => true,
        Err(error) => error.valid_up_to() > 0,
    }
}

pub(super) fn starts_value(byte: u8) -> bool {
    matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
}

/// A byte in words. Letters and digits may belong to a value, so they are not shown.
pub(super) fn shown(byte: u8) -> String {
    match byte {
        b'0'..=b'9' => "a digit".to_owned(),
        b'A'..=b'Z' | b'a'..=b'z' => "a letter".to_owned(),
        0 => "a zero byte".to_owned(),
        0x01..=0x1f | 0x7f => "a control character".to_owned(),
        0x80.. => "a character outside ASCII".to_owned(),
        punctuation => format!("`{}`", char::from(punctuation)),
    }
}
