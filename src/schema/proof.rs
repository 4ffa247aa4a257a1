//! Proves that every migration can be taken back: up, down to nothing, up again, then one by one, on a
//! database with rows.

use crate::error::{Error, Result};
use crate::mapping::model::Set;
use crate::report::{CheckReport, CheckStatus};
use crate::target::audit::random_id;
use crate::target::history::{Down, Standing};
use crate::target::upkeep::{Move, Order, Survey};
use crate::target::{self, Migration, Mode, Target, drift, schema};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;

/// One step of the proof.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Proof {
    /// What was done.
    pub step: String,
    /// Whether the database was as it should be after it.
    pub status: CheckStatus,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Proof {
    fn of(step: String, wrong: &[String]) -> Self {
        let status = if wrong.is_empty() { CheckStatus::Passed } else { CheckStatus::Failed };
        Self { step, status, detail: (!wrong.is_empty()).then(|| wrong.join("; ")) }
    }

    /// As a check of a report.
    pub fn check(&self) -> CheckReport {
        CheckReport {
            name: self.step.clone(),
            category: "schema".to_owned(),
            status: self.status,
            detail: self.detail.clone(),
        }
    }
}

/// Tests a set's migrations on a copy of a database with rows, or without one on a new database that
/// is filled with a row in every table. Nothing outside the temporary folder is changed.
pub fn test(set: &Set, populated: Option<&dyn Target>) -> Result<Vec<Proof>> {
    let folder = tempfile::Builder::new()
        .prefix("treelift-")
        .tempdir()
        .map_err(|error| Error::environment(error.kind().to_string()).at(std::env::temp_dir().display()))?;
    let path = folder.path().join("test.db");
    if let Some(from) = populated {
        from.copy_to(&path)?;
    }
    let mut bench = Bench { set, stages: schema::stages(&set.migrations)?, target: open(&path)?, proofs: Vec::new() };
    bench.up("up to the last")?;
    if populated.is_none() {
        bench.target.fill_for_test()?;
    }
    let full = bench.survey()?;
    bench.one_by_one(&full)?;
    bench.down_to_nothing()?;
    bench.up("up again from nothing")?;
    bench.down_to_nothing()?;
    Ok(bench.proofs)
}

fn open(path: &Path) -> Result<Box<dyn Target>> {
    let url = path.to_str().ok_or_else(|| Error::environment("the temporary folder's name is not UTF-8"))?;
    target::open(url)
}

struct Bench<'s> {
    set: &'s Set,
    stages: Vec<drift::Catalog>,
    target: Box<dyn Target>,
    proofs: Vec<Proof>,
}

impl Bench<'_> {
    fn migrations(&self) -> &[Migration] {
        &self.set.migrations
    }

    fn survey(&self) -> Result<Survey> {
        let mut found = Survey::default();
        self.target.inspect(&mut |look| {
            found = look.survey()?;
            Ok(())
        })?;
        Ok(found)
    }

    fn alter(&mut self, decide: &dyn Fn(&Standing) -> Result<Vec<Move>>) -> Result<()> {
        let run_id = random_id()?;
        self.target.alter(&Order {
            mode: Mode::Real,
            run_id: &run_id,
            migrations: &self.set.migrations,
            started: Timestamp::now(),
            decide,
            told: &|_| {},
            after: None,
            audit: None,
        })?;
        Ok(())
    }

    /// In what the database is not as the first `stages` migrations make it, and which rows are not
    /// as many as they should be.
    fn wrong(&self, stages: usize, rows: Option<&BTreeMap<String, u64>>) -> Result<Vec<String>> {
        let nothing = drift::Catalog::default();
        let expected = stages.checked_sub(1).map_or(&nothing, |last| &self.stages[last]);
        let survey = self.survey()?;
        let leave = drift::Leave { tables: &self.set.other_tables, additions: false };
        let differences = drift::differences(expected, &survey.catalog, leave);
        let mut wrong: Vec<String> = differences.into_iter().map(|difference| difference.message).collect();
        for (table, had) in rows.into_iter().flatten() {
            let has = survey.counts.get(table);
            if let Some(has) = has.filter(|has| *has != had) {
                wrong.push(format!("`{table}` has {has} rows, and had {had}"));
            }
        }
        Ok(wrong)
    }

    fn up(&mut self, step: &str) -> Result<()> {
        self.alter(&|standing| Ok(standing.up(None)?.into_iter().map(Move::Up).collect()))?;
        let wrong = self.wrong(self.stages.len(), None)?;
        self.proofs.push(Proof::of(step.to_owned(), &wrong));
        Ok(())
    }

    fn down_to_nothing(&mut self) -> Result<()> {
        self.alter(&|standing| Ok(standing.down(Down::All)?.into_iter().map(Move::Down).collect()))?;
        let mut wrong = self.wrong(0, None)?;
        let recorded = self.target.recorded()?;
        let left = recorded.iter().filter(|record| record.status == target::history::Status::Applied);
        wrong.extend(left.map(|record| format!("`{}` is still recorded as applied", record.version)));
        let own = self.survey()?.own;
        wrong.extend(own.keys().map(|table| format!("`{table}` is left beside the record of migrations")));
        self.proofs.push(Proof::of("down to nothing".to_owned(), &wrong));
        Ok(())
    }

    /// From the last: each one down and up again alone, then down for good. Rows of tables that a
    /// migration does not make must survive it.
    fn one_by_one(&mut self, full: &Survey) -> Result<()> {
        for at in (0..self.stages.len()).rev() {
            let version = self.migrations()[at].version.clone();
            let nothing = drift::Catalog::default();
            let below = at.checked_sub(1).map_or(&nothing, |before| &self.stages[before]).clone();
            let survives: BTreeMap<String, u64> =
                full.counts.iter().filter(|(table, _)| below.schema.table(table).is_some()).map(clone).collect();
            let down = |_: &Standing| Ok(vec![Move::Down(at)]);
            self.alter(&down)?;
            let wrong = self.wrong(at, Some(&survives))?;
            self.proofs.push(Proof::of(format!("`{version}` down, rows kept"), &wrong));
            self.alter(&|_| Ok(vec![Move::Up(at)]))?;
            let wrong = self.wrong(at + 1, Some(&survives))?;
            self.proofs.push(Proof::of(format!("`{version}` up again, rows kept"), &wrong));
            if at > 0 {
                self.alter(&down)?;
            }
        }
        Ok(())
    }
}

fn clone((table, rows): (&String, &u64)) -> (String, u64) {
    (table.clone(), *rows)
}
