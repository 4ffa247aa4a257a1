//! What stands behind a name: whether it is a value at all, and whether it has the form of a secret or
//! could be a word of a sentence.

use super::super::secret_words::looks_secret;
use super::near::start_of;
use super::words::{COMMON, NOTHING, ORDINARY};

/// What follows a separator.
pub(super) struct Value<'t> {
    pub text: &'t str,
    /// It stood in quotes.
    pub quoted: bool,
    /// Nothing follows on its line, or what separates it from another setting.
    pub ends: bool,
    /// What follows it, near by.
    pub rest: &'t str,
}

/// Reads the value at the beginning of a text: what is in quotes, or up to a blank.
pub(super) fn read(text: &str) -> Value<'_> {
    let is_blank = |c: char| matches!(c, ' ' | '\t');
    let text = start_of(text).trim_start_matches(is_blank);
    let text = text.trim_start_matches("**").trim_start_matches(is_blank).trim_start_matches(['[', '(', '\\']);
    let text = text.strip_prefix("&quot;").unwrap_or(text);
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    if let Some(quote) = quote {
        let inside = &text[1..];
        let line = inside.lines().next().unwrap_or_default();
        let end = line.find(quote).unwrap_or(line.len());
        return Value {
            text: line[..end].trim_end_matches('\\'),
            quoted: true,
            ends: true,
            rest: inside.get(end + 1..).unwrap_or_default(),
        };
    }
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '&' | ';' | '"' | '\'' | '<' | '`'));
    let (value, rest) = text.split_at(end.unwrap_or(text.len()));
    let ends =
        rest.trim_start_matches(is_blank).chars().next().is_none_or(|c| matches!(c, '\n' | '\r' | ';' | '|' | '&'));
    Value { text: value, quoted: false, ends: ends || value.ends_with(','), rest }
}

/// Not empty, not a number of stars, and not the name of a place where the value is to be found.
pub(super) fn is_value(text: &str) -> bool {
    let text = text.trim_end_matches(',');
    let wrapped = |open: &str, close: char| text.starts_with(open) && text.ends_with(close);
    let placeholder = wrapped("${", '}')
        || wrapped("{{", '}')
        || wrapped("$(", ')')
        || wrapped("<", '>')
        || wrapped("%", '%')
        || wrapped("{", '}')
        || wrapped("[", ']')
        || text.starts_with("${")
        || text.starts_with("{{")
        || text.starts_with("$(")
        || text.starts_with("%(")
        || matches!(text, "%s" | "%d" | "%v" | "?");
    !text.is_empty()
        && !placeholder
        && !text.chars().all(|c| matches!(c, '*' | '.' | '•' | '…' | '-' | '_' | '{' | '}'))
}

/// As [`is_value`], for the value of a setting: it is no word for "nothing", and does not name a variable.
pub(super) fn is_given(text: &str) -> bool {
    let bare = text.trim_end_matches([',', ';', ')', ']']);
    let crossed_out = bare.len() > 2 && bare.bytes().all(|byte| matches!(byte, b'x' | b'X'));
    is_value(text) && !NOTHING.contains_in_any_case(bare) && !is_reference(bare) && !crossed_out
}

/// `$VAR`, `:param`, `@param`, `row.password`, `getToken()`, `env["KEY"]`.
fn is_reference(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
    };
    if let Some(name) = text.strip_prefix('$') {
        let upper = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        return !name.is_empty() && (upper || looks_secret(name));
    }
    if let Some(name) = text.strip_prefix([':', '@']) {
        return is_name(name) && looks_secret(name);
    }
    if let Some((callee, inside)) = text.split_once(['(', '[']) {
        let inside = inside.trim_end_matches([')', ']']);
        return is_name(callee) && (inside.is_empty() || inside.starts_with(['"', '\'']));
    }
    is_name(text) && text.rsplit_once('.').is_some_and(|(_, last)| looks_secret(last))
}

/// Whether a word has a form that words of a sentence do not have: letters and digits mixed, characters
/// such as `$` inside, or at least four digits.
pub(super) fn has_secret_form(word: &str) -> bool {
    let word = word.trim_matches(|c: char| {
        matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '*' | '_')
    });
    let bytes = word.as_bytes();
    if word.chars().count() < 4
        || !is_given(word)
        || is_address(word)
        || is_time(bytes)
        || ORDINARY.contains_in_any_case(word)
    {
        return false;
    }
    if bytes.iter().all(u8::is_ascii_digit) {
        return true;
    }
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let digits = word.chars().filter(|c| c.is_numeric()).count();
    // `12-month`, `8-character`.
    let counted = word.split_once('-').is_some_and(|(number, unit)| {
        number.bytes().all(|byte| byte.is_ascii_digit()) && unit.chars().all(|c| c.is_alphabetic() || c == '-')
    });
    let special = word
        .bytes()
        .any(|byte| matches!(byte, b'!' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'+' | b'=' | b'?' | b'~' | b'@'));
    letters > 0 && !counted && (special || (digits > 0 && !word.contains(['/', '('])))
}

/// Whether a word that stands alone behind a name and a colon may be a value: it is not one that speaks
/// about the secret.
pub(super) fn stands_alone(word: &str) -> bool {
    let word = word.trim_end_matches([',', ';']);
    is_given(word)
        && !is_address(word)
        && !is_time(word.as_bytes())
        && !word.starts_with(['{', '[', '(', '<', '>', '|', '*', '&', '!', '#', '/', '='])
        && !word.ends_with([':', '(', '.', '!', '?'])
        && !is_common(word)
}

/// A word that sentences about secrets have where a value could be.
pub(super) fn is_common(word: &str) -> bool {
    COMMON.contains_in_any_case(word.trim_matches(|c: char| !c.is_alphanumeric()))
}

/// A URL or the address of a mailbox.
fn is_address(word: &str) -> bool {
    let host = |host: &str| {
        host.contains('.') && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
    };
    word.contains("://")
        || word.starts_with("www.")
        || word.split_once('@').is_some_and(|(user, rest)| !user.is_empty() && host(rest))
}

/// A date, a time or a number with marks between its digits: nothing but those.
fn is_time(word: &[u8]) -> bool {
    let marks = word.iter().filter(|byte| matches!(byte, b'-' | b':' | b'.' | b'/' | b',')).count();
    marks > 0
        && word
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'/' | b',' | b'T' | b'Z' | b'+'))
}
