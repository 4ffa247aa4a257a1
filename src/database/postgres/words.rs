//! Faults of a server in our words. Its own texts can carry values of rows, so only names are taken from them, and its
//! words where they are about SQL that no row has met yet.

use crate::error::Error;
use crate::finding::printable;
use crate::interrupt;
use postgres::error::{DbError, SqlState};
use std::error::Error as _;
use std::fmt;

/// How a password is given.
const PASSWORD: &str = "give the password in PGPASSWORD, in the password file, or in the URL that DATABASE_URL holds";

/// What a fault means for the user. `place` is the database as the user wrote it.
pub(super) fn fault(error: &postgres::Error, place: impl fmt::Display) -> Error {
    if let Some(interrupted) = interrupt::error() {
        return interrupted;
    }
    let Some(server) = error.as_db_error() else {
        return unreached(error).at(place);
    };
    let code = server.code().code();
    let named = |what: Option<&str>| what.map_or_else(|| "?".to_owned(), printable);
    let words = match server.code() {
        &SqlState::INVALID_PASSWORD => {
            Error::environment(format!("the server refuses the user: {}", printable(server.message())))
                .hint(format!("{PASSWORD}; `pg_hba.conf` of the server says who may connect"))
        }
        &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => Error::environment(format!(
            "the server refuses the user: {}",
            printable(server.message())
        ))
        .hint(if server.message().starts_with("Peer authentication failed") {
            "over a socket the system's user must have the role's name: name another role, or `localhost` as the host and a password"
        } else {
            "`pg_hba.conf` of the server says who may connect, from where, and whether with TLS (`?sslmode=require`)"
        }),
        &SqlState::INVALID_CATALOG_NAME => Error::environment("the server has no database of this name")
            .hint("create it with `createdb`, or name another one"),
        &SqlState::INSUFFICIENT_PRIVILEGE if server.where_().is_none() => {
            Error::environment(format!("the user may not do this: {}", printable(server.message())))
                .hint("connect as the owner of the tables, or have the right granted: docs/postgresql.md, \"Rights\"")
        }
        &SqlState::LOCK_NOT_AVAILABLE => locked(locked_row(server.where_()).map_or_else(
            || "the database is locked by another program".to_owned(),
            |table| {
                format!("the database is locked by another program: it has a lock on a row of `{}`", printable(table))
            },
        )),
        &SqlState::QUERY_CANCELED => Error::environment("somebody ended a statement at the server")
            .hint("look who cancels them there, then run again"),
        &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => {
            Error::environment("another program wrote at the same time, and the server ended this transaction")
                .hint("run again")
                .passing()
        }
        &SqlState::UNIQUE_VIOLATION => rejected("the UNIQUE constraint", server),
        &SqlState::CHECK_VIOLATION => rejected("the CHECK constraint", server),
        &SqlState::FOREIGN_KEY_VIOLATION => rejected("the foreign key", server),
        &SqlState::EXCLUSION_VIOLATION => rejected("the exclusion constraint", server),
        &SqlState::NOT_NULL_VIOLATION => Error::environment(format!(
            "the NOT NULL constraint on `{}.{}` rejected a row",
            named(server.table()),
            named(server.column())
        )),
        &SqlState::RAISE_EXCEPTION => Error::environment("a trigger of the database rejected a row"),
        &SqlState::DISK_FULL => Error::environment("the server's disk is full").hint("make room, then run again"),
        &SqlState::OUT_OF_MEMORY => Error::environment("the server found no memory left"),
        &SqlState::TOO_MANY_CONNECTIONS => {
            Error::environment("the server takes no more connections").hint("run again later")
        }
        &SqlState::READ_ONLY_SQL_TRANSACTION => Error::environment("the database is read-only")
            .hint("connect to the primary server, or allow the user to write"),
        _ if about_sql(server) => {
            Error::environment(format!("the database's schema is not as expected: {}", printable(server.message())))
                .hint("compare it with `schema validate`; restore a backup, or use another database")
        }
        _ if is_lost(error) => gone(),
        _ => Error::environment(format!("the server could not carry out a statement (SQLSTATE {code})"))
            .hint("look for a trigger, a condition or an index that fails on a value; the server's log has its words"),
    };
    words.at(place)
}

fn rejected(what: &str, server: &DbError) -> Error {
    let name = server.constraint().map_or_else(|| "?".to_owned(), printable);
    Error::environment(format!("{what} `{name}` rejected a row"))
}

/// Whether the server's words are about SQL and names alone: what it says before a row is looked at (classes 0A, 25,
/// 2B, 3F, 42 and 55). A function, and so a trigger, can raise any of them, with values in its words: then there is a
/// context.
pub(super) fn about_sql(server: &DbError) -> bool {
    server.where_().is_none() && is_of_sql(server)
}

/// Whether the class of a fault is that of SQL and names.
pub(super) fn is_of_sql(server: &DbError) -> bool {
    ["0A", "25", "2B", "3F", "42", "55"].iter().any(|class| server.code().code().starts_with(class))
}

/// The words for a server that went away.
pub(super) fn gone() -> Error {
    Error::environment("the connection to the server was lost; nothing was written")
        .hint("look whether the server runs, then run again")
}

/// The words for a connection that was lost while a transaction was to be committed.
pub(super) fn unknown() -> Error {
    Error::environment("the connection to the server was lost at the commit: whether it was committed is unknown")
        .hint("look what the database holds when the server runs again")
}

/// Whether a fault is that the connection is lost.
pub(super) fn is_lost(error: &postgres::Error) -> bool {
    match error.as_db_error() {
        Some(server) => ["57P", "08"].iter().any(|class| server.code().code().starts_with(class)),
        // The client tells one that breaks from one that cannot be made by its words alone.
        None => error.is_closed() || error.to_string().starts_with("error communicating"),
    }
}

/// Whether a fault is one of the server itself, its memory, locks and other writers, whatever it was at.
pub(super) fn is_of_server(error: &postgres::Error) -> bool {
    let Some(server) = error.as_db_error() else { return false };
    let classes = ["40", "53", "54", "57", "58", "55P03", "XX"];
    is_lost(error) || classes.iter().any(|class| server.code().code().starts_with(class))
}

/// The words for a lock that was not had.
pub(super) fn locked(message: String) -> Error {
    Error::environment(message)
        .hint("wait until it is done, or stop it, then run again; `--lock-timeout SECONDS` waits longer")
}

/// The table of a row that was waited for, of the server's own first line about where it was. What follows in other lines
/// may be a statement of a trigger, with values.
fn locked_row(context: Option<&str>) -> Option<&str> {
    let line = context?.lines().next()?.strip_prefix("while ")?;
    line.split_once(" in relation \"")?.1.strip_suffix('"')
}

/// Whether TLS failed, as it does for a certificate that no known authority signed or that is another host's. The client
/// tells that by its words alone.
pub(super) fn has_no_fitting_certificate(error: &postgres::Error) -> bool {
    error.to_string().starts_with("error performing TLS handshake")
}

/// A fault that no server reported. The client's words are about the connection.
fn unreached(error: &postgres::Error) -> Error {
    if is_lost(error) {
        return gone();
    }
    let why = error.source().map(ToString::to_string).unwrap_or_default();
    // The client tells the kinds apart by its words alone.
    if why == "password missing" {
        return Error::environment("the server asks for a password, and none is given").hint(PASSWORD);
    }
    if why == "server does not support TLS" {
        return Error::environment("the server has no TLS, and `sslmode` asks for it")
            .hint("have it switched on at the server (`ssl = on`); `?sslmode=disable` in the URL goes without, for a network that nobody else reads");
    }
    if has_no_fitting_certificate(error) {
        return Error::environment(format!("no TLS with the server: {}", printable(&why)))
            .hint("`?sslrootcert=PATH` names the certificate of its authority, and the certificate must be for the host that the URL names; `?sslmode=disable` goes without TLS, for a network that nobody else reads");
    }
    let why = if why.is_empty() { why } else { format!(": {}", printable(&why)) };
    Error::environment(format!("the server cannot be reached{why}"))
        .hint("check host, port and network, and that the server runs")
}
