//! Which tables are exported, and in which order their rows are.

use super::wanted::{Form, Wanted};
use crate::database::catalog::Catalog;
use crate::database::{Ordered, is_own};
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::mapping::suggest;
use crate::table::Table;
use std::collections::BTreeSet;

/// The tables in the order in which they are written: as they are named, and for a script each behind those that it
/// references. `record` is the table that migrations are recorded in.
///
/// # Errors
/// What cannot be exported, all of it.
pub(super) fn choose<'c>(catalog: &'c Catalog, record: &str, wanted: &'c Wanted) -> Result<Vec<Ordered<'c>>> {
    let (mut tables, mut errors) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for name in &wanted.tables {
        match table(catalog, record, name) {
            Err(error) => errors.push(error),
            Ok(_) if !seen.insert(name) => {
                errors.push(Error::request(format!("the table `{}` is named twice", printable(name))));
            }
            Ok(table) => {
                errors.extend(wanted.order_by.iter().filter_map(|column| missing(table, column)));
                tables.push(table);
            }
        }
    }
    if let Some(error) = Error::all(errors) {
        return Err(error);
    }
    if wanted.form == Form::Sql {
        let order = catalog.schema.parents_first();
        tables.sort_by_key(|table| order.iter().position(|one| one.name == table.name));
    }
    let first: Vec<&str> = wanted.order_by.iter().map(String::as_str).collect();
    Ok(tables.into_iter().map(|table| Ordered::by(table, &first)).collect())
}

fn table<'c>(catalog: &'c Catalog, record: &str, name: &str) -> Result<&'c Table> {
    if let Some(table) = catalog.schema.table(name) {
        return Ok(table);
    }
    let shown = printable(name);
    if name.eq_ignore_ascii_case(record) {
        return Err(Error::request(format!("`{shown}` is the record of migrations, and not exported"))
            .hint("`treelift schema history` lists it"));
    }
    if is_own(name) {
        let error =
            Error::request(format!("`{shown}` is treelift's own, and not exported: it means nothing elsewhere"));
        return Err(error.hint(match name {
            "treelift_keys" | "treelift_sealed_columns" => "`treelift credentials status` tells what it holds",
            "treelift_runs" => "`treelift runs` lists it",
            "treelift_rows" | "treelift_files" | "treelift_columns" | "treelift_tables" => {
                "`treelift explain --row TABLE KEY` shows where a row came from"
            }
            _ => "`treelift backup create` and `treelift transfer` copy the whole database",
        }));
    }
    if let Some(other) = catalog.others.get(name) {
        return Err(Error::request(format!("`{shown}` is a {}, and only tables are exported", other.kind)));
    }
    let error = Error::request(format!("there is no table `{shown}`"));
    Err(error.hint(suggest::hint(name, catalog.schema.tables.keys().map(String::as_str))))
}

/// The error for a column that is not there.
fn missing(table: &Table, column: &str) -> Option<Error> {
    if table.column(column).is_some() {
        return None;
    }
    let (name, shown) = (printable(&table.name), printable(column));
    let error = Error::request(format!("the table `{name}` has no column `{shown}` to be ordered by"));
    Some(error.hint(suggest::hint(column, table.columns.iter().map(|column| column.name.as_str()))))
}

/// What the rows do not say by themselves.
pub(super) fn notes(chosen: &[Ordered<'_>], form: Form) -> Vec<String> {
    let mut notes = Vec::new();
    for table in chosen.iter().map(|rows| rows.table) {
        for column in &table.computed {
            let column = printable(&format!("{}.{column}", table.name));
            notes.push(format!("`{column}` is left out: the database computes it"));
        }
    }
    if form == Form::Sql {
        let is_chosen = |name: &str| chosen.iter().any(|rows| rows.table.name.eq_ignore_ascii_case(name));
        for table in chosen.iter().map(|rows| rows.table) {
            let parents: BTreeSet<&str> = table.foreign_keys.iter().map(|key| key.table.as_str()).collect();
            for parent in parents.into_iter().filter(|parent| !is_chosen(parent)) {
                let (table, parent) = (printable(&table.name), printable(parent));
                notes.push(format!("rows of `{table}` reference rows of `{parent}`, which are not in the script"));
            }
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, ColumnType, ForeignKey};

    fn catalog() -> Catalog {
        let mut catalog = Catalog::default();
        for (name, parent) in [("notes", Some("people")), ("people", None)] {
            let column = Column {
                name: "id".to_owned(),
                kind: ColumnType::Integer,
                declared: "INTEGER".to_owned(),
                not_null: true,
                default: None,
                primary_key: 1,
            };
            let reference = |parent: &str| ForeignKey { table: parent.to_owned(), ..ForeignKey::default() };
            let table = Table {
                name: name.to_owned(),
                columns: vec![column],
                foreign_keys: parent.map(reference).into_iter().collect(),
                computed: parent.map(|_| "length".to_owned()).into_iter().collect(),
                ..Table::default()
            };
            catalog.schema.tables.insert(name.to_owned(), table);
        }
        catalog
    }

    fn wanted(tables: &[&str], form: Form) -> Wanted {
        Wanted { tables: tables.iter().map(|&name| name.to_owned()).collect(), form, order_by: Vec::new() }
    }

    #[test]
    fn a_script_has_parents_first_and_other_forms_what_is_named_first() {
        let catalog = catalog();
        for (form, expected) in [(Form::Csv, ["notes", "people"]), (Form::Sql, ["people", "notes"])] {
            let wanted = wanted(&["notes", "people"], form);
            let chosen = choose(&catalog, "schema_migrations", &wanted).unwrap();
            assert_eq!(chosen.iter().map(|rows| rows.table.name.as_str()).collect::<Vec<_>>(), expected);
        }
        let wanted = wanted(&["notes"], Form::Sql);
        let notes = notes(&choose(&catalog, "schema_migrations", &wanted).unwrap(), Form::Sql);
        assert_eq!(
            notes,
            [
                "`notes.length` is left out: the database computes it",
                "rows of `notes` reference rows of `people`, which are not in the script"
            ]
        );
    }

    #[test]
    fn everything_that_cannot_be_exported_is_said_with_a_way_out() {
        let mut wanted = wanted(&["nots", "treelift_keys", "moves", "people", "people"], Form::Jsonl);
        wanted.order_by.push("ids".to_owned());
        let error = choose(&catalog(), "moves", &wanted).unwrap_err();
        assert_eq!(error.status(), 2);
        assert_eq!(
            error.to_string(),
            "\
there is no table `nots`
hint: did you mean `notes`?
error: `treelift_keys` is treelift's own, and not exported: it means nothing elsewhere
hint: `treelift credentials status` tells what it holds
error: `moves` is the record of migrations, and not exported
hint: `treelift schema history` lists it
error: the table `people` has no column `ids` to be ordered by
hint: did you mean `id`?
error: the table `people` is named twice"
        );
    }
}
