//! Rows in the binary form of COPY ("COPY", Binary Format).

use super::form::{self, Form};
use super::opened::PostgresTransaction;
use super::types::{self, Wire};
use crate::error::{Error, Result};
use crate::mapping::schema_default::SchemaDefault;
use crate::row::{Batch, Value};
use crate::table::ColumnType;
use std::ops::Range;

/// What stands before the rows: the signature, no flags, no extension.
pub(super) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What stands behind them.
pub(super) const TRAILER: &[u8] = &(-1_i16).to_be_bytes();

/// The columns of a table that are written.
pub(super) struct Target<'b> {
    pub(super) table: &'b str,
    pub(super) columns: &'b [String],
    kinds: Vec<ColumnType>,
    wires: Vec<Option<Wire>>,
    /// Columns that are not written and whose default is a clock, with what it shows: every row of a run has the same.
    clocks: Vec<(String, Vec<u8>)>,
}

/// Encoded rows of a batch.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    /// Where each row stands in them, or why a type does not keep one.
    pub(super) rows: Vec<Result<Range<usize>, String>>,
}

impl Encoded {
    /// A COPY of these rows, in as few pieces as they are.
    pub(super) fn parts(&self, rows: &[usize]) -> Vec<&[u8]> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for range in rows.iter().filter_map(|row| self.rows[*row].as_ref().ok()) {
            match ranges.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => ranges.push(range.clone()),
            }
        }
        let bytes = ranges.into_iter().map(|range| &self.bytes[range]);
        std::iter::once(HEADER).chain(bytes).chain([TRAILER]).collect()
    }
}

impl<'b> Target<'b> {
    pub(super) fn of(this: &PostgresTransaction, table: &'b str, columns: &'b [String]) -> Result<Self> {
        let kinds = columns.iter().map(|column| this.kind(table, column)).collect::<Result<Vec<_>>>()?;
        let declared = columns.iter().map(|column| this.declared(table, column)).collect::<Result<Vec<_>>>()?;
        let wires = declared.into_iter().map(types::wire).collect();
        Ok(Self { table, columns, kinds, wires, clocks: clocks(this, table, columns)? })
    }

    /// Every column that is sent, in order.
    pub(super) fn names(&self) -> Vec<&str> {
        self.columns.iter().chain(self.clocks.iter().map(|(name, _)| name)).map(String::as_str).collect()
    }

    /// Types were checked when the row was mapped: a value without a form here is a fault of treelift.
    pub(super) fn forms<'v>(&self, values: &'v [Value]) -> Result<Vec<Form<'v>>> {
        let (table, columns) = (self.table, self.columns);
        if values.len() != columns.len() {
            return Err(Error::bug(format!(
                "a row of `{table}` has {} values for {} columns",
                values.len(),
                columns.len()
            )));
        }
        let form = |((value, column), kind): ((&'v Value, &String), &ColumnType)| {
            form::of(value, *kind).ok_or_else(|| {
                Error::bug(format!("{} reached column `{table}.{column}`, which would not keep it", value.kind_name()))
            })
        };
        values.iter().zip(columns).zip(&self.kinds).map(form).collect()
    }

    /// Why a type does not keep one of these, as a COPY would tell it; an UPDATE would cut or round it.
    pub(super) fn misfit(&self, forms: &[Form<'_>]) -> Option<String> {
        let mut bytes = Vec::new();
        let fits = |(at, form): (usize, &Form<'_>)| {
            let put = self.wires[at].map_or(Err("the type"), |wire| form.encode(wire, &mut bytes));
            put.err().map(|why| format!("{why} of `{}.{}`", self.table, self.columns[at]))
        };
        forms.iter().enumerate().find_map(fits)
    }

    /// Encodes rows.
    pub(super) fn encode(&self, batch: &Batch) -> Result<Encoded> {
        let fields = i16::try_from(self.columns.len() + self.clocks.len())
            .map_err(|_| Error::bug("a table has more columns than PostgreSQL knows"))?;
        let mut bytes = Vec::with_capacity(batch.rows.len() * 64);
        let mut rows = Vec::with_capacity(batch.rows.len());
        for row in &batch.rows {
            let start = bytes.len();
            bytes.extend(fields.to_be_bytes());
            let mut wrong = None;
            for (at, form) in self.forms(&row.values)?.iter().enumerate() {
                let put = match self.wires[at] {
                    Some(wire) => form.encode(wire, &mut bytes),
                    None => Err("the type"),
                };
                if let Err(why) = put {
                    wrong = Some(format!("{why} of `{}.{}`", self.table, self.columns[at]));
                    break;
                }
            }
            self.clocks.iter().for_each(|(_, clock)| bytes.extend(clock));
            rows.push(match wrong {
                None => Ok(start..bytes.len()),
                Some(why) => {
                    bytes.truncate(start);
                    Err(why)
                }
            });
        }
        Ok(Encoded { bytes, rows })
    }
}

fn clocks(this: &PostgresTransaction, table: &str, written: &[String]) -> Result<Vec<(String, Vec<u8>)>> {
    let Some(started) = this.state.started else { return Ok(Vec::new()) };
    let now = crate::instant::Instant::from(started);
    let columns = this.state.schema.table(table).into_iter().flat_map(|table| &table.columns);
    let unwritten = columns.filter(|column| !written.contains(&column.name));
    let mut clocks = Vec::new();
    for column in unwritten.filter(|column| SchemaDefault::of(column) == Some(SchemaDefault::Clock)) {
        let value = match column.kind {
            ColumnType::Date(_) => Value::Day(now.utc().date()),
            ColumnType::Clock(_) => Value::Text(now.utc().strftime("%H:%M:%S").to_string().into()),
            _ => Value::Instant(now),
        };
        let mut bytes = Vec::new();
        let form = form::of(&value, column.kind);
        if let (Some(form), Some(wire)) = (form, types::wire(&column.declared))
            && form.encode(wire, &mut bytes).is_ok()
        {
            clocks.push((column.name.clone(), bytes));
        }
    }
    Ok(clocks)
}
