//! Where treelift's own tables are: among the application's, or in a schema of their own that the address names
//! (`ledger_schema`). A database in which they are elsewhere is refused.

use super::place::{Place, Tried};
use super::sql;
use crate::database::state::TABLE_NAME;
use crate::error::Error;
use crate::finding::printable;
use postgres::Client;
use postgres::types::{ToSql, Type};

/// The entry of our own state that names the application's schema, where that is another one.
pub(super) const APPLICATION_NAME: &str = "application_schema";
/// So many names are shown.
const MOST_SHOWN: usize = 5;
/// What a query counts as a table that could be found by its name.
const RELATIONS: &str = "c.relkind IN ('r', 'p', 'v', 'm', 'f')";
/// How names of treelift's tables begin, in a query.
const OURS: &str = r"lower(c.relname) LIKE 'treelift\_%'";

/// The schemas of a database, as its address has them.
#[derive(Debug, Clone, Copy)]
struct Schemas<'s> {
    /// Where the application's tables are.
    schema: &'s str,
    /// Where our own are.
    own: &'s str,
    /// The address, for messages.
    shown: &'s str,
}

/// The schema of our own tables in a database whose application has this one. A place for tests has one for all.
pub(super) fn of(client: &mut Client, place: &Place, schema: &str) -> Tried<String> {
    if place.bench.is_some() {
        return Ok(schema.to_owned());
    }
    let named = place.address.ledger_schema.as_deref();
    if named == Some(schema) {
        let message =
            format!("`ledger_schema` names `{}`, where the application's tables are made and found", printable(schema));
        return Err(Error::request(message)
            .at(place.shown())
            .hint("name another schema for treelift's own tables, or leave the option out")
            .into());
    }
    let own = named.unwrap_or(schema);
    check(client, Schemas { schema, own, shown: place.shown() })?;
    Ok(own.to_owned())
}

/// Refuses a database in which our own tables are not where the address says, or not alone there. Schemas are looked
/// through as the user of the address has them.
fn check(client: &mut Client, of: Schemas<'_>) -> Tried<()> {
    if of.schema != of.own {
        check_names(client, of)?;
    }
    let alone = format!(
        "SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relname = '{TABLE_NAME}' AND c.relkind = 'r' AND n.nspname <> $1
               AND n.nspname !~ '^treelift_test_[0-9a-f]{{16}}$'
               AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
               AND NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.relnamespace = n.oid AND {RELATIONS} AND NOT {OURS})
         ORDER BY 1"
    );
    for row in client.query_typed(&alone, &[text(&of.schema)])? {
        let found: String = row.get(0);
        let query = format!("SELECT value FROM {}.{TABLE_NAME} WHERE name = $1", sql::name(&found));
        let said = client.query_typed(&query, &[text(&APPLICATION_NAME)])?;
        let error = match said.first().map(|row| row.get::<_, &str>(0)) {
            Some(said) if found == of.own && said != of.schema => of_another(of, said),
            Some(said) if found != of.own && said == of.schema => elsewhere(of, &found),
            None if found != of.own && !has_own(client, of)? => unsaid(of, &found),
            _ => continue, // it is the one that the address names, or that of another application
        };
        return Err(error.at(of.shown).into());
    }
    Ok(())
}

fn text<'v>(value: &'v &str) -> (&'v (dyn ToSql + Sync), Type) {
    (value, Type::TEXT)
}

/// Whether our own tables are where the address says.
fn has_own(client: &mut Client, of: Schemas<'_>) -> Tried<bool> {
    let query = format!(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = '{TABLE_NAME}'"
    );
    Ok(!client.query_typed(&query, &[text(&of.own)])?.is_empty())
}

/// Refuses names of ours in schemas that are looked into before ours, and other names in ours; and a schema that the server
/// would pass over, as if nothing were there.
fn check_names(client: &mut Client, of: Schemas<'_>) -> Tried<()> {
    let query = "SELECT 1 FROM pg_namespace WHERE nspname = $1 AND NOT has_schema_privilege(oid, 'USAGE')";
    if !client.query_typed(query, &[text(&of.own)])?.is_empty() {
        let own = printable(of.own);
        let message =
            format!("the user may not use the schema `{own}`, which the address names for treelift's own tables");
        let hint = format!(
            "have it granted: `GRANT USAGE, CREATE ON SCHEMA {} TO …`, or let it belong to the user",
            sql::name(of.own)
        );
        return Err(Error::environment(message).at(of.shown).hint(hint).into());
    }
    let query = format!(
        "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {RELATIONS} AND CASE WHEN n.nspname = $1 THEN NOT {OURS}
                               ELSE n.nspname = ANY (current_schemas(false)) AND {OURS} END
         ORDER BY n.nspname = $1, 1, 2"
    );
    let rows = client.query_typed(&query, &[text(&of.own)])?;
    let wrong: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let Some((schema, _)) = wrong.first() else { return Ok(()) };
    let names: Vec<&str> = wrong.iter().filter(|(of, _)| of == schema).map(|(_, name)| name.as_str()).collect();
    let error = if schema == of.own { not_alone(of, &names) } else { before(of, schema, &names) };
    Err(error.at(of.shown).into())
}

/// Some of these names.
fn some(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_SHOWN).map(|name| format!("`{}`", printable(name))).collect();
    let more = if names.len() > MOST_SHOWN { " and more" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn not_alone(of: Schemas<'_>, names: &[&str]) -> Error {
    let (own, names) = (printable(of.own), some(names));
    Error::environment(format!(
        "the schema `{own}`, which the address names for treelift's own tables, holds others: {names}"
    ))
    .hint("name a schema with `ledger_schema` that is for them alone; the first import makes it")
}

fn before(of: Schemas<'_>, schema: &str, names: &[&str]) -> Error {
    let into = sql::name(of.own);
    let one = |name: &&str| format!("ALTER TABLE {}.{} SET SCHEMA {into};", sql::name(schema), sql::name(name));
    let moves: Vec<String> = names.iter().map(one).collect();
    Error::environment(format!(
        "the schema `{}` has names of treelift's own tables, which the address looks for in `{}`: {}",
        printable(schema),
        printable(of.own),
        some(names)
    ))
    .hint(format!(
        "where treelift made them, move them: `CREATE SCHEMA IF NOT EXISTS {into}; {}`; rename others",
        moves.join(" ")
    ))
}

/// What the address has to say, where our own tables are in this schema.
fn naming(schema: &str) -> String {
    let schema = printable(schema);
    format!("write `?ledger_schema={schema}` into the address (`&ledger_schema={schema}` behind another option)")
}

fn elsewhere(of: Schemas<'_>, found: &str) -> Error {
    let named = if of.schema == of.own {
        "the address does not say so".to_owned()
    } else {
        format!("the address names `{}`", printable(of.own))
    };
    let (schema, there) = (printable(of.schema), printable(found));
    Error::request(format!("treelift's own tables for the schema `{schema}` are in the schema `{there}`, and {named}"))
        .hint(naming(found))
}

/// Somebody moved the tables there, and nothing was changed since.
fn unsaid(of: Schemas<'_>, found: &str) -> Error {
    let (schema, there) = (printable(of.schema), printable(found));
    let message = format!(
        "the schema `{there}` holds treelift's own tables and does not say for which schema; they may be those for `{schema}`"
    );
    Error::request(message).hint(format!(
        "{}; where they are for another one: `INSERT INTO {}.{TABLE_NAME} VALUES ('{APPLICATION_NAME}', 'ANOTHER')`",
        naming(found),
        sql::name(found)
    ))
}

fn of_another(of: Schemas<'_>, said: &str) -> Error {
    let (own, schema, said) = (printable(of.own), printable(of.schema), printable(said));
    Error::request(format!(
        "the schema `{own}`, which the address names for treelift's own tables, holds those for the schema `{said}`, not for `{schema}`"
    ))
    .hint(format!(
        "name another schema with `ledger_schema`; where the application's was renamed: `UPDATE {}.{TABLE_NAME} SET value = '{}' WHERE \
         name = '{APPLICATION_NAME}'`",
        sql::name(of.own),
        of.schema.replace('\'', "''")
    ))
}
