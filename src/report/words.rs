//! Text helpers: grouped thousands, plurals, sizes, durations, line wrapping.

/// The number with its thousands grouped: `12,345`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Whether a count need not be said.
pub(crate) fn is_zero<N: Default + PartialEq>(count: &N) -> bool {
    *count == N::default()
}

/// A number with its noun: `1 row`, `1,234 rows`, `2 leaves`.
pub fn count(number: u64, thing: &str) -> String {
    match (number, thing) {
        (1, _) => format!("1 {thing}"),
        (_, "leaf") => format!("{} leaves", thousands(number)),
        (_, "guess") => format!("{} guesses", thousands(number)),
        _ => format!("{} {thing}s", thousands(number)),
    }
}

/// Values whose key is not registered; `of` says where they are, or is empty. Key ids are not secrets.
pub fn lost(values: u64, of: &str, key: &str) -> String {
    let is = if values == 1 { "is" } else { "are" };
    format!("{}{of} {is} sealed under key `{key}`, which is not registered", count(values, "value"))
}

/// A size: `900 bytes`, `1.5 kB`, `12.3 MB` (powers of 1,000).
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if number < 1_000 {
        return count(number, "byte");
    }
    // Tenths of the unit, rounded half up, in whole numbers: no size is shown through a float.
    let mut tenths = u128::from(number) * 10;
    let mut divisor = 1_u128;
    let mut unit = "";
    for name in UNITS {
        divisor *= 1_000;
        unit = name;
        if (tenths + divisor / 2) / divisor < 10_000 {
            break;
        }
    }
    tenths = (tenths + divisor / 2) / divisor;
    format!("{}.{} {unit}", thousands((tenths / 10) as u64), tenths % 10)
}

/// A duration: `850 ms`, `12.3 s`, `4 min 5 s`.
pub fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!("{} min {} s", thousands(milliseconds / 60_000), milliseconds % 60_000 / 1_000),
    }
}

/// Breaks a line at spaces so that it fits `width`; later lines are indented by `hang`.
/// A longer word, such as a path, is never broken, so that it can be copied.
pub fn wrap(line: &str, width: usize, hang: usize) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    let mut used = 0;
    for (at, word) in line.split(' ').enumerate() {
        let length = word.chars().count();
        if at > 0 {
            if used + 1 + length > width && used > hang {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', hang));
                used = hang;
            } else {
                out.push(' ');
                used += 1;
            }
        }
        out.push_str(word);
        used += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let shown: Vec<_> = [0, 7, 999, 1_000, 12_345, 1_234_567].into_iter().map(thousands).collect();
        assert_eq!(shown, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!(thousands(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn one_is_singular_and_none_is_plural() {
        assert_eq!([count(0, "row"), count(1, "row"), count(1_234, "row")], ["0 rows", "1 row", "1,234 rows"]);
        assert_eq!([count(1, "leaf"), count(2, "leaf")], ["1 leaf", "2 leaves"]);
    }

    #[test]
    fn sizes_are_rounded_to_a_tenth() {
        let shown: Vec<_> =
            [1, 999, 1_000, 1_549, 1_550, 999_949, 999_950, 12_345_678].into_iter().map(bytes).collect();
        assert_eq!(shown, ["1 byte", "999 bytes", "1.0 kB", "1.5 kB", "1.6 kB", "999.9 kB", "1.0 MB", "12.3 MB"]);
        assert_eq!(bytes(u64::MAX), "18,446,744.1 TB");
    }

    #[test]
    fn durations_are_shown_with_fitting_precision() {
        let shown: Vec<_> = [0, 999, 1_000, 59_999, 60_000, 3_725_000].into_iter().map(duration).collect();
        assert_eq!(shown, ["0 ms", "999 ms", "1.0 s", "59.9 s", "1 min 0 s", "62 min 5 s"]);
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_stay_whole() {
        assert_eq!(wrap("one two three", 7, 2), "one two\n  three");
        assert_eq!(wrap("a/very/long/path: short", 8, 2), "a/very/long/path:\n  short");
        assert_eq!(wrap("  indented line", 80, 2), "  indented line");
    }
}
