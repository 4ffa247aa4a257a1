//! Triggers and views that name what is not there: SQLite looks into them when they are used, not when they are made.

use super::{sql, words};
use crate::error::Error;
use crate::mapping::codes;
use crate::table::Migration;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// What is wrong with those that these migrations made, each with the file and line that makes it.
pub(super) fn broken(conn: &Connection, migrations: &[&Migration]) -> rusqlite::Result<Vec<Error>> {
    let made: Vec<(String, String, String)> = sql::all(
        conn,
        "SELECT type, name, tbl_name FROM sqlite_master WHERE type IN ('trigger', 'view') ORDER BY rowid",
        [],
    )?;
    let (mut errors, mut sound) = (Vec::new(), BTreeMap::new());
    for (kind, name, table) in &made {
        let lacks = if kind == "view" {
            said(conn, &format!("SELECT * FROM {}", sql::name(name)))
        } else {
            let is_sound = match sound.get(table) {
                Some(known) => *known,
                None => changes(conn, table)?.iter().all(|change| conn.prepare(change).is_ok()),
            };
            sound.insert(table, is_sound);
            if is_sound { None } else { alone(conn, name, table)? }
        };
        if let Some(lacks) = lacks {
            let message = format!("{kind} `{name}` cannot be used: {lacks}");
            let hint = "name what is there, or make it in a migration: every write to the table would fail";
            let hint = if kind == "view" { "name what is there, or make it in a migration" } else { hint };
            errors.push(
                Error::request(message).coded(codes::MIGRATION_SQL.id).at(place(migrations, kind, name)).hint(hint),
            );
        }
    }
    Ok(errors)
}

/// What a trigger lacks, where it is the only one of its table.
fn alone(conn: &Connection, name: &str, table: &str) -> rusqlite::Result<Option<String>> {
    let others =
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE AND name <> ?2";
    let others: Vec<String> = sql::column(conn, others, [table, name])?;
    conn.execute_batch("SAVEPOINT alone")?;
    for other in others {
        conn.execute_batch(&format!("DROP TRIGGER {}", sql::name(&other)))?;
    }
    let lacks = changes(conn, table)?.iter().find_map(|change| said(conn, change));
    conn.execute_batch("ROLLBACK TO alone; RELEASE alone")?;
    Ok(lacks)
}

/// Statements that set off every trigger of a table.
fn changes(conn: &Connection, table: &str) -> rusqlite::Result<[String; 3]> {
    let columns: Vec<String> = sql::column(conn, "SELECT name FROM pragma_table_info(?1)", [table])?;
    Ok(sql::changes(table, columns.iter().map(String::as_str)))
}

/// What a statement does not find. A function may be the application's own.
fn said(conn: &Connection, statement: &str) -> Option<String> {
    let error = conn.prepare(&format!("EXPLAIN {statement}")).err()?;
    let text = words::text_of_sql(&error)?;
    let is_lacking = ["no such table", "no such column"].iter().any(|begin| text.starts_with(begin));
    is_lacking.then(|| text.replace(": main.", ": "))
}

/// The line of the last migration that makes it.
fn place(migrations: &[&Migration], kind: &str, name: &str) -> String {
    let makes = |line: &str| {
        let line = line.to_ascii_lowercase();
        line.contains(kind) && line.contains(&name.to_ascii_lowercase()) && line.contains("create")
    };
    let found = migrations.iter().rev().find_map(|one| Some((one, one.up.lines().position(makes)? + 1)));
    match (found, migrations.last()) {
        (Some((one, line)), _) => format!("{}:{line}", one.path),
        (None, last) => last.map_or_else(String::new, |last| last.path.clone()),
    }
}

#[cfg(test)]
mod tests {
    use crate::database::schema::tests::migration;
    use crate::database::sqlite::rehearsal::Rehearsal;

    #[test]
    fn each_trigger_that_names_what_is_not_there_is_told_and_none_beside_it() {
        let up = "CREATE TABLE notes (id INTEGER, title TEXT); CREATE TABLE tags (id INTEGER);
            CREATE TRIGGER sound AFTER INSERT ON notes BEGIN DELETE FROM tags; END;
            CREATE TRIGGER lacks_table AFTER UPDATE ON NOTES BEGIN DELETE FROM gone; END;
            CREATE TRIGGER lacks_column AFTER INSERT ON \"Notes\" BEGIN UPDATE tags SET gone = new.title; END;
            CREATE TRIGGER calls AFTER DELETE ON notes BEGIN SELECT of_the_application(old.id); END;
            CREATE TRIGGER other AFTER DELETE ON tags BEGIN SELECT 1; END;
            CREATE VIEW titles AS SELECT title FROM notes;
            CREATE TRIGGER instead INSTEAD OF INSERT ON titles BEGIN DELETE FROM gone; END;";
        let migrations = [migration("001", up)];
        let broken = Rehearsal::of(&migrations, false).unwrap().broken_bodies().unwrap();
        let broken: Vec<_> = broken.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(
            broken,
            [
                "trigger `lacks_table` cannot be used: no such table: gone",
                "trigger `lacks_column` cannot be used: no such column: gone",
                "trigger `instead` cannot be used: no such table: gone",
            ]
        );
    }
}
