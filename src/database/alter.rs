//! Changes the schema step by step, in a transaction that an engine has open. Which steps there are, in which order, and in
//! what words they fail is the same in every engine, which gives statements alone.

use super::audit::{AuditEntry, AuditTable};
use super::catalog::Catalog;
use super::done::{Altered, Done, Move, Timing, What, millis};
use super::follow::{self, Follow, Followed, Following, Step};
use super::history::{self, Named, Origin, Recorded, Standing, State};
use super::order::{Looking, Order};
use super::own::{is_own, is_records};
use super::presence::{Known, Presence, is_fresh, presence};
use super::query::Unasked;
use super::sealing::Sealing;
use crate::database::{Cell, Reader};
use crate::error::{Error, ErrorKind};
use crate::excerpt::Excerpt;
use crate::interrupt;
use crate::report::words::count;
use crate::table::{ColumnType, Migration, VersionRecord};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Instant;

/// Rows that reference a missing row, by table and parent.
pub(super) type Dangling = BTreeMap<(String, String), u64>;

/// What an engine does for it.
pub(super) trait Altering {
    /// A fault of the database, or one that is in words.
    type Fault: From<Error>;
    /// Why the SQL of a migration did not run.
    type Failure: Failing;
    /// The ledger of the database.
    type Ledger<'l>: Following<Fault = Self::Fault>
    where
        Self: 'l;
    /// The database as the user wrote it.
    fn place(&self) -> &str;
    /// The record of migrations in the order it was written.
    fn recorded(&self) -> Result<Vec<Recorded>, Self::Fault>;
    /// What there is after each migration, up to the first that does not run by itself.
    /// `moves` are what is about to be done.
    fn stages(&mut self, migrations: &[Migration], moves: &[Move]) -> Result<Vec<Catalog>, Self::Fault>;
    /// The tables as they are.
    fn live(&self) -> Result<Catalog, Self::Fault>;
    /// Makes the record where it is not there.
    fn set_up_record(&mut self) -> Result<(), Self::Fault>;
    /// Brings treelift's own tables to the format of this version.
    fn set_up_state(&mut self) -> Result<(), Self::Fault>;
    /// Runs the SQL of a migration.
    fn run(&mut self, sql: &str) -> Result<(), Self::Failure>;
    /// Records that a migration is not needed.
    fn not_needed(&mut self, migration: &Migration, timing: Timing) -> Result<(), Self::Fault>;
    /// Whether there is a table.
    fn has_table(&self, name: &str) -> Result<bool, Self::Fault>;
    /// Records a migration as applied.
    fn applied(&mut self, migration: &Migration, origin: Origin, timing: Timing) -> Result<(), Self::Fault>;
    /// Records that an applied migration was rolled back.
    fn rolled_back(&mut self, migration: &Migration, at: Timestamp) -> Result<(), Self::Fault>;
    /// Writes an entry of the audit trail.
    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<(), Self::Fault>;
    /// Rows that reference a missing row; none where the engine itself sees to it.
    fn dangling(&self) -> Result<Dangling, Self::Fault>;
    /// What is left where the last migration was rolled back.
    fn left(&self) -> Result<Left, Self::Fault>;
    /// Drops treelift's own tables of these names. Where one is kept that remembers the name of the record, it forgets
    /// all else.
    fn drop_own(&mut self, names: &[String], is_chosen: bool) -> Result<(), Self::Fault>;
    /// Looks into the database as it is now.
    fn reader(&mut self) -> &mut dyn Reader;
    /// How many rows each of the application's tables has.
    fn counts(&self) -> Result<BTreeMap<String, u64>, Self::Fault>;
    /// Writes rows into columns of a table of the application.
    fn insert(&mut self, table: &str, columns: &[String], rows: &[Vec<Cell>]) -> Result<(), Self::Fault>;
    /// All rows of a set's own query, whose columns are of these types; of their own where none are given.
    fn rows(
        &mut self,
        query: &str,
        kinds: Option<&[ColumnType]>,
    ) -> Result<Result<Vec<Vec<Cell>>, Unasked>, Self::Fault>;
    /// The sealed values, to carry them along.
    fn sealing(&mut self) -> Box<dyn Sealing + '_>;
    /// The ledger, to follow its rows.
    fn ledger(&mut self) -> Self::Ledger<'_>;
    /// Renews statistics that the database has, as far as the engine does not do that by itself: those of what a migration
    /// made are missing, and beside old ones its indexes would not be gone by.
    fn renew_statistics(&mut self) -> Result<(), Self::Fault> {
        Ok(())
    }
    /// Writes a name into the application's own record of its version.
    fn name_version(&mut self, record: &VersionRecord, name: Named<'_>) -> Result<(), Self::Fault>;
    /// A fault in words.
    fn words(&self, fault: Self::Fault) -> Error;
}

/// An engine at work, as one sees it who looks on.
struct Seen<'e, A>(&'e mut A);

impl<A: Altering> Looking for Seen<'_, A> {
    fn counts(&mut self) -> Result<BTreeMap<String, u64>, Error> {
        self.0.counts().map_err(|fault| self.0.words(fault))
    }

    fn reader(&mut self) -> &mut dyn Reader {
        self.0.reader()
    }

    fn sealing(&mut self) -> Box<dyn Sealing + '_> {
        self.0.sealing()
    }
}

/// What a database holds.
pub(super) struct Left {
    /// The names of its tables and views.
    pub(super) names: Vec<String>,
    /// The table that records migrations.
    pub(super) record: String,
    /// Whether the set chose its name: that is remembered with it.
    pub(super) is_chosen: bool,
    /// Whether rows were moved aside, which are nowhere else.
    pub(super) has_orphans: bool,
}

/// Why the SQL of a migration did not run, in words.
pub(super) trait Failing {
    /// Why.
    fn why(&self) -> String;
    /// Which of its statements it is, where the place does not say it: `, in its statement 3`.
    fn statement(&self) -> String;
    /// The place in its file.
    fn place(&self, path: &str) -> String;
    /// The line of its SQL, with what a message says of it.
    fn excerpt(&self, sql: &str, message: &str) -> Option<Excerpt>;
}

/// Why the steps did not come to their end.
pub(super) enum Stop<'m, A: Altering> {
    /// Somebody said no, or the request cannot be.
    Asked(A::Fault),
    /// A statement failed.
    Failed { migration: &'m Migration, what: What, failure: A::Failure, took_ms: i64 },
}

/// Carries out what an order decides. Nothing is committed yet.
pub(super) fn steps<'w, A: Altering>(engine: &mut A, order: &'w Order<'w>) -> Result<Altered, Stop<'w, A>> {
    let (begun, standing, first) = Default::default();
    Work { engine, order, begun, standing, first, is_fresh: false, follow: None }.all()
}

/// The steps of an order, under the lock.
struct Work<'e, 'w, A> {
    engine: &'e mut A,
    order: &'w Order<'w>,
    /// How the migrations stood.
    begun: Standing,
    /// How they stand by now.
    standing: Standing,
    /// What was there.
    first: Catalog,
    /// Whether nothing of that is of what they make.
    is_fresh: bool,
    /// The ledger's rows.
    follow: Option<Follow<'w>>,
}

impl<'w, A: Altering> Work<'_, 'w, A> {
    fn all(&mut self) -> Result<Altered, Stop<'w, A>> {
        let migrations = self.order.migrations;
        let standing = history::compare(&self.engine.recorded().map_err(Stop::Asked)?, migrations);
        let standing = standing.wake(migrations, |table| self.engine.has_table(table)).map_err(Stop::Asked)?;
        let moves = (self.order.decide)(&standing).map_err(asked)?;
        let mut altered = Altered::default();
        if moves.is_empty() {
            return Ok(altered);
        }
        if let Some(lost) = moves.iter().find_map(|one| match one {
            Move::Down(at) if migrations[*at].down.is_none() => Some(&migrations[*at]),
            _ => None,
        }) {
            return Err(asked(no_way_back(lost)));
        }
        let stages = self.engine.stages(migrations, &moves).map_err(Stop::Asked)?;
        // Behind that: what is asked locks tables, and what migrations reach is tried beside.
        for around in self.order.sealed.into_iter().chain(self.order.around) {
            around.before(&mut Seen(&mut *self.engine), &standing).map_err(asked)?;
        }
        let steps = moves.iter().filter_map(|one| step_of(*one, migrations)).collect();
        self.follow = Follow::begin(&mut self.engine.ledger(), steps).map_err(Stop::Asked)?;
        self.first = self.engine.live().map_err(Stop::Asked)?;
        self.is_fresh = is_fresh(&stages, &self.first);
        (self.begun, self.standing) = (standing.clone(), standing);
        let before = self.engine.dangling().map_err(Stop::Asked)?;
        self.engine.set_up_record().map_err(Stop::Asked)?;
        for one in moves {
            let done = self.step(one, &stages)?;
            (self.order.progress)(&done);
            altered.steps.push(done);
        }
        altered.ledger = self.finish(&altered, &before).map_err(Stop::Asked)?;
        Ok(altered)
    }

    /// What comes behind the last step.
    fn finish(&mut self, altered: &Altered, before: &Dangling) -> Result<Followed, A::Fault> {
        let after = self.engine.dangling()?;
        if let Some(((table, parent), rows)) = after.iter().find(|(key, rows)| before.get(*key) < Some(*rows)) {
            let more = rows - before.get(&(table.clone(), parent.clone())).copied().unwrap_or(0);
            return Err(Error::environment(format!(
                "{} of `{table}` would reference missing rows of `{parent}`; nothing was changed",
                count(more, "row")
            ))
            .at(self.engine.place())
            .hint("fix the migration so that it keeps the referenced rows")
            .into());
        }
        if altered.steps.iter().any(|done| done.sql.is_some()) {
            self.engine.renew_statistics()?;
        }
        let standing = history::compare(&self.engine.recorded()?, self.order.migrations);
        if let Some(sealed) = self.order.sealed {
            sealed.after(&mut Seen(&mut *self.engine), &standing)?;
        }
        if let Some(record) = self.order.version
            && let Err(fault) = self.engine.name_version(record, standing.name_in(record))
        {
            let error = self.engine.words(fault);
            let message = format!("`[version]` of the set cannot be kept in `{}`: {}", record.table, error.message);
            return Err(Error { message, ..error }.into());
        }
        let follow = self.follow.take();
        let followed =
            follow.map_or_else(|| Ok(Followed::default()), |follow| follow.end(&mut self.engine.ledger()))?;
        if let Some(around) = self.order.around {
            around.after(&mut Seen(&mut *self.engine), &standing)?;
        }
        for done in &altered.steps {
            self.engine.note(&done.audit_entry(self.order.started)?, self.order.audit)?;
        }
        self.engine.set_up_state()?;
        if self.standing.applied().is_empty() && altered.steps.iter().any(|done| done.what == What::RolledBack) {
            // Where the database holds nothing else, treelift's own tables speak of rows that are gone: they go too, and
            // the record of migrations alone tells what was.
            let left = self.engine.left()?;
            if let Some(own) = own_to_drop(&left) {
                self.engine.drop_own(&own, left.is_chosen)?;
            }
        }
        if let Some(after) = self.order.after {
            after(self.engine.reader())?;
        }
        Ok(followed)
    }

    /// Fills the tables of ids that a migration goes by.
    fn fill_ids(&mut self, migration: &Migration) -> Result<(), A::Fault> {
        for line in &migration.ids {
            let wrong = |why: &str| {
                Error::environment(format!("the ids of `{}` cannot be made: {why}; nothing was changed", line.table))
                    .at(&line.place)
                    .hint("an earlier migration makes the table, with the columns that the line names, and empty")
            };
            if !self.engine.has_table(&line.table)? {
                return Err(wrong("there is no such table").into());
            }
            let rows = match self.engine.rows(&line.query, None)? {
                Ok(rows) => (self.order.ids)(line, rows)?,
                Err(Unasked::Missing(why) | Unasked::Failed(why)) => return Err(wrong(&why).into()),
            };
            if let Err(fault) = self.engine.insert(&line.table, &line.columns, &rows) {
                let error = self.engine.words(fault);
                let is_signal = matches!(error.kind, ErrorKind::Interrupted(_));
                return Err(if is_signal { error } else { wrong(&error.message) }.into());
            }
        }
        Ok(())
    }

    /// Writes into the ledger how a migration changed keys.
    fn follow(&mut self, step: Step<'w>) -> Result<(), A::Fault> {
        let Some(follow) = &mut self.follow else { return Ok(()) };
        for line in step.lines {
            let Some(kinds) = follow.kinds(&mut self.engine.ledger(), line)? else { continue }; // no run wrote into it
            match self.engine.rows(&line.query, Some(&kinds))? {
                Ok(rows) => follow.apply(&mut self.engine.ledger(), line, &rows)?,
                Err(Unasked::Missing(why) | Unasked::Failed(why)) => return Err(follow::wrong(line, &why).into()),
            }
        }
        Ok(())
    }

    fn step(&mut self, one: Move, stages: &[Catalog]) -> Result<Done, Stop<'w, A>> {
        let (at, sql) = match one {
            Move::Up(at) => (at, Some(&self.order.migrations[at].up)),
            Move::Down(at) => (at, self.order.migrations[at].down.as_ref()),
            Move::Stamp(at) | Move::Unstamp(at) => (at, None),
        };
        let migration = &self.order.migrations[at];
        let started = Instant::now();
        if matches!(one, Move::Up(_) | Move::Stamp(_))
            && let Some(table) = &migration.only_with
            && !self.engine.has_table(table).map_err(Stop::Asked)?
        {
            self.record(at, What::NotNeeded, 0).map_err(Stop::Asked)?;
            return Ok(Done::not_needed(migration));
        }
        let run = |work: &mut Self, what| match sql {
            None => Ok(()),
            Some(sql) => work.engine.run(sql).map_err(|failure| match interrupt::error() {
                Some(interrupted) => asked(interrupted),
                None => Stop::Failed { migration, what, failure, took_ms: millis(started) },
            }),
        };
        let what = match one {
            Move::Up(_) => {
                self.judge_dependencies(migration).map_err(asked)?;
                let there = if self.is_fresh {
                    Presence::Absent
                } else {
                    let (first, begun, standing) = (&self.first, &self.begun, &self.standing);
                    let known = Known { stages, first, begun, standing };
                    presence(known, at, &self.engine.live().map_err(Stop::Asked)?)
                };
                match there {
                    Presence::Whole => What::Found,
                    Presence::Absent => {
                        self.fill_ids(migration).map_err(Stop::Asked)?;
                        run(self, What::Applied)?;
                        What::Applied
                    }
                    other => {
                        let refusal = other.refusal(migration, self.engine.place());
                        return Err(asked(refusal.unwrap_or_else(|| Error::bug("a presence without a decision"))));
                    }
                }
            }
            Move::Down(_) => {
                run(self, What::RolledBack)?;
                What::RolledBack
            }
            Move::Stamp(_) => What::Stamped,
            Move::Unstamp(_) => What::Unstamped,
        };
        let took_ms = millis(started);
        self.record(at, what, took_ms).map_err(Stop::Asked)?;
        let ran = matches!(what, What::Applied | What::RolledBack);
        if let Some(step) = step_of(one, self.order.migrations).filter(|_| ran) {
            self.follow(step).map_err(Stop::Asked)?;
        }
        Ok(Done { version: migration.version.clone(), what, took_ms, sql: sql.filter(|_| ran).cloned() })
    }

    fn record(&mut self, at: usize, what: What, took_ms: i64) -> Result<(), A::Fault> {
        let migration = &self.order.migrations[at];
        let timing = Timing { at: self.order.started, took_ms };
        let (state, origin) = match what {
            What::Applied => (State::Applied, Origin::Ran),
            What::Found => (State::Applied, Origin::Found),
            What::Stamped => (State::Applied, Origin::Stamped),
            What::NotNeeded => (State::NotNeeded, Origin::Ran),
            What::RolledBack | What::Unstamped => (State::RolledBack, Origin::Ran),
        };
        match what {
            What::Applied | What::Found | What::Stamped => self.engine.applied(migration, origin, timing),
            What::NotNeeded => self.engine.not_needed(migration, timing),
            What::RolledBack | What::Unstamped => self.engine.rolled_back(migration, self.order.started),
        }?;
        self.standing.note(at, state, origin);
        Ok(())
    }

    /// Whether a migration is applied, or needs not be.
    fn stands(&self, version: &str) -> bool {
        let is_so = |state: State| matches!(state, State::Applied | State::NotNeeded);
        self.standing.steps.iter().any(|step| step.version == version && is_so(step.state))
    }

    fn judge_dependencies(&self, migration: &Migration) -> Result<(), Error> {
        match migration.depends.iter().find(|depends| !self.stands(depends)) {
            None => Ok(()),
            Some(missing) => Err(Error::request(format!(
                "migration `{}` depends on `{missing}`, which is not applied",
                migration.version
            ))
            .at(&migration.path)),
        }
    }
}

/// What is run for a move, if anything is.
fn step_of(one: Move, migrations: &[Migration]) -> Option<Step<'_>> {
    match one {
        Move::Up(at) => {
            let migration = &migrations[at];
            Some(Step { migration, sql: &migration.up, lines: &migration.ledger })
        }
        Move::Down(at) => {
            let migration = &migrations[at];
            Some(Step { migration, sql: migration.down.as_ref()?, lines: &migration.down_ledger })
        }
        Move::Stamp(_) | Move::Unstamp(_) => None,
    }
}

fn asked<A: Altering>(error: Error) -> Stop<'static, A> {
    Stop::Asked(error.into())
}

fn no_way_back(migration: &Migration) -> Error {
    let version = &migration.version;
    if let Some(why) = &migration.irreversible {
        return Error::request(format!("migration `{version}` cannot be rolled back: {why}"))
            .at(&migration.path)
            .hint("restore a backup from before it");
    }
    Error::request(format!("migration `{version}` cannot be rolled back: it has no down file"))
        .at(migration.down_path())
        .hint("write one, or restore a backup from before it")
}

/// The words for a statement that failed.
pub(super) fn failed(migration: &Migration, what: What, failure: &impl Failing, place: &str) -> Error {
    let (does, path, sql) = match what {
        What::RolledBack => ("cannot be rolled back", migration.down_path(), migration.down.as_deref()),
        _ => ("failed", migration.path.clone(), Some(&*migration.up)),
    };
    let (version, statement, why) = (&migration.version, failure.statement(), failure.why());
    let message = format!("migration `{version}` {does}{statement}: {why}");
    let excerpt = sql.and_then(|sql| failure.excerpt(sql, &message));
    Error::environment(message)
        .at(format!("{}, {place}", failure.place(&path)))
        .showing(excerpt)
        .hint("nothing was changed; fix the file or the rows, then run it again")
}

/// Which of treelift's own tables go where nothing else is left; `None` where something is.
fn own_to_drop(left: &Left) -> Option<Vec<String>> {
    let Left { names, record, is_chosen, has_orphans } = left;
    if *has_orphans || names.iter().any(|name| !is_records(name, record)) {
        return None;
    }
    let is_kept = |name: &str| *is_chosen && name.eq_ignore_ascii_case(super::state::TABLE_NAME);
    Some(names.iter().filter(|name| is_own(name) && !is_kept(name)).cloned().collect())
}
