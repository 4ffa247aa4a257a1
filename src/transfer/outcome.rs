//! What came of a transfer.

use std::collections::BTreeMap;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Transferred {
    /// The database that was read, as it may be shown.
    pub from: String,
    /// The one that was made.
    pub to: String,
    /// Each table with its rows.
    pub tables: Vec<TransferredTable>,
    /// What of the ledger.
    pub ledger: TransferredLedger,
    /// How many keys.
    pub keys: u64,
    /// How many columns of sealed values are registered.
    pub sealed_columns: u64,
    /// Tables that stay behind, with how many rows: no migration of the set makes them.
    pub left: Vec<LeftBehind>,
    /// Whether everything was rolled back.
    pub dry_run: bool,
}

/// A table that was transferred.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TransferredTable {
    /// Its name.
    pub name: String,
    /// How many rows, read again and compared.
    pub rows: u64,
    /// By column: how many values the new database writes in another form of the same meaning.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rewritten: BTreeMap<String, u64>,
}

/// What of the ledger was transferred.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct TransferredLedger {
    /// Runs.
    pub runs: u64,
    /// Records of rows that runs wrote.
    pub rows: u64,
    /// Rows that were edited since their run, and count as edited there, too.
    pub edited: u64,
}

/// A table that stays behind.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LeftBehind {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
}

impl Transferred {
    /// All rows of the application.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}
