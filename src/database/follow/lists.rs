//! The lists of columns in which runs wrote rows, behind a change of the columns.

use super::engine::{Following, quoted};
use crate::database::ledger::Written;
use crate::database::undo::engine::number;
use crate::table::Table;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What became of a list of columns.
pub(super) struct ListNow {
    /// Its number in the ledger.
    pub(super) number: i64,
    pub(super) written: Written,
}

/// For every list of columns in which runs wrote rows of these tables the one that it is now: without the columns that are
/// gone, and with those that came, which tell of the same rows. The ledger gets it where it does not have it.
pub(super) fn lists_now<E: Following>(
    engine: &mut E,
    tables: &BTreeMap<i64, Table>,
    had: &BTreeMap<i64, BTreeSet<String>>,
) -> Result<HashMap<i64, ListNow>, E::Fault> {
    let sealed = engine.sealed()?;
    let mut becomes = HashMap::new();
    for (id, table) in tables {
        let had = had.get(id).cloned().unwrap_or_default();
        for (list, written) in engine.columns(*id, &table.name)? {
            let now = list_now(&written, table, &had, &sealed, E::is_same);
            if now == written {
                becomes.insert(list, ListNow { number: list, written });
                continue; // it is the same
            }
            let parts = [&now.digested, &now.clock, &now.sealed];
            let [digested, clock, sealed] = parts.map(|names| quoted(&serde_json::json!(names).to_string()));
            let alike = format!(
                "SELECT n.id FROM treelift_columns n JOIN treelift_columns o ON o.filled = n.filled WHERE o.id = {list}
                     AND n.\"table\" = {id} AND n.digested = {digested} AND n.clock = {clock} AND n.sealed = {sealed}"
            );
            if engine.ask(&alike)?.is_empty() {
                engine.run(&format!(
                    "INSERT INTO treelift_columns (\"table\", digested, clock, sealed, filled)
                     SELECT {id}, {digested}, {clock}, {sealed}, filled FROM treelift_columns WHERE id = {list}"
                ))?;
            }
            let number = engine.ask(&alike)?.first().map_or(list, |row| number(&row[0]));
            becomes.insert(list, ListNow { number, written: now });
        }
    }
    Ok(becomes)
}

/// What a list of columns of a table is now, of whose rows these columns `had` been there; `sealed` are the registered ones.
fn list_now(
    written: &Written,
    table: &Table,
    had: &BTreeSet<String>,
    sealed: &BTreeSet<(String, String)>,
    is_same: fn(&str, &str) -> bool,
) -> Written {
    let is_there = |name: &&String| table.columns.iter().any(|column| is_same(&column.name, name));
    let left = |names: &[String]| names.iter().filter(is_there).cloned().collect::<Vec<_>>();
    let Written { digested, clock, sealed: was_sealed, .. } = written;
    let mut now = Written { digested: left(digested), clock: left(clock), sealed: left(was_sealed), ..written.clone() };
    if !written.filled {
        let names = table.columns.iter().map(|column| &column.name);
        let is_known =
            |name: &String| had.iter().chain(digested).chain(clock).chain(was_sealed).any(|one| is_same(one, name));
        for name in names.filter(|name| !is_known(name)) {
            let is_sealed = sealed.contains(&(table.name.clone(), name.clone()));
            let list = if is_sealed { &mut now.sealed } else { &mut now.digested };
            list.push(name.clone());
        }
    }
    now
}
