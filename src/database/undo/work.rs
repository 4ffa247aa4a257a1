//! How a run is undone: removes the rows it inserted and empties the columns it filled, if they are as it left them. The
//! same in every engine, which gives statements alone.
//!
//! First everything is checked, and what is to be done noted in temporary tables; then it is done, and looked at again. A
//! trigger that is not the set's own might do anything: none may be on the tables.

use super::engine::{self, Fate, Listed, REMOVE, Undoing, number, text_of};
use super::{Keys, Obstacle, Taken, Undo, Undone, choose};
use crate::database::Cell;
use crate::database::audit::AuditEntry;
use crate::database::catalog::Other;
use crate::database::kept::ForeignTrigger;
use crate::database::ledger::{RunRecord, Written, key_parts};
use crate::database::unchanged::{Disposition, Noted};
use crate::table::Table;
use crate::who::Who;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Every so many rows progress is told.
const PAGE: u64 = 1_000;

/// Carries an order out. Nothing is committed yet; where something blocks it, or nothing is left to be done, nothing may
/// be.
pub(in crate::database) fn undo<E: Undoing>(engine: &mut E, order: &Undo<'_>) -> Result<Undone, E::Fault> {
    let mut undone = Work { engine, order, fates: Fates::default() }.all()?;
    if !undone.obstacles.is_empty() {
        undone.tables.clear();
    }
    Ok(undone)
}

/// What is to become of the run's rows.
#[derive(Default)]
struct Fates {
    /// The columns that each fate empties, or gives the values back to that they had before the run of this number; the
    /// first one removes.
    changed: Vec<(Vec<String>, Option<i64>)>,
    /// How many rows of a table have each fate, by the number of the table.
    rows: HashMap<(i64, usize), u64>,
}

impl Fates {
    fn remove(&mut self, table: i64) {
        *self.rows.entry((table, REMOVE)).or_default() += 1;
    }

    /// The fate of a row whose columns are emptied, or get the values that they had before a run.
    fn change(&mut self, table: i64, columns: Vec<String>, of_run: Option<i64>) -> usize {
        let known = self.changed.iter().position(|list| list.0 == columns && list.1 == of_run);
        let at = known.unwrap_or_else(|| {
            self.changed.push((columns, of_run));
            self.changed.len() - 1
        });
        *self.rows.entry((table, at + 1)).or_default() += 1;
        at + 1
    }

    /// Those of a table: what is changed, then what is removed.
    fn of<'f>(&'f self, listed: Listed<'f>) -> Vec<Fate<'f>> {
        let numbers = (1..=self.changed.len()).chain([REMOVE]);
        let fate = |number: usize| {
            let (columns, of_run) =
                number.checked_sub(1).map_or((&[][..], None), |at| (&self.changed[at].0[..], self.changed[at].1));
            let rows = *self.rows.get(&(listed.number, number))?;
            Some(Fate { listed, number, columns, of_run, rows })
        };
        numbers.filter_map(fate).collect()
    }
}

/// An undo, in its transaction.
pub(super) struct Work<'w, E> {
    pub(super) engine: &'w mut E,
    pub(super) order: &'w Undo<'w>,
    fates: Fates,
}

impl<E: Undoing> Work<'_, E> {
    fn all(&mut self) -> Result<Undone, E::Fault> {
        self.engine.set_up()?;
        let runs = self.engine.runs()?;
        let run = choose(&runs, self.order.run)?;
        self.engine.note_run(run)?;
        let tables = self.tables()?;
        let names: Vec<&str> = tables.iter().map(|(_, name)| name.as_str()).collect();
        let before = self.engine.counts()?;
        let mut undone = Undone { obstacles: self.later(run)?, ..Undone::default() };
        let number = self.number_of(run)?;
        undone.obstacles.extend(self.foreign_triggers(&names)?);
        let live = self.engine.live(&names)?;
        let mut listed = Vec::new();
        for (table, name) in &tables {
            let (taken, obstacle) = self.table((*table, name), live.get(name), (run, number), &mut listed)?;
            undone.tables.push(taken);
            undone.obstacles.extend(obstacle);
        }
        for listed in &listed {
            let (secrets, obstacles) = self.secrets(*listed, number)?;
            undone.secrets += secrets;
            undone.obstacles.extend(obstacles);
        }
        undone.tables.sort_by(|one, other| one.name.cmp(&other.name));
        let blocked = undone.obstacles.iter().any(|obstacle| matches!(obstacle, Obstacle::Trigger { .. }));
        if !blocked {
            let found = self.take(listed, &names)?;
            undone.obstacles.extend(found);
        }
        if self.engine.is_over() {
            return Ok(undone); // a trigger rolled the transaction back, and there is nothing to look at
        }
        if undone.obstacles.is_empty() {
            let after = self.engine.counts()?;
            undone.obstacles.extend(further::<E>(&before, &after, &undone.tables));
        }
        if undone.obstacles.is_empty() && undone.rows() > 0 {
            self.record(run, &undone)?;
        }
        Ok(undone)
    }

    /// The tables that the run wrote into, the one that it came to last first: the ledger's number and the name of each.
    fn tables(&self) -> Result<Vec<(i64, String)>, E::Fault> {
        let text = "SELECT t.id, t.name FROM treelift_tables t JOIN treelift_taken r ON r.\"table\" = t.id
                    GROUP BY t.id, t.name ORDER BY min(r.number) DESC";
        Ok(self.engine.ask(text)?.iter().map(|row| (number(&row[0]), text_of(&row[1]))).collect())
    }

    /// Later runs that wrote into rows of this one. Rows of a table without a key cannot be identified.
    fn later(&mut self, run: &RunRecord) -> Result<Vec<Obstacle>, E::Fault> {
        // Each file of a later run leads to its rows.
        let id = run.id.replace('\'', "''");
        let rows = format!(
            "treelift_files f JOIN treelift_runs u ON u.number = f.run CROSS JOIN treelift_rows r
             WHERE r.file = f.id AND f.run > (SELECT number FROM treelift_runs WHERE id = '{id}') AND r.row_key <> '[]'"
        );
        if self.engine.ask(&format!("SELECT 1 FROM {rows} LIMIT 1"))?.is_empty() {
            return Ok(Vec::new());
        }
        self.engine.index_taken()?;
        let found = self.engine.ask(&format!(
            "SELECT u.id, count(DISTINCT r.\"table\" || ' ' || r.row_key) FROM {rows}
               AND EXISTS (SELECT 1 FROM treelift_taken t WHERE t.\"table\" = r.\"table\" AND t.row_key = r.row_key)
             GROUP BY u.number, u.id ORDER BY u.number"
        ))?;
        let later = |row: &Vec<Cell>| Obstacle::Later { run: text_of(&row[0]), rows: number(&row[1]).unsigned_abs() };
        Ok(found.iter().map(later).collect())
    }

    /// Triggers that may reach the tables and that no migration of the set makes.
    fn foreign_triggers(&self, tables: &[&str]) -> Result<Vec<Obstacle>, E::Fault> {
        let is_own = |name: &str, live: &Other| self.order.triggers.get(name).is_some_and(|known| known.same_as(live));
        let is_taken = |table: &str| tables.iter().any(|name| E::is_same(name, table));
        let foreign = self.engine.foreign_triggers(&is_own, &is_taken)?;
        Ok(foreign.into_iter().map(|ForeignTrigger { name, table }| Obstacle::Trigger { name, table }).collect())
    }

    /// Checks the run's rows of one table, and notes what is to become of them.
    fn table<'t>(
        &mut self,
        (number, name): (i64, &str),
        live: Option<&'t Table>,
        (run, run_number): (&RunRecord, i64),
        all: &mut Vec<Listed<'t>>,
    ) -> Result<(Taken, Option<Obstacle>), E::Fault> {
        let mut taken = Taken { name: name.to_owned(), ..Taken::default() };
        let table = name.to_owned();
        let Some(live) = live else {
            let by = self.order.changes.took_table(name);
            return Ok((taken, Some(Obstacle::Missing { table, rows: self.written(number)?, by })));
        };
        if live.primary_key().is_empty() {
            return Ok((taken, Some(Obstacle::Nameless { table, rows: self.written(number)? })));
        }
        let columns = self.engine.columns(number, name)?;
        if let Some(obstacle) = self.altered((number, live), &columns)? {
            return Ok((taken, Some(obstacle)));
        }
        let listed = Listed { number, table: live };
        self.engine.list(listed)?;
        let restored = self.restored(number, run_number)?;
        let Self { engine, order, fates } = self;
        let parts = live.primary_key().len();
        let (mut changed, mut nameless, mut has_other_parts, mut rows) = (Keys::default(), 0, false, 0);
        let force = order.force_edited;
        engine.judge(listed, &columns, Some(run), &mut |engine, key, noted, fate| {
            let earlier = restored.get(key);
            // An edited row is undone as one that was not, where that is asked for.
            let is_forced = fate == Disposition::Changed && force;
            taken.edited += u64::from(is_forced);
            let fate = match earlier {
                _ if !is_forced => fate,
                Some(_) => Disposition::Restore { sealed_alike: true },
                None if noted.iter().all(|one| columns.get(&one.columns).is_some_and(|list| list.filled)) => {
                    Disposition::Empty
                }
                None => Disposition::Remove { sealed_alike: true, judged: true },
            };
            match fate {
                Disposition::Gone => taken.gone += 1,
                Disposition::Remove { sealed_alike, judged } => {
                    taken.removed += 1;
                    taken.resealed += u64::from(!sealed_alike);
                    taken.unjudged += u64::from(!judged);
                }
                Disposition::Empty => taken.emptied += 1,
                Disposition::Restore { sealed_alike } => {
                    taken.restored += 1;
                    taken.resealed += u64::from(!sealed_alike);
                }
                Disposition::Changed => changed.add_in_order(key),
                Disposition::Nameless => nameless += 1,
            }
            // One that was changed is removed too, before all is undone: else what it references would be
            // reported as lost.
            match fate {
                Disposition::Remove { .. } | Disposition::Changed => fates.remove(number),
                Disposition::Empty => {
                    let fate = fates.change(number, filled(noted, &columns), None);
                    engine.note_apart(number, key, Some(fate))?;
                }
                Disposition::Restore { .. } => {
                    let fate = fates.change(number, earlier.cloned().unwrap_or_default(), Some(run_number));
                    engine.note_apart(number, key, Some(fate))?;
                }
                Disposition::Gone | Disposition::Nameless => engine.note_apart(number, key, None)?,
            }
            has_other_parts |= key_parts(key, parts).is_none();
            rows += 1;
            if rows % PAGE == 0 { Ok((order.progress)(PAGE)?) } else { Ok(()) }
        })?;
        (order.progress)(rows % PAGE)?;
        if has_other_parts {
            let key = key_of(live);
            return Ok((taken, Some(Obstacle::Rekeyed { rows: self.written(number)?, table, key, by: None })));
        }
        all.push(listed);
        // What is not there under its key is deleted for sure only where all that is there is known.
        let found = taken.removed + taken.emptied + taken.restored + changed.rows;
        if taken.gone > 0 {
            let (others, has) = engine.others(listed)?;
            if has > others.saturating_add(found) {
                taken.unfound = std::mem::take(&mut taken.gone);
            }
        }
        let obstacle = match (nameless, changed.rows) {
            (0, 0) => None,
            (0, _) => Some(Obstacle::Changed { table, keys: changed }),
            _ => Some(Obstacle::Nameless { table, rows: nameless }),
        };
        Ok((taken, obstacle))
    }

    /// How many rows of a table the run inserted or filled.
    fn written(&self, table: i64) -> Result<u64, E::Fault> {
        self.count(&format!("treelift_taken WHERE \"table\" = {table}"))
    }

    fn count(&self, from: &str) -> Result<u64, E::Fault> {
        let rows = self.engine.ask(&format!("SELECT count(*) FROM {from}"))?;
        Ok(rows.first().map_or(0, |row| number(&row[0]).unsigned_abs()))
    }

    /// What keeps the rows of the run from being found or judged: columns that are gone, or another primary key.
    fn altered(
        &self,
        (number, live): (i64, &Table),
        lists: &HashMap<i64, Written>,
    ) -> Result<Option<Obstacle>, E::Fault> {
        let (changes, table, key) = (self.order.changes, live.name.clone(), key_of(live));
        if let Some((_, by)) = changes.key_before(&table).filter(|(before, _)| *before != key) {
            let by = Some(by.to_owned());
            return Ok(Some(Obstacle::Rekeyed { rows: self.written(number)?, table, key, by }));
        }
        let is_there = |name: &String| live.columns.iter().any(|column| E::is_same(&column.name, name));
        let text = format!("SELECT DISTINCT columns FROM treelift_taken WHERE \"table\" = {number}");
        let used = self.engine.ask(&text)?;
        let used = used.iter().filter_map(|row| lists.get(&engine::number(&row[0])));
        let names = used.flat_map(|list| [&list.digested, &list.clock, &list.sealed]).flatten();
        let gone: BTreeSet<String> = names.filter(|name| !is_there(name)).cloned().collect();
        let Some(first) = gone.first() else { return Ok(None) };
        let by = changes.took_column(&table, first).map(str::to_owned);
        let columns = gone.into_iter().collect();
        Ok(Some(Obstacle::Narrowed { rows: self.written(number)?, table, columns, by }))
    }

    /// Does what was noted, the rows of later tables first: they refer to those of earlier ones. Gives what blocks it, and
    /// ends at the first thing that the database refuses: what comes after it says nothing any more.
    fn take(&mut self, tables: Vec<Listed<'_>>, names: &[&str]) -> Result<Vec<Obstacle>, E::Fault> {
        let Self { engine, order, fates } = self;
        let all: Vec<Fate<'_>> = tables.iter().flat_map(|listed| fates.of(*listed)).collect();
        let mut found = engine.before_taking(order, names, &all)?;
        if !found.is_empty() {
            return Ok(found);
        }
        for group in engine.groups(tables)? {
            let group: Vec<Fate<'_>> = group.into_iter().flat_map(|listed| fates.of(listed)).collect();
            if let Some(refused) = engine.take(&group, order.progress)? {
                found.push(refused);
                return Ok(found);
            }
        }
        if !engine.is_over() {
            let left = engine.after_taking(order, names)?;
            found.extend(left);
        }
        Ok(found)
    }

    /// The ledger forgets the rows and remembers that; so does the audit trail.
    fn record(&mut self, run: &RunRecord, undone: &Undone) -> Result<(), E::Fault> {
        // All of it at a stroke where no other run wrote any.
        let is_all = self.count("treelift_rows")? == self.count("treelift_taken")?;
        let of_run = if is_all { "" } else { " WHERE file IN (SELECT id FROM treelift_files_taken)" };
        self.engine.run(&format!("DELETE FROM treelift_rows{of_run}"))?;
        let number = self.number_of(run)?;
        self.engine.run(&format!("DELETE FROM treelift_earlier WHERE run = {number}; DELETE FROM treelift_seen"))?;
        let sum = |of: fn(&Taken) -> u64| undone.tables.iter().map(of).sum::<u64>();
        let (removed, emptied) = (sum(|table| table.removed), sum(|table| table.emptied));
        let who = Who::runs_this();
        let restored = sum(|table| table.restored);
        let record = RunRecord {
            id: self.order.run_id.to_owned(),
            kind: "undo".to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.order.started,
            finished: jiff::Timestamp::now(),
            updated: emptied + restored,
            removed,
            undoes: Some(run.id.clone()),
            set: run.set.clone(),
            set_digest: run.set_digest.clone(),
            set_folder: run.set_folder.clone(),
            source: run.source.clone(),
            host: who.host,
            user: who.user,
            ..RunRecord::default()
        };
        self.engine.write_run(&record)?;
        if let Some(reseal) = self.order.reseal.filter(|_| undone.secrets > 0) {
            reseal.prove(&mut *self.engine.sealing())?;
        }
        let details =
            serde_json::json!({ "undo": record.id, "removed": removed, "emptied": emptied, "restored": restored });
        let entry =
            AuditEntry::new("undo", "database", "an import was undone", self.order.started)?.of(&run.id).with(details);
        self.engine.note(&entry, self.order.audit)
    }
}

fn key_of(table: &Table) -> Vec<String> {
    table.primary_key().into_iter().map(str::to_owned).collect()
}

/// The columns of a row that the run filled.
fn filled(noted: &[Noted], columns: &HashMap<i64, Written>) -> Vec<String> {
    let lists = noted.iter().filter_map(|one| columns.get(&one.columns));
    lists.flat_map(|written| written.digested.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Rows that went besides the run's own.
fn further<E: Undoing>(
    before: &BTreeMap<String, u64>,
    after: &BTreeMap<String, u64>,
    tables: &[Taken],
) -> Vec<Obstacle> {
    let of = |name: &str| tables.iter().find(|table| E::is_same(&table.name, name));
    let gone = before.iter().filter_map(|(table, was)| {
        let stays = was.saturating_sub(of(table).map_or(0, |table| table.removed));
        let rows = stays.saturating_sub(after.get(table).copied().unwrap_or(0));
        (rows > 0).then(|| Obstacle::Further { table: table.clone(), rows })
    });
    gone.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_emptied_before_others_are_removed_and_the_same_columns_are_one_fate() {
        let mut fates = Fates::default();
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        fates.remove(7);
        assert_eq!([["a"], ["b"], ["a"]].map(|names| fates.change(7, columns(&names), None)), [1, 2, 1]);
        fates.remove(8);
        let table = Table::default();
        let of = |number| {
            let fates = fates.of(Listed { number, table: &table });
            fates.iter().map(|fate| (fate.number, fate.columns.to_vec(), fate.rows)).collect::<Vec<_>>()
        };
        assert_eq!(of(7), [(1, columns(&["a"]), 2), (2, columns(&["b"]), 1), (REMOVE, vec![], 1)]);
        assert_eq!(of(8), [(REMOVE, vec![], 1)]);
        assert_eq!(of(9), []);
    }
}
