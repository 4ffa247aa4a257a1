//! Shapes can be distinguished by what is known of a file before its records are read.

use super::spot::Errors;
use crate::document::tape::{Segment, Selection};
use crate::mapping::codes;
use crate::mapping::model::{Condition, Elements, From, Mapping, PathExpr, PathStep, Root, Rooted, TypeName};
use crate::mapping::place::{Place, has_whole_shape};
use crate::mapping::walk;

pub(super) fn check(mapping: &Mapping, errors: &Errors) {
    let records: Vec<&Selection> = mapping.source.shapes.iter().filter_map(|shape| shape.records.as_ref()).collect();
    for shape in &mapping.source.shapes {
        let refuse = |path: &PathExpr| {
            let message = format!(
                "shape `{}` looks into `{}`, which a shape takes for records",
                shape.name,
                walk::selection_of(path).selection
            );
            let hint = "shapes are chosen before records are read: test something outside of them";
            errors.refuse(&codes::SHAPE_HIDDEN, &mapping.file, shape.line, message, hint);
        };
        let mut see = |path: &PathExpr, need| {
            if records.iter().any(|records| is_hidden(path, records, need)) {
                refuse(path);
            }
        };
        if let Some(when) = &shape.when {
            look(when, &mut see);
        }
        if let Some((names, _)) = shape.need() {
            let steps = names.iter().filter_map(|segment| match segment {
                Segment::Name(name) => Some(PathStep::Name(name.clone())),
                _ => None,
            });
            see(&PathExpr { root: Root::Element, steps: steps.collect() }, Need::Outside);
        }
    }
    // A rule makes rows of each record: what it takes from the frame, it would take again for each.
    for rule in mapping.rules.iter().filter(|_| !has_whole_shape(mapping)) {
        if rule.each.iter().any(starts_in_frame) {
            let message =
                format!("`each` of rule `{}` selects in the frame, which every record would repeat", rule.name);
            let hint = "give the elements a shape of their own, with `records`";
            errors.refuse(&codes::EACH_REPEATED, &mapping.file, rule.line_of("each"), message, hint);
        }
    }
}

/// Whether elements are selected in the frame.
fn starts_in_frame(each: &Elements) -> bool {
    match each {
        Elements::Selection(rooted) => rooted.root == Root::Frame,
        Elements::Expr(expr) => matches!(&expr.from, From::Path(path) if path.root == Root::Frame),
    }
}

/// What a condition must know of a path's value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// That it is there, or that it is an array or object.
    Outside,
    /// The value itself.
    Value,
}

fn look(condition: &Condition, see: &mut dyn FnMut(&PathExpr, Need)) {
    match condition {
        Condition::Members(paths) => paths.iter().for_each(|path| see(path, Need::Outside)),
        Condition::Type(pairs) => pairs.iter().for_each(|(path, wanted)| {
            let container = matches!(wanted, TypeName::Array | TypeName::Object);
            see(path, if container { Need::Outside } else { Need::Value });
        }),
        Condition::Equals(pairs) => pairs.iter().for_each(|(path, _)| see(path, Need::Value)),
        Condition::Matches(pairs) => pairs.iter().for_each(|(path, _)| see(path, Need::Value)),
        Condition::Any(all) | Condition::All(all) => all.iter().for_each(|one| look(one, see)),
        Condition::Not(one) => look(one, see),
        Condition::Exists(_) => {}
    }
}

fn is_hidden(path: &PathExpr, records: &Selection, need: Need) -> bool {
    let rooted = |selection: &Selection| Rooted { root: Root::Record, selection: selection.clone() };
    let path = Place::of(true, &rooted(&walk::selection_of(path).selection));
    let records = Place::all_of(true, &rooted(records));
    records.iter().any(|records| path.is_in(records) && (need == Need::Value || path.path.len() > records.path.len()))
}
