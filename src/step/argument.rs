//! The argument of a step in a mapping, parsed with errors that show the right form.

use super::literal::Literal;
use regex::Regex;

/// The argument of a step that is being parsed.
#[derive(Clone, Copy)]
pub(super) struct Argument<'a> {
    /// The name of the step.
    pub(super) step: &'static str,
    /// How its argument is written, in Markdown.
    pub(super) form: &'static str,
    /// What was written after its name.
    pub(super) literal: Option<&'a Literal>,
}

impl<'a> Argument<'a> {
    /// The action of a step that takes none.
    pub(super) fn bare<A>(self, action: impl Into<A>) -> Result<A, String> {
        match self.literal {
            None => Ok(action.into()),
            Some(_) => Err(format!("`{}` takes no argument, write {}", self.step, self.form)),
        }
    }

    /// A string that is not empty.
    pub(super) fn text(self) -> Result<String, String> {
        match self.literal {
            Some(Literal::Text(text)) if text.is_empty() => Err(format!("the argument of `{}` is empty", self.step)),
            Some(Literal::Text(text)) => Ok(text.clone()),
            _ => Err(self.wrong()),
        }
    }

    /// A regular expression.
    pub(super) fn regex(self) -> Result<Regex, String> {
        regex(&self.text()?)
    }

    /// A list of strings, at least one.
    pub(super) fn texts(self) -> Result<Vec<String>, String> {
        let Some(Literal::List(parts)) = self.literal else {
            return Err(self.wrong());
        };
        if parts.is_empty() {
            return Err(format!("the list of `{}` is empty", self.step));
        }
        parts.iter().map(|part| Argument { literal: Some(part), ..self }.text()).collect()
    }

    /// A table whose members are all among `known`.
    pub(super) fn table(self, known: &[&str]) -> Result<Members<'a>, String> {
        let Some(Literal::Table(members)) = self.literal else {
            return Err(self.wrong());
        };
        match members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(unknown("member", name, &format!(" of `{}`", self.step), known)),
            None => Ok(Members { of: self, members }),
        }
    }

    /// The message for an argument of the wrong form.
    pub(super) fn wrong(self) -> String {
        match self.literal {
            None => format!("`{}` needs an argument, write {}", self.step, self.form),
            Some(_) => format!("the argument of `{}` has the wrong form, write {}", self.step, self.form),
        }
    }
}

/// The members of an argument that is a table.
pub(super) struct Members<'a> {
    of: Argument<'a>,
    members: &'a [(String, Literal)],
}

impl<'a> Members<'a> {
    /// A member, when it is there.
    pub(super) fn get(&self, name: &str) -> Option<&'a Literal> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, literal)| literal)
    }

    /// A member that must be there, as an argument of its own.
    pub(super) fn need(&self, name: &str) -> Result<Argument<'a>, String> {
        match self.get(name) {
            Some(literal) => Ok(Argument { literal: Some(literal), ..self.of }),
            None => Err(format!("`{}` needs `{name}`, write {}", self.of.step, self.of.form)),
        }
    }
}

/// Compiles a regular expression; the error says in one line what is wrong with it.
pub(super) fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| {
        // The first lines draw the pattern with a caret below it, the last one says what is wrong.
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        let reason = last.strip_prefix("error: ").unwrap_or(last).trim_end_matches('.');
        format!("invalid regular expression `{pattern}`: {reason}")
    })
}

/// The message for an unknown name, with the nearest known one.
pub(super) fn unknown(what: &str, name: &str, of: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&name.to_lowercase(), candidate), *candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().div_ceil(3));
    match near {
        Some((_, candidate)) => format!("unknown {what} `{name}`{of}, did you mean `{candidate}`?"),
        None => format!("unknown {what} `{name}`{of}, expected one of `{}`", known.join("`, `")),
    }
}
