//! The closed list of steps: what each is called, how it is written, what it does, and examples
//! that a test runs.

use super::action::{Action, ToJson};
use super::argument::Argument;
use super::bytes::BytesStep;
use super::number::NumberStep;
use super::structure::StructureStep;
use super::text::{Change, TextStep};
use super::time::TimeStep;
use std::fmt::Write as _;

/// A step as the reference shows it.
pub struct StepInfo {
    /// Its name.
    pub name: &'static str,
    /// How it is written, in Markdown.
    pub argument: &'static str,
    /// Whether the value can be got back: `yes`, `no`, or when.
    pub keeps: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// The step in TOML, an input in JSON, and what comes out: a value, `missing`, or `error: …`.
    pub examples: &'static [(&'static str, &'static str, &'static str)],
    /// Reads its argument.
    pub(super) parse: fn(Argument) -> Result<Action, String>,
}

/// Names the step alone; the rest is on the page.
impl std::fmt::Debug for StepInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Every step, in the order of the reference.
pub static REGISTRY: &[StepInfo] = &[
    StepInfo {
        name: "trim",
        argument: "`\"trim\"`",
        keeps: "yes",
        summary: "removes white space at both ends, as JavaScript's `trim` does (U+00A0 and U+FEFF too)",
        examples: &[(r#""trim""#, r#""\u00a0\tred \ufeff""#, r#""red""#)],
        parse: |it| it.bare(Change::Trim),
    },
    StepInfo {
        name: "lower",
        argument: "`\"lower\"`",
        keeps: "no",
        summary: "converts to lower case",
        examples: &[(r#""lower""#, r#""Ada@Example.COM""#, r#""ada@example.com""#)],
        parse: |it| it.bare(Change::Lower),
    },
    StepInfo {
        name: "snake_case",
        argument: "`\"snake_case\"`",
        keeps: "no",
        summary: "writes the words of a string in lower case with `_` between",
        examples: &[
            (r#""snake_case""#, r#""Number of Pages (per sheet)""#, r#""number_of_pages_per_sheet""#),
            (r#""snake_case""#, r#""pageTitle""#, r#""page_title""#),
        ],
        parse: |it| it.bare(Change::SnakeCase),
    },
    StepInfo {
        name: "nfc",
        argument: "`\"nfc\"`",
        keeps: "no",
        summary: "composes letters and their accents (Unicode's Normalization Form C), so that strings that look the same are",
        examples: &[(r#""nfc""#, r#""Caf\u0065\u0301""#, r#""Café""#)],
        parse: |it| it.bare(Change::Nfc),
    },
    StepInfo {
        name: "prefix",
        argument: "`{ prefix = TEXT }`",
        keeps: "yes",
        summary: "adds a prefix, unless it is there already",
        examples: &[
            (r#"{ prefix = "N-" }"#, r#""12""#, r#""N-12""#),
            (r#"{ prefix = "N-" }"#, r#""N-12""#, r#""N-12""#),
            (r#"{ prefix = "N-" }"#, "12", r#""N-12""#),
        ],
        parse: |it| Ok(Change::Prefix(it.text()?).into()),
    },
    StepInfo {
        name: "strip_prefix",
        argument: "`{ strip_prefix = TEXT }`",
        keeps: "yes",
        summary: "removes a prefix, where it is there",
        examples: &[
            (r#"{ strip_prefix = "N-" }"#, r#""N-12""#, r#""12""#),
            (r#"{ strip_prefix = "N-" }"#, r#""12""#, r#""12""#),
        ],
        parse: |it| Ok(Change::StripPrefix(it.text()?).into()),
    },
    StepInfo {
        name: "strip_suffix",
        argument: "`{ strip_suffix = TEXT }`",
        keeps: "yes",
        summary: "removes a suffix, where it is there",
        examples: &[
            (r#"{ strip_suffix = " cm" }"#, r#""30 cm""#, r#""30""#),
            (r#"{ strip_suffix = " cm" }"#, r#""30""#, r#""30""#),
        ],
        parse: |it| Ok(Change::StripSuffix(it.text()?).into()),
    },
    StepInfo {
        name: "replace",
        argument: "`{ replace = [REGEX, TEXT] }`",
        keeps: "no",
        summary: "replaces every match by the text; `$1` and `${name}` are groups, `$$` is a dollar sign",
        examples: &[
            (r#"{ replace = ['[^a-z]', "_"] }"#, r#""ada l.""#, r#""ada_l_""#),
            (r#"{ replace = ['(\w+), (\w+)', "$2 $1"] }"#, r#""Lovelace, Ada""#, r#""Ada Lovelace""#),
        ],
        parse: |it| Ok(Change::replace(it)?.into()),
    },
    StepInfo {
        name: "extract",
        argument: "`{ extract = REGEX }`",
        keeps: "no",
        summary: "gives the first match: its named group, else its first group, else all of it; missing where nothing matches",
        examples: &[
            (r#"{ extract = 'by (?<who>\w+) on (\d+)' }"#, r#""written by Ada on 12""#, r#""Ada""#),
            (r#"{ extract = '\d+' }"#, r#""page 12 of 30""#, r#""12""#),
            (r#"{ extract = '\d+' }"#, r#""no page""#, "missing"),
        ],
        parse: |it| Ok(TextStep::extract(it)?.into()),
    },
    StepInfo {
        name: "matching",
        argument: "`{ matching = REGEX }`",
        keeps: "yes",
        summary: "missing unless the value is a string that matches",
        examples: &[
            (r#"{ matching = '^[0-9]+$' }"#, r#""12""#, r#""12""#),
            (r#"{ matching = '^[0-9]+$' }"#, r#""12a""#, "missing"),
        ],
        parse: |it| Ok(TextStep::Matching(it.regex()?).into()),
    },
    StepInfo {
        name: "require",
        argument: "`{ require = REGEX }`",
        keeps: "yes",
        summary: "accepts a value that matches and rejects every other",
        examples: &[
            (r#"{ require = '^[0-9]+$' }"#, r#""12""#, r#""12""#),
            (r#"{ require = '^[0-9]+$' }"#, r#""12a""#, "error: expected a string that matches `^[0-9]+$`"),
        ],
        parse: |it| Ok(TextStep::Require(it.regex()?).into()),
    },
    StepInfo {
        name: "split",
        argument: "`{ split = TEXT }` or `{ split = { on = TEXT, part = N } }`",
        keeps: "without `part`",
        summary: "splits at every such text; a list of all parts, of an empty string none, or the one part N from 1, missing where there are fewer",
        examples: &[
            (r#"{ split = ", " }"#, r#""red, green""#, r#"["red", "green"]"#),
            (r#"{ split = { on = " - ", part = 2 } }"#, r#""1/2 - red - A4""#, r#""red""#),
            (r#"{ split = { on = " - ", part = 4 } }"#, r#""1/2 - red - A4""#, "missing"),
        ],
        parse: |it| Ok(StructureStep::split(it)?.into()),
    },
    StepInfo {
        name: "map",
        argument: "`{ map = { FROM = TO, … } }` or `{ map = { values = { FROM = TO, … }, otherwise = TO } }`",
        keeps: "one to one and without `otherwise`",
        summary: "replaces a listed value (a string, number or boolean) by another (string, integer or boolean, all of one type); a value that is not listed is an error, or becomes `otherwise`",
        examples: &[
            (r#"{ map = { true = 1, false = 0, skip = 0 } }"#, "true", "1"),
            (r#"{ map = { Y = true, N = false } }"#, r#""Y""#, "true"),
            (r#"{ map = { Y = true, N = false } }"#, r#""y""#, "error: expected one of `N`, `Y`"),
            (r#"{ map = { values = { A4 = "paper" }, otherwise = "other" } }"#, r#""tin""#, r#""other""#),
        ],
        parse: |it| Ok(StructureStep::map(it)?.into()),
    },
    StepInfo {
        name: "null_if",
        argument: "`{ null_if = [LITERAL, …] }`",
        keeps: "yes",
        summary: "null for each listed value, which is counted",
        examples: &[
            (r#"{ null_if = ["", "unknown"] }"#, r#""unknown""#, "null"),
            (r#"{ null_if = [0] }"#, "0.0", "null"),
            (r#"{ null_if = [0] }"#, r#""0""#, r#""0""#),
        ],
        parse: |it| Ok(StructureStep::null_if(it)?.into()),
    },
    StepInfo {
        name: "integer",
        argument: "`\"integer\"`",
        keeps: "yes",
        summary: "reads a 64-bit integer, exactly",
        examples: &[
            (r#""integer""#, r#""-12""#, "-12"),
            (r#""integer""#, "12", "12"),
            (r#""integer""#, "12.0", "error: expected an integer, found a fraction"),
            (r#""integer""#, r#""007""#, "error: expected an integer, found leading zeros, which would be lost"),
        ],
        parse: |it| it.bare(NumberStep::Integer),
    },
    StepInfo {
        name: "number",
        argument: "`\"number\"`",
        keeps: "yes",
        summary: "reads a number as JSON writes them and keeps its digits as they are",
        examples: &[
            (r#""number""#, r#""12.50""#, "12.50"),
            (r#""number""#, r#""12,50""#, "error: expected a number in decimal digits"),
        ],
        parse: |it| it.bare(NumberStep::Number),
    },
    StepInfo {
        name: "double",
        argument: "`\"double\"`",
        keeps: "no",
        summary: "gives the nearest double; each number that it rounds is counted",
        examples: &[
            (r#""double""#, "52.5200065999999987", "52.5200066"),
            (r#""double""#, r#""1e400""#, "error: expected a number of at most 1.7976931348623157e308"),
        ],
        parse: |it| it.bare(NumberStep::Double),
    },
    StepInfo {
        name: "text",
        argument: "`\"text\"`",
        keeps: "yes",
        summary: "writes a number or a boolean as a string, a number as it was written",
        examples: &[(r#""text""#, "1.50", r#""1.50""#), (r#""text""#, "true", r#""true""#)],
        parse: |it| it.bare(NumberStep::Text),
    },
    StepInfo {
        name: "to_json",
        argument: "`\"to_json\"`",
        keeps: "yes",
        summary: "writes the value, an array or object as well, as compact JSON for a column of text",
        examples: &[
            (r#""to_json""#, r#""dark""#, r#""dark""#),
            (r#""to_json""#, "1.50", "1.50"),
            (r#""to_json""#, r#"["a", 1.0]"#, r#"["a",1.0]"#),
        ],
        parse: |it| it.bare(ToJson),
    },
    StepInfo {
        name: "base64",
        argument: "`\"base64\"`",
        keeps: "yes",
        summary: "reads the bytes for a column of bytes (the standard alphabet, padded)",
        examples: &[
            (r#""base64""#, r#""AP8=""#, "x'00ff'"),
            (r#""base64""#, r#""AP8""#, "error: expected base64 (the standard alphabet, padded)"),
        ],
        parse: |it| it.bare(BytesStep::Base64),
    },
    StepInfo {
        name: "hex",
        argument: "`\"hex\"`",
        keeps: "yes",
        summary: "reads the bytes for a column of bytes, two digits for each",
        examples: &[
            (r#""hex""#, r#""00fF""#, "x'00ff'"),
            (r#""hex""#, r#""00f""#, "error: expected two hexadecimal digits for each byte"),
        ],
        parse: |it| it.bare(BytesStep::Hex),
    },
    StepInfo {
        name: "time",
        argument: "`\"time\"`, `{ time = FORM }`, `{ time = [FORM, …] }` or `{ time = { forms = …, zone = ZONE, as = FORM } }`",
        keeps: "yes",
        summary: "reads a time in one of the [forms](#times), by default `rfc3339`; takes a time as well; with `as` writes it",
        examples: &[
            (r#""time""#, r#""2025-05-07T14:42:18.120+02:00""#, "2025-05-07T12:42:18.12Z"),
            (r#"{ time = "epoch_ms" }"#, "1690000000125", "2023-07-22T04:26:40.125Z"),
            (r#"{ time = ["%m/%d/%Y", "%Y-%m-%d"] }"#, r#""05/12/2025""#, "2025-05-12"),
            (
                r#"{ time = { forms = "iso", zone = "Europe/Berlin" } }"#,
                r#""2025-05-07T14:42:18""#,
                "2025-05-07T12:42:18Z",
            ),
            (r#"{ time = { zone = "none" } }"#, r#""2025-05-07T14:42:18+02:00""#, "2025-05-07T14:42:18"),
            (r#"{ time = { as = "epoch_s" } }"#, r#""2023-07-22T04:26:40.5Z""#, "1690000000.5"),
            (
                r#""time""#,
                r#""2025-05-07T14:42:18""#,
                "error: expected a time like `2025-01-31T08:05:00Z`, with `Z` or an offset (without one, use the form `iso`)",
            ),
            (r#"{ time = "%m/%d/%Y" }"#, r#""5/12/2025""#, "error: expected a date written as `%m/%d/%Y`"),
        ],
        parse: |it| Ok(TimeStep::parse(it)?.into()),
    },
];

/// What is written instead of a step of an earlier edition, as a hint.
pub fn successor(dropped: &str) -> Option<&'static str> {
    Some(match dropped {
        "upper" => "list the words with `map`, or leave their letters as they are",
        "suffix" => "write `{ template = \"{path}SUFFIX\" }`",
        "boolean" => "write `{ map = { true = true, false = false } }`",
        "instant" => "leave it out: columns of times read RFC 3339 by themselves; elsewhere write `\"time\"`",
        "date" => "write `{ time = FORM }`, or a list of forms",
        "civil" => "write `{ time = \"iso\" }`, or the forms as they were",
        "civil_in" => "write `{ time = { forms = \"iso\", zone = ZONE } }`, with the forms as they were",
        _ => return None,
    })
}

/// The table of all steps in Markdown, as `mappings/README.md` has it.
pub fn reference_table() -> String {
    // A bar inside a code span would still end the table's cell.
    let cell = |text: &str| text.replace('|', r"\|");
    let mut table = "| Step | Keeps | What it does | Examples |\n| --- | --- | --- | --- |\n".to_owned();
    for info in REGISTRY {
        let examples: Vec<String> = info
            .examples
            .iter()
            .map(|(step, input, output)| format!("`{step}`: `{input}` → {}", shown(output)))
            .collect();
        writeln!(
            table,
            "| {} | {} | {} | {} |",
            cell(info.argument),
            info.keeps,
            cell(info.summary),
            cell(&examples.join("<br>"))
        )
        .expect("writing to a string does not fail");
    }
    table
}

/// An example's output: values as code, outcomes as words.
fn shown(output: &str) -> String {
    match output.strip_prefix("error: ") {
        Some(sentence) => format!("error, {sentence}"),
        None if output == "missing" => "missing".to_owned(),
        None => format!("`{output}`"),
    }
}
