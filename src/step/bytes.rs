//! Steps from strings to bytes.

use super::datum::Datum;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How bytes are written as a string.
#[derive(Debug, Clone, Copy)]
pub(super) enum BytesStep {
    /// RFC 4648, section 4, padded.
    Base64,
    /// RFC 4648, section 8, in either case.
    Hex,
}

impl BytesStep {
    /// Applies it.
    pub(super) fn apply(self, value: Datum) -> Result<Datum, String> {
        if matches!(value, Datum::Bytes(_)) {
            return Ok(value);
        }
        let text = value.into_text()?;
        match self {
            BytesStep::Base64 => {
                STANDARD.decode(text).map_err(|_| "expected base64 (the standard alphabet, padded)".to_owned())
            }
            BytesStep::Hex => {
                decode_hex(&text).ok_or_else(|| "expected two hexadecimal digits for each byte".to_owned())
            }
        }
        .map(Datum::Bytes)
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?)).collect()
}
