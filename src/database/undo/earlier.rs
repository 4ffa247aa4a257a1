//! What rows held before the run that is undone gave them other values.

use super::engine::{Listed, Undoing, number, text_of};
use super::work::Work;
use super::{EarlierSecret, Obstacle};
use crate::database::Cell;
use crate::database::ledger::RunRecord;
use crate::secret::cipher::is_ours;
use std::collections::HashMap;

impl<E: Undoing> Work<'_, E> {
    /// The ledger's number of a run.
    pub(super) fn number_of(&self, run: &RunRecord) -> Result<i64, E::Fault> {
        let id = run.id.replace('\'', "''");
        let rows = self.engine.ask(&format!("SELECT number FROM treelift_runs WHERE id = '{id}'"))?;
        Ok(rows.first().map_or(0, |row| number(&row[0])))
    }

    /// The columns of the rows of a table to which a run gave other values, by the key of the row.
    pub(super) fn restored(&self, table: i64, run: i64) -> Result<HashMap<String, Vec<String>>, E::Fault> {
        let rows = self.engine.ask(&format!(
            "SELECT e.row_key, e.column_name FROM treelift_earlier e WHERE e.run = {run} AND e.\"table\" = {table}
             ORDER BY e.row_key, e.column_name"
        ))?;
        let mut restored: HashMap<String, Vec<String>> = HashMap::new();
        for row in &rows {
            restored.entry(text_of(&row[0])).or_default().push(text_of(&row[1]));
        }
        Ok(restored)
    }

    /// Seals the secrets that are put back into a table for their own places: how many, and what keeps them from it.
    pub(super) fn secrets(&mut self, listed: Listed<'_>, run: i64) -> Result<(u64, Vec<Obstacle>), E::Fault> {
        let of_table = format!("e.run = {run} AND e.\"table\" = {} AND e.sealed IS NOT NULL", listed.number);
        let columns = self.engine.ask(&format!(
            "SELECT e.column_name, count(*) FROM treelift_earlier e WHERE {of_table} GROUP BY e.column_name ORDER BY 1"
        ))?;
        let (mut all, mut obstacles) = (0, Vec::new());
        for row in columns {
            let (column, rows) = (text_of(&row[0]), number(&row[1]).unsigned_abs());
            let registered = self.engine.sealing().registered()?.into_iter().find(|one| {
                one.column.table == listed.table.name && one.column.column == column && is_ours(&one.format)
            });
            let Some(registered) = registered else {
                obstacles.push(Obstacle::HandedOver { table: listed.table.name.clone(), column, rows });
                continue;
            };
            let same = self.engine.same_row(listed)?;
            let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
            let key = registered.column.key_columns.iter().map(|name| format!(", CAST(t.{} AS text)", quoted(name)));
            let text = format!(
                "SELECT DISTINCT e.number, e.sealed{} FROM treelift_earlier e JOIN {} s ON s.row_key = e.row_key
                 JOIN {} t ON {same} WHERE {of_table} AND e.column_name = '{}' ORDER BY e.number",
                key.collect::<String>(),
                listed.name(),
                quoted(&listed.table.name),
                column.replace('\'', "''")
            );
            let secret = |row: &Vec<Cell>| EarlierSecret {
                run,
                number: number(&row[0]),
                token: text_of(&row[1]),
                column: registered.column.clone(),
                key: row[2..].iter().map(text_of).collect(),
            };
            let secrets: Vec<EarlierSecret> = self.engine.ask(&text)?.iter().map(secret).collect();
            let tokens = match self.order.reseal {
                Some(reseal) => reseal.reseal(&mut *self.engine.sealing(), &secrets)?,
                None => secrets.iter().map(|secret| secret.token.clone()).collect(),
            };
            for (secret, token) in secrets.iter().zip(tokens) {
                let (number, token) = (secret.number, token.replace('\'', "''"));
                self.engine.run(&format!(
                    "UPDATE treelift_earlier SET value = '{token}' WHERE run = {run} AND number = {number}"
                ))?;
            }
            all += secrets.len() as u64;
        }
        Ok((all, obstacles))
    }
}
