//! Threads that look at files before their turn comes.
//!
//! What a look at a file gives depends on the file and its mapping alone, and it is asked for in the order of the
//! plan: so nothing shows of who looked, or when.

use crate::finding::Finding;
use crate::import::look::{Looked, look};
use crate::import::plan::{Disposition, Plan};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

/// Files of so many bytes are looked at ahead.
const AHEAD: u64 = 1 << 20;

/// What was found in a file.
type Seen = Result<Looked, Vec<Finding>>;

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
    /// Starts so many threads, which end when this is gone.
    pub(crate) fn start<'p>(scope: &'p Scope<'p, '_>, threads: usize, plan: &'p Plan, depth: u32) -> Self {
        let (ask, asked) = channel();
        let (tell, seen) = channel();
        let asked = Arc::new(Mutex::new(asked));
        for _ in 0..threads {
            let (asked, tell) = (Arc::clone(&asked), tell.clone());
            scope.spawn(move || {
                let next = || asked.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
                while let Some((file, number)) = next() {
                    let (source, mapping) = (&plan.tree.files[file], &plan.set.mappings[number]);
                    let seen = look(source, plan.limits(number, depth), mapping);
                    if tell.send((file, seen)).is_err() {
                        break; // Nobody waits for it.
                    }
                }
            });
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
            line.next.extend(mapped.filter(|(_, _, bytes)| *bytes <= AHEAD));
            line.ask();
        }
    }

    /// What was found in a file that was looked at; `None` where the caller is to look.
    pub(crate) fn take(&mut self, file: usize) -> Option<Seen> {
        let line = self.line.as_mut()?;
        line.done.insert(file);
        let bytes = line.asked.remove(&file)?;
        line.bytes -= bytes;
        let seen = loop {
            if let Some(seen) = line.ready.remove(&file) {
                break seen;
            }
            let (other, seen) = line.seen.recv().ok()?;
            line.ready.insert(other, seen);
        };
        line.ask();
        Some(seen)
    }

    /// Forgets files that were not read after all.
    pub(crate) fn forget(&mut self, files: impl Iterator<Item = usize>) {
        for file in files {
            if self.line.as_ref().is_some_and(|line| !line.done.contains(&file)) {
                self.take(file);
            }
        }
    }
}

impl Line {
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
