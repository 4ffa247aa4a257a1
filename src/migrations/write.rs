//! Writes a new pair of migration files.

use crate::database::Migration;
use crate::database::drift_sql::BY_HAND;
use crate::error::{Error, Result};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// A pair that was (or would be) written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NewPair {
    /// The up file.
    pub up: PathBuf,
    /// The down file.
    pub down: PathBuf,
    /// What stands in the up file.
    pub up_sql: String,
    /// What stands in the down file.
    pub down_sql: String,
    /// How many differences need manual action, each a comment in the up file.
    pub by_hand: usize,
}

/// Writes `schema/NNN_name.up.sql` and `.down.sql` into a set's folder, with the next number. What
/// exists is never overwritten. Nothing is written of an empty content: then nothing differed.
pub fn new_pair(
    folder: &Path,
    migrations: &[Migration],
    name: &str,
    content: Option<(String, String)>,
    dry: bool,
) -> Result<Option<NewPair>> {
    if content.as_ref().is_some_and(|(up, down)| up.is_empty() && down.is_empty()) {
        return Ok(None);
    }
    let stem = stem(migrations, name)?;
    let header = header(migrations, &stem, name);
    let (up, down) = content.unwrap_or_else(|| {
        ("-- Write the migration here.\n".to_owned(), "-- Write its rollback here, in reverse order.\n".to_owned())
    });
    let schema = folder.join("schema");
    let pair = NewPair {
        up: schema.join(format!("{stem}.up.sql")),
        down: schema.join(format!("{stem}.down.sql")),
        by_hand: up.lines().filter(|line| line.starts_with(BY_HAND)).count(),
        up_sql: format!("{header}\n{up}"),
        down_sql: format!("{header}\n{down}"),
    };
    if !dry {
        std::fs::create_dir_all(&schema).map_err(|error| fault(&error, &schema))?;
        write(&pair.up, &pair.up_sql)?;
        write(&pair.down, &pair.down_sql)?;
    }
    Ok(Some(pair))
}

/// The next number and the name in small letters: `007_add_colours`.
fn stem(migrations: &[Migration], name: &str) -> Result<String> {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() {
        return Err(Error::request("the migration has no name").hint("for example `schema new add_colours`"));
    }
    let number = |migration: &Migration| {
        let file = Path::new(&migration.path).file_name()?.to_str()?.to_owned();
        file.get(..3)?.parse::<u32>().ok()
    };
    let next = migrations.iter().filter_map(number).max().unwrap_or(0) + 1;
    match next {
        1..1_000 => Ok(format!("{next:03}_{}", words.join("_"))),
        _ => Err(Error::request("a set has at most 999 migrations")),
    }
}

/// Versions that are written like `v006_…` go on as `v007_…`.
fn header(migrations: &[Migration], stem: &str, name: &str) -> String {
    let last = migrations.last();
    let prefix = if last.is_some_and(|last| last.version.starts_with('v')) { "v" } else { "" };
    let depends = last.map(|last| format!("-- depends: {}\n", last.version)).unwrap_or_default();
    format!("-- version: {prefix}{stem}\n-- description: {}\n{depends}", name.replace(['\n', '\r'], " "))
}

fn write(path: &Path, text: &str) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| fault(&error, path))?;
    file.write_all(text.as_bytes()).map_err(|error| fault(&error, path))
}

fn fault(error: &std::io::Error, path: &Path) -> Error {
    let words = match error.kind() {
        ErrorKind::AlreadyExists => "the file already exists".to_owned(),
        kind => kind.to_string(),
    };
    Error::environment(words).at(path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::schema::tests::migration;

    #[test]
    fn a_new_pair_has_the_next_number_and_depends_on_the_last_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let migrations =
            [migration("v001_notes", "")].map(|one| Migration { path: "schema/001_notes.up.sql".into(), ..one });
        let pair = new_pair(folder.path(), &migrations, "Add colours!", None, false).expect("written").expect("one");
        assert_eq!(pair.up, folder.path().join("schema/002_add_colours.up.sql"));
        let text = std::fs::read_to_string(&pair.up).expect("there");
        assert_eq!(
            text,
            "-- version: v002_add_colours\n-- description: Add colours!\n-- depends: v001_notes\n\n-- Write the migration here.\n"
        );
        let again = new_pair(folder.path(), &migrations, "add colours", None, false).expect_err("refused");
        assert_eq!((again.message.as_str(), again.status()), ("the file already exists", 3));
    }

    #[test]
    fn nothing_is_written_of_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let nothing = Some((String::new(), String::new()));
        assert_eq!(new_pair(folder.path(), &[], "colours", nothing, false).expect("possible"), None);
        assert!(!folder.path().join("schema").exists());
    }

    #[test]
    fn a_dry_run_writes_nothing_and_a_name_is_needed() {
        let folder = tempfile::tempdir().expect("a folder");
        let pair = new_pair(folder.path(), &[], "colours", None, true).expect("possible").expect("one");
        assert!(pair.up.ends_with("schema/001_colours.up.sql") && !folder.path().join("schema").exists());
        assert_eq!(
            new_pair(folder.path(), &[], "!!", None, true).expect_err("refused").message,
            "the migration has no name"
        );
    }
}
