//! Sealed cells, and what else may hold a secret.

use super::connect::Session;
use super::judged::Judged;
use super::place::Tried;
use super::types::{column_type, declared};
use super::{catalog, find, form, sql};
use crate::database::cells::{KeyedCell, Stored};
use crate::database::{Cell, SealedColumn};
use crate::error::Error;
use crate::hex;
use crate::table::ColumnType;
use secrecy::SecretString;

/// The columns of a table with their declared types, computed ones too; none where there is no such table.
pub(super) fn columns(session: &Session, table: &str) -> Tried<Vec<(String, String)>> {
    let text = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
                JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p') AND a.attnum > 0
                      AND NOT a.attisdropped ORDER BY a.attnum";
    let rows = session.query(text, &[Some(session.schema_of(table)), Some(table)])?;
    Ok(rows.iter().map(|row| (row.get(0), declared(row.get(1)))).collect())
}

/// Reads the types of a column and of its key; one that is not there is the request's fault or the registry's.
pub(super) fn judge(session: &Session, column: &SealedColumn) -> Tried<Judged> {
    let missing = |what: String| Error::environment(format!("there is no {what}")).at(session.place.shown());
    let columns = columns(session, &column.table)?;
    if columns.is_empty() {
        return Err(missing(format!("table `{}`", column.table)).into());
    }
    let declared = |name: &String| {
        let known = columns.iter().find(|(one, _)| one == name).map(|(_, declared)| declared.clone());
        known.ok_or_else(|| missing(format!("column `{}.{name}`", column.table)))
    };
    for (name, _) in column.row_filter.iter().flatten() {
        declared(name)?;
    }
    let keys = column.key_columns.iter().map(declared).collect::<Result<Vec<_>, _>>()?;
    Ok(Judged { keys, declared: declared(&column.column)? })
}

/// `"kind"::text = $1`, and the values to bind; nothing for a column without a filter.
pub(super) fn filter(column: &SealedColumn, first: usize) -> (Vec<String>, Vec<&String>) {
    let filter = || column.row_filter.iter().flatten();
    let term = |(at, (name, _)): (usize, (&String, &String))| format!("{}::text = ${}", sql::name(name), first + at);
    (filter().enumerate().map(term).collect(), filter().map(|(_, value)| value).collect())
}

fn stored(text: Option<&str>, kind: ColumnType) -> Stored {
    let Some(text) = text else { return Stored::Null };
    match kind {
        ColumnType::Integer | ColumnType::Boolean | ColumnType::Flag => Stored::Other("an integer"),
        ColumnType::Real | ColumnType::Numeric(_) => Stored::Other("a number"),
        ColumnType::Blob => Stored::Other("bytes"),
        ColumnType::List(_) => Stored::Other("a list"),
        _ if kind.is_json() => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(serde_json::Value::String(text)) => Stored::Text(SecretString::from(text)),
            Ok(serde_json::Value::Null) => Stored::Null,
            Ok(_) => Stored::Other("JSON that is not a string"),
            Err(_) => Stored::Other("text that is not JSON"),
        },
        _ => Stored::Text(SecretString::from(text)),
    }
}

/// The cells of a column, in the order of its rows.
pub(super) fn read(session: &Session, column: &SealedColumn) -> Tried<Vec<KeyedCell>> {
    let judged = judge(session, column)?;
    let kinds: Vec<ColumnType> = judged.keys.iter().map(|declared| column_type(declared)).collect();
    let kind = judged.kind();
    let (conditions, values) = filter(column, 1);
    let mut text = format!(
        "SELECT {}::text, {} FROM {}",
        sql::name(&column.column),
        sql::texts(&column.key_columns),
        sql::name(&column.table)
    );
    if !conditions.is_empty() {
        text.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
    }
    // A row that is changed moves behind the others.
    // By their texts: not every type has an order.
    text.push_str(&format!(" ORDER BY {}", sql::names(&column.key_columns)));
    let values: Vec<Option<&str>> = values.into_iter().map(|value| Some(value.as_str())).collect();
    let cell = |row: &postgres::Row| KeyedCell { key: find::cells(row, 1, &kinds), value: stored(row.get(0), kind) };
    Ok(session.query(&text, &values)?.iter().map(cell).collect())
}

/// Writes a text into the cell of the one row that has the key.
pub(super) fn write(
    session: &Session,
    (column, judged): (&SealedColumn, &Judged),
    key: &[Cell],
    text: &str,
) -> Tried<()> {
    if let Some(longest) = judged.longest().filter(|longest| text.chars().count() > *longest) {
        let length = text.chars().count();
        let message = format!(
            "a value for {column} has {length} characters as it is to be written, and the column takes {longest}"
        );
        let hint = format!(
            "make it longer: `ALTER TABLE {} ALTER COLUMN {} TYPE text`",
            sql::name(&column.table),
            sql::name(&column.column)
        );
        return Err(Error::environment(message).at(session.place.shown()).hint(hint).into());
    }
    let is_json = judged.kind().is_json();
    let written = if is_json { serde_json::Value::from(text).to_string() } else { text.to_owned() };
    let mut bound = vec![written];
    let mut conditions = Vec::new();
    for ((name, declared), cell) in column.key_columns.iter().zip(&judged.keys).zip(key) {
        let value = match cell {
            Cell::Blob(bytes) => Some(format!("\\x{}", hex::encode(bytes))),
            other => other.text(),
        };
        match value {
            None => conditions.push(format!("{} IS NULL", sql::name(name))),
            Some(value) => {
                bound.push(value);
                conditions.push(find::equal(name, declared, &format!("${}", bound.len())));
            }
        }
    }
    let (filtered, values) = filter(column, bound.len() + 1);
    conditions.extend(filtered);
    bound.extend(values.into_iter().cloned());
    let kind = if is_json { "json" } else { "text" };
    let statement = format!(
        "UPDATE {} SET {} = $1::{kind} WHERE {}",
        sql::name(&column.table),
        sql::name(&column.column),
        conditions.join(" AND ")
    );
    let values: Vec<Option<&str>> = bound.iter().map(|value| Some(value.as_str())).collect();
    let error = match session.execute(&statement, &values)? {
        1 => return Ok(()),
        0 => Error::environment(format!("the database did not write a value of `{}`", column.table))
            .hint("look for a trigger that discards the statement"),
        rows => Error::environment(format!("a key of `{}` matches {rows} rows, expected 1", column.table))
            .hint("choose key columns that identify a row, with `--key`"),
    };
    Err(error.at(session.place.shown()).into())
}

/// The names of the triggers that run when a column is written: on UPDATE, of it or of any column.
pub(super) fn triggers(session: &Session, column: &SealedColumn) -> Tried<Vec<String>> {
    let text = "SELECT t.tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2 AND NOT t.tgisinternal AND t.tgtype & 16 <> 0
                      AND (t.tgattr::int2[] = '{}' OR EXISTS (SELECT 1 FROM pg_attribute a
                           WHERE a.attrelid = c.oid AND a.attname = $3 AND a.attnum = ANY (t.tgattr::int2[])))
                ORDER BY 1";
    let values = [Some(session.schema.as_str()), Some(&column.table), Some(&column.column)];
    Ok(session.query(text, &values)?.iter().map(|row| row.get(0)).collect())
}

/// Shows every text and blob of every table, with its table and column; and what indexes over expressions keep.
pub(super) fn every_text(session: &Session, visit: &mut dyn FnMut(&str, &str, &[u8])) -> Tried<()> {
    for table in catalog::table_names(session)? {
        let columns = columns(session, &table)?;
        if columns.is_empty() {
            continue;
        }
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let text = format!("SELECT {} FROM {}", sql::texts(&names), sql::name(&table));
        session.each(&text, |row| {
            for (at, (name, declared)) in columns.iter().enumerate() {
                match form::cell(row.get(at), column_type(declared)) {
                    Cell::Text(text) => visit(&table, name, text.as_bytes()),
                    Cell::Blob(bytes) => visit(&table, name, &bytes),
                    Cell::Null | Cell::Integer(_) | Cell::Real(_) => {}
                }
            }
        })?;
    }
    // An index over an expression keeps texts of its own, such as an address in small letters.
    let text = "SELECT c.relname::text, i.relname::text, k.n, pg_get_indexdef(i.oid, k.n::int4, true)
                FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY k(attnum, n)
                WHERE n.nspname IN ($1, $2) AND k.attnum = 0 AND c.relkind IN ('r', 'p') AND NOT c.relispartition";
    for row in session.query(text, &session.schemas())? {
        let (table, index, expression): (String, String, String) = (row.get(0), row.get(1), row.get(3));
        let text = format!("SELECT ({expression})::text FROM {}", sql::name(&table));
        session.each(&text, |row| {
            row.get::<_, Option<&str>>(0).into_iter().for_each(|text| visit(&table, &index, text.as_bytes()));
        })?;
    }
    Ok(())
}
