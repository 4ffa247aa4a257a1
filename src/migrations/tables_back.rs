//! Restoring single tables of a backup: what the database must be like behind it.

use super::choice::Selection;
use crate::backup::{self, Restoring, TablesBack};
use crate::config::Ui;
use crate::database::Reader;
use crate::error::{Error, Result};
use crate::mapping::model::Set;
use crate::report::CheckStatus;
use crate::report::words::thousands;
use crate::validate;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What a database fails: each fault of a check beside the check's name.
type Faults = Vec<(String, String)>;

impl Selection {
    /// Restores the rows of single tables of a backup. What the database does not pass behind it, it must have failed before in
    /// the same words; where its set is not known, what a set says is not asked. Tells which other tables triggers changed.
    pub fn restore_tables(&mut self, tables: &[String], restoring: &Restoring<'_>, ui: &dyn Ui) -> Result<TablesBack> {
        let no_set = Set::default();
        let (set, database) = self.parts();
        if set.is_none() {
            ui.say("not validated: its mapping set is not available; references, keys and sealed values are checked");
        }
        let set = set.unwrap_or(&no_set);
        let url = database.url().to_owned();
        let (before, counts) = match database.read()? {
            Some(mut reader) => (faults(&mut *reader, set)?, reader.survey()?.counts),
            None => Default::default(),
        };
        let others = RefCell::new(BTreeMap::new());
        let judge = |reader: &mut dyn Reader| {
            let after = reader.survey()?.counts.into_iter();
            let changed = after.filter(|(table, rows)| !tables.contains(table) && counts.get(table) != Some(rows));
            others.replace(changed.collect::<BTreeMap<_, _>>());
            match faults(reader, set)?.into_iter().find(|fault| !before.contains(fault)) {
                None => Ok(()),
                Some((name, detail)) => Err(Error::environment(format!("a check would fail, `{name}`: {detail}"))
                    .at(&url)
                    .hint("nothing was changed; restore the tables that belong together at once, or the whole backup")),
            }
        };
        let done = backup::restore_tables(database, tables, restoring, &judge, ui)?;
        for (table, rows) in others.into_inner() {
            let had = counts.get(&table).copied().unwrap_or_default();
            ui.say(&format!("triggers changed rows of `{table}`: {} → {}", thousands(had), thousands(rows)));
        }
        Ok(done)
    }
}

fn faults(reader: &mut dyn Reader, set: &Set) -> Result<Faults> {
    let failed = validate::opened(reader, set, &[])?.into_iter().filter(|check| check.status == CheckStatus::Failed);
    let each = failed.flat_map(|check| {
        let detail = check.detail.unwrap_or_default();
        detail.split("; ").map(|one| (check.name.clone(), one.to_owned())).collect::<Vec<_>>()
    });
    Ok(each.collect())
}
