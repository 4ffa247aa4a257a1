//! The form of times that ISO 8601 and RFC 3339 share, read digit by digit: the parsers at hand also
//! take shorter forms, and clamp what they cannot hold.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// The start of a text, read as `YYYY-MM-DDTHH:MM[:SS[.FRACTION]]`.
pub(super) struct Iso<'t> {
    /// The time, or why there is none like that.
    pub(super) time: Result<DateTime, String>,
    /// Whether seconds were written.
    pub(super) seconds: bool,
    /// How many digits the fraction has, without zeros at its end.
    pub(super) fraction: usize,
    /// What follows.
    pub(super) rest: &'t str,
}

impl<'t> Iso<'t> {
    /// `None` when the text does not begin so.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let mut rest = text;
        let year = digits(&mut rest, 4)?;
        literal(&mut rest, b"-")?;
        let month = digits(&mut rest, 2)?;
        literal(&mut rest, b"-")?;
        let day = digits(&mut rest, 2)?;
        literal(&mut rest, b"Tt ")?;
        let hour = digits(&mut rest, 2)?;
        literal(&mut rest, b":")?;
        let minute = digits(&mut rest, 2)?;
        let mut second = 0;
        let seconds = literal(&mut rest, b":").is_some();
        if seconds {
            second = digits(&mut rest, 2)?;
        }
        let mut fraction = 0;
        let mut nanoseconds = 0;
        if seconds && literal(&mut rest, b".").is_some() {
            let (digits, behind) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
            rest = behind;
            let first = digits.get(..1)?;
            // Zeros at the end lose nothing. More digits than a time keeps are an error of the caller's.
            let digits = digits.trim_end_matches('0');
            fraction = digits.len();
            let kept = if digits.is_empty() { first } else { &digits[..fraction.min(9)] };
            nanoseconds = kept.parse::<i32>().ok()? * 10_i32.pow(u32::try_from(9 - kept.len()).ok()?);
        }
        let time = match second {
            60 => Err("expected a second from 00 to 59, a leap second cannot be kept".to_owned()),
            _ => civil(year, [month, day, hour, minute, second], nanoseconds)
                .ok_or_else(|| "expected a date and time that exist".to_owned()),
        };
        Some(Self { time, seconds, fraction, rest })
    }
}

/// Reads `+HH:MM` or `-HH:MM`.
pub(super) fn read_offset(text: &str) -> Option<Offset> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut rest = &text[1..];
    let hours = digits(&mut rest, 2)?;
    literal(&mut rest, b":")?;
    let minutes = digits(&mut rest, 2)?;
    (rest.is_empty() && hours < 24 && minutes < 60)
        .then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())
        .flatten()
}

fn civil(year: i32, rest: [i32; 5], nanoseconds: i32) -> Option<DateTime> {
    let [month, day, hour, minute, second] = rest.map(|part| i8::try_from(part).ok());
    let date = Date::new(i16::try_from(year).ok()?, month?, day?).ok()?;
    let time = Time::new(hour?, minute?, second?, nanoseconds).ok()?;
    Some(date.to_datetime(time))
}

/// Takes exactly so many ASCII digits off the start.
fn digits(rest: &mut &str, count: usize) -> Option<i32> {
    let (taken, after) = rest.split_at_checked(count)?;
    if !taken.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *rest = after;
    taken.parse().ok()
}

/// Takes one of these ASCII characters off the start.
fn literal(rest: &mut &str, any_of: &[u8]) -> Option<()> {
    let first = rest.as_bytes().first()?;
    if !any_of.contains(first) {
        return None;
    }
    *rest = &rest[1..];
    Some(())
}
