//! What a string looks like: ids, dates, addresses. By form alone.

use crate::row::keeps_number;
use crate::step::{Datum, Literal, Step};
use crate::written::keeps_time;
use std::sync::LazyLock;

/// Ways to write a day with its year last, or with slashes.
pub const DAY_FORMS: [&str; 4] = ["%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d"];

/// The steps that read times: with a zone, without one, a day, and a day in each of the forms.
static TIMES: LazyLock<Vec<Step>> = LazyLock::new(|| {
    let forms = ["rfc3339", "iso", "%Y-%m-%d"].into_iter().chain(DAY_FORMS);
    forms.filter_map(|form| Step::parse("time", Some(&Literal::Text(form.to_owned()))).ok()).collect()
});

/// Whether the engine reads a text so, and keeps the time.
fn is_time(step: usize, text: &str) -> bool {
    match TIMES[step].apply(Datum::Text(text.to_owned())) {
        Ok(Some(Datum::Instant(time, _))) => keeps_time(time.utc()),
        Ok(Some(Datum::Civil(time))) => keeps_time(time),
        Ok(Some(Datum::Day(day))) => day.year() >= 1,
        _ => false,
    }
}

/// In which of [`DAY_FORMS`] a text is a day.
pub fn day_forms(text: &str) -> [bool; 4] {
    let is_one = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'/' | b'.'));
    std::array::from_fn(|form| is_one && is_time(3 + form, text))
}

/// What a string looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Look {
    /// A date and time with a zone or offset, as RFC 3339 writes it.
    Instant,
    /// A date and time without a zone.
    Civil,
    /// `2024-01-31`.
    Date,
    /// `01/31/2024` or `1/31/2024`.
    SlashDate,
    /// A UUID.
    Uuid,
    /// 32 hexadecimal digits, as MD5 gives them.
    Hex32,
    /// 40 or 64 hexadecimal digits, as SHA gives them.
    LongHex,
    /// An e-mail address.
    Address,
    /// A URL.
    Url,
    /// Decimal digits.
    Digits,
    /// A number with a point, of at most 15 digits and without zeros in front.
    Decimal,
    /// `true` or `false` in quotes.
    Boolean,
}

impl Look {
    /// What a string looks like, if like anything.
    pub fn of(text: &str) -> Option<Self> {
        if text.len() > 300 || text.is_empty() || !text.is_ascii() {
            return None;
        }
        let all = |accepts: fn(&u8) -> bool| text.bytes().all(|byte| accepts(&byte));
        let begins_with_year = text.len() >= 10 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit);
        Some(match text.len() {
            4..=5 if text == "true" || text == "false" => Look::Boolean,
            _ if all(u8::is_ascii_digit) => Look::Digits,
            36 if uuid::Uuid::try_parse(text).is_ok() => Look::Uuid,
            32 if all(u8::is_ascii_hexdigit) => Look::Hex32,
            40 | 64 if all(u8::is_ascii_hexdigit) => Look::LongHex,
            10 if begins_with_year && is_time(2, text) => Look::Date,
            16.. if begins_with_year && is_time(0, text) => Look::Instant,
            16.. if begins_with_year && is_time(1, text) => Look::Civil,
            8..=10 if is_slash_date(text) => Look::SlashDate,
            3..=17 if is_decimal(text) => Look::Decimal,
            _ if text.starts_with("http://") || text.starts_with("https://") => Look::Url,
            _ if is_address(text) => Look::Address,
            _ => return None,
        })
    }

    /// It in words.
    pub fn words(self) -> &'static str {
        match self {
            Look::Instant => "date and time with zone",
            Look::Civil => "date and time without zone",
            Look::Date => "date",
            Look::SlashDate => "date with slashes",
            Look::Uuid => "UUID",
            Look::Hex32 => "32 hex digits",
            Look::LongHex => "hex digest",
            Look::Address => "e-mail address",
            Look::Url => "URL",
            Look::Digits => "digits",
            Look::Decimal => "decimal number",
            Look::Boolean => "true or false in quotes",
        }
    }

    /// Whether a member of this name is data rather than a word of the format.
    pub fn is_data(self) -> bool {
        !matches!(self, Look::Boolean | Look::Url | Look::Decimal)
    }
}

fn is_slash_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(digits) && parts[0].len() <= 2 && parts[1].len() <= 2 && parts[2].len() == 4
}

fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('-').unwrap_or(text).split_once('.').is_some_and(|(whole, fraction)| {
        digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0')) && keeps_number(text)
    })
}

fn is_address(text: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@');
    text.split_once('@')
        .is_some_and(|(name, host)| plain(name) && plain(host) && host.contains('.') && !host.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_by_their_form() {
        for (text, look) in [
            ("2024-01-31T10:00:00Z", Some(Look::Instant)),
            ("2024-01-31T10:00:00+02:00", Some(Look::Instant)),
            ("2024-01-31 10:00:00", Some(Look::Civil)),
            ("2024-01-31", Some(Look::Date)),
            ("1/31/2024", Some(Look::SlashDate)),
            ("9f2b6f5e-4c53-5c0e-9f0e-0d9b1a7c2e11", Some(Look::Uuid)),
            ("9e107d9d372bb6826bd81d3542a419d6", Some(Look::Hex32)),
            ("ada@example.com", Some(Look::Address)),
            ("https://example.com/a", Some(Look::Url)),
            ("0042", Some(Look::Digits)),
            ("true", Some(Look::Boolean)),
            ("a@b", None),
            ("2024-13-31", None),
            ("Ada", None),
            ("", None),
            ("٤٢", None),
        ] {
            assert_eq!(Look::of(text), look, "{text}");
        }
    }
}
