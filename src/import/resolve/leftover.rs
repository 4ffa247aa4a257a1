//! Rows that an earlier run wrote from a file, and that the file gives no more.

use super::Resolver;
use crate::error::Result;
use crate::finding::{Finding, ROW_DIFFERS};
use crate::import::context::Context;
use crate::import::files::file_id;
use crate::mapping::model::OnExisting;
use crate::report::words;

impl Resolver<'_> {
    /// Reports the rows without a key that an earlier run wrote from a file, and that it gives no more: a
    /// changed record gives a new row, and the old one would stay beside it.
    pub(crate) fn report_left_over(&mut self, cx: &mut Context<'_>, file: usize) -> Result<()> {
        if cx.writer.is_verifying() {
            self.note_left(cx, file)?;
            self.end_earlier_rows(file_id(file));
            return Ok(());
        }
        let plan = self.plan;
        if plan.taken.part_of(file).is_some() {
            return Ok(()); // the records that it still gives are not read
        }
        let rules = &plan.rules[cx.mapping];
        let (mut done, mut told): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for rule in rules {
            let table = rule.table.name.as_str();
            // Rows of a table that is fed by key as well are found by their key.
            let keyless = rules
                .iter()
                .filter(|other| other.table.name == table)
                .all(|other| other.is_known_by_ledger(&self.plan.set));
            if done.contains(&table) || !keyless || cx.writer.rows_before(table) == 0 {
                continue; // reported already, reported by its key, or nothing was there
            }
            done.push(table);
            let left = self.earlier_rows_left(cx, file_id(file), table)?;
            // Where rows may differ, what a changed record left behind is listed with all that is gone.
            if left > 0 && self.on_existing(rule) == OnExisting::Refuse {
                self.leaves_rows = true;
                told.push(table);
                let message = format!(
                    "{} of `{table}` that an earlier run wrote from this file {} not given by it any more",
                    words::count(left, "row"),
                    if left == 1 { "is" } else { "are" }
                );
                cx.findings.push(
                    Finding::new(&ROW_DIFFERS, message).at(plan.tree.files[file].place(0)).about(rule.name.clone()),
                );
            }
        }
        self.miss_rows(cx, file, &told)?;
        self.end_earlier_rows(file_id(file));
        Ok(())
    }
}
