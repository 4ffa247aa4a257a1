//! What defaults that are clocks give: one time for all rows of a run.

use super::times;
use crate::mapping::schema_default::SchemaDefault;
use crate::table::Column;
use jiff::Timestamp;
use regex::Regex;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};
use std::borrow::Cow;
use std::sync::LazyLock;

/// What a column holds whose default is a clock that shows this time: in the form of the column, else as the default
/// itself writes it. `None` for another default.
pub(super) fn by_clock(conn: &Connection, column: &Column, now: Timestamp) -> rusqlite::Result<Option<Value>> {
    match SchemaDefault::of(column) {
        Some(SchemaDefault::Clock) => return Ok(Some(Value::Text(times::clock(now, column.kind)))),
        Some(SchemaDefault::Constant(_)) => return Ok(None),
        None => {}
    }
    let Some(sql) = column.default.as_deref().and_then(|default| at(default, now)) else { return Ok(None) };
    // One that cannot be asked for here is left to the database.
    let Ok(mut asked) = conn.prepare_cached(&format!("SELECT ({sql})")) else { return Ok(None) };
    asked.query_row([], |row| row.get(0)).optional()
}

/// The SQL of a default with this time in the place of what the clock shows ("Date And Time Functions", 2: `now`);
/// `None` where it asks no clock, or gives another value each time besides.
fn at(default: &str, now: Timestamp) -> Option<String> {
    // What is quoted like a name means a text here ("Double-quoted String Literals Are Accepted").
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| known(r#"'(?:[^']|'')*'|"(?:[^"]|"")*""#));
    static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
        known(r"(?i)\bcurrent_(timestamp|date|time)\b|\b(datetime|date|time|julianday|unixepoch)\s*\(\s*\)")
    });
    static CHANGES: LazyLock<Regex> =
        LazyLock::new(|| known(r"(?i)\b(random|randomblob|changes|total_changes|last_insert_rowid)\b"));
    static FUNCTION: LazyLock<Regex> =
        LazyLock::new(|| known(r"(?i)\b(datetime|date|time|julianday|unixepoch|strftime)\s*\("));
    let default = &*with_now(default);
    let plain = QUOTED.replace_all(default, "''");
    if CHANGES.is_match(&plain) {
        return None;
    }
    let asks_function = FUNCTION.is_match(&plain);
    let time = format!("'{}'", now.strftime("%Y-%m-%d %H:%M:%S%.3f"));
    let (mut sql, mut asks, mut end) = (String::new(), false, 0);
    let outside = |part: &str, asks: &mut bool| {
        CLOCK
            .replace_all(part, |found: &regex::Captures<'_>| {
                *asks = true;
                match (found.get(1), found.get(2)) {
                    (Some(word), _) if word.as_str().eq_ignore_ascii_case("timestamp") => format!("datetime({time})"),
                    (Some(function), _) | (_, Some(function)) => format!("{}({time})", function.as_str()),
                    _ => time.clone(),
                }
            })
            .into_owned()
    };
    for text in QUOTED.find_iter(default) {
        sql += &outside(&default[end..text.start()], &mut asks);
        let is_now = asks_function && text.as_str()[1..text.len() - 1].eq_ignore_ascii_case("now");
        asks |= is_now;
        sql += if is_now { &time } else { text.as_str() };
        end = text.end();
    }
    sql += &outside(&default[end..], &mut asks);
    asks.then_some(sql)
}

/// A default that names the time it asks for: where a function is asked for none, or for parts of a second alone, it is now
/// ("Date And Time Functions", 2).
fn with_now(default: &str) -> Cow<'_, str> {
    static FORMAT: LazyLock<Regex> = LazyLock::new(|| known(r"(?i)\b(strftime\s*\(\s*'(?:[^']|'')*')\s*\)"));
    static PARTS: LazyLock<Regex> =
        LazyLock::new(|| known(r"(?i)\b((?:datetime|date|time|julianday|unixepoch)\s*\(\s*)('subsec(?:ond)?'\s*[,)])"));
    match FORMAT.replace_all(default, "$1, 'now')") {
        Cow::Borrowed(_) => PARTS.replace_all(default, "$1'now', $2"),
        Cow::Owned(named) => PARTS.replace_all(&named, "$1'now', $2").into_owned().into(),
    }
}

fn known(expression: &str) -> Regex {
    Regex::new(expression).expect("a valid expression")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::ColumnType;

    /// What SQLite itself makes of each default at that time.
    #[test]
    fn a_default_gives_what_the_database_would_give_at_that_time() {
        let conn = Connection::open_in_memory().unwrap();
        let now: Timestamp = "2025-05-07T14:42:18.123456Z".parse().unwrap();
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        for (kind, default, expected) in [
            ("TEXT", "CURRENT_TIMESTAMP", text("2025-05-07 14:42:18")),
            ("TEXT", "datetime('now')", text("2025-05-07 14:42:18")),
            ("TEXT", "(strftime('%Y-%m-%dT%H:%M:%fZ', 'NOW'))", text("2025-05-07T14:42:18.123Z")),
            ("TEXT", "date ( )", text("2025-05-07")),
            ("TEXT", "'it''s ' || time(\"now\", '+1 hour')", text("it's 15:42:18")),
            ("INTEGER", "unixepoch()", Some(Value::Integer(1_746_628_938))),
            ("INTEGER", "(strftime('%s','now') * 1000)", Some(Value::Integer(1_746_628_938_000))),
            ("TEXT", "(strftime('%Y-%m-%dT%H:%M:%fZ'))", text("2025-05-07T14:42:18.123Z")),
            ("REAL", "unixepoch('subsec')", Some(Value::Real(1_746_628_938.123))),
            ("TEXT", "datetime('subsecond', '+1 hour')", text("2025-05-07 15:42:18.123")),
            ("REAL", "julianday('now')", Some(Value::Real(2_460_803.112_709_757))),
            ("TIME", "CURRENT_TIME", text("14:42:18")),
            ("DATETIME", "CURRENT_TIMESTAMP", text("2025-05-07 14:42:18.123456")),
            ("DATETIME", "strftime('%Y', 'now')", text("2025")),
            ("DATE", "CURRENT_DATE", text("2025-05-07")),
            ("TEXT", "\"date()\" || date('now')", text("date()2025-05-07")),
            ("TEXT", "strftime('it''s')", text("it's")),
            ("TEXT", "'strftime(''%Y'')'", None),
            ("TEXT", "'now'", None),
            ("TEXT", "\"now\"", None),
            ("TEXT", "\"current_timestamp\"", None),
            ("TEXT", "'CURRENT_TIMESTAMP'", None),
            ("TEXT", "datetime('2001-01-01')", None),
            ("TEXT", "hex(randomblob(4)) || date('now')", None),
            ("INTEGER", "random()", None),
            ("TEXT", "no_function('x', date('now'))", None),
        ] {
            let column = Column {
                name: "c".to_owned(),
                kind: super::super::types::column_type(kind),
                declared: kind.to_owned(),
                not_null: false,
                default: Some(default.to_owned()),
                primary_key: 0,
            };
            assert_eq!(by_clock(&conn, &column, now).unwrap(), expected, "{kind} {default}");
        }
        let column = Column {
            name: "c".to_owned(),
            kind: ColumnType::Time(None).written_as("%d.%m.%Y %H:%M").unwrap().unwrap(),
            declared: "DATETIME".to_owned(),
            not_null: false,
            default: Some("CURRENT_TIMESTAMP".to_owned()),
            primary_key: 0,
        };
        assert_eq!(by_clock(&conn, &column, now).unwrap(), text("07.05.2025 14:42"));
    }
}
