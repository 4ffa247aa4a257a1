//! What is open: a connection in a transaction, to look or to change something.

use super::connect::Session;
use super::held::Held;
use super::judged::Judged;
use super::place::{Aside, Place, Tried};
use super::{blockers, catalog, sql, words};
use crate::database::SealedColumn;
use crate::database::kept::ForeignTrigger;
use crate::database::ledger::Written;
use crate::database::rejection::RejectedLate;
use crate::database::state::TABLE_NAME;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::table::{ColumnType, ForeignKey, Migration, Schema};
use jiff::Timestamp;
use postgres::error::SqlState;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A connection in a transaction. Dropped, it leaves the database as it was: what was not committed is rolled back, by the
/// server where the connection ends.
pub(super) struct Opened<S> {
    pub(super) session: Session,
    pub(super) state: S,
}

/// What is only looked into.
pub(super) type PostgresReader = Opened<()>;
/// What is changed.
pub(super) type PostgresTransaction = Opened<Writing>;

/// What a transaction knows that writes.
#[derive(Default)]
pub(super) struct Writing {
    pub(super) is_dry: bool,
    /// Whether nothing may be written.
    pub(super) is_view: bool,
    pub(super) schema: Schema,
    /// When the run began: what clocks that are defaults give.
    pub(super) started: Option<Timestamp>,
    pub(super) pending: Vec<String>,
    pub(super) foreign: Vec<ForeignTrigger>,
    pub(super) before: BTreeMap<String, u64>,
    /// Migrations that a new database gets after its rows.
    pub(super) after_rows: Vec<Migration>,
    pub(super) ledger: LedgerState,
    /// Constraints that are judged at the end, by table and name: they go back to what they were.
    pub(super) deferred: Vec<(String, String)>,
    /// The references that are judged at the end, with their tables.
    pub(super) open: Vec<(String, ForeignKey)>,
    /// Rows that were rejected once the row was there that they waited for.
    pub(super) late: Vec<RejectedLate>,
    /// Columns that a sequence counts and that were written, by table.
    pub(super) given: BTreeSet<(String, String)>,
    /// The sequences that count columns, by table and column, once they were asked for.
    pub(super) sequences: OnceCell<HashMap<(String, String), String>>,
    /// The tables that may reject rows by what no key and no CHECK says, once they were asked for.
    pub(super) picky: OnceCell<BTreeSet<String>>,
    /// Rows that wait for the rows that they reference.
    pub(super) held: Held,
    /// The digest of keys and registry as it was before this transaction, and as it is to be.
    pub(super) proof: Option<(Option<String>, String)>,
    /// What sealed cells that are written hang on.
    pub(super) judged: BTreeMap<SealedColumn, Judged>,
    /// By table, the rows of earlier runs that no key names.
    pub(super) unnamed: HashMap<String, Unnamed>,
}

/// The place of a row as the server calls it, with its types ("System Columns"): the table, which is the partition where
/// there are some, and where it lies in that.
pub(super) const PLACE: [(&str, &str); 2] = [("tableoid", "OID"), ("ctid", "TID")];

/// What the ledger says of a row: its file, digest and columns.
pub(super) type Said = (i64, [u8; 16], i64);

/// The places of the rows that a table has for what the ledger says, in the ledger's order.
pub(super) type Unnamed = HashMap<Said, Vec<String>>;

/// What this run wrote into the ledger.
#[derive(Debug, Default)]
pub(super) struct LedgerState {
    pub(super) run: Option<i64>,
    /// The run's id, by which a new connection finds it.
    pub(super) id: Option<String>,
    /// The first file of this run; all later ones are of it as well.
    pub(super) first_file: Option<i64>,
    pub(super) tables: HashMap<String, i64>,
    pub(super) columns: BTreeMap<Written, i64>,
    pub(super) rows: i64,
    /// The tables whose lines of earlier runs are found by the keys of rows.
    pub(super) lined: BTreeSet<i64>,
}

impl<S> Opened<S> {
    /// Its faults in our words.
    pub(super) fn said<T>(&self, tried: Tried<T>) -> Result<T> {
        tried.map_err(|fault| self.session.place.words(fault))
    }

    /// Runs something on the session, its faults in our words.
    pub(super) fn on<T>(&self, work: impl FnOnce(&Session) -> Tried<T>) -> Result<T> {
        self.said(work(&self.session))
    }
}

impl Opened<Writing> {
    /// The type of a column; asking for one that is not there is a fault of treelift.
    pub(super) fn kind(&self, table: &str, column: &str) -> Result<ColumnType> {
        if PLACE.iter().any(|(name, _)| *name == column) {
            return Ok(ColumnType::Text { max: None });
        }
        let found = self.state.schema.table(table).and_then(|table| table.column(column));
        found.map(|column| column.kind).ok_or_else(|| Error::bug(format!("there is no column `{table}.{column}`")))
    }

    /// The type of a column as it is declared.
    pub(super) fn declared(&self, table: &str, column: &str) -> Result<&str> {
        if let Some((_, kind)) = PLACE.iter().find(|(name, _)| *name == column) {
            return Ok(kind);
        }
        let found = self.state.schema.table(table).and_then(|table| table.column(column));
        let declared = found.map(|column| column.declared.as_str());
        declared.ok_or_else(|| Error::bug(format!("there is no column `{table}.{column}`")))
    }
}

/// Keeps other treelifts out of a database: the letters of its name.
const LOCK: i64 = i64::from_be_bytes(*b"treelift");

/// Begins to look: everything is seen as it is at one moment.
pub(super) fn look(place: &Place) -> Tried<Session> {
    let mut session = Session::open(place)?;
    session.only_looks = true;
    session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    session.settle_in()?;
    Ok(session)
}

/// Begins to change something. Other treelifts, and writers of these tables, are kept out from before the first look on;
/// readers go on.
///
/// Where a backup was made, it goes on in the transaction of that.
pub(super) fn begin(place: &Place, written: &BTreeSet<String>) -> Tried<Session> {
    if let Some(session) = go_on(place) {
        return Ok(session);
    }
    begin_with(place, &|session| {
        let is_meant = |name: &String| written.contains(name) || name == TABLE_NAME;
        Ok(catalog::table_names(session)?.into_iter().filter(is_meant).collect())
    })
}

/// The same with every table that the user may change.
pub(super) fn begin_whole(place: &Place) -> Tried<Session> {
    begin_with(place, &|session| {
        let text = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname IN ($1, $2) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                          AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE') ORDER BY 1";
        Ok(session.query(text, &session.schemas())?.iter().map(|row| row.get(0)).collect())
    })
}

/// The same, in the transaction of the backup where one was made.
pub(super) fn go_on_or_begin_whole(place: &Place) -> Tried<Session> {
    go_on(place).map_or_else(|| begin_whole(place), Ok)
}

/// To where a transaction goes back that goes on.
const BACKED_UP: &str = "treelift_backed_up";

/// Lays a transaction aside that was begun by [`begin_whole`], to be gone on with by the next one of the place.
pub(super) fn lay_aside(place: &Place, mut session: Session) -> Tried<()> {
    session.run(&format!("SAVEPOINT {BACKED_UP}"))?;
    session.is_backed_up = true;
    put_aside(&place.aside, session);
    Ok(())
}

fn put_aside(aside: &Aside, mut session: Session) {
    // What is laid aside must not hold the place that it is laid in: it would never end.
    session.place.aside = Aside::default();
    aside.put(Box::new(session));
}

fn go_on(place: &Place) -> Option<Session> {
    let mut session = *place.aside.take()?.downcast::<Session>().ok()?;
    session.place = place.clone();
    Some(session)
}

/// Leaves the database as it was. Where a backup was made, the tables stay locked, so that what is tried again finds what
/// the backup has.
pub(super) fn give_up(mut session: Session) {
    let back = format!("ROLLBACK TO SAVEPOINT {BACKED_UP}");
    if session.is_backed_up && session.try_run(&back).is_ok() {
        session.outside = None;
        let aside = session.place.aside.clone();
        put_aside(&aside, session);
    } else if !session.only_looks {
        // Where it does not reach the server, the end of the connection rolls back.
        _ = session.try_run("ROLLBACK");
    }
}

fn begin_with(place: &Place, tables: &dyn Fn(&Session) -> Tried<Vec<String>>) -> Tried<Session> {
    let since = Instant::now();
    loop {
        let session = Session::open(place)?;
        let locked = tables(&session)?;
        session.run("BEGIN ISOLATION LEVEL REPEATABLE READ")?;
        session.settle_in()?;
        must_be_there(&session)?;
        if !locked.is_empty() {
            // It takes no snapshot: what another one commits meanwhile is seen.
            interrupt::check()?;
            match session.try_run(&format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", sql::names(&locked))) {
                Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                    return Err(blockers::of_tables(&session, &locked).into());
                }
                locked => locked?,
            }
        }
        if lock(&session)? {
            return Ok(session);
        }
        if !place.patience().is_zero() && since.elapsed() > place.patience() {
            return Err(blockers::of_treelift(&session, LOCK).into());
        }
        // What the other one commits would not be seen in this transaction any more.
        session.close()?;
        interrupt::check()?;
        sleep(Duration::from_millis(100));
    }
}

/// Refuses to go on where the schema for tests is gone: what is made would land in the schema behind it.
fn must_be_there(session: &Session) -> Tried<()> {
    let Some(bench) = &session.place.bench else { return Ok(()) };
    if session.has("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[Some(bench.schema())])? {
        return Ok(());
    }
    let message = format!("the schema `{}`, in which the migrations are tested, was dropped meanwhile", bench.schema());
    Err(Error::environment(message).at(session.place.shown()).hint("run the test again").into())
}

/// Takes the lock of all treelifts until the end of the transaction, if no other one has it.
fn lock(session: &Session) -> Tried<bool> {
    let row = session.first("SELECT pg_try_advisory_xact_lock($1::int8)", &[Some(&LOCK.to_string())])?;
    Ok(row.is_some_and(|row| row.get(0)))
}

/// Waits until no other treelift is at work: then a session that was lost is gone.
pub(super) fn wait_for_lock(session: &Session) -> Tried<()> {
    session.run("BEGIN; SET LOCAL lock_timeout = '60s'")?;
    session.execute("SELECT pg_advisory_xact_lock($1::int8)", &[Some(&LOCK.to_string())])?;
    session.run("COMMIT")
}

/// Commits what no run in the ledger tells of.
pub(super) fn commit(session: &Session) -> Tried<()> {
    session.try_run("COMMIT").map_err(|error| {
        if words::is_lost(&error) { words::unknown().at(session.place.shown()).into() } else { error.into() }
    })
}

/// Whether the schema holds anything, or that of our own tables.
pub(super) fn is_there(session: &Session) -> Tried<bool> {
    let text = "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname IN ($1, $2) AND c.relkind IN ('r', 'p', 'v', 'm')
                      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') LIMIT 1";
    session.has(text, &session.schemas())
}
