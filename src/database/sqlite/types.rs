//! What declared types mean.

use crate::table::{ColumnType, Digits};

/// The type that a declaration means, as far as it agrees with the affinity that SQLite gives it
/// ("Datatypes In SQLite", 3.1): a column of NUMERIC affinity would turn text that says a number into one.
pub(in crate::database) fn column_type(declared: &str) -> ColumnType {
    known_type(declared).unwrap_or(ColumnType::Unknown)
}

fn known_type(declared: &str) -> Option<ColumnType> {
    let (word, arguments) = match declared.split_once('(') {
        None => (declared, None),
        Some((word, rest)) => {
            let arguments = rest.strip_suffix(')')?.split(',');
            (word, Some(arguments.map(|length| length.trim().parse().ok()).collect::<Option<Vec<u32>>>()?))
        }
    };
    let word = word.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
    let word = word.strip_prefix("UNSIGNED ").or_else(|| word.strip_suffix(" UNSIGNED")).unwrap_or(&word);
    Some(match (word, arguments.as_deref()) {
        ("TEXT" | "CLOB" | "TINYTEXT" | "MEDIUMTEXT" | "LONGTEXT" | "CITEXT", None) => ColumnType::Text { max: None },
        (
            "VARCHAR" | "NVARCHAR" | "CHAR" | "NCHAR" | "CHARACTER" | "CHARACTER VARYING" | "VARYING CHARACTER"
            | "NATIVE CHARACTER" | "VARCHAR2" | "NVARCHAR2",
            length @ (None | Some([_])),
        ) => ColumnType::Text { max: length.map(|length| length[0]) },
        ("NUMERIC" | "DECIMAL" | "DEC", None) => ColumnType::Numeric(None),
        ("NUMERIC" | "DECIMAL" | "DEC", Some([precision])) => digits(*precision, 0)?,
        ("NUMERIC" | "DECIMAL" | "DEC", Some([precision, scale])) => digits(*precision, *scale)?,
        ("TINYINT", Some([1])) => ColumnType::Flag,
        // The width is one of display alone.
        (
            "INTEGER" | "INT" | "BIGINT" | "BIG INT" | "SMALLINT" | "TINYINT" | "MEDIUMINT" | "INT2" | "INT4" | "INT8"
            | "SERIAL" | "BIGSERIAL" | "SMALLSERIAL",
            None | Some([_]),
        ) => ColumnType::Integer,
        ("BOOLEAN" | "BOOL", None) => ColumnType::Boolean,
        ("DATETIME" | "TIMESTAMP" | "TIMESTAMP WITHOUT TIME ZONE", None) => ColumnType::Time(None),
        ("TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" | "DATETIME WITH TIME ZONE", None) => ColumnType::Zoned(None),
        ("DATE", None) => ColumnType::Date(None),
        ("TIME", None) => ColumnType::Clock(None),
        ("UUID", None) => ColumnType::Uuid,
        ("", None) => ColumnType::Untyped,
        ("JSON" | "JSONB", None) => ColumnType::Json,
        ("REAL" | "DOUBLE PRECISION", None) => ColumnType::Real,
        ("FLOAT" | "DOUBLE", None | Some([_] | [_, _])) => ColumnType::Real,
        ("BLOB" | "TINYBLOB" | "MEDIUMBLOB" | "LONGBLOB" | "BYTEA", None) => ColumnType::Blob,
        _ => return None,
    })
}

fn digits(precision: u32, scale: u32) -> Option<ColumnType> {
    (scale <= precision).then_some(ColumnType::Numeric(Some(Digits { precision, scale })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_proposed_is_a_type() {
        for word in crate::mapping::check::TYPE_WORDS {
            assert_ne!(column_type(word), ColumnType::Unknown, "{word}");
        }
    }

    #[test]
    fn declared_types_are_read_whatever_application_declares_them() {
        assert_eq!(column_type("varchar(32)"), ColumnType::Text { max: Some(32) });
        assert_eq!(column_type("VARCHAR"), ColumnType::Text { max: None });
        assert_eq!(column_type("DECIMAL"), ColumnType::Numeric(None));
        assert_eq!(column_type("DECIMAL(10, 2)"), ColumnType::Numeric(Some(Digits { precision: 10, scale: 2 })));
        assert_eq!(column_type("NUMERIC(5)"), ColumnType::Numeric(Some(Digits { precision: 5, scale: 0 })));
        assert_eq!(column_type("double  precision"), ColumnType::Real);
        assert_eq!(column_type("TIMESTAMP"), ColumnType::Time(None));
        assert_eq!(column_type("timestamp  with time zone"), ColumnType::Zoned(None));
        assert_eq!(column_type("TIMESTAMPTZ"), ColumnType::Zoned(None));
        assert_eq!(column_type("date"), ColumnType::Date(None));
        assert_eq!(column_type("TIME"), ColumnType::Clock(None));
        assert_eq!(column_type("uuid"), ColumnType::Uuid);
        assert_eq!(column_type("TINYINT(1)"), ColumnType::Flag);
        assert_eq!(column_type("BYTEA"), ColumnType::Blob);
        assert_eq!(column_type(""), ColumnType::Untyped);
        for integer in ["TINYINT(4)", "INTEGER(4)", "int unsigned", "UNSIGNED BIG INT", "SERIAL", "Int8"] {
            assert_eq!(column_type(integer), ColumnType::Integer, "{integer}");
        }
        for unknown in [
            "GEOMETRY",
            "VARCHAR(x)",
            "VARCHAR(3",
            "STRING",
            "ANY",
            "BIT(1)",
            "ENUM('a','b')",
            "DECIMAL(2,5)",
            "TEXT(10)",
        ] {
            assert_eq!(column_type(unknown), ColumnType::Unknown, "{unknown}");
        }
    }

    /// What SQLite makes of a text that says a number: only a column that keeps it is one of text.
    #[test]
    fn known_types_have_the_affinity_of_what_they_mean() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        for declared in [
            "TEXT",
            "CLOB",
            "TINYTEXT",
            "CITEXT",
            "VARCHAR(3)",
            "NATIVE CHARACTER(70)",
            "VARYING CHARACTER",
            "INT",
            "TINYINT(1)",
            "INTEGER UNSIGNED",
            "UNSIGNED BIG INT",
            "SERIAL",
            "BIGSERIAL",
            "DOUBLE PRECISION",
            "FLOAT(8)",
            "REAL",
            "DECIMAL(5,2)",
            "LONGBLOB",
            "JSONB",
        ] {
            conn.execute_batch(&format!(
                "DROP TABLE IF EXISTS t; CREATE TABLE t (c {declared}); INSERT INTO t VALUES ('007')"
            ))
            .unwrap();
            let kept: String = conn.query_row("SELECT typeof(c) FROM t", [], |row| row.get(0)).unwrap();
            let expected = match column_type(declared) {
                ColumnType::Text { .. } | ColumnType::Blob => "text",
                ColumnType::Integer | ColumnType::Flag | ColumnType::Numeric(_) | ColumnType::Json => "integer",
                ColumnType::Real => "real",
                other => panic!("{declared} is {other:?}"),
            };
            assert_eq!(kept, expected, "{declared}");
        }
    }
}
