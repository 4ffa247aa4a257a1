//! What expressions give fits the columns they are written into.

use super::literals;
use super::spot::Spot;
use super::type_words::TYPE_WORDS;
use crate::mapping::model::{ColumnRule, Digest, Expr, From, Literal, PathExpr, ReadAs, Root};
use crate::mapping::walk::{self, Read};
use crate::mapping::{codes, suggest};
use crate::step::{OutputType, Step};
use crate::table::ColumnType;

/// What an expression gives, as far as that is known without data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// A value of the source as it is: text, a number, a boolean, or a container.
    Source,
    /// Nothing, or nothing that can be checked.
    Unknown,
    /// Text of at least so many characters.
    Text(u32),
    /// A capture or the name of a member.
    Name,
    Integer,
    Real,
    /// A number as it was written.
    Number,
    Bool,
    /// A time of any kind.
    Time,
    /// A moment.
    Moment,
    /// A date and time without a zone.
    ClockTime,
    /// A day.
    Day,
    Bytes,
    Json,
    /// A text literal for a JSON column, which could be meant as a document as well.
    Ambiguous,
}

impl Gives {
    fn words(self) -> &'static str {
        match self {
            Gives::Source | Gives::Unknown => "a value of the source",
            Gives::Text(_) | Gives::Name => "text",
            Gives::Integer => "an integer",
            Gives::Real | Gives::Number => "a number",
            Gives::Bool => "a boolean",
            Gives::Time | Gives::Moment => "a date and time",
            Gives::ClockTime => "a date and time without a zone",
            Gives::Day => "a day",
            Gives::Bytes => "bytes",
            Gives::Json => "JSON",
            Gives::Ambiguous => "a string",
        }
    }

    fn fits(self, kind: ColumnType) -> bool {
        match self {
            _ if kind == ColumnType::Untyped => true,
            Gives::Unknown => true,
            Gives::Bytes => kind == ColumnType::Blob,
            Gives::Source => {
                !matches!(kind, ColumnType::Time(_) | ColumnType::Zoned(_) | ColumnType::Date(_) | ColumnType::Blob)
            }
            Gives::Name | Gives::Text(_) if matches!(kind, ColumnType::Clock(_) | ColumnType::Uuid) => true,
            Gives::Name => kind.is_json() || matches!(kind, ColumnType::Text { .. }),
            Gives::Text(least) => match kind {
                ColumnType::Text { max } => max.is_none_or(|max| least <= max),
                _ => kind.is_json(),
            },
            Gives::Integer => {
                matches!(kind, ColumnType::Integer | ColumnType::Flag | ColumnType::Real | ColumnType::Numeric(_))
            }
            Gives::Real => matches!(kind, ColumnType::Real | ColumnType::Numeric(_)),
            Gives::Number => {
                let is_number =
                    matches!(kind, ColumnType::Integer | ColumnType::Flag | ColumnType::Real | ColumnType::Numeric(_));
                is_number || kind.is_json() || matches!(kind, ColumnType::Text { .. })
            }
            Gives::Bool => kind.is_json() || matches!(kind, ColumnType::Boolean | ColumnType::Flag),
            Gives::ClockTime | Gives::Day if kind.takes_moments() => false,
            Gives::Time | Gives::Moment | Gives::ClockTime | Gives::Day => matches!(
                kind,
                ColumnType::Time(_)
                    | ColumnType::Zoned(_)
                    | ColumnType::Date(_)
                    | ColumnType::Text { .. }
                    | ColumnType::Json
                    | ColumnType::JsonValue
            ),
            Gives::Json => kind.is_json() || matches!(kind, ColumnType::Text { .. } | ColumnType::List(_)),
            Gives::Ambiguous => false,
        }
    }
}

pub(super) fn check(spot: &Spot<'_>) {
    for expr in spot.rule.exprs() {
        walk::expr(expr, &mut |visit| match visit.read {
            Read::Steps(steps) => steps_follow(spot, steps, visit.line),
            Read::Without(path, _) => cuts_what_is_read(spot, path, visit.line),
            _ => {}
        });
    }
    for column in spot.rule.columns.iter().filter(|column| column.protection.is_none()) {
        let Some(known) = spot.table.column(&column.name) else {
            continue; // `columns` reports that it is missing.
        };
        if known.kind == ColumnType::Unknown {
            unknown_type(spot, column, &known.declared);
            continue;
        }
        let literal = |literal: &Literal| {
            if known.kind.is_json() { json_literal(literal) } else { of_literal(literal) }
        };
        let mut given = match &column.expr.from {
            From::Literal(value) if column.expr.steps.is_empty() => vec![literal(value)],
            _ => of_expr(spot, &column.expr, 0),
        };
        given.extend(column.policies.default.as_ref().map(literal));
        if let Some(reads) = spot.set.reads(known) {
            literals::check(spot, column, known, &reads);
            given.iter_mut().for_each(|gives| *gives = as_read(*gives, &reads));
        }
        let unfit = given.into_iter().find(|gives| !gives.fits(known.kind));
        if writes_time(&column.expr)
            && unfit.is_none()
            && matches!(known.kind, ColumnType::Time(_) | ColumnType::Zoned(_) | ColumnType::Date(_))
        {
            let name = format!("`{}.{}`", spot.table.name, column.name);
            let message = format!("{name} is `{}` and takes the time itself, and `as` writes it first", known.declared);
            spot.refuse(&codes::TIME_WRITTEN, column.line, message, "leave `as` out");
        } else if let Some(unfit) = unfit {
            misfit(spot, column, unfit, known.kind, &known.declared);
        }
    }
}

/// What a value is once its column has read it.
fn as_read(gives: Gives, reads: &ReadAs) -> Gives {
    let holds = match (gives, reads.kind) {
        (Gives::Unknown | Gives::Json, _) => true,
        (_, _) if reads.names_only => gives != Gives::Name,
        (Gives::Source, ColumnType::Time(_) | ColumnType::Zoned(_) | ColumnType::Date(_) | ColumnType::Blob) => false,
        (Gives::Source, _) => true, // it may be of the type
        (Gives::Time | Gives::Moment | Gives::ClockTime | Gives::Day, kind) => {
            matches!(kind, ColumnType::Time(_) | ColumnType::Zoned(_) | ColumnType::Date(_))
        }
        (gives, kind) => gives != Gives::Name && gives.fits(kind),
    };
    let output = reads.steps.iter().rev().map(Step::output).find(|output| *output != OutputType::Same);
    let takes = |gives: Gives| match (gives, reads.steps.first()) {
        (Gives::Bool, Some(step)) => step.accepts().contains(&OutputType::Bool),
        _ => true,
    };
    output.filter(|_| !holds && takes(gives)).map_or(gives, of_output)
}

/// Whether a step writes the time that it read.
fn writes_time(expr: &Expr) -> bool {
    expr.steps.last().is_some_and(Step::writes_time)
        || matches!(&expr.from, From::First(all) if all.iter().any(writes_time))
}

/// A column of a type that is not known can only be left alone.
fn unknown_type(spot: &Spot<'_>, column: &ColumnRule, declared: &str) {
    let name = format!("`{}.{}`", spot.table.name, column.name);
    let message = format!("{name} is `{declared}`, a type that treelift does not know, and a rule writes it");
    // The word stands in a migration: it is not what is wrong in the line that is shown.
    let hint = meant(declared).map_or_else(
        || "declare one of the types that mappings/README.md lists, or leave the column to the application".to_owned(),
        |word| format!("did the migration mean `{word}`? mappings/README.md lists the types"),
    );
    spot.refuse(&codes::TYPE_UNKNOWN, column.line, message, hint);
}

/// The type that a declaration probably means, where its word is none.
fn meant(declared: &str) -> Option<&'static str> {
    let word = declared.split('(').next().unwrap_or_default().trim();
    // A word that is known takes other arguments, or is one of another engine.
    let is_known = TYPE_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is_known { None } else { suggest::nearest(word, TYPE_WORDS) }
}

fn misfit(spot: &Spot<'_>, column: &ColumnRule, gives: Gives, kind: ColumnType, declared: &str) {
    let name = format!("`{}.{}`", spot.table.name, column.name);
    let message = match (gives, kind) {
        (Gives::Text(least), ColumnType::Text { max: Some(max) }) => {
            format!("{name} holds at most {max} characters, and this has at least {least}")
        }
        (_, ColumnType::Time(Some(form))) if kind.takes_moments() => {
            format!("{name} is `{declared}`, written as `{}`, and this gives {}", form.format(), gives.words())
        }
        _ => format!("{name} is `{declared}`, and this gives {}", gives.words()),
    };
    let hint = match (gives, kind) {
        (_, ColumnType::Blob) => Some("add the step that reads bytes: `base64` or `hex`"),
        (Gives::ClockTime | Gives::Day, kind) if kind.takes_moments() => {
            Some("say whose clocks are meant: `{ time = { forms = …, zone = \"Europe/Berlin\" } }`")
        }
        (Gives::Time | Gives::Moment, ColumnType::Integer | ColumnType::Real | ColumnType::Numeric(_)) => {
            Some("say how it is written: `{ time = { as = \"epoch_ms\" } }`, or another form of numbers")
        }
        (Gives::Ambiguous, _) => Some("write the JSON as a list or a table without quotes"),
        (_, ColumnType::Json | ColumnType::JsonValue) => {
            Some("a bare number may change there: wrap it, as in `{ object = { value = … } }`")
        }
        (Gives::Text(_) | Gives::Name, ColumnType::Integer | ColumnType::Real | ColumnType::Numeric(_)) => {
            Some("add a step that reads a number, or write the number without quotes")
        }
        (Gives::Bool, ColumnType::Integer) => Some("write 1 and 0"),
        (Gives::Integer | Gives::Real, ColumnType::Text { .. }) => {
            Some("leave out the step, or write the literal in quotes")
        }
        _ => None,
    };
    spot.refuse(&codes::TYPE_UNFIT, column.line, message, hint.unwrap_or(codes::TYPE_UNFIT.help));
}

fn of_expr(spot: &Spot<'_>, expr: &Expr, depth: u32) -> Vec<Gives> {
    // The loader reports a cycle of columns.
    if depth > 16 {
        return vec![Gives::Unknown];
    }
    let mut list = false;
    let mut last = None;
    for step in &expr.steps {
        match step.output() {
            OutputType::Same => {}
            OutputType::List => {
                list = true;
                last = Some(Gives::Text(0));
            }
            output => last = Some(of_output(output)),
        }
    }
    if list {
        return vec![Gives::Json];
    }
    if let Some(last) = last {
        return vec![last];
    }
    match &expr.from {
        From::Path(path) => of_path(spot, path, depth),
        From::Literal(literal) => vec![of_literal(literal)],
        From::Null => vec![Gives::Unknown],
        From::First(parts) => parts.iter().flat_map(|part| of_expr(spot, part, depth + 1)).collect(),
        From::Selected(_) | From::Object(_) | From::Each(_) => vec![Gives::Json],
        From::Template(_) | From::Join { .. } => vec![Gives::Text(0)],
        From::Digest { how, .. } => vec![Gives::Text(match how {
            Digest::Uuid5 => 36,
            Digest::Md5 => 32,
            Digest::Sha256 => 64,
        })],
        From::Lookup(ways) => {
            let row = ways.first();
            row.and_then(|row| Some(stored(spot, &row.table, row.column.as_ref()?))).into_iter().collect()
        }
    }
}

fn of_path(spot: &Spot<'_>, path: &PathExpr, depth: u32) -> Vec<Gives> {
    match &path.root {
        Root::Element | Root::Record | Root::Frame => vec![Gives::Source],
        Root::Above { rule, column } => {
            vec![
                spot.mapping.rule(rule).map_or(Gives::Unknown, |at| stored(spot, &spot.mapping.rules[at].into, column)),
            ]
        }
        Root::Outside => vec![Gives::Unknown],
        Root::Parent(column) => vec![spot.parent().map_or(Gives::Unknown, |parent| stored(spot, &parent.into, column))],
        Root::Column(name) => {
            let mut gives =
                spot.rule.named(name).map_or_else(|| vec![Gives::Unknown], |expr| of_expr(spot, expr, depth + 1));
            let policies = spot.rule.column(name).map(|column| &column.policies);
            let policies = policies.or_else(|| spot.rule.let_of(name).map(|one| &one.policies));
            let default = policies.and_then(|policies| policies.default.as_ref());
            gives.extend(default.map(of_literal));
            gives
        }
        Root::Context(name) => vec![match (name.as_str(), name.strip_prefix("owner.")) {
            ("started", _) => Gives::Moment,
            ("position" | "index", _) => Gives::Integer,
            (_, Some(column)) => {
                spot.set.owners.as_ref().map_or(Gives::Unknown, |owners| stored(spot, &owners.table, column))
            }
            _ => Gives::Name,
        }],
    }
}

/// What a column of the target holds.
fn stored(spot: &Spot<'_>, table: &str, column: &str) -> Gives {
    let column = spot.schema.table(table).and_then(|table| table.column(column));
    column.map_or(Gives::Unknown, |column| match column.kind {
        ColumnType::Text { .. } => Gives::Text(0),
        ColumnType::Integer => Gives::Integer,
        ColumnType::Real => Gives::Real,
        ColumnType::Numeric(_) => Gives::Number,
        ColumnType::Boolean => Gives::Bool,
        ColumnType::Time(_) => Gives::Time,
        ColumnType::Zoned(_) => Gives::Moment,
        ColumnType::Date(_) => Gives::Day,
        ColumnType::Clock(_) | ColumnType::Uuid => Gives::Text(0),
        ColumnType::Flag => Gives::Integer,
        ColumnType::Json | ColumnType::JsonValue | ColumnType::List(_) => Gives::Json,
        ColumnType::Blob => Gives::Bytes,
        ColumnType::Untyped | ColumnType::Unknown => Gives::Unknown,
    })
}

fn of_literal(literal: &Literal) -> Gives {
    match literal {
        Literal::Bool(_) => Gives::Bool,
        Literal::Integer(_) => Gives::Integer,
        Literal::Real(_) => Gives::Real,
        Literal::Text(text) => Gives::Text(u32::try_from(text.chars().count()).unwrap_or(u32::MAX)),
        Literal::List(_) | Literal::Table(_) => Gives::Json,
    }
}

/// In a JSON column every literal is a JSON value, but for a text, which could be meant as a document as well, and a
/// bare number, which would not be kept exactly.
fn json_literal(literal: &Literal) -> Gives {
    match literal {
        Literal::Text(_) => Gives::Ambiguous,
        other => of_literal(other),
    }
}

fn of_output(output: OutputType) -> Gives {
    match output {
        OutputType::Text => Gives::Text(0),
        OutputType::Integer => Gives::Integer,
        OutputType::Number => Gives::Number,
        OutputType::Bool => Gives::Bool,
        OutputType::Civil => Gives::ClockTime,
        OutputType::Day => Gives::Day,
        OutputType::Instant => Gives::Moment,
        OutputType::Time => Gives::Time,
        OutputType::Bytes => Gives::Bytes,
        OutputType::List | OutputType::Json => Gives::Json,
        OutputType::Same => Gives::Unknown,
    }
}

/// `without` cuts from a container of the file; what a column holds, or what an expression makes, is none.
fn cuts_what_is_read(spot: &Spot<'_>, path: Option<&PathExpr>, line: u32) {
    let is_read = match path.map(|path| &path.root) {
        None => false,
        Some(Root::Column(name)) => spot.rule.let_of(name).is_some_and(|one| {
            matches!(one.expr.from, From::Path(_)) && one.expr.is_bare() && one.policies.default.is_none()
        }),
        Some(root) => matches!(root, Root::Element | Root::Record | Root::Frame | Root::Outside),
    };
    if !is_read {
        let message = match path.map(|path| &path.root) {
            Some(Root::Column(name)) => {
                format!("`without` cuts from what is in the file, and `={name}` is made from it")
            }
            Some(Root::Parent(name)) => format!("`without` cuts from what is in the file, and `^{name}` is a column"),
            Some(Root::Above { rule, column }) => {
                format!("`without` cuts from what is in the file, and `^{rule}.{column}` is a column")
            }
            Some(Root::Context(name)) => format!("`without` cuts from what is in the file, and `#{name}` is a text"),
            _ => "`without` cuts from what is in the file, and this is made from it".to_owned(),
        };
        spot.refuse(&codes::WITHOUT_UNFIT, line, message, codes::WITHOUT_UNFIT.help);
    }
}

/// A step takes what the one before it gives.
fn steps_follow(spot: &Spot<'_>, steps: &[Step], line: u32) {
    for pair in steps.windows(2) {
        let output = match pair[0].output() {
            OutputType::List => OutputType::Text,
            output => output,
        };
        let accepts = pair[1].accepts();
        if output != OutputType::Same && !accepts.contains(&OutputType::Same) && !accepts.contains(&output) {
            let message = format!(
                "step `{}` does not take what `{}` gives: {}",
                pair[1].name(),
                pair[0].name(),
                of_output(output).words()
            );
            spot.refuse(&codes::STEP_UNFIT, line, message, None);
        }
    }
}
