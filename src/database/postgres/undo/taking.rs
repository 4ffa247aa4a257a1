//! Doing what is to become of an undone run's rows, in sets.

use super::super::connect::Session;
use super::super::place::Tried;
use super::super::{catalog, rejection, sql};
use super::listing::{keys, same_row};
use crate::database::undo::Obstacle;
use crate::database::undo::engine::{Fate, Listed};
use crate::error::Result;
use postgres::error::SqlState;
use std::collections::{BTreeSet, HashMap};

/// Tables in the order in which their rows can be removed: each behind those that reference it. Those that reference each
/// other in a circle are one group.
pub(super) fn groups(mut left: Vec<Listed<'_>>) -> Vec<Vec<Listed<'_>>> {
    let mut groups = Vec::new();
    while !left.is_empty() {
        // Of all that reference a table, by others too, the fewest: nothing outside of them references any of them.
        let closed = left.iter().map(|one| referring(one.table.name.as_str(), &left));
        let Some(closed) = closed.min_by_key(BTreeSet::len) else { break };
        let closed: BTreeSet<String> = closed.into_iter().map(str::to_owned).collect();
        let (group, rest) = left.into_iter().partition(|one| closed.contains(&one.table.name));
        groups.push(group);
        left = rest;
    }
    groups
}

/// A table and those that reference it, or one of those.
fn referring<'t>(table: &'t str, among: &[Listed<'t>]) -> BTreeSet<&'t str> {
    let (mut all, mut next) = (BTreeSet::from([table]), vec![table]);
    while let Some(parent) = next.pop() {
        for child in among {
            let name = child.table.name.as_str();
            if child.table.foreign_keys.iter().any(|key| key.table == parent) && all.insert(name) {
                next.push(name);
            }
        }
    }
    all
}

/// Does what is noted for the rows of a group, and tells how many are done. The rows of several tables are removed by one
/// statement, at whose end the server judges references.
pub(super) fn take(session: &Session, group: &[Fate<'_>], done: &dyn Fn(u64) -> Result<()>) -> Tried<Option<Obstacle>> {
    let (removed, emptied): (Vec<&Fate<'_>>, Vec<&Fate<'_>>) = group.iter().partition(|fate| fate.removes());
    let steps = emptied.into_iter().map(|fate| vec![fate]).chain([removed]).filter(|step| !step.is_empty());
    for step in steps {
        session.run("SAVEPOINT taking")?;
        let types = types(session, &step)?;
        let text = statement(&step, &types, &|fate| {
            format!("(SELECT DISTINCT s.row_key, {} FROM {})", keys(fate.listed.table, "s"), fate.noted())
        });
        let rows = match session.try_execute(&text, &[]) {
            Ok(rows) => rows,
            Err(error) if rejection::is_about_rows(&error) => {
                session.run("ROLLBACK TO taking")?;
                return refused(session, &step, &error).map(Some);
            }
            Err(error) => return Err(error.into()),
        };
        let all = step.iter().map(|fate| fate.rows).sum();
        // Those of a circle are removed by several statements in one, of which the server counts one.
        if (step.len() > 1 || rows != all)
            && let Some(kept) = kept(session, &step)?
        {
            session.run("ROLLBACK TO taking")?;
            return Ok(Some(kept));
        }
        session.run("RELEASE taking")?;
        done(all)?;
    }
    Ok(None)
}

/// The types of columns that get earlier values, by name.
type Types = HashMap<String, String>;

/// Those of a step, which has such columns only where it is of one table.
fn types(session: &Session, step: &[&Fate<'_>]) -> Tried<Types> {
    match step {
        [fate] if fate.of_run.is_some() => catalog::cast_types(session, &fate.listed.table.name),
        _ => Ok(Types::new()),
    }
}

/// One statement for all; `rows` gives the query for the keys of the rows.
fn statement(step: &[&Fate<'_>], types: &Types, rows: &dyn Fn(&Fate<'_>) -> String) -> String {
    let one = |fate: &Fate<'_>| {
        let (table, rows) = (fate.listed.table, rows(fate));
        let (name, same) = (sql::name(&table.name), same_row(table, "t", "s"));
        if fate.removes() {
            return format!("DELETE FROM {name} t USING {rows} s WHERE {same}");
        }
        let value = |column: &String| match (fate.of_run, types.get(column)) {
            (Some(_), Some(kind)) => format!("{}::{kind}", fate.earlier(column, "s.row_key")),
            _ => "NULL".to_owned(),
        };
        let sets: Vec<String> = fate.columns.iter().map(|one| format!("{} = {}", sql::name(one), value(one))).collect();
        format!("UPDATE {name} t SET {} FROM {rows} s WHERE {same}", sets.join(", "))
    };
    match step {
        [fate] => one(fate),
        [before @ .., last] => {
            let before = before.iter().enumerate().map(|(at, fate)| format!("step{at} AS ({})", one(fate)));
            format!("WITH {} {}", before.collect::<Vec<_>>().join(", "), one(last))
        }
        [] => String::new(),
    }
}

/// The first row that is there still, or has something in the columns that were emptied: a trigger kept it in silence.
fn kept(session: &Session, step: &[&Fate<'_>]) -> Tried<Option<Obstacle>> {
    for fate in step {
        let table = fate.listed.table;
        let some: Vec<String> = fate
            .columns
            .iter()
            .map(|column| {
                let (name, earlier) = (sql::name(column), fate.earlier(column, "s.row_key"));
                match fate.of_run {
                    Some(_) => format!("t.{name}::text IS DISTINCT FROM {earlier}"),
                    None => format!("t.{name} IS NOT NULL"),
                }
            })
            .collect();
        let some = if some.is_empty() { "true".to_owned() } else { some.join(" OR ") };
        let text = format!(
            "SELECT s.row_key FROM (SELECT * FROM {}) s JOIN {} t ON {} WHERE {some} ORDER BY s.row_key COLLATE \"C\" LIMIT 1",
            fate.noted(),
            sql::name(&table.name),
            same_row(table, "t", "s")
        );
        if let Some(row) = session.first(&text, &[])? {
            return Ok(Some(Obstacle::Forbidden { table: table.name.clone(), key: row.get(0) }));
        }
    }
    Ok(None)
}

/// Which row the server refuses, where it can be found: the last of the fewest rows, in the order of their keys, that it
/// refuses together.
fn refused(session: &Session, step: &[&Fate<'_>], why: &postgres::Error) -> Tried<Obstacle> {
    for fate in step {
        session.run(&format!(
            "DROP TABLE IF EXISTS treelift_placed; CREATE TEMP TABLE treelift_placed ON COMMIT DROP AS
                 SELECT DISTINCT s.row_key, {}, dense_rank() OVER (ORDER BY s.row_key COLLATE \"C\") AS place FROM {}",
            keys(fate.listed.table, "s"),
            fate.noted()
        ))?;
        let (mut few, mut many) = (0, fate.rows);
        if !refuses(session, fate, many, why)? {
            continue; // it is another table's
        }
        while many - few > 1 {
            let half = few + (many - few) / 2;
            if refuses(session, fate, half, why)? { many = half } else { few = half }
        }
        let text = format!("SELECT row_key FROM treelift_placed WHERE place = {many}");
        if let Some(row) = session.first(&text, &[])? {
            return Ok(Obstacle::Forbidden { table: fate.listed.table.name.clone(), key: row.get(0) });
        }
    }
    Ok(Obstacle::Refused { why: session.place.words_of(why) })
}

/// Whether the server refuses so many of the placed rows for the same reason. Nothing is done. Where the rows reference
/// each other, it refuses a part of them for another one.
fn refuses(session: &Session, fate: &Fate<'_>, rows: u64, why: &postgres::Error) -> Tried<bool> {
    session.run("SAVEPOINT few")?;
    let placed = format!("(SELECT * FROM treelift_placed WHERE place <= {rows})");
    let tried = session.try_run(&statement(&[fate], &types(session, &[fate])?, &|_| placed.clone()));
    session.run("ROLLBACK TO few; RELEASE few")?;
    match tried {
        Ok(()) => Ok(false),
        Err(error) if rejection::is_about_rows(&error) => {
            let is_reference = |error: &postgres::Error| error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION);
            Ok(!is_reference(&error) || is_reference(why))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{ForeignKey, Table};

    #[test]
    fn tables_come_behind_those_that_reference_them_and_circles_are_one_group() {
        let table = |name: &str, parents: &[&str]| {
            let key = |parent: &&str| ForeignKey { table: (*parent).to_owned(), ..ForeignKey::default() };
            Table { name: name.to_owned(), foreign_keys: parents.iter().map(key).collect(), ..Table::default() }
        };
        let named = |tables: &[Table]| {
            let listed = (0..).zip(tables).map(|(number, table)| Listed { number, table }).collect();
            let groups = groups(listed).into_iter();
            groups
                .map(|group| group.iter().map(|one| one.table.name.clone()).collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            named(&[table("people", &[]), table("notes", &["people", "notes"]), table("tags", &[])]),
            ["notes", "people", "tags"]
        );
        assert_eq!(
            named(&[
                table("a", &["b", "x"]),
                table("x", &[]),
                table("b", &["a"]),
                table("c", &["a"]),
                table("d", &["gone"])
            ]),
            ["c", "d", "a b", "x"]
        );
        assert_eq!(named(&[]), [] as [&str; 0]);
    }
}
