//! Sealed values.
//!
//! A sealed value is the text `tl2.<key id>.<base64url of nonce, ciphertext and tag>`. Table, column
//! and row key are authenticated with it, so that a value opens nowhere but where it was sealed for.

use super::envelope;
use super::keys::{ACTIVE, DataKey, KeyRow};
use crate::error::{Error, Result};
use aes_gcm::Aes256Gcm;
use secrecy::{ExposeSecret, SecretString};
use std::borrow::Cow;
use std::fmt;

/// The format of new values, the first part of every sealed value.
pub const FORMAT: &str = "tl2";
/// The format of values that an earlier version sealed. It does not authenticate the names of the key
/// columns.
pub const FIRST_FORMAT: &str = "tl1";

/// Whether a registered column of this format holds values that treelift sealed.
pub fn is_ours(format: &str) -> bool {
    [FORMAT, FIRST_FORMAT].contains(&format)
}
/// From this number of seals on, a run advises to `rotate`.
pub const WARN_SEALS: u64 = 1 << 30;
/// At this number a key stops sealing: with random nonces of 96 bits, the odds of using one twice
/// would pass what NIST SP 800-38D, section 8.3, allows.
pub const MAX_SEALS: u64 = 1 << 32;

/// The cell that a value is sealed for. It opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct SealPlace<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The names of the columns that identify the row, in the registered order.
    pub key_columns: &'a [String],
    /// Their values as text, in the same order.
    pub key: &'a [String],
}

/// Seals and opens values under one data key, and counts the seals.
pub struct Sealer {
    key: DataKey,
    cipher: Aes256Gcm,
    active: bool,
    seals: u64,
}

impl Sealer {
    /// Continues the count of the key's row.
    pub fn new(key: DataKey, row: &KeyRow) -> Result<Self> {
        if key.id() != row.id {
            return Err(Error::bug(format!("key `{}` was given the row of another key", key.id())));
        }
        let seals = u64::try_from(row.seal_count)
            .map_err(|_| Error::environment(format!("the seal count of key `{}` is negative", row.id)))?;
        Ok(Self { cipher: envelope::cipher(key.bytes()), active: row.state == ACTIVE, seals, key })
    }

    /// The id of the key that values are sealed under.
    pub fn key_id(&self) -> &str {
        self.key.id()
    }

    /// The data key, to rewrap it.
    pub fn data_key(&self) -> &DataKey {
        &self.key
    }

    /// How many values the key has sealed, to be written back to its row in the same transaction.
    pub fn sealed_count(&self) -> i64 {
        i64::try_from(self.seals).expect("was read from an i64, and rises to 2^32 at most")
    }

    /// Whether the key has sealed so many values that it should be rotated.
    pub fn should_rotate(&self) -> bool {
        self.seals >= WARN_SEALS
    }

    /// Seals a text for a place.
    pub fn seal(&mut self, place: &SealPlace<'_>, text: &SecretString) -> Result<String> {
        if !self.active {
            return Err(Error::environment(format!("key `{}` is retired and cannot seal", self.key.id())));
        }
        if self.seals >= MAX_SEALS {
            return Err(Error::environment(format!("key `{}` has sealed 2^32 values, the limit", self.key.id()))
                .hint("make a new data key with `credentials rotate`"));
        }
        if place.key.is_empty() || place.key.len() != place.key_columns.len() {
            return Err(Error::bug(format!("`{}.{}` is sealed without a row key", place.table, place.column)));
        }
        let associated = self.associated(FORMAT, place).ok_or_else(|| {
            Error::environment(format!("a key value of `{}` is too long to be part of a row key", place.table))
        })?;
        self.seals += 1;
        let envelope = envelope::close(&self.cipher, &associated, text.expose_secret().as_bytes())?;
        Ok(format!("{FORMAT}.{}.{}", self.key.id(), envelope::to_base64url(&envelope)))
    }

    /// Opens a sealed value.
    ///
    /// Table, column and row key must be those it was sealed for; a value copied to another row
    /// does not open.
    pub fn open(&self, place: &SealPlace<'_>, token: &str) -> Result<SecretString, OpenError> {
        let Header { format, key_id, body } = split(token).ok_or(OpenError::UnknownFormat)?;
        if key_id != self.key.id() {
            return Err(OpenError::OtherKey { key: key_id.to_owned() });
        }
        let envelope = envelope::from_base64url(body).ok_or(OpenError::Encoding)?;
        if envelope.len() < envelope::OVERHEAD {
            return Err(OpenError::TooShort);
        }
        let associated = self.associated(format, place).ok_or(OpenError::NotAuthentic)?;
        let plain = envelope::open(&self.cipher, &associated, envelope).ok_or(OpenError::NotAuthentic)?;
        std::str::from_utf8(plain.bytes()).map(SecretString::from).map_err(|_| OpenError::NotText)
    }

    fn associated(&self, format: &str, place: &SealPlace<'_>) -> Option<Vec<u8>> {
        let place_parts = [format, self.key.id(), place.table, place.column].into_iter();
        if format == FIRST_FORMAT {
            return envelope::associated(place_parts.chain(place.key.iter().map(String::as_str)));
        }
        let named = place.key_columns.iter().zip(place.key).flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        let is_whole = place.key_columns.len() == place.key.len();
        is_whole.then(|| envelope::associated(place_parts.chain(named))).flatten()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({}, secret)", self.key.id())
    }
}

/// The sealed value in a cell: in a JSON column it is the content of a JSON string.
pub fn token_in(cell: &str) -> Cow<'_, str> {
    match cell.starts_with('"').then(|| serde_json::from_str::<String>(cell)) {
        Some(Ok(token)) => Cow::Owned(token),
        Some(Err(_)) | None => Cow::Borrowed(cell),
    }
}

/// The key id of a text that has the form of a sealed value. Says nothing about whether it opens.
pub fn key_id_of(token: &str) -> Option<&str> {
    split(token).map(|header| header.key_id)
}

/// The format of a text that has the form of a sealed value.
pub fn format_of(token: &str) -> Option<&'static str> {
    split(token).map(|header| header.format)
}

/// The parts of a sealed value.
struct Header<'t> {
    format: &'static str,
    key_id: &'t str,
    body: &'t str,
}

fn split(token: &str) -> Option<Header<'_>> {
    let (format, rest) = token.split_once('.')?;
    let format = [FORMAT, FIRST_FORMAT].into_iter().find(|known| *known == format)?;
    let (key_id, body) = rest.split_once('.')?;
    envelope::is_key_id(key_id).then_some(Header { format, key_id, body })
}

/// Why a sealed value does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It does not begin with `tl2.` or `tl1.` and a key id.
    #[error("this is not a sealed value in a format that this version supports")]
    UnknownFormat,
    /// Another key sealed it.
    #[error("it is sealed under key `{key}`")]
    OtherKey {
        /// That key's id.
        key: String,
    },
    /// Its last part is not canonical base64url.
    #[error("its last part is not canonical base64url without padding")]
    Encoding,
    /// It is shorter than an empty text sealed.
    #[error("it is too short, probably truncated")]
    TooShort,
    /// It was changed, or sealed for another table, column or row.
    #[error("it was changed, or sealed for another table, column or row")]
    NotAuthentic,
    /// It opens, but its content is not UTF-8, which treelift never seals.
    #[error("it opens, but its content is not UTF-8 text")]
    NotText,
}

impl OpenError {
    /// The reason as one stable word, as the test vectors name it.
    pub fn reason(&self) -> &'static str {
        match self {
            OpenError::UnknownFormat => "unknown-format",
            OpenError::OtherKey { .. } => "other-key",
            OpenError::Encoding => "encoding",
            OpenError::TooShort => "too-short",
            OpenError::NotAuthentic => "not-authentic",
            OpenError::NotText => "not-text",
        }
    }

    /// An error that ends the command, for a value of this table and column.
    pub fn into_error(self, table: &str, column: &str) -> Error {
        Error::environment(format!("a value of `{table}.{column}` does not open: {self}"))
            .hint("`credentials verify` lists every value that does not open, and why")
    }
}

#[cfg(test)]
#[path = "cipher_tests.rs"]
mod tests;
