//! Numbers as they are written in decimal digits, compared by value without a double between.

/// A decimal number: its sign, its significant digits and the power of ten behind the last of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// The number that a text in the form of JSON (RFC 8259, section 6) says.
    pub fn of(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // An exponent beyond 64 bits is beyond every column as well.
        let limit = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
        let exponent: i64 = exponent.parse().unwrap_or(limit);
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let trimmed = digits.trim_end_matches('0');
        if trimmed.is_empty() {
            return Self { negative, digits: String::new(), exponent: 0 };
        }
        let moved = |length: usize| i64::try_from(length).unwrap_or(i64::MAX / 4);
        let exponent =
            exponent.saturating_sub(moved(fraction.len())).saturating_add(moved(digits.len() - trimmed.len()));
        Self { negative, digits: trimmed.to_owned(), exponent }
    }

    /// The significant digits, without zeros at either end; empty for zero.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// Whether it is zero with a sign, which few engines keep.
    pub fn is_minus_zero(&self) -> bool {
        self.negative && self.digits.is_empty()
    }

    /// How many digits its fraction needs.
    pub fn scale(&self) -> u64 {
        self.exponent.min(0).unsigned_abs()
    }

    /// How many digits stand before the decimal point; 0 where the number is less than 1.
    pub fn whole_digits(&self) -> u64 {
        if self.digits.is_empty() {
            return 0;
        }
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        self.exponent.saturating_add(length).max(0).unsigned_abs()
    }

    /// One text for all that are the same number: its digits, with a power of ten where more than `most` of them would
    /// stand before its point or behind it. Minus zero is zero.
    pub fn canonical(&self, most: u64) -> String {
        if self.digits.is_empty() {
            return "0".to_owned();
        }
        let sign = if self.negative { "-" } else { "" };
        let digits = &self.digits;
        if self.whole_digits() > most || self.scale() > most {
            return format!("{sign}{digits}e{}", self.exponent);
        }
        let Ok(behind) = usize::try_from(-self.exponent) else {
            return format!("{sign}{digits}{}", "0".repeat(usize::try_from(self.exponent).unwrap_or(0)));
        };
        match digits.len().checked_sub(behind) {
            _ if behind == 0 => format!("{sign}{digits}"),
            None | Some(0) => format!("{sign}0.{}{digits}", "0".repeat(behind - digits.len())),
            Some(point) => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
        }
    }

    /// How many digits an engine must keep: all but zeros in front, and at the end of a fraction.
    pub fn significant(&self) -> u64 {
        self.digits.len() as u64 + self.exponent.max(0).unsigned_abs()
    }
}

/// A number without zeros in front or at the end of its fraction, and without a sign of zero; one with an exponent as it
/// is. So two texts of one number are the same.
pub fn plain_number(text: &str) -> String {
    if text.contains(['e', 'E']) {
        return text.to_owned();
    }
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let sign = if whole.is_empty() && fraction.is_empty() { "" } else { sign };
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_by_value() {
        for (one, other) in
            [("12.50", "12.5"), ("1e3", "1000"), ("0.001", "1E-3"), ("-0.0", "-0e5"), ("100e-2", "1"), ("0.10", "1e-1")]
        {
            assert_eq!(Decimal::of(one), Decimal::of(other), "{one} {other}");
        }
        for (one, other) in [("0", "-0"), ("1", "-1"), ("1", "1.0000000000000000001"), ("1e400", "1e401")] {
            assert_ne!(Decimal::of(one), Decimal::of(other), "{one} {other}");
        }
    }

    #[test]
    fn a_number_has_one_text() {
        for (text, canonical) in [
            ("12.50", "12.5"),
            ("1e3", "1000"),
            ("-0.00120", "-0.0012"),
            ("0.5", "0.5"),
            ("-0", "0"),
            ("1e-10", "1e-10"),
            ("12e9", "12e9"),
            ("123456789012", "123456789012e0"),
            ("0.000000001", "0.000000001"),
        ] {
            assert_eq!(Decimal::of(text).canonical(9), canonical, "{text}");
        }
    }

    #[test]
    fn digits_are_counted_by_value() {
        for (text, whole, scale, significant) in [
            ("0", 0, 0, 0),
            ("12.50", 2, 1, 3),
            ("0.465601865839674", 0, 15, 15),
            ("0.00125", 0, 5, 3),
            ("1200", 4, 0, 4),
            ("12e2", 4, 0, 4),
            ("1e-400", 0, 400, 1),
        ] {
            let decimal = Decimal::of(text);
            assert_eq!(
                (decimal.whole_digits(), decimal.scale(), decimal.significant()),
                (whole, scale, significant),
                "{text}"
            );
        }
        assert!(Decimal::of("1e99999999999999999999").whole_digits() > 1_000_000);
    }

    #[test]
    fn a_number_has_one_plain_text() {
        for (text, plain) in [
            ("1.0", "1"),
            ("1", "1"),
            ("-0.0", "0"),
            ("007.50", "7.5"),
            ("-.5", "-0.5"),
            ("100", "100"),
            ("1e2", "1e2"),
        ] {
            assert_eq!(plain_number(text), plain, "{text}");
        }
    }
}
