//! Who runs the program, and on which machine: what the ledger and reports say of that.

use crate::platform;
use std::fmt;

/// The account and the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// The account's name as the system has it, whatever the environment says; its number where it has no name.
    pub user: Option<String>,
    /// The machine's name.
    pub host: Option<String>,
}

impl Who {
    /// Who runs this program.
    pub fn runs_this() -> Self {
        let user = whoami::username().unwrap_or_else(|_| platform::account_number());
        Self { user: Some(user), host: whoami::hostname().ok() }
    }

    /// The same as names that may be missing.
    pub fn of(user: Option<&str>, host: Option<&str>) -> Self {
        Self { user: user.map(str::to_owned), host: host.map(str::to_owned) }
    }

    /// In words; `None` where nothing is known.
    pub fn words(&self) -> Option<String> {
        (self.user.is_some() || self.host.is_some()).then(|| self.to_string())
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_deref().unwrap_or("somebody");
        match &self.host {
            Some(host) => write!(f, "{user} on {host}"),
            None => f.write_str(user),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_runs_this_somewhere() {
        let who = Who::runs_this();
        assert!(who.user.is_some_and(|user| !user.is_empty()) && who.host.is_some_and(|host| !host.is_empty()));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let words = |user, host| Who::of(user, host).words();
        assert_eq!(words(Some("ann"), Some("mill")).as_deref(), Some("ann on mill"));
        assert_eq!(words(Some("ann"), None).as_deref(), Some("ann"));
        assert_eq!(words(None, Some("mill")).as_deref(), Some("somebody on mill"));
        assert_eq!(words(None, None), None);
    }
}
