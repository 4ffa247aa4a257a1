//! The open transaction, and the thread that writes with it while the next rows are made.
//!
//! Only one of the two has the transaction: whoever asks it for something waits until it has written what it
//! was given. So the order in which the database is asked and told is that of one thread.

use super::refusal::{RefusedRow, refuse};
use super::row::{Digested, digest_in};
use crate::database::Transaction;
use crate::database::ledger::{FileRecord, RowRecord};
use crate::database::rejection::Rejected;
use crate::error::{Error, Result};
use crate::row::Batch;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// What is written at once.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Source files that rows come from.
    pub(super) files: Vec<FileRecord>,
    /// Rows with the numbers of their rules, in the order in which rules are written.
    pub(super) batches: Vec<(u32, Batch)>,
    /// What the ledger is to know of them.
    pub(super) ledger: Vec<RowRecord>,
    /// Those of it that have no digest yet.
    pub(super) undigested: Vec<Undigested>,
}

/// A row that the ledger is to know, without its digest.
#[derive(Debug)]
pub(super) struct Undigested {
    /// Its position in [`Load::ledger`].
    pub(super) record: usize,
    /// The number of its rule, and its position in that rule's batch.
    pub(super) rule: u32,
    pub(super) row: usize,
    pub(super) digested: Digested,
}

impl Load {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.batches.is_empty() && self.ledger.is_empty()
    }

    fn write(&mut self, transaction: &mut dyn Transaction, refused: &mut Vec<RefusedRow>) -> Result<()> {
        for Undigested { record, rule, row, digested } in self.undigested.drain(..) {
            let (_, batch) = self.batches.iter().find(|(of, _)| *of == rule).expect("a row's batch is in its load");
            self.ledger[record].digest = digest_in(batch, row, &digested, transaction.dialect());
        }
        transaction.record_files(&self.files)?;
        for (rule, batch) in &self.batches {
            for Rejected { row, why } in transaction.insert(batch)? {
                refuse(refused, RefusedRow::of(*rule, batch, row, why))?;
            }
        }
        if self.ledger.is_empty() { Ok(()) } else { transaction.record_rows(&self.ledger) }
    }
}

/// The transaction, here or with the thread that writes.
pub(super) struct Lane {
    here: Option<Box<dyn Transaction>>,
    /// Whether a thread may have it.
    is_shared: bool,
    thread: Option<Thread>,
}

struct Thread {
    to: SyncSender<(Box<dyn Transaction>, Load)>,
    back: Receiver<Written>,
    handle: JoinHandle<()>,
}

/// What the thread gives back.
struct Written {
    transaction: Box<dyn Transaction>,
    refused: Vec<RefusedRow>,
    outcome: Result<()>,
}

impl Lane {
    pub(super) fn new(transaction: Box<dyn Transaction>, is_shared: bool) -> Self {
        Self { here: Some(transaction), is_shared, thread: None }
    }

    /// The transaction, once it is back; what the database rejected meanwhile is added.
    pub(super) fn transaction(&mut self, refused: &mut Vec<RefusedRow>) -> Result<&mut dyn Transaction> {
        if self.here.is_none() {
            let written = self.thread.as_ref().and_then(|thread| thread.back.recv().ok());
            let Some(Written { transaction, refused: rejected, outcome }) = written else { return Err(self.failed()) };
            self.here = Some(transaction);
            refused.extend(rejected);
            outcome?;
        }
        self.here.as_deref_mut().map_or_else(|| Err(gone()), |transaction| Ok(transaction as &mut dyn Transaction))
    }

    /// Writes a load; with a thread of its own it is not waited for.
    pub(super) fn write(&mut self, mut load: Load, refused: &mut Vec<RefusedRow>) -> Result<()> {
        if self.is_shared && self.thread.is_none() {
            self.thread = Thread::start();
            self.is_shared = self.thread.is_some(); // Where the system starts none, this one writes.
        }
        let is_shared = self.is_shared;
        let transaction = self.transaction(refused)?;
        if !is_shared {
            return load.write(transaction, refused);
        }
        if let (Some(transaction), Some(thread)) = (self.here.take(), &self.thread) {
            // Where the thread has ended, receiving says why.
            _ = thread.to.send((transaction, load));
        }
        Ok(())
    }

    /// The transaction, which must be here.
    pub(super) fn end(mut self) -> Result<Box<dyn Transaction>> {
        self.here.take().ok_or_else(gone)
    }

    /// Lets a panic of the thread go on here.
    fn failed(&mut self) -> Error {
        if let Some(Err(panic)) = self.thread.take().map(|thread| thread.handle.join()) {
            std::panic::resume_unwind(panic);
        }
        gone()
    }
}

impl Thread {
    fn start() -> Option<Self> {
        let (to, work) = sync_channel::<(Box<dyn Transaction>, Load)>(1);
        let (done, back) = sync_channel(1);
        let write = move || {
            for (mut transaction, mut load) in work {
                let mut refused = Vec::new();
                let outcome = load.write(&mut *transaction, &mut refused);
                if done.send(Written { transaction, refused, outcome }).is_err() {
                    break; // Nobody waits for it: the transaction is dropped, which undoes it.
                }
            }
        };
        let handle = Builder::new().name("database".to_owned()).spawn(write).ok()?;
        Some(Self { to, back, handle })
    }
}

impl Drop for Lane {
    /// Waits for the thread, so that the transaction is undone when this is gone.
    fn drop(&mut self) {
        if let Some(Thread { to, back, handle }) = self.thread.take() {
            drop((to, back));
            _ = handle.join();
        }
    }
}

fn gone() -> Error {
    Error::bug("the transaction is not at hand")
}
