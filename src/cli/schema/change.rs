//! The commands that change the schema: `treelift schema migrate`, `rollback` and `stamp`.

use crate::cli::args::schema::{ChangeArgs, FlowArgs, MigrateArgs, RollbackArgs, StampArgs};
use crate::cli::args::shared::{ManagedArgs, SecretArgs};
use crate::cli::database_url::DatabaseUrl;
use crate::cli::output::Output;
use crate::cli::{log, managed};
use crate::config::Ui;
use crate::database::done::What;
use crate::database::history::Down;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::migrations::{Changed, Loss, LossKind, ManagedDatabase, Options, TableCount, loss_lines};
use crate::report::words::{count, duration, thousands};
use crate::report::{CheckReport, CheckStatus};
use serde_json::json;
use std::cell::RefCell;

/// Applies what is pending.
pub(super) fn migrate(args: &MigrateArgs, output: &Output) -> Result<u8> {
    let flow = &args.flow;
    let (mut managed, named) = on_copy(opened(&args.managed)?, &args.change, flow, output)?;
    let to = args.to.as_deref().map(|word| managed.goal(word)?.ok_or_else(|| before_all(word))).transpose()?;
    change(&mut managed, (&args.change, &args.secrets), named.as_deref(), output, |managed, report, options, ui| {
        managed.migrate_reporting(to, report, &with_flow(options, flow), ui)
    })
}

/// Rolls migrations back, after reporting what would be lost.
pub(super) fn rollback(args: &RollbackArgs, output: &Output) -> Result<u8> {
    let flow = &args.flow;
    let (mut managed, named) = on_copy(opened(&args.managed)?, &args.change, flow, output)?;
    let goal = match (&args.goal.to, args.goal.steps) {
        (Some(word), _) => managed.goal(word)?.map_or(Down::All, Down::To),
        (None, Some(steps)) => Down::Steps(steps),
        (None, None) => Down::All,
    };
    change(&mut managed, (&args.change, &args.secrets), named.as_deref(), output, |managed, report, options, ui| {
        managed.roll_back(goal, report, &with_flow(options, flow), ui)
    })
}

/// Records migrations without running them.
pub(super) fn stamp(args: &StampArgs, output: &Output) -> Result<u8> {
    let (mut managed, named) = opened(&args.managed)?;
    let at = managed.goal(&args.version)?.ok_or_else(|| before_all(&args.version))?;
    let secrets = SecretArgs::default();
    change(&mut managed, (&args.change, &secrets), named.as_deref(), output, |managed, _, options, ui| {
        managed.stamp(at, options, ui)
    })
}

/// The set and the database, and the line that says what names it.
type Opened = (ManagedDatabase, Option<String>);

fn opened(args: &ManagedArgs) -> Result<Opened> {
    let managed = managed::open(args)?;
    let named = managed::named(args, managed.database(), Some(&managed.set().name))?;
    Ok((managed, named))
}

/// The database itself, or a copy of it, made now.
fn on_copy((managed, named): Opened, args: &ChangeArgs, flow: &FlowArgs, output: &Output) -> Result<Opened> {
    let Some(copy) = &flow.copy else { return Ok((managed, named)) };
    let copy = DatabaseUrl::of_copy(copy.as_ref())?;
    let copied =
        managed::change(args, named.as_deref(), output, |options, ui| managed.copied_to(copy.url(), options, ui))?;
    Ok((copied, None)) // it was said of what was copied
}

fn with_flow<'o>(options: &Options<'o>, flow: &FlowArgs) -> Options<'o> {
    Options { verify: flow.verify, backup_behind: flow.with_backup, ..options.clone() }
}

fn before_all(word: &str) -> Error {
    Error::request(format!("`{word}` is before the first migration"))
        .hint("`schema rollback --to base` goes back there")
}

/// What would be lost is printed before it is asked, and kept for the result.
fn change(
    managed: &mut ManagedDatabase,
    args: (&ChangeArgs, &SecretArgs),
    named: Option<&str>,
    output: &Output,
    work: impl FnOnce(&mut ManagedDatabase, &dyn Fn(&[Loss]), &Options<'_>, &dyn Ui) -> Result<Changed>,
) -> Result<u8> {
    let lost = RefCell::new(Vec::new());
    let changed = managed::change_sealed(args, named, output, |options, terminal| {
        let report = |found: &[Loss]| {
            loss_lines(found).iter().for_each(|line| terminal.say(line));
            lost.replace(found.to_vec());
        };
        work(managed, &report, options, terminal)
    })?;
    tell(&changed, &lost.into_inner(), managed.database().url(), args.0.dry_run, output)
}

/// Prints the result of a change.
fn tell(changed: &Changed, lost: &[Loss], url: &str, dry: bool, output: &Output) -> Result<u8> {
    for step in &changed.steps {
        log::done(
            "migration",
            json!({ "version": step.version, "what": step.what, "took_ms": step.took_ms, "dry": dry }),
        );
    }
    let document = json!({
        "target": url,
        "dry_run": dry,
        "refused": changed.refused,
        "steps": changed.steps,
        "losses": lost,
        "checks": changed.checks,
        "tables": changed.tables,
        "resealed": changed.resealed,
        "ledger": changed.ledger,
        "backup": changed.backup,
    });
    output.outcome(&words(changed, lost, url, dry), &document);
    Ok(changed.backup.as_ref().map_or_else(|| u8::from(changed.refused), |backup| backup.status))
}

fn words(changed: &Changed, lost: &[Loss], url: &str, dry: bool) -> String {
    let mut words = String::new();
    for step in &changed.steps {
        let what = match step.what {
            What::Applied => "applied",
            What::Found => "already there, recorded",
            What::RolledBack => "rolled back",
            What::Stamped => "recorded as applied",
            What::Unstamped => "recorded as not applied",
            What::NotNeeded => "not needed, recorded",
        };
        let took = duration(u64::try_from(step.took_ms).unwrap_or(0));
        words += &format!("{what}: {} ({took})\n", printable(&step.version));
        if dry && let Some(sql) = &step.sql {
            words += &sql.lines().map(|line| format!("    {}\n", printable(line))).collect::<String>();
        }
    }
    if !changed.asserts && !changed.tables.is_empty() {
        words += &changed.tables.iter().filter_map(rows_of).collect::<String>();
    } else {
        for loss in lost.iter().filter(|loss| loss.kind != LossKind::Column && loss.rows > 0) {
            let (before, after) = (thousands(loss.before), thousands(loss.after));
            words += &format!("rows of {}: {before} → {after}\n", printable(&loss.what));
        }
    }
    words += &carried(changed, dry);
    words += &changed.checks.iter().map(of_check).collect::<String>();
    let steps = count(changed.steps.len() as u64, "step");
    let url = printable(url);
    if changed.refused {
        let failed = changed.checks.iter().filter(|check| check.status == CheckStatus::Failed).count();
        let do_not = if failed == 1 { "check does not hold" } else { "checks do not hold" };
        return words + &format!("refused: {failed} {do_not}, nothing was changed in {url}\n");
    }
    if let Some(path) = changed.backup.as_ref().and_then(|backup| backup.path.as_ref()) {
        words += &format!("backup behind it: {}\n", printable(&path.display().to_string()));
    }
    if let Some(why) = changed.backup.as_ref().and_then(|backup| backup.error.as_ref()) {
        return words
            + &format!("committed: {steps} in {url}, but the backup behind it was not made: {}\n", printable(why));
    }
    words += &match (changed.steps.is_empty(), dry) {
        (true, _) => format!("nothing to do in {url}\n"),
        (false, true) => format!("dry run: {steps} possible, nothing was changed in {url}\n"),
        (false, false) => format!("committed: {steps} in {url}\n"),
    };
    words
}

/// What became of sealed values and of the ledger's rows.
fn carried(changed: &Changed, dry: bool) -> String {
    let would = if dry { "would be " } else { "" };
    let mut words = String::new();
    if changed.resealed > 0 {
        let values = count(changed.resealed, "sealed value");
        words += &format!("{values} {would}sealed again for another table, column or key\n");
    }
    if changed.ledger.moved > 0 {
        words += &format!("ledger: {} {would}known by another key\n", count(changed.ledger.moved, "row"));
    }
    if changed.ledger.forgotten > 0 {
        let rows = count(changed.ledger.forgotten, "row");
        words += &format!("ledger: {rows} {would}forgotten, which had been deleted since runs wrote them\n");
    }
    words
}

/// The rows of a table before and behind: none where it has none on either side.
fn rows_of(table: &TableCount) -> Option<String> {
    let of = |rows: Option<u64>| rows.map_or_else(|| "none".to_owned(), thousands);
    let is_worth_it =
        table.before.or(table.after).is_some_and(|rows| rows > 0) || table.after.is_some_and(|rows| rows > 0);
    let (before, after) = (of(table.before), of(table.after));
    is_worth_it.then(|| format!("rows of {}: {before} → {after}\n", printable(&table.table)))
}

fn of_check(check: &CheckReport) -> String {
    let status = match check.status {
        CheckStatus::Passed => "passed",
        CheckStatus::Failed => "failed",
        CheckStatus::NotChecked => "not asked",
    };
    let detail = check.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{status}: {}{detail}\n", printable(&check.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::done::Done;

    #[test]
    fn a_dry_run_shows_its_sql_and_a_real_one_what_it_did() {
        let altered = Changed {
            steps: vec![Done {
                version: "001_notes".into(),
                what: What::Applied,
                took_ms: 12,
                sql: Some("CREATE TABLE notes (id);\n-- two\n".into()),
            }],
            ..Changed::default()
        };
        assert_eq!(
            words(&altered, &[], "x.db", true),
            "applied: 001_notes (12 ms)\n    CREATE TABLE notes (id);\n    -- two\ndry run: 1 step possible, nothing was changed in x.db\n"
        );
        let lost = [Loss { kind: LossKind::Rows, what: "kept".to_owned(), rows: 2, before: 1_005, after: 1_003 }];
        assert_eq!(
            words(&altered, &lost, "x.db", false),
            "applied: 001_notes (12 ms)\nrows of kept: 1,005 → 1,003\ncommitted: 1 step in x.db\n"
        );
        assert_eq!(words(&Changed::default(), &[], "x.db", false), "nothing to do in x.db\n");
    }
}
