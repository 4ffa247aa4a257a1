//! What rows say, hashed, in memory as long as it is little and else in a file that nobody else sees.
//!
//! It is read again only where a later row of the same key is dropped. The hashes are keyed anew in each process, so
//! that the file tells nothing of the values, and it has no name: it goes when the process does.

use crate::error::{Error, Result};
use crate::platform;
use std::fs::File;
use std::io::Result as IoResult;

/// So many hashes are kept in memory: a mebibyte.
const KEPT: usize = 1 << 17;

/// So many are gathered before they are written, once there is a file.
const GATHERED: usize = 1 << 13;

/// A hash in the file.
const BYTES: u64 = 8;

/// What rows say, by where it begins.
#[derive(Debug, Default)]
pub(super) struct Says {
    file: Option<File>,
    /// How many hashes are in the file.
    filed: u64,
    /// Those after them.
    rest: Vec<u64>,
}

impl Says {
    /// Adds what a row says, and gives where it begins: its length, and its hashes.
    ///
    /// # Errors
    /// Where the temporary folder has no room for it.
    pub(super) fn add(&mut self, says: &[u64]) -> Result<u64> {
        let more = says.len() + 1;
        if self.rest.len() + more > if self.file.is_some() { GATHERED } else { KEPT } {
            self.write().map_err(|error| failed(&error))?;
        }
        if self.rest.capacity() - self.rest.len() < more {
            // Twice as many, but for the last time.
            self.rest.reserve_exact(self.rest.len().min(KEPT - self.rest.len()).max(more));
        }
        let at = self.end();
        self.rest.push(says.len() as u64);
        self.rest.extend_from_slice(says);
        Ok(at)
    }

    /// What a row says that begins here.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn get(&self, at: u64) -> Result<Vec<u64>> {
        let (Some(file), true) = (&self.file, at < self.filed) else {
            let says = usize::try_from(at - self.filed).ok().and_then(|at| self.rest[at..].split_first());
            let (len, hashes) = says.expect("a row says something where it was noted");
            return Ok(hashes[..usize::try_from(*len).expect("it was in memory")].to_vec());
        };
        let read = |at: u64, len: u64| -> IoResult<Vec<u64>> {
            let mut bytes = vec![0; usize::try_from(len * BYTES).expect("it was in memory")];
            platform::read_exact_at(file, &mut bytes, at * BYTES)?;
            Ok(bytes.as_chunks().0.iter().map(|hash| u64::from_le_bytes(*hash)).collect())
        };
        read(at, 1).and_then(|len| read(at + 1, len[0])).map_err(|error| failed(&error))
    }

    /// Where the next row begins.
    pub(super) fn end(&self) -> u64 {
        self.filed + self.rest.len() as u64
    }

    /// Removes what was added since this was the end.
    pub(super) fn truncate(&mut self, end: u64) {
        let left = end.saturating_sub(self.filed);
        self.filed = self.filed.min(end);
        self.rest.truncate(usize::try_from(left).unwrap_or(usize::MAX));
    }

    fn write(&mut self) -> IoResult<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile()?,
        };
        let bytes: Vec<u8> = self.rest.iter().flat_map(|hash| hash.to_le_bytes()).collect();
        platform::write_all_at(&file, &bytes, self.filed * BYTES)?;
        self.filed += self.rest.len() as u64;
        self.rest = Vec::with_capacity(GATHERED);
        self.file = Some(file);
        Ok(())
    }
}

fn failed(error: &std::io::Error) -> Error {
    let message = format!("cannot keep what rows of the same key are compared with: {}", error.kind());
    let hint = "the system's folder for temporary files needs room; `TMPDIR` names another one";
    Error::environment(message).at(std::env::temp_dir().display()).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u64) -> Vec<u64> {
        (number..number + number % 40).collect()
    }

    #[test]
    fn what_rows_say_is_read_from_memory_and_from_the_file_alike() {
        let mut says = Says::default();
        let mut places: Vec<u64> = (0..30_000).map(|number| says.add(&row(number)).unwrap()).collect();
        assert!(says.file.is_some() && says.filed > 0 && !says.rest.is_empty());
        for kept in [29_990, 10_000, 9_999, 1] {
            says.truncate(places[kept]);
            places.truncate(kept);
            assert_eq!(says.end(), places.last().map_or(0, |at| at + 1 + row(kept as u64 - 1).len() as u64));
            places.extend((kept as u64..30_000).map(|number| says.add(&row(number)).unwrap()));
            for (number, at) in (0..).zip(&places) {
                assert_eq!(says.get(*at).unwrap(), row(number), "row {number} of {kept} that were kept");
            }
        }
    }

    #[test]
    fn no_more_than_a_mebibyte_is_kept_in_memory() {
        let mut says = Says::default();
        for number in 0..1 << 18 {
            says.add(&[number; 9]).unwrap();
            assert!(says.rest.capacity() <= KEPT);
        }
        assert!(says.rest.capacity() <= GATHERED);
    }
}
