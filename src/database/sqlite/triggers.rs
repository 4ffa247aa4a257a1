//! Which triggers reach the tables that are written.

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

/// Whether a unique index of a table is over expressions, over some rows, or of a collation: none of them is
/// among the keys that are known.
pub(super) fn has_odd_index(conn: &Connection, table: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT 1 FROM pragma_index_list(?1) i WHERE i.\"unique\" AND (i.partial OR EXISTS
             (SELECT 1 FROM pragma_index_xinfo(i.name) x WHERE x.key AND (x.cid < -1 OR x.coll <> 'BINARY')))",
    )?
    .exists([table])
}
