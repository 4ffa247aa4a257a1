//! What became of each leaf, and what the report counts of columns, catch-alls and secrets.

mod account;
pub(crate) mod found;
mod labelled;
mod leak;
mod names;
mod only;
mod reasons;
pub(crate) mod sheet;
pub(crate) mod sheets;
mod undecided;
mod unused;

pub(crate) use account::{deciding_line, declassifying};
pub(crate) use leak::holds_secret;

use crate::finding::{FileId, Finding, Place, VALUE_DEFAULTED};
use crate::import::context::Context;
use crate::import::followup::FollowUps;
use crate::import::leaves::sheet::{Mark, Reasons, Why};
use crate::import::look::Shaped;
use crate::import::plan::Plan;
use crate::import::resolve::verdict::RowFate;
use crate::import::shaping::PathTables;
use crate::import::watch::Counted;
use crate::mapping::apply::{Draft, Mapped, Origin};
use crate::mapping::declared::Doc;
use crate::mapping::usage::{MapEntries, Met};
use crate::source::Record;
use foldhash::HashMap;
use found::Leaks;
use sheets::SharedSheets;
use std::collections::{BTreeMap, BTreeSet};

/// How often each column was filled from where.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnCounts {
    /// By alternative.
    pub hits: Vec<u64>,
    /// The default.
    pub defaulted: u64,
    /// NULL.
    pub nulled: u64,
}

impl ColumnCounts {
    /// Whether a row was counted.
    pub(crate) fn is_any(&self) -> bool {
        !self.hits.is_empty() || self.defaulted > 0 || self.nulled > 0
    }
}

/// What is known of leaves.
pub(crate) struct Leaves<'p> {
    pub(crate) plan: &'p Plan,
    /// Whether documents are set aside of which something is undecided.
    sets_aside: bool,
    /// Paths met so far.
    pub(crate) paths: PathTables,
    /// The values met by each `map`.
    pub(crate) entries: MapEntries,
    /// The shapes of lines, by mapping.
    pub(crate) line_shapes: BTreeSet<(usize, usize)>,
    /// Which paths the files had, by mapping and shape.
    met: HashMap<(usize, usize), Met>,
    /// Reasons of ignored leaves.
    pub(crate) reasons: Reasons,
    /// By the number of the rule and the field.
    pub(crate) columns: Vec<Vec<ColumnCounts>>,
    /// Leaves that only a catch-all kept: mapping, path, count.
    pub(crate) caught: BTreeMap<(String, String), u64>,
    /// Rows because of which the application needs something.
    pub(crate) follow_ups: FollowUps,
    /// Secrets found in plaintext.
    pub(crate) leaks: Leaks,
    /// Sheets of records that are read again.
    pub(crate) sheets: SharedSheets,
}

impl<'p> Leaves<'p> {
    /// Nothing is known yet; documents with something undecided may be to be set aside.
    pub(crate) fn new(plan: &'p Plan, sets_aside: bool) -> Self {
        Self {
            plan,
            sets_aside,
            paths: PathTables::default(),
            entries: MapEntries::default(),
            line_shapes: BTreeSet::new(),
            met: HashMap::default(),
            reasons: Reasons::default(),
            columns: plan.rules.iter().flatten().map(|rule| vec![ColumnCounts::default(); rule.fields.len()]).collect(),
            caught: BTreeMap::new(),
            follow_ups: FollowUps::default(),
            leaks: Leaks::default(),
            sheets: SharedSheets::default(),
        }
    }

    /// Counts the leaves of a line whose shape carries nothing, as the set says.
    pub(crate) fn ignore_line(&mut self, cx: &mut Context<'_>, file: usize, shaped: &Shaped, line: u64) {
        let (mapping, shape) = (&self.plan.set.mappings[cx.mapping], shaped.shape);
        let of = &mapping.source.shapes[shape];
        let text = || (format!("{} ({})", mapping.name, of.name), of.ignore.clone().unwrap_or_default());
        let mark = Mark::ignored(self.reasons.number((cx.mapping, Why::Shape(shape)), text));
        cx.files[file].tally(|tally| (0..shaped.leaves).for_each(|_| tally.add(mark)));
        let Some(watch) = cx.watching(file) else { return };
        let mut table = self.paths.take(cx.mapping, mapping, shape);
        table.declared.learn(Doc::Record, &table.record);
        let ignored = mark.reason().map(|reason| self.reasons.text(reason));
        let (declared, paths) = (&table.declared, &table.record);
        let record = Record::of_line(line, 0);
        let counted = Counted { declared, paths, doc: Doc::Record, record, mark, ignored, lossy: None };
        let nodes = shaped.records.iter().flatten().flat_map(|record| record.tape.nodes());
        nodes.filter(|node| node.is_leaf()).for_each(|node| watch.leaf(node, &counted));
        self.paths.put_back(cx.mapping, shape, table);
    }

    pub(crate) fn learn_follow_ups(&mut self, cx: &mut Context<'_>, mapped: &Mapped, dispositions: &[RowFate]) {
        for (draft, fate) in mapped.drafts.iter().zip(dispositions) {
            if !draft.follow_up.is_empty() && fate.holds() {
                let rule = &self.plan.rules[cx.mapping][draft.rule];
                let keys = rule.table.primary_key();
                let key = keys.iter().filter_map(|column| rule.value(&draft.values, column).as_key_text());
                let row = key.collect::<Vec<_>>().join(" ");
                for name in &draft.follow_up {
                    let column = rule.model(&self.plan.set).columns.iter().find(|column| column.name == *name);
                    if let Some(message) = column.and_then(|column| column.agrees.as_ref()?.after.as_ref()) {
                        self.follow_ups.add(message, row.clone());
                    }
                }
            }
        }
    }

    pub(crate) fn count_columns(&mut self, cx: &mut Context<'_>, draft: &Draft, fate: RowFate, file: FileId) {
        if !fate.holds() && !matches!(fate, RowFate::Filled(_)) {
            return;
        }
        let rule = &self.plan.rules[cx.mapping][draft.rule];
        let counts = self.columns[rule.number as usize].iter_mut();
        for ((field, origin), counts) in rule.fields.iter().zip(&draft.origins).zip(counts) {
            match origin {
                Origin::Found(at) => {
                    let at = usize::from(*at);
                    if counts.hits.len() <= at {
                        counts.hits.resize(at + 1, 0);
                    }
                    counts.hits[at] += 1;
                }
                Origin::Defaulted => {
                    counts.defaulted += 1;
                    let message = format!("`{}` became the default", field.column.name);
                    let place = Place { file, offset: draft.at };
                    let subject = format!("{}.{}", rule.name, field.column.name);
                    cx.findings.push(Finding::new(&VALUE_DEFAULTED, message).at(place).about(subject));
                }
                Origin::Nulled => counts.nulled += 1,
                Origin::Own => {} // the mapping's own word; the source has no part in it
            }
        }
    }
}
