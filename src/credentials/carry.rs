//! Sealed values while the schema changes. A value is bound to its table, its column and the key of its row: one that has
//! another place behind the change is found again by its own text, which no other value has, and sealed for that place.

use super::cells::{open, place, placed_of};
use super::columns::{ColumnName, looks_handed_over, named, of_set};
use super::keyring::Keyring;
use super::problem::Problem;
use super::written::Written;
use crate::config::{SecretNeed, Ui};
use crate::database::cells::{FERNET, Registered, Stored};
use crate::database::history::Standing;
use crate::database::order::{Around, Looking};
use crate::database::sealing::Sealing;
use crate::database::{Cell, Database, SealedColumn};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::mapping::model::Set;
use crate::report::words::count;
use crate::secret::cipher::{FORMAT, is_ours, key_id_of, token_in};
use crate::secret::keys::KeyRow;
use crate::table::Table;
use secrecy::ExposeSecret;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Which way the schema goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Migrations are applied.
    Up,
    /// Migrations are rolled back: a column that they made goes with what it holds.
    Back,
}

/// What is done about values that have another place behind the change.
enum Means {
    /// They are counted: nothing will be committed.
    Count,
    /// They are refused.
    Refuse,
    /// They are sealed again.
    Seal(Box<RefCell<Keyring>>, Vec<KeyRow>),
}

/// Carries sealed values through a change of the schema.
pub struct Carry {
    of_set: Vec<SealedColumn>,
    way: Way,
    means: Means,
    before: RefCell<Before>,
}

/// What there is before the change.
#[derive(Default)]
struct Before {
    registered: Vec<Registered>,
    /// The place of each sealed text: the position of its column, and the key of its row.
    tokens: HashMap<String, (usize, Vec<String>)>,
    /// The other columns in which the same text stands, as a table that somebody copied has it.
    copies: HashMap<String, Vec<(String, String)>>,
    counts: BTreeMap<String, u64>,
    /// How many values have another place behind the change.
    moved: u64,
}

/// A sealed text behind the change.
struct Landed {
    token: String,
    /// What it was sealed for.
    from: (usize, Vec<String>),
    key: Vec<Cell>,
    texts: Vec<String>,
}

impl std::fmt::Debug for Carry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Carry({:?})", self.way)
    }
}

impl Carry {
    /// One that counts, in a rehearsal.
    pub fn counting(set: &Set, way: Way) -> Self {
        Self { of_set: of_set(set), way, means: Means::Count, before: RefCell::default() }
    }

    /// How many values have another place behind the change that it looked on.
    pub fn moved(&self) -> u64 {
        self.before.borrow().moved
    }

    /// Whether every value has been sealed for the place that it has behind the change that it looked on.
    pub fn is_whole(&self) -> bool {
        !matches!(self.means, Means::Count) || self.moved() == 0
    }

    /// The one for the change that it counted for: it seals values again, for which it asks for the passphrase or key, where
    /// there were any.
    ///
    /// # Errors
    /// When the secret is not given, or does not open the keys.
    pub fn prepared(self, database: &dyn Database, ui: &dyn Ui) -> Result<Self> {
        let moved = self.moved();
        if moved == 0 {
            return Ok(Self { means: Means::Refuse, before: RefCell::default(), ..self });
        }
        let values = count(moved, "sealed value");
        ui.say(&format!("{values} will have another table, column or key, and must be sealed for it"));
        let record = database.seal_record()?;
        let secret = ui.secret(SecretNeed::Open)?.ok_or_else(|| {
            Error::request(format!("{values} must be sealed again, and no passphrase or key was given"))
        })?;
        let ring = Keyring::open_all(&record.registry.keys, &secret)?;
        ring.check(&record)?;
        let means = Means::Seal(Box::new(RefCell::new(ring)), record.registry.keys);
        Ok(Self { means, before: RefCell::default(), ..self })
    }
}

impl Around for Carry {
    fn before(&self, database: &mut dyn Looking, _standing: &Standing) -> Result<()> {
        let counts = database.counts()?;
        let tables = database.tables()?;
        let cells = database.sealing();
        let registered = cells.registered()?;
        if let Means::Seal(ring, rows) = &self.means {
            let record = cells.seal_record()?;
            if record.registry.keys != *rows {
                return Err(Error::environment("another program changed the keys in the meantime").hint("run again"));
            }
            ring.borrow().check(&record)?;
        }
        let mut tokens = HashMap::new();
        for (at, one) in registered.iter().enumerate().filter(|(_, one)| is_there(&one.column, &tables)) {
            for cell in placed_of(cells.cells(&one.column)?, &one.column).0 {
                if let Stored::Text(text) = &cell.value
                    && is_sealed(text.expose_secret(), &one.format)
                {
                    tokens.entry(text.expose_secret().to_owned()).or_insert((at, cell.texts));
                }
            }
        }
        let mut before = Before { registered, tokens, counts, ..Before::default() };
        if !before.tokens.is_empty() {
            before.copies = before.copied(&*cells, &tables)?;
        }
        drop(cells);
        self.before.replace(before);
        Ok(())
    }

    fn after(&self, database: &mut dyn Looking, _standing: &Standing) -> Result<()> {
        let before = &mut *self.before.borrow_mut();
        if before.tokens.is_empty() {
            return Ok(());
        }
        let counts = database.counts()?;
        let tables = database.tables()?;
        let mut cells = database.sealing();
        let mut places = before.found(&*cells, &tables)?;
        // What somebody copied before is no value of ours, and stays where it is.
        for (token, copies) in &before.copies {
            let Some(places) = places.get_mut(token.as_str()) else { continue }; // it is told as lost
            for copy in copies {
                if places.len() > 1
                    && let Some(at) = places.iter().position(|place| place == copy)
                {
                    places.remove(at);
                }
            }
        }
        before.refuse_lost_and_doubled(&places, &counts, (self.way, &*cells, &tables))?;
        let landed = self.landed(before, &*cells, &tables, &places)?;
        before.moved = landed.values().map(|cells| cells.len() as u64).sum();
        match &self.means {
            _ if landed.is_empty() => Ok(()),
            Means::Count => Ok(()),
            Means::Refuse => Err(Error::environment(
                "sealed values would have another table, column or key, and were written since the change was rehearsed",
            )
            .hint("nothing was changed; run again")),
            Means::Seal(ring, rows) => seal(&mut *cells, &mut ring.borrow_mut(), rows, before, &landed, &tables),
        }
    }
}

impl Before {
    /// In which columns each sealed text stands, by table and column; as often as it does.
    fn found(&self, cells: &dyn Sealing, tables: &[Table]) -> Result<HashMap<&str, Vec<(String, String)>>> {
        let columns: BTreeSet<(&str, &str)> = tables
            .iter()
            .flat_map(|table| table.columns.iter().map(|column| (table.name.as_str(), column.name.as_str())))
            .collect();
        let mut found: HashMap<&str, Vec<(String, String)>> = HashMap::new();
        cells.every_text(&mut |table, column, bytes| {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            // What an index keeps is no cell.
            if columns.contains(&(table, column))
                && let Some((token, _)) = self.tokens.get_key_value(&*token_in(text))
            {
                found.entry(token).or_default().push((table.to_owned(), column.to_owned()));
            }
        })?;
        Ok(found)
    }

    /// Where each sealed text stands besides its own column.
    fn copied(&self, cells: &dyn Sealing, tables: &[Table]) -> Result<HashMap<String, Vec<(String, String)>>> {
        let found = self.found(cells, tables)?.into_iter().filter(|(_, places)| places.len() > 1);
        let others = |(token, mut places): (&str, Vec<(String, String)>)| {
            let column = &self.registered[self.tokens[token].0].column;
            if let Some(own) = places.iter().position(|place| is_of(place, column)) {
                places.remove(own);
            }
            (token.to_owned(), places)
        };
        Ok(found.map(others).collect())
    }

    fn refuse_lost_and_doubled(
        &self,
        places: &HashMap<&str, Vec<(String, String)>>,
        counts: &BTreeMap<String, u64>,
        (way, cells, tables): (Way, &dyn Sealing, &[Table]),
    ) -> Result<()> {
        let mut errors = Vec::new();
        for (at, Registered { column, .. }) in self.registered.iter().enumerate() {
            let of_it = || self.tokens.iter().filter(|(_, (of, _))| *of == at);
            let doubled =
                of_it().filter(|(token, _)| places.get(token.as_str()).is_some_and(|places| places.len() > 1));
            if let Some((first, key)) = first_of(doubled) {
                let (table, name) =
                    &places[first].iter().find(|place| !is_of(place, column)).unwrap_or(&places[first][0]);
                errors.push(wrong(column, key, &format!("a sealed value would stand in `{table}.{name}` as well")));
            }
            let lost: Vec<_> = of_it().filter(|(token, _)| !places.contains_key(token.as_str())).collect();
            let (had, has) = (self.counts.get(&column.table), counts.get(&column.table));
            let deleted = had.copied().unwrap_or(0).saturating_sub(has.copied().unwrap_or(0));
            let is_elsewhere = of_it().any(|(token, _)| {
                places.get(token.as_str()).is_some_and(|places| !places.iter().any(|place| is_of(place, column)))
            });
            if lost.is_empty() {
                continue; // all of them are somewhere
            }
            // Rows that go, and a column that a rollback takes back, are told as losses before it is asked.
            let is_told = if is_elsewhere {
                false
            } else if is_there(column, tables) {
                let left: BTreeSet<Vec<String>> =
                    placed_of(cells.cells(column)?, column).0.into_iter().map(|one| one.texts).collect();
                deleted >= lost.len() as u64 && !lost.iter().any(|(_, (_, key))| left.contains(key))
            } else {
                deleted >= lost.len() as u64 || (way == Way::Back && !has_column(column, tables))
            };
            if let Some((_, key)) = first_of(lost.iter().copied()).filter(|_| !is_told) {
                let values = count(lost.len() as u64, "sealed value");
                errors.push(wrong(column, key, &format!("{values} would be lost")));
            }
        }
        Error::all(errors).map_or(Ok(()), Err)
    }
}

/// The first by key, for a message that is the same every time.
fn first_of<'t>(
    tokens: impl Iterator<Item = (&'t String, &'t (usize, Vec<String>))>,
) -> Option<(&'t str, &'t [String])> {
    tokens.min_by(|one, other| one.1.1.cmp(&other.1.1)).map(|(token, (_, key))| (token.as_str(), key.as_slice()))
}

fn wrong(column: &SealedColumn, key: &[String], why: &str) -> Error {
    Error::environment(format!("{why}; nothing was changed"))
        .at(format!("{}.{}, row {}", column.table, column.column, key.join(" / ")))
        .hint("fix the migration so that every sealed value stands in one place behind it, or set it to NULL before")
}

fn is_of((table, name): &(String, String), column: &SealedColumn) -> bool {
    *table == column.table && *name == column.column
}

/// Whether a text is sealed in a format, as far as that shows.
fn is_sealed(text: &str, format: &str) -> bool {
    if is_ours(format) { key_id_of(text).is_some() } else { looks_handed_over(text) }
}

fn has_column(column: &SealedColumn, tables: &[Table]) -> bool {
    tables.iter().any(|table| table.name == column.table && table.column(&column.column).is_some())
}

fn is_there(column: &SealedColumn, tables: &[Table]) -> bool {
    let Some(table) = tables.iter().find(|table| table.name == column.table) else { return false };
    let filtered = column.row_filter.iter().flatten().map(|(name, _)| name);
    let mut needed = column.key_columns.iter().chain(filtered).chain([&column.column]);
    needed.all(|name| table.column(name).is_some() || table.computed.contains(name))
}

impl Carry {
    /// The sealed texts that have another place, by the column in which they stand, with the key that they get there.
    fn landed(
        &self,
        before: &Before,
        cells: &dyn Sealing,
        tables: &[Table],
        places: &HashMap<&str, Vec<(String, String)>>,
    ) -> Result<BTreeMap<SealedColumn, Vec<Landed>>> {
        let mut columns: BTreeMap<SealedColumn, BTreeSet<&str>> = BTreeMap::new();
        for (token, places) in places {
            let Registered { column, .. } = &before.registered[before.tokens[*token].0];
            let [(table, name)] = places.as_slice() else { continue }; // refused before
            columns.entry(self.place_of(column, (table, name), tables)?).or_default().insert(token);
        }
        let mut landed = BTreeMap::new();
        for (column, wanted) in columns {
            let mut left = wanted.len();
            let (placed, problems) = placed_of(cells.cells(&column)?, &column);
            for one in placed {
                let Stored::Text(text) = &one.value else { continue }; // no sealed text
                let Some(token) = wanted.get(text.expose_secret()) else { continue }; // none that was there before
                left -= 1;
                let from = before.tokens[*token].clone();
                if before.registered[from.0].column != column || from.1 != one.texts {
                    let one = Landed { token: (*token).to_owned(), from, key: one.key, texts: one.texts };
                    landed.entry(column.clone()).or_insert_with(Vec::new).push(one);
                }
            }
            if left > 0 {
                let problem = problems.into_iter().next();
                let error = problem.map_or_else(
                    || Error::environment(format!("a sealed value of {column} has no key to be sealed for")),
                    Problem::into_error,
                );
                return Err(error);
            }
        }
        Ok(landed)
    }

    /// The column with the key by which its rows are identified: as the set has it, as it was, or a unique one.
    fn place_of(&self, was: &SealedColumn, (table, column): (&str, &str), tables: &[Table]) -> Result<SealedColumn> {
        let filter = was.row_filter.as_ref();
        let as_it_was = SealedColumn { table: table.to_owned(), column: column.to_owned(), ..was.clone() };
        let by_set = || self.of_set.iter().find(|one| one.table == table && one.column == column);
        let same = [Some(&as_it_was), by_set()].into_iter().flatten();
        // A key that the set gives its rows is the one that an import will look for.
        let same: Vec<&SealedColumn> = if self.way == Way::Up { same.rev().collect() } else { same.collect() };
        let bare = |one: &SealedColumn| SealedColumn { row_filter: None, ..one.clone() };
        let mut key = same.iter().map(|one| bare(one)).find(|one| is_there(one, tables) && is_unique(one, tables));
        if key.is_none() {
            let name = ColumnName { table: table.to_owned(), column: column.to_owned() };
            let primary = tables.iter().find(|one| one.name == table).map(Table::primary_key).unwrap_or_default();
            let primary: Vec<String> = primary.into_iter().map(str::to_owned).collect();
            key = Some(
                named(tables, &name, &[])
                    .or_else(|error| if primary.is_empty() { Err(error) } else { named(tables, &name, &primary) })?,
            );
        }
        let mut place = key.unwrap_or(as_it_was);
        let has_filter = |filter: &&BTreeMap<String, String>| {
            is_there(&SealedColumn { row_filter: Some((*filter).clone()), ..place.clone() }, tables)
        };
        place.row_filter = filter.filter(has_filter).cloned();
        Ok(place)
    }
}

/// Whether the database sees to it that the key is one row's.
fn is_unique(column: &SealedColumn, tables: &[Table]) -> bool {
    let Some(table) = tables.iter().find(|table| table.name == column.table) else { return false };
    let is_part = |list: &&Vec<String>| list.iter().all(|name| column.key_columns.contains(name));
    table.unique.iter().any(|list| is_part(&list)) || table.unique.is_empty()
}

/// Seals the values for their places, registers those, proves it, and opens all of them again.
fn seal(
    cells: &mut dyn Sealing,
    ring: &mut Keyring,
    rows: &[KeyRow],
    before: &Before,
    landed: &BTreeMap<SealedColumn, Vec<Landed>>,
    tables: &[Table],
) -> Result<()> {
    let mut written = Written::new(false)?;
    for (column, values) in landed {
        for value in values {
            interrupt::check()?;
            let Registered { column: was, format } = &before.registered[value.from.0];
            if !is_ours(format) {
                continue; // the application's own form is bound to no place
            }
            let text = open(ring, was, &value.from.1, &value.token).map_err(Problem::into_error)?;
            let token = ring.active().seal(&place(column, &value.texts), &text)?;
            cells.write_cell(column, &value.key, &token)?;
            written.add(column, value.texts.clone(), &text);
        }
    }
    let moved: BTreeSet<usize> = landed.values().flatten().map(|value| value.from.0).collect();
    let stays: BTreeSet<usize> = {
        let gone: BTreeSet<&str> = landed.values().flatten().map(|value| value.token.as_str()).collect();
        let left = before.tokens.iter().filter(|(token, _)| !gone.contains(token.as_str()));
        left.map(|(_, (at, _))| *at).collect()
    };
    for (at, one) in before.registered.iter().enumerate() {
        if !is_there(&one.column, tables) || (moved.contains(&at) && !stays.contains(&at)) {
            cells.unregister(&one.column)?;
        }
    }
    for (column, values) in landed {
        let is_ours = values.iter().any(|value| is_ours(&before.registered[value.from.0].format));
        let format = if is_ours { FORMAT } else { FERNET }.to_owned();
        cells.unregister(column)?;
        cells.register(&Registered { column: column.clone(), format })?;
    }
    let active = rows.iter().find(|row| row.id == ring.active().key_id());
    if let Some(row) = active {
        cells.put_key(&KeyRow { seal_count: ring.active().sealed_count(), ..row.clone() })?;
    }
    let (counts, hmac) = cells.seal_record()?.proof(ring.active().data_key())?;
    cells.put_proof(&counts, &hmac)?;
    ring.check(&cells.seal_record()?)?;
    for column in landed.keys() {
        let of_column = placed_of(cells.cells(column)?, column).0;
        written.prove_in(of_column, column, &|key, token| open(ring, column, key, token))?;
    }
    Ok(())
}
