//! What the set's assertions say before a change of its schema and behind it.

use crate::credentials::carry::{Carry, Way};
use crate::database::Reader;
use crate::database::done::{Altered, Done, Followed};
use crate::database::history::Standing;
use crate::database::order::{Around, Looking};
use crate::error::{Error, Result};
use crate::finding::ASSERTION;
use crate::mapping::model::{Gives, Set};
use crate::report::{CheckReport, CheckStatus};
use crate::validate;
use crate::validate::answers::{self, Answer};
use crate::validate::checks::{OF_THE_FILE, integrity};
use crate::validate::isolation::with_isolation;
use crate::validate::places;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What came of a change of the schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Changed {
    /// Step by step.
    pub steps: Vec<Done>,
    /// What the set's assertions say of it.
    pub checks: Vec<CheckReport>,
    /// Whether the set asserts anything; else the rows of each table say what changed.
    #[serde(skip)]
    pub asserts: bool,
    /// How many rows the application's tables had and have.
    pub tables: Vec<TableCount>,
    /// How many sealed values have another table, column or key, and were sealed for it.
    pub resealed: u64,
    /// What became of the ledger's rows.
    pub ledger: Followed,
    /// Whether a check does not hold, so that nothing was changed.
    pub refused: bool,
    /// What came of the backup behind it, where one was asked for and there was a change.
    pub backup: Option<Behind>,
}

/// A backup that is made once a change is committed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Behind {
    /// Where it is; none where it was not made.
    pub path: Option<PathBuf>,
    /// Why it was not made.
    pub error: Option<String>,
    /// The exit status for it.
    #[serde(skip)]
    pub status: u8,
}

/// How many rows a table had before a change of the schema, and has behind it: none where it is not there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TableCount {
    /// The table.
    pub table: String,
    /// Before.
    pub before: Option<u64>,
    /// Behind.
    pub after: Option<u64>,
}

/// Asks a set's assertions around a change, and refuses one that breaks them.
pub(super) struct Assertions {
    set: Set,
    engine: &'static str,
    /// Whether the database must be intact before, and pass as a whole behind.
    verifies: bool,
    /// Whether what does not hold before is no reason to change nothing: the way back must stay open.
    is_way_back: bool,
    told: RefCell<Told>,
}

#[derive(Default)]
struct Told {
    counts: BTreeMap<String, u64>,
    answers: Vec<Answer>,
    checks: Vec<CheckReport>,
    tables: Vec<TableCount>,
    /// What failed of the whole before, in the same words, where that is no reason to change nothing.
    failed: Vec<(String, Option<String>)>,
}

impl Assertions {
    pub(super) fn of(set: &Set, engine: &'static str, way: Way, verifies: bool) -> Self {
        Self { set: of_assertions(set), engine, verifies, is_way_back: way == Way::Back, told: RefCell::default() }
    }

    /// Notes what of the whole fails before a change, where the way back must stay open all the same.
    pub(super) fn note_failures(&self, reader: &mut dyn Reader, set: &Set) -> Result<()> {
        if self.verifies && self.is_way_back {
            let checks = validate::opened(reader, set, &[])?.into_iter();
            let failed = checks.filter(|check| check.status == CheckStatus::Failed);
            self.told.borrow_mut().failed = failed.map(|check| (check.name, check.detail)).collect();
        }
        Ok(())
    }

    /// Validates what the change has made, but for what was asked already.
    ///
    /// # Errors
    /// When a check fails: what it says is told.
    pub(super) fn verify(&self, reader: &mut dyn Reader, set: &Set) -> Result<()> {
        if !self.verifies {
            return Ok(());
        }
        let told = &mut *self.told.borrow_mut();
        let mut checks = validate::opened(reader, set, &[])?;
        checks.retain(|check| told.checks.iter().all(|asked| asked.name != check.name));
        for check in checks.iter_mut().filter(|check| check.status == CheckStatus::Failed) {
            if check.name == OF_THE_FILE {
                excuse(check, "no change of the schema is the reason");
            } else if told.failed.contains(&(check.name.clone(), check.detail.clone())) {
                excuse(check, "it failed before too");
            }
        }
        let failed = checks.iter().any(|check| check.status == CheckStatus::Failed);
        told.checks.append(&mut checks);
        if failed { Err(refusal()) } else { Ok(()) }
    }

    /// The change with what was said of it; an error where something else ended it.
    pub(super) fn changed(&self, carry: &Carry, done: Result<Altered>) -> Result<Changed> {
        let Told { checks, tables, .. } = self.told.take();
        let refused = checks.iter().any(|check| check.status == CheckStatus::Failed);
        let Altered { steps, ledger } = match done {
            Ok(altered) => altered,
            Err(error) if refused && error.code == Some(ASSERTION.id) => Altered::default(),
            Err(error) => return Err(error),
        };
        let resealed = if steps.is_empty() { 0 } else { carry.moved() };
        let asserts = !self.set.assertions.is_empty() || self.set.isolation.is_some();
        Ok(Changed { steps, checks, asserts, tables, resealed, ledger, refused, backup: None })
    }
}

impl Assertions {
    fn ask(&self, database: &mut dyn Looking, standing: &Standing) -> Result<Vec<Answer>> {
        let tables = if self.set.isolation.is_some() { database.tables()? } else { Vec::new() };
        let assertions = with_isolation(&self.set, &tables.iter().collect::<Vec<_>>());
        let mut answers = answers::ask(&assertions, standing, self.engine, database.reader())?;
        places::note(&mut answers, database.reader())?;
        Ok(answers)
    }
}

/// What a set asserts, and nothing else of it.
fn of_assertions(set: &Set) -> Set {
    Set { assertions: set.assertions.clone(), isolation: set.isolation.clone(), ..Set::default() }
}

impl Around for Assertions {
    fn before(&self, database: &mut dyn Looking, standing: &Standing) -> Result<()> {
        let counts = database.counts()?;
        let answers = self.ask(database, standing)?;
        let wrong = |answer: &&Answer| answer.gives == Gives::None && answer.failed();
        let wrong: Vec<Answer> = answers.iter().filter(wrong).filter(|_| !self.is_way_back).cloned().collect();
        let mut checks: Vec<CheckReport> = wrong.iter().map(answers::alone).collect();
        if self.verifies {
            let intact = integrity(&database.reader().health()?);
            checks.extend(Some(intact).filter(|check| check.status == CheckStatus::Failed));
        }
        for check in &mut checks {
            check.detail = check.detail.take().map(|detail| format!("before the change: {detail}"));
        }
        let is_right = checks.is_empty();
        self.told.replace(Told { counts, answers, checks, ..Told::default() });
        if is_right { Ok(()) } else { Err(refusal()) }
    }

    fn after(&self, database: &mut dyn Looking, standing: &Standing) -> Result<()> {
        let after = database.counts()?;
        let answers = self.ask(database, standing)?;
        let told = &mut *self.told.borrow_mut();
        told.tables = compared(&told.counts, &after);
        told.checks = answers::around(&told.answers, &answers);
        let was_wrong = |check: &CheckReport| told.answers.iter().any(|old| old.name == check.name && old.failed());
        for check in told.checks.iter_mut().filter(|check| check.status == CheckStatus::Failed) {
            if self.is_way_back && was_wrong(check) {
                excuse(check, "it failed before too");
            }
        }
        let failed = told.checks.iter().any(|check| check.status == CheckStatus::Failed);
        if failed { Err(refusal()) } else { Ok(()) }
    }
}

/// A check that fails for another reason than the change.
fn excuse(check: &mut CheckReport, why: &str) {
    check.status = CheckStatus::NotChecked;
    check.detail = check.detail.take().map(|detail| format!("{why}: {detail}"));
}

fn refusal() -> Error {
    Error::environment("a check does not hold; nothing was changed").coded(ASSERTION.id)
}

/// Every table that is there before or after, by name.
fn compared(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<TableCount> {
    let mut names: Vec<&String> =
        before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
    names.sort();
    let count = |name: &&String| TableCount {
        table: (*name).clone(),
        before: before.get(*name).copied(),
        after: after.get(*name).copied(),
    };
    names.iter().map(count).collect()
}
