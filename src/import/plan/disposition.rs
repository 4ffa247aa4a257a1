//! Which mapping reads a file, or what ignores it.

use crate::import::files::Why;
use crate::mapping::model::{Format, Pattern, Set};
use crate::mapping::patterns::Patterns;
use crate::source::Form;
use std::cmp::Ordering;
use std::ops::Index;
use std::sync::Arc;

/// What happens to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// The mapping of this index reads it, by its n-th pattern.
    Mapped {
        /// The mapping's index in the set.
        mapping: usize,
        /// The pattern's index in the mapping.
        pattern: usize,
    },
    /// It is ignored: the pattern as written, and the reason.
    Ignored(Arc<Why>),
    /// No mapping and no `[ignore]` matches it.
    Unmapped,
}

impl Disposition {
    /// How the bytes of its files are to be read.
    pub(super) fn form(&self, set: &Set, chosen: &Chosen) -> Form {
        let Self::Mapped { mapping, pattern } = self else { return Form::default() };
        let source = &set.mappings[*mapping].source;
        let packed = source.files[*pattern].text.ends_with(".gz").then_some(chosen.max_unpacked);
        Form { packed, lines: source.format == Format::Lines }
    }
}

/// What happens to each file, by its number. Files of one pattern have one disposition.
#[derive(Debug)]
pub struct Dispositions {
    /// By the number of the pattern; the last one is that of files that none matches.
    of_patterns: Vec<Disposition>,
    /// By the number of the file.
    of_files: Vec<u32>,
}

impl Dispositions {
    /// Those of all files, in the order of their numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Disposition> {
        self.of_files.iter().map(|pattern| &self.of_patterns[*pattern as usize])
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.of_files.len()
    }

    /// Whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.of_files.is_empty()
    }
}

impl Index<usize> for Dispositions {
    type Output = Disposition;

    fn index(&self, file: usize) -> &Disposition {
        &self.of_patterns[self.of_files[file] as usize]
    }
}

/// Which mappings take part in a run.
#[derive(Debug)]
pub struct Chosen<'o> {
    /// Only these; empty for all.
    pub only: &'o [String],
    /// These too, although they are optional.
    pub with: &'o [String],
    /// To how many bytes a packed file may unpack.
    pub max_unpacked: u64,
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

    /// What becomes of its files.
    fn disposition(self, set: &Set, chosen: &Chosen) -> Disposition {
        let ignored = |what: &str, reason: &str| Disposition::Ignored(Arc::new(Why::ignored(what, reason)));
        let (mapping, pattern) = match self {
            Entry::Mapping { mapping, pattern } => (mapping, pattern),
            Entry::Ignore(at) => return ignored(&set.ignore[at].pattern.text, &set.ignore[at].reason),
        };
        let of = &set.mappings[mapping];
        if !chosen.only.is_empty() && !chosen.only.contains(&of.name) {
            return ignored(&of.name, "skipped because of --only-mapping");
        }
        match &of.source.optional {
            Some(reason) if !chosen.with.contains(&of.name) => ignored(&self.pattern(set).text, reason),
            _ => Disposition::Mapped { mapping, pattern },
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

    /// What happens to files of these paths.
    pub(super) fn dispositions<'p>(
        &self,
        set: &Set,
        paths: impl Iterator<Item = &'p str>,
        chosen: &Chosen,
    ) -> Dispositions {
        let mut of_patterns: Vec<_> = self.entries.iter().map(|entry| entry.disposition(set, chosen)).collect();
        let unmapped = of_patterns.len();
        of_patterns.push(Disposition::Unmapped);
        let number = |path| self.decides(set, path).unwrap_or(unmapped);
        let number = |path| u32::try_from(number(path)).expect("a set has fewer patterns");
        Dispositions { of_patterns, of_files: paths.map(number).collect() }
    }

    /// The mapping and pattern that would read a file of this path if every mapping took part.
    pub(super) fn reader(&self, set: &Set, path: &str) -> Option<(usize, usize)> {
        match self.entries[self.decides(set, path)?] {
            Entry::Mapping { mapping, pattern } => Some((mapping, pattern)),
            Entry::Ignore(_) => None,
        }
    }

    /// The most specific pattern decides; of several that are as specific, the first.
    fn decides(&self, set: &Set, path: &str) -> Option<usize> {
        let pattern = |number: &usize| self.entries[*number].pattern(set);
        let matching = self.index.near(path).into_iter().filter(|number| pattern(number).matches(path));
        matching.reduce(|held, number| match pattern(&number).more_specific(pattern(&held)) {
            Ordering::Less => number,
            Ordering::Equal | Ordering::Greater => held,
        })
    }
}
