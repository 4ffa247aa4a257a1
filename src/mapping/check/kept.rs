//! What is only narrowed, hashed or tested is kept somewhere else, or left behind with a reason.

use super::secrets::Places;
use super::spot::Errors;
use crate::mapping::codes;
use crate::mapping::model::{Condition, Mapping, Root, Rooted, Rule};
use crate::mapping::place::{At, Place, has_whole_shape};
use crate::mapping::walk::{self, Read};

/// A value that is kept with all that is below it, but for what is cut out.
struct Kept {
    place: Place,
    cut: Vec<Place>,
}

pub(super) fn check(mapping: &Mapping, errors: &Errors) {
    let decided = Places::of(mapping);
    let mut kept: Vec<Kept> = Vec::new();
    let mut lost: Vec<(Place, u32)> = Vec::new();
    for rule in &mapping.rules {
        let at = At::new(mapping, rule);
        for column in rule.columns.iter().filter(|column| column.protection.is_none()) {
            at.reads(&column.expr, &mut |used| {
                if used.cut {
                    let from = kept.iter_mut().rev().find(|kept| used.keeps && used.place.is_in(&kept.place));
                    if let Some(from) = from {
                        from.cut.push(used.place);
                    }
                } else if used.keeps {
                    kept.push(Kept { place: used.place, cut: Vec::new() });
                } else {
                    lost.push((used.place, used.line));
                }
            });
        }
        let mut test = |visit: walk::Visit| {
            if let Read::Path(path) | Read::Test(path) | Read::Key(path) = visit.read {
                lost.extend(at.places(path, visit.within).into_iter().map(|place| (place, visit.line)));
            }
        };
        walk::tests(rule, &mut test);
        // Where it holds, all of the element says that a row is gone; where it asks for no more than whether a member
        // is there, none is lost where it does not hold.
        if !rule.delete.as_ref().is_some_and(asks_whether_there) {
            walk::deletion(rule, &mut test);
        }
    }
    lost.sort_by_key(|(_, line)| *line);
    let mut seen: Vec<Place> = Vec::new();
    let structure = structure(mapping);
    for (place, line) in lost {
        let found = seen.contains(&place)
            || decided.decided(&place)
            || kept.iter().any(|kept| kept.holds(&place))
            || structure.iter().any(|container| container.is_in(&place));
        if !found {
            let message = format!("`{}` is only narrowed, hashed or tested, so its value would be lost", place.show());
            let hint = "keep it in a column as well, say with `lossy` beside the expression why less is enough, or `[ignore]` it";
            errors.refuse(&codes::VALUE_LOST, &mapping.file, line, message, hint);
            seen.push(place);
        }
    }
}

/// Whether a condition asks for no more than whether members are there.
fn asks_whether_there(condition: &Condition) -> bool {
    match condition {
        Condition::Members(_) => true,
        Condition::Any(all) | Condition::All(all) => all.iter().all(asks_whether_there),
        _ => false,
    }
}

impl Kept {
    /// Whether the place lies in what is kept, or is a container of it.
    fn holds(&self, place: &Place) -> bool {
        let inside = place.is_in(&self.place) && !self.cut.iter().any(|cut| place.is_in(cut));
        inside || self.place.is_in(place)
    }
}

/// What records and elements are selected by: their containers have no value of their own.
fn structure(mapping: &Mapping) -> Vec<Place> {
    let records = mapping
        .source
        .shapes
        .iter()
        .filter_map(|shape| Some(Rooted { root: Root::Frame, selection: shape.records.clone()? }));
    let each = mapping.rules.iter().flat_map(Rule::selections).cloned();
    let whole = has_whole_shape(mapping);
    records.chain(each).flat_map(|rooted| Place::all_of(whole, &rooted)).collect()
}
