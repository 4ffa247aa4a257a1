//! The folder of a set on disk.

use crate::error::{Error, Result};
use std::io::Write as _;
use std::path::Path;

/// Writes a set into a folder that is new or empty.
///
/// # Errors
/// When something is there already, or the folder cannot be written.
pub fn write(files: &[(impl AsRef<str>, impl AsRef<str>)], folder: &Path) -> Result<()> {
    is_free(folder)?;
    let failed = |error| cannot_write(folder, &error);
    std::fs::create_dir_all(folder.join("schema")).map_err(failed)?;
    for (name, text) in files {
        let mut file = std::fs::File::create_new(folder.join(name.as_ref())).map_err(failed)?;
        file.write_all(text.as_ref().as_bytes()).map_err(failed)?;
    }
    Ok(())
}

/// Refuses a folder that is neither new nor empty.
///
/// # Errors
/// When something is there already, or the folder cannot be read.
pub fn is_free(folder: &Path) -> Result<()> {
    if folder.exists() && folder.read_dir().map_err(|error| cannot_write(folder, &error))?.next().is_some() {
        return Err(Error::request("the folder is not empty, and existing files are never overwritten")
            .at(folder.display())
            .hint("name a new folder; a set that is there already is used with `--mappings`"));
    }
    Ok(())
}

fn cannot_write(folder: &Path, error: &std::io::Error) -> Error {
    Error::environment(format!("the folder cannot be written: {}", error.kind())).at(folder.display())
}
