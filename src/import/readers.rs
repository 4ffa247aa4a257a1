//! Threads that look at files before their turn comes.
//!
//! What a look at a file gives depends on the file and its mapping alone, and it is asked for in the order of the
//! plan: so nothing shows of who looked, or when. A file that was looked at ahead is closed again, and must still be
//! what it was when its turn comes.

use crate::finding::Finding;
use crate::import::look::{Looked, SMALL, look};
use crate::import::plan::{Disposition, Plan};
use crate::interrupt;
use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope};
use std::time::Duration;

/// Files of so many bytes are looked at ahead.
const AHEAD: u64 = 1 << 20;
/// So often it is asked whether a signal came while a file is waited for.
const PATIENCE: Duration = Duration::from_millis(100);

/// What was found in a file; nothing where looking at it panicked: the import looks itself then, and meets it where
/// it is reported.
type Seen = Option<Result<Looked, Vec<Finding>>>;

/// Those who look ahead; none with one job.
#[derive(Default)]
pub(crate) struct Readers {
    line: Option<Line>,
}

struct Line {
    /// A file, and the number of its mapping.
    ask: Sender<(usize, usize)>,
    seen: Receiver<(usize, Seen)>,
    /// Small files that are not asked for yet, each with its mapping and size, in the order in which they are expected
    /// to be read.
    next: VecDeque<(usize, usize, u64)>,
    /// Files that were asked for.
    asked: HashMap<usize, u64>,
    /// Files that were seen before they were wanted.
    ready: HashMap<usize, Seen>,
    /// Files that are not wanted any more.
    done: HashSet<usize>,
    /// How many bytes those that were asked for have.
    bytes: u64,
}

impl Readers {
    /// Starts so many threads, or as many as the system allows; they end when this is gone.
    pub(crate) fn start<'p>(scope: &'p Scope<'p, '_>, threads: usize, plan: &'p Plan, depth: u32) -> Self {
        let (ask, asked) = channel();
        let (tell, seen) = channel();
        let asked = Arc::new(Mutex::new(asked));
        let is_started = |_: &usize| {
            let (asked, tell) = (Arc::clone(&asked), tell.clone());
            let read = move || {
                let next = || asked.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
                while let Some((file, number)) = next() {
                    let (source, mapping) = (&plan.tree.files[file], &plan.set.mappings[number]);
                    let look = || look(source, plan.limits(number, depth), mapping).map(|(shaped, _)| (shaped, None));
                    if tell.send((file, catch_unwind(AssertUnwindSafe(look)).ok())).is_err() {
                        break; // Nobody waits for it.
                    }
                }
            };
            Builder::new().name("reader".to_owned()).spawn_scoped(scope, read).is_ok()
        };
        if (0..threads).take_while(is_started).count() == 0 {
            return Self::default();
        }
        let (next, asked, ready, done) = Default::default();
        Self { line: Some(Line { ask, seen, next, asked, ready, done, bytes: 0 }) }
    }

    /// Expects these files, in this order.
    pub(crate) fn expect(&mut self, plan: &Plan, files: impl Iterator<Item = usize>) {
        if let Some(line) = &mut self.line {
            let mapped = files.filter_map(|file| match &plan.dispositions[file] {
                Disposition::Mapped { mapping, .. } => Some((file, *mapping, plan.tree.files[file].bytes)),
                Disposition::Ignored { .. } | Disposition::Unmapped => None,
            });
            line.next.extend(mapped.filter(|(_, _, bytes)| *bytes <= SMALL as u64));
            line.ask();
        }
    }

    /// What was found in a file that was looked at; `None` where the caller is to look.
    pub(crate) fn take(&mut self, plan: &Plan, file: usize) -> Seen {
        let seen = self.line.as_mut()?.take(file)?;
        Some(seen.and_then(|looked| match plan.tree.files[file].unchanged() {
            Ok(()) => Ok(looked),
            Err(finding) => Err(vec![finding]),
        }))
    }

    /// Forgets files that were not read after all.
    pub(crate) fn forget(&mut self, files: impl Iterator<Item = usize>) {
        let Some(line) = &mut self.line else { return };
        for file in files {
            if !line.done.contains(&file) {
                line.take(file);
            }
        }
    }
}

impl Line {
    fn take(&mut self, file: usize) -> Seen {
        self.done.insert(file);
        self.bytes -= self.asked.remove(&file)?;
        let seen = loop {
            if let Some(seen) = self.ready.remove(&file) {
                break seen;
            }
            match self.seen.recv_timeout(PATIENCE) {
                Ok((other, seen)) => _ = self.ready.insert(other, seen),
                Err(RecvTimeoutError::Timeout) if interrupt::check().is_ok() => {}
                Err(_) => return None,
            }
        };
        self.ask();
        seen
    }

    /// Asks for as many files as there is room for.
    fn ask(&mut self) {
        while let Some((file, mapping, bytes)) = self.next.front().copied() {
            if self.done.contains(&file) {
                self.next.pop_front();
                continue; // It was read without.
            }
            if self.bytes + bytes > AHEAD && self.bytes > 0 || self.ask.send((file, mapping)).is_err() {
                return;
            }
            self.next.pop_front();
            self.bytes += bytes;
            self.asked.insert(file, bytes);
        }
    }
}
