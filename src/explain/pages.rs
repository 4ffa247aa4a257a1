//! The pages of `docs/codes/`: what a code means, with an example and what to change.

/// Codes with their pages, as `build.rs` found them, by code.
static PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// What a page says of a code, in Markdown, without its heading.
pub fn page(code: &str) -> Option<&'static str> {
    let at = PAGES.binary_search_by_key(&code, |(id, _)| id).ok()?;
    let (_, text) = PAGES[at].1.split_once('\n')?;
    Some(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::CODES;
    use crate::mapping::codes;

    #[test]
    fn every_code_has_a_page_with_its_title_and_every_page_a_code() {
        let mut all: Vec<_> = CODES.iter().chain(codes::CODES).map(|code| (code.id, code.title)).collect();
        all.sort_unstable();
        let pages: Vec<_> = PAGES.iter().map(|(id, text)| (*id, text.lines().next().unwrap_or_default())).collect();
        let expected: Vec<_> = all.iter().map(|(id, title)| (*id, format!("# {id}: {title}"))).collect();
        let expected: Vec<_> = expected.iter().map(|(id, title)| (*id, title.as_str())).collect();
        assert_eq!(pages, expected);
        assert!(page("V004").is_some_and(|page| page.contains("## Example") && page.contains("## What to change")));
        assert_eq!(page("V999"), None);
    }
}
