//! The lists of words.txt: words that stand behind the name of a secret and are none.

use crate::mapping::word_list::{List, Words};

const TEXT: &str = include_str!("words.txt");

/// Words for no value.
pub(super) static NOTHING: List = List::new(|| Words::read(TEXT, "nothing"));
/// Ordinary words of letters and digits.
pub(super) static ORDINARY: List = List::new(|| Words::read(TEXT, "ordinary"));
/// Words that sentences about secrets have where a value could be.
pub(super) static COMMON: List = List::new(|| Words::read(TEXT, "common"));
