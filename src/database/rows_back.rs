//! Makes the rows of tables those of a backup again, in a transaction that an engine has open. What is the same stays as it is:
//! a row is added, changed or removed, so that no other table loses rows that reference it.

use super::ddl::name;
use crate::error::Error;
use crate::report::words::count;
use crate::table::{ForeignKey, Schema, Table};
use std::collections::BTreeMap;

/// What became of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TableBack {
    /// The table.
    pub table: String,
    /// Rows that were missing.
    pub added: u64,
    /// Rows of the same key that held something else.
    pub changed: u64,
    /// Rows that the backup does not have.
    pub removed: u64,
}

impl TableBack {
    /// Whether it has other rows now.
    pub fn is_change(&self) -> bool {
        self.added + self.changed + self.removed > 0
    }
}

/// Columns with their types as they are declared, in order.
pub(super) type Declared = Vec<(String, String)>;

/// What an engine does for it. The live row is called `t` in its SQL, that of the backup `k`.
pub(super) trait Putting {
    /// A fault of the database, or one that is in words.
    type Fault: From<Error>;
    /// What an INSERT says so that columns which the database counts are given.
    const GIVEN: &'static str;
    /// The database as the user wrote it.
    fn place(&self) -> &str;
    /// The tables as they are.
    fn live(&self) -> Result<Schema, Self::Fault>;
    /// Reads the table of the backup: what it is called in SQL, and its columns with their types.
    fn keep(&mut self, table: &Table) -> Result<(String, Declared), Self::Fault>;
    /// Columns that no statement may change.
    fn fixed(&self, table: &Table) -> Result<Vec<String>, Self::Fault>;
    /// A condition: that the column holds something else in `t` than in `k`.
    fn differs(&self, column: &str) -> String;
    /// Runs a statement: how many rows it was about.
    fn run(&mut self, sql: &str) -> Result<u64, Self::Fault>;
    /// The one number that a query gives.
    fn number(&mut self, sql: &str) -> Result<u64, Self::Fault>;
    /// What is left to do once all rows of a table are there.
    fn finish(&mut self, table: &Table) -> Result<(), Self::Fault>;
}

/// A table and its twin of the backup.
struct Pair {
    table: Table,
    kept: String,
    /// Columns that no statement may change.
    fixed: Vec<String>,
    back: TableBack,
}

/// Does it for these tables, of which the backup has so many rows.
pub(super) fn put_back<E: Putting>(engine: &mut E, wanted: &BTreeMap<String, u64>) -> Result<Vec<TableBack>, E::Fault> {
    let live = engine.live()?;
    if let Some(missing) = wanted.keys().find(|name| live.table(name).is_none()) {
        return Err(refused(engine, format!("there is no table `{missing}` any more"), "restore the whole backup"));
    }
    let mut pairs = Vec::new();
    for table in live.parents_first().into_iter().filter(|table| wanted.contains_key(&table.name)) {
        pairs.push(pair(engine, table, wanted[&table.name])?);
    }
    // Children before their parents, then the other way round. What a row references may be changed in between, and a value that
    // must be unique may be needed by then: so what nobody references goes first, and the others last.
    for pair in pairs.iter_mut().rev() {
        pair.back.removed = engine.run(&pair.removes(&pair.nobody_references(&live)))?;
    }
    for pair in &mut pairs {
        refuse_renamed(engine, pair, &live, wanted)?;
        pair.back.changed = match pair.changes(engine) {
            Some(sql) => engine.run(&sql)?,
            None => 0,
        };
        pair.back.added = engine.run(&pair.adds(E::GIVEN))?;
        engine.finish(&pair.table)?;
    }
    for pair in pairs.iter_mut().rev() {
        refuse_referenced(engine, pair, &live)?;
        pair.back.removed += engine.run(&pair.removes(""))?;
    }
    for pair in &pairs {
        prove(engine, pair)?;
    }
    let mut backs: Vec<TableBack> = pairs.into_iter().map(|pair| pair.back).collect();
    backs.sort_by(|one, other| one.table.cmp(&other.table));
    Ok(backs)
}

fn pair<E: Putting>(engine: &mut E, table: &Table, rows: u64) -> Result<Pair, E::Fault> {
    let own = &table.name;
    if table.primary_key().is_empty() {
        return Err(refused(
            engine,
            format!("`{own}` has no primary key that tells its rows apart"),
            "restore the whole backup",
        ));
    }
    let (kept, columns) = engine.keep(table)?;
    let computed = |name: &String| table.computed.contains(name);
    let own_columns = table.columns.iter().filter(|column| !computed(&column.name));
    let own_columns = own_columns.map(|column| (&column.name, column.declared.to_ascii_uppercase()));
    let kept_columns =
        columns.iter().filter(|(name, _)| !computed(name)).map(|(name, kind)| (name, kind.to_ascii_uppercase()));
    if !own_columns.eq(kept_columns) {
        let message = format!("`{own}` has other columns than in the backup");
        return Err(refused(
            engine,
            message,
            "restore the whole backup, or take a backup of the same version of the schema",
        ));
    }
    let found = engine.number(&format!("SELECT count(*) FROM {kept} k"))?;
    if found != rows {
        let message = format!("the backup has {} of `{own}`, and its manifest says {rows}", count(found, "row"));
        return Err(refused(engine, message, "take another backup"));
    }
    let back = TableBack { table: own.clone(), added: 0, changed: 0, removed: 0 };
    Ok(Pair { fixed: engine.fixed(table)?, table: table.clone(), kept, back })
}

/// Refuses to change what rows of tables that are left alone reference: they would be changed with it, or dangle.
fn refuse_renamed<E: Putting>(
    engine: &mut E,
    pair: &Pair,
    live: &Schema,
    wanted: &BTreeMap<String, u64>,
) -> Result<(), E::Fault> {
    let (own, primary) = (&pair.table.name, pair.table.primary_key());
    for (child, key) in live.references_to(own).filter(|(child, _)| !wanted.contains_key(&child.name)) {
        let differs: Vec<String> =
            key.to.iter().filter(|to| !primary.contains(&to.as_str())).map(|to| engine.differs(to)).collect();
        if differs.is_empty() {
            continue; // what has the same key has the same of all that is referenced
        }
        let rows = engine.number(&format!(
            "SELECT count(*) FROM {} c JOIN {} t ON {} JOIN {} k ON {} WHERE {}",
            name(&child.name),
            name(own),
            pair.meets(key),
            pair.kept,
            pair.same_key("k", "t"),
            differs.join(" OR ")
        ))?;
        if rows > 0 {
            let (rows, columns) = (count(rows, "row"), key.columns.join(", "));
            let message =
                format!("{rows} of `{}` reference `{own}` ({columns}) by values that would change", child.name);
            return Err(refused_alone(engine, own, child, message));
        }
    }
    Ok(())
}

/// Makes sure that the rows are those of the backup.
fn prove<E: Putting>(engine: &mut E, pair: &Pair) -> Result<(), E::Fault> {
    let (own, same) = (name(&pair.table.name), pair.same_key("k", "t"));
    let differs: Vec<String> = pair.columns().into_iter().map(|column| engine.differs(column)).collect();
    let mut wrong = engine.number(&format!("SELECT count(*) FROM {own} t WHERE {}", pair.is_not_kept("t")))?;
    wrong += engine.number(&format!(
        "SELECT count(*) FROM {} k WHERE NOT EXISTS (SELECT 1 FROM {own} t WHERE {same} AND NOT ({}))",
        pair.kept,
        differs.join(" OR ")
    ))?;
    if wrong == 0 {
        return Ok(());
    }
    let own = &pair.table.name;
    let message = format!("{} of `{own}` would not be those of the backup", count(wrong, "row"));
    let hint = "a trigger changes them, their key holds NULL or is the same in another case, or the database counts a column \
                that differs; nothing was changed; restore the whole backup";
    Err(refused(engine, message, hint))
}

/// Refuses to remove what other rows reference.
fn refuse_referenced<E: Putting>(engine: &mut E, pair: &Pair, live: &Schema) -> Result<(), E::Fault> {
    let own = &pair.table.name;
    for (child, key) in live.references_to(own) {
        let rows = engine.number(&pair.referencing(child, key))?;
        if rows > 0 {
            let (rows, columns) = (count(rows, "row"), key.columns.join(", "));
            let message = format!("{rows} of `{}` would reference missing rows of `{own}` ({columns})", child.name);
            return Err(refused_alone(engine, own, child, message));
        }
    }
    Ok(())
}

/// A table that is not restored without one that references it.
fn refused_alone<E: Putting>(engine: &E, own: &str, child: &Table, message: String) -> E::Fault {
    let hint = format!("restore both: `--table {own} --table {}`; nothing was changed", child.name);
    refused(engine, message, &hint)
}

fn refused<E: Putting>(engine: &E, message: String, hint: &str) -> E::Fault {
    Error::environment(message).at(engine.place()).hint(hint).into()
}

impl Pair {
    /// That two rows have the same key.
    fn same_key(&self, one: &str, other: &str) -> String {
        let parts = self.table.primary_key().into_iter().map(|part| format!("{one}.{0} = {other}.{0}", name(part)));
        parts.collect::<Vec<_>>().join(" AND ")
    }

    /// That the backup has no row of the key of this one.
    fn is_not_kept(&self, row: &str) -> String {
        format!("NOT EXISTS (SELECT 1 FROM {} k WHERE {})", self.kept, self.same_key("k", row))
    }

    fn removes(&self, and: &str) -> String {
        format!("DELETE FROM {} AS t WHERE {}{and}", name(&self.table.name), self.is_not_kept("t"))
    }

    /// That no row of any table references this one.
    fn nobody_references(&self, live: &Schema) -> String {
        let mut tests = String::new();
        for (child, key) in live.references_to(&self.table.name) {
            let (child, meets) = (name(&child.name), self.meets(key));
            tests += &format!(" AND NOT EXISTS (SELECT 1 FROM {child} c WHERE {meets})");
        }
        tests
    }

    /// That a row of a child references this one.
    fn meets(&self, key: &ForeignKey) -> String {
        let own = || self.table.primary_key();
        let to = if key.to.is_empty() { own() } else { key.to.iter().map(String::as_str).collect() };
        let meets = key.columns.iter().zip(to).map(|(from, to)| format!("c.{} = t.{}", name(from), name(to)));
        meets.collect::<Vec<_>>().join(" AND ")
    }

    /// None where the table has nothing but its key.
    fn changes<E: Putting>(&self, engine: &E) -> Option<String> {
        let key = self.table.primary_key();
        let is_fixed = |column: &str| self.fixed.iter().any(|fixed| fixed == column);
        let others = self.columns().into_iter().filter(|column| !key.contains(column) && !is_fixed(column));
        let others: Vec<&str> = others.collect();
        let set: Vec<String> = others.iter().map(|column| format!("{0} = k.{0}", name(column))).collect();
        let differs: Vec<String> = others.iter().map(|column| engine.differs(column)).collect();
        (!others.is_empty()).then(|| {
            format!(
                "UPDATE {} AS t SET {} FROM {} AS k WHERE {} AND ({})",
                name(&self.table.name),
                set.join(", "),
                self.kept,
                self.same_key("k", "t"),
                differs.join(" OR ")
            )
        })
    }

    fn adds(&self, given: &str) -> String {
        let table = name(&self.table.name);
        let columns: Vec<String> = self.columns().into_iter().map(name).collect();
        let columns = columns.join(", ");
        format!(
            "INSERT INTO {table} ({columns}){given} SELECT {columns} FROM {} AS k
             WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE {})",
            self.kept,
            self.same_key("k", "t")
        )
    }

    /// How many rows of a child reference one that goes, and stay themselves.
    fn referencing(&self, child: &Table, key: &ForeignKey) -> String {
        let meets = self.meets(key);
        let stays =
            if child.name == self.table.name { format!(" AND NOT ({})", self.is_not_kept("c")) } else { String::new() };
        format!(
            "SELECT count(*) FROM {} c WHERE EXISTS (SELECT 1 FROM {} t WHERE {meets} AND {}){stays}",
            name(&child.name),
            name(&self.table.name),
            self.is_not_kept("t")
        )
    }

    /// Those that are written: the database computes the others.
    fn columns(&self) -> Vec<&str> {
        let names = self.table.columns.iter().map(|column| column.name.as_str());
        names.filter(|column| !self.table.computed.iter().any(|computed| computed == column)).collect()
    }
}
