//! Asks the database about the keys of a chunk's rows: all keys of a kind at once.

use super::Resolver;
use super::answers::Answer;
use crate::error::Result;
use crate::import::context::Context;
use crate::import::plan::Plan;
use crate::mapping::apply::Draft;
use crate::mapping::keyindex::KeyText;
use crate::row::Value;
use std::collections::{BTreeMap, HashSet};

/// Keys about which the database is to be asked, by question.
type Wanted = BTreeMap<usize, BTreeMap<KeyText, Vec<Value>>>;

impl Resolver<'_> {
    /// Asks the database about the rows of a chunk: those that have their keys, and, of rows that it does
    /// not have, those that have their unique values, and those that they reference.
    pub(crate) fn ask<'d>(
        &mut self,
        cx: &mut Context<'_>,
        drafts: impl Iterator<Item = &'d Draft> + Clone,
    ) -> Result<()> {
        self.answers.known.clear();
        self.standing.clear();
        if !self.answers.is_any_asked {
            return Ok(());
        }
        let plan = self.plan;
        let rules = &plan.rules[cx.mapping];
        let written: HashSet<&str> = drafts.clone().map(|draft| rules[draft.rule].table.name.as_str()).collect();
        let mut wanted = Wanted::new();
        for draft in drafts.clone() {
            let rule = &rules[draft.rule];
            let keys = plan.keys.of(rule);
            // A row that the run has met is known by its key.
            let is_met = |spec| draft.key.as_ref().and_then(|key| self.index.get(spec, key)).is_some();
            if !keys.own.is_some_and(is_met) {
                let own = rule.key_of(&draft.values).and_then(|values| Some((KeyText::of(&values)?, values)));
                let by_key = !cx.writer.is_verifying()
                    && keys.is_unique
                    && rule.starts
                    && !rule.is_known_by_ledger(&self.plan.set);
                for question in keys.fill.into_iter().chain(keys.row.filter(|_| by_key)) {
                    self.want(&mut wanted, question, own.clone());
                }
            }
            // Rows that this chunk itself may give are known when they are asked for.
            for key in keys.references.iter().filter(|key| !written.contains(key.table.as_str())) {
                let is_known = |text: &KeyText| key.spec.is_some_and(|spec| self.index.get(spec, text).is_some());
                let text = key.of(&draft.values).filter(|text| !is_known(text));
                self.want(&mut wanted, key.question, text.map(|text| (text, key.values(&draft.values))));
            }
        }
        self.put(cx, &mut wanted)?;
        for draft in drafts.clone() {
            let keys = plan.keys.of(&rules[draft.rule]);
            let text = rules[draft.rule].key_of(&draft.values).and_then(|values| KeyText::of(&values));
            let known = keys.row.zip(text).and_then(|(question, text)| self.answers.get(question, &text));
            if let Some(None) = known {
                for key in &keys.unique {
                    let text = key.of(&draft.values);
                    self.want(&mut wanted, key.question, text.map(|text| (text, key.values(&draft.values))));
                }
            }
        }
        self.put(cx, &mut wanted)?;
        self.ask_standing(cx, rules, drafts)
    }

    fn want(&self, wanted: &mut Wanted, question: usize, key: Option<(KeyText, Vec<Value>)>) {
        if let Some((text, values)) = key.filter(|_| self.answers.asks[question])
            && self.answers.get(question, &text).is_none()
        {
            wanted.entry(question).or_default().insert(text, values);
        }
    }

    fn put(&mut self, cx: &mut Context<'_>, wanted: &mut Wanted) -> Result<()> {
        for (question, keys) in std::mem::take(wanted) {
            let (texts, keys): (Vec<KeyText>, Vec<Vec<Value>>) = keys.into_iter().unzip();
            let found = find(cx, self.plan, question, &keys)?;
            self.answers.known.entry(question).or_default().extend(texts.into_iter().zip(found));
        }
        Ok(())
    }

    /// The wanted cells of the row that has this key in the database, if there is one.
    pub(super) fn row_of(&mut self, cx: &mut Context<'_>, question: usize, values: &[Value]) -> Result<Answer> {
        if !self.answers.asks[question] {
            return Ok(None);
        }
        let Some(text) = KeyText::of(values) else { return Ok(None) };
        if let Some(known) = self.answers.get(question, &text) {
            return Ok(known.clone());
        }
        Ok(find(cx, self.plan, question, &[values.to_vec()])?.pop().flatten())
    }
}

fn find(cx: &mut Context<'_>, plan: &Plan, question: usize, keys: &[Vec<Value>]) -> Result<Vec<Answer>> {
    let question = &plan.keys.questions()[question];
    let by: Vec<&str> = question.by.iter().map(String::as_str).collect();
    let wanted: Vec<&str> = question.wanted.iter().map(String::as_str).collect();
    cx.writer.transaction()?.find(&question.table, &by, &wanted, keys)
}
