//! Threads that look at files before their turn comes.
//!
//! What a look at a file gives depends on the file, its mapping and its owner alone, and it is asked for in the order
//! of the plan: so nothing shows of who looked, or when. Who waits for a file looks at others meanwhile. A small
//! file is closed again; that it was what the walk saw was asked when it had been read.

use crate::finding::Finding;
use crate::import::early::Early;
use crate::import::files::file_id;
use crate::import::look::{LinesSeen, SMALL, look_at_lines};
use crate::import::looker::{Ask, Looker, OfOwner, Seen, Told};
use crate::import::plan::{Disposition, Plan};
use crate::interrupt;
use crate::mapping::apply::Owner;
use crate::source::Opened;
use crate::source::lines::{Block, Blocks};
use foldhash::HashMap;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::{Builder, Scope};
use std::time::Duration;

/// Files of so many bytes are looked at ahead.
const AHEAD: u64 = 1 << 20;
/// So many bytes of small files are asked for together: to wake a thread takes about as long as to look at a small file.
const TOGETHER: u64 = AHEAD / 16;
/// So many blocks of lines are looked at ahead.
const BLOCKS_AHEAD: usize = 8;
/// So long a reader that may be about to tell what it found is waited for before something else is looked at.
const BRIEFLY: Duration = Duration::from_millis(1);
/// So often it is asked whether a signal came while a file is waited for.
const PATIENCE: Duration = Duration::from_millis(100);

/// Those who look ahead; none with one job.
#[derive(Default)]
pub(crate) struct Readers<'p> {
    line: Option<Line<'p>>,
}

struct Line<'p> {
    ask: Sender<Ask>,
    /// What nobody looks at yet; whoever waits for it holds it.
    asked_for: Arc<Mutex<Receiver<Ask>>>,
    seen: Receiver<Told>,
    /// Looks itself, where it would have to wait.
    looker: Looker<'p>,
    /// Small files that are not asked for yet, in the order in which they are expected to be read, by owner.
    next: VecDeque<(Option<Arc<Owner>>, VecDeque<u32>)>,
    /// Files that were asked for, with their sizes.
    asked: HashMap<usize, u64>,
    /// Files that were seen before they were wanted.
    ready: HashMap<usize, Seen>,
    /// By the number of the file, whether it is not wanted any more.
    done: Vec<bool>,
    /// How many bytes those that were asked for have.
    bytes: u64,
    /// The number of the block that is asked for next, and blocks that were seen before they were wanted.
    block: u64,
    blocks: HashMap<u64, Option<LinesSeen>>,
}

/// The lines of one file, looked at a few blocks ahead.
pub(crate) struct LineSupply {
    blocks: Blocks,
    mapping: usize,
    /// Those that were asked for, in order.
    asked: VecDeque<(u64, Arc<Block>)>,
    /// What ended the file too early.
    fault: Option<Finding>,
    has_ended: bool,
}

impl LineSupply {
    /// The lines of a file, from its start, read by the mapping of this number.
    pub(crate) fn of(opened: Opened, mapping: usize) -> Result<Self, Finding> {
        let blocks = Blocks::of(opened)?;
        Ok(Self { blocks, mapping, asked: VecDeque::new(), fault: None, has_ended: false })
    }

    /// Whether the file is still as the walk saw it.
    pub(crate) fn unchanged(&self) -> Result<(), Finding> {
        self.blocks.unchanged()
    }
}

impl<'p> Readers<'p> {
    /// Starts so many threads, or as many as the system allows; they end when this is gone.
    /// What they make rows with is given where they do.
    pub(crate) fn start<'s>(
        scope: &'s Scope<'s, '_>,
        threads: usize,
        plan: &'p Plan,
        depth: u32,
        early: Option<&Early<'p>>,
    ) -> Self
    where
        'p: 's,
    {
        let (ask, asked) = channel::<Ask>();
        let (tell, seen) = channel();
        let asked_for = Arc::new(Mutex::new(asked));
        let is_started = |_: &usize| {
            let (asked, tell) = (Arc::clone(&asked_for), tell.clone());
            let mut looker = Looker::new(plan, depth, early.cloned(), true);
            let read = move || {
                let next = || asked.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
                while let Some(asked) = next() {
                    if tell.send(looker.look(asked)).is_err() {
                        break; // Nobody waits for it.
                    }
                }
            };
            Builder::new().name("reader".to_owned()).spawn_scoped(scope, read).is_ok()
        };
        if (0..threads).take_while(is_started).count() == 0 {
            return Self::default();
        }
        let (next, asked, ready, blocks) = Default::default();
        let done = vec![false; plan.tree.files.len()];
        let looker = Looker::new(plan, depth, early.cloned(), false);
        let line = Line { ask, asked_for, seen, looker, next, asked, ready, done, bytes: 0, block: 0, blocks };
        Self { line: Some(line) }
    }

    /// Expects these files of an owner, in this order.
    pub(crate) fn expect(&mut self, plan: &Plan, owner: Option<&Arc<Owner>>, files: impl Iterator<Item = usize>) {
        if let Some(line) = &mut self.line {
            let is_small = |file: &usize| {
                let file = &plan.tree.files[*file];
                file.bytes <= SMALL as u64 && !file.form().lines
            };
            line.next.push_back((owner.cloned(), files.filter(is_small).map(|file| file_id(file).0).collect()));
            line.ask(plan);
        }
    }

    /// What was found in a file that was looked at; `None` where the caller is to look.
    pub(crate) fn take(&mut self, plan: &Plan, file: usize) -> Seen {
        self.line.as_mut()?.take(plan, file)
    }

    /// The next lines of a file, looked at; none at its end.
    ///
    /// # Errors
    /// A finding when the file cannot be read on.
    pub(crate) fn next_lines(
        &mut self,
        plan: &Plan,
        depth: u32,
        of: &mut LineSupply,
    ) -> Result<Option<LinesSeen>, Finding> {
        let see = |block: &Block| look_at_lines(block, plan.limits(of.mapping, depth), &plan.set.mappings[of.mapping]);
        let Some(line) = &mut self.line else {
            return Ok(of.blocks.next_block()?.map(|block| see(&block)));
        };
        while of.asked.len() < BLOCKS_AHEAD && !of.has_ended {
            match of.blocks.next_block() {
                Ok(Some(block)) => of.asked.push_back(line.ask_for_lines(of.mapping, block)),
                Ok(None) => of.has_ended = true,
                Err(finding) => (of.has_ended, of.fault) = (true, Some(finding)),
            }
        }
        match of.asked.pop_front() {
            Some((number, block)) => Ok(Some(line.lines(number).unwrap_or_else(|| see(&block)))),
            None => of.fault.take().map_or(Ok(None), Err),
        }
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

impl Line<'_> {
    fn take(&mut self, plan: &Plan, file: usize) -> Seen {
        self.done[file] = true;
        self.bytes -= self.asked.remove(&file)?;
        let seen = loop {
            if let Some(seen) = self.ready.remove(&file) {
                break seen;
            }
            if !self.hear() {
                return None;
            }
        };
        self.ask(plan);
        seen
    }

    /// Takes in what a reader found, or looks at something itself, or waits; `false` where none will tell any more, or a
    /// signal came.
    fn hear(&mut self) -> bool {
        let told = match self.seen.recv_timeout(BRIEFLY) {
            Ok(told) => told,
            Err(_) => match self.take_over() {
                Some(asked) => self.looker.look(asked),
                None => match self.seen.recv_timeout(PATIENCE) {
                    Ok(told) => told,
                    Err(RecvTimeoutError::Timeout) => return interrupt::check().is_ok(),
                    Err(RecvTimeoutError::Disconnected) => return false,
                },
            },
        };
        match told {
            Told::Files(seen) => self.ready.extend(seen),
            Told::Lines(block, seen) => _ = self.blocks.insert(block, seen),
        }
        interrupt::check().is_ok()
    }

    /// Something that no reader looks at yet.
    fn take_over(&self) -> Option<Ask> {
        let asked_for = match self.asked_for.try_lock() {
            Ok(asked_for) => asked_for,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None, // A reader waits for it.
        };
        asked_for.try_recv().ok()
    }

    /// Asks for the lines of a block.
    fn ask_for_lines(&mut self, mapping: usize, block: Block) -> (u64, Arc<Block>) {
        let (number, block) = (self.block, Arc::new(block));
        self.block += 1;
        // One that nobody takes is looked at when it is wanted.
        let is_asked = self.ask.send(Ask::Lines(number, mapping, Arc::clone(&block))).is_ok();
        if !is_asked {
            self.blocks.insert(number, None);
        }
        (number, block)
    }

    /// What was found in the lines of a block; none where the caller is to look.
    fn lines(&mut self, number: u64) -> Option<LinesSeen> {
        // What is left of a file that was not read to its end.
        self.blocks.retain(|block, _| *block >= number);
        loop {
            if let Some(seen) = self.blocks.remove(&number) {
                return seen;
            }
            if !self.hear() {
                return None;
            }
        }
    }

    /// Asks for as many files as there is room for, some of them together.
    fn ask(&mut self, plan: &Plan) {
        while self.bytes == 0 || self.bytes + TOGETHER <= AHEAD {
            let files = self.gather(plan);
            if files.is_empty() || self.ask.send(Ask::Files(files)).is_err() {
                return;
            }
        }
    }

    /// The next files that are asked for together; none where there is no room for the next one, or none is left.
    fn gather(&mut self, plan: &Plan) -> Vec<OfOwner> {
        let (mut files, before) = (Vec::new(), self.bytes);
        while let Some((owner, of_owner)) = self.next.front_mut() {
            let Some(file) = of_owner.front().map(|file| *file as usize) else {
                self.next.pop_front();
                continue;
            };
            let bytes = plan.tree.files[file].bytes;
            // One that was read without is not asked for.
            if let (false, Disposition::Mapped { mapping, .. }) = (self.done[file], &plan.dispositions[file]) {
                let together = self.bytes - before + bytes;
                if self.bytes > 0 && self.bytes + bytes > AHEAD || !files.is_empty() && together > TOGETHER {
                    break;
                }
                self.bytes += bytes;
                self.asked.insert(file, bytes);
                files.push((file, *mapping, owner.clone()));
            }
            of_owner.pop_front();
        }
        files
    }
}
