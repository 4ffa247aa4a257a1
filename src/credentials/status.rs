//! What each column holds, without any secret and without showing a value.

use super::columns::{ColumnName, Look, look, suspects};
use super::existing;
use crate::database::cells::{Registered, Stored};
use crate::database::ledger::EARLIER_TABLE;
use crate::database::sealed::CountDifference;
use crate::database::{Database, Reader, SealedColumn};
use crate::error::Result;
use crate::secret::keys::{ACTIVE, KeyRow, RETIRED, is_key_id, kind_of};
use crate::table::Table;
use secrecy::ExposeSecret;
use serde::Serialize;
use std::collections::BTreeMap;

/// What [`status`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The database.
    pub target: String,
    /// The registered keys.
    pub keys: Vec<KeyStatus>,
    /// Registered columns, and others whose names look like secrets and that are not empty.
    pub columns: Vec<ColumnStatus>,
    /// How many values are stored in plaintext.
    pub plain: u64,
    /// How many values are sealed under keys that are not registered, and so cannot be opened.
    pub lost: u64,
    /// How many values are sealed under a registered key that is not the active one: no command opens them.
    pub not_active: u64,
    /// What is wrong with the proof of keys and registry, as far as that shows without a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Where keys, registry and sealed values do not belong together, as far as that shows without a key.
    pub disagreements: Vec<String>,
    /// Tables with another number of sealed values than when treelift last sealed.
    pub differences: Vec<CountDifference>,
}

impl Status {
    /// The keys that are not registered and that values are sealed under, with how many and in which
    /// columns.
    pub fn lost_keys(&self) -> BTreeMap<&str, (u64, Vec<&ColumnStatus>)> {
        let mut keys: BTreeMap<&str, (u64, Vec<&ColumnStatus>)> = BTreeMap::new();
        for column in &self.columns {
            for (key, values) in &column.unknown_key {
                let (all, columns) = keys.entry(key).or_default();
                *all += values;
                columns.push(column);
            }
        }
        keys
    }
}

/// A registered key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyStatus {
    /// Its id.
    pub id: String,
    /// `active` or `retired`.
    pub state: String,
    /// What opens it: a passphrase, a key file, or something unknown.
    pub opens_with: String,
    /// How many values were sealed under it.
    pub seal_count: i64,
    /// When it was made, in UTC.
    pub created_at: String,
}

/// What a column holds, in numbers of cells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ColumnStatus {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The rows, where only some rows of the column are sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<BTreeMap<String, String>>,
    /// The registered format; none for a column whose name only looks like a secret.
    pub format: Option<String>,
    /// Sealed values by the id of their key.
    pub sealed: BTreeMap<String, u64>,
    /// Sealed values by the id of their key, where that is not registered.
    pub unknown_key: BTreeMap<String, u64>,
    /// Tokens of Fernet.
    pub fernet: u64,
    /// Password hashes, which do not count as plaintext.
    pub hashes: u64,
    /// Plaintext.
    pub plain: u64,
    /// Empty texts.
    pub empty: u64,
    /// NULL.
    pub null: u64,
}

impl ColumnStatus {
    /// Whether the column holds nothing that could be read or opened.
    fn is_blank(&self) -> bool {
        self.sealed.is_empty() && self.lost() + self.fernet + self.hashes + self.plain == 0
    }

    fn not_under(&self, active: &[&str]) -> u64 {
        self.sealed.iter().filter(|(key, _)| !active.contains(&key.as_str())).map(|(_, values)| values).sum()
    }

    /// How many values are sealed under keys that are not registered.
    pub fn lost(&self) -> u64 {
        self.unknown_key.values().sum()
    }
}

/// Counts every registered column, and those whose names look like secrets.
pub fn status(database: &dyn Database, except: &[ColumnName]) -> Result<Status> {
    let cells = existing(database)?;
    let keys = cells.keys()?;
    let record = cells.seal_record()?;
    let active: Vec<&str> = keys.iter().filter(|row| row.state == ACTIVE).map(|row| row.id.as_str()).collect();
    let tables: Vec<Table> = cells.catalog()?.schema.tables.into_values().collect();
    // As the registry has it: what is wrong with it is reported, and keeps nothing from being counted.
    let registered =
        record.columns.iter().map(|state| Registered { column: state.column.clone(), format: state.format.clone() });
    let registered: Vec<Registered> = registered.collect();
    let mut columns = Vec::new();
    for Registered { column, format } in &registered {
        let filtered = column.row_filter.iter().flatten().map(|(name, _)| name);
        let table = tables.iter().find(|table| table.name == column.table);
        // Earlier values of rows that imports updated are in a table of treelift's own.
        let is_there = |table: &Table| filtered.chain([&column.column]).all(|name| table.column(name).is_some());
        if column.table == EARLIER_TABLE || table.is_some_and(is_there) {
            // Keys are not needed to count.
            let column = SealedColumn { key_columns: vec![column.column.clone()], ..column.clone() };
            columns.push(count(&*cells, &column, Some(format), &keys)?);
        }
    }
    for column in suspects(&tables, &registered) {
        if except.contains(&ColumnName::of(&column)) {
            continue; // excluded by the caller
        }
        let counted = count(&*cells, &column, None, &keys)?;
        if !counted.is_blank() {
            columns.push(counted);
        }
    }
    Ok(Status {
        target: database.url().to_owned(),
        plain: columns.iter().map(|column| column.plain).sum(),
        lost: columns.iter().map(ColumnStatus::lost).sum(),
        not_active: columns.iter().map(|column| column.not_under(&active)).sum(),
        proof: record.check_proof().err().map(|error| error.message),
        disagreements: record.disagreements(&cells.unregistered()?),
        differences: record.differences(),
        keys: keys.iter().map(key_status).collect(),
        columns,
    })
}

/// Only texts in their expected form are repeated: a damaged row may hold anything.
fn key_status(row: &KeyRow) -> KeyStatus {
    let shown = |text: &str, is_sound: bool| if is_sound { text.to_owned() } else { "damaged".to_owned() };
    let is_time = |text: &str| text.len() == 26 && text.bytes().all(|byte| b"0123456789-: .".contains(&byte));
    KeyStatus {
        id: shown(&row.id, is_key_id(&row.id)),
        state: shown(&row.state, row.state == ACTIVE || row.state == RETIRED),
        opens_with: kind_of(row).map_or_else(|| "unknown".to_owned(), |kind| kind.to_string()),
        seal_count: row.seal_count,
        created_at: shown(&row.created_at, is_time(&row.created_at)),
    }
}

/// Counts the cells of a column by what they look like.
pub(super) fn count(
    cells: &dyn Reader,
    column: &SealedColumn,
    format: Option<&str>,
    keys: &[KeyRow],
) -> Result<ColumnStatus> {
    let mut counted = ColumnStatus {
        table: column.table.clone(),
        column: column.column.clone(),
        rows: column.row_filter.clone(),
        format: format.map(str::to_owned),
        ..ColumnStatus::default()
    };
    for cell in cells.cells(column)? {
        let text = match &cell.value {
            Stored::Null => {
                counted.null += 1;
                continue; // counted
            }
            Stored::Other(_) => {
                counted.plain += 1;
                continue; // counted
            }
            Stored::Text(text) => text.expose_secret(),
        };
        match look(text, format) {
            Look::Sealed(key) if keys.iter().any(|row| row.id == key) => {
                *counted.sealed.entry(key.to_owned()).or_default() += 1;
            }
            Look::Sealed(key) => *counted.unknown_key.entry(key.to_owned()).or_default() += 1,
            Look::Fernet => counted.fernet += 1,
            Look::Hash => counted.hashes += 1,
            Look::Plain => counted.plain += 1,
            Look::Empty => counted.empty += 1,
        }
    }
    Ok(counted)
}
