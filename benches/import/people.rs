//! Trees of the application that the bundled set `fossawork` is for: people with their work orders.

use crate::child::{Import, Treelift, Usage};
use crate::rows::{Goal, IN_PROPORTION, NO_GOAL, Row, goal, seconds};
use crate::script;
use crate::series::{Figure, Series, exponent};
use crate::v1_tree::Plan;
use crate::{Bench, Result, floor};
use std::fs;
use std::path::{Path, PathBuf};

/// Seconds of CPU.
const CPU: Figure = |usage| usage.cpu;
/// The rows that compare seconds on the clock, since they are about more than one processor.
const WALL: [&str; 2] = ["script", "jobs"];
/// Megabytes.
const PEAK: Figure = |usage| usage.peak / 1e6;

/// An import, a second one, and the undo of the first.
#[derive(Default)]
pub(crate) struct Trip {
    pub(crate) import: Series,
    second: Series,
    undo: Series,
}

/// What of a trip is asked for, beside its import.
#[derive(Clone, Copy)]
struct Wanted {
    second: bool,
    undo: bool,
}

impl Trip {
    fn import(treelift: &Treelift, tree: &Path, database: &Path, flags: &[&str]) -> Result<Usage> {
        treelift.import(&Import { tree, database, set: None, flags, statuses: &[0] })
    }

    /// Goes on after the first import of a database.
    fn go_on(&mut self, treelift: &Treelift, tree: &Path, database: &Path, wanted: Wanted) -> Result<()> {
        if wanted.second {
            self.second.push(Self::import(treelift, tree, database, &[])?);
        }
        if wanted.undo {
            self.undo.push(treelift.undo(database, None)?);
        }
        Ok(())
    }
}

/// `floor`, `script`, `jobs`, `second`, `undo` and `memory`: an import beside other things that do its work.
pub(crate) fn beside_others(bench: &Bench) -> Result<Vec<Row>> {
    let names = ["floor", "script", "jobs", "second", "undo", "memory"];
    if !bench.wants(&names) {
        return Ok(Vec::new());
    }
    let people = bench.sizes.people;
    let tree = bench.tree(&Plan { users: people, ..Plan::default() })?;
    let python = bench.python("script");
    let wanted = Wanted { second: bench.wants(&["second"]), undo: bench.wants(&["undo"]) };
    let jobs = bench.treelift.has_jobs;
    let [database, other] = ["people.db", "other.db"].map(|name| bench.path(name));
    let schema = script::root().join("mappings/fossawork/schema");

    let mut trip = Trip::default();
    let (mut floor, mut script, mut one, mut two) = Default::default();
    let mut module = String::new();
    bench.rounds.compare(|round| {
        bench.say(&format!("{people} people, round {}", round + 1));
        for (names, count, series) in [(&["jobs", "floor"][..], "1", &mut one), (&["jobs", "script"], "2", &mut two)] {
            if jobs && bench.wants(names) {
                remove(&database)?;
                Series::push(series, Trip::import(&bench.treelift, &tree, &database, &["--jobs", count])?);
            }
        }
        remove(&database)?;
        trip.import.push(Trip::import(&bench.treelift, &tree, &database, &[])?);
        if bench.wants(&["floor"]) {
            remove(&other)?;
            let cpu = floor::measure(&tree, &database, &other)?;
            Series::push(&mut floor, Usage { cpu, wall: cpu, peak: 0.0 });
        }
        if let Some(python) = &python {
            remove(&other)?;
            let (usage, said) = python.run("fossawork.py", &tree, &other, &schema)?;
            Series::push(&mut script, usage);
            module = said;
            if round == 0 {
                script::same_rows(&database, &other)?;
            }
        }
        trip.go_on(&bench.treelift, &tree, &database, wanted)
    })?;
    [&database, &other].into_iter().try_for_each(|path| remove(path))?;

    let comparison = |name: &str, goal: Goal, (a, this): (&str, &Series), (b, other): (&str, &Series)| {
        let (what, of): (_, Figure) = if WALL.contains(&name) { ("wall", |usage| usage.wall) } else { ("CPU", CPU) };
        (bench.wants(&[name]) && !this.is_empty() && !other.is_empty()).then(|| {
            let figures =
                [(a, this), (b, other)].map(|(name, series)| format!("{name} {}", seconds(series.of(of).value)));
            Row::new(name, format!("{people} people, {what}"), (this.to(other, of), "x"), goal).from(figures.join(", "))
        })
    };
    let best = if jobs { ("import --jobs 2", &two) } else { ("import", &trip.import) };
    let import = ("import", &trip.import);
    // Two cores that work at once may share what they work with, and then each second of theirs does less.
    let alone = if jobs { ("import --jobs 1", &one) } else { import };
    let with = format!("script ({module})");
    let rows = [
        comparison("floor", goal(2.0, 1.5), alone, ("floor", &floor)),
        comparison("script", goal(1.0, 0.625), best, (&with, &script)),
        comparison("jobs", goal(0.75, 0.6), ("two jobs", &two), ("one", &one)),
        comparison("second", goal(1.0, 0.7), ("second import", &trip.second), import),
        comparison("undo", goal(1.0, 0.6), ("undo", &trip.undo), import),
        bench.wants(&["memory"]).then(|| memory("memory", people, &trip.import)),
    ];
    Ok(rows.into_iter().flatten().collect())
}

/// The peak memory of imports; there are goals for some sizes.
fn memory(name: &str, people: u32, import: &Series) -> Row {
    let goal = match people {
        1_000 => goal(64.0, 48.0),
        3_000 => goal(80.0, 56.0),
        _ => NO_GOAL,
    };
    Row::new(name, format!("peak memory of the import of {people} people"), (import.of(PEAK), "MB"), goal)
}

/// With which power of the number of people the times grow, and the peak memory of each size.
pub(crate) fn more_people(bench: &Bench) -> Result<Vec<Row>> {
    let sizes = &bench.sizes.growing_people;
    let largest: Vec<String> = sizes.iter().map(|people| format!("memory-{people}")).collect();
    let names: Vec<&str> = largest.iter().map(String::as_str).collect();
    let asked = bench.wants(&names);
    let plan = |&users: &u32| Plan { users, ..Plan::default() };
    let (mut rows, trips) = growth(bench, "people", "people", sizes, plan, asked)?;
    for ((people, trip), name) in sizes.iter().zip(&trips).zip(&names) {
        if bench.wants(&[name]) && !trip.import.is_empty() {
            rows.push(memory(name, *people, &trip.import));
        }
    }
    Ok(rows)
}

/// The same for the number of work orders of one person.
pub(crate) fn more_orders(bench: &Bench) -> Result<Vec<Row>> {
    let plan = |&orders: &u32| Plan { users: 1, orders, ..Plan::default() };
    Ok(growth(bench, "orders", "work orders of one person", &bench.sizes.growing_orders, plan, false)?.0)
}

fn growth(
    bench: &Bench,
    prefix: &str,
    what: &str,
    sizes: &[u32],
    plan: impl Fn(&u32) -> Plan,
    asked: bool,
) -> Result<(Vec<Row>, Vec<Trip>)> {
    let names = ["import", "second", "undo"].map(|part| format!("{prefix}-{part}"));
    let [import, second, undo] = [0, 1, 2].map(|at| bench.wants(&[&names[at]]));
    let mut trips: Vec<Trip> = sizes.iter().map(|_| Trip::default()).collect();
    if !(import || second || undo || asked) {
        return Ok((Vec::new(), trips));
    }
    let trees = sizes.iter().map(|size| bench.tree(&plan(size))).collect::<Result<Vec<_>>>()?;
    let database = bench.path("growing.db");
    bench.rounds.grow(sizes.len(), |at, round| {
        bench.say(&format!("{} {what}, round {}", sizes[at], round + 1));
        remove(&database)?;
        let trip = &mut trips[at];
        trip.import.push(Trip::import(&bench.treelift, &trees[at], &database, &[])?);
        trip.go_on(&bench.treelift, &trees[at], &database, Wanted { second, undo })
    })?;
    remove(&database)?;
    let parts: [fn(&Trip) -> &Series; 3] = [|trip| &trip.import, |trip| &trip.second, |trip| &trip.undo];
    let rows = names.iter().zip(parts).filter(|(name, _)| bench.wants(&[name]));
    let rows = rows.map(|(name, part)| {
        let points: Vec<_> = sizes.iter().copied().zip(trips.iter().map(part)).collect();
        power(name, what, &points)
    });
    Ok((rows.collect(), trips))
}

/// The row of an exponent of CPU time.
pub(crate) fn power(name: &str, what: &str, points: &[(u32, &Series)]) -> Row {
    let times: Vec<_> =
        points.iter().map(|(size, series)| format!("{size} {}", seconds(series.of(CPU).value))).collect();
    Row::new(name, format!("CPU by {what}"), (exponent(points, CPU), "power"), IN_PROPORTION).from(times.join(", "))
}

/// `memory-file`: the peak memory of an import of one large file of records.
pub(crate) fn large_file(bench: &Bench) -> Result<Vec<Row>> {
    const NAME: &str = "memory-file";
    if !bench.wants(&[NAME]) {
        return Ok(Vec::new());
    }
    let orders = bench.sizes.orders_in_large_file;
    let tree = bench.tree(&Plan { users: 1, orders, activities: 0, ..Plan::default() })?;
    let largest =
        walkdir::WalkDir::new(&tree).into_iter().filter_map(|entry| entry.ok()?.metadata().ok()).map(|it| it.len());
    let megabytes = largest.max().unwrap_or(0) / 1_000_000;
    let database = bench.path("large.db");
    bench.say(&format!("one file of {megabytes} MB"));
    remove(&database)?;
    let mut series = Series::default();
    series.push(Trip::import(&bench.treelift, &tree, &database, &[])?);
    remove(&database)?;
    let what = format!("peak memory of the import of one file of {megabytes} MB, {orders} records");
    Ok(vec![Row::new(NAME, what, (series.of(PEAK), "MB"), goal(96.0, 64.0))])
}

/// Removes a database that may be there.
pub(crate) fn remove(database: &Path) -> Result<()> {
    let beside: PathBuf = format!("{}-journal", database.display()).into();
    for path in [database, &beside] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
