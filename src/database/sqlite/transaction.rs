//! What an import asks of its transaction, handed to those who do it.

use super::fault::Tried;
use super::location::Location;
use super::open::{self, Start, Store};
use super::reader::Open;
use super::session::SqliteTransaction;
use super::{audit, cells, find, kept, keys, ledger_tables, migrate, read, triggers, write};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::cells::Registered;
use crate::database::kept::{ForeignTrigger, Unkept};
use crate::database::rejection::{Rejected, Rejection};
use crate::database::{Cell, Dialect, Mode, Opening, Orphan, SealedColumn, Transaction};
use crate::error::{Error, Result};
use crate::row::{Batch, Value};
use crate::secret::keys::KeyRow;
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
    fn conn(&self) -> &Connection {
        &self.conn
    }

    fn conn_mut(&mut self) -> &mut Connection {
        &mut self.conn
    }

    fn location(&self) -> &Location {
        &self.location
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

    fn unkept(&mut self, inserted: &[(String, u64)]) -> Result<Vec<Unkept>> {
        kept::unkept(self, inserted)
    }

    fn rows_before(&self, table: &str) -> u64 {
        self.rows_before_of(table)
    }

    fn highest_id(&mut self, table: &str, column: &str) -> Result<i64> {
        let has_sequences = self.declared()?.has_sequences;
        self.on(|conn| read::highest(conn, (table, column), has_sequences))
    }

    fn find(
        &mut self,
        table: &str,
        key_columns: &[&str],
        wanted: &[&str],
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Vec<Cell>>>> {
        find::find(self, table, key_columns, wanted, keys)
    }

    fn select(&mut self, table: &str, wanted: &[&str], scope: Option<(&str, &Value)>) -> Result<Vec<Vec<Cell>>> {
        find::select(self, table, wanted, scope)
    }

    fn insert(&mut self, batch: &Batch) -> Result<Vec<Rejected>> {
        write::insert(self, batch)
    }

    fn insert_together(&mut self, batches: &[Batch]) -> Result<Vec<(usize, Rejected)>> {
        write::insert_together(self, batches)
    }

    fn may_reject(&self, table: &str) -> Result<bool> {
        Ok(self.foreign.iter().any(|trigger| trigger.table.eq_ignore_ascii_case(table))
            || self.schema.table(table).is_some_and(|table| !table.checks.is_empty())
            || self.declared()?.may_raise(table)
            || self.on(|conn| triggers::has_odd_index(conn, table))?)
    }

    fn update(
        &mut self,
        table: &str,
        columns: &[String],
        values: &[Value],
        key_columns: &[&str],
        key: &[Value],
    ) -> Result<Option<Rejection>> {
        write::update(self, table, columns, values, key_columns, key)
    }

    fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()> {
        self.on(|conn| keys::put_proof(conn, counts, hmac))
    }

    fn put_key(&mut self, key: &KeyRow) -> Result<()> {
        self.on(|conn| keys::put(conn, key))
    }

    fn remove_key(&mut self, id: &str) -> Result<()> {
        self.on(|conn| conn.execute("DELETE FROM treelift_keys WHERE id = ?1", [id]).map(drop))
    }

    fn put_sealed_columns(&mut self, columns: &[SealedColumn]) -> Result<()> {
        self.said(columns.iter().try_for_each(|column| keys::put_sealed_column(&self.conn, column, &self.location)))
    }

    fn register(&mut self, column: &Registered) -> Result<()> {
        self.on(|conn| keys::register(conn, column))
    }

    fn write_cell(&mut self, column: &SealedColumn, key: &[Cell], text: &str) -> Result<()> {
        self.said(cells::write(&self.conn, column, key, text, &self.location))
    }

    fn orphans(&mut self, most: usize) -> Result<Vec<Orphan>> {
        // The index over the ledger is as large as what was written: it is made for those who need it.
        if !find::has_orphans(self)? {
            return Ok(Vec::new());
        }
        self.index_rows()?;
        find::orphans(self, most)
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
