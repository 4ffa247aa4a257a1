//! `treelift check`

use super::args::CheckArgs;
use super::mapping_set;
use super::output::Output;
use crate::against::{self, Judgement};
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::mapping::bundled;
use crate::mapping::editor_schema::editor_schema;
use crate::mapping::model::Set;
use crate::report::words::{count, thousands};
use crate::table::Schema;
use serde_json::{Value, json};
use std::path::Path;

/// Checks mapping sets, or prints the schema that editors validate their files with.
pub(super) fn run(args: &CheckArgs, output: &Output) -> Result<u8> {
    if let Some(of) = args.print_schema {
        let text = editor_schema(of);
        let document: Value = serde_json::from_str(&text).map_err(|_| Error::bug("the editor schema is not JSON"))?;
        output.result(&text, &document)?;
        return Ok(0);
    }
    if let Some(tree) = &args.against {
        return against_tree(args, tree, output);
    }
    let (mut words, mut documents, mut errors) = (String::new(), Vec::new(), Vec::new());
    for source in &bundled::named_or_all(mapping_set::given(args.set.as_deref())?.as_deref())? {
        match against::judge(source) {
            Ok((set, schema)) => {
                words += &valid(&set, &schema);
                documents.push(document(&set, &schema));
            }
            Err(error) => errors.push(error),
        }
    }
    if let Some(error) = Error::all(errors) {
        return Err(error);
    }
    output.result(&words, &json!({ "sets": documents }))?;
    Ok(0)
}

fn against_tree(args: &CheckArgs, tree: &Path, output: &Output) -> Result<u8> {
    let (source, root) = against::choose(mapping_set::given(args.set.as_deref())?.as_deref(), tree)?;
    let (set, schema) = against::judge(&source)?;
    let (mut words, mut document) = (valid(&set, &schema), document(&set, &schema));
    let judgement = against::against(set, schema, &root, args.max_depth)?;
    words += &against_words(&judgement, &root);
    document["files"] = json!({
        "mapped": judgement.files[0], "ignored": judgement.files[1], "unmapped": judgement.files[2],
    });
    document["broken"] = judgement
        .broken
        .iter()
        .map(|(path, finding)| json!({ "file": path, "code": finding.code.id, "message": finding.message }))
        .collect();
    document["unused"] = judgement
        .unused
        .iter()
        .map(|unused| {
            json!({ "code": unused.code.id, "mapping": unused.mapping, "place": unused.place, "message": unused.message })
        })
        .collect();
    output.result(&words, &json!({ "sets": [document] }))?;
    Ok(u8::from(!judgement.broken.is_empty()))
}

fn rules(set: &Set) -> usize {
    set.mappings.iter().map(|mapping| mapping.rules.len()).sum()
}

fn valid(set: &Set, schema: &Schema) -> String {
    format!(
        "{}: valid ({}, {}, {})\n",
        printable(&set.folder),
        count(set.mappings.len() as u64, "mapping"),
        count(rules(set) as u64, "rule"),
        count(schema.tables.len() as u64, "table"),
    )
}

fn document(set: &Set, schema: &Schema) -> Value {
    json!({
        "set": set.name, "folder": set.folder, "digest": set.digest,
        "mappings": set.mappings.len(), "rules": rules(set), "tables": schema.tables.len(),
    })
}

fn against_words(judgement: &Judgement, root: &Path) -> String {
    let [mapped, ignored, unmapped] = judgement.files.map(thousands);
    let mut words = format!(
        "{}: {mapped} files mapped, {ignored} ignored, {unmapped} unmapped\n",
        printable(&root.display().to_string())
    );
    for (path, finding) in &judgement.broken {
        words += &format!("error {}: {}\n  at {path}\n", finding.code.id, printable(&finding.message));
    }
    for unused in &judgement.unused {
        words += &format!("note {}: {}\n  at {}\n", unused.code.id, printable(&unused.message), unused.place);
    }
    if judgement.unused.is_empty() {
        words += "every part of the set was used\n";
    }
    words
}
