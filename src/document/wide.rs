//! Members of objects that have many, found by name without a look at each of them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// So many members are compared one by one; an object that has more is sorted when one is looked for.
const FEW: usize = 64;

/// The members of the wide objects of a tape, sorted by name as soon as one is asked for. All are numbers of nodes.
#[derive(Debug, Default)]
pub(super) struct WideObjects {
    sorted: RefCell<HashMap<u32, Vec<u32>>>,
}

impl WideObjects {
    /// Forgets them all: the tape changed.
    pub(super) fn clear(&mut self) {
        self.sorted.get_mut().clear();
    }

    /// The first member of this name among an object's children; `compared` counts the names that were looked at.
    pub(super) fn member<'t, C: Iterator<Item = u32>>(
        &self,
        object: u32,
        children: impl Fn() -> C,
        name_of: impl Fn(u32) -> Option<&'t str>,
        name: &str,
        compared: &Cell<usize>,
    ) -> Option<u32> {
        let seen = |child: u32| {
            compared.update(|compared| compared + 1);
            name_of(child)
        };
        let mut sorted = self.sorted.borrow_mut();
        if sorted.is_empty() || !sorted.contains_key(&object) {
            let mut rest = children();
            let near = rest.by_ref().take(FEW).find(|child| seen(*child) == Some(name));
            if near.is_some() {
                return near;
            }
            rest.next()?;
            let mut members: Vec<u32> = children().collect();
            // Stable, so that the first of equal names stays the first.
            members.sort_by(|one, other| seen(*one).cmp(&name_of(*other)));
            sorted.insert(object, members);
        }
        let members = sorted.get(&object)?;
        let at = members.partition_point(|member| seen(*member) < Some(name));
        members.get(at).copied().filter(|member| name_of(*member) == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tape::{Kind, NodeRef, Tape};

    /// An object whose members have these names, in an array with another one.
    fn tape(names: &[String]) -> Tape {
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
    fn a_member_is_the_first_of_its_name_however_many_there_are() {
        for length in [0, 1, FEW - 1, FEW, FEW + 1, 3 * FEW] {
            let mut names: Vec<String> = (0..length).map(|i| (i * 7919 % length).to_string()).collect();
            names.extend(names.clone());
            let tape = tape(&names);
            for object in tape.root().children() {
                for name in names.iter().map(String::as_str).chain(["none", ""]) {
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
        let tape = tape(&names);
        let object = tape.node(1);
        let (wide, compared) = (WideObjects::default(), Cell::new(0));
        let member = |name: &str| {
            let children = || object.children().map(NodeRef::id);
            wide.member(object.id(), children, |id| tape.node(id).name(), name, &compared)
        };
        for name in &names {
            assert!(member("version").is_none());
            assert_eq!(member(name).and_then(|id| tape.node(id).name()), Some(name.as_str()));
        }
        // Sorted once, then halved for each question.
        assert!(compared.get() < length * 64, "{compared:?} names compared");
    }

    #[test]
    fn a_tape_that_is_filled_again_knows_its_new_members() {
        let names = |from: usize| (from..from + 2 * FEW).map(|i| i.to_string()).collect::<Vec<_>>();
        let mut first = tape(&names(0));
        assert!(first.node(1).member("127").is_some());
        first.clear();
        let object = first.push(Kind::Object, None, "", 0);
        for name in names(1_000) {
            first.push(Kind::Null, Some(&name), "", 0);
        }
        first.close(object);
        assert!(first.root().member("127").is_none() && first.root().member("1127").is_some());
    }
}
