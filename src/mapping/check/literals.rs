//! Literals that a column reads can be read, and held.

use super::spot::Spot;
use crate::mapping::codes;
use crate::mapping::model::{ColumnRule, From, Literal, ReadAs};
use crate::step::Datum;
use crate::table::ColumnType;
use jiff::civil::Time;

/// Checks the literals that a column may be given.
pub(super) fn check(spot: &Spot<'_>, column: &ColumnRule, reads: &ReadAs) {
    let own = match &column.expr.from {
        From::Literal(literal) if column.expr.steps.is_empty() => Some(literal),
        _ => None,
    };
    for literal in own.into_iter().chain(&column.policies.default) {
        let Literal::Text(text) = literal else { continue };
        let why = match reads.apply(Datum::Text(text.clone())) {
            Err(why) => format!("cannot be read as that: {why}"),
            Ok(datum) => match datum.and_then(|datum| unheld(reads.kind, &datum)) {
                Some(why) => why,
                None => continue,
            },
        };
        let message = format!("`{}.{}` is `{}`, and `{text}` {why}", spot.table.name, column.name, reads.declared);
        spot.refuse(&codes::TYPE_UNFIT, column.line, message, None);
    }
}

/// What the form of the column cannot hold of a time.
fn unheld(kind: ColumnType, datum: &Datum) -> Option<String> {
    let (form, lacks) = match datum {
        Datum::Instant(time, _) => kind.unheld(time.utc(), true),
        Datum::Civil(time) => kind.unheld(*time, false),
        Datum::Day(day) => kind.unheld(day.to_datetime(Time::midnight()), false),
        Datum::Text(text) => kind.unheld(kind.stored_time(text)?, false),
        _ => None,
    }?;
    Some(format!("cannot be written as `{}`, which does not hold {lacks}", form.format()))
}
