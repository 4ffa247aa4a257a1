//! The `CHECK` conditions of a table. SQLite has no pragma for them, so they are read from the SQL
//! that made the table ("CREATE TABLE", 3.7); what else it says is never taken from there.

use crate::database::tokens::Tokens;

/// The conditions in the order they were declared, each in one written form: blanks made one, letters
/// outside texts small, names without quotes, no parentheses around the whole.
pub(super) fn conditions(sql: &str) -> Vec<String> {
    let mut tokens = Tokens::of(sql);
    let mut found = Vec::new();
    let mut after_check = false;
    while let Some(token) = tokens.next() {
        if after_check && token == "(" {
            found.push(condition(&mut tokens));
        }
        after_check = token == "check";
    }
    found
}

/// Whether SQL has such a word: keywords and names in small letters, without those that stand in texts or comments.
pub(super) fn has_word(sql: &str, is_it: impl Fn(&str) -> bool) -> bool {
    Tokens::of(sql).any(|token| is_it(&token))
}

/// Up to the parenthesis that closes the one already taken.
fn condition(tokens: &mut Tokens<'_>) -> String {
    let mut depth = 1_usize;
    let mut words = Vec::new();
    for token in tokens {
        match token.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        words.push(plain(token));
    }
    without_parentheses(&words).join(" ")
}

/// A token in the form that others have that mean the same.
fn plain(token: String) -> String {
    match token.as_str() {
        "!=" => "<>".to_owned(),
        "==" => "=".to_owned(),
        other => match other.strip_prefix(['"', '`', '[']) {
            Some(name) => name.strip_suffix(['"', '`', ']']).unwrap_or(name).to_lowercase(),
            None => token,
        },
    }
}

/// Without parentheses that enclose all of it.
fn without_parentheses(words: &[String]) -> &[String] {
    let [first, inner @ .., last] = words else { return words };
    let mut depth = 1_usize;
    let closes_early = inner.iter().any(|word| {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    if first == "(" && last == ")" && !closes_early { without_parentheses(inner) } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_found_wherever_they_stand_and_however_they_are_written() {
        let sql = "CREATE TABLE \"check (no)\" (
            a INTEGER CHECK(a>0) , -- CHECK (not this)
            b TEXT DEFAULT 'check (x)' Check  (b IN ('A''(', \"B\") AND (length( b ) < 3)),
            /* CHECK (nor this) */ [check] TEXT, checked INTEGER,
            CONSTRAINT more CHECK (a <> 1))";
        assert_eq!(conditions(sql), ["a > 0", "b in ( 'A''(' , b ) and ( length ( b ) < 3 )", "a <> 1"]);
        assert_eq!(conditions("CREATE TABLE a (check_it TEXT)"), [] as [&str; 0]);
    }

    #[test]
    fn what_means_the_same_is_written_the_same() {
        for same in ["CHECK (a != 1)", "check((\"A\" <> 1))", "CHECK (( ( [a] <> 1 ) ))", "CHECK (`a`<>1)"] {
            assert_eq!(conditions(same), ["a <> 1"], "{same}");
        }
        assert_eq!(conditions("CHECK ((a) OR (b))"), ["( a ) or ( b )"]);
    }

    #[test]
    fn a_text_that_breaks_off_has_an_end() {
        for sql in [
            "CHECK (a",
            "CHECK ('a",
            "CHECK (\"a\"\"",
            "check /* x",
            "CHECK (a -- b",
            "é CHECK (ü",
            "CHECK (\"",
            "CHECK (\"é",
        ] {
            assert!(conditions(sql).len() < 2, "{sql}");
        }
    }
}
