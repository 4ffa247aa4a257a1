//! What the columns hold that are registered as sealed.

use super::{catalog, cells, sql};
use crate::database::{SealedColumn, SealedState};
use crate::secret::cipher;
use crate::secret::registry::Registry;
use rusqlite::Connection;

/// The registered columns and what they hold.
pub(super) fn sealed(conn: &Connection, registry: &Registry) -> rusqlite::Result<Vec<SealedState>> {
    let keys: Vec<String> = registry.keys.iter().map(|key| key.id.clone()).collect();
    let mut rows: Vec<_> = registry.columns.iter().collect();
    rows.sort();
    let all = rows.into_iter().map(|row| {
        let column = SealedColumn {
            table: row.table.clone(),
            column: row.column.clone(),
            key_columns: serde_json::from_str(&row.key_columns).unwrap_or_default(),
            row_filter: row.row_filter.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        };
        let has = catalog::column_names(conn, &column.table)?;
        let is_there = |name: &String| has.iter().any(|one| one.eq_ignore_ascii_case(name));
        let mut state = SealedState { column, format: row.format.clone(), ..SealedState::default() };
        if !is_there(&state.column.column) {
            return Ok(state);
        }
        let filtered = || state.column.row_filter.iter().flatten().map(|(name, _)| name);
        let can_be_read = filtered().all(is_there);
        state.missing =
            state.column.key_columns.iter().chain(filtered()).filter(|name| !is_there(name)).cloned().collect();
        if can_be_read { values(conn, state, &keys) } else { Ok(state) }
    });
    all.collect()
}

/// Counts the values of a sealed column: those that do not look sealed, and those whose key is gone.
pub(super) fn values(conn: &Connection, mut state: SealedState, keys: &[String]) -> rusqlite::Result<SealedState> {
    let SealedState { column, .. } = &state;
    let name = sql::name(&column.column);
    let mut text = format!("SELECT {name} FROM {} WHERE {name} IS NOT NULL", sql::name(&column.table));
    let (conditions, filtered) = cells::filter(column, 1);
    text.extend(conditions.iter().map(|condition| format!(" AND {condition}")));
    let mut statement = conn.prepare(&text)?;
    let mut rows = statement.query(rusqlite::params_from_iter(filtered))?;
    while let Some(row) = rows.next()? {
        state.values += 1;
        if !cipher::is_ours(&state.format) {
            continue; // Another program knows the format.
        }
        let token = row.get_ref(0)?.as_str().map(cipher::token_in).unwrap_or_default();
        match cipher::key_id_of(&token) {
            None => state.plain += 1,
            Some(key) => {
                let format = cipher::format_of(&token).unwrap_or_default();
                *state.formats.entry(format.to_owned()).or_default() += 1;
                *state.sealed.entry(key.to_owned()).or_default() += 1;
                if !keys.iter().any(|known| known == key) {
                    *state.lost.entry(key.to_owned()).or_default() += 1;
                }
            }
        }
    }
    Ok(state)
}
