//! A reject that comes back.

use std::ops::Range;

/// One reject, as its folder has it.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The number of its line, from 1.
    pub(crate) line: u64,
    /// The line itself.
    pub(crate) text: String,
    /// Where the record is, as a JSON Pointer.
    pub(crate) pointer: String,
    /// The bytes that it was written with.
    pub(crate) span: Option<Range<u64>>,
    /// Its number, as [`Record::number`](crate::source::Record::number) has it.
    pub(crate) number: u64,
    /// The record as the line has it, in compact JSON.
    pub(crate) value: Option<String>,
    /// The digest of the value as it was written there.
    pub(crate) written: Option<String>,
    /// Whether the value was edited since.
    pub(crate) is_edited: bool,
}
