//! Migrations that a new database gets after its rows: indexes and full text that only serve reading cost less when
//! they are made of all rows at once than row by row.
//!
//! They run with the others first, so that the schema is whole before anything is asked of it; they are rolled back
//! before the first row of a new database, and run again after the last one.

use super::checks::has_word;
use super::script::{Failure, run, run_seen};
use super::session::SqliteTransaction;
use super::{connect, sql, words};
use crate::database::catalog::{Catalog, Other};
use crate::database::history::RECORD;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::mapping::codes::MIGRATION_AFTER;
use crate::table::{Migration, Table};
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Functions that no value makes fail: an index over another one could refuse a row.
const SAFE: [&str; 16] = [
    "coalesce",
    "current_date",
    "current_time",
    "current_timestamp",
    "ifnull",
    "iif",
    "length",
    "lower",
    "ltrim",
    "nullif",
    "replace",
    "rtrim",
    "substr",
    "substring",
    "trim",
    "upper",
];

impl SqliteTransaction {
    /// Rolls back, in a new database, what is made after the rows.
    pub(super) fn begin_rows(&mut self) -> Result<()> {
        let all = std::mem::take(&mut self.after_rows);
        for migration in all.iter().rev() {
            let down = migration.down.as_deref().ok_or_else(|| Error::bug("nothing rolls a migration back"))?;
            self.alter(migration, down)?;
        }
        self.after_rows = all;
        Ok(())
    }

    /// Makes it again, once all rows are written.
    pub(super) fn end_rows(&mut self) -> Result<()> {
        let all = std::mem::take(&mut self.after_rows);
        if all.is_empty() {
            return Ok(());
        }
        self.flush_pages()?;
        self.on(|conn| conn.execute_batch(connect::SMALL_CACHE))?;
        all.iter().try_for_each(|migration| self.alter(migration, &migration.up))?;
        // Rows that are referenced are looked up in no order: their indexes must fit.
        self.on(|conn| conn.execute_batch(connect::CACHE))
    }

    fn alter(&mut self, migration: &Migration, sql: &str) -> Result<()> {
        (self.declared, self.ways, self.passes) = (OnceCell::new(), Default::default(), Default::default());
        run(&mut self.conn, sql).map_err(|failure| match interrupt::error() {
            Some(interrupted) => interrupted,
            None if is_of_the_sql(&failure) => {
                wrong(migration, &failure.why()).at(&self.location.shown).hint("remove `after` from its header")
            }
            None => self.location.fault(&failure.error),
        })
    }
}

/// Whether the statements are to blame, and not the disk or the memory.
fn is_of_the_sql(failure: &Failure) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TypeMismatch, Unknown};
    matches!(failure.error.sqlite_error_code(), None | Some(Unknown | ConstraintViolation | TypeMismatch))
}

/// Whether each migration that is made after the rows can be: it brings indexes that refuse nothing, full text, and
/// triggers that write into nothing else; nothing else needs it; and rolling it back and running it again changes
/// nothing. The migrations have run on `conn`, and made `whole`.
pub(super) fn check(conn: &mut Connection, migrations: &[&Migration], whole: &Catalog) -> Result<()> {
    let late: Vec<&Migration> = migrations.iter().copied().filter(|migration| migration.after_rows).collect();
    if late.is_empty() {
        return Ok(());
    }
    let (rows, mut made_by) = (with_rows(whole), Vec::new());
    let all = made(conn)?;
    let mut with = all.clone();
    for &migration in late.iter().rev() {
        let Some(down) = &migration.down else { return Err(wrong(migration, "it has no `.down.sql`")) };
        let seen = run_noted(conn, down, &rows).map_err(|failure| {
            wrong(migration, &format!("it cannot be rolled back after those that follow it: {}", failure.why()))
        })?;
        let without = made(conn)?;
        if let Some((name, _)) = without.iter().find(|(name, sql)| with.get(*name) != Some(sql)) {
            return Err(wrong(migration, &format!("it changes `{name}`")));
        }
        let of_it: BTreeSet<String> = with.into_keys().filter(|name| !without.contains_key(name)).collect();
        // What it made is gone with its rows.
        if let Some(table) = seen.written.iter().find(|table| !of_it.contains(*table)) {
            return Err(wrong(migration, &format!("rolling it back changes rows of `{table}`")));
        }
        made_by.push((migration, of_it));
        with = without;
    }
    is_not_needed(conn, &made_by, whole, &with)?;
    for (migration, names) in made_by.iter().rev() {
        only_serves_reading(conn, migration, names, whole)?;
    }
    if made(conn)? != all {
        return Err(wrong(late[0], "rolling it back and running it again changes the schema"));
    }
    Ok(())
}

/// Whether rows can be written while what is late is not there.
fn is_not_needed(
    conn: &mut Connection,
    made_by: &[(&Migration, BTreeSet<String>)],
    whole: &Catalog,
    left: &BTreeMap<String, Option<String>>,
) -> Result<()> {
    let triggers = whole.others.iter().filter(|(name, one)| one.kind == "trigger" && left.contains_key(*name));
    for (name, trigger) in triggers {
        let Some(table) = whole.schema.table(&trigger.table) else { continue }; // Rows are written into tables alone.
        for statement in changes(table) {
            if let Err(error) = conn.prepare(&statement) {
                let late = made_by.last().map_or_else(String::new, |(late, _)| late.version.clone());
                let why = words::text_of_sql(&error).unwrap_or("it cannot be prepared").to_owned();
                let message = format!("the trigger `{name}` needs what `{late}` makes: {why}");
                return Err(wrong(made_by[0].0, &message));
            }
        }
    }
    Ok(())
}

/// Runs a migration again, and judges what it makes.
fn only_serves_reading(
    conn: &mut Connection,
    migration: &Migration,
    names: &BTreeSet<String>,
    whole: &Catalog,
) -> Result<()> {
    let rows = with_rows(whole);
    let mut seen = run_noted(conn, &migration.up, &rows).map_err(|failure| wrong(migration, &failure.why()))?;
    if let Some(table) = seen.written.pop_first() {
        return Err(wrong(migration, &format!("it changes rows of `{table}`")));
    }
    for name in names {
        let full_text = |one: &Other| one.kind == "virtual table" && has_word(&one.sql, |word| word.starts_with("fts"));
        match whole.others.get(name) {
            _ if whole.schema.table(name).is_some() => {
                return Err(wrong(migration, &format!("it makes the table `{name}`")));
            }
            _ if whole.indexes.get(name).is_some_and(|index| index.unique) => {
                return Err(wrong(migration, &format!("its index `{name}` refuses a value twice")));
            }
            Some(trigger) if trigger.kind == "trigger" => {
                if has_word(&trigger.sql, |word| word == "raise") {
                    return Err(wrong(migration, &format!("its trigger `{name}` may refuse a row")));
                }
                let Some(table) = whole.schema.table(&trigger.table) else {
                    return Err(wrong(migration, &format!("its trigger `{name}` is not of a table")));
                };
                seen.merge(by_trigger(conn, name, table, &rows)?);
            }
            Some(other) if !full_text(other) => {
                return Err(wrong(migration, &format!("its {} `{name}` is no full-text table", other.kind)));
            }
            _ => {}
        }
        if let Some(table) = seen.written.pop_first() {
            return Err(wrong(migration, &format!("its trigger `{name}` writes into `{table}`")));
        }
    }
    match seen.functions.iter().find(|name| !SAFE.contains(&name.as_str())) {
        Some(function) => Err(wrong(migration, &format!("it calls `{function}`, which may refuse a value"))),
        None => Ok(()),
    }
}

/// What statements do.
#[derive(Debug, Default)]
struct Seen {
    /// The tables of the migrations whose rows they change.
    written: BTreeSet<String>,
    /// The functions that they call.
    functions: BTreeSet<String>,
}

impl Seen {
    /// Notes what the statement itself does, or the trigger of this name.
    fn note(&mut self, context: &AuthContext<'_>, by: Option<&str>, tables: &BTreeSet<String>) {
        if context.accessor != by {
            return;
        }
        match context.action {
            AuthAction::Insert { table_name }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Delete { table_name }
                if tables.contains(&table_name.to_ascii_lowercase()) =>
            {
                self.written.insert(table_name.to_owned());
            }
            AuthAction::Function { function_name } => _ = self.functions.insert(function_name.to_ascii_lowercase()),
            _ => {}
        }
    }

    fn merge(&mut self, other: Self) {
        self.written.extend(other.written);
        self.functions.extend(other.functions);
    }
}

/// The tables and views of the migrations, in lower case: through them rows change.
fn with_rows(whole: &Catalog) -> BTreeSet<String> {
    let views = whole.others.iter().filter(|(_, one)| one.kind == "view").map(|(name, _)| name);
    whole.schema.tables.keys().chain(views).map(|name| name.to_ascii_lowercase()).collect()
}

/// Runs a migration's SQL, and gives what it does.
fn run_noted(conn: &mut Connection, sql: &str, rows: &BTreeSet<String>) -> Result<Seen, Failure> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let (noting, rows) = (Arc::clone(&seen), rows.clone());
    run_seen(conn, RECORD, sql, move |context| {
        noting.lock().unwrap_or_else(PoisonError::into_inner).note(context, None, &rows);
    })?;
    Ok(std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// What a trigger of a table does.
fn by_trigger(conn: &mut Connection, name: &str, table: &Table, rows: &BTreeSet<String>) -> Result<Seen> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let (noting, name, rows) = (Arc::clone(&seen), name.to_owned(), rows.clone());
    let notes = move |context: AuthContext<'_>| {
        noting.lock().unwrap_or_else(PoisonError::into_inner).note(&context, Some(&name), &rows);
        Authorization::Allow
    };
    connect::authorized(conn, notes, |conn| {
        changes(table).iter().try_for_each(|statement| conn.prepare(statement).map(drop))
    })
    .flatten()
    .map_err(|error| words::fault(&error, "the schema in memory"))?;
    Ok(std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// Statements that set off every trigger of a table.
fn changes(table: &Table) -> [String; 3] {
    sql::changes(&table.name, table.columns.iter().map(|column| column.name.as_str()))
}

/// The SQL of everything that was made, by name.
fn made(conn: &Connection) -> Result<BTreeMap<String, Option<String>>> {
    let read = || -> rusqlite::Result<_> {
        let mut statement = conn.prepare("SELECT name, sql FROM sqlite_schema")?;
        statement.query_map([], |row| row.try_into())?.collect()
    };
    read().map_err(|error| words::fault(&error, "the schema in memory"))
}

fn wrong(migration: &Migration, why: &str) -> Error {
    let message = format!("migration `{}` cannot be made after the rows: {why}", migration.version);
    Error::request(message).coded(MIGRATION_AFTER.id).at(&migration.path).hint(MIGRATION_AFTER.help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Dialect;
    use crate::database::schema::{expected, tests::migration};

    const TABLES: &str =
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, body TEXT); CREATE TABLE log (what TEXT);
        CREATE VIEW seen AS SELECT id FROM notes; CREATE TRIGGER see INSTEAD OF INSERT ON seen BEGIN UPDATE notes SET title = ''; END;";
    const FULL_TEXT: &str = "CREATE INDEX notes_title ON notes (title); CREATE VIRTUAL TABLE found USING fts5 (title, content = 'notes');
        CREATE TRIGGER fill AFTER INSERT ON notes BEGIN INSERT INTO found (rowid, title) VALUES (new.id, new.title); END;
        CREATE TRIGGER change AFTER UPDATE OF body ON notes BEGIN INSERT INTO found (found) VALUES ('rebuild'); END;
        INSERT INTO found (found) VALUES ('rebuild');";
    const UNDONE: &str = "DROP TRIGGER change; DROP TRIGGER fill; DROP TABLE found; DROP INDEX notes_title;";

    fn checked(up: &str, down: Option<&str>, then: &str) -> String {
        let late = Migration { after_rows: true, down: down.map(str::to_owned), ..migration("002", up) };
        let all = [migration("001", TABLES), late, migration("003", then)];
        expected(&Dialect::Sqlite, &all).map_or_else(|error| error.to_string(), |_| "taken".to_owned())
    }

    #[test]
    fn what_only_serves_reading_can_be_made_after_the_rows() {
        assert_eq!(checked(FULL_TEXT, Some(UNDONE), "CREATE TABLE more (id INTEGER)"), "taken");
        assert_eq!(checked("CREATE INDEX a ON notes (lower(title)) WHERE id > 1", Some("DROP INDEX a"), ""), "taken");
    }

    #[test]
    fn a_trigger_is_judged_by_what_it_does_itself() {
        let touch =
            "CREATE TRIGGER touch AFTER UPDATE ON notes BEGIN UPDATE notes SET body = 'raise' WHERE id = new.id; END;";
        assert_eq!(checked(FULL_TEXT, Some(UNDONE), touch), "taken");
    }

    #[test]
    fn what_does_more_is_refused_with_why() {
        let index = "CREATE INDEX a ON notes (title)";
        let all = [
            (index, None, "", "it has no `.down.sql`"),
            (index, Some("DROP INDEX b"), "", "rolled back after those that follow it: no such index: b"),
            (index, Some("SELECT 1"), "", "index a already exists"),
            (index, Some("DROP INDEX a"), "DROP INDEX a", "no such index: a"),
            (
                FULL_TEXT,
                Some(UNDONE),
                "CREATE TRIGGER x AFTER DELETE ON notes BEGIN DELETE FROM found; END",
                "the trigger `x` needs",
            ),
            ("ALTER TABLE notes ADD COLUMN a TEXT", Some("ALTER TABLE notes DROP COLUMN a"), "", "it changes `notes`"),
            (
                "CREATE INDEX a ON notes (title); UPDATE notes SET title = ''",
                Some("DROP INDEX a"),
                "",
                "it changes rows of `notes`",
            ),
            (index, Some("DROP INDEX a; DELETE FROM log"), "", "rolling it back changes rows of `log`"),
            (
                "CREATE INDEX a ON notes (title); INSERT INTO seen VALUES (1)",
                Some("DROP INDEX a"),
                "",
                "it changes rows of `seen`",
            ),
            ("CREATE UNIQUE INDEX a ON notes (title)", Some("DROP INDEX a"), "", "its index `a` refuses a value twice"),
            (
                "CREATE UNIQUE INDEX a ON notes (lower(title))",
                Some("DROP INDEX a"),
                "",
                "its index `a` refuses a value twice",
            ),
            ("CREATE INDEX a ON notes (body ->> 'x')", Some("DROP INDEX a"), "", "which may refuse a value"),
            ("CREATE TABLE a (b TEXT)", Some("DROP TABLE a"), "", "it makes the table `a`"),
            ("CREATE VIEW a AS SELECT 1", Some("DROP VIEW a"), "", "its view `a` is no full-text table"),
            (
                "CREATE VIRTUAL TABLE a USING rtree (id, low, high)",
                Some("DROP TABLE a"),
                "",
                "its virtual table `a` is no full-text table",
            ),
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

    #[test]
    fn of_several_the_one_that_does_more_is_named() {
        let late = |version: &str, up: &str| Migration {
            after_rows: true,
            down: Some(format!("DROP INDEX {}", &up[up.find("INDEX ").unwrap() + 6..][..1])),
            ..migration(version, up)
        };
        let all = [
            migration("001", TABLES),
            late("002", "CREATE INDEX a ON notes (title)"),
            late("003", "CREATE UNIQUE INDEX b ON notes (body)"),
        ];
        let said = expected(&Dialect::Sqlite, &all).unwrap_err().to_string();
        assert!(said.contains("migration `003` cannot be made after the rows: its index `b`"), "{said}");
    }
}
