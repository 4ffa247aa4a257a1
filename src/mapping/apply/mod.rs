//! From a record to rows: a pure function of the record, its file, and the keys of finished levels.

mod compose;
mod condition;
mod draft;
mod eval;
mod fit;
mod json;
mod judge;
mod key;
mod list;
mod maker;
mod newest;
mod path;
mod row;
mod scope;
mod secrets;
mod times;
mod trace;

pub use condition::shape_fits;
pub use draft::{Claim, ClaimAs, Draft, Fault, LeafSpan, Origin};
pub use fit::kind_name;
pub use newest::time_of;
pub use path::{EmptyEnd, empty_ends, follow_from as follow, select};
pub use row::evaluate;
pub use scope::{Current, FileContext, Operand, Owner, Scope, Stop};
pub use trace::{Made, StepTaken, Trace};

use super::compile::CompiledRule;
use super::model::Set;
use crate::document::name::NameLeaf;
use maker::RowMaker;
use std::rc::Rc;

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
    /// Nulls and empty containers at which an `each` ended: their content, no rows, is in the target.
    pub empty: Vec<LeafSpan>,
    /// Whether a rule took the record.
    pub taken: bool,
}

/// Applies rules of one mapping to a record.
///
/// `rules` are compiled rules of one level, parents first; `scope` has the record as its element.
pub fn apply(set: &Set, rules: &[&CompiledRule], shape: &str, scope: &Scope) -> Mapped {
    let mut mapped = Mapped::default();
    for compiled in rules {
        let rule = compiled.model(set);
        if !rule.shapes.is_empty() && !rule.shapes.iter().any(|name| name == shape) {
            continue; // the rule is for other shapes; the record's leaves are accounted for all the same
        }
        let parents: Vec<Option<usize>> = match compiled.parent {
            None => vec![None],
            Some(parent) => {
                let makes = |at: &usize| mapped.drafts[*at].rule == parent && !mapped.drafts[*at].removes;
                (0..mapped.drafts.len()).filter(makes).map(Some).collect()
            }
        };
        for parent in parents {
            let base = match parent {
                None => scope.clone(),
                Some(at) => below(scope, &mapped.drafts[at]),
            };
            for element in &elements(compiled, set, &base, &mut mapped) {
                let parent = parent.map(|at| {
                    let draft = &mapped.drafts[at];
                    let of = rules.iter().find(|other| other.rule == draft.rule).expect("a parent is among the rules");
                    (at, *of, draft)
                });
                match RowMaker::new(rule, compiled, element, parent).make() {
                    Ok(draft) => {
                        mapped.names.extend(draft.names.iter().copied());
                        mapped.taken = true;
                        mapped.drafts.push(draft);
                    }
                    // The rule does not take the element.
                    Err(no_row) if no_row.faults.is_empty() => {
                        if no_row.draft.claims.iter().any(Claim::is_left_out) {
                            mapped.skipped.push(no_row.draft);
                        }
                    }
                    Err(no_row) => {
                        mapped.names.extend(no_row.draft.names.iter().copied());
                        mapped.taken = true;
                        mapped.faults.extend(no_row.faults.into_iter().map(|fault| (compiled.rule, fault)));
                        mapped.partial.push(no_row.draft);
                    }
                }
            }
        }
    }
    mapped
}

/// The scope of a parent's element.
fn below<'a, 't>(scope: &Scope<'a, 't>, parent: &Draft) -> Scope<'a, 't> {
    match parent.node {
        Some(node) => Scope {
            element: Current::Node(scope.record.sibling(node)),
            position: parent.position,
            names: Rc::clone(&parent.named),
            ..scope.clone()
        },
        None => scope.clone(),
    }
}

/// The elements that a rule makes rows of: the record, or what its `each` selects.
fn elements<'a, 't>(
    compiled: &CompiledRule,
    set: &Set,
    base: &Scope<'a, 't>,
    mapped: &mut Mapped,
) -> Vec<Scope<'a, 't>> {
    let rule = compiled.model(set);
    if rule.each.is_empty() {
        return vec![base.clone()];
    }
    for each in &rule.each {
        if let Some(start) = base.start(&each.root) {
            let doc = base.doc_of(&each.root);
            let empty = empty_ends(start, &each.selection.0);
            mapped.empty.extend(empty.into_iter().map(|end| LeafSpan::Nodes(doc, end.node.span())));
        }
        let selected = base.select(each);
        if !selected.is_empty() {
            return selected
                .into_iter()
                .enumerate()
                .map(|(i, one)| {
                    mapped.names.extend(one.matched.iter().map(|node| NameLeaf::OfNode(node.id())));
                    let mut scope = base.at(Current::Node(one.node), i + 1);
                    RowMaker::named(&mut scope, rule.key_as.as_ref(), &one);
                    scope
                })
                .collect();
        }
    }
    Vec::new()
}
