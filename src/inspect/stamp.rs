//! Numbers, dates and ids in names: a run of them with the marks in between is one.

use std::ops::Range;

/// The separators within one stamp: `2024-01-31_12:30:00.5`.
const MARKS: [&str; 4] = ["-", ":", ".", "_"];

/// The letters and digits of a random id, at least: 8 of 62 signs are no word.
const SHORTEST_RANDOM: usize = 8;

/// The longest ending of a file's name.
const LONGEST_ENDING: usize = 6;

/// A file's name without its ending, and that: `a.jsonl.gz` is `a` and `.jsonl.gz`.
pub(super) fn split_ending(name: &str) -> (&str, &str) {
    let one = |name: &str| {
        let at = name.rfind('.').filter(|at| *at > 0)?;
        let ending = &name[at + 1..];
        let is_word = ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let has_letter = ending.bytes().any(|byte| byte.is_ascii_alphabetic());
        (is_word && has_letter && ending.len() <= LONGEST_ENDING).then_some(at)
    };
    let Some(at) = one(name) else { return (name, "") };
    let at = if name[at..].eq_ignore_ascii_case(".gz") { one(&name[..at]).unwrap_or(at) } else { at };
    name.split_at(at)
}

/// A name with its numbers, dates and ids as holes (`\0`).
pub(super) fn skeleton(name: &str) -> String {
    let mut out = String::new();
    let mut end = 0;
    for run in runs(name) {
        out.push_str(&name[end..run.start]);
        out.push('\0');
        end = run.end;
    }
    out + &name[end..]
}

/// The skeleton of a file's name, whose ending is none of its data.
pub(super) fn file_skeleton(name: &str) -> String {
    let (stem, ending) = split_ending(name);
    skeleton(stem) + ending
}

/// Whether a name has a run in it that is surely no version: a date, or an id.
pub(super) fn has_stamp(name: &str) -> bool {
    runs(split_ending(name).0).into_iter().any(|run| {
        let long = name[run.clone()].split(|letter: char| !letter.is_ascii_digit()).any(|digits| digits.len() >= 4);
        long || run.len() >= 8
    })
}

/// Whether a name is an id as a whole, or one behind a short prefix, as in `ses_01JT…` and `u_17`.
pub(super) fn is_id(name: &str) -> bool {
    match runs(name).as_slice() {
        [run] => run.end == name.len() && name[..run.start].chars().count() <= 5,
        _ => false,
    }
}

/// Where the runs are.
fn runs(name: &str) -> Vec<Range<usize>> {
    if is_nano(name) {
        return std::iter::once(0..name.len()).collect();
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < name.len() {
        let word = name[at..].split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
        let end = uuid_end(name, at).unwrap_or(at + word.len());
        if end == at {
            at += name[at..].chars().next().map_or(1, char::len_utf8);
            continue; // a mark, and no word
        }
        let run = if end > at + word.len() || is_data(word) { Some(at) } else { counted(word).map(|from| at + from) };
        if let Some(from) = run {
            match found.last_mut() {
                Some(last) if from == at && MARKS.contains(&&name[last.end..at]) => last.end = end,
                _ => found.push(from..end),
            }
        }
        at = end;
    }
    found
}

/// Where a UUID with dashes ends that begins here.
fn uuid_end(name: &str, at: usize) -> Option<usize> {
    let end = at + 36;
    let text = name.get(at..end).filter(|text| uuid::Uuid::try_parse(text).is_ok())?;
    let ends = !name[end..].starts_with(|letter: char| letter.is_ascii_alphanumeric());
    (ends && text.contains('-')).then_some(end)
}

/// Where the number behind a word begins: `u17`.
fn counted(word: &str) -> Option<usize> {
    let letters = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
    (letters.len() < word.len() && letters.bytes().all(|byte| byte.is_ascii_alphabetic())).then_some(letters.len())
}

/// Digits, hexadecimal digits, a random id, or a part of a time: `06T08`, `000Z`.
fn is_data(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let hex = word.len() >= 8
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.bytes().any(|byte| byte.is_ascii_digit());
    let time = word.strip_suffix('Z').unwrap_or(word);
    hex || is_random(word) || time.split_once('T').map_or(digits(time), |(day, hour)| digits(day) && digits(hour))
}

/// Letters and digits in no order, as in a ULID: with digits among them, and a change of kind every third sign at least.
fn is_random(word: &str) -> bool {
    let numbers = word.bytes().filter(u8::is_ascii_digit).count();
    let mixed = numbers >= 2 && numbers < word.len();
    // `01hp9` is one, too; `v12b` might be a word.
    let short = word.len() >= 4 && word.starts_with(|letter: char| letter.is_ascii_digit()) && changes(word) >= 2;
    mixed && (short || (word.len() >= SHORTEST_RANDOM && 3 * changes(word) >= word.len()))
}

/// The 21 signs of a nanoid, two of which look like marks.
fn is_nano(name: &str) -> bool {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let (upper, lower) = (|byte: u8| byte.is_ascii_uppercase(), |byte: u8| byte.is_ascii_lowercase());
    name.len() == 21
        && name.bytes().all(alphabet)
        && name.bytes().any(upper)
        && name.bytes().any(lower)
        && changes(name) >= 8
}

/// How often a capital, a small letter and a digit follow one another; a capital before a small letter begins a word.
fn changes(word: &str) -> usize {
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => 0,
        b'A'..=b'Z' => 1,
        b'a'..=b'z' => 2,
        _ => 3,
    };
    let pairs = word.as_bytes().windows(2).map(|pair| (kind(pair[0]), kind(pair[1])));
    pairs.filter(|(one, other)| one != other && (*one, *other) != (1, 2)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_one_hole_and_words_stay() {
        let of = |name| file_skeleton(name).replace('\0', "#");
        for (name, expected) in [
            ("notes.json", "notes.json"),
            ("v2.json", "v#.json"),
            ("page_3.json", "page_#.json"),
            ("changes_2025-05-06T08-10-00.000Z.json", "changes_#.json"),
            ("20250506T081000Z-a-1.txt", "#-a-#.txt"),
            ("9e107d9d-372b-4682-abd8-1d3542a419d6-x.json", "#-x.json"),
            ("9e107d9d372b_facade_1.json", "#_facade_#.json"),
            ("T_Z.json", "T_Z.json"),
            ("é1_ü-2", "é#_ü-#"),
            ("ses_01JT3K9QWERTY8ZPX4V6B7N2MA.jsonl.gz", "ses_#.jsonl.gz"),
            ("V1StGXR8_Z5jdHi6B-myT.json", "#.json"),
            ("u17.mp3", "u#.mp3"),
            ("ses_01hp9.jsonl", "ses_#.jsonl"),
            ("userPreferences.json", "userPreferences.json"),
            ("internationalization.json", "internationalization.json"),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
    }

    #[test]
    fn a_version_is_no_stamp() {
        let stamps = ["a_2024.json", "a_20-01-31.json", "9e107d9d.json"].map(has_stamp);
        assert_eq!((stamps, has_stamp("page_12.json"), has_stamp("1.2.3.json")), ([true; 3], false, false));
    }

    #[test]
    fn an_id_is_a_whole_name_but_for_a_short_prefix() {
        let ids = ["ses_01JT3K9QWERTY8ZPX4V6B7N2MA", "u_17", "h1", "2024-01-31", "V1StGXR8_Z5jdHi6B-myT"].map(is_id);
        assert_eq!((ids, ["name", "1st", "version2", "a1_b2"].map(is_id)), ([true; 5], [false; 4]));
    }
}
