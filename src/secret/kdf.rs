//! Key derivation: from a passphrase (Argon2id) or a key file (HKDF) to the bytes that wrap a data key.

use super::envelope;
use crate::error::{Error, Result};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fmt;
use zeroize::Zeroizing;

/// The name of the derivation from a key file in `treelift_keys`.
const HKDF: &str = "hkdf-sha256";
/// The `info` input of HKDF.
const HKDF_INFO: &[u8] = b"treelift-key-1";
/// The limits of Argon2id: 8 MiB to 1 GiB, up to 16 passes, up to 16 lanes. Numbers read back are
/// compared with them before any work, so that a database cannot demand a day and a terabyte.
const MEMORY_KIB: std::ops::RangeInclusive<u32> = 8 * 1024..=1024 * 1024;
const PASSES: std::ops::RangeInclusive<u32> = 1..=16;
const LANES: std::ops::RangeInclusive<u32> = 1..=16;

/// The two kinds of secret, as messages name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// A passphrase.
    Passphrase,
    /// A key file.
    KeyFile,
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SecretKind::Passphrase => "passphrase",
            SecretKind::KeyFile => "key file",
        })
    }
}

/// How much work a guess at the passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Default for Cost {
    /// 64 MiB, 3 passes, 4 lanes: the second choice of RFC 9106, section 4.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 }
    }
}

impl Cost {
    /// The least that is read back, so that tests do not wait. Never for a real key.
    #[doc(hidden)]
    pub fn cheap_for_tests() -> Self {
        Self { memory_kib: *MEMORY_KIB.start(), passes: 1, lanes: 1 }
    }

    /// 19 MiB, 2 passes, 1 lane: the first choice of OWASP's cheat sheet for passwords of a server.
    pub(super) fn of_passwords() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }

    /// The beginning of a PHC string: the algorithm with its parameters, and the salt.
    pub(super) fn phc(self, salt: &[u8]) -> String {
        let Self { memory_kib, passes, lanes } = self;
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${}", STANDARD_NO_PAD.encode(salt))
    }

    fn is_sane(self) -> bool {
        MEMORY_KIB.contains(&self.memory_kib) && PASSES.contains(&self.passes) && LANES.contains(&self.lanes)
    }
}

/// Why the text of a derivation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KdfTextError {
    /// It is not one that this version supports, or not in canonical form.
    Unknown,
    /// Its numbers are outside the limits.
    Absurd,
}

/// A derivation with its parameters, as written in `kdf` of `treelift_keys`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kdf {
    /// From a passphrase.
    Argon2id { cost: Cost, salt: [u8; 16] },
    /// From a key file.
    Hkdf,
}

impl Kdf {
    /// Parses the text. Only the form that [`fmt::Display`] writes is accepted.
    pub(super) fn read(text: &str) -> Result<Self, KdfTextError> {
        if text == HKDF {
            return Ok(Kdf::Hkdf);
        }
        let kdf = Self::read_argon2id(text).ok_or(KdfTextError::Unknown)?;
        match kdf {
            Kdf::Argon2id { cost, .. } if !cost.is_sane() => Err(KdfTextError::Absurd),
            kdf => Ok(kdf),
        }
    }

    fn read_argon2id(text: &str) -> Option<Self> {
        let (numbers, salt) = text.strip_prefix("$argon2id$v=19$")?.split_once('$')?;
        let mut numbers = numbers.split(',');
        let mut number = |name: &str| decimal(numbers.next()?.strip_prefix(name)?);
        let cost = Cost { memory_kib: number("m=")?, passes: number("t=")?, lanes: number("p=")? };
        if numbers.next().is_some() {
            return None;
        }
        let salt = STANDARD_NO_PAD.decode(salt).ok()?.try_into().ok()?;
        Some(Kdf::Argon2id { cost, salt })
    }

    /// The kind of secret it starts from.
    pub(super) fn starts_from(&self) -> SecretKind {
        match self {
            Kdf::Argon2id { .. } => SecretKind::Passphrase,
            Kdf::Hkdf => SecretKind::KeyFile,
        }
    }

    /// Derives from a passphrase's bytes, or a key file's.
    pub(super) fn derive(&self, secret: &[u8], memory: &mut Argon2Memory) -> Result<Derived> {
        let mut derived = Derived(Box::new(Zeroizing::new([0; 64])));
        match self {
            Kdf::Argon2id { cost, salt } => memory.argon2id(*cost, secret, salt, derived.0.as_mut_slice())?,
            // RFC 5869, section 2.2: no salt is a salt of zeros, which HMAC takes for an empty one.
            Kdf::Hkdf => hkdf::Hkdf::<sha2::Sha256>::new(None, secret)
                .expand(HKDF_INFO, derived.0.as_mut_slice())
                .map_err(|_| Error::bug("HKDF cannot give 64 bytes"))?,
        }
        Ok(derived)
    }
}

impl fmt::Display for Kdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kdf::Argon2id { cost, salt } => f.write_str(&cost.phc(salt)),
            Kdf::Hkdf => f.write_str(HKDF),
        }
    }
}

/// A decimal number without sign or leading zeros; one too great for 32 bits counts as the greatest,
/// which no limit allows.
fn decimal(text: &str) -> Option<u32> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| text.parse().unwrap_or(u32::MAX))
}

/// The output of a derivation: 32 bytes that wrap the data key, and 32 that distinguish a wrong secret
/// from a damaged key.
pub(super) struct Derived(Box<Zeroizing<[u8; 64]>>);

impl Derived {
    /// The cipher that wraps the data key.
    pub(super) fn wrapping(&self) -> aes_gcm::Aes256Gcm {
        envelope::cipher(self.halves().0)
    }

    /// The bytes that are stored in plaintext, as `key_check`.
    pub(super) fn check(&self) -> &[u8; 32] {
        self.halves().1
    }

    fn halves(&self) -> (&[u8; 32], &[u8; 32]) {
        let (wrapping, check) = self.0.split_first_chunk().expect("64 bytes hold 32");
        (wrapping, check.first_chunk().expect("64 bytes hold twice 32"))
    }
}

/// The working memory of Argon2id: made once, reused, wiped when dropped.
///
/// The passphrase could be guessed cheaply from what Argon2 leaves in it, so it is ours and not the
/// library's, which does not wipe.
#[derive(Default)]
pub struct Argon2Memory(Zeroizing<Vec<Block>>);

impl Argon2Memory {
    /// Empty working memory; the first derivation grows it to the size it needs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Argon2id, version 1.3 (RFC 9106), into `out`.
    pub(super) fn argon2id(&mut self, cost: Cost, password: &[u8], salt: &[u8], out: &mut [u8]) -> Result<()> {
        // Cannot happen with the numbers that `Cost` allows, whatever the passphrase is.
        let refused = |_| Error::bug("Argon2id refused its parameters");
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(out.len())).map_err(refused)?;
        self.grow(params.block_count())?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(password, salt, out, self.0.as_mut_slice())
            .map_err(refused)
    }

    fn grow(&mut self, blocks: usize) -> Result<()> {
        if self.0.len() < blocks {
            let mut larger = Vec::new();
            larger.try_reserve_exact(blocks).map_err(|_| {
                let mib = blocks * Block::SIZE / (1024 * 1024);
                Error::environment(format!("cannot allocate {mib} MiB of memory to derive the key"))
            })?;
            larger.resize(blocks, Block::new());
            // The old memory is wiped here, rather than moved and left behind.
            self.0 = Zeroizing::new(larger);
        }
        Ok(())
    }
}

impl fmt::Debug for Argon2Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Argon2Memory")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "$argon2id$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw";

    #[test]
    fn a_derivation_reads_back_as_it_was_written() {
        let salt = std::array::from_fn(|at| u8::try_from(at).expect("16 fits"));
        let kdf = Kdf::Argon2id { cost: Cost::default(), salt };
        assert_eq!(kdf.to_string(), TEXT);
        assert_eq!(Kdf::read(TEXT), Ok(kdf));
        assert_eq!(Kdf::read(&Kdf::Hkdf.to_string()), Ok(Kdf::Hkdf));
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        for (from, to) in [
            ("$argon2id", "argon2id"),
            ("argon2id", "argon2i"),
            ("v=19", "v=16"),
            ("m=65536", "m=065536"),
            ("m=65536", "m=+65536"),
            ("m=65536", "m="),
            ("m=65536,t=3", "t=3,m=65536"),
            ("p=4", "p=4,x=1"),
            ("Dw", "Dx"),
            ("Dw", "Dw=="),
            ("Dw", "DxA"),
            ("Dw", "D"),
        ] {
            assert_eq!(Kdf::read(&TEXT.replacen(from, to, 1)), Err(KdfTextError::Unknown), "{to}");
        }
        for other in ["", "hkdf-sha256 ", "HKDF-SHA256", "$argon2id$v=19$"] {
            assert_eq!(Kdf::read(other), Err(KdfTextError::Unknown), "{other:?}");
        }
    }

    #[test]
    fn numbers_outside_the_limits_are_refused_before_any_work() {
        for (from, to) in [
            ("m=65536", "m=8191"),
            ("m=65536", "m=1048577"),
            ("m=65536", "m=99999999999999999999"),
            ("t=3", "t=0"),
            ("t=3", "t=17"),
            ("p=4", "p=0"),
            ("p=4", "p=17"),
        ] {
            assert_eq!(Kdf::read(&TEXT.replacen(from, to, 1)), Err(KdfTextError::Absurd), "{to}");
        }
        for (from, to) in [("m=65536", "m=8192"), ("m=65536", "m=1048576"), ("t=3", "t=16"), ("p=4", "p=16")] {
            assert!(Kdf::read(&TEXT.replacen(from, to, 1)).is_ok(), "{to}");
        }
    }

    #[test]
    fn reused_memory_gives_what_fresh_memory_gives() {
        let kdf = Kdf::Argon2id { cost: Cost::cheap_for_tests(), salt: [7; 16] };
        let larger = Kdf::Argon2id { cost: Cost { memory_kib: 9 * 1024, ..Cost::cheap_for_tests() }, salt: [7; 16] };
        let mut memory = Argon2Memory::new();
        let first = kdf.derive(b"a passphrase", &mut memory).expect("derives");
        larger.derive(b"another", &mut memory).expect("derives");
        let again = kdf.derive(b"a passphrase", &mut memory).expect("derives");
        assert!(first.check() == again.check());
    }
}
