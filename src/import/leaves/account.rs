//! What became of each leaf: claims of rows, `[ignore]`, and what is undecided.

use super::Leaves;
use super::labelled::is_labelled;
use super::only::{Only, rejected_in};
use super::undecided::Undecided;
use crate::document::name::NameLeaf;
use crate::document::tape::{Kind, NodeId, NodeRef, Paths, Segment, Selection, Tape};
use crate::finding::{FileId, Finding, MEMBER_CAUGHT, MEMBER_UNDECIDED, Place, SECRET_UNDECIDED, Severity};
use crate::import::context::Context;
use crate::import::file::Reading;
use crate::import::leaves::sheet::{Class, Mark, Reasons, Sheet, Why};
use crate::import::resolve::verdict::RowFate;
use crate::import::shaping::PathTable;
use crate::import::watch::Counted;
use crate::mapping::apply::{Claim, ClaimAs, empty_ends};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::{Declared, Doc, PathFacts};
use crate::mapping::model::{Mapping, Root, Rooted, Shape};
use crate::mapping::secret_values;
use crate::mapping::secret_words::{is_count, looks_secret};
use crate::source::Record;
use std::sync::Arc;

impl Leaves<'_> {
    /// The mark of what a row claims.
    #[inline]
    pub(crate) fn claim_mark(&mut self, rule: &CompiledRule, claim: &Claim, fate: RowFate) -> Mark {
        match (claim.class, fate) {
            (ClaimAs::Column, fate) if fate.holds() && claim.lossy.is_none() => Mark::of(Class::Column),
            (ClaimAs::Json, fate) if fate.holds() && claim.lossy.is_none() => Mark::of(Class::Json),
            _ => self.other_mark(rule, claim, fate),
        }
    }

    fn other_mark(&mut self, rule: &CompiledRule, claim: &Claim, fate: RowFate) -> Mark {
        let model = rule.model(&self.plan.set);
        let why = match (claim.class, fate) {
            (_, RowFate::Rejected) => return Mark::of(Class::Rejected),
            (ClaimAs::Dropped(at), _) => Why::Dropped(at),
            (_, RowFate::NotTaken) => return Mark::default(),
            (_, fate) if claim.field.is_some_and(|at| fate.differs_in(at)) => Why::Filled,
            (_, RowFate::Kept) => Why::Kept,
            (_, RowFate::Superseded) => Why::Superseded,
            (_, RowFate::Replaced) => Why::Replaced,
            (ClaimAs::Removal, _) | (_, RowFate::Removed) => Why::Removed,
            (ClaimAs::NotConvertible, _) => Why::NotConvertible(claim.field),
            (ClaimAs::Dangling, _) => Why::Dangling(claim.field),
            (ClaimAs::Skipped, _) => Why::Skipped(claim.field),
            (ClaimAs::EmptySecret, _) => Why::EmptySecret,
            (_, RowFate::Empty) => Why::Empty,
            (ClaimAs::Column | ClaimAs::Json, _) if claim.lossy.is_some() => return self.lossy_mark(rule, claim),
            (ClaimAs::Column, _) => return Mark::of(Class::Column),
            (ClaimAs::Json, _) => return Mark::of(Class::Json),
            (ClaimAs::Sealed, _) => return Mark::of(Class::Sealed),
        };
        let text = || super::reasons::said(why, rule, model);
        Mark::ignored(self.reasons.number((rule.number as usize, why), text))
    }

    /// The mark of what counts as kept although not all of it is.
    fn lossy_mark(&mut self, rule: &CompiledRule, claim: &Claim) -> Mark {
        let Some(lossy) = &claim.lossy else { return Mark::default() };
        let why = (rule.number as usize, Why::Lossy(claim.field, Arc::as_ptr(lossy) as usize));
        let name = claim.field.map_or_else(String::new, |at| format!(".{}", rule.fields[at].column.name));
        let reason = self.reasons.number(why, || (format!("{}{name}", rule.name), lossy.reason.clone()));
        Mark::lossy(claim.class == ClaimAs::Json, reason)
    }

    /// Counts the leaves of a record, each in its best class.
    pub(crate) fn account_record(
        &mut self,
        cx: &mut Context<'_>,
        reading: &Reading,
        table: &PathTable,
        record: &Record,
        mut sheet: Sheet,
    ) -> Undecided {
        let plan = self.plan;
        let mapping = &plan.set.mappings[cx.mapping];
        self.meet(cx, reading.shaped.shape, Doc::Record, &record.tape);
        self.mark_ignored(cx.mapping, &table.declared, Doc::Record, &record.tape, &mut sheet);
        let shape = &mapping.source.shapes[reading.shaped.shape];
        if sheet.rejected {
            sheet.reject_all();
        } else if let (false, Some(reason)) = (sheet.taken, &shape.otherwise) {
            let why = (cx.mapping, Why::Otherwise(reading.shaped.shape));
            let text = || (mapping.title_of(reading.shaped.shape), reason.clone());
            let reason = self.reasons.number(why, text);
            sheet.ignore_rest(reason);
        }
        // Of a record that is a scalar, the name is that of the member that it was.
        let by_name = shape.records.as_ref().is_some_and(Selection::ends_in_any_member);
        let name = record.names.last().filter(|_| by_name).map(String::as_str);
        let names = Some((shape, record.names.len()));
        let judged = Judged {
            mapping,
            declared: &table.declared,
            paths: &table.record,
            doc: Doc::Record,
            name,
            names,
            only: None,
        };
        self.report_leaves(cx, reading, &judged, &record.tape, &sheet, (record.number, record.span.start))
    }

    /// Counts the leaves of the frame, once all records have claimed what they take from it.
    pub(crate) fn account_frame(
        &mut self,
        cx: &mut Context<'_>,
        reading: &mut Reading,
        has_records: bool,
    ) -> (Undecided, Vec<String>) {
        let plan = self.plan;
        let mapping = &plan.set.mappings[cx.mapping];
        let shape = &mapping.source.shapes[reading.shaped.shape];
        let Some(records) = &shape.records else { return <_>::default() };
        self.meet(cx, reading.shaped.shape, Doc::Frame, &reading.shaped.frame);
        let mut sheet = std::mem::take(&mut reading.frame_sheet);
        if let Some(earlier) = cx.files[reading.file].take_sheet(reading.frame_number()) {
            sheet.merge(&earlier);
        }
        let table = self.paths.take(cx.mapping, mapping, reading.shaped.shape);
        let paths = std::mem::take(self.paths.frame(cx.mapping, mapping));
        self.mark_ignored(cx.mapping, &table.declared, Doc::Frame, &reading.shaped.frame, &mut sheet);
        for end in empty_ends(reading.shaped.frame.root(), &records.0) {
            sheet.claim(end.node.span(), Mark::of(Class::Column));
        }
        let part = plan.taken.part_of(reading.file);
        let only = part.map(|part| Only::of(&reading.shaped.frame, &part.frame));
        if !has_records {
            let why = (cx.mapping, Why::NoRecords(reading.shaped.shape));
            let text = || (mapping.title_of(reading.shaped.shape), "no records".to_owned());
            let reason = self.reasons.number(why, text);
            sheet.ignore_rest(reason);
        }
        let judged = Judged {
            mapping,
            declared: &table.declared,
            paths: &paths,
            doc: Doc::Frame,
            name: None,
            names: None,
            only,
        };
        let undecided = self.report_leaves(cx, reading, &judged, &reading.shaped.frame, &sheet, (0, 0));
        let is_counted =
            |node, name: Option<&NameLeaf>| name.map_or_else(|| judged.has(node), |name| judged.has_name(name));
        let any = cx.files[reading.file].counts().rejected > 0;
        let rejected = if any { rejected_in(&reading.shaped.frame, &sheet, &is_counted) } else { Vec::new() };
        *self.paths.frame(cx.mapping, mapping) = paths;
        self.paths.put_back(cx.mapping, reading.shaped.shape, table);
        (undecided, rejected)
    }

    fn mark_ignored(&mut self, number: usize, declared: &Declared, doc: Doc, tape: &Tape, sheet: &mut Sheet) {
        let mapping = &self.plan.set.mappings[number];
        if mapping.ignore.is_empty() {
            return;
        }
        for node in tape.nodes() {
            if let Some(at) = declared.facts(doc, node.path()).ignored {
                let text = || {
                    let (covering, reason, _) = &mapping.ignore[usize::from(at)];
                    (format!("{}: {covering}", mapping.name), reason.clone())
                };
                let mark = Mark::ignored(self.reasons.number((number, Why::Ignored(at)), text));
                sheet.claim(node.id()..node.id() + 1, mark);
                if sheet.names().contains_key(&NameLeaf::OfNode(node.id())) {
                    sheet.claim_name(NameLeaf::OfNode(node.id()), mark);
                }
            }
        }
    }

    fn report_leaves(
        &mut self,
        cx: &mut Context<'_>,
        reading: &Reading,
        judged: &Judged,
        tape: &Tape,
        sheet: &Sheet,
        (record, start): (u64, u64),
    ) -> Undecided {
        let mut undecided = Undecided::default();
        cx.files[reading.file].tally(|tally| match &judged.only {
            None => sheet.count(tape, tally),
            Some(only) => only.count(sheet, tally),
        });
        let (file, watch) = (reading.context.id, cx.watching(reading.file));
        for (name, mark) in sheet.names().iter().filter(|(name, _)| judged.has_name(name)) {
            let at = match name {
                NameLeaf::OfNode(node) => tape.node(*node).at(),
                NameLeaf::OfRecord(_) => start,
            };
            watch.inspect(|watch| watch.name(*name, at, &judged.counted(&self.reasons, record, *mark)));
            if mark.class() == Class::Unmapped {
                let mut message = "no rule keeps this member's name".to_owned();
                match name {
                    NameLeaf::OfNode(node) => {
                        let path = judged.show(judged.steps(tape.node(*node)));
                        let line = deciding_line(&path, &judged.mapping.file);
                        message = format!("{message}, which `key_as` would give to a rule; {line} would leave it out");
                    }
                    NameLeaf::OfRecord(at) => {
                        if let Some(context) = judged.called(*at) {
                            let line = deciding_line(&format!("#{context}"), &judged.mapping.file);
                            message = format!("{message}; {line} would leave it out");
                        }
                    }
                }
                let finding = Finding::new(&MEMBER_UNDECIDED, message).at(Place { file, offset: at });
                self.undecided(cx, finding.about(judged.mapping.name.clone()), &mut undecided);
            }
        }
        for node in tape.nodes().filter(|node| node.is_leaf() && judged.has(node.id())) {
            let mark = sheet.mark(node.id());
            watch.inspect(|watch| watch.leaf(node, &judged.counted(&self.reasons, record, mark)));
            self.report_leaf(cx, judged, file, (node, mark.class()), &mut undecided);
        }
        undecided
    }

    fn report_leaf(
        &mut self,
        cx: &mut Context<'_>,
        judged: &Judged,
        file: FileId,
        (node, class): (NodeRef, Class),
        undecided: &mut Undecided,
    ) {
        let facts = judged.declared.facts(judged.doc, node.path());
        let kept = matches!(class, Class::Column | Class::Json | Class::Unmapped);
        let caught = class == Class::Json && !facts.named && facts.ignored.is_none();
        let in_plaintext = matches!(class, Class::Column | Class::Json);
        self.leaks.declassified += u64::from(facts.released && in_plaintext && says_something(node));
        let secret = if kept { judged.looks_secret(facts, node, class) } else { None };
        if class != Class::Unmapped && !caught && secret.is_none() {
            return;
        }
        let steps = judged.steps(node);
        // Names beyond the limit share a path, and an entry for it would cover the other members as well.
        let shared = steps.contains(&Segment::Members);
        let path = judged.show(steps);
        let subject = format!("{}: {path}", judged.mapping.name);
        let place = Place { file, offset: node.at() };
        if class == Class::Unmapped {
            let message = if shared {
                format!(
                    "no rule keeps `{path}`: the object has too many different names to distinguish them; \
                     select its members with `.*`, or keep the object with `json`"
                )
            } else {
                format!("no rule keeps `{path}`; {} would ignore it", deciding_line(&path, &judged.mapping.file))
            };
            let help = if node.kind() == Kind::String && is_json(node.text()) {
                Some(JSON_INSIDE)
            } else {
                facts.named.then_some(ONLY_READ)
            };
            let finding = Finding::new(&MEMBER_UNDECIDED, message).at(place).about(subject.clone());
            self.undecided(cx, finding.helped_by(help), undecided);
        }
        if let Some(secret) = secret {
            let what = if secret.is_empty() { String::new() } else { format!(" ({secret})") };
            let message = format!(
                "`{path}` looks like a secret{what}, and nothing decides it; {} would keep it as it is",
                declassifying(&judged.mapping.file)
            );
            self.leaks.undecided += 1;
            cx.findings.push(Finding::new(&SECRET_UNDECIDED, message).at(place).about(subject.clone()));
        }
        if caught {
            *self.caught.entry((judged.mapping.name.clone(), path.clone())).or_default() += 1;
            let severity = if self.plan.set.refuse_unknown { Severity::Error } else { Severity::Warning };
            let message = format!("only a catch-all keeps `{path}`");
            let finding = Finding::new(&MEMBER_CAUGHT, message).at(place).about(subject).weighing(severity);
            self.undecided(cx, finding, undecided);
        }
    }
}

/// What leaves are checked against.
struct Judged<'j> {
    mapping: &'j Mapping,
    declared: &'j Declared,
    paths: &'j Paths,
    doc: Doc,
    /// The name of the member that the record is, where `.*` selected it.
    name: Option<&'j str>,
    /// How many names lead to the record, and the shape that calls them.
    names: Option<(&'j Shape, usize)>,
    /// The leaves that are counted, where not all are.
    only: Option<Only>,
}

impl Judged<'_> {
    fn has(&self, node: NodeId) -> bool {
        self.only.as_ref().is_none_or(|only| only.has(node))
    }

    fn has_name(&self, name: &NameLeaf) -> bool {
        self.only.as_ref().is_none_or(|only| only.has_name(name))
    }

    /// What `key_as` calls the n-th name on the way to the record.
    fn called(&self, at: u32) -> Option<&str> {
        self.names.and_then(|(shape, of)| shape.called(at as usize, of))
    }

    fn steps(&self, node: NodeRef) -> Vec<Segment> {
        self.paths.steps(node.path()).into_iter().cloned().collect()
    }

    fn name_of(&self, node: NodeRef) -> Option<&str> {
        self.paths.steps(node.path()).into_iter().rev().find_map(|step| match step {
            Segment::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// A leaf as it is told to who watches.
    fn counted<'c>(&'c self, reasons: &'c Reasons, record: u64, mark: Mark) -> Counted<'c> {
        let said = mark.reason().map(|reason| (reasons.text(reason), reasons.is_lossy(reason)));
        let ignored = said.filter(|(_, lossy)| !lossy).map(|(text, _)| text);
        let lossy = said.filter(|(_, lossy)| *lossy).map(|((_, why), _)| why);
        Counted { doc: self.doc, declared: self.declared, paths: self.paths, record, mark, ignored, lossy }
    }

    /// A path as an entry of `[ignore]` names it.
    fn show(&self, steps: Vec<Segment>) -> String {
        let root = if self.doc == Doc::Frame { Root::Frame } else { Root::Element };
        Rooted { root, selection: Selection(steps) }.to_string()
    }

    /// Whether a leaf that is kept looks like a secret and nothing says that it may be: by its name
    /// (then the text is empty), or by its value, in words.
    fn looks_secret(&self, facts: PathFacts, node: NodeRef, class: Class) -> Option<&'static str> {
        let hides_nothing = match node.kind() {
            Kind::String => node.text().is_empty(),
            Kind::Number => false,
            _ => true,
        };
        if hides_nothing || facts.declassified || facts.secret {
            return None;
        }
        // A scalar record has no name of its own.
        let name = self.name.filter(|_| node.id() == 0);
        let spelled = facts.spelled && name.is_none();
        if facts.suspicious || (facts.in_suspicious && !spelled) || name.is_some_and(looks_secret) {
            let called = name.or_else(|| self.name_of(node)).unwrap_or_default();
            let counts = node.kind() == Kind::Number && is_count(called, node.text());
            return (!counts).then_some("");
        }
        if spelled || class == Class::Unmapped {
            return None;
        }
        if is_labelled(node) {
            return Some("a member beside it says so");
        }
        if node.kind() != Kind::String {
            return None;
        }
        secret_values::recognise(node.text())
    }
}

/// Whether a leaf says anything that could be a secret.
fn says_something(node: NodeRef<'_>) -> bool {
    matches!(node.kind(), Kind::String | Kind::Number) && !node.text().is_empty()
}

/// What to do about a string that holds a document of its own.
const JSON_INSIDE: &str = "it is JSON inside of a string: name it under `from_json` to read what it holds, or keep it in a text column as it is";

/// What to do about a value that a rule reads where that keeps nothing of it.
const ONLY_READ: &str = "a rule reads it and keeps nothing of it here: its row is not made, or a step takes only a part (say with `lossy` why that is enough). Keep it in another column, or ignore it with a reason";

/// Whether a string holds an object or a list of its own.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// The line of TOML that ignores something, and the file it belongs into.
pub(crate) fn deciding_line(what: &str, file: &str) -> String {
    // A JSON string is a basic string of TOML.
    let quoted = serde_json::Value::from(what);
    format!("`{quoted} = \"why\"` under [ignore] in {file}")
}

/// What lets a column keep what looks like a secret, and the file it belongs into.
pub(crate) fn declassifying(file: &str) -> String {
    format!("`declassify = \"why\"` beside its column in {file}")
}
