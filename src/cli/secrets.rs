//! Where the passphrase or key comes from: a file, the environment, or a hidden prompt. Never from
//! an argument, which every user of the machine can read.

use super::args::shared::{NewSecretArgs, SecretArgs};
use crate::config::SecretNeed;
use crate::error::{Error, Result};
use crate::secret::keys::Secret;
use crate::secret::passphrase::Strength;
use secrecy::{ExposeSecret, SecretString};
use std::ffi::OsString;
use std::path::PathBuf;

/// The variable that may hold the passphrase.
pub(super) const VARIABLE: &str = "TREELIFT_PASSPHRASE";

const WAYS: &str = "give one of `--passphrase-file PATH`, `--key-file PATH` and TREELIFT_PASSPHRASE";

/// Where the secret comes from, and whether a weak one is accepted.
#[derive(Debug)]
pub(super) struct SecretSource {
    origin: Origin,
    weak: bool,
}

#[derive(Debug)]
enum Origin {
    PassphraseFile(PathBuf),
    KeyFile(PathBuf),
    Environment(SecretString),
    Prompt,
}

/// Chooses the source; `variable` is the value of [`VARIABLE`] (empty counts as unset). Nothing is read
/// yet: only the plan knows whether a secret is needed.
pub(super) fn choose(args: SecretArgs, variable: Option<OsString>) -> Result<SecretSource> {
    let variable = variable.filter(|value| !value.is_empty());
    let given = [
        ("--passphrase-file", args.passphrase_file.is_some()),
        ("--key-file", args.key_file.is_some()),
        (VARIABLE, variable.is_some()),
    ];
    let given: Vec<_> = given.into_iter().filter(|(_, given)| *given).map(|(name, _)| format!("`{name}`")).collect();
    if given.len() > 1 {
        return Err(Error::request(format!("the secret is given twice, by {}", given.join(" and "))).hint(WAYS));
    }
    let origin = match (args.passphrase_file, args.key_file, variable) {
        (Some(path), ..) => Origin::PassphraseFile(path),
        (_, Some(path), _) => Origin::KeyFile(path),
        (.., Some(value)) => Origin::Environment(
            text(VARIABLE, value)
                .map_err(|error| error.hint("put the passphrase into a file and give `--passphrase-file`"))?,
        ),
        _ => Origin::Prompt,
    };
    Ok(SecretSource { origin, weak: args.weak_passphrase })
}

/// Chooses the source of the new secret: a file or the prompt, because the variable holds the old one.
pub(super) fn choose_new(args: NewSecretArgs) -> Result<SecretSource> {
    let origin = match (args.new_passphrase_file, args.new_key_file) {
        (Some(_), Some(_)) => {
            return Err(Error::request(
                "the new secret is given twice, by `--new-passphrase-file` and `--new-key-file`",
            ));
        }
        (Some(path), None) => Origin::PassphraseFile(path),
        (None, Some(path)) => Origin::KeyFile(path),
        (None, None) => Origin::Prompt,
    };
    Ok(SecretSource { origin, weak: args.weak_passphrase })
}

/// A secret of the application, from a variable that its mapping set names.
pub(super) fn variable(name: &str) -> Result<Option<SecretString>> {
    std::env::var_os(name).map(|value| text(name, value)).transpose()
}

fn text(name: &str, value: OsString) -> Result<SecretString> {
    // The value itself must not be shown, so neither is the error.
    value.into_string().map(SecretString::from).map_err(|_| Error::request(format!("`{name}` is not UTF-8")))
}

/// Reads the secret, if it is needed or was given. For a new key it must be strong, and is typed twice.
pub(super) fn obtain(source: SecretSource, need: SecretNeed, attended: bool) -> Result<Option<Secret>> {
    let creating = need == SecretNeed::Create;
    // A dry run without a key yet refuses what the real run would.
    let is_new = creating || need == SecretNeed::IfGiven;
    let strength = match (is_new, source.weak) {
        (false, _) => Strength::Any,
        (true, false) => Strength::Strong,
        (true, true) => Strength::Weak,
    };
    let secret = match source.origin {
        Origin::PassphraseFile(path) => Secret::from_passphrase_file(&path, strength),
        Origin::KeyFile(path) => Secret::from_key_file(&path),
        Origin::Environment(text) => Secret::from_passphrase_text(text, strength),
        Origin::Prompt if need == SecretNeed::IfGiven => return Ok(None),
        Origin::Prompt if need == SecretNeed::IfAttended && !attended => return Ok(None),
        Origin::Prompt if attended => Secret::from_passphrase_text(ask(creating)?, strength),
        Origin::Prompt => {
            Err(Error::request("a passphrase or key is needed, and there is no terminal to ask on").hint(WAYS))
        }
    };
    secret.map(Some)
}

fn ask(creating: bool) -> Result<SecretString> {
    let first = prompt(if creating { "New passphrase: " } else { "Passphrase: " })?;
    if creating && first.expose_secret() != prompt("The same again: ")?.expose_secret() {
        return Err(Error::request("the two passphrases are not the same"));
    }
    Ok(first)
}

fn prompt(words: &str) -> Result<SecretString> {
    rpassword::prompt_password(words).map(SecretString::from).map_err(|error| match error.kind() {
        std::io::ErrorKind::Interrupted => Error::interrupted(signal_hook::consts::SIGINT),
        kind => Error::environment(format!("cannot read the passphrase: {kind}")).hint(WAYS),
    })
}

#[cfg(test)]
impl SecretSource {
    /// The prompt.
    pub(super) fn prompt() -> Self {
        Self { origin: Origin::Prompt, weak: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both() -> SecretArgs {
        SecretArgs {
            passphrase_file: Some("pass.txt".into()),
            key_file: Some("my.key".into()),
            ..SecretArgs::default()
        }
    }

    #[test]
    fn two_sources_at_once_are_a_usage_error_that_names_them() {
        let error = choose(both(), Some("correct horse".into())).expect_err("refused");
        assert_eq!(error.status(), 2);
        assert_eq!(
            error.message,
            "the secret is given twice, by `--passphrase-file` and `--key-file` and `TREELIFT_PASSPHRASE`"
        );
        let error = choose(SecretArgs { passphrase_file: None, ..both() }, Some("x".into())).expect_err("refused");
        assert_eq!(error.message, "the secret is given twice, by `--key-file` and `TREELIFT_PASSPHRASE`");
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let args = SecretArgs { passphrase_file: None, ..both() };
        assert!(matches!(choose(args, Some("".into())).expect("chosen").origin, Origin::KeyFile(_)));
        assert!(matches!(choose(SecretArgs::default(), Some("".into())).expect("chosen").origin, Origin::Prompt));
    }

    #[test]
    fn without_a_source_and_a_terminal_nothing_is_asked() {
        let error = obtain(SecretSource::prompt(), SecretNeed::Create, false).expect_err("refused");
        assert_eq!(error.status(), 2);
        assert_eq!(error.message, "a passphrase or key is needed, and there is no terminal to ask on");
        assert!(error.hint.is_some());
    }

    #[test]
    fn an_optional_secret_is_asked_for_only_on_a_terminal() {
        for need in [SecretNeed::IfGiven, SecretNeed::IfAttended] {
            assert!(obtain(SecretSource::prompt(), need, false).expect("goes without").is_none());
        }
    }

    #[test]
    fn a_new_passphrase_from_the_variable_is_checked_in_a_dry_run_too() {
        let secret = |text: &str, need| {
            let source = choose(SecretArgs::default(), Some(text.into())).expect("chosen");
            obtain(source, need, false).map(drop).map_err(|error| error.message)
        };
        for need in [SecretNeed::Create, SecretNeed::IfGiven] {
            assert_eq!(secret("correct horse battery ", need), Err("the passphrase ends with whitespace".to_owned()));
            assert_eq!(secret("short", need), Err("the passphrase has fewer than 12 characters".to_owned()));
            assert_eq!(secret("correct horse battery", need), Ok(()));
        }
        assert_eq!(secret("correct horse battery ", SecretNeed::Open), Ok(()));
    }

    #[test]
    fn the_source_does_not_show_the_passphrase() {
        let source = choose(SecretArgs::default(), Some("correct horse".into())).expect("chosen");
        assert!(!format!("{source:?}").contains("horse"));
    }
}
