//! Rows compared with those of the database, where nothing is written: the tree is read as if the database had none of
//! its rows, and what would be inserted must be there.

use super::Resolver;
use super::candidate::Candidate;
use super::compare::{difference, display};
use super::decide::Decision;
use super::earlier::stored_key;
use super::turns::OfPlaces;
use super::verdict::RowFate;
use crate::database::Cell;
use crate::database::ledger;
use crate::error::Result;
use crate::finding::FileId;
use crate::import::context::Context;
use crate::import::files::file_id;
use crate::import::vault::Same;
use crate::import::verifier::{Different, Missing, Open, RowId, Unverified, row_id};
use crate::mapping::apply::Draft;
use crate::mapping::compile::CompiledRule;
use crate::mapping::model::Protection;
use crate::row::Value;
use secrecy::SecretString;
use std::collections::BTreeMap;

/// A row that a record gives.
struct Given<'g> {
    row: Candidate<'g>,
    id: Option<i64>,
}

/// What came of the comparison of a secret with a cell.
enum Compared {
    Same,
    Other,
    Unknown(Unverified),
}

impl Resolver<'_> {
    /// The id of the row of the database that is a rule's row: the one that an earlier run made of the same element, or
    /// that has its key.
    pub(super) fn identify(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<Option<i64>> {
        let Candidate { rule, place, .. } = row;
        let turn = self.told.turns.entry(rule.table_number).or_insert((place, 0));
        *turn = if turn.0 == place { (place, turn.1 + 1) } else { (place, 1) };
        let nth = turn.1 - 1;
        let table = rule.table.name.as_str();
        if cx.writer.rows_before(table) == 0 {
            return Ok(None);
        }
        if let Some(row_key) = self.row_of_turn(cx, row, nth)? {
            return Ok(row_key.parse().ok());
        }
        if let Some(row_key) = self.earlier_row(cx, row)? {
            return Ok(row_key.parse().ok());
        }
        let Some(cells) = self.row_of_key(cx, row)? else { return Ok(None) };
        let (columns, _) = primary(rule);
        Ok(stored_key(self.plan, cx, table, (&columns, &cells)).parse().ok())
    }

    /// The digest of a file of the tree, where a verification has read it.
    pub(crate) fn digest_of(&self, file: FileId) -> Option<[u8; 32]> {
        self.told.digests.as_ref()?.get(&file).copied()
    }

    /// The primary key of the row that has the rule's own key, where only one can have it.
    fn row_of_key(&self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<Option<Vec<Cell>>> {
        let Candidate { rule, .. } = row;
        let key = row.rule.key_columns().zip(row.key_values()).filter(|_| self.plan.keys.of(rule).is_unique);
        let Some((by, key)) = key.filter(|(_, key)| !key.contains(&Value::Null)) else { return Ok(None) };
        let wanted = rule.table.primary_key();
        Ok(cx.writer.transaction()?.find(&rule.table.name, &by, &wanted, &[key])?.pop().flatten())
    }

    /// The row that an earlier run made of the same element of the same file: the first, the second, and so on of those.
    fn row_of_turn(&mut self, cx: &mut Context<'_>, row: Candidate<'_>, nth: usize) -> Result<Option<String>> {
        let (file, pool) = (row.place.file, (row.place.file, row.rule.table.name.clone()));
        if !self.told.of_place.contains_key(&pool) {
            if self.told.files.is_none() {
                let files = cx.writer.transaction()?.told_files()?;
                self.told.files = Some(files.into_iter().map(|told| (told.file.id, told.file.sha256)).collect());
            }
            let sha256 = self.digest_of(file);
            let path = cx.writer.vault.ledger_path(&self.plan.tree.files[file.0 as usize].path)?;
            let mut rows = OfPlaces::new();
            for row in cx.writer.transaction()?.earlier_rows(&path, &pool.1)? {
                let was = self.told.files.as_ref().and_then(|files| files.get(&row.file)).copied();
                if was.is_some() && was == sha256 {
                    rows.entry(row.offset).or_default().push(row.row_key);
                }
            }
            self.told.of_place.insert(pool.clone(), rows);
        }
        Ok(self.told.of_place[&pool].get(&row.place.offset).and_then(|rows| rows.get(nth)).cloned())
    }

    /// Compares the rows that records of a file give with those of the database.
    pub(crate) fn verify<'d>(
        &mut self,
        cx: &mut Context<'_>,
        file: FileId,
        records: impl Iterator<Item = (&'d [Draft], &'d Decision)>,
    ) -> Result<()> {
        if !self.is_asked(cx, file) {
            cx.writer.verifier().unasked.insert(file);
            return Ok(());
        }
        let rules = &self.plan.rules[cx.mapping];
        let mut by_rule: BTreeMap<u32, Vec<Given<'_>>> = BTreeMap::new();
        for (drafts, decision) in records.filter(|(_, decision)| decision.refused.is_empty()) {
            for (draft, one) in drafts.iter().zip(&decision.judged) {
                if one.fate == RowFate::Inserted {
                    let row = Candidate::new(rules, draft, file);
                    by_rule.entry(row.rule.number).or_default().push(Given { row, id: one.id });
                }
            }
        }
        by_rule.into_values().try_for_each(|rows| self.compare_all(cx, &rows))
    }

    /// Whether the rows of a file are asked for.
    fn is_asked(&self, cx: &mut Context<'_>, file: FileId) -> bool {
        let at = file.0 as usize;
        let owner = cx.files[at].owner().and_then(|number| self.owners.id_of(number));
        let directory = self.plan.directory_of(at);
        let mapping = &self.plan.set.mappings[cx.mapping].name;
        cx.writer.verifier().asked.has(mapping, [owner, directory.as_deref()])
    }

    /// Compares rows of one rule.
    fn compare_all(&mut self, cx: &mut Context<'_>, rows: &[Given<'_>]) -> Result<()> {
        let rule = rows[0].row.rule;
        let (number, (columns, has_key)) = (rule.table_number, primary(rule));
        cx.writer.verifier().tally(number).given += rows.len() as u64;
        if !has_key {
            return rows.iter().try_for_each(|one| self.find_alike(cx, one.row));
        }
        let mut found = vec![None; rows.len()];
        let keys: Vec<Option<Vec<Value>>> = rows.iter().map(|one| key_of(one.row, one.id)).collect();
        self.look(cx, rule, (&columns, &keys), &mut found)?;
        let own = rule.key_columns().filter(|by| *by != rule.table.primary_key() && self.plan.keys.of(rule).is_unique);
        if let Some(by) = own {
            let by: Vec<String> = by.into_iter().map(str::to_owned).collect();
            let unfound = |(one, found): (&Given<'_>, &Option<Vec<Cell>>)| match found {
                Some(_) => None,
                None => one.row.key_values().filter(|key| !key.contains(&Value::Null)),
            };
            let keys: Vec<Option<Vec<Value>>> = rows.iter().zip(&found).map(unfound).collect();
            self.look(cx, rule, (&by, &keys), &mut found)?;
        }
        for ((one, cells), key) in rows.iter().zip(found).zip(keys) {
            let row_key = cells
                .as_ref()
                .map(|cells| stored_key(self.plan, cx, &rule.table.name, (&columns, &cells[..columns.len()])));
            let row = row_key.map(|row_key| row_id(number, &row_key));
            match cells.zip(row).filter(|(_, row)| cx.writer.verifier().meets(*row, number)) {
                Some((cells, row)) => self.compare(cx, one.row, row, &cells[columns.len()..])?,
                None => {
                    // An id that the engine would give is not that of the row which is missing.
                    let key = key.filter(|_| rule.generated_id.is_none());
                    let row = key.map(|key| row_id(number, &told_key(cx, rule, &key)));
                    let place = one.row.place;
                    cx.writer.verifier().missing.push(Missing { row, table: number, rule: rule.number, place });
                }
            }
        }
        Ok(())
    }

    /// Asks for the rows of these keys that are not found yet.
    fn look(
        &self,
        cx: &mut Context<'_>,
        rule: &CompiledRule,
        (by, keys): (&[String], &[Option<Vec<Value>>]),
        found: &mut [Option<Vec<Cell>>],
    ) -> Result<()> {
        let asked: Vec<usize> = (0..keys.len()).filter(|at| found[*at].is_none() && keys[*at].is_some()).collect();
        if asked.is_empty() || cx.writer.rows_before(&rule.table.name) == 0 {
            return Ok(());
        }
        let primary = rule.table.primary_key().into_iter();
        let wanted: Vec<&str> = primary.chain(rule.fields.iter().map(|field| field.column.name.as_str())).collect();
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        let keys: Vec<Vec<Value>> = asked.iter().filter_map(|at| keys[*at].clone()).collect();
        let cells = cx.writer.transaction()?.find(&rule.table.name, &by, &wanted, &keys)?;
        asked.into_iter().zip(cells).for_each(|(at, cells)| found[at] = cells);
        Ok(())
    }

    /// A row of a table without a primary key: it is there if one that the ledger has says the same and still stands.
    fn find_alike(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<()> {
        let Candidate { rule, place, .. } = row;
        let found = match cx.writer.rows_before(&rule.table.name) {
            0 => None,
            _ => self.earlier_row(cx, row)?,
        };
        let number = rule.table_number;
        let met = found.is_some_and(|row_key| cx.writer.verifier().meets(row_id(number, &row_key), number));
        if !met {
            let missing = Missing { row: None, table: number, rule: rule.number, place };
            cx.writer.verifier().missing.push(missing);
        }
        Ok(())
    }

    /// Compares a row with the cells of its fields.
    fn compare(&mut self, cx: &mut Context<'_>, row: Candidate<'_>, id: RowId, cells: &[Cell]) -> Result<()> {
        let Candidate { rule, draft, place } = row;
        let (mut columns, mut open, mut unverified, mut in_secret) = (Vec::new(), Vec::new(), None, false);
        for (at, field) in rule.fields.iter().enumerate() {
            let (cell, value) = (&cells[at], &draft.values[at]);
            if let Some((_, secret)) = draft.secrets.iter().find(|(of, _)| *of == at) {
                match self.compare_secret(cx, row, at, (cell, secret))? {
                    Compared::Same => {}
                    Compared::Other => {
                        in_secret = true;
                        columns.push(difference(cx, row, at, cell)?);
                    }
                    Compared::Unknown(why) => unverified = unverified.max(Some(why)),
                }
                continue; // what is sealed is no value
            }
            // The ledger alone says what a clock gave.
            let is_told = draft.clock.contains(&at) || draft.later.contains(&at);
            if is_told || cx.writer.dialect.same(field.column.kind, cell, value) {
                continue; // nothing to tell
            }
            let words = difference(cx, row, at, cell)?;
            in_secret |= field.protection.is_some();
            if *value == Value::Null && self.plan.is_filled(&rule.table.name, &field.column.name) {
                open.push(Open { column: field.column.name.clone(), words });
            } else {
                columns.push(words);
            }
        }
        let table = rule.table_number;
        let different = |columns| Different { row: id, table, rule: rule.number, place, columns, in_secret };
        let verifier = cx.writer.verifier();
        if !open.is_empty() {
            verifier.leave_open(different(Vec::new()), open);
        }
        if !columns.is_empty() {
            verifier.differs(different(columns));
        } else if let Some(why) = unverified {
            *verifier.tally(table).unverified.entry(why).or_default() += 1;
        }
        Ok(())
    }

    /// Whether a cell holds a secret: what is sealed is opened in memory.
    fn compare_secret(
        &self,
        cx: &mut Context<'_>,
        row: Candidate<'_>,
        at: usize,
        (cell, secret): (&Cell, &SecretString),
    ) -> Result<Compared> {
        let Candidate { rule, draft, .. } = row;
        cx.writer.vault.note_kept(secret);
        let Cell::Text(token) = cell else { return Ok(Compared::Other) };
        if rule.fields[at].protection == Some(Protection::Hash) {
            return Ok(Compared::Unknown(Unverified::Hashed));
        }
        if is_handed_over(cx, &rule.table.name, &rule.fields[at].column.name)? {
            return Ok(Compared::Unknown(Unverified::HandedOver));
        }
        let Some(key) = rule.key_of(&draft.values) else { return Ok(Compared::Other) };
        Ok(match cx.writer.vault.holds(self.plan.sealed_column(rule, at)?, &key, token, secret)? {
            Same::Yes => Compared::Same,
            Same::No => Compared::Other,
            Same::Unknown => Compared::Unknown(Unverified::NoKey),
        })
    }

    /// Notes the rows without a key that earlier runs wrote from a file and that it gives no more.
    pub(super) fn note_left(&mut self, cx: &mut Context<'_>, file: usize) -> Result<()> {
        let plan = self.plan;
        let rules = &plan.rules[cx.mapping];
        let mut done: Vec<&str> = Vec::new();
        for rule in rules.iter().filter(|rule| !primary(rule).1) {
            let table = rule.table.name.as_str();
            if done.contains(&table) || cx.writer.rows_before(table) == 0 {
                continue; // noted already, or nothing was there
            }
            done.push(table);
            let left = self.earlier_rows_left(cx, file_id(file), table)?;
            if left > 0 && !cx.writer.verifier().unasked.contains(&file_id(file)) {
                cx.writer.verifier().tally(rule.table_number).left.push((plan.tree.files[file].place(0), left));
            }
        }
        self.told.end_file(file_id(file));
        Ok(())
    }
}

/// Whether a column of sealed values was handed over to the application; asked once.
fn is_handed_over(cx: &mut Context<'_>, table: &str, column: &str) -> Result<bool> {
    let asked = (table.to_owned(), column.to_owned());
    if let Some(known) = cx.writer.verifier().handed_over.get(&asked) {
        return Ok(*known);
    }
    let is = cx.writer.transaction()?.handed_over(table, column)?.is_some();
    cx.writer.verifier().handed_over.insert(asked, is);
    Ok(is)
}

/// The columns of the primary key of a rule's table, and whether it has one.
fn primary(rule: &CompiledRule) -> (Vec<String>, bool) {
    let columns: Vec<String> = rule.table.primary_key().into_iter().map(str::to_owned).collect();
    let has_key = !columns.is_empty();
    (columns, has_key)
}

/// The primary key of a row, where it has all of it.
fn key_of(row: Candidate<'_>, id: Option<i64>) -> Option<Vec<Value>> {
    let part = |at: &Option<usize>| match at {
        Some(at) => Some(row.draft.values[*at].clone()).filter(|value| *value != Value::Null),
        None => id.map(Value::Integer),
    };
    row.rule.primary.iter().map(part).collect()
}

/// A primary key as the ledger writes it.
fn told_key(cx: &Context<'_>, rule: &CompiledRule, key: &[Value]) -> String {
    let kinds = rule.table.primary_key().into_iter().map(|column| rule.table.column(column).map(|column| column.kind));
    let part = |(value, kind): (&Value, Option<_>)| display(cx.writer.dialect, kind?, value);
    ledger::row_key(key.iter().zip(kinds).map(part).collect())
}
