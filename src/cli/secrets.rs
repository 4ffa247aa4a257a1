//! Where the passphrase or key comes from: a file, a command, the environment, or a hidden prompt. Never from
//! an argument, which every user of the machine can read.

use super::args::shared::{NewSecretArgs, SecretArgs};
use crate::config::SecretNeed;
use crate::error::{Error, ErrorKind, Result};
use crate::platform;
use crate::secret::keys::Secret;
use crate::secret::passphrase::{MIN_CHARACTERS, Strength};
use secrecy::{ExposeSecret, SecretString};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Stdio;
use zeroize::Zeroizing;

/// The variable that may hold the passphrase.
pub(super) const VARIABLE: &str = "TREELIFT_PASSPHRASE";

const WAYS: &str =
    "give one of `--passphrase-file PATH`, `--passphrase-command COMMAND`, `--key-file PATH` and TREELIFT_PASSPHRASE";

/// So often a new passphrase is asked for until one is fit.
const MOST_TRIES: u32 = 3;

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
    /// What the command prints.
    Command(String),
    Environment(SecretString),
    Prompt,
}

/// Chooses the source; `variable` is the value of [`VARIABLE`] (empty counts as unset). Nothing is read
/// yet: only the plan knows whether a secret is needed.
pub(super) fn choose(args: SecretArgs, variable: Option<OsString>) -> Result<SecretSource> {
    let variable = variable.filter(|value| !value.is_empty());
    let given = [
        ("--passphrase-file", args.passphrase_file.is_some()),
        ("--passphrase-command", args.passphrase_command.is_some()),
        ("--key-file", args.key_file.is_some()),
        (VARIABLE, variable.is_some()),
    ];
    let given: Vec<_> = given.into_iter().filter(|(_, given)| *given).map(|(name, _)| format!("`{name}`")).collect();
    if given.len() > 1 {
        return Err(Error::request(format!("the secret is given twice, by {}", given.join(" and "))).hint(WAYS));
    }
    let origin = match (args.passphrase_file, args.passphrase_command, args.key_file, variable) {
        (Some(path), ..) => Origin::PassphraseFile(path),
        (_, Some(command), ..) => Origin::Command(command),
        (.., Some(path), _) => Origin::KeyFile(path),
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
        Origin::Command(command) => Secret::from_passphrase_text(printed_by(&command)?, strength),
        Origin::Environment(text) => Secret::from_passphrase_text(text, strength),
        Origin::Prompt if need == SecretNeed::IfGiven => return Ok(None),
        Origin::Prompt if need == SecretNeed::IfAttended && !attended => return Ok(None),
        Origin::Prompt if attended && creating => ask_for_new(strength),
        Origin::Prompt if attended => Secret::from_passphrase_text(prompt("Passphrase: ")?, strength),
        Origin::Prompt => {
            Err(Error::request("a passphrase or key is needed, and there is no terminal to ask on").hint(WAYS))
        }
    };
    secret.map(Some)
}

/// What a command prints, without the one line break at its end. What it prints to standard error is seen on the terminal.
fn printed_by(command: &str) -> Result<SecretString> {
    let failed = |what: String| Error::environment(format!("the passphrase command {what}")).hint(WAYS);
    let ran = platform::typed(command).stderr(Stdio::inherit()).output();
    let ran = ran.map_err(|error| failed(format!("cannot be run: {}", error.kind())))?;
    let printed = Zeroizing::new(ran.stdout);
    if !ran.status.success() {
        let status = ran.status.code().map_or_else(|| "a signal".to_owned(), |code| format!("status {code}"));
        return Err(failed(format!("ended with {status}")));
    }
    let text = std::str::from_utf8(&printed).map_err(|_| failed("printed what is not UTF-8".to_owned()))?;
    let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(SecretString::from(line))
}

/// A new passphrase, typed twice. One that is not fit may be typed anew.
fn ask_for_new(strength: Strength) -> Result<Secret> {
    let least = match strength {
        Strength::Strong => format!("at least {MIN_CHARACTERS} characters, for example several words"),
        Strength::Weak | Strength::Any => "at least one character".to_owned(),
    };
    say(&format!("A new passphrase: {least}, without whitespace around it. Without it nobody opens what is sealed."));
    for tries_left in (0..MOST_TRIES).rev() {
        let fault = match type_twice().and_then(|text| Secret::from_passphrase_text(text, strength)) {
            Err(error) if error.kind == ErrorKind::Request && tries_left > 0 => error,
            typed => return typed,
        };
        say(&format!("{}; type another one.", fault.message));
    }
    Err(Error::bug("the tries for a passphrase did not end"))
}

fn type_twice() -> Result<SecretString> {
    let first = prompt("New passphrase: ")?;
    if first.expose_secret() != prompt("The same again: ")?.expose_secret() {
        return Err(Error::request("the two passphrases are not the same"));
    }
    Ok(first)
}

/// A line for who sits at the terminal. One that cannot be shown does not keep anybody from typing.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
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
    fn a_passphrase_is_what_a_command_prints_without_the_line_break_at_its_end() {
        let printed = |command: &str| printed_by(command).map(|text| text.expose_secret().to_owned());
        assert_eq!(printed("printf 'red green blue\\n'").expect("printed"), "red green blue");
        assert_eq!(printed("printf 'red green blue\\r\\n'").expect("printed"), "red green blue");
        assert_eq!(printed("printf ' red\\n\\n'").expect("printed"), " red\n");
        let fault = |command: &str| {
            let error = printed(command).expect_err("refused");
            assert_eq!(error.status(), 3);
            error.message
        };
        assert_eq!(fault("echo red green blue; exit 7"), "the passphrase command ended with status 7");
        assert_eq!(fault("printf '\\377'"), "the passphrase command printed what is not UTF-8");
        let args = SecretArgs { passphrase_command: Some("printf red".to_owned()), ..SecretArgs::default() };
        let source = choose(args.clone(), None).expect("chosen");
        let error = obtain(source, SecretNeed::Create, false).expect_err("too short");
        assert_eq!(error.message, "the passphrase has fewer than 12 characters");
        let error = choose(args, Some("x".into())).expect_err("refused");
        assert_eq!(error.message, "the secret is given twice, by `--passphrase-command` and `TREELIFT_PASSPHRASE`");
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
