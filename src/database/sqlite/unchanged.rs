//! Reads what the ledger says of rows together with what the tables hold, to be judged.

mod default;

use super::location::{Location, Tried};
use super::{catalog, form, forms, ledger, read, sql, state};
use crate::database::ledger::{RunRecord, Written};
use crate::database::standing::{Standing, together};
use crate::database::unchanged::{Given, GivenTime, Judge, Judged, Manner, Noted, Take};
use crate::error::Result;
use crate::hex;
use crate::table::{ColumnType, Table};
use default::is_default;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::HashMap;

/// SQLite's names do not tell letters apart by their case, and a time may stand in a column in several forms.
const MANNER: Manner = Manner { is_same: same_name, meant: form::meant };

/// Where the ledger's rows of a table are read, those of one row of it together: a query is made of it.
pub(super) struct Ledger<'l> {
    /// What stands behind FROM; `s` has the columns of `treelift_rows`.
    pub(super) from: &'l str,
    /// What finds their rows in the table `t`: [`by_key`], or a rowid.
    pub(super) joined: &'l str,
    /// Whether the line speaks of a row that was there before its run.
    pub(super) updated: &'l str,
    /// The order, in which the lines of a row stand as they were written.
    pub(super) order: &'l str,
}

/// A condition that finds the row of the table `t` which this expression says the key of, as the ledger writes it. A key
/// with a NULL, or of as many parts as the table's has not, finds none.
pub(super) fn by_key(table: &Table, said: &str) -> String {
    let key = table.primary_key();
    let terms = key.iter().enumerate().map(|(at, column)| {
        // Behind a `+` it is a value without a type, as a bound one is ("Datatypes In SQLite", 4.2).
        let part = if key.len() == 1 {
            format!("+{said}")
        } else {
            let many = key.len();
            format!("CASE WHEN json_valid({said}) AND json_array_length({said}) = {many} THEN {said} ->> {at} END")
        };
        let is_bytes = table.column(column).is_some_and(|column| column.kind == ColumnType::Blob);
        let part = if is_bytes { format!("unhex({part})") } else { part };
        format!("t.{} = {part}", sql::name(column))
    });
    terms.collect::<Vec<_>>().join(" AND ")
}

/// A part of a key, as the ledger writes it, for a column of this type.
pub(super) fn bound(part: Option<String>, kind: ColumnType) -> Value {
    match part {
        None => Value::Null,
        Some(part) => match hex::decode(&part).filter(|_| kind == ColumnType::Blob) {
            Some(bytes) => Value::Blob(bytes),
            None => Value::Text(part), // converted to what the column keeps ("Datatypes In SQLite", 4.2)
        },
    }
}

/// The lists of columns in which runs wrote rows of a table, by their number.
pub(super) fn columns(
    conn: &Connection,
    (number, table): (i64, &str),
    location: &Location,
) -> Tried<HashMap<i64, Written>> {
    let text = "SELECT id, digested, clock, sealed, filled FROM treelift_columns WHERE \"table\" = ?1";
    let rows: Vec<(i64, String, String, String, bool)> = sql::all(conn, text, [number])?;
    let list = |text: &str| {
        let what = format!("its columns of `{table}` are no list of names");
        serde_json::from_str(text).map_err(|_| state::damaged("treelift_columns", &what, location))
    };
    let mut all = HashMap::new();
    for (id, digested, clock, sealed, filled) in rows {
        let (digested, clock, sealed) = (list(&digested)?, list(&clock)?, list(&sealed)?);
        all.insert(id, Written { table: table.to_owned(), digested, clock, sealed, filled });
    }
    Ok(all)
}

/// A judge of rows of a table. Without the run, columns that it did not write may hold anything.
pub(super) fn judge<'j>(
    conn: &Connection,
    table: &'j Table,
    columns: &HashMap<i64, Written>,
    run: Option<&RunRecord>,
) -> Judge<'j> {
    let given = table.columns.iter().map(|column| match run {
        None => Given::anything("1"),
        Some(run) => {
            let clock = super::times::clock(run.started, column.kind);
            Given { default: is_default(conn, column, run), time: GivenTime::of(column, run, &clock) }
        }
    });
    Judge::new(table, columns, given.collect(), MANNER)
}

/// Tells of the rows of a table whether they are as runs left them.
pub(super) fn standing(
    conn: &Connection,
    (name, location): (&str, &Location),
    run: Option<&str>,
    take: &mut dyn FnMut(&str, Standing) -> Result<()>,
) -> Tried<()> {
    let number: Option<i64> = sql::column(conn, "SELECT id FROM treelift_tables WHERE name = ?1", [name])?.pop();
    let mut live = catalog::tables(conn, std::iter::once(name))?;
    forms::note(conn, &mut live, location)?;
    let table = live.values().next().filter(|table| !table.primary_key().is_empty());
    let Some((number, table)) = number.zip(table) else { return Ok(()) };
    let columns = columns(conn, (number, name), location)?;
    let has_earlier = catalog::has_table(conn, "treelift_earlier")?;
    for together in together(number, &columns, &ledger::runs(conn)?, (run, has_earlier)) {
        let judge = judge(conn, table, &columns, Some(together.run));
        let by_key = by_key(table, "s.row_key");
        let ledger = Ledger { from: &together.from, joined: &by_key, updated: "s.updated", order: together.order };
        each(conn, &judge, &ledger, &mut |key, _, fate| Ok(take(key, fate.into())?))?;
    }
    Ok(())
}

/// Tells for every row that the ledger has of the table what is to become of it.
pub(super) fn each(
    conn: &Connection,
    judge: &Judge<'_>,
    ledger: &Ledger<'_>,
    take: &mut Take<'_, super::location::Fault>,
) -> Tried<()> {
    let mut all = conn.prepare(&query(judge, ledger))?;
    let mut rows = all.query([])?;
    let many = judge.table.columns.len();
    let mut judged = Judged::by(judge);
    loop {
        let row = rows.next()?;
        let key = row.map_or(Ok(None), |row| row.get_ref(0).map(|key| Some(key.as_str().unwrap_or_default())))?;
        let begins = judged.next(key, take)?;
        let Some(row) = row else { return Ok(()) };
        if begins {
            let stored = judged.begin(row.get(4)?);
            for at in 5..5 + many {
                let cell = row.get_ref(at)?;
                stored.add(row.get(at + many)?, |text| read::push_text(cell, text));
            }
        }
        judged.note(Noted::new(row.get(1)?, row.get(2)?, row.get(3)?, row.get(5 + 2 * many)?));
    }
}

/// Key, columns, digests, whether the row is there, its cells, and whether each holds its default.
fn query(judge: &Judge<'_>, ledger: &Ledger<'_>) -> String {
    let (Ledger { from, joined, updated, order }, table) = (ledger, judge.table);
    let named = table.columns.iter().enumerate();
    let cells = named.map(|(at, one)| if judge.reads(at) { of_table(&one.name) } else { "NULL".to_owned() });
    let holds = (0..table.columns.len())
        .map(|at| judge.default(at).map_or_else(|| "1".to_owned(), |holds| format!("coalesce({holds}, 0)")));
    let wanted: Vec<String> = cells.chain(holds).collect();
    let first = table.primary_key().first().map(|column| of_table(column)).unwrap_or_default();
    format!(
        "SELECT s.row_key, s.columns, s.digest, s.own, {first} IS NOT NULL, {}, {updated}
         FROM {from} LEFT JOIN main.{} t ON {joined} ORDER BY {order}",
        wanted.join(", "),
        sql::name(&table.name)
    )
}

/// A column of the table that is judged.
fn of_table(column: &str) -> String {
    format!("t.{}", sql::name(column))
}

/// SQLite's names do not tell letters apart by their case.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
