//! Database URLs: which database to use. What may be shown of one never holds a password.

use super::Database;
#[cfg(feature = "postgres")]
use super::postgres::{OLDEST, PostgresDatabase};
use super::sqlite::{FORMS, SqliteDatabase, engine_version};
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::mapping::suggest;
use std::path::Path;

/// Opens the database that a URL or a path names. Nothing is created or changed by it.
pub fn open(url: &str) -> Result<Box<dyn Database>> {
    match scheme(url) {
        // Taken for a file, its password would be in the file's name.
        None if is_of_server(url) => Err(Error::request("this names a server, and not a file").hint(SERVERS)),
        None | Some("sqlite") => Ok(Box::new(SqliteDatabase::of_url(url)?)),
        #[cfg(feature = "postgres")]
        Some("postgresql" | "postgres") => Ok(Box::new(PostgresDatabase::of_url(url)?)),
        #[cfg(not(feature = "postgres"))]
        Some("postgresql" | "postgres") => Err(Error::request("this treelift was built without PostgreSQL")
            .hint("build it with its default features; else import into SQLite: `--database sqlite:///./notes.db`")),
        Some(other) => {
            let meant = suggest::nearest(other, ["sqlite", "postgresql"]);
            let hint = meant.map_or_else(|| format!("{FORMS}; {SERVERS}"), suggest::meant);
            Err(Error::request(format!("unknown database type `{}`", printable(other))).hint(hint))
        }
    }
}

/// A new database to try migrations on; it vanishes when it is dropped. The name tells one user of it from
/// another.
pub fn trial(name: &str) -> Result<Box<dyn Database>> {
    Ok(Box::new(SqliteDatabase::trial(Path::new(name))?))
}

/// The engines that this program knows, with the version of each: that which is built in, or from which on servers work.
pub fn engines() -> Vec<(&'static str, String)> {
    let engines = [("SQLite", engine_version().to_owned())].into_iter();
    #[cfg(feature = "postgres")]
    let engines = engines.chain([("PostgreSQL", format!("from {OLDEST}"))]);
    engines.collect()
}

/// How a server is named.
const SERVERS: &str = "a PostgreSQL server is `postgresql://USER@HOST:PORT/DATABASE`";

/// Whether a text without a scheme is a connection string of libpq (PostgreSQL, "Connection Strings", 34.1.1.1), or an
/// address with a user and a password.
fn is_of_server(text: &str) -> bool {
    const SETTINGS: [&str; 5] = ["host=", "hostaddr=", "dbname=", "user=", "password="];
    text.split_whitespace().any(|word| SETTINGS.iter().any(|setting| word.starts_with(setting)))
        || text.split_once('@').is_some_and(|(user, _)| user.contains(':') && !user.contains('/'))
}

/// What a URL begins with; none of a path.
fn scheme(url: &str) -> Option<&str> {
    match url.split_once("://") {
        // SQLAlchemy's `dialect+driver`: which Python driver was meant does not matter here.
        Some((scheme, _)) => scheme.split('+').next(),
        None => url.split_once(':').map(|(word, _)| word).filter(|word| matches!(*word, "postgresql" | "postgres")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_or_a_path_names_a_database_and_its_engine() {
        for url in ["sqlite:///./x.db", "sqlite+pysqlite:///x.db", "some dir/x.db", "x:y.db", "postgres"] {
            let database = open(url).unwrap();
            assert_eq!((database.engine(), database.url()), ("sqlite", url));
        }
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_url_of_a_server_names_its_engine_and_shows_no_password() {
        for scheme in ["postgresql", "postgres", "postgresql+psycopg2"] {
            let database = open(&format!("{scheme}://me:hunter2@host/db")).unwrap();
            let shown = format!("{scheme}://me@host/db");
            assert_eq!((database.engine(), database.url()), ("postgresql", shown.as_str()));
        }
    }

    #[test]
    fn other_urls_are_refused_without_their_password() {
        let refused = |url: &str| {
            let error = open(url).map(drop).unwrap_err();
            assert_eq!(error.status(), 2);
            assert!(!error.to_string().contains("hunter2"));
            error.message
        };
        #[cfg(feature = "postgres")]
        assert_eq!(refused("postgresql:me:hunter2@host"), "this is not a PostgreSQL URL");
        #[cfg(not(feature = "postgres"))]
        assert_eq!(refused("postgresql://me:hunter2@host/db"), "this treelift was built without PostgreSQL");
        assert_eq!(refused("mysql://me:hunter2@host/db"), "unknown database type `mysql`");
        assert_eq!(refused("sqlite:x.db"), "this is not an SQLite URL");
        for server in ["host=h user=me password=hunter2 dbname=d", "dbname=d", "me:hunter2@host:5432/db"] {
            assert_eq!(refused(server), "this names a server, and not a file");
        }
    }
}
