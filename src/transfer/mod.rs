//! Transfer: everything of one database into a new one, of another engine or of the same.
//!
//! The schema is made by the set's own migrations for that engine, the rows are read at one moment and written in one
//! transaction, with the ledger, the keys and the registry of sealed columns. Before the commit every table is read again and
//! compared. Sealed values go as they are: no passphrase is needed.

mod ledger;
mod outcome;
mod rows;
mod source;
mod value;

use crate::config::{Phase, Ui};
use crate::database::audit::{AuditEntry, random_id};
use crate::database::ledger::{EARLIER_TABLE, RunRecord};
use crate::database::{self, Database, Mode, Opening, Transaction, schema};
use crate::error::{Error, Result};
use crate::migrations::ManagedDatabase;
use crate::report::words::count;
use crate::table::Schema;
use crate::who::Who;
use jiff::Timestamp;
use ledger::{Entries, Lists};
pub use outcome::{LeftBehind, Transferred, TransferredLedger, TransferredTable};
use source::Source;
use std::collections::{BTreeMap, BTreeSet};

/// Transfers a database into a new one. Asks first.
///
/// # Errors
/// Where the source is not what its set's migrations make, where the target holds something already, and where it does not
/// keep a value as it is: then nothing was written.
pub fn transfer(from: &ManagedDatabase, to: &mut dyn Database, mode: Mode, ui: &dyn Ui) -> Result<Transferred> {
    refuse_what_is_there(to)?;
    let set = from.set_for(to)?;
    let source = Source::open(from)?;
    let earlier = source.rows(EARLIER_TABLE, &["run"], None)?.len() as u64;
    if earlier > 0 {
        let values = count(earlier, "value");
        let error = Error::request(format!("{values} that imports replaced are kept for their undo, and stay behind"));
        return Err(error.at(source.url).hint("undo those imports, or forget them with `treelift runs --forget`"));
    }
    let mut expected = schema::expected(&*to, &set.migrations)?;
    expected.write_as(&set.written);
    let left = source.left_behind(&expected);
    agree(&source, to.url(), &left, mode, ui)?;
    let (run_id, started) = (random_id()?, database::now());
    let written: BTreeSet<String> = expected.tables.keys().cloned().collect();
    let mut target = to.begin(&Opening {
        mode,
        run_id: &run_id,
        migrations: &set.migrations,
        schema: &expected,
        written: &written,
        bytes: 0,
        started,
        audit: set.audit.as_ref(),
        version: None, // its row comes with the others
    })?;
    let runs = ledger::runs_and_files(&source, &mut *target)?;
    let mut run = record(&source, &run_id, started);
    target.begin_run(&run)?;
    let moved = copy(&source, &mut *target, &expected, ui)?;
    keys(&source, &mut *target)?;
    ui.phase(Phase::Check, 0, 0);
    compare(&*target, &expected, &moved.sums)?;
    let transferred = Transferred {
        from: source.url.to_owned(),
        to: to.url().to_owned(),
        tables: moved.tables,
        ledger: TransferredLedger { runs, ..moved.ledger },
        keys: source.survey.seals.registry.keys.len() as u64,
        sealed_columns: source.survey.seals.registry.columns.len() as u64,
        left,
        dry_run: mode == Mode::Dry,
    };
    run.inserted = transferred.rows();
    run.finished = database::now();
    target.finish_run(&run)?;
    target.audit(&entry(&transferred, &run_id, started)?, set.audit.as_ref())?;
    ui.phase(Phase::Finish, 0, 0);
    match mode {
        Mode::Dry => target.rollback()?,
        Mode::Real => target.commit()?.iter().for_each(|fault| ui.warn(fault)),
    }
    Ok(transferred)
}

fn refuse_what_is_there(to: &dyn Database) -> Result<()> {
    if to.exists()? {
        return Err(Error::request("the database to transfer to holds something already")
            .at(to.url())
            .hint("name a new one: a file that is not there, or a server's database without tables (`createdb NEW`)"));
    }
    Ok(())
}

fn agree(source: &Source<'_>, to: &str, left: &[LeftBehind], mode: Mode, ui: &dyn Ui) -> Result<()> {
    for table in left {
        ui.say(&format!(
            "stays behind: `{}` ({}); the new database has none of these rows",
            table.name,
            count(table.rows, "row")
        ));
    }
    let rows = count(source.survey.counts.values().sum(), "row");
    if mode == Mode::Dry || ui.confirm(&format!("{} has {rows}: transfer it to {to}, a new database?", source.url))? {
        return Ok(());
    }
    Err(Error::request("not confirmed, nothing was changed"))
}

/// What the ledger of the new database says of the transfer itself.
fn record(source: &Source<'_>, run_id: &str, started: Timestamp) -> RunRecord {
    let who = Who::runs_this();
    RunRecord {
        id: run_id.to_owned(),
        kind: "transfer".to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        set: source.set.name.clone(),
        set_digest: source.set.digest.clone(),
        set_folder: source.set.lies_in.as_ref().map(|folder| folder.display().to_string()),
        source: source.url.to_owned(),
        started,
        finished: started,
        host: who.host,
        user: who.user,
        ..RunRecord::default()
    }
}

fn entry(done: &Transferred, run_id: &str, at: Timestamp) -> Result<AuditEntry> {
    let details = serde_json::json!({ "from": done.from, "rows": done.rows(), "tables": done.tables.len() });
    let entry = AuditEntry::new("transfer", "database", "a database was transferred into this new one", at)?;
    Ok(entry.of(run_id).with(details))
}

/// What was written, and what must be found of it.
struct Moved {
    tables: Vec<TransferredTable>,
    ledger: TransferredLedger,
    sums: BTreeMap<String, (u64, u128)>,
}

fn copy(source: &Source<'_>, target: &mut dyn Transaction, expected: &Schema, ui: &dyn Ui) -> Result<Moved> {
    ui.phase(Phase::Transfer, source.survey.counts.values().sum(), 0);
    let mut moved = Moved { tables: Vec::new(), ledger: TransferredLedger::default(), sums: BTreeMap::new() };
    let lists = Lists::read(source)?;
    let numbers = lists.write(target)?;
    let bound = source.bound()?;
    target.begin_rows()?;
    // What migrations made has been changed since, or is among what is copied.
    let tables = expected.parents_first();
    tables.iter().rev().try_for_each(|table| target.empty(&table.name))?;
    let note = |entries: Entries, target: &mut dyn Transaction, ledger: &mut TransferredLedger| {
        ledger.rows += entries.len();
        ledger.edited += entries.edited;
        entries.write(&lists, &numbers, target)
    };
    for table in tables {
        let mut entries = Entries::read(source, &lists, &table.name)?;
        let bound = bound.get(&table.name).map(Vec::as_slice).unwrap_or_default();
        let progress = |rows| ui.advance(rows, 0);
        let copied = rows::copy(source, target, (table, bound), (&lists, &mut entries), &progress)?;
        note(entries, target, &mut moved.ledger)?;
        moved.sums.insert(table.name.clone(), (copied.rows, copied.sum));
        let rows::Copied { rows, rewritten, .. } = copied;
        moved.tables.push(TransferredTable { name: table.name.clone(), rows, rewritten });
    }
    // Of tables that are there no more the ledger still tells.
    for name in lists.tables().filter(|name| expected.table(name).is_none()) {
        note(Entries::read(source, &lists, name)?, target, &mut moved.ledger)?;
    }
    moved.tables.sort_by(|one, other| one.name.cmp(&other.name));
    target.end_rows()?;
    refuse_what_is_not_kept(target)?;
    Ok(moved)
}

/// Refuses rows that turned out not to be written, and references that lead nowhere.
fn refuse_what_is_not_kept(target: &mut dyn Transaction) -> Result<()> {
    let refused = |why: String| {
        Error::environment(why).hint("correct that in the database which is transferred; nothing was written")
    };
    if let Some(late) = target.rejected_late()?.first() {
        return Err(refused(format!(
            "a row of `{}` cannot be transferred: {}",
            late.table,
            late.why.message(&late.table)
        )));
    }
    if let Some(orphan) = target.orphans(1)?.first() {
        return Err(refused(format!(
            "the row {} of `{}` references a row of `{}` that is missing",
            orphan.row_key, orphan.table, orphan.parent
        ))
        .hint("`treelift schema validate --fix-orphans` moves such rows aside; nothing was written"));
    }
    if let Some(why) = target.check_deferred()? {
        return Err(refused(why));
    }
    Ok(())
}

/// Keys, the registry of sealed columns, and their proof, as they are.
fn keys(source: &Source<'_>, target: &mut dyn Transaction) -> Result<()> {
    let registry = &source.survey.seals.registry;
    registry.keys.iter().try_for_each(|key| target.put_key(key))?;
    source.reader.registered()?.iter().try_for_each(|column| target.register(column))?;
    match (&registry.counts, &registry.hmac) {
        (Some(counts), Some(hmac)) => target.put_proof(counts, hmac),
        _ => Ok(()), // one of the first format has none
    }
}

/// Reads every table again: its rows must be as many as were read, and the same.
fn compare(target: &dyn Transaction, expected: &Schema, sums: &BTreeMap<String, (u64, u128)>) -> Result<()> {
    for table in expected.tables.values() {
        let (found, is) = rows::sum(target, table)?;
        let (meant, was) = sums.get(&table.name).copied().unwrap_or_default();
        if (found, is) != (meant, was) {
            let what =
                if found == meant { "other values".to_owned() } else { format!("{found} of {}", count(meant, "row")) };
            return Err(Error::environment(format!("`{}` holds {what} after it was written", table.name))
                .hint("look for a trigger that changes rows; nothing was written"));
        }
    }
    Ok(())
}
