//! Who has a lock that was not had in time.

use super::connect::Session;
use super::place::Tried;
use super::words;
use crate::error::Error;
use crate::finding::printable;
use postgres::Row;

/// The modes that let a writer of the whole table wait.
const IN_THE_WAY: &str = "l.mode NOT IN ('AccessShareLock', 'RowShareLock')";

/// What is said where these tables could not be locked in time, in the order in which they were to be: which of them is
/// locked, and by whom, as far as the server tells. What was waited for may be over by now.
pub(super) fn of_tables(session: &Session, tables: &[String]) -> Error {
    let holder = holder_of(session, tables).unwrap_or_default();
    let message = match holder {
        Some((table, who)) => format!("the database is locked by another program: {who} has a lock on `{table}`"),
        None => "the database is locked by another program".to_owned(),
    };
    words::locked(message).at(session.place.shown())
}

/// What is said where another treelift has the lock of all of them.
pub(super) fn of_treelift(session: &Session, key: i64) -> Error {
    let (high, low) = ((key >> 32).to_string(), (key & 0xffff_ffff).to_string());
    let text = "SELECT l.pid, NULL::text, NULL::text, NULL::text FROM pg_locks l
                WHERE l.granted AND l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid = $1::int8::oid
                      AND l.objid = $2::int8::oid
                      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let holder = session.first(text, &[Some(&high), Some(&low)]).ok().flatten();
    let process = holder.map_or_else(String::new, |row| format!(" ({})", process(&row)));
    Error::environment(format!("another treelift is at work on this database{process}"))
        .at(session.place.shown())
        .hint("wait until it is done, then run again; `--lock-timeout SECONDS` waits longer")
}

/// The first of these tables that somebody else has locked, and who.
fn holder_of(session: &Session, tables: &[String]) -> Tried<Option<(String, String)>> {
    session.run("ROLLBACK")?;
    let text = format!(
        "SELECT l.pid, a.application_name, a.backend_type, c.relname::text
         FROM pg_locks l JOIN pg_class c ON c.oid = coalesce(pg_partition_root(l.relation), l.relation) JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN unnest($2::text[]) WITH ORDINALITY t(name, number) ON t.name = c.relname
         LEFT JOIN pg_stat_activity a ON a.pid = l.pid
         WHERE l.granted AND l.locktype = 'relation' AND n.nspname = ANY ($1::text[]) AND {IN_THE_WAY}
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND l.pid IS DISTINCT FROM pg_backend_pid()
         ORDER BY t.number, l.pid LIMIT 1"
    );
    let names = tables.iter().cloned().map(Some).collect();
    let rows =
        session.query_lists(&text, &[session.schemas().map(|schema| schema.map(str::to_owned)).to_vec(), names])?;
    Ok(rows.first().map(|row| (printable(row.get(3)), who(row))))
}

/// `psql` (process 4711 of the server)
fn who(row: &Row) -> String {
    let name = row.get::<_, Option<&str>>(1).filter(|name| !name.is_empty());
    // What connects may give itself no name; the server's own processes have none.
    let kind = row.get::<_, Option<&str>>(2).filter(|kind| *kind != "client backend");
    match name.or(kind) {
        Some(name) => format!("`{}` ({})", printable(name), process(row)),
        None => process(row),
    }
}

fn process(row: &Row) -> String {
    let number = row.get::<_, Option<i32>>(0);
    number.map_or_else(|| "a prepared transaction".to_owned(), |number| format!("process {number} of the server"))
}
