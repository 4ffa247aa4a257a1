//! Puts a leaf together with the values that were made of it, and with what became of their rows.

use super::answer::{By, StepStory, Way};
use super::asked::RowId;
use super::show::{hidden, show_value};

use crate::document::tape::{NodeId, NodeRef, Tape};
use crate::import::leaves::sheet::{Class, Mark};
use crate::import::plan::Plan;
use crate::import::resolve::verdict::RowFate;
use crate::import::watch::Seen;
use crate::mapping::apply::{Claim, ClaimAs, Draft, LeafSpan};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::secret_values::may_be_secret;
use crate::secret::proof::LeakSearch;
use jiff::Timestamp;

/// A column's value on its way.
#[derive(Default)]
pub(super) struct Making {
    pub(super) of: RowId,
    pub(super) column: String,
    /// Its number in the rule, once it is made.
    pub(super) field: Option<usize>,
    pub(super) reads: Vec<(Doc, NodeId)>,
    /// Each with the number of reads before it: it works on what was read last.
    pub(super) steps: Vec<(usize, StepStory)>,
    pub(super) value: Option<String>,
    pub(super) secret: bool,
}

impl Making {
    pub(super) fn new(of: RowId, column: &str) -> Self {
        Self { of, column: column.to_owned(), ..Self::default() }
    }
}

/// Leaves that a row claims, and what that counts as.
pub(super) struct Claimed {
    pub(super) of: RowId,
    pub(super) touch: LeafSpan,
    class: ClaimAs,
    field: Option<usize>,
    pub(super) mark: Mark,
    pub(super) by: By,
}

impl Claimed {
    pub(super) fn new(plan: &Plan, mapping: usize, draft: &Draft, claim: &Claim, mark: Mark) -> Self {
        let (model, compiled) = (&plan.set.mappings[mapping].rules[draft.rule], &plan.rules[mapping][draft.rule]);
        let column = match (claim.class, claim.field) {
            (ClaimAs::Dropped(at), _) => model.drops[at].selection.to_string(),
            (_, Some(field)) => compiled.fields[field].column.name.clone(),
            (_, None) => String::new(),
        };
        let by = By { rule: model.name.clone(), table: compiled.table.name.clone(), column };
        let Claim { touch, class, field, .. } = claim.clone();
        Self { of: RowId::of(draft), touch, class, field, mark, by }
    }
}

/// What is known of a record once its rows have their fate.
pub(super) struct Judge<'j> {
    pub(super) plan: &'j Plan,
    pub(super) mapping: usize,
    pub(super) secrets: &'j LeakSearch,
    pub(super) seen: &'j Seen<'j>,
    /// The document that leaves are of.
    pub(super) doc: Doc,
    pub(super) tape: &'j Tape,
    pub(super) claims: &'j [Claimed],
    /// Why the record was rejected, if it was.
    pub(super) rejected: Option<&'j str>,
    pub(super) started: Timestamp,
}

impl Judge<'_> {
    /// The ways that a leaf goes: into values, and where it is claimed and no value is made of it.
    pub(super) fn ways(&self, leaf: NodeRef<'_>, made: &[Making]) -> Vec<Way> {
        let claims: Vec<&Claimed> = self.claims.iter().filter(|claimed| self.claims_leaf(claimed, leaf)).collect();
        let is_made =
            |claimed: &Claimed| made.iter().any(|making| claimed.field.is_some() && self.is_of(claimed, making));
        let left: Vec<Making> = claims
            .iter()
            .filter(|claimed| !is_made(claimed))
            .map(|claimed| Making { field: claimed.field, ..Making::new(claimed.of, &claimed.by.column) })
            .collect();
        made.iter().chain(&left).filter_map(|making| self.way(leaf, making, &claims)).collect()
    }

    fn claims_leaf(&self, claimed: &Claimed, leaf: NodeRef<'_>) -> bool {
        matches!(&claimed.touch, LeafSpan::Nodes(doc, nodes) if self.is_here(*doc) && nodes.contains(&leaf.id()))
    }

    /// Whether a document is the one that leaves are of: a whole document is its own frame.
    fn is_here(&self, doc: Doc) -> bool {
        doc == self.doc || (self.doc == Doc::Record && self.seen.frame.is_empty())
    }

    fn is_of(&self, claimed: &Claimed, making: &Making) -> bool {
        (claimed.of, claimed.field) == (making.of, making.field)
            && (making.field.is_some() || claimed.by.column == making.column)
    }

    /// The way that the leaf goes into this value, if it does.
    fn way(&self, leaf: NodeRef<'_>, making: &Making, claims: &[&Claimed]) -> Option<Way> {
        let claim = claims.iter().copied().find(|claimed| self.is_of(claimed, making));
        let is_leaf =
            |(doc, node): &(Doc, NodeId)| self.is_here(*doc) && self.tape.node(*node).span().contains(&leaf.id());
        if claim.is_none() && !making.reads.iter().any(is_leaf) {
            return None;
        }
        let mapping = &self.plan.set.mappings[self.mapping];
        let rule = &mapping.rules[making.of.rule];
        let compiled = &self.plan.rules[self.mapping][making.of.rule];
        let line = rule
            .columns
            .iter()
            .map(|column| (&column.name, column.line))
            .map(|(name, line)| (name.clone(), line))
            .chain(rule.drops.iter().map(|drop| (drop.selection.to_string(), drop.line)))
            .find(|(name, _)| *name == making.column)
            .map_or(rule.line, |(_, line)| line);
        let secret = making.secret || self.is_of_secret(making, claim);
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
        let fate = self.draft(making).map(|(_, fate)| fate);
        let how = claim.map_or("used", |claimed| how(claimed, fate));
        let (row, note) = self.row(compiled, making, how);
        Some(Way {
            how,
            rule: rule.name.clone(),
            table: compiled.table.name.clone(),
            column: making.column.clone(),
            place: format!("{}:{line}", mapping.file),
            steps,
            value: mask(&making.value),
            hidden: secret,
            row,
            note,
            of: making.of,
        })
    }

    /// Whether any secret is part of a value, which is then never shown.
    fn is_of_secret(&self, making: &Making, claim: Option<&Claimed>) -> bool {
        let hides = |id: NodeId| {
            let (node, table) = (self.tape.node(id), self.seen.table);
            let paths = if self.doc == Doc::Frame { self.seen.frame_paths } else { &table.record };
            node.is_leaf() && hidden(&table.declared, self.doc, paths, node)
        };
        if claim.is_some_and(|claimed| claimed.class == ClaimAs::Json) {
            // It is left out of the value, but it is not shown either where only a name looks secret.
            return self.claims.iter().filter(|claimed| self.is_of(claimed, making)).any(|claimed| {
                matches!(&claimed.touch, LeafSpan::Nodes(doc, nodes) if self.is_here(*doc) && nodes.clone().any(hides))
            });
        }
        let mut reads = making.reads.iter().filter(|(doc, _)| self.is_here(*doc));
        reads.any(|(_, node)| self.tape.node(*node).span().any(hides))
    }

    /// The row that this value is of, and what became of it.
    fn draft(&self, making: &Making) -> Option<(&Draft, RowFate)> {
        let drafts = self.seen.mapped.drafts.iter().zip(self.seen.fates);
        let mut of_this = drafts.filter(|(draft, _)| RowId::of(draft) == making.of);
        of_this.next().map(|(draft, fate)| (draft, *fate))
    }

    /// The key of the row that this element makes, or why there is none; and what else became of it.
    fn row(&self, rule: &CompiledRule, making: &Making, how: &str) -> (Result<String, String>, Option<&'static str>) {
        let Some((draft, fate)) = self.draft(making) else {
            let is_faulty = self.seen.mapped.faults.iter().any(|(number, _)| *number == rule.rule);
            return match self.rejected.filter(|_| is_faulty) {
                Some(why) => (Err(format!("rejected: {why}")), None),
                None => (Err("no row: the rule skips it".to_owned()), None),
            };
        };
        let key = self.key_of(rule, draft);
        match fate {
            RowFate::Inserted => (Ok(key), None),
            RowFate::Unchanged => (Ok(key), Some("it is there already, and says the same")),
            RowFate::Kept => (Ok(key), Some("it is there already and differs: the database's is kept")),
            RowFate::Updated => (Ok(key), Some("it is there already and differs: it gets these values")),
            RowFate::Filled(_) if how == "superseded" => (Ok(key), Some("superseded by the value that the row has")),
            RowFate::Filled(_) => (Ok(key), Some("fills a row that is there")),
            RowFate::Superseded => (Err(format!("superseded by an earlier row of the same key: {key}")), None),
            RowFate::Replaced => (Err(format!("superseded by a later row of the same key: {key}")), None),
            RowFate::Removed => {
                (Err(format!("removed by a later record of the same key, or removes such rows: {key}")), None)
            }
            RowFate::NotTaken => (Err(format!("no row: there is none to fill with {key}")), None),
            RowFate::Empty => (Err("no row: its secrets are empty".to_owned()), None),
            RowFate::Rejected => (Err(format!("rejected: {}", self.rejected.unwrap_or("its record is"))), None),
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
                |text: std::borrow::Cow<str>| self.secrets.finds(&text) || may_be_secret([name.as_str()], &text);
            if draft.tainted.contains(field) || value.as_key_text().is_some_and(is_secret) {
                return format!("{name} = (hidden)");
            }
            format!("{name} = {}", show_value(value, self.started))
        };
        fields.iter().map(part).collect::<Vec<_>>().join(", ")
    }
}

/// What became of a leaf on this way.
fn how(claimed: &Claimed, fate: Option<RowFate>) -> &'static str {
    match (claimed.mark.class(), claimed.class) {
        (Class::Ignored, ClaimAs::Dropped(_)) => "dropped",
        (Class::Ignored, class) => match fate {
            Some(RowFate::Superseded | RowFate::Replaced) => "superseded",
            Some(RowFate::Kept) => "kept",
            Some(RowFate::Removed) => "removed",
            Some(fate) if claimed.field.is_some_and(|at| fate.differs_in(at)) => "superseded",
            _ if class == ClaimAs::NotConvertible => "not convertible",
            _ if class == ClaimAs::Dangling => "leads nowhere",
            _ if class == ClaimAs::Skipped => "skipped",
            _ if class == ClaimAs::EmptySecret => "empty secret",
            _ => "no row",
        },
        (Class::Unmapped, _) => "not taken",
        (class, _) => class.name(),
    }
}
