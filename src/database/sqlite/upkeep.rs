//! Upkeep of a database file.

use super::survey::Looking;
use super::{SqliteTarget, alter, fill, open, orphans, record, replace, state, undo};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::history::{RecordTable, Recorded};
use crate::database::state::State;
use crate::database::undo::{Undo, Undone};
use crate::database::upkeep::{Altered, Look, MoveOrphans, Moved, Order, Upkeep};
use crate::error::{Error, Result};
use std::path::Path;

impl Upkeep for SqliteTarget {
    fn recorded(&self) -> Result<Vec<Recorded>> {
        match open::view(&self.location)? {
            None => Ok(Vec::new()),
            Some(view) => record::read(&view.conn, &self.location),
        }
    }

    fn record_in(&mut self, table: Option<&str>) {
        self.location.record = table.map(str::to_owned);
    }

    fn record_table(&self) -> Result<RecordTable> {
        let view = open::view(&self.location)?;
        view.map_or_else(|| Ok(RecordTable::default()), |view| record::judged(&view.conn, &self.location))
    }

    fn inspect(&self, look: &mut dyn FnMut(&mut dyn Look) -> Result<()>) -> Result<bool> {
        match open::view(&self.location)? {
            None => Ok(false),
            Some(mut view) => {
                look(&mut Looking { conn: &mut view.conn, location: &self.location })?;
                Ok(true)
            }
        }
    }

    fn alter(&mut self, order: &Order<'_>) -> Result<Altered> {
        alter::alter(&self.location, order)
    }

    fn move_orphans(&mut self, order: &MoveOrphans<'_>) -> Result<Vec<Moved>> {
        orphans::move_all(&self.location, order)
    }

    fn undo(&mut self, order: &Undo<'_>) -> Result<Undone> {
        undo::undo(&self.location, order)
    }

    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()> {
        alter::note(&self.location, entry, table)
    }

    fn state(&self) -> Result<Option<State>> {
        open::view(&self.location)?.map(|view| state::read(&view.conn, &self.location)).transpose()
    }

    fn upgrade(&mut self, id: Option<&str>) -> Result<()> {
        alter::upgrade(&self.location, id)
    }

    fn copy_to(&self, copy: &Path) -> Result<()> {
        replace::copy(&self.location, copy)
    }

    fn replace_with(&mut self, file: &Path) -> Result<Option<Error>> {
        replace::replace(&self.location, file)
    }

    fn fill_for_test(&mut self) -> Result<()> {
        fill::every_table(&self.location)
    }
}
