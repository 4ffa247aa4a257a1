//! The fixture: a house of its own for each test, in which the built program is run.
//!
//! A house is a temporary directory with a folder `work` (the working directory), a folder `tmp`
//! (the program's temporary files) and whatever the test brings in.

pub(crate) mod faults;
pub(crate) mod independent;
pub(crate) mod inline;
pub(crate) mod keeping;
#[cfg(feature = "postgres")]
pub(crate) mod proxy;
pub(crate) mod random_trees;
pub(crate) mod safe;
#[cfg(feature = "postgres")]
pub(crate) mod server;
pub(crate) mod site;
#[path = "../../../benches/v1_tree/mod.rs"]
pub(crate) mod v1_tree;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// The key file's name in a house's working directory.
pub(crate) const KEY_FILE: &str = "test.key";
/// The database's name in a house's working directory.
pub(crate) const DATABASE: &str = "target.db";
/// The passphrase that comes with the sample.
pub(crate) const PASSPHRASE_FILE: &str = "sample_data/passphrase.txt";

/// A path of the project, from its root.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The sample tree.
pub(crate) fn sample() -> PathBuf {
    project("sample_data/fossawork")
}

/// A temporary directory, and the program run in it.
pub(crate) struct House {
    dir: tempfile::TempDir,
}

impl House {
    /// A house with a working directory, and a key file in it (which, unlike a passphrase, costs no time).
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("treelift-it-").tempdir().unwrap();
        let house = Self { dir };
        fs::create_dir(house.dir.path().join("work")).unwrap();
        fs::create_dir(house.dir.path().join("tmp")).unwrap();
        treelift::secret::key_file::new_key_file(&house.path(KEY_FILE)).unwrap();
        house
    }

    /// A path in the working directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("work").join(name)
    }

    /// The program's folder for temporary files.
    pub(crate) fn tmp(&self) -> PathBuf {
        self.dir.path().join("tmp")
    }

    /// The folder of backups, outside the working directory.
    pub(crate) fn backups(&self) -> PathBuf {
        self.dir.path().join("backups")
    }

    /// The working directory.
    pub(crate) fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// Writes a file below the working directory.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A copy of the sample tree, below a folder of the working directory, to be changed.
    pub(crate) fn sample_copy(&self) -> PathBuf {
        let to = self.path("source");
        copy_tree(&sample(), &to);
        to
    }

    /// The command with these arguments, in the working directory, with an environment of its own.
    pub(crate) fn command<I, A>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("treelift"));
        command.args(arguments).current_dir(self.work()).stdin(Stdio::null());
        command.env_clear().env("TMPDIR", self.tmp()).env("HOME", self.dir.path()).env("TZ", "America/New_York");
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run<I, A>(&self, arguments: I) -> Ran
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        Ran::of(&mut self.command(arguments))
    }

    /// Imports a tree into [`DATABASE`], unless another one is named, with the key file, and the arguments that come on
    /// top.
    pub(crate) fn import(&self, source: &Path, more: &[&str]) -> Ran {
        self.run(self.import_arguments(source, more))
    }

    /// The arguments of [`House::import`].
    pub(crate) fn import_arguments(&self, source: &Path, more: &[&str]) -> Vec<String> {
        let database = format!("sqlite:///./{DATABASE}");
        let mut arguments = vec!["import".to_owned(), source.to_str().unwrap().to_owned()];
        // Most trees are read again to see what becomes of a changed database.
        arguments.extend(["--key-file", KEY_FILE, "--yes", "--reread"].map(str::to_owned));
        if !more.contains(&"--database") {
            arguments.extend(["--database", &database].map(str::to_owned));
        }
        arguments.extend(["--backup-dir".to_owned(), self.backups().to_str().unwrap().to_owned()]);
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        arguments
    }

    /// The file of rejects without the id of the run that wrote it; nothing where there is none.
    pub(crate) fn rejects(&self) -> String {
        let text = fs::read_to_string(self.path("rejects/rejects.jsonl")).unwrap_or_default();
        regex::Regex::new(r#""run":"[^"]*""#).unwrap().replace_all(&text, r#""run":"""#).into_owned()
    }

    /// The rows a query gives, each cell as text.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        rows(&open(&self.path(DATABASE)), sql)
    }

    /// The one value a query gives, as text.
    pub(crate) fn one(&self, sql: &str) -> String {
        let rows = self.rows(sql);
        assert!(rows.len() == 1 && rows[0].len() == 1, "`{sql}` gives {rows:?}");
        rows[0][0].clone()
    }
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit status; `None` when a signal ended it.
    pub(crate) status: Option<i32>,
    /// Everything on standard output.
    pub(crate) stdout: String,
    /// Everything on standard error.
    pub(crate) stderr: String,
}

impl Ran {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("what is printed is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("what is printed is UTF-8"),
        }
    }

    /// It ended with this status.
    #[track_caller]
    pub(crate) fn status(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// It did not end as if the program were at fault.
    #[track_caller]
    pub(crate) fn not_a_bug(self) {
        assert_ne!(self.status, Some(70), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
    }

    /// The one JSON document on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }

    /// The last line that a person sees.
    pub(crate) fn last_line(&self) -> &str {
        let said = if self.stdout.trim().is_empty() { &self.stderr } else { &self.stdout };
        said.trim_end().lines().last().unwrap_or("")
    }
}

/// The report without what may differ between a dry run and a real one.
pub(crate) fn comparable(mut report: Value) -> Value {
    for key in ["run_id", "run", "timings", "mode", "outcome", "target"] {
        assert!(report.as_object_mut().unwrap().remove(key).is_some(), "the report has no `{key}`");
    }
    report.as_object_mut().unwrap().remove("plan");
    report
}

/// The findings of a report: code and severity of each, and the place in words if it has one.
pub(crate) fn findings(report: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let finding = |finding: &Value| (text(&finding["code"]), text(&finding["severity"]), place(finding));
    report["findings"].as_array().unwrap().iter().map(finding).collect()
}

/// `file:line:column /pointer`, as far as the finding knows it.
fn place(finding: &Value) -> String {
    let place = &finding["place"];
    let mut words = place["file"].as_str().unwrap_or_default().to_owned();
    for part in ["line", "column"] {
        if let Some(number) = place[part].as_u64() {
            words.push_str(&format!(":{number}"));
        }
    }
    if let Some(pointer) = place["pointer"].as_str() {
        words.push_str(&format!(" {pointer}"));
    }
    words
}

/// What the report says was written into each table, where it says anything but zero.
pub(crate) fn tables(report: &Value, what: &str) -> BTreeMap<String, u64> {
    let tables = report["tables"].as_array().unwrap().iter();
    let counted = tables.map(|table| (table["name"].as_str().unwrap().to_owned(), table[what].as_u64().unwrap()));
    counted.filter(|(_, count)| *count > 0).collect()
}

/// Opens a database for reading.
pub(crate) fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// The rows a query gives, each cell as text; NULL and blobs in words that no text of the sample has.
pub(crate) fn rows(database: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = database.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let width = statement.column_count();
    let cell = |value: ValueRef<'_>| match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
        ValueRef::Blob(bytes) => format!("x'{}'", hex(bytes)),
    };
    let row = |row: &rusqlite::Row<'_>| (0..width).map(|at| Ok(cell(row.get_ref(at)?))).collect();
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// Tables whose rows come from migrations and from what was done to the database, never from files.
const NOT_FROM_FILES: [&str; 3] = ["audit_trail", "data_retention_policies", "rate_limit_rules"];

/// The ordinary tables that are not treelift's or SQLite's own and that files could fill.
pub(crate) fn application_tables(database: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
               AND name NOT LIKE 'treelift\\_%' ESCAPE '\\' AND name <> 'schema_migrations' ORDER BY name";
    let tables = rows(database, sql).into_iter().flatten();
    tables.filter(|table| !NOT_FROM_FILES.contains(&table.as_str())).collect()
}

/// How many rows each application table has, where it has any.
pub(crate) fn row_counts(database: &Connection) -> BTreeMap<String, u64> {
    let count =
        |table: &str| rows(database, &format!("SELECT count(*) FROM \"{table}\""))[0][0].parse::<u64>().unwrap();
    let counts = application_tables(database).into_iter().map(|table| (count(&table), table));
    counts.filter(|(count, _)| *count > 0).map(|(count, table)| (table, count)).collect()
}

/// Every table but SQLite's own, as made and with all rows: the whole content of a database.
pub(crate) fn dump(database: &Connection) -> BTreeMap<String, Vec<Vec<String>>> {
    let tables = rows(
        database,
        "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    );
    let all = |table: &str| {
        let mut rows = rows(database, &format!("SELECT * FROM \"{table}\""));
        rows.sort(); // Tables of a full-text index have no rowid to go by.
        rows
    };
    let is_table = |sql: &str| sql.starts_with("CREATE TABLE");
    tables
        .into_iter()
        .map(|row| (format!("{}: {}", row[0], row[1]), if is_table(&row[1]) { all(&row[0]) } else { Vec::new() }))
        .collect()
}

/// The dump of the application's tables alone.
pub(crate) fn application_dump(database: &Connection) -> BTreeMap<String, Vec<Vec<String>>> {
    let all = |table: &str| rows(database, &format!("SELECT * FROM \"{table}\" ORDER BY rowid"));
    application_tables(database).into_iter().map(|table| (table.clone(), all(&table))).collect()
}

/// Every file below a directory: its path with its size, time of change, mode and hash.
pub(crate) fn listing(directory: &Path) -> BTreeMap<PathBuf, String> {
    let entries = walkdir::WalkDir::new(directory).into_iter().map(Result::unwrap);
    let describe = |entry: &walkdir::DirEntry| {
        let metadata = entry.metadata().unwrap();
        let mode = metadata.permissions().mode();
        if metadata.is_dir() {
            return format!("directory {mode:o}");
        }
        let content = if metadata.is_symlink() {
            fs::read_link(entry.path()).unwrap().as_os_str().as_bytes().to_vec()
        } else {
            fs::read(entry.path()).unwrap()
        };
        let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
        format!("{mode:o} {seconds}.{nanoseconds:09} {} {}", metadata.len(), hex(&Sha256::digest(content)))
    };
    entries.map(|entry| (entry.path().strip_prefix(directory).unwrap().to_owned(), describe(&entry))).collect()
}

/// Makes every file below a directory one that nobody has written for a while: a file that was written
/// just before a run is a warning, which would come and go with the speed of the machine.
pub(crate) fn age(directory: &Path) {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_746_800_000);
    for entry in walkdir::WalkDir::new(directory).into_iter().map(Result::unwrap) {
        if entry.file_type().is_file() {
            fs::File::options().write(true).open(entry.path()).unwrap().set_modified(long_ago).unwrap();
        }
    }
}

/// Copies a tree, aged: files, directories and symbolic links.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let to = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(to).unwrap();
        } else if entry.file_type().is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
    age(to);
}

/// Replaces a text that stands in a file exactly once.
#[track_caller]
pub(crate) fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "`{from}` in {}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
