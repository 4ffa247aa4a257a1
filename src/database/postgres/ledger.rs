//! The ledger: what a run wrote, recorded and read back.

use super::catalog;
use super::connect::Session;
use super::encode::{HEADER, TRAILER};
use super::form::{Form, clock_text, parse_time};
use super::opened::PostgresTransaction;
use super::place::Tried;
use super::types::Wire;
use super::{find, ledger_tables, sql};
use crate::database::ledger::{FileRecord, RowRecord, RunRecord, Written, key_parts};
use crate::error::{Error, Result};
use crate::table::ColumnType;
use postgres::Row;
use std::collections::HashMap;

/// What a run's record holds, in the order of its table.
const RUN: &str =
    "id, kind, program, mapping_set, set_digest, set_folder, source, started::text, finished::text, files,
                   leaves, inserted, updated, unchanged, rejected, removed, undoes";

/// What later versions added to it.
const RUN_ADDED: [&str; 5] = ["host", "user_name", "plan", "forgotten", "forgotten_by"];

/// What [`record`] reads.
const ROW: &str = "SELECT r.row_key, r.file, r.\"offset\", r.digest, r.columns, r.own";

fn record(row: &Row, table: &str) -> RowRecord {
    let fixed = |bytes: Option<Vec<u8>>| -> Option<[u8; 32]> { bytes?.try_into().ok() };
    let digest: Option<Vec<u8>> = row.get(3);
    RowRecord {
        table: table.to_owned(),
        row_key: row.get(0),
        file: row.get(1),
        offset: row.get::<_, i64>(2).unsigned_abs(),
        digest: digest.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default(),
        own: fixed(row.get(5)),
        columns: row.get(4),
    }
}

impl PostgresTransaction {
    pub(super) fn run_number(&self) -> Result<i64> {
        self.state.ledger.run.ok_or_else(|| Error::bug("a row was recorded before its run"))
    }

    pub(super) fn table_number(&mut self, table: &str) -> Result<i64> {
        if let Some(number) = self.state.ledger.tables.get(table) {
            return Ok(*number);
        }
        let is_view = self.state.is_view;
        let number = self.on(|session| {
            if is_view {
                let row = session.first("SELECT id FROM treelift_tables WHERE name = $1", &[Some(table)])?;
                return Ok(row.map_or(0, |row| row.get(0))); // no table has the number 0
            }
            session.execute("INSERT INTO treelift_tables (name) VALUES ($1) ON CONFLICT DO NOTHING", &[Some(table)])?;
            let row = session.first("SELECT id FROM treelift_tables WHERE name = $1", &[Some(table)])?;
            Ok(row.map_or(0, |row| row.get(0)))
        })?;
        self.state.ledger.tables.insert(table.to_owned(), number);
        Ok(number)
    }

    /// Those of the ledger's rows that still stand in their table.
    fn standing(&self, table: &str, rows: Vec<RowRecord>) -> Result<Vec<RowRecord>> {
        let Some(live) = self.state.schema.table(table) else { return Ok(Vec::new()) };
        let key = live.primary_key();
        if rows.is_empty() {
            return Ok(rows);
        }
        if key.is_empty() {
            return Ok(self.standing_alike(live, rows));
        }
        let mut conditions = Vec::new();
        let mut kinds = Vec::new();
        for (at, column) in key.iter().enumerate() {
            conditions.push(format!("t.{}", find::equal(column, self.declared(table, column)?, &format!("k.k{at}"))));
            kinds.push(self.kind(table, column)?);
        }
        let lists: Vec<String> = (1..=key.len()).map(|at| format!("${at}::text[]")).collect();
        let names: Vec<String> = (0..key.len()).map(|at| format!("k{at}")).collect();
        let text = format!(
            "SELECT DISTINCT k.n::int8 FROM unnest({}) WITH ORDINALITY k({}, n) JOIN {} t ON {}",
            lists.join(", "),
            names.join(", "),
            sql::name(table),
            conditions.join(" AND ")
        );
        let mut values = vec![Vec::with_capacity(rows.len()); key.len()];
        for row in &rows {
            let parts = key_parts(&row.row_key, key.len()).unwrap_or_else(|| vec![None; key.len()]);
            for ((list, part), kind) in values.iter_mut().zip(parts).zip(&kinds) {
                list.push(part.map(|part| if *kind == ColumnType::Blob { format!("\\x{part}") } else { part }));
            }
        }
        let found = self.on(|session| session.query_lists(&text, &values))?;
        let mut stands = vec![false; rows.len()];
        found.iter().for_each(|row| stands[row.get::<_, i64>(0).unsigned_abs() as usize - 1] = true);
        Ok(rows.into_iter().zip(stands).filter(|(_, stands)| *stands).map(|(row, _)| row).collect())
    }

    pub(super) fn next_file_id(&mut self) -> Result<i64> {
        let text = "SELECT coalesce(max(id), 0) + 1 FROM treelift_files";
        self.on(|session| Ok(session.first(text, &[])?.map_or(1, |row| row.get(0))))
    }

    pub(super) fn begin_run(&mut self, run: &RunRecord) -> Result<()> {
        let number = self.on(|session| write_run(session, run))?;
        (self.state.ledger.run, self.state.ledger.id) = (Some(number), Some(run.id.clone()));
        Ok(())
    }

    pub(super) fn finish_run(&mut self, run: &RunRecord) -> Result<()> {
        let number = self.run_number()?.to_string();
        let counts = counts(run);
        let text = "UPDATE treelift_runs SET finished = $2::timestamp, files = $3::int8, leaves = $4::int8,
                    inserted = $5::int8, updated = $6::int8, unchanged = $7::int8, rejected = $8::int8,
                    removed = $9::int8 WHERE number = $1::int8";
        let finished = clock_text(run.finished);
        let values: Vec<Option<&str>> =
            [number.as_str(), &finished].into_iter().chain(counts.iter().map(String::as_str)).map(Some).collect();
        self.on(|session| session.execute(text, &values).map(drop))
    }

    pub(super) fn record_files(&mut self, files: &[FileRecord]) -> Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        let run = self.run_number()?;
        let mut bytes = HEADER.to_vec();
        for file in files {
            let size = i64::try_from(file.bytes).map_err(|_| Error::bug("a size is beyond 64 bits"))?;
            let fields = [
                (Form::Integer(file.id), Wire::Int8),
                (Form::Integer(run), Wire::Int8),
                (Form::Text(file.path.as_str().into()), Wire::Text),
                (Form::Bytes(&file.sha256), Wire::Bytea),
                (Form::Integer(size), Wire::Int8),
            ];
            encode(&fields, &mut bytes)?;
        }
        let text = "COPY treelift_files (id, run, path, sha256, bytes) FROM STDIN (FORMAT binary)";
        self.on(|session| Ok(session.copy(text, &[&bytes, TRAILER]).map(drop)?))?;
        let first = self.state.ledger.first_file;
        self.state.ledger.first_file = first.into_iter().chain(files.iter().map(|file| file.id)).min();
        Ok(())
    }

    pub(super) fn record_columns(&mut self, written: &Written) -> Result<i64> {
        if let Some(number) = self.state.ledger.columns.get(written) {
            return Ok(*number);
        }
        let table = self.table_number(&written.table)?.to_string();
        let lists = [&written.digested, &written.clock, &written.sealed];
        let [digested, clock, sealed] = lists.map(|names| serde_json::Value::from(names.as_slice()).to_string());
        let filled = if written.filled { "true" } else { "false" };
        let values = [Some(table.as_str()), Some(&digested), Some(&clock), Some(&sealed), Some(filled)];
        let number = self.on(|session| {
            let find = "SELECT id FROM treelift_columns WHERE \"table\" = $1::int8 AND digested = $2 AND clock = $3
                        AND sealed = $4 AND filled = $5::boolean";
            if let Some(row) = session.first(find, &values)? {
                return Ok(row.get(0));
            }
            let add = "INSERT INTO treelift_columns (\"table\", digested, clock, sealed, filled)
                       VALUES ($1::int8, $2, $3, $4, $5::boolean) RETURNING id";
            Ok(session.first(add, &values)?.map_or(0, |row| row.get(0)))
        })?;
        self.state.ledger.columns.insert(written.clone(), number);
        Ok(number)
    }

    pub(super) fn record_rows(&mut self, rows: &[RowRecord]) -> Result<()> {
        let mut bytes = HEADER.to_vec();
        for row in rows {
            let table = self.table_number(&row.table)?;
            self.state.ledger.rows += 1;
            let number = self.state.ledger.rows;
            let offset = i64::try_from(row.offset).map_err(|_| Error::bug("an offset is beyond 64 bits"))?;
            // A row with such a key was rejected, and nothing of the run will be committed.
            let key = row.row_key.replace('\0', "\u{fffd}");
            let digest = if row.digest == [0; 16] { Form::Null } else { Form::Bytes(&row.digest) };
            let own = row.own.as_ref().map_or(Form::Null, |own| Form::Bytes(own));
            let fields = [
                (Form::Integer(row.file), Wire::Int8),
                (Form::Integer(table), Wire::Int8),
                (Form::Integer(number), Wire::Int8),
                (Form::Text(key.into()), Wire::Text),
                (Form::Integer(offset), Wire::Int8),
                (Form::Integer(row.columns), Wire::Int8),
                (digest, Wire::Bytea),
                (own, Wire::Bytea),
            ];
            encode(&fields, &mut bytes)?;
        }
        let text = "COPY treelift_rows (file, \"table\", number, row_key, \"offset\", columns, digest, own)
                    FROM STDIN (FORMAT binary)";
        self.on(|session| Ok(session.copy(text, &[&bytes, TRAILER]).map(drop)?))
    }

    pub(super) fn earlier_rows(&mut self, path: &str, table: &str) -> Result<Vec<RowRecord>> {
        let number = self.table_number(table)?.to_string();
        let before = self.state.ledger.first_file.unwrap_or(i64::MAX).to_string();
        let text = format!(
            "{ROW} FROM treelift_files f JOIN treelift_rows r ON r.file = f.id JOIN treelift_columns c ON c.id = r.columns
             WHERE f.path = $1 AND r.\"table\" = $2::int8 AND f.id < $3::int8 AND NOT c.filled ORDER BY r.file, r.number"
        );
        let rows = self.on(|session| session.query(&text, &[Some(path), Some(&number), Some(&before)]))?;
        self.standing(table, rows.iter().map(|row| record(row, table)).collect())
    }

    pub(super) fn earlier_files(&mut self) -> Result<Vec<FileRecord>> {
        let before = self.state.ledger.first_file.unwrap_or(i64::MAX).to_string();
        let text = "SELECT id, path, sha256, bytes FROM treelift_files WHERE id < $1::int8 ORDER BY id";
        let rows = self.on(|session| session.query(text, &[Some(&before)]))?;
        let file = |row: &Row| FileRecord {
            id: row.get(0),
            path: row.get(1),
            sha256: row.get::<_, Vec<u8>>(2).try_into().unwrap_or([0; 32]),
            bytes: row.get::<_, i64>(3).unsigned_abs(),
        };
        Ok(rows.iter().map(file).collect())
    }

    pub(super) fn earlier_rows_of(&mut self, file: i64, table: &str) -> Result<Vec<RowRecord>> {
        let number = self.table_number(table)?.to_string();
        let text = format!(
            "{ROW} FROM treelift_rows r JOIN treelift_columns c ON c.id = r.columns
             WHERE r.file = $1::int8 AND r.\"table\" = $2::int8 AND NOT c.filled ORDER BY r.number"
        );
        let rows = self.on(|session| session.query(&text, &[Some(&file.to_string()), Some(&number)]))?;
        self.standing(table, rows.iter().map(|row| record(row, table)).collect())
    }

    pub(super) fn written_from(&mut self, table: &str, row_key: &str) -> Result<Option<RowRecord>> {
        let number = self.table_number(table)?.to_string();
        let first = self.state.ledger.first_file.unwrap_or(i64::MAX).to_string();
        let text = format!(
            "{ROW} FROM treelift_rows r WHERE r.file >= $1::int8 AND r.\"table\" = $2::int8 AND r.row_key = $3
             ORDER BY r.file, r.number LIMIT 1"
        );
        let key = row_key.replace('\0', "\u{fffd}");
        let found = self.on(|session| session.first(&text, &[Some(&first), Some(&number), Some(&key)]))?;
        Ok(found.map(|row| record(&row, table)))
    }
}

/// One row of the ledger in the binary form of COPY.
fn encode<const N: usize>(fields: &[(Form<'_>, Wire); N], bytes: &mut Vec<u8>) -> Result<()> {
    bytes.extend((N as i16).to_be_bytes());
    fields.iter().try_for_each(|(form, wire)| form.encode(*wire, bytes)).map_err(Error::bug)
}

fn counts(run: &RunRecord) -> [String; 7] {
    [run.files, run.leaves, run.inserted, run.updated, run.unchanged, run.rejected, run.removed]
        .map(|count| count.to_string())
}

/// Writes the record of a run, and gives its number.
pub(super) fn write_run(session: &Session, run: &RunRecord) -> Tried<i64> {
    let text =
        "INSERT INTO treelift_runs (id, kind, program, mapping_set, set_digest, set_folder, source, started, finished,
                    files, leaves, inserted, updated, unchanged, rejected, removed, undoes, host, user_name, plan, forgotten,
                    forgotten_by)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8::timestamp, $9::timestamp, $10::int8, $11::int8, $12::int8,
                    $13::int8, $14::int8, $15::int8, $16::int8, $17, $18, $19, $20, $21::timestamp, $22) RETURNING number";
    let (started, finished, counts) = (clock_text(run.started), clock_text(run.finished), counts(run));
    let mut values = vec![
        Some(run.id.as_str()),
        Some(&run.kind),
        Some(&run.program),
        Some(&run.set),
        Some(&run.set_digest),
        run.set_folder.as_deref(),
        Some(&run.source),
        Some(&started),
        Some(&finished),
    ];
    values.extend(counts.iter().map(|count| Some(count.as_str())));
    let forgotten = run.forgotten.map(clock_text);
    values.extend([&run.undoes, &run.host, &run.user, &run.plan, &forgotten, &run.forgotten_by].map(Option::as_deref));
    Ok(session.first(text, &values)?.map_or(0, |row| row.get(0)))
}

/// The lists of columns in which runs wrote rows of a table, by their number.
pub(super) fn columns(session: &Session, number: i64, table: &str) -> Tried<HashMap<i64, Written>> {
    let text = "SELECT id, digested, clock, sealed, filled FROM treelift_columns WHERE \"table\" = $1::int8";
    let list = |row: &Row, at: usize| {
        serde_json::from_str(row.get(at)).map_err(|_| {
            let message = format!("`treelift_columns` is damaged: its columns of `{table}` are no list of names");
            Error::environment(message).at(session.place.shown()).hint("restore the database from a backup")
        })
    };
    let mut all = HashMap::new();
    for row in session.query(text, &[Some(&number.to_string())])? {
        let (digested, clock, sealed) = (list(&row, 1)?, list(&row, 2)?, list(&row, 3)?);
        all.insert(row.get(0), Written { table: table.to_owned(), digested, clock, sealed, filled: row.get(4) });
    }
    Ok(all)
}

/// Whether a run is recorded.
pub(super) fn has_run(session: &Session, id: &str) -> Tried<bool> {
    Ok(catalog::has_table(session, "treelift_runs")?
        && session.has("SELECT 1 FROM treelift_runs WHERE id = $1", &[Some(id)])?)
}

/// The recorded runs, oldest first.
pub(super) fn runs(session: &Session) -> Tried<Vec<RunRecord>> {
    if !catalog::has_table(session, "treelift_runs")? {
        return Ok(Vec::new());
    }
    let time = |text: &str| {
        parse_time(text).ok_or_else(|| {
            Error::environment("a row of `treelift_runs` is damaged: a time cannot be read").at(session.place.shown())
        })
    };
    let added = ledger_tables::selected(session, "treelift_runs", &RUN_ADDED, "::text")?;
    let rows = session.query(&format!("SELECT {RUN}, {added} FROM treelift_runs ORDER BY number"), &[])?;
    let mut runs = Vec::with_capacity(rows.len());
    for row in &rows {
        let count = |at: usize| row.get::<_, i64>(at).unsigned_abs();
        runs.push(RunRecord {
            id: row.get(0),
            kind: row.get(1),
            program: row.get(2),
            set: row.get(3),
            set_digest: row.get(4),
            set_folder: row.get(5),
            source: row.get(6),
            started: time(row.get(7))?,
            finished: time(row.get(8))?,
            files: count(9),
            leaves: count(10),
            inserted: count(11),
            updated: count(12),
            unchanged: count(13),
            rejected: count(14),
            removed: count(15),
            undoes: row.get(16),
            host: row.get(17),
            user: row.get(18),
            plan: row.get(19),
            forgotten: row.get::<_, Option<String>>(20).as_deref().map(time).transpose()?,
            forgotten_by: row.get(21),
        });
    }
    Ok(runs)
}
