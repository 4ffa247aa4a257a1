//! What is explained: the answer to a question, as data.

use super::asked::RowId;
use crate::report::LeafCounts;
use serde::ser::{SerializeMap, Serializer};

/// The most leaves that are explained; a JSON Pointer selects others.
pub const MOST_LEAVES: usize = 1_000;
/// The most ways of one leaf that are shown: a leaf of the frame may go into the rows of every record.
pub const MOST_WAYS: usize = 100;

/// What happens to a file.
#[derive(Debug, Default, serde::Serialize)]
pub struct Explained {
    /// Its path below the import root.
    pub file: String,
    /// `mapped`, `ignored`, `unmapped`, `broken`, or `rejected` with its owner.
    pub status: &'static str,
    /// Why it is not mapped.
    pub reason: Option<String>,
    /// The mapping that reads it.
    pub mapping: Option<String>,
    /// The mapping's file.
    pub mapping_file: Option<String>,
    /// The pointer of the record or element that the row asked for is made of.
    #[serde(skip)]
    pub origin: String,
    /// Its shape.
    pub shape: Option<String>,
    /// The owner of its directory: the id, and how it was found.
    pub owner: Option<(String, String)>,
    /// Its leaves.
    pub leaves: Vec<LeafStory>,
    /// How many more leaves there are that are not explained.
    pub more: u64,
    /// How many rows may be the one that is asked for, where the ledger does not say which: all are shown.
    #[serde(skip_serializing_if = "is_none")]
    pub alike: u64,
    /// Names of members that count as leaves, because `.*` selects the members.
    pub names: Vec<NameStory>,
    /// All leaves that were asked for by class, names among them, as the report of an import counts them.
    pub counts: LeafCounts,
}

/// What an import counts a leaf as.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Fate {
    /// `column`, `json`, `sealed`, `ignored`, `rejected` or `unmapped`.
    pub class: &'static str,
    /// The column by which it is in its class, where it was one.
    pub by: Option<By>,
    /// Why it is ignored, if it is.
    pub ignored: Option<String>,
    /// What ignores it, as the report lists it.
    pub ignored_by: Option<String>,
    /// Why not all of it is kept, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lossy: Option<String>,
    /// Why its record was rejected, if it was.
    pub rejected: Option<String>,
}

/// A column of a rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct By {
    /// The rule.
    pub rule: String,
    /// The table.
    pub table: String,
    /// The column, or the selection of a secret that is dropped.
    pub column: String,
}

/// What happens to a member's name.
#[derive(Debug, serde::Serialize)]
pub struct NameStory {
    /// The JSON Pointer of the member, or of the record in it.
    pub pointer: String,
    /// The line, from 1.
    pub line: u64,
    /// What it is counted as.
    #[serde(flatten)]
    pub fate: Fate,
}

/// What happens to a leaf.
#[derive(Debug, serde::Serialize)]
pub struct LeafStory {
    /// Its JSON Pointer.
    pub pointer: String,
    /// The line, from 1.
    pub line: u64,
    /// Its value, cut; nothing where it may be a secret.
    pub value: Option<String>,
    /// Whether it is no secret by its place, and holds the value of one all the same.
    pub copy_of_secret: bool,
    /// Where it goes.
    pub goes: Vec<Way>,
    /// How many more ways it goes that are not shown.
    pub more_ways: u64,
    /// What it is counted as.
    #[serde(flatten)]
    pub fate: Fate,
}

/// One way that a leaf goes.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Way {
    /// `column`, `json` or `sealed`; where the value was not kept `superseded`, `not convertible`, `skipped`, `dropped`,
    /// `empty secret`, `no row`, `not taken` or `rejected`; `used` where nothing of it can be got back.
    pub how: &'static str,
    /// The rule.
    pub rule: String,
    /// The table.
    pub table: String,
    /// The column, or the selection of a secret that is dropped.
    pub column: String,
    /// `file:line` of the mapping.
    pub place: String,
    /// What the steps did, in order.
    pub steps: Vec<StepStory>,
    /// What is written; nothing where it may be a secret, or could not be made.
    pub value: Option<String>,
    /// Whether it, and what its steps do, may be a secret.
    pub hidden: bool,
    /// The row it is written into: its key; or why there is none. Written as `row`, or as `no_row`.
    #[serde(flatten, serialize_with = "row_or_why")]
    pub row: std::result::Result<String, String>,
    /// What else became of the row, or of the value in it.
    pub note: Option<&'static str>,
    /// What makes the row.
    #[serde(skip)]
    pub of: RowId,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StepStory {
    /// Its name.
    pub step: String,
    /// What it was given; nothing where it may be a secret.
    pub before: Option<String>,
    /// What it returned, or why it failed.
    pub after: Option<String>,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

fn row_or_why<S: Serializer>(
    row: &std::result::Result<String, String>,
    into: S,
) -> std::result::Result<S::Ok, S::Error> {
    let (name, text) = match row {
        Ok(key) => ("row", key),
        Err(why) => ("no_row", why),
    };
    let mut map = into.serialize_map(Some(1))?;
    map.serialize_entry(name, text)?;
    map.end()
}
