//! The floor: the least work that leaves the same rows.
//!
//! A database that treelift has just written is loaded into memory. Measured is what comes then: every
//! file of the tree is read, hashed, and decoded leaf by leaf, without building anything of it; a new
//! database gets the same schema and the same rows, those of the ledger as well, by prepared statements in
//! one transaction, with all indexes and triggers at work, those that treelift makes after the rows too; it is
//! checked and committed.

use crate::Result;
use crate::child;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use rustix::time::{ClockId, clock_gettime};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The first argument of the process that is the floor.
pub(crate) const FLAG: &str = "--floor";

/// Measures the floor of a database that was imported from the tree, writing `into`. Gives seconds of CPU.
pub(crate) fn measure(tree: &Path, database: &Path, into: &Path) -> Result<f64> {
    let said = child::again(&[FLAG.as_ref(), tree.as_os_str(), database.as_os_str(), into.as_os_str()])?;
    Ok(said.trim().parse()?)
}

/// The process itself: prints the seconds of CPU that it took.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn run(arguments: &[impl AsRef<OsStr>]) -> Result<()> {
    let [tree, database, into] = arguments else { return Err(format!("{FLAG} takes three paths").into()) };
    let (tree, database, into) = (Path::new(tree), Path::new(database), Path::new(into));
    let old = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let schema = schema(&old)?;
    let tables = tables(&old)?.iter().map(|name| Loaded::read(&old, name)).collect::<Result<Vec<_>>>()?;

    let started = clock_gettime(ClockId::ProcessCPUTime);
    std::hint::black_box(read_tree(tree)?);
    let new = Connection::open(into)?;
    new.execute_batch(
        "PRAGMA page_size = 16384; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA foreign_keys = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -16384; BEGIN EXCLUSIVE",
    )?;
    schema.iter().try_for_each(|sql| new.execute_batch(sql))?;
    tables.iter().try_for_each(|table| table.write(&new))?;
    let health: String = new.query_row("PRAGMA quick_check", [], |row| row.get(0))?;
    new.execute_batch("COMMIT")?;
    let used = clock_gettime(ClockId::ProcessCPUTime) - started;

    if health != "ok" || rows(&old)? != rows(&new)? {
        return Err(format!("the floor did not write the same rows ({health})").into());
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds of CPU")]
    let seconds = used.tv_sec as f64 + used.tv_nsec as f64 / 1e9;
    println!("{seconds}");
    Ok(())
}

/// The SQL of everything in the database, in the order it was made; full-text tables make their own.
fn schema(conn: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
               AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow') ORDER BY rowid";
    Ok(conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// The tables that keep rows of their own; a trigger fills the full-text tables.
fn tables(conn: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    Ok(conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// How many rows each table has, those behind full-text search and `sqlite_sequence` too; of the former
/// only the table with one row per document does not depend on how the index was cut into pieces.
pub(crate) fn rows(conn: &Connection) -> Result<BTreeMap<String, i64>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main'
               AND (type = 'table' AND name NOT LIKE 'sqlite\\_schema' ESCAPE '\\' OR name LIKE '%\\_docsize' ESCAPE '\\')";
    let names: Vec<String> = conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let count = |name: String| -> Result<_> {
        let rows = conn.query_row(&format!("SELECT count(*) FROM \"{name}\""), [], |row| row.get(0))?;
        Ok((name, rows))
    };
    names.into_iter().map(count).collect()
}

/// A table in memory.
struct Loaded {
    insert: String,
    rows: Vec<Vec<Value>>,
}

impl Loaded {
    fn read(conn: &Connection, name: &str) -> Result<Self> {
        let mut select = conn.prepare(&format!("SELECT * FROM \"{name}\""))?;
        let columns: Vec<String> = select.column_names().map(|column| format!("\"{column}\"")).collect();
        let places = vec!["?"; columns.len()].join(", ");
        let insert = format!("INSERT INTO \"{name}\" ({}) VALUES ({places})", columns.join(", "));
        let rows = select
            .query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect())?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { insert, rows })
    }

    fn write(&self, conn: &Connection) -> rusqlite::Result<()> {
        let mut insert = conn.prepare(&self.insert)?;
        for row in &self.rows {
            for (at, value) in row.iter().enumerate() {
                insert.raw_bind_parameter(at + 1, value)?;
            }
            insert.raw_execute()?;
        }
        Ok(())
    }
}

/// Reads, hashes and decodes every file; what it gives depends on every leaf, so that nothing is left out.
fn read_tree(tree: &Path) -> Result<u64> {
    let (mut bytes, mut sum) = (Vec::new(), 0_u64);
    for entry in walkdir::WalkDir::new(tree).sort_by_file_name() {
        let entry = entry?;
        if !entry.file_type().is_file() {
            continue;
        }
        bytes.clear();
        File::open(entry.path())?.read_to_end(&mut bytes)?;
        let Leaves(leaves) = serde_json::from_slice(&bytes)?;
        let hash = Sha256::digest(&bytes);
        sum = sum.wrapping_add(leaves).wrapping_add(u64::from(hash[0]));
    }
    Ok(sum)
}

/// A document that was decoded and forgotten; the number stands for its leaves.
struct Leaves(u64);

impl<'de> Deserialize<'de> for Leaves {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_any(Decoder)
    }
}

struct Decoder;

impl<'de> Visitor<'de> for Decoder {
    type Value = Leaves;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> std::result::Result<Leaves, E> {
        Ok(Leaves(1))
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Leaves, E> {
        Ok(Leaves(u64::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Leaves, E> {
        Ok(Leaves(value.unsigned_abs()))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Leaves, E> {
        Ok(Leaves(value))
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Leaves, E> {
        Ok(Leaves(value.to_bits()))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Leaves, E> {
        Ok(Leaves(text.len() as u64))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Leaves, A::Error> {
        let mut sum = 0_u64;
        while let Some(Leaves(item)) = items.next_element()? {
            sum = sum.wrapping_add(item);
        }
        Ok(Leaves(sum))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Leaves, A::Error> {
        let mut sum = 0_u64;
        while let Some((Leaves(name), Leaves(member))) = members.next_entry()? {
            sum = sum.wrapping_add(name).wrapping_add(member);
        }
        Ok(Leaves(sum))
    }
}
