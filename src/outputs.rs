//! Files that a command writes beside the database (reports, rejects, the log): which paths they may
//! have, and how they are created and renamed. Nothing that exists is overwritten.

use crate::error::{Error, Result};
use crate::platform::{self, Node};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a pipe may stay without a reader before it is given up.
const READER_TIMEOUT: Duration = Duration::from_secs(5);

/// What a command reads or changes: no output file may be one of these paths, or be in one of these
/// folders.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    files: Vec<Input>,
    folders: Vec<Input>,
}

#[derive(Debug, Clone)]
struct Input {
    /// `the key file`, as messages name it.
    what: &'static str,
    identity: Identity,
}

impl Inputs {
    /// Adds a file, whether it exists yet or not.
    pub fn file(&mut self, what: &'static str, path: &Path) {
        self.files.push(Input { what, identity: Identity::of(path) });
    }

    /// Adds a folder with everything in it.
    pub fn folder(&mut self, what: &'static str, path: &Path) {
        self.folders.push(Input { what, identity: Identity::of(path) });
    }

    /// Adds a database's file, with those that its engine keeps beside it: what their names end with.
    pub fn database(&mut self, path: &Path, beside: &[&str]) {
        self.file("the database", path);
        // They lie beside the file itself, not beside a link to it.
        let real = resolve(path);
        beside.iter().for_each(|suffix| self.file("a file of the database", &with_suffix(&real, suffix)));
    }

    /// Refuses a path that is one of the inputs: by its name, through links and `..`, and by the file
    /// itself if it exists.
    ///
    /// # Errors
    /// A usage error that names the flag and the input.
    pub fn check(&self, flag: &str, path: &Path) -> Result<()> {
        let output = Identity::of(path);
        if let Some(input) = self.files.iter().find(|input| input.identity.is_same(&output)) {
            return Err(refusal(flag, path, &format!("is {}", input.what)));
        }
        let within = |input: &&Input| output.path.ancestors().any(|at| input.identity.is_same(&Identity::of(at)));
        match self.folders.iter().find(within) {
            Some(input) => Err(refusal(flag, path, &format!("is in {}", input.what))),
            None => Ok(()),
        }
    }
}

fn refusal(flag: &str, path: &Path, what: &str) -> Error {
    Error::request(format!("`{flag}` {what}, which must not be written to"))
        .at(path.display())
        .hint("choose another path; nothing was written")
}

/// A path, and the file it leads to if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    path: PathBuf,
    file: Option<Node>,
}

impl Identity {
    /// Follows links and `..`, as far as the path exists.
    pub fn of(path: &Path) -> Self {
        let path = resolve(path);
        let file = Node::at(&path).ok();
        Self { path, file }
    }

    /// Whether both are the same path, or hard links to the same file.
    pub fn is_same(&self, other: &Self) -> bool {
        self.path == other.path || self.file.is_some() && self.file == other.file
    }
}

/// The absolute path without links and `..`, whether the file exists or not: a link whose target is
/// missing leads to where the target would be created.
pub fn resolve(path: &Path) -> PathBuf {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // As many links in a row as Linux follows.
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(target) if path.canonicalize().is_err() => path = path.parent().unwrap_or(Path::new("/")).join(target),
            _ => break,
        }
    }
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(resolved.pop()),
            other => resolved.push(other),
        }
        // Link by link, so that `..` goes up from where a link leads.
        if let Ok(real) = resolved.canonicalize() {
            resolved = real;
        }
    }
    resolved
}

/// A path with something appended to its name: `x.db.part`.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// An output that is written as a stream: a pipe or a character device, such as `/dev/stderr` on a
/// terminal.
#[derive(Debug)]
pub struct Stream {
    path: PathBuf,
    /// Open if it had a reader when the run began.
    file: Option<File>,
}

impl Stream {
    /// The stream at a path; `None` if there is a regular file, something else, or nothing.
    pub fn at(path: &Path) -> Option<Self> {
        let kind = fs::metadata(path).ok()?.file_type();
        platform::is_stream(kind).then(|| Self { path: path.to_owned(), file: None })
    }

    /// Opens a pipe that has a reader already, so that the reader waits for what will be written.
    pub fn attach(&mut self) {
        self.file = platform::open_stream(&self.path).ok().flatten();
    }

    /// The open stream. A pipe without a reader is waited for a few seconds, never for ever.
    ///
    /// # Errors
    /// If it cannot be opened, or no program reads the pipe.
    pub fn open(self) -> io::Result<File> {
        if let Some(file) = self.file {
            return Ok(file);
        }
        let end = Instant::now() + READER_TIMEOUT;
        loop {
            match platform::open_stream(&self.path)? {
                Some(file) => return Ok(file),
                None if Instant::now() < end => std::thread::sleep(Duration::from_millis(50)),
                None => return Err(io::Error::new(ErrorKind::TimedOut, "no program reads the pipe")),
            }
        }
    }
}

/// Checks that an unfinished file can be created at a path: there is nothing, or what a killed run left.
///
/// # Errors
/// If another file is there.
pub fn check_leftover(path: &Path, is_ours: impl Fn(&Path) -> bool) -> Result<()> {
    let is_leftover = |is: &fs::Metadata| is.is_file() && (is.len() == 0 || is_ours(path));
    match fs::symlink_metadata(path) {
        Ok(is) if !is_leftover(&is) => Err(Error::request("the name of the unfinished file is taken by another file")
            .at(path.display())
            .hint("move that file away, or choose another path; nothing was written")),
        _ => Ok(()),
    }
}

/// Creates a file that only its owner may read, in place of a leftover that [`check_leftover`] accepts.
/// The leftover is removed by name, so that a link is never written through.
///
/// # Errors
/// If another file is there, or on an I/O error, which `fault` words.
pub fn create(path: &Path, is_ours: impl Fn(&Path) -> bool, fault: impl Fn(&io::Error) -> Error) -> Result<File> {
    check_leftover(path, is_ours)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(fault(&error)),
        _ => {}
    }
    platform::create_private(path).map_err(|error| fault(&error))
}

/// Gives a file the first free numbered name beside it: `report.json` becomes `report.1.json`.
///
/// # Errors
/// On an I/O error.
pub fn keep_numbered(path: &Path) -> io::Result<PathBuf> {
    let stem = path.file_stem().unwrap_or_default();
    for number in 1_u32.. {
        let mut name = stem.to_owned();
        name.push(format!(".{number}"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        let kept = path.with_file_name(name);
        match platform::rename_without_replacing(path, &kept) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            done => return done.map(|()| kept),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(folder.path().join("tree/deep")).expect("a folder");
        fs::write(folder.path().join("app.db"), "rows").expect("a file");
        folder
    }

    fn inputs(at: &Path) -> Inputs {
        let mut inputs = Inputs::default();
        inputs.database(&at.join("app.db"), &["-log"]);
        inputs.file("the key file", &at.join("absent.key"));
        inputs.folder("the source tree", &at.join("tree"));
        inputs
    }

    #[test]
    fn an_input_is_found_by_every_way_that_leads_to_it() {
        let folder = folder();
        let at = folder.path();
        fs::hard_link(at.join("app.db"), at.join("hard.json")).expect("a link");
        symlink("app.db", at.join("soft.json")).expect("a link");
        symlink("absent.key", at.join("dangling.json")).expect("a link");
        symlink("tree/deep", at.join("into")).expect("a link");
        let refused = [
            ("app.db", "is the database"),
            ("tree/../app.db", "is the database"),
            ("hard.json", "is the database"),
            ("soft.json", "is the database"),
            ("app.db-log", "is a file of the database"),
            ("absent.key", "is the key file"),
            ("dangling.json", "is the key file"),
            ("tree/new.json", "is in the source tree"),
            ("tree", "is in the source tree"),
            ("into/new.json", "is in the source tree"),
            ("into/../new.json", "is in the source tree"),
            ("tree/absent/deeper/new.json", "is in the source tree"),
        ];
        for (name, what) in refused {
            let error = inputs(at).check("--report", &at.join(name)).expect_err(name);
            assert_eq!(error.message, format!("`--report` {what}, which must not be written to"), "{name}");
            assert_eq!(error.status(), 2);
        }
        for name in ["new.json", "tree.json", "other/app.db", "tree/../new.json"] {
            assert!(inputs(at).check("--report", &at.join(name)).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_numbered_name_is_the_first_free_one() {
        let folder = folder();
        let path = folder.path().join("report.json");
        for _ in 0..2 {
            fs::write(&path, "x").expect("writes");
            keep_numbered(&path).expect("renames");
        }
        assert!(folder.path().join("report.1.json").exists() && folder.path().join("report.2.json").exists());
    }

    #[test]
    fn streams_are_pipes_and_devices_alone() {
        let folder = folder();
        assert!(Stream::at(Path::new("/dev/null")).is_some());
        assert!(Stream::at(&folder.path().join("app.db")).is_none());
        assert!(Stream::at(&folder.path().join("absent")).is_none());
        assert!(Stream::at(folder.path()).is_none());
    }
}
