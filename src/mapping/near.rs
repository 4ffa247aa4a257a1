//! The pattern that a file was probably meant for, where none matches it.

use super::model::{Pattern, PatternPiece, PatternSegment};
use super::suggest;

/// How far a pattern is from matching, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Far {
    Case,
    Ending,
    Name,
    Folder,
}

/// The first of the nearest patterns, and with what difference it would match the path; none where all are far.
pub fn nearest<'p>(patterns: impl Iterator<Item = &'p Pattern>, path: &str) -> Option<(&'p Pattern, String)> {
    let names: Vec<&str> = path.split('/').collect();
    let near = patterns.filter_map(|pattern| Some((pattern, near(pattern, path, &names)?)));
    near.min_by_key(|(_, (far, _))| *far).map(|(pattern, (_, words))| (pattern, words))
}

fn near(pattern: &Pattern, path: &str, names: &[&str]) -> Option<(Far, String)> {
    if of(pattern.segments.iter().map(lower).collect()).matches(&path.to_lowercase()) {
        return Some((Far::Case, "if upper and lower case were the same".to_owned()));
    }
    if pattern.segments.contains(&PatternSegment::Any) {
        return None; // it has no place for a folder of its own
    }
    if pattern.segments.len() == names.len() {
        let mut wrong = pattern.segments.iter().zip(names).filter(|(segment, name)| !takes(segment, name));
        let (segment, name) = wrong.next()?;
        return if wrong.next().is_none() { near_name(segment, name) } else { None };
    }
    near_folder(pattern, names)
}

/// A name that differs from a segment in its ending, or in a slip of the pen.
fn near_name(segment: &PatternSegment, name: &str) -> Option<(Far, String)> {
    let end = match segment {
        PatternSegment::Literal(text) => text.as_str(),
        _ => segment.ends()[1],
    };
    if let (Some((_, wanted)), Some((stem, found))) = (end.rsplit_once('.'), name.rsplit_once('.'))
        && found != wanted
        && takes(segment, &format!("{stem}.{wanted}"))
    {
        return Some((Far::Ending, format!("if `{name}` ended in `.{wanted}`")));
    }
    let PatternSegment::Literal(wanted) = segment else { return None };
    suggest::nearest(name, [wanted.as_str()]).map(|wanted| (Far::Name, format!("if `{name}` were called `{wanted}`")))
}

/// A path with a folder more or less than a pattern whose last name is its own.
fn near_folder(pattern: &Pattern, names: &[&str]) -> Option<(Far, String)> {
    let (last, folders) = pattern.segments.split_last()?;
    if !matches!(last, PatternSegment::Literal(_)) && last.ends()[0].is_empty() {
        return None; // any file of the ending would be near
    }
    let without = |at: usize| [&names[..at], &names[at + 1..]].concat().join("/");
    if names.len() == pattern.segments.len() + 1 {
        let more = (0..names.len() - 1).rev().find(|at| pattern.matches(&without(*at)))?;
        return Some((Far::Folder, format!("without the folder `{}`", names[more])));
    }
    if names.len() + 1 != pattern.segments.len() {
        return None;
    }
    let path = names.join("/");
    let lacks = |at: &usize| of([&folders[..*at], &pattern.segments[at + 1..]].concat()).matches(&path);
    let lacking = (0..folders.len()).rev().find(lacks)?;
    let segment = pattern.text.split('/').nth(lacking)?;
    Some((Far::Folder, format!("with a folder `{segment}` more")))
}

fn takes(segment: &PatternSegment, name: &str) -> bool {
    of(vec![segment.clone()]).matches(name)
}

fn of(segments: Vec<PatternSegment>) -> Pattern {
    Pattern { text: String::new(), segments }
}

fn lower(segment: &PatternSegment) -> PatternSegment {
    match segment {
        PatternSegment::Literal(text) => PatternSegment::Literal(text.to_lowercase()),
        PatternSegment::Mixed(pieces) => PatternSegment::Mixed(
            pieces
                .iter()
                .map(|piece| match piece {
                    PatternPiece::Literal(text) => PatternPiece::Literal(text.to_lowercase()),
                    piece => piece.clone(),
                })
                .collect(),
        ),
        PatternSegment::Any => PatternSegment::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_near_that_differs_in_one_thing() {
        let patterns: Vec<Pattern> =
            ["people.json", "people/{person}/notes.json", "people/{person}/book_{year}.json", "old/**"]
                .into_iter()
                .map(|text| Pattern::parse(text).expect("a pattern"))
                .collect();
        for (path, expected) in [
            ("People.json", "people.json if upper and lower case were the same"),
            ("people/7/Notes.JSON", "people/{person}/notes.json if upper and lower case were the same"),
            ("Old/a/b", "old/** if upper and lower case were the same"),
            ("people/7/notes.jsonl", "people/{person}/notes.json if `notes.jsonl` ended in `.json`"),
            ("people/7/book_2020.txt", "people/{person}/book_{year}.json if `book_2020.txt` ended in `.json`"),
            ("people/7/note.json", "people/{person}/notes.json if `note.json` were called `notes.json`"),
            ("poeple/7/notes.json", "people/{person}/notes.json if `poeple` were called `people`"),
            ("people/7/2020/notes.json", "people/{person}/notes.json without the folder `2020`"),
            ("people/notes.json", "people/{person}/notes.json with a folder `{person}` more"),
            ("data/people.json", "people.json without the folder `data`"),
            ("people/7/drafts.json", ""),
            ("pets/7/drafts.json", ""),
            ("x.json", ""),
        ] {
            let found = nearest(patterns.iter(), path).map(|(pattern, words)| format!("{} {words}", pattern.text));
            assert_eq!(found.unwrap_or_default(), expected, "{path}");
        }
    }
}
