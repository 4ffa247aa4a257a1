//! Rows that earlier runs wrote and that the source does not give any more: they stay, and are listed.

use super::Resolver;
use super::candidate::Candidate;
use super::gone::Missing;
use super::verdict::Judged;
use crate::database::ledger::EarlierLine;
use crate::database::lines::Left;
use crate::error::Result;
use crate::finding::{FileId, Finding, Place, ROW_GONE, printable};
use crate::import::context::Context;
use crate::import::files::file_id;
use crate::import::writer::row_key;
use crate::report::words;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// So many rows are named.
const NAMED: usize = 3;
/// So many rows are asked about at once.
const AT_ONCE: usize = 5_000;

impl Resolver<'_> {
    /// Notes which row of the target a record's row is.
    pub(super) fn meet(&mut self, cx: &mut Context<'_>, row: Candidate<'_>, one: &Judged) -> Result<()> {
        let table = &row.rule.table.name;
        if !self.answers.is_any_asked {
            return Ok(()); // nothing was there before
        }
        let of_draft = || row_key(row.rule, &row.draft.values, one.id, cx.writer.dialect);
        let key = one.row_key.clone().unwrap_or_else(of_draft);
        let met = (table.clone(), key);
        if self.lines_of(cx, row.place.file)?.remove(&met).is_none() {
            let hash = self.kept.hash(&met);
            self.missing.elsewhere.insert(hash);
            if let Some(apart) = self.apart.filter(|_| one.fate.is_there()) {
                self.met_others |= apart.is_watched(row.rule.number);
                if apart.has(cx.mapping) {
                    let path = printable(&self.plan.tree.files[row.place.file.0 as usize].path);
                    self.missing.read_again.insert(path);
                }
            }
        }
        Ok(())
    }

    fn lines_of(&mut self, cx: &mut Context<'_>, file: FileId) -> Result<&mut HashMap<(String, String), EarlierLine>> {
        if !self.missing.of_file.contains_key(&file) {
            let path = cx.writer.vault.ledger_path(&self.plan.tree.files[file.0 as usize].path)?;
            let lines = cx.writer.transaction()?.earlier_lines(&path)?;
            let lines = lines.into_iter().map(|line| ((line.table.clone(), line.row_key.clone()), line)).collect();
            self.missing.of_file.insert(file, lines);
        }
        Ok(self.missing.of_file.entry(file).or_default())
    }

    /// Takes down which rows of a file that was read to its end no record of it gave again. Of one with rejected records
    /// that is not known; those of tables that are `told` of already are left out.
    pub(super) fn miss_rows(&mut self, cx: &mut Context<'_>, file: usize, told: &[&str]) -> Result<()> {
        if !self.answers.is_any_asked {
            return Ok(()); // nothing was there before
        }
        self.lines_of(cx, file_id(file))?;
        let left = self.missing.of_file.remove(&file_id(file)).unwrap_or_default();
        if cx.files[file].counts().rejected == 0 {
            let path = printable(&self.plan.tree.files[file].path);
            let left = left.into_values().filter(|line| !told.contains(&line.table.as_str()));
            self.missing.candidates.extend(left.map(|line| (path.clone(), line)));
        }
        Ok(())
    }

    /// Reports the rows of earlier runs that nothing of the source gives any more. Those of files that are gone are looked at
    /// where `all` of the source is read.
    pub(crate) fn report_missing(&mut self, cx: &mut Context<'_>, all: bool) -> Result<()> {
        if !self.answers.is_any_asked || self.plan.taken.is_replay() {
            return Ok(()); // nothing was there before, or only rejects are read
        }
        if all {
            self.learn_gone_files(cx)?;
            let paths: HashSet<String> =
                self.earlier.gone_files.iter().flatten().map(|gone| gone.record.path.clone()).collect();
            for path in paths {
                let lines = cx.writer.transaction()?.earlier_lines(&path)?;
                let last: HashMap<(String, String), EarlierLine> =
                    lines.into_iter().map(|line| ((line.table.clone(), line.row_key.clone()), line)).collect();
                self.missing.candidates.extend(last.into_values().map(|line| (printable(&path), line)));
            }
        }
        let Missing { candidates, elsewhere, read_again, .. } = std::mem::take(&mut self.missing);
        self.missing.read_again = read_again;
        let mut by_table: BTreeMap<String, Vec<(String, EarlierLine)>> = BTreeMap::new();
        for (path, line) in candidates {
            if !elsewhere.contains(&self.kept.hash(&(line.table.clone(), line.row_key.clone()))) {
                by_table.entry(line.table.clone()).or_default().push((path, line));
            }
        }
        for (table, mut lines) in by_table {
            lines.sort_by(|one, other| {
                (&one.0, one.1.offset, &one.1.row_key).cmp(&(&other.0, other.1.offset, &other.1.row_key))
            });
            let mut gone = Vec::new();
            for lines in lines.chunks(AT_ONCE) {
                let keys: Vec<String> = lines.iter().map(|(_, line)| line.row_key.clone()).collect();
                let transaction = cx.writer.transaction()?;
                let (stand, last) = (transaction.left_as(&table, &keys)?, transaction.last_files(&table, &keys)?);
                let is_gone = |((line, standing), last): &((&(String, EarlierLine), Left), Option<i64>)| {
                    !matches!(standing, Left::Absent | Left::Foreign) && *last == Some(line.1.file)
                };
                let found = lines.iter().zip(stand).zip(last).filter(is_gone);
                gone.extend(found.map(|((line, _), _)| line));
            }
            self.report_missing_of(cx, &table, &gone);
        }
        Ok(())
    }

    /// The files without which the next run would say other things of rows that are missing.
    pub(crate) fn to_be_read_again(&self) -> BTreeSet<String> {
        self.missing.read_again.clone()
    }

    fn report_missing_of(&mut self, cx: &mut Context<'_>, table: &str, gone: &[&(String, EarlierLine)]) {
        let Some((path, first)) = gone.first() else { return };
        self.missing.read_again.extend(gone.iter().map(|(path, _)| path.clone()));
        let rule = self.plan.rules.iter().flatten().find(|rule| rule.table.name == table);
        if let Some(rule) = rule {
            cx.writer.count(rule.table_number).gone += gone.len() as u64;
        }
        let shown = |(path, line): &&(String, EarlierLine)| {
            let key = cx.writer.vault.or_withheld(&line.row_key);
            format!("{} ({path}, byte {})", printable(key), line.offset)
        };
        let named: Vec<String> = gone.iter().take(NAMED).map(shown).collect();
        let more = if gone.len() > NAMED { ", …" } else { "" };
        let message = format!(
            "{} of `{table}` that an earlier import wrote {} not given by the source any more: {}{more}",
            words::count(gone.len() as u64, "row"),
            if gone.len() == 1 { "is" } else { "are" },
            named.join(", ")
        );
        let mut finding = Finding::new(&ROW_GONE, message).about(table.to_owned());
        let file = self.plan.tree.files.iter().position(|file| printable(&file.path) == *path);
        if let Some(file) = file {
            let bytes = self.plan.tree.files[file].bytes;
            finding = finding.at(Place { file: file_id(file), offset: if first.offset < bytes { 0 } else { bytes } });
        }
        cx.findings.push(finding);
    }
}
