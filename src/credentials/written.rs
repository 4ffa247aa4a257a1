//! Values that are written in another form, and read back.

use super::Job;
use super::cells::{Placed, open, placed};
use super::keyring::Keyring;
use super::problem::{Problem, not_text};
use super::verify::stopped_by;
use crate::config::Phase;
use crate::database::cells::{Registered, Stored};
use crate::database::{Reader, SealedColumn, Transaction};
use crate::error::{Error, Result};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// How the value of the row with a key is opened.
type Open<'o> = &'o dyn Fn(&[String], &str) -> Result<SecretString, Problem>;

/// What was written, as marks that are meaningless outside this run: each value must open to the same one.
pub(super) struct Written {
    salt: [u8; 32],
    /// By the key of the row.
    marks: BTreeMap<SealedColumn, HashMap<Vec<String>, [u8; 32]>>,
    /// Whether a value that was not written is refused: where all are written, a trigger put it there.
    alone: bool,
}

impl Written {
    /// Nothing yet; `alone` where what is written must be all that is there.
    pub(super) fn new(alone: bool) -> Result<Self> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|_| Error::environment("the operating system's random source failed"))?;
        Ok(Self { salt, marks: BTreeMap::new(), alone })
    }

    fn mark(&self, text: &SecretString) -> [u8; 32] {
        Sha256::new().chain_update(self.salt).chain_update(text.expose_secret().as_bytes()).finalize().into()
    }

    /// Remembers the value that was written into a cell.
    pub(super) fn add(&mut self, column: &SealedColumn, key: Vec<String>, text: &SecretString) {
        let mark = self.mark(text);
        match self.marks.get_mut(column) {
            Some(marks) => drop(marks.insert(key, mark)),
            None => drop(self.marks.insert(column.clone(), HashMap::from([(key, mark)]))),
        }
    }

    /// Writes every value of one of the registered columns as `seal` gives it. NULL and empty texts, which are
    /// no secrets, stay.
    pub(super) fn rewrite(
        &mut self,
        job: &Job<'_>,
        cells: &mut dyn Transaction,
        ring: &Keyring,
        (column, registered): (&SealedColumn, &[Registered]),
        seal: &mut dyn FnMut(&[String], &SecretString) -> Result<String>,
    ) -> Result<()> {
        let (placed, problems) = placed(cells, column)?;
        problems.into_iter().next().map_or(Ok(()), |problem| Err(problem.into_error()))?;
        job.ui.phase(Phase::Seal, placed.len() as u64, 0);
        for one in placed {
            job.heed_signals()?;
            job.ui.advance(1, 0);
            let token = match &one.value {
                Stored::Null => continue,
                Stored::Text(text) if text.expose_secret().is_empty() => continue,
                Stored::Text(text) => text.expose_secret(),
                Stored::Other(kind) => return Err(not_text(column, &one.texts, kind).into_error()),
            };
            let text = open(ring, column, &one.texts, token)
                .map_err(|problem| stopped_by(cells, ring, registered, problem))?;
            cells.write_cell(column, &one.key, &seal(&one.texts, &text)?)?;
            self.add(column, one.texts, &text);
        }
        Ok(())
    }

    /// Reads the values of a column back and opens them: how many they are, and how many of them are empty
    /// texts now.
    pub(super) fn prove(&self, cells: &dyn Reader, column: &SealedColumn, open: Open<'_>) -> Result<(u64, u64)> {
        self.prove_in(placed(cells, column)?.0, column, open)
    }

    /// The same, of cells that were read.
    pub(super) fn prove_in(&self, cells: Vec<Placed>, column: &SealedColumn, open: Open<'_>) -> Result<(u64, u64)> {
        let none = HashMap::new();
        let marks = self.marks.get(column).unwrap_or(&none);
        let (mut opened, mut empty) = (0, 0);
        for one in cells {
            let Stored::Text(token) = &one.value else { continue }; // as it was
            let token = token.expose_secret();
            match marks.get(&one.texts) {
                Some(mark) => {
                    let text = open(&one.texts, token).map_err(Problem::into_error)?;
                    if self.mark(&text) != *mark {
                        return Err(altered(column));
                    }
                    opened += 1;
                    empty += u64::from(token.is_empty());
                }
                None if self.alone && !token.is_empty() => return Err(altered(column)),
                None => {} // as it was
            }
        }
        if opened != marks.len() as u64 { Err(altered(column)) } else { Ok((opened, empty)) }
    }
}

/// A value that was written is not there any more: only a trigger can have done that.
fn altered(column: &SealedColumn) -> Error {
    Error::environment(format!("a value of {column} was changed or removed while it was written"))
        .hint("look for a trigger that does it; nothing was changed")
}
