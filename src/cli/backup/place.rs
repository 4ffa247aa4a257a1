//! Where the backups of a database lie.

use crate::backup::folder::Folder;
use crate::backup::id_of;
use crate::cli::args::backup::PlaceArgs;
use crate::database::Database;
use crate::error::{Error, Result};

/// The folder of backups that a database's lie in.
pub(super) fn folder(database: &dyn Database, args: &PlaceArgs) -> Result<Folder> {
    let file = database
        .file()
        .ok_or_else(|| Error::request("backups of this kind of database are not built yet").at(database.url()))?;
    Ok(Folder::of(args.backup_dir.as_deref(), file).of_id(id_of(database)))
}
