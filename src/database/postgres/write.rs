//! What must hold at the end of a transaction, and what is made for it.

use super::opened::PostgresTransaction;
use super::rejection;
use super::{catalog, script, sql};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::table::Migration;
use std::collections::BTreeSet;

impl PostgresTransaction {
    pub(super) fn may_reject(&self, table: &str) -> Result<bool> {
        let foreign = self.state.foreign.iter().any(|trigger| trigger.table == table);
        let checks = self.state.schema.table(table).is_some_and(|table| !table.checks.is_empty());
        if foreign || checks {
            return Ok(true);
        }
        let all = match self.state.picky.get() {
            Some(all) => all,
            None => {
                let all = self.on(catalog::picky)?;
                self.state.picky.get_or_init(|| all)
            }
        };
        Ok(all.contains(table))
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
        let all = self.on(catalog::references_by_name)?.into_iter();
        let at_once = all.filter(|(table, _, is_deferrable, _)| made.contains(table) && !is_deferrable);
        let at_once: Vec<(String, String)> = at_once.map(|(table, name, ..)| (table, name)).collect();
        self.on(|session| session.run(&altered(&at_once, "DEFERRABLE INITIALLY DEFERRED")))?;
        self.state.deferred.extend(at_once);
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
        let deferred = std::mem::take(&mut self.state.deferred);
        self.on(|session| session.run(&altered(&deferred, "NOT DEFERRABLE")))
    }

    /// Moves the sequences of given ids on, never back: the last that is done, since no rollback undoes it.
    pub(super) fn move_sequences(&self) -> Result<()> {
        for (table, column) in &self.state.given {
            let Some(sequence) = self.sequence(table, column)? else { continue };
            self.on(|session| catalog::move_sequence(session, &sequence, table, column))?;
        }
        Ok(())
    }
}

/// Statements that make constraints, by table and name, what is said.
pub(super) fn altered(constraints: &[(String, String)], what: &str) -> String {
    let one = |(table, name): &(String, String)| {
        format!("ALTER TABLE {} ALTER CONSTRAINT {} {what};", sql::name(table), sql::name(name))
    };
    constraints.iter().map(one).collect()
}
