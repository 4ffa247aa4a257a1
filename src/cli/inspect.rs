//! `treelift inspect`

use super::args::InspectArgs;
use super::output::Output;
use super::scaffold;
use crate::error::Result;
use crate::finding::{excerpt, printable};
use crate::inspect::{self, FileType, Inspection, Manner, PathReport};
use crate::report::words::{bytes, count, thousands};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

/// Shows what is in a tree, or writes a first mapping set for it.
pub(super) fn run(args: &InspectArgs, output: &Output) -> Result<u8> {
    let manner = Manner { show_values: args.show_values, depth: args.max_depth };
    let Some(folder) = &args.scaffold else {
        let inspection = inspect::inspect(&args.source, manner)?;
        output.result(&words(&inspection), &json!(inspection))?;
        return Ok(0);
    };
    let written = scaffold::write(&args.source, folder, manner)?;
    let next = next(folder, &args.source);
    let said = format!("{}hint: review each line marked `guess:`, then run {next}\n", written.words());
    output.outcome(&said, &written.document());
    Ok(0)
}

fn next(folder: &Path, source: &Path) -> String {
    let (folder, source) = (folder.display().to_string(), source.display().to_string());
    format!("`treelift check {} --against {}`", printable(&folder), printable(&source))
}

fn words(inspection: &Inspection) -> String {
    let mut out = format!("{}: {}, {}\n", inspection.root, count(inspection.files, "file"), bytes(inspection.bytes));
    for skipped in &inspection.skipped {
        let _ = writeln!(out, "not read: {}", printable(skipped));
    }
    inspection.types.iter().for_each(|of| type_words(&mut out, of));
    out
}

fn type_words(out: &mut String, of: &FileType) {
    let _ = writeln!(out, "\n{} ({}, {})", printable(&of.pattern), count(of.files, "file"), bytes(of.bytes));
    for (path, what) in &of.broken {
        let _ = writeln!(out, "  broken: {path}: {}", printable(what));
    }
    if of.lines {
        out.push_str("  every line is a document\n");
    }
    if of.other > 0 {
        let _ = writeln!(out, "  not JSON: {}", count(of.other, "file"));
    }
    for (shape, files) in &of.shapes {
        let _ = writeln!(out, "  shape: {} ({})", printable(shape), count(*files, "file"));
    }
    let width = of.paths.iter().map(|path| path.path.chars().count()).max().unwrap_or(0).min(44);
    for path in &of.paths {
        let _ = writeln!(out, "  {:width$}  {}", printable(&path.path), path_words(path));
    }
}

fn path_words(path: &PathReport) -> String {
    let types: Vec<String> = match path.types.as_slice() {
        [(one, _)] => vec![(*one).to_owned()],
        several => several.iter().map(|(name, number)| format!("{name} {}", thousands(*number))).collect(),
    };
    let mut out = types.join(", ");
    if path.count < path.of {
        let _ = write!(out, "; in {} of {}", thousands(path.count), thousands(path.of));
    } else {
        let _ = write!(out, "; {}", thousands(path.count));
    }
    if path.secret {
        return format!("{out}; SUSPECTED SECRET");
    }
    if path.empty > 0 {
        let _ = write!(out, "; {} empty", thousands(path.empty));
    }
    if let Some((least, most)) = path.chars {
        let _ = if least == most {
            write!(out, "; {}", count(most, "character"))
        } else {
            write!(out, "; {least} to {} characters", thousands(most))
        };
    }
    for (look, number) in &path.looks {
        let _ = if *number == path.count {
            write!(out, "; {look}")
        } else {
            write!(out, "; {} {look}", thousands(*number))
        };
    }
    if path.unique {
        out += "; all different";
    } else if let Some(distinct) = path.distinct {
        let _ = write!(out, "; {} different", thousands(distinct));
    }
    if let Some(values) = &path.values {
        let shown: Vec<String> = values.iter().map(|(value, number)| format!("{} {number}", excerpt(value))).collect();
        let _ = write!(out, ": {}", shown.join(", "));
    }
    out
}
