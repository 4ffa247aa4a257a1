//! The key of a row.

use super::draft::Fault;
use super::maker::RowMaker;
use super::scope::{Operand, Stop};
use crate::finding::ROW_KEY;
use crate::mapping::keyindex::KeyText;
use crate::mapping::model::KeyPart;
use crate::row::Value;

impl<'t> RowMaker<'_, 't> {
    pub(super) fn key(&mut self) -> Result<Option<KeyText>, Fault> {
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
                        None if self.draft.parents_id.iter().any(|at| self.compiled.field(name) == Some(*at)) => {}
                        None if in_target => {
                            let mut fault =
                                Fault::new(&ROW_KEY, format!("`{name}` is part of the key and would be NULL"));
                            fault.column = Some(name.clone());
                            fault.line = rule.line;
                            fault.at = Some(self.draft.at);
                            return Err(fault);
                        }
                        None => key.push("\0null"),
                    }
                }
                KeyPart::Path(path) => {
                    let scope = self.scope.clone();
                    let got = match self.path(path, &scope, &mut Vec::new()) {
                        Ok(got) => got,
                        Err(Stop::Reject(fault)) => return Err(fault),
                        Err(Stop::Skip) => Operand::Missing,
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
        let mut out = String::new();
        match got {
            Operand::Missing => out.push_str("missing"),
            got => self.json_of(got, &mut out),
        }
        out
    }
}
