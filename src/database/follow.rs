//! The ledger follows rows whose keys or tables a migration changes, and refuses a change that would lose sight of them.
//!
//! What stands before the first step is noted in a temporary table, and looked for behind the last one. A migration says with
//! [`LedgerLine`]s how keys change; then rows that were as their run left them count as such behind it, and edited ones as edited.

mod engine;
mod keys;
mod lists;

use super::tokens::Tokens;
use super::unchanged::{Disposition, Noted};
use super::undo::engine::{Listed, Undoing, number, numbers, text_of};
use crate::database::Cell;
use crate::error::Error;
use crate::hex;
use crate::report::words::count;
use crate::table::{ColumnType, LedgerLine, Migration, Table};
pub(super) use engine::Following;
use engine::quoted;
pub(super) use keys::wrong;
use keys::{kinds, pairs};
use lists::{ListNow, lists_now};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// So many rows are written at once.
const PAGE: usize = 2_000;
/// What a row that stood before the change is noted as: as its run left it, sealed values too.
const INTACT: usize = 1;
/// As its run left it but for sealed values.
const RESEALED: usize = 2;
/// Edited since.
const EDITED: usize = 3;

/// A migration that is about to be run, up or down.
#[derive(Clone, Copy)]
pub(super) struct Step<'m> {
    pub(super) migration: &'m Migration,
    pub(super) sql: &'m str,
    pub(super) lines: &'m [LedgerLine],
}

/// What became of the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Followed {
    /// Rows of it that have another key or table.
    pub moved: u64,
    /// Rows of it that it forgot: the application had deleted what they speak of, and nothing has their key any more.
    pub forgotten: u64,
}

/// The rows that are followed.
pub(super) struct Follow<'m> {
    steps: Vec<Step<'m>>,
    /// The tables by the ledger's number of each, as they were before the step that is next.
    tables: BTreeMap<i64, Table>,
    /// The columns that the rows of each had before the first step.
    had: BTreeMap<i64, BTreeSet<String>>,
    /// How many rows every table had.
    counts: BTreeMap<String, u64>,
    /// Whether a line says how keys change, so that digests are made anew.
    renews: bool,
    followed: Followed,
}

impl<'m> Follow<'m> {
    /// Notes what stands, of the tables that these steps speak of; none where no run wrote into any.
    pub(super) fn begin<E: Following>(engine: &mut E, steps: Vec<Step<'m>>) -> Result<Option<Self>, E::Fault> {
        if !engine.has_ledger()? {
            return Ok(None);
        }
        engine.set_up()?;
        let renews = steps.iter().any(|step| !step.lines.is_empty());
        let known = engine.ask(
            "SELECT t.id, t.name FROM treelift_tables t WHERE t.id IN (SELECT r.\"table\" FROM treelift_rows r)
             ORDER BY t.id",
        )?;
        let known: Vec<(i64, String)> = known.iter().map(|row| (number(&row[0]), text_of(&row[1]))).collect();
        let is_followed = |(_, name): &&(i64, String)| renews || steps.iter().any(|step| speaks_of(step.sql, name));
        let names: Vec<&str> = known.iter().filter(is_followed).map(|(_, name)| name.as_str()).collect();
        let mut live = engine.live(&names)?;
        let with_key = |(id, name): &(i64, String)| Some((*id, live.remove(name)?));
        let tables: BTreeMap<i64, Table> =
            known.iter().filter_map(with_key).filter(|(_, table)| !table.primary_key().is_empty()).collect();
        if tables.is_empty() {
            return Ok(None);
        }
        let names = |table: &Table| table.columns.iter().map(|column| column.name.clone()).collect();
        let had = tables.iter().map(|(id, table)| (*id, names(table))).collect();
        let counts = engine.counts()?;
        let follow = Self { steps, tables, had, counts, renews, followed: Followed::default() };
        each(engine, &follow.tables, &HashMap::new(), &mut |engine, row| {
            let fate = match row.fate {
                Disposition::Gone | Disposition::Nameless => return Ok(()),
                Disposition::Remove { sealed_alike: false, .. } | Disposition::Restore { sealed_alike: false } => {
                    RESEALED
                }
                Disposition::Remove { .. } | Disposition::Restore { .. } | Disposition::Empty => INTACT,
                Disposition::Changed => EDITED,
            };
            engine.note_apart(row.table, row.key, Some(fate))
        })?;
        let temporary = E::TEMPORARY;
        engine.run(&format!(
            "CREATE TEMP TABLE treelift_stood{temporary} AS SELECT \"table\", row_key, fate FROM treelift_apart;
             CREATE INDEX treelift_stood_key ON treelift_stood (\"table\", row_key)"
        ))?;
        forget(engine, &follow.tables)?;
        Ok(Some(follow))
    }

    /// The types of the columns that a line's query gives: those of the key that was, and of the one that is; none where no
    /// run wrote into the table that was.
    pub(super) fn kinds<E: Following>(
        &self,
        engine: &mut E,
        line: &LedgerLine,
    ) -> Result<Option<Vec<ColumnType>>, E::Fault> {
        let Some((_, was)) = self.of(engine, line.old_table())? else { return Ok(None) };
        let Some(is) = engine.live(&[&line.table])?.remove(&line.table) else {
            return Err(wrong(line, &format!("there is no table `{}`", line.table)).into());
        };
        let kinds: Vec<ColumnType> = kinds(was).into_iter().chain(kinds(&is)).collect();
        Ok(Some(kinds))
    }

    fn of<E: Following>(&self, engine: &E, name: &str) -> Result<Option<(i64, &Table)>, E::Fault> {
        let rows = engine.ask(&format!("SELECT id FROM treelift_tables WHERE name = {}", quoted(name)))?;
        let id = rows.first().map(|row| number(&row[0]));
        Ok(id.and_then(|id| Some((id, self.tables.get(&id)?))))
    }

    /// Writes the ledger's rows under the keys that they have now; `rows` is what the line's query gives.
    pub(super) fn apply<E: Following>(
        &mut self,
        engine: &mut E,
        line: &LedgerLine,
        rows: &[Vec<Cell>],
    ) -> Result<(), E::Fault> {
        let Some((from, was)) = self.of(engine, line.old_table())? else { return Ok(()) };
        let Some(is) = engine.live(&[&line.table])?.remove(&line.table) else { return Ok(()) };
        let pairs = pairs::<E>(line, (was, &is), rows)?;
        let temporary = E::TEMPORARY;
        engine.run(&format!("CREATE TEMP TABLE treelift_rekeyed (was text, is_now text){temporary}"))?;
        for page in pairs.chunks(PAGE) {
            engine.put("treelift_rekeyed", &["text", "text"], page.to_vec())?;
        }
        let to = self.number_of(engine, line)?;
        engine.run("CREATE INDEX treelift_rekeyed_was ON treelift_rekeyed (was)")?;
        let leaves_nothing = format!(
            "\"table\" = {from} AND NOT EXISTS (
                 SELECT 1 FROM treelift_stood s WHERE s.\"table\" = {from} AND s.row_key = treelift_rows.row_key)
             AND NOT EXISTS (SELECT 1 FROM treelift_rekeyed k WHERE k.was = treelift_rows.row_key)"
        );
        let moved = format!("\"table\" = {from} AND row_key IN (SELECT was FROM treelift_rekeyed)");
        self.followed.forgotten += rows_of(engine, &leaves_nothing)?;
        self.followed.moved += rows_of(engine, &moved)?;
        engine.run(&format!(
            "DELETE FROM treelift_rows WHERE {leaves_nothing};
             INSERT INTO treelift_columns (\"table\", digested, clock, sealed, filled)
                 SELECT {to}, o.digested, o.clock, o.sealed, o.filled FROM treelift_columns o
                 WHERE o.\"table\" = {from} AND NOT EXISTS (SELECT 1 FROM treelift_columns n WHERE n.\"table\" = {to}
                     AND n.digested = o.digested AND n.clock = o.clock AND n.sealed = o.sealed AND n.filled = o.filled);
             UPDATE treelift_rows SET \"table\" = {to}, row_key = k.is_now, columns = (
                     SELECT n.id FROM treelift_columns o JOIN treelift_columns n ON n.\"table\" = {to}
                         AND n.digested = o.digested AND n.clock = o.clock AND n.sealed = o.sealed AND n.filled = o.filled
                     WHERE o.id = treelift_rows.columns)
                 FROM treelift_rekeyed k WHERE treelift_rows.\"table\" = {from} AND treelift_rows.row_key = k.was;
             UPDATE treelift_earlier SET \"table\" = {to}, row_key = k.is_now
                 FROM treelift_rekeyed k WHERE treelift_earlier.\"table\" = {from} AND treelift_earlier.row_key = k.was;
             UPDATE treelift_stood SET \"table\" = {to}, row_key = k.is_now
                 FROM treelift_rekeyed k WHERE treelift_stood.\"table\" = {from} AND treelift_stood.row_key = k.was;
             DROP TABLE treelift_rekeyed"
        ))?;
        let had = self.had.get(&from).cloned().unwrap_or_default();
        self.had.entry(to).or_default().extend(had);
        self.tables.insert(to, is);
        Ok(())
    }

    /// The ledger's number of the table that the rows have come to, which it may not know yet.
    fn number_of<E: Following>(&self, engine: &mut E, line: &LedgerLine) -> Result<i64, E::Fault> {
        let name = quoted(&line.table);
        let find = format!("SELECT id FROM treelift_tables WHERE name = {name}");
        if engine.ask(&find)?.is_empty() {
            engine.run(&format!("INSERT INTO treelift_tables (name) VALUES ({name})"))?;
        }
        Ok(engine.ask(&find)?.first().map_or(0, |row| number(&row[0])))
    }

    /// Looks for the rows that stood, and makes the digests of intact ones anew.
    pub(super) fn end<E: Following>(mut self, engine: &mut E) -> Result<Followed, E::Fault> {
        let ids: Vec<i64> = self.tables.keys().copied().collect();
        let known = engine.ask(&format!("SELECT id, name FROM treelift_tables WHERE id IN ({})", numbers(&ids)))?;
        let names: BTreeMap<i64, String> = known.iter().map(|row| (number(&row[0]), text_of(&row[1]))).collect();
        let mut live = engine.live(&names.values().map(String::as_str).collect::<Vec<_>>())?;
        let now: BTreeMap<i64, Table> = names.iter().filter_map(|(id, name)| Some((*id, live.remove(name)?))).collect();
        let now: BTreeMap<i64, Table> = now.into_iter().filter(|(_, table)| !table.primary_key().is_empty()).collect();
        let temporary = E::TEMPORARY;
        engine.run(&format!(
            "CREATE TEMP TABLE treelift_renewed (
                 \"table\" bigint, row_key text, columns bigint, becomes bigint, digest text, own text){temporary}"
        ))?;
        let becomes = if self.renews { lists_now(engine, &now, &self.had)? } else { HashMap::new() };
        let (mut page, renews) = (Vec::new(), self.renews);
        each(engine, &now, &becomes, &mut |engine, row| {
            if matches!(row.fate, Disposition::Gone | Disposition::Nameless) {
                return Ok(());
            }
            engine.note_apart(row.table, row.key, Some(INTACT))?;
            if renews {
                page.extend(row.noted.iter().filter_map(|one| renewed(row.table, row.key, one, &becomes)));
                if page.len() >= PAGE {
                    put_renewed(engine, std::mem::take(&mut page))?;
                }
            }
            Ok(())
        })?;
        put_renewed(engine, page)?;
        self.refuse_lost(engine, &names)?;
        if self.renews {
            let [digest, own] = ["k.digest", "k.own"].map(E::bytes);
            engine.run(&format!(
                "CREATE INDEX treelift_renewed_key ON treelift_renewed (\"table\", row_key, columns);
                 UPDATE treelift_rows SET columns = k.becomes,
                     digest = CASE WHEN s.fate < {EDITED} THEN {digest} ELSE treelift_rows.digest END,
                     own = CASE WHEN s.fate = {INTACT} THEN {own} ELSE treelift_rows.own END
                 FROM treelift_renewed k JOIN (
                     SELECT \"table\", row_key, max(fate) AS fate FROM treelift_stood GROUP BY \"table\", row_key
                 ) s ON s.\"table\" = k.\"table\" AND s.row_key = k.row_key
                 WHERE treelift_rows.\"table\" = k.\"table\" AND treelift_rows.row_key = k.row_key
                     AND treelift_rows.columns = k.columns"
            ))?;
        }
        self.tables = now;
        forget(engine, &self.tables)?;
        engine.run("DROP TABLE treelift_renewed; DROP TABLE treelift_stood")?;
        Ok(self.followed)
    }

    /// Refuses a change behind which rows that stood are nowhere, unless they were deleted: that is told as a loss.
    fn refuse_lost<E: Following>(&self, engine: &mut E, names: &BTreeMap<i64, String>) -> Result<(), E::Fault> {
        let lost = engine.ask(
            "SELECT s.\"table\", count(DISTINCT s.row_key), min(s.row_key) FROM treelift_stood s
             WHERE NOT EXISTS (SELECT 1 FROM treelift_apart a WHERE a.\"table\" = s.\"table\" AND a.row_key = s.row_key)
             GROUP BY s.\"table\" ORDER BY s.\"table\"",
        )?;
        if lost.is_empty() {
            return Ok(());
        }
        let after = engine.counts()?;
        let mut errors = Vec::new();
        for row in &lost {
            let (id, rows, key) = (number(&row[0]), number(&row[1]).unsigned_abs(), text_of(&row[2]));
            let name = names.get(&id).map(String::as_str).unwrap_or_default();
            let had = self.counts.get(name).copied().unwrap_or(0);
            let (may_be_gone, as_name) = match after.get(name) {
                Some(has) => (had.saturating_sub(*has), None),
                None => match self.came_back(engine, id, had, &after)? {
                    Some(new) => (0, Some(new)),
                    None => (rows, None),
                },
            };
            if rows > may_be_gone {
                errors.push(self.lost(name, as_name.as_ref(), rows, &key));
            }
        }
        Error::all(errors).map_or(Ok(()), |error| Err(error.into()))
    }

    /// The table that one which is gone seems to have become: with no more rows, and half of its columns.
    fn came_back<E: Following>(
        &self,
        engine: &E,
        id: i64,
        had: u64,
        after: &BTreeMap<String, u64>,
    ) -> Result<Option<Table>, E::Fault> {
        let is_new = |(name, has): &(&String, &u64)| (1..=had).contains(*has) && !self.counts.contains_key(*name);
        let new: Vec<&str> = after.iter().filter(is_new).map(|(name, _)| name.as_str()).collect();
        let Some(was) = self.tables.get(&id) else { return Ok(None) };
        let shares = |table: &Table| was.columns.iter().filter(|one| table.column(&one.name).is_some()).count();
        Ok(engine.live(&new)?.into_values().find(|table| 2 * shares(table) >= was.columns.len()))
    }

    /// The words for rows of a table that the ledger would not find any more; it `becomes` another one.
    fn lost(&self, table: &str, becomes: Option<&Table>, rows: u64, key: &str) -> Error {
        let rows = count(rows, "row");
        let error = Error::environment(format!(
            "the ledger would lose sight of {rows} of `{table}` that runs wrote, the first under the key {key}: no such row is there any more; nothing was changed"
        ));
        let by = self.steps.iter().rev().find(|step| speaks_of(step.sql, table));
        let error = by.into_iter().fold(error, |error, step| error.at(step.path()));
        let line = match becomes {
            Some(new) => {
                let key = new.primary_key().join(", ");
                format!(
                    "`-- ledger: {new} from {table} SELECT {key}, {key} FROM {new}`, if the keys stay",
                    new = new.name
                )
            }
            None => format!("`-- ledger: {table} SELECT old, new FROM …`"),
        };
        error.hint(format!("say at the head of the file what became of the rows, {line} (docs/schema.md)"))
    }
}

impl Step<'_> {
    /// The file that is run.
    fn path(&self) -> String {
        if std::ptr::eq(self.sql, self.migration.up.as_str()) {
            self.migration.path.clone()
        } else {
            self.migration.down_path()
        }
    }
}

/// A row that the ledger knows.
struct Seen<'s> {
    table: i64,
    key: &'s str,
    noted: &'s [Noted],
    fate: Disposition,
}

/// Takes a row that the ledger knows.
type Take<'t, E> = dyn FnMut(&mut E, &Seen<'_>) -> Result<(), <E as Undoing>::Fault> + 't;

/// Looks at every row of these tables that the ledger knows; in these lists of columns, where they are others now.
fn each<E: Following>(
    engine: &mut E,
    tables: &BTreeMap<i64, Table>,
    lists: &HashMap<i64, ListNow>,
    take: &mut Take<'_, E>,
) -> Result<(), E::Fault> {
    engine.note_all(&tables.keys().copied().collect::<Vec<_>>())?;
    for (id, table) in tables {
        let listed = Listed { number: *id, table };
        engine.list(listed)?;
        let mut columns = engine.columns(*id, &table.name)?;
        for (list, written) in &mut columns {
            lists.get(list).into_iter().for_each(|now| now.written.clone_into(written));
        }
        engine.judge(listed, &columns, None, &mut |engine, key, noted, fate| {
            take(engine, &Seen { table: *id, key, noted, fate })
        })?;
    }
    Ok(())
}

/// Drops what was made to look at them.
fn forget<E: Following>(engine: &mut E, tables: &BTreeMap<i64, Table>) -> Result<(), E::Fault> {
    let listed = tables.iter().map(|(number, table)| Listed { number: *number, table }.name());
    let made = ["treelift_files_taken", "treelift_taken", "treelift_apart"].map(str::to_owned);
    let drops: Vec<String> = made.into_iter().chain(listed).map(|name| format!("DROP TABLE {name}")).collect();
    engine.run(&drops.join("; "))
}

fn rows_of<E: Following>(engine: &E, condition: &str) -> Result<u64, E::Fault> {
    let rows = engine.ask(&format!("SELECT count(*) FROM treelift_rows WHERE {condition}"))?;
    Ok(rows.first().map_or(0, |row| number(&row[0]).unsigned_abs()))
}

/// What `treelift_renewed` has of a row.
fn renewed(table: i64, key: &str, one: &Noted, becomes: &HashMap<i64, ListNow>) -> Option<Vec<Option<String>>> {
    let now = one.now.as_ref()?;
    let becomes = becomes.get(&one.columns).map_or(one.columns, |now| now.number);
    let numbers = [table, one.columns, becomes].map(|number| Some(number.to_string()));
    let [table, columns, becomes] = numbers;
    Some(vec![table, Some(key.to_owned()), columns, becomes, Some(hex::encode(now.digest)), now.own.map(hex::encode)])
}

fn put_renewed<E: Following>(engine: &mut E, rows: Vec<Vec<Option<String>>>) -> Result<(), E::Fault> {
    engine.put("treelift_renewed", &["bigint", "text", "bigint", "bigint", "text", "text"], rows)
}

/// Whether SQL names a table.
fn speaks_of(sql: &str, table: &str) -> bool {
    Tokens::of(sql).any(|token| token.trim_matches(['"', '`', '[', ']', '\'']).eq_ignore_ascii_case(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_spoken_of_by_its_name_in_any_quotes() {
        for sql in ["UPDATE notes SET a = 1", "drop table \"Notes\"", "ALTER TABLE [notes] RENAME TO x;"] {
            assert!(speaks_of(sql, "notes"), "{sql}");
        }
        assert!(!speaks_of("CREATE INDEX notes_at ON tags (at) -- notes", "notes"));
    }
}
