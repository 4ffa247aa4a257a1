//! Passwords in URLs.

use super::near::{NEARBY, end_of, start_of};
use super::value;
use memchr::memmem;

/// `scheme://user:password@host` (RFC 3986 section 3.2.1), the same without a scheme, or
/// `user:password@tcp(host)`.
pub(super) fn have_password(text: &str) -> bool {
    memmem::find_iter(text.as_bytes(), "//").any(|at| is_authority(text, at)) || has_driver_name(text)
}

/// Whether what follows the two slashes has a password.
fn is_authority(text: &str, at: usize) -> bool {
    let rest = &text[at + 2..];
    let has_scheme = text[..at].ends_with(':');
    if !has_scheme && !text[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || "\"'`=(<[,".contains(c)) {
        return false;
    }
    let end = rest.find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '<' | '>') || c.is_whitespace());
    let authority = &rest[..end.unwrap_or(rest.len())];
    let user = |part: &str| {
        part.rsplit_once('@').is_some_and(|(user, host)| {
            !host.is_empty() && user.split_once(':').is_some_and(|(_, password)| value::is_value(password))
        })
    };
    // A password that was not encoded may hold what ends an authority.
    let line = start_of(rest).split(|c: char| c.is_whitespace() || c == '"').next().unwrap_or_default();
    user(authority) || (has_scheme && !authority.contains('@') && has_unencoded_password(line))
}

/// `user:p/w@host`: the first part is a user and not a host with its port.
fn has_unencoded_password(line: &str) -> bool {
    line.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).is_some_and(|(name, password)| {
        let port = password.bytes().take_while(u8::is_ascii_digit).count();
        !name.contains(['/', '?', '#', '['])
            && value::is_value(password)
            && !matches!(password.as_bytes().get(port), None | Some(b'/' | b'?' | b'#'))
    })
}

/// The form of Go's driver of MySQL.
fn has_driver_name(text: &str) -> bool {
    ["@tcp(", "@unix("].iter().any(|host| {
        text.split_once(host).is_some_and(|(user, _)| {
            let user = end_of(user);
            user.len() <= NEARBY && user.split_once(':').is_some_and(|(_, password)| value::is_value(password))
        })
    })
}
