//! What becomes of a value that is missing, null, empty or faulty.

use super::keys;
use super::tree::Fields;
use crate::mapping::model::{Policies, Policy};

/// The policies of a column or an item.
pub(super) fn policies(fields: &Fields<'_>) -> Policies {
    let policy = |name: &str| fields.variant(name, &keys::POLICY);
    let mut policies = Policies {
        missing: policy("on_missing"),
        absent: policy("on_absent"),
        empty: policy("on_empty"),
        error_null: fields.get("on_error").and_then(|item| item.word(&keys::ON_ERROR)) == Some("null"),
        default: fields.get("default").and_then(|item| item.literal()),
    };
    // `default` alone is for a value that the source does not give.
    if policies.default.is_some() && policies.missing.is_none() && policies.absent.is_none() {
        policies.absent = Some(Policy::Default);
    }
    let uses = [policies.missing, policies.absent, policies.empty].contains(&Some(Policy::Default));
    match fields.get("default") {
        Some(item) if !uses => {
            item.refuse_with("nothing uses `default`", "add `on_absent = \"default\"` or a like policy");
        }
        None if uses => fields.item.refuse(format!("`{}` has no `default` for its policy", fields.item.name)),
        _ => {}
    }
    policies
}
