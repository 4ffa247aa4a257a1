//! Which values look like secrets, whatever their name.
//!
//! Pure, and on the path of every leaf that only a catch-all keeps: a look at which bytes a text has
//! rules out most forms before any of them is searched for. Around each sign that a secret may be near
//! only [`near::NEARBY`] bytes are looked at, so the time is in proportion to the text's length.

mod headers;
mod json;
mod markup;
mod near;
mod prose;
mod settings;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod texts;
mod tokens;
mod urls;
mod value;
mod words;

pub(crate) use json::Labelled;

use super::secret_words::looks_secret;
use crate::decode;
use memchr::memmem;
use near::start_of;
use zeroize::Zeroizing;

/// Encodings in encodings, such as JSON in a string in JSON in a string…: so deep they are looked into.
const DEEPEST: u8 = 4;

/// The shortest text with a secret in one of the forms: `pw=x`.
const SHORTEST: usize = 4;

/// The shortest Base64 that is looked into, in characters.
const SHORTEST_BASE64: usize = 16;

/// A name and a value in any of the forms in which texts put them together.
const SETTING: &str = "a setting that looks like a secret";

/// Whether a value may be a secret, so that nothing shows it: a name that it goes by looks like one, or the value
/// does.
pub fn may_be_secret<'n>(names: impl IntoIterator<Item = &'n str>, text: &str) -> bool {
    names.into_iter().any(looks_secret) || recognise(text).is_some()
}

/// What in a text looks like a secret, in words that do not tell it; `None` where nothing does.
pub fn recognise(text: &str) -> Option<&'static str> {
    recognise_in(text, 0)
}

fn recognise_in(text: &str, depth: u8) -> Option<&'static str> {
    if text.len() < SHORTEST || depth > DEEPEST {
        return None;
    }
    let seen = text.bytes().fold(0, |seen, byte| seen | CLASS[usize::from(byte)]);
    let has = |all: u16| seen & all == all;
    if has(AT | COLON | SLASH) && urls::have_password(text) {
        return Some("a URL with a password");
    }
    if has(DASH) && has_private_key(text) {
        return Some("a private key");
    }
    if has(DOT) && tokens::has_jwt(text) {
        return Some("a JSON Web Token");
    }
    if let Some(what) = tokens::known(text, has(SLASH), has(COLON)) {
        return Some(what);
    }
    if has(BLANK) && headers::are_credentials(text) {
        return Some("the credentials of an HTTP header");
    }
    if has(BRACE) || has(QUOTE) {
        match json::recognise(text, &|inner| recognise_in(inner, depth + 1)) {
            json::Outcome::Whole(found) => return found,
            json::Outcome::Parts(Some(found)) => return Some(found),
            json::Outcome::Parts(None) => {}
        }
    }
    let named = (has(EQUALS) && settings::by_equals(text))
        || (has(COLON) && settings::by_colon(text))
        || (has(ANGLE) && markup::has_secret(text))
        || (has(DASH | BLANK) && settings::by_option(text))
        || (has(BLANK) && prose::has_secret(text));
    if named {
        return Some(SETTING);
    }
    if has(PERCENT)
        && let Some(plain) = decode::percent(text.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok())
        && let found @ Some(_) = recognise_in(&Zeroizing::new(plain), depth + 1)
    {
        return found;
    }
    if has(BLANK) && !text.contains(";base64,") { None } else { in_base64(text, depth) }
}

const AT: u16 = 1;
const COLON: u16 = 1 << 1;
const SLASH: u16 = 1 << 2;
const DASH: u16 = 1 << 3;
const DOT: u16 = 1 << 4;
const QUOTE: u16 = 1 << 5;
const EQUALS: u16 = 1 << 6;
const BLANK: u16 = 1 << 7;
const BRACE: u16 = 1 << 8;
const ANGLE: u16 = 1 << 9;
const PERCENT: u16 = 1 << 10;

/// What each byte tells.
static CLASS: [u16; 256] = {
    let mut class = [0; 256];
    class[b'@' as usize] = AT;
    class[b':' as usize] = COLON;
    class[b'/' as usize] = SLASH;
    class[b'-' as usize] = DASH;
    class[b'.' as usize] = DOT;
    class[b'"' as usize] = QUOTE;
    class[b'=' as usize] = EQUALS;
    class[b' ' as usize] = BLANK;
    class[b'{' as usize] = BRACE;
    class[b'[' as usize] = BRACE;
    class[b'<' as usize] = ANGLE;
    class[b'%' as usize] = PERCENT;
    class
};

/// `-----BEGIN … PRIVATE KEY` (RFC 7468 section 10), with whatever algorithm and ending; PuTTY's form.
fn has_private_key(text: &str) -> bool {
    let pem = memmem::find_iter(text.as_bytes(), "-----BEGIN ").any(|at| {
        let label = start_of(&text[at + 11..]).split("-----").next().unwrap_or_default();
        label.len() < 80 && label.contains("PRIVATE KEY")
    });
    pem || text.starts_with("PuTTY-User-Key-File-")
}

/// What is recognised in a text that is Base64 as a whole, or the Base64 of a `data:` URL (RFC 2397).
fn in_base64(text: &str, depth: u8) -> Option<&'static str> {
    let digits = text.split_once(";base64,").map_or(text, |(_, digits)| digits).trim();
    // A look at the beginning: an image is no text.
    let head = digits.get(..SHORTEST_BASE64)?;
    let is_text = |bytes: &[u8]| bytes.iter().all(|byte| *byte >= b' ' || byte.is_ascii_whitespace());
    if !decode::base64(head).is_some_and(|bytes| is_text(&bytes)) {
        return None;
    }
    // In mails its lines are broken.
    let digits = Zeroizing::new(digits.split_ascii_whitespace().collect::<String>());
    let plain = decode::base64(&digits);
    let plain = Zeroizing::new(String::from_utf8(plain?).ok()?);
    recognise_in(&plain, depth + 1)
}
