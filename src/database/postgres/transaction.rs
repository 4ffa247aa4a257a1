//! What an import asks of its transaction, handed to those who do it.

use super::opened::{self, Opened, PostgresTransaction, Writing};
use super::place::{Place, Tried};
use super::{audit, catalog, commit, kept, ledger_tables, migrate, record, sql, state, version};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::cells::Registered;
use crate::database::history;
use crate::database::kept::{ForeignTrigger, Unkept};
use crate::database::ledger::{Earlier, EarlierLine, FileRecord, RowRecord, RunRecord, Written};
use crate::database::lines::Left;
use crate::database::own::{COLUMNS_TABLE, KEYS_TABLE};
use crate::database::rejection::{Rejected, RejectedLate, Rejection};
use crate::database::upkeep::Orphan;
use crate::database::{Cell, Mode, Opening, SealedColumn, Transaction};
use crate::error::{Error, Result};
use crate::row::{Batch, Value};
use crate::secret::keys::KeyRow;
use crate::table::Schema;
use std::collections::BTreeSet;

impl PostgresTransaction {
    /// Begins the transaction of an import, with the schema and the ledger's tables made or checked.
    pub(super) fn begin(place: &Place, opening: &Opening) -> Result<Self> {
        let begun = || -> Tried<(Self, BTreeSet<String>)> {
            let session = opened::begin(place, opening.written)?;
            let set_up = migrate::set_up(&session, opening)?;
            ledger_tables::set_up(&session)?;
            if let Some(named) = opening.version.filter(|_| !set_up.done.is_empty()) {
                let standing = history::compare(&record::recorded(&session)?, opening.migrations);
                version::put(&session, named, standing.name_in(named))?;
            }
            for one in set_up.done {
                audit::write(&session, &one.audit_entry(opening.started)?, opening.audit)?;
            }
            let state = Writing {
                is_dry: opening.mode == Mode::Dry,
                before: catalog::counts(&session, set_up.schema.tables.keys())?,
                schema: set_up.schema,
                started: Some(opening.started),
                pending: set_up.pending,
                foreign: set_up.foreign,
                after_rows: set_up.after_rows,
                ..Writing::default()
            };
            Ok((Self { session, state }, set_up.made))
        };
        let (mut transaction, made) = begun().map_err(|fault| place.words(fault))?;
        transaction.defer(&made)?;
        transaction.know_unnamed()?;
        Ok(transaction)
    }

    /// Begins to read alone; `None` where there is no database.
    pub(super) fn view(place: &Place, opening: &Opening) -> Result<Option<Self>> {
        let begun = || -> Tried<Option<Self>> {
            let session = opened::look(place)?;
            if !opened::is_there(&session)? {
                return Ok(None);
            }
            state::read(&session)?;
            let (schema, pending) = migrate::look(&session, opening)?;
            ledger_tables::must_be_there(&session)?;
            let before = catalog::counts(&session, schema.tables.keys())?;
            let (is_view, started) = (true, Some(opening.started));
            let state = Writing { is_dry: true, is_view, before, schema, started, pending, ..Writing::default() };
            Ok(Some(Self { session, state }))
        };
        let Some(mut transaction) = begun().map_err(|fault| place.words(fault))? else { return Ok(None) };
        transaction.know_unnamed()?;
        Ok(Some(transaction))
    }

    /// Begins without a mapping set, to write sealed cells of these tables; `None` where there is no database.
    pub(super) fn change(place: &Place, mode: Mode, tables: &BTreeSet<String>) -> Tried<Option<Self>> {
        let own = [KEYS_TABLE, COLUMNS_TABLE].map(str::to_owned);
        let session = opened::begin(place, &tables.iter().cloned().chain(own).collect())?;
        if !opened::is_there(&session)? {
            return Ok(None);
        }
        ledger_tables::set_up_keys(&session)?;
        Ok(Some(Self { session, state: Writing { is_dry: mode == Mode::Dry, ..Writing::default() } }))
    }

    /// Commits.
    fn end(mut self) -> Result<()> {
        if self.state.is_dry {
            return Err(Error::bug("a dry run was asked to commit"));
        }
        if !self.rejected_late()?.is_empty() || !self.state.held.is_empty() {
            return Err(Error::environment("a row references a missing row; nothing was written")
                .at(self.session.place.shown()));
        }
        self.settle()?;
        self.move_sequences()?;
        let Opened { session, state } = self;
        let committed = match state.ledger.id {
            Some(run) => commit::commit(&session, &run),
            None => commit::commit_change(&session, state.proof.as_ref()),
        };
        committed.map_err(|fault| session.place.words(fault))
    }
}

impl Transaction for PostgresTransaction {
    fn schema(&self) -> &Schema {
        &self.state.schema
    }

    fn foreign_triggers(&self) -> &[ForeignTrigger] {
        &self.state.foreign
    }

    fn pending(&self) -> &[String] {
        &self.state.pending
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
        self.on(|session| session.run(&format!("DELETE FROM {}", sql::name(table))))
    }

    fn highest_id(&self, table: &str, column: &str) -> Result<i64> {
        self.highest_id(table, column)
    }

    fn row_name(&self, table: &str) -> Result<Vec<String>> {
        Ok(self.row_name(table))
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

    fn rejected_late(&mut self) -> Result<Vec<RejectedLate>> {
        self.rejected_late()
    }

    fn check_deferred(&mut self) -> Result<Option<String>> {
        self.check_deferred()
    }

    fn insert(&mut self, batch: &Batch) -> Result<Vec<Rejected>> {
        self.insert(batch)
    }

    /// Each COPY is a subtransaction of its own, and the server takes longer with each: twice as long for loads of 512 KiB.
    fn load_bytes(&self) -> usize {
        1 << 22
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

    fn update_all(
        &mut self,
        table: &str,
        columns: &[String],
        key_columns: &[&str],
        rows: &[(&[Value], &[Value])],
    ) -> Result<Vec<Option<Rejection>>> {
        self.update_all(table, columns, key_columns, rows)
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
        kept::unkept(self, inserted)
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
        let key = self.state.given.iter().find(|(name, _)| table.is_some_and(|table| table.table == *name));
        let key = key.map(|(_, column)| column.as_str());
        self.on(|session| audit::write_numbered(session, entry, table, key))
    }

    /// The server's memory is its own.
    fn free_memory(&mut self) -> Result<()> {
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<Option<Error>> {
        self.end().map(|()| None)
    }

    fn rollback(self: Box<Self>) -> Result<()> {
        opened::give_up(self.session);
        Ok(())
    }
}
