//! Programs that are run and measured as processes of their own.

use crate::Result;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use wait4::Wait4;

/// What one process used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    /// Seconds of CPU time, of the user and of the system, all threads together.
    pub(crate) cpu: f64,
    /// Seconds from its start to its end.
    pub(crate) wall: f64,
    /// The most memory that was resident at one time, in bytes. Linux counts what its parent had as well
    /// (`exec` keeps the mark), so the parent, this program, must stay small: it holds no rows.
    pub(crate) peak: f64,
}

/// Runs a command whose exit status must be one of `statuses`; gives what it used and its standard output.
pub(crate) fn measure(command: &mut Command, statuses: &[i32]) -> Result<(Usage, String)> {
    let folder = tempfile::tempdir()?;
    // Files instead of pipes: nobody has to read while the process is waited for.
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    command.stdin(Stdio::null()).stdout(File::create(&out)?).stderr(File::create(&err)?);
    let started = Instant::now();
    let ended = command.spawn()?.wait4()?;
    let wall = started.elapsed().as_secs_f64();
    if !ended.status.code().is_some_and(|code| statuses.contains(&code)) {
        let said = String::from_utf8_lossy(&fs::read(&err)?).into_owned();
        let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(format!("`{name}` ended with {}: {}", ended.status, said.trim_end()).into());
    }
    let cpu = (ended.rusage.utime + ended.rusage.stime).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a process has less than 2^52 bytes")]
    let peak = ended.rusage.maxrss as f64;
    Ok((Usage { cpu, wall, peak }, fs::read_to_string(&out)?))
}

/// treelift, as `cargo bench` built it.
pub(crate) struct Treelift {
    key: PathBuf,
    /// Whether this version has `import --jobs`.
    pub(crate) has_jobs: bool,
}

/// One import.
pub(crate) struct Import<'a> {
    /// The tree.
    pub(crate) tree: &'a Path,
    /// The file of the database.
    pub(crate) database: &'a Path,
    /// A folder with a mapping set; else the bundled one that recognises the tree.
    pub(crate) set: Option<&'a Path>,
    /// Further flags.
    pub(crate) flags: &'a [&'a str],
    /// The exit statuses that are no fault.
    pub(crate) statuses: &'a [i32],
}

impl Treelift {
    /// Makes a key file in the folder, for every run.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let key = folder.join("bench.key");
        measure(command().args(["credentials", "new-key-file"]).arg(&key), &[0])?;
        let (_, help) = measure(command().args(["import", "--help"]), &[0])?;
        Ok(Self { key, has_jobs: help.contains("--jobs") })
    }

    /// Imports without a backup of what is there.
    pub(crate) fn import(&self, import: &Import) -> Result<Usage> {
        self.import_into(&url(import.database)?, import)
    }

    /// The same into the database of a URL.
    pub(crate) fn import_into(&self, url: &str, import: &Import) -> Result<Usage> {
        let Import { tree, set, flags, statuses, .. } = *import;
        let mut command = command();
        command.arg("import").arg(tree).args(["--database", url, "--quiet", "--yes", "--no-backup"]);
        command.arg("--key-file").arg(&self.key).args(flags);
        if let Some(set) = set {
            command.arg("--mappings").arg(set);
        }
        Ok(measure(&mut command, statuses)?.0)
    }

    /// Undoes the first import into the database, without a backup.
    pub(crate) fn undo(&self, database: &Path, set: Option<&Path>) -> Result<Usage> {
        let url = url(database)?;
        let (_, runs) = measure(command().args(["runs", "--json", "--database", &url]), &[0])?;
        let runs: serde_json::Value = serde_json::from_str(&runs)?;
        let id = runs["runs"][0]["id"].as_str().ok_or("the database has no run")?;
        let mut command = command();
        command.args(["undo", id, "--database", &url, "--quiet", "--yes", "--no-backup"]);
        if let Some(set) = set {
            command.arg("--mappings").arg(set);
        }
        Ok(measure(&mut command, &[0])?.0)
    }

    /// Writes a bundled mapping set into a folder.
    pub(crate) fn export(&self, set: &str, folder: &Path) -> Result<()> {
        measure(command().args(["mappings", "export", set]).arg(folder), &[0]).map(drop)
    }

    /// Validates a mapping set without data.
    pub(crate) fn check(&self, set: &Path) -> Result<()> {
        measure(command().arg("check").arg(set), &[0]).map(drop)
    }
}

/// The program that is measured: `TREELIFT_BIN` may name another build.
fn command() -> Command {
    let program = std::env::var_os("TREELIFT_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_treelift").into());
    let mut command = Command::new(program);
    command.env_remove("DATABASE_URL").env_remove("TREELIFT_PASSPHRASE");
    command
}

fn url(database: &Path) -> Result<String> {
    let path = database.to_str().ok_or("the folder to work in must have a name in UTF-8")?;
    Ok(format!("sqlite:///{path}"))
}

/// Runs this very program again, for a part that is measured apart.
pub(crate) fn again(arguments: &[&OsStr]) -> Result<String> {
    Ok(measure(Command::new(std::env::current_exe()?).args(arguments), &[0])?.1)
}
