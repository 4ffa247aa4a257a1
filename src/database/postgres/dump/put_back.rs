//! Replaces what a schema holds with a dump.

use super::super::connect::Session;
use super::super::opened::{self, Opened};
use super::super::place::{Place, Tried};
use super::super::{audit, ledger_tables};
use super::{contents, script};
use crate::database::dumps::{Look, PutBack};
use crate::error::Error;
use crate::finding::printable;

/// Carries the order out, in one transaction: others see all of it or nothing.
pub(super) fn put_back(place: &Place, order: &PutBack<'_>, look: Look<'_>) -> Tried<()> {
    let session = opened::go_on_or_begin_whole(place)?;
    refuse_other_schema(&session, order)?;
    let programs = script::programs(order.served, session.major())?;
    contents::drop_all(&session)?;
    session.make_own_schema()?;
    script::make_extensions(&session, order.served)?;
    script::send(&session, &programs, order.dump, order.served, &[])?;
    // The dump sets much for the session.
    session.settle_in()?;
    let reader = Opened { session, state: () };
    look(&reader)?;
    let session = reader.session;
    // One of the first format has no id yet: it stays the database that it was.
    ledger_tables::set_up_state(&session, order.id)?;
    note(&session, order)?;
    opened::commit(&session)
}

/// Writes the entry of the audit trail. An application's table that refuses it does not prevent a restore.
fn note(session: &Session, order: &PutBack<'_>) -> Tried<()> {
    session.run("SAVEPOINT note")?;
    if audit::write(session, order.entry, order.audit).is_err() {
        session.run("ROLLBACK TO note")?;
        audit::write(session, order.entry, None)?;
    }
    Ok(())
}

/// The tables of a dump are of one schema, in which they must be found.
fn refuse_other_schema(session: &Session, order: &PutBack<'_>) -> Tried<()> {
    let (is, wanted) = (&session.schema, &order.served.schema);
    if is == wanted {
        return refuse_other_own(session, order);
    }
    let (is, wanted) = (printable(is), printable(wanted));
    Err(Error::environment(format!("the backup is of the schema `{wanted}`, and tables are made and found in `{is}`"))
        .at(session.place.shown())
        .hint(format!("create the schema `{wanted}` and name it with `?options=-c%20search_path%3D{wanted}`"))
        .into())
}

/// And so are our own tables.
fn refuse_other_own(session: &Session, order: &PutBack<'_>) -> Tried<()> {
    let wanted = order.served.ledger_schema.as_ref().unwrap_or(&order.served.schema);
    if session.own == *wanted {
        return Ok(());
    }
    let (is, shown) = (printable(&session.own), printable(wanted));
    let address = match &order.served.ledger_schema {
        Some(_) => format!("with `ledger_schema={shown}` in its address"),
        None => "without `ledger_schema` in its address".to_owned(),
    };
    Err(Error::environment(format!("the backup has treelift's own tables in the schema `{shown}`, and the address in `{is}`"))
        .at(session.place.shown())
        .hint(format!(
            "restore it into a database that has none elsewhere, {address}; here move them to `{shown}` first (`ALTER TABLE … SET SCHEMA`)"
        ))
        .into())
}
