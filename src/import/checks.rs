//! What is checked in the database before an import is committed.

use crate::database::catalog::Other;
use crate::database::drift::Leave;
use crate::database::standing::Standing;
use crate::database::upkeep::WrittenFrom;
use crate::database::{history, schema};
use crate::error::Result;
use crate::finding::{
    ASSERTION, Finding, ROW_ORPHAN, ROW_TRIGGER, SECRET_UNCOMPARED, Severity, TARGET_FORM, TARGET_INTEGRITY,
    TARGET_PENDING, TARGET_RULE, TARGET_UNSEALED, VERIFY_UNLIKE,
};
use crate::import::leaves::found::Leaks;
use crate::import::refused::dangling;
use crate::import::run::Import;
use crate::report::{CheckReport, CheckStatus, words};
use crate::validate::answers::{self, Answer};
use crate::validate::check::{Category, check};
use crate::validate::checks;
use crate::validate::{ask, gather};
use std::collections::BTreeMap;

/// Reads every row back that the run of this id wrote, and compares it with what the ledger was told when its record was
/// read.
pub(crate) fn read_back(run: &mut Import<'_>, id: &str) -> Result<CheckReport> {
    let (mut rows, mut unlike) = (0_u64, 0_u64);
    for table in run.plan.written_tables() {
        let mut keys = Vec::new();
        run.writer.transaction()?.standing(&table, Some(id), &mut |row_key, standing| {
            rows += 1;
            if matches!(standing, Standing::Gone | Standing::Edited | Standing::Resealed) {
                unlike += 1;
                if keys.len() < MOST_NAMED {
                    keys.push((row_key.to_owned(), standing));
                }
            }
            Ok(())
        })?;
        for (row_key, standing) in keys {
            let from = run.writer.transaction()?.written_from(&table, &row_key)?;
            let what = match standing {
                Standing::Gone => "is not there any more",
                _ => "does not hold what was written",
            };
            let message = format!("a row of `{table}` {what} when it is read back");
            let mut finding = Finding::new(&VERIFY_UNLIKE, message).about(table.clone());
            let from = from.map(|row| WrittenFrom { file: row.file, offset: row.offset });
            finding.place = from.and_then(|from| run.writer.place_of(from));
            run.findings.push(finding);
        }
    }
    let detail = format!("{} read back, {unlike} unlike", words::count(rows, "row"));
    Ok(passed_if(unlike == 0, "every row is in the database as it was written", Category::Data, detail))
}

/// So many rows of a table are named that are not as they were written.
const MOST_NAMED: usize = 100;

/// Checks the database before the commit: everything that is written into, not what else is there.
/// `is_new`: the run makes it, so that whatever is wrong with it is the run's doing.
pub(crate) fn check_all(run: &mut Import<'_>, before: &[Answer], is_new: bool) -> Result<Vec<CheckReport>> {
    run.writer.register()?;
    let mut checks = form(run)?;
    checks.push(references(run, is_new)?);
    checks.push(health(run)?);
    // Of an empty database it says nothing that an assertion did not hold.
    let was_empty = run.plan.written_tables().iter().all(|table| run.writer.was_empty(table));
    let asserted = assertions(run, if was_empty { &[] } else { before })?;
    checks.extend(asserted);
    checks.push(sealed(run)?);
    checks.push(plaintext(run));
    checks.sort_by_key(|check| Category::ALL.iter().position(|category| category.name() == check.category));
    Ok(checks)
}

/// Whether the applied migrations' tables, indexes and constraints are there. What is there besides is
/// not checked: an application may have made it.
fn form(run: &mut Import<'_>) -> Result<Vec<CheckReport>> {
    let transaction = run.writer.transaction()?;
    let (catalog, recorded) = (transaction.catalog()?, transaction.recorded()?);
    let migrations = &run.plan.set.migrations;
    let standing = history::compare(&recorded, migrations);
    let expected = schema::catalog(transaction, &gather::applied(migrations, &standing))?;
    let leave = Leave { tables: &run.plan.set.other_tables, additions: true };
    let mut checks = checks::form((&catalog, &recorded), &expected, &standing, leave);
    // An index that its owner dropped, or a failure of long ago, is nothing that an import does or needs.
    for check in checks.iter().filter(|check| check.status == CheckStatus::Failed) {
        let detail = check.detail.clone().unwrap_or_default();
        run.findings.push(Finding::new(&TARGET_FORM, detail).about("target"));
    }
    for check in checks.iter_mut().filter(|check| check.status == CheckStatus::Failed) {
        check.status = CheckStatus::NotChecked;
    }
    let pending = run.writer.transaction()?.pending();
    if let Some(first) = pending.first() {
        let more = if pending.len() > 1 { format!(" and {} after it", pending.len() - 1) } else { String::new() };
        let message = format!(
            "the application created this database, and it has no record of the migration `{first}`{more}; it is used as it is"
        );
        run.findings.push(Finding::new(&TARGET_PENDING, message).about("target"));
    }
    Ok(checks)
}

/// The set's own checks. One that did not hold before the run either is a warning.
fn assertions(run: &mut Import<'_>, before: &[Answer]) -> Result<Vec<CheckReport>> {
    let answers = ask(run.writer.transaction()?, &run.plan.set)?;
    let mut checks: Vec<CheckReport> = answers.iter().map(answers::alone).collect();
    for (check, answer) in checks.iter_mut().zip(&answers).filter(|(check, _)| check.status == CheckStatus::Failed) {
        let message = format!("{}: {}", check.name, check.detail.as_deref().unwrap_or("not so"));
        let is_old = before.iter().any(|old| old.name == check.name && old.failed() && old == answer);
        let mut finding = Finding::new(&ASSERTION, message).about("target");
        let mut places = Vec::new();
        for (table, row_key) in answer.wrong_rows() {
            let row = run.writer.transaction()?.written_from(&table, &row_key)?;
            places.extend(row.and_then(|row| run.writer.place_of(WrittenFrom { file: row.file, offset: row.offset })));
        }
        let mut places = places.into_iter();
        finding.place = places.next();
        finding = finding.also(places.next());
        run.findings.push(if is_old { finding.weighing(Severity::Warning) } else { finding });
        if is_old {
            check.status = CheckStatus::NotChecked;
            check.detail = Some("it failed before the import too".to_owned());
        }
    }
    Ok(checks)
}

/// Every foreign key leads somewhere. What the database had before the run is a warning.
fn references(run: &mut Import<'_>, is_new: bool) -> Result<CheckReport> {
    let (mut ours, mut theirs) = (0_u64, 0_u64);
    for orphan in std::mem::take(&mut run.orphans) {
        let mut finding = dangling(&orphan);
        finding.place = orphan.origin.and_then(|origin| run.writer.place_of(origin));
        // One that the ledger does not find by its key may still be of this run: that of a table which was empty is.
        // So is one that a migration left in a database which the run makes.
        if finding.place.is_some() || is_new || run.writer.was_empty(&orphan.table) {
            ours += 1;
        } else {
            theirs += 1;
            finding.code = &ROW_ORPHAN;
            finding = finding.weighing(Severity::Warning);
        }
        run.findings.push(finding);
    }
    if ours == 0
        && let Some(message) = run.writer.transaction()?.check_deferred()?
    {
        run.findings.push(Finding::new(&ROW_TRIGGER, message).about("target"));
    }
    let detail = match theirs {
        0 => format!("{ours} broken"),
        _ => format!("{ours} broken by this run, {theirs} before it"),
    };
    Ok(passed_if(ours == 0, "every reference points to an existing row", Category::Data, detail))
}

/// Whether the file is sound. A rule that rows break is a warning: the engine held every row of this
/// run to it, so they were there before.
fn health(run: &mut Import<'_>) -> Result<CheckReport> {
    let health = run.writer.transaction()?.health()?;
    for damage in &health.damage {
        run.findings.push(Finding::new(&TARGET_INTEGRITY, damage.clone()).about("target"));
    }
    for broken in health.broken_rules(|_| false) {
        run.findings.push(Finding::new(&TARGET_RULE, broken).about("target"));
    }
    Ok(checks::integrity(&health))
}

fn sealed(run: &mut Import<'_>) -> Result<CheckReport> {
    let (opened, failed) = run.writer.prove()?;
    run.opened_again = opened;
    let others = if failed.is_empty() { BTreeMap::new() } else { run.writer.transaction()?.survey()?.catalog.others };
    for (table, column) in &failed {
        let on_it = |other: &&Other| other.kind == "trigger" && other.table.eq_ignore_ascii_case(table);
        let triggers = others.iter().filter(|(_, other)| on_it(other)).map(|(name, _)| format!("`{name}`"));
        let triggers: Vec<String> = triggers.collect();
        let (likely, help) = match &triggers[..] {
            [] => (String::new(), None),
            [one] => (format!("; trigger {one} of the table probably changed it"), Some(CHANGED_BY_TRIGGER)),
            several => {
                let names = several.join(", ");
                (format!("; one of the triggers {names} of the table probably changed it"), Some(CHANGED_BY_TRIGGER))
            }
        };
        let message = format!("a value of `{table}.{column}` does not open again{likely}");
        run.findings.push(Finding::new(&TARGET_UNSEALED, message).about(format!("{table}.{column}")).helped_by(help));
    }
    if run.writer.vault.uncompared > 0 {
        let message = format!(
            "not compared with the source: {} of the database, because no passphrase or key was given",
            words::count(run.writer.vault.uncompared, "sealed value")
        );
        run.findings.push(Finding::new(&SECRET_UNCOMPARED, message).about("target"));
    }
    let mut check =
        passed_if(failed.is_empty(), "every sealed value opens again", Category::Security, format!("{opened} opened"));
    if run.writer.vault.uncompared > 0 && failed.is_empty() {
        check.status = CheckStatus::NotChecked;
        check.detail = Some(format!(
            "{opened} opened; {} that the database has were not compared, because no passphrase was given",
            run.writer.vault.uncompared
        ));
    }
    Ok(check)
}

fn plaintext(run: &Import<'_>) -> CheckReport {
    let Leaks { hits, warned, declassified, .. } = &run.leaves.leaks;
    let detail = format!("{hits} refused, {warned} warned of, {declassified} declassified");
    passed_if(*hits == 0, "no undecided secret is stored in plaintext", Category::Security, detail)
}

/// The help where a trigger is on the table of a sealed value that does not open.
const CHANGED_BY_TRIGGER: &str =
    "drop the trigger for the import, or keep it from changing what is sealed; nothing was committed";

/// A check whose detail is the same whether it passed or failed.
fn passed_if(passed: bool, name: &str, category: Category, detail: String) -> CheckReport {
    if passed { check(name, category, &[], detail) } else { check(name, category, &[detail], String::new()) }
}
