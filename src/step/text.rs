//! Steps on strings: white space, case, prefixes and suffixes, regular expressions.

use super::argument::Argument;
use super::datum::{Datum, Look, OutputType};
use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// A step that works on text.
#[derive(Debug, Clone)]
pub(super) enum TextStep {
    Change(Change),
    Extract {
        regex: Regex,
        /// The number of the group that is taken; 0 is the whole match.
        group: usize,
    },
    Require(Regex),
    /// Only what it matches is present.
    Matching(Regex),
}

/// What turns any text into another.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Trim,
    Lower,
    SnakeCase,
    /// Normalization Form C (UAX #15).
    Nfc,
    Prefix(String),
    StripPrefix(String),
    StripSuffix(String),
    Replace {
        regex: Regex,
        with: String,
    },
}

impl TextStep {
    /// `{ extract = REGEX }`.
    pub(super) fn extract(argument: Argument) -> Result<Self, String> {
        let regex = argument.regex()?;
        let named: Vec<usize> =
            regex.capture_names().enumerate().filter(|(_, name)| name.is_some()).map(|(index, _)| index).collect();
        let group = match named[..] {
            [] => usize::from(regex.captures_len() > 1),
            [one] => one,
            _ => return Err("`extract` takes one named group, and there are several".to_owned()),
        };
        Ok(TextStep::Extract { regex, group })
    }

    /// Whether the text can be got back.
    pub(super) fn keeps(&self) -> bool {
        match self {
            TextStep::Change(change) => change.keeps(),
            TextStep::Extract { .. } => false,
            TextStep::Require(_) | TextStep::Matching(_) => true,
        }
    }

    /// What it gives.
    pub(super) fn output(&self) -> OutputType {
        match self {
            TextStep::Require(_) | TextStep::Matching(_) => OutputType::Same,
            TextStep::Change(_) | TextStep::Extract { .. } => OutputType::Text,
        }
    }

    /// What `extract` and `matching` make of a text that stays as it is.
    pub(super) fn look<'t>(&self, text: &'t str) -> Option<Look<'t>> {
        match self {
            TextStep::Extract { regex, group } => Some(find(regex, *group, text).map_or(Look::Missing, Look::Finds)),
            TextStep::Matching(regex) => Some(if regex.is_match(text) { Look::Holds } else { Look::Missing }),
            TextStep::Change(_) | TextStep::Require(_) => None,
        }
    }

    /// Applies it; `None` when `extract` finds nothing, or `matching` does not match.
    pub(super) fn apply(&self, value: Datum) -> Result<Option<Datum>, String> {
        match self {
            TextStep::Change(change) => Ok(Some(Datum::Text(change.apply(value.into_text()?)))),
            TextStep::Extract { regex, group } => {
                let text = value.into_text()?;
                Ok(find(regex, *group, &text).map(|found| Datum::Text(found.to_owned())))
            }
            TextStep::Matching(regex) => Ok(match &value {
                Datum::Text(text) | Datum::Number(text) => regex.is_match(text),
                Datum::Integer(number) => regex.is_match(&number.to_string()),
                _ => false,
            }
            .then_some(value)),
            TextStep::Require(regex) => match value.clone().into_text()? {
                text if regex.is_match(&text) => Ok(Some(value)),
                _ => Err(format!("expected a string that matches `{}`", regex.as_str())),
            },
        }
    }
}

/// The group of the first match.
fn find<'t>(regex: &Regex, group: usize, text: &'t str) -> Option<&'t str> {
    let found = if group == 0 { regex.find(text) } else { regex.captures(text)?.get(group) };
    found.map(|found| found.as_str())
}

impl Change {
    /// `{ replace = [REGEX, TEXT] }`.
    pub(super) fn replace(argument: Argument) -> Result<Self, String> {
        use super::literal::Literal::{List, Text};
        // The replacement may be empty, so this is not a list of strings like the others.
        let Some(List(parts)) = argument.literal else {
            return Err(argument.wrong());
        };
        let [pattern @ Text(_), Text(with)] = parts.as_slice() else {
            return Err(argument.wrong());
        };
        let regex = Argument { literal: Some(pattern), ..argument }.regex()?;
        match group_references(with).into_iter().find(|name| !has_group(&regex, name)) {
            // The regex crate would put nothing in its place, without a word.
            Some(name) => {
                Err(format!("the replacement names group `{name}`, which the regular expression does not have"))
            }
            None => Ok(Change::Replace { regex, with: with.clone() }),
        }
    }

    fn keeps(&self) -> bool {
        use Change::{Lower, Nfc, Prefix, Replace, SnakeCase, StripPrefix, StripSuffix, Trim};
        match self {
            Trim | Prefix(_) | StripPrefix(_) | StripSuffix(_) => true,
            Lower | Nfc | SnakeCase | Replace { .. } => false,
        }
    }

    fn apply(&self, mut text: String) -> String {
        match self {
            Change::Trim => {
                text.truncate(text.trim_end_matches(is_space).len());
                text.drain(..text.len() - text.trim_start_matches(is_space).len());
                text
            }
            Change::Lower => text.to_lowercase(),
            Change::Nfc => text.nfc().collect(),
            Change::SnakeCase => snake_case(&text),
            Change::Prefix(prefix) if text.starts_with(prefix.as_str()) => text,
            Change::Prefix(prefix) => format!("{prefix}{text}"),
            Change::StripPrefix(prefix) => match text.strip_prefix(prefix.as_str()) {
                Some(rest) => rest.to_owned(),
                None => text,
            },
            Change::StripSuffix(suffix) => match text.strip_suffix(suffix.as_str()) {
                Some(rest) => rest.to_owned(),
                None => text,
            },
            Change::Replace { regex, with } => regex.replace_all(&text, with).into_owned(),
        }
    }
}

/// White space as JavaScript's `trim` knows it (ECMA-262, section 12.2 and 12.3), so that what the
/// legacy program trimmed before it made an id is trimmed here too: with U+FEFF, without U+0085.
fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// Words in lower case with `_` between; a word ends at what is no letter or digit, and before a
/// capital that begins a new one (`storeNumber`, `HTTPServer`).
fn snake_case(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 4);
    let mut gap = false;
    for (index, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            gap = true;
            continue;
        }
        let before = index.checked_sub(1).map(|before| chars[before]);
        let begins = c.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_numeric()
                    || (before.is_uppercase() && chars.get(index + 1).is_some_and(|after| after.is_lowercase()))
            });
        if (gap || begins) && !out.is_empty() {
            out.push('_');
        }
        gap = false;
        out.extend(c.to_lowercase());
    }
    out
}

/// The groups that a replacement names, read as the regex crate reads them: `$name` takes as many
/// letters, digits and `_` as it can, `${name}` what is inside, `$$` is a dollar sign.
fn group_references(replacement: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = replacement;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
            names.push(name);
            rest = after;
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            if end > 0 {
                names.push(&rest[..end]);
            }
            rest = &rest[end..];
        }
    }
    names
}

fn has_group(regex: &Regex, name: &str) -> bool {
    match name.parse::<usize>() {
        Ok(index) => index < regex.captures_len(),
        Err(_) => regex.capture_names().flatten().any(|group| group == name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trim_takes_what_javascript_takes() {
        assert_eq!("\u{feff}\u{a0}\t\n\u{2028}\u{3000}a b\u{202f}\r".trim_matches(is_space), "a b");
        assert_eq!("\u{85}a\u{200b}".trim_matches(is_space), "\u{85}a\u{200b}");
    }

    #[test]
    fn snake_case_finds_the_words() {
        let made: Vec<String> = [
            "Sheets (per side)",
            "A / B #",
            "storeNumber",
            "HTTPServer",
            "page2Title",
            "__a--b__",
            "ÄrgerÜber",
            "#",
            "",
        ]
        .iter()
        .map(|text| snake_case(text))
        .collect();
        assert_eq!(
            made,
            ["sheets_per_side", "a_b", "store_number", "http_server", "page2_title", "a_b", "ärger_über", "", ""]
        );
    }

    #[test]
    fn references_are_read_as_the_regex_crate_reads_them() {
        assert_eq!(group_references("$1_$2 ${two}x$$3 $- $a-$"), ["1_", "2", "two", "a"]);
    }
}
