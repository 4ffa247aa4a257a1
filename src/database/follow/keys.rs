//! The keys that a ledger line's query gives.

use super::engine::Following;
use crate::database::Cell;
use crate::database::ledger::row_key;
use crate::error::Error;
use crate::report::words::count;
use crate::table::{ColumnType, LedgerLine, Table};
use std::collections::BTreeSet;

/// The keys before and now, as the ledger writes them.
pub(super) fn pairs<E: Following>(
    line: &LedgerLine,
    (was, is): (&Table, &Table),
    rows: &[Vec<Cell>],
) -> Result<Vec<Vec<Option<String>>>, Error> {
    let (old, new) = (kinds(was), kinds(is));
    let all: Vec<ColumnType> = old.iter().chain(&new).copied().collect();
    let mut seen = BTreeSet::new();
    let mut pairs = Vec::with_capacity(rows.len());
    for cells in rows {
        if cells.len() != all.len() {
            let (gives, keys) = (count(cells.len() as u64, "column"), count(all.len() as u64, "column"));
            let why = format!(
                "its query gives {gives}, and the key of `{}` before and that of `{}` now are {keys}",
                was.name, is.name
            );
            return Err(wrong(line, &why));
        }
        let parts: Vec<Option<String>> = cells.iter().zip(&all).map(|(cell, kind)| E::key_text(*kind, cell)).collect();
        if parts.contains(&None) {
            return Err(wrong(line, "its query gives a NULL, which is no part of a key"));
        }
        let (before, now) = parts.split_at(old.len());
        let (before, now) = (row_key(before.to_vec()), row_key(now.to_vec()));
        if !seen.insert(before.clone()) {
            return Err(wrong(line, &format!("its query gives the key {before} more than once")));
        }
        pairs.push(vec![Some(before), Some(now)]);
    }
    Ok(pairs)
}

/// What is wrong with a ledger line.
pub(in crate::database) fn wrong(line: &LedgerLine, why: &str) -> Error {
    Error::environment(format!("the ledger line of `{}` cannot be followed: {why}; nothing was changed", line.table))
        .at(&line.place)
        .hint("`-- ledger: TABLE [from OLD_TABLE] SELECT old, new FROM …`, docs/schema.md explains it")
}

pub(super) fn kinds(table: &Table) -> Vec<ColumnType> {
    table.primary_key().iter().filter_map(|name| Some(table.column(name)?.kind)).collect()
}
