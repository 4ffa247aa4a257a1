//! What the types of columns mean, and how their values go over the wire.

use crate::table::{self, ColumnType, Digits};

/// The binary form of a type ("Frontend/Backend Protocol"; the `…recv` functions of the server).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Text,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Bool,
    Timestamp,
    Date,
    Time,
    Uuid,
    Bytea,
    Jsonb,
    /// A list of one dimension: the number of the element's type, and its form.
    List(u32, Element),
}

/// The forms of elements of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Text,
    Int2,
    Int4,
    Int8,
}

/// A declaration in the usual short form: `VARCHAR(32)` of `character varying(32)`, as `format_type` writes it.
pub(super) fn declared(format: &str) -> String {
    if let Some(element) = format.strip_suffix("[]") {
        return format!("{}[]", declared(element));
    }
    let (word, arguments, rest) = parts(format);
    let word = match (word.as_str(), rest) {
        ("CHARACTER VARYING", _) => "VARCHAR",
        ("CHARACTER", _) => "CHAR",
        ("TIMESTAMP", "without time zone") => "TIMESTAMP",
        ("TIMESTAMP", "with time zone") => "TIMESTAMPTZ",
        ("TIME", "without time zone") => "TIME",
        ("TIME", "with time zone") => "TIMETZ",
        (other, _) => other,
    };
    format!("{word}{arguments}")
}

/// `timestamp(3) without time zone` as word, arguments with their parentheses, and what follows.
fn parts(format: &str) -> (String, &str, &str) {
    let zone = format.find(" with time zone").or_else(|| format.find(" without time zone"));
    let (head, rest) = format.split_at(zone.unwrap_or(format.len()));
    let (word, arguments) = head.split_at(head.find('(').unwrap_or(head.len()));
    (word.trim().to_uppercase(), arguments, rest.trim())
}

/// The type that a declaration means.
pub(in crate::database) fn column_type(declared: &str) -> ColumnType {
    known(&self::declared(declared)).map_or(ColumnType::Unknown, |(kind, _)| kind)
}

/// The wire form of a declared type that is known.
pub(super) fn wire(declared: &str) -> Option<Wire> {
    known(declared).map(|(_, wire)| wire)
}

fn known(declared: &str) -> Option<(ColumnType, Wire)> {
    if let Some(element) = declared.strip_suffix("[]") {
        return list(element);
    }
    let (word, arguments, _) = parts(declared);
    let numbers = arguments.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let numbers: Vec<i64> =
        numbers.map_or(Some(Vec::new()), |all| all.split(',').map(|one| one.trim().parse().ok()).collect())?;
    let one = |number: i64| u32::try_from(number).ok();
    Some(match (word.as_str(), numbers.as_slice()) {
        ("TEXT" | "CITEXT" | "VARCHAR", []) => (ColumnType::Text { max: None }, Wire::Text),
        ("VARCHAR", [max]) => (ColumnType::Text { max: Some(one(*max)?) }, Wire::Text),
        ("SMALLINT" | "INT2" | "SMALLSERIAL", []) => (ColumnType::Integer, Wire::Int2),
        ("INTEGER" | "INT" | "INT4" | "SERIAL", []) => (ColumnType::Integer, Wire::Int4),
        ("BIGINT" | "INT8" | "BIGSERIAL", []) => (ColumnType::Integer, Wire::Int8),
        ("REAL" | "FLOAT4", []) => (ColumnType::Real, Wire::Float4),
        ("DOUBLE PRECISION" | "FLOAT8" | "FLOAT", []) => (ColumnType::Real, Wire::Float8),
        ("NUMERIC" | "DECIMAL", []) => (ColumnType::Numeric(None), Wire::Numeric),
        ("NUMERIC" | "DECIMAL", [precision]) => digits(*precision, 0)?,
        ("NUMERIC" | "DECIMAL", [precision, scale]) => digits(*precision, *scale)?,
        ("BOOLEAN" | "BOOL", []) => (ColumnType::Boolean, Wire::Bool),
        // A coarser clock would round without a word.
        ("TIMESTAMP", [] | [6]) => (ColumnType::Time(None), Wire::Timestamp),
        ("TIMESTAMPTZ", [] | [6]) => (ColumnType::Zoned(None), Wire::Timestamp),
        ("DATE", []) => (ColumnType::Date(None), Wire::Date),
        ("TIME", [] | [6]) => (ColumnType::Clock(None), Wire::Time),
        ("UUID", []) => (ColumnType::Uuid, Wire::Uuid),
        ("JSON", []) => (ColumnType::Json, Wire::Text),
        ("JSONB", []) => (ColumnType::JsonValue, Wire::Jsonb),
        ("BYTEA", []) => (ColumnType::Blob, Wire::Bytea),
        _ => return None,
    })
}

/// A list of elements of this type. Their numbers are those of the server's own types, which never change (`pg_type.dat`).
fn list(element: &str) -> Option<(ColumnType, Wire)> {
    let (number, form) = match known(element)? {
        (ColumnType::Text { .. }, _) if element == "TEXT" => (25, Element::Text),
        (ColumnType::Text { .. }, _) if element.starts_with("VARCHAR") => (1043, Element::Text),
        (_, Wire::Int2) => (21, Element::Int2),
        (_, Wire::Int4) => (23, Element::Int4),
        (_, Wire::Int8) => (20, Element::Int8),
        _ => return None,
    };
    let kind = match known(element)?.0 {
        ColumnType::Text { max } => table::Element::Text { max },
        _ => table::Element::Integer,
    };
    Some((ColumnType::List(kind), Wire::List(number, form)))
}

fn digits(precision: i64, scale: i64) -> Option<(ColumnType, Wire)> {
    let digits = Digits { precision: u32::try_from(precision).ok()?, scale: u32::try_from(scale).ok()? };
    (digits.scale <= digits.precision).then_some((ColumnType::Numeric(Some(digits)), Wire::Numeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_declared_in_its_short_form() {
        for (format, short) in [
            ("character varying(32)", "VARCHAR(32)"),
            ("character varying", "VARCHAR"),
            ("character(3)", "CHAR(3)"),
            ("timestamp without time zone", "TIMESTAMP"),
            ("timestamp(3) with time zone", "TIMESTAMPTZ(3)"),
            ("double precision", "DOUBLE PRECISION"),
            ("numeric(10,2)", "NUMERIC(10,2)"),
            ("integer[]", "INTEGER[]"),
            ("character varying(20)[]", "VARCHAR(20)[]"),
            ("timestamp without time zone[]", "TIMESTAMP[]"),
        ] {
            assert_eq!(declared(format), short);
        }
    }

    #[test]
    fn types_are_known_as_far_as_every_value_comes_back() {
        assert_eq!(column_type("character varying(32)"), ColumnType::Text { max: Some(32) });
        assert_eq!(column_type("numeric(5)"), ColumnType::Numeric(Some(Digits { precision: 5, scale: 0 })));
        assert_eq!(column_type("timestamp with time zone"), ColumnType::Zoned(None));
        assert_eq!(column_type("jsonb"), ColumnType::JsonValue);
        assert_eq!(column_type("bigint[]"), ColumnType::List(table::Element::Integer));
        assert_eq!(column_type("character varying(20)[]"), ColumnType::List(table::Element::Text { max: Some(20) }));
        for unknown in [
            "character(3)",
            "timestamp(3) without time zone",
            "interval",
            "integer[][]",
            "timestamp without time zone[]",
            "citext[]",
            "point",
            "numeric(3,-2)",
        ] {
            assert_eq!(column_type(unknown), ColumnType::Unknown, "{unknown}");
        }
    }
}
