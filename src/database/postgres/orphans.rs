//! Rows that reference a missing row: those that wait still, and those that the server has not judged yet; and those that
//! reference one of them that this run wrote, since it will not be there.

use super::find::cells;
use super::opened::PostgresTransaction;
use super::sql;
use crate::database::upkeep::{Orphan, WrittenFrom};
use crate::database::{Cell, ledger};
use crate::error::Result;
use crate::table::{ColumnType, ForeignKey, Table};
use std::collections::{BTreeMap, HashSet};

/// The places of rows by their tables, as long as nobody else writes.
type Places = BTreeMap<String, Vec<String>>;

/// Orphans while they are gathered.
struct Gathered {
    most: usize,
    orphans: Vec<Orphan>,
    known: HashSet<(String, String)>,
    /// Those of this run among the rows that were found last.
    last: Places,
}

impl PostgresTransaction {
    /// At most so many.
    pub(super) fn orphans(&mut self, most: usize) -> Result<Vec<Orphan>> {
        self.release()?;
        self.close_circles()?;
        // The server judges all references in less time than it takes to look for the rows of one.
        if self.state.held.is_empty() && !self.state.open.is_empty() && self.check_deferred()?.is_none() {
            return Ok(Vec::new());
        }
        let waiting = self.waiting()?.into_iter().take(most);
        let mut gathered = Gathered { most, orphans: waiting.collect(), known: HashSet::new(), last: Places::new() };
        self.add_origins(&mut gathered.orphans, &[])?;
        for (table, reference) in self.state.open.clone() {
            self.gather(&mut gathered, &table, &reference, &astray(&table, &reference), None)?;
        }
        while !gathered.last.is_empty() {
            let parents = std::mem::take(&mut gathered.last);
            for (table, reference) in self.state.open.clone() {
                if let Some(places) = parents.get(&reference.table) {
                    self.gather(&mut gathered, &table, &reference, &children(&table, &reference), Some(places))?;
                }
            }
        }
        Ok(gathered.orphans)
    }

    /// Takes rows of a table in that are not known yet; `places` are those of the parents that are asked for.
    fn gather(
        &mut self,
        gathered: &mut Gathered,
        table: &str,
        reference: &ForeignKey,
        rows: &str,
        places: Option<&Vec<String>>,
    ) -> Result<()> {
        let limit = gathered.most.saturating_sub(gathered.orphans.len());
        let Some(live) = self.state.schema.table(table).filter(|_| limit > 0) else { return Ok(()) };
        let key: Vec<String> = live.primary_key().into_iter().map(str::to_owned).collect();
        let kinds = key.iter().map(|column| self.kind(table, column)).collect::<Result<Vec<ColumnType>>>()?;
        let wanted: String = key.iter().map(|column| format!(", c.{}::text", sql::name(column))).collect();
        let text = format!("SELECT DISTINCT {}{wanted} FROM {rows} LIMIT {limit}", place_of("c"));
        let lists: Vec<Vec<Option<String>>> = match places {
            Some(places) => {
                let rows = places.iter().map(|place| place.split_once(' ').map(|(_, row)| row.to_owned()));
                vec![rows.collect(), places.iter().cloned().map(Some).collect()]
            }
            None => Vec::new(),
        };
        let (mut found, mut places) = (Vec::new(), Vec::new());
        for row in self.on(|session| session.query_lists(&text, &lists))? {
            let place: String = row.get(0);
            if gathered.known.insert((table.to_owned(), place.clone())) {
                let row_key = if kinds.is_empty() {
                    String::new()
                } else {
                    ledger::row_key(cells(&row, 1, &kinds).iter().map(Cell::text).collect())
                };
                let (table, parent, columns) = (table.to_owned(), reference.table.clone(), reference.columns.clone());
                found.push(Orphan { table, row_key, parent, columns, origin: None });
                places.push(place);
            }
        }
        let filled = self.add_origins(&mut found, &reference.columns)?;
        // A row stays, and with it those that reference it, where only what filled it is rejected.
        let ours = found.iter().zip(places).enumerate();
        let ours = ours.filter(|(at, (orphan, _))| orphan.origin.is_some() && !filled.contains(at));
        gathered.last.entry(table.to_owned()).or_default().extend(ours.map(|(_, (_, place))| place));
        gathered.last.retain(|_, places| !places.is_empty());
        gathered.orphans.append(&mut found);
        Ok(())
    }

    /// Says where this run wrote rows from, as far as a key names them: what filled one of the `columns` of a reference,
    /// else what made the row. Gives those that were filled.
    fn add_origins(&mut self, orphans: &mut [Orphan], columns: &[String]) -> Result<HashSet<usize>> {
        let mut filled = HashSet::new();
        let columns: Vec<Option<String>> = columns.iter().cloned().map(Some).collect();
        let first = self.state.ledger.first_file.unwrap_or(i64::MAX);
        let tables: BTreeMap<String, Vec<usize>> =
            orphans.iter().enumerate().fold(BTreeMap::new(), |mut all, (at, one)| {
                all.entry(one.table.clone()).or_insert_with(Vec::new).push(at);
                all
            });
        for (table, rows) in tables {
            if self.state.schema.table(&table).map(Table::primary_key).is_none_or(|key| key.is_empty()) {
                continue;
            }
            let number = self.table_number(&table)?;
            let text = format!(
                "SELECT DISTINCT ON (k.n) k.n::int8, r.file, r.\"offset\", f.filled
                 FROM unnest($1::text[]) WITH ORDINALITY k(row_key, n)
                 JOIN treelift_rows r ON r.row_key = k.row_key
                 JOIN (SELECT id, filled AND (digested::jsonb || clock::jsonb) ?| $2::text[] AS filled
                       FROM treelift_columns) f ON f.id = r.columns
                 WHERE r.file >= {first} AND r.\"table\" = {number}
                 ORDER BY k.n, f.filled DESC, r.file, r.number"
            );
            let keys = rows.iter().map(|at| Some(ledger_key(&orphans[*at].row_key))).collect();
            for row in self.on(|session| session.query_lists(&text, &[keys, columns.clone()]))? {
                let at = rows[row.get::<_, i64>(0).unsigned_abs() as usize - 1];
                if row.get(3) {
                    filled.insert(at);
                }
                let (file, offset) = (row.get(1), row.get::<_, i64>(2).unsigned_abs());
                orphans[at].origin = Some(WrittenFrom { file, offset });
            }
        }
        Ok(filled)
    }
}

/// A row's key as the ledger's table has it, which keeps no U+0000.
pub(super) fn ledger_key(row_key: &str) -> String {
    row_key.replace('\0', "\u{fffd}")
}

/// The place of a row: its partition, where a table has those, and where it lies in it.
fn place_of(row: &str) -> String {
    format!("{row}.tableoid::text || ' ' || {row}.ctid::text")
}

/// `p.to = c.from AND …`
fn pairs(reference: &ForeignKey) -> String {
    let pairs = reference.columns.iter().zip(&reference.to);
    let same: Vec<String> = pairs.map(|(from, to)| format!("p.{} = c.{}", sql::name(to), sql::name(from))).collect();
    same.join(" AND ")
}

/// `table c WHERE …`: the rows whose reference leads nowhere.
pub(super) fn astray(table: &str, reference: &ForeignKey) -> String {
    let is: Vec<String> =
        reference.columns.iter().map(|column| format!("c.{} IS NOT NULL", sql::name(column))).collect();
    format!(
        "{} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} p WHERE {})",
        sql::name(table),
        is.join(" AND "),
        sql::name(&reference.table),
        pairs(reference)
    )
}

/// `table c JOIN parent p …`: the rows that reference those at the places that are bound.
fn children(table: &str, reference: &ForeignKey) -> String {
    let (child, parent) = (sql::name(table), sql::name(&reference.table));
    let (same, place) = (pairs(reference), place_of("p"));
    format!("{child} c JOIN {parent} p ON {same} WHERE p.ctid = ANY ($1::text[]::tid[]) AND {place} = ANY ($2::text[])")
}
