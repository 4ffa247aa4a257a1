//! Rows that were there and get other values: kept until everything was read, then one update per row.

use super::Writer;
use super::change::{AT_ONCE, Changed, Update, UpdatedRows};
use super::refusal::{RefusedRow, refuse};
use super::row::{own_digest_of, written};
use crate::database::ledger::{self, Earlier, RowRecord};
use crate::error::Result;
use crate::finding::Place;
use crate::row::Value;

impl Writer {
    /// The number of the next earlier value that is kept.
    pub fn next_earlier(&mut self) -> i64 {
        self.earlier += 1;
        self.earlier
    }

    /// Gives a row that was there other values; written with what `fill` rules give.
    ///
    /// # Errors
    /// Those of the database.
    pub fn update_row(&mut self, update: Update<'_>) -> Result<()> {
        let Update { rule, row_key, key, texts, clock, cells, earlier, counted, place, record, file } = update;
        let name = rule.table.name.clone();
        let lists = written(rule, &clock);
        let text_of = |column: &String| rule.field(column).and_then(|at| texts[at].as_deref());
        let digest_of =
            |columns: &[String]| ledger::digest(columns.iter().map(|column| (column.as_str(), text_of(column))));
        let digest = digest_of(&lists.digested);
        let own = own_digest_of(&lists, &digest_of);
        let columns = self.lane.transaction(&mut self.refused)?.record_columns(&lists)?;
        let keep = |((column, _), (number, sealed)): (&(String, Value), (i64, Option<String>))| Earlier {
            number,
            table: name.clone(),
            row_key: row_key.clone(),
            column: column.clone(),
            sealed,
        };
        let earlier = cells.iter().zip(earlier).map(keep).collect();
        let ledger = RowRecord { table: name.clone(), row_key, file, offset: place.offset, digest, own, columns };
        let (columns, values) = cells.into_iter().unzip();
        let (table, rule) = (rule.table_number, rule.number);
        self.updates.push(Changed { table, name, columns, values, key, earlier, counted, rule, place, record, ledger });
        Ok(())
    }

    /// Writes what rows get, those at once that get it in the same columns. Everything else is written.
    pub(super) fn write_updates(&mut self) -> Result<UpdatedRows> {
        let mut updates = std::mem::take(&mut self.updates);
        let mut updated = UpdatedRows::new();
        updates.sort_by(|one, other| {
            (one.table, &one.columns, &one.key.0).cmp(&(other.table, &other.columns, &other.key.0))
        });
        let mut all = updates.into_iter().peekable();
        while let Some(first) = all.next() {
            let mut alike = vec![first];
            while alike.len() < AT_ONCE
                && let Some(next) = all.next_if(|next| {
                    let one = &alike[0];
                    next.table == one.table && next.columns == one.columns && next.key.0 == one.key.0
                })
            {
                alike.push(next);
            }
            self.write_alike(alike, &mut updated)?;
        }
        self.flush()?;
        Ok(updated)
    }

    fn write_alike(&mut self, alike: Vec<Changed>, updated: &mut UpdatedRows) -> Result<()> {
        let mut earlier: Vec<Earlier> = alike.iter().flat_map(|one| one.earlier.iter().cloned()).collect();
        earlier.sort_by(|one, other| (&one.column, one.sealed.is_some()).cmp(&(&other.column, other.sealed.is_some())));
        let transaction = self.lane.transaction(&mut self.refused)?;
        transaction.keep_earlier(&earlier)?;
        let key_columns: Vec<&str> = alike[0].key.0.iter().map(String::as_str).collect();
        let rows: Vec<(&[Value], &[Value])> = alike.iter().map(|one| (&one.values[..], &one.key.1[..])).collect();
        let verdicts = transaction.update_all(&alike[0].name, &alike[0].columns, &key_columns, &rows)?;
        for (one, why) in alike.into_iter().zip(verdicts) {
            let Changed { table, name, counted, rule, place, record, ledger, .. } = one;
            if let Some(why) = why {
                let record = Place { offset: record, ..place };
                refuse(&mut self.refused, RefusedRow { record, place, rule: Some(rule), table: name, why })?;
                continue;
            }
            let counts = self.count(table);
            counts.updated += 1;
            counts.unchanged -= u64::from(counted).min(counts.unchanged);
            updated.insert((name, ledger.row_key.clone()));
            self.load.ledger.push(ledger);
        }
        Ok(())
    }
}
