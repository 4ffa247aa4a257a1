//! Whether a row is as a run left it.

use super::{read, sql};
use crate::database::Cell;
use crate::database::ledger::{RunRecord, Written, digest, key_parts};
use crate::table::{Column, Table};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::{BTreeSet, HashMap};

/// What is to become of a row when its run is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    /// It is not there any more.
    Gone,
    /// The run inserted it.
    Remove {
        /// Whether its sealed values are the tokens that the run wrote.
        sealed_alike: bool,
        /// Whether every column could be judged.
        judged: bool,
    },
    /// The run filled columns of it.
    Empty,
    /// It is not as the run left it.
    Changed,
    /// A part of its key is NULL, which several rows may share.
    Nameless,
}

/// What the ledger says of a row: the number of the columns, their digest, and that of the run's own.
pub(super) struct Noted {
    columns: i64,
    digest: Option<Vec<u8>>,
    own: Option<Vec<u8>>,
}

impl Noted {
    /// From `columns`, `digest` and `own`, in this order.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Self::read_from(row, 0)
    }

    /// As [`Noted::read`], from this column of the row on.
    pub(super) fn read_from(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self { columns: row.get(first)?, digest: row.get(first + 1)?, own: row.get(first + 2)? })
    }
}

/// Whether a row has the values that its run wrote, whatever became of its other columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// It has.
    Same,
    /// It has other values.
    Changed,
    /// It is not there any more.
    Gone,
}

/// Compares rows of one table with the ledger.
pub(super) struct Rows<'j> {
    table: &'j Table,
    columns: &'j HashMap<i64, Written>,
    select: String,
}

impl<'j> Rows<'j> {
    pub(super) fn new(table: &'j Table, columns: &'j HashMap<i64, Written>) -> Self {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let key = sql::is(&table.primary_key(), 1);
        let select = format!("SELECT {} FROM {} WHERE {key}", sql::names(&names), sql::name(&table.name));
        Self { table, columns, select }
    }

    /// Compares the row of a ledger's key. One whose key has a NULL cannot be found, and passes.
    pub(super) fn kept(&self, conn: &Connection, key: &str, noted: &[Noted]) -> rusqlite::Result<Kept> {
        let Some(parts) = key_parts(key, self.table.primary_key().len()) else { return Ok(Kept::Same) };
        if parts.contains(&None) {
            return Ok(Kept::Same);
        }
        let many = self.table.columns.len();
        let mut select = conn.prepare_cached(&self.select)?;
        let stored = select.query_row(rusqlite::params_from_iter(parts), |row| read::cells(row, 0..many)).optional()?;
        let Some(cells) = stored else { return Ok(Kept::Gone) };
        Ok(if self.is_kept(noted, &cells).is_some() { Kept::Same } else { Kept::Changed })
    }

    fn is_kept(&self, noted: &[Noted], cells: &[Cell]) -> Option<()> {
        let lists = noted.iter().map(|one| Some((one, self.columns.get(&one.columns)?))).collect::<Option<Vec<_>>>()?;
        let fills = lists.iter().filter(|(_, written)| written.filled);
        let filled: BTreeSet<&str> =
            fills.flat_map(|(_, written)| written.digested.iter().map(String::as_str)).collect();
        let none = BTreeSet::new();
        for (one, written) in lists {
            // What was filled later was NULL when the row was inserted.
            let as_null = if written.filled { &none } else { &filled };
            is_digest(self.table, one.digest.as_deref(), &written.digested, cells, as_null)?;
            let Some((clock, sealed)) = one.own.as_deref().and_then(|own| own.split_at_checked(16)) else { continue };
            for (digest, columns) in [(clock, &written.clock), (sealed, &written.sealed)] {
                if !columns.is_empty() {
                    is_digest(self.table, Some(digest), columns, cells, &none)?;
                }
            }
        }
        Some(())
    }
}

/// The lists of columns in which runs wrote rows of a table, by their number.
pub(super) fn columns(conn: &Connection, number: i64, table: &str) -> rusqlite::Result<HashMap<i64, Written>> {
    let list = |text: String| serde_json::from_str(&text).unwrap_or_default();
    conn.prepare("SELECT id, digested, clock, sealed, filled FROM treelift_columns WHERE \"table\" = ?1")?
        .query_map([number], |row| {
            let written = Written {
                table: table.to_owned(),
                digested: list(row.get(1)?),
                clock: list(row.get(2)?),
                sealed: list(row.get(3)?),
                filled: row.get(4)?,
            };
            Ok((row.get(0)?, written))
        })?
        .collect()
}

/// Checks rows of one table.
pub(super) struct Judge<'j> {
    table: &'j Table,
    /// The ledger's lists of columns by their number.
    columns: &'j HashMap<i64, Written>,
    /// Selects the cells of a row, and for each column whether it holds its default.
    select: String,
    /// For each column whether its default gives another value each time.
    changing: Vec<bool>,
}

impl<'j> Judge<'j> {
    pub(super) fn new(
        conn: &Connection,
        table: &'j Table,
        columns: &'j HashMap<i64, Written>,
        run: &RunRecord,
    ) -> Self {
        let names = table.columns.iter().map(|column| sql::name(&column.name));
        let defaults: Vec<Option<String>> = table.columns.iter().map(|column| is_default(conn, column, run)).collect();
        let changing = defaults.iter().map(Option::is_none).collect();
        let holds = defaults.iter().map(|holds| format!("coalesce({}, 0)", holds.as_deref().unwrap_or("1")));
        let wanted: Vec<String> = names.chain(holds).collect();
        let key = sql::is(&table.primary_key(), 1);
        let select = format!("SELECT {} FROM {} WHERE {key}", wanted.join(", "), sql::name(&table.name));
        Self { table, columns, select, changing }
    }

    /// Checks the row of a ledger's key.
    pub(super) fn row(&self, conn: &Connection, key: &str, noted: &[Noted]) -> rusqlite::Result<Disposition> {
        let Some(parts) = key_parts(key, self.table.primary_key().len()) else { return Ok(Disposition::Gone) };
        if parts.contains(&None) {
            return Ok(Disposition::Nameless);
        }
        let many = self.table.columns.len();
        let stored = conn.prepare_cached(&self.select)?.query_row(rusqlite::params_from_iter(parts), |row| {
            let defaults = (many..2 * many).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<bool>>>()?;
            Ok((read::cells(row, 0..many)?, defaults))
        });
        let Some((cells, defaults)) = stored.optional()? else { return Ok(Disposition::Gone) };
        Ok(self.fate(noted, &cells, &defaults).unwrap_or(Disposition::Changed))
    }

    /// `None` where it is not as the run left it.
    fn fate(&self, noted: &[Noted], cells: &[Cell], defaults: &[bool]) -> Option<Disposition> {
        let lists = noted.iter().map(|one| Some((one, self.columns.get(&one.columns)?))).collect::<Option<Vec<_>>>()?;
        let fills = lists.iter().filter(|(_, written)| written.filled);
        let filled: BTreeSet<&str> =
            fills.clone().flat_map(|(_, written)| written.digested.iter().map(String::as_str)).collect();
        for (one, written) in fills {
            self.is_digest(one.digest.as_deref(), &written.digested, cells, &BTreeSet::new())?;
        }
        let Some((one, written)) = lists.iter().find(|(_, written)| !written.filled) else {
            return Some(Disposition::Empty);
        };
        // What was filled later was NULL when the row was inserted.
        self.is_digest(one.digest.as_deref(), &written.digested, cells, &filled)?;
        let (clock, sealed) = match &one.own {
            Some(own) => own.split_at_checked(16).map(|(clock, sealed)| (Some(clock), Some(sealed)))?,
            None => (None, None),
        };
        let as_written = |digest: Option<&[u8]>, columns: &[String]| {
            columns.is_empty() || self.is_digest(digest, columns, cells, &BTreeSet::new()).is_some()
        };
        let untouched = |column: &Column| {
            let lists = [&written.digested, &written.clock, &written.sealed];
            column.primary_key == 0
                && !filled.contains(column.name.as_str())
                && !lists.iter().any(|list| list.iter().any(|name| same_name(name, &column.name)))
        };
        let left =
            || self.table.columns.iter().zip(defaults).zip(&self.changing).filter(|((one, _), _)| untouched(one));
        if !as_written(clock, &written.clock) || left().any(|((_, is_default), _)| !is_default) {
            return None;
        }
        let judged = !left().any(|(_, changing)| *changing);
        Some(Disposition::Remove { sealed_alike: as_written(sealed, &written.sealed), judged })
    }

    /// Whether these columns hold what the digest is over, those of `as_null` taken for NULL.
    fn is_digest(
        &self,
        known: Option<&[u8]>,
        columns: &[String],
        cells: &[Cell],
        as_null: &BTreeSet<&str>,
    ) -> Option<()> {
        is_digest(self.table, known, columns, cells, as_null)
    }
}

/// Whether these columns hold what the digest is over, those of `as_null` taken for NULL.
fn is_digest(
    table: &Table,
    known: Option<&[u8]>,
    columns: &[String],
    cells: &[Cell],
    as_null: &BTreeSet<&str>,
) -> Option<()> {
    let text = |column: &str| {
        if as_null.contains(column) {
            Some(None)
        } else {
            let at = table.columns.iter().position(|known| same_name(&known.name, column))?;
            Some(cells[at].text())
        }
    };
    let texts = columns.iter().map(|column| Some((column.as_str(), text(column)?))).collect::<Option<Vec<_>>>()?;
    (known == Some(&digest(texts.into_iter())[..])).then_some(())
}

/// SQLite's names do not tell letters apart by their case.
fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// An SQL expression for whether a column that a run did not write holds what the database gave it;
/// none for a default that gives another value each time, whose value cannot be checked.
fn is_default(conn: &Connection, column: &Column, run: &RunRecord) -> Option<String> {
    let name = sql::name(&column.name);
    let Some(default) = &column.default else { return Some(format!("{name} IS NULL")) };
    // What is quoted like a name means a text here ("Double-quoted String Literals Are Accepted").
    let default = match default.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(text) => format!("'{}'", text.replace("\"\"", "\"").replace('\'', "''")),
        None => default.clone(),
    };
    let between = |form: &str| {
        let text = |time: Timestamp| time.strftime(form).to_string();
        format!("{name} BETWEEN '{}' AND '{}'", text(run.started), text(run.finished))
    };
    let plain: String = default.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    let plain = std::iter::successors(Some(plain.as_str()), |text| text.strip_prefix('(')?.strip_suffix(')')).last();
    Some(match plain.unwrap_or_default() {
        "current_timestamp" | "datetime('now')" | "datetime()" => between("%Y-%m-%d %H:%M:%S"),
        "current_date" | "date('now')" | "date()" => between("%Y-%m-%d"),
        plain if changes(plain) => return None,
        // One that cannot be asked for here is taken for changed, so that nothing is lost by it.
        _ if conn.prepare(&format!("SELECT ({default})")).is_err() => "0".to_owned(),
        // `IS TRUE` would ask for something else; behind a `+` it is a value.
        _ => format!("{name} IS (+({default})) COLLATE BINARY"),
    })
}

/// Whether an expression (small letters, no blanks) gives another value each time. What stands in
/// quotes is a text, but for the `now` that functions of time take.
fn changes(plain: &str) -> bool {
    let outside: String = plain.split('\'').step_by(2).collect();
    let words = ["current_", "random", "time(", "date(", "unixepoch(", "julianday(", "changes(", "last_insert_rowid("];
    words.iter().any(|word| outside.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::undo::tests::run;

    #[test]
    fn a_column_that_holds_its_default_is_recognised() {
        let conn = Connection::open_in_memory().unwrap();
        let defaults = [
            "NULL",
            "'unknown'",
            "'date(time('",
            "TRUE",
            "FALSE",
            "5",
            "-1.5",
            "'new'",
            "'it''s'",
            "\"new\"",
            "x'00'",
            "(1 = 2)",
            "(json('[]'))",
            "(lower('X'))",
            "(( 'q' ))",
            "CURRENT_TIMESTAMP",
            "(datetime('now'))",
            "CURRENT_DATE",
        ];
        let kinds = ["TEXT COLLATE NOCASE", "INTEGER", "BOOLEAN", "", "DATETIME"];
        for (default, kind) in defaults.iter().flat_map(|default| kinds.map(|kind| (*default, kind))) {
            let table =
                format!("DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, c {kind} DEFAULT {default})");
            conn.execute_batch(&format!("{table}; INSERT INTO t (id) VALUES (1)")).unwrap();
            let told: String = conn
                .query_row("SELECT dflt_value FROM pragma_table_info('t') WHERE name = 'c'", [], |row| row.get(0))
                .unwrap();
            let column = Column {
                name: "c".to_owned(),
                kind: crate::table::ColumnType::Blob,
                declared: String::new(),
                not_null: false,
                default: Some(told),
                primary_key: 0,
            };
            let now = Timestamp::now();
            let about =
                RunRecord { started: now - jiff::Span::new().minutes(1), finished: now, ..run("r", "import", None) };
            let holds = || -> bool {
                let text = format!("SELECT coalesce({}, 0) FROM t", is_default(&conn, &column, &about).unwrap());
                conn.query_row(&text, [], |row| row.get(0)).unwrap()
            };
            assert!(holds(), "{kind} {default}");
            for other in ["'NEW'", "7", "'2001-01-01 00:00:00'"] {
                conn.execute_batch(&format!("UPDATE t SET c = {other}")).unwrap();
                assert!(!holds(), "{kind} {default}: {other}");
            }
        }
    }
}
