//! The rows of a table in an order that hangs on nothing but the rows.

use crate::table::Table;

/// The rows of one table, in an order: those of the same rows are the same.
#[derive(Debug, Clone)]
pub struct Ordered<'t> {
    /// The table. Its rows are read with all columns but those that the database computes.
    pub table: &'t Table,
    /// The names of the columns that they are ordered by, the first one before the others.
    pub order: Vec<&'t str>,
}

impl<'t> Ordered<'t> {
    /// By these columns first, then by the primary key; where that does not tell every row from every other, by all
    /// columns at last.
    pub fn by(table: &'t Table, first: &[&'t str]) -> Self {
        let key = table.primary_key();
        let is_integer = table.integer_key().is_some();
        // A key may hold NULLs in some engines, and they equal nothing.
        let never_null = |name: &&str| table.column(name).is_some_and(|column| column.not_null);
        let tells_all = !key.is_empty() && (is_integer || key.iter().all(never_null));
        let all = table.columns.iter().map(|column| column.name.as_str()).filter(|_| !tells_all);
        let mut order: Vec<&str> = Vec::new();
        for name in first.iter().copied().chain(key).chain(all) {
            if !order.contains(&name) {
                order.push(name);
            }
        }
        Self { table, order }
    }

    /// The names of its columns.
    pub fn columns(&self) -> Vec<&'t str> {
        self.table.columns.iter().map(|column| column.name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, ColumnType};

    #[test]
    fn rows_are_ordered_by_what_tells_them_apart() {
        let column = |name: &str, kind, not_null, primary_key| Column {
            name: name.to_owned(),
            kind,
            declared: String::new(),
            not_null,
            default: None,
            primary_key,
        };
        let text = ColumnType::Text { max: None };
        let of = |columns: &[Column], first: &[&'static str]| {
            let table = Table { columns: columns.to_vec(), ..Table::default() };
            Ordered::by(&table, first).order.join(" ")
        };
        let title = column("title", text, false, 0);
        assert_eq!(of(&[title.clone(), column("id", ColumnType::Integer, false, 1)], &[]), "id");
        assert_eq!(of(&[title.clone(), column("id", text, true, 1)], &["title"]), "title id");
        assert_eq!(of(&[title.clone(), column("id", text, false, 1)], &[]), "id title");
        assert_eq!(of(&[title.clone(), column("id", text, true, 0)], &["id"]), "id title");
        assert_eq!(of(&[column("b", text, true, 2), title, column("a", text, true, 1)], &[]), "a b");
    }
}
