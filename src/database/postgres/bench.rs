//! A schema to test migrations in, which vanishes when it is dropped.
//!
//! A killed process cannot drop its schema, so that each has a lock which ends with its connection, and the next test
//! drops those whose lock nobody holds.

use super::connect::Session;
use super::place::{Place, StandIn, Tried};
use super::{sql, stages};
use crate::database::Migration;
use std::fmt;
use std::sync::{Arc, Mutex};

/// What the names of such schemas begin with.
const PREFIX: &str = "treelift_test_";

/// Such a schema.
struct Bench {
    schema: String,
    search_path: String,
    /// The connection that holds its lock, in a transaction that does nothing else.
    keeper: Mutex<Session>,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.schema)
    }
}

/// A place on the same server where these migrations can be tested. What would reach out of it is refused before.
pub(super) fn bench(place: &Place, migrations: &[Migration]) -> Tried<Place> {
    stages::refuse_reaching(place, migrations)?;
    let keeper = Session::open(place)?;
    drop_stale(&keeper)?;
    let schema = stages::new_name("test")?;
    keeper.run(&format!("CREATE SCHEMA {}", sql::name(&schema)))?;
    keeper.run("BEGIN")?;
    keeper.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[Some(&schema)])?;
    let search_path = stages::with_extensions(&keeper, &schema)?;
    let bench = Bench { schema, search_path, keeper: Mutex::new(keeper) };
    Ok(Place { bench: Some(Arc::new(bench)), stages: Arc::default(), ..place.clone() })
}

/// Drops the schemas of tests that were killed.
fn drop_stale(session: &Session) -> Tried<()> {
    let text =
        "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, $1) AND pg_has_role(nspowner, 'USAGE')";
    for row in session.query(text, &[Some(PREFIX)])? {
        let name: String = row.get(0);
        session.run("BEGIN")?;
        let free = "SELECT 1 WHERE pg_try_advisory_xact_lock(hashtextextended($1, 0))";
        if session.has(free, &[Some(&name)])? {
            session.run(&format!(
                "SET LOCAL client_min_messages = warning; DROP SCHEMA IF EXISTS {} CASCADE",
                sql::name(&name)
            ))?;
        }
        session.run("COMMIT")?;
    }
    Ok(())
}

impl StandIn for Bench {
    fn schema(&self) -> &str {
        &self.schema
    }

    fn search_path(&self) -> &str {
        &self.search_path
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let Ok(keeper) = self.keeper.lock() else { return };
        // What cannot be dropped now is left to the next test.
        let drop =
            format!("SET LOCAL client_min_messages = warning; DROP SCHEMA {} CASCADE; COMMIT", sql::name(&self.schema));
        let _ = keeper.try_run(&drop);
    }
}
