//! Tables and columns of a target as the engine sees them. Read from a database, never from SQL text.

use crate::written::{self, Keeps, TimeForm, WrittenAs};
use jiff::civil::DateTime;
use std::collections::BTreeMap;

/// Where migrations are recorded when another program has a `schema_migrations` with other columns: the only
/// `treelift_…` table that a set may name for them.
pub const OWN_RECORD: &str = "treelift_migrations";

/// The form in which a set says that a column of times is written; `None` for the engine's own.
pub type Written = Option<&'static TimeForm>;

/// The type of a column, as far as it decides what may be written into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text, of at most `max` characters (Unicode scalar values) if given.
    Text {
        /// The declared length.
        max: Option<u32>,
    },
    /// A 64-bit integer.
    Integer,
    /// A double.
    Real,
    /// An exact number, of so many digits if declared; written as text where the engine has no such type.
    Numeric(Option<Digits>),
    /// True or false.
    Boolean,
    /// A date and time, either civil or an instant in UTC; the mapping says which.
    Time(Written),
    /// A day.
    Date(Written),
    /// A moment, of whatever zone.
    Zoned(Written),
    /// A time of day, as text.
    Clock(Written),
    /// A UUID, as text.
    Uuid,
    /// A small integer that programs take for true or false.
    Flag,
    /// A JSON document.
    Json,
    /// A JSON document of which the engine keeps what it means: members and numbers are in its own form.
    JsonValue,
    /// A list of scalars of one type, NULLs among them.
    List(Element),
    /// Bytes.
    Blob,
    /// No type is declared: every scalar is kept as it is.
    Untyped,
    /// A type that treelift does not know; no rule can write such a column.
    Unknown,
}

impl ColumnType {
    /// Whether it takes JSON documents of every kind.
    pub fn is_json(self) -> bool {
        matches!(self, ColumnType::Json | ColumnType::JsonValue)
    }

    /// Whether a time may stand in such a column in another form of the same meaning.
    pub fn is_time(self) -> bool {
        use ColumnType::{Clock, Date, Time, Zoned};
        matches!(self, Time(_) | Zoned(_) | Date(Some(_)) | Clock(Some(_)))
    }

    /// What of a time it keeps as text, and the form.
    fn kept(self) -> Option<(Keeps, Written)> {
        match self {
            ColumnType::Time(form) => Some((Keeps::Time, form)),
            ColumnType::Zoned(form) => Some((Keeps::Moment, form)),
            ColumnType::Date(form) => Some((Keeps::Day, form)),
            ColumnType::Clock(form) => Some((Keeps::TimeOfDay, form)),
            _ => None,
        }
    }

    /// The form in which a set says that it is written.
    pub fn form(self) -> Written {
        self.kept().and_then(|(_, form)| form)
    }

    /// Whether it takes no time without a zone: by itself, or since the form of a set says one.
    pub fn takes_moments(self) -> bool {
        matches!(self, ColumnType::Zoned(_)) || self.form().is_some_and(TimeForm::has_zone)
    }

    /// What of a time the form of a set cannot hold, in words, with that form.
    pub fn unheld(self, time: DateTime, has_zone: bool) -> Option<(&'static TimeForm, &'static str)> {
        let form = self.form()?;
        let lacks = if form.has_zone() && !has_zone { Some("a time without a zone") } else { form.lacks(time) };
        lacks.map(|lacks| (form, lacks))
    }

    /// The form in which the engine writes it by itself, where it has one.
    pub fn form_of_engine(self) -> Option<&'static str> {
        self.kept().and_then(|(keeps, _)| keeps.form_of_engine())
    }

    /// The time that a stored text means there; a day is its midnight.
    pub fn stored_time(self, text: &str) -> Option<DateTime> {
        self.kept().and_then(|(keeps, form)| written::stored(text, form, keeps))
    }

    /// The same type in the form of this text; `None` where it keeps no time as text.
    ///
    /// # Errors
    /// Why the form cannot be used, in words.
    pub fn written_as(self, form: &str) -> Option<Result<Self, String>> {
        let (keeps, _) = self.kept()?;
        let form = TimeForm::of(form, keeps).map(|form| Some(form).filter(|form| !form.is_of_engine()));
        Some(form.map(|form| match self {
            ColumnType::Time(_) => ColumnType::Time(form),
            ColumnType::Zoned(_) => ColumnType::Zoned(form),
            ColumnType::Date(_) => ColumnType::Date(form),
            ColumnType::Clock(_) => ColumnType::Clock(form),
            other => other,
        }))
    }
}

/// What a column of lists has lists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Texts of at most `max` characters if given.
    Text {
        /// The declared length.
        max: Option<u32>,
    },
    /// Integers.
    Integer,
}

/// How many digits `NUMERIC(precision, scale)` keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    /// In all.
    pub precision: u32,
    /// After the decimal point; at most `precision`.
    pub scale: u32,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnType,
    /// The type as declared, for messages and comparisons.
    pub declared: String,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// The default as the database shows it (SQL text).
    pub default: Option<String>,
    /// The position in the primary key, from 1; 0 when it is not part of it.
    pub primary_key: u32,
}

impl Column {
    /// Notes the form in which a set says that times of its type are written; one that cannot be used is left out.
    pub fn write_as(&mut self, entries: &[WrittenAs]) {
        let entry = entries.iter().find(|entry| declares(&self.declared, &entry.declared));
        if let Some(Ok(kind)) = entry.and_then(|entry| self.kind.written_as(&entry.form)) {
            self.kind = kind;
        }
    }
}

/// A reference to another table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeignKey {
    /// The columns of this table.
    pub columns: Vec<String>,
    /// The table pointed at.
    pub table: String,
    /// The columns pointed at, in the same order.
    pub to: Vec<String>,
    /// What becomes of this row when the other one's key changes (`CASCADE`…), if anything.
    pub on_update: Option<String>,
    /// What becomes of this row when the other one goes, if anything.
    pub on_delete: Option<String>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in the order of the database.
    pub columns: Vec<Column>,
    /// Column lists that are unique: the primary key first, then unique indexes and constraints.
    pub unique: Vec<Vec<String>>,
    /// References to other tables.
    pub foreign_keys: Vec<ForeignKey>,
    /// Columns that the database computes itself; nothing can be written into them.
    pub computed: Vec<String>,
    /// What every row must fulfil besides: the conditions of `CHECK`, in one written form.
    pub checks: Vec<String>,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The names of the primary key's columns, in its order.
    pub fn primary_key(&self) -> Vec<&str> {
        let mut key: Vec<_> = self.columns.iter().filter(|column| column.primary_key > 0).collect();
        key.sort_by_key(|column| column.primary_key);
        key.into_iter().map(|column| column.name.as_str()).collect()
    }

    /// Whether a column of it can never be NULL.
    pub fn must_have_value(&self, column: &Column) -> bool {
        column.not_null || (column.primary_key > 0 && self.integer_key() != Some(&column.name))
    }

    /// The columns without which no row can be started.
    pub fn columns_needed(&self) -> impl Iterator<Item = &Column> {
        let needed = self.columns.iter().filter(|column| self.must_have_value(column) && column.default.is_none());
        needed.filter(|column| self.integer_key() != Some(&column.name))
    }

    /// The single integer primary key, which the engine may count on by itself (a *given id*).
    pub fn integer_key(&self) -> Option<&str> {
        match self.primary_key().as_slice() {
            [one] if self.column(one)?.kind == ColumnType::Integer => Some(self.column(one)?.name.as_str()),
            _ => None,
        }
    }
}

/// A numbered pair of SQL files of a mapping set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The version as recorded: the header's `version`, else the file stem without `.up`.
    pub version: String,
    /// The header's `description`, else empty.
    pub description: String,
    /// The header's `depends`: versions that must be applied before.
    pub depends: Vec<String>,
    /// The header's `after: rows`: what it makes only serves reading, and a new database gets it after its rows.
    pub after_rows: bool,
    /// The header's `only with: table NAME`: it is not needed where this table is not there.
    pub only_with: Option<String>,
    /// The header's `irreversible`: why it cannot be rolled back.
    pub irreversible: Option<String>,
    /// The header's `ids` lines: tables that are filled before its SQL runs.
    pub ids: Vec<IdsLine>,
    /// The header's `ledger` lines: how keys of rows change that runs wrote.
    pub ledger: Vec<LedgerLine>,
    /// Those of the down file.
    pub down_ledger: Vec<LedgerLine>,
    /// The SQL that makes it.
    pub up: String,
    /// The SQL that rolls it back.
    pub down: Option<String>,
    /// SHA-256 of the up file, lower-case hex.
    pub checksum: String,
    /// The up file's path as the user would write it.
    pub path: String,
    /// The down file's path, where there is one.
    pub down_path: Option<String>,
}

/// Ids that are made of rows of the database: `-- ids: TABLE(COLUMN, …, ID) = EXPRESSION FROM SELECT …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdsLine {
    /// The table that they are written into, which an earlier migration makes.
    pub table: String,
    /// Its columns: those that the query gives, by which the expression calls them, then the one of the id.
    pub columns: Vec<String>,
    /// An expression of mappings, in TOML.
    pub expression: String,
    /// Gives the rows.
    pub query: String,
    /// The file.
    pub path: String,
    /// Its line.
    pub line: u32,
    /// `FILE:LINE`.
    pub place: String,
}

/// How the keys of a table's rows change by a migration: `-- ledger: TABLE [from OLD_TABLE] SELECT old, new FROM …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerLine {
    /// The table that the rows are in behind the migration.
    pub table: String,
    /// The table that they were in, where that is another one.
    pub from: Option<String>,
    /// Gives the key that each row had, and the one that it has; a key of several columns as several.
    pub query: String,
    /// `FILE:LINE`.
    pub place: String,
}

impl LedgerLine {
    /// The table that the rows were in.
    pub fn old_table(&self) -> &str {
        self.from.as_deref().unwrap_or(&self.table)
    }
}

impl Migration {
    /// The same without those that it depends on, which the record of a database shows to be applied, or not to be needed.
    pub fn alone(&self) -> Self {
        Self { depends: Vec::new(), ..self.clone() }
    }

    /// The path of the down file: the one that is there, or that is missing.
    pub fn down_path(&self) -> String {
        self.down_path.clone().unwrap_or_else(|| self.path.replace(".up.", ".down."))
    }
}

/// All tables that the migrations of a mapping set make.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// By name.
    pub tables: BTreeMap<String, Table>,
}

impl Schema {
    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// Every reference to a table, each with the table that has it.
    pub fn references_to<'s>(&'s self, table: &'s str) -> impl Iterator<Item = (&'s Table, &'s ForeignKey)> {
        let of = move |child: &'s Table| child.foreign_keys.iter().map(move |key| (child, key));
        self.tables.values().flat_map(of).filter(move |(_, key)| key.table.eq_ignore_ascii_case(table))
    }

    /// The tables, each behind those that it references as far as no circle forbids it, else by name.
    pub fn parents_first(&self) -> Vec<&Table> {
        let mut left: Vec<&Table> = self.tables.values().collect();
        let mut ordered: Vec<&Table> = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let waits = |table: &Table| {
                let parents = table.foreign_keys.iter().filter(|key| key.table != table.name);
                parents.into_iter().any(|key| left.iter().any(|other| other.name == key.table))
            };
            let next = left.iter().position(|table| !waits(table)).unwrap_or_default();
            ordered.push(left.remove(next));
        }
        ordered
    }

    /// Notes the forms in which a set says that times are written; those that cannot be used are left out.
    pub fn write_as(&mut self, entries: &[WrittenAs]) {
        self.tables.values_mut().flat_map(|table| &mut table.columns).for_each(|column| column.write_as(entries));
    }

    /// Takes over the forms of columns that are declared alike.
    pub fn take_forms(&mut self, from: &Schema) {
        for table in self.tables.values_mut() {
            for column in &mut table.columns {
                let known = from.table(&table.name).and_then(|table| table.column(&column.name));
                let alike = known.filter(|known| known.declared.eq_ignore_ascii_case(&column.declared));
                column.kind = alike.map_or(column.kind, |known| known.kind);
            }
        }
    }

    /// The type of a column that is there; else it is not known.
    pub fn kind(&self, table: &str, column: &str) -> ColumnType {
        let column = self.table(table).and_then(|table| table.column(column));
        column.map_or(ColumnType::Unknown, |column| column.kind)
    }
}

/// Whether a column is declared with the type of an entry, in either case: with its length or without.
pub fn declares(column: &str, entry: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
    let (column, entry) = (words(column), words(entry));
    column == entry || column.split_once('(').is_some_and(|(word, _)| word.trim_end() == entry)
}

/// What a mapping set wishes of the database that it is moved into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The table that migrations are recorded in; none for the usual one.
    pub record: Option<String>,
    /// Whether a new file has a write-ahead log, for engines that have a file.
    pub is_wal: bool,
}

/// An application's own record of the version that its schema has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRecord {
    /// The table.
    pub table: String,
    /// The column that holds the version.
    pub column: String,
    /// The columns that tell the row from others, each with its value; none where the table has no other row.
    pub row: Vec<(String, String)>,
    /// What the application calls the version that a migration leads to, by the migration's version.
    pub names: Vec<(String, String)>,
    /// The line in its file.
    pub line: u32,
}

/// An application's own table for entries. Where a database does not have it, `treelift_audit` is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditTable {
    /// The table.
    pub table: String,
    /// Each column and the part of the entry that it takes.
    pub columns: Vec<(String, AuditPart)>,
    /// The forms in which its set says that times are written.
    pub written: Vec<WrittenAs>,
}

/// A part of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditPart {
    /// The entry's id.
    Id,
    /// What was done.
    Action,
    /// What it was done to.
    Subject,
    /// Which one.
    Record,
    /// In words.
    Reason,
    /// For programs.
    Details,
    /// treelift and its version.
    Program,
    /// When.
    Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_behind_those_they_reference() {
        let table = |name: &str, parents: &[&str]| {
            let key = |parent: &&str| ForeignKey { table: (*parent).to_owned(), ..ForeignKey::default() };
            let foreign_keys = parents.iter().map(key).collect();
            (name.to_owned(), Table { name: name.to_owned(), foreign_keys, ..Table::default() })
        };
        let tables = [table("a", &["c", "a"]), table("b", &["d"]), table("c", &[]), table("d", &["b"])];
        let schema = Schema { tables: tables.into() };
        let names: Vec<&str> = schema.parents_first().iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["c", "a", "b", "d"]);
    }

    #[test]
    fn an_entry_is_for_every_length_of_its_type_or_for_one() {
        for (column, entry, expected) in [
            ("DATETIME", "datetime", true),
            ("VARCHAR(20)", "VARCHAR", true),
            ("VARCHAR(20)", "varchar(20)", true),
            ("VARCHAR(20)", "VARCHAR(30)", false),
            ("TIMESTAMP  WITH TIME ZONE", "timestamp with time zone", true),
            ("TIMESTAMP", "TIME", false),
        ] {
            assert_eq!(declares(column, entry), expected, "{column} {entry}");
        }
    }
}
