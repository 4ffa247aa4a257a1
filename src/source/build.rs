//! Puts what the scanner reads onto a tape.

use super::json::{Event, Fault, Token};
use crate::document::tape::{Kind, NodeId, Outer, PathId, Paths, Tape};
use crate::finding::JSON_SIZE;
use zeroize::Zeroizing;

/// The containers that are open on a tape, and the name of the member that comes next.
#[derive(Default)]
pub(super) struct Builder {
    open: Vec<Open>,
    name: Zeroizing<String>,
    named: bool,
    scratch: Zeroizing<String>,
}

struct Open {
    node: NodeId,
    path: PathId,
    /// Which kinds of unnamed records were kept in it.
    records: [bool; 3],
}

impl Builder {
    /// Whether the value that was begun is complete.
    pub(super) fn is_complete(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes the name of the member whose value comes next.
    #[inline]
    pub(super) fn name(&mut self, name: &str) {
        self.named = true;
        self.name.clear();
        self.name.push_str(name);
    }

    /// Takes the next token of the value; the value's first token must not be a name.
    #[inline]
    pub(super) fn token(&mut self, token: &Token<'_>, tape: &mut Tape, paths: &mut Paths) -> Result<(), Fault> {
        match token.event {
            Event::Name(name) => {
                let mut scratch = std::mem::take(&mut self.scratch);
                self.name(name.decode(&mut scratch));
                self.scratch = scratch;
            }
            Event::ObjectEnd | Event::ArrayEnd => {
                if let Some(container) = self.open.pop() {
                    tape.close(container.node);
                }
            }
            Event::ObjectStart => self.container(Kind::Object, token.at, tape, paths)?,
            Event::ArrayStart => self.container(Kind::Array, token.at, tape, paths)?,
            Event::String(text) => {
                let mut scratch = std::mem::take(&mut self.scratch);
                let pushed = self.push(Kind::String, text.decode(&mut scratch), token.at, tape, paths);
                self.scratch = scratch;
                pushed?;
            }
            Event::Number(text) => _ = self.push(Kind::Number, text, token.at, tape, paths)?,
            Event::Bool(value) => _ = self.push(Kind::Bool(value), "", token.at, tape, paths)?,
            Event::Null => _ = self.push(Kind::Null, "", token.at, tape, paths)?,
        }
        Ok(())
    }

    /// Takes a value that is a record, whose content is not kept.
    ///
    /// Records without a name are kept once per kind and array: millions of equal nodes add nothing.
    pub(super) fn record(&mut self, outer: Outer, at: u64, tape: &mut Tape, paths: &mut Paths) -> Result<(), Fault> {
        if !self.named
            && let Some(array) = self.open.last_mut()
            && std::mem::replace(&mut array.records[outer as usize], true)
        {
            return Ok(());
        }
        self.push(Kind::Record(outer), "", at, tape, paths).map(drop)
    }

    fn container(&mut self, kind: Kind, at: u64, tape: &mut Tape, paths: &mut Paths) -> Result<(), Fault> {
        let (node, path) = self.push(kind, "", at, tape, paths)?;
        self.open.push(Open { node, path, records: [false; 3] });
        Ok(())
    }

    #[inline]
    fn push(
        &mut self,
        kind: Kind,
        text: &str,
        at: u64,
        tape: &mut Tape,
        paths: &mut Paths,
    ) -> Result<(NodeId, PathId), Fault> {
        let name = std::mem::take(&mut self.named).then_some(self.name.as_str());
        let path = match (self.open.last(), name) {
            (None, _) => 0,
            (Some(object), Some(name)) => paths.member(object.path, name),
            (Some(array), None) => paths.element(array.path),
        };
        // A record's own name is not part of it.
        let name = name.filter(|_| !self.open.is_empty());
        if !tape.has_room(name.map_or(0, str::len) + text.len()) {
            return Err(Fault::new(&JSON_SIZE, at, "a record, or what lies around the records, is larger than 4 GiB"));
        }
        Ok((tape.push(kind, name, text, at, path), path))
    }
}
