//! The column for a scalar: its type, its steps, and the reason where it is a guess.
//!
//! Only what is true of every value is chosen, so that the column takes all of them.

use super::names::snake;
use super::table::{Expr, Step};
use crate::inspect::facts::Facts;
use crate::inspect::look::{DAY_FORMS, Look};
use crate::inspect::profile::Stats;
use std::ops::RangeInclusive;

/// What was chosen.
pub(super) struct Choice {
    pub(super) sql: String,
    pub(super) expr: Expr,
    pub(super) guess: Option<String>,
}

/// Words in names of times.
const OF_TIMES: [&str; 26] = [
    "at",
    "on",
    "ts",
    "time",
    "date",
    "day",
    "when",
    "stamp",
    "timestamp",
    "created",
    "updated",
    "modified",
    "changed",
    "added",
    "joined",
    "saved",
    "seen",
    "sent",
    "started",
    "ended",
    "expires",
    "expiry",
    "mtime",
    "ctime",
    "birthday",
    "unixtime",
];
/// Words in names of amounts.
const OF_AMOUNTS: [&str; 9] = ["amount", "price", "total", "sum", "cost", "balance", "fee", "tax", "value"];
/// From 1990 to 2100, in seconds since 1970.
const EPOCH: RangeInclusive<i64> = 631_152_000..=4_102_444_800;
/// The units of such numbers: how many of them are a second, how many digits a fraction of them may have, the form of
/// time, and its name.
const UNITS: [(i64, u64, &str, &str); 3] =
    [(1, 6, "epoch_s", "seconds"), (1_000, 3, "epoch_ms", "milliseconds"), (1_000_000, 0, "epoch_us", "microseconds")];

/// The form of days that a column of days reads by itself.
pub(super) const DAY: &str = "%Y-%m-%d";

/// The column for a scalar at this path.
pub(super) fn scalar(member: &str, path: &str, stats: &Stats) -> Choice {
    let facts = &stats.facts;
    let plain = || Expr::Path(path.to_owned());
    let choice = |sql: &str, expr: Expr, guess: Option<&str>| Choice {
        sql: sql.to_owned(),
        expr,
        guess: guess.map(str::to_owned),
    };
    match (facts.strings, facts.numbers(), stats.booleans) {
        (0, 0, 0) => choice("TEXT", plain(), Some("it is always null here")),
        // Databases keep no U+0000 in text; JSON writes it as an escape.
        (_, 0, 0) if facts.nuls > 0 => {
            let expr = Expr::AnyJson { from: path.to_owned(), without: Vec::new() };
            choice("JSON", expr, Some("a text has U+0000 in it, which no text column keeps"))
        }
        (_, 0, 0) => text(member, path, facts),
        (texts, numbers, 0)
            if numbers > 0
                && (texts == 0 || facts.all_look(Look::Instant) && facts.empty == 0)
                && epoch(member, facts, facts.range).is_some() =>
        {
            let (form, unit) = epoch(member, facts, facts.range).unwrap_or_default();
            let forms = if texts == 0 { vec![form] } else { vec![form, "rfc3339"] };
            let or = if texts == 0 { "" } else { ", or times with a zone" };
            time(path, forms, false, format!("by its name and size it is {unit} since 1970{or}"))
        }
        (0, _, 0) if facts.fractions == 0 => choice("INTEGER", plain(), None),
        (0, _, 0) if facts.numeric => {
            choice("NUMERIC", plain(), Some("REAL if a double is near enough, as for measurements"))
        }
        (0, _, 0) if facts.real => choice("REAL", plain(), Some("a double keeps all of them")),
        // Exact, whatever the digits; a double would refuse what it cannot keep.
        (0, _, 0) => {
            choice("TEXT", steps(path, vec![Step::Text], false), Some("REAL if the last digits do not matter"))
        }
        (0, 0, _) => choice("BOOLEAN", plain(), None),
        _ => {
            let expr = Expr::AnyJson { from: path.to_owned(), without: Vec::new() };
            choice("JSON", expr, Some("it has several types"))
        }
    }
}

fn steps(path: &str, steps: Vec<Step>, empty_is_null: bool) -> Expr {
    Expr::Steps { from: path.to_owned(), steps, empty_is_null }
}

fn time(path: &str, forms: Vec<&'static str>, empty_is_null: bool, why: String) -> Choice {
    Choice { sql: "DATETIME".to_owned(), expr: steps(path, vec![Step::Time(forms)], empty_is_null), guess: Some(why) }
}

fn text(member: &str, path: &str, facts: &Facts) -> Choice {
    let empty = facts.empty > 0;
    let but = if empty { "; an empty one is none" } else { "" };
    let filled = facts.strings - facts.empty;
    if facts.all_look(Look::Instant) {
        return time(path, vec!["rfc3339"], empty, format!("all of them are times with a zone{but}"));
    }
    if facts.all_look(Look::Civil) {
        return time(path, vec!["iso"], empty, format!("all of them are times without a zone{but}"));
    }
    if facts.all_look(Look::Date) {
        return Choice { sql: "DATE".to_owned(), ..time(path, vec![DAY], empty, format!("all of them are days{but}")) };
    }
    if let Some(form) = facts.days.iter().position(|days| filled > 0 && *days == filled) {
        let form = DAY_FORMS[form];
        let why = format!("all of them are days written as {form}{but}");
        return Choice { sql: "DATE".to_owned(), ..time(path, vec![form], empty, why) };
    }
    if facts.all_look(Look::Digits)
        && let Some((form, unit)) = epoch(member, facts, facts.digits)
    {
        return time(path, vec![form], empty, format!("by its name and size it is {unit} since 1970, as text{but}"));
    }
    let several = super::names::is_plural(member) && facts.commas > 0 && 2 * facts.commas >= filled;
    if several && facts.padded == 0 {
        return Choice {
            sql: "JSON".to_owned(),
            expr: steps(path, vec![Step::Commas, Step::Trim], empty),
            guess: Some(format!("{} of {filled} are words with commas between them{but}", facts.commas)),
        };
    }
    let amount = snake(member).split('_').any(|word| OF_AMOUNTS.contains(&word));
    if amount && filled > 0 && facts.look(Look::Decimal) == filled {
        return Choice {
            sql: "NUMERIC".to_owned(),
            expr: steps(path, vec![Step::Number], empty),
            guess: Some(format!("all of them are numbers with a point, written as text{but}")),
        };
    }
    Choice { sql: "TEXT".to_owned(), expr: Expr::Path(path.to_owned()), guess: None }
}

/// The form and unit in which numbers may be times.
fn epoch(member: &str, facts: &Facts, range: Option<(i64, i64)>) -> Option<(&'static str, &'static str)> {
    let (least, most) = range?;
    let named = snake(member).split('_').any(|word| OF_TIMES.contains(&word));
    let fits = |(unit, digits, _, _): &&(i64, u64, &str, &str)| {
        EPOCH.contains(&(least / unit)) && EPOCH.contains(&(most / unit)) && facts.scale <= *digits && facts.numeric
    };
    UNITS.iter().find(fits).filter(|_| named).map(|(_, _, form, name)| (*form, *name))
}
