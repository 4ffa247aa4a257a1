//! How much of a report is shown, and how wide.

use super::super::words::{count, wrap};
use super::super::{Report, table as columns};
use crate::finding::{Severity, printable};
use std::fmt::Write;

/// How much of the report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Errors and the verdict (`-q`).
    Brief,
    /// Every error, and of everything else what one should look at.
    #[default]
    Screen,
    /// Everything that is shown at all, however long (`-v`).
    All,
}

/// How much of the report is shown, and in how many columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How much.
    pub detail: Detail,
    /// The columns of the terminal.
    pub width: u16,
}

/// A table whose first column alone is text; nothing where it has no row.
pub(super) fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>, width: u16) -> String {
    let mut rows = rows.peekable();
    if rows.peek().is_none() { String::new() } else { columns::table(header, rows, 1, Some(width)) }
}

/// Says how many more things there are.
pub(super) fn more(text: &mut String, number: usize, thing: &str, indent: &str) {
    if number > 0 {
        let _ = writeln!(text, "{indent}+ {} in the report", count(number as u64, &format!("more {thing}")));
    }
}

/// The reasons against the run, with a comma at the end: `3 errors and 1 failed check, `.
pub(super) fn against(report: &Report) -> String {
    let (errors, checks) = (report.found(Severity::Error), report.failed_checks());
    let reasons = match (errors, checks) {
        (0, 0) => return String::new(),
        (_, 0) => count(errors, "error"),
        (0, _) => count(checks, "failed check"),
        _ => format!("{} and {}", count(errors, "error"), count(checks, "failed check")),
    };
    format!("{reasons}, ")
}
/// The indentation of the text after the word that begins a section.
pub(super) const MARGIN: usize = 9;

/// A line with the word that begins a section; longer words go on below it.
pub(super) fn line(name: &str, words: &str, width: u16) -> String {
    let text = format!("{name:MARGIN$}{}", printable(words));
    format!("{}\n", wrap(&text, usize::from(width), MARGIN))
}

/// The columns where there is no terminal.
pub const WIDTH: u16 = 80;
