//! The search that proves that no secret is stored in plaintext.
//!
//! Thousands of secrets are looked for in every byte that a run writes. One great automaton of them
//! would not fit the processor's caches, so the text is asked for fingerprints instead: the first
//! six bytes of a pattern, hashed, name a bit in a table that does fit. Where the bit is set, which
//! is rare, the pattern itself is compared.

use super::forms::{Form, forms};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::fmt;
use zeroize::Zeroizing;

/// Shorter secrets are not searched for: they occur everywhere by chance.
pub const MIN_BYTES: usize = 6;
/// Bits of the table for each pattern: about one position in sixty-four is looked at twice.
const BITS_PER_PATTERN: usize = 64;
/// The table's greatest size, 512 KiB: it stays in the second cache beside the text.
const MOST_BITS: usize = 1 << 22;

/// The distinct secrets of a run, collected before anything is written.
#[derive(Default)]
pub struct SecretSet {
    secrets: Vec<SecretString>,
    numbers: HashMap<[u8; 32], usize>,
}

impl SecretSet {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret and returns its number, the same for equal secrets. `None` when it is shorter than
    /// [`MIN_BYTES`], and so not searched for.
    pub fn add(&mut self, secret: &str) -> Option<usize> {
        if secret.len() < MIN_BYTES {
            return None;
        }
        let secrets = &mut self.secrets;
        Some(*self.numbers.entry(digest(secret)).or_insert_with(|| {
            secrets.push(SecretString::from(secret));
            secrets.len() - 1
        }))
    }

    /// Whether the text is one of the secrets, as it is.
    pub fn holds(&self, text: &str) -> bool {
        text.len() >= MIN_BYTES && self.numbers.contains_key(&digest(text))
    }

    /// The secrets whose digest is not one of these.
    #[must_use]
    pub fn without(&self, digests: &HashSet<[u8; 32]>) -> Self {
        let mut rest = Self::new();
        for secret in self.secrets.iter().map(ExposeSecret::expose_secret) {
            if !digests.contains(&digest(secret)) {
                rest.add(secret);
            }
        }
        rest
    }

    /// How many distinct secrets are searched for.
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Makes the search for the secrets collected.
    pub fn freeze(&self) -> LeakSearch {
        let mut all: Vec<(Form, usize)> = Vec::new();
        for (number, secret) in self.secrets.iter().enumerate() {
            all.extend(forms(secret.expose_secret()).into_iter().map(|form| (form, number)));
        }
        // Where a form occurs that begins with another one, the other occurs too: one is enough.
        // What is left has at most one form at each position of a text, see `LeakSearch::confirm`.
        all.sort_by(|(one, _), (two, _)| one.as_slice().cmp(two.as_slice()));
        all.dedup_by(|(longer, _), (kept, _)| longer.starts_with(kept));
        LeakSearch::build(&all)
    }
}

/// What a secret is known by in memory.
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

impl fmt::Debug for SecretSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretSet({} secrets)", self.len())
    }
}

/// A secret found in plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The number that [`SecretSet::add`] gave. Of several secrets that begin alike at this place it
    /// is that of the shortest form.
    pub secret: usize,
    /// Where it begins, in bytes.
    pub offset: usize,
}

/// Searches texts for every secret of a run, in each of its forms.
///
/// A secret is found raw, in base64 of either alphabet (alone or inside a longer encoded text), in
/// hex of either case, percent-encoded, and escaped as JSON writers do.
pub struct LeakSearch {
    /// The bytes of all patterns.
    bytes: Zeroizing<Vec<u8>>,
    /// By bucket, then by their bytes.
    patterns: Vec<Pattern>,
    /// Where each bucket's patterns begin, and a last entry for their end.
    buckets: Vec<usize>,
    bucket_shift: u32,
    /// A bit for each hash that some pattern has.
    table: Vec<u64>,
    table_shift: u32,
}

struct Pattern {
    start: usize,
    end: usize,
    secret: usize,
}

impl LeakSearch {
    /// From forms that are sorted, none the beginning of another.
    fn build(forms: &[(Form, usize)]) -> Self {
        let bits = (forms.len() * BITS_PER_PATTERN).next_power_of_two().clamp(1 << 10, MOST_BITS);
        let buckets = (forms.len() * 2).next_power_of_two().max(2);
        let mut search = LeakSearch {
            bytes: Zeroizing::new(Vec::with_capacity(forms.iter().map(|(form, _)| form.len()).sum())),
            patterns: Vec::with_capacity(forms.len()),
            buckets: vec![0; buckets + 1],
            bucket_shift: 64 - buckets.trailing_zeros(),
            table: vec![0; bits / 64],
            table_shift: 64 - bits.trailing_zeros(),
        };
        let hash_of = |form: &Form| hash(first_eight(form));
        let mut order: Vec<_> = (0..forms.len()).collect();
        // Stable, so that the patterns of a bucket stay in the order of their bytes.
        order.sort_by_key(|&at| hash_of(&forms[at].0) >> search.bucket_shift);
        for at in order {
            let (form, secret) = &forms[at];
            let (hash, start) = (hash_of(form), search.bytes.len());
            search.bytes.extend_from_slice(form);
            search.patterns.push(Pattern { start, end: search.bytes.len(), secret: *secret });
            search.buckets[position(hash, search.bucket_shift) + 1] += 1;
            let bit = position(hash, search.table_shift);
            search.table[bit / 64] |= 1 << (bit % 64);
        }
        for bucket in 1..search.buckets.len() {
            search.buckets[bucket] += search.buckets[bucket - 1];
        }
        search
    }

    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The first secret in the text, if there is one. Allocates nothing.
    pub fn search(&self, cell: &str) -> Option<Hit> {
        self.search_bytes(cell.as_bytes())
    }

    /// As [`LeakSearch::search`], for bytes of any kind, such as a file's.
    pub fn search_bytes(&self, text: &[u8]) -> Option<Hit> {
        if self.is_empty() {
            return None;
        }
        for (at, window) in text.windows(8).enumerate() {
            let eight = window.try_into().expect("a window of 8");
            if self.is_marked(u64::from_le_bytes(eight))
                && let hit @ Some(_) = self.confirm(text, at)
            {
                return hit;
            }
        }
        // The last beginnings have fewer than eight bytes before the end of the text.
        let beginnings = (text.len() + 1).saturating_sub(MIN_BYTES);
        let rest = text.len().saturating_sub(7)..beginnings;
        rest.filter(|&at| self.is_marked(first_eight(&text[at..]))).find_map(|at| self.confirm(text, at))
    }

    #[inline]
    fn is_marked(&self, eight: u64) -> bool {
        let bit = position(hash(eight), self.table_shift);
        self.table[bit / 64] >> (bit % 64) & 1 != 0
    }

    /// Compares the patterns whose fingerprint the text has at a position.
    #[cold]
    fn confirm(&self, text: &[u8], at: usize) -> Option<Hit> {
        let text_here = &text[at..];
        let bucket = position(hash(first_eight(text_here)), self.bucket_shift);
        let patterns = &self.patterns[self.buckets[bucket]..self.buckets[bucket + 1]];
        // The last pattern that does not sort behind the text is the only one the text can begin
        // with: one between the two would begin with that pattern, and such were left out. So a
        // thousand secrets of one beginning cost ten comparisons, not a thousand.
        let behind = patterns.partition_point(|pattern| self.bytes_of(pattern) <= text_here);
        let pattern = patterns[..behind].last()?;
        let found = text_here.starts_with(self.bytes_of(pattern));
        found.then_some(Hit { secret: pattern.secret, offset: at })
    }

    fn bytes_of(&self, pattern: &Pattern) -> &[u8] {
        &self.bytes[pattern.start..pattern.end]
    }
}

impl fmt::Debug for LeakSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeakSearch({} patterns)", self.patterns.len())
    }
}

/// The first eight bytes as a little-endian number; missing ones count as zero.
fn first_eight(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let length = bytes.len().min(8);
    eight[..length].copy_from_slice(&bytes[..length]);
    u64::from_le_bytes(eight)
}

/// Hashes the first six of eight bytes; the multiplier is 2^64 divided by the golden ratio.
#[inline]
fn hash(eight: u64) -> u64 {
    (eight << 16).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The upper bits of a hash as an index.
#[inline]
fn position(hash: u64, shift: u32) -> usize {
    // At most 22 bits for the table; buckets are fewer than the patterns that memory holds.
    (hash >> shift) as usize
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
