//! Ids that a migration's `-- ids:` line makes of rows of the database: by the expressions of mappings, so that rows that are
//! moved in place get the ids that an import of their source would give them.

use crate::database::Cell;
use crate::document::tape::{Kind, Tape};
use crate::error::{Error, Result};
use crate::finding::FileId;
use crate::mapping::apply::{FileContext, compared_text};
use crate::mapping::load::id_expression;
use crate::mapping::model::Set;
use crate::table::IdsLine;

/// Puts the id that the line's expression gives behind each of these rows of its query.
///
/// # Errors
/// When a row has another number of columns than the line names before the id, or the expression gives nothing for one.
pub(super) fn with_ids(set: &Set, line: &IdsLine, rows: Vec<Vec<Cell>>) -> Result<Vec<Vec<Cell>>> {
    let expr = id_expression(line)?;
    let wrong = |why: String| {
        Error::environment(format!("the ids of `{}` cannot be made: {why}; nothing was changed", line.table))
            .at(&line.place)
    };
    let named = line.columns.len() - 1;
    let file = FileContext {
        id: FileId(0),
        path: "",
        captures: Vec::new(),
        directory: None,
        owner: None,
        started: jiff::Timestamp::UNIX_EPOCH,
        namespace: set.namespace,
        keeps_nul: true,
    };
    let mut tape = Tape::new(false);
    let mut all = Vec::with_capacity(rows.len());
    for mut row in rows {
        if row.len() != named {
            let gives = crate::report::words::count(row.len() as u64, "column");
            return Err(wrong(format!("the query gives {gives}, and the line names {named} before the id")));
        }
        tape.clear();
        let object = tape.push(Kind::Object, None, "", 0);
        for (name, cell) in line.columns.iter().zip(&row) {
            let (kind, text) = match cell {
                Cell::Null => (Kind::Null, String::new()),
                Cell::Integer(number) => (Kind::Number, number.to_string()),
                Cell::Real(number) => (Kind::Number, number.to_string()),
                Cell::Text(text) => (Kind::String, text.clone()),
                Cell::Blob(_) => return Err(wrong(format!("`{name}` holds bytes, of which no id is made"))),
            };
            tape.push(kind, Some(name), &text, 0);
        }
        tape.close(object);
        let Some(id) = compared_text(&expr, None, &file, &tape) else {
            let number = all.len() + 1;
            return Err(wrong(format!("its expression gives nothing for row {number} of the query")));
        };
        row.push(Cell::Text(id));
        all.push(row);
    }
    Ok(all)
}
