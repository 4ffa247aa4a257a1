//! The script: the same rows written by Python, as one would write it by hand.

use crate::Result;
use crate::child::{self, Usage};
use rusqlite::Connection;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python interpreter.
pub(crate) struct Python(PathBuf);

impl Python {
    /// Finds one, and installs a fast JSON module for it where that can be done.
    pub(crate) fn new() -> Result<Self> {
        let (_, path) = child::measure(Command::new("sh").arg(folder().join("install")), &[0])?;
        Ok(Self(path.trim_end().into()))
    }

    /// Runs a script of `benches/script`; gives what it used and the JSON module it had.
    pub(crate) fn run(&self, name: &str, tree: &Path, database: &Path, schema: &Path) -> Result<(Usage, String)> {
        let script = folder().join(name);
        let mut command = Command::new(&self.0);
        command.arg("-B").arg(script).arg(tree).arg(database).arg(schema);
        let (usage, module) = child::measure(&mut command, &[0])?;
        Ok((usage, module.trim_end().to_owned()))
    }
}

fn folder() -> PathBuf {
    root().join("benches/script")
}

/// The folder of the package.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The first argument of the process that compares two databases.
pub(crate) const FLAG: &str = "--same-rows";

/// Fails unless the script wrote what treelift did. A process of its own compares, as this one must stay small.
pub(crate) fn same_rows(treelift: &Path, script: &Path) -> Result<()> {
    child::again(&[FLAG.as_ref(), treelift.as_os_str(), script.as_os_str()]).map(drop)
}

/// The process itself.
pub(crate) fn run(arguments: &[impl AsRef<OsStr>]) -> Result<()> {
    let [treelift, script] = arguments else { return Err(format!("{FLAG} takes two paths").into()) };
    compare(Path::new(treelift), Path::new(script))
}

/// Fails unless the script wrote what treelift did: as many rows into every table that either wrote, and
/// into mapped tables the same values, but for numbers that the database gave, sealed values and the
/// time of the run.
fn compare(treelift: &Path, script: &Path) -> Result<()> {
    let conn = Connection::open(treelift)?;
    conn.execute("ATTACH ?1 AS script", [script.to_str().ok_or("a path in UTF-8")?])?;
    let list =
        |sql: &str| -> rusqlite::Result<Vec<String>> { conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect() };
    let count = |sql: String| -> rusqlite::Result<i64> { conn.query_row(&sql, [], |row| row.get(0)) };
    let mapped = list("SELECT name FROM treelift_tables ORDER BY name")?;
    let all = list(
        "SELECT name FROM pragma_table_list WHERE schema = 'script' AND type = 'table'
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    for table in &all {
        let ours = count(format!("SELECT count(*) FROM main.\"{table}\""))?;
        let theirs = count(format!("SELECT count(*) FROM script.\"{table}\""))?;
        let written = theirs > 0 || mapped.contains(table);
        if written && ours != theirs {
            return Err(format!("`{table}`: treelift wrote {ours} rows, the script {theirs}").into());
        }
    }
    for table in &mapped {
        // Columns by their marks in the ledger. A time of today is a clock: the trees are of earlier years. (`|| ''` takes away
        // the affinity of a column, which would make the bounds numbers.)
        let columns = list(&format!(
            "SELECT 'iif(\"' || name || '\" || '''' BETWEEN strftime(''%Y-%m-%d'', ''now'', ''-1 day'') AND ''3'', ''now'', \"' || name || '\")'
             FROM pragma_table_info('{table}') AS c WHERE NOT (pk = 1 AND type = 'INTEGER')
             AND NOT EXISTS (SELECT 1 FROM treelift_columns AS w JOIN treelift_tables AS t ON t.id = w.\"table\"
                             WHERE t.name = '{table}' AND instr(w.clock || w.sealed, '\"' || c.name || '\"'))"
        ))?
        .join(", ");
        let differing = count(format!(
            "SELECT count(*) FROM (SELECT {columns} FROM main.\"{table}\" EXCEPT SELECT {columns} FROM script.\"{table}\")"
        ))?;
        if differing > 0 {
            return Err(format!("`{table}`: {differing} rows of the script differ from treelift's").into());
        }
    }
    Ok(())
}
