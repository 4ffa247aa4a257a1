//! Source files: walking the tree, reading JSON, finding places again.
//!
//! [`walk`](walk::walk) lists a tree. [`open`](read::open) opens one of its files, [`skim`](skim::skim)
//! checks it whole and keeps what is outside its records, [`records`](records::records) returns those
//! one by one. All three see the bytes through a [`Window`](window::Window), so that a small file
//! in memory and a large one on disk are read by the same code.

mod build;
mod bytes;
mod fault;
mod formats;
mod inside;
pub mod json;
mod limits;
pub mod lines;
pub mod locate;
mod names;
mod number;
pub mod packed;
mod part;
mod quoted;
pub mod read;
pub mod records;
pub mod scan;
pub mod search;
mod select;
pub mod skim;
pub mod string;
mod trail;
pub mod walk;
pub mod window;

use crate::finding::FileId;
pub use limits::{Limits, Nul, Replace};
pub use read::{Form, Opened, Record, SourceFile, open, open_as, records, skim};
use std::fs::Metadata;
use std::path::Path;

/// A regular file of a tree, found without a walk; `None` where there is none.
pub fn file_of(root: &Path, path: &str) -> Option<SourceFile> {
    let metadata = root.join(path).symlink_metadata().ok().filter(Metadata::is_file)?;
    // No file is on device 0: it brings its own.
    Some(SourceFile::new(FileId(0), &mut read::Base::new(root, 0), path.into(), &metadata))
}

/// The SHA-256 of a file's bytes; `None` when it cannot be read, which reading it reports.
pub fn digest_of(file: &SourceFile) -> Option<[u8; 32]> {
    open(&file.in_form(Form::default()), Limits::default()).ok()?.digest().ok()
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod laws;
