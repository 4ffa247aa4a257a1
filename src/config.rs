//! The options of a job, and its interface to the user; no terminal in them.

use crate::database::Mode;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::mapping::model::OnExisting;
use crate::plan_id::PlanId;
use crate::secret::keys::Secret;
use std::path::PathBuf;
use std::time::Duration;

/// The options of `import`.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The data folder or its parent.
    pub source: PathBuf,
    /// `--mappings`: a bundled set's name or a folder; else a bundled set that recognises the tree.
    pub mappings: Option<String>,
    /// The target's URL; else the set's default.
    pub database: Option<String>,
    /// Real or dry.
    pub mode: Mode,
    /// `--report`: files to write the report into; the extension (`.json`, `.html`) is the format.
    pub reports: Vec<PathBuf>,
    /// `--rejects`: the folder for rejected records.
    pub rejects: Option<PathBuf>,
    /// `--max-rejects`: how many records (or broken files) may be rejected, the rest being committed.
    pub max_rejects: u64,
    /// `--set-aside`: whatever cannot be imported goes into the reject folder, and the rest is committed.
    pub set_aside: bool,
    /// `--verify`: every row is read back before the commit, and compared with what the source said.
    pub verify: bool,
    /// `--replay`: the reject folder of an earlier run; what it names is imported again, and nothing else.
    pub replay: Option<PathBuf>,
    /// `--only-mapping`; empty for all.
    pub only_mapping: Vec<String>,
    /// `--with`: optional mappings to read in this run.
    pub with: Vec<String>,
    /// `--only-owner`: directory names or ids; empty for all.
    pub only_owner: Vec<String>,
    /// `--existing`: what happens to rows that the database has already and that differ, where a rule says nothing;
    /// `Refuse` goes before what rules say.
    pub existing: Option<OnExisting>,
    /// `--reread`: files are read though they are as an earlier import read them.
    pub reread: bool,
    /// `--owner`: the owner of files that name no owner.
    pub owner: Option<String>,
    /// `--plan`: the plan that the import is held to.
    pub plan: Option<PlanId>,
    /// `--no-backup`: write into an existing database without a backup.
    pub no_backup: bool,
    /// `--backup-dir`: where the backup goes; else `backups` beside the database, or in the working directory.
    pub backup_dir: Option<PathBuf>,
    /// `--allow-empty`: a run that imports nothing, or nothing of any owner, is not refused.
    pub allow_empty: bool,
    /// `--max-depth`: how deep values may be nested (1 to 127).
    pub max_depth: u32,
    /// To how many bytes a packed file may unpack.
    pub max_unpacked: u64,
    /// `--jobs`: how many threads work at once; else one for each core, at most 4. What is written does not depend on
    /// it.
    pub jobs: Option<u16>,
    /// `--lock-timeout`: how long locks of other programs are waited for; zero is without end.
    pub lock_timeout: Option<Duration>,
    /// Files that no output may be written to: the key or passphrase file, the log. Each with its name in
    /// messages.
    pub in_use: Vec<(&'static str, PathBuf)>,
}

impl ImportOptions {
    /// An import of this folder as the command line does it where nothing else is said: a real one, whose set and database
    /// are found, that accepts no reject and backs an existing database up.
    pub fn of(source: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            mappings: None,
            database: None,
            mode: Mode::Real,
            reports: Vec::new(),
            rejects: None,
            max_rejects: 0,
            set_aside: false,
            verify: false,
            replay: None,
            only_mapping: Vec::new(),
            with: Vec::new(),
            only_owner: Vec::new(),
            existing: None,
            reread: false,
            owner: None,
            plan: None,
            no_backup: false,
            backup_dir: None,
            allow_empty: false,
            max_depth: 64,
            max_unpacked: 4 << 30,
            jobs: None,
            lock_timeout: None,
            in_use: Vec::new(),
        }
    }

    /// Whether the import prints a plan, or is held to one.
    pub fn is_planned(&self) -> bool {
        (self.mode == Mode::Dry && self.replay.is_none()) || self.plan.is_some()
    }

    /// How many threads work at once.
    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_JOBS));
        self.jobs.map_or_else(cores, usize::from).max(1)
    }
}

/// More threads than these would wait for the one that writes.
const MOST_JOBS: usize = 4;

/// The phase of a job, for a progress display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Walking the tree.
    Walk,
    /// Collecting secret values for the leak proof.
    Sweep,
    /// Reading files for the keys of their rows, before the rows are made.
    Ahead,
    /// Reading, mapping and writing.
    Import,
    /// Copying rows into another database.
    Transfer,
    /// Writing rows down.
    Export,
    /// Opening and sealing values.
    Seal,
    /// Checking the target.
    Check,
    /// Committing, or rolling back.
    Finish,
}

/// How much a job needs the passphrase or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretNeed {
    /// A new key will be made with it.
    Create,
    /// An existing key will be opened with it.
    Open,
    /// It is used if it was given, and never asked for.
    IfGiven,
    /// It is used if it was given, and asked for on a terminal.
    IfAttended,
}

/// The user interface of a job: it shows progress and asks questions.
pub trait Ui: Sync {
    /// A phase begins; `files` (of [`Phase::Seal`]: values; of [`Phase::Transfer`] and [`Phase::Export`]: rows) and `bytes` are its totals where they are known.
    fn phase(&self, phase: Phase, files: u64, bytes: u64);
    /// Adds to what is done of the phase.
    fn advance(&self, files: u64, bytes: u64);
    /// The signal that asked to stop, if one did.
    fn interrupted(&self) -> Option<i32>;
    /// Asks before an existing database is changed. `false` ends the job.
    fn confirm(&self, question: &str) -> Result<bool>;
    /// The passphrase or key; asked at most once.
    fn secret(&self, need: SecretNeed) -> Result<Option<Secret>>;
    /// The passphrase or key that replaces the old one; asked at most once.
    fn new_secret(&self) -> Result<Secret> {
        Err(Error::bug("this user interface cannot give a new passphrase or key"))
    }
    /// A message for the user, such as which set was chosen.
    fn say(&self, line: &str);
    /// A fault that does not end the job, such as a report that cannot be written after the commit.
    fn warn(&self, fault: &Error) {
        self.say(&format!("warning: {fault}"));
    }
}

/// The interface of jobs without a user: it shows nothing, answers yes, has no secret, and heeds signals where the
/// program listens to them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Ui for Quiet {
    fn phase(&self, _phase: Phase, _files: u64, _bytes: u64) {}

    fn advance(&self, _files: u64, _bytes: u64) {}

    fn interrupted(&self) -> Option<i32> {
        interrupt::asked()
    }

    fn confirm(&self, _question: &str) -> Result<bool> {
        Ok(true)
    }

    fn secret(&self, _need: SecretNeed) -> Result<Option<Secret>> {
        Ok(None)
    }

    fn say(&self, _line: &str) {}
}
