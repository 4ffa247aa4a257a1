//! The table of results: printed, written as JSON, compared with an earlier one.

use crate::Result;
use crate::series::Spread;
use comfy_table::{CellAlignment, Table, presets};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// One measured figure. The lower, the better.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    /// What `--only` calls it.
    pub(crate) name: String,
    /// What is measured.
    pub(crate) what: String,
    /// The median.
    pub(crate) value: f64,
    /// The least that a round gave.
    pub(crate) low: f64,
    /// The greatest that a round gave.
    pub(crate) high: f64,
    /// `x` for a ratio, `power` for an exponent, `MB`, `KB`.
    pub(crate) unit: String,
    /// What it must not exceed, if anything.
    pub(crate) must: Option<f64>,
    /// What it should not exceed.
    pub(crate) target: Option<f64>,
    /// The figures it was made of.
    pub(crate) from: String,
}

/// What a row is measured against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    pub(crate) must: Option<f64>,
    pub(crate) target: Option<f64>,
}

/// Nothing to be met.
pub(crate) const NO_GOAL: Goal = Goal { must: None, target: None };

/// What an exponent must not exceed, and should not.
pub(crate) const IN_PROPORTION: Goal = goal(1.05, 1.0);

/// What must not, and what should not be exceeded.
pub(crate) const fn goal(must: f64, target: f64) -> Goal {
    Goal { must: Some(must), target: Some(target) }
}

impl Row {
    pub(crate) fn new(name: &str, what: impl Into<String>, (value, unit): (Spread, &str), goal: Goal) -> Self {
        let Spread { value, low, high } = value;
        let Goal { must, target } = goal;
        let (name, what, unit) = (name.to_owned(), what.into(), unit.to_owned());
        Self { name, what, value, low, high, unit, must, target, from: String::new() }
    }

    pub(crate) fn from(self, from: impl Into<String>) -> Self {
        Self { from: from.into(), ..self }
    }

    /// Whether the goal is met, in a word.
    fn verdict(&self) -> &'static str {
        let within = |bound: Option<f64>| bound.is_some_and(|bound| self.value <= bound);
        match (self.must, within(self.target), within(self.must)) {
            (None, ..) => "",
            (_, true, _) => "target",
            (_, _, true) => "must",
            _ => "over",
        }
    }
}

/// Everything that one run measured.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    /// treelift's version.
    pub(crate) version: String,
    /// `quick` or `full`.
    pub(crate) size: String,
    /// How many processors there are.
    pub(crate) processors: usize,
    /// The load average of the minute before the start.
    pub(crate) load: Option<f64>,
    /// The rows.
    pub(crate) rows: Vec<Row>,
}

impl Results {
    /// The table for people.
    pub(crate) fn table(&self) -> String {
        let mut table = blank(&["row", "measured", "", "lowest", "highest", "must", "target", "", "from"]);
        for row in &self.rows {
            let bound = |bound: Option<f64>| bound.map_or(String::new(), figure);
            table.add_row([
                row.name.clone(),
                figure(row.value),
                row.unit.clone(),
                figure(row.low),
                figure(row.high),
                bound(row.must),
                bound(row.target),
                row.verdict().to_owned(),
                if row.from.is_empty() { row.what.clone() } else { format!("{}: {}", row.what, row.from) },
            ]);
        }
        aligned(table, &[1, 3, 4, 5, 6])
    }

    /// The rows that an earlier run has too, side by side.
    pub(crate) fn against(&self, earlier: &Results) -> String {
        let mut table = blank(&["row", "before", "after", "", "after / before"]);
        for row in &self.rows {
            let Some(before) = earlier.rows.iter().find(|before| before.name == row.name) else { continue };
            let ratio = if before.value > 0.0 { figure(row.value / before.value) } else { String::new() };
            let cells = [row.name.clone(), figure(before.value), figure(row.value), row.unit.clone(), ratio];
            table.add_row(cells);
        }
        let mut text = aligned(table, &[1, 2, 4]);
        if earlier.size != self.size {
            text += &format!("\nbefore is of size `{}`, after of size `{}`", earlier.size, self.size);
        }
        text
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(path, text + "\n").map_err(|error| format!("{}: {error}", path.display()).into())
    }

    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()).into())
    }
}

fn blank(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}

fn aligned(mut table: Table, numbers: &[usize]) -> String {
    for number in numbers {
        if let Some(column) = table.column_mut(*number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// Two digits behind the point, fewer for what is large.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Seconds, for the words of a row.
pub(crate) fn seconds(value: f64) -> String {
    format!("{} s", figure(value))
}
