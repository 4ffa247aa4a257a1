//! What becomes of a value that is missing, null, empty or faulty.

use super::keys;
use super::tree::Fields;
use crate::mapping::model::{Policies, Policy};

/// The policies of a column or an item.
pub(super) fn policies(fields: &Fields<'_>) -> Policies {
    let policy = |name: &str| fields.variant(name, &keys::POLICY);
    let mut policies = Policies {
        missing: policy("on_missing"),
        null: policy("on_null"),
        empty: policy("on_empty"),
        error_null: fields.get("on_error").and_then(|item| item.word(&keys::ON_ERROR)) == Some("null"),
        default: fields.get("default").and_then(|item| item.literal()),
    };
    // `default` alone is for a value that the source does not give.
    if policies.default.is_some() && policies.missing.is_none() && policies.null.is_none() {
        policies.missing = Some(Policy::Default);
        policies.null = Some(Policy::Default);
    }
    let uses = [policies.missing, policies.null, policies.empty].contains(&Some(Policy::Default));
    match fields.get("default") {
        Some(item) if !uses => {
            item.refuse_with("nothing uses `default`", "add `on_missing = \"default\"` or a like policy");
        }
        None if uses => fields.item.refuse(format!("`{}` has no `default` for its policy", fields.item.name)),
        _ => {}
    }
    policies
}
