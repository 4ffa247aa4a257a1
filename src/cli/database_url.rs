//! Which database a command uses: the flag, else a variable of the environment.

use crate::error::{Error, Result};
use std::ffi::OsString;

/// The variable that many applications read their database from.
pub(super) const VARIABLE: &str = "DATABASE_URL";

/// The variable that names a copy to try things on.
const COPY: &str = "TREELIFT_COPY";

/// A URL and where it came from. It may hold a password, so it is never shown.
#[derive(PartialEq, Eq)]
pub(super) enum DatabaseUrl {
    /// `--database`.
    Flag(String),
    /// A variable.
    Environment(String),
}

impl DatabaseUrl {
    /// The database that a command was given.
    pub(super) fn given(flag: Option<&String>) -> Result<Option<Self>> {
        Self::choose(flag.cloned(), VARIABLE, std::env::var_os(VARIABLE))
    }

    /// The copy of a database that a command was given.
    pub(super) fn of_copy(flag: Option<&String>) -> Result<Self> {
        Self::choose(flag.cloned(), COPY, std::env::var_os(COPY))?.ok_or_else(|| {
            Error::request("no copy is named").hint(format!("give `--copy URL`, or set {COPY} to its URL"))
        })
    }

    /// Chooses between the two; an empty variable counts as unset.
    pub(super) fn choose(flag: Option<String>, name: &str, variable: Option<OsString>) -> Result<Option<Self>> {
        match (flag, variable.filter(|value| !value.is_empty())) {
            (Some(url), _) => Ok(Some(Self::Flag(url))),
            (None, None) => Ok(None),
            (None, Some(value)) => match value.into_string() {
                Ok(url) => Ok(Some(Self::Environment(url))),
                // The error would show the value, and with it a password.
                Err(_) => Err(Error::request(format!("`{name}` is not UTF-8")).hint("give the URL as an argument")),
            },
        }
    }

    /// The URL, to connect with.
    pub(super) fn url(&self) -> &str {
        match self {
            Self::Flag(url) | Self::Environment(url) => url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_takes_precedence_over_the_variable() {
        let choose = |flag: Option<&str>, variable: Option<&str>| {
            DatabaseUrl::choose(flag.map(str::to_owned), VARIABLE, variable.map(OsString::from)).expect("chosen")
        };
        assert!(choose(Some("a.db"), Some("b.db")) == Some(DatabaseUrl::Flag("a.db".to_owned())));
        assert!(choose(None, Some("b.db")) == Some(DatabaseUrl::Environment("b.db".to_owned())));
        assert!(choose(None, Some("")).is_none());
        assert!(choose(None, None).is_none());
    }
}
