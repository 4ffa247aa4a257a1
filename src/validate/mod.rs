//! Validate: the target checked by itself, inside an import's transaction before it is committed, or
//! at rest. `gather` reads, `checks` compares.

pub mod checks;
pub mod gather;

use crate::database::catalog::Other;
use crate::database::drift::Leave;
use crate::database::{Target, Transaction, history, schema};
use crate::error::Result;
use crate::finding::{
    ASSERTION, Finding, Place, ROW_ORPHAN, ROW_REFERENCE, SECRET_UNCOMPARED, Severity, TARGET_FORM, TARGET_INTEGRITY,
    TARGET_PENDING, TARGET_RULE, TARGET_UNSEALED,
};
use crate::import::leak::found::Leaks;
use crate::import::run::Run;
use crate::mapping::model::{AssertCategory, Set};
use crate::report::{CheckReport, CheckStatus, words};
pub use checks::Category;
use checks::{Answer, check};
use std::collections::BTreeMap;

/// The help where a trigger is on the table of a sealed value that does not open.
const CHANGED_BY_TRIGGER: &str =
    "drop the trigger for the import, or keep it from changing what is sealed; nothing was committed";

/// So many rows with a broken reference are named.
const MOST_ORPHANS: usize = 1_000;

/// Judges the target of an import: everything that is written into, not what else is there.
pub fn target(run: &mut Run, before: &[Answer]) -> Result<Vec<CheckReport>> {
    run.vault.register(&mut *run.transaction)?;
    let mut checks = form(run)?;
    checks.push(references(run)?);
    checks.push(health(run)?);
    let asserted = assertions(run, before)?;
    checks.extend(asserted);
    checks.push(sealed(run)?);
    checks.push(plaintext(run));
    checks.sort_by_key(|check| Category::ALL.iter().position(|category| category.name() == check.category));
    Ok(checks)
}

/// Judges a database at rest, in the wanted categories (none for all).
///
/// # Errors
/// When there is no database, or it cannot be read. What is wrong with it is in the checks.
pub fn database(target: &dyn Target, set: &Set, wanted: &[Category]) -> Result<Vec<CheckReport>> {
    let mut checks = Vec::new();
    let found = target.inspect(&mut |look| {
        let survey = look.survey()?;
        let standing = history::compare(&survey.recorded, &set.migrations);
        let expected = schema::in_force(&set.migrations, &standing, &survey.catalog)?;
        let leave = Leave { tables: &set.other_tables, additions: false };
        checks = checks::form(&survey, &expected, &standing, leave);
        let needs_rows =
            wanted.is_empty() || wanted.iter().any(|one| matches!(one, Category::Data | Category::Security));
        if needs_rows {
            let evidence = gather::all(look, survey, set, &standing)?;
            checks.extend(checks::data(&evidence));
            checks.extend(checks::security(&evidence));
        }
        Ok(())
    })?;
    if !found {
        return Err(target.missing());
    }
    checks.retain(|check| wanted.is_empty() || wanted.iter().any(|category| category.name() == check.category));
    Ok(checks)
}

/// Whether the applied migrations' tables, indexes and constraints are there. What is there besides is
/// not checked: an application may have made it.
fn form(run: &mut Run) -> Result<Vec<CheckReport>> {
    let survey = run.transaction.survey()?;
    let migrations = &run.plan.set.migrations;
    let standing = history::compare(&survey.recorded, migrations);
    let expected = schema::catalog(&gather::applied(migrations, &standing))?;
    let leave = Leave { tables: &run.plan.set.other_tables, additions: true };
    let mut checks = checks::form(&survey, &expected, &standing, leave);
    // An index that its owner dropped, or a failure of long ago, is nothing that an import does or needs.
    for check in checks.iter().filter(|check| check.status == CheckStatus::Failed) {
        let detail = check.detail.clone().unwrap_or_default();
        run.findings.push(Finding::new(&TARGET_FORM, detail).about("target"));
    }
    for check in checks.iter_mut().filter(|check| check.status == CheckStatus::Failed) {
        check.status = CheckStatus::NotChecked;
    }
    let pending = run.transaction.pending();
    if let Some(first) = pending.first() {
        let more = if pending.len() > 1 { format!(" and {} after it", pending.len() - 1) } else { String::new() };
        let message =
            format!("the application created this database without the migration `{first}`{more}; it is used as it is");
        run.findings.push(Finding::new(&TARGET_PENDING, message).about("target"));
    }
    Ok(checks)
}

/// What the set's own checks say now: what they said before an import is not the import's fault.
pub fn ask(transaction: &mut dyn Transaction, set: &Set) -> Result<Vec<Answer>> {
    let standing = history::compare(&transaction.survey()?.recorded, &set.migrations);
    gather::ask(set, &standing, &mut |sql| transaction.ask(sql))
}

/// The set's own checks. One that did not hold before the run either is a warning.
fn assertions(run: &mut Run, before: &[Answer]) -> Result<Vec<CheckReport>> {
    let answers = ask(&mut *run.transaction, &run.plan.set)?;
    let mut checks = checks::answers(&answers, AssertCategory::Data, Category::Data);
    checks.extend(checks::answers(&answers, AssertCategory::Security, Category::Security));
    for check in checks.iter_mut().filter(|check| check.status == CheckStatus::Failed) {
        let message = format!("{}: {}", check.name, check.detail.as_deref().unwrap_or("not so"));
        let is_old = before.iter().any(|old| old.name == check.name && old.failed() && answers.contains(old));
        let finding = Finding::new(&ASSERTION, message).about("target");
        run.findings.push(if is_old { finding.weighing(Severity::Warning) } else { finding });
        if is_old {
            check.status = CheckStatus::NotChecked;
            check.detail = Some("it failed before the import too".to_owned());
        }
    }
    Ok(checks)
}

/// Every foreign key leads somewhere. What the database had before the run is a warning.
fn references(run: &mut Run) -> Result<CheckReport> {
    let orphans = run.transaction.orphans(MOST_ORPHANS)?;
    let (mut ours, mut theirs) = (0_u64, 0_u64);
    for orphan in orphans {
        let message = format!("a row of `{}` references a missing row of `{}`", orphan.table, orphan.parent);
        let origin = run.transaction.ledger().origin(&orphan.table, &orphan.row_key)?;
        let file = origin.as_ref().and_then(|origin| run.file_numbered(origin.file));
        let finding = match (origin, file) {
            (Some(origin), Some(file)) => {
                ours += 1;
                let place = Place { file, offset: origin.offset };
                Finding::new(&ROW_REFERENCE, message).at(place)
            }
            _ => {
                theirs += 1;
                Finding::new(&ROW_ORPHAN, message).weighing(Severity::Warning)
            }
        };
        run.findings.push(finding.about(orphan.table));
    }
    let detail = match theirs {
        0 => format!("{ours} broken"),
        _ => format!("{ours} broken by this run, {theirs} before it"),
    };
    Ok(passed_if(ours == 0, "every reference points to an existing row", Category::Data, detail))
}

/// Whether the file is sound. A rule that rows break is a warning: the engine held every row of this
/// run to it, so they were there before.
fn health(run: &mut Run) -> Result<CheckReport> {
    let health = run.transaction.health()?;
    for damage in &health.damage {
        run.findings.push(Finding::new(&TARGET_INTEGRITY, damage.clone()).about("target"));
    }
    for broken in health.broken_rules(|_| false) {
        run.findings.push(Finding::new(&TARGET_RULE, broken).about("target"));
    }
    Ok(checks::integrity(&health))
}

fn sealed(run: &mut Run) -> Result<CheckReport> {
    let (opened, failed) = run.vault.prove(&mut *run.transaction)?;
    run.opened_again = opened;
    let others = if failed.is_empty() { BTreeMap::new() } else { run.transaction.survey()?.catalog.others };
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
    if run.vault.uncompared > 0 {
        let message = format!(
            "not compared with the source: {} of the database, because no passphrase or key was given",
            words::count(run.vault.uncompared, "sealed value")
        );
        run.findings.push(Finding::new(&SECRET_UNCOMPARED, message).about("target"));
    }
    let mut check =
        passed_if(failed.is_empty(), "every sealed value opens again", Category::Security, format!("{opened} opened"));
    if run.vault.uncompared > 0 && failed.is_empty() {
        check.status = CheckStatus::NotChecked;
        check.detail = Some(format!(
            "{opened} opened; {} that the database has were not compared, because no passphrase was given",
            run.vault.uncompared
        ));
    }
    Ok(check)
}

fn plaintext(run: &Run) -> CheckReport {
    let Leaks { hits, warned, declassified, .. } = &run.leaks;
    let detail = format!("{hits} refused, {warned} warned of, {declassified} declassified");
    passed_if(*hits == 0, "no undecided secret is stored in plaintext", Category::Security, detail)
}

/// A check whose detail is the same whether it passed or failed.
fn passed_if(passed: bool, name: &str, category: Category, detail: String) -> CheckReport {
    if passed { check(name, category, &[], detail) } else { check(name, category, &[detail], String::new()) }
}
