//! How far around a sign that a secret may be there a text is looked at.

/// So many bytes are looked at on either side of a sign that a secret may be there.
pub(super) const NEARBY: usize = 256;

/// The longest name of a setting, in bytes.
pub(super) const LONGEST_NAME: usize = 60;

/// The beginning of a text, [`NEARBY`] bytes or a few more.
pub(super) fn start_of(text: &str) -> &str {
    let end = (NEARBY..text.len()).find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(text.len())]
}

/// The end of a text, [`NEARBY`] bytes or a few less.
pub(super) fn end_of(text: &str) -> &str {
    let start = (text.len().saturating_sub(NEARBY)..text.len()).find(|at| text.is_char_boundary(*at));
    &text[start.unwrap_or(text.len())..]
}
