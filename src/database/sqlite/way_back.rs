//! Whether migrations can be rolled back, tried in memory.

use super::rehearsal::{Rehearsal, Text, fault, text, wrong};
use super::script::{is_needed, run_seen};
use crate::database::history::RECORD;
use crate::database::{Migration, drift};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::mapping::codes;

impl Rehearsal<'_> {
    /// What is wrong with the way back: all migrations are rolled back from the last on, and applied again. It ends at the
    /// first that does not run, and at one that has no file to roll it back.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn way_back(mut self) -> Result<Vec<Error>> {
        let (migrations, before) = (std::mem::take(&mut self.migrations), self.before.take().unwrap_or_default());
        let mut reached = migrations.len();
        while let Some(at) = reached.checked_sub(1) {
            let migration = migrations[at];
            if !is_needed(&self.conn, migration).map_err(|failure| wrong(migration, &failure))? {
                reached = at;
                continue; // it made nothing
            }
            let Some(down) = &migration.down else { break };
            let back = of_down(migration, down);
            if let Err(failure) = run_seen(&mut self.conn, RECORD, down, |_| {}) {
                interrupt::check()?;
                return Ok(vec![wrong(&back, &failure)]);
            }
            reached = at;
            let left = self.left(&migrations[..at], &before[at])?;
            if !left.is_empty() {
                let message = format!(
                    "rolling back migration `{}` does not restore what was there: {}",
                    back.version,
                    left.join("; ")
                );
                return Ok(vec![Error::request(message).coded(codes::MIGRATION_BACK.id).at(&back.path)]);
            }
        }
        if text(&self.conn).map_err(fault)?.is_empty() {
            return Ok(Vec::new()); // They would run as they did the first time.
        }
        for migration in &migrations[reached..] {
            if let Some(wrong) = self.run(migration)? {
                return Ok(vec![wrong]);
            }
        }
        Ok(Vec::new())
    }

    /// What differs from what these migrations made; `was` is its SQL.
    fn left(&self, before: &[&Migration], was: &Text) -> Result<Vec<String>> {
        if text(&self.conn).map_err(fault)? == *was {
            return Ok(Vec::new());
        }
        // It may be the same in other words.
        let expected = Rehearsal::begin()?.with(before.iter().copied())?;
        Ok(drift::messages(&expected.catalog()?, &self.catalog()?, drift::Leave::default()))
    }
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
        Rehearsal::of(&migrations, true)
            .and_then(Rehearsal::way_back)
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

    #[test]
    fn a_trigger_that_is_called_like_its_table_does_not_hide_what_is_left_of_it() {
        let made = "CREATE TABLE a (n INT); CREATE TRIGGER a AFTER INSERT ON a BEGIN SELECT 1; END;";
        let left = tried(&[(made, None), ("ALTER TABLE a ADD COLUMN m INT;", Some("SELECT 1;"))]);
        assert!(left[0].starts_with("rolling back migration `002` does not restore what was there"), "{left:?}");
    }

    #[test]
    fn a_migration_that_depends_on_one_without_a_way_back_is_applied_again() {
        let migrations = [
            migration("001", "CREATE TABLE a (n INT);"),
            Migration {
                depends: vec!["001".to_owned()],
                down: Some("DROP TABLE b;".to_owned()),
                ..migration("002", "CREATE TABLE b (n INT);")
            },
        ];
        let wrong = Rehearsal::of(&migrations, true).and_then(Rehearsal::way_back).unwrap();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
