//! Moves rows with a dangling reference aside, into `treelift_orphans`: again and again, since others reference those. The
//! same in every engine, which gives statements alone.

use super::audit::{AuditEntry, AuditTable};
use super::reference::Reference;
use super::upkeep::{MoveOrphans, Moved};
use crate::error::Error;
use crate::table::ForeignKey;

/// Where they are moved to.
pub const TABLE_NAME: &str = "treelift_orphans";

/// A reference that a table has.
pub(super) struct Leading {
    pub(super) table: String,
    pub(super) key: ForeignKey,
    /// Whether the database declares it.
    pub(super) is_declared: bool,
}

impl Leading {
    /// `owner → people.id`, and whether a mapping alone says it.
    pub(super) fn words(&self) -> String {
        let key = &self.key;
        let arrow = match (key.columns.as_slice(), key.to.as_slice()) {
            ([column], [to]) => format!("{column} → {}.{to}", key.table),
            (columns, to) => format!("({}) → {} ({})", columns.join(", "), key.table, to.join(", ")),
        };
        if self.is_declared { arrow } else { format!("{arrow} (mapped)") }
    }
}

/// What an engine does for it, in the transaction that it has open.
pub(super) trait Moving {
    /// A fault of the database, or one that is in words.
    type Fault: From<Error>;
    /// Makes the table that they are moved into where it is not there.
    fn set_up(&mut self) -> Result<(), Self::Fault>;
    /// The application's tables, with the references that the database declares.
    fn tables(&self) -> Result<Vec<(String, Vec<ForeignKey>)>, Self::Fault>;
    /// Takes the rows of a table whose reference leads nowhere, or to a row that was taken; how many.
    fn take(&mut self, leading: &Leading, order: &MoveOrphans<'_>) -> Result<u64, Self::Fault>;
    /// Removes what was taken, where that is not done yet.
    fn finish(&mut self) -> Result<(), Self::Fault>;
    /// Writes into the audit trail.
    fn note(&mut self, entry: &AuditEntry, table: Option<&AuditTable>) -> Result<(), Self::Fault>;
    /// Brings treelift's own tables to the format of this version.
    fn set_up_state(&mut self) -> Result<(), Self::Fault>;
}

/// Moves all of them. Nothing is committed yet.
pub(super) fn move_all<E: Moving>(engine: &mut E, order: &MoveOrphans<'_>) -> Result<Vec<Moved>, E::Fault> {
    engine.set_up()?;
    let references = every_reference(engine.tables()?, order.references);
    let mut moved: Vec<Moved> = Vec::new();
    loop {
        let mut round = 0;
        for leading in &references {
            let rows = engine.take(leading, order)?;
            round += rows;
            match moved.iter_mut().find(|one| one.table == leading.table && one.reference == leading.words()) {
                Some(one) => one.rows += rows,
                None if rows > 0 => {
                    let (table, reference) = (leading.table.clone(), leading.words());
                    moved.push(Moved { table, reference, rows });
                }
                None => {}
            }
        }
        if round == 0 {
            break;
        }
    }
    if !moved.is_empty() {
        engine.finish()?;
        let total: u64 = moved.iter().map(|moved| moved.rows).sum();
        let entry = AuditEntry::new("fix-orphans", "database", "rows without a parent moved aside", order.started)?
            .with(serde_json::json!({ "rows": total, "moved": moved }));
        engine.note(&entry, order.audit)?;
        engine.set_up_state()?;
    }
    Ok(moved)
}

/// References that the database declares, then those that mappings follow.
fn every_reference(tables: Vec<(String, Vec<ForeignKey>)>, mapped: &[Reference]) -> Vec<Leading> {
    let names: Vec<String> = tables.iter().map(|(name, _)| name.clone()).collect();
    let of = |(table, keys): (String, Vec<ForeignKey>)| {
        keys.into_iter().map(move |key| Leading { table: table.clone(), key, is_declared: true }).collect::<Vec<_>>()
    };
    let mut all: Vec<Leading> = tables.into_iter().flat_map(of).collect();
    for reference in mapped {
        let Reference { table, column, parent, to } = reference;
        let (columns, to) = (vec![column.clone()], vec![to.clone()]);
        let key = ForeignKey { columns, to, table: parent.clone(), ..ForeignKey::default() };
        let is_it = |known: &Leading| {
            (&known.table, &known.key.columns, &known.key.table, &known.key.to)
                == (table, &key.columns, parent, &key.to)
        };
        if !all.iter().any(is_it) && names.contains(table) {
            all.push(Leading { table: table.clone(), key, is_declared: false });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_references_come_first_and_mapped_ones_are_followed_once() {
        let key = |columns: &[&str], to: &[&str]| ForeignKey {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            table: "people".to_owned(),
            to: to.iter().map(|name| (*name).to_owned()).collect(),
            ..ForeignKey::default()
        };
        let tables = vec![
            ("notes".to_owned(), vec![key(&["owner"], &["id"]), key(&["a", "b"], &["c", "d"])]),
            ("people".to_owned(), vec![]),
        ];
        let mapped = |table: &str, column: &str| Reference {
            table: table.to_owned(),
            column: column.to_owned(),
            parent: "people".to_owned(),
            to: "id".to_owned(),
        };
        let mapped = [mapped("notes", "owner"), mapped("notes", "editor"), mapped("gone", "owner")];
        let words: Vec<_> = every_reference(tables, &mapped).into_iter().map(|one| one.words()).collect();
        assert_eq!(words, ["owner → people.id", "(a, b) → people (c, d)", "editor → people.id (mapped)"]);
    }
}
