//! Keys: how a passphrase or a key file wraps the data key.

use super::envelope;
pub use super::envelope::is_key_id;
pub use super::kdf::SecretKind;
use super::kdf::{Argon2Memory, Cost, Derived, Kdf, KdfTextError};
use super::key_file::KeyMaterial;
use super::passphrase::{Passphrase, Strength};
use crate::error::{Error, Result};
use crate::hex;
use jiff::Timestamp;
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use std::path::Path;
use subtle::ConstantTimeEq;

/// The state of the key that new values are sealed under.
pub const ACTIVE: &str = "active";
/// The state of a key that only opens.
pub const RETIRED: &str = "retired";

/// A row of `treelift_keys`. Nothing in it is secret by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRow {
    /// 16 lower-case hex digits, random.
    pub id: String,
    /// `active` or `retired`.
    pub state: String,
    /// The derivation with its parameters and salt, as text.
    pub kdf: String,
    /// Lower-case hex of the derivation's last 32 bytes.
    pub key_check: String,
    /// base64url without padding of nonce, ciphertext and tag.
    pub wrapped_key: String,
    /// How many values were sealed under it.
    pub seal_count: i64,
    /// `YYYY-MM-DD HH:MM:SS.ffffff` in UTC.
    pub created_at: String,
    /// The same form, when it was retired.
    pub retired_at: Option<String>,
}

/// What opens the data key.
#[derive(Debug)]
pub enum Secret {
    /// A passphrase.
    Passphrase(Passphrase),
    /// The content of a key file.
    KeyFile(KeyMaterial),
}

impl Secret {
    /// Reads a passphrase from a file; one line break at its end is not part of it.
    pub fn from_passphrase_file(path: &Path, strength: Strength) -> Result<Self> {
        Passphrase::from_file(path, strength).map(Self::Passphrase)
    }

    /// Takes a passphrase as it is, from the environment or a prompt.
    pub fn from_passphrase_text(text: SecretString, strength: Strength) -> Result<Self> {
        Passphrase::from_text(text, strength).map(Self::Passphrase)
    }

    /// Reads a key file, which only the caller may be able to read.
    pub fn from_key_file(path: &Path) -> Result<Self> {
        KeyMaterial::from_file(path).map(Self::KeyFile)
    }

    /// A random secret that is thrown away, for a run that is rolled back.
    pub fn throw_away() -> Result<Self> {
        KeyMaterial::random().map(Self::KeyFile)
    }

    /// A passphrase or a key file.
    pub fn kind(&self) -> SecretKind {
        match self {
            Secret::Passphrase(_) => SecretKind::Passphrase,
            Secret::KeyFile(_) => SecretKind::KeyFile,
        }
    }

    fn oddity(&self) -> Option<&'static str> {
        match self {
            Secret::Passphrase(passphrase) => passphrase.oddity(),
            Secret::KeyFile(_) => None,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Secret::Passphrase(passphrase) => passphrase.bytes(),
            Secret::KeyFile(material) => material.bytes(),
        }
    }

    /// The derivation that a new key gets for this kind of secret.
    fn new_kdf(&self, cost: Cost) -> Result<Kdf> {
        Ok(match self {
            Secret::Passphrase(_) => Kdf::Argon2id { cost, salt: envelope::random()? },
            Secret::KeyFile(_) => Kdf::Hkdf,
        })
    }
}

/// The key that seals values, with its id. Wiped when dropped.
#[derive(Debug)]
pub struct DataKey {
    id: String,
    bytes: SecretBox<[u8; 32]>,
}

impl DataKey {
    /// 16 lower-case hex digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A new key from the operating system's random source.
    pub(super) fn random() -> Result<Self> {
        let mut bytes = SecretBox::<[u8; 32]>::default();
        envelope::fill_random(bytes.expose_secret_mut())?;
        Ok(Self { id: hex::encode(envelope::random::<8>()?), bytes })
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        self.bytes.expose_secret()
    }
}

/// Makes a new data key, and the row that keeps it wrapped.
pub fn create(secret: &Secret, cost: Cost, now: Timestamp) -> Result<(DataKey, KeyRow)> {
    let key = DataKey::random()?;
    let row = KeyRow {
        id: key.id.clone(),
        state: ACTIVE.to_owned(),
        created_at: now.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string(),
        ..KeyRow::default()
    };
    let row = rewrap(&key, &row, secret, cost)?;
    Ok((key, row))
}

/// Rewraps a data key under another secret; the values sealed under it are unchanged.
///
/// The caller writes the row, reads it back and opens it before the old row is removed.
pub fn rewrap(key: &DataKey, row: &KeyRow, secret: &Secret, cost: Cost) -> Result<KeyRow> {
    if key.id != row.id {
        return Err(Error::bug(format!("key `{}` cannot be wrapped into the row of another key", key.id)));
    }
    let kdf = secret.new_kdf(cost)?;
    let derived = kdf.derive(secret.bytes(), &mut Argon2Memory::new())?;
    let kdf = kdf.to_string();
    let wrapped = envelope::close(&derived.wrapping(), &wrap_associated(&key.id, &kdf), key.bytes())?;
    let (key_check, wrapped_key) = (hex::encode(derived.check()), envelope::to_base64url(&wrapped));
    Ok(KeyRow { kdf, key_check, wrapped_key, ..row.clone() })
}

fn wrap_associated(id: &str, kdf: &str) -> Vec<u8> {
    envelope::associated(["tl1-wrap", id, kdf].into_iter()).expect("an id and a derivation are short texts")
}

/// The kind of secret that opens a key; `None` when its derivation is not known.
pub fn kind_of(row: &KeyRow) -> Option<SecretKind> {
    Kdf::read(&row.kdf).ok().map(|kdf| kdf.starts_from())
}

/// Opens the data key of a row.
///
/// `id`, `kdf`, `key_check` and `wrapped_key` are authenticated: when one of them was changed, it
/// does not open. The other columns are not, and no secret depends on them.
pub fn unlock(row: &KeyRow, secret: &Secret) -> Result<DataKey, KeyError> {
    unlock_with(row, secret, &mut Argon2Memory::new())
}

/// As [`unlock`], in working memory that is kept for the next.
pub fn unlock_with(row: &KeyRow, secret: &Secret, memory: &mut Argon2Memory) -> Result<DataKey, KeyError> {
    let wrapped = WrappedKey::read(row)?;
    if wrapped.kdf.starts_from() != secret.kind() {
        return Err(KeyError::WrongKind { key: row.id.clone(), needs: wrapped.kdf.starts_from() });
    }
    let derived = wrapped.kdf.derive(secret.bytes(), memory).map_err(KeyError::Derivation)?;
    let right_secret = bool::from(derived.check().ct_eq(&wrapped.key_check));
    match (right_secret, wrapped.open(row, &derived)) {
        (true, Some(key)) => Ok(key),
        (true, None) => Err(KeyError::damaged(row, "`id` or `wrapped_key`")),
        // The secret does open the key, so what it was compared with must be what is wrong.
        (false, Some(_)) => Err(KeyError::damaged(row, "`key_check`")),
        (false, None) => {
            Err(KeyError::WrongSecret { key: row.id.clone(), kind: secret.kind(), oddity: secret.oddity() })
        }
    }
}

/// A key row whose texts have the right form.
struct WrappedKey {
    kdf: Kdf,
    key_check: [u8; 32],
    envelope: Vec<u8>,
}

impl WrappedKey {
    /// Validates everything that can be validated before any work is done.
    fn read(row: &KeyRow) -> Result<Self, KeyError> {
        if !envelope::is_key_id(&row.id) {
            return Err(KeyError::DamagedId);
        }
        if row.state != ACTIVE && row.state != RETIRED {
            return Err(KeyError::damaged(row, "`state`"));
        }
        if row.seal_count < 0 {
            return Err(KeyError::damaged(row, "`seal_count`"));
        }
        let kdf = Kdf::read(&row.kdf).map_err(|error| match error {
            KdfTextError::Unknown => KeyError::UnknownKdf { key: row.id.clone() },
            KdfTextError::Absurd => KeyError::AbsurdCost { key: row.id.clone() },
        })?;
        let key_check = hex::decode_32(&row.key_check).ok_or_else(|| KeyError::damaged(row, "`key_check`"))?;
        let envelope = envelope::from_base64url(&row.wrapped_key)
            .filter(|bytes| bytes.len() == 32 + envelope::OVERHEAD)
            .ok_or_else(|| KeyError::damaged(row, "`wrapped_key`"))?;
        Ok(Self { kdf, key_check, envelope })
    }

    fn open(self, row: &KeyRow, derived: &Derived) -> Option<DataKey> {
        let plain = envelope::open(&derived.wrapping(), &wrap_associated(&row.id, &row.kdf), self.envelope)?;
        let plain: &[u8; 32] = plain.bytes().try_into().ok()?;
        let bytes = SecretBox::init_with_mut(|bytes: &mut [u8; 32]| bytes.copy_from_slice(plain));
        Some(DataKey { id: row.id.clone(), bytes })
    }
}

/// Why a key does not open.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The passphrase or key file is another one.
    #[error("the {kind} does not open key `{key}`")]
    WrongSecret {
        /// The key's id.
        key: String,
        /// What was tried.
        kind: SecretKind,
        /// What is odd about it, such as whitespace at its end.
        oddity: Option<&'static str>,
    },
    /// A passphrase was given where a key file is needed, or the other way round.
    #[error("key `{key}` opens with a {needs}")]
    WrongKind {
        /// The key's id.
        key: String,
        /// What it needs.
        needs: SecretKind,
    },
    /// A column of the key's row was changed or cut.
    #[error("the row of key `{key}` in `treelift_keys` is damaged: {column} was changed")]
    Damaged {
        /// The key's id.
        key: String,
        /// The column or columns, in backticks.
        column: &'static str,
    },
    /// The id is not a key id.
    #[error("a row of `treelift_keys` is damaged: its `id` is not 16 lower-case hex digits")]
    DamagedId,
    /// The derivation is not one that this version supports.
    #[error("key `{key}` uses a key derivation that this version does not support")]
    UnknownKdf {
        /// The key's id.
        key: String,
    },
    /// The parameters of the derivation are outside the allowed range.
    #[error("key `{key}` has key derivation parameters outside the allowed range")]
    AbsurdCost {
        /// The key's id.
        key: String,
    },
    /// The derivation failed on this machine.
    #[error("{}", .0.message)]
    Derivation(Error),
}

impl KeyError {
    fn damaged(row: &KeyRow, column: &'static str) -> Self {
        Self::Damaged { key: row.id.clone(), column }
    }

    /// The reason as one stable word, as the test vectors name it.
    pub fn reason(&self) -> &'static str {
        match self {
            KeyError::WrongSecret { .. } => "wrong-secret",
            KeyError::WrongKind { .. } => "wrong-kind",
            KeyError::Damaged { .. } | KeyError::DamagedId => "damaged",
            KeyError::UnknownKdf { .. } => "unknown-kdf",
            KeyError::AbsurdCost { .. } => "absurd-cost",
            KeyError::Derivation(_) => "derivation",
        }
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        let words = error.to_string();
        let hint = match error {
            KeyError::Derivation(error) => return error,
            KeyError::WrongSecret { oddity: Some(oddity), .. } => {
                return Error::environment(words)
                    .hint(format!("the passphrase that was given {oddity}: check its source"));
            }
            KeyError::WrongSecret { kind: SecretKind::Passphrase, .. } => {
                "case, spaces and accents matter; if the passphrase is certainly right, `kdf` in `treelift_keys` was changed"
            }
            KeyError::WrongSecret { kind: SecretKind::KeyFile, .. } => {
                "use the key file that the key of this database was made with"
            }
            KeyError::WrongKind { needs: SecretKind::Passphrase, .. } => {
                "give it with `--passphrase-file` or `TREELIFT_PASSPHRASE`, or omit both to be prompted"
            }
            KeyError::WrongKind { needs: SecretKind::KeyFile, .. } => "give it with `--key-file`",
            KeyError::UnknownKdf { .. } => "use the version of treelift that made the key, or a newer one",
            KeyError::Damaged { .. } | KeyError::DamagedId | KeyError::AbsurdCost { .. } => {
                "restore `treelift_keys` from a backup; without it the sealed values cannot be opened"
            }
        };
        Error::environment(words).hint(hint)
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
