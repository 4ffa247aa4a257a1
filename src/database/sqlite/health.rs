//! SQLite's own check: rows that break a rule apart from a damaged file.

use super::location::{Location, Tried};
use super::{catalog, words};
use crate::database::health::{Health, Rule};
use crate::error::Error;
use rusqlite::Connection;

/// So many lines are asked for: enough that rows which break a rule, reported one by one, do not keep
/// what comes after them from being seen.
const MOST: u64 = 1_000_000;
/// So many lines about damage are kept.
const MOST_DAMAGE: usize = 100;

/// Refuses a damaged file. Rows that break a rule are not damage: a statement fixes them, and
/// validating the database names them.
pub(super) fn refuse_damaged(conn: &Connection, location: &Location) -> Tried<()> {
    if check(conn, "quick_check", 1)?.damage.is_empty() {
        return Ok(());
    }
    Err(Error::environment("the database is damaged")
        .at(&location.shown)
        .hint("restore a backup of it, or import into a new file")
        .into())
}

/// What the whole check says. The connection must be one that could write: SQLite skips the CHECK
/// constraints of a file that it has open for reading only.
pub(super) fn of(conn: &Connection) -> rusqlite::Result<Health> {
    check(conn, "integrity_check", MOST_DAMAGE)
}

/// The same of a database that is being made, but for what SQLite itself has just seen to: that each row stands in each
/// index, and that no unique value is there twice. To look that up takes most of the time ("PRAGMA quick_check").
pub(super) fn of_new(conn: &Connection) -> rusqlite::Result<Health> {
    check(conn, "quick_check", MOST_DAMAGE)
}

fn check(conn: &Connection, pragma: &str, most_damage: usize) -> rusqlite::Result<Health> {
    match said(conn, &format!("{pragma}({MOST})"), most_damage) {
        // A condition, a computed column or an index may need a function or a collation that only its
        // application has. The rest can be checked all the same.
        Err(error) => {
            let Some(why) = needs_application(&error) else { return Err(error) };
            conn.execute_batch("PRAGMA ignore_check_constraints = ON")?;
            let health = said(conn, &format!("{pragma}({MOST})"), most_damage)
                .or_else(|error| table_by_table(conn, pragma, most_damage, error));
            conn.execute_batch("PRAGMA ignore_check_constraints = OFF")?;
            health.map(|health| Health { unchecked: Some(why), ..health })
        }
        said => said,
    }
}

/// What is not there, or fails on a row; none for another fault. SQLite's words are shown where they name
/// functions, collations, tables and columns alone: those of a function may hold the value it failed on.
fn needs_application(error: &rusqlite::Error) -> Option<String> {
    const NAMING: [&str; 7] = [
        "no such function: ",
        "unknown function: ",
        "no such collation sequence: ",
        "no such table: ",
        "no such column: ",
        "no such module: ",
        "unsafe use of ",
    ];
    let text = words::text_of_sql(error)?;
    let names = NAMING.iter().any(|beginning| text.starts_with(beginning));
    Some(if names { text.to_owned() } else { words::of_values(error) })
}

/// Checks what can be checked where the whole cannot.
fn table_by_table(
    conn: &Connection,
    pragma: &str,
    most_damage: usize,
    error: rusqlite::Error,
) -> rusqlite::Result<Health> {
    if needs_application(&error).is_none() {
        return Err(error);
    }
    let mut all = Health::default();
    for table in catalog::table_names(conn)? {
        match said(conn, &format!("{pragma}('{}')", table.replace('\'', "''")), most_damage) {
            Ok(health) => {
                all.damage.extend(health.damage);
                health.broken.into_iter().for_each(|(rule, rows)| *all.broken.entry(rule).or_default() += rows);
                all.more |= health.more;
            }
            Err(error) if needs_application(&error).is_some() => {} // that it is not checked is reported already
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

fn said(conn: &Connection, check: &str, most_damage: usize) -> rusqlite::Result<Health> {
    let mut health = Health::default();
    let mut statement = conn.prepare(&format!("PRAGMA {check}"))?;
    let mut lines = statement.query([])?;
    let mut seen = 0;
    while let Some(line) = lines.next()? {
        let line: String = line.get(0)?;
        seen += 1;
        match rule(&line) {
            Some(rule) => *health.broken.entry(rule).or_default() += 1,
            None if line == "ok" => {}
            None => health.damage.extend(damage_lines(&line)),
        }
        health.more = seen == MOST || health.damage.len() >= most_damage;
        if health.more {
            break;
        }
    }
    Ok(health)
}

/// What is wrong with the pages comes as one text of many lines, below a heading.
fn damage_lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("*** in database ")).map(str::to_owned)
}

/// The rule that a line says a row breaks; none for a line about the file.
fn rule(line: &str) -> Option<Rule> {
    let of = |start: &str| line.strip_prefix(start).map(str::to_owned);
    let typed = || {
        let (kind, column) = line.split_once(" value in ")?;
        let is_kind = matches!(kind, "TEXT" | "NUMERIC") || kind.starts_with("non-");
        is_kind.then(|| column.to_owned())
    };
    of("CHECK constraint failed in ")
        .map(Rule::Check)
        .or_else(|| of("NULL value in ").map(Rule::NotNull))
        .or_else(|| of("non-unique entry in index ").map(Rule::Unique))
        .or_else(|| typed().map(Rule::Type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The database that this SQL makes, with its declarations then changed behind SQLite's back.
    fn health_after(sql: &str, from: &str, to: &str) -> Health {
        let file = tempfile::NamedTempFile::new().unwrap();
        let change = format!(
            "{sql}; PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '{from}', '{to}');"
        );
        Connection::open(file.path()).unwrap().execute_batch(&change).unwrap();
        looked(file.path())
    }

    fn looked(path: &Path) -> Health {
        of(&Connection::open(path).unwrap()).unwrap()
    }

    #[test]
    fn rows_that_break_a_rule_are_no_damage() {
        const SQL: &str = "CREATE TABLE a (n INT, s TEXT); INSERT INTO a VALUES (1, 'x'), (-1, NULL), (-2, '3')";
        let broken = |from: &str, to: &str| {
            let health = health_after(SQL, from, to);
            assert_eq!(health.damage, [] as [&str; 0]);
            health.broken_rules(|_| false)
        };
        assert_eq!(broken("n INT", "n INT CHECK (n > 0)"), ["a CHECK constraint of `a` is violated in 2 rows"]);
        assert_eq!(broken("s TEXT", "s TEXT NOT NULL"), ["`a.s` is NULL in 1 row"]);
        assert_eq!(broken("s TEXT", "s INTEGER"), ["`a.s` holds a value of another type in 1 row"]);
        assert_eq!(broken("n INT", "n INT"), [] as [&str; 0]);
        let twice = "CREATE TABLE a (n INT); CREATE INDEX a_n ON a (n); INSERT INTO a VALUES (1), (1), (2)";
        let health = health_after(twice, "CREATE INDEX", "CREATE UNIQUE INDEX");
        assert_eq!(health.broken_rules(|_| false), ["the unique index `a_n` has a duplicate value in 1 row"]);
        assert_eq!(health.broken_rules(|rule| matches!(rule, Rule::Unique(_))), [] as [&str; 0]);
    }

    #[test]
    fn a_condition_that_only_its_application_can_check_does_not_prevent_checking_the_file() {
        let health = health_after(
            "CREATE TABLE a (n INT); INSERT INTO a VALUES (1), (NULL)",
            "n INT",
            "n INT NOT NULL CHECK (mine(n))",
        );
        assert_eq!(health.unchecked.as_deref(), Some("unknown function: mine()"));
        assert_eq!(
            (health.damage.len(), health.broken_rules(|_| false)),
            (0, vec!["`a.n` is NULL in 1 row".to_owned()])
        );
    }

    #[test]
    fn a_collation_or_a_computed_column_of_the_application_keeps_nobody_either() {
        let cases = [
            ("CREATE TABLE a (n TEXT PRIMARY KEY); INSERT INTO a VALUES ('x'), ('y')", "n TEXT", "n TEXT COLLATE mine"),
            ("CREATE TABLE a (n INT, m INT AS (n + 1) VIRTUAL); INSERT INTO a VALUES (1)", "n + 1", "mine(n)"),
        ];
        for (sql, from, to) in cases {
            let health = health_after(&format!("CREATE TABLE b (n INT); INSERT INTO b VALUES (-1); {sql}"), from, to);
            assert!(health.unchecked.as_deref().is_some_and(|why| why.contains("mine")), "{health:?}");
            assert_eq!(health.damage, [] as [&str; 0]);
        }
    }

    #[test]
    fn a_condition_that_fails_on_the_value_of_a_row_shows_no_value() {
        let sql = "CREATE TABLE a (n TEXT); INSERT INTO a VALUES ('canary')";
        for condition in ["json_extract('{}', n) IS NULL", "json(n) <> ''", "n LIKE 'x' ESCAPE n"] {
            let health = health_after(sql, "n TEXT", &format!("n TEXT CHECK ({})", condition.replace('\'', "''")));
            let why = health.unchecked.unwrap_or_else(|| panic!("{condition} fails"));
            assert!(why.starts_with("an error of the database (") && !why.contains("canary"), "{why}");
            assert_eq!(health.damage, [] as [&str; 0]);
        }
    }

    #[test]
    fn each_damaged_page_is_a_line_of_its_own() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let sql = "CREATE TABLE a (x BLOB); INSERT INTO a VALUES (zeroblob(50000)); DELETE FROM a";
        Connection::open(file.path()).unwrap().execute_batch(sql).unwrap();
        let mut bytes = std::fs::read(file.path()).unwrap();
        bytes[32..40].fill(0); // The list of free pages is gone, so nothing uses them.
        std::fs::write(file.path(), bytes).unwrap();
        let health = looked(file.path());
        assert!(health.damage.len() > 10, "{health:?}");
        let is_page = |line: &String| line.starts_with("Page ") && line.ends_with(": never used");
        assert!(health.damage.iter().all(is_page), "{health:?}");
    }

    #[test]
    fn an_index_that_lacks_a_row_is_damage() {
        let health = health_after(
            "CREATE TABLE a (n INT); CREATE INDEX a_n ON a (n) WHERE n > 1; INSERT INTO a VALUES (1)",
            "n > 1",
            "n > 0",
        );
        assert_eq!((health.damage.len(), health.broken.len()), (1, 0), "{health:?}");
    }
}
