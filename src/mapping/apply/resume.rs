//! Rows that ask for other rows before these are known: they are made as far as they do not, and finished later.
//!
//! What comes of it is what comes of a row that is made at once, in the same order.

use super::draft::{Draft, Origin};
use super::maker::RowMaker;
use super::row::{NoRow, Why};
use super::scope::Stop;
use super::unmade::{Lengths, Memo, Unmade, UnmadeField};

impl RowMaker<'_, '_> {
    /// Notes that a field is made once other rows are known.
    pub(super) fn note_unmade(&mut self, field: usize) {
        let until = self.draft.lengths();
        self.draft.unmade.get_or_insert_default().fields.push(UnmadeField { at: field, until });
    }

    /// Forgets what a column gave before it asked for other rows; what other columns gave that it reads stays.
    pub(super) fn unmake(&mut self, field: usize, before: Lengths) {
        let name = self.rule.columns[field].name.as_str();
        self.draft.origins[field] = Origin::Own;
        let mut at = 0..;
        self.draft.claims.retain(|claim| at.next() < Some(before.claims) || claim.field != Some(field));
        let mut at = 0..;
        let is_other = |column: &Option<String>| column.as_deref() != Some(name);
        self.draft.differing.retain(|(_, fault)| at.next() < Some(before.differing) || is_other(&fault.column));
    }

    /// Makes the rest of a row, now that other rows are known.
    pub(super) fn go_on(mut self) -> Result<Draft, Box<NoRow>> {
        let Some(unmade) = self.draft.unmade.take() else { return Ok(self.draft) };
        let Unmade { fields, memo, without_secret } = *unmade;
        (self.memo, self.without_secret) = (memo, without_secret);
        for field in &fields {
            self.memo[field.at] = Memo::Unknown;
        }
        let mut added = Lengths::default();
        for UnmadeField { at, until } in fields {
            let before = self.draft.lengths();
            let made = self.field(at);
            let after = self.draft.lengths();
            let (claims, differing) = (after.claims - before.claims, after.differing - before.differing);
            self.draft.claims[until.claims + added.claims..].rotate_right(claims);
            self.draft.differing[until.differing + added.differing..].rotate_right(differing);
            added = Lengths { claims: added.claims + claims, differing: added.differing + differing };
            match made {
                Ok(()) => {}
                Err(Stop::Reject(fault)) => self.faults.push(*fault),
                Err(Stop::Later) => self.draft.later.push(at),
                Err(stop) => {
                    // The fields behind it would not have been made.
                    self.draft.claims.truncate(until.claims + added.claims);
                    self.draft.differing.truncate(until.differing + added.differing);
                    return Err(self.stopped(stop));
                }
            }
        }
        self.finish()
    }

    /// Makes a secret; where it asks for other rows after it gave something, the row is made anew.
    pub(super) fn secret_or_unmade(&mut self, field: usize) -> Result<(), Stop> {
        let before = self.draft.lengths();
        let made = self.secret(field);
        self.anew |= matches!(made, Err(Stop::Asks)) && self.draft.lengths() != before;
        made
    }

    /// A row some fields of which are made later; none where it must be made anew then.
    pub(super) fn unfinished(mut self) -> Result<Draft, Box<NoRow>> {
        if self.anew || !self.faults.is_empty() {
            return Err(self.no_row(Why::Asks));
        }
        if let Some(unmade) = &mut self.draft.unmade {
            (unmade.memo, unmade.without_secret) = (std::mem::take(&mut self.memo), self.without_secret);
        }
        Ok(self.draft)
    }
}
