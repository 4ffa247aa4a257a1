//! `[let]` and `[when]`: expressions and conditions that have a name.

use super::expr::{column_of_row, condition, is_row, judged};
use super::known::Named;
use super::tree::{Fields, Item};
use crate::mapping::codes;
use crate::mapping::model::{Expr, Let, PathExpr, Root, Rule};
use crate::mapping::walk::{self, Read};

/// Reads `[when]`, so that conditions that are read later may be a name of it.
pub(super) fn learn_conditions(fields: &Fields<'_>) {
    let entries = fields.entries("when");
    for entry in &entries {
        learn(*entry, &entries, &mut Vec::new());
    }
    fields.item.doc.conditions.borrow_mut().iter_mut().for_each(|named| named.used = false);
}

/// Reads a condition after those that it mentions.
fn learn<'d>(item: Item<'d>, entries: &[Item<'d>], outer: &mut Vec<&'d str>) {
    let doc = item.doc;
    if let Some(at) = outer.iter().position(|name| *name == item.name) {
        let cycle: Vec<_> = outer[at..].iter().map(|name| format!("`{name}`")).collect();
        let message = format!("{} needs `{}`: a condition cannot depend on itself", cycle.join(" needs "), item.name);
        return item.refuse_as(&codes::SELF_MADE, message, None);
    }
    if doc.conditions.borrow().iter().any(|known| known.name == item.name) {
        return;
    }
    let mut needs = Vec::new();
    mentions(item, true, &mut needs);
    outer.push(item.name);
    for needed in entries.iter().filter(|entry| needs.contains(&entry.name)) {
        learn(*needed, entries, outer);
    }
    outer.pop();
    if doc.conditions.borrow().iter().any(|known| known.name == item.name) {
        return; // it stands in a cycle, which was reported
    }
    let cyclic = entries.iter().any(|entry| needs.contains(&entry.name) && outer.contains(&entry.name))
        || needs.contains(&item.name);
    let condition = if cyclic { None } else { condition(item) };
    let needs = needs.into_iter().map(str::to_owned).collect();
    let named = Named { name: item.name.to_owned(), line: item.line, condition, needs, used: false };
    doc.conditions.borrow_mut().push(named);
}

/// The names of conditions that a value mentions: texts where a condition may stand.
fn mentions<'d>(item: Item<'d>, is_condition: bool, found: &mut Vec<&'d str>) {
    if let Some(name) = item.as_text() {
        found.extend(is_condition.then_some(name));
    } else if item.is_table() {
        for entry in item.entries().unwrap_or_default() {
            match entry.name {
                "equals" | "type" | "matches" => {} // names of paths
                "not" | "when" => mentions(entry, true, found),
                "any" if entry.is_list() => {
                    entry.list().unwrap_or_default().into_iter().for_each(|one| mentions(one, true, found));
                }
                _ => mentions(entry, false, found),
            }
        }
    } else if item.is_list() {
        item.list().unwrap_or_default().into_iter().for_each(|one| mentions(one, false, found));
    }
}

/// Refuses conditions that nothing uses.
pub(super) fn unused_conditions(fields: &Fields<'_>) {
    let conditions = fields.item.doc.conditions.borrow();
    let mut used: Vec<&str> = Vec::new();
    let mut next: Vec<&str> = conditions.iter().filter(|named| named.used).map(|named| named.name.as_str()).collect();
    while let Some(name) = next.pop() {
        if !used.contains(&name) {
            used.push(name);
            let needs = conditions.iter().filter(|named| named.name == name).flat_map(|named| &named.needs);
            next.extend(needs.map(String::as_str));
        }
    }
    for named in conditions.iter().filter(|named| !used.contains(&named.name.as_str())) {
        let message = format!("nothing uses the condition `{}`", named.name);
        fields.item.doc.refuse(
            &codes::NAME_UNUSED,
            named.line,
            message,
            "use it where a condition may stand, or remove it",
        );
    }
}

/// Gives each rule the expressions of `[let]` that it uses, and refuses those that none does. Of a row it has the columns
/// that it uses, each as `row.column`.
pub(super) fn share_lets(fields: &Fields<'_>, rules: &mut [Rule]) {
    let items = fields.entries("let");
    let named = |name: &str, item: Item<'_>| {
        let column = name.split_once('.').filter(|_| is_row(item));
        let (expr, policies) = column.map_or_else(|| judged(item), |(_, column)| column_of_row(item, column));
        Let { name: name.to_owned(), expr, policies }
    };
    let find = |name: &str| {
        let row = name.split_once('.').map(|(row, _)| row);
        items.iter().position(|item| if is_row(*item) { row == Some(item.name) } else { name == item.name })
    };
    let shown = |item: &Item<'_>| if is_row(*item) { format!("{}.column", item.name) } else { item.name.to_owned() };
    let lets: Vec<Let> = items.iter().map(|item| named(&shown(item), *item)).collect();
    let mut used = vec![false; lets.len()];
    for rule in rules {
        let mut next = Vec::new();
        walk::rule(rule, &mut |visit| next.extend(names_of(&visit)));
        let mut taken: Vec<(usize, String)> = Vec::new();
        while let Some(name) = next.pop() {
            let Some(at) = find(&name) else { continue };
            if !taken.iter().any(|(_, known)| *known == name) {
                walk::expr(&lets[at].expr, &mut |visit| next.extend(names_of(&visit)));
                taken.push((at, name));
            }
        }
        taken.sort_unstable();
        taken.iter().for_each(|(at, _)| used[*at] = true);
        // Each rule has its own of those that look up rows, as these are its own.
        let own = |(at, name): (usize, String)| {
            let is_own = is_row(items[at]) || looks_up(&lets[at].expr);
            if is_own { named(&name, items[at]) } else { lets[at].clone() }
        };
        rule.lets = taken.into_iter().map(own).collect();
    }
    for (item, _) in items.iter().zip(used).filter(|(_, used)| !used) {
        let message = format!("nothing uses `{}` of [let]", item.name);
        let hint = format!("write `={}` where its value is meant, or remove it", shown(item));
        item.refuse_as(&codes::NAME_UNUSED, message, hint);
    }
}

fn looks_up(expr: &Expr) -> bool {
    let mut found = false;
    walk::expr(expr, &mut |visit| found |= matches!(visit.read, Read::Row(_)));
    found
}

/// The column or `let` that is read.
fn names_of(visit: &walk::Visit<'_, '_>) -> Option<String> {
    match visit.read {
        Read::Path(PathExpr { root: Root::Column(name), .. })
        | Read::Test(PathExpr { root: Root::Column(name), .. })
        | Read::Key(PathExpr { root: Root::Column(name), .. }) => Some(name.clone()),
        _ => None,
    }
}
