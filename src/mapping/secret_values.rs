//! Which values look like secrets, whatever their name.
//!
//! Pure, and on the path of every leaf that only a catch-all keeps: a look at which bytes a text has
//! rules out most forms before any of them is searched for.

mod json;
#[cfg(test)]
mod tests;
mod tokens;

use super::secret_words::looks_secret;
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;

/// JSON in a string in JSON in a string…: so deep it is looked into.
const DEEPEST: u8 = 4;

/// The shortest text with a secret in one of the forms: `a://b:c@d`.
const SHORTEST: usize = 9;

/// So many bytes are looked at on either side of a sign that a secret may be there: a text full of such
/// signs takes no longer than its length demands.
const NEARBY: usize = 256;

/// The longest name of a setting, in bytes.
const LONGEST_NAME: usize = 60;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

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
    let has = |all: u8| seen & all == all;
    if has(AT | COLON | SLASH) && has_password_in_url(text) {
        return Some("a URL with a password");
    }
    if has(DASH) && has_private_key(text) {
        return Some("a private key");
    }
    if has(DOT) && tokens::has_jwt(text) {
        return Some("a JSON Web Token");
    }
    if let Some(what) = tokens::known(text, has(SLASH)) {
        return Some(what);
    }
    if has(BLANK) && has_credentials_of_header(text) {
        return Some("the credentials of an HTTP header");
    }
    if has(QUOTE)
        && json::is_likely(text)
        && let Ok(found) = json::recognise(text, depth)
    {
        return found;
    }
    (has(EQUALS) && has_secret_setting(text)).then_some("a setting that looks like a secret")
}

const AT: u8 = 1;
const COLON: u8 = 1 << 1;
const SLASH: u8 = 1 << 2;
const DASH: u8 = 1 << 3;
const DOT: u8 = 1 << 4;
const QUOTE: u8 = 1 << 5;
const EQUALS: u8 = 1 << 6;
const BLANK: u8 = 1 << 7;

/// What each byte tells.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    class[b'@' as usize] = AT;
    class[b':' as usize] = COLON;
    class[b'/' as usize] = SLASH;
    class[b'-' as usize] = DASH;
    class[b'.' as usize] = DOT;
    class[b'"' as usize] = QUOTE;
    class[b'=' as usize] = EQUALS;
    class[b' ' as usize] = BLANK;
    class
};

/// `scheme://user:password@host` (RFC 3986 section 3.2.1), or `user:password@tcp(host)`.
fn has_password_in_url(text: &str) -> bool {
    let urls = memmem::find_iter(text.as_bytes(), "://").any(|at| {
        let rest = &text[at + 3..];
        let end = rest.find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '<' | '>') || c.is_whitespace());
        let authority = &rest[..end.unwrap_or(rest.len())];
        // A password that was not encoded may hold what ends an authority.
        let line = start_of(rest).split(|c: char| c.is_whitespace() || c == '"').next().unwrap_or_default();
        let user = |part: &str| {
            part.rsplit_once('@').is_some_and(|(user, host)| {
                !host.is_empty() && user.split_once(':').is_some_and(|(_, password)| is_value(password))
            })
        };
        user(authority) || (!authority.contains('@') && has_unencoded_password(line))
    });
    urls || ["@tcp(", "@unix("].iter().any(|host| {
        text.split_once(host)
            .is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, password)| is_value(password)))
    })
}

/// The beginning of a text, [`NEARBY`] bytes or a few more.
fn start_of(text: &str) -> &str {
    let end = (NEARBY..text.len()).find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(text.len())]
}

/// The end of a text, [`NEARBY`] bytes or a few less.
fn end_of(text: &str) -> &str {
    let start = (text.len().saturating_sub(NEARBY)..text.len()).find(|at| text.is_char_boundary(*at));
    &text[start.unwrap_or(text.len())..]
}

/// `user:p/w@host`: the first part is a user and not a host with its port.
fn has_unencoded_password(line: &str) -> bool {
    line.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).is_some_and(|(name, password)| {
        let port = password.bytes().take_while(u8::is_ascii_digit).count();
        !name.contains(['/', '?', '#', '['])
            && is_value(password)
            && !matches!(password.as_bytes().get(port), None | Some(b'/' | b'?' | b'#'))
    })
}

/// Not empty, and not the name of a place where the value is to be found.
fn is_value(text: &str) -> bool {
    let placeholder = (text.starts_with("${") || text.starts_with("{{") || text.starts_with('<'))
        && (text.ends_with('}') || text.ends_with('>'));
    !text.is_empty() && !placeholder && !text.bytes().all(|byte| byte == b'*')
}

/// `-----BEGIN … PRIVATE KEY` (RFC 7468 section 10), with whatever algorithm and ending; PuTTY's form.
fn has_private_key(text: &str) -> bool {
    let pem = memmem::find_iter(text.as_bytes(), "-----BEGIN ").any(|at| {
        let label = text[at + 11..].split("-----").next().unwrap_or_default();
        label.len() < 80 && label.contains("PRIVATE KEY")
    });
    pem || text.starts_with("PuTTY-User-Key-File-")
}

/// `Basic …` (RFC 7617), `Bearer …` (RFC 6750) and their like, with or without the header's name.
fn has_credentials_of_header(text: &str) -> bool {
    let text = text.trim();
    let text = match text.split_once(':') {
        Some((name, value)) if name.to_ascii_lowercase().ends_with("authorization") => value.trim(),
        _ => text,
    };
    let Some((scheme, rest)) = text.split_once(' ') else { return false };
    let rest = rest.trim();
    if rest.contains(' ') && !scheme.eq_ignore_ascii_case("digest") {
        return false;
    }
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => BASE64.decode(rest).or_else(|_| BASE64_URL.decode(rest)).is_ok_and(|plain| plain.contains(&b':')),
        "bearer" | "token" | "apikey" | "api-key" | "key" => {
            let token = rest.trim_start_matches("token=");
            token.len() >= 8
                && token.bytes().all(|byte| byte.is_ascii_graphic())
                && (token.len() >= 20 || token.bytes().any(|byte| byte.is_ascii_digit()))
        }
        "digest" => rest.contains("response="),
        _ => false,
    }
}

/// `name=value` of a query, a connection string, a cookie or an environment file, whose name looks
/// like that of a secret.
fn has_secret_setting(text: &str) -> bool {
    memchr::memchr_iter(b'=', text.as_bytes()).any(|at| {
        let value = start_of(&text[at + 1..]).trim_start_matches(['\'', '=']);
        let end = value.find(|c: char| matches!(c, '&' | ';' | '\'' | '"') || c.is_whitespace()).unwrap_or(value.len());
        // Attributes of HTML quote their values.
        if text[at + 1..].starts_with('"') || !is_value(&value[..end]) {
            return false;
        }
        let before = end_of(&text[..at]);
        let is_border = |c: char| matches!(c, '&' | ';' | '?' | '\n' | '\r' | '#' | ',' | '{' | '|');
        let start = before.rfind(is_border).map_or(0, |border| border + 1);
        let name = before[start..].trim();
        let is_named = |name: &str| name.len() <= LONGEST_NAME && looks_secret(name);
        // libpq separates by blanks, and a shell's line begins with a word of its own.
        name.rsplit(' ').next().is_some_and(is_named) || (name.split_whitespace().count() <= 3 && is_named(name))
    })
}
