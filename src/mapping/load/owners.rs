//! `[owners]` against the file patterns of all mappings.

use super::loaded::Loaded;
use super::tree::Doc;
use crate::mapping::model::{Root, Set};
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
    if !patterns().any(|(_, (pattern, _))| owners.are_captured_by(pattern)) {
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
                .map(|meant| format!("did you mean `{meant}`?")),
        );
    }
    for by in owners.compared() {
        walk::expr(&by.expr, &mut |visit| {
            let fits = match visit.read {
                Read::Path(path) | Read::Test(path) => path.root == Root::Context("owner".to_owned()),
                Read::Namespace => set.namespace.is_some(),
                Read::Steps(_) => true,
                _ => false,
            };
            if !fits {
                let message = "an owner is found by the directory's name only";
                set_doc.refuse(&codes::OWNERS_WRONG, visit.line, message, "only `#owner` can be used here");
            }
        });
    }
}
