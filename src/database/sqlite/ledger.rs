//! The ledger: what a run wrote, recorded and read back.
//!
//! Rows are clustered by file and table in the order they were written, names of tables and columns
//! are one number each, and a row costs about 50 bytes beside its key, 16 of them the digest
//! (`tests/rows.rs` measures it).

use super::session::SqliteTransaction;
use super::{catalog, ledger_tables, sql, times};
use crate::database::ledger::{FileRecord, RowRecord, RunRecord, Written, key_parts};
use crate::error::{Error, Result};
use crate::row::Value;
use crate::table::{ColumnType, Table};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Type;
use rusqlite::{Connection, Params, Row};

/// What a run's record holds, in the order of its table.
const RUN: &str = "id, kind, program, mapping_set, set_digest, set_folder, source, started, finished, files, leaves,
                   inserted, updated, unchanged, rejected, removed, undoes";

/// What later versions added to it.
const RUN_ADDED: [&str; 5] = ["host", "user_name", "plan", "forgotten", "forgotten_by"];

/// What [`row_record`] reads.
const ROW: &str = "SELECT r.row_key, r.file, r.\"offset\", r.digest, r.columns, r.own";

impl SqliteTransaction {
    pub(super) fn run_number(&self) -> Result<i64> {
        self.ledger.run.ok_or_else(|| Error::bug("a row was recorded before its run"))
    }

    pub(super) fn table_number(&mut self, table: &str) -> Result<i64> {
        if let Some(number) = self.ledger.tables.get(table) {
            return Ok(*number);
        }
        let is_view = self.is_view();
        let number = self.on(|conn| {
            if is_view {
                let text = "SELECT coalesce(max(id), 0) FROM treelift_tables WHERE name = ?1";
                return conn.query_row(text, [table], |row| row.get(0)); // no table has the number 0
            }
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
            return self.standing_alike(live, rows);
        }
        // Text compared with a column of a number is converted to it first ("Datatypes In SQLite", 4.2).
        let text = format!("SELECT 1 FROM {} WHERE {}", sql::name(&live.name), sql::is(&key, 1));
        let mut standing = self.on(|conn| {
            let mut find = conn.prepare_cached(&text)?;
            let stands = |row: &RowRecord| {
                let parts = key_parts(&row.row_key, key.len());
                parts.map_or(Ok(false), |parts| find.exists(rusqlite::params_from_iter(parts)))
            };
            rows.iter().map(stands).collect::<rusqlite::Result<Vec<bool>>>()
        })?;
        self.stand_at_times(live, &rows, &mut standing)?;
        Ok(rows.into_iter().zip(standing).filter_map(|(row, stands)| stands.then_some(row)).collect())
    }

    /// Notes those of the rows that stand in the table where a time of the key has another form of the same meaning.
    fn stand_at_times(&self, table: &Table, rows: &[RowRecord], standing: &mut [bool]) -> Result<()> {
        let key = table.primary_key();
        let kinds: Vec<ColumnType> = key.iter().map(|column| self.schema.kind(&table.name, column)).collect();
        if !kinds.iter().any(|kind| kind.is_time()) {
            return Ok(());
        }
        let mut asked = Vec::new();
        for at in (0..rows.len()).filter(|at| !standing[*at]) {
            let parts = key_parts(&rows[at].row_key, key.len()).unwrap_or_default();
            let value = |(part, kind): (Option<String>, &ColumnType)| Value::of_key_text(part?, *kind);
            let values = parts.into_iter().zip(&kinds).map(value).collect::<Option<Vec<Value>>>();
            asked.extend(values.filter(|values| !values.is_empty()).map(|values| (at, values)));
        }
        let (places, keys): (Vec<usize>, Vec<Vec<Value>>) = asked.into_iter().unzip();
        let found = self.find(&table.name, &key, &key[..1], &keys)?;
        places.into_iter().zip(found).for_each(|(at, found)| standing[at] = found.is_some());
        Ok(())
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

impl SqliteTransaction {
    pub(super) fn next_file_id(&mut self) -> Result<i64> {
        self.on(|conn| conn.query_row("SELECT coalesce(max(id), 0) + 1 FROM treelift_files", [], |row| row.get(0)))
    }

    pub(super) fn begin_run(&mut self, run: &RunRecord) -> Result<()> {
        self.on(|conn| write_run(conn, None, run))?;
        self.ledger.run = Some(self.conn.last_insert_rowid());
        Ok(())
    }

    pub(super) fn finish_run(&mut self, run: &RunRecord) -> Result<()> {
        let number = self.run_number()?;
        self.on(|conn| write_run(conn, Some(number), run))
    }

    pub(super) fn record_files(&mut self, files: &[FileRecord]) -> Result<()> {
        let run = self.run_number()?;
        let text = "INSERT INTO treelift_files (id, run, path, sha256, bytes) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.on(|conn| {
            let mut add = conn.prepare_cached(text)?;
            files.iter().try_for_each(|file| add.execute((file.id, run, &file.path, file.sha256, file.bytes)).map(drop))
        })?;
        self.ledger.first_file = self.ledger.first_file.into_iter().chain(files.iter().map(|file| file.id)).min();
        Ok(())
    }

    pub(super) fn record_columns(&mut self, written: &Written) -> Result<i64> {
        if let Some(number) = self.ledger.columns.get(written) {
            return Ok(*number);
        }
        let table = self.table_number(&written.table)?;
        let lists = [&written.digested, &written.clock, &written.sealed];
        let [digested, clock, sealed] = lists.map(|names| serde_json::Value::from(names.as_slice()).to_string());
        let values = (table, &digested, &clock, &sealed, written.filled);
        let number = self.on(|conn| {
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
        self.ledger.columns.insert(written.clone(), number);
        Ok(number)
    }

    pub(super) fn record_rows(&mut self, rows: &[RowRecord]) -> Result<()> {
        const INSERT: &str =
            "INSERT INTO treelift_rows (file, \"table\", number, row_key, \"offset\", columns, digest, own)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let is_indexed = self.ledger.indexed == Some(self.ledger.rows);
        for row in rows {
            let table = self.table_number(&row.table)?;
            self.ledger.rows += 1;
            let number = self.ledger.rows;
            let RowRecord { file, row_key, offset, columns, own, .. } = row;
            let digest = (row.digest != [0; 16]).then_some(row.digest.as_slice());
            self.on(|conn| {
                let values = (file, table, number, row_key, offset, columns, digest, own);
                conn.prepare_cached(INSERT)?.execute(values)?;
                if is_indexed {
                    let index = "INSERT INTO temp.origins VALUES (?1, ?2, ?3, ?4)";
                    conn.prepare_cached(index)?.execute((table, row_key, number, file))?;
                }
                Ok(())
            })?;
        }
        if is_indexed {
            self.ledger.indexed = Some(self.ledger.rows);
        }
        Ok(())
    }

    pub(super) fn earlier_rows(&mut self, path: &str, table: &str) -> Result<Vec<RowRecord>> {
        let number = self.table_number(table)?;
        let before = self.ledger.first_file.unwrap_or(i64::MAX);
        let text = format!(
            "{ROW} FROM treelift_files f JOIN treelift_rows r ON r.file = f.id
             JOIN treelift_columns c ON c.id = r.columns
             WHERE f.path = ?1 AND r.\"table\" = ?2 AND f.id < ?3 AND NOT c.filled ORDER BY r.file, r.number"
        );
        let found = self.on(|conn| rows(conn, &text, (path, number, before), table))?;
        self.standing(table, found)
    }

    pub(super) fn earlier_files(&mut self) -> Result<Vec<FileRecord>> {
        let before = self.ledger.first_file.unwrap_or(i64::MAX);
        let text = "SELECT id, path, sha256, bytes FROM treelift_files WHERE id < ?1 ORDER BY id";
        let files: Vec<_> = self.on(|conn| sql::all(conn, text, [before]))?;
        Ok(files.into_iter().map(|(id, path, sha256, bytes)| FileRecord { id, path, sha256, bytes }).collect())
    }

    pub(super) fn earlier_rows_of(&mut self, file: i64, table: &str) -> Result<Vec<RowRecord>> {
        let number = self.table_number(table)?;
        let text = format!(
            "{ROW} FROM treelift_rows r JOIN treelift_columns c ON c.id = r.columns
             WHERE r.file = ?1 AND r.\"table\" = ?2 AND NOT c.filled ORDER BY r.number"
        );
        let found = self.on(|conn| rows(conn, &text, (file, number), table))?;
        self.standing(table, found)
    }

    pub(super) fn written_from(&mut self, table: &str, row_key: &str) -> Result<Option<RowRecord>> {
        let number = self.table_number(table)?;
        self.index_rows()?;
        let text = format!(
            "{ROW} FROM temp.origins o
             JOIN treelift_rows r ON r.file = o.file AND r.\"table\" = o.\"table\" AND r.number = o.number
             WHERE o.\"table\" = ?1 AND o.row_key = ?2 ORDER BY o.number LIMIT 1"
        );
        Ok(self.on(|conn| rows(conn, &text, (number, row_key), table))?.pop())
    }
}

/// Writes the record of a run; over the one of this number, its counts and when it finished.
pub(super) fn write_run(conn: &Connection, number: Option<i64>, run: &RunRecord) -> rusqlite::Result<()> {
    let RunRecord { id, kind, program, set, set_digest, set_folder, source, undoes, .. } = run;
    let RunRecord { files, leaves, inserted, updated, unchanged, rejected, removed, .. } = run;
    let RunRecord { host, user, plan, forgotten_by, .. } = run;
    let forgotten = run.forgotten.map(times::clock_text);
    let (started, finished) = (times::clock_text(run.started), times::clock_text(run.finished));
    let text = format!(
        "INSERT INTO treelift_runs (number, {RUN}, {})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)
         ON CONFLICT (number) DO UPDATE SET finished = excluded.finished, files = excluded.files,
             leaves = excluded.leaves, inserted = excluded.inserted, updated = excluded.updated,
             unchanged = excluded.unchanged, rejected = excluded.rejected, removed = excluded.removed",
        RUN_ADDED.join(", ")
    );
    let values = rusqlite::params![
        number,
        id,
        kind,
        program,
        set,
        set_digest,
        set_folder,
        source,
        started,
        finished,
        files,
        leaves,
        inserted,
        updated,
        unchanged,
        rejected,
        removed,
        undoes,
        host,
        user,
        plan,
        forgotten,
        forgotten_by
    ];
    conn.execute(&text, values).map(drop)
}

/// The rows of the ledger that a query gives.
fn rows(conn: &Connection, text: &str, bound: impl Params, table: &str) -> rusqlite::Result<Vec<RowRecord>> {
    let record = |row: &Row<'_>| {
        let (row_key, file, offset, digest, columns, own) = <(_, _, _, Option<_>, _, _)>::try_from(row)?;
        let digest = digest.unwrap_or_default();
        Ok(RowRecord { table: table.to_owned(), row_key, file, offset, digest, own, columns })
    };
    conn.prepare_cached(text)?.query_map(bound, record)?.collect()
}

/// The recorded runs, oldest first.
pub(super) fn runs(conn: &Connection) -> rusqlite::Result<Vec<RunRecord>> {
    if !catalog::has_table(conn, "treelift_runs")? {
        return Ok(Vec::new());
    }
    let record = |row: &Row<'_>| {
        let (id, kind, program, set, set_digest, set_folder, source) = row.try_into()?;
        let [files, leaves, inserted, updated, unchanged, rejected, removed] = counts(row, 9)?;
        let (started, finished, undoes) = (time(row, 7)?, time(row, 8)?, row.get(16)?);
        let (host, user, plan, forgotten_by) = (row.get(17)?, row.get(18)?, row.get(19)?, row.get(21)?);
        let forgotten = row.get::<_, Option<String>>(20)?.map(|_| time(row, 20)).transpose()?;
        let run = RunRecord { host, user, plan, forgotten, forgotten_by, ..RunRecord::default() };
        let run = RunRecord { id, kind, program, set, set_digest, set_folder, source, ..run };
        let run = RunRecord { started, finished, undoes, ..run };
        Ok(RunRecord { files, leaves, inserted, updated, unchanged, rejected, removed, ..run })
    };
    let added = ledger_tables::selected(conn, "treelift_runs", &RUN_ADDED)?;
    conn.prepare(&format!("SELECT {RUN}, {added} FROM treelift_runs ORDER BY number"))?.query_map([], record)?.collect()
}

fn counts<const N: usize>(row: &Row<'_>, first: usize) -> rusqlite::Result<[u64; N]> {
    let mut counts = [0; N];
    for (at, count) in counts.iter_mut().enumerate() {
        *count = row.get(first + at)?;
    }
    Ok(counts)
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let text: String = row.get(column)?;
    times::parse_time(&text)
        .and_then(|time| time.to_zoned(TimeZone::UTC).ok())
        .map(|time| time.timestamp())
        .ok_or_else(|| rusqlite::Error::InvalidColumnType(column, String::new(), Type::Text))
}
