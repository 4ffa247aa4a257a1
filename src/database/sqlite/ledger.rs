//! The ledger: what a run wrote, recorded and read back.
//!
//! Rows are clustered by file and table in the order they were written, names of tables and columns
//! are one number each, and a row costs about 50 bytes beside its key, 16 of them the digest
//! (`tests/rows.rs` measures it).

use super::location::Location;
use super::session::SqliteTransaction;
use super::{catalog, form, sql};
use crate::database::ledger::{FileRecord, RowOrigin, RowRecord, RunRecord, Written, key_parts};
use crate::error::{Error, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};

fn number(count: u64, what: &str) -> Result<i64> {
    i64::try_from(count).map_err(|_| Error::bug(format!("the {what} are more than a ledger can count")))
}

impl SqliteTransaction {
    fn run_number(&self) -> Result<i64> {
        self.ledger.run.ok_or_else(|| Error::bug("a row was recorded before its run"))
    }

    fn table_number(&mut self, table: &str) -> Result<i64> {
        if let Some(number) = self.ledger.tables.get(table) {
            return Ok(*number);
        }
        let number = self.on(|conn| {
            conn.execute("INSERT OR IGNORE INTO treelift_tables (name) VALUES (?1)", [table])?;
            conn.query_row("SELECT id FROM treelift_tables WHERE name = ?1", [table], |row| row.get(0))
        })?;
        self.ledger.tables.insert(table.to_owned(), number);
        Ok(number)
    }

    /// Those of the ledger's rows that still stand in their table.
    fn standing(&self, table: &str, rows: Vec<RowRecord>) -> Result<Vec<RowRecord>> {
        let Some(live) = self.schema.table(table) else { return Ok(Vec::new()) };
        let key = live.primary_key();
        if key.is_empty() {
            return Ok(Vec::new()); // nothing names its rows
        }
        // Text compared with a column of a number is converted to it first ("Datatypes In SQLite", 4.2).
        let text = format!("SELECT 1 FROM {} WHERE {}", sql::name(&live.name), sql::is(&key, 1));
        self.on(|conn| {
            let mut find = conn.prepare_cached(&text)?;
            let mut stands = |row: &RowRecord| {
                let parts = key_parts(&row.row_key, key.len());
                parts.map_or(Ok(false), |parts| find.exists(rusqlite::params_from_iter(parts)))
            };
            let mut standing = Vec::with_capacity(rows.len());
            for row in rows {
                if stands(&row)? {
                    standing.push(row);
                }
            }
            Ok(standing)
        })
    }

    /// An index over this run's rows by key, in a temporary table: it is only needed where something
    /// went wrong, and would be as large as the ledger itself.
    pub(super) fn index_rows(&mut self) -> Result<()> {
        if self.ledger.indexed == Some(self.ledger.rows) {
            return Ok(());
        }
        let first = self.ledger.first_file.unwrap_or(i64::MAX);
        self.on(|conn| {
            conn.execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS origins
                     (\"table\" INTEGER, row_key TEXT, number INTEGER, file INTEGER, PRIMARY KEY (\"table\", row_key, number)) WITHOUT ROWID;
                 DELETE FROM temp.origins",
            )?;
            conn.execute(
                "INSERT INTO temp.origins SELECT \"table\", row_key, number, file FROM treelift_rows WHERE file >= ?1",
                [first],
            )
        })?;
        self.ledger.indexed = Some(self.ledger.rows);
        Ok(())
    }
}

pub(super) fn next_file_id(this: &mut SqliteTransaction) -> Result<i64> {
    this.on(|conn| conn.query_row("SELECT coalesce(max(id), 0) + 1 FROM treelift_files", [], |row| row.get(0)))
}

pub(super) fn begin_run(this: &mut SqliteTransaction, run: &RunRecord) -> Result<()> {
    insert_run(&this.conn, run, &this.location)?;
    this.ledger.run = Some(this.conn.last_insert_rowid());
    Ok(())
}

pub(super) fn finish_run(this: &mut SqliteTransaction, run: &RunRecord) -> Result<()> {
    let number = this.run_number()?;
    let counts = counts(run)?;
    this.on(|conn| {
        conn.execute(
            "UPDATE treelift_runs SET finished = ?2, files = ?3, leaves = ?4, inserted = ?5, updated = ?6,
                 unchanged = ?7, rejected = ?8, removed = ?9 WHERE number = ?1",
            rusqlite::params![
                number,
                form::clock_text(run.finished),
                counts[0],
                counts[1],
                counts[2],
                counts[3],
                counts[4],
                counts[5],
                counts[6]
            ],
        )
    })?;
    Ok(())
}

pub(super) fn record_file(this: &mut SqliteTransaction, file: &FileRecord) -> Result<()> {
    let run = this.run_number()?;
    let bytes = number(file.bytes, "bytes of a file")?;
    this.on(|conn| {
        conn.prepare_cached("INSERT INTO treelift_files (id, run, path, sha256, bytes) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute((file.id, run, &file.path, file.sha256.as_slice(), bytes))
    })?;
    let first = this.ledger.first_file.map_or(file.id, |first| first.min(file.id));
    this.ledger.first_file = Some(first);
    Ok(())
}

pub(super) fn record_columns(this: &mut SqliteTransaction, written: &Written) -> Result<i64> {
    if let Some(number) = this.ledger.columns.get(written) {
        return Ok(*number);
    }
    let table = this.table_number(&written.table)?;
    let lists = [&written.digested, &written.clock, &written.sealed];
    let [digested, clock, sealed] = lists.map(|names| serde_json::Value::from(names.as_slice()).to_string());
    let values = (table, &digested, &clock, &sealed, written.filled);
    let number = this.on(|conn| {
        conn.execute(
            "INSERT OR IGNORE INTO treelift_columns (\"table\", digested, clock, sealed, filled)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            values,
        )?;
        conn.query_row(
            "SELECT id FROM treelift_columns
             WHERE \"table\" = ?1 AND digested = ?2 AND clock = ?3 AND sealed = ?4 AND filled = ?5",
            values,
            |row| row.get(0),
        )
    })?;
    this.ledger.columns.insert(written.clone(), number);
    Ok(number)
}

pub(super) fn record_rows(this: &mut SqliteTransaction, rows: &[RowRecord]) -> Result<()> {
    let is_indexed = this.ledger.indexed == Some(this.ledger.rows);
    for row in rows {
        let table = this.table_number(&row.table)?;
        let offset = number(row.offset, "bytes of a file")?;
        this.ledger.rows += 1;
        let digest = (row.digest != [0; 16]).then_some(row.digest.as_slice());
        this.on(|conn| {
            conn.prepare_cached(
                "INSERT INTO treelift_rows (file, \"table\", number, row_key, \"offset\", columns, digest, own)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                row.file,
                table,
                this.ledger.rows,
                &row.row_key,
                offset,
                row.columns,
                digest,
                row.own,
            ))?;
            if is_indexed {
                conn.prepare_cached("INSERT INTO temp.origins VALUES (?1, ?2, ?3, ?4)")?.execute((
                    table,
                    &row.row_key,
                    this.ledger.rows,
                    row.file,
                ))?;
            }
            Ok(())
        })?;
    }
    if is_indexed {
        this.ledger.indexed = Some(this.ledger.rows);
    }
    Ok(())
}

pub(super) fn earlier_rows(this: &mut SqliteTransaction, path: &str, table: &str) -> Result<Vec<RowRecord>> {
    let number = this.table_number(table)?;
    let before = this.ledger.first_file.unwrap_or(i64::MAX);
    let found: Vec<RowRecord> = this.on(|conn| {
        conn.prepare_cached(
            "SELECT r.row_key, r.file, r.\"offset\", r.digest, r.columns, r.own FROM treelift_files f
             JOIN treelift_rows r ON r.file = f.id JOIN treelift_columns c ON c.id = r.columns
             WHERE f.path = ?1 AND r.\"table\" = ?2 AND f.id < ?3 AND NOT c.filled ORDER BY r.file, r.number",
        )?
        .query_map((path, number, before), |row| row_record(row, table))?
        .collect()
    })?;
    this.standing(table, found)
}

pub(super) fn earlier_files(this: &mut SqliteTransaction) -> Result<Vec<FileRecord>> {
    let before = this.ledger.first_file.unwrap_or(i64::MAX);
    this.on(|conn| {
        conn.prepare_cached("SELECT id, path, sha256, bytes FROM treelift_files WHERE id < ?1 ORDER BY id")?
            .query_map([before], |row| {
                let sha256: Vec<u8> = row.get(2)?;
                let sha256 = sha256.try_into().map_err(|_| unreadable(2, Type::Blob))?;
                Ok(FileRecord { id: row.get(0)?, path: row.get(1)?, sha256, bytes: count(row, 3)? })
            })?
            .collect()
    })
}

pub(super) fn earlier_rows_of(this: &mut SqliteTransaction, file: i64, table: &str) -> Result<Vec<RowRecord>> {
    let number = this.table_number(table)?;
    let found: Vec<RowRecord> = this.on(|conn| {
        conn.prepare_cached(
            "SELECT r.row_key, r.file, r.\"offset\", r.digest, r.columns, r.own FROM treelift_rows r
             JOIN treelift_columns c ON c.id = r.columns
             WHERE r.file = ?1 AND r.\"table\" = ?2 AND NOT c.filled ORDER BY r.number",
        )?
        .query_map((file, number), |row| row_record(row, table))?
        .collect()
    })?;
    this.standing(table, found)
}

pub(super) fn written_from(this: &mut SqliteTransaction, table: &str, row_key: &str) -> Result<Option<RowRecord>> {
    let number = this.table_number(table)?;
    this.index_rows()?;
    this.on(|conn| {
        conn.prepare_cached(
            "SELECT r.row_key, r.file, r.\"offset\", r.digest, r.columns, r.own FROM temp.origins o
             JOIN treelift_rows r ON r.file = o.file AND r.\"table\" = o.\"table\" AND r.number = o.number
             WHERE o.\"table\" = ?1 AND o.row_key = ?2 ORDER BY o.number LIMIT 1",
        )?
        .query_row((number, row_key), |row| row_record(row, table))
        .optional()
    })
}

/// Writes the record of a run.
pub(super) fn insert_run(conn: &Connection, run: &RunRecord, location: &Location) -> Result<()> {
    let counts = counts(run)?;
    let (started, finished) = (form::clock_text(run.started), form::clock_text(run.finished));
    conn.execute(
        "INSERT INTO treelift_runs (id, kind, program, mapping_set, set_digest, source, undoes, started, finished,
             files, leaves, inserted, updated, unchanged, rejected, removed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        rusqlite::params![
            run.id,
            run.kind,
            run.program,
            run.set,
            run.set_digest,
            run.source,
            run.undoes,
            started,
            finished,
            counts[0],
            counts[1],
            counts[2],
            counts[3],
            counts[4],
            counts[5],
            counts[6]
        ],
    )
    .map_err(|error| location.fault(&error))?;
    Ok(())
}

fn counts(run: &RunRecord) -> Result<[i64; 7]> {
    Ok([
        number(run.files, "files")?,
        number(run.leaves, "leaves")?,
        number(run.inserted, "rows")?,
        number(run.updated, "rows")?,
        number(run.unchanged, "rows")?,
        number(run.rejected, "records")?,
        number(run.removed, "rows")?,
    ])
}

fn row_record(row: &Row<'_>, table: &str) -> rusqlite::Result<RowRecord> {
    let digest: Option<Vec<u8>> = row.get(3)?;
    let digest = match digest {
        None => [0; 16],
        Some(bytes) => bytes.try_into().map_err(|_| unreadable(3, Type::Blob))?,
    };
    let (row_key, file, offset, columns, own) = (row.get(0)?, row.get(1)?, count(row, 2)?, row.get(4)?, row.get(5)?);
    Ok(RowRecord { table: table.to_owned(), row_key, file, offset, digest, own, columns })
}

fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|_| unreadable(column, Type::Integer))
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let text: String = row.get(column)?;
    form::parse_time(&text)
        .and_then(|time| time.to_zoned(TimeZone::UTC).ok())
        .map(|time| time.timestamp())
        .ok_or_else(|| unreadable(column, Type::Text))
}

fn unreadable(column: usize, kind: Type) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, String::new(), kind)
}

/// Where runs wrote a row of this key from, oldest first.
pub(super) fn origins(conn: &Connection, table: &str, row_key: &str) -> rusqlite::Result<Vec<RowOrigin>> {
    if !catalog::has_table(conn, "treelift_rows")? {
        return Ok(Vec::new());
    }
    conn.prepare(
        "SELECT u.id, f.path, f.sha256, r.\"offset\" FROM treelift_rows r JOIN treelift_tables t ON t.id = r.\"table\"
         JOIN treelift_files f ON f.id = r.file JOIN treelift_runs u ON u.number = f.run
         WHERE t.name = ?1 AND r.row_key = ?2 ORDER BY r.file, r.number",
    )?
    .query_map((table, row_key), |row| {
        let sha256: Vec<u8> = row.get(2)?;
        Ok(RowOrigin {
            run: row.get(0)?,
            path: row.get(1)?,
            sha256: sha256.try_into().map_err(|_| unreadable(2, Type::Blob))?,
            offset: count(row, 3)?,
            pointer: String::new(),
        })
    })?
    .collect()
}

/// The recorded runs, oldest first.
pub(super) fn runs(conn: &Connection) -> rusqlite::Result<Vec<RunRecord>> {
    if !catalog::has_table(conn, "treelift_runs")? {
        return Ok(Vec::new());
    }
    conn.prepare(
        "SELECT id, kind, program, mapping_set, set_digest, source, started, finished, files, leaves, inserted,
             updated, unchanged, rejected, removed, undoes FROM treelift_runs ORDER BY number",
    )?
    .query_map([], |row| {
        Ok(RunRecord {
            id: row.get(0)?,
            kind: row.get(1)?,
            program: row.get(2)?,
            set: row.get(3)?,
            set_digest: row.get(4)?,
            source: row.get(5)?,
            started: time(row, 6)?,
            finished: time(row, 7)?,
            files: count(row, 8)?,
            leaves: count(row, 9)?,
            inserted: count(row, 10)?,
            updated: count(row, 11)?,
            unchanged: count(row, 12)?,
            rejected: count(row, 13)?,
            removed: count(row, 14)?,
            undoes: row.get(15)?,
        })
    })?
    .collect()
}
