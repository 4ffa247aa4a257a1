//! Cells of the database as the values that a rule would have written into them.

use crate::database::Cell;
use crate::import::plan::Plan;
use crate::instant::Instant;
use crate::row::Value;
use crate::table::ColumnType;
use jiff::tz::Offset;

/// How the cells of some of a table's columns are read.
pub(crate) struct Stored(Vec<StoredAs>);

impl Stored {
    /// Of these columns.
    pub(crate) fn of(plan: &Plan, table: &str, columns: &[&str]) -> Self {
        let known = plan.schema.table(table);
        let stored = |column: &&str| StoredAs {
            kind: known.and_then(|table| table.column(column)).map(|column| column.kind),
            instant: plan.writes_instants(table, column),
        };
        Self(columns.iter().map(stored).collect())
    }

    /// The values that a rule would have written for these cells.
    pub(crate) fn values(&self, cells: impl IntoIterator<Item = Cell>) -> impl Iterator<Item = Value> {
        cells.into_iter().zip(&self.0).map(|(cell, stored)| cell_value(cell, *stored))
    }
}

/// A cell of the target as the value that a rule would have written into its column.
fn cell_value(cell: Cell, kind: StoredAs) -> Value {
    match (cell, kind.kind) {
        (Cell::Blob(bytes), Some(ColumnType::Blob | ColumnType::Untyped)) => Value::Bytes(bytes.into()),
        (Cell::Null | Cell::Blob(_), _) => Value::Null,
        (Cell::Integer(value @ (0 | 1)), Some(ColumnType::Boolean)) => Value::Bool(value == 1),
        (Cell::Integer(value), _) => Value::Integer(value),
        (Cell::Real(value), _) => Value::Real(value),
        (Cell::Text(text), Some(kept)) if matches!(kept, ColumnType::Time(_) | ColumnType::Zoned(_)) => {
            time_value(&text, kept, kind.instant || kept.takes_moments()).unwrap_or(Value::Text(text.into()))
        }
        (Cell::Text(text), Some(kept @ ColumnType::Date(_))) => {
            kept.stored_time(&text).map_or(Value::Text(text.into()), |time| Value::Day(time.date()))
        }
        (Cell::Text(text), Some(kept @ ColumnType::Clock(Some(form)))) => {
            let time = kept.stored_time(&text).and_then(|time| form.write(time));
            Value::Text(time.unwrap_or(text).into())
        }
        (Cell::Text(text), Some(ColumnType::Json | ColumnType::JsonValue | ColumnType::List(_))) => {
            Value::Json(text.into())
        }
        (Cell::Text(text), _) => Value::Text(text.into()),
    }
}

/// How the cells of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StoredAs {
    kind: Option<ColumnType>,
    /// Whether rules write instants into it, rather than times without a zone.
    instant: bool,
}

/// A stored time: with a zone it is an instant; without one the column decides.
fn time_value(text: &str, kind: ColumnType, instant: bool) -> Option<Value> {
    let time = kind.stored_time(text)?;
    if instant { Instant::at(time, Offset::UTC).map(Value::Instant) } else { Some(Value::Civil(time)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_the_value_that_was_written() {
        let of = |cell, kind, instant| cell_value(cell, StoredAs { kind: Some(kind), instant });
        let text = |text: &str| Cell::Text(text.to_owned());
        assert!(of(Cell::Integer(1), ColumnType::Boolean, false) == Value::Bool(true));
        assert!(of(Cell::Integer(2), ColumnType::Boolean, false) == Value::Integer(2));
        assert!(of(Cell::Integer(1), ColumnType::Integer, false) == Value::Integer(1));
        assert!(of(text("{}"), ColumnType::Json, false) == Value::Json("{}".into()));
        let stored = "2025-05-07 15:09:12.500000";
        let civil = Value::Civil("2025-05-07T15:09:12.5".parse().unwrap());
        let moment = Value::Instant("2025-05-07T15:09:12.5Z".parse().unwrap());
        assert!(of(text(stored), ColumnType::Time(None), false) == civil);
        assert!(of(text(stored), ColumnType::Time(None), true) == moment);
        assert!(of(text("2025-05-07 10:09:12.5-05:00"), ColumnType::Time(None), true) == moment);
        assert!(of(text("soon"), ColumnType::Time(None), true) == Value::Text("soon".into()));
    }
}
