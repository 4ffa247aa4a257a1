//! Values whose form says less than the database does: they are counted, so that nobody takes them for another.

use crate::finding::printable;
use crate::report::words::count;
use std::collections::BTreeMap;

/// What is odd about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Bytes where the column has another type.
    Bytes,
    /// No JSON where the column has documents.
    NotJson,
}

/// How many odd values there are, by column.
#[derive(Debug, Default)]
pub(super) struct Odd(BTreeMap<(String, String, Kind), u64>);

impl Odd {
    pub(super) fn add(&mut self, table: &str, column: &str, kind: Kind) {
        *self.0.entry((table.to_owned(), column.to_owned(), kind)).or_default() += 1;
    }

    pub(super) fn words(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|((table, column, kind), values)| {
            let column = printable(&format!("{table}.{column}"));
            let (are, values) = (if *values == 1 { "is" } else { "are" }, count(*values, "value"));
            match kind {
                Kind::Bytes => format!("{values} of `{column}` {are} bytes, and written as base64"),
                Kind::NotJson => format!("{values} of `{column}` {are} not JSON, and written as a string"),
            }
        })
    }
}
