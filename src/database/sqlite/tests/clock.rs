//! Values that a clock of SQLite gives.

use crate::database::clock::{Clock, MASK};
use jiff::Timestamp;
use rusqlite::Connection;

#[test]
fn what_a_clock_gives_is_masked_and_other_values_are_not() {
    let conn = Connection::open_in_memory().unwrap();
    let clock = Clock::since(Timestamp::now());
    let masked = |sql: &str| {
        let cell = conn.query_row(&format!("SELECT {sql}"), [], |row| row.get_ref(0).map(super::super::read::cell));
        clock.masked(&cell.unwrap()).as_deref() == Some(MASK)
    };
    for now in [
        "CURRENT_TIMESTAMP",
        "CURRENT_TIME",
        "CURRENT_DATE",
        "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
        "unixepoch()",
        "unixepoch('subsec')",
        "julianday('now')",
    ] {
        assert!(masked(now), "{now}");
    }
    for other in [
        "datetime('now', '-1 day')",
        "date('now', '-2 days')",
        "'2025-05-07 15:09:12'",
        "7",
        "1.5",
        "'now'",
        "NULL",
        "''",
    ] {
        assert!(!masked(other), "{other}");
    }
}
