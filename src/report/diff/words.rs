//! What changed, as text.

use super::{Change, Changed, Difference, FindingOf};
use crate::finding::printable;
use crate::report::words::{count, thousands};
use std::fmt::Write as _;

/// So many lines of a list are shown.
const SHOWN: usize = 20;

/// The leaves of all classes.
const SEEN: &str = "seen";

/// The comparison in words; the last line says whether they are the same. `all`: every line, however many.
pub fn words(difference: &Difference, all: bool) -> String {
    let mut text = String::new();
    for (name, about) in [("a", &difference.a), ("b", &difference.b)] {
        let when = about.started.as_deref().map_or_else(String::new, |started| format!(", {started}"));
        put(&mut text, &format!("{name}  run {}: {}, {}{when}", about.run, about.mode, about.outcome));
    }
    section(&mut text, "run", difference.run.iter().map(changed), all);
    let added = difference.added.iter().map(|file| format!("+ {} ({})", file.path, file.status));
    let removed = difference.removed.iter().map(|file| format!("- {} ({})", file.path, file.status));
    let of_files = difference.changed.iter().map(|file| format!("~ {}", named(file)));
    section(&mut text, "files", added.chain(removed).chain(of_files), all);
    section(&mut text, "leaves", difference.leaves.iter().map(changed), all);
    section(&mut text, "tables", difference.tables.iter().map(named), all);
    let appeared = difference.appeared.iter().map(|finding| format!("+ {}", found(finding)));
    let gone = difference.gone.iter().map(|finding| format!("- {}", found(finding)));
    let counted = difference.counted.iter().map(|finding| format!("~ {}", found(finding)));
    section(&mut text, "findings", appeared.chain(gone).chain(counted), all);
    section(&mut text, "secrets", difference.secrets.iter().map(changed), all);
    section(&mut text, "checks", difference.checks.iter().map(changed), all);
    text.push('\n');
    put(&mut text, &last(difference));
    text
}

/// The last line: whether they are the same, and everything that is not.
fn last(difference: &Difference) -> String {
    // Taken apart, so that nothing that is compared can be left out.
    let Difference {
        same,
        a: _,
        b: _,
        run,
        added,
        removed,
        changed,
        leaves,
        tables,
        appeared,
        gone,
        counted,
        secrets,
        checks,
    } = difference;
    if *same {
        return "same: both reports say the same".to_owned();
    }
    let counts = [
        (added.len(), "added file", String::new()),
        (removed.len(), "removed file", String::new()),
        (changed.len(), "changed file", String::new()),
        (leaves.len(), "leaf count", moved(leaves)),
        (tables.len(), "table", String::new()),
        (appeared.len(), "new finding", String::new()),
        (gone.len(), "gone finding", String::new()),
        (counted.len(), "recounted finding", String::new()),
        (secrets.len(), "secret count", String::new()),
        (checks.len(), "check", String::new()),
    ];
    let counts = counts.iter().filter(|(number, ..)| *number > 0);
    let counts = counts.map(|(number, what, more)| count(*number as u64, what) + more);
    let parts: Vec<String> = run.iter().map(|change| change.what.clone()).chain(counts).collect();
    format!("differs: {}", parts.join(", "))
}

/// How many leaves the classes gained and lost together: ` (1 more, 3 fewer by class)`.
fn moved(leaves: &[Change]) -> String {
    let number = |side: &Option<String>| side.as_ref().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let classes = || leaves.iter().filter(|change| change.what != SEEN);
    let sum = |of: fn(u64, u64) -> u64| -> u64 {
        classes().map(|change| of(number(&change.before), number(&change.after))).fold(0, u64::saturating_add)
    };
    let (more, fewer) = (sum(|before, after| after.saturating_sub(before)), sum(u64::saturating_sub));
    let parts = [(more, "more"), (fewer, "fewer")].into_iter().filter(|(leaves, _)| *leaves > 0);
    let parts: Vec<String> = parts.map(|(leaves, what)| format!("{} {what}", thousands(leaves))).collect();
    if parts.is_empty() { String::new() } else { format!(" ({} by class)", parts.join(", ")) }
}

fn put(text: &mut String, line: &str) {
    let _infallible = writeln!(text, "{}", printable(line));
}

fn section(text: &mut String, name: &str, lines: impl Iterator<Item = String>, all: bool) {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    put(text, "");
    put(text, name);
    let shown = if all || lines.len() <= SHOWN { lines.len() } else { SHOWN - 1 };
    lines.iter().take(shown).for_each(|line| put(text, &format!("  {line}")));
    if lines.len() > shown {
        put(text, &format!("  and {}; -v lists them", count((lines.len() - shown) as u64, "more line")));
    }
}

/// `status: imported → rejected`.
pub(super) fn changed(change: &Change) -> String {
    let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "none".to_owned());
    format!("{}: {} → {}", change.what, side(&change.before), side(&change.after))
}

fn named(one: &Changed) -> String {
    format!("{}: {}", one.name, one.changes.iter().map(changed).collect::<Vec<_>>().join(", "))
}

fn found(finding: &FindingOf) -> String {
    let subject = if finding.subject.is_empty() { String::new() } else { format!(" {}", finding.subject) };
    let place = match (&finding.file, &finding.pointer) {
        (None, _) => String::new(),
        (Some(file), None) => format!(" at {file}"),
        (Some(file), Some(pointer)) => format!(" at {file}#{pointer}"),
    };
    let many = match (finding.before, finding.after) {
        (0, 1) | (1, 0) => String::new(),
        (0, many) | (many, 0) => format!(" ({many} times)"),
        (before, after) => format!(" ({before} → {after} times)"),
    };
    format!("{} {}{subject}: {}{place}{many}", finding.severity, finding.code, finding.message)
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::super::{Side, compare};
    use super::*;
    use serde_json::json;

    #[test]
    fn the_last_line_says_whether_they_are_the_same() {
        let side = |report: &crate::report::Report| -> Side { serde_json::from_str(&report.json()).expect("a report") };
        let (a, b) = (side(&sample::committed()), side(&sample::refused()));
        assert!(words(&compare(&a, &a), false).ends_with("\n\nsame: both reports say the same\n"));
        let text = words(&compare(&a, &b), false);
        for line in [
            "  verdict: acceptable → refused\n",
            "  + people/7/more.json (rejected)\n",
            "  - people/7/cache.json (ignored)\n",
            "\ntables\n",
            "  + error J002: the file ends in the middle of a value at people/7/more.json\n",
            "\ndiffers: verdict, outcome, 1 added file, 2 removed files, ",
            " by class), ",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn the_last_line_names_whatever_differs() {
        let side = |document: serde_json::Value| -> Side { serde_json::from_value(document).expect("a report") };
        let last =
            |before, after| words(&compare(&side(before), &side(after)), false).lines().last().map(str::to_owned);
        let differs = |words: &str| Some(format!("differs: {words}"));
        let leaves =
            |column, ignored| json!({ "leaves": { "seen": column + ignored, "column": column, "ignored": ignored } });
        assert_eq!(last(leaves(5, 1), leaves(3, 3)), differs("2 leaf counts (2 more, 2 fewer by class)"));
        assert_eq!(last(leaves(5, 1), leaves(1_005, 1)), differs("2 leaf counts (1,000 more by class)"));
        let secrets = |values: u64| json!({ "secrets": { "values": values, "keys": ["a"] } });
        assert_eq!(last(secrets(1), secrets(2)), differs("1 secret count"));
        assert_eq!(last(json!({}), secrets(2)), differs("2 secret counts"));
    }

    #[test]
    fn a_long_list_is_cut_unless_all_of_it_is_wanted() {
        let lines = |all| {
            let mut text = String::new();
            section(&mut text, "files", (0..100).map(|number| number.to_string()), all);
            text
        };
        assert!(lines(false).ends_with("  18\n  and 81 more lines; -v lists them\n"), "{}", lines(false));
        assert_eq!(lines(true).lines().count(), 102);
    }
}
