//! What holds for keys.

use super::*;
use crate::error::ErrorKind;

fn passphrase(text: &str) -> Secret {
    Secret::from_passphrase_text(SecretString::from(text), Strength::Any).expect("is not empty")
}

fn key_file() -> Secret {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("key");
    crate::secret::key_file::new_key_file(&path).expect("is written");
    Secret::from_key_file(&path).expect("is read")
}

fn cheap(secret: &Secret) -> (DataKey, KeyRow) {
    create(secret, Cost::cheap_for_tests(), "2024-02-29T23:59:59.5Z".parse().expect("a time")).expect("is made")
}

fn reason(row: &KeyRow, secret: &Secret) -> String {
    unlock(row, secret).expect_err("does not open").to_string()
}

#[test]
fn a_key_opens_with_the_secret_it_was_made_with() {
    for secret in [passphrase("correct horse battery"), key_file()] {
        let (key, row) = cheap(&secret);
        let opened = unlock(&row, &secret).expect("opens");
        assert_eq!((opened.id(), opened.bytes()), (key.id(), key.bytes()));
    }
}

#[test]
fn a_new_row_is_active_dated_and_names_its_derivation() {
    let (_, row) = cheap(&passphrase("correct horse battery"));
    assert!(envelope::is_key_id(&row.id));
    assert!(row.kdf.starts_with("$argon2id$v=19$m=8192,t=1,p=1$"), "{}", row.kdf);
    assert_eq!((row.state.as_str(), row.seal_count, row.retired_at), (ACTIVE, 0, None));
    assert_eq!(row.created_at, "2024-02-29 23:59:59.500000");
    let (_, row) = cheap(&key_file());
    assert_eq!(row.kdf, "hkdf-sha256");
}

#[test]
fn two_keys_of_one_passphrase_have_nothing_in_common() {
    let secret = passphrase("correct horse battery");
    let ((one, first), (two, second)) = (cheap(&secret), cheap(&secret));
    assert!(one.bytes() != two.bytes());
    assert!(first.id != second.id && first.kdf != second.kdf && first.key_check != second.key_check);
}

#[test]
fn a_new_wrap_opens_the_same_key_with_the_new_secret_alone() {
    let (old, new) = (passphrase("correct horse battery"), key_file());
    let (key, row) = cheap(&old);
    let rewrapped = rewrap(&key, &row, &new, Cost::cheap_for_tests()).expect("is wrapped");
    assert_eq!(unlock(&rewrapped, &new).expect("opens").bytes(), key.bytes());
    assert_eq!(reason(&rewrapped, &old), format!("key `{}` opens with a key file", row.id));
    let KeyRow { kdf, key_check, wrapped_key, .. } = rewrapped.clone();
    assert_eq!(rewrapped, KeyRow { kdf, key_check, wrapped_key, ..row });
}

#[test]
fn a_wrong_secret_damage_and_numbers_outside_the_limits_are_distinguished() {
    let secret = passphrase("correct horse battery");
    let (key, row) = cheap(&secret);
    let id = key.id();
    let (_, other) = cheap(&secret);
    let damaged = |column| format!("the row of key `{id}` in `treelift_keys` is damaged: {column} was changed");
    let with_kdf = |from, to| KeyRow { kdf: row.kdf.replacen(from, to, 1), ..row.clone() };

    assert_eq!(reason(&row, &passphrase("Correct horse battery")), format!("the passphrase does not open key `{id}`"));
    assert_eq!(reason(&row, &key_file()), format!("key `{id}` opens with a passphrase"));
    let check = KeyRow { key_check: other.key_check.clone(), ..row.clone() };
    assert_eq!(reason(&check, &secret), damaged("`key_check`"));
    let wrapped = KeyRow { wrapped_key: other.wrapped_key.clone(), ..row.clone() };
    assert_eq!(reason(&wrapped, &secret), damaged("`id` or `wrapped_key`"));
    let moved = KeyRow { id: other.id.clone(), ..row.clone() };
    assert_eq!(reason(&moved, &secret), damaged("`id` or `wrapped_key`").replace(id, &other.id));
    let cut = KeyRow { wrapped_key: row.wrapped_key[..40].to_owned(), ..row.clone() };
    assert_eq!(reason(&cut, &secret), damaged("`wrapped_key`"));
    let state = KeyRow { state: "Active".to_owned(), ..row.clone() };
    assert_eq!(reason(&state, &secret), damaged("`state`"));
    let absurd = format!("key `{id}` has key derivation parameters outside the allowed range");
    assert_eq!(reason(&with_kdf("m=8192", "m=4294967295"), &secret), absurd);
    assert_eq!(reason(&with_kdf("t=1", "t=1000000"), &secret), absurd);
    let unknown = format!("key `{id}` uses a key derivation that this version does not support");
    assert_eq!(reason(&with_kdf("argon2id", "argon2d"), &secret), unknown);
}

#[test]
fn every_reason_ends_the_command_with_status_3_and_a_hint() {
    let key = || "0123456789abcdef".to_owned();
    for error in [
        KeyError::WrongSecret { key: key(), kind: SecretKind::Passphrase, oddity: None },
        KeyError::WrongSecret { key: key(), kind: SecretKind::Passphrase, oddity: Some("ends with whitespace") },
        KeyError::WrongSecret { key: key(), kind: SecretKind::KeyFile, oddity: None },
        KeyError::WrongKind { key: key(), needs: SecretKind::Passphrase },
        KeyError::WrongKind { key: key(), needs: SecretKind::KeyFile },
        KeyError::Damaged { key: key(), column: "`state`" },
        KeyError::DamagedId,
        KeyError::UnknownKdf { key: key() },
        KeyError::AbsurdCost { key: key() },
    ] {
        let error = Error::from(error);
        assert_eq!((error.kind, error.status()), (ErrorKind::Environment, 3));
        assert!(error.hint.is_some(), "{error}");
    }
}

/// Flips single bits of the columns that are authenticated, and of the state: each `step`th.
fn refuses_flipped_bits(step: usize) {
    for secret in [passphrase("correct horse battery"), key_file()] {
        let (_, row) = cheap(&secret);
        let columns: [fn(&mut KeyRow) -> &mut String; 5] = [
            |row| &mut row.id,
            |row| &mut row.state,
            |row| &mut row.kdf,
            |row| &mut row.key_check,
            |row| &mut row.wrapped_key,
        ];
        let mut memory = Argon2Memory::new();
        for column in columns {
            for bit in (0..column(&mut row.clone()).len() * 8).step_by(step) {
                let mut flipped = row.clone();
                let mut bytes = column(&mut flipped).clone().into_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                // What is not UTF-8 does not come out of a text column.
                let Ok(text) = String::from_utf8(bytes) else { continue };
                *column(&mut flipped) = text;
                assert!(unlock_with(&flipped, &secret, &mut memory).is_err(), "bit {bit} of {flipped:?}");
            }
        }
        assert!(unlock_with(&row, &secret, &mut memory).is_ok());
    }
}

#[test]
fn flipped_bits_of_a_key_row_are_refused() {
    refuses_flipped_bits(17);
}

#[test]
#[ignore = "derives some hundred keys, in about 5 seconds; the sampled test runs by default"]
fn every_flipped_bit_of_a_key_row_is_refused() {
    refuses_flipped_bits(1);
}

#[test]
fn debug_shows_markers() {
    let secret = passphrase("correct horse battery");
    let (key, row) = cheap(&secret);
    assert_eq!(format!("{secret:?}"), "Passphrase(Passphrase(SecretBox<str>([REDACTED])))");
    assert_eq!(format!("{:?}", key_file()), "KeyFile(KeyMaterial(SecretBox<[u8; 32]>([REDACTED])))");
    assert_eq!(format!("{key:?}"), format!("DataKey {{ id: {:?}, bytes: SecretBox<[u8; 32]>([REDACTED]) }}", row.id));
}

#[test]
fn a_wrong_passphrase_with_something_odd_about_it_is_hinted_at() {
    let (_, row) = cheap(&passphrase("correct horse battery"));
    for (given, hint) in [
        ("correct horse battery ", "the passphrase that was given ends with whitespace: check its source"),
        ("correct horse battery\nx", "the passphrase that was given has more than one line: check its source"),
    ] {
        let error = Error::from(unlock(&row, &passphrase(given)).expect_err("does not open"));
        assert_eq!(error.hint.as_deref(), Some(hint));
    }
}
