//! What is true of all strings and numbers at a path.

use super::look::{DAY_FORMS, Look, day_forms};
use crate::decimal::Decimal;
use crate::row::keeps_number;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// So many different values of a path are remembered.
const MOST_VALUES: usize = 20;
/// Only strings of at most so many characters are.
const LONGEST_VALUE: usize = 40;
/// So many different values of a path are compared to find out whether it is an id, or refers to one.
const MOST_COMPARED: usize = 1_000_000;
/// A longer text, in bytes, is neither.
const LONGEST_ID: usize = 200;
/// The most characters of a word in a list with commas.
const LONGEST_WORD: usize = 30;

/// Counts of strings and numbers, and what is true of all of them.
#[derive(Debug)]
pub struct Facts {
    /// How many strings.
    pub strings: u64,
    /// Numbers written without fraction and exponent, of at most 64 bits.
    pub integers: u64,
    /// Other numbers.
    pub fractions: u64,
    /// Empty strings.
    pub empty: u64,
    /// The least and the most characters of a string.
    pub chars: Option<(u64, u64)>,
    /// What strings look like.
    pub looks: BTreeMap<Look, u64>,
    /// How many strings are a day in each of [`DAY_FORMS`].
    pub days: [u64; DAY_FORMS.len()],
    /// Different short values; `None` when there are too many, or long ones, or none may be kept.
    pub values: Option<BTreeMap<String, u64>>,
    /// Whether two values of one list or map are the same, or may be.
    pub repeats_in_list: bool,
    /// Whether two values of one file are the same, or may be.
    pub repeats_in_file: bool,
    /// Whether two values of the whole type are the same, or may be.
    pub repeats: bool,
    /// Hashes of the different values; `None` when there are too many, or one is too long.
    pub distinct: Option<HashSet<u64>>,
    /// Strings with U+0000.
    pub nuls: u64,
    /// Strings of short words with commas between them.
    pub commas: u64,
    /// Strings that end in blanks, or begin with them.
    pub padded: u64,
    /// The least and the most number, without its fraction.
    pub range: Option<(i64, i64)>,
    /// The same of strings of digits.
    pub digits: Option<(i64, i64)>,
    /// Whether an exact decimal column keeps every number.
    pub numeric: bool,
    /// Whether a double column keeps every number.
    pub real: bool,
    /// The most digits behind the point.
    pub scale: u64,
    in_list: (u64, HashSet<u64>),
    in_file: (u64, HashSet<u64>),
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            strings: 0,
            integers: 0,
            fractions: 0,
            empty: 0,
            chars: None,
            looks: BTreeMap::new(),
            days: [0; DAY_FORMS.len()],
            values: Some(BTreeMap::new()),
            repeats_in_list: false,
            repeats_in_file: false,
            repeats: false,
            distinct: Some(HashSet::new()),
            nuls: 0,
            commas: 0,
            padded: 0,
            range: None,
            digits: None,
            numeric: true,
            real: true,
            scale: 0,
            in_list: (0, HashSet::new()),
            in_file: (0, HashSet::new()),
        }
    }
}

impl Facts {
    /// How many numbers.
    pub fn numbers(&self) -> u64 {
        self.integers + self.fractions
    }

    /// How many strings and numbers.
    pub fn scalars(&self) -> u64 {
        self.strings + self.numbers()
    }

    /// The strings that look like this.
    pub fn look(&self, look: Look) -> u64 {
        self.looks.get(&look).copied().unwrap_or(0)
    }

    /// Whether there are strings, and every one that is not empty looks like this.
    pub fn all_look(&self, look: Look) -> bool {
        self.strings > self.empty && self.look(look) == self.strings - self.empty
    }

    /// Adds how many there are, while names are noted.
    pub(super) fn add_counts(&mut self, other: &Self) {
        self.strings += other.strings;
        self.integers += other.integers;
        self.fractions += other.fractions;
    }

    pub(super) fn number(&mut self, text: &str) {
        let integer = text.parse::<i64>().ok().filter(|_| text != "-0");
        if let Some(value) = integer {
            self.integers += 1;
            widen(&mut self.range, value);
            self.real &= value.unsigned_abs() <= 1 << 53;
            return;
        }
        self.fractions += 1;
        if let Some(whole) = text.split_once('.').and_then(|(whole, _)| whole.parse().ok()) {
            widen(&mut self.range, whole);
        }
        let decimal = Decimal::of(text);
        let sign_is_lost = decimal.is_minus_zero();
        self.scale = self.scale.max(decimal.scale());
        self.numeric &= keeps_number(text) && !sign_is_lost;
        self.real &= is_double(text, &decimal) && !sign_is_lost;
    }

    pub(super) fn string(&mut self, text: &str) {
        let chars = text.chars().count() as u64;
        self.strings += 1;
        self.empty += u64::from(text.is_empty());
        self.nuls += u64::from(text.contains('\0'));
        self.commas += u64::from(is_comma_list(text));
        self.padded += u64::from(text.trim() != text);
        self.chars = Some(self.chars.map_or((chars, chars), |(least, most)| (least.min(chars), most.max(chars))));
        for (count, is_day) in self.days.iter_mut().zip(day_forms(text)) {
            *count += u64::from(is_day);
        }
        if let Ok(number) = text.parse::<i64>() {
            widen(&mut self.digits, number);
        }
        if let Some(look) = Look::of(text) {
            *self.looks.entry(look).or_default() += 1;
        }
    }

    /// Compares a value with those before it; of a secret nothing is kept.
    pub(super) fn compare(&mut self, text: &str, file: u64, list: u64, secret: bool, state: &RandomState) {
        if secret {
            (self.values, self.distinct) = (None, None);
            (self.repeats, self.repeats_in_file, self.repeats_in_list) = (true, true, true);
            (self.in_file.1, self.in_list.1) = (HashSet::new(), HashSet::new());
            return;
        }
        if let Some(values) = &mut self.values {
            if let Some(count) = values.get_mut(text) {
                *count += 1;
            } else if values.len() < MOST_VALUES && text.chars().take(LONGEST_VALUE + 1).count() <= LONGEST_VALUE {
                values.insert(text.to_owned(), 1);
            } else {
                self.values = None;
            }
        }
        let Some(distinct) = &mut self.distinct else { return };
        if text.len() > LONGEST_ID || distinct.len() >= MOST_COMPARED {
            self.distinct = None;
            (self.repeats, self.repeats_in_file, self.repeats_in_list) = (true, true, true);
            return;
        }
        let hash = state.hash_one(text);
        self.repeats |= !distinct.insert(hash);
        let again = |(of, seen): &mut (u64, HashSet<u64>), now: u64| {
            if *of != now {
                *of = now;
                seen.clear();
            }
            !seen.insert(hash)
        };
        // What is the same in a list is the same in the file.
        if !self.repeats_in_list {
            self.repeats_in_list = again(&mut self.in_list, list);
        }
        if !self.repeats_in_file {
            self.repeats_in_file = again(&mut self.in_file, file);
        }
    }
}

fn widen(range: &mut Option<(i64, i64)>, value: i64) {
    *range = Some(range.map_or((value, value), |(least, most)| (least.min(value), most.max(value))));
}

/// Whether a double gives a number back with as many digits, at most 17 (IEEE 754, 5.12.2).
fn is_double(text: &str, decimal: &Decimal) -> bool {
    let digits = decimal.digits().len().clamp(1, 17);
    text.parse::<f64>()
        .is_ok_and(|value| value.is_finite() && *decimal == Decimal::of(&format!("{value:.*e}", digits - 1)))
}

/// Whether a text is short words with commas between them: `quick, vegan`.
fn is_comma_list(text: &str) -> bool {
    let is_word = |part: &str| {
        let part = part.strip_prefix(' ').unwrap_or(part);
        let plain =
            |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_' | '#' | '&' | '/' | '+');
        !part.is_empty()
            && part.trim() == part
            && part.chars().count() <= LONGEST_WORD
            && part.split(' ').count() <= 3
            && part.chars().all(plain)
            && part.contains(char::is_alphabetic)
    };
    text.contains(',') && text.split(',').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(numbers: &[&str]) -> Facts {
        let mut facts = Facts::default();
        numbers.iter().for_each(|text| facts.number(text));
        facts
    }

    #[test]
    fn numbers_are_told_by_what_keeps_them() {
        let of = |numbers: &[&str]| {
            let facts = facts(numbers);
            (facts.numeric, facts.real, facts.scale)
        };
        assert_eq!(of(&["1.50", "-3.25", "7"]), (true, true, 2));
        assert_eq!(of(&["1e3"]), (false, true, 0));
        assert_eq!(of(&["52.520008123456789"]), (false, false, 15));
        assert_eq!(of(&["-0.0"]), (false, false, 0));
        assert_eq!(of(&["9007199254740993", "0.5"]), (true, false, 1));
        assert_eq!(facts(&["5", "-3"]).range, Some((-3, 5)));
    }

    #[test]
    fn words_with_commas_are_a_list_and_sentences_are_none() {
        let of = |text| is_comma_list(text);
        assert_eq!(["quick, vegan", "code,docs", "a b,c"].map(of), [true; 3]);
        assert_eq!(
            ["one", "", "1,204.50", "1,2", "Well, this is a whole sentence.", "a,,b", "a,  b"].map(of),
            [false; 7]
        );
    }
}
