//! What a database records of its migrations, compared with the available migrations. Pure: nothing
//! here reads or changes anything.

use super::Migration;
use crate::error::{Error, Result};
use crate::mapping::suggest;
use crate::report::words::count;
pub use crate::table::OWN_RECORD;
use crate::table::VersionRecord;
use std::fmt;

/// The record of migrations, as SQLAlchemy applications keep it.
pub const RECORD: &str = "schema_migrations";

/// The table that records a database's migrations, also where there is none yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordTable {
    /// Its name.
    pub name: String,
    /// Why it is this one.
    pub why: RecordReason,
}

/// Why migrations are recorded in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordReason {
    /// It has the usual name, [`RECORD`].
    Usual,
    /// The set names it (`migrations_table`).
    Named,
    /// Another program's table has the usual name.
    Foreign,
    /// The database has a record, and the set now names this table (or none) for it.
    Kept(Option<String>),
}

impl Default for RecordTable {
    fn default() -> Self {
        Self { name: RECORD.to_owned(), why: RecordReason::Usual }
    }
}

impl RecordTable {
    /// What is said of it, where it is not the one that the set lets expect.
    pub fn words(&self) -> Option<String> {
        let name = &self.name;
        match &self.why {
            RecordReason::Usual | RecordReason::Named => None,
            RecordReason::Foreign => Some(format!(
                "`{RECORD}` belongs to another program and is left alone: migrations are recorded in `{name}`"
            )),
            RecordReason::Kept(Some(named)) => Some(format!(
                "this database already records its migrations in `{name}`, which stays so: `migrations_table = \"{named}\"` of set.toml is for new databases"
            )),
            RecordReason::Kept(None) => Some(format!(
                "this database already records its migrations in `{name}`, which stays so: set.toml no longer names a table for them"
            )),
        }
    }
}

/// An application's record of its version that has more than the one row.
pub(super) fn several_versions(record: &VersionRecord, place: &str) -> Error {
    let table = &record.table;
    Error::environment(format!(
        "`{table}` has several rows where the version of the schema should stand; nothing was changed"
    ))
    .at(place)
    .hint("remove those that are wrong, or name the row under `row` of `[version]` in set.toml")
}

/// A row of the record of migrations.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Recorded {
    /// The version.
    pub version: String,
    /// What it does.
    pub description: Option<String>,
    /// How it stands.
    pub status: Status,
    /// When it was applied (or failed), as stored: UTC where treelift wrote it.
    pub applied_at: Option<String>,
    /// How long it took.
    pub took_ms: Option<i64>,
    /// SHA-256 of its up file.
    pub checksum: Option<String>,
    /// When it was rolled back.
    pub rolled_back_at: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who recorded it, and why.
    pub origin: Origin,
}

/// The stored word for [`Status::NotNeeded`].
pub(super) const NOT_NEEDED: &str = "not_needed";

/// How a recorded migration stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its work stands in the database.
    Applied,
    /// It was tried, and nothing of it stands.
    Failed,
    /// It was applied and rolled back.
    RolledBack,
    /// The table that it is for was not there.
    NotNeeded,
    /// A word of another program.
    #[serde(untagged)]
    Other(String),
}

impl Status {
    /// Reads the stored word.
    pub fn of(word: &str) -> Self {
        match word {
            "applied" => Self::Applied,
            "failed" => Self::Failed,
            "rolled_back" => Self::RolledBack,
            NOT_NEEDED => Self::NotNeeded,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::RolledBack => "rolled back",
            Self::NotNeeded => "not needed",
            Self::Other(word) => word,
        })
    }
}

/// Who recorded a migration, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// treelift ran it.
    Ran,
    /// An import found its tables there already.
    Found,
    /// `schema stamp` recorded it.
    Stamped,
    /// Another program recorded it; its checksum is of a file of its own.
    Foreign,
}

impl Origin {
    /// Reads `metadata_json` of a record.
    pub(super) fn of(metadata: Option<&str>) -> Self {
        let metadata: Option<serde_json::Value> = metadata.and_then(|text| serde_json::from_str(text).ok());
        let word = |key: &str| metadata.as_ref().and_then(|metadata| metadata.get(key)?.as_str().map(str::to_owned));
        match (word("by"), word("origin").as_deref()) {
            (Some(by), origin) if by.starts_with("treelift ") => match origin {
                Some("found") => Self::Found,
                Some("stamped") => Self::Stamped,
                _ => Self::Ran,
            },
            _ => Self::Foreign,
        }
    }

    /// Writes `metadata_json` of a record.
    pub(super) fn metadata(self, migration: &Migration) -> String {
        let mut metadata = serde_json::json!({
            "by": concat!("treelift ", env!("CARGO_PKG_VERSION")),
            "dependencies": migration.depends,
            "path": migration.path,
        });
        match self {
            Self::Found => metadata["origin"] = "found".into(),
            Self::Stamped => metadata["origin"] = "stamped".into(),
            Self::Ran | Self::Foreign => {}
        }
        metadata.to_string()
    }
}

/// A database's record compared with a set's migrations.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Standing {
    /// The set's migrations, in order.
    pub steps: Vec<Step>,
    /// Where record and files disagree.
    pub faults: Vec<Fault>,
}

/// A migration of the set, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// The version.
    pub version: String,
    /// What it does.
    pub description: String,
    /// `applied`, or why it is pending.
    pub state: State,
    /// Who recorded it, if it is recorded.
    pub origin: Option<Origin>,
}

/// How a migration of the set stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its work stands in the database.
    Applied,
    /// It was never tried.
    Pending,
    /// It is pending: it was tried, and failed.
    Failed,
    /// It is pending: it was rolled back.
    RolledBack,
    /// The table that it is for is not there.
    NotNeeded,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Failed => "failed, pending",
            Self::RolledBack => "rolled back, pending",
            Self::NotNeeded => "not needed",
        })
    }
}

/// A disagreement between the record and the files.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// What kind of disagreement.
    pub fault: FaultKind,
    /// The migration.
    pub version: String,
}

/// A kind of disagreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The file was changed after it had been applied.
    Changed,
    /// The set lost the file of a migration that later ones, which it has, came after.
    Missing,
    /// The database has a migration that comes after all of the set's.
    Newer,
    /// Another program recorded a migration that the set does not have.
    Unknown,
}

/// What an application calls a version of its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'r> {
    /// This.
    Is(&'r str),
    /// Migrations are applied, and the application has no name for any.
    Unknown,
    /// Nothing is applied.
    Nothing,
}

impl Standing {
    /// Has a migration stand otherwise from now on.
    pub(super) fn note(&mut self, at: usize, state: State, origin: Origin) {
        let step = &mut self.steps[at];
        (step.state, step.origin) = (state, Some(origin));
    }

    /// Whether the record tells that a migration which is not applied has not run: treelift noted that of it, or knows all
    /// that is applied. Where tables were found, or nothing is recorded, the application may be further than the record;
    /// a stamp says that it is not. Another program is believed to record all that it does, if the set knows all of it.
    pub(super) fn tells(&self, at: usize) -> bool {
        let applied = || self.steps.iter().rev().filter(|step| step.state == State::Applied).map(|step| step.origin);
        let is_known = |origin: Option<Origin>| match origin {
            Some(Origin::Ran | Origin::Stamped) => true,
            Some(Origin::Foreign) => self.faults.iter().all(|fault| fault.fault != FaultKind::Unknown),
            Some(Origin::Found) | None => false,
        };
        let is_all_known = || applied().take_while(|origin| *origin != Some(Origin::Stamped)).all(is_known);
        self.is_noted(at) || applied().next().is_some() && is_all_known()
    }

    /// Whether treelift noted of a migration that it is not applied: it was rolled back, failed or was not needed.
    pub(super) fn is_noted(&self, at: usize) -> bool {
        let step = &self.steps[at];
        matches!(step.state, State::RolledBack | State::Failed) || step.origin == Some(Origin::Ran)
    }

    /// Whether the user said which version the database has, and what is applied after that has been run.
    pub(super) fn is_said(&self) -> bool {
        let last = self.steps.iter().rfind(|step| step.state == State::Applied);
        last.is_some_and(|last| last.origin == Some(Origin::Stamped))
    }

    /// How many of the first migrations are applied or not needed.
    pub(super) fn leading(&self) -> usize {
        self.steps.iter().take_while(|step| matches!(step.state, State::Applied | State::NotNeeded)).count()
    }

    /// The last that is applied.
    pub(super) fn last(&self) -> Option<usize> {
        self.steps.iter().rposition(|step| step.state == State::Applied)
    }

    /// What the application calls the version that the applied migrations make.
    pub fn name_in<'r>(&self, record: &'r VersionRecord) -> Named<'r> {
        let applied = || self.steps.iter().rev().filter(|step| step.state == State::Applied);
        let mut named = applied().filter_map(|step| record.names.iter().find(|(version, _)| *version == step.version));
        match named.next() {
            Some((_, name)) => Named::Is(name),
            None if applied().next().is_none() => Named::Nothing,
            None => Named::Unknown,
        }
    }
}

impl Fault {
    /// Whether nothing may be migrated or imported while it is there.
    pub fn is_fatal(&self) -> bool {
        self.fault != FaultKind::Unknown
    }

    /// What can be done about it.
    fn hint(&self) -> &'static str {
        match self.fault {
            FaultKind::Changed => "revert the change, and write a new migration instead",
            FaultKind::Missing => "restore the file; `schema history` shows when it was applied",
            FaultKind::Newer => "use the mapping set that made it, or a newer one",
            FaultKind::Unknown => "it is left alone",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let migration = format!("migration `{}`", self.version);
        match self.fault {
            FaultKind::Changed => write!(f, "{migration} was changed after it had been applied to this database"),
            FaultKind::Missing => {
                write!(f, "{migration} was applied to this database, but its file is missing from the mapping set")
            }
            FaultKind::Newer => write!(
                f,
                "the database is newer than the mapping set, or belongs to another set: it has the {migration}, which the set does not"
            ),
            FaultKind::Unknown => {
                write!(f, "another program recorded a {migration}, which the mapping set does not have")
            }
        }
    }
}

/// Compares a record, in the order it was written, with the available migrations.
pub fn compare(recorded: &[Recorded], available: &[Migration]) -> Standing {
    let of = |version: &str| recorded.iter().find(|record| record.version == version);
    let steps = available
        .iter()
        .map(|migration| {
            let record = of(&migration.version);
            Step {
                version: migration.version.clone(),
                description: migration.description.clone(),
                state: match record.map(|record| &record.status) {
                    Some(Status::Applied) => State::Applied,
                    Some(Status::Failed) => State::Failed,
                    Some(Status::RolledBack) => State::RolledBack,
                    Some(Status::NotNeeded) => State::NotNeeded,
                    None | Some(Status::Other(_)) => State::Pending,
                },
                origin: record.map(|record| record.origin),
            }
        })
        .collect();
    let applied = || recorded.iter().enumerate().filter(|(_, record)| record.status == Status::Applied);
    let known = |record: &Recorded| available.iter().find(|migration| migration.version == record.version);
    let last_known = applied().filter(|(_, record)| known(record).is_some()).map(|(at, _)| at).max();
    let fault = |(at, record): (usize, &Recorded)| {
        let fault = match known(record) {
            Some(_) if record.origin == Origin::Foreign => return None,
            Some(file) if record.checksum.as_deref() == Some(&file.checksum) => return None,
            Some(_) => FaultKind::Changed,
            None if record.origin == Origin::Foreign => FaultKind::Unknown,
            None if last_known.is_some_and(|last| at < last) => FaultKind::Missing,
            None => FaultKind::Newer,
        };
        Some(Fault { fault, version: record.version.clone() })
    };
    Standing { faults: applied().filter_map(fault).collect(), steps }
}

impl Standing {
    /// The last applied migration in the set's order.
    pub fn current(&self) -> Option<&str> {
        self.steps.iter().rfind(|step| step.state == State::Applied).map(|step| step.version.as_str())
    }

    /// The positions of the migrations that are not applied.
    pub fn pending(&self) -> Vec<usize> {
        self.with(|state| !matches!(state, State::Applied | State::NotNeeded))
    }

    /// Has those pending that were not needed and are now, since `has` their table.
    ///
    /// # Errors
    /// Those of `has`, which is asked only where one was not needed.
    pub fn wake<E>(
        mut self,
        migrations: &[Migration],
        mut has: impl FnMut(&str) -> std::result::Result<bool, E>,
    ) -> std::result::Result<Self, E> {
        for (step, migration) in self.steps.iter_mut().zip(migrations) {
            if step.state == State::NotNeeded
                && let Some(table) = &migration.only_with
                && has(table)?
            {
                step.state = State::Pending;
            }
        }
        Ok(self)
    }

    /// The positions of the migrations that are applied.
    pub fn applied(&self) -> Vec<usize> {
        self.with(|state| state == State::Applied)
    }

    fn with(&self, wanted: impl Fn(State) -> bool) -> Vec<usize> {
        (0..self.steps.len()).filter(|&at| wanted(self.steps[at].state)).collect()
    }

    /// Whether treelift keeps this database's schema: it ran a migration on it, or it was
    /// stamped. A database that only was found to have the tables stays as it is.
    pub fn is_kept(&self) -> bool {
        let ours = |step: &Step| matches!(step.origin, Some(Origin::Ran | Origin::Stamped));
        self.steps.iter().any(|step| step.state == State::Applied && ours(step))
    }

    /// What forbids any change, all of it at once.
    pub fn refuse(&self, place: impl fmt::Display) -> Result<()> {
        let fatal = self.faults.iter().filter(|fault| fault.is_fatal());
        let errors =
            fatal.map(|fault| Error::environment(fault.to_string()).at(&place).hint(fault.hint())).collect::<Vec<_>>();
        Error::all(errors).map_or(Ok(()), Err)
    }

    /// The pending migrations up to one, or all of them.
    pub fn up(&self, to: Option<usize>) -> Result<Vec<usize>> {
        let Some(to) = to else { return Ok(self.pending()) };
        let beyond: Vec<usize> = self.applied().into_iter().filter(|&at| at > to).collect();
        if let Some(&beyond) = beyond.last() {
            return Err(Error::request(format!(
                "the database is at `{}`, past `{}`",
                self.steps[beyond].version, self.steps[to].version
            ))
            .hint("to go back, use `schema rollback --to VERSION`"));
        }
        Ok(self.pending().into_iter().filter(|&at| at <= to).collect())
    }

    /// The applied migrations to roll back, the last one first.
    pub fn down(&self, goal: Down) -> Result<Vec<usize>> {
        let mut applied = self.applied();
        applied.reverse();
        match goal {
            Down::All => Ok(applied),
            Down::Steps(steps) if steps > applied.len() => {
                Err(Error::request(format!("only {} can be rolled back", count(applied.len() as u64, "migration"))))
            }
            Down::Steps(steps) => Ok(applied.into_iter().take(steps).collect()),
            Down::To(to) if !matches!(self.steps[to].state, State::Applied | State::NotNeeded) => {
                Err(Error::request(format!("the database is not past `{}`", self.steps[to].version))
                    .hint("`schema status` shows its version"))
            }
            Down::To(to) => Ok(applied.into_iter().filter(|&at| at > to).collect()),
        }
    }
}

/// How far to go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Down {
    /// To this migration, which stays.
    To(usize),
    /// So many.
    Steps(usize),
    /// To nothing.
    All,
}

/// Where a word leads from where a database stands: to a migration as [`find`] knows it, to `head`, the last one, to
/// `base`, before the first one (`None`), or so many on or back: `+1`, `-2`.
///
/// # Errors
/// When there is no such migration, or the database has not so many before or behind it.
pub fn goal(available: &[Migration], standing: &Standing, word: &str) -> Result<Option<usize>> {
    if available.iter().any(|migration| migration.version == word) {
        return find(available, word).map(Some);
    }
    let relative = |sign: char| word.strip_prefix(sign).and_then(|steps| steps.parse::<usize>().ok());
    let too_many = |there: usize, what: &str| {
        let hint = "`schema status` lists them";
        Err(Error::request(format!("`{word}`: {} {what}", count(there as u64, "migration"))).hint(hint))
    };
    let (applied, pending) = (standing.applied(), standing.pending());
    match (word, relative('+'), relative('-')) {
        ("head", ..) if !available.is_empty() => Ok(Some(available.len() - 1)),
        ("base", ..) => Ok(None),
        (_, Some(steps), _) if steps > pending.len() => too_many(pending.len(), "can be applied"),
        (_, Some(0), _) | (_, _, Some(0)) => Ok(applied.last().copied()),
        (_, Some(steps), _) => Ok(Some(pending[steps - 1])),
        (_, _, Some(steps)) if steps > applied.len() => too_many(applied.len(), "can be rolled back"),
        (_, _, Some(steps)) => Ok(applied.len().checked_sub(steps + 1).map(|at| applied[at])),
        _ => find(available, word).map(Some),
    }
}

/// The migration that a word means: its version, its number (`003`, `v3`), or the start of one alone.
pub fn find(available: &[Migration], word: &str) -> Result<usize> {
    let exact = available.iter().position(|migration| migration.version == word);
    let number = |text: &str| {
        let digits = text.trim_start_matches(['v', 'V']);
        let digits = &digits[..digits.bytes().take_while(u8::is_ascii_digit).count()];
        digits.parse::<u32>().ok()
    };
    let is_number = word.trim_start_matches(['v', 'V']).bytes().all(|byte| byte.is_ascii_digit());
    let meant: Vec<usize> = (0..available.len())
        .filter(|&at| {
            let version = &available[at].version;
            if is_number {
                number(word).is_some() && number(version) == number(word)
            } else {
                version.starts_with(word) || version.trim_start_matches('v').starts_with(word)
            }
        })
        .collect();
    match (exact, meant.as_slice()) {
        (Some(at), _) => Ok(at),
        (None, [at]) => Ok(*at),
        _ => {
            let versions: Vec<_> = available.iter().map(|migration| format!("`{}`", migration.version)).collect();
            let error = Error::request(format!("the mapping set has no migration `{word}`"));
            let nearest = suggest::nearest(word, available.iter().map(|migration| migration.version.as_str()));
            Err(error.hint(nearest.map_or_else(|| format!("it has {}", versions.join(", ")), suggest::meant)))
        }
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
