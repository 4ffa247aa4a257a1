//! What `fill` rules give to rows, compared with what these hold, where nothing is written.

use super::Writer;
use super::fill::Fill;
use crate::database::Cell;
use crate::database::ledger;
use crate::error::Result;
use crate::import::resolve::both;
use crate::import::verifier::{Different, Missing, row_id};
use crate::table::{ColumnType, Table};
use std::borrow::Cow;

/// So many rows are asked for at once.
const AT_ONCE: usize = 1_000;

/// A row with the number of its table, and what is given to it.
type Given = (usize, Fill);

impl Writer {
    /// Compares what `fill` rules gave, and takes what no record gave for different.
    pub(super) fn compare_fills(&mut self) -> Result<()> {
        let fills: Vec<Given> =
            std::mem::take(&mut self.fills).into_iter().map(|((table, ..), fill)| (table, fill)).collect();
        let alike = |one: &Given, next: &Given| one.0 == next.0 && one.1.key_columns == next.1.key_columns;
        for alike in fills.chunk_by(alike).flat_map(|alike| alike.chunks(AT_ONCE)) {
            self.compare_alike(alike)?;
        }
        self.verifier().close_all();
        Ok(())
    }

    /// Rows of one table that are known by the same columns.
    fn compare_alike(&mut self, fills: &[Given]) -> Result<()> {
        let (number, dialect) = (fills[0].0, self.dialect);
        let table = self.tables[number].report.name.clone();
        let transaction = self.lane.transaction(&mut self.refused)?;
        let schema = transaction.schema();
        let primary = schema.table(&table).map(Table::primary_key).unwrap_or_default();
        let primary: Vec<String> = primary.into_iter().map(str::to_owned).collect();
        let mut wanted = primary.clone();
        for column in fills.iter().flat_map(|(_, fill)| &fill.columns) {
            if !wanted[primary.len()..].contains(column) {
                wanted.push(column.clone());
            }
        }
        let kinds: Vec<ColumnType> = wanted.iter().map(|column| schema.kind(&table, column)).collect();
        let by: Vec<&str> = fills[0].1.key_columns.iter().map(String::as_str).collect();
        let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let keys: Vec<_> = fills.iter().map(|(_, fill)| fill.key.clone()).collect();
        let found = transaction.find(&table, &by, &names, &keys)?;
        for ((_, fill), cells) in fills.iter().zip(found) {
            let Some(from) = fill.from.first() else { continue }; // nothing is given
            let (rule, place) = (from.rule, from.place);
            let is_asked = fill.from.iter().any(|from| !self.verifier().unasked.contains(&from.place.file));
            let Some(cells) = cells else {
                // A row that a record of the tree gives is missing already.
                if fill.existing && is_asked {
                    let verifier = self.verifier();
                    verifier.tally(number).given += 1;
                    verifier.missing.push(Missing { row: None, table: number, rule, place });
                }
                continue;
            };
            let text = |(cell, kind): (&Cell, &ColumnType)| dialect.text_of(*kind, cell);
            let row = row_id(number, &ledger::row_key(cells[..primary.len()].iter().zip(&kinds).map(text).collect()));
            let is_met = self.verifier().met.contains(&row);
            if !is_met && !is_asked {
                continue; // of a part of the tree that is not asked for
            }
            if !is_met && self.verifier().meets(row, number) {
                self.verifier().tally(number).given += 1;
            }
            for (column, value) in fill.columns.iter().zip(&fill.values) {
                let at = primary.len() + wanted[primary.len()..].iter().position(|name| name == column).unwrap_or(0);
                self.verifier().close(&row, column);
                if !dialect.same(kinds[at], &cells[at], value) {
                    let source = dialect.written(kinds[at], value).map(Cow::into_owned);
                    let columns = vec![both(column, false, &cells[at], source)];
                    self.verifier().differs(Different { row, table: number, rule, place, columns, in_secret: false });
                }
            }
        }
        Ok(())
    }
}
