//! Every key of a database that one passphrase or key file opens.

use super::status::status;
use super::{Job, existing, missing};
use crate::config::SecretNeed;
use crate::database::sealed::SealRecord;
use crate::database::{Database, Transaction};
use crate::error::{Error, Result};
use crate::report::words;
use crate::secret::cipher::{OpenError, SealPlace, Sealer, key_id_of};
use crate::secret::kdf::Argon2Memory;
use crate::secret::keys::{KeyRow, Secret, unlock_with};
use crate::secret::registry;
use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet};

/// The opened keys; the active one is always among them.
#[derive(Debug)]
pub(super) struct Keyring {
    sealers: BTreeMap<String, Sealer>,
    active: String,
    /// Retired keys that the secret does not open, with the reason.
    closed: BTreeMap<String, String>,
}

impl Keyring {
    /// Opens them. The active key must open; a retired one may need another secret.
    pub(super) fn open_all(rows: &[KeyRow], secret: &Secret) -> Result<Self> {
        let active = active(rows)?;
        let mut memory = Argon2Memory::new();
        let key = unlock_with(active, secret, &mut memory)?;
        let mut sealers = BTreeMap::from([(active.id.clone(), Sealer::new(key, active)?)]);
        let mut closed = BTreeMap::new();
        for row in rows.iter().filter(|row| row.id != active.id) {
            match unlock_with(row, secret, &mut memory) {
                Ok(key) => drop(sealers.insert(row.id.clone(), Sealer::new(key, row)?)),
                Err(error) => drop(closed.insert(row.id.clone(), error.to_string())),
            }
        }
        Ok(Self { sealers, active: active.id.clone(), closed })
    }

    /// A ring of one new key.
    pub(super) fn of_new(sealer: Sealer) -> Self {
        let active = sealer.key_id().to_owned();
        Self { sealers: BTreeMap::from([(active.clone(), sealer)]), active, closed: BTreeMap::new() }
    }

    /// Refuses a database whose keys or registry another program changed, or that holds values under
    /// another key than the active one.
    pub(super) fn check(&self, record: &SealRecord) -> Result<()> {
        record.check(self.sealers[&self.active].data_key())
    }

    /// As [`Keyring::check`], but values under other keys are not refused: they are reported one by one.
    pub(super) fn check_registry(&self, record: &SealRecord) -> Result<()> {
        record.registry.verify(self.sealers[&self.active].data_key())?;
        record.check_proof()
    }

    /// Writes the proof of keys and registry as they are now.
    pub(super) fn prove(&self, cells: &mut dyn Transaction) -> Result<()> {
        let (counts, hmac) = cells.seal_record()?.proof(self.sealers[&self.active].data_key())?;
        cells.put_proof(&counts, &hmac)
    }

    /// The key that seals.
    pub(super) fn active(&mut self) -> &mut Sealer {
        self.sealers.get_mut(&self.active).expect("the active key was opened first")
    }

    /// An opened key.
    pub(super) fn sealer(&self, key: &str) -> Option<&Sealer> {
        self.sealers.get(key)
    }

    /// Why a key of the database was not opened.
    pub(super) fn refusal(&self, key: &str) -> Option<&str> {
        self.closed.get(key).map(String::as_str)
    }

    /// The first key that is there and was not opened, with the reason.
    pub(super) fn first_refusal(&self) -> Option<(&str, &str)> {
        self.closed.iter().next().map(|(key, words)| (key.as_str(), words.as_str()))
    }

    /// Opens a value with the active key; one under another key does not count.
    pub(super) fn open(&self, place: &SealPlace<'_>, token: &str) -> Result<SecretString, OpenError> {
        let key = key_id_of(token).ok_or(OpenError::UnknownFormat)?;
        match self.sealers.get(key) {
            Some(sealer) if key == self.active => sealer.open(place, token),
            _ => Err(OpenError::OtherKey { key: key.to_owned() }),
        }
    }
}

impl Job<'_> {
    /// Asks for the passphrase or key file, and opens the keys with it.
    pub(super) fn open(&self, rows: &[KeyRow]) -> Result<(Secret, Keyring)> {
        let secret = self.ui.secret(SecretNeed::Open)?.ok_or_else(|| Error::bug("no secret was given"))?;
        let ring = Keyring::open_all(rows, &secret)?;
        Ok((secret, ring))
    }

    /// Begins the job's one transaction, in which nobody else writes the tables with sealed columns, nor these `more`
    /// tables. Its keys must still be those that were opened, if any were, and the columns those that were registered.
    pub(super) fn change(
        &self,
        rows: &[KeyRow],
        ring: &Keyring,
        more: BTreeSet<String>,
    ) -> Result<Box<dyn Transaction>> {
        let registered = existing(self.database)?.registered()?;
        let tables = registered.iter().map(|one| one.column.table.clone()).chain(more).collect();
        let cells = self.database.change(self.mode, &tables)?.ok_or_else(|| missing(self.database))?;
        if cells.keys()? != rows || cells.registered()? != registered {
            return Err(Error::environment("another program changed the keys in the meantime").hint("run again"));
        }
        if !rows.is_empty() {
            ring.check(&cells.seal_record()?)?;
        }
        Ok(cells)
    }
}

/// The keys of a database that must have one. Where it has none, sealed values show that it had.
pub(super) fn required(database: &dyn Database) -> Result<Vec<KeyRow>> {
    let rows = existing(database)?.keys()?;
    let lost = if rows.is_empty() { lost(database)? } else { None };
    match lost {
        Some(error) => Err(error),
        None => active(&rows).map(drop).map(|()| rows),
    }
}

/// The keys under which values are sealed though none is registered.
fn lost(database: &dyn Database) -> Result<Option<Error>> {
    let status = status(database, &[])?;
    let keys = status.lost_keys().into_iter().map(|(key, (values, _))| {
        Error::environment(words::lost(values, "", key))
            .at(database.url())
            .hint("restore a backup that has the key; without it they cannot be opened")
    });
    Ok(Error::all(keys.collect()))
}

/// The one active key of a database that must have one.
pub(super) fn active(rows: &[KeyRow]) -> Result<&KeyRow> {
    registry::active(rows)?.ok_or_else(|| {
        Error::environment("the database has no key, so nothing in it is sealed")
            .hint("`credentials encrypt` makes one and seals plaintext")
    })
}
