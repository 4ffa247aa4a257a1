//! Whether a column holds what the server gave it.

use super::super::connect::Session;
use super::super::place::Tried;
use super::super::{catalog, form, sql};
use crate::database::ledger::RunRecord;
use crate::database::tokens::Tokens;
use crate::database::unchanged::{Given, GivenTime};
use crate::interrupt;
use crate::mapping::schema_default::SchemaDefault;
use crate::table::{Column, ColumnType, Table};
use std::collections::HashMap;

/// Words without parentheses that give another value each time.
const CHANGING: [&str; 11] = [
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "localtime",
    "current_user",
    "session_user",
    "user",
    "current_role",
    "current_catalog",
    "current_schema",
];
/// Texts that mean another time each day.
const DAYS: [&str; 5] = ["'now'", "'today'", "'tomorrow'", "'yesterday'", "'allballs'"];

/// For each column of a table what the server gave it where the run did not write it.
pub(super) fn given(session: &Session, table: &Table, run: &RunRecord) -> Tried<Vec<Given>> {
    let text = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid)
                FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2";
    let rows = session.query(text, &[Some(&session.schema), Some(&table.name)])?;
    let defaults: HashMap<String, (String, String)> =
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
    let mut given = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let time = GivenTime::of(column, run, &form::clock_text(run.started));
        let default = match defaults.get(&column.name) {
            // The server counts an identity column without a default that is seen.
            None => column.default.is_none().then(|| format!("t.{} IS NULL", sql::name(&column.name))),
            Some(_) if column.default.as_deref() == Some(catalog::COUNTED) => None,
            Some((kind, default)) => is_default(session, column, (kind, default), run)?,
        };
        given.push(Given { default, time });
    }
    Ok(given)
}

/// An SQL expression for whether a column of the table `t` holds its default.
fn is_default(
    session: &Session,
    column: &Column,
    (kind, default): (&str, &str),
    run: &RunRecord,
) -> Tried<Option<String>> {
    let name = format!("t.{}", sql::name(&column.name));
    if SchemaDefault::of(column) == Some(SchemaDefault::Clock) {
        let text = |form: &str| [run.started, run.finished].map(|time| time.strftime(form).to_string());
        return Ok(Some(match column.kind {
            ColumnType::Date(_) => {
                let [first, last] = text("%Y-%m-%d");
                format!("{name} BETWEEN '{first}' AND '{last}'")
            }
            ColumnType::Clock(_) => {
                let [first, last] = [run.started.strftime("%H:%M:%S"), run.finished.strftime("%H:%M:%S%.6f")]
                    .map(|text| text.to_string());
                let between = if first <= last { "AND" } else { "OR" }; // midnight lies between
                format!("({name} >= '{first}' {between} {name} <= '{last}')")
            }
            _ => "false".to_owned(), // the times that it may have are known
        }));
    }
    if changes(session, default)? {
        return Ok(None);
    }
    // One that cannot be asked for here is taken for changed, so that nothing is lost by it.
    session.run("SAVEPOINT default_value")?;
    let asked = session.ask(&format!("SELECT (({default})::{kind})::text"));
    session.run("ROLLBACK TO default_value; RELEASE default_value")?;
    interrupt::check()?;
    let value: Option<Option<String>> = match asked {
        Ok(rows) => rows.first().map(|row| row.get(0)),
        Err(error) if error.as_db_error().is_some() => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Some(match value {
        Some(Some(value)) => format!("{name}::text = '{}'", value.replace('\'', "''")),
        Some(None) => format!("{name} IS NULL"),
        None => "false".to_owned(),
    }))
}

/// Whether an expression gives another value each time: by a word, or by a function that the server does not call
/// immutable.
fn changes(session: &Session, default: &str) -> Tried<bool> {
    let tokens: Vec<String> = Tokens::of(default).collect();
    if tokens.iter().any(|token| {
        let token = token.to_ascii_lowercase();
        CHANGING.contains(&token.as_str()) || DAYS.contains(&token.as_str())
    }) {
        return Ok(true);
    }
    let called = tokens.windows(2).filter(|pair| pair[1] == "(");
    let names: Vec<Option<String>> = called.map(|pair| Some(pair[0].trim_matches('"').replace("\"\"", "\""))).collect();
    let text = "SELECT 1 FROM pg_proc WHERE proname::text = ANY ($1::text[]) AND provolatile <> 'i' LIMIT 1";
    Ok(!names.is_empty() && !session.query_lists(text, &[names])?.is_empty())
}
