//! How SQLite looks for a row by its key, and what that costs; and where no index leads to the key, or only with
//! many other rows, one pass over the table, which remembers where each row stands.
//!
//! Rows of a second import are looked for by the chunk; a pass for each of them would take the square
//! of the table's size.

use super::declared::Declared;
use super::form::Form;
use super::read::{self, cells, digest_of_cells, digest_of_forms};
use super::sql;
use crate::database::Cell;
use crate::table::ColumnType;
use rusqlite::{Connection, OptionalExtension, Statement, StatementStatus};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// So many steps of SQLite's program a search may take for each key,
const STEPS_PER_KEY: u64 = 256;
/// and so many for each row of the table, all searches together: about those of one pass over it.
const STEPS_PER_ROW: u64 = 16;

/// The way to the rows with a key, as SQLite plans it: nothing alters a table once rows are written.
#[derive(Debug)]
pub(super) struct Way {
    /// Whether an index leads to the key, or to a part of it.
    pub(super) is_search: bool,
    /// The index, where it leads to a part of the key alone and can be gone through from end to end.
    part: Option<String>,
    /// Whether it was asked for before.
    is_known: bool,
    keys: u64,
    steps: u64,
}

impl Way {
    /// The way of a statement that asks for one key, whose columns are of these types.
    pub(super) fn of(
        conn: &Connection,
        (table, declared): (&str, &Declared),
        statement: &str,
        kinds: &[ColumnType],
    ) -> rusqlite::Result<Self> {
        let plan = plan(conn, statement)?.unwrap_or_default();
        // A time may be stored in another form of the same meaning, which only a pass can find.
        let is_search = plan.starts_with("SEARCH") && !kinds.iter().any(|kind| kind.is_time());
        let part = match index_of_a_part(&plan, kinds.len()) {
            Some(index)
                if is_search && is_compared_alike((table, declared), kinds) && is_whole(conn, table, index)? =>
            {
                Some(index.to_owned())
            }
            _ => None,
        };
        Ok(Self { is_search, part, is_known: false, keys: 0, steps: 0 })
    }

    /// Notes that it is asked for; whether it was before.
    pub(super) fn ask_again(&mut self) -> bool {
        std::mem::replace(&mut self.is_known, true)
    }

    /// Notes what a search for so many keys cost.
    pub(super) fn searched(&mut self, keys: usize, steps: u64) {
        self.keys += keys as u64;
        self.steps += steps;
    }

    /// The index that was searched at more cost than a pass over the table has: many rows share the part of
    /// the key that it leads to.
    pub(super) fn too_costly(&self, rows: u64) -> Option<&str> {
        let most = STEPS_PER_KEY.saturating_mul(self.keys).saturating_add(STEPS_PER_ROW.saturating_mul(rows));
        self.part.as_deref().filter(|_| self.steps > most)
    }
}

/// How many steps of SQLite's program a statement took since this was asked.
pub(super) fn steps(statement: &Statement<'_>) -> u64 {
    u64::from(statement.reset_status(StatementStatus::VmStep).unsigned_abs())
}

/// What SQLite says of its plan for a statement on one table ("EXPLAIN QUERY PLAN").
fn plan(conn: &Connection, statement: &str) -> rusqlite::Result<Option<String>> {
    let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {statement}"))?;
    let mut rows = plan.raw_query();
    rows.next()?.map(|row| row.get(3)).transpose()
}

/// The index of a plan such as `SEARCH t USING INDEX i (a=? AND b=?)` that binds fewer columns than these.
fn index_of_a_part(plan: &str, columns: usize) -> Option<&str> {
    let (way, bound) = plan.rsplit_once(" (")?;
    let (_, index) = way.rsplit_once(" INDEX ")?;
    (bound.matches("=?").count() < columns).then_some(index)
}

/// Whether the key's cells equal what is sought where their bytes do: no collation is declared, and no
/// number is written as a text.
pub(super) fn is_compared_alike((table, declared): (&str, &Declared), kinds: &[ColumnType]) -> bool {
    let plain = [ColumnType::Integer, ColumnType::Flag, ColumnType::Boolean, ColumnType::Real];
    let is_plain = |kind: &ColumnType| plain.contains(kind) || matches!(kind, ColumnType::Text { .. });
    kinds.iter().all(is_plain) && !declared.is_collated(table)
}

/// Whether an index of the table has all of its rows, in order, and can be gone through by its name.
fn is_whole(conn: &Connection, table: &str, index: &str) -> rusqlite::Result<bool> {
    let text = "SELECT 1 FROM pragma_index_list(?1) WHERE name = ?2 AND NOT partial";
    Ok(conn.prepare_cached(text)?.exists([table, index])?
        && conn.prepare(&format!("SELECT 1 FROM {} INDEXED BY {}", sql::name(table), sql::name(index))).is_ok())
}

/// A row's cells, where there is such a row.
type Found = Option<Vec<Cell>>;

/// The passes that were made, by table and key columns.
#[derive(Default)]
pub(super) struct Passes {
    passes: Vec<Pass>,
}

struct Pass {
    table: String,
    key_columns: Vec<String>,
    rowid: &'static str,
    /// The rowid by a digest of the key, since the keys themselves may be long.
    rows: HashMap<[u8; 16], i64>,
    /// The keys that several rows have.
    repeated: HashSet<[u8; 16]>,
}

impl Passes {
    /// The `wanted` cells of the rows with these keys; `None` for a table without rowids. Its rows are gone
    /// through by the index, where one is given.
    pub(super) fn find(
        &mut self,
        conn: &Connection,
        (table, index): (&str, Option<&str>),
        (key_columns, kinds): (&[&str], &[ColumnType]),
        wanted: &[&str],
        keys: &[Option<Vec<Form<'_>>>],
    ) -> rusqlite::Result<Option<Vec<Found>>> {
        let Some(pass) = self.over(conn, (table, index), (key_columns, kinds))? else { return Ok(None) };
        let text = format!("SELECT {} FROM {} WHERE {} = ?1", sql::names(wanted), sql::name(table), pass.rowid);
        let mut statement = conn.prepare_cached(&text)?;
        let mut find = |key: &Option<Vec<Form<'_>>>| {
            let row = key.as_ref().and_then(|key| pass.rows.get(&digest_of_forms(key)));
            row.map_or(Ok(None), |row| statement.query_row([row], |row| cells(row, 0..wanted.len())).optional())
        };
        keys.iter().map(&mut find).collect::<rusqlite::Result<_>>().map(Some)
    }

    /// The rowid, by its name, of the one row with a key; `None` where there is none, or several.
    pub(super) fn only(
        &mut self,
        conn: &Connection,
        of: (&str, Option<&str>),
        by: (&[&str], &[ColumnType]),
        key: &[Form<'_>],
    ) -> rusqlite::Result<Option<(&'static str, i64)>> {
        let Some(pass) = self.over(conn, of, by)? else { return Ok(None) };
        let key = digest_of_forms(key);
        Ok(pass.rows.get(&key).filter(|_| !pass.repeated.contains(&key)).map(|row| (pass.rowid, *row)))
    }

    /// The pass over a table by these columns, made where it is not known.
    fn over(
        &mut self,
        conn: &Connection,
        (table, index): (&str, Option<&str>),
        (key_columns, kinds): (&[&str], &[ColumnType]),
    ) -> rusqlite::Result<Option<&Pass>> {
        let known = self.passes.iter().position(|pass| pass.table == table && pass.key_columns == key_columns);
        if let Some(at) = known {
            return Ok(self.passes.get(at));
        }
        let Some(rowid) = read::rowid(conn, table)? else { return Ok(None) };
        let names = key_columns.iter().map(|&name| name.to_owned()).collect();
        let (rows, repeated) = Default::default();
        let mut pass = Pass { table: table.to_owned(), key_columns: names, rowid, rows, repeated };
        // Of rows with the same key the first is found, as a search of the index would find it.
        let by = index.map_or(String::new(), |index| format!(" INDEXED BY {}", sql::name(index)));
        let text = format!("SELECT {}, {rowid} FROM {}{by}", sql::names(key_columns), sql::name(table));
        let mut statement = conn.prepare_cached(&text)?;
        let mut all = statement.query([])?;
        while let Some(row) = all.next()? {
            let key = cells(row, 0..key_columns.len())?;
            pass.add(digest_of_cells(&key, kinds), row.get(key_columns.len())?);
        }
        self.passes.push(pass);
        Ok(self.passes.last())
    }

    /// Whether none was made yet.
    pub(super) fn is_empty(&self) -> bool {
        self.passes.is_empty()
    }

    /// Takes in a row that was inserted.
    pub(super) fn inserted(&mut self, table: &str, columns: &[String], forms: &[Form<'_>], rowid: i64) {
        self.passes.retain_mut(|pass| {
            if pass.table != table {
                return true;
            }
            let part = |name: &String| columns.iter().position(|column| column == name).map(|at| &forms[at]);
            // A column that the database fills is not known here: the next question makes a new pass.
            let Some(key) = pass.key_columns.iter().map(part).collect::<Option<Vec<_>>>() else { return false };
            pass.add(digest_of_forms(key), rowid);
            true
        });
    }

    /// Forgets what is known of a table by these columns, which change in some row.
    pub(super) fn forget(&mut self, table: &str, columns: &[String]) {
        self.passes.retain(|pass| pass.table != table || !pass.key_columns.iter().any(|name| columns.contains(name)));
    }
}

impl Pass {
    /// Of rows with the same key the first is found.
    fn add(&mut self, key: [u8; 16], rowid: i64) {
        match self.rows.entry(key) {
            Entry::Vacant(new) => drop(new.insert(rowid)),
            Entry::Occupied(_) => drop(self.repeated.insert(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_tells_whether_it_binds_the_whole_key() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE a (id INTEGER PRIMARY KEY, owner TEXT, name TEXT, n INT);
             CREATE INDEX a_owner ON a (owner, n); CREATE UNIQUE INDEX a_whole ON a (n, name);
             CREATE TABLE b (owner TEXT COLLATE NOCASE, name TEXT); CREATE INDEX b_owner ON b (owner);
             CREATE TABLE c (owner TEXT, name TEXT); CREATE INDEX c_owner ON c (owner) WHERE owner IS NOT NULL;",
        )
        .unwrap();
        let text = ColumnType::Text { max: None };
        let way = |table: &str, columns: &[&str], kinds: &[ColumnType]| {
            let one = format!("SELECT 1 FROM {} WHERE {}", sql::name(table), sql::equal(columns, 1));
            let way = Way::of(&conn, (table, &Declared::read(&conn).unwrap()), &one, kinds).unwrap();
            (way.is_search, way.part)
        };
        assert_eq!(way("a", &["id"], &[ColumnType::Integer]), (true, None));
        assert_eq!(way("a", &["owner", "name"], &[text, text]), (true, Some("a_owner".to_owned())));
        assert_eq!(way("a", &["n", "name"], &[ColumnType::Integer, text]), (true, None));
        assert_eq!(way("a", &["name"], &[text]), (false, None));
        assert_eq!(way("b", &["owner", "name"], &[text, text]), (true, None), "letters are folded");
        assert_eq!(way("c", &["owner", "name"], &[text, text]), (true, None), "not every row is in it");
        assert_eq!(way("a", &["owner", "name"], &[text, ColumnType::Numeric(None)]), (true, None));
        assert_eq!(way("a", &["owner", "name"], &[text, ColumnType::Time(None)]), (false, None));
    }
}
