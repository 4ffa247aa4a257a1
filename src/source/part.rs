//! A part of a tree, for who needs no more of it.

use super::walk::Tree;
use crate::finding::FileId;
use std::collections::BTreeSet;

impl Tree {
    /// The tree with these files alone, by their numbers in order, and the directories that they lie in. Nothing is
    /// said of what was skipped.
    pub fn part(&self, files: &[usize]) -> Tree {
        let number = |at: usize| FileId(u32::try_from(at).unwrap_or(u32::MAX)); // no more than there were
        let files: Vec<_> = files.iter().map(|file| self.files[*file].clone()).collect();
        let files: Vec<_> = files.into_iter().enumerate().map(|(at, file)| file.numbered(number(at))).collect();
        let above =
            |path: &str| -> Vec<String> { path.match_indices('/').map(|(end, _)| path[..end].to_owned()).collect() };
        let kept: BTreeSet<String> = files.iter().flat_map(|file| above(&file.path)).collect();
        Tree {
            root: self.root.clone(),
            directories: self.directories.iter().filter(|directory| kept.contains(*directory)).cloned().collect(),
            files,
            findings: Vec::new(),
            skipped: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::walk::walk;

    #[test]
    fn a_part_of_a_tree_is_a_tree() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a/1.json", "a/2.json", "b/c/3.json", "d.json"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, "{}").expect("written");
        }
        let part = walk(folder.path()).expect("walked").part(&[1, 2]);
        let files: Vec<(u32, &str)> = part.files.iter().map(|file| (file.id.0, &*file.path)).collect();
        assert_eq!(files, [(0, "a/2.json"), (1, "b/c/3.json")]);
        assert_eq!(part.directories, ["a", "b", "b/c"]);
    }
}
