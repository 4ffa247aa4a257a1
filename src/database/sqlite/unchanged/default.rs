//! Whether a column holds what the database gave it.

use super::super::{sql, times};
use crate::database::ledger::RunRecord;
use crate::mapping::schema_default::SchemaDefault;
use crate::table::{Column, ColumnType};
use jiff::Timestamp;
use rusqlite::Connection;

/// An SQL expression for whether a column of the table `t` that a run did not write holds what the database gave it;
/// none for a default that gives another value each time, whose value cannot be checked.
pub(super) fn is_default(conn: &Connection, column: &Column, run: &RunRecord) -> Option<String> {
    let name = format!("t.{}", sql::name(&column.name));
    let Some(default) = &column.default else { return Some(format!("{name} IS NULL")) };
    // What is quoted like a name means a text here ("Double-quoted String Literals Are Accepted").
    let default = match default.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(text) => format!("'{}'", text.replace("\"\"", "\"").replace('\'', "''")),
        None => default.clone(),
    };
    let between = |form: &str| {
        let text = |time: Timestamp| time.strftime(form).to_string();
        format!("{name} BETWEEN '{}' AND '{}'", text(run.started), text(run.finished))
    };
    let plain: String = default.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    let plain = std::iter::successors(Some(plain.as_str()), |text| text.strip_prefix('(')?.strip_suffix(')')).last();
    // An import gives the moment at which it started, other programs and earlier versions let SQLite give one.
    let moment = || {
        let (started, given) = (times::clock_text(run.started), times::clock(run.started, column.kind));
        let given = given.replace('\'', "''");
        format!("({} OR {name} IN ('{started}', '{started}+00:00', '{given}'))", between("%Y-%m-%d %H:%M:%S"))
    };
    let given = |form: &str| {
        let given = times::clock(run.started, column.kind).replace('\'', "''");
        format!("({} OR {name} = '{given}')", between(form))
    };
    let is_clock = SchemaDefault::of(column) == Some(SchemaDefault::Clock);
    Some(match plain.unwrap_or_default() {
        _ if is_clock && matches!(column.kind, ColumnType::Date(_)) => given("%Y-%m-%d"),
        _ if is_clock && matches!(column.kind, ColumnType::Clock(_)) => given("%H:%M:%S"),
        _ if is_clock => moment(),
        // SQLite gives a column of any type the text of one.
        "current_timestamp" | "datetime('now')" | "datetime()" => moment(),
        "current_date" | "date('now')" | "date()" => between("%Y-%m-%d"),
        plain if changes(plain) => return None,
        // One that cannot be asked for here is taken for changed, so that nothing is lost by it.
        _ if conn.prepare(&format!("SELECT ({default})")).is_err() => "0".to_owned(),
        // `IS TRUE` would ask for something else; behind a `+` it is a value.
        _ => format!("{name} IS (+({default})) COLLATE BINARY"),
    })
}

/// Whether an expression (small letters, no blanks) gives another value each time. What stands in
/// quotes is a text, but for the `now` that functions of time take.
fn changes(plain: &str) -> bool {
    let outside: String = plain.split('\'').step_by(2).collect();
    let words = ["current_", "random", "time(", "date(", "unixepoch(", "julianday(", "changes(", "last_insert_rowid("];
    words.iter().any(|word| outside.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::undo::tests::run;

    #[test]
    fn a_clock_that_only_the_import_can_read_is_recognised() {
        let conn = Connection::open_in_memory().unwrap();
        let now = Timestamp::now();
        let about = RunRecord { started: now, finished: now, ..run("r", "import", None) };
        let (moment, day) = (times::clock_text(now), now.strftime("%Y-%m-%d").to_string());
        for (kind, default, written) in [
            (ColumnType::Time(None), "now()", &moment),
            (ColumnType::Time(None), "datetime(\"now\")", &moment),
            (ColumnType::Zoned(None), "(now())", &moment),
            (ColumnType::Date(None), "date(\"now\")", &day),
        ] {
            let default = Some(default.to_owned());
            let (name, declared) = ("c".to_owned(), String::new());
            let column = Column { name, kind, declared, not_null: false, default, primary_key: 0 };
            let holds = |text: &str| -> bool {
                let test = is_default(&conn, &column, &about).unwrap();
                conn.query_row(&format!("SELECT {test} FROM (SELECT '{text}' AS c) t"), [], |row| row.get(0)).unwrap()
            };
            assert!(holds(written), "{column:?}");
            assert!(!holds("2001-01-01 00:00:00"), "{column:?}");
        }
    }

    #[test]
    fn a_column_that_holds_its_default_is_recognised() {
        let conn = Connection::open_in_memory().unwrap();
        let defaults = [
            "NULL",
            "'unknown'",
            "'date(time('",
            "TRUE",
            "FALSE",
            "5",
            "-1.5",
            "'new'",
            "'it''s'",
            "\"new\"",
            "x'00'",
            "(1 = 2)",
            "(json('[]'))",
            "(lower('X'))",
            "(( 'q' ))",
            "CURRENT_TIMESTAMP",
            "(datetime('now'))",
            "CURRENT_DATE",
        ];
        let kinds = ["TEXT COLLATE NOCASE", "INTEGER", "BOOLEAN", "", "DATETIME"];
        for (default, kind) in defaults.iter().flat_map(|default| kinds.map(|kind| (*default, kind))) {
            let table =
                format!("DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, c {kind} DEFAULT {default})");
            conn.execute_batch(&format!("{table}; INSERT INTO t (id) VALUES (1)")).unwrap();
            let told: String = conn
                .query_row("SELECT dflt_value FROM pragma_table_info('t') WHERE name = 'c'", [], |row| row.get(0))
                .unwrap();
            let column = Column {
                name: "c".to_owned(),
                kind: crate::table::ColumnType::Blob,
                declared: String::new(),
                not_null: false,
                default: Some(told),
                primary_key: 0,
            };
            let now = Timestamp::now();
            let about =
                RunRecord { started: now - jiff::Span::new().minutes(1), finished: now, ..run("r", "import", None) };
            let holds = || -> bool {
                let text = format!("SELECT coalesce({}, 0) FROM t", is_default(&conn, &column, &about).unwrap());
                conn.query_row(&text, [], |row| row.get(0)).unwrap()
            };
            assert!(holds(), "{kind} {default}");
            for other in ["'NEW'", "7", "'2001-01-01 00:00:00'"] {
                conn.execute_batch(&format!("UPDATE t SET c = {other}")).unwrap();
                assert!(!holds(), "{kind} {default}: {other}");
            }
        }
    }
}
