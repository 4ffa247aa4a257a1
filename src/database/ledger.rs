//! The ledger: what runs wrote, so that a row knows where it came from.

use super::sealed_column::SealedColumn;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// The record of a run (`treelift_runs`); by default of nothing, at the epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RunRecord {
    /// UUID text.
    pub id: String,
    /// `import`, `replay`, `undo` and others.
    pub kind: String,
    /// The version of treelift that ran.
    pub program: String,
    /// The mapping set's name.
    pub set: String,
    /// SHA-256 of the mapping set's files, lower-case hex.
    pub set_digest: String,
    /// The mapping set's folder as an absolute path; `None` for a bundled set.
    pub set_folder: Option<String>,
    /// The source's root as given.
    pub source: String,
    /// When it started.
    pub started: Timestamp,
    /// When it was about to commit.
    pub finished: Timestamp,
    /// Files read.
    pub files: u64,
    /// Leaves seen.
    pub leaves: u64,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows found unchanged.
    pub unchanged: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Rows removed.
    pub removed: u64,
    /// The run that this one undid, if any.
    pub undoes: Option<String>,
    /// The name of the machine that it ran on; `None` of a run of an earlier version.
    pub host: Option<String>,
    /// The account that it ran under.
    pub user: Option<String>,
    /// The plan that it was held to, if any.
    pub plan: Option<String>,
    /// When what the ledger says of its files and rows was removed, if it was.
    pub forgotten: Option<Timestamp>,
    /// Who removed it: account and machine.
    pub forgotten_by: Option<String>,
}

impl RunRecord {
    /// Whether it imported rows: an import, or the replay of what one rejected.
    pub fn is_import(&self) -> bool {
        matches!(self.kind.as_str(), "import" | "replay")
    }

    /// That what the ledger said of the run was removed, if it was: when, and by whom.
    pub fn forgotten_in_words(&self) -> Option<String> {
        let at = self.forgotten?.strftime("%Y-%m-%d %H:%M:%SZ");
        let by = self.forgotten_by.as_deref().map_or_else(String::new, |by| format!(" by {by}"));
        Some(format!("the ledger of run {} was forgotten on {at}{by}", self.id))
    }
}

/// What the path of a file begins with in the ledger where the path itself holds a secret; an HMAC follows.
pub const HIDDEN_PATH: &str = "hmac:";

/// A source file of a run (`treelift_files`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecord {
    /// Its number in the ledger, unique over all runs.
    pub id: i64,
    /// The path below the source's root, `/` between segments.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its size.
    pub bytes: u64,
}

/// A row that a run wrote (`treelift_rows`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRecord {
    /// The table.
    pub table: String,
    /// The row's primary key, see [`row_key`].
    pub row_key: String,
    /// The file's number in the ledger.
    pub file: i64,
    /// Where the record begins in the file, in bytes.
    pub offset: u64,
    /// Over [`Written::digested`]; see [`digest`].
    pub digest: [u8; 16],
    /// Over [`Written::clock`] and [`Written::sealed`], where there are any: what may differ in another
    /// run's row that says the same, and shows here whether this one was changed.
    pub own: Option<[u8; 32]>,
    /// The number that [`record_columns`] gave to the columns it was written in.
    ///
    /// [`record_columns`]: super::Transaction::record_columns
    pub columns: i64,
}

/// A row that an earlier run wrote from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierLine {
    /// The table.
    pub table: String,
    /// The row's primary key, see [`row_key`].
    pub row_key: String,
    /// The file's number in the ledger.
    pub file: i64,
    /// Where the record begins in the file, in bytes.
    pub offset: u64,
}

/// The table of the values that rows had before a run gave them other ones.
pub const EARLIER_TABLE: &str = "treelift_earlier";

/// A column of a row that is about to get another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Its number among those of the run.
    pub number: i64,
    /// The table.
    pub table: String,
    /// The row's primary key, see [`row_key`].
    pub row_key: String,
    /// The column.
    pub column: String,
    /// The secret that it holds, sealed for its place among earlier values; without one, what it holds is kept as it is.
    pub sealed: Option<String>,
}

impl Earlier {
    /// The column in which secrets are sealed, with what they are sealed for.
    pub fn place() -> SealedColumn {
        let key_columns = ["run", "number"].map(str::to_owned).to_vec();
        SealedColumn { table: EARLIER_TABLE.to_owned(), column: "sealed".to_owned(), key_columns, row_filter: None }
    }
}

/// The columns in which a run wrote a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    /// The table.
    pub table: String,
    /// The columns that the row's digest is over, in its order.
    pub digested: Vec<String>,
    /// Columns that took the run's start time.
    pub clock: Vec<String>,
    /// Columns that hold sealed values.
    pub sealed: Vec<String>,
    /// Whether the row was there, and these columns of it were NULL until they were filled.
    pub filled: bool,
}

/// The first 16 bytes of SHA-256 over columns and the texts that are stored in them (`None` for
/// NULL), in this order.
pub fn digest<'c, T: AsRef<str>>(cells: impl Iterator<Item = (&'c str, Option<T>)>) -> [u8; 16] {
    let mut hash = Sha256::new();
    for (column, text) in cells {
        hash.update(column.as_bytes());
        match text {
            Some(text) => {
                let text = text.as_ref();
                hash.update([1]);
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text.as_bytes());
            }
            None => hash.update([0]),
        }
    }
    let digest = hash.finalize();
    std::array::from_fn(|i| digest[i])
}

/// A primary key as the ledger writes it: its one value as text, several as a compact JSON array. A
/// NULL, which identifies no row, is `null` in an array, also for a single column.
pub fn row_key(mut parts: Vec<Option<String>>) -> String {
    match parts.as_mut_slice() {
        [Some(one)] => std::mem::take(one),
        several => serde_json::Value::from_iter(several.iter().cloned()).to_string(),
    }
}

/// The parts of a key as [`row_key`] wrote it; `None` if they are not as many as `parts`, or none.
pub fn key_parts(row_key: &str, parts: usize) -> Option<Vec<Option<String>>> {
    match parts {
        0 => None,
        1 if row_key == "[null]" => Some(vec![None]),
        1 => Some(vec![Some(row_key.to_owned())]),
        several => serde_json::from_str::<Vec<Option<String>>>(row_key).ok().filter(|parts| parts.len() == several),
    }
}

/// Where a run wrote a row from, as the ledger remembers it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RowOrigin {
    /// The run's id.
    pub run: String,
    /// The file's path below the source's root.
    pub path: String,
    /// SHA-256 of its bytes.
    #[serde(skip)]
    pub sha256: [u8; 32],
    /// Where the record or element begins in the file, in bytes.
    pub offset: u64,
    /// The JSON Pointer of that; none before the file was looked into.
    pub pointer: Option<String>,
    /// Its place among the rows of the table that the run wrote from there.
    #[serde(skip)]
    pub turn: Turn,
}

/// A file that a run read and wrote rows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldFile {
    /// The file.
    pub file: FileRecord,
    /// The run's id.
    pub run: String,
}

/// Where a run wrote a row from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldRow {
    /// The row's primary key, see [`row_key`].
    pub row_key: String,
    /// The file's number in the ledger.
    pub file: i64,
    /// Where the record or element begins in the file, in bytes.
    pub offset: u64,
}

/// The place of a row among those that one record or element made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// How many were written before it.
    pub before: u64,
    /// How many there are, with it.
    pub of: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_as_it_was_written() {
        let some = |text: &str| Some(text.to_owned());
        for parts in [vec![some("a")], vec![some("")], vec![None], vec![some("a\"b"), None], vec![some(""), some("")]] {
            assert_eq!(key_parts(&row_key(parts.clone()), parts.len()), Some(parts));
        }
        assert_eq!((key_parts("[]", 0), key_parts(r#"["a"]"#, 2)), (None, None));
    }
}
