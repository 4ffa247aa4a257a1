//! Where the backups of a database lie.

use crate::backup::folder::Folder;
use crate::backup::id_of;
use crate::cli::args::backup::PlaceArgs;
use crate::database::Database;
use crate::error::Result;

/// The folder of backups that a database's lie in.
pub(super) fn folder(database: &dyn Database, args: &PlaceArgs) -> Result<Folder> {
    Ok(Folder::of_database(args.backup_dir.as_deref(), database)?.of_id(id_of(database)))
}
