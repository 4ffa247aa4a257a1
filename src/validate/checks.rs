//! The checks: what was read of a database against what the set makes and asks. Pure.

use super::answers::{self, Answer};
use super::check::{Category, check, not_checked};

use crate::database::catalog::Catalog;
use crate::database::drift::{Difference, Leave, differences};
use crate::database::drift_tables::Aspect;
use crate::database::health::{Health, Rule};
use crate::database::history::{Recorded, Standing, Status};
use crate::database::reference::Reference;
use crate::database::sealed::{SealRecord, Unregistered};
use crate::database::upkeep::{Broken, Survey};
use crate::database::{ORPHANS_TABLE, SealedState};
use crate::mapping::model::AssertCategory;
use crate::report::CheckReport;
use crate::report::words::{self, count};
use crate::secret::cipher;
use std::collections::BTreeMap;

/// Everything that was read of a database.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// What it is like.
    pub survey: Survey,
    /// Rows whose declared reference leads nowhere.
    pub orphans: Vec<Broken>,
    /// Rows that lead nowhere through a reference that only mappings know.
    pub dangling: Vec<(Reference, u64)>,
    /// Lists that must be unique and that no index guards, with how many rows share one.
    pub repeated: Vec<(String, u64)>,
    /// Columns with values that look sealed and that are not registered.
    pub unregistered: Vec<Unregistered>,
    /// How many rows that were moved aside hold plaintext of a sealed column, by `table.column`; none where there are no such rows.
    pub aside: Option<BTreeMap<String, u64>>,
    /// What the engine's own check says.
    pub health: Health,
    /// What the set's assertions said.
    pub answers: Vec<Answer>,
}

/// Whether tables, indexes and constraints are those that the applied migrations make.
pub fn form(
    found: (&Catalog, &[Recorded]),
    expected: &Catalog,
    standing: &Standing,
    leave: Leave<'_>,
) -> Vec<CheckReport> {
    let (catalog, recorded) = found;
    let found = differences(expected, catalog, leave);
    let of = |aspect| {
        let of_it = |difference: &&Difference| difference.aspect == aspect;
        found.iter().filter(of_it).map(|difference| difference.message.clone()).collect::<Vec<_>>()
    };
    let tables = expected.schema.tables.len() as u64;
    vec![
        record(recorded, standing),
        check(
            "tables, columns and types match the migrations",
            Category::Schema,
            &of(Aspect::Form),
            count(tables, "table"),
        ),
        check(
            "every index exists",
            Category::Indexes,
            &of(Aspect::Index),
            match expected.indexes.len() {
                1 => "1 index".to_owned(),
                several => format!("{several} indexes"),
            },
        ),
        check(
            "every constraint is declared",
            Category::Constraints,
            &[of(Aspect::Constraint), of(Aspect::Condition)].concat(),
            count(tables, "table"),
        ),
    ]
}

fn record(recorded: &[Recorded], standing: &Standing) -> CheckReport {
    let mut wrong: Vec<String> =
        standing.faults.iter().filter(|fault| fault.is_fatal()).map(ToString::to_string).collect();
    let failed = recorded.iter().filter(|record| record.status == Status::Failed);
    wrong.extend(failed.map(|record| format!("migration `{}` failed and was not repeated", record.version)));
    let (applied, pending) = (standing.applied().len() as u64, standing.pending().len());
    let passed = format!("{} applied, {pending} pending", count(applied, "migration"));
    check("recorded migrations match the files", Category::Schema, &wrong, passed)
}

/// Whether the rows are whole.
pub fn data(evidence: &Evidence) -> Vec<CheckReport> {
    const CONDITIONS: &str = "every row satisfies the constraints of its table";
    let dangling = told(&evidence.dangling, |(reference, rows)| {
        (*rows > 0).then(|| format!("{} with a dangling reference {reference}", count(*rows, "row")))
    });
    let nulls =
        told(&evidence.survey.nulls, |(column, rows)| Some(format!("`{column}` is NULL in {}", count(*rows, "row"))));
    let repeated = told(&evidence.repeated, |(key, rows)| {
        (*rows > 0).then(|| format!("{} share a key ({key})", count(*rows, "row")))
    });
    // Fields that are NULL have a check of their own.
    let has_own_check = |rule: &Rule| match rule {
        Rule::NotNull(column) => evidence.survey.nulls.iter().any(|(null, _)| null == column),
        _ => false,
    };
    let broken = evidence.health.broken_rules(has_own_check);
    let rows: u64 = evidence.survey.counts.values().sum();
    let mapped = count(evidence.dangling.len() as u64, "reference");
    let mut checks = vec![
        integrity(&evidence.health),
        match &evidence.health.unchecked {
            Some(why) if broken.is_empty() => {
                not_checked(CONDITIONS, Category::Data, format!("one cannot be checked here: {why}"))
            }
            _ => check(CONDITIONS, Category::Data, &broken, count(rows, "row")),
        },
        references(&evidence.orphans, &evidence.survey),
        check("every reference that mappings use points to an existing row", Category::Data, &dangling, mapped),
        check("no required column is NULL", Category::Data, &nulls, count(rows, "row")),
        check(
            "no key is duplicated",
            Category::Data,
            &repeated,
            format!("{} not guarded by an index", count(evidence.repeated.len() as u64, "key")),
        ),
    ];
    checks.extend(answers::checks(&evidence.answers, AssertCategory::Data));
    checks
}

fn told<T>(all: &[T], tell: impl Fn(&T) -> Option<String>) -> Vec<String> {
    all.iter().filter_map(tell).collect()
}

/// Whether every declared reference leads to a row.
fn references(orphans: &[Broken], survey: &Survey) -> CheckReport {
    let orphans = told(orphans, |broken| {
        let rows = count(broken.rows, "row");
        Some(format!("{rows} of `{}` with a dangling reference to `{}`", broken.table, broken.parent))
    });
    let rows = count(survey.counts.values().sum(), "row");
    check("every foreign key references an existing row", Category::Data, &orphans, rows)
}

/// Whether the engine finds its own file whole.
pub fn integrity(health: &Health) -> CheckReport {
    const NAME: &str = "the database file is intact";
    if health.without_file {
        return not_checked(NAME, Category::Data, "it is not a file".to_owned());
    }
    check(NAME, Category::Data, &health.damage, String::new())
}

/// Whether secrets are sealed and the file is not open to everybody.
pub fn security(evidence: &Evidence) -> Vec<CheckReport> {
    let mut checks =
        vec![sealed_columns(&evidence.survey), keys(&evidence.survey), agreement(evidence), mode(evidence.survey.mode)];
    checks.extend(counts(&evidence.survey));
    checks.extend(evidence.aside.as_ref().map(aside));
    checks.extend(answers::checks(&evidence.answers, AssertCategory::Security));
    checks
}

/// Whether rows that were moved aside hold no secret that is sealed elsewhere.
fn aside(found: &BTreeMap<String, u64>) -> CheckReport {
    let plain: Vec<String> = found
        .iter()
        .map(|(column, rows)| {
            let rows = count(*rows, "row");
            format!(
                "{rows} of `{ORPHANS_TABLE}` with `{column}` in plaintext: delete them once they are looked through"
            )
        })
        .collect();
    check("rows that were moved aside hold no secret in plaintext", Category::Security, &plain, String::new())
}

/// The application may delete rows, so a difference fails nothing.
fn counts(survey: &Survey) -> Option<CheckReport> {
    let shown: Vec<String> = survey.seals.differences().iter().map(ToString::to_string).collect();
    const NAME: &str = "as many sealed values as when treelift last sealed";
    (!shown.is_empty()).then(|| not_checked(NAME, Category::Security, shown.join("; ")))
}

fn sealed_columns(survey: &Survey) -> CheckReport {
    const NAME: &str = "sealed columns hold sealed values only";
    let other = survey.seals.columns.iter().filter(|state| !cipher::is_ours(&state.format));
    let unknown: Vec<String> = other.map(|state| format!("{} is `{}`", state.column, state.format)).collect();
    let plain: Vec<String> = survey
        .seals
        .columns
        .iter()
        .filter(|state| state.plain > 0)
        .map(|state| {
            // It may be plaintext, a sealed value that was cut, or something else.
            let is = if state.plain == 1 { "is" } else { "are" };
            format!("{} of {} {is} not sealed", count(state.plain, "value"), state.column)
        })
        .collect();
    let values: u64 = survey.seals.columns.iter().map(|state| state.values).sum();
    match (plain.is_empty(), unknown.is_empty()) {
        (true, false) => not_checked(NAME, Category::Security, format!("unknown format: {}", unknown.join("; "))),
        _ => check(NAME, Category::Security, &plain, format!("{} checked", count(values, "value"))),
    }
}

/// A value whose key is not there never opens again.
fn keys(survey: &Survey) -> CheckReport {
    let SealRecord { registry, columns, .. } = &survey.seals;
    let lost = columns.iter().flat_map(|state| state.lost.iter().map(move |(key, values)| (state, key, *values)));
    let mut lost: Vec<String> = lost
        .map(|(SealedState { column, .. }, key, values)| words::lost(values, &format!(" of {column}"), key))
        .collect();
    lost.extend(survey.seals.check_proof().err().map(|error| error.message));
    let registered = |key: &String| registry.keys.iter().any(|row| row.id == *key);
    let strays = survey.seals.strays(registry.active().ok().flatten().map_or("", |row| &row.id));
    lost.extend(strays.into_iter().filter(|(_, key, _)| registered(key)).map(|(column, key, values)| {
        let is = if values == 1 { "is" } else { "are" };
        format!("{} of {column} {is} sealed under key `{key}`, which is not the active key", count(values, "value"))
    }));
    let known = count(registry.keys.len() as u64, "key");
    check("the key of every sealed value is registered", Category::Security, &lost, known)
}

/// What another program changed of keys and registry, as far as that shows without a key.
fn agreement(evidence: &Evidence) -> CheckReport {
    let seals = &evidence.survey.seals;
    let mut wrong = seals.disagreements(&evidence.unregistered);
    if !wrong.is_empty() {
        wrong.push("restore a backup of the whole database".to_owned());
    }
    let passed = count(seals.registry.columns.len() as u64, "sealed column");
    check("keys, registered columns and sealed values agree", Category::Security, &wrong, passed)
}

/// The check of the file's mode, which no change of the schema changes.
pub const OF_THE_FILE: &str = "the database file is closed to other users";

/// Access for the group is the owner's choice; access for all users is reported.
fn mode(mode: Option<u32>) -> CheckReport {
    const NAME: &str = OF_THE_FILE;
    match mode {
        None => not_checked(NAME, Category::Security, "it is not a file".to_owned()),
        Some(mode) => {
            let may = match mode & 0o006 {
                0 => Vec::new(),
                4 => vec!["read"],
                2 => vec!["write"],
                _ => vec!["read and write"],
            };
            let wrong: Vec<String> = may
                .into_iter()
                .map(|may| format!("mode {mode:03o}: all users can {may} it (`chmod o= FILE`)"))
                .collect();
            check(NAME, Category::Security, &wrong, format!("mode {mode:03o}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::SealedColumn;
    use crate::database::sealed::NO_PROOF;
    use crate::report::CheckStatus;
    use crate::secret::keys::KeyRow;
    use crate::secret::registry::Registry;

    fn outcomes(checks: Vec<CheckReport>) -> Vec<(CheckStatus, String)> {
        checks.into_iter().map(|check| (check.status, check.detail.unwrap_or_default())).collect()
    }

    /// A survey of a database with these sealed columns.
    fn of_columns(columns: Vec<SealedState>) -> Survey {
        Survey { seals: SealRecord { columns, ..SealRecord::default() }, ..Survey::default() }
    }

    #[test]
    fn rows_that_lead_nowhere_are_named_with_both_tables() {
        let reference =
            Reference { table: "tags".into(), column: "owner".into(), parent: "people".into(), to: "id".into() };
        let evidence = Evidence {
            orphans: vec![Broken { table: "notes".into(), parent: "people".into(), rows: 2 }],
            dangling: vec![(reference, 1)],
            repeated: vec![("tags: name".into(), 0)],
            ..Evidence::default()
        };
        let expected = [
            (CheckStatus::Passed, ""),
            (CheckStatus::Passed, "0 rows"),
            (CheckStatus::Failed, "2 rows of `notes` with a dangling reference to `people`"),
            (CheckStatus::Failed, "1 row with a dangling reference `tags.owner` → `people.id`"),
            (CheckStatus::Passed, "0 rows"),
            (CheckStatus::Passed, "1 key not guarded by an index"),
        ];
        assert_eq!(outcomes(data(&evidence)), expected.map(|(status, words)| (status, words.to_owned())));
    }

    #[test]
    fn unsealed_values_and_lost_keys_of_a_sealed_column_fail_and_another_form_is_not_checked() {
        let state = |format: &str, plain| SealedState {
            column: SealedColumn {
                table: "accounts".into(),
                column: "password".into(),
                key_columns: vec!["id".into()],
                row_filter: Some([("kind".to_owned(), "mail".to_owned())].into()),
            },
            format: format.to_owned(),
            values: 3,
            plain,
            lost: [("0011223344556677".to_owned(), 2)].into(),
            ..SealedState::default()
        };
        let sealed_state = |states: Vec<SealedState>| {
            let check = sealed_columns(&of_columns(states));
            (check.status, check.detail.unwrap_or_default())
        };
        assert_eq!(sealed_state(vec![state("tl1", 0)]), (CheckStatus::Passed, "3 values checked".into()));
        assert_eq!(
            sealed_state(vec![state("tl1", 1)]),
            (CheckStatus::Failed, "1 value of `accounts.password` (kind = mail) is not sealed".into())
        );
        let survey = of_columns(vec![state("tl1", 0)]);
        assert_eq!(
            outcomes(vec![keys(&survey)]),
            [(
                CheckStatus::Failed,
                "2 values of `accounts.password` (kind = mail) are sealed under key `0011223344556677`, which is not registered"
                    .into()
            )]
        );
        assert_eq!(
            sealed_state(vec![state("other", 0)]),
            (CheckStatus::NotChecked, "unknown format: `accounts.password` (kind = mail) is `other`".into())
        );
    }

    #[test]
    fn values_under_a_key_that_is_not_active_fail_and_deleted_ones_are_reported() {
        let state = SealedState {
            column: SealedColumn { table: "doors".into(), column: "pin".into(), ..SealedColumn::default() },
            format: "tl2".into(),
            sealed: [("new".to_owned(), 1), ("old".to_owned(), 2)].into(),
            ..SealedState::default()
        };
        let key = |id: &str, state: &str| KeyRow {
            id: id.into(),
            state: state.into(),
            kdf: String::new(),
            key_check: String::new(),
            wrapped_key: String::new(),
            seal_count: 0,
            created_at: String::new(),
            retired_at: None,
        };
        let survey = Survey {
            seals: SealRecord {
                columns: vec![state],
                registry: Registry {
                    keys: vec![key("new", "active"), key("old", "retired")],
                    hmac: Some(String::new()),
                    counts: Some(r#"{"doors":4}"#.into()),
                    ..Registry::default()
                },
                ..SealRecord::default()
            },
            ..Survey::default()
        };
        assert_eq!(
            outcomes(vec![keys(&survey), counts(&survey).unwrap()]),
            [
                (
                    CheckStatus::Failed,
                    "2 values of `doors.pin` are sealed under key `old`, which is not the active key".into()
                ),
                (CheckStatus::NotChecked, "`doors` has 3 sealed values, and had 4 when treelift last sealed".into())
            ]
        );
        let formats = [("tl2".to_owned(), 3)].into();
        let survey = of_columns(vec![SealedState { formats, ..SealedState::default() }]);
        assert_eq!(outcomes(vec![keys(&survey)]), [(CheckStatus::Failed, NO_PROOF.to_owned())]);
    }

    #[test]
    fn a_file_that_all_users_can_read_fails() {
        let file_mode = |bits| {
            let check = mode(bits);
            (check.status, check.detail.unwrap_or_default())
        };
        assert_eq!(file_mode(Some(0o640)), (CheckStatus::Passed, "mode 640".into()));
        assert_eq!(
            file_mode(Some(0o644)),
            (CheckStatus::Failed, "mode 644: all users can read it (`chmod o= FILE`)".into())
        );
        assert_eq!(file_mode(None).0, CheckStatus::NotChecked);
    }
}
