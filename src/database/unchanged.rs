//! Whether a row is as a run left it: what the ledger says of it, compared with what the table holds.

use super::ledger::{RunRecord, Written, digest, key_parts};
use crate::instant::Instant;
use crate::mapping::schema_default::SchemaDefault;
use crate::step::Literal;
use crate::table::{Column, ColumnType, Table};
use jiff::civil::DateTime;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// What is to become of a row when its run is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    /// It is not there any more.
    Gone,
    /// The run inserted it.
    Remove {
        /// Whether its sealed values are the tokens that the run wrote.
        sealed_alike: bool,
        /// Whether every column could be judged.
        judged: bool,
    },
    /// The run filled columns of it.
    Empty,
    /// It was there before, and the run gave it other values.
    Restore {
        /// Whether its sealed values are the tokens that the run left there.
        sealed_alike: bool,
    },
    /// It is not as the run left it.
    Changed,
    /// A part of its key is NULL, which several rows may share.
    Nameless,
}

/// What the ledger says of a row: the number of the columns, their digest, and that of the run's own.
pub(super) struct Noted {
    pub(super) columns: i64,
    pub(super) digest: Option<Vec<u8>>,
    pub(super) own: Option<Vec<u8>>,
    /// Whether the run found the row there and gave it other values: this is what all of it was then.
    pub(super) updated: bool,
    /// The digests of what is there now, where that is asked for.
    pub(super) now: Option<Digests>,
}

impl Noted {
    pub(super) fn new(columns: i64, digest: Option<Vec<u8>>, own: Option<Vec<u8>>, updated: bool) -> Self {
        Self { columns, digest, own, updated, now: None }
    }
}

/// The digests of a row, as the ledger keeps them: of its columns, and of the run's own.
pub(super) struct Digests {
    pub(super) digest: [u8; 16],
    pub(super) own: Option<[u8; 32]>,
}

/// What engines do in their own ways when rows are judged.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// Whether two names are one.
    pub(super) is_same: fn(&str, &str) -> bool,
    /// A stored text as an import writes what it means.
    pub(super) meant: for<'t> fn(&'t str, ColumnType) -> Cow<'t, str>,
}

/// Columns of a digest, and where they stand in the table; `None` for one that is there no more.
type Digested = Vec<(String, Option<usize>)>;

/// A list of columns as they are looked up in a row of the live table.
struct List {
    digested: Digested,
    clock: Digested,
    sealed: Digested,
    filled: bool,
    /// The columns outside the key that an insert of the list leaves to their defaults.
    left: Vec<usize>,
}

impl List {
    fn of(written: &Written, table: &Table, manner: Manner) -> Self {
        let at = |name: &String| table.columns.iter().position(|known| (manner.is_same)(&known.name, name));
        let placed = |names: &[String]| names.iter().map(|name| (name.clone(), at(name))).collect::<Digested>();
        let (digested, clock, sealed) = (placed(&written.digested), placed(&written.clock), placed(&written.sealed));
        let is_written = |column: usize| {
            [&digested, &clock, &sealed].iter().any(|list| list.iter().any(|(_, at)| *at == Some(column)))
        };
        let left =
            (0..table.columns.len()).filter(|&at| table.columns[at].primary_key == 0 && !is_written(at)).collect();
        Self { digested, clock, sealed, filled: written.filled, left }
    }
}

/// A row as it is stored: the texts of its cells in one piece, and which of its columns hold their defaults.
#[derive(Default)]
pub(super) struct Stored {
    text: String,
    cells: Vec<Option<Range<usize>>>,
    defaults: Vec<bool>,
}

impl Stored {
    /// Forgets the row before.
    fn clear(&mut self) {
        self.text.clear();
        self.cells.clear();
        self.defaults.clear();
    }

    /// Adds a column: `push` appends the text of its cell and says whether it has one.
    pub(super) fn add(&mut self, holds_default: bool, push: impl FnOnce(&mut String) -> bool) {
        let start = self.text.len();
        let has_text = push(&mut self.text);
        self.cells.push(has_text.then_some(start..self.text.len()));
        self.defaults.push(holds_default);
    }

    fn text(&self, at: usize) -> Option<&str> {
        self.cells[at].clone().map(|cell| &self.text[cell])
    }

    /// Whether these columns of the table hold what the digest is over, those of `as_null` taken for NULL; a time in
    /// whatever form.
    fn is_digest(&self, known: Option<&[u8]>, judge: &Judge<'_>, columns: &Digested, as_null: &BTreeSet<&str>) -> bool {
        if columns.iter().any(|(column, at)| at.is_none() && !as_null.contains(column.as_str())) {
            return false;
        }
        let is_time = |at: usize| judge.table.columns[at].kind.is_time();
        let is = |meant: bool| known == Some(&self.digest(judge, columns, as_null, meant)[..]);
        is(false) || (columns.iter().any(|(_, at)| at.is_some_and(is_time)) && is(true))
    }

    /// The digest of what these columns hold, those of `as_null` taken for NULL; a time in its stored form, or as it is
    /// `meant`.
    fn digest(&self, judge: &Judge<'_>, columns: &Digested, as_null: &BTreeSet<&str>, meant: bool) -> [u8; 16] {
        let text = |at: usize| {
            let stored = self.text(at)?;
            let kind = judge.table.columns[at].kind;
            Some(if meant { (judge.manner.meant)(stored, kind) } else { Cow::Borrowed(stored) })
        };
        digest(
            columns.iter().map(|(column, at)| {
                (column.as_str(), at.filter(|_| !as_null.contains(column.as_str())).and_then(text))
            }),
        )
    }
}

/// The times that the database may have given a column which a run did not write, in whatever form they stand there.
pub(super) struct GivenTime {
    kind: ColumnType,
    first: DateTime,
    last: DateTime,
    /// One that is given beside those between.
    also: Option<DateTime>,
}

impl GivenTime {
    /// Those of a column, where it keeps times and its default is a clock or a constant. `clock` is the text that a run
    /// of this start gives it.
    pub(super) fn of(column: &Column, run: &RunRecord, clock: &str) -> Option<Self> {
        let kind = Some(column.kind).filter(|kind| kind.is_time())?;
        match SchemaDefault::of(column)? {
            SchemaDefault::Clock => {
                let [first, last] = [run.started, run.finished].map(|time| Instant::from(time).utc());
                // A clock may have whole seconds.
                let first = first.with().subsec_nanosecond(0).build().unwrap_or(first);
                Some(Self { kind, first, last, also: kind.stored_time(clock) })
            }
            SchemaDefault::Constant(Literal::Text(text)) => {
                let time = kind.stored_time(&text)?;
                Some(Self { kind, first: time, last: time, also: None })
            }
            SchemaDefault::Constant(_) => None,
        }
    }

    /// Whether a stored text means one of them.
    fn is(&self, text: Option<&str>) -> bool {
        let time = text.and_then(|text| self.kind.stored_time(text));
        time.is_some_and(|time| (self.first..=self.last).contains(&time) || self.also == Some(time))
    }
}

/// What a column holds that a run did not write.
pub(super) struct Given {
    /// An SQL expression for whether the column of the table `t` holds its default; none for a default that gives another
    /// value each time.
    pub(super) default: Option<String>,
    /// The time that a clock gave it.
    pub(super) time: Option<GivenTime>,
}

impl Given {
    /// Anything.
    pub(super) fn anything(sql_true: &str) -> Self {
        Self { default: Some(sql_true.to_owned()), time: None }
    }
}

/// Takes a row's key, what the ledger says of it, and what is to become of it.
pub(super) type Take<'t, F> = dyn FnMut(&str, &[Noted], Disposition) -> Result<(), F> + 't;

/// Checks rows of one table.
pub(super) struct Judge<'j> {
    pub(super) table: &'j Table,
    manner: Manner,
    /// The ledger's lists of columns by their number.
    lists: HashMap<i64, List>,
    /// For each column of the table what the database gave it.
    given: Vec<Given>,
    /// Whether it also tells what the digests are now.
    renews: bool,
}

impl<'j> Judge<'j> {
    /// A judge of rows that were written in these lists of columns; `given` has one for each column of the table.
    pub(super) fn new(table: &'j Table, columns: &HashMap<i64, Written>, given: Vec<Given>, manner: Manner) -> Self {
        let lists = columns.iter().map(|(number, written)| (*number, List::of(written, table, manner))).collect();
        Self { table, manner, lists, given, renews: false }
    }

    /// One that also tells what the digests of each row are now; columns that are there no more are left out of them.
    pub(super) fn renewing(self) -> Self {
        Self { renews: true, ..self }
    }

    /// Whether the text of a column's cell is asked for.
    pub(super) fn reads(&self, at: usize) -> bool {
        let lists = self.lists.values();
        let mut digested = lists.flat_map(|list| [&list.digested, &list.clock, &list.sealed]).flatten();
        digested.any(|(_, known)| *known == Some(at)) || self.given[at].time.is_some()
    }

    /// The expression for whether a column holds its default, where that is asked for.
    pub(super) fn default(&self, at: usize) -> Option<&str> {
        let default = self.given[at].default.as_deref()?;
        self.lists.values().any(|list| list.left.contains(&at)).then_some(default)
    }

    /// What is to become of a row of this key; none is stored where it is not there.
    fn fate(&self, key: &str, noted: &[Noted], stored: Option<&Stored>) -> Disposition {
        let parts = self.table.primary_key().len();
        if key.contains("null") && key_parts(key, parts).is_some_and(|parts| parts.contains(&None)) {
            return Disposition::Nameless;
        }
        stored.map_or(Disposition::Gone, |stored| self.left(noted, stored).unwrap_or(Disposition::Changed))
    }

    /// Notes what the digests of a row are now.
    fn renew(&self, noted: &mut [Noted], stored: &Stored) {
        let list_of = |one: &Noted| self.lists.get(&one.columns);
        let fills = noted.iter().filter_map(list_of).filter(|list| list.filled);
        let filled: BTreeSet<&str> =
            fills.flat_map(|list| list.digested.iter().map(|(name, _)| name.as_str())).collect();
        let there = |columns: &Digested| columns.iter().filter(|(_, at)| at.is_some()).cloned().collect::<Digested>();
        let (none, now) = (BTreeSet::new(), |columns, as_null| stored.digest(self, &there(columns), as_null, true));
        for one in noted.iter_mut() {
            let Some(list) = self.lists.get(&one.columns) else { continue }; // the ledger is damaged: it stays as it is
            let as_null = if list.filled { &none } else { &filled };
            let own = || {
                let (clock, sealed) = (now(&list.clock, &none), now(&list.sealed, &none));
                std::array::from_fn(|at| if at < 16 { clock[at] } else { sealed[at - 16] })
            };
            let own = one.own.is_some().then(own);
            one.now = Some(Digests { digest: now(&list.digested, as_null), own });
        }
    }

    /// `None` where it is not as the run left it.
    fn left(&self, noted: &[Noted], stored: &Stored) -> Option<Disposition> {
        let known = noted.iter().map(|one| Some((one, self.lists.get(&one.columns)?)));
        let lists: Vec<(&Noted, &List)> = known.collect::<Option<_>>()?;
        // What was written last speaks of all that was written before it.
        let first = lists.iter().rposition(|(_, list)| !list.filled).unwrap_or(0);
        let lists = &lists[first..];
        let fills = lists.iter().filter(|(_, list)| list.filled);
        let filled: BTreeSet<&str> =
            fills.flat_map(|(_, list)| list.digested.iter().map(|(name, _)| name.as_str())).collect();
        let none = BTreeSet::new();
        let is = |digest: Option<&[u8]>, columns: &Digested, as_null: &BTreeSet<&str>| {
            stored.is_digest(digest, self, columns, as_null)
        };
        let is_filled_so = |(one, list): &(&Noted, &List)| is(one.digest.as_deref(), &list.digested, &none);
        if !lists.iter().filter(|(_, list)| list.filled).all(is_filled_so) {
            return None;
        }
        let Some((one, list)) = lists.first().filter(|(_, list)| !list.filled) else {
            return Some(Disposition::Empty);
        };
        let (clock, sealed) = match &one.own {
            Some(own) => own.split_at_checked(16).map(|(clock, sealed)| (Some(clock), Some(sealed)))?,
            None => (None, None),
        };
        let as_written = |digest: Option<&[u8]>, columns: &Digested| columns.is_empty() || is(digest, columns, &none);
        let is_filled = |at: usize| filled.contains(self.table.columns[at].name.as_str());
        let left = || list.left.iter().filter(|&&at| !is_filled(at));
        let is_given = |at: usize| {
            stored.defaults[at] || self.given[at].time.as_ref().is_some_and(|given| given.is(stored.text(at)))
        };
        // What was filled later was NULL when the row was inserted.
        if !is(one.digest.as_deref(), &list.digested, &filled) || !as_written(clock, &list.clock) {
            return None;
        }
        if one.updated {
            return Some(Disposition::Restore { sealed_alike: as_written(sealed, &list.sealed) });
        }
        if left().any(|&at| !is_given(at)) {
            return None;
        }
        let judged = !left().any(|&at| self.given[at].default.is_none());
        Some(Disposition::Remove { sealed_alike: as_written(sealed, &list.sealed), judged })
    }
}

/// What the ledger says of one row after the other, as an engine reads it: all of one row stands together.
pub(super) struct Judged<'j> {
    judge: &'j Judge<'j>,
    key: String,
    noted: Vec<Noted>,
    is_there: bool,
    stored: Stored,
}

impl<'j> Judged<'j> {
    pub(super) fn by(judge: &'j Judge<'j>) -> Self {
        Self { judge, key: String::new(), noted: Vec::new(), is_there: false, stored: Stored::default() }
    }

    /// Tells of the row before, where this is the key of another one or there is none any more. Whether another one
    /// begins: then comes [`Self::begin`].
    pub(super) fn next<F>(&mut self, key: Option<&str>, take: &mut Take<'_, F>) -> Result<bool, F> {
        if !self.noted.is_empty() && key != Some(self.key.as_str()) {
            let stored = self.is_there.then_some(&self.stored);
            if let Some(stored) = stored.filter(|_| self.judge.renews) {
                self.judge.renew(&mut self.noted, stored);
            }
            take(&self.key, &self.noted, self.judge.fate(&self.key, &self.noted, stored))?;
            self.noted.clear();
        }
        let begins = self.noted.is_empty() && key.is_some();
        if let Some(key) = key.filter(|_| begins) {
            key.clone_into(&mut self.key);
        }
        Ok(begins)
    }

    /// A row that begins, to be filled with what it holds.
    pub(super) fn begin(&mut self, is_there: bool) -> &mut Stored {
        self.is_there = is_there;
        self.stored.clear();
        &mut self.stored
    }

    /// Takes one thing that the ledger says of the row.
    pub(super) fn note(&mut self, noted: Noted) {
        self.noted.push(noted);
    }
}
