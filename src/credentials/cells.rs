//! Sealed cells: their places, and opening them with every key there is.

use super::keyring::Keyring;
use super::problem::{Problem, problem};
use crate::database::cells::{KeyedCell, Registered, Stored};
use crate::database::{Cell, Reader, SealedColumn};
use crate::error::Result;
use crate::hex;
use crate::secret::cipher::{OpenError, SealPlace, is_ours};
use secrecy::SecretString;
use std::collections::HashSet;

/// A cell of a registered column, with the key of its row as values are sealed for it.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) key: Vec<Cell>,
    pub(super) texts: Vec<String>,
    pub(super) value: Stored,
}

/// The text by which a key value enters what is authenticated; `None` for what cannot be a key.
fn key_text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Null | Cell::Real(_) => None,
        Cell::Integer(value) => Some(value.to_string()),
        Cell::Text(text) => Some(text.clone()),
        Cell::Blob(bytes) => Some(hex::encode(bytes)),
    }
}

/// The cells of a column, and those whose rows its key columns do not identify.
pub(super) fn placed(cells: &dyn Reader, column: &SealedColumn) -> Result<(Vec<Placed>, Vec<Problem>)> {
    Ok(placed_of(cells.cells(column)?, column))
}

/// The same, of cells that were read.
pub(super) fn placed_of(cells: Vec<KeyedCell>, column: &SealedColumn) -> (Vec<Placed>, Vec<Problem>) {
    let mut seen = HashSet::new();
    let (mut placed, mut problems) = (Vec::new(), Vec::new());
    for cell in cells {
        let texts: Option<Vec<String>> = cell.key.iter().map(key_text).collect();
        let shown = || cell.key.iter().map(|part| key_text(part).unwrap_or_else(|| "NULL".to_owned())).collect();
        let complaint = match &texts {
            _ if matches!(cell.value, Stored::Null) => None,
            None => Some(("no-key", "the row has no key: a key column is NULL or not an integer")),
            Some(texts) if !seen.insert(texts.clone()) => Some(("key-not-unique", "the row key is not unique")),
            Some(_) => None,
        };
        match (complaint, texts) {
            (Some((reason, message)), _) => problems.push(problem(column, shown(), reason, message.to_owned())),
            (None, texts) => {
                placed.push(Placed { texts: texts.unwrap_or_default(), key: cell.key, value: cell.value });
            }
        }
    }
    (placed, problems)
}

/// Where a value of the column in the row with this key is sealed for.
pub(super) fn place<'a>(column: &'a SealedColumn, texts: &'a [String]) -> SealPlace<'a> {
    SealPlace { table: &column.table, column: &column.column, key_columns: &column.key_columns, key: texts }
}

/// The columns in treelift's own formats.
pub(super) fn sealed_columns(cells: &dyn Reader) -> Result<Vec<Registered>> {
    let mut registered = cells.registered()?;
    registered.retain(|one| is_ours(&one.format));
    Ok(registered)
}

/// Opens a sealed text, or returns why it does not open.
pub(super) fn open(
    keyring: &Keyring,
    column: &SealedColumn,
    texts: &[String],
    token: &str,
) -> Result<SecretString, Problem> {
    keyring.open(&place(column, texts), token).map_err(|error| {
        let message = match &error {
            OpenError::UnknownFormat => "a value is not sealed; `credentials encrypt` seals it".to_owned(),
            OpenError::OtherKey { key } => match keyring.refusal(key) {
                Some(words) => format!("a value is sealed under key `{key}`, which does not open: {words}"),
                None if keyring.sealer(key).is_some() => {
                    format!("a value is sealed under key `{key}`, which is not the active key")
                }
                None => format!("a value is sealed under key `{key}`, which is not in `treelift_keys`"),
            },
            OpenError::NotAuthentic => "a value does not open: it was changed, or moved here from elsewhere".to_owned(),
            other => format!("a value does not open: {other}"),
        };
        problem(column, texts.to_vec(), error.reason(), message)
    })
}
