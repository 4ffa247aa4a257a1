//! Reads tables back from a live database, through the server's catalog.

use super::connect::Session;
use super::place::Tried;
use super::sql;
use super::types::{column_type, declared};
use crate::database::catalog::{Catalog, Index, Other};
use crate::database::drift_sql::BY_HAND;
use crate::database::kept::ForeignTrigger;
use crate::database::own::is_records;
use crate::table::{Column, ForeignKey, Schema, Table};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The names of all ordinary tables, treelift's own among them, partitions left out.
pub(super) fn table_names(session: &Session) -> Tried<Vec<String>> {
    let text = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname IN ($1, $2) AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname";
    Ok(session.query(text, &session.schemas())?.iter().map(|row| row.get(0)).collect())
}

/// Whether there is a table of this name.
pub(super) fn has_table(session: &Session, name: &str) -> Tried<bool> {
    let text = "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";
    session.has(text, &[Some(session.schema_of(name)), Some(name)])
}

/// The kind of what has a name among tables, views, indexes and sequences, in the words of the catalog.
pub(super) fn taken(session: &Session, name: &str) -> Tried<Option<String>> {
    let text = "SELECT c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2";
    Ok(session.first(text, &[Some(session.schema_of(name)), Some(name)])?.map(|row| row.get(0)))
}

/// Everything in a schema that is not treelift's own. Migrations are recorded in `record`.
pub(super) fn whole(session: &Session, schema: &str, record: &str) -> Tried<Catalog> {
    let mut tables = columns(session, schema)?;
    keys(session, schema, &mut tables)?;
    references(session, schema, &mut tables)?;
    checks(session, schema, &mut tables)?;
    tables.retain(|name, _| !is_records(name, record));
    let mut indexes = indexes(session, schema)?;
    indexes.retain(|_, index| !is_records(&index.table, record));
    let mut others = others(session, schema)?;
    others.retain(|_, other| !is_records(&other.table, record));
    Ok(Catalog { schema: Schema { tables }, made: BTreeMap::new(), indexes, others })
}

/// The tables with their columns. Those that the server computes stand apart: nothing can be written into them.
pub(super) fn columns(session: &Session, schema: &str) -> Tried<BTreeMap<String, Table>> {
    let text = "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                       a.attgenerated::text <> '', a.attidentity::text <> '', pg_get_expr(d.adbin, d.adrelid)
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                ORDER BY c.relname, a.attnum";
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in session.query(text, &[Some(schema)])? {
        let (table, name, format): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let (not_null, is_computed, is_identity): (bool, bool, bool) = (row.get(3), row.get(4), row.get(5));
        let table = tables.entry(table).or_insert_with_key(|name| Table { name: name.clone(), ..Table::default() });
        if is_computed {
            table.computed.push(name);
            continue;
        }
        let declared = declared(&format);
        let default: Option<String> = row.get(6);
        let default = if is_identity { Some(COUNTED.to_owned()) } else { default.map(|sql| plain_default(&sql)) };
        table.columns.push(Column { name, kind: column_type(&declared), declared, not_null, default, primary_key: 0 });
    }
    Ok(tables)
}

/// Adds the SQL that makes each table, as one of the schema that is searched: a column that a sequence of its own counts is a
/// SERIAL.
pub(super) fn add_made(session: &Session, schema: &str, catalog: &mut Catalog) -> Tried<()> {
    let text = "SELECT c.relname::text, string_agg(m.part, E',\n    ' ORDER BY m.place, m.at),
                       c.relkind = 'r' AND c.relpersistence = 'p' AND NOT EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhrelid = c.oid)
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                CROSS JOIN LATERAL (
                    SELECT 1 AS place, a.attnum::int AS at, quote_ident(a.attname) || ' ' || CASE
                        WHEN pg_get_serial_sequence(quote_ident($1::text) || '.' || quote_ident(c.relname), a.attname) IS NOT NULL
                             AND a.attidentity = '' AND a.attnotnull THEN
                            CASE a.atttypid WHEN 'int8'::regtype THEN 'BIGSERIAL' WHEN 'int2'::regtype THEN 'SMALLSERIAL'
                            ELSE 'SERIAL' END
                        ELSE format_type(a.atttypid, a.atttypmod) || coalesce((SELECT ' COLLATE ' || quote_ident(l.collname)
                            FROM pg_collation l JOIN pg_type y ON y.oid = a.atttypid
                            WHERE l.oid = a.attcollation AND l.oid <> y.typcollation), '') || CASE
                            WHEN a.attidentity = 'a' THEN ' GENERATED ALWAYS AS IDENTITY'
                            WHEN a.attidentity = 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY'
                            WHEN a.attgenerated <> '' THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') STORED'
                            ELSE coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') END
                            || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END END AS part
                    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                    UNION ALL
                    SELECT 2, strpos('pufcx', o.contype::text), 'CONSTRAINT ' || quote_ident(o.conname) || ' '
                              || CASE WHEN o.contype = 'f' THEN replace(pg_get_constraintdef(o.oid),
                                      'REFERENCES ' || quote_ident($1::text) || '.', 'REFERENCES ')
                                 ELSE pg_get_constraintdef(o.oid) END
                    FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype IN ('p', 'u', 'f', 'c', 'x')
                ) m
                WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p') AND NOT c.relispartition GROUP BY c.oid, c.relname, c.relkind, c.relpersistence";
    let of = |row: &postgres::Row| {
        let (name, parts, is_plain): (String, String, bool) = (row.get(0), row.get(1), row.get(2));
        if !is_plain {
            let why = "is partitioned, unlogged or inherits from another: `pg_dump --schema-only` writes it";
            return (name.clone(), format!("{BY_HAND}table `{name}` {why}"));
        }
        let sql = format!("CREATE TABLE {} (\n    {parts}\n)", sql::name(&name));
        (name, sql)
    };
    catalog.made = session.query(text, &[Some(schema)])?.iter().map(of).collect();
    catalog.made.retain(|name, _| catalog.schema.tables.contains_key(name));
    Ok(())
}

/// The default of a column that a sequence counts.
pub(super) const COUNTED: &str = "nextval()";

/// A default without what the server adds: the type of a literal, the name of a sequence.
fn plain_default(sql: &str) -> String {
    if sql.starts_with("nextval(") {
        return COUNTED.to_owned();
    }
    if sql == "now()" {
        return "CURRENT_TIMESTAMP".to_owned(); // the server keeps the two apart, and means the same
    }
    let Some((literal, kind)) = sql.rsplit_once("'::") else { return sql.to_owned() };
    let Some(text) = literal.strip_prefix('\'').filter(|text| !text.replace("''", "").contains('\'')) else {
        return sql.to_owned(); // more than one literal
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '(' | ')' | ',');
    match kind {
        kind if !kind.chars().all(is_word) => sql.to_owned(),
        "integer" | "bigint" | "smallint" | "numeric" => text.to_owned(),
        _ => format!("'{text}'"),
    }
}

/// Primary keys and unique lists: the primary key first, then the others as they were made. An index over expressions
/// or over some rows only promises nothing that could be checked beforehand.
fn keys(session: &Session, schema: &str, tables: &mut BTreeMap<String, Table>) -> Tried<()> {
    let text = "SELECT c.relname::text, x.indisprimary,
                       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(attnum, n)
                        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE k.n <= x.indnkeyatts)
                FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
                      AND NOT c.relispartition
                ORDER BY c.relname, NOT x.indisprimary, x.indexrelid";
    for row in session.query(text, &[Some(schema)])? {
        let (table, is_primary, columns): (String, bool, Vec<String>) = (row.get(0), row.get(1), row.get(2));
        let Some(table) = tables.get_mut(&table) else { continue };
        if is_primary {
            for (place, name) in (1..).zip(&columns) {
                let key = table.columns.iter_mut().find(|column| column.name == *name);
                key.into_iter().for_each(|column| column.primary_key = place);
            }
        }
        if !table.unique.contains(&columns) {
            table.unique.push(columns);
        }
    }
    Ok(())
}

fn references(session: &Session, schema: &str, tables: &mut BTreeMap<String, Table>) -> Tried<()> {
    for (table, _, _, reference) in references_in(session, schema)? {
        tables.get_mut(&table).into_iter().for_each(|table| table.foreign_keys.push(reference.clone()));
    }
    Ok(())
}

/// The references of the live tables: table, name, whether they can be judged later, and what they are.
pub(super) fn references_by_name(session: &Session) -> Tried<Vec<(String, String, bool, ForeignKey)>> {
    references_in(session, &session.schema)
}

fn references_in(session: &Session, schema: &str) -> Tried<Vec<(String, String, bool, ForeignKey)>> {
    let names = |keys: &str, relation: &str| {
        format!(
            "(SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(o.{keys}) WITH ORDINALITY k(attnum, n)
              JOIN pg_attribute a ON a.attrelid = o.{relation} AND a.attnum = k.attnum)"
        )
    };
    let text = format!(
        "SELECT c.relname::text, p.relname::text, {}, {}, o.confupdtype::text, o.confdeltype::text, o.conname::text,
                o.condeferrable
         FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_class p ON p.oid = o.confrelid
         WHERE n.nspname = $1 AND o.contype = 'f' AND o.conparentid = 0 ORDER BY c.relname, o.oid",
        names("conkey", "conrelid"),
        names("confkey", "confrelid")
    );
    let reference = |row: &postgres::Row| {
        let (update, delete): (String, String) = (row.get(4), row.get(5));
        let (on_update, on_delete) = (action(&update), action(&delete));
        let key = ForeignKey { columns: row.get(2), table: row.get(1), to: row.get(3), on_update, on_delete };
        (row.get(0), row.get(6), row.get(7), key)
    };
    Ok(session.query(&text, &[Some(schema)])?.iter().map(reference).collect())
}

fn action(letter: &str) -> Option<String> {
    let word = match letter {
        "r" => "RESTRICT",
        "c" => "CASCADE",
        "n" => "SET NULL",
        "d" => "SET DEFAULT",
        _ => return None,
    };
    Some(word.to_owned())
}

fn checks(session: &Session, schema: &str, tables: &mut BTreeMap<String, Table>) -> Tried<()> {
    let text = "SELECT c.relname::text, pg_get_expr(o.conbin, o.conrelid)
                FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND o.contype = 'c' ORDER BY c.relname, o.oid";
    for row in session.query(text, &[Some(schema)])? {
        let (table, sql): (String, String) = (row.get(0), row.get(1));
        let plain = sql.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(&sql);
        tables.get_mut(&table).into_iter().for_each(|table| table.checks.push(plain.to_owned()));
    }
    Ok(())
}

/// Indexes that no constraint brings.
fn indexes(session: &Session, schema: &str) -> Tried<BTreeMap<String, Index>> {
    let text = "SELECT i.relname::text, c.relname::text, x.indisunique, pg_get_indexdef(i.oid), m.amname::text,
                       x.indpred IS NULL AND x.indexprs IS NULL,
                       (SELECT string_agg(a.attname || CASE WHEN x.indoption[(k.n - 1)::int] & 1 = 1 THEN ' DESC' ELSE '' END, ', ' ORDER BY k.n)
                        FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(attnum, n)
                        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE k.n <= x.indnkeyatts),
                       ' ON ' || quote_ident($1::text) || '.'
                FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = i.relam
                WHERE n.nspname = $1::text AND NOT c.relispartition
                      AND NOT EXISTS (SELECT 1 FROM pg_constraint o WHERE o.conindid = i.oid AND o.contype IN ('p', 'u', 'x'))
                ORDER BY i.relname";
    let mut indexes = BTreeMap::new();
    for row in session.query(text, &[Some(schema)])? {
        let (name, table, unique, sql): (String, String, bool, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let (method, is_plain, columns): (String, bool, Option<String>) = (row.get(4), row.get(5), row.get(6));
        let behind = sql.split_once(" USING ").map_or(sql.as_str(), |(_, behind)| behind).to_owned();
        let over = match columns {
            Some(columns) if is_plain && method == "btree" => columns,
            _ => behind,
        };
        let sql = sql.replacen(&row.get::<_, String>(7), " ON ", 1);
        // A tree is what every index is that says nothing else.
        let sql = sql.replacen(" USING btree (", " (", 1);
        indexes.insert(name, Index { table, over, unique, sql });
    }
    Ok(indexes)
}

/// Views and triggers. A trigger's function belongs to it.
fn others(session: &Session, schema: &str) -> Tried<BTreeMap<String, Other>> {
    let mut others = BTreeMap::new();
    let views = "SELECT c.relname::text, pg_get_viewdef(c.oid, true) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relkind IN ('v', 'm')";
    for row in session.query(views, &[Some(schema)])? {
        let (name, sql): (String, String) = (row.get(0), row.get(1));
        let sql = format!("CREATE VIEW {name} AS {sql}");
        others.insert(name.clone(), Other { kind: "view", table: name, sql });
    }
    let triggers = "SELECT t.tgname::text, c.relname::text, pg_get_triggerdef(t.oid, true), p.prosrc
                    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                    JOIN pg_proc p ON p.oid = t.tgfoid WHERE n.nspname = $1 AND NOT t.tgisinternal AND t.tgparentid = 0";
    for row in session.query(triggers, &[Some(schema)])? {
        let (name, table, sql, body): (String, String, String, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        // A trigger's name is its table's alone.
        let known = if others.contains_key(&name) { format!("{table}.{name}") } else { name };
        others.insert(known, Other { kind: "trigger", table, sql: format!("{sql} AS {body}") });
    }
    Ok(others)
}

/// The triggers that may reach the written tables and that are not the set's own, by name. Where the set has triggers
/// on those itself, they may reach any table.
pub(super) fn foreign_triggers(
    live: &Catalog,
    is_own: &dyn Fn(&str, &Other) -> bool,
    is_written: &dyn Fn(&str) -> bool,
) -> Vec<ForeignTrigger> {
    let triggers = live.others.iter().filter(|(_, other)| other.kind == "trigger");
    let (own, foreign): (Vec<_>, Vec<_>) = triggers.partition(|(name, live)| is_own(name, live));
    let reaches_all = own.iter().any(|(_, other)| is_written(&other.table));
    let concerned = foreign.into_iter().filter(|(_, other)| reaches_all || is_written(&other.table));
    concerned.map(|(name, other)| ForeignTrigger { name: name.clone(), table: other.table.clone() }).collect()
}

/// How many rows a table has.
pub(super) fn count(session: &Session, table: &str) -> Tried<u64> {
    let row = session.first(&format!("SELECT count(*) FROM {}", sql::name(table)), &[])?;
    Ok(row.map_or(0, |row| row.get::<_, i64>(0).unsigned_abs()))
}

/// So many tables are counted in one question.
const AT_ONCE: usize = 100;

/// How many rows each of these tables has.
pub(super) fn counts<'t>(
    session: &Session,
    tables: impl IntoIterator<Item = &'t String>,
) -> Tried<BTreeMap<String, u64>> {
    let tables: Vec<&String> = tables.into_iter().collect();
    let mut counts = BTreeMap::new();
    for chunk in tables.chunks(AT_ONCE) {
        let one = |(at, table): (usize, &&String)| format!("SELECT {at}::int8, count(*) FROM {}", sql::name(table));
        let text = chunk.iter().enumerate().map(one).collect::<Vec<_>>().join(" UNION ALL ");
        let counted = session.query(&text, &[])?;
        counts.extend(counted.iter().map(|row| {
            let (at, count): (i64, i64) = (row.get(0), row.get(1));
            (chunk[at.unsigned_abs() as usize].clone(), count.unsigned_abs())
        }));
    }
    Ok(counts)
}

/// The tables that may reject rows by what no key and no CHECK says: by a trigger, a unique index over expressions or over
/// some rows, or an exclusion.
pub(super) fn picky(session: &Session) -> Tried<BTreeSet<String>> {
    let text = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND (
                    EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
                    OR EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = c.oid AND x.indisunique
                               AND (x.indpred IS NOT NULL OR x.indexprs IS NOT NULL))
                    OR EXISTS (SELECT 1 FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype = 'x'))";
    Ok(session.query(text, &[Some(&session.schema)])?.iter().map(|row| row.get(0)).collect())
}

/// The sequences that count columns, by table and column: what the column owns, or what its default names.
pub(super) fn sequences(session: &Session) -> Tried<HashMap<(String, String), String>> {
    let text = "WITH counted AS (
                    SELECT p.refobjid AS relation, p.refobjsubid::int2 AS number, p.objid AS sequence, 2 AS rank FROM pg_depend p
                    WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.deptype IN ('a', 'i')
                    UNION ALL SELECT d.adrelid, d.adnum, p.refobjid, 1 FROM pg_attrdef d
                    JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                        AND p.refclassid = 'pg_class'::regclass
                )
                SELECT c.relname::text, a.attname::text, quote_ident(m.nspname) || '.' || quote_ident(s.relname)
                FROM counted JOIN pg_class c ON c.oid = relation JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = number AND NOT a.attisdropped
                JOIN pg_class s ON s.oid = sequence AND s.relkind = 'S' JOIN pg_namespace m ON m.oid = s.relnamespace
                WHERE n.nspname = $1 ORDER BY rank, s.oid DESC";
    // The last one of a column stays: one that it owns goes before one that its default names.
    let rows = session.query(text, &[Some(&session.schema)])?;
    Ok(rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect())
}

/// Has a sequence go on behind the greatest number of the column that it counts.
pub(super) fn move_sequence(session: &Session, sequence: &str, table: &str, column: &str) -> Tried<()> {
    let text = format!(
        "SELECT setval($1::regclass, m.id) FROM (SELECT max({})::int8 AS id FROM {}) m
         WHERE m.id > coalesce(pg_sequence_last_value($1::regclass), 0)",
        sql::name(column),
        sql::name(table)
    );
    session.query(&text, &[Some(sequence)]).map(drop)
}

/// The types of a table's columns, as a cast takes them: without a length, to which it would cut.
pub(super) fn cast_types(session: &Session, table: &str) -> Tried<HashMap<String, String>> {
    let text =
        "SELECT a.attname::text, format_type(a.atttypid, -1) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped";
    let rows = session.query(text, &[Some(session.schema_of(table)), Some(table)])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_told_as_a_migration_writes_it() {
        for (server, plain) in [
            ("now()", "CURRENT_TIMESTAMP"),
            ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"),
            ("nextval('notes_id_seq'::regclass)", COUNTED),
            ("'pending'::character varying", "'pending'"),
            ("'{}'::json", "'{}'"),
            ("'it''s'::text", "'it''s'"),
            ("'-1'::integer", "-1"),
            ("'1970-01-01 00:00:00'::timestamp without time zone", "'1970-01-01 00:00:00'"),
            ("('a'::text || 'b'::text)", "('a'::text || 'b'::text)"),
            ("'a'::text || 'b'::text", "'a'::text || 'b'::text"),
            ("7", "7"),
            ("true", "true"),
            ("lower('A'::text)", "lower('A'::text)"),
        ] {
            assert_eq!(plain_default(server), plain);
        }
    }
}
