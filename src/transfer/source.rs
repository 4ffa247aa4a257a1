//! The database that is transferred, as it is at one moment.

use super::outcome::LeftBehind;
use crate::database::upkeep::Survey;
use crate::database::{Cell, Dialect, Reader, SealedColumn};
use crate::error::{Error, Result};
use crate::mapping::model::Set;
use crate::migrations::ManagedDatabase;
use crate::table::{Schema, Table};
use std::collections::BTreeMap;

/// What treelift keeps beside ledger and keys: the audit trail of a set that has no table for it, and rows that were
/// moved aside.
const BESIDE: [&str; 2] = ["treelift_audit", "treelift_orphans"];

/// An open database, and its mapping set.
pub(super) struct Source<'s> {
    pub(super) set: &'s Set,
    pub(super) reader: Box<dyn Reader>,
    pub(super) dialect: Dialect,
    pub(super) url: &'s str,
    pub(super) survey: Survey,
}

impl<'s> Source<'s> {
    /// Opens it.
    ///
    /// # Errors
    /// Where it is not there, where its schema is not what the set's migrations make, or where keys and registry are not as
    /// treelift left them.
    pub(super) fn open(managed: &'s ManagedDatabase) -> Result<Self> {
        let database = managed.database();
        let (set, url) = (managed.set(), database.url());
        let status = managed.status()?;
        status.standing.refuse(url)?;
        if status.exists && (status.is_needed() || !status.drift.is_empty()) {
            let why = status.drift.first().cloned().unwrap_or_else(|| format!("{} not applied", status.pending));
            return Err(Error::environment(format!(
                "the schema is not what the migrations of `{}` make: {why}",
                set.name
            ))
            .at(url)
            .hint("`treelift schema status` lists the differences; bring the schema to the newest migration first"));
        }
        let reader = database.read()?.ok_or_else(|| database.missing())?;
        reader.hold()?;
        let mut survey = reader.survey()?;
        survey.catalog.schema.write_as(&set.written);
        if let Some(wrong) = survey.seals.disagreements(&reader.unregistered()?).first() {
            return Err(Error::environment(wrong.clone())
                .at(url)
                .hint("`treelift credentials verify` tells more; nothing was transferred"));
        }
        survey.seals.check_without_key()?;
        Ok(Self { set, dialect: reader.dialect(), survey, reader, url })
    }

    /// Its table of this name.
    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.survey.catalog.schema.table(name)
    }

    /// What stays behind: tables of other programs, and what treelift keeps beside ledger and keys.
    pub(super) fn left_behind(&self, expected: &Schema) -> Vec<LeftBehind> {
        let others = self.survey.counts.iter().filter(|(name, _)| expected.table(name).is_none());
        let beside = self.survey.own.iter().filter(|(name, rows)| BESIDE.contains(&name.as_str()) && **rows > 0);
        others.chain(beside).map(|(name, rows)| LeftBehind { name: name.clone(), rows: *rows }).collect()
    }

    /// The columns that sealed values are bound to, by table.
    pub(super) fn bound(&self) -> Result<BTreeMap<String, Vec<String>>> {
        let mut bound: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for registered in self.reader.registered()? {
            let SealedColumn { table, key_columns, .. } = registered.column;
            bound.entry(table).or_default().extend(key_columns);
        }
        Ok(bound)
    }

    /// The rows of a table of the ledger, all or those whose column has this value; none where it is not there.
    pub(super) fn rows(&self, table: &str, columns: &[&str], of: Option<(&str, i64)>) -> Result<Vec<Vec<Cell>>> {
        let mut rows = Vec::new();
        if self.survey.own.contains_key(table) {
            self.reader.each_row(table, columns, of, &mut |row| rows.push(row))?;
        }
        Ok(rows)
    }
}
