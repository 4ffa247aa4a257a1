//! Finds rows of the database that a run writes into.

use super::form::{self, Form};
use super::opened::PostgresTransaction;
use super::{catalog, sql};
use crate::database::Cell;
use crate::error::Result;
use crate::row::Value;
use crate::table::ColumnType;
use postgres::Row;

/// So many keys are asked for at once.
const AT_ONCE: usize = 20_000;

/// The cells of a row, whose columns were cast to text, from this column on.
pub(super) fn cells(row: &Row, first: usize, kinds: &[ColumnType]) -> Vec<Cell> {
    kinds.iter().enumerate().map(|(at, kind)| form::cell(row.get::<_, Option<&str>>(first + at), *kind)).collect()
}

/// A comparison of a column with a value that is bound as text. JSON has no `=` of its own.
pub(super) fn equal(column: &str, declared: &str, value: &str) -> String {
    match sql::base(declared).as_str() {
        "JSON" => format!("{}::text = {value}::text", sql::name(column)),
        base => format!("{} = {value}::{base}", sql::name(column)),
    }
}

impl PostgresTransaction {
    pub(super) fn rows_before(&self, table: &str) -> u64 {
        self.state.before.get(table).copied().unwrap_or(0)
    }

    /// The highest id ever given: that of a row, or of one that was deleted, which the sequence remembers.
    pub(super) fn highest_id(&self, table: &str, column: &str) -> Result<i64> {
        self.kind(table, column)?;
        let sequence = self.sequence(table, column)?;
        self.on(|session| {
            let text = format!("SELECT max({})::int8 FROM {}", sql::name(column), sql::name(table));
            let stored: Option<i64> = session.first(&text, &[])?.and_then(|row| row.get(0));
            let given = match sequence {
                Some(sequence) => {
                    let text = "SELECT CASE WHEN has_sequence_privilege($1, 'USAGE') THEN pg_sequence_last_value($1::regclass) END";
                    session.first(text, &[Some(&sequence)])?.and_then(|row| row.get::<_, Option<i64>>(0))
                }
                None => None,
            };
            Ok(stored.max(given).unwrap_or(0).max(0))
        })
    }

    /// The sequence that counts a column.
    pub(super) fn sequence(&self, table: &str, column: &str) -> Result<Option<String>> {
        let all = match self.state.sequences.get() {
            Some(all) => all,
            None => {
                let all = self.on(catalog::sequences)?;
                self.state.sequences.get_or_init(|| all)
            }
        };
        Ok(all.get(&(table.to_owned(), column.to_owned())).cloned())
    }

    /// In the table, and among the rows that wait to be written.
    pub(super) fn find(
        &self,
        table: &str,
        key_columns: &[&str],
        wanted: &[&str],
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Vec<Cell>>>> {
        let mut found = self.stored(table, key_columns, wanted, keys)?;
        if self.state.held.rows_of(table) > 0 {
            for (cells, key) in found.iter_mut().zip(keys).filter(|(cells, _)| cells.is_none()) {
                *cells = self.find_held(table, key_columns, wanted, key);
            }
        }
        Ok(found)
    }

    /// All keys in one question: the server joins them with the table by an index, or in one pass.
    pub(super) fn stored(
        &self,
        table: &str,
        key_columns: &[&str],
        wanted: &[&str],
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Vec<Cell>>>> {
        let key_kinds = key_columns.iter().map(|column| self.kind(table, column)).collect::<Result<Vec<_>>>()?;
        let kinds = wanted.iter().map(|column| self.kind(table, column)).collect::<Result<Vec<_>>>()?;
        let mut conditions = Vec::new();
        for (at, column) in key_columns.iter().enumerate() {
            conditions.push(format!("t.{}", equal(column, self.declared(table, column)?, &format!("k.k{at}"))));
        }
        let lists: Vec<String> = (1..=key_columns.len()).map(|at| format!("${at}::text[]")).collect();
        let names: Vec<String> = (0..key_columns.len()).map(|at| format!("k{at}")).collect();
        let cells_of: Vec<String> = wanted.iter().map(|column| format!(", t.{}::text", sql::name(column))).collect();
        let text = format!(
            "SELECT DISTINCT ON (k.n) k.n::int8{} FROM unnest({}) WITH ORDINALITY k({}, n) JOIN {} t ON {} ORDER BY k.n, t.ctid",
            cells_of.concat(),
            lists.join(", "),
            names.join(", "),
            sql::name(table),
            conditions.join(" AND ")
        );
        let mut found = vec![None; keys.len()];
        for (chunk, first) in keys.chunks(AT_ONCE).zip((0..).step_by(AT_ONCE)) {
            let mut asked = Vec::with_capacity(chunk.len());
            let mut lists = vec![Vec::with_capacity(chunk.len()); key_columns.len()];
            for (at, key) in chunk.iter().enumerate() {
                let forms: Option<Vec<Form<'_>>> =
                    key.iter().zip(&key_kinds).map(|(value, kind)| form::of(value, *kind)).collect();
                // A value that the column would not keep is in no row.
                let Some(parts) = forms.and_then(|forms| parts(&forms)) else { continue };
                asked.push(first + at);
                lists.iter_mut().zip(parts).for_each(|(list, part)| list.push(Some(part)));
            }
            if asked.is_empty() {
                continue;
            }
            for row in self.on(|session| session.query_lists(&text, &lists))? {
                let number = row.get::<_, i64>(0).unsigned_abs() as usize - 1;
                found[asked[number]] = Some(cells(&row, 1, &kinds));
            }
        }
        Ok(found)
    }

    pub(super) fn select(&self, table: &str, wanted: &[&str], scope: Option<(&str, &Value)>) -> Result<Vec<Vec<Cell>>> {
        let kinds = wanted.iter().map(|column| self.kind(table, column)).collect::<Result<Vec<_>>>()?;
        let wanted = if wanted.is_empty() { "1".to_owned() } else { sql::texts(wanted) };
        let mut text = format!("SELECT {wanted} FROM {}", sql::name(table));
        let mut bound = Vec::new();
        if let Some((column, value)) = scope {
            let Some(form) = form::of(value, self.kind(table, column)?) else { return Ok(Vec::new()) };
            match form.sql_text() {
                None => text.push_str(&format!(" WHERE {} IS NULL", sql::name(column))),
                Some(value) if value.contains('\0') => return Ok(Vec::new()),
                Some(value) => {
                    text.push_str(&format!(" WHERE {}", equal(column, self.declared(table, column)?, "$1")));
                    bound.push(value);
                }
            }
        }
        let bound: Vec<Option<&str>> = bound.iter().map(|value| Some(value.as_str())).collect();
        let rows = self.on(|session| session.query(&text, &bound))?;
        Ok(rows.iter().map(|row| cells(row, 0, &kinds)).collect())
    }
}

/// The texts of a key that some row may have: no NULL, and no U+0000.
fn parts(forms: &[Form<'_>]) -> Option<Vec<String>> {
    forms.iter().map(|form| form.sql_text().filter(|text| !text.contains('\0'))).collect()
}
