//! Keeps a file in order.

use super::file::{self, FileId, Found};
use super::location::{Location, Tried};
use super::{catalog, connect, health, open, record, sql, state};
use crate::database::drift_sql;
use crate::database::tidy::{Chore, Chores, Plan};
use crate::error::Result;
use crate::interrupt;
use rusqlite::Connection;

/// What is to be done; `None` where there is no database.
pub(super) fn plan(location: &Location, wanted: Chores) -> Tried<Option<Plan>> {
    let (Found::Database(bytes), Some(view)) = (file::look(location)?, open::view(location)?) else {
        return Ok(None);
    };
    let found = full_text(&view.conn, location)?;
    let mut chores = Vec::new();
    if wanted.reindex {
        chores.push(chore("REINDEX".to_owned(), None, false));
    }
    if wanted.vacuum {
        chores.push(chore("VACUUM".to_owned(), None, false));
    }
    if wanted.vacuum || wanted.reindex {
        // Rows without an integer key may be numbered anew, and a full-text index knows them by number.
        let rebuilt = |name: &String| {
            let text = format!("INSERT INTO {0} ({0}) VALUES ('rebuild')", sql::name(name));
            chore(text, Some(name.clone()), wanted.vacuum)
        };
        chores.extend(found.iter().map(rebuilt));
    }
    if wanted.analyze {
        chores.push(chore("ANALYZE".to_owned(), None, false));
    }
    Ok(Some(Plan { chores, left: Vec::new(), bytes }))
}

fn chore(statement: String, table: Option<String>, is_owed: bool) -> Chore {
    Chore { statement, table, is_owed, is_alone: true }
}

/// The full-text indexes over the rows of another table, by name.
fn full_text(conn: &Connection, location: &Location) -> rusqlite::Result<Vec<String>> {
    let others = catalog::others(conn, &record::table(conn, location.record.as_deref())?.name)?;
    Ok(others.into_iter().filter(|(_, other)| drift_sql::is_over_another(other)).map(|(name, _)| name).collect())
}

/// Does one after the other; each is a transaction of its own.
pub(super) fn tidy(location: &Location, chores: &[Chore], done: &mut dyn FnMut(&Chore)) -> Tried<()> {
    file::judge_writable(location)?;
    if let Found::Database(bytes) = file::look(location)? {
        open::check_space(location.directory(), bytes / 2)?;
    }
    let id = FileId::of(location)?;
    let mut conn = connect::connect(&location.path)?;
    if conn.is_readonly("main")? {
        return Err(file::read_only(location).into());
    }
    id.check(location)?;
    state::read(&conn, location)?;
    health::refuse_damaged(&conn, location)?;
    conn.execute_batch("PRAGMA synchronous = EXTRA")?;
    for (at, chore) in chores.iter().enumerate() {
        if !chore.is_owed {
            connect::interruptible(&mut conn)?;
            interrupt::check()?;
        }
        conn.execute_batch(&chore.statement)?;
        done(chore);
        if chores.get(at + 1).is_some_and(|next| next.is_owed) {
            // What comes next makes whole what this one has done.
            conn.progress_handler(0, None::<fn() -> bool>)?;
        }
    }
    // The file of a database with a log shrinks when that is moved into it.
    connect::empty_log(&conn)?;
    Ok(())
}

/// How many bytes the file has.
pub(super) fn bytes(location: &Location) -> Result<u64> {
    Ok(match file::look(location)? {
        Found::Database(bytes) => bytes,
        Found::Nothing | Found::Empty => 0,
    })
}
