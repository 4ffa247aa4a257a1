//! The key index: what lookups and uniqueness read, filled by those who decide about rows.
//!
//! It holds exactly the columns that the plan says are looked up or unique. What belongs to one
//! owner alone is dropped when the owner is done, so that it does not grow with the tree.

mod ahead;
mod blocks;
mod by_key;
mod needs;
mod pack;
mod row;
mod says;
mod store;
mod table;

pub use super::keytext::KeyText;
use crate::error::Result;
use crate::mapping::model::Form;
use crate::row::Value;
pub use by_key::ByKey;
pub use needs::{Answer, Asked};
pub use row::Known;
use row::Said;
use std::collections::HashMap;
use std::hash::RandomState;
use store::{Level, Store};
pub use table::KeyHash;

/// Which rows an index finds, and which values it holds of them.
#[derive(Debug, Clone)]
pub struct IndexSpec {
    /// The table.
    pub table: String,
    /// The columns of the key; parts of a key that are no columns are named `#0`, `#1`….
    pub by: Vec<String>,
    /// Columns that lookups want.
    pub wanted: Vec<String>,
    /// The forms in which the columns of the key are compared; none where all are compared as they are.
    pub forms: Vec<Form>,
    /// Whether a `lookup` or `exists` asks for rows by it.
    pub is_looked_up: bool,
    /// Whether a key belongs to one owner alone and no other owner's rule reads it.
    pub of_one_owner: bool,
    /// Whether a rule looks up rows of its own table by it.
    pub of_own_table: bool,
    /// Whether a `lookup` asks by it for rows that may be read later.
    pub is_late: bool,
}

/// What is not made where a `lookup` finds no row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Need {
    /// Another value stands there, or none.
    #[default]
    ForNothing,
    /// The row.
    ForRow,
    /// The record.
    ForRecord,
}

/// Where a `lookup` or `exists` finds its row.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// The number of the spec.
    pub spec: usize,
    /// The position of the column that it gives among those wanted.
    pub wanted: Option<usize>,
    /// Whether its rule makes rows of that table too: it finds those that were made before, in this run as in
    /// the first. Else it finds every row.
    pub of_own_table: bool,
    /// Whether the row may be read later.
    pub is_late: bool,
    /// What is not made where there is none.
    pub needed: Need,
}

/// How lookups are answered that ask for rows which may be read later.
#[derive(Debug, Default)]
pub enum Ahead {
    /// No more is known yet than what the target has: each that finds nothing there is left open.
    #[default]
    Nothing,
    /// From an index of all rows.
    Rows(Box<KeyIndex>),
}

/// A lookup that is left open: its row may be read later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Later;

/// What a key leads to: which store, and the number there.
type Found = (Life, u32);

/// What gives the values of a row.
type ValueOf<'f, 'v> = &'f dyn Fn(&Source) -> &'v Value;

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Run,
    Owner,
}

/// One change of the index, so that it can be undone.
#[derive(Debug)]
enum Change {
    /// The key is new.
    New(usize, KeyHash),
    /// The row took the place of what the target is known to have.
    Instead(usize, KeyHash, u32),
    /// Where the values were that are held of a row.
    Values(Found, pack::At),
    /// The run's counts took the row in.
    Counted(Found),
}

/// A point that [`KeyIndex::back_to`] goes back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    changes: usize,
    lasting: Level,
    of_owner: Level,
}

/// Where a value of a row that is made known stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The position of its rule's field.
    pub field: Option<usize>,
    /// Among what the database holds of a row that was there.
    pub held: Option<usize>,
    /// Whether it is the id that the engine gives.
    pub is_generated: bool,
}

/// How the rows of a rule are made known to one index.
#[derive(Debug)]
pub struct Feed {
    /// The number of the spec.
    pub spec: usize,
    /// Whether it is the index of the rule's own key.
    pub is_own: bool,
    /// The parts of the key; of the rule's own key none.
    pub by: Option<Vec<Source>>,
    /// The wanted columns.
    pub wanted: Vec<Source>,
}

/// Keys of rows, by what is asked of them.
#[derive(Debug, Default)]
pub struct KeyIndex {
    specs: Vec<IndexSpec>,
    /// By the number of the `lookup` or `exists`; none for one that no rule has.
    sites: Vec<Option<Site>>,
    lasting: Store,
    of_owner: Store,
    /// Rows of the target that earlier runs made of files which this run reads too: the file's number
    /// and what the key leads to in `lasting`. A rule does not find them in its own table until this run has met
    /// them, so that a second import finds what the first one found.
    withheld: Vec<HashMap<KeyHash, Vec<(u32, u32)>>>,
    /// What was changed since [`KeyIndex::keep`], in order.
    log: Vec<Change>,
    /// How much of `lasting` stays whatever is undone.
    stays: Level,
    hashing: [RandomState; 2],
    /// What answers late lookups.
    ahead: Ahead,
    /// Whether these do not find rows of the target that earlier runs made of this tree, but those that this run makes.
    hides_own: bool,
    /// Whether it is noted who needs which rows: all of them are made only to know which there will be.
    notes_needs: bool,
}

impl KeyIndex {
    /// An empty index of these specs.
    pub fn new(specs: Vec<IndexSpec>, sites: Vec<Option<Site>>) -> Self {
        let (lasting, of_owner) = (Store::new(specs.len(), true), Store::new(specs.len(), false));
        let withheld = specs.iter().map(|_| HashMap::default()).collect();
        Self { lasting, of_owner, withheld, specs, sites, ..Self::default() }
    }

    /// Forgets what belonged to one owner.
    pub fn end_owner(&mut self) {
        // Not emptied: one large owner must not keep its memory for the rest of the run.
        self.of_owner = Store::new(self.specs.len(), false);
    }

    /// Adds a row of this run under every key that the index holds of its table, with what its fields say; one function
    /// gives the parts of the keys, the other what is held of it. A row that
    /// does not exist reserves its own key and no other. The first of a key stays, but a row of this run takes the
    /// place of what the target is known to have.
    ///
    /// # Errors
    /// Where there is no room for what it says, or its file is larger than 1 TiB.
    pub fn enter<'v>(
        &mut self,
        feeds: &[Feed],
        own_key: Option<&KeyText>,
        (part_of, of): (ValueOf<'_, 'v>, ValueOf<'_, 'v>),
        known: &Known,
        says: &[u64],
    ) -> Result<()> {
        let (mut lasting, mut of_owner) = (None, None);
        for feed in feeds.iter().filter(|feed| known.present || feed.is_own) {
            let other = feed.by.as_ref().map(|by| KeyText::of(by.iter().map(part_of)));
            let Some(key) = other.as_ref().map_or(own_key, Option::as_ref) else {
                continue; // a key with a NULL finds nothing
            };
            let spec = feed.spec;
            let Some(key) = self.column_hash(spec, key) else { continue };
            if !self.is_free(spec, key) {
                continue;
            }
            let life = self.life(spec);
            let row = match life {
                Life::Run => &mut lasting,
                Life::Owner => &mut of_owner,
            };
            let row = match *row {
                Some(row) => row,
                None => *row.insert(self.store_mut(life).add_row(known, says)?),
            };
            self.put(spec, key, row, feed.wanted.iter().map(of));
        }
        Ok(())
    }

    /// Adds a row under one more key, as [`KeyIndex::enter`] does.
    ///
    /// # Errors
    /// Where there is no room for what it says, or its file is larger than 1 TiB.
    pub fn insert(&mut self, spec: usize, key: &KeyText, known: &Known, values: &[Value]) -> Result<()> {
        let Some(key) = self.column_hash(spec, key) else { return Ok(()) };
        if self.is_free(spec, key) {
            let (says, life) = (self.says(known)?, self.life(spec));
            let row = self.store_mut(life).add_row(known, &says)?;
            self.put(spec, key, row, values);
        }
        Ok(())
    }

    /// Whether no row of this run has the key.
    fn is_free(&self, spec: usize, key: KeyHash) -> bool {
        let life = self.life(spec);
        let store = self.store(life);
        store.get(spec, key).is_none_or(|number| !store.has_place(self.row_of(spec, (life, number))))
    }

    /// Has a key lead to a row.
    fn put<'v>(&mut self, spec: usize, key: KeyHash, row: u32, values: impl IntoIterator<Item = &'v Value>) {
        let life = self.life(spec);
        let number = self.number(spec, life, row, values);
        let change = match self.store_mut(life).tables[spec].insert(key, number) {
            Some(before) => Change::Instead(spec, key, before),
            None => Change::New(spec, key),
        };
        self.log.push(change);
    }

    /// What a key of a kind leads to: the row, with what is held of it where anything is wanted.
    fn number<'v>(&mut self, spec: usize, life: Life, row: u32, values: impl IntoIterator<Item = &'v Value>) -> u32 {
        if self.specs[spec].wanted.is_empty() { row } else { self.store_mut(life).add_held(row, values) }
    }

    /// Adds a row without a key, until the end of the owner.
    ///
    /// # Errors
    /// Where there is no room for what it says, or its file is larger than 1 TiB.
    pub fn set_apart(&mut self, known: &Known, says: &[u64]) -> Result<u32> {
        self.of_owner.add_row(known, says)
    }

    /// What is known of the row without a key that has this number.
    pub fn apart(&self, row: u32) -> Known {
        self.of_owner.row(row)
    }

    /// What a row's fields say; nothing where that was not noted.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn says(&self, known: &Known) -> Result<Vec<u64>> {
        let life = |said: &Said| if said.lasts { Life::Run } else { Life::Owner };
        known.says.map_or(Ok(Vec::new()), |said| self.store(life(&said)).says(said.at))
    }

    /// Where the rows of this run are kept that have such a key.
    fn life(&self, spec: usize) -> Life {
        if self.specs[spec].of_one_owner { Life::Owner } else { Life::Run }
    }

    fn store(&self, life: Life) -> &Store {
        match life {
            Life::Run => &self.lasting,
            Life::Owner => &self.of_owner,
        }
    }

    fn store_mut(&mut self, life: Life) -> &mut Store {
        match life {
            Life::Run => &mut self.lasting,
            Life::Owner => &mut self.of_owner,
        }
    }

    /// The point that [`KeyIndex::back_to`] goes back to.
    pub fn mark(&self) -> Mark {
        Mark { changes: self.log.len(), lasting: self.lasting.level(), of_owner: self.of_owner.level() }
    }

    /// Undoes what was changed since the mark.
    pub fn back_to(&mut self, mark: Mark) {
        for change in self.log.split_off(mark.changes).into_iter().rev() {
            match change {
                Change::New(spec, key) => {
                    let life = self.life(spec);
                    self.store_mut(life).tables[spec].remove(key);
                }
                Change::Instead(spec, key, before) => {
                    let life = self.life(spec);
                    self.store_mut(life).tables[spec].insert(key, before);
                }
                Change::Values((life, held), before) => _ = self.store_mut(life).reset(held, before),
                Change::Counted((life, row)) => _ = self.store_mut(life).count(row, false),
            }
        }
        self.lasting.back_to(mark.lasting.or_more(self.stays));
        self.of_owner.back_to(mark.of_owner);
    }

    /// Keeps what was changed: no mark from before is gone back to any more.
    pub fn keep(&mut self) {
        self.log.clear();
    }

    /// Adds a row that the target has; it outlasts every owner, and stays whatever is undone.
    ///
    /// # Errors
    /// None yet: such a row says nothing.
    pub fn insert_lasting(&mut self, spec: usize, key: &KeyText, values: &[Value]) -> Result<()> {
        let Some(key) = self.column_hash(spec, key) else { return Ok(()) };
        if self.lasting.get(spec, key).is_none() {
            let number = self.add_existing(spec, values)?;
            self.lasting.tables[spec].insert(key, number);
        }
        Ok(())
    }

    /// Adds a row that the target has and that an earlier run made of this file of the tree.
    ///
    /// # Errors
    /// As [`KeyIndex::insert_lasting`].
    pub fn withhold(&mut self, spec: usize, key: &KeyText, file: u32, values: &[Value]) -> Result<()> {
        let Some(key) = self.column_hash(spec, key) else { return Ok(()) };
        let number = self.add_existing(spec, values)?;
        self.withheld[spec].entry(key).or_default().push((file, number));
        Ok(())
    }

    fn add_existing(&mut self, spec: usize, values: &[Value]) -> Result<u32> {
        let row = self.lasting.add_row(&Known::existing(), &[])?;
        let number = self.number(spec, Life::Run, row, values);
        self.stays = self.lasting.level();
        Ok(number)
    }

    /// Makes rows known to every rule that were withheld for files which this run does not read.
    pub fn reveal(&mut self, files: &dyn Fn(u32) -> bool) {
        for (withheld, lasting) in self.withheld.iter_mut().zip(&mut self.lasting.tables) {
            for (key, rows) in withheld {
                for (_, number) in rows.extract_if(.., |(file, _)| files(*file)) {
                    if lasting.get(*key).is_none() {
                        lasting.insert(*key, number);
                    }
                }
            }
        }
    }

    /// What is known of the row of a key.
    pub fn get(&self, spec: usize, key: &KeyText) -> Option<Known> {
        let found = self.find(spec, key, true)?;
        Some(self.store(found.0).row(self.row_of(spec, found)))
    }

    /// What is held of the row of a key: the spec's wanted columns.
    pub fn values(&self, spec: usize, key: &KeyText) -> Option<Vec<Value>> {
        let (life, number) = self.find(spec, key, true)?;
        let wanted = self.specs[spec].wanted.len();
        Some(if wanted == 0 { Vec::new() } else { self.store(life).values(number, wanted) })
    }

    fn find(&self, spec: usize, key: &KeyText, or_withheld: bool) -> Option<Found> {
        self.find_hash(spec, self.value_hash(spec, key), or_withheld)
    }

    /// The row that has these columns.
    fn find_row(&self, spec: usize, key: &KeyText) -> Option<Found> {
        self.find_hash(spec, self.column_hash(spec, key)?, true)
    }

    fn find_hash(&self, spec: usize, key: KeyHash, or_withheld: bool) -> Option<Found> {
        if let Some(number) = self.of_owner.get(spec, key) {
            return Some((Life::Owner, number));
        }
        let withheld = || self.withheld[spec].get(&key).filter(|_| or_withheld)?.first().map(|(_, number)| *number);
        self.lasting.get(spec, key).or_else(withheld).map(|number| (Life::Run, number))
    }

    /// The row that a key of a kind leads to.
    fn row_of(&self, spec: usize, (life, number): Found) -> u32 {
        if self.specs[spec].wanted.is_empty() { number } else { self.store(life).row_of(number) }
    }

    /// The row that a `lookup` or `exists` finds, by its number.
    fn sought(&self, number: usize, key: &KeyText) -> Option<(&Site, Found)> {
        let site = self.sites.get(number)?.as_ref()?;
        let is_hidden = site.of_own_table || (site.is_late && self.hides_own);
        let found = self.find(site.spec, key, !is_hidden)?;
        let is_there = self.store(found.0).row(self.row_of(site.spec, found)).present;
        is_there.then_some((site, found))
    }

    /// The number of the row that has these columns, and whether it outlasts the owner.
    pub fn row_number(&self, spec: usize, key: &KeyText) -> Option<(bool, u32)> {
        let found = self.find_row(spec, key)?;
        Some((found.0 == Life::Run, self.row_of(spec, found)))
    }

    /// Notes that the run's counts have the row of a key; `false` where they had it before.
    pub fn count(&mut self, spec: usize, key: &KeyText) -> bool {
        let Some(found) = self.find_row(spec, key) else { return false };
        let (life, row) = (found.0, self.row_of(spec, found));
        let counts = !self.store_mut(life).count(row, true);
        if counts {
            self.log.push(Change::Counted((life, row)));
        }
        counts
    }

    /// Changes what is held of a row: all of the spec's wanted columns.
    pub fn set(&mut self, spec: usize, key: &KeyText, values: &[Value]) {
        let found = self.find_row(spec, key).filter(|_| !self.specs[spec].wanted.is_empty());
        if let Some((life, held)) = found {
            let before = self.store_mut(life).set(held, values);
            self.log.push(Change::Values((life, held), before));
        }
    }

    /// What the `lookup` of this number gives of the row that has the key.
    ///
    /// # Errors
    /// Where the row may be read later, the target has none, and nothing is known of it yet.
    pub fn lookup(&self, number: usize, key: &KeyText) -> Result<Option<Value>, Later> {
        let is_late = self.sites.get(number).copied().flatten().is_some_and(|site| site.is_late);
        match &self.ahead {
            Ahead::Nothing if is_late => self.existing_value_of(number, key).map(Some).ok_or(Later),
            Ahead::Rows(known) if is_late => Ok(known.value_of(number, key)),
            _ => Ok(self.value_of(number, key)),
        }
    }

    fn value_of(&self, number: usize, key: &KeyText) -> Option<Value> {
        let (site, (life, held)) = self.sought(number, key)?;
        Some(self.store(life).value(held, site.wanted?))
    }

    /// What the row gives that the target has.
    fn existing_value_of(&self, number: usize, key: &KeyText) -> Option<Value> {
        let (site, found) = self.sought(number, key)?;
        let is_existing = self.store(found.0).row(self.row_of(site.spec, found)).existing;
        is_existing.then(|| self.value_of(number, key)).flatten()
    }

    /// Whether the `exists` of this number finds a row of this key.
    pub fn contains(&self, number: usize, key: &KeyText) -> bool {
        self.sought(number, key).is_some()
    }

    /// What stands for a key of a row's columns; none where the row is not found by them.
    fn column_hash(&self, spec: usize, key: &KeyText) -> Option<KeyHash> {
        let forms = &self.specs[spec].forms;
        if forms.is_empty() {
            return Some(self.hash(key));
        }
        let mut changed = KeyText::default();
        for (form, part) in forms.iter().zip(key.parts()) {
            changed.push(&form.of_column(part)?);
        }
        Some(self.hash(&changed))
    }

    /// What stands for a key that is looked for.
    fn value_hash(&self, spec: usize, key: &KeyText) -> KeyHash {
        let forms = &self.specs[spec].forms;
        if forms.is_empty() {
            return self.hash(key);
        }
        let mut changed = KeyText::default();
        forms.iter().zip(key.parts()).for_each(|(form, part)| changed.push(&form.of_value(part)));
        self.hash(&changed)
    }

    fn hash(&self, key: &KeyText) -> KeyHash {
        KeyHash::of(&self.hashing, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{FileId, Place};

    fn spec(table: &str, ignore_case: bool, of_one_owner: bool) -> IndexSpec {
        let (table, by, wanted) = (table.to_owned(), vec!["id".to_owned()], Vec::new());
        let forms = if ignore_case { vec![Form { ignore_case, column_steps: Vec::new() }] } else { Vec::new() };
        IndexSpec { table, by, wanted, forms, is_looked_up: true, of_one_owner, of_own_table: false, is_late: false }
    }

    fn key(text: &str) -> KeyText {
        let mut key = KeyText::default();
        key.push(text);
        key
    }

    #[test]
    fn a_key_without_case_is_found_whatever_its_length_in_the_other_case() {
        let mut index = KeyIndex::new(vec![spec("places", true, false)], Vec::new());
        index.insert(0, &key("Große Straße"), &Known::existing(), &[]).unwrap();
        for name in ["GROSSE STRASSE", "GROẞE STRAẞE", "große straße"] {
            assert!(index.get(0, &key(name)).is_some(), "{name}");
        }
        assert!(index.get(0, &key("Große Strasse 2")).is_none());
    }

    #[test]
    fn the_end_of_an_owner_forgets_only_what_was_the_owners() {
        let mut index = KeyIndex::new(vec![spec("people", false, false), spec("notes", false, true)], Vec::new());
        (0..2).for_each(|spec| index.insert(spec, &key("1"), &Known::existing(), &[]).unwrap());
        index.end_owner();
        assert_eq!([0, 1].map(|spec| index.get(spec, &key("1")).is_some()), [true, false]);
    }

    #[test]
    fn a_rule_finds_rows_of_its_own_table_only_once_the_run_has_met_them() {
        let site = |of_own_table| {
            Some(Site { spec: 0, wanted: Some(0), of_own_table, is_late: false, needed: Need::ForNothing })
        };
        let people = IndexSpec { wanted: vec!["age".to_owned()], ..spec("people", false, false) };
        let mut index = KeyIndex::new(vec![people], vec![site(true), site(false), None]);
        index.withhold(0, &key("1"), 7, &[Value::Integer(1)]).unwrap();
        let found = |index: &KeyIndex| {
            (0..4).map(|number| index.lookup(number, &key("1")).unwrap().is_some()).collect::<Vec<_>>()
        };
        assert_eq!(found(&index), [false, true, false, false]);
        index.reveal(&|file| file == 7);
        assert_eq!(found(&index), [true, true, false, false]);
    }

    fn made(file: u32) -> Known {
        Known::made(Place { file: FileId(file), offset: 5 }, 3)
    }

    #[test]
    fn what_was_changed_since_a_mark_is_undone_but_what_the_target_has_stays_known() {
        let people = IndexSpec { wanted: vec!["age".to_owned()], ..spec("people", false, false) };
        let mut index = KeyIndex::new(vec![people, spec("people", false, true)], Vec::new());
        let feeds = [0, 1].map(|spec| {
            let field = Source { field: None, held: None, is_generated: false };
            Feed { spec, is_own: true, by: None, wanted: if spec == 0 { vec![field] } else { Vec::new() } }
        });
        let enter = |index: &mut KeyIndex, name: &str, file| {
            let age = Value::Integer(i64::from(file));
            index.enter(&feeds, Some(&key(name)), (&|_| &age, &|_| &age), &made(file), &[u64::from(file); 3]).unwrap();
        };
        let seen = |index: &KeyIndex| {
            ["a", "b", "c"].map(|name| {
                let known = [0, 1].map(|spec| index.get(spec, &key(name)));
                let says = known.map(|known| known.map(|known| index.says(&known).unwrap()));
                (known, says, index.values(0, &key(name)))
            })
        };
        index.insert_lasting(0, &key("a"), &[Value::Integer(40)]).unwrap();
        enter(&mut index, "b", 1);
        let (mark, before) = (index.mark(), seen(&index));
        assert!(index.count(0, &key("a")) && !index.count(0, &key("a")) && !index.count(1, &key("b")));
        index.set(0, &key("b"), &[Value::Integer(41)]);
        ["a", "b", "c"].into_iter().for_each(|name| enter(&mut index, name, 2));
        let [(a, of_a, ages), (b, ..), (c, ..)] = seen(&index);
        let places = |rows: [Option<Known>; 2]| rows.map(|known| known.and_then(|known| known.place));
        assert_eq!([a, b, c].map(places), [2, 1, 2].map(|file| [made(file).place; 2]));
        assert!(of_a == [Some(vec![2; 3]), Some(vec![2; 3])] && ages == Some(vec![Value::Integer(2)]));
        index.insert_lasting(0, &key("d"), &[Value::Integer(42)]).unwrap();
        index.back_to(mark);
        assert!(seen(&index) == before);
        enter(&mut index, "c", 3);
        assert!(index.values(0, &key("d")) == Some(vec![Value::Integer(42)]));
        index.end_owner();
        assert_eq!([0, 1].map(|spec| index.get(spec, &key("b")).is_some()), [true, false]);
    }
}
