//! What must hold before sealed values are worked with, and the proof of it that is written after.

use super::sealed_column::{SealedColumn, SealedState};
use crate::error::{Error, Result};
use crate::secret::cipher::FORMAT;
use crate::secret::keys::{DataKey, KeyRow};
use crate::secret::registry::Registry;
use std::collections::{BTreeMap, BTreeSet};

/// The words for a proof that was removed.
pub const NO_PROOF: &str = "the HMAC of the keys and sealed columns is missing from `treelift_state`";

/// The keys, the registry of sealed columns with its proof, and what the columns hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealRecord {
    /// Keys and registry.
    pub registry: Registry,
    /// What each registered column holds, seen without a key.
    pub columns: Vec<SealedState>,
    /// The database, as the user named it: the place of what is wrong with it.
    pub place: String,
}

/// A table that has another number of sealed values than when treelift last sealed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CountDifference {
    /// The table.
    pub table: String,
    /// How many it had.
    pub had: u64,
    /// How many it has.
    pub has: u64,
}

/// A column with values that look sealed and that no row of the registry covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unregistered {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// How many.
    pub values: u64,
    /// The format that the column is registered with, where that is none of treelift's.
    pub format: Option<String>,
}

impl std::fmt::Display for Unregistered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, column, values, format } = self;
        let (look, values) =
            (if *values == 1 { "looks" } else { "look" }, crate::report::words::count(*values, "value"));
        write!(f, "{values} of `{table}.{column}` {look} sealed, and ")?;
        match format {
            Some(format) => write!(f, "`treelift_sealed_columns` has the column as `{format}`"),
            None => f.write_str("`treelift_sealed_columns` does not list them"),
        }
    }
}

impl SealRecord {
    /// What shows without a key: that keys, registry and sealed values do not belong together. Values whose key
    /// is missing or not active, and a missing proof, are reported by themselves.
    pub fn disagreements(&self, unregistered: &[Unregistered]) -> Vec<String> {
        let Self { registry, columns, .. } = self;
        let mut wrong: Vec<String> = registry.active().err().map(|error| error.message).into_iter().collect();
        if registry.keys.is_empty() && registry.hmac.is_some() {
            wrong.push("`treelift_keys` has no key, and `treelift_state` has an HMAC of keys".to_owned());
        }
        if !registry.is_as_proved() {
            wrong.push(
                "`treelift_keys`, `treelift_sealed_columns` or the counts of sealed values are not as treelift left them: their digest does not match"
                    .to_owned(),
            );
        }
        for row in &registry.columns {
            let name = format!("`{}.{}`", row.table, row.column);
            let damaged = SealedColumn::of(row).1.into_iter();
            wrong.extend(damaged.map(|what| format!("`treelift_sealed_columns` is damaged: `{what}` of {name}")));
        }
        for state in columns {
            wrong.extend(state.missing.iter().map(|name| {
                format!(
                    "`treelift_sealed_columns` names the column `{}.{name}`, which does not exist",
                    state.column.table
                )
            }));
        }
        let counts =
            registry.counts.as_deref().and_then(|text| serde_json::from_str::<BTreeMap<String, u64>>(text).ok());
        for (table, had) in counts.into_iter().flatten().filter(|(_, had)| *had > 0) {
            if !registry.columns.iter().any(|row| row.table == table) {
                let had = crate::report::words::count(had, "sealed value");
                wrong.push(format!(
                    "`{table}` had {had} when treelift last sealed, and `treelift_sealed_columns` lists none of its columns"
                ));
            }
        }
        wrong.extend(unregistered.iter().map(ToString::to_string));
        wrong
    }

    /// The one active key; `None` where there is no key at all.
    pub fn active(&self) -> Result<Option<&KeyRow>> {
        self.registry.active()
    }

    /// Refuses what shows, with the opened key, that another program changed keys or registry.
    pub fn check(&self, key: &DataKey) -> Result<()> {
        self.registry.verify(key).map_err(|error| error.at(&self.place))?;
        self.check_without_key()
    }

    /// Refuses what shows without a key: values under another key than the active one, and values of the
    /// second format in a database without a proof.
    pub fn check_without_key(&self) -> Result<()> {
        self.check_proof()?;
        self.check_strays()
    }

    /// Refuses a database that has values of the second format and no proof: it was removed.
    pub fn check_proof(&self) -> Result<()> {
        if self.registry.hmac.is_none() && self.columns.iter().any(|state| state.formats.contains_key(FORMAT)) {
            return Err(Error::environment(NO_PROOF).at(&self.place).hint("restore a backup of the whole database"));
        }
        Ok(())
    }

    fn check_strays(&self) -> Result<()> {
        let Some(active) = self.active()? else { return Ok(()) };
        let errors = self.strays(&active.id).into_iter().map(|(column, key, values)| {
            let registered = self.registry.keys.iter().any(|row| row.id == key);
            let why = if registered { "which is not the active key" } else { "which is not in `treelift_keys`" };
            let (values, are) = counted(values);
            Error::environment(format!("{values} of {column} {are} sealed under key `{key}`, {why}"))
                .at(&self.place)
                .hint("restore a backup of the whole database that has the key as its active key")
        });
        Error::all(errors.collect()).map_or(Ok(()), Err)
    }

    /// The proof under this key, and the counts that it covers.
    pub fn proof(mut self, key: &DataKey) -> Result<(String, String)> {
        let counts = self.counts();
        self.registry.counts = Some(counts.clone());
        Ok((counts, self.registry.hmac_under(key)?))
    }

    /// How many sealed values each table has, as it is proved: compact JSON, by name.
    pub fn counts(&self) -> String {
        serde_json::json!(self.by_table()).to_string()
    }

    /// Tables that have another number of sealed values than when the proof was written. The application
    /// may have deleted rows.
    pub fn differences(&self) -> Vec<CountDifference> {
        let written = self.registry.counts.as_deref();
        let Some(had) = written.and_then(|text| serde_json::from_str::<BTreeMap<String, u64>>(text).ok()) else {
            return Vec::new();
        };
        let now = self.by_table();
        let tables: BTreeSet<&String> = had.keys().chain(now.keys()).collect();
        let count = |counts: &BTreeMap<String, u64>, table: &String| counts.get(table).copied().unwrap_or_default();
        tables
            .into_iter()
            .map(|table| CountDifference { table: table.clone(), had: count(&had, table), has: count(&now, table) })
            .filter(|difference| difference.had != difference.has)
            .collect()
    }

    fn by_table(&self) -> BTreeMap<String, u64> {
        let mut tables = BTreeMap::new();
        for state in &self.columns {
            *tables.entry(state.column.table.clone()).or_default() += state.sealed.values().sum::<u64>();
        }
        tables.retain(|_, values| *values > 0);
        tables
    }

    /// Values that are not under the active key, by column and key.
    pub fn strays(&self, active: &str) -> Vec<(String, String, u64)> {
        let all =
            self.columns.iter().flat_map(|state| state.sealed.iter().map(move |(key, values)| (state, key, *values)));
        all.filter(|(_, key, _)| *key != active)
            .map(|(state, key, values)| (state.column.to_string(), key.clone(), values))
            .collect()
    }
}

impl std::fmt::Display for CountDifference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, had, has } = self;
        write!(f, "`{table}` has {has} sealed values, and had {had} when treelift last sealed")
    }
}

fn counted(values: u64) -> (String, &'static str) {
    (crate::report::words::count(values, "value"), if values == 1 { "is" } else { "are" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(table: &str, sealed: &[(&str, u64)], format: &str) -> SealedState {
        SealedState {
            column: SealedColumn { table: table.into(), column: "pin".into(), ..SealedColumn::default() },
            sealed: sealed.iter().map(|(key, values)| ((*key).to_owned(), *values)).collect(),
            formats: [(format.to_owned(), 1)].into(),
            ..SealedState::default()
        }
    }

    fn record(columns: Vec<SealedState>) -> SealRecord {
        let row = |id: &str, state: &str| KeyRow {
            id: id.into(),
            state: state.into(),
            kdf: String::new(),
            key_check: String::new(),
            wrapped_key: String::new(),
            seal_count: 0,
            created_at: String::new(),
            retired_at: None,
        };
        let keys = vec![row("new", "active"), row("old", "retired")];
        SealRecord { registry: Registry { keys, ..Registry::default() }, columns, place: "app.db".to_owned() }
    }

    #[test]
    fn values_under_another_key_are_refused_by_column() {
        let words = |columns| record(columns).check_without_key().map_err(|error| error.to_string());
        assert_eq!(words(vec![state("doors", &[("new", 3)], "tl1")]), Ok(()));
        let refused =
            words(vec![state("doors", &[("new", 3), ("old", 1)], "tl1"), state("keys", &[("gone", 2)], "tl1")]);
        let refused = refused.unwrap_err();
        assert!(refused.contains("1 value of `doors.pin` is sealed under key `old`, which is not the active key"));
        assert!(
            refused.contains("2 values of `keys.pin` are sealed under key `gone`, which is not in `treelift_keys`")
        );
    }

    #[test]
    fn values_of_the_second_format_need_the_proof() {
        let mut record = record(vec![state("doors", &[("new", 1)], "tl2")]);
        let refused = record.check_without_key().unwrap_err().to_string();
        assert!(refused.contains("is missing from `treelift_state`") && refused.contains("app.db"), "{refused}");
        record.registry.hmac = Some(String::new());
        assert!(record.check_without_key().is_ok());
    }

    #[test]
    fn differences_are_told_by_table_and_only_where_counts_were_written() {
        let mut record = record(vec![state("doors", &[("new", 3)], "tl1"), state("safes", &[("new", 1)], "tl1")]);
        assert_eq!((record.counts().as_str(), record.differences()), (r#"{"doors":3,"safes":1}"#, Vec::new()));
        record.registry.counts = Some(r#"{"doors":4,"boxes":2,"safes":1}"#.into());
        let shown: Vec<String> = record.differences().iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "`boxes` has 0 sealed values, and had 2 when treelift last sealed",
                "`doors` has 3 sealed values, and had 4 when treelift last sealed"
            ]
        );
    }
}
