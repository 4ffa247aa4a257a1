//! Sets and trees in which careless code would take time with the square of the size.

use crate::child::Import;
use crate::people::{power, remove};
use crate::rows::Row;
use crate::series::Series;
use crate::{Bench, Result, settle};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

struct Trap {
    name: &'static str,
    what: &'static str,
    sizes: [u32; 2],
    /// Writes a mapping set and a tree of this size into the two folders.
    write: fn(&Path, &Path, u32) -> Result<()>,
    /// Further flags; `REJECTS` is a folder.
    flags: &'static [&'static str],
    /// The exit statuses that are no fault.
    statuses: &'static [i32],
    /// Whether the undo of the import is measured, and not the import.
    undone: bool,
}

const TRAPS: [Trap; 5] = [
    Trap {
        name: "rejects",
        what: "rejected records",
        sizes: [1_500, 6_000],
        write: rejects,
        flags: &["--rejects", REJECTS, "--max-rejects", "1000000"],
        statuses: &[1],
        undone: false,
    },
    Trap {
        name: "frame",
        what: "records that are members of the root and ask for `$.x`",
        sizes: [10_000, 40_000],
        write: frame,
        flags: &[],
        statuses: &[0],
        undone: false,
    },
    Trap {
        name: "mappings",
        what: "mappings in the set",
        sizes: [100, 400],
        write: mappings,
        flags: &[],
        statuses: &[0],
        undone: false,
    },
    Trap {
        name: "late",
        what: "links in a chain of late rejects, of 20 times as many records",
        sizes: [50, 200],
        write: late,
        flags: &["--max-rejects", "1000000"],
        // A chain may be longer than an import follows it.
        statuses: &[0, 1],
        undone: false,
    },
    Trap {
        name: "undo-rows",
        what: "rows that are undone",
        sizes: [25_000, 100_000],
        write: rows,
        flags: &[],
        statuses: &[0],
        undone: true,
    },
];

const REJECTS: &str = "REJECTS";

/// One row for each.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    TRAPS.iter().filter(|trap| bench.wants(&[trap.name])).map(|trap| spring(bench, trap)).collect()
}

fn spring(bench: &Bench, trap: &Trap) -> Result<Row> {
    let sizes = trap.sizes.map(|size| size / bench.sizes.trap_divisor);
    let folder = |size: u32| bench.path(&format!("{}-{size}", trap.name));
    for size in sizes {
        let [set, tree] = ["set", "tree"].map(|name| folder(size).join(name));
        fs::create_dir_all(set.join("schema"))?;
        fs::create_dir_all(&tree)?;
        (trap.write)(&set, &tree, size)?;
        bench.treelift.check(&set)?;
    }
    settle();
    let (database, rejects) = (bench.path("trap.db"), bench.path("rejects"));
    let flags: Vec<_> = trap
        .flags
        .iter()
        .map(|&flag| if flag == REJECTS { rejects.to_str().ok_or("a path in UTF-8") } else { Ok(flag) })
        .collect::<std::result::Result<_, _>>()?;
    let mut measured = [Series::default(), Series::default()];
    bench.rounds.grow(sizes.len(), |at, round| {
        let size = sizes[at];
        bench.say(&format!("{}: {size}, round {}", trap.name, round + 1));
        remove(&database)?;
        let _not_there = fs::remove_dir_all(&rejects);
        let [set, tree] = ["set", "tree"].map(|name| folder(size).join(name));
        let import =
            Import { tree: &tree, database: &database, set: Some(&set), flags: &flags, statuses: trap.statuses };
        let usage = bench.treelift.import(&import)?;
        let undo = || bench.treelift.undo(&database, Some(&set));
        measured[at].push(if trap.undone { undo()? } else { usage });
        Ok(())
    })?;
    remove(&database)?;
    let points: Vec<_> = sizes.into_iter().zip(&measured).collect();
    Ok(power(trap.name, trap.what, &points))
}

/// Writes `set.toml` and the schema.
fn write_set(set: &Path, tables: &str) -> Result<()> {
    let head = "name = \"trap\"\ndescription = \"a set of the benchmark\"\nnamespace = \"5e0d1c52-9d0b-4f1e-8f43-1d1d5f6f0a11\"\n";
    fs::write(set.join("set.toml"), head)?;
    let up = format!("-- version: 001\n-- description: tables of the benchmark\n{tables}");
    fs::write(set.join("schema/001_trap.up.sql"), up)?;
    let down: String = tables
        .lines()
        .rev()
        .filter_map(|line| line.split(' ').nth(2))
        .fold(String::new(), |down, table| down + &format!("DROP TABLE {table};\n"));
    fs::write(set.join("schema/001_trap.down.sql"), down)?;
    Ok(())
}

/// Writes a mapping whose records are selected so, of a root of the type.
fn write_mapping(set: &Path, name: &str, (root, records): (&str, &str), rules: &str) -> Result<()> {
    let text = format!(
        "description = \"a mapping of the benchmark\"\n[source]\nfiles = [\"{name}.json\"]\nformat = \"json\"\n\
         [[source.shape]]\nname = \"only\"\nwhen = {{ type = \"{root}\" }}\nrecords = \"{records}\"\n{rules}"
    );
    fs::write(set.join(format!("{name}.toml")), text)?;
    Ok(())
}

/// Writes a file of records between two brackets.
fn write_file(path: PathBuf, [open, close]: [char; 2], records: impl Iterator<Item = String>) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let mut before = open;
    for record in records {
        write!(out, "{before}\n  {record}")?;
        before = ',';
    }
    writeln!(out, "\n{close}")?;
    out.flush()?;
    Ok(())
}

const LIST: [char; 2] = ['[', ']'];

/// Every record but the first has a word where a number belongs.
fn rejects(set: &Path, tree: &Path, records: u32) -> Result<()> {
    write_set(set, "CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, count INTEGER, title TEXT);\n")?;
    let rules = "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\ntitle = \"title\"\n\
                 count = { from = \"count\", steps = [\"integer\"] }\n";
    write_mapping(set, "items", ("array", "[*]"), rules)?;
    let record = |number: u32| {
        let count = if number == 0 { "12" } else { "a dozen" };
        format!("{{\"id\": \"i{number:07}\", \"title\": \"Item {number} of the list\", \"count\": \"{count}\"}}")
    };
    write_file(tree.join("items.json"), LIST, (0..=records).map(record))
}

/// Half of the rows refer to the others, and their keys come in no order.
fn rows(set: &Path, tree: &Path, rows: u32) -> Result<()> {
    write_set(
        set,
        "CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, title TEXT);\n\
         CREATE TABLE parts (id INTEGER PRIMARY KEY, item TEXT NOT NULL REFERENCES items (id), title TEXT);\n",
    )?;
    let rules = "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\ntitle = \"title\"\n\
                 [table.parts]\neach = \"parts[*]\"\nparent = \"items\"\n\
                 [table.parts.columns]\nitem = \"^id\"\ntitle = \".\"\n";
    write_mapping(set, "items", ("array", "[*]"), rules)?;
    let record = |number: u32| {
        let id = number.wrapping_mul(2_654_435_761);
        format!("{{\"id\": \"i{id:08x}\", \"title\": \"Item {number}\", \"parts\": [\"Part of {number}\"]}}")
    };
    write_file(tree.join("items.json"), LIST, (0..rows / 2).map(record))
}

/// Every member of the root is a record, and each looks for a member of the root that is not there.
fn frame(set: &Path, tree: &Path, records: u32) -> Result<()> {
    write_set(set, "CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, title TEXT, version TEXT);\n")?;
    let rules = "key_as = \"name\"\n[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"#name\"\n\
                 title = \"title\"\nversion = \"$.version\"\n";
    write_mapping(set, "items", ("object", ".*"), rules)?;
    let record = |number: u32| format!("\"i{number:07}\": {{\"title\": \"Item {number} of the object\"}}");
    write_file(tree.join("items.json"), ['{', '}'], (0..records).map(record))
}

/// Many mappings, each with a table, a file and a few records.
fn mappings(set: &Path, tree: &Path, mappings: u32) -> Result<()> {
    let mut tables = String::new();
    for number in 0..mappings {
        let name = format!("kind_{number:04}");
        writeln!(tables, "CREATE TABLE {name} (id TEXT PRIMARY KEY NOT NULL, title TEXT);")?;
        let rules = format!("[table.{name}]\nkey = [\"id\"]\n[table.{name}.columns]\nid = \"id\"\ntitle = \"title\"\n");
        write_mapping(set, &name, ("array", "[*]"), &rules)?;
        let record = |number: u32| format!("{{\"id\": \"i{number}\", \"title\": \"Item {number}\"}}");
        write_file(tree.join(format!("{name}.json")), LIST, (0..20).map(record))?;
    }
    write_set(set, &tables)
}

/// A person needs a friend who is there. The first has none, so the second has none, and so on; each of
/// them is written before that is known. The others are friends of themselves.
fn late(set: &Path, tree: &Path, links: u32) -> Result<()> {
    write_set(
        set,
        "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT);\n\
         CREATE TABLE ties (id TEXT PRIMARY KEY NOT NULL, friend TEXT NOT NULL);\n",
    )?;
    let rules = "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nname = \"name\"\n\
                 [table.ties]\nkey = [\"id\"]\n[table.ties.columns]\nid = \"tie\"\n\
                 friend = { lookup = \"people.id\", by = { id = \"friend\" }, on_dangling = \"reject\" }\n";
    write_mapping(set, "people", ("array", "[*]"), rules)?;
    let record = |number: u32| {
        let friend = match number {
            0 => "nobody".to_owned(),
            link if link < links => format!("p{:07}", link - 1),
            alone => format!("p{alone:07}"),
        };
        format!(
            "{{\"id\": \"p{number:07}\", \"name\": \"Person {number}\", \"tie\": \"t{number}\", \"friend\": \"{friend}\"}}"
        )
    };
    write_file(tree.join("people.json"), LIST, (0..links * 20).map(record))
}
