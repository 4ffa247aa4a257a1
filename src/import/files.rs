//! The files of a run, and what is known of each so far.

use crate::finding::FileId;
use crate::import::leaves::sheet::{Reason, Sheet, Tally};
use crate::import::leaves::sheets::Sheets;
use crate::import::look::Shaped;
use crate::report::{Counts, FileStatus, LeafCounts, PackedCounts, Shared};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

/// The state of a file so far. A tree may have millions of files, so what few of them have, or a file has only while
/// it is read, is elsewhere.
#[derive(Debug, Default)]
pub struct FileState {
    /// Its status; `None` until it is read to its end.
    pub status: Option<FileStatus>,
    /// One more than the index of its shape.
    shape: Option<NonZeroU32>,
    /// One more than its owner's number in the owner table.
    owner: Option<NonZeroU32>,
    counts: PackedCounts,
    /// Which of the run's files in the ledger it is, from 1, once a row came from it.
    pub ledger: Option<NonZeroU32>,
    rest: Rest,
}

/// Leaves that are ignored or not kept whole, by reason.
type Reasons = BTreeMap<Reason, u64>;

/// The same of a file that is read to its end, in less room: in the order of the reasons.
type Packed = Vec<(Reason, u64)>;

/// What a file has of which others have nothing.
#[derive(Debug, Default)]
enum Rest {
    #[default]
    Nothing,
    /// Why nothing of it counts.
    Why(Arc<Why>),
    /// It is read to its end, and not everything of it was kept.
    Reasons(Box<Packed>),
    /// It is not read to its end.
    Unfinished(Box<Unfinished>),
}

impl Rest {
    fn of(reasons: Reasons) -> Self {
        if reasons.is_empty() { Self::Nothing } else { Self::Reasons(Box::new(reasons.into_iter().collect())) }
    }
}

/// Why nothing of a file counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// What ignored it, as the sign-off list shows it; none where it was rejected.
    pub what: Option<String>,
    /// The reason.
    pub reason: Shared,
}

impl Why {
    /// Ignored, for a reason that the sign-off list shows.
    pub(crate) fn ignored(what: &str, reason: &str) -> Self {
        Self { what: Some(what.to_owned()), reason: reason.into() }
    }

    /// Rejected.
    pub(crate) fn rejected(reason: &str) -> Self {
        Self { what: None, reason: reason.into() }
    }
}

/// What is kept of a file from its first look to its last turn.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    /// What the first look found, between two turns.
    pub(crate) shaped: Option<Shaped>,
    /// What was claimed in earlier readings.
    pub(crate) sheets: Sheets,
    /// SHA-256 of its bytes.
    pub(crate) sha256: [u8; 32],
    reasons: Reasons,
}

impl FileState {
    /// Leaves the file out, for a reason that the sign-off list shows.
    pub(crate) fn ignore(&mut self, what: &str, reason: &str) {
        self.ignore_for(Arc::new(Why::ignored(what, reason)));
    }

    /// Leaves the file out, as others for the same reason.
    pub(crate) fn ignore_for(&mut self, why: Arc<Why>) {
        self.status = Some(FileStatus::Ignored);
        self.counts = PackedCounts::default();
        self.rest = Rest::Why(why);
    }

    /// Why nothing of it counts.
    pub(crate) fn why(&self) -> Option<&Why> {
        if let Rest::Why(why) = &self.rest { Some(why) } else { None }
    }

    /// The reason why nothing of it counts.
    pub(crate) fn reason(&self) -> Option<&Shared> {
        self.why().map(|why| &why.reason)
    }

    /// The index of its shape, once it was looked at.
    pub(crate) fn shape(&self) -> Option<usize> {
        self.shape.map(|next| next.get() as usize - 1)
    }

    /// Its owner's number in the owner table.
    pub fn owner(&self) -> Option<u32> {
        self.owner.map(|next| next.get() - 1)
    }

    /// Notes its owner.
    pub(crate) fn belongs_to(&mut self, owner: Option<u32>) {
        self.owner = owner.and_then(one_more);
    }

    /// Notes what the first look found.
    pub(crate) fn learn(&mut self, shaped: &Shaped) {
        if self.shape.is_none() {
            // What texts hold in records is added as these are read.
            self.count(|counts| counts.leaves.seen = shaped.leaves + shaped.frame.more_leaves());
        }
        self.shape = u32::try_from(shaped.shape).ok().and_then(one_more);
        self.unfinished().sha256 = shaped.sha256;
    }

    /// What was counted of it so far.
    pub fn counts(&self) -> Counts {
        self.counts.counts()
    }

    /// Its leaves that are ignored or not kept whole, by reason.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = (Reason, u64)> {
        let (unfinished, finished) = match &self.rest {
            Rest::Unfinished(unfinished) => (Some(&unfinished.reasons), None),
            Rest::Reasons(reasons) => (None, Some(&**reasons)),
            Rest::Nothing | Rest::Why(_) => (None, None),
        };
        let unfinished = unfinished.into_iter().flatten().map(|(reason, count)| (*reason, *count));
        unfinished.chain(finished.into_iter().flatten().copied())
    }

    /// Counts something.
    pub(crate) fn count(&mut self, count: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts();
        count(&mut counts);
        self.counts.set(counts);
    }

    /// Counts leaves.
    pub(crate) fn tally(&mut self, count: impl FnOnce(&mut Tally)) {
        let reasons = match &mut self.rest {
            Rest::Unfinished(unfinished) => std::mem::take(&mut unfinished.reasons),
            Rest::Reasons(reasons) => reasons.iter().copied().collect(),
            Rest::Nothing | Rest::Why(_) => Reasons::new(),
        };
        let mut tally = Tally { leaves: self.counts.counts().leaves, reasons };
        count(&mut tally);
        let Tally { leaves, reasons } = tally;
        self.count(|counts| counts.leaves = leaves);
        match &mut self.rest {
            Rest::Unfinished(unfinished) => unfinished.reasons = reasons,
            Rest::Why(_) => {} // nothing of it counts
            rest => *rest = Rest::of(reasons),
        }
    }

    /// Nothing of it counts: it is one reject, as a whole.
    pub(crate) fn reject(&mut self, why: Option<Arc<Why>>) {
        self.status = Some(FileStatus::Rejected);
        self.rest = why.map_or(Rest::Nothing, Rest::Why);
        self.count(|counts| (counts.rejected, counts.leaves) = (1, LeafCounts::default()));
    }

    /// What is kept of it until its last turn.
    pub(crate) fn unfinished(&mut self) -> &mut Unfinished {
        self.rest = Rest::Unfinished(match std::mem::take(&mut self.rest) {
            Rest::Unfinished(unfinished) => unfinished,
            Rest::Reasons(reasons) => {
                Box::new(Unfinished { reasons: reasons.into_iter().collect(), ..Unfinished::default() })
            }
            Rest::Nothing | Rest::Why(_) => Box::default(),
        });
        let Rest::Unfinished(unfinished) = &mut self.rest else { unreachable!("it was just set") };
        unfinished
    }

    /// What the first look found, between two turns.
    pub(crate) fn take_shaped(&mut self) -> Option<Shaped> {
        if let Rest::Unfinished(unfinished) = &mut self.rest { unfinished.shaped.take() } else { None }
    }

    /// What was claimed of a record in earlier readings; of the frame under 0.
    pub(crate) fn take_sheet(&mut self, record: u64) -> Option<Arc<Sheet>> {
        if let Rest::Unfinished(unfinished) = &mut self.rest { unfinished.sheets.take(record) } else { None }
    }

    /// The SHA-256 of its bytes; of use while it is read.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        if let Rest::Unfinished(unfinished) = &self.rest { unfinished.sha256 } else { [0; 32] }
    }

    /// Forgets what is of use only while it is read.
    pub(crate) fn finish(&mut self) {
        if let Rest::Unfinished(unfinished) = &mut self.rest {
            self.rest = Rest::of(std::mem::take(&mut unfinished.reasons));
        }
        self.counts.pack();
    }
}

/// A number that leaves 0 free for none. There are fewer owners, and fewer shapes, than the largest.
fn one_more(number: u32) -> Option<NonZeroU32> {
    NonZeroU32::MIN.checked_add(number)
}

/// The number of a file.
pub(crate) fn file_id(file: usize) -> FileId {
    FileId(u32::try_from(file).expect("the walk numbers fewer files"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_file_is_small() {
        assert!(size_of::<FileState>() <= 48, "{} bytes", size_of::<FileState>());
    }

    #[test]
    fn a_file_that_was_ignored_keeps_nothing_for_further_turns() {
        let mut state = FileState::default();
        state.unfinished().sheets.insert(1, Arc::default());
        state.ignore("notes", "not wanted");
        assert!(state.take_sheet(1).is_none());
        assert_eq!(
            (state.reason().map(|reason| &**reason), state.why().and_then(|why| why.what.as_deref())),
            (Some("not wanted"), Some("notes"))
        );
    }
}
