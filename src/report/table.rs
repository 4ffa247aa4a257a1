//! Lists with aligned columns.

use crate::finding::printable;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// A list with a header. The columns from `numbers` on stand at the right; where a width is given, longer cells are
/// broken to fit it.
pub fn table(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    numbers: usize,
    width: Option<u16>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().copied());
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table.add_rows(rows.into_iter().map(|row| row.iter().map(|cell| printable(cell)).collect::<Vec<_>>()));
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if at >= numbers {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{}\n", table.trim_fmt())
}
