//! Puts what the scanner reads onto a tape.

use super::json::{Event, Fault, Token};
use crate::document::tape::{Kind, NodeId, Outer, Tape};
use crate::finding::JSON_SIZE;
use zeroize::Zeroizing;

/// The containers that are open on a tape, and the name of the member that comes next.
#[derive(Default)]
pub(super) struct Builder {
    open: Vec<Open>,
    name: Zeroizing<String>,
    named: bool,
    /// Whether the name was read without an escape.
    plain: bool,
    scratch: Zeroizing<String>,
}

struct Open {
    node: NodeId,
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
    pub(super) fn name(&mut self, name: &str, plain: bool) {
        (self.named, self.plain) = (true, plain);
        self.name.clear();
        self.name.push_str(name);
    }

    /// Takes the next token of the value; the value's first token must not be a name.
    #[inline]
    pub(super) fn token(&mut self, token: &Token<'_>, tape: &mut Tape) -> Result<(), Fault> {
        match token.event {
            Event::Name(name) => {
                let mut scratch = std::mem::take(&mut self.scratch);
                self.name(name.decode(&mut scratch), !name.escaped);
                self.scratch = scratch;
            }
            Event::ObjectEnd | Event::ArrayEnd => {
                if let Some(container) = self.open.pop() {
                    tape.close(container.node);
                }
            }
            Event::ObjectStart => self.container(Kind::Object, token.at, tape)?,
            Event::ArrayStart => self.container(Kind::Array, token.at, tape)?,
            Event::String(text) => {
                let mut scratch = std::mem::take(&mut self.scratch);
                let pushed = self.push(Kind::String, text.decode(&mut scratch), !text.escaped, token.at, tape);
                self.scratch = scratch;
                pushed?;
            }
            Event::Number(text) => _ = self.push(Kind::Number, text, true, token.at, tape)?,
            Event::Bool(value) => _ = self.push(Kind::Bool(value), "", true, token.at, tape)?,
            Event::Null => _ = self.push(Kind::Null, "", true, token.at, tape)?,
        }
        Ok(())
    }

    /// Takes a value that is a record, whose content is not kept.
    ///
    /// Records without a name are kept once per kind and array: millions of equal nodes add nothing.
    pub(super) fn record(&mut self, outer: Outer, at: u64, tape: &mut Tape) -> Result<(), Fault> {
        if !self.named
            && let Some(array) = self.open.last_mut()
            && std::mem::replace(&mut array.records[outer as usize], true)
        {
            return Ok(());
        }
        self.push(Kind::Record(outer), "", true, at, tape).map(drop)
    }

    fn container(&mut self, kind: Kind, at: u64, tape: &mut Tape) -> Result<(), Fault> {
        let node = self.push(kind, "", true, at, tape)?;
        self.open.push(Open { node, records: [false; 3] });
        Ok(())
    }

    #[inline]
    fn push(&mut self, kind: Kind, text: &str, plain: bool, at: u64, tape: &mut Tape) -> Result<NodeId, Fault> {
        let named = std::mem::take(&mut self.named);
        let plain = plain && (self.plain || !named);
        // A record's own name is not part of it.
        let name = (named && !self.open.is_empty()).then_some(self.name.as_str());
        if !tape.has_room(name.map_or(0, str::len) + text.len()) {
            return Err(Fault::new(&JSON_SIZE, at, "a record, or what lies around the records, is larger than 4 GiB"));
        }
        Ok(tape.push_plain(kind, name, text, at, plain))
    }
}
