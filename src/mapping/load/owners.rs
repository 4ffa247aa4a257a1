//! `[owners]` against the file patterns of all mappings.

use super::doc::Doc;
use super::loaded::Loaded;
use crate::mapping::model::{Owners, Root, Set};
use crate::mapping::walk::{self, Read};
use crate::mapping::{codes, suggest};

/// The owner's directory must be a whole segment of some pattern.
pub(super) fn check(set: &Set, loaded: &[Loaded], set_doc: &Doc) {
    let Some(owners) = &set.owners else {
        return;
    };
    let patterns = || {
        loaded
            .iter()
            .flat_map(|one| one.mapping.source.files.iter().zip(&one.pattern_lines).map(move |pair| (one, pair)))
    };
    if loaded.iter().all(|one| one.knows_patterns)
        && !patterns().any(|(_, (pattern, _))| owners.are_captured_by(pattern))
    {
        let captures: Vec<_> = patterns().flat_map(|(_, (pattern, _))| pattern.captures()).collect();
        let message = format!(
            "no file pattern captures `{{{}}}`, so no directory has an owner",
            owners.captures.join("}` and `{")
        );
        set_doc.refuse(
            &codes::OWNERS_WRONG,
            owners.line,
            message,
            suggest::nearest(owners.captures.first().map_or("", String::as_str), captures)
                .map_or_else(|| codes::OWNERS_WRONG.help.to_owned(), suggest::meant),
        );
    }
    for by in owners.compared() {
        walk::expr(&by.expr, &mut |visit| {
            let fits = match visit.read {
                Read::Path(path) | Read::Test(path) => match &path.root {
                    Root::Context(name) => return is_known_of(owners, name, visit.line, set_doc),
                    _ => false,
                },
                Read::Namespace => set.namespace.is_some(),
                Read::Steps(_) => true,
                _ => false,
            };
            if !fits {
                let message = "an owner is found by the directory's name and captures only";
                let hint = "only `#owner` and the captures of `[owners]` can be used here";
                set_doc.refuse(&codes::OWNERS_WRONG, visit.line, message, hint);
            }
        });
    }
}

/// Where an owner is found no more is known than what its directory is called: not what else the patterns of its files
/// capture, which may differ from file to file.
fn is_known_of(owners: &Owners, name: &str, line: u32, set_doc: &Doc) {
    if name == "owner" || owners.captures.iter().any(|capture| capture == name) {
        return;
    }
    let known = owners.captures.iter().map(String::as_str).chain(["owner"]);
    let hint = suggest::nearest(name, known).map_or_else(
        || format!("only `#owner` and the captures of `[owners]` can be used here: add `{name}` to `capture` if it tells directories apart"),
        |meant| format!("did you mean `#{meant}`?"),
    );
    let message = format!("`#{name}` is not known where an owner is found");
    set_doc.refuse(&codes::OWNERS_WRONG, line, message, hint);
}
