//! Whether a migration's work is done already although no record says so. Pure: everything was read
//! before.
//!
//! What is as an earlier migration made it may also be as a later one leaves it: a column that one brings and the next
//! takes away again, with rows changed in between. There the record tells, by what is known to have run.

use super::catalog::Catalog;
use super::drift_tables::table_differences;
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
    /// What it changes is as it was before, and as a later one leaves it: the first that is.
    Either(String),
}

impl Presence {
    /// Whether nothing differs from what it makes, or a later one makes of it.
    pub(super) fn is_there(&self) -> bool {
        matches!(self, Self::Whole | Self::Either(_))
    }
}

/// What is there of one thing that a migration makes or changes.
enum Piece {
    There,
    Either(String),
    Missing(String),
    Otherwise(String),
}

/// Decides by everything that a migration makes or changes: tables, indexes, views and triggers.
///
/// Of one behind the first migration that is not valid SQL there are no stages to compare with. So many of the first
/// migrations are known to have `run`, and no other, where that is known.
pub(super) fn presence(stages: &[Catalog], at: usize, live: &Catalog, run: Option<usize>) -> Presence {
    if at >= stages.len() {
        return Presence::Absent;
    }
    let base = run.and_then(|run| stages.get(run.checked_sub(1)?));
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
    let mut pieces = tables.pieces(stages, at, live, base);
    pieces.extend(indexes.pieces(stages, at, live, base));
    pieces.extend(others.pieces(stages, at, live, base));
    let (either, mut pieces): (Vec<_>, Vec<_>) =
        pieces.into_iter().partition(|piece| matches!(piece, Piece::Either(_)));
    if let (Some(Piece::Either(what)), true) = (either.into_iter().next(), pieces.is_empty()) {
        return Presence::Either(what);
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
    fn pieces(&self, stages: &[Catalog], at: usize, live: &Catalog, base: Option<&Catalog>) -> Vec<Piece> {
        let same =
            |name: &str, one: Option<&T>, other: &T| one.is_some_and(|one| (self.differs)(name, one, other).is_none());
        let before = at.checked_sub(1).map(|before| (self.of)(&stages[before]));
        let mut pieces = Vec::new();
        for (name, made) in (self.of)(&stages[at]) {
            let was = before.and_then(|before| before.get(name));
            if same(name, was, made) {
                continue; // an earlier migration's
            }
            let later = || stages[at + 1..].iter().map(|stage| (self.of)(stage).get(name));
            let Some(there) = (self.of)(live).get(name) else {
                // What a later migration drops says nothing where it is missing.
                if later().all(|later| later.is_some()) {
                    pieces.push(Piece::Missing(format!("{} `{name}` is missing", (self.word)(made))));
                }
                continue;
            };
            let word = (self.word)(made);
            if same(name, base.and_then(|base| (self.of)(base).get(name)), there) {
                pieces.push(Piece::Missing(format!("{word} `{name}` is as it was before")));
                continue;
            }
            let Some(difference) = (self.differs)(name, made, there) else {
                pieces.push(Piece::There);
                continue;
            };
            pieces.push(match (later().any(|later| same(name, later, there)), was) {
                (true, _) if same(name, was, there) => Piece::Either(format!("{word} `{name}`")),
                (true, _) => Piece::There,
                // It is not changed yet.
                (false, Some(_)) => Piece::Missing(difference),
                (false, None) => Piece::Otherwise(difference),
            });
        }
        pieces
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
        presence(&of(migrations), migrations.len() - 1, &live, None)
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
        assert_eq!(presence(&all, 0, &all[2], None), Presence::Whole);
        assert_eq!(presence(&all, 1, &all[2], Some(1)), Presence::Whole);
        assert_eq!(presence(&all, 1, &all[0], None), Presence::Absent);
    }

    #[test]
    fn what_a_later_migration_takes_back_is_there_or_not_as_the_record_says() {
        let there_and_back = [
            NOTES,
            "ALTER TABLE notes ADD COLUMN a TEXT; CREATE INDEX notes_n ON notes (n);",
            "ALTER TABLE notes DROP COLUMN a; DROP INDEX notes_n;",
        ];
        let all: Vec<_> = there_and_back.iter().zip(["1", "2", "3"]).map(|(text, at)| migration(at, text)).collect();
        let all = stages(&Dialect::default(), &all).expect("valid SQL");
        assert_eq!([1, 2].map(|at| presence(&all, at, &all[0], Some(1))), [Presence::Absent, Presence::Absent]);
        assert_eq!(presence(&all, 2, &all[1], Some(2)), Presence::Absent);
        assert_eq!(
            [1, 2].map(|at| presence(&all, at, &all[0], None)),
            [Presence::Either("table `notes`".to_owned()), Presence::Whole]
        );
        assert_eq!(presence(&all, 1, &all[1], None), Presence::Whole);
        // Something else tells.
        let kept = [NOTES, "ALTER TABLE notes ADD COLUMN a TEXT; CREATE TABLE more (n INT);", there_and_back[2]];
        let live = format!("{NOTES} CREATE TABLE more (n INT);");
        let kept: Vec<_> = kept
            .iter()
            .zip(["1", "2", "3"])
            .map(|(text, at)| migration(at, text.trim_end_matches(" DROP INDEX notes_n;")))
            .collect();
        let kept = stages(&Dialect::default(), &kept).expect("valid SQL");
        assert_eq!(
            presence(&kept, 1, &stages(&Dialect::default(), &[migration("1", &live)]).unwrap()[0], None),
            Presence::Whole
        );
        assert_eq!(presence(&kept, 1, &all[0], None), Presence::Absent);
    }
}
