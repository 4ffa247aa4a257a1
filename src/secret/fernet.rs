//! Fernet tokens, for applications that read their secrets in that form.
//!
//! A token is base64url of version, time, initialisation vector, AES-128-CBC ciphertext and
//! HMAC-SHA-256 (<https://github.com/fernet/spec>). It is not bound to its cell: one that is
//! copied to another row opens there.

use super::envelope;
use crate::error::{Error, Result};
use aes::Aes128;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

const VERSION: u8 = 0x80;
/// Version, seconds since 1970, initialisation vector.
const HEAD: usize = 1 + 8 + 16;
const TAG: usize = 32;
const BLOCK: usize = 16;

/// How an application writes its tokens down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// The token itself, which is base64url.
    Plain,
    /// The token's text in base64 once more.
    Base64,
}

/// The key of tokens: 16 bytes that sign, 16 that encrypt. Wiped when dropped.
#[derive(Debug)]
pub struct FernetKey(SecretBox<[u8; 32]>);

impl FernetKey {
    /// Derives the key from a password: PBKDF2-HMAC-SHA-256 (RFC 8018).
    pub fn derive(password: &SecretString, salt: &[u8], rounds: u32) -> Result<Self> {
        let mut key = SecretBox::<[u8; 32]>::default();
        pbkdf2::pbkdf2::<Hmac<Sha256>>(
            password.expose_secret().as_bytes(),
            salt,
            rounds,
            key.expose_secret_mut().as_mut_slice(),
        )
        .map_err(|_| Error::bug("PBKDF2 refused its parameters"))?;
        Ok(Self(key))
    }

    /// Encrypts a text into a token with this time.
    pub fn seal(&self, text: &SecretString, now: Timestamp, wrapping: Wrapping) -> Result<String> {
        let iv: [u8; 16] = envelope::random()?;
        self.seal_with(text, now, iv, wrapping)
    }

    fn seal_with(&self, text: &SecretString, now: Timestamp, iv: [u8; 16], wrapping: Wrapping) -> Result<String> {
        let plain = text.expose_secret().as_bytes();
        let padded = (plain.len() / BLOCK + 1) * BLOCK;
        // Sized at once: a buffer that grows leaves copies of the plain text behind.
        let mut token = Zeroizing::new(Vec::with_capacity(HEAD + padded + TAG));
        token.push(VERSION);
        let seconds = u64::try_from(now.as_second()).map_err(|_| Error::bug("a token from before 1970"))?;
        token.extend_from_slice(&seconds.to_be_bytes());
        token.extend_from_slice(&iv);
        token.extend_from_slice(plain);
        token.resize(HEAD + padded, 0);
        cbc::Encryptor::<Aes128>::new_from_slices(self.encrypting(), &iv)
            .map_err(|_| Error::bug("AES-128 refused a key of 16 bytes"))?
            .encrypt_padded::<Pkcs7>(&mut token[HEAD..], plain.len())
            .map_err(|_| Error::bug("a padded text does not fit its blocks"))?;
        let tag = self.signature(&token).finalize().into_bytes();
        token.extend_from_slice(&tag);
        let token = URL_SAFE.encode(&*token);
        Ok(match wrapping {
            Wrapping::Plain => token,
            Wrapping::Base64 => STANDARD.encode(token),
        })
    }

    /// Opens a token. How old it is does not matter: it is kept, not sent.
    pub fn open(&self, token: &str, wrapping: Wrapping) -> Result<SecretString, FernetError> {
        let token = Zeroizing::new(bytes_of(token, wrapping).ok_or(FernetError::NoToken)?);
        let (signed, tag) = token.split_at(token.len() - TAG);
        // `verify_slice` compares in constant time.
        self.signature(signed).verify_slice(tag).map_err(|_| FernetError::NotAuthentic)?;
        let mut body = Zeroizing::new(signed[HEAD..].to_vec());
        let plain = cbc::Decryptor::<Aes128>::new_from_slices(self.encrypting(), &signed[HEAD - BLOCK..HEAD])
            .map_err(|_| FernetError::NotAuthentic)?
            .decrypt_padded::<Pkcs7>(&mut body)
            .map_err(|_| FernetError::NotAuthentic)?;
        std::str::from_utf8(plain).map(SecretString::from).map_err(|_| FernetError::NotText)
    }

    fn signature(&self, signed: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0.expose_secret()[..16]).expect("HMAC takes any key");
        mac.update(signed);
        mac
    }

    fn encrypting(&self) -> &[u8] {
        &self.0.expose_secret()[16..]
    }
}

/// Whether a text has the form of a token. Says nothing about whether it opens.
pub fn is_token(text: &str, wrapping: Wrapping) -> bool {
    bytes_of(text, wrapping).is_some()
}

/// The bytes of a text that has the form of a token.
fn bytes_of(text: &str, wrapping: Wrapping) -> Option<Vec<u8>> {
    let inner;
    let token = match wrapping {
        Wrapping::Plain => text,
        Wrapping::Base64 => {
            inner = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
            &inner
        }
    };
    let bytes = URL_SAFE.decode(token).ok()?;
    let body = bytes.len().checked_sub(HEAD + TAG)?;
    (bytes[0] == VERSION && body > 0 && body % BLOCK == 0).then_some(bytes)
}

/// Why a token does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FernetError {
    /// It does not have the form of a token.
    #[error("this is not a Fernet token in the given form")]
    NoToken,
    /// It was changed, or made under another key.
    #[error("it was changed, or made under another password or salt")]
    NotAuthentic,
    /// It opens, but its content is not UTF-8.
    #[error("it opens, but its content is not UTF-8 text")]
    NotText,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bytes: [u8; 32]) -> FernetKey {
        FernetKey(SecretBox::new(Box::new(bytes)))
    }

    /// The token of the specification's `generate.json`.
    #[test]
    fn the_specification_s_token_is_made_and_opened() {
        let bytes = URL_SAFE.decode("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").unwrap();
        let key = key(bytes.try_into().unwrap());
        let token =
            "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
        let now = Timestamp::from_second(499_162_800).unwrap();
        let iv = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(key.seal_with(&"hello".into(), now, iv, Wrapping::Plain).unwrap(), token);
        assert_eq!(key.open(token, Wrapping::Plain).unwrap().expose_secret(), "hello");
    }

    #[test]
    fn the_derived_key_is_the_one_that_python_derives() {
        // hashlib.pbkdf2_hmac("sha256", b"pass", b"salt0000", 1000, 32)
        let derived = FernetKey::derive(&"pass".into(), b"salt0000", 1000).unwrap();
        assert_eq!(
            crate::hex::encode(derived.0.expose_secret()),
            "2c053ed7925482e800ebbd2ba4ff591c88e5fdfd80ee6dd362bf4a4fc7f009f5"
        );
    }

    #[test]
    fn every_length_comes_back_in_either_wrapping() {
        let key = key([7; 32]);
        for length in [0, 1, 15, 16, 17, 27, 300] {
            let text = SecretString::from("x".repeat(length));
            for wrapping in [Wrapping::Plain, Wrapping::Base64] {
                let token = key.seal(&text, Timestamp::now(), wrapping).unwrap();
                assert!(is_token(&token, wrapping));
                assert_eq!(key.open(&token, wrapping).unwrap().expose_secret(), text.expose_secret());
            }
        }
        let long = key.seal(&"x".repeat(27).into(), Timestamp::now(), Wrapping::Base64).unwrap();
        assert!(long.len() == 160 && long.starts_with("Z0FBQUFB"), "{}", long.len());
    }

    #[test]
    fn no_flipped_bit_opens_and_no_other_key() {
        let token = key([7; 32]).seal(&"a secret".into(), Timestamp::now(), Wrapping::Plain).unwrap();
        for at in 0..token.len() * 8 {
            let mut bytes = token.clone().into_bytes();
            bytes[at / 8] ^= 1 << (at % 8);
            if let Ok(flipped) = String::from_utf8(bytes) {
                assert!(key([7; 32]).open(&flipped, Wrapping::Plain).is_err(), "bit {at}");
            }
        }
        assert_eq!(key([8; 32]).open(&token, Wrapping::Plain).unwrap_err(), FernetError::NotAuthentic);
        for text in ["", "hello", "gAAAAA", "tl1.0011223344556677.AAAA"] {
            assert_eq!(key([7; 32]).open(text, Wrapping::Plain).unwrap_err(), FernetError::NoToken, "{text}");
        }
    }
}
