//! What a verification finds while the tree is read: for each row that a record gives, whether the database has it.

use crate::database::ledger;
use crate::finding::{FileId, Place};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A row of the database: a digest of its table and key.
pub(crate) type RowId = [u8; 16];

/// The row of a table of this number that has this key, as the ledger writes it.
pub(crate) fn row_id(table: usize, row_key: &str) -> RowId {
    ledger::digest(std::iter::once((table.to_string().as_str(), Some(row_key))))
}

/// Why a value cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unverified {
    /// A hash does not say of what it is one.
    Hashed,
    /// It was handed over to the application in a format of its own.
    HandedOver,
    /// It is sealed, and no key was given.
    NoKey,
    /// What gave the row is rejected now, so that it is not known what it should be.
    Rejected,
}

impl Unverified {
    /// In words, for a count of rows.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Hashed => "they hold a hash, which cannot be compared with what it was made of",
            Self::HandedOver => "they hold a sealed value that was handed over to the application",
            Self::NoKey => "they hold a sealed value, and no passphrase or key was given",
            Self::Rejected => "what gave them is rejected now",
        }
    }
}

/// How the rows of a table compare, while the tree is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Rows that records give.
    pub(crate) given: u64,
    /// Those of them that the database has.
    pub(crate) found: u64,
    /// Those that it has as far as they could be compared, by why the rest could not be.
    pub(crate) unverified: BTreeMap<Unverified, u64>,
    /// Rows without a key that earlier runs wrote, and that no record gives any more; with where they came from.
    pub(crate) left: Vec<(Place, u64)>,
}

impl Tally {
    /// How many rows could not be compared as a whole.
    pub(crate) fn unverified_rows(&self) -> u64 {
        self.unverified.values().sum()
    }
}

/// A row that the database has otherwise.
#[derive(Debug)]
pub(crate) struct Different {
    pub(crate) row: RowId,
    pub(crate) table: usize,
    /// The number of the rule.
    pub(crate) rule: u32,
    pub(crate) place: Place,
    /// The columns, in words with both values; none for more than [`MOST_SHOWN`] of a table.
    pub(crate) columns: Vec<String>,
    /// Whether it holds another secret.
    pub(crate) in_secret: bool,
}

/// A row that the database has not.
#[derive(Debug)]
pub(crate) struct Missing {
    /// Its key, where that is known without the database.
    pub(crate) row: Option<RowId>,
    pub(crate) table: usize,
    pub(crate) rule: u32,
    pub(crate) place: Place,
}

/// A column that a record leaves NULL, and in which the database has something: another record may give that.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) column: String,
    pub(crate) words: String,
}

/// The part of a tree that is asked for. All of it is read: what a row holds may come of several files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// Mappings; none for all.
    pub(crate) mappings: Vec<String>,
    /// Owners by id or directory; none for all.
    pub(crate) owners: Vec<String>,
}

impl Asked {
    /// Whether everything is.
    pub(crate) fn is_all(&self) -> bool {
        self.mappings.is_empty() && self.owners.is_empty()
    }

    /// Whether a file is that a mapping of this name reads, of an owner with this id and directory.
    pub(crate) fn has(&self, mapping: &str, owner: [Option<&str>; 2]) -> bool {
        let is_owner = |name: &String| owner.contains(&Some(name.as_str()));
        (self.mappings.is_empty() || self.mappings.iter().any(|name| name == mapping))
            && (self.owners.is_empty() || self.owners.iter().any(is_owner))
    }
}

/// Of so many rows of a table the columns are kept in words: a report shows fewer.
const MOST_SHOWN: usize = 1_000;

/// What is known so far.
#[derive(Debug, Default)]
pub(crate) struct Verifier {
    tables: Vec<Tally>,
    /// The rows of the database that records gave.
    pub(crate) met: HashSet<RowId>,
    pub(crate) different: Vec<Different>,
    /// Where each of them is.
    of_row: HashMap<RowId, usize>,
    pub(crate) missing: Vec<Missing>,
    open: HashMap<RowId, (Different, Vec<Open>)>,
    /// What is asked for.
    pub(crate) asked: Asked,
    /// The files that were read for what others take of them, and that are not asked for.
    pub(crate) unasked: HashSet<FileId>,
    /// The formats in which columns were handed over, as far as that was asked.
    pub(crate) handed_over: HashMap<(String, String), bool>,
    /// How many rows were told with their columns, by table.
    shown: Vec<usize>,
}

impl Verifier {
    /// The counts of the table of this number.
    pub(crate) fn tally(&mut self, table: usize) -> &mut Tally {
        if self.tables.len() <= table {
            self.tables.resize(table + 1, Tally::default());
        }
        &mut self.tables[table]
    }

    /// Whether the row of a record is in the database, and no other record's row: then it is compared.
    pub(crate) fn meets(&mut self, row: RowId, table: usize) -> bool {
        let is_new = self.met.insert(row);
        if is_new {
            self.tally(table).found += 1;
        }
        is_new
    }

    /// Notes that a row differs, in more columns where it does already.
    pub(crate) fn differs(&mut self, mut one: Different) {
        if let Some(at) = self.of_row.get(&one.row) {
            self.different[*at].columns.append(&mut one.columns);
            self.different[*at].in_secret |= one.in_secret;
            return;
        }
        if self.shown.len() <= one.table {
            self.shown.resize(one.table + 1, 0);
        }
        self.shown[one.table] += 1;
        if self.shown[one.table] > MOST_SHOWN {
            one.columns.clear();
        }
        self.of_row.insert(one.row, self.different.len());
        self.different.push(one);
    }

    /// Whether a row is known to differ.
    pub(crate) fn is_different(&self, row: &RowId) -> bool {
        self.of_row.contains_key(row)
    }

    /// Keeps columns of a row that another record may have given; `one` is how the row differs where none has.
    pub(crate) fn leave_open(&mut self, one: Different, columns: Vec<Open>) {
        self.open.insert(one.row, (one, columns));
    }

    /// Notes that a record gave a column of a row.
    pub(crate) fn close(&mut self, row: &RowId, column: &str) {
        if let Some((_, columns)) = self.open.get_mut(row) {
            columns.retain(|open| open.column != column);
        }
    }

    /// Takes columns that no record gave for different, once all were read.
    pub(crate) fn close_all(&mut self) {
        let mut left: Vec<_> = std::mem::take(&mut self.open).into_values().collect();
        left.retain(|(_, columns)| !columns.is_empty());
        left.sort_by_key(|(one, _)| (one.place, one.table, one.row));
        for (one, columns) in left {
            self.differs(Different { columns: columns.into_iter().map(|open| open.words).collect(), ..one });
        }
    }
}
