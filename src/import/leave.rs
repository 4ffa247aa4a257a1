//! Leaves the files of owners unread of whom nothing changed, as far as they stand apart.

use super::left::Before;
use super::owners::{Matcher, OwnerMatch};
use super::pipeline::Files;
use super::run::Import;
use crate::mapping::apply::Owner;
use std::collections::HashSet;
use std::sync::Arc;

impl Import<'_> {
    /// Takes out what stands apart of owners of whom nothing of that changed, and notes whose the rest is.
    pub(super) fn leave_as_before(&mut self, owners: &mut [(Arc<Owner>, Files)]) {
        let Some(apart) = self.apart.filter(|apart| apart.is_any()) else { return };
        let changed = self.changed_owners();
        for (owner, files) in owners {
            let of_owner = || files.iter().filter(|(mapping, _)| apart.has(**mapping)).flat_map(|(_, files)| files);
            let is_as_before = |before: &Before| {
                let mut all = of_owner().peekable();
                all.peek().is_some() && !changed.contains(&owner.id) && all.all(|file| before.is_of(*file, &owner.id))
            };
            if !self.left.before().is_some_and(is_as_before) {
                let files = of_owner().copied().collect();
                self.of_owners.push((Arc::clone(owner), files));
                continue;
            }
            let left: Vec<usize> = of_owner().copied().collect();
            files.retain(|mapping, _| !apart.has(*mapping));
            self.left.leave(&owner.id, &left);
            for file in left {
                let status = self.left.file(file).map(|report| report.status);
                self.files[file].status = status;
                self.ui.advance(1, self.plan.tree.files[file].bytes);
            }
        }
    }

    /// The owners from whose directories files are gone.
    fn changed_owners(&self) -> HashSet<String> {
        let Some((before, owners)) = self.left.before().zip(self.plan.set.owners.as_ref()) else {
            return HashSet::new();
        };
        if before.gone.is_empty() {
            return HashSet::new();
        }
        let matcher = Matcher::new(self.plan, owners, &self.resolver.owners);
        let owner = |directory: &Option<String>| {
            let found = match directory {
                Some(name) => matcher.find(name),
                None => self.owner_of_ownerless(owners.ownerless),
            };
            if let OwnerMatch::One(found) = found { Some(found.id) } else { None }
        };
        before.gone.iter().filter_map(owner).collect()
    }

    /// Whether this run must be given up and everything read: what it left unread may have a say in what it read.
    pub(super) fn must_read_all(&self) -> bool {
        let is_wrong = self.resolver.met_others || self.rejects.count > 0 || self.findings.errors() > 0;
        self.left.is_any() && (is_wrong || !self.rejects.is_none_late() || !self.rejects.refused.is_empty())
    }
}
