//! What migrations did to tables that runs wrote into: the ledger knows tables by name, columns by name, and rows by the
//! primary key that they had.

use super::Migration;
use super::catalog::Catalog;
use super::history::{Recorded, Status};
use crate::table::{Schema, Table};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What migrations changed, oldest first.
#[derive(Debug, Default)]
pub struct Changes(Vec<Change>);

/// One migration, applied or rolled back.
#[derive(Debug)]
struct Change {
    /// In words.
    by: String,
    before: Schema,
    after: Schema,
}

impl Changes {
    /// What was changed after a moment, or ever: `stages` is what there is after each of the migrations. One of which it
    /// is not recorded when it was done counts.
    pub fn since(
        since: Option<Timestamp>,
        migrations: &[Migration],
        stages: &[Catalog],
        recorded: &[Recorded],
    ) -> Self {
        let is_later = |text: &Option<String>| match (since, text.as_deref().and_then(moment)) {
            (Some(since), Some(at)) => at > since,
            _ => true,
        };
        let stage = |count: usize| match count.checked_sub(1) {
            None => Some(Schema::default()),
            Some(at) => stages.get(at).map(|stage| stage.schema.clone()),
        };
        let change = |(at, migration): (usize, &Migration)| {
            let record = recorded.iter().find(|record| record.version == migration.version)?;
            let (before, after) = (stage(at)?, stage(at + 1)?);
            let name = format!("migration `{}`", migration.version);
            match &record.status {
                Status::Applied if is_later(&record.applied_at) => Some(Change { by: name, before, after }),
                Status::RolledBack if is_later(&record.rolled_back_at) => {
                    Some(Change { by: format!("the rollback of {name}"), before: after, after: before })
                }
                _ => None,
            }
        };
        Self(migrations.iter().enumerate().filter_map(change).collect())
    }

    /// What took a table away, in a sentence without the table, with the one of the same columns that it made, if any.
    pub fn took_table(&self, table: &str) -> Option<String> {
        let change = self
            .0
            .iter()
            .rfind(|change| find(&change.before, table).is_some() && find(&change.after, table).is_none())?;
        let gone = find(&change.before, table)?;
        let is_new = |other: &&Table| find(&change.before, &other.name).is_none() && names(other) == names(gone);
        Some(match change.after.tables.values().find(is_new) {
            Some(new) => format!("{}, which made `{}` with the same columns, took it away", change.by, new.name),
            None => format!("{} took it away", change.by),
        })
    }

    /// What took a column away, in words.
    pub fn took_column(&self, table: &str, column: &str) -> Option<&str> {
        let has = |schema: &Schema| find(schema, table).is_some_and(|table| has_column(table, column));
        let change = self.0.iter().rfind(|change| has(&change.before) && !has(&change.after))?;
        Some(&change.by)
    }

    /// The primary key that a table had before it was changed first, and what changed it, in words.
    pub fn key_before(&self, table: &str) -> Option<(Vec<String>, &str)> {
        self.0.iter().find_map(|change| {
            let (before, after) = (find(&change.before, table)?, find(&change.after, table)?);
            let key = |table: &Table| table.primary_key().into_iter().map(str::to_owned).collect::<Vec<_>>();
            (key(before) != key(after)).then(|| (key(before), change.by.as_str()))
        })
    }
}

fn find<'s>(schema: &'s Schema, name: &str) -> Option<&'s Table> {
    schema.tables.values().find(|table| table.name.eq_ignore_ascii_case(name))
}

fn has_column(table: &Table, name: &str) -> bool {
    table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name))
}

fn names(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|column| column.name.as_str()).collect()
}

/// The moment of a record's text, which is in UTC where treelift wrote it.
fn moment(text: &str) -> Option<Timestamp> {
    let in_utc = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
    text.parse().ok().or_else(in_utc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::history::Origin;
    use crate::database::schema::tests::migration;
    use crate::database::{Dialect, schema};

    fn changes(since: Option<&str>, ups: &[(&str, &str)], status: impl Fn(&str) -> Status) -> Changes {
        let migrations: Vec<Migration> = ups.iter().map(|(version, up)| migration(version, up)).collect();
        let stages = schema::stages(&Dialect::default(), &migrations).unwrap();
        let recorded: Vec<Recorded> = (1..)
            .zip(ups)
            .map(|(day, (version, _))| Recorded {
                version: (*version).to_owned(),
                description: None,
                status: status(version),
                applied_at: Some(format!("2025-05-0{day} 12:00:00.000000")),
                took_ms: None,
                checksum: None,
                rolled_back_at: Some("2025-05-09 12:00:00.000000".to_owned()),
                error: None,
                origin: Origin::Ran,
            })
            .collect();
        let since = since.map(|since| since.parse().unwrap());
        Changes::since(since, &migrations, &stages, &recorded)
    }

    const UPS: [(&str, &str); 3] = [
        (
            "001",
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, at TEXT); CREATE TABLE tags (name TEXT PRIMARY KEY);",
        ),
        (
            "002",
            "ALTER TABLE notes RENAME COLUMN title TO name; DROP TABLE tags; CREATE TABLE tags (name TEXT, at TEXT, PRIMARY KEY (name, at));",
        ),
        ("003", "ALTER TABLE notes RENAME TO pages; DROP TABLE tags;"),
    ];

    #[test]
    fn what_is_gone_is_known_by_the_migration_that_took_it_away() {
        let changes = changes(None, &UPS, |_| Status::Applied);
        assert_eq!(
            changes.took_table("NOTES").as_deref(),
            Some("migration `003`, which made `pages` with the same columns, took it away")
        );
        assert_eq!(changes.took_table("tags").as_deref(), Some("migration `003` took it away"));
        assert_eq!(changes.took_column("notes", "title"), Some("migration `002`"));
        assert_eq!((changes.took_table("others"), changes.took_column("notes", "id")), (None, Some("migration `003`")));
        assert_eq!(changes.key_before("tags"), Some((vec!["name".to_owned()], "migration `002`")));
        assert_eq!(changes.key_before("notes"), None);
    }

    #[test]
    fn what_came_before_the_moment_changed_nothing_since() {
        let changes = changes(Some("2025-05-02T13:00:00Z"), &UPS, |_| Status::Applied);
        assert_eq!(changes.key_before("tags"), None);
        assert_eq!(changes.took_table("tags").as_deref(), Some("migration `003` took it away"));
        let later = self::changes(Some("2025-05-04T13:00:00Z"), &UPS, |_| Status::Applied);
        assert_eq!(later.took_table("tags"), None);
    }

    #[test]
    fn a_rollback_takes_away_what_its_migration_made() {
        let status = |version: &str| if version == "001" { Status::RolledBack } else { Status::Failed };
        let changes = changes(Some("2025-05-04T13:00:00Z"), &UPS, status);
        assert_eq!(changes.took_table("notes").as_deref(), Some("the rollback of migration `001` took it away"));
    }
}
