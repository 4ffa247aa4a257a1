//! Keeps the tables of a schema in order, and our own.

use super::connect::Session;
use super::opened;
use super::place::{Place, Tried};
use super::{blockers, sql};
use crate::database::tidy::{Chore, Chores, Plan};
use crate::finding::printable;
use crate::interrupt;
use postgres::error::SqlState;

/// What is to be done; `None` where the schema holds nothing.
pub(super) fn plan(place: &Place, wanted: Chores) -> Tried<Option<Plan>> {
    let session = opened::look(place)?;
    if !opened::is_there(&session)? {
        return Ok(None);
    }
    let text =
        "SELECT c.relname::text, c.relkind = 'p', pg_has_role(c.relowner, 'USAGE'), pg_get_userbyid(c.relowner)::text
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname IN ($1, $2) AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname";
    let (mut ours, mut left) = (Vec::new(), Vec::new());
    for row in session.query(text, &session.schemas())? {
        let (table, is_divided, is_ours, owner): (String, bool, bool, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        if is_ours {
            ours.push((table, is_divided));
        } else {
            // The server would leave it out with a warning.
            left.push(format!("`{}` is left out: it belongs to the role `{}`", printable(&table), printable(&owner)));
        }
    }
    // Each kind for all tables, so that what is asked for first is had first.
    let mut chores = Vec::new();
    let mut add = |what: &str, is_alone: &dyn Fn(bool) -> bool| {
        chores.extend(ours.iter().map(|(table, is_divided)| Chore {
            statement: format!("{what} {}", placed(&session, table)),
            table: Some(table.clone()),
            is_owed: false,
            is_alone: is_alone(*is_divided),
        }));
    };
    if wanted.reindex {
        // A table with partitions is done partition by partition.
        add("REINDEX TABLE", &|is_divided| is_divided);
    }
    match (wanted.vacuum, wanted.analyze) {
        (true, true) => add("VACUUM (ANALYZE)", &|_| true),
        (true, false) => add("VACUUM", &|_| true),
        (false, true) => add("ANALYZE", &|_| false),
        (false, false) => {}
    }
    Ok(Some(Plan { chores, left, bytes: size(&session)? }))
}

/// Does one after the other; each is a transaction of its own.
pub(super) fn tidy(place: &Place, chores: &[Chore], done: &mut dyn FnMut(&Chore)) -> Tried<()> {
    let session = Session::open(place)?;
    for chore in chores {
        interrupt::check()?;
        one(&session, chore)?;
        done(chore);
    }
    session.close()
}

/// A table with its schema.
fn placed(session: &Session, table: &str) -> String {
    format!("{}.{}", sql::name(session.schema_of(table)), sql::name(table))
}

fn one(session: &Session, chore: &Chore) -> Tried<()> {
    let table = chore.table.as_slice();
    session.run("BEGIN")?;
    session.settle_in()?;
    let locking = if chore.is_alone {
        // How long a lock is waited for can be said in a transaction alone: here it is seen whether it can be had.
        let names: Vec<String> = table.iter().map(|table| placed(session, table)).collect();
        format!("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE", names.join(", "))
    } else {
        chore.statement.clone()
    };
    match session.try_run(&locking) {
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            return Err(blockers::of_tables(session, table).into());
        }
        ran => ran?,
    }
    session.run("COMMIT")?;
    if chore.is_alone {
        session.run(&chore.statement)?;
    }
    Ok(())
}

/// How many bytes the tables of the schema have, with their indexes.
pub(super) fn bytes(place: &Place) -> Tried<u64> {
    size(&opened::look(place)?)
}

fn size(session: &Session) -> Tried<u64> {
    let text = "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::int8
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname IN ($1, $2) AND c.relkind = 'r'";
    let row = session.first(text, &session.schemas())?;
    Ok(row.map_or(0, |row| row.get::<_, i64>(0).unsigned_abs()))
}
