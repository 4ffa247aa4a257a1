//! What a change of the schema loses: the difference between the database before it and after its rehearsal.

use super::around::Assertions;
use super::ids::with_ids;
use crate::config::{Quiet, Ui};
use crate::credentials::carry::{Carry, Way};
use crate::database::audit::random_id;
use crate::database::catalog::Catalog;
use crate::database::done::{Altered, Done, Move, What};
use crate::database::history::{self, Standing};
use crate::database::order::{Around, Looking, Order};
use crate::database::upkeep::Survey;
use crate::database::{self, Database, Mode, Reader, state};
use crate::error::{Error, Result};
use crate::mapping::model::Set;
use crate::report::words::{count, thousands};
use crate::report::{Loss, LossKind};
use crate::table::{Migration, Schema};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What is there before and not after: tables, columns, and rows as far as their number tells. A table
/// that comes back under another name is none.
fn lost(before: &Survey, after: &Survey) -> Vec<Loss> {
    let loss = |kind, what: &str, rows, before, after| Loss { kind, what: what.to_owned(), rows, before, after };
    let mut losses = Vec::new();
    let mut renamed: Vec<&String> = after.counts.keys().filter(|name| !before.counts.contains_key(*name)).collect();
    let columns = |survey: &Survey, name: &str| -> Vec<String> {
        let table = survey.catalog.schema.table(name);
        table.into_iter().flat_map(|table| table.columns.iter().map(|column| column.name.clone())).collect()
    };
    for (name, rows) in &before.counts {
        let had = columns(before, name);
        if let Some(left) = after.counts.get(name) {
            let has = columns(after, name);
            let gone = had.iter().filter(|column| !has.contains(column));
            losses.extend(gone.map(|column| loss(LossKind::Column, &format!("{name}.{column}"), *rows, *rows, *left)));
            if left < rows {
                losses.push(loss(LossKind::Rows, name, rows - left, *rows, *left));
            }
            continue; // It stays.
        }
        match renamed.iter().position(|new| after.counts.get(*new) == Some(rows) && columns(after, new) == had) {
            Some(at) => drop(renamed.remove(at)),
            None => losses.push(loss(LossKind::Table, name, *rows, *rows, 0)),
        }
    }
    let others = [(&before.own, &after.own), (&before.virtual_tables, &after.virtual_tables)];
    for (before, after) in others {
        // Format number and id say nothing once all that they are about is gone.
        let gone = before.iter().filter(|(name, _)| !after.contains_key(*name) && *name != state::TABLE_NAME);
        losses.extend(gone.map(|(name, rows)| loss(LossKind::Table, name, *rows, *rows, 0)));
    }
    losses
}

/// What an import would lose by the pending migrations that it applies first: they are rehearsed on a
/// private copy. An import applies none where an application keeps the schema.
///
/// # Errors
/// When the migrations cannot be rehearsed: then nothing is known of what would be lost.
pub fn lost_by_import(database: &mut dyn Database, set: &Set, schema: &Schema) -> Result<Vec<Loss>> {
    let live = database.read()?.map_or_else(|| Ok(Catalog::default()), |reader| reader.catalog())?;
    let has = |table: &str| Ok::<_, Error>(live.schema.table(table).is_some());
    let standing = history::compare(&database.recorded()?, &set.migrations).wake(&set.migrations, has)?;
    if !database.exists()? || standing.pending().is_empty() || standing.refuse(database.url()).is_err() {
        return Ok(Vec::new()); // What is refused loses nothing.
    }
    let is_new = schema.tables.keys().all(|name| live.schema.table(name).is_none());
    let decide = |standing: &Standing| {
        let pending = if is_new || standing.is_kept() { standing.pending() } else { Vec::new() };
        Ok(pending.into_iter().map(Move::Up).collect::<Vec<_>>())
    };
    let carry = Carry::counting(set, Way::Up);
    let watch = Watch { carry: Some(&carry), assertions: None };
    let (altered, losses) = rehearse(database, set, &decide, watch, &Quiet)?;
    // An import asks for no secret of what is there, and its own rows are in the ledger already when it migrates.
    let rekeys = |version: &String| {
        let of = |one: &Migration| one.version == *version && !(one.ledger.is_empty() && one.ids.is_empty());
        set.migrations.iter().any(of)
    };
    let mut applied = altered.steps.iter().filter(|step| step.what == What::Applied);
    if carry.moved() > 0 || altered.ledger.moved > 0 || applied.any(|step| rekeys(&step.version)) {
        return Err(Error::request("the pending migrations change keys or tables of rows, which an import does not")
            .at(database.url())
            .hint("apply them first, with `treelift schema migrate`"));
    }
    Ok(losses)
}

/// Who looks on while the schema is changed.
#[derive(Clone, Copy, Default)]
pub(super) struct Watch<'w> {
    /// Carries sealed values along.
    pub(super) carry: Option<&'w Carry>,
    /// Looks at what is there before and behind.
    pub(super) assertions: Option<&'w Assertions>,
}

impl<'w> Watch<'w> {
    pub(super) fn sealed(self) -> Option<&'w dyn Around> {
        self.carry.map(|carry| carry as &dyn Around)
    }

    /// Who asks the assertions of a set, and what else there is to be validated.
    pub(super) fn around(self, set: &'w Set) -> Option<Asking<'w>> {
        self.assertions.map(|assertions| Asking { assertions, set })
    }

    /// Validates what the change has made, where that was asked for and sealed values have been carried along.
    pub(super) fn verify(self, reader: &mut dyn Reader, set: &Set) -> Result<()> {
        match self.assertions {
            Some(assertions) if self.carry.is_none_or(Carry::is_whole) => assertions.verify(reader, set),
            _ => Ok(()),
        }
    }
}

/// Asks the assertions of a set around a change.
pub(super) struct Asking<'a> {
    assertions: &'a Assertions,
    set: &'a Set,
}

impl Around for Asking<'_> {
    fn before(&self, database: &mut dyn Looking, standing: &Standing) -> Result<()> {
        self.assertions.before(database, standing)?;
        self.assertions.note_failures(database.reader(), self.set)
    }

    fn after(&self, database: &mut dyn Looking, standing: &Standing) -> Result<()> {
        self.assertions.after(database, standing)
    }
}

/// Does it on a private copy: what was done, and what would be lost.
pub(super) fn rehearse(
    database: &mut dyn Database,
    set: &Set,
    decide: &dyn Fn(&Standing) -> Result<Vec<Move>>,
    watch: Watch<'_>,
    ui: &dyn Ui,
) -> Result<(Altered, Vec<Loss>)> {
    let before = database.read()?.map_or_else(|| Ok(Survey::default()), |reader| reader.survey())?;
    let after = RefCell::new(None);
    let keep = |reader: &mut dyn Reader| {
        after.replace(Some(reader.survey()?));
        watch.verify(reader, set)
    };
    let around = watch.around(set);
    let altered = database.alter(&Order {
        mode: Mode::Dry,
        run_id: &random_id()?,
        migrations: &set.migrations,
        started: database::now(),
        decide,
        progress: &|done| advance(ui, done),
        warn: &|_| {},
        after: Some(&keep),
        ids: &|line, rows| with_ids(set, line, rows),
        sealed: watch.sealed(),
        around: around.as_ref().map(|around| around as &dyn Around),
        audit: set.audit.as_ref(),
        version: set.version.as_ref(),
    })?;
    Ok((altered, after.into_inner().map_or_else(Vec::new, |after| lost(&before, &after))))
}

/// Shows that a step is done.
pub(super) fn advance(ui: &dyn Ui, done: &Done) {
    ui.advance(1, done.sql.as_ref().map_or(0, |sql| sql.len() as u64));
}

/// What a question says of losses: `, and lose 2 tables or columns with 7 rows`; nothing where nothing
/// is lost. A row that loses several columns is one row.
pub fn in_question(losses: &[Loss]) -> String {
    let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
    for loss in losses {
        let table = match loss.kind {
            LossKind::Column => loss.what.split('.').next().unwrap_or_default(),
            LossKind::Table | LossKind::Rows => &loss.what,
        };
        let known = rows.entry(table).or_default();
        *known = loss.rows.max(*known);
    }
    let rows = count(rows.values().sum(), "row");
    match losses.iter().filter(|loss| loss.kind != LossKind::Rows).count() as u64 {
        0 if losses.is_empty() => String::new(),
        0 => format!(", and lose {rows}"),
        things => {
            let things = count(things, "table or column").replace("table or columns", "tables or columns");
            format!(", and lose {things} with {rows}")
        }
    }
}

/// Losses in words: tables with rows one by one, the empty ones in one line.
pub fn lines(losses: &[Loss]) -> Vec<String> {
    let (full, empty): (Vec<&Loss>, Vec<&Loss>) = losses.iter().partition(|loss| loss.rows > 0);
    let line = |loss: &Loss| match loss.kind {
        LossKind::Rows => {
            format!(
                "would remove {} of `{}` ({} → {})",
                count(loss.rows, "row"),
                loss.what,
                thousands(loss.before),
                thousands(loss.after)
            )
        }
        LossKind::Table | LossKind::Column => format!("would drop `{}` with {}", loss.what, count(loss.rows, "row")),
    };
    let mut lines: Vec<String> = full.into_iter().map(line).collect();
    match empty.as_slice() {
        [] => {}
        [one] => lines.push(format!("would drop `{}`, which is empty", one.what)),
        several => {
            let names: Vec<String> = several.iter().map(|loss| format!("`{}`", loss.what)).collect();
            lines.push(format!("would drop {} that are empty: {}", several.len(), names.join(", ")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_named_where_there_are_rows() {
        let loss =
            |what: &str, rows| Loss { kind: LossKind::Table, what: what.to_owned(), rows, before: rows, after: 0 };
        assert_eq!(
            lines(&[
                loss("notes", 3),
                loss("tags", 0),
                loss("people.colour", 1),
                loss("more", 0),
                Loss { kind: LossKind::Rows, what: "kept".to_owned(), rows: 2, before: 5, after: 3 }
            ]),
            [
                "would drop `notes` with 3 rows",
                "would drop `people.colour` with 1 row",
                "would remove 2 rows of `kept` (5 → 3)",
                "would drop 2 that are empty: `tags`, `more`"
            ]
        );
        assert_eq!(lines(&[loss("tags", 0)]), ["would drop `tags`, which is empty"]);
    }
}
