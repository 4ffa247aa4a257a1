//! What a cell of one database means in a column of another.

use crate::database::Cell;
use crate::row::Value;
use crate::table::ColumnType;

/// What a stored cell of a column of the type `from` means, for a column of the type `to`. Whether that column keeps
/// such a value is not judged here.
pub(super) fn of(cell: &Cell, from: ColumnType, to: ColumnType) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::Integer(*number),
        Cell::Real(number) => Value::Real(*number),
        Cell::Blob(bytes) => Value::Bytes(bytes.as_slice().into()),
        Cell::Text(text) => text_of(text, from, to),
    }
}

fn text_of(text: &str, from: ColumnType, to: ColumnType) -> Value {
    let plain = || Value::Text(text.into());
    match to {
        ColumnType::Time(_) | ColumnType::Zoned(_) | ColumnType::Date(_) | ColumnType::Clock(_) => {
            // In the form of one set it may stand there, and in no form here.
            let time = from.stored_time(text).or_else(|| to.stored_time(text));
            time.and_then(|time| Value::of_time(time, to)).unwrap_or_else(plain)
        }
        ColumnType::Json | ColumnType::JsonValue | ColumnType::List(_) => Value::Json(text.into()),
        _ => plain(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn a_cell_means_the_same_in_columns_of_other_types() {
        let written = |form: &str| ColumnType::Time(None).written_as(form).unwrap().unwrap();
        let zoned = written("%Y-%m-%dT%H:%M:%S%.3fZ");
        let (time, noon) = (ColumnType::Time(None), text("2026-03-04 12:00:00.500000"));
        assert_eq!(of(&noon, time, time), Value::Civil("2026-03-04T12:00:00.5".parse().unwrap()));
        assert_eq!(of(&text("2026-03-04T12:00:00.500Z"), zoned, time), of(&noon, time, time));
        assert_eq!(of(&noon, time, zoned).kind_name(), "an instant");
        assert_eq!(of(&text("soon"), time, time), Value::Text("soon".into()));
        assert_eq!(of(&text("[1]"), ColumnType::Text { max: None }, ColumnType::Json), Value::Json("[1]".into()));
        assert_eq!(of(&text("[1]"), ColumnType::Json, ColumnType::Text { max: None }), Value::Text("[1]".into()));
        assert_eq!(of(&Cell::Integer(1), ColumnType::Flag, ColumnType::Boolean), Value::Integer(1));
        assert_eq!(
            of(&text("10:00:00.5"), ColumnType::Clock(None), ColumnType::Clock(None)),
            Value::Text("10:00:00.5".into())
        );
    }
}
