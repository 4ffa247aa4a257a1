//! The resolver: what becomes of each row, by keys, owners and the rows that are there already. It is the
//! only place where that is decided, once per row, in plan order.

mod answers;
mod ask;
mod candidate;
mod compare;
mod decide;
mod dropped;
mod earlier;
mod existing;
mod fill;
mod gone;
mod judge;
mod last;
mod lasts;
mod leftover;
mod mark;
mod missing;
mod open;
mod own;
mod refill;
mod replay;
mod settle;
mod turns;
mod twins;
pub(crate) mod verdict;
mod verify;

pub(crate) use candidate::Candidate;
pub(crate) use compare::both;
pub(crate) use decide::Decision;
pub(crate) use verdict::Cause;

use crate::database::lines::Left;
use crate::error::Result;
use crate::finding::{FileId, Finding, Place};
use crate::import::context::Context;
use crate::import::owners::OwnerTable;
use crate::import::plan::{Plan, SourcePattern};
use crate::import::stored::Stored;
use crate::mapping::apart::Apart;
use crate::mapping::apply::Owner;
use crate::mapping::keyindex::{Ahead, KeyIndex, KeyText};
use crate::mapping::model::OnExisting;
use crate::row::Value;
use answers::Answers;
use foldhash::HashMap;
use gone::{Earlier, Missing};
use lasts::Lasts;
use open::Open;
use std::borrow::Cow;
use std::collections::HashSet;
use turns::Told;
use twins::Kept;

/// What is known of rows before anything is read.
#[derive(Debug)]
pub(crate) struct Foreknown {
    /// Which rows there will be.
    pub(crate) ahead: Ahead,
    /// Whether rows of earlier runs are taken for rows that this one will make.
    pub(crate) hides_own: bool,
    /// Files of which they are not, though these are as large as they were.
    pub(crate) changed: HashSet<FileId>,
}

/// Decides what becomes of rows.
pub(crate) struct Resolver<'p> {
    pub(crate) plan: &'p Plan,
    /// Keys of rows.
    pub(crate) index: KeyIndex,
    /// Owners.
    pub(crate) owners: OwnerTable,
    /// What happens to rows that the target has and that differ, where a rule says nothing.
    pub(crate) existing: Option<OnExisting>,
    /// How rows of the chunk at hand stand that the target has and that differ, by table and key.
    standing: std::collections::HashMap<(String, String), Left>,
    /// Rows of earlier runs that may not be given any more.
    missing: Missing,
    /// Rows of earlier runs.
    earlier: Earlier,
    /// The last record of each key, where that one counts.
    lasts: Lasts,
    /// What finds rows that a verification compares.
    told: Told,
    /// What rows say that stay where others of their key are dropped.
    kept: Kept,
    /// Keys that are not ASCII, by a hash of their canonical form: a hash of how they were first met, and where.
    forms: HashMap<u64, (u64, Place)>,
    /// How many keys found no room among them.
    pub(crate) forms_left: u64,
    /// What stands apart, where it is noted.
    pub(crate) apart: Option<&'p Apart>,
    /// Whether a row was met that may be of an owner who is not read.
    pub(crate) met_others: bool,
    /// Whether files leave rows that earlier runs made of them.
    pub(crate) leaves_rows: bool,
    /// Rows of the target that a record of this run differed from: the number of its rule, and its place.
    differing: HashMap<(usize, KeyText), (u32, Place)>,
    /// What judging the record at hand found, to be reported when it is settled.
    noted: Vec<Finding>,
    /// The same of rows that an earlier import made of later records of this tree: of a record that is rejected there is
    /// nothing to be said of them.
    noted_of_own: Vec<Finding>,
    /// The keys that were added to `differing`, in order.
    differed: Vec<(usize, KeyText)>,
    /// The numbers of the tables of which ids were given, in order.
    ids: Vec<usize>,
    /// What rows hold that no record has given them yet.
    open: Open,
    /// What the database said of the chunk at hand.
    answers: Answers,
    /// What was added to `folds`, in order.
    counted: Vec<(usize, KeyText, SourcePattern)>,
    /// How many rows of a key each source pattern gave so far, where rows fold across source patterns.
    folds: HashMap<(usize, KeyText), Vec<(SourcePattern, u32)>>,
}

impl<'p> Resolver<'p> {
    /// A resolver that knows no more than this.
    pub(crate) fn new(plan: &'p Plan, Foreknown { ahead, hides_own, changed }: Foreknown) -> Self {
        Self {
            plan,
            index: KeyIndex::new(plan.specs.all.clone(), plan.specs.sites.clone()).looking(ahead, hides_own),
            owners: OwnerTable::default(),
            existing: None,
            missing: Missing::default(),
            standing: std::collections::HashMap::new(),
            earlier: Earlier { changed, ..Earlier::default() },
            told: Told::default(),
            lasts: Lasts::default(),
            kept: Kept::default(),
            forms: HashMap::default(),
            forms_left: 0,
            apart: None,
            met_others: false,
            leaves_rows: false,
            differing: HashMap::default(),
            noted: Vec::new(),
            noted_of_own: Vec::new(),
            differed: Vec::new(),
            ids: Vec::new(),
            open: Open::default(),
            answers: Answers::default(),
            counted: Vec::new(),
            folds: HashMap::default(),
        }
    }

    /// Adds rows of the target to the key index, where something looks them up.
    pub(crate) fn learn_target(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.answers = Answers::new(self.plan, |table| cx.writer.rows_before(table));
        if cx.writer.is_verifying() {
            self.told.keep_digests();
        }
        self.learn_same_files(cx)?;
        for (number, spec) in self.plan.specs.all.iter().enumerate() {
            let looked_up = !spec.wanted.is_empty() || spec.is_looked_up;
            if looked_up && cx.writer.rows_before(&spec.table) > 0 {
                self.learn_table(cx, number, spec)?;
            }
        }
        Ok(())
    }

    /// Owners that the target has.
    pub(crate) fn learn_owners(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some(owners) = &self.plan.set.owners else { return Ok(()) };
        if cx.writer.rows_before(&owners.table) == 0 {
            return Ok(());
        }
        let columns: Vec<&str> = self.plan.owner_columns.iter().map(String::as_str).collect();
        let stored = Stored::of(self.plan, &owners.table, &columns);
        for cells in cx.writer.transaction()?.select(&owners.table, &columns, None)? {
            let values = self.plan.owner_columns.iter().cloned().zip(stored.values(cells));
            let values: Vec<(String, Value)> = values.collect();
            if let Some(id) = values.first().and_then(|(_, value)| value.as_key_text()).map(Cow::into_owned) {
                self.owners.add_existing(Owner { id, columns: values });
            }
        }
        self.learn_made_owners(cx, &owners.table)
    }

    /// Owners that earlier runs made in directories of which this one does not read the file that makes them: of rejects
    /// that come back the rest of the tree is not read.
    fn learn_made_owners(&mut self, cx: &mut Context<'_>, table: &str) -> Result<()> {
        let plan = self.plan;
        let makes = (0..plan.rules.len()).any(|mapping| plan.makes_owners(mapping));
        if !plan.taken.is_replay() || !makes {
            return Ok(());
        }
        for record in cx.writer.transaction()?.earlier_files()? {
            let Some((mapping, Some(directory))) = plan.reader_of(&record.path) else { continue }; // it makes none
            if plan.makes_owners(mapping) {
                for row in cx.writer.transaction()?.earlier_rows_of(record.id, table)? {
                    let at = Place { file: FileId(0), offset: row.offset };
                    self.owners.make(&directory, &row.row_key, at);
                }
            }
        }
        Ok(())
    }

    /// Forgets what belonged to one owner.
    pub(crate) fn end_owner(&mut self) {
        self.index.end_owner();
        self.folds.clear();
        self.kept.end_owner();
        self.open.end_owner();
    }

    /// Frees what only reading needs.
    pub(crate) fn forget_keys(&mut self) {
        self.index = KeyIndex::default();
        self.answers = Answers::default();
        self.folds = HashMap::default();
        self.earlier = Earlier::default();
        self.told = Told::default();
        self.lasts = Lasts::default();
        self.kept = Kept::default();
        self.open = Open::default();
        self.forms = HashMap::default();
        self.differing = HashMap::default();
    }
}
