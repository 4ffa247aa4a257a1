//! Children of containers that have many, found without a look at each of them: elements by the value of a member,
//! members by their name.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;

/// So many children are compared one by one before they are sorted.
pub(super) const FEW: usize = 64;
/// Of so many containers it is known which child was found last.
const AT_HAND: usize = 4;

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
    /// How two values of one kind are sorted.
    pub(super) fn order(self, other: Scalar<'_>) -> Ordering {
        match (self, other) {
            (Scalar::Bool(one), Scalar::Bool(other)) => one.cmp(&other),
            (Scalar::Text(one), Scalar::Text(other)) => one.cmp(other),
            (Scalar::Integer(one), Scalar::Integer(other)) => one.cmp(&other),
            // Zero has two signs and one meaning.
            (Scalar::Real(one), Scalar::Real(other)) => (one + 0.0).total_cmp(&(other + 0.0)),
            _ => Ordering::Equal, // never asked: a list is of one kind
        }
    }

    /// Its kind.
    pub(super) fn kind(self) -> Discriminant<Scalar<'static>> {
        discriminant(&match self {
            Scalar::Bool(value) => Scalar::Bool(value),
            Scalar::Text(_) => Scalar::Text(""),
            Scalar::Integer(value) => Scalar::Integer(value),
            Scalar::Real(value) => Scalar::Real(value),
        })
    }
}

/// A container, and what is asked of its children: a member of theirs with the kind of its value, or nothing but their
/// own names.
type Asked = (u32, Option<(String, Discriminant<Scalar<'static>>)>);

/// The children of the wide containers of a tape, sorted by what they were asked for; none of what was asked once, which
/// costs less than to sort them. All are numbers of nodes.
#[derive(Debug, Default)]
pub(super) struct Picks {
    sorted: RefCell<HashMap<Asked, Option<Arc<[u32]>>>>,
    /// The elements of wide arrays by their place, once asked for twice.
    placed: RefCell<HashMap<u32, Option<Arc<[u32]>>>>,
    /// Containers, each with the place behind the child that was found last.
    last: [Cell<(u32, u32)>; AT_HAND],
}

impl Picks {
    /// Forgets them all: the tape changed.
    pub(super) fn clear(&mut self) {
        self.sorted.get_mut().clear();
        self.placed.get_mut().clear();
        self.last = Default::default();
    }

    /// Where the child of a container is looked for first: they are asked for in much the order in which they stand.
    pub(super) fn last(&self, container: u32) -> &Cell<(u32, u32)> {
        &self.last[container as usize % AT_HAND]
    }

    /// The child at this place: from 0, or from -1 backwards.
    pub(super) fn at(&self, container: u32, mut children: impl Iterator<Item = u32>, place: i64) -> Option<u32> {
        let nth = |all: &[u32]| {
            let back = usize::try_from(place.unsigned_abs()).ok()?;
            let at = if place < 0 { all.len().checked_sub(back)? } else { back };
            all.get(at).copied()
        };
        if (0..FEW as i64).contains(&place) {
            return children.nth(usize::try_from(place).ok()?);
        }
        if let Some(Some(all)) = self.placed.borrow().get(&container) {
            return nth(all);
        }
        let all: Vec<u32> = children.collect();
        let found = nth(&all);
        if all.len() > FEW {
            let mut placed = self.placed.borrow_mut();
            let seen = placed.contains_key(&container);
            placed.insert(container, seen.then(|| all.into()));
        }
        found
    }

    /// The first of a container's children for which `value_of` gives what is wanted; it is called once for each
    /// child that is looked at.
    pub(super) fn first<V: Copy + PartialEq, C: Iterator<Item = u32>>(
        &self,
        asked: Asked,
        children: impl Fn() -> C,
        value_of: impl Fn(u32) -> Option<V>,
        wanted: V,
        order: impl Fn(V, V) -> Ordering,
    ) -> Option<u32> {
        let is_it = |child: &u32| value_of(*child).is_some_and(|found| found == wanted);
        let look_up = |sorted: &[u32]| {
            let is_less = |found: V| order(found, wanted) == Ordering::Less;
            let at = sorted.partition_point(|child| value_of(*child).is_some_and(is_less));
            sorted.get(at).copied().filter(is_it)
        };
        // Nothing is borrowed while values are looked at: those of elements are members of them, found in the same way.
        let known = self.sorted.borrow().get(&asked).cloned();
        if let Some(Some(sorted)) = known {
            return look_up(&sorted);
        }
        let mut rest = children();
        let near = rest.by_ref().take(FEW).find(is_it);
        if near.is_some() {
            return near;
        }
        let far = rest.next()?;
        if known.is_none() {
            self.sorted.borrow_mut().insert(asked, None);
            return std::iter::once(far).chain(rest).find(is_it);
        }
        let mut valued: Vec<_> = children().filter_map(|child| Some((value_of(child)?, child))).collect();
        // Stable, so that the first of equal values stays the first.
        valued.sort_by(|(one, _), (other, _)| order(*one, *other));
        let sorted: Arc<[u32]> = valued.into_iter().map(|(_, child)| child).collect();
        self.sorted.borrow_mut().insert(asked, Some(Arc::clone(&sorted)));
        look_up(&sorted)
    }
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
    fn elements_are_picked_by_a_member_however_many_members_they_have() {
        let names: Vec<String> = (0..2 * FEW).map(|i| format!("n{i}")).collect();
        let mut tape = Tape::new(false);
        let list = tape.push(Kind::Array, None, "", 0);
        let elements: Vec<u32> = (0..2 * FEW)
            .map(|number| {
                let element = tape.push(Kind::Object, None, "", 0);
                names.iter().for_each(|name| _ = tape.push(Kind::Number, Some(name), &number.to_string(), 0));
                tape.close(element);
                element
            })
            .collect();
        tape.close(list);
        for (number, element) in elements.iter().enumerate() {
            let found = tape.root().pick(&names[2 * FEW - 1], Scalar::Integer(number as i64));
            assert_eq!(found.map(NodeRef::id), Some(*element));
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
            let wanted = Scalar::Text(wanted);
            picks.first((0, Some(("id".to_owned(), wanted.kind()))), elements, value, wanted, Scalar::order)
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

    /// An object whose members have these names, in an array with another one.
    fn objects(names: &[String]) -> Tape {
        let mut tape = Tape::new(false);
        let list = tape.push(Kind::Array, None, "", 0);
        for _ in 0..2 {
            let object = tape.push(Kind::Object, None, "", 0);
            for name in names {
                let inner = tape.push(Kind::Array, Some(name), "", 0);
                tape.push(Kind::Null, None, "", 0);
                tape.close(inner);
            }
            tape.close(object);
        }
        tape.close(list);
        tape
    }

    #[test]
    fn a_member_is_found_by_its_name_however_many_there_are() {
        for length in [0, 1, FEW - 1, FEW, FEW + 1, 3 * FEW] {
            let names: Vec<String> = (0..length).map(|i| (i * 7919 % (length + 1)).to_string()).collect();
            let tape = objects(&names);
            for object in tape.root().children() {
                let forwards = names.iter().map(String::as_str).chain(["none", ""]);
                for name in forwards.clone().chain(forwards.rev()) {
                    let plain = object.children().find(|child| child.name() == Some(name)).map(NodeRef::id);
                    assert_eq!(object.member(name).map(NodeRef::id), plain, "{name} of {length}");
                }
            }
        }
    }

    #[test]
    fn looking_for_members_of_a_wide_object_costs_a_few_comparisons_each() {
        let length = 40_000;
        let names: Vec<String> = (0..length).map(|i| format!("i{i:07}")).collect();
        let tape = objects(&names);
        let object = tape.node(1);
        let (picks, seen) = (Picks::default(), Cell::new(0));
        let member = |name: &str| {
            let children = || object.children().map(NodeRef::id);
            let name_of = |child: u32| {
                seen.update(|seen| seen + 1);
                tape.node(child).name()
            };
            picks.first((object.id(), None), children, name_of, name, Ord::cmp)
        };
        for name in &names {
            assert!(member("version").is_none());
            assert_eq!(member(name).and_then(|id| tape.node(id).name()), Some(name.as_str()));
        }
        // Gone through twice, then halved for each question.
        assert!(seen.get() < length * 64, "{seen:?} names compared");
    }

    #[test]
    fn a_tape_that_is_filled_again_knows_its_new_members() {
        let names = |from: usize| (from..from + 2 * FEW).map(|i| i.to_string()).collect::<Vec<_>>();
        let mut first = objects(&names(0));
        (0..3).for_each(|_| assert!(first.node(1).member("127").is_some()));
        first.clear();
        let object = first.push(Kind::Object, None, "", 0);
        for name in names(1_000) {
            first.push(Kind::Null, Some(&name), "", 0);
        }
        first.close(object);
        assert!(first.root().member("127").is_none() && first.root().member("1127").is_some());
    }
}
