//! SQL functions for migrations and assertions, which other engines have in words of their own. No schema can hang on them, since the application's
//! SQLite does not have them: they are refused in triggers, views, CHECKs and indexes (SQLite's "SQLITE_DIRECTONLY").

use crate::error::Error;
use regex::Regex;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What a function gives instead of a value.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Adds them to a connection.
pub(super) fn add(conn: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    conn.create_scalar_function(c"sha256", 1, flags, sha256)?;
    conn.create_scalar_function(c"regexp", 2, flags, regexp)
}

/// `sha256(X)`: the 32 bytes of SHA-256 (FIPS 180-4) over a blob, or over a text as UTF-8; NULL of NULL.
fn sha256(context: &Context<'_>) -> Result<Option<Vec<u8>>> {
    match context.get_raw(0) {
        ValueRef::Null => Ok(None),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(Some(Sha256::digest(bytes).to_vec())),
        ValueRef::Integer(_) | ValueRef::Real(_) => {
            Err(wrong("sha256() takes a text or a blob: CAST a number to TEXT"))
        }
    }
}

/// `Y REGEXP X` is `regexp(X, Y)`: whether the regular expression X is found in the text Y; NULL where one is NULL
/// ("The LIKE, GLOB, REGEXP, MATCH, and extract operators").
fn regexp(context: &Context<'_>) -> Result<Option<bool>> {
    let (ValueRef::Text(_), ValueRef::Text(text)) = (context.get_raw(0), context.get_raw(1)) else {
        return match (context.get_raw(0), context.get_raw(1)) {
            (ValueRef::Null, _) | (_, ValueRef::Null) => Ok(None),
            _ => Err(wrong("regexp() takes two texts: CAST a number to TEXT")),
        };
    };
    let compiled: Arc<Regex> = context.get_or_create_aux(0, |pattern| -> std::result::Result<Regex, Fault> {
        let fault = |_| -> Fault { Box::new(Error::request("the pattern of regexp() is no regular expression")) };
        Regex::new(pattern.as_str()?).map_err(fault)
    })?;
    let text = std::str::from_utf8(text).map_err(|_| wrong("regexp() takes texts of UTF-8"))?;
    Ok(Some(compiled.is_match(text)))
}

fn wrong(why: &'static str) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(Box::new(Error::request(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask<T: rusqlite::types::FromSql>(sql: &str) -> Result<T> {
        let conn = Connection::open_in_memory()?;
        add(&conn)?;
        conn.query_row(sql, [], |row| row.get(0))
    }

    /// The digests of "abc" and of nothing are those of FIPS 180-4 and its errata.
    #[test]
    fn a_digest_is_of_the_bytes() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(ask::<String>("SELECT lower(hex(sha256('abc')))").unwrap(), abc);
        assert_eq!(ask::<String>("SELECT lower(hex(sha256(x'616263')))").unwrap(), abc);
        assert_eq!(ask::<String>("SELECT lower(hex(sha256('')))").unwrap(), empty);
        assert_eq!(ask::<Option<Vec<u8>>>("SELECT sha256(NULL)").unwrap(), None);
        assert!(ask::<Vec<u8>>("SELECT sha256(1)").is_err());
    }

    #[test]
    fn an_expression_is_searched_for() {
        assert_eq!(ask::<Option<bool>>("SELECT 'node-17' REGEXP '^node-[0-9]+$'").unwrap(), Some(true));
        assert_eq!(ask::<Option<bool>>("SELECT 'a node-17' REGEXP '^node'").unwrap(), Some(false));
        assert_eq!(ask::<Option<bool>>("SELECT NULL REGEXP 'a'").unwrap(), None);
        assert!(ask::<Option<bool>>("SELECT 'a' REGEXP '('").is_err());
        assert!(ask::<Option<bool>>("SELECT 1 REGEXP '1'").is_err());
    }

    #[test]
    fn no_schema_can_hang_on_them() {
        let conn = Connection::open_in_memory().unwrap();
        add(&conn).unwrap();
        let refused = |sql: &str| conn.execute_batch(sql).is_err();
        assert!(refused("CREATE TABLE a (x TEXT CHECK (x REGEXP '^a')); INSERT INTO a VALUES ('a')"));
        assert!(refused("CREATE VIEW v AS SELECT sha256('a') AS digest; SELECT * FROM v"));
    }
}
