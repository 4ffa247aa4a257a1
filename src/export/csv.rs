//! Comma-separated values (RFC 4180), as `COPY … WITH (FORMAT csv, HEADER)` of PostgreSQL reads and writes them: NULL is
//! nothing at all, and the empty text is `""`. The usual libraries cannot tell the two apart.

use super::cells::{self, Outside};
use super::lines::Lines;
use super::odd::{Kind, Odd};
use crate::database::Cell;
use crate::table::Table;
use memchr::{memchr, memchr3};

/// The lines of a table.
pub(super) struct Csv<'t> {
    table: &'t Table,
    line: String,
}

impl<'t> Csv<'t> {
    pub(super) fn of(table: &'t Table) -> Self {
        Self { table, line: String::new() }
    }
}

impl Lines for Csv<'_> {
    fn header(&self) -> String {
        let mut line = String::new();
        for (at, column) in self.table.columns.iter().enumerate() {
            line.push_str(if at > 0 { "," } else { "" });
            put_text(&column.name, &mut line);
        }
        line + END
    }

    fn row(&mut self, cells: &[Cell], odd: &mut Odd) -> &str {
        self.line.clear();
        for (at, (column, cell)) in self.table.columns.iter().zip(cells).enumerate() {
            self.line.push_str(if at > 0 { "," } else { "" });
            let (outside, kind) = cells::of(cell, column.kind);
            // A document stands as it is stored, whether it is one or not.
            let kind = kind.filter(|kind| *kind == Kind::Bytes);
            kind.iter().for_each(|kind| odd.add(&self.table.name, &column.name, *kind));
            match outside {
                Outside::Null => {}
                Outside::Bare(text) => self.line.push_str(&text),
                Outside::Document(text) => put_text(text, &mut self.line),
                Outside::Text(text) => put_text(&text, &mut self.line),
            }
        }
        self.line.push_str(END);
        &self.line
    }
}

const END: &str = "\r\n";

/// Appends a text, in quotes where it needs some: so does an empty one, and `\.`, which ends the rows for older servers.
fn put_text(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let is_special = || memchr3(b'"', b',', b'\n', bytes).or_else(|| memchr(b'\r', bytes)).is_some();
    if text.is_empty() || text == "\\." || is_special() {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, ColumnType};

    fn table(columns: &[(&str, ColumnType)]) -> Table {
        let column = |(name, kind): &(&str, ColumnType)| Column {
            name: (*name).to_owned(),
            kind: *kind,
            declared: String::new(),
            not_null: false,
            default: None,
            primary_key: 0,
        };
        Table { name: "t".to_owned(), columns: columns.iter().map(column).collect(), ..Table::default() }
    }

    #[test]
    fn nothing_the_empty_text_and_what_needs_quotes_are_told_apart() {
        const TEXT: ColumnType = ColumnType::Text { max: None };
        let table = table(&[("id", ColumnType::Integer), ("a \"b\"", TEXT), ("c,d", ColumnType::Json)]);
        let mut lines = Csv::of(&table);
        let mut odd = Odd::default();
        assert_eq!(lines.header(), "id,\"a \"\"b\"\"\",\"c,d\"\r\n");
        let text = |text: &str| Cell::Text(text.to_owned());
        let mut row = |cells: [Cell; 3]| lines.row(&cells, &mut odd).to_owned();
        assert_eq!(row([Cell::Integer(1), Cell::Null, Cell::Null]), "1,,\r\n");
        assert_eq!(row([Cell::Integer(2), text(""), text("{\"a\": [1, 2]}")]), "2,\"\",\"{\"\"a\"\": [1, 2]}\"\r\n");
        assert_eq!(row([Cell::Integer(3), text("two\nlines"), text("soon")]), "3,\"two\nlines\",soon\r\n");
        assert_eq!(row([Cell::Integer(4), text(" ü, "), text("7")]), "4,\" ü, \",7\r\n");
        assert_eq!(row([Cell::Null, text("\\."), text("a;b\tc")]), ",\"\\.\",a;b\tc\r\n");
        assert_eq!(row([Cell::Null, Cell::Blob(vec![255]), Cell::Null]), ",/w==,\r\n");
        assert_eq!(odd.words().collect::<Vec<_>>(), ["1 value of `t.a \"b\"` is bytes, and written as base64"]);
    }
}
