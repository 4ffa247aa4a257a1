//! The application's own record of its version.

use super::location::{Location, Tried};
use super::{catalog, sql};
use crate::database::history::{Named, several_versions};
use crate::table::VersionRecord;
use rusqlite::{Connection, params_from_iter};

/// Writes the name into it; where nothing is applied any more its row goes. Nothing is written where the table is not there, or
/// nothing is known.
pub(super) fn put(conn: &Connection, record: &VersionRecord, name: Named<'_>, location: &Location) -> Tried<()> {
    if !catalog::has_table(conn, &record.table)? {
        return Ok(());
    }
    let table = sql::name(&record.table);
    let cells: Vec<&str> = record.row.iter().map(|(_, value)| value.as_str()).collect();
    let tests: Vec<String> =
        (1..).zip(&record.row).map(|(at, (column, _))| format!("{} = ?{at}", sql::name(column))).collect();
    let where_row = if tests.is_empty() { String::new() } else { format!(" WHERE {}", tests.join(" AND ")) };
    let name = match name {
        Named::Is(name) => name,
        Named::Unknown => return Ok(()),
        Named::Nothing => {
            let gone = conn.execute(&format!("DELETE FROM {table}{where_row}"), params_from_iter(cells))?;
            return if gone > 1 { Err(several_versions(record, &location.shown).into()) } else { Ok(()) };
        }
    };
    let with_name = || params_from_iter(cells.iter().copied().chain([name]));
    let (column, at) = (sql::name(&record.column), cells.len() + 1);
    let written = conn.execute(&format!("UPDATE {table} SET {column} = ?{at}{where_row}"), with_name())?;
    if written > 1 {
        return Err(several_versions(record, &location.shown).into());
    }
    if written == 0 {
        let columns = record.row.iter().map(|(column, _)| column.as_str()).chain([record.column.as_str()]);
        conn.execute(&sql::insert(&record.table, &columns.collect::<Vec<_>>()), with_name())?;
    }
    Ok(())
}
