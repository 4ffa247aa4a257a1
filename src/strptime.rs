//! Forms of times as `strptime` has them: what may stand in one, and texts that are written exactly so.

use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;

/// Whether a format has an offset (`%z`, `%:z`).
///
/// # Errors
/// When it reads what would be a guess, or stands for another form.
pub(crate) fn has_offset(format: &str) -> Result<bool, String> {
    let mut zoned = false;
    for letter in specifiers(format) {
        match letter {
            'z' => zoned = true,
            'Z' | 'Q' => {
                return Err(format!(
                    "`{format}` reads the name of a zone (`%{letter}`); a form has an offset (`%z`, `%:z`), or `zone` \
                     says whose clocks are meant"
                ));
            }
            's' => {
                return Err(format!("`{format}` reads seconds since 1970 (`%s`), which is the form `epoch_s`"));
            }
            'y' | 'g' | 'D' => {
                return Err(format!(
                    "`{format}` reads a year of two digits (`%{letter}`), whose century would be a guess; \
                     put the century in front with `replace`, and read it with `%Y`"
                ));
            }
            _ => {}
        }
    }
    Ok(zoned)
}

/// Writes a time as a format says.
pub(crate) fn write(format: &str, time: DateTime, offset: Option<Offset>) -> Result<String, jiff::Error> {
    let mut parts = BrokenDownTime::from(time);
    parts.set_offset(offset);
    parts.to_string(format)
}

/// Whether the format would write the time so: the parser by itself also takes days of one digit, other white space
/// and the 60th second. A fraction of any length (`%f`, `%.f`) may end in zeros, which lose nothing.
pub(crate) fn is_written(format: &str, time: DateTime, offset: Option<Offset>, text: &str) -> bool {
    let writes = |format: &str| write(format, time, offset).is_ok_and(|again| again == text);
    let fraction = |digits: usize| format.replace("%f", &format!("%{digits}f")).replace("%.f", &format!("%.{digits}f"));
    writes(format) || (1..=9).map(fraction).any(|padded| padded != *format && writes(&padded))
}

/// The sentence for a format that cannot be used. The error speaks of the format and of the times
/// it was tried on, never of a value.
pub(crate) fn broken(format: &str, error: &jiff::Error) -> String {
    format!("invalid time format `{format}`: {error}")
}

/// The letters behind each `%` of a format, past flags, widths, dots and colons.
fn specifiers(format: &str) -> impl Iterator<Item = char> {
    let mut chars = format.chars();
    std::iter::from_fn(move || {
        chars.find(|c| *c == '%')?;
        chars.find(|c| !matches!(c, '-' | '_' | '^' | '#' | '.' | ':') && !c.is_ascii_digit())
    })
}
