//! What a way back costs: the difference between the database before it and after its rehearsal.

use crate::target::upkeep::Survey;

/// What a way back would drop.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Loss {
    /// A table, or a column as `table.column`.
    pub what: String,
    /// How many rows have it.
    pub rows: u64,
}

/// The tables and columns that are there before and not after, with their rows.
pub(super) fn lost(before: &Survey, after: &Survey) -> Vec<Loss> {
    let mut losses = Vec::new();
    for (name, rows) in &before.counts {
        let (was, is) = (before.catalog.schema.table(name), after.catalog.schema.table(name));
        match (was, is) {
            (Some(was), Some(is)) => {
                let gone = was.columns.iter().filter(|column| is.column(&column.name).is_none());
                losses.extend(gone.map(|column| Loss { what: format!("{name}.{}", column.name), rows: *rows }));
            }
            (_, None) => losses.push(Loss { what: name.clone(), rows: *rows }),
            (None, Some(_)) => {}
        }
    }
    let own = before.own.iter().filter(|(name, _)| !after.own.contains_key(*name));
    losses.extend(own.map(|(name, rows)| Loss { what: name.clone(), rows: *rows }));
    losses
}
