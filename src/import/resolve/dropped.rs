//! What is lost with a row that an earlier one of its key supersedes: values of the source that the
//! earlier one does not have.

use super::Resolver;
use super::candidate::Candidate;
use crate::error::Result;
use crate::mapping::keyindex::Known;
use secrecy::ExposeSecret;
use std::hash::{BuildHasher, Hasher};

impl Resolver<'_> {
    /// What the fields of a row say, hashed (0 for NULL): nothing where no later row can be dropped for it.
    pub(super) fn says(&self, row: Candidate<'_>) -> Vec<u64> {
        let Candidate { rule, draft, .. } = row;
        if !self.plan.may_drop(&rule.table.name) {
            return Vec::new();
        }
        let of = |at: usize| match draft.secrets.iter().find(|(field, _)| *field == at) {
            Some((_, secret)) => self.hash_of(secret.expose_secret()),
            None => draft.values[at].as_key_text().map_or(0, |text| self.hash_of(&text)),
        };
        (0..rule.fields.len()).map(of).collect()
    }

    /// In one piece: there is nothing beside it that it must be told from, and each piece costs.
    fn hash_of(&self, text: &str) -> u64 {
        let mut hasher = self.kept.hash.build_hasher();
        hasher.write(text.as_bytes());
        hasher.finish().max(1)
    }

    /// Keeps the row of a key for the twin that another source pattern may give.
    pub(super) fn keep_twin(&mut self, row: Candidate<'_>) -> Result<()> {
        if let (Some(spec), Some(key)) = (self.plan.keys.of(row.rule).own, &row.draft.key) {
            let known = Known::made(row.place, row.rule.number);
            let twin = self.index.set_apart(&known, &self.says(row))?;
            self.kept.add((spec, key.clone()), twin);
        }
        Ok(())
    }

    /// The row with which the n-th of a key from another source pattern folds.
    pub(super) fn twin(&self, row: Candidate<'_>, number: u32) -> Option<Known> {
        let twins = self.kept.twins.get(&(self.plan.keys.of(row.rule).own?, row.draft.key.clone()?))?;
        twins.get(number as usize).map(|row| self.index.apart(*row))
    }

    /// The columns whose values are lost with a superseded row, where nothing says that the earlier one
    /// is the better: neither `[precedence]` nor `newest`.
    pub(super) fn dropped(&self, row: Candidate<'_>, stayed: &Known) -> Result<Vec<String>> {
        let Candidate { rule, draft, place } = row;
        let Some(other) = self.plan.rule(stayed.feeder) else {
            return Ok(Vec::new());
        };
        let newest = !rule.mapping_of(&self.plan.set).source.newest.is_empty() && other.mapping == rule.mapping;
        let newer = newest && stayed.place.is_some_and(|stayed| stayed.file != place.file);
        if newer || self.is_ranked_after(rule, stayed.feeder) {
            return Ok(Vec::new());
        }
        let (says, stayed_says) = (self.says(row), self.index.says(stayed)?);
        let is_key = |at: &usize| rule.key_fields.iter().flatten().any(|key| key == at);
        // What is made from the place of the record alone is no value of the source.
        let from_source = |at: &usize| draft.claims.iter().any(|claim| claim.field == Some(*at));
        let differs = |at: &usize| {
            let field = other.field(&rule.fields[*at].column.name);
            says[*at] != 0 && field.and_then(|field| stayed_says.get(field)) != Some(&says[*at])
        };
        let lost = (0..says.len()).filter(|at| !is_key(at) && from_source(at) && differs(at));
        Ok(lost.map(|at| format!("`{}`", rule.fields[at].column.name)).collect())
    }
}
