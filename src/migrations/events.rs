//! What a database tells of changes of its schema: its audit trail, and the application's own record of its version.

use crate::database::audit::{AuditPart, AuditTable, NUMBER, OWN, own_table};
use crate::database::history::{Named, Standing};
use crate::database::{Cell, Reader};
use crate::error::Result;
use crate::mapping::model::Set;
use crate::table::VersionRecord;

/// Something that was done to the schema.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Event {
    /// The version of the migration.
    pub version: String,
    /// When, as it is stored.
    pub at: Option<String>,
    /// What was done, in words.
    pub what: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: Option<i64>,
    /// The program that did it, with its version.
    pub by: Option<String>,
    /// The versions that the migration depends on, as the set has it now.
    pub depends: Vec<String>,
}

/// The actions of the audit trail that are about a migration.
const ACTIONS: [&str; 3] = ["migrate", "rollback", "stamp"];

/// All that the audit trail has, oldest first: treelift's own table, and the one that the set names.
pub(super) fn all(reader: &dyn Reader, set: &Set) -> Result<Vec<Event>> {
    let survey = reader.survey()?;
    let mut events = Vec::new();
    if survey.own.contains_key(OWN) {
        events.extend(of_table(reader, set, &own_table(), Some(NUMBER))?);
    }
    if let Some(audit) = &set.audit
        && let Some(table) = survey.catalog.schema.table(&audit.table)
        && audit.columns.iter().all(|(name, _)| table.column(name).is_some())
    {
        events.extend(of_table(reader, set, audit, None)?);
    }
    // Those of one change have one time, and stay in their order.
    events.sort_by(|one, other| one.at.cmp(&other.at));
    Ok(events)
}

/// Those of one table, by the numbers of their rows where it has a column of them.
fn of_table(reader: &dyn Reader, set: &Set, audit: &AuditTable, number: Option<&str>) -> Result<Vec<Event>> {
    let place = |part: AuditPart| audit.columns.iter().position(|(_, takes)| *takes == part);
    let (Some(action), Some(record)) = (place(AuditPart::Action), place(AuditPart::Record)) else {
        return Ok(Vec::new()); // without them no entry tells which migration it is about
    };
    let (at, reason) = (place(AuditPart::Time), place(AuditPart::Reason));
    let (details, by) = (place(AuditPart::Details), place(AuditPart::Program));
    let columns: Vec<&str> = audit.columns.iter().map(|(name, _)| name.as_str()).chain(number).collect();
    let mut events = Vec::new();
    reader.each_row(&audit.table, &columns, None, &mut |cells| {
        let text = |place: Option<usize>| place.and_then(|at| cells.get(at)).and_then(Cell::text);
        let is_meant = text(Some(action)).is_some_and(|action| ACTIONS.contains(&action.as_str()));
        let Some(version) = text(Some(record)).filter(|_| is_meant) else { return };
        let details: Option<serde_json::Value> = text(details).and_then(|text| serde_json::from_str(&text).ok());
        let known = set.migrations.iter().find(|migration| migration.version == version);
        let number = number.and_then(|_| text(Some(audit.columns.len()))?.parse::<i64>().ok());
        let event = Event {
            at: text(at),
            what: text(reason),
            took_ms: details.and_then(|details| details["took_ms"].as_i64()),
            by: text(by),
            depends: known.map(|migration| migration.depends.clone()).unwrap_or_default(),
            version,
        };
        events.push((number, event));
    })?;
    events.sort_by_key(|(number, _)| *number);
    Ok(events.into_iter().map(|(_, event)| event).collect())
}

/// What the application's own record says of its version, where that is not what the applied migrations make.
pub(super) fn version_note(reader: &dyn Reader, record: &VersionRecord, standing: &Standing) -> Result<Option<String>> {
    let catalog = reader.catalog()?;
    let Some(table) = catalog.schema.table(&record.table) else { return Ok(None) };
    let columns: Vec<&str> =
        [&record.column].into_iter().chain(record.row.iter().map(|(name, _)| name)).map(String::as_str).collect();
    if let Some(missing) = columns.iter().find(|name| table.column(name).is_none()) {
        return Ok(Some(format!("`{}` has no column `{missing}`, in which the version should stand", record.table)));
    }
    let mut said = Vec::new();
    reader.each_row(&record.table, &columns, None, &mut |cells| {
        let is_it = record.row.iter().zip(&cells[1..]).all(|((_, value), cell)| cell.text().as_ref() == Some(value));
        if is_it {
            said.extend(cells[0].text());
        }
    })?;
    let name = match standing.name_in(record) {
        Named::Is(name) => Some(name),
        Named::Nothing => None,
        Named::Unknown => return Ok(None),
    };
    if said.iter().map(String::as_str).eq(name) {
        return Ok(None);
    }
    let place = format!("`{}.{}`", record.table, record.column);
    let says = if said.is_empty() { "says nothing".to_owned() } else { format!("says `{}`", said.join("`, `")) };
    let is = name.map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
    Ok(Some(format!(
        "{place} {says}, and by the applied migrations it is {is}: the tables decide, and the next change writes it"
    )))
}
