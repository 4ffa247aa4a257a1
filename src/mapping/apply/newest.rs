//! The times by which the files of an owner are sorted.

use super::fit::to_datum;
use crate::document::tape::NodeRef;
use crate::instant::Instant;
use crate::mapping::model::ReadAs;
use crate::step::Datum;
use jiff::civil::Time;
use jiff::tz::Offset;

/// The time that a node says where it is read so; a time without a zone is taken as UTC.
pub fn time_of(node: NodeRef, reads: &ReadAs) -> Option<Instant> {
    let clock = match reads.apply(to_datum(node).ok()?).ok()?? {
        Datum::Instant(at, _) => return Some(at),
        Datum::Civil(clock) => clock,
        Datum::Day(day) => day.to_datetime(Time::midnight()),
        _ => return None,
    };
    Instant::at(clock, Offset::UTC)
}
