//! What the beginnings of files have in common: whether files of different names are of one type.

use super::look::Look;
use super::stamp::is_id;
use std::collections::{BTreeMap, BTreeSet};

/// The names at the beginning of a file, without those that are data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Members of the document, or of its first element.
    pub outer: BTreeSet<String>,
    /// Members of those.
    pub inner: BTreeSet<String>,
}

impl Head {
    /// Whether it says anything about the file.
    pub(super) fn tells(&self) -> bool {
        !self.outer.is_empty() || !self.inner.is_empty()
    }

    /// Takes in a name that lies so deep, from 0.
    pub(super) fn note(&mut self, depth: usize, name: &str) {
        if !is_id(name) && !Look::of(name).is_some_and(Look::is_data) {
            let names = if depth == 0 { &mut self.outer } else { &mut self.inner };
            names.insert(name.to_owned());
        }
    }
}

/// What most of some heads have.
pub(super) struct Core(Head);

impl Core {
    pub(super) fn of<'h>(heads: impl Iterator<Item = &'h Head>) -> Self {
        let (mut outer, mut inner) = (BTreeMap::new(), BTreeMap::new());
        let (mut outers, mut inners) = (0, 0);
        for head in heads {
            outers += usize::from(!head.outer.is_empty());
            inners += usize::from(!head.inner.is_empty());
            head.outer.iter().for_each(|name| *outer.entry(name).or_default() += 1);
            head.inner.iter().for_each(|name| *inner.entry(name).or_default() += 1);
        }
        let most = |counts: BTreeMap<&String, usize>, of: usize| {
            counts.into_iter().filter(|(_, count)| 2 * count > of).map(|(name, _)| name.clone()).collect()
        };
        Self(Head { outer: most(outer, outers), inner: most(inner, inners) })
    }

    /// Whether a head is like this: half of the names on either level, or nothing that tells.
    pub(super) fn is_like(&self, head: &Head) -> bool {
        let alike = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            let both = one.intersection(other).count();
            both > 0 && 2 * both >= one.len().max(other.len())
        };
        !head.tells() || alike(&head.outer, &self.0.outer) || alike(&head.inner, &self.0.inner)
    }
}
