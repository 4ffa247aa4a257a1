//! Credentials of HTTP headers.

use crate::decode;

/// `Basic …` (RFC 7617), `Bearer …` (RFC 6750) and their like, with or without the header's name.
pub(super) fn are_credentials(text: &str) -> bool {
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
        "basic" => decode::base64(rest).is_some_and(|plain| plain.contains(&b':')),
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

/// Whether a word begins the value of a header with credentials.
pub(super) fn is_scheme(word: &str) -> bool {
    ["basic", "bearer", "token", "apikey"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}
