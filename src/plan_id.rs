//! The id of a plan: what a dry run saw, in one word, so that the import after it can be held to that.
//!
//! It is `p1-` and six short hashes: of the names and sizes of source files, of what they hold, of the mapping set, of the
//! database, of the options and of the version. So it needs no state anywhere, and names what is different.

use crate::error::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// The form of an id, its first word.
const FORM: &str = "p1";

/// A part of what is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The names and sizes of all files of the source.
    Files,
    /// The bytes of all files of the source.
    Contents,
    /// The mapping set.
    Set,
    /// The database: engine, tables, migrations, the last run.
    Database,
    /// The options that matter for what is written.
    Options,
    /// The version of treelift.
    Program,
}

/// Every part, in the order of an id, with the hexadecimal digits that it has there. A line of 80 columns takes the whole.
const PARTS: [(Part, usize); 6] = [
    (Part::Files, 8),
    (Part::Contents, 16),
    (Part::Set, 12),
    (Part::Database, 12),
    (Part::Options, 6),
    (Part::Program, 6),
];

impl Part {
    /// What is different where this part is.
    pub fn words(self) -> &'static str {
        match self {
            Self::Files => "the source has other files, or files of other sizes",
            Self::Contents => "files of the source hold something else",
            Self::Set => "the mapping set is another one",
            Self::Database => "the database is not as it was: its tables, its migrations or its last run",
            Self::Options => "the import has other options",
            Self::Program => "this is another version of treelift",
        }
    }

    fn digits(self) -> usize {
        PARTS[self as usize].1
    }

    /// The hash of a part: of these pieces, each with its length.
    pub fn hash<'p>(self, pieces: impl IntoIterator<Item = &'p [u8]>) -> String {
        let mut hash = Sha256::new();
        for piece in pieces {
            hash.update((piece.len() as u64).to_be_bytes());
            hash.update(piece);
        }
        let mut text = crate::hex::encode(hash.finalize());
        text.truncate(self.digits());
        text
    }
}

/// The id of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanId([String; 6]);

impl PlanId {
    /// The id of these hashes, in the order of the parts.
    pub fn new(hashes: [String; 6]) -> Self {
        Self(hashes)
    }

    /// Whether a part has this hash.
    pub fn has(&self, part: Part, hash: &str) -> bool {
        self.0[part as usize] == hash
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FORM}-{}", self.0.join("-"))
    }
}

impl FromStr for PlanId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_hash = |(hash, (_, digits)): (&&str, &(Part, usize))| {
            hash.len() == *digits && hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        };
        let words: Vec<&str> = text.trim().split('-').collect();
        match words.as_slice() {
            [FORM, hashes @ ..] if hashes.len() == PARTS.len() && hashes.iter().zip(&PARTS).all(is_hash) => {
                Ok(Self(std::array::from_fn(|at| hashes[at].to_owned())))
            }
            _ => Err(Error::request("this is no id of a plan").hint("a dry run prints it, whole: `p1-…`")),
        }
    }
}

impl Serialize for PlanId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PlanId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|error: Error| serde::de::Error::custom(error.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_and_anything_else_is_refused() {
        let hashes = PARTS.map(|(part, _)| part.hash([&b"x"[..]]));
        let id = PlanId::new(hashes);
        let text = id.to_string();
        assert_eq!(text.parse::<PlanId>().expect("an id"), id);
        assert_eq!(serde_json::from_value::<PlanId>(serde_json::json!(id)).expect("an id"), id);
        for wrong in ["", "p1", &text[1..], &text[..text.len() - 1], &text.to_uppercase(), &text.replace("p1", "p2")] {
            assert_eq!(wrong.parse::<PlanId>().expect_err("refused").message, "this is no id of a plan", "{wrong}");
        }
    }

    #[test]
    fn pieces_are_not_taken_for_one_another() {
        let hash = |pieces: &[&str]| Part::Contents.hash(pieces.iter().map(|piece| piece.as_bytes()));
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_eq!(hash(&["a"]).len(), 16);
        assert!(PARTS.iter().enumerate().all(|(at, (part, _))| *part as usize == at));
    }
}
