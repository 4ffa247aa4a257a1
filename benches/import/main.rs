//! Measures the import, on trees that it makes itself:
//!
//!     cargo bench --bench import                       # some minutes
//!     cargo bench --bench import -- --full             # about half an hour, and 10 GB of disk
//!     cargo bench --bench import -- --only floor --json after.json --against before.json
//!
//! `TREELIFT_BIN=PATH` measures another build, so that two can be compared on one machine in the same minutes.
//!
//! What is compared runs in turn, and what is reported is the ratio of the medians, with the least and
//! the greatest ratio of one round. So a busy machine makes the figures uncertain, and shows how much.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod child;
mod floor;
mod people;
mod rows;
mod script;
mod series;
mod server;
mod small_files;
mod traps;
#[path = "../v1_tree/mod.rs"]
mod v1_tree;

use child::Treelift;
use clap::Parser;
use rows::{Results, Row};
use script::Python;
use series::Rounds;
use std::cell::RefCell;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use v1_tree::Plan;

/// The floor has the allocator that the program has.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What can go wrong is for the person who runs it.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Measures the import of treelift on trees that this program makes.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench import --")]
struct Args {
    /// The sizes that the goals are for: 1,000 and 3,000 people, 300,000 small files, a file of 1 GB.
    #[arg(long)]
    full: bool,
    /// Sizes that take a minute, to see that everything runs; the figures mean nothing.
    #[arg(long, conflicts_with = "full")]
    tiny: bool,
    /// Measure only this row, or those whose names begin so; may be given more than once.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// List the rows and end.
    #[arg(long)]
    list: bool,
    /// Measure everything so often, unless it takes long.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// Write the results into this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compare with the results in this file.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Work below this folder [default: the system's folder for temporary files].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How large everything is.
pub(crate) struct Sizes {
    people: u32,
    growing_people: Vec<u32>,
    growing_orders: Vec<u32>,
    orders_in_large_file: u32,
    small_files: u32,
    /// The traps are so many times smaller.
    trap_divisor: u32,
}

impl Sizes {
    fn tiny() -> Self {
        Self {
            people: 4,
            growing_people: vec![4, 8],
            growing_orders: vec![50, 100],
            orders_in_large_file: 500,
            small_files: 400,
            trap_divisor: 25,
        }
    }

    fn quick() -> Self {
        Self {
            people: 100,
            growing_people: vec![100, 1_000],
            growing_orders: vec![1_000, 4_000],
            orders_in_large_file: 17_300,
            small_files: 8_000,
            trap_divisor: 1,
        }
    }

    fn full() -> Self {
        Self {
            people: 1_000,
            growing_people: vec![100, 1_000, 3_000],
            growing_orders: vec![1_000, 4_000, 16_000],
            orders_in_large_file: 173_000,
            small_files: 300_000,
            trap_divisor: 1,
        }
    }
}

/// What every row is measured with.
pub(crate) struct Bench {
    treelift: Treelift,
    folder: PathBuf,
    rounds: Rounds,
    sizes: Sizes,
    only: Vec<String>,
    /// Rows that cannot be measured here, and why.
    missing: RefCell<Vec<String>>,
}

/// Every row by name, as `--only` takes it.
const NAMES: &[&str] = &[
    "floor",
    "script",
    "jobs",
    "second",
    "undo",
    "memory",
    "people-import",
    "people-second",
    "people-undo",
    "memory-100",
    "memory-1000",
    "memory-3000",
    "orders-import",
    "orders-second",
    "orders-undo",
    "memory-file",
    "files-script",
    "files-memory",
    "rejects",
    "frame",
    "mappings",
    "late",
    "undo-rows",
    server::NAMES[0],
    server::NAMES[1],
];

impl Bench {
    /// Whether one of these rows is asked for.
    pub(crate) fn wants(&self, names: &[&str]) -> bool {
        self.only.is_empty() || names.iter().any(|name| self.only.iter().any(|only| name.starts_with(only.as_str())))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The tree of a plan, written and on the disk; it is made once.
    pub(crate) fn tree(&self, plan: &Plan) -> Result<PathBuf> {
        let Plan { users, orders, activities, .. } = plan;
        let root = self.path(&format!("v1-{users}-{orders}-{activities}"));
        if !root.exists() {
            v1_tree::write(&root, plan)?;
            settle();
        }
        Ok(root)
    }

    /// Remembers that a row cannot be measured, and why.
    pub(crate) fn cannot(&self, name: &str, why: impl Display) {
        self.missing.borrow_mut().push(format!("{name}: {why}"));
    }

    /// The interpreter of the script, if its row is asked for and there is one.
    pub(crate) fn python(&self, name: &str) -> Option<Python> {
        let found = self.wants(&[name]).then(Python::new)?;
        found.inspect_err(|error| self.cannot(name, error)).ok()
    }

    /// Tells what is going on.
    pub(crate) fn say(&self, what: &str) {
        eprintln!("  {what}");
    }
}

/// Writes to the disk what is still in memory, so that no measurement pays for it.
pub(crate) fn settle() {
    rustix::fs::sync();
}

fn main() -> ExitCode {
    let raw: Vec<_> = std::env::args_os().skip(1).collect();
    let done = match raw.first() {
        Some(flag) if flag == floor::FLAG => floor::run(&raw[1..]).map(|()| true),
        Some(flag) if flag == script::FLAG => script::run(&raw[1..]).map(|()| true),
        _ => run(&Args::parse()),
    };
    match done {
        Ok(complete) => ExitCode::from(u8::from(!complete)),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(3)
        }
    }
}

/// Whether nothing failed.
fn run(args: &Args) -> Result<bool> {
    if args.list {
        NAMES.iter().for_each(|name| println!("{name}"));
        return Ok(true);
    }
    if let Some(unknown) = args.only.iter().find(|only| !NAMES.iter().any(|name| name.starts_with(only.as_str()))) {
        return Err(format!("there is no row `{unknown}`: `--list` lists them").into());
    }
    let earlier = args.against.as_deref().map(Results::read).transpose()?;
    let load = load();
    let parent = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("treelift-bench-").tempdir_in(std::path::absolute(parent)?)?;
    let (size, sizes) = match (args.tiny, args.full) {
        (true, _) => ("tiny", Sizes::tiny()),
        (_, true) => ("full", Sizes::full()),
        _ => ("quick", Sizes::quick()),
    };
    let bench = Bench {
        treelift: Treelift::new(folder.path())?,
        folder: folder.path().to_owned(),
        rounds: Rounds { most: args.rounds, patience: Duration::from_secs(20) },
        sizes,
        only: args.only.clone(),
        missing: RefCell::default(),
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let version = env!("CARGO_PKG_VERSION");
    eprintln!("treelift {version}, {size} sizes, {processors} processors, load average {}", words(load));
    if load.is_some_and(|load| load > QUIET) {
        eprintln!("warning: the machine is busy (load average above {QUIET}): take figures from a quiet one");
    }
    if !bench.treelift.has_jobs && bench.wants(&["jobs"]) {
        bench.cannot("jobs", "this version has no `import --jobs`");
    }
    let started = Instant::now();
    let (rows, failures) = measure(&bench);
    let results = Results { version: version.to_owned(), size: size.to_owned(), processors, load, rows };
    println!("{}", results.table());
    bench.missing.borrow().iter().chain(&failures).for_each(|why| println!("not measured: {why}"));
    earlier.iter().for_each(|earlier| println!("\n{}", results.against(earlier)));
    args.json.as_deref().map_or(Ok(()), |path| results.write(path))?;
    eprintln!("{} s, load average {}", started.elapsed().as_secs(), words(self::load()));
    Ok(failures.is_empty())
}

/// Measures some rows, those of them that are asked for.
type Part = fn(&Bench) -> Result<Vec<Row>>;

/// A failure costs its own rows only.
fn measure(bench: &Bench) -> (Vec<Row>, Vec<String>) {
    let parts: [Part; 7] = [
        people::beside_others,
        people::more_people,
        people::more_orders,
        people::large_file,
        small_files::measure,
        traps::measure,
        server::measure,
    ];
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for part in parts {
        match part(bench) {
            Ok(measured) => rows.extend(measured),
            Err(error) => failures.push(error.to_string()),
        }
    }
    (rows, failures)
}

/// Above this load average a machine is not quiet.
const QUIET: f64 = 0.5;

/// The load average of the last minute, where the system tells it (`proc_loadavg(5)`).
fn load() -> Option<f64> {
    std::fs::read_to_string(Path::new("/proc/loadavg")).ok()?.split(' ').next()?.parse().ok()
}

fn words(load: Option<f64>) -> String {
    load.map_or("unknown".to_owned(), |load| load.to_string())
}
