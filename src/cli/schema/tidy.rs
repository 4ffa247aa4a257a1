//! `treelift schema tidy`

use crate::cli::args::schema::TidyArgs;
use crate::cli::output::Output;
use crate::cli::{log, managed};
use crate::config::Ui as _;
use crate::database::tidy::Chores;
use crate::error::Result;
use crate::finding::printable;
use crate::report::words::{bytes, count};
use crate::tidy::{Tidied, tidy};
use serde_json::json;

/// Puts statistics, files and indexes in order.
pub(super) fn run(args: &TidyArgs, output: &Output) -> Result<u8> {
    let mut selection = managed::selection(&args.managed)?;
    selection.learn(&selection.memory()?)?;
    let named = managed::named(&args.managed, selection.database(), selection.set_name())?;
    let audit = selection.set().and_then(|set| set.audit.clone());
    let database = selection.database_mut();
    database.wait_for_locks(args.locks.lock_timeout());
    let terminal = managed::terminal(args.yes, output)?;
    named.iter().for_each(|line| terminal.say(line));
    let done = tidy(database, chores(args), audit.as_ref(), args.dry_run, &terminal);
    terminal.end();
    let done = done?;
    log::done("tidy", json!(done));
    output.outcome(&words(&done, args.dry_run), &document(&done, args.dry_run));
    Ok(0)
}

/// Where none is named, all are meant.
fn chores(args: &TidyArgs) -> Chores {
    let is_all = !(args.analyze || args.vacuum || args.reindex);
    Chores { analyze: args.analyze || is_all, vacuum: args.vacuum || is_all, reindex: args.reindex || is_all }
}

fn document(done: &Tidied, dry: bool) -> serde_json::Value {
    let mut document = json!(done);
    document["dry_run"] = dry.into();
    document
}

fn words(done: &Tidied, dry: bool) -> String {
    let mut words: String = done.left.iter().map(|left| format!("note: {left}\n")).collect();
    let (statements, url) = (count(done.chores.len() as u64, "statement"), printable(&done.target));
    if done.chores.is_empty() {
        return words + &format!("nothing to do in {url}\n");
    }
    if dry {
        words.extend(done.chores.iter().map(|chore| format!("would run: {}\n", printable(&chore.statement))));
        return words
            + &format!("dry run: {statements} possible in {url} ({}), nothing was changed\n", bytes(done.before));
    }
    let after = done.after.map(|after| format!(" → {}", bytes(after))).unwrap_or_default();
    words + &format!("tidied: {statements} in {url}, {}{after}\n", bytes(done.before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tidy::Chore;

    #[test]
    fn what_was_done_is_told_with_the_sizes_and_a_dry_run_shows_it() {
        let chore =
            |statement: &str| Chore { statement: statement.to_owned(), table: None, is_owed: false, is_alone: true };
        let mut done = Tidied {
            target: "x.db".to_owned(),
            chores: vec![chore("REINDEX"), chore("ANALYZE")],
            left: vec!["`t` is left out: it belongs to the role `app`".to_owned()],
            before: 1_200_000,
            after: Some(900),
        };
        let note = "note: `t` is left out: it belongs to the role `app`\n";
        assert_eq!(words(&done, false), format!("{note}tidied: 2 statements in x.db, 1.2 MB → 900 bytes\n"));
        done.after = None;
        assert_eq!(
            words(&done, true),
            format!(
                "{note}would run: REINDEX\nwould run: ANALYZE\n\
                 dry run: 2 statements possible in x.db (1.2 MB), nothing was changed\n"
            )
        );
        done.chores.clear();
        assert_eq!(words(&done, false), format!("{note}nothing to do in x.db\n"));
    }
}
