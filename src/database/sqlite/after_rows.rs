//! Migrations that a new database gets after its rows: indexes and full text that only serve reading cost less when
//! they are made of all rows at once than row by row.
//!
//! They run with the others first, so that the schema is whole before anything is asked of it; they are rolled back
//! before the first row of a new database, and run again after the last one.

use super::runner::{cannot, run};
use super::session::SqliteTransaction;
use super::{connect, sql, words};
use crate::database::catalog::{Catalog, Other};
use crate::error::{Error, Result};
use crate::mapping::codes::MIGRATION_AFTER;
use crate::table::Migration;
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

impl SqliteTransaction {
    /// Rolls back, in a new database, what is made after the rows.
    pub(super) fn begin_rows(&mut self) -> Result<()> {
        let all = std::mem::take(&mut self.after_rows);
        for migration in all.iter().rev() {
            self.alter(migration, migration.down.as_deref().unwrap_or_default())?;
        }
        self.after_rows = all;
        Ok(())
    }

    /// Makes it again, once all rows are written.
    pub(super) fn end_rows(&mut self) -> Result<()> {
        let all = std::mem::take(&mut self.after_rows);
        if !all.is_empty() {
            self.on(|conn| {
                conn.cache_flush()?;
                conn.execute_batch(connect::HALF_CACHE)
            })?;
        }
        all.iter().try_for_each(|migration| self.alter(migration, &migration.up))
    }

    fn alter(&mut self, migration: &Migration, sql: &str) -> Result<()> {
        (self.declared, self.ways, self.passes) = (OnceCell::new(), Default::default(), Default::default());
        let place = self.location.shown.clone();
        let ran = run(&mut self.conn, sql).map_err(|failure| cannot(migration, failure.error, &place));
        self.said(ran)
    }
}

/// Whether each migration that is made after the rows can be: it brings indexes that refuse nothing, full text, and
/// triggers that write into nothing else, and rolling it back and running it again changes nothing. The migrations
/// have run on `conn`, and made `whole`.
pub(super) fn check(conn: &mut Connection, migrations: &[Migration], whole: &Catalog) -> Result<()> {
    let late: Vec<&Migration> = migrations.iter().filter(|migration| migration.after_rows).collect();
    let Some(&first) = late.first() else { return Ok(()) };
    let fault = |error: rusqlite::Error| words::fault(&error, "the schema in memory");
    let all = made(conn).map_err(fault)?;
    for &migration in late.iter().rev() {
        let Some(down) = &migration.down else { return Err(wrong(migration, "it has no `.down.sql`")) };
        run(conn, down).map_err(|failure| {
            wrong(migration, &format!("it cannot be rolled back after those that follow it: {}", failure.why()))
        })?;
    }
    let before = made(conn).map_err(fault)?;
    if let Some(name) = before.iter().find(|(name, sql)| all.get(*name) != Some(sql)).map(|(name, _)| name) {
        return Err(wrong(first, &format!("it changes `{name}`")));
    }
    let mut full_text = BTreeSet::new();
    let new = all.keys().filter(|name| !before.contains_key(*name));
    for name in new.clone() {
        if whole.schema.table(name).is_some() {
            return Err(wrong(first, &format!("it makes the table `{name}`")));
        }
        if whole.indexes.get(name).is_some_and(|index| index.unique) {
            return Err(wrong(first, &format!("its index `{name}` refuses a value twice")));
        }
        full_text.extend(
            whole.others.get(name).filter(|one| one.kind == "virtual table").map(|_| name.to_ascii_lowercase()),
        );
    }
    for migration in late {
        run(conn, &migration.up).map_err(|failure| wrong(migration, &failure.why()))?;
    }
    if made(conn).map_err(fault)? != all {
        return Err(wrong(first, "rolling it back and running it again changes the schema"));
    }
    for (name, trigger) in
        new.filter_map(|name| whole.others.get(name).map(|one| (name, one))).filter(|(_, one)| one.kind == "trigger")
    {
        if let Some(table) = writes_besides(conn, whole, trigger, &full_text).map_err(fault)? {
            return Err(wrong(first, &format!("its trigger `{name}` writes into `{table}`")));
        }
        if trigger.sql.to_ascii_lowercase().contains("raise") {
            return Err(wrong(first, &format!("its trigger `{name}` may refuse a row")));
        }
    }
    Ok(())
}

/// The SQL of everything that was made, by name.
fn made(conn: &Connection) -> rusqlite::Result<BTreeMap<String, Option<String>>> {
    let mut statement = conn.prepare("SELECT name, sql FROM sqlite_schema")?;
    statement.query_map([], |row| row.try_into())?.collect()
}

/// A table besides these into which a trigger writes.
fn writes_besides(
    conn: &mut Connection,
    whole: &Catalog,
    trigger: &Other,
    allowed: &BTreeSet<String>,
) -> rusqlite::Result<Option<String>> {
    let written = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&written);
    let notes = move |context: AuthContext<'_>| {
        if let (
            Some(_),
            AuthAction::Insert { table_name }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Delete { table_name },
        ) = (context.accessor, context.action)
        {
            seen.lock().unwrap_or_else(PoisonError::into_inner).insert(table_name.to_owned());
        }
        Authorization::Allow
    };
    let table = sql::name(&trigger.table);
    let columns = whole.schema.table(&trigger.table).map(|table| &table.columns);
    let set: Vec<String> = columns
        .into_iter()
        .flatten()
        .map(|column| sql::name(&column.name))
        .map(|name| format!("{name} = {name}"))
        .collect();
    let mut statements = vec![format!("INSERT INTO {table} DEFAULT VALUES"), format!("DELETE FROM {table}")];
    statements.extend((!set.is_empty()).then(|| format!("UPDATE {table} SET {}", set.join(", "))));
    connect::authorized(conn, notes, |conn| {
        statements.iter().try_for_each(|statement| conn.prepare(statement).map(drop))
    })??;
    let written = written.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(written.iter().find(|table| !allowed.contains(&table.to_ascii_lowercase())).cloned())
}

fn wrong(migration: &Migration, why: &str) -> Error {
    let message = format!("migration `{}` cannot be made after the rows: {why}", migration.version);
    Error::request(message).coded(MIGRATION_AFTER.id).at(&migration.path).hint(MIGRATION_AFTER.help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::schema::{expected, tests::migration};

    const TABLES: &str =
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, body TEXT); CREATE TABLE log (what TEXT);";
    const FULL_TEXT: &str = "CREATE INDEX notes_title ON notes (title); CREATE VIRTUAL TABLE found USING fts5 (title, content = 'notes');
        CREATE TRIGGER fill AFTER INSERT ON notes BEGIN INSERT INTO found (rowid, title) VALUES (new.id, new.title); END;
        CREATE TRIGGER change AFTER UPDATE OF body ON notes BEGIN INSERT INTO found (found) VALUES ('rebuild'); END;
        INSERT INTO found (found) VALUES ('rebuild');";
    const UNDONE: &str = "DROP TRIGGER change; DROP TRIGGER fill; DROP TABLE found; DROP INDEX notes_title;";

    fn checked(up: &str, down: Option<&str>, then: &str) -> String {
        let late = Migration { after_rows: true, down: down.map(str::to_owned), ..migration("002", up) };
        let all = [migration("001", TABLES), late, migration("003", then)];
        expected(&all).map_or_else(|error| error.to_string(), |_| "taken".to_owned())
    }

    #[test]
    fn what_only_serves_reading_can_be_made_after_the_rows() {
        assert_eq!(checked(FULL_TEXT, Some(UNDONE), "CREATE TABLE more (id INTEGER)"), "taken");
        assert_eq!(checked("CREATE INDEX a ON notes (lower(title)) WHERE id > 1", Some("DROP INDEX a"), ""), "taken");
    }

    #[test]
    fn what_does_more_is_refused_with_why() {
        let all = [
            ("CREATE INDEX a ON notes (title)", None, "", "it has no `.down.sql`"),
            (
                "CREATE INDEX a ON notes (title)",
                Some("DROP INDEX b"),
                "",
                "rolled back after those that follow it: no such index: b",
            ),
            ("CREATE INDEX a ON notes (title)", Some("SELECT 1"), "", "index a already exists"),
            ("ALTER TABLE notes ADD COLUMN a TEXT", Some("ALTER TABLE notes DROP COLUMN a"), "", "it changes `notes`"),
            ("CREATE UNIQUE INDEX a ON notes (title)", Some("DROP INDEX a"), "", "its index `a` refuses a value twice"),
            (
                "CREATE UNIQUE INDEX a ON notes (lower(title))",
                Some("DROP INDEX a"),
                "",
                "its index `a` refuses a value twice",
            ),
            ("CREATE TABLE a (b TEXT)", Some("DROP TABLE a"), "", "it makes the table `a`"),
            ("CREATE INDEX a ON notes (title)", Some("DROP INDEX a"), "DROP INDEX a", "no such index: a"),
            (
                "CREATE TRIGGER a AFTER INSERT ON notes BEGIN INSERT INTO log VALUES (new.title); END",
                Some("DROP TRIGGER a"),
                "",
                "its trigger `a` writes into `log`",
            ),
            (
                "CREATE TRIGGER a BEFORE INSERT ON notes WHEN new.title = '' BEGIN SELECT RAISE(ABORT, 'no'); END",
                Some("DROP TRIGGER a"),
                "",
                "its trigger `a` may refuse a row",
            ),
        ];
        for (up, down, then, why) in all {
            let said = checked(up, down, then);
            assert!(
                said.starts_with("migration `002` cannot be made after the rows: ") && said.contains(why),
                "{said}"
            );
        }
    }
}
