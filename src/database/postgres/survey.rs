//! Reads what a database is like; `validate` compares it.

use super::connect::Session;
use super::orphans::astray;
use super::place::Tried;
use super::types::column_type;
use super::{catalog, cells, find, keys, record, sql};
use crate::database::SealedState;
use crate::database::catalog::Catalog;
use crate::database::clock::Clock;
use crate::database::ledger;
use crate::database::own::{is_own, is_records};
use crate::database::reference::Reference;
use crate::database::sealed::{SealRecord, Unregistered};
use crate::database::upkeep::{Broken, Survey};
use crate::finding::printable;
use crate::secret::cipher;
use crate::table::ColumnType;
use std::collections::BTreeMap;

/// The live catalog.
pub(super) fn live(session: &Session) -> Tried<Catalog> {
    let record = record::table(session, session.place.record.as_deref())?.name;
    catalog::whole(session, &session.schema, &record)
}

/// Everything that is validated, but for what costs a pass over references. No column has a NULL that must not be:
/// the server holds every row to that.
pub(super) fn of(session: &Session) -> Tried<Survey> {
    let catalog = live(session)?;
    let registry = keys::registry(session)?;
    let own: Vec<String> = catalog::table_names(session)?.into_iter().filter(|name| is_own(name)).collect();
    Ok(Survey {
        recorded: record::recorded(session)?,
        record_table: record::judged(session)?,
        counts: catalog::counts(session, catalog.schema.tables.keys())?,
        own: catalog::counts(session, own.iter())?,
        seals: SealRecord {
            columns: keys::sealed(session, &registry)?,
            registry,
            place: session.place.shown().to_owned(),
        },
        loose: loose(session)?,
        catalog,
        ..Survey::default()
    })
}

/// Sequences, types and functions that belong to no table, and to no extension.
fn loose(session: &Session) -> Tried<Vec<String>> {
    let alone = |catalog: &str, deep: &str| {
        format!(
            "NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = '{catalog}'::regclass AND d.objid = c.oid
                         AND d.deptype IN ({deep}))"
        )
    };
    let text = format!(
        "SELECT 'sequence', c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind = 'S' AND {}
         UNION ALL SELECT 'type', c.typname::text FROM pg_type c JOIN pg_namespace n ON n.oid = c.typnamespace
         WHERE n.nspname = $1 AND {} AND (c.typtype IN ('e', 'd', 'r')
               OR c.typtype = 'c' AND EXISTS (SELECT 1 FROM pg_class r WHERE r.oid = c.typrelid AND r.relkind = 'c'))
         UNION ALL SELECT 'function', c.proname::text FROM pg_proc c JOIN pg_namespace n ON n.oid = c.pronamespace
         WHERE n.nspname = $1 AND {} ORDER BY 1, 2",
        alone("pg_class", "'a', 'i', 'e'"),
        alone("pg_type", "'e'"),
        alone("pg_proc", "'i', 'e'")
    );
    let rows = session.query(&text, &[Some(&session.schema)])?;
    let named = |row: &postgres::Row| {
        let (kind, name): (String, String) = (row.get(0), row.get(1));
        format!("{kind} `{}`", printable(&name))
    };
    Ok(rows.iter().map(named).collect())
}

/// How many rows each of the application's tables has.
pub(super) fn counted(session: &Session) -> Tried<BTreeMap<String, u64>> {
    let record = record::table(session, session.place.record.as_deref())?.name;
    let names = catalog::table_names(session)?;
    catalog::counts(session, names.iter().filter(|name| !is_records(name, &record)))
}

/// How many rows share the values of these columns with an earlier one; NULLs share nothing.
pub(super) fn repeated(session: &Session, table: &str, columns: &[String]) -> Tried<u64> {
    let some: Vec<String> = columns.iter().map(|column| format!("{} IS NOT NULL", sql::name(column))).collect();
    // JSON has no `=`; the text of a value is one and the same.
    let text = format!(
        "SELECT coalesce(sum(more), 0)::int8 FROM (SELECT count(*) - 1 AS more FROM {} WHERE {} GROUP BY {}) q",
        sql::name(table),
        some.join(" AND "),
        sql::texts(columns)
    );
    one(session, &text)
}

/// How many rows a table has, and a sum over what they hold. It is one of digests, so that no order matters.
pub(super) fn content(session: &Session, table: &str, columns: &[String], clock: Clock) -> Tried<(u64, u128)> {
    let known = cells::columns(session, table)?;
    let kind = |name: &String| {
        let declared = known.iter().find(|(one, _)| one == name).map(|(_, declared)| declared.as_str());
        declared.map_or(ColumnType::Unknown, column_type)
    };
    let kinds: Vec<ColumnType> = columns.iter().map(kind).collect();
    let wanted = if columns.is_empty() { "NULL::text".to_owned() } else { sql::texts(columns) };
    let (mut many, mut sum) = (0, 0_u128);
    session.each(&format!("SELECT {wanted} FROM {}", sql::name(table)), |row| {
        let cells = find::cells(row, 0, &kinds);
        let texts = columns.iter().map(String::as_str).zip(cells.iter().map(|cell| clock.masked(cell)));
        sum = sum.wrapping_add(u128::from_be_bytes(ledger::digest(texts)));
        many += 1;
    })?;
    Ok((many, sum))
}

/// Rows whose declared reference dangles: the server holds rows to it, but not where its triggers are
/// switched off, nor before somebody validates it.
pub(super) fn broken(session: &Session) -> Tried<Vec<Broken>> {
    let text = "SELECT DISTINCT c.relname::text FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND o.contype = 'f' ORDER BY 1";
    let open: Vec<String> = session.query(text, &[Some(&session.schema)])?.iter().map(|row| row.get(0)).collect();
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let tables = live(session)?.schema.tables;
    let mut found: BTreeMap<(String, String), u64> = BTreeMap::new();
    for table in open.iter().filter_map(|name| tables.get(name)) {
        for reference in &table.foreign_keys {
            let rows = one(session, &format!("SELECT count(*) FROM {}", astray(&table.name, reference)))?;
            if rows > 0 {
                *found.entry((table.name.clone(), reference.table.clone())).or_default() += rows;
            }
        }
    }
    Ok(found.into_iter().map(|((table, parent), rows)| Broken { table, parent, rows }).collect())
}

/// How many rows reference a missing row through a reference that the database does not declare.
pub(super) fn dangling(session: &Session, reference: &Reference) -> Tried<u64> {
    let Reference { table, column, parent, to } = reference;
    let text = format!(
        "SELECT count(*) FROM {} c WHERE c.{column} IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM {} p WHERE p.{to}::text = c.{column}::text)",
        sql::name(table),
        sql::name(parent),
        column = sql::name(column),
        to = sql::name(to)
    );
    one(session, &text)
}

fn one(session: &Session, text: &str) -> Tried<u64> {
    Ok(session.first(text, &[])?.map_or(0, |row| row.get::<_, i64>(0).unsigned_abs()))
}

/// Columns with values that look sealed, of which no row of the registry tells.
pub(super) fn unregistered(session: &Session) -> Tried<Vec<Unregistered>> {
    let registered = keys::sealed(session, &keys::registry(session)?)?;
    let record = record::table(session, session.place.record.as_deref())?.name;
    let mut found = Vec::new();
    for table in catalog::table_names(session)?.into_iter().filter(|name| !is_records(name, &record)) {
        for (column, declared) in cells::columns(session, &table)? {
            if !matches!(
                column_type(&declared),
                ColumnType::Text { .. } | ColumnType::Json | ColumnType::JsonValue | ColumnType::Unknown
            ) {
                continue; // no sealed value fits into it
            }
            let name = sql::name(&column);
            let text = format!(
                "SELECT {name}::text FROM {} WHERE left({name}::text, 5) ~ '^(tl[12]\\.|\"tl[12]\\.?)'",
                sql::name(&table)
            );
            let mut values = 0_u64;
            session.each(&text, |row| {
                let token = cipher::token_in(row.get(0));
                values += u64::from(cipher::key_id_of(&token).is_some());
            })?;
            let is_it = |state: &&SealedState| state.column.table == table && state.column.column == column;
            let known = || registered.iter().filter(is_it);
            let values = values - known().flat_map(|state| state.formats.values()).sum::<u64>().min(values);
            let format = known().map(|state| state.format.clone()).find(|format| !cipher::is_ours(format));
            if values > 0 {
                found.push(Unregistered { table: table.clone(), column, values, format });
            }
        }
    }
    Ok(found)
}
