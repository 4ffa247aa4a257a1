//! What an import asks of its transaction, handed to those who do it.

use super::location::{Location, Tried};
use super::open::{self, Start, Store};
use super::reader::Open;
use super::session::SqliteTransaction;
use super::{audit, ledger_tables, migrate, read};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::kept::ForeignTrigger;
use crate::database::{Dialect, Mode, Opening, Transaction};
use crate::error::{Error, Result};
use crate::table::Schema;
use rusqlite::Connection;

impl SqliteTransaction {
    pub(super) fn begin(location: &Location, opening: &Opening) -> Tried<Self> {
        let start = Start { mode: opening.mode, run_id: opening.run_id, bytes: opening.bytes };
        let (store, mut conn) = open::begin(location, &start)?;
        let migrate::SetUp { schema, pending, done, foreign } = migrate::set_up(&mut conn, opening, location)?;
        ledger_tables::set_up(&conn, location)?;
        for one in done {
            audit::write(&conn, &one.audit_entry(opening.started)?, opening.audit)?;
        }
        let counted = schema.tables.keys().map(|table| Ok((table.clone(), read::count(&conn, table)?)));
        let before = counted.collect::<rusqlite::Result<_>>()?;
        Ok(Self { schema, pending, foreign, before, ..Self::over(location.clone(), store, conn) })
    }

    /// Begins without a mapping set; `None` where there is no database.
    pub(super) fn change(location: &Location, mode: Mode) -> Tried<Option<Self>> {
        let Some((store, conn)) = open::to_change(location, mode)? else { return Ok(None) };
        ledger_tables::set_up_keys(&conn, location)?;
        Ok(Some(Self::over(location.clone(), store, conn)))
    }

    /// A transaction that knows no table.
    fn over(location: Location, store: Store, conn: Connection) -> Self {
        let (schema, pending, foreign, before) = Default::default();
        let (ledger, passes, ways, declared) = Default::default();
        Self { conn, store, location, schema, pending, foreign, before, ledger, passes, ways, declared }
    }
}

impl Open for SqliteTransaction {
    fn at(&self) -> (&Connection, &Location) {
        (&self.conn, &self.location)
    }

    fn at_mut(&mut self) -> (&mut Connection, &Location) {
        (&mut self.conn, &self.location)
    }
}

impl Transaction for SqliteTransaction {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn foreign_triggers(&self) -> &[ForeignTrigger] {
        &self.foreign
    }

    fn pending(&self) -> &[String] {
        &self.pending
    }

    fn audit(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()> {
        self.on(|conn| audit::write(conn, entry, table))
    }

    fn commit(self: Box<Self>) -> Result<Option<Error>> {
        let Self { location, store, conn, .. } = *self;
        open::commit(&location, store, conn).map_err(|fault| location.words(fault))
    }

    fn rollback(self: Box<Self>) -> Result<()> {
        let Self { location, store, conn, .. } = *self;
        open::roll_back(store, conn).map_err(|fault| location.words(fault))
    }
}
