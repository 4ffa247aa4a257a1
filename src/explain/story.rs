//! Listens to the mapping of one file and collects what happens to its leaves.

use super::answer::{LeafStory, MOST_LEAVES, StepStory, Way};
use crate::document::tape::{Kind, NodeId, NodeRef, Paths, Segment, Tape};
use crate::finding::excerpt;
use crate::import::plan::Plan;
use crate::import::probe::{Read, Watch};
use crate::import::shaping::PathTable;
use crate::mapping::apply::{Claim, ClaimAs, Draft, LeafSpan, Made, StepTaken, Trace};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::model::OnDuplicate;
use crate::mapping::secret_values::may_be_secret;
use crate::row::Value;
use crate::secret::proof::LeakSearch;
use crate::step::Datum;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is asked about.
pub(super) struct Asked {
    pub(super) file: usize,
    pub(super) span: Range<u64>,
    /// The files that must be read for it.
    pub(super) needed: BTreeSet<usize>,
    /// Only what goes into this row: its table, and where its element begins.
    pub(super) row: Option<(String, u64)>,
}

/// Listens to one file; the others are only read for what it looks up.
pub(super) struct Listener<'p> {
    plan: &'p Plan,
    /// The secrets of the tree: no copy of one is shown.
    secrets: &'p LeakSearch,
    asked: Asked,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    /// What was begun and is not made yet, the innermost last.
    open: Vec<Making>,
    made: Vec<Making>,
    /// By offset.
    leaves: BTreeMap<u64, LeafStory>,
    more: BTreeSet<u64>,
}

/// A column's value on its way.
#[derive(Clone)]
struct Making {
    rule: usize,
    column: String,
    at: u64,
    reads: Vec<(Doc, NodeId)>,
    /// Each with the number of reads before it: it works on what was read last.
    steps: Vec<(usize, StepStory)>,
    claims: Vec<Claim>,
    value: Option<String>,
    secret: bool,
}

impl<'p> Listener<'p> {
    pub(super) fn new(plan: &'p Plan, secrets: &'p LeakSearch, asked: Asked) -> Self {
        Self { plan, secrets, asked, heard: Mutex::default() }
    }

    /// Whether a text on its way must not be shown: it holds a secret of the tree, or looks like one.
    fn is_secret(&self, text: &str) -> bool {
        self.secrets.search(text).is_some() || may_be_secret([], text)
    }

    fn holds_secret(&self, datum: &Datum) -> bool {
        match datum {
            Datum::Text(text) | Datum::Json(text) | Datum::Number(text) => self.is_secret(text),
            Datum::List(parts) => parts.iter().any(|part| self.holds_secret(part)),
            Datum::Integer(value) => self.is_secret(&value.to_string()),
            Datum::Bool(_) | Datum::Civil(_) | Datum::Instant(_) => false,
        }
    }

    /// The leaves with their offsets, in the order of the file, and how many more there are.
    pub(super) fn into_leaves(self) -> (Vec<(u64, LeafStory)>, u64) {
        let heard = self.heard.into_inner().unwrap_or_else(PoisonError::into_inner);
        (heard.leaves.into_iter().collect(), heard.more.len() as u64)
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Listener<'_> {
    fn wants(&self, file: usize) -> bool {
        self.asked.needed.contains(&file)
    }

    fn trace(&self, file: usize) -> Option<&dyn Trace> {
        (file == self.asked.file).then_some(self)
    }

    fn record(&self, read: &Read<'_>) {
        if read.file != self.asked.file {
            return;
        }
        let mut heard = self.heard();
        let made = std::mem::take(&mut heard.made);
        heard.open.clear();
        for (doc, tape) in [(Doc::Frame, read.frame), (Doc::Record, read.record.tape)] {
            let paths = if doc == Doc::Frame { read.frame_paths } else { &read.table.record };
            for node in tape.nodes().filter(|node| node.is_leaf() && self.asked.span.contains(&node.at())) {
                let judge = Judge { plan: self.plan, secrets: self.secrets, read, doc, paths, tape };
                let mut ways: Vec<Way> = made.iter().filter_map(|making| judge.way(node, making)).collect();
                if let Some((table, at)) = &self.asked.row {
                    ways.retain(|way| way.table == *table && way.at == *at && way.row.is_ok());
                    if ways.is_empty() {
                        continue; // nothing of it is in the row that is asked for
                    }
                }
                let full = heard.leaves.len() >= MOST_LEAVES;
                if full && !heard.leaves.contains_key(&node.at()) {
                    heard.more.insert(node.at());
                    continue; // counted, and said so
                }
                let leaf = heard.leaves.entry(node.at()).or_insert_with(|| judge.leaf(node));
                for way in ways {
                    add(&mut leaf.goes, way);
                }
            }
        }
    }
}

impl Trace for Listener<'_> {
    fn begin(&self, rule: &CompiledRule, column: &str, at: u64) {
        self.heard().open.push(Making {
            rule: rule.rule,
            column: column.to_owned(),
            at,
            reads: Vec::new(),
            steps: Vec::new(),
            claims: Vec::new(),
            value: None,
            secret: false,
        });
    }

    fn read(&self, doc: Doc, node: NodeId) {
        if let Some(making) = self.heard().open.last_mut() {
            making.reads.push((doc, node));
        }
    }

    fn step(&self, taken: &StepTaken<'_>) {
        if let Some(making) = self.heard().open.last_mut() {
            let after = taken.after.ok().and_then(Option::as_ref);
            making.secret |=
                taken.secret || self.holds_secret(taken.before) || after.is_some_and(|after| self.holds_secret(after));
            let after = match taken.after {
                Ok(Some(after)) => show_datum(after),
                Ok(None) => "missing".to_owned(),
                Err(why) => format!("failed: {why}"),
            };
            let before = Some(show_datum(taken.before));
            let step = StepStory { step: taken.step.name().to_owned(), before, after: Some(after) };
            making.steps.push((making.reads.len(), step));
        }
    }

    fn end(&self, made: &Made<'_>) {
        let mut heard = self.heard();
        if let Some(mut making) = heard.open.pop() {
            making.secret |=
                made.secret || made.value.and_then(Value::as_key_text).is_some_and(|text| self.is_secret(&text));
            making.claims = made.claims.iter().filter(|claim| claim.field == Some(made.field)).cloned().collect();
            making.value = made.value.map(show_value);
            // The same column made again for another one adds nothing.
            heard.made.push(making);
        }
    }
}

/// Puts a leaf and the values that were made together.
struct Judge<'j, 'r> {
    plan: &'j Plan,
    secrets: &'j LeakSearch,
    read: &'j Read<'r>,
    doc: Doc,
    paths: &'j Paths,
    tape: &'j Tape,
}

impl Judge<'_, '_> {
    fn leaf(&self, node: NodeRef<'_>) -> LeafStory {
        let facts = self.read.table.declared.facts(self.doc, node.path());
        let mapping = &self.plan.set.mappings[self.read.mapping];
        let ignored = facts.ignored.map(|at| mapping.ignore[usize::from(at)].1.clone());
        let hidden = hidden(self.read.table, self.doc, self.paths, node);
        let copy_of_secret = !hidden && self.secrets.search(node.text()).is_some();
        let value = (!hidden && !copy_of_secret).then(|| show_node(node));
        LeafStory { pointer: String::new(), line: 0, value, copy_of_secret, goes: Vec::new(), ignored }
    }

    /// The way that the leaf goes into this value, if it does.
    fn way(&self, leaf: NodeRef<'_>, making: &Making) -> Option<Way> {
        let claim = making.claims.iter().find(|claim| match &claim.touch {
            LeafSpan::Nodes(doc, nodes) => *doc == self.doc && nodes.contains(&leaf.id()),
            LeafSpan::Name(_) => false,
        });
        let is_leaf =
            |(doc, node): &(Doc, NodeId)| *doc == self.doc && self.tape.node(*node).span().contains(&leaf.id());
        if claim.is_none() && !making.reads.iter().any(is_leaf) {
            return None;
        }
        let mapping = &self.plan.set.mappings[self.read.mapping];
        let rule = &mapping.rules[making.rule];
        let compiled = &self.plan.rules[self.read.mapping][making.rule];
        let line = rule
            .columns
            .iter()
            .map(|column| (&column.name, column.line))
            .chain(rule.secrets.iter().map(|secret| (&secret.name, secret.line)))
            .find(|(name, _)| **name == making.column)
            .map_or(rule.line, |(_, line)| line);
        let how = match claim.map(|claim| claim.class) {
            Some(ClaimAs::Column) => "column",
            Some(ClaimAs::Json) => "json",
            Some(ClaimAs::Sealed) => "sealed",
            Some(ClaimAs::EmptySecret) => "empty secret",
            Some(ClaimAs::NotConvertible) => "not convertible",
            Some(ClaimAs::Dropped(_)) => "dropped",
            None => "used",
        };
        // A value that any secret is part of is never shown.
        let hides = |(doc, node): &(Doc, NodeId)| {
            *doc == self.doc && {
                let node = self.tape.node(*node);
                let below = node.span().map(|id| self.tape.node(id));
                below.filter(|node| node.is_leaf()).any(|node| hidden(self.read.table, self.doc, self.paths, node))
            }
        };
        let json = matches!(claim.map(|claim| claim.class), Some(ClaimAs::Json));
        let secret = making.secret || (!json && making.reads.iter().any(hides)) || (json && self.hidden_below(making));
        let mask = |text: &Option<String>| text.clone().filter(|_| !secret);
        let steps = making
            .steps
            .iter()
            .filter(|(reads, _)| reads.checked_sub(1).is_some_and(|last| is_leaf(&making.reads[last])))
            .map(|(_, step)| StepStory {
                step: step.step.clone(),
                before: mask(&step.before),
                after: mask(&step.after),
            })
            .collect();
        Some(Way {
            how,
            rule: rule.name.clone(),
            table: compiled.table.name.clone(),
            column: making.column.clone(),
            place: format!("{}:{line}", mapping.file),
            steps,
            value: mask(&making.value),
            row: self.row(compiled, making.at),
            note: self.note(compiled),
            at: making.at,
        })
    }

    /// Whether something secret lies below what a JSON value keeps: it is left out of the value, but
    /// it is not shown either where only a name looks secret.
    fn hidden_below(&self, making: &Making) -> bool {
        making.claims.iter().any(|claim| match &claim.touch {
            LeafSpan::Nodes(doc, nodes) if *doc == self.doc => nodes
                .clone()
                .map(|id| self.tape.node(id))
                .any(|node| node.is_leaf() && hidden(self.read.table, self.doc, self.paths, node)),
            _ => false,
        })
    }

    /// What only an import decides: which of several rows with one key stays.
    fn note(&self, rule: &CompiledRule) -> Option<&'static str> {
        let set = &self.plan.set;
        let ranked = || set.precedence.iter().any(|of| of.table == rule.table.name);
        match rule.model(set).on_duplicate {
            OnDuplicate::First | OnDuplicate::Across => Some("may be superseded by an earlier row with the same key"),
            OnDuplicate::Reject if ranked() => Some("may be superseded by an earlier row with the same key"),
            OnDuplicate::Fill => Some("written only where the column is still NULL"),
            OnDuplicate::Reject => None,
        }
    }

    /// The key of a row in words: `id = "ada"`.
    fn key_of(&self, rule: &CompiledRule, draft: &Draft) -> String {
        let fields: Vec<usize> = match &rule.key_fields {
            Some(fields) => fields.clone(),
            None => rule.table.primary_key().into_iter().filter_map(|column| rule.field(column)).collect(),
        };
        if fields.is_empty() {
            return "a generated id".to_owned();
        }
        let part = |field: &usize| {
            let (name, value) = (&rule.fields[*field].column.name, &draft.values[*field]);
            let is_secret =
                |text: String| self.secrets.search(&text).is_some() || may_be_secret([name.as_str()], &text);
            if draft.tainted.contains(field) || value.as_key_text().is_some_and(is_secret) {
                return format!("{name} = (hidden)");
            }
            format!("{name} = {}", show_value(value))
        };
        fields.iter().map(part).collect::<Vec<_>>().join(", ")
    }

    /// The key of the row that this element makes, or why there is none.
    fn row(&self, rule: &CompiledRule, at: u64) -> Result<String, String> {
        let of_this = |draft: &&Draft| draft.rule == rule.rule && draft.at == at;
        if let Some(draft) = self.read.mapped.drafts.iter().find(of_this) {
            if draft.empty {
                return Err("no row: its secrets are empty".to_owned());
            }
            return Ok(self.key_of(rule, draft));
        }
        match self.read.mapped.faults.iter().find(|(number, _)| *number == rule.rule) {
            Some((_, fault)) => Err(format!("rejected: {} {}", fault.code.id, fault.message)),
            None => Err("no row: the rule skips it".to_owned()),
        }
    }
}

/// Adds a way, unless the same is known from another turn or record.
fn add(ways: &mut Vec<Way>, way: Way) {
    let known = ways.iter().any(|other| {
        (&other.rule, &other.column, other.how, &other.row) == (&way.rule, &way.column, way.how, &way.row)
    });
    if !known {
        ways.push(way);
    }
}

/// Whether the value must not be shown: the mapping says that it is secret, or a name looks like a secret.
fn hidden(table: &PathTable, doc: Doc, paths: &Paths, node: NodeRef<'_>) -> bool {
    let steps = paths.steps(node.path());
    let names = steps.iter().filter_map(|step| match step {
        Segment::Name(name) => Some(name.as_str()),
        Segment::Members | Segment::Elements => None,
    });
    table.declared.facts(doc, node.path()).is_hidden() || may_be_secret(names, node.text())
}

fn show_node(node: NodeRef<'_>) -> String {
    match node.kind() {
        Kind::String => excerpt(node.text()),
        Kind::Number => node.text().to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Null | Kind::Record(_) => "null".to_owned(),
        Kind::Array => "[]".to_owned(),
        Kind::Object => "{}".to_owned(),
    }
}

fn show_datum(datum: &Datum) -> String {
    match datum {
        Datum::Bool(value) => value.to_string(),
        Datum::Number(text) => text.clone(),
        Datum::Text(text) => excerpt(text),
        Datum::Integer(value) => value.to_string(),
        Datum::Civil(time) => time.to_string(),
        Datum::Instant(time) => time.to_string(),
        Datum::List(parts) => {
            let shown: Vec<String> = parts.iter().take(5).map(show_datum).collect();
            let more = if parts.len() > 5 { ", …" } else { "" };
            format!("[{}{more}]", shown.join(", "))
        }
        Datum::Json(text) => cut(text),
    }
}

fn show_value(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Text(text) => excerpt(text),
        Value::Json(text) => cut(text),
        Value::Civil(time) => time.to_string(),
        // The run's start time is not known before the run.
        Value::Instant(time) if *time == jiff::Timestamp::UNIX_EPOCH.into() => "when the run starts".to_owned(),
        Value::Instant(time) => time.to_string(),
        Value::Sealed(_) => "(sealed)".to_owned(),
    }
}

/// JSON, printable and cut.
fn cut(text: &str) -> String {
    let quoted = excerpt(text);
    quoted[1..quoted.len() - 1].to_owned()
}
