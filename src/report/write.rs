//! Report files: checked before any work, written beside their name before the commit, renamed at the end.

use super::{Report, html};
use crate::error::{Error, Result};
use crate::outputs::{self, Identity, Inputs, Stream, resolve, with_suffix};
use crate::platform;
use serde::Deserialize;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek as _, Write};
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
    /// The format for the file's extension; a pipe or device without one gets JSON. Any other extension
    /// is a usage error.
    pub fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some(extension) if extension.eq_ignore_ascii_case("json") => Ok(Form::Json),
            Some(extension) if extension.eq_ignore_ascii_case("html") => Ok(Form::Html),
            _ if Stream::at(path).is_some() => Ok(Form::Json),
            _ => Err(Error::request("a report file must end in `.json` or `.html`")
                .at(path.display())
                .hint("the extension chooses the format: data, or a page to read")),
        }
    }

    /// Whether the file at this path is a report in this format, from any run: the only files that a
    /// new report may take the name of.
    fn is_report(self, path: &Path) -> bool {
        let Ok(file) = File::open(path) else { return false };
        match self {
            Form::Json => serde_json::from_reader::<_, Head>(io::BufReader::new(file)).is_ok(),
            Form::Html => {
                let mut start = Vec::new();
                file.take(2_048).read_to_end(&mut start).is_ok()
                    && String::from_utf8_lossy(&start).contains(html::MARKER)
            }
        }
    }

    /// Whether the file is what a killed run may have left: a report, or the beginning of one.
    fn is_unfinished(self, path: &Path) -> bool {
        let start = match self {
            Form::Json => "{\n  \"report_version\": ".to_owned(),
            Form::Html => [html::HEAD, html::MARKER].concat(),
        };
        let mut found = vec![0; start.len()];
        let starts = File::open(path).and_then(|mut file| file.read_exact(&mut found)).is_ok();
        (starts && found == start.as_bytes()) || self.is_report(path)
    }
}

/// What every JSON report has.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "report_version")]
    _version: u32,
    #[serde(rename = "run_id")]
    _run: String,
}

/// The report files of a run. Until [`ReportFiles::publish`] they are called `NAME.partial`;
/// dropped before that, they are removed.
#[derive(Debug)]
pub struct ReportFiles {
    outputs: Vec<Output>,
}

#[derive(Debug)]
struct Output {
    /// As given.
    shown: PathBuf,
    form: Form,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    /// Written straight, once the outcome is known.
    Stream(Stream),
    File(Partial),
}

#[derive(Debug)]
struct Partial {
    /// Without links.
    path: PathBuf,
    partial: PathBuf,
    file: Option<File>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// It holds the whole report.
    Written,
    /// It could not be renamed: it stays under its temporary name.
    Kept,
}

impl ReportFiles {
    /// Checks the paths, and creates nothing: an unknown extension, an input of the run, a file that is
    /// not a report, or the same path twice is a usage error before any work.
    pub fn check(paths: &[PathBuf], inputs: &Inputs) -> Result<Self> {
        let mut outputs: Vec<Output> = Vec::with_capacity(paths.len());
        for shown in paths {
            let form = Form::of(shown)?;
            let sink = match Stream::at(shown) {
                Some(stream) => Sink::Stream(stream),
                None => Sink::File(Partial::check(shown, form, inputs)?),
            };
            outputs.push(Output { shown: shown.clone(), form, sink });
        }
        let files: Vec<(&Path, Identity)> = outputs
            .iter()
            .filter(|output| matches!(output.sink, Sink::File(_)))
            .map(|output| (output.shown.as_path(), Identity::of(&output.shown)))
            .collect();
        let repeated = |at: usize| files[..at].iter().any(|(_, earlier)| earlier.is_same(&files[at].1));
        match (0..files.len()).find(|at| repeated(*at)) {
            Some(at) => Err(Error::request("the same report file is given twice").at(files[at].0.display())),
            None => Ok(Self { outputs }),
        }
    }

    /// Creates the unfinished files, so that a missing folder is reported before any work.
    pub fn open(&mut self) -> Result<()> {
        for output in &mut self.outputs {
            let (shown, form) = (&output.shown, output.form);
            match &mut output.sink {
                Sink::Stream(stream) => stream.attach(),
                Sink::File(file) => {
                    let ours = |path: &Path| form.is_unfinished(path);
                    file.file = Some(outputs::create(&file.partial, ours, |error| cannot_write(shown, error))?);
                }
            }
        }
        Ok(())
    }

    /// Writes the report into all files and syncs them, under their temporary names. Call it before the
    /// commit, so that as little as possible is left to do after it. A file that could not be written is
    /// not published.
    ///
    /// # Errors
    /// The first fault; the other files are written all the same.
    pub fn write(&mut self, report: &Report) -> Result<()> {
        let mut first = Ok(());
        for output in &mut self.outputs {
            if let Sink::File(file) = &mut output.sink {
                let written = file.write(report, output.form, &output.shown);
                first = first.and(written);
            }
        }
        first
    }

    /// Renames the finished files, and writes the report into pipes and devices. Call it when the
    /// outcome is final. An existing report is kept under a numbered name.
    ///
    /// Returns what failed; the outcome of the run does not depend on it.
    pub fn publish(mut self, report: &Report) -> Vec<Error> {
        let mut faults = Vec::new();
        for output in std::mem::take(&mut self.outputs) {
            let (shown, form) = (output.shown, output.form);
            let done = match output.sink {
                Sink::Stream(stream) => write_stream(stream, report, form, &shown),
                Sink::File(mut file) => file.publish(form, &shown),
            };
            faults.extend(done.err());
        }
        faults
    }
}

fn write_stream(stream: Stream, report: &Report, form: Form, shown: &Path) -> Result<()> {
    let written = stream.open().and_then(|mut file| match form {
        Form::Json => report.write_json(&mut file),
        Form::Html => match html::page(report) {
            Ok(page) => file.write_all(page.as_bytes()),
            Err(_) => Err(io::Error::other("the HTML report does not render")),
        },
    });
    match written {
        // The reader has gone, as with `| head`: not an error.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| cannot_write(shown, &error)),
    }
}

impl Partial {
    fn check(shown: &Path, form: Form, inputs: &Inputs) -> Result<Self> {
        inputs.check("--report", shown)?;
        let path = resolve(shown);
        match fs::metadata(&path) {
            Ok(is) if is.is_dir() => return Err(Error::request("the report file is a directory").at(shown.display())),
            Ok(is) if !is.is_file() || !form.is_report(&path) => return Err(not_a_report(shown)),
            _ => {}
        }
        let partial = with_suffix(&path, ".partial");
        outputs::check_leftover(&partial, |path| form.is_unfinished(path))?;
        inputs.check("--report", &partial)?;
        Ok(Self { path, partial, file: None, state: State::Open })
    }

    fn write(&mut self, report: &Report, form: Form, shown: &Path) -> Result<()> {
        let page = match form {
            Form::Json => None,
            Form::Html => Some(html::page(report)?),
        };
        let Some(file) = &mut self.file else { return Ok(()) };
        // A run that began again has written one before.
        let begun = file.set_len(0).and_then(|()| file.rewind());
        let written = begun.and_then(|()| match page {
            None => report.write_json(file),
            Some(page) => file.write_all(page.as_bytes()),
        });
        written.and_then(|()| file.sync_all()).map_err(|error| cannot_write(shown, &error))?;
        self.state = State::Written;
        Ok(())
    }

    fn publish(&mut self, form: Form, shown: &Path) -> Result<()> {
        if self.state != State::Written {
            return Ok(()); // reported when it was written
        }
        self.rename(form).map_err(|error| {
            self.state = State::Kept;
            let error = Error::environment(format!("the report cannot be renamed: {error}")).at(shown.display());
            error.hint(format!("it is complete in {}", self.partial.display()))
        })?;
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        platform::sync_folder(folder).map_err(|error| {
            let error = Error::environment(format!("the folder of the report cannot be synced: {}", error.kind()));
            error.at(folder.display()).hint("the report is written, but may be lost in a power failure")
        })
    }

    /// Another file may have appeared under the name since it was checked.
    fn rename(&self, form: Form) -> io::Result<()> {
        if fs::symlink_metadata(&self.path).is_ok() {
            if !form.is_report(&self.path) {
                return Err(io::Error::new(ErrorKind::AlreadyExists, "another file has this name now"));
            }
            outputs::keep_numbered(&self.path)?;
        }
        platform::rename_without_replacing(&self.partial, &self.path)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.file.is_some() && self.state != State::Kept {
            // Gone already if it was renamed; else its name says that it is unfinished.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    let cause = if error.raw_os_error().is_some() { error.kind().to_string() } else { error.to_string() };
    Error::environment(format!("cannot write the report: {cause}")).at(path.display())
}

fn not_a_report(path: &Path) -> Error {
    Error::request("the file exists and is not a report of treelift")
        .at(path.display())
        .hint("choose another path, or move the file away; nothing was written")
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

    fn open(paths: &[PathBuf]) -> Result<ReportFiles> {
        let mut files = ReportFiles::check(paths, &Inputs::default())?;
        files.open()?;
        Ok(files)
    }

    /// Writes and publishes, without a fault.
    fn publish(paths: &[PathBuf], report: &Report) {
        let mut files = open(paths).expect("opens");
        files.write(report).expect("writes");
        assert_eq!(files.publish(report).len(), 0);
    }

    #[test]
    fn reports_get_their_names_only_when_they_are_complete() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let paths = [folder.path().join("run.json"), folder.path().join("run.html")];
        let mut files = open(&paths).expect("opens");
        assert_eq!(names(folder.path()), ["run.html.partial", "run.json.partial"]);

        let report = sample::committed();
        files.write(&report).expect("writes");
        assert_eq!(names(folder.path()), ["run.html.partial", "run.json.partial"]);
        assert_eq!(files.publish(&report).len(), 0);
        assert_eq!(names(folder.path()), ["run.html", "run.json"]);
        assert_eq!(fs::read_to_string(&paths[0]).expect("readable"), report.json());
        assert_eq!(fs::read_to_string(&paths[1]).expect("readable"), html::page(&report).expect("renders"));
    }

    #[test]
    fn an_existing_report_is_kept_under_a_numbered_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let paths = [folder.path().join("run.json"), folder.path().join("run.html")];
        let (first, second, third) = (sample::committed(), sample::refused(), sample::with_rejects());
        [&first, &second, &third].into_iter().for_each(|report| publish(&paths, report));
        assert_eq!(
            names(folder.path()),
            ["run.1.html", "run.1.json", "run.2.html", "run.2.json", "run.html", "run.json"]
        );
        for (name, report) in [("run.1.json", first), ("run.2.json", second), ("run.json", third)] {
            assert_eq!(fs::read_to_string(folder.path().join(name)).expect("readable"), report.json());
        }
    }

    #[test]
    fn a_file_that_is_not_a_report_is_never_touched() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let others = [
            ("a.json", "{\"report_version\": 1"),
            ("b.json", "{\"report_version\": \"one\", \"run_id\": \"x\"}"),
            ("c.json", ""),
            ("d.html", "<!doctype html>\n<title>mine</title>"),
            ("e.json.partial", "mine"),
            ("f.html.partial", "mine"),
            (
                "g.html.partial",
                "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>mine</title>",
            ),
        ];
        for (name, content) in others {
            let path = folder.path().join(name);
            fs::write(&path, content).expect("writes");
            let error = open(&[folder.path().join(name.trim_end_matches(".partial"))]).expect_err("refused");
            assert_eq!(error.kind, ErrorKind::Request, "{error}");
            assert_eq!(fs::read_to_string(&path).expect("readable"), content);
        }
        assert_eq!(names(folder.path()), others.map(|(name, _)| name));
    }

    #[test]
    fn a_run_that_ends_early_leaves_no_report_and_spares_the_old_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("run.json");
        publish(std::slice::from_ref(&path), &sample::committed());
        drop(open(std::slice::from_ref(&path)).expect("opens"));
        assert_eq!(names(folder.path()), ["run.json"]);
        assert_eq!(fs::read_to_string(&path).expect("readable"), sample::committed().json());
    }

    #[test]
    fn the_leftover_of_a_killed_run_is_replaced() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let page = html::page(&sample::committed()).expect("renders");
        for (name, whole) in [("run.json", sample::committed().json()), ("run.html", page)] {
            let path = folder.path().join(name);
            for leftover in ["", &whole[..200]] {
                fs::write(folder.path().join(format!("{name}.partial")), leftover).expect("writes");
                publish(std::slice::from_ref(&path), &sample::refused());
                assert_eq!(names(folder.path()), [name]);
                fs::remove_file(&path).expect("removes");
            }
        }
    }

    #[test]
    fn a_report_that_cannot_be_renamed_stays_under_its_temporary_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("run.json");
        let report = sample::committed();
        let mut files = open(std::slice::from_ref(&path)).expect("opens");
        files.write(&report).expect("writes");
        fs::write(&path, "somebody was faster").expect("writes");
        let faults = files.publish(&report);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].message, "the report cannot be renamed: another file has this name now");
        assert_eq!(fs::read_to_string(&path).expect("readable"), "somebody was faster");
        assert_eq!(fs::read_to_string(folder.path().join("run.json.partial")).expect("readable"), report.json());
    }

    #[test]
    fn a_usage_error_is_reported_before_anything_is_created() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let json = folder.path().join("run.json");
        let again = folder.path().join(".").join("run.json");
        for paths in [vec![json.clone(), folder.path().join("run.txt")], vec![json.clone(), again]] {
            let error = open(&paths).expect_err("refused");
            assert_eq!(error.kind, ErrorKind::Request, "{error}");
        }
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn a_missing_folder_is_reported_before_any_work() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("none/run.json");
        let error = open(std::slice::from_ref(&path)).expect_err("refused");
        assert_eq!(error.to_string(), format!("cannot write the report: entity not found\n  at {}", path.display()));
    }

    #[test]
    fn a_full_device_and_a_pipe_without_a_reader_are_faults_and_a_broken_pipe_is_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).expect("a pipe");
        let report = sample::committed();
        let mut files = open(&[PathBuf::from("/dev/full"), PathBuf::from("/dev/null"), pipe.clone()]).expect("opens");
        files.write(&report).expect("nothing to write yet");
        let faults: Vec<_> = files.publish(&report).into_iter().map(|fault| fault.message).collect();
        assert_eq!(
            faults,
            ["cannot write the report: no storage space", "cannot write the report: no program reads the pipe"]
        );
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).expect("reads")
        });
        publish(&[pipe], &report);
        assert_eq!(reader.join().expect("ends"), report.json());
    }
}
