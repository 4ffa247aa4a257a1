//! What sealed values and wrapped keys have in common: AES-256-GCM with a random nonce in front,
//! associated data of length-prefixed parts, and strict base64url.

use crate::error::{Error, Result};
use crate::hex;
use aes_gcm::aead::{AeadInOut, Key, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// The nonce's length: 96 bits (NIST SP 800-38D, section 5.2.1.1).
const NONCE: usize = 12;
/// The tag's length.
const TAG: usize = 16;
/// What an envelope has beyond the text in it.
pub(super) const OVERHEAD: usize = NONCE + TAG;

/// The cipher for a key of 32 bytes; it wipes its key schedule when dropped.
pub(super) fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    // A reference to the caller's bytes: the key is not copied on the way.
    Aes256Gcm::new(<&Key<Aes256Gcm>>::from(key))
}

/// Puts `plain` under `associated`: nonce, ciphertext, tag.
pub(super) fn close(cipher: &Aes256Gcm, associated: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE] = random()?;
    // Sized at once: a buffer that grows leaves copies of the plain text behind.
    let mut envelope = Zeroizing::new(Vec::with_capacity(plain.len() + OVERHEAD));
    envelope.extend_from_slice(&nonce);
    envelope.extend_from_slice(plain);
    let tag = cipher
        .encrypt_inout_detached(&Nonce::from(nonce), associated, (&mut envelope[NONCE..]).into())
        .map_err(|_| Error::environment("a value is too long to seal"))?;
    envelope.extend_from_slice(&tag);
    Ok(std::mem::take(&mut *envelope))
}

/// Opens what [`close`] made; `None` when any of it, or `associated`, was changed.
pub(super) fn open(cipher: &Aes256Gcm, associated: &[u8], envelope: Vec<u8>) -> Option<Plain> {
    let mut envelope = Zeroizing::new(envelope);
    let (nonce, rest) = envelope.split_first_chunk_mut::<NONCE>()?;
    let (text, tag) = rest.split_last_chunk_mut::<TAG>()?;
    let (nonce, tag) = (Nonce::from(*nonce), Tag::from(*tag));
    cipher.decrypt_inout_detached(&nonce, associated, text.into(), &tag).ok()?;
    Some(Plain(envelope))
}

/// The plain text of an opened envelope, wiped when dropped.
pub(super) struct Plain(Zeroizing<Vec<u8>>);

impl Plain {
    /// The plain bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0[NONCE..self.0.len() - TAG]
    }
}

/// Joins parts as associated data: for each its length in 4 bytes, big-endian, then its bytes, so
/// that no two lists of parts give the same. `None` when a part is longer than that can say.
pub(super) fn associated<'a>(parts: impl Iterator<Item = &'a str>) -> Option<Vec<u8>> {
    let mut joined = Vec::with_capacity(128);
    for part in parts {
        joined.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
        joined.extend_from_slice(part.as_bytes());
    }
    Some(joined)
}

/// base64url without padding.
pub(super) fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of canonical base64url: no padding, no line breaks, no other alphabet, no stray bits at
/// the end.
pub(super) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Whether a text has the form of a key id: 16 lower-case hex digits.
pub fn is_key_id(text: &str) -> bool {
    text.len() == 16 && hex::is_lower(text)
}

/// Bytes from the operating system's random source.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fill_random(&mut bytes)?;
    Ok(bytes)
}

/// Fills a buffer from the operating system's random source, for what must not be copied.
pub(super) fn fill_random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|_| Error::environment("the operating system's random source failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_of_parts_give_the_same_associated_data() {
        assert_eq!(associated(["ab", ""].into_iter()), Some(b"\0\0\0\x02ab\0\0\0\0".to_vec()));
        assert_ne!(associated(["ab", "c"].into_iter()), associated(["a", "bc"].into_iter()));
        assert_ne!(associated(["a"].into_iter()), associated(["a", ""].into_iter()));
    }

    #[test]
    fn base64url_has_one_way_to_write_bytes() {
        assert_eq!(from_base64url("-_8"), Some(vec![0xfb, 0xff]));
        for other in ["-_9", "-_8=", "+/8", "-_8\n", " -_8", "-_", "-"] {
            assert_eq!(from_base64url(other).filter(|bytes| bytes.len() == 2), None, "{other:?}");
        }
    }
}
