//! The one error type: what went wrong, where, and what to do about it.
//!
//! An [`Error`] ends the command. Bad data does not: it is a [`Finding`](crate::finding::Finding).

use std::fmt;

/// The result of everything that can end a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Decides the heading and the exit status of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong: usage, configuration or mapping. Exit status 2.
    Request,
    /// The request could not be carried out: files, database, keys. Exit status 3.
    Environment,
    /// A fault in treelift itself. Exit status 70 (`EX_SOFTWARE` of `sysexits.h`).
    Bug,
    /// A signal ended the run, nothing was written. Exit status 128 plus the signal's number.
    Interrupted(i32),
}

/// What ended a command: a message, the place it speaks of, and a hint.
///
/// The message never carries the value of a secret, nor a text of a third party that could.
#[derive(Debug)]
pub struct Error {
    /// Decides the exit status.
    pub kind: ErrorKind,
    /// One lower-case sentence without a full stop.
    pub message: String,
    /// Where, as the user would write it: a path, `file:line`, a URL without its password.
    pub place: Option<String>,
    /// The stable code of the judgement, such as `M012`, where it has one.
    pub code: Option<&'static str>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Further errors of the same kind, found in the same look (a mapping set is judged whole).
    pub more: Vec<Error>,
}

impl Error {
    /// The request is wrong: exit status 2.
    pub fn request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Request, message)
    }

    /// It could not be carried out: exit status 3.
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Environment, message)
    }

    /// treelift itself is wrong: exit status 70.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Bug, message)
    }

    /// A signal ended the run.
    pub fn interrupted(signal: i32) -> Self {
        Self::new(ErrorKind::Interrupted(signal), "interrupted, nothing was written")
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), place: None, code: None, hint: None, more: Vec::new() }
    }

    /// Adds the place the message speaks of.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.place = Some(place.to_string());
        self
    }

    /// Adds the code of the judgement, which `explain` tells more about.
    #[must_use]
    pub fn coded(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Folds several errors of one look into one; `None` when there are none.
    pub fn all(errors: Vec<Error>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        first.more.extend(errors);
        Some(first)
    }

    /// The process's exit status.
    pub fn status(&self) -> u8 {
        match self.kind {
            ErrorKind::Request => 2,
            ErrorKind::Environment => 3,
            ErrorKind::Bug => 70,
            ErrorKind::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(130),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(place) = &self.place {
            write!(f, "\n  at {place}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        for error in &self.more {
            write!(f, "\nerror: {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
