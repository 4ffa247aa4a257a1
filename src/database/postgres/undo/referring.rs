//! Rows that stay and would reference nothing: asked before any row is taken, since the server refuses to remove what is
//! referenced, or removes and changes what references it.

use super::super::connect::Session;
use super::super::place::Tried;
use super::super::{find, sql, survey};
use super::listing::same_row;
use crate::database::reference::Reference;
use crate::database::undo::engine::{Fate, Listed};
use crate::database::undo::{Keys, Obstacle};
use crate::database::{Cell, ledger};
use crate::table::{ColumnType, Table};
use std::collections::BTreeMap;

/// A reference to a table that rows are taken of.
struct Referring {
    /// The table as the server names it, in whatever schema.
    child: String,
    /// Its name, with the schema where that is another one.
    shown: String,
    /// Whether it is one of the schema.
    is_here: bool,
    columns: Vec<String>,
    parent: String,
    to: Vec<String>,
    /// Whether the database declares it: what it leads to is unique then.
    is_declared: bool,
}

/// The referencing table, where it is one of the schema, and the queries for its rows.
type Question<'t> = (Option<&'t Table>, Vec<String>);

/// Rows that stay and reference a row that goes, or a column of it that is emptied.
pub(super) fn would_dangle(session: &Session, mapped: &[Reference], fates: &[Fate<'_>]) -> Tried<Vec<Obstacle>> {
    let tables = survey::live(session)?.schema.tables;
    let mut questions: BTreeMap<(String, String), Question<'_>> = BTreeMap::new();
    for one in declared(session)?.into_iter().chain(mapped.iter().map(of_mapping)) {
        let Some(goes) = leaving(fates, &one.parent, &one.to) else { continue }; // nothing that it leads to goes
        let child = tables.get(&one.shown).filter(|_| one.is_here);
        let text = question(&one, child, goes, fates);
        questions.entry((one.shown, one.parent)).or_insert_with(|| (child, Vec::new())).1.push(text);
    }
    let mut found = Vec::new();
    for ((table, parent), (child, texts)) in questions {
        let kinds = key_of(child).map(|(_, kinds)| kinds);
        let mut keys = Keys::default();
        // A row that does so by several references is one.
        session.each(&texts.join(" UNION "), |row| {
            keys.add_in_order(&match &kinds {
                Some(kinds) => ledger::row_key(find::cells(row, 0, kinds).iter().map(Cell::text).collect()),
                None => row.get(0),
            });
        })?;
        if keys.rows > 0 {
            found.push(Obstacle::Referred { table, parent, keys });
        }
    }
    Ok(found)
}

/// The references to tables of the schema, wherever they are declared.
fn declared(session: &Session) -> Tried<Vec<Referring>> {
    let names = |keys: &str, relation: &str| {
        format!(
            "(SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(o.{keys}) WITH ORDINALITY k(attnum, n)
              JOIN pg_attribute a ON a.attrelid = o.{relation} AND a.attnum = k.attnum)"
        )
    };
    let text = format!(
        "SELECT o.conrelid::regclass::text, CASE WHEN n.nspname = $1 THEN c.relname ELSE n.nspname || '.' || c.relname END::text,
                n.nspname = $1, {}, p.relname::text, {}
         FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_class p ON p.oid = o.confrelid JOIN pg_namespace m ON m.oid = p.relnamespace
         WHERE m.nspname = $1 AND o.contype = 'f' AND o.conparentid = 0 ORDER BY o.oid",
        names("conkey", "conrelid"),
        names("confkey", "confrelid")
    );
    let rows = session.query(&text, &[Some(&session.schema)])?;
    let referring = rows.iter().map(|row| Referring {
        child: row.get(0),
        shown: row.get(1),
        is_here: row.get(2),
        columns: row.get(3),
        parent: row.get(4),
        to: row.get(5),
        is_declared: true,
    });
    Ok(referring.collect())
}

fn of_mapping(reference: &Reference) -> Referring {
    Referring {
        child: sql::name(&reference.table),
        shown: reference.table.clone(),
        is_here: true,
        columns: vec![reference.column.clone()],
        parent: reference.parent.clone(),
        to: vec![reference.to.clone()],
        is_declared: false,
    }
}

/// A query for the keys of the rows of a table that go, or of which one of these columns is emptied, with the table; none
/// where none does.
fn leaving<'f>(fates: &'f [Fate<'_>], table: &str, columns: &[String]) -> Option<(Listed<'f>, String)> {
    let of_table = || fates.iter().filter(|fate| fate.listed.table.name == table);
    let listed = of_table().next()?.listed;
    let removes = of_table().any(Fate::removes).then(|| "a.row_key IS NULL".to_owned());
    let empties = |fate: &&Fate<'_>| fate.columns.iter().any(|column| columns.contains(column));
    let emptied: Vec<String> = of_table().filter(empties).map(|fate| fate.number.to_string()).collect();
    let emptied = (!emptied.is_empty()).then(|| format!("a.fate IN ({})", emptied.join(", ")));
    let any: Vec<String> = removes.into_iter().chain(emptied).collect();
    let query = format!(
        "SELECT s.* FROM {} s LEFT JOIN treelift_apart a ON a.\"table\" = {} AND a.row_key = s.row_key
         WHERE s.key0 IS NOT NULL AND ({})",
        listed.name(),
        listed.number,
        any.join(" OR ")
    );
    (!any.is_empty()).then_some((listed, query))
}

/// The key of a table, where it has one.
fn key_of(table: Option<&Table>) -> Option<(Vec<&str>, Vec<ColumnType>)> {
    let table = table?;
    let key = table.primary_key();
    let kinds = key.iter().filter_map(|column| Some(table.column(column)?.kind)).collect();
    (!key.is_empty()).then_some((key, kinds))
}

/// A query for the keys of the rows that would reference nothing; for their places where they have none.
fn question(one: &Referring, child: Option<&Table>, goes: (Listed<'_>, String), fates: &[Fate<'_>]) -> String {
    let wanted: Vec<String> = match key_of(child) {
        Some((key, _)) => key.iter().map(|column| format!("c.{}::text", sql::name(column))).collect(),
        None => vec!["c.ctid::text".to_owned()],
    };
    let (listed, goes) = goes;
    let parent = sql::name(&one.parent);
    let cast = if one.is_declared { "" } else { "::text" };
    let to: Vec<String> =
        one.to.iter().enumerate().map(|(at, column)| format!("p.{}{cast} AS to{at}", sql::name(column))).collect();
    let equal = |row: &str| {
        let same = one.columns.iter().enumerate();
        same.map(|(at, column)| format!("{row}.to{at} = c.{}{cast}", sql::name(column)))
            .collect::<Vec<_>>()
            .join(" AND ")
    };
    let mut text = format!(
        "SELECT {} FROM {} c JOIN (SELECT DISTINCT {} FROM {parent} p JOIN ({goes}) g ON {}) v ON {}",
        wanted.join(", "),
        one.child,
        to.join(", "),
        same_row(listed.table, "p", "g"),
        equal("v")
    );
    let mut conditions = Vec::new();
    if let Some((table, leaves)) = child.and_then(|child| leaving(fates, &child.name, &one.columns)) {
        let same = same_row(table.table, "c", "g");
        conditions.push(format!("NOT EXISTS (SELECT 1 FROM ({leaves}) g WHERE {same})"));
    }
    if !one.is_declared {
        // Another row may have the same value, and stays.
        let stays = format!(
            "SELECT {} FROM {parent} p WHERE NOT EXISTS (SELECT 1 FROM ({goes}) g WHERE {})",
            to.join(", "),
            same_row(listed.table, "p", "g")
        );
        conditions.push(format!("NOT EXISTS (SELECT 1 FROM ({stays}) o WHERE {})", equal("o")));
    }
    if !conditions.is_empty() {
        text.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
    }
    text
}
