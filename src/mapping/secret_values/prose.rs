//! Sentences that tell a secret: `the password is …`, `identified by '…'`, `login bob password …`.

use super::near::end_of;
use super::settings::{is_named, last_words};
use super::value;

/// What stands between the name and the value in a sentence, behind a blank.
const LINKS: &[&str] = &["is ", "was ", "ist ", "lautet ", "est ", "es ", "-> ", "→ "];

/// What words of a secret end with that a value may follow at once.
const NAMES: &[&str] = &["assword", "asswort", "asswd", "ASSWORD"];

/// What SQL's `CREATE USER … IDENTIFIED BY` ends with.
const VERBS: &[&str] = &["DENTIFIED BY", "dentified by"];

/// Whether a secret follows its name in a sentence. Only the value's form tells: `the password is kept by
/// Ann` has none.
pub(super) fn has_secret(text: &str) -> bool {
    memchr::memchr_iter(b' ', text.as_bytes()).any(|at| {
        let (before, rest) = (&text[..at], &text[at + 1..]);
        let ends = |ends: &[&str]| ends.iter().any(|end| before.ends_with(end));
        if let Some(link) = LINKS.iter().find(|link| rest.starts_with(**link)) {
            return value::has_secret_form(value::read(&rest[link.len()..]).text)
                && is_named(last_words(line_of(before), 3));
        }
        if ends(NAMES) {
            let given = value::read(rest);
            let word = last_words(line_of(before), 1).trim_start_matches(['"', '\'', '(']);
            let is_sql = given.quoted && word.bytes().all(|byte| byte.is_ascii_uppercase());
            return (value::has_secret_form(given.text) || (is_sql && value::is_given(given.text))) && is_named(word);
        }
        ends(VERBS) && {
            let given = value::read(rest);
            given.quoted && value::is_given(given.text)
        }
    })
}

/// The end of a text from the beginning of its last line, near by.
fn line_of(text: &str) -> &str {
    let text = end_of(text);
    text.rfind(['\n', '.', '!', ';']).map_or(text, |end| &text[end + 1..]).trim_start()
}
