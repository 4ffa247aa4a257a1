//! Rows that others need: without them these are not made.

use super::table::KeyHash;
use super::{Ahead, KeyIndex, KeyText, Life, Need};
use crate::finding::Place;

/// A row that a `lookup` asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    spec: u32,
    key: KeyHash,
}

/// Whether there is a row that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// There is none.
    Missing,
    /// The target has it, whatever this run makes.
    Kept,
    /// This run makes it: the element that it is made of, and the number of the rule.
    Made(Place, u32),
}

impl KeyIndex {
    /// Notes from now on who needs which rows.
    pub fn note_needs(&mut self) {
        self.notes_needs = true;
    }

    /// Whether all rows are made only to know which there will be.
    pub fn is_ahead(&self) -> bool {
        self.notes_needs
    }

    /// Whether rows of the target that earlier runs made of this tree are taken for rows that this run will make.
    pub fn hides_own(&self) -> bool {
        self.hides_own
    }

    /// Whether there are any such rows.
    pub fn hides_any(&self) -> bool {
        self.hides_own && self.withheld.iter().any(|rows| !rows.is_empty())
    }

    /// What needs the row that the `lookup` of this number asks for, where that is noted.
    pub fn needed(&self, number: usize) -> Need {
        let site = self.sites.get(number).copied().flatten().filter(|site| self.notes_needs && site.is_late);
        site.map_or(Need::ForNothing, |site| site.needed)
    }

    /// The row that the `lookup` of this number asks for by a key.
    pub fn asked(&self, number: usize, key: &KeyText) -> Option<Asked> {
        let spec = self.sites.get(number)?.as_ref()?.spec;
        let key = self.value_hash(spec, key);
        Some(Asked { spec: u32::try_from(spec).ok()?, key })
    }

    /// Whether there is a row that was asked for.
    pub fn answer(&self, asked: &Asked) -> Answer {
        let (spec, key) = (asked.spec as usize, asked.key);
        let Some(found) = self.find_hash(spec, key, !self.hides_own) else { return Answer::Missing };
        let known = self.store(found.0).row(self.row_of(spec, found));
        match known.place {
            _ if !known.present => Answer::Missing,
            Some(place) if !known.existing || self.is_own(spec, key) => Answer::Made(place, known.feeder),
            _ => Answer::Kept,
        }
    }

    /// Whether the target has a row of this key that an earlier run made of this tree.
    fn is_own(&self, spec: usize, key: KeyHash) -> bool {
        self.hides_own && self.withheld[spec].get(&key).is_some_and(|rows| !rows.is_empty())
    }

    /// Forgets rows that this run would make after all not, as far as late lookups ask for them.
    pub fn forget(&mut self, is_gone: &dyn Fn(Place, u32) -> bool) {
        for spec in (0..self.specs.len()).filter(|spec| self.specs[*spec].is_late) {
            let gone = self.lasting.tables[spec].iter().filter(|(key, number)| {
                let known = self.lasting.row(self.row_of(spec, (Life::Run, *number)));
                let is_made = !known.existing || self.is_own(spec, *key);
                known.place.is_some_and(|place| is_made && is_gone(place, known.feeder))
            });
            let gone: Vec<KeyHash> = gone.map(|(key, _)| key).collect();
            gone.into_iter().for_each(|key| self.lasting.tables[spec].remove(key));
        }
    }

    /// An empty index that answers late lookups by what is known ahead; `hides_own` where they do not find rows of the
    /// target that earlier runs made of this tree, but those that this run makes.
    #[must_use]
    pub fn looking(self, ahead: Ahead, hides_own: bool) -> Self {
        // The keys of both are compared.
        let hashing = if let Ahead::Rows(rows) = &ahead { rows.hashing.clone() } else { self.hashing };
        Self { hashing, ahead, hides_own, ..self }
    }
}
