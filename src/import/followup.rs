//! What the application needs because of single rows: `after` beside `agrees_with`.

use std::collections::{BTreeMap, BTreeSet};

/// So many rows are named by their keys.
const MOST_NAMED: usize = 20;

/// The keys of the rows that each message of the mapping set is about.
#[derive(Debug, Default)]
pub struct FollowUps(BTreeMap<String, BTreeSet<String>>);

impl FollowUps {
    /// Adds a row by its key; rules that write the same row add it once.
    pub fn add(&mut self, message: &str, key: String) {
        self.0.entry(message.to_owned()).or_default().insert(key);
    }

    /// One line for each message: `MESSAGE: KEY, KEY and 3 more`. `shown` gives a key as it may be shown.
    pub fn lines(&self, shown: impl Fn(&str) -> String) -> Vec<String> {
        let line = |(message, keys): (&String, &BTreeSet<String>)| {
            let named: Vec<String> = keys.iter().take(MOST_NAMED).map(|key| shown(key)).collect();
            let more = match keys.len() - named.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("{message}: {}{more}", named.join(", "))
        };
        self.0.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_rows_are_named_once_and_the_rest_is_counted() {
        let mut rows = FollowUps::default();
        (10..33).chain(10..20).for_each(|row| rows.add("look at them", format!("u{row}")));
        rows.add("tell them", "secret".to_owned());
        let lines = rows.lines(|row| if row == "secret" { "…".to_owned() } else { row.to_owned() });
        let named: Vec<String> = (10..30).map(|row| format!("u{row}")).collect();
        assert_eq!(lines, [format!("look at them: {} and 3 more", named.join(", ")), "tell them: …".to_owned()]);
    }
}
