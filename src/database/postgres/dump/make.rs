//! Makes a dump of one moment.

use super::super::connect::Session;
use super::super::opened::{self, Opened};
use super::super::place::{Place, Tried};
use super::super::sql;
use super::child::Program;
use super::programs::Programs;
use crate::database::Dialect;
use crate::database::dumps::{Extension, Look, Named, Served};
use crate::error::{Error, Result};
use crate::platform;
use std::path::Path;

/// The program that dumps this server.
pub(super) fn program(place: &Place) -> Tried<String> {
    let programs = programs_for(&Session::open(place)?)?.to_string();
    refuse_shared(place)?;
    Ok(programs)
}

/// So many times two connections are compared.
const LOOKS: usize = 10;

/// Refuses a way on which the server gives each transaction another of its connections: `pg_dump` makes settings for its
/// connection before it begins, and they would stay with the other clients of those, who would find no table any more.
fn refuse_shared(place: &Place) -> Tried<()> {
    let (one, other) = (Session::open(place)?, Session::open(place)?);
    let process = |session: &Session| -> Tried<Option<i32>> {
        Ok(session.first("SELECT pg_backend_pid()", &[])?.map(|row| row.get(0)))
    };
    let first = process(&one)?;
    for _ in 0..LOOKS {
        // Two connections of ours, and one process of the server; or one, and two.
        if process(&other)? == first || process(&one)? != first {
            return Err(Error::environment(
                "a pooler stands before the server that shares connections between transactions, through which no backup can \
                 be made: what `pg_dump` sets would stay on connections of other programs",
            )
            .at(place.shown())
            .hint("name the server itself, or an entry of the pooler in session mode")
            .into());
        }
    }
    Ok(())
}

fn programs_for(session: &Session) -> Result<Programs> {
    Programs::of(session.major()).map_err(|error| error.at(session.place.shown()))
}

/// What tells the database from others: the number that a server gives itself when it is made, whatever its address.
pub(super) fn named(place: &Place) -> Tried<Named> {
    let session = Session::open(place)?;
    let text = "SELECT current_database()::text, (SELECT system_identifier::text FROM pg_control_system())";
    let row = session.first(text, &[])?.ok_or_else(|| Error::bug("a query of one row gave none"))?;
    let (name, server): (String, String) = (row.get(0), row.get(1));
    let path = format!("{server}/{name}/{}", session.schema);
    Ok(Named { name, path })
}

/// Writes the dump, and looks at what is in it.
pub(super) fn dump(place: &Place, to: &Path, is_changed_next: bool, look: Look<'_>) -> Tried<Served> {
    refuse_shared(place)?;
    let session = if is_changed_next { opened::begin_whole(place)? } else { opened::look(place)? };
    let programs = programs_for(&session)?;
    let snapshot = session.first("SELECT pg_export_snapshot()", &[])?.map(|row| row.get::<_, String>(0));
    let snapshot = snapshot.ok_or_else(|| Error::bug("the server exported no snapshot"))?;
    let cannot = |error: &std::io::Error| {
        Error::environment(format!("the backup cannot be written: {}", error.kind())).at(to.display())
    };
    let file = platform::create_private(to).map_err(|error| cannot(&error))?;
    let output = file.try_clone().map_err(|error| cannot(&error))?;
    let mut arguments = vec![
        "--format=custom".to_owned(),
        "--encoding=UTF8".to_owned(),
        format!("--snapshot={snapshot}"),
        format!("--schema={}", sql::name(&session.schema)),
    ];
    if session.is_apart() {
        arguments.push(format!("--schema={}", sql::name(&session.own)));
    }
    let patience = place.patience().as_millis();
    if patience > 0 {
        arguments.push(format!("--lock-wait-timeout={patience}"));
    }
    let program = Program::connecting(&programs.dump(), &place.address, session.is_over_tls()?)?;
    program.args(arguments).run_into(output).map_err(|error| error.at(place.shown()))?;
    file.sync_all().map_err(|error| cannot(&error))?;
    let served = Served {
        engine: Dialect::Postgresql.engine().to_owned(),
        version: session
            .first("SELECT current_setting('server_version')", &[])?
            .map_or_else(String::new, |row| row.get(0)),
        program: programs.to_string(),
        schema: session.schema.clone(),
        ledger_schema: session.is_apart().then(|| session.own.clone()),
        extensions: extensions(&session)?,
    };
    let reader = Opened { session, state: () };
    look(&reader)?;
    if is_changed_next {
        opened::lay_aside(place, reader.session)?;
    }
    Ok(served)
}

/// The installed extensions, but for the language that every database has.
pub(super) fn extensions(session: &Session) -> Tried<Vec<Extension>> {
    let text =
        "SELECT e.extname::text, n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                WHERE e.extname <> 'plpgsql' ORDER BY 1";
    let rows = session.query(text, &[])?;
    Ok(rows.iter().map(|row| Extension { name: row.get(0), schema: row.get(1) }).collect())
}
