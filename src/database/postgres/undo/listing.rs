//! The run's rows of a table: listed with their keys as the table has them, and judged, page by page.

use super::super::connect::Session;
use super::super::place::{Fault, Tried};
use super::super::{catalog, form, rejection, sql};
use super::default;
use crate::database::ledger::{RunRecord, Written};
use crate::database::standing::Together;
use crate::database::unchanged::{Given, Judge, Judged, Manner, Noted, Take};
use crate::database::undo::engine::Listed;
use crate::table::{ColumnType, Table};
use std::borrow::Cow;
use std::collections::HashMap;

/// Names are told apart by every letter, and a time has one form.
const MANNER: Manner = Manner { is_same: |one, other| one == other, meant: |text, _| Cow::Borrowed(text) };

/// So many rows are read at once.
const PAGE: usize = 5_000;

/// How a key that the ledger writes is compared with the columns of the table.
#[derive(Clone, Copy)]
pub(in super::super) enum By {
    /// As values of their types: an index finds them.
    Value,
    /// As the server writes those: where the key is none of their types.
    Text,
}

/// `s."key0" = t."id" AND …`: finds the listed row `listed` in the table.
pub(super) fn same_row(table: &Table, row: &str, listed: &str) -> String {
    let key = table.primary_key();
    let terms = key.iter().enumerate().map(|(at, column)| format!("{row}.{} = {listed}.key{at}", sql::name(column)));
    terms.collect::<Vec<_>>().join(" AND ")
}

/// `s.key0, s.key1`: the key of a listed row; NULL where it is not there.
pub(super) fn keys(table: &Table, listed: &str) -> String {
    (0..table.primary_key().len()).map(|at| format!("{listed}.key{at}")).collect::<Vec<_>>().join(", ")
}

/// A condition that finds the row of the table `t` which this expression says the key of.
pub(in super::super) fn by_key(table: &Table, types: &HashMap<String, String>, said: &str, by: By) -> String {
    let key = table.primary_key();
    let terms = key.iter().enumerate().map(|(at, column)| {
        let part = if key.len() == 1 { said.to_owned() } else { format!("({said}::json ->> {at})") };
        let is_bytes = table.column(column).is_some_and(|column| column.kind == ColumnType::Blob);
        let name = sql::name(column);
        match (by, types.get(*column)) {
            (By::Value, Some(_)) if is_bytes => format!("t.{name} = decode({part}, 'hex')"),
            (By::Value, Some(kind)) => format!("t.{name} = {part}::{kind}"),
            _ => format!("t.{name}::text = {part}"),
        }
    });
    terms.collect::<Vec<_>>().join(" AND ")
}

/// Does something about keys, in whatever way they can be compared; none where they cannot be at all, since they have
/// another number of parts.
fn in_any_way<T>(session: &Session, mut work: impl FnMut(By) -> Result<T, postgres::Error>) -> Tried<Option<T>> {
    for by in [By::Value, By::Text] {
        session.run("SAVEPOINT keys")?;
        match work(by) {
            Ok(done) => {
                session.run("RELEASE keys")?;
                return Ok(Some(done));
            }
            Err(error) if rejection::is_about_rows(&error) => session.run("ROLLBACK TO keys; RELEASE keys")?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// Finds the rows of a table that the run wrote, and lists them.
pub(super) fn list(session: &Session, listed: Listed<'_>) -> Tried<()> {
    let (name, Listed { number, table }) = (listed.name(), listed);
    let types = catalog::cast_types(session, &table.name)?;
    let key = table.primary_key();
    let named = key.iter().enumerate().map(|(at, column)| format!("t.{} AS key{at}", sql::name(column)));
    let named = named.collect::<Vec<_>>().join(", ");
    let make = |joined: &str| {
        format!(
            "CREATE TEMP TABLE {name} ON COMMIT DROP AS
                 SELECT k.row_key, k.file, k.number, k.columns, k.digest, k.own, k.run, k.updated, {named}
                 FROM treelift_taken k LEFT JOIN {} t ON {joined} WHERE k.\"table\" = {number}",
            sql::name(&table.name)
        )
    };
    let made = in_any_way(session, |by| session.try_run(&make(&by_key(table, &types, "k.row_key", by))))?;
    if made.is_none() {
        session.run(&make("false"))?;
    }
    session.run(&format!("ANALYZE {name}"))
}

/// How many rows the table has that other runs wrote.
pub(super) fn others(session: &Session, listed: Listed<'_>) -> Tried<u64> {
    let (name, Listed { number, table }) = (listed.name(), listed);
    let types = catalog::cast_types(session, &table.name)?;
    let counted = in_any_way(session, |by| {
        let text = format!(
            "SELECT count(*) FROM (
                 SELECT DISTINCT r.row_key FROM treelift_rows r WHERE r.\"table\" = {number}
                 AND NOT EXISTS (SELECT 1 FROM {name} s WHERE s.row_key = r.row_key)
             ) k JOIN {} t ON {}",
            sql::name(&table.name),
            by_key(table, &types, "k.row_key", by)
        );
        session.try_query(&text, &[])
    })?;
    Ok(counted.and_then(|rows| Some(rows.first()?.get::<_, i64>(0).unsigned_abs())).unwrap_or(0))
}

/// A judge of rows of a table. Without the run, columns that it did not write may hold anything.
pub(super) fn judge<'j>(
    session: &Session,
    table: &'j Table,
    columns: &HashMap<i64, Written>,
    run: Option<&RunRecord>,
) -> Tried<Judge<'j>> {
    let given = match run {
        Some(run) => default::given(session, table, run)?,
        None => table.columns.iter().map(|_| Given::anything("true")).collect(),
    };
    Ok(Judge::new(table, columns, given, MANNER))
}

/// What is read of the ledger's rows `s` and the table `t`.
struct Rows {
    from: String,
    joined: String,
    is_there: String,
    order: &'static str,
}

/// The listed rows, and what the table holds of them, page by page.
pub(super) struct Pages<'p> {
    cursor: String,
    table: &'p Table,
    /// The columns whose texts are read.
    read: Vec<usize>,
    /// The columns that are asked whether they hold their defaults.
    held: Vec<usize>,
    judged: Judged<'p>,
}

impl<'p> Pages<'p> {
    pub(super) fn of(session: &Session, listed: Listed<'p>, judge: &'p Judge<'p>) -> Tried<Self> {
        let joined = same_row(listed.table, "t", "s");
        let order = "s.row_key COLLATE \"C\", s.run, s.number";
        let rows =
            Rows { from: format!("{} s", listed.name()), joined, is_there: "s.key0 IS NOT NULL".to_owned(), order };
        Self::read(session, (listed.table, listed.number), &rows, judge)
    }

    /// Those of the ledger itself: nothing is listed before.
    pub(super) fn over(
        session: &Session,
        (table, number): (&'p Table, i64),
        together: &Together<'_>,
        judge: &'p Judge<'p>,
    ) -> Tried<Self> {
        let types = catalog::cast_types(session, &table.name)?;
        let (from, order) = (together.from.clone(), together.order);
        let fits = in_any_way(session, |by| {
            let joined = by_key(table, &types, "s.row_key", by);
            session.try_query(
                &format!("SELECT count(*) FROM {from} JOIN {} t ON {joined}", sql::name(&table.name)),
                &[],
            )?;
            Ok(joined)
        })?;
        let joined = fits.unwrap_or_else(|| "false".to_owned());
        let first = table.primary_key().first().map(|column| sql::name(column)).unwrap_or_default();
        let rows = Rows { from, joined, is_there: format!("t.{first} IS NOT NULL"), order };
        Self::read(session, (table, number), &rows, judge)
    }

    fn read(session: &Session, (table, number): (&'p Table, i64), rows: &Rows, judge: &'p Judge<'p>) -> Tried<Self> {
        let Rows { from, joined, is_there, order } = rows;
        let columns = || 0..table.columns.len();
        let read: Vec<usize> = columns().filter(|at| judge.reads(*at)).collect();
        let holds: Vec<(usize, &str)> = columns().filter_map(|at| Some((at, judge.default(at)?))).collect();
        let cells = read.iter().map(|at| format!(", t.{}::text", sql::name(&table.columns[*at].name)));
        let defaults = holds.iter().map(|(_, holds)| format!(", coalesce({holds}, false)"));
        let cursor = format!("treelift_judged_{number}");
        session.run(&format!(
            "DECLARE {cursor} NO SCROLL CURSOR FOR
             SELECT s.row_key, s.columns, s.digest, s.own, {is_there}, s.updated{} FROM {from} LEFT JOIN {} t ON {joined}
             ORDER BY {order}",
            cells.chain(defaults).collect::<String>(),
            sql::name(&table.name)
        ))?;
        let held = holds.into_iter().map(|(at, _)| at).collect();
        Ok(Self { cursor, table, read, held, judged: Judged::by(judge) })
    }

    /// Tells what is to become of each row of the next page; whether it is the last one.
    pub(super) fn next(&mut self, session: &Session, take: &mut Take<'_, Fault>) -> Tried<bool> {
        let Self { cursor, table, read, held, judged } = self;
        let page = session.query(&format!("FETCH {PAGE} FROM {cursor}"), &[])?;
        for row in &page {
            if judged.next(Some(row.get(0)), take)? {
                let stored = judged.begin(row.get(4));
                for (at, column) in table.columns.iter().enumerate() {
                    let text = read.iter().position(|one| *one == at).and_then(|place| row.get(6 + place));
                    let text = form::cell(text, column.kind).text();
                    let place = held.iter().position(|one| *one == at);
                    let holds = place.is_none_or(|place| row.get(6 + read.len() + place));
                    stored.add(holds, |to| {
                        text.iter().for_each(|text| to.push_str(text));
                        text.is_some()
                    });
                }
            }
            judged.note(Noted::new(row.get(1), row.get(2), row.get(3), row.get(5)));
        }
        if page.is_empty() {
            judged.next(None, take)?;
            session.run(&format!("CLOSE {cursor}"))?;
        }
        Ok(page.is_empty())
    }
}
