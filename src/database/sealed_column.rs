//! Columns that hold sealed values, and what they hold.

use crate::secret::cipher;
use crate::secret::registry::RegistryRow;
use std::collections::BTreeMap;
use std::fmt;

/// One table column that holds sealed values, as registered in `treelift_sealed_columns`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealedColumn {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The columns that identify a row, in the order they enter the associated data.
    pub key_columns: Vec<String>,
    /// `None`, or the column values of the rows that are sealed, where only some are.
    pub row_filter: Option<BTreeMap<String, String>>,
}

impl SealedColumn {
    /// The column of a row of the registry, and the names of what is damaged in it.
    pub fn of(row: &RegistryRow) -> (Self, Vec<&'static str>) {
        let key_columns: Vec<String> = serde_json::from_str(&row.key_columns).unwrap_or_default();
        let row_filter = row.row_filter.as_deref().map(serde_json::from_str).transpose();
        let damaged = [("key_columns", key_columns.is_empty()), ("row_filter", row_filter.is_err())];
        let damaged = damaged.iter().filter(|(_, is_damaged)| *is_damaged).map(|(name, _)| *name).collect();
        let (table, column, row_filter) = (row.table.clone(), row.column.clone(), row_filter.unwrap_or_default());
        (Self { table, column, key_columns, row_filter }, damaged)
    }
}

/// As messages name it: `` `table.column` (name = value) ``, the filter where only some rows are sealed.
impl fmt::Display for SealedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}.{}`", self.table, self.column)?;
        let filter: Vec<_> =
            self.row_filter.iter().flatten().map(|(name, value)| format!("{name} = {value}")).collect();
        if filter.is_empty() { Ok(()) } else { write!(f, " ({})", filter.join(", ")) }
    }
}

/// The values of a sealed column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealedState {
    /// Which column.
    pub column: SealedColumn,
    /// How its values are sealed, as registered.
    pub format: String,
    /// Columns that its registry row names, and that its table does not have.
    pub missing: Vec<String>,
    /// Values that are not NULL.
    pub values: u64,
    /// Values among them that do not have the form of sealed ones.
    pub plain: u64,
    /// Sealed values by the id of their key.
    pub sealed: BTreeMap<String, u64>,
    /// Sealed values by their own format.
    pub formats: BTreeMap<String, u64>,
    /// Sealed values by the id of their key, where that is not registered.
    pub lost: BTreeMap<String, u64>,
}

impl SealedState {
    /// Counts a value: one that does not look sealed, or one of these keys, or of a key that is gone.
    pub(super) fn count(&mut self, text: &str, keys: &[String]) {
        self.values += 1;
        if !cipher::is_ours(&self.format) {
            return; // Another program knows the format.
        }
        let token = cipher::token_in(text);
        match cipher::key_id_of(&token) {
            None => self.plain += 1,
            Some(key) => {
                let format = cipher::format_of(&token).unwrap_or_default();
                *self.formats.entry(format.to_owned()).or_default() += 1;
                *self.sealed.entry(key.to_owned()).or_default() += 1;
                if !keys.iter().any(|known| known == key) {
                    *self.lost.entry(key.to_owned()).or_default() += 1;
                }
            }
        }
    }
}
