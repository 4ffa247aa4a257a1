//! `treelift credentials status`

use super::setting::column_names;
use crate::cli::args::credentials::StatusArgs;
use crate::cli::managed;
use crate::cli::output::Output;
use crate::credentials::status::{ColumnStatus, Status, status};
use crate::error::Result;
use crate::finding::printable;
use crate::report::table::table;
use crate::report::words::{count, lost, thousands};
use serde_json::json;

/// Prints what each column holds. Exits 1 when a value is stored in plaintext or sealed under a key that is
/// missing, and when keys, registry and sealed values do not belong together.
pub(super) fn run(args: &StatusArgs, output: &Output) -> Result<u8> {
    let selection = managed::selection_without_set(&args.managed)?;
    let found = status(selection.database(), &column_names(&args.except)?)?;
    output.result(&words(&found), &json!(found))?;
    Ok(u8::from(
        found.plain + found.lost + found.not_active > 0 || found.proof.is_some() || !found.disagreements.is_empty(),
    ))
}

fn words(status: &Status) -> String {
    let mut words = String::new();
    for key in &status.keys {
        // It also sealed what was removed since: a run that was undone, a value that was sealed again.
        let sealed = u64::try_from(key.seal_count).unwrap_or(0);
        let there: u64 = status.columns.iter().filter_map(|of| of.sealed.get(&key.id)).sum();
        let still = if there < sealed { format!(", {} of them still there", thousands(there)) } else { String::new() };
        words.push_str(&format!(
            "key {} ({}): opens with a {}, made {}, sealed {}{still}\n",
            printable(&key.id),
            printable(&key.state),
            key.opens_with,
            printable(&key.created_at),
            count(sealed, "value")
        ));
    }
    let is_sound = status.proof.is_none() && status.disagreements.is_empty();
    if status.columns.is_empty() && is_sound {
        return words + &format!("no column of {} holds or looks like a secret\n", printable(&status.target));
    }
    if !status.columns.is_empty() {
        words.push_str(&columns(&status.columns));
    }
    for (key, (values, columns)) in status.lost_keys() {
        let columns: Vec<String> = columns.into_iter().map(name).collect();
        words.push_str(&format!(
            "error: {}: {}\nhint: restore a backup that has the key; without it they cannot be opened\n",
            lost(values, "", key),
            columns.join(", ")
        ));
    }
    if status.not_active > 0 {
        words.push_str(&format!(
            "error: {} {} sealed under a key that is not the active one\nhint: restore a backup of the whole database\n",
            count(status.not_active, "value"),
            if status.not_active == 1 { "is" } else { "are" }
        ));
    }
    for wrong in &status.disagreements {
        words.push_str(&format!("error: {}\n", printable(wrong)));
    }
    if !status.disagreements.is_empty() {
        words.push_str("hint: restore a backup of the whole database\n");
    }
    if let Some(proof) = &status.proof {
        words.push_str(&format!("error: {}\nhint: restore a backup of the whole database\n", printable(proof)));
    }
    for difference in &status.differences {
        words.push_str(&format!("warning: {}\n", printable(&difference.to_string())));
    }
    words.push_str(&match status.plain {
        0 if status.lost + status.not_active > 0 || !is_sound => String::new(),
        // Only these columns are looked into: no command knows where else an application keeps a secret.
        0 if status.columns.is_empty() => format!(
            "no column of {} is sealed or is named like a secret; what is in others is not looked at\n",
            printable(&status.target)
        ),
        0 => format!(
            "nothing is stored in plaintext in these columns of {}; what is in others is not looked at\n",
            printable(&status.target)
        ),
        plain => {
            let is = if plain == 1 { "is" } else { "are" };
            format!(
                "error: {} {is} stored in plaintext in {}\nhint: `treelift credentials encrypt` seals them; `--except TABLE.COLUMN` skips a column\n",
                count(plain, "value"),
                printable(&status.target)
            )
        }
    });
    words
}

/// `table.column`, and ` (name = value)` where only some of its rows are sealed.
fn name(column: &ColumnStatus) -> String {
    let filter: Vec<_> = column.rows.iter().flatten().map(|(name, value)| format!("{name} = {value}")).collect();
    let rows = if filter.is_empty() { String::new() } else { format!(" ({})", filter.join(", ")) };
    printable(&format!("{}.{}{rows}", column.table, column.column))
}

fn columns(columns: &[ColumnStatus]) -> String {
    let header = ["column", "format", "sealed", "plaintext", "tokens", "hashes", "unknown key", "empty", "NULL"];
    let rows = columns.iter().map(|of| {
        let format = of.format.clone().unwrap_or_else(|| "not registered".to_owned());
        let sealed = of.sealed.values().sum();
        let counts = [sealed, of.plain, of.fernet, of.hashes, of.lost(), of.empty, of.null].map(thousands);
        [name(of), format].into_iter().chain(counts).collect()
    });
    table(&header, rows, 2, None)
}
