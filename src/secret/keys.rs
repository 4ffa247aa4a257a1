//! Keys: how a passphrase or a key file wraps the data key.

/// A row of `treelift_keys`. Nothing in it is secret by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// What unlocks the data key.
pub enum Secret {}
