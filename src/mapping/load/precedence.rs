//! Checks which mapping reads a file, and which rules feed a table in which order.

use super::doc::Doc;
use super::loaded::Loaded;
use crate::mapping::model::{Pattern, Set};
use crate::mapping::patterns::Patterns;
use crate::mapping::{codes, suggest};
use std::cmp::Ordering;

struct Claim<'l> {
    pattern: &'l Pattern,
    who: String,
    /// The mapping's number; `None` for the set's `[ignore]`.
    mapping: Option<usize>,
    line: u32,
    doc: &'l Doc,
}

/// Two patterns that match the same file must differ in precedence; otherwise it is ambiguous who reads it.
pub(super) fn check_files(set: &Set, ignore_lines: &[u32], loaded: &[Loaded], set_doc: &Doc) {
    let mut claims: Vec<_> = set
        .ignore
        .iter()
        .zip(ignore_lines)
        .map(|(ignore, line)| Claim {
            pattern: &ignore.pattern,
            who: "`[ignore]` in set.toml".to_owned(),
            mapping: None,
            line: *line,
            doc: set_doc,
        })
        .collect();
    for (number, one) in loaded.iter().enumerate() {
        for (pattern, line) in one.mapping.source.files.iter().zip(&one.pattern_lines) {
            let who = format!("mapping `{}`", one.mapping.name);
            claims.push(Claim { pattern, who, mapping: Some(number), line: *line, doc: &one.doc });
        }
    }
    let mut index = Patterns::default();
    for (i, later) in claims.iter().enumerate() {
        let mut nearby = index.rivals(later.pattern).into_iter().map(|number| &claims[number]);
        let rival = nearby.find(|earlier| {
            earlier.pattern.more_specific(later.pattern) == Ordering::Equal
                && earlier.pattern.overlaps(later.pattern)
                && (earlier.mapping != later.mapping || earlier.pattern == later.pattern)
        });
        index.add(i, later.pattern);
        if let Some(rival) = rival {
            later.doc.refuse(
                &codes::PATTERN_TWICE,
                later.line,
                format!(
                    "`{}` and `{}` of {} can match the same file",
                    later.pattern.text, rival.pattern.text, rival.who
                ),
                "make one of them more specific: the first difference from the left decides",
            );
        }
    }
}

/// Every entry of `[precedence]` must exist and feed the table.
pub(super) fn check_feeders(set: &Set, loaded: &[Loaded], set_doc: &Doc) {
    for entry in &set.precedence {
        for (at, feeder) in entry.feeders.iter().enumerate() {
            let refuse = |message: String, hint: Option<String>| {
                set_doc.refuse(&codes::FEEDER_UNKNOWN, entry.line, message, hint);
            };
            if entry.feeders[..at].contains(feeder) {
                refuse(format!("`{feeder}` is listed twice in the precedence of `{}`", entry.table), None);
                continue; // Checked where it was listed first.
            }
            let (mapping, rule) = match feeder.split_once('.') {
                Some((mapping, rule)) => (mapping, Some(rule)),
                None => (feeder.as_str(), None),
            };
            let Some(found) = loaded.iter().find(|one| one.mapping.name == mapping) else {
                let names: Vec<_> = loaded.iter().map(|one| one.mapping.name.as_str()).collect();
                refuse(format!("there is no mapping `{mapping}`"), suggest::hint(mapping, names));
                continue; // Nothing more can be checked.
            };
            let rules = &found.mapping.rules;
            if let Some(rule) = rule
                && !rules.iter().any(|known| known.name == rule)
            {
                let names: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
                refuse(format!("mapping `{mapping}` has no rule `{rule}`"), suggest::hint(rule, names));
            }
        }
    }
}
