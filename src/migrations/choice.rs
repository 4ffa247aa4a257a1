//! Which database was selected, and which mapping set it belongs to: the one that is named, else the one
//! that the database remembers, else the only one there is.

use crate::database::history::{self, Fault, Recorded, Status};
use crate::database::{self, Database};
use crate::error::{Error, Result};
use crate::mapping::bundled::{self, BundledSet};
use crate::mapping::load::{self, SetSource};
use crate::mapping::model::Set;
use crate::table::Wishes;
use std::path::Path;

/// The selected database, and its mapping set as far as that is known.
pub struct Selection {
    database: Box<dyn Database>,
    set: Option<(SetSource, Set)>,
    /// The set's name, known from the database alone where the set itself is not available.
    name: Option<String>,
    /// Where the set lay at the last run, if it was not bundled.
    folder: Option<String>,
}

impl std::fmt::Debug for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Selection({:?}, {})", self.name, self.database.url())
    }
}

/// What a database remembers of the mapping sets that wrote into it.
#[derive(Debug, Default)]
pub struct Memory {
    /// The sets of its runs, oldest first, each with its folder unless it was bundled.
    sets: Vec<(String, Option<String>)>,
    /// Its record of migrations.
    recorded: Vec<Recorded>,
}

/// The mapping set that is named, else the only bundled one, for what needs no database.
pub fn named_set(mappings: Option<&str>) -> Result<(SetSource, Set)> {
    let source = match mappings {
        Some(name) => bundled::resolve(name)?,
        None => only(bundled::sets())
            .ok_or_else(|| {
                let hint = format!("name a folder or one of these with `--mappings SET|DIR`: {}", names());
                Error::request("no mapping set is named").hint(hint)
            })?
            .source(),
    };
    loaded(source)
}

impl Selection {
    /// The database of this URL, else the one that the named set (else the only bundled one) writes
    /// into. Nothing is opened yet.
    pub fn open(mappings: Option<&str>, database: Option<&str>) -> Result<Self> {
        let source = match (mappings, database) {
            (Some(name), _) => Some(bundled::resolve(name)?),
            (None, Some(_)) => None, // The database is asked.
            (None, None) => Some(only(bundled::sets()).ok_or_else(nothing_named)?.source()),
        };
        let set = source.map(loaded).transpose()?;
        let url = match (database, &set) {
            (Some(url), _) => url.to_owned(),
            (None, Some((_, set))) => set.database.clone().ok_or_else(|| {
                Error::request(format!("the set `{}` names no database", set.name))
                    .hint("give one with `--database URL`")
            })?,
            (None, None) => return Err(nothing_named()),
        };
        let name = set.as_ref().map(|(_, set)| set.name.clone());
        let mut selection = Self { database: database::open(&url)?, set, name, folder: None };
        selection.introduce();
        Ok(selection)
    }

    /// As [`Selection::open`], for a backup of this set: where nothing is named, the set's own database.
    pub fn for_backup(mappings: Option<&str>, database: Option<&str>, set: Option<&str>) -> Result<Self> {
        let believed = set.filter(|name| database.is_none() && bundled::find(name).is_some());
        Self::open(mappings.or(believed), database)
    }

    /// What the database remembers; nothing where there is none.
    pub fn memory(&self) -> Result<Memory> {
        let sets: Vec<_> = self.database.runs()?.into_iter().map(|run| (run.set, run.set_folder)).collect();
        let recorded = if sets.is_empty() { self.database.recorded()? } else { Vec::new() };
        Ok(Memory { sets, recorded })
    }

    /// Takes the set that the database remembers, where none is named.
    ///
    /// # Errors
    /// When the set that is named is none that ever wrote into the database.
    pub fn learn(&mut self, memory: &Memory) -> Result<()> {
        if let Some(name) = &self.name {
            return memory.refuse(name).map_err(|error| error.at(self.database.url()));
        }
        self.name = memory.owner(&versions)?;
        self.folder = memory.sets.last().and_then(|(_, folder)| folder.clone());
        // A set that cannot be read any more is missed by what needs it.
        self.set = self.name.as_deref().and_then(|name| remembered(name, self.folder.as_deref()).ok());
        self.introduce();
        Ok(())
    }

    /// Takes the bundled set of this name, where neither the user nor the database names one.
    pub fn believe(&mut self, name: Option<&str>) -> Result<()> {
        if self.name.is_none()
            && let Some(source) = name.and_then(bundled::find)
        {
            let (source, set) = loaded(source)?;
            self.name = Some(set.name.clone());
            self.set = Some((source, set));
            self.introduce();
        }
        Ok(())
    }

    /// Tells the database where its set wants migrations recorded, and the set which engine it is for.
    fn introduce(&mut self) {
        match &mut self.set {
            Some((_, set)) => introduce(&mut *self.database, set),
            None => self.database.wish(Wishes::default()),
        }
    }

    /// The name of the set that the database belongs to, where it is known.
    pub fn set_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The set that the database belongs to, where it is known and available.
    pub fn set(&self) -> Option<&Set> {
        self.set.as_ref().map(|(_, set)| set)
    }

    /// The database.
    pub fn database(&self) -> &dyn Database {
        &*self.database
    }

    /// The database, to be changed.
    pub fn database_mut(&mut self) -> &mut dyn Database {
        &mut *self.database
    }

    /// The set, where it is known and available, and the database, to be changed.
    pub(super) fn parts(&mut self) -> (Option<&Set>, &mut dyn Database) {
        (self.set.as_ref().map(|(_, set)| set), &mut *self.database)
    }

    /// The database, and the set, where it is known and available.
    pub fn into_parts(self) -> (Box<dyn Database>, Option<Set>) {
        (self.database, self.set.map(|(_, set)| set))
    }

    /// The set, where it lies, and the database, for what cannot be done without the set.
    pub(super) fn needing_set(self) -> Result<(Set, SetSource, Box<dyn Database>)> {
        let Self { mut database, set, name, folder } = self;
        let (source, mut set) = match (set, name, only(bundled::sets())) {
            (Some(set), ..) => set,
            (None, Some(name), _) => remembered(&name, folder.as_deref())?,
            (None, None, Some(only)) => loaded(only.source())?,
            (None, None, None) if !database.exists()? => {
                let hint = format!("to create one, name its set with `--mappings SET`: {}", names());
                return Err(database.missing().hint(hint));
            }
            (None, None, None) => {
                return Err(Error::request("cannot tell which mapping set the database belongs to")
                    .at(database.url())
                    .hint(format!("name one with `--mappings SET`: {}", names())));
            }
        };
        introduce(&mut *database, &mut set);
        Ok((set, source, database))
    }
}

/// Tells a database where its set wants migrations recorded, and the set which engine it is for.
pub(super) fn introduce(database: &mut dyn Database, set: &mut Set) {
    database.wish(set.wishes());
    set.speak(database.engine());
}

impl Memory {
    /// Refuses a set that none of the runs was with, where there were runs.
    fn refuse(&self, name: &str) -> Result<()> {
        match self.sets.last() {
            Some((last, _)) if !self.sets.iter().any(|(set, _)| set == name) => {
                Err(Error::request(format!("the database belongs to the mapping set `{last}`, not to `{name}`"))
                    .hint("name that set, or name none (with neither `--mappings` nor TREELIFT_MAPPINGS), or name another database"))
            }
            _ => Ok(()),
        }
    }

    /// The set of the last run, else the one bundled set that has every migration that is recorded as
    /// applied (or, where none is, as anything else).
    fn owner(&self, bundled: &dyn Fn() -> Result<Vec<(String, Vec<String>)>>) -> Result<Option<String>> {
        if let Some((last, _)) = self.sets.last() {
            return Ok(Some(last.clone()));
        }
        let applied = self.recorded.iter().any(|record| record.status == Status::Applied);
        let known: Vec<_> =
            self.recorded.iter().filter(|record| !applied || record.status == Status::Applied).collect();
        if known.is_empty() {
            return Ok(None);
        }
        let mut having = bundled()?;
        having.retain(|(_, versions)| known.iter().all(|record| versions.contains(&record.version)));
        Ok(if having.len() == 1 { having.pop().map(|(name, _)| name) } else { None })
    }
}

/// Refuses a set whose migrations are not those that the database records, where it belongs to another set.
///
/// # Errors
/// When it does: the error names the set.
pub fn refuse_another(database: &dyn Database, set: &Set) -> Result<()> {
    let recorded = database.recorded()?;
    if !history::compare(&recorded, &set.migrations).faults.iter().any(Fault::is_fatal) {
        return Ok(());
    }
    let sets: Vec<_> = database.runs()?.into_iter().map(|run| (run.set, run.set_folder)).collect();
    let mut memory = Memory { sets, recorded };
    if memory.sets.is_empty() {
        memory.sets.extend(memory.owner(&versions)?.map(|name| (name, None)));
    }
    memory.refuse(&set.name).map_err(|error| error.at(database.url()))
}

/// The migrations of every bundled set, by its name.
fn versions() -> Result<Vec<(String, Vec<String>)>> {
    let of = |bundled: &BundledSet| {
        let set = load::load(&bundled.source())?;
        Ok((set.name, set.migrations.into_iter().map(|migration| migration.version).collect()))
    };
    bundled::sets().iter().map(of).collect()
}

fn loaded(source: SetSource) -> Result<(SetSource, Set)> {
    let set = load::load(&source)?;
    Ok((source, set))
}

/// The set of a database's last run: from the folder where it lay then, or the bundled one.
///
/// # Errors
/// Where the set is not there any more, or is wrong.
pub fn remembered(name: &str, folder: Option<&str>) -> Result<(SetSource, Set)> {
    let message = format!("the database belongs to the mapping set `{name}`");
    let Some(folder) = folder else {
        let source = bundled::find(name);
        let missing = || Error::request(format!("{message}, which is not bundled"));
        return loaded(source.ok_or_else(|| missing().hint("name its folder with `--mappings DIR`"))?);
    };
    let source = SetSource::Folder(folder.into());
    let found = if Path::new(folder).is_dir() {
        loaded(source)?
    } else {
        return Err(Error::request(format!("{message}, whose folder at its last run is gone"))
            .at(folder)
            .hint("name the folder that it has now with `--mappings DIR`"));
    };
    if found.1.name != name {
        let other = &found.1.name;
        return Err(Error::request(format!("{message}, and its folder at its last run has the set `{other}` now"))
            .at(folder)
            .hint(format!("name the folder of `{name}` with `--mappings DIR`")));
    }
    Ok(found)
}

/// The set that needs no name, because there is no other.
fn only(sets: &[BundledSet]) -> Option<&BundledSet> {
    if let [only] = sets { Some(only) } else { None }
}

fn names() -> String {
    bundled::sets().iter().map(|set| format!("`{}`", set.name)).collect::<Vec<_>>().join(", ")
}

fn nothing_named() -> Error {
    Error::request("neither a database nor a mapping set is named").hint(format!(
        "give `--database URL`, or name the set whose own database is meant with `--mappings SET`: {}",
        names()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::history::Origin;

    fn owner(sets: &[&str], recorded: &[(&str, Status)]) -> Option<String> {
        let recorded = recorded.iter().map(|(version, status)| Recorded {
            version: (*version).to_owned(),
            description: None,
            status: status.clone(),
            applied_at: None,
            took_ms: None,
            checksum: None,
            rolled_back_at: None,
            error: None,
            origin: Origin::Ran,
        });
        let sets = sets.iter().map(|set| ((*set).to_owned(), None)).collect();
        let memory = Memory { sets, recorded: recorded.collect() };
        let bundled = || {
            let set = |name: &str, versions: &[&str]| {
                (name.to_owned(), versions.iter().map(|version| (*version).to_owned()).collect())
            };
            Ok(vec![
                set("notes", &["001_notes", "002_tags"]),
                set("stock", &["001_stock"]),
                set("more", &["001_stock"]),
            ])
        };
        memory.owner(&bundled).expect("nothing is read")
    }

    #[test]
    fn the_last_run_names_the_set() {
        assert_eq!(owner(&["notes", "elsewhere"], &[("001_notes", Status::Applied)]).as_deref(), Some("elsewhere"));
    }

    #[test]
    fn a_set_that_none_of_the_runs_was_with_is_refused() {
        let refused = |sets: &[&str], name: &str| {
            let sets = sets.iter().map(|set| ((*set).to_owned(), None)).collect();
            Memory { sets, recorded: Vec::new() }
                .refuse(name)
                .err()
                .map(|error| (error.message.clone(), error.status()))
        };
        assert_eq!(refused(&[], "notes"), None);
        assert_eq!(refused(&["notes", "stock"], "notes"), None);
        let message = "the database belongs to the mapping set `stock`, not to `notes`".to_owned();
        assert_eq!(refused(&["stock"], "notes"), Some((message, 2)));
    }

    #[test]
    fn without_a_run_the_set_is_the_one_that_has_all_applied_migrations() {
        let applied = |version| (version, Status::Applied);
        assert_eq!(owner(&[], &[]), None);
        assert_eq!(owner(&[], &[applied("001_notes")]).as_deref(), Some("notes"));
        assert_eq!(owner(&[], &[applied("001_notes"), applied("003_other")]), None, "no set has both");
        assert_eq!(owner(&[], &[applied("001_notes"), ("003_other", Status::RolledBack)]).as_deref(), Some("notes"));
        assert_eq!(owner(&[], &[applied("001_stock")]), None, "two sets have it");
    }

    #[test]
    fn where_all_were_is_undone_or_failed_those_tell() {
        let record = [("001_notes", Status::RolledBack), ("002_tags", Status::Failed)];
        assert_eq!(owner(&[], &record).as_deref(), Some("notes"));
    }

    #[test]
    fn a_set_without_others_needs_no_name() {
        let set = |name| BundledSet { name, files: &[] };
        assert_eq!(only(&[set("notes")]).map(|set| set.name), Some("notes"));
        assert!(only(&[set("notes"), set("stock")]).is_none() && only(&[]).is_none());
    }
}
