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
    /// Why nothing of it counts.
    pub why: Option<Arc<Why>>,
    /// One more than the index of its shape.
    shape: Option<NonZeroU32>,
    /// One more than its owner's number in the owner table.
    owner: Option<NonZeroU32>,
    counts: PackedCounts,
    #[expect(clippy::box_collection, reason = "most files ignore nothing, and a map is three times as large")]
    reasons: Option<Box<BTreeMap<Reason, u64>>>,
    /// Which of the run's files in the ledger it is, from 1, once a row came from it.
    pub ledger: Option<NonZeroU32>,
    unfinished: Option<Box<Unfinished>>,
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
}

impl FileState {
    /// Leaves the file out, for a reason that the sign-off list shows.
    pub(crate) fn ignore(&mut self, what: &str, reason: &str) {
        self.ignore_for(Arc::new(Why::ignored(what, reason)));
    }

    /// Leaves the file out, as others for the same reason.
    pub(crate) fn ignore_for(&mut self, why: Arc<Why>) {
        self.status = Some(FileStatus::Ignored);
        self.why = Some(why);
        self.finish();
    }

    /// Why nothing of it counts.
    pub(crate) fn reason(&self) -> Option<&Shared> {
        self.why.as_ref().map(|why| &why.reason)
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
        self.reasons.iter().flat_map(|reasons| reasons.iter()).map(|(reason, count)| (*reason, *count))
    }

    /// Counts something.
    pub(crate) fn count(&mut self, count: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts();
        count(&mut counts);
        self.counts.set(counts);
    }

    /// Counts leaves.
    pub(crate) fn tally(&mut self, count: impl FnOnce(&mut Tally)) {
        let reasons = self.reasons.take().map_or_else(BTreeMap::new, |reasons| *reasons);
        let mut tally = Tally { leaves: self.counts().leaves, reasons };
        count(&mut tally);
        self.count(|counts| counts.leaves = tally.leaves);
        self.reasons = (!tally.reasons.is_empty()).then(|| Box::new(tally.reasons));
    }

    /// Nothing of it counts: it is one reject, as a whole.
    pub(crate) fn reject(&mut self, why: Option<Arc<Why>>) {
        self.status = Some(FileStatus::Rejected);
        self.why = why;
        (self.reasons, self.unfinished) = (None, None);
        self.count(|counts| (counts.rejected, counts.leaves) = (1, LeafCounts::default()));
    }

    /// What is kept of it until its last turn.
    pub(crate) fn unfinished(&mut self) -> &mut Unfinished {
        self.unfinished.get_or_insert_default()
    }

    /// What the first look found, between two turns.
    pub(crate) fn take_shaped(&mut self) -> Option<Shaped> {
        self.unfinished.as_mut()?.shaped.take()
    }

    /// What was claimed of a record in earlier readings; of the frame under 0.
    pub(crate) fn take_sheet(&mut self, record: u64) -> Option<Arc<Sheet>> {
        self.unfinished.as_mut()?.sheets.take(record)
    }

    /// The SHA-256 of its bytes; of use while it is read.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        self.unfinished.as_ref().map_or([0; 32], |unfinished| unfinished.sha256)
    }

    /// Forgets what is of use only while it is read.
    pub(crate) fn finish(&mut self) {
        self.unfinished = None;
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
        assert!(size_of::<FileState>() <= 64, "{} bytes", size_of::<FileState>());
    }

    #[test]
    fn a_file_that_was_ignored_keeps_nothing_for_further_turns() {
        let mut state = FileState::default();
        state.unfinished().sheets.insert(1, Arc::default());
        state.ignore("notes", "not wanted");
        assert!(state.take_sheet(1).is_none());
        assert_eq!(
            (state.reason().map(|reason| &**reason), state.why.as_ref().and_then(|why| why.what.as_deref())),
            (Some("not wanted"), Some("notes"))
        );
    }
}
