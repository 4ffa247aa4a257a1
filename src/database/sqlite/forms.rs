//! The forms in which imports wrote times, as the database remembers them.
//!
//! A column is written in one form only. Rows that are known by what was written, or by a time, would else not be found
//! again, and commands that have no set could not tell what a clock gave.

use super::location::{Location, Tried};
use super::{catalog, sql, state};
use crate::database::state::TABLE_NAME;
use crate::error::Error;
use crate::mapping::schema_default::SchemaDefault;
use crate::table::{Column, Schema, Table};
use crate::written::TimeForm;
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeMap, BTreeSet};

/// By table and column: the form, where it is not the engine's own.
type Forms = BTreeMap<String, BTreeMap<String, String>>;

const NAME: &str = "written_forms";

fn known(conn: &Connection, location: &Location) -> Tried<Forms> {
    let Some(text) = state::value(conn, NAME)? else { return Ok(Forms::new()) };
    let what = format!("`{NAME}` does not name the form of each column");
    serde_json::from_str(&text).map_err(|_| state::damaged(TABLE_NAME, &what, location).into())
}

/// Gives the columns of these tables the forms in which imports wrote them.
pub(super) fn note(conn: &Connection, tables: &mut BTreeMap<String, Table>, location: &Location) -> Tried<()> {
    let known = known(conn, location)?;
    for (table, columns) in &mut *tables {
        let Some(forms) = known.get(table) else { continue };
        for column in &mut columns.columns {
            if let Some(Ok(kind)) = forms.get(&column.name).and_then(|form| column.kind.written_as(form)) {
                column.kind = kind;
            }
        }
    }
    Ok(())
}

/// Remembers the forms in which columns are written from now on. Those of a table that holds rows of an import stay.
pub(super) fn keep(conn: &Connection, schema: &Schema, written: &BTreeSet<String>, location: &Location) -> Tried<()> {
    let before = known(conn, location)?;
    let mut forms = before.clone();
    for table in written.iter().filter_map(|name| schema.table(name)) {
        let was = before.get(&table.name).cloned().unwrap_or_default();
        let is_same = |column: &&Column| form_of(column) == was.get(&column.name).map(String::as_str);
        let mut others = table.columns.iter().filter(|column| !is_same(column)).peekable();
        if others.peek().is_some() && has_rows_of_imports(conn, &table.name)? {
            let written = columns_of_imports(conn, &table.name, location)?;
            let is_written = |column: &&Column| {
                written.contains(&column.name) || SchemaDefault::of(column) == Some(SchemaDefault::Clock)
            };
            if let Some(column) = others.find(is_written) {
                return Err(differs(&table.name, column, was.get(&column.name), location).into());
            }
        }
        let now = table.columns.iter().filter_map(|column| Some((column.name.clone(), form_of(column)?.to_owned())));
        forms.insert(table.name.clone(), now.collect());
    }
    forms.retain(|_, forms| !forms.is_empty());
    if forms != before {
        state::put(conn, NAME, &serde_json::json!(forms).to_string())?;
    }
    Ok(())
}

fn form_of(column: &Column) -> Option<&'static str> {
    column.kind.form().map(TimeForm::format)
}

fn has_rows_of_imports(conn: &Connection, table: &str) -> rusqlite::Result<bool> {
    if !catalog::has_table(conn, "treelift_rows")? {
        return Ok(false);
    }
    let text = "SELECT 1 FROM treelift_tables t WHERE t.name = ?1
                AND EXISTS (SELECT 1 FROM treelift_rows r WHERE r.\"table\" = t.id)";
    Ok(conn.query_row(text, [table], |_| Ok(())).optional()?.is_some())
}

/// The columns of a table that imports wrote.
fn columns_of_imports(conn: &Connection, table: &str, location: &Location) -> Tried<BTreeSet<String>> {
    let text = "SELECT c.digested, c.clock FROM treelift_columns c JOIN treelift_tables t ON t.id = c.\"table\" WHERE t.name = ?1";
    let lists: Vec<(String, String)> = sql::all(conn, text, [table])?;
    let what = format!("its columns of `{table}` are no list of names");
    let mut written = BTreeSet::new();
    for names in lists.iter().flat_map(|(digested, clock)| [digested, clock]) {
        let names: Vec<String> =
            serde_json::from_str(names).map_err(|_| state::damaged("treelift_columns", &what, location))?;
        written.extend(names);
    }
    Ok(written)
}

fn differs(table: &str, column: &Column, was: Option<&String>, location: &Location) -> Error {
    let form = |form: Option<&str>| {
        let form = form.or(column.kind.form_of_engine());
        form.map_or_else(|| "as the source has it".to_owned(), |form| format!("as `{form}`"))
    };
    let (was, now) = (form(was.map(String::as_str)), form(form_of(column)));
    let message = format!("an earlier import wrote `{table}.{}` {was}, and the set now writes it {now}", column.name);
    Error::environment(message).at(&location.shown).hint(
        "keep the earlier form under [written] in set.toml; or undo that import first, or import into a new database",
    )
}
