//! `like`: what a rule takes over of another one of its mapping.

use super::keys;
use super::tree::{Fields, Item};
use crate::mapping::{codes, suggest};

/// The tables of a rule that are taken over entry by entry, where both rules write the same table.
const TABLES: [&str; 2] = ["columns", "drop"];

/// A rule's table with what it takes over.
pub(super) struct RuleFields<'d> {
    /// Its own entries, then those of the rules that it is like.
    pub(super) fields: Fields<'d>,
    /// The table that it writes into.
    pub(super) into: String,
    /// Whether all of what it is like was found.
    pub(super) is_whole: bool,
}

/// The table of a rule among those of its mapping.
pub(super) fn rule_fields<'d>(item: Item<'d>, rules: &[Item<'d>], outer: &mut Vec<&'d str>) -> Option<RuleFields<'d>> {
    let fields = item.fields(&[&keys::RULE])?;
    let own = fields.text("into");
    let Some(like) = fields.get("like") else {
        return Some(RuleFields { fields, into: own.unwrap_or_else(|| item.name.to_owned()), is_whole: true });
    };
    outer.push(item.name);
    let base = like.text().and_then(|name| base(like, name, rules, outer));
    outer.pop();
    Some(match base {
        None => RuleFields { fields, into: own.unwrap_or_else(|| item.name.to_owned()), is_whole: false },
        Some(base) => {
            let is_same_table = own.as_ref().is_none_or(|into| *into == base.into);
            let tables: &[&str] = if is_same_table { &TABLES } else { &[] };
            RuleFields {
                fields: fields.taking_over(&base.fields, &TABLES, tables),
                into: own.unwrap_or(base.into),
                is_whole: base.is_whole,
            }
        }
    })
}

fn base<'d>(like: Item<'d>, name: &'d str, rules: &[Item<'d>], outer: &mut Vec<&'d str>) -> Option<RuleFields<'d>> {
    if outer.contains(&name) {
        // Each circle is reported once, at the first of its names.
        if outer[0] == name && outer.iter().min() == Some(&name) {
            let circle: Vec<_> = outer.iter().map(|rule| format!("`{rule}`")).collect();
            let message = format!("rule {} is like `{name}`: a rule cannot be like itself", circle.join(" is like "));
            like.refuse_as(&codes::SELF_MADE, message, None);
        }
        return None;
    }
    let Some(base) = rules.iter().find(|rule| rule.name == name) else {
        let names = rules.iter().map(|rule| rule.name).filter(|rule| !outer.contains(rule));
        let message = format!("there is no rule `{name}` in this mapping");
        like.refuse_as(&codes::NAME_UNKNOWN, message, suggest::hint(name, names));
        return None;
    };
    rule_fields(*base, rules, outer)
}
