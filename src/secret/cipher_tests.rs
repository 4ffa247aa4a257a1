//! What holds for sealed values.

use super::*;
use crate::secret::keys::RETIRED;
use proptest::prelude::*;

/// A key that no secret wraps, which spares the tests the derivation.
fn key() -> (DataKey, KeyRow) {
    let key = DataKey::random().expect("is random");
    let row = KeyRow {
        id: key.id().to_owned(),
        state: ACTIVE.to_owned(),
        kdf: String::new(),
        key_check: String::new(),
        wrapped_key: String::new(),
        seal_count: 0,
        created_at: String::new(),
        retired_at: None,
    };
    (key, row)
}

fn sealer() -> Sealer {
    let (key, row) = key();
    Sealer::new(key, &row).expect("belongs together")
}

/// Names for as many key columns as a test needs.
fn names(key: &[String]) -> Vec<String> {
    (0..key.len()).map(|at| format!("column {at}")).collect()
}

fn owned(key: &[&str]) -> Vec<String> {
    key.iter().map(|&part| part.to_owned()).collect()
}

fn opened(sealer: &Sealer, place: &SealPlace<'_>, token: &str) -> Result<String, OpenError> {
    sealer.open(place, token).map(|text| text.expose_secret().to_owned())
}

#[test]
fn a_value_opens_where_it_was_sealed_for() {
    let mut sealer = sealer();
    let key = owned(&["7", "north"]);
    let key_columns = names(&key);
    let place = SealPlace { table: "accounts", column: "password", key_columns: &key_columns, key: &key };
    for text in ["s3cret", "", "tl1.", "zwölf \u{1f511}\0", &"long ".repeat(5000)] {
        let token = sealer.seal(&place, &SecretString::from(text)).expect("is sealed");
        assert_eq!(opened(&sealer, &place, &token).as_deref(), Ok(text));
        assert_eq!(key_id_of(&token), Some(sealer.key_id()));
        assert_eq!(token.len(), 4 + 16 + 1 + ((text.len() + 28) * 4).div_ceil(3));
    }
    assert_eq!(sealer.sealed_count(), 5);
}

#[test]
fn a_value_copied_elsewhere_does_not_open() {
    let mut sealer = sealer();
    let key = owned(&["12", "3"]);
    let key_columns = names(&key);
    let place = SealPlace { table: "accounts", column: "password", key_columns: &key_columns, key: &key };
    let token = sealer.seal(&place, &SecretString::from("s3cret")).expect("is sealed");
    let other_keys =
        [owned(&["12", "4"]), owned(&["1", "23"]), owned(&["123"]), owned(&["3", "12"]), owned(&["12", "3", ""])];
    let other_names: Vec<_> = other_keys.iter().map(|key| names(key)).collect();
    let mut others: Vec<_> =
        other_keys.iter().zip(&other_names).map(|(key, key_columns)| SealPlace { key, key_columns, ..place }).collect();
    let (renamed, turned) = (owned(&["column 0", "other"]), owned(&["column 1", "column 0"]));
    others.extend([&renamed, &turned].map(|key_columns| SealPlace { key_columns, ..place }));
    others.push(SealPlace { key_columns: &[], ..place });
    others.push(SealPlace { table: "account", column: "spassword", ..place });
    others.push(SealPlace { table: "people", ..place });
    others.push(SealPlace { column: "username", ..place });
    others.push(SealPlace { key: &[], ..place });
    for other in others {
        assert_eq!(opened(&sealer, &other, &token), Err(OpenError::NotAuthentic), "{other:?}");
    }
}

#[test]
fn a_value_of_the_first_format_opens_whatever_its_key_columns_are_called() {
    let sealer = sealer();
    let (key, key_columns) = (owned(&["12", "3"]), owned(&["a", "b"]));
    let place = SealPlace { table: "accounts", column: "password", key_columns: &key_columns, key: &key };
    let associated = sealer.associated(FIRST_FORMAT, &place).expect("is short");
    let envelope = envelope::close(&sealer.cipher, &associated, b"s3cret").expect("is closed");
    let body = envelope::to_base64url(&envelope);
    let token = format!("tl1.{}.{body}", sealer.key_id());
    assert_eq!((format_of(&token), key_id_of(&token)), (Some(FIRST_FORMAT), Some(sealer.key_id())));
    assert_eq!(opened(&sealer, &place, &token).as_deref(), Ok("s3cret"));
    let renamed = owned(&["a", "c"]);
    assert!(sealer.open(&SealPlace { key_columns: &renamed, ..place }, &token).is_ok());
    let moved = owned(&["12", "4"]);
    assert!(sealer.open(&SealPlace { key: &moved, ..place }, &token).is_err());
    // It cannot be passed off as a value of the second format.
    let claimed = format!("tl2.{}.{body}", sealer.key_id());
    assert_eq!(opened(&sealer, &place, &claimed), Err(OpenError::NotAuthentic));
}

#[test]
fn any_two_values_of_a_table_swapped_are_noticed() {
    let mut sealer = sealer();
    let keys: Vec<_> = (0..30).map(|row| owned(&[&row.to_string()])).collect();
    let key_columns = owned(&["id"]);
    let places: Vec<_> = keys
        .iter()
        .map(|key| SealPlace { table: "accounts", column: "password", key_columns: &key_columns, key })
        .collect();
    let text = SecretString::from("the same in every row");
    let tokens: Vec<_> = places.iter().map(|place| sealer.seal(place, &text).expect("is sealed")).collect();
    for (row, place) in places.iter().enumerate() {
        for (from, token) in tokens.iter().enumerate() {
            assert_eq!(sealer.open(place, token).is_ok(), row == from);
        }
    }
}

#[test]
fn each_reason_has_its_own_name() {
    let mut sealer = sealer();
    let key = owned(&["1"]);
    let key_columns = names(&key);
    let place = SealPlace { table: "accounts", column: "password", key_columns: &key_columns, key: &key };
    let token = sealer.seal(&place, &SecretString::from("s3cret")).expect("is sealed");
    let id = sealer.key_id().to_owned();
    let head = format!("tl2.{id}.");
    let (_, other_row) = super::tests::key();
    let other = token.replacen(&id, &other_row.id, 1);
    let mut changed = token.clone();
    changed.replace_range(head.len()..=head.len(), if token[head.len()..].starts_with('A') { "B" } else { "A" });

    for unknown in [
        "",
        "s3cret",
        "tl3",
        &token[..3],
        &token[..20],
        &head[..20],
        &token.replacen("tl2", "tl3", 1),
        &format!(" {token}"),
    ] {
        assert_eq!(opened(&sealer, &place, unknown), Err(OpenError::UnknownFormat), "{unknown:?}");
    }
    assert_eq!(opened(&sealer, &place, &token.replacen(&id, &id.to_uppercase(), 1)).is_err(), id != id.to_uppercase());
    assert_eq!(opened(&sealer, &place, &other), Err(OpenError::OtherKey { key: other_row.id }));
    for bad in
        [format!("{token}="), format!("{token}\n"), format!("{token}.x"), format!("{head}A+/A"), format!("{head}A")]
    {
        assert_eq!(opened(&sealer, &place, &bad), Err(OpenError::Encoding), "{bad:?}");
    }
    assert_eq!(opened(&sealer, &place, &head), Err(OpenError::TooShort));
    assert_eq!(opened(&sealer, &place, &token[..head.len() + 36]), Err(OpenError::TooShort));
    assert_eq!(opened(&sealer, &place, &token[..head.len() + 40]), Err(OpenError::NotAuthentic));
    assert_eq!(opened(&sealer, &place, &changed), Err(OpenError::NotAuthentic));
}

#[test]
fn a_value_that_is_not_text_differs_from_a_changed_one() {
    let sealer = sealer();
    let key = owned(&["1"]);
    let key_columns = names(&key);
    let place = SealPlace { table: "accounts", column: "password", key_columns: &key_columns, key: &key };
    let associated = sealer.associated(FORMAT, &place).expect("is short");
    let envelope = envelope::close(&sealer.cipher, &associated, b"\xff").expect("is closed");
    let token = format!("tl2.{}.{}", sealer.key_id(), envelope::to_base64url(&envelope));
    assert_eq!(opened(&sealer, &place, &token), Err(OpenError::NotText));
}

#[test]
fn a_key_seals_until_its_limit_and_a_retired_one_not_at_all() {
    let cells = owned(&["1"]);
    let key_columns = names(&cells);
    let place = SealPlace { table: "accounts", column: "password", key_columns: &key_columns, key: &cells };
    let text = SecretString::from("s3cret");
    let at = |seal_count: i64, state: &str| {
        let (key, row) = key();
        Sealer::new(key, &KeyRow { seal_count, state: state.to_owned(), ..row }).expect("belongs together")
    };
    assert!(!at((1 << 30) - 1, ACTIVE).should_rotate());
    assert!(at(1 << 30, ACTIVE).should_rotate());

    let mut nearly = at((1 << 32) - 1, ACTIVE);
    let token = nearly.seal(&place, &text).expect("is the last");
    let error = nearly.seal(&place, &text).expect_err("is one too many");
    assert_eq!(error.message, format!("key `{}` has sealed 2^32 values, the limit", nearly.key_id()));
    assert_eq!(nearly.sealed_count(), 1 << 32);
    assert!(nearly.open(&place, &token).is_ok());

    assert!(at(0, RETIRED).seal(&place, &text).is_err());
    assert!(at(0, ACTIVE).seal(&SealPlace { key: &[], ..place }, &text).is_err());
    let (key, row) = super::tests::key();
    assert!(Sealer::new(key, &KeyRow { seal_count: -1, ..row }).is_err());
}

/// Flips single bits of sealed values: each `step`th.
fn refuses_flipped_bits(step: usize) {
    let mut sealer = sealer();
    let key = owned(&["1"]);
    let key_columns = names(&key);
    let place = SealPlace { table: "accounts", column: "password", key_columns: &key_columns, key: &key };
    for text in ["", "a", "ab", "abc", "a longer text, of more than one block of the cipher"] {
        let token = sealer.seal(&place, &SecretString::from(text)).expect("is sealed");
        for bit in (0..token.len() * 8).step_by(step) {
            let mut bytes = token.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = String::from_utf8(bytes) else { continue };
            assert!(sealer.open(&place, &flipped).is_err(), "bit {bit} of {token}");
        }
    }
}

#[test]
fn flipped_bits_of_a_value_are_refused() {
    refuses_flipped_bits(7);
}

#[test]
#[ignore = "tries every bit, in 1 second; the sampled test runs by default"]
fn every_flipped_bit_of_a_value_is_refused() {
    refuses_flipped_bits(1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_text_opens_to_itself_and_only_in_its_place(
        text in any::<String>(), table in ".{0,6}", column in ".{0,6}",
        key in prop::collection::vec(".{0,3}", 1..3), other in prop::collection::vec(".{0,3}", 1..3),
    ) {
        let mut sealer = sealer();
        let key_columns = names(&key);
        let place = SealPlace { table: &table, column: &column, key_columns: &key_columns, key: &key };
        let token = sealer.seal(&place, &SecretString::from(text.as_str())).expect("is sealed");
        prop_assert_eq!(opened(&sealer, &place, &token), Ok(text));
        let elsewhere = SealPlace { key: &other, ..place };
        prop_assert_eq!(sealer.open(&elsewhere, &token).is_ok(), key == other);
    }
}
