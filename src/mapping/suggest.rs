//! "Did you mean": the known name nearest to an unknown one.

use std::collections::HashSet;

/// How a hint begins that names what was probably meant.
pub const MEANT: &str = "did you mean ";

/// The candidate that differs least from `word`, if one is near enough.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let most = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint that names what was probably meant.
pub fn meant(name: &str) -> String {
    format!("{MEANT}`{name}`?")
}

/// The hint for an unknown name: the nearest one, else all of them.
pub fn hint<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str> + Clone) -> Option<String> {
    if let Some(meant) = nearest(word, candidates.clone()) {
        return Some(self::meant(meant));
    }
    let mut seen = HashSet::new();
    let all: Vec<_> =
        candidates.into_iter().filter(|name| seen.insert(*name)).map(|name| format!("`{name}`")).collect();
    (!all.is_empty()).then(|| format!("known: {}", and(&all)))
}

/// `a`, `b` and `c`.
pub fn and(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn distance(a: &str, b: &str) -> usize {
    strsim::damerau_levenshtein(&a.to_lowercase(), &b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_and_missing_letters_are_near() {
        assert_eq!(nearest("emial", ["name", "email"]), Some("email"));
        assert_eq!(nearest("colums", ["key", "columns"]), Some("columns"));
        assert_eq!(nearest("Email", ["email"]), Some("email"));
    }

    #[test]
    fn what_is_far_is_not_suggested() {
        assert_eq!(nearest("zip", ["name", "email"]), None);
        assert_eq!(hint("zip", ["name", "email", "name"]), Some("known: `name` and `email`".to_owned()));
    }
}
