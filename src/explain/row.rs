//! From a row back to the leaves it was made of.

use super::answer::Explained;
use super::{Question, explain};
use crate::database::Database;
use crate::database::ledger::{HIDDEN_PATH, RowOrigin};
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::mapping::model::Set;
use crate::source::{self, walk};
use crate::table::Schema;
use std::path::PathBuf;

/// What is asked: a row of a database, and the tree it is said to come from.
#[derive(Debug)]
pub struct RowQuestion {
    /// The table.
    pub table: String,
    /// The values of its primary key, in order.
    pub key: Vec<String>,
    /// The mapping set.
    pub set: Set,
    /// The tables it writes into.
    pub schema: Schema,
    /// The folder of the tree that the set is about.
    pub root: PathBuf,
    /// How deep values may be nested.
    pub depth: u32,
}

/// Where a row came from: what the ledger says, and the leaves of the record as they go into it.
///
/// # Errors
/// When the ledger knows no such row, or the tree no longer has its file.
pub fn row(question: RowQuestion, database: &dyn Database) -> Result<(RowOrigin, Explained)> {
    let RowQuestion { table, key, set, schema, root, depth } = question;
    // As the ledger writes it: its one value as text, several as a compact JSON array of texts.
    let row_key = match key.as_slice() {
        [one] => one.clone(),
        several => serde_json::Value::from(several).to_string(),
    };
    let no_row = || {
        Error::request(format!(
            "no run recorded a row of `{}` with the key `{}`",
            printable(&table),
            printable(&key.join(","))
        ))
        .at(database.url())
        .hint("the key is the table's primary key, its parts in order and separated by commas")
    };
    let origin = database.origins(&table, &row_key)?.pop().ok_or_else(no_row)?;
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
    let (file, asked) = (source.path.to_string(), Some((table, origin.offset)));
    let explained = explain(Question { set, schema, root, file, pointer: String::new(), row: asked, depth })?;
    Ok((RowOrigin { pointer: explained.origin.clone(), ..origin }, explained))
}
