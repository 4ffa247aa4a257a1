//! The application's own form of a secret, as a mapping set describes it.

use super::existing;
use super::problem::{Problem, problem};
use crate::database::{Database, SealedColumn};
use crate::error::{Error, Result};
use crate::mapping::model::{FernetForm, Set};
use crate::mapping::{bundled, load};
use crate::migrations::remembered;
use crate::secret::fernet::{FernetError, FernetKey, Wrapping};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// Looks a variable of the environment up; `None` when it is unset.
pub type Environment<'e> = &'e dyn Fn(&str) -> Result<Option<SecretString>>;

/// How the application reads its secrets.
pub struct Application {
    key: FernetKey,
    wrapping: Wrapping,
    /// Whether an empty text stays empty.
    pub keeps_empty: bool,
    /// What else the application needs after a hand-over.
    pub message: Option<String>,
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Application(secret)")
    }
}

/// The mapping set that a database belongs to: the one named, else the one of the last import.
/// `None` where neither is known, as with a database that treelift did not make, or where it is gone.
pub fn set_of(database: &dyn Database, mappings: Option<&str>) -> Result<Option<Set>> {
    match mappings {
        Some(name) => load::load(&bundled::resolve(name)?).map(Some),
        None => {
            let last = existing(database)?.runs()?.pop();
            Ok(last.and_then(|run| Some(remembered(&run.set, run.set_folder.as_deref()).ok()?.1)))
        }
    }
}

/// The form that the set of a database declares.
pub fn form_of(set: Option<&Set>) -> Result<FernetForm> {
    let set = set.ok_or_else(|| {
        Error::request("the application that reads the database is not known")
            .hint("name its mapping set with `--mappings SET|DIR`")
    })?;
    set.fernet.clone().ok_or_else(|| {
        Error::request(format!("the mapping set `{}` does not say how its application reads secrets", set.name))
            .hint("`[hand_over.fernet]` in set.toml does; see mappings/README.md")
    })
}

impl Application {
    /// Derives the application's key from its own variables; `None` when its password is not set.
    pub fn new(form: &FernetForm, environment: Environment<'_>) -> Result<Option<Self>> {
        let mut password = None;
        for name in &form.password {
            password = environment(name)?.filter(|value| !value.expose_secret().is_empty());
            if password.is_some() {
                break;
            }
        }
        let Some(password) = password else { return Ok(None) };
        let salt = match &form.salt_variable {
            Some(name) => environment(name)?.filter(|value| !value.expose_secret().is_empty()),
            None => None,
        };
        let salt = fitted(salt.as_ref().map_or(&*form.salt, |salt| salt.expose_secret()), form.salt_fit);
        Ok(Some(Self {
            key: FernetKey::derive(&password, &salt, form.rounds)?,
            wrapping: if form.base64 { Wrapping::Base64 } else { Wrapping::Plain },
            keeps_empty: form.keep_empty,
            message: form.message.clone(),
        }))
    }

    /// As [`Application::new`]; a missing password is an error.
    pub fn needed(form: &FernetForm, environment: Environment<'_>) -> Result<Self> {
        Self::new(form, environment)?.ok_or_else(|| {
            let names: Vec<_> = form.password.iter().map(|name| format!("`{name}`")).collect();
            Error::request("the application's password is not known")
                .hint(format!("set {} as it is for the application", names.join(" or ")))
        })
    }

    /// Puts a text into the application's form.
    pub(super) fn seal(&self, text: &SecretString, now: Timestamp) -> Result<String> {
        if self.keeps_empty && text.expose_secret().is_empty() {
            return Ok(String::new());
        }
        self.key.seal(text, now, self.wrapping)
    }

    /// Opens a value in the application's form.
    pub(super) fn open(&self, column: &SealedColumn, key: &[String], text: &str) -> Result<SecretString, Problem> {
        if self.keeps_empty && text.is_empty() {
            return Ok(SecretString::from(""));
        }
        self.key.open(text, self.wrapping).map_err(|error| {
            let reason = match error {
                FernetError::NoToken => "no-token",
                FernetError::NotAuthentic => "not-authentic-token",
                FernetError::NotText => "not-text",
            };
            problem(column, key.to_vec(), reason, format!("a value does not open: {error}"))
        })
    }
}

/// Cut to so many bytes, or filled up to them on the right.
fn fitted(salt: &str, fit: Option<(usize, char)>) -> Vec<u8> {
    let mut salt = salt.as_bytes().to_vec();
    if let Some((bytes, fill)) = fit {
        // The set's loader takes nothing but ASCII here.
        salt.resize(bytes, u8::try_from(fill).unwrap_or(b'0'));
    }
    salt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_cut_or_filled_up() {
        assert_eq!(fitted("pepper", None), b"pepper");
        assert_eq!(fitted("pepper", Some((4, '0'))), b"pepp");
        assert_eq!(fitted("pepper", Some((8, '0'))), b"pepper00");
        assert_eq!(fitted("é", Some((1, '0'))), [0xc3]);
    }

    #[test]
    fn the_first_variable_that_is_set_and_not_empty_holds_the_password() {
        let form = FernetForm {
            password: vec!["A".into(), "B".into(), "C".into()],
            salt_variable: Some("S".into()),
            salt: "salt".into(),
            salt_fit: None,
            rounds: 1,
            base64: false,
            keep_empty: true,
            message: None,
        };
        let environment = |set: &'static [(&str, &str)]| {
            move |name: &str| Ok(set.iter().find(|(key, _)| *key == name).map(|(_, value)| SecretString::from(*value)))
        };
        let with = |set| Application::new(&form, &environment(set)).unwrap();
        assert!(with(&[("A", ""), ("S", "x")]).is_none());
        let (one, other) =
            (with(&[("A", ""), ("B", "b"), ("C", "c")]).unwrap(), with(&[("B", "b"), ("S", "")]).unwrap());
        let token = one.seal(&"text".into(), Timestamp::now()).unwrap();
        let column = SealedColumn { table: "t".into(), column: "c".into(), key_columns: vec![], row_filter: None };
        assert_eq!(other.open(&column, &[], &token).unwrap().expose_secret(), "text");
        let salted = with(&[("B", "b"), ("S", "x")]).unwrap();
        assert_eq!(salted.open(&column, &[], &token).unwrap_err().reason, "not-authentic-token");
        assert_eq!(salted.seal(&"".into(), Timestamp::now()).unwrap(), "");
        let error = Application::needed(&form, &environment(&[])).unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("set `A` or `B` or `C` as it is for the application"));
    }
}
