//! Names of tables and columns.

use crate::inspect::naming::singular;
use std::collections::BTreeSet;

/// A name in small letters with `_` between its words, of ASCII alone.
pub(super) fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            if letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
                out.push('_');
            }
            out.push(letter.to_ascii_lowercase());
        } else if !out.ends_with('_') && !out.is_empty() {
            out.push('_');
        }
        before = letter;
    }
    let out = out.trim_matches('_');
    if out.is_empty() {
        return "field".to_owned();
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) { format!("n_{out}") } else { out.to_owned() }
}

/// A name for a table: some belong to the database or to treelift.
pub(super) fn table_name(name: &str) -> String {
    let is_reserved = name == "schema_migrations" || ["sqlite_", "treelift_"].iter().any(|of| name.starts_with(of));
    if is_reserved { format!("n_{name}") } else { name.to_owned() }
}

/// A name for one of what a name in the plural stands for.
pub(super) fn one_of(name: &str) -> Option<String> {
    let (before, last) = name.rsplit_once('_').map_or(("", name), |(before, last)| (before, last));
    let one = singular(last)?;
    Some(if before.is_empty() { one } else { format!("{before}_{one}") })
}

/// Whether a member's name is a plural.
pub(super) fn is_plural(member: &str) -> bool {
    one_of(&snake(member)).is_some()
}

/// The name, or with a number behind it if it is taken; then it is.
pub(super) fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut one = name.to_owned();
    let mut number = 2;
    while !taken.insert(one.clone()) {
        one = format!("{name}_{number}");
        number += 1;
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_columns() {
        for (name, column) in
            [("createdAt", "created_at"), ("odd key!", "odd_key"), ("URL", "url"), ("2fa", "n_2fa"), ("é", "field")]
        {
            assert_eq!(snake(name), column);
        }
        let mut taken = BTreeSet::new();
        let names: Vec<String> = (0..3).map(|_| unique("a", &mut taken)).collect();
        assert_eq!(names, ["a", "a_2", "a_3"]);
    }
}
