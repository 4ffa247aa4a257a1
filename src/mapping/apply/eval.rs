//! Expressions: from a record to a value, with the leaves it was made from.

use super::condition::View;
use super::draft::{Fault, Found};
use super::fit::{as_key_text, has_text, is_same_text, literal_datum, to_datum};
use super::maker::{Aside, Dangling, RowMaker, Trail, Wrote, first_place};
use super::path::Reached;
use super::scope::{Operand, Scope, Stop};
use super::settled::settled;
use super::span::{LeafSpan, Marks};
use super::trace::StepTaken;
use crate::decimal::Decimal;
use crate::document::tape::{Kind, NodeRef};
use crate::finding::{Severity, VALUE_NULL_IF, VALUE_ROUNDED, VALUE_STEP};
use crate::mapping::declared::{Doc, PathFacts};
use crate::mapping::keyindex::{KeyText, Need};
use crate::mapping::model::{Condition, Expr, From, PathExpr, PathStep, Picked, ReadAs, Root, Sought};
use crate::step::{Datum, Look, Step};

impl<'a, 't> RowMaker<'a, 't> {
    /// Evaluates an expression. What the value was made from, and can be got back from, is added to the trail.
    pub(super) fn eval(&mut self, expr: &Expr, scope: &Scope<'_, 't>, trail: &mut Trail) -> Result<Operand<'t>, Stop> {
        // Most expressions are a path and nothing else.
        if let From::Path(path @ PathExpr { root: Root::Element | Root::Record | Root::Frame, .. }) = &expr.from
            && expr.is_bare()
        {
            let (before, reads) = (trail.len(), self.reads.take());
            let got = self.path(path, scope, trail);
            self.reads = reads;
            return match reads {
                Some(reads) => self.read(reads, expr, got?, trail, before),
                None => got,
            };
        }
        match &expr.lossy {
            None => self.eval_kept(expr, scope, trail),
            Some(lossy) => {
                let (got, read) = self.noting_reads(|maker| maker.eval_kept(expr, scope, trail));
                if matches!(got, Ok(Operand::Null | Operand::Node(..) | Operand::Datum(_))) {
                    self.lose(read, lossy, trail);
                }
                got
            }
        }
    }

    fn eval_kept(&mut self, expr: &Expr, scope: &Scope<'_, 't>, trail: &mut Trail) -> Result<Operand<'t>, Stop> {
        // Each alternative is read by itself, so that what is compared with the chosen one is read, too.
        let Some(reads) = self.reads.filter(|_| !self.is_passed_on(expr)) else {
            return self.unread(expr, scope, trail);
        };
        self.reads = None;
        let before = trail.len();
        let got = self.unread(expr, scope, trail);
        self.reads = Some(reads);
        self.read(reads, expr, got?, trail, before)
    }

    /// Whether what the expression gives is evaluated as the column's own expression would be.
    fn is_passed_on(&self, expr: &Expr) -> bool {
        let is_let = |name: &str| self.compiled.field(name).is_none();
        expr.steps.is_empty()
            && match &expr.from {
                From::First(_) => true,
                From::Path(PathExpr { root: Root::Column(name), .. }) => self.reads.is_some() && is_let(name),
                _ => false,
            }
    }

    /// Evaluates an expression, whatever the column that its value is for.
    fn unread(&mut self, expr: &Expr, scope: &Scope<'_, 't>, trail: &mut Trail) -> Result<Operand<'t>, Stop> {
        if let Some(when) = &expr.when
            && !self.condition(when, scope)?
        {
            return Ok(Operand::Missing);
        }
        let before = trail.len();
        let read = self.read_so_far();
        let mut got = self.source(expr, scope, trail)?;
        if !expr.without.is_empty() {
            got = self.cut(got, &expr.without, trail)?;
            self.read_only(read, &trail[before..]); // what is cut out is not read
        }
        if expr.steps.is_empty() {
            return Ok(got);
        }
        self.steps(&expr.steps, (expr, None), got, trail, before)
    }

    /// Reads a value that is not of its column's type.
    fn read(
        &mut self,
        reads: &ReadAs,
        expr: &Expr,
        got: Operand<'t>,
        trail: &mut Trail,
        before: usize,
    ) -> Result<Operand<'t>, Stop> {
        let is_read = match &got {
            Operand::Missing | Operand::Null => true,
            Operand::Node(node, _) if node.is_container() => true, // the type says what is wrong with it
            Operand::Node(node, _) => reads.names_only || reads.holds(&to_datum(*node)?),
            Operand::Datum(datum) => (reads.names_only && !is_name(expr)) || reads.holds(datum),
        };
        if is_read { Ok(got) } else { self.steps(&reads.steps, (expr, Some(reads)), got, trail, before) }
    }

    /// Whether a condition beside an expression holds; it claims nothing, and what it tests shows in no value.
    fn condition(&mut self, when: &Condition, scope: &Scope<'_, 't>) -> Result<bool, Stop> {
        let flags = (self.tainted, self.clock, self.hidden, self.chosen);
        let (voids, dangling, reads) = (self.voids.take(), self.dangling.take(), self.reads.take());
        let asides = self.asides.len();
        let reading = self.reading.take();
        let holds = super::condition::holds(when, &mut RuleView { maker: self, scope });
        (self.voids, self.dangling, self.reads, self.reading) = (voids, dangling, reads, reading);
        self.asides.truncate(asides);
        (self.tainted, self.clock, self.hidden, self.chosen) = flags;
        holds
    }

    fn steps(
        &mut self,
        steps: &[Step],
        (expr, reads): (&Expr, Option<&ReadAs>),
        got: Operand<'t>,
        trail: &mut Trail,
        before: usize,
    ) -> Result<Operand<'t>, Stop> {
        let (mut applied, mut keeps) = (0, true);
        let (mut datum, at, shown) = match got {
            Operand::Missing | Operand::Null => return Ok(got),
            Operand::Node(node, doc) if node.kind() == Kind::String && self.scope.trace.is_none() => {
                let mut made = None;
                // A text that is only tested, or found in, is read where it is.
                while let (None, Some(step)) = (&made, steps.get(applied)) {
                    if self.ends_on_empty && node.text().is_empty() {
                        break; // as below
                    }
                    match step.look(node.text()) {
                        Some(Look::Holds) => {}
                        Some(Look::Finds(text)) => made = Some(Datum::Text(text.to_owned())),
                        Some(Look::Missing) => {
                            trail.truncate(before);
                            return Ok(Operand::Missing);
                        }
                        None => break,
                    }
                    keeps &= step.keeps();
                    applied += 1;
                }
                (made.map_or_else(|| to_datum(node), Ok)?, Some(node.at()), Some((node, doc)))
            }
            Operand::Node(node, doc) if node.is_container() && steps[0].takes_containers() => {
                let mut document = String::new();
                self.container(node, doc, &[], trail, &mut document);
                (Datum::Json(document), Some(node.at()), None)
            }
            Operand::Node(node, _) if node.kind() == Kind::Object && steps[0].is_test() => {
                trail.truncate(before);
                return Ok(Operand::Missing);
            }
            Operand::Node(node, doc) => {
                if node.is_container() && !node.is_leaf() {
                    trail.push(LeafSpan::Nodes(doc, node.span())); // the steps work on all of its elements
                    self.taint_from_below(node, doc);
                }
                (to_datum(node)?, Some(node.at()), Some((node, doc)))
            }
            // A step of a `let` or of an inner expression made it.
            Operand::Datum(datum) => (datum, first_place(&trail[before..], self.scope), None),
        };
        for (i, step) in steps.iter().enumerate().skip(applied) {
            if self.ends_on_empty && matches!(&datum, Datum::Text(text) if text.is_empty()) {
                break; // the policy decides, not the steps that are left
            }
            keeps &= step.keeps();
            let given = (self.scope.trace.is_some() || step.is_counted()).then(|| datum.clone());
            let is_list = matches!(datum, Datum::List(_));
            let applied = if self.clock { step.apply_to_start(datum) } else { step.apply(datum) };
            if let (Some(trace), Some(given)) = (self.scope.trace, &given) {
                let secret = self.tainted;
                trace.step(&StepTaken { step, before: given, after: applied.as_ref(), secret });
            }
            match applied {
                Ok(Some(next)) => {
                    if let Some(given) = given.filter(|_| step.is_counted()) {
                        self.count(&given, &next, at);
                    }
                    datum = next;
                    self.splits |= !is_list && matches!(datum, Datum::List(_));
                    if matches!(datum, Datum::Null) {
                        break;
                    }
                }
                Ok(None) => {
                    trail.truncate(before);
                    return Ok(Operand::Missing);
                }
                Err(why) => {
                    // What a step says may quote the value.
                    let why = if self.hidden || self.tainted { "it cannot convert the value".to_owned() } else { why };
                    let why = match reads {
                        Some(reads) => format!("the value cannot be read as {}: {why}", reads.declared),
                        None => format!("step {} `{}`: {why}", i + 1, step.name()),
                    };
                    let fault = Fault::new(&VALUE_STEP, why).at(at);
                    let is_hidden = |node: NodeRef, doc| self.scope.declared.facts(doc, node.path()).is_hidden();
                    let found = shown.filter(|(node, doc)| !is_hidden(*node, *doc));
                    let found = found.and_then(|(node, _)| written(node)).map(Found::Value);
                    return Err(Fault { found, line: expr.line, ..fault }.into());
                }
            }
        }
        if !keeps {
            trail.truncate(before);
        }
        Ok(if matches!(datum, Datum::Null) { Operand::Null } else { Operand::Datum(datum) })
    }

    /// Notes that a step made null of a value, or rounded it.
    fn count(&mut self, given: &Datum, next: &Datum, at: Option<u64>) {
        let is_shown = !self.hidden && !self.tainted;
        let mut words = String::from("a value");
        if is_shown {
            words.clear();
            given.write_json(&mut words);
        }
        let (code, message) = match (given, next) {
            (_, Datum::Null) => (&VALUE_NULL_IF, format!("{words} is NULL, as `null_if` says")),
            (Datum::Text(text) | Datum::Number(text), Datum::Number(rounded))
                if Decimal::of(text) != Decimal::of(rounded) =>
            {
                let to = if is_shown { format!(" to {rounded}") } else { String::new() };
                (&VALUE_ROUNDED, format!("{words} is rounded{to}"))
            }
            _ => return,
        };
        let fault = Fault::new(code, message).at(at);
        self.asides.push(Aside { severity: Severity::Note, fault, left: None });
    }

    fn source(&mut self, expr: &Expr, scope: &Scope<'_, 't>, trail: &mut Trail) -> Result<Operand<'t>, Stop> {
        match &expr.from {
            From::Path(path) => self.path(path, scope, trail),
            From::Literal(literal) => Ok(Operand::Datum(literal_datum(literal))),
            From::Null => Ok(Operand::Null),
            From::First(all) => self.first(all, scope, trail),
            // `on_empty` is about the value, not about the parts that it is made of.
            _ if self.ends_on_empty => {
                self.ends_on_empty = false;
                let got = self.source(expr, scope, trail);
                self.ends_on_empty = true;
                got
            }
            From::Selected(rooted) => self.selected(expr, rooted, scope, trail),
            From::Template(pieces) => self.template(pieces, scope, trail),
            From::Join { parts, with } => self.join(parts, with, scope, trail),
            From::Object(members) => {
                let mut out = String::with_capacity(128);
                Ok(match self.object(members, scope, trail, &mut out)? {
                    Wrote::Value => Operand::Datum(Datum::Json(out)),
                    _ => Operand::Missing,
                })
            }
            From::Each(each) => self.each_of(each, scope, trail),
            From::Digest { how, of, list } => {
                let before = trail.len();
                let got = self.digest(*how, of, *list, scope, trail);
                trail.truncate(before); // one-way: claims nothing
                got
            }
            From::Lookup(ways) => self.lookup(ways, scope, trail),
        }
    }

    /// The column of the first row that is there.
    fn lookup(&mut self, ways: &[Sought], scope: &Scope<'_, 't>, trail: &mut Trail) -> Result<Operand<'t>, Stop> {
        let before = trail.len();
        let (mut null, outer_dangling) = (false, self.dangling.take());
        for row in ways {
            let outer = std::mem::take(&mut self.hidden);
            let (key, mut read) = self.noting_reads(|maker| maker.by(row, scope, trail));
            let hidden = std::mem::replace(&mut self.hidden, outer) || self.tainted;
            self.hidden |= hidden;
            let key = match key? {
                Key::Known(key) => key,
                Key::Null => {
                    null = true;
                    continue;
                }
                Key::Missing => continue,
            };
            let index = scope.index.ok_or(Stop::Asks)?;
            if index.needed(row.number) != Need::ForNothing {
                self.draft.needs.push((row.number, key.clone()));
            }
            let found = index.lookup(row.number, &key).map_err(|_| Stop::Later).transpose();
            if let Some(value) = found {
                self.dangling = outer_dangling;
                return value.map(|value| Operand::of_value(&value));
            }
            let at = first_place(&read, scope);
            let columns = row.columns().map(str::to_owned);
            let key = (!hidden).then(|| columns.zip(key.parts().map(str::to_owned)).collect());
            read.extend(self.dangling.take().into_iter().flat_map(|before| before.touched));
            self.dangling = Some(Dangling { table: row.table.clone(), key, at, touched: read });
            trail.truncate(before); // nothing is written that contains them
        }
        let dangles = self.dangling.is_some();
        self.dangling = self.dangling.take().or(outer_dangling);
        Ok(if null && !dangles { Operand::Null } else { Operand::Missing })
    }

    pub(super) fn path(
        &mut self,
        path: &PathExpr,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
    ) -> Result<Operand<'t>, Stop> {
        match &path.root {
            Root::Element | Root::Record | Root::Frame => {
                let doc = scope.doc_of(&path.root);
                Ok(match self.reach(path, scope)? {
                    Reached::Node(node) => self.node(node, doc, trail),
                    Reached::Void(node) => {
                        self.note_void(LeafSpan::Nodes(doc, node.span()));
                        Operand::Missing
                    }
                    Reached::Part(part) => {
                        self.read_part(scope, trail);
                        Operand::Datum(part)
                    }
                    Reached::Nothing => Operand::Missing,
                })
            }
            Root::Context(name) => {
                self.clock |= name == "started";
                let before = trail.len();
                let got = scope.context(name, trail);
                self.note_read(&trail[before..]);
                Ok(got)
            }
            Root::Column(name) => self.other(name, scope, trail),
            root @ (Root::Parent(_) | Root::Above { .. }) => self.value_above(root),
            Root::Outside => Ok(Operand::Missing),
        }
    }

    /// Where a path in a document leads. What its picks compare with is worked out first, and claims nothing.
    pub(super) fn reach(&mut self, path: &PathExpr, scope: &Scope<'_, 't>) -> Result<Reached<'t>, Stop> {
        let is_picked = |step: &PathStep| matches!(step, PathStep::Pick { equals: Picked::Path(_), .. });
        if !path.steps.iter().any(is_picked) {
            return Ok(scope.reach(path, &[]));
        }
        let mut picked = Vec::new();
        for step in &path.steps {
            if let PathStep::Pick { equals: Picked::Path(path), .. } = step {
                let reading = self.reading.take();
                let got = self.path(path, scope, &mut Vec::new());
                self.reading = reading;
                picked.push(got?);
            }
        }
        Ok(scope.reach(path, &picked))
    }

    /// The element is a part of a text, which is read with it.
    fn read_part(&mut self, scope: &Scope<'_, 't>, trail: &mut Trail) {
        let Some(part) = &scope.part else { return };
        let Marks { tainted, clock, hidden } = part.marks;
        self.tainted |= tainted;
        self.clock |= clock;
        self.hidden |= hidden;
        let before = trail.len();
        for span in &part.of {
            if let LeafSpan::Nodes(doc, nodes) = span {
                if let Some(trace) = self.scope.trace {
                    trace.read(*doc, nodes.start);
                }
                trail.push(LeafSpan::Part(*doc, nodes.clone()));
            } else {
                trail.push(span.clone());
            }
        }
        self.note_read(&trail[before..]);
    }

    /// A node at the end of a path, with its place in the trail.
    pub(super) fn node(&mut self, node: NodeRef<'t>, doc: Doc, trail: &mut Trail) -> Operand<'t> {
        if node.is_leaf() {
            trail.push(LeafSpan::Nodes(doc, node.span()));
        }
        if let Some(read) = &mut self.reading {
            read.push(LeafSpan::Nodes(doc, node.span()));
        }
        if node.kind() == Kind::Null {
            self.note_void(LeafSpan::Nodes(doc, node.span()));
            return Operand::Null;
        }
        let facts = self.scope.declared.facts(doc, node.path());
        self.tainted |= self.hides_of(facts);
        self.hidden |= facts.is_hidden();
        if let Some(trace) = self.scope.trace {
            trace.read(doc, node.id());
        }
        Operand::Node(node, doc)
    }

    /// What is made from a container is as secret as anything below it.
    fn taint_from_below(&mut self, node: NodeRef<'t>, doc: Doc) {
        for below in node.span().map(|id| node.sibling(id)) {
            let facts = self.scope.declared.facts(doc, below.path());
            self.tainted |= self.hides_of(facts);
            self.hidden |= facts.is_hidden();
        }
    }

    /// Whether a node is secret, or lies below a secret path.
    pub(super) fn hides(&self, node: NodeRef, doc: Doc) -> bool {
        self.hides_of(self.scope.declared.facts(doc, node.path()))
    }

    fn hides_of(&self, facts: PathFacts) -> bool {
        facts.secret && !self.sealing && !(self.declassifying && facts.declassified)
    }

    fn first(&mut self, all: &[Expr], scope: &Scope<'_, 't>, trail: &mut Trail) -> Result<Operand<'t>, Stop> {
        let mut null = false;
        for (i, expr) in all.iter().enumerate() {
            let before = trail.len();
            let read = self.read_so_far();
            let flags = (self.tainted, self.clock);
            match self.eval(expr, scope, trail)? {
                Operand::Missing => {
                    trail.truncate(before);
                    self.read_only(read, &[]); // no value came of it
                    (self.tainted, self.clock) = flags;
                }
                // That it was null shows in the column's value.
                Operand::Null => null = true,
                got => {
                    let flags = (self.tainted, self.clock);
                    self.claim_equals(&all[i + 1..], &got, scope, trail)?;
                    (self.tainted, self.clock) = flags;
                    self.chosen = Some(i);
                    return Ok(got);
                }
            }
        }
        Ok(if null { Operand::Null } else { Operand::Missing })
    }

    /// An alternative that was not chosen but has the same value counts as the chosen one.
    fn claim_equals(
        &mut self,
        rest: &[Expr],
        chosen: &Operand<'t>,
        scope: &Scope<'_, 't>,
        trail: &mut Trail,
    ) -> Result<(), Stop> {
        if rest.is_empty() || (!has_text(chosen) && self.reading.is_none()) {
            return Ok(());
        }
        let number = is_number(chosen);
        for expr in rest {
            let before = trail.len();
            let asides = self.asides.len();
            let read = self.read_so_far();
            let same = match self.eval(expr, scope, trail) {
                Ok(Operand::Null) => true,
                Ok(Operand::Missing) => {
                    self.read_only(read, &[]); // no value came of it
                    false
                }
                Ok(other) => is_number(&other) == number && has_text(chosen) && is_same_text(chosen, &other),
                Err(Stop::Asks) => return Err(Stop::Asks),
                Err(_) => false,
            };
            self.asides.truncate(asides);
            if !same {
                trail.truncate(before);
            }
        }
        Ok(())
    }

    /// The key that a `by` table gives.
    fn by(&mut self, row: &Sought, scope: &Scope<'_, 't>, trail: &mut Trail) -> Result<Key, Stop> {
        let before = trail.len();
        let mut key = KeyText::default();
        let (mut null, mut nulled) = (false, Vec::new());
        for (at, by) in row.by.iter().enumerate() {
            let start = trail.len();
            let reads = self.compiled.by_reads(row.number, at);
            let outer = std::mem::replace(&mut self.reads, reads);
            let got = self.eval(&by.expr, scope, trail);
            self.reads = outer;
            let got = settled(got?, reads);
            match as_key_text(&got) {
                Some(text) => key.push(&text),
                None if matches!(got, Operand::Null) => {
                    null = true;
                    nulled.extend(trail.drain(start..)); // what is written shows that it is null
                }
                None => {
                    trail.truncate(before);
                    return Ok(Key::Missing);
                }
            }
        }
        if null {
            trail.truncate(before);
            trail.append(&mut nulled);
            return Ok(Key::Null);
        }
        Ok(Key::Known(key))
    }

    /// Whether a row exists; claims nothing.
    pub(super) fn exists_row(&mut self, row: &Sought, scope: &Scope<'_, 't>) -> Result<bool, Stop> {
        Ok(match self.by(row, scope, &mut Vec::new())? {
            Key::Known(key) => scope.index.ok_or(Stop::Asks)?.contains(row.number, &key),
            Key::Null | Key::Missing => false,
        })
    }
}

/// The key of a row that is looked for: without one of its parts there is none, and with one that is null it is null.
enum Key {
    Known(KeyText),
    Null,
    Missing,
}

/// A scalar as it is written in the source.
fn written(node: NodeRef) -> Option<String> {
    match node.kind() {
        Kind::Bool(value) => Some(value.to_string()),
        Kind::String | Kind::Number => Some(node.text().to_owned()),
        Kind::Null | Kind::Array | Kind::Object | Kind::Record(_) => None,
    }
}

/// Whether an expression gives a capture or the name of a member, which are texts whatever they say.
fn is_name(expr: &Expr) -> bool {
    match &expr.from {
        From::Path(PathExpr { root: Root::Context(name), .. }) => !name.starts_with("owner."),
        _ => false,
    }
}

/// Whether it is written as a number, which `1` is and `"1"` is not.
fn is_number(got: &Operand) -> bool {
    match got {
        Operand::Node(node, _) => node.kind() == Kind::Number,
        Operand::Datum(datum) => matches!(datum, Datum::Number(_) | Datum::Integer(_)),
        Operand::Missing | Operand::Null => false,
    }
}

/// A rule's condition looks at the record through its maker.
pub(super) struct RuleView<'m, 's, 'a, 't> {
    pub(super) maker: &'m mut RowMaker<'a, 't>,
    pub(super) scope: &'s Scope<'s, 't>,
}

impl<'t> View<'t> for RuleView<'_, '_, '_, 't> {
    fn look(&mut self, path: &PathExpr) -> Result<Operand<'t>, Stop> {
        Ok(match path.root {
            Root::Element | Root::Record | Root::Frame => match self.maker.reach(path, self.scope)? {
                Reached::Node(node) => Operand::of_node(node, self.scope.doc_of(&path.root)),
                Reached::Part(part) => Operand::Datum(part),
                Reached::Void(_) | Reached::Nothing => Operand::Missing,
            },
            _ => self.maker.path(path, self.scope, &mut Vec::new())?,
        })
    }
    fn exists(&mut self, row: &Sought) -> Result<bool, Stop> {
        self.maker.exists_row(row, self.scope)
    }
}
