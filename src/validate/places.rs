//! Where the rows that an assertion finds wrong came from: the ledger knows the file, and the tree, where it is still there as
//! the run read it, the line.

use super::answers::Answer;
use crate::database::Reader;
use crate::database::ledger::{HIDDEN_PATH, RowOrigin, RunRecord};
use crate::error::Result;
use crate::finding::printable;
use crate::source::walk::{self, Tree};
use crate::source::{self, locate};
use std::collections::HashMap;
use std::path::Path;

/// Notes the place of each row that is named.
pub fn note(answers: &mut [Answer], reader: &dyn Reader) -> Result<()> {
    let mut trees = Trees { runs: None, walked: HashMap::new() };
    for answer in answers {
        for (table, row_key) in answer.wrong_rows() {
            let origin = reader.origins(&table, &row_key)?.pop();
            let place = origin.map(|origin| trees.place(&origin, reader)).transpose()?;
            answer.places.push(place.flatten());
        }
    }
    Ok(())
}

/// The trees of runs, each walked once; none that is not there any more.
struct Trees {
    runs: Option<Vec<RunRecord>>,
    walked: HashMap<String, Option<Tree>>,
}

impl Trees {
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
        let walked = |root: &String| walk::walk(Path::new(root)).ok();
        let tree = self.walked.entry(run.source.clone()).or_insert_with_key(walked);
        let file = tree.as_ref().and_then(|tree| tree.files.iter().find(|file| *file.path == *origin.path));
        let same = file.filter(|file| source::digest_of(file) == Some(origin.sha256));
        // In what is packed an offset is one of the unpacked text, and a set alone says which files those are.
        let located = same.filter(|file| !file.path.ends_with(".gz"));
        let located = located.and_then(|file| locate::locate(file, &[origin.offset]).ok()?.pop());
        Ok(Some(match located {
            Some(at) => format!("{path}:{}:{} {}", at.line, at.column, printable(&at.pointer)).trim_end().to_owned(),
            None => path,
        }))
    }
}
