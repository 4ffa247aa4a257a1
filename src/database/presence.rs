//! Whether a migration's work is done already although no record says so. Pure: everything was read
//! before.
//!
//! A table may be both as one migration left it and as a later one leaves it: a column is there for a while, and rows
//! change meanwhile. Then the tables do not tell whether what lies between has run, and the record is asked.

use super::catalog::Catalog;
use super::drift_tables::table_differences;
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
    /// What it changes is as it was before and as it, or a later one, leaves it: the first thing that is so.
    Either(String),
}

impl Presence {
    /// Whether nothing that is there speaks against it.
    pub(super) fn may_be_there(&self) -> bool {
        matches!(self, Self::Whole | Self::Either(_))
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
            Self::Either(what) => (
                format!(
                    "nothing tells whether migration `{version}` has run: {what} is as it was before, and as it is left in the end"
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
/// Of one behind the first migration that is not valid SQL there are no stages to compare with. `is_told`: the record
/// tells that it has not run.
pub(super) fn presence(stages: &[Catalog], at: usize, live: &Catalog, is_told: bool) -> Presence {
    if at >= stages.len() {
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
    let mut pieces = tables.pieces(stages, at, live);
    pieces.extend(indexes.pieces(stages, at, live));
    pieces.extend(others.pieces(stages, at, live));
    let (either, mut pieces): (Vec<_>, Vec<_>) =
        pieces.into_iter().partition(|piece| matches!(piece, Piece::Either(_)));
    if let (Some(Piece::Either(what)), true) = (either.into_iter().next(), pieces.is_empty()) {
        let is_past = || {
            tables.is_past(stages, at, live) || indexes.is_past(stages, at, live) || others.is_past(stages, at, live)
        };
        return match is_told {
            true => Presence::Absent,
            false if is_past() => Presence::Whole,
            false => Presence::Either(what),
        };
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
    fn pieces(&self, stages: &[Catalog], at: usize, live: &Catalog) -> Vec<Piece> {
        let before = at.checked_sub(1).map(|before| (self.of)(&stages[before]));
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
            let [is_before, is_after] =
                [&stages[..at], &stages[at..]].map(|stages| stages.iter().any(|stage| self.has(stage, name, there)));
            let difference = || (self.differs)(name, made, there).unwrap_or_default();
            pieces.push(match (is_before, is_after, was) {
                (true, true, _) => Piece::Either(format!("{word} `{name}`")),
                (false, true, _) => Piece::There,
                // It is not changed yet.
                (true, false, _) | (false, false, Some(_)) => Piece::Missing(difference()),
                (false, false, None) => Piece::Otherwise(difference()),
            });
        }
        pieces
    }

    /// Whether something is there that only a later migration leaves so.
    fn is_past(&self, stages: &[Catalog], at: usize, live: &Catalog) -> bool {
        let (until, later) = stages.split_at(at + 1);
        (self.of)(live).iter().any(|(name, there)| {
            let has = |stage: &Catalog| self.has(stage, name, there);
            later.iter().any(has) && !until.iter().any(has)
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
    use crate::database::schema::{stages, tests::migration};

    /// How much is there of the last of these migrations, in a database that this SQL made.
    fn last(migrations: &[&str], live: &str) -> Presence {
        let versions = ["001", "002", "003"];
        let of = |texts: &[&str]| {
            let all: Vec<_> = texts.iter().zip(versions).map(|(text, version)| migration(version, text)).collect();
            stages(&Dialect::default(), &all).expect("valid SQL")
        };
        let live = of(&[live]).pop().expect("one stage");
        presence(&of(migrations), migrations.len() - 1, &live, false)
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
        assert_eq!(presence(&all, 0, &all[2], false), Presence::Whole);
        assert_eq!(presence(&all, 1, &all[2], true), Presence::Whole);
        assert_eq!(presence(&all, 1, &all[0], false), Presence::Absent);
    }

    #[test]
    fn what_a_later_migration_takes_back_is_there_or_not_as_the_record_says() {
        let both = |back: &str| {
            let there = "ALTER TABLE notes ADD COLUMN a TEXT; CREATE INDEX notes_n ON notes (n);";
            let all = [NOTES, there, "ALTER TABLE notes DROP COLUMN a; DROP INDEX notes_n;", back];
            let all: Vec<_> = all.iter().zip(["1", "2", "3", "4"]).map(|(text, at)| migration(at, text)).collect();
            stages(&Dialect::default(), &all).expect("valid SQL")
        };
        let all = both("CREATE TABLE more (n INT);");
        let of = |live: &Catalog, is_told| [1, 2, 3].map(|at| presence(&all, at, live, is_told));
        let either = || Presence::Either("table `notes`".to_owned());
        assert_eq!(of(&all[0], true), [Presence::Absent, Presence::Absent, Presence::Absent]);
        assert_eq!(of(&all[0], false), [either(), either(), Presence::Absent]);
        assert_eq!(of(&all[1], false), [Presence::Whole, Presence::Absent, Presence::Absent]);
        // What a later one makes tells that they have run.
        assert_eq!(of(&all[3], false), [Presence::Whole, Presence::Whole, Presence::Whole]);
        // So does what the migration makes besides.
        let kept = [
            NOTES,
            "ALTER TABLE notes ADD COLUMN a TEXT; CREATE TABLE more (n INT);",
            "ALTER TABLE notes DROP COLUMN a;",
        ];
        let kept: Vec<_> = kept.iter().zip(["1", "2", "3"]).map(|(text, at)| migration(at, text)).collect();
        let kept = stages(&Dialect::default(), &kept).expect("valid SQL");
        assert_eq!(presence(&kept, 1, &kept[2], false), Presence::Whole);
        assert_eq!(presence(&kept, 1, &kept[0], false), Presence::Absent);
    }
}
