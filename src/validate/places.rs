//! Where the rows that an assertion finds wrong came from: the ledger knows the file, and the tree, where it is still there as
//! the run read it, the line.

use super::answers::Answer;
use crate::database::Reader;
use crate::database::ledger::{HIDDEN_PATH, RowOrigin, RunRecord};
use crate::error::Result;
use crate::finding::printable;
use crate::source::{self, SourceFile, locate};
use std::collections::HashMap;
use std::path::Path;

/// Notes the place of each row that is named.
pub fn note(answers: &mut [Answer], reader: &dyn Reader) -> Result<()> {
    let mut files = Files::default();
    for answer in answers {
        for (table, row_key) in answer.wrong_rows() {
            let origin = reader.origins(&table, &row_key)?.pop();
            let place = origin.map(|origin| files.place(&origin, reader)).transpose()?;
            answer.places.push(place.flatten());
        }
    }
    Ok(())
}

/// The files of runs, each looked for once.
#[derive(Default)]
struct Files {
    runs: Option<Vec<RunRecord>>,
    /// By run and path: none that is not there any more as the run read it.
    found: HashMap<(String, String), Option<SourceFile>>,
}

impl Files {
    fn place(&mut self, origin: &RowOrigin, reader: &dyn Reader) -> Result<Option<String>> {
        if origin.path.starts_with(HIDDEN_PATH) {
            return Ok(None);
        }
        let path = printable(&origin.path);
        let runs = match &mut self.runs {
            Some(runs) => runs,
            none => none.insert(reader.runs()?),
        };
        let Some(run) = runs.iter().find(|run| run.id == origin.run) else { return Ok(Some(path)) };
        let key = (run.id.clone(), origin.path.clone());
        let file = self.found.entry(key).or_insert_with(|| {
            let file = source::file_of(Path::new(&run.source), &origin.path)?;
            (source::digest_of(&file) == Some(origin.sha256)).then_some(file)
        });
        // In what is packed an offset is one of the unpacked text, and a set alone says which files those are.
        let plain = file.as_ref().filter(|file| !file.path.ends_with(".gz"));
        let located = plain.and_then(|file| locate::locate(file, &[origin.offset]).ok()?.pop());
        Ok(Some(match located {
            Some(at) => format!("{path}:{}:{} {}", at.line, at.column, printable(&at.pointer)).trim_end().to_owned(),
            None => path,
        }))
    }
}
