//! What a server does for an undo, in one transaction with the locks of an import.
//!
//! The server judges references itself, and may remove or change rows that reference removed ones: what would reference
//! nothing is asked before any row is taken.

mod default;
mod listing;
mod referring;
mod taking;

pub(super) use listing::{By, by_key};

use super::connect::Session;
use super::place::{Fault, Place, Tried};
use super::{audit, catalog, commit, keys, ledger, ledger_tables, opened, rejection, survey};
use crate::database::audit::{AuditEntry, AuditTable};
use crate::database::catalog::Other;
use crate::database::follow::Following;
use crate::database::forget::{self, Forget, Forgotten};
use crate::database::kept::ForeignTrigger;
use crate::database::ledger::{RunRecord, Written};
use crate::database::sealing::Sealing;
use crate::database::standing::{Standing, together};
use crate::database::undo::engine::{Fate, Listed, Take, Undoing, numbers};
use crate::database::undo::{Obstacle, Undo, Undone, work};
use crate::database::{Cell, Mode};
use crate::error::Result;
use crate::table::{ColumnType, Table};
use postgres::Row;
use postgres::types::Type;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The files of the run; what it wrote; and the rows that are not to be removed: of which nothing is left to be done, or
/// a list of whose columns is emptied. A pooler gives the connection to others afterwards.
const TABLES: &str = "
    CREATE TEMP TABLE treelift_files_taken (id bigint PRIMARY KEY) ON COMMIT DROP;
    CREATE TEMP TABLE treelift_taken (
        file bigint, \"table\" bigint, number bigint, row_key text COLLATE \"C\", columns bigint, digest bytea, own bytea,
        run bigint, updated boolean
    ) ON COMMIT DROP;
    CREATE TEMP TABLE treelift_apart (
        \"table\" bigint, row_key text COLLATE \"C\", fate bigint, PRIMARY KEY (\"table\", row_key)
    ) ON COMMIT DROP";

/// Takes lines of the ledger into it, each with its run, and whether that found the row there and gave it other values.
const TAKE: &str = "
    INSERT INTO treelift_taken
    SELECT r.file, r.\"table\", r.number, r.row_key, r.columns, r.digest, r.own, f.run,
        EXISTS (SELECT 1 FROM treelift_earlier e WHERE e.\"table\" = r.\"table\" AND e.row_key = r.row_key AND e.run = f.run)
            AND NOT EXISTS (SELECT 1 FROM treelift_columns c WHERE c.id = r.columns AND c.filled)
    FROM treelift_rows r JOIN treelift_files f ON f.id = r.file";

/// Carries an order out. The dry one is the real one rolled back.
pub(super) fn undo(place: &Place, order: &Undo<'_>) -> Tried<Undone> {
    let session = opened::begin(place, &tables_of(place, order)?)?;
    let undone = work::undo(&mut Engine::of(&session), order)?;
    if order.mode == Mode::Dry || undone.rows() == 0 {
        session.run("ROLLBACK")?;
    } else {
        commit::commit(&session, order.run_id)?;
    }
    Ok(undone)
}

/// Forgets runs. The dry one is the real one rolled back.
pub(super) fn forget(place: &Place, order: &Forget<'_>) -> Tried<Forgotten> {
    let session = opened::begin(place, &BTreeSet::new())?;
    let forgotten = forget::forget(&mut Engine::of(&session), order)?;
    if order.mode == Mode::Dry || forgotten.runs.is_empty() {
        session.run("ROLLBACK")?;
    } else {
        opened::commit(&session)?;
    }
    Ok(forgotten)
}

/// The tables that the run wrote into, and those that mappings let reference each other: nobody else writes into them
/// meanwhile.
fn tables_of(place: &Place, order: &Undo<'_>) -> Tried<BTreeSet<String>> {
    let session = opened::look(place)?;
    let mut tables = BTreeSet::new();
    if catalog::has_table(&session, "treelift_rows")? {
        let text = "SELECT t.name FROM treelift_tables t WHERE EXISTS (
                        SELECT 1 FROM treelift_runs u JOIN treelift_files f ON f.run = u.number
                        JOIN treelift_rows r ON r.file = f.id WHERE u.id = $1 AND r.\"table\" = t.id)";
        tables.extend(session.query(text, &[Some(order.run)])?.iter().map(|row| row.get::<_, String>(0)));
    }
    for reference in order.references {
        tables.extend([reference.table.clone(), reference.parent.clone()]);
    }
    Ok(tables)
}

/// Tells of the rows of a table whether they are as runs left them.
pub(super) fn standing(
    session: &Session,
    name: &str,
    run: Option<&str>,
    take: &mut dyn FnMut(&str, Standing) -> Result<()>,
) -> Tried<()> {
    let number = session.first("SELECT id FROM treelift_tables WHERE name = $1", &[Some(name)])?;
    let Some(number) = number.map(|row| row.get::<_, i64>(0)) else { return Ok(()) };
    let mut live = survey::live(session)?.schema.tables;
    let Some(table) = live.remove(name).filter(|table| !table.primary_key().is_empty()) else { return Ok(()) };
    let columns = ledger::columns(session, number, name)?;
    let has_earlier = catalog::has_table(session, "treelift_earlier")?;
    for together in together(number, &columns, &ledger::runs(session)?, (run, has_earlier)) {
        let judge = listing::judge(session, &table, &columns, Some(together.run))?;
        let mut pages = listing::Pages::over(session, (&table, number), &together, &judge)?;
        while !pages.next(session, &mut |key, _, fate| Ok(take(key, fate.into())?))? {}
    }
    Ok(())
}

/// An open database that is asked what runs wrote into it.
pub(super) struct Engine<'e> {
    session: &'e Session,
    /// Rows that were noted apart and are not in their table yet.
    apart: Vec<[Option<String>; 3]>,
}

impl<'e> Engine<'e> {
    pub(super) fn of(session: &'e Session) -> Self {
        Self { session, apart: Vec::new() }
    }
}

impl Undoing for Engine<'_> {
    type Fault = Fault;

    fn is_same(one: &str, other: &str) -> bool {
        one == other
    }

    fn run(&mut self, sql: &str) -> Tried<()> {
        self.session.run(sql)
    }

    fn ask(&self, sql: &str) -> Tried<Vec<Vec<Cell>>> {
        let rows = self.session.query(sql, &[])?;
        Ok(rows.iter().map(|row| (0..row.len()).map(|at| cell(row, at)).collect()).collect())
    }

    fn set_up(&mut self) -> Tried<()> {
        ledger_tables::set_up(self.session)
    }

    fn runs(&self) -> Tried<Vec<RunRecord>> {
        ledger::runs(self.session)
    }

    fn note_run(&mut self, run: &RunRecord) -> Tried<()> {
        self.run(TABLES)?;
        let files = "INSERT INTO treelift_files_taken SELECT f.id FROM treelift_files f
                     JOIN treelift_runs u ON u.number = f.run WHERE u.id = $1";
        self.session.execute(files, &[Some(&run.id)])?;
        // Nobody else counts the rows of a temporary table.
        self.run(&format!("{TAKE} WHERE r.file IN (SELECT id FROM treelift_files_taken); ANALYZE treelift_taken"))
    }

    fn note_all(&mut self, tables: &[i64]) -> Tried<()> {
        self.run(TABLES)?;
        self.run(&format!("{TAKE} WHERE r.\"table\" IN ({}); ANALYZE treelift_taken", numbers(tables)))
    }

    fn note_lines(&mut self, condition: &str) -> Tried<()> {
        self.run(TABLES)?;
        self.run(&format!("{TAKE} {condition}"))
    }

    fn same_row(&self, listed: Listed<'_>) -> Tried<String> {
        Ok(listing::same_row(listed.table, "t", "s"))
    }

    fn sealing(&mut self) -> Box<dyn Sealing + '_> {
        Box::new(keys::Seals::of(self.session))
    }

    /// The server joins without.
    fn index_taken(&mut self) -> Tried<()> {
        Ok(())
    }

    fn columns(&self, number: i64, table: &str) -> Tried<HashMap<i64, Written>> {
        ledger::columns(self.session, number, table)
    }

    fn write_run(&mut self, run: &RunRecord) -> Tried<()> {
        ledger::write_run(self.session, run).map(drop)
    }

    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Tried<()> {
        audit::write(self.session, entry, table)
    }

    fn counts(&self) -> Tried<BTreeMap<String, u64>> {
        survey::counted(self.session)
    }

    fn live(&self, names: &[&str]) -> Tried<BTreeMap<String, Table>> {
        let mut tables = survey::live(self.session)?.schema.tables;
        tables.retain(|name, _| names.contains(&name.as_str()));
        Ok(tables)
    }

    fn foreign_triggers(
        &self,
        is_own: &dyn Fn(&str, &Other) -> bool,
        is_taken: &dyn Fn(&str) -> bool,
    ) -> Tried<Vec<ForeignTrigger>> {
        Ok(catalog::foreign_triggers(&survey::live(self.session)?, is_own, is_taken))
    }

    fn list(&mut self, listed: Listed<'_>) -> Tried<()> {
        listing::list(self.session, listed)
    }

    fn judge(
        &mut self,
        listed: Listed<'_>,
        columns: &HashMap<i64, Written>,
        run: Option<&RunRecord>,
        take: &mut Take<'_, Self>,
    ) -> Tried<()> {
        let session = self.session;
        let judge = listing::judge(session, listed.table, columns, run)?;
        let judge = if run.is_none() { judge.renewing() } else { judge };
        let mut pages = listing::Pages::of(session, listed, &judge)?;
        loop {
            let is_last = pages.next(session, &mut |key, noted, fate| take(self, key, noted, fate))?;
            self.flush()?;
            if is_last {
                return Ok(());
            }
        }
    }

    fn others(&self, listed: Listed<'_>) -> Tried<(u64, u64)> {
        let others = listing::others(self.session, listed)?;
        Ok((others, catalog::count(self.session, &listed.table.name)?))
    }

    fn note_apart(&mut self, table: i64, key: &str, fate: Option<usize>) -> Tried<()> {
        self.apart.push([Some(table.to_string()), Some(key.to_owned()), fate.map(|fate| fate.to_string())]);
        Ok(())
    }

    fn groups<'t>(&self, tables: Vec<Listed<'t>>) -> Tried<Vec<Vec<Listed<'t>>>> {
        Ok(taking::groups(tables))
    }

    fn before_taking(&mut self, order: &Undo<'_>, _tables: &[&str], fates: &[Fate<'_>]) -> Tried<Vec<Obstacle>> {
        self.run("ANALYZE treelift_apart")?;
        referring::would_dangle(self.session, order.references, fates)
    }

    fn take(&mut self, group: &[Fate<'_>], done: &dyn Fn(u64) -> Result<()>) -> Tried<Option<Obstacle>> {
        taking::take(self.session, group, done)
    }

    fn is_over(&self) -> bool {
        false
    }

    /// What is judged at the commit is judged now.
    fn after_taking(&mut self, _order: &Undo<'_>, _tables: &[&str]) -> Tried<Vec<Obstacle>> {
        self.run("SAVEPOINT deferred")?;
        match self.session.try_run("SET CONSTRAINTS ALL IMMEDIATE") {
            Ok(()) => self.run("RELEASE deferred").map(|()| Vec::new()),
            Err(error) if rejection::is_about_rows(&error) => {
                self.run("ROLLBACK TO deferred; RELEASE deferred")?;
                Ok(vec![Obstacle::Refused { why: rejection::at_the_end(&error) }])
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Engine<'_> {
    /// Writes what was noted apart.
    fn flush(&mut self) -> Tried<()> {
        if self.apart.is_empty() {
            return Ok(());
        }
        let mut lists = [Vec::new(), Vec::new(), Vec::new()];
        for row in self.apart.drain(..) {
            lists.iter_mut().zip(row).for_each(|(list, part)| list.push(part));
        }
        let text = "INSERT INTO treelift_apart SELECT k.t::int8, k.row_key, k.fate::int8
                    FROM unnest($1::text[], $2::text[], $3::text[]) k(t, row_key, fate)";
        self.session.query_lists(text, &lists).map(drop)
    }
}

impl Following for Engine<'_> {
    const TEMPORARY: &'static str = " ON COMMIT DROP";

    fn key_text(_kind: ColumnType, cell: &Cell) -> Option<String> {
        cell.text()
    }

    fn has_ledger(&self) -> Tried<bool> {
        catalog::has_table(self.session, "treelift_rows")
    }

    fn put(&mut self, table: &str, types: &[&str], rows: Vec<Vec<Option<String>>>) -> Tried<()> {
        let mut lists = vec![Vec::with_capacity(rows.len()); types.len()];
        for row in rows {
            lists.iter_mut().zip(row).for_each(|(list, text)| list.push(text));
        }
        let all = |one: &dyn Fn(usize) -> String| (0..types.len()).map(one).collect::<Vec<_>>().join(", ");
        let text = format!(
            "INSERT INTO {table} SELECT {} FROM unnest({}) k({})",
            all(&|at| format!("k.c{at}::{}", types[at])),
            all(&|at| format!("${}::text[]", at + 1)),
            all(&|at| format!("c{at}"))
        );
        self.session.query_lists(&text, &lists).map(drop)
    }

    fn sealed(&self) -> Tried<BTreeSet<(String, String)>> {
        let all = keys::registered(self.session)?.into_iter();
        Ok(all.map(|one| (one.column.table, one.column.column)).collect())
    }

    fn bytes(digits: &str) -> String {
        format!("decode({digits}, 'hex')")
    }
}

fn cell(row: &Row, at: usize) -> Cell {
    match *row.columns()[at].type_() {
        Type::INT8 => row.get::<_, Option<i64>>(at).map_or(Cell::Null, Cell::Integer),
        Type::INT4 => row.get::<_, Option<i32>>(at).map_or(Cell::Null, |number| Cell::Integer(number.into())),
        _ => row.get::<_, Option<String>>(at).map_or(Cell::Null, Cell::Text),
    }
}
