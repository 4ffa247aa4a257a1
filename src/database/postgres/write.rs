//! Changes rows, and what must hold at the end of a transaction.

use super::encode::Target;
use super::find::equal;
use super::opened::PostgresTransaction;
use super::rejection;
use super::{catalog, script, sql};
use crate::database::rejection::Rejection;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::row::Value;
use crate::table::Migration;
use std::collections::BTreeSet;

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
        let mut at = 0;
        let mut place = || {
            at += 1;
            format!("${at}")
        };
        let mut sets = Vec::new();
        for column in columns {
            // The column's length is not part of the cast: it would cut.
            sets.push(format!("{} = {}::{}", sql::name(column), place(), sql::base(self.declared(table, column)?)));
        }
        let mut conditions = Vec::new();
        for column in key_columns {
            conditions.push(equal(column, self.declared(table, column)?, &place()));
        }
        let text = format!("UPDATE {} SET {} WHERE {}", sql::name(table), sets.join(", "), conditions.join(" AND "));
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

    pub(super) fn may_reject(&self, table: &str) -> Result<bool> {
        let foreign = self.state.foreign.iter().any(|trigger| trigger.table == table);
        let checks = self.state.schema.table(table).is_some_and(|table| !table.checks.is_empty());
        let text = "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = $1 AND c.relname = $2 AND (
                        EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
                        OR EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = c.oid AND x.indisunique
                                   AND (x.indpred IS NOT NULL OR x.indexprs IS NOT NULL))
                        OR EXISTS (SELECT 1 FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype = 'x'))";
        Ok(foreign || checks || self.on(|session| session.has(text, &[Some(&session.schema), Some(table)]))?)
    }

    /// Rolls back, in a new database, what is made after the rows.
    pub(super) fn begin_rows(&mut self) -> Result<()> {
        let all = std::mem::take(&mut self.state.after_rows);
        for migration in all.iter().rev() {
            let down = migration.down.as_deref().ok_or_else(|| Error::bug("nothing rolls a migration back"))?;
            self.alter(migration, down)?;
        }
        self.state.after_rows = all;
        Ok(())
    }

    /// Makes it again, once all rows are written.
    pub(super) fn end_rows(&mut self) -> Result<()> {
        let all = std::mem::take(&mut self.state.after_rows);
        if !all.is_empty() {
            // The server alters no table whose rows wait to be judged; what it rejects of them is looked for later, and told
            // with its place, after which this attempt is not committed.
            self.release()?;
            self.close_circles()?;
            if !self.state.held.is_empty() || self.check_deferred()?.is_some() {
                return Ok(());
            }
        }
        all.iter().try_for_each(|migration| self.alter(migration, &migration.up))
    }

    fn alter(&mut self, migration: &Migration, text: &str) -> Result<()> {
        script::run(&self.session, text).map_err(|failure| match interrupt::error() {
            Some(interrupted) => interrupted,
            None => Error::environment(format!(
                "migration `{}` cannot be made after the rows: {}",
                migration.version,
                failure.why()
            ))
            .at(failure.place(&migration.path))
            .hint("remove `after` from its header"),
        })
    }

    /// Lets the references of tables that this transaction made, and those that the application lets wait, be judged at its
    /// end. What is unique is judged at once.
    pub(super) fn defer(&mut self, made: &BTreeSet<String>) -> Result<()> {
        for (table, name, is_deferrable, _) in self.on(catalog::references_by_name)? {
            if made.contains(&table) && !is_deferrable {
                let text = format!(
                    "ALTER TABLE {} ALTER CONSTRAINT {} DEFERRABLE INITIALLY DEFERRED",
                    sql::name(&table),
                    sql::name(&name)
                );
                self.on(|session| session.run(&text))?;
                self.state.deferred.push((table, name));
            }
        }
        let all = self.on(catalog::references_by_name)?.into_iter().filter(|(_, _, is_deferrable, _)| *is_deferrable);
        let (mut names, mut open) = (BTreeSet::new(), Vec::new());
        for (table, name, _, reference) in all {
            names.insert(name);
            open.push((table, reference));
        }
        self.state.open = open;
        let text = "SELECT o.conname::text FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace
                    WHERE n.nspname = $1 AND o.contype IN ('p', 'u', 'x') AND o.condeferrable";
        let rows = self.on(|session| session.query(text, &[Some(&session.schema)]))?;
        let at_once: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        for (names, when) in [(names.into_iter().collect(), "DEFERRED"), (at_once, "IMMEDIATE")] {
            if !names.is_empty() {
                self.on(|session| session.run(&format!("SET CONSTRAINTS {} {when}", sql::names(&names))))?;
            }
        }
        Ok(())
    }

    /// Has the server judge everything that waits for the end, as the commit would, and makes the constraints what they
    /// were; or says why it rejects that. The rows are not known then: nothing names them any more.
    pub(super) fn check_deferred(&mut self) -> Result<Option<String>> {
        self.on(|session| session.run("SAVEPOINT deferred"))?;
        match self.session.try_run("SET CONSTRAINTS ALL IMMEDIATE") {
            Ok(()) => self.on(|session| session.run("RELEASE deferred"))?,
            Err(error) if rejection::is_about_rows(&error) => {
                self.on(|session| session.run("ROLLBACK TO deferred; RELEASE deferred"))?;
                return Ok(Some(rejection::at_the_end(&error)));
            }
            Err(error) => return Err(self.session.place.words(error.into())),
        }
        self.settle().map(|()| None)
    }

    /// Has the server judge everything that waits, and makes the constraints what they were.
    ///
    /// # Errors
    /// Where a row references a missing one: then nothing can be committed.
    pub(super) fn settle(&mut self) -> Result<()> {
        self.on(|session| session.run("SET CONSTRAINTS ALL IMMEDIATE"))?;
        self.state.open.clear();
        for (table, name) in std::mem::take(&mut self.state.deferred) {
            let text =
                format!("ALTER TABLE {} ALTER CONSTRAINT {} NOT DEFERRABLE", sql::name(&table), sql::name(&name));
            self.on(|session| session.run(&text))?;
        }
        Ok(())
    }

    /// Moves the sequences of given ids on, never back: the last that is done, since no rollback undoes it.
    pub(super) fn move_sequences(&self) -> Result<()> {
        for (table, column) in &self.state.given {
            let Some(Some(sequence)) = self.state.sequences.get(&(table.clone(), column.clone())) else { continue };
            let text = format!(
                "SELECT setval($1::regclass, m.id) FROM (SELECT max({})::int8 AS id FROM {}) m
                 WHERE m.id > coalesce(pg_sequence_last_value($1::regclass), 0)",
                sql::name(column),
                sql::name(table)
            );
            self.on(|session| session.query(&text, &[Some(sequence)]))?;
        }
        Ok(())
    }
}
