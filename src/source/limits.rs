//! How files are read.

use crate::finding::{FileId, Finding, Place, STRING_ODD};

/// The default limit on nesting.
pub(super) const DEFAULT_DEPTH: u32 = 64;

/// Files below this size are read whole; larger ones roll by.
pub(super) const DEFAULT_WINDOW: usize = 8 << 20;

/// What in strings not every database keeps, and what becomes of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replace {
    /// Half a surrogate pair is replaced by U+FFFD; else it is a fault.
    pub lone_surrogate: bool,
    /// U+0000, written as an escape.
    pub nul: Nul,
}

/// What becomes of U+0000 in a string.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Nul {
    /// It is read, and a column of text refuses it.
    #[default]
    Reject,
    /// It becomes U+FFFD.
    Replace,
    /// It is read and kept.
    Keep,
}

impl Replace {
    /// Whether anything in strings is told.
    pub(super) fn tells(self) -> bool {
        self != Self::default()
    }

    /// A warning for the place of half a surrogate pair, or of U+0000.
    pub fn finding(self, file: FileId, (at, is_nul): (u64, bool)) -> Finding {
        let message = match (is_nul, self.nul) {
            (false, _) => "half a surrogate pair became U+FFFD",
            (true, Nul::Keep) => "U+0000 is kept",
            (true, _) => "U+0000 became U+FFFD",
        };
        Finding::new(&STRING_ODD, message).at(Place { file, offset: at })
    }
}

/// How files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The window's size in bytes: a file below this size is held whole.
    pub window: usize,
    /// How deep values may be nested, 1 to 127.
    pub depth: u32,
    /// Whether the file may hold secrets, so that buffers are overwritten when they are dropped.
    pub sensitive: bool,
    /// What in strings is replaced.
    pub replace: Replace,
}

impl Default for Limits {
    fn default() -> Self {
        Self { window: DEFAULT_WINDOW, depth: DEFAULT_DEPTH, sensitive: false, replace: Replace::default() }
    }
}
