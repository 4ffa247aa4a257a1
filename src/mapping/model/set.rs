//! Sets: what set.toml says, and the mappings beside it.

use super::mapping::Mapping;
use super::owners::{Owners, Pattern, Unknown};
use super::reads::{ReadAs, Reads};
use super::rule::{Protection, Rule};
use crate::mapping::walk::{self, Read};
use crate::table::{AuditTable, Column, Migration, VersionRecord, Wishes};
use crate::written::WrittenAs;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `[strings]`: what happens to strings and names that not every database or file system keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Strings {
    /// `lone_surrogate = "replace"`.
    pub replace_lone_surrogates: bool,
    /// `nul`.
    pub nul: WhatOfNul,
    /// `case_twins = "keep"`.
    pub keep_case_twins: bool,
}

/// `nul` under `[strings]`: what becomes of U+0000 in a string.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhatOfNul {
    /// A record that would put it into a column of text is rejected.
    #[default]
    Reject,
    /// It becomes U+FFFD.
    Replace,
    /// It is kept.
    Keep,
}

/// `journal`: what a new SQLite file keeps while it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Journal {
    /// A rollback journal, which is deleted.
    Delete,
    /// A write-ahead log.
    Wal,
}

/// A folder of mappings with the schema they write into.
#[derive(Debug, Default)]
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
    /// `[reads]`: how values are read on their way into columns of a declared type.
    pub reads: Vec<Reads>,
    /// `[written]`: how times of a declared type are written as text.
    pub written: Vec<WrittenAs>,
    /// `[ignore]`: file patterns with their reasons.
    pub ignore: Vec<IgnoreFiles>,
    /// `unknown_members = "refuse"`: what only a catch-all caught is an error.
    pub refuse_unknown: bool,
    /// `[strings]`.
    pub strings: Strings,
    /// `[[assert]]`: the set's own checks of the target.
    pub assertions: Vec<Assertion>,
    /// `[isolation] column`: the column that says whose a row is, where an application has several tenants.
    pub isolation: Option<Isolation>,
    /// `[audit]`: the application's own table for what was done to the database.
    pub audit: Option<AuditTable>,
    /// `migrations_table`: where migrations are recorded.
    pub migrations_table: Option<RecordName>,
    /// `journal`: what a new file keeps for a rollback.
    pub journal: Option<Journal>,
    /// `[version]`: the application's own record of its version.
    pub version: Option<VersionRecord>,
    /// `[other_tables]`: tables that the application makes by itself, with the reason.
    pub other_tables: Vec<(String, String)>,
    /// `[after] message`: what the application still needs after an import that sealed something.
    pub after: Option<String>,
    /// `[hand_over.fernet]`: how the application itself reads what `credentials hand-over` writes.
    pub fernet: Option<FernetForm>,
    /// The mappings, by name.
    pub mappings: Vec<Mapping>,
    /// `schema/NNN_name.up.sql` and `.down.sql`, in order: those of the engine that the set speaks, at first SQLite.
    pub migrations: Vec<Migration>,
    /// Those of every other engine for which a migration has a file of its own, `NNN_name.up.ENGINE.sql`.
    pub variants: BTreeMap<String, Vec<Migration>>,
    /// SHA-256 over all files of the set (sorted by name; name and content), lower-case hex.
    pub digest: String,
    /// The absolute path of its folder; `None` for a set that is part of the program.
    pub lies_in: Option<PathBuf>,
}

/// The engine that sets are written for.
const FIRST: &str = "sqlite";
/// What columns of times are declared as there alone, and what every other engine calls them.
const TIMES: (&str, &str) = ("DATETIME", "TIMESTAMP");

impl Set {
    /// Takes the migrations and assertions of an engine for those of the set.
    pub fn speak(&mut self, engine: &str) {
        if let Some(of_engine) = self.variants.remove(engine) {
            self.migrations = of_engine;
        }
        if engine != FIRST {
            // Its columns of times have a type of their own, and no form of text.
            self.written.clear();
            let has_entry = self.reads.iter().any(|reads| reads.declared.eq_ignore_ascii_case(TIMES.1));
            self.reads.retain(|reads| !has_entry || !reads.declared.eq_ignore_ascii_case(TIMES.0));
            let times = self.reads.iter_mut().filter(|reads| reads.declared.eq_ignore_ascii_case(TIMES.0));
            times.for_each(|reads| TIMES.1.clone_into(&mut reads.declared));
        }
        self.assertions.retain(|assertion| assertion.engine.as_deref().is_none_or(|only| only == engine));
    }

    /// Every rule with its mapping, in order.
    pub fn rules(&self) -> impl Iterator<Item = (&Mapping, &Rule)> {
        self.mappings.iter().flat_map(|mapping| mapping.rules.iter().map(move |rule| (mapping, rule)))
    }

    /// How a column reads a value that is not of its type.
    pub fn reads(&self, column: &Column) -> Option<ReadAs> {
        ReadAs::of(&self.reads, &column.declared, column.kind)
    }

    /// The table that the set names for the record of migrations.
    pub fn record_table(&self) -> Option<&str> {
        self.migrations_table.as_ref().map(|table| table.name.as_str())
    }

    /// What it wishes of its database.
    pub fn wishes(&self) -> Wishes {
        Wishes { record: self.record_table().map(str::to_owned), is_wal: self.journal == Some(Journal::Wal) }
    }

    /// Whether a rule seals something, so that a run needs a key.
    pub fn seals(&self) -> bool {
        self.rules().any(|(_, rule)| rule.sealed().next().is_some())
    }

    /// Whether a rule hashes something.
    pub fn hashes(&self) -> bool {
        self.rules().any(|(_, rule)| rule.protected().any(|(_, protection)| protection == Protection::Hash))
    }

    /// The set's name, the names of its mappings, and every reason that it gives.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        let files = self.ignore.iter().map(|ignore| ignore.reason.as_str());
        let unknown = self.owners.iter().filter_map(|owners| match &owners.unknown {
            Unknown::Ignore(reason) => Some(reason.as_str()),
            Unknown::Refuse => None,
        });
        let of_mappings = self.mappings.iter().flat_map(|mapping| {
            let names = mapping.ignore_names.iter().map(|ignored| ignored.reason.as_str());
            let paths = mapping.ignore.iter().map(|(_, reason, _)| reason.as_str()).chain(names);
            let source = [&mapping.source.optional, &mapping.source.blank].into_iter().flatten().map(String::as_str);
            let shapes = mapping.source.shapes.iter();
            let shapes = shapes.flat_map(|shape| [&shape.otherwise, &shape.ignore]).flatten().map(String::as_str);
            let rules = mapping.rules.iter().flat_map(|rule| {
                let dropped = rule.drops.iter().map(|drop| drop.reason.as_str());
                let declassified = rule.columns.iter().filter_map(|column| column.declassify.as_deref());
                dropped.chain(declassified).chain(lossy(rule))
            });
            paths.chain(source).chain(shapes).chain(rules).chain([mapping.name.as_str()])
        });
        let ownerless = self.owners.iter().filter_map(|owners| owners.ownerless_ignored.as_deref());
        files.chain(unknown).chain(ownerless).chain(of_mappings).chain([self.name.as_str()])
    }
}

/// Why the expressions of a rule may lose something.
fn lossy(rule: &Rule) -> Vec<&str> {
    let mut reasons = Vec::new();
    for expr in rule.exprs() {
        walk::expr(expr, &mut |visit| {
            if let Read::Lossy(expr) = visit.read {
                reasons.extend(expr.lossy.iter().map(|lossy| lossy.reason.as_str()));
            }
        });
    }
    reasons
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

/// `[isolation]`: each reference between two tables that have a column leads to a row with the same value in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Isolation {
    /// The column that says whose a row is.
    pub column: String,
    /// The version of the migration without which it is not asked.
    pub since: Option<String>,
    /// Its line in set.toml.
    pub line: u32,
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
    /// What the query must give.
    pub gives: Gives,
    /// The indexes that the query must go by.
    pub uses: Vec<String>,
    /// The version of the migration without which it is not asked.
    pub since: Option<String>,
    /// The version of the last migration with which it is asked: behind a later one it is not.
    pub until: Option<String>,
    /// The one engine that it is asked of.
    pub engine: Option<String>,
    /// Its line in set.toml.
    pub line: u32,
}

/// What the query of an assertion must give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gives {
    /// No row: each is wrong.
    None,
    /// At least one row.
    Rows,
    /// After a change of the schema the rows that it gave before it.
    Same,
    /// Whatever it gives is shown.
    Shown,
    /// Whatever it gives: only how it is answered matters. No word stands for it.
    #[serde(skip)]
    Anything,
}

/// Where an assertion is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
