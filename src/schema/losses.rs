//! What a change of the schema loses: the difference between the database before it and after its rehearsal.

use crate::report::words::count;
use crate::target::state;
use crate::target::upkeep::Survey;
use std::collections::BTreeMap;

/// What a rollback or a migration would lose.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Loss {
    /// What kind of thing goes.
    pub kind: LossKind,
    /// The table, or the column as `table.column`.
    pub what: String,
    /// How many rows are in the table, have the column, or are removed.
    pub rows: u64,
    /// How many rows the table has before.
    pub before: u64,
    /// How many it has after; 0 for a table that is dropped.
    pub after: u64,
}

/// What kind of thing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// A table with its rows.
    Table,
    /// A column of a table that stays.
    Column,
    /// Rows of a table that stays.
    Rows,
}

/// What is there before and not after: tables, columns, and rows as far as their number tells. A table
/// that comes back under another name is none.
pub(super) fn lost(before: &Survey, after: &Survey) -> Vec<Loss> {
    let loss = |kind, what: &str, rows, before, after| Loss { kind, what: what.to_owned(), rows, before, after };
    let mut losses = Vec::new();
    let mut renamed: Vec<&String> = after.counts.keys().filter(|name| !before.counts.contains_key(*name)).collect();
    let columns = |survey: &Survey, name: &str| -> Vec<String> {
        let table = survey.catalog.schema.table(name);
        table.into_iter().flat_map(|table| table.columns.iter().map(|column| column.name.clone())).collect()
    };
    for (name, rows) in &before.counts {
        let had = columns(before, name);
        if let Some(left) = after.counts.get(name) {
            let has = columns(after, name);
            let gone = had.iter().filter(|column| !has.contains(column));
            losses.extend(gone.map(|column| loss(LossKind::Column, &format!("{name}.{column}"), *rows, *rows, *left)));
            if left < rows {
                losses.push(loss(LossKind::Rows, name, rows - left, *rows, *left));
            }
            continue; // It stays.
        }
        match renamed.iter().position(|new| after.counts.get(*new) == Some(rows) && columns(after, new) == had) {
            Some(at) => drop(renamed.remove(at)),
            None => losses.push(loss(LossKind::Table, name, *rows, *rows, 0)),
        }
    }
    let others = [(&before.own, &after.own), (&before.virtual_tables, &after.virtual_tables)];
    for (before, after) in others {
        // Format number and id say nothing once all that they are about is gone.
        let gone = before.iter().filter(|(name, _)| !after.contains_key(*name) && *name != state::TABLE_NAME);
        losses.extend(gone.map(|(name, rows)| loss(LossKind::Table, name, *rows, *rows, 0)));
    }
    losses
}

/// What a question says of losses: `, and lose 2 tables or columns with 7 rows`; nothing where nothing
/// is lost. A row that loses several columns is one row.
pub(super) fn in_question(losses: &[Loss]) -> String {
    let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
    for loss in losses {
        let table = match loss.kind {
            LossKind::Column => loss.what.split('.').next().unwrap_or_default(),
            LossKind::Table | LossKind::Rows => &loss.what,
        };
        let known = rows.entry(table).or_default();
        *known = loss.rows.max(*known);
    }
    let rows = count(rows.values().sum(), "row");
    match losses.iter().filter(|loss| loss.kind != LossKind::Rows).count() as u64 {
        0 if losses.is_empty() => String::new(),
        0 => format!(", and lose {rows}"),
        things => {
            let things = count(things, "table or column").replace("table or columns", "tables or columns");
            format!(", and lose {things} with {rows}")
        }
    }
}
