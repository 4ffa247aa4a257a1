//! What is known of rows before they are read: all that an earlier reading of the same tree made.

use super::table::Table;
use super::{Ahead, KeyIndex, Store};
use std::collections::HashMap;

impl KeyIndex {
    /// An empty index that answers late lookups by what is known ahead.
    #[must_use]
    pub fn looking(self, ahead: Ahead) -> Self {
        // The keys of both are compared.
        let hashing = if let Ahead::Rows(rows) = &ahead { rows.hashing.clone() } else { self.hashing };
        Self { hashing, ahead, ..self }
    }

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

    fn is_alike(&self, known: &Self, spec: usize) -> bool {
        let (mine, other) = (&self.lasting.tables[spec], &known.lasting.tables[spec]);
        let wanted = self.specs[spec].wanted.len();
        let of = |index: &Self, number: u32| {
            let row = if wanted == 0 { number } else { index.lasting.row_of(number) };
            let values = if wanted == 0 { Vec::new() } else { index.lasting.values(number, wanted) };
            (index.lasting.row(row).present, values)
        };
        mine.len() == other.len()
            && mine
                .iter()
                .all(|(key, number)| other.get(key).is_some_and(|known_as| of(self, number) == of(known, known_as)))
    }
}
