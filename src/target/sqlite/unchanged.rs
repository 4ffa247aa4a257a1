//! Whether a row is as a run left it.

use super::{read, sql};
use crate::table::{Column, Table};
use crate::target::Cell;
use crate::target::ledger::{RunRecord, Written, digest};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeSet, HashMap};

/// What is to become of a row when its run is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is not there any more.
    Gone,
    /// The run inserted it.
    Remove,
    /// The run filled columns of it.
    Empty,
    /// It is not as the run left it.
    Changed,
}

/// Judges rows of one table.
pub(super) struct Judge<'j> {
    table: &'j Table,
    /// The ledger's lists of columns by their number.
    columns: &'j HashMap<i64, Written>,
    /// Selects the cells of a row, and for each column whether it holds its default.
    select: String,
}

/// What the ledger says of a row: the number of the columns, and their digest.
type Noted = (i64, Option<Vec<u8>>);

impl<'j> Judge<'j> {
    pub(super) fn new(table: &'j Table, columns: &'j HashMap<i64, Written>, run: &RunRecord) -> Self {
        let names = table.columns.iter().map(|column| sql::name(&column.name));
        let defaults = table.columns.iter().map(|column| is_default(column, run));
        let wanted: Vec<String> = names.chain(defaults).collect();
        let key = sql::equal(&table.primary_key(), 1);
        let select = format!("SELECT {} FROM {} WHERE {key}", wanted.join(", "), sql::name(&table.name));
        Self { table, columns, select }
    }

    /// Judges the row of a ledger's key.
    pub(super) fn row(&self, conn: &Connection, key: &str, noted: &[Noted]) -> rusqlite::Result<Fate> {
        let Some(parts) = read::split_key(self.table, key) else { return Ok(Fate::Gone) };
        let many = self.table.columns.len();
        // Text compared with a column of a number is converted to it first ("Datatypes In SQLite", 4.2).
        let stored = conn.prepare_cached(&self.select)?.query_row(rusqlite::params_from_iter(parts), |row| {
            let defaults = (many..2 * many).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<bool>>>()?;
            Ok((read::cells(row, 0..many)?, defaults))
        });
        let Some((cells, defaults)) = stored.optional()? else { return Ok(Fate::Gone) };
        Ok(self.fate(noted, &cells, &defaults))
    }

    fn fate(&self, noted: &[Noted], cells: &[Cell], defaults: &[bool]) -> Fate {
        let written = |noted: &Noted| self.columns.get(&noted.0);
        let filled: BTreeSet<&str> = noted
            .iter()
            .filter_map(written)
            .filter(|written| written.filled)
            .flat_map(|written| written.digested.iter().map(String::as_str))
            .collect();
        let mut fate = Fate::Empty;
        for one in noted {
            let Some(written) = written(one) else { return Fate::Changed };
            // What was filled later was NULL when the row was inserted.
            let stored = |column: &'j str| match !written.filled && filled.contains(column) {
                true => Some((column, None)),
                false => Some((column, cells[self.position(column)?].text())),
            };
            let Some(texts) = written.digested.iter().map(|column| stored(column)).collect::<Option<Vec<_>>>() else {
                return Fate::Changed; // a column is there no more
            };
            if one.1.as_deref() != Some(&digest(texts.into_iter())[..]) {
                return Fate::Changed;
            }
            if !written.filled {
                let untouched = |column: &Column| {
                    column.primary_key == 0
                        && !filled.contains(column.name.as_str())
                        && !written.digested.contains(&column.name)
                        && !written.others.contains(&column.name)
                };
                let mut left = self.table.columns.iter().zip(defaults).filter(|(column, _)| untouched(column));
                if left.any(|(_, is_default)| !is_default) {
                    return Fate::Changed;
                }
                fate = Fate::Remove;
            }
        }
        fate
    }

    fn position(&self, column: &str) -> Option<usize> {
        self.table.columns.iter().position(|known| known.name == column)
    }
}

/// An SQL expression for whether a column that a run did not write holds what the database gave it.
/// Of an expression that gives another value each time nobody can say that: it holds.
fn is_default(column: &Column, run: &RunRecord) -> String {
    let name = sql::name(&column.name);
    let between = |form: &str| {
        let text = |time: Timestamp| time.strftime(form).to_string();
        format!("{name} BETWEEN '{}' AND '{}'", text(run.started), text(run.finished))
    };
    let Some(default) = column.default.as_deref() else { return format!("{name} IS NULL") };
    match default.to_ascii_uppercase().as_str() {
        "CURRENT_TIMESTAMP" => between("%Y-%m-%d %H:%M:%S"),
        "CURRENT_DATE" => between("%Y-%m-%d"),
        // `IS TRUE` would ask for something else; behind a `+` it is a value.
        "NULL" | "TRUE" | "FALSE" => format!("{name} IS +{default}"),
        _ if default.starts_with(|c: char| c.is_ascii_digit() || "'+-.".contains(c)) => format!("{name} IS +{default}"),
        _ => "1".to_owned(),
    }
}
