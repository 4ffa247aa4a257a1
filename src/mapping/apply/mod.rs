//! From a record to rows: a pure function of the record, its file, and the keys of finished levels.

mod compose;
mod condition;
mod draft;
mod eval;
mod fit;
mod inner;
mod json;
mod judge;
mod key;
mod list;
mod loss;
mod maker;
mod newest;
mod path;
mod resume;
mod row;
mod scope;
mod secrets;
mod settled;
mod span;
mod times;
mod trace;
mod unmade;

pub use condition::shape_fits;
pub use draft::{Claim, ClaimAs, Draft, Fault, Found, Origin};
pub use fit::kind_name;
pub use newest::time_of;
pub use path::{EmptyEnd, empty_ends, follow_from as follow, select};
pub use row::compared_text;
pub use scope::{Current, FileContext, Operand, Owner, Scope, Stop};
pub use span::{LeafSpan, Part};
pub use trace::{Made, StepTaken, Trace};

use super::compile::CompiledRule;
use super::model::{Elements, Expr, Mapping, Root, Rooted, Rule, Set};
use crate::document::name::NameLeaf;
use crate::document::tape::Kind;
use crate::step::Datum;
use maker::{Above, RowMaker};
use row::{NoRow, Why};
use span::Marks;
use std::sync::Arc;

/// What the rules of one level made of a record.
#[derive(Debug, Default)]
pub struct Mapped {
    /// The rows, parents before their children.
    pub drafts: Vec<Draft>,
    /// What is wrong, with the index of the rule.
    pub faults: Vec<(usize, Fault)>,
    /// Rows that could not be made, as far as they could.
    pub partial: Vec<Draft>,
    /// Rows that a policy does not make, with what it leaves out for a reason of its own.
    pub skipped: Vec<Draft>,
    /// Names that a `.*` of an `each` matched; they count as leaves.
    pub names: Vec<NameLeaf>,
    /// Those of them that an entry of the mapping's `[ignore]` of this index leaves out.
    pub ignored_names: Vec<(usize, NameLeaf)>,
    /// Those of them that are called so by `key_as` in a rule of this index, and below which no row stands.
    pub idle_names: Vec<(usize, NameLeaf)>,
    /// Nulls and empty containers at which an `each` ended: their content, no rows, is in the target.
    pub empty: Vec<LeafSpan>,
    /// Whether a rule took the record.
    pub taken: bool,
    /// The rules whose rows are made once other rows are known, by their positions.
    unmade: Vec<usize>,
}

impl Mapped {
    /// Whether all of it is made.
    pub fn is_complete(&self) -> bool {
        self.unmade.is_empty() && self.drafts.iter().all(|draft| draft.unmade.is_none())
    }
}

/// Applies rules of one mapping to a record.
///
/// `rules` are compiled rules of one level, parents first; `scope` has the record as its element. Where it has no keys,
/// what asks for other rows is left to [`complete`].
pub fn apply(set: &Set, rules: &[&CompiledRule], shape: &str, scope: &Scope) -> Mapped {
    make(set, rules, shape, scope, false)
}

/// The rows that rules make of a record, with no more of their columns than decide whether there is one, and its key;
/// none of a record that is bad already.
pub fn keys(set: &Set, rules: &[&CompiledRule], shape: &str, scope: &Scope) -> Vec<Draft> {
    let mapped = make(set, rules, shape, scope, true);
    if mapped.faults.is_empty() { mapped.drafts } else { Vec::new() }
}

fn make(set: &Set, rules: &[&CompiledRule], shape: &str, scope: &Scope, keys_only: bool) -> Mapped {
    let mut mapped = Mapped::default();
    for position in 0..rules.len() {
        apply_one(set, rules, position, shape, (scope, keys_only), &mut mapped);
    }
    if mapped.is_complete() {
        mapped.keep_idle(scope);
    }
    mapped
}

impl Mapped {
    /// Of the names of elements that rules did not take, those stay below which no row stands, a bad one included.
    fn keep_idle(&mut self, record: &Scope<'_, '_>) {
        // Which of them comes first decides where both count, whoever made the rows.
        self.ignored_names.sort_unstable();
        if self.idle_names.is_empty() {
            return;
        }
        let mut rows: Vec<u32> = self.drafts.iter().chain(&self.partial).filter_map(|draft| draft.node).collect();
        rows.sort_unstable();
        self.idle_names.retain(|(_, leaf)| {
            let NameLeaf::OfNode(node) = leaf else { return false };
            let next = rows.partition_point(|row| row < node);
            rows.get(next).is_none_or(|row| *row >= record.record.sibling(*node).next())
        });
    }
}

/// Makes the rest of what [`apply`] made without keys; `scope` is the same with keys.
pub fn complete(set: &Set, rules: &[&CompiledRule], shape: &str, scope: &Scope, mapped: &mut Mapped) {
    if mapped.is_complete() {
        return;
    }
    let Mapped { drafts, faults, partial, skipped, names, ignored_names, idle_names, empty, taken, unmade } =
        std::mem::take(mapped);
    (mapped.names, mapped.ignored_names, mapped.empty, mapped.taken) = (names, ignored_names, empty, taken);
    let (mut drafts, mut faults) = (drafts.into_iter().peekable(), faults.into_iter().peekable());
    let mut idle = idle_names.into_iter().peekable();
    let (mut partial, mut skipped) = (partial.into_iter().peekable(), skipped.into_iter().peekable());
    // Where each row is now: rows that were left out come between.
    let mut moved = Vec::new();
    for (position, compiled) in rules.iter().enumerate() {
        if unmade.contains(&position) {
            apply_one(set, rules, position, shape, (scope, false), mapped);
            continue;
        }
        mapped.faults.extend(std::iter::from_fn(|| faults.next_if(|(rule, _)| *rule == compiled.rule)));
        mapped.idle_names.extend(std::iter::from_fn(|| idle.next_if(|(rule, _)| *rule == compiled.rule)));
        mapped.partial.extend(std::iter::from_fn(|| partial.next_if(|draft| draft.rule == compiled.rule)));
        mapped.skipped.extend(std::iter::from_fn(|| skipped.next_if(|draft| draft.rule == compiled.rule)));
        while let Some(mut draft) = drafts.next_if(|draft| draft.rule == compiled.rule) {
            let rows = draft.parent.iter_mut().chain(&mut draft.above);
            rows.chain(draft.ids_above.iter_mut().map(|(_, row)| row)).for_each(|row| *row = moved[*row]);
            moved.push(mapped.drafts.len());
            if draft.unmade.is_none() {
                mapped.drafts.push(draft);
                continue;
            }
            let element = below(scope, &draft);
            let (parent, above) = (draft.parent, draft.above);
            let mut making = Making::new(set, rules, compiled, mapped);
            let above = Above { rules, drafts: &making.mapped.drafts, parent, element: above };
            let made = RowMaker::of(&making.mapping.rules, compiled, &element, above, (draft, Vec::new())).go_on();
            making.take(made, &element);
        }
    }
    mapped.keep_idle(scope);
}

/// Applies the rule at a position.
fn apply_one(
    set: &Set,
    rules: &[&CompiledRule],
    position: usize,
    shape: &str,
    (scope, keys_only): (&Scope, bool),
    mapped: &mut Mapped,
) {
    let compiled = rules[position];
    let rule = compiled.model(set);
    if !rule.shapes.is_empty() && !rule.shapes.iter().any(|name| name == shape) {
        return; // the rule is for other shapes; the record's leaves are accounted for all the same
    }
    let parents: Vec<Option<usize>> = match compiled.parent {
        None => vec![None],
        Some(parent) => {
            if mapped.is_unfinished(rules, parent) {
                mapped.unmade.push(position);
                return;
            }
            let makes = |at: &usize| mapped.drafts[*at].rule == parent && !mapped.drafts[*at].removes;
            (0..mapped.drafts.len()).filter(makes).map(Some).collect()
        }
    };
    let before = mapped.lengths();
    let mut making = Making { keys_only, ..Making::new(set, rules, compiled, mapped) };
    for parent in parents {
        making.rows(scope, parent);
    }
    let asks = making.asks;
    // Where more than values is to be made, the order of what is said of rows shows when each of them was.
    let is_open = mapped.drafts[before.0..].iter().any(|draft| draft.unmade.is_some());
    if asks || is_open && mapped.lengths().1 != before.1 {
        mapped.back_to(before);
        mapped.unmade.push(position);
    }
}

/// How much was made of a record: rows; what is wrong; and the rest.
type Lengths = (usize, [usize; 3], [usize; 4], bool);

impl Mapped {
    fn lengths(&self) -> Lengths {
        let Self { drafts, faults, partial, skipped, names, ignored_names, idle_names, empty, taken, unmade: _ } = self;
        let rest = [names.len(), ignored_names.len(), idle_names.len(), empty.len()];
        (drafts.len(), [faults.len(), partial.len(), skipped.len()], rest, *taken)
    }

    fn back_to(&mut self, (drafts, [faults, partial, skipped], rest, taken): Lengths) {
        let [names, ignored_names, idle_names, empty] = rest;
        self.ignored_names.truncate(ignored_names);
        self.idle_names.truncate(idle_names);
        self.drafts.truncate(drafts);
        self.faults.truncate(faults);
        self.partial.truncate(partial);
        self.skipped.truncate(skipped);
        self.names.truncate(names);
        self.empty.truncate(empty);
        self.taken = taken;
    }

    /// Whether rows of a rule are still to be made.
    fn is_unfinished(&self, rules: &[&CompiledRule], rule: usize) -> bool {
        self.unmade.iter().any(|at| rules[*at].rule == rule)
            || self.drafts.iter().any(|draft| draft.rule == rule && draft.unmade.is_some())
    }
}

/// The rows that one rule makes of a record.
struct Making<'m, 's> {
    rule: &'s Rule,
    /// Those of the level.
    rules: &'m [&'m CompiledRule],
    mapping: &'s Mapping,
    compiled: &'m CompiledRule,
    keys_only: bool,
    mapped: &'m mut Mapped,
    /// Whether all of it is to be made once other rows are known.
    asks: bool,
}

/// What came of an element.
enum Came {
    /// The row of this index.
    Row(usize),
    /// No row, as a policy says.
    Skipped,
    /// The rule's `when` did not take it.
    NotTaken,
    /// A row that is bad.
    Bad,
}

impl<'m, 's> Making<'m, 's> {
    fn new(set: &'s Set, rules: &'m [&'m CompiledRule], compiled: &'m CompiledRule, mapped: &'m mut Mapped) -> Self {
        let (rule, mapping) = (compiled.model(set), compiled.mapping_of(set));
        Self { rule, rules, mapping, compiled, keys_only: false, mapped, asks: false }
    }

    /// The rows below a parent's, or of the record.
    fn rows(&mut self, record: &Scope<'_, '_>, parent: Option<usize>) {
        let base = match parent {
            None => record.clone(),
            Some(at) => below(record, &self.mapped.drafts[at]),
        };
        if self.rule.each.is_empty() && self.rule.recurse.is_none() {
            self.row(&base, parent, None);
            return;
        }
        let first = self.mapped.drafts.len();
        let elements = self.elements(&base, parent);
        let parts: Vec<LeafSpan> = elements.iter().flat_map(|one| &one.part).flat_map(|part| part.of.clone()).collect();
        let mut every_part = true;
        if self.rule.recurse.is_none() {
            for element in &elements {
                every_part &= matches!(self.row(element, parent, None), Came::Row(_) | Came::Skipped);
            }
        } else {
            self.recurse(elements, parent);
        }
        if !parts.is_empty() {
            self.claim_parts(parts, first, every_part);
        }
    }

    /// The rows of elements and of all that `recurse` leads to from them, in the order of the document.
    fn recurse(&mut self, elements: Vec<Scope<'_, '_>>, parent: Option<usize>) {
        let mut next: Vec<_> = elements.into_iter().rev().map(|element| (element, None)).collect();
        while let Some((element, above)) = next.pop() {
            let above = match self.row(&element, parent, above) {
                Came::Row(at) => Some(at),
                Came::Skipped => above,
                Came::NotTaken | Came::Bad => continue,
            };
            if let Some(recurse) = &self.rule.recurse {
                let rooted = Rooted { root: Root::Element, selection: recurse.clone() };
                next.extend(self.selected(&element, &rooted).into_iter().rev().map(|element| (element, above)));
            }
        }
    }

    fn row(&mut self, element: &Scope<'_, '_>, parent: Option<usize>, above: Option<usize>) -> Came {
        let Mapped { drafts, .. } = &*self.mapped;
        let above = Above { rules: self.rules, drafts, parent, element: above };
        let made = RowMaker::new(&self.mapping.rules, self.compiled, element, above).make(self.keys_only);
        if made.as_ref().is_ok_and(|draft| draft.unmade.is_some()) {
            // Only a row of a node of the record is found again, and only where no other row depends on it.
            let is_found = matches!(&element.element, Current::Node(node) if node.is_beside(element.record));
            self.asks |= !is_found || element.part.is_some() || self.rule.recurse.is_some();
        }
        self.take(made, element)
    }

    fn take(&mut self, made: Result<Draft, Box<NoRow>>, element: &Scope<'_, '_>) -> Came {
        match made {
            Ok(draft) => {
                if draft.unmade.is_none() {
                    self.mapped.names.extend(draft.names.iter().copied());
                    self.mapped.taken = true;
                }
                self.mapped.drafts.push(draft);
                Came::Row(self.mapped.drafts.len() - 1)
            }
            Err(no_row) if no_row.why == Why::Asks => {
                self.asks = true;
                Came::NotTaken
            }
            // The rule does not take the element.
            Err(no_row) if no_row.faults.is_empty() => {
                let came = if no_row.why == Why::Policy { Came::Skipped } else { Came::NotTaken };
                let mine = element.names.iter().filter(|(context, ..)| self.rule.key_as.contains(context));
                self.mapped.idle_names.extend(mine.map(|(_, _, leaf)| (self.compiled.rule, *leaf)));
                if no_row.draft.claims.iter().any(Claim::is_left_out) {
                    self.mapped.skipped.push(no_row.draft);
                }
                came
            }
            Err(no_row) => {
                self.bad(*no_row);
                Came::Bad
            }
        }
    }

    fn bad(&mut self, no_row: NoRow) {
        let rule = self.compiled.rule;
        self.mapped.names.extend(no_row.draft.names.iter().copied());
        self.mapped.taken = true;
        self.mapped.faults.extend(no_row.faults.into_iter().map(|fault| (rule, fault)));
        self.mapped.partial.push(no_row.draft);
    }

    /// The elements that the rule makes rows of: the record, or the first that its `each` gives.
    fn elements<'a, 't>(&mut self, base: &Scope<'a, 't>, parent: Option<usize>) -> Vec<Scope<'a, 't>> {
        if self.rule.each.is_empty() {
            return vec![base.clone()];
        }
        for each in &self.rule.each {
            let elements = match each {
                Elements::Selection(rooted) => self.selected(base, rooted),
                Elements::Expr(expr) => self.listed(base, expr, parent),
            };
            if !elements.is_empty() {
                return elements;
            }
        }
        Vec::new()
    }

    fn selected<'a, 't>(&mut self, base: &Scope<'a, 't>, each: &Rooted) -> Vec<Scope<'a, 't>> {
        if let Some(start) = base.start(&each.root) {
            let doc = base.doc_of(&each.root);
            let empty = empty_ends(start, &each.selection.0);
            self.mapped.empty.extend(empty.into_iter().map(|end| LeafSpan::Nodes(doc, end.node.span())));
        }
        let selected = base.select(each);
        let scope_of = |(i, one): (usize, path::Selected<'t>)| {
            self.mapped.names.extend(one.matched.iter().map(|node| NameLeaf::OfNode(node.id())));
            let mut scope = base.at(Current::Node(one.node), i + 1);
            for (context, node) in path::named(&self.rule.key_as, &one) {
                let (name, leaf) = (node.name().unwrap_or_default().to_owned(), NameLeaf::OfNode(node.id()));
                self.mapped.ignored_names.extend(self.mapping.ignored_name(context).map(|at| (at, leaf)));
                Arc::make_mut(&mut scope.names).push((context.clone(), name, leaf));
            }
            scope
        };
        selected.into_iter().enumerate().map(scope_of).collect()
    }

    /// The elements of an expression's list, or its one value.
    fn listed<'a, 't>(&mut self, base: &Scope<'a, 't>, expr: &Expr, parent: Option<usize>) -> Vec<Scope<'a, 't>> {
        let Mapped { drafts, .. } = &*self.mapped;
        let above = Above { rules: self.rules, drafts, parent, element: None };
        let mut maker = RowMaker::new(&self.mapping.rules, self.compiled, base, above);
        let mut trail = Vec::new();
        let (got, voids) = maker.noting_voids(|maker| maker.eval(expr, base, &mut trail));
        if let Err(Stop::Asks) = got {
            self.asks = true;
            return Vec::new();
        }
        maker.put_aside(None);
        let marks = Marks { tainted: maker.tainted, clock: maker.clock, hidden: maker.hidden };
        if let Err(Stop::Reject(fault)) = got {
            maker.faults.push(Fault { line: if fault.line == 0 { self.rule.line } else { fault.line }, ..*fault });
            let no_row = maker.no_row(Why::NotMade);
            self.bad(*no_row);
            self.mapped.empty.extend(voids);
            return Vec::new();
        }
        let draft = maker.draft;
        self.mapped.empty.extend(voids);
        if !draft.claims.is_empty() || !draft.differing.is_empty() {
            self.mapped.skipped.push(draft);
        }
        let one = |datum| vec![Part { datum, of: trail.clone(), marks }];
        let (nodes, parts) = match got {
            Ok(Operand::Missing | Operand::Null) | Err(_) => (Vec::new(), Vec::new()),
            Ok(Operand::Node(node, doc)) if node.kind() == Kind::Array => {
                if node.is_leaf() {
                    self.mapped.empty.push(LeafSpan::Nodes(doc, node.span()));
                }
                (node.children().collect(), Vec::new())
            }
            Ok(Operand::Node(node, _)) => (vec![node], Vec::new()),
            Ok(Operand::Datum(Datum::List(all))) => {
                if all.is_empty() {
                    self.mapped.empty.append(&mut trail.clone()); // content that makes no row
                }
                (Vec::new(), all.into_iter().flat_map(one).collect())
            }
            Ok(Operand::Datum(datum)) => (Vec::new(), one(datum)),
        };
        let nodes = nodes.into_iter().map(|node| (Current::Node(node), None));
        let parts = parts.into_iter().map(|part| (Current::Datum(part.datum.clone()), Some(Arc::new(part))));
        let scope_of = |(i, (element, part))| Scope { part, ..base.at(element, i + 1) };
        nodes.chain(parts).enumerate().map(scope_of).collect()
    }

    /// A text that was taken apart counts as its parts do once every one of them has a row, or a policy; where all have
    /// policies, it is content that makes no row.
    fn claim_parts(&mut self, mut parts: Vec<LeafSpan>, first: usize, every_part: bool) {
        for draft in &mut self.mapped.drafts[first..] {
            draft.claims.retain_mut(|claim| match &claim.touch {
                LeafSpan::Part(doc, nodes) => {
                    claim.touch = LeafSpan::Nodes(*doc, nodes.clone());
                    every_part
                }
                _ => true,
            });
        }
        if every_part && self.mapped.drafts.len() == first {
            parts.dedup();
            self.mapped.empty.append(&mut parts);
        }
    }
}

/// The scope of a parent's element.
fn below<'a, 't>(scope: &Scope<'a, 't>, parent: &Draft) -> Scope<'a, 't> {
    let element = match (parent.node, &parent.part) {
        (Some(node), _) => Current::Node(scope.record.sibling(node)),
        (None, Some(part)) => Current::Datum(part.datum.clone()),
        (None, None) => return scope.clone(),
    };
    let (position, part, names) = (parent.position, parent.part.clone(), Arc::clone(&parent.named));
    Scope { element, position, part, names, ..scope.clone() }
}
