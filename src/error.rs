//! The one error type: what went wrong, where, and what to do about it.
//!
//! An [`Error`] ends the command. Bad data does not: it is a [`Finding`](crate::finding::Finding).

use crate::excerpt::Excerpt;
use std::fmt;

/// The result of everything that can end a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Decides the heading and the exit status of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A usage or configuration error, mapping sets included. Exit status 2.
    Request,
    /// An I/O or database error, keys included. Exit status 3.
    Environment,
    /// A bug in treelift. Exit status 70 (`EX_SOFTWARE` of `sysexits.h`).
    Bug,
    /// A signal ended the run, nothing was written. Exit status 128 plus the signal's number.
    Interrupted(i32),
}

/// What ended a command: a message, a place, and a hint.
///
/// The message never holds the value of a secret, nor a third party's text that could.
#[derive(Debug)]
pub struct Error {
    /// Decides the exit status.
    pub kind: ErrorKind,
    /// One lower-case sentence without a period.
    pub message: String,
    /// Where, as the user would write it: a path, `file:line`, a URL without its password.
    pub place: Option<String>,
    /// The stable code of the error, such as `M012`, if it has one.
    pub code: Option<&'static str>,
    /// How to fix it.
    pub hint: Option<String>,
    /// The line that it is about, where that is a line of a mapping set: no other file's lines are shown.
    pub excerpt: Option<Box<Excerpt>>,
    /// Further errors of the same kind (a mapping set is checked as a whole).
    pub more: Vec<Error>,
    /// Whether the same may succeed when it is begun again at once: another program was in the way of a transaction.
    pub is_passing: bool,
}

impl Error {
    /// A usage or configuration error: exit status 2.
    pub fn request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Request, message)
    }

    /// An I/O or database error: exit status 3.
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Environment, message)
    }

    /// A bug in treelift: exit status 70.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Bug, message)
    }

    /// A signal ended the run.
    pub fn interrupted(signal: i32) -> Self {
        Self::new(ErrorKind::Interrupted(signal), "interrupted, nothing was written")
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        let (place, code, hint, excerpt, more) = Default::default();
        Self { kind, message, place, code, hint, excerpt, more, is_passing: false }
    }

    /// Says that the same may succeed when it is begun again at once.
    #[must_use]
    pub fn passing(mut self) -> Self {
        self.is_passing = true;
        self
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.place = Some(place.to_string());
        self
    }

    /// Adds the code, which `explain` describes.
    #[must_use]
    pub fn coded(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Adds a hint on how to fix it, if there is one.
    #[must_use]
    pub fn hint(mut self, hint: impl Hint) -> Self {
        self.hint = hint.words();
        self
    }

    /// Adds the line that it is about, if it is known.
    #[must_use]
    pub fn showing(mut self, excerpt: Option<Excerpt>) -> Self {
        self.excerpt = excerpt.map(Box::new);
        self
    }

    /// Joins several errors into one; `None` when there are none.
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

/// How to fix an error, if it is known.
pub trait Hint {
    /// It in words.
    fn words(self) -> Option<String>;
}

impl Hint for &str {
    fn words(self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl Hint for String {
    fn words(self) -> Option<String> {
        Some(self)
    }
}

impl Hint for Option<String> {
    fn words(self) -> Option<String> {
        self
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
