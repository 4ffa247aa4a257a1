//! The vault of a run: seals values, remembers enough to prove that they open again, and searches
//! everything that is written for secrets in plaintext.

use crate::database::ledger::{Earlier, HIDDEN_PATH};
use crate::database::sealed::SealRecord;
use crate::database::{Cell, SealedColumn, Transaction};
use crate::error::{Error, Result};
use crate::mapping::model::Set;
use crate::row::Value;
use crate::secret::cipher::{SealPlace, Sealer, token_in};
use crate::secret::kdf::Cost;
use crate::secret::keys::{KeyRow, Secret, create, unlock};
use crate::secret::password::{self, Hasher};
use crate::secret::proof::{LeakSearch, SecretSet, digest};
use crate::secret::registry::path_hmac;
use crate::secret::whole::whole;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Replaces a text that holds the value of a secret.
pub const WITHHELD: &str = "(withheld: it holds the value of a secret)";

/// Where the run's key comes from.
#[derive(Debug)]
pub enum KeySource {
    /// The set seals nothing.
    None,
    /// A passphrase or key file was given.
    Given(Secret),
    /// A dry run without one: a temporary key.
    ThrowAway,
}

impl KeySource {
    /// Checks, before any work, that a given secret opens the target's key.
    /// Values that are not under that key, and keys or a registry that another program changed, are
    /// refused.
    pub fn opens(&self, record: &SealRecord) -> Result<()> {
        match (self, record.active()?) {
            (KeySource::Given(secret), Some(row)) => record.check(&unlock(row, secret)?),
            (KeySource::ThrowAway, _) | (KeySource::Given(_), None) => record.check_without_key(),
            (KeySource::None, _) => Ok(()),
        }
    }
}

/// Whether an existing sealed value holds a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Same {
    /// It does.
    Yes,
    /// It holds another secret, or does not open.
    No,
    /// It cannot be opened with a temporary key.
    Unknown,
}

/// The sealed values of one column, which must be opened again.
struct Sealed {
    column: SealedColumn,
    keys: Vec<Vec<Value>>,
    /// What each of the keys was sealed with.
    marks: Vec<[u8; 16]>,
}

/// So many sealed values are read back together: where no index leads to their keys, that is one
/// pass over the table.
const READ_BACK: usize = 4_096;

/// Seals, opens, searches.
pub struct Vault {
    sealer: Option<Sealer>,
    row: Option<KeyRow>,
    is_new: bool,
    throw_away: bool,
    seals_before: i64,
    salt: [u8; 32],
    sealed: Vec<Sealed>,
    secrets: SecretSet,
    search: Arc<LeakSearch>,
    /// Digests of values that were dropped, and of those that were sealed.
    dropped: HashSet<[u8; 32]>,
    kept: HashSet<[u8; 32]>,
    /// Existing sealed values that could not be compared.
    pub uncompared: u64,
    /// Existing sealed values of the rows that the run found again.
    found: u64,
    /// Whether the set hashes secrets.
    hashes: bool,
    hasher: Hasher,
    hashed: u64,
    /// How many earlier values were sealed.
    aside: u64,
    /// The columns that were sealed into, and the digests that were new among `kept`, in order.
    log: (Vec<usize>, Vec<[u8; 32]>),
}

/// A point that a vault can go back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    sealed: usize,
    kept: usize,
    uncompared: u64,
    found: u64,
    hashed: u64,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({} sealed)", self.count())
    }
}

impl Vault {
    /// Unlocks the target's key, or makes the first one.
    pub fn open(source: &KeySource, record: &SealRecord, secrets: SecretSet, now: Timestamp) -> Result<Self> {
        let existing = record.active()?;
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|_| Error::environment("the operating system's random source failed"))?;
        let key = match (source, existing) {
            (KeySource::None, _) => None,
            (KeySource::Given(secret), Some(row)) => {
                let key = unlock(row, secret)?;
                record.check(&key)?;
                Some((key, row.clone()))
            }
            (KeySource::Given(secret), None) => Some(create(secret, Cost::default(), now)?),
            // It is never typed, so the cost of guessing it does not matter.
            (KeySource::ThrowAway, _) => Some(create(&Secret::throw_away()?, Cost::default(), now)?),
        };
        let (sealer, row) = match key {
            Some((key, row)) => (Some(Sealer::new(key, &row)?), Some(row)),
            None => (None, None),
        };
        Ok(Self {
            seals_before: sealer.as_ref().map_or(0, Sealer::sealed_count),
            sealer,
            is_new: existing.is_none(),
            throw_away: matches!(source, KeySource::ThrowAway) && existing.is_some(),
            row,
            salt,
            sealed: Vec::new(),
            hashes: false,
            hasher: Hasher::default(),
            hashed: 0,
            aside: 0,
            search: Arc::new(secrets.freeze()),
            secrets,
            dropped: HashSet::new(),
            kept: HashSet::new(),
            uncompared: 0,
            found: 0,
            log: (Vec::new(), Vec::new()),
        })
    }

    /// The vault of a run over this set.
    #[must_use]
    pub fn of(self, set: &Set) -> Self {
        Self { hashes: set.hashes(), ..self }
    }

    /// Seals a secret for a cell, and remembers that it must open again.
    pub fn seal(&mut self, column: &SealedColumn, key: &[Value], secret: &SecretString) -> Result<Value> {
        let mark = self.fingerprint(secret);
        self.note_kept(secret);
        let texts = key_texts(key)?;
        let sealer =
            self.sealer.as_mut().ok_or_else(|| Error::bug("a value must be sealed, and the run has no key"))?;
        let place =
            SealPlace { table: &column.table, column: &column.column, key_columns: &column.key_columns, key: &texts };
        let token = sealer.seal(&place, secret)?;
        let at = self.sealed.iter().position(|sealed| sealed.column == *column).unwrap_or_else(|| {
            self.sealed.push(Sealed { column: column.clone(), keys: Vec::new(), marks: Vec::new() });
            self.sealed.len() - 1
        });
        self.log.0.push(at);
        self.sealed[at].keys.push(key.to_vec());
        self.sealed[at].marks.push(mark);
        Ok(Value::Sealed(token.into()))
    }

    /// Whether a sealed value of the target holds this secret.
    pub fn holds(&mut self, column: &SealedColumn, key: &[Value], token: &str, secret: &SecretString) -> Result<Same> {
        self.note_kept(secret);
        if self.throw_away {
            self.uncompared += 1;
            self.found += 1;
            return Ok(Same::Unknown);
        }
        let texts = key_texts(key)?;
        let SealedColumn { table, column, key_columns, .. } = column;
        let place = SealPlace { table, column, key_columns, key: &texts };
        let opened = self.sealer.as_ref().and_then(|sealer| sealer.open(&place, &token_in(token)).ok());
        Ok(match opened {
            Some(text) if self.fingerprint(&text).ct_eq(&self.fingerprint(secret)).into() => {
                self.found += 1;
                Same::Yes
            }
            _ => Same::No,
        })
    }

    /// Whether a sealed value of the target opens.
    pub fn opens(&self, column: &SealedColumn, key: &[Value], token: &str) -> Result<bool> {
        Ok(self.opened(column, key, token)?.is_some())
    }

    fn opened(&self, column: &SealedColumn, key: &[Value], token: &str) -> Result<Option<SecretString>> {
        let texts = key_texts(key)?;
        let SealedColumn { table, column, key_columns, .. } = column;
        let place = SealPlace { table, column, key_columns, key: &texts };
        Ok(self.sealer.as_ref().and_then(|sealer| sealer.open(&place, &token_in(token)).ok()))
    }

    /// A sealed value of the target that is about to be replaced, sealed for its place among earlier values: this run's of
    /// this number.
    pub fn set_aside(
        &mut self,
        (column, key, token): (&SealedColumn, &[Value], &str),
        (run, number): (i64, i64),
    ) -> Result<String> {
        let secret = self.opened(column, key, token)?;
        let secret = secret.ok_or_else(|| Error::bug("a sealed value that opened does not open any more"))?;
        let sealer =
            self.sealer.as_mut().ok_or_else(|| Error::bug("a value must be sealed, and the run has no key"))?;
        let SealedColumn { table, column, key_columns, .. } = Earlier::place();
        let texts = [run.to_string(), number.to_string()];
        let place = SealPlace { table: &table, column: &column, key_columns: &key_columns, key: &texts };
        let token = sealer.seal(&place, &secret)?;
        match sealer.open(&place, &token) {
            Ok(text) if text.expose_secret() == secret.expose_secret() => {
                self.aside += 1;
                Ok(token)
            }
            _ => Err(Error::bug("an earlier value that was just sealed does not open")),
        }
    }

    /// Hashes a secret for a cell.
    pub fn hash(&mut self, secret: &SecretString) -> Result<Value> {
        self.note_kept(secret);
        self.hashed += 1;
        Ok(Value::Sealed(self.hasher.hash(secret)?.into()))
    }

    /// Takes down that a secret is kept, sealed or hashed.
    pub fn note_kept(&mut self, secret: &SecretString) {
        let digest = digest(secret.expose_secret());
        if self.kept.insert(digest) {
            self.log.1.push(digest);
        }
    }

    /// The point at hand.
    pub fn mark(&self) -> Mark {
        let (uncompared, found, hashed) = (self.uncompared, self.found, self.hashed);
        Mark { sealed: self.log.0.len(), kept: self.log.1.len(), uncompared, found, hashed }
    }

    /// Forgets what was sealed and compared since the mark: it is not written.
    pub fn back_to(&mut self, mark: Mark) {
        for at in self.log.0.drain(mark.sealed..) {
            self.sealed[at].keys.pop();
            self.sealed[at].marks.pop();
        }
        for digest in self.log.1.drain(mark.kept..) {
            self.kept.remove(&digest);
        }
        self.uncompared = mark.uncompared;
        self.found = mark.found;
        self.hashed = mark.hashed;
    }

    /// Keeps what was sealed and compared: no mark from before is gone back to any more.
    pub fn keep(&mut self) {
        self.log.0.clear();
        self.log.1.clear();
    }

    /// Whether the run has no secret to search for.
    pub fn searches_nothing(&self) -> bool {
        self.search.is_empty()
    }

    /// The search for the secrets of the run.
    pub(crate) fn search(&self) -> &Arc<LeakSearch> {
        &self.search
    }

    /// Whether a text holds the value of a secret.
    pub fn finds_secret(&self, text: &str) -> bool {
        self.search.finds(text)
    }

    /// The secret that the text is as a whole, in whatever encoding.
    pub fn whole_secret(&self, text: &str) -> Option<Zeroizing<String>> {
        whole(&self.secrets, text)
    }

    /// Takes down that a rule dropped a value.
    pub fn note_dropped(&mut self, text: &str) {
        self.dropped.extend([digest(text), digest(text.trim())]);
    }

    /// Whether the secret of this digest was dropped, and sealed nowhere.
    pub fn is_only_dropped(&self, digest: &[u8; 32]) -> bool {
        self.dropped.contains(digest) && !self.kept.contains(digest)
    }

    /// The text, unless it holds the value of a secret.
    pub fn or_withheld<'t>(&self, text: &'t str) -> &'t str {
        if self.finds_secret(text) { WITHHELD } else { text }
    }

    /// Works with the search for what no report may show: every secret but what was only dropped. Where nothing was,
    /// that is the search at hand.
    pub fn with_withheld<T>(&self, work: impl FnOnce(&LeakSearch) -> T) -> T {
        let only_dropped: HashSet<_> = self.dropped.difference(&self.kept).copied().collect();
        if only_dropped.is_empty() {
            return work(&self.search);
        }
        let rest = self.secrets.without(&only_dropped);
        if rest.len() == self.secrets.len() { work(&self.search) } else { work(&rest.freeze()) }
    }

    /// A file's path as the ledger keeps it: where it holds a secret, an HMAC of it under the data key, by
    /// which a later run finds the file again. A set that only hashes has no data key, and a digest that costs as much to guess
    /// takes its place; one that does neither keeps no secret, and its paths stay.
    pub fn ledger_path(&self, path: &str) -> Result<String> {
        match &self.sealer {
            Some(sealer) if self.finds_secret(path) => {
                Ok(format!("{HIDDEN_PATH}{}", path_hmac(sealer.data_key(), path)?))
            }
            None if self.hashes && self.finds_secret(path) => {
                Ok(format!("{HIDDEN_PATH}{}", password::digest_of_path(path)?))
            }
            _ => Ok(path.to_owned()),
        }
    }

    /// Whether the target has values that treelift sealed in rows of the run, from this run or an earlier one.
    pub fn has_sealed(&self) -> bool {
        self.found > 0 || self.count() > 0
    }

    /// How many values were hashed.
    pub fn hashed(&self) -> u64 {
        self.hashed
    }

    /// How many values were sealed.
    pub fn count(&self) -> u64 {
        self.sealed.iter().map(|sealed| sealed.keys.len() as u64).sum()
    }

    /// Reads every sealed value back from the target and opens it: how many opened, and where one
    /// did not (`table.column`).
    pub fn prove(&self, transaction: &mut dyn Transaction) -> Result<(u64, Vec<(String, String)>)> {
        let (mut opened, mut failed) = (0, Vec::new());
        let Some(sealer) = &self.sealer else { return Ok((0, failed)) };
        for Sealed { column: SealedColumn { table, column, key_columns, .. }, keys, marks } in &self.sealed {
            let by: Vec<&str> = key_columns.iter().map(String::as_str).collect();
            for (keys, marks) in keys.chunks(READ_BACK).zip(marks.chunks(READ_BACK)) {
                let found = transaction.find(table, &by, &[column], keys)?;
                for ((key, mark), cells) in keys.iter().zip(marks).zip(found) {
                    let token = match cells.and_then(|cells| cells.into_iter().next()) {
                        Some(Cell::Text(token)) => token,
                        _ => String::new(),
                    };
                    let place = SealPlace { table, column, key_columns, key: &key_texts(key)? };
                    match sealer.open(&place, &token_in(&token)) {
                        Ok(text) if self.fingerprint(&text) == *mark => opened += 1,
                        _ => failed.push((table.clone(), column.clone())),
                    }
                }
            }
        }
        Ok((opened, failed))
    }

    /// Registers the key and the sealed columns in the transaction, when something was sealed.
    pub fn register(&self, transaction: &mut dyn Transaction) -> Result<()> {
        let (Some(sealer), Some(row)) = (&self.sealer, &self.row) else { return Ok(()) };
        if self.count() == 0 && self.aside == 0 {
            // An existing key proves the registry all the same, as it found it.
            return if self.is_new || self.throw_away { Ok(()) } else { self.prove_registry(sealer, transaction) };
        }
        if self.is_new || sealer.sealed_count() != self.seals_before {
            let row = KeyRow { seal_count: sealer.sealed_count(), ..row.clone() };
            if !self.throw_away {
                transaction.put_key(&row)?;
            }
        }
        let mut columns: Vec<SealedColumn> =
            self.sealed.iter().filter(|sealed| !sealed.keys.is_empty()).map(|sealed| sealed.column.clone()).collect();
        columns.extend((self.aside > 0).then(Earlier::place));
        columns.sort();
        transaction.put_sealed_columns(&columns)?;
        if self.throw_away { Ok(()) } else { self.prove_registry(sealer, transaction) }
    }

    fn prove_registry(&self, sealer: &Sealer, transaction: &mut dyn Transaction) -> Result<()> {
        let (counts, hmac) = transaction.seal_record()?.proof(sealer.data_key())?;
        transaction.put_proof(&counts, &hmac)
    }

    /// A fingerprint of a secret that is meaningless outside this run.
    fn fingerprint(&self, secret: &SecretString) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(self.salt);
        hash.update(secret.expose_secret().as_bytes());
        let digest = hash.finalize();
        std::array::from_fn(|i| digest[i])
    }
}

fn key_texts(key: &[Value]) -> Result<Vec<String>> {
    key.iter()
        .map(|value| {
            value.as_key_text().map(Cow::into_owned).ok_or_else(|| Error::bug("the key of a sealed value has a NULL"))
        })
        .collect()
}
