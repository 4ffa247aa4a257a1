//! Which mapping reads a file, or what ignores it.

use crate::mapping::model::{Pattern, Set};
use crate::mapping::patterns::Patterns;
use std::cmp::Ordering;

/// What happens to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// The mapping of this index reads it, by its n-th pattern.
    Mapped {
        /// The mapping's index in the set.
        mapping: usize,
        /// The pattern's index in the mapping.
        pattern: usize,
        /// What the pattern captured.
        captures: Vec<(String, String)>,
    },
    /// It is ignored: the pattern, and the reason.
    Ignored {
        /// The pattern as written.
        what: String,
        /// The reason.
        reason: String,
    },
    /// No mapping and no `[ignore]` matches it.
    Unmapped,
}

/// Which mappings take part in a run.
#[derive(Debug)]
pub struct Chosen<'o> {
    /// Only these; empty for all.
    pub only: &'o [String],
    /// These too, although they are optional.
    pub with: &'o [String],
}

/// The patterns of a set: those of its mappings, then those of its `[ignore]`.
#[derive(Debug)]
pub(super) struct Readers {
    entries: Vec<Entry>,
    index: Patterns,
}

/// A pattern by its indexes in the set.
#[derive(Debug, Clone, Copy)]
enum Entry {
    Mapping { mapping: usize, pattern: usize },
    Ignore(usize),
}

impl Entry {
    fn pattern(self, set: &Set) -> &Pattern {
        match self {
            Entry::Mapping { mapping, pattern } => &set.mappings[mapping].source.files[pattern],
            Entry::Ignore(at) => &set.ignore[at].pattern,
        }
    }

    /// What becomes of a file with these captures.
    fn disposition(self, set: &Set, captures: Vec<(String, String)>, chosen: &Chosen) -> Disposition {
        let (mapping, pattern) = match self {
            Entry::Mapping { mapping, pattern } => (mapping, pattern),
            Entry::Ignore(at) => {
                let ignore = &set.ignore[at];
                return Disposition::Ignored { what: ignore.pattern.text.clone(), reason: ignore.reason.clone() };
            }
        };
        let of = &set.mappings[mapping];
        if !chosen.only.is_empty() && !chosen.only.contains(&of.name) {
            let reason = "skipped because of --only-mapping".to_owned();
            return Disposition::Ignored { what: of.name.clone(), reason };
        }
        match &of.source.optional {
            Some(reason) if !chosen.with.contains(&of.name) => {
                Disposition::Ignored { what: self.pattern(set).text.clone(), reason: reason.clone() }
            }
            _ => Disposition::Mapped { mapping, pattern, captures },
        }
    }
}

impl Readers {
    pub(super) fn new(set: &Set) -> Self {
        let mut entries = Vec::new();
        for (mapping, of) in set.mappings.iter().enumerate() {
            entries.extend((0..of.source.files.len()).map(|pattern| Entry::Mapping { mapping, pattern }));
        }
        entries.extend((0..set.ignore.len()).map(Entry::Ignore));
        let mut index = Patterns::default();
        for (number, entry) in entries.iter().enumerate() {
            index.add(number, entry.pattern(set));
        }
        Self { entries, index }
    }

    /// The most specific pattern decides; of several that are as specific, the first.
    pub(super) fn disposition(&self, set: &Set, path: &str, chosen: &Chosen) -> Disposition {
        let mut best: Option<(Entry, Vec<(String, String)>)> = None;
        for entry in self.index.near(path).into_iter().map(|number| self.entries[number]) {
            let pattern = entry.pattern(set);
            if let Some(captures) = pattern.matches(path)
                && best.as_ref().is_none_or(|(held, _)| pattern.more_specific(held.pattern(set)) == Ordering::Less)
            {
                best = Some((entry, captures));
            }
        }
        best.map_or(Disposition::Unmapped, |(entry, captures)| entry.disposition(set, captures, chosen))
    }
}
