//! Changes rows: one, or many alike in one statement.

use super::encode::Target;
use super::find::equal;
use super::opened::PostgresTransaction;
use super::{rejection, sql};
use crate::database::rejection::Rejection;
use crate::error::Result;
use crate::row::Value;

impl PostgresTransaction {
    pub(super) fn update(
        &mut self,
        table: &str,
        columns: &[String],
        values: &[Value],
        key_columns: &[&str],
        key: &[Value],
    ) -> Result<Option<Rejection>> {
        if columns.is_empty() {
            return Ok(None);
        }
        self.release()?;
        let names: Vec<String> = key_columns.iter().map(|&column| column.to_owned()).collect();
        let target = Target::of(self, table, columns)?;
        let set = target.forms(values)?;
        if let Some(why) = target.misfit(&set) {
            return Ok(Some(Rejection::Constraint(why)));
        }
        if self.update_held(table, (columns, values), (key_columns, key)) {
            return Ok(None);
        }
        let by = Target::of(self, table, &names)?.forms(key)?;
        let place = |at: usize| format!("${}", at + 1);
        let (sets, conditions) = self.assignments(table, columns, key_columns, place)?;
        let text = format!("UPDATE {} t SET {} WHERE {}", sql::name(table), sets, conditions);
        let bound: Vec<Option<String>> = set.iter().chain(&by).map(super::form::Form::sql_text).collect();
        let bound: Vec<Option<&str>> = bound.iter().map(Option::as_deref).collect();
        self.on(|session| session.run("SAVEPOINT change"))?;
        match self.session.try_execute(&text, &bound) {
            Ok(changed) => {
                self.on(|session| session.run("RELEASE change"))?;
                self.state.held.ripen();
                Ok(match changed {
                    0 => Some(Rejection::Discarded),
                    1 => None,
                    rows => Some(Rejection::Several(rows as usize)),
                })
            }
            Err(error) => match error.as_db_error() {
                Some(server) if rejection::is_about_rows(&error) => {
                    self.on(|session| session.run("ROLLBACK TO change; RELEASE change"))?;
                    rejection::plain(self, server, table).map(Some)
                }
                _ => Err(self.session.place.words(error.into())),
            },
        }
    }

    /// Under a savepoint that is undone. What is unique is checked after all else.
    pub(super) fn would_reject_update(
        &mut self,
        table: &str,
        columns: &[String],
        values: &[Value],
        key_columns: &[&str],
        key: &[Value],
    ) -> Result<Option<Rejection>> {
        self.release()?;
        // Most rows do not wait, and then nothing of those that do is changed.
        let held = self.state.held.find(table, key_columns, key).map(|_| self.state.held.clone());
        self.on(|session| session.run("SAVEPOINT together"))?;
        let why = self.update(table, columns, values, key_columns, key)?;
        if let Some(held) = held {
            self.state.held = held;
        }
        self.on(|session| session.run("ROLLBACK TO together; RELEASE together"))?;
        Ok(why.filter(|why| !matches!(why, Rejection::Unique { .. })))
    }

    /// In one statement, if that changes each row once; else one after the other, so that each has its own verdict.
    pub(super) fn update_all(
        &mut self,
        table: &str,
        columns: &[String],
        key_columns: &[&str],
        rows: &[(&[Value], &[Value])],
    ) -> Result<Vec<Option<Rejection>>> {
        if rows.len() > 1 && self.update_at_once(table, columns, key_columns, rows)? {
            return Ok(vec![None; rows.len()]);
        }
        rows.iter().map(|(values, key)| self.update(table, columns, values, key_columns, key)).collect()
    }

    /// Whether it changed each of these rows once; if not, nothing is changed.
    fn update_at_once(
        &mut self,
        table: &str,
        columns: &[String],
        key_columns: &[&str],
        rows: &[(&[Value], &[Value])],
    ) -> Result<bool> {
        self.release()?;
        if columns.is_empty() || self.state.held.rows_of(table) > 0 {
            return Ok(false);
        }
        let names: Vec<String> = key_columns.iter().map(|&column| column.to_owned()).collect();
        let (target, by) = (Target::of(self, table, columns)?, Target::of(self, table, &names)?);
        let mut lists = vec![Vec::with_capacity(rows.len()); columns.len() + names.len()];
        for (values, key) in rows {
            let (set, key) = (target.forms(values)?, by.forms(key)?);
            if target.misfit(&set).is_some() {
                return Ok(false);
            }
            lists.iter_mut().zip(set.iter().chain(&key)).for_each(|(list, form)| list.push(form.sql_text()));
        }
        let (sets, conditions) = self.assignments(table, columns, key_columns, |at| format!("v.v{at}"))?;
        let text = format!(
            "UPDATE {} t SET {} FROM unnest({}) WITH ORDINALITY v({}, n) WHERE {} RETURNING v.n::int8",
            sql::name(table),
            sets,
            (1..=lists.len()).map(|at| format!("${at}::text[]")).collect::<Vec<_>>().join(", "),
            (0..lists.len()).map(|at| format!("v{at}")).collect::<Vec<_>>().join(", "),
            conditions
        );
        self.on(|session| session.run("SAVEPOINT change"))?;
        let is_done = match self.session.try_query_lists(&text, &lists) {
            Ok(changed) => {
                let mut changed: Vec<i64> = changed.iter().map(|row| row.get(0)).collect();
                changed.sort_unstable();
                changed.into_iter().eq((1..).take(rows.len()))
            }
            Err(error) if rejection::is_about_rows(&error) => false,
            Err(error) => return Err(self.session.place.words(error.into())),
        };
        let end = if is_done { "RELEASE change" } else { "ROLLBACK TO change; RELEASE change" };
        self.on(|session| session.run(end))?;
        if is_done {
            self.state.held.ripen();
        }
        Ok(is_done)
    }
    /// What an UPDATE sets, and which row of the table it is about; `value` names a value by its place, those of the key behind
    /// the others.
    fn assignments(
        &self,
        table: &str,
        columns: &[String],
        key_columns: &[&str],
        value: impl Fn(usize) -> String,
    ) -> Result<(String, String)> {
        let (mut sets, mut conditions) = (Vec::new(), Vec::new());
        for (at, column) in columns.iter().enumerate() {
            // The column's length is not part of the cast: it would cut.
            sets.push(format!("{} = {}::{}", sql::name(column), value(at), sql::base(self.declared(table, column)?)));
        }
        for (at, column) in (columns.len()..).zip(key_columns) {
            conditions.push(format!("t.{}", equal(column, self.declared(table, column)?, &value(at))));
        }
        Ok((sets.join(", "), conditions.join(" AND ")))
    }
}
