//! Puts what the scanner reads onto a tape.

use super::inside::{self, Raw};
use super::json::{Event, Fault, Scanner, Token};
use super::limits::Limits;
use super::select::Matcher;
use super::string::Text;
use crate::document::tape::{Kind, NodeId, Outer, Selection, Tape};
use crate::finding::JSON_SIZE;
use zeroize::Zeroizing;

/// The containers that are open on a tape, and the name of the member that comes next.
#[derive(Default)]
pub(super) struct Builder<'s> {
    open: Vec<Open>,
    name: Zeroizing<String>,
    named: bool,
    /// Whether the name was read without an escape.
    plain: bool,
    scratch: Zeroizing<String>,
    /// Follows the selections of texts that hold JSON, where there are some, with how that is read.
    unfolds: Option<(Matcher<'s>, Limits)>,
}

struct Open {
    node: NodeId,
    /// Which kinds of unnamed records were kept in it.
    records: [bool; 3],
}

impl<'s> Builder<'s> {
    /// One that puts the JSON of the selected texts in their place, read as these limits say.
    pub(super) fn unfolding(selections: impl Iterator<Item = &'s Selection>, limits: Limits) -> Self {
        let selections: Vec<&Selection> = selections.collect();
        let unfolds = (!selections.is_empty()).then(|| (Matcher::new(selections), limits));
        Self { unfolds, ..Self::default() }
    }

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
        if let Some((matcher, _)) = &mut self.unfolds {
            matcher.name(name);
        }
    }

    /// Takes the next token of the value; the value's first token must not be a name.
    #[inline]
    pub(super) fn token(&mut self, token: &Token<'_>, tape: &mut Tape) -> Result<(), Fault> {
        if self.unfolds.is_some()
            && self.reach(&token.event)
            && let Event::String(text) = token.event
        {
            return self.unfold(text, token.at, tape);
        }
        self.build(token, tape)
    }

    /// Follows the selections of texts that hold JSON; whether one of them selects the value.
    fn reach(&mut self, event: &Event<'_>) -> bool {
        let Some((matcher, _)) = &mut self.unfolds else { return false };
        let mut is_selected = false;
        match event {
            Event::Name(_) => {}
            Event::ObjectEnd | Event::ArrayEnd => matcher.close(),
            Event::ObjectStart | Event::ArrayStart => {
                matcher.value(|_| {});
                matcher.open(*event == Event::ObjectStart);
            }
            _ => matcher.value(|_| is_selected = true),
        }
        is_selected
    }

    /// Puts the JSON that a text holds in its place, each value where it is written; a text that holds none stays.
    fn unfold(&mut self, text: Text<'_>, at: u64, tape: &mut Tape) -> Result<(), Fault> {
        let limits = self.unfolds.as_ref().map_or_else(Limits::default, |(_, limits)| *limits);
        let content = inside::content(text.raw(), limits.replace.nul);
        let depth = limits.depth.saturating_sub(u32::try_from(self.open.len()).unwrap_or(u32::MAX));
        let mut raw = Raw::of(text.raw(), limits.replace.nul);
        match inside::check(&content, depth, limits.replace, tape.is_sensitive()) {
            Ok(leaves) => tape.note_unfolded(leaves),
            Err(fault) => {
                tape.note_broken(at + 1 + raw.written(fault.at), fault.message);
                return self.build(&Token { event: Event::String(text), at, end: at }, tape);
            }
        }
        let mut window = inside::window_of(&content, tape.is_sensitive());
        let mut scanner = Scanner::within(&mut window, depth, limits.replace);
        let mut is_root = true;
        while let Some(token) = scanner.next()? {
            let inside = token.at;
            let token = Token { at: at + 1 + raw.written(inside), ..token };
            if let (true, Event::Name(text) | Event::String(text)) = (limits.replace.tells(), token.event) {
                text.odd().for_each(|(odd, is_nul)| tape.note_odd(at + 1 + raw.written(inside + 1 + odd), is_nul));
            }
            if std::mem::take(&mut is_root) {
                // The selections have come to it as the text.
                if let (Event::ObjectStart | Event::ArrayStart, Some((matcher, _))) = (token.event, &mut self.unfolds) {
                    matcher.open(token.event == Event::ObjectStart);
                }
                self.build(&token, tape)?;
            } else {
                self.token(&token, tape)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn build(&mut self, token: &Token<'_>, tape: &mut Tape) -> Result<(), Fault> {
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
        if let Some((matcher, _)) = &mut self.unfolds {
            matcher.value(|_| {});
        }
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
