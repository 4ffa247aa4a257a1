//! What an import asks of its transaction, handed to those who do it.

use super::location::{Location, Tried};
use super::open::{self, Start, Store};
use super::reader::Open;
use super::session::SqliteTransaction;
use super::{audit, file, forms, ledger_tables, migrate, read, record, sql, version};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::cells::Registered;
use crate::database::history;
use crate::database::kept::{ForeignTrigger, Unkept};
use crate::database::ledger::{Earlier, EarlierLine, FileRecord, RowRecord, RunRecord, Written};
use crate::database::lines::Left;
use crate::database::rejection::{Rejected, Rejection};
use crate::database::upkeep::Orphan;
use crate::database::{Cell, Mode, Opening, SealedColumn, Transaction};
use crate::error::{Error, Result};
use crate::row::{Batch, Value};
use crate::secret::keys::KeyRow;
use crate::table::{Schema, Table};
use rusqlite::Connection;

impl SqliteTransaction {
    pub(super) fn begin(location: &Location, opening: &Opening) -> Tried<Self> {
        let start = Start { mode: opening.mode, run_id: opening.run_id, bytes: opening.bytes };
        let is_new = !matches!(file::look(location)?, file::Found::Database(_));
        let (store, mut conn) = open::begin(location, &start)?;
        let migrate::SetUp { mut schema, pending, done, after_rows, foreign } =
            migrate::set_up(&mut conn, opening, location)?;
        schema.take_forms(opening.schema);
        ledger_tables::set_up(&conn, location)?;
        forms::keep(&conn, &schema, opening.written, location)?;
        if let Some(named) = opening.version.filter(|_| !done.is_empty()) {
            let standing = history::compare(&record::recorded(&conn, location)?, opening.migrations);
            version::put(&conn, named, standing.name_in(named), location)?;
        }
        for one in done {
            audit::write(&conn, &one.audit_entry(opening.started)?, opening.audit)?;
        }
        let counted = schema.tables.keys().map(|table| Ok((table.clone(), read::count(&conn, table)?)));
        let before = counted.collect::<rusqlite::Result<_>>()?;
        let started = Some(opening.started);
        let this = Self::over(location.clone(), store, conn);
        Ok(Self { schema, started, pending, foreign, is_new, before, after_rows, ..this })
    }

    /// Begins to read alone; `None` where there is no database.
    pub(super) fn view(location: &Location, opening: &Opening) -> Tried<Option<Self>> {
        let Some((store, mut conn)) = open::to_view(location)? else { return Ok(None) };
        let (mut schema, pending) = migrate::look(&mut conn, opening, location)?;
        schema.take_forms(opening.schema);
        ledger_tables::must_be_there(&conn, location)?;
        let counted = schema.tables.keys().map(|table| Ok((table.clone(), read::count(&conn, table)?)));
        let before = counted.collect::<rusqlite::Result<_>>()?;
        let started = Some(opening.started);
        Ok(Some(Self { schema, started, pending, before, ..Self::over(location.clone(), store, conn) }))
    }

    /// Whether nothing may be written.
    pub(super) fn is_view(&self) -> bool {
        matches!(self.store, Store::Viewed { .. })
    }

    /// Begins without a mapping set; `None` where there is no database.
    pub(super) fn change(location: &Location, mode: Mode) -> Tried<Option<Self>> {
        let Some((store, conn)) = open::to_change(location, mode)? else { return Ok(None) };
        ledger_tables::set_up_keys(&conn, location)?;
        Ok(Some(Self::over(location.clone(), store, conn)))
    }

    /// A transaction that knows no table.
    fn over(location: Location, store: Store, conn: Connection) -> Self {
        let (schema, pending, foreign, before, after_rows) = Default::default();
        let (ledger, passes, unnamed, ways, declared) = Default::default();
        let started = None;
        Self {
            conn,
            store,
            location,
            schema,
            started,
            pending,
            foreign,
            is_new: false,
            before,
            after_rows,
            ledger,
            passes,
            unnamed,
            ways,
            declared,
        }
    }
}

impl SqliteTransaction {
    /// Writes the pages that are held in memory, unless the file is one that others read: that would lock them out
    /// before the commit.
    pub(super) fn flush_pages(&self) -> Result<()> {
        let is_shared = matches!(self.store, Store::InPlace(_) | Store::Wiped(_));
        if is_shared { Ok(()) } else { self.on(Connection::cache_flush) }
    }
}

impl Open for SqliteTransaction {
    fn at(&self) -> (&Connection, &Location) {
        (&self.conn, &self.location)
    }

    fn at_mut(&mut self) -> (&mut Connection, &Location) {
        (&mut self.conn, &self.location)
    }

    fn is_new(&self) -> bool {
        self.is_new
    }
}

impl Transaction for SqliteTransaction {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn foreign_triggers(&self) -> &[ForeignTrigger] {
        &self.foreign
    }

    fn pending(&self) -> &[String] {
        &self.pending
    }

    fn begin_rows(&mut self) -> Result<()> {
        self.begin_rows()
    }

    fn end_rows(&mut self) -> Result<()> {
        self.end_rows()
    }

    fn rows_before(&self, table: &str) -> u64 {
        self.rows_before(table)
    }

    fn empty(&mut self, table: &str) -> Result<()> {
        self.on(|conn| conn.execute(&format!("DELETE FROM {}", sql::name(table)), []).map(drop))
    }

    fn highest_id(&self, table: &str, column: &str) -> Result<i64> {
        self.highest_id(table, column)
    }

    fn row_name(&self, table: &str) -> Result<Vec<String>> {
        let key = self.schema.table(table).map(Table::primary_key).unwrap_or_default();
        if !key.is_empty() {
            return Ok(key.into_iter().map(str::to_owned).collect());
        }
        self.on(|conn| Ok(read::rowid(conn, table)?.map(str::to_owned).into_iter().collect()))
    }

    fn find(
        &self,
        table: &str,
        key_columns: &[&str],
        wanted: &[&str],
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Vec<Cell>>>> {
        self.find(table, key_columns, wanted, keys)
    }

    fn select(&self, table: &str, wanted: &[&str], scope: Option<(&str, &Value)>) -> Result<Vec<Vec<Cell>>> {
        self.select(table, wanted, scope)
    }

    fn orphans(&mut self, most: usize) -> Result<Vec<Orphan>> {
        self.orphans(most)
    }

    fn insert(&mut self, batch: &Batch) -> Result<Vec<Rejected>> {
        self.insert(batch)
    }

    fn insert_together(&mut self, batches: &[Batch]) -> Result<Vec<(usize, Rejected)>> {
        self.insert_together(batches)
    }

    fn would_reject(&mut self, batches: &[Batch]) -> Result<Vec<(usize, Rejected)>> {
        self.would_reject(batches)
    }

    fn may_reject(&self, table: &str) -> Result<bool> {
        self.may_reject(table)
    }

    fn update(
        &mut self,
        table: &str,
        columns: &[String],
        values: &[Value],
        key_columns: &[&str],
        key: &[Value],
    ) -> Result<Option<Rejection>> {
        self.update(table, columns, values, key_columns, key)
    }

    fn would_reject_update(
        &mut self,
        table: &str,
        columns: &[String],
        values: &[Value],
        key_columns: &[&str],
        key: &[Value],
    ) -> Result<Option<Rejection>> {
        self.would_reject_update(table, columns, values, key_columns, key)
    }

    fn unkept(&mut self, inserted: &[(String, u64)]) -> Result<Vec<Unkept>> {
        self.unkept(inserted)
    }

    fn put_proof(&mut self, counts: &str, hmac: &str) -> Result<()> {
        self.put_proof(counts, hmac)
    }

    fn put_key(&mut self, key: &KeyRow) -> Result<()> {
        self.put_key(key)
    }

    fn remove_key(&mut self, id: &str) -> Result<()> {
        self.remove_key(id)
    }

    fn put_sealed_columns(&mut self, columns: &[SealedColumn]) -> Result<()> {
        self.put_sealed_columns(columns)
    }

    fn register(&mut self, column: &Registered) -> Result<()> {
        self.register(column)
    }

    fn write_cell(&mut self, column: &SealedColumn, key: &[Cell], text: &str) -> Result<()> {
        self.write_cell(column, key, text)
    }

    fn next_file_id(&mut self) -> Result<i64> {
        self.next_file_id()
    }

    fn begin_run(&mut self, run: &RunRecord) -> Result<()> {
        self.begin_run(run)
    }

    fn finish_run(&mut self, run: &RunRecord) -> Result<()> {
        self.finish_run(run)
    }

    fn record_files(&mut self, files: &[FileRecord]) -> Result<()> {
        self.record_files(files)
    }

    fn record_columns(&mut self, written: &Written) -> Result<i64> {
        self.record_columns(written)
    }

    fn record_rows(&mut self, rows: &[RowRecord]) -> Result<()> {
        self.record_rows(rows)
    }

    fn earlier_rows(&mut self, path: &str, table: &str) -> Result<Vec<RowRecord>> {
        self.earlier_rows(path, table)
    }

    fn earlier_files(&mut self) -> Result<Vec<FileRecord>> {
        self.earlier_files()
    }

    fn earlier_rows_of(&mut self, file: i64, table: &str) -> Result<Vec<RowRecord>> {
        self.earlier_rows_of(file, table)
    }

    fn left_as(&mut self, table: &str, keys: &[String]) -> Result<Vec<Left>> {
        self.left_of(table, keys)
    }

    fn last_files(&mut self, table: &str, keys: &[String]) -> Result<Vec<Option<i64>>> {
        self.last_files(table, keys)
    }

    fn earlier_lines(&mut self, path: &str) -> Result<Vec<EarlierLine>> {
        self.earlier_lines(path)
    }

    fn run_number(&self) -> Result<i64> {
        self.run_number()
    }

    fn forget_seen(&mut self) -> Result<()> {
        self.forget_seen()
    }

    fn put_seen(&mut self, part: u64, bytes: &[u8]) -> Result<()> {
        self.put_seen(part, bytes)
    }

    fn keep_earlier(&mut self, earlier: &[Earlier]) -> Result<()> {
        self.keep_earlier(earlier)
    }

    fn written_from(&mut self, table: &str, row_key: &str) -> Result<Option<RowRecord>> {
        self.written_from(table, row_key)
    }

    fn audit(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<()> {
        self.on(|conn| audit::write(conn, entry, table))
    }

    fn free_memory(&mut self) -> Result<()> {
        self.flush_pages()?;
        self.on(|conn| conn.execute_batch("PRAGMA shrink_memory"))
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
