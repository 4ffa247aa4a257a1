//! From a row back to the leaves it was made of.

use super::answer::Explained;
use super::find::{self, RowQuestion};
use super::{AskedRow, Question, explain};
use crate::database::Database;
use crate::database::ledger::{HIDDEN_PATH, RowOrigin};
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::mapping::model::Set;
use crate::source::{self, walk};
use std::path::PathBuf;

/// The tree that a row is said to come from.
#[derive(Debug)]
pub struct RowSource {
    /// The mapping set.
    pub set: Set,
    /// The folder that the set is about.
    pub root: PathBuf,
    /// How deep values may be nested.
    pub depth: u32,
}

/// Where a row came from, as the ledger says: the file and the byte at which its record begins, and the run.
///
/// # Errors
/// When the ledger knows no such row.
pub fn origin(question: &RowQuestion, set: &Set, database: &dyn Database) -> Result<RowOrigin> {
    find::origin(question, set, database).map(|(origin, _)| origin)
}

/// The same with the leaves of the record as they go into the row.
///
/// # Errors
/// When the ledger knows no such row, or the tree no longer has its file.
pub fn row(question: RowQuestion, source: RowSource, database: &dyn Database) -> Result<(RowOrigin, Explained)> {
    let (origin, row_key) = find::origin(&question, &source.set, database)?;
    let dialect = database.read()?.ok_or_else(|| database.missing())?.dialect();
    let RowQuestion { table, schema, .. } = question;
    let RowSource { set, root, depth } = source;
    let tree = walk::walk(&root)?;
    // The path of a file whose name holds a secret is not in the ledger: its content finds it.
    let is_origin = |file: &&source::SourceFile| match origin.path.strip_prefix(HIDDEN_PATH) {
        None => *file.path == *origin.path,
        Some(_) => source::digest_of(file) == Some(origin.sha256),
    };
    let Some(source) = tree.files.iter().find(is_origin) else {
        return Err(Error::request(format!("the tree has no file `{}`", printable(&origin.path)))
            .at(root.display())
            .hint("name the tree that the run read"));
    };
    if source::digest_of(source) != Some(origin.sha256) {
        return Err(Error::request("the file has changed since the run read it")
            .at(source.absolute().display())
            .hint("the row came from an earlier state of it, so its leaves cannot be named"));
    }
    let (file, offset, turn) = (source.path.to_string(), origin.offset, origin.turn);
    let asked = Some(AskedRow { table, at: offset, row_key, turn, dialect });
    let explained = explain(Question { set, schema, root, file, pointer: String::new(), row: asked, depth })?;
    Ok((RowOrigin { pointer: Some(explained.origin.clone()), ..origin }, explained))
}
