//! Secrets that rows had before an import gave them other ones: an undo seals them for their own places again.

use super::cells::{open, place};
use super::keyring::Keyring;
use super::problem::Problem;
use crate::config::{SecretNeed, Ui};
use crate::database::Database;
use crate::database::ledger::Earlier;
use crate::database::sealing::Sealing;
use crate::database::undo::{EarlierSecret, Reseal};
use crate::error::{Error, Result};
use crate::report::words::count;
use crate::secret::keys::KeyRow;
use std::cell::RefCell;

/// Puts secrets back, under the keys that the database had when it was made.
pub struct PutBack {
    ring: RefCell<Keyring>,
    keys: Vec<KeyRow>,
}

impl std::fmt::Debug for PutBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PutBack")
    }
}

impl PutBack {
    /// Asks for the passphrase or key, and opens the database's keys with it.
    ///
    /// # Errors
    /// When none is given, or it does not open them.
    pub fn prepare(database: &dyn Database, ui: &dyn Ui, secrets: u64) -> Result<Self> {
        let values = count(secrets, "sealed value");
        ui.say(&format!("{values} must be sealed for their places again"));
        let record = database.seal_record()?;
        let secret = ui.secret(SecretNeed::Open)?.ok_or_else(|| {
            Error::request(format!("{values} must be sealed again, and no passphrase or key was given"))
        })?;
        let ring = Keyring::open_all(&record.registry.keys, &secret)?;
        ring.check(&record)?;
        Ok(Self { ring: RefCell::new(ring), keys: record.registry.keys })
    }
}

impl Reseal for PutBack {
    fn reseal(&self, sealing: &mut dyn Sealing, secrets: &[EarlierSecret]) -> Result<Vec<String>> {
        let ring = &mut *self.ring.borrow_mut();
        let record = sealing.seal_record()?;
        if record.registry.keys != self.keys {
            return Err(Error::environment("another program changed the keys in the meantime").hint("run again"));
        }
        ring.check(&record)?;
        let mut tokens = Vec::with_capacity(secrets.len());
        for secret in secrets {
            let kept = [secret.run.to_string(), secret.number.to_string()];
            let text = open(ring, &Earlier::place(), &kept, &secret.token).map_err(Problem::into_error)?;
            tokens.push(ring.active().seal(&place(&secret.column, &secret.key), &text)?);
        }
        Ok(tokens)
    }

    fn prove(&self, sealing: &mut dyn Sealing) -> Result<()> {
        let ring = &mut *self.ring.borrow_mut();
        let active = ring.active();
        if let Some(row) = self.keys.iter().find(|row| row.id == active.key_id()) {
            sealing.put_key(&KeyRow { seal_count: active.sealed_count(), ..row.clone() })?;
        }
        let (counts, hmac) = sealing.seal_record()?.proof(active.data_key())?;
        sealing.put_proof(&counts, &hmac)
    }
}
