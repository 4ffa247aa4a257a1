//! What an import cannot know any more once runs were forgotten.

use crate::database::Database;
use crate::database::ledger::RunRecord;
use crate::error::{Error, Result};
use crate::import::plan::{Disposition, Plan};
use crate::report::words::count;
use std::collections::BTreeSet;

/// Refuses an import that could not tell which rows are there: those of rules without a key are known by the ledger
/// alone, and would be written once more.
pub(super) fn refuse_unknown_rows(database: &dyn Database, plan: &Plan) -> Result<()> {
    let runs = database.runs()?;
    let is_undone = |run: &RunRecord| runs.iter().any(|later| later.undoes.as_ref() == Some(&run.id));
    let forgotten = runs.iter().filter(|run| run.is_import() && run.set == plan.set.name && !is_undone(run));
    let Some(words) = forgotten.filter_map(RunRecord::forgotten_in_words).next_back() else { return Ok(()) };
    let Some(reader) = database.read()? else { return Ok(()) };
    let rows = reader.survey()?.counts;
    let mapping = |disposition: &Disposition| match disposition {
        Disposition::Mapped { mapping, .. } => Some(*mapping),
        Disposition::Ignored(_) | Disposition::Unmapped => None,
    };
    let read: BTreeSet<usize> = plan.dispositions.iter().filter_map(mapping).collect();
    let rules = plan.rules.iter().flatten().filter(|rule| read.contains(&rule.mapping));
    let rules = rules.filter(|rule| plan.keys.need_ledger(rule, &plan.set));
    let tables: BTreeSet<&str> = rules.map(|rule| rule.table.name.as_str()).collect();
    let standing = tables.iter().filter_map(|table| Some((*table, *rows.get(*table)?))).filter(|(_, rows)| *rows > 0);
    let named: Vec<String> = standing.map(|(table, rows)| format!("{} of `{table}`", count(rows, "row"))).collect();
    if named.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{words}: it alone says which rows of rules without a key are there ({}), and they would be written again",
        named.join(", ")
    );
    Err(Error::request(message).at(database.url()).hint(
        "restore the backup that was made before, give the rules a key, or leave their mappings out with `--only-mapping`",
    ))
}
