//! The sign-off lists of a run, with what they have of owners who are not read.

use super::run::Import;
use super::signed::{Line, Lines, Signed};
use crate::report::{IgnoredReport, LossyReport};

/// Both lists of a run.
pub(super) fn lists(run: &Import<'_>) -> (Vec<IgnoredReport>, Vec<LossyReport>) {
    let mut all = Lines::default();
    (0..run.files.len())
        .filter(|file| !run.left.has(*file))
        .for_each(|file| all.add_file(&run.files[file], &run.leaves.reasons));
    for Line { is_lossy, what, reason, files, leaves } in run.left.signed().flat_map(|signed| &signed.lines) {
        all.add((*is_lossy, what, reason), (*files, *leaves));
    }
    let (lossy, ignored): (Vec<Line>, _) = all.into_lines().partition(|line| line.is_lossy);
    let ignored = ignored.into_iter().map(|Line { what, reason, files, leaves, .. }| IgnoredReport {
        what,
        reason,
        files,
        leaves,
    });
    let lossy = lossy.into_iter().map(|Line { what, reason, leaves, .. }| LossyReport { what, reason, leaves });
    (ignored.collect(), lossy.collect())
}

/// What they have of each owner.
pub(super) fn of_owners(run: &Import<'_>) -> Vec<Signed> {
    let of_read = run.of_owners.iter().map(|(owner, files)| {
        let mut of = Lines::default();
        files.iter().for_each(|file| of.add_file(&run.files[*file], &run.leaves.reasons));
        Signed { owner: owner.id.clone(), lines: of.into_lines().collect() }
    });
    of_read.chain(run.left.signed().cloned()).filter(|signed| !signed.lines.is_empty()).collect()
}
