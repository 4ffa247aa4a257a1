//! What changed, as one HTML file: no script, nothing fetched.

use super::Difference;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::report::html::make_printable;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};

/// Renders the page. Every text is escaped, and control and bidirectional characters are replaced.
pub fn page(difference: &Difference) -> Result<String> {
    let render = || -> Result<String, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        // The extension of the name turns escaping on.
        environment.add_template("diff.html", include_str!("diff.html"))?;
        let mut fields = serde_json::to_value(difference).expect("strings, numbers and lists are always JSON");
        make_printable(&mut fields);
        let words = super::words(difference, false);
        let last = printable(words.trim_end().lines().last().unwrap_or_default());
        environment.get_template("diff.html")?.render(context! {
            diff => Serde(&fields),
            last => last,
            version => env!("CARGO_PKG_VERSION"),
        })
    };
    render().map_err(|error| Error::bug(format!("the comparison does not render: {:?}", error.kind())))
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::super::{Side, compare};
    use super::*;

    #[test]
    fn the_page_names_what_changed_and_runs_nothing() {
        let side = |report: &crate::report::Report| -> Side { serde_json::from_str(&report.json()).expect("a report") };
        let mut hostile = sample::refused();
        hostile.findings[0].message = "<img src=x>\u{202e}".to_owned();
        let page = page(&compare(&side(&sample::committed()), &side(&hostile))).expect("renders");
        for words in ["people&#x2f;7&#x2f;more.json", "acceptable", "refused", "&lt;img src=x&gt;\\u{202e}"] {
            assert!(page.contains(words), "{words} in {page}");
        }
        for word in ["<script", "<img", "http:", "https:", "<link", "\u{202e}"] {
            assert!(!page.contains(word), "{word} in {page}");
        }
    }
}
