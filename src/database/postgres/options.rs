//! What the `options` of an address say ("options", PostgreSQL 18, 32.1.2).

use crate::error::{Error, Result};
use std::time::Duration;

/// The settings that an address names. treelift makes them itself in every transaction, so that a pooler which takes none
/// may stand between.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    /// How long locks are waited for; zero is without end.
    pub(super) lock_timeout: Option<Duration>,
    /// The other settings, in order: name and value.
    pub(super) settings: Vec<(String, String)>,
    /// What is no setting, which the server hears when a connection is made.
    pub(super) others: Option<String>,
}

impl Options {
    pub(super) fn of(text: &str) -> Result<Self> {
        let (mut options, mut others) = (Self::default(), Vec::new());
        let mut words = words_of(text).into_iter();
        while let Some(word) = words.next() {
            let (before, setting) = match word {
                "-c" => (Some(word), words.next().unwrap_or_default()),
                word => (None, word),
            };
            let bare = setting.strip_prefix("--").or_else(|| setting.strip_prefix("-c")).or(before.and(Some(setting)));
            let Some((name, value)) = bare.and_then(|bare| bare.split_once('=')) else {
                others.extend(before.into_iter().chain([setting]));
                continue;
            };
            let (name, value) = (plain(name).replace('-', "_"), plain(value));
            if name.eq_ignore_ascii_case("lock_timeout") {
                options.lock_timeout = Some(duration(&value)?);
            } else {
                options.settings.push((name, value));
            }
        }
        options.others = (!others.is_empty()).then(|| others.join(" "));
        Ok(options)
    }

    /// Statements that make the settings until the transaction ends.
    pub(super) fn sql(&self) -> String {
        // Such a literal means the same whatever `standard_conforming_strings` says.
        let literal = |text: &str| format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
        let set = |(name, value): &(String, String)| {
            format!("SELECT pg_catalog.set_config({}, {}, true); ", literal(name), literal(value))
        };
        self.settings.iter().map(set).collect()
    }

    /// All but how long locks are waited for, as programs of PostgreSQL take it.
    pub(super) fn for_programs(&self) -> Option<String> {
        let escaped = |text: &str| {
            let is_special = |letter: char| letter == '\\' || letter.is_ascii_whitespace();
            text.chars().fold(String::new(), |mut all, letter| {
                all.extend(is_special(letter).then_some('\\'));
                all.push(letter);
                all
            })
        };
        let settings = self.settings.iter().map(|(name, value)| format!("-c {name}={}", escaped(value)));
        let all: Vec<String> = self.others.iter().cloned().chain(settings).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }
}

/// The schema for treelift's own tables that an address may name.
pub(super) fn own_schema(name: String) -> Result<String> {
    // Longer names are cut by the server, which keeps those that begin with `pg_` for itself.
    const LONGEST: usize = 63;
    if name.is_empty() || name.len() > LONGEST || name.starts_with("pg_") {
        return Err(Error::request("`ledger_schema` in the PostgreSQL URL is no name for a schema")
            .hint("name a schema for treelift's own tables: `?ledger_schema=treelift`"));
    }
    Ok(name)
}

/// A part of a word without each `\`, which keeps the letter behind it.
fn plain(text: &str) -> String {
    let mut is_kept = false;
    let stays = |letter: &char| {
        is_kept = !is_kept && *letter == '\\';
        !is_kept
    };
    text.chars().filter(stays).collect()
}

/// The parts between blanks; one behind a `\` separates nothing.
fn words_of(options: &str) -> Vec<&str> {
    let (mut is_literal, mut words) = (false, Vec::new());
    let separates = |letter: char| {
        let is_blank = !is_literal && letter.is_ascii_whitespace();
        is_literal = !is_literal && letter == '\\';
        is_blank
    };
    words.extend(options.split(separates).filter(|word| !word.is_empty()));
    words
}

/// A time as the server's settings have it ("Setting Parameters", 20.1.1): a number, also with a fraction, of milliseconds
/// unless it names a unit.
fn duration(text: &str) -> Result<Duration> {
    let wrong = || {
        Error::request("`lock_timeout` in the `options` of the PostgreSQL URL is no time")
            .hint("write it as the server does: `options=-c%20lock_timeout%3D30s`")
    };
    const UNITS: [(&str, f64); 7] =
        [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3_600.0), ("d", 86_400.0), ("", 1e-3)];
    let text = text.trim_matches('\'').trim();
    let mut units = UNITS.iter().filter_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, unit) = units.next().ok_or_else(wrong)?;
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let exact = Duration::try_from_secs_f64(number * unit).map_err(|_| wrong())?;
    // The server counts in milliseconds; less than one is not without end.
    let millis = if number == 0.0 { 0 } else { (exact.as_micros() + 500) / 1_000 };
    let least = u128::from(number > 0.0);
    u64::try_from(millis.max(least)).map(Duration::from_millis).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_of_the_options_and_the_rest_is_the_servers() {
        let of = |text: &str| {
            let options = Options::of(text).unwrap();
            let settings: Vec<String> =
                options.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let timeout = options.lock_timeout.map(|time| time.as_millis());
            (timeout, settings.join("; "), options.for_programs().unwrap_or_default())
        };
        let told = |timeout, settings: &str, programs: &str| (timeout, settings.to_owned(), programs.to_owned());
        assert_eq!(of(""), told(None, "", ""));
        assert_eq!(
            of("-clock_timeout=1500 -c search_path=app"),
            told(Some(1_500), "search_path=app", "-c search_path=app")
        );
        assert_eq!(
            of("--lock-timeout=2min --search-path=app -B 100"),
            told(Some(120_000), "search_path=app", "-B 100 -c search_path=app")
        );
        let times = [("30s", 30_000), ("0", 0), ("1.5s", 1_500), (".5min", 30_000), ("1e3", 1_000), ("1h", 3_600_000)];
        // Less than the server counts by is not without end.
        for (text, millis) in times.into_iter().chain([("20us", 1), (r"1.5\ s", 1_500)]) {
            assert_eq!(of(&format!("-c lock_timeout={text}")), told(Some(millis), "", ""), "{text}");
        }
        assert_eq!(
            of(r#"-c search_path="b\ \\c'",\public"#),
            told(None, r#"search_path="b \c'",public"#, r#"-c search_path="b\ \\c'",public"#)
        );
        for wrong in ["soon", r"5\ weeks", "-1", "", "s", "nan", "infs", "1.5.s", "1e400"] {
            assert_eq!(Options::of(&format!("-c lock_timeout={wrong}")).unwrap_err().status(), 2, "{wrong}");
        }
    }

    #[test]
    fn a_schema_for_own_tables_has_a_name_that_the_server_keeps_as_it_is() {
        assert_eq!(own_schema("My ledger".to_owned()).unwrap(), "My ledger");
        for wrong in [String::new(), "pg_temp".to_owned(), "x".repeat(64)] {
            assert_eq!(own_schema(wrong).unwrap_err().status(), 2);
        }
    }

    #[test]
    fn a_setting_cannot_leave_its_literal() {
        let options = Options::of(r"-c a='\\';\ DROP").unwrap();
        assert_eq!(options.sql(), r"SELECT pg_catalog.set_config(E'a', E'''\\''; DROP', true); ");
    }
}
