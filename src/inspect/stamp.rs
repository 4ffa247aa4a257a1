//! Numbers, dates and ids in names: a run of them with the marks in between is one.

use std::ops::Range;

/// The separators within one stamp: `2024-01-31_12:30:00.5`.
const MARKS: [&str; 4] = ["-", ":", ".", "_"];

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

/// Whether a name has a run in it that is surely no version: a date, or an id.
pub(super) fn has_stamp(name: &str) -> bool {
    runs(name).into_iter().any(|run| {
        let long = name[run.clone()].split(|letter: char| !letter.is_ascii_digit()).any(|digits| digits.len() >= 4);
        long || run.len() >= 8
    })
}

/// Where the runs are.
fn runs(name: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < name.len() {
        let word = name[at..].split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
        let end = uuid_end(name, at).unwrap_or(at + word.len());
        if end == at {
            at += name[at..].chars().next().map_or(1, char::len_utf8);
            continue; // a mark, and no word
        }
        if end > at + word.len() || is_data(word) {
            match found.last_mut() {
                Some(last) if MARKS.contains(&&name[last.end..at]) => last.end = end,
                _ => found.push(at..end),
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

/// Digits, hexadecimal digits, or a part of a time: `06T08`, `000Z`.
fn is_data(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let hex = word.len() >= 8
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.bytes().any(|byte| byte.is_ascii_digit());
    let time = word.strip_suffix('Z').unwrap_or(word);
    hex || time.split_once('T').map_or(digits(time), |(day, hour)| digits(day) && digits(hour))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_one_hole_and_words_stay() {
        let of = |name| skeleton(name).replace('\0', "#");
        for (name, expected) in [
            ("notes.json", "notes.json"),
            ("v2.json", "v2.json"),
            ("page_3.json", "page_#.json"),
            ("changes_2025-05-06T08-10-00.000Z.json", "changes_#.json"),
            ("20250506T081000Z-a-1.txt", "#-a-#.txt"),
            ("9e107d9d-372b-4682-abd8-1d3542a419d6-x.json", "#-x.json"),
            ("9e107d9d372b_facade_1.json", "#_facade_#.json"),
            ("T_Z.json", "T_Z.json"),
            ("é1_ü-2", "é#_ü-#"),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
    }

    #[test]
    fn a_version_is_no_stamp() {
        let stamps = ["a_2024.json", "a_20-01-31.json", "9e107d9d.json"].map(has_stamp);
        assert_eq!((stamps, has_stamp("page_12.json"), has_stamp("1.2.3.json")), ([true; 3], false, false));
    }
}
