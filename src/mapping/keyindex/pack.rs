//! Values of rows that are looked up, one after the other in blocks of bytes.

use crate::instant::Instant;
use crate::row::Value;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use std::sync::Arc;
use uuid::Uuid;

/// So large is a block, unless a single row has more.
const BLOCK: usize = 1 << 16;

/// Where the values of a row begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    block: u32,
    start: u32,
}

/// Values of rows.
#[derive(Default)]
pub(super) struct Packed {
    blocks: Vec<Vec<u8>>,
    /// The row that is being added.
    row: Vec<u8>,
}

/// Values may be personal, so `Debug` gives their size alone.
impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packed({} blocks)", self.blocks.len())
    }
}

impl Packed {
    /// Adds the values of a row.
    pub(super) fn add<'v>(&mut self, values: impl IntoIterator<Item = &'v Value>) -> At {
        self.row.clear();
        values.into_iter().for_each(|value| write(value, &mut self.row));
        let fits = |last: &Vec<u8>| last.len() + self.row.len() <= BLOCK;
        if !self.blocks.last().is_some_and(fits) {
            // The first one is as small as what is in it: there may be no more.
            let room = if self.blocks.is_empty() { 0 } else { BLOCK.max(self.row.len()) };
            self.blocks.push(Vec::with_capacity(room));
        }
        let block = self.blocks.len() - 1;
        let start = self.blocks[block].len();
        self.blocks[block].extend_from_slice(&self.row);
        let [block, start] = [block, start].map(|number| u32::try_from(number).expect("memory holds less"));
        At { block, start }
    }

    /// The value at a position of a row.
    pub(super) fn get(&self, at: At, position: usize) -> Value {
        let mut rest = self.from(at);
        (0..position).for_each(|_| _ = read(&mut rest));
        read(&mut rest).value()
    }

    /// The first values of a row.
    pub(super) fn all(&self, at: At, count: usize) -> Vec<Value> {
        let mut rest = self.from(at);
        (0..count).map(|_| read(&mut rest).value()).collect()
    }

    fn from(&self, at: At) -> &[u8] {
        &self.blocks[at.block as usize][at.start as usize..]
    }

    /// Where the next row would begin, unless it needs a block of its own.
    pub(super) fn end(&self) -> (usize, usize) {
        (self.blocks.len(), self.blocks.last().map_or(0, Vec::len))
    }

    /// Removes what was added since this was the end.
    pub(super) fn truncate(&mut self, (blocks, len): (usize, usize)) {
        self.blocks.truncate(blocks);
        self.blocks.last_mut().into_iter().for_each(|last| last.truncate(len));
    }
}

/// A value as it is read: of texts nothing is copied.
enum Read<'p> {
    Plain(Value),
    Text(fn(Arc<str>) -> Value, &'p [u8]),
    Uuid(&'p [u8]),
    Bytes(&'p [u8]),
}

impl Read<'_> {
    fn value(self) -> Value {
        match self {
            Read::Plain(value) => value,
            Read::Bytes(bytes) => Value::Bytes(bytes.into()),
            Read::Text(kind, text) => kind(std::str::from_utf8(text).expect("it was written from a text").into()),
            Read::Uuid(bytes) => {
                let id = Uuid::from_slice(bytes).expect("it was written from an id");
                Value::Text((&*id.hyphenated().encode_lower(&mut Uuid::encode_buffer())).into())
            }
        }
    }
}

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INTEGER: u8 = 3;
const REAL: u8 = 4;
const CIVIL: u8 = 5;
const INSTANT: u8 = 6;
const UUID: u8 = 7;
const TEXT: u8 = 8;
const JSON: u8 = 9;
const SEALED: u8 = 10;
const DAY: u8 = 11;
const BYTES: u8 = 12;

/// Instead of the length of a text or of bytes that are as long or longer, which follows.
const LONG: u8 = u8::MAX;

fn write(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::Null => into.push(NULL),
        Value::Bool(value) => into.push(if *value { TRUE } else { FALSE }),
        Value::Integer(value) => write_plain(INTEGER, &value.to_le_bytes(), into),
        Value::Real(value) => write_plain(REAL, &value.to_bits().to_le_bytes(), into),
        Value::Civil(time) => write_plain(CIVIL, &of_time(*time), into),
        Value::Instant(time) => write_plain(INSTANT, &of_time(time.utc()), into),
        Value::Text(text) => match of_uuid(text) {
            Some(id) => write_plain(UUID, &id, into),
            None => write_bytes(TEXT, text.as_bytes(), into),
        },
        Value::Json(text) => write_bytes(JSON, text.as_bytes(), into),
        Value::Sealed(text) => write_bytes(SEALED, text.as_bytes(), into),
        Value::Day(day) => write_plain(DAY, &of_time(day.at(0, 0, 0, 0)), into),
        Value::Bytes(bytes) => write_bytes(BYTES, bytes, into),
    }
}

fn write_plain(kind: u8, bytes: &[u8], into: &mut Vec<u8>) {
    into.push(kind);
    into.extend_from_slice(bytes);
}

fn write_bytes(kind: u8, bytes: &[u8], into: &mut Vec<u8>) {
    into.push(kind);
    match u8::try_from(bytes.len()) {
        Ok(len) if len != LONG => into.push(len),
        _ => write_plain(LONG, &(bytes.len() as u64).to_le_bytes(), into),
    }
    into.extend_from_slice(bytes);
}

/// The bytes of an id that is written as RFC 9562 writes it, in section 4: most keys that programs make are.
fn of_uuid(text: &str) -> Option<[u8; 16]> {
    let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36)?;
    (id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then(|| id.into_bytes())
}

fn of_time(time: DateTime) -> [u8; 11] {
    let [y1, y2] = time.year().to_le_bytes();
    let [n1, n2, n3, n4] = time.subsec_nanosecond().to_le_bytes();
    let [month, day, hour, minute, second] =
        [time.month(), time.day(), time.hour(), time.minute(), time.second()].map(i8::cast_unsigned);
    [y1, y2, month, day, hour, minute, second, n1, n2, n3, n4]
}

fn to_time([y1, y2, month, day, hour, minute, second, n1, n2, n3, n4]: [u8; 11]) -> DateTime {
    let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(u8::cast_signed);
    let (year, nanosecond) = (i16::from_le_bytes([y1, y2]), i32::from_le_bytes([n1, n2, n3, n4]));
    DateTime::new(year, month, day, hour, minute, second, nanosecond).expect("it was written from a time")
}

/// Takes a value off the front.
fn read<'p>(rest: &mut &'p [u8]) -> Read<'p> {
    let [kind] = take(rest);
    Read::Plain(match kind {
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        INTEGER => Value::Integer(i64::from_le_bytes(take(rest))),
        REAL => Value::Real(f64::from_bits(u64::from_le_bytes(take(rest)))),
        CIVIL => Value::Civil(to_time(take(rest))),
        INSTANT => Value::Instant(Instant::at(to_time(take(rest)), Offset::UTC).expect("it was one in UTC")),
        DAY => Value::Day(to_time(take(rest)).date()),
        UUID => return Read::Uuid(take_slice(rest, 16)),
        _ => {
            let len = match take(rest) {
                [LONG] => usize::try_from(u64::from_le_bytes(take(rest))).expect("it was in memory"),
                [len] => usize::from(len),
            };
            let bytes = take_slice(rest, len);
            return match kind {
                JSON => Read::Text(Value::Json, bytes),
                SEALED => Read::Text(Value::Sealed, bytes),
                BYTES => Read::Bytes(bytes),
                _ => Read::Text(Value::Text, bytes),
            };
        }
    })
}

fn take_slice<'p>(rest: &mut &'p [u8], len: usize) -> &'p [u8] {
    rest.split_off(..len).expect("a value is written whole")
}

fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    take_slice(rest, N).try_into().expect("so many were taken")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Vec<Value> {
        let text = |text: &str| Value::Text(text.into());
        let time: DateTime = "-000043-12-31T23:59:58.000000001".parse().unwrap();
        vec![
            Value::Null,
            Value::Bool(true),
            Value::Bool(false),
            Value::Integer(i64::MIN),
            Value::Real(-0.1),
            Value::Civil(time),
            Value::Instant(Instant::at(DateTime::MAX, Offset::UTC).unwrap()),
            text(""),
            text("é – any text"),
            text("6f0b6f5e-4c53-5c0e-9f0e-0d9b1a7c2e11"),
            text("6F0B6F5E-4c53-5c0e-9f0e-0d9b1a7c2e11"),
            text("6f0b6f5e4c535c0e9f0e0d9b1a7c2e11"),
            text(&"e".repeat(254)),
            text(&"e".repeat(255)),
            text(&"long".repeat(BLOCK)),
            Value::Json("{}".into()),
            Value::Sealed("tl2.x".into()),
            Value::Day(time.date()),
            Value::Bytes([0, 255, 7].into()),
            Value::Bytes([7; 300].into()),
        ]
    }

    #[test]
    fn values_are_what_they_were_alone_and_in_rows_and_after_others_were_removed() {
        let (mut packed, values) = (Packed::default(), values());
        let rows: Vec<At> = (0..1_000).map(|first| packed.add(values.iter().skip(first % values.len()))).collect();
        let end = packed.end();
        (0..10).for_each(|_| _ = packed.add(&values));
        packed.truncate(end);
        assert_eq!(packed.end(), end);
        for (first, at) in rows.iter().enumerate() {
            let expected = &values[first % values.len()..];
            assert!(packed.all(*at, expected.len()) == expected);
            assert!((0..expected.len()).all(|position| packed.get(*at, position) == expected[position]));
        }
    }

    #[test]
    fn an_id_takes_seventeen_bytes() {
        let mut packed = Packed::default();
        (0..1_000).for_each(|_| _ = packed.add(&[Value::Text("6f0b6f5e-4c53-5c0e-9f0e-0d9b1a7c2e11".into())]));
        assert_eq!(packed.end(), (1, 17_000));
    }
}
