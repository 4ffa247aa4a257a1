//! `treelift schema rollback`

use super::managed;
use crate::cli::output::Output;
use crate::cli::schema_args::{GoalArgs, RollbackArgs};
use crate::config::Ui as _;
use crate::error::Result;
use crate::report::words::count;
use crate::schema::{Loss, LossKind, ManagedDatabase, Options};
use crate::target::history::Down;

/// Rolls migrations back, after reporting what would be lost.
pub(super) fn run(args: &RollbackArgs, output: &Output) -> Result<u8> {
    let mut managed = managed::open(&args.managed)?;
    let goal = goal(&args.goal, &managed)?;
    let terminal = managed::terminal(args.change.yes, output)?;
    let options = Options { dry: args.change.dry_run, before: managed::before(&args.change.backup) };
    let tell = |lost: &[Loss]| losses(lost).iter().for_each(|line| terminal.say(line));
    let altered = managed.roll_back(goal, &tell, &options, &terminal);
    terminal.end();
    super::tell(&altered?, managed.target().url(), options.dry, output)
}

fn goal(args: &GoalArgs, managed: &ManagedDatabase) -> Result<Down> {
    Ok(match (&args.to, args.steps) {
        (Some(word), _) => Down::To(managed.find(word)?),
        (None, Some(steps)) => Down::Steps(steps),
        (None, None) => Down::All,
    })
}

/// Tables with rows by name, the empty ones as a number.
fn losses(losses: &[Loss]) -> Vec<String> {
    let (full, empty): (Vec<&Loss>, Vec<&Loss>) = losses.iter().partition(|loss| loss.rows > 0);
    let line = |loss: &Loss| match loss.kind {
        LossKind::Rows => format!("would remove {} of `{}`", count(loss.rows, "row"), loss.what),
        LossKind::Table | LossKind::Column => format!("would drop `{}` with {}", loss.what, count(loss.rows, "row")),
    };
    let mut lines: Vec<String> = full.into_iter().map(line).collect();
    match empty.as_slice() {
        [] => {}
        [one] => lines.push(format!("would drop `{}`, which is empty", one.what)),
        several => {
            let names: Vec<String> = several.iter().map(|loss| format!("`{}`", loss.what)).collect();
            lines.push(format!("would drop {} that are empty: {}", several.len(), names.join(", ")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_named_where_there_are_rows() {
        let loss = |what: &str, rows| Loss { kind: LossKind::Table, what: what.to_owned(), rows };
        assert_eq!(
            losses(&[
                loss("notes", 3),
                loss("tags", 0),
                loss("people.colour", 1),
                loss("more", 0),
                Loss { kind: LossKind::Rows, what: "kept".to_owned(), rows: 2 }
            ]),
            [
                "would drop `notes` with 3 rows",
                "would drop `people.colour` with 1 row",
                "would remove 2 rows of `kept`",
                "would drop 2 that are empty: `tags`, `more`"
            ]
        );
        assert_eq!(losses(&[loss("tags", 0)]), ["would drop `tags`, which is empty"]);
    }
}
