//! Finds the row that is asked for: by the table's primary key, else by the key of a rule that writes into it.

use crate::database::changes::Changes;
use crate::database::ledger::{RowOrigin, RunRecord, row_key};
use crate::database::{Database, Dialect, Reader, schema};
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::mapping::model::{KeyPart, Set};
use crate::mapping::suggest;
use crate::report::words::count;
use crate::table::{ColumnType, Schema, Table};
use std::collections::BTreeSet;

/// What is asked: a row of a database.
#[derive(Debug)]
pub struct RowQuestion {
    /// The table.
    pub table: String,
    /// Its primary key, or the key of a rule: the values in order, separated by commas.
    pub key: String,
    /// The tables of its database.
    pub schema: Schema,
}

/// So many rows of one key are named.
const MOST_NAMED: usize = 5;

/// Where the row came from, with its key as the ledger writes it.
///
/// # Errors
/// When no run is known to have written such a row, or several rows have the key.
pub(super) fn origin(question: &RowQuestion, set: &Set, database: &dyn Database) -> Result<(RowOrigin, String)> {
    let reader = database.read()?.ok_or_else(|| database.missing())?;
    let search = Search { question, set, database, reader: &*reader };
    let Some(table) = question.schema.table(&question.table) else { return Err(search.no_table()?) };
    match search.by_primary_key(table)? {
        Some(found) => Ok(found),
        None => search.by_key_of_rule(table),
    }
}

struct Search<'s> {
    question: &'s RowQuestion,
    set: &'s Set,
    database: &'s dyn Database,
    reader: &'s dyn Reader,
}

impl Search<'_> {
    fn dialect(&self) -> Dialect {
        self.reader.dialect()
    }

    /// The last of the runs that wrote the row of this key.
    fn last(&self, row_key: String) -> Result<Option<(RowOrigin, String)>> {
        Ok(self.reader.origins(&self.question.table, &row_key)?.pop().map(|origin| (origin, row_key)))
    }

    /// By the primary key that the table has, or had when it was written.
    fn by_primary_key(&self, table: &Table) -> Result<Option<(RowOrigin, String)>> {
        let now = table.primary_key();
        let before = self.changes()?.key_before(&table.name).map(|(key, _)| key).unwrap_or_default();
        for key in [now, before.iter().map(String::as_str).collect()] {
            let Some(typed) = self.typed(key.len()) else { continue };
            let text = |(column, text): (&&str, &&str)| {
                let kind = table.column(column).map_or(ColumnType::Unknown, |column| column.kind);
                Some(self.dialect().key_text(kind, text))
            };
            let as_typed = typed.iter().map(|part| Some((*part).to_owned())).collect();
            for parts in [as_typed, key.iter().zip(&typed).map(text).collect()] {
                if let Some(found) = self.last(row_key(parts))? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// The parts of the key as they were given, where there are so many. A comma may stand in the last one.
    fn typed(&self, parts: usize) -> Option<Vec<&str>> {
        let typed: Vec<&str> = self.question.key.splitn(parts, ',').collect();
        (parts > 0 && typed.len() == parts).then_some(typed)
    }

    /// By the keys of the rules, where one row alone has it.
    fn by_key_of_rule(&self, table: &Table) -> Result<(RowOrigin, String)> {
        let mut found = BTreeSet::new();
        for key in self.keys_of_rules(table) {
            if let Some(typed) = self.typed(key.len()) {
                self.rows_with(table, &key, &typed, &mut found)?;
            }
        }
        let mut known = Vec::new();
        for row_key in &found {
            known.extend(self.last(row_key.clone())?);
        }
        match known.len() {
            0 => Err(self.no_row(table, !found.is_empty())?),
            1 => known.pop().ok_or_else(|| Error::bug("a row that was found is gone")),
            many => {
                let named: Vec<String> =
                    known.iter().take(MOST_NAMED).map(|(_, key)| format!("`{}`", printable(key))).collect();
                let more = if many > MOST_NAMED { ", …" } else { "" };
                let message = format!("{} of `{}` have this key", count(many as u64, "row"), printable(&table.name));
                let hint =
                    format!("give the primary key ({}): {}{more}", table.primary_key().join(", "), named.join(", "));
                Err(Error::request(message).at(self.database.url()).hint(hint))
            }
        }
    }

    /// The keys of the rules that write into a table, where they are columns of it and not its primary key.
    fn keys_of_rules(&self, table: &Table) -> Vec<Vec<String>> {
        let rules = self.set.mappings.iter().flat_map(|mapping| &mapping.rules);
        let columns = |part: &KeyPart| match part {
            KeyPart::Column(name) => table.column(name).map(|column| column.name.clone()),
            KeyPart::Path(_) => None,
        };
        let mut keys: Vec<Vec<String>> = rules
            .filter(|rule| rule.into.eq_ignore_ascii_case(&table.name))
            .filter_map(|rule| rule.key.iter().map(columns).collect::<Option<Vec<String>>>())
            .filter(|key| !key.is_empty() && *key != table.primary_key())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// The primary keys of the rows that have these values, as the ledger writes them.
    fn rows_with(&self, table: &Table, key: &[String], typed: &[&str], found: &mut BTreeSet<String>) -> Result<()> {
        let primary = table.primary_key();
        if primary.is_empty() {
            return Ok(());
        }
        let dialect = self.dialect();
        let kind = |column: &str| table.column(column).map_or(ColumnType::Unknown, |column| column.kind);
        let sought: Vec<Option<String>> =
            key.iter().zip(typed).map(|(column, text)| Some(dialect.key_text(kind(column), text))).collect();
        let columns: Vec<&str> = key.iter().map(String::as_str).chain(primary).collect();
        let kinds: Vec<ColumnType> = columns.iter().map(|column| kind(column)).collect();
        self.reader.each_row(&table.name, &columns, None, &mut |cells| {
            let mut texts: Vec<Option<String>> =
                cells.iter().zip(&kinds).map(|(cell, kind)| dialect.text_of(*kind, cell)).collect();
            let primary = texts.split_off(key.len());
            if texts == sought {
                found.insert(row_key(primary));
            }
        })
    }

    /// Why there is no row of this key. `is_there`: the database has one that no run wrote.
    fn no_row(&self, table: &Table, is_there: bool) -> Result<Error> {
        let (name, key) = (printable(&table.name), printable(&self.question.key));
        let forgotten = self.reader.runs()?.iter().filter_map(RunRecord::forgotten_in_words).collect::<Vec<_>>();
        let message = if !forgotten.is_empty() {
            format!("no run that the ledger still tells of recorded a row of `{name}` with the key `{key}`")
        } else if is_there {
            format!("no run recorded the row of `{name}` with the key `{key}`: the database has it from elsewhere")
        } else {
            format!("no run recorded a row of `{name}` with the key `{key}`")
        };
        let error = Error::request(message).at(self.database.url());
        if !forgotten.is_empty() {
            return Ok(error.hint(forgotten.join("; ")));
        }
        let lost = self.lost_tables()?;
        if !lost.is_empty() {
            return Ok(error.hint(lost));
        }
        let changes = self.changes()?;
        if let Some((before, by)) = changes.key_before(&table.name) {
            let before = before.join(", ");
            return Ok(error.hint(format!(
                "{by} gave the table another primary key: the rows of runs before it are known by ({before})"
            )));
        }
        let primary = table.primary_key();
        if primary.is_empty() {
            return Ok(error.hint(
                "the table has no primary key, by which the ledger names rows: ask for the value in its file, with `explain FILE#/pointer`",
            ));
        }
        let mut wanted = vec![format!("the table's primary key ({})", primary.join(", "))];
        wanted.extend(self.keys_of_rules(table).iter().map(|key| format!("a rule's key ({})", key.join(", "))));
        Ok(error.hint(format!("the key is {}, its parts in order and separated by commas", wanted.join(" or "))))
    }

    /// Why there is no such table.
    fn no_table(&self) -> Result<Error> {
        let RowQuestion { table, schema, .. } = self.question;
        let error = Error::request(format!("the schema has no table `{}`", printable(table)));
        if !self.reader.written_tables()?.iter().any(|written| written == table) {
            return Ok(error.hint(suggest::hint(table, schema.tables.keys().map(String::as_str))));
        }
        Ok(error.at(self.database.url()).hint(self.lost_tables()?))
    }

    /// The tables that runs wrote into and that are no longer there, in words; nothing where there are none.
    fn lost_tables(&self) -> Result<String> {
        let (catalog, changes) = (self.reader.catalog()?, self.changes()?);
        let lost = self.reader.written_tables()?.into_iter().filter(|name| catalog.schema.table(name).is_none());
        let words = lost.map(|name| {
            let by = changes.took_table(&name).unwrap_or_else(|| "no migration of the set did that".to_owned());
            format!("runs wrote rows of `{}`, a table that is no longer there: {by}", printable(&name))
        });
        Ok(words.collect::<Vec<_>>().join("; "))
    }

    /// What migrations changed since they were applied.
    fn changes(&self) -> Result<Changes> {
        let migrations = &self.set.migrations;
        let stages = schema::stages(&Dialect::default(), migrations)?;
        Ok(Changes::since(None, migrations, &stages, &self.reader.recorded()?))
    }
}
