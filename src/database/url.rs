//! Database URLs: which database to use. What may be shown of one never holds a password.

use super::Database;
use super::sqlite::SqliteDatabase;
use crate::error::{Error, Result};
use crate::finding::printable;
use std::path::Path;

const FORMS: &str = "write `sqlite:///./notes.db`, `sqlite:////srv/notes.db` or a path";

/// Opens the database that a URL or a path names. Nothing is created or changed by it.
pub fn open(url: &str) -> Result<Box<dyn Database>> {
    let path = sqlite_path(url)?;
    Ok(Box::new(SqliteDatabase::new(url, Path::new(path))?))
}

/// A new database to try migrations on; it vanishes when it is dropped. The name tells one user of it from
/// another.
pub fn trial(name: &str) -> Result<Box<dyn Database>> {
    Ok(Box::new(SqliteDatabase::trial(Path::new(name))?))
}

/// The path that an SQLite URL names, as SQLAlchemy reads it, or the bare path.
fn sqlite_path(url: &str) -> Result<&str> {
    let path = match url.split_once("://") {
        None => bare(url)?,
        Some((scheme, rest)) => {
            // SQLAlchemy's `dialect+driver`: which Python driver was meant does not matter here.
            match scheme.split('+').next().unwrap_or_default() {
                "sqlite" => below_scheme(rest)?,
                "postgresql" | "postgres" => return Err(postgres()),
                other => {
                    return Err(Error::request(format!("unknown database type `{}`", printable(other))).hint(FORMS));
                }
            }
        }
    };
    match path {
        "" | ":memory:" => Err(Error::request("an in-memory database would be lost when treelift exits").hint(FORMS)),
        path if path.contains('\0') => Err(Error::request("the database's path holds U+0000").hint(FORMS)),
        path => Ok(path),
    }
}

/// What follows `sqlite://`: an empty host, a slash, and the path.
fn below_scheme(rest: &str) -> Result<&str> {
    if rest.is_empty() {
        return Ok("");
    }
    let Some(path) = rest.strip_prefix('/') else {
        return Err(Error::request(
            "an SQLite URL has three slashes before a relative path, four before an absolute one",
        )
        .hint(FORMS));
    };
    if path.contains('?') {
        return Err(Error::request("options after `?` are not supported in an SQLite URL").hint(FORMS));
    }
    Ok(path)
}

fn bare(path: &str) -> Result<&str> {
    let scheme = path.split(':').next().unwrap_or_default();
    match scheme {
        "postgresql" | "postgres" if path.len() > scheme.len() => Err(postgres()),
        // SQLite would read it as a URI with options of its own.
        "file" if path.len() > scheme.len() => {
            Err(Error::request("a `file:` URI is not supported as a database URL").hint(FORMS))
        }
        "sqlite" if path == "sqlite::memory:" => Ok(":memory:"),
        "sqlite" if path.len() > scheme.len() => Err(Error::request("this is not an SQLite URL").hint(FORMS)),
        "" if path.is_empty() => Err(Error::request("the database's URL is empty").hint(FORMS)),
        _ => Ok(path),
    }
}

fn postgres() -> Error {
    Error::request("`postgresql` targets are not built yet")
        .hint("import into SQLite: `--database sqlite:///./notes.db`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_the_paths_that_sqlalchemy_reads() {
        let read = |url| sqlite_path(url).unwrap();
        assert_eq!(read("sqlite:///./x.db"), "./x.db");
        assert_eq!(read("sqlite:///x.db"), "x.db");
        assert_eq!(read("sqlite:///file:x.db"), "file:x.db");
        assert_eq!(read("sqlite:////abs/x.db"), "/abs/x.db");
        assert_eq!(read("sqlite+pysqlite:///x.db"), "x.db");
        assert_eq!(read("some dir/x.db"), "some dir/x.db");
        assert_eq!(read("postgres"), "postgres");
    }

    #[test]
    fn other_urls_are_refused_without_their_password() {
        let refused = |url: &str| {
            let error = sqlite_path(url).unwrap_err();
            assert_eq!(error.status(), 2);
            assert!(!error.to_string().contains("hunter2"));
            error.message
        };
        let not_built = "`postgresql` targets are not built yet";
        let in_memory = "an in-memory database would be lost when treelift exits";
        assert_eq!(refused("postgresql://me:hunter2@host/db"), not_built);
        assert_eq!(refused("postgres://me:hunter2@host/db"), not_built);
        assert_eq!(refused("postgresql+psycopg2://me:hunter2@host/db"), not_built);
        assert_eq!(refused("postgresql:me:hunter2@host"), not_built);
        assert_eq!(refused("mysql://me:hunter2@host/db"), "unknown database type `mysql`");
        assert_eq!(refused("sqlite::memory:"), in_memory);
        assert_eq!(refused("sqlite:///:memory:"), in_memory);
        assert_eq!(refused(":memory:"), in_memory);
        assert_eq!(refused("sqlite://"), in_memory);
        assert_eq!(refused("sqlite:x.db"), "this is not an SQLite URL");
        assert_eq!(refused("file:x.db"), "a `file:` URI is not supported as a database URL");
        assert_eq!(refused(""), "the database's URL is empty");
        assert_eq!(refused("sqlite:///x.db?mode=ro"), "options after `?` are not supported in an SQLite URL");
        assert_eq!(
            refused("sqlite://x.db"),
            "an SQLite URL has three slashes before a relative path, four before an absolute one"
        );
    }
}
