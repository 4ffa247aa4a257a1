//! What the triggers and constraints of a database do to statements that write rows.

use super::{catalog, record};
use crate::database::catalog::Other;
use crate::database::kept::ForeignTrigger;
use rusqlite::Connection;

/// The triggers that may reach the written tables and that are not the set's own, by name. Where the set
/// has triggers on those itself, they may reach any table.
pub(super) fn foreign_triggers(
    conn: &Connection,
    is_own: &dyn Fn(&str, &Other) -> bool,
    is_written: &dyn Fn(&str) -> bool,
) -> rusqlite::Result<Vec<ForeignTrigger>> {
    let record = record::table(conn, None)?.name;
    let triggers = catalog::others(conn, &record)?.into_iter().filter(|(_, other)| other.kind == "trigger");
    let (own, foreign): (Vec<_>, Vec<_>) = triggers.partition(|(name, live)| is_own(name, live));
    let reaches_all = own.iter().any(|(_, other)| is_written(&other.table));
    let concerned = foreign.into_iter().filter(|(_, other)| reaches_all || is_written(&other.table));
    Ok(concerned.map(|(name, other)| ForeignTrigger { name, table: other.table }).collect())
}

/// The INSERT and UPDATE of a table begin so. Where its own constraints say what a conflict does
/// (IGNORE and REPLACE lose rows), ABORT overrides that ("The ON CONFLICT Clause"); not where triggers
/// are, whose statements it would override as well.
pub(super) fn conflict_word(conn: &Connection, table: &str) -> rusqlite::Result<&'static str> {
    let says: bool = conn
        .prepare_cached(
            "SELECT 1 FROM sqlite_schema t WHERE t.type = 'table' AND t.name = ?1 COLLATE NOCASE
             AND t.sql LIKE '%ON%CONFLICT%' AND NOT EXISTS
                 (SELECT 1 FROM sqlite_schema r WHERE r.type = 'trigger' AND r.tbl_name = ?1 COLLATE NOCASE)",
        )?
        .exists([table])?;
    Ok(if says { " OR ABORT" } else { "" })
}

/// Whether a table has a trigger that raises an error, or a unique index that is over expressions, over some
/// rows, or of a collation: none of them is among the keys that are known.
pub(super) fn may_reject(conn: &Connection, table: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema r WHERE r.type = 'trigger' AND r.tbl_name = ?1 COLLATE NOCASE
                        AND r.sql LIKE '%RAISE%')
             OR EXISTS (SELECT 1 FROM pragma_index_list(?1) i WHERE i.\"unique\" AND (i.partial OR EXISTS
                        (SELECT 1 FROM pragma_index_xinfo(i.name) x WHERE x.key AND (x.cid < -1 OR x.coll <> 'BINARY'))))",
    )?
    .query_row([table], |row| row.get(0))
}
