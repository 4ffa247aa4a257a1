//! Names of members that are left out.

use super::Leaves;
use crate::document::name::NameLeaf;
use crate::import::leaves::sheet::{Mark, Sheet, Why};

impl Leaves<'_> {
    /// Leaves out the names of elements that a rule calls by `key_as`, and of which it makes no row.
    pub(crate) fn leave_idle_names(&mut self, mapping: usize, names: &[(usize, NameLeaf)], sheet: &mut Sheet) {
        for (rule, leaf) in names {
            let rule = &self.plan.rules[mapping][*rule];
            let text = || (rule.name.clone(), "the name of an element that makes no row".to_owned());
            let mark = Mark::ignored(self.reasons.number((rule.number as usize, Why::IdleName), text));
            sheet.claim_name(*leaf, mark);
        }
    }

    /// Leaves out member names, as entries of `[ignore]` say.
    pub(crate) fn ignore_names(&mut self, number: usize, names: &[(usize, NameLeaf)], sheet: &mut Sheet) {
        let mapping = &self.plan.set.mappings[number];
        for (at, leaf) in names.iter().filter(|(_, leaf)| sheet.names().contains_key(leaf)).collect::<Vec<_>>() {
            let ignored = &mapping.ignore_names[*at];
            let text = || (format!("{}: #{}", mapping.name, ignored.name), ignored.reason.clone());
            let mark = Mark::ignored(self.reasons.number((number, Why::IgnoredName(*at)), text));
            sheet.claim_name(*leaf, mark);
        }
    }
}
