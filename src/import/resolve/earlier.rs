//! Rows that earlier runs wrote, as the ledger knows them: a second import finds rows without a key
//! by the file they came from and what they say.

use super::Resolver;
use super::candidate::Candidate;
use super::gone::{GoneFile, Made, Pool, Rows};
use crate::database::Cell;
use crate::database::ledger::{self};
use crate::error::{Error, Result};
use crate::finding::FileId;
use crate::import::context::Context;
use crate::import::files::file_id;
use crate::import::owners::{Matcher, OwnerMatch};
use crate::import::plan::{Disposition, Plan};
use crate::import::stored::Stored;
use crate::mapping::keyindex::{IndexSpec, KeyText};
use crate::row::Value;
use crate::source;
use std::collections::{HashMap, HashSet, VecDeque};

impl Resolver<'_> {
    /// The key of the row that an earlier run wrote from this file and that says the same; each is
    /// found once. A row of a file that is gone from the tree is found where the file at hand has the
    /// same bytes, or else the same mapping and owner: it may have been renamed.
    pub(super) fn earlier_row(&mut self, cx: &mut Context<'_>, row: Candidate<'_>) -> Result<Option<String>> {
        if let Some(found) = self.row_of_place(cx, row)? {
            return Ok(found);
        }
        let digest = row.digest(cx.writer.dialect);
        let (file, table) = (row.place.file, row.rule.table.name.as_str());
        self.learn_earlier_rows(cx, file, table)?;
        let own = self.earlier.of_file.get_mut(&(file, table.to_owned())).and_then(|rows| rows.get_mut(&digest));
        if let Some(row_key) = own.and_then(VecDeque::pop_front) {
            self.earlier.taken.push((Pool::File(file, table.to_owned()), digest, row_key.clone()));
            return Ok(Some(row_key));
        }
        self.learn_gone_rows(cx, table)?;
        let state = &cx.files[file.0 as usize];
        let (owner, sha256) = (state.owner(), state.sha256());
        let owner = owner.and_then(|number| self.owners.id_of(number));
        let gone_files = self.earlier.gone_files.as_deref().unwrap_or_default();
        let Some(rows) = self.earlier.of_gone.get_mut(table).and_then(|rows| rows.get_mut(&digest)) else {
            return Ok(None);
        };
        let same_bytes = |(_, from): &(String, usize)| gone_files[*from].record.sha256 == sha256;
        let same_kind = |(_, from): &(String, usize)| {
            gone_files[*from].mapping == Some(cx.mapping) && gone_files[*from].owner.as_deref() == owner
        };
        let at = rows.iter().position(same_bytes).or_else(|| rows.iter().position(same_kind));
        let Some((at, (row_key, from))) = at.and_then(|at| Some((at, rows.remove(at)?))) else { return Ok(None) };
        self.earlier.taken.push((Pool::Gone { table: table.to_owned(), from, at }, digest, row_key.clone()));
        Ok(Some(row_key))
    }

    /// How many rows that earlier runs wrote from this file were not found again.
    pub(crate) fn earlier_rows_left(&mut self, cx: &mut Context<'_>, file: FileId, table: &str) -> Result<u64> {
        self.learn_earlier_rows(cx, file, table)?;
        let rows = self.earlier.of_file.get(&(file, table.to_owned()));
        Ok(rows.map_or(0, |rows| rows.values().map(|keys| keys.len() as u64).sum()))
    }

    /// Forgets the rows of a file that was read to its end.
    pub(crate) fn end_earlier_rows(&mut self, file: FileId) {
        self.earlier.of_file.retain(|(of, _), _| *of != file);
    }

    fn learn_earlier_rows(&mut self, cx: &mut Context<'_>, file: FileId, table: &str) -> Result<()> {
        let key = (file, table.to_owned());
        if self.earlier.of_file.contains_key(&key) {
            return Ok(());
        }
        let path = cx.writer.vault.ledger_path(&self.plan.tree.files[file.0 as usize].path)?;
        let mut rows = Rows::new();
        let part = self.plan.taken.part_of(file.0 as usize);
        let same = part.map(|_| self.records_of_same_bytes(cx, file, &path)).transpose()?.unwrap_or_default();
        for row in cx.writer.transaction()?.earlier_rows(&path, table)? {
            if part.is_some_and(|part| !same.contains(&row.file) || !part.holds(row.offset)) {
                continue; // a record gives it that is not read
            }
            rows.entry(row.digest).or_default().push_back(row.row_key);
        }
        self.earlier.of_file.insert(key, rows);
        Ok(())
    }

    /// The numbers in the ledger under which a file of this path has the bytes that it has now.
    fn records_of_same_bytes(&mut self, cx: &mut Context<'_>, file: FileId, path: &str) -> Result<HashSet<i64>> {
        if self.earlier.of_path.is_none() {
            let mut of_path: HashMap<String, Vec<_>> = HashMap::new();
            for record in cx.writer.transaction()?.earlier_files()? {
                of_path.entry(record.path.clone()).or_default().push(record);
            }
            self.earlier.of_path = Some(of_path);
        }
        let sha256 = cx.files[file.0 as usize].sha256();
        let records = self.earlier.of_path.iter().filter_map(|of_path| of_path.get(path)).flatten();
        Ok(records.filter(|record| record.sha256 == sha256).map(|record| record.id).collect())
    }

    fn learn_gone_rows(&mut self, cx: &mut Context<'_>, table: &str) -> Result<()> {
        if self.earlier.of_gone.contains_key(table) {
            return Ok(());
        }
        self.learn_gone_files(cx)?;
        let mut rows: Rows<(String, usize)> = Rows::new();
        for (from, gone) in self.earlier.gone_files.iter().flatten().enumerate() {
            for row in cx.writer.transaction()?.earlier_rows_of(gone.record.id, table)? {
                rows.entry(row.digest).or_default().push_back((row.row_key, from));
            }
        }
        self.earlier.of_gone.insert(table.to_owned(), rows);
        Ok(())
    }

    pub(super) fn learn_gone_files(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if self.earlier.gone_files.is_some() {
            return Ok(());
        }
        let plan = self.plan;
        let paths = plan.tree.files.iter().map(|file| cx.writer.vault.ledger_path(&file.path));
        let there: HashSet<String> = paths.collect::<Result<_>>()?;
        let resolver = plan.set.owners.as_ref().map(|owners| Matcher::new(plan, owners, &self.owners));
        let mut gone = Vec::new();
        // Of rejects that come back the rest of the tree is not walked.
        let records = if plan.taken.is_replay() { Vec::new() } else { cx.writer.transaction()?.earlier_files()? };
        for record in records {
            if there.contains(&record.path) {
                continue; // its rows are found by its path
            }
            let (mapping, directory) = plan.reader_of(&record.path).unzip();
            let found = directory.flatten().and_then(|name| Some(resolver.as_ref()?.find(&name)));
            let owner = match found {
                Some(OwnerMatch::One(found)) => Some(found.id),
                _ => None,
            };
            gone.push(GoneFile { record, mapping, owner });
        }
        self.earlier.gone_files = Some(gone);
        Ok(())
    }

    /// Puts the rows of a table that the target has into the key index. Where a rule looks up rows of
    /// its own table, those are withheld from it that earlier runs made of files which this one reads; and from lookups
    /// of rows that are read later those of files that are the same, which will be read again.
    pub(super) fn learn_table(&mut self, cx: &mut Context<'_>, number: usize, spec: &IndexSpec) -> Result<()> {
        let (mut primary, mut made) = (Vec::new(), HashMap::new());
        let is_hidden = spec.is_late && self.index.hides_own();
        // Rejects that come back see all rows that are there.
        if (spec.of_own_table || is_hidden) && !self.plan.taken.is_replay() {
            (primary, made) =
                (cx.writer.transaction()?.row_name(&spec.table)?, self.made_of_this_tree(cx, &spec.table)?);
        }
        let asked = spec.by.iter().chain(&spec.wanted).map(String::as_str);
        let columns: Vec<&str> = asked.chain(primary.iter().map(String::as_str)).collect();
        let stored = Stored::of(self.plan, &spec.table, &columns);
        for mut cells in cx.writer.transaction()?.select(&spec.table, &columns, None)? {
            let key_cells = cells.split_off(columns.len() - primary.len());
            let row_key = || stored_key(self.plan, cx, &spec.table, (&primary, &key_cells));
            let file = if made.is_empty() { None } else { made.get(&row_key()) };
            let mut values = stored.values(cells);
            let key: Vec<Value> = values.by_ref().take(spec.by.len()).collect();
            let Some(key) = KeyText::of(&key) else {
                continue; // a key with a NULL finds nothing
            };
            let values: Vec<Value> = values.collect();
            match file {
                Some((file, record)) if spec.of_own_table || self.is_same_file(*file, *record) => {
                    self.index.withhold(number, &key, file.0, &values)?;
                }
                _ => self.index.insert_lasting(number, &key, &values)?,
            }
        }
        Ok(())
    }

    /// The rows of a table that earlier runs made of files which this one reads, by their key.
    pub(super) fn made_of_this_tree(&mut self, cx: &mut Context<'_>, table: &str) -> Result<Made> {
        let plan = self.plan;
        let mut made = Made::new();
        let feeds = |file: &usize| match plan.dispositions[*file] {
            Disposition::Mapped { mapping, .. } => plan.rules[mapping].iter().any(|rule| rule.table.name == table),
            Disposition::Ignored(_) | Disposition::Unmapped => false,
        };
        let files: Vec<usize> = plan.mapped().filter(feeds).collect();
        for file in &files {
            let path = cx.writer.vault.ledger_path(&plan.tree.files[*file].path)?;
            for row in cx.writer.transaction()?.earlier_rows(&path, table)? {
                made.insert(row.row_key, (file_id(*file), row.file));
            }
        }
        // A file that was renamed is known by its bytes.
        self.learn_gone_files(cx)?;
        let sizes: HashSet<u64> = self.earlier.gone_files.iter().flatten().map(|gone| gone.record.bytes).collect();
        let new_name = |file: &&usize| sizes.contains(&plan.tree.files[**file].bytes);
        let digests: HashMap<[u8; 32], usize> = files
            .iter()
            .filter(new_name)
            .filter_map(|file| Some((source::digest_of(&plan.tree.files[*file])?, *file)))
            .collect();
        let gone: Vec<(i64, usize)> = self
            .earlier
            .gone_files
            .iter()
            .flatten()
            .filter_map(|gone| Some((gone.record.id, *digests.get(&gone.record.sha256)?)))
            .collect();
        for (number, file) in gone {
            for row in cx.writer.transaction()?.earlier_rows_of(number, table)? {
                made.entry(row.row_key).or_insert((file_id(file), number));
            }
        }
        Ok(made)
    }

    /// The cells of the row that the ledger knows by this key.
    pub(crate) fn row_of_ledger(
        &mut self,
        cx: &mut Context<'_>,
        table: &str,
        row_key: &str,
        wanted: &[&str],
    ) -> Result<Option<Vec<Cell>>> {
        let Some(known) = self.plan.schema.table(table) else { return Ok(None) };
        let primary = known.primary_key();
        let parts = ledger::key_parts(row_key, primary.len()).unwrap_or_default();
        let value = |(column, part): (&&str, Option<String>)| Value::of_key_text(part?, known.column(column)?.kind);
        let key: Option<Vec<Value>> = primary.iter().zip(parts).map(value).collect();
        let Some(key) = key.filter(|key| !key.is_empty()) else { return Ok(None) };
        let found = cx.writer.transaction()?.find(table, &primary, wanted, &[key])?;
        found.into_iter().next().ok_or_else(|| Error::bug("a question for one row has no answer"))
    }
}

/// The key by which the ledger knows a row of the target with these cells: a time may stand there in another form.
pub(super) fn stored_key(plan: &Plan, cx: &Context<'_>, table: &str, (columns, cells): (&[String], &[Cell])) -> String {
    let text = |(column, cell): (&String, &Cell)| cx.writer.dialect.text_of(plan.schema.kind(table, column), cell);
    ledger::row_key(columns.iter().zip(cells).map(text).collect())
}
