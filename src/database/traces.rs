//! Files in which something may still stand: a database, what lies beside it, copies of it.

use super::Database;
use crate::outputs::{resolve, with_suffix};
use crate::secret::proof::LeakSearch;
use flate2::read::MultiGzDecoder;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How much of a file is searched at a time.
const CHUNK: usize = 1 << 20;
/// How much a packed file may grow by: more is no database but an attack, and is not searched.
const MOST_RATIO: u64 = 200;
/// And how much it may unpack to in any case.
const LEAST_UNPACKED: u64 = 256 << 20;
/// Longer secrets are found by their first part all the same; this much of two chunks is shared.
const OVERLAP: usize = 64 * 1024;

/// The files that make up a database: its own, and those that its engine keeps beside it.
pub fn files_of(database: &dyn Database) -> Vec<PathBuf> {
    let Some(file) = database.file() else { return Vec::new() };
    // They lie beside the file itself, not beside a link to it.
    let file = resolve(file);
    let all = [&[""], database.side_suffixes()].concat().into_iter().map(|suffix| with_suffix(&file, suffix));
    all.filter(|path| path.is_file()).collect()
}

/// Files that may be copies of a database: in its directory and in directories there that are named
/// for backups (and one below, as shelves are), those that are databases of the same
/// engine, or whose names begin as its name does.
pub fn copies_of(database: &dyn Database) -> Vec<PathBuf> {
    let Some(file) = database.file() else { return Vec::new() };
    let own = files_of(database);
    let stem = file.file_stem().unwrap_or_default().to_os_string();
    let directory = |file: &Path| file.parent().unwrap_or(Path::new("/")).to_owned();
    let directories = BTreeSet::from([directory(file), directory(&resolve(file))]);
    let mut found = Vec::new();
    for path in directories.iter().flat_map(|directory| entries(directory)) {
        let is_backup =
            |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().to_lowercase().contains("backup"));
        if path.is_dir() && is_backup(&path) {
            let below =
                entries(&path).into_iter().flat_map(|path| if path.is_dir() { entries(&path) } else { vec![path] });
            found.extend(below.filter(|path| path.is_file()));
        } else if path.is_file()
            && !own.contains(&resolve(&path))
            && (is_named_for(&path, &stem) || database.is_one(&path))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Which secrets of the search a file holds, by their numbers. What is packed with gzip is unpacked.
pub fn search(path: &Path, search: &LeakSearch) -> io::Result<BTreeSet<usize>> {
    let file = File::open(path)?;
    match path.extension() {
        Some(extension) if extension == "gz" => {
            let most = (file.metadata()?.len().saturating_mul(MOST_RATIO)).max(LEAST_UNPACKED);
            search_in(Bounded { from: MultiGzDecoder::new(file), left: most }, search)
        }
        _ => search_in(file, search),
    }
}

/// Which secrets of the search are in these bytes, by their numbers.
pub fn search_in(mut bytes: impl Read, search: &LeakSearch) -> io::Result<BTreeSet<usize>> {
    let mut found = BTreeSet::new();
    // Sized at once, with room for the reader to find the end: one that grows leaves copies behind.
    let mut buffer = zeroize::Zeroizing::new(Vec::with_capacity(CHUNK + OVERLAP + 64));
    loop {
        let before = buffer.len();
        bytes.by_ref().take(CHUNK as u64).read_to_end(&mut buffer)?;
        if buffer.len() == before {
            return Ok(found);
        }
        found.extend(search.secrets_in(&buffer));
        let shared = buffer.len().saturating_sub(OVERLAP);
        buffer.drain(..shared);
    }
}

/// A reader that gives no more than a number of bytes: gzip can make a thousand of one.
struct Bounded<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

/// What cannot be listed cannot be reported; the words about copies say that they are those found.
fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn is_named_for(path: &Path, stem: &OsString) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    !stem.is_empty() && name.starts_with(stem.as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::proof::SecretSet;

    #[test]
    fn a_secret_is_found_across_the_border_of_two_chunks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut secrets = SecretSet::new();
        let (one, other) = (secrets.add("first canary").unwrap(), secrets.add("second canary").unwrap());
        secrets.add("third canary").unwrap();
        let mut bytes = vec![b'.'; CHUNK - 5];
        bytes.extend_from_slice(b"first canary");
        bytes.resize(2 * CHUNK + 77, b'.');
        bytes.extend_from_slice(b"second canary");
        fs::write(&path, bytes).unwrap();
        assert_eq!(search(&path, &secrets.freeze()).unwrap(), BTreeSet::from([one, other]));
    }

    #[test]
    fn a_packed_file_that_unpacks_to_too_much_is_refused() {
        let bounded = |left| {
            let mut all = Vec::new();
            Bounded { from: io::repeat(0).take(100_000), left }.read_to_end(&mut all).map_err(|error| error.kind())
        };
        assert_eq!(bounded(100_000), Ok(100_000));
        assert_eq!(bounded(99_999), Err(io::ErrorKind::FileTooLarge));
    }

    #[test]
    fn copies_are_recognised_by_name_by_content_and_by_folder() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("my-backups/daily")).unwrap();
        let database = |name: &str| crate::database::open(at(name).to_str().unwrap()).unwrap();
        database("copy").upgrade(None).unwrap();
        let database = database("app.db");
        let beside = with_suffix(&at("app.db"), database.side_suffixes()[0]);
        fs::write(&beside, "x").unwrap();
        for name in ["app.db", "app.2024.bak", "other.txt", "my-backups/old", "my-backups/daily/new"] {
            fs::write(at(name), "x").unwrap();
        }
        assert_eq!(
            copies_of(&*database),
            [at("app.2024.bak"), at("copy"), at("my-backups/daily/new"), at("my-backups/old")]
        );
        assert_eq!(files_of(&*database), [at("app.db"), beside]);
    }
}
