//! One row: its columns evaluated in any order, each once, all faults at once.

use super::draft::{Claim, ClaimAs, Draft, Fault, Origin};
use super::eval::RuleView;
use super::fit::as_key_text;
use super::maker::{Above, Aside, Dangling, RowMaker, Trail};
use super::scope::{Current, FileContext, Operand, Scope, Stop};
use super::settled::settled;
use super::span::LeafSpan;
use super::trace::Made;
use super::unmade::Memo;
use crate::document::tape::Tape;
use crate::finding::{Severity, VALUE_NULLED, VALUE_TYPE};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::{Declared, Doc};
use crate::mapping::keyindex::KeyIndex;
use crate::mapping::model::{ColumnRule, Expr, From, OnDuplicate, PathExpr, ReadAs, Root, Rule};
use crate::row::Value;
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::OnceLock;

/// Up to so many leaves, comparing them one by one is faster than hashing.
const FEW: usize = 16;

/// Why there is no row, and as much of it as could be made.
pub(super) struct NoRow {
    pub(super) faults: Vec<Fault>,
    pub(super) draft: Draft,
    pub(super) why: Why,
}

/// Why there is no row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It is bad, or the rule does not take the element.
    NotMade,
    /// A policy said that there is none.
    Policy,
    /// It asks for other rows, and they are not known yet.
    Asks,
}

impl<'a, 't> RowMaker<'a, 't> {
    pub(super) fn new(
        rules: &'a [Rule],
        compiled: &'a CompiledRule,
        scope: &'a Scope<'a, 't>,
        above: Above<'a>,
    ) -> Self {
        let count = compiled.fields.len();
        let (node, at) = match &scope.element {
            Current::Node(node) => (Some(node.id()), node.at()),
            Current::Datum(_) => (None, scope.record.at()),
        };
        let draft = Draft {
            rule: compiled.rule,
            node,
            at,
            position: scope.position,
            values: vec![Value::Null; count],
            secrets: Vec::new(),
            clock: Vec::new(),
            tainted: Vec::new(),
            origins: vec![Origin::Own; count],
            key: None,
            parent: above.parent,
            above: above.element,
            part: scope.part.clone(),
            claims: Vec::with_capacity(count),
            empty: false,
            removes: false,
            ids_above: Vec::new(),
            names: Vec::new(),
            named: Arc::clone(&scope.names),
            differing: Vec::new(),
            follow_up: Vec::new(),
            later: Vec::new(),
            needs: Vec::new(),
            unmade: None,
            unsearched: None,
        };
        let memo = (0..count).map(|_| Memo::Unknown).collect();
        Self::of(rules, compiled, scope, above, (draft, memo))
    }

    /// One that goes on with a row.
    pub(super) fn of(
        rules: &'a [Rule],
        compiled: &'a CompiledRule,
        scope: &'a Scope<'a, 't>,
        above: Above<'a>,
        (draft, memo): (Draft, Vec<Memo>),
    ) -> Self {
        Self {
            scope,
            tainted: false,
            without_secret: false,
            clock: false,
            hidden: false,
            sealing: false,
            declassifying: false,
            ends_on_empty: false,
            splits: false,
            reads: None,
            voids: None,
            dangling: None,
            asides: Vec::new(),
            reading: None,
            chosen: None,
            field: None,
            spare: Trail::new(),
            rule: &rules[compiled.rule],
            rules,
            compiled,
            above,
            memo,
            faults: Vec::new(),
            anew: false,
            draft,
        }
    }

    /// The row, of which `keys_only` decide whether there is one, and its key; without faults where the rule does not
    /// take the element.
    pub(super) fn make(mut self, keys_only: bool) -> Result<Draft, Box<NoRow>> {
        if let Some(when) = &self.rule.when {
            let scope = self.scope;
            match super::condition::holds(when, &mut RuleView { maker: &mut self, scope }) {
                Ok(true) | Err(Stop::Later) => {}
                Ok(false) => return Err(self.no_row(Why::NotMade)),
                Err(stop) => return Err(self.stopped(stop)),
            }
        }
        if let Some(delete) = &self.rule.delete {
            let scope = self.scope;
            match super::condition::holds(delete, &mut RuleView { maker: &mut self, scope }) {
                Ok(true) => return self.removal(),
                Ok(false) | Err(Stop::Skip | Stop::SkipItem | Stop::Later) => {}
                Err(stop) => return Err(self.stopped(stop)),
            }
        }
        for field in 0..self.compiled.fields.len() {
            if keys_only && !self.compiled.deciding.contains(&field) {
                continue;
            }
            match self.field(field) {
                Ok(()) => {}
                Err(Stop::Reject(fault)) => self.faults.push(*fault),
                Err(Stop::Later) => self.draft.later.push(field),
                Err(Stop::Asks) => self.note_unmade(field),
                Err(stop) => return Err(self.stopped(stop)),
            }
        }
        if self.draft.unmade.is_some() { self.unfinished() } else { self.finish() }
    }

    /// Makes the value of a field, or its secret.
    pub(super) fn field(&mut self, field: usize) -> Result<(), Stop> {
        match self.compiled.fields[field].protection {
            None => self.column(field),
            Some(_) => self.secret_or_unmade(field),
        }
    }

    /// The row, once all of its fields are made.
    pub(super) fn finish(mut self) -> Result<Draft, Box<NoRow>> {
        self.dropped();
        self.without_secrets();
        // Of a bad one that is the last as well: earlier rows were left out for it.
        let is_good = self.faults.is_empty();
        match self.key() {
            Ok(key) if is_good || self.rule.on_duplicate == OnDuplicate::Last => self.draft.key = key,
            Ok(_) => {}
            Err(Stop::Reject(fault)) => self.faults.extend(is_good.then_some(*fault)),
            Err(stop) => return Err(self.stopped(stop)),
        }
        self.unless_bad()
    }

    /// The row, unless something is wrong with it.
    fn unless_bad(mut self) -> Result<Draft, Box<NoRow>> {
        // A fault that another column already reported has no message.
        self.faults.retain(|fault| !fault.message.is_empty());
        if self.faults.is_empty() { Ok(self.draft) } else { Err(self.no_row(Why::NotMade)) }
    }

    /// Why there is no row.
    pub(super) fn stopped(mut self, stop: Stop) -> Box<NoRow> {
        // What asks for other rows may say as well that there is no row, and what of it is left out.
        let asks = self.draft.unmade.is_some() || matches!(stop, Stop::Asks);
        match stop {
            _ if asks => self.no_row(Why::Asks),
            Stop::Skip | Stop::SkipItem | Stop::Later | Stop::Asks => {
                self.faults.clear(); // there is no row that could be bad
                self.no_row(Why::Policy)
            }
            Stop::Reject(fault) => {
                self.faults.push(*fault);
                self.no_row(Why::NotMade)
            }
        }
    }

    pub(super) fn no_row(self, why: Why) -> Box<NoRow> {
        Box::new(NoRow { faults: self.faults, draft: self.draft, why })
    }

    /// The key of the rows that the element removes; all that is in the element says that.
    fn removal(mut self) -> Result<Draft, Box<NoRow>> {
        let compiled = self.compiled;
        for &field in compiled.key_fields.iter().flatten() {
            match self.column(field) {
                Ok(()) | Err(Stop::Later) => {}
                Err(Stop::Reject(fault)) => self.faults.push(*fault),
                Err(stop) => return Err(self.stopped(stop)),
            }
        }
        if self.faults.is_empty() {
            match self.key() {
                Ok(key) => self.draft.key = key,
                Err(Stop::Reject(fault)) => self.faults.push(*fault),
                Err(stop) => return Err(self.stopped(stop)),
            }
        }
        let (rule, scope) = (self.rule, self.scope);
        let mut draft = self.unless_bad()?;
        draft.removes = true;
        draft.claims.clear();
        if let Current::Node(node) = &scope.element {
            let doc = rule.selections().map(|each| scope.doc_of(&each.root)).next().unwrap_or(Doc::Record);
            let touch = LeafSpan::Nodes(doc, node.span());
            draft.claims.extend(Claim::of(touch, ClaimAs::Removal, None));
        }
        Ok(draft)
    }

    /// Makes the value of a column, once.
    fn column(&mut self, field: usize) -> Result<(), Stop> {
        match &self.memo[field] {
            Memo::Known { tainted, clock, hidden } => {
                self.tainted |= *tainted;
                self.clock |= *clock;
                self.hidden |= *hidden;
                return Ok(());
            }
            Memo::Later => return Err(Stop::Later),
            Memo::Failed | Memo::Running => return Err(Fault::new(&VALUE_TYPE, "").into()),
            Memo::Asks => return Err(Stop::Asks),
            Memo::Unknown => self.memo[field] = Memo::Running,
        }
        let column = &self.rule.columns[field];
        let outer =
            (std::mem::take(&mut self.tainted), std::mem::take(&mut self.clock), std::mem::take(&mut self.chosen));
        let outer_hidden = std::mem::take(&mut self.hidden);
        let outer_field = self.field.replace(field);
        let outer_dangling = self.dangling.take();
        let outer_open = std::mem::replace(&mut self.declassifying, column.declassify.is_some());
        let outer_reading = self.reading.take(); // what the column reads is its own
        if let Some(trace) = self.scope.trace {
            trace.begin(&column.name, &self.draft);
        }
        let made = self.value(field, column);
        if let Some(trace) = self.scope.trace {
            trace.end(&Made { field, value: made.as_ref().ok(), secret: self.tainted });
        }
        if !matches!(made, Err(Stop::Asks)) {
            self.draft.tainted.extend(self.tainted.then_some(field));
            self.draft.clock.extend(self.clock.then_some(field));
        }
        let (tainted, clock, hidden) = (self.tainted, self.clock, self.hidden);
        // What reads this column is as tainted, as bound to the clock, and as hidden, as it is.
        self.tainted |= outer.0;
        self.clock |= outer.1;
        self.hidden |= outer_hidden;
        self.chosen = outer.2;
        self.field = outer_field;
        self.dangling = outer_dangling;
        self.declassifying = outer_open;
        self.reading = outer_reading;
        match made {
            Ok(value) => {
                self.memo[field] = Memo::Known { tainted, clock, hidden };
                self.draft.values[field] = value;
                Ok(())
            }
            Err(Stop::Skip | Stop::SkipItem) => Err(Stop::Skip),
            Err(Stop::Later) => {
                self.memo[field] = Memo::Later;
                Err(Stop::Later)
            }
            Err(Stop::Asks) => {
                self.memo[field] = Memo::Asks;
                Err(Stop::Asks)
            }
            Err(Stop::Reject(mut fault)) => {
                self.memo[field] = Memo::Failed;
                fault.column.get_or_insert_with(|| column.name.clone());
                if fault.line == 0 {
                    fault.line = column.line;
                }
                fault.at.get_or_insert(self.draft.at);
                fault.is_final = true; // what reads this column does not judge it again
                Err(Stop::Reject(fault))
            }
        }
    }

    fn value(&mut self, field: usize, column: &ColumnRule) -> Result<Value, Stop> {
        if let Some(row) = self.gives_id_above(&column.expr) {
            self.draft.ids_above.push((field, row));
            return Ok(Value::Null);
        }
        let json = self.compiled.fields[field].column.kind.is_json();
        let mut class = if json { ClaimAs::Json } else { ClaimAs::Column };
        let before = self.draft.lengths();
        let mut trail = std::mem::take(&mut self.spare);
        let outer_asides = std::mem::take(&mut self.asides);
        let (made, voids) = self.noting_voids(|maker| {
            let outer = std::mem::replace(&mut maker.ends_on_empty, column.policies.empty.is_some());
            let outer_reads = std::mem::replace(&mut maker.reads, maker.compiled.fields[field].reads.as_ref());
            let made = maker.judged_value(field, column, &mut trail, &mut class);
            (maker.ends_on_empty, maker.reads) = (outer, outer_reads);
            made
        });
        if let Err(Stop::Asks) = made {
            self.asides = outer_asides;
            self.unmake(field, before);
            trail.clear();
            self.spare = trail;
            return made;
        }
        self.put_aside(Some(field));
        self.asides = outer_asides;
        // What a bad value was made from is claimed too: it is rejected with its record.
        self.claim(&mut trail, voids, class, Some(field));
        self.spare = trail;
        made
    }

    /// Notes a null or an empty container that a path met.
    pub(super) fn note_void(&mut self, span: LeafSpan) {
        if let Some(voids) = &mut self.voids {
            voids.push(span);
        }
    }

    /// Evaluates something of the row, with the nulls and empty containers that its paths met.
    pub(super) fn noting_voids<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> (T, Vec<LeafSpan>) {
        let outer = self.voids.replace(Vec::new());
        let made = make(self);
        let voids = std::mem::replace(&mut self.voids, outer);
        (made, voids.unwrap_or_default())
    }

    /// Claims what a value was made from, and the nulls and empty containers that its paths met: that there is no value
    /// there is in the row.
    pub(super) fn claim(&mut self, trail: &mut Trail, voids: Vec<LeafSpan>, class: ClaimAs, field: Option<usize>) {
        if !voids.is_empty() {
            let many: HashSet<&LeafSpan> = if trail.len() > FEW { trail.iter().collect() } else { HashSet::new() };
            let is_claimed = |void: &LeafSpan| many.contains(void) || (trail.len() <= FEW && trail.contains(void));
            let voids = voids.into_iter().filter(|void| !is_claimed(void));
            self.draft.claims.extend(voids.filter_map(|touch| Claim::of(touch, ClaimAs::Column, field)));
        }
        self.draft.claims.extend(trail.drain(..).filter_map(|touch| Claim::of(touch, class, field)));
    }

    /// Says of a column what was put aside while its value was made.
    #[inline]
    pub(super) fn put_aside(&mut self, field: Option<usize>) {
        if !self.asides.is_empty() {
            self.say_aside(field);
        }
    }

    fn say_aside(&mut self, field: Option<usize>) {
        let column = field.map(|field| &self.rule.columns[field]);
        for Aside { severity, mut fault, left } in std::mem::take(&mut self.asides) {
            fault.column = column.map(|column| column.name.clone());
            if let (true, Some(column)) = (fault.code == &VALUE_NULLED, column) {
                fault.message = format!("`{}`: {}", column.name, fault.message);
            }
            if fault.line == 0 {
                fault.line = column.map_or(self.rule.line, |column| column.line);
            }
            self.draft.differing.push((severity, fault));
            let Some((class, trail)) = left else { continue };
            self.draft.claims.extend(trail.into_iter().filter_map(|touch| Claim::of(touch, class, field)));
        }
    }

    /// A value that cannot be converted becomes NULL, as the policy says: nothing keeps what it was made from.
    pub(super) fn not_convertible(&mut self, field: Option<usize>, fault: Fault, touched: Trail) {
        let class = ClaimAs::NotConvertible;
        self.draft.claims.extend(touched.into_iter().filter_map(|touch| Claim::of(touch, class, field)));
        let column = field.map(|field| self.compiled.fields[field].column.name.clone());
        let message = column.as_ref().map_or(fault.message.clone(), |name| format!("`{name}`: {}", fault.message));
        let fault = Fault { code: &VALUE_NULLED, column, message, help: None, ..fault };
        self.draft.differing.push((Severity::Warning, fault));
    }

    /// A reference leads nowhere, and no record is rejected for it: its key is left out, with its place.
    pub(super) fn leads_nowhere(&mut self, field: usize, column: &ColumnRule, mut dangling: Dangling) {
        let touched = std::mem::take(&mut dangling.touched);
        let (class, field) = (ClaimAs::Dangling, Some(field));
        self.draft.claims.extend(touched.into_iter().filter_map(|touch| Claim::of(touch, class, field)));
        let severity = if column.policies.dangling.is_some() { Severity::Note } else { Severity::Warning };
        self.draft.differing.push((severity, dangling.fault(column)));
    }

    /// The value of another column of the row, or of a `let`, which is worked out where it is used.
    pub(super) fn other(&mut self, name: &str, scope: &Scope<'_, 't>, trail: &mut Trail) -> Result<Operand<'t>, Stop> {
        if let Some(field) = self.compiled.field(name) {
            self.column(field)?;
            return Ok(Operand::of_value(&self.draft.values[field]));
        }
        let rule = self.rule;
        match rule.let_of(name) {
            Some(one) => self.named(one, scope, trail),
            None => Ok(Operand::Missing),
        }
    }

    /// The value of a column of a row above.
    pub(super) fn value_above(&mut self, root: &Root) -> Result<Operand<'t>, Stop> {
        let Some((_, rule, draft, column)) = self.row_above(root) else { return Ok(Operand::Missing) };
        let Some(field) = rule.field(column) else { return Ok(Operand::Missing) };
        if draft.later.contains(&field) {
            return Err(Stop::Later);
        }
        self.tainted |= draft.tainted.contains(&field);
        self.clock |= draft.clock.contains(&field);
        Ok(Operand::of_value(&draft.values[field]))
    }

    /// The row that `^column` or `^RULE.column` means.
    fn row_above<'r>(&self, root: &'r Root) -> Option<(usize, &'a CompiledRule, &'a Draft, &'r str)> {
        let (row, column) = match root {
            Root::Parent(column) => (self.above.parent(), column),
            Root::Above { rule, column } => (self.above.made_by(rule, self.rules), column),
            _ => return None,
        };
        row.map(|(at, rule, draft)| (at, rule, draft, column.as_str()))
    }

    /// The row above whose id an expression is, where the engine will give that.
    fn gives_id_above(&self, expr: &Expr) -> Option<usize> {
        let From::Path(PathExpr { root: root @ (Root::Parent(_) | Root::Above { .. }), .. }) = &expr.from else {
            return None;
        };
        let (at, rule, _, column) = self.row_above(root)?;
        let is_given = expr.steps.is_empty() && rule.generated_id.as_deref() == Some(column);
        is_given.then_some(at)
    }
}

/// The text that an expression which stands in no rule makes of a document that is one record, as it is compared with a
/// column that reads so; none where it gives no scalar, or one that cannot be read.
pub fn compared_text(expr: &Expr, reads: Option<&ReadAs>, file: &FileContext<'_>, record: &Tape) -> Option<String> {
    static NO_RULE: OnceLock<([Rule; 1], CompiledRule)> = OnceLock::new();
    let (rules, compiled) = NO_RULE.get_or_init(|| ([Rule::default()], CompiledRule::default()));
    let (declared, index, root) = (Declared::default(), KeyIndex::default(), record.root());
    let scope = Scope {
        file,
        declared: &declared,
        index: Some(&index),
        record: root,
        frame: root,
        whole: true,
        element: Current::Node(root),
        part: None,
        position: 1,
        trace: None,
        names: Arc::default(),
    };
    let mut maker = RowMaker::new(rules, compiled, &scope, Above::default());
    maker.reads = reads;
    let got = settled(maker.eval(expr, &scope, &mut Vec::new()).ok()?, reads);
    as_key_text(&got).map(Cow::into_owned)
}
