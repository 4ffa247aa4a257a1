//! One who looks at files before their turn, and makes rows of their records as far as that can be done.

use crate::finding::Finding;
use crate::import::early::Early;
use crate::import::look::{LinesSeen, Looked, look, look_at_lines};
use crate::import::plan::Plan;
use crate::import::shaping::PathTables;
use crate::mapping::apply::Owner;
use crate::source::lines::Block;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What was found in a file; nothing where looking at it panicked: the import looks itself then, and meets it where
/// it is reported.
pub(super) type Seen = Option<Result<Looked, Vec<Finding>>>;

/// A file, with the number of its mapping, and its owner.
pub(super) type OfOwner = (usize, usize, Option<Arc<Owner>>);

/// What is to be looked at.
pub(super) enum Ask {
    /// Files.
    Files(Vec<OfOwner>),
    /// Lines of a file, with their number and that of the mapping.
    Lines(u64, usize, Arc<Block>),
}

/// What was found.
pub(super) enum Told {
    Files(Vec<(usize, Seen)>),
    Lines(u64, Option<LinesSeen>),
}

/// See above.
pub(super) struct Looker<'p> {
    plan: &'p Plan,
    depth: u32,
    /// What rows are made with, where they are.
    early: Option<Early<'p>>,
    paths: PathTables,
    /// Whether it is a thread beside the import, for which nothing ends where it panics.
    is_beside: bool,
}

impl<'p> Looker<'p> {
    pub(super) fn new(plan: &'p Plan, depth: u32, early: Option<Early<'p>>, is_beside: bool) -> Self {
        Self { plan, depth, early, paths: PathTables::default(), is_beside }
    }

    /// Looks at what is asked for.
    pub(super) fn look(&mut self, asked: Ask) -> Told {
        match asked {
            Ask::Files(files) => Told::Files(files.into_iter().map(|file| (file.0, self.see(file))).collect()),
            Ask::Lines(block, number, lines) => Told::Lines(block, self.see_lines(number, &lines)),
        }
    }

    fn see(&mut self, (file, number, owner): OfOwner) -> Seen {
        caught(self.is_beside, || {
            let (source, mapping) = (&self.plan.tree.files[file], &self.plan.set.mappings[number]);
            let (mut shaped, _) = look(source, self.plan.limits(number, self.depth), mapping)?;
            let make = |early: &Early| early.make(&mut self.paths, (file, number), owner.as_ref(), &mut shaped);
            // Of other records none are read.
            let is_taken = self.plan.taken.part_of(file).is_none();
            shaped.made = self.early.as_ref().filter(|_| is_taken).and_then(make);
            Ok((shaped, None))
        })
    }

    fn see_lines(&self, number: usize, block: &Block) -> Option<LinesSeen> {
        let (limits, mapping) = (self.plan.limits(number, self.depth), &self.plan.set.mappings[number]);
        caught(self.is_beside, || look_at_lines(block, limits, mapping))
    }
}

/// What something gives; nothing where it panics and that is to be caught.
fn caught<T>(is_caught: bool, look: impl FnOnce() -> T) -> Option<T> {
    if is_caught { catch_unwind(AssertUnwindSafe(look)).ok() } else { Some(look()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::plan::everything;
    use crate::judge::judge;
    use crate::mapping::bundled;
    use crate::source::walk;
    use std::path::Path;

    #[test]
    fn a_panic_of_a_thread_beside_the_import_loses_that_file_alone() {
        let source = bundled::find("notes").expect("bundled");
        let (set, schema) = judge(&source).expect("right");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/notes");
        let plan = Plan::new(set, schema, walk::walk(&root).expect("a tree"), &everything(&[])).expect("a plan");
        let files = || vec![(0, 0, None), (usize::MAX, 0, None), (1, 0, None)];
        let Told::Files(seen) = Looker::new(&plan, 64, None, true).look(Ask::Files(files())) else {
            panic!("files were asked for");
        };
        let told: Vec<_> = seen.iter().map(|(file, seen)| (*file, seen.is_some())).collect();
        assert_eq!(told, [(0, true), (usize::MAX, false), (1, true)]);
        // The import itself meets it, so that it is reported.
        let alone = catch_unwind(AssertUnwindSafe(|| Looker::new(&plan, 64, None, false).look(Ask::Files(files()))));
        assert!(alone.is_err());
    }
}
