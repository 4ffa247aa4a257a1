//! Moves rows with a dangling reference aside, into `treelift_orphans`.

use super::location::{Location, Tried};
use super::open::{self, Start};
use super::{audit, catalog, ledger_tables, record, references, sql, times};
use crate::database::Mode;
use crate::database::audit::AuditEntry;
use crate::database::reference::Reference;
use crate::database::upkeep::{MoveOrphans, Moved};
use rusqlite::Connection;

/// Where they are moved to.
pub(super) const TABLE_NAME: &str = "treelift_orphans";

const TABLE: &str = "CREATE TABLE IF NOT EXISTS treelift_orphans (
    number INTEGER PRIMARY KEY, moved_at DATETIME NOT NULL, table_name TEXT NOT NULL, reference TEXT NOT NULL,
    row TEXT NOT NULL
)";

/// Moves all of them, also those that become orphans by it.
pub(super) fn move_all(location: &Location, order: &MoveOrphans<'_>) -> Tried<Vec<Moved>> {
    let (store, conn) = open::begin(location, &Start { mode: order.mode, run_id: order.run_id, bytes: 0 })?;
    let moved = move_in(&conn, order, location.record.as_deref())?;
    if moved.is_empty() || order.mode == Mode::Dry {
        open::roll_back(store, conn)?;
        return Ok(moved);
    }
    let total: u64 = moved.iter().map(|moved| moved.rows).sum();
    let entry = AuditEntry::new("fix-orphans", "database", "rows without a parent moved aside", order.started)?
        .with(serde_json::json!({ "rows": total, "moved": moved }));
    audit::write(&conn, &entry, order.audit)?;
    ledger_tables::set_up_state(&conn, location, None)?;
    open::commit(location, store, conn)?;
    Ok(moved)
}

fn move_in(conn: &Connection, order: &MoveOrphans<'_>, record: Option<&str>) -> rusqlite::Result<Vec<Moved>> {
    let record = record::table(conn, record)?.name;
    conn.execute_batch(TABLE)?;
    let mut moved: Vec<Moved> = Vec::new();
    loop {
        let mut round = 0;
        for (reference, declared) in every_reference(conn, order.references, &record)? {
            let words = words(&reference, declared);
            let rows = take(conn, &reference, &words, &times::clock_text(order.started))?;
            round += rows;
            match moved.iter_mut().find(|one| one.table == reference.table && one.reference == words) {
                Some(one) => one.rows += rows,
                None if rows > 0 => moved.push(Moved { table: reference.table, reference: words, rows }),
                None => {}
            }
        }
        if round == 0 {
            return Ok(moved);
        }
    }
}

fn words(reference: &Reference, declared: bool) -> String {
    let arrow = format!("{} → {}.{}", reference.column, reference.parent, reference.to);
    if declared { arrow } else { format!("{arrow} (mapped)") }
}

/// References of one column that the database declares, then those that mappings follow.
fn every_reference(conn: &Connection, mapped: &[Reference], record: &str) -> rusqlite::Result<Vec<(Reference, bool)>> {
    let mut all: Vec<(Reference, bool)> = Vec::new();
    for table in catalog::table_names(conn)?.into_iter().filter(|name| !catalog::is_reserved(name, record)) {
        // The last one declared comes first, as SQLite numbers them.
        for key in catalog::foreign_keys(conn, &table)?.into_iter().rev() {
            if let ([column], [to]) = (key.columns.as_slice(), key.to.as_slice()) {
                let (table, column, to) = (table.clone(), column.clone(), to.clone());
                all.push((Reference { table, column, parent: key.table, to }, true));
            }
        }
    }
    for reference in mapped {
        if !all.iter().any(|(known, _)| known == reference) && catalog::has_table(conn, &reference.table)? {
            all.push((reference.clone(), false));
        }
    }
    Ok(all)
}

/// Moves the rows of one reference, each as an object of JSON.
fn take(conn: &Connection, reference: &Reference, words: &str, at: &str) -> rusqlite::Result<u64> {
    let columns: Vec<String> = sql::column(conn, "SELECT name FROM pragma_table_info(?1)", [&reference.table])?;
    // A blob has no form in JSON: it is kept as hex.
    let members: Vec<String> = columns
        .iter()
        .map(|column| {
            let name = sql::name(column);
            let key = column.replace('\'', "''");
            format!("'{key}', CASE typeof({name}) WHEN 'blob' THEN 'x''' || hex({name}) || '''' ELSE {name} END")
        })
        .collect();
    let object = format!("json_object({})", members.join(", "));
    let astray = references::astray(reference);
    let kept = conn.execute(
        &format!(
            "INSERT INTO treelift_orphans (moved_at, table_name, reference, row) SELECT ?1, ?2, ?3, {object} FROM {astray}"
        ),
        (at, &reference.table, words),
    )?;
    if kept > 0 {
        conn.execute(&format!("DELETE FROM {astray}"), [])?;
    }
    Ok(kept as u64)
}
