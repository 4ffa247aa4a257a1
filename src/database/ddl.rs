//! Tables as SQL that every engine takes: schemas that are written as a draft to be edited, and questions about references.

use crate::table::{ForeignKey, Table};

/// A column to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewColumn {
    /// Its name.
    pub name: String,
    /// Its type as declared.
    pub declared: String,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// The table and column that it refers to.
    pub references: Option<(String, String)>,
}

/// The query of the rows of a table, by its primary key, that reference a row with another value in a column of the same name.
pub fn crossing(table: &Table, key: &ForeignKey, column: &str) -> String {
    let row = table.primary_key();
    let shown = if row.is_empty() { key.columns.iter().map(String::as_str).collect() } else { row };
    let shown: Vec<String> = shown.into_iter().map(|one| format!("c.{}", name(one))).collect();
    let meets = key.columns.iter().zip(&key.to).map(|(from, to)| format!("p.{} = c.{}", name(to), name(from)));
    format!(
        "SELECT {} FROM {} c JOIN {} p ON {} WHERE c.{column} IS DISTINCT FROM p.{column}",
        shown.join(", "),
        name(&table.name),
        name(&key.table),
        meets.collect::<Vec<_>>().join(" AND "),
        column = name(column)
    )
}

/// The statement that makes a table; without a key it gets an integer one of this name.
pub fn create_table(table: &str, columns: &[NewColumn], key: &[String], given: &str) -> String {
    let mut lines = Vec::new();
    if key.is_empty() {
        lines.push(format!("    {} INTEGER PRIMARY KEY", name(given)));
    }
    for column in columns {
        let not_null = if column.not_null { " NOT NULL" } else { "" };
        let references = column
            .references
            .as_ref()
            .map_or_else(String::new, |(table, column)| format!(" REFERENCES {} ({})", name(table), name(column)));
        lines.push(format!("    {} {}{not_null}{references}", name(&column.name), column.declared));
    }
    if !key.is_empty() {
        let key: Vec<String> = key.iter().map(|column| name(column)).collect();
        lines.push(format!("    PRIMARY KEY ({})", key.join(", ")));
    }
    format!("CREATE TABLE {} (\n{}\n);\n", name(table), lines.join(",\n"))
}

/// A name as an identifier, the same in every engine.
pub(super) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Asks for columns of every row of a table; for nothing of them where none are named.
pub fn query(table: &str, columns: &[&str]) -> String {
    let table = name(table);
    // In SQLite a name in quotes alone may be a text.
    let columns: Vec<String> = columns.iter().map(|column| format!("{table}.{}", name(column))).collect();
    let columns = if columns.is_empty() { "1".to_owned() } else { columns.join(", ") };
    format!("SELECT {columns} FROM {table}")
}

/// The statement that drops a table.
pub fn drop_table(table: &str) -> String {
    format!("DROP TABLE {};\n", name(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_key_that_is_given_or_one_of_its_own() {
        let column = |name: &str, not_null| NewColumn {
            name: name.to_owned(),
            declared: "TEXT".to_owned(),
            not_null,
            references: (name == "of").then(|| ("b".to_owned(), "id".to_owned())),
        };
        assert_eq!(
            create_table("a b", &[column("id", true), column("order", false)], &["id".to_owned()], "row_id"),
            "CREATE TABLE \"a b\" (\n    \"id\" TEXT NOT NULL,\n    \"order\" TEXT,\n    PRIMARY KEY (\"id\")\n);\n"
        );
        assert_eq!(
            create_table("a", &[column("b", false), column("of", true)], &[], "row_id"),
            "CREATE TABLE \"a\" (\n    \"row_id\" INTEGER PRIMARY KEY,\n    \"b\" TEXT,\n    \"of\" TEXT NOT NULL REFERENCES \"b\" (\"id\")\n);\n"
        );
        assert_eq!(drop_table("a"), "DROP TABLE \"a\";\n");
    }
}
