//! Invented rows for databases that were made to test migrations on, with values that the `CHECK` conditions of
//! their tables accept, tried from the conditions themselves.

use super::Cell;
use super::tokens::Tokens;
use crate::error::Error;
use crate::table::{Column, ColumnType, Schema, Table};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What an engine does for it.
pub(super) trait Filling {
    /// A fault of the database.
    type Fault;
    /// How many rows a table has.
    fn count(&self, table: &str) -> Result<u64, Self::Fault>;
    /// The values of columns of one row, where there is a row.
    fn some(&self, table: &str, columns: &[&str]) -> Result<Option<Vec<Cell>>, Self::Fault>;
    /// Whether the database counts an integer key by itself.
    fn counts(&self, key: &Column) -> bool;
    /// A value for a column, where the usual one would not do.
    fn odd(&self, table: &Table, column: &Column) -> Result<Option<Cell>, Self::Fault>;
    /// Whether a condition holds for these values, or is unknown, as of a NULL. One that cannot be asked for
    /// here is left to the database.
    fn accepts(&self, table: &Table, check: &str, values: &[(String, Cell)]) -> bool;
    /// The tokens of a condition.
    fn tokens(&self, check: &str) -> Vec<String> {
        Tokens::of(check).collect()
    }
    /// What helps where a row is rejected, besides mending what rejects it.
    const INSTEAD: &'static str;
    /// Puts a row into a table.
    fn insert(&self, table: &Table, values: &[(String, Cell)]) -> Result<(), Self::Fault>;
}

/// What the set's own SQL rejects is for its author to fix.
pub(super) fn refused<F: Filling>(table: &Table, why: &str) -> Error {
    Error::environment(format!("a sample row of `{}` was rejected: {why}", table.name))
        .hint(format!("fix what rejects it, or {}", F::INSTEAD))
}

/// Puts a row into every empty table, parents first.
pub(super) fn every_table<F: Filling>(database: &F, schema: &Schema) -> Result<(), F::Fault> {
    let mut left: Vec<&Table> = schema.tables.values().collect();
    while !left.is_empty() {
        let waits = |table: &Table| {
            let parents = table.foreign_keys.iter().filter(|key| key.table != table.name);
            parents.into_iter().any(|key| left.iter().any(|other| other.name == key.table))
        };
        let (later, ready): (Vec<&Table>, Vec<&Table>) = left.iter().partition(|table| waits(table));
        // A cycle of references is entered anywhere.
        let (later, ready) = if ready.is_empty() { (Vec::new(), later) } else { (later, ready) };
        for table in ready {
            one_row(database, table)?;
        }
        left = later;
    }
    Ok(())
}

/// Puts a row into a table that has none.
pub(super) fn one_row<F: Filling>(database: &F, table: &Table) -> Result<(), F::Fault> {
    if database.count(&table.name)? > 0 {
        return Ok(());
    }
    let mut values: Vec<(String, Cell)> = Vec::new();
    let mut free: Vec<&Column> = Vec::new();
    let is_counted = |column: &Column| table.integer_key() == Some(&column.name) && database.counts(column);
    let parents = parents_of(database, table)?;
    for column in table.columns.iter().filter(|column| !is_counted(column)) {
        let value = match parents.get(column.name.as_str()) {
            Some(value) => value.clone(),
            None => {
                free.push(column);
                database.odd(table, column)?.unwrap_or_else(|| invented(column))
            }
        };
        values.push((column.name.clone(), value));
    }
    satisfy(database, table, &free, &mut values);
    database.insert(table, &values)
}

/// What the columns of references are: all of one reference are of one row. The longest go first: a column that two
/// references share is what the parent of the longer one says.
fn parents_of<'t, F: Filling>(database: &F, table: &'t Table) -> Result<BTreeMap<&'t str, Cell>, F::Fault> {
    let mut keys: Vec<_> = table.foreign_keys.iter().filter(|key| key.to.len() == key.columns.len()).collect();
    keys.sort_by_key(|key| Reverse(key.columns.len()));
    let mut values = BTreeMap::new();
    for key in keys {
        let to: Vec<&str> = key.to.iter().map(String::as_str).collect();
        let row = database.some(&key.table, &to)?.unwrap_or_else(|| vec![Cell::Null; to.len()]);
        for (column, value) in key.columns.iter().zip(row) {
            values.entry(column.as_str()).or_insert(value);
        }
    }
    Ok(values)
}

fn invented(column: &Column) -> Cell {
    let text = |text: &str| Cell::Text(text.to_owned());
    match column.kind {
        ColumnType::Text { max } => {
            let most = max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
            Cell::Text(column.name.chars().take(most).collect())
        }
        ColumnType::Integer
        | ColumnType::Flag
        | ColumnType::Boolean
        | ColumnType::Numeric(_)
        | ColumnType::Untyped
        | ColumnType::Unknown => Cell::Integer(1),
        ColumnType::Real => Cell::Real(1.5),
        ColumnType::Time(_) => text("2025-05-07 15:09:12.000000"),
        ColumnType::Zoned(_) => text("2025-05-07 15:09:12.000000+00:00"),
        ColumnType::Date(_) => text("2025-05-07"),
        ColumnType::Clock(_) => text("15:09:12"),
        ColumnType::Uuid => text("5c5e7a52-6d0b-5d8e-9b1c-2f6f0a3d4e11"),
        ColumnType::Json | ColumnType::JsonValue | ColumnType::List(_) => text("{}"),
        ColumnType::Blob => Cell::Blob(vec![1]),
    }
}

/// How many combinations are tried for one condition.
const MOST: usize = 2_000;
/// The longest text that is made to fit a condition on its length.
const LONGEST: usize = 1_000;

/// Replaces values that a condition refuses, where others are found that it accepts. `free` columns may
/// change; the others are references.
fn satisfy<F: Filling>(database: &F, table: &Table, free: &[&Column], values: &mut [(String, Cell)]) {
    for check in &table.checks {
        let tokens = database.tokens(check);
        let spoken: Vec<usize> = (0..values.len())
            .filter(|&at| {
                let (name, _) = &values[at];
                free.iter().any(|column| column.name == *name) && tokens.contains(&name.to_lowercase())
            })
            .collect();
        let candidates: Vec<Vec<Cell>> = spoken
            .iter()
            .map(|&at| {
                let (name, value) = &values[at];
                let nullable = table.column(name).is_some_and(|column| !table.must_have_value(column));
                let mut all = vec![value.clone()];
                all.extend(tokens.iter().flat_map(|token| from_token(token)));
                all.extend(nullable.then_some(Cell::Null));
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
            if database.accepts(table, check, &tried) {
                values.clone_from_slice(&tried);
                break;
            }
        }
    }
}

/// What a token suggests: a text, also without the wildcards of a pattern; a number with its
/// neighbours, and a text of that length.
fn from_token(token: &str) -> Vec<Cell> {
    if let Some(text) = token.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        let text = text.replace("''", "'");
        let plain: String =
            text.chars().filter(|c| !matches!(c, '%' | '*')).map(|c| if c == '_' { 'a' } else { c }).collect();
        return [text, plain].map(Cell::Text).to_vec();
    }
    let Ok(number) = token.parse::<i64>() else { return Vec::new() };
    let mut all: Vec<Cell> =
        [Some(number), number.checked_add(1), number.checked_sub(1)].into_iter().flatten().map(Cell::Integer).collect();
    all.extend(
        usize::try_from(number).ok().filter(|length| *length <= LONGEST).map(|length| Cell::Text("a".repeat(length))),
    );
    all
}
