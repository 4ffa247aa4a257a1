//! Report files: checked and opened before any work, written beside their name, renamed at the end.

use super::{Report, html};
use crate::error::{Error, Result};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The format of a report file, by its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `.json`
    Json,
    /// `.html`
    Html,
}

impl Form {
    /// The format for the file's extension; any other extension is a usage error.
    pub fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some(ending) if ending.eq_ignore_ascii_case("json") => Ok(Form::Json),
            Some(ending) if ending.eq_ignore_ascii_case("html") => Ok(Form::Html),
            _ => Err(Error::request("a report file must end in `.json` or `.html`")
                .at(path.display())
                .hint("the extension chooses the format: data, or a page to read")),
        }
    }
}

/// The report files of a run. Until [`ReportFiles::publish`] they are called `NAME.partial`;
/// dropped before that, nothing of them stays.
#[derive(Debug)]
pub struct ReportFiles {
    files: Vec<ReportFile>,
}

#[derive(Debug)]
struct ReportFile {
    path: PathBuf,
    partial: PathBuf,
    form: Form,
    file: File,
}

impl ReportFiles {
    /// Opens them all, so that a wrong ending or a missing folder is said before any work and
    /// not after an hour of it. A `.partial` that a killed run left is replaced.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        let forms = paths.iter().map(|path| Form::of(path)).collect::<Result<Vec<_>>>()?;
        if let Some(twice) = paths.iter().enumerate().find(|(at, path)| paths[..*at].contains(path)) {
            return Err(Error::request("the same report file is given twice").at(twice.1.display()));
        }
        let mut opened = Self { files: Vec::with_capacity(paths.len()) };
        for (path, form) in paths.iter().zip(forms) {
            opened.files.push(ReportFile::open(path, form)?);
        }
        Ok(opened)
    }

    /// Writes the report into all of them, synced, and gives them their names. Call it when the
    /// outcome is known: what bears the name is a whole and final report.
    pub fn publish(mut self, report: &Report) -> Result<()> {
        for file in &mut self.files {
            file.write(report)?;
        }
        while let Some(file) = self.files.pop() {
            if let Err(error) = file.rename() {
                let failed = cannot_write(&file.path, &error);
                self.files.push(file);
                return Err(failed);
            }
        }
        Ok(())
    }
}

impl Drop for ReportFiles {
    fn drop(&mut self) {
        for file in &self.files {
            // Already gone is as good as removed; there is nobody left to tell of another fault,
            // and the name itself says that it is no finished report.
            let _ = fs::remove_file(&file.partial);
        }
    }
}

impl ReportFile {
    fn open(path: &Path, form: Form) -> Result<Self> {
        if path.is_dir() {
            return Err(Error::request("the report file is a directory").at(path.display()));
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(OsString::from(".partial"));
        let partial = PathBuf::from(partial);
        let file = create_anew(&partial).map_err(|error| cannot_write(path, &error))?;
        Ok(Self { path: path.to_owned(), partial, form, file })
    }

    fn write(&mut self, report: &Report) -> Result<()> {
        let written = match self.form {
            Form::Json => report.write_json(&mut self.file),
            Form::Html => self.file.write_all(html::page(report)?.as_bytes()),
        };
        written.and_then(|()| self.file.sync_all()).map_err(|error| cannot_write(&self.path, &error))
    }

    fn rename(&self) -> std::io::Result<()> {
        fs::rename(&self.partial, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// A new file that only its owner may read (a report names people), never one that is there
/// already: a leftover is removed by name, so that a link is not written through.
pub(crate) fn create_anew(path: &Path) -> std::io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::environment(format!("cannot write the report: {}", error.kind())).at(path.display())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::error::ErrorKind;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .expect("our own folder")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn reports_bear_their_names_only_when_they_are_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let paths = [folder.path().join("run.json"), folder.path().join("run.html")];
        let files = ReportFiles::open(&paths).expect("opens");
        assert_eq!(names(folder.path()), ["run.html.partial", "run.json.partial"]);

        let report = sample::committed();
        files.publish(&report).expect("publishes");
        assert_eq!(names(folder.path()), ["run.html", "run.json"]);
        assert_eq!(fs::read_to_string(&paths[0]).expect("readable"), report.json());
        assert_eq!(fs::read_to_string(&paths[1]).expect("readable"), html::page(&report).expect("renders"));
    }

    #[test]
    fn a_run_that_ends_early_leaves_no_report_and_spares_the_old_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("run.json");
        fs::write(&path, "the last run").expect("writes");
        drop(ReportFiles::open(std::slice::from_ref(&path)).expect("opens"));
        assert_eq!(names(folder.path()), ["run.json"]);
        assert_eq!(fs::read_to_string(&path).expect("readable"), "the last run");
    }

    #[test]
    fn the_leftover_of_a_killed_run_is_replaced() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("run.json");
        fs::write(folder.path().join("run.json.partial"), "x".repeat(100_000)).expect("writes");
        ReportFiles::open(std::slice::from_ref(&path)).expect("opens").publish(&sample::refused()).expect("publishes");
        assert_eq!(names(folder.path()), ["run.json"]);
        assert_eq!(fs::read_to_string(&path).expect("readable"), sample::refused().json());
    }

    #[test]
    fn a_wrong_request_is_said_before_anything_is_made() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let json = folder.path().join("run.json");
        for paths in [vec![json.clone(), folder.path().join("run.txt")], vec![json.clone(), json]] {
            let error = ReportFiles::open(&paths).expect_err("refused");
            assert_eq!(error.kind, ErrorKind::Request, "{error}");
        }
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn a_missing_folder_is_said_before_any_work() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("none/run.json");
        let error = ReportFiles::open(std::slice::from_ref(&path)).expect_err("refused");
        assert_eq!(error.to_string(), format!("cannot write the report: entity not found\n  at {}", path.display()));
    }
}
