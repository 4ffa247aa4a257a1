//! Finding the owner of each directory.

use crate::document::tape::{Kind, Tape};
use crate::finding::{FileId, Finding, OWNER_TWINS, Place, printable};
use crate::fold;
use crate::import::plan::Plan;
use crate::mapping::apply::{Draft, FileContext, Owner, compared_text};
use crate::mapping::compile::CompiledRule;
use crate::mapping::keyindex::KeyText;
use crate::mapping::model::{By, Expr, Find, From, Owners, ReadAs, Root};
use crate::row::Value;
use std::collections::HashMap;

/// How the owner of a directory was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The owner's primary key.
    pub id: String,
    /// `by id`, `by friendly_name (alias)`.
    pub how: String,
    /// Whether the directory is another name for an owner that may have one under its id.
    pub alias: bool,
}

/// What looking for a directory's owner found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerMatch {
    /// One owner.
    One(Found),
    /// An owner whose record was rejected.
    Rejected,
    /// No owner, among owners that are not known completely.
    Unread(Unread),
    /// Several owners that the name fits equally.
    Ambiguous,
    /// Two owners that were made in the directory, here and there.
    Two(Place, Place),
    /// No owner.
    None,
}

/// Why the owners of a run are not known completely: the first file or record of them that was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// What is wrong is here.
    pub at: Place,
    /// Whether the whole file was rejected, or a record by whose owner no directory can be found.
    pub whole: bool,
}

/// The owner that a row of the owner table makes, by the id that the engine gave it where it did; without an id where
/// that could not be read.
pub fn owner_of(plan: &Plan, rule: &CompiledRule, draft: &Draft, given: Option<i64>) -> Option<Owner> {
    plan.set.owners.as_ref().filter(|owners| owners.table == rule.table.name)?;
    let key = rule.table.primary_key();
    let value = |name: &String| {
        let value = rule.value(&draft.values, name).clone();
        let given = given.filter(|_| value == Value::Null && key == [name.as_str()]);
        (name.clone(), given.map_or(value, Value::Integer))
    };
    let columns: Vec<_> = plan.owner_columns.iter().map(value).collect();
    let id = columns.iter().find(|(name, _)| key == [name.as_str()]).and_then(|(_, value)| value.as_key_text());
    Some(Owner { id: id.unwrap_or_default().into_owned(), columns })
}

/// The owners of a run: rows of the owner table, from this run and from the target, and those that
/// were rejected, whose directories do have an owner.
#[derive(Debug, Default)]
pub struct OwnerTable {
    rows: Vec<Known>,
    by_id: HashMap<String, usize>,
    /// By directory, the owners that were made in it: the first one, and whether there is another.
    made: HashMap<String, Made>,
    unread: Option<Unread>,
}

/// What owner was made in a directory.
#[derive(Debug)]
enum Made {
    One(String, Place),
    Two(Place, Place),
    /// Its record was rejected.
    Rejected,
}

/// A row of the owner table.
#[derive(Debug)]
struct Known {
    owner: Owner,
    state: State,
    /// The file that names it; none where it was met in the target only so far.
    from: Option<FileId>,
    /// What the target says of it, once a file names it too.
    target: Option<Owner>,
}

/// What is known of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Read,
    Rejected,
    /// Its whole file was rejected after it was read.
    Lost,
}

impl OwnerTable {
    /// Adds an owner that the target has.
    pub fn add_existing(&mut self, owner: Owner) {
        if !self.by_id.contains_key(&owner.id) {
            self.push(Known { owner, state: State::Read, from: None, target: None });
        }
    }

    /// Adds an owner that the run has read; the first of an id stays, unless it was rejected. What the
    /// target says of it counts no more, so that a second import finds owners as the first one did.
    pub fn add(&mut self, owner: Owner, from: FileId) {
        let mut known = Known { owner, state: State::Read, from: Some(from), target: None };
        match self.by_id.get(&known.owner.id).map(|at| &mut self.rows[*at]) {
            Some(held) if held.state != State::Read || held.from.is_none() => {
                std::mem::swap(held, &mut known);
                held.target = if known.from.is_none() { Some(known.owner) } else { known.target };
            }
            Some(_) => {}
            None => self.push(known),
        }
    }

    /// Notes that an owner was made in a directory.
    pub fn make(&mut self, directory: &str, id: &str, at: Place) {
        match self.made.get_mut(directory) {
            Some(made) => match made {
                Made::One(known, first) if known != id => *made = Made::Two(*first, at),
                Made::One(..) | Made::Two(..) => {}
                Made::Rejected => *made = Made::One(id.to_owned(), at),
            },
            None => _ = self.made.insert(directory.to_owned(), Made::One(id.to_owned(), at)),
        }
    }

    /// Notes that the record of an owner that would have been made in a directory was rejected.
    pub fn make_rejected(&mut self, directory: &str) {
        self.made.entry(directory.to_owned()).or_insert(Made::Rejected);
    }

    /// The owner that was made in a directory.
    fn made_in(&self, directory: &str) -> Option<OwnerMatch> {
        match self.made.get(directory)? {
            Made::One(id, _) => self.rows[*self.by_id.get(id)?].matched("made in it".to_owned(), false),
            Made::Two(one, other) => Some(OwnerMatch::Two(*one, *other)),
            Made::Rejected => Some(OwnerMatch::Rejected),
        }
    }

    /// Adds an owner whose record was rejected, as far as it could be read: its id may be empty.
    pub fn add_rejected(&mut self, owner: Owner, from: FileId) {
        if !self.by_id.contains_key(&owner.id) {
            self.push(Known { owner, state: State::Rejected, from: Some(from), target: None });
        }
    }

    /// Notes that owners may be missing: from now on it is not known that a directory has none.
    pub fn miss(&mut self, unread: Unread) {
        self.unread.get_or_insert(unread);
    }

    /// Forgets the owners of a file that was rejected as a whole, at this place; what the target says of
    /// them counts again.
    pub fn lose(&mut self, file: FileId, at: Place) {
        // The rows stay where they are: files know their owner by its number.
        for known in self.rows.iter_mut().filter(|known| known.from == Some(file)) {
            match known.target.take() {
                Some(owner) => *known = Known { owner, state: State::Read, from: None, target: None },
                None => known.state = State::Lost,
            }
        }
        self.miss(Unread { at, whole: true });
    }

    /// Whether owners may be missing.
    pub fn is_incomplete(&self) -> bool {
        self.unread.is_some()
    }

    fn no_match(&self) -> OwnerMatch {
        self.unread.map_or(OwnerMatch::None, OwnerMatch::Unread)
    }

    /// The ids of the owners that the source names, in the order they were read; rejected ones are left out.
    pub fn of_source(&self) -> impl Iterator<Item = &str> {
        let named = |known: &&Known| known.from.is_some() && known.state == State::Read;
        self.rows.iter().filter(named).map(|known| known.owner.id.as_str())
    }

    fn push(&mut self, known: Known) {
        if !known.owner.id.is_empty() {
            self.by_id.insert(known.owner.id.clone(), self.rows.len());
        }
        self.rows.push(known);
    }

    /// The owner of this id, unless it was rejected.
    pub fn get(&self, id: &str) -> Option<&Owner> {
        self.by_id
            .get(id)
            .map(|at| &self.rows[*at])
            .filter(|known| known.state == State::Read)
            .map(|known| &known.owner)
    }

    /// The number of an owner in this table.
    pub fn number(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).and_then(|at| u32::try_from(*at).ok())
    }

    /// The id of the owner of this number.
    pub fn id_of(&self, number: u32) -> Option<&str> {
        self.rows.get(number as usize).map(|known| known.owner.id.as_str())
    }

    /// The owner whose id was given.
    pub fn given(&self, id: &str) -> OwnerMatch {
        let found = self.by_id.get(id).and_then(|at| self.rows[*at].matched("--owner".to_owned(), false));
        found.unwrap_or_else(|| self.no_match())
    }

    /// The only owner, where there is exactly one, and certainly no other. One that was rejected counts.
    pub fn only(&self) -> OwnerMatch {
        let only = match self.rows.as_slice() {
            [only] if !self.is_incomplete() => only.matched("the only owner".to_owned(), false),
            _ => None,
        };
        only.unwrap_or_else(|| self.no_match())
    }

    /// A warning for each owner whose id looks like that of an earlier one and differs in its Unicode
    /// normal form.
    pub fn form_twins(&self) -> Vec<Finding> {
        let mut forms: HashMap<String, &str> = HashMap::new();
        let odd = self.rows.iter().map(|known| known.owner.id.as_str()).filter(|id| !id.is_ascii());
        let twins = odd.filter(|id| *forms.entry(fold::canonical(id).into_owned()).or_insert(id) != *id);
        let warning = |id: &str| {
            let message = format!("two owners have ids that look like `{}`", printable(id));
            Finding::new(&OWNER_TWINS, message).about("owners")
        };
        twins.map(warning).collect()
    }
}

impl Known {
    fn matched(&self, how: String, alias: bool) -> Option<OwnerMatch> {
        match self.state {
            State::Read => Some(OwnerMatch::One(Found { id: self.owner.id.clone(), how, alias })),
            State::Rejected => Some(OwnerMatch::Rejected),
            State::Lost => None,
        }
    }
}

/// Finds the owners of directories, by the rules of the set; each rule's values are worked out once.
#[derive(Debug)]
pub struct Matcher<'s> {
    owners: &'s Owners,
    namespace: Option<uuid::Uuid>,
    table: &'s OwnerTable,
    /// How the columns that owners are found by read values, by their name.
    reads: HashMap<&'s str, ReadAs>,
    /// For each rule, the owner that a name finds; `None` where it finds several.
    /// By entry of `find`, and table of its `by`.
    values: Vec<Vec<HashMap<KeyText, Option<usize>>>>,
}

impl<'s> Matcher<'s> {
    /// Works out, for each rule, what directory name would find which owner.
    pub fn new(plan: &'s Plan, owners: &'s Owners, table: &'s OwnerTable) -> Self {
        let stored = plan.schema.table(&owners.table);
        let read = |by: &'s By| {
            let column = stored?.column(&by.column)?;
            Some((by.column.as_str(), plan.set.reads(column).or_else(|| ReadAs::of_numbers(column))?))
        };
        let of_way = |way: &Vec<By>| {
            let mut found = HashMap::new();
            for (at, row) in table.rows.iter().enumerate() {
                if let Some(key) = key(way, |by| column_text(by, &row.owner)) {
                    let held = found.entry(key).or_insert(Some(at));
                    *held = held.filter(|held| *held == at);
                }
            }
            found
        };
        let values = owners.find.iter().map(|find| find.by.iter().map(of_way).collect()).collect();
        Self {
            owners,
            namespace: plan.set.namespace,
            table,
            reads: owners.compared().filter_map(read).collect(),
            values,
        }
    }

    /// The owner that would be found if names were compared in one Unicode normal form.
    pub fn looks_like(&self, directory: &str) -> Option<String> {
        if directory.is_ascii() {
            return None;
        }
        let form = fold::canonical(directory);
        let looks = |text: &String| fold::canonical(text) == form;
        let finds = |find: &Find| {
            let by = find.by.iter().find_map(|way| way.first().filter(|by| way.len() == 1 && is_the_name(&by.expr)))?;
            let found = |known: &&Known| column_text(by, &known.owner).as_ref().is_some_and(looks);
            self.table.rows.iter().find(found).map(|known| known.owner.id.clone())
        };
        self.owners.find.iter().find_map(finds)
    }

    /// The owner of a directory: the first rule that finds one decides.
    pub fn find(&self, directory: &str) -> OwnerMatch {
        if let Some(made) = self.table.made_in(directory) {
            return made;
        }
        let by_way = |find: &Find, way: &Vec<By>, values: &HashMap<KeyText, Option<usize>>| {
            let wanted = |by: &By| Some(by.form.of_value(&self.text_of(by, directory)?));
            let found = values.get(&key(way, wanted)?)?;
            let columns: Vec<&str> = way.iter().map(|by| by.column.as_str()).collect();
            let how = format!("by {}{}", columns.join(", "), if find.alias { " (alias)" } else { "" });
            found.map_or(Some(OwnerMatch::Ambiguous), |at| self.table.rows[at].matched(how, find.alias))
        };
        let by_rule =
            self.owners.find.iter().zip(&self.values).find_map(|(find, values)| {
                find.by.iter().zip(values).find_map(|(way, values)| by_way(find, way, values))
            });
        by_rule.unwrap_or_else(|| self.table.no_match())
    }

    /// What is compared with a column, made of what a directory is called.
    fn text_of(&self, by: &By, directory: &str) -> Option<String> {
        let mut tape = Tape::new(false);
        tape.push(Kind::Null, None, "", 0);
        let file = FileContext {
            id: FileId(0),
            path: "",
            captures: self.owners.captured_in(directory),
            directory: Some(directory.into()),
            owner: None,
            started: jiff::Timestamp::UNIX_EPOCH,
            namespace: self.namespace,
            keeps_nul: true,
        };
        compared_text(&by.expr, self.reads.get(by.column.as_str()), &file, &tape)
    }
}

/// The key that the texts of all columns make.
fn key(way: &[By], text: impl Fn(&By) -> Option<String>) -> Option<KeyText> {
    let mut key = KeyText::default();
    for by in way {
        key.push(&text(by)?);
    }
    Some(key)
}

/// The value of a column as it is compared.
fn column_text(by: &By, row: &Owner) -> Option<String> {
    let (_, value) = row.columns.iter().find(|(name, _)| *name == by.column)?;
    by.form.of_column(&value.as_key_text()?)
}

/// Whether it is the directory's name as it is.
fn is_the_name(expr: &Expr) -> bool {
    expr.is_bare() && matches!(&expr.from, From::Path(path) if path.root == Root::Context("owner".to_owned()))
}
