//! Texts that differ and look alike: in case, or in their Unicode normal form.

use std::borrow::Cow;
use unicase::UniCase;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The text without its case, by full case folding (Unicode Standard, section 3.13): `ẞ`, `ß` and `SS`
/// are one.
pub fn case(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { UniCase::unicode(text).to_folded_case() }
}

/// The text in Normalization Form C (Unicode Standard Annex #15), in which canonically equal texts are the same.
pub fn canonical(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_folds_every_letter_and_form_only_what_looks_the_same() {
        assert_eq!([case("STRAẞE"), case("straße")], ["strasse", "strasse"]);
        assert_eq!(case("Σίσυφος"), case("ΣΊΣΥΦΟΣ"));
        assert_eq!(canonical("e\u{301}"), "\u{e9}");
        assert_ne!(canonical("E\u{301}"), "\u{e9}");
    }
}
