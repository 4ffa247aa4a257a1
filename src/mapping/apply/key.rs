//! The key of a row.

use super::draft::Fault;
use super::maker::RowMaker;
use super::scope::{Operand, Stop};
use crate::finding::ROW_KEY;
use crate::mapping::keyindex::KeyText;
use crate::mapping::model::KeyPart;
use crate::row::Value;

impl<'t> RowMaker<'_, 't> {
    /// The key; a policy of a `let` in it may say that there is no row.
    pub(super) fn key(&mut self) -> Result<Option<KeyText>, Stop> {
        if self.rule.key.is_empty() {
            return Ok(None);
        }
        let rule = self.rule;
        let in_target = self.compiled.key_fields.is_some();
        let mut key = KeyText::default();
        for part in &rule.key {
            match part {
                KeyPart::Column(name) => {
                    let value = self.compiled.field(name).map_or(&Value::Null, |field| &self.draft.values[field]);
                    match value.as_key_text() {
                        Some(text) => key.push(&text),
                        // The engine gives it; then the key is made.
                        None if self.draft.ids_above.iter().any(|(at, _)| self.compiled.field(name) == Some(*at)) => {}
                        None if in_target => {
                            let message = format!("`{name}` is part of the key and would be NULL");
                            let fault = Fault::new(&ROW_KEY, message).of_column(name, rule.line);
                            return Err(fault.at(Some(self.draft.at)).into());
                        }
                        None => key.push("\0null"),
                    }
                }
                KeyPart::Path(path) => {
                    let scope = self.scope;
                    // What a condition put aside is not said.
                    let outer = (std::mem::take(&mut self.asides), self.dangling.take());
                    let got = self.path(path, scope, &mut Vec::new());
                    self.put_aside(None);
                    (self.asides, self.dangling) = outer;
                    let got = match got {
                        Err(Stop::Later) => Operand::Missing,
                        got => got?,
                    };
                    key.push(&self.key_part(&got));
                }
            }
        }
        Ok(Some(key))
    }

    /// A part of a key that is no column: its kind counts, so that a missing value, null, `1` and
    /// `"1"` are four different things.
    fn key_part(&mut self, got: &Operand<'t>) -> String {
        match got {
            Operand::Missing => "missing".to_owned(),
            got => self.json_text(got),
        }
    }
}
