//! The set's assertions: asked of a database, judged, and put into words.

use super::check::{Category, check, not_checked};
use crate::database::history::{Standing, State};
use crate::database::query::{Asking, Found, MOST, Unasked};
use crate::error::Result;
use crate::finding::printable;
use crate::mapping::model::{AssertCategory, Assertion, Gives};
use crate::mapping::secret_words::looks_secret;
use crate::report::CheckReport;
use crate::report::words::{count, thousands};
use crate::secret::cipher;

/// So many rows are named, and shown.
const NAMED: usize = 5;
/// So many rows are shown that a set wants shown.
const SHOWN: usize = 20;

/// What one of the set's assertions said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its name.
    pub name: String,
    /// Where it belongs.
    pub category: AssertCategory,
    /// What its query must give.
    pub gives: Gives,
    /// What came of its query.
    pub outcome: Outcome,
    /// Where the rows that are named came from, as far as that was asked and is known.
    pub places: Vec<Option<String>>,
}

/// What came of an assertion's query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It gave this.
    Found(Found),
    /// It would not go by this index, but by these.
    Unused(String, Vec<String>),
    /// It was not asked, for this reason.
    NotAsked(String),
    /// The database could not answer it, for this reason: that is no better than a wrong answer.
    Failed(String),
}

impl Answer {
    /// Whether it does not hold, whatever was before.
    pub fn failed(&self) -> bool {
        match &self.outcome {
            Outcome::Found(found) => match self.gives {
                Gives::None => !found.rows.is_empty(),
                Gives::Rows => found.rows.is_empty(),
                Gives::Same | Gives::Shown | Gives::Anything => false,
            },
            Outcome::NotAsked(_) => false,
            Outcome::Unused(..) | Outcome::Failed(_) => true,
        }
    }

    /// The rows that are wrong, by table and key as the ledger writes it; the first ones.
    pub fn wrong_rows(&self) -> Vec<(String, String)> {
        match &self.outcome {
            Outcome::Found(found) if self.gives == Gives::None => found.names().take(NAMED).collect(),
            _ => Vec::new(),
        }
    }
}

/// Asks the assertions that are for this state of the schema and this engine.
pub fn ask(
    assertions: &[Assertion],
    standing: &Standing,
    engine: &str,
    database: &mut (impl Asking + ?Sized),
) -> Result<Vec<Answer>> {
    let of_engine = |one: &&Assertion| one.engine.as_deref().is_none_or(|only| only == engine);
    assertions.iter().filter(of_engine).map(|one| answer(one, standing, database)).collect()
}

fn answer(assertion: &Assertion, standing: &Standing, database: &mut (impl Asking + ?Sized)) -> Result<Answer> {
    let outcome = match out_of_place(assertion, standing) {
        Some(why) => Outcome::NotAsked(why),
        None => match outcome(assertion, database)? {
            Ok(outcome) => outcome,
            Err(Unasked::Missing(why)) => Outcome::NotAsked(why),
            Err(Unasked::Failed(why)) => Outcome::Failed(why),
        },
    };
    let Assertion { name, category, gives, .. } = assertion;
    Ok(Answer { name: name.clone(), category: *category, gives: *gives, outcome, places: Vec::new() })
}

fn outcome(
    assertion: &Assertion,
    database: &mut (impl Asking + ?Sized),
) -> Result<std::result::Result<Outcome, Unasked>> {
    if !assertion.uses.is_empty() {
        let used = match database.plan(&assertion.sql)? {
            Ok(used) => used,
            Err(why) => return Ok(Err(why)),
        };
        if let Some(unused) = assertion.uses.iter().find(|index| !used.contains(index)) {
            if database.not_yet()?.contains(unused) {
                let why = format!(
                    "the server goes by `{unused}`, which was made of changed rows, only once older transactions have ended"
                );
                return Ok(Ok(Outcome::NotAsked(why)));
            }
            return Ok(Ok(Outcome::Unused(unused.clone(), used)));
        }
    }
    Ok(database.ask(&assertion.sql)?.map(Outcome::Found))
}

/// Why an assertion is not for this state of the schema.
fn out_of_place(assertion: &Assertion, standing: &Standing) -> Option<String> {
    let at = |version: &str| standing.steps.iter().position(|step| step.version == version);
    let is_applied = |at: usize| standing.steps[at].state == State::Applied;
    if let Some(since) = &assertion.since
        && !at(since).is_some_and(is_applied)
    {
        return Some(format!("`{since}` is not applied"));
    }
    let last = at(assertion.until.as_ref()?)?;
    let later = (last + 1..standing.steps.len()).find(|at| is_applied(*at))?;
    Some(format!("`{}` is applied", standing.steps[later].version))
}

/// What assertions of one category say of a database.
pub fn checks(answers: &[Answer], of: AssertCategory) -> Vec<CheckReport> {
    answers.iter().filter(|answer| answer.category == of).map(alone).collect()
}

/// What an assertion says of a database, whatever was before.
pub fn alone(answer: &Answer) -> CheckReport {
    said(answer, &Before::Never)
}

/// What assertions say of a change: each beside what it said before. What must give rows, and gave none before or
/// was not asked, says nothing of the change.
pub fn around(before: &[Answer], after: &[Answer]) -> Vec<CheckReport> {
    let old = |answer: &Answer| match before.iter().find(|old| old.name == answer.name).map(|old| &old.outcome) {
        Some(Outcome::Found(found)) => Before::Gave(found),
        _ => Before::Nothing,
    };
    after.iter().map(|answer| said(answer, &old(answer))).collect()
}

/// What an assertion said before a change.
enum Before<'f> {
    /// There was no change.
    Never,
    /// It was not asked, or could not be.
    Nothing,
    /// It gave this.
    Gave(&'f Found),
}

fn said(answer: &Answer, before: &Before<'_>) -> CheckReport {
    let category = match answer.category {
        AssertCategory::Data => Category::Data,
        AssertCategory::Security => Category::Security,
    };
    let name = &answer.name;
    let passed = |detail: String| check(name, category, &[], detail);
    let failed = |detail: String| check(name, category, &[detail], String::new());
    let found = match &answer.outcome {
        Outcome::NotAsked(why) => {
            return match (answer.gives, before) {
                (Gives::Shown, Before::Gave(before)) => passed(format!("before: {}", shown(before))),
                _ => not_checked(name, category, why.clone()),
            };
        }
        Outcome::Failed(why) => return failed(format!("cannot be asked: {why}")),
        Outcome::Unused(index, used) if used.is_empty() => {
            return failed(format!("goes by no index, not by `{index}`"));
        }
        Outcome::Unused(index, used) => return failed(format!("goes by `{}`, not by `{index}`", used.join("`, `"))),
        Outcome::Found(found) => found,
    };
    let rows = count(found.rows.len() as u64, "row");
    let rows = if found.rows.len() == MOST { format!("{rows} or more") } else { rows };
    match answer.gives {
        Gives::None if found.rows.is_empty() => passed(String::new()),
        Gives::None => failed(format!("{rows}{}", named(found, &answer.places))),
        Gives::Rows if !found.rows.is_empty() => passed(rows),
        Gives::Rows => match before {
            Before::Gave(before) if before.rows.is_empty() => {
                not_checked(name, category, "the query returned no rows before either".to_owned())
            }
            Before::Nothing => {
                not_checked(name, category, "the query returns no rows, and was not asked before".to_owned())
            }
            Before::Never | Before::Gave(_) => failed("the query returned no rows".to_owned()),
        },
        Gives::Same => match before {
            Before::Never | Before::Nothing => {
                not_checked(name, category, "there is nothing to compare with".to_owned())
            }
            Before::Gave(_) if found.rows.len() == MOST => failed(format!("{rows}: let it count or sum them")),
            Before::Gave(before) if before.rows == found.rows => passed(shown(found)),
            Before::Gave(before) => failed(format!("before: {}; after: {}", shown(before), shown(found))),
        },
        Gives::Shown => match before {
            Before::Gave(before) if *before != found => {
                passed(format!("before: {}; after: {}", shown(before), shown(found)))
            }
            _ => passed(shown(found)),
        },
        Gives::Anything => passed(String::new()),
    }
}

/// The first rows by table and key, and where they came from, behind how many there are.
fn named(found: &Found, places: &[Option<String>]) -> String {
    let places = places.iter().map(Option::as_deref).chain(std::iter::repeat(None));
    let name = |((table, key), place): ((String, String), Option<&str>)| {
        let from = place.map_or_else(String::new, |place| format!(" (from {place})"));
        row_name(&table, &key) + &from
    };
    let names: Vec<String> = found.names().take(NAMED).zip(places).map(name).collect();
    let at_least = if found.rows.len() == MOST { "at least " } else { "" };
    match (names.is_empty(), found.rows.len().saturating_sub(NAMED)) {
        (true, _) => String::new(),
        (false, 0) => format!(": {}", names.join(", ")),
        (false, more) => format!(": {} + {at_least}{} more", names.join(", "), thousands(more as u64)),
    }
}

/// A row as messages name it.
pub fn row_name(table: &str, row_key: &str) -> String {
    format!("`{}` {}", printable(table), printable(row_key))
}

/// Rows in words: their cells by the names of the columns.
fn shown(found: &Found) -> String {
    let row = |cells: &Vec<Option<String>>| {
        let cells = found.columns.iter().zip(cells).map(|(column, cell)| {
            let is_secret =
                looks_secret(&column.name) || column.origin.as_ref().is_some_and(|(_, origin)| looks_secret(origin));
            let value = match cell.as_deref() {
                None => "NULL".to_owned(),
                Some(text) if cipher::format_of(text).is_some() => "(sealed)".to_owned(),
                Some(_) if is_secret => "(not shown)".to_owned(),
                Some(text) => printable(text),
            };
            format!("{} = {value}", printable(&column.name))
        });
        cells.collect::<Vec<_>>().join(", ")
    };
    let mut rows: Vec<String> = found.rows.iter().take(SHOWN).map(row).collect();
    match found.rows.len().saturating_sub(SHOWN) {
        0 if rows.is_empty() => return "no row".to_owned(),
        0 => {}
        more => rows.push(format!("+ {more} more")),
    }
    rows.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::history::Step;
    use crate::database::query::{Asked, Column, Planned};
    use crate::report::CheckStatus;

    /// Answers every query with the same.
    struct Says(Asked, Vec<&'static str>);

    impl Asking for Says {
        fn ask(&mut self, _: &str) -> Result<Asked> {
            Ok(self.0.clone())
        }
        fn plan(&mut self, _: &str) -> Result<Planned> {
            Ok(Ok(self.1.iter().map(|&index| index.to_owned()).collect()))
        }
    }

    fn assertion(gives: Gives) -> Assertion {
        Assertion {
            name: "a".into(),
            category: AssertCategory::Data,
            sql: "SELECT 1".into(),
            gives,
            uses: Vec::new(),
            since: None,
            until: None,
            engine: None,
            line: 1,
        }
    }

    fn found(columns: &[&str], rows: &[&[&str]]) -> Found {
        let column =
            |name: &&str| Column { name: (*name).to_owned(), origin: Some(("notes".into(), (*name).to_owned())) };
        let row = |cells: &&[&str]| cells.iter().map(|&cell| Some(cell.to_owned())).collect();
        Found {
            columns: columns.iter().map(column).collect(),
            rows: rows.iter().map(row).collect(),
            key: columns.iter().position(|name| *name == "id").map(|at| ("notes".to_owned(), vec![at])),
        }
    }

    fn standing(applied: usize) -> Standing {
        let step = |at| Step {
            version: format!("{at:03}_m"),
            description: String::new(),
            state: if at <= applied { State::Applied } else { State::Pending },
            origin: None,
        };
        Standing { steps: (1..=3).map(step).collect(), faults: Vec::new() }
    }

    fn asked(assertion: &Assertion, applied: usize, found: Found) -> Answer {
        answer(assertion, &standing(applied), &mut Says(Ok(found), vec!["by_owner"])).expect("asked")
    }

    fn words(report: CheckReport) -> (CheckStatus, String) {
        (report.status, report.detail.unwrap_or_default())
    }

    #[test]
    fn an_assertion_is_asked_from_one_migration_on_up_to_another() {
        let mut one = assertion(Gives::None);
        one.since = Some("002_m".into());
        one.until = Some("002_m".into());
        let why = |applied| match asked(&one, applied, Found::default()).outcome {
            Outcome::NotAsked(why) => why,
            _ => "asked".to_owned(),
        };
        assert_eq!(
            [0, 1, 2, 3].map(why),
            ["`002_m` is not applied", "`002_m` is not applied", "asked", "`003_m` is applied"]
        );
        let missing = Err(Unasked::Missing("no such table: notes".into()));
        let answer = answer(&assertion(Gives::Rows), &standing(0), &mut Says(missing, Vec::new())).expect("asked");
        assert!(!answer.failed());
        assert_eq!(words(said(&answer, &Before::Never)), (CheckStatus::NotChecked, "no such table: notes".into()));
    }

    #[test]
    fn an_assertion_passes_fails_or_is_not_asked() {
        let said = |gives, outcome: Asked| {
            let mut says = Says(outcome, Vec::new());
            words(said(&answer(&assertion(gives), &standing(1), &mut says).expect("asked"), &Before::Never))
        };
        let (none, some) = (Found::default(), found(&["n"], &[&["1"], &["2"]]));
        assert_eq!(said(Gives::None, Ok(none.clone())), (CheckStatus::Passed, String::new()));
        assert_eq!(said(Gives::None, Ok(some.clone())), (CheckStatus::Failed, "2 rows".into()));
        assert_eq!(said(Gives::Rows, Ok(none)), (CheckStatus::Failed, "the query returned no rows".into()));
        assert_eq!(said(Gives::Rows, Ok(some)), (CheckStatus::Passed, "2 rows".into()));
        let failed = Err(Unasked::Failed("it does more than read".into()));
        let words = "cannot be asked: it does more than read";
        assert_eq!(said(Gives::None, failed), (CheckStatus::Failed, words.into()));
    }

    #[test]
    fn wrong_rows_are_named_with_their_keys_and_nothing_else_of_them() {
        let six: Vec<Vec<&str>> = ["1", "2", "3", "4", "5", "6"].iter().map(|id| vec!["canary", *id]).collect();
        let six: Vec<&[&str]> = six.iter().map(Vec::as_slice).collect();
        let answer = asked(&assertion(Gives::None), 3, found(&["title", "id"], &six));
        assert!(answer.failed());
        let named = "6 rows: `notes` 1, `notes` 2, `notes` 3, `notes` 4, `notes` 5 + 1 more";
        assert_eq!(words(said(&answer, &Before::Never)), (CheckStatus::Failed, named.into()));
        assert_eq!(answer.wrong_rows()[0], ("notes".to_owned(), "1".to_owned()));
        let nameless = asked(&assertion(Gives::None), 3, found(&["title"], &[&["canary"]]));
        assert_eq!(words(said(&nameless, &Before::Never)), (CheckStatus::Failed, "1 row".into()));
    }

    #[test]
    fn what_must_stay_the_same_is_compared_and_what_is_shown_never_fails() {
        let (two, three) = (found(&["n"], &[&["2"]]), found(&["n"], &[&["3"]]));
        let around = |gives, before: &Found, after: &Found| {
            let one = assertion(gives);
            let (before, after) = (asked(&one, 1, before.clone()), asked(&one, 3, after.clone()));
            words(around(&[before], &[after]).remove(0))
        };
        assert_eq!(around(Gives::Same, &two, &two), (CheckStatus::Passed, "n = 2".into()));
        assert_eq!(around(Gives::Same, &two, &three), (CheckStatus::Failed, "before: n = 2; after: n = 3".into()));
        assert_eq!(around(Gives::Shown, &two, &three), (CheckStatus::Passed, "before: n = 2; after: n = 3".into()));
        let none = Found::default();
        assert_eq!(around(Gives::Rows, &two, &none), (CheckStatus::Failed, "the query returned no rows".into()));
        let before_either = (CheckStatus::NotChecked, "the query returned no rows before either".into());
        assert_eq!(around(Gives::Rows, &none, &none), before_either);
        let alone = asked(&assertion(Gives::Same), 3, two);
        assert_eq!(
            words(said(&alone, &Before::Never)),
            (CheckStatus::NotChecked, "there is nothing to compare with".into())
        );
    }

    #[test]
    fn secrets_and_sealed_values_are_not_shown() {
        let rows = found(&["password", "note"], &[&["canary", "x"]]);
        let answer = asked(&assertion(Gives::Shown), 3, rows);
        assert_eq!(
            words(said(&answer, &Before::Never)),
            (CheckStatus::Passed, "password = (not shown), note = x".into())
        );
    }

    #[test]
    fn a_query_must_go_by_its_index() {
        let mut one = assertion(Gives::Anything);
        one.uses = vec!["by_owner".into()];
        assert_eq!(
            words(said(&asked(&one, 3, Found::default()), &Before::Never)),
            (CheckStatus::Passed, String::new())
        );
        one.uses = vec!["by_title".into()];
        let other = (CheckStatus::Failed, "goes by `by_owner`, not by `by_title`".into());
        assert_eq!(words(said(&asked(&one, 3, Found::default()), &Before::Never)), other);
    }
}
