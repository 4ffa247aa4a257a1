//! What the SQL of the live tables says and no pragma tells, read once for all of them: SQLite keeps no index
//! of its schema, so that to ask for each table takes the square of their number.

use rusqlite::{Connection, Row};
use std::collections::HashSet;

/// The tables of which something is declared, by their names in lower case.
#[derive(Debug, Default)]
pub(super) struct Declared {
    on_conflict: HashSet<String>,
    collated: HashSet<String>,
    with_triggers: HashSet<String>,
    raising: HashSet<String>,
    /// Whether a table of the database has an AUTOINCREMENT.
    pub(super) has_sequences: bool,
}

impl Declared {
    pub(super) fn read(conn: &Connection) -> rusqlite::Result<Self> {
        let mut declared = Self::default();
        let mut all = conn.prepare(
            "SELECT type, tbl_name, sql LIKE '%ON%CONFLICT%', sql LIKE '%COLLATE%', sql LIKE '%RAISE%'
             FROM sqlite_schema
             WHERE type IN ('table', 'trigger')",
        )?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            declared.add(row)?;
        }
        Ok(declared)
    }

    fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let table = row.get::<_, String>(1)?.to_ascii_lowercase();
        if row.get_ref(0)?.as_str()? == "trigger" {
            if row.get::<_, Option<bool>>(4)? == Some(true) {
                self.raising.insert(table.clone());
            }
            self.with_triggers.insert(table);
            return Ok(());
        }
        self.has_sequences |= table == "sqlite_sequence";
        if row.get::<_, Option<bool>>(2)? == Some(true) {
            self.on_conflict.insert(table.clone());
        }
        if row.get::<_, Option<bool>>(3)? == Some(true) {
            self.collated.insert(table);
        }
        Ok(())
    }

    /// The INSERT and UPDATE of a table begin so. Where its own constraints say what a conflict does
    /// (IGNORE and REPLACE lose rows), ABORT overrides that ("The ON CONFLICT Clause"); not where triggers
    /// are, whose statements it would override as well.
    pub(super) fn conflict_word(&self, table: &str) -> &'static str {
        let says = self.on_conflict.contains(&table.to_ascii_lowercase()) && !self.has_trigger(table);
        if says { " OR ABORT" } else { "" }
    }

    /// Whether a trigger is on the table.
    pub(super) fn has_trigger(&self, table: &str) -> bool {
        self.with_triggers.contains(&table.to_ascii_lowercase())
    }

    /// Whether a trigger on the table may raise an error.
    pub(super) fn may_raise(&self, table: &str) -> bool {
        self.raising.contains(&table.to_ascii_lowercase())
    }

    /// Whether a column of the table may compare its texts by another collation than BINARY.
    pub(super) fn is_collated(&self, table: &str) -> bool {
        self.collated.contains(&table.to_ascii_lowercase())
    }
}
