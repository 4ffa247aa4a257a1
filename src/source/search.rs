//! Looking through a file that nothing reads: whatever it is, as text and, where it is JSON, by names.

use super::json::{Event, Fault, Progress, Scanner};
use super::read::{Form, Limits, SourceFile, open};
use super::window::Window;
use crate::finding::JSON_TRAILING;
use std::borrow::Cow;
use std::io::{Read, Result as IoResult};
use zeroize::Zeroizing;

/// So many bytes are looked at together…
const PART: usize = 1 << 20;
/// …and so many of them once more with the next ones, so that nothing is cut in two unseen.
const OVERLAP: usize = 1 << 14;

/// Whether the file's text holds what `finds` finds, or the file is JSON and has a member with a value
/// whose name is one of those that `named` knows.
///
/// # Errors
/// Those of the file system.
pub fn holds(file: &SourceFile, finds: &dyn Fn(&str) -> bool, named: &dyn Fn(&str) -> bool) -> IoResult<bool> {
    let file = unpacked(file)?;
    Ok(holds_text(&file, finds)? || has_member(&file, named))
}

/// The file as it is looked at: one that nothing reads may be packed too, as its first bytes say.
fn unpacked(file: &SourceFile) -> IoResult<Cow<'_, SourceFile>> {
    let mut magic = Vec::new();
    file.handle()?.take(2).read_to_end(&mut magic)?;
    let packed = (file.form().packed.is_none() && magic == b"\x1f\x8b").then_some(u64::MAX);
    Ok(packed.map_or(Cow::Borrowed(file), |most| Cow::Owned(file.in_form(Form { packed: Some(most), ..file.form() }))))
}

fn holds_text(file: &SourceFile, finds: &dyn Fn(&str) -> bool) -> IoResult<bool> {
    let mut handle = file.bytes()?;
    let mut part = Zeroizing::new(Vec::with_capacity(PART.min(usize::try_from(file.bytes).unwrap_or(PART)) + 1));
    loop {
        let room = (PART - part.len()) as u64;
        let read = handle.by_ref().take(room).read_to_end(&mut part)?;
        // Secrets come from JSON, so bytes that are not UTF-8 are not one.
        if finds(&Zeroizing::new(String::from_utf8_lossy(&part).into_owned())) {
            return Ok(true);
        }
        if read == 0 || part.len() < PART {
            return Ok(false);
        }
        part.drain(..PART - OVERLAP);
    }
}

fn has_member(file: &SourceFile, named: &dyn Fn(&str) -> bool) -> bool {
    let mut has = false;
    values_of(file, named, &mut |_| has = true);
    has
}

/// Shows the values of the members with these names, as far as the file is JSON: what is behind the place
/// where it breaks off is not read, what is before it is. Empty strings are left out.
pub fn values_of(file: &SourceFile, named: &dyn Fn(&str) -> bool, show: &mut dyn FnMut(&str)) {
    let Ok(mut opened) = open(file, Limits { sensitive: true, ..Limits::default() }) else { return };
    let depth = opened.limits.depth;
    let mut scratch = Zeroizing::default();
    // It may be a file of lines: where one is broken, the next one may be whole.
    while let Err(fault) = values_in(&mut opened.window, depth, named, &mut scratch, show) {
        if fault.code != &JSON_TRAILING && !pass_line(&mut opened.window) {
            return;
        }
    }
}

/// Passes over the rest of a line; `false` at the end of the file.
fn pass_line(window: &mut Window) -> bool {
    loop {
        let rest = window.rest();
        match memchr::memchr(b'\n', rest) {
            Some(end) => {
                window.pass(end + 1);
                return true;
            }
            None => window.pass(rest.len()),
        }
        if !window.more().unwrap_or(false) {
            return false;
        }
    }
}

/// The values of one document; an error where it breaks off.
fn values_in(
    window: &mut Window,
    depth: u32,
    named: &dyn Fn(&str) -> bool,
    scratch: &mut String,
    show: &mut dyn FnMut(&str),
) -> Result<(), Fault> {
    let mut scanner = Scanner::resume(window, Progress::lenient(depth));
    let mut is_named = false;
    while let Some(token) = scanner.next()? {
        match token.event {
            Event::Name(name) => is_named = named(name.decode(scratch)),
            Event::String(text) if is_named => {
                let text = text.decode(scratch);
                if !text.is_empty() {
                    show(text);
                }
                is_named = false;
            }
            Event::Number(text) if is_named => {
                show(text);
                is_named = false;
            }
            _ => is_named = false,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::read::Base;
    use super::*;
    use crate::finding::FileId;

    fn written(content: &str) -> (tempfile::TempDir, SourceFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, content).unwrap();
        let metadata = std::fs::metadata(&path).unwrap();
        let file = SourceFile::new(FileId(0), &mut Base::new(folder.path(), 0), "a.json".into(), &metadata);
        (folder, file)
    }

    fn found(content: &str) -> bool {
        let (_folder, file) = written(content);
        holds(&file, &|text| text.contains("open-sesame"), &|name| name == "doorPin").unwrap()
    }

    #[test]
    fn a_text_is_found_wherever_it_is() {
        assert!(found("no json, but open-sesame"));
        for before in [PART - 20, PART - 5, PART, PART - OVERLAP - 3, 3 * PART] {
            assert!(found(&format!("{}open-sesame{}", " ".repeat(before), " ".repeat(PART))), "{before}");
        }
        assert!(!found(&" ".repeat(2 * PART)));
    }

    #[test]
    fn values_before_the_place_where_a_file_breaks_off_are_shown() {
        let values = |content: &str| {
            let (_folder, file) = written(content);
            let mut values = Vec::new();
            values_of(&file, &|name| name == "doorPin", &mut |value| values.push(value.to_owned()));
            values
        };
        let whole =
            r#"[{"doorPin": "one"}, {"doorPin": 2, "a": "b"}, {"b": {"doorPin": "thr\u0065e"}}, {"doorPin": ""}]"#;
        assert_eq!(values(whole), ["one", "2", "three"]);
        assert_eq!(values(&whole[..60]), ["one", "2"]);
        assert_eq!(values(r#"[{"doorPin": "one"}, {"doorPin": "tw"#), ["one"]);
        assert_eq!(values("no JSON"), [""; 0]);
    }

    #[test]
    fn every_line_of_a_file_of_lines_is_looked_at_broken_ones_too() {
        let (_folder, file) = written("{\"doorPin\": \"one\"}\n{\"a\": x, \"doorPin\": \"?\"}\n{\"doorPin\": \"two\"}");
        let mut values = Vec::new();
        values_of(&file, &|name| name == "doorPin", &mut |value| values.push(value.to_owned()));
        assert_eq!(values, ["one", "two"]);
    }

    #[test]
    fn a_name_counts_where_it_has_a_value() {
        assert!(found(r#"[{"a": {"doorPin": "1"}}]"#));
        assert!(found(r#"{"doorPin": 4711}"#));
        for none in [r#"{"doorPin": ""}"#, r#"{"doorPin": null}"#, r#"{"doorPin": {}, "a": "b"}"#, r#"["doorPin"]"#] {
            assert!(!found(none), "{none}");
        }
    }
}
