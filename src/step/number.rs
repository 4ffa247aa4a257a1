//! Steps between text, numbers and booleans. But for `double` none of them rounds, and none loses how a
//! value was written: what would be lost is an error.

use super::datum::{Datum, OutputType, TEXTUAL};

/// A step that changes the type of a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberStep {
    Integer,
    Number,
    Double,
    Text,
}

impl NumberStep {
    /// What it gives.
    pub(super) fn output(self) -> OutputType {
        match self {
            NumberStep::Integer => OutputType::Integer,
            NumberStep::Number | NumberStep::Double => OutputType::Number,
            NumberStep::Text => OutputType::Text,
        }
    }

    /// Whether the value can be got back.
    pub(super) fn keeps(self) -> bool {
        self != NumberStep::Double
    }

    /// What it takes.
    pub(super) fn accepts(self) -> &'static [OutputType] {
        use OutputType::{Bool, Integer, Number, Text};
        match self {
            NumberStep::Integer | NumberStep::Number | NumberStep::Double => TEXTUAL,
            NumberStep::Text => &[Text, Number, Integer, Bool],
        }
    }

    /// Applies it.
    pub(super) fn apply(self, value: Datum) -> Result<Datum, String> {
        match self {
            NumberStep::Integer => match value {
                Datum::Integer(_) => Ok(value),
                // No integer has the sign of minus zero, so the column it goes to decides about it.
                Datum::Text(text) | Datum::Number(text) if text == "-0" => Ok(Datum::Number(text)),
                Datum::Text(text) | Datum::Number(text) => integer(&text).map(Datum::Integer),
                other => Err(format!("expected an integer, found {}", other.kind_name())),
            },
            NumberStep::Number => match value {
                Datum::Number(_) => Ok(value),
                Datum::Integer(number) => Ok(Datum::Number(number.to_string())),
                Datum::Text(text) => {
                    written("a number", &text)?;
                    Ok(Datum::Number(text))
                }
                other => Err(format!("expected a number, found {}", other.kind_name())),
            },
            NumberStep::Double => double(&value.into_text()?).map(Datum::Number),
            NumberStep::Text => match value {
                Datum::Bool(value) => Ok(Datum::Text(value.to_string())),
                other => other.into_text().map(Datum::Text),
            },
        }
    }
}

/// Which parts a number was written with.
struct Written {
    fraction: bool,
    exponent: bool,
}

/// Checks a string as a number in the form of JSON (RFC 8259, section 6), the one form that a number
/// keeps in every target.
fn written(wanted: &str, text: &str) -> Result<Written, String> {
    if text.is_empty() {
        return Err(format!("expected {wanted}, found an empty string"));
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return Err(format!("expected {wanted}, found white space around it (put `trim` before this step)"));
    }
    if text.starts_with('+') {
        return Err(format!("expected {wanted}, found a leading `+`, which would be lost"));
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) || !exponent.is_none_or(digits) {
        return Err(format!("expected {wanted} in decimal digits"));
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(format!("expected {wanted}, found leading zeros, which would be lost"));
    }
    Ok(Written { fraction: fraction.is_some(), exponent: exponent.is_some() })
}

/// The nearest double (IEEE 754, 4.3.1), in the fewest digits that tell it from its neighbours.
fn double(text: &str) -> Result<String, String> {
    written("a number", text)?;
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value.to_string()),
        _ => Err(format!("expected a number of at most {:e}", f64::MAX)),
    }
}

fn integer(text: &str) -> Result<i64, String> {
    let Written { fraction, exponent } = written("an integer", text)?;
    if exponent {
        return Err("expected an integer, found an exponent".to_owned());
    }
    if fraction {
        return Err("expected an integer, found a fraction".to_owned());
    }
    text.parse().map_err(|_| format!("expected an integer from {} to {}", i64::MIN, i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_exact_or_say_why_not() {
        let results: Vec<String> = [
            "0",
            "-12",
            "9223372036854775807",
            "-9223372036854775808",
            "9223372036854775808",
            "1.0",
            "1e3",
            "+1",
            "007",
            " 1",
            "",
            "-",
            "1_000",
            "0x1",
            "1,5",
            "１",
            "--1",
            "1.",
            ".5",
            "1e",
        ]
        .iter()
        .map(|text| integer(text).map_or_else(|error| error, |number| number.to_string()))
        .collect();
        let unreadable = "expected an integer in decimal digits";
        assert_eq!(
            results,
            [
                "0",
                "-12",
                "9223372036854775807",
                "-9223372036854775808",
                "expected an integer from -9223372036854775808 to 9223372036854775807",
                "expected an integer, found a fraction",
                "expected an integer, found an exponent",
                "expected an integer, found a leading `+`, which would be lost",
                "expected an integer, found leading zeros, which would be lost",
                "expected an integer, found white space around it (put `trim` before this step)",
                "expected an integer, found an empty string",
                unreadable,
                unreadable,
                unreadable,
                unreadable,
                unreadable,
                unreadable,
                unreadable,
                unreadable,
                unreadable,
            ]
        );
    }
}
