//! What the walk of the tree found, and files that may still be in use.

use crate::finding::{FILE_CASE_TWINS, FILE_SYMLINK, Finding, SOURCE_IN_USE, Severity, printable};
use crate::import::plan::Plan;
use crate::source::SourceFile;
use crate::source::walk::Skipped;

/// The findings of the walk, unless the set ignores their files.
pub(crate) fn findings(plan: &Plan, started: jiff::Timestamp) -> Vec<Finding> {
    let ignored = |path: &str| plan.set.ignore.iter().any(|ignore| ignore.pattern.matches(path));
    let fresh = plan.mapped().filter(|file| is_fresh(&plan.tree.files[*file], started)).map(|file| {
        let path = printable(&plan.tree.files[file].path);
        let message = format!("`{path}` was written less than a minute before the run");
        Finding::new(&SOURCE_IN_USE, message).at(plan.tree.files[file].place(0))
    });
    let skipped = plan.tree.skipped.iter().filter(|skipped| !ignored(&skipped.path)).map(|skipped| {
        let finding = match &skipped.twin {
            Some(twin) if plan.is_owner_place(&skipped.path) => alias_link(skipped, twin),
            _ => skipped.finding.clone(),
        };
        finding.at_path(skipped.path.clone())
    });
    let keeps_twins = |finding: &Finding| plan.set.strings.keep_case_twins && finding.code == &FILE_CASE_TWINS;
    let walked = plan.tree.findings.iter().cloned();
    let walked = walked.map(|one| if keeps_twins(&one) { one.weighing(Severity::Warning) } else { one });
    walked.chain(fresh).chain(skipped).map(|finding| finding.about("files")).collect()
}

/// A link in an owner's place whose target is called like the folder beside it: one more name of that
/// folder, wherever the link points since the tree was copied.
fn alias_link(link: &Skipped, twin: &str) -> Finding {
    let message =
        format!("`{}`: a symbolic link, not followed; its target has the name of `{twin}`, which is read", link.path);
    Finding::new(&FILE_SYMLINK, message)
}

/// Whether a file was written so shortly before the run that it may still be being written.
fn is_fresh(file: &SourceFile, started: jiff::Timestamp) -> bool {
    const QUIET: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
    // A time out of the range of timestamps is far from this minute.
    file.modified().is_some_and(|modified| started.duration_since(modified) < QUIET)
}
