//! What becomes of a value that is missing, null, empty or faulty.

use super::keys;
use super::tree::Fields;
use crate::mapping::model::{Policies, Policy};

/// The policies of a column, an item or an entry of `[let]`.
pub(super) fn policies(fields: &Fields<'_>) -> Policies {
    let policy = |name: &str| fields.variant(name, &keys::POLICY);
    let mut policies = Policies {
        missing: policy("on_missing"),
        absent: policy("on_absent"),
        empty: policy("on_empty"),
        error: policy("on_error"),
        dangling: policy("on_dangling"),
        default: fields.get("default").and_then(|item| item.literal()),
    };
    // `default` alone is for a value that the source does not give.
    if policies.default.is_some() && policies.missing.is_none() && policies.absent.is_none() {
        policies.absent = Some(Policy::Default);
    }
    if let Some(item) = fields.get("default")
        && !policies.words().iter().any(|(_, policy)| *policy == Some(Policy::Default))
    {
        item.refuse_with("nothing uses `default`", "add `on_absent = \"default\"` or a like policy");
    }
    policies
}

/// The policies of an item or of an entry of `[let]`: no schema gives it a default.
pub(super) fn inside(fields: &Fields<'_>) -> Policies {
    let policies = policies(fields);
    let asks = policies.words().iter().any(|(_, policy)| *policy == Some(Policy::Default));
    if asks && policies.default.is_none() {
        fields.item.refuse(format!("`{}` has no `default` for its policy", fields.item.name));
    }
    policies
}
