//! Settling: what becomes of each row that a record gave. Keys, references and uniqueness are
//! judged against the key index and the target before anything is written.

use crate::error::{Error, Result};
use crate::finding::{Code, FileId, Finding, Place, ROW_DIFFERS, ROW_DUPLICATE, ROW_REFERENCE, ROW_UNIQUE};
use crate::keyindex::{Entry, KeyText};
use crate::mapping::apply::Draft;
use crate::mapping::compile::CompiledRule;
use crate::mapping::model::OnDuplicate;
use crate::mapping::order::feeds;
use crate::plan::{key_names, unique_lists};
use crate::row::Value;
use crate::run::Run;
use crate::target::Cell;
use crate::vault::Same;
use crate::writer::{Insert, digest};
use std::collections::{HashMap, VecDeque};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFate {
    /// It is new.
    Inserted,
    /// It was there, and says the same.
    Unchanged,
    /// An earlier row of its key stays.
    Superseded,
    /// Its secrets are all empty.
    Empty,
    /// Its record was rejected.
    Rejected,
}

/// Rows that earlier runs wrote from one file into one table, by their digest.
pub type EarlierRows = HashMap<[u8; 16], VecDeque<String>>;

/// A row as judged, before anything is written.
struct Judged {
    fate: RowFate,
    id: Option<i64>,
    digest: [u8; 16],
}

enum Verdict {
    Is(Judged),
    Refused(Vec<Finding>),
}

impl Run<'_> {
    /// Decides what becomes of the rows of one record and writes those that are new.
    ///
    /// Returns a fate per draft, and what is wrong; if anything is, no row of the record is written.
    pub fn settle(&mut self, file: FileId, drafts: &[Draft]) -> Result<(Vec<RowFate>, Vec<Finding>)> {
        let plan = self.plan;
        let mut judged: Vec<Judged> = Vec::with_capacity(drafts.len());
        let mut refused = Vec::new();
        let mut placed: Vec<(usize, KeyText)> = Vec::new();
        let mut given: Vec<&str> = Vec::new();
        for draft in drafts {
            let rule = &plan.rules[self.mapping][draft.rule];
            let parent = draft.parent.map(|at| judged[at].fate);
            match self.judge(rule, file, draft, parent)? {
                Verdict::Is(mut one) => {
                    if let (RowFate::Inserted, Some(column)) = (one.fate, &rule.given_id) {
                        one.id = Some(self.writer.next_id(&mut *self.transaction, &rule.table.name, column)?);
                        given.push(&rule.table.name);
                    }
                    if matches!(one.fate, RowFate::Inserted | RowFate::Unchanged | RowFate::Empty) {
                        self.place(rule, file, draft, one.id, one.fate == RowFate::Empty, &mut placed);
                    }
                    judged.push(one);
                }
                Verdict::Refused(findings) => {
                    refused.extend(findings);
                    judged.push(Judged { fate: RowFate::Rejected, id: None, digest: [0; 16] });
                }
            }
        }
        if !refused.is_empty() {
            placed.iter().for_each(|(spec, key)| self.index.remove(*spec, key));
            given.iter().for_each(|table| self.writer.return_id(table));
            return Ok((vec![RowFate::Rejected; drafts.len()], refused));
        }
        for (draft, one) in drafts.iter().zip(&judged) {
            let rule = &plan.rules[self.mapping][draft.rule];
            match one.fate {
                RowFate::Inserted => self.write(rule, file, draft, one)?,
                RowFate::Unchanged => self.writer.count(&rule.table.name).unchanged += 1,
                RowFate::Superseded | RowFate::Empty | RowFate::Rejected => {}
            }
        }
        Ok((judged.iter().map(|one| one.fate).collect(), refused))
    }

    fn judge(&mut self, rule: &CompiledRule, file: FileId, draft: &Draft, parent: Option<RowFate>) -> Result<Verdict> {
        let is = |fate| Ok(Verdict::Is(Judged { fate, id: None, digest: [0; 16] }));
        match parent {
            Some(fate @ (RowFate::Superseded | RowFate::Empty | RowFate::Rejected)) => return is(fate),
            Some(RowFate::Inserted | RowFate::Unchanged) | None => {}
        }
        let place = Place { file, offset: draft.at };
        if let Some(earlier) = self.earlier_of_key(rule, draft) {
            return match self.may_give_way(rule, earlier.feeder) {
                true => is(RowFate::Superseded),
                false => Ok(Verdict::Refused(vec![self.finding(
                    &ROW_DUPLICATE,
                    rule,
                    format!("a row of `{}` has this key already", rule.table.name),
                    place,
                    earlier.place,
                )])),
            };
        }
        if draft.empty {
            return is(RowFate::Empty);
        }
        let mut wrong = self.unique_in_run(rule, draft, place);
        wrong.extend(self.references(rule, draft, place)?);
        if !wrong.is_empty() {
            return Ok(Verdict::Refused(wrong));
        }
        self.compare_with_target(rule, file, draft, place)
    }

    fn finding(
        &self,
        code: &'static Code,
        rule: &CompiledRule,
        message: String,
        at: Place,
        also: Option<Place>,
    ) -> Finding {
        let mut finding = Finding::new(code, message).at(at).also(also).about(rule.name.clone());
        finding.mapping = Some(format!("{}:{}", rule.mapping_of(&self.plan.set).file, rule.model(&self.plan.set).line));
        finding
    }

    /// The row of this run that has the draft's key.
    fn earlier_of_key(&self, rule: &CompiledRule, draft: &Draft) -> Option<Entry> {
        let names = key_names(rule, &self.plan.set);
        let by: Vec<&str> = names.iter().map(String::as_str).collect();
        let spec = self.index.find(&rule.table.name, &by, false)?;
        self.index.get(spec, draft.key.as_ref()?).filter(|entry| entry.place.is_some()).cloned()
    }

    /// Whether the rule's row may give way to one of another feeder: `[precedence]`, or `first`.
    fn may_give_way(&self, rule: &CompiledRule, earlier: u32) -> bool {
        let set = &self.plan.set;
        let ranked = set.precedence.iter().find(|of| of.table == rule.table.name).is_some_and(|of| {
            let rank = |rule: &CompiledRule| of.feeders.iter().position(|entry| feeds(set, rule, entry));
            let other = self.plan.rules.iter().flatten().find(|other| feeder(other) == earlier);
            matches!((other.and_then(rank), rank(rule)), (Some(first), Some(second)) if first < second)
        });
        ranked || rule.model(set).on_duplicate == OnDuplicate::First
    }

    fn unique_in_run(&self, rule: &CompiledRule, draft: &Draft, place: Place) -> Vec<Finding> {
        unique_lists(rule)
            .filter_map(|columns| {
                let key = KeyText::of(columns.iter().map(|column| value_of(rule, draft, column)))?;
                let by: Vec<&str> = columns.iter().map(String::as_str).collect();
                let spec = self.index.find(&rule.table.name, &by, false)?;
                let entry = self.index.get(spec, &key).filter(|entry| entry.place.is_some())?;
                let message =
                    format!("`{}` ({}) is unique, and another record has the same", rule.table.name, by.join(", "));
                Some(self.finding(&ROW_UNIQUE, rule, message, place, entry.place))
            })
            .collect()
    }

    fn references(&mut self, rule: &CompiledRule, draft: &Draft, place: Place) -> Result<Vec<Finding>> {
        let mut wrong = Vec::new();
        for reference in rule.references() {
            let values: Vec<Value> =
                reference.columns.iter().map(|column| value_of(rule, draft, column).clone()).collect();
            let Some(key) = KeyText::of(&values) else {
                continue; // a NULL refers to nothing
            };
            let to: Vec<&str> = reference.to.iter().map(String::as_str).collect();
            let known = self.index.contains(&reference.table, &to, false, &key);
            if !known && !self.in_target(&reference.table, &to, values)? {
                let message = format!("`{}` has no row for ({})", reference.table, reference.columns.join(", "));
                wrong.push(self.finding(&ROW_REFERENCE, rule, message, place, None));
            }
        }
        Ok(wrong)
    }

    fn in_target(&mut self, table: &str, columns: &[&str], values: Vec<Value>) -> Result<bool> {
        Ok(self.transaction.rows_before(table) > 0
            && self.transaction.find(table, columns, columns, &[values])?.into_iter().next().flatten().is_some())
    }

    /// Whether the row was in the target before the run, and whether it says the same.
    fn compare_with_target(
        &mut self,
        rule: &CompiledRule,
        file: FileId,
        draft: &Draft,
        place: Place,
    ) -> Result<Verdict> {
        let table = &rule.table.name;
        let digest = digest(rule, &draft.values, &left_out(draft), &*self.transaction);
        if self.transaction.rows_before(table) == 0 {
            return Ok(Verdict::Is(Judged { fate: RowFate::Inserted, id: None, digest }));
        }
        let Some(key_fields) = &rule.key_fields else {
            let earlier = self.earlier_rows(file, table)?;
            return Ok(Verdict::Is(match earlier.get_mut(&digest).and_then(VecDeque::pop_front) {
                Some(row_key) => Judged { fate: RowFate::Unchanged, id: row_key.parse().ok(), digest },
                None => Judged { fate: RowFate::Inserted, id: None, digest },
            }));
        };
        let columns: Vec<&str> = key_fields.iter().map(|at| rule.fields[*at].column.name.as_str()).collect();
        let key: Vec<Value> = key_fields.iter().map(|at| draft.values[*at].clone()).collect();
        let mut wanted: Vec<&str> = rule.fields.iter().map(|field| field.column.name.as_str()).collect();
        wanted.extend(rule.given_id.as_deref());
        let found =
            self.transaction.find(table, &columns, &wanted, std::slice::from_ref(&key))?.into_iter().next().flatten();
        let Some(cells) = found else {
            let taken = self.unique_in_target(rule, draft, place)?;
            return Ok(if taken.is_empty() {
                Verdict::Is(Judged { fate: RowFate::Inserted, id: None, digest })
            } else {
                Verdict::Refused(taken)
            });
        };
        let differing = self.differing(rule, draft, &key, &cells)?;
        if differing.is_empty() {
            let id = match (&rule.given_id, cells.last()) {
                (Some(_), Some(Cell::Integer(id))) => Some(*id),
                _ => None,
            };
            return Ok(Verdict::Is(Judged { fate: RowFate::Unchanged, id, digest }));
        }
        let message =
            format!("a row of `{table}` with this key is in the database and differs in {}", differing.join(", "));
        Ok(Verdict::Refused(vec![self.finding(&ROW_DIFFERS, rule, message, place, None)]))
    }

    fn unique_in_target(&mut self, rule: &CompiledRule, draft: &Draft, place: Place) -> Result<Vec<Finding>> {
        let mut wrong = Vec::new();
        for columns in unique_lists(rule) {
            let values: Vec<Value> = columns.iter().map(|column| value_of(rule, draft, column).clone()).collect();
            let by: Vec<&str> = columns.iter().map(String::as_str).collect();
            if KeyText::of(&values).is_some() && self.in_target(&rule.table.name, &by, values)? {
                let message = format!(
                    "`{}` ({}) is unique, and a row of the database has the same",
                    rule.table.name,
                    by.join(", ")
                );
                wrong.push(self.finding(&ROW_UNIQUE, rule, message, place, None));
            }
        }
        Ok(wrong)
    }

    /// The columns in which a row of the target differs from the draft.
    fn differing(&mut self, rule: &CompiledRule, draft: &Draft, key: &[Value], cells: &[Cell]) -> Result<Vec<String>> {
        let mut differing = Vec::new();
        for (at, field) in rule.fields.iter().enumerate() {
            let (table, column) = (&rule.table.name, &field.column.name);
            let same = if let Some((_, secret)) = draft.secrets.iter().find(|(of, _)| *of == at) {
                match &cells[at] {
                    Cell::Text(token) => self.vault.holds(table, column, key, token, secret)? != Same::No,
                    _ => false,
                }
            } else {
                draft.clock.contains(&at) || self.transaction.same(table, column, &cells[at], &draft.values[at])
            };
            if !same {
                differing.push(format!("`{column}`"));
            }
        }
        Ok(differing)
    }

    /// The rows that earlier runs wrote from this file into this table and that were not met yet.
    fn earlier_rows(&mut self, file: FileId, table: &str) -> Result<&mut EarlierRows> {
        let key = (file, table.to_owned());
        if !self.earlier.contains_key(&key) {
            let path = &self.plan.tree.files[file.0 as usize].path;
            let mut rows = EarlierRows::new();
            for row in self.transaction.ledger().earlier_rows(path, table)? {
                rows.entry(row.digest).or_default().push_back(row.row_key);
            }
            self.earlier.insert(key.clone(), rows);
        }
        self.earlier.get_mut(&key).ok_or_else(|| Error::bug("rows that were just read are gone"))
    }

    /// Makes the row known to what asks for its keys.
    fn place(
        &mut self,
        rule: &CompiledRule,
        file: FileId,
        draft: &Draft,
        id: Option<i64>,
        key_only: bool,
        placed: &mut Vec<(usize, KeyText)>,
    ) {
        let given = id.map(Value::Integer);
        let of = |column: &str| -> &Value {
            match (&rule.given_id, &given) {
                (Some(name), Some(id)) if name == column => id,
                _ => value_of(rule, draft, column),
            }
        };
        let names = key_names(rule, &self.plan.set);
        for spec in 0..self.index.specs().len() {
            let asked = &self.index.specs()[spec];
            if asked.table != rule.table.name || (key_only && asked.by != names) {
                continue; // asked of another table, or of rows that are really there
            }
            let key = if asked.by == names && !asked.ignore_case {
                draft.key.clone()
            } else {
                KeyText::of(asked.by.iter().map(|column| of(column)))
            };
            let Some(key) = key else {
                continue; // a key with a NULL finds nothing
            };
            let values = asked.wanted.iter().map(|column| of(column).clone()).collect();
            let entry = Entry { place: Some(Place { file, offset: draft.at }), feeder: feeder(rule), values };
            self.index.insert(spec, key.clone(), entry);
            placed.push((spec, key));
        }
    }

    fn write(&mut self, rule: &CompiledRule, file: FileId, draft: &Draft, one: &Judged) -> Result<()> {
        let mut values = draft.values.clone();
        if !draft.secrets.is_empty() {
            let fields = rule.key_fields.as_ref().ok_or_else(|| Error::bug("a rule with secrets has no key"))?;
            let columns: Vec<&str> = fields.iter().map(|at| rule.fields[*at].column.name.as_str()).collect();
            let key: Vec<Value> = fields.iter().map(|at| draft.values[*at].clone()).collect();
            for (at, secret) in &draft.secrets {
                let column = &rule.fields[*at].column.name;
                values[*at] = self.vault.seal(&rule.table.name, column, &columns, &key, secret)?;
            }
        }
        let insert = Insert {
            rule,
            values,
            id: one.id,
            place: Place { file, offset: draft.at },
            file: self.ledger_file(file)?,
            digest: one.digest,
            tainted: draft.tainted.clone(),
        };
        let findings = &mut self.findings;
        self.writer.insert(&mut *self.transaction, &self.vault, insert, &mut |finding| findings.push(finding))
    }
}

/// The number of a rule in the key index.
fn feeder(rule: &CompiledRule) -> u32 {
    u32::try_from(rule.mapping * 1_000 + rule.rule).unwrap_or(u32::MAX)
}

fn value_of<'d>(rule: &CompiledRule, draft: &'d Draft, column: &str) -> &'d Value {
    rule.field(column).map_or(&Value::Null, |field| &draft.values[field])
}

/// Fields that no comparison takes in: the clock's, and sealed ones.
fn left_out(draft: &Draft) -> Vec<usize> {
    draft.clock.iter().copied().chain(draft.secrets.iter().map(|(at, _)| *at)).collect()
}
