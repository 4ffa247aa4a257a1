//! Literals and defaults of the schema that a column is given can be read, and held.

use super::spot::Spot;
use crate::mapping::codes;
use crate::mapping::model::{ColumnRule, From, Literal, Policy, ReadAs};
use crate::mapping::schema_default::{self, SchemaDefault};
use crate::step::Datum;
use crate::table::{Column, ColumnType};
use jiff::civil::Time;

/// Checks the literals that a column may be given, and the default of the schema where a policy asks for it.
pub(super) fn check(spot: &Spot<'_>, column: &ColumnRule, known: &Column, reads: &ReadAs) {
    let own = match &column.expr.from {
        From::Literal(literal) if column.expr.steps.is_empty() => Some(literal),
        _ => None,
    };
    for literal in own.into_iter().chain(&column.policies.default) {
        let Literal::Text(text) = literal else { continue };
        refuse(spot, column, reads, Datum::Text(text.clone()), &format!("`{text}`"), None);
    }
    let asks = column.policies.words().iter().any(|(_, policy)| *policy == Some(Policy::Default));
    if let Some(SchemaDefault::Constant(Literal::Text(text))) = SchemaDefault::of(known)
        && asks
        && column.policies.default.is_none()
    {
        let what = format!("the default that it has in the schema, `{text}`,");
        let hint = "give the column a `default` in the rule, or change the one in the schema by a migration";
        refuse(spot, column, reads, schema_default::datum(&text, known.kind), &what, Some(hint.to_owned()));
    }
}

/// Refuses what cannot be read, or held.
fn refuse(spot: &Spot<'_>, column: &ColumnRule, reads: &ReadAs, datum: Datum, what: &str, hint: Option<String>) {
    let why = match reads.apply(datum) {
        Err(why) => Some(format!("cannot be read as that: {why}")),
        Ok(datum) => datum.and_then(|datum| unheld(reads.kind, &datum)),
    };
    let Some(why) = why else { return };
    let message = format!("`{}.{}` is `{}`, and {what} {why}", spot.table.name, column.name, reads.declared);
    spot.refuse(&codes::TYPE_UNFIT, column.line, message, hint);
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
