//! Where the backups of a database lie.

use crate::backup::folder::{Folder, Shelf};
use crate::backup::id_of;
use crate::cli::args::backup::{FolderArgs, ShelfWord};
use crate::database::Target;
use crate::error::{Error, Result};

/// The folder of backups that a database's lie in.
pub(super) fn folder(target: &dyn Target, args: &FolderArgs) -> Result<Folder> {
    let file = target
        .file()
        .ok_or_else(|| Error::request("backups of this kind of database are not built yet").at(target.url()))?;
    Ok(Folder::of(args.backup_dir.as_deref(), file).of_id(id_of(target)))
}

pub(super) fn shelf(word: ShelfWord) -> Shelf {
    match word {
        ShelfWord::Daily => Shelf::Daily,
        ShelfWord::Weekly => Shelf::Weekly,
        ShelfWord::Monthly => Shelf::Monthly,
    }
}
