//! Whether rows are as runs left them: which of the ledger's rows are judged together.

use super::ledger::{RunRecord, Written};
use super::unchanged::Disposition;
use std::collections::HashMap;

/// What became of a row since a run wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is there no more.
    Gone,
    /// It is as runs left it.
    AsLeft,
    /// It is, but for its sealed values: they were sealed again, handed over, or changed.
    Resealed,
    /// It was changed.
    Edited,
    /// A part of its key is NULL, so that nothing identifies it.
    Nameless,
}

impl From<Disposition> for Standing {
    fn from(disposition: Disposition) -> Self {
        match disposition {
            Disposition::Gone => Self::Gone,
            Disposition::Remove { sealed_alike: false, .. } | Disposition::Restore { sealed_alike: false } => {
                Self::Resealed
            }
            Disposition::Remove { .. } | Disposition::Restore { .. } | Disposition::Empty => Self::AsLeft,
            Disposition::Changed => Self::Edited,
            Disposition::Nameless => Self::Nameless,
        }
    }
}

/// Rows of the ledger that are judged together: those that one run inserted, with all that was filled in them; or those
/// that it only filled.
pub(super) struct Together<'r> {
    /// The run that inserted or filled them: what it did not write, the database gave while it ran.
    pub(super) run: &'r RunRecord,
    /// What stands behind FROM; `s` has the columns of `treelift_rows`.
    pub(super) from: String,
    /// The order in which all of one row stands together.
    pub(super) order: &'static str,
}

/// The ledger's rows of a table of this number, in the order in which they are judged: those of all runs, or of one.
pub(super) fn together<'r>(
    table: i64,
    columns: &HashMap<i64, Written>,
    runs: &'r [RunRecord],
    (only, has_earlier): (Option<&str>, bool),
) -> Vec<Together<'r>> {
    let lists = |filled: bool| {
        let mut numbers: Vec<i64> =
            columns.iter().filter(|(_, list)| list.filled == filled).map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
    };
    let (own, fills) = (lists(false), lists(true));
    let rows = |what: &str, condition: &str| {
        format!("SELECT {what} FROM treelift_rows r WHERE r.\"table\" = {table} AND {condition}")
    };
    // A run that found a row there and gave it other values speaks of all of it from then on.
    let run_of = "(SELECT f.run FROM treelift_files f WHERE f.id = r.file)";
    let earlier = |compared: &str| {
        format!(
            "EXISTS (SELECT 1 FROM treelift_earlier e WHERE e.\"table\" = r.\"table\" AND e.row_key = r.row_key AND e.run {compared} {run_of})"
        )
    };
    let updated = match (has_earlier, own.is_empty()) {
        (true, false) => format!("{} AND r.columns IN ({own})", earlier("=")),
        _ => "1 = 0".to_owned(),
    };
    let is_last = if has_earlier { format!(" AND NOT {}", earlier(">")) } else { String::new() };
    let whole =
        format!("r.row_key, r.columns, r.digest, r.own, r.file, r.number, {run_of} AS run, {updated} AS updated");
    let (whole, key) = (whole.as_str(), "r.row_key");
    let mut all = Vec::new();
    for run in runs.iter().filter(|run| only.is_none_or(|id| id == run.id)) {
        let of_run = format!(
            "r.file IN (SELECT f.id FROM treelift_files f JOIN treelift_runs u ON u.number = f.run WHERE u.id = '{}')",
            run.id.replace('\'', "''")
        );
        let inserted = format!("r.columns IN ({own}) AND {of_run}{is_last}");
        let by_key = "s.row_key, s.run, s.number";
        if fills.is_empty() {
            let from = format!("({}) s", rows(whole, &inserted));
            all.push(Together { run, from, order: "s.file, s.number" });
            continue;
        }
        if !own.is_empty() {
            let filled = format!("r.columns IN ({fills}) AND r.row_key IN ({})", rows(key, &inserted));
            let from = format!("({} UNION ALL {}) s", rows(whole, &inserted), rows(whole, &filled));
            all.push(Together { run, from, order: by_key });
        }
        let others = match (own.is_empty(), only) {
            (true, _) => String::new(),
            (false, None) => format!(" AND r.row_key NOT IN ({})", rows(key, &format!("r.columns IN ({own})"))),
            (false, Some(_)) => format!(" AND r.row_key NOT IN ({})", rows(key, &inserted)),
        };
        let from = format!("({}) s", rows(whole, &format!("r.columns IN ({fills}) AND {of_run}{others}")));
        all.push(Together { run, from, order: by_key });
    }
    all
}
