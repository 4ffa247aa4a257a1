//! What there is in a database besides rows: tables, indexes, views and triggers.

use crate::table::Schema;
use std::collections::BTreeMap;

/// Everything that migrations make.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    /// The tables.
    pub schema: Schema,
    /// The SQL that created each table, for display only.
    pub made: BTreeMap<String, String>,
    /// Indexes by name, but for those that a table's own constraints bring.
    pub indexes: BTreeMap<String, Index>,
    /// Views, triggers and virtual tables by name.
    pub others: BTreeMap<String, Other>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The table it is of.
    pub table: String,
    /// Its columns, with `DESC` or a collation where one is; the SQL text where it is over
    /// expressions or over some rows only.
    pub over: String,
    /// Whether it refuses a value twice.
    pub unique: bool,
    /// The SQL that makes it.
    pub sql: String,
}

impl Index {
    /// Whether another one does the same for the same table.
    pub fn same_as(&self, other: &Self) -> bool {
        (&self.table, &self.over, self.unique) == (&other.table, &other.over, other.unique)
    }
}

/// A view, a trigger or a virtual table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// `view`, `trigger` or `virtual table`.
    pub kind: &'static str,
    /// The table or view that a trigger is of; else its own name.
    pub table: String,
    /// The SQL that makes it.
    pub sql: String,
}

impl Other {
    /// Whether another one says the same.
    pub fn same_as(&self, other: &Self) -> bool {
        self.kind == other.kind && one_line(&self.sql) == one_line(&other.sql)
    }
}

/// SQL text without what does not change its meaning: blanks, and quotes around names. Texts keep
/// theirs.
fn one_line(sql: &str) -> String {
    let outside = |part: &str| {
        let plain: String = part.chars().filter(|c| !matches!(c, '"' | '`')).collect();
        let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        // A blank beside a text divides nothing.
        words.trim().to_owned()
    };
    let parts = sql.split('\'').enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { outside(part) } else { part.to_owned() }).collect::<Vec<_>>().join("'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_quotes_count_inside_strings_alone() {
        assert_eq!(one_line("SELECT  \"a\",\n 'b  \"c\"' FROM t"), one_line("SELECT a, 'b  \"c\"' FROM  t"));
        for other in ["SELECT 'a  b'", "SELECT 'a \"b'", "SELECT 'a ''b'"] {
            assert_ne!(one_line("SELECT 'a b'"), one_line(other), "{other}");
        }
    }
}
