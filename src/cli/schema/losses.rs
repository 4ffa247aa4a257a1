//! What a change of the schema loses, in words.

use crate::report::words::{count, thousands};
use crate::schema::{Loss, LossKind};

/// Tables with rows by name, the empty ones as a number.
pub(super) fn lines(losses: &[Loss]) -> Vec<String> {
    let (full, empty): (Vec<&Loss>, Vec<&Loss>) = losses.iter().partition(|loss| loss.rows > 0);
    let line = |loss: &Loss| match loss.kind {
        LossKind::Rows => {
            format!(
                "would remove {} of `{}` ({} → {})",
                count(loss.rows, "row"),
                loss.what,
                thousands(loss.before),
                thousands(loss.after)
            )
        }
        LossKind::Table | LossKind::Column => format!("would drop `{}` with {}", loss.what, count(loss.rows, "row")),
    };
    let mut lines: Vec<String> = full.into_iter().map(line).collect();
    match empty.as_slice() {
        [] => {}
        [one] => lines.push(format!("would drop `{}`, which is empty", one.what)),
        several => {
            let names: Vec<String> = several.iter().map(|loss| format!("`{}`", loss.what)).collect();
            lines.push(format!("would drop {} that are empty: {}", several.len(), names.join(", ")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_named_where_there_are_rows() {
        let loss =
            |what: &str, rows| Loss { kind: LossKind::Table, what: what.to_owned(), rows, before: rows, after: 0 };
        assert_eq!(
            lines(&[
                loss("notes", 3),
                loss("tags", 0),
                loss("people.colour", 1),
                loss("more", 0),
                Loss { kind: LossKind::Rows, what: "kept".to_owned(), rows: 2, before: 5, after: 3 }
            ]),
            [
                "would drop `notes` with 3 rows",
                "would drop `people.colour` with 1 row",
                "would remove 2 rows of `kept` (5 → 3)",
                "would drop 2 that are empty: `tags`, `more`"
            ]
        );
        assert_eq!(lines(&[loss("tags", 0)]), ["would drop `tags`, which is empty"]);
    }
}
