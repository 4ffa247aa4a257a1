//! What becomes of a row.

use crate::database::Cell;
use crate::finding::{Finding, Place};
use crate::row::Value;

/// What became of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RowFate {
    /// It is new.
    Inserted,
    /// It was there, and says the same.
    Unchanged,
    /// It was there, differs, and stays as it is.
    Kept,
    /// It was there, differs, and gets the source's values.
    Updated,
    /// An earlier row of its key stays.
    Superseded,
    /// A later row of its key stays.
    Replaced,
    /// A later record removes it; or it is such a record itself.
    Removed,
    /// It gave values to a row that was there; the fields of this bit mask had other values already.
    Filled(u64),
    /// There is no row that it could give values to: the rule did not take the record.
    NotTaken,
    /// Its secrets are all empty.
    Empty,
    /// Its record was rejected.
    #[default]
    Rejected,
}

impl RowFate {
    /// Whether the database has a row of it before the run that is of this key.
    pub(crate) fn is_there(self) -> bool {
        matches!(self, RowFate::Unchanged | RowFate::Kept | RowFate::Updated)
    }

    /// Whether the row holds what the record says, all of it.
    pub(crate) fn holds(self) -> bool {
        matches!(self, RowFate::Inserted | RowFate::Unchanged | RowFate::Updated)
    }

    /// Whether the rule took the record.
    pub(crate) fn is_taken(self) -> bool {
        self != RowFate::NotTaken
    }

    /// Whether the row that it gave values to has another value in this field; fields from the 63rd on share a bit.
    pub(crate) fn differs_in(self, field: usize) -> bool {
        matches!(self, RowFate::Filled(differing) if differing & (1 << field.min(63)) != 0)
    }
}

/// A row as judged, before anything is written.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) fate: RowFate,
    pub(crate) id: Option<i64>,
    /// What the target's row has in the columns that are looked up, in their order.
    pub(crate) held: Vec<Value>,
    /// The key by which the ledger knows a row of the target that is kept.
    pub(crate) row_key: Option<String>,
    /// Of a row that is updated, what it is and what changes.
    pub(crate) change: Option<Box<Change>>,
    /// The fields that are filled.
    pub(crate) fills: Vec<usize>,
    /// Where the row came from that superseded it.
    pub(crate) stayed: Option<Place>,
    /// Whether the run's counts have the row already.
    pub(crate) counted: bool,
    /// Of a row that is filled, whether the target had it before the run,
    pub(crate) existing: bool,
    /// and whether this is the first time that the run meets it.
    pub(crate) counts: bool,
    /// Whether a row of the target is in its way, or gets its values, that an earlier import made of another record of this
    /// tree: else it would be new.
    pub(crate) is_in_the_way: bool,
    /// The columns whose values are lost with the row.
    pub(crate) dropped: Vec<String>,
}

/// What a row of the target is, and what of it changes.
#[derive(Debug)]
pub(crate) struct Change {
    /// Its key as the ledger writes it.
    pub(crate) row_key: String,
    /// The fields that change.
    pub(crate) fields: Vec<usize>,
    /// What the target has, by field.
    pub(crate) cells: Vec<Cell>,
}

impl Judged {
    pub(crate) fn is(fate: RowFate) -> Self {
        Self { fate, ..Self::default() }
    }
}

pub(crate) enum Verdict {
    Is(Judged),
    Refused(Vec<Finding>),
    /// The database would reject what the record gives to a row.
    Rejected(Vec<Finding>),
    /// It is refused for rows of the target alone, which earlier imports made of files of this tree.
    InTheWay(Vec<Finding>),
}

/// Why a record is rejected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It is bad, by what is known of the rows that it looks up.
    #[default]
    Record,
    /// Other rows of the run are in its way, or rows that are not the run's.
    Rows,
    /// Rows of the target alone are in its way that an earlier import made of this tree.
    Target,
    /// The database rejects a row of it.
    Database,
}
