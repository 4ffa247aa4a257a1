//! What a JSON text means, for engines that keep that and not the text: members in an order of their own, numbers by
//! their value.

use super::json::write_json_string;
use crate::decimal::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// Far above what treelift writes (127).
const MOST_DEPTH: usize = 256;
/// So many digits an exact number of PostgreSQL has at most before its point, and behind it ("Numeric Types").
const MOST_DIGITS: (u64, u64) = (131_072, 16_383);
/// Up to so many digits before its point and behind it a number is written without a power of ten.
const PLAIN_DIGITS: u64 = 400;

/// What a text means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The one text of all that mean the same: members by name, numbers without zeros that say nothing.
    pub text: String,
    /// Whether the form of a number, or the order of members, is not what such an engine gives back.
    pub has_form: bool,
    /// Whether a number is minus zero.
    pub has_minus_zero: bool,
}

/// Why such an engine does not keep a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unkept {
    /// It is no JSON, or is nested deeper than anything is read.
    NoDocument,
    /// A string has U+0000, or one half of a character alone.
    NoText,
    /// A number has more digits than an exact one may have.
    TooLong,
    /// Two members of one object have one name.
    Twins,
}

impl fmt::Display for Unkept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoDocument => "the value is no JSON document",
            Self::NoText => "a string in the document has U+0000 or half a character, which the column does not keep",
            Self::TooLong => "a number in the document has more digits than the column keeps",
            Self::Twins => "two members in the document have one name, and the column keeps one of them",
        })
    }
}

/// Reads what a text means.
///
/// # Errors
/// Where no engine that keeps the meaning keeps all of it.
pub fn of(text: &str) -> Result<Meaning, Unkept> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| Unkept::NoDocument)?;
    let mut meaning = Meaning { text: String::with_capacity(text.len()), has_form: false, has_minus_zero: false };
    write(raw, 0, &mut meaning)?;
    Ok(meaning)
}

fn write(raw: &RawValue, depth: usize, meaning: &mut Meaning) -> Result<(), Unkept> {
    let json = raw.get();
    match json.as_bytes().first() {
        _ if depth > MOST_DEPTH => return Err(Unkept::NoDocument),
        Some(b'{') => {
            // The whole is JSON already: only the text of a name can be wrong.
            let Members(all) = serde_json::from_str(json).map_err(|_| Unkept::NoText)?;
            // As the engine sorts them: by length, then by bytes.
            let keys = || all.iter().map(|(name, _)| (name.len(), name.as_str()));
            meaning.has_form |= !keys().is_sorted();
            let many = all.len();
            let sorted: BTreeMap<String, &RawValue> = all.into_iter().collect();
            if sorted.len() < many {
                return Err(Unkept::Twins);
            }
            meaning.text.push('{');
            for (at, (name, value)) in sorted.iter().enumerate() {
                if at > 0 {
                    meaning.text.push(',');
                }
                write_string(name, meaning)?;
                meaning.text.push(':');
                write(value, depth + 1, meaning)?;
            }
            meaning.text.push('}');
        }
        Some(b'[') => {
            let all: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| Unkept::NoDocument)?;
            meaning.text.push('[');
            for (at, value) in all.into_iter().enumerate() {
                if at > 0 {
                    meaning.text.push(',');
                }
                write(value, depth + 1, meaning)?;
            }
            meaning.text.push(']');
        }
        Some(b'"') => write_string(&serde_json::from_str::<String>(json).map_err(|_| Unkept::NoText)?, meaning)?,
        Some(b'-' | b'0'..=b'9') => write_number(json, meaning)?,
        _ => meaning.text.push_str(json),
    }
    Ok(())
}

fn write_string(text: &str, meaning: &mut Meaning) -> Result<(), Unkept> {
    if text.contains('\0') {
        return Err(Unkept::NoText);
    }
    write_json_string(&mut meaning.text, text);
    Ok(())
}

fn write_number(number: &str, meaning: &mut Meaning) -> Result<(), Unkept> {
    let decimal = Decimal::of(number);
    // Zeros behind the last digit are kept, and count.
    let written = decimal.scale().max(fraction(number));
    if decimal.whole_digits() > MOST_DIGITS.0 || written > MOST_DIGITS.1 {
        return Err(Unkept::TooLong);
    }
    meaning.has_form |= number.contains(['e', 'E']);
    meaning.has_minus_zero |= decimal.is_minus_zero();
    meaning.text.push_str(&decimal.canonical(PLAIN_DIGITS));
    Ok(())
}

/// How many digits stand behind the point of a number, its power of ten counted in.
fn fraction(number: &str) -> u64 {
    let (mantissa, power) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let digits = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let power: i64 = power.parse().unwrap_or(0);
    i64::try_from(digits).unwrap_or(i64::MAX).saturating_sub(power).max(0).unsigned_abs()
}

/// The members of an object as they come, twins too.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'t> Deserialize<'t> for Members<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'t> Visitor<'t> for All {
            type Value = Members<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(Members(all))
            }
        }
        deserializer.deserialize_map(All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_mean_the_same_have_one_text() {
        for (one, other, same) in [
            (r#"{"b":1,"a":[true,null]}"#, r#"{ "a": [true, null], "b": 1.0 }"#, true),
            (r#"{"n":1E2}"#, r#"{"n": 100}"#, true),
            (r#"[1.10, -0, 0.001]"#, "[1.1,0,1e-3]", true),
            (r#""\u00e4""#, r#""ä""#, true),
            ("[1e500]", "[1e501]", false),
            ("[12345678901234567890]", "[12345678901234567891]", false),
            ("[1,2]", "[2,1]", false),
            (r#"["1"]"#, "[1]", false),
        ] {
            assert_eq!(of(one).unwrap().text == of(other).unwrap().text, same, "{one} {other}");
            let text = of(one).unwrap().text;
            assert_eq!(of(&text).unwrap().text, text);
        }
    }

    #[test]
    fn the_form_that_is_not_kept_is_known() {
        for (text, form, minus_zero) in [
            (r#"{"a":1.10,"b":2,"aa":3}"#, false, false),
            (r#"{"aa":1,"b":2}"#, true, false),
            (r#"[{"x":{"b":1,"a":2}}]"#, true, false),
            ("[1e2]", true, false),
            ("[-0.0]", false, true),
        ] {
            let meaning = of(text).unwrap();
            assert_eq!((meaning.has_form, meaning.has_minus_zero), (form, minus_zero), "{text}");
        }
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for (text, why) in [
            (r#"{"a":1,"a":2}"#, Unkept::Twins),
            (r#"["a\u0000"]"#, Unkept::NoText),
            (r#"{"a\u0000":1}"#, Unkept::NoText),
            (r#"["\ud800"]"#, Unkept::NoText),
            ("[1e200000]", Unkept::TooLong),
            ("[1e-20000]", Unkept::TooLong),
            ("[0e-20000]", Unkept::TooLong),
            ("{", Unkept::NoDocument),
        ] {
            assert_eq!(of(text), Err(why), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
        assert!(of(&deep).is_err());
    }
}
