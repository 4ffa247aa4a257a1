//! Whether a migration's work is done already although no record says so. Pure: everything was read
//! before.
//!
//! A table may be both as one migration left it and as a later one leaves it: a column is there for a while, and rows
//! change meanwhile. Then the tables do not tell whether what lies between has run, and the record is asked.

use super::catalog::Catalog;
use super::drift_tables::table_differences;
use super::history::{Standing, State};
use crate::error::Error;
use crate::table::Migration;
use std::collections::BTreeMap;

/// How much of a migration is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Presence {
    /// Nothing of it; or it makes nothing that would tell.
    Absent,
    /// Everything that it makes, as it or a later one makes it.
    Whole,
    /// Some of it, or in another form: the first difference.
    Part(String),
    /// What it changes is as it was before and as it, or a later one, leaves it.
    Either {
        /// The first thing that is so.
        what: String,
        /// Whether nothing else of it is missing.
        is_whole: bool,
    },
}

/// What a migration is compared with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'k> {
    /// What there is after each migration.
    pub(super) stages: &'k [Catalog],
    /// What was there before any was run now.
    pub(super) first: &'k Catalog,
    /// How they stood then.
    pub(super) begun: &'k Standing,
    /// How they stand by now.
    pub(super) standing: &'k Standing,
}

impl<'k> Known<'k> {
    /// That of a database in which nothing was run now.
    pub(super) fn at_rest(stages: &'k [Catalog], live: &'k Catalog, standing: &'k Standing) -> Self {
        Self { stages, first: live, begun: standing, standing }
    }
}

impl Presence {
    /// Whether nothing that is there speaks against it.
    pub(super) fn may_be_there(&self) -> bool {
        matches!(self, Self::Whole | Self::Either { is_whole: true, .. })
    }

    /// Why a migration can be neither run nor recorded on the database of this place.
    pub(super) fn refusal(&self, migration: &Migration, place: &str) -> Option<Error> {
        let version = &migration.version;
        let (message, hint) = match self {
            Self::Absent | Self::Whole => return None,
            Self::Part(difference) => (
                format!(
                    "migration `{version}` is not recorded, but part of what it creates already exists: {difference}"
                ),
                "bring the database to the expected schema, then `schema stamp` it; or drop that part",
            ),
            Self::Either { what, .. } => (
                format!(
                    "nothing tells whether migration `{version}` has run: {what} is as it was before, and as later migrations leave it"
                ),
                "say which version the database has: `treelift schema stamp VERSION`, then run again",
            ),
        };
        Some(Error::environment(message).at(place).hint(hint))
    }
}

/// What is there of one thing that a migration makes or changes.
enum Piece {
    There,
    /// As before, and as it is left: what it is.
    Either(String),
    Missing(String),
    Otherwise(String),
}

/// Decides by everything that a migration makes or changes: tables, indexes, views and triggers.
///
/// Of one behind the first migration that is not valid SQL there are no stages to compare with.
pub(super) fn presence(known: Known<'_>, at: usize, live: &Catalog) -> Presence {
    if at >= known.stages.len() {
        return Presence::Absent;
    }
    let tables = Kind {
        of: |catalog| &catalog.schema.tables,
        differs: |_, expected, live| table_differences(expected, live).into_iter().next().map(|(_, message)| message),
        word: |_| "table",
    };
    let indexes = Kind {
        of: |catalog| &catalog.indexes,
        differs: |name, expected, live| (!expected.same_as(live)).then(|| format!("index `{name}` differs")),
        word: |_| "index",
    };
    let others = Kind {
        of: |catalog| &catalog.others,
        differs: |name, expected, live| {
            (!expected.same_as(live)).then(|| format!("{} `{name}` differs", expected.kind))
        },
        word: |other| other.kind,
    };
    let mut pieces = tables.pieces(known, at, live);
    pieces.extend(indexes.pieces(known, at, live));
    pieces.extend(others.pieces(known, at, live));
    let (either, mut pieces): (Vec<_>, Vec<_>) =
        pieces.into_iter().partition(|piece| matches!(piece, Piece::Either(_)));
    if let Some(Piece::Either(what)) = either.into_iter().next() {
        let is_past =
            || tables.is_past(known, at, live) || indexes.is_past(known, at, live) || others.is_past(known, at, live);
        let all_missing = pieces.iter().all(|piece| matches!(piece, Piece::Missing(_)));
        let all_there = pieces.iter().all(|piece| matches!(piece, Piece::There));
        let begun = known.begun;
        if begun.tells(at) {
            // What is there of it, or of a later one, may say otherwise than the record; but not than the user.
            if all_missing && (begun.is_noted(at) || begun.is_said() || !is_past()) {
                return Presence::Absent;
            }
        } else if all_there && (!pieces.is_empty() || is_past()) {
            return Presence::Whole;
        }
        if all_missing || all_there {
            return Presence::Either { what, is_whole: all_there };
        }
    }
    let there = pieces.iter().filter(|piece| matches!(piece, Piece::There)).count();
    if there > 0 && there == pieces.len() {
        return Presence::Whole;
    }
    if there == 0 && !pieces.iter().any(|piece| matches!(piece, Piece::Otherwise(_))) {
        return Presence::Absent;
    }
    // What is otherwise says more than what is missing.
    pieces.sort_by_key(|piece| !matches!(piece, Piece::Otherwise(_)));
    let difference = pieces.into_iter().find_map(|piece| match piece {
        Piece::Missing(what) | Piece::Otherwise(what) => Some(what),
        Piece::There | Piece::Either(_) => None,
    });
    Presence::Part(difference.unwrap_or_default())
}

/// Whether nothing is there of what migrations make, so that all that is of them will be what is run now.
pub(super) fn is_fresh(stages: &[Catalog], live: &Catalog) -> bool {
    fn none<T>(stages: &[Catalog], live: &Catalog, of: fn(&Catalog) -> &BTreeMap<String, T>) -> bool {
        of(live).keys().all(|name| stages.iter().all(|stage| !of(stage).contains_key(name)))
    }
    none(stages, live, |catalog| &catalog.schema.tables)
        && none(stages, live, |catalog| &catalog.indexes)
        && none(stages, live, |catalog| &catalog.others)
}

/// A kind of thing that migrations make.
struct Kind<T> {
    /// All of a catalog.
    of: fn(&Catalog) -> &BTreeMap<String, T>,
    /// In what the one of a name is not as expected.
    differs: fn(&str, &T, &T) -> Option<String>,
    /// What it is called.
    word: fn(&T) -> &'static str,
}

impl<T> Kind<T> {
    fn pieces(&self, known: Known<'_>, at: usize, live: &Catalog) -> Vec<Piece> {
        let Known { stages, first, begun, standing } = known;
        let before = at.checked_sub(1).map(|before| (self.of)(&stages[before]));
        // What stands by now is past, and so is what came before it.
        let earlier = &stages[standing.leading().saturating_sub(1).min(at)..at];
        let mut pieces = Vec::new();
        for (name, made) in (self.of)(&stages[at]) {
            let was = before.and_then(|before| before.get(name));
            if was.is_some_and(|was| (self.differs)(name, was, made).is_none()) {
                continue; // an earlier migration's
            }
            let word = (self.word)(made);
            let Some(there) = (self.of)(live).get(name) else {
                // What a later migration drops says nothing where it is missing.
                if stages[at + 1..].iter().all(|stage| (self.of)(stage).contains_key(name)) {
                    pieces.push(Piece::Missing(format!("{word} `{name}` is missing")));
                }
                continue;
            };
            let has = |stage: &Catalog| self.has(stage, name, there);
            let is_before = earlier.iter().any(has);
            let is_after = (at..stages.len()).any(|stage| has(&stages[stage]));
            // One that is recorded alone leaves it so without this one, too.
            let is_of_later =
                !has(&stages[at]) && begun.last().is_some_and(|last| !stages[(last + 1).max(at)..].iter().any(has));
            let is_ours = !(self.of)(first).contains_key(name);
            let difference = || (self.differs)(name, made, there).unwrap_or_default();
            pieces.push(match (is_before, is_after, was) {
                // It was made now, and not by this one.
                (true, true, _) if is_ours => Piece::Missing(difference()),
                (true, true, _) => Piece::Either(format!("{word} `{name}`")),
                (false, true, Some(_)) if is_of_later => Piece::Either(format!("{word} `{name}`")),
                (false, true, _) => Piece::There,
                // It is not changed yet.
                (true, false, _) | (false, false, Some(_)) => Piece::Missing(difference()),
                (false, false, None) => Piece::Otherwise(difference()),
            });
        }
        pieces
    }

    /// Whether something is there as a later migration makes it that is not recorded, and none until this one.
    fn is_past(&self, known: Known<'_>, at: usize, live: &Catalog) -> bool {
        let Known { stages, begun, .. } = known;
        let later = || (at + 1..stages.len()).filter(|later| begun.steps[*later].state != State::Applied);
        (self.of)(live).iter().any(|(name, there)| {
            let has = |at: usize| self.has(&stages[at], name, there);
            later().any(|later| has(later) && !has(later - 1)) && !(0..=at).any(has)
        })
    }

    /// Whether a stage has a thing in the form in which it is there.
    fn has(&self, stage: &Catalog, name: &str, there: &T) -> bool {
        (self.of)(stage).get(name).is_some_and(|one| (self.differs)(name, one, there).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Dialect;
    use crate::database::history::{Origin, Step};
    use crate::database::schema::{stages, tests::migration};

    /// So many migrations, of which nothing is recorded.
    fn unrecorded(many: usize) -> Standing {
        let step = Step { version: String::new(), description: String::new(), state: State::Pending, origin: None };
        Standing { steps: vec![step; many], faults: Vec::new() }
    }

    /// The same, of which these are recorded.
    fn recorded(many: usize, origin: Origin, applied: &[usize]) -> Standing {
        let mut standing = unrecorded(many);
        applied.iter().for_each(|at| standing.note(*at, State::Applied, origin));
        standing
    }

    /// How much is there of a migration before any is run.
    fn by(stages: &[Catalog], at: usize, live: &Catalog, standing: &Standing) -> Presence {
        presence(Known::at_rest(stages, live, standing), at, live)
    }

    /// How much is there of the last of these migrations, in a database that this SQL made.
    fn last(migrations: &[&str], live: &str) -> Presence {
        let versions = ["001", "002", "003"];
        let of = |texts: &[&str]| {
            let all: Vec<_> = texts.iter().zip(versions).map(|(text, version)| migration(version, text)).collect();
            stages(&Dialect::default(), &all).expect("valid SQL")
        };
        let live = of(&[live]).pop().expect("one stage");
        by(&of(migrations), migrations.len() - 1, &live, &unrecorded(migrations.len()))
    }

    fn part(difference: &str) -> Presence {
        Presence::Part(difference.to_owned())
    }

    const NOTES: &str =
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, n INT CHECK (n > 0), owner INTEGER REFERENCES notes);";

    #[test]
    fn tables_are_present_whole_in_part_or_not_at_all() {
        let two = "CREATE TABLE a (id INTEGER); CREATE TABLE b (id INTEGER)";
        assert_eq!(last(&[two], "CREATE TABLE c (id INTEGER)"), Presence::Absent);
        assert_eq!(last(&[two], two), Presence::Whole);
        assert_eq!(last(&[two], "CREATE TABLE b (id INTEGER)"), part("table `a` is missing"));
        assert_eq!(
            last(&[two], "CREATE TABLE a (x TEXT); CREATE TABLE b (id INTEGER)"),
            part("column `a.id` is missing")
        );
    }

    #[test]
    fn a_changed_condition_alone_is_absent_before_its_migration() {
        let changes = [("n > 0", "n > -5"), ("REFERENCES notes", "REFERENCES notes ON DELETE CASCADE")];
        for (from, to) in changes {
            let change = format!("DROP TABLE notes; {}", NOTES.replace(from, to));
            assert_eq!(last(&[NOTES, &change], NOTES), Presence::Absent, "{to}");
            assert_eq!(last(&[NOTES, &change], &NOTES.replace(from, to)), Presence::Whole, "{to}");
        }
    }

    #[test]
    fn changes_of_a_migration_are_compared_with_what_it_creates() {
        let both =
            "CREATE TABLE a (id INTEGER); ALTER TABLE notes ADD COLUMN a_id INTEGER; CREATE INDEX notes_n ON notes (n)";
        let a = "CREATE TABLE a (id INTEGER);";
        let added = "ALTER TABLE notes ADD COLUMN a_id INTEGER;";
        assert_eq!(last(&[NOTES, both], NOTES), Presence::Absent);
        assert_eq!(last(&[NOTES, both], &format!("{NOTES} {a}")), part("column `notes.a_id` is missing"));
        assert_eq!(last(&[NOTES, both], &format!("{NOTES} {a} {added}")), part("index `notes_n` is missing"));
        assert_eq!(last(&[NOTES, both], &format!("{NOTES} {both}")), Presence::Whole);
    }

    #[test]
    fn indexes_views_and_triggers_count_and_rows_do_not() {
        let view = "CREATE VIEW v AS SELECT n FROM notes; CREATE INDEX notes_n ON notes (n);";
        assert_eq!(last(&[NOTES, view], NOTES), Presence::Absent);
        assert_eq!(last(&[NOTES, view], &format!("{NOTES} {view}")), Presence::Whole);
        assert_eq!(
            last(&[NOTES, view], &format!("{NOTES} CREATE VIEW v AS SELECT 1; CREATE INDEX notes_n ON notes (n);")),
            part("view `v` differs")
        );
        assert_eq!(last(&[NOTES, "INSERT INTO notes (n) VALUES (1)"], NOTES), Presence::Absent);
    }

    #[test]
    fn later_forms_of_a_table_count_as_present() {
        let (two, three) = ("ALTER TABLE notes ADD COLUMN a TEXT", "ALTER TABLE notes ADD COLUMN b TEXT");
        let all: Vec<_> =
            [NOTES, two, three].iter().zip(["1", "2", "3"]).map(|(text, at)| migration(at, text)).collect();
        let all = stages(&Dialect::default(), &all).expect("valid SQL");
        assert_eq!(by(&all, 0, &all[2], &unrecorded(3)), Presence::Whole);
        assert_eq!(by(&all, 1, &all[2], &recorded(3, Origin::Ran, &[0])), Presence::Whole);
        assert_eq!(by(&all, 1, &all[0], &unrecorded(3)), Presence::Absent);
    }

    /// The stages of these migrations.
    fn of(all: &[&str]) -> Vec<Catalog> {
        let all: Vec<_> = all.iter().zip(["1", "2", "3", "4"]).map(|(text, at)| migration(at, text)).collect();
        stages(&Dialect::default(), &all).expect("valid SQL")
    }

    #[test]
    fn what_a_later_migration_takes_back_is_there_or_not_as_the_record_says() {
        let there = "ALTER TABLE notes ADD COLUMN a TEXT; CREATE INDEX notes_n ON notes (n);";
        let back = "ALTER TABLE notes DROP COLUMN a; DROP INDEX notes_n;";
        let all = of(&[NOTES, there, back, "CREATE TABLE more (n INT);"]);
        let at_each = |live: &Catalog, begun: &Standing| [1, 2, 3].map(|at| by(&all, at, live, begun));
        let either = || Presence::Either { what: "table `notes`".to_owned(), is_whole: true };
        let (nothing, first) = (unrecorded(4), recorded(4, Origin::Ran, &[0]));
        assert_eq!(at_each(&all[0], &first), [Presence::Absent, Presence::Absent, Presence::Absent]);
        for begun in [&nothing, &recorded(4, Origin::Found, &[0])] {
            assert_eq!(at_each(&all[0], begun), [either(), either(), Presence::Absent]);
        }
        assert_eq!(at_each(&all[1], &nothing), [Presence::Whole, Presence::Absent, Presence::Absent]);
        // What a later one makes tells that they have run, unless that is recorded alone.
        assert_eq!(at_each(&all[3], &nothing), [Presence::Whole, Presence::Whole, Presence::Whole]);
        let behind = recorded(4, Origin::Ran, &[0, 3]);
        assert_eq!([1, 2].map(|at| by(&all, at, &all[3], &behind)), [Presence::Absent, Presence::Absent]);
        // The record says that they have not, unless the user or what was noted of them says so.
        assert_eq!(at_each(&all[3], &first)[..2], [either(), either()]);
        let mut noted = first.clone();
        [1, 2].into_iter().for_each(|at| noted.note(at, State::RolledBack, Origin::Ran));
        for begun in [&recorded(4, Origin::Stamped, &[0]), &noted] {
            assert_eq!(at_each(&all[3], begun), [Presence::Absent, Presence::Absent, Presence::Whole]);
        }
    }

    #[test]
    fn what_a_migration_makes_besides_tells_where_the_record_does_not() {
        let all = of(&[
            NOTES,
            "ALTER TABLE notes ADD COLUMN a TEXT; CREATE TABLE more (n INT);",
            "ALTER TABLE notes DROP COLUMN a;",
        ]);
        let first = recorded(3, Origin::Stamped, &[0]);
        assert_eq!(by(&all, 1, &all[2], &unrecorded(3)), Presence::Whole);
        let either = |is_whole| Presence::Either { what: "table `notes`".to_owned(), is_whole };
        assert_eq!(by(&all, 1, &all[2], &first), either(true));
        // That it is missing may be for another reason.
        assert_eq!(by(&all, 1, &all[0], &unrecorded(3)), either(false));
        assert_eq!(by(&all, 1, &all[0], &first), Presence::Absent);
    }

    #[test]
    fn a_later_migration_that_is_recorded_tells_nothing_of_one_before_it() {
        let pair = ["ALTER TABLE notes ADD COLUMN a TEXT;", "ALTER TABLE notes DROP COLUMN a;"];
        let all = of(&[NOTES, pair[0], pair[1], "ALTER TABLE notes ADD COLUMN b TEXT;"]);
        let behind = recorded(4, Origin::Ran, &[0, 3]);
        assert_eq!([1, 2].map(|at| by(&all, at, &all[3], &behind)), [Presence::Absent, Presence::Absent]);
        assert_eq!(
            [1, 2, 3].map(|at| by(&all, at, &all[3], &unrecorded(4))),
            [Presence::Whole, Presence::Whole, Presence::Whole]
        );
    }

    #[test]
    fn what_was_made_now_is_as_the_migrations_before_left_it() {
        let pair = ["ALTER TABLE more ADD COLUMN a TEXT;", "ALTER TABLE more DROP COLUMN a;"];
        let all = of(&[NOTES, "CREATE TABLE more (n INT);", pair[0], pair[1]]);
        let (begun, mut standing) = (unrecorded(4), unrecorded(4));
        standing.note(0, State::Applied, Origin::Found);
        standing.note(1, State::Applied, Origin::Ran);
        let known = Known { stages: &all, first: &all[0], begun: &begun, standing: &standing };
        assert_eq!(presence(known, 2, &all[1]), Presence::Absent);
    }

    #[test]
    fn what_a_found_migration_drops_and_the_next_makes_again_is_there() {
        let view = "CREATE VIEW v AS SELECT n FROM notes;";
        let all = of(&[&format!("{NOTES} {view}"), "DROP VIEW v; ALTER TABLE notes ADD COLUMN a TEXT;", view]);
        let (begun, mut standing) = (unrecorded(3), unrecorded(3));
        for at in 0..3 {
            let known = Known { stages: &all, first: &all[2], begun: &begun, standing: &standing };
            assert_eq!(presence(known, at, &all[2]), Presence::Whole, "{at}");
            standing.note(at, State::Applied, Origin::Found);
        }
    }

    #[test]
    fn a_database_is_fresh_where_nothing_has_a_name_of_what_migrations_make() {
        let all = of(&[
            NOTES,
            "DROP TABLE notes; CREATE VIEW seen AS SELECT 1; CREATE TABLE b (n INT); CREATE INDEX i ON b (n);",
        ]);
        let is_fresh = |sql| is_fresh(&all, &of(&[sql])[0]);
        assert!(is_fresh("CREATE TABLE other (n INT);"));
        for there in
            [NOTES, "CREATE VIEW seen AS SELECT 2;", "CREATE TABLE other (n INT); CREATE INDEX i ON other (n);"]
        {
            assert!(!is_fresh(there), "{there}");
        }
    }
}
