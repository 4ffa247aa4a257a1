//! What is outside of the schema in which migrations run, and what of it they reached.

use super::connect::{Session, Text};
use super::place::{Outside, Tried};
use crate::database::Migration;
use crate::error::Error;
use crate::finding::printable;
use crate::mapping::codes;
use std::collections::BTreeMap;

impl Outside {
    /// Of one schema alone.
    pub(super) fn of(session: &Session, schema: &str) -> Tried<Self> {
        Self::of_both(session, [schema, schema].map(str::to_owned))
    }

    /// Of the session's: our own tables are ours to make and to lock.
    pub(super) fn of_live(session: &Session) -> Tried<Self> {
        Self::of_both(session, [&session.schema, &session.own].map(Clone::clone))
    }

    fn of_both(session: &Session, schemas: [String; 2]) -> Tried<Self> {
        let (relations, others) = (relations(session, &schemas)?, others(session, &schemas)?);
        Ok(Self { schemas, relations, others })
    }

    /// What of the tables the transaction has made or locked. What it dropped is named by what was there before.
    pub(super) fn reached_table(&self, session: &Session) -> Tried<Option<String>> {
        let now = relations(session, &self.schemas)?;
        if let Some((_, made)) = now.into_iter().find(|(number, _)| !self.relations.contains_key(number)) {
            return Ok(Some(made));
        }
        let text = "SELECT DISTINCT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
                          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let locked = session.query(text, &[])?;
        let mut names: Vec<&String> =
            locked.iter().filter_map(|row| self.relations.get(&row.get::<_, u32>(0))).collect();
        names.sort();
        Ok(names.first().map(|name| (*name).clone()))
    }

    /// The same of everything: extensions, functions, types and the like too, which it has made, changed or dropped.
    pub(super) fn reached(&self, session: &Session) -> Tried<Option<String>> {
        if let Some(table) = self.reached_table(session)? {
            return Ok(Some(table));
        }
        let now = others(session, &self.schemas)?;
        let changed = now.iter().filter(|(key, (row, _))| self.others.get(key).is_none_or(|(before, _)| before != row));
        let dropped = self.others.iter().filter(|(key, _)| !now.contains_key(key));
        // What an extension brings goes with it, and comes behind it here.
        let first = changed.chain(dropped).min_by_key(|(key, _)| (key.0 != EXTENSION, *key));
        Ok(first.map(|((kind, _), (_, name))| format!("{kind} {name}")))
    }
}

fn both(schemas: &[String; 2]) -> [Text<'_>; 2] {
    schemas.each_ref().map(|schema| Some(schema.as_str()))
}

fn relations(session: &Session, schemas: &[String; 2]) -> Tried<BTreeMap<u32, String>> {
    let text =
        "SELECT c.oid, n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname NOT IN ($1, $2) AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";
    Ok(session.query(text, &both(schemas))?.iter().map(|row| (row.get(0), row.get(1))).collect())
}

const EXTENSION: &str = "extension";
/// What there is in schemas, with the columns of its name and its schema. Lists of a type are not told beside it.
const IN_SCHEMAS: [(&str, &str, &str, &str); 10] = [
    ("function", "pg_proc", "proname", "pronamespace"),
    ("type", "pg_type", "typname", "typnamespace"),
    ("operator", "pg_operator", "oprname", "oprnamespace"),
    ("operator class", "pg_opclass", "opcname", "opcnamespace"),
    ("operator family", "pg_opfamily", "opfname", "opfnamespace"),
    ("collation", "pg_collation", "collname", "collnamespace"),
    ("conversion", "pg_conversion", "conname", "connamespace"),
    ("text search configuration", "pg_ts_config", "cfgname", "cfgnamespace"),
    ("text search dictionary", "pg_ts_dict", "dictname", "dictnamespace"),
    ("statistics", "pg_statistic_ext", "stxname", "stxnamespace"),
];
/// What there is of a database as a whole, with the column of its name.
const OF_DATABASE: [(&str, &str, &str); 7] = [
    ("schema", "pg_namespace", "nspname"),
    ("language", "pg_language", "lanname"),
    ("event trigger", "pg_event_trigger", "evtname"),
    ("publication", "pg_publication", "pubname"),
    ("foreign-data wrapper", "pg_foreign_data_wrapper", "fdwname"),
    ("foreign server", "pg_foreign_server", "srvname"),
    ("access method", "pg_am", "amname"),
];

/// An extension is where its objects are made: one of the migrations' own may come and go.
fn others(session: &Session, schemas: &[String; 2]) -> Tried<BTreeMap<(String, u32), (String, String)>> {
    let is_outside = "n.nspname NOT IN ($1, $2) AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";
    let mut parts = vec![format!(
        "SELECT '{EXTENSION}' AS kind, e.oid AS number, e.xmin::text || e.ctid::text AS place, e.extname::text AS name
         FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE n.nspname NOT IN ($1, $2)"
    )];
    parts.extend(IN_SCHEMAS.iter().map(|(kind, catalog, name, namespace)| {
        format!(
            "SELECT '{kind}', c.oid, c.xmin::text || c.ctid::text, n.nspname || '.' || c.{name}
             FROM {catalog} c JOIN pg_namespace n ON n.oid = c.{namespace}
             WHERE {is_outside} AND NOT ('{kind}' = 'type' AND c.oid IN (SELECT typarray FROM pg_type))"
        )
    }));
    parts.extend(OF_DATABASE.iter().map(|(kind, catalog, name)| {
        format!(
            "SELECT '{kind}', c.oid, c.xmin::text || c.ctid::text, c.{name}::text FROM {catalog} c
             WHERE c.{name}::text NOT IN ($1, $2) AND c.{name} !~ '^pg_'"
        )
    }));
    let rows = session.query(&parts.join(" UNION ALL "), &both(schemas))?;
    Ok(rows.iter().map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3)))).collect())
}

/// What is said of a migration that reached something.
pub(super) fn reaching(migration: &Migration, path: &str, what: &str) -> Error {
    let message =
        format!("migration `{}` reaches `{}`, which no migration of the set makes", migration.version, printable(what));
    Error::request(message)
        .coded(codes::MIGRATION_FORBIDDEN.id)
        .at(path)
        .hint("name tables without a schema, and drop or change only what an earlier migration makes")
}
