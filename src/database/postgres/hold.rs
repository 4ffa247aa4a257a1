//! Rows that reference a row that is not there yet.
//!
//! In tables that this transaction made the references are judged at its end. In those that were there before, the
//! server judges them when a COPY ends, and tells no line: the rows without a parent are looked for, and wait until it is
//! there. Rows that reference each other in a circle are written together at the end.

use super::held::joined;
use super::opened::PostgresTransaction;
use super::write::altered;
use super::{catalog, form};
use crate::database::rejection::RejectedLate;
use crate::database::upkeep::Orphan;
use crate::database::{Cell, ledger};
use crate::error::Result;
use crate::row::{Batch, Row, Value};
use crate::table::{ColumnType, ForeignKey};
use postgres::error::SqlState;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// Those of these rows that have their parents, in the table or among themselves; the others are held back. `None`
/// where none is without.
pub(super) fn without_parents(
    this: &mut PostgresTransaction,
    batch: &Batch,
    rows: &[usize],
) -> Result<Option<Vec<usize>>> {
    let have = have_parents(this, &[(batch, rows)])?;
    if have.iter().all(|has| *has) {
        return Ok(None);
    }
    let of = |wanted: bool| rows.iter().zip(&have).filter(move |(_, has)| **has == wanted).map(|(row, _)| *row);
    let held = of(false).map(|row| batch.rows[row].clone()).collect();
    let ready = of(true).collect();
    this.state.held.add(Batch { table: batch.table.clone(), columns: batch.columns.clone(), rows: held });
    Ok(Some(ready))
}

/// For each of these rows, in order, whether it has its parents: in the table, or among those that have theirs.
fn have_parents(this: &PostgresTransaction, all: &[(&Batch, &[usize])]) -> Result<Vec<bool>> {
    let mut firsts = Vec::with_capacity(all.len());
    let mut count = 0;
    for (_, rows) in all {
        firsts.push(count);
        count += rows.len();
    }
    let (mut children, mut lost) = (HashMap::<usize, Vec<usize>>::new(), Vec::new());
    for ((batch, rows), first) in all.iter().zip(&firsts) {
        for reference in this.references_of(&batch.table) {
            // What is left to its default is nothing that a mapping says.
            let Some(from) = places(batch, &reference.columns) else { continue };
            let mut here = HashMap::new();
            for ((parents, rows), first) in all.iter().zip(&firsts).filter(|((of, _), _)| of.table == reference.table) {
                let Some(to) = places(parents, &reference.to) else { continue };
                let keys = rows.iter().enumerate().map(|(at, row)| (key(&parents.rows[*row], &to), first + at));
                here.extend(keys.filter_map(|(key, node)| Some((key?, node))));
            }
            let mut asked = Vec::new();
            for (at, row) in rows.iter().enumerate() {
                let Some(key) = key(&batch.rows[*row], &from) else { continue }; // a NULL references nothing
                match here.get(&key) {
                    Some(parent) => children.entry(*parent).or_default().push(first + at),
                    None => asked.push((first + at, values(&batch.rows[*row], &from))),
                }
            }
            let (nodes, keys): (Vec<usize>, Vec<Vec<Value>>) = asked.into_iter().unzip();
            let to: Vec<&str> = reference.to.iter().map(String::as_str).collect();
            let found = this.stored(&reference.table, &to, &to[..1], &keys)?;
            lost.extend(nodes.into_iter().zip(found).filter(|(_, found)| found.is_none()).map(|(node, _)| node));
        }
    }
    let mut have = vec![true; count];
    while let Some(node) = lost.pop() {
        if std::mem::take(&mut have[node]) {
            lost.extend(children.remove(&node).unwrap_or_default());
        }
    }
    Ok(have)
}

/// The positions of columns in a batch; none where it leaves one of them out.
fn places(batch: &Batch, columns: &[String]) -> Option<Vec<usize>> {
    columns.iter().map(|name| batch.columns.iter().position(|column| column == name)).collect()
}

fn values(row: &Row, places: &[usize]) -> Vec<Value> {
    places.iter().map(|at| row.values[*at].clone()).collect()
}

/// The values of a row as text; none where one is NULL.
fn key(row: &Row, places: &[usize]) -> Option<Vec<String>> {
    places.iter().map(|at| row.values[*at].as_key_text().map(Cow::into_owned)).collect()
}

impl PostgresTransaction {
    /// Writes those of the rows that wait whose parents are there by now.
    pub(super) fn release(&mut self) -> Result<()> {
        loop {
            let waiting = self.state.held.take_ripe();
            if waiting.is_empty() {
                return Ok(());
            }
            for batch in joined(waiting) {
                self.load_late(&batch)?;
            }
        }
    }

    /// Writes rows that waited; those that are rejected now are kept for who asks for them.
    fn load_late(&mut self, batch: &Batch) -> Result<()> {
        for one in self.load(batch)? {
            let Row { place, record, .. } = batch.rows[one.row];
            self.state.late.push(RejectedLate { table: batch.table.clone(), place, record, why: one.why });
        }
        Ok(())
    }

    /// Writes what still waits and can be written: all rows are here now. Gives those that were rejected once they had
    /// waited.
    pub(super) fn rejected_late(&mut self) -> Result<Vec<RejectedLate>> {
        self.release()?;
        self.close_circles()?;
        Ok(std::mem::take(&mut self.state.late))
    }

    /// Writes the rows that wait for nothing but each other: the references of their tables are judged at the end from
    /// here on, which keeps readers of those tables out until then. A user who does not own the tables may not have that.
    pub(super) fn close_circles(&mut self) -> Result<()> {
        let Some(circle) = self.in_circles()? else { return Ok(()) };
        let tables: BTreeSet<&str> = circle.iter().map(|batch| batch.table.as_str()).collect();
        let references = self.on(catalog::references_by_name)?.into_iter();
        let at_once: Vec<_> = references
            .filter(|(table, _, is_deferrable, _)| !is_deferrable && tables.contains(table.as_str()))
            .collect();
        self.on(|session| session.run("SAVEPOINT circle"))?;
        let names: Vec<_> = at_once.iter().map(|(table, name, ..)| (table.clone(), name.clone())).collect();
        match self.session.try_run(&altered(&names, "DEFERRABLE INITIALLY DEFERRED")) {
            Ok(()) => {}
            // What waits stays without its parents, and is told so.
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                return self.on(|session| session.run("ROLLBACK TO circle; RELEASE circle"));
            }
            Err(error) => return Err(self.session.place.words(error.into())),
        }
        self.on(|session| session.run("RELEASE circle"))?;
        for (table, name, _, reference) in at_once {
            self.state.deferred.push((table.clone(), name));
            self.state.open.push((table, reference));
        }
        self.state.held.take();
        // Those that wait for a row that is nowhere are among them, and are found as such now.
        circle.iter().try_for_each(|batch| self.load_late(batch))
    }

    /// The rows that wait, if some of them would have all their parents were they all written.
    fn in_circles(&self) -> Result<Option<Vec<Batch>>> {
        if self.state.held.is_empty() {
            return Ok(None);
        }
        let all = joined(self.state.held.batches().to_vec());
        let rows: Vec<Vec<usize>> = all.iter().map(|batch| (0..batch.rows.len()).collect()).collect();
        let waiting: Vec<(&Batch, &[usize])> = all.iter().zip(rows.iter().map(Vec::as_slice)).collect();
        let have = have_parents(self, &waiting)?;
        Ok(have.contains(&true).then_some(all))
    }

    pub(super) fn references_of(&self, table: &str) -> Vec<ForeignKey> {
        self.state.schema.table(table).map(|table| table.foreign_keys.clone()).unwrap_or_default()
    }

    /// The rows that wait, each with its key in the ledger and the table of a parent that it has not.
    pub(super) fn waiting(&self) -> Result<Vec<Orphan>> {
        let mut waiting = Vec::new();
        for batch in self.state.held.batches() {
            let Some(table) = self.state.schema.table(&batch.table) else { continue };
            let mut lost: Vec<Option<&ForeignKey>> = vec![None; batch.rows.len()];
            for reference in &table.foreign_keys {
                let Some(from) = places(batch, &reference.columns) else { continue };
                let asked = batch.rows.iter().enumerate().filter(|(_, row)| key(row, &from).is_some());
                let (rows, keys): (Vec<usize>, Vec<Vec<Value>>) =
                    asked.map(|(at, row)| (at, values(row, &from))).unzip();
                let to: Vec<&str> = reference.to.iter().map(String::as_str).collect();
                let found = self.stored(&reference.table, &to, &to[..1], &keys)?;
                for (row, _) in rows.into_iter().zip(found).filter(|(_, found)| found.is_none()) {
                    lost[row].get_or_insert(reference);
                }
            }
            let primary = table.primary_key();
            for (row, reference) in batch.rows.iter().zip(lost) {
                let part = |name: &&str| {
                    let at = batch.columns.iter().position(|column| column == name)?;
                    let form = form::of(&row.values[at], self.kind(&batch.table, name).ok()?)?;
                    form.into_text().map(Cow::into_owned)
                };
                let row_key = ledger::row_key(primary.iter().map(part).collect());
                let (parent, columns) = reference.map(|of| (of.table.clone(), of.columns.clone())).unwrap_or_default();
                waiting.push(Orphan { table: batch.table.clone(), row_key, parent, columns, origin: None });
            }
        }
        Ok(waiting)
    }

    /// The cells of a row that waits; a column that it leaves to its default is NULL still.
    pub(super) fn find_held(&self, table: &str, columns: &[&str], wanted: &[&str], key: &[Value]) -> Option<Vec<Cell>> {
        let (batch, row) = self.state.held.find(table, columns, key)?;
        let batch = &self.state.held.batches()[batch];
        let cell = |name: &&str| {
            let at = batch.columns.iter().position(|column| column == name);
            let value = at.map(|at| &batch.rows[row].values[at]);
            let kind = self.kind(table, name).unwrap_or(ColumnType::Unknown);
            let form = value.and_then(|value| form::of(value, kind));
            form.map_or(Cell::Null, form::Form::into_cell)
        };
        Some(wanted.iter().map(cell).collect())
    }

    /// Changes a row that waits; whether there is one.
    pub(super) fn update_held(
        &mut self,
        table: &str,
        (columns, values): (&[String], &[Value]),
        (key_columns, key): (&[&str], &[Value]),
    ) -> bool {
        let Some(at) = self.state.held.find(table, key_columns, key) else { return false };
        self.state.held.change(at, columns, values);
        true
    }
}
