//! `treelift explain`

use super::args::ExplainArgs;
use super::args::shared::ManagedArgs;
use super::database_url::DatabaseUrl;
use super::managed;
use super::mapping_set;
use super::output::Output;
use crate::against;
use crate::database;
use crate::database::ledger::RowOrigin;
use crate::error::{Error, Result};
use crate::explain::{self, Explained, Fate, LeafStory, Question, RowQuestion, RowSource, Way, root_above};
use crate::finding::{CODES, Code, printable};
use crate::judge::judge;
use crate::mapping::model::Set;
use crate::mapping::{bundled, codes};
use crate::report::words::{count, thousands};
use crate::table::Schema;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Shows where the values of a file go, where a row came from, or what a code means.
pub(super) fn run(args: &ExplainArgs, output: &Output) -> Result<u8> {
    if let Some([table, key]) = args.row.as_deref() {
        return row(args, table, key, output);
    }
    let what = args.what.as_deref().unwrap_or_default();
    if is_code(what) && !Path::new(what).exists() {
        let code = find(what)?;
        let document = json!({
            "code": code.id,
            "severity": code.severity,
            "title": code.title,
            "help": code.help,
            "page": explain::page(code.id),
        });
        output.result(&code_words(code), &document)?;
        return Ok(0);
    }
    file(args, what, output)
}

fn find(text: &str) -> Result<&'static Code> {
    if let Some(code) = codes::find(text) {
        return Ok(code);
    }
    let family: Vec<_> = CODES
        .iter()
        .chain(codes::CODES)
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

fn code_words(code: &Code) -> String {
    let page = explain::page(code.id).map(|page| format!("\n{}", plain(page))).unwrap_or_default();
    format!("{} {}: {}\nhint: {}\n{page}", code.severity, code.id, code.title, code.help)
}

/// A page as a terminal shows it: headings without their marks, and what stands in a fence set in, below its path.
fn plain(page: &str) -> String {
    let (mut out, mut is_in_fence) = (String::new(), false);
    for line in page.lines() {
        match (line.strip_prefix("```"), line.strip_prefix("## ")) {
            (Some(info), _) => {
                is_in_fence = !is_in_fence;
                let path = info.split_once(' ').map(|(_, path)| path);
                path.iter().for_each(|path| out += &format!("{path}:\n"));
            }
            (None, Some(heading)) if !is_in_fence => out += &format!("{heading}:\n"),
            _ if is_in_fence && !line.is_empty() => out += &format!("    {line}\n"),
            _ => out += &format!("{line}\n"),
        }
    }
    out
}

fn file(args: &ExplainArgs, what: &str, output: &Output) -> Result<u8> {
    let (path, pointer) = match what.split_once('#') {
        Some((path, pointer)) if !Path::new(what).exists() => (path, pointer),
        _ => (what, ""),
    };
    let path = Path::new(path);
    if !path.is_file() {
        let error = Error::request("no such file").at(path.display());
        return Err(error.hint("`explain` takes a file of a tree, or a code such as `V004`"));
    }
    let absolute = std::path::absolute(path)
        .map_err(|error| Error::environment(format!("the current folder cannot be read: {}", error.kind())))?;
    let (set, schema, root, file) = place(args, &absolute)?;
    let pointer = pointer.to_owned();
    let explained = explain::explain(Question { set, schema, root, file, pointer, row: None, depth: args.max_depth })?;
    output.result(&words(&explained), &json!(explained))?;
    Ok(0)
}

/// The set, the folder it is about, and the file's path below that.
fn place(args: &ExplainArgs, file: &Path) -> Result<(Set, Schema, PathBuf, String)> {
    if let Some(source) = &args.source {
        let (source, root) =
            against::choose(mapping_set::given(args.mappings.as_deref())?.as_deref(), source, bundled::BY_OPTION)?;
        let (set, schema) = judge(&source)?;
        let absolute = std::path::absolute(&root).unwrap_or_else(|_| root.clone());
        let below = file.strip_prefix(&absolute).map_err(|_| {
            Error::request("the file is not in the tree").at(file.display()).hint(root.display().to_string())
        })?;
        return Ok((set, schema, root, below.to_string_lossy().into_owned()));
    }
    for source in &bundled::named_or_all(mapping_set::given(args.mappings.as_deref())?.as_deref())? {
        let (set, schema) = judge(source)?;
        if let Some((root, below)) = root_above(&set, file) {
            return Ok((set, schema, root, below));
        }
    }
    Err(Error::request("no mapping set recognises a folder above the file")
        .at(file.display())
        .hint("name the tree with `--source`, and the set with `--mappings`"))
}

fn row(args: &ExplainArgs, table: &str, key: &str, output: &Output) -> Result<u8> {
    let Some(source) = args.source.as_deref() else { return row_by_ledger(args, table, key, output) };
    let (source, root) =
        against::choose(mapping_set::given(args.mappings.as_deref())?.as_deref(), source, bundled::BY_OPTION)?;
    let (set, schema) = judge(&source)?;
    let named = DatabaseUrl::given(args.database.as_ref())?;
    let url = named.map(|database| database.url().to_owned()).or_else(|| set.database.clone());
    let url = url.ok_or_else(|| Error::request("no database was given").hint("give one with `--database URL`"))?;
    let database = database::open(&url)?;
    let question = RowQuestion { table: table.to_owned(), key: key.to_owned(), schema };
    let source = RowSource { set, root, depth: args.max_depth };
    let (origin, explained) = explain::row(question, source, &*database)?;
    let words = format!("{}\n{}", origin_words(table, database.url(), &origin), words(&explained));
    output.result(&words, &json!({ "origin": origin, "explained": explained }))?;
    Ok(0)
}

/// What the ledger alone says: the tree may be gone.
fn row_by_ledger(args: &ExplainArgs, table: &str, key: &str, output: &Output) -> Result<u8> {
    let managed = managed::open(&ManagedArgs { mappings: args.mappings.clone(), database: args.database.clone() })?;
    let schema = managed.catalog()?.schema;
    let question = RowQuestion { table: table.to_owned(), key: key.to_owned(), schema };
    let origin = explain::origin(&question, managed.set(), managed.database())?;
    let hint = "hint: with `--source SOURCE`, the tree that the run read, its line and its values are shown\n";
    let words = format!("{}{hint}", origin_words(table, managed.database().url(), &origin));
    output.result(&words, &json!({ "origin": origin }))?;
    Ok(0)
}

/// The row, and the place that it came from: by its pointer where the file was read, else by its byte.
fn origin_words(table: &str, url: &str, origin: &RowOrigin) -> String {
    let path = printable(&origin.path);
    let place = match origin.pointer.as_deref() {
        None => format!("{path}, byte {}", thousands(origin.offset)),
        Some("") => path, // the whole of it
        Some(pointer) => format!("{path}#{}", printable(pointer)),
    };
    format!("row of {} in {url}\nfrom {place} (run {})\n", printable(table), origin.run)
}

fn words(explained: &Explained) -> String {
    let mut out = format!("{}: {}", explained.file, explained.status);
    if let (Some(mapping), Some(file)) = (&explained.mapping, &explained.mapping_file) {
        let _ = write!(out, " by {mapping} ({file})");
    }
    if let Some(shape) = &explained.shape {
        let _ = write!(out, ", shape {shape}");
    }
    out.push('\n');
    if let Some((id, how)) = &explained.owner {
        let _ = writeln!(out, "  owner: {} ({how})", printable(id));
    }
    if let Some(reason) = &explained.reason {
        let _ = writeln!(out, "  {}", printable(reason));
    }
    if explained.alike > 0 {
        let rows = count(explained.alike, "row");
        let _ = writeln!(out, "  {rows} are made of it, and the ledger does not say which is this one: all are shown");
    }
    explained.leaves.iter().for_each(|leaf| leaf_words(&mut out, leaf));
    if explained.more > 0 {
        let _ = writeln!(out, "\nand {} more: name a part with `FILE#/pointer`", count(explained.more, "leaf"));
    }
    out
}

const HIDDEN: &str = "(hidden: it may be a secret)";
const HIDDEN_COPY: &str = "(hidden: it holds a copy of a secret)";

fn leaf_words(out: &mut String, leaf: &LeafStory) {
    let hidden = if leaf.copy_of_secret { HIDDEN_COPY } else { HIDDEN };
    let value = leaf.value.as_deref().unwrap_or(hidden);
    let pointer = if leaf.pointer.is_empty() { "the document".to_owned() } else { printable(&leaf.pointer) };
    let _ = writeln!(out, "\n{pointer} (line {}) {value}", leaf.line);
    leaf.goes.iter().for_each(|way| way_words(out, way));
    if leaf.more_ways > 0 {
        let _ = writeln!(out, "  and {} more", count(leaf.more_ways, "way"));
    }
    fate_words(out, &leaf.fate, leaf.goes.iter().any(|way| way.how == leaf.fate.class));
}

/// What becomes of a leaf, where the ways that it goes do not say it.
fn fate_words(out: &mut String, fate: &Fate, is_said: bool) {
    if let Some(lossy) = &fate.lossy {
        let _ = writeln!(out, "  lossy: {}", printable(lossy));
    }
    let words = match fate.class {
        "ignored" => format!("ignored: {}", fate.ignored.as_deref().unwrap_or_default()),
        "rejected" if !is_said => format!("rejected: {}", fate.rejected.as_deref().unwrap_or("its record is")),
        "unmapped" => "unmapped: no rule keeps it, and nothing ignores it".to_owned(),
        "column" if !is_said => "column: it is empty, and so makes no row".to_owned(),
        class if !is_said => class.to_owned(),
        _ => return,
    };
    let _ = writeln!(out, "  {}", printable(&words));
}

fn way_words(out: &mut String, way: &Way) {
    let _ = writeln!(out, "  {} {}.{} ({})", way.how, way.table, way.column, way.place);
    for step in &way.steps {
        match (&step.before, &step.after) {
            (Some(before), Some(after)) => {
                let _ = writeln!(out, "    {}: {before} -> {after}", step.step);
            }
            _ => {
                let _ = writeln!(out, "    {}: {HIDDEN}", step.step);
            }
        }
    }
    if way.how == "column" || way.how == "used" {
        match &way.value {
            Some(value) => {
                let _ = writeln!(out, "    = {value}");
            }
            None if way.hidden => {
                let _ = writeln!(out, "    = {HIDDEN}");
            }
            None => {} // it could not be made, or is the mapping's own
        }
    }
    let _ = match &way.row {
        Ok(key) => match way.note {
            Some(note) => writeln!(out, "    row {key} ({note})"),
            None => writeln!(out, "    row {key}"),
        },
        Err(why) => writeln!(out, "    {}", printable(why)),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_explained_in_either_case() {
        let text = "\
error V004: a value's type does not fit the column
hint: fix the source, or add a step that converts it
";
        assert!(code_words(find("V004").expect("known")).starts_with(text));
        assert_eq!(code_words(find("v004").expect("known")), code_words(find("V004").expect("known")));
    }

    #[test]
    fn a_page_is_shown_without_the_marks_of_its_form() {
        let page = "Why.\n\n## Example\n\n```json tree/a.json\n## b\n\n{}\n```\n\n```sh\nrm a\n```\n";
        let expected = "Why.\n\nExample:\n\ntree/a.json:\n    ## b\n\n    {}\n\n    rm a\n";
        assert_eq!(plain(page), expected);
    }

    #[test]
    fn every_code_is_explained() {
        for code in CODES.iter().chain(codes::CODES) {
            assert!(is_code(code.id) && find(code.id).is_ok_and(|found| found == *code), "{}", code.id);
        }
    }

    #[test]
    fn an_unknown_code_names_its_family() {
        let error = find("j999").expect_err("unknown");
        assert_eq!(error.message, "no finding has the code `j999`");
        assert_eq!(error.hint.as_deref(), Some("the codes of this family go from `J001` to `J016`"));
        assert!(find("Q001").expect_err("unknown").hint.is_some());
    }
}
