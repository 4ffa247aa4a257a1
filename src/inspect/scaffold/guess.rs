//! Guesses: each stands beside its line, and in one list by its weight.

use std::fmt;

/// How much hangs on a guess, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// What is sealed, left out because it looks like a secret, or kept although its name looks like one.
    Secret,
    /// What is left out.
    LeftOut,
    /// Whose the folders are.
    Owner,
    /// What the rows are, and what identifies them.
    Key,
    /// What refers to what.
    Reference,
    /// What is kept as JSON.
    Json,
    /// Types of columns.
    Type,
    /// Words for readers.
    Words,
}

impl Weight {
    /// It in a word.
    pub fn word(self) -> &'static str {
        match self {
            Weight::Secret => "secret",
            Weight::LeftOut => "left out",
            Weight::Owner => "owner",
            Weight::Key => "rows",
            Weight::Reference => "reference",
            Weight::Json => "JSON",
            Weight::Type => "type",
            Weight::Words => "words",
        }
    }
}

/// A guess, with the line of the set that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// How much hangs on it.
    pub weight: Weight,
    /// The file of the set.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// What was decided.
    pub what: String,
    /// Why.
    pub why: String,
}

/// A file of the set as it is written, with its guesses.
#[derive(Debug)]
pub(super) struct Out {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) guesses: Vec<Guess>,
    line: usize,
}

impl Out {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), text: String::new(), guesses: Vec::new(), line: 1 }
    }

    /// Takes down a guess about the line that is being written, and gives the comment that says so there.
    pub(super) fn guess(&mut self, weight: Weight, what: impl Into<String>, why: &str) -> String {
        self.guess_and_show(weight, what, why, why)
    }

    /// The same, where the line itself says why.
    pub(super) fn guess_and_show(&mut self, weight: Weight, what: impl Into<String>, why: &str, shown: &str) -> String {
        let (file, line) = (self.file.clone(), self.line);
        self.guesses.push(Guess { weight, file, line, what: what.into(), why: why.to_owned() });
        format!(" # guess: {}", one_line(shown))
    }
}

impl fmt::Write for Out {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.line += text.matches('\n').count();
        self.text.push_str(text);
        Ok(())
    }
}

/// A text for a comment, which ends with its line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
