//! Files that an owner's directories have in common: the same bytes are read once.

use crate::error::Result;
use crate::finding::{FILE_DIVERGED, FILE_FOLDED, Finding, printable};
use crate::import::pipeline::Files;
use crate::import::plan::{Disposition, Plan};
use crate::import::run::Import;
use crate::mapping::model::{Pattern, PatternSegment};
use crate::source;
use std::collections::HashMap;

impl Import<'_> {
    /// A file of the same bytes as the one of the same path below the owner's other directory is
    /// read once; one of other bytes is a warning that names both, and both are read.
    pub(crate) fn fold_aliases(&mut self, files: &mut Files) -> Result<()> {
        let directory = |file: &usize| self.plan.directory_of(*file);
        let mut all = files.values().flatten();
        let first = all.next().and_then(directory);
        if all.all(|file| directory(file) == first) {
            return Ok(()); // as most owners have one directory
        }
        for of_mapping in files.values_mut() {
            let mut kept: HashMap<String, Vec<usize>> = HashMap::new();
            let mut stay = Vec::new();
            for file in of_mapping.iter().copied() {
                self.heed_signals()?;
                let twins = kept.entry(inner_path(self.plan, file)).or_default();
                let other_directory = |twin: &&usize| self.plan.directory_of(**twin) != self.plan.directory_of(file);
                let others: Vec<usize> = twins.iter().filter(other_directory).copied().collect();
                match others.iter().find(|twin| self.same_bytes(**twin, file)) {
                    Some(twin) => self.fold(file, *twin),
                    None => {
                        others.first().iter().for_each(|other| self.diverged(file, **other));
                        twins.push(file);
                        stay.push(file);
                    }
                }
            }
            *of_mapping = stay;
        }
        Ok(())
    }

    /// Most files have no twin; the bytes of those of another size are not read for this.
    fn same_bytes(&self, one: usize, other: usize) -> bool {
        let files = &self.plan.tree.files;
        let digest = |file: usize| source::digest_of(&files[file]);
        files[one].bytes == files[other].bytes && digest(one).is_some_and(|one| digest(other) == Some(one))
    }

    fn fold(&mut self, file: usize, twin: usize) {
        let files = &self.plan.tree.files;
        let reason = format!("the same bytes as {}", files[twin].path);
        self.files[file].ignore("alias copies", &reason);
        self.findings.push(Finding::new(&FILE_FOLDED, reason).at(files[file].place(0)).about("owners"));
    }

    fn diverged(&mut self, file: usize, other: usize) {
        let name = |file: usize| printable(&self.plan.directory_of(file).unwrap_or_default());
        let inner = printable(&inner_path(self.plan, file));
        let message = format!(
            "the owner's directories `{}` and `{}` hold different versions of `{inner}`",
            name(other),
            name(file)
        );
        let files = &self.plan.tree.files;
        let finding = Finding::new(&FILE_DIVERGED, message).at(files[file].place(0)).also(Some(files[other].place(0)));
        self.findings.push(finding.about("owners"));
    }
}

/// The path of a file inside its owner's directory.
pub(crate) fn inner_path(plan: &Plan, file: usize) -> String {
    let path = &plan.tree.files[file].path;
    let Disposition::Mapped { mapping, pattern } = &plan.dispositions[file] else { return path.to_string() };
    let pattern = &plan.set.mappings[*mapping].source.files[*pattern];
    // The directory ends with what the last capture captured.
    let capture = plan.set.owners.as_ref().and_then(|owners| owners.captures.last());
    let captured = capture.and_then(|name| pattern.captures_of(path)?.into_iter().find(|(known, _)| known == name));
    match captured {
        Some((capture, directory)) if plan.directory_of(file).is_some() => below(pattern, capture, directory, path),
        _ => path.to_string(),
    }
}

/// What follows the segment of a path in which a pattern captures, with that segment where it is more
/// than the capture.
fn below(pattern: &Pattern, capture: &str, captured: &str, path: &str) -> String {
    let has_capture = |segment: &PatternSegment| segment.captures().any(|name| name == capture);
    let (parts, segments): (Vec<&str>, _) = (path.split('/').collect(), &pattern.segments);
    let Some(at) = segments.iter().position(has_capture) else { return path.to_owned() };
    let is_any = |segment: &PatternSegment| matches!(segment, PatternSegment::Any);
    // `**` takes any number of segments: the place is counted from the side that has none.
    let place = if !segments[..at].iter().any(is_any) {
        Some(at)
    } else if !segments[at..].iter().any(is_any) {
        (parts.len() + at).checked_sub(segments.len())
    } else {
        parts.iter().position(|part| *part == captured)
    };
    let Some((segment, inside)) = place.and_then(|place| parts.get(place..)).and_then(|rest| rest.split_first()) else {
        return path.to_owned();
    };
    if *segment == captured {
        return inside.join("/");
    }
    let own = segment.replacen(captured, &format!("{{{capture}}}"), 1);
    std::iter::once(own.as_str()).chain(inside.iter().copied()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::model::PatternPiece;

    #[test]
    fn the_path_inside_a_directory_is_counted_by_the_pattern_and_not_by_names() {
        let capture = |name: &str| PatternSegment::Mixed(vec![PatternPiece::Capture(name.to_owned())]);
        let literal = |text: &str| PatternSegment::Literal(text.to_owned());
        let below = |segments: Vec<PatternSegment>, captured: &str, path: &str| {
            below(&Pattern { text: String::new(), segments }, "owner", captured, path)
        };
        let file = || literal("a.json");
        assert_eq!(below(vec![literal("of"), capture("owner"), file()], "of", "of/of/a.json"), "a.json");
        let deep = vec![PatternSegment::Any, capture("owner"), file()];
        assert_eq!(below(deep, "x", "x/y/x/a.json"), "a.json");
        let mixed = PatternSegment::Mixed(vec![
            PatternPiece::Capture("owner".to_owned()),
            PatternPiece::Literal("-notes.json".to_owned()),
        ]);
        assert_eq!(below(vec![literal("of"), mixed], "ann", "of/ann-notes.json"), "{owner}-notes.json");
    }
}
