//! Passphrases: where they come from, and which are refused.

use super::text_file::{open_regular, read_text};
use crate::error::{Error, Result};
use secrecy::{ExposeSecret, SecretString};
use std::path::Path;

/// A new passphrase with fewer characters is refused without `--weak-passphrase`.
pub const MIN_CHARACTERS: usize = 12;

/// The requirements on a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// Not empty: to open what exists.
    Any,
    /// One that can be typed: to make a key with `--weak-passphrase`.
    Weak,
    /// One that can be typed, of at least [`MIN_CHARACTERS`] characters: to make a key.
    Strong,
}

/// A passphrase that meets its requirements.
#[derive(Debug)]
pub struct Passphrase(SecretString);

impl Passphrase {
    /// Takes a text as it is: nothing is trimmed or normalised.
    pub fn from_text(text: SecretString, strength: Strength) -> Result<Self> {
        let characters = text.expose_secret().chars().count();
        if characters == 0 {
            return Err(Error::request("the passphrase is empty"));
        }
        if strength != Strength::Any
            && let Some(oddity) = oddity(text.expose_secret())
        {
            return Err(Error::request(format!("the passphrase {}", oddity.what)).hint(oddity.hint));
        }
        if strength == Strength::Strong && characters < MIN_CHARACTERS {
            return Err(Error::request(format!("the passphrase has fewer than {MIN_CHARACTERS} characters"))
                .hint("choose a longer one, for example several words, or accept the risk with `--weak-passphrase`"));
        }
        Ok(Self(text))
    }

    /// Reads a file; one line break at its end, LF or CRLF, is not part of the passphrase.
    pub fn from_file(path: &Path, strength: Strength) -> Result<Self> {
        let what = "passphrase file";
        let text = read_text(&open_regular(path, what)?, path, what)?;
        Self::from_text(text, strength).map_err(|error| error.at(path.display()))
    }

    /// Why the passphrase may not be the one that was meant, for the hint when it does not open a key.
    pub(super) fn oddity(&self) -> Option<&'static str> {
        oddity(self.0.expose_secret()).map(|oddity| oddity.what)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

/// Something about a passphrase that no one would ever type at a prompt, or not on purpose.
struct Oddity {
    what: &'static str,
    hint: &'static str,
}

/// The first oddity of a text. A file that an editor or a script wrote has such things by accident.
fn oddity(text: &str) -> Option<Oddity> {
    const ONE_LINE: &str = "write the passphrase as one line of text, without whitespace around it";
    let found = |what, hint| Some(Oddity { what, hint });
    let blank = |c: char| c.is_whitespace() || c == '\u{feff}' || c.is_control();
    let is_key_file = text.trim_matches(blank).starts_with(super::key_file::PREFIX);
    match text {
        _ if is_key_file => {
            found("is the content of a key file", "give the file with `--key-file`, or choose a passphrase")
        }
        _ if text.chars().all(blank) => found("has no visible character", ONE_LINE),
        _ if text.starts_with('\u{feff}') => {
            found("begins with a byte order mark", "save the file as UTF-8 without a byte order mark")
        }
        _ if text.contains('\0') => found("contains a NUL character", "the file is not text, or not in UTF-8"),
        _ if text.contains(['\n', '\r']) => found("has more than one line", ONE_LINE),
        _ if text.chars().any(char::is_control) => found("contains a control character", ONE_LINE),
        _ if text.trim_end() != text => found("ends with whitespace", ONE_LINE),
        _ if text.trim_start() != text => found("begins with whitespace", ONE_LINE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> SecretString {
        SecretString::from(text)
    }

    fn from_file(bytes: &[u8], strength: Strength) -> Result<Passphrase> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("passphrase");
        std::fs::write(&path, bytes).expect("writes");
        Passphrase::from_file(&path, strength).map_err(|mut error| {
            assert_eq!(error.place.take(), Some(path.display().to_string()));
            error
        })
    }

    #[test]
    fn one_line_break_at_the_end_of_a_file_is_removed_and_nothing_else() {
        for (file, passphrase) in [
            ("red green blue", "red green blue"),
            ("red green blue\n", "red green blue"),
            ("red green blue\r\n", "red green blue"),
            ("red green blue\n\n", "red green blue\n"),
            ("red green blue\r\n\r\n", "red green blue\r\n"),
            ("red green blue\r", "red green blue\r"),
            (" red\ngreen \n", " red\ngreen "),
            ("e\u{301}", "e\u{301}"),
        ] {
            let read = from_file(file.as_bytes(), Strength::Any).expect("is read");
            assert_eq!(read.bytes(), passphrase.as_bytes());
        }
    }

    #[test]
    fn empty_is_refused_and_short_only_for_a_new_key() {
        let message = |text: &str, strength| {
            Passphrase::from_text(SecretString::from(text), strength).err().map(|error| (error.message, error.kind))
        };
        use crate::error::ErrorKind::Request;
        assert_eq!(message("", Strength::Any), Some(("the passphrase is empty".to_owned(), Request)));
        assert_eq!(message("", Strength::Strong), Some(("the passphrase is empty".to_owned(), Request)));
        assert_eq!(message("x", Strength::Any), None);
        let short = Some(("the passphrase has fewer than 12 characters".to_owned(), Request));
        assert_eq!(message("elevenchars", Strength::Strong), short);
        assert_eq!(message("zwölf ößäüßy", Strength::Strong), None);
        assert_eq!(message("elevenchars", Strength::Weak), None);
        assert_eq!(
            from_file(b"\n", Strength::Any).err().map(|error| error.message),
            message("", Strength::Any).map(|m| m.0)
        );
    }

    #[test]
    fn for_a_new_key_what_cannot_be_typed_is_refused_by_name() {
        let key_file = "treelift-key-1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for (file, what) in [
            ("red green blue\nyellow\n", "has more than one line"),
            ("red green blue\n\n", "has more than one line"),
            ("red green blue\r\r\n", "has more than one line"),
            ("red green blue \n", "ends with whitespace"),
            ("red green blue\u{a0}", "ends with whitespace"),
            (" red green blue\n", "begins with whitespace"),
            ("\u{feff}red green blue\n", "begins with a byte order mark"),
            (key_file, "is the content of a key file"),
            (&format!("\u{feff}{key_file}\n\n"), "is the content of a key file"),
            ("red\0green blue", "contains a NUL character"),
            ("red\tgreen blue", "contains a control character"),
            ("red\u{1b}green blue", "contains a control character"),
            ("              \n", "has no visible character"),
            ("\u{feff}\n", "has no visible character"),
            ("\n\n\n", "has no visible character"),
        ] {
            for strength in [Strength::Weak, Strength::Strong] {
                let error = from_file(file.as_bytes(), strength).expect_err("is refused");
                assert_eq!(
                    (error.message.as_str(), error.status()),
                    (format!("the passphrase {what}").as_str(), 2),
                    "{file:?}"
                );
                assert!(error.hint.is_some());
            }
            let existing = from_file(file.as_bytes(), Strength::Any).expect("may open an existing key");
            assert_eq!(existing.oddity(), Some(what), "{file:?}");
        }
        for file in ["red green blue", "red green blue\r\n", "zwölf grüne Bären", "\u{1f511} red green blue"] {
            assert_eq!(from_file(file.as_bytes(), Strength::Strong).expect("is accepted").oddity(), None);
        }
        assert!(from_file(b"red", Strength::Weak).is_ok());
    }

    #[test]
    fn a_file_that_is_no_text_or_no_file_is_refused_without_its_contents() {
        let error = from_file(b"hunter\xff2", Strength::Any).expect_err("is refused");
        assert_eq!(error.to_string(), "the passphrase file is not UTF-8 text");
        let error = from_file(&[b'x'; 64 * 1024 + 1], Strength::Any).expect_err("is refused");
        assert_eq!(error.to_string(), "the passphrase file is longer than 64 KiB");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = Passphrase::from_file(folder.path(), Strength::Any).expect_err("is refused");
        assert_eq!(error.message, "the passphrase file is not a regular file");
        let error = Passphrase::from_file(&folder.path().join("none"), Strength::Any).expect_err("is refused");
        assert_eq!(
            (error.message.as_str(), error.status()),
            ("the passphrase file cannot be opened: entity not found", 3)
        );
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success());
        let error = Passphrase::from_file(&path, Strength::Any).expect_err("is refused");
        assert_eq!(error.message, "the passphrase file is not a regular file");
    }

    #[test]
    fn debug_shows_a_marker() {
        let passphrase = Passphrase::from_text(text("correct horse"), Strength::Any).expect("is taken");
        assert_eq!(format!("{passphrase:?}"), "Passphrase(SecretBox<str>([REDACTED]))");
    }
}
