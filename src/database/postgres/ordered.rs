//! Rows in an order: as cells, and as a script that adds them elsewhere.

use super::connect::Session;
use super::place::Tried;
use super::write::altered;
use super::{catalog, form, numeric, sql};
use crate::database::{Cell, Ordered};
use crate::error::Result;
use crate::table::{Column, ColumnType};
use std::fmt::Write as _;

/// Shows the cells of every row.
pub(super) fn each(session: &Session, rows: &Ordered<'_>, visit: &mut dyn FnMut(&[Cell]) -> Result<()>) -> Tried<()> {
    let kinds = kinds(rows);
    session.try_each(&select(rows), |row| {
        let cells: Vec<Cell> = kinds.iter().enumerate().map(|(at, kind)| cell(row.get(at), *kind)).collect();
        visit(&cells)
    })
}

/// A cell with the server's own text where cells have one form for all that mean the same.
fn cell(text: Option<&str>, kind: ColumnType) -> Cell {
    match (text, kind) {
        (Some(text), ColumnType::Numeric(_) | ColumnType::JsonValue | ColumnType::Time(_) | ColumnType::Zoned(_)) => {
            Cell::Text(text.to_owned())
        }
        _ => form::cell(text, kind),
    }
}

/// References that can wait for the end of its transaction do; those of tables that refer to themselves or to later ones
/// are made so for it. Sequences go on behind the numbers that are given.
pub(super) fn script(
    session: &Session,
    tables: &[Ordered<'_>],
    write: &mut dyn FnMut(&str) -> Result<()>,
) -> Tried<Vec<u64>> {
    let early = early(session, tables)?;
    write("BEGIN;\nSET LOCAL client_encoding = 'UTF8';\nSET LOCAL standard_conforming_strings = on;\n")?;
    early.iter().try_for_each(|one| write(&alter(one, "DEFERRABLE INITIALLY DEFERRED")))?;
    write("SET CONSTRAINTS ALL DEFERRED;\n")?;
    let mut counts = Vec::with_capacity(tables.len());
    for rows in tables {
        let (kinds, mut count) = (kinds(rows), 0);
        // Without these words no number is taken for a column that is always counted.
        let begin = format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES (",
            sql::name(&rows.table.name),
            sql::names(&rows.columns())
        );
        let mut statement = String::new();
        session.try_each(&select(rows), |row| {
            statement.clear();
            statement.push_str(&begin);
            for (at, kind) in kinds.iter().enumerate() {
                statement.push_str(if at > 0 { ", " } else { "" });
                put_literal(row.get(at), *kind, &mut statement);
            }
            statement.push_str(");\n");
            count += 1;
            write(&statement)
        })?;
        counts.push(count);
    }
    if !early.is_empty() {
        // No table is altered while a reference of it waits.
        write("SET CONSTRAINTS ALL IMMEDIATE;\n")?;
    }
    early.iter().try_for_each(|one| write(&alter(one, "NOT DEFERRABLE")))?;
    moves(session, tables)?.iter().try_for_each(|one| write(one))?;
    write("COMMIT;\n")?;
    Ok(counts)
}

fn kinds(rows: &Ordered<'_>) -> Vec<ColumnType> {
    rows.table.columns.iter().map(|column| column.kind).collect()
}

fn select(rows: &Ordered<'_>) -> String {
    let order: Vec<String> = rows
        .order
        .iter()
        .filter_map(|name| rows.table.column(name))
        .map(|column| ordered(&rows.table.name, column))
        .collect();
    let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
    format!("SELECT {} FROM {}{order}", sql::texts(&rows.columns()), sql::name(&rows.table.name))
}

/// How rows are ordered by a column: texts by their bytes, whatever the language of the database; NULL comes first. Some
/// types have no order of their own.
fn ordered(table: &str, column: &Column) -> String {
    use ColumnType::{Blob, Boolean, Clock, Date, Flag, Integer, Numeric, Real, Time, Uuid, Zoned};
    let name = format!("{}.{}", sql::name(table), sql::name(&column.name));
    let nulls = if column.not_null { "" } else { " NULLS FIRST" };
    match column.kind {
        Integer | Flag | Real | Numeric(_) | Boolean | Time(_) | Date(_) | Zoned(_) | Clock(_) | Uuid | Blob => {
            format!("{name}{nulls}")
        }
        _ => format!("{name}::text COLLATE \"C\"{nulls}"),
    }
}

/// Appends a value as the server wrote it, so that it is stored again as it is.
fn put_literal(text: Option<&str>, kind: ColumnType, out: &mut String) {
    let is_number = matches!(kind, ColumnType::Integer | ColumnType::Flag | ColumnType::Real | ColumnType::Numeric(_));
    match text {
        None => out.push_str("NULL"),
        Some(text) if kind == ColumnType::Boolean || is_number && numeric::is_number(text) => out.push_str(text),
        Some(text) => {
            let _infallible = write!(out, "'{}'", text.replace('\'', "''"));
        }
    }
}

/// The references, by table and name, that a row may have to a row behind it, and that the server judges at once.
fn early(session: &Session, tables: &[Ordered<'_>]) -> Tried<Vec<(String, String)>> {
    let at = |name: &str| tables.iter().position(|rows| rows.table.name == name);
    let is_early = |child: &str, parent: &str| at(child).zip(at(parent)).is_some_and(|(child, parent)| child <= parent);
    let all = catalog::references_by_name(session)?.into_iter();
    let early = all.filter(|(table, _, is_deferrable, to)| !is_deferrable && is_early(table, &to.table));
    Ok(early.map(|(table, name, ..)| (table, name)).collect())
}

fn alter(one: &(String, String), what: &str) -> String {
    format!("{}\n", altered(std::slice::from_ref(one), what))
}

/// Statements that move the sequences of these tables on, never back.
fn moves(session: &Session, tables: &[Ordered<'_>]) -> Tried<Vec<String>> {
    let all = catalog::sequences(session)?;
    let mut moves = Vec::new();
    for table in tables.iter().map(|rows| rows.table) {
        for column in &table.columns {
            let Some(sequence) = all.get(&(table.name.clone(), column.name.clone())) else { continue };
            // The schema may have another name elsewhere.
            let inside = [sql::name(&session.schema), session.schema.clone()]
                .iter()
                .find_map(|schema| sequence.strip_prefix(schema.as_str())?.strip_prefix('.').map(str::to_owned));
            let sequence = format!("'{}'::regclass", inside.as_ref().unwrap_or(sequence).replace('\'', "''"));
            moves.push(format!(
                "SELECT setval({sequence}, m.id) FROM (SELECT max({})::int8 AS id FROM {}) m WHERE m.id > \
                 coalesce(pg_sequence_last_value({sequence}), 0);\n",
                sql::name(&column.name),
                sql::name(&table.name)
            ));
        }
    }
    Ok(moves)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_quoted_where_it_is_no_number() {
        let literal = |text: Option<&str>, kind| {
            let mut out = String::new();
            put_literal(text, kind, &mut out);
            out
        };
        for (text, kind, expected) in [
            ("-7", ColumnType::Integer, "-7"),
            ("1.50", ColumnType::Numeric(None), "1.50"),
            ("NaN", ColumnType::Numeric(None), "'NaN'"),
            ("1e+300", ColumnType::Real, "'1e+300'"),
            ("true", ColumnType::Boolean, "true"),
            ("it's \\", ColumnType::Text { max: None }, "'it''s \\'"),
            ("\\x00ff", ColumnType::Blob, "'\\x00ff'"),
            ("3", ColumnType::Unknown, "'3'"),
        ] {
            assert_eq!(literal(Some(text), kind), expected);
        }
        assert_eq!(literal(None, ColumnType::Integer), "NULL");
    }
}
