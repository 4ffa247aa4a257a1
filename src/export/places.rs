//! Where rows are written to: a stream, a new file, or a new file of each table. A file gets its name only when all of
//! them are complete, and nothing that exists is overwritten.

use super::wanted::{Form, Wanted};
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::outputs::{Inputs, Stream, resolve};
use crate::platform;
use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where rows go.
pub enum To<'t> {
    /// To whoever reads it.
    Stream(&'t mut dyn Write),
    /// To a new file; the rows of several tables as CSV to a file of each in this folder.
    Path(&'t Path),
}

/// The open places.
pub(super) struct Places<'p> {
    out: Out<'p>,
    /// Whether the reader of the stream has gone.
    is_gone: bool,
}

enum Out<'p> {
    Stream {
        out: BufWriter<Box<dyn Write + 'p>>,
        shown: String,
    },
    File(NewFile),
    /// The folder, and its files.
    Folder(PathBuf, Vec<NewFile>),
}

/// A file that has its name only at the end; dropped before, it goes.
struct NewFile {
    shown: PathBuf,
    /// Without links.
    path: PathBuf,
    out: BufWriter<NamedTempFile>,
}

impl<'p> Places<'p> {
    /// Checks the places, and opens what can be.
    ///
    /// # Errors
    /// If something is there, or one of the inputs is.
    pub(super) fn open(to: To<'p>, wanted: &Wanted, inputs: &Inputs) -> Result<Self> {
        let needs_folder = wanted.form == Form::Csv && wanted.tables.len() > 1;
        let several = || {
            let message = format!("a CSV file holds one table, and {} are named", wanted.tables.len());
            Error::request(message).hint("name a folder with `--output DIR`, which gets a file of each")
        };
        let out = match to {
            To::Stream(_) if needs_folder => return Err(several()),
            To::Stream(out) => stream(Box::new(out), "standard output"),
            To::Path(path) if needs_folder => {
                if fs::symlink_metadata(path).is_ok_and(|is| !is.is_dir() && !is.is_symlink()) {
                    return Err(several().at(path.display()));
                }
                wanted.tables.iter().try_for_each(|table| {
                    let file = file_of(path, table)?;
                    inputs.check("--output", &file)?;
                    must_be_free(&file)
                })?;
                let failed = |error| cannot_write(path, &error);
                fs::create_dir_all(path).map_err(failed)?;
                Out::Folder(path.to_owned(), Vec::new())
            }
            To::Path(path) => match Stream::at(path) {
                Some(pipe) => {
                    let file = pipe.open().map_err(|error| cannot_write(path, &error))?;
                    stream(Box::new(file), &path.display().to_string())
                }
                None => {
                    inputs.check("--output", path)?;
                    Out::File(NewFile::create(path)?)
                }
            },
        };
        Ok(Self { out, is_gone: false })
    }

    /// The rows of another table begin.
    pub(super) fn begin(&mut self, table: &str) -> Result<()> {
        if let Out::Folder(folder, files) = &mut self.out {
            files.push(NewFile::create(&file_of(folder, table)?)?);
        }
        Ok(())
    }

    pub(super) fn put(&mut self, text: &str) -> Result<()> {
        let bytes = text.as_bytes();
        match &mut self.out {
            Out::File(file) => file.put(bytes),
            Out::Folder(_, files) => {
                files.last_mut().map_or_else(|| Err(Error::bug("no file is open")), |file| file.put(bytes))
            }
            Out::Stream { out, shown } => {
                let written = out.write_all(bytes);
                Self::judged(written, shown, &mut self.is_gone)
            }
        }
    }

    /// Writes everything to the disk, and gives the files their names: which they are.
    pub(super) fn publish(&mut self) -> Result<Vec<PathBuf>> {
        let files = match &mut self.out {
            Out::Stream { out, shown } => {
                let written = out.flush();
                return Self::judged(written, shown, &mut self.is_gone).map(|()| Vec::new());
            }
            Out::File(_) => {
                let none = Out::Folder(PathBuf::new(), Vec::new());
                match std::mem::replace(&mut self.out, none) {
                    Out::File(file) => vec![file],
                    Out::Folder(..) | Out::Stream { .. } => Vec::new(),
                }
            }
            Out::Folder(_, files) => std::mem::take(files),
        };
        let complete = files.into_iter().map(NewFile::complete).collect::<Result<Vec<_>>>()?;
        let mut named: Vec<PathBuf> = Vec::with_capacity(complete.len());
        for file in complete {
            match file.publish() {
                Ok(path) => named.push(path),
                Err(error) => {
                    // None or all of them.
                    named.iter().for_each(|path| drop(fs::remove_file(path)));
                    return Err(error);
                }
            }
        }
        Ok(named)
    }

    /// Whether what was put is with its reader already.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.out, Out::Stream { .. })
    }

    /// Whether the reader of the stream has gone, as with `| head`.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone
    }

    fn judged(written: io::Result<()>, shown: &str, is_gone: &mut bool) -> Result<()> {
        written.map_err(|error| {
            *is_gone = error.kind() == ErrorKind::BrokenPipe;
            Error::environment(format!("cannot write to {}: {}", printable(shown), error.kind()))
        })
    }
}

fn stream<'p>(out: Box<dyn Write + 'p>, shown: &str) -> Out<'p> {
    Out::Stream { out: BufWriter::with_capacity(1 << 16, out), shown: shown.to_owned() }
}

/// The file of a table in a folder.
fn file_of(folder: &Path, table: &str) -> Result<PathBuf> {
    if table.contains(['/', '\0']) || table.starts_with('.') {
        let message = format!("no file can be called like the table `{}`", printable(table));
        return Err(Error::request(message).hint("export it alone, to a file that you name"));
    }
    Ok(folder.join(format!("{table}.csv")))
}

fn must_be_free(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    Err(Error::request("the file exists, and no file is overwritten")
        .at(path.display())
        .hint("choose another path, or move the file away; nothing was written"))
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    Error::environment(format!("cannot write the rows: {}", error.kind())).at(path.display())
}

impl NewFile {
    fn create(shown: &Path) -> Result<Self> {
        must_be_free(shown)?;
        let path = resolve(shown);
        let folder = path.parent().unwrap_or(Path::new("/"));
        let file = tempfile::Builder::new().prefix(".treelift-").suffix(".partial").tempfile_in(folder);
        let file = file.map_err(|error| cannot_write(shown, &error))?;
        Ok(Self { shown: shown.to_owned(), path, out: BufWriter::with_capacity(1 << 16, file) })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|error| cannot_write(&self.shown, &error))
    }

    /// Everything is on the disk.
    fn complete(self) -> Result<Complete> {
        let Self { shown, path, out } = self;
        let file = out.into_inner().map_err(|error| cannot_write(&shown, error.error()))?;
        file.as_file().sync_all().map_err(|error| cannot_write(&shown, &error))?;
        Ok(Complete { shown, path, file })
    }
}

/// A file that lacks nothing but its name.
struct Complete {
    shown: PathBuf,
    path: PathBuf,
    file: NamedTempFile,
}

impl Complete {
    fn publish(self) -> Result<PathBuf> {
        let Self { shown, path, file } = self;
        file.persist_noclobber(&path).map_err(|error| cannot_write(&shown, &error.error))?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        platform::sync_folder(folder).map_err(|error| {
            let _ = fs::remove_file(&path);
            cannot_write(&shown, &error)
        })?;
        Ok(shown)
    }
}
