//! Writes rows by COPY, and finds those that the database does not take.
//!
//! A fault ends the whole COPY. Its context names the line, and holds no value: the rows before it are sent again, and once
//! they are in, it is rejected, and it goes on behind it. Where no line can be read, or after many faults, the rows are
//! halved.

use super::encode::{Encoded, Target};
use super::opened::PostgresTransaction;
use super::rejection::{self, Written};
use super::{hold, sql};
use crate::database::rejection::{Rejected, Rejection};
use crate::error::Result;
use crate::row::Batch;
use postgres::error::SqlState;

/// After so many faults with a line in one batch its rows are halved.
const MOST_LINES: usize = 16;

impl PostgresTransaction {
    pub(super) fn insert(&mut self, batch: &Batch) -> Result<Vec<Rejected>> {
        let mut rejected = self.load(batch)?;
        rejected.sort_by_key(|one| one.row);
        Ok(rejected)
    }

    /// Under a savepoint, which is undone if the database rejects one.
    pub(super) fn insert_together(&mut self, batches: &[Batch]) -> Result<Vec<(usize, Rejected)>> {
        self.on(|session| session.run("SAVEPOINT together"))?;
        let held = self.state.held.mark();
        let mut rejected = Vec::new();
        for (number, batch) in batches.iter().enumerate() {
            rejected.extend(self.insert(batch)?.into_iter().map(|one| (number, one)));
        }
        if !rejected.is_empty() {
            self.state.held.back_to(held);
            self.on(|session| session.run("ROLLBACK TO together"))?;
        }
        self.on(|session| session.run("RELEASE together"))?;
        Ok(rejected)
    }

    /// Row by row, under a savepoint that is undone: a row that is in the way goes first.
    pub(super) fn would_reject(&mut self, batches: &[Batch]) -> Result<Vec<(usize, Rejected)>> {
        self.on(|session| session.run("SAVEPOINT together"))?;
        let held = self.state.held.mark();
        let mut rejected = Vec::new();
        for (number, batch) in batches.iter().enumerate() {
            for (at, row) in batch.rows.iter().enumerate() {
                let alone =
                    Batch { table: batch.table.clone(), columns: batch.columns.clone(), rows: vec![row.clone()] };
                let mut why = self.load(&alone)?;
                if why.iter().any(|one| matches!(one.why, Rejection::Unique { .. })) {
                    why = if self.clear_way(&alone)? { self.load(&alone)? } else { Vec::new() };
                }
                // What still is in the way is one that others reference.
                why.retain(|one| !matches!(one.why, Rejection::Unique { .. }));
                rejected.extend(why.into_iter().map(|one| (number, Rejected { row: at, why: one.why })));
            }
        }
        self.state.held.back_to(held);
        self.on(|session| session.run("ROLLBACK TO together; RELEASE together"))?;
        Ok(rejected)
    }

    /// Removes the rows that have a key of this one; whether that could be.
    fn clear_way(&mut self, batch: &Batch) -> Result<bool> {
        let unique = self.state.schema.table(&batch.table).map(|table| table.unique.clone()).unwrap_or_default();
        for columns in unique {
            let mut conditions = Vec::new();
            let mut bound = Vec::new();
            for column in &columns {
                let Some(at) = batch.columns.iter().position(|name| name == column) else { break };
                let form = super::form::of(&batch.rows[0].values[at], self.kind(&batch.table, column)?);
                let Some(text) = form.and_then(|form| form.sql_text()) else { break };
                bound.push(text);
                let declared = self.declared(&batch.table, column)?;
                conditions.push(super::find::equal(column, declared, &format!("${}", bound.len())));
            }
            if conditions.len() < columns.len() || bound.iter().any(|text| text.contains('\0')) {
                continue; // A NULL is in nobody's way.
            }
            let text = format!("DELETE FROM {} WHERE {}", sql::name(&batch.table), conditions.join(" AND "));
            let bound: Vec<Option<&str>> = bound.iter().map(|text| Some(text.as_str())).collect();
            self.on(|session| session.run("SAVEPOINT way"))?;
            match self.session.try_execute(&text, &bound) {
                Ok(_) => self.on(|session| session.run("RELEASE way"))?,
                Err(error) if rejection::is_about_rows(&error) => {
                    self.on(|session| session.run("ROLLBACK TO way; RELEASE way"))?;
                    return Ok(false);
                }
                Err(error) => return Err(self.session.place.words(error.into())),
            }
        }
        Ok(true)
    }

    /// Writes a batch; what references a row that is not there yet is held back.
    pub(super) fn load(&mut self, batch: &Batch) -> Result<Vec<Rejected>> {
        let target = Target::of(self, &batch.table, &batch.columns)?;
        if target.names().is_empty() {
            return self.load_defaults(batch);
        }
        let encoded = target.encode(batch)?;
        let mut rejected = Vec::new();
        let mut good = Vec::with_capacity(batch.rows.len());
        for (row, range) in encoded.rows.iter().enumerate() {
            match range {
                Ok(_) => good.push(row),
                Err(why) => rejected.push(Rejected { row, why: Rejection::Constraint(why.clone()) }),
            }
        }
        for column in &batch.columns {
            if self.sequence(&batch.table, column)?.is_some() {
                self.state.given.insert((batch.table.clone(), column.clone()));
            }
        }
        let text =
            format!("COPY {} ({}) FROM STDIN (FORMAT binary)", sql::name(&batch.table), sql::names(&target.names()));
        let copy = Copy { batch, encoded: &encoded, text: &text };
        self.send(&copy, good, &mut rejected)?;
        Ok(rejected)
    }

    fn send(&mut self, copy: &Copy<'_>, rows: Vec<usize>, rejected: &mut Vec<Rejected>) -> Result<()> {
        let mut faults = 0;
        let mut left = vec![Piece { rows, behind: None }];
        while let Some(Piece { mut rows, behind }) = left.pop() {
            if rows.is_empty() {
                continue;
            }
            let error = match self.send_at_once(copy, &rows)? {
                Sent::All => {
                    self.state.held.ripen();
                    if let Some((row, error)) = behind {
                        rejected.push(self.rejected(copy, row, &error)?);
                    }
                    continue;
                }
                Sent::Fewer => None,
                Sent::Fault(error) => Some(error),
            };
            // Without all of those before it the row behind them may be good.
            left.extend(behind.map(|(row, _)| Piece { rows: vec![row], behind: None }));
            let Some(error) = error else {
                // A trigger swallowed some, and only the count tells.
                if let [row] = rows.as_slice() {
                    rejected.push(Rejected { row: *row, why: Rejection::Discarded });
                } else {
                    halve(rows, &mut left);
                }
                continue;
            };
            if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION)
                && let Some(ready) = hold::without_parents(self, copy.batch, &rows)?
            {
                left.push(Piece { rows: ready, behind: None });
                continue;
            }
            let line = rejection::line(&error).filter(|line| *line < rows.len() && faults < MOST_LINES);
            match line {
                Some(line) => {
                    faults += 1;
                    let after = rows.split_off(line + 1);
                    left.push(Piece { rows: after, behind: None });
                    let row = rows.pop().expect("a COPY that fails at a line has that line");
                    if rows.is_empty() {
                        rejected.push(self.rejected(copy, row, &error)?);
                    } else {
                        left.push(Piece { rows, behind: Some((row, error)) });
                    }
                }
                None if rows.len() == 1 => rejected.push(self.rejected(copy, rows[0], &error)?),
                None => halve(rows, &mut left),
            }
        }
        Ok(())
    }

    /// Sends rows in one COPY, which leaves nothing behind unless all of them are taken.
    fn send_at_once(&mut self, copy: &Copy<'_>, rows: &[usize]) -> Result<Sent> {
        let parts = copy.encoded.parts(rows);
        self.on(|session| session.run("SAVEPOINT batch"))?;
        let sent = match self.session.copy(copy.text, &parts) {
            Ok(taken) if taken == rows.len() as u64 => {
                self.on(|session| session.run("RELEASE batch"))?;
                return Ok(Sent::All);
            }
            Ok(_) => Sent::Fewer,
            Err(error) if rejection::is_about_rows(&error) => Sent::Fault(error),
            Err(error) => return Err(self.session.place.words(error.into())),
        };
        self.on(|session| session.run("ROLLBACK TO batch; RELEASE batch"))?;
        Ok(sent)
    }

    fn rejected(&self, copy: &Copy<'_>, row: usize, error: &postgres::Error) -> Result<Rejected> {
        Ok(Rejected { row, why: rejection::of(self, error, &Written { batch: copy.batch, row })? })
    }

    fn load_defaults(&mut self, batch: &Batch) -> Result<Vec<Rejected>> {
        let text = format!("INSERT INTO {} DEFAULT VALUES", sql::name(&batch.table));
        let mut rejected = Vec::new();
        for row in 0..batch.rows.len() {
            self.on(|session| session.run("SAVEPOINT batch"))?;
            match self.session.try_execute(&text, &[]) {
                Ok(1) => {
                    self.on(|session| session.run("RELEASE batch"))?;
                    self.state.held.ripen();
                }
                Ok(_) => {
                    self.on(|session| session.run("RELEASE batch"))?;
                    rejected.push(Rejected { row, why: Rejection::Discarded });
                }
                Err(error) if rejection::is_about_rows(&error) => {
                    self.on(|session| session.run("ROLLBACK TO batch; RELEASE batch"))?;
                    let why = rejection::of(self, &error, &Written { batch, row })?;
                    rejected.push(Rejected { row, why });
                }
                Err(error) => return Err(self.session.place.words(error.into())),
            }
        }
        Ok(rejected)
    }
}

/// A batch on its way.
struct Copy<'c> {
    batch: &'c Batch,
    encoded: &'c Encoded,
    text: &'c str,
}

/// Rows for one COPY, and the row at which an earlier one of them ended, which stood behind them: once they are in,
/// that one is rejected for it.
struct Piece {
    rows: Vec<usize>,
    behind: Option<(usize, postgres::Error)>,
}

/// What came of a COPY.
enum Sent {
    All,
    Fewer,
    Fault(postgres::Error),
}

/// Two halves, to be sent in order.
fn halve(mut rows: Vec<usize>, left: &mut Vec<Piece>) {
    let behind = rows.split_off(rows.len() / 2);
    left.push(Piece { rows: behind, behind: None });
    left.push(Piece { rows, behind: None });
}
