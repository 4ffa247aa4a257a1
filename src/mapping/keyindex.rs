//! The key index: what lookups and uniqueness read, filled by those who decide about rows.
//!
//! It holds exactly the columns that the plan says are looked up or unique. What belongs to one
//! owner alone is dropped when the owner is done, so that it does not grow with the tree.

pub use super::keytext::KeyText;
use crate::finding::Place;
use crate::fold;
use crate::row::Value;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::Arc;

/// Which rows an index finds, and which values it holds of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSpec {
    /// The table.
    pub table: String,
    /// The columns of the key; parts of a key that are no columns are named `#0`, `#1`….
    pub by: Vec<String>,
    /// Columns that lookups want.
    pub wanted: Vec<String>,
    /// Whether letters are compared without their case.
    pub ignore_case: bool,
    /// Whether a `lookup` or `exists` asks for rows by it.
    pub is_looked_up: bool,
    /// Whether a key belongs to one owner alone and no other owner's rule reads it.
    pub of_one_owner: bool,
    /// Whether a rule looks up rows of its own table by it.
    pub of_own_table: bool,
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
}

/// What the index knows of a row.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it came from; `None` for one that was in the target before.
    pub place: Option<Place>,
    /// The number of the rule that made it.
    pub feeder: u32,
    /// The values of the spec's wanted columns.
    pub values: Box<[Value]>,
    /// Whether the target had the row before the run.
    pub existing: bool,
    /// Whether there is a row at all: an empty secret reserves its key and makes no row.
    pub present: bool,
    /// Whether the run's counts have the row.
    pub counted: bool,
    /// What its rule's fields say, hashed, where a later row of the key may be dropped
    /// and is compared with it.
    pub says: Arc<[u64]>,
}

impl Entry {
    /// A row that the target had before the run.
    pub fn existing(values: Vec<Value>) -> Self {
        Self {
            place: None,
            feeder: u32::MAX,
            values: values.into(),
            existing: true,
            present: true,
            counted: false,
            says: Arc::default(),
        }
    }
}

/// What stands for a key: two keyed hashes of 64 bits, which no source can choose to collide. That two of ten million
/// keys do is as likely as 1 to 10²⁴, and a key would take several times the memory: there may be one for each file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KeyHash(u64, u64);

impl Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// Takes a hash as it is.
#[derive(Debug, Default, Clone, Copy)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Something by key.
type Keyed<T> = HashMap<KeyHash, T, BuildHasherDefault<Hashed>>;

/// One change of the index, by spec and key, so that it can be undone.
#[derive(Debug)]
enum Change {
    /// The key is new.
    New(usize, KeyHash),
    /// The row took the place of what the target is known to have.
    Instead(usize, KeyHash, Entry),
    /// A value that the row had before, with its position among the wanted columns.
    Value(usize, KeyHash, usize, Value),
    /// The run's counts took the row in.
    Counted(usize, KeyHash),
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
    lasting: Vec<Keyed<Entry>>,
    of_owner: Vec<Keyed<Entry>>,
    /// Rows of the target that earlier runs made of files which this run reads too: the file's number
    /// and the row. A rule does not find them in its own table until this run has met them, so that a
    /// second import finds what the first one found.
    withheld: Vec<Keyed<Vec<(u32, Entry)>>>,
    /// What was changed since [`KeyIndex::keep`], in order.
    log: Vec<Change>,
    hashing: [RandomState; 2],
}

impl KeyIndex {
    /// An empty index of these specs.
    pub fn new(specs: Vec<IndexSpec>, sites: Vec<Option<Site>>) -> Self {
        let empty = || specs.iter().map(|_| Keyed::default()).collect();
        let withheld = specs.iter().map(|_| Keyed::default()).collect();
        Self { lasting: empty(), of_owner: empty(), withheld, specs, sites, ..Self::default() }
    }

    /// Forgets what belonged to one owner.
    pub fn end_owner(&mut self) {
        for keys in &mut self.of_owner {
            // Not `clear`: one large owner must not keep its memory for the rest of the run.
            *keys = Keyed::default();
        }
    }

    /// Adds a row under every key that the index holds of its table. A row that does not exist reserves its
    /// own key and no other.
    pub fn enter<'v>(
        &mut self,
        feeds: &[Feed],
        own_key: Option<&KeyText>,
        of: &dyn Fn(&Source) -> &'v Value,
        entry: &Entry,
    ) {
        for feed in feeds.iter().filter(|feed| entry.present || feed.is_own) {
            let other = feed.by.as_ref().map(|by| KeyText::of(by.iter().map(of)));
            let Some(key) = other.as_ref().map_or(own_key, Option::as_ref) else {
                continue; // a key with a NULL finds nothing
            };
            let values = feed.wanted.iter().map(|source| of(source).clone()).collect();
            self.insert(feed.spec, key, Entry { values, ..entry.clone() });
        }
    }

    /// Adds a row under a key. The first of a key stays, but a row of this run takes the place of
    /// what the target is known to have.
    pub fn insert(&mut self, spec: usize, key: &KeyText, entry: Entry) {
        let key = self.hash(spec, key);
        match self.keys_mut(spec).entry(key) {
            Slot::Occupied(mut held) if held.get().place.is_none() => {
                let before = held.insert(entry);
                self.log.push(Change::Instead(spec, key, before));
            }
            Slot::Occupied(_) => {}
            Slot::Vacant(free) => {
                free.insert(entry);
                self.log.push(Change::New(spec, key));
            }
        }
    }

    /// Where the rows of this run are kept.
    fn keys_mut(&mut self, spec: usize) -> &mut Keyed<Entry> {
        if self.specs[spec].of_one_owner { &mut self.of_owner[spec] } else { &mut self.lasting[spec] }
    }

    /// The point that [`KeyIndex::back_to`] goes back to.
    pub fn mark(&self) -> usize {
        self.log.len()
    }

    /// Undoes what was changed since the mark.
    pub fn back_to(&mut self, mark: usize) {
        for change in self.log.split_off(mark).into_iter().rev() {
            match change {
                Change::New(spec, key) => drop(self.keys_mut(spec).remove(&key)),
                Change::Instead(spec, key, entry) => drop(self.keys_mut(spec).insert(key, entry)),
                Change::Value(spec, key, at, value) => {
                    if let Some(held) = self.held_mut(spec, key).and_then(|entry| entry.values.get_mut(at)) {
                        *held = value;
                    }
                }
                Change::Counted(spec, key) => {
                    if let Some(entry) = self.held_mut(spec, key) {
                        entry.counted = false;
                    }
                }
            }
        }
    }

    /// Keeps what was changed: no mark from before is gone back to any more.
    pub fn keep(&mut self) {
        self.log.clear();
    }

    /// Adds a row that the target has; it outlasts every owner.
    pub fn insert_lasting(&mut self, spec: usize, key: &KeyText, entry: Entry) {
        let key = self.hash(spec, key);
        self.lasting[spec].entry(key).or_insert(entry);
    }

    /// Adds a row that the target has and that an earlier run made of this file of the tree.
    pub fn withhold(&mut self, spec: usize, key: &KeyText, file: u32, entry: Entry) {
        let key = self.hash(spec, key);
        self.withheld[spec].entry(key).or_default().push((file, entry));
    }

    /// Makes rows known to every rule that were withheld for files which this run does not read.
    pub fn reveal(&mut self, files: &dyn Fn(u32) -> bool) {
        for (withheld, lasting) in self.withheld.iter_mut().zip(&mut self.lasting) {
            for (key, entries) in withheld {
                for (_, entry) in entries.extract_if(.., |(file, _)| files(*file)) {
                    lasting.entry(*key).or_insert(entry);
                }
            }
        }
    }

    /// The row of a key.
    pub fn get(&self, spec: usize, key: &KeyText) -> Option<&Entry> {
        self.entry(spec, key, true)
    }

    fn entry(&self, spec: usize, key: &KeyText, or_withheld: bool) -> Option<&Entry> {
        let key = self.hash(spec, key);
        let known = self.of_owner[spec].get(&key).or_else(|| self.lasting[spec].get(&key));
        let withheld = || self.withheld[spec].get(&key).filter(|_| or_withheld)?.first().map(|(_, entry)| entry);
        known.or_else(withheld)
    }

    /// The row that a `lookup` or `exists` finds, by its number.
    fn sought(&self, number: usize, key: &KeyText) -> Option<(&Site, &Entry)> {
        let site = self.sites.get(number)?.as_ref()?;
        let entry = self.entry(site.spec, key, !site.of_own_table).filter(|entry| entry.present)?;
        Some((site, entry))
    }

    /// Notes that the run's counts have the row of a key; `false` where they had it before.
    pub fn count(&mut self, spec: usize, key: &KeyText) -> bool {
        let key = self.hash(spec, key);
        let counts = self.held_mut(spec, key).is_some_and(|entry| !std::mem::replace(&mut entry.counted, true));
        if counts {
            self.log.push(Change::Counted(spec, key));
        }
        counts
    }

    fn held_mut(&mut self, spec: usize, key: KeyHash) -> Option<&mut Entry> {
        if self.of_owner[spec].contains_key(&key) {
            return self.of_owner[spec].get_mut(&key);
        }
        if self.lasting[spec].contains_key(&key) {
            return self.lasting[spec].get_mut(&key);
        }
        self.withheld[spec].get_mut(&key)?.first_mut().map(|(_, entry)| entry)
    }

    /// Changes what is known of a row's column.
    pub fn set(&mut self, spec: usize, key: &KeyText, wanted: usize, value: Value) {
        let key = self.hash(spec, key);
        if let Some(held) = self.held_mut(spec, key).and_then(|entry| entry.values.get_mut(wanted)) {
            let before = std::mem::replace(held, value);
            self.log.push(Change::Value(spec, key, wanted, before));
        }
    }

    /// What the `lookup` of this number gives of the row that has the key.
    pub fn lookup(&self, number: usize, key: &KeyText) -> Option<&Value> {
        let (site, entry) = self.sought(number, key)?;
        entry.values.get(site.wanted?)
    }

    /// Whether the `exists` of this number finds a row of this key.
    pub fn contains(&self, number: usize, key: &KeyText) -> bool {
        self.sought(number, key).is_some()
    }

    fn hash(&self, spec: usize, key: &KeyText) -> KeyHash {
        let [one, other] = &self.hashing;
        if self.specs[spec].ignore_case {
            let key = key.map(fold::case);
            KeyHash(one.hash_one(&key), other.hash_one(&key))
        } else {
            KeyHash(one.hash_one(key), other.hash_one(key))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(table: &str, ignore_case: bool, of_one_owner: bool) -> IndexSpec {
        let (table, by, wanted) = (table.to_owned(), vec!["id".to_owned()], Vec::new());
        IndexSpec { table, by, wanted, ignore_case, is_looked_up: true, of_one_owner, of_own_table: false }
    }

    fn key(text: &str) -> KeyText {
        let mut key = KeyText::default();
        key.push(text);
        key
    }

    #[test]
    fn what_is_known_of_a_row_is_small() {
        assert!(size_of::<(KeyHash, Entry)>() <= 80, "{} bytes", size_of::<(KeyHash, Entry)>());
    }

    #[test]
    fn a_key_without_case_is_found_whatever_its_length_in_the_other_case() {
        let mut index = KeyIndex::new(vec![spec("places", true, false)], Vec::new());
        index.insert(0, &key("Große Straße"), Entry::existing(vec![]));
        for name in ["GROSSE STRASSE", "GROẞE STRAẞE", "große straße"] {
            assert!(index.get(0, &key(name)).is_some(), "{name}");
        }
        assert!(index.get(0, &key("Große Strasse 2")).is_none());
    }

    #[test]
    fn the_end_of_an_owner_forgets_only_what_was_the_owners() {
        let mut index = KeyIndex::new(vec![spec("people", false, false), spec("notes", false, true)], Vec::new());
        (0..2).for_each(|spec| index.insert(spec, &key("1"), Entry::existing(vec![])));
        index.end_owner();
        assert_eq!([0, 1].map(|spec| index.get(spec, &key("1")).is_some()), [true, false]);
    }

    #[test]
    fn a_rule_finds_rows_of_its_own_table_only_once_the_run_has_met_them() {
        let site = |of_own_table| Some(Site { spec: 0, wanted: Some(0), of_own_table });
        let mut index = KeyIndex::new(vec![spec("people", false, false)], vec![site(true), site(false), None]);
        index.withhold(0, &key("1"), 7, Entry::existing(vec![Value::Integer(1)]));
        let found =
            |index: &KeyIndex| (0..4).map(|number| index.lookup(number, &key("1")).is_some()).collect::<Vec<_>>();
        assert_eq!(found(&index), [false, true, false, false]);
        index.reveal(&|file| file == 7);
        assert_eq!(found(&index), [true, true, false, false]);
    }
}
