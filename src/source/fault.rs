//! Why a file cannot be read on.

use super::packed::Damage;
use crate::finding::{Code, FILE_UNREADABLE, FileId, Finding, JSON_UTF8, Place};

/// Why a file cannot be read on, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind it is.
    pub code: &'static Code,
    /// The offset of the first byte that is wrong.
    pub at: u64,
    /// What is wrong. Never quotes a value.
    pub message: String,
    /// What to do about it, where the code's own help does not fit.
    pub help: Option<&'static str>,
}

impl Fault {
    pub(super) fn new(code: &'static Code, at: u64, message: impl Into<String>) -> Self {
        Self { code, at, message: message.into(), help: None }
    }

    pub(super) fn helped_by(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    /// The fault as a finding about this file.
    pub fn finding(self, file: FileId) -> Finding {
        Finding::new(self.code, self.message).at(Place { file, offset: self.at }).helped_by(self.help)
    }
}

/// The file cannot be read from here on.
pub(super) fn unreadable(at: u64, error: &std::io::Error) -> Fault {
    match Damage::of(error) {
        Some(damage) => Fault::new(damage.code(), at, damage.to_string()),
        None => Fault::new(&FILE_UNREADABLE, at, format!("reading the file failed: {error}")),
    }
}

/// Bytes that are no UTF-8.
pub(super) fn invalid_utf8(at: u64) -> Fault {
    Fault::new(&JSON_UTF8, at, "these bytes are not valid UTF-8")
}
