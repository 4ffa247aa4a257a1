//! The application's own record of its version.

use super::connect::Session;
use super::place::Tried;
use super::{catalog, sql};
use crate::database::history::{Named, several_versions};
use crate::table::VersionRecord;

/// Writes the name into it; where nothing is applied any more its row goes. Nothing is written where the table is not there, or
/// nothing is known.
pub(super) fn put(session: &Session, record: &VersionRecord, name: Named<'_>) -> Tried<()> {
    if !catalog::has_table(session, &record.table)? {
        return Ok(());
    }
    let types = catalog::cast_types(session, &record.table)?;
    let cast = |column: &str, at: usize| match types.get(column) {
        Some(kind) => format!("${at}::{kind}"),
        None => format!("${at}"), // the server says that there is no such column
    };
    let table = sql::name(&record.table);
    let cells: Vec<Option<&str>> = record.row.iter().map(|(_, value)| Some(value.as_str())).collect();
    let places: Vec<String> = (1..).zip(&record.row).map(|(at, (column, _))| cast(column, at)).collect();
    let tests: Vec<String> =
        record.row.iter().zip(&places).map(|((column, _), place)| format!("{} = {place}", sql::name(column))).collect();
    let where_row = if tests.is_empty() { String::new() } else { format!(" WHERE {}", tests.join(" AND ")) };
    let name = match name {
        Named::Is(name) => name,
        Named::Unknown => return Ok(()),
        Named::Nothing => {
            let gone = session.execute(&format!("DELETE FROM {table}{where_row}"), &cells)?;
            return if gone > 1 { Err(several_versions(record, session.place.shown()).into()) } else { Ok(()) };
        }
    };
    let with_name: Vec<Option<&str>> = cells.iter().copied().chain([Some(name)]).collect();
    let (column, place) = (sql::name(&record.column), cast(&record.column, with_name.len()));
    let written = session.execute(&format!("UPDATE {table} SET {column} = {place}{where_row}"), &with_name)?;
    if written > 1 {
        return Err(several_versions(record, session.place.shown()).into());
    }
    if written == 0 {
        let columns: Vec<&str> =
            record.row.iter().map(|(column, _)| column.as_str()).chain([record.column.as_str()]).collect();
        let places: Vec<String> = places.into_iter().chain([place]).collect();
        let text = format!("INSERT INTO {table} ({}) VALUES ({})", sql::names(&columns), places.join(", "));
        session.execute(&text, &with_name)?;
    }
    Ok(())
}
