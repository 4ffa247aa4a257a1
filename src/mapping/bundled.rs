//! The mapping sets that are part of the program.

use crate::error::{Error, Result};
use crate::mapping::load::{self, SetSource};
use crate::mapping::model::Set;
use crate::mapping::suggest;
use std::path::{Path, PathBuf};

/// A set of `mappings/` as it was when the program was built.
#[derive(Debug, Clone, Copy)]
pub struct BundledSet {
    /// Its folder's name, by which `--mappings` chooses it.
    pub name: &'static str,
    /// Relative names and texts.
    pub files: &'static [(&'static str, &'static str)],
}

impl BundledSet {
    /// The set's files, ready to be loaded.
    pub fn source(&self) -> SetSource {
        self.source_of(|_| true)
    }

    /// What its `set.toml` says alone, such as which trees it recognises. Errors of the set are reported when it is
    /// checked.
    fn head(&self) -> Result<Set> {
        Ok(load::read(&self.source_of(|name| name == "set.toml"))?.0)
    }

    fn source_of(&self, is_wanted: impl Fn(&str) -> bool) -> SetSource {
        let files = self.files.iter().filter(|(name, _)| is_wanted(name));
        let files = files.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        SetSource::Files { folder: format!("mappings/{}", self.name), files }
    }
}

/// The folders of `mappings/`, as `build.rs` found them.
static SETS: &[BundledSet] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Every bundled set.
pub fn sets() -> &'static [BundledSet] {
    SETS
}

/// The bundled set of this name.
pub fn find(name: &str) -> Option<SetSource> {
    SETS.iter().find(|set| set.name == name).map(BundledSet::source)
}

/// What `--mappings` names: a bundled set, else a folder (`./name` for one that is called like a set).
pub fn resolve(name_or_dir: &str) -> Result<SetSource> {
    if let Some(set) = find(name_or_dir) {
        return Ok(set);
    }
    let folder = Path::new(name_or_dir);
    if folder.is_dir() {
        return Ok(SetSource::Folder(folder.to_owned()));
    }
    let error = Error::request(format!("`{name_or_dir}` is neither a bundled mapping set nor a directory"));
    Err(error.hint(suggest::hint(name_or_dir, SETS.iter().map(|set| set.name))))
}

/// What `--mappings` names, else every bundled set.
pub fn named_or_all(name_or_dir: Option<&str>) -> Result<Vec<SetSource>> {
    match name_or_dir {
        Some(name) => Ok(vec![resolve(name)?]),
        None => Ok(SETS.iter().map(BundledSet::source).collect()),
    }
}

/// How a command names a set that takes it as an option.
pub const BY_OPTION: &str = "`--mappings SET|DIR`";

/// The bundled set that recognises a source tree, and the folder of the tree that is its import root; `by` says how the
/// command names a set.
pub fn recognise(root: &Path, by: &str) -> Result<Option<(SetSource, PathBuf)>> {
    recognise_among(SETS, root, by)
}

fn recognise_among(sets: &[BundledSet], root: &Path, by: &str) -> Result<Option<(SetSource, PathBuf)>> {
    let mut found: Vec<(&BundledSet, PathBuf)> = Vec::new();
    for set in sets {
        if let Some(import_root) = import_root(&set.head()?, root) {
            found.push((set, import_root));
        }
    }
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(|(set, _)| format!("`{}`", set.name)).collect();
        return Err(Error::request(format!("the mapping sets {} all recognise the tree", suggest::and(&names)))
            .at(root.display())
            .hint(format!("choose one with {by}")));
    }
    Ok(found.pop().map(|(set, import_root)| (set.source(), import_root)))
}

/// The folder of a tree in which a set's own files are all there; `None` when the set does not
/// recognise the tree.
pub fn import_root(set: &Set, root: &Path) -> Option<PathBuf> {
    let recognise = set.recognise.as_ref()?;
    let below = recognise.below.iter().map(|below| if below.is_empty() { root.to_owned() } else { root.join(below) });
    below.into_iter().find(|folder| recognise.files.iter().all(|file| folder.join(file).is_file()))
}

/// The files by which a set recognises a tree and that are missing in the folder that has most of them.
pub fn missing(set: &Set, root: &Path) -> Vec<String> {
    let Some(recognise) = &set.recognise else { return Vec::new() };
    let below = recognise.below.iter().map(|below| {
        let name = |file: &String| if below.is_empty() { file.clone() } else { format!("{below}/{file}") };
        recognise.files.iter().map(name).filter(|file| !root.join(file).is_file()).collect::<Vec<_>>()
    });
    // The first of equals: the source itself comes before its folders.
    below.min_by_key(Vec::len).unwrap_or_default()
}

/// No bundled set recognises the folder: what it lacks, by set; `by` says how the command names one.
pub fn unrecognised(source: &Path, by: &str) -> Error {
    let is_empty = std::fs::read_dir(source).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty {
        return Error::request("the folder is empty, so no bundled mapping set recognises it")
            .at(source.display())
            .hint("check that it is the right folder and that its disk is mounted");
    }
    let lacking = sets().iter().filter_map(|set| {
        let files: Vec<String> = missing(&set.head().ok()?, source).iter().map(|file| format!("`{file}`")).collect();
        Some(format!("`{}` looks for {}", set.name, files.join(" and ")))
    });
    let lacking: Vec<String> = lacking.collect();
    Error::request("no bundled mapping set recognises the tree").at(source.display()).hint(format!(
        "{}; name the right folder, or a set with {by}; `treelift import SOURCE --scaffold DIR` makes a first one",
        lacking.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_every_set_is_bundled() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
        let mut on_disk = Vec::new();
        if folder.is_dir() {
            for entry in walkdir::WalkDir::new(&folder).min_depth(2).sort_by_file_name() {
                let entry = entry.expect("the project's folder can be read");
                let name = entry.path().strip_prefix(&folder).expect("it lies below").to_string_lossy().into_owned();
                if entry.file_type().is_file() && !name.split('/').any(|part| part.starts_with('.')) {
                    on_disk.push(name);
                }
            }
        }
        let mut bundled: Vec<_> =
            SETS.iter().flat_map(|set| set.files.iter().map(|(file, _)| format!("{}/{file}", set.name))).collect();
        bundled.sort();
        on_disk.sort();
        assert_eq!(bundled, on_disk);
    }

    #[test]
    fn every_bundled_set_loads() {
        for set in SETS {
            if let Err(error) = load::load(&set.source()) {
                panic!("{error}");
            }
        }
    }

    #[test]
    fn a_set_says_by_its_own_file_alone_which_trees_it_recognises() {
        for set in SETS {
            let whole = load::load(&set.source()).expect("it loads").recognise;
            assert!(whole.is_some() && set.head().expect("it is a set").recognise == whole, "{}", set.name);
        }
    }

    const NOTES: BundledSet = BundledSet {
        name: "notes",
        files: &[(
            "set.toml",
            "name = \"notes\"\nrecognise = { files = [\"people.json\", \"notes/index.json\"], below = [\"\", \"data\"] }\n",
        )],
    };

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let tree = tempfile::tempdir().expect("a folder for the test");
        for file in files {
            let path = tree.path().join(file);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder for the file");
            std::fs::write(path, "{}").expect("a file for the test");
        }
        tree
    }

    #[test]
    fn a_tree_is_recognised_at_its_root_or_one_folder_above() {
        for (files, below) in [
            (["people.json", "notes/index.json"], Some("")),
            (["data/people.json", "data/notes/index.json"], Some("data")),
            (["people.json", "data/notes/index.json"], None),
        ] {
            let tree = tree(&files);
            let found = recognise_among(&[NOTES], tree.path(), BY_OPTION).expect("the set is sound");
            let expected = below.map(|below| {
                (NOTES.source(), if below.is_empty() { tree.path().to_owned() } else { tree.path().join(below) })
            });
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn two_sets_that_recognise_a_tree_are_refused() {
        let tree = tree(&["people.json", "notes/index.json"]);
        let other = BundledSet { name: "copies", ..NOTES };
        let error = recognise_among(&[NOTES, other], tree.path(), BY_OPTION).expect_err("both recognise it");
        assert_eq!(error.message, "the mapping sets `notes` and `copies` all recognise the tree");
    }

    #[test]
    fn neither_a_set_nor_a_directory_is_refused() {
        let error = resolve("no/such/folder").expect_err("there is none");
        assert_eq!(error.message, "`no/such/folder` is neither a bundled mapping set nor a directory");
        let folder = tempfile::tempdir().expect("a folder for the test");
        let name = folder.path().to_string_lossy().into_owned();
        assert_eq!(resolve(&name).ok(), Some(SetSource::Folder(folder.path().to_owned())));
    }
}
