//! JSON inside of a text: where its bytes are written, and what it holds.

use super::fault::Fault;
use super::json::{Event, Scanner};
use super::limits::{Nul, Replace};
use super::names::Names;
use super::string::{Text, escape};
use super::window::Window;
use crate::finding::{FILE_EMPTY, JSON_DUPLICATE, JSON_INSIDE};
use zeroize::Zeroizing;

/// A window over the content of a text.
pub(super) fn window_of(content: &str, sensitive: bool) -> Window {
    Window::of_text(content.as_bytes().to_vec(), sensitive)
}

/// Follows the bytes of a decoded text back to where they are written.
pub(super) struct Raw<'t> {
    raw: &'t [u8],
    /// How far it has come, in the text as it is written and decoded.
    written: usize,
    decoded: usize,
    nul: Nul,
}

impl<'t> Raw<'t> {
    /// Of a text as it is written, between its quotes.
    pub(super) fn of(raw: &'t str, nul: Nul) -> Self {
        Self { raw: raw.as_bytes(), written: 0, decoded: 0, nul }
    }

    fn step(&mut self) {
        let (decoded, written) = match self.raw[self.written] {
            b'\\' => {
                let (character, length) = escape(&self.raw[self.written..]);
                let is_replaced = character == '\0' && self.nul == Nul::Replace;
                (if is_replaced { char::REPLACEMENT_CHARACTER } else { character }.len_utf8(), length)
            }
            _ => (1, 1),
        };
        self.decoded += decoded;
        self.written += written;
    }

    /// Where the byte of the decoded text is written. To be asked in their order.
    pub(super) fn written(&mut self, decoded: u64) -> u64 {
        while self.decoded as u64 <= decoded && self.written < self.raw.len() {
            let before = (self.written, self.decoded);
            self.step();
            if self.decoded as u64 > decoded {
                (self.written, self.decoded) = before;
                break;
            }
        }
        self.written as u64
    }

    /// Which byte of the decoded text is written there. To be asked in their order.
    pub(super) fn decoded(&mut self, written: u64) -> u64 {
        while (self.written as u64) < written && self.written < self.raw.len() {
            let before = (self.written, self.decoded);
            self.step();
            if self.written as u64 > written {
                (self.written, self.decoded) = before;
                break;
            }
        }
        self.decoded as u64
    }
}

/// How many leaves the JSON in a text has, nested at most so deep.
///
/// # Errors
/// Where and why it is no JSON.
pub(super) fn check(content: &str, depth: u32, replace: Replace, sensitive: bool) -> Result<u64, Fault> {
    let mut window = window_of(content, sensitive);
    let mut names = Names::spare();
    let checked = check_in(&mut window, depth, replace, &mut names);
    names.put_back();
    checked.map_err(|fault| {
        let message = if fault.code == &FILE_EMPTY {
            "this text should hold JSON, and holds nothing".to_owned()
        } else {
            format!("this text should hold JSON: {}", fault.message)
        };
        Fault::new(&JSON_INSIDE, fault.at, message)
    })
}

fn check_in(window: &mut Window, depth: u32, replace: Replace, names: &mut Names) -> Result<u64, Fault> {
    if depth == 0 {
        return Err(Fault::new(&JSON_INSIDE, 0, "values are nested too deeply"));
    }
    let mut scanner = Scanner::within(window, depth, replace);
    let (mut leaves, mut opened) = (0, false);
    let mut scratch = Zeroizing::new(String::new());
    while let Some(token) = scanner.next()? {
        let empty = std::mem::replace(&mut opened, false);
        match token.event {
            Event::Name(name) => {
                if names.insert(name.decode(&mut scratch), token.at).is_some() {
                    return Err(Fault::new(&JSON_DUPLICATE, token.at, "an object has two members of one name"));
                }
            }
            Event::ObjectStart => {
                names.open();
                opened = true;
            }
            Event::ArrayStart => opened = true,
            Event::ObjectEnd => {
                names.close();
                leaves += u64::from(empty);
            }
            Event::ArrayEnd => leaves += u64::from(empty),
            _ => leaves += 1,
        }
    }
    Ok(leaves)
}

/// The content of a text, as it is written.
pub(super) fn content(raw: &str, nul: Nul) -> Zeroizing<String> {
    let mut scratch = Zeroizing::new(String::new());
    let text = Text { raw, escaped: raw.contains('\\'), nul };
    let decoded = text.decode(&mut scratch).to_owned();
    Zeroizing::new(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_text_are_followed_to_where_they_are_written_and_back() {
        let raw = r#"{\"a\":\u00e9\n\ud83d\ude00xü]"#;
        let decoded = content(raw, Nul::Reject);
        assert_eq!(&*decoded, "{\"a\":\u{e9}\n\u{1f600}x\u{fc}]");
        let (mut there, mut back) = (Raw::of(raw, Nul::Reject), Raw::of(raw, Nul::Reject));
        let starts: Vec<u64> = decoded.char_indices().map(|(at, _)| at as u64).collect();
        let written: Vec<u64> = starts.iter().map(|at| there.written(*at)).collect();
        assert_eq!(written, [0, 1, 3, 4, 6, 7, 13, 15, 27, 28, 30]);
        assert_eq!(written.iter().map(|at| back.decoded(*at)).collect::<Vec<_>>(), starts);
    }

    #[test]
    fn leaves_are_counted_and_faults_have_their_place() {
        let told = |text: &str, depth| match check(text, depth, Replace::default(), false) {
            Ok(leaves) => leaves.to_string(),
            Err(fault) => format!("{} at {}: {}", fault.code.id, fault.at, fault.message),
        };
        assert_eq!(told(r#"{"a": [], "b": {}, "c": [1, null]}"#, 9), "4");
        assert_eq!((told("7", 1), told("[]", 1)), ("1".to_owned(), "1".to_owned()));
        assert_eq!(told("", 9), "J015 at 0: this text should hold JSON, and holds nothing");
        assert_eq!(told("[[1]]", 1), "J015 at 1: this text should hold JSON: values are nested deeper than 1 level");
        assert_eq!(told("{\"a\": 1", 9), "J015 at 7: this text should hold JSON: the text ends inside an object");
        assert_eq!(
            told(r#"{"a": 1, "a": 2}"#, 9),
            "J015 at 9: this text should hold JSON: an object has two members of one name"
        );
        assert_eq!(told("Ada", 9), "J015 at 0: this text should hold JSON: expected a value, found a letter");
    }
}
