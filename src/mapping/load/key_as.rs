//! `key_as`: what the member names that `.*` matches are called.

use super::tree::Item;
use crate::document::tape::{Segment, Selection};

/// The names that `key_as` gives.
pub(super) fn names_of(item: Item<'_>) -> Vec<String> {
    if item.is_list() { item.strings() } else { item.text().map(str::to_owned).into_iter().collect() }
}

/// `key_as` names what `.*` matches: the last of them, or in a list all of them.
pub(super) fn check_key_as(item: Item<'_>, names: &[String], selections: &[&Selection]) {
    let stars = |selection: &&Selection| selection.0.iter().filter(|step| **step == Segment::Members).count();
    for (selection, stars) in selections.iter().map(|selection| (selection, stars(selection))) {
        if item.is_list() && stars != names.len() {
            let message = format!("`key_as` lists {}, and `{selection}` has {stars} `.*`", names.len());
            item.refuse_with(message, "a list names the members of every `.*`, in order; a string those of the last");
        }
    }
    if !item.is_list() && selections.iter().all(|selection| stars(selection) == 0) {
        item.refuse_with("`key_as` has no effect without a `.*`", "it names what the last `.*` matched");
    }
}
