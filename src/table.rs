//! Tables and columns of a target as the engine sees them. Read from a database, never from SQL text.

use std::collections::BTreeMap;

/// Where migrations are recorded when another program has a `schema_migrations` with other columns: the only
/// `treelift_…` table that a set may name for them.
pub const OWN_RECORD: &str = "treelift_migrations";

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
    Time,
    /// A day.
    Date,
    /// A moment, of whatever zone.
    Zoned,
    /// A time of day, as text.
    Clock,
    /// A UUID, as text.
    Uuid,
    /// A small integer that programs take for true or false.
    Flag,
    /// A JSON document.
    Json,
    /// Bytes.
    Blob,
    /// No type is declared: every scalar is kept as it is.
    Untyped,
    /// A type that treelift does not know; no rule can write such a column.
    Unknown,
}

impl ColumnType {
    /// Whether a time may stand in such a column in another form of the same meaning.
    pub fn is_time(self) -> bool {
        matches!(self, ColumnType::Time | ColumnType::Zoned)
    }
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
    /// The SQL that makes it.
    pub up: String,
    /// The SQL that rolls it back.
    pub down: Option<String>,
    /// SHA-256 of the up file, lower-case hex.
    pub checksum: String,
    /// The up file's path as the user would write it.
    pub path: String,
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

    /// The type of a column that is there; else it is not known.
    pub fn kind(&self, table: &str, column: &str) -> ColumnType {
        let column = self.table(table).and_then(|table| table.column(column));
        column.map_or(ColumnType::Unknown, |column| column.kind)
    }
}

/// An application's own table for entries. Where a database does not have it, `treelift_audit` is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditTable {
    /// The table.
    pub table: String,
    /// Each column and the part of the entry that it takes.
    pub columns: Vec<(String, AuditPart)>,
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
