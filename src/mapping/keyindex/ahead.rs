//! What is known of rows before they are read: all that an earlier reading of the same tree made.

use super::table::Table;
use super::{Ahead, KeyIndex, Store};
use crate::finding::Place;
use crate::row::Value;
use std::collections::HashMap;

impl KeyIndex {
    /// What is known of all rows, once everything was read: that for which late lookups ask.
    #[must_use]
    pub fn known(mut self) -> Ahead {
        for (at, _) in self.specs.iter().enumerate().filter(|(_, spec)| !spec.is_late) {
            self.lasting.tables[at] = Table::default();
            self.withheld[at] = HashMap::default();
        }
        let of_owner = Store::new(self.specs.len(), false);
        Ahead::Rows(Box::new(Self { ahead: Ahead::Nothing, of_owner, log: Vec::new(), ..self }))
    }

    /// Whether the rows are those that were known ahead, as far as late lookups ask for them: then the answers hold.
    pub fn is_as_known(&self) -> bool {
        let Ahead::Rows(known) = &self.ahead else { return self.specs.iter().all(|spec| !spec.is_late) };
        (0..self.specs.len()).filter(|spec| self.specs[*spec].is_late).all(|spec| self.is_alike(known, spec))
    }

    /// A table with rows that are not those that were known ahead, as far as late lookups ask for them, and where the
    /// first of its rows comes from that differs.
    pub fn first_unlike(&self) -> Option<(&str, Option<Place>)> {
        let Ahead::Rows(known) = &self.ahead else { return None };
        let late = (0..self.specs.len()).filter(|spec| self.specs[*spec].is_late);
        let spec = late.into_iter().find(|spec| !self.is_alike(known, *spec))?;
        let (mine, other) = (&self.lasting.tables[spec], &known.lasting.tables[spec]);
        let came = mine.iter().filter(|(key, number)| {
            other.get(*key).is_none_or(|known_as| self.says_of(spec, *number) != known.says_of(spec, known_as))
        });
        let went = other.iter().filter(|(key, _)| mine.get(*key).is_none());
        let places = came.map(|(_, number)| self.lasting.row(self.number_of(spec, number)).place);
        let places = places.chain(went.map(|(_, number)| known.lasting.row(known.number_of(spec, number)).place));
        let first = places.flatten().min_by_key(|place| (place.file, place.offset));
        Some((self.specs[spec].table.as_str(), first))
    }

    /// The row that a key leads to.
    fn number_of(&self, spec: usize, number: u32) -> u32 {
        if self.specs[spec].wanted.is_empty() { number } else { self.lasting.row_of(number) }
    }

    /// Whether there is a row that a key leads to, and what is held of it.
    fn says_of(&self, spec: usize, number: u32) -> (bool, Vec<Value>) {
        let wanted = self.specs[spec].wanted.len();
        let values = if wanted == 0 { Vec::new() } else { self.lasting.values(number, wanted) };
        (self.lasting.row(self.number_of(spec, number)).present, values)
    }

    fn is_alike(&self, known: &Self, spec: usize) -> bool {
        let (mine, other) = (&self.lasting.tables[spec], &known.lasting.tables[spec]);
        let is_same = |number, known_as| self.says_of(spec, number) == known.says_of(spec, known_as);
        mine.len() == other.len()
            && mine.iter().all(|(key, number)| other.get(key).is_some_and(|known_as| is_same(number, known_as)))
    }
}
