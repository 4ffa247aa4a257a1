//! Rows in an order: as cells, and as a script that adds them elsewhere.

use super::location::Tried;
use super::{connect, read, sql};
use crate::database::{Cell, Ordered};
use crate::error::Result;
use crate::hex;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::fmt::Write as _;

/// Shows the cells of every row.
pub(super) fn each(conn: &Connection, rows: &Ordered<'_>, visit: &mut dyn FnMut(&[Cell]) -> Result<()>) -> Tried<()> {
    let width = rows.table.columns.len();
    walk(conn, rows, &mut |row| Ok(visit(&read::cells(row, 0..width)?)?))
}

/// References wait for the end of its transaction, so that rows may refer to later ones.
pub(super) fn script(
    conn: &Connection,
    tables: &[Ordered<'_>],
    write: &mut dyn FnMut(&str) -> Result<()>,
) -> Tried<Vec<u64>> {
    write("BEGIN;\nPRAGMA defer_foreign_keys = ON;\n")?;
    let mut counts = Vec::with_capacity(tables.len());
    for rows in tables {
        let (columns, mut count) = (rows.columns(), 0);
        let begin = format!("INSERT INTO {} ({}) VALUES (", sql::name(&rows.table.name), sql::names(&columns));
        let mut statement = String::new();
        walk(conn, rows, &mut |row| {
            statement.clear();
            statement.push_str(&begin);
            for at in 0..columns.len() {
                statement.push_str(if at > 0 { ", " } else { "" });
                put_literal(row.get_ref(at)?, &mut statement);
            }
            statement.push_str(");\n");
            count += 1;
            Ok(write(&statement)?)
        })?;
        counts.push(count);
    }
    write("COMMIT;\n")?;
    Ok(counts)
}

/// Reads the rows, one at a time. Texts are ordered by their bytes, whatever the column compares them by.
fn walk(conn: &Connection, rows: &Ordered<'_>, visit: &mut dyn FnMut(&Row<'_>) -> Tried<()>) -> Tried<()> {
    let order: Vec<String> = rows.order.iter().map(|name| format!("{} COLLATE BINARY", sql::name(name))).collect();
    let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
    // Each page is read once, and rows are sorted in as much memory again.
    conn.execute_batch(connect::SMALL_CACHE)?;
    let columns = rows.columns();
    let text = format!("SELECT {} FROM {}{order}", sql::names(&columns), sql::name(&rows.table.name));
    let mut statement = conn.prepare(&text)?;
    let mut all = statement.query([])?;
    while let Some(row) = all.next()? {
        visit(row)?;
    }
    Ok(())
}

/// Appends a value so that it is stored again as it is ("Literal Values" in "SQL Language Expressions").
fn put_literal(value: ValueRef<'_>, out: &mut String) {
    let _infallible = match value {
        ValueRef::Null => write!(out, "NULL"),
        ValueRef::Integer(number) => write!(out, "{number}"),
        // No literal says infinity; a number that is too large for a double is read as it.
        ValueRef::Real(number) if number.is_infinite() => {
            write!(out, "{}9e999", if number < 0.0 { "-" } else { "" })
        }
        ValueRef::Real(number) => write!(out, "{number:?}"),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => write!(out, "'{}'", text.replace('\'', "''")),
            // SQL text ends at U+0000.
            _ => write!(out, "CAST(X'{}' AS TEXT)", hex::encode(bytes)),
        },
        ValueRef::Blob(bytes) => write!(out, "X'{}'", hex::encode(bytes)),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::types::Value;

    /// What a literal of a value is read as.
    fn again(value: &Value) -> Value {
        let mut literal = String::new();
        put_literal(ValueRef::from(value), &mut literal);
        let conn = Connection::open_in_memory().unwrap();
        conn.query_row(&format!("SELECT {literal}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_literal_is_the_value_that_it_was_made_of() {
        let text = |text: &str| Value::Text(text.to_owned());
        for value in [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Integer(i64::MAX),
            Value::Real(1.0),
            Value::Real(f64::MAX),
            Value::Real(f64::MIN_POSITIVE),
            Value::Real(f64::INFINITY),
            Value::Real(f64::NEG_INFINITY),
            text(""),
            text("it's; -- \"quoted\"\r\n\t\\"),
            text("a\0b"),
            text("\u{1f980}"),
            Value::Blob(Vec::new()),
            Value::Blob(vec![0, 255, 39]),
        ] {
            assert_eq!(again(&value), value);
        }
    }

    #[test]
    fn a_text_that_is_not_utf_8_stays_text() {
        let mut literal = String::new();
        put_literal(ValueRef::Text(&[0xff, b'a']), &mut literal);
        let conn = Connection::open_in_memory().unwrap();
        let text = format!("SELECT typeof({literal}), hex({literal})");
        let found: (String, String) = conn.query_row(&text, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(found, ("text".to_owned(), "FF61".to_owned()));
    }

    proptest! {
        #[test]
        fn every_double_comes_back(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(!number.is_nan());
            prop_assert_eq!(again(&Value::Real(number)), Value::Real(number));
        }
    }
}
