//! Reading the text of a small file that holds a secret.

use crate::error::{Error, Result};
use crate::platform;
use secrecy::SecretString;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// The largest passphrase or key file; a larger one is the wrong file.
const MOST_BYTES: u64 = 64 * 1024;

/// Opens a regular file. A pipe or a device is refused rather than waited for.
pub(super) fn open_regular(path: &Path, what: &str) -> Result<File> {
    let file = platform::open_at_once(path).map_err(|error| {
        Error::environment(format!("the {what} cannot be opened: {}", error.kind())).at(path.display())
    })?;
    if !file.metadata().map_err(|error| unreadable(path, what, &error))?.is_file() {
        return Err(Error::environment(format!("the {what} is not a regular file")).at(path.display()));
    }
    Ok(file)
}

/// The text of an open file without one line break at its end.
pub(super) fn read_text(file: &File, path: &Path, what: &str) -> Result<SecretString> {
    let size = file.metadata().map_err(|error| unreadable(path, what, &error))?.len();
    let too_long = || Error::environment(format!("the {what} is longer than 64 KiB")).at(path.display());
    if size > MOST_BYTES {
        return Err(too_long());
    }
    // Sized at once: a buffer that grows leaves copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize + 64));
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, what, &error))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(too_long());
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Error::environment(format!("the {what} is not UTF-8 text")).at(path.display()))?;
    Ok(SecretString::from(without_line_break(text)))
}

fn without_line_break(text: &str) -> &str {
    match text.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => text,
    }
}

fn unreadable(path: &Path, what: &str, error: &std::io::Error) -> Error {
    Error::environment(format!("the {what} cannot be read: {}", error.kind())).at(path.display())
}
