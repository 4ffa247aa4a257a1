//! Reads tables back from a live database, through its pragmas.

use super::checks;
use super::sql::{all, column, one_line};
use super::types::column_type;
use crate::database::catalog::{Catalog, Index, Other};
use crate::database::kept::ForeignTrigger;
pub(super) use crate::database::own::{is_own, is_records};
use crate::table::{Column, ForeignKey, Table};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeMap, HashMap};

/// Whether a table belongs to treelift or to the engine rather than to the application. Migrations are
/// recorded in `record`.
pub(super) fn is_reserved(table: &str, record: &str) -> bool {
    is_records(table, record) || table.to_ascii_lowercase().starts_with("sqlite_")
}

/// The names of all ordinary tables; views, virtual tables and their shadows are none.
pub(super) fn table_names(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    column(conn, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' ORDER BY name", [])
}

/// Whether there is a table of this name.
pub(super) fn has_table(conn: &Connection, name: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE")?.exists([name])
}

/// Whether nothing was ever made in it.
pub(super) fn is_empty(conn: &Connection) -> rusqlite::Result<bool> {
    conn.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
}

/// Everything that is not treelift's nor the engine's own. Migrations are recorded in `record`.
pub(super) fn whole(conn: &Connection, record: &str) -> rusqlite::Result<Catalog> {
    let (indexes, others) = (indexes(conn, record)?, others(conn, record)?);
    let mut catalog = Catalog { indexes, others, ..Catalog::default() };
    let mut made = tables_sql(conn)?;
    for name in table_names(conn)?.into_iter().filter(|name| !is_reserved(name, record)) {
        let sql = made.remove(&name.to_ascii_lowercase());
        if let Some(table) = table_of(conn, &name, sql.as_deref())? {
            catalog.made.extend(sql.map(|sql| (name.clone(), sql)));
            catalog.schema.tables.insert(name, table);
        }
    }
    Ok(catalog)
}

/// Indexes that have SQL of their own; those of constraints are the table's unique lists.
pub(super) fn indexes(conn: &Connection, record: &str) -> rusqlite::Result<BTreeMap<String, Index>> {
    let text = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
    let found: Vec<(String, String, String)> = all(conn, text, [])?;
    let mut indexes = BTreeMap::new();
    for (name, table, sql) in found.into_iter().filter(|(_, table, _)| !is_reserved(table, record)) {
        let (unique, partial): (bool, bool) = conn
            .prepare_cached("SELECT \"unique\", partial FROM pragma_index_list(?1) WHERE name = ?2")?
            .query_row((&table, &name), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let text = "SELECT name, \"desc\", coll FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno";
        let columns: Vec<(Option<String>, bool, String)> = all(conn, text, [&name])?;
        let plain: Option<Vec<String>> = columns.into_iter().map(index_column).collect();
        let over = match plain {
            Some(columns) if !partial => columns.join(", "),
            _ => behind_on(&sql),
        };
        indexes.insert(name, Index { table, over, unique, sql });
    }
    Ok(indexes)
}

fn index_column((name, descending, collation): (Option<String>, bool, String)) -> Option<String> {
    let collation = if collation == "BINARY" { String::new() } else { format!(" COLLATE {collation}") };
    Some(format!("{}{collation}{}", name?, if descending { " DESC" } else { "" }))
}

/// What an index is over, as it is written: from the first parenthesis on, blanks made one.
fn behind_on(sql: &str) -> String {
    one_line(sql.find('(').map_or(sql, |at| &sql[at..]))
}

/// Views, triggers and virtual tables.
pub(super) fn others(conn: &Connection, record: &str) -> rusqlite::Result<BTreeMap<String, Other>> {
    let text = "SELECT name, tbl_name, type, coalesce(sql, '') FROM sqlite_schema
                WHERE type IN ('view', 'trigger') OR (type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%')";
    let found: Vec<(String, String, String, String)> = all(conn, text, [])?;
    let kind = |word: &str| match word {
        "view" => "view",
        "trigger" => "trigger",
        _ => "virtual table",
    };
    let found = found.into_iter().filter(|(_, table, ..)| !is_reserved(table, record));
    Ok(found.map(|(name, table, word, sql)| (name, Other { kind: kind(&word), table, sql })).collect())
}

/// The triggers that may reach the written tables and that are not the set's own, by name. Where the set
/// has triggers on those itself, they may reach any table.
pub(super) fn foreign_triggers(
    conn: &Connection,
    record: &str,
    is_own: &dyn Fn(&str, &Other) -> bool,
    is_written: &dyn Fn(&str) -> bool,
) -> rusqlite::Result<Vec<ForeignTrigger>> {
    let triggers = others(conn, record)?.into_iter().filter(|(_, other)| other.kind == "trigger");
    let (own, foreign): (Vec<_>, Vec<_>) = triggers.partition(|(name, live)| is_own(name, live));
    let reaches_all = own.iter().any(|(_, other)| is_written(&other.table));
    let concerned = foreign.into_iter().filter(|(_, other)| reaches_all || is_written(&other.table));
    Ok(concerned.map(|(name, other)| ForeignTrigger { name, table: other.table }).collect())
}

/// Whether a unique index of a table is over expressions, over some rows, or of a collation: none of them is
/// among the keys that are known.
pub(super) fn has_odd_index(conn: &Connection, table: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT 1 FROM pragma_index_list(?1) i WHERE i.\"unique\" AND (i.partial OR EXISTS
             (SELECT 1 FROM pragma_index_xinfo(i.name) x WHERE x.key AND (x.cid < -1 OR x.coll <> 'BINARY')))",
    )?
    .exists([table])
}

/// Name, table and SQL of every trigger.
pub(super) fn triggers(conn: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    all(conn, "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name", [])
}

/// The SQL that made each table, by its name in lower case. SQLite keeps no index of its schema, so that to
/// ask for one table looks at all.
fn tables_sql(conn: &Connection) -> rusqlite::Result<HashMap<String, String>> {
    let made: Vec<(String, String)> = all(conn, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'", [])?;
    Ok(made.into_iter().map(|(name, sql)| (name.to_ascii_lowercase(), sql)).collect())
}

/// Those of these tables that are there, by the names that are given.
pub(super) fn tables<'n>(
    conn: &Connection,
    names: impl Iterator<Item = &'n str>,
) -> rusqlite::Result<BTreeMap<String, Table>> {
    let made = tables_sql(conn)?;
    let mut tables = BTreeMap::new();
    for name in names {
        let sql = made.get(&name.to_ascii_lowercase());
        tables.extend(table_of(conn, name, sql.map(String::as_str))?.map(|table| (name.to_owned(), table)));
    }
    Ok(tables)
}

/// The table of this name that this SQL made, if there is one.
fn table_of(conn: &Connection, name: &str, sql: Option<&str>) -> rusqlite::Result<Option<Table>> {
    let (columns, computed) = columns_and_computed(conn, name)?;
    if columns.is_empty() {
        return Ok(None);
    }
    let mut table = Table { name: name.to_owned(), columns, computed, ..Table::default() };
    table.unique = unique(conn, &table)?;
    table.foreign_keys = foreign_keys(conn, name)?;
    table.checks = sql.map(checks::conditions).unwrap_or_default();
    Ok(Some(table))
}

/// The names of all columns of a table, hidden ones too.
pub(super) fn column_names(conn: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    column(conn, "SELECT name FROM pragma_table_xinfo(?1)", [table])
}

/// The columns that can be written into.
pub(super) fn columns(conn: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
    Ok(columns_and_computed(conn, table)?.0)
}

/// The columns that can be written into, and the names of computed ones, stored or not; hidden columns of virtual
/// tables are neither ("PRAGMA table_xinfo").
fn columns_and_computed(conn: &Connection, table: &str) -> rusqlite::Result<(Vec<Column>, Vec<String>)> {
    let text = "SELECT name, hidden, type, \"notnull\", dflt_value, pk FROM pragma_table_xinfo(?1)";
    let mut statement = conn.prepare_cached(text)?;
    let (mut rows, mut columns, mut computed) = (statement.query([table])?, Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        match row.get::<_, u8>(1)? {
            0 => {
                let declared: String = row.get(2)?;
                columns.push(Column {
                    name: row.get(0)?,
                    kind: column_type(&declared),
                    declared,
                    not_null: row.get(3)?,
                    default: row.get(4)?,
                    primary_key: row.get(5)?,
                });
            }
            2 | 3 => computed.push(row.get(0)?),
            _ => {}
        }
    }
    Ok((columns, computed))
}

/// The primary key first, then the others as they were made. An index over expressions or over
/// some rows only promises nothing that could be checked beforehand.
fn unique(conn: &Connection, table: &Table) -> rusqlite::Result<Vec<Vec<String>>> {
    let mut lists: Vec<Vec<String>> = Vec::new();
    let primary: Vec<String> = table.primary_key().into_iter().map(str::to_owned).collect();
    if !primary.is_empty() {
        lists.push(primary);
    }
    let whole = "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" = 1 AND partial = 0 ORDER BY seq DESC";
    for name in column::<String>(conn, whole, [&table.name])? {
        let columns = column(conn, "SELECT name FROM pragma_index_info(?1) ORDER BY seqno", [&name])?;
        if let Some(columns) = columns.into_iter().collect::<Option<Vec<String>>>()
            && !lists.contains(&columns)
        {
            lists.push(columns);
        }
    }
    Ok(lists)
}

/// In the order they were declared. A reference that names no columns means the primary key.
pub(super) fn foreign_keys(conn: &Connection, table: &str) -> rusqlite::Result<Vec<ForeignKey>> {
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    let mut statement = conn.prepare_cached(
        "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?1)
         ORDER BY id DESC, seq",
    )?;
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            let follows = |at| row.get::<_, String>(at).map(|word| (word != "NO ACTION").then_some(word));
            let (on_update, on_delete) = (follows(4)?, follows(5)?);
            keys.push((id, ForeignKey { table: row.get(1)?, on_update, on_delete, ..ForeignKey::default() }));
        }
        if let Some((_, key)) = keys.last_mut() {
            let position = key.columns.len() + 1;
            key.columns.push(row.get(2)?);
            let to = match row.get::<_, Option<String>>(3)? {
                Some(to) => Some(to),
                None => conn
                    .query_row(
                        "SELECT name FROM pragma_table_info(?1) WHERE pk = ?2",
                        (&key.table, position as i64),
                        |row| row.get(0),
                    )
                    .optional()?,
            };
            key.to.extend(to);
        }
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::history::RECORD;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// How many steps of SQLite's virtual machine reading so many tables takes.
    fn steps(tables: u32) -> u32 {
        let mut conn = Connection::open_in_memory().unwrap();
        for number in 0..tables {
            conn.execute_batch(&format!("CREATE TABLE t{number} (id TEXT PRIMARY KEY, n INTEGER CHECK (n > 0))"))
                .unwrap();
        }
        let steps = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&steps);
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            false
        };
        conn.progress_handler(1, Some(count)).unwrap();
        let catalog = whole(&conn, RECORD).unwrap();
        assert_eq!((catalog.schema.tables.len(), catalog.made.len()), (tables as usize, tables as usize));
        assert!(catalog.schema.tables.values().all(|table| table.checks.len() == 1));
        steps.load(Ordering::Relaxed)
    }

    #[test]
    fn the_work_of_reading_a_schema_grows_with_its_tables_and_not_with_their_square() {
        let (few, many) = (steps(50), steps(400));
        assert!(many < 9 * few, "{few} steps for 50 tables, {many} for 400");
    }
}
