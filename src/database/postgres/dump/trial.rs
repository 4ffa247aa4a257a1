//! Puts a dump into a database of its own, which is dropped again.

use super::super::connect::Session;
use super::super::line;
use super::super::opened::Opened;
use super::super::place::{Aside, Fault, Place, Tried};
use super::super::sql;
use super::script;
use crate::database::dumps::{Look, Served};
use crate::error::{Error, ErrorKind, Result};
use crate::hex;
use crate::interrupt;
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;

/// How the names of such databases begin.
const PREFIX: &str = "treelift_proof_";
/// What such a database says of itself: its name alone could be another's.
const MARK: &str = "treelift proves a backup in it, and drops it";
/// In so many seconds a proof has ended, or its program was killed.
const LONGEST: i64 = 24 * 3600;

/// Puts the dump there, and shows what is there then. Why that cannot be done, where the dump is not at fault.
pub(super) fn try_out(place: &Place, dump: &Path, served: &Served, look: Look<'_>) -> Tried<Option<String>> {
    let maker = Session::open(place)?;
    if !maker.has("SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolcreatedb OR rolsuper)", &[])? {
        return Ok(Some("the user may not create a database".to_owned()));
    }
    drop_stale(&maker)?;
    let name = new_name()?;
    let collations = maker
        .first("SELECT datcollate::text, datctype::text FROM pg_database WHERE datname = current_database()", &[])?;
    let collations = collations.map(|row| (literal(row.get(0)), literal(row.get(1))));
    let (collate, ctype) = collations.ok_or_else(|| Error::bug("the database is not in the list of databases"))?;
    let quoted = sql::name(&name);
    let made = maker.run(&format!(
        "CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE {collate} LC_CTYPE {ctype}"
    ));
    if let Err(fault) = made {
        return cannot(place, fault);
    }
    let _made = Made { place, name: &name };
    maker.run(&format!("COMMENT ON DATABASE {quoted} IS {}", literal(MARK)))?;
    maker.close()?;
    let mut address = (*place.address).clone();
    address.database.clone_from(&name);
    address.ledger_schema = None; // the dump says it
    address.options.settings = vec![("search_path".to_owned(), "public".to_owned())];
    let there = Place {
        address: Arc::new(address),
        bench: None,
        stages: Arc::default(),
        aside: Aside::default(),
        idle: Aside::default(),
        ..place.clone()
    };
    let session = match connected(&there, served) {
        Ok(session) => session,
        Err(fault) => return cannot(place, fault),
    };
    let programs = script::programs(served, session.major())?;
    // The rights of others are put back where the backup is; here they are of no use.
    script::send(&session, &programs, dump, served, &["--no-owner", "--no-privileges"])?;
    session.settle_in()?;
    let reader = Opened { session, state: () };
    look(&reader)?;
    reader.session.run("ROLLBACK")?;
    reader.session.close()?;
    Ok(None)
}

/// A connection to the new database in a transaction, with the schema and the extensions that the dump needs.
fn connected(place: &Place, served: &Served) -> Tried<Session> {
    let mut session = Session::open(place)?;
    session.run("BEGIN ISOLATION LEVEL REPEATABLE READ")?;
    session.settle_in()?;
    for schema in served.schemas() {
        session.run(&format!("CREATE SCHEMA IF NOT EXISTS {}", sql::name(schema)))?;
    }
    script::make_extensions(&session, served)?;
    session.stand_in(served.schema.clone());
    let mut path = super::super::stages::with_extensions(&session, &served.schema)?;
    if let Some(own) = &served.ledger_schema {
        session.own.clone_from(own);
        path = format!("{path}, {}", sql::name(own));
    }
    session.search_in(path)?;
    Ok(session)
}

/// What the server does not do is no fault of the dump; a signal ends all.
fn cannot(place: &Place, fault: Fault) -> Tried<Option<String>> {
    let error = place.words(fault);
    if matches!(error.kind, ErrorKind::Interrupted(_)) { Err(error.into()) } else { Ok(Some(error.message)) }
}

fn new_name() -> Result<String> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|_| Error::environment("the system's random source failed"))?;
    Ok(format!("{PREFIX}{}_{}", Timestamp::now().as_second(), hex::encode(bytes)))
}

/// A text in SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A database that was made for a proof.
struct Made<'m> {
    place: &'m Place,
    name: &'m str,
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        // What is left is dropped by the proof of a later day. A signal that ends a proof does not end this.
        _ = line::plainly(
            &self.place.address,
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", sql::name(self.name)),
        );
    }
}

/// Drops the databases of proofs that were killed.
fn drop_stale(session: &Session) -> Tried<()> {
    let text = "SELECT datname::text FROM pg_database WHERE datname ~ ('^' || $1 || '[0-9]+_[0-9a-f]{8}$')
                      AND shobj_description(oid, 'pg_database') = $2 AND pg_has_role(datdba, 'USAGE')";
    let now = Timestamp::now().as_second();
    for row in session.query(text, &[Some(PREFIX), Some(MARK)])? {
        let name: String = row.get(0);
        let made_at = name[PREFIX.len()..].split('_').next().and_then(|time| time.parse::<i64>().ok());
        if made_at.is_some_and(|made_at| now - made_at > LONGEST) {
            interrupt::check()?;
            // One that somebody looks into stays.
            _ = session.try_run(&format!("DROP DATABASE IF EXISTS {}", sql::name(&name)));
        }
    }
    Ok(())
}
