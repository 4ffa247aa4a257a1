//! What is imported: the mapping set, its tree, and the database.

use crate::config::{ImportOptions, Ui};
use crate::database::{Database, Dialect, schema};
use crate::error::{Error, Result};
use crate::judge::judge;
use crate::mapping::load::SetSource;
use crate::mapping::model::Set;
use crate::mapping::{bundled, check};
use crate::outputs::Inputs;
use crate::source;
use crate::table::Schema;
use std::path::{Path, PathBuf};

/// The mapping set of a run, and its tree.
pub(super) struct Selected {
    pub(super) set: Set,
    pub(super) schema: Schema,
    /// The folder of the tree that the set reads.
    pub(super) root: PathBuf,
    /// Files by which the set recognises a tree, and that are missing.
    pub(super) missing: Vec<String>,
}

pub(super) fn choose_set(options: &ImportOptions, ui: &dyn Ui) -> Result<Selected> {
    // A missing folder would otherwise be reported as a tree that no set recognises.
    source::walk::readable(&options.source)?;
    let (source, root): (SetSource, Option<PathBuf>) = match &options.mappings {
        Some(name) => (bundled::resolve(name)?, None),
        None => bundled::recognise(&options.source, bundled::BY_OPTION)?
            .map(|(source, root)| (source, Some(root)))
            .ok_or_else(|| bundled::unrecognised(&options.source, bundled::BY_OPTION))?,
    };
    let (set, schema) = judge(&source)?;
    let root = root.or_else(|| bundled::import_root(&set, &options.source));
    if options.mappings.is_none() {
        ui.say(&format!("mapping set: {} ({})", set.name, set.description));
    }
    let missing = if root.is_some() { Vec::new() } else { bundled::missing(&set, &options.source) };
    Ok(Selected { set, schema, root: root.unwrap_or_else(|| options.source.clone()), missing })
}

/// The set and its tables as the engine of the database has them: its own migrations, and what of the mappings its
/// types cannot take.
pub(super) fn speaking(mut set: Set, schema: Schema, database: &dyn Database) -> Result<(Set, Schema)> {
    set.speak(database.engine());
    if database.engine() == Dialect::default().engine() {
        return Ok((set, schema));
    }
    let schema = schema::expected(database, &set.migrations)?;
    Error::all(check::check(&set, &schema)).map_or(Ok((set, schema)), Err)
}

/// What no output of the run may be written to.
pub(super) fn inputs(options: &ImportOptions, root: &Path, database: &dyn Database) -> Inputs {
    let mut inputs = Inputs::default();
    inputs.folder("the source tree", root);
    let mappings = options.mappings.as_deref().map(Path::new).filter(|folder| folder.is_dir());
    mappings.iter().for_each(|folder| inputs.folder("the mapping set", folder));
    database.file().iter().for_each(|file| inputs.database(file, database.side_suffixes()));
    options.in_use.iter().for_each(|(what, path)| inputs.file(what, path));
    inputs
}

pub(super) fn database(options: &ImportOptions, set: &Set) -> Result<String> {
    options.database.clone().or_else(|| set.database.clone()).ok_or_else(|| {
        Error::request(format!("the set `{}` names no database", set.name)).hint("give one with `--database URL`")
    })
}
