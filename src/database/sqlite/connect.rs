//! Connections as every command uses them: how they wait, and how a signal ends what they do.

use super::functions;
use crate::interrupt;
use rusqlite::hooks::{AuthContext, Authorization};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a lock of another program is waited for at the start.
const PATIENCE: Duration = Duration::from_secs(2);

/// And at the commit, when all the work is done and only a reader blocks it.
const PATIENCE_AT_COMMIT: Duration = Duration::from_secs(30);

pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    configure(bare(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?)
}

pub(super) fn connect_read_only(path: &Path) -> rusqlite::Result<Connection> {
    configure(bare(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// A connection as SQLite gives it, that one thread uses.
pub(super) fn bare(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// How much of a database is held in memory, in KiB. SQLite makes a number of pages of it, and keeps that number when
/// their size is changed: where a new file gets its size, this comes after it.
pub(super) const CACHE: &str = "PRAGMA cache_size = -8192";

/// Half of it: SQLite sorts rows for an index in as much memory again, which it doubles by copying, and reads them
/// in order.
pub(super) const SMALL_CACHE: &str = "PRAGMA cache_size = -4096";

/// Foreign keys are off for set-up and load, and checked by us before the commit: that finds all
/// orphans at once, and a migration that rebuilds a table cannot cascade.
fn configure(mut conn: Connection) -> rusqlite::Result<Connection> {
    conn.busy_handler(Some(wait_at_start))?;
    interruptible(&mut conn)?;
    conn.set_prepared_statement_cache_capacity(256);
    conn.execute_batch(
        "PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA temp_store = FILE",
    )?;
    conn.execute_batch(CACHE)?;
    functions::add(&conn)?;
    Ok(conn)
}

/// A database in memory, in a transaction.
pub(super) fn in_memory() -> rusqlite::Result<Connection> {
    let mut conn = Connection::open_in_memory()?;
    interruptible(&mut conn)?;
    functions::add(&conn)?;
    conn.execute_batch("PRAGMA foreign_keys = OFF; BEGIN")?;
    Ok(conn)
}

/// Lets a signal end a running statement (SQLite's "Query Progress Callbacks").
pub(super) fn interruptible(conn: &mut Connection) -> rusqlite::Result<()> {
    const STEPS: i32 = 10_000;
    conn.progress_handler(STEPS, Some(|| interrupt::asked().is_some()))
}

/// What the user said instead of both, in milliseconds; 0 is nothing. SQLite hands its busy handler no data, so it is of
/// the whole program.
static SAID: AtomicU64 = AtomicU64::new(0);

/// Waits so long for other programs' locks from now on; zero is without end, nothing is as always.
pub(super) fn be_patient(patience: Option<Duration>) {
    let millis = |patience: Duration| match u64::try_from(patience.as_millis()) {
        Ok(0) | Err(_) => u64::MAX,
        Ok(millis) => millis,
    };
    SAID.store(patience.map_or(0, millis), Ordering::Relaxed);
}

fn said_or(patience: Duration) -> Duration {
    match SAID.load(Ordering::Relaxed) {
        0 => patience,
        millis => Duration::from_millis(millis),
    }
}

fn wait_at_start(times: i32) -> bool {
    wait(times, said_or(PATIENCE))
}

pub(super) fn wait_at_commit(times: i32) -> bool {
    wait(times, said_or(PATIENCE_AT_COMMIT))
}

/// Waits a moment for another program's lock; `false` after all the patience, or where a signal asks to stop.
fn wait(times: i32, patience: Duration) -> bool {
    const MOMENT: Duration = Duration::from_millis(20);
    let waited = MOMENT.saturating_mul(u32::try_from(times).unwrap_or(0));
    if waited >= patience || interrupt::asked().is_some() {
        return false;
    }
    std::thread::sleep(MOMENT);
    true
}

/// Moves the write-ahead log into the file and cuts it to nothing; without one nothing happens.
pub(super) fn empty_log(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Runs something while an authorizer is asked what its statements may do ("Compile-Time Authorization
/// Callbacks").
pub(super) fn authorized<T>(
    conn: &mut Connection,
    may: impl for<'c> FnMut(AuthContext<'c>) -> Authorization + Send + 'static,
    work: impl FnOnce(&mut Connection) -> T,
) -> rusqlite::Result<T> {
    conn.authorizer(Some(may))?;
    let done = work(conn);
    conn.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
    Ok(done)
}
