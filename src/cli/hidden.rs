//! Passwords in URLs that somebody else wrote: arguments that the parser cannot place, and lines of a set.

/// A text in which no URL shows its password.
pub(super) fn hide_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        out.push_str(before);
        // An unescaped `/` or `@` may stand in a pasted password, so the last `@` counts.
        let end =
            behind.find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '\u{1b}')).unwrap_or(behind.len());
        rest = match behind[..end].rfind('@') {
            Some(host) => {
                out.push_str("***");
                &behind[host..]
            }
            None => behind,
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_hidden() {
        assert_eq!(
            hide_passwords("unexpected 'postgres://me:p@ss/w@host/db' and 'sqlite:///./x.db' found"),
            "unexpected 'postgres://***@host/db' and 'sqlite:///./x.db' found"
        );
    }
}
