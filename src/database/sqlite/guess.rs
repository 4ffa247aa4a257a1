//! Values for an invented row that the `CHECK` conditions of its table accept, tried from the
//! conditions themselves.

use super::{checks, sql};
use crate::table::{Column, Table};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// How many combinations are tried for one condition.
const MOST: usize = 2_000;
/// The longest text that is made to fit a condition on its length.
const LONGEST: usize = 1_000;

/// Replaces values that a condition refuses, where others are found that it accepts. `free` columns may
/// change; the others are references.
pub(super) fn satisfy(conn: &Connection, table: &Table, free: &[&Column], values: &mut [(String, Value)]) {
    for check in &table.checks {
        let tokens = checks::tokens(check);
        let spoken: Vec<usize> = (0..values.len())
            .filter(|&at| {
                let (name, _) = &values[at];
                free.iter().any(|column| column.name == *name) && tokens.contains(&name.to_lowercase())
            })
            .collect();
        let candidates: Vec<Vec<Value>> = spoken
            .iter()
            .map(|&at| {
                let (name, value) = &values[at];
                let nullable = table.column(name).is_some_and(|column| !table.must_have_value(column));
                let mut all = vec![value.clone()];
                all.extend(tokens.iter().flat_map(|token| from_token(token)));
                all.extend(nullable.then_some(Value::Null));
                all
            })
            .collect();
        let mut tried = values.to_vec();
        for number in 0..candidates.iter().map(Vec::len).product::<usize>().min(MOST) {
            let mut rest = number;
            for (&at, all) in spoken.iter().zip(&candidates) {
                tried[at].1 = all[rest % all.len()].clone();
                rest /= all.len();
            }
            if accepts(conn, check, &tried) {
                values.clone_from_slice(&tried);
                break;
            }
        }
    }
}

/// Whether a condition holds for these values, or is unknown, as of a NULL. One that cannot be asked for
/// here is left to the database.
fn accepts(conn: &Connection, check: &str, values: &[(String, Value)]) -> bool {
    let columns: Vec<String> =
        values.iter().enumerate().map(|(at, (name, _))| format!("?{} AS {}", at + 1, sql::name(name))).collect();
    let text = format!("SELECT coalesce(({check}), 1) FROM (SELECT {})", columns.join(", "));
    let Ok(mut statement) = conn.prepare(&text) else { return true };
    statement.query_row(params_from_iter(values.iter().map(|(_, value)| value)), |row| row.get(0)).unwrap_or(false)
}

/// What a token suggests: a text, also without the wildcards of a pattern; a number with its
/// neighbours, and a text of that length.
fn from_token(token: &str) -> Vec<Value> {
    if let Some(text) = token.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        let text = text.replace("''", "'");
        let plain: String =
            text.chars().filter(|c| !matches!(c, '%' | '*')).map(|c| if c == '_' { 'a' } else { c }).collect();
        return [text, plain].map(Value::Text).to_vec();
    }
    let Ok(number) = token.parse::<i64>() else { return Vec::new() };
    let mut all: Vec<Value> = [Some(number), number.checked_add(1), number.checked_sub(1)]
        .into_iter()
        .flatten()
        .map(Value::Integer)
        .collect();
    all.extend(
        usize::try_from(number).ok().filter(|length| *length <= LONGEST).map(|length| Value::Text("a".repeat(length))),
    );
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_that_the_conditions_accept() {
        let conn = Connection::open_in_memory().unwrap();
        let accepted = [
            "a TEXT NOT NULL CHECK (a IN ('open', 'it''s done'))",
            "a INTEGER NOT NULL CHECK (a IN (10, 20))",
            "a INTEGER NOT NULL CHECK (a > 5 AND a < 8)",
            "a TEXT NOT NULL CHECK (length(a) = 3)",
            "a TEXT NOT NULL CHECK (a LIKE 'W-%')",
            "a TEXT CHECK (a = random())",
            "a TEXT NOT NULL, b TEXT NOT NULL, CHECK ((a = 'x' AND b = 'y') OR (a = 'z' AND b = 'w'))",
        ];
        for columns in accepted {
            let sql = format!("CREATE TABLE t ({columns})");
            conn.execute_batch(&format!("DROP TABLE IF EXISTS t; {sql}")).unwrap();
            let tables = super::super::catalog::tables(&conn, ["t"].into_iter()).unwrap();
            super::super::fill::one_row(&conn, &tables["t"]).unwrap_or_else(|error| panic!("{columns}: {error}"));
        }
    }
}
