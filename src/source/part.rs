//! A part of a tree, for who needs no more of it.

use super::walk::Tree;
use crate::finding::{FileId, Finding, Place};
use std::collections::{BTreeSet, HashMap};

impl Tree {
    /// The tree with these files alone, by their numbers in order, and the directories that they lie in; with what was
    /// skipped, and with what was found that is not about another file.
    pub fn part(&self, files: &[usize]) -> Tree {
        let number = |at: usize| FileId(u32::try_from(at).unwrap_or(u32::MAX)); // no more than there were
        let new: HashMap<FileId, FileId> =
            files.iter().enumerate().map(|(at, file)| (self.files[*file].id, number(at))).collect();
        let moved = |place: Option<Place>| match place {
            None => Some(None),
            Some(place) => new.get(&place.file).map(|file| Some(Place { file: *file, ..place })),
        };
        let findings = self.findings.iter().cloned().filter_map(|finding| {
            let (place, also) = (moved(finding.place)?, moved(finding.also)?);
            Some(Finding { place, also, ..finding })
        });
        let files: Vec<_> = files.iter().map(|file| self.files[*file].clone()).collect();
        let files: Vec<_> = files.into_iter().enumerate().map(|(at, file)| file.numbered(number(at))).collect();
        let above =
            |path: &str| -> Vec<String> { path.match_indices('/').map(|(end, _)| path[..end].to_owned()).collect() };
        let kept: BTreeSet<String> = files.iter().flat_map(|file| above(&file.path)).collect();
        Tree {
            root: self.root.clone(),
            directories: self.directories.iter().filter(|directory| kept.contains(&***directory)).cloned().collect(),
            files,
            findings: findings.collect(),
            case_twins: self.case_twins.iter().filter_map(|(a, b)| Some((*new.get(a)?, *new.get(b)?))).collect(),
            skipped: self.skipped.clone(),
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
