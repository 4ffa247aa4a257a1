//! What a URL of SQLite names.

use crate::error::{Error, Result};

/// The forms there are, for hints.
pub(in crate::database) const FORMS: &str = "write `sqlite:///./notes.db`, `sqlite:////srv/notes.db` or a path";

/// The path that an SQLite URL names, as SQLAlchemy reads it, or the bare path.
pub(super) fn path(url: &str) -> Result<&str> {
    let path = match url.split_once("://") {
        None => bare(url)?,
        Some((_, rest)) => below_scheme(rest)?,
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
    match path.split_once(':') {
        // SQLite would read it as a URI with options of its own.
        Some(("file", _)) => Err(Error::request("a `file:` URI is not supported as a database URL").hint(FORMS)),
        Some(("sqlite", ":memory:")) => Ok(":memory:"),
        Some(("sqlite", _)) => Err(Error::request("this is not an SQLite URL").hint(FORMS)),
        None if path.is_empty() => Err(Error::request("the database's URL is empty").hint(FORMS)),
        _ => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_the_paths_that_sqlalchemy_reads() {
        let read = |url| path(url).unwrap();
        assert_eq!(read("sqlite:///./x.db"), "./x.db");
        assert_eq!(read("sqlite:///x.db"), "x.db");
        assert_eq!(read("sqlite:///file:x.db"), "file:x.db");
        assert_eq!(read("sqlite:////abs/x.db"), "/abs/x.db");
        assert_eq!(read("sqlite+pysqlite:///x.db"), "x.db");
        assert_eq!(read("some dir/x.db"), "some dir/x.db");
        assert_eq!(read("postgres"), "postgres");
    }

    #[test]
    fn what_names_no_file_is_refused() {
        let refused = |url: &str| {
            let error = path(url).unwrap_err();
            assert_eq!(error.status(), 2);
            error.message
        };
        let in_memory = "an in-memory database would be lost when treelift exits";
        assert_eq!(refused("sqlite::memory:"), in_memory);
        assert_eq!(refused("sqlite:///:memory:"), in_memory);
        assert_eq!(refused(":memory:"), in_memory);
        assert_eq!(refused("sqlite://"), in_memory);
        assert_eq!(refused("sqlite:x.db"), "this is not an SQLite URL");
        assert_eq!(refused("file:x.db"), "a `file:` URI is not supported as a database URL");
        assert_eq!(refused(""), "the database's URL is empty");
        assert_eq!(refused("x\0.db"), "the database's path holds U+0000");
        assert_eq!(refused("sqlite:///x.db?mode=ro"), "options after `?` are not supported in an SQLite URL");
        assert_eq!(
            refused("sqlite://x.db"),
            "an SQLite URL has three slashes before a relative path, four before an absolute one"
        );
    }
}
