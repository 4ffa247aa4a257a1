//! Which mapping set a command uses: the argument, else `TREELIFT_MAPPINGS`.

use crate::error::{Error, Result};
use std::ffi::OsString;

/// Names a set where no argument does.
pub(super) const VARIABLE: &str = "TREELIFT_MAPPINGS";

/// The set that a command was given: a bundled one by name, or a folder.
pub(super) fn given(argument: Option<&str>) -> Result<Option<String>> {
    choose(argument, std::env::var_os(VARIABLE))
}

/// Chooses between the two; an empty variable counts as unset.
fn choose(argument: Option<&str>, variable: Option<OsString>) -> Result<Option<String>> {
    match (argument, variable.filter(|value| !value.is_empty())) {
        (Some(set), _) => Ok(Some(set.to_owned())),
        (None, None) => Ok(None),
        (None, Some(value)) => {
            let set = value.into_string();
            set.map(Some).map_err(|_| Error::request(format!("`{VARIABLE}` is not UTF-8")).hint("give `--mappings`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_comes_before_the_variable_and_an_empty_variable_is_none() {
        let choose = |argument, variable: Option<&str>| choose(argument, variable.map(OsString::from)).expect("UTF-8");
        assert_eq!(choose(Some("a"), Some("b")).as_deref(), Some("a"));
        assert_eq!(choose(None, Some("b")).as_deref(), Some("b"));
        assert_eq!(choose(None, Some("")), None);
        assert_eq!(choose(None, None), None);
    }
}
