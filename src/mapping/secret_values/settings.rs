//! A name that looks like a secret, a separator, and a value: settings, query strings, connection
//! strings, configuration files, logs and command lines.

use super::super::secret_words::{is_count, looks_secret};
use super::headers;
use super::near::{LONGEST_NAME, end_of, start_of};
use super::value::{self, Value};

/// A name before a separator.
struct Name<'t> {
    /// Up to three words.
    text: &'t str,
    quoted: bool,
    /// Nothing else precedes it on its line, or only another setting.
    starts: bool,
}

/// `name=value` of a query, a connection string, a cookie or an environment file: whatever the value.
pub(super) fn by_equals(text: &str) -> bool {
    memchr::memchr_iter(b'=', text.as_bytes()).any(|at| {
        if text[at + 1..].starts_with(['=', '>']) && !text[at + 2..].starts_with([' ', '\'', '"']) {
            return false; // the second sign is looked at
        }
        let given = value::read(text[at + 1..].trim_start_matches(['=', '>']));
        if !value::is_given(given.text) {
            return false;
        }
        let before = text[..at].trim_end_matches(['=', '!', '<', '>', '+', ':', '?']);
        let Some(name) = name_before(before) else { return false };
        // libpq separates by blanks, and a shell's line begins with a word of its own.
        let last = name.text.rsplit(' ').next().unwrap_or_default();
        let is_secret = |name: &str| is_named(name) && !is_count(name, given.text);
        is_secret(last) || (name.starts && last != name.text && is_secret(name.text))
    })
}

/// `name: value`. Where the name stands in quotes, as in JSON, the value may be anything; else sentences
/// look so too, and the value's form decides.
pub(super) fn by_colon(text: &str) -> bool {
    memchr::memchr_iter(b':', text.as_bytes()).any(|at| {
        let (before, rest) = (&text[..at], &text[at + 1..]);
        if rest.starts_with([':', '=']) || rest.starts_with("//") || before.ends_with(':') {
            return false;
        }
        let mut given = value::read(rest);
        let is_scheme = headers::is_scheme(given.text);
        if is_scheme && !given.ends {
            given = value::read(given.rest);
        }
        if !value::is_given(given.text) {
            return false;
        }
        let Some(name) = name_before(before) else { return false };
        let fits = (name.quoted && !given.text.starts_with(['{', '[']))
            || (given.quoted && name.starts)
            || (given.ends && name.starts && value::stands_alone(given.text))
            || value::has_secret_form(given.text);
        fits && is_named(name.text) && !is_count(name.text, given.text) && !is_tally(&name, &given)
    })
}

/// `pass: 1200`: so many tests did.
fn is_tally(name: &Name<'_>, given: &Value<'_>) -> bool {
    name.text.rsplit(' ').next().is_some_and(|last| last.eq_ignore_ascii_case("pass"))
        && given.text.trim_end_matches([',', '.']).bytes().all(|byte| byte.is_ascii_digit())
}

/// `--name value` of a command line, and curl's `-u user:password`.
pub(super) fn by_option(text: &str) -> bool {
    memchr::memchr_iter(b'-', text.as_bytes()).any(|at| {
        let opens =
            text[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '[' | '('));
        let option = text[at..].trim_start_matches('-');
        if !opens || option.starts_with(char::is_whitespace) {
            return false;
        }
        let option = start_of(option);
        let end =
            option.find(|c: char| c.is_whitespace() || matches!(c, '=' | ':' | '"' | '\'')).unwrap_or(option.len());
        let (name, rest) = option.split_at(end);
        // An array of arguments has each of them in quotes.
        let rest = rest.trim_start_matches(['"', '\'']).trim_start_matches(',');
        if !rest.starts_with([' ', '\t', '"', '\'']) {
            return false;
        }
        let given = value::read(rest);
        if matches!(name, "u" | "user") {
            return given.text.split_once(':').is_some_and(|(user, password)| {
                !user.is_empty() && value::is_given(password) && !password.bytes().all(|byte| byte.is_ascii_digit())
            });
        }
        value::is_given(given.text)
            && (given.quoted || !(given.text.starts_with('-') || value::is_common(given.text)))
            && is_named(name)
            && !is_count(name, given.text)
    })
}

pub(super) fn is_named(name: &str) -> bool {
    name.len() <= LONGEST_NAME && looks_secret(name)
}

/// The name that a text ends with.
fn name_before(before: &str) -> Option<Name<'_>> {
    let is_mark = |c: char| matches!(c, ' ' | '\t' | '*' | '\\');
    let before = end_of(before).trim_end_matches(is_mark);
    let before = before.strip_suffix("&quot;").unwrap_or(before);
    if let Some(quote) = before.chars().next_back().filter(|c| matches!(c, '"' | '\'' | '`' | ']')) {
        let inside = before[..before.len() - 1].trim_end_matches(['"', '\'', '\\']);
        let open = if quote == ']' { '[' } else { quote };
        let text = &inside[inside.rfind(open)? + 1..];
        let text = text.trim_matches(['"', '\'']);
        return (!text.is_empty()).then_some(Name { text, quoted: true, starts: true });
    }
    let is_border = |c: char| "&;?#,{}|(['\"`<>\n\r".contains(c);
    let line = before.rfind(is_border).map_or(before, |border| &before[border + 1..]);
    let line = line.trim_start().trim_start_matches(['-', '*', '+', '/', '\\', '$', '@']).trim_start_matches(is_mark);
    let follows = follows_setting(line);
    let text = last_words(line, if follows { 1 } else { 3 });
    let is_name = !text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_punctuation());
    is_name.then_some(Name { text, quoted: false, starts: follows || text.len() == line.len() })
}

/// The last words of a line, so many at most.
pub(super) fn last_words(line: &str, most: usize) -> &str {
    let mut start = line.len();
    for _ in 0..most {
        let head = line[..start].trim_end();
        start =
            head.rfind(char::is_whitespace).map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
    }
    &line[start..]
}

/// Whether the last word follows a setting: `user=bob password`, `user: bob password`.
fn follows_setting(line: &str) -> bool {
    let mut words = line.split_whitespace().rev().skip(1);
    words.next().is_some_and(|value| value.contains('=')) || words.next().is_some_and(|name| name.ends_with(':'))
}
