//! Secrets: keys and how they are wrapped ([`keys`]), sealed values ([`cipher`]), and the search
//! that proves that no secret is stored in plaintext ([`proof`]). `docs/credentials.md` is the
//! published form of the formats.
//!
//! A secret value in memory is a [`secrecy::SecretString`] throughout: wiped when dropped, without
//! `Display` or `Serialize`, a marker under `Debug`.

mod automaton;
pub mod cipher;
mod envelope;
pub mod fernet;
mod fingerprint;
mod forms;
pub mod kdf;
pub mod key_file;
pub mod keys;
pub mod passphrase;
pub mod password;
pub mod proof;
pub mod registry;
mod text_file;
pub mod whole;
