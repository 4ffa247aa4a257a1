//! JSON texts that are lists of scalars of one type, for engines with columns of lists.

use super::json::write_json_string;
use std::fmt::Write as _;

/// The texts of a list, with nulls; `None` where it is another document.
pub fn texts(json: &str) -> Option<Vec<Option<String>>> {
    serde_json::from_str(json).ok()
}

/// The integers of a list, with nulls; `None` where it is another document, or a number is written with a fraction or an
/// exponent or has more than 64 bits.
pub fn integers(json: &str) -> Option<Vec<Option<i64>>> {
    // Minus zero would be read as a double; here it is zero.
    let raw: Vec<Option<&serde_json::value::RawValue>> = serde_json::from_str(json).ok()?;
    raw.into_iter().map(|one| one.map_or(Some(None), |raw| raw.get().parse().ok().map(Some))).collect()
}

/// Whether a number of a list of integers is minus zero, which its column keeps as zero.
pub fn has_minus_zero(json: &str) -> bool {
    let raw: Vec<Option<&serde_json::value::RawValue>> = serde_json::from_str(json).unwrap_or_default();
    raw.into_iter().flatten().any(|raw| raw.get() == "-0")
}

/// A list of texts as JSON.
pub fn of_texts<T: AsRef<str>>(texts: &[Option<T>]) -> String {
    let mut out = String::from("[");
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match text {
            Some(text) => write_json_string(&mut out, text.as_ref()),
            None => out.push_str("null"),
        }
    }
    out.push(']');
    out
}

/// A list of integers as JSON.
pub fn of_integers(numbers: &[Option<i64>]) -> String {
    let mut out = String::from("[");
    for (at, number) in numbers.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match number {
            Some(number) => _ = write!(out, "{number}"),
            None => out.push_str("null"),
        }
    }
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minus_zero_is_found_among_integers() {
        assert!(has_minus_zero("[1, null, -0 ]") && integers("[-0]") == Some(vec![Some(0)]));
        assert!(!has_minus_zero(r#"[0, -10, null]"#) && !has_minus_zero(r#"["-0"]"#));
    }

    #[test]
    fn a_list_is_of_one_type_and_comes_back() {
        assert_eq!(of_texts(&texts(r#"["a", null, "b\"c"]"#).unwrap()), r#"["a",null,"b\"c"]"#);
        assert_eq!(of_integers(&integers("[1, null, -9223372036854775808]").unwrap()), "[1,null,-9223372036854775808]");
        assert_eq!((of_texts::<String>(&[]), of_integers(&[])), ("[]".to_owned(), "[]".to_owned()));
        for other in [r#""a""#, "{}", "null", "[1]", "[[]]", "[true]"] {
            assert_eq!(texts(other), None, "{other}");
        }
        for other in ["[1.0]", "[1e2]", "[9223372036854775808]", r#"["1"]"#, "[[1]]", "1"] {
            assert_eq!(integers(other), None, "{other}");
        }
    }
}
