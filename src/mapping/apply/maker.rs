//! What evaluates the columns of one rule for one element, and what it knows meanwhile.

use super::draft::{ClaimAs, Draft, Fault, Found};
use super::fit::kind_name;
use super::scope::{Operand, Scope, Stop};
use super::span::LeafSpan;
use super::unmade::Memo;
use crate::finding::{ROW_DANGLING, Severity, VALUE_STEP};
use crate::mapping::compile::CompiledRule;
use crate::mapping::declared::Doc;
use crate::mapping::model::{ColumnRule, ReadAs, Rule};

/// A lookup that found no row.
pub(super) struct Dangling {
    pub(super) table: String,
    /// The columns that were compared, with their values; none where one may be a secret.
    pub(super) key: Option<Vec<(String, String)>>,
    /// The first leaf of the key.
    pub(super) at: Option<u64>,
    /// All that the key was made from.
    pub(super) touched: Trail,
}

/// Something that is said of a value once it is known that it counts: an alternative that is only compared, and a
/// condition, say nothing.
pub(super) struct Aside {
    pub(super) severity: Severity,
    pub(super) fault: Fault,
    /// Leaves that no value keeps, and what they count as.
    pub(super) left: Option<(ClaimAs, Trail)>,
}

impl Dangling {
    /// Of what stands inside a column.
    pub(super) fn inside(self, name: &str) -> Fault {
        let message = format!("{name} leads nowhere: `{}` has no row", self.table);
        Fault { found: Some(Found::Row(self.key)), ..Fault::new(&ROW_DANGLING, message).at(self.at) }
    }

    pub(super) fn fault(self, column: &ColumnRule) -> Fault {
        let what = if column.policies.dangling.is_some() { "leads nowhere" } else { "is NULL" };
        let message = format!("`{}` {what}: `{}` has no row", column.name, self.table);
        let fault = Fault::new(&ROW_DANGLING, message).of_column(&column.name, column.line).at(self.at);
        Fault { found: Some(Found::Row(self.key)), ..fault }
    }
}

/// Evaluates the columns of one rule for one element.
pub(super) struct RowMaker<'a, 't> {
    pub(super) scope: &'a Scope<'a, 't>,
    /// Whether what is being evaluated came from a secret path.
    pub(super) tainted: bool,
    /// Whether `on_error` or `on_dangling` made NULL of a secret of the row.
    pub(super) without_secret: bool,
    /// Whether what is being evaluated came from the run's start time.
    pub(super) clock: bool,
    /// Whether what is being evaluated came from a path whose values no message shows.
    pub(super) hidden: bool,
    /// Whether a secret is being made, from which nothing is left out.
    pub(super) sealing: bool,
    /// Whether a column is being made that declassifies what it reads.
    pub(super) declassifying: bool,
    /// Whether `on_empty` decides about the value that is being evaluated, so that an empty string ends its steps.
    pub(super) ends_on_empty: bool,
    /// Whether a step made a list of a text since this was last asked.
    pub(super) splits: bool,
    /// How the column that is being evaluated reads a value which is not of its type.
    pub(super) reads: Option<&'a ReadAs>,
    /// The nulls and empty containers that the paths of a column or secret met; none are noted elsewhere, as in a
    /// condition, which decides nothing.
    pub(super) voids: Option<Vec<LeafSpan>>,
    /// The lookup of the column being evaluated that found no row, although its key was there.
    pub(super) dangling: Option<Dangling>,
    /// What is to be said of the column that is being evaluated: values that steps count, and policies inside of it.
    pub(super) asides: Vec<Aside>,
    /// What is read, where that counts: what of it is not kept included.
    pub(super) reading: Option<Trail>,
    /// The alternative that the expression being evaluated chose.
    pub(super) chosen: Option<usize>,
    /// The field whose value is being made.
    pub(super) field: Option<usize>,
    /// An empty trail, for the next column.
    pub(super) spare: Trail,
    pub(super) rule: &'a Rule,
    /// All rules of its mapping.
    pub(super) rules: &'a [Rule],
    pub(super) compiled: &'a CompiledRule,
    pub(super) above: Above<'a>,
    pub(super) memo: Vec<Memo>,
    pub(super) faults: Vec<Fault>,
    /// Whether the row must be made anew once other rows are known.
    pub(super) anew: bool,
    pub(super) draft: Draft,
}

/// The rows of the record so far, and those above the one that is being made.
#[derive(Clone, Copy, Default)]
pub(super) struct Above<'a> {
    pub(super) rules: &'a [&'a CompiledRule],
    pub(super) drafts: &'a [Draft],
    /// The parent's.
    pub(super) parent: Option<usize>,
    /// That of the element from which `recurse` led here.
    pub(super) element: Option<usize>,
}

impl<'a> Above<'a> {
    /// The parent's row, with its rule.
    pub(super) fn parent(&self) -> Option<(usize, &'a CompiledRule, &'a Draft)> {
        self.row(self.parent?)
    }

    /// The nearest row above that this rule of the mapping made.
    pub(super) fn made_by(&self, name: &str, mapping: &[Rule]) -> Option<(usize, &'a CompiledRule, &'a Draft)> {
        let mut at = self.element.or(self.parent);
        while let Some(row) = at {
            let draft = &self.drafts[row];
            if mapping[draft.rule].name == name {
                return self.row(row);
            }
            at = draft.above.or(draft.parent);
        }
        None
    }

    fn row(&self, at: usize) -> Option<(usize, &'a CompiledRule, &'a Draft)> {
        let draft = &self.drafts[at];
        let rule = self.rules.iter().find(|rule| rule.rule == draft.rule)?;
        Some((at, *rule, draft))
    }
}

/// The offset of the first leaf that a value was made from.
pub(super) fn first_place(trail: &[LeafSpan], scope: &Scope) -> Option<u64> {
    trail.iter().find_map(|touch| match touch {
        LeafSpan::Nodes(Doc::Record, nodes) | LeafSpan::Part(Doc::Record, nodes) => {
            Some(scope.record.sibling(nodes.start).at())
        }
        LeafSpan::Nodes(Doc::Frame, nodes) | LeafSpan::Part(Doc::Frame, nodes) => {
            Some(scope.frame.sibling(nodes.start).at())
        }
        LeafSpan::Lossy(span, _) => first_place(std::slice::from_ref(&**span), scope),
        LeafSpan::Name(_) => None,
    })
}

/// The leaves that a value was made from.
pub(super) type Trail = Vec<LeafSpan>;

/// Why a value that should be text is none.
pub(super) fn not_text(got: &Operand, what: &str) -> Stop {
    let mut fault = Fault::new(&VALUE_STEP, what);
    if let Operand::Node(node, _) = got {
        fault.at = Some(node.at());
        if node.is_container() {
            fault.message = format!("{what}, found {}", kind_name(*node));
            fault.help =
                Some("name a value below it, or make a string of each of its elements: `{ each = …, item = … }`");
        }
    }
    fault.into()
}

/// What a JSON expression wrote.
pub(super) enum Wrote {
    Nothing,
    Null,
    Value,
}
