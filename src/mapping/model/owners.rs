//! Owners, and the patterns of files.

use super::expr::By;
use serde::Deserialize;
use std::borrow::Cow;

/// `[owners]`: a path segment that names an owner.
#[derive(Debug)]
pub struct Owners {
    /// The captures that name the owner's directory, whose values are joined by `/`.
    pub captures: Vec<String>,
    /// The table whose rows are owners.
    pub table: String,
    /// Ways to find the owner of a directory; the first that hits wins.
    pub find: Vec<Find>,
    /// What happens to a directory that no owner matches.
    pub unknown: Unknown,
    /// What happens to files without an owner that feed rows that need one.
    pub ownerless: Option<Ownerless>,
    /// Why they are ignored, if they are.
    pub ownerless_ignored: Option<String>,
    /// The line in set.toml.
    pub line: u32,
}

impl Owners {
    /// Whether files that a pattern matches lie in an owner's directory.
    pub fn are_captured_by(&self, pattern: &Pattern) -> bool {
        self.captures.iter().all(|capture| pattern.captures().any(|name| name == capture))
    }

    /// The owner's directory, from what a pattern captured.
    pub fn directory<'p>(&self, captured: &[(&str, &'p str)]) -> Option<Cow<'p, str>> {
        let value = |capture: &String| captured.iter().find(|(name, _)| name == capture).map(|(_, value)| *value);
        let values: Vec<&str> = self.captures.iter().map(value).collect::<Option<_>>()?;
        Some(if let [one] = values[..] { Cow::Borrowed(one) } else { Cow::Owned(values.join("/")) })
    }
}

impl Owners {
    /// What the captures of a directory captured: no value of one has a `/` in it.
    pub fn captured_in<'o>(&'o self, directory: &'o str) -> Vec<(&'o str, &'o str)> {
        let names = self.captures.iter().map(String::as_str);
        if self.captures.len() == 1 {
            names.zip([directory]).collect()
        } else {
            names.zip(directory.split('/')).collect()
        }
    }
}

/// One way to find an owner.
#[derive(Debug)]
pub struct Find {
    /// `by`: columns of the owner table, each with an expression over `#owner` and the captures of the directory; of several lists the first that finds
    /// an owner.
    pub by: Vec<Vec<By>>,
    /// The directory is another name for an owner that may have one under its id.
    pub alias: bool,
}

impl Owners {
    /// What is compared with which columns, over all ways to find an owner.
    pub fn compared(&self) -> impl Iterator<Item = &By> {
        self.find.iter().flat_map(|find| find.by.iter().flatten())
    }
}

/// What happens to a directory that no owner matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// An error finding.
    Refuse,
    /// Its files are ignored with this reason, and listed.
    Ignore(String),
}

impl Unknown {
    /// Why its files are ignored, if they are.
    pub fn reason(self) -> Option<String> {
        match self {
            Self::Ignore(reason) => Some(reason),
            Self::Refuse => None,
        }
    }
}

/// What happens to files without an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ownerless {
    /// They belong to the only row of the owner table, else to `--owner ID`, else as `unknown`.
    OnlyUser,
    /// They are an error.
    Refuse,
}

/// A file pattern below the import root, segment by segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// As written.
    pub text: String,
    /// Its segments.
    pub segments: Vec<PatternSegment>,
}

/// One segment of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternSegment {
    /// `users`.
    Literal(String),
    /// A literal start and end around captures or `*`: `batch_{id}.json`, `*.json`, `{owner}`.
    Mixed(Vec<PatternPiece>),
    /// `**`: any number of segments, none included.
    Any,
}

/// A piece of a mixed segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternPiece {
    /// These characters.
    Literal(String),
    /// `{name}`: at least one character, captured.
    Capture(String),
    /// `*`: any characters, none included.
    Star,
}
