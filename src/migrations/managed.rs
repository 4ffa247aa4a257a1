//! A database with the mapping set whose schema it has, and what is done with it.

use super::around::{Assertions, Behind, Changed};
use super::choice::{Selection, introduce, refuse_another};
use super::events::{self, Event};
use super::ids::with_ids;
use super::losses::{Watch, advance, in_question, rehearse};
use super::status::{Options, Status};
use crate::backup::manifest::Packing;
use crate::backup::{self, Making};
use crate::config::{Quiet, Ui};
use crate::credentials::carry::{Carry, Way};
use crate::database::audit::random_id;
use crate::database::catalog::Catalog;
use crate::database::done::{Altered, Move};
use crate::database::drift::{self, Leave};
use crate::database::history::{self, Down, Origin, Recorded, Standing, State};
use crate::database::order::{Around, Look, Order};
use crate::database::upkeep::{MoveOrphans, Moved, Survey};
use crate::database::{self, Database, Mode, Reader, schema};
use crate::error::{Error, ErrorKind, Result};
use crate::finding::ASSERTION;
use crate::mapping::load::{self, SetSource};
use crate::mapping::model::Set;
use crate::report::CheckReport;
use crate::report::Loss;
use crate::report::words::count;
use crate::validate::{self, Category, gather};

/// A mapping set and a database of it.
pub struct ManagedDatabase {
    set: Set,
    source: SetSource,
    database: Box<dyn Database>,
}

impl std::fmt::Debug for ManagedDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ManagedDatabase({}, {})", self.set.name, self.database.url())
    }
}

impl ManagedDatabase {
    /// Loads a set, a folder or a bundled one by name, and names a database. Without a set the one
    /// that the database's last run names is used, else the one whose migrations it records, else the
    /// only bundled one; without a database the one that the set names. Nothing is changed.
    pub fn open(mappings: Option<&str>, database: Option<&str>) -> Result<Self> {
        let mut selection = Selection::open(mappings, database)?;
        selection.learn(&selection.memory()?)?;
        let (set, source, database) = selection.needing_set()?;
        Ok(Self { set, source, database })
    }

    /// The mapping set.
    pub fn set(&self) -> &Set {
        &self.set
    }

    /// The same set for another database: with the migrations of its engine.
    pub fn set_for(&self, database: &mut dyn Database) -> Result<Set> {
        let mut set = load::load(&self.source)?;
        introduce(database, &mut set);
        Ok(set)
    }

    /// The mapping set, and where it lies.
    pub fn into_set(self) -> (SetSource, Set) {
        (self.source, self.set)
    }

    /// The database.
    pub fn database(&self) -> &dyn Database {
        &*self.database
    }

    /// The database, to be changed.
    pub fn database_mut(&mut self) -> &mut dyn Database {
        &mut *self.database
    }

    /// Where a word leads from where the database stands: to a migration, or, with none, before the first one. It is a
    /// version, its number or its beginning, `head`, `base`, `+1` or `-1`.
    pub fn goal(&self, word: &str) -> Result<Option<usize>> {
        history::goal(&self.set.migrations, &self.standing()?, word)
    }

    /// The state of the schema. Reads only.
    pub fn status(&self) -> Result<Status> {
        let survey = self.survey()?;
        let recorded = survey.as_ref().map_or(&[][..], |survey| &survey.recorded);
        let standing = history::compare(recorded, &self.set.migrations);
        let has = |table: &str| survey.as_ref().is_some_and(|survey| survey.catalog.schema.table(table).is_some());
        let standing = standing.wake(&self.set.migrations, |table| Ok::<_, Error>(has(table)))?;
        let drift = match &survey {
            Some(survey) => self.drift(survey, &standing)?,
            None => Vec::new(),
        };
        let record = survey.as_ref().map(|survey| survey.record_table.clone()).unwrap_or_default();
        Ok(Status {
            set: self.set.name.clone(),
            target: self.database.url().to_owned(),
            exists: survey.is_some(),
            current: standing.current().map(str::to_owned),
            pending: standing.pending().len(),
            version_note: self.version_note(&standing)?,
            took_ms: recorded.iter().filter_map(|record| record.took_ms).sum(),
            record_note: record.words(),
            record_table: record.name,
            standing,
            drift,
        })
    }

    /// What the database is like; there must be one.
    fn existing(&self) -> Result<Survey> {
        self.survey()?.ok_or_else(|| self.database.missing())
    }

    /// What stands in the database, without a look at its rows; there must be one.
    pub fn catalog(&self) -> Result<Catalog> {
        self.database.read()?.ok_or_else(|| self.database.missing())?.catalog()
    }

    /// How the set's migrations stand.
    fn standing(&self) -> Result<Standing> {
        let standing = history::compare(&self.database.recorded()?, &self.set.migrations);
        standing.wake(&self.set.migrations, |table| Ok(self.catalog()?.schema.table(table).is_some()))
    }

    fn survey(&self) -> Result<Option<Survey>> {
        self.database.read()?.map(|reader| reader.survey()).transpose()
    }

    fn drift(&self, survey: &Survey, standing: &Standing) -> Result<Vec<String>> {
        let expected = schema::in_force(&*self.database, &self.set.migrations, standing, &survey.catalog)?;
        let leave = Leave { tables: &self.set.other_tables, additions: false };
        Ok(drift::messages(&expected, &survey.catalog, leave))
    }

    /// What the applied migrations make.
    fn expected(&self, standing: &Standing) -> Result<Catalog> {
        schema::catalog(&*self.database, &gather::applied(&self.set.migrations, standing))
    }

    /// What the application's own record says, where that is not the version that the applied migrations make.
    fn version_note(&self, standing: &Standing) -> Result<Option<String>> {
        let (Some(record), Some(reader)) = (&self.set.version, self.database.read()?) else { return Ok(None) };
        events::version_note(&*reader, record, standing)
    }

    /// What was done to the schema, newest first, at most `limit` events: the audit trail tells it.
    pub fn events(&self, limit: usize) -> Result<Vec<Event>> {
        let Some(reader) = self.database.read()? else { return Ok(Vec::new()) };
        let mut events = events::all(&*reader, &self.set)?;
        events.reverse();
        events.truncate(limit);
        Ok(events)
    }

    /// The recorded migrations, newest first, at most `limit` of them.
    pub fn history(&self, limit: usize) -> Result<Vec<Recorded>> {
        let mut recorded = self.database.recorded()?;
        recorded.reverse();
        recorded.truncate(limit);
        Ok(recorded)
    }

    /// Applies what is pending, up to a migration or all of it, in one transaction. Asks first where
    /// a database is there, naming how many rows would be lost, and makes a backup of it.
    ///
    /// # Errors
    /// When a migration fails: then nothing of any is left but its record.
    pub fn migrate(&mut self, to: Option<usize>, options: &Options<'_>, ui: &dyn Ui) -> Result<Changed> {
        self.migrate_reporting(to, &|_| {}, options, ui)
    }

    /// As [`ManagedDatabase::migrate`]; `report` is called with what would be lost, before it asks.
    pub fn migrate_reporting(
        &mut self,
        to: Option<usize>,
        report: &dyn Fn(&[Loss]),
        options: &Options<'_>,
        ui: &dyn Ui,
    ) -> Result<Changed> {
        self.database.wait_for_locks(options.lock_timeout);
        refuse_another(&*self.database, &self.set)?;
        self.able(options)?;
        let url = self.database.url().to_owned();
        let up = |standing: &Standing| {
            standing.refuse(&url)?;
            standing.up(to).map(|moves| moves.into_iter().map(Move::Up).collect::<Vec<_>>())
        };
        if up(&self.standing()?)?.is_empty() {
            return Ok(Changed::default());
        }
        let assertions = Assertions::of(&self.set, self.database.engine(), Way::Up, options.verify);
        let mut carry = Carry::counting(&self.set, Way::Up);
        if options.dry {
            let mut rehearsed = self.rehearse(&up, &assertions, &carry, ui);
            if rehearsed.is_ok() && carry.moved() > 0 {
                carry = carry.prepared(&*self.database, ui)?;
                rehearsed = self.rehearse(&up, &assertions, &carry, &Quiet);
            }
            return assertions.changed(
                &carry,
                rehearsed.map(|(altered, losses)| {
                    report(&losses);
                    altered
                }),
            );
        }
        // Where the rehearsal fails, the attempt fails as well, and that is recorded. A new database has
        // nothing to lose.
        let rehearsed = if self.database.exists()? {
            self.rehearse(&up, &assertions, &carry, &Quiet)
        } else {
            Ok(Default::default())
        };
        let (losses, failure) = match rehearsed {
            Ok((_, losses)) => (losses, None),
            Err(error) if error.code == Some(ASSERTION.id) => return assertions.changed(&carry, Err(error)),
            Err(error) if error.kind == ErrorKind::Environment => (Vec::new(), Some(error)),
            Err(error) => return Err(error),
        };
        report(&losses);
        let question =
            |moves: &[Move]| format!("apply {}{}", count(moves.len() as u64, "migration"), in_question(&losses));
        let was_rehearsed = |_: &mut dyn Reader| match &failure {
            None => Ok(()),
            Some(error) => Err(Error::environment(format!("the migrations cannot be rehearsed: {}", error.message))
                .at(&url)
                .hint("nothing was changed; without a rehearsal nothing is known of what would be lost")),
        };
        // What fails anyway needs no secret.
        let carry = if failure.is_none() { carry.prepared(&*self.database, ui)? } else { carry };
        let watch = Watch { carry: Some(&carry), assertions: Some(&assertions) };
        let hooks = Hooks { after: Some(&was_rehearsed), watch };
        let done = self.change(&up, "migrate", &question, hooks, options, ui);
        self.with_backup(assertions.changed(&carry, done)?, "after migrate", options)
    }

    /// Rolls applied migrations back, the last one first, in one transaction. First it is rehearsed,
    /// and `tell` hears what would be lost; then it asks, and makes a backup.
    pub fn roll_back(
        &mut self,
        goal: Down,
        tell: &dyn Fn(&[Loss]),
        options: &Options<'_>,
        ui: &dyn Ui,
    ) -> Result<Changed> {
        self.database.wait_for_locks(options.lock_timeout);
        refuse_another(&*self.database, &self.set)?;
        let url = self.database.url().to_owned();
        let down = |standing: &Standing| {
            standing.refuse(&url)?;
            standing.down(goal).map(|moves| moves.into_iter().map(Move::Down).collect::<Vec<_>>())
        };
        self.existing()?;
        self.able(options)?;
        let assertions = Assertions::of(&self.set, self.database.engine(), Way::Back, options.verify);
        let carry = Carry::counting(&self.set, Way::Back);
        let losses = match self.rehearse(&down, &assertions, &carry, &Quiet) {
            Ok((_, losses)) => losses,
            Err(error) => return assertions.changed(&carry, Err(error)),
        };
        tell(&losses);
        let question =
            |moves: &[Move]| format!("roll back {}{}", count(moves.len() as u64, "migration"), in_question(&losses));
        let carry = carry.prepared(&*self.database, ui)?;
        let hooks = Hooks { after: None, watch: Watch { carry: Some(&carry), assertions: Some(&assertions) } };
        let done = self.change(&down, "rollback", &question, hooks, options, ui);
        self.with_backup(assertions.changed(&carry, done)?, "after rollback", options)
    }

    /// Takes an existing database as being at a migration, without running anything: that and earlier
    /// ones are recorded as applied, later ones as not.
    pub fn stamp(&mut self, at: usize, options: &Options<'_>, ui: &dyn Ui) -> Result<Changed> {
        self.database.wait_for_locks(options.lock_timeout);
        if !self.database.exists()? {
            return Err(self.database.missing());
        }
        self.able(options)?;
        let stamp = |standing: &Standing| Ok(stamps(standing, at));
        let version = &self.set.migrations[at].version.clone();
        for difference in self.differs_at(at)? {
            ui.say(&format!("differs from `{version}`: {difference}"));
        }
        let question = |_: &[Move]| format!("mark it as being at `{version}` without running anything");
        let done = self.change(&stamp, "stamp", &question, Hooks::default(), options, ui)?;
        Ok(Changed { steps: done.steps, ..Changed::default() })
    }

    fn change(
        &mut self,
        decide: &dyn Fn(&Standing) -> Result<Vec<Move>>,
        what: &'static str,
        question: &dyn Fn(&[Move]) -> String,
        hooks: Hooks<'_>,
        options: &Options<'_>,
        ui: &dyn Ui,
    ) -> Result<Altered> {
        if let Some(line) = self.database.record_table()?.words() {
            ui.say(&line);
        }
        let recorded = self.database.recorded()?;
        let first = decide(&self.standing()?)?;
        if first.is_empty() {
            return Ok(Altered::default());
        }
        if !options.dry && self.database.exists()? {
            self.agree(&question(&first), options, ui)?;
        }
        let safety = self.safety(what, options, ui)?;
        let done = self.alter(decide, if options.dry { Mode::Dry } else { Mode::Real }, ui, hooks);
        // Another program may have done it all since. After a fault the record tells whether anything
        // was committed; where it cannot be read, that is unknown.
        let unchanged = match &done {
            Ok(altered) => altered.steps.is_empty(),
            Err(_) => self.database.recorded().is_ok_and(|now| now == recorded),
        };
        safety.keep_unless(unchanged);
        done
    }

    fn alter(
        &mut self,
        decide: &dyn Fn(&Standing) -> Result<Vec<Move>>,
        mode: Mode,
        ui: &dyn Ui,
        Hooks { after, watch }: Hooks<'_>,
    ) -> Result<Altered> {
        let run_id = random_id()?;
        let Self { set, database, .. } = self;
        let after = |reader: &mut dyn Reader| {
            after.map_or(Ok(()), |after| after(reader))?;
            watch.verify(reader, set)
        };
        let around = watch.around(set);
        database.alter(&Order {
            mode,
            run_id: &run_id,
            migrations: &set.migrations,
            started: database::now(),
            decide,
            progress: &|done| advance(ui, done),
            warn: &|fault| ui.warn(fault),
            after: Some(&after),
            ids: &|line, rows| with_ids(set, line, rows),
            sealed: watch.sealed(),
            around: around.as_ref().map(|around| around as &dyn Around),
            audit: set.audit.as_ref(),
            version: set.version.as_ref(),
        })
    }

    /// Does it on a private copy.
    fn rehearse(
        &mut self,
        decide: &dyn Fn(&Standing) -> Result<Vec<Move>>,
        assertions: &Assertions,
        carry: &Carry,
        ui: &dyn Ui,
    ) -> Result<(Altered, Vec<Loss>)> {
        let watch = Watch { carry: Some(carry), assertions: Some(assertions) };
        rehearse(&mut *self.database, &self.set, decide, watch, ui)
    }

    /// How the database differs from what the migrations up to this one make.
    fn differs_at(&self, at: usize) -> Result<Vec<String>> {
        let expected = schema::catalog(&*self.database, &self.set.migrations[..=at])?;
        let leave = Leave { tables: &self.set.other_tables, additions: true };
        Ok(drift::messages(&expected, &self.catalog()?, leave))
    }

    /// Asks, naming the database, its rows, what is to be done and the backup.
    fn agree(&self, what: &str, options: &Options<'_>, ui: &dyn Ui) -> Result<()> {
        let rows = count(self.database.rows()?, "row");
        let (url, backup) = (self.database.url(), options.before.in_words());
        if ui.confirm(&format!("{url} has {rows}: {what}, {backup}?"))? {
            Ok(())
        } else {
            Err(Error::request("not confirmed, nothing was changed"))
        }
    }

    /// The backup before a change; none before a dry run.
    fn safety<'c>(&self, what: &'static str, options: &Options<'_>, ui: &'c dyn Ui) -> Result<backup::Safety<'c>> {
        backup::before(&*self.database, what, &self.backup(options), ui)
    }

    /// Makes the backup behind a change, where one was asked for. The change is committed, whatever comes of that.
    fn with_backup(&self, mut changed: Changed, reason: &str, options: &Options<'_>) -> Result<Changed> {
        if options.backup_behind && !options.dry && !changed.steps.is_empty() {
            let making = Making {
                folder: options.before.folder,
                packing: Packing::None,
                reason,
                set: Some(&self.set.name),
                is_changed_next: false,
            };
            changed.backup = Some(match backup::create(&*self.database, &making) {
                Ok(made) => Behind { path: Some(made.path), error: None, status: 0 },
                Err(error) => Behind { path: None, error: Some(error.message.clone()), status: error.status() },
            });
        }
        Ok(changed)
    }

    /// The same set with a copy of the database at this URL, made now. Asks before it replaces what is there.
    ///
    /// # Errors
    /// When there is no database, or it is the one at that URL.
    pub fn copied_to(mut self, url: &str, options: &Options<'_>, ui: &dyn Ui) -> Result<Self> {
        let mut copy = database::open(url)?;
        introduce(&mut *copy, &mut self.set);
        copy.wait_for_locks(options.lock_timeout);
        backup::copy(&*self.database, &mut *copy, &self.backup(options), ui)?;
        Ok(Self { database: copy, ..self })
    }

    /// Makes sure that this backup can be made.
    fn able(&self, options: &Options<'_>) -> Result<()> {
        backup::able(&*self.database, &self.backup(options))
    }

    fn backup<'b>(&'b self, options: &Options<'b>) -> backup::Before<'b> {
        let Options { dry, before, .. } = options;
        backup::Before { skip: *dry || before.skip, set: Some(&self.set.name), ..before.clone() }
    }

    /// Validates the database, in the wanted categories (none for all).
    pub fn validate(&self, wanted: &[Category]) -> Result<Vec<CheckReport>> {
        validate::database(&*self.database, &self.set, wanted)
    }

    /// Moves rows that reference a missing row into `treelift_orphans`, after a backup. Asks first.
    pub fn fix_orphans(&mut self, options: &Options<'_>, ui: &dyn Ui) -> Result<Vec<Moved>> {
        self.database.wait_for_locks(options.lock_timeout);
        self.able(options)?;
        let references = gather::references(&self.set, &self.catalog()?.schema);
        let run_id = random_id()?;
        let order = |mode| MoveOrphans {
            mode,
            run_id: &run_id,
            started: database::now(),
            references: &references,
            audit: self.set.audit.as_ref(),
        };
        let planned = self.database.move_orphans(&order(Mode::Dry))?;
        if options.dry || planned.is_empty() {
            return Ok(planned);
        }
        let rows = count(planned.iter().map(|moved| moved.rows).sum(), "row");
        self.agree(&format!("move {rows} into `treelift_orphans`"), options, ui)?;
        let safety = self.safety("moving orphans", options, ui)?;
        let done = self.database.move_orphans(&order(Mode::Real));
        safety.keep_unless(done.as_ref().is_ok_and(Vec::is_empty));
        done
    }

    /// What is there and no migration makes, or the other way round, as a migration.
    pub fn drift_as_migration(&self) -> Result<(String, String)> {
        let live = self.database.read()?.ok_or_else(|| self.database.missing())?.catalog_in_sql()?;
        let standing = self.standing()?;
        if let Some(pending) = standing.pending().first() {
            let version = &self.set.migrations[*pending].version;
            return Err(Error::request(format!("migration `{version}` is pending, so drift cannot be determined"))
                .at(self.database.url())
                .hint("apply it with `schema migrate`, or `schema stamp` the database, first"));
        }
        let expected = self.expected(&standing)?;
        let leave = Leave { tables: &self.set.other_tables, additions: false };
        Ok(database::drift_sql::migration(&expected, &live, leave))
    }
}

/// Who looks on while the schema is changed.
#[derive(Clone, Copy, Default)]
struct Hooks<'h> {
    after: Option<Look<'h>>,
    watch: Watch<'h>,
}

/// What must be recorded so that the database is at a migration. Where the tables of the last that is applied were found,
/// it is recorded anew: that the database is at it and no further is what the user says.
fn stamps(standing: &Standing, at: usize) -> Vec<Move> {
    let last = standing.applied().into_iter().rfind(|last| *last <= at);
    let moves = standing.steps.iter().enumerate().filter_map(|(i, step)| match (i <= at, step.state) {
        (true, State::Applied) if Some(i) == last && step.origin == Some(Origin::Found) => Some(Move::Stamp(i)),
        (true, State::Applied | State::NotNeeded) => None,
        (true, _) => Some(Move::Stamp(i)),
        (false, State::Applied) => Some(Move::Unstamp(i)),
        (false, _) => None,
    });
    moves.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::history::Step;

    #[test]
    fn a_stamp_records_earlier_migrations_and_unrecords_later_ones() {
        let step = |state| Step { version: String::new(), description: String::new(), state, origin: None };
        let steps = vec![step(State::Applied), step(State::Pending), step(State::Failed), step(State::Applied)];
        let standing = Standing { steps, faults: Vec::new() };
        assert_eq!(stamps(&standing, 2), [Move::Stamp(1), Move::Stamp(2), Move::Unstamp(3)]);
        assert_eq!(stamps(&standing, 0), [Move::Unstamp(3)]);
        assert_eq!(stamps(&standing, 3), [Move::Stamp(1), Move::Stamp(2)]);
    }

    #[test]
    fn a_stamp_says_that_a_database_is_at_a_migration_whose_tables_were_found() {
        let step = |origin| Step {
            version: String::new(),
            description: String::new(),
            state: State::Applied,
            origin: Some(origin),
        };
        let standing =
            Standing { steps: [Origin::Found, Origin::Found, Origin::Foreign].map(step).into(), faults: Vec::new() };
        assert_eq!(stamps(&standing, 1), [Move::Stamp(1), Move::Unstamp(2)]);
        assert_eq!(stamps(&standing, 2), []);
    }
}
