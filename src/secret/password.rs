//! Hashes of passwords, which an application can check a password against, and nobody can read.

use super::kdf::{Argon2Memory, Cost};
use crate::error::{Error, Result};
use crate::hex;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// Makes hashes in the form of PHC strings: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
#[derive(Default)]
pub struct Hasher(Argon2Memory);

impl Hasher {
    /// The Argon2id hash of a password under a new random salt of 16 bytes.
    ///
    /// It costs 19 MiB of memory and two passes, some 20 ms: what OWASP's cheat sheet asks of a server that checks a
    /// password at every login.
    pub fn hash(&mut self, password: &SecretString) -> Result<String> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| Error::environment("the operating system's random source failed"))?;
        self.with_salt(password, salt)
    }

    fn with_salt(&mut self, password: &SecretString, salt: [u8; 16]) -> Result<String> {
        let mut hash = [0; 32];
        let cost = Cost::of_passwords();
        self.0.argon2id(cost, password.expose_secret().as_bytes(), &salt, &mut hash)?;
        Ok(format!("{}${}", cost.phc(&salt), STANDARD_NO_PAD.encode(hash)))
    }
}

/// What stands for a file's path that holds a secret, where no key can hide it: guessing the secret from it costs as much
/// as from its hash.
pub fn digest_of_path(path: &str) -> Result<String> {
    let mut digest = [0; 32];
    Argon2Memory::new().argon2id(Cost::of_passwords(), path.as_bytes(), b"treelift path 1\0", &mut digest)?;
    Ok(hex::encode(digest))
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_what_the_reference_implementation_gives() {
        let hash = Hasher::default().with_salt(&SecretString::from("password"), *b"0123456789abcdef").unwrap();
        // argon2 0123456789abcdef -id -v 13 -t 2 -k 19456 -p 1 -l 32
        assert_eq!(
            hash,
            "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$0qsHs573+LgGInzYb7sRqlOTBmqY4X6srNEm6ybpJ20"
        );
        assert_eq!(hash.len(), 97, "`check` asks columns for so many characters");
    }

    #[test]
    fn every_hash_has_a_salt_of_its_own() {
        let mut hasher = Hasher::default();
        let mut hash = || hasher.hash(&SecretString::from("swordfish")).unwrap();
        assert_ne!(hash(), hash());
    }
}
