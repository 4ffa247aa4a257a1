//! Which database a backup is of.
//!
//! Two databases may have one name, and a copy of a database has its id: so path and id are both compared.

use super::files::stem;
use super::manifest::Manifest;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::outputs::resolve;
use std::path::{Path, PathBuf};

/// A database, as far as its backups are told from those of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// How the names of its backups begin.
    pub name: String,
    /// What manifests say of it: its absolute path, links resolved; or server, database and schema.
    pub path: String,
    /// Its file, as named by the user, where it is one.
    pub file: Option<PathBuf>,
    /// Its own id, where it is there and has one.
    pub id: Option<String>,
}

impl Identity {
    /// A database file.
    pub(super) fn of_file(file: &Path) -> Self {
        let path = resolve(file).to_string_lossy().into_owned();
        Self { name: stem(file), path, file: Some(file.to_owned()), id: None }
    }

    /// Any database. Its id is not asked for.
    pub(super) fn of(database: &dyn Database) -> Result<Self> {
        match (database.file(), database.dumps()) {
            (Some(file), _) => Ok(Self::of_file(file)),
            (None, Some(dumps)) => {
                let named = dumps.named()?;
                // Of a file's name the ending is left out.
                let name = stem(Path::new(&format!("{}.", named.name)));
                Ok(Self { name, path: named.path, file: None, id: None })
            }
            (None, None) => Err(Error::bug("a database has neither a file nor a server").at(database.url())),
        }
    }

    /// What the names of its backups end with.
    fn endings(&self) -> &'static [&'static str] {
        if self.file.is_some() { &[DB, DB_GZ] } else { &[DUMP] }
    }
}

/// The endings of backups: copies of a file, the same packed, dumps of a server.
pub(super) const DB: &str = "db";
pub(super) const DB_GZ: &str = "db.gz";
pub(super) const DUMP: &str = "dump";

/// Whether a backup is of this database.
///
/// Its name must be one that [`super::folder::name`] gives it. In `backups` beside the database the
/// manifest must name the same file name, since that folder belongs to this directory; elsewhere, the
/// same path. Where both have an id, the ids must be equal. A backup without a readable manifest is
/// listed by its name alone, and never restored nor removed.
pub(super) fn is_of(backup: &Path, manifest: Option<&Manifest>, database: &Identity) -> bool {
    is_named_for(backup, database) && manifest.is_none_or(|manifest| agrees(backup, manifest, database))
}

fn agrees(backup: &Path, manifest: &Manifest, database: &Identity) -> bool {
    let origin = manifest.database.as_ref();
    let same_path = match &database.file {
        Some(file) if lies_beside(backup, file) => {
            manifest.source.rsplit('/').next() == file.file_name().map(|name| name.to_string_lossy()).as_deref()
        }
        _ => {
            let path = origin.map_or_else(|| absolute_path(&manifest.source), |origin| Some(origin.path.as_str()));
            path == Some(&database.path)
        }
    };
    let ids = origin.and_then(|origin| origin.id.as_ref()).zip(database.id.as_ref());
    same_path && ids.is_none_or(|(one, other)| one == other)
}

/// The path in a URL that an earlier version wrote into a manifest, if it is absolute: a relative one may
/// be that of any database.
fn absolute_path(url: &str) -> Option<&str> {
    let path = url.strip_prefix("sqlite:///").unwrap_or(url);
    path.starts_with('/').then_some(path)
}

/// Whether a backup lies on a shelf of the folder `backups` beside the database.
fn lies_beside(backup: &Path, database: &Path) -> bool {
    let folder = backup.parent().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    let beside = database.parent().unwrap_or(Path::new("/")).join("backups");
    folder.is_some_and(|folder| resolve(folder) == resolve(&beside))
}

/// Whether a backup has a name that [`super::folder::name`] gives to one of this database.
fn is_named_for(backup: &Path, database: &Identity) -> bool {
    let name = backup.file_name().unwrap_or_default().to_string_lossy();
    let rest = name.strip_prefix(&database.name).and_then(|rest| rest.strip_prefix('_'));
    let (time, ending) = rest.and_then(|rest| rest.split_once('.')).unwrap_or_default();
    // The time has one length, so that `a` does not match `a_20260102_030405_000000`.
    let is_time = time.len() == "20260102_030405_000000".len()
        && time.bytes().enumerate().all(|(at, c)| if [8, 15].contains(&at) { c == b'_' } else { c.is_ascii_digit() });
    is_time && database.endings().contains(&ending)
}

#[cfg(test)]
mod tests {
    use super::super::folder::{Shelf, name};
    use super::super::keep::tests::entry;
    use super::super::manifest::Origin;
    use super::*;

    fn known(file: &str, id: Option<&str>) -> Identity {
        Identity { id: id.map(str::to_owned), ..Identity::of_file(Path::new(file)) }
    }

    #[test]
    fn path_and_id_must_both_be_the_same() {
        let made_at = "2026-01-02T03:04:05.000006Z".parse().expect("a time");
        let backup = Path::new("/elsewhere/daily").join(name("a", made_at, DB));
        let manifest = entry(Shelf::Daily, 1).manifest.expect("it has one");
        let origin = |id: Option<&str>| Some(Origin { path: "/srv/a.db".into(), id: id.map(str::to_owned) });
        let of = |id, database: &Identity| {
            is_of(&backup, Some(&Manifest { database: origin(id), ..manifest.clone() }), database)
        };
        assert!(of(Some("1"), &known("/srv/a.db", Some("1"))));
        assert!(!of(Some("1"), &known("/srv/a.db", Some("2"))), "another database was made at this path");
        assert!(!of(Some("1"), &known("/home/a.db", Some("1"))), "a copy of it, elsewhere");
        assert!(of(Some("1"), &known("/srv/a.db", None)), "the database is gone, or has no id yet");
        assert!(of(None, &known("/srv/a.db", Some("1"))), "it had no id when the backup was made");
    }

    #[test]
    fn a_manifest_of_an_earlier_version_counts_by_its_path_unless_it_is_relative() {
        let made_at = "2026-01-02T03:04:05.000006Z".parse().expect("a time");
        let backup = Path::new("/elsewhere/daily").join(name("a", made_at, DB));
        let manifest = entry(Shelf::Daily, 1).manifest.expect("it has one");
        let of = |source: &str| {
            let manifest = Manifest { source: source.into(), ..manifest.clone() };
            is_of(&backup, Some(&manifest), &known("/srv/a.db", Some("1")))
        };
        assert!(of("sqlite:////srv/a.db") && of("/srv/a.db"));
        assert!(!of("sqlite:////home/a.db") && !of("sqlite:///./a.db") && !of("a.db"));
        let beside = Path::new("/srv/backups/daily").join(backup.file_name().expect("has one"));
        let relative = Manifest { source: "sqlite:///./a.db".into(), ..manifest };
        assert!(is_of(&beside, Some(&relative), &known("/srv/a.db", Some("1"))));
    }

    #[test]
    fn a_database_knows_its_own_backups_by_name() {
        let made_at = "2026-01-02T03:04:05.000006Z".parse().expect("a time");
        let databases =
            ["a.db", "a_b.db", "a b.db", "a.b.db", "a.sqlite", "b.db", "a_20260102_030405_000006.db", "ä.db"];
        for of in databases {
            for ending in [DB, DB_GZ] {
                let name = name(&stem(Path::new(of)), made_at, ending);
                let manifest = entry(Shelf::Daily, 1).manifest.expect("it has one");
                let manifest = Manifest { source: format!("sqlite:////srv/{of}"), ..manifest };
                let backup = Path::new("daily").join(&name);
                let own: Vec<_> = databases
                    .into_iter()
                    .filter(|database| is_of(&backup, Some(&manifest), &known(&format!("/srv/{database}"), None)))
                    .collect();
                assert_eq!(own, [of], "{name}");
            }
        }
    }

    #[test]
    fn without_a_manifest_the_name_alone_decides() {
        let is_of = |name: &str| is_of(Path::new(name), None, &known("/srv/a.db", None));
        assert!(is_of("a_20260102_030405_000006.db") && is_of("a_20260102_030405_000006.db.gz"));
        for name in ["a.db", "a_.db", "a_2026.db", "a_20260102_030405_00000x.db", "a_20260102-030405_000006.db"] {
            assert!(!is_of(name), "{name}");
        }
    }

    #[test]
    fn a_dump_is_known_by_server_database_and_schema() {
        let made_at = "2026-01-02T03:04:05.000006Z".parse().expect("a time");
        let backup = Path::new("backups/daily").join(name("app", made_at, DUMP));
        let manifest = entry(Shelf::Daily, 1).manifest.expect("it has one");
        let manifest = Manifest { database: Some(Origin { path: "7/app/public".into(), id: None }), ..manifest };
        let served = |path: &str| Identity { name: "app".into(), path: path.into(), file: None, id: None };
        assert!(is_of(&backup, Some(&manifest), &served("7/app/public")));
        for other in ["8/app/public", "7/app/other"] {
            assert!(!is_of(&backup, Some(&manifest), &served(other)), "{other}");
        }
        assert!(!is_of(&backup, Some(&manifest), &known("/srv/app.db", None)), "a file of the same name");
        assert!(!is_of(&backup.with_extension("db"), None, &served("7/app/public")));
    }
}
