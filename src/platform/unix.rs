//! Linux, macOS and their relatives.

use super::proc;
use rustix::fs::{Access, CWD, OFlags};
use rustix::io::Errno;
use rustix::process::geteuid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use std::ffi::OsStr;
use std::fs::{self, File, FileType, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

/// What the size of a terminal can be asked of.
pub(crate) use std::os::fd::AsFd as AsStream;

/// Where everything can be written to, and is nowhere.
#[cfg(feature = "postgres")]
pub(crate) const NOWHERE: &str = "/dev/null";

/// Signals that would end the program where a write can fail instead: SIGXFSZ, for a limit on the size of files.
pub(crate) const SIGNALS_OF_WRITES: [i32; 1] = [SIGXFSZ];

/// A file itself, whatever its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    /// The device that it is on.
    pub(crate) device: u64,
    /// Its number there.
    pub(crate) number: u64,
}

impl Node {
    /// The one that this is metadata of.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), number: metadata.ino() }
    }

    /// The one that a path leads to now.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::of(&metadata))
    }
}

/// What is another where a file was written to, or another one took its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// The file itself.
    pub(crate) node: Node,
    /// Its size.
    pub(crate) bytes: u64,
    /// When it was last written: seconds since 1970, and nanoseconds of them, of which the system gives 0 to 999,999,999.
    pub(crate) modified: (i64, u32),
}

impl State {
    /// What metadata says.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let nanoseconds = u32::try_from(metadata.mtime_nsec()).unwrap_or_default();
        Self { node: Node::of(metadata), bytes: metadata.len(), modified: (metadata.mtime(), nanoseconds) }
    }

    /// That of the file that a path leads to now.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::of(&metadata))
    }
}

/// Whether a file is to be written to as a stream: it is a pipe, or a device such as a terminal.
pub(crate) fn is_stream(kind: FileType) -> bool {
    kind.is_fifo() || kind.is_char_device()
}

/// What a file is that is neither a regular one nor a folder nor a link.
pub(crate) fn special(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Whether a path cannot be followed because its links lead in a circle (`ELOOP`).
pub(crate) fn is_circle(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// The path without something that its name ends with; `None` where it does not.
pub(crate) fn without_suffix<'p>(path: &'p Path, suffix: &str) -> Option<&'p Path> {
    path.as_os_str().as_bytes().strip_suffix(suffix.as_bytes()).map(|rest| Path::new(OsStr::from_bytes(rest)))
}

/// Options of opening, with which only their owner may read the files that are made.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Makes a file that only its owner may read, and opens it for writing. What is there is never opened, nor a link followed.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    private().write(true).create_new(true).open(path)
}

/// Makes a folder that only its owner may look into.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Makes such a folder under a name of its own that begins like this. It is removed when it is dropped.
pub(crate) fn temporary_private_folder(parent: &Path, prefix: &str) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(prefix).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

/// Opens a file for reading. Whatever it is, nobody is waited for.
pub(crate) fn open_at_once(path: &Path) -> io::Result<File> {
    reading(path, OFlags::NONBLOCK)
}

/// Opens a file for reading, unless its name is a link. Whatever it is, nobody is waited for.
pub(crate) fn open_itself(path: &Path) -> io::Result<File> {
    reading(path, OFlags::NONBLOCK | OFlags::NOFOLLOW)
}

fn reading(path: &Path, flags: OFlags) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Opens a stream for writing; `None` where it is a pipe that nobody reads. Only opening does not wait: a slow reader is
/// waited for.
pub(crate) fn open_stream(path: &Path) -> io::Result<Option<File>> {
    let nonblock = OFlags::NONBLOCK.bits().cast_signed();
    let file = match OpenOptions::new().write(true).custom_flags(nonblock).open(path) {
        // POSIX `open`: for a FIFO that is opened for writing with O_NONBLOCK and has no reader.
        Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => return Ok(None),
        opened => opened?,
    };
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
    Ok(Some(file))
}

/// Reads so many bytes from this place of a file.
pub(crate) fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    file.read_exact_at(bytes, at)
}

/// Writes bytes to this place of a file.
pub(crate) fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    file.write_all_at(bytes, at)
}

/// Renames a file, unless the new name is taken: `AlreadyExists`.
pub(crate) fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_vendor = "apple", target_os = "linux", target_os = "android"))]
    match rustix::fs::renameat_with(CWD, from, CWD, to, rustix::fs::RenameFlags::NOREPLACE) {
        // This file system does not support it.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        done => return Ok(done?),
    }
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}

/// Lets new names in a folder survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The permissions of a file, as `chmod` counts them.
pub(crate) fn mode(metadata: &Metadata) -> u32 {
    metadata.mode() & 0o7777
}

/// The permissions of a file that others than its owner may read, write or run, as `chmod` counts them; `None` of one
/// that they may not.
pub(crate) fn mode_for_others(metadata: &Metadata) -> Option<u32> {
    Some(metadata.mode() & 0o777).filter(|mode| mode & 0o077 != 0)
}

/// Whether a file belongs to who runs this program.
pub(crate) fn is_own(metadata: &Metadata) -> bool {
    metadata.uid() == geteuid().as_raw()
}

/// Gives a file the owner, the group and the permissions of the one that it is to replace.
pub(crate) fn take_over(path: &Path, old: &Metadata) -> io::Result<()> {
    let new = fs::metadata(path)?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        chown(path, Some(old.uid()), Some(old.gid()))?;
    }
    fs::set_permissions(path, Permissions::from_mode(old.mode() & 0o777))
}

/// Whether who runs this program may write a file.
pub(crate) fn may_write(path: &Path) -> bool {
    rustix::fs::access(path, Access::WRITE_OK).is_ok()
}

/// Whether who runs this program may run another one.
#[cfg(feature = "postgres")]
pub(crate) fn may_run(program: &Path) -> bool {
    rustix::fs::access(program, Access::EXEC_OK).is_ok()
}

/// Says why who runs this program may make no files in a folder.
pub(crate) fn may_make_files_in(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// The bytes that may still be written below a folder; `None` where its file system does not report them.
pub(crate) fn free_space(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// What an account without a name is called, of the one that runs this program.
pub(crate) fn account_number() -> String {
    format!("uid {}", geteuid().as_raw())
}

/// The name of the account that runs this program in the list of this machine, whatever other machines know of it.
#[cfg(feature = "postgres")]
pub(crate) fn local_account() -> Option<String> {
    let id = geteuid().as_raw().to_string();
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut lines = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find(|fields| fields.get(2) == Some(&id.as_str())).map(|fields| fields[0].to_owned())
}

/// A command as it is typed into a shell.
pub(crate) fn typed(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

/// Asks a program that this one started to end. It may take its time.
#[cfg(feature = "postgres")]
pub(crate) fn ask_to_end(child: &std::process::Child) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // One that has just ended cannot be asked.
        _ = kill_process(pid, Signal::TERM);
    }
}

/// The signals that ask this program to end. SIGHUP is none where it was ignored at the start, as below `nohup`.
pub(crate) fn signals_to_end() -> impl Iterator<Item = i32> {
    [SIGINT, SIGTERM].into_iter().chain((!proc::is_ignored(SIGHUP)).then_some(SIGHUP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{FileType, Mode, mknodat};
    use std::io::Write;
    use std::os::unix::fs::symlink;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn what_is_made_is_for_its_owner_alone() {
        let folder = folder();
        let mode_of = |path: &Path| mode(&fs::metadata(path).unwrap());
        let (file, below) = (folder.path().join("file"), folder.path().join("below"));
        create_private(&file).unwrap();
        create_private_folder(&below).unwrap();
        let temporary = temporary_private_folder(&below, "begin-").unwrap();
        assert_eq!((mode_of(&file), mode_of(&below), mode_of(temporary.path())), (0o600, 0o700, 0o700));
        let metadata = fs::metadata(&file).unwrap();
        assert!(is_own(&metadata) && mode_for_others(&metadata).is_none());
        fs::set_permissions(&file, Permissions::from_mode(0o2640)).unwrap();
        let metadata = fs::metadata(&file).unwrap();
        assert_eq!((mode(&metadata), mode_for_others(&metadata)), (0o2640, Some(0o640)));
        assert_eq!(create_private(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(create_private_folder(&below).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_name_that_is_taken_is_not_replaced() {
        let folder = folder();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "1").unwrap();
        fs::write(&other, "2").unwrap();
        assert_eq!(rename_without_replacing(&one, &other).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&other).unwrap(), b"2");
        rename_without_replacing(&one, &folder.path().join("free")).unwrap();
        assert!(!one.exists() && folder.path().join("free").exists());
    }

    #[test]
    fn a_file_is_known_by_all_its_names_and_its_state_by_what_is_written() {
        let folder = folder();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "1").unwrap();
        fs::hard_link(&file, &link).unwrap();
        let before = State::at(&file).unwrap();
        assert_eq!(State::at(&link).unwrap(), before);
        fs::write(&link, "12").unwrap();
        assert_eq!(Node::at(&file).unwrap(), before.node);
        assert_ne!(State::at(&file).unwrap(), before);
        fs::remove_file(&link).unwrap();
        fs::write(&link, "1").unwrap();
        assert_ne!(Node::at(&link).unwrap(), before.node);
    }

    #[test]
    fn a_pipe_is_opened_at_once_and_a_link_only_where_it_may_be() {
        let folder = folder();
        let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RWXU, 0).unwrap();
        symlink("link", &link).unwrap();
        assert!(is_circle(&open_at_once(&link).unwrap_err()) && is_circle(&fs::canonicalize(&link).unwrap_err()));
        fs::remove_file(&link).unwrap();
        symlink("pipe", &link).unwrap();
        assert!(open_stream(&pipe).unwrap().is_none(), "nobody reads it");
        let reader = open_at_once(&link).unwrap();
        assert!(open_itself(&pipe).is_ok() && open_itself(&link).is_err());
        let kind = reader.metadata().unwrap().file_type();
        assert_eq!((is_stream(kind), special(kind)), (true, "a named pipe"));
        let mut writer = open_stream(&pipe).unwrap().unwrap();
        writer.write_all(b"1").unwrap();
        assert!(!rustix::fs::fcntl_getfl(&writer).unwrap().contains(OFlags::NONBLOCK), "a slow reader is waited for");
        let kind = fs::metadata("/dev/null").unwrap().file_type();
        assert_eq!((is_stream(kind), special(kind)), (true, "a device"));
    }

    #[test]
    fn only_the_end_of_a_name_is_cut_off_and_no_letter_changed() {
        let path = |bytes: &'static [u8]| Path::new(OsStr::from_bytes(bytes));
        assert_eq!(without_suffix(path(b"a\xff-log"), "-log"), Some(path(b"a\xff")));
        assert_eq!(without_suffix(path(b"a-log.db"), "-log"), None);
    }
}
