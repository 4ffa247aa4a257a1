//! Secrets: keys and how they are wrapped ([`keys`]), sealed values ([`cipher`]), and the search
//! that proves that no secret stands in clear text ([`proof`]). `docs/credentials.md` is the
//! published form of the formats.

pub mod cipher;
pub mod keys;
pub mod proof;
