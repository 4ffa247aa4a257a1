//! Rows that the database rejected, with the other row of a unique value. Where it is too late to reject
//! their records, the next attempt does. And rows that the database did not keep.

use crate::config::Ui;
use crate::database::kept::{ForeignTrigger, Strayed, Unkept};
use crate::database::rejection::Rejection;
use crate::database::upkeep::Orphan;
use crate::error::{Error, Result};
use crate::finding::{
    Finding, Place, ROW_NOT_KEPT, ROW_REFERENCE, Severity, TARGET_ROWS, TARGET_TRIGGER, TARGET_UNSETTLED,
};
use crate::import::context::Context;
use crate::import::rejects::{KnownRejects, Rejects, locate};
use crate::import::writer::{Noted, RefusedRow};
use crate::report::words::count;

/// A record has so many findings of this kind at most: a list of a million elements may be one.
const MOST_OF_A_RECORD: usize = 100;

/// What to do about a row that a trigger of the set itself changes.
const OWN_TRIGGER: &str =
    "the mapping set's own trigger does it: leave the column to the trigger, or let the trigger leave the row as it is";

/// What is reported of rows that the database rejected, by their records. `beside` are the rows that were to
/// be written together with them.
pub(crate) fn rejections(cx: &mut Context<'_>, rows: &[RefusedRow], beside: &[Noted<'_>]) -> Result<KnownRejects> {
    let mut rejected = KnownRejects::new();
    for row in rows {
        let findings = rejected.entry((row.record.file, row.record.offset)).or_default();
        if findings.len() < MOST_OF_A_RECORD {
            findings.push(rejection(cx, row, beside)?);
        }
    }
    Ok(rejected)
}

/// What is reported of a row that the database rejected.
fn rejection(cx: &mut Context<'_>, row: &RefusedRow, beside: &[Noted<'_>]) -> Result<Finding> {
    let RefusedRow { place, rule, table, why, .. } = row;
    let other = match why {
        Rejection::Unique { other: Some(key), .. } => match beside.iter().find(|noted| noted.is(table, key)) {
            Some(noted) => Some(Place { offset: noted.offset(), ..*place }),
            None => place_of(cx, table, key)?,
        },
        _ => None,
    };
    let mut finding = Finding::new(why.code(), why.message(table)).at(*place).also(other).about(table.clone());
    finding.mapping = rule.and_then(|rule| cx.plan.rule(rule)).map(|rule| rule.line_in(&cx.plan.set).into());
    Ok(finding)
}

/// So many rows with a broken reference are learnt in one attempt.
const MOST_ORPHANS: usize = 100_000;

/// That a row references a missing one.
pub(crate) fn dangling(orphan: &Orphan) -> Finding {
    let what = match &orphan.columns[..] {
        [] => format!("a row of `{}`", orphan.table),
        [column] => format!("`{}.{column}`", orphan.table),
        columns => format!("({}) of `{}`", columns.join(", "), orphan.table),
    };
    let message = format!("{what} references a missing row of `{}`", orphan.parent);
    Finding::new(&ROW_REFERENCE, message).about(orphan.table.clone())
}

/// Where this run wrote the row of a key from.
fn place_of(cx: &mut Context<'_>, table: &str, key: &str) -> Result<Option<Place>> {
    let Some(origin) = cx.writer.transaction()?.written_from(table, key)? else { return Ok(None) };
    Ok(cx.writer.file_of(origin.file).map(|file| Place { file, offset: origin.offset }))
}

impl Rejects {
    /// Takes over the rows that the database rejected, as records that the next attempt rejects.
    pub(crate) fn take_refused(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.writer.transaction()?; // what it still writes may be rejected
        let late = cx.writer.transaction()?.rejected_late()?;
        let mut rows = std::mem::take(&mut cx.writer.refused);
        rows.extend(late.into_iter().map(|row| RefusedRow::late(row, cx.plan)));
        self.refused = rejections(cx, &rows, &[])?;
        Ok(())
    }

    /// Takes over the rows of this run that reference a missing row, which the next attempt rejects, and gives all that do.
    pub(crate) fn take_orphans(&mut self, cx: &mut Context<'_>) -> Result<Vec<Orphan>> {
        let orphans = cx.writer.transaction()?.orphans(MOST_ORPHANS)?;
        for orphan in &orphans {
            let Some(place) = orphan.origin.and_then(|origin| cx.writer.place_of(origin)) else { continue };
            let row = (place.file, place.offset, orphan.table.clone());
            self.dangling.entry(row).or_insert_with(|| dangling(orphan).at(place));
        }
        Ok(orphans)
    }

    /// Names the triggers that no migration of the set makes, before the first row is written.
    pub(crate) fn report_triggers(&self, cx: &mut Context<'_>, ui: &dyn Ui) -> Result<()> {
        for ForeignTrigger { name, table } in cx.writer.transaction()?.foreign_triggers().to_vec() {
            let message = format!("trigger `{name}` on `{table}` is not made by the mapping set");
            if self.is_none_known() {
                ui.say(&format!("{message}; rows are read back and compared"));
            }
            cx.findings.push(Finding::new(&TARGET_TRIGGER, message).about("target"));
        }
        Ok(())
    }

    /// Reports tables that do not hold what this run wrote.
    pub(crate) fn report_unkept(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if !self.refused.is_empty() {
            return Ok(()); // the rows that were rejected are missing, and reported
        }
        let inserted: Vec<(String, u64)> =
            cx.writer.counts().into_iter().map(|table| (table.name, table.inserted)).collect();
        for Unkept { table, expected, found, rows, foreign } in cx.writer.transaction()?.unkept(&inserted)? {
            for Strayed { file, offset, changed } in rows {
                let message = if changed {
                    format!("a row of `{table}` was changed by the database after it was written")
                } else {
                    format!("a row of `{table}` is missing: it was inserted, and the database removed it")
                };
                let mut finding = Finding::new(&ROW_NOT_KEPT, message).about(table.clone());
                finding.help = (!foreign).then_some(OWN_TRIGGER);
                finding.place = cx.writer.file_of(file).map(|file| Place { file, offset });
                cx.findings.push(finding);
            }
            if found != expected {
                let before = cx.writer.rows_before(&table);
                let message = format!(
                    "`{table}` has {}, expected {expected}: {before} before the import and {} inserted",
                    count(found, "row"),
                    expected - before
                );
                let finding = Finding::new(&TARGET_ROWS, message).about(table);
                // What the set's own triggers add is its author's intention.
                let is_intended = found > expected && !foreign;
                cx.findings.push(if is_intended { finding.weighing(Severity::Warning) } else { finding });
            }
        }
        Ok(())
    }

    /// Reports what the last attempt found, when there is none after it, and the chain that led there: `earlier` has
    /// the first record that each of the attempts before rejected.
    pub(crate) fn report_refused(&mut self, cx: &mut Context<'_>, most: u64, earlier: &[Place]) {
        if !self.must_begin_anew(most) && self.dangling.is_empty() {
            return;
        }
        for (attempt, place) in earlier.iter().enumerate() {
            let message =
                format!("attempt {} rejected this record, and the next one was made without its rows", attempt + 1);
            let link = Finding::new(&TARGET_UNSETTLED, message).at(*place).about("attempts");
            cx.findings.push(link.weighing(Severity::Note));
        }
        let last: Vec<Place> = self.found_late().collect();
        let message = format!(
            "attempt {}, the last one, still rejected {}",
            earlier.len() + 1,
            count(last.len() as u64, "record")
        );
        let mut finding = Finding::new(&TARGET_UNSETTLED, message).about("target");
        finding.place = last.into_iter().min();
        cx.findings.push(finding);
        cx.findings.extend(self.refused.values().flatten().cloned().collect::<Vec<_>>());
    }

    /// Adds the place of the row at which a trigger rolled the transaction back.
    pub(crate) fn with_place(&self, cx: &Context<'_>, error: Error) -> Error {
        let is_it = |row: &&RefusedRow| matches!(row.why, Rejection::RolledBack { .. });
        let Some(row) = cx.writer.refused.iter().find(is_it) else { return error };
        let source = &cx.plan.tree.files[row.place.file.0 as usize];
        let at = locate(source, row.place.offset);
        error.at(format!("{}:{}:{}", cx.writer.vault.or_withheld(&source.path), at.line, at.column))
    }
}
