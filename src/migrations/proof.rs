//! Proves that every migration can be rolled back: up, down to nothing, up again, then one by one, on a
//! database with rows.

use super::ids::with_ids;
use crate::database::audit::random_id;
use crate::database::catalog::Catalog;
use crate::database::done::Move;
use crate::database::history::{Down, Standing};
use crate::database::order::Order;
use crate::database::upkeep::Survey;
use crate::database::{self, Database, Mode, drift, schema};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::model::Set;
use crate::report::{CheckReport, CheckStatus};
use jiff::Timestamp;
use std::cell::Cell;
use std::collections::BTreeMap;

/// The name of the first step.
const TO_THE_LAST: &str = "up to the last";

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

/// Where migrations are tested.
#[derive(Clone, Copy)]
pub enum On<'d> {
    /// A new database of the first engine, which is filled with a row in every table.
    New,
    /// The same in a place of its own on this server.
    Server(&'d dyn Database),
    /// A copy of this database, with its rows.
    Copy(&'d dyn Database),
}

/// Tests a set's migrations, which are those of the engine. Nothing is changed outside of the place where it is done, and
/// that vanishes.
///
/// A migration that does not run is what a test is for: its step fails, and what would need it is not
/// tried.
pub fn test(set: &Set, on: On<'_>) -> Result<Vec<Proof>> {
    let mut database = match on {
        On::Copy(from) => from.trial()?,
        On::Server(server) => server.bench(&set.migrations)?,
        On::New => database::trial(&set.name)?,
    };
    let proofs = on_bench(set, on, &mut database);
    match (proofs, database.end_bench()) {
        (Ok(mut proofs), Some(left)) => {
            let status = CheckStatus::NotChecked;
            proofs.push(Proof { step: "nothing is left".to_owned(), status, detail: Some(left) });
            Ok(proofs)
        }
        (Err(error), Some(left)) => Err(Error { message: format!("{}; {left}", error.message), ..error }),
        (proofs, None) => proofs,
    }
}

fn on_bench(set: &Set, on: On<'_>, database: &mut Box<dyn Database>) -> Result<Vec<Proof>> {
    let stages = match schema::stages(&**database, &set.migrations) {
        Ok(stages) => stages,
        Err(error) if error.kind == ErrorKind::Request => {
            return Ok(vec![Proof::of(TO_THE_LAST.to_owned(), &[error.message])]);
        }
        Err(error) => return Err(error),
    };
    database.wish(set.wishes());
    let database = &mut **database;
    let mut bench = Bench { set, stages, database, proofs: Vec::new(), started: Timestamp::now() };
    if !bench.up(TO_THE_LAST)? {
        return Ok(bench.proofs);
    }
    if !matches!(on, On::Copy(_)) {
        bench.database.fill_for_test()?;
    }
    if bench.one_by_one()? && bench.down_to_nothing()? && bench.up("up again from nothing")? {
        bench.down_to_nothing()?;
    }
    Ok(bench.proofs)
}

/// Columns by table.
type Columns = BTreeMap<String, Vec<String>>;
/// How many rows a table has, and a sum over what they hold.
type Content = BTreeMap<String, (u64, u128)>;

struct Bench<'s> {
    set: &'s Set,
    stages: Vec<Catalog>,
    database: &'s mut dyn Database,
    proofs: Vec<Proof>,
    started: Timestamp,
}

impl Bench<'_> {
    fn survey(&self) -> Result<Survey> {
        self.database.read()?.map_or_else(|| Ok(Survey::default()), |reader| reader.survey())
    }

    /// Carries out what is decided; where a migration does not run, why. What goes wrong before that is
    /// not a fault of a migration.
    fn alter(&mut self, decide: &dyn Fn(&Standing) -> Result<Vec<Move>>) -> Result<Option<String>> {
        let run_id = random_id()?;
        let decided = Cell::new(false);
        let ended = self.database.alter(&Order {
            mode: Mode::Real,
            run_id: &run_id,
            migrations: &self.set.migrations,
            started: Timestamp::now(),
            decide: &|standing| {
                let moves = decide(standing)?;
                decided.set(true);
                Ok(moves)
            },
            progress: &|_| {},
            warn: &|_| {},
            ids: &|line, rows| with_ids(self.set, line, rows),
            sealed: None,
            around: None,
            after: None,
            audit: None,
            version: None,
        });
        match ended {
            Ok(_) => Ok(None),
            Err(error) if decided.get() && matches!(error.kind, ErrorKind::Request | ErrorKind::Environment) => {
                Ok(Some(error.message.trim_end_matches("; nothing was changed").to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    /// One step of the proof; whether its migrations ran, however the database is after them.
    fn step(
        &mut self,
        step: String,
        decide: &dyn Fn(&Standing) -> Result<Vec<Move>>,
        wrong: &dyn Fn(&Self) -> Result<Vec<String>>,
    ) -> Result<bool> {
        let failure = self.alter(decide)?;
        let ran = failure.is_none();
        let wrong = failure.map_or_else(|| wrong(self), |why| Ok(vec![why]))?;
        self.proofs.push(Proof::of(step, &wrong));
        Ok(ran)
    }

    /// In what the database is not as the first `stages` migrations make it.
    fn wrong(&self, stages: usize) -> Result<Vec<String>> {
        let nothing = Catalog::default();
        let expected = stages.checked_sub(1).map_or(&nothing, |last| &self.stages[last]);
        let survey = self.survey()?;
        let leave = drift::Leave { tables: &self.set.other_tables, additions: false };
        Ok(drift::messages(expected, &survey.catalog, leave))
    }

    /// What these columns of the tables that are there hold.
    fn content(&self, columns: &Columns) -> Result<Content> {
        let mut content = Content::new();
        let Some(reader) = self.database.read()? else { return Ok(content) };
        let there = reader.catalog()?.schema.tables;
        for (table, columns) in columns.iter().filter(|(table, _)| there.contains_key(*table)) {
            content.insert(table.clone(), reader.content(table, columns, self.started)?);
        }
        Ok(content)
    }

    /// Which rows are others than they were, or fewer.
    fn lost(&self, columns: &Columns, had: &Content) -> Result<Vec<String>> {
        let has = self.content(columns)?;
        let mut lost = Vec::new();
        for (table, (rows, sum)) in had {
            match has.get(table) {
                Some((now, _)) if now != rows => lost.push(format!("`{table}` has {now} rows, expected {rows}")),
                Some((_, now)) if now != sum => lost.push(format!("`{table}` differ from before")),
                _ => {} // a missing table is reported as such
            }
        }
        Ok(lost)
    }

    /// The columns that are there before a migration and after it.
    fn kept(&self, at: usize) -> Columns {
        let Some(below) = at.checked_sub(1).map(|before| &self.stages[before].schema) else { return Columns::new() };
        let above = &self.stages[at].schema;
        let both = below.tables.iter().filter_map(|(name, table)| Some((name, table, above.table(name)?)));
        let columns = both.map(|(name, below, above)| {
            let stay = below.columns.iter().filter(|column| above.column(&column.name).is_some());
            (name.clone(), stay.map(|column| column.name.clone()).collect())
        });
        columns.collect()
    }

    fn up(&mut self, step: &str) -> Result<bool> {
        // A migration may change rows on its way; that it loses some is told.
        let before = self.survey()?;
        let up = |standing: &Standing| Ok(standing.up(None)?.into_iter().map(Move::Up).collect());
        self.step(step.to_owned(), &up, &|bench| {
            let mut wrong = bench.wrong(bench.stages.len())?;
            let survey = bench.survey()?;
            for (table, had) in &before.counts {
                let has = survey.counts.get(table).filter(|has| *has < had);
                wrong.extend(has.map(|has| format!("`{table}` has {has} rows, expected {had}")));
            }
            Ok(wrong)
        })
    }

    fn down_to_nothing(&mut self) -> Result<bool> {
        let down = |standing: &Standing| Ok(standing.down(Down::All)?.into_iter().map(Move::Down).collect());
        self.step("down to nothing".to_owned(), &down, &|bench| {
            let mut wrong = bench.wrong(0)?;
            let recorded = bench.database.recorded()?;
            let left = recorded.iter().filter(|record| record.status == database::history::Status::Applied);
            wrong.extend(left.map(|record| format!("`{}` is still recorded as applied", record.version)));
            let survey = bench.survey()?;
            let own = survey.own.keys().map(|table| format!("`{table}`"));
            let left = own.chain(survey.loose).map(|what| format!("{what} is left besides the record of migrations"));
            wrong.extend(left);
            Ok(wrong)
        })
    }

    /// From the last: each one down and up again alone, then down for good. What tables that a migration
    /// does not make hold must be there again after both, in the columns that it does not make either.
    /// Whether the last step to nothing is possible.
    fn one_by_one(&mut self) -> Result<bool> {
        for at in (0..self.stages.len()).rev() {
            let migration = &self.set.migrations[at];
            let version = migration.version.clone();
            let not_checked = |detail: String| Proof {
                step: format!("`{version}` down"),
                status: CheckStatus::NotChecked,
                detail: Some(detail),
            };
            let before = at.checked_sub(1).map(|before| &self.stages[before].schema);
            let has = |table: &String| before.is_some_and(|schema| schema.table(table).is_some());
            if let Some(table) = migration.only_with.as_ref().filter(|table| !has(table)) {
                self.proofs.push(not_checked(format!("the set makes no table `{table}`, so it is not needed here")));
                continue; // there is nothing to roll back
            }
            if let Some(why) = &migration.irreversible {
                self.proofs.push(not_checked(format!("it cannot be rolled back: {why}")));
                return Ok(false);
            }
            let kept = self.kept(at);
            let had = self.content(&kept)?;
            let down = |_: &Standing| Ok(vec![Move::Down(at)]);
            if !self.step(format!("`{version}` down"), &down, &|bench| bench.wrong(at))? {
                return Ok(false);
            }
            let again =
                self.step(format!("`{version}` up again, rows kept"), &|_| Ok(vec![Move::Up(at)]), &|bench| {
                    Ok([bench.wrong(at + 1)?, bench.lost(&kept, &had)?].concat())
                })?;
            if at == 0 {
                return Ok(again);
            }
            // What did not come up again is down.
            if again && let Some(why) = self.alter(&down)? {
                self.proofs.push(Proof::of(format!("`{version}` down again"), &[why]));
                return Ok(false);
            }
        }
        Ok(true)
    }
}
