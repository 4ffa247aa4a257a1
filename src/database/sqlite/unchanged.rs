//! Whether a row is as a run left it.

mod default;

use super::location::{Location, Tried};
use super::{form, read, sql, state};
use crate::database::ledger::{RunRecord, Written, digest, key_parts};
use crate::hex;
use crate::table::{ColumnType, Table};
use default::{GivenTime, is_default};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

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

/// Where the ledger's rows of a table are read, those of one row of it together: a query is made of it.
pub(super) struct Ledger<'l> {
    /// What stands behind FROM; `s` has the columns of `treelift_rows`.
    pub(super) from: &'l str,
    /// What finds their rows in the table `t`: [`by_key`], or a rowid.
    pub(super) joined: &'l str,
    /// The order.
    pub(super) order: &'l str,
}

/// A condition that finds the row of the table `t` which this expression says the key of, as the ledger writes it. A key
/// with a NULL, or of as many parts as the table's has not, finds none.
pub(super) fn by_key(table: &Table, said: &str) -> String {
    let key = table.primary_key();
    let terms = key.iter().enumerate().map(|(at, column)| {
        // Behind a `+` it is a value without a type, as a bound one is ("Datatypes In SQLite", 4.2).
        let part = if key.len() == 1 {
            format!("+{said}")
        } else {
            let many = key.len();
            format!("CASE WHEN json_valid({said}) AND json_array_length({said}) = {many} THEN {said} ->> {at} END")
        };
        let is_bytes = table.column(column).is_some_and(|column| column.kind == ColumnType::Blob);
        let part = if is_bytes { format!("unhex({part})") } else { part };
        format!("t.{} = {part}", sql::name(column))
    });
    terms.collect::<Vec<_>>().join(" AND ")
}

/// A part of a key, as the ledger writes it, for a column of this type.
pub(super) fn bound(part: Option<String>, kind: ColumnType) -> Value {
    match part {
        None => Value::Null,
        Some(part) => match hex::decode(&part).filter(|_| kind == ColumnType::Blob) {
            Some(bytes) => Value::Blob(bytes),
            None => Value::Text(part), // converted to what the column keeps ("Datatypes In SQLite", 4.2)
        },
    }
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
pub(super) fn columns(
    conn: &Connection,
    (number, table): (i64, &str),
    location: &Location,
) -> Tried<HashMap<i64, Written>> {
    let text = "SELECT id, digested, clock, sealed, filled FROM treelift_columns WHERE \"table\" = ?1";
    let rows: Vec<(i64, String, String, String, bool)> = sql::all(conn, text, [number])?;
    let list = |text: &str| {
        let what = format!("its columns of `{table}` are no list of names");
        serde_json::from_str(text).map_err(|_| state::damaged("treelift_columns", &what, location))
    };
    let mut all = HashMap::new();
    for (id, digested, clock, sealed, filled) in rows {
        let (digested, clock, sealed) = (list(&digested)?, list(&clock)?, list(&sealed)?);
        all.insert(id, Written { table: table.to_owned(), digested, clock, sealed, filled });
    }
    Ok(all)
}

/// A row as it is stored: the texts of its cells in one piece, and which of its columns hold their defaults.
#[derive(Default)]
struct Stored {
    text: String,
    cells: Vec<Option<Range<usize>>>,
    defaults: Vec<bool>,
}

impl Stored {
    /// Reads so many cells, and as many defaults behind them.
    fn read(&mut self, row: &Row<'_>, first: usize, many: usize) -> rusqlite::Result<()> {
        self.text.clear();
        self.cells.clear();
        self.defaults.clear();
        for at in first..first + many {
            let start = self.text.len();
            let is_null = !read::push_text(row.get_ref(at)?, &mut self.text);
            self.cells.push((!is_null).then_some(start..self.text.len()));
            self.defaults.push(row.get(at + many)?);
        }
        Ok(())
    }

    fn text(&self, at: usize) -> Option<&str> {
        self.cells[at].clone().map(|cell| &self.text[cell])
    }

    /// Whether these columns of the table hold what the digest is over, those of `as_null` taken for NULL; a time in
    /// whatever form.
    fn is_digest(&self, known: Option<&[u8]>, table: &Table, columns: &Digested, as_null: &BTreeSet<&str>) -> bool {
        if columns.iter().any(|(column, at)| at.is_none() && !as_null.contains(column.as_str())) {
            return false;
        }
        let kind = |at: usize| table.columns[at].kind;
        let is = |meant: bool| {
            let text = |at: usize| {
                let stored = self.text(at)?;
                Some(if meant { form::meant(stored, kind(at)) } else { Cow::Borrowed(stored) })
            };
            let texts = columns.iter().map(|(column, at)| {
                (column.as_str(), at.filter(|_| !as_null.contains(column.as_str())).and_then(text))
            });
            known == Some(&digest(texts)[..])
        };
        is(false) || (columns.iter().any(|(_, at)| at.is_some_and(|at| kind(at).is_time())) && is(true))
    }
}

/// What takes a row's key, what the ledger says of it, and what is to become of it.
type Take<'t> = dyn FnMut(&str, &[Noted], Disposition) -> Tried<()> + 't;

/// Checks rows of one table.
pub(super) struct Judge<'j> {
    table: &'j Table,
    /// The ledger's lists of columns by their number.
    lists: HashMap<i64, List>,
    /// For each column an expression for whether it holds its default; none for a default that gives another
    /// value each time.
    defaults: Vec<Option<String>>,
    /// For each column the time that a clock gave it where the run did not write it.
    given: Vec<Option<GivenTime>>,
}

impl<'j> Judge<'j> {
    /// A judge of rows of a table. Without the run, columns that it did not write may hold anything.
    pub(super) fn new(
        conn: &Connection,
        table: &'j Table,
        columns: &HashMap<i64, Written>,
        run: Option<&RunRecord>,
    ) -> Self {
        let is_default = |column| run.map_or_else(|| Some("1".to_owned()), |run| is_default(conn, column, run));
        let defaults = table.columns.iter().map(is_default).collect();
        let given = table.columns.iter().map(|column| GivenTime::of(column, run?)).collect();
        let lists = columns.iter().map(|(number, written)| (*number, List::of(written, table))).collect();
        Self { table, lists, defaults, given }
    }

    /// Tells for every row that the ledger has of the table what is to become of it.
    pub(super) fn each(&self, conn: &Connection, ledger: &Ledger<'_>, take: &mut Take<'_>) -> Tried<()> {
        let mut all = conn.prepare(&self.query(ledger))?;
        let mut rows = all.query([])?;
        let (mut key, mut noted) = (String::new(), Vec::new());
        let mut stored = Stored::default();
        let mut is_there = false;
        loop {
            let row = rows.next()?;
            let next = row.map_or(Ok(None), |row| row.get_ref(0).map(|key| Some(key.as_str().unwrap_or_default())))?;
            if !noted.is_empty() && next != Some(key.as_str()) {
                take(&key, &noted, self.fate(&key, &noted, is_there.then_some(&stored)))?;
                noted.clear();
            }
            let (Some(row), Some(next)) = (row, next) else { return Ok(()) };
            if noted.is_empty() {
                next.clone_into(&mut key);
                is_there = row.get(4)?;
                stored.read(row, 5, self.table.columns.len())?;
            }
            noted.push(Noted { columns: row.get(1)?, digest: row.get(2)?, own: row.get(3)? });
        }
    }

    /// Key, columns, digests, whether the row is there, its cells, and whether each holds its default.
    fn query(&self, ledger: &Ledger<'_>) -> String {
        let Ledger { from, joined, order } = ledger;
        let lists = || self.lists.values();
        let is_read = |at: usize| {
            let mut digested = lists().flat_map(|list| [&list.digested, &list.clock, &list.sealed]).flatten();
            digested.any(|(_, known)| *known == Some(at)) || self.given[at].is_some()
        };
        let named = self.table.columns.iter().enumerate();
        let cells = named.map(|(at, one)| if is_read(at) { of_table(&one.name) } else { "NULL".to_owned() });
        let holds = self.defaults.iter().enumerate().map(|(at, holds)| match holds {
            Some(holds) if lists().any(|list| list.left.contains(&at)) => format!("coalesce({holds}, 0)"),
            _ => "1".to_owned(),
        });
        let wanted: Vec<String> = cells.chain(holds).collect();
        let first = self.table.primary_key().first().map(|column| of_table(column)).unwrap_or_default();
        format!(
            "SELECT s.row_key, s.columns, s.digest, s.own, {first} IS NOT NULL, {}
             FROM {from} LEFT JOIN main.{} t ON {joined} ORDER BY {order}",
            wanted.join(", "),
            sql::name(&self.table.name)
        )
    }

    /// What is to become of a row of this key; none is stored where it is not there.
    fn fate(&self, key: &str, noted: &[Noted], stored: Option<&Stored>) -> Disposition {
        let parts = self.table.primary_key().len();
        if key.contains("null") && key_parts(key, parts).is_some_and(|parts| parts.contains(&None)) {
            return Disposition::Nameless;
        }
        stored.map_or(Disposition::Gone, |stored| self.left(noted, stored).unwrap_or(Disposition::Changed))
    }

    /// `None` where it is not as the run left it.
    fn left(&self, noted: &[Noted], stored: &Stored) -> Option<Disposition> {
        let known = noted.iter().map(|one| Some((one, self.lists.get(&one.columns)?)));
        let lists: Vec<(&Noted, &List)> = known.collect::<Option<_>>()?;
        let fills = lists.iter().filter(|(_, list)| list.filled);
        let filled: BTreeSet<&str> =
            fills.flat_map(|(_, list)| list.digested.iter().map(|(name, _)| name.as_str())).collect();
        let none = BTreeSet::new();
        let is = |digest: Option<&[u8]>, columns: &Digested, as_null: &BTreeSet<&str>| {
            stored.is_digest(digest, self.table, columns, as_null)
        };
        let is_filled_so = |(one, list): &(&Noted, &List)| is(one.digest.as_deref(), &list.digested, &none);
        if !lists.iter().filter(|(_, list)| list.filled).all(is_filled_so) {
            return None;
        }
        let Some((one, list)) = lists.iter().find(|(_, list)| !list.filled) else {
            return Some(Disposition::Empty);
        };
        let (clock, sealed) = match &one.own {
            Some(own) => own.split_at_checked(16).map(|(clock, sealed)| (Some(clock), Some(sealed)))?,
            None => (None, None),
        };
        let as_written = |digest: Option<&[u8]>, columns: &Digested| columns.is_empty() || is(digest, columns, &none);
        let is_filled = |at: usize| filled.contains(self.table.columns[at].name.as_str());
        let left = || list.left.iter().filter(|&&at| !is_filled(at));
        let is_given =
            |at: usize| stored.defaults[at] || self.given[at].as_ref().is_some_and(|given| given.is(stored.text(at)));
        // What was filled later was NULL when the row was inserted.
        if !is(one.digest.as_deref(), &list.digested, &filled)
            || !as_written(clock, &list.clock)
            || left().any(|&at| !is_given(at))
        {
            return None;
        }
        let judged = !left().any(|&at| self.defaults[at].is_none());
        Some(Disposition::Remove { sealed_alike: as_written(sealed, &list.sealed), judged })
    }
}

/// A column of the table that is judged.
fn of_table(column: &str) -> String {
    format!("t.{}", sql::name(column))
}

/// SQLite's names do not tell letters apart by their case.
fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
