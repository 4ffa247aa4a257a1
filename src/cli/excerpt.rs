//! A line of a mapping set with the place of an error underlined, as compilers show it.

use super::hidden::hide_passwords;
use crate::excerpt::Excerpt;
use crate::finding::printable;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// The line between its number and an underlining, with a word beside that; cut around the place where the terminal has
/// fewer columns.
pub(super) fn lines(excerpt: &Excerpt, label: Option<&str>, is_warning: bool, width: usize) -> String {
    let Excerpt { line, text, span } = excerpt;
    let hidden = hide_passwords(text);
    let (text, span) = if hidden == *text { (text, span.clone()) } else { (&hidden, 0..hidden.len()) };
    // What is escaped is longer than it was.
    let parts = [&text[..span.start], &text[span.clone()], &text[span.end..]].map(shown);
    let (start, end) = (parts[0].len(), parts[0].len() + parts[1].len());
    let source = parts.concat();
    let gutter = line.to_string().len() + " | ".len();
    let place = AnnotationKind::Primary.span(start..end).label(label.map(printable));
    let snippet = Snippet::source(&source).line_start(*line as usize).annotation(place);
    let level = if is_warning { Level::WARNING } else { Level::ERROR };
    let renderer = Renderer::styled().term_width(width.saturating_sub(gutter));
    renderer.render(&[Group::with_level(level).element(snippet)]) + "\n"
}

/// Safe for a terminal; tabs stay, since they are shown as blanks.
fn shown(text: &str) -> String {
    text.split('\t').map(printable).collect::<Vec<_>>().join("\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, word: &str, label: Option<&str>, width: usize) -> String {
        let at = text.find(word).expect("it is there");
        let excerpt = Excerpt { line: 12, text: text.to_owned(), span: at..at + word.len() };
        anstream::adapter::strip_str(&lines(&excerpt, label, false, width)).to_string()
    }

    #[test]
    fn the_place_is_underlined() {
        assert_eq!(
            plain("colum = \"name\"", "colum", Some("did you mean `column`?"), 80),
            "   |\n12 | colum = \"name\"\n   | ^^^^^ did you mean `column`?\n"
        );
    }

    #[test]
    fn what_could_change_the_terminal_is_escaped_and_the_place_moves_along() {
        assert_eq!(
            plain("\"\u{1b}[2J\u{9b}\" = \"ö\u{202e}x\"\tb", "x\"", None, 80),
            "   |\n12 | \"\\u{1b}[2J\\u{9b}\" = \"ö\\u{202e}x\"    b\n   |                               ^^\n"
        );
    }

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        let shown = plain("database = \"postgresql://me:secret@host/db", "secret", None, 80);
        assert_eq!(shown.lines().nth(1), Some("12 | database = \"postgresql://***@host/db"), "{shown}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}here{}", "a ".repeat(500), " b".repeat(500));
        let shown = plain(&text, "here", None, 60);
        assert!(shown.lines().all(|line| line.chars().count() <= 60), "{shown}");
        assert!(shown.contains("here"), "{shown}");
    }
}
