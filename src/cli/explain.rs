//! `treelift explain CODE`

use super::args::ExplainArgs;
use super::output::Output;
use super::unbuilt;
use crate::error::{Error, Result};
use crate::finding::{CODES, Code, printable};
use serde_json::json;

/// Prints what the code of a finding means.
pub(super) fn run(args: &ExplainArgs, output: &Output) -> Result<u8> {
    let code = find(&args.code)?;
    let document = json!({ "code": code.id, "severity": code.severity, "title": code.title, "help": code.help });
    output.result(&words(code), &document)?;
    Ok(0)
}

fn find(text: &str) -> Result<&'static Code> {
    if let Some(code) = CODES.iter().find(|code| code.id.eq_ignore_ascii_case(text)) {
        return Ok(code);
    }
    if !is_code(text) {
        return Err(unbuilt::not_built("explain FILE").hint("`explain` takes the code of a finding, such as `V004`"));
    }
    let family: Vec<_> = CODES
        .iter()
        .map(|code| code.id)
        .filter(|id| id.as_bytes()[0] == text.as_bytes()[0].to_ascii_uppercase())
        .collect();
    let error = Error::request(format!("no finding has the code `{}`", printable(text)));
    Err(match (family.first(), family.last()) {
        (Some(first), Some(last)) => error.hint(format!("the codes of this family go from `{first}` to `{last}`")),
        _ => error.hint("a code begins with the letter of its family, such as `V004` for values"),
    })
}

/// A letter and three digits.
fn is_code(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, digits @ ..] if letter.is_ascii_alphabetic() && digits.len() == 3 && digits.iter().all(u8::is_ascii_digit))
}

fn words(code: &Code) -> String {
    format!("{} {}: {}\nhint: {}\n", code.severity, code.id, code.title, code.help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_explained_in_either_case() {
        let text = "\
error V004: a value has a type that the column cannot take
hint: mend the source, or add a step that converts it
";
        assert_eq!(words(find("V004").expect("known")), text);
        assert_eq!(words(find("v004").expect("known")), text);
    }

    #[test]
    fn every_code_is_explained() {
        assert!(CODES.iter().all(|code| find(code.id).is_ok_and(|found| found == *code)));
    }

    #[test]
    fn an_unknown_code_names_its_family() {
        let error = find("j999").expect_err("unknown");
        assert_eq!(error.message, "no finding has the code `j999`");
        assert_eq!(error.hint.as_deref(), Some("the codes of this family go from `J001` to `J011`"));
        assert!(find("Q001").expect_err("unknown").hint.is_some());
    }

    #[test]
    fn files_are_not_explained_yet() {
        for file in ["./old/notes.json#/3", "V0044", "é001", ""] {
            let error = find(file).expect_err("refused");
            assert_eq!((error.status(), error.message.as_str()), (2, "`explain FILE` is not built yet"));
        }
    }
}
