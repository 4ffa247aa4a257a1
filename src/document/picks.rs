//! Elements of arrays that have many, found by the value of a member without a look at each of them.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

/// So many elements are compared one by one before an array is sorted.
const FEW: usize = 64;

/// A value to compare a node with; numbers are compared by what they mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'s> {
    /// `true` or `false`.
    Bool(bool),
    /// A string.
    Text(&'s str),
    /// A number that is written as an integer.
    Integer(i64),
    /// A number.
    Real(f64),
}

impl Scalar<'_> {
    fn order(self, other: Scalar<'_>) -> Ordering {
        match (self, other) {
            (Scalar::Bool(one), Scalar::Bool(other)) => one.cmp(&other),
            (Scalar::Text(one), Scalar::Text(other)) => one.cmp(other),
            (Scalar::Integer(one), Scalar::Integer(other)) => one.cmp(&other),
            // Zero has two signs and one meaning.
            (Scalar::Real(one), Scalar::Real(other)) => (one + 0.0).total_cmp(&(other + 0.0)),
            _ => Ordering::Equal, // never asked: a list is of one kind
        }
    }
}

/// An array, a member of its elements, and the kind of value.
type Asked = (u32, String, Discriminant<Scalar<'static>>);

/// The elements of the wide arrays of a tape that have a member of a kind, sorted by it; none of those whose
/// array was asked once, which costs less than to sort it. All are numbers of nodes.
#[derive(Debug, Default)]
pub(super) struct Picks {
    sorted: RefCell<HashMap<Asked, Option<Vec<u32>>>>,
}

impl Picks {
    /// Forgets them all: the tape changed.
    pub(super) fn clear(&mut self) {
        self.sorted.get_mut().clear();
    }

    /// The first of an array's elements for which `value_of` the member gives what is wanted; it is called once for
    /// each element that is looked at.
    pub(super) fn first<'t, C: Iterator<Item = u32>>(
        &self,
        array: u32,
        elements: impl Fn() -> C,
        value_of: impl Fn(u32) -> Option<Scalar<'t>>,
        (member, wanted): (&str, Scalar<'_>),
    ) -> Option<u32> {
        let is_it = |element: &u32| value_of(*element).is_some_and(|found| found == wanted);
        let look_up = |sorted: &[u32]| {
            let is_less = |found: Scalar<'_>| found.order(wanted) == Ordering::Less;
            let at = sorted.partition_point(|element| value_of(*element).is_some_and(is_less));
            sorted.get(at).copied().filter(is_it)
        };
        let mut sorted = self.sorted.borrow_mut();
        let asked = (array, member.to_owned(), kind_of(wanted));
        if let Some(Some(sorted)) = sorted.get(&asked) {
            return look_up(sorted);
        }
        let mut rest = elements();
        let near = rest.by_ref().take(FEW).find(is_it);
        if near.is_some() {
            return near;
        }
        let far = rest.next()?;
        if let Some(known) = sorted.get_mut(&asked) {
            let mut valued: Vec<_> = elements().filter_map(|element| Some((value_of(element)?, element))).collect();
            // Stable, so that the first of equal values stays the first.
            valued.sort_by(|(one, _), (other, _)| one.order(*other));
            return look_up(known.insert(valued.into_iter().map(|(_, element)| element).collect()));
        }
        sorted.insert(asked, None);
        std::iter::once(far).chain(rest).find(is_it)
    }
}

fn kind_of(scalar: Scalar<'_>) -> Discriminant<Scalar<'static>> {
    discriminant(&match scalar {
        Scalar::Bool(value) => Scalar::Bool(value),
        Scalar::Text(_) => Scalar::Text(""),
        Scalar::Integer(value) => Scalar::Integer(value),
        Scalar::Real(value) => Scalar::Real(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tape::{Kind, NodeRef, Tape};
    use std::cell::Cell;

    /// An array of objects whose member `id` has these values.
    fn tape(values: &[(Kind, &str)]) -> Tape {
        let mut tape = Tape::new(false);
        let list = tape.push(Kind::Array, None, "", 0);
        for (kind, text) in values {
            let element = tape.push(Kind::Object, None, "", 0);
            tape.push(*kind, Some("id"), text, 0);
            tape.close(element);
        }
        tape.close(list);
        tape
    }

    #[test]
    fn an_element_is_the_first_with_the_value_however_many_there_are() {
        for length in [0, 1, FEW - 1, FEW, FEW + 1, 3 * FEW] {
            let numbers: Vec<String> = (0..length).map(|i| (i * 7919 % length / 2).to_string()).collect();
            let mut values: Vec<(Kind, &str)> = Vec::new();
            for (at, number) in numbers.iter().enumerate() {
                values.push((if at % 3 == 0 { Kind::String } else { Kind::Number }, number));
                values.push((Kind::Bool(at == length / 2), ""));
            }
            values.extend([(Kind::Null, ""), (Kind::Number, "-0.0"), (Kind::Number, "1e999"), (Kind::Number, "2.50")]);
            let tape = tape(&values);
            let list = tape.root();
            let texts = numbers.iter().map(|text| Scalar::Text(text));
            let whole = numbers.iter().filter_map(|text| text.parse().ok()).map(Scalar::Integer);
            let real = [0.0, 2.5, 3.0, f64::INFINITY, 1e-9].map(Scalar::Real);
            let others = [Scalar::Bool(true), Scalar::Bool(false), Scalar::Text("x"), Scalar::Integer(-1)];
            for wanted in texts.chain(whole).chain(real).chain(others) {
                let plain =
                    list.children().find(|element| element.member("id").is_some_and(|node| node.equals(wanted)));
                for _ in 0..3 {
                    assert_eq!(
                        list.pick("id", wanted).map(NodeRef::id),
                        plain.map(NodeRef::id),
                        "{wanted:?} of {length}"
                    );
                }
                assert!(list.pick("none", wanted).is_none());
            }
        }
    }

    #[test]
    fn picking_from_a_long_array_costs_a_few_comparisons_each() {
        let ids: Vec<String> = (0..20_000).map(|i| format!("i{i:07}")).collect();
        let values: Vec<(Kind, &str)> = ids.iter().map(|id| (Kind::String, id.as_str())).collect();
        let tape = tape(&values);
        let (picks, seen) = (Picks::default(), Cell::new(0));
        let first = |wanted: &str| {
            let elements = || tape.root().children().map(NodeRef::id);
            let value = |element: u32| {
                seen.update(|seen| seen + 1);
                tape.node(element).member("id").map(|node| Scalar::Text(node.text()))
            };
            picks.first(0, elements, value, ("id", Scalar::Text(wanted)))
        };
        for id in &ids {
            let found = first(id).and_then(|element| tape.node(element).member("id"));
            assert_eq!(found.map(NodeRef::text), Some(id.as_str()));
            assert!(first("version").is_none());
        }
        // Gone through twice, then halved for each question.
        assert!(seen.get() < ids.len() * 64, "{seen:?} elements looked at");
    }

    #[test]
    fn a_tape_that_is_filled_again_knows_its_new_elements() {
        let ids: Vec<String> = (0..3 * FEW).map(|i| i.to_string()).collect();
        let values: Vec<(Kind, &str)> = ids.iter().map(|id| (Kind::Number, id.as_str())).collect();
        let mut tape = tape(&values);
        (0..3).for_each(|_| assert!(tape.root().pick("id", Scalar::Integer(100)).is_some()));
        tape.clear();
        let list = tape.push(Kind::Array, None, "", 0);
        tape.close(list);
        assert!(tape.root().pick("id", Scalar::Integer(100)).is_none());
    }
}
