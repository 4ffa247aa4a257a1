//! Whether migrations can be rolled back, tried in memory.

use super::connect::in_memory;
use super::migrate::{stages_until_fault, wrong};
use super::script::{is_needed, run, up};
use super::{catalog, words};
use crate::database::catalog::Catalog;
use crate::database::{Migration, drift, history};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::mapping::codes;

/// What is wrong with the way back: all migrations are applied, rolled back from the last on, and applied again. It ends at
/// the first that does not run, and at one that has no file to roll it back.
pub(in crate::database) fn try_it(migrations: &[Migration]) -> Result<Vec<Error>> {
    let fault = |error: rusqlite::Error| words::fault(&error, "the schema in memory");
    let (stages, unfit) = stages_until_fault(migrations, false)?;
    unfit.map_or(Ok(()), Err)?;
    let (mut conn, mut errors, nothing) = (in_memory().map_err(fault)?, Vec::new(), Catalog::default());
    for migration in migrations {
        up(&mut conn, migration).map_err(|failure| wrong(migration, &failure))?;
    }
    let mut reached = migrations.len();
    while let Some(at) = reached.checked_sub(1) {
        if !is_needed(&conn, &migrations[at]).map_err(|failure| wrong(&migrations[at], &failure))? {
            reached = at;
            continue; // it made nothing
        }
        let Some(down) = &migrations[at].down else { break };
        let back = of_down(&migrations[at], down);
        if let Err(failure) = run(&mut conn, down) {
            interrupt::check()?;
            errors.push(wrong(&back, &failure));
            return Ok(errors);
        }
        reached = at;
        let expected = at.checked_sub(1).map_or(&nothing, |before| &stages[before]);
        let live = catalog::whole(&conn, history::RECORD).map_err(fault)?;
        let left = drift::messages(expected, &live, drift::Leave::default());
        if !left.is_empty() {
            let message = format!(
                "rolling back migration `{}` does not restore what was there: {}",
                back.version,
                left.join("; ")
            );
            errors.push(Error::request(message).coded(codes::MIGRATION_BACK.id).at(&back.path));
            return Ok(errors);
        }
    }
    for migration in &migrations[reached..] {
        if let Err(failure) = up(&mut conn, migration) {
            interrupt::check()?;
            errors.push(wrong(migration, &failure));
            return Ok(errors);
        }
    }
    Ok(errors)
}

/// A migration's other file, as one by itself.
fn of_down(migration: &Migration, down: &str) -> Migration {
    Migration { up: down.to_owned(), path: migration.path.replace(".up.", ".down."), ..migration.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::schema::tests::migration;

    fn tried(pairs: &[(&str, Option<&str>)]) -> Vec<String> {
        let pair = |(at, (up, down)): (usize, &(&str, Option<&str>))| Migration {
            down: down.map(str::to_owned),
            ..migration(&format!("00{}", at + 1), up)
        };
        let migrations: Vec<Migration> = pairs.iter().enumerate().map(pair).collect();
        try_it(&migrations)
            .unwrap()
            .iter()
            .map(|error| error.to_string().lines().take(2).collect::<Vec<_>>().join(""))
            .collect()
    }

    const A: (&str, Option<&str>) = ("CREATE TABLE a (n INT);", Some("DROP TABLE a;"));

    #[test]
    fn a_way_back_that_restores_what_was_there_is_right() {
        assert_eq!(tried(&[]), [] as [&str; 0]);
        assert_eq!(tried(&[A, ("CREATE TABLE b (n INT);", Some("DROP TABLE b;"))]), [] as [&str; 0]);
        // What has no way back ends it.
        assert_eq!(
            tried(&[("CREATE TABLE a (n INT);", None), ("CREATE TABLE b (n INT);", Some("DROP TABLE b;"))]),
            [] as [&str; 0]
        );
    }

    #[test]
    fn a_file_that_does_not_run_or_leaves_something_is_named() {
        assert_eq!(
            tried(&[A, ("CREATE TABLE b (n INT);", Some("\nDROP TABLE c;"))]),
            ["migration `002` is not valid SQL: no such table: c  at schema/002.down.sql:2"]
        );
        assert_eq!(
            tried(&[A, ("CREATE TABLE b (n INT);", Some("SELECT 1;"))]),
            [
                "rolling back migration `002` does not restore what was there: table `b` is not expected  at schema/002.down.sql"
            ]
        );
        assert_eq!(
            tried(&[A, ("ALTER TABLE a ADD COLUMN m INT;", Some("DROP TABLE a;"))]),
            [
                "rolling back migration `002` does not restore what was there: table `a` is missing  at schema/002.down.sql"
            ]
        );
    }
}
