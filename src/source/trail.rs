//! The way from the document to the value that a scanner is at.

use super::json::{Event, Token};

/// The open containers, each with the child that the scanner is at.
#[derive(Default)]
pub(super) struct Trail {
    steps: Vec<Step>,
    depth: usize,
}

#[derive(Default)]
struct Step {
    object: bool,
    /// The last member's name, as long as its value is not complete.
    name: String,
    named: bool,
    /// How many elements have begun.
    elements: u64,
}

/// How far into the innermost container a pointer goes.
#[derive(Clone, Copy)]
pub(super) enum Reach {
    /// To the container itself.
    Container,
    /// To the member whose name was read, else to the container.
    Named,
    /// To the member whose name was read, or to the element that has not begun.
    Next,
}

impl Trail {
    pub(super) fn token(&mut self, token: &Token<'_>, scratch: &mut String) {
        match token.event {
            Event::Name(text) => {
                if let Some(step) = self.innermost() {
                    step.named = true;
                    text.decode(scratch).clone_into(&mut step.name);
                }
            }
            Event::ObjectStart | Event::ArrayStart => {
                if self.steps.len() == self.depth {
                    self.steps.push(Step::default());
                }
                let step = &mut self.steps[self.depth];
                (step.object, step.named, step.elements) = (token.event == Event::ObjectStart, false, 0);
                self.depth += 1;
            }
            Event::ObjectEnd | Event::ArrayEnd => {
                self.depth -= 1;
                self.complete();
            }
            _ => self.complete(),
        }
    }

    /// The pointer of what the token belongs to; takes the token.
    pub(super) fn pointer_of(&mut self, token: &Token<'_>, scratch: &mut String) -> String {
        match token.event {
            Event::Name(_) => {
                self.token(token, scratch);
                self.pointer(Reach::Named)
            }
            Event::ObjectEnd | Event::ArrayEnd => {
                let pointer = self.pointer(Reach::Container);
                self.token(token, scratch);
                pointer
            }
            _ => {
                let pointer = self.pointer(Reach::Next);
                self.token(token, scratch);
                pointer
            }
        }
    }

    /// A value of the innermost container is complete.
    fn complete(&mut self) {
        if let Some(step) = self.innermost() {
            step.named = false;
            step.elements += 1;
        }
    }

    fn innermost(&mut self) -> Option<&mut Step> {
        self.steps[..self.depth].last_mut()
    }

    pub(super) fn pointer(&self, reach: Reach) -> String {
        let mut pointer = String::new();
        for (at, step) in self.steps[..self.depth].iter().enumerate() {
            let goes_on = at + 1 < self.depth;
            if step.named && (goes_on || !matches!(reach, Reach::Container)) {
                pointer.push('/');
                pointer.push_str(&step.name.replace('~', "~0").replace('/', "~1"));
            } else if !step.object && (goes_on || matches!(reach, Reach::Next)) {
                pointer.push('/');
                pointer.push_str(&step.elements.to_string());
            }
        }
        pointer
    }
}
