//! The mapping language as data. `mappings/README.md` is its reference; the names here are its words.

use crate::document::tape::Selection;
use crate::finding::{FILE_EMPTY, Finding};
pub use crate::step::Literal;
use crate::step::Step;
use crate::table::{AuditTable, Migration};
use regex::Regex;

/// A folder of mappings with the schema they write into.
#[derive(Debug)]
pub struct Set {
    /// `name`.
    pub name: String,
    /// `description`.
    pub description: String,
    /// The folder as the user would write it; `mappings/NAME` for a bundled set.
    pub folder: String,
    /// How a source tree of this set is recognised.
    pub recognise: Option<Recognise>,
    /// `database`: the target when nothing else names one.
    pub database: Option<String>,
    /// `namespace` of `uuid5`.
    pub namespace: Option<uuid::Uuid>,
    /// `[owners]`.
    pub owners: Option<Owners>,
    /// `[precedence]`: for each target table, the feeders in reading order.
    pub precedence: Vec<Precedence>,
    /// `[ignore]`: file patterns with their reasons.
    pub ignore: Vec<IgnoreFiles>,
    /// `unknown_members = "refuse"`: what only a catch-all caught is an error.
    pub refuse_unknown: bool,
    /// `[[assert]]`: the set's own checks of the target.
    pub assertions: Vec<Assertion>,
    /// `[audit]`: the application's own table for what was done to the database.
    pub audit: Option<AuditTable>,
    /// `migrations_table`: where migrations are recorded.
    pub migrations_table: Option<RecordName>,
    /// `[other_tables]`: tables that the application makes by itself, with the reason.
    pub other_tables: Vec<(String, String)>,
    /// `[after] message`: what the application still needs after an import that sealed something.
    pub after: Option<String>,
    /// `[hand_over.fernet]`: how the application itself reads what `credentials hand-over` writes.
    pub fernet: Option<FernetForm>,
    /// The mappings, by name.
    pub mappings: Vec<Mapping>,
    /// `schema/NNN_name.up.sql` and `.down.sql`, in order.
    pub migrations: Vec<Migration>,
    /// SHA-256 over all files of the set (sorted by name; name and content), lower-case hex.
    pub digest: String,
}

impl Set {
    /// The table that the set names for the record of migrations.
    pub fn record_table(&self) -> Option<&str> {
        self.migrations_table.as_ref().map(|table| table.name.as_str())
    }

    /// Whether a rule seals something, so that a run needs a key.
    pub fn seals(&self) -> bool {
        let rules = self.mappings.iter().flat_map(|mapping| &mapping.rules);
        rules.flat_map(|rule| &rule.secrets).any(|secret| secret.kind == SecretKind::Seal)
    }
}

/// `migrations_table`: the name of the table that records migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordName {
    /// A plain SQL identifier.
    pub name: String,
    /// Where set.toml says it.
    pub line: u32,
}

/// `[hand_over.fernet]`: the application's own form of a secret, a Fernet token under a key that it
/// derives from a password and a salt of its surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FernetForm {
    /// `password`: environment variables; the first that is set holds the password.
    pub password: Vec<String>,
    /// `salt.environment`: the variable that holds the salt, if it is set.
    pub salt_variable: Option<String>,
    /// `salt.default`: the salt when that is not set.
    pub salt: String,
    /// `salt.bytes` and `salt.fill`: cut to so many bytes, or filled up to them with this character.
    pub salt_fit: Option<(usize, char)>,
    /// `rounds` of PBKDF2-HMAC-SHA-256.
    pub rounds: u32,
    /// `base64`: the token's text is put in base64 once more.
    pub base64: bool,
    /// `keep_empty`: an empty text stays empty, and is no token.
    pub keep_empty: bool,
    /// `message`: what else the application needs after a hand-over.
    pub message: Option<String>,
}

/// `recognise = { files = [...], below = [...] }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognise {
    /// Every one of these files is there…
    pub files: Vec<String>,
    /// …below one of these folders of SOURCE, which then is the import root.
    pub below: Vec<String>,
}

/// An entry of `[[assert]]`: a question in SQL whose answer is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// What holds, as the report names it.
    pub name: String,
    /// The category under which it is reported.
    pub category: AssertCategory,
    /// A query that changes nothing.
    pub sql: String,
    /// Whether the query must give rows, or must give none.
    pub gives_rows: bool,
    /// The version of the migration without which it is not asked.
    pub needs: Option<String>,
    /// Its line in set.toml.
    pub line: u32,
}

/// Where an assertion is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertCategory {
    /// With the rows.
    Data,
    /// With sealed values and the file's mode.
    Security,
}

/// An entry of `[precedence]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precedence {
    /// The target table.
    pub table: String,
    /// What feeds it, in reading order: `mapping` or `mapping.rule`.
    pub feeders: Vec<String>,
    /// Its line in set.toml.
    pub line: u32,
}

/// A file pattern that is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreFiles {
    /// Which files.
    pub pattern: Pattern,
    /// Why.
    pub reason: String,
}

/// `[owners]`: a path segment that names an owner.
#[derive(Debug)]
pub struct Owners {
    /// The capture that names the owner's directory.
    pub capture: String,
    /// The table whose rows are owners.
    pub table: String,
    /// Ways to find the owner of a directory; the first that hits wins.
    pub find: Vec<Find>,
    /// What happens to a directory that no owner matches.
    pub unknown: Unknown,
    /// What happens to files without an owner that feed rows that need one.
    pub ownerless: Option<Ownerless>,
    /// The line in set.toml.
    pub line: u32,
}

/// One way to find an owner.
#[derive(Debug)]
pub struct Find {
    /// The owner table's column to compare with.
    pub by: String,
    /// Steps on the column before it is compared.
    pub column_steps: Vec<Step>,
    /// What is compared; the directory's name when absent. Only `#owner` can be used in it.
    pub from: Option<Expr>,
    /// The directory is another name for an owner that may have one under its id.
    pub alias: bool,
}

/// What happens to a directory that no owner matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// An error finding.
    Refuse,
    /// Its files are ignored with this reason, and listed.
    Ignore(String),
}

/// What happens to files without an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownerless {
    /// They belong to the only row of the owner table, else to `--owner ID`, else as `unknown`.
    OnlyUser,
}

/// A file pattern below the import root, segment by segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// As written.
    pub text: String,
    /// Its segments.
    pub segments: Vec<PatternSegment>,
}

/// One segment of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternSegment {
    /// `users`.
    Literal(String),
    /// A literal start and end around captures or `*`: `batch_{id}.json`, `*.json`, `{owner}`.
    Mixed(Vec<PatternPiece>),
    /// `**`: any number of segments, none included.
    Any,
}

/// A piece of a mixed segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternPiece {
    /// These characters.
    Literal(String),
    /// `{name}`: at least one character, captured.
    Capture(String),
    /// `*`: any characters, none included.
    Star,
}

/// One source file type.
#[derive(Debug)]
pub struct Mapping {
    /// The file's stem.
    pub name: String,
    /// The TOML file as the user would write it.
    pub file: String,
    /// `description`.
    pub description: String,
    /// `[source]`.
    pub source: Source,
    /// `expected`: what catch-alls are known to keep.
    pub expected: Vec<Covering>,
    /// `[ignore]`: what it covers, the reason and the line of each entry.
    pub ignore: Vec<(Covering, String, u32)>,
    /// `[declassify]`: selections that look like secrets and are none, each with its reason and line.
    pub declassify: Vec<(Covering, String, u32)>,
    /// `[table.X]`, in the order of the file.
    pub rules: Vec<Rule>,
}

/// A selection with what it starts from: the record (also inside `each`: the element) or the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rooted {
    /// What it starts from; only `Element`, `Record` and `Frame`.
    pub root: Root,
    /// Its segments.
    pub selection: Selection,
}

impl std::fmt::Display for Rooted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let prefix = match self.root {
            Root::Record => "@",
            Root::Frame => "$",
            _ => return self.selection.fmt(f),
        };
        match self.selection.0.first() {
            None => f.write_str(prefix),
            // A bracket follows the prefix at once, a name after a dot.
            Some(_) => {
                let text = self.selection.to_string();
                write!(f, "{prefix}{}{text}", if text.starts_with('[') { "" } else { "." })
            }
        }
    }
}

/// Which values an entry of `expected`, `[ignore]` or `[declassify]` covers.
///
/// A selection alone is narrow: it covers a scalar, null or an empty container at its place. With `.**` behind it, it
/// covers that and everything below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covering {
    /// The place.
    pub rooted: Rooted,
    /// `.**`: with everything below.
    pub below: bool,
}

impl std::fmt::Display for Covering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.below, self.rooted.to_string().as_str()) {
            (false, text) => f.write_str(text),
            (true, ".") => f.write_str("**"),
            (true, text) => write!(f, "{text}.**"),
        }
    }
}

impl Set {
    /// The set's name, the names of its mappings, and every reason that it gives.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        let files = self.ignore.iter().map(|ignore| ignore.reason.as_str());
        let unknown = self.owners.iter().filter_map(|owners| match &owners.unknown {
            Unknown::Ignore(reason) => Some(reason.as_str()),
            Unknown::Refuse => None,
        });
        let of_mappings = self.mappings.iter().flat_map(|mapping| {
            let paths = mapping.ignore.iter().chain(&mapping.declassify).map(|(_, reason, _)| reason.as_str());
            let source = [&mapping.source.optional, &mapping.source.blank].into_iter().flatten().map(String::as_str);
            let shapes = mapping.source.shapes.iter();
            let shapes = shapes.flat_map(|shape| [&shape.otherwise, &shape.ignore]).flatten().map(String::as_str);
            let secrets = mapping.rules.iter().flat_map(|rule| &rule.secrets).flat_map(|secret| {
                let dropped = match &secret.kind {
                    SecretKind::Drop(reason) => Some(reason.as_str()),
                    SecretKind::Seal => None,
                };
                dropped.into_iter().chain(secret.declassify.as_deref())
            });
            paths.chain(source).chain(shapes).chain(secrets).chain([mapping.name.as_str()])
        });
        files.chain(unknown).chain(of_mappings).chain([self.name.as_str()])
    }
}

impl Mapping {
    /// Why a blank file loses nothing, if being blank is its only fault.
    pub fn excuse(&self, findings: &[Finding]) -> Option<&str> {
        let blank = findings.iter().all(|finding| finding.code.id == FILE_EMPTY.id);
        self.source.blank.as_deref().filter(|_| blank)
    }
}

/// `[source]`.
#[derive(Debug)]
pub struct Source {
    /// `files`, in order.
    pub files: Vec<Pattern>,
    /// `format`.
    pub format: Format,
    /// `optional = "reason"`: read only with `--with`.
    pub optional: Option<String>,
    /// `blank = "reason"`.
    pub blank: Option<String>,
    /// `newest`: the files of one owner are read newest first by the first of these that is there.
    pub newest: Vec<PathExpr>,
    /// `[[source.shape]]`; never empty (one without name, `when` and `records` when none is written).
    pub shapes: Vec<Shape>,
}

/// `format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// The file is one text.
    Text,
    /// JSON if the first byte that is not whitespace is `{` or `[`, else one string.
    Sniff,
}

/// One historical form of a file type.
#[derive(Debug)]
pub struct Shape {
    /// `name`; empty for the implied shape.
    pub name: String,
    /// `when`; without it the shape takes the rest.
    pub when: Option<Condition>,
    /// `records`; without it the document is the one record.
    pub records: Option<Selection>,
    /// `key_as`: the context name of the member name that the last `.*` matched.
    pub key_as: Option<String>,
    /// `otherwise`: why the leaves of a record that no rule took are ignored.
    pub otherwise: Option<String>,
    /// `ignore`: this shape carries nothing.
    pub ignore: Option<String>,
    /// Its line.
    pub line: u32,
}

/// One `[table.NAME]`.
#[derive(Debug, Default)]
pub struct Rule {
    /// NAME.
    pub name: String,
    /// `into`, by default NAME.
    pub into: String,
    /// `key`: what identifies a row.
    pub key: Vec<KeyPart>,
    /// `each`: an element makes the row; the first selection that selects something.
    pub each: Vec<Rooted>,
    /// `key_as`: the context name of the member name that the last `.*` of `each` matched.
    pub key_as: Option<String>,
    /// `parent`: a rule of the same mapping whose row this one hangs on.
    pub parent: Option<String>,
    /// `when`.
    pub when: Option<Condition>,
    /// `shapes`; empty for all.
    pub shapes: Vec<String>,
    /// `let`: named expressions, written nowhere.
    pub lets: Vec<(String, Expr)>,
    /// `on_duplicate`.
    pub on_duplicate: OnDuplicate,
    /// `[table.NAME.columns]`.
    pub columns: Vec<ColumnRule>,
    /// `[table.NAME.secrets]`.
    pub secrets: Vec<SecretRule>,
    /// Its line.
    pub line: u32,
}

impl Rule {
    /// The key's columns, when every part is a column: then the key stands in the target too.
    pub fn key_columns(&self) -> Option<Vec<&str>> {
        if self.key.is_empty() {
            return None;
        }
        self.key
            .iter()
            .map(|part| match part {
                KeyPart::Column(name) => Some(name.as_str()),
                KeyPart::Path(_) => None,
            })
            .collect()
    }
}

/// A part of a rule's key.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyPart {
    /// A column of the rule.
    Column(String),
    /// A path, written with its prefix.
    Path(PathExpr),
}

/// `on_duplicate`: what happens to a later row with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDuplicate {
    /// It is a finding that names both places.
    #[default]
    Reject,
    /// It is superseded.
    First,
    /// It fills only columns that are NULL.
    Fill,
    /// It folds with the equal key of another feed; twins in one feed stay twins. A feed is one
    /// entry of `files` in one directory of the owner.
    Across,
}

/// One entry of `[table.NAME.columns]`.
#[derive(Debug)]
pub struct ColumnRule {
    /// The column.
    pub name: String,
    /// What is written into it.
    pub expr: Expr,
    /// `agrees_with`.
    pub agrees: Option<Agreement>,
    /// What happens when the value is missing.
    pub policies: Policies,
    /// Its line.
    pub line: u32,
}

/// `agrees_with`: what should give the same as a column; a difference is a warning.
#[derive(Debug)]
pub struct Agreement {
    /// The other expression.
    pub expr: Expr,
    /// `after`: what the application still needs after an import where they differ.
    pub after: Option<String>,
}

/// `on_missing`, `on_null`, `on_empty`, `on_error`, `default`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policies {
    /// The source has no such value.
    pub missing: Option<Policy>,
    /// The source has null.
    pub null: Option<Policy>,
    /// The result is the empty text.
    pub empty: Option<Policy>,
    /// `on_error = "null"`: a failed conversion becomes NULL, counted.
    pub error_null: bool,
    /// `default`.
    pub default: Option<Literal>,
}

/// What happens when a value is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The record is rejected.
    Reject,
    /// NULL.
    Null,
    /// The column's `default`.
    Default,
    /// No row; the rule did not take the record.
    Skip,
}

/// One entry of `[table.NAME.secrets]`.
#[derive(Debug)]
pub struct SecretRule {
    /// The column it is sealed into, or a label for one that is dropped.
    pub name: String,
    /// Where it comes from.
    pub expr: Expr,
    /// `kind`.
    pub kind: SecretKind,
    /// `need = true`: without it no row.
    pub need: bool,
    /// `default`: what is sealed when it is missing, null or empty.
    pub default: Option<String>,
    /// `declassify = "reason"`: the path may be used in plaintext as well.
    pub declassify: Option<String>,
    /// Its line.
    pub line: u32,
}

/// What happens to a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretKind {
    /// Sealed into the column.
    Seal,
    /// Written nowhere, for this reason.
    Drop(String),
}

/// What a value is made of.
#[derive(Debug, Clone)]
pub struct Expr {
    /// Where it comes from.
    pub from: From,
    /// `matching`: only a string that this matches is present.
    pub matching: Option<Regex>,
    /// `steps`, in order.
    pub steps: Vec<Step>,
    /// The line it is written on.
    pub line: u32,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub enum From {
    /// A path.
    Path(PathExpr),
    /// `value`.
    Literal(Literal),
    /// `null = true`.
    Null,
    /// A list: the first that is present.
    First(Vec<Expr>),
    /// `template`; with `each` a JSON list of one text per element.
    Template {
        /// Its pieces.
        pieces: Vec<TemplatePiece>,
        /// `each`.
        each: Option<Rooted>,
    },
    /// `join`; with `each` a JSON list of one text per element.
    Join {
        /// The parts; missing, null and empty ones are left out.
        parts: Vec<Expr>,
        /// `with`.
        with: String,
        /// `each`.
        each: Option<Rooted>,
    },
    /// `json`.
    Json(Box<JsonExpr>),
    /// `uuid5`, `md5`, `sha256`.
    Digest {
        /// Which.
        how: Digest,
        /// Of what: one expression, or a list.
        of: Vec<Expr>,
        /// Whether a list was written (its compact JSON is hashed even if it has one element).
        list: bool,
    },
    /// `lookup = "table.column"`.
    Lookup {
        /// The table.
        table: String,
        /// The column that is given.
        column: String,
        /// `by`.
        by: Vec<(String, Expr)>,
        /// `ignore_case`.
        ignore_case: bool,
    },
    /// `exists = TABLE`.
    Exists {
        /// The table.
        table: String,
        /// `by`.
        by: Vec<(String, Expr)>,
        /// `ignore_case`.
        ignore_case: bool,
        /// `then`.
        then: Literal,
        /// `else`.
        otherwise: Literal,
    },
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub enum TemplatePiece {
    /// These characters.
    Text(String),
    /// `{path}`.
    Path(PathExpr),
}

/// `json`.
#[derive(Debug, Clone)]
pub enum JsonExpr {
    /// The value of an expression, without the selections of `without`.
    Value {
        /// The expression.
        of: Expr,
        /// `without`, relative to the value.
        without: Vec<Selection>,
    },
    /// An object of named expressions.
    Table(Vec<(String, JsonExpr)>),
    /// An object built from a list.
    Each {
        /// The list: an expression that gives one (a path to an array, or a text that is split).
        each: Expr,
        /// The member's name, from the element.
        key: Expr,
        /// The member's value, from the element.
        value: Box<JsonExpr>,
    },
}

/// A hash that is used as an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// UUID version 5 (RFC 9562, section 5.5) in the set's namespace.
    Uuid5,
    /// MD5 (RFC 1321), lower-case hex.
    Md5,
    /// SHA-256 (FIPS 180-4), lower-case hex.
    Sha256,
}

/// A path: at most one node.
#[derive(Debug, Clone, PartialEq)]
pub struct PathExpr {
    /// What it starts from.
    pub root: Root,
    /// Its steps.
    pub steps: Vec<PathStep>,
}

/// What a path starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// No prefix, or `.`: the current element.
    Element,
    /// `@`: the record.
    Record,
    /// `$`: the frame.
    Frame,
    /// `^col`: a column of the parent row.
    Parent(String),
    /// `=name`: another column, or a `let`.
    Column(String),
    /// `#name`, `#owner.id`: context.
    Context(String),
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum PathStep {
    /// A member.
    Name(String),
    /// `[member = literal]`: the first element whose member equals the literal.
    Pick {
        /// The member that is compared.
        member: String,
        /// The literal.
        equals: Literal,
    },
}

/// `when`. Conditions claim nothing.
#[derive(Debug, Clone)]
pub enum Condition {
    /// Every path is there (null counts).
    Members(Vec<PathExpr>),
    /// Every path has the literal's value.
    Equals(Vec<(PathExpr, Literal)>),
    /// Every path has the type.
    Type(Vec<(PathExpr, TypeName)>),
    /// Every path is a string that the expression matches.
    Matches(Vec<(PathExpr, Regex)>),
    /// The document has the type.
    Root(TypeName),
    /// `exists` (true) or `absent` (false).
    Exists {
        /// The table.
        table: String,
        /// `by`.
        by: Vec<(String, Expr)>,
        /// Which of the two.
        wanted: bool,
    },
    /// One of them holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// All of them hold (several words in one table).
    All(Vec<Condition>),
}

/// A JSON type's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeName {
    /// `null`.
    Null,
    /// `boolean`.
    Boolean,
    /// `number`.
    Number,
    /// `string`.
    String,
    /// `array`.
    Array,
    /// `object`.
    Object,
}
