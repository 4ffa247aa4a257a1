//! `check --watch`: after every save of a set, what a tree shows about it.

use super::judged::{against_words, valid};
use super::mapping_set;
use super::output::Output;
use crate::against::{self, Manner};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::judge::judge;
use crate::mapping::load::SetSource;
use crate::source::walk::walk;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// So many files of each kind are read where nothing else is said.
const SAMPLE: usize = 20;
/// How often the files of the set are looked at.
const EVERY: Duration = Duration::from_millis(400);
/// How often a signal is.
const MOMENT: Duration = Duration::from_millis(40);

/// Checks a set against a tree, and again whenever one of its files changes, until a signal ends it. Each time says what
/// a new check would.
pub(super) fn run(set: Option<&str>, tree: &Path, manner: Manner, output: &Output) -> Result<u8> {
    if output.is_document() {
        return Err(Error::request("`--watch` prints until it is ended, which is no document")
            .hint("leave out `--json`, or `--watch`"));
    }
    let (source, root) = against::choose(mapping_set::given(set)?.as_deref(), tree, against::BY_NAME)?;
    let SetSource::Folder(folder) = &source else {
        return Err(Error::request("`--watch` is for a set in a folder; a bundled one does not change")
            .hint("`treelift mappings export SET DIR` writes one into a folder"));
    };
    let manner = Manner { sample: manner.sample.or(Some(SAMPLE)), ..manner };
    loop {
        let state = state(folder);
        let begun = Instant::now();
        let words = look(&source, &root, manner)?;
        let took = begun.elapsed().as_millis();
        let end = format!("{words}watching {} ({took} ms); Ctrl-C ends it\n\n", folder.display());
        if !output.live(&end)? {
            return Ok(0); // nobody reads it any more
        }
        wait(|| self::state(folder) != state)?;
    }
}

/// What is to be said of the set as it is now.
fn look(source: &SetSource, root: &Path, manner: Manner) -> Result<String> {
    let judged = judge(source).and_then(|(set, schema)| {
        let said = valid(&set, &schema);
        let judgement = against::against(set, schema, walk(root)?, manner)?;
        let kinds = judgement.undecided.len() + judgement.broken.len();
        let last = match kinds {
            0 => "nothing is undecided\n".to_owned(),
            kinds => format!("undecided: {kinds}\n"),
        };
        Ok(said + &against_words(&judgement, root) + &last)
    });
    match judged {
        Err(error) if error.status() == 2 => Ok(Output::words_of(&error)),
        judged => judged,
    }
}

/// Waits until it is so, looking up for signals.
fn wait(is_so: impl Fn() -> bool) -> Result<()> {
    loop {
        let begun = Instant::now();
        while begun.elapsed() < EVERY {
            interrupt::check()?;
            std::thread::sleep(MOMENT);
        }
        if is_so() {
            return Ok(());
        }
    }
}

/// The files of a set: their names, sizes and times. A file that is being replaced is not there for a moment, which is
/// a change, too.
fn state(folder: &Path) -> Vec<(std::path::PathBuf, u64, Option<SystemTime>)> {
    let files = [folder.to_owned(), folder.join("schema")].into_iter().filter_map(|folder| folder.read_dir().ok());
    let is_read = |path: &Path| path.extension().is_some_and(|ending| ending == "toml" || ending == "sql");
    let entries = files.flatten().filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_read(path));
    let mut state: Vec<_> = entries
        .filter_map(|path| {
            let meta = path.metadata().ok()?;
            Some((path, meta.len(), meta.modified().ok()))
        })
        .collect();
    state.sort();
    state
}
