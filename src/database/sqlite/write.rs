//! Writes rows.

use super::find::Sought;
use super::form::{self, Form};
use super::session::SqliteTransaction;
use super::way::steps;
use super::{catalog, kept, rejection, sql, words};
use crate::database::kept::Unkept;
use crate::database::rejection::{Rejected, Rejection};
use crate::error::{Error, Result};
use crate::row::{Batch, Value};
use crate::table::ColumnType;
use rusqlite::{Connection, ToSql};

impl SqliteTransaction {
    /// With one prepared statement for all. SQLite undoes the statement of a row that is rejected and keeps the
    /// transaction, unless a trigger says otherwise.
    pub(super) fn insert(&mut self, batch: &Batch) -> Result<Vec<Rejected>> {
        let Written { rejected, rowids } = write(self, batch, self.declared()?.conflict_word(&batch.table))?;
        note(self, batch, &rowids)?;
        Ok(rejected)
    }

    /// Under a savepoint, which is undone if the database rejects one.
    pub(super) fn insert_together(&mut self, batches: &[Batch]) -> Result<Vec<(usize, Rejected)>> {
        self.on(|conn| conn.prepare_cached("SAVEPOINT together")?.execute([]))?;
        let Together { rejected, rowids } = write_all(self, batches, None)?;
        if self.conn.is_autocommit() {
            return Ok(rejected); // A trigger rolled the whole transaction back, the savepoint with it.
        }
        if rejected.is_empty() {
            batches.iter().zip(&rowids).try_for_each(|(batch, rowids)| note(self, batch, rowids))?;
        } else {
            self.on(|conn| conn.prepare_cached("ROLLBACK TO together")?.execute([]))?;
        }
        self.on(|conn| conn.prepare_cached("RELEASE together")?.execute([]))?;
        Ok(rejected)
    }

    /// Under a savepoint, in which each row takes the place of those that are in its way ("The ON CONFLICT Clause").
    /// Nothing follows from their removal: foreign keys and recursive triggers are off.
    pub(super) fn would_reject(&mut self, batches: &[Batch]) -> Result<Vec<(usize, Rejected)>> {
        if rejection::may_roll_back(&self.conn) {
            return Ok(Vec::new()); // It would end the transaction.
        }
        self.on(|conn| conn.prepare_cached("SAVEPOINT together")?.execute([]))?;
        let Together { rejected, .. } = write_all(self, batches, Some(" OR REPLACE"))?;
        self.on(|conn| conn.prepare_cached("ROLLBACK TO together")?.execute([]))?;
        self.on(|conn| conn.prepare_cached("RELEASE together")?.execute([]))?;
        Ok(rejected)
    }

    pub(super) fn may_reject(&self, table: &str) -> Result<bool> {
        Ok(self.foreign.iter().any(|trigger| trigger.table.eq_ignore_ascii_case(table))
            || self.schema.table(table).is_some_and(|table| !table.checks.is_empty())
            || self.declared()?.may_raise(table)
            || self.on(|conn| catalog::has_odd_index(conn, table))?)
    }

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
        let word = self.declared()?.conflict_word(table);
        self.update_as(word, (table, columns, values), (key_columns, key))
    }

    /// Under a savepoint, as [`SqliteTransaction::would_reject`] does.
    pub(super) fn would_reject_update(
        &mut self,
        table: &str,
        columns: &[String],
        values: &[Value],
        key_columns: &[&str],
        key: &[Value],
    ) -> Result<Option<Rejection>> {
        if columns.is_empty() || rejection::may_roll_back(&self.conn) {
            return Ok(None); // It would end the transaction.
        }
        self.on(|conn| conn.prepare_cached("SAVEPOINT together")?.execute([]))?;
        let why = self.update_as(" OR REPLACE", (table, columns, values), (key_columns, key))?;
        self.on(|conn| conn.prepare_cached("ROLLBACK TO together")?.execute([]))?;
        self.on(|conn| conn.prepare_cached("RELEASE together")?.execute([]))?;
        Ok(why)
    }

    fn update_as(
        &mut self,
        word: &str,
        (table, columns, values): (&str, &[String], &[Value]),
        (key_columns, key): (&[&str], &[Value]),
    ) -> Result<Option<Rejection>> {
        let names: Vec<String> = key_columns.iter().map(|&column| column.to_owned()).collect();
        let values = forms(table, columns, &kinds(self, table, columns)?, values)?;
        let key_kinds = kinds(self, table, &names)?;
        let key_forms = forms(table, &names, &key_kinds, key)?;
        let text = format!(
            "UPDATE{word} {} SET {} WHERE {}",
            sql::name(table),
            sql::set(columns, 1),
            sql::equal(&names, columns.len() + 1)
        );
        self.passes.borrow_mut().forget(table, columns);
        let of = rejection::Statement { table, columns, inserted: None };
        let rejection =
            |error: &rusqlite::Error| rejection::of(self, error, of).ok_or_else(|| self.location.fault(error));
        self.conn.prepare_cached(&text).map_err(|error| unprepared(self, table, &error))?;
        let sought = Sought { table, columns: key_columns, kinds: &key_kinds };
        let only = sought.only(self, &key_forms)?;
        let by_key = || {
            let (changed, steps) = set(&self.conn, &text, &values, &key_forms)?;
            sought.searched(self, steps);
            Ok(changed)
        };
        // The row must have the key still: else the search tells what became of it.
        let by_rowid = |(rowid, row): (&str, i64)| {
            let key = [key_forms.as_slice(), &[Form::Integer(row)]].concat();
            let text = format!("{text} AND {rowid} = ?{}", columns.len() + key.len());
            set(&self.conn, &text, &values, &key).map(|(changed, _)| changed)
        };
        let mut changed =
            match only.map_or(Ok(0), by_rowid).and_then(|changed| if changed == 0 { by_key() } else { Ok(changed) }) {
                Ok(changed) => changed,
                Err(error) => return rejection(&error).map(Some),
            };
        if changed == 0 && key_kinds.iter().any(|kind| kind.is_time()) {
            // The row is identified by a time that is stored in another form of the same meaning.
            let stored = self.find(table, key_columns, key_columns, &[key.to_vec()])?.into_iter().flatten().next();
            if let Some(stored) = stored {
                changed = match set(&self.conn, &text, &values, &stored) {
                    Ok((changed, _)) => changed,
                    Err(error) => return rejection(&error).map(Some),
                };
            }
        }
        match changed {
            0 => Ok(Some(Rejection::Discarded)),
            1 => Ok(None),
            rows => Ok(Some(Rejection::Several(rows))),
        }
    }

    pub(super) fn unkept(&mut self, inserted: &[(String, u64)]) -> Result<Vec<Unkept>> {
        kept::unkept(self, inserted)
    }
}

/// What came of the rows of a batch.
struct Written {
    rejected: Vec<Rejected>,
    /// The numbers and rowids of those that were inserted.
    rowids: Rowids,
}

/// By the number of a row in its batch, its rowid.
type Rowids = Vec<(usize, i64)>;

/// What came of the rows of several batches.
struct Together {
    /// With the number of its batch, each that was rejected.
    rejected: Vec<(usize, Rejected)>,
    rowids: Vec<Rowids>,
}

/// Writes the rows of batches, until a trigger rolls the transaction back. Without a word, what a conflict does is what
/// the table says.
fn write_all(this: &SqliteTransaction, batches: &[Batch], conflict: Option<&'static str>) -> Result<Together> {
    let (mut rejected, mut rowids) = (Vec::new(), Vec::new());
    for (number, batch) in batches.iter().enumerate() {
        let declared = this.declared()?.conflict_word(&batch.table);
        let written = write(this, batch, conflict.unwrap_or(declared))?;
        rejected.extend(written.rejected.into_iter().map(|one| (number, one)));
        rowids.push(written.rowids);
        if this.conn.is_autocommit() {
            break;
        }
    }
    Ok(Together { rejected, rowids })
}

fn write(this: &SqliteTransaction, batch: &Batch, conflict: &str) -> Result<Written> {
    let Batch { table, columns, rows, .. } = batch;
    let kinds = kinds(this, table, columns)?;
    let fault = |error: rusqlite::Error| this.location.fault(&error);
    let clocks = this.clocks(table, columns)?;
    let all: Vec<&str> = columns.iter().chain(clocks.iter().map(|(column, _)| column)).map(String::as_str).collect();
    let text = sql::insert_or(conflict, table, &all);
    let mut statement = this.conn.prepare_cached(&text).map_err(|error| unprepared(this, table, &error))?;
    for (i, (_, now)) in clocks.iter().enumerate() {
        statement.raw_bind_parameter(columns.len() + i + 1, now).map_err(fault)?; // stays from row to row
    }
    let (mut rejected, mut rowids) = (Vec::new(), Vec::with_capacity(rows.len()));
    let mut forms = Vec::with_capacity(columns.len());
    for (number, row) in rows.iter().enumerate() {
        put_forms(table, columns, &kinds, &row.values, &mut forms)?;
        for (i, form) in forms.iter().enumerate() {
            statement.raw_bind_parameter(i + 1, form).map_err(fault)?;
        }
        let why = match statement.raw_execute() {
            Ok(0) => Rejection::Discarded,
            Ok(_) => {
                rowids.push((number, this.conn.last_insert_rowid()));
                continue;
            }
            Err(error) => {
                let of = rejection::Statement { table, columns, inserted: Some(&forms) };
                rejection::of(this, &error, of).ok_or_else(|| fault(error))?
            }
        };
        let rolled_back = matches!(why, Rejection::RolledBack { .. });
        rejected.push(Rejected { row: number, why });
        if rolled_back {
            return Ok(Written { rejected, rowids }); // What came after would be outside of a transaction, and stay.
        }
    }
    if this.foreign.iter().any(|trigger| trigger.table.eq_ignore_ascii_case(table)) {
        rejected.extend(kept::read_back(this, (table, columns, &kinds), &rowids, rows)?);
    }
    Ok(Written { rejected, rowids })
}

/// Makes inserted rows known to those who find rows.
fn note(this: &SqliteTransaction, batch: &Batch, rowids: &[(usize, i64)]) -> Result<()> {
    let Batch { table, columns, rows, .. } = batch;
    let mut passes = this.passes.borrow_mut();
    if passes.is_empty() {
        return Ok(());
    }
    let kinds = kinds(this, table, columns)?;
    for (number, rowid) in rowids {
        let forms = forms(table, columns, &kinds, &rows[*number].values)?.into_iter().zip(&kinds);
        let stored: Vec<Form<'_>> = forms.map(|(form, kind)| form.stored(*kind)).collect();
        passes.inserted(table, columns, &stored, *rowid);
    }
    Ok(())
}

/// Names of tables and columns were checked, so what does not fit is the database's: a trigger, a
/// condition or an index that names what is not there. No row was seen yet: SQLite's words are about names.
fn unprepared(this: &SqliteTransaction, table: &str, error: &rusqlite::Error) -> Error {
    match words::text_of_sql(error) {
        Some(text) => Error::environment(format!("the database cannot write into `{table}`: {text}"))
            .at(&this.location.shown)
            .hint("fix the table's triggers, conditions and indexes, or drop those that need what is not there"),
        None => this.location.fault(error),
    }
}

/// Runs an update of these values where the key's columns have these; gives the number of rows, and the steps that it
/// took.
fn set(conn: &Connection, text: &str, values: &[Form<'_>], key: &[impl ToSql]) -> rusqlite::Result<(usize, u64)> {
    let bound = values.iter().map(|form| form as &dyn ToSql).chain(key.iter().map(|part| part as &dyn ToSql));
    let mut statement = conn.prepare_cached(text)?;
    let changed = statement.execute(rusqlite::params_from_iter(bound))?;
    Ok((changed, steps(&statement)))
}

fn kinds(this: &SqliteTransaction, table: &str, columns: &[String]) -> Result<Vec<ColumnType>> {
    columns.iter().map(|column| this.kind(table, column)).collect()
}

fn forms<'v>(table: &str, columns: &[String], kinds: &[ColumnType], values: &'v [Value]) -> Result<Vec<Form<'v>>> {
    let mut forms = Vec::with_capacity(columns.len());
    put_forms(table, columns, kinds, values, &mut forms)?;
    Ok(forms)
}

/// Types were checked when the row was mapped: a value without a form here is a fault of treelift.
fn put_forms<'v>(
    table: &str,
    columns: &[String],
    kinds: &[ColumnType],
    values: &'v [Value],
    forms: &mut Vec<Form<'v>>,
) -> Result<()> {
    if values.len() != columns.len() {
        return Err(Error::bug(format!(
            "a row of `{table}` has {} values for {} columns",
            values.len(),
            columns.len()
        )));
    }
    forms.clear();
    for ((value, column), kind) in values.iter().zip(columns).zip(kinds) {
        let form = form::of(value, *kind);
        forms.push(form.ok_or_else(|| {
            Error::bug(format!("{} reached column `{table}.{column}`, which would not keep it", value.kind_name()))
        })?);
    }
    Ok(())
}
