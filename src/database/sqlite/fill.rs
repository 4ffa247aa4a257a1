//! Invented rows for a database that was made to test migrations on.

use super::location::{Fault, Location, Tried};
use super::open::{self, Start};
use super::{read, sql, survey};
use crate::database::fill::{self, Filling};
use crate::database::{Cell, Mode};
use crate::table::{Column, Table};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params_from_iter};

/// Puts a row into every empty table.
pub(super) fn every_table(location: &Location) -> Tried<()> {
    let (store, conn) = open::begin(location, &Start { mode: Mode::Real, run_id: "fill", bytes: 0 })?;
    let schema = survey::live(&conn, location)?.schema;
    fill::every_table(&Filled(&conn), &schema)?;
    open::commit(location, store, conn).map(drop)
}

/// What the set's own SQL rejects is for its author to fix. SQLite's words may be shown: the rows
/// are invented.
fn refused(table: &Table, error: rusqlite::Error) -> Fault {
    let why = match &error {
        rusqlite::Error::SqlInputError { msg, .. } => msg,
        rusqlite::Error::SqliteFailure(code, Some(text))
            if matches!(code.code, ErrorCode::ConstraintViolation | ErrorCode::Unknown) =>
        {
            text
        }
        _ => return error.into(),
    };
    fill::refused::<Filled<'_>>(table, why).into()
}

/// A database that gets rows.
struct Filled<'c>(&'c Connection);

impl Filling for Filled<'_> {
    type Fault = Fault;
    const INSTEAD: &'static str = "test on a copy of a database that has rows: `--copy-of URL`";

    fn count(&self, table: &str) -> Tried<u64> {
        Ok(read::count(self.0, table)?)
    }

    fn some(&self, table: &str, columns: &[&str]) -> Tried<Option<Vec<Cell>>> {
        let names: Vec<String> = columns.iter().map(|column| sql::name(column)).collect();
        let text = format!("SELECT {} FROM {} LIMIT 1", names.join(", "), sql::name(table));
        let row = |row: &Row<'_>| (0..columns.len()).map(|at| Ok(read::cell(row.get_ref(at)?))).collect();
        Ok(self.0.query_row(&text, [], row).optional()?)
    }

    fn counts(&self, _key: &Column) -> bool {
        true
    }

    fn odd(&self, _table: &Table, _column: &Column) -> Tried<Option<Cell>> {
        Ok(None)
    }

    fn accepts(&self, _table: &Table, check: &str, values: &[(String, Cell)]) -> bool {
        let columns: Vec<String> =
            values.iter().enumerate().map(|(at, (name, _))| format!("?{} AS {}", at + 1, sql::name(name))).collect();
        let text = format!("SELECT coalesce(({check}), 1) FROM (SELECT {})", columns.join(", "));
        let Ok(mut statement) = self.0.prepare(&text) else { return true };
        statement.query_row(params_from_iter(values.iter().map(|(_, value)| value)), |row| row.get(0)).unwrap_or(false)
    }

    fn insert(&self, table: &Table, values: &[(String, Cell)]) -> Tried<()> {
        let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        let values = params_from_iter(values.iter().map(|(_, value)| value));
        let inserted = self.0.execute(&sql::insert(&table.name, &names), values);
        inserted.map(drop).map_err(|error| refused(table, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_that_the_conditions_accept() {
        let conn = Connection::open_in_memory().unwrap();
        let accepted = [
            "a TEXT NOT NULL CHECK (a IN ('open', 'it''s done'))",
            "a INTEGER NOT NULL CHECK (a IN (10, 20))",
            "a INTEGER NOT NULL CHECK (a > 5 AND a < 8)",
            "a TEXT NOT NULL CHECK (length(a) = 3)",
            "a TEXT NOT NULL CHECK (a LIKE 'W-%')",
            "a TEXT CHECK (a = random())",
            "a TEXT NOT NULL, b TEXT NOT NULL, CHECK ((a = 'x' AND b = 'y') OR (a = 'z' AND b = 'w'))",
        ];
        for columns in accepted {
            let sql = format!("CREATE TABLE t ({columns})");
            conn.execute_batch(&format!("DROP TABLE IF EXISTS t; {sql}")).unwrap();
            let tables = super::super::catalog::tables(&conn, ["t"].into_iter()).unwrap();
            assert!(fill::one_row(&Filled(&conn), &tables["t"]).is_ok(), "{columns}");
        }
    }
}
