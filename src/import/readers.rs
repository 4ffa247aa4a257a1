//! Threads that look at files before their turn comes.
//!
//! What a look at a file gives depends on the file and its mapping alone, and it is asked for in the order of the
//! plan: so nothing shows of who looked, or when. A file that was looked at ahead is closed again, and must still be
//! what it was when its turn comes.

use crate::finding::Finding;
use crate::import::files::file_id;
use crate::import::look::{Looked, SMALL, look};
use crate::import::plan::{Disposition, Plan};
use crate::interrupt;
use foldhash::HashMap;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope};
use std::time::Duration;

/// Files of so many bytes are looked at ahead.
const AHEAD: u64 = 1 << 20;
/// So many bytes of small files are asked for together: to wake a thread takes about as long as to look at a small file.
const TOGETHER: u64 = AHEAD / 16;
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
    /// Files, each with the number of its mapping.
    ask: Sender<Vec<(usize, usize)>>,
    seen: Receiver<Vec<(usize, Seen)>>,
    /// Small files that are not asked for yet, in the order in which they are expected to be read.
    next: VecDeque<u32>,
    /// Files that were asked for, with their sizes.
    asked: HashMap<usize, u64>,
    /// Files that were seen before they were wanted.
    ready: HashMap<usize, Seen>,
    /// By the number of the file, whether it is not wanted any more.
    done: Vec<bool>,
    /// How many bytes those that were asked for have.
    bytes: u64,
}

impl Readers {
    /// Starts so many threads, or as many as the system allows; they end when this is gone.
    pub(crate) fn start<'p>(scope: &'p Scope<'p, '_>, threads: usize, plan: &'p Plan, depth: u32) -> Self {
        let (ask, asked) = channel::<Vec<_>>();
        let (tell, seen) = channel();
        let asked = Arc::new(Mutex::new(asked));
        let is_started = |_: &usize| {
            let (asked, tell) = (Arc::clone(&asked), tell.clone());
            let read = move || {
                let next = || asked.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
                let see = |(file, number): (usize, usize)| {
                    let (source, mapping) = (&plan.tree.files[file], &plan.set.mappings[number]);
                    let look = || look(source, plan.limits(number, depth), mapping).map(|(shaped, _)| (shaped, None));
                    (file, catch_unwind(AssertUnwindSafe(look)).ok())
                };
                while let Some(files) = next() {
                    if tell.send(files.into_iter().map(see).collect()).is_err() {
                        break; // Nobody waits for it.
                    }
                }
            };
            Builder::new().name("reader".to_owned()).spawn_scoped(scope, read).is_ok()
        };
        if (0..threads).take_while(is_started).count() == 0 {
            return Self::default();
        }
        let (next, asked, ready) = Default::default();
        let done = vec![false; plan.tree.files.len()];
        Self { line: Some(Line { ask, seen, next, asked, ready, done, bytes: 0 }) }
    }

    /// Expects these files, in this order.
    pub(crate) fn expect(&mut self, plan: &Plan, files: impl Iterator<Item = usize>) {
        if let Some(line) = &mut self.line {
            let is_small = |file: &usize| plan.tree.files[*file].bytes <= SMALL as u64;
            line.next.extend(files.filter(is_small).map(|file| file_id(file).0));
            line.ask(plan);
        }
    }

    /// What was found in a file that was looked at; `None` where the caller is to look.
    pub(crate) fn take(&mut self, plan: &Plan, file: usize) -> Seen {
        self.line.as_mut()?.take(plan, file)
    }

    /// Forgets files that were not read after all.
    pub(crate) fn forget(&mut self, plan: &Plan, files: impl Iterator<Item = usize>) {
        let Some(line) = &mut self.line else { return };
        for file in files {
            if !line.done[file] {
                line.take(plan, file);
            }
        }
    }
}

impl Line {
    fn take(&mut self, plan: &Plan, file: usize) -> Seen {
        self.done[file] = true;
        self.bytes -= self.asked.remove(&file)?;
        let seen = loop {
            if let Some(seen) = self.ready.remove(&file) {
                break seen;
            }
            match self.seen.recv_timeout(PATIENCE) {
                Ok(seen) => self.ready.extend(seen),
                Err(RecvTimeoutError::Timeout) if interrupt::check().is_ok() => {}
                Err(_) => return None,
            }
        };
        self.ask(plan);
        seen
    }

    /// Asks for as many files as there is room for, some of them together.
    fn ask(&mut self, plan: &Plan) {
        while self.bytes == 0 || self.bytes + TOGETHER <= AHEAD {
            let files = self.gather(plan);
            if files.is_empty() || self.ask.send(files).is_err() {
                return;
            }
        }
    }

    /// The next files that are asked for together; none where there is no room for the next one, or none is left.
    fn gather(&mut self, plan: &Plan) -> Vec<(usize, usize)> {
        let (mut files, before) = (Vec::new(), self.bytes);
        while let Some(file) = self.next.front().map(|file| *file as usize) {
            let bytes = plan.tree.files[file].bytes;
            // One that was read without is not asked for.
            if let (false, Disposition::Mapped { mapping, .. }) = (self.done[file], &plan.dispositions[file]) {
                let together = self.bytes - before + bytes;
                if self.bytes > 0 && self.bytes + bytes > AHEAD || !files.is_empty() && together > TOGETHER {
                    break;
                }
                self.bytes += bytes;
                self.asked.insert(file, bytes);
                files.push((file, *mapping));
            }
            self.next.pop_front();
        }
        files
    }
}
