//! The search that proves that no secret is stored in plaintext.
//!
//! Thousands of secrets are looked for in every byte that a run writes. One great automaton of them
//! would not fit the processor's caches, so every second position of the text is asked for fingerprints
//! instead: the first five bytes of a pattern, and the five behind its first, hashed, name a bit each in a
//! table that does fit. Where the bit is set, which is rare, the pattern itself is compared. What that may cost is bounded: a long secret of one period,
//! in a text of the same, would else be compared at every position.

use super::automaton::Automaton;
use super::fingerprint::{fingerprint, first_eight, hash, position, shift_of};
use super::forms::{Form, forms};
use crate::decode;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Shorter secrets are not searched for: they occur everywhere by chance.
pub const MIN_BYTES: usize = 6;
/// Bits of the table for each pattern, which sets two: at most about one position in sixty-four is looked at twice.
const BITS_PER_PATTERN: usize = 128;
/// The text is asked at every so many positions; [`MIN_BYTES`] bytes hold that many fingerprints.
const STRIDE: usize = 2;
/// The table's sizes in words: 32 KiB stay in the first cache, and 512 KiB in the second one beside the text.
const FEW_WORDS: usize = 1 << 12;
const MORE_WORDS: usize = 1 << 14;
const MOST_WORDS: usize = 1 << 16;

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
    /// Those that the bounded search made, by the last of their patterns.
    automata: Mutex<HashMap<usize, Arc<Automaton>>>,
}

struct Pattern {
    start: usize,
    end: usize,
    secret: usize,
}

impl Pattern {
    fn length(&self) -> usize {
        self.end - self.start
    }
}

/// So many bytes of a beginning are compared where the work is bounded.
const HEAD: usize = 64;
/// So many bytes are compared for each byte of a text, before the work is bounded.
const COMPARED_PER_BYTE: usize = 16;

/// What one pass through a text has cost, and what it knows. Allocates nothing until a secret is found or
/// the work must be bounded.
struct Work {
    /// Bytes compared.
    spent: usize,
    budget: usize,
    /// The numbers of the secrets that were found.
    found: BTreeSet<usize>,
    /// For patterns that share a long beginning, by the last of them: which comes first in the rest of the text.
    first: HashMap<usize, Option<Hit>>,
    /// The secrets that are known to be in the rest of the text.
    further: Vec<usize>,
}

impl Work {
    fn new(text: &[u8]) -> Self {
        let budget = COMPARED_PER_BYTE * text.len() + 4096;
        Self { spent: 0, budget, found: BTreeSet::new(), first: HashMap::new(), further: Vec::new() }
    }

    fn is_exhausted(&self) -> bool {
        self.spent > self.budget
    }

    /// Compares as slices do, and counts the bytes that were looked at.
    fn order(&mut self, one: &[u8], other: &[u8]) -> Ordering {
        let length = one.len().min(other.len());
        let mut at = 0;
        while at + HEAD <= length && one[at..at + HEAD] == other[at..at + HEAD] {
            at += HEAD;
        }
        self.spent += (at + HEAD).min(length);
        one[at..].cmp(&other[at..])
    }
}

impl LeakSearch {
    /// From forms that are sorted, none the beginning of another.
    fn build(forms: &[(Form, usize)]) -> Self {
        let is_enough = |words: &usize| forms.len() * BITS_PER_PATTERN <= 64 * words;
        let words = [FEW_WORDS, MORE_WORDS].into_iter().find(is_enough).unwrap_or(MOST_WORDS);
        let buckets = (forms.len() * 2).next_power_of_two().max(2);
        let mut search = LeakSearch {
            bytes: Zeroizing::new(Vec::with_capacity(forms.iter().map(|(form, _)| form.len()).sum())),
            patterns: Vec::with_capacity(forms.len()),
            buckets: vec![0; buckets + 1],
            bucket_shift: 64 - buckets.trailing_zeros(),
            table: vec![0; words],
            automata: Mutex::default(),
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
            for eight in [first_eight(form), first_eight(&form[1..])] {
                let bit = position(fingerprint(eight), shift_of(words));
                search.table[bit / 64] |= 1 << (bit % 64);
            }
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

    /// The first secret in the text, if there is one. Allocates nothing but where texts and secrets agree
    /// for long.
    pub fn search(&self, cell: &str) -> Option<Hit> {
        self.search_bytes(cell.as_bytes())
    }

    /// Whether a text holds a secret, be it that it is decoded first: encoders of URLs differ in what they
    /// encode, so that not every form can be searched for.
    pub fn finds(&self, text: &str) -> bool {
        let decoded = || decode::percent(text.as_bytes()).map(Zeroizing::new);
        !self.is_empty()
            && (self.search(text).is_some() || decoded().is_some_and(|plain| self.search_bytes(&plain).is_some()))
    }

    /// As [`LeakSearch::search`], for bytes of any kind, such as a file's.
    pub fn search_bytes(&self, text: &[u8]) -> Option<Hit> {
        self.scan(text, &mut Work::new(text), true)
    }

    /// The numbers of all secrets in the text.
    pub fn secrets_in(&self, text: &[u8]) -> BTreeSet<usize> {
        let mut work = Work::new(text);
        self.scan(text, &mut work, false);
        work.found
    }

    /// Goes through the text once, up to its first hit or to its end.
    fn scan(&self, text: &[u8], work: &mut Work, first_only: bool) -> Option<Hit> {
        match self.table.len() {
            _ if self.is_empty() => None,
            FEW_WORDS => self.scan_by::<FEW_WORDS>(text, work, first_only),
            MORE_WORDS => self.scan_by::<MORE_WORDS>(text, work, first_only),
            _ => self.scan_by::<MOST_WORDS>(text, work, first_only),
        }
    }

    /// With a table of so many words: no bit of it is asked for its place.
    fn scan_by<const WORDS: usize>(&self, text: &[u8], work: &mut Work, first_only: bool) -> Option<Hit> {
        let table = self.table.first_chunk::<WORDS>().expect("a table has one of the three sizes");
        let is_marked = |eight: u64| {
            let bit = position(fingerprint(eight), shift_of(WORDS));
            table[bit / 64] >> (bit % 64) & 1 != 0
        };
        let mut confirmed = |at: usize| {
            let hit = self.confirm(text, at, work)?;
            work.found.insert(hit.secret);
            first_only.then_some(hit)
        };
        // A pattern begins where its fingerprint is seen, or one byte before.
        let mut confirmed = |at: usize| at.checked_sub(1).and_then(&mut confirmed).or_else(|| confirmed(at));
        for (number, window) in text.windows(8).step_by(STRIDE).enumerate() {
            let eight = window.try_into().expect("a window of 8");
            if is_marked(u64::from_le_bytes(eight))
                && let hit @ Some(_) = confirmed(STRIDE * number)
            {
                return hit;
            }
        }
        // The last fingerprints have fewer than eight bytes before the end of the text.
        let last =
            text.len().saturating_sub(7).next_multiple_of(STRIDE)..(text.len() + 1).saturating_sub(MIN_BYTES - 1);
        let mut last = last.step_by(STRIDE);
        let hit = last.find_map(|at| if is_marked(first_eight(&text[at..])) { confirmed(at) } else { None });
        if hit.is_none() {
            work.found.extend(work.further.drain(..));
        }
        hit
    }

    /// Compares the patterns whose fingerprint the text has at a position.
    #[cold]
    fn confirm(&self, text: &[u8], at: usize, work: &mut Work) -> Option<Hit> {
        let here = &text[at..];
        let bucket = position(hash(first_eight(here)), self.bucket_shift);
        let patterns = self.buckets[bucket]..self.buckets[bucket + 1];
        if work.is_exhausted() {
            return self.confirm_in_linear_time(text, at, patterns, work);
        }
        // The last pattern that does not sort behind the text is the only one the text can begin
        // with: one between the two would begin with that pattern, and such were left out. So a
        // thousand secrets of one beginning cost ten comparisons, not a thousand.
        let behind = self.patterns[patterns.clone()]
            .partition_point(|pattern| work.order(self.bytes_of(pattern), here) != Ordering::Greater);
        let pattern = self.patterns[patterns][..behind].last()?;
        let bytes = self.bytes_of(pattern);
        let is_found = here.len() >= bytes.len() && work.order(bytes, &here[..bytes.len()]) == Ordering::Equal;
        is_found.then_some(Hit { secret: pattern.secret, offset: at })
    }

    /// As [`LeakSearch::confirm`], where comparing at each position costs too much: a text and a secret
    /// of one period agree for long at every position and still differ.
    ///
    /// Only beginnings are compared. Patterns that share one are then searched for in the rest of the text all
    /// together, in time that grows with the text and with the patterns, whatever they are ([`Automaton`]). Until the
    /// first place that was found for any of them, none is looked at again.
    fn confirm_in_linear_time(&self, text: &[u8], at: usize, range: Range<usize>, work: &mut Work) -> Option<Hit> {
        let here = &text[at..];
        let head = &here[..here.len().min(HEAD)];
        let head_of = |pattern: &Pattern| &self.bytes_of(pattern)[..pattern.length().min(HEAD)];
        let behind = self.patterns[range.clone()]
            .partition_point(|pattern| work.order(head_of(pattern), head) != Ordering::Greater);
        let last = range.start + behind.checked_sub(1)?;
        let pattern = &self.patterns[last];
        if pattern.length() <= HEAD {
            let is_found = head.starts_with(self.bytes_of(pattern));
            return is_found.then_some(Hit { secret: pattern.secret, offset: at });
        }
        if head_of(pattern) != head {
            return None;
        }
        // A group is known by its last pattern.
        let first = match work.first.get(&last) {
            Some(first) => *first,
            None => {
                let group = self.patterns[range.start..=last].iter().rev().take_while(|one| head_of(one) == head);
                let group: Vec<&Pattern> = group.collect();
                let mut automata = self.automata.lock().unwrap_or_else(PoisonError::into_inner);
                let automaton = automata.entry(last).or_insert_with(|| {
                    let bytes: Vec<&[u8]> = group.iter().rev().map(|one| self.bytes_of(one)).collect();
                    Arc::new(Automaton::of(&bytes, &mut work.spent))
                });
                let automaton = Arc::clone(automaton);
                drop(automata);
                let mut first = None::<Hit>;
                for (number, offset) in automaton.search(here, &mut work.spent) {
                    let hit = Hit { secret: group[group.len() - 1 - number].secret, offset: at + offset };
                    work.further.push(hit.secret);
                    first = first.filter(|known| known.offset < hit.offset).or(Some(hit));
                }
                work.first.insert(last, first);
                first
            }
        };
        first.filter(|first| first.offset == at)
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

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
