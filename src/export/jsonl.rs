//! One JSON object for each row, in a line of its own.

use super::cells::{self, Outside};
use super::lines::Lines;
use super::odd::Odd;
use crate::database::Cell;
use crate::document::json::write_json_string;
use crate::table::{Column, Table};

/// The lines of a table.
pub(super) struct Jsonl<'t> {
    table: &'t Table,
    /// What stands before the row, and behind it.
    around: (String, &'static str),
    /// By column, its name with what stands around it.
    names: Vec<String>,
    line: String,
}

impl<'t> Jsonl<'t> {
    /// Where several tables are written, each line says of which it is.
    pub(super) fn of(table: &'t Table, several: bool) -> Self {
        let quoted = |text: &str| {
            let mut quoted = String::new();
            write_json_string(&mut quoted, text);
            quoted
        };
        let around = if several {
            (format!("{{\"table\":{},\"row\":{{", quoted(&table.name)), "}}\n")
        } else {
            ("{".to_owned(), "}\n")
        };
        let name =
            |(at, column): (usize, &Column)| format!("{}{}:", if at > 0 { "," } else { "" }, quoted(&column.name));
        let names = table.columns.iter().enumerate().map(name).collect();
        Self { table, around, names, line: String::new() }
    }
}

impl Lines for Jsonl<'_> {
    fn header(&self) -> String {
        String::new()
    }

    fn row(&mut self, cells: &[Cell], odd: &mut Odd) -> &str {
        self.line.clear();
        self.line.push_str(&self.around.0);
        for ((column, name), cell) in self.table.columns.iter().zip(&self.names).zip(cells) {
            self.line.push_str(name);
            let (outside, kind) = cells::of(cell, column.kind);
            kind.iter().for_each(|kind| odd.add(&self.table.name, &column.name, *kind));
            match outside {
                Outside::Null => self.line.push_str("null"),
                Outside::Bare(text) => self.line.push_str(&text),
                Outside::Document(text) => put_document(text, &mut self.line),
                Outside::Text(text) => write_json_string(&mut self.line, &text),
            }
        }
        self.line.push_str(self.around.1);
        &self.line
    }
}

/// Appends a document as it is written, but for whitespace between its parts: it may have line breaks.
fn put_document(text: &str, out: &mut String) {
    let (mut is_inside, mut is_escaped) = (false, false);
    for letter in text.chars() {
        if is_inside {
            is_inside = is_escaped || letter != '"';
            is_escaped = !is_escaped && letter == '\\';
        } else if matches!(letter, ' ' | '\t' | '\r' | '\n') {
            continue; // RFC 8259, section 2: insignificant
        } else {
            is_inside = letter == '"';
        }
        out.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::ColumnType;

    #[test]
    fn a_row_is_one_line_and_says_its_table_where_there_are_several() {
        let column = |name: &str, kind| Column {
            name: name.to_owned(),
            kind,
            declared: String::new(),
            not_null: false,
            default: None,
            primary_key: 0,
        };
        let columns = vec![
            column("table", ColumnType::Text { max: None }),
            column("done", ColumnType::Boolean),
            column("a \"b\"", ColumnType::Json),
        ];
        let table = Table { name: "t".to_owned(), columns, ..Table::default() };
        let mut odd = Odd::default();
        let text = |text: &str| Cell::Text(text.to_owned());
        let cells = [text("two\nlines"), Cell::Integer(1), text("{\n \"x \\\" y\" : [1.0, \"\\\\\", {} ]\r\n}")];
        assert_eq!(
            Jsonl::of(&table, false).row(&cells, &mut odd),
            "{\"table\":\"two\\nlines\",\"done\":true,\"a \\\"b\\\"\":{\"x \\\" y\":[1.0,\"\\\\\",{}]}}\n"
        );
        assert_eq!(
            Jsonl::of(&table, true).row(&[Cell::Null, Cell::Null, text("soon")], &mut odd),
            "{\"table\":\"t\",\"row\":{\"table\":null,\"done\":null,\"a \\\"b\\\"\":\"soon\"}}\n"
        );
        assert_eq!(odd.words().collect::<Vec<_>>(), ["1 value of `t.a \"b\"` is not JSON, and written as a string"]);
    }
}
