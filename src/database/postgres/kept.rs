//! Whether the tables hold what the run wrote: a trigger deletes or changes rows without an error.

use super::find::cells;
use super::opened::PostgresTransaction;
use super::{catalog, ledger, sql};
use crate::database::Cell;
use crate::database::kept::{Strayed, Unkept};
use crate::database::ledger::{Written, digest};
use crate::error::Result;
use crate::table::ColumnType;
use std::collections::{BTreeMap, HashMap};

/// So many rows of a table are named.
const MOST: usize = 1_000;

/// What the ledger says of a row in one list of columns.
struct Noted {
    file: i64,
    offset: u64,
    columns: i64,
    digest: Option<Vec<u8>>,
    own: Option<Vec<u8>>,
}

/// The tables that do not hold as many rows as they had and as were inserted, or rows of this run with other values in
/// the columns that it wrote.
pub(super) fn unkept(this: &mut PostgresTransaction, inserted: &[(String, u64)]) -> Result<Vec<Unkept>> {
    this.release()?;
    let foreign = !this.state.foreign.is_empty();
    // A function's text does not say what it writes into.
    let text =
        "SELECT 1 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND NOT t.tgisinternal AND t.tgenabled <> 'D' LIMIT 1";
    let has_triggers = this.on(|session| session.has(text, &[Some(&session.schema)]))?;
    let mut unkept = Vec::new();
    let counts = this.on(|session| catalog::counts(session, inserted.iter().map(|(table, _)| table)))?;
    for (table, inserted) in inserted {
        let found = counts.get(table).copied().unwrap_or_default() + this.state.held.rows_of(table);
        let expected = this.rows_before(table) + inserted;
        if found == expected && !has_triggers {
            continue;
        }
        let rows = strayed(this, table)?;
        if found != expected || !rows.is_empty() {
            unkept.push(Unkept { table: table.clone(), expected, found, rows, foreign });
        }
    }
    Ok(unkept)
}

/// The first rows of this run that are not as they were written, with their place in the ledger.
fn strayed(this: &PostgresTransaction, table: &str) -> Result<Vec<Strayed>> {
    let Some(live) = this.state.schema.table(table) else { return Ok(Vec::new()) };
    let key = live.primary_key();
    let Some(&number) = this.state.ledger.tables.get(table) else { return Ok(Vec::new()) };
    if key.is_empty() {
        return Ok(Vec::new()); // the ledger cannot name its rows
    }
    let lists = this.on(|session| ledger::columns(session, number, table))?;
    let mut noted = noted(this, number)?;
    let columns: Vec<&str> = live.columns.iter().map(|column| column.name.as_str()).collect();
    let kinds: Vec<ColumnType> = live.columns.iter().map(|column| column.kind).collect();
    let place = |name: &str| columns.iter().position(|column| *column == name);
    let places: Vec<usize> = key.iter().filter_map(|name| place(name)).collect();
    let mut strayed = Vec::new();
    let text = format!("SELECT {} FROM {}", sql::texts(&columns), sql::name(table));
    this.on(|session| {
        session.each(&text, |row| {
            let cells = cells(row, 0, &kinds);
            let row_key = crate::database::ledger::row_key(places.iter().map(|at| cells[*at].text()).collect());
            let Some(all) = noted.remove(&row_key) else { return };
            let texts: HashMap<&str, Option<String>> =
                columns.iter().copied().zip(cells.iter().map(Cell::text)).collect();
            if let Some(first) = all.first()
                && !is_kept(&all, &lists, &texts)
                && strayed.len() < MOST
            {
                strayed.push(Strayed { file: first.file, offset: first.offset, changed: true });
            }
        })
    })?;
    for gone in noted.into_values().filter_map(|all| all.into_iter().next()) {
        if strayed.len() < MOST {
            strayed.push(Strayed { file: gone.file, offset: gone.offset, changed: false });
        }
    }
    Ok(strayed)
}

/// The rows that this run wrote into a table, by key.
fn noted(this: &PostgresTransaction, number: i64) -> Result<BTreeMap<String, Vec<Noted>>> {
    let first = this.state.ledger.first_file.unwrap_or(i64::MAX);
    let text = "SELECT row_key, file, \"offset\", columns, digest, own FROM treelift_rows
                WHERE file >= $1::int8 AND \"table\" = $2::int8 ORDER BY file, number";
    let rows = this.on(|session| session.query(text, &[Some(&first.to_string()), Some(&number.to_string())]))?;
    let mut noted: BTreeMap<String, Vec<Noted>> = BTreeMap::new();
    for row in rows {
        let one = Noted {
            file: row.get(1),
            offset: row.get::<_, i64>(2).unsigned_abs(),
            columns: row.get(3),
            digest: row.get(4),
            own: row.get(5),
        };
        noted.entry(row.get(0)).or_default().push(one);
    }
    Ok(noted)
}

/// Whether a row holds what the ledger has of it. What a later fill wrote was NULL before.
fn is_kept(noted: &[Noted], lists: &HashMap<i64, Written>, texts: &HashMap<&str, Option<String>>) -> bool {
    let list = |one: &Noted| lists.get(&one.columns);
    let filled: Vec<&str> = noted
        .iter()
        .filter_map(list)
        .filter(|list| list.filled)
        .flat_map(|list| list.digested.iter().map(String::as_str))
        .collect();
    noted.iter().all(|one| {
        let Some(list) = list(one) else { return true };
        let over = |columns: &[String]| {
            digest(columns.iter().map(|name| {
                let is_null = !list.filled && filled.contains(&name.as_str());
                let text = if is_null { None } else { texts.get(name.as_str()).cloned().flatten() };
                (name.as_str(), text)
            }))
        };
        let is = |known: Option<&[u8]>, columns: &[String]| known.is_none_or(|known| known == &over(columns)[..]);
        let (clock, sealed) = match one.own.as_deref().and_then(|own| own.split_at_checked(16)) {
            Some((clock, sealed)) => (Some(clock), Some(sealed)),
            None => (None, None),
        };
        is(one.digest.as_deref(), &list.digested)
            && (list.clock.is_empty() || is(clock, &list.clock))
            && (list.sealed.is_empty() || is(sealed, &list.sealed))
    })
}
