//! The leak proof of rows: every cell is searched for the secrets of the run, and what is found is
//! traced to the leaves that the cell was made from.

use super::Leaves;
use crate::document::tape::{Kind, NodeRef, PathId, Segment, Selection, Tape};
use crate::finding::{FileId, Finding, Place, SECRET_COPIED, SECRET_FOUND, SECRET_WORD};
use crate::import::context::Context;
use crate::import::file::Reading;
use crate::import::leaves::declassifying;
use crate::import::resolve::verdict::RowFate;
use crate::import::shaping::PathTable;
use crate::import::vault::Vault;
use crate::mapping::apply::{Claim, ClaimAs, Draft, LeafSpan, Mapped};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::model::{Root, Rooted};
use crate::row::Value;
use crate::secret::proof::{LeakSearch, digest};
use crate::secret::whole::is_strong;
use crate::source::Record;
use std::cell::OnceCell;
use std::collections::HashSet;

/// A leaf of a cell, or a member's name, in which a secret was found.
struct Leak {
    doc: Doc,
    path: PathId,
    offset: u64,
    is_name: bool,
    /// A rule or `expected` names it, and not only by `.*`.
    spelled: bool,
    declassified: bool,
    /// The digest of the secret that it is as a whole, where that cannot be by chance.
    copy_of: Option<[u8; 32]>,
}

/// What the rows of a record were made from.
struct Origin<'o> {
    reading: &'o Reading<'o>,
    table: &'o PathTable,
    record: &'o Record,
    by_name: bool,
    /// The sealed texts of the record and of the frame, once they are asked for.
    sealed: [OnceCell<HashSet<&'o str>>; 2],
}

impl Leaves<'_> {
    /// Searches what is written of a record's rows.
    pub(crate) fn search_rows(
        &mut self,
        cx: &mut Context<'_>,
        reading: &Reading,
        table: &PathTable,
        record: &Record,
        mapped: &Mapped,
        fates: &[RowFate],
    ) {
        let plan = self.plan;
        let shape = &plan.set.mappings[cx.mapping].source.shapes[reading.shaped.shape];
        let by_name = shape.records.as_ref().is_some_and(Selection::ends_in_any_member);
        let origin = Origin { reading, table, record, by_name, sealed: Default::default() };
        for (draft, fate) in mapped.drafts.iter().zip(fates) {
            if cx.writer.vault.searches_nothing() && draft.tainted.is_empty() {
                continue; // nothing can be found in it
            }
            let rule = &plan.rules[cx.mapping][draft.rule];
            for at in written(rule, draft, *fate) {
                let place = Place { file: reading.context.id, offset: draft.at };
                if draft.tainted.contains(&at) {
                    let cell = format!("`{}.{}`", rule.table.name, rule.fields[at].column.name);
                    let secret = origin.secret_of(&cx.writer.vault, draft, at);
                    let (message, offset) = match &secret {
                        Some(secret) => {
                            let (path, _) = self.path_of(cx, &origin, secret);
                            (format!("`{path}` is a secret, and {cell} would hold it in plaintext"), secret.offset)
                        }
                        None => (format!("{cell} would hold a secret in plaintext"), draft.at),
                    };
                    self.leaks.hits += 1;
                    let place = Place { offset, ..place };
                    cx.findings.push(Finding::new(&SECRET_FOUND, message).at(place).about(subject(rule, at)));
                } else if draft.unsearched.as_ref().is_none_or(|fields| fields.contains(&at))
                    && holds_secret(cx.writer.vault.search(), &draft.values[at])
                {
                    self.report_leaks(cx, &origin, rule, draft, at, place);
                }
            }
        }
    }

    #[cold]
    fn report_leaks(
        &mut self,
        cx: &mut Context<'_>,
        origin: &Origin<'_>,
        rule: &CompiledRule,
        draft: &Draft,
        at: usize,
        place: Place,
    ) {
        let claims: Vec<&Claim> = draft.claims.iter().filter(|claim| claim.field == Some(at)).collect();
        let found = origin.leaks(&cx.writer.vault, &claims, matches!(draft.values[at], Value::Json(_)));
        let cell = format!("`{}.{}`", rule.table.name, rule.fields[at].column.name);
        let warning = |message: String, place| Finding::new(&SECRET_WORD, message).at(place).about(subject(rule, at));
        if found.is_empty() {
            // It came about in a step, or was taken from a name.
            self.leaks.warned += 1;
            cx.findings.push(warning(format!("{cell} contains the value of a secret"), place));
        }
        for leak in found {
            if leak.declassified {
                self.leaks.declassified += 1;
            } else if let Some(secret) = leak.copy_of.filter(|_| !leak.spelled) {
                let finding = self.copy(cx, origin, &leak, place.file);
                self.leaks.add_copy(secret, finding);
            } else {
                self.leaks.warned += 1;
                let (path, what) = self.path_of(cx, origin, &leak);
                let what = if leak.is_name { what } else { "contains the value of a secret" };
                let message = format!("`{path}` {what}, and {cell} keeps it");
                cx.findings.push(warning(message, Place { offset: leak.offset, ..place }));
            }
        }
    }

    /// Takes down the values that a rule drops.
    pub(crate) fn note_dropped(&self, cx: &mut Context<'_>, claim: &Claim, reading: &Reading, record: &Record) {
        if let (ClaimAs::Dropped(_), LeafSpan::Nodes(doc, nodes)) = (claim.class, &claim.touch) {
            let tape = reading.tape(*doc, record);
            nodes.clone().for_each(|id| cx.writer.vault.note_dropped(tape.node(id).text()));
        }
    }

    /// A whole secret that only a catch-all keeps.
    fn copy(&mut self, cx: &mut Context<'_>, origin: &Origin<'_>, leak: &Leak, file: FileId) -> Finding {
        let (path, what) = self.path_of(cx, origin, leak);
        let mapping = &self.plan.set.mappings[cx.mapping];
        let decision = declassifying(&mapping.file);
        let message = format!("`{path}` {what}, and only a catch-all keeps it; {decision} would keep it as it is");
        let place = Place { file, offset: leak.offset };
        Finding::new(&SECRET_COPIED, message).at(place).about(format!("{}: {path}", mapping.name))
    }

    /// The path of a leaf in which a secret was found, and what it is: of a name that is one, the path of any member.
    fn path_of(&mut self, cx: &mut Context<'_>, origin: &Origin<'_>, leak: &Leak) -> (String, &'static str) {
        let mapping = &self.plan.set.mappings[cx.mapping];
        let in_frame = leak.doc == Doc::Frame && !origin.reading.is_whole();
        let steps = if in_frame {
            self.paths.frame(cx.mapping, mapping).steps(leak.path)
        } else {
            origin.table.record.steps(leak.path)
        };
        let mut steps: Vec<Segment> = steps.into_iter().cloned().collect();
        let what = if leak.is_name {
            steps.pop();
            steps.push(Segment::Members);
            "has a member's name that is the value of a secret"
        } else {
            "is the value of a secret"
        };
        let root = if in_frame { Root::Frame } else { Root::Element };
        (Rooted { root, selection: Selection(steps) }.to_string(), what)
    }

    /// Decides what is a copy of a sealed secret, once all rows are known: what was only dropped is none.
    pub(crate) fn decide_copies(&mut self, cx: &mut Context<'_>) {
        let Context { writer, findings, .. } = cx;
        self.leaks.decide(|secret| writer.vault.is_only_dropped(secret), &mut |finding| findings.push(finding));
    }
}

impl<'o> Origin<'o> {
    /// The leaves and names of a cell in which a secret is found.
    fn leaks(&self, vault: &Vault, claims: &[&Claim], is_json: bool) -> Vec<Leak> {
        let (mut found, mut known) = (Vec::new(), HashSet::new());
        let spans = claims.iter().filter_map(|claim| match &claim.touch {
            LeafSpan::Nodes(doc, nodes) => Some((*doc, nodes.clone())),
            LeafSpan::Name(_) | LeafSpan::Part(..) | LeafSpan::Lossy(..) => None,
        });
        let first = spans.clone().map(|(_, nodes)| nodes.start).min();
        for (doc, nodes) in spans {
            let tape = self.tape(doc);
            for node in nodes.map(|id| tape.node(id)) {
                let is_text = matches!(node.kind(), Kind::String | Kind::Number);
                // What the container itself is called is not written.
                let name = node.name().filter(|_| is_json && Some(node.id()) != first);
                let texts = [(false, Some(node.text()).filter(|_| is_text)), (true, name)];
                for (is_name, text) in texts.into_iter().filter_map(|(is_name, text)| Some((is_name, text?))) {
                    if known.insert((doc == Doc::Frame, node.id(), is_name)) && vault.finds_secret(text) {
                        found.push(self.leak(vault, doc, node, is_name, text));
                    }
                }
            }
        }
        found
    }

    /// The first secret among the leaves that a field was made from, as far as these are known.
    fn secret_of(&self, vault: &Vault, draft: &Draft, field: usize) -> Option<Leak> {
        let claims = draft.claims.iter().filter(|claim| claim.field == Some(field));
        let mut spans = claims.filter_map(|claim| match &claim.touch {
            LeafSpan::Nodes(doc, nodes) => Some((*doc, nodes.clone())),
            LeafSpan::Name(_) | LeafSpan::Part(..) | LeafSpan::Lossy(..) => None,
        });
        spans.find_map(|(doc, nodes)| {
            let tape = self.tape(doc);
            let mut nodes = nodes.map(|id| tape.node(id));
            let secret = nodes.find(|node| self.table.declared.facts(doc, node.path()).secret)?;
            Some(self.leak(vault, doc, secret, false, secret.text()))
        })
    }

    fn leak(&self, vault: &Vault, doc: Doc, node: NodeRef<'_>, is_name: bool, text: &str) -> Leak {
        let facts = self.table.declared.facts(doc, node.path());
        let secret = vault.whole_secret(text);
        let copied = secret.filter(|secret| is_strong(secret) || self.seals(doc, secret));
        // A scalar record was taken with whatever name it had.
        let by_name = self.by_name && doc == Doc::Record && node.id() == 0;
        Leak {
            doc,
            path: node.path(),
            offset: node.at(),
            is_name,
            spelled: facts.spelled && !by_name,
            declassified: facts.declassified,
            copy_of: copied.map(|secret| digest(&secret)),
        }
    }

    /// Whether the secret is sealed out of the same record.
    fn seals(&self, doc: Doc, secret: &str) -> bool {
        let of_doc = &self.sealed[usize::from(doc == Doc::Frame)];
        let sealed = || {
            let nodes = self.tape(doc).nodes().filter(|node| self.table.declared.facts(doc, node.path()).sealed);
            nodes.flat_map(|node| [node.text(), node.text().trim()]).collect()
        };
        of_doc.get_or_init(sealed).contains(secret)
    }

    fn tape(&self, doc: Doc) -> &'o Tape {
        self.reading.tape(doc, self.record)
    }
}

/// The fields of a row that are written: all of a new one, and what a `fill` gives.
fn written(rule: &CompiledRule, draft: &Draft, fate: RowFate) -> Vec<usize> {
    let all = 0..draft.values.len();
    match fate {
        RowFate::Inserted => all.collect(),
        RowFate::Filled(_) => {
            let is_key = |at: &usize| rule.key_fields.as_ref().is_some_and(|fields| fields.contains(at));
            all.filter(|at| !fate.differs_in(*at) && !is_key(at)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a cell holds the value of a secret.
pub(crate) fn holds_secret(search: &LeakSearch, value: &Value) -> bool {
    match value {
        Value::Text(text) | Value::Json(text) => search.finds(text),
        Value::Integer(_) | Value::Real(_) => value.as_key_text().is_some_and(|text| search.finds(&text)),
        Value::Bytes(bytes) => search.finds(&String::from_utf8_lossy(bytes)),
        Value::Null | Value::Bool(_) | Value::Civil(_) | Value::Day(_) | Value::Instant(_) | Value::Sealed(_) => false,
    }
}

fn subject(rule: &CompiledRule, at: usize) -> String {
    format!("{}.{}", rule.name, rule.fields[at].column.name)
}
