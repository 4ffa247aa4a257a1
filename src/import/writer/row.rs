//! A row on its way into the database, and what the ledger is to know of it.

use crate::database::Dialect;
use crate::database::ledger::{self, Written};
use crate::finding::Place;
use crate::mapping::compile::CompiledRule;
use crate::row::{Batch, Row, Value};
use crate::table::ColumnType;
use std::borrow::Cow;
use std::sync::Arc;

/// A row that is to be inserted.
#[derive(Debug)]
pub struct NewRow<'r> {
    /// Its rule.
    pub rule: &'r CompiledRule,
    /// Its values, in the order of the rule's fields, sealed ones sealed.
    pub values: Vec<Value>,
    /// The id that was given to it.
    pub id: Option<i64>,
    /// Where it came from.
    pub place: Place,
    /// Where its record begins, in bytes.
    pub record: u64,
    /// Fields that took the run's start time.
    pub clock: Vec<usize>,
}

/// What the ledger is to know of a row.
#[derive(Debug)]
pub struct Noted<'r> {
    pub(super) rule: &'r CompiledRule,
    pub(super) row_key: String,
    pub(super) offset: u64,
    /// See [`digest`]; zeros until it is made.
    pub(super) digest: [u8; 16],
    pub(super) own: Option<[u8; 32]>,
    pub(super) clock: Vec<usize>,
}

impl<'r> Noted<'r> {
    /// Whether it is the row of a table that has this key.
    pub fn is(&self, table: &str, row_key: &str) -> bool {
        self.rule.table.name == table && self.row_key == row_key
    }

    /// Where it came from in its file, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn of(row: &NewRow<'r>, dialect: Dialect) -> Self {
        Self {
            rule: row.rule,
            row_key: row_key(row.rule, &row.values, row.id, dialect),
            offset: row.place.offset,
            digest: [0; 16],
            own: own_digest(row.rule, &row.values, &row.clock, dialect),
            clock: row.clock.clone(),
        }
    }

    /// With its digest, where it is not left to who writes the row.
    pub(super) fn digested(self, row: &NewRow<'_>, dialect: Dialect) -> Self {
        Self { digest: digest(row.rule, &row.values, &row.clock, dialect), ..self }
    }
}

/// Adds a row to the batch of its rule; batches stand in the order of the rules' `ranks`. Gives its number in the batch,
/// and its bytes of text.
pub(super) fn add(batches: &mut Vec<(u32, Batch)>, ranks: &[usize], row: NewRow<'_>) -> (usize, usize) {
    let NewRow { rule, mut values, id, place, record, .. } = row;
    let rank = |(number, _): &(u32, Batch)| ranks[*number as usize];
    let at = batches.binary_search_by_key(&ranks[rule.number as usize], rank).unwrap_or_else(|at| {
        batches.insert(at, (rule.number, empty_batch(rule)));
        at
    });
    values.extend(id.map(Value::Integer));
    let bytes = values.iter().map(text_len).sum();
    let rows = &mut batches[at].1.rows;
    rows.push(Row { values, place, record });
    (rows.len() - 1, bytes)
}

fn empty_batch(rule: &CompiledRule) -> Batch {
    let mut columns: Vec<String> = rule.fields.iter().map(|field| field.column.name.clone()).collect();
    columns.extend(rule.generated_id.clone());
    Batch { table: rule.table.name.clone(), columns, rows: Vec::new() }
}

fn text_len(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Json(text) | Value::Sealed(text) => text.len(),
        _ => 8,
    }
}

/// A row's primary key as the ledger writes it.
pub(crate) fn row_key(rule: &CompiledRule, values: &[Value], id: Option<i64>, dialect: Dialect) -> String {
    let part = |at: &Option<usize>| match at {
        Some(at) => dialect.written(rule.fields[*at].column.kind, &values[*at]).map(Cow::into_owned),
        None => id.map(|id| id.to_string()),
    };
    ledger::row_key(rule.primary.iter().map(part).collect())
}

/// The columns in which a rule writes rows, apart from ids that the engine gives.
pub(super) fn written(rule: &CompiledRule, clock: &[usize]) -> Written {
    let mut written = Written { table: rule.table.name.clone(), ..Written::default() };
    for (at, field) in rule.fields.iter().enumerate() {
        let list = match field.protection {
            Some(_) => &mut written.sealed,
            None if clock.contains(&at) => &mut written.clock,
            None => &mut written.digested,
        };
        list.push(field.column.name.clone());
    }
    written
}

/// The values of a rule's rows that the ledger's digest is over, in its order: by position, with their columns' types.
pub(super) type Digested = Arc<[(usize, ColumnType)]>;

/// See [`Digested`]; `clock` are the fields that took the run's start time.
pub(super) fn digested(rule: &CompiledRule, clock: &[usize]) -> Digested {
    let fields = rule.fields.iter().enumerate().filter(|(at, _)| is_digested(rule, clock, *at));
    fields.map(|(at, field)| (at, field.column.kind)).collect()
}

/// The ledger's digest of a row of a batch.
pub(super) fn digest_in(batch: &Batch, row: usize, over: &Digested, dialect: Dialect) -> [u8; 16] {
    let values = &batch.rows[row].values;
    ledger::digest(over.iter().map(|(at, kind)| (batch.columns[*at].as_str(), dialect.written(*kind, &values[*at]))))
}

/// The digests of what is this run's own: times that are its start, and sealed values.
fn own_digest(rule: &CompiledRule, values: &[Value], clock: &[usize], dialect: Dialect) -> Option<[u8; 32]> {
    let sealed = |at: usize| is_sealed(rule, at);
    if clock.is_empty() && !(0..rule.fields.len()).any(sealed) {
        return None;
    }
    let clock = digest_of(rule, values, dialect, |at| clock.contains(&at));
    let sealed = digest_of(rule, values, dialect, sealed);
    Some(std::array::from_fn(|i| if i < 16 { clock[i] } else { sealed[i - 16] }))
}

/// The digests of what is a run's own, of a row in these columns whose digest over some of them this gives.
pub(super) fn own_digest_of(written: &Written, digest_of: &dyn Fn(&[String]) -> [u8; 16]) -> Option<[u8; 32]> {
    if written.clock.is_empty() && written.sealed.is_empty() {
        return None;
    }
    let (clock, sealed) = (digest_of(&written.clock), digest_of(&written.sealed));
    Some(std::array::from_fn(|i| if i < 16 { clock[i] } else { sealed[i - 16] }))
}

/// The digest of a row's comparable values: not given ids, not sealed values, not what came from the
/// run's start time (`clock`).
pub fn digest(rule: &CompiledRule, values: &[Value], clock: &[usize], dialect: Dialect) -> [u8; 16] {
    digest_of(rule, values, dialect, |at| is_digested(rule, clock, at))
}

/// Whether the ledger's digest is over a field.
fn is_digested(rule: &CompiledRule, clock: &[usize], at: usize) -> bool {
    !clock.contains(&at) && !is_sealed(rule, at)
}

fn is_sealed(rule: &CompiledRule, at: usize) -> bool {
    rule.fields[at].protection.is_some()
}

/// The digest of some of a row's fields.
fn digest_of(rule: &CompiledRule, values: &[Value], dialect: Dialect, takes: impl Fn(usize) -> bool) -> [u8; 16] {
    let fields = rule.fields.iter().enumerate().filter(|(at, _)| takes(*at));
    ledger::digest(
        fields.map(|(at, field)| (field.column.name.as_str(), dialect.written(field.column.kind, &values[at]))),
    )
}
