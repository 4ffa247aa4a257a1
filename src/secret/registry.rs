//! The proof of what sealed values depend on: which keys there are, which one seals, and which columns
//! hold sealed values.
//!
//! The rows of `treelift_keys` authenticate themselves, each alone; an old row that is put back does
//! too. So an HMAC under the data key covers them all together with the registry of sealed columns.

use super::envelope;
use super::keys::{ACTIVE, DataKey, KeyRow};
use crate::error::{Error, Result};
use crate::hex;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The `info` of the key derivation (RFC 5869), and the first part of what is authenticated.
const LABEL: &str = "treelift-registry-1";
/// The first part of what the digest covers.
const DIGEST_LABEL: &str = "treelift-registry-digest-1";
/// The `info` for paths of source files.
const PATH_LABEL: &str = "treelift-path-1";
/// The most keys that are opened: each may cost a derivation, and a rotation leaves one.
const MOST_KEYS: usize = 16;

/// A row of `treelift_sealed_columns`, with its texts as stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegistryRow {
    /// `table_name`.
    pub table: String,
    /// `column_name`.
    pub column: String,
    /// The JSON filter of the rows that are sealed, where only some are.
    pub row_filter: Option<String>,
    /// The JSON array of the key columns.
    pub key_columns: String,
    /// `tl2`, `tl1`, or `fernet` after a hand-over.
    pub format: String,
}

/// The keys and the registry of sealed columns, with their proof.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// Every row of `treelift_keys`.
    pub keys: Vec<KeyRow>,
    /// Every row of `treelift_sealed_columns`.
    pub columns: Vec<RegistryRow>,
    /// How many values were sealed in each table when the proof was written, as JSON.
    pub counts: Option<String>,
    /// The proof, in hex; none in a database of format 1.
    pub hmac: Option<String>,
    /// The digest that was written with the proof, in hex.
    pub digest: Option<String>,
}

impl Registry {
    /// The one active key; `None` where there is no key at all.
    pub fn active(&self) -> Result<Option<&KeyRow>> {
        active(&self.keys)
    }

    /// The proof under the data key of the active key.
    ///
    /// HMAC-SHA-256 of length-prefixed parts, in the order of their bytes; docs/credentials.md has them.
    pub fn hmac_under(&self, key: &DataKey) -> Result<String> {
        let mut parts = vec![LABEL.to_owned(), key.id().to_owned()];
        self.each_part(|row| vec![&row.id, &row.state], &mut |part| parts.push(part.to_owned()));
        let message = envelope::associated(parts.iter().map(String::as_str))
            .ok_or_else(|| Error::environment("a row of `treelift_sealed_columns` is too long"))?;
        let mut mac = derived(key, LABEL)?;
        mac.update(&message);
        Ok(hex::encode(mac.finalize().into_bytes()))
    }

    /// Compares the stored proof with what is there, in constant time. Nothing is compared where no proof
    /// is stored.
    pub fn verify(&self, key: &DataKey) -> Result<()> {
        let Some(stored) = &self.hmac else { return Ok(()) };
        if bool::from(self.hmac_under(key)?.as_bytes().ct_eq(stored.as_bytes())) {
            return Ok(());
        }
        Err(Error::environment(
            "the keys or the registry of sealed columns were changed by another program: their HMAC does not match",
        )
        .hint("restore a backup of the whole database; a key row or registry row that was put back or edited is not trusted"))
    }

    /// SHA-256 of what the proof covers and of how the keys are wrapped: who has no key sees by it that a row was
    /// edited or removed. It keeps nobody from writing it anew; that shows in the proof.
    pub fn digest_now(&self) -> String {
        let mut digest = Sha256::new();
        let mut add = |part: &str| {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        };
        add(DIGEST_LABEL);
        self.each_part(|row| vec![&row.id, &row.state, &row.kdf, &row.key_check, &row.wrapped_key], &mut add);
        hex::encode(digest.finalize())
    }

    /// Whether keys, registry and counts are those of the last proof, as far as that shows without a key.
    pub fn is_as_proved(&self) -> bool {
        self.digest.as_ref().is_none_or(|stored| *stored == self.digest_now())
    }

    /// Shows the parts that the proof and its digest cover, in the order of their bytes: the keys, each with some of
    /// its columns, then the registry and the counts.
    fn each_part(&self, of_key: impl Fn(&KeyRow) -> Vec<&String>, see: &mut dyn FnMut(&str)) {
        let mut keys: Vec<&KeyRow> = self.keys.iter().collect();
        keys.sort_by(|one, two| one.id.cmp(&two.id));
        see(&keys.len().to_string());
        keys.into_iter().flat_map(of_key).for_each(|part| see(part));
        let mut columns: Vec<&RegistryRow> = self.columns.iter().collect();
        columns.sort();
        see(&columns.len().to_string());
        for row in columns {
            let filter = row.row_filter.as_deref().unwrap_or_default();
            [row.table.as_str(), &row.column, filter, &row.key_columns, &row.format].into_iter().for_each(&mut *see);
        }
        see(self.counts.as_deref().unwrap_or_default());
    }
}

/// An HMAC of a path that must not be stored in plaintext, under a key derived from the data key.
pub fn path_hmac(key: &DataKey, path: &str) -> Result<String> {
    let mut mac = derived(key, PATH_LABEL)?;
    mac.update(path.as_bytes());
    Ok(hex::encode(mac.finalize().into_bytes()))
}

/// HMAC-SHA-256 under a key that HKDF (RFC 5869) derives from the data key for one use.
fn derived(key: &DataKey, label: &str) -> Result<Hmac<Sha256>> {
    let mut derived = Zeroizing::new([0; 32]);
    hkdf::Hkdf::<Sha256>::new(None, key.bytes())
        .expand(label.as_bytes(), derived.as_mut_slice())
        .map_err(|_| Error::bug("HKDF cannot give 32 bytes"))?;
    Ok(Hmac::<Sha256>::new_from_slice(derived.as_slice()).expect("HMAC takes any key"))
}

/// The one active key; `None` where there is no key at all. Refuses more keys than treelift ever leaves,
/// before one of them costs a derivation.
pub fn active(rows: &[KeyRow]) -> Result<Option<&KeyRow>> {
    if rows.len() > MOST_KEYS {
        return Err(damaged(&format!("it has {} keys, and at most {MOST_KEYS} are opened", rows.len())));
    }
    let mut active = rows.iter().filter(|row| row.state == ACTIVE);
    match (active.next(), active.next()) {
        (None, _) if rows.is_empty() => Ok(None),
        (Some(one), None) => Ok(Some(one)),
        (None, _) => Err(damaged("no key is active")),
        (Some(_), Some(_)) => Err(damaged("more than one key is active")),
    }
}

fn damaged(what: &str) -> Error {
    Error::environment(format!("`treelift_keys` is damaged: {what}"))
        .hint("restore it from a backup; without it the sealed values cannot be opened")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_row(id: &str, state: &str) -> KeyRow {
        KeyRow {
            id: id.to_owned(),
            state: state.to_owned(),
            kdf: String::new(),
            key_check: String::new(),
            wrapped_key: String::new(),
            seal_count: 0,
            created_at: String::new(),
            retired_at: None,
        }
    }

    fn column(table: &str, key_columns: &str) -> RegistryRow {
        RegistryRow {
            table: table.to_owned(),
            column: "password".to_owned(),
            row_filter: None,
            key_columns: key_columns.to_owned(),
            format: "tl2".to_owned(),
        }
    }

    fn registry(key: &DataKey) -> Registry {
        let mut registry = Registry {
            keys: vec![key_row(key.id(), ACTIVE), key_row("0011223344556677", "retired")],
            columns: vec![column("logins", "[\"a\"]"), column("accounts", "[\"b\"]")],
            counts: Some("{\"logins\":1}".to_owned()),
            hmac: None,
            digest: None,
        };
        registry.hmac = Some(registry.hmac_under(key).expect("is short"));
        registry
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_everything_else_does() {
        let key = DataKey::random().expect("is random");
        let good = registry(&key);
        good.verify(&key).expect("matches");
        let mut turned = good.clone();
        turned.keys.reverse();
        turned.columns.reverse();
        turned.verify(&key).expect("matches");

        type Change = fn(&mut Registry);
        let changes: [(&str, Change); 9] = [
            ("a key is gone", |it| drop(it.keys.pop())),
            ("another id", |it| it.keys[1].id = "0011223344556678".to_owned()),
            ("another state", |it| it.keys[1].state = ACTIVE.to_owned()),
            ("a column is gone", |it| drop(it.columns.pop())),
            ("other key columns", |it| it.columns[0].key_columns = "[\"b\"]".to_owned()),
            ("another format", |it| it.columns[0].format = "tl1".to_owned()),
            ("a filter", |it| it.columns[0].row_filter = Some("{}".to_owned())),
            ("another table", |it| it.columns[0].table = "login".to_owned()),
            ("another count", |it| it.counts = Some("{\"logins\":2}".to_owned())),
        ];
        for (what, change) in changes {
            let mut changed = good.clone();
            change(&mut changed);
            assert!(changed.verify(&key).is_err(), "{what}");
        }
        assert!(good.verify(&DataKey::random().expect("is random")).is_err());
    }

    #[test]
    fn without_a_proof_nothing_is_compared() {
        let key = DataKey::random().expect("is random");
        assert!(Registry { hmac: None, ..registry(&key) }.verify(&key).is_ok());
        assert!(Registry { hmac: Some(String::new()), ..registry(&key) }.verify(&key).is_err());
    }

    #[test]
    fn exactly_one_key_is_active_and_a_table_full_of_keys_is_refused() {
        let words =
            |rows: &[KeyRow]| active(rows).map(|row| row.map(|row| row.id.clone())).map_err(|error| error.message);
        let (one, two) = (key_row("1", ACTIVE), key_row("2", ACTIVE));
        assert_eq!(words(&[]), Ok(None));
        assert_eq!(words(std::slice::from_ref(&one)), Ok(Some("1".to_owned())));
        assert_eq!(words(&[one, two]), Err("`treelift_keys` is damaged: more than one key is active".to_owned()));
        assert_eq!(words(&[key_row("1", "retired")]), Err("`treelift_keys` is damaged: no key is active".to_owned()));
        let many: Vec<KeyRow> = (0..17).map(|at| key_row(&at.to_string(), "retired")).collect();
        assert_eq!(
            words(&many),
            Err("`treelift_keys` is damaged: it has 17 keys, and at most 16 are opened".to_owned())
        );
    }
}
