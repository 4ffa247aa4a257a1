//! What the ledger says of the rows that a verification found otherwise: whether the import was wrong, or who changed
//! what since.

use crate::database::ledger::ToldFile;
use crate::error::Result;
use crate::finding::{
    Code, FileId, Finding, Place, VERIFY_BOTH, VERIFY_EDITED, VERIFY_EXTRA, VERIFY_NEVER, VERIFY_REMOVED,
    VERIFY_SOURCE, VERIFY_UNCOMPARED, VERIFY_UNTOLD, VERIFY_WRONG,
};
use crate::import::run::Import;
use crate::import::told::{Ledger, Told};
use crate::import::verifier::{Different, Missing, RowId, Unverified};
use crate::mapping::compile::CompiledRule;
use crate::mapping::model::OnDuplicate;
use crate::report::words::count;
use crate::report::{ComparedReport, FileStatus, UnverifiedReport};
use crate::table::Column;
use std::collections::{BTreeMap, HashMap};

/// What became of the rows of all tables.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    pub(super) tables: Vec<ComparedReport>,
    pub(super) unverified: Vec<UnverifiedReport>,
}

impl Import<'_> {
    /// Says of every row that was compared what became of it.
    pub(super) fn judge_rows(&mut self) -> Result<Verdicts> {
        let ledger = self.ledger()?;
        let mut tables: Vec<(usize, String)> =
            self.plan.rules.iter().flatten().map(|rule| (rule.table_number, rule.table.name.clone())).collect();
        tables.sort();
        tables.dedup();
        let verifier = self.writer.verifier();
        let mut different = by_table(std::mem::take(&mut verifier.different), |one| one.table);
        let mut missing = by_table(std::mem::take(&mut verifier.missing), |one| one.table);
        let mut verdicts = Verdicts::default();
        let mut reasons: BTreeMap<Unverified, u64> = BTreeMap::new();
        for (number, table) in tables {
            let told = self.told(number, &table)?;
            let mut report = ComparedReport { name: table.clone(), ..ComparedReport::default() };
            let different = different.remove(&number).unwrap_or_default();
            let missing = missing.remove(&number).unwrap_or_default();
            self.judge_different(&mut report, &ledger, &told, different);
            self.judge_edited(&mut report, &ledger, &told, number);
            self.judge_missing(&mut report, &ledger, &told, missing);
            let tally = self.writer.verifier().tally(number).clone();
            let rejected = self.judge_unmet(&mut report, &ledger, &told, number);
            report.unverified = tally.unverified.values().sum::<u64>() + rejected;
            let rejected_rows = (rejected > 0).then_some((Unverified::Rejected, rejected));
            for (why, rows) in tally.unverified.iter().map(|(why, rows)| (*why, *rows)).chain(rejected_rows) {
                *reasons.entry(why).or_default() += rows;
            }
            report.equal = tally.found.saturating_sub(report.different + tally.unverified_rows());
            let unnamed: u64 = tally.left.iter().map(|(_, rows)| rows).sum();
            let known = told.standing.len() as u64 + self.met_untold(&told, tally.found) + unnamed;
            report.own = self.writer.rows_before(&table).saturating_sub(known);
            *self.writer.count(number) =
                crate::report::TableReport { unchanged: tally.found, ..self.writer.count(number).clone() };
            if tally.given + report.extra + report.unverified + report.own > 0 {
                verdicts.tables.push(report);
            }
        }
        for (why, rows) in reasons {
            let message = format!("{} cannot be verified: {}", count(rows, "row"), why.words());
            self.findings.push(Finding::new(&VERIFY_UNCOMPARED, message).about("target"));
            verdicts.unverified.push(UnverifiedReport { reason: why.words().to_owned(), rows });
        }
        Ok(verdicts)
    }

    /// How many rows of a table records gave that the ledger does not have.
    fn met_untold(&mut self, told: &Told, found: u64) -> u64 {
        let met = &self.writer.verifier().met;
        found - (told.standing.keys().filter(|row| met.contains(*row)).count() as u64).min(found)
    }

    /// Rows that differ from their records.
    fn judge_different(&mut self, report: &mut ComparedReport, ledger: &Ledger, told: &Told, all: Vec<Different>) {
        for one in all {
            report.different += 1;
            let from = told.standing.get(&one.row).and_then(|(file, _)| ledger.files.get(file));
            let is_edited = told.edited.contains(&one.row) || (one.in_secret && told.resealed.contains(&one.row));
            let is_source_changed = from.is_some_and(|from| self.is_changed(ledger, from, one.place.file));
            let (code, counter): (&'static Code, &mut u64) = match (from, is_edited, is_source_changed) {
                (None, ..) => (&VERIFY_UNTOLD, &mut report.unrecorded),
                (_, true, true) => (&VERIFY_BOTH, &mut report.edited_and_source_changed),
                (_, true, false) => (&VERIFY_EDITED, &mut report.edited),
                (_, false, true) => (&VERIFY_SOURCE, &mut report.source_changed),
                (_, false, false) => (&VERIFY_WRONG, &mut report.wrong),
            };
            *counter += 1;
            let what = match code.id {
                id if id == VERIFY_UNTOLD.id => "differs, and no import of treelift recorded it:",
                id if id == VERIFY_BOTH.id => "was edited since its import, and the source was changed, too:",
                id if id == VERIFY_EDITED.id => "was edited since its import:",
                id if id == VERIFY_SOURCE.id => "is as its import left it, and the source was changed since:",
                _ => "is as its import left it, and the source is the same, so the import was wrong:",
            };
            let columns = if one.columns.is_empty() { "values differ".to_owned() } else { one.columns.join(", ") };
            let by = from.filter(|_| code.id == VERIFY_WRONG.id).and_then(|from| self.by(ledger, from));
            let message = format!("a row of `{}` {what} {columns}{}", report.name, by.unwrap_or_default());
            self.tell(code, message, one.rule, one.place);
        }
    }

    /// Whether a file of the tree, which gives a row or something of it, is another one than when that came of it; `from`
    /// is the one that made the row.
    fn is_changed(&self, ledger: &Ledger, from: &ToldFile, file: FileId) -> bool {
        let now = self.resolver.digest_of(file);
        if now == Some(from.file.sha256) {
            return false;
        }
        // What another file filled in came of that one, as it was read last.
        let is_other = ledger.here.get(&from.file.path) != Some(&file);
        !(is_other && ledger.last.get(&file).copied() == now && now.is_some())
    }

    /// The run that wrote a row, where it used another version of the program or another mapping set.
    fn by(&self, ledger: &Ledger, from: &ToldFile) -> Option<String> {
        let run = ledger.runs.get(&from.run)?;
        let mut others = Vec::new();
        if run.set_digest != self.plan.set.digest {
            let short: String = run.set_digest.chars().take(12).collect();
            others.push(format!("with the set `{}` as it was then ({short})", run.set));
        }
        if run.program != env!("CARGO_PKG_VERSION") {
            others.push(format!("by treelift {}", run.program));
        }
        let how = if others.is_empty() { String::new() } else { format!(", {}", others.join(", ")) };
        Some(format!(" (run {}{how})", run.id))
    }

    /// Rows that say what their records say, and were changed in columns that these do not give.
    fn judge_edited(&mut self, report: &mut ComparedReport, ledger: &Ledger, told: &Told, number: usize) {
        let verifier = self.writer.verifier();
        let is_asked = |row: &RowId| {
            let from = told.standing.get(row).and_then(|(file, _)| ledger.files.get(file));
            let here = from.and_then(|from| ledger.here.get(&from.file.path));
            here.is_none_or(|here| !verifier.unasked.contains(here))
        };
        let is_it = |row: &&RowId| verifier.met.contains(*row) && !verifier.is_different(row) && is_asked(row);
        let mut rows: Vec<RowId> = told.edited.iter().filter(is_it).copied().collect();
        rows.sort_by_key(|row| told.standing.get(row).copied());
        let columns = self.not_given(number, &report.name);
        for row in rows {
            report.different += 1;
            report.edited += 1;
            let from = told.standing.get(&row).copied();
            let place = from.and_then(|from| self.place_in(ledger, from));
            let message = format!(
                "a row of `{}` was edited since its import, in what the source does not give{columns}",
                report.name
            );
            let finding = Finding::new(&VERIFY_EDITED, message).about(report.name.clone());
            self.findings.push(Finding { place, ..finding });
            // One whose secrets could not be compared is counted here alone.
            let tally = self.writer.verifier().tally(number);
            if tally.found < report.different + tally.unverified_rows()
                && let Some(rows) = tally.unverified.values_mut().find(|rows| **rows > 0)
            {
                *rows -= 1;
            }
        }
    }

    /// The columns of a table that no rule gives which makes its rows, in words.
    fn not_given(&self, number: usize, table: &str) -> String {
        let makes = |rule: &&CompiledRule| {
            rule.table_number == number && rule.model(&self.plan.set).on_duplicate != OnDuplicate::Fill
        };
        let rules: Vec<_> = self.plan.rules.iter().flatten().filter(makes).collect();
        let is_left =
            |column: &&Column| column.primary_key == 0 && rules.iter().all(|rule| rule.field(&column.name).is_none());
        let columns = self.plan.schema.table(table).into_iter().flat_map(|table| &table.columns);
        let names: Vec<String> = columns.filter(is_left).map(|column| format!("`{}`", column.name)).collect();
        if names.is_empty() {
            ": the times at which it was imported".to_owned()
        } else {
            format!(" ({}, or times of the import)", names.join(", "))
        }
    }

    /// Rows that are not there.
    fn judge_missing(&mut self, report: &mut ComparedReport, ledger: &Ledger, told: &Told, all: Vec<Missing>) {
        let mut removed_at = told.removed_at.clone();
        let mut by_place: HashMap<(FileId, u64), u64> = HashMap::new();
        for ((file, offset), rows) in removed_at.drain() {
            let here = ledger.files.get(&file).and_then(|from| ledger.here.get(&from.file.path));
            if let Some(here) = here {
                *by_place.entry((*here, offset)).or_default() += rows;
            }
        }
        for Missing { row, rule, place, .. } in all {
            report.missing += 1;
            let at_place = by_place.get_mut(&(place.file, place.offset)).filter(|rows| **rows > 0);
            let is_removed = match row {
                Some(row) => told.removed.contains_key(&row),
                None => at_place.map(|rows| *rows -= 1).is_some(),
            };
            let (code, what): (&'static Code, _) = if is_removed {
                report.removed += 1;
                (&VERIFY_REMOVED, "was removed from the database since its import")
            } else {
                (&VERIFY_NEVER, "is not in the database, and no import recorded it")
            };
            self.tell(code, format!("a row of `{}` {what}", report.name), rule, place);
        }
    }

    /// Rows of the ledger that no record gives any more; how many of them cannot be judged since what gave them is
    /// rejected now.
    fn judge_unmet(&mut self, report: &mut ComparedReport, ledger: &Ledger, told: &Told, number: usize) -> u64 {
        let is_whole = self.writer.verifier().asked.is_all();
        let mut rejected = 0;
        for ((file, offset, row_key), row) in &told.unmet {
            let Some(from) = ledger.files.get(file).filter(|from| ledger.own.contains(&from.run)) else {
                continue; // of another tree
            };
            let here = ledger.here.get(&from.file.path);
            if here.is_some_and(|here| self.writer.verifier().unasked.contains(here)) {
                continue; // of a part of the tree that is not asked for
            }
            let state = here.map(|here| &self.files[here.0 as usize]);
            match state.map(|state| (state.status, state.counts().rejected)) {
                Some((Some(FileStatus::Rejected | FileStatus::Unread), _)) => rejected += 1,
                Some((Some(FileStatus::Imported), of)) if of > 0 => rejected += 1,
                Some((Some(FileStatus::Imported), _)) => {
                    self.extra(report, ledger, (*file, *offset), row_key, told.edited.contains(row));
                }
                // A part of the tree that is not asked for.
                Some(_) | None if !is_whole => {}
                Some(_) | None => self.extra(report, ledger, (*file, *offset), row_key, told.edited.contains(row)),
            }
        }
        let left = std::mem::take(&mut self.writer.verifier().tally(number).left);
        for (place, rows) in left {
            report.extra += rows;
            let message = format!(
                "{} of `{}` that an import wrote from this file {} not given by it any more",
                count(rows, "row"),
                report.name,
                if rows == 1 { "is" } else { "are" }
            );
            self.findings.push(Finding::new(&VERIFY_EXTRA, message).at(place).about(report.name.clone()));
        }
        rejected
    }

    fn extra(
        &mut self,
        report: &mut ComparedReport,
        ledger: &Ledger,
        from: (i64, u64),
        row_key: &str,
        is_edited: bool,
    ) {
        report.extra += 1;
        let edited = if is_edited { ", and it was edited since its import" } else { "" };
        let key = self.writer.vault.or_withheld(row_key);
        let message =
            format!("the row {key} of `{}` is in the database, and no record gives it any more{edited}", report.name);
        let place = self.place_in(ledger, from);
        let gone = ledger.files.get(&from.0).filter(|_| place.is_none()).map(|told| told.file.path.clone());
        let finding = Finding::new(&VERIFY_EXTRA, message).about(report.name.clone());
        let finding = match gone {
            Some(path) => finding.at_path(path),
            None => finding,
        };
        self.findings.push(Finding { place, ..finding });
    }

    /// Where a row came from in the tree: as exactly as the file is still what it was.
    fn place_in(&self, ledger: &Ledger, (file, offset): (i64, u64)) -> Option<Place> {
        let told = &ledger.files.get(&file)?.file;
        let here = *ledger.here.get(&told.path)?;
        let is_same = self.resolver.digest_of(here) == Some(told.sha256);
        Some(Place { file: here, offset: if is_same { offset } else { 0 } })
    }

    fn tell(&mut self, code: &'static Code, message: String, rule: u32, place: Place) {
        let mut finding = Finding::new(code, message).at(place);
        if let Some(rule) = self.plan.rule(rule) {
            finding = finding.about(rule.name.clone());
            finding.mapping = Some(rule.line_in(&self.plan.set).into());
        }
        self.findings.push(finding);
    }
}

/// Rows by the numbers of their tables, those of one in the order of their places.
fn by_table<T: Placed>(all: Vec<T>, table: impl Fn(&T) -> usize) -> HashMap<usize, Vec<T>> {
    let mut by: HashMap<usize, Vec<T>> = HashMap::new();
    all.into_iter().for_each(|one| by.entry(table(&one)).or_default().push(one));
    by.values_mut().for_each(|rows| rows.sort_by_key(Placed::place));
    by
}

trait Placed {
    fn place(&self) -> Place;
}

impl Placed for Different {
    fn place(&self) -> Place {
        self.place
    }
}

impl Placed for Missing {
    fn place(&self) -> Place {
        self.place
    }
}
