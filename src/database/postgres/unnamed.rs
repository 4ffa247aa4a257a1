//! Rows of tables without a primary key: nothing names them but their place, for as long as nobody else writes. What the
//! ledger says of them is compared with what the table holds, row by row, so that of rows that are alike as many are known
//! as there are.

use super::find::cells;
use super::opened::{PLACE, PostgresTransaction, Said, Unnamed};
use super::{ledger, sql};
use crate::database::Cell;
use crate::database::ledger::{RowRecord, Written, digest, row_key};
use crate::error::Result;
use crate::table::{ColumnType, Table};
use std::collections::{BTreeMap, HashMap, HashSet};

impl PostgresTransaction {
    /// The columns that name a row: its primary key, or its place.
    pub(super) fn row_name(&self, table: &str) -> Vec<String> {
        let key = self.state.schema.table(table).map(Table::primary_key).unwrap_or_default();
        if key.is_empty() {
            PLACE.map(|(name, _)| name.to_owned()).to_vec()
        } else {
            key.into_iter().map(str::to_owned).collect()
        }
    }

    /// Learns where the rows are that earlier runs wrote into tables without a key: before this run writes any.
    pub(super) fn know_unnamed(&mut self) -> Result<()> {
        let tables = self.state.schema.tables.values().filter(|table| table.primary_key().is_empty());
        let tables: Vec<Table> = tables.filter(|table| self.rows_before(&table.name) > 0).cloned().collect();
        for table in tables {
            let number = self.table_number(&table.name)?;
            let unnamed = self.unnamed_of(&table, number)?;
            self.state.unnamed.insert(table.name, unnamed);
        }
        Ok(())
    }

    /// Those of the ledger's rows for which the table had one that says the same, with its place for a key.
    pub(super) fn standing_alike(&self, table: &Table, rows: Vec<RowRecord>) -> Vec<RowRecord> {
        let Some(known) = self.state.unnamed.get(&table.name) else { return Vec::new() };
        let mut taken = HashMap::<Said, usize>::new();
        let standing = rows.into_iter().filter_map(|row| {
            let said = (row.file, row.digest, row.columns);
            let next = taken.entry(said).or_default();
            let place = known.get(&said)?.get(*next)?;
            *next += 1;
            Some(RowRecord { row_key: place.clone(), ..row })
        });
        standing.collect()
    }

    /// Finds for each row that an earlier run wrote one that the table has, each for one.
    fn unnamed_of(&self, table: &Table, number: i64) -> Result<Unnamed> {
        let (mut unnamed, mut taken) = (Unnamed::new(), HashSet::new());
        let lists: BTreeMap<i64, Written> =
            self.on(|session| ledger::columns(session, number, &table.name))?.into_iter().collect();
        for (columns, written) in lists.iter().filter(|(_, written)| !written.filled) {
            let mut rows = self.rows_by_digest(table, written)?;
            let text = "SELECT file, digest FROM treelift_rows WHERE \"table\" = $1::int8 AND columns = $2::int8
                        ORDER BY file, number";
            let values = [number.to_string(), columns.to_string()];
            let all = self.on(|session| session.query(text, &[Some(&values[0]), Some(&values[1])]))?;
            for row in all {
                let said: Option<Vec<u8>> = row.get(1);
                let said: [u8; 16] = said.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
                let alike = rows.get_mut(&said).into_iter().flat_map(|rows| std::iter::from_fn(|| rows.pop()));
                if let Some(place) = alike.into_iter().find(|place: &String| taken.insert(place.clone())) {
                    unnamed.entry((row.get(0), said, *columns)).or_default().push(place);
                }
            }
        }
        Ok(unnamed)
    }

    /// The places of a table's rows, the last first, by the digest of these columns; none where one of them is gone.
    fn rows_by_digest(&self, table: &Table, written: &Written) -> Result<HashMap<[u8; 16], Vec<String>>> {
        let (names, mut rows) = (&written.digested, HashMap::<_, Vec<String>>::new());
        if names.iter().any(|name| table.column(name).is_none()) {
            return Ok(rows);
        }
        let kinds = names.iter().map(|name| self.kind(&table.name, name)).collect::<Result<Vec<ColumnType>>>()?;
        let place = PLACE.map(|(name, _)| name);
        let wanted: Vec<&str> = place.into_iter().chain(names.iter().map(String::as_str)).collect();
        let own = sql::name(&table.name);
        let order = place.map(|name| format!("{own}.{name} DESC")).join(", ");
        let text = format!("SELECT {} FROM {own} ORDER BY {order}", sql::texts(&wanted));
        self.on(|session| {
            session.each(&text, |row| {
                let texts = cells(row, place.len(), &kinds).iter().map(Cell::text).collect::<Vec<_>>();
                let digest = digest(names.iter().map(String::as_str).zip(texts));
                let parts = (0..place.len()).map(|at| row.get(at)).collect();
                rows.entry(digest).or_default().push(row_key(parts));
            })
        })?;
        Ok(rows)
    }
}
