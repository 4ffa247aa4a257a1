//! Members that another one calls a secret.

use crate::document::tape::{Kind, NodeRef};
use crate::mapping::secret_values::Labelled;
use crate::mapping::secret_words::looks_secret;

/// Whether a member beside it says that this one is a secret: `{"name": "password", "value": …}`.
pub(super) fn is_labelled(node: NodeRef) -> bool {
    if !node.name().is_some_and(Labelled::is_value) {
        return false;
    }
    // What lies further away is no such pair.
    let nearby = node.id().saturating_sub(LABEL_NEARBY)..node.id();
    let object = nearby.rev().map(|id| node.sibling(id)).find(|other| other.next() > node.id());
    let names = |member: NodeRef| {
        member.kind() == Kind::String && member.name().is_some_and(Labelled::is_label) && looks_secret(member.text())
    };
    object.is_some_and(|object| object.children().take(LABEL_NEARBY as usize).any(names))
}

/// So many leaves away a member is looked for that says what another one is.
const LABEL_NEARBY: u32 = 16;
