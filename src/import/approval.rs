//! Holds an import to the plan that a dry run printed.
//!
//! What can be told without reading is compared before anything is asked or done, and once more before the transaction
//! begins; what the files hold, which are read once, before the commit.

use crate::config::ImportOptions;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::import::plan::Plan;
use crate::import::run::Import;
use crate::plan_id::{Part, PlanId};
use crate::source::{self, walk::Tree};

/// What an import is about to do, as far as it is known before anything is read.
#[derive(Debug)]
pub(super) struct Approval {
    files: String,
    set: String,
    database: String,
    options: String,
    program: String,
}

impl Approval {
    /// That of an import which prints a plan or is held to one; else there is none.
    pub(super) fn of(plan: &Plan, options: &ImportOptions, database: &dyn Database) -> Result<Option<Self>> {
        if options.plan.is_some() && options.replay.is_some() {
            return Err(Error::request("a replay cannot be held to a plan: no plan has what is in its folder"));
        }
        if !options.is_planned() {
            return Ok(None);
        }
        let approval = Self {
            files: files(&plan.tree),
            set: Part::Set.hash([plan.set.name.as_bytes(), plan.set.digest.as_bytes()]),
            database: state(database)?,
            options: chosen(options),
            program: Part::Program.hash([env!("CARGO_PKG_VERSION").as_bytes()]),
        };
        approval.refuse(options.plan.as_ref(), None)?;
        Ok(Some(approval))
    }

    /// The same, where another program may have changed the database meanwhile.
    pub(super) fn again(&self, options: &ImportOptions, database: &dyn Database) -> Result<()> {
        match &options.plan {
            Some(plan) if !plan.has(Part::Database, &state(database)?) => Err(refusal(&[Part::Database])),
            _ => Ok(()),
        }
    }

    /// The id of the plan, once everything was read.
    pub(super) fn id(&self, run: &mut Import<'_>) -> Result<PlanId> {
        let contents = contents(run)?;
        self.refuse(run.options.plan.as_ref(), Some(&contents))?;
        let Self { files, set, database, options, program } = self;
        let [files, set, database, options, program] = [files, set, database, options, program].map(Clone::clone);
        Ok(PlanId::new([files, contents, set, database, options, program]))
    }

    fn refuse(&self, plan: Option<&PlanId>, contents: Option<&str>) -> Result<()> {
        let Some(plan) = plan else { return Ok(()) };
        let known = [
            (Part::Files, Some(self.files.as_str())),
            (Part::Contents, contents),
            (Part::Set, Some(&self.set)),
            (Part::Database, Some(&self.database)),
            (Part::Options, Some(&self.options)),
            (Part::Program, Some(&self.program)),
        ];
        let differing = known.iter().filter(|(part, hash)| hash.is_some_and(|hash| !plan.has(*part, hash)));
        let differing: Vec<Part> = differing.map(|(part, _)| *part).collect();
        if differing.is_empty() { Ok(()) } else { Err(refusal(&differing)) }
    }
}

fn refusal(differing: &[Part]) -> Error {
    let words: Vec<&str> = differing.iter().map(|part| part.words()).collect();
    Error::request(format!("this is not what was planned, nothing was written: {}", words.join("; ")))
        .hint("do a dry run again, and compare its report with the one of the plan: `treelift report diff OLD NEW`")
}

/// The names and sizes of everything in the tree.
fn files(tree: &Tree) -> String {
    let sizes: Vec<[u8; 8]> = tree.files.iter().map(|file| file.bytes.to_be_bytes()).collect();
    let files = tree.files.iter().zip(&sizes).flat_map(|(file, size)| [file.path.as_bytes(), size.as_slice()]);
    let skipped = tree.skipped.iter().flat_map(|skipped| [skipped.path.as_bytes(), b"skipped".as_slice()]);
    Part::Files.hash(files.chain(skipped).chain(tree.directories.iter().map(|directory| directory.as_bytes())))
}

/// The bytes of every file. Those that no mapping reads are read for this alone, so that a change is always noticed.
fn contents(run: &mut Import<'_>) -> Result<String> {
    let digests = std::mem::take(&mut run.digests);
    let files = &run.plan.tree.files;
    let mut all = Vec::with_capacity(files.len());
    for (file, digest) in files.iter().zip(digests) {
        if digest != [0; 32] {
            all.push(digest);
            continue;
        }
        run.heed_signals()?;
        // One that cannot be read is as good as any other that cannot.
        all.push(source::digest_of(file).unwrap_or_default());
    }
    let pieces = files.iter().zip(&all).flat_map(|(file, digest)| [file.path.as_bytes(), digest.as_slice()]);
    Ok(Part::Contents.hash(pieces))
}

/// What an import finds in the database: the engine, which database it is, its tables and what else it has, the record of
/// migrations, and the last run.
fn state(database: &dyn Database) -> Result<String> {
    let engine = database.engine();
    let Some(reader) = database.read()? else { return Ok(Part::Database.hash([engine.as_bytes()])) };
    let id = reader.state()?.id.unwrap_or_default();
    let catalog = format!("{:?}", reader.catalog()?);
    let recorded = format!("{:?}", reader.recorded()?);
    let runs = reader.runs()?;
    let last = runs.last().map(|run| run.id.as_str()).unwrap_or_default();
    let forgotten = runs.iter().filter(|run| run.forgotten.is_some()).count().to_string();
    let pieces = [engine, &id, &catalog, &recorded, last, &forgotten];
    Ok(Part::Database.hash(pieces.map(str::as_bytes)))
}

/// The options that decide what is written. Every new one has its place here.
fn chosen(options: &ImportOptions) -> String {
    let ImportOptions {
        source: _,
        mappings: _,
        database: _,
        mode: _,
        reports: _,
        rejects: _,
        max_rejects,
        set_aside,
        verify,
        replay: _,
        only_mapping,
        with,
        only_owner,
        existing,
        reread: _,
        owner,
        plan: _,
        no_backup: _,
        backup_dir: _,
        allow_empty,
        max_depth,
        max_unpacked,
        jobs: _,
        lock_timeout: _,
        in_use: _,
    } = options;
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    let lists = (sorted(only_mapping), sorted(with), sorted(only_owner), owner);
    let limits = (existing, max_rejects, set_aside, verify, allow_empty, max_depth, max_unpacked);
    Part::Options.hash([format!("{lists:?} {limits:?}").as_bytes()])
}
