//! Walks a tree: every regular file, and a finding for everything else.

use super::read::{Base, SourceFile};
use crate::error::{Error, Result};
use crate::finding::{
    FILE_CASE_TWINS, FILE_FORM_TWINS, FILE_NAME, FILE_OUTSIDE, FILE_SIBLING, FILE_SPECIAL, FILE_SYMLINK,
    FILE_UNREADABLE, FileId, Finding, Severity, printable,
};
use crate::fold;
use crate::platform;
use crate::shared::Shared;
use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walkdir::{DirEntry, WalkDir};

/// The contents of a folder.
#[derive(Debug)]
pub struct Tree {
    /// The folder, as it was named.
    pub root: PathBuf,
    /// The regular files whose names are fit for use, sorted by the bytes of their paths; a
    /// [`FileId`] is a position in it.
    pub files: Vec<SourceFile>,
    /// The directories below the root whose names are fit for use, sorted likewise, empty ones included.
    pub directories: Vec<Shared>,
    /// Findings about `files`.
    pub findings: Vec<Finding>,
    /// The files of one directory that differ in case only, each with the first such.
    pub case_twins: Vec<(FileId, FileId)>,
    /// Everything else in it, sorted by path.
    pub skipped: Vec<Skipped>,
}

/// Something of the tree that is not read, or not even a file.
#[derive(Debug, Clone)]
pub struct Skipped {
    /// Its path below the root, with `/` between segments; what is not printable is escaped.
    pub path: String,
    /// Why. It has no place; its message names the path.
    pub finding: Finding,
    /// Of a link that ends outside the tree or nowhere: the folder beside it that has the name of its target,
    /// as when a tree was copied whose links have absolute paths.
    pub twin: Option<String>,
}

/// Endings of copies that programs leave beside the file they write.
const LEFT_OVER: [&str; 4] = [".tmp", ".new", ".bak", ".previous"];

/// The paths of so many files and directories are kept together.
const TOGETHER: usize = 1024;

/// Lists a tree. Symbolic links are not followed, and nothing is opened but directories.
///
/// # Errors
/// When the root is not a readable directory. Everything below it is a finding at most.
pub fn walk(root: &Path) -> Result<Tree> {
    let absolute = readable(root)?;
    let mut walk = Walk::new(root, &absolute);
    // By their names: entries of one directory have all before that in common.
    let by_name = |a: &DirEntry, b: &DirEntry| a.path().as_os_str().cmp(b.path().as_os_str());
    for entry in WalkDir::new(&absolute).min_depth(1).follow_links(false).sort_by(by_name) {
        match entry {
            Ok(entry) => walk.take(&entry),
            Err(error) => walk.take_error(&error),
        }
    }
    let mut tree = walk.tree();
    tree.files.shrink_to_fit();
    // No two paths are the same, and a stable sort would take as much memory again.
    tree.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    for (number, file) in tree.files.iter_mut().enumerate() {
        file.id = FileId(
            u32::try_from(number)
                .map_err(|_| Error::environment("the tree has more than 2³² files").at(root.display()))?,
        );
    }
    tree.directories.sort_unstable();
    tree.find_twins();
    tree.find_left_overs();
    tree.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(tree)
}

/// The root without links in it, if it is a directory that can be read.
pub fn readable(root: &Path) -> Result<PathBuf> {
    let shown = || printable(&root.to_string_lossy());
    let failed = |error: std::io::Error| {
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => "the source does not exist".to_owned(),
            std::io::ErrorKind::NotADirectory => "the source is not a directory".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied to read the source".to_owned(),
            _ => format!("the source cannot be read: {error}"),
        };
        Error::environment(message).at(shown()).hint("give the folder that holds the tree")
    };
    let absolute = std::fs::canonicalize(root).map_err(failed)?;
    std::fs::read_dir(&absolute).map_err(failed)?;
    Ok(absolute)
}

/// A walk on its way.
struct Walk<'r> {
    /// The root without links in it.
    root: &'r Path,
    base: Arc<Base>,
    /// Files and directories whose paths are not kept yet: they are kept many together.
    files: Vec<(String, Metadata)>,
    directories: Vec<String>,
    tree: Tree,
}

impl<'r> Walk<'r> {
    fn new(root: &Path, absolute: &'r Path) -> Self {
        let tree = Tree {
            root: root.to_owned(),
            files: Vec::new(),
            directories: Vec::new(),
            findings: Vec::new(),
            case_twins: Vec::new(),
            skipped: Vec::new(),
        };
        // No file is on device 0: the first one brings its own.
        let base = Base::new(absolute, 0);
        Self { root: absolute, base, files: Vec::new(), directories: Vec::new(), tree }
    }

    fn take(&mut self, entry: &DirEntry) {
        let path = below(entry.path(), self.root);
        let kind = entry.file_type();
        let fit = fit(path);
        let is_fit = fit.is_some();
        let shown = fit.map_or_else(|| escaped(path), str::to_owned);
        if kind.is_dir() {
            if !is_fit && self::fit(Path::new(entry.file_name())).is_none() {
                self.tree.skip(shown, &FILE_NAME, "unusable directory name (not UTF-8, or with control characters)");
            } else if is_fit {
                if Path::new(entry.file_name()).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
                    self.tree.skip(shown.clone(), &FILE_SPECIAL, "a directory, although it is named like a file");
                }
                self.directories.push(shown);
            }
        } else if kind.is_symlink() {
            let (code, what) = classify_link(entry.path(), self.root);
            self.tree.skip(shown, code, what);
            if let (Some(link), Some(twin)) = (self.tree.skipped.last_mut(), folder_beside(entry.path())) {
                link.twin = Some(self::shown(below(&twin, self.root))).filter(|_| *code == FILE_OUTSIDE);
            }
        } else if !kind.is_file() {
            self.tree.skip(shown, &FILE_SPECIAL, &format!("{}, not a regular file", platform::special(kind)));
        } else if !is_fit {
            self.tree.skip(
                shown,
                &FILE_NAME,
                "unusable name of the file or of a parent directory (not UTF-8, or with control characters)",
            );
        } else {
            match entry.metadata().map_err(std::io::Error::from) {
                Ok(metadata) => self.files.push((shown, metadata)),
                Err(error) => self.tree.skip(shown, &FILE_UNREADABLE, &cause(Some(&error))),
            }
        }
        if self.files.len() + self.directories.len() >= TOGETHER {
            self.keep();
        }
    }

    fn take_error(&mut self, error: &walkdir::Error) {
        let path = error.path().map_or_else(|| ".".to_owned(), |path| shown(below(path, self.root)));
        self.tree.skip(path, &FILE_UNREADABLE, &cause(error.io_error()));
    }

    /// Keeps the files and directories that were found since it last did.
    fn keep(&mut self) {
        let (paths, metadata): (Vec<String>, Vec<Metadata>) = self.files.drain(..).unzip();
        let files = Shared::all_of(&paths).into_iter().zip(metadata);
        let files = files.map(|(path, metadata)| SourceFile::new(FileId(0), &mut self.base, path, &metadata));
        self.tree.files.extend(files);
        self.tree.directories.extend(Shared::all_of(&self.directories));
        self.directories.clear();
    }

    /// What was found.
    fn tree(mut self) -> Tree {
        self.keep();
        self.tree
    }
}

impl Tree {
    fn skip(&mut self, path: String, code: &'static crate::finding::Code, what: &str) {
        let finding = Finding::new(code, format!("`{path}`: {what}"));
        self.skipped.push(Skipped { path, finding, twin: None });
    }

    /// Names of one directory that differ in upper and lower case only. Two such directories are a
    /// warning, because they may be intended: their files have different paths.
    fn find_twins(&mut self) {
        let files = twins_of(self.files.len(), |at| &self.files[at].path);
        for (file, twin) in files.into_iter().map(|(at, twin)| (&self.files[at], &self.files[twin])) {
            let finding = twins(&file.path, &twin.path).at(file.place(0));
            if finding.code == &FILE_CASE_TWINS {
                self.case_twins.push((file.id, twin.id));
            }
            self.findings.push(finding);
        }
        for (at, twin) in twins_of(self.directories.len(), |at| &self.directories[at]) {
            let path = self.directories[at].to_string();
            let finding = twins(&path, &self.directories[twin]).weighing(Severity::Warning);
            self.skipped.push(Skipped { path, finding, twin: None });
        }
    }

    /// Copies beside the file they belong to.
    fn find_left_overs(&mut self) {
        let mut found = Vec::new();
        for copy in &self.files {
            let originals = LEFT_OVER.iter().enumerate().filter_map(|(ending, text)| {
                let path = copy.path.strip_suffix(text)?;
                let original = self.files.binary_search_by(|file| (*file.path).cmp(path)).ok()?;
                Some((original, ending, copy))
            });
            found.extend(originals);
        }
        found.sort_by_key(|(original, ending, _)| (*original, *ending));
        let finding = |(original, _, copy): (usize, usize, &SourceFile)| {
            let original = &self.files[original];
            let message = format!("`{}` lies beside `{}`", copy.path, original.path);
            Finding::new(&FILE_SIBLING, message).at(original.place(0))
        };
        let findings: Vec<Finding> = found.into_iter().map(finding).collect();
        self.findings.extend(findings);
    }
}

/// The positions of sorted paths that differ from an earlier one of their directory in case or Unicode normal form
/// only, each with the position of the first such.
fn twins_of<'p>(paths: usize, path: impl Fn(usize) -> &'p str) -> Vec<(usize, usize)> {
    let split = |at: &u32| path(*at as usize).rsplit_once('/').unwrap_or(("", path(*at as usize)));
    let mut by_directory: Vec<u32> = (0..).take(paths).collect();
    by_directory.sort_by(|a, b| split(a).0.cmp(split(b).0));
    let mut found = Vec::new();
    for directory in by_directory.chunk_by(|a, b| split(a).0 == split(b).0).filter(|of| of.len() > 1) {
        let mut first = HashMap::with_capacity(directory.len());
        for at in directory {
            let twin = *first.entry(fold::case(&fold::canonical(split(at).1))).or_insert(*at);
            if twin != *at {
                found.push((*at as usize, twin as usize));
            }
        }
    }
    found.sort_unstable();
    found
}

fn twins(path: &str, twin: &str) -> Finding {
    if fold::canonical(path) == fold::canonical(twin) {
        let message = format!("`{path}` and `{twin}` look the same and differ in their Unicode normal form");
        return Finding::new(&FILE_FORM_TWINS, message);
    }
    Finding::new(&FILE_CASE_TWINS, format!("`{path}` and `{twin}` differ only in case"))
}

fn below<'a>(path: &'a Path, root: &Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

/// A path or name, where it can be used in messages, patterns and keys as it is.
fn fit(path: &Path) -> Option<&str> {
    // Control characters of ASCII alone are found much sooner, and most names are ASCII.
    let is_fit = |path: &&str| {
        if path.is_ascii() {
            !path.bytes().fold(false, |found, byte| found | byte.is_ascii_control())
        } else {
            !path.chars().any(char::is_control)
        }
    };
    path.to_str().filter(is_fit)
}

/// The path with everything escaped that is not printable or not UTF-8.
fn shown(path: &Path) -> String {
    fit(path).map_or_else(|| escaped(path), str::to_owned)
}

fn escaped(path: &Path) -> String {
    let mut shown = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        shown.push_str(&printable(chunk.valid()));
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

/// The folder beside a symbolic link that has the name of the link's target.
fn folder_beside(link: &Path) -> Option<PathBuf> {
    let folder = link.with_file_name(std::fs::read_link(link).ok()?.file_name()?);
    std::fs::symlink_metadata(&folder).ok()?.is_dir().then_some(folder)
}

/// What a symbolic link is, by where it ends.
fn classify_link(link: &Path, root: &Path) -> (&'static crate::finding::Code, &'static str) {
    match std::fs::canonicalize(link) {
        Ok(target) if link.starts_with(&target) => (&FILE_OUTSIDE, "a symbolic link to one of its parent directories"),
        Ok(target) if target.starts_with(root) => {
            (&FILE_SYMLINK, "a symbolic link, not followed; its target is read in its own place")
        }
        Ok(_) => (&FILE_OUTSIDE, "a symbolic link to a target outside the tree"),
        Err(error) => match error.kind() {
            std::io::ErrorKind::NotFound => (&FILE_OUTSIDE, "a dangling symbolic link"),
            std::io::ErrorKind::PermissionDenied => (&FILE_OUTSIDE, "permission denied to resolve the symbolic link"),
            _ if platform::is_circle(&error) => (&FILE_OUTSIDE, "a cycle of symbolic links"),
            _ => (&FILE_OUTSIDE, "a symbolic link that cannot be resolved"),
        },
    }
}

/// The system's reason.
fn cause(error: Option<&std::io::Error>) -> String {
    match error {
        Some(error) if error.kind() == std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        Some(error) => {
            // `walkdir` puts the path before the system's message.
            let own = error.raw_os_error().map(std::io::Error::from_raw_os_error);
            own.map_or_else(|| error.kind().to_string(), |own| own.to_string())
        }
        None => "it cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(files: &[&str]) -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            for file in files {
                let path = folder.path(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, file).unwrap();
            }
            folder
        }

        fn path(&self, below: &str) -> PathBuf {
            self.0.path().join(below)
        }

        fn walk(&self) -> Tree {
            walk(self.0.path()).unwrap()
        }
    }

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.files.iter().map(|file| &*file.path).collect()
    }

    fn skipped(tree: &Tree) -> Vec<(&str, &str)> {
        tree.skipped.iter().map(|skipped| (skipped.path.as_str(), skipped.finding.code.id)).collect()
    }

    fn found(tree: &Tree) -> Vec<(&str, &str)> {
        let path = |finding: &Finding| &*tree.files[finding.place.unwrap().file.0 as usize].path;
        tree.findings.iter().map(|finding| (path(finding), finding.code.id)).collect()
    }

    #[test]
    fn files_are_numbered_by_the_bytes_of_their_paths() {
        let folder = Folder::new(&["a/b.json", "a.json", "a-b.json", "Z.json", "ä/ö.json"]);
        fs::create_dir(folder.path("empty")).unwrap();
        let tree = folder.walk();
        assert_eq!(paths(&tree), ["Z.json", "a-b.json", "a.json", "a/b.json", "ä/ö.json"]);
        assert_eq!(tree.files.iter().map(|file| file.id.0).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(tree.files.iter().map(|file| file.bytes).collect::<Vec<_>>(), [6, 8, 6, 8, 10]);
        assert_eq!(tree.directories, ["a", "empty", "ä"]);
        assert!(tree.findings.is_empty() && tree.skipped.is_empty());
        for file in &tree.files {
            assert_eq!(fs::read_to_string(file.absolute()).unwrap(), *file.path);
        }
    }

    #[test]
    fn links_are_classified_by_their_target_and_never_followed() {
        let outside = Folder::new(&["secret.json"]);
        let folder = Folder::new(&["a/b.json"]);
        symlink("a/b.json", folder.path("inside")).unwrap();
        symlink("a", folder.path("alias")).unwrap();
        symlink(outside.path("secret.json"), folder.path("outside.json")).unwrap();
        symlink(outside.0.path(), folder.path("outside")).unwrap();
        symlink("nothing", folder.path("dangling")).unwrap();
        symlink("circle", folder.path("circle")).unwrap();
        symlink("..", folder.path("a/up")).unwrap();
        let tree = folder.walk();
        assert_eq!(paths(&tree), ["a/b.json"]);
        assert_eq!(tree.directories, ["a"]);
        assert_eq!(
            skipped(&tree),
            [
                ("a/up", "F008"),
                ("alias", "F007"),
                ("circle", "F008"),
                ("dangling", "F008"),
                ("inside", "F007"),
                ("outside", "F008"),
                ("outside.json", "F008"),
            ]
        );
    }

    #[test]
    fn a_link_out_of_the_tree_names_the_folder_beside_it_that_its_target_is_called() {
        let outside = Folder::new(&["ann/a.json"]);
        let folder = Folder::new(&["people/ann/a.json", "people/b.json", "ann/c.json"]);
        symlink(outside.path("ann"), folder.path("people/there")).unwrap();
        symlink("/gone/people/ann/", folder.path("people/gone")).unwrap();
        symlink("/gone/people/bob", folder.path("people/other")).unwrap();
        symlink("/gone/b.json", folder.path("people/file")).unwrap();
        symlink("ann", folder.path("people/inside")).unwrap();
        symlink("/gone/people/self", folder.path("people/self")).unwrap();
        symlink("/gone/people/ann", folder.path("up")).unwrap();
        let tree = folder.walk();
        let twins: Vec<_> = tree.skipped.iter().map(|link| (link.path.as_str(), link.twin.as_deref())).collect();
        assert_eq!(
            twins,
            [
                ("people/file", None),
                ("people/gone", Some("people/ann")),
                ("people/inside", None),
                ("people/other", None),
                ("people/self", None),
                ("people/there", Some("people/ann")),
                ("up", Some("ann")),
            ]
        );
        assert_eq!(paths(&tree), ["ann/c.json", "people/ann/a.json", "people/b.json"]);
    }

    #[test]
    fn special_files_are_reported_and_never_opened() {
        let folder = Folder::new(&["a.json/b.json", "c"]);
        mknodat(CWD, folder.path("pipe.json"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path("socket")).unwrap();
        let tree = folder.walk();
        assert_eq!(paths(&tree), ["a.json/b.json", "c"]);
        assert_eq!(skipped(&tree), [("a.json", "F006"), ("pipe.json", "F006"), ("socket", "F006")]);
        assert_eq!(tree.skipped[1].finding.message, "`pipe.json`: a named pipe, not a regular file");
        assert_eq!(tree.skipped[1].finding.place, None);
    }

    #[test]
    fn unusable_names_are_shown_escaped() {
        let folder = Folder::new(&["line\nfeed.json", "bad\ndir/a.json", "fine/a.json"]);
        fs::write(folder.0.path().join(OsStr::from_bytes(b"\xff\x1b.json")), "1").unwrap();
        let tree = folder.walk();
        assert_eq!(paths(&tree), ["fine/a.json"]);
        assert_eq!(tree.directories, ["fine"]);
        assert_eq!(
            skipped(&tree),
            [
                ("\\xff\\u{1b}.json", "F009"),
                ("bad\\u{a}dir", "F009"),
                ("bad\\u{a}dir/a.json", "F009"),
                ("line\\u{a}feed.json", "F009"),
            ]
        );
    }

    #[test]
    fn names_that_differ_in_case_only_are_twins() {
        let folder = Folder::new(&["d/a.json", "d/A.json", "d/Ä", "d/ä", "e/A.json", "D/a.json"]);
        let tree = folder.walk();
        assert_eq!(found(&tree), [("d/a.json", "F010"), ("d/ä", "F010")]);
        assert_eq!(skipped(&tree), [("d", "F010")]);
        assert_eq!(tree.skipped[0].finding.severity, Severity::Warning);
    }

    #[test]
    fn twins_are_told_of_the_first_of_their_directory_in_the_order_of_the_paths() {
        let sorted = ["A", "a", "a-/X", "a-/x", "a/B", "a/C", "a/b", "a/c", "a/\u{e9}", "b", "\u{e9}"];
        assert_eq!(twins_of(sorted.len(), |at| sorted[at]), [(1, 0), (3, 2), (6, 4), (7, 5)]);
        let others = ["STRASSE", "Stra\u{df}e", "a/e\u{301}", "a/\u{e9}"];
        assert_eq!(twins_of(others.len(), |at| others[at]), [(1, 0), (3, 2)]);
    }

    #[test]
    fn copies_that_were_left_over_are_told_with_the_file_they_belong_to() {
        let folder =
            Folder::new(&["a.json", "a.json.tmp", "a.json.bak", "b.json.new", "c", "c.previous", "d/a.json.new"]);
        assert_eq!(found(&folder.walk()), [("a.json", "F011"), ("a.json", "F011"), ("c", "F011")]);
    }

    #[test]
    fn long_paths_are_walked_and_read() {
        let segment = "n".repeat(200);
        let long = vec![segment.as_str(); 15].join("/") + "/a.json";
        let folder = Folder::new(&[&long]);
        let tree = folder.walk();
        assert_eq!(paths(&tree), [long.as_str()]);
        assert_eq!(fs::read_to_string(tree.files[0].absolute()).unwrap(), long);
    }

    #[test]
    fn a_root_that_cannot_be_read_is_an_error_that_names_it() {
        let folder = Folder::new(&["file"]);
        for (path, message) in [("file", "the source is not a directory"), ("none", "the source does not exist")] {
            let error = walk(&folder.path(path)).unwrap_err();
            assert_eq!((error.status(), error.message.as_str()), (3, message));
            assert_eq!(error.place, Some(folder.path(path).display().to_string()));
        }
    }

    #[test]
    fn a_root_may_be_a_link() {
        let folder = Folder::new(&["real/a.json"]);
        symlink("real", folder.path("link")).unwrap();
        symlink("a.json", folder.path("real/b.json")).unwrap();
        let tree = walk(&folder.path("link")).unwrap();
        assert_eq!((paths(&tree), skipped(&tree)), (vec!["a.json"], vec![("b.json", "F007")]));
    }
}
