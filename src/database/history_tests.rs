use super::*;
use crate::database::schema::tests::migration;

fn recorded(version: &str, status: Status, origin: Origin) -> Recorded {
    Recorded {
        version: version.to_owned(),
        description: None,
        status,
        applied_at: None,
        took_ms: None,
        checksum: Some(format!("checksum of {version}")),
        rolled_back_at: None,
        error: None,
        origin,
    }
}

fn ran(version: &str) -> Recorded {
    recorded(version, Status::Applied, Origin::Ran)
}

fn set() -> Vec<Migration> {
    ["v001_notes", "v002_people", "v003_tags"].map(|version| migration(version, "")).into()
}

fn faults(recorded: &[Recorded], available: &[Migration]) -> Vec<String> {
    compare(recorded, available).faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_database_without_a_record_has_everything_before_it() {
    let standing = compare(&[], &set());
    assert_eq!((standing.current(), standing.pending()), (None, vec![0, 1, 2]));
    assert!(!standing.is_kept() && standing.faults.is_empty());
}

#[test]
fn what_failed_or_was_is_undone_is_pending_again() {
    let record = [
        ran("v001_notes"),
        recorded("v002_people", Status::Failed, Origin::Ran),
        recorded("v003_tags", Status::RolledBack, Origin::Ran),
    ];
    let standing = compare(&record, &set());
    let states: Vec<_> = standing.steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [State::Applied, State::Failed, State::RolledBack]);
    assert_eq!((standing.current(), standing.pending()), (Some("v001_notes"), vec![1, 2]));
}

#[test]
fn a_record_tells_what_has_not_run_where_it_is_known_how_far_the_database_is() {
    let of = |record: &[Recorded]| {
        let standing = compare(record, &set());
        standing.pending().into_iter().filter(|at| standing.tells(*at)).collect::<Vec<_>>()
    };
    let applied = |version: &str, origin| recorded(version, Status::Applied, origin);
    assert_eq!(of(&[]), [] as [usize; 0]);
    assert_eq!(of(&[ran("v001_notes")]), [1, 2]);
    assert_eq!(of(&[applied("v001_notes", Origin::Stamped)]), [1, 2]);
    assert_eq!(of(&[ran("v001_notes"), ran("v003_tags")]), [1]);
    // Its application may be further than the tables that were found.
    assert_eq!(of(&[applied("v001_notes", Origin::Found)]), [] as [usize; 0]);
    assert_eq!(of(&[ran("v001_notes"), applied("v002_people", Origin::Found)]), [] as [usize; 0]);
    assert_eq!(of(&[applied("v001_notes", Origin::Found), ran("v002_people")]), [] as [usize; 0]);
    assert_eq!(of(&[applied("v001_notes", Origin::Found), applied("v002_people", Origin::Stamped)]), [2]);
    // Another program records what it does, unless it does what the set does not know.
    let theirs = applied("v001_notes", Origin::Foreign);
    assert_eq!(of(std::slice::from_ref(&theirs)), [1, 2]);
    assert_eq!(of(&[theirs, applied("theirs", Origin::Foreign)]), [] as [usize; 0]);
    let done = recorded("v001_notes", Status::Other("done".to_owned()), Origin::Foreign);
    assert_eq!(of(&[done]), [] as [usize; 0]);
    let back = recorded("v002_people", Status::RolledBack, Origin::Ran);
    assert_eq!(of(&[applied("v001_notes", Origin::Found), back]), [1]);
    assert_eq!(of(&[recorded("v003_tags", Status::Failed, Origin::Ran)]), [2]);
}

#[test]
fn each_fault_has_its_own_words() {
    let mut changed = set();
    changed[0].checksum = "other".into();
    assert_eq!(
        faults(&[ran("v001_notes")], &changed),
        ["migration `v001_notes` was changed after it had been applied to this database"]
    );
    let without_second = [set()[0].clone(), set()[2].clone()];
    assert_eq!(
        faults(&[ran("v001_notes"), ran("v002_people"), ran("v003_tags")], &without_second),
        ["migration `v002_people` was applied to this database, but its file is missing from the mapping set"]
    );
    assert_eq!(
        faults(&[ran("v001_notes"), ran("v002_people"), ran("v003_tags")], &set()[..2]),
        [
            "the database is newer than the mapping set, or belongs to another set: it has the migration `v003_tags`, which the set does not"
        ]
    );
    assert_eq!(
        faults(&[recorded("theirs", Status::Applied, Origin::Foreign)], &set()),
        ["another program recorded a migration `theirs`, which the mapping set does not have"]
    );
}

#[test]
fn only_what_another_program_did_does_not_stand_in_the_way() {
    let foreign = compare(&[recorded("theirs", Status::Applied, Origin::Foreign)], &set());
    assert!(foreign.refuse("x.db").is_ok());
    let newer = compare(&[ran("v009_later")], &set());
    assert_eq!(newer.refuse("x.db").expect_err("refused").status(), 3);
}

#[test]
fn a_foreign_checksum_is_of_another_file() {
    let mut record = recorded("v001_notes", Status::Applied, Origin::Foreign);
    record.checksum = Some("of a Python file".into());
    assert_eq!(faults(&[record], &set()), [] as [&str; 0]);
}

#[test]
fn only_what_treelift_ran_or_was_told_makes_it_keep_the_schema() {
    let kept = |origin| compare(&[recorded("v001_notes", Status::Applied, origin)], &set()).is_kept();
    assert_eq!([Origin::Ran, Origin::Stamped, Origin::Found, Origin::Foreign].map(kept), [true, true, false, false]);
}

#[test]
fn the_way_up_ends_where_it_was_asked_to() {
    let standing = compare(&[ran("v001_notes")], &set());
    assert_eq!(standing.up(None).expect("possible"), [1, 2]);
    assert_eq!(standing.up(Some(1)).expect("possible"), [1]);
    assert_eq!(standing.up(Some(0)).expect("possible"), [] as [usize; 0]);
    let past = compare(&[ran("v001_notes"), ran("v002_people")], &set()).up(Some(0)).expect_err("refused");
    assert_eq!((past.message.as_str(), past.status()), ("the database is at `v002_people`, past `v001_notes`", 2));
}

#[test]
fn the_way_down_goes_from_the_last_one() {
    let standing = compare(&[ran("v001_notes"), ran("v002_people"), ran("v003_tags")], &set());
    assert_eq!(standing.down(Down::All).expect("possible"), [2, 1, 0]);
    assert_eq!(standing.down(Down::Steps(1)).expect("possible"), [2]);
    assert_eq!(standing.down(Down::To(0)).expect("possible"), [2, 1]);
    assert_eq!(standing.down(Down::Steps(4)).expect_err("refused").message, "only 3 migrations can be rolled back");
    let short = compare(&[ran("v001_notes")], &set()).down(Down::To(1)).expect_err("refused");
    assert_eq!(short.message, "the database is not past `v002_people`");
}

#[test]
fn a_migration_is_meant_by_version_number_or_start() {
    let set = set();
    for word in ["v002_people", "002_people", "v002", "002", "2", "v2"] {
        assert_eq!(find(&set, word).ok(), Some(1), "{word}");
    }
    for word in ["v004", "v00", "people", ""] {
        let error = find(&set, word).expect_err(word);
        assert_eq!(error.hint.as_deref(), Some("it has `v001_notes`, `v002_people`, `v003_tags`"));
    }
}

#[test]
fn a_word_leads_to_a_version_to_an_end_or_so_many_steps_on_or_back() {
    let set = set();
    let leads = |applied: &[&str], word: &str| {
        let recorded: Vec<Recorded> = applied.iter().map(|version| ran(version)).collect();
        goal(&set, &compare(&recorded, &set), word).map(|at| at.map(|at| set[at].version.clone()))
    };
    let to = |version: &str| Some(version.to_owned());
    let first = &set[0].version.clone();
    let last = &set[set.len() - 1].version.clone();
    assert_eq!(leads(&[first], "head").unwrap(), to(last));
    assert_eq!(leads(&[first], "base").unwrap(), None);
    assert_eq!(leads(&[first], "-1").unwrap(), None);
    assert_eq!(leads(&[first], "+1").unwrap(), to(&set[1].version));
    assert_eq!(leads(&[], "+1").unwrap(), to(first));
    assert_eq!(leads(&[first, &set[1].version], "-1").unwrap(), to(first));
    assert_eq!(leads(&[first], first).unwrap(), to(first));
    let refused = leads(&[first], "-2").unwrap_err();
    assert_eq!(refused.message, "`-2`: 1 migration can be rolled back");
    let refused = leads(&[first], &format!("+{}", set.len())).unwrap_err();
    assert_eq!(
        refused.message,
        format!("`+{}`: {} can be applied", set.len(), count(set.len() as u64 - 1, "migration"))
    );
}
