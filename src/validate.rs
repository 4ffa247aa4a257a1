//! What is judged inside the transaction before it is committed.

use crate::error::Result;
use crate::finding::{
    FileId, Finding, Place, ROW_ORPHAN, ROW_REFERENCE, SECRET_UNCOMPARED, Severity, TARGET_INTEGRITY, TARGET_UNSEALED,
};
use crate::report::{CheckReport, CheckStatus, words};
use crate::run::Run;

/// So many rows with a broken reference are named.
const MOST_ORPHANS: usize = 1_000;

/// Judges the target: references, integrity, sealed values, secrets in clear text.
pub fn target(run: &mut Run) -> Result<Vec<CheckReport>> {
    run.vault.register(&mut *run.transaction)?;
    Ok(vec![references(run)?, integrity(run)?, sealed(run)?, plaintext(run)])
}

fn check(name: &str, category: &str, passed: bool, detail: String) -> CheckReport {
    CheckReport {
        name: name.to_owned(),
        category: category.to_owned(),
        status: if passed { CheckStatus::Passed } else { CheckStatus::Failed },
        detail: Some(detail),
    }
}

/// Every foreign key leads somewhere. What the database had before the run is a warning.
fn references(run: &mut Run) -> Result<CheckReport> {
    let orphans = run.transaction.orphans(MOST_ORPHANS)?;
    let (mut ours, mut theirs) = (0_u64, 0_u64);
    for orphan in orphans {
        let message = format!("a row of `{}` refers to a row of `{}` that is not there", orphan.table, orphan.parent);
        let origin = run.transaction.ledger().origin(&orphan.table, &orphan.row_key)?;
        let file =
            origin.as_ref().and_then(|origin| run.files.iter().position(|file| file.ledger == Some(origin.file)));
        let finding = match (origin, file) {
            (Some(origin), Some(file)) => {
                ours += 1;
                let place = Place { file: FileId(u32::try_from(file).unwrap_or(u32::MAX)), offset: origin.offset };
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
    Ok(check("every reference leads to a row", "references", ours == 0, detail))
}

fn integrity(run: &mut Run) -> Result<CheckReport> {
    let faults = run.transaction.integrity()?;
    for fault in &faults {
        run.findings.push(Finding::new(&TARGET_INTEGRITY, fault.clone()).about("target"));
    }
    Ok(check(
        "the database passes its own integrity check",
        "integrity",
        faults.is_empty(),
        format!("{} faults", faults.len()),
    ))
}

fn sealed(run: &mut Run) -> Result<CheckReport> {
    let (opened, failed) = run.vault.prove(&mut *run.transaction)?;
    run.opened_again = opened;
    for column in &failed {
        run.findings.push(
            Finding::new(&TARGET_UNSEALED, format!("a value of `{column}` does not open again")).about(column.clone()),
        );
    }
    if run.vault.uncompared > 0 {
        let message = format!(
            "not compared with the source: {} of the database, because no passphrase or key was given",
            words::count(run.vault.uncompared, "sealed value")
        );
        run.findings.push(Finding::new(&SECRET_UNCOMPARED, message).about("target"));
    }
    let mut check = check("every sealed value opens again", "secrets", failed.is_empty(), format!("{opened} opened"));
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
    let hits = run.writer.plaintext_hits;
    check("no secret stands in clear text", "secrets", hits == 0, format!("{hits} found"))
}
