//! What is explained: the answer to a question, as data.

/// The most leaves that are explained; a JSON Pointer selects others.
pub const MOST_LEAVES: usize = 1_000;

/// What happens to a file.
#[derive(Debug, serde::Serialize)]
pub struct Explained {
    /// Its path below the import root.
    pub file: String,
    /// `mapped`, `ignored`, `unmapped` or `broken`.
    pub status: &'static str,
    /// Why it is ignored, or broken.
    pub reason: Option<String>,
    /// The mapping that reads it.
    pub mapping: Option<String>,
    /// The mapping's file.
    pub mapping_file: Option<String>,
    /// Its shape.
    pub shape: Option<String>,
    /// The owner of its directory: the id, and how it was found.
    pub owner: Option<(String, String)>,
    /// Its leaves.
    pub leaves: Vec<LeafStory>,
    /// How many more leaves there are that are not explained.
    pub more: u64,
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
    /// Why it is ignored, where the mapping says so.
    pub ignored: Option<String>,
}

/// One way that a leaf goes.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Way {
    /// `column`, `json`, `sealed`, `dropped`, `empty secret`, or `used` where nothing of it can be got back.
    pub how: &'static str,
    /// The rule.
    pub rule: String,
    /// The table.
    pub table: String,
    /// The column, or the label of a secret that is dropped.
    pub column: String,
    /// `file:line` of the mapping.
    pub place: String,
    /// What the steps did, in order.
    pub steps: Vec<StepStory>,
    /// What is written; nothing where it may be a secret, or could not be made.
    pub value: Option<String>,
    /// The row it is written into: its key; or why there is none.
    pub row: std::result::Result<String, String>,
    /// What only an import decides about the row.
    pub note: Option<&'static str>,
    /// The offset of the record or element that makes the row.
    #[serde(skip)]
    pub at: u64,
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
