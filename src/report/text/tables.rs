//! What was read and what was written, in columns.

use super::super::words::{bytes, count, thousands};
use super::super::{FileStatus, Outcome, Report, TableReport};
use super::layout::{line, more, table};

/// So many tables are on the screen; the rest is counted.
pub(super) const MOST_TABLES: usize = 40;

/// The files by their status.
pub(super) fn files(report: &Report, width: u16) -> String {
    let as_in = report.as_in.as_ref().map_or_else(String::new, |as_in| {
        let (read, warnings) = (count(as_in.files_read, "file"), count(as_in.warnings, "warning"));
        let all = if as_in.files_read == 0 { "all" } else { "the others" };
        line("read", &format!("{read}: {all} are as run {} read them, which had {warnings}", as_in.run), width)
    });
    let statuses =
        [FileStatus::Imported, FileStatus::Ignored, FileStatus::Unmapped, FileStatus::Rejected, FileStatus::Unread];
    let mut sums = [(0_u64, 0_u64, 0_u64); 5];
    for (status, bytes, counts) in report.files.sizes() {
        let (number, records, size) = &mut sums[status as usize];
        (*number, *records, *size) = (*number + 1, *records + counts.records, *size + bytes);
    }
    let rows = statuses.into_iter().filter_map(|status| {
        let (number, records, size) = sums[status as usize];
        (number > 0).then(|| vec![status_word(status).to_owned(), thousands(number), thousands(records), bytes(size)])
    });
    as_in + &table(&["files", "number", "records", "size"], rows, width)
}

fn status_word(status: FileStatus) -> &'static str {
    match status {
        FileStatus::Imported => "imported",
        FileStatus::Ignored => "ignored",
        FileStatus::Unmapped => "unmapped",
        FileStatus::Rejected => "rejected",
        FileStatus::Unread => "not read",
    }
}

/// What is counted of a table, and whether it is shown where it is 0 everywhere.
const COUNTS: [(&str, Count, bool); 6] = [
    ("inserted", |table| table.inserted, true),
    ("updated", |table| table.updated, true),
    ("unchanged", |table| table.unchanged, true),
    ("rejected", |table| table.rejected, true),
    // Few runs have any.
    ("kept", |table| table.kept, false),
    ("gone", |table| table.gone, false),
];

type Count = fn(&TableReport) -> u64;

/// The tables, those first of which rows were rejected. Where there is too little width for all counts, those that are
/// 0 everywhere are left out.
pub(super) fn tables(report: &Report, most: usize, width: u16) -> String {
    let shown = if report.tables.len() > most { most - 1 } else { most };
    let mut all: Vec<_> = report.tables.iter().collect();
    all.sort_by_key(|table| table.rejected == 0);
    let is_any = |count: Count| all.iter().any(|table| count(table) > 0);
    let mut counts: Vec<(&str, Count)> = COUNTS
        .into_iter()
        .filter(|(_, count, always)| *always || is_any(*count))
        .map(|(name, count, _)| (name, count))
        .collect();
    let longest = all.iter().map(|table| table.name.chars().count()).max().unwrap_or(0);
    let needed: usize = counts.iter().map(|(name, _)| name.len() + 2).sum();
    if longest + needed > usize::from(width) {
        counts.retain(|(name, count)| *name == "inserted" || is_any(*count));
    }
    let name = if report.outcome == Outcome::Committed { "table" } else { "table (nothing written)" };
    let header: Vec<&str> = std::iter::once(name).chain(counts.iter().map(|(name, _)| *name)).collect();
    let rows = all.iter().take(shown).map(|table| {
        let numbers = counts.iter().map(|(_, count)| thousands(count(table)));
        std::iter::once(table.name.clone()).chain(numbers).collect()
    });
    let mut text = table(&header, rows, width);
    more(&mut text, report.tables.len().saturating_sub(shown), "table", "");
    text
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    #[test]
    fn counts_that_are_0_everywhere_give_way_where_it_is_narrow() {
        let mut report = sample::committed();
        "a_table_with_a_rather_long_name".clone_into(&mut report.tables[0].name);
        let first = |report: &Report, width| tables(report, MOST_TABLES, width).lines().next().map(str::to_owned);
        let header = "table                            inserted";
        assert_eq!(first(&report, 60).as_deref(), Some(header));
        assert_eq!(first(&report, 80), Some(format!("{header}  updated  unchanged  rejected")));
        report.tables[1].rejected = 1;
        assert_eq!(first(&report, 60), Some(format!("{header}  rejected")));
    }
}
