//! The ledger of a database, for the rows as another one keeps them.
//!
//! What it says of a row is a digest of the texts that the engine stores. A row that is as its run left it gets the digest
//! of what the other engine stores; one that was edited since keeps the old one, which fits no more there either.

use super::source::Source;
use crate::database::ledger::{FileRecord, RowRecord, Written, digest, row_key};
use crate::database::{Cell, Transaction};
use crate::error::{Error, Result};
use std::collections::{BTreeMap, HashMap};

/// So many records are written at once.
const MANY: usize = 1_000;

/// The ledger's lists of tables and columns, by their numbers in the source.
pub(super) struct Lists {
    tables: BTreeMap<i64, String>,
    columns: BTreeMap<i64, Written>,
}

/// The numbers that lists of columns have in the target, by those in the source.
pub(super) type Numbers = HashMap<i64, i64>;

impl Lists {
    pub(super) fn read(source: &Source<'_>) -> Result<Self> {
        let mut tables = BTreeMap::new();
        for row in source.rows("treelift_tables", &["id", "name"], None)? {
            let mut row = Cells::of(row);
            tables.insert(row.integer()?, row.text()?);
        }
        let mut columns = BTreeMap::new();
        for row in source.rows("treelift_columns", &["id", "table", "digested", "clock", "sealed", "filled"], None)? {
            let mut row = Cells::of(row);
            let (id, table) = (row.integer()?, row.integer()?);
            let written = Written {
                table: tables.get(&table).cloned().ok_or_else(damaged)?,
                digested: row.names()?,
                clock: row.names()?,
                sealed: row.names()?,
                filled: row.integer()? != 0,
            };
            columns.insert(id, written);
        }
        Ok(Self { tables, columns })
    }

    /// Writes the lists of columns, in their order.
    pub(super) fn write(&self, target: &mut dyn Transaction) -> Result<Numbers> {
        self.columns.iter().map(|(number, written)| Ok((*number, target.record_columns(written)?))).collect()
    }

    /// The tables that runs wrote into and that are there no more.
    pub(super) fn tables(&self) -> impl Iterator<Item = &String> {
        self.tables.values()
    }
}

/// Writes the runs as they are, with the files that each has read. Gives how many there are.
pub(super) fn runs_and_files(source: &Source<'_>, target: &mut dyn Transaction) -> Result<u64> {
    let numbers = source.rows("treelift_runs", &["number", "id"], None)?;
    let mut numbered = HashMap::new();
    for row in numbers {
        let mut row = Cells::of(row);
        let number = row.integer()?;
        numbered.insert(row.text()?, number);
    }
    let runs = source.reader.runs()?;
    for run in &runs {
        target.begin_run(run)?;
        target.finish_run(run)?;
        let number = *numbered.get(&run.id).ok_or_else(damaged)?;
        let mut files = Vec::new();
        for row in source.rows("treelift_files", &["id", "path", "sha256", "bytes"], Some(("run", number)))? {
            let mut row = Cells::of(row);
            files.push(FileRecord {
                id: row.integer()?,
                path: row.text()?,
                sha256: row.bytes()?.and_then(|bytes| bytes.try_into().ok()).ok_or_else(damaged)?,
                bytes: row.size()?,
            });
        }
        files.sort_by_key(|file| file.id);
        files.chunks(MANY).try_for_each(|files| target.record_files(files))?;
    }
    Ok(runs.len() as u64)
}

/// What the ledger says of the rows of one table, in its order.
#[derive(Default)]
pub(super) struct Entries {
    entries: Vec<Entry>,
    by_key: HashMap<String, Vec<usize>>,
    /// How many rows are not as a run left them.
    pub(super) edited: u64,
}

struct Entry {
    file: i64,
    number: i64,
    offset: u64,
    columns: i64,
    row_key: String,
    digest: Option<Vec<u8>>,
    own: Option<Vec<u8>>,
}

/// A cell as text on its way: what is stored here, what that means here, and what will be stored there.
#[derive(Default)]
pub(super) struct CellTexts {
    pub(super) stored: Option<String>,
    pub(super) meant: Option<String>,
    pub(super) there: Option<String>,
}

/// The cells of a row, by column.
pub(super) type RowTexts<'r> = HashMap<&'r str, CellTexts>;

impl Entries {
    pub(super) fn read(source: &Source<'_>, lists: &Lists, table: &str) -> Result<Self> {
        let Some((number, _)) = lists.tables.iter().find(|(_, name)| *name == table) else {
            return Ok(Self::default());
        };
        let columns = ["file", "number", "offset", "columns", "row_key", "digest", "own"];
        let mut entries = Vec::new();
        for row in source.rows("treelift_rows", &columns, Some(("table", *number)))? {
            let mut row = Cells::of(row);
            entries.push(Entry {
                file: row.integer()?,
                number: row.integer()?,
                offset: row.size()?,
                columns: row.integer()?,
                row_key: row.text()?,
                digest: row.bytes()?,
                own: row.bytes()?,
            });
        }
        entries.sort_by_key(|entry| (entry.file, entry.number));
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            by_key.entry(entry.row_key.clone()).or_default().push(at);
        }
        Ok(Self { entries, by_key, edited: 0 })
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Makes what is said of a row fit what is stored there.
    pub(super) fn renew(&mut self, lists: &Lists, key: &[&str], row: &RowTexts<'_>) -> Result<()> {
        let part = |of: fn(&CellTexts) -> &Option<String>| {
            row_key(key.iter().map(|column| row.get(column).and_then(|texts| of(texts).clone())).collect())
        };
        let Some(all) = self.by_key.get(&part(|texts| &texts.meant)) else { return Ok(()) };
        let row_key = part(|texts| &texts.there);
        let mut fills: Vec<&String> = Vec::new();
        let mut is_edited = false;
        // The last first: what a run filled was NULL when the one before it wrote the row.
        for &at in all.iter().rev() {
            let entry = &mut self.entries[at];
            let written = lists.columns.get(&entry.columns).ok_or_else(damaged)?;
            entry.row_key.clone_from(&row_key);
            let mut renew = |old: &mut [u8], columns: &[String]| {
                let renewed = renewed(old, columns, row, &fills);
                is_edited |= renewed.is_none();
                renewed.iter().for_each(|renewed| old.copy_from_slice(renewed));
            };
            if let Some(digest) = entry.digest.as_mut().filter(|digest| digest.len() == DIGEST) {
                renew(digest, &written.digested);
            }
            if let Some(own) = entry.own.as_mut().filter(|own| own.len() == 2 * DIGEST) {
                let (clock, sealed) = own.split_at_mut(DIGEST);
                renew(clock, &written.clock);
                renew(sealed, &written.sealed);
            }
            if written.filled {
                fills.extend([&written.digested, &written.clock, &written.sealed].into_iter().flatten());
            }
        }
        self.edited += u64::from(is_edited);
        Ok(())
    }

    /// Writes what is said of the table's rows.
    pub(super) fn write(self, lists: &Lists, numbers: &Numbers, target: &mut dyn Transaction) -> Result<()> {
        let mut records = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            let written = lists.columns.get(&entry.columns).ok_or_else(damaged)?;
            records.push(RowRecord {
                table: written.table.clone(),
                row_key: entry.row_key,
                file: entry.file,
                offset: entry.offset,
                digest: entry.digest.map_or(Ok([0; DIGEST]), |digest| digest.try_into().map_err(|_| damaged()))?,
                own: entry.own.map(|own| own.try_into().map_err(|_| damaged())).transpose()?,
                columns: *numbers.get(&entry.columns).ok_or_else(damaged)?,
            });
        }
        records.chunks(MANY).try_for_each(|records| target.record_rows(records))
    }
}

/// The bytes of a digest.
const DIGEST: usize = 16;

/// The digest of what will be stored there, where the old one is that of what is stored here; in either form of times,
/// and with what was filled later, or without.
fn renewed(old: &[u8], columns: &[String], row: &RowTexts<'_>, fills: &[&String]) -> Option<[u8; DIGEST]> {
    let over = |of: fn(&CellTexts) -> &Option<String>, without: &[&String]| {
        digest(columns.iter().map(|column| {
            let texts = row.get(column.as_str()).filter(|_| !without.contains(&column));
            (column.as_str(), texts.and_then(|texts| of(texts).as_ref()))
        }))
    };
    let none: &[&String] = &[];
    [fills, none].into_iter().find_map(|without| {
        let is_it = over(|texts| &texts.stored, without) == *old || over(|texts| &texts.meant, without) == *old;
        is_it.then(|| over(|texts| &texts.there, without))
    })
}

/// The cells of a row of the ledger, one after the other.
struct Cells(std::vec::IntoIter<Cell>);

impl Cells {
    fn of(row: Vec<Cell>) -> Self {
        Self(row.into_iter())
    }

    fn integer(&mut self) -> Result<i64> {
        match self.0.next() {
            Some(Cell::Integer(number)) => Ok(number),
            _ => Err(damaged()),
        }
    }

    fn size(&mut self) -> Result<u64> {
        self.integer().and_then(|number| number.try_into().map_err(|_| damaged()))
    }

    fn text(&mut self) -> Result<String> {
        match self.0.next() {
            Some(Cell::Text(text)) => Ok(text),
            _ => Err(damaged()),
        }
    }

    fn names(&mut self) -> Result<Vec<String>> {
        self.text().and_then(|text| serde_json::from_str(&text).map_err(|_| damaged()))
    }

    fn bytes(&mut self) -> Result<Option<Vec<u8>>> {
        match self.0.next() {
            Some(Cell::Blob(bytes)) => Ok(Some(bytes)),
            Some(Cell::Null) => Ok(None),
            _ => Err(damaged()),
        }
    }
}

fn damaged() -> Error {
    Error::environment("the ledger is damaged: a value of its tables is not of its kind")
        .hint("restore the database from a backup")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(stored: &str, there: &str) -> CellTexts {
        let some = |text: &str| Some(text.to_owned());
        CellTexts { stored: some(stored), meant: some(stored), there: some(there) }
    }

    #[test]
    fn a_row_as_it_was_left_gets_the_digest_of_the_other_engine_and_an_edited_one_keeps_its_own() {
        let columns = ["a".to_owned(), "b".to_owned()];
        let of = |a: &str, b: Option<&str>| digest([("a", Some(a)), ("b", b)].into_iter());
        let row = RowTexts::from([("a", texts("1", "one")), ("b", texts("2", "two"))]);
        assert_eq!(renewed(&of("1", Some("2")), &columns, &row, &[]), Some(of("one", Some("two"))));
        assert_eq!(renewed(&of("1", Some("3")), &columns, &row, &[]), None);
        // `b` was filled by a later run.
        assert_eq!(renewed(&of("1", None), &columns, &row, &[&columns[1]]), Some(of("one", None)));
        assert_eq!(renewed(&of("1", None), &columns, &row, &[]), None);
    }
}
