//! Which columns hold secrets, or should: registered ones, and ones whose names look like secrets.

use crate::database::SealedColumn;
use crate::database::cells::Registered;
use crate::error::{Error, Result};
use crate::mapping::model::Set;
use crate::mapping::secret_words::{claims_encryption, looks_secret};
use crate::mapping::suggest;
use crate::secret::cipher::{is_ours, key_id_of};
use crate::secret::fernet::{Wrapping, is_token};
use crate::table::{Column, ColumnType, Table};
use std::fmt;

/// A column by its name, `table.column`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnName {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

impl ColumnName {
    /// Reads `table.column`; the last point separates them.
    pub fn read(text: &str) -> Result<Self> {
        match text.rsplit_once('.') {
            Some((table, column)) if !table.is_empty() && !column.is_empty() => {
                Ok(Self { table: table.to_owned(), column: column.to_owned() })
            }
            _ => Err(Error::request(format!("`{text}` is not a column name")).hint("write it as `table.column`")),
        }
    }

    /// The name of a sealed column.
    pub fn of(column: &SealedColumn) -> Self {
        Self { table: column.table.clone(), column: column.column.clone() }
    }
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

/// What the text of a cell is, as far as it shows without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look<'t> {
    /// Sealed by treelift, under the key of this id.
    Sealed(&'t str),
    /// A token of Fernet.
    Fernet,
    /// A password hash.
    Hash,
    /// Plaintext.
    Plain,
    /// The empty string.
    Empty,
}

/// What a text is. In a registered column of a format, only that format counts: a password is
/// plaintext there even if it looks like a hash.
pub(super) fn look<'t>(text: &'t str, format: Option<&str>) -> Look<'t> {
    let sealed = || key_id_of(text).map(Look::Sealed);
    let fernet = || looks_handed_over(text).then_some(Look::Fernet);
    match format {
        _ if text.is_empty() => Look::Empty,
        Some(format) if is_ours(format) => sealed().unwrap_or(Look::Plain),
        Some(_) => fernet().unwrap_or(Look::Plain),
        None => sealed().or_else(fernet).unwrap_or(if is_hash(text) { Look::Hash } else { Look::Plain }),
    }
}

/// Whether a text has the form of a known hash of a password.
fn is_hash(text: &str) -> bool {
    const CRYPT: [&str; 10] = ["$2a$", "$2b$", "$2y$", "$argon2", "$scrypt$", "$pbkdf2", "$5$", "$6$", "$y$", "$7$"];
    const DJANGO: [&str; 5] = ["pbkdf2_sha256$", "pbkdf2_sha1$", "argon2$", "bcrypt_sha256$", "scrypt$"];
    let crypt = CRYPT.iter().any(|head| text.starts_with(head));
    (crypt && text.len() >= 50 || DJANGO.iter().any(|head| text.starts_with(head)) && text.len() >= 60)
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Text columns whose names look like secrets and that are not registered. All columns of a row stand for its
/// key, to look at it.
pub(super) fn suspects(tables: &[Table], registered: &[Registered]) -> impl Iterator<Item = SealedColumn> {
    let known: Vec<ColumnName> = registered.iter().map(|one| ColumnName::of(&one.column)).collect();
    let all = tables.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    let suspicious =
        all.filter(|(_, column)| keeps_text(column) && (looks_secret(&column.name) || claims_encryption(&column.name)));
    let whole = |(table, column): (&Table, &Column)| SealedColumn {
        table: table.name.clone(),
        column: column.name.clone(),
        key_columns: table.columns.iter().map(|column| column.name.clone()).collect(),
        row_filter: None,
    };
    suspicious.map(whole).filter(move |column| !known.contains(&ColumnName::of(column)))
}

/// A column of no known type is read as bytes, and SQLite keeps texts there as well.
fn keeps_text(column: &Column) -> bool {
    column.kind.is_json() || matches!(column.kind, ColumnType::Text { .. } | ColumnType::Blob)
}

/// The columns that a set seals, with the keys that its rules give their rows.
pub(super) fn of_set(set: &Set) -> Vec<SealedColumn> {
    let rules = set.mappings.iter().flat_map(|mapping| &mapping.rules);
    let mut columns: Vec<SealedColumn> = rules
        .filter_map(|rule| Some((rule, rule.key_columns()?)))
        .flat_map(|(rule, key)| {
            rule.sealed().map(move |secret| SealedColumn {
                table: rule.into.clone(),
                column: secret.name.clone(),
                key_columns: key.iter().map(|&name| name.to_owned()).collect(),
                row_filter: None,
            })
        })
        .collect();
    columns.sort();
    columns.dedup();
    columns
}

/// A named column, with the named key or one that identifies its rows.
pub(super) fn named(tables: &[Table], name: &ColumnName, key: &[String]) -> Result<SealedColumn> {
    let table = tables.iter().find(|table| table.name == name.table).ok_or_else(|| {
        let error = Error::request(format!("there is no table `{}`", name.table));
        error.hint(suggest::hint(&name.table, tables.iter().map(|table| table.name.as_str())))
    })?;
    let columns = || table.columns.iter().map(|column| column.name.as_str());
    for asked in key.iter().chain([&name.column]) {
        if !columns().any(|column| column == asked) {
            let error = Error::request(format!("there is no column `{}.{asked}`", name.table));
            return Err(error.hint(suggest::hint(asked, columns())));
        }
    }
    if key.contains(&name.column) {
        return Err(Error::request(format!("`{name}` cannot be part of the key of its own row")));
    }
    let key_columns = if key.is_empty() { natural_key(table, name)? } else { key.to_vec() };
    Ok(SealedColumn { table: name.table.clone(), column: name.column.clone(), key_columns, row_filter: None })
}

/// The unique columns that identify a row outside the database too. An integer that the database
/// generates does not: a row that is deleted and inserted again gets another.
fn natural_key(table: &Table, name: &ColumnName) -> Result<Vec<String>> {
    let generated = table.integer_key();
    let mut keys = table.unique.iter().filter(|key| !key.contains(&name.column) && generated != only(key));
    keys.next().cloned().ok_or_else(|| {
        Error::request(format!("`{name}` has no unique key to seal its values for")).hint(match generated {
            Some(id) => {
                format!("`--column {name} --key {id}` uses the generated `{id}`, `--except {name}` skips the column")
            }
            None => {
                format!("name columns that identify its rows with `--key`, or skip the column with `--except {name}`")
            }
        })
    })
}

fn only(key: &[String]) -> Option<&str> {
    match key {
        [one] => Some(one),
        _ => None,
    }
}

/// Whether a text has the form of a token, in either wrapping.
pub(super) fn looks_handed_over(text: &str) -> bool {
    is_token(text, Wrapping::Plain) || is_token(text, Wrapping::Base64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::cipher::FORMAT;

    #[test]
    fn a_column_is_named_with_its_table() {
        let name = ColumnName::read("main.people.pin").unwrap();
        assert_eq!((name.table.as_str(), name.column.as_str()), ("main.people", "pin"));
        for text in ["pin", ".pin", "people.", ""] {
            assert_eq!(ColumnName::read(text).unwrap_err().message, format!("`{text}` is not a column name"));
        }
    }

    #[test]
    fn what_a_text_looks_like_is_guessed_only_where_nothing_is_registered() {
        let sealed = "tl1.0011223344556677.AAAA";
        let bcrypt = "$2b$12$abcdefghijklmnopqrstuuKGjkqYVpNnZ6vYpBpJ8cT7p4p8m9qGe";
        assert_eq!(look(sealed, Some(FORMAT)), Look::Sealed("0011223344556677"));
        assert_eq!(look(sealed, None), Look::Sealed("0011223344556677"));
        assert_eq!(look(bcrypt, None), Look::Hash);
        assert_eq!(look(bcrypt, Some(FORMAT)), Look::Plain);
        assert_eq!(look("$2b$ is how my password begins", None), Look::Plain);
        assert_eq!(look(sealed, Some("fernet")), Look::Plain);
        assert_eq!(look("", Some(FORMAT)), Look::Empty);
    }

    fn table(keys: &[&[&str]]) -> Table {
        let column = |(at, name): (usize, &&str)| Column {
            name: (*name).to_owned(),
            kind: if *name == "id" { ColumnType::Integer } else { ColumnType::Text { max: None } },
            declared: String::new(),
            not_null: true,
            default: None,
            primary_key: u32::from(at == 0),
        };
        Table {
            name: "logins".to_owned(),
            columns: ["id", "person", "service", "pin"].iter().enumerate().map(column).collect(),
            unique: keys.iter().map(|key| key.iter().map(|&name| name.to_owned()).collect()).collect(),
            ..Table::default()
        }
    }

    #[test]
    fn a_natural_key_is_preferred_to_a_generated_one() {
        let pin = ColumnName::read("logins.pin").unwrap();
        let tables = [table(&[&["id"], &["person", "service"]])];
        assert_eq!(named(&tables, &pin, &[]).unwrap().key_columns, ["person", "service"]);
        let tables = [table(&[&["id"], &["pin"]])];
        let error = named(&tables, &pin, &[]).unwrap_err();
        assert_eq!(error.status(), 2);
        assert_eq!(
            error.to_string(),
            "`logins.pin` has no unique key to seal its values for\nhint: `--column logins.pin --key id` uses the generated `id`, \
             `--except logins.pin` skips the column"
        );
        assert_eq!(named(&tables, &pin, &["id".to_owned()]).unwrap().key_columns, ["id"]);
        assert!(named(&tables, &pin, &["pin".to_owned()]).is_err());
        let error = named(&tables, &ColumnName::read("logins.pim").unwrap(), &[]).unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("did you mean `pin`?"));
    }
}
