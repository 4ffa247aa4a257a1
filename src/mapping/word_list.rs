//! Lists of words that are kept in a text file beside the code that asks for them.

use std::collections::HashSet;
use std::sync::LazyLock;

/// A list, read when it is first asked for.
pub(super) type List = LazyLock<Words>;

/// Words in the order of their list.
pub(super) struct Words {
    in_order: Vec<&'static str>,
    all: HashSet<&'static str>,
}

impl Words {
    /// The list of this name. It begins with the name in brackets, on a line of its own; its words stand between
    /// commas, and a line that begins with `#` is a comment.
    pub(super) fn read(text: &'static str, name: &str) -> Self {
        let is_head = |line: &&str| line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) == Some(name);
        let lines = text.lines().skip_while(|line| !is_head(line)).skip(1).take_while(|line| !line.starts_with('['));
        let words = lines.filter(|line| !line.starts_with('#')).flat_map(|line| line.split(',')).map(str::trim);
        let in_order: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        Self { all: in_order.iter().copied().collect(), in_order }
    }

    /// Whether this is one of the words.
    pub(super) fn contains(&self, word: &str) -> bool {
        self.all.contains(word)
    }

    /// Whether this is one of the words, whatever the case of its ASCII letters.
    pub(super) fn contains_in_any_case(&self, word: &str) -> bool {
        self.in_order.iter().any(|other| word.eq_ignore_ascii_case(other))
    }

    /// The words.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.in_order.iter().copied()
    }
}
