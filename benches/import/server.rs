//! A PostgreSQL server as the target, beside the server's own client: `psql` copies the same rows, those of the ledger
//! with them, into the same tables with the same indexes, in one transaction too. Full text is left out of both: its
//! index costs more than all others, and would hide what is compared.

use crate::child::{Import, measure as run};
use crate::rows::{Goal, Row, goal, seconds};
use crate::script;
use crate::series::{Figure, Series};
use crate::v1_tree::Plan;
use crate::{Bench, Result};
use postgres::{Client, NoTls};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

/// The rows of the table that need a server.
pub(crate) const NAMES: [&str; 2] = ["postgres-copy", "postgres-memory"];

/// The variable that names one.
const VARIABLE: &str = "TREELIFT_TEST_POSTGRES";

/// 0.6 of the rows that `psql` writes in the same time, and 0.8.
const COPY: Goal = goal(1.0 / 0.6, 1.0 / 0.8);
/// As much memory as with SQLite.
const MEMORY: Goal = goal(1.25, 1.0);

/// An import into the server beside `psql`, and beside an import into SQLite.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    if !bench.wants(&NAMES) {
        return Ok(Vec::new());
    }
    let server = match Server::find(bench) {
        Ok(server) => server,
        Err(error) => {
            NAMES.iter().filter(|name| bench.wants(&[name])).for_each(|name| bench.cannot(name, &error));
            return Ok(Vec::new());
        }
    };
    let people = bench.sizes.people;
    let tree = bench.tree(&Plan { users: people, ..Plan::default() })?;
    let set = bench.path("set-of-server");
    bench.treelift.export("fossawork", &set)?;
    without_full_text(&set)?;
    let file = bench.path("people-beside-server.db");
    let import = Import { tree: &tree, database: &file, set: Some(&set), flags: &[], statuses: &[0] };
    let empty = server.database("model")?;
    bench.treelift.import_into(&empty.url, &import)?;
    let (script, count) = empty.take_out(&bench.path("copies"))?;
    let (mut imports, mut copies, mut sqlite) = (Series::default(), Series::default(), Series::default());
    bench.rounds.compare(|round| {
        bench.say(&format!("{people} people into a server, round {}", round + 1));
        let target = server.database("import")?;
        imports.push(bench.treelift.import_into(&target.url, &import)?);
        if bench.wants(&[NAMES[0]]) {
            let target = server.database_like("copy", &empty)?;
            let mut psql = Command::new("psql");
            psql.args(["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&script).arg(&target.url);
            copies.push(run(&mut psql, &[0])?.0);
        }
        if bench.wants(&[NAMES[1]]) {
            _ = fs::remove_file(&file);
            sqlite.push(bench.treelift.import(&import)?);
        }
        Ok(())
    })?;
    _ = fs::remove_file(&file);
    let (wall, peak): (Figure, Figure) = (|usage| usage.wall, |usage| usage.peak);
    let mut rows = Vec::new();
    if !copies.is_empty() {
        let [import, copy] = [&imports, &copies].map(|series| series.of(wall).value);
        let from = format!("import {}, psql {}, {count} rows", seconds(import), seconds(copy));
        let what = format!("{people} people into a server, wall, to psql \\copy");
        rows.push(Row::new(NAMES[0], what, (imports.to(&copies, wall), "x"), COPY).from(from));
    }
    if !sqlite.is_empty() {
        let [server, file] = [&imports, &sqlite].map(|series| series.of(peak).value / 1e6);
        let what = format!("{people} people, peak memory into a server to that into a file");
        let from = format!("server {server:.1} MB, file {file:.1} MB");
        rows.push(Row::new(NAMES[1], what, (imports.to(&sqlite, peak), "x"), MEMORY).from(from));
    }
    Ok(rows)
}

/// Takes the index for full text out of a copy of the bundled set.
fn without_full_text(set: &Path) -> Result<()> {
    const INDEX: &str = "work_orders_full_text";
    for name in ["003_add_indexes.up.postgresql.sql", "003_add_indexes.down.postgresql.sql"] {
        let path = set.join("schema").join(name);
        let text = fs::read_to_string(&path)?;
        let (at, end) = text
            .find(INDEX)
            .map(|at| (text[..at].rfind('\n').map_or(0, |at| at + 1), text[at..].find(';').map(|end| at + end + 1)))
            .ok_or("the bundled set has no index for full text any more")?;
        let end = end.ok_or("a statement without an end")?;
        fs::write(&path, format!("{}{}", &text[..at], &text[end..]))?;
    }
    Ok(())
}

/// A server that databases may be made on.
struct Server {
    url: String,
}

impl Server {
    /// The one that is named; else, where these rows are asked for by name, the tests' own.
    fn find(bench: &Bench) -> Result<Self> {
        let named = std::env::var(VARIABLE).ok();
        if named.is_none() && !bench.only.iter().any(|only| only.starts_with("postgres")) {
            return Err(format!("name a server by {VARIABLE}, or ask for it by `--only postgres`").into());
        }
        let (_, said) = run(&mut Command::new(script::root().join("tests/postgres/start")), &[0])?;
        run(Command::new("psql").arg("--version"), &[0]).map_err(|_| "`psql` is needed")?;
        Ok(Self { url: said.trim().to_owned() })
    }

    fn database(&self, name: &str) -> Result<Database<'_>> {
        self.make(name, "template0")
    }

    /// One with everything that another one has.
    fn database_like(&self, name: &str, other: &Database<'_>) -> Result<Database<'_>> {
        self.make(name, &other.name)
    }

    fn make(&self, name: &str, template: &str) -> Result<Database<'_>> {
        let name = format!("treelift_bench_{}_{name}", std::process::id());
        let mut client = Client::connect(&self.url, NoTls)?;
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))?;
        client.batch_execute("CHECKPOINT")?;
        let (before, options) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let (before, _) = before.rsplit_once('/').ok_or("the URL of the server names no database")?;
        Ok(Database { server: self, url: format!("{before}/{name}?{options}"), name })
    }
}

/// A database, which is dropped with this.
struct Database<'s> {
    server: &'s Server,
    name: String,
    url: String,
}

impl Database<'_> {
    /// Takes all rows out into a folder of files; gives a script for `psql` that copies them in, and how many they are.
    fn take_out(&self, folder: &Path) -> Result<(std::path::PathBuf, u64)> {
        fs::create_dir_all(folder)?;
        let mut client = Client::connect(&self.url, NoTls)?;
        let (mut script, mut count, tables) = (String::new(), 0, tables(&mut client)?);
        for table in &tables {
            let path = folder.join(format!("{table}.copy"));
            io::copy(&mut client.copy_out(&format!("COPY \"{table}\" TO STDOUT"))?, &mut File::create(&path)?)?;
            let row = client.query_one(&format!("SELECT count(*) FROM \"{table}\""), &[])?;
            count += row.get::<_, i64>(0).unsigned_abs();
            script += &format!("\\copy \"{table}\" from '{}'\n", path.display());
        }
        let names: Vec<String> = tables.iter().map(|table| format!("\"{table}\"")).collect();
        client.batch_execute(&format!("TRUNCATE {}", names.join(", ")))?;
        let path = folder.join("copy.psql");
        fs::write(&path, script)?;
        Ok((path, count))
    }
}

/// The tables, each behind those that it references.
fn tables(client: &mut Client) -> Result<Vec<String>> {
    let text = "SELECT c.relname::text, array_remove(array_agg(DISTINCT p.relname::text) FILTER (WHERE p.oid <> c.oid), NULL)
                FROM pg_class c LEFT JOIN pg_constraint o ON o.conrelid = c.oid AND o.contype = 'f'
                LEFT JOIN pg_class p ON p.oid = o.confrelid
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY c.relname ORDER BY c.relname";
    let mut left: Vec<(String, Vec<String>)> = Vec::new();
    for row in client.query(text, &[])? {
        left.push((row.get(0), row.get::<_, Option<Vec<String>>>(1).unwrap_or_default()));
    }
    let mut tables: Vec<String> = Vec::new();
    while !left.is_empty() {
        let (ready, waiting): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|(_, parents)| parents.iter().all(|parent| tables.contains(parent)));
        if ready.is_empty() {
            return Err("tables reference each other in a circle".into());
        }
        tables.extend(ready.into_iter().map(|(table, _)| table));
        left = waiting;
    }
    Ok(tables)
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // What cannot be dropped is seen on the server.
        _ = Client::connect(&self.server.url, NoTls).map(|mut client| client.batch_execute(&drop));
    }
}
