//! Which columns are sealed: those that were named, or those that hold plaintext.

use super::application::Application;
use super::columns::{ColumnName, named, of_set, suspects};
use super::status::count;
use crate::database::cells::FERNET;
use crate::database::{Reader, SealedColumn};
use crate::error::{Error, Result};
use crate::mapping::model::Set;
use crate::secret::cipher::is_ours;
use crate::table::Table;
use serde::Serialize;

/// Which columns are sealed.
#[derive(Debug, Default)]
pub struct Choice<'c> {
    /// `--column`: these and no others.
    pub columns: Vec<ColumnName>,
    /// `--key`: what identifies their rows.
    pub key: Vec<String>,
    /// `--except`: columns that look like secrets and are skipped.
    pub except: Vec<ColumnName>,
    /// `--mappings`: the columns that this set seals.
    pub set: Option<&'c Set>,
    /// `--from`: what the application wrote is opened first.
    pub from: Option<Application>,
    /// `--with-triggers`: although triggers run on what is sealed.
    pub with_triggers: bool,
}

/// Why a column is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It is registered.
    Registered,
    /// It was named.
    Named,
    /// The mapping set seals it.
    MappingSet,
    /// Its name looks like a secret.
    Found,
}

/// A column that holds something that was not sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftColumn {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// How many cells hold it.
    pub values: u64,
    /// Why it was skipped.
    pub reason: String,
}

/// A column that is sealed.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) column: SealedColumn,
    /// Its registered format.
    pub(super) format: Option<String>,
    pub(super) why: Why,
}

/// The columns that are sealed, and those that were skipped although they are not empty.
pub(super) fn choose(cells: &dyn Reader, choice: &Choice<'_>) -> Result<(Vec<Chosen>, Vec<LeftColumn>)> {
    let tables: Vec<Table> = cells.catalog()?.schema.tables.into_values().collect();
    let registered = cells.registered()?;
    let known = |name: &ColumnName| registered.iter().find(|one| ColumnName::of(&one.column) == *name);
    if !choice.columns.is_empty() || choice.set.is_some() {
        let mut chosen = Vec::new();
        for name in &choice.columns {
            let column = named(&tables, name, &choice.key).or_else(|error| match known(name) {
                Some(one) if choice.key.is_empty() => Ok(one.column.clone()),
                _ => Err(error),
            })?;
            chosen.push((column, Why::Named));
        }
        let of_set = choice.set.into_iter().flat_map(of_set);
        let there = |column: &SealedColumn| tables.iter().any(|table| table.name == column.table);
        chosen.extend(of_set.filter(there).map(|column| (column, Why::MappingSet)));
        let chosen = chosen.into_iter().map(|(column, why)| match known(&ColumnName::of(&column)) {
            None => Ok(Chosen { column, format: None, why }),
            Some(one) if one.column.key_columns == column.key_columns || choice.key.is_empty() => {
                Ok(Chosen { column: one.column.clone(), format: Some(one.format.clone()), why })
            }
            Some(one) => Err(Error::request(format!(
                "`{}` is registered with the key {}",
                ColumnName::of(&column),
                one.column.key_columns.join(", ")
            ))),
        });
        return Ok((chosen.collect::<Result<_>>()?, Vec::new()));
    }
    let wanted = |format: &str| if choice.from.is_some() { format == FERNET } else { is_ours(format) };
    let mut chosen: Vec<Chosen> = Vec::new();
    let mut left = Vec::new();
    for one in &registered {
        if wanted(&one.format) {
            let (column, format) = (one.column.clone(), Some(one.format.clone()));
            chosen.push(Chosen { column, format, why: Why::Registered });
            continue; // chosen
        }
        let counted = count(cells, &one.column, Some(&one.format), &[])?;
        if counted.plain > 0 {
            let reason = format!("it holds plaintext among values handed over as `{}`", one.format);
            left.push(left_column(&one.column, counted.plain, reason));
        }
    }
    for all in suspects(&tables, &registered) {
        let name = ColumnName::of(&all);
        if choice.except.contains(&name) {
            continue; // the caller knows it
        }
        let counted = count(cells, &all, None, &[])?;
        let (mine, others, what) = match choice.from {
            None => (counted.plain, counted.fernet + counted.hashes + counted.lost(), "plaintext"),
            Some(_) => (counted.fernet, counted.plain + counted.hashes + counted.lost(), "tokens"),
        };
        match (mine, others) {
            (0, _) => {} // nothing of it is to be sealed here
            (_, 0) => chosen.push(Chosen { column: named(&tables, &name, &[])?, format: None, why: Why::Found }),
            _ => {
                let reason = format!("it holds {what} and other values; name it with `--column` to seal all of them");
                left.push(left_column(&all, mine, reason));
            }
        }
    }
    Ok((chosen, left))
}

fn left_column(column: &SealedColumn, values: u64, reason: String) -> LeftColumn {
    LeftColumn { table: column.table.clone(), column: column.column.clone(), values, reason }
}

/// The chosen columns that have something to be sealed.
pub(super) fn pending(cells: &dyn Reader, chosen: &[Chosen], choice: &Choice<'_>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for one in chosen {
        let counted = count(cells, &one.column, one.format.as_deref(), &[])?;
        let handed_over = counted.fernet + counted.plain;
        if counted.plain > 0 || one.format.is_none() && counted.hashes > 0 || choice.from.is_some() && handed_over > 0 {
            names.push(ColumnName::of(&one.column).to_string());
        }
    }
    Ok(names)
}
