//! Whether a row is as a run left it.

use super::location::Tried;
use super::{read, sql};
use crate::database::Cell;
use crate::database::ledger::{RunRecord, Written, digest, key_parts};
use crate::table::{Column, Table};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Statement};
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
    pub(super) columns: i64,
    digest: Option<Vec<u8>>,
    own: Option<Vec<u8>>,
}

/// Hands over what the ledger says of each row of a table; the query gives the key and what [`Noted`] has, in
/// the order of the keys.
pub(super) fn each_row(
    conn: &Connection,
    query: &str,
    table: i64,
    take: &mut dyn FnMut(&str, &[Noted]) -> Tried<()>,
) -> Tried<()> {
    let mut all = conn.prepare(query)?;
    let mut rows = all.query([table])?;
    let (mut key, mut noted) = (String::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let next = row.get_ref(0)?.as_str().unwrap_or_default();
        if next != key && !noted.is_empty() {
            take(&key, &noted)?;
            noted.clear();
        }
        if noted.is_empty() {
            next.clone_into(&mut key);
        }
        noted.push(Noted { columns: row.get(1)?, digest: row.get(2)?, own: row.get(3)? });
    }
    if noted.is_empty() { Ok(()) } else { take(&key, &noted) }
}

/// Columns of a digest, and where they stand in the table; `None` for one that is there no more.
type Digested = Vec<(String, Option<usize>)>;

/// A list of columns as they are looked up in a row of the live table.
struct List {
    digested: Digested,
    clock: Digested,
    sealed: Digested,
    filled: bool,
    /// The columns outside the key that an insert of the list leaves to their defaults.
    left: Vec<usize>,
}

impl List {
    fn of(written: &Written, table: &Table) -> Self {
        let at = |name: &String| table.columns.iter().position(|known| same_name(&known.name, name));
        let placed = |names: &[String]| names.iter().map(|name| (name.clone(), at(name))).collect::<Digested>();
        let (digested, clock, sealed) = (placed(&written.digested), placed(&written.clock), placed(&written.sealed));
        let is_written = |column: usize| {
            [&digested, &clock, &sealed].iter().any(|list| list.iter().any(|(_, at)| *at == Some(column)))
        };
        let left =
            (0..table.columns.len()).filter(|&at| table.columns[at].primary_key == 0 && !is_written(at)).collect();
        Self { digested, clock, sealed, filled: written.filled, left }
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
    lists: HashMap<i64, List>,
    /// Selects a row's rowid and cells, and for each column whether it holds its default.
    select: Statement<'j>,
    /// For each column whether its default gives another value each time.
    changing: Vec<bool>,
}

impl<'j> Judge<'j> {
    /// A judge of rows of a table whose rowid has this name, if it has one. Without the run, columns that it
    /// did not write may hold anything.
    pub(super) fn new(
        conn: &'j Connection,
        (table, rowid): (&'j Table, Option<&str>),
        columns: &HashMap<i64, Written>,
        run: Option<&RunRecord>,
    ) -> rusqlite::Result<Self> {
        let names = table.columns.iter().map(|column| sql::name(&column.name));
        let is_default = |column| run.map_or_else(|| Some("1".to_owned()), |run| is_default(conn, column, run));
        let defaults: Vec<Option<String>> = table.columns.iter().map(is_default).collect();
        let changing = defaults.iter().map(Option::is_none).collect();
        let holds = defaults.iter().map(|holds| format!("coalesce({}, 0)", holds.as_deref().unwrap_or("1")));
        let wanted: Vec<String> = names.chain(holds).collect();
        let (rowid, key) = (rowid.unwrap_or("NULL"), sql::is(&table.primary_key(), 1));
        let text = format!("SELECT {rowid}, {} FROM {} WHERE {key}", wanted.join(", "), sql::name(&table.name));
        let lists = columns.iter().map(|(number, written)| (*number, List::of(written, table))).collect();
        Ok(Self { table, lists, select: conn.prepare(&text)?, changing })
    }

    /// Checks the row of a ledger's key, and gives its rowid.
    pub(super) fn row(&mut self, key: &str, noted: &[Noted]) -> rusqlite::Result<(Disposition, Option<i64>)> {
        let Some(parts) = key_parts(key, self.table.primary_key().len()) else { return Ok((Disposition::Gone, None)) };
        if parts.contains(&None) {
            return Ok((Disposition::Nameless, None));
        }
        let many = self.table.columns.len();
        let stored = self.select.query_row(rusqlite::params_from_iter(parts), |row| {
            let defaults = (many..2 * many).map(|at| row.get(1 + at)).collect::<rusqlite::Result<Vec<bool>>>()?;
            Ok((row.get(0)?, read::cells(row, 1..1 + many)?, defaults))
        });
        let Some((rowid, cells, defaults)) = stored.optional()? else { return Ok((Disposition::Gone, None)) };
        Ok((self.fate(noted, &cells, &defaults).unwrap_or(Disposition::Changed), rowid))
    }

    /// `None` where it is not as the run left it.
    fn fate(&self, noted: &[Noted], cells: &[Cell], defaults: &[bool]) -> Option<Disposition> {
        let known = noted.iter().map(|one| Some((one, self.lists.get(&one.columns)?)));
        let lists: Vec<(&Noted, &List)> = known.collect::<Option<_>>()?;
        let fills = lists.iter().filter(|(_, list)| list.filled);
        let filled = fills.flat_map(|(_, list)| list.digested.iter().map(|(name, _)| name.as_str())).collect();
        let none = BTreeSet::new();
        for (one, list) in lists.iter().filter(|(_, list)| list.filled) {
            is_digest(one.digest.as_deref(), &list.digested, cells, &none)?;
        }
        let Some((one, list)) = lists.iter().find(|(_, list)| !list.filled) else {
            return Some(Disposition::Empty);
        };
        // What was filled later was NULL when the row was inserted.
        is_digest(one.digest.as_deref(), &list.digested, cells, &filled)?;
        let (clock, sealed) = match &one.own {
            Some(own) => own.split_at_checked(16).map(|(clock, sealed)| (Some(clock), Some(sealed)))?,
            None => (None, None),
        };
        let as_written = |digest: Option<&[u8]>, columns: &Digested| {
            columns.is_empty() || is_digest(digest, columns, cells, &none).is_some()
        };
        let is_filled = |at: usize| filled.contains(self.table.columns[at].name.as_str());
        let left = || list.left.iter().filter(|&&at| !is_filled(at));
        if !as_written(clock, &list.clock) || left().any(|&at| !defaults[at]) {
            return None;
        }
        let judged = !left().any(|&at| self.changing[at]);
        Some(Disposition::Remove { sealed_alike: as_written(sealed, &list.sealed), judged })
    }
}

/// Whether these columns hold what the digest is over, those of `as_null` taken for NULL.
fn is_digest(known: Option<&[u8]>, columns: &Digested, cells: &[Cell], as_null: &BTreeSet<&str>) -> Option<()> {
    let mut texts = Vec::with_capacity(columns.len());
    for (column, at) in columns {
        let text = if as_null.contains(column.as_str()) { None } else { cells[(*at)?].text() };
        texts.push((column.as_str(), text));
    }
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
