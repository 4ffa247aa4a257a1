//! Whether two JSON texts mean the same: members in any order, numbers as they are written.

use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Far above what treelift writes (127); a deeper document is only equal byte for byte.
const MOST_DEPTH: usize = 256;

/// Whether both are JSON and mean the same. Of members of one name the last counts, as for the
/// usual readers.
pub(super) fn equal(left: &str, right: &str) -> bool {
    left == right || both::<&RawValue>(left, right).is_some_and(|(left, right)| same(left, right, 0))
}

fn same(left: &RawValue, right: &RawValue, depth: usize) -> bool {
    let (left, right) = (left.get(), right.get());
    let alike = match left.as_bytes().first() {
        _ if depth > MOST_DEPTH => None,
        Some(b'{') => both::<BTreeMap<String, &RawValue>>(left, right).map(|(left, right)| {
            let mut members = left.iter().zip(&right);
            left.keys().eq(right.keys()) && members.all(|((_, one), (_, other))| same(one, other, depth + 1))
        }),
        Some(b'[') => both::<Vec<&RawValue>>(left, right).map(|(left, right)| {
            left.len() == right.len() && left.iter().zip(&right).all(|(one, other)| same(one, other, depth + 1))
        }),
        Some(b'"') => both::<String>(left, right).map(|(left, right)| left == right),
        // A number, `true`, `false` or `null`, as written.
        _ => Some(left == right),
    };
    alike.unwrap_or(false)
}

fn both<'t, T: serde::Deserialize<'t>>(left: &'t str, right: &'t str) -> Option<(T, T)> {
    serde_json::from_str(left).ok().zip(serde_json::from_str(right).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_equal_when_they_mean_the_same() {
        let cases = [
            (r#"{"a":1,"b":[true,null]}"#, r#"{ "b": [true, null], "a": 1 }"#, true),
            (r#"{"a":"ä"}"#, r#"{"a": "\u00e4"}"#, true),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#, true),
            (r#""a\"b""#, r#""a\u0022b""#, true),
            ("[]", "[ ]", true),
            ("[1,2]", "[2,1]", false),
            ("1", "1.0", false),
            ("12345678901234567890", "12345678901234567891", false),
            ("{}", "[]", false),
            ("null", "{}", false),
            ("[1", "[1]", false),
            ("nonsense", "other", false),
            (r#"{"a" 1}"#, r#"{"a":1}"#, false),
        ];
        for (left, right, same) in cases {
            assert_eq!(equal(left, right), same, "{left} {right}");
        }
    }

    #[test]
    fn a_bottomless_document_is_only_equal_to_itself() {
        let deep = "[".repeat(100_000);
        assert!(equal(&deep, &deep));
        assert!(!equal(&deep, "[]"));
    }
}
