//! Opening a source file, and checking that it did not change.

use super::fault::unreadable;
use super::packed::Unpacked;
use super::window::{Bytes, Window};
use crate::document::json::write_json_string;
use crate::document::tape::FromJson;
use crate::finding::{FILE_CHANGED, FILE_EMPTY, FileId, Finding, JSON_UTF8, Place};
use crate::mapping::model::Format;
use crate::platform::{self, Node, State};
use crate::shared::Shared;
use jiff::Timestamp;
use std::fs::{File, Metadata};
use std::io::{Cursor, Read, Result as IoResult, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use super::limits::Limits;
pub use super::records::{Record, Records, records};
pub use super::skim::{Outline, skim};

/// So much is at hand of a file that rolls by, unless a single token needs more.
const ROLLING: usize = 1 << 20;

/// A regular file of the tree, as the walk saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its number in the run, in the order of the walk.
    pub id: FileId,
    /// Its path below the root, with `/` between segments.
    pub path: Shared,
    base: Arc<Base>,
    /// Its size.
    pub bytes: u64,
    /// Its number on its device.
    number: u64,
    /// When it was last written: seconds since 1970, and nanoseconds of them. Two fields, so that they take twelve bytes.
    modified: i64,
    nanoseconds: u32,
}

/// What files have in common: there may be millions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The root of the tree.
    root: PathBuf,
    /// The device that they are on.
    device: u64,
    /// How their bytes are to be read.
    form: Form,
}

impl Base {
    /// Of the files on this device in a tree with this root.
    pub fn new(root: &Path, device: u64) -> Arc<Self> {
        Arc::new(Self { root: root.to_owned(), device, form: Form::default() })
    }
}

/// How the bytes of a file are to be read, as the mapping that reads it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Form {
    /// They are packed, and may unpack to at most so many bytes. Places are those of the unpacked text.
    pub packed: Option<u64>,
    /// Every line is a document of its own.
    pub lines: bool,
}

impl SourceFile {
    /// The same file under another number.
    pub(super) fn numbered(self, id: FileId) -> Self {
        Self { id, ..self }
    }

    /// The file with what its metadata says; `base` is that of the file before, and becomes this file's.
    pub fn new(id: FileId, base: &mut Arc<Base>, path: Shared, metadata: &Metadata) -> Self {
        let State { node: Node { device, number }, bytes, modified: (modified, nanoseconds) } = State::of(metadata);
        if base.device != device {
            *base = Base::new(&base.root, device);
        }
        let base = Arc::clone(base);
        Self { id, path, base, bytes, number, modified, nanoseconds }
    }

    /// The same file, its bytes read in another form.
    #[must_use]
    pub fn in_form(&self, form: Form) -> Self {
        let mut file = self.clone();
        file.read_in(form, &mut None);
        file
    }

    /// Has its bytes read in this form; `before` is that which files before it that are read so have in common.
    pub fn read_in(&mut self, form: Form, before: &mut Option<Arc<Base>>) {
        if self.base.form != form {
            let base = Base { form, ..(*self.base).clone() };
            let known = before.take().filter(|known| **known == base);
            self.base = known.unwrap_or_else(|| Arc::new(base));
            *before = Some(Arc::clone(&self.base));
        }
    }

    /// How its bytes are to be read.
    pub fn form(&self) -> Form {
        self.base.form
    }

    /// Its bytes, unpacked where they are packed.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn bytes(&self) -> IoResult<Box<dyn Bytes>> {
        Ok(self.read_from(Arc::new(self.handle()?)))
    }

    /// Opens what the walk found to be a regular file: whatever took its place since is neither followed
    /// nor waited for.
    pub(super) fn handle(&self) -> IoResult<File> {
        platform::open_itself(&self.absolute())
    }

    fn read_from(&self, handle: Arc<File>) -> Box<dyn Bytes> {
        match self.form().packed {
            Some(most) => Box::new(Unpacked::new(Reader::new(handle, self.bytes), self.bytes, most)),
            None => Box::new(Reader::new(handle, self.bytes)),
        }
    }

    /// Where it lies.
    pub fn absolute(&self) -> PathBuf {
        self.base.root.join(&*self.path)
    }

    /// When it was last written; `None` out of the range of timestamps.
    pub fn modified(&self) -> Option<Timestamp> {
        Timestamp::new(self.modified, i32::try_from(self.nanoseconds).ok()?).ok()
    }

    /// The place of a byte of this file.
    pub fn place(&self, offset: u64) -> Place {
        Place { file: self.id, offset }
    }

    /// Whether this is metadata of the file as the walk saw it.
    fn is_as_seen(&self, metadata: &Metadata) -> bool {
        let node = Node { device: self.base.device, number: self.number };
        State::of(metadata) == State { node, bytes: self.bytes, modified: (self.modified, self.nanoseconds) }
    }

    /// Whether the file is still as the walk saw it: its size, time of modification, device and inode, by its path.
    ///
    /// # Errors
    /// A finding when it is not.
    pub fn unchanged(&self) -> Result<(), Finding> {
        let is_as_seen = std::fs::symlink_metadata(self.absolute()).is_ok_and(|metadata| self.is_as_seen(&metadata));
        if is_as_seen { Ok(()) } else { Err(self.changed()) }
    }

    /// Whether what was opened is what the walk saw.
    fn is_it(&self, handle: &File) -> Result<(), Finding> {
        let metadata = handle.metadata().map_err(|error| self.unreadable(&error))?;
        if self.is_as_seen(&metadata) { Ok(()) } else { Err(self.changed()) }
    }

    fn unreadable(&self, error: &std::io::Error) -> Finding {
        unreadable(0, error).finding(self.id)
    }

    fn changed(&self) -> Finding {
        Finding::new(&FILE_CHANGED, "the file is not as it was when the tree was walked").at(self.place(0))
    }
}

/// Reads a file of a known size, and does not ask the system for its end.
struct Reader {
    handle: Arc<File>,
    /// The size; a file system that says 0 may mean that it does not know.
    size: u64,
    at: u64,
}

impl Reader {
    fn new(handle: Arc<File>, size: u64) -> Self {
        Self { handle, size: if size == 0 { u64::MAX } else { size }, at: 0 }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = left.min(buffer.len());
        // Whether there is more by now shows when it is asked whether the file changed.
        let read = if most == 0 { 0 } else { (&*self.handle).read(&mut buffer[..most])? };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> IoResult<u64> {
        self.at = (&*self.handle).seek(to)?;
        Ok(self.at)
    }
}

/// A source file that is open for reading.
#[derive(Debug)]
pub struct Opened {
    pub(super) window: Window,
    /// Its size, or that of the limits' window where it is larger.
    extent: usize,
    pub(super) limits: Limits,
    file: FileId,
    origin: Option<(SourceFile, Arc<File>)>,
    /// The digest of the file itself, where the window shows something made of it.
    digest: Option<[u8; 32]>,
    /// Which texts hold JSON.
    pub(super) from_json: Arc<FromJson>,
    /// Whether the document is taken as a record.
    pub(super) whole: bool,
}

/// Opens a file for reading.
///
/// # Errors
/// A finding when it cannot be read or is not what the walk saw.
pub fn open(file: &SourceFile, limits: Limits) -> Result<Opened, Finding> {
    opened(file, limits, true)
}

/// Opens a file, and asks at once whether it is what the walk saw, or leaves that for later.
fn opened(file: &SourceFile, limits: Limits, at_once: bool) -> Result<Opened, Finding> {
    let handle = Arc::new(file.handle().map_err(|error| file.unreadable(&error))?);
    if at_once {
        file.is_it(&handle)?;
    }
    let (size, extent) = match usize::try_from(file.bytes) {
        // One byte more, so that the end of a small file is seen without moving its bytes away.
        Ok(bytes) if bytes < limits.window => (bytes + 1, bytes + 1),
        _ => (limits.window.min(ROLLING), limits.window),
    };
    let window = Window::new(file.read_from(Arc::clone(&handle)), size, limits.sensitive);
    let mut opened = Opened {
        window,
        extent,
        limits,
        file: file.id,
        origin: Some((file.clone(), handle)),
        digest: None,
        from_json: Arc::default(),
        whole: false,
    };
    match file.form().packed {
        Some(_) => opened.extent = opened.unpacked_extent()?,
        None => opened.window = opened.window.hashing(),
    }
    Ok(opened)
}

/// Opens a file that may be one text. A text is read as if it were written as a JSON string, so that
/// everything behind this has one kind of document to deal with.
///
/// Whether it is what the walk saw is to be asked when it was read ([`Opened::is_it`]), which tells of a change before and
/// during that.
///
/// # Errors
/// A finding when it cannot be read, is whitespace or empty, or is text that is not UTF-8.
pub fn open_as(file: &SourceFile, limits: Limits, format: Format) -> Result<Opened, Finding> {
    // The size of an empty one does not end the reading.
    let mut opened = opened(file, limits, file.bytes == 0)?;
    if matches!(format, Format::Json | Format::Lines) {
        return Ok(opened);
    }
    match opened.first_byte()? {
        None => return Err(Finding::new(&FILE_EMPTY, "the file holds nothing but white space").at(file.place(0))),
        Some(b'{' | b'[') => {
            opened.rewind()?;
            return Ok(opened);
        }
        _ => {}
    }
    opened.rewind()?;
    opened.window.ensure(usize::MAX).map_err(|error| opened.failed(&error))?;
    let text = std::str::from_utf8(opened.window.rest()).map_err(|error| {
        let at = file.place(error.valid_up_to() as u64);
        Finding::new(&JSON_UTF8, "these bytes are not valid UTF-8").at(at)
    })?;
    let mut json = String::with_capacity(text.len() + text.len() / 8 + 2);
    write_json_string(&mut json, text);
    let size = limits.window.min(json.len() + 1);
    let digest = Some(opened.digest()?);
    let window = Window::new(Box::new(Cursor::new(json.into_bytes())), size, limits.sensitive);
    Ok(Opened { window, extent: size, digest, ..opened })
}

impl Opened {
    /// What in strings is replaced or told.
    pub fn replace(&self) -> super::Replace {
        self.limits.replace
    }

    /// Bytes in memory, read as a file of this number; they never change.
    pub fn of_bytes(file: FileId, bytes: Vec<u8>, limits: Limits) -> Self {
        let size = limits.window.min(bytes.len().saturating_add(1));
        let window = Window::new(Box::new(Cursor::new(bytes)), size, limits.sensitive).hashing();
        Self { window, extent: size, limits, file, origin: None, digest: None, from_json: Arc::default(), whole: false }
    }

    /// A document that is a line of a file, and begins there. Its digest is not of use.
    pub fn of_line(file: FileId, at: u64, text: Vec<u8>, limits: Limits) -> Self {
        let extent = text.len() + 1;
        let window = Window::of_line(text, at, limits.sensitive);
        Self {
            window,
            extent,
            limits,
            file,
            origin: None,
            digest: Some([0; 32]),
            from_json: Arc::default(),
            whole: false,
        }
    }

    /// The number of the file.
    pub fn file(&self) -> FileId {
        self.file
    }

    /// The SHA-256 of the file's bytes; costs nothing after a skim.
    ///
    /// # Errors
    /// A finding when the file cannot be read.
    pub fn digest(&mut self) -> Result<[u8; 32], Finding> {
        if let (None, Some(packed)) =
            (self.digest, self.origin.as_ref().map(|(file, _)| file).filter(|of| of.form().packed.is_some()))
        {
            // The window shows what they unpack to.
            self.digest = Some(open(&packed.in_form(Form::default()), Limits::default())?.digest()?);
        }
        loop {
            if let Some(digest) = self.digest.or_else(|| self.window.digest()) {
                return Ok(digest);
            }
            if let Err(error) = self.window.drain() {
                return Err(self.failed(&error));
            }
        }
    }

    /// How large a packed file is unpacked: at most the size of the limits' window.
    fn unpacked_extent(&mut self) -> Result<usize, Finding> {
        let most = self.limits.window.min(ROLLING);
        let is_large = self.window.ensure(most).map_err(|error| self.failed(&error))?;
        Ok(if is_large { self.limits.window } else { self.window.rest().len() + 1 })
    }

    /// The first byte that is no white space.
    fn first_byte(&mut self) -> Result<Option<u8>, Finding> {
        loop {
            let rest = self.window.rest();
            if let Some(byte) = rest.iter().find(|byte| !byte.is_ascii_whitespace()) {
                return Ok(Some(*byte));
            }
            self.window.pass(rest.len());
            if !self.window.more().map_err(|error| self.failed(&error))? {
                return Ok(None);
            }
        }
    }

    /// Reading ended behind the bytes at hand.
    pub(super) fn failed(&self, error: &std::io::Error) -> Finding {
        let at = self.window.offset() + self.window.rest().len() as u64;
        unreadable(at, error).finding(self.file)
    }

    /// Whether the file is still as the walk saw it. To be asked when it was read.
    ///
    /// # Errors
    /// A finding when it is not.
    pub fn unchanged(&self) -> Result<(), Finding> {
        self.origin.as_ref().map_or(Ok(()), |(file, _)| file.unchanged())
    }

    /// Whether what was opened is what the walk saw, and still as it was. To be asked when it was read.
    ///
    /// # Errors
    /// A finding when it is not.
    pub fn is_it(&self) -> Result<(), Finding> {
        self.origin.as_ref().map_or(Ok(()), |(file, handle)| file.is_it(handle))
    }

    /// How large it is, as far as that matters: at most the size of the limits' window.
    pub fn extent(&self) -> usize {
        self.extent
    }

    /// Puts the JSON of these texts in their place; `whole` says that the document is a record.
    pub fn unfold(&mut self, from_json: &Arc<FromJson>, whole: bool) {
        (self.from_json, self.whole) = (Arc::clone(from_json), whole);
    }

    /// What it is, in a word: a file, or a line of one.
    pub fn unit(&self) -> &'static str {
        self.window.unit()
    }

    /// Back to the first byte.
    pub(super) fn rewind(&mut self) -> Result<(), Finding> {
        self.window.rewind().map_err(|error| unreadable(0, &error).finding(self.file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tape::Tape;
    use crate::finding::{Code, FILE_UNREADABLE};
    use std::fs;

    fn written(folder: &tempfile::TempDir, text: &str) -> SourceFile {
        let path = folder.path().join("a.json");
        fs::write(&path, text).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        SourceFile::new(FileId(3), &mut Base::new(folder.path(), 0), "a.json".into(), &metadata)
    }

    fn code(result: Result<impl Sized, Finding>) -> Option<&'static Code> {
        result.err().map(|finding| finding.code)
    }

    #[test]
    fn what_is_known_of_a_file_is_small() {
        assert!(size_of::<SourceFile>() <= 56, "{} bytes", size_of::<SourceFile>());
    }

    #[test]
    fn files_of_one_device_share_what_they_have_in_common() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(&folder, "[1]");
        let metadata = fs::metadata(file.absolute()).unwrap();
        let mut base = Base::new(folder.path(), Node::of(&metadata).device + 1);
        let files = [0, 1].map(|id| SourceFile::new(FileId(id), &mut base, "a.json".into(), &metadata));
        assert!(Arc::ptr_eq(&files[0].base, &files[1].base) && files.iter().all(|file| file.unchanged().is_ok()));
        assert_eq!(files[0].modified(), metadata.modified().unwrap().try_into().ok());
    }

    #[test]
    fn a_file_is_skimmed_read_and_hashed_in_a_window_of_any_size() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(&folder, r#"{"list": [1, "two", {"three": 3}], "rest": null}"#);
        let selection = crate::document::tape::Selection(vec![
            crate::document::tape::Segment::Name("list".into()),
            crate::document::tape::Segment::Elements,
        ]);
        for window in [1, 16, 20, 1_000] {
            let mut opened = open(&file, Limits { window, ..Limits::default() }).unwrap();
            let outline = skim(&mut opened, &[&selection], window == 20).unwrap();
            assert_eq!((outline.selected, outline.span), (vec![3], 0..48));
            assert_eq!(outline.records.map(|records| records.len()), (window == 20).then_some(3));
            assert_eq!(
                opened.digest().unwrap(),
                <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(fs::read(file.absolute()).unwrap()))
            );
            let mut records = records(&mut opened, Some(&selection)).unwrap();
            let mut texts = Vec::new();
            while let Some(record) = records.take(Tape::new(false)).unwrap() {
                let (start, end) = (record.span.start as usize, record.span.end as usize);
                texts.push(String::from_utf8(fs::read(file.absolute()).unwrap()[start..end].to_vec()).unwrap());
            }
            assert_eq!(texts, ["1", "\"two\"", "{\"three\": 3}"]);
            opened.unchanged().unwrap();
        }
    }

    #[test]
    fn a_file_that_changed_is_found_before_and_after_reading() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(&folder, "[1]");
        let opened = open(&file, Limits::default()).unwrap();
        let other = folder.path().join("b.json");
        fs::write(&other, "[2]").unwrap();
        fs::rename(&other, file.absolute()).unwrap();
        assert_eq!(code(opened.unchanged()), Some(&FILE_CHANGED), "another file took its name");
        assert_eq!(code(open(&file, Limits::default())), Some(&FILE_CHANGED));

        let file = written(&folder, "[1]");
        let opened = open(&file, Limits::default()).unwrap();
        fs::write(file.absolute(), "[1, 2]").unwrap();
        assert_eq!(code(opened.unchanged()), Some(&FILE_CHANGED), "it was written to");

        fs::remove_file(file.absolute()).unwrap();
        assert_eq!(code(opened.unchanged()), Some(&FILE_CHANGED));
        assert_eq!(code(open(&file, Limits::default())), Some(&FILE_UNREADABLE));
    }

    #[test]
    fn what_took_the_place_of_a_file_is_neither_followed_nor_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(&folder, "[1]");
        fs::remove_file(file.absolute()).unwrap();
        std::os::unix::fs::symlink("/dev/zero", file.absolute()).unwrap();
        assert_eq!(code(open(&file, Limits::default())), Some(&FILE_UNREADABLE));

        fs::remove_file(file.absolute()).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, file.absolute(), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .unwrap();
        assert_eq!(code(open(&file, Limits::default())), Some(&FILE_CHANGED));
    }

    #[test]
    fn what_was_read_in_the_place_of_a_file_is_told_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let opened = |file: &SourceFile| open_as(file, Limits::default(), Format::Json);
        let file = written(&folder, "[1]");
        let known = opened(&file).unwrap();
        assert!(known.is_it().is_ok());
        let aside = folder.path().join("aside.json");
        fs::rename(file.absolute(), &aside).unwrap();
        fs::write(file.absolute(), "[2]").unwrap();
        let other = opened(&file).unwrap();
        // Even where the file has its name back by then.
        fs::rename(&aside, file.absolute()).unwrap();
        assert!(file.unchanged().is_ok() && known.is_it().is_ok());
        assert_eq!(code(other.is_it()), Some(&FILE_CHANGED));

        fs::write(file.absolute(), "[1, 2]").unwrap();
        assert_eq!(code(known.is_it()), Some(&FILE_CHANGED), "it was written to");

        let empty = written(&folder, "");
        fs::write(file.absolute(), "[2]").unwrap();
        assert_eq!(code(opened(&empty)), Some(&FILE_CHANGED), "its size does not end the reading");
    }

    #[test]
    fn what_was_added_to_a_file_since_is_not_read_and_found_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(&folder, "[1]");
        for window in [2, 100] {
            let mut opened = open(&file, Limits { window, ..Limits::default() }).unwrap();
            fs::write(file.absolute(), "[1] [2]").unwrap();
            assert_eq!(skim(&mut opened, &[], true).unwrap().leaves, 1);
            assert_eq!(code(opened.unchanged()), Some(&FILE_CHANGED));
            fs::write(file.absolute(), "[1]").unwrap();
            let modified = fs::FileTimes::new().set_modified(file.modified().unwrap().into());
            File::options().write(true).open(file.absolute()).unwrap().set_times(modified).unwrap();
        }
    }
}
