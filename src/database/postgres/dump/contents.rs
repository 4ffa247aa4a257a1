//! What a schema holds, to be dropped before a dump takes its place.

use super::super::connect::Session;
use super::super::place::Tried;
use crate::error::Error;
use crate::finding::printable;

/// What depends on the schemas themselves; what an extension brought is the extension's.
const MEMBERS: &str = "SELECT d.classid, d.objid FROM pg_depend d
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.deptype = 'n'
      AND d.refobjid IN (SELECT oid FROM pg_namespace WHERE nspname IN ($1, $2))
      AND d.classid <> 'pg_extension'::regclass
      AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')";
/// The kinds that are dropped, tables first: with them go their sequences, types and triggers.
const KINDS: [&str; 19] = [
    "view",
    "materialized view",
    "table",
    "foreign table",
    "sequence",
    "function",
    "procedure",
    "aggregate",
    "operator class",
    "operator family",
    "operator",
    "type",
    "composite type",
    "collation",
    "conversion",
    "text search configuration",
    "text search dictionary",
    "text search parser",
    "text search template",
];
/// So many names are shown.
const MOST_SHOWN: usize = 5;

/// Drops everything in the schema of the session and in that of our own tables, where nothing outside of it goes too.
pub(super) fn drop_all(session: &Session) -> Tried<()> {
    refuse_dependents(session)?;
    let text = format!(
        "SELECT i.type, i.identity FROM ({MEMBERS}) m, LATERAL pg_identify_object(m.classid, m.objid, 0) i ORDER BY 1, 2"
    );
    let rows = session.query(&text, &session.schemas())?;
    let mut members: Vec<(usize, String)> = Vec::new();
    for row in &rows {
        let (kind, identity): (String, String) = (row.get(0), row.get(1));
        let (kind, identity) = match kind.as_str() {
            "statistics object" => continue, // it goes with its table
            "default acl" => continue,       // the dump says it again
            _ => (kind, identity),
        };
        let Some(rank) = KINDS.iter().position(|known| *known == kind) else {
            let message =
                format!("the schema holds a {kind}, which treelift does not replace: {}", printable(&identity));
            return Err(Error::environment(message)
                .at(session.place.shown())
                .hint("drop it, or restore into another database, then run again")
                .into());
        };
        let word = match kind.as_str() {
            "composite type" => "type",
            kind => kind,
        };
        members.push((rank, format!("DROP {word} IF EXISTS {identity} CASCADE;\n")));
    }
    members.sort();
    let all: String = members.into_iter().map(|(_, statement)| statement).collect();
    if all.is_empty() { Ok(()) } else { session.run(&all) }
}

/// Refuses where something outside of the schema depends on what is in it: it would be dropped with that, and no dump of
/// the schema has it.
fn refuse_dependents(session: &Session) -> Tried<()> {
    let text = format!(
        "WITH RECURSIVE gone (classid, objid) AS (
            {MEMBERS}
            UNION
            SELECT d.classid, d.objid FROM pg_depend d JOIN gone g ON d.refclassid = g.classid AND d.refobjid = g.objid
            WHERE d.deptype <> 'e'
         ), placed AS (
            SELECT g.classid, g.objid, coalesce(r.relnamespace, t.typnamespace, p.pronamespace, o.connamespace,
                (SELECT relnamespace FROM pg_class WHERE oid = coalesce(a.adrelid, k.tgrelid, w.ev_class, y.polrelid))) AS namespace
            FROM gone g
            LEFT JOIN pg_class r ON g.classid = 'pg_class'::regclass AND r.oid = g.objid
            LEFT JOIN pg_type t ON g.classid = 'pg_type'::regclass AND t.oid = g.objid
            LEFT JOIN pg_proc p ON g.classid = 'pg_proc'::regclass AND p.oid = g.objid
            LEFT JOIN pg_constraint o ON g.classid = 'pg_constraint'::regclass AND o.oid = g.objid
            LEFT JOIN pg_attrdef a ON g.classid = 'pg_attrdef'::regclass AND a.oid = g.objid
            LEFT JOIN pg_trigger k ON g.classid = 'pg_trigger'::regclass AND k.oid = g.objid
            LEFT JOIN pg_rewrite w ON g.classid = 'pg_rewrite'::regclass AND w.oid = g.objid
            LEFT JOIN pg_policy y ON g.classid = 'pg_policy'::regclass AND y.oid = g.objid
         )
         SELECT DISTINCT pg_describe_object(q.classid, q.objid, 0) FROM placed q
         WHERE coalesce(q.namespace, 0) NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ($1, $2))
           AND coalesce(q.namespace, 0) <> coalesce((SELECT oid FROM pg_namespace WHERE nspname = 'pg_toast'), 0)
           AND coalesce((pg_identify_object(q.classid, q.objid, 0)).schema, '') NOT IN (quote_ident($1), quote_ident($2))
           AND q.classid NOT IN ('pg_default_acl'::regclass, 'pg_amop'::regclass, 'pg_amproc'::regclass)
         ORDER BY 1"
    );
    let found: Vec<String> =
        session.query(&text, &session.schemas())?.iter().map(|row| printable(row.get(0))).collect();
    if found.is_empty() {
        return Ok(());
    }
    let more = if found.len() > MOST_SHOWN { " and more" } else { "" };
    let shown = found.iter().take(MOST_SHOWN).cloned().collect::<Vec<_>>().join("; ");
    let message = format!(
        "outside of the schema `{}` there depends on what is replaced: {shown}{more}",
        printable(&session.schema)
    );
    Err(Error::environment(message)
        .at(session.place.shown())
        .hint(
            "no backup of the schema has that: drop it and make it again afterwards, or restore into another database",
        )
        .into())
}
