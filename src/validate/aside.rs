//! Secrets of rows that were moved aside: what is sealed later is sealed in its table alone.

use crate::database::upkeep::Survey;
use crate::database::{Cell, ORPHANS_TABLE, Reader};
use crate::error::Result;
use crate::mapping::model::Set;
use crate::secret::cipher;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How many rows hold plaintext of a column that is sealed, or that the set seals, by `table.column`; none where no row was
/// moved aside.
pub(super) fn plaintext(reader: &dyn Reader, survey: &Survey, set: &Set) -> Result<Option<BTreeMap<String, u64>>> {
    if survey.own.get(ORPHANS_TABLE).is_none_or(|rows| *rows == 0) {
        return Ok(None);
    }
    let of_set =
        set.rules().flat_map(|(_, rule)| rule.sealed().map(|column| (rule.into.as_str(), column.name.as_str())));
    let registered =
        survey.seals.columns.iter().map(|state| (state.column.table.as_str(), state.column.column.as_str()));
    let secret: BTreeSet<(&str, &str)> = of_set.chain(registered).collect();
    let mut found = BTreeMap::new();
    reader.each_row(ORPHANS_TABLE, &["table_name", "row"], None, &mut |cells| {
        let [table, row] = cells.as_slice() else { return };
        let (Some(table), Some(row)) = (Cell::text(table), Cell::text(row)) else { return };
        let Ok(Value::Object(members)) = serde_json::from_str::<Value>(&row) else { return }; // none of treelift's
        for (_, column) in secret.iter().filter(|(of, _)| *of == table) {
            let is_plain = |text: &str| !text.is_empty() && cipher::format_of(text).is_none();
            if members.get(*column).and_then(Value::as_str).is_some_and(is_plain) {
                *found.entry(format!("{table}.{column}")).or_default() += 1;
            }
        }
    })?;
    Ok(Some(found))
}
