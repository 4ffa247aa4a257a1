//! Changes the schema: all steps in one transaction, or none.

use super::connect::Session;
use super::keys::Seals;
use super::opened::{self, Opened};
use super::own_schema::APPLICATION_NAME;
use super::place::{Fault, Outside, Place, Tried};
use super::reach::reaching;
use super::script::{self, Failure};
use super::undo::Engine;
use super::{assertion, audit, catalog, ledger_tables, record, sql, stages, state, survey, version};
use crate::database::alter::{self, Altering, Dangling, Failing, Left, Stop};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::catalog::Catalog;
use crate::database::done::{Altered, Move, Timing, What};
use crate::database::history::{Named, Origin, Recorded};
use crate::database::order::Order;
use crate::database::orphans::TABLE_NAME;
use crate::database::query::Unasked;
use crate::database::sealing::Sealing;
use crate::database::{Cell, Migration, Mode, Reader};
use crate::error::Error;
use crate::excerpt::Excerpt;
use crate::mapping::codes;
use crate::table::{ColumnType, VersionRecord};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Carries an order out.
pub(super) fn alter(place: &Place, order: &Order<'_>) -> Tried<Altered> {
    let mut opened = Opened { session: opened::begin(place, &BTreeSet::new())?, state: () };
    if place.bench.is_some() {
        opened.session.outside = Some(Outside::of_live(&opened.session)?);
    }
    match alter::steps(&mut opened, order) {
        Ok(altered) if order.mode == Mode::Real && !altered.steps.is_empty() => {
            opened::commit(&opened.session)?;
            Ok(altered)
        }
        Ok(altered) => {
            opened.session.run("ROLLBACK")?;
            Ok(altered)
        }
        // The end of the connection rolls back as well.
        Err(Stop::Asked(fault)) => Err(fault),
        Err(Stop::Failed { migration, what, failure, took_ms }) => {
            drop(opened);
            let error = alter::failed(migration, what, &failure, place.shown());
            if order.mode == Mode::Real && what == What::Applied {
                // What went wrong is told in any case; that it could not be recorded is less than that.
                let timing = Timing { at: order.started, took_ms };
                let _ = alone(place, |session| {
                    record::set_up(session)?;
                    record::failed(session, migration, timing, &error.message)
                });
            }
            Err(error.into())
        }
    }
}

impl Altering for Opened<()> {
    type Fault = Fault;
    type Failure = Failure;
    type Ledger<'l> = Engine<'l>;

    fn place(&self) -> &str {
        self.session.place.shown()
    }

    fn recorded(&self) -> Tried<Vec<Recorded>> {
        record::recorded(&self.session)
    }

    /// What would leave its transaction or its schema is not run where it is committed. Behind one that was run long ago
    /// none could be tried: what they reach is asked here.
    fn stages(&mut self, migrations: &[Migration], moves: &[Move]) -> Tried<Vec<Catalog>> {
        let (stages, fault) = stages::stages(&self.session.place, migrations)?;
        let Some(fault) = fault.filter(|fault| fault.code == Some(codes::MIGRATION_FORBIDDEN.id)) else {
            return Ok(stages);
        };
        if moves.contains(&Move::Up(stages.len())) {
            return Err(fault.into());
        }
        if self.session.outside.is_none() {
            self.session.outside = Some(Outside::of_live(&self.session)?);
        }
        Ok(stages)
    }

    fn live(&self) -> Tried<Catalog> {
        let record = record::table(&self.session, None)?.name;
        catalog::whole(&self.session, &self.session.schema, &record)
    }

    fn set_up_record(&mut self) -> Tried<()> {
        record::set_up(&self.session)
    }

    fn set_up_state(&mut self) -> Tried<()> {
        ledger_tables::set_up_state(&self.session, None)
    }

    fn run(&mut self, sql: &str) -> Result<(), Failure> {
        script::run(&self.session, sql)
    }

    fn not_needed(&mut self, migration: &Migration, timing: Timing) -> Tried<()> {
        record::not_needed(&self.session, migration, timing)
    }

    fn has_table(&self, name: &str) -> Tried<bool> {
        catalog::has_table(&self.session, name)
    }

    fn applied(&mut self, migration: &Migration, origin: Origin, timing: Timing) -> Tried<()> {
        refuse_reached(&self.session, migration, &migration.path)?;
        record::applied(&self.session, migration, origin, timing)
    }

    fn rolled_back(&mut self, migration: &Migration, at: Timestamp) -> Tried<()> {
        refuse_reached(&self.session, migration, &migration.down_path())?;
        record::rolled_back(&self.session, migration, at)
    }

    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Tried<()> {
        audit::write(&self.session, entry, table)
    }

    /// The server refuses a statement that would leave one.
    fn dangling(&self) -> Tried<Dangling> {
        Ok(Dangling::new())
    }

    fn left(&self) -> Tried<Left> {
        let names = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname IN ($1, $2) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
                           AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1";
        Ok(Left {
            names: self.session.query(names, &self.session.schemas())?.iter().map(|row| row.get(0)).collect(),
            record: record::table(&self.session, None)?.name,
            is_chosen: state::value(&self.session, state::RECORD_NAME)?.is_some(),
            has_orphans: catalog::has_table(&self.session, TABLE_NAME)?
                && catalog::count(&self.session, TABLE_NAME)? > 0,
        })
    }

    fn drop_own(&mut self, names: &[String], is_chosen: bool) -> Tried<()> {
        for name in names {
            self.session.run(&format!("DROP TABLE {}", sql::name(name)))?;
        }
        if is_chosen {
            let kept = [Some(state::RECORD_NAME), Some(APPLICATION_NAME)];
            self.session.execute("DELETE FROM treelift_state WHERE name NOT IN ($1, $2)", &kept)?;
        }
        Ok(())
    }

    fn counts(&self) -> Tried<BTreeMap<String, u64>> {
        survey::counted(&self.session)
    }

    fn insert(&mut self, table: &str, columns: &[String], rows: &[Vec<Cell>]) -> Tried<()> {
        const AT_ONCE: usize = 10_000;
        let types = catalog::cast_types(&self.session, table)?;
        let cast = |(at, name): (usize, &String)| match types.get(name) {
            Some(kind) => format!("k.c{at}::{kind}"),
            None => format!("k.c{at}"), // the server says that there is no such column
        };
        let casts: Vec<String> = columns.iter().enumerate().map(cast).collect();
        let lists: Vec<String> = (1..=columns.len()).map(|at| format!("${at}::text[]")).collect();
        let names: Vec<String> = (0..columns.len()).map(|at| format!("c{at}")).collect();
        let text = format!(
            "INSERT INTO {} ({}) SELECT {} FROM unnest({}) k({})",
            sql::name(table),
            sql::names(columns),
            casts.join(", "),
            lists.join(", "),
            names.join(", ")
        );
        for page in rows.chunks(AT_ONCE) {
            let list = |at: usize| page.iter().map(|row| row.get(at).and_then(Cell::text)).collect();
            self.session.query_lists(&text, &(0..columns.len()).map(list).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    fn rows(&mut self, query: &str, kinds: Option<&[ColumnType]>) -> Tried<Result<Vec<Vec<Cell>>, Unasked>> {
        assertion::all(&self.session, query, kinds)
    }

    fn sealing(&mut self) -> Box<dyn Sealing + '_> {
        Box::new(Seals::of(&self.session))
    }

    fn ledger(&mut self) -> Engine<'_> {
        Engine::of(&self.session)
    }

    fn reader(&mut self) -> &mut dyn Reader {
        self
    }

    fn name_version(&mut self, record: &VersionRecord, name: Named<'_>) -> Tried<()> {
        version::put(&self.session, record, name)
    }

    fn words(&self, fault: Self::Fault) -> Error {
        self.session.place.words(fault)
    }
}

impl Failing for Failure {
    fn why(&self) -> String {
        Failure::why(self)
    }

    fn statement(&self) -> String {
        String::new()
    }

    fn place(&self, path: &str) -> String {
        Failure::place(self, path)
    }

    fn excerpt(&self, sql: &str, message: &str) -> Option<Excerpt> {
        Failure::excerpt(self, sql, message)
    }
}

/// Refuses what a migration did outside of its schema, where that was looked at before. In a place for tests nothing at all
/// may be reached; elsewhere no table.
fn refuse_reached(session: &Session, migration: &Migration, path: &str) -> Tried<()> {
    let Some(outside) = &session.outside else { return Ok(()) };
    let is_bench = session.place.bench.is_some();
    let reached = if is_bench { outside.reached(session)? } else { outside.reached_table(session)? };
    reached.map_or(Ok(()), |reached| Err(reaching(migration, path, &reached).into()))
}

/// Does something in a transaction of its own.
fn alone(place: &Place, work: impl FnOnce(&Session) -> Tried<()>) -> Tried<()> {
    let session = opened::begin(place, &BTreeSet::new())?;
    work(&session)?;
    opened::commit(&session)
}

/// Writes one entry of the audit trail in a transaction of its own.
pub(super) fn note(place: &Place, entry: &AuditEntry, table: Option<&AuditTable>) -> Tried<()> {
    alone(place, |session| audit::write(session, entry, table))
}

/// Brings a database to this version's format in a transaction of its own.
pub(super) fn upgrade(place: &Place, id: Option<&str>) -> Tried<()> {
    alone(place, |session| ledger_tables::set_up_state(session, id))
}
