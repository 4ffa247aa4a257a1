//! A schema to test migrations in, which vanishes when it is dropped.
//!
//! A killed process cannot drop its schema, so that each has a lock which ends with its connection, and the next test
//! drops those whose lock nobody holds.

use super::connect::Session;
use super::place::{Aside, Place, StandIn, Tried};
use super::{sql, stages};
use crate::database::Migration;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What such schemas are for, as their names say.
const PURPOSE: &str = "test";
/// What such a schema says of itself: its name alone could be another's.
const MARK: &str = "treelift tests migrations here, and drops it";

/// Such a schema.
struct Bench {
    schema: String,
    search_path: String,
    /// The connection that holds its lock, in a transaction that does nothing else.
    keeper: Mutex<Option<Session>>,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.schema)
    }
}

/// A place on the same server where these migrations can be tested. What would reach out of it is refused before.
pub(super) fn bench(place: &Place, migrations: &[Migration]) -> Tried<Place> {
    stages::refuse_reaching(place, migrations)?;
    let maker = Session::open(place)?;
    drop_stale(&maker)?;
    // Its lock is held before it is there: whoever finds it without one may drop it.
    let schema = stages::new_name(PURPOSE)?;
    let keeper = Session::open(place)?;
    keeper.run("BEGIN")?;
    keeper.settle_in()?;
    keeper.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[Some(&schema)])?;
    let made = sql::name(&schema);
    maker.run(&format!("BEGIN; CREATE SCHEMA {made}; COMMENT ON SCHEMA {made} IS '{MARK}'; COMMIT"))?;
    let search_path = stages::with_extensions(&keeper, &schema)?;
    maker.close()?;
    let bench = Bench { schema, search_path, keeper: Mutex::new(Some(keeper)) };
    let (bench, stages, aside) = (Some(Arc::new(bench) as Arc<dyn StandIn>), Arc::default(), Aside::default());
    // It is the same database, so that a connection to it serves both.
    Ok(Place { bench, stages, aside, ..place.clone() })
}

/// Drops the schemas of tests that were killed: those of such a name that say of themselves what they are.
fn drop_stale(session: &Session) -> Tried<()> {
    let text = "SELECT nspname::text FROM pg_namespace WHERE nspname ~ ('^treelift_' || $1 || '_[0-9a-f]{16}$')
                      AND obj_description(oid, 'pg_namespace') = $2 AND pg_has_role(nspowner, 'USAGE')";
    for row in session.query(text, &[Some(PURPOSE), Some(MARK)])? {
        let name: String = row.get(0);
        session.run("BEGIN")?;
        session.settle_in()?;
        let free = "SELECT 1 WHERE pg_try_advisory_xact_lock(hashtextextended($1, 0))";
        if session.has(free, &[Some(&name)])? {
            session.run(&format!("DROP SCHEMA IF EXISTS {} CASCADE", sql::name(&name)))?;
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

    fn end(&self) -> Option<&str> {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let drop = format!("DROP SCHEMA {} CASCADE; COMMIT", sql::name(&self.schema));
        keeper.try_run(&drop).is_err().then_some(&*self.schema)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.end();
    }
}
