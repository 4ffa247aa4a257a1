//! The default that a column has in the schema, where a policy asks for it by the word `"default"`.

use crate::instant::Instant;
use crate::step::{Datum, Literal};
use crate::table::{Column, ColumnType};
use jiff::tz::Offset;

/// What a column's default gives.
#[derive(Debug, Clone, PartialEq)]
pub enum SchemaDefault {
    /// A constant.
    Constant(Literal),
    /// A clock, which is the run's start time.
    Clock,
}

impl SchemaDefault {
    /// The default of a column: none where it has none, or one that only the database can work out.
    pub fn of(column: &Column) -> Option<Self> {
        let mut sql = column.default.as_deref()?.trim();
        while let Some(inner) = sql.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            sql = inner.trim();
        }
        let word = sql.to_ascii_lowercase();
        let clocks: &[&str] = match column.kind {
            ColumnType::Time(_) | ColumnType::Zoned(_) => {
                &["current_timestamp", "datetime('now')", "datetime(\"now\")", "datetime()", "now()"]
            }
            ColumnType::Clock(_) => &["current_time", "time('now')", "time(\"now\")", "time()"],
            ColumnType::Date(_) => &["current_date", "date('now')", "date(\"now\")", "date()"],
            _ => &[],
        };
        if clocks.contains(&word.as_str()) {
            return Some(Self::Clock);
        }
        let literal = match word.as_str() {
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            _ => match (quoted(sql), sql.parse::<i64>(), sql.parse::<f64>()) {
                (Some(text), ..) => Literal::Text(text),
                // A boolean column keeps 1 and 0.
                (None, Ok(number @ (0 | 1)), _) if column.kind == ColumnType::Boolean => Literal::Bool(number == 1),
                (None, Ok(number), _) => Literal::Integer(number),
                (None, Err(_), Ok(number)) if number.is_finite() => Literal::Real(number),
                _ => return None,
            },
        };
        Some(Self::Constant(literal))
    }
}

/// What a constant text of the schema means in a column: a time as the database keeps it, whatever the source writes,
/// and JSON in a column of that. One in UTC where the column takes moments alone.
pub fn datum(text: &str, kind: ColumnType) -> Datum {
    let time = match kind {
        ColumnType::Time(_) | ColumnType::Zoned(_) => kind.stored_time(text).and_then(|time| {
            if kind.takes_moments() {
                Instant::at(time, Offset::UTC).map(|at| Datum::Instant(at, None))
            } else {
                Some(Datum::Civil(time))
            }
        }),
        ColumnType::Date(_) => kind.stored_time(text).map(|time| Datum::Day(time.date())),
        ColumnType::Json | ColumnType::JsonValue => Some(Datum::Json(text.to_owned())),
        _ => None,
    };
    time.unwrap_or_else(|| Datum::Text(text.to_owned()))
}

/// The text of a string in SQL.
fn quoted(sql: &str) -> Option<String> {
    let inner = sql.strip_prefix('\'')?.strip_suffix('\'')?;
    let text = inner.replace("''", "\u{0}");
    (!text.contains('\'')).then(|| text.replace('\u{0}', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_read_as_they_are_and_clocks_are_known() {
        let of = |kind, sql: &str| {
            SchemaDefault::of(&Column {
                name: "c".to_owned(),
                kind,
                declared: String::new(),
                not_null: true,
                default: Some(sql.to_owned()),
                primary_key: 0,
            })
        };
        let text = ColumnType::Text { max: None };
        let constant = |literal| Some(SchemaDefault::Constant(literal));
        assert_eq!(of(text, "'it''s'"), constant(Literal::Text("it's".to_owned())));
        assert_eq!(of(ColumnType::Integer, "(-3)"), constant(Literal::Integer(-3)));
        assert_eq!(of(ColumnType::Real, "0.5"), constant(Literal::Real(0.5)));
        assert_eq!(of(ColumnType::Boolean, "0"), constant(Literal::Bool(false)));
        assert_eq!(of(ColumnType::Boolean, "TRUE"), constant(Literal::Bool(true)));
        assert_eq!(of(ColumnType::Time(None), "CURRENT_TIMESTAMP"), Some(SchemaDefault::Clock));
        assert_eq!(of(ColumnType::Zoned(None), "current_timestamp"), Some(SchemaDefault::Clock));
        assert_eq!(of(ColumnType::Date(None), "(date('now'))"), Some(SchemaDefault::Clock));
        for other in ["lower('A')", "'a' || 'b'", "CURRENT_TIMESTAMP", "random()"] {
            assert_eq!(of(text, other), None, "{other}");
        }
    }
}
