//! The programs of PostgreSQL that make dumps and read them: which of those that there are.

use super::child;
use crate::error::{Error, Result};
use crate::platform;
use std::fs;
use std::path::{Path, PathBuf};
use std::{env, fmt};

/// Names the folder of the programs, where not the first that are new enough are wanted.
const VARIABLE: &str = "TREELIFT_PG_BIN";
/// Folders of programs that packages install beside each other, one for each version: the part before and behind it.
const PACKAGES: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr/pgsql-", "bin"),
    ("/opt/homebrew/opt/postgresql@", "bin"),
    ("/usr/local/opt/postgresql@", "bin"),
];

/// `pg_dump` and `pg_restore` of one version.
#[derive(Debug, Clone)]
pub(in crate::database::postgres) struct Programs {
    folder: PathBuf,
    /// As it says itself: `15.18`.
    version: String,
    /// The first number of it.
    major: u32,
}

impl Programs {
    /// Those for a server, or a dump, of this version: of the same one, else of the next newer one. A server is dumped by
    /// no older program.
    pub(super) fn of(needed: u32) -> Result<Self> {
        let install =
            format!("install `postgresql-client-{needed}` or newer, or name the folder of its programs in {VARIABLE}");
        let found: Vec<Self> = folders().into_iter().filter_map(Self::in_folder).collect();
        let newest = found.iter().max_by_key(|one| one.major).cloned();
        // Of those of one version the first counts, as in PATH.
        let fitting = found.into_iter().filter(|one| one.major >= needed).min_by_key(|one| one.major);
        fitting
            .ok_or_else(|| match newest {
                Some(newest) => {
                    Error::environment(format!("{newest} is older than the server, which has version {needed}"))
                }
                None => Error::environment(
                    "`pg_dump` and `pg_restore`, which make and read backups of a server, are not there",
                ),
            })
            .map_err(|error| error.hint(install))
    }

    fn in_folder(folder: PathBuf) -> Option<Self> {
        let is_there = |name: &str| platform::may_run(&folder.join(name));
        if !is_there("pg_dump") || !is_there("pg_restore") {
            return None;
        }
        let version = version(&child::version(&folder.join("pg_dump"))?)?;
        let major = version.split('.').next()?.parse().ok()?;
        Some(Self { folder, version, major })
    }

    pub(super) fn dump(&self) -> PathBuf {
        self.folder.join("pg_dump")
    }

    pub(super) fn restore(&self) -> PathBuf {
        self.folder.join("pg_restore")
    }
}

impl fmt::Display for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pg_dump {} ({})", self.version, self.dump().display())
    }
}

/// The first number of the version of a program as [`Programs`] shows itself.
pub(super) fn major_of(program: &str) -> Option<u32> {
    program.strip_prefix("pg_dump ")?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Of `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0)` what stands behind the first bracket.
fn version(said: &str) -> Option<String> {
    let version = said.split_once(") ")?.1.split_whitespace().next()?;
    Some(version.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect())
}

/// Where the programs may be, the first choice first.
fn folders() -> Vec<PathBuf> {
    if let Some(folder) = env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) {
        return vec![folder.into()];
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    folders.extend(PACKAGES.iter().flat_map(|(before, behind)| installed(Path::new(before), behind)));
    folders
}

fn installed(before: &Path, behind: &str) -> Vec<PathBuf> {
    // `/usr/lib/postgresql` holds folders; `/usr/pgsql-` is the beginning of their names.
    let (parent, start) = if before.is_dir() {
        (before, String::new())
    } else {
        let name = before.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (before.parent().unwrap_or(before), name)
    };
    // A folder that is not there has none.
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let is_version = |name: &str| name.strip_prefix(&start).is_some_and(|rest| rest.parse::<u32>().is_ok());
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| is_version(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path().join(behind))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_of_what_the_program_says() {
        let said = ["pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", "pg_dump (PostgreSQL) 18beta1\n", "oops"];
        assert_eq!(said.map(version), [Some("15.18".to_owned()), Some("18beta1".to_owned()), None]);
        let shown = Programs { folder: "/x y".into(), version: "15.18".to_owned(), major: 15 }.to_string();
        assert_eq!((shown.as_str(), major_of(&shown)), ("pg_dump 15.18 (/x y/pg_dump)", Some(15)));
    }
}
